//! The lines that this client keeps, in the order of the meeting's log, and who may change them. Pure.
//!
//! All members apply the same messages at the same positions of the log, with the same roles and rights. So all have the
//! same lines, apart from private ones and those that each has dropped because its memory is bounded.

mod voting;

use super::line::{Body, Line, LineId, PassedOn, Peer, Reacted, Status};
use super::message::{Content, Device, MAX_MENTIONS, OldLine, ReactionTo, SignedContent};
use super::text::Text;
use super::votes::Count;
use crate::meeting::Member;
use crypto::DeviceKey;
use proto::{Rights, Role};
use std::collections::{BTreeSet, VecDeque};

/// The lines, sorted by place. Those without a place are last.
#[derive(Default)]
pub struct Lines {
    entries: Vec<Entry>,
    /// The bytes of all texts.
    bytes: usize,
    /// The lines that were received, so that none counts twice.
    seen: Seen,
}

struct Entry {
    line: Line,
    revision: u32,
    /// The newest revision as its author signed it. `None` for a private line.
    signed: Option<SignedContent>,
    /// Those who come late may read it, by the rule in force when it was sent.
    is_shared: bool,
    /// The vote, if the line is its question.
    count: Option<Count>,
}

/// Who sends a message, and where it is in the log.
#[derive(Clone)]
pub struct Sender<'a> {
    /// The author.
    pub member: &'a Member,
    /// `None` if the message is for all. Otherwise the other end of the private conversation.
    pub private: Option<Peer>,
    /// The place in the log.
    pub place: u64,
    /// When it arrived, in seconds since 1970.
    pub time: u64,
    /// This client's device.
    pub me: DeviceKey,
    /// Those who come late may read it.
    pub is_shared: bool,
}

impl Sender<'_> {
    fn has(&self, right: Rights) -> bool {
        self.member.rights.contains(right)
    }

    /// Returns true if the message is of the same conversation as `line`.
    fn is_about(&self, line: &Line) -> bool {
        let device = |peer: &Option<Peer>| peer.as_ref().map(|peer| peer.device);
        device(&self.private) == device(&line.private)
    }
}

impl Lines {
    /// Returns a line.
    pub fn get(&self, id: LineId) -> Option<&Line> {
        self.find(id).map(|at| &self.entries[at].line)
    }

    /// Returns the newest revision of a line.
    pub fn revision(&self, id: LineId) -> Option<u32> {
        self.find(id).map(|at| self.entries[at].revision)
    }

    /// Adds an own line that is not in the log yet.
    pub fn add_own(&mut self, line: Line) {
        self.seen.insert(line.id);
        let count = None;
        self.insert(Entry { line, revision: 0, signed: None, is_shared: false, count });
    }

    /// Sets whether an own line was sent. Returns true if that is new.
    pub fn set_status(&mut self, id: LineId, status: Status) -> bool {
        let Some(at) = self.find(id) else { return false };
        let line = &mut self.entries[at].line;
        line.place.is_none() && std::mem::replace(&mut line.status, status) != status
    }

    /// Drops an own line that was not sent. Returns false if there is none.
    pub fn drop_own(&mut self, id: LineId) -> bool {
        let failed = self.find(id).filter(|at| self.entries[*at].line.status == Status::Failed);
        failed.map(|at| self.remove(at)).is_some()
    }

    /// Handles a line, or a newer revision of one. Returns its id if it counts.
    pub fn receive(
        &mut self,
        from: &Sender<'_>,
        (counter, content): (u64, &Content),
        signed: Option<&SignedContent>,
    ) -> Option<LineId> {
        let id = LineId { device: from.member.device, counter };
        if !from.has(Rights::CHAT) || content.mentions.len() > MAX_MENTIONS {
            return None;
        }
        match (content.revision, self.find(id)) {
            (0, Some(at)) if self.entries[at].line.place.is_none() => self.place_own(at, from, signed),
            (0, _) if self.seen.insert(id) => {
                let line = new_line(id, from, content);
                let (signed, is_shared) = (signed.cloned(), from.is_shared);
                let entry = Entry { line, revision: 0, signed, is_shared, count: None };
                self.insert(entry);
            }
            (0, _) | (_, None) => return None,
            (_, Some(at)) => self.edit(at, from, content, signed)?,
        }
        Some(id)
    }

    /// Places an own line that the log contains now.
    fn place_own(&mut self, at: usize, from: &Sender<'_>, signed: Option<&SignedContent>) {
        let mut entry = self.remove(at);
        (entry.line.place, entry.line.status) = (Some(from.place), Status::Sent);
        (entry.signed, entry.is_shared) = (signed.cloned(), from.is_shared);
        self.insert(entry);
    }

    fn edit(&mut self, at: usize, from: &Sender<'_>, content: &Content, signed: Option<&SignedContent>) -> Option<()> {
        let entry = &mut self.entries[at];
        let Body::Text(before) = &entry.line.body else { return None };
        // Ballots are for the question as it was.
        let allowed = entry.count.is_none()
            && from.is_about(&entry.line)
            && entry.line.place.is_some()
            && content.revision > entry.revision
            && content.reply.map(LineId::from) == entry.line.reply;
        if !allowed {
            return None;
        }
        self.bytes = self.bytes + content.text.as_str().len() - before.as_str().len();
        entry.line.body = Body::Text(content.text.clone());
        (entry.line.edited, entry.revision, entry.signed) = (true, content.revision, signed.cloned());
        entry.line.mentions_me = mentions(content, from.me);
        self.shrink();
        Some(())
    }

    /// Removes the text of a line: of an own one, or of somebody of a lower role, if the sender has the right.
    /// `role` returns the role of a device, also if it is not in the meeting now. Returns true if it counts.
    pub fn delete(&mut self, from: &Sender<'_>, id: LineId, role: impl Fn(DeviceKey) -> Role) -> bool {
        let Some(at) = self.find(id) else { return false };
        let Entry { line, signed, count, .. } = &mut self.entries[at];
        let Body::Text(text) = &line.body else { return false };
        let is_own = id.device == from.member.device;
        let is_above = || from.member.role.is_above(role(id.device));
        let may_remove = || line.private.is_none() && from.has(Rights::REMOVE) && is_above();
        if !from.is_about(line) || line.place.is_none() || !(is_own || may_remove()) {
            return false;
        }
        self.bytes -= text.as_str().len();
        line.body = if is_own { Body::Deleted } else { Body::RemovedBy(from.member.name.clone()) };
        line.reactions.clear();
        (line.vote, *signed) = (None, None);
        let options = count.take().map_or(0, |count| count.length());
        self.bytes -= options;
        true
    }

    /// Adds a reaction, or takes it back. Returns true if it counts.
    pub fn react(&mut self, from: &Sender<'_>, &ReactionTo { line: id, reaction, on }: &ReactionTo) -> bool {
        let Some(at) = self.find(id.into()) else { return false };
        let line = &mut self.entries[at].line;
        let is_text = matches!(line.body, Body::Text(_)) && line.place.is_some();
        if !from.has(Rights::REACT) || !from.is_about(line) || !is_text {
            return false;
        }
        let device = from.member.device;
        let known = line.reactions.iter().position(|other| (other.reaction, other.device) == (reaction, device));
        match (on, known) {
            (true, None) if line.reactions.len() < MAX_REACTIONS => {
                let (name, me) = (from.member.name.clone(), device == from.me);
                line.reactions.push(Reacted { reaction, device, name, me });
            }
            (false, Some(at)) => drop(line.reactions.remove(at)),
            (true, _) | (false, None) => return false,
        }
        true
    }

    /// Adds a line that another member passes on, if it is not known. Its signature was verified. A known line moves to an
    /// earlier place: its author has sent it again, and this client did not get the first entry. Returns its id if it counts.
    pub fn merge_old(
        &mut self,
        old: &OldLine,
        (name, me, time): (String, DeviceKey, u64),
        how: PassedOn,
    ) -> Option<LineId> {
        let content = &old.line.content;
        let id = LineId { device: DeviceKey(old.device.0), counter: old.line.counter };
        if content.mentions.len() > MAX_MENTIONS {
            return None;
        }
        if let Some(at) = self.find(id) {
            let line = &self.entries[at].line;
            let is_moved = line.private.is_none() && line.place.is_none_or(|place| old.place < place);
            if !is_moved {
                return None;
            }
            let mut entry = self.remove(at);
            (entry.line.place, entry.line.status) = (Some(old.place), Status::Sent);
            let is_whole = matches!(entry.line.body, Body::Text(_)) && entry.revision == content.revision;
            if entry.signed.is_none() && is_whole {
                // Nobody passes on a removed line, or an earlier revision.
                entry.signed = Some(old.line.clone());
            }
            self.insert(entry);
            return Some(id);
        }
        if !self.seen.insert(id) {
            return None;
        }
        let line = Line {
            id,
            name,
            me: id.device == me,
            private: None,
            time,
            place: Some(old.place),
            status: Status::Sent,
            reply: content.reply.map(LineId::from),
            body: Body::Text(content.text.clone()),
            edited: content.revision > 0,
            mentions_me: mentions(content, me),
            reactions: Vec::new(),
            passed_on: Some(how),
            vote: None,
        };
        let (revision, signed) = (content.revision, Some(old.line.clone()));
        self.insert(Entry { line, revision, signed, is_shared: true, count: None });
        Some(id)
    }

    /// Returns the newest lines that those who come late may read, the oldest first.
    pub fn shared(&self) -> Vec<OldLine> {
        let mut bytes = 0;
        let signed = self.entries.iter().rev().filter(|entry| entry.is_shared).filter_map(|entry| {
            let line = entry.signed.clone()?;
            Some(OldLine { device: Device(entry.line.id.device.0), place: entry.line.place?, line })
        });
        let fits = |old: &OldLine| {
            bytes += old.line.content.text.as_str().len() + LINE_OVERHEAD;
            bytes <= MAX_HISTORY_BYTES
        };
        let mut lines: Vec<_> = signed.take(MAX_HISTORY_LINES).take_while(fits).collect();
        lines.reverse();
        lines
    }

    fn find(&self, id: LineId) -> Option<usize> {
        self.entries.iter().rposition(|entry| entry.line.id == id)
    }

    fn insert(&mut self, entry: Entry) {
        let place = |line: &Line| line.place.unwrap_or(u64::MAX);
        let at = self.entries.partition_point(|other| place(&other.line) <= place(&entry.line));
        self.bytes += length(&entry);
        self.entries.insert(at, entry);
        self.shrink();
    }

    fn remove(&mut self, at: usize) -> Entry {
        let entry = self.entries.remove(at);
        self.bytes -= length(&entry);
        entry
    }

    /// Drops the oldest lines if there are too many.
    fn shrink(&mut self) {
        while self.entries.len() > MAX_LINES || self.bytes > MAX_BYTES && self.entries.len() > 1 {
            self.remove(0);
        }
    }
}

fn new_line(id: LineId, from: &Sender<'_>, content: &Content) -> Line {
    Line {
        id,
        name: from.member.name.clone(),
        me: id.device == from.me,
        private: from.private.clone(),
        time: from.time,
        place: Some(from.place),
        status: Status::Sent,
        reply: content.reply.map(LineId::from),
        body: Body::Text(content.text.clone()),
        edited: false,
        mentions_me: mentions(content, from.me),
        reactions: Vec::new(),
        passed_on: None,
        vote: None,
    }
}

fn text_of(line: &Line) -> Option<Text> {
    if let Body::Text(text) = &line.body { Some(text.clone()) } else { None }
}

fn mentions(content: &Content, me: DeviceKey) -> bool {
    content.mentions.contains(&Device(me.0))
}

fn length(entry: &Entry) -> usize {
    let options = entry.count.as_ref().map_or(0, Count::length);
    options + if let Body::Text(text) = &entry.line.body { Text::as_str(text).len() } else { 0 }
}

/// The ids of the newest lines. Bounded.
#[derive(Default)]
struct Seen {
    ids: BTreeSet<LineId>,
    order: VecDeque<LineId>,
}

impl Seen {
    /// Returns false if the id is known.
    fn insert(&mut self, id: LineId) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > MAX_SEEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

/// Lines that are kept.
pub const MAX_LINES: usize = 1_000;
/// Bytes of all texts that are kept.
pub const MAX_BYTES: usize = 2 << 20;
/// Ids that are kept.
const MAX_SEEN: usize = 8_192;
/// Reactions to one line.
const MAX_REACTIONS: usize = 256;
/// Lines that are passed on to a member that comes late.
pub const MAX_HISTORY_LINES: usize = 100;
/// Bytes of them.
const MAX_HISTORY_BYTES: usize = 64 << 10;
/// Bytes that each line counts for, besides its text.
const LINE_OVERHEAD: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meeting::MediaState;
    use crypto::Leaf;
    use proto::ParticipantId;

    fn author() -> Member {
        Member {
            id: ParticipantId(1),
            leaf: Leaf(0),
            name: "Ada".into(),
            device: DeviceKey([1; 32]),
            certificate: None,
            role: Role::Organiser,
            rights: Rights::CHAT,
            me: false,
            state: MediaState::default(),
            connected: true,
        }
    }

    fn line(revision: u32, text: &str) -> SignedContent {
        let (name, text) = ("Ada".to_owned(), Text::new(text).unwrap());
        let content = Content { revision, time: 0, name, text, reply: None, mentions: Vec::new() };
        SignedContent { counter: 5, content, signature: [0; 64] }
    }

    /// A member that passes on a line that was removed, or an earlier revision of it, at an earlier place.
    #[test]
    fn a_removed_line_and_an_earlier_revision_are_passed_on_by_nobody_honest() {
        let (member, device) = (author(), DeviceKey([9; 32]));
        let how = || PassedOn { by: "Eve".into(), proved: true };
        let sender = |place| Sender { member: &member, private: None, place, time: 0, me: device, is_shared: true };
        for removed in [true, false] {
            let mut lines = Lines::default();
            let (first, second) = (line(0, "first"), line(1, "second"));
            let id = lines.receive(&sender(10), (5, &first.content), Some(&first)).unwrap();
            if removed {
                assert!(lines.delete(&sender(11), id, |_| Role::Guest));
            } else {
                assert_eq!(lines.receive(&sender(11), (5, &second.content), Some(&second)), Some(id));
            }
            let old = OldLine { device: Device([1; 32]), place: 3, line: first };
            assert_eq!(lines.merge_old(&old, ("Ada".into(), device, 0), how()), Some(id));
            let shared: Vec<_> = lines.shared().into_iter().map(|old| old.line.content.text).collect();
            let expected = if removed { vec![] } else { vec![second.content.text] };
            assert_eq!(shared, expected);
        }
    }
}
