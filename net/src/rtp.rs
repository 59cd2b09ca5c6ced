//! Splits sealed frames into RTP packets and reassembles them, with retransmission. No socket and no clock: the caller
//! passes the time. The Dependency Descriptor is [`proto::descriptor`].

pub mod assemble;
pub mod description;
pub mod history;
pub mod inbound_stats;
pub mod nack_tracker;
pub mod packetize;
pub mod round_trip;
pub mod rtp_receiver;
pub mod sent_packet;
pub mod shared_voices;
mod sound_nacks;
pub mod unwrap;

#[cfg(test)]
mod loss_tests;
