//! What a member with a changed program can send in the chat. Only tests of attacks use it.

use super::line::{LineId, Reaction};
use super::message::{
    self, Ballot, ChatMessage, Content, Device, LineRef, MAX_BODY, MAX_OLD_LINES, OldLine, PassedBallot,
    PrivateMessage, Question, ReactionTo, SignedBallot, SignedContent,
};
use super::text::Text;
use crate::meeting::{Meeting, Phase, state};
use crypto::chat::{self as signed_by, SignedLine};
use crypto::group::typing::TypingKey;
use crypto::{DeviceKey, Envelope, Identity};
use proto::{Blob, MeetingId, ParticipantId, Up};

/// Encrypts any bytes as a message of the chat. `None` if this client is no member, or its commit is pending.
pub fn seal(meeting: &mut Meeting, body: Vec<u8>) -> Option<Up> {
    let Phase::Member(joined) = &mut meeting.phase else { return None };
    joined.log.seal(&state::Message::Chat { body: body.into() })
}

/// A message that a changed program sends.
#[derive(Clone, Debug)]
pub struct Forged {
    /// The kind of the message.
    pub kind: &'static str,
    /// What is special about it.
    pub what: &'static str,
    /// Its padded bytes.
    pub body: Vec<u8>,
}

fn forged(what: &'static str, message: &ChatMessage) -> Option<Forged> {
    Some(Forged { kind: kind(message), what, body: message::encode(message)? })
}

/// Returns messages against the line of a member called `name`, and against the member `to`. No reader needs to be a member.
pub fn messages(member: &Meeting, line: LineId, name: &str, to: ParticipantId) -> Vec<Forged> {
    let Phase::Member(joined) = &member.phase else { return Vec::new() };
    let meeting = joined.log.group().policy().chain().meeting();
    let own = &member.entrant.identity;
    let reference = LineRef::from(line);
    let react = ReactionTo { line: reference, reaction: Reaction::Like, on: true };
    let lines = |identity| signed(meeting, line.counter, (1, name), identity);
    let old = |device: DeviceKey, identity| OldLine {
        device: Device(device.0),
        place: 1,
        line: signed(meeting, line.counter, (0, name), identity),
    };
    let history = |lines| ChatMessage::History { to: vec![to], lines, last: true };
    let flood = vec![old(own.public(), own); MAX_OLD_LINES];
    let Ok(text) = Text::new("forged") else { return Vec::new() };
    let question = Question { counter: 3, text: text.clone(), options: vec![text; 2], secret: false };
    let messages = [
        ("an edit of another member's line", ChatMessage::Line(lines(own))),
        ("another member's name", ChatMessage::Line(signed(meeting, 1, (0, name), own))),
        ("a forged signature", ChatMessage::Line(SignedContent { signature: [7; 64], ..lines(own) })),
        ("the removal of another member's line", ChatMessage::Delete(reference)),
        ("lines in another member's name", history(vec![old(line.device, own)])),
        ("lines that nobody asked for", history(flood)),
        ("sealed garbage", ChatMessage::Private { to, sealed: vec![0xa5; 1_400].into() }),
        ("a false key", ChatMessage::Key { public: vec![0xa5; 1_216].into() }),
        ("a question for a key", ChatMessage::KeyWanted { of: to }),
        ("a question for lines", ChatMessage::HistoryWanted),
        ("a reaction", ChatMessage::React(react)),
        ("a vote", ChatMessage::Vote(question)),
        ("where there is no vote", ballot(member, line, (200, u64::MAX), own)),
        ("that nobody asked for", open_vote(member, to, own)),
        ("the end of a vote", ChatMessage::VoteEnd { counter: line.counter, counts: vec![u32::MAX; 1_000] }),
    ];
    let messages = messages.into_iter().filter_map(|(what, message)| forged(what, &message));
    let bytes = [
        ("no bytes", Vec::new()),
        ("garbage", vec![0xff; 64]),
        ("zeros", vec![0; MAX_BODY]),
        ("an odd length", vec![0x82; 65]),
        ("the longest and more", vec![0xa5; 200 << 10]),
        ("nested lists", vec![0x81; 4_096]),
    ];
    let bytes = bytes.into_iter().map(|(what, body)| Forged { kind: "no message", what, body });
    messages.chain(bytes).collect()
}

/// Returns messages against a vote of another member: ballots with another signature, name or number, an unknown answer, and
/// ends of the vote. `own` is a number of a ballot of this member that counts already.
pub fn against_vote(member: &Meeting, vote: LineId, own: u64) -> Vec<Forged> {
    let (Phase::Member(joined), Ok(stranger)) = (&member.phase, Identity::generate()) else { return Vec::new() };
    let identity = identity_of(member);
    let valid = |choice, number| signed_ballot(member, vote, (choice, number), identity);
    let name = |signed: SignedBallot| SignedBallot { name: "Olga".into(), ..signed };
    let another = LineId { counter: vote.counter.wrapping_add(1), ..vote };
    let me = joined.me();
    let messages = [
        ("of another device", signed_ballot(member, vote, (0, u64::MAX - 1), &stranger)),
        ("without a signature", SignedBallot { signature: [0; 64], ..valid(0, u64::MAX - 1) }),
        ("in another name", name(valid(0, u64::MAX - 1))),
        (
            "with another choice than the signed one",
            SignedBallot { ballot: Ballot { vote: vote.into(), choice: 1 }, ..valid(0, u64::MAX - 1) },
        ),
        ("once more", valid(0, own)),
        ("with an earlier number", valid(0, own.saturating_sub(1))),
        ("for an unknown answer", valid(200, u64::MAX - 1)),
        ("for an unknown vote", signed_ballot(member, another, (0, u64::MAX - 1), identity)),
    ];
    let ballots = messages.into_iter().filter_map(|(what, signed)| forged(what, &ChatMessage::Ballot(signed)));
    let counts = vec![0, 99, u32::MAX];
    let end = ChatMessage::VoteEnd { counter: vote.counter, counts };
    let again = open_vote_of(vote.counter, me, identity, member);
    ballots
        .chain(forged("of another member's vote", &end))
        .chain(forged("in place of another member's", &again))
        .collect()
}

/// Returns private messages about a line for all, sealed for `to` if its key is known, or for the member itself if `to` is `None`.
pub fn private_messages(member: &mut Meeting, line: LineId, to: Option<ParticipantId>) -> Vec<Forged> {
    let reference = LineRef::from(line);
    let Ok(text) = Text::new("forged") else { return Vec::new() };
    let name = "Olga".to_owned();
    let content = Content { revision: 0, time: 0, name, text, reply: Some(reference), mentions: Vec::new() };
    let messages = [
        ("PrivateMessage::Line", "in another member's name", PrivateMessage::Line { counter: line.counter, content }),
        ("PrivateMessage::Delete", "of a line for all", PrivateMessage::Delete(reference)),
        ("PrivateMessage::React", "to a line for all", {
            PrivateMessage::React(ReactionTo { line: reference, reaction: Reaction::Like, on: true })
        }),
        ("PrivateMessage::Ballot", "where there is no vote", {
            PrivateMessage::Ballot { ballot: Ballot { vote: reference, choice: 200 }, number: u64::MAX }
        }),
    ];
    let seal = |(kind, what, message)| Some(Forged { kind, what, body: seal_private(member, to, &message)? });
    messages.into_iter().filter_map(seal).collect()
}

fn seal_private(member: &mut Meeting, to: Option<ParticipantId>, message: &PrivateMessage) -> Option<Vec<u8>> {
    let Phase::Member(joined) = &mut member.phase else { return None };
    let (me, meeting) = (joined.me(), joined.log.group().policy().chain().meeting());
    let (plaintext, keys) = (message::encode_private(message)?, &mut joined.chat.private);
    if to.is_none()
        && let Some(ChatMessage::Key { public }) = keys.answer(std::time::Instant::now())
    {
        keys.handle_key(me, public.into());
    }
    let envelope = Envelope { meeting, from: me, to: to.unwrap_or(me) };
    message::encode(&keys.seal(&plaintext, envelope)?)
}

/// Encrypts any bytes as a text that the member types. `count` must be higher than before. `None` if this client is no member.
pub fn relay(member: &Meeting, count: u64, body: &[u8]) -> Option<Up> {
    let Phase::Member(joined) = &member.phase else { return None };
    let blob = TypingKey::of(joined.log.group())?.seal(joined.me(), count, body, identity_of(member))?;
    Some(Up::Relay { blob: Blob(blob) })
}

/// Returns a valid ballot of the member.
pub fn ballot_of(member: &Meeting, vote: LineId, choice: u8, number: u64) -> Option<Vec<u8>> {
    message::encode(&ChatMessage::Ballot(signed_ballot(member, vote, (choice, number), identity_of(member))))
}

fn identity_of(member: &Meeting) -> &Identity {
    &member.entrant.identity
}

fn ballot(member: &Meeting, vote: LineId, cast: (u8, u64), identity: &Identity) -> ChatMessage {
    ChatMessage::Ballot(signed_ballot(member, vote, cast, identity))
}

fn signed_ballot(member: &Meeting, vote: LineId, (choice, number): (u8, u64), identity: &Identity) -> SignedBallot {
    let name = member.entrant.profile.name.clone();
    let meeting = member.policy().map_or(MeetingId([0; 16]), |policy| policy.chain().meeting());
    let LineId { device, counter } = vote;
    let signature = signed_by::SignedBallot { meeting, device, counter, choice, number, name: &name }.sign(identity);
    SignedBallot { ballot: Ballot { vote: vote.into(), choice }, number, name, signature }
}

fn open_vote(member: &Meeting, to: ParticipantId, identity: &Identity) -> ChatMessage {
    open_vote_of(77, to, identity, member)
}

/// Returns a vote from before, with ballots that nobody has cast.
fn open_vote_of(counter: u64, to: ParticipantId, identity: &Identity, member: &Meeting) -> ChatMessage {
    let vote = LineId { device: identity.public(), counter };
    let SignedBallot { number, name, signature, .. } = signed_ballot(member, vote, (1, 5), identity);
    open_vote_with(counter, to, PassedBallot { device: Device([9; 32]), choice: 1, number, name, signature })
}

/// Returns a vote from before, with a ballot that the member has signed under `name`.
pub fn open_vote_under(name: &str, to: ParticipantId, member: &Meeting) -> Option<Vec<u8>> {
    let (identity, counter, choice, number) = (identity_of(member), 78, 1, 5);
    let (device, meeting) = (identity.public(), member.policy()?.chain().meeting());
    let signature = signed_by::SignedBallot { meeting, device, counter, choice, number, name }.sign(identity);
    let ballot = PassedBallot { device: Device(device.0), choice, number, name: name.to_owned(), signature };
    message::encode(&open_vote_with(counter, to, ballot))
}

fn open_vote_with(counter: u64, to: ParticipantId, ballot: PassedBallot) -> ChatMessage {
    let text = Text::new("forged").expect("a text");
    let question = Question { counter, text: text.clone(), options: vec![text; 2], secret: false };
    ChatMessage::OpenVote { to: vec![to], question, place: 1, ballots: vec![ballot] }
}

/// The kinds of the messages of the chat, for the list of what attacks try.
fn kind(message: &ChatMessage) -> &'static str {
    match message {
        ChatMessage::Line(_) => "ChatMessage::Line",
        ChatMessage::Delete(_) => "ChatMessage::Delete",
        ChatMessage::React(_) => "ChatMessage::React",
        ChatMessage::Private { .. } => "ChatMessage::Private",
        ChatMessage::KeyWanted { .. } => "ChatMessage::KeyWanted",
        ChatMessage::Key { .. } => "ChatMessage::Key",
        ChatMessage::HistoryWanted => "ChatMessage::HistoryWanted",
        ChatMessage::History { .. } => "ChatMessage::History",
        ChatMessage::Vote(_) => "ChatMessage::Vote",
        ChatMessage::Ballot(_) => "ChatMessage::Ballot",
        ChatMessage::VoteEnd { .. } => "ChatMessage::VoteEnd",
        ChatMessage::OpenVote { .. } => "ChatMessage::OpenVote",
    }
}

/// Returns an answer without lines for a member that has asked for the lines from before.
pub fn empty_history(to: ParticipantId) -> Option<Vec<u8>> {
    message::encode(&ChatMessage::History { to: vec![to], lines: Vec::new(), last: true })
}

/// Returns a line that `identity` has signed, with the number of another one.
fn signed(meeting: MeetingId, counter: u64, (revision, name): (u32, &str), identity: &Identity) -> SignedContent {
    let (name, text) = (name.to_owned(), Text::new("forged").expect("a text"));
    let content = Content { revision, time: 0, name, text, reply: None, mentions: Vec::new() };
    let signature = SignedLine { meeting, counter, content: &content.encode() }.sign(identity);
    SignedContent { counter, content, signature }
}
