//! Who has the same group as this member, as the beacons show, and of whom nothing is heard. Pure: the caller passes the time
//! and checks the signatures.
//!
//! A server that forks the group gives each half its own commits. Either beacons cross the fork: then they name another
//! state for an epoch of the log that this member knows. Or the server keeps them back: then nothing is heard of members
//! whom it reports as connected.

use super::beacons::{ALL_SEND, interval};
use super::event::Agreement;
use crate::meeting::group_log::GroupLog;
use crate::meeting::history::GroupState;
use crate::meeting::roster::Roster;
use proto::{Epoch, ParticipantId};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// What is known of the other members' groups.
pub(super) struct Watch {
    others: BTreeMap<ParticipantId, Other>,
    /// The log's epochs that have ended, and when. The newest is last.
    ended: VecDeque<(u64, Instant)>,
    /// When this client last did anything.
    awake: Instant,
    /// What the user knows.
    shown: Agreement,
}

/// Another member.
struct Other {
    /// The number of its last beacon.
    counter: u64,
    /// True while the server reports it as connected.
    connected: bool,
    /// When something new was heard of it, or since when it should be heard.
    heard: Instant,
    /// True if its last beacon that could be compared named the same state.
    agrees: bool,
    /// Since when it names another state.
    differs: Option<Instant>,
    /// What it says of a later epoch of the log, and when it said so first.
    later: Option<(Epoch, GroupState, Instant)>,
}

impl Other {
    fn new(now: Instant) -> Self {
        Self { counter: 0, connected: true, heard: now, agrees: false, differs: None, later: None }
    }

    fn differs_at(&self) -> Option<Instant> {
        let differs = self.differs.map(|since| since + GRACE);
        let later = self.later.map(|(.., since)| since + BEHIND_TIMEOUT);
        differs.into_iter().chain(later).min()
    }

    fn unheard_at(&self, members: u32) -> Option<Instant> {
        self.connected.then(|| self.heard + silence_timeout(members))
    }
}

impl Watch {
    pub(super) const fn new(now: Instant) -> Self {
        let shown = Agreement { agree: Vec::new(), differ: Vec::new(), unheard: Vec::new() };
        Self { others: BTreeMap::new(), ended: VecDeque::new(), awake: now, shown }
    }

    /// Takes over the members, and which of them are connected and have not left.
    pub(super) fn set_members(&mut self, roster: &Roster, now: Instant) {
        self.others.retain(|id, _| roster.contains(*id) && !roster.is_gone(*id));
        for person in roster.present().filter(|person| !person.me) {
            let other = self.others.entry(person.id).or_insert_with(|| Other::new(now));
            if person.connected && !other.connected {
                other.heard = now;
            }
            other.connected = person.connected;
        }
    }

    /// Handles a signed beacon of a member. Returns whether it names the same state as this member has at that epoch: `None`
    /// if it is old, or about an epoch that this member does not know.
    pub(super) fn handle_beacon(
        &mut self,
        from: ParticipantId,
        (counter, epoch, state): (u64, Epoch, GroupState),
        log: &GroupLog,
        now: Instant,
    ) -> Option<bool> {
        let is_old = self.is_old(epoch, log.epoch(), now);
        let other = self.others.get_mut(&from).filter(|other| other.counter < counter)?;
        other.counter = counter;
        if !is_old {
            other.heard = now;
        }
        if epoch > log.epoch() {
            // The first one counts: if this member never gets the commits before it, somebody keeps them back.
            other.later.get_or_insert((epoch, state, now));
            return None;
        }
        let agrees = agrees(log, epoch, state)?;
        compare(other, agrees, now);
        Some(agrees)
    }

    /// Returns true if an epoch of the log has ended so long ago that a member in it does not get what the others get.
    fn is_old(&self, epoch: Epoch, current: Epoch, now: Instant) -> bool {
        let ended = self.ended.iter().find(|(ended, _)| *ended >= epoch.0);
        epoch < current && ended.is_none_or(|(_, at)| now >= *at + OLD_TIMEOUT)
    }

    /// Handles that an epoch of the log has ended here: what others have said about the new one can be compared.
    pub(super) fn handle_epoch(&mut self, log: &GroupLog, now: Instant) {
        self.ended.push_back((log.epoch().0.saturating_sub(1), now));
        if self.ended.len() > MAX_ENDED {
            self.ended.pop_front();
        }
        for other in self.others.values_mut() {
            if let Some((epoch, state, _)) = other.later.take_if(|later| later.0 <= log.epoch())
                && let Some(agrees) = agrees(log, epoch, state)
            {
                compare(other, agrees, now);
            }
        }
    }

    /// Handles the end of the own connection: nobody can be heard.
    pub(super) fn handle_resumed(&mut self, now: Instant) {
        for other in self.others.values_mut() {
            (other.heard, other.later) = (now, None);
        }
    }

    /// Notes that this client does something now. After a sleep, or while the computer is too slow, it has heard nobody through
    /// its own fault.
    pub(super) fn handle_awake(&mut self, now: Instant) {
        let slept = now.saturating_duration_since(self.awake) > SLEEP;
        self.awake = now;
        if slept {
            self.handle_resumed(now);
        }
    }

    /// Returns true if other members have another group.
    pub(super) const fn is_forked(&self) -> bool {
        !self.shown.differ.is_empty()
    }

    /// Returns what the user knows.
    pub(super) const fn shown(&self) -> &Agreement {
        &self.shown
    }

    /// Returns the agreement if the user has to be told: other members differ, or are not heard, than before.
    pub(super) fn update(&mut self, now: Instant) -> Option<Agreement> {
        let members = self.members();
        let mut next = Agreement::default();
        for (id, other) in &self.others {
            if other.differs_at().is_some_and(|at| at <= now) {
                next.differ.push(*id);
            } else if other.unheard_at(members).is_some_and(|at| at <= now) {
                next.unheard.push(*id);
            } else if other.agrees {
                next.agree.push(*id);
            }
        }
        let is_news = (&next.differ, &next.unheard) != (&self.shown.differ, &self.shown.unheard);
        if is_news {
            self.shown.clone_from(&next);
        }
        is_news.then_some(next)
    }

    /// Returns when [`Self::update`] may have news, or at the latest when this client has to be awake.
    pub(super) fn deadline(&self) -> Instant {
        let members = self.members();
        let news = |(id, other): (&ParticipantId, &Other)| {
            let differs = other.differs_at().filter(|_| !self.shown.differ.contains(id));
            let is_shown = self.shown.unheard.contains(id) || self.shown.differ.contains(id);
            let unheard = other.unheard_at(members).filter(|_| !is_shown);
            differs.into_iter().chain(unheard).min()
        };
        self.others.iter().filter_map(news).chain([self.awake + AWAKE_INTERVAL]).min().unwrap_or(self.awake)
    }

    fn members(&self) -> u32 {
        u32::try_from(self.others.len() + 1).unwrap_or(u32::MAX)
    }
}

/// Returns whether the state of the group was this one at an epoch of the log; `None` if that is not known here.
fn agrees(log: &GroupLog, epoch: Epoch, state: GroupState) -> Option<bool> {
    log.history().state(epoch.0).map(|mine| mine == state)
}

/// Records whether a member names the same state. A member that agrees about a later epoch has the same history.
fn compare(other: &mut Other, agrees: bool, now: Instant) {
    other.agrees = agrees;
    if agrees {
        other.differs = None;
    } else {
        other.differs.get_or_insert(now);
    }
}

/// Returns how long a connected member may be silent: two of its intervals, and time for the server to notice that its
/// connection is lost.
pub(super) fn silence_timeout(members: u32) -> Duration {
    2 * interval(members.max(ALL_SEND)) + LOSS_TIMEOUT
}

/// How long a difference may last without an alarm. A member that was cut off by somebody's invalid commit learns it from a
/// manager's beacon within a round trip, and joins again.
const GRACE: Duration = Duration::from_secs(1);

/// How long this member may lack a commit that another one has.
const BEHIND_TIMEOUT: Duration = Duration::from_secs(20);

/// How long after the end of an epoch a beacon about it still shows that its author gets what the others get.
const OLD_TIMEOUT: Duration = Duration::from_secs(20);

/// The server notices a lost connection after ten seconds. Some more for a slow network.
const LOSS_TIMEOUT: Duration = Duration::from_secs(15);

/// This client does something at least as often while it is in a meeting.
const AWAKE_INTERVAL: Duration = Duration::from_secs(5);

/// After this time without anything, this client has slept. A server that is silent for so long loses the connection.
const SLEEP: Duration = Duration::from_secs(10);

/// How many ended epochs are remembered.
const MAX_ENDED: usize = 128;
