//! Audio: devices, the engine, the jitter buffer and the mixer.
//!
//! Device callbacks access only a ring buffer and a few atomics. The thread "audio" does everything else: echo
//! cancellation, noise suppression and gain control ([`process`]), Opus (crate `codec`), the jitter buffer and the mix.
//! Encryption and the network are deliberately absent: packets leave through a closure and arrive through
//! [`Remote::push`].

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
mod cue;
pub mod device;
mod engine;
mod jitter;
mod mix;
mod opus;
mod playout_time;
pub mod process;
mod protection;
mod recent_packets;
mod remote;
mod resample;
mod speech;
mod synchronizer;
mod uplink;

pub use block::{BLOCK, Block, PACKET, SAMPLE_RATE, SILENCE};
pub use device::{Choice, Direction};
pub use engine::{Config, Devices, Engine, Levels, Warning};
pub use jitter::{Origin, Statistics};
pub use playout_time::PlayoutTime;
pub use protection::Protection;
pub use recent_packets::RecentPackets;
pub use remote::{Playback, Remote, connect};
pub use uplink::{Send, Uplink};
