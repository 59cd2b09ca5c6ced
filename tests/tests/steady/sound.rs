//! Sound: its path over the network, and the thread `audio` between the devices.

use super::allocator::{counted, total};
use super::keys;
use super::wire::{Cost, Wire, preallocated};
use audio::process::{Process, Voice};
use audio::{Block, Choice, Config, Engine, Origin, PlayoutTime, Remote};
use codec::opus;
use crypto::{Opener, ReceivedFrame, Sealer, SentSound, SentSounds};
use media::{AudioCodec, Clock, EncodedAudio, Level, Mailbox};
use proto::{Kind, Slot};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

#[test]
fn sound_allocates_nothing_on_the_network_path() {
    let ((ring, leaf), clock, pool) = (keys::of_one_member(), Clock::default(), preallocated(128));
    let (mut sealer, mut opener) =
        (Sealer::new(ring.clone(), Slot::Microphone), Opener::new(ring, Slot::Microphone, leaf, clock));
    let (mut encoder, mut wire) = (opus::Encoder::new().unwrap(), Wire::new(Slot::Microphone, Kind::Audio));
    wire.acknowledge();
    let (mut position, mut sounds, mut sent) = (0, 0, SentSounds::default());
    let mut send_packets = |count: usize| {
        let (mut seal, mut cost, mut open) = (0, Cost::default(), 0);
        for _ in 0..count {
            let payload = encoder.encode(&vowel(position), &pool).unwrap().expect("a voice is encoded");
            let sound = EncodedAudio { position, payload, ..packet() };
            position += 960;
            let closed = counted(&mut seal, || {
                let kept = SentSound::new(&sound);
                let closed = sealer.seal_sound(sound, sent.newest(3));
                sent.add(kept);
                closed
            });
            let received = wire.send(closed.unwrap(), &mut cost).expect("the packet arrives");
            let plain = counted(&mut open, || {
                let decrypted = opener.open_sound(received).unwrap();
                // As if all packets before it were lost.
                sounds +=
                    decrypted.copies().map(|copy| pool.copy(copy.payload)).filter(|copy| !copy.is_empty()).count();
                decrypted.into_packet()
            });
            sounds += usize::from(plain.position == position - 960);
        }
        (seal, cost, open)
    };
    send_packets(100);
    let (seal, cost, open) = send_packets(200);
    assert_eq!(seal, 0, "Sealer::seal_sound with copies");
    assert_eq!(cost.packets, 200);
    assert_eq!(
        cost.packetize,
        2 * cost.packets,
        "a buffer owner and a list of extensions per packet, for the transport"
    );
    assert_eq!(cost.remember, 0, "history for retransmission");
    assert_eq!(cost.assemble, 0, "receiver");
    assert_eq!(open, 0, "Opener::open_sound, and buffers for the copies");
    assert_eq!(sounds, 300 * 4 - (3 + 2 + 1), "each packet and its copies");
}

fn packet() -> EncodedAudio {
    EncodedAudio {
        codec: AudioCodec::Opus,
        position: 0,
        samples: 960,
        captured: media::Timestamp::default(),
        voice: true,
        level: Level::new(30),
        payload: media::Buffer::unpooled(&[]),
    }
}

/// Returns 20 ms of a synthetic voice, from `position` on.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn vowel(position: u64) -> [f32; opus::SAMPLES] {
    std::array::from_fn(|index| {
        let time = (position + index as u64) as f32 / 48_000.0;
        let pitch = std::f32::consts::TAU * 140.0 * time + (5.0 * time).sin();
        0.3 * (pitch.sin() + 0.5 * (2.0 * pitch).sin())
    })
}

/// Returns a copy of a packet, with the fields of `packet` that the copy does not have.
fn copied(packet: &EncodedAudio, position: u64, payload: media::Buffer) -> EncodedAudio {
    let EncodedAudio { codec, samples, captured, voice, level, .. } = *packet;
    EncodedAudio { codec, position, samples, captured, voice, level, payload }
}

/// Tests the whole thread: a file is processed, encoded and sealed. The same sound is opened, passes the jitter buffer, and is
/// decoded, mixed and played on a null device. Every fifth frame is lost, and its packet is played from the copy in the next
/// one. It runs in real time and takes five seconds.
#[test]
fn the_audio_thread_allocates_nothing() {
    let (remote, counts) = (Arc::new(OnceLock::<Remote>::new()), Mailbox::new());
    let ((ring, leaf), clock) = (keys::of_one_member(), Clock::default());
    let (mut sealer, mut sent) = (Sealer::new(ring.clone(), Slot::Microphone), SentSounds::default());
    let mut opener = Opener::new(ring, Slot::Microphone, leaf, clock);
    let (target, mut sequence) = (Arc::clone(&remote), 0);
    let pool = preallocated(64);
    let copies = pool.clone();
    let uplink = Box::new(move |packet| {
        let kept = SentSound::new(&packet);
        let closed = sealer.seal_sound(packet, sent.newest(3)).unwrap();
        sent.add(kept);
        sequence += 1;
        let Some(remote) = target.get().filter(|_| sequence % LOST != 0) else { return };
        let header = *closed.header();
        let received = ReceivedFrame { header, bytes: closed.into_bytes(), sequence, received: Instant::now() };
        let sound = opener.open_sound(received).unwrap();
        if sequence % LOST == 1
            && let Some(copy) = sound.copies().next()
        {
            let copy = copied(sound.audio(), copy.position, copies.copy(copy.payload));
            remote.push_at(copy, Origin::Copy, Instant::now());
        }
        remote.push(sound.into_packet());
    });
    let voice = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/assets/demo/voices/anne.wav");
    let (microphone, speaker) = (Choice::File(voice), Choice::Off);
    let counter = Counter { inner: Voice::new(), so_far: Counts::default(), before: None, counts: counts.clone() };
    let provider = audio::device::Provider::default();
    let config = Config { microphone, speaker, provider, clock, pool, uplink };
    let engine = Engine::start_with(config, Box::new(counter));
    assert!(engine.wait_until_open(Duration::from_secs(5)));
    let warnings = engine.take_warnings();
    assert!(warnings.is_empty(), "{warnings:?}");
    assert!(remote.set(engine.add_remote(1, PlayoutTime::default())).is_ok());
    let Counts { all, process, recorded, .. } =
        counts.take_until(Instant::now() + Duration::from_mins(1)).expect("blocks are played");
    let statistics = engine.statistics(1).unwrap();
    assert!(statistics.packets_played > 100, "too few packets were played: {statistics:?}");
    assert!(statistics.recovered_ms > 0, "no copy was played: {statistics:?}");
    assert_eq!(all - process, 0, "devices, Opus, seal, open, jitter buffer, mix");
    assert_eq!(process, recorded * SONORA_ALLOCATIONS, "noise suppression and gain of {recorded} blocks, by sonora");
}

/// The allocations of the thread, and the number of blocks that it handled.
#[derive(Clone, Copy, Default)]
struct Counts {
    /// All allocations.
    all: usize,
    /// The allocations of the processing.
    process: usize,
    /// The number of played blocks.
    played: usize,
    /// The number of recorded blocks.
    recorded: usize,
}

impl Counts {
    fn since(self, before: Self) -> Self {
        Self {
            all: self.all - before.all,
            process: self.process - before.process,
            played: self.played - before.played,
            recorded: self.recorded - before.recorded,
        }
    }
}

/// Wraps the processing. It gets every block on the thread `audio`, so it can count the allocations of that thread.
struct Counter {
    inner: Voice,
    so_far: Counts,
    before: Option<Counts>,
    counts: Mailbox<Counts>,
}

impl Process for Counter {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn played(&mut self, block: &Block) {
        self.so_far.played += 1;
        self.so_far.all = total();
        match self.before {
            None if self.so_far.played == WARM_UP => self.before = Some(self.so_far),
            Some(before) if self.so_far.played == WARM_UP + PASS => drop(self.counts.put(self.so_far.since(before))),
            Some(_) | None => {}
        }
        counted(&mut self.so_far.process, || self.inner.played(block));
    }

    fn recorded(&mut self, block: &mut Block, delay: Duration) {
        self.so_far.recorded += 1;
        counted(&mut self.so_far.process, || self.inner.recorded(block, delay));
    }

    fn listen_for_echo(&mut self, possible: bool) {
        self.inner.listen_for_echo(possible);
    }
}

/// Allocations of sonora for each recorded block.
const SONORA_ALLOCATIONS: usize = 12;

/// One of this many frames is lost.
const LOST: u64 = 5;

/// The number of blocks until all buffers have their final size.
const WARM_UP: usize = 200;

/// The number of measured blocks: three seconds.
const PASS: usize = 300;
