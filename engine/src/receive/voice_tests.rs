//! Tests from sealed sound frames to what is played, with real Opus.

use super::{VoiceReceiver, WaitingFrames};
use crate::stats::track_stats::TrackStats;
use crate::worker::{Job, Progress};
use audio::{PACKET, Playback, RecentPackets};
use codec::opus::Encoder;
use crypto::{
    Group, Identity, KeyRing, Leaf, ManagerKeys, Opener, Profile, ReceivedFrame, Sealer, SentSound, SentSounds,
};
use media::{AudioCodec, BufferPool, Clock, EncodedAudio, Level, Sender, Timestamp, bounded};
use proto::{ParticipantId, Rights, Slot, TrackId};
use std::time::{Duration, Instant, SystemTime};

/// A voice, and the job that receives it.
struct Voice {
    encoder: Encoder,
    sealer: Sealer,
    sent: SentSounds,
    /// The number of frames that were sent.
    sequence: u64,
    frames: Sender<ReceivedFrame>,
    receiver: VoiceReceiver,
    playback: Playback,
    clock: Clock,
    /// The keys of the receiver, and the leaf of the sender.
    keys: (KeyRing, Leaf),
}

impl Voice {
    fn new() -> Self {
        let identity = Identity::generate().unwrap();
        let (keys, profile) = (ManagerKeys::new().unwrap(), Profile::new("Anne").unwrap());
        let group = Group::create(&identity, profile, ParticipantId(1), &keys, SystemTime::now()).unwrap();
        let (ring, clock) = (KeyRing::new(), Clock::default());
        ring.install(group.media_keys().unwrap(), &[group.me()], &[], Instant::now());
        let (frames, incoming) = bounded(1 << 20);
        let (remote, playback) = audio::connect(audio::PlayoutTime::default()).unwrap();
        let track = TrackId { owner: ParticipantId(1), slot: Slot::Microphone };
        let receiver = VoiceReceiver {
            track,
            frames: incoming,
            opener: Opener::new(ring.clone(), Slot::Microphone, group.me(), clock),
            remote,
            pool: BufferPool::new(8),
            recent: RecentPackets::new(),
            last: None,
            waiting: WaitingFrames::default(),
            stats: TrackStats::default().track(track),
            report: Box::new(|report| panic!("{report:?}")),
        };
        let (encoder, sealer) = (Encoder::new().unwrap(), Sealer::new(ring.clone(), Slot::Microphone));
        let (sent, keys) = (SentSounds::default(), (ring, group.me()));
        Self { encoder, sealer, sent, sequence: 0, frames, receiver, playback, clock, keys }
    }

    /// Returns 20 ms of a tone.
    fn packet(&mut self, number: u16) -> EncodedAudio {
        let position = u64::from(number) * PACKET as u64;
        let tone: Vec<f32> = (0..960_u16).map(|index| (f32::from(index) * 0.026).sin() * 0.3).collect();
        EncodedAudio {
            codec: AudioCodec::Opus,
            position,
            samples: 960,
            captured: Timestamp::from_micros(u64::from(number) * 20_000),
            voice: true,
            level: Level::new(20),
            payload: self.encoder.encode(&tone, &BufferPool::new(1)).unwrap().unwrap(),
        }
    }

    /// Sends a packet with copies of the last packets. The frame arrives if `arrives`.
    fn send(&mut self, number: u16, copies: usize, arrives: bool) {
        let sound = self.packet(number);
        let kept = SentSound::new(&sound);
        let sealed = self.sealer.seal_sound(sound, self.sent.newest(copies)).unwrap();
        self.sent.add(kept);
        if arrives {
            let (header, sequence) = (*sealed.header(), self.sequence);
            let bytes = sealed.into_bytes();
            self.frames.try_send(ReceivedFrame { header, bytes, sequence, received: Instant::now() }).unwrap();
            assert!(matches!(self.receiver.step(), Progress::Worked));
        }
        self.sequence += 1;
    }

    /// Sends a packet, and two packets before it in the same frame.
    fn send_three(&mut self, number: u16, arrives: bool) {
        for waiting in [number, number + 1] {
            let sound = self.packet(waiting);
            self.sent.add(SentSound::new(&sound));
        }
        self.send(number + 2, 2, arrives);
    }

    /// Plays until `frames` frames were decoded.
    fn play(&mut self, frames: u64) -> audio::Statistics {
        let start = Instant::now();
        for block in 0..200 {
            self.playback.collect(self.clock);
            self.playback.pull(start + Duration::from_millis(10) * block, Duration::ZERO, self.clock);
            if self.playback.statistics().packets_played == frames {
                break;
            }
        }
        self.playback.statistics()
    }
}

#[test]
fn lost_packets_are_played_from_the_copies_in_the_next_frame() {
    for (copies, recovered) in [(0, 0), (2, 40)] {
        let mut voice = Voice::new();
        (0..12).for_each(|number| voice.send(number, copies, number != 5 && number != 6));
        let statistics = voice.play(10);
        assert_eq!((statistics.packets_received, statistics.packets_played), (10, 10), "{statistics:?}");
        // Without copies, in-band FEC may restore the second packet.
        assert_eq!(statistics.recovered_ms / 40 * 40, recovered, "{statistics:?}");
        assert_eq!(statistics.concealed_ms == 0, copies == 2, "{statistics:?}");
        assert_eq!(statistics.packets_discarded, 0, "copies of packets that arrived are ignored");
    }
}

#[test]
fn packets_that_share_a_frame_are_played_and_do_not_count_as_restored() {
    let mut voice = Voice::new();
    (0..12).step_by(3).for_each(|number| voice.send_three(number, true));
    let statistics = voice.play(10);
    // Packets before the first frame of an epoch are not sent.
    assert_eq!((statistics.packets_received, statistics.packets_played), (10, 10), "{statistics:?}");
    assert_eq!((statistics.recovered_ms, statistics.concealed_ms, statistics.packets_discarded), (0, 0, 0));
}

#[test]
fn after_a_lost_frame_the_packets_of_the_next_one_are_played() {
    let mut voice = Voice::new();
    (0..15).step_by(3).for_each(|number| voice.send_three(number, number != 6));
    let statistics = voice.play(8);
    let all = statistics.packets_played * 20 + statistics.recovered_ms + statistics.concealed_ms;
    assert!((240..=280).contains(&all) && statistics.concealed_ms <= 60, "{statistics:?}");
}

/// The sender has a changed program: it was muted, and sends all the same.
#[test]
fn sound_of_somebody_who_was_muted_is_counted_and_not_heard() {
    let mut voice = Voice::new();
    let may_speak = |voice: &Voice, rights| voice.keys.0.set_rights(vec![(voice.keys.1, rights)]);
    (0..5).for_each(|number| voice.send(number, 0, true));
    may_speak(&voice, Rights::ALL.without(Rights::MICROPHONE));
    (5..25).for_each(|number| voice.send(number, 2, true));
    let counts = |voice: &Voice| {
        let stats = voice.receiver.stats.lock().unwrap();
        let failures = stats.open_failures;
        (stats.opened, failures.not_allowed + failures.not_allowed_unproven, failures.failed())
    };
    assert_eq!(counts(&voice), (5, 20, 0));
    assert_eq!(voice.play(5).packets_received, 5);
    may_speak(&voice, Rights::ALL);
    (25..28).for_each(|number| voice.send(number, 0, true));
    assert_eq!(counts(&voice), (8, 20, 0));
    let signed = voice.receiver.stats.lock().unwrap().open_failures.not_allowed;
    assert!(signed > 0, "its digests show that it has sent it");
}
