//! The lines of the chat that a client's screen knows.

use net::meeting::chat::{Body, Event, Line, LineId, Status};
use std::collections::BTreeMap;

/// The lines of one client, and other events.
#[derive(Default)]
pub struct ChatList {
    lines: BTreeMap<LineId, Line>,
    /// How often lines may be missing.
    pub gaps: usize,
    /// Names of members whose messages are dropped.
    pub floods: Vec<String>,
    /// Changes that were not carried out.
    pub not_done: usize,
}

impl ChatList {
    /// Handles an event of the chat.
    pub fn handle(&mut self, event: Event) {
        match event {
            Event::Lines(lines) => self.lines.extend(lines.into_iter().map(|line| (line.id, line))),
            Event::Dropped(id) => drop(self.lines.remove(&id)),
            Event::Gap { .. } => self.gaps += 1,
            Event::Flooded { name } => self.floods.push(name),
            Event::NotDone(_) => self.not_done += 1,
            Event::Typing(_) => {}
        }
    }

    /// Returns the lines for all that are in the log, in their order: the name and the text of each, or how it was removed.
    ///
    /// # Panics
    /// Panics if two lines have one place.
    pub fn list(&self) -> Vec<String> {
        let placed = |line: &&Line| line.private.is_none() && line.place.is_some();
        let mut lines: Vec<_> = self.lines.values().filter(placed).collect();
        lines.sort_by_key(|line| line.place);
        assert!(lines.windows(2).all(|pair| pair[0].place != pair[1].place), "two lines have one place");
        lines.into_iter().map(shown).collect()
    }

    /// Returns the texts of the own lines that are not in the log.
    pub fn unsent(&self) -> Vec<(String, Status)> {
        let unsent = self.lines.values().filter(|line| line.place.is_none());
        unsent.map(|line| (shown(line), line.status)).collect()
    }

    /// Returns the line with this text.
    pub fn find(&self, text: &str) -> Option<&Line> {
        self.lines.values().find(|line| matches!(&line.body, Body::Text(found) if found.as_str() == text))
    }

    /// Returns all lines.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.values()
    }
}

fn shown(line: &Line) -> String {
    match &line.body {
        Body::Text(text) => format!("{}: {}", line.name, text.as_str()),
        Body::Deleted => format!("{}: deleted", line.name),
        Body::RemovedBy(name) => format!("{}: removed by {name}", line.name),
    }
}
