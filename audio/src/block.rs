//! The unit of audio between the devices and Opus: 10 ms of one channel.

/// Samples per second between the devices and Opus.
pub const SAMPLE_RATE: u32 = 48_000;

/// Samples per block: 10 ms, the frame length of the echo canceller and the period of the audio thread.
pub const BLOCK: usize = 480;

/// Samples per packet: 20 ms.
pub const PACKET: usize = 2 * BLOCK;

/// 10 ms of one channel at [`SAMPLE_RATE`]. Samples are in -1.0..=1.0.
pub type Block = [f32; BLOCK];

/// A block of silence.
pub const SILENCE: Block = [0.0; BLOCK];
