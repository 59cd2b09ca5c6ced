//! Tests of [`Device::set_alone`].

use super::super::{Config, Engine, Warning};
use crate::device::{self, Choice, Device, Direction, Error, Provider};
use crate::{Block, PACKET, PlayoutTime};
use media::{AudioCodec, BufferPool, Clock, EncodedAudio, Level, Timestamp};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// A device with one block in each tick. It sends each block to `blocks`, and [`Device::set_alone`] calls `told`.
struct Fake {
    name: String,
    blocks: SyncSender<Block>,
    told: Box<dyn FnMut(bool) -> Result<(), Error> + Send>,
}

impl Device for Fake {
    fn name(&self) -> &str {
        &self.name
    }

    fn ready(&mut self, _: Instant) -> Result<usize, Error> {
        Ok(1)
    }

    fn pass(&mut self, block: &mut Block) -> Result<(), Error> {
        // Fails if the test does not count this block.
        let _ = self.blocks.try_send(*block);
        Ok(())
    }

    fn latency(&self) -> Duration {
        Duration::ZERO
    }

    fn xruns(&self) -> u64 {
        0
    }

    fn set_alone(&mut self, alone: bool) -> Result<(), Error> {
        (self.told)(alone)
    }
}

/// Counts ticks by the blocks of a microphone.
struct Ticks(Receiver<Block>);

impl Ticks {
    fn wait(&self, count: usize) {
        self.0.try_iter().for_each(drop);
        (0..count).for_each(|_| _ = self.0.recv_timeout(TIMEOUT).expect("the microphone records"));
    }
}

/// Returns an engine whose speakers are opened by `open`. Its microphone, a file for the engine, counts the ticks.
fn engine(open: impl Fn(&Choice) -> Fake + Send + Sync + 'static) -> (Engine, Ticks) {
    let (blocks, ticks) = sync_channel(1);
    let provider = Provider::new(move |direction, choice, _| match direction {
        Direction::Microphone => {
            Ok(Box::new(Fake { name: "clock".into(), blocks: blocks.clone(), told: Box::new(|_| Ok(())) }))
        }
        Direction::Speaker => Ok(Box::new(open(choice))),
    });
    let engine = Engine::start(Config {
        microphone: Choice::File("clock.wav".into()),
        speaker: Choice::Default,
        provider,
        clock: Clock::default(),
        pool: BufferPool::new(4),
        uplink: Box::new(drop),
    });
    assert!(engine.wait_until_open(TIMEOUT));
    (engine, Ticks(ticks))
}

/// Encodes `count` packets of a tone.
fn tone(count: usize) -> Vec<EncodedAudio> {
    let (mut encoder, pool) = (codec::opus::Encoder::new().unwrap(), BufferPool::new(count));
    let packet = |number: usize| {
        let position = number * PACKET;
        let samples = std::array::from_fn::<f32, PACKET, _>(|index| 0.5 * (0.1 * (position + index) as f32).sin());
        let payload = encoder.encode(&samples, &pool).unwrap().expect("a tone is no pause");
        let captured = Timestamp::from_micros(number as u64 * 20_000);
        let (codec, position, level) = (AudioCodec::Opus, position as u64, Level::of(&samples));
        EncodedAudio { codec, position, samples: 960, captured, voice: true, level, payload }
    };
    (0..count).map(packet).collect()
}

#[test]
fn the_first_words_of_a_person_who_joins_wait_until_the_speaker_runs() {
    let (told, events) = sync_channel(8);
    let (release, resumed) = sync_channel::<()>(0);
    let (blocks, played) = sync_channel(1_024);
    let resumed = std::sync::Arc::new(Mutex::new(resumed));
    let (engine, ticks) = engine(move |_| {
        let (told, resumed) = (told.clone(), std::sync::Arc::clone(&resumed));
        let told = move |alone: bool| {
            told.send((alone, thread::current().name().map(str::to_owned))).unwrap();
            if !alone {
                resumed.lock().unwrap().recv_timeout(TIMEOUT).unwrap();
            }
            Ok(())
        };
        Fake { name: "speaker".into(), blocks: blocks.clone(), told: Box::new(told) }
    });
    let device_thread = Some("audio devices".to_owned());
    engine.set_alone(true);
    assert_eq!(events.recv_timeout(TIMEOUT).unwrap(), (true, device_thread.clone()));
    engine.set_alone(false);
    let remote = engine.add_remote(1, PlayoutTime::default());
    assert_eq!(events.recv_timeout(TIMEOUT).unwrap(), (false, device_thread));
    for packet in tone(PACKETS) {
        remote.push(packet);
    }
    played.try_iter().for_each(drop);
    ticks.wait(20);
    assert_eq!(played.try_iter().count(), 0, "the speaker does not run yet");
    let waiting = engine.statistics(1).unwrap();
    assert_eq!(waiting.packets_played, 0, "nothing is decoded for a speaker that does not run: {waiting:?}");
    release.send(()).unwrap();
    // A packet has two blocks. The jitter buffer shortens speech that has waited.
    let is_loud = |block: &Block| Level::of(block).minus_dbov() < 20;
    let blocks = std::iter::from_fn(|| played.recv_timeout(TIMEOUT).ok());
    let loud = blocks.take(4 * PACKETS).filter(is_loud).count();
    assert!(loud >= PACKETS, "{loud} blocks are heard");
    ticks.wait(2);
    let statistics = engine.statistics(1).unwrap();
    assert_eq!((statistics.packets_played, statistics.packets_discarded), (PACKETS as u64, 0), "{statistics:?}");
}

/// Returns the amplitude of a frequency in `samples`.
fn amplitude(samples: &[f32], frequency: f32) -> f32 {
    let turn = std::f32::consts::TAU * frequency / 48_000.0;
    let sums = samples.iter().enumerate().fold((0.0, 0.0), |(sine, cosine), (index, sample)| {
        let angle = turn * index as f32;
        (sine + sample * angle.sin(), cosine + sample * angle.cos())
    });
    2.0 * f32::hypot(sums.0, sums.1) / samples.len() as f32
}

/// The organiser is often alone when the first person asks to join. The speaker pauses then.
#[test]
fn the_cue_is_heard_beside_the_voices_also_by_an_organiser_who_is_alone() {
    let (told, events) = sync_channel(8);
    let (blocks, played) = sync_channel(4_096);
    let (engine, ticks) = engine(move |_| {
        let told = told.clone();
        let told = move |alone: bool| {
            told.send(alone).unwrap();
            Ok(())
        };
        Fake { name: "speaker".into(), blocks: blocks.clone(), told: Box::new(told) }
    });
    engine.set_alone(true);
    assert!(events.recv_timeout(TIMEOUT).unwrap());
    ticks.wait(3);
    played.try_iter().for_each(drop);
    ticks.wait(5);
    assert!(played.try_iter().all(|block| block.iter().all(|sample| *sample == 0.0)), "nothing is played before");
    engine.play_cue();
    engine.play_cue();
    assert!(!events.recv_timeout(TIMEOUT).unwrap(), "the speaker runs");
    assert!(events.recv_timeout(TIMEOUT).unwrap(), "it pauses again after the cue");
    let heard: Vec<f32> = played.try_iter().flatten().skip_while(|sample| *sample == 0.0).collect();
    let (first, second) = (&heard[..4_800], &heard[4_800..9_600]);
    for (tone, present, absent) in [(first, 660.0, 880.0), (second, 880.0, 660.0)] {
        let found = (amplitude(tone, present), amplitude(tone, absent));
        assert!((0.08..=0.1).contains(&found.0) && found.1 < 0.01, "{present} Hz: {found:?}");
    }
    assert!(heard[9_600..].iter().all(|sample| *sample == 0.0), "it is played once");
}

#[test]
fn a_speaker_that_is_returned_late_does_not_replace_a_newly_selected_one() {
    let (told, events) = sync_channel(8);
    let (release, open) = sync_channel::<()>(0);
    let (opens, opened) = sync_channel(8);
    let open = Mutex::new(open);
    let (engine, ticks) = engine(move |choice| {
        let name = if *choice == Choice::Default { "old" } else { "new" };
        opens.send(name).unwrap();
        if name == "new" {
            open.lock().unwrap().recv_timeout(TIMEOUT).unwrap();
        }
        let told = told.clone();
        let told = move |alone: bool| {
            told.send((name, alone)).unwrap();
            Ok(())
        };
        Fake { name: name.into(), blocks: sync_channel(1).0, told: Box::new(told) }
    });
    assert_eq!(opened.recv_timeout(TIMEOUT), Ok("old"));
    ticks.wait(2);
    engine.set_speaker(Choice::Device("new".into()));
    assert_eq!(opened.recv_timeout(TIMEOUT), Ok("new"));
    // The old speaker is lent to the device thread while the new one opens.
    engine.set_alone(true);
    ticks.wait(3);
    release.send(()).unwrap();
    assert_eq!(events.recv_timeout(TIMEOUT), Ok(("new", true)));
    ticks.wait(3);
    assert_eq!(engine.devices().speaker, "new");
    assert!(events.try_recv().is_err());
}

#[test]
fn a_speaker_that_does_not_resume_is_replaced() {
    let (told, events) = sync_channel(8);
    let (engine, ticks) = engine(move |_| {
        let told = told.clone();
        let told = move |alone: bool| {
            told.send(alone).unwrap();
            if alone { Ok(()) } else { Err(Error::Silent) }
        };
        Fake { name: "speaker".into(), blocks: sync_channel(1).0, told: Box::new(told) }
    });
    engine.set_alone(true);
    assert_eq!(events.recv_timeout(TIMEOUT), Ok(true));
    ticks.wait(2);
    engine.set_alone(false);
    assert_eq!(events.recv_timeout(TIMEOUT), Ok(false));
    let (mut warnings, start) = (Vec::new(), Instant::now());
    while warnings.len() < 2 && start.elapsed() < TIMEOUT {
        ticks.wait(1);
        warnings.extend(engine.take_warnings());
    }
    let [Warning::Lost { .. }, Warning::Replaced { .. }] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(events.try_recv().is_err(), "`alone` is false for a new device");
}

#[test]
fn a_file_does_not_pause_while_nobody_else_is_there() {
    let (told, events) = sync_channel(8);
    let (blocks, recorded) = sync_channel(1);
    let provider = Provider::new(move |direction, choice, now| {
        let told = told.clone();
        let told = move |alone: bool| {
            told.send(alone).unwrap();
            Ok(())
        };
        match direction {
            Direction::Microphone => {
                Ok(Box::new(Fake { name: "file".into(), blocks: blocks.clone(), told: Box::new(told) }))
            }
            Direction::Speaker => device::open(direction, choice, now),
        }
    });
    let engine = Engine::start(Config {
        microphone: Choice::File("file.wav".into()),
        speaker: Choice::Off,
        provider,
        clock: Clock::default(),
        pool: BufferPool::new(4),
        uplink: Box::new(drop),
    });
    engine.set_alone(true);
    Ticks(recorded).wait(5);
    assert!(events.try_recv().is_err());
}

/// The number of packets in the first words: half a second.
const PACKETS: usize = 25;

/// The maximum time of a step of a test.
const TIMEOUT: Duration = Duration::from_secs(20);
