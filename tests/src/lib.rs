//! What the tests across crates share: a simulated world, and the benches.

pub mod bench;
pub mod gate;
pub mod people;
pub mod world;
