//! Tests of the requests of participants who knock.

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
            entrant: Entrant { identity, profile, link: None, complaint: None },
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

    fn withdraw(&mut self, participant: ParticipantId) {
        self.admissions.handle_withdrawal(participant, &mut self.outputs);
    }

    fn close(&mut self) {
        let Self { admissions, entrant, manager, outputs, now, .. } = self;
        admissions.close(&mut context(entrant, manager, outputs, *now));
    }

    fn send_refusals(&mut self) {
        let Self { admissions, entrant, manager, outputs, now, .. } = self;
        admissions.send_refusals(&mut context(entrant, manager, outputs, *now));
    }

    /// Returns false if no commit was sent.
    fn send_commit(&mut self) -> bool {
        let Self { admissions, log, roster, entrant, manager, outputs, now, .. } = self;
        let context = &mut context(entrant, manager, outputs, *now);
        admissions.commit(roster, log, &mut KeySharing::default(), context)
    }

    /// Commits, and merges the commit. Returns who was refused and who was added.
    fn commit(&mut self) -> (Vec<ParticipantId>, Vec<ParticipantId>) {
        assert!(self.send_commit());
        let (mut refused, mut added) = (Vec::new(), Vec::new());
        while let Some(message) = self.outputs.poll_transmit() {
            if let Up::Tree { .. } = message {
                continue;
            }
            let Up::Manage { command, welcomes, .. } = message else { panic!("{message:?}") };
            let command = proto::decode(&command.0).unwrap();
            if let ManagerCommand::Refuse { participant, why: Refusal::Declined } = command {
                refused.push(participant);
            } else if let ManagerCommand::Commit { epoch, blob, .. } = command {
                let outcome = self.log.handle_commit(epoch, &blob, &|_| None, self.now);
                assert!(matches!(outcome, Ok(Outcome::MergedOwn { .. })));
                added.extend(welcomes.into_iter().flat_map(|Welcome { to, .. }| to));
            } else {
                panic!("{command:?}");
            }
        }
        // Without the organiser, so that its own request stays.
        let members = self.log.group().members().into_iter().filter(|member| member.participant != ME).collect();
        self.roster.update(members, MediaState::default(), |_| false);
        let policy = self.log.group().policy();
        self.admissions.handle_group_change(&[], (&self.roster, policy), &mut self.outputs);
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
    guest.close();
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
    organiser.close();
    organiser.close();
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
        let made = knock(&invitation, keys.public_key(), &chain, &identity, profile, id, SystemTime::now()).unwrap();
        Blob(made.1)
    };
    let requests = [2, 3, 4, 5].map(|id| (ParticipantId(id), request(id)));
    let mut organiser = Admitting::new(keys);
    let mut kept = Vec::new();
    for (participant, request) in requests {
        organiser.handle_knock(participant, &request);
        kept.push(organiser.admissions.waiting.len());
        organiser.admissions.waiting.clear();
        organiser.removals.count_invalid_commits(identity.public(), 1);
    }
    assert_eq!(kept, [1, 1, 1, 0]);
}

#[test]
fn a_request_that_a_rule_has_admitted_waits_for_the_user_if_its_device_is_sent_back_meanwhile() {
    let mut organiser = Admitting::with_requests(&[2]);
    let device = organiser.admissions.waiting[0].request.device();
    let left = [Departure { id: ParticipantId(9), leaf: Leaf(1), device, removed: true, sent_back: true }];
    let policy = organiser.log.group().policy();
    organiser.admissions.handle_group_change(&left, (&organiser.roster, policy), &mut organiser.outputs);
    assert!(!organiser.send_commit(), "no rule admits it");
    organiser.open_sealed();
    assert_eq!(asked(&mut organiser), [(ParticipantId(2), true)]);
}

#[test]
fn after_the_stop_of_everything_no_rule_admits_former_members_or_those_who_wait_already() {
    let mut organiser = Admitting::with_requests(&[2, 3]);
    let device = organiser.admissions.waiting[0].request.device();
    // It had left before the stop.
    organiser.admissions.devices.known.insert(device);
    organiser.admissions.handle_stop();
    assert!(!organiser.send_commit(), "no rule admits them");
    organiser.open_sealed();
    assert_eq!(asked(&mut organiser), [(ParticipantId(2), true), (ParticipantId(3), false)]);
}

/// Returns about whom the user is asked, and whether each was sent back.
fn asked(organiser: &mut Admitting) -> Vec<(ParticipantId, bool)> {
    let events = std::iter::from_fn(|| organiser.outputs.poll_event());
    let asks =
        |event| if let Event::AsksToJoin { id, evidence, .. } = event { Some((id, evidence.sent_back)) } else { None };
    events.filter_map(asks).collect()
}

/// The server gives the id of somebody whom the user has decided to let in to somebody else who waits.
#[test]
fn another_request_under_the_same_id_is_not_admitted() {
    let keys = ManagerKeys::new().unwrap();
    let (seen, other) = (request(&keys, 2), request(&keys, 2));
    let mut organiser = Admitting::new(keys);
    organiser.admissions.rules_from = Some(organiser.now + Duration::from_hours(1));
    organiser.handle_knock(ParticipantId(2), &seen);
    organiser.withdraw(ParticipantId(2));
    organiser.handle_knock(ParticipantId(2), &other);
    organiser.admissions.admit(ParticipantId(2), organiser.now);
    assert!(!organiser.send_commit());
    assert!(organiser.admissions.waiting.is_empty());
}
