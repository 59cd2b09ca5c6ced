//! Simulations of a track on a bad path, on virtual time: an honest sender is hardly ever dropped, and a forger soon.
//! All times are in milliseconds.

use super::super::{Authorship, DigestCheck, MAX_UNPROVEN};
use crate::Leaf;
use crate::digest_list::{DigestList, FrameKind};
use crate::frame::{DigestRange, FrameDigest, Kid};
use crate::keyring::EpochKeys;
use media::{Layer, Timestamp};
use proto::{Epoch, Slot};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(7_919) + 13)
    }

    /// Returns a number in `low..high`.
    fn within(&mut self, low: u64, high: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        low + (self.0 >> 33) % (high - low)
    }

    fn is_lost(&mut self, percent: u64) -> bool {
        self.within(0, 100) < percent
    }
}

/// A time without work of a process, again and again.
struct Stalls {
    from: u64,
    until: u64,
    max: u64,
}

impl Stalls {
    const fn new(max: u64) -> Self {
        Self { from: 0, until: 0, max }
    }

    /// Returns when what is due at `at` happens.
    fn end(&mut self, at: u64, random: &mut Random) -> u64 {
        if self.max > 0 && at > self.until {
            self.from = self.until + random.within(500, 6_000);
            self.until = self.from + random.within(100, self.max);
        }
        if at >= self.from { at.max(self.until) } else { at }
    }
}

#[derive(Clone)]
struct Frame {
    kid: Kid,
    counter: u64,
    digest: FrameDigest,
    digests: Option<(Kid, DigestRange)>,
    temporal: u8,
    is_key: bool,
    /// When the last packet arrives. `None` if one is lost and not sent again in time.
    arrival: Option<u64>,
}

/// Seals the frames of a track of one member, and those of somebody else in its name.
struct Sender {
    slot: Slot,
    keys: Arc<EpochKeys>,
    lists: [DigestList; 3],
    counters: [u64; 3],
}

impl Sender {
    fn new(slot: Slot) -> Self {
        let keys = crate::tests::ring(1, 1).newest().and_then(|(_, keys)| keys.upgrade()).expect("the ring has keys");
        Self { slot, keys, lists: [const { DigestList::new() }; 3], counters: [0; 3] }
    }

    fn seal(&mut self, layer: Layer, kind: FrameKind, captured: u64, lossy: bool) -> Frame {
        let (index, captured) = (usize::from(layer.spatial), Timestamp::from_micros(captured * 1_000));
        let id = Kid::new(self.slot, layer.spatial, Leaf(1), Epoch(1)).expect("a layer");
        let due = self.lists[index].take_due(captured, kind, lossy);
        let counter = self.counters[index];
        self.counters[index] += 1;
        let digest = digest(id, counter, b"owner");
        self.lists[index].add(&self.keys, (id, counter), digest, captured);
        let digests = due.and_then(|due| Some((due.kid?, due.range)));
        Frame {
            kid: id,
            counter,
            digest,
            digests,
            temporal: layer.temporal,
            is_key: kind == FrameKind::Key,
            arrival: None,
        }
    }
}

fn digest(kid: Kid, counter: u64, by: &[u8]) -> FrameDigest {
    let frame: [&[u8]; 3] = [&kid.number().to_be_bytes(), &counter.to_be_bytes(), by];
    FrameDigest::of(&frame.concat())
}

/// Receives the frames of the track.
struct Receiver {
    check: DigestCheck,
    start: Instant,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    arrived: u64,
    /// Dropped because no digests came.
    unproven: u64,
    /// Dropped because digests passed over too many frames.
    passed_over: u64,
}

impl Counts {
    const fn dropped(self) -> u64 {
        self.unproven + self.passed_over
    }

    /// Adds up what `run` returns for the seeds `0..count`.
    fn sum(count: u64, run: impl Fn(u64) -> Self) -> Self {
        (0..count).map(run).fold(Self::default(), Self::plus)
    }

    const fn plus(self, other: Self) -> Self {
        Self {
            arrived: self.arrived + other.arrived,
            unproven: self.unproven + other.unproven,
            passed_over: self.passed_over + other.passed_over,
        }
    }
}

impl Receiver {
    fn new() -> Self {
        Self { check: DigestCheck::default(), start: Instant::now(), counts: Counts::default() }
    }

    fn receive(&mut self, frame: &Frame, received: u64) -> Authorship {
        let now = self.start + Duration::from_millis(received);
        self.check.handle_frame(frame.kid, frame.counter, frame.digest, now);
        if let Some((kid, range)) = &frame.digests {
            self.check.handle_digests(*kid, range, now);
        }
        let authorship = self.check.authorship(now);
        let is_late = self.check.unproven_for > MAX_UNPROVEN;
        self.counts.arrived += 1;
        self.counts.unproven += u64::from(authorship == Authorship::Unproven && is_late);
        self.counts.passed_over += u64::from(authorship == Authorship::Unproven && !is_late);
        authorship
    }
}

/// A camera of three spatial and three temporal layers on a path that loses packets.
#[derive(Clone, Copy, Debug)]
struct Video {
    frame_rate: u64,
    /// In percent.
    loss: u64,
    /// How late a picture is captured at most: the machine of the sender is busy.
    jitter: u64,
    /// How long the sender and the receiver stop at most. Afterwards, all pictures have one time.
    max_stall: u64,
    /// How often the server forwards another spatial layer, about. Zero is never.
    switch_interval: u64,
    is_lowest_only: bool,
}

struct VideoRun {
    video: Video,
    random: Random,
    sender: Sender,
    receiver: Receiver,
    assembler: Assembler,
    stalls: [Stalls; 2],
    /// Of each spatial layer: the place in the pattern of temporal layers, and when a key frame was sent.
    places: [usize; 3],
    keys: [Option<u64>; 3],
    current: Option<u8>,
    wanted: u8,
    next_switch: u64,
    /// When the last picture was sent, and when the server has sent all pictures.
    sent: u64,
    queue_end: u64,
    /// True after the queue of the server was too long, until a key frame.
    is_queue_dropped: bool,
}

impl VideoRun {
    fn new(video: Video, seed: u64) -> Self {
        Self {
            video,
            random: Random::new(seed),
            sender: Sender::new(Slot::Camera),
            receiver: Receiver::new(),
            assembler: Assembler { waiting: VecDeque::new(), is_broken: true, has_middle: true },
            stalls: [Stalls::new(video.max_stall), Stalls::new(video.max_stall.min(1_000))],
            places: [0; 3],
            keys: [None; 3],
            current: None,
            wanted: 2,
            next_switch: video.switch_interval,
            sent: 0,
            queue_end: 0,
            is_queue_dropped: false,
        }
    }

    fn run(mut self, seconds: u64) -> Counts {
        for number in 0..seconds * self.video.frame_rate {
            let now = number * 1_000 / self.video.frame_rate;
            if self.video.switch_interval > 0 && now >= self.next_switch {
                self.wanted = [0, 1, 2][usize::try_from(self.random.within(0, 3)).expect("below 3")];
                let interval = self.video.switch_interval;
                self.next_switch = now + self.random.within(interval / 2, interval * 3 / 2);
            }
            let late = self.random.within(0, self.video.jitter + 1);
            self.sent = self.sent.max(self.stalls[0].end(now + late, &mut self.random));
            for spatial in 0..3 {
                self.send(spatial, now);
            }
            for now in (now..).step_by(10).take(4) {
                while let Some(frame) = self.assembler.poll(now) {
                    let received = frame.arrival.expect("it has arrived");
                    self.receiver.receive(&frame, received);
                }
            }
        }
        self.receiver.counts
    }

    /// Sends a picture of a layer, and forwards it if it is of the layer that the server forwards.
    fn send(&mut self, spatial: u8, now: u64) {
        let index = usize::from(spatial);
        let is_stopped = self.current != Some(spatial) || self.assembler.is_broken || self.is_queue_dropped;
        let is_needed = spatial == self.wanted && is_stopped;
        let is_key = self.keys[index].is_none_or(|last| is_needed && now - last >= 300);
        if is_key {
            self.keys[index] = Some(now);
        }
        let temporal = if is_key { 0 } else { [0, 2, 1, 2][self.places[index] % 4] };
        self.places[index] += 1;
        let layer = Layer { spatial, temporal };
        let frame = self.sender.seal(layer, FrameKind::of_picture(layer, is_key), self.sent, false);
        if is_key && spatial == self.wanted {
            self.current = Some(spatial);
        }
        if self.current == Some(spatial) && !(self.video.is_lowest_only && temporal > 0) {
            self.forward(&frame, [1, 2, 4][index] * if is_key { 4 } else { 1 });
        }
    }

    /// Sends a picture of some packets to the receiver. If a queue grows, higher temporal layers do not enter it.
    fn forward(&mut self, frame: &Frame, packets: usize) {
        let queued = self.queue_end.saturating_sub(self.sent);
        let max_temporal = if queued > 300 { 0 } else { 2 - u8::from(queued > 150) };
        self.is_queue_dropped = !frame.is_key && (self.is_queue_dropped || queued > 600);
        if frame.temporal > max_temporal || self.is_queue_dropped {
            return;
        }
        let sent = self.queue_end.max(self.sent);
        self.queue_end = sent + if frame.is_key { 120 } else { 30 };
        let arrival = (0..packets).try_fold(sent, |last, _| Some(last.max(self.arrival(sent)?)));
        let arrival = arrival.map(|at| self.stalls[1].end(at, &mut self.random));
        self.assembler.waiting.push_back(Frame { arrival, ..frame.clone() });
    }

    /// Returns when a packet arrives. A lost packet is sent again three times.
    fn arrival(&mut self, sent: u64) -> Option<u64> {
        let mut at = sent + 20 + self.random.within(0, 8);
        for _ in 0..4 {
            if !self.random.is_lost(self.video.loss) {
                return Some(at);
            }
            at += self.random.within(50, 400);
        }
        None
    }
}

/// Returns pictures in order if those that they depend on were returned (as `net/src/rtp/assemble.rs` does).
struct Assembler {
    waiting: VecDeque<Frame>,
    /// True until a key frame, because one of the lowest temporal layer is lost.
    is_broken: bool,
    /// False if the last picture of temporal layer 1 is lost, on which the next one of layer 2 depends.
    has_middle: bool,
}

impl Assembler {
    fn poll(&mut self, now: u64) -> Option<Frame> {
        loop {
            let has_arrived = |frame: &Frame| frame.arrival.is_some_and(|at| at <= now);
            if self.waiting.front().is_some_and(has_arrived) {
                let frame = self.waiting.pop_front()?;
                self.is_broken &= !frame.is_key;
                self.has_middle |= frame.temporal < 2;
                if !self.is_broken && (frame.temporal < 2 || self.has_middle) {
                    return Some(frame);
                }
                continue;
            }
            let missing = self.waiting.front()?.temporal;
            let later = || self.waiting.iter().skip(1).filter(|frame| has_arrived(frame));
            let waited = now - later().filter_map(|frame| frame.arrival).min()?;
            let is_decodable = later().any(|frame| frame.is_key || !self.is_broken && frame.temporal < missing);
            if waited < if is_decodable { 150 } else { 450 } {
                return None;
            }
            self.waiting.pop_front();
            self.is_broken |= missing == 0;
            self.has_middle &= missing != 1;
        }
    }
}

/// A microphone on a path with losses.
#[derive(Clone, Copy, Debug)]
struct Sound {
    /// How long a frame is.
    length: u64,
    /// In percent.
    loss: u64,
    /// How late lost frames come at most, sent again. Zero if they are not sent again.
    retransmission: u64,
    /// True if the sender pauses, and sends a frame every 400 ms then.
    has_pauses: bool,
    max_stall: u64,
}

fn receive_sound(sound: Sound, seed: u64, seconds: u64) -> Counts {
    let (mut random, mut sender) = (Random::new(seed), Sender::new(Slot::Microphone));
    let mut stalls = Stalls::new(sound.max_stall);
    let (mut pause, mut frames) = (Stalls::new(if sound.has_pauses { 3_000 } else { 0 }), Vec::new());
    for number in 0..seconds * 1_000 / sound.length {
        let now = number * sound.length;
        if pause.end(now, &mut random) > now && !number.is_multiple_of(400 / sound.length) {
            continue;
        }
        let frame = sender.seal(Layer::default(), FrameKind::Base, now, true);
        let late = if !random.is_lost(sound.loss) {
            random.within(20, 50)
        } else if sound.retransmission > 0 && !random.is_lost(sound.loss) {
            random.within(50, sound.retransmission)
        } else {
            continue;
        };
        frames.push((stalls.end(now + late, &mut random), frame));
    }
    frames.sort_by_key(|(arrival, _)| *arrival);
    let mut receiver = Receiver::new();
    for (arrival, frame) in &frames {
        receiver.receive(frame, *arrival);
    }
    receiver.counts
}

/// Returns the sum of what `run` counts, which it also prints.
fn sum_of<T: std::fmt::Debug>(settings: impl IntoIterator<Item = T>, run: impl Fn(&T) -> Counts) -> Counts {
    settings.into_iter().fold(Counts::default(), |sum, setting| {
        let counts = run(&setting);
        println!("{setting:?}: {counts:?}");
        sum.plus(counts)
    })
}

#[test]
fn digests_of_pictures_arrive_although_losses_other_layers_and_busy_machines_interrupt_them() {
    let videos = [
        // Pictures a second, loss, jitter, stall, interval between changes of the layer.
        (30, 10, 120, 2_500, 300),
        (25, 10, 300, 2_500, 600),
        (30, 10, 300, 2_500, 600),
        (30, 10, 40, 2_500, 1_000),
        (17, 10, 0, 0, 300),
        (30, 10, 200, 2_500, 0),
        (20, 10, 200, 0, 0),
        (30, 2, 120, 2_500, 1_000),
        (30, 2, 120, 0, 300),
    ];
    let videos = videos.map(|(frame_rate, loss, jitter, max_stall, switch_interval)| Video {
        frame_rate,
        loss,
        jitter,
        max_stall,
        switch_interval,
        is_lowest_only: false,
    });
    let lowest_only = videos.map(|video| Video { is_lowest_only: true, ..video });
    let lowest_only = sum_of(lowest_only, |video| Counts::sum(2, |seed| VideoRun::new(*video, seed).run(100)));
    assert!(lowest_only.arrived > 4_000 && lowest_only.dropped() == 0, "{lowest_only:?}");
    let sum = sum_of(videos, |video| Counts::sum(10, |seed| VideoRun::new(*video, seed).run(100)));
    assert!(sum.arrived > 50_000 && sum.dropped() == 0, "{sum:?}");
}

#[test]
fn digests_of_sound_arrive_although_a_tenth_or_a_fifth_of_its_frames_are_lost() {
    for (loss, bound) in [(10, 2), (20, 10)] {
        let plain = Sound { length: 20, loss, retransmission: 0, has_pauses: false, max_stall: 0 };
        let interrupted = Sound { has_pauses: true, max_stall: 1_000, ..plain };
        let sounds = [
            plain,
            interrupted,
            Sound { retransmission: 400, ..interrupted },
            Sound { length: 40, ..plain },
            Sound { length: 60, ..plain },
        ];
        let sum = sum_of(sounds, |sound| Counts::sum(10, |seed| receive_sound(*sound, seed, 100)));
        assert!(sum.arrived > 100_000, "{sum:?}");
        assert!(sum.dropped() * 100_000 <= bound * sum.arrived, "at most {bound} of 100,000 frames: {sum:?}");
    }
}

/// What an insider does who speaks as the owner of a track, with the help of the server. The server forwards none of the
/// owner's frames after it has begun, except those that are named here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Forgery {
    /// Its frames have no digests.
    WithoutDigests,
    /// Its frames have the digests of the owner, and the counters of the owner's frames.
    WithDigestsOfOwner,
    /// Its frames have the digests of the owner, and other counters.
    WithOtherCounters,
    /// The server forwards the owner's frames of one list, and that list, so often that digests are never late. The insider
    /// speaks in between.
    BetweenLists,
}

/// Returns how many frames of 20 ms of an insider are heard.
fn forge_sound(forgery: Forgery, lossy: bool, seed: u64) -> usize {
    let (mut random, mut owner, mut receiver) = (Random::new(seed), Sender::new(Slot::Microphone), Receiver::new());
    let (begin, lists_per_turn) = (random.within(100, 200), if lossy { 6 } else { 3 });
    let (mut lists, mut heard) = (0, 0);
    for number in 0..1_000 {
        let now = number * 20;
        let frame = owner.seal(Layer::default(), FrameKind::Base, now, lossy);
        if number <= begin {
            if !random.is_lost(10) {
                receiver.receive(&frame, now);
            }
            continue;
        }
        // The digests of the owner's turn come with the frame after it. Those before it do not arrive.
        let (is_owners_turn, has_digests) = (lists % lists_per_turn == 0, frame.digests.is_some());
        lists += u64::from(has_digests);
        let begins_turn = has_digests && lists % lists_per_turn == 0;
        if forgery == Forgery::BetweenLists && (is_owners_turn || begins_turn) {
            if !begins_turn {
                receiver.receive(&frame, now);
            }
            continue;
        }
        let counter = frame.counter + if forgery == Forgery::WithOtherCounters { 1_000_000 } else { 0 };
        let with_digests = matches!(forgery, Forgery::WithDigestsOfOwner | Forgery::WithOtherCounters);
        let digests = frame.digests.filter(|_| with_digests);
        let forged = Frame { counter, digest: digest(frame.kid, counter, b"insider"), digests, ..frame };
        if matches!(receiver.receive(&forged, now), Authorship::Unproven | Authorship::Forged) {
            return heard;
        }
        heard += 1;
    }
    heard
}

#[test]
fn forged_sound_is_soon_dropped_also_with_the_digests_of_the_owner() {
    for (forgery, lossy, bound) in [
        (Forgery::WithoutDigests, false, 50),
        (Forgery::WithoutDigests, true, 50),
        (Forgery::WithDigestsOfOwner, false, 13),
        (Forgery::WithDigestsOfOwner, true, 7),
        (Forgery::WithOtherCounters, false, 50),
        (Forgery::WithOtherCounters, true, 45),
        (Forgery::BetweenLists, true, 75),
        (Forgery::BetweenLists, false, 80),
    ] {
        let heard = (0..100).map(|seed| forge_sound(forgery, lossy, seed)).max().unwrap();
        println!("{forgery:?}, lossy {lossy}: {heard} frames");
        assert!((1..=bound).contains(&heard), "{forgery:?}, lossy {lossy}: {heard} frames, more than {bound}");
    }
}

/// The server forwards one picture of the owner with its digests every 800 ms or less often, each time of another layer.
#[test]
fn forged_pictures_between_lists_of_other_layers_are_dropped() {
    let (mut owner, mut receiver) = (Sender::new(Slot::Camera), Receiver::new());
    let (mut current, mut last, mut shown) = (0, 0, 0);
    let is_found = (0..500_u64).any(|number| {
        let now = number * 40;
        let kind = if number.is_multiple_of(20) { FrameKind::Key } else { FrameKind::Base };
        let frames = [0, 1, 2].map(|spatial| owner.seal(Layer { spatial, temporal: 0 }, kind, now, false));
        let next = (current + 1) % 3;
        if now >= last + 800 && frames[next].digests.is_some() {
            (current, last) = (next, now);
            return receiver.receive(&frames[next], now) == Authorship::Unproven;
        }
        let frame = &frames[current];
        let forged = Frame { digest: digest(frame.kid, frame.counter, b"insider"), digests: None, ..frame.clone() };
        shown += 1;
        matches!(receiver.receive(&forged, now), Authorship::Unproven | Authorship::Forged)
    });
    println!("forged pictures: {shown} at 25 per second");
    assert!(is_found && shown <= 60, "{shown} pictures");
}
