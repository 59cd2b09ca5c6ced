//! One client: a real `Meeting`, a real key ring, and the events so far.

use super::chat::ChatList;
use super::media::MediaEndpoint;
use super::wall::WallTime;
use crypto::{Identity, Profile, Words};
use net::meeting::{Command, Entry, Event, LobbyEvent, MediaState, Meeting, Member, Notice, PolicyState};
use proto::{Blob, Epoch, ManagerCommand, ParticipantId, Reason, Up};
use std::time::Instant;

/// How a meeting ended for a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The meeting sent its last event.
    Ended(Reason),
    /// The process was killed.
    Killed,
}

/// A client of the simulation.
pub struct Client {
    /// The user's name.
    pub name: String,
    /// The state machine under test.
    pub meeting: Meeting,
    /// The members, from the newest event.
    pub people: Vec<Member>,
    /// The policy, from the newest event.
    pub policy: Option<PolicyState>,
    /// The people whose hands are up, from the newest event.
    pub hands: Vec<ParticipantId>,
    /// The words, from the newest event.
    pub words: Option<Words>,
    /// The epoch of the newest keys.
    pub epoch: Option<Epoch>,
    /// The state of its camera, microphone and screen.
    pub own: MediaState,
    /// How the meeting ended; `None` until it does.
    pub ending: Option<Ending>,
    /// All notices.
    pub notices: Vec<Notice>,
    /// What shows whether all are in the same group, since the last check of the invariants.
    pub(super) verification: Vec<net::meeting::verification::Event>,
    /// Who left, whether they were removed, and when this client reported it.
    pub left: Vec<(ParticipantId, bool, Instant)>,
    /// Who joined.
    pub joined: Vec<ParticipantId>,
    /// When it was admitted.
    pub entered: Option<Instant>,
    /// How many commits it sent.
    pub commits: usize,
    /// Its participant id. Stays set after the meeting ends.
    pub(super) past_id: Option<ParticipantId>,
    /// True after new keys, until the invariants are checked.
    pub(super) has_new_keys: bool,
    /// The last commit that the simulation lost.
    pub dropped_commit: Option<Blob>,
    /// True if the simulation loses its commits.
    pub(super) drops_commits: bool,
    pub(super) media: MediaEndpoint,
    /// Members that left, whose keys have not been checked yet.
    pub(super) unchecked_departures: Vec<Member>,
    closed: bool,
    /// How often it lost the connection or the group.
    pub reconnecting: usize,
    /// When it lost the connection or the group; `None` while it has both.
    pub out_since: Option<Instant>,
    /// Who waits for the organiser's decision.
    pub asking: Vec<ParticipantId>,
    /// How often the link has changed.
    pub links: usize,
    /// The lines of the chat.
    pub chat: ChatList,
}

/// What a client does with its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    No,
    /// It closes the connection.
    Over,
    /// It closes the connection, and opens another one.
    Reconnect,
}

/// Returns the commit in a message.
fn commit_of(message: &Up) -> Option<Blob> {
    if let Up::Commit { blob, .. } = message {
        return Some(blob.clone());
    }
    let Up::Manage { command, .. } = message else { return None };
    if let Ok(ManagerCommand::Commit { blob, .. }) = proto::decode(&command.0) { Some(blob) } else { None }
}

/// The parameters of a new client.
pub(super) struct Started {
    pub name: String,
    pub now: Instant,
    pub seed: u64,
    /// The client's clock.
    pub wall: WallTime,
}

impl Client {
    pub(super) fn new(started: Started, entry: impl FnOnce(Identity, Profile) -> Entry) -> Self {
        let Started { name, now, seed, wall } = started;
        let identity = Identity::generate().expect("the system has randomness");
        let profile = Profile::new(&name).expect("names in tests are valid");
        Self {
            name,
            meeting: Meeting::new(entry(identity, profile), Box::new(move |now| wall.at(now)), now),
            people: Vec::new(),
            policy: None,
            hands: Vec::new(),
            words: None,
            epoch: None,
            own: MediaState::default(),
            ending: None,
            notices: Vec::new(),
            verification: Vec::new(),
            left: Vec::new(),
            joined: Vec::new(),
            entered: None,
            commits: 0,
            past_id: None,
            has_new_keys: false,
            dropped_commit: None,
            drops_commits: false,
            media: MediaEndpoint::new(seed),
            unchecked_departures: Vec::new(),
            closed: false,
            reconnecting: 0,
            out_since: None,
            asking: Vec::new(),
            links: 0,
            chat: ChatList::default(),
        }
    }

    /// Returns the client's participant id.
    ///
    /// # Panics
    /// Panics if it is not a member.
    pub fn id(&self) -> ParticipantId {
        self.meeting.me().expect("it is a member")
    }

    /// Returns the client's last participant id.
    ///
    /// # Panics
    /// Panics if it was never a member.
    pub fn past_id(&self) -> ParticipantId {
        self.past_id.expect("it was a member")
    }

    /// Returns whether this client lists itself as the organiser.
    pub fn is_organiser(&self) -> bool {
        self.people.iter().any(|person| person.me && person.is_organiser())
    }

    /// Returns whether this client lists `id` as a member.
    pub fn knows(&self, id: ParticipantId) -> bool {
        self.people.iter().any(|person| person.id == id)
    }

    pub(super) fn timeout(&self) -> Option<Instant> {
        if self.ending.is_some() { None } else { self.meeting.poll_timeout() }
    }

    pub(super) fn note_command(&mut self, command: &Command) {
        if let Command::Announce(state) = command {
            self.own = *state;
        }
    }

    pub(super) fn kill(&mut self) {
        self.ending = Some(Ending::Killed);
    }

    /// Returns the messages that it sends, and what it does with its connection after them.
    pub(super) fn drain(&mut self, now: Instant) -> (Vec<Up>, Closing) {
        while let Some(event) = self.meeting.poll_event() {
            self.handle_event(event, now);
        }
        let mut messages: Vec<_> = std::iter::from_fn(|| self.meeting.poll_transmit()).collect();
        if self.ending == Some(Ending::Killed) {
            return (Vec::new(), Closing::No);
        }
        self.commits += messages.iter().filter_map(commit_of).count();
        if self.drops_commits {
            let lost: Vec<_> = messages.extract_if(.., |message| commit_of(message).is_some()).collect();
            self.dropped_commit = lost.iter().rev().find_map(commit_of).or(self.dropped_commit.take());
        }
        assert!(messages.iter().all(proto::is_sendable), "a message exceeds the limits");
        let over = self.meeting.is_over() && !self.closed;
        self.closed |= over;
        let closing = match (over, self.meeting.poll_reconnect()) {
            (true, _) => Closing::Over,
            (false, true) => Closing::Reconnect,
            (false, false) => Closing::No,
        };
        (messages, closing)
    }

    /// Stores one event, and checks that it comes in the right order.
    fn handle_event(&mut self, event: Event, now: Instant) {
        if self.ending == Some(Ending::Killed) {
            return;
        }
        assert_eq!(self.ending, None, "{}: an event follows the end of the meeting", self.name);
        match event {
            Event::Approaching | Event::Knocking => assert!(self.entered.is_none()),
            Event::Reconnecting => {
                self.reconnecting += 1;
                self.out_since = Some(now);
            }
            Event::Reconnected { me } => (self.past_id, self.out_since) = (Some(me), None),
            // A client that is sent back has no keys, and begins again.
            Event::Lobby(LobbyEvent::SentBack) => {
                (self.entered, self.epoch, self.words, self.chat) = (None, None, None, ChatList::default());
                self.people.clear();
                self.asking.clear();
                self.media.restart();
            }
            Event::AsksToJoin { id, .. } => self.asking.push(id),
            Event::StoppedAsking(id) => self.asking.retain(|asking| *asking != id),
            Event::LinkChanged => self.links += 1,
            Event::Entered { me } => {
                assert!(self.epoch.is_some() && self.words.is_some(), "keys come before `Entered`");
                assert_eq!(self.meeting.me(), Some(me));
                self.entered = Some(now);
                self.past_id = Some(me);
            }
            Event::Members(people) => {
                let leaves: Vec<_> = people.iter().map(|person| person.leaf).collect();
                assert_eq!(leaves, self.media.leaves(), "{}: the members are not those of the keys", self.name);
                assert!(
                    people.windows(2).all(|pair| pair[0].leaf < pair[1].leaf),
                    "leaves are not unique or not in order"
                );
                self.people = people;
            }
            Event::Joined(id) => self.joined.push(id),
            Event::Left { id, removed } => {
                let person = self.people.iter().find(|person| person.id == id).expect("only a member leaves");
                assert!(self.media.dropped(person.leaf), "the keys still hold the leaf");
                self.unchecked_departures.push(person.clone());
                self.left.push((id, removed, now));
            }
            Event::Keys { keys, removed, leaves, epoch, rejoined } => {
                self.handle_epoch(epoch, rejoined);
                let leaves = leaves.into_iter().map(|(leaf, _)| leaf).collect();
                if rejoined {
                    self.media.install_again(keys, removed, leaves);
                } else {
                    self.media.install(keys, removed, leaves, now);
                }
            }
            Event::Policy(policy) => self.policy = Some(policy),
            Event::Chat(event) => self.chat.handle(event),
            Event::Hands(hands) => self.hands = hands,
            Event::Lobby(_) | Event::OwnRightsChanged { .. } | Event::HandLowered { .. } | Event::Malformed { .. } => {}
            Event::Verification(event) => self.verification.push(event),
            Event::Words(words) => self.words = Some(words),
            Event::Ended(reason) => self.ending = Some(Ending::Ended(reason)),
            Event::Notice(notice) => self.notices.push(notice),
        }
    }

    fn handle_epoch(&mut self, epoch: Epoch, rejoined: bool) {
        let increases = self.epoch.is_none_or(|before| before < epoch);
        assert!(increases || rejoined, "{}: the epoch increases", self.name);
        self.epoch = Some(epoch);
        self.has_new_keys = true;
    }

    /// Asserts that both list the same people with the same names, leaves, roles and states.
    pub(super) fn assert_same_people(&self, other: &Self) {
        assert_eq!(
            self.people.len(),
            other.people.len(),
            "{} and {} list different numbers of people",
            self.name,
            other.name
        );
        for (mine, theirs) in self.people.iter().zip(&other.people) {
            let here = Member { me: false, ..mine.clone() };
            let there = Member { me: false, ..theirs.clone() };
            assert_eq!(here, there, "{} and {} list a person differently", self.name, other.name);
            assert_eq!(mine.me, Some(mine.id) == self.meeting.me());
        }
    }
}
