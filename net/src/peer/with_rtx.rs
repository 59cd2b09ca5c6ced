//! Makes an interceptor of the stack handle RTX packets (RFC 4588), too.
//!
//! The stack binds the SSRC of each media stream to its interceptors, but not that of its RTX stream. Without this, RTX
//! packets would have no transport-wide sequence number, so that nothing would be known about them, and a probe that is
//! filled with them would have no result.

use rtc::interceptor::{Interceptor, StreamInfo, TaggedPacket};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use std::time::Instant;

/// An interceptor that gets the RTX stream of each local stream as a stream of its own.
pub struct WithRtx<I>(pub I);

impl<I: Interceptor> Protocol<TaggedPacket, TaggedPacket, ()> for WithRtx<I> {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        self.0.handle_read(message)
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.0.poll_read()
    }

    fn handle_write(&mut self, message: TaggedPacket) -> Result<(), Error> {
        self.0.handle_write(message)
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.0.poll_write()
    }

    fn handle_event(&mut self, event: ()) -> Result<(), Error> {
        self.0.handle_event(event)
    }

    fn poll_event(&mut self) -> Option<()> {
        self.0.poll_event()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        self.0.handle_timeout(now)
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.0.poll_timeout()
    }

    fn close(&mut self) -> Result<(), Error> {
        self.0.close()
    }
}

impl<I: Interceptor> Interceptor for WithRtx<I> {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        self.0.bind_local_stream(info);
        if let Some(rtx) = rtx_stream(info) {
            self.0.bind_local_stream(&rtx);
        }
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.0.unbind_local_stream(info);
        if let Some(rtx) = rtx_stream(info) {
            self.0.unbind_local_stream(&rtx);
        }
    }

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        self.0.bind_remote_stream(info);
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        self.0.unbind_remote_stream(info);
    }
}

/// Returns the RTX stream of a stream.
fn rtx_stream(info: &StreamInfo) -> Option<StreamInfo> {
    let (ssrc, payload_type) = info.ssrc_rtx.zip(info.payload_type_rtx)?;
    Some(StreamInfo { ssrc, payload_type, ssrc_rtx: None, payload_type_rtx: None, ..info.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::interceptor::{AttributedPacket, Packet, RTPHeaderExtension, TwccSenderBuilder};
    use rtc::rtp;
    use rtc::shared::TransportContext;

    #[test]
    fn rtx_packets_have_a_transport_wide_sequence_number() {
        let mut sender = WithRtx(TwccSenderBuilder::new().build());
        let uri = super::super::stack::TRANSPORT_CC.into();
        sender.bind_local_stream(&StreamInfo {
            ssrc: 7,
            ssrc_rtx: Some(8),
            payload_type_rtx: Some(103),
            rtp_header_extensions: vec![RTPHeaderExtension { uri, id: 5 }],
            ..StreamInfo::default()
        });
        for (ssrc, numbered) in [(7, true), (8, true), (9, false)] {
            let packet =
                rtp::Packet { header: rtp::Header { version: 2, ssrc, ..Default::default() }, ..Default::default() };
            let message = AttributedPacket::new(Packet::Rtp(packet));
            let transport = TransportContext::default();
            sender.handle_write(TaggedPacket { now: Instant::now(), transport, message }).unwrap();
            let Packet::Rtp(sent) = sender.poll_write().unwrap().message.packet else { panic!("RTCP") };
            assert_eq!(sent.header.get_extension(5).is_some(), numbered, "{ssrc}");
        }
    }
}
