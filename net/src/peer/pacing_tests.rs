use super::*;
use crate::peer::estimate::{Estimate, estimator};
use bytes::Bytes;
use media::Bitrate;
use rtc::interceptor::AttributedPacket;
use rtc::rtp;
use rtc::shared::TransportContext;
use std::time::Duration;

fn packet(now: Instant, ssrc: u32, size: usize) -> TaggedPacket {
    let header = rtp::Header { version: 2, ssrc, ..Default::default() };
    let packet = rtp::Packet { header, payload: Bytes::from(vec![0; size]) };
    TaggedPacket { now, transport: TransportContext::default(), message: AttributedPacket::new(Packet::Rtp(packet)) }
}

fn pacing() -> (Pacing, Estimate) {
    let (_, send_side, estimate) = estimator();
    (Pacing::new(send_side), estimate)
}

/// Returns the SSRCs of the packets that leave, and when.
fn run(pacing: &mut Pacing, start: Instant, millis: u64) -> Vec<(u64, u32)> {
    let mut left = Vec::new();
    for millis in 0..millis {
        let now = start + Duration::from_millis(millis);
        pacing.release(now, true, |size| Some(packet(now, 99, size)));
        while let Some(packet) = pacing.pop() {
            assert_eq!(packet.now, now, "the time of departure");
            let Packet::Rtp(packet) = packet.message.packet else { panic!("RTCP") };
            left.push((millis, packet.header.ssrc));
        }
    }
    left
}

#[test]
fn audio_overtakes_a_key_frame_that_is_spread_over_time() {
    let ((mut pacing, _), now) = (pacing(), Instant::now());
    for _ in 0..25 {
        pacing.push(Priority::Rest, packet(now, 1, 1_100));
    }
    run(&mut pacing, now, 20);
    pacing.push(Priority::Audio, packet(now, 2, 100));
    let left = run(&mut pacing, now + Duration::from_millis(20), 500);
    assert_eq!(left[0], (0, 2));
    // 220 kbit at 450 to 750 kbit/s.
    let last = left.last().unwrap().0;
    assert!((250..480).contains(&last), "{last}");
}

#[test]
fn a_probe_is_filled_with_padding_and_needs_something_wanted() {
    let ((mut pacing, estimate), now) = (pacing(), Instant::now());
    pacing.push(Priority::Base, packet(now, 1, 1_000));
    assert!(run(&mut pacing, now, 20).iter().all(|(_, ssrc)| *ssrc == 1));
    estimate.set_wanted(Bitrate::kbps(2_500));
    let left = run(&mut pacing, now + Duration::from_millis(100), 100);
    let padding: Vec<u64> = left.iter().filter(|(_, ssrc)| *ssrc == 99).map(|(at, _)| *at).collect();
    // 900 kbit/s for 25 ms, and no second probe before the result of the first.
    assert!((4..=8).contains(&padding.len()), "{padding:?}");
    assert!(padding.last().unwrap() - padding[0] >= 10);
}

#[test]
fn a_full_queue_makes_pictures_wait() {
    let ((mut pacing, mut estimate), now) = (pacing(), Instant::now());
    let waits = |estimate: &mut Estimate| {
        let mut future = std::pin::pin!(estimate.wait_for_room());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        future.as_mut().poll(&mut context).is_pending()
    };
    assert!(!waits(&mut estimate));
    for _ in 0..50 {
        pacing.push(Priority::Base, packet(now, 1, 1_100));
    }
    run(&mut pacing, now, 1);
    assert!(waits(&mut estimate));
    run(&mut pacing, now, 800);
    assert!(!waits(&mut estimate));
}

/// Returns the bits per second that leave in ten seconds, with `overhead` bytes for each packet.
fn rate_with(overhead: usize) -> u64 {
    let ((mut pacing, estimate), start) = (pacing(), Instant::now());
    estimate.set_limit(Some(Bitrate::kbps(300)));
    estimate.set_packet_overhead(overhead);
    let (mut bytes, payload) = (0, 300);
    for millis in 0..10_000 {
        let now = start + Duration::from_millis(millis);
        pacing.push(Priority::Base, packet(now, 1, payload));
        pacing.release(now, false, |_| None);
        while let Some(packet) = pacing.pop() {
            bytes += size(&packet) + overhead;
        }
    }
    bytes as u64 * 8 / 10
}

#[test]
fn a_limit_counts_the_headers_of_the_path_in_use() {
    for overhead in [44, 64, 120] {
        let rate = rate_with(overhead);
        assert!((260_000..=300_000).contains(&rate), "{overhead} bytes: {rate} bit/s");
    }
}
