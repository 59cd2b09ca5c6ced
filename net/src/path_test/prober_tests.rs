//! Tests of the path test on simulated paths, on virtual time.

use super::*;

/// A path with a queue of 300 ms in each direction.
struct Path {
    delay: Duration,
    up: u64,
    down: u64,
    /// Every n-th datagram is lost on its way to the server; 0 loses none.
    lost_up: usize,
    /// If it is not 0, a tenth is lost in each direction by chance, which this number decides.
    seed: u64,
}

const GOOD: Path = Path { delay: Duration::from_millis(15), up: 50_000_000, down: 50_000_000, lost_up: 0, seed: 0 };

/// When each datagram leaves a link of `rate`, or `None` if its queue is full.
struct SimulatedLink {
    rate: u64,
    free_at: Instant,
}

impl SimulatedLink {
    fn send(&mut self, length: usize, now: Instant) -> Option<Instant> {
        let begin = self.free_at.max(now);
        if begin - now > Duration::from_millis(300) {
            return None;
        }
        self.free_at = begin + Duration::from_micros(length as u64 * 8 * 1_000_000 / self.rate);
        Some(self.free_at)
    }
}

/// Runs a test. The caller wakes up every `tick` only. Returns the figures, how long it took, and the bytes that were sent.
fn run(path: &Path, tick: Duration) -> (Option<PathFigures>, Duration, usize) {
    let start = Instant::now();
    let (mut up, mut down) =
        (SimulatedLink { rate: path.up, free_at: start }, SimulatedLink { rate: path.down, free_at: start });
    let mut prober = Prober::new([3; proto::PATH_TEST_KEY_BYTES], 9, start);
    let mut echoes: Vec<(Instant, Vec<u8>)> = Vec::new();
    let (mut now, mut received, mut sent, mut bytes, mut random) =
        (start, 0, 0, 0, path.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut loses = || {
        // A linear congruential generator (Knuth).
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        path.seed != 0 && (random >> 33) % 10 == 0
    };
    while !prober.has_ended(now) {
        for (_, echo) in echoes.extract_if(.., |(at, _)| *at <= now) {
            prober.handle_echo(&echo, now);
        }
        for datagram in prober.poll_transmit(now) {
            (sent, bytes) = (sent + 1, bytes + datagram.len());
            if path.lost_up > 0 && sent % path.lost_up == 0 || loses() {
                continue;
            }
            let Some(at_server) = up.send(datagram.len(), now).map(|at| at + path.delay) else { continue };
            received += 1;
            let probe = Probe::parse(&datagram).unwrap();
            assert_eq!((probe.kind, probe.cookie), (ProbeKind::Probe, 9));
            let received_at = u32::try_from((at_server - start).as_micros()).unwrap();
            let echo = Probe { kind: ProbeKind::Echo, received, received_at, ..probe };
            if loses() {
                continue;
            }
            if let Some(back) = down.send(datagram.len(), at_server) {
                echoes.push((back + path.delay, echo.datagram(datagram.len())));
            }
        }
        now += tick;
        assert!(now - start < Duration::from_secs(20), "it ends");
    }
    (prober.figures(), now - start, bytes)
}

const TICK: Duration = Duration::from_millis(1);

#[test]
fn a_wide_path_is_measured_up_to_the_highest_rate_within_eight_seconds() {
    let (figures, took, bytes) = run(&GOOD, TICK);
    let figures = figures.expect("there are echoes");
    assert!(took < Duration::from_secs(8), "{took:?}");
    assert!(bytes < 1_300_000, "{bytes} bytes");
    assert!((30..=31).contains(&figures.round_trip.as_millis()), "{figures:?}");
    assert!(figures.up.as_bps() > 2_800_000 && figures.down.as_bps() > 2_800_000 && !figures.is_full, "{figures:?}");
    assert!(figures.lost_up == 0.0 && figures.lost_down == 0.0, "{figures:?}");
    assert!(figures.jitter < Duration::from_millis(2));
}

#[test]
fn a_narrow_uplink_or_downlink_is_found_and_named() {
    for rate in [150_000, 500_000, 1_000_000] {
        let near = |found: Bitrate| found.as_bps() > rate * 85 / 100 && found.as_bps() < rate * 115 / 100;
        let (figures, ..) = run(&Path { up: rate, ..GOOD }, TICK);
        let figures = figures.unwrap();
        assert!(near(figures.up) && figures.is_full, "up {rate}: {figures:?}");
        assert!(figures.lost_up < 3.0, "losses of the full path do not count: {figures:?}");
        let (figures, ..) = run(&Path { down: rate, ..GOOD }, TICK);
        let figures = figures.unwrap();
        assert!(near(figures.down) && figures.is_full, "down {rate}: {figures:?}");
        assert!(figures.up > figures.down, "{figures:?}");
    }
}

#[test]
fn losses_of_a_path_that_is_not_full_are_counted_on_their_side() {
    let (figures, ..) = run(&Path { lost_up: 20, ..GOOD }, TICK);
    let figures = figures.unwrap();
    assert!((4.0..6.0).contains(&figures.lost_up) && figures.lost_down == 0.0, "{figures:?}");
    assert!(!figures.is_full, "{figures:?}");
    let (figures, ..) = run(&Path { lost_up: 5, ..GOOD }, TICK);
    let figures = figures.unwrap();
    assert!((18.0..22.0).contains(&figures.lost_up) && !figures.is_full, "{figures:?}");
}

#[test]
fn losses_by_chance_do_not_look_like_a_full_path() {
    for seed in 1..=300 {
        let figures = run(&Path { seed, ..GOOD }, TICK).0.unwrap();
        assert!(!figures.is_full, "{seed}: {figures:?}");
        assert!((5.0..16.0).contains(&figures.lost_up) && (5.0..16.0).contains(&figures.lost_down), "{figures:?}");
        let narrow = run(&Path { seed, up: 500_000, ..GOOD }, TICK).0.unwrap();
        assert!(narrow.is_full && (350_000..600_000).contains(&narrow.up.as_bps()), "{seed}: {narrow:?}");
    }
}

#[test]
fn a_path_that_carries_nothing_ends_after_the_first_step() {
    let (figures, took, bytes) = run(&Path { lost_up: 1, ..GOOD }, TICK);
    assert_eq!(figures, None);
    assert!(took < Duration::from_secs(3) && bytes < 20_000, "{took:?}, {bytes} bytes");
}

#[test]
fn a_caller_that_wakes_up_late_does_not_make_a_wide_path_narrow() {
    for tick in [5, 15, 40] {
        let (figures, took, _) = run(&GOOD, Duration::from_millis(tick));
        let figures = figures.unwrap();
        assert!(!figures.is_full && figures.lost_up == 0.0, "{tick} ms: {figures:?}");
        assert!(took < Duration::from_secs(10), "{tick} ms: {took:?}");
    }
}

#[test]
fn echoes_that_are_no_answers_change_nothing() {
    let now = Instant::now();
    let mut prober = Prober::new([3; proto::PATH_TEST_KEY_BYTES], 9, now);
    let sent = prober.poll_transmit(now);
    let probe = Probe::parse(&sent[0]).unwrap();
    let echo = Probe { kind: ProbeKind::Echo, ..probe };
    for wrong in
        [probe, Probe { key: [4; 16], ..echo }, Probe { sequence: 1, ..echo }, Probe { sequence: u32::MAX, ..echo }]
    {
        prober.handle_echo(&wrong.datagram(100), now);
    }
    prober.handle_echo(b"garbage", now);
    assert_eq!(prober.echoes(0).count(), 0);
    prober.handle_echo(&echo.datagram(100), now);
    prober.handle_echo(&Probe { received: 9, ..echo }.datagram(100), now);
    assert_eq!(prober.echoes(0).map(|echo| echo.received).collect::<Vec<_>>(), [0], "it counts once");
}
