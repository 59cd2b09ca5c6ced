//! Sound: devices, the 10 ms engine, the jitter buffer and the mixer.
//!
//! A device's callback touches one ring and nothing else; the thread "audio" does the rest: echo, noise and gain
//! ([`process`]), Opus by `codec`, the jitter buffer, the mix. Sealing and the network are absent: packets leave by a
//! closure and arrive by [`Remote::push`].

#![cfg_attr(
    test,
    expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "tests compute signals from small counts"
    )
)]

pub mod compare;
pub mod device;
mod engine;
mod jitter;
mod mix;
mod opus;
pub mod process;
mod remote;
mod resample;
mod speech;
mod uplink;

pub use device::{Choice, Direction};
pub use engine::{Config, Devices, Engine, Levels, Warning};
pub use jitter::Statistics;
pub use remote::Remote;
pub use uplink::Send;

/// Samples in a second, everywhere between the devices and Opus.
pub const SAMPLE_RATE: u32 = 48_000;

/// Samples in a block: 10 ms, what the echo canceller takes and the engine's beat.
pub const BLOCK: usize = 480;

/// Samples in a packet: 20 ms.
pub const PACKET: usize = 2 * BLOCK;

/// 10 ms of one channel at [`SAMPLE_RATE`]; samples lie in -1.0..=1.0.
pub type Block = [f32; BLOCK];

/// A block of silence.
pub const SILENCE: Block = [0.0; BLOCK];
