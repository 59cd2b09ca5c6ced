//! Between raw and compressed media: video back-ends, Opus, layers, bitstreams and containers.
//!
//! An [`encode::Encoder`] or [`decode::Decoder`] is created, used and dropped on one thread; nothing here starts one.
//! [`layer`] and [`rate`] are pure. Deliberately absent: sockets, keys, devices. Every reader of bytes is a total
//! function: whatever it is fed, it answers with a value or an error, and allocates no more than its input is long.

pub mod backends;
pub mod bitstream;
pub mod colour;
pub mod container;
pub mod decode;
pub mod encode;
pub mod layer;
pub mod opus;
pub mod psnr;
pub mod rate;
pub mod scale;
#[cfg(test)]
mod testing;

/// What a back-end says went wrong, in its own words.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
