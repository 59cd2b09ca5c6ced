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

mod block;
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

pub use block::{BLOCK, Block, PACKET, SAMPLE_RATE, SILENCE};
pub use device::{Choice, Direction};
pub use engine::{Config, Devices, Engine, Levels, Warning};
pub use jitter::Statistics;
pub use remote::Remote;
pub use uplink::Send;
