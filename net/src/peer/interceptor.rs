//! Connects our RTP code to the stack: one interceptor, next to the application, through which every packet goes.
//!
//! Incoming packets end in the [`RtpReceiver`]. Outgoing ones are kept, retransmitted on request, and paced. The stack's own
//! NACK responder is not used, because it omits the header extensions that tell an SFU the stream and layer of a
//! retransmitted packet.

use super::dlrr_responder::DlrrResponder;
use super::estimate::StreamIdentifiers;
use super::pacing::Pacing;
use crate::random;
use crate::rtp::history::RtpPacketHistory;
use crate::rtp::rtp_receiver::{Request, RtpReceiver, extension};
use crate::rtp::sent_packet::SentPacket;
use bytes::{BufMut, Bytes, BytesMut};
use congestion::Priority;
use rtc::interceptor::{AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp;
use rtc::rtcp::extended_report::ExtendedReport;
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{
    NackPair, TransportLayerNack, nack_pairs_from_sequence_numbers,
};
use rtc::rtp;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The remote side's feedback on what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feedback {
    /// It cannot decode the stream with this SSRC without a key frame.
    KeyFrameWanted(u32),
    /// It has received packets with this SSRC.
    Acknowledged(u32),
    /// A voice has begun on a shared media description.
    VoiceBegun,
}

/// The interceptor.
pub struct RtpInterceptor {
    rtp_receiver: Arc<Mutex<RtpReceiver>>,
    feedback: mpsc::Sender<Feedback>,
    /// The sender SSRC of our RTCP packets.
    sender_ssrc: u32,
    local: HashMap<u32, LocalStream>,
    acknowledged: HashSet<u32>,
    dlrr: DlrrResponder,
    pacing: Pacing,
    /// The latest time of any call.
    now: Option<Instant>,
    /// When the interceptor was created: a time that has passed.
    created: Instant,
}

/// A stream that we send.
struct LocalStream {
    is_audio: bool,
    history: RtpPacketHistory<SentPacket>,
    rtx: Option<RtxStream>,
    mid: Option<u8>,
    rid: Option<u8>,
    repaired_rid: Option<u8>,
    /// The values of the MID and RID extensions in the stream's first packets.
    mid_value: Option<Bytes>,
    rid_value: Option<Bytes>,
    /// When its last packet was sent.
    sent: Option<Instant>,
}

/// The stream for retransmissions (RFC 4588).
struct RtxStream {
    ssrc: u32,
    payload_type: u8,
    sequence: u16,
}

impl RtpInterceptor {
    /// Returns an interceptor that passes packets to `rtp_receiver` and feedback to `feedback`. If that channel is
    /// full, the feedback is dropped. Packets leave through `pacing`.
    pub fn new(
        rtp_receiver: Arc<Mutex<RtpReceiver>>,
        feedback: mpsc::Sender<Feedback>,
        sender_ssrc: u32,
        pacing: Pacing,
    ) -> Self {
        Self {
            rtp_receiver,
            feedback,
            sender_ssrc,
            local: HashMap::new(),
            acknowledged: HashSet::new(),
            dlrr: DlrrResponder::default(),
            pacing,
            now: None,
            created: Instant::now(),
        }
    }

    fn handle_rtcp(&mut self, packet: &dyn rtcp::Packet, now: Instant) {
        let any = packet.as_any();
        if let Some(nack) = any.downcast_ref::<TransportLayerNack>() {
            let requested = nack.nacks.iter().flat_map(NackPair::packet_list);
            // A NACK of 1,500 bytes can name 6,000 packets. The limit prevents an attack that multiplies the traffic.
            for sequence in requested.take(MAX_RESENT) {
                self.retransmit(nack.media_ssrc, sequence, now);
            }
        } else if let Some(pli) = any.downcast_ref::<PictureLossIndication>() {
            self.report(Feedback::KeyFrameWanted(pli.media_ssrc));
        } else if let Some(fir) = any.downcast_ref::<FullIntraRequest>() {
            fir.fir.iter().take(MAX_NAMED).for_each(|entry| self.report(Feedback::KeyFrameWanted(entry.ssrc)));
        } else if let Some(report) = any.downcast_ref::<ReceiverReport>() {
            for block in &report.reports {
                if self.local.contains_key(&block.ssrc) && self.acknowledged.insert(block.ssrc) {
                    self.report(Feedback::Acknowledged(block.ssrc));
                }
            }
        } else if let Some(report) = any.downcast_ref::<ExtendedReport>()
            && let Some(answer) = self.dlrr.answer(report, self.sender_ssrc, now)
        {
            self.pacing.pass(tagged(now, Packet::Rtcp(vec![Box::new(answer)])));
        }
    }

    fn report(&self, feedback: Feedback) {
        if self.feedback.try_send(feedback).is_err() {
            tracing::debug!(?feedback, "feedback lost");
        }
    }

    fn retransmit(&mut self, ssrc: u32, sequence: u16, now: Instant) {
        let local = self.local.get_mut(&ssrc).filter(|local| !local.is_silent(now));
        let Some(packet) = local.and_then(|local| local.retransmission(sequence, now)) else {
            return;
        };
        self.pacing.push(Priority::Retransmission, tagged(now, Packet::Rtp(packet)));
    }

    /// Releases the packets that may be sent now.
    fn release(&mut self, now: Instant) {
        self.now = Some(now);
        let Self { local, pacing, .. } = self;
        let start = pacing.start_probe_stream().filter(|stream| local.contains_key(&stream.ssrc)).cloned();
        let has_padding = start.is_some() || local.values().any(LocalStream::has_padding);
        pacing.release(now, has_padding, |size| {
            let resent = local.values_mut().filter(|local| local.has_padding()).find_map(|local| local.padding(size));
            let packet = resent.or_else(|| {
                let stream = start.as_ref()?;
                local.get_mut(&stream.ssrc)?.empty_padding(stream)
            })?;
            Some(tagged(now, Packet::Rtp(packet)))
        });
    }

    fn send_requests(&mut self, now: Instant) {
        let requests = lock(&self.rtp_receiver).poll_requests(now);
        for request in requests {
            let packet: Box<dyn rtcp::Packet> = match request {
                Request::Nack(media_ssrc, missing) => Box::new(TransportLayerNack {
                    sender_ssrc: self.sender_ssrc,
                    media_ssrc,
                    nacks: nack_pairs_from_sequence_numbers(&missing),
                }),
                Request::KeyFrame(media_ssrc) => {
                    Box::new(PictureLossIndication { sender_ssrc: self.sender_ssrc, media_ssrc })
                }
            };
            self.pacing.pass(tagged(now, Packet::Rtcp(vec![packet])));
        }
    }
}

impl LocalStream {
    fn new(info: &StreamInfo) -> Self {
        let id = |uri: &str| {
            let found = info.rtp_header_extensions.iter().find(|extension| extension.uri.ends_with(uri));
            found.and_then(|extension| u8::try_from(extension.id).ok())
        };
        // The session description names no SSRC for the retransmissions of audio. The receiver recognises them by MID and
        // payload type.
        let rtx = info.payload_type_rtx.map(|payload_type| (info.ssrc_rtx.unwrap_or_else(random::ssrc), payload_type));
        Self {
            is_audio: info.mime_type.to_ascii_lowercase().starts_with("audio/"),
            history: RtpPacketHistory::default(),
            rtx: rtx.map(|(ssrc, payload_type)| RtxStream { ssrc, payload_type, sequence: 0 }),
            mid: id(":sdes:mid"),
            rid: id(":sdes:rtp-stream-id"),
            repaired_rid: id(":sdes:repaired-rtp-stream-id"),
            mid_value: None,
            rid_value: None,
            sent: None,
        }
    }

    fn record(&mut self, packet: &rtp::Packet, now: Instant) {
        let value = |id: Option<u8>| id.and_then(|id| extension(&packet.header, id));
        if self.mid_value.is_none() {
            self.mid_value = value(self.mid);
            self.rid_value = value(self.rid);
        }
        self.sent = Some(now);
        self.history.add(packet.header.sequence_number, SentPacket::of(packet, [self.mid, self.rid]), now);
    }

    /// Returns the priority of the stream's packets.
    fn priority(&self) -> Priority {
        match self.rid_value.as_deref() {
            _ if self.is_audio => Priority::Audio,
            None | Some(b"0") => Priority::Base,
            Some(_) => Priority::Rest,
        }
    }

    /// Returns true if a probe can use retransmissions of this stream as padding.
    fn has_padding(&self) -> bool {
        !self.is_audio && self.rtx.is_some() && self.sent.is_some()
    }

    /// Returns true if the layer is paused or was replaced. Its receivers then no longer need what they have lost of it. Always
    /// false for audio, because a voice pauses between words.
    fn is_silent(&self, now: Instant) -> bool {
        !self.is_audio && self.sent.is_none_or(|sent| now.saturating_duration_since(sent) > MAX_SILENCE)
    }

    /// Returns the retransmission of a recent packet of about `size` bytes, for a probe.
    fn padding(&mut self, size: usize) -> Option<rtp::Packet> {
        let (sequence, packet) = self.history.recent(|packet| packet.payload.len().abs_diff(size))?;
        let packet = packet.clone();
        self.rtx_packet(sequence, &packet)
    }

    /// Returns a packet of padding only (RFC 3550, section 5.1), for a probe before the first packet. The stack appends at most
    /// four bytes of padding, so an unknown header extension, which receivers ignore (RFC 8285, section 4.1), fills the
    /// packet.
    fn empty_padding(&mut self, stream: &StreamIdentifiers) -> Option<rtp::Packet> {
        let (mid, repaired_rid) = (self.mid?, self.repaired_rid?);
        let rtx = self.rtx.as_mut()?;
        let mut header = rtp::Header {
            version: 2,
            padding: true,
            payload_type: rtx.payload_type,
            sequence_number: rtx.sequence,
            ssrc: rtx.ssrc,
            ..rtp::Header::default()
        };
        rtx.sequence = rtx.sequence.wrapping_add(1);
        // The longest value is set first, because it decides the form of all header extensions.
        header.set_extension(FILLER_EXTENSION, Bytes::from_static(&[0; MAX_FILLER])).ok()?;
        header.set_extension(mid, stream.mid.clone()).ok()?;
        header.set_extension(repaired_rid, stream.rid.clone()).ok()?;
        Some(rtp::Packet { header, payload: Bytes::new() })
    }

    /// Returns the retransmission of the packet `sequence` (RFC 4588, section 4), with MID and repaired RID (RFC 8852).
    fn retransmission(&mut self, sequence: u16, now: Instant) -> Option<rtp::Packet> {
        let packet = self.history.resend(sequence, now)?.clone();
        self.rtx_packet(sequence, &packet)
    }

    fn rtx_packet(&mut self, sequence: u16, packet: &SentPacket) -> Option<rtp::Packet> {
        let rtx = self.rtx.as_mut()?;
        let mut header = rtp::Header {
            version: 2,
            marker: packet.marker,
            payload_type: rtx.payload_type,
            sequence_number: rtx.sequence,
            timestamp: packet.timestamp,
            ssrc: rtx.ssrc,
            ..rtp::Header::default()
        };
        rtx.sequence = rtx.sequence.wrapping_add(1);
        // The longest value is set first, because it decides the form of all header extensions (RFC 8285, section
        // 4.1.2).
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
            Packet::Rtp(packet) => {
                let mut rtp_receiver = lock(&self.rtp_receiver);
                rtp_receiver.handle_packet(packet, message.now);
                let has_begun = rtp_receiver.voices.has_begun();
                drop(rtp_receiver);
                if has_begun {
                    self.report(Feedback::VoiceBegun);
                }
            }
            Packet::Rtcp(packets) => {
                for packet in &packets {
                    self.handle_rtcp(packet.as_ref(), message.now);
                }
                self.release(message.now);
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns no packet: the [`RtpReceiver`] takes all of them.
    fn poll_read(&mut self) -> Option<TaggedPacket> {
        None
    }

    fn handle_write(&mut self, message: TaggedPacket) -> Result<(), Error> {
        let now = message.now;
        let Packet::Rtp(packet) = &message.message.packet else {
            self.pacing.pass(message);
            return Ok(());
        };
        let priority = if let Some(local) = self.local.get_mut(&packet.header.ssrc) {
            local.record(packet, now);
            local.priority()
        } else {
            Priority::Base
        };
        self.pacing.push(priority, message);
        self.release(now);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.pacing.pop()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        lock(&self.rtp_receiver).handle_timeout(now);
        self.send_requests(now);
        self.release(now);
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        let receiver = lock(&self.rtp_receiver).poll_timeout();
        let start = self.pacing.start_probe_stream().filter(|stream| self.local.contains_key(&stream.ssrc));
        let start = start.filter(|_| self.pacing.may_start()).map(|_| self.now.unwrap_or(self.created));
        receiver.into_iter().chain(start).chain(self.now.and_then(|now| self.pacing.poll_timeout(now))).min()
    }
}

impl Interceptor for RtpInterceptor {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        self.local.entry(info.ssrc).or_insert_with(|| LocalStream::new(info));
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.local.remove(&info.ssrc);
        self.acknowledged.remove(&info.ssrc);
    }

    /// Does nothing: the receiver learns its streams from the answer.
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}

    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}

fn tagged(now: Instant, packet: Packet) -> TaggedPacket {
    TaggedPacket { now, transport: rtc::shared::TransportContext::default(), message: AttributedPacket::new(packet) }
}

/// Locks the receiver. Ignores poisoning, because the receiver is consistent whenever the lock is free.
pub fn lock(rtp_receiver: &Mutex<RtpReceiver>) -> std::sync::MutexGuard<'_, RtpReceiver> {
    rtp_receiver.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The id of a header extension that is not negotiated. The stack numbers those that are from 1 on.
const FILLER_EXTENSION: u8 = 14;

/// The longest value of a header extension, in bytes (RFC 8285, section 4.3).
const MAX_FILLER: usize = 255;

/// The maximum number of retransmissions for one NACK.
const MAX_RESENT: usize = 256;

/// After this time without a packet, a stream retransmits nothing.
const MAX_SILENCE: Duration = Duration::from_millis(500);

/// The maximum number of SSRCs that are handled in one FIR.
const MAX_NAMED: usize = 16;

#[cfg(test)]
#[path = "interceptor_tests.rs"]
mod tests;
