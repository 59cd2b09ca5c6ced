//! The voices that arrive on shared media descriptions: the queue of each, and which have begun. Pure: the caller passes the time.
//!
//! The SFU names the owner of each packet (CSRC). Nothing depends on that name but the queue: the reader of a voice opens only
//! frames that this owner has sealed.

use super::inbound_stats::{InboundRtpMeter, InboundRtpStats};
use crypto::ReceivedFrame;
use media::{Receiver, Sender, bounded};
use proto::{Kind, MAX_SHARED_VOICES, ParticipantId};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// The voices of one session.
#[derive(Default)]
pub struct SharedVoices {
    /// Who may have a voice. The SFU can name anybody.
    members: HashSet<ParticipantId>,
    voices: HashMap<ParticipantId, Voice>,
    /// The newest packet of each shared stream, by SSRC, and its owner. There are at most as many as shared descriptions.
    turns: HashMap<u32, (u64, ParticipantId)>,
    /// Voices whose reader has not been taken, also those of people who are no members yet. Each is in `voices`.
    begun: Vec<(ParticipantId, Receiver<ReceivedFrame>)>,
}

struct Voice {
    frames: Sender<ReceivedFrame>,
    /// The stream on which it arrived last.
    stream: u32,
    /// The wrapping difference between the numbers of that stream and those of the voice.
    offset: u64,
    /// The next number.
    next: u64,
    /// When a packet arrived last.
    last: Instant,
    meter: InboundRtpMeter,
}

/// How a packet of a voice has arrived.
#[derive(Clone, Copy)]
struct Source {
    stream: u32,
    /// True if the packet before it on this stream is of another voice.
    begins: bool,
    is_retransmitted: bool,
}

impl Voice {
    fn handle_packet(&mut self, source: Source, frame: ReceivedFrame) -> u64 {
        let Source { stream, begins, is_retransmitted } = source;
        self.last = frame.received;
        if begins || self.stream != stream {
            (self.stream, self.offset) = (stream, frame.sequence.wrapping_sub(self.next));
        }
        let own = frame.sequence.wrapping_sub(self.offset);
        self.next = self.next.max(own.saturating_add(1));
        if !is_retransmitted {
            // The meter extends the low bits, as it does those of a stream.
            let sequence = u16::try_from(own & u64::from(u16::MAX)).unwrap_or_default();
            self.meter.handle_packet(sequence, frame.header.rtp_time, frame.received);
        }
        drop(self.frames.try_send(ReceivedFrame { sequence: own, ..frame }));
        own
    }
}

impl SharedVoices {
    /// Sets who is a member. The voice of somebody else begins only when that person becomes one: media may overtake the commit
    /// that adds its owner.
    pub fn set_members(&mut self, members: &HashSet<ParticipantId>) {
        self.members.clone_from(members);
    }

    /// Handles packet `frame.sequence` of the shared stream `stream`, which `owner` has sent, and queues its frame for the reader. Drops
    /// the frame if the queue is full: then the sound in it is late already. Returns its number among those of the voice, in which
    /// other voices leave no gap.
    pub fn handle_packet(
        &mut self,
        owner: ParticipantId,
        stream: u32,
        is_retransmitted: bool,
        frame: ReceivedFrame,
    ) -> u64 {
        let number = frame.sequence;
        let turn = self.turns.get(&stream).copied();
        let is_late = turn.is_some_and(|(newest, _)| number < newest);
        if !is_late {
            self.turns.insert(stream, (number, owner));
        }
        let begins = !is_late && turn.is_none_or(|(_, before)| before != owner);
        let source = Source { stream, begins, is_retransmitted };
        if let Some(voice) = self.voices.get_mut(&owner) {
            return voice.handle_packet(source, frame);
        }
        self.make_room(self.members.contains(&owner));
        let (frames, reader) = bounded(MAX_SOUND);
        self.begun.push((owner, reader));
        let (meter, last) = (InboundRtpMeter::new(Kind::Audio), frame.received);
        let voice = Voice { frames, stream, offset: number, next: 0, last, meter };
        self.voices.entry(owner).or_insert(voice).handle_packet(source, frame)
    }

    /// Returns how the packets of a voice arrived. `None` if it has no queue.
    pub fn inbound_stats(&self, owner: ParticipantId) -> Option<InboundRtpStats> {
        self.voices.get(&owner).map(|voice| voice.meter.stats())
    }

    /// Returns true if the voice of a member has begun whose reader was not taken.
    pub fn has_begun(&self) -> bool {
        self.begun.iter().any(|(owner, _)| self.members.contains(owner))
    }

    /// Takes the readers of the voices of members that have begun.
    pub fn take_begun(&mut self) -> Vec<(ParticipantId, Receiver<ReceivedFrame>)> {
        self.begun.extract_if(.., |(owner, _)| self.members.contains(owner)).collect()
    }

    /// Ends a voice. It begins again with its next packet.
    pub fn end(&mut self, owner: ParticipantId) {
        self.voices.remove(&owner);
        self.begun.retain(|(begun, _)| *begun != owner);
    }

    /// Returns whether a voice has a queue, and something of it has arrived in the last 30 s. The caller ends others, because each
    /// costs a decoder.
    pub fn is_active(&self, owner: ParticipantId, now: Instant) -> bool {
        self.voices.get(&owner).is_some_and(|voice| now.saturating_duration_since(voice.last) < IDLE_TIMEOUT)
    }

    /// Ends the voice that was heard longest ago if there is no room for another one of a member, or of somebody else.
    fn make_room(&mut self, of_member: bool) {
        let same = |owner: &ParticipantId| self.members.contains(owner) == of_member;
        let max = if of_member { MAX_VOICES } else { MAX_EARLY_VOICES };
        let voices = self.voices.iter().filter(|(owner, _)| same(owner));
        let oldest = voices.clone().min_by_key(|(_, voice)| voice.last).map(|(owner, _)| *owner);
        if let Some(oldest) = oldest.filter(|_| voices.count() >= max) {
            self.end(oldest);
        }
    }
}

/// The maximum number of voices of members that have a queue. The server forwards a few at once; the others were heard a short time
/// ago.
const MAX_VOICES: usize = 64;

/// The same for people who are no members yet: as many as can begin at once.
const MAX_EARLY_VOICES: usize = MAX_SHARED_VOICES;

/// A voice of which nothing has arrived for this time ends.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes of sound that may wait for their reader: about 1.5 seconds.
pub const MAX_SOUND: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crypto::Header;
    use media::{Buffer, Layer, Size};
    use proto::Slot;

    const ANNA: ParticipantId = ParticipantId(1);
    const BEN: ParticipantId = ParticipantId(2);

    /// Returns the voices of a meeting of two.
    fn voices() -> SharedVoices {
        SharedVoices { members: [ANNA, BEN].into(), ..SharedVoices::default() }
    }

    /// Handles a packet. Returns its number among those of the voice.
    fn number(voices: &mut SharedVoices, owner: ParticipantId, (stream, number): (u32, u64), now: Instant) -> u64 {
        voices.handle_packet(owner, stream, false, frame(number, now))
    }

    fn frame(sequence: u64, received: Instant) -> ReceivedFrame {
        let header = Header {
            slot: Slot::Microphone,
            layer: Layer::default(),
            size: Size::default(),
            key: true,
            discardable: false,
            rtp_time: 0,
            voice: false,
        };
        ReceivedFrame { header, bytes: Buffer::unpooled(b"sound"), sequence, received }
    }

    #[test]
    fn other_voices_on_the_stream_leave_no_gap_and_lost_packets_do() {
        let (mut voices, now) = (voices(), Instant::now());
        let mut number = |owner, stream, packet| number(&mut voices, owner, (stream, packet), now);
        assert_eq!([10, 11, 13].map(|packet| number(ANNA, 7, packet)), [0, 1, 3]);
        assert_eq!([14, 15].map(|packet| number(BEN, 7, packet)), [0, 1]);
        assert_eq!([16, 18].map(|packet| number(ANNA, 7, packet)), [4, 6]);
        assert_eq!((number(BEN, 7, 17), number(ANNA, 7, 17)), (3, 5), "late packets");
        assert_eq!([90, 91].map(|packet| number(ANNA, 8, packet)), [7, 8], "it has another slot now");
    }

    #[test]
    fn a_voice_begins_once_with_the_frames_that_arrive_before_its_reader_is_taken() {
        let (mut voices, now) = (voices(), Instant::now());
        for packet in 0..3 {
            number(&mut voices, ANNA, (7, packet), now);
        }
        assert!(voices.has_begun());
        let begun = voices.take_begun();
        let [(ANNA, reader)] = &begun[..] else { panic!("{} have begun", begun.len()) };
        assert_eq!(std::iter::from_fn(|| reader.try_recv()).map(|frame| frame.sequence).collect::<Vec<_>>(), [0, 1, 2]);
        number(&mut voices, ANNA, (7, 3), now);
        assert!(!voices.has_begun() && reader.try_recv().is_some());
    }

    #[test]
    fn an_idle_voice_ends_and_begins_again_with_its_next_packet() {
        let (mut voices, start) = (voices(), Instant::now());
        number(&mut voices, ANNA, (7, 0), start);
        let reader = voices.take_begun().pop().expect("it has begun").1;
        assert!(voices.is_active(ANNA, start + Duration::from_secs(29)));
        assert!(!voices.is_active(ANNA, start + IDLE_TIMEOUT) && !voices.is_active(BEN, start));
        voices.end(ANNA);
        assert!(reader.try_recv().is_some() && reader.is_ended());
        number(&mut voices, ANNA, (7, 1), start + IDLE_TIMEOUT);
        assert!(voices.has_begun());
    }

    #[test]
    fn a_server_that_names_people_who_are_no_members_begins_and_ends_no_voice() {
        let (mut voices, now) = (voices(), Instant::now());
        number(&mut voices, ANNA, (7, 0), now);
        assert_eq!(voices.take_begun().len(), 1);
        for owner in 10..10_000 {
            number(&mut voices, ParticipantId(owner), (7, owner), now + Duration::from_millis(owner));
            assert!(!voices.has_begun() && voices.take_begun().is_empty());
            assert!(voices.voices.len() <= 1 + MAX_EARLY_VOICES && voices.begun.len() <= MAX_EARLY_VOICES);
        }
        assert!(voices.is_active(ANNA, now + Duration::from_secs(10)), "strangers take no place of a member");
    }

    #[test]
    fn the_voice_of_a_newcomer_begins_with_its_first_packet_when_the_commit_that_adds_it_arrives() {
        let (mut voices, now) = (SharedVoices { members: [BEN].into(), ..SharedVoices::default() }, Instant::now());
        for packet in 0..3 {
            number(&mut voices, ANNA, (7, packet), now);
        }
        assert!(voices.take_begun().is_empty());
        voices.set_members(&[ANNA, BEN].into());
        let (owner, reader) = voices.take_begun().pop().expect("it has begun");
        assert_eq!((owner, reader.try_recv().map(|frame| frame.sequence)), (ANNA, Some(0)));
    }

    #[test]
    fn endless_voices_of_members_fill_no_memory() {
        let (mut voices, now) = (SharedVoices::default(), Instant::now());
        voices.set_members(&(0..10_000).map(ParticipantId).collect());
        for owner in 0..10_000 {
            number(&mut voices, ParticipantId(owner), (7, owner), now + Duration::from_millis(owner));
            assert!(voices.voices.len() <= MAX_VOICES && voices.begun.len() <= MAX_VOICES);
        }
        assert_eq!(voices.turns.len(), 1);
        assert!(voices.voices.contains_key(&ParticipantId(9_999)));
    }
}
