//! Tests on virtual time.

use super::*;

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn share(percent: u32) -> Fraction {
    Fraction::from_ten_thousandths(percent * 100).expect("at most 100")
}

/// Sends `count` packets of 1 000 bytes, one each millisecond. Returns the packets that arrive, with their delays.
fn run(impairment: Impairment, count: u32) -> Vec<(u32, Duration)> {
    let (mut link, start) = (ImpairedLink::new(impairment, 7), Instant::now());
    let mut arrived = Vec::new();
    let sent_at = |number: u32| start + ms(number.into());
    for step in 0..count + 5_000 {
        let now = sent_at(step);
        if step < count {
            link.send(step, 1_000, now);
        }
        while let Some(number) = link.receive(now) {
            arrived.push((number, now - sent_at(number)));
        }
    }
    assert_eq!(link.next_arrival(), None);
    arrived
}

fn numbers(arrived: &[(u32, Duration)]) -> Vec<u32> {
    arrived.iter().map(|(number, _)| *number).collect()
}

#[test]
fn a_link_without_impairment_passes_all_packets_at_once() {
    let arrived = run(Impairment::default(), 100);
    assert_eq!(numbers(&arrived), (0..100).collect::<Vec<_>>());
    assert!(arrived.iter().all(|(_, delay)| delay.is_zero()));
}

#[test]
fn the_same_seed_does_the_same() {
    let impairment = || Impairment {
        delay: ms(40),
        jitter: ms(10),
        loss: share(5),
        reorder: share(2),
        duplicate: share(1),
        ..Impairment::default()
    };
    assert_eq!(run(impairment(), 2_000), run(impairment(), 2_000));
}

#[test]
fn a_delay_is_that_of_each_packet() {
    let arrived = run(Impairment { delay: ms(40), ..Impairment::default() }, 100);
    assert!(arrived.len() == 100 && arrived.iter().all(|(_, delay)| *delay == ms(40)));
}

#[test]
fn jitter_has_its_deviation_and_keeps_the_order() {
    let arrived = run(Impairment { delay: ms(100), jitter: ms(30), ..Impairment::default() }, 20_000);
    assert!(arrived.is_sorted_by_key(|(number, _)| *number) && arrived.len() == 20_000);
    let delays: Vec<f64> = arrived.iter().map(|(_, delay)| delay.as_secs_f64() * 1_000.0).collect();
    let mean = delays.iter().sum::<f64>() / 20_000.0;
    let deviation = (delays.iter().map(|delay| (delay - mean).powi(2)).sum::<f64>() / 20_000.0).sqrt();
    // To keep the order, packets wait for later ones, so the mean is greater than the delay.
    assert!((100.0..130.0).contains(&mean) && (20.0..35.0).contains(&deviation), "{mean} {deviation}");
}

#[test]
fn packets_are_lost_in_their_share() {
    let arrived = run(Impairment { loss: share(10), ..Impairment::default() }, 20_000);
    assert!((17_700..18_300).contains(&arrived.len()), "{}", arrived.len());
}

#[test]
fn bursts_have_their_share_and_lengths() {
    let bursts = LossBursts { share: share(5), min_length: 3, max_length: 8 };
    let arrived = run(Impairment { bursts: Some(bursts), ..Impairment::default() }, 50_000);
    let lost = 50_000 - arrived.len();
    assert!((2_100..2_900).contains(&lost), "{lost}");
    let gaps: Vec<u32> =
        numbers(&arrived).windows(2).map(|pair| pair[1] - pair[0] - 1).filter(|gap| *gap > 0).collect();
    assert!(gaps.iter().all(|gap| *gap >= 3), "two bursts may follow each other, but none is shorter");
    let usual = gaps.iter().filter(|gap| **gap <= 8).count();
    assert!(usual * 100 > gaps.len() * 90, "{usual} of {}", gaps.len());
}

#[test]
fn reordered_packets_are_overtaken_and_not_lost() {
    let mut arrived = numbers(&run(Impairment { reorder: share(2), ..Impairment::default() }, 10_000));
    let overtaken = arrived.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!((120..260).contains(&overtaken), "{overtaken}");
    arrived.sort_unstable();
    assert_eq!(arrived, (0..10_000).collect::<Vec<_>>());
}

#[test]
fn duplicated_packets_arrive_twice() {
    let arrived = run(Impairment { duplicate: share(10), ..Impairment::default() }, 10_000);
    assert!((10_800..11_200).contains(&arrived.len()), "{}", arrived.len());
}

#[test]
fn a_limit_has_its_rate_and_a_bounded_queue() {
    // 8 Mbit/s are sent.
    let limit = RateLimit { rate: Bitrate::kbps(2_000), queue: ms(200), burst: 0 };
    let arrived = run(Impairment { limit: Some(limit), ..Impairment::default() }, 4_000);
    // A quarter, and what waits at the end.
    assert!((990..1_060).contains(&arrived.len()), "{}", arrived.len());
    let longest = arrived.iter().map(|(_, delay)| *delay).max();
    assert!(longest.is_some_and(|longest| (ms(190)..=ms(200)).contains(&longest)), "{longest:?}");
}

#[test]
fn a_burst_passes_at_once_and_what_would_wait_too_long_is_dropped() {
    // 1 000 bytes take 10 ms.
    let limit = RateLimit { rate: Bitrate::kbps(800), queue: ms(35), burst: 2_000 };
    let impairment = Impairment { delay: ms(1), limit: Some(limit), ..Impairment::default() };
    let (mut link, start) = (ImpairedLink::new(impairment, 1), Instant::now() + ms(9_000));
    (0..9).for_each(|number| link.send(number, 1_000, start));
    let arrivals = std::iter::from_fn(|| {
        let at = link.next_arrival()?;
        link.receive(at)?;
        Some((at - start).as_millis())
    });
    assert_eq!(arrivals.collect::<Vec<_>>(), [1, 1, 11, 21, 31]);
}

#[test]
fn the_packets_on_their_way_are_bounded() {
    let (mut link, now) =
        (ImpairedLink::new(Impairment { delay: ms(1_000), ..Impairment::default() }, 1), Instant::now());
    (0..20_000).for_each(|number| link.send(number, 100, now));
    assert_eq!(std::iter::from_fn(|| link.receive(now + ms(1_000))).count(), MAX_PACKETS);
}

#[test]
fn later_packets_follow_a_change() {
    let (mut link, now) = (ImpairedLink::new(Impairment::default(), 1), Instant::now());
    link.set(Impairment { loss: share(100), ..Impairment::default() });
    link.send(1, 100, now);
    link.set(Impairment { delay: ms(5), ..Impairment::default() });
    link.send(2, 100, now);
    assert_eq!(link.next_arrival(), Some(now + ms(5)));
    assert_eq!((link.receive(now), link.receive(now + ms(5))), (None, Some(2)));
}
