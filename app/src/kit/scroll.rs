//! iced operations that scroll: by the arrows, Page Up, Page Down, Home and End, or to the focused widget.

#![expect(clippy::wildcard_enum_match_arm, reason = "iced has many keys, this file handles a few")]

use iced::advanced::widget::operation::{self, Focusable, Outcome, scrollable::AbsoluteOffset};
use iced::advanced::widget::{Id, Operation};
use iced::keyboard::{Modifiers, key::Named};
use iced::{Rectangle, Vector};

use crate::kit::focus::ContainerStack;

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

/// Scrolls one list by a key: the innermost list that contains the focus and has hidden content, else the last one with
/// hidden content. If a dialog is open, operations visit only the dialog. Finds the list and chains an operation that
/// scrolls it.
pub struct Scroll {
    distance: Distance,
    /// For each list, the distance in logical pixels; `None` if it has no hidden content.
    lists: Vec<Option<f32>>,
    /// The list with hidden content that the widgets are in.
    current: ContainerStack,
    /// The list with the focus.
    focused: Option<usize>,
}

impl Scroll {
    /// Creates the operation.
    pub fn new(distance: Distance) -> Self {
        Self { distance, lists: Vec::new(), current: ContainerStack::default(), focused: None }
    }
}

impl Operation for Scroll {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        self.current.enter();
        operate(self);
        self.current.leave();
    }

    fn scrollable(
        &mut self,
        _id: Option<&Id>,
        bounds: Rectangle,
        content: Rectangle,
        _translation: Vector,
        _state: &mut dyn operation::Scrollable,
    ) {
        let overflows = content.height > bounds.height;
        self.current.set_next(overflows.then_some(self.lists.len()));
        self.lists.push(overflows.then(|| self.distance.pixels(bounds, content)));
    }

    fn focusable(&mut self, _id: Option<&Id>, _bounds: Rectangle, state: &mut dyn Focusable) {
        if state.is_focused() {
            self.focused = self.current.innermost();
        }
    }

    fn finish(&self) -> Outcome<()> {
        let mut overflowing = self.lists.iter().enumerate().filter_map(|(list, y)| Some((list, (*y)?)));
        let target = match self.focused {
            Some(focused) => overflowing.find(|(list, _)| *list == focused),
            None => overflowing.next_back(),
        };
        target.map_or(Outcome::None, |(list, y)| Outcome::Chain(Box::new(ScrollList { list, y, seen: 0 })))
    }
}

/// Scrolls the focused widget into view. Finds the list that contains it and chains an operation that scrolls the list.
#[derive(Default)]
pub struct ScrollIntoView {
    /// The bounds and the translation of each scrollable list.
    lists: Vec<(Rectangle, Vector)>,
    /// The list that the widgets are in.
    current: ContainerStack,
    /// The list to scroll and the distance, in logical pixels.
    found: Option<(usize, f32)>,
}

impl Operation for ScrollIntoView {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        self.current.enter();
        operate(self);
        self.current.leave();
    }

    fn scrollable(
        &mut self,
        _id: Option<&Id>,
        bounds: Rectangle,
        _content: Rectangle,
        translation: Vector,
        _state: &mut dyn operation::Scrollable,
    ) {
        self.current.set_next(Some(self.lists.len()));
        self.lists.push((bounds, translation));
    }

    fn focusable(&mut self, _id: Option<&Id>, bounds: Rectangle, state: &mut dyn Focusable) {
        let Some(index) = self.current.innermost().filter(|_| state.is_focused()) else { return };
        let Some((view, translation)) = self.lists.get(index) else { return };
        let (top, bottom) = (bounds.y - translation.y, bounds.y + bounds.height - translation.y);
        let above = (view.y + MARGIN - top).max(0.0);
        let below = (bottom - (view.y + view.height - MARGIN)).max(0.0);
        if above > 0.0 || below > 0.0 {
            self.found = Some((index, if above > 0.0 { -above } else { below }));
        }
    }

    fn finish(&self) -> Outcome<()> {
        self.found.map_or(Outcome::None, |(list, y)| Outcome::Chain(Box::new(ScrollList { list, y, seen: 0 })))
    }
}

/// Scrolls one list.
struct ScrollList {
    /// The index of the list, in the order in which operations visit lists.
    list: usize,
    /// The distance in logical pixels, positive for down.
    y: f32,
    /// The number of lists visited so far.
    seen: usize,
}

impl Operation for ScrollList {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        operate(self);
    }

    fn scrollable(
        &mut self,
        _id: Option<&Id>,
        bounds: Rectangle,
        content: Rectangle,
        _translation: Vector,
        state: &mut dyn operation::Scrollable,
    ) {
        if self.list == self.seen {
            state.scroll_by(AbsoluteOffset { x: 0.0, y: self.y }, bounds, content);
        }
        self.seen += 1;
    }
}

/// The height of a line, in logical pixels. A page overlaps the previous one by this much.
const LINE: f32 = 40.0;
/// The minimum distance between the focused control and the edge of its list, in logical pixels: space for the focus ring.
const MARGIN: f32 = 8.0;
