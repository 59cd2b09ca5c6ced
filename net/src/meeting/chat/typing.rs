//! Text that the others see while it is typed (real-time text; EN 301 549, clause 6.2). As in RFC 4103, what is typed within a third
//! of a second goes together.
//!
//! ```text
//! body = CBOR item [line 8, start 4, text] | zeros, up to 512 bytes
//! ```
//! Each message has the end of the whole text, so that a lost one is made good by the next, and a deletion needs no message of its
//! own. All have one length, so that the server does not learn how long the text is. They are not in the log, and nobody keeps them
//! for those who come late. Pure.

use super::events::emit;
use super::limits::Bucket;
use super::line::{Event, LineId};
use super::lines::Lines;
use super::typed_text::{TypedText, Typing};
use crate::meeting::Member;
use crate::meeting::context::Context;
use crate::meeting::roster::{Roster, member};
use crypto::group::typing::TypingKey;
use crypto::{DeviceKey, Group, Identity, Zeroizing};
use minicbor::{Decode, Encode};
use proto::{Blob, ParticipantId, Rights, Up};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The message. Its text is overwritten when it is dropped.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Body {
    /// The number that the line gets when it is sent.
    #[n(0)]
    line: u64,
    /// How many characters come before the text.
    #[n(1)]
    start: u32,
    /// The end of the text.
    #[n(2)]
    text: String,
}

impl Drop for Body {
    fn drop(&mut self) {
        drop(Zeroizing::new(std::mem::take(&mut self.text)));
    }
}

/// What this client and the others type.
pub struct TypedLines {
    own: OwnTyping,
    others: BTreeMap<ParticipantId, Other>,
    /// The keys of this epoch and of the one before. The newest one is last.
    keys: Vec<TypingKey>,
}

/// What this client's user types and shows.
#[derive(Default)]
struct OwnTyping {
    text: TypedText,
    /// True if the others must be told.
    is_changed: bool,
    /// True if the others see something.
    is_shown: bool,
    last: Option<Instant>,
    /// When the text is sent again, in case the last message was lost.
    repeat: Option<Instant>,
    count: u64,
}

/// What another member types.
struct Other {
    device: DeviceKey,
    name: String,
    last_count: u64,
    /// The number of its line, and until when it is shown. `None` if nothing is.
    shown: Option<(u64, Instant)>,
    pace: Bucket,
}

impl Other {
    fn ended(&self) -> Typing {
        Typing { device: self.device, name: self.name.clone(), start: 0, text: TypedText::default() }
    }
}

impl TypedLines {
    pub fn new(group: &Group) -> Self {
        let mut lines = Self { own: OwnTyping::default(), others: BTreeMap::new(), keys: Vec::new() };
        lines.handle_group_change(group);
        lines
    }

    /// Takes the key of a new epoch.
    pub fn handle_group_change(&mut self, group: &Group) {
        if self.keys.last().is_some_and(|key| key.epoch() == group.epoch().0) {
            return;
        }
        if self.keys.len() > 1 {
            self.keys.remove(0);
        }
        self.keys.extend(TypingKey::of(group));
    }

    /// Deletes the key of the epoch before this one.
    pub fn delete_past_keys(&mut self) {
        self.keys.drain(..self.keys.len().saturating_sub(1));
    }

    /// Sets what the user types and shows.
    pub fn set(&mut self, text: TypedText) {
        let own = &mut self.own;
        if own.text != text {
            own.is_changed = own.is_shown || !text.is_empty();
            (own.text, own.repeat) = (text, None);
        }
    }

    /// Handles that the user has sent the line. It ends the typing for all who get it.
    pub fn handle_line_sent(&mut self) {
        (self.own.text, self.own.is_changed) = (TypedText::default(), false);
        (self.own.is_shown, self.own.repeat) = (false, None);
    }

    /// Returns when [`Self::take_due`] or [`Self::take_ended`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        // The first change is sent at once.
        let ready = self.own.last.map(|last| last + INTERVAL);
        let own = if self.own.is_changed { ready } else { self.own.repeat };
        let others = self.others.values().filter_map(|other| other.shown).map(|(_, until)| until);
        own.into_iter().chain(others).min()
    }

    /// Returns the message that is due. `line` is the number of the next own line.
    pub fn take_due(&mut self, me: ParticipantId, line: u64, identity: &Identity, now: Instant) -> Option<Up> {
        let own = &mut self.own;
        let is_ready = own.last.is_none_or(|last| last + INTERVAL <= now);
        let is_due = own.is_changed || own.repeat.is_some_and(|at| at <= now);
        if !is_ready || !is_due {
            return None;
        }
        own.repeat = (own.is_changed && !own.text.is_empty()).then_some(now + REPEAT_AFTER);
        (own.is_changed, own.is_shown, own.last) = (false, !own.text.is_empty(), Some(now));
        let body = encode(&body(line, &own.text))?;
        own.count += 1;
        let blob = self.keys.last()?.seal(me, own.count, &body, identity)?;
        Some(Up::Relay { blob: Blob(blob) })
    }

    /// Handles the message of another member. Returns what it types if that has changed.
    fn handle_message(
        &mut self,
        from: &Member,
        blob: &Blob,
        lines: &Lines,
        now: Instant,
    ) -> Result<Option<Typing>, Malformed> {
        let other = self.others.entry(from.id).or_insert_with(|| Other {
            device: from.device,
            name: from.name.clone(),
            last_count: 0,
            shown: None,
            pace: Bucket::new(INTERVAL / 2, MAX_AT_ONCE),
        });
        if !from.rights.contains(Rights::CHAT) || !other.pace.take(1, now) {
            return Ok(None);
        }
        let opened = self.keys.iter().rev().find_map(|key| key.open(from.id, from.device, &blob.0));
        let Some((count, bytes)) = opened.filter(|(count, _)| *count > other.last_count) else { return Ok(None) };
        other.last_count = count;
        let body = decode(&bytes).ok_or(Malformed)?;
        let (line, start, text) = (body.line, body.start, TypedText::new(&body.text));
        let is_sent = lines.get(LineId { device: from.device, counter: line }).is_some();
        let was_shown = other.shown.is_some();
        other.shown = (!text.is_empty() && !is_sent).then_some((line, now + SILENCE));
        Ok(match (other.shown, was_shown) {
            (Some(_), _) => Some(Typing { start, text, ..other.ended() }),
            (None, true) => Some(other.ended()),
            (None, false) => None,
        })
    }

    /// Handles a line of another member. Returns what ends the typing of the same line.
    pub fn handle_line(&mut self, id: LineId) -> Option<Typing> {
        let is_it =
            |other: &&mut Other| other.device == id.device && other.shown.is_some_and(|(line, _)| line == id.counter);
        let other = self.others.values_mut().find(is_it)?;
        other.shown = None;
        Some(other.ended())
    }

    /// Returns the ends of what is shown no longer: the members type nothing for too long, have left, or have no right any more.
    pub fn take_ended(&mut self, member: impl Fn(ParticipantId) -> Option<Rights>, now: Instant) -> Vec<Typing> {
        let mut ended = Vec::new();
        self.others.retain(|id, other| {
            let rights = member(*id);
            let may_write = rights.is_some_and(|rights| rights.contains(Rights::CHAT));
            ended.extend(other.shown.take_if(|(_, until)| *until <= now || !may_write).map(|_| other.ended()));
            rights.is_some()
        });
        ended
    }

    /// Handles a message of another member that is not in the log.
    pub fn handle_relayed(
        &mut self,
        from: ParticipantId,
        blob: &Blob,
        lines: &Lines,
        roster: &Roster,
        context: &mut Context<'_>,
    ) {
        let Some(from) = member(roster, from).filter(|from| !from.me) else { return };
        match self.handle_message(from, blob, lines, context.now) {
            Ok(Some(typing)) => emit(Event::Typing(typing), context.outputs),
            Ok(None) => {}
            Err(Malformed) => context.outputs.malformed(from.id, context.now),
        }
    }

    /// Sends what the user types, and ends what is shown of others for too long. `line` is the number of the next own line.
    pub fn send(&mut self, line: u64, roster: &Roster, context: &mut Context<'_>) {
        if let Some(message) = self.take_due(roster.me(), line, &context.entrant.identity, context.now) {
            context.outputs.transmit(message);
        }
        let rights = |id| member(roster, id).map(|member| member.rights);
        for ended in self.take_ended(rights, context.now) {
            emit(Event::Typing(ended), context.outputs);
        }
    }
}

/// The key has opened a message, and its content is no message.
#[derive(Debug, PartialEq, Eq)]
struct Malformed;

/// Returns the message with the end of a text.
fn body(line: u64, text: &TypedText) -> Body {
    let text = text.as_str();
    let at = text.ceil_char_boundary(text.len().saturating_sub(MAX_SHOWN));
    let start = u32::try_from(text[..at].chars().count()).unwrap_or(u32::MAX);
    Body { line, start, text: text[at..].to_owned() }
}

fn encode(body: &Body) -> Option<Zeroizing<Vec<u8>>> {
    // A growing buffer would leave copies of the text in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(BODY));
    minicbor::encode(body, &mut *bytes).expect("writing to memory does not fail");
    if bytes.len() > BODY {
        return None;
    }
    bytes.resize(BODY, 0);
    Some(bytes)
}

fn decode(bytes: &[u8]) -> Option<Body> {
    let (body, _): (Body, _) = super::message::first_item(bytes).filter(|_| bytes.len() == BODY)?;
    (body.text.len() <= MAX_SHOWN).then_some(body)
}

/// Decodes a message and encodes it again, for fuzz tests.
///
/// # Panics
/// Panics if a decoded message is too long.
pub fn recode_typing(bytes: &[u8]) -> Option<Vec<u8>> {
    let body = decode(bytes)?;
    Some(encode(&body).expect("a decoded message is not too long").to_vec())
}

/// Returns messages, as seeds of fuzz tests.
pub fn typing_samples() -> Vec<Vec<u8>> {
    let texts = [String::new(), "two\nlines".into(), "\u{1f600}".repeat(MAX_SHOWN)];
    let bodies = texts.iter().map(|text| body(1 << 40, &TypedText::new(text)));
    bodies.filter_map(|body| encode(&body)).map(|bytes| bytes.to_vec()).collect()
}

/// Between two messages: at most three in a second.
const INTERVAL: Duration = Duration::from_millis(350);
/// How long after the last change the text is sent once more.
const REPEAT_AFTER: Duration = Duration::from_secs(1);
/// How long a text is shown that does not change.
pub const SILENCE: Duration = Duration::from_secs(30);
/// Bytes of a text that are shown: its end.
pub const MAX_SHOWN: usize = 480;
/// Messages of one member that are accepted at once: its network may deliver those of some seconds together.
const MAX_AT_ONCE: u32 = 24;
/// The length of a message in bytes.
const BODY: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_text_fits_into_a_message_of_the_same_length() {
        for text in ["", "x", &"x".repeat(20_000), &"\u{1f600}".repeat(5_000)] {
            let typed = TypedText::new(text);
            let sent = body(u64::MAX, &typed);
            let bytes = encode(&sent).unwrap();
            assert_eq!((bytes.len(), decode(&bytes)), (BODY, Some(sent.clone())));
            assert!(typed.as_str().ends_with(&sent.text));
            assert_eq!(sent.start as usize + sent.text.chars().count(), typed.as_str().chars().count());
        }
        assert_eq!(
            TypedText::new("a\u{202e}b\r\n ").as_str(),
            "ab\n ",
            "what would disturb the text around it is left out"
        );
        assert!(TypedText::new(" \n").is_empty());
        assert_eq!(format!("{:?}", TypedText::new("secret")), "TypedText(6 B)");
    }

    #[test]
    fn other_bytes_are_rejected() {
        let bytes = encode(&Body { line: 1, start: 0, text: "hello".into() }).unwrap();
        for length in 0..BODY {
            assert_eq!(decode(&bytes[..length]), None);
        }
        let mut dirty = bytes.to_vec();
        dirty[BODY - 1] = 1;
        assert_eq!(decode(&dirty), None, "padding is zeros");
        let long = minicbor::to_vec(Body { line: 1, start: 0, text: "x".repeat(MAX_SHOWN + 1) }).unwrap();
        assert_eq!(decode(&[long.clone(), vec![0; BODY - long.len()]].concat()), None);
    }
}
