//! Which of our lines in the chat are on their way. The meeting takes only so many in a second, and leaving waits for them.

use app::model::chat::ChatModel;
use engine::chat::{Event as ChatEvent, Status};
use engine::{Event, NoticeKind};

/// The lines that were written and are not in the meeting's log.
#[derive(Default)]
pub struct Unsent {
    /// How many the engine has taken without reporting them yet.
    unreported: usize,
}

impl Unsent {
    /// Counts a line that the engine has taken.
    pub fn wrote(&mut self) {
        self.unreported += 1;
    }

    /// Handles an event, before the chat does.
    pub fn handle_event(&mut self, event: &Event, chat: &ChatModel) {
        let reported = if let Event::Chat(ChatEvent::Lines(lines)) = event {
            lines.iter().filter(|line| line.me && chat.find(line.id).is_none()).count()
        } else if let Event::Notice(notice) = event {
            usize::from(notice.kind == NoticeKind::NotAllowed)
        } else {
            0
        };
        self.unreported = self.unreported.saturating_sub(reported);
    }

    /// Whether lines are on their way.
    pub fn is_any(&self, chat: &ChatModel) -> bool {
        self.unreported > 0 || chat.lines().iter().any(|line| line.me && line.status == Status::Sending)
    }
}
