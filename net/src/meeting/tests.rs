use super::*;
use crypto::{Authority, Identity, ManagerKeys, Profile};
use proto::{
    Blob, Epoch, Fault, LogEntry, ManagerCommand, Position, Problem, Refusal, ResumeToken, SignedCommand, VERSION,
    Welcome,
};
use std::sync::LazyLock;
use std::time::Duration;

mod authority;
mod chat;
mod floor;
mod floor_model;
mod half_valid;
mod hands;
mod lobby;
mod malformed;
mod not_lost;
mod power;
mod presence;
mod recovery;
mod returns;
mod roles;
mod room;
mod rounds;
mod rules;
mod stop;
mod trees;
mod verification;

const ADA: ParticipantId = ParticipantId(0xada);
const TOKEN: ResumeToken = ResumeToken([7; 32]);

/// A meeting under test, with a manual clock.
struct Client {
    meeting: Meeting,
    now: Instant,
    /// The parts of the tree that it has sent last.
    tree: Vec<Blob>,
}

/// A commit as the server gets it.
#[derive(Clone)]
struct Commit {
    epoch: Epoch,
    blob: Blob,
    removed: Vec<ParticipantId>,
    welcomes: Vec<Welcome>,
    /// The parts of the tree that were sent before it.
    tree: Vec<Blob>,
    /// Its entry in the log.
    entry: LogEntry,
}

impl Commit {
    /// Returns the server's message to those whom it adds.
    fn admission(&self, position: u64) -> Down {
        let (welcome, epoch) = (self.welcomes[0].blob.clone(), self.epoch.next());
        let tree = self.tree.iter().map(|part| part.0.len()).sum::<usize>().try_into().unwrap();
        Down::Admitted { welcome, position: Position(position), epoch, gone: Vec::new(), resume: TOKEN, tree }
    }
}

impl Client {
    fn new(entry: Entry) -> Self {
        let now = Instant::now();
        Self { meeting: Meeting::new(entry, wall_clock(now, 0), now), now, tree: Vec::new() }
    }

    /// Returns the organiser of a new meeting, who is its only member.
    fn organiser() -> Self {
        let mut client = Self::new(create());
        client.receive(hello(ADA));
        client.receive(Down::Created { resume: TOKEN });
        client.events();
        client.sent();
        client
    }

    /// Returns a guest who has knocked at the organiser's meeting, and the guest's request.
    fn knocking(organiser: &Self, participant: u64) -> (Self, Blob) {
        let mut client = Self::new(join(organiser));
        let request = client.knock(organiser, participant);
        (client, request)
    }

    /// Knocks on a new connection, and returns the request.
    fn knock(&mut self, organiser: &Self, participant: u64) -> Blob {
        self.receive(hello(ParticipantId(participant)));
        self.receive(organiser.admission_key());
        let sent = self.sent();
        let Some(Up::Knock { request, .. }) = sent.last() else { panic!("it knocks: {sent:?}") };
        request.clone()
    }

    /// Returns an organiser and a guest, who is participant 2. The log has one entry.
    fn two() -> (Self, Self) {
        let mut organiser = Self::organiser();
        let (mut guest, request) = Self::knocking(&organiser, 2);
        organiser.receive(Down::Knocked { participant: ParticipantId(2), request });
        let commit = organiser.committed();
        organiser.log(0, commit.entry.clone());
        guest.admit(&commit, 1);
        for client in [&mut organiser, &mut guest] {
            client.events();
            client.sent();
        }
        (organiser, guest)
    }

    fn admit(&mut self, commit: &Commit, position: u64) {
        self.receive(commit.admission(position));
        for part in &commit.tree {
            self.receive(Down::Tree { part: part.clone() });
        }
    }

    fn keys(&self) -> &ManagerKeys {
        self.meeting.manager.as_ref().expect("it is a manager").keys()
    }

    fn admission_key(&self) -> Down {
        let (admission_key, chain) = (self.keys().public_key().to_vec(), self.keys().chain().encode());
        Down::AdmissionKey { admission_key: Blob(admission_key), chain: Blob(chain) }
    }

    fn receive(&mut self, message: Down) {
        self.meeting.handle_message(message, self.now);
    }

    fn command(&mut self, command: Command) {
        self.meeting.handle_command(command, self.now);
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.meeting.handle_timeout(self.now);
    }

    /// Returns what was sent, but the beacons of members, which come all the time, and the tree.
    fn sent(&mut self) -> Vec<Up> {
        self.all_sent().into_iter().filter(|message| !matches!(message, Up::Beacon { .. })).collect()
    }

    /// Returns what was sent, without the tree.
    fn all_sent(&mut self) -> Vec<Up> {
        let mut sent = Vec::new();
        while let Some(message) = self.meeting.poll_transmit() {
            if let Up::Tree { first, part } = message {
                if first {
                    self.tree.clear();
                }
                self.tree.push(part);
            } else {
                sent.push(message);
            }
        }
        sent
    }

    /// Returns the commit that was sent. Panics if there is not exactly one.
    fn committed(&mut self) -> Commit {
        let me = self.meeting.me().expect("it is a member");
        let commits: Vec<_> = self.sent().into_iter().filter_map(|message| as_commit(message, me)).collect();
        let [commit] = &commits[..] else { panic!("{} commits", commits.len()) };
        Commit { tree: self.tree.clone(), ..commit.clone() }
    }

    /// Returns the signed commands that were sent, except commits.
    fn commands(&mut self) -> Vec<ManagerCommand> {
        let sent = self.sent().into_iter().filter_map(|message| signed(message, ADA)?.decode().ok());
        sent.filter(|command| !matches!(command, ManagerCommand::Commit { .. })).collect()
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.meeting.poll_event()).collect()
    }

    fn reason(&mut self) -> Option<Reason> {
        let events = self.events();
        events.into_iter().find_map(|event| if let Event::Ended(reason) = event { Some(reason) } else { None })
    }

    fn log(&mut self, position: u64, entry: LogEntry) {
        self.receive(Down::Log { position: Position(position), entry });
    }

    /// Logs a commit of a member that is not signed.
    fn log_commit(&mut self, position: u64, from: ParticipantId, epoch: u64, blob: Blob) {
        self.log(position, LogEntry::Commit { from, epoch: Epoch(epoch), blob });
    }
}

/// Returns an admission whose Welcome no member has made.
fn false_admission() -> Down {
    let (welcome, position, epoch) = (Blob(vec![0; 200]), Position(1), Epoch(1));
    Down::Admitted { welcome, position, epoch, gone: Vec::new(), resume: TOKEN, tree: 0 }
}

/// Returns a clock that is `ahead` seconds ahead of the servers in these tests.
fn wall_clock(start: Instant, ahead: u64) -> WallClock {
    Box::new(move |now| SystemTime::UNIX_EPOCH + Duration::from_secs(server_time() + ahead) + (now - start))
}

fn hello(participant: ParticipantId) -> Down {
    Down::Hello { version: VERSION, participant, time: server_time() }
}

/// Returns the server's time in seconds since 1970. It is near the system's, because openmls compares the lifetimes of key
/// packages with that.
fn server_time() -> u64 {
    static TIME: LazyLock<u64> = LazyLock::new(|| clock_ahead(SystemTime::now(), 0).unsigned_abs());
    *TIME
}

fn signed(message: Up, from: ParticipantId) -> Option<SignedCommand> {
    let Up::Manage { counter, command, signature, .. } = message else { return None };
    Some(SignedCommand { from, counter, command, signature })
}

fn as_commit(message: Up, from: ParticipantId) -> Option<Commit> {
    if let Up::Commit { epoch, blob, removed, welcome } = message {
        let entry = LogEntry::Commit { from, epoch, blob: blob.clone() };
        return Some(Commit { epoch, blob, removed, welcomes: welcome.into_iter().collect(), tree: Vec::new(), entry });
    }
    let Up::Manage { welcomes, .. } = &message else { return None };
    let welcomes = welcomes.clone();
    let signed = signed(message, from)?;
    let Ok(ManagerCommand::Commit { epoch, blob, removed, .. }) = signed.decode() else { return None };
    Some(Commit { epoch, blob, removed, welcomes, tree: Vec::new(), entry: LogEntry::Managed { signed } })
}

fn create() -> Entry {
    let (keys, identity) = (ManagerKeys::new().unwrap(), Identity::generate().unwrap());
    Entry::Create { keys, identity, profile: Profile::new("Ada").unwrap() }
}

fn join(organiser: &Client) -> Entry {
    let invitation = organiser.meeting.invitation("meet.example", 443, None).unwrap();
    join_by(invitation)
}

fn join_by(invitation: Invitation) -> Entry {
    Entry::Join { invitation, identity: Identity::generate().unwrap(), profile: Profile::new("Bob").unwrap() }
}

#[test]
fn the_organiser_enters_its_meeting_and_the_keys_come_first() {
    let mut client = Client::new(create());
    client.receive(hello(ADA));
    client.receive(Down::Created { resume: TOKEN });
    let events = client.events();
    let [
        Event::Approaching,
        Event::Keys { .. },
        Event::Words(_),
        Event::Entered { me },
        Event::Members(people),
        Event::Policy(_),
    ] = &events[..]
    else {
        panic!("{} events", events.len());
    };
    assert_eq!((*me, people.len(), people[0].is_organiser()), (ADA, 1, true));
    let sent = client.sent();
    assert!(matches!(sent[..], [Up::Hello { version: VERSION }, Up::Create { .. }]));
}

#[test]
fn a_guest_checks_the_admission_key_knocks_and_enters() {
    let mut organiser = Client::organiser();
    let (mut guest, request) = Client::knocking(&organiser, 2);
    organiser.receive(Down::Knocked { participant: ParticipantId(2), request });
    let commit = organiser.committed();
    assert_eq!((commit.epoch, &commit.welcomes[0].to[..]), (Epoch(0), &[ParticipantId(2)][..]));
    organiser.log(0, commit.entry.clone());
    guest.admit(&commit, 1);
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
        client.receive(Down::Hello { version: server, participant: ADA, time: server_time() });
        assert_eq!(client.reason(), Some(Reason::Version));
    }
}

#[test]
fn a_guest_does_not_knock_if_the_admission_key_is_not_the_links() {
    let (organiser, other) = (Client::organiser(), Client::organiser());
    let mut guest = Client::new(join(&organiser));
    guest.receive(hello(ParticipantId(2)));
    guest.sent();
    guest.receive(other.admission_key());
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
        assert_eq!(guest.sent(), [Up::Pong { position: Position(0) }]);
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
    guest.meeting.handle_disconnected(guest.now);
    guest.wait(Duration::from_secs(99));
    let events = guest.events();
    assert!(matches!(events[..], [Event::Approaching, Event::Knocking, Event::Ended(Reason::Refused)]));
    assert!(guest.meeting.is_over() && guest.meeting.poll_timeout().is_none());
}

#[test]
fn a_problem_of_the_server_ends_the_meeting_with_its_fault() {
    for (problem, fault) in [
        (Problem::NoMeeting, Some(Fault::Link)),
        (Problem::MeetingFull, Some(Fault::Server)),
        (Problem::Malformed, Some(Fault::Server)),
        (Problem::HostStopped, None),
    ] {
        let (mut client, _) = Client::knocking(&Client::organiser(), 2);
        client.receive(Down::Problem { problem });
        let reason = client.reason().unwrap();
        assert_eq!((&reason, reason.fault()), (&Reason::from(problem), fault));
    }
    // A member did not ask whether there is a meeting.
    for problem in [Problem::NoMeeting, Problem::MeetingFull, Problem::Version, Problem::NotResumable] {
        let mut client = Client::organiser();
        client.receive(Down::Problem { problem });
        assert!(matches!(client.reason(), Some(Reason::Server(_))), "{problem:?}");
    }
    let mut client = Client::organiser();
    client.meeting.handle_malformed();
    assert!(matches!(client.reason(), Some(Reason::Server(_))));
}

#[test]
fn leaving_sends_leave() {
    let mut client = Client::organiser();
    client.command(Command::Leave);
    assert_eq!((client.sent(), client.reason()), (vec![Up::Leave], Some(Reason::Left)));
}

#[test]
fn knocks_during_a_commit_share_the_next_commit() {
    let mut organiser = Client::organiser();
    for id in 2..7 {
        let (_, request) = Client::knocking(&organiser, id);
        organiser.receive(Down::Knocked { participant: ParticipantId(id), request });
    }
    let commit = organiser.committed();
    assert_eq!(commit.welcomes[0].to.len(), 1);
    organiser.log(0, commit.entry);
    let Commit { epoch, welcomes, .. } = organiser.committed();
    assert_eq!((epoch, welcomes.len(), welcomes[0].to.len()), (Epoch(1), 1, 4));
}

#[test]
fn invalid_requests_are_refused_and_valid_ones_admitted() {
    let mut organiser = Client::organiser();
    let (_, request) = Client::knocking(&organiser, 2);
    organiser.receive(Down::Knocked { participant: ParticipantId(9), request: Blob(vec![1; 400]) });
    organiser.receive(Down::Knocked { participant: ParticipantId(8), request: request.clone() });
    let refused = |id, why| ManagerCommand::Refuse { participant: ParticipantId(id), why };
    let expected = [refused(9, Refusal::Unreadable), refused(8, Refusal::Declined)];
    assert_eq!(organiser.commands(), expected, "random bytes, and the request of another client");
    let (_, request) = Client::knocking(&organiser, 3);
    organiser.receive(Down::Knocked { participant: ParticipantId(3), request });
    assert_eq!(organiser.committed().welcomes[0].to, [ParticipantId(3)]);
}

#[test]
fn an_answer_to_an_overtaken_commit_does_not_affect_the_next_commit() {
    let mut organiser = Client::organiser();
    organiser.command(Command::Refresh);
    let first = organiser.committed();
    // An invalid commit is the first of epoch 0. The request is tried again at once, in epoch 1.
    organiser.log_commit(0, ParticipantId(9), 0, Blob(vec![1; 40]));
    let second = organiser.committed();
    assert!(second.epoch == Epoch(1) && first.blob != second.blob);
    // The answer to the first one.
    organiser.receive(Down::CommitTooLate { epoch: Epoch(1) });
    assert!(organiser.sent().is_empty());
    organiser.log(1, second.entry);
    let keys = |event| if let Event::Keys { epoch, .. } = event { Some(epoch) } else { None };
    assert_eq!(
        organiser.events().into_iter().find_map(keys),
        Some(Epoch(1)),
        "the group's epoch is one less than the log's"
    );
}

#[test]
fn a_member_that_the_server_asks_to_wait_commits_again_later() {
    let (_, mut guest) = Client::two();
    guest.command(Command::Refresh);
    assert_eq!(guest.committed().epoch, Epoch(1));
    guest.receive(Down::CommitTooLate { epoch: Epoch(1) });
    assert!(guest.sent().is_empty());
    assert_eq!(guest.meeting.poll_timeout(), Some(guest.now + timing::COMMIT_INTERVAL));
    guest.wait(timing::COMMIT_INTERVAL);
    assert_eq!(guest.committed().epoch, Epoch(1));
}

#[test]
fn a_commit_without_a_verdict_ends_the_connection() {
    let mut client = Client::organiser();
    client.command(Command::Refresh);
    for _ in 0..7 {
        client.wait(Duration::from_secs(4));
        client.receive(Down::Ping);
        assert!(client.events().is_empty());
    }
    client.wait(Duration::from_secs(3));
    assert!(matches!(client.events()[..], [Event::Reconnecting]));
}

#[test]
fn an_own_commit_is_recognised_by_its_bytes() {
    let mut client = Client::organiser();
    client.command(Command::Refresh);
    client.committed();
    client.log_commit(0, ADA, 0, Blob(vec![1; 40]));
    let events = client.events();
    assert!(matches!(events[..], [Event::Notice(Notice::CommitRejected(ADA))]));
    assert_eq!(client.committed().epoch, Epoch(1), "the request is kept");
}

#[test]
fn a_state_announced_before_joining_is_sent_after_joining() {
    let mut organiser = Client::organiser();
    let (mut guest, request) = Client::knocking(&organiser, 2);
    let state = MediaState { microphone: Microphone::On, camera: true, ..MediaState::default() };
    guest.command(Command::Announce(state));
    organiser.receive(Down::Knocked { participant: ParticipantId(2), request });
    let commit = organiser.committed();
    organiser.log(0, commit.entry.clone());
    guest.admit(&commit, 1);
    let Some(Up::Tell { epoch, blob }) = guest.sent().pop() else { panic!("it sends its state") };
    organiser.events();
    let entry = proto::LogEntry::Told { from: ParticipantId(2), epoch, blob };
    organiser.log(1, entry);
    let Some(Event::Members(people)) = organiser.events().pop() else { panic!("the members are updated") };
    assert_eq!(people.iter().map(|person| person.state).collect::<Vec<_>>(), [MediaState::default(), state]);
}

#[test]
fn a_removal_is_sent_again_until_the_member_is_out() {
    const GUEST: ParticipantId = ParticipantId(2);
    let mut organiser = Client::organiser();
    let (_, request) = Client::knocking(&organiser, GUEST.0);
    organiser.receive(Down::Knocked { participant: GUEST, request });
    let commit = organiser.committed();
    organiser.log(0, commit.entry);
    organiser.command(Command::Remove(GUEST));
    let removal = |organiser: &mut Client| {
        let commit = organiser.committed();
        assert_eq!(commit.removed, [GUEST]);
        commit.entry
    };
    removal(&mut organiser);
    // An invalid commit wins the epoch.
    organiser.log_commit(1, ParticipantId(9), 1, Blob(vec![1; 40]));
    let entry = removal(&mut organiser);
    organiser.events();
    organiser.log(2, entry);
    let left = |event: &Event| matches!(event, Event::Left { id: GUEST, removed: true });
    assert_eq!(organiser.events().iter().filter(|event| left(event)).count(), 1);
    organiser.wait(Duration::from_secs(1));
    let commits = organiser.sent().into_iter().filter_map(|message| as_commit(message, ADA));
    assert_eq!(commits.count(), 0, "there is nothing more to remove");
}

#[test]
fn an_invalid_welcome_ends_the_meeting() {
    let organiser = Client::organiser();
    let (mut guest, _) = Client::knocking(&organiser, 2);
    guest.receive(false_admission());
    assert_eq!(guest.reason(), Some(Reason::Forged));
}
