//! In steady state no frame costs an allocation of ours, on any part of the way that pictures and sound take. In a binary
//! of its own, because it counts what the allocator is asked for. What `OpenH264` and Opus allocate goes past Rust's
//! allocator and is not counted.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "steady/allocator.rs"]
mod allocator;
#[path = "steady/codecs.rs"]
mod codecs;
#[path = "steady/keys.rs"]
mod keys;
#[path = "steady/pictures.rs"]
mod pictures;
#[path = "steady/sound.rs"]
mod sound;
#[path = "steady/wire.rs"]
mod wire;
