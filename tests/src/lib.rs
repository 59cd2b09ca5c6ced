//! What the tests across crates share: a simulated world, fuzz targets.

pub mod world;
