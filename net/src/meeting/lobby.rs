//! What managers know of a person who waits to be admitted, and what both write to each other. Pure: no keys and no clock.

use crypto::{CertificateChain, DeviceKey, MAX_LOBBY_CONTENT, name};
use minicbor::{CborLen, Decode, Encode};
use proto::ParticipantId;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How well the identity of a person is known from this meeting. The screens add what the computer knows from earlier ones, and verify the
/// certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityClass {
    /// The device was a member of this meeting before, as this client has seen.
    Known,
    /// Nobody has verified who it is.
    Guest,
}

/// What a manager knows of a person who asks to join, apart from the name that the person chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// How well the identity is known.
    pub class: IdentityClass,
    /// The device's long-term key. The device has proved that it has the private half.
    pub device: DeviceKey,
    /// Certificates of that key by an organisation. Not verified: each receiver does that with the organisations that it trusts.
    pub certificate: Option<CertificateChain>,
    /// True if the request was made with a link from before a change of the link.
    pub via_old_link: bool,
    /// True if a manager has sent the device back to the waiting room.
    pub sent_back: bool,
}

/// Who has written a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LobbyAuthor {
    /// This client.
    Me,
    /// The person who waits.
    Waiting,
    /// A manager. The server names it, so it is not verified which one.
    Manager(ParticipantId),
}

/// What happens in a waiting room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LobbyEvent {
    /// To a person who waits: the client of a manager has the request, and asks its user. It comes again if the best of those who
    /// have it changes.
    Received {
        /// True for the organiser, false if only co-organisers have it. The server names no role, so a manager says it itself.
        organiser: bool,
    },
    /// To a person who waits: all managers who had the request have left, or may not decide any more.
    NobodyHasRequest,
    /// A message.
    Text {
        /// The person who waits; `None` if it is this client.
        with: Option<ParticipantId>,
        /// Who has written it.
        author: LobbyAuthor,
        /// The text: plain, without control characters except line breaks.
        text: String,
    },
    /// A message of this client was not sent, because it has sent too many, or nobody waits any more.
    NotSent {
        /// The person who waits; `None` if it is this client.
        with: Option<ParticipantId>,
    },
    /// A manager has sent this client back to the waiting room: it is no member any more and has no keys. It asks to join
    /// again by itself.
    SentBack,
}

/// The content of a message, before it is sealed. Receivers skip kinds that they do not know.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(super) enum Content {
    /// A manager's client has the request, and asks its user.
    #[n(0)]
    Received {
        /// True for the organiser, false for a co-organiser.
        #[n(0)]
        organiser: bool,
    },
    /// A line.
    #[n(1)]
    Text {
        /// The text.
        #[n(0)]
        text: String,
    },
    /// The manager leaves, or may not decide any more.
    #[n(2)]
    Withdrawn,
}

impl Content {
    /// Returns true for a line, which is shown.
    pub(super) const fn is_text(&self) -> bool {
        match self {
            Self::Text { .. } => true,
            Self::Received { .. } | Self::Withdrawn => false,
        }
    }

    /// Returns a message with this text, without what must not be shown, and cut at [`MAX_LOBBY_TEXT`]. `None` if nothing is
    /// left.
    pub(super) fn text(text: &str) -> Option<Self> {
        let mut kept = plain(text);
        kept.truncate(kept.floor_char_boundary(MAX_LOBBY_TEXT));
        let text = kept.trim().to_owned();
        (!text.is_empty()).then_some(Self::Text { text })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to memory does not fail")
    }

    /// Returns the content in `bytes`; `None` if they are malformed, too long, or of an unknown kind.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut decoder = minicbor::Decoder::new(bytes);
        let content: Self = decoder.decode().ok().filter(|_| decoder.position() == bytes.len())?;
        match content {
            Self::Text { text } => Self::text(&text),
            Self::Received { .. } | Self::Withdrawn => Some(content),
        }
    }
}

/// Returns the text in the content of an opened message, as it is shown: without control characters, and not longer than
/// [`MAX_LOBBY_TEXT`]. `None` if the bytes are no text.
#[must_use]
pub fn lobby_text(content: &[u8]) -> Option<String> {
    match Content::decode(content)? {
        Content::Text { text } => Some(text),
        Content::Received { .. } | Content::Withdrawn => None,
    }
}

/// Returns a text as it may be shown: cleaned as a line of the chat, and without the marks that change the direction of neighbours.
fn plain(text: &str) -> String {
    let is_mark = |letter: &char| matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}');
    name::cleaned(&text.chars().filter(|letter| !is_mark(letter)).collect::<String>())
}

/// The numbers of the messages of one sender that were taken, so that each is taken once. A sender repeats a message that may
/// be lost.
#[derive(Default)]
pub(super) struct Replays {
    newest: BTreeSet<u32>,
}

impl Replays {
    /// Returns true if a message with this number was not taken before.
    pub(super) fn take(&mut self, counter: u32) -> bool {
        let is_old = self.newest.len() >= MAX_REMEMBERED && self.newest.first().is_some_and(|first| counter < *first);
        if is_old || !self.newest.insert(counter) {
            return false;
        }
        if self.newest.len() > MAX_REMEMBERED {
            self.newest.pop_first();
        }
        true
    }
}

/// How many messages may be sent or taken now.
pub(super) struct Pace {
    left: u32,
    since: Instant,
    burst: u32,
    interval: Duration,
}

impl Pace {
    /// Returns a pace of `burst` messages at once, and one more after each `interval`.
    pub(super) fn new(burst: u32, interval: Duration, now: Instant) -> Self {
        Self { left: burst, since: now, burst, interval }
    }

    /// Takes one message. Returns false if there were too many.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.since).as_millis() / self.interval.as_millis().max(1);
        let gained = u32::try_from(passed).unwrap_or(u32::MAX);
        if gained > 0 {
            self.since = now;
            self.left = self.left.saturating_add(gained).min(self.burst);
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}

/// The length of the longest text in bytes.
pub const MAX_LOBBY_TEXT: usize = 2_000;

/// Numbers of messages that are remembered of one sender.
const MAX_REMEMBERED: usize = 256;

const _: () = assert!(MAX_LOBBY_TEXT + 16 <= MAX_LOBBY_CONTENT, "the longest text fits");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_and_has_no_invisible_control() {
        let text = |written: &str| match Content::text(written) {
            Some(Content::Text { text }) => Some(text),
            Some(Content::Received { .. } | Content::Withdrawn) | None => None,
        };
        assert_eq!(text("  Good\u{7} mor\u{202e}ning\nall  ").as_deref(), Some("Good morning\nall"));
        assert_eq!((text(" \u{0}\n "), text("")), (None, None));
        assert_eq!(text("\u{61c}one\u{2028}two\u{2029}three\u{200f}").as_deref(), Some("one\ntwo\nthree"));
        // What is left out between two stacks of marks does not make room for more of them.
        for between in ["", "\u{7}", "\u{61c}", "\u{202e}"] {
            let stacked = format!("a{marks}{between}{marks}b", marks = "\u{301}".repeat(8));
            assert_eq!(text(&stacked).map(|text| text.chars().count()), Some(10), "{}", between.escape_unicode());
        }
        let long = "é".repeat(3_000);
        assert_eq!(text(&long).map(|text| text.len()), Some(MAX_LOBBY_TEXT));
        assert!(Content::text(&long).unwrap().encode().len() <= MAX_LOBBY_CONTENT);
    }

    #[test]
    fn contents_round_trip_and_other_bytes_are_rejected() {
        for content in [
            Content::Received { organiser: true },
            Content::Received { organiser: false },
            Content::Withdrawn,
            Content::text("Bonjour").unwrap(),
        ] {
            let bytes = content.encode();
            assert_eq!(Content::decode(&bytes), Some(content));
            for length in 0..bytes.len() {
                assert_eq!(Content::decode(&bytes[..length]), None);
            }
            assert_eq!(Content::decode(&[bytes, vec![0]].concat()), None);
        }
        let unclean = Content::Text { text: "a\u{1b}[2Jb".into() }.encode();
        assert_eq!(Content::decode(&unclean), Content::text("a[2Jb"), "the receiver cleans it, too");
        assert_eq!(Content::decode(&[0x82, 0x09, 0x80]), None, "an unknown kind");
    }

    #[test]
    fn each_message_is_taken_once_and_late_ones_too() {
        let mut replays = Replays::default();
        let taken: Vec<_> = [1, 3, 3, 2, 1, 9].map(|counter| replays.take(counter)).into();
        assert_eq!(taken, [true, true, false, true, false, true]);
        (100..600).for_each(|counter| assert!(replays.take(counter)));
        assert!(!replays.take(4) && replays.newest.len() == MAX_REMEMBERED, "too old");
    }

    #[test]
    fn a_pace_allows_a_burst_and_then_one_in_each_interval() {
        let start = Instant::now();
        let mut pace = Pace::new(2, Duration::from_secs(1), start);
        assert_eq!([pace.take(start), pace.take(start), pace.take(start)], [true, true, false]);
        let later = start + Duration::from_millis(1_500);
        assert_eq!([pace.take(later), pace.take(later)], [true, false]);
        let much_later = start + Duration::from_secs(99);
        assert_eq!((0..9).filter(|_| pace.take(much_later)).count(), 2);
    }
}
