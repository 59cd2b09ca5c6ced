//! What members may offer to the SFU, and what anybody may send to its media port.

use super::{joined, parts};
use proto::{Blob, ClientSignal, Kind, MeetingId, ParticipantId, Published, Slot, Subscription, ToSfu, TrackId};
use server::sfu::{Command, Context, Reply, Sfu};
use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const MEMBER: ParticipantId = ParticipantId(1);

thread_local! {
    /// Its certificate takes longer than an input.
    static SFU: RefCell<Option<Sfu>> = const { RefCell::new(None) };
}

/// Runs `test` with an SFU whose meeting has one member. Nothing of the member is left afterwards.
fn with_member(test: impl FnOnce(&mut Sfu, Instant)) {
    SFU.with_borrow_mut(|sfu| {
        let now = Instant::now();
        let new = || Context::new(vec![address(7_443)]).map(|context| Sfu::new(context, now));
        if sfu.is_none() {
            *sfu = new();
        }
        let Some(sfu) = sfu else { return };
        sfu.handle_command(Command::Join { meeting: MeetingId([1; 16]), participant: MEMBER }, now);
        test(sfu, now);
        sfu.handle_command(Command::Leave { participant: MEMBER }, now);
        while sfu.poll_transmit().is_some() || sfu.poll_reply().is_some() {}
        assert_eq!((sfu.size(), sfu.metrics().failed_meetings), ((0, 0), 0), "the SFU catches panics");
    });
}

/// Reads the head of a request for metrics. Only `GET /metrics` of HTTP is one.
pub(super) fn metrics_request(bytes: &[u8]) {
    let is_metrics = server::is_metrics_request(bytes);
    assert!(!is_metrics || bytes.starts_with(b"GET /metrics ") || bytes.starts_with(b"GET /metrics?"));
}

pub(super) fn metrics_requests() -> Vec<Vec<u8>> {
    let heads =
        ["GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "GET /metrics?x=1 HTTP/1.0\r\n\r\n", "POST / HTTP/2\r\n\r\n"];
    heads.map(|head| head.as_bytes().to_vec()).into()
}

/// A session description in an offer: it is answered or refused, and the next good one is answered.
pub(super) fn offer(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    with_member(|sfu, now| {
        for sdp in [&text, GOOD] {
            send(sfu, sdp, now);
            let answered = std::iter::from_fn(|| sfu.poll_reply()).filter(|(_, reply)| match reply {
                Reply::Signal(_) => true,
                Reply::Totals(_) | Reply::Malformed | Reply::TooFast | Reply::Failed => false,
            });
            assert!(answered.count() >= 1, "each offer is answered or refused");
            sfu.handle_timeout(now);
        }
    });
}

/// Datagrams to a member with an answered offer: from its address, which the SFU does not know yet, and from others.
pub(super) fn datagrams(bytes: &[u8]) {
    with_member(|sfu, now| {
        send(sfu, GOOD, now);
        for (at, part) in (0u16..).zip(parts(bytes)) {
            let now = now + Duration::from_millis(20) * u32::from(at);
            sfu.handle_datagram(address(10_000 + at % 3), address(7_443), part, now);
            sfu.handle_timeout(now);
            let sent = std::iter::from_fn(|| sfu.poll_transmit()).count();
            assert!(sent <= 1, "no amplification: {sent} datagrams for one");
        }
    });
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn send(sfu: &mut Sfu, sdp: &str, now: Instant) {
    let track = TrackId { owner: ParticipantId(2), slot: Slot::Microphone };
    let offer = ClientSignal::Offer {
        number: 1,
        sdp: sdp.into(),
        published: vec![Published { slot: Slot::Microphone, kind: Kind::Audio, mid: "0".into(), layers: Vec::new() }],
        subscriptions: vec![Subscription { mid: "1".into(), track }],
        voices: vec!["2".into(), "0".into(), "1".into()],
        downlink: None,
    };
    let message = ToSfu::Signal(Blob(proto::encode(&offer)));
    sfu.handle_command(Command::Message { participant: MEMBER, message }, now);
}

pub(super) fn offers() -> Vec<Vec<u8>> {
    let more = "a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n";
    [GOOD.to_owned(), format!("{GOOD}{more}"), GOOD.replace("recvonly", "inactive")].map(String::into_bytes).to_vec()
}

/// A binding request (RFC 8489), the begin of a DTLS handshake (RFC 6347), RTP and RTCP (RFC 3550).
pub(super) fn packets() -> Vec<Vec<u8>> {
    let user = *b"abcd:efgh";
    let mut request = vec![0, 1, 0, 48, 0x21, 0x12, 0xa4, 0x42];
    request.extend([7; 12]);
    request.extend([0, 6, 0, 9].iter().chain(&user).chain(&[0; 3]));
    request.extend([0, 0x24, 0, 4, 1, 2, 3, 4]);
    request.extend([0, 8, 0, 20].iter().chain(&[9; 20]));
    let hello =
        [&[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 1, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 8][..], &[5; 8]].concat();
    let rtp = [&[0x90, 111, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xbe, 0xde, 0, 1, 0x40, 48, 0, 0][..], &[6; 20]].concat();
    let feedback = [&[0x81, 206, 0, 2, 0, 0, 0, 3][..], &[0, 0, 0, 4]].concat();
    let all = [request, hello, rtp, feedback];
    vec![joined(all.iter().map(Vec::as_slice))]
}

/// An offer as a client makes it: a sound to send, and a picture to receive.
const GOOD: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
    a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n\
    a=ice-ufrag:efgh\r\na=ice-pwd:0123456789012345678901\r\na=setup:actpass\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n\
    a=fmtp:111 minptime=10;useinbandfec=1\r\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=ssrc:7 cname:x\r\na=sendonly\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 102 103\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=rtcp-mux\r\na=rtpmap:102 H264/90000\r\n\
    a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\na=rtcp-fb:102 nack pli\r\n\
    a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\na=rid:0 recv\r\na=simulcast:recv 0\r\na=recvonly\r\n";
