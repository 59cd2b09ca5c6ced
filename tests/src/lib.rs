//! Code that the tests across crates share: simulations, attacks, and the benches.

// A bench uses helpers of the tests, which call this crate by its name.
extern crate self as tests;

pub mod attack;
pub mod bench;
pub mod compare;
pub mod delay_proxy;
pub mod demo_meeting;
pub mod impairment;
#[cfg(target_os = "linux")]
pub mod netlab;
pub mod people;
#[cfg(target_os = "linux")]
pub mod process_memory;
pub mod program;
pub mod psnr;
pub mod quality;
pub mod sfu;
pub mod simulation;
pub mod stoi;
pub mod temp_folder;
pub mod vectors;
