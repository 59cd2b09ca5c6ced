//! What the tests across crates share: simulations, and the benches.

pub mod bench;
pub mod gate;
pub mod people;
pub mod sfu;
pub mod world;
