//! In steady state, our code allocates nothing per frame, on the whole media path. A separate test binary, because it replaces
//! the global allocator. Allocations of `OpenH264` and Opus do not use Rust's allocator and are not counted.

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
