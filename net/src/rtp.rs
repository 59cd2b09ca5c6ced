//! Frames into RTP packets and back, and what keeps a stream whole in between. Pure: no socket, no clock of its own.

pub mod assemble;
pub mod bits;
pub mod description;
pub mod descriptor;
pub mod history;
pub mod missing;
pub mod packetize;
pub mod rtp_receiver;
pub mod sent_packet;
pub mod structure;
pub mod unwrap;
