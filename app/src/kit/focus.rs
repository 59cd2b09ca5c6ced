//! iced operations that read or move the focus in one window. Widgets run them on their children.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use iced::advanced::widget::operation::{self, Focusable};
use iced::advanced::widget::{Id, Operation};
use iced::{Rectangle, Vector};

use crate::kit::a11y::Semantics;

/// A request of a screen to move the focus to a control. The root widget carries out each request once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// Distinguishes it from an earlier request for the same control. The newest one is the greatest.
    number: u64,
    target: &'static str,
}

impl Request {
    /// Creates a request for the control with this id.
    pub fn to(target: &'static str) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self { target, number: LAST.fetch_add(1, Relaxed) }
    }

    /// The id of the control.
    pub fn target(self) -> Id {
        Id::new(self.target)
    }
}

/// Runs an operation and the operations that it chains: `focus_next` counts first, then moves the focus.
pub fn run(first: Box<dyn Operation>, mut apply: impl FnMut(&mut dyn Operation)) {
    let mut next = Some(first);
    while let Some(mut current) = next.take() {
        apply(current.as_mut());
        if let operation::Outcome::Chain(chained) = current.finish() {
            next = Some(chained);
        }
    }
}

/// Follows an operation through nested containers of one kind, such as regions or scrollable lists.
#[derive(Default)]
pub(super) struct ContainerStack {
    /// For each `traverse` in progress, the index of the innermost container that its widgets are in.
    stack: Vec<Option<usize>>,
    /// The container that the next `traverse` enters.
    next: Option<usize>,
}

impl ContainerStack {
    /// Sets the index of the container that the next `traverse` enters; `None` if it enters none.
    pub(super) fn set_next(&mut self, container: Option<usize>) {
        self.next = container;
    }

    /// Begins a `traverse`.
    pub(super) fn enter(&mut self) {
        let container = self.next.take().or_else(|| self.innermost());
        self.stack.push(container);
    }

    /// Ends a `traverse`.
    pub(super) fn leave(&mut self) {
        self.stack.pop();
    }

    /// The index of the innermost container; `None` outside of all containers.
    pub(super) fn innermost(&self) -> Option<usize> {
        self.stack.last().copied().flatten()
    }
}

/// Collects the focusable widgets in Tab order, and the region of each.
#[derive(Default)]
pub struct TabOrder {
    /// The id of each widget.
    ids: Vec<Option<Id>>,
    focused: Option<usize>,
    /// The region of the focused widget.
    region: Option<usize>,
    regions: Vec<Region>,
    /// The region that the widgets are in.
    current: ContainerStack,
    /// [`Semantics::clicked`] of the next focusable widget.
    clicked: bool,
    /// The focused widget was reached by the keyboard or an assistive tool.
    by_keyboard: bool,
}

/// The place of the focus, to return to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    id: Option<Id>,
    /// In Tab order.
    index: usize,
    /// The index of its region.
    region: Option<usize>,
}

#[derive(Default)]
struct Region {
    /// The index of the first control in Tab order.
    first: Option<usize>,
    holds_focus: bool,
}

impl TabOrder {
    /// Whether the keyboard gave a widget the focus, not a click. Then keys go to that widget.
    pub fn has_keyboard_focus(&self) -> bool {
        self.by_keyboard
    }

    /// The index of the focused widget in Tab order, and the number of focusable widgets.
    pub fn position(&self) -> (Option<usize>, usize) {
        (self.focused, self.ids.len())
    }

    /// Where the keyboard focus is; `None` if no widget has it.
    pub fn place(&self) -> Option<Place> {
        let index = self.focused.filter(|_| self.by_keyboard)?;
        Some(Place { id: self.ids.get(index)?.clone(), index, region: self.region })
    }

    /// The index of the widget at `place` in Tab order. If that widget has an id and is gone, the first widget of its
    /// region: the next one may do something else, such as remove another person.
    pub fn find(&self, place: &Place) -> Option<usize> {
        let Some(id) = &place.id else { return (place.index < self.ids.len()).then_some(place.index) };
        let same = self.ids.iter().position(|other| other.as_ref() == Some(id));
        same.or_else(|| self.regions.get(place.region?)?.first)
    }

    /// The index of the first control in the region after the focused one, or before it if `back`. Wraps around.
    pub fn next_region(&self, back: bool) -> Option<usize> {
        let firsts: Vec<_> = self.regions.iter().filter(|region| region.first.is_some()).collect();
        let len = firsts.len();
        let current = firsts.iter().position(|region| region.holds_focus);
        let next = match (current, back) {
            (Some(index), false) => (index + 1) % len,
            (Some(index), true) => (index + len - 1) % len,
            (None, false) => 0,
            (None, true) => len.checked_sub(1)?,
        };
        firsts.get(next)?.first
    }
}

impl Operation for TabOrder {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        self.current.enter();
        operate(self);
        self.current.leave();
    }

    fn focusable(&mut self, id: Option<&Id>, _bounds: Rectangle, state: &mut dyn Focusable) {
        let current = self.current.innermost();
        let index = self.ids.len();
        if let Some(region) = current.and_then(|current| self.regions.get_mut(current)) {
            region.first.get_or_insert(index);
            region.holds_focus |= state.is_focused();
        }
        let clicked = std::mem::take(&mut self.clicked);
        if state.is_focused() {
            self.focused = Some(index);
            self.region = current;
            self.by_keyboard = !clicked;
        }
        self.ids.push(id.cloned());
    }

    fn custom(&mut self, _id: Option<&Id>, _bounds: Rectangle, state: &mut dyn Any) {
        self.current.set_next(None);
        let semantics = state.downcast_ref::<Semantics>();
        self.clicked = semantics.is_some_and(|semantics| semantics.clicked);
        if semantics.is_some_and(Semantics::is_region) {
            self.regions.push(Region::default());
            self.current.set_next(Some(self.regions.len() - 1));
        }
    }
}

/// Focuses the widget at one index in Tab order and removes the focus from all others. If the index is `None`, removes the
/// focus from all widgets.
pub struct SetFocus {
    index: Option<usize>,
    /// The number of widgets visited so far.
    seen: usize,
}

impl SetFocus {
    /// Creates the operation for this index.
    pub fn new(index: Option<usize>) -> Self {
        Self { index, seen: 0 }
    }
}

impl Operation for SetFocus {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        operate(self);
    }

    fn focusable(&mut self, _id: Option<&Id>, _bounds: Rectangle, state: &mut dyn Focusable) {
        if self.index == Some(self.seen) {
            state.focus();
        } else {
            state.unfocus();
        }
        self.seen += 1;
    }
}

/// Finds the bounds of the widget with this id, scrolling included.
pub struct FindBounds {
    id: Id,
    /// For each `traverse` in progress, the offset of its widgets by scrolling.
    offsets: Vec<Vector>,
    /// The additional offset of the next `traverse`.
    pending: Vector,
    /// Its bounds in the window; `None` if there is no such widget.
    pub found: Option<Rectangle>,
}

impl FindBounds {
    /// Creates the operation that looks for `id`.
    pub fn new(id: Id) -> Self {
        Self { id, offsets: Vec::new(), pending: Vector::ZERO, found: None }
    }

    fn record(&mut self, id: Option<&Id>, bounds: Rectangle) {
        if id == Some(&self.id) {
            let offset = self.offsets.last().copied().unwrap_or(Vector::ZERO);
            self.found.get_or_insert(bounds + offset);
        }
    }
}

impl Operation for FindBounds {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        let below = self.offsets.last().copied().unwrap_or(Vector::ZERO) + std::mem::take(&mut self.pending);
        self.offsets.push(below);
        operate(self);
        self.offsets.pop();
    }

    fn scrollable(
        &mut self,
        id: Option<&Id>,
        bounds: Rectangle,
        _content: Rectangle,
        translation: Vector,
        _state: &mut dyn operation::Scrollable,
    ) {
        self.record(id, bounds);
        self.pending = Vector::ZERO - translation;
    }

    fn focusable(&mut self, id: Option<&Id>, bounds: Rectangle, _state: &mut dyn Focusable) {
        self.record(id, bounds);
    }

    fn custom(&mut self, id: Option<&Id>, bounds: Rectangle, _state: &mut dyn Any) {
        self.record(id, bounds);
    }
}
