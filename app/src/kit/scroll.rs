//! The keys that scroll: the arrows, Page Up, Page Down, Home and End.

#![expect(clippy::wildcard_enum_match_arm, reason = "iced has many keys, this file handles a few")]

use iced::advanced::widget::operation::{self, Focusable, Outcome, scrollable::AbsoluteOffset};
use iced::advanced::widget::{Id, Operation};
use iced::keyboard::{Modifiers, key::Named};
use iced::{Rectangle, Vector};

/// How far a key scrolls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distance {
    /// Down one line: the down arrow.
    LineDown,
    /// Up one line: the up arrow.
    LineUp,
    /// Down almost the visible height: Page Down.
    PageDown,
    /// Up almost the visible height: Page Up.
    PageUp,
    /// To the top: Home.
    Top,
    /// To the bottom: End.
    Bottom,
}

impl Distance {
    /// The distance of a key. Returns `None` if the key does not scroll.
    pub fn of(key: Named, modifiers: Modifiers) -> Option<Self> {
        match key {
            _ if !modifiers.is_empty() => None,
            Named::ArrowDown => Some(Self::LineDown),
            Named::ArrowUp => Some(Self::LineUp),
            Named::PageDown => Some(Self::PageDown),
            Named::PageUp => Some(Self::PageUp),
            Named::Home => Some(Self::Top),
            Named::End => Some(Self::Bottom),
            _ => None,
        }
    }

    /// The distance in logical pixels, positive for down. The list clamps it to its content.
    fn pixels(self, view: Rectangle, content: Rectangle) -> f32 {
        let page = (view.height - LINE).max(LINE);
        match self {
            Self::LineDown => LINE,
            Self::LineUp => -LINE,
            Self::PageDown => page,
            Self::PageUp => -page,
            Self::Top => -content.height,
            Self::Bottom => content.height,
        }
    }
}

/// Scrolls one list: the innermost one that contains the focus and has hidden content, else the last one that has. An
/// open dialog is the only part of a window that operations visit. The first pass finds the list, the second scrolls it.
pub struct Scroll {
    distance: Distance,
    /// For each list, whether it has hidden content.
    lists: Vec<bool>,
    /// For each `traverse` in progress, the innermost list with hidden content that its widgets are in.
    stack: Vec<Option<usize>>,
    /// The list that the next `traverse` enters.
    pending: Option<usize>,
    /// The list with the focus.
    focused: Option<usize>,
    /// The list to scroll. Set by the first pass.
    target: Option<usize>,
    /// The number of lists that the second pass has visited.
    seen: usize,
}

impl Scroll {
    /// Creates the operation.
    pub fn new(distance: Distance) -> Self {
        Self { distance, lists: Vec::new(), stack: Vec::new(), pending: None, focused: None, target: None, seen: 0 }
    }
}

impl Operation for Scroll {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        let list = self.pending.take().or_else(|| self.stack.last().copied().flatten());
        self.stack.push(list);
        operate(self);
        self.stack.pop();
    }

    fn scrollable(
        &mut self,
        _id: Option<&Id>,
        bounds: Rectangle,
        content: Rectangle,
        _translation: Vector,
        state: &mut dyn operation::Scrollable,
    ) {
        if let Some(target) = self.target {
            if target == self.seen {
                let y = self.distance.pixels(bounds, content);
                state.scroll_by(AbsoluteOffset { x: 0.0, y }, bounds, content);
            }
            self.seen += 1;
            return;
        }
        let overflows = content.height > bounds.height;
        self.lists.push(overflows);
        self.pending = overflows.then(|| self.lists.len() - 1);
    }

    fn focusable(&mut self, _id: Option<&Id>, _bounds: Rectangle, state: &mut dyn Focusable) {
        if state.is_focused() {
            self.focused = self.stack.last().copied().flatten();
        }
    }

    fn finish(&self) -> Outcome<()> {
        if self.target.is_some() {
            return Outcome::None;
        }
        let last = || self.lists.iter().rposition(|overflows| *overflows);
        match self.focused.or_else(last) {
            Some(target) => Outcome::Chain(Box::new(Self { target: Some(target), ..Self::new(self.distance) })),
            None => Outcome::None,
        }
    }
}

/// The height of a line, in logical pixels. A page overlaps the one before by as much.
const LINE: f32 = 40.0;
