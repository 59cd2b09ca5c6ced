//! Code that the tests across crates share: simulations, and the benches.

pub mod bench;
pub mod delay_proxy;
pub mod people;
pub mod sfu;
pub mod simulation;
