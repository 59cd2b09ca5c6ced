//! The switch of a media description that has received nothing yet.

use super::switch::Switch;
use proto::Slot;

/// Returns a switch for a track of a slot. Its sequence numbers begin at a random one.
pub fn first_switch(slot: Slot) -> Switch {
    Switch::new(first_sequence_number(), clock_rate(slot))
}

/// Returns the RTP clock rate in Hz.
fn clock_rate(slot: Slot) -> u32 {
    match slot {
        Slot::Microphone => 48_000,
        Slot::Camera | Slot::Screen => 90_000,
    }
}

/// Returns a random first sequence number in the lowest quarter, so that the sequence does not wrap early.
fn first_sequence_number() -> u16 {
    use ring::rand::SecureRandom;
    let mut bytes = [0; 2];
    // Without randomness the sequence begins at 0. That reveals only how many packets the stream had.
    let _ = ring::rand::SystemRandom::new().fill(&mut bytes);
    u16::from_be_bytes(bytes) >> 2
}
