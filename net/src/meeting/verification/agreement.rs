//! Who has the same group as this member, as the beacons show, and of whom nothing is heard. Pure: the caller passes the time
//! and checks the signatures.
//!
//! A server that forks the group gives each half its own commits. Either beacons cross the fork: then they name another
//! state for an epoch of the log that this member knows. Or the server keeps them back: then nothing is heard of members
//! whom it reports as connected, or as absent for too long.

use super::event::Agreement;
use super::silence::{Silence, max_reconnections};
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
    /// When the server last said something that it says all the time.
    alive: Instant,
    /// What the user knows.
    shown: Agreement,
}

/// Another member.
struct Other {
    /// The number of its last beacon.
    counter: u64,
    silence: Silence,
    /// True if its last beacon that could be compared named the same state.
    agrees: bool,
    /// Since when it names another state.
    differs: Option<Instant>,
    /// Since when it names the same state under another epoch of the log.
    misnumbered: Option<Instant>,
    /// What it says of a later epoch of the log, and when it said so first.
    later: Option<Later>,
}

/// What a member says of an epoch of the log that has not begun here.
struct Later {
    epoch: Epoch,
    state: GroupState,
    since: Instant,
    /// The time that own reconnections explain.
    reconnections: Duration,
}

/// What a beacon shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finding {
    /// The same state.
    Same,
    /// The same state, but the log's epoch has another number there: by the server, or the member lies.
    Misnumbered,
    /// Another state.
    Other,
    /// A later epoch of the log.
    Later,
    /// Nothing: this member does not know that epoch.
    Nothing,
}

impl Later {
    fn differs_at(&self) -> Instant {
        self.since + BEHIND_TIMEOUT + self.reconnections
    }
}

impl Other {
    fn new(now: Instant) -> Self {
        let silence = Silence::new(now);
        Self { counter: 0, silence, agrees: false, differs: None, misnumbered: None, later: None }
    }

    fn differs_at(&self) -> Option<Instant> {
        let differs = self.differs.map(|since| since + GRACE);
        differs.into_iter().chain(self.later.as_ref().map(Later::differs_at)).min()
    }

    fn misnumbered_at(&self) -> Option<Instant> {
        self.misnumbered.map(|since| since + BEHIND_TIMEOUT)
    }

    /// Records what a beacon shows. A member that agrees about a later epoch has the same history.
    fn record(&mut self, finding: Finding, now: Instant) {
        match finding {
            Finding::Same => (self.agrees, self.differs, self.misnumbered) = (true, None, None),
            Finding::Misnumbered => {
                (self.agrees, self.differs) = (true, None);
                self.misnumbered.get_or_insert(now);
            }
            Finding::Other => {
                self.agrees = false;
                self.differs.get_or_insert(now);
            }
            Finding::Later | Finding::Nothing => {}
        }
    }
}

impl Watch {
    pub(super) const fn new(now: Instant) -> Self {
        let shown = Agreement { agree: Vec::new(), differ: Vec::new(), unheard: Vec::new(), misnumbered: Vec::new() };
        Self { others: BTreeMap::new(), ended: VecDeque::new(), awake: now, alive: now, shown }
    }

    /// Takes over the members, and which of them are connected and have not left.
    pub(super) fn set_members(&mut self, roster: &Roster, now: Instant) {
        self.handle_awake(now);
        self.others.retain(|id, _| roster.contains(*id) && !roster.is_gone(*id));
        let members = self.members();
        for person in roster.present().filter(|person| !person.me) {
            let other = self.others.entry(person.id).or_insert_with(|| Other::new(now));
            other.silence.set_connected(person.connected, members, now);
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
        let is_known_misnumbered = self.others.get(&from).is_some_and(|other| other.misnumbered.is_some());
        let finding = self.compare((epoch, state), is_known_misnumbered, log, now);
        let at = if finding == Finding::Misnumbered { log.history().newest(state).unwrap_or(epoch.0) } else { epoch.0 };
        let is_old = self.is_old(Epoch(at), log.epoch(), now);
        let other = self.others.get_mut(&from).filter(|other| other.counter < counter)?;
        other.counter = counter;
        if !is_old {
            other.silence.handle_heard(now);
        }
        other.record(finding, now);
        match finding {
            Finding::Same | Finding::Misnumbered => Some(true),
            Finding::Other => Some(false),
            Finding::Later => {
                // The first one counts: if this member never gets the commits before it, somebody keeps them back.
                let later = Later { epoch, state, since: now, reconnections: Duration::ZERO };
                other.later.get_or_insert(later);
                None
            }
            Finding::Nothing => None,
        }
    }

    /// Compares what a member says with the own history.
    fn compare(
        &self,
        (epoch, state): (Epoch, GroupState),
        is_known_misnumbered: bool,
        log: &GroupLog,
        now: Instant,
    ) -> Finding {
        let (mine, current) = (log.history().state(epoch.0), log.epoch());
        if mine == Some(state) {
            return Finding::Same;
        }
        // If this member was in that state as well, the group is not forked there.
        let was_here = log.history().newest(state).filter(|at| !self.is_old(Epoch(*at), current, now));
        match was_here {
            Some(at) if at == current.0 || epoch.0 < at => Finding::Misnumbered,
            // It was sent before the last commits.
            Some(_) if is_known_misnumbered || epoch > current => Finding::Nothing,
            // It has not merged a commit that was merged here.
            Some(_) => Finding::Other,
            None if epoch > current && log.history().newest(state).is_none() => Finding::Later,
            None if epoch > current || mine.is_some() => Finding::Other,
            None => Finding::Nothing,
        }
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
        let is_known = |later: &mut Later| later.epoch <= log.epoch() || log.history().newest(later.state).is_some();
        let mut known = Vec::new();
        for (id, other) in &mut self.others {
            known.extend(other.later.take_if(is_known).map(|later| (*id, later)));
        }
        for (id, Later { epoch, state, .. }) in known {
            let finding = self.compare((epoch, state), false, log, now);
            if let Some(other) = self.others.get_mut(&id) {
                other.record(finding, now);
            }
        }
    }

    /// Handles that the server has pinged.
    pub(super) const fn handle_ping(&mut self, now: Instant) {
        self.alive = now;
    }

    /// Handles a new own connection. Nobody could be heard since the server was last heard on the one before.
    pub(super) fn handle_resumed(&mut self, now: Instant) {
        let pause = now.saturating_duration_since(self.alive);
        (self.awake, self.alive) = (now, now);
        let members = self.members();
        let max = max_reconnections(members);
        for other in self.others.values_mut() {
            other.silence.handle_resumed(pause, members, now);
            if let Some(later) = &mut other.later {
                // The commits that this member missed come now.
                let missing = (now + CATCH_UP_TIMEOUT).saturating_duration_since(later.differs_at() + pause);
                later.reconnections = (later.reconnections + pause + missing).min(max);
            }
        }
    }

    /// Notes that this client does something now. After a sleep, or while the computer is too slow, it has heard nobody through
    /// its own fault.
    pub(super) fn handle_awake(&mut self, now: Instant) {
        let gap = now.saturating_duration_since(self.awake);
        self.awake = now;
        if gap <= SLEEP {
            return;
        }
        self.alive = (self.alive + gap).min(now);
        for other in self.others.values_mut() {
            other.silence.handle_slept(gap, now);
            if let Some(later) = &mut other.later {
                later.since = (later.since + gap).min(now);
            }
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
        for (id, other) in &mut self.others {
            let is_unheard = other.silence.check(members, now);
            if other.differs_at().is_some_and(|at| at <= now) {
                next.differ.push(*id);
                continue;
            }
            if other.misnumbered_at().is_some_and(|at| at <= now) {
                next.misnumbered.push(*id);
            }
            if is_unheard {
                next.unheard.push(*id);
            } else if other.agrees {
                next.agree.push(*id);
            }
        }
        let is_news = [(&next.differ, &self.shown.differ), (&next.unheard, &self.shown.unheard)]
            .into_iter()
            .chain([(&next.misnumbered, &self.shown.misnumbered)])
            .any(|(next, shown)| next != shown);
        if is_news {
            self.shown.clone_from(&next);
        }
        is_news.then_some(next)
    }

    /// Returns when [`Self::update`] may have news, or at the latest when this client has to be awake.
    pub(super) fn deadline(&self) -> Instant {
        let members = self.members();
        let news = |(id, other): (&ParticipantId, &Other)| {
            let is_shown = self.shown.differ.contains(id);
            let differs = other.differs_at().filter(|_| !is_shown);
            let misnumbered = other.misnumbered_at().filter(|_| !is_shown && !self.shown.misnumbered.contains(id));
            let unheard = (!is_shown && !self.shown.unheard.contains(id)).then(|| other.silence.due(members));
            differs.into_iter().chain(misnumbered).chain(unheard).min()
        };
        self.others.iter().filter_map(news).chain([self.awake + AWAKE_INTERVAL]).min().unwrap_or(self.awake)
    }

    fn members(&self) -> u32 {
        u32::try_from(self.others.len() + 1).unwrap_or(u32::MAX)
    }
}

/// How long a difference may last without an alarm. A member that was cut off by somebody's invalid commit learns it from a
/// manager's beacon within a round trip, and joins again.
const GRACE: Duration = Duration::from_secs(1);

/// How long this member may lack a commit that another one has.
const BEHIND_TIMEOUT: Duration = Duration::from_secs(20);

/// How long the commits that this member missed may take after its connection was resumed.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(10);

/// How long after the end of an epoch a beacon about it still shows that its author gets what the others get.
const OLD_TIMEOUT: Duration = Duration::from_secs(20);

/// This client does something at least as often while it is in a meeting.
const AWAKE_INTERVAL: Duration = Duration::from_secs(5);

/// After this time without anything, this client has slept. A server that is silent for so long loses the connection.
const SLEEP: Duration = Duration::from_secs(10);

/// How many ended epochs are remembered.
const MAX_ENDED: usize = 128;
