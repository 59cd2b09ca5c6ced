//! In steady state, our code allocates nothing per frame on the whole media path. This is a separate test program because it
//! replaces the global allocator. Allocations of `OpenH264` and Opus are not counted, because they do not use Rust's allocator.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "steady/allocator.rs"]
mod allocator;
#[path = "steady/codecs.rs"]
mod codecs;
#[path = "steady/forwarding.rs"]
mod forwarding;
#[path = "steady/keys.rs"]
mod keys;
#[path = "steady/pictures.rs"]
mod pictures;
#[path = "steady/sound.rs"]
mod sound;
#[path = "steady/wire.rs"]
mod wire;
