use super::*;
use crate::peer::estimate::estimator;
use media::BufferPool;
use rtc::interceptor::RTPHeaderExtension;
use std::time::Duration;

const MID: u8 = 1;
const RID: u8 = 2;
const REPAIRED: u8 = 3;
const DESCRIPTOR: u8 = 4;

fn info() -> StreamInfo {
    let named = |uri: &str, id: u8| RTPHeaderExtension { uri: uri.into(), id: id.into() };
    StreamInfo {
        ssrc: 7,
        ssrc_rtx: Some(8),
        payload_type: 102,
        payload_type_rtx: Some(103),
        rtp_header_extensions: vec![
            named("urn:ietf:params:rtp-hdrext:sdes:mid", MID),
            named("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", RID),
            named("urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id", REPAIRED),
        ],
        ..StreamInfo::default()
    }
}

fn interceptor() -> (RtpInterceptor, mpsc::Receiver<Feedback>) {
    let (sender, receiver) = mpsc::channel(4);
    let rtp_receiver = Arc::new(Mutex::new(RtpReceiver::new(BufferPool::new(1))));
    let mut interceptor = RtpInterceptor::new(rtp_receiver, sender, 99, Pacing::new(estimator().1));
    interceptor.bind_local_stream(&info());
    (interceptor, receiver)
}

fn sent(sequence: u16, named: bool) -> rtp::Packet {
    let mut header = rtp::Header { version: 2, ssrc: 7, sequence_number: sequence, marker: true, ..Default::default() };
    header.set_extension(DESCRIPTOR, Bytes::from(vec![9; 20])).unwrap();
    if named {
        header.set_extension(MID, Bytes::from_static(b"0")).unwrap();
        header.set_extension(RID, Bytes::from_static(b"2")).unwrap();
    }
    rtp::Packet { header, payload: Bytes::from_static(b"sealed") }
}

fn nack(sequences: &[u16]) -> Packet {
    let nacks = nack_pairs_from_sequence_numbers(sequences);
    Packet::Rtcp(vec![Box::new(TransportLayerNack { sender_ssrc: 1, media_ssrc: 7, nacks })])
}

/// Returns the packets that leave within 400 ms from `now` on.
fn written(interceptor: &mut RtpInterceptor, now: Instant) -> Vec<rtp::Packet> {
    let mut packets = Vec::new();
    for millis in 0..400 {
        interceptor.handle_timeout(now + Duration::from_millis(millis)).unwrap();
        while let Some(packet) = interceptor.poll_write() {
            packets.extend(if let Packet::Rtp(packet) = packet.message.packet { Some(packet) } else { None });
        }
    }
    packets
}

#[test]
fn a_retransmission_carries_its_streams_mid_and_rid() {
    let ((mut interceptor, _), now) = (interceptor(), Instant::now());
    interceptor.handle_write(tagged(now, Packet::Rtp(sent(10, true)))).unwrap();
    interceptor.handle_write(tagged(now, Packet::Rtp(sent(11, false)))).unwrap();
    assert_eq!(written(&mut interceptor, now).len(), 2);
    let later = now + Duration::from_millis(400);
    interceptor.handle_read(tagged(later, nack(&[11, 12]))).unwrap();
    let retransmitted = written(&mut interceptor, later);
    assert_eq!(retransmitted.len(), 1);
    let header = &retransmitted[0].header;
    assert_eq!((header.ssrc, header.payload_type, header.sequence_number, header.marker), (8, 103, 0, true));
    assert_eq!(&retransmitted[0].payload[..], b"\x00\x0bsealed");
    assert_eq!(extension(header, DESCRIPTOR), Some(Bytes::from(vec![9; 20])));
    assert_eq!(extension(header, MID).as_deref(), Some(&b"0"[..]));
    assert_eq!(extension(header, REPAIRED).as_deref(), Some(&b"2"[..]));
    assert_eq!(extension(header, RID), None);
}

#[test]
fn retransmissions_for_one_nack_are_bounded() {
    let ((mut interceptor, _), now) = (interceptor(), Instant::now());
    for sequence in 0..300 {
        interceptor.handle_write(tagged(now, Packet::Rtp(sent(sequence, true)))).unwrap();
    }
    assert_eq!(written(&mut interceptor, now).len(), 300);
    let (all, later): (Vec<u16>, Instant) = ((0..1_000).collect(), now + Duration::from_millis(400));
    interceptor.handle_read(tagged(later, nack(&all))).unwrap();
    let retransmitted = written(&mut interceptor, later).len();
    assert!((50..=MAX_RESENT).contains(&retransmitted), "{retransmitted}");
}

#[test]
fn sound_has_the_highest_priority_although_it_is_retransmitted() {
    let audio = LocalStream::new(&StreamInfo { mime_type: "audio/opus".into(), ssrc_rtx: None, ..info() });
    assert_eq!((audio.priority(), audio.rtx.is_some()), (Priority::Audio, true));
    assert_eq!(LocalStream::new(&info()).priority(), Priority::Base);
    assert!(!audio.has_padding() && !audio.is_silent(Instant::now()));
}

#[test]
fn packets_of_a_paused_layer_are_not_retransmitted() {
    let ((mut interceptor, _), now) = (interceptor(), Instant::now());
    interceptor.handle_write(tagged(now, Packet::Rtp(sent(10, true)))).unwrap();
    assert_eq!(written(&mut interceptor, now).len(), 1);
    for (after, count) in [(400, 1), (501, 0)] {
        let at = now + Duration::from_millis(after);
        interceptor.handle_read(tagged(at, nack(&[10]))).unwrap();
        assert_eq!(written(&mut interceptor, at).len(), count, "after {after} ms");
    }
}

#[test]
fn key_frame_requests_are_reported_from_any_position_in_a_compound_packet() {
    let ((mut interceptor, mut feedback), now) = (interceptor(), Instant::now());
    let report = ReceiverReport {
        ssrc: 1,
        reports: vec![rtcp::reception_report::ReceptionReport { ssrc: 7, ..Default::default() }],
        ..Default::default()
    };
    let pli = PictureLossIndication { sender_ssrc: 1, media_ssrc: 7 };
    let compound: Vec<Box<dyn rtcp::Packet>> = vec![Box::new(report.clone()), Box::new(report), Box::new(pli)];
    interceptor.handle_read(tagged(now, Packet::Rtcp(compound))).unwrap();
    assert_eq!(feedback.try_recv(), Ok(Feedback::Acknowledged(7)));
    assert_eq!(feedback.try_recv(), Ok(Feedback::KeyFrameWanted(7)));
    assert!(feedback.try_recv().is_err());
}

#[test]
fn feedback_is_bounded_if_it_is_not_read() {
    let ((mut interceptor, mut feedback), now) = (interceptor(), Instant::now());
    for _ in 0..100 {
        let pli = PictureLossIndication { sender_ssrc: 1, media_ssrc: 7 };
        interceptor.handle_read(tagged(now, Packet::Rtcp(vec![Box::new(pli)]))).unwrap();
    }
    assert_eq!(std::iter::from_fn(|| feedback.try_recv().ok()).count(), 4);
}

#[test]
fn the_start_probe_is_padding_with_the_names_of_a_stream_that_has_sent_nothing() {
    let (sender, _feedback) = mpsc::channel(4);
    let (_, send_side, estimate) = estimator();
    let rtp_receiver = Arc::new(Mutex::new(RtpReceiver::new(BufferPool::new(1))));
    let mut interceptor = RtpInterceptor::new(rtp_receiver, sender, 99, Pacing::new(send_side));
    interceptor.bind_local_stream(&info());
    let now = Instant::now();
    assert!(written(&mut interceptor, now).is_empty() && interceptor.poll_timeout().is_none_or(|at| at > now));
    estimate.allow_start_probe(StreamIdentifiers {
        ssrc: 7,
        mid: Bytes::from_static(b"1"),
        rid: Bytes::from_static(b"0"),
    });
    assert!(interceptor.poll_timeout().is_some_and(|at| at <= now + Duration::from_millis(400)), "it begins at once");
    let probe = written(&mut interceptor, now + Duration::from_millis(400));
    let size: usize = probe.iter().map(rtc::shared::marshal::MarshalSize::marshal_size).sum();
    assert!((13_000..14_000).contains(&size), "{size}");
    for (number, packet) in (0..).zip(&probe) {
        let header = &packet.header;
        assert_eq!((header.ssrc, header.payload_type, header.sequence_number), (8, 103, number));
        assert!(header.padding && packet.payload.is_empty());
        assert_eq!(extension(header, MID).as_deref(), Some(&b"1"[..]));
        assert_eq!(extension(header, REPAIRED).as_deref(), Some(&b"0"[..]));
    }
    assert!(written(&mut interceptor, now + Duration::from_millis(800)).is_empty(), "there is only one");
}

#[test]
fn a_reference_time_of_the_server_is_answered() {
    let (mut interceptor, _feedback) = interceptor();
    let time = rtcp::extended_report::ReceiverReferenceTimeReportBlock { ntp_timestamp: 1 << 40 };
    let report = ExtendedReport { sender_ssrc: 1, reports: vec![Box::new(time)] };
    interceptor.handle_read(tagged(Instant::now(), Packet::Rtcp(vec![Box::new(report)]))).unwrap();
    let Packet::Rtcp(packets) = interceptor.poll_write().expect("an answer").message.packet else { panic!("no RTCP") };
    let answer = packets[0].as_any().downcast_ref::<ExtendedReport>().expect("an extended report");
    assert_eq!((answer.sender_ssrc, answer.reports.len()), (99, 1));
}
