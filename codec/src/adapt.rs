//! Adapts what is encoded and decoded to the processor and the battery. Pure: the caller passes the time.
//!
//! [`encode::Adapter`] reduces one track that we send. [`decode::Budget`] reduces the tracks that we receive. Both get one
//! measurement a second, reduce soon, and undo one step at a time after a long time without load. If undoing a step was too
//! much, the next attempt waits twice as long.

mod backoff;
pub mod decode;
pub mod encode;
pub mod power;

/// What matters most in the pictures of a track (W3C, `MediaStreamTrack` Content Hints).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ContentHint {
    /// The frame rate of the largest layer is reduced first, then its size.
    #[default]
    Balanced,
    /// The size is reduced first, then the frame rate.
    Motion,
    /// The frame rate is reduced first, and the size only at the end: text must stay readable.
    Detail,
    /// Sign language. The frame rate is never below [`MIN_SIGNING_RATE`], so the size is reduced.
    Signing,
}

/// Why this computer encodes less of a track than viewers want.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EncodeLimitReason {
    /// The processor is too slow.
    EncodeTime,
    /// The battery is nearly empty.
    Battery,
    /// The computer is too hot.
    Heat,
}

/// The minimum frame rate of sign language, in frames per second (EN 301 549, 6.5.3).
pub const MIN_SIGNING_RATE: u32 = 20;
