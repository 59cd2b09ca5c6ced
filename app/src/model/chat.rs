//! The chat of a meeting as its panel shows it.

mod links;
mod transcript;
mod typing;

pub use links::links;
pub use transcript::{date, transcript, utc};

use engine::MeetingFlags;
use engine::chat::{Body, Event, Line, LineId, MAX_BYTES, MAX_LINES, Typing};

use super::notice::{Notice, NoticeKind};
use crate::announce::Announcement;

/// The lines of the chat, in their order.
#[derive(Clone, Debug, Default)]
pub struct ChatModel {
    lines: Vec<Line>,
    /// Places before which lines may be missing.
    gaps: Vec<u64>,
    /// The panel is open.
    is_open: bool,
    unread: usize,
    notice: Option<Notice>,
    flags: Option<MeetingFlags>,
    typing: typing::TypedLines,
}

/// What the list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A line.
    Line(&'a Line),
    /// Lines may be missing here.
    Gap,
}

impl ChatModel {
    /// Updates the lines. Returns what assistive tools announce.
    pub fn handle_event(&mut self, event: &Event) -> Vec<Announcement> {
        match event {
            Event::Lines(lines) => return lines.iter().filter_map(|line| self.add(line)).collect(),
            Event::Dropped(id) => self.lines.retain(|line| line.id != *id),
            Event::Gap { place } => {
                // Before the first line nothing is missing that would have been shown.
                if !self.lines.is_empty() && self.gaps.last().is_none_or(|last| last < place) {
                    self.gaps.push(*place);
                }
                if self.gaps.len() > MAX_GAPS {
                    self.gaps.remove(0);
                }
            }
            Event::Typing(typing) => return self.typing.handle(typing, self.is_open).into_iter().collect(),
            Event::Flooded { name } => return vec![Announcement::ChatFlood(name.clone())],
            Event::NotDone(_) => {
                let (kind, detail) = (NoticeKind::ChatNotChanged, String::new());
                self.notice = Some(Notice { kind, file: None, detail });
            }
        }
        Vec::new()
    }

    /// Adds or replaces a line. Returns what assistive tools announce.
    fn add(&mut self, line: &Line) -> Option<Announcement> {
        let known = self.lines.iter().rposition(|other| other.id == line.id);
        known.map(|at| self.lines.remove(at));
        let place = |line: &Line| line.place.unwrap_or(u64::MAX);
        let at = self.lines.partition_point(|other| place(other) <= place(line));
        self.lines.insert(at, line.clone());
        self.shrink();
        let Body::Text(text) = &line.body else { return None };
        if known.is_some() || line.me || line.passed_on.is_some() {
            return None;
        }
        self.unread += usize::from(!self.is_open);
        if line.mentions_me && !self.is_open {
            // The notice is announced instead.
            let (kind, file) = (NoticeKind::Mentioned, Some(line.name.clone()));
            self.notice = Some(Notice { kind, file, detail: String::new() });
            return None;
        }
        let text =
            if line.private.is_some() { text.as_str() } else { self.typing.rest(line.id.device, text.as_str())? };
        let text = text.chars().take(MAX_SPOKEN).collect();
        Some(Announcement::Chat { name: line.name.clone(), text, private: line.private.is_some() })
    }

    /// Drops the oldest lines, as the engine does.
    fn shrink(&mut self) {
        let length = |line: &Line| if let Body::Text(text) = &line.body { text.as_str().len() } else { 0 };
        let mut bytes: usize = self.lines.iter().map(length).sum();
        while self.lines.len() > MAX_LINES || bytes > MAX_BYTES && self.lines.len() > 1 {
            bytes -= length(&self.lines.remove(0));
        }
    }

    /// Sets whether the panel is open. Then all lines are read.
    pub fn set_open(&mut self, open: bool) {
        self.is_open = open;
        if open {
            self.unread = 0;
        }
    }

    /// Forgets everything but the flags: this client is not in the meeting any more.
    pub fn clear(&mut self) {
        *self = Self { flags: self.flags, ..Self::default() };
    }

    /// Sets the flags of the meeting.
    pub fn set_flags(&mut self, flags: MeetingFlags) {
        self.flags = Some(flags);
    }

    /// Whether people who come late read what is written now.
    pub fn is_kept_for_later(&self) -> bool {
        self.flags.is_some_and(|flags| flags.contains(MeetingFlags::CHAT_HISTORY))
    }

    /// Whether people with the right may record the meeting, and so save the chat.
    pub fn may_be_recorded(&self) -> bool {
        self.flags.unwrap_or_default().contains(MeetingFlags::RECORDING)
    }

    /// How many lines of others have arrived while the panel was closed.
    pub fn unread(&self) -> usize {
        self.unread
    }

    /// Takes the notice that is to be shown.
    pub fn take_notice(&mut self) -> Option<Notice> {
        self.notice.take()
    }

    /// The line with this id.
    pub fn find(&self, id: LineId) -> Option<&Line> {
        self.lines.iter().rfind(|line| line.id == id)
    }

    /// What others type now.
    pub fn typing(&self) -> impl Iterator<Item = &Typing> {
        self.typing.list()
    }

    /// All lines, the oldest first.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The lines that contain `search`, whatever the case of its letters, and the gaps between them; all lines if it is
    /// empty.
    pub fn items(&self, search: &str) -> Vec<Item<'_>> {
        let (search, mut gaps) = (search.trim().to_lowercase(), self.gaps.iter().peekable());
        let mut items = Vec::new();
        for line in &self.lines {
            let place = line.place.unwrap_or(u64::MAX);
            while gaps.next_if(|gap| **gap < place).is_some() {
                items.push(Item::Gap);
            }
            if search.is_empty() || contains(line, &search) {
                items.push(Item::Line(line));
            }
        }
        if !search.is_empty() {
            items.retain(|item| *item != Item::Gap);
        }
        items
    }
}

fn contains(line: &Line, search: &str) -> bool {
    let text = if let Body::Text(text) = &line.body { text.as_str().to_lowercase() } else { String::new() };
    text.contains(search) || line.name.to_lowercase().contains(search)
}

const MAX_GAPS: usize = 16;
/// How many characters of a line are announced.
const MAX_SPOKEN: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use engine::chat::{Status, Text};

    /// A line of another person.
    pub(super) fn line(number: u64, text: &str) -> Line {
        Line {
            id: LineId { device: engine::DeviceKey([2; 32]), counter: number },
            name: "Bob".into(),
            me: false,
            private: None,
            time: 1_800_000_000 + number,
            place: Some(number),
            status: Status::Sent,
            reply: None,
            body: Body::Text(Text::new(text).unwrap()),
            edited: false,
            mentions_me: false,
            reactions: Vec::new(),
            passed_on: None,
            vote: None,
        }
    }

    fn texts(chat: &ChatModel, search: &str) -> Vec<String> {
        let text = |item: &Item<'_>| match item {
            Item::Line(Line { body: Body::Text(text), .. }) => text.as_str().to_owned(),
            Item::Line(_) => "removed".into(),
            Item::Gap => "gap".into(),
        };
        chat.items(search).iter().map(text).collect()
    }

    #[test]
    fn lines_are_sorted_by_their_place_and_those_on_their_way_are_last() {
        let mut chat = ChatModel::default();
        let mut pending = line(9, "mine");
        (pending.place, pending.me) = (None, true);
        chat.handle_event(&Event::Lines(vec![line(5, "five"), pending.clone(), line(2, "two")]));
        chat.handle_event(&Event::Gap { place: 5 });
        assert_eq!(texts(&chat, ""), ["two", "five", "gap", "mine"]);
        pending.place = Some(4);
        chat.handle_event(&Event::Lines(vec![pending.clone()]));
        assert_eq!(texts(&chat, ""), ["two", "mine", "five"]);
        chat.handle_event(&Event::Dropped(pending.id));
        assert_eq!(
            (texts(&chat, "FIV"), texts(&chat, "bob").len(), texts(&chat, "x")),
            (vec!["five".into()], 2, vec![])
        );
    }

    #[test]
    fn lines_of_others_are_unread_until_the_panel_is_open_and_announced_once() {
        let mut chat = ChatModel::default();
        let said = chat.handle_event(&Event::Lines(vec![line(1, "hello")]));
        let expected = Announcement::Chat { name: "Bob".into(), text: "hello".into(), private: false };
        assert_eq!((said, chat.unread()), (vec![expected], 1));
        let edited = Line { edited: true, ..line(1, "hello again") };
        assert_eq!((chat.handle_event(&Event::Lines(vec![edited])), chat.unread()), (vec![], 1));
        let own = Line { me: true, ..line(2, "mine") };
        assert_eq!((chat.handle_event(&Event::Lines(vec![own])), chat.unread()), (vec![], 1));
        chat.set_open(true);
        chat.handle_event(&Event::Lines(vec![line(3, "read")]));
        assert_eq!(chat.unread(), 0);
        let mention = |number| Line { mentions_me: true, ..line(number, "@Anne look") };
        assert_eq!(chat.handle_event(&Event::Lines(vec![mention(4)])).len(), 1, "it is in sight");
        assert_eq!(chat.take_notice(), None);
        chat.set_open(false);
        assert!(chat.handle_event(&Event::Lines(vec![mention(5)])).is_empty());
        assert_eq!(chat.take_notice().map(|notice| notice.kind), Some(NoticeKind::Mentioned));
    }

    #[test]
    fn who_was_sent_back_to_the_waiting_room_has_no_lines_any_more() {
        let mut chat = ChatModel::default();
        chat.set_flags(MeetingFlags::CHAT_HISTORY);
        chat.handle_event(&Event::Lines(vec![line(1, "secret")]));
        chat.clear();
        assert!(chat.lines().is_empty() && chat.unread() == 0 && chat.is_kept_for_later());
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut chat = ChatModel::default();
        for number in 0..MAX_LINES as u64 + 50 {
            chat.handle_event(&Event::Lines(vec![line(number, "x")]));
        }
        assert_eq!((chat.lines().len(), chat.lines()[0].place), (MAX_LINES, Some(50)));
        let long = "x".repeat(14 << 10);
        for number in 5_000..5_200 {
            chat.handle_event(&Event::Lines(vec![line(number, &long)]));
        }
        assert!(chat.lines().len() * long.len() <= MAX_BYTES);
    }
}
