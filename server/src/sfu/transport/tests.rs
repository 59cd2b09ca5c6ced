//! Tests of the bounds of a transport.

use super::*;
use proto::{MAX_DESCRIPTION_BYTES, MAX_DESCRIPTIONS, MAX_SDP};

#[test]
fn a_client_is_offered_the_address_by_which_it_came_and_the_public_ones() {
    let socket = |text: &str| text.parse::<SocketAddr>().unwrap();
    let sockets = ["127.0.0.1:7", "192.168.1.2:7", "[fd00::2]:8"].map(socket);
    let context = Context::new(sockets.to_vec()).unwrap();
    let candidates = |context: &Context, ip: &str| context.candidates(Some(ip.parse().unwrap()));
    assert_eq!(candidates(&context, "192.168.1.2"), [sockets[1]]);
    assert_eq!(candidates(&context, "fd00::2"), [sockets[2]]);
    assert_eq!(candidates(&context, "10.0.0.1"), sockets, "no socket is on that address");
    assert_eq!(context.candidates(None), sockets);
    let public = ["203.0.113.5", "2001:db8::5", "192.168.1.2"].map(|ip| ip.parse().unwrap());
    let context = context.with_public(public.to_vec());
    let expected = ["192.168.1.2:7", "203.0.113.5:7", "[2001:db8::5]:8"].map(socket);
    assert_eq!(candidates(&context, "192.168.1.2"), expected);
}

#[test]
fn packets_of_endless_sources_are_dropped_and_known_sources_continue() {
    let mut transport = Transport::new(&Context::new(Vec::new()).unwrap(), None, Instant::now());
    let admitted = (0..1_000).filter(|ssrc| transport.admit_source(*ssrc)).count();
    assert_eq!(admitted, MAX_SOURCES);
    assert!(transport.admit_source(7) && !transport.admit_source(999));
}

#[test]
fn only_rtp_packets_have_a_source() {
    let datagram = |first: u8, second: u8| [&[first, second, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3][..], &[9; 20]].concat();
    assert_eq!(rtp_source(&datagram(0x80, 111)), Some(3));
    assert_eq!(rtp_source(&datagram(0x90, 0x80 | 0x66)), Some(3), "with a marker");
    for (first, second) in [(0x80, 200), (0x81, 206), (0, 1), (22, 254)] {
        assert_eq!(rtp_source(&datagram(first, second)), None);
    }
    assert_eq!(rtp_source(&datagram(0x80, 111)[..11]), None);
}

#[test]
fn user_names_name_the_thread_also_after_an_ice_restart_of_the_client() {
    let now = Instant::now();
    let table = Arc::new(super::super::AddressTable::new(now));
    let context = Context::new(Vec::new()).unwrap().with_addresses(ThreadAddresses::new(table, 5));
    let mut transport = Transport::new(&context, None, now);
    let fingerprint = vec!["AB"; 32].join(":");
    let mut seen = HashSet::new();
    for user in ["abcd", "abcd", "efgh", "ijkl"] {
        let sdp = format!(
            "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=fingerprint:sha-256 {fingerprint}\r\n\
            a=ice-ufrag:{user}\r\na=ice-pwd:{user}efghijklmnopqrstuvwx\r\na=setup:actpass\r\na=group:BUNDLE 0\r\n\
            m=video 9 UDP/TLS/RTP/SAVPF 102\r\na=mid:0\r\na=recvonly\r\na=rtpmap:102 H264/90000\r\n"
        );
        let answer = transport.accept_offer(&sdp, 1).unwrap();
        let named = answer.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).expect("it has one").to_owned();
        assert_eq!((ice_ufrag::thread_of(&named), &named), (Some(5), &transport.ufrag()));
        let pass = transport.rtc.direct_api().local_ice_credentials().pass;
        assert!(answer.contains(&format!("a=ice-pwd:{pass}\r\n")), "{answer}");
        seen.insert(named);
    }
    assert_eq!(seen.len(), 3, "a restart changes it");
}

/// Measures what the stack writes for each description of a client of this project, with the longest `mid`s.
#[test]
fn the_answer_to_the_largest_offer_of_a_client_is_within_its_limit() {
    let mut transport = Transport::new(&Context::new(Vec::new()).unwrap(), None, Instant::now());
    let fingerprint = vec!["AB"; 32].join(":");
    let mids: Vec<String> = (0..MAX_DESCRIPTIONS).map(|index| format!("{index:016}")).collect();
    let common = format!(
        "a=setup:actpass\r\na=ice-ufrag:abcdefghijklmnop\r\na=ice-pwd:abcdefghijklmnopqrstuvwxyzabcdef\r\n\
        a=rtcp-mux\r\na=rtcp-rsize\r\na=recvonly\r\na=fingerprint:sha-256 {fingerprint}\r\n\
        a=rtpmap:102 H264/90000\r\na=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n\
        a=rtcp-fb:102 nack\r\na=rtcp-fb:102 nack pli\r\na=rtcp-fb:102 ccm fir\r\na=rtcp-fb:102 transport-cc\r\n\
        a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n\
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
        a=extmap:2 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n\
        a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n\
        a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\r\na=extmap:5 {}\r\n",
        proto::descriptor::URI
    );
    let description =
        |mid: &String| format!("m=video 9 UDP/TLS/RTP/SAVPF 102 103\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\n{common}");
    let sdp = format!(
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {}\r\n{}",
        mids.join(" "),
        mids.iter().map(description).collect::<String>()
    );
    assert!(sdp.len() <= MAX_SDP, "an offer of {} bytes", sdp.len());
    let answer = transport.accept_offer(&sdp, MAX_DESCRIPTIONS).unwrap();
    assert_eq!(offer::count(&answer), MAX_DESCRIPTIONS);
    assert!(answer.contains("a=ssrc-group:FID") && answer.contains("a=extmap:5 "), "it names streams and extensions");
    let each = answer.len() / MAX_DESCRIPTIONS;
    assert!(each <= MAX_DESCRIPTION_BYTES && answer.len() <= MAX_SDP, "{} bytes, {each} each", answer.len());
}
