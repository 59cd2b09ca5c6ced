//! Forwards one packet to one subscriber.

use super::metrics::{DropReason, Metrics};
use super::switch::{MAX_TEMPORAL, PacketInfo};
use super::track::Subscriber;
use super::transport::Transport;
use super::transport_error::NotQueued;
use str0m::rtp::RtpPacket;

/// Sends one packet of sound to a subscriber. Returns whether it was sent.
pub fn forward_sound(
    subscriber: &mut Subscriber,
    packet: &RtpPacket,
    info: &PacketInfo,
    transport: &mut Transport,
) -> bool {
    let header = subscriber.switch.forward(info, MAX_TEMPORAL);
    header.is_some_and(|header| transport.write_audio(subscriber, packet, header, &[]))
}

/// Queues one packet of a picture for a subscriber. Returns whether it was queued. If its queue is full, the subscriber
/// gets nothing until the next key frame, which the next tick requests.
pub fn forward_picture(
    subscriber: &mut Subscriber,
    packet: &RtpPacket,
    info: &PacketInfo,
    transport: &mut Transport,
    metrics: &mut Metrics,
) -> bool {
    let max_temporal = transport.pictures.max_temporal(transport.downlink.budget());
    let Some(header) = subscriber.switch.forward(info, max_temporal) else { return false };
    match transport.write_video(subscriber, packet, header, info) {
        Ok(()) => true,
        Err(NotQueued::NoStream) => {
            subscriber.switch.end_source();
            false
        }
        Err(NotQueued::Full { next }) => {
            subscriber.switch.restart(next);
            transport.forget_sent(subscriber.ssrc);
            // The packets that waited, and this one.
            metrics.add_dropped(DropReason::QueueFull, header.sequence.saturating_sub(next) + 1);
            false
        }
    }
}
