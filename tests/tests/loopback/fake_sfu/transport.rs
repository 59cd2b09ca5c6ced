//! One transport of the fake SFU.

use server::sfu::extension::dependency_descriptor;
use std::collections::HashSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Instant;
use str0m::media::{KeyframeRequestKind, Mid, Rid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, ExtensionMap, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};

pub struct Transport {
    pub rtc: Rtc,
    socket: UdpSocket,
    candidate: Candidate,
    /// The addresses of the client's candidates.
    admitted: HashSet<SocketAddr>,
    /// True once both descriptions are applied. Until then datagrams wait in the socket: str0m cannot use them yet.
    negotiated: bool,
}

impl Transport {
    pub fn new() -> Self {
        let mut extensions = ExtensionMap::empty();
        extensions.set(3, Extension::TransportSequenceNumber);
        extensions.set(4, Extension::RtpMid);
        extensions.set(10, Extension::RtpStreamId);
        extensions.set(11, Extension::RepairedRtpStreamId);
        extensions.set(12, dependency_descriptor());
        let mut rtc = Rtc::builder()
            .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
            .set_ice_lite(true)
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_h264(true)
            .set_extension_map(extensions)
            .build(Instant::now());
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let candidate = Candidate::host(socket.local_addr().unwrap(), "udp").unwrap();
        rtc.add_local_candidate(candidate.clone());
        Self { rtc, socket, candidate, admitted: HashSet::new(), negotiated: false }
    }

    pub fn candidate(&self) -> String {
        self.candidate.to_sdp_string()
    }

    /// Accepts datagrams from the address of a candidate of the client.
    pub fn admit(&mut self, candidate: &str) {
        self.admitted.insert(Candidate::from_sdp_string(candidate).unwrap().addr());
    }

    /// Starts to send and receive.
    pub fn start(&mut self) {
        self.negotiated = true;
    }

    /// Sends and receives all waiting datagrams. Returns the received packets, and the `mid`s for which a key frame is
    /// requested.
    pub fn poll(&mut self) -> (Vec<RtpPacket>, Vec<Mid>) {
        let (mut packets, mut requests) = (Vec::new(), Vec::new());
        if !self.negotiated {
            return (packets, requests);
        }
        let mut buffer = [0; 2_048];
        let local = self.socket.local_addr().unwrap();
        loop {
            while let Ok(output) = self.rtc.poll_output() {
                match output {
                    Output::Timeout(_) => break,
                    Output::Transmit(transmit) => {
                        let _ = self.socket.send_to(&transmit.contents, transmit.destination);
                    }
                    Output::Event(Event::RtpPacket(packet)) => packets.push(packet),
                    Output::Event(Event::KeyframeRequest(request)) => requests.push(request.mid),
                    Output::Event(_) => {}
                }
            }
            let Ok((length, source)) = self.socket.recv_from(&mut buffer) else { break };
            if !self.admitted.contains(&source) {
                continue;
            }
            if let Ok(datagram) = Receive::new(Protocol::Udp, source, local, &buffer[..length]) {
                let _ = self.rtc.handle_input(Input::Receive(Instant::now(), datagram));
            }
        }
        let _ = self.rtc.handle_input(Input::Timeout(Instant::now()));
        (packets, requests)
    }

    pub fn request_key_frame(&mut self, mid: Mid, layer: Rid) {
        let mut direct = self.rtc.direct_api();
        if let Some(stream) = direct.stream_rx_by_mid(mid, Some(layer)) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
    }

    pub fn write(&mut self, mid: Mid, sequence: u64, packet: &RtpPacket) {
        let Some(pt) = self.rtc.media(mid).and_then(|media| media.remote_pts().first().copied()) else { return };
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(mid, None) else { return };
        let header = &packet.header;
        let mut values = header.ext_vals.clone();
        values.rid = None;
        let write = RtpWrite::new(pt, sequence.into(), header.timestamp, Instant::now(), packet.payload.to_vec());
        stream.write_rtp(write.marker(header.marker).ext_vals(values).nackable(true));
    }
}
