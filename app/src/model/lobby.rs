//! The waiting room as the screens show it: what the organiser sees of the people who wait, and what a person who waits sees.

use std::time::{Duration, Instant};

use engine::certificate::Refusal;
use engine::{Evidence, IdentityClass, LobbyAuthor, LobbyEvent, MAX_LOBBY_TEXT, MeetingFlags, ParticipantId};

use super::identity::{Badge, refusal_text};
use super::name_mark::NameMark;
use crate::announce::Announcement;
use crate::locale::Language;

/// Somebody who asks to join, and whom no rule lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// Its id in the meeting.
    pub id: ParticipantId,
    /// The name that the person chose. Nobody has verified it.
    pub name: String,
    /// Why the name is marked; `None` if it is not.
    pub mark: Option<NameMark>,
    /// What is known of the person.
    pub evidence: Evidence,
    /// What this device knows of who it is; `None` until the file of known devices was read.
    pub badge: Option<Badge>,
    /// Why the person's certificate does not count; `None` if it counts, or if there is none.
    pub refusal: Option<Refusal>,
    /// Since when the person asks; `None` for a moment after the request.
    pub since: Option<Instant>,
    /// What both sides have written.
    pub chat: Conversation,
}

impl Asker {
    /// What is known of the person, in one line: the class of identity, the link, the device and how long the person has waited.
    pub fn evidence(&self, language: Language, now: Instant) -> String {
        let Evidence { class, device, certificate: _, via_old_link, sent_back } = &self.evidence;
        let class = match (sent_back, class) {
            (true, _) => Some("lobby-sent-back"),
            (false, IdentityClass::Known) => Some("lobby-known"),
            (false, IdentityClass::Guest) if self.badge.is_none() => Some("lobby-guest"),
            (false, IdentityClass::Guest) => None,
        };
        // An alarm is shown by itself.
        let badge = self.badge.as_ref().filter(|badge| !badge.is_alarm());
        let badge = badge.map(|badge| badge.sentence(&self.name, language));
        let link = if *via_old_link { "lobby-old-link" } else { "lobby-current-link" };
        let device = device.to_string();
        let key = device.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
        let waited = self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        let parts = [
            language.text(link),
            language.with("people-device", &[("key", key.into())]),
            language.with("lobby-waiting", &[("minutes", (waited.as_secs() / 60).into())]),
        ];
        let refusal = self.refusal.map(|refusal| language.text(refusal_text(refusal)));
        let who = class.map(|class| language.text(class)).into_iter().chain(badge).chain(refusal);
        who.chain(parts).collect::<Vec<_>>().join(" · ")
    }

    /// Whether this computer knows the person: the device was in this meeting before, or was met under this name, or a trusted
    /// organisation certifies it for this name. Nobody who came by an old link and was not in the meeting is known.
    pub fn is_known(&self) -> bool {
        let Evidence { class, via_old_link, sent_back, .. } = &self.evidence;
        let by_badge = match &self.badge {
            Some(Badge::Known { .. }) => true,
            Some(Badge::Verified { same_name, .. }) => *same_name,
            Some(Badge::OtherName { .. } | Badge::New | Badge::OtherDevice) | None => false,
        };
        !sent_back && (*class == IdentityClass::Known || by_badge && !via_old_link && self.mark.is_none())
    }

    /// The sentence that warns of another device than the known one; `None` if there is no such alarm.
    pub fn alarm(&self, language: Language) -> Option<String> {
        let alarm = self.badge.as_ref().filter(|badge| badge.is_alarm())?;
        Some(alarm.sentence(&self.name, language))
    }
}

/// One line of a lobby chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Who has written it.
    pub author: LobbyAuthor,
    /// The text.
    pub text: String,
}

/// A lobby chat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversation {
    /// The last lines, oldest first.
    pub lines: Vec<Line>,
    /// What the user is writing.
    pub draft: String,
    /// How many lines of the other side the user has not seen.
    pub unread: usize,
    /// The last text of the user was not sent.
    pub failed: bool,
}

impl Conversation {
    /// Changes what the user is writing. A text that is too long is cut.
    pub fn write(&mut self, mut text: String) {
        text.truncate(text.floor_char_boundary(MAX_LOBBY_TEXT));
        (self.draft, self.failed) = (text, false);
    }

    /// Takes what the user has written; `None` if there is nothing to send.
    pub fn take_draft(&mut self) -> Option<String> {
        let text = std::mem::take(&mut self.draft);
        (!text.trim().is_empty()).then_some(text)
    }

    fn push(&mut self, author: LobbyAuthor, text: &str, seen: bool) {
        if self.lines.len() >= MAX_LINES {
            self.lines.remove(0);
        }
        self.lines.push(Line { author, text: text.to_owned() });
        self.unread += usize::from(author != LobbyAuthor::Me && !seen);
    }
}

/// Who has received the request of a person who waits, as the managers say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Holder {
    /// Nobody has said so yet.
    #[default]
    Nobody,
    /// The organiser.
    Organiser,
    /// Only co-organisers.
    CoOrganiser,
    /// All who had received it have left, or may not decide any more.
    Left,
}

/// What a person who waits sees.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// When the request was sent; `None` before that.
    pub sent: Option<Instant>,
    /// When the request has arrived at a client whose user decides; `None` while there is none.
    pub received: Option<Instant>,
    /// Who has received it.
    pub holder: Holder,
    /// The organiser has sent the user back.
    pub sent_back: bool,
    /// What both sides have written.
    pub chat: Conversation,
}

/// What this user has chosen about those who ask to join. It is about no other manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choices {
    /// Those whom this computer knows are let in without asking.
    pub admits_known: bool,
    /// A sound is played when somebody asks.
    pub knock_sound: bool,
}

impl Default for Choices {
    fn default() -> Self {
        Self { admits_known: false, knock_sound: true }
    }
}

/// The state of the waiting room.
#[derive(Clone, Debug)]
pub struct Lobby {
    /// The flags of the meeting.
    pub flags: MeetingFlags,
    /// What the user has chosen.
    pub choices: Choices,
    /// Our own request, before we are in the meeting.
    pub waiting: Waiting,
    /// Whose chat is open.
    pub chat_with: Option<ParticipantId>,
    /// For whom a reason of the refusal is being chosen.
    pub refusing: Option<ParticipantId>,
    /// The participant whose return to the waiting room is to be confirmed.
    pub sending_back: Option<ParticipantId>,
}

impl Default for Lobby {
    fn default() -> Self {
        Self {
            flags: MeetingFlags::NONE,
            choices: Choices::default(),
            waiting: Waiting::default(),
            chat_with: None,
            refusing: None,
            sending_back: None,
        }
    }
}

impl Lobby {
    /// Handles an event, which may be about one of those who ask. Returns what assistive tools announce.
    pub fn handle_event(&mut self, event: &LobbyEvent, asking: &mut [Asker]) -> Vec<Announcement> {
        match event {
            LobbyEvent::Received { organiser } => {
                let (holder, announcement) = if *organiser {
                    (Holder::Organiser, Announcement::RequestReceived)
                } else {
                    (Holder::CoOrganiser, Announcement::RequestReceivedByCoOrganiser)
                };
                self.waiting.holder = holder;
                return vec![announcement];
            }
            LobbyEvent::NobodyHasRequest => {
                (self.waiting.holder, self.waiting.received) = (Holder::Left, None);
                return vec![Announcement::NobodyHasRequest];
            }
            LobbyEvent::Text { with: None, author, text } => {
                self.waiting.chat.push(*author, text, true);
                if *author != LobbyAuthor::Me {
                    return vec![Announcement::OrganiserWrites(text.clone())];
                }
            }
            LobbyEvent::Text { with: Some(with), author, text } => {
                let Some(asker) = asking.iter_mut().find(|asker| asker.id == *with) else { return Vec::new() };
                asker.chat.push(*author, text, self.chat_with == Some(*with));
                if *author == LobbyAuthor::Waiting {
                    return vec![Announcement::AskerWrites(asker.name.clone())];
                }
            }
            LobbyEvent::NotSent { with: None } => self.waiting.chat.failed = true,
            LobbyEvent::NotSent { with: Some(with) } => {
                asking.iter_mut().filter(|asker| asker.id == *with).for_each(|asker| asker.chat.failed = true);
            }
            LobbyEvent::SentBack => {
                let waiting = Waiting { sent_back: true, ..Waiting::default() };
                *self = Self { waiting, choices: self.choices, ..Self::default() };
            }
        }
        Vec::new()
    }

    /// Opens or closes the chat with somebody who asks.
    pub fn toggle_chat(&mut self, id: ParticipantId, asking: &mut [Asker]) {
        self.chat_with = if self.chat_with == Some(id) { None } else { Some(id) };
        asking.iter_mut().filter(|asker| asker.id == id).for_each(|asker| asker.chat.unread = 0);
    }

    /// Forgets what is open about somebody who does not ask any more.
    pub fn forget(&mut self, id: ParticipantId) {
        self.chat_with.take_if(|with| *with == id);
        self.refusing.take_if(|refusing| *refusing == id);
    }
}

/// Lines of a chat that are kept.
const MAX_LINES: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use engine::DeviceKey;

    const PAUL: ParticipantId = ParticipantId(7);

    fn asker(class: IdentityClass, via_old_link: bool, sent_back: bool) -> Asker {
        let device = DeviceKey([0xa1; 32]);
        let evidence = Evidence { class, device, certificate: None, via_old_link, sent_back };
        let (name, chat) = ("Paul".into(), Conversation::default());
        Asker { id: PAUL, name, mark: None, evidence, badge: None, refusal: None, since: Some(Instant::now()), chat }
    }

    #[test]
    fn the_evidence_says_who_it_is_how_it_came_and_how_long_it_waits() {
        let guest = asker(IdentityClass::Guest, false, false);
        let now = guest.since.unwrap() + Duration::from_secs(130);
        let shown = guest.evidence(Language::English, now);
        assert_eq!(shown, "Guest, not verified · current link · Device a1a1 a1a1 a1a1 · waiting for 2 minutes");
        let known = asker(IdentityClass::Known, true, false).evidence(Language::English, now);
        assert!(known.starts_with("Was in this meeting before · old link"), "{known}");
        let back = asker(IdentityClass::Known, false, true).evidence(Language::French, now);
        assert!(back.starts_with("Renvoyé(e) en salle d’attente"), "{back}");
    }

    #[test]
    fn the_badge_takes_the_place_of_the_words_about_guests_and_an_alarm_stands_alone() {
        let mut guest = asker(IdentityClass::Guest, false, false);
        let now = guest.since.unwrap();
        guest.badge = Some(Badge::New);
        assert!(guest.evidence(Language::English, now).starts_with("New device · current link"));
        assert_eq!(guest.alarm(Language::English), None);
        guest.badge = Some(Badge::OtherDevice);
        assert!(guest.evidence(Language::English, now).starts_with("current link"));
        assert_eq!(guest.alarm(Language::English).as_deref(), Some("This is not the device that you know as Paul"));
        let mut known = asker(IdentityClass::Known, false, false);
        known.badge = Some(Badge::Known { since: 20_515 });
        let shown = known.evidence(Language::English, now);
        assert!(shown.starts_with("Was in this meeting before · Known device since 3 March 2026 · "), "{shown}");
    }

    #[test]
    fn a_line_is_unread_until_its_chat_is_open() {
        let (mut lobby, mut asking) = (Lobby::default(), [asker(IdentityClass::Guest, false, false)]);
        let line = |author, text: &str| LobbyEvent::Text { with: Some(PAUL), author, text: text.into() };
        let announced = lobby.handle_event(&line(LobbyAuthor::Waiting, "Hello"), &mut asking);
        assert_eq!((announced, asking[0].chat.unread), (vec![Announcement::AskerWrites("Paul".into())], 1));
        lobby.toggle_chat(PAUL, &mut asking);
        assert_eq!(asking[0].chat.unread, 0);
        lobby.handle_event(&line(LobbyAuthor::Waiting, "Anybody?"), &mut asking);
        lobby.handle_event(&line(LobbyAuthor::Me, "Yes"), &mut asking);
        assert_eq!((asking[0].chat.unread, asking[0].chat.lines.len()), (0, 3));
        lobby.handle_event(&LobbyEvent::NotSent { with: Some(PAUL) }, &mut asking);
        assert!(asking[0].chat.failed);
        asking[0].chat.write("again".into());
        assert!(!asking[0].chat.failed && asking[0].chat.take_draft().as_deref() == Some("again"));
        assert_eq!(asking[0].chat.take_draft(), None);
        lobby.forget(PAUL);
        assert_eq!(lobby.chat_with, None);
    }

    #[test]
    fn a_chat_keeps_a_bounded_number_of_lines_and_a_draft_is_cut() {
        let mut chat = Conversation::default();
        (0..300).for_each(|number| chat.push(LobbyAuthor::Waiting, &number.to_string(), false));
        assert_eq!((chat.lines.len(), chat.lines[0].text.as_str()), (MAX_LINES, "100"));
        chat.write("é".repeat(3_000));
        assert_eq!(chat.draft.len(), MAX_LOBBY_TEXT);
        chat.write("  ".into());
        assert_eq!(chat.take_draft(), None);
    }
}
