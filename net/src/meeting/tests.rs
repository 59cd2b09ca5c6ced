use super::*;
use crypto::{Identity, Profile};
use proto::{Blob, Epoch, Fault, MeetingId, Position, Problem, Refusal, VERSION, Welcome};

const ADA: ParticipantId = ParticipantId(0xada);

/// A meeting under test, with a manual clock.
struct Client {
    meeting: Meeting,
    now: Instant,
}

impl Client {
    fn new(entry: Entry) -> Self {
        let now = Instant::now();
        Self { meeting: Meeting::new(entry, now), now }
    }

    /// Returns the organiser of a new meeting, who is its only member.
    fn organiser() -> Self {
        let mut client = Self::new(create());
        client.receive(Down::Hello { version: VERSION, participant: ADA });
        client.receive(Down::Created);
        client.events();
        client.sent();
        client
    }

    /// Returns a guest who has knocked at the organiser's meeting, and the guest's request.
    fn knocking(organiser: &Self, participant: u64) -> (Self, Blob) {
        let mut client = Self::new(join(organiser));
        client.receive(Down::Hello { version: VERSION, participant: ParticipantId(participant) });
        client.receive(Down::AdmissionKey { admission_key: organiser.admission_key() });
        let sent = client.sent();
        let Some(Up::Knock { request, .. }) = sent.last() else { panic!("it knocks: {sent:?}") };
        (client, request.clone())
    }

    fn admission_key(&self) -> Blob {
        let Phase::Member(joined) = &self.meeting.phase else { panic!("it is a member") };
        Blob(joined.admission_key().unwrap().to_vec())
    }

    fn receive(&mut self, message: Down) {
        self.meeting.handle_message(message, self.now);
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.meeting.handle_timeout(self.now);
    }

    fn sent(&mut self) -> Vec<Up> {
        std::iter::from_fn(|| self.meeting.poll_transmit()).collect()
    }

    /// Returns the commit that was sent. Panics if there is not exactly one.
    fn committed(&mut self) -> (Epoch, Blob, Vec<Welcome>) {
        let commits: Vec<_> = self.sent().into_iter().filter_map(as_commit).collect();
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
        let entry = proto::LogEntry::Commit { from, epoch: Epoch(epoch), blob };
        self.receive(Down::Log { position: Position(position), entry });
    }
}

fn as_commit(message: Up) -> Option<(Epoch, Blob, Vec<Welcome>)> {
    if let Up::Commit { epoch, blob, welcomes, .. } = message { Some((epoch, blob, welcomes)) } else { None }
}

fn create() -> Entry {
    let identity = Identity::generate().unwrap();
    Entry::Create { meeting: MeetingId([7; 16]), identity, profile: Profile::new("Ada").unwrap() }
}

fn join(organiser: &Client) -> Entry {
    let invitation = organiser.meeting.invitation("meet.example", 443, None).unwrap();
    Entry::Join { invitation, identity: Identity::generate().unwrap(), profile: Profile::new("Bob").unwrap() }
}

#[test]
fn the_organiser_enters_its_meeting_and_the_keys_come_first() {
    let mut client = Client::new(create());
    client.receive(Down::Hello { version: VERSION, participant: ADA });
    client.receive(Down::Created);
    let events = client.events();
    let [Event::Approaching, Event::Keys { .. }, Event::Words(_), Event::Entered { me }, Event::Members(people)] =
        &events[..]
    else {
        panic!("{} events", events.len());
    };
    assert_eq!((*me, people.len(), people[0].organiser), (ADA, 1, true));
    let sent = client.sent();
    assert!(matches!(sent[..], [Up::Hello { version: VERSION }, Up::Create { .. }]));
}

#[test]
fn a_guest_checks_the_admission_key_knocks_and_enters() {
    let mut organiser = Client::organiser();
    let (mut guest, request) = Client::knocking(&organiser, 2);
    organiser.receive(Down::Knocked { participant: ParticipantId(2), request });
    let (epoch, blob, welcomes) = organiser.committed();
    assert_eq!((epoch, &welcomes[0].to[..]), (Epoch(0), &[ParticipantId(2)][..]));
    organiser.log(0, ADA, 0, blob);
    let welcome = welcomes[0].blob.clone();
    guest.receive(Down::Admitted { welcome, position: Position(1), epoch: Epoch(1), gone: Vec::new() });
    assert!(guest.events().iter().any(|event| matches!(event, Event::Entered { me: ParticipantId(2) })));
    let joined = organiser.events();
    let order: Vec<_> = joined.iter().map(std::mem::discriminant).collect();
    let keys = joined.iter().position(|event| matches!(event, Event::Keys { .. })).unwrap();
    let member = joined.iter().position(|event| matches!(event, Event::Joined(ParticipantId(2)))).unwrap();
    assert!(keys < member, "keys before media: {order:?}");
}

#[test]
fn another_version_ends_the_meeting() {
    for server in [VERSION + 1, VERSION - 1] {
        let mut client = Client::new(create());
        client.receive(Down::Hello { version: server, participant: ADA });
        assert_eq!(client.reason(), Some(Reason::Version));
    }
}

#[test]
fn a_guest_does_not_knock_if_the_admission_key_is_not_the_links() {
    let (organiser, other) = (Client::organiser(), Client::organiser());
    let mut guest = Client::new(join(&organiser));
    guest.receive(Down::Hello { version: VERSION, participant: ParticipantId(2) });
    guest.sent();
    guest.receive(Down::AdmissionKey { admission_key: other.admission_key() });
    assert!(guest.sent().is_empty());
    assert_eq!(guest.reason(), Some(Reason::Forged));
}

#[test]
fn the_user_is_notified_once_of_an_unanswered_knock_and_the_client_waits_on() {
    let organiser = Client::organiser();
    let (mut guest, _) = Client::knocking(&organiser, 2);
    guest.events();
    for _ in 0..4 {
        guest.wait(Duration::from_secs(4));
        guest.receive(Down::Ping);
        assert_eq!(guest.sent(), [Up::Pong]);
    }
    let events = guest.events();
    assert!(matches!(events[..], [Event::Notice(Notice::NoAnswerYet)]));
    guest.receive(Down::Refused { why: Refusal::Unattended });
    assert_eq!(guest.reason(), Some(Reason::Unattended));
}

#[test]
fn a_refusal_is_the_last_event() {
    let organiser = Client::organiser();
    let (mut guest, _) = Client::knocking(&organiser, 2);
    guest.receive(Down::Refused { why: Refusal::Declined });
    guest.receive(Down::Refused { why: Refusal::Declined });
    guest.meeting.handle_disconnected();
    guest.wait(Duration::from_secs(99));
    let events = guest.events();
    assert!(matches!(events[..], [Event::Approaching, Event::Knocking, Event::Ended(Reason::Refused)]));
    assert!(guest.meeting.is_over() && guest.meeting.poll_timeout().is_none());
}

#[test]
fn a_silent_server_ends_the_meeting_and_any_message_restarts_the_timeout() {
    let mut client = Client::organiser();
    client.wait(Duration::from_millis(7_999));
    client.receive(Down::Ping);
    assert_eq!(client.meeting.poll_timeout(), Some(client.now + SERVER_TIMEOUT));
    client.wait(SERVER_TIMEOUT);
    assert_eq!(client.reason(), Some(Reason::ServerSilent));
}

#[test]
fn a_problem_of_the_server_ends_the_meeting_with_its_fault() {
    for (problem, fault) in [
        (Problem::NoMeeting, Fault::Link),
        (Problem::ServerFull, Fault::Server),
        (Problem::Malformed, Fault::Server),
        (Problem::Version, Fault::Server),
    ] {
        let mut client = Client::organiser();
        client.receive(Down::Problem { problem });
        let reason = client.reason().unwrap();
        assert_eq!((&reason, reason.fault()), (&Reason::from(problem), Some(fault)));
    }
    let mut client = Client::organiser();
    client.meeting.handle_malformed();
    assert!(matches!(client.reason(), Some(Reason::Server(_))));
}

#[test]
fn leaving_sends_leave() {
    let mut client = Client::organiser();
    client.meeting.handle_command(Command::Leave, client.now);
    assert_eq!((client.sent(), client.reason()), (vec![Up::Leave], Some(Reason::Left)));
}

#[test]
fn knocks_during_a_commit_share_the_next_commit() {
    let mut organiser = Client::organiser();
    for id in 2..7 {
        let (_, request) = Client::knocking(&organiser, id);
        organiser.receive(Down::Knocked { participant: ParticipantId(id), request });
    }
    let (_, blob, welcomes) = organiser.committed();
    assert_eq!(welcomes[0].to.len(), 1);
    organiser.log(0, ADA, 0, blob);
    let (epoch, _, welcomes) = organiser.committed();
    assert_eq!((epoch, welcomes.len(), welcomes[0].to.len()), (Epoch(1), 1, 4));
}

#[test]
fn invalid_requests_are_refused_and_valid_ones_admitted() {
    let mut organiser = Client::organiser();
    let (_, request) = Client::knocking(&organiser, 2);
    organiser.receive(Down::Knocked { participant: ParticipantId(9), request: Blob(vec![1; 400]) });
    organiser.receive(Down::Knocked { participant: ParticipantId(8), request: request.clone() });
    let refused = |id| Up::Refuse { participant: ParticipantId(id), why: Refusal::Declined };
    assert_eq!(organiser.sent(), [refused(9), refused(8)], "random bytes, and the request of another client");
    let (_, request) = Client::knocking(&organiser, 3);
    organiser.receive(Down::Knocked { participant: ParticipantId(3), request });
    assert_eq!(organiser.committed().2[0].to, [ParticipantId(3)]);
}

#[test]
fn a_late_commit_too_late_message_does_not_affect_the_next_commit() {
    let mut organiser = Client::organiser();
    organiser.meeting.handle_command(Command::Refresh, organiser.now);
    let (_, first, _) = organiser.committed();
    // An invalid commit is the first of epoch 0. The request is tried again at once, in epoch 1.
    organiser.log(0, ParticipantId(9), 0, Blob(vec![1; 40]));
    let (epoch, second, _) = organiser.committed();
    assert!(epoch == Epoch(1) && first != second);
    organiser.receive(Down::CommitTooLate { epoch: Epoch(1) });
    assert!(organiser.sent().is_empty());
    organiser.log(1, ADA, 1, second);
    let keys = |event| if let Event::Keys { epoch, .. } = event { Some(epoch) } else { None };
    assert_eq!(
        organiser.events().into_iter().find_map(keys),
        Some(Epoch(1)),
        "the group's epoch is one less than the log's"
    );
}

#[test]
fn a_commit_without_a_verdict_ends_the_meeting() {
    let mut client = Client::organiser();
    client.meeting.handle_command(Command::Refresh, client.now);
    for _ in 0..7 {
        client.wait(Duration::from_secs(4));
        client.receive(Down::Ping);
        assert_eq!(client.reason(), None);
    }
    client.wait(Duration::from_secs(3));
    assert_eq!(client.reason(), Some(Reason::ServerSilent));
}

#[test]
fn an_own_commit_is_recognised_by_its_bytes() {
    let mut client = Client::organiser();
    client.meeting.handle_command(Command::Refresh, client.now);
    client.committed();
    client.log(0, ADA, 0, Blob(vec![1; 40]));
    let events = client.events();
    assert!(matches!(events[..], [Event::Notice(Notice::CommitRejected(ADA))]));
    assert_eq!(client.committed().0, Epoch(1), "the request is kept");
}

#[test]
fn a_state_announced_before_joining_is_sent_after_joining() {
    let mut organiser = Client::organiser();
    let (mut guest, request) = Client::knocking(&organiser, 2);
    let state = MediaState { microphone: Microphone::On, camera: true, screen: false };
    guest.meeting.handle_command(Command::Announce(state), guest.now);
    organiser.receive(Down::Knocked { participant: ParticipantId(2), request });
    let (_, blob, welcomes) = organiser.committed();
    organiser.log(0, ADA, 0, blob);
    let welcome = welcomes[0].blob.clone();
    guest.receive(Down::Admitted { welcome, position: Position(1), epoch: Epoch(1), gone: Vec::new() });
    let Some(Up::Tell { epoch, blob }) = guest.sent().pop() else { panic!("it sends its state") };
    organiser.events();
    let entry = proto::LogEntry::Told { from: ParticipantId(2), epoch, blob };
    organiser.receive(Down::Log { position: Position(1), entry });
    let Some(Event::Members(people)) = organiser.events().pop() else { panic!("the members are updated") };
    assert_eq!(people.iter().map(|person| person.state).collect::<Vec<_>>(), [MediaState::default(), state]);
}

#[test]
fn an_invalid_welcome_ends_the_meeting() {
    let organiser = Client::organiser();
    let (mut guest, _) = Client::knocking(&organiser, 2);
    let welcome = Blob(vec![0; 200]);
    guest.receive(Down::Admitted { welcome, position: Position(1), epoch: Epoch(1), gone: Vec::new() });
    assert_eq!(guest.reason(), Some(Reason::Forged));
}
