//! Every message of the protocol, as a hostile client or a hostile server sends it. The attacker's facts make the messages as
//! plausible as possible.

use super::kinds;
use proto::{
    Blob, ClientMessage, ClientSignal, DemandedLayer, Down, DownlinkReport, DownlinkSettings, Epoch, FromSfu,
    GoneMember, Kind, LimitCause, LimitedTrack, LogEntry, MAX_KNOCK, MAX_LOBBY, MAX_MEMBER_MESSAGE, MAX_RELAY,
    MAX_SHARED_VOICES, MAX_TILES, MAX_TREE_PART, ManagerCommand, MeetingId, MemberBeacon, NextAuthority, ParticipantId,
    Position, Problem, Published, ROTATION_BYTES, Refusal, ResumeToken, ServerMessage, ServerSignal, SignedCommand,
    Slot, SpatialLayer, Subscription, TileWish, ToSfu, Totals, TrackDemand, TrackId, Up, VERSION, Welcome,
};

/// What an attacker knows.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The meeting that is attacked.
    pub meeting: MeetingId,
    /// The attacker in the messages of a hostile client; the victim in those of a hostile server.
    pub me: ParticipantId,
    /// Honest members.
    pub others: Vec<ParticipantId>,
    /// The log's epoch.
    pub epoch: Epoch,
    /// The position of the next entry of the log.
    pub position: Position,
    /// A token to resume: the attacker's own, or one that the server gave.
    pub token: ResumeToken,
    /// A command that the organiser has signed.
    pub signed: Option<SignedCommand>,
    /// A request for admission that was sent before.
    pub request: Blob,
    /// The admission key and the chain that the server answers.
    pub admission: Option<(Blob, Blob)>,
}

/// A message, and what it is.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its kinds, from the outside in.
    pub kinds: Vec<&'static str>,
    /// What is special about it.
    pub what: &'static str,
    /// The message.
    pub bytes: Vec<u8>,
}

impl Attempt {
    /// Returns its kinds and what is special.
    pub fn label(&self) -> String {
        let kinds = self.kinds.join(" ");
        if self.what.is_empty() { kinds } else { format!("{kinds} ({})", self.what) }
    }
}

impl Facts {
    /// Returns the facts of an attacker that knows only a meeting's id.
    pub fn of_meeting(meeting: MeetingId) -> Self {
        Self {
            meeting,
            me: ParticipantId(7),
            others: vec![ParticipantId(1), ParticipantId(2)],
            epoch: Epoch(1),
            position: Position(1),
            token: ResumeToken([9; 32]),
            signed: None,
            request: garbage(200),
            admission: None,
        }
    }

    fn victim(&self) -> ParticipantId {
        self.others.first().copied().unwrap_or(ParticipantId(1))
    }

    /// Returns every command of a manager.
    fn commands(&self, named: &[ParticipantId]) -> Vec<ManagerCommand> {
        let participant = named.first().copied().unwrap_or(ParticipantId(1));
        vec![
            signed_commit(self.epoch, named, None),
            ManagerCommand::Refuse { participant, why: Refusal::Declined },
            ManagerCommand::Expel { participant },
            ManagerCommand::Void { epoch: Epoch(self.epoch.0.saturating_sub(1)), participant },
            signed_commit(self.epoch, named, Some([3; ROTATION_BYTES])),
            ManagerCommand::Lock { locked: true },
            ManagerCommand::Beacon { epoch: self.epoch, mls_epoch: self.epoch.0 + 5, transcript: [5; 32] },
            ManagerCommand::End,
            ManagerCommand::Lobby { participant, blob: garbage(MAX_LOBBY) },
        ]
    }
}

fn signed_commit(epoch: Epoch, removed: &[ParticipantId], rotation: Option<[u8; ROTATION_BYTES]>) -> ManagerCommand {
    let rotation = rotation.map(|rotation| NextAuthority { rotation, admission_key: garbage(1_216) });
    ManagerCommand::Commit { epoch, blob: garbage(40), removed: removed.to_vec(), rotation }
}

/// Returns every message that a hostile client sends.
pub fn of_client(facts: &Facts) -> Vec<Attempt> {
    let mut list = to_enter(facts);
    list.extend(to_manage(facts));
    list.extend(as_member(facts));
    list.extend(to_sfu(facts));
    let mut attempts: Vec<Attempt> = list
        .into_iter()
        .map(|(what, message)| Attempt { kinds: kinds::of_client(&message), what, bytes: proto::encode(&message) })
        .collect();
    attempts.extend(no_messages());
    attempts
}

type Client = (&'static str, ClientMessage);

fn up(what: &'static str, message: Up) -> Client {
    (what, ClientMessage::Meeting(message))
}

fn to_enter(facts: &Facts) -> Vec<Client> {
    let (meeting, victim) = (facts.meeting, facts.victim());
    let other = MeetingId([facts.me.0.to_be_bytes()[7]; 16]);
    let create = |meeting| Up::Create { meeting, admission_key: garbage(1_216), authority: [1; 32] };
    let resume = |participant, token, position| Up::Resume { meeting, participant, token, position };
    let (guessed, last) = (ResumeToken([1; 32]), Position(u64::MAX));
    vec![
        up("", Up::Hello { version: VERSION }),
        up("another version", Up::Hello { version: u16::MAX }),
        up("the meeting that is attacked", create(meeting)),
        up("another meeting", create(other)),
        up("", Up::Approach { meeting }),
        up("garbage", Up::Knock { meeting, request: garbage(1_500) }),
        up("the longest", Up::Knock { meeting, request: garbage(MAX_KNOCK) }),
        up("a repeated request", Up::Knock { meeting, request: facts.request.clone() }),
        up("of a stranger", Up::Lobby { blob: garbage(300) }),
        up("forged", Up::Return { meeting, request: facts.request.clone(), signature: [7; 64] }),
        up("another member's place", resume(victim, facts.token, facts.position)),
        up("a guessed token", resume(victim, guessed, Position(0))),
        up("a later position", resume(facts.me, facts.token, last)),
    ]
}

fn to_manage(facts: &Facts) -> Vec<Client> {
    let manage = |signed: SignedCommand, welcomes| {
        let SignedCommand { counter, command, signature, .. } = signed;
        Up::Manage { counter, command, signature, welcomes }
    };
    let commands = facts.commands(&facts.others).into_iter();
    let mut list: Vec<Client> =
        commands.map(|command| up("forged", manage(forged(facts.me, &command), Vec::new()))).collect();
    let commit = signed_commit(facts.epoch, &[], None);
    let welcome = Welcome { to: vec![facts.me, ParticipantId(1)], blob: garbage(400) };
    list.push(up("forged, with a Welcome", manage(forged(facts.me, &commit), vec![welcome])));
    list.extend(facts.signed.iter().map(|signed| up("the organiser's own words", manage(signed.clone(), Vec::new()))));
    let nonsense = SignedCommand { command: garbage(40), ..forged(facts.me, &ManagerCommand::End) };
    list.push(up("no command", manage(nonsense, Vec::new())));
    list
}

fn as_member(facts: &Facts) -> Vec<Client> {
    let (epoch, none) = (facts.epoch, Vec::new());
    let commit = |epoch, blob, removed, welcome| Up::Commit { epoch, blob, removed, welcome };
    let welcome = Welcome { to: vec![ParticipantId(1), facts.me], blob: garbage(400) };
    let everybody = [facts.others.clone(), vec![facts.me]].concat();
    let junk = [&[0, 1, 0, 2, 16][..], &facts.meeting.0, &u64::MAX.to_be_bytes(), &[1, 0, 0]].concat();
    let tell = |epoch, blob| Up::Tell { epoch, blob };
    let longest = garbage(MAX_MEMBER_MESSAGE - 64);
    vec![
        up("void", commit(epoch, garbage(1), none.clone(), None)),
        up("that removes everybody", commit(epoch, garbage(40), everybody, None)),
        up("that admits an accomplice", commit(epoch, garbage(40), none.clone(), Some(welcome))),
        up("of a later epoch", commit(Epoch(u64::MAX), garbage(40), none.clone(), None)),
        up("the longest", commit(epoch, longest.clone(), none, None)),
        up("garbage", tell(epoch, garbage(40))),
        up("that claims a later epoch", tell(Epoch(u64::MAX), Blob(junk))),
        up("the longest", tell(epoch, longest)),
        up("garbage", Up::Relay { blob: garbage(608) }),
        up("too long", Up::Relay { blob: garbage(MAX_RELAY + 1) }),
        up("", Up::Pong { position: Position(0) }),
        up("of the last position", Up::Pong { position: Position(u64::MAX) }),
        up("of another fork, without a valid signature", Up::Beacon { beacon: beacon(facts) }),
        up("garbage", Up::Tree { first: true, part: garbage(MAX_TREE_PART) }),
        up("without a first part", Up::Tree { first: false, part: garbage(1) }),
        up("", Up::Leave),
    ]
}

fn to_sfu(facts: &Facts) -> Vec<Client> {
    let track = TrackId { owner: facts.victim(), slot: Slot::Camera };
    let offer = |sdp: &str, published, subscriptions| ClientSignal::Offer {
        number: 1,
        sdp: sdp.into(),
        published,
        subscriptions,
        voices: vec!["0".into(); MAX_SHARED_VOICES],
        downlink: Some(DownlinkSettings { max_bitrate: Some(0), last_bitrate: Some(u32::MAX) }),
    };
    let subscriptions = vec![Subscription { mid: "0".into(), track }; 300];
    let tile = TileWish { track, width: 8_192, height: 8_192, frames_per_second: 60, priority: 255, hidden: false };
    let signal = |what, signal: &ClientSignal| (what, ClientMessage::Sfu(ToSfu::Signal(Blob(proto::encode(signal)))));
    vec![
        signal("garbage", &offer("v=0", Vec::new(), Vec::new())),
        signal("another member's camera", &offer("v=0", vec![camera()], subscriptions)),
        signal("all tiles", &ClientSignal::Wishes { tiles: vec![tile; MAX_TILES] }),
        ("garbage", ClientMessage::Sfu(ToSfu::Signal(garbage(300)))),
        ("", ClientMessage::Sfu(ToSfu::Count)),
    ]
}

/// Returns bytes that are no message.
fn no_messages() -> Vec<Attempt> {
    // A byte string of 2^32 bytes, an array of 2^32 elements, nested arrays.
    let claims = |head: &[u8]| [&[0x82, 0x06, 0x82, 0x00][..], head].concat();
    [
        ("no bytes", Vec::new()),
        ("garbage", vec![0xff; 1_000]),
        ("a long string that is missing", claims(&[0x5b, 0, 0, 0, 1, 0, 0, 0, 0])),
        ("a long list that is missing", claims(&[0x9b, 0, 0, 0, 1, 0, 0, 0, 0])),
        ("nested lists", vec![0x81; 4_000]),
    ]
    .map(|(what, bytes)| Attempt { kinds: vec!["no message"], what, bytes })
    .into()
}

/// Returns every message that a hostile server sends.
pub fn of_server(facts: &Facts) -> Vec<Attempt> {
    let mut list = to_newcomers(facts);
    list.extend(to_members(facts));
    list.extend(with_proof(facts));
    list.extend(from_sfu(facts));
    let mut attempts: Vec<Attempt> = list
        .into_iter()
        .map(|(what, message)| Attempt { kinds: kinds::of_server(&message), what, bytes: proto::encode(&message) })
        .collect();
    attempts.extend(no_messages());
    attempts
}

type LabelledMessage = (&'static str, ServerMessage);

fn down(what: &'static str, message: Down) -> LabelledMessage {
    (what, ServerMessage::Meeting(message))
}

fn to_newcomers(facts: &Facts) -> Vec<LabelledMessage> {
    let (participant, position, epoch, resume) = (facts.me, facts.position, facts.epoch, facts.token);
    let admitted = |welcome, gone, tree| Down::Admitted { welcome, position, epoch, gone, resume, tree };
    let (admission_key, chain) = facts.admission.clone().unwrap_or((garbage(1_216), garbage(64)));
    let hello = |version, time| Down::Hello { version, participant, time };
    let mut list = vec![
        down("again, in another year", hello(VERSION, 0)),
        down("another version", hello(9, 0)),
        down("", Down::Created { resume }),
        down("another key", Down::AdmissionKey { admission_key: garbage(1_216), chain: chain.clone() }),
        down("another chain", Down::AdmissionKey { admission_key, chain: garbage(chain.0.len() + 128) }),
        down("a garbage Welcome", admitted(garbage(4_000), Vec::new(), 0)),
        down("a tree that never comes", admitted(garbage(4_000), Vec::new(), 4 << 20)),
        down("a part of a garbage tree", Down::Tree { part: garbage(64 << 10) }),
        down(
            "the longest Welcome",
            admitted(garbage(2 << 20), vec![GoneMember { participant: ParticipantId(1), by: None }; 1_024], 0),
        ),
    ];
    let clock = Refusal::Clock { ahead: i64::MIN };
    for why in [Refusal::Declined, Refusal::Unattended, clock, Refusal::Removed, Refusal::OldLink, Refusal::Locked]
        .into_iter()
        .chain([Refusal::NotNow, Refusal::NotInvited, Refusal::Full, Refusal::Unreadable, Refusal::NoGuests])
    {
        list.push(down("", Down::Refused { why }));
    }
    list
}

fn to_members(facts: &Facts) -> Vec<LabelledMessage> {
    let (victim, me, position, epoch) = (facts.victim(), facts.me, facts.position, facts.epoch);
    let log = |entry| Down::Log { position, entry };
    let commit = |from, blob| log(LogEntry::Commit { from, epoch, blob });
    let mut list = vec![
        down("garbage", Down::Knocked { participant: ParticipantId(3), request: garbage(1_500) }),
        down("a repeated request", Down::Knocked { participant: ParticipantId(4), request: facts.request.clone() }),
        down("", Down::Withdrew { participant: victim }),
        down("in a member's name", commit(victim, garbage(40))),
        down("the longest", commit(victim, garbage(2 << 20))),
        down("garbage", log(LogEntry::Told { from: victim, epoch, blob: garbage(40) })),
        down("of another member", log(LogEntry::Gone { participant: victim, by: None })),
        down("of another member, by the victim", log(LogEntry::Gone { participant: victim, by: Some(me) })),
        down("of the victim", log(LogEntry::Gone { participant: me, by: None })),
        down(
            "a gap",
            Down::Log { position: Position(1 << 40), entry: LogEntry::Gone { participant: victim, by: None } },
        ),
        down("", Down::CommitTooLate { epoch }),
        down("of the last epoch", Down::CommitTooLate { epoch: Epoch(u64::MAX) }),
        down("", Down::Resumed),
        down("forged", Down::Returned { participant: me, request: garbage(900), signature: [7; 64] }),
        down("", Down::Presence { participant: victim, connected: false }),
        down("of the victim", Down::Presence { participant: me, connected: false }),
        down("", Down::Skipped { position, count: 0 }),
        down("to the end", Down::Skipped { position, count: u64::MAX }),
        down("in a member's name", Down::MemberBeacon { from: victim, beacon: beacon(facts) }),
        down("in the victim's name", Down::MemberBeacon { from: me, beacon: beacon(facts) }),
        down("of nobody", Down::Lobby { participant: ParticipantId(3), from: ParticipantId(3), blob: garbage(300) }),
        down("to the victim", Down::Lobby { participant: me, from: victim, blob: garbage(MAX_LOBBY) }),
        down("garbage", Down::Relayed { from: victim, blob: garbage(608) }),
        down("of nobody", Down::Relayed { from: ParticipantId(3), blob: garbage(MAX_RELAY) }),
        down("", Down::Ping),
    ];
    for problem in PROBLEMS {
        list.push(down("", Down::Problem { problem }));
    }
    list
}

fn with_proof(facts: &Facts) -> Vec<LabelledMessage> {
    let organiser = facts.victim();
    let commands = facts.commands(&[facts.me]);
    let wrong = commands.iter().map(|command| ("forged", forged(organiser, command)));
    let stolen = facts.signed.iter().map(|signed| ("the organiser's words about something else", signed.clone()));
    let mut list = Vec::new();
    for (what, signed) in wrong.chain(stolen) {
        let entry = LogEntry::Managed { signed: signed.clone() };
        list.push(down(what, Down::Log { position: facts.position, entry }));
        list.push(down(what, Down::Removed { signed: signed.clone() }));
        list.push(down(what, Down::Beacon { signed: signed.clone() }));
        list.push(down(what, Down::Ended { signed }));
    }
    list
}

fn from_sfu(facts: &Facts) -> Vec<LabelledMessage> {
    let signal = |what, signal: &ServerSignal| (what, ServerMessage::Sfu(FromSfu::Signal(Blob(proto::encode(signal)))));
    let answer = |number, sdp: &str| ServerSignal::Answer { number, sdp: sdp.into(), tunnel: None, turn: None };
    let wanted = vec![DemandedLayer { spatial: 7, temporal_layers: 255, max_bitrate: None }; 8];
    vec![
        signal("garbage", &answer(1, "v=0")),
        signal("to no offer", &answer(u32::MAX, &"m=video 9 UDP/TLS/RTP/SAVPF 102\r\n".repeat(9_000))),
        signal("", &ServerSignal::OfferRefused { number: 1 }),
        signal("of nobody", &ServerSignal::Tracks { owner: ParticipantId(3), tracks: vec![camera()] }),
        signal("of the victim", &ServerSignal::Tracks { owner: facts.me, tracks: vec![camera()] }),
        signal("", &ServerSignal::TrackDemand { layers: TrackDemand { slot: Slot::Camera, wanted } }),
        signal("", &ServerSignal::SoundLoss { percent: 255, max_bitrate: Some(0) }),
        signal("of nobody's tracks", &ServerSignal::Downlink { report: false_report() }),
        ("garbage", ServerMessage::Sfu(FromSfu::Signal(garbage(300)))),
        ("", ServerMessage::Sfu(FromSfu::Totals { totals: Totals::default() })),
    ]
}

/// Returns a command with a wrong signature.
fn forged(from: ParticipantId, command: &ManagerCommand) -> SignedCommand {
    SignedCommand { from, counter: 1 << 40, command: Blob(proto::encode(command)), signature: [7; 64] }
}

/// Returns a beacon of a fork that nobody has signed.
fn beacon(facts: &Facts) -> MemberBeacon {
    let (epoch, mls_epoch) = (facts.epoch, facts.epoch.0);
    MemberBeacon { counter: u64::MAX, epoch, mls_epoch, transcript: [5; 32], signature: [7; 64] }
}

fn false_report() -> DownlinkReport {
    let track = TrackId { owner: ParticipantId(3), slot: Slot::Screen };
    let limited = vec![LimitedTrack { track, cause: LimitCause::Sender }; MAX_TILES];
    DownlinkReport { bitrate: u32::MAX, lost_down: 255, lost_up: 255, round_trip: Some(u16::MAX), limited }
}

fn camera() -> Published {
    let layer = SpatialLayer { spatial: 0, width: 1, height: u16::MAX, bitrate: u32::MAX };
    Published { slot: Slot::Camera, kind: Kind::Video, mid: "0".into(), layers: vec![layer] }
}

fn garbage(length: usize) -> Blob {
    Blob(vec![0xa5; length])
}

/// All problems. `tests/tests/attack.rs` fails if one is missing.
pub const PROBLEMS: [Problem; 13] = [
    Problem::Version,
    Problem::NoMeeting,
    Problem::MeetingExists,
    Problem::MeetingFull,
    Problem::ServerFull,
    Problem::Malformed,
    Problem::TooFast,
    Problem::Draining,
    Problem::NotAuthorised,
    Problem::NotResumable,
    Problem::Idle,
    Problem::Superseded,
    Problem::HostStopped,
];
