//! Tests of the jitter buffer with simulated, seeded networks on virtual time.

mod lip_sync;
mod narrow_link;
mod timing;

use super::*;
use media::{AudioCodec, Buffer as Bytes, Level};

/// A seeded generator (xorshift), so that all runs are equal.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Returns a uniformly distributed number in 0.0..1.0.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A fake codec. A packet contains its position, and decodes to a tone whose phase is the position.
#[derive(Default)]
struct FakeCodec {
    decoded: Vec<u64>,
    recovered: u64,
    concealed: u64,
    /// True if packets have a copy of the previous one.
    copies: bool,
    /// Decodes to noise instead, which has no period and cannot be stretched.
    noise: Option<Random>,
}

fn tone(position: u64) -> Frame {
    std::array::from_fn(|index| {
        let index = (position + index as u64) % 48_000;
        (index as f32 * 200.0 * std::f32::consts::TAU / 48_000.0).sin() * 0.5
    })
}

impl Decode for FakeCodec {
    fn decode(&mut self, packet: &[u8], out: &mut Frame) -> bool {
        let Ok(bytes) = packet.try_into() else {
            self.conceal(out);
            return false;
        };
        let position = u64::from_le_bytes(bytes);
        self.decoded.push(position);
        *out = match &mut self.noise {
            Some(random) => std::array::from_fn(|_| random.share() as f32 - 0.5),
            None => tone(position),
        };
        true
    }

    fn recover(&mut self, _successor: &[u8], out: &mut Frame) -> bool {
        self.recovered += u64::from(self.copies);
        *out = tone(0);
        self.copies
    }

    fn conceal(&mut self, out: &mut [f32]) {
        self.concealed += 1;
        out.fill(0.0);
    }
}

fn packet(position: u64, voice: bool) -> EncodedAudio {
    EncodedAudio {
        codec: AudioCodec::Opus,
        position,
        samples: 960,
        captured: Timestamp::from_micros(position.saturating_mul(1_000) / 48),
        voice,
        level: Level::default(),
        payload: Bytes::unpooled(&position.to_le_bytes()),
    }
}

/// A sender, a network and a jitter buffer.
struct Simulation {
    random: Random,
    buffer: Buffer,
    codec: FakeCodec,
    /// Packets on the network: arrival time in microseconds, position, and whether they carry speech.
    in_flight: Vec<(u64, u64, bool)>,
    /// Microseconds of the receiver's clock.
    now: u64,
    /// The number of packets of the sender's timeline so far, sent or not.
    produced: u64,
    sent: u64,
    /// The delay of the network and its jitter, in microseconds.
    delay: u64,
    jitter: u64,
    /// The time in microseconds that packet `n` waits in a queue of the network.
    queue: fn(u64) -> u64,
    /// The share of lost packets.
    loss: f64,
    /// If `Some(n)`, every n-th packet is lost, too.
    every: Option<u64>,
    /// The number of copies of earlier packets in a frame.
    depth: u64,
    /// If `Some(delay)`, a lost packet is retransmitted after this many microseconds.
    retransmission: Option<u64>,
    /// The speed of the sender's clock relative to the receiver's.
    drift: f64,
    /// Whether packet `n` carries speech; `None` if it is not sent.
    script: fn(u64) -> Option<bool>,
    longest_delay: Duration,
    largest_backlog: usize,
    /// When the last block was captured.
    captured: Option<Timestamp>,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        Self {
            random: Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            buffer: Buffer::new(),
            codec: FakeCodec::default(),
            in_flight: Vec::new(),
            now: 5_000_000,
            produced: 0,
            sent: 0,
            delay: 40_000,
            jitter: 0,
            queue: |_| 0,
            loss: 0.0,
            every: None,
            depth: 0,
            retransmission: None,
            drift: 1.0,
            script: |_| Some(true),
            longest_delay: Duration::ZERO,
            largest_backlog: 0,
            captured: None,
        }
    }

    fn run(&mut self, seconds: u64) -> Vec<f32> {
        (0..seconds * 100).flat_map(|_| self.run_block()).collect()
    }

    /// Simulates 10 ms. Returns the sound that is played.
    fn run_block(&mut self) -> Block {
        self.now += 10_000;
        self.send();
        self.deliver();
        let mut block = crate::SILENCE;
        self.captured = self.buffer.pull(Timestamp::from_micros(self.now), &mut self.codec, &mut block);
        assert!(block.iter().all(|sample| sample.is_finite() && sample.abs() <= 1.0));
        let statistics = self.buffer.statistics();
        self.longest_delay = self.longest_delay.max(statistics.delay);
        self.largest_backlog = self.largest_backlog.max(self.buffer.packets.len());
        block
    }

    fn send(&mut self) {
        loop {
            let due = 5_000_000 + ((self.produced + 1) as f64 * 20_000.0 / self.drift) as u64;
            if due > self.now {
                return;
            }
            let number = self.produced;
            self.produced += 1;
            let Some(voice) = (self.script)(number) else { continue };
            self.sent += 1;
            let lost = self.random.share() < self.loss || self.every.is_some_and(|every| number % every == every - 1);
            let late = (self.random.share() * self.jitter as f64) as u64;
            let repaired = if lost { self.retransmission } else { Some(0) };
            if let Some(later) = repaired {
                let arrival = due + self.delay + (self.queue)(number) + late + later;
                self.in_flight.push((arrival, number * PACKET as u64, voice));
            }
        }
    }

    fn deliver(&mut self) {
        self.in_flight.sort_unstable();
        let arrived = self.in_flight.partition_point(|(at, ..)| *at <= self.now);
        let (depth, script) = (self.depth, self.script);
        for (at, position, voice) in self.in_flight.drain(..arrived) {
            let at = Timestamp::from_micros(at);
            for copied in (1..=depth).filter_map(|distance| position.checked_sub(distance * PACKET as u64)) {
                if let Some(voice) = script(copied / PACKET as u64) {
                    self.buffer.insert(packet(copied, voice), at, Origin::Copy);
                }
            }
            self.buffer.insert(packet(position, voice), at, Origin::Frame);
        }
    }

    fn statistics(&self) -> Statistics {
        self.buffer.statistics()
    }

    /// Returns the concealed share of speech in percent.
    fn concealed(&self) -> f64 {
        let statistics = self.statistics();
        statistics.concealed_ms as f64 * 100.0 / statistics.talk_ms.max(1) as f64
    }
}

/// Returns whether a packet of a talk carries speech: two seconds of speech with a hangover, then a pause with a packet
/// every 400 ms, as Opus sends it.
fn talk_spurts(number: u64) -> Option<bool> {
    match number % 200 {
        0..100 => Some(true),
        100..110 => Some(false),
        index => (index % 20 == 0).then_some(false),
    }
}

#[test]
fn without_jitter_or_loss_all_packets_are_played_with_little_delay() {
    let mut simulation = Simulation::new(1);
    simulation.run(30);
    let statistics = simulation.statistics();
    assert_eq!(statistics.concealed_ms, 0);
    assert_eq!(statistics.packets_discarded, 0);
    assert!(statistics.packets_played + 5 >= simulation.sent);
    assert!(statistics.delay <= Duration::from_millis(30), "{statistics:?}");
    assert!(simulation.codec.decoded.is_sorted());
}

#[test]
fn the_delay_is_little_more_than_the_jitter() {
    for (seed, jitter) in [(1, 20_000), (2, 60_000), (3, 120_000), (4, 200_000)] {
        let mut simulation = Simulation::new(seed);
        simulation.jitter = jitter;
        simulation.run(60);
        let statistics = simulation.statistics();
        assert!(simulation.concealed() < 2.0, "{jitter} µs: {:.2} % concealed, {statistics:?}", simulation.concealed());
        let limit = Duration::from_micros(jitter + 40_000);
        assert!(statistics.delay <= limit, "{jitter} µs: {statistics:?}");
        assert!(simulation.codec.decoded.is_sorted(), "reordered packets are played in order");
    }
}

#[test]
fn the_delay_falls_after_the_jitter_ends() {
    let mut simulation = Simulation::new(5);
    simulation.jitter = 150_000;
    simulation.run(30);
    let before = simulation.statistics().delay;
    simulation.jitter = 5_000;
    simulation.run(30);
    let statistics = simulation.statistics();
    assert!(before > Duration::from_millis(120), "{before:?}");
    assert!(statistics.delay < Duration::from_millis(40), "{statistics:?}");
    assert!(simulation.concealed() < 2.0, "{statistics:?}");
}

#[test]
fn lost_packets_are_concealed_and_counted() {
    for loss in [0.01, 0.1, 0.3] {
        let mut simulation = Simulation::new(6);
        simulation.loss = loss;
        simulation.jitter = 10_000;
        simulation.run(60);
        let share = simulation.concealed() / 100.0;
        assert!((share - loss).abs() < 0.25 * loss + 0.005, "loss {loss}, concealed {share}");
        assert_eq!(simulation.statistics().packets_played, simulation.codec.decoded.len() as u64);
        assert!(simulation.statistics().delay < Duration::from_millis(90), "{:?}", simulation.statistics());
    }
}

#[test]
fn single_losses_are_restored_from_the_next_packet() {
    let mut simulation = Simulation::new(7);
    simulation.codec.copies = true;
    simulation.loss = 0.1;
    simulation.jitter = 30_000;
    simulation.run(60);
    let statistics = simulation.statistics();
    assert!(simulation.concealed() < 3.5, "{:.2} %: {statistics:?}", simulation.concealed());
    assert!(statistics.recovered_ms > statistics.concealed_ms, "{statistics:?}");
}

#[test]
fn on_a_calm_network_every_single_loss_is_restored_after_the_first_second() {
    for (phase, noise) in (0..20).flat_map(|phase| [(phase, false), (phase, true)]) {
        let mut simulation = Simulation::new(17);
        simulation.codec.copies = true;
        simulation.codec.noise = noise.then_some(Random(3));
        simulation.delay = 40_000 + phase * 500;
        simulation.every = Some(10);
        simulation.run(1);
        let first = simulation.statistics();
        simulation.run(20);
        let (then, case) = (simulation.statistics(), format!("{phase}, {noise}"));
        assert_eq!(then.concealed_ms, first.concealed_ms, "{case}: {then:?}");
        assert!(then.recovered_ms >= first.recovered_ms + 1_980, "{case}: {then:?}");
        // Noise has no period, so the initial delay can only be reduced in a pause.
        assert!(noise || then.delay <= Duration::from_millis(55), "{case}: {then:?}");
    }
}

#[test]
fn copies_restore_lost_packets_in_full() {
    for (loss, depth, limit) in [(0.02, 1, 0.1), (0.05, 2, 0.3), (0.1, 2, 1.0), (0.2, 3, 1.0), (0.3, 3, 4.0)] {
        let mut all = (0, 0);
        for seed in 20..24 {
            let mut simulation = Simulation::new(seed);
            (simulation.loss, simulation.depth, simulation.jitter) = (loss, depth, 10_000);
            simulation.run(30);
            let statistics = simulation.statistics();
            all = (all.0 + statistics.concealed_ms, all.1 + statistics.talk_ms);
            assert!(statistics.delay <= Duration::from_millis(100), "{loss}: {statistics:?}");
            assert!(statistics.recovered_ms > statistics.concealed_ms, "{loss}: {statistics:?}");
            assert!(simulation.codec.decoded.is_sorted());
        }
        let concealed = all.0 as f64 * 100.0 / all.1 as f64;
        assert!(concealed <= limit, "{loss}: {concealed:.2} % concealed");
    }
}

#[test]
fn a_copy_and_its_fec_restore_two_packets_in_a_row() {
    let mut simulation = Simulation::new(28);
    (simulation.loss, simulation.depth, simulation.codec.copies) = (0.1, 1, true);
    simulation.run(120);
    let statistics = simulation.statistics();
    assert!(simulation.concealed() < 0.4, "{:.2} %: {statistics:?}", simulation.concealed());
    assert!(statistics.delay <= Duration::from_millis(80), "{statistics:?}");
}

#[test]
fn copies_of_packets_that_arrived_change_nothing() {
    let (mut with, mut without) = (Simulation::new(25), Simulation::new(25));
    with.depth = 3;
    assert_eq!(with.run(10), without.run(10));
    assert_eq!(with.statistics(), without.statistics());
    assert!(with.statistics().delay <= Duration::from_millis(30), "{:?}", with.statistics());
}

#[test]
fn the_delay_covers_retransmissions_and_falls_after_the_last_one() {
    let mut simulation = Simulation::new(26);
    // So few are late that 99.5 % of the packets are not.
    (simulation.every, simulation.retransmission) = (Some(400), Some(45_000));
    simulation.run(60);
    let lossy = simulation.statistics();
    assert!(lossy.concealed_ms <= 60, "only the first of seven: {lossy:?}");
    assert!((50..80).contains(&lossy.delay.as_millis()), "{lossy:?}");
    simulation.every = None;
    simulation.run(30);
    let after = simulation.statistics();
    assert!(after.delay <= Duration::from_millis(30), "{after:?}");
}

#[test]
fn a_repair_that_takes_too_long_does_not_delay_the_conversation() {
    let mut simulation = Simulation::new(27);
    (simulation.every, simulation.retransmission) = (Some(500), Some(400_000));
    simulation.run(60);
    let statistics = simulation.statistics();
    assert!(statistics.delay <= Duration::from_millis(60), "{statistics:?}");
}

#[test]
fn the_delay_grows_soon_after_losses_begin() {
    let mut simulation = Simulation::new(18);
    simulation.codec.copies = true;
    simulation.run(30);
    let before = simulation.statistics();
    simulation.codec.noise = Some(Random(4));
    simulation.every = Some(20);
    simulation.run(30);
    let statistics = simulation.statistics();
    assert!(before.delay <= Duration::from_millis(30), "{before:?}");
    assert!(statistics.concealed_ms <= 120, "of 1500 ms that were lost: {statistics:?}");
}

#[test]
fn without_fec_copies_the_delay_does_not_grow() {
    let mut simulation = Simulation::new(19);
    simulation.every = Some(10);
    simulation.run(60);
    let statistics = simulation.statistics();
    assert!(statistics.delay <= Duration::from_millis(30), "{statistics:?}");
    assert!((simulation.concealed() - 10.0).abs() < 1.0, "{statistics:?}");
}

#[test]
fn dtx_pauses_do_not_count_as_concealed() {
    let mut simulation = Simulation::new(8);
    simulation.script = talk_spurts;
    simulation.jitter = 40_000;
    simulation.run(60);
    let statistics = simulation.statistics();
    assert!(simulation.concealed() < 1.5, "{statistics:?}");
    assert!(statistics.packets_played + 10 >= simulation.sent, "{statistics:?} of {}", simulation.sent);
    let talk = statistics.talk_ms as f64 / 30_000.0;
    assert!((0.95..1.05).contains(&talk), "half of the minute is speech: {statistics:?}");
}

#[test]
fn speech_after_a_pause_is_complete_even_if_it_arrives_late() {
    let mut simulation = Simulation::new(9);
    simulation.script = talk_spurts;
    simulation.run(20);
    simulation.delay = 140_000;
    simulation.run(40);
    let statistics = simulation.statistics();
    assert!(statistics.packets_played + 10 >= simulation.sent, "{statistics:?} of {}", simulation.sent);
    assert!(statistics.concealed_ms <= 220, "{statistics:?}");
}

#[test]
fn the_delay_follows_a_drifting_clock() {
    for drift in [0.9995, 0.9998, 1.0002, 1.0005] {
        for script in [talk_spurts as fn(u64) -> Option<bool>, |_| Some(true)] {
            let mut simulation = Simulation::new(10);
            simulation.drift = drift;
            simulation.jitter = 15_000;
            simulation.script = script;
            simulation.run(600);
            let statistics = simulation.statistics();
            assert!(simulation.concealed() < 1.5, "drift {drift}: {:.2} %, {statistics:?}", simulation.concealed());
            assert!(
                simulation.longest_delay < Duration::from_millis(100),
                "drift {drift}: {:?}",
                simulation.longest_delay
            );
            assert!(simulation.largest_backlog < 10);
        }
    }
}

#[test]
fn the_delay_falls_after_a_late_burst() {
    let mut simulation = Simulation::new(11);
    simulation.run(20);
    // The network delays all packets for 300 ms, then delivers them together.
    let held = simulation.now + 300_000;
    simulation.jitter = 0;
    for _ in 0..30 {
        simulation.run_held(held);
    }
    simulation.run(30);
    let statistics = simulation.statistics();
    assert!(statistics.concealed_ms <= 400, "{statistics:?}");
    assert!(statistics.delay < Duration::from_millis(120), "{statistics:?}");
    assert!(simulation.codec.decoded.is_sorted());
}

impl Simulation {
    /// Simulates 10 ms. No packet arrives before `until`.
    fn run_held(&mut self, until: u64) {
        self.now += 10_000;
        self.send();
        for (at, ..) in &mut self.in_flight {
            *at = (*at).max(until);
        }
        self.deliver();
        let mut block = crate::SILENCE;
        self.buffer.pull(Timestamp::from_micros(self.now), &mut self.codec, &mut block);
    }
}

#[test]
fn a_mute_during_speech_conceals_at_most_200_ms() {
    let mut simulation = Simulation::new(12);
    // Muted from the tenth second to the thirtieth. The first packet afterwards carries no speech.
    simulation.script = |number| match number {
        500..1_500 => None,
        1_500 | 1_501 => Some(false),
        _ => Some(true),
    };
    simulation.run(60);
    let statistics = simulation.statistics();
    assert!(statistics.concealed_ms <= 200, "{statistics:?}");
    assert!(statistics.packets_played + 10 >= simulation.sent, "{statistics:?} of {}", simulation.sent);
}

#[test]
fn an_interruption_of_speech_counts_completely_as_concealed() {
    let mut simulation = Simulation::new(13);
    simulation.script = |number| if (500..600).contains(&number) { None } else { Some(true) };
    simulation.run(30);
    let statistics = simulation.statistics();
    assert!((1_900..=2_100).contains(&statistics.concealed_ms), "{statistics:?}");
    assert!(statistics.delay < Duration::from_millis(60), "{statistics:?}");
}

#[test]
fn after_a_sender_restarts_its_packets_are_played() {
    let mut simulation = Simulation::new(14);
    simulation.produced = 1_000_000;
    simulation.now = 5_000_000 + 20_000 * 1_000_000;
    simulation.run(10);
    let before = simulation.statistics().packets_played;
    let shift = simulation.now;
    for number in 0..500u64 {
        simulation.now = shift + number * 20_000;
        simulation.buffer.insert(packet(number * 960, true), Timestamp::from_micros(simulation.now), Origin::Frame);
        for _ in 0..2 {
            let mut block = crate::SILENCE;
            simulation.buffer.pull(Timestamp::from_micros(simulation.now), &mut simulation.codec, &mut block);
        }
    }
    assert!(simulation.statistics().packets_played > before + 480, "{:?}", simulation.statistics());
}

#[test]
fn a_steady_tone_is_played_without_a_click() {
    let mut simulation = Simulation::new(15);
    simulation.jitter = 25_000;
    simulation.drift = 1.0003;
    let sound = simulation.run(120);
    // After the start, the largest step of a 200 Hz tone at half scale is 0.0131. A click has a much larger one.
    let steepest = sound[48_000 * 5..].windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0f32, f32::max);
    let concealed = simulation.codec.concealed;
    assert!(concealed > 0 || steepest < 0.03, "a step of {steepest} with nothing concealed");
    assert!(concealed < 60, "{concealed}");
}

#[test]
fn a_repeated_packet_is_played_once() {
    let mut simulation = Simulation::new(16);
    simulation.run(1);
    for number in 40..60u64 {
        simulation.buffer.insert(packet(number * 960, true), Timestamp::from_micros(simulation.now), Origin::Frame);
    }
    let before = simulation.codec.decoded.len();
    simulation.run(2);
    let mut played = simulation.codec.decoded[before..].to_vec();
    let all = played.len();
    played.dedup();
    assert_eq!(played.len(), all);
}

#[test]
fn arbitrary_packets_never_panic_and_stay_bounded() {
    for seed in 0..40 {
        let mut random = Random(seed * 77 + 1);
        let (mut buffer, mut codec) = (Buffer::new(), FakeCodec::default());
        let (mut now, mut received) = (random.next() % 1_000_000_000, 0);
        for _ in 0..2_000 {
            now += random.next() % 30_000;
            let position = match random.next() % 8 {
                0 => random.next(),
                1 => u64::MAX - random.next() % 2_000,
                2 => random.next() % 100_000,
                _ => (now * 6 / 125).saturating_add(random.next() % 100_000).saturating_sub(50_000),
            };
            let mut packet = packet(position, random.next().is_multiple_of(2));
            if random.next().is_multiple_of(5) {
                packet.payload = Bytes::unpooled(&[1, 2, 3]);
            }
            let origin = if random.next().is_multiple_of(4) { Origin::Copy } else { Origin::Frame };
            received += u64::from(origin == Origin::Frame);
            buffer.insert(packet, Timestamp::from_micros(now), origin);
            for _ in 0..random.next() % 3 {
                let mut block = crate::SILENCE;
                buffer.pull(Timestamp::from_micros(now), &mut codec, &mut block);
                assert!(block.iter().all(|sample| sample.is_finite()));
            }
            assert!(buffer.packets.len() <= MAX_PACKETS);
            assert!(buffer.decoded.len() < 4 * PACKET);
        }
        let statistics = buffer.statistics();
        assert_eq!(statistics.packets_received, received);
        assert!(statistics.packets_played + statistics.packets_broken + statistics.packets_discarded <= 2_000 + 40);
    }
}
