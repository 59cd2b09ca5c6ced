//! What the tests across crates share: a simulated world, fuzz targets, and the benches.

pub mod bench;
pub mod fuzz;
pub mod gate;
pub mod people;
pub mod world;
