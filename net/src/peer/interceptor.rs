//! Where our own RTP machines meet the stack: one interceptor, next to the application, through which every packet goes.
//!
//! Incoming packets end here, in the [`RtpReceiver`]. Outgoing ones are remembered and sent again on request, in our own way:
//! the stack's responder leaves out the header extensions by which an SFU knows a repaired packet's stream and layer.

use crate::rtp::history::History;
use crate::rtp::rtp_receiver::{Request, RtpReceiver, extension};
use crate::rtp::sent_packet::SentPacket;
use bytes::{BufMut, Bytes, BytesMut};
use rtc::interceptor::{AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp;
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{
    NackPair, TransportLayerNack, nack_pairs_from_sequence_numbers,
};
use rtc::rtp;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::mpsc;

/// The other side's feedback on what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feedback {
    /// It cannot decode this source without a key frame.
    KeyFrameWanted(u32),
    /// It knows this source.
    Acknowledged(u32),
}

/// The interceptor.
pub struct RtpInterceptor {
    rtp_receiver: Arc<Mutex<RtpReceiver>>,
    feedback: mpsc::Sender<Feedback>,
    /// The sender SSRC in requests.
    own: u32,
    local: HashMap<u32, Local>,
    acknowledged: HashSet<u32>,
    write: VecDeque<TaggedPacket>,
}

/// One source of ours.
struct Local {
    history: History<SentPacket>,
    repair: Option<Repair>,
    mid: Option<u8>,
    rid: Option<u8>,
    repaired_rid: Option<u8>,
    /// As its first packets said.
    mid_value: Option<Bytes>,
    rid_value: Option<Bytes>,
}

/// Where packets are sent again (RFC 4588).
struct Repair {
    ssrc: u32,
    payload_type: u8,
    sequence: u16,
}

impl RtpInterceptor {
    /// An interceptor that hands packets to `rtp_receiver` and feedback to `feedback`. If that channel is full, the feedback is lost.
    pub fn new(rtp_receiver: Arc<Mutex<RtpReceiver>>, feedback: mpsc::Sender<Feedback>, own: u32) -> Self {
        Self {
            rtp_receiver,
            feedback,
            own,
            local: HashMap::new(),
            acknowledged: HashSet::new(),
            write: VecDeque::new(),
        }
    }

    fn handle_rtcp(&mut self, packet: &dyn rtcp::Packet, now: Instant) {
        let any = packet.as_any();
        if let Some(nack) = any.downcast_ref::<TransportLayerNack>() {
            let wanted = nack.nacks.iter().flat_map(NackPair::packet_list);
            // A NACK of 1,500 bytes can name 6,000 packets; no honest one names more than were sent lately.
            for sequence in wanted.take(MAX_RESENT) {
                self.send_again(nack.media_ssrc, sequence, now);
            }
        } else if let Some(pli) = any.downcast_ref::<PictureLossIndication>() {
            self.tell(Feedback::KeyFrameWanted(pli.media_ssrc));
        } else if let Some(fir) = any.downcast_ref::<FullIntraRequest>() {
            fir.fir.iter().take(MAX_NAMED).for_each(|entry| self.tell(Feedback::KeyFrameWanted(entry.ssrc)));
        } else if let Some(report) = any.downcast_ref::<ReceiverReport>() {
            for block in &report.reports {
                if self.local.contains_key(&block.ssrc) && self.acknowledged.insert(block.ssrc) {
                    self.tell(Feedback::Acknowledged(block.ssrc));
                }
            }
        }
    }

    fn tell(&self, feedback: Feedback) {
        if self.feedback.try_send(feedback).is_err() {
            tracing::debug!(?feedback, "feedback lost");
        }
    }

    fn send_again(&mut self, ssrc: u32, sequence: u16, now: Instant) {
        let Some(packet) = self.local.get_mut(&ssrc).and_then(|local| local.again(sequence, now)) else { return };
        self.write.push_back(tagged(now, Packet::Rtp(packet)));
    }

    fn ask(&mut self, now: Instant) {
        let requests = lock(&self.rtp_receiver).poll_requests(now);
        for request in requests {
            let packet: Box<dyn rtcp::Packet> = match request {
                Request::Nack(media_ssrc, missing) => Box::new(TransportLayerNack {
                    sender_ssrc: self.own,
                    media_ssrc,
                    nacks: nack_pairs_from_sequence_numbers(&missing),
                }),
                Request::KeyFrame(media_ssrc) => Box::new(PictureLossIndication { sender_ssrc: self.own, media_ssrc }),
            };
            self.write.push_back(tagged(now, Packet::Rtcp(vec![packet])));
        }
    }
}

impl Local {
    fn new(info: &StreamInfo) -> Self {
        let id = |uri: &str| {
            let found = info.rtp_header_extensions.iter().find(|extension| extension.uri.ends_with(uri));
            found.and_then(|extension| u8::try_from(extension.id).ok())
        };
        let repair = info.ssrc_rtx.zip(info.payload_type_rtx);
        Self {
            history: History::default(),
            repair: repair.map(|(ssrc, payload_type)| Repair { ssrc, payload_type, sequence: 0 }),
            mid: id(":sdes:mid"),
            rid: id(":sdes:rtp-stream-id"),
            repaired_rid: id(":sdes:repaired-rtp-stream-id"),
            mid_value: None,
            rid_value: None,
        }
    }

    fn remember(&mut self, packet: &rtp::Packet, now: Instant) {
        let value = |id: Option<u8>| id.and_then(|id| extension(&packet.header, id));
        if self.mid_value.is_none() {
            self.mid_value = value(self.mid);
            self.rid_value = value(self.rid);
        }
        self.history.add(packet.header.sequence_number, SentPacket::of(packet, [self.mid, self.rid]), now);
    }

    /// The packet that repairs `sequence` (RFC 4588, section 4), with its stream's name (RFC 8852).
    fn again(&mut self, sequence: u16, now: Instant) -> Option<rtp::Packet> {
        let repair = self.repair.as_mut()?;
        let packet = self.history.resend(sequence, now)?;
        let mut header = rtp::Header {
            version: 2,
            marker: packet.marker,
            payload_type: repair.payload_type,
            sequence_number: repair.sequence,
            timestamp: packet.timestamp,
            ssrc: repair.ssrc,
            ..rtp::Header::default()
        };
        repair.sequence = repair.sequence.wrapping_add(1);
        // The longest first: it decides which form all of them take (RFC 8285, section 4.1.2).
        let mut values: Vec<(u8, Bytes)> = packet.extensions().collect();
        values.extend(self.mid.zip(self.mid_value.clone()));
        values.extend(self.repaired_rid.zip(self.rid_value.clone()));
        values.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        for (id, value) in values {
            header.set_extension(id, value).ok()?;
        }
        let mut payload = BytesMut::with_capacity(2 + packet.payload.len());
        payload.put_u16(sequence);
        payload.put_slice(&packet.payload);
        Some(rtp::Packet { header, payload: payload.freeze() })
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for RtpInterceptor {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        match message.message.packet {
            Packet::Rtp(packet) => lock(&self.rtp_receiver).handle_packet(packet, message.now),
            Packet::Rtcp(packets) => packets.iter().for_each(|packet| self.handle_rtcp(packet.as_ref(), message.now)),
            _ => {}
        }
        Ok(())
    }

    /// Nothing goes further: the application is behind the intake.
    fn poll_read(&mut self) -> Option<TaggedPacket> {
        None
    }

    fn handle_write(&mut self, message: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtp(packet) = &message.message.packet
            && let Some(local) = self.local.get_mut(&packet.header.ssrc)
        {
            local.remember(packet, message.now);
        }
        self.write.push_back(message);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.write.pop_front()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        lock(&self.rtp_receiver).handle_timeout(now);
        self.ask(now);
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        lock(&self.rtp_receiver).poll_timeout()
    }
}

impl Interceptor for RtpInterceptor {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        self.local.entry(info.ssrc).or_insert_with(|| Local::new(info));
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.local.remove(&info.ssrc);
        self.acknowledged.remove(&info.ssrc);
    }

    /// Which streams come is known from the answer.
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}

    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}

fn tagged(now: Instant, packet: Packet) -> TaggedPacket {
    TaggedPacket { now, transport: rtc::shared::TransportContext::default(), message: AttributedPacket::new(packet) }
}

/// The intake is whole whenever the lock is free, so a task that panicked elsewhere poisons nothing.
pub fn lock(rtp_receiver: &Mutex<RtpReceiver>) -> std::sync::MutexGuard<'_, RtpReceiver> {
    rtp_receiver.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Packets sent again for one request.
const MAX_RESENT: usize = 256;

/// Sources that one FIR may name.
const MAX_NAMED: usize = 16;

#[cfg(test)]
#[path = "interceptor_tests.rs"]
mod tests;
