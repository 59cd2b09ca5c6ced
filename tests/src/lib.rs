//! Code that the tests across crates share: simulations, and the benches.

pub mod bench;
pub mod compare;
pub mod delay_proxy;
pub mod demo_meeting;
pub mod people;
pub mod psnr;
pub mod quality;
pub mod sfu;
pub mod simulation;
