//! One person's client: a real `Meeting`, a real key ring, and what the person has seen so far.

use super::media::Voice;
use crypto::{Identity, Profile, Words};
use net::meeting::{Command, Entry, Event, MediaState, Meeting, Notice, Person};
use proto::{Blob, Epoch, ParticipantId, Reason, Up};
use std::time::Instant;

/// How a meeting ended for somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By the meeting's last event.
    Ended(Reason),
    /// The process was killed.
    Killed,
}

/// A client and its person.
pub struct Client {
    /// What the person is called.
    pub name: String,
    /// The machine under test.
    pub meeting: Meeting,
    /// The members, as last told.
    pub people: Vec<Person>,
    /// The words, as last told.
    pub words: Option<Words>,
    /// The epoch of the newest keys.
    pub epoch: Option<Epoch>,
    /// What this client sends.
    pub own: MediaState,
    /// Once it is over.
    pub ending: Option<Ending>,
    /// All notices.
    pub notices: Vec<Notice>,
    /// Who left, whether they were put out, and when this client told so.
    pub left: Vec<(ParticipantId, bool, Instant)>,
    /// Who came in.
    pub joined: Vec<ParticipantId>,
    /// When it was let in.
    pub entered: Option<Instant>,
    /// How many commits it tried.
    pub commits: usize,
    /// What it was called while it was inside.
    pub(super) voice_of: Option<ParticipantId>,
    /// The last commit that was lost on its way.
    pub swallowed: Option<Blob>,
    pub(super) lazy: bool,
    pub(super) voice: Voice,
    /// Whose leaving has not been tried against the keys yet.
    pub(super) untried: Vec<Person>,
    closed: bool,
}

/// What a client starts with.
pub(super) struct Started {
    pub name: String,
    pub now: Instant,
    pub seed: u64,
}

impl Client {
    pub(super) fn new(started: Started, entry: impl FnOnce(Identity, Profile) -> Entry) -> Self {
        let Started { name, now, seed } = started;
        let identity = Identity::generate().expect("the system has randomness");
        let profile = Profile::new(&name).expect("the tests' names are names");
        Self {
            name,
            meeting: Meeting::new(entry(identity, profile), now),
            people: Vec::new(),
            words: None,
            epoch: None,
            own: MediaState::default(),
            ending: None,
            notices: Vec::new(),
            left: Vec::new(),
            joined: Vec::new(),
            entered: None,
            commits: 0,
            voice_of: None,
            swallowed: None,
            lazy: false,
            voice: Voice::new(seed),
            untried: Vec::new(),
            closed: false,
        }
    }

    /// What this client is called on the wire.
    ///
    /// # Panics
    /// Where it is not inside.
    pub fn id(&self) -> ParticipantId {
        self.meeting.me().expect("it is inside")
    }

    /// True for the organiser, as it sees itself.
    pub fn is_organiser(&self) -> bool {
        self.people.iter().any(|person| person.me && person.organiser)
    }

    /// True where `id` is a member, as this client sees it.
    pub fn knows(&self, id: ParticipantId) -> bool {
        self.people.iter().any(|person| person.id == id)
    }

    pub(super) fn wake(&self) -> Option<Instant> {
        if self.ending.is_some() { None } else { self.meeting.poll_timeout() }
    }

    pub(super) fn note(&mut self, command: Command) {
        if let Command::Announce(state) = command {
            self.own = state;
        }
    }

    pub(super) fn kill(&mut self) {
        self.ending = Some(Ending::Killed);
    }

    /// What it says, and whether it closes its connection now.
    pub(super) fn drain(&mut self, now: Instant) -> (Vec<Up>, bool) {
        while let Some(event) = self.meeting.poll_event() {
            self.see(event, now);
        }
        let mut said: Vec<_> = std::iter::from_fn(|| self.meeting.poll_transmit()).collect();
        if self.ending == Some(Ending::Killed) {
            return (Vec::new(), false);
        }
        self.commits += said.iter().filter(|message| matches!(message, Up::Commit { .. })).count();
        if self.lazy {
            let lost = said.extract_if(.., |message| matches!(message, Up::Commit { .. }));
            let blobs =
                lost.filter_map(|message| if let Up::Commit { blob, .. } = message { Some(blob) } else { None });
            self.swallowed = blobs.last().or(self.swallowed.take());
        }
        assert!(said.iter().all(proto::is_sendable), "every message keeps the limits");
        let closing = self.meeting.is_over() && !self.closed;
        self.closed |= closing;
        (said, closing)
    }

    /// Takes in one event, and checks that it comes in its place.
    fn see(&mut self, event: Event, now: Instant) {
        if self.ending == Some(Ending::Killed) {
            return;
        }
        assert_eq!(self.ending, None, "{}: nothing comes behind the last event", self.name);
        match event {
            Event::Approaching | Event::Knocking => assert!(self.entered.is_none()),
            Event::Entered { me } => {
                assert!(self.epoch.is_some() && self.words.is_some(), "keys come before the entry");
                assert_eq!(self.meeting.me(), Some(me));
                self.entered = Some(now);
                self.voice_of = Some(me);
            }
            Event::Members(people) => {
                let leaves: Vec<_> = people.iter().map(|person| person.leaf).collect();
                assert_eq!(leaves, self.voice.leaves(), "{}: members are those who have the keys", self.name);
                assert!(people.windows(2).all(|pair| pair[0].leaf < pair[1].leaf), "one leaf each, in order");
                self.people = people;
            }
            Event::Joined(id) => self.joined.push(id),
            Event::Left { id, removed } => {
                let person = self.people.iter().find(|person| person.id == id).expect("only a member leaves");
                assert!(self.voice.dropped(person.leaf), "the leaf was dropped before");
                self.untried.push(person.clone());
                self.left.push((id, removed, now));
            }
            Event::Keys { keys, removed, leaves, epoch } => {
                assert!(self.epoch.is_none_or(|before| before < epoch), "{}: epochs only go up", self.name);
                self.epoch = Some(epoch);
                self.voice.install(keys, removed, leaves, now);
            }
            Event::Words(words) => self.words = Some(words),
            Event::Ended(reason) => self.ending = Some(Ending::Ended(reason)),
            Event::Notice(notice) => self.notices.push(notice),
        }
    }

    /// The same people with the same names, leaves, roles and states.
    pub(super) fn assert_sees_like(&self, other: &Self) {
        assert_eq!(self.people.len(), other.people.len(), "{} and {} see as many", self.name, other.name);
        for (mine, theirs) in self.people.iter().zip(&other.people) {
            let here = Person { me: false, ..mine.clone() };
            let there = Person { me: false, ..theirs.clone() };
            assert_eq!(here, there, "{} and {} see the same person", self.name, other.name);
            assert_eq!(mine.me, Some(mine.id) == self.meeting.me());
        }
    }
}
