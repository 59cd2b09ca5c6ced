//! Encoding and decoding: video back-ends, Opus, layers, bitstreams and containers.
//!
//! An [`encode::Encoder`] or [`decode::Decoder`] is created, used and dropped on one thread. This crate starts no
//! thread. [`layer`], [`rate`] and [`adapt`] are pure. Deliberately absent: sockets, keys, devices. Every parser
//! returns a value or an error for any input and never panics. It allocates no more bytes than its input has.

pub mod adapt;
pub mod backends;
pub mod bitstream;
pub mod call_log;
pub mod colour;
pub mod container;
pub mod decode;
pub mod display;
pub mod encode;
pub mod layer;
pub mod opus;
pub mod rate;
pub mod scale;
#[cfg(test)]
mod testing;

/// An error of a back-end.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
