//! An iced operation that collects the accessibility nodes of one window.

use std::any::Any;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use accesskit::{Action, ActionData, ActionRequest, Node, NodeId, Role, TreeId, TreeInfo, TreeUpdate};
use iced::advanced::widget::operation::{Focusable, Scrollable, TextInput};
use iced::advanced::widget::{Id, Operation};
use iced::{Rectangle, Vector};

use super::editable_text::character_at;
use super::{EditableText, Semantics};

/// The id of the window's node.
pub const ROOT: NodeId = NodeId(0);

/// Collects the nodes of one window, and delivers at most one action request.
pub struct TreeBuilder {
    entries: Vec<Entry>,
    /// The nodes that contain the current widget, outermost first: index in `entries`, and offset by scrolling.
    stack: Vec<(usize, Vector)>,
    /// The node of the last widget, which contains the widgets of the next `traverse`. `None` if it was not a node.
    last: Option<(usize, Vector)>,
    /// The ids of all entries.
    used: HashSet<NodeId>,
    /// The nodes of the text of the last text field.
    runs: Vec<(NodeId, usize)>,
    focus: NodeId,
    scale: f64,
    request: Option<ActionRequest>,
}

struct Entry {
    id: NodeId,
    node: Node,
    /// The widget gave the node a name. Otherwise the text inside may become its name.
    named: bool,
    /// The number of children so far.
    children: u64,
}

impl TreeBuilder {
    /// Starts with the node of the window. `scale` is physical pixels per logical pixel.
    pub fn new(title: &str, bounds: Rectangle, scale: f32, request: Option<ActionRequest>) -> Self {
        let mut node = Node::new(Role::Window);
        node.set_label(title);
        node.set_bounds(rectangle(bounds, Vector::ZERO, scale.into()));
        Self {
            entries: vec![Entry { id: ROOT, node, named: true, children: 0 }],
            stack: vec![(0, Vector::ZERO)],
            last: None,
            used: HashSet::from([ROOT]),
            runs: Vec::new(),
            focus: ROOT,
            scale: scale.into(),
            request,
        }
    }

    /// Returns the whole tree.
    pub fn finish(self) -> TreeUpdate {
        let mut tree = TreeInfo::new(ROOT);
        tree.toolkit_name = Some("iced".into());
        TreeUpdate {
            nodes: self.entries.into_iter().map(|entry| (entry.id, entry.node)).collect(),
            tree: Some(tree),
            tree_id: TreeId::ROOT,
            focus: self.focus,
        }
    }

    fn top(&self) -> (usize, Vector) {
        self.stack.last().copied().unwrap_or((0, Vector::ZERO))
    }

    /// Adds a node. A control must have the same id in each tree. So the id is a hash of the widget's id, or of parent,
    /// role and position if the widget has no id.
    fn push(&mut self, id: Option<&Id>, bounds: Rectangle, mut node: Node) -> usize {
        let (parent, offset) = self.top();
        let place = (self.entries[parent].id.0, node.role() as u8, self.entries[parent].children);
        let mut key = NodeId(id.map_or_else(|| hash(&place), hash));
        while !self.used.insert(key) {
            key = NodeId(hash(&(key.0, place))); // two widgets have the same id
        }
        node.set_bounds(rectangle(bounds, offset, self.scale));
        let named = node.label().is_some() || node.value().is_some();
        self.entries[parent].children += 1;
        self.entries[parent].node.push_child(key);
        self.entries.push(Entry { id: key, node, named, children: 0 });
        self.entries.len() - 1
    }

    /// Adds the nodes of the text of a text field, and sets its selection.
    fn push_text(&mut self, field: usize, text: &EditableText) {
        let id = self.entries[field].id.0;
        let ids = |index: usize| NodeId(hash(&(id, "text", index)));
        let bounds = self.entries[field].node.bounds();
        self.entries[field].node.set_text_selection(text.selection(ids));
        self.runs.clear();
        for ((id, mut run), start) in text.runs(ids).into_iter().zip(text.starts()) {
            if let Some(bounds) = bounds {
                run.set_bounds(bounds);
            }
            self.used.insert(id);
            self.runs.push((id, start));
            self.entries[field].node.push_child(id);
            self.entries.push(Entry { id, node: run, named: true, children: 0 });
        }
    }

    /// The characters at which the selection begins and ends that an assistive tool requests in the text field `field`.
    fn selected(&self, field: usize) -> Option<(usize, usize)> {
        let request = self.request.as_ref()?;
        let Some(ActionData::SetTextSelection(wanted)) = &request.data else { return None };
        let is_meant = request.action == Action::SetTextSelection && request.target_node == self.entries[field].id;
        let places = character_at(&wanted.anchor, &self.runs).zip(character_at(&wanted.focus, &self.runs));
        places.filter(|_| is_meant)
    }

    /// Selects the text that an assistive tool asks to select in the text field `field`.
    fn select(&self, field: usize, state: &mut dyn TextInput) {
        match self.selected(field) {
            Some((anchor, caret)) if anchor == caret => state.move_cursor_to(caret),
            Some((anchor, caret)) => state.select_range(anchor, caret),
            None => {}
        }
    }

    /// The parent, if it is a text field. The iced widget inside it must not become a second node.
    fn text_field(&self) -> Option<usize> {
        let (top, _) = self.top();
        let role = self.entries[top].node.role();
        matches!(role, Role::TextInput | Role::PasswordInput | Role::MultilineTextInput).then_some(top)
    }
}

impl Operation for TreeBuilder {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        let parent = self.last.take().unwrap_or(self.top());
        self.stack.push(parent);
        operate(self);
        self.stack.pop();
        self.last = None;
    }

    fn container(&mut self, _id: Option<&Id>, _bounds: Rectangle) {
        self.last = None; // rows and columns are not nodes
    }

    fn scrollable(
        &mut self,
        id: Option<&Id>,
        bounds: Rectangle,
        content: Rectangle,
        translation: Vector,
        _state: &mut dyn Scrollable,
    ) {
        let mut node = Node::new(Role::ScrollView);
        // Not `clips_children`: AccessKit would hide what is scrolled off from assistive tools, which must list all controls.
        node.set_scroll_y(translation.y.into());
        node.set_scroll_y_min(0.0);
        node.set_scroll_y_max((content.height - bounds.height).max(0.0).into());
        let index = self.push(id, bounds, node);
        self.last = Some((index, self.top().1 - translation));
    }

    fn text(&mut self, id: Option<&Id>, bounds: Rectangle, text: &str) {
        self.last = None;
        let (top, _) = self.top();
        let entry = &mut self.entries[top];
        if !is_named_by_its_text(entry.node.role()) {
            if !text.is_empty() {
                let mut node = Node::new(Role::Label);
                node.set_value(text); // the text of an AccessKit label is its value
                self.push(id, bounds, node);
            }
        } else if !entry.named {
            let name = entry.node.label().map_or(text.to_owned(), |name| format!("{name} {text}"));
            entry.node.set_label(name);
        }
    }

    fn text_input(&mut self, id: Option<&Id>, bounds: Rectangle, state: &mut dyn TextInput) {
        let index = self.text_field().unwrap_or_else(|| {
            let mut node = Node::new(Role::TextInput);
            node.set_value(state.text()); // may be the placeholder; `kit::field` sets the value itself
            self.push(id, bounds, node)
        });
        self.select(index, state);
        self.last = Some((index, self.top().1));
    }

    fn focusable(&mut self, id: Option<&Id>, bounds: Rectangle, state: &mut dyn Focusable) {
        let (index, _) = self.last.take().unwrap_or_else(|| {
            let index = self.text_field().unwrap_or_else(|| self.push(id, bounds, Node::new(Role::MultilineTextInput)));
            (index, Vector::ZERO)
        });
        let entry = &mut self.entries[index];
        entry.node.add_action(Action::Focus);
        if let Some(request) = &self.request
            && matches!(request.action, Action::Focus | Action::Click)
        {
            if request.target_node == entry.id { state.focus() } else { state.unfocus() }
        }
        if state.is_focused() {
            self.focus = entry.id;
        }
        self.last = Some((index, self.top().1)); // its children follow
    }

    fn custom(&mut self, id: Option<&Id>, bounds: Rectangle, state: &mut dyn Any) {
        let Some(semantics) = state.downcast_mut::<Semantics>() else { return };
        let index = self.push(id, bounds, semantics.node.clone());
        if let Some(text) = &semantics.text {
            self.push_text(index, text);
            semantics.selected = self.selected(index);
        }
        self.last = Some((index, self.top().1));
        if self.request.as_ref().is_some_and(|request| request.target_node == self.entries[index].id) {
            semantics.requested.clone_from(&self.request);
        }
    }
}

/// Whether the text inside a node is its name, if it has no other. The text is then not a node itself.
fn is_named_by_its_text(role: Role) -> bool {
    matches!(
        role,
        Role::Button
            | Role::Switch
            | Role::CheckBox
            | Role::ListItem
            | Role::MenuItem
            | Role::MenuItemRadio
            | Role::MenuItemCheckBox
            | Role::Link
            | Role::Image
            | Role::Status
            | Role::Heading
    )
}

fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish().max(1) // 0 is the id of the window
}

fn rectangle(bounds: Rectangle, offset: Vector, scale: f64) -> accesskit::Rect {
    let (x, y) = (f64::from(bounds.x + offset.x), f64::from(bounds.y + offset.y));
    let (width, height) = (f64::from(bounds.width), f64::from(bounds.height));
    accesskit::Rect::new(x * scale, y * scale, (x + width) * scale, (y + height) * scale)
}
