use super::*;
use crypto::{Identity, Profile};
use proto::{Blob, Epoch, MeetingId, Position, Problem, Refusal, VERSION, Welcome};

const ADA: ParticipantId = ParticipantId(0xada);

/// A meeting under test, with a clock that goes on only when told to.
struct Table {
    meeting: Meeting,
    now: Instant,
}

impl Table {
    fn new(entry: Entry) -> Self {
        let now = Instant::now();
        Self { meeting: Meeting::new(entry, now), now }
    }

    /// The organiser of a new meeting, inside.
    fn organiser() -> Self {
        let mut table = Self::new(create());
        table.say(Down::Hello { version: VERSION, participant: ADA });
        table.say(Down::Created);
        table.events();
        table.said();
        table
    }

    /// A guest of that meeting who has knocked, and its request.
    fn knocking(organiser: &Self, participant: u64) -> (Self, Blob) {
        let mut table = Self::new(join(organiser));
        table.say(Down::Hello { version: VERSION, participant: ParticipantId(participant) });
        table.say(Down::AdmissionKey { admission_key: organiser.admission_key() });
        let said = table.said();
        let Some(Up::Knock { request, .. }) = said.last() else { panic!("it knocks: {said:?}") };
        (table, request.clone())
    }

    fn admission_key(&self) -> Blob {
        let Phase::Inside(room) = &self.meeting.phase else { panic!("it is inside") };
        Blob(room.admission_key.as_ref().unwrap().public_key().to_vec())
    }

    fn say(&mut self, message: Down) {
        self.meeting.handle_message(message, self.now);
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.meeting.handle_timeout(self.now);
    }

    fn said(&mut self) -> Vec<Up> {
        std::iter::from_fn(|| self.meeting.poll_transmit()).collect()
    }

    /// The one commit that was said.
    fn committed(&mut self) -> (Epoch, Blob, Vec<Welcome>) {
        let commits: Vec<_> = self.said().into_iter().filter_map(as_commit).collect();
        let [commit] = &commits[..] else { panic!("{} commits", commits.len()) };
        commit.clone()
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.meeting.poll_event()).collect()
    }

    fn reason(&mut self) -> Option<Reason> {
        let events = self.events();
        events.into_iter().find_map(|event| if let Event::Ended(reason) = event { Some(reason) } else { None })
    }

    fn log(&mut self, position: u64, from: ParticipantId, epoch: u64, blob: Blob) {
        let entry = proto::Entry::Commit { from, epoch: Epoch(epoch), blob };
        self.say(Down::Log { position: Position(position), entry });
    }
}

fn as_commit(message: Up) -> Option<(Epoch, Blob, Vec<Welcome>)> {
    if let Up::Commit { epoch, blob, welcomes, .. } = message { Some((epoch, blob, welcomes)) } else { None }
}

fn create() -> Entry {
    let identity = Identity::generate().unwrap();
    Entry::Create { meeting: MeetingId([7; 16]), identity, profile: Profile::new("Ada").unwrap() }
}

fn join(organiser: &Table) -> Entry {
    let invitation = organiser.meeting.invitation("meet.example", 443, None).unwrap();
    Entry::Join { invitation, identity: Identity::generate().unwrap(), profile: Profile::new("Bob").unwrap() }
}

#[test]
fn the_organiser_is_in_its_own_meeting_with_keys_first() {
    let mut table = Table::new(create());
    table.say(Down::Hello { version: VERSION, participant: ADA });
    table.say(Down::Created);
    let events = table.events();
    let [Event::Approaching, Event::Keys { .. }, Event::Words(_), Event::Entered { me }, Event::Members(people)] =
        &events[..]
    else {
        panic!("{} events", events.len());
    };
    assert_eq!((*me, people.len(), people[0].organiser), (ADA, 1, true));
    let said = table.said();
    assert!(matches!(said[..], [Up::Hello { version: VERSION }, Up::Create { .. }]));
}

#[test]
fn a_guest_checks_the_door_knocks_and_enters() {
    let mut organiser = Table::organiser();
    let (mut guest, request) = Table::knocking(&organiser, 2);
    organiser.say(Down::Knocked { participant: ParticipantId(2), request });
    let (epoch, blob, welcomes) = organiser.committed();
    assert_eq!((epoch, &welcomes[0].to[..]), (Epoch(0), &[ParticipantId(2)][..]));
    organiser.log(0, ADA, 0, blob);
    let welcome = welcomes[0].blob.clone();
    guest.say(Down::Admitted { welcome, position: Position(1), epoch: Epoch(1), gone: Vec::new() });
    assert!(guest.events().iter().any(|event| matches!(event, Event::Entered { me: ParticipantId(2) })));
    let joined = organiser.events();
    let order: Vec<_> = joined.iter().map(std::mem::discriminant).collect();
    let keys = joined.iter().position(|event| matches!(event, Event::Keys { .. })).unwrap();
    let came = joined.iter().position(|event| matches!(event, Event::Joined(ParticipantId(2)))).unwrap();
    assert!(keys < came, "keys before media: {order:?}");
}

#[test]
fn another_version_ends_it_and_says_who_is_behind() {
    for (server, fault) in [(VERSION + 1, Fault::Client), (VERSION - 1, Fault::Server)] {
        let mut table = Table::new(create());
        table.say(Down::Hello { version: server, participant: ADA });
        let reason = table.reason().unwrap();
        assert_eq!((reason, reason.fault()), (Reason::Version { server }, fault));
    }
}

#[test]
fn a_door_that_the_link_does_not_lead_to_is_not_knocked_at() {
    let (organiser, other) = (Table::organiser(), Table::organiser());
    let mut guest = Table::new(join(&organiser));
    guest.say(Down::Hello { version: VERSION, participant: ParticipantId(2) });
    guest.said();
    guest.say(Down::AdmissionKey { admission_key: other.admission_key() });
    assert!(guest.said().is_empty());
    assert_eq!(guest.reason(), Some(Reason::WrongAdmissionKey));
}

#[test]
fn a_knock_without_an_answer_is_said_once_and_goes_on() {
    let organiser = Table::organiser();
    let (mut guest, _) = Table::knocking(&organiser, 2);
    guest.events();
    for _ in 0..4 {
        guest.wait(Duration::from_secs(4));
        guest.say(Down::Ping);
        assert_eq!(guest.said(), [Up::Pong]);
    }
    let events = guest.events();
    assert!(matches!(events[..], [Event::Notice(Notice::NoAnswerYet)]));
    guest.say(Down::Refused { why: Refusal::Unattended });
    assert_eq!(guest.reason(), Some(Reason::Unattended));
}

#[test]
fn a_refusal_is_the_last_event() {
    let organiser = Table::organiser();
    let (mut guest, _) = Table::knocking(&organiser, 2);
    guest.say(Down::Refused { why: Refusal::Declined });
    guest.say(Down::Refused { why: Refusal::Declined });
    guest.meeting.handle_disconnected();
    guest.wait(Duration::from_secs(99));
    let events = guest.events();
    assert!(matches!(events[..], [Event::Approaching, Event::Knocking, Event::Refused]));
    assert!(guest.meeting.is_over() && guest.meeting.poll_timeout().is_none());
}

#[test]
fn silence_ends_it_and_any_word_puts_that_off() {
    let mut table = Table::organiser();
    table.wait(Duration::from_millis(7_999));
    table.say(Down::Ping);
    assert_eq!(table.meeting.poll_timeout(), Some(table.now + SILENCE));
    table.wait(SILENCE);
    assert_eq!(table.reason(), Some(Reason::ServerSilent));
}

#[test]
fn what_the_server_does_not_do_is_told_with_its_fault() {
    for (problem, fault) in [
        (Problem::NoMeeting, Fault::Nobody),
        (Problem::ServerFull, Fault::Server),
        (Problem::Malformed, Fault::Client),
        (Problem::Version, Fault::Server),
    ] {
        let mut table = Table::organiser();
        table.say(Down::Problem { problem });
        let reason = table.reason().unwrap();
        assert_eq!((reason, reason.fault()), (Reason::Problem(problem), fault));
    }
    let mut table = Table::organiser();
    table.meeting.handle_malformed();
    assert_eq!(table.reason().map(Reason::fault), Some(Fault::Server));
}

#[test]
fn leaving_says_good_bye() {
    let mut table = Table::organiser();
    table.meeting.handle_command(Command::Leave, table.now);
    assert_eq!((table.said(), table.reason()), (vec![Up::Leave], Some(Reason::Left)));
}

#[test]
fn knocks_that_come_during_a_commit_share_the_next_one() {
    let mut organiser = Table::organiser();
    for id in 2..7 {
        let (_, request) = Table::knocking(&organiser, id);
        organiser.say(Down::Knocked { participant: ParticipantId(id), request });
    }
    let (_, blob, welcomes) = organiser.committed();
    assert_eq!(welcomes[0].to.len(), 1);
    organiser.log(0, ADA, 0, blob);
    let (epoch, _, welcomes) = organiser.committed();
    assert_eq!((epoch, welcomes.len(), welcomes[0].to.len()), (Epoch(1), 1, 4));
}

#[test]
fn whose_request_is_none_is_refused_and_the_others_come_in() {
    let mut organiser = Table::organiser();
    let (_, request) = Table::knocking(&organiser, 2);
    organiser.say(Down::Knocked { participant: ParticipantId(9), request: Blob(vec![1; 400]) });
    organiser.say(Down::Knocked { participant: ParticipantId(8), request: request.clone() });
    let refused = |id| Up::Refuse { participant: ParticipantId(id), why: Refusal::Declined };
    assert_eq!(organiser.said(), [refused(9), refused(8)], "neither noise nor somebody else's request");
    let (_, request) = Table::knocking(&organiser, 3);
    organiser.say(Down::Knocked { participant: ParticipantId(3), request });
    assert_eq!(organiser.committed().2[0].to, [ParticipantId(3)]);
}

#[test]
fn a_stale_word_of_a_lost_commit_does_not_touch_the_next_one() {
    let mut organiser = Table::organiser();
    organiser.meeting.handle_command(Command::Refresh, organiser.now);
    let (_, first, _) = organiser.committed();
    // A void commit wins epoch 0: the wish is tried again at once, at epoch 1.
    organiser.log(0, ParticipantId(9), 0, Blob(vec![1; 40]));
    let (epoch, second, _) = organiser.committed();
    assert!(epoch == Epoch(1) && first != second);
    organiser.say(Down::Lost { epoch: Epoch(1) });
    assert!(organiser.said().is_empty());
    organiser.log(1, ADA, 1, second);
    let keys = |event| if let Event::Keys { epoch, .. } = event { Some(epoch) } else { None };
    assert_eq!(
        organiser.events().into_iter().find_map(keys),
        Some(Epoch(1)),
        "the group's epoch is one behind the log's"
    );
}

#[test]
fn a_commit_without_a_verdict_ends_it() {
    let mut table = Table::organiser();
    table.meeting.handle_command(Command::Refresh, table.now);
    for _ in 0..7 {
        table.wait(Duration::from_secs(4));
        table.say(Down::Ping);
        assert_eq!(table.reason(), None);
    }
    table.wait(Duration::from_secs(3));
    assert_eq!(table.reason(), Some(Reason::ServerSilent));
}

#[test]
fn a_commit_of_ours_is_known_by_its_bytes_not_by_the_servers_word() {
    let mut table = Table::organiser();
    table.meeting.handle_command(Command::Refresh, table.now);
    table.committed();
    table.log(0, ADA, 0, Blob(vec![1; 40]));
    let events = table.events();
    assert!(matches!(events[..], [Event::Notice(Notice::CommitRejected(ADA))]));
    assert_eq!(table.committed().0, Epoch(1), "the wish stays");
}

#[test]
fn what_is_announced_at_the_door_is_told_inside() {
    let mut organiser = Table::organiser();
    let (mut guest, request) = Table::knocking(&organiser, 2);
    let state = MediaState { microphone: Microphone::On, camera: true, screen: false };
    guest.meeting.handle_command(Command::Announce(state), guest.now);
    organiser.say(Down::Knocked { participant: ParticipantId(2), request });
    let (_, blob, welcomes) = organiser.committed();
    organiser.log(0, ADA, 0, blob);
    let welcome = welcomes[0].blob.clone();
    guest.say(Down::Admitted { welcome, position: Position(1), epoch: Epoch(1), gone: Vec::new() });
    let Some(Up::Tell { epoch, blob }) = guest.said().pop() else { panic!("it tells its state") };
    organiser.events();
    let entry = proto::Entry::Told { from: ParticipantId(2), epoch, blob };
    organiser.say(Down::Log { position: Position(1), entry });
    let Some(Event::Members(people)) = organiser.events().pop() else { panic!("the members are told") };
    assert_eq!(people.iter().map(|person| person.state).collect::<Vec<_>>(), [MediaState::default(), state]);
}

#[test]
fn a_welcome_that_is_none_ends_it_by_the_members_fault() {
    let organiser = Table::organiser();
    let (mut guest, _) = Table::knocking(&organiser, 2);
    let welcome = Blob(vec![0; 200]);
    guest.say(Down::Admitted { welcome, position: Position(1), epoch: Epoch(1), gone: Vec::new() });
    assert_eq!(guest.reason().map(|reason| (reason, reason.fault())), Some((Reason::BadWelcome, Fault::Member)));
}
