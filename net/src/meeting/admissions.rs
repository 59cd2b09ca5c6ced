//! Admits participants who knock. Only a manager can read their requests.

use super::Event;
use super::context::Context;
use super::group_log::GroupLog;
use super::outputs::Outputs;
use super::refusals::Refusals;
use super::removals::Removals;
use super::roster::Roster;
use super::timing::ADMISSION_INTERVAL;
use crypto::group::edits;
use crypto::{Changes, DeviceKey, KnockRequest, Leaf, MeetingPolicy, admission_key};
use proto::{Blob, MAX_MEMBERS, MAX_WELCOMES, MeetingFlags, ParticipantId, Refusal, Rights};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Participants who knocked and are not members yet.
pub(super) struct Admissions {
    /// In the order of arrival.
    waiting: Vec<Knock>,
    /// Requests that this client cannot open or may not decide: it may become a manager, or be one again, later. The server
    /// does not repeat them then.
    sealed: BTreeMap<ParticipantId, Blob>,
    /// How many to admit with one commit. It is halved after a commit that could not be made, to find the request that
    /// is the cause.
    batch: usize,
    /// The devices of all members so far: they are admitted again with any link.
    known: BTreeSet<DeviceKey>,
    refusals: Refusals,
}

struct Knock {
    request: KnockRequest,
    /// True if a rule or the user admits it, false if the user is asked.
    admitted: bool,
    /// True if the user was asked.
    asked: bool,
    /// When this client admits it.
    due: Instant,
    /// True after the connection was resumed, until the server says again that the participant waits.
    stale: bool,
}

impl Knock {
    fn participant(&self) -> ParticipantId {
        self.request.participant()
    }
}

impl Admissions {
    pub(super) fn new() -> Self {
        Self {
            waiting: Vec::new(),
            sealed: BTreeMap::new(),
            batch: MAX_WELCOMES,
            known: BTreeSet::new(),
            refusals: Refusals::default(),
        }
    }

    /// Keeps a request, or refuses it if it is not valid. The server limits how many wait. Requests beyond this
    /// client's own limit are dropped.
    pub(super) fn handle_knock(
        &mut self,
        participant: ParticipantId,
        request: &Blob,
        (log, roster): (&GroupLog, &Roster),
        removals: &Removals,
        context: &mut Context<'_>,
    ) {
        if let Some(known) = self.waiting.iter_mut().find(|knock| knock.participant() == participant) {
            known.stale = false;
            return;
        }
        if self.refusals.contains(participant) {
            return;
        }
        if !may_decide(log, context) {
            if self.sealed.len() < MAX_MEMBERS {
                self.sealed.insert(participant, request.clone());
            }
            return;
        }
        let Some(manager) = context.manager.as_mut() else { return };
        let policy = log.group().policy();
        let why = match manager.keys_mut().open(&request.0, context.wall) {
            // A request is valid for one connection: a copy sent over another one is refused.
            Ok(opened) if opened.participant() != participant => Refusal::Declined,
            Ok(opened) if policy.is_barred(opened.device()) => Refusal::Removed,
            Ok(opened) if removals.is_distrusted(opened.device()) => Refusal::Declined,
            Ok(_) if policy.flags().contains(MeetingFlags::LOCKED) => Refusal::Locked,
            Ok(opened) => {
                let due = context.now + ADMISSION_INTERVAL * roster.rank();
                let has_waiting_room = policy.flags().contains(MeetingFlags::WAITING_ROOM);
                return self.keep(opened, has_waiting_room, due, context.outputs);
            }
            Err(admission_key::Error::Clock { ahead }) => Refusal::Clock { ahead },
            Err(_) => Refusal::Declined,
        };
        self.refusals.refuse(participant, why, context);
    }

    /// Opens the requests that this client may decide now. A request can be opened once, so one that it had opened before is kept open.
    pub(super) fn open_sealed(
        &mut self,
        (log, roster): (&GroupLog, &Roster),
        removals: &Removals,
        context: &mut Context<'_>,
    ) {
        let is_asked = |knock: &Knock| knock.admitted || knock.asked;
        if self.sealed.is_empty() && self.waiting.iter().all(is_asked) || !may_decide(log, context) {
            return;
        }
        for knock in self.waiting.iter_mut().filter(|knock| !knock.admitted && !knock.asked) {
            knock.asked = true;
            context.outputs.event(asks(&knock.request));
        }
        for (participant, request) in std::mem::take(&mut self.sealed) {
            self.handle_knock(participant, &request, (log, roster), removals, context);
        }
    }

    fn keep(&mut self, request: KnockRequest, has_waiting_room: bool, due: Instant, outputs: &mut Outputs) {
        if self.waiting.len() >= MAX_MEMBERS {
            return;
        }
        // A device that was removed is refused before, and one that has lost its place comes back.
        let is_invited = !request.via_old_link() && !has_waiting_room;
        let admitted = is_invited || self.known.contains(&request.device());
        if !admitted {
            outputs.event(asks(&request));
        }
        self.waiting.push(Knock { request, admitted, asked: !admitted, due, stale: false });
    }

    /// Admits a participant on whom the user decides.
    pub(super) fn admit(&mut self, participant: ParticipantId, now: Instant) {
        for knock in self.waiting.iter_mut().filter(|knock| knock.participant() == participant) {
            (knock.admitted, knock.due) = (true, now);
        }
    }

    /// Returns when this client admits the next one.
    pub(super) fn commit_deadline(&self) -> Option<Instant> {
        self.waiting.iter().filter(|knock| knock.admitted && !knock.stale).map(|knock| knock.due).min()
    }

    /// Refuses a participant on whom the user decides.
    pub(super) fn refuse(&mut self, participant: ParticipantId, context: &mut Context<'_>) {
        let refused = self.waiting.extract_if(.., |knock| !knock.admitted && knock.participant() == participant);
        if refused.count() > 0 {
            self.refusals.refuse(participant, Refusal::OldLink, context);
        }
    }

    /// Removes a participant who gave up waiting.
    pub(super) fn handle_withdrawal(&mut self, participant: ParticipantId, outputs: &mut Outputs) {
        self.refusals.forget(participant);
        self.sealed.remove(&participant);
        self.forget(|knock| knock.participant() == participant, outputs);
    }

    /// Removes the participants who are members now, and remembers their devices.
    pub(super) fn handle_group_change(&mut self, roster: &Roster, outputs: &mut Outputs) {
        self.known.extend(roster.present().map(|person| person.device));
        while self.known.len() > MAX_KNOWN {
            self.known.pop_first();
        }
        self.sealed.retain(|participant, _| !roster.contains(*participant));
        self.forget(|knock| roster.contains(knock.participant()), outputs);
    }

    /// Handles the end of the connection. After it was resumed, the server says again who waits.
    pub(super) fn handle_lost_connection(&mut self) {
        self.refusals.clear();
        self.sealed.clear();
        self.waiting.iter_mut().for_each(|knock| knock.stale = true);
    }

    /// Forgets those of whom the server did not say that they still wait.
    pub(super) fn handle_caught_up(&mut self, outputs: &mut Outputs) {
        self.forget(|knock| knock.stale, outputs);
    }

    /// Asks the user about nobody any more, because this client may not decide now.
    pub(super) fn close(&mut self, outputs: &mut Outputs) {
        self.refusals.clear();
        for knock in self.waiting.iter_mut().filter(|knock| knock.asked) {
            knock.asked = false;
            outputs.event(Event::StoppedAsking(knock.participant()));
        }
    }

    fn forget(&mut self, gone: impl Fn(&Knock) -> bool, outputs: &mut Outputs) {
        for knock in self.waiting.extract_if(.., |knock| gone(knock)) {
            if knock.asked {
                outputs.event(Event::StoppedAsking(knock.participant()));
            }
        }
    }

    /// Sends the refusals that may be sent now.
    pub(super) fn send_refusals(&mut self, context: &mut Context<'_>) {
        self.refusals.send(context);
    }

    /// Returns when [`Self::send_refusals`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.refusals.deadline()
    }

    /// Lets the next commit admit as many as allowed, because a commit of this client was merged.
    pub(super) const fn reset_batch(&mut self) {
        self.batch = MAX_WELCOMES;
    }

    /// Sends a commit that adds those who wait. Returns false if none was sent. A request that cannot be added alone is
    /// refused.
    pub(super) fn commit(&mut self, roster: &Roster, log: &mut GroupLog, context: &mut Context<'_>) -> bool {
        if self.waiting.is_empty() || !may_decide(log, context) {
            return false;
        }
        loop {
            let is_due = |knock: &&Knock| knock.admitted && !knock.stale && knock.due <= context.now;
            let admitted = self.waiting.iter().filter(is_due);
            let add: Vec<_> = admitted.take(self.batch).map(|knock| knock.request.clone()).collect();
            let Some(first) = add.first().map(KnockRequest::participant) else { return false };
            let count = add.len();
            // A device that lost its connection leaves its old leaf with the same commit.
            let remove: Vec<_> = add.iter().flat_map(|request| roster.unused_leaves(request.device())).collect();
            let policy = returning(&add, &remove, log, context);
            if log.commit(Changes { add, remove, policy }, context) {
                return true;
            }
            if count > 1 {
                self.batch = count / 2;
                continue;
            }
            self.reset_batch();
            self.waiting.retain(|knock| knock.participant() != first);
            self.refusals.refuse(first, Refusal::Declined, context);
        }
    }
}

fn asks(request: &KnockRequest) -> Event {
    Event::AsksToJoin { id: request.participant(), name: request.name().to_owned() }
}

/// Returns true if this client can open requests, and may decide them.
fn may_decide(log: &GroupLog, context: &Context<'_>) -> bool {
    context.manager.is_some() && log.group().rights().contains(Rights::ADMIT)
}

/// Returns the policy by which those who come back have their roles and rights again; `None` if nothing changes.
fn returning(
    add: &[KnockRequest],
    remove: &[Leaf],
    log: &GroupLog,
    context: &mut Context<'_>,
) -> Option<MeetingPolicy> {
    let returns: Vec<_> = add.iter().filter_map(|request| edits::return_of(log.group(), request, remove)).collect();
    let manager = context.manager.as_mut().filter(|_| !returns.is_empty())?;
    edits::edited_policy(log.group().policy(), &returns, false, manager.keys_mut()).ok()
}

/// How many devices are remembered.
const MAX_KNOWN: usize = 4 * MAX_MEMBERS;

#[cfg(test)]
mod tests {
    use super::super::MediaState;
    use super::super::entrant::Entrant;
    use super::super::group_log::Outcome;
    use super::super::manager::Manager;
    use super::*;
    use crypto::{Group, Identity, ManagerKeys, Profile, knock};
    use proto::{Epoch, ManagerCommand, Position, Up, Welcome};
    use std::time::{Duration, Instant, SystemTime};

    const ME: ParticipantId = ParticipantId(1);

    /// The admissions of one member, who is alone in the group at first.
    struct Admitting {
        admissions: Admissions,
        log: GroupLog,
        roster: Roster,
        removals: Removals,
        entrant: Entrant,
        /// `None` for a guest.
        manager: Option<Manager>,
        outputs: Outputs,
        now: Instant,
    }

    impl Admitting {
        fn new(keys: ManagerKeys) -> Self {
            let (identity, profile) = (Identity::generate().unwrap(), Profile::new("Ada").unwrap());
            let group = Group::create(&identity, profile.clone(), ME, &keys, SystemTime::now()).unwrap();
            let now = Instant::now();
            Self {
                admissions: Admissions::new(),
                log: GroupLog::new(group, Position(0), Epoch(0)),
                roster: Roster::new(ME, Vec::new(), now),
                removals: Removals::default(),
                entrant: Entrant { identity, profile, link: None },
                manager: Some(Manager::new(keys)),
                outputs: Outputs::default(),
                now,
            }
        }

        /// Makes requests of these participants and handles them in this order. A request of the organiser itself
        /// cannot be added to the group.
        fn with_requests(participants: &[u64]) -> Self {
            let keys = ManagerKeys::new().unwrap();
            let requests: Vec<_> = participants.iter().map(|id| (ParticipantId(*id), request(&keys, *id))).collect();
            let mut organiser = Self::new(keys);
            for (participant, request) in requests {
                organiser.handle_knock(participant, &request);
            }
            organiser
        }

        fn handle_knock(&mut self, participant: ParticipantId, request: &Blob) {
            let Self { admissions, log, roster, removals, entrant, manager, outputs, now } = self;
            let context = &mut context(entrant, manager, outputs, *now);
            admissions.handle_knock(participant, request, (log, roster), removals, context);
        }

        fn open_sealed(&mut self) {
            let Self { admissions, log, roster, removals, entrant, manager, outputs, now } = self;
            let context = &mut context(entrant, manager, outputs, *now);
            admissions.open_sealed((log, roster), removals, context);
        }

        fn send_refusals(&mut self) {
            let Self { admissions, entrant, manager, outputs, now, .. } = self;
            admissions.send_refusals(&mut context(entrant, manager, outputs, *now));
        }

        /// Returns false if no commit was sent.
        fn send_commit(&mut self) -> bool {
            let Self { admissions, log, roster, entrant, manager, outputs, now, .. } = self;
            let context = &mut context(entrant, manager, outputs, *now);
            admissions.commit(roster, log, context)
        }

        /// Commits, and merges the commit. Returns who was refused and who was added.
        fn commit(&mut self) -> (Vec<ParticipantId>, Vec<ParticipantId>) {
            assert!(self.send_commit());
            let (mut refused, mut added) = (Vec::new(), Vec::new());
            while let Some(message) = self.outputs.poll_transmit() {
                let Up::Manage { command, welcomes, .. } = message else { panic!("{message:?}") };
                let command = proto::decode(&command.0).unwrap();
                if let ManagerCommand::Refuse { participant, why: Refusal::Declined } = command {
                    refused.push(participant);
                } else if let ManagerCommand::Commit { epoch, blob, .. } = command {
                    let outcome = self.log.handle_commit(epoch, &blob, &|_| false, self.now);
                    assert!(matches!(outcome, Ok(Outcome::MergedOwn { .. })));
                    added.extend(welcomes.into_iter().flat_map(|Welcome { to, .. }| to));
                } else {
                    panic!("{command:?}");
                }
            }
            // Without the organiser, so that its own request stays.
            let members = self.log.group().members().into_iter().filter(|member| member.participant != ME).collect();
            self.roster.update(members, MediaState::default(), |_| false);
            self.admissions.handle_group_change(&self.roster, &mut self.outputs);
            self.admissions.reset_batch();
            (refused, added)
        }
    }

    fn context<'a>(
        entrant: &'a mut Entrant,
        manager: &'a mut Option<Manager>,
        outputs: &'a mut Outputs,
        now: Instant,
    ) -> Context<'a> {
        Context { now, wall: SystemTime::now(), clock_ahead: 0, entrant, manager, outputs }
    }

    fn request(keys: &ManagerKeys, participant: u64) -> Blob {
        let invitation = keys.invitation("meet.example", 443, None);
        let (identity, profile) = (Identity::generate().unwrap(), Profile::new("Bob").unwrap());
        let (chain, id) = (keys.chain().encode(), ParticipantId(participant));
        let made = knock(&invitation, keys.public_key(), &chain, &identity, profile, id, SystemTime::now());
        Blob(made.unwrap().1)
    }

    fn ids(numbers: &[u64]) -> Vec<ParticipantId> {
        numbers.iter().copied().map(ParticipantId).collect()
    }

    #[test]
    fn only_the_request_that_cannot_be_added_is_refused() {
        let mut organiser = Admitting::with_requests(&[2, ME.0, 3, 4]);
        // Four fail, then two; the first one alone is added.
        assert_eq!(organiser.commit(), (ids(&[]), ids(&[2])));
        assert_eq!(organiser.commit(), (ids(&[ME.0]), ids(&[3, 4])));
        assert!(!organiser.send_commit() && organiser.outputs.poll_transmit().is_none(), "nobody waits");
    }

    #[test]
    fn a_participant_is_added_once_and_not_after_it_gave_up() {
        let mut organiser = Admitting::with_requests(&[2, 3, 2, 4]);
        organiser.admissions.handle_withdrawal(ParticipantId(3), &mut organiser.outputs);
        assert_eq!(organiser.commit(), (ids(&[]), ids(&[2, 4])));
    }

    /// The server announces a request once. A guest may become a manager while somebody waits, and an organiser that comes
    /// back learns of the requests before it is a manager again.
    #[test]
    fn requests_are_opened_once_this_client_may_decide_them() {
        let keys = ManagerKeys::new().unwrap();
        let requests = [2, 3].map(|id| (ParticipantId(id), request(&keys, id)));
        let mut guest = Admitting::new(keys);
        let manager = guest.manager.take();
        for (participant, request) in &requests {
            guest.handle_knock(*participant, request);
        }
        assert!(guest.admissions.waiting.is_empty());
        assert!(!guest.send_commit() && guest.outputs.poll_transmit().is_none());
        guest.admissions.handle_withdrawal(ParticipantId(2), &mut guest.outputs);
        guest.manager = manager;
        guest.open_sealed();
        let manager = guest.manager.take();
        guest.admissions.close(&mut guest.outputs);
        assert!(!guest.send_commit(), "it is no manager now");
        guest.manager = manager;
        guest.open_sealed();
        assert_eq!(guest.commit(), (ids(&[]), ids(&[3])));
    }

    #[test]
    fn the_user_is_asked_again_once_this_client_may_decide_again() {
        let mut organiser = Admitting::with_requests(&[2, 3]);
        organiser.admissions.waiting[0].admitted = false;
        let is_about = |event, asked: bool| {
            if asked {
                matches!(event, Event::AsksToJoin { id: ParticipantId(2), .. })
            } else {
                matches!(event, Event::StoppedAsking(ParticipantId(2)))
            }
        };
        let expect = |organiser: &mut Admitting, asked| {
            let events: Vec<Event> = std::iter::from_fn(|| organiser.outputs.poll_event()).collect();
            assert!(events.len() == 1 && events.into_iter().all(|event| is_about(event, asked)), "asked: {asked}");
        };
        organiser.open_sealed();
        organiser.open_sealed();
        expect(&mut organiser, true);
        organiser.admissions.close(&mut organiser.outputs);
        organiser.admissions.close(&mut organiser.outputs);
        expect(&mut organiser, false);
        organiser.open_sealed();
        expect(&mut organiser, true);
    }

    #[test]
    fn a_flood_of_invalid_requests_is_answered_at_a_bounded_rate() {
        let mut organiser = Admitting::new(ManagerKeys::new().unwrap());
        let sent = |organiser: &mut Admitting| std::iter::from_fn(|| organiser.outputs.poll_transmit()).count();
        (2..502).for_each(|id| organiser.handle_knock(ParticipantId(id), &Blob(vec![1; 40])));
        assert_eq!(sent(&mut organiser), 40);
        let mut seconds = 0;
        while let Some(deadline) = organiser.admissions.deadline() {
            seconds += (deadline - organiser.now).as_secs();
            organiser.now = deadline;
            organiser.send_refusals();
            assert!(sent(&mut organiser) <= 40);
        }
        assert_eq!(seconds, 24, "20 a second");
        // A participant that gave up is not refused.
        organiser.now += Duration::from_secs(10);
        (2..102).for_each(|id| organiser.handle_knock(ParticipantId(id), &Blob(vec![1; 40])));
        (2..102).for_each(|id| {
            organiser.admissions.handle_withdrawal(ParticipantId(id), &mut organiser.outputs);
        });
        assert_eq!((sent(&mut organiser), organiser.admissions.deadline()), (40, None));
    }

    #[test]
    fn a_device_with_several_invalid_commits_is_not_admitted_again() {
        let keys = ManagerKeys::new().unwrap();
        let (invitation, identity) = (keys.invitation("meet.example", 443, None), Identity::generate().unwrap());
        let chain = keys.chain().encode();
        let request = |id| {
            let (profile, id) = (Profile::new("Bob").unwrap(), ParticipantId(id));
            let made =
                knock(&invitation, keys.public_key(), &chain, &identity, profile, id, SystemTime::now()).unwrap();
            Blob(made.1)
        };
        let requests = [2, 3, 4, 5].map(|id| (ParticipantId(id), request(id)));
        let mut organiser = Admitting::new(keys);
        let mut kept = Vec::new();
        for (participant, request) in requests {
            organiser.handle_knock(participant, &request);
            kept.push(organiser.admissions.waiting.len());
            organiser.admissions.waiting.clear();
            organiser.removals.count_invalid_commit(identity.public());
        }
        assert_eq!(kept, [1, 1, 1, 0]);
    }
}
