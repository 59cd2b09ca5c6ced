//! The estimator and the pacer on simulated links. A call has sound of 48 kbit/s and pictures of at most 2.5 Mbit/s.

#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "tests"
)]

#[path = "simulated_links/call.rs"]
mod call;
#[path = "simulated_links/link.rs"]
mod link;
#[path = "simulated_links/random.rs"]
mod random;

use call::{Call, WANTED};
use congestion::{Config, Estimator, Pacer, PacketFeedback, Priority};
use link::LinkSpec;
use media::Bitrate;
use random::SplitMix64;
use std::time::{Duration, Instant};

/// A path whose capacity the estimate has to find.
struct TestPath {
    name: &'static str,
    spec: LinkSpec,
    /// The bits per second that the call can use.
    usable: f64,
    /// The part of it that the mean estimate must reach.
    min_part: f64,
    /// The limit in seconds for the 95th percentile of the delay of sound.
    max_sound_delay: f64,
}

fn paths() -> Vec<TestPath> {
    let wanted = WANTED.as_bps() as f64;
    let limited = |name, rate: f64, max_sound_delay| TestPath {
        name,
        spec: LinkSpec::new(rate),
        usable: rate,
        min_part: 0.7,
        max_sound_delay,
    };
    let free = |name, spec, max_sound_delay| TestPath { name, spec, usable: wanted, min_part: 0.7, max_sound_delay };
    let unlimited = LinkSpec::new(100e6);
    vec![
        free("free", unlimited.clone(), 0.02),
        limited("1.5 Mbit/s", 1.5e6, 0.12),
        limited("800 kbit/s", 8e5, 0.15),
        limited("500 kbit/s", 5e5, 0.15),
        limited("300 kbit/s", 3e5, 0.2),
        limited("150 kbit/s", 1.5e5, 0.25),
        TestPath {
            name: "1.5 Mbit/s, round trip 160 ms",
            spec: LinkSpec { delay: 0.08, ..LinkSpec::new(1.5e6) },
            usable: 1.5e6,
            min_part: 0.7,
            max_sound_delay: 0.25,
        },
        free("loss 2 %", LinkSpec { loss: 0.02, ..unlimited.clone() }, 0.02),
        free("loss 5 %", LinkSpec { loss: 0.05, ..unlimited.clone() }, 0.02),
        free("loss 10 %", LinkSpec { loss: 0.1, ..unlimited.clone() }, 0.02),
        free("loss 30 %", LinkSpec { loss: 0.3, ..unlimited.clone() }, 0.02),
        TestPath {
            name: "loss 5 % in bursts",
            spec: LinkSpec { loss: 0.05, burst: 5.0, delay: 0.04, ..unlimited.clone() },
            usable: wanted,
            min_part: 0.6,
            max_sound_delay: 0.06,
        },
        TestPath {
            name: "loss 10 % on 800 kbit/s",
            spec: LinkSpec { loss: 0.1, ..LinkSpec::new(8e5) },
            usable: 8e5,
            min_part: 0.7,
            max_sound_delay: 0.15,
        },
        free("jitter 30 ms", LinkSpec { jitter: 0.03, ..unlimited }, 0.12),
    ]
}

#[test]
fn the_estimate_finds_what_each_path_carries() {
    for TestPath { name, spec, usable, min_part, max_sound_delay } in paths() {
        for seed in 0..3 {
            let mut call = Call::new(spec.clone(), seed);
            call.run(40.0);
            // Above what is wanted, the estimate may be up to 1.5 times what is sent.
            let estimate = call.mean(10.0, 40.0).min(usable.max(WANTED.as_bps() as f64));
            let part = estimate / usable;
            assert!((min_part..=1.05).contains(&part), "{name}, seed {seed}: {part:.2} of the capacity");
            let delay = call.sound_delay(5.0, 40.0, 0.95);
            assert!(delay <= max_sound_delay, "{name}, seed {seed}: sound waits {delay:.3} s");
            assert!(call.longest_queue <= Duration::from_millis(500), "{name}: {:?} in the pacer", call.longest_queue);
        }
    }
}

#[test]
fn no_second_carries_more_than_the_limit_and_sound_keeps_its_place() {
    for (limit, spec) in [100_u64, 300, 800, 2_000].into_iter().flat_map(|limit| {
        let free = LinkSpec::new(100e6);
        [
            (limit, free.clone()),
            (limit, LinkSpec { loss: 0.05, ..free.clone() }),
            (limit, LinkSpec { jitter: 0.03, ..free }),
        ]
    }) {
        let mut call = Call::new(spec.clone(), 1);
        call.limit(Bitrate::kbps(limit));
        call.run(20.0);
        let most = call.largest_second(0.0, 20.0) / 1_000.0;
        assert!(most <= limit as f64 * 1.02, "{limit} kbit/s, {spec:?}: {most:.0} in a second");
        let mean = call.mean(5.0, 20.0) / 1_000.0;
        assert!(mean >= limit as f64 * 0.85, "{limit} kbit/s, {spec:?}: an estimate of {mean:.0}");
        let delay = call.sound_delay(0.0, 20.0, 0.99) - spec.jitter * 3.0;
        assert!(delay < 0.03, "{limit} kbit/s, {spec:?}: sound waits {delay:.3} s");
    }
}

#[test]
fn a_call_on_a_known_narrow_path_begins_with_less_and_a_wide_one_is_found_as_soon() {
    let begin = |rate: f64, known: Option<u64>| {
        let mut call = Call::new(LinkSpec::new(rate), 1);
        if let Some(known) = known {
            call.estimator.set_last_rate(Bitrate::kbps(known));
        }
        call.start_probe();
        call.run(5.0);
        call
    };
    let (first, second) = (begin(1.5e5, None), begin(1.5e5, Some(150)));
    let waits = |call: &Call| call.sound_delay(0.0, 1.5, 0.95);
    assert!(waits(&second) < waits(&first) * 0.9, "sound waits {:.3} and {:.3} s", waits(&first), waits(&second));
    // The memory may be wrong.
    let (wide, narrow) = (begin(100e6, Some(150)), begin(1.5e5, Some(5_000)));
    assert!(wide.reaches(0.0, 2e6).is_some_and(|after| after < 2.0), "{:?}", wide.reaches(0.0, 2e6));
    assert!(waits(&narrow) <= waits(&first) * 1.05, "{:.3} s instead of {:.3}", waits(&narrow), waits(&first));
}

#[test]
fn a_limit_applies_at_once_and_the_rate_returns_without_it() {
    let mut call = Call::new(LinkSpec::new(100e6), 3);
    call.run(10.0);
    assert!(call.estimator.estimate() > Bitrate::kbps(2_000));
    call.limit(Bitrate::kbps(300));
    assert_eq!(call.estimator.estimate(), Bitrate::kbps(300));
}

#[test]
fn random_loss_of_10_percent_keeps_80_percent_of_the_rate() {
    for seed in 0..5 {
        let mut free = Call::new(LinkSpec::new(100e6), seed);
        free.run(30.0);
        let mut lossy = Call::new(LinkSpec { loss: 0.1, ..LinkSpec::new(100e6) }, seed);
        lossy.run(30.0);
        let carried = lossy.link.carried / 0.9 / free.link.carried;
        assert!(carried >= 0.8, "{carried:.2} of the rate, seed {seed}");
    }
}

/// On a narrow uplink (below 220 kbit/s), sound is sent with fewer copies and larger frames. With random loss, it needs the copies.
#[test]
fn random_loss_hardly_ever_makes_an_uplink_narrow() {
    let (mut limited, mut delay_based) = (0, 0);
    let narrow = |estimates: &[f64]| estimates.iter().filter(|estimate| **estimate < 2.2e5).count();
    for seed in 0..20 {
        let mut call = Call::new(LinkSpec { loss: 0.3, ..LinkSpec::new(100e6) }, seed);
        call.activity = 0.1;
        call.run(30.0);
        limited += narrow(&call.estimates);
        delay_based += narrow(&call.delay_based);
    }
    assert!(delay_based * 3 < limited, "{delay_based} of 60,000 times, {limited} with the limit by loss");
}

#[test]
fn a_free_link_carries_720p_within_a_second() {
    for delay in [0.001, 0.02, 0.05] {
        for seed in 0..5 {
            let mut call = Call::new(LinkSpec { delay, ..LinkSpec::new(100e6) }, seed);
            call.run(2.0);
            let took = call.reaches(0.0, 2e6).unwrap_or(f64::INFINITY);
            assert!(took <= 1.0, "{took} s at a delay of {delay} s");
        }
    }
}

#[test]
fn a_start_on_300_kbits_does_not_fill_the_link() {
    for seed in 0..5 {
        let mut call = Call::new(LinkSpec::new(3e5), seed);
        call.run(5.0);
        let delay = call.sound_delay(0.0, 5.0, 0.95);
        assert!(delay < 0.3, "sound waits {delay} s");
        assert!(call.mean(2.0, 5.0) <= 3.3e5);
    }
}

#[test]
fn a_drop_is_followed_within_a_second_and_its_end_within_five() {
    for seed in 0..10 {
        let spec = LinkSpec { rates: vec![(0.0, 1e7), (20.0, 3e5), (35.0, 1e7)], queue: 0.2, ..LinkSpec::new(1e7) };
        let mut call = Call::new(spec, seed);
        call.run(45.0);
        let fell = call.falls(20.0, 3.15e5).unwrap_or(f64::INFINITY);
        assert!(fell <= 1.0, "seed {seed}: fell after {fell} s");
        let regained = call.reaches(35.0, 0.8 * WANTED.as_bps() as f64).unwrap_or(f64::INFINITY);
        assert!(regained <= 5.0, "seed {seed}: regained after {regained} s");
    }
}

/// A drop to a path with a queue of 1.5 s fills it. The queue has to empty, and the estimate must not stay at its minimum.
#[test]
fn a_deep_queue_empties_after_a_drop() {
    let spec = LinkSpec { rates: vec![(0.0, 1e7), (20.0, 3e5)], queue: 1.5, ..LinkSpec::new(1e7) };
    let mut call = Call::new(spec, 1);
    call.run(45.0);
    assert!(call.mean(35.0, 45.0) > 2e5);
    let delay = call.sound_delay(35.0, 45.0, 0.9);
    assert!(delay < 0.4, "sound still waits {delay} s");
}

#[test]
fn a_greedy_flow_neither_starves_us_nor_is_starved() {
    for seed in 0..3 {
        let mut call = Call::new(LinkSpec { greedy: true, ..LinkSpec::new(2e6) }, seed);
        call.run(60.0);
        let (ours, greedy) = (call.link.carried / 60.0, call.link.carried_greedy / 60.0);
        assert!(greedy >= 0.4 * 2e6, "the other flow gets {greedy:.0} bit/s");
        assert!(ours >= 0.3 * 2e6, "we get {ours:.0} bit/s");
    }
}

/// The picture hardly moves: a tenth of the rate is used. A rate that was proved stays allowed, because probes prove it
/// again.
#[test]
fn a_still_picture_does_not_lose_the_proved_rate() {
    let mut call = Call::new(LinkSpec::new(100e6), 1);
    call.activity = 0.1;
    call.run(60.0);
    let lowest = call.estimates[500..].iter().copied().fold(f64::INFINITY, f64::min);
    assert!(lowest >= 0.7 * WANTED.as_bps() as f64, "{lowest}");
    assert!(call.padding < 0.5 * call.link.carried, "{} of {}", call.padding, call.link.carried);
}

/// While the application sends less than it may, the estimate must not grow beyond what the link is known to carry.
#[test]
fn a_still_picture_does_not_let_the_estimate_run_away() {
    let mut call = Call::new(LinkSpec::new(8e5), 1);
    call.activity = 0.3;
    call.run(60.0);
    let mean = call.mean(10.0, 60.0);
    assert!(mean <= 1.1 * 8e5, "{mean}");
}

/// 1,000 seeds: links of all kinds that change at random. At most 25 of them may end with an estimate below a quarter of
/// what the link carries, or above both the link and 1.6 times what is wanted.
#[test]
fn no_estimate_runs_away_or_dies_on_a_thousand_bad_links() {
    let mut wrong = Vec::new();
    for seed in 0..1_000 {
        let mut random = SplitMix64::new(seed);
        let mut rates = vec![(0.0, 10f64.powf(random.between(5.0, 7.3)))];
        let last = 10f64.powf(random.between(5.3, 7.0));
        rates.extend([(4.0, 10f64.powf(random.between(4.7, 7.3))), (8.0, last)]);
        let spec = LinkSpec {
            rates,
            queue: random.between(0.1, 0.6),
            delay: random.between(0.001, 0.15),
            jitter: if random.unit() < 0.3 { random.between(0.0, 0.04) } else { 0.0 },
            loss: if random.unit() < 0.5 { random.between(0.0, 0.2) } else { 0.0 },
            burst: random.between(1.0, 6.0),
            greedy: false,
        };
        let mut call = Call::new(spec.clone(), seed);
        call.run(30.0);
        let usable = last.min(WANTED.as_bps() as f64);
        let mean = call.mean(22.0, 30.0);
        let (died, ran_away) = (mean < 0.25 * usable, mean > 1.6 * usable && mean > last);
        if died || ran_away {
            wrong.push((seed, mean, usable));
        }
        assert!(call.longest_queue <= Duration::from_millis(1_050), "seed {seed}: {:?}", call.longest_queue);
    }
    assert!(wrong.len() <= 25, "{} of 1,000 seeds: {wrong:.0?}", wrong.len());
}

#[test]
fn feedback_that_stops_lowers_the_estimate_and_its_return_raises_it() {
    let mut call = Call::new(LinkSpec { rates: vec![(0.0, 5e6), (10.0, 1.0), (16.0, 5e6)], ..LinkSpec::new(5e6) }, 1);
    call.run(30.0);
    assert!(call.mean(15.0, 16.0) < 0.3 * call.mean(5.0, 10.0));
    assert!(call.reaches(16.0, 2e6).unwrap_or(f64::INFINITY) <= 8.0);
}

/// Feedback with random values: times backwards, huge sizes, all lost, duplicates.
#[test]
fn absurd_feedback_never_leaves_the_bounds() {
    let config = Config { start: Bitrate::kbps(400), min: Bitrate::kbps(40), max: Bitrate::kbps(20_000) };
    for seed in 0..300 {
        let (mut random, start) = (SplitMix64::new(seed), Instant::now());
        let mut estimator = Estimator::new(config);
        let (mut now, mut cluster) = (start, None);
        for _ in 0..300 {
            now += Duration::from_millis(random.number() % 100);
            estimator.handle_sent(now, random.number() as usize);
            cluster = estimator.poll_probe(now).map(|probe| probe.id).or(cluster);
            let packets = (0..random.number() % 20).map(|_| {
                let ago = Duration::from_millis(random.number() % 3_000);
                let later = Duration::from_millis(random.number() % 3_000);
                PacketFeedback {
                    sent: if random.unit() < 0.5 { start + later } else { now.checked_sub(ago).unwrap_or(now) },
                    size: random.number() as usize >> (random.number() % 64),
                    arrived: (random.unit() < 0.8)
                        .then(|| Duration::from_nanos(random.number() >> (random.number() % 64))),
                    cluster: cluster.filter(|_| random.unit() < 0.5),
                }
            });
            let packets: Vec<PacketFeedback> = packets.collect();
            estimator.handle_feedback(now, packets.iter().copied());
            if seed % 3 == 0 {
                estimator.handle_feedback(now, packets);
            }
            estimator.handle_timeout(now);
            let estimate = estimator.estimate();
            assert!((config.min..=config.max).contains(&estimate), "seed {seed}: {estimate}");
            assert!(estimator.stats().loss <= 1.0);
        }
    }
}

#[test]
fn absurd_use_of_the_pacer_keeps_its_bound() {
    for seed in 0..100 {
        let (mut random, mut now) = (SplitMix64::new(seed), Instant::now());
        let mut pacer = Pacer::new(Bitrate::bps(random.number()));
        for _ in 0..2_000 {
            pacer.set_target(Bitrate::bps(random.number() >> (random.number() % 64)));
            let priority = [Priority::Audio, Priority::Retransmission, Priority::Base, Priority::Rest];
            let _ = pacer.push(
                priority[random.number() as usize % 4],
                random.number() as usize >> (random.number() % 64),
                (),
            );
            if random.unit() < 0.5 {
                now += Duration::from_micros(random.number() % 20_000);
            }
            if random.unit() < 0.1 {
                // An earlier time than before.
                let _ = pacer.poll(now.checked_sub(Duration::from_secs(1)).unwrap_or(now));
            }
            while pacer.poll(now).is_some() {}
            assert!(pacer.poll_timeout(now).is_none_or(|at| at <= now + Duration::from_secs(2)));
        }
    }
}
