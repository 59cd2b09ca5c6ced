//! The description of a widget for assistive tools.

use accesskit::{ActionRequest, Node, Role};

use super::EditableText;

/// What a widget passes to `Operation::custom`: its node, and on return the action that was requested of it.
#[derive(Clone, Debug)]
pub struct Semantics {
    /// Role, name, state and actions. [`super::TreeBuilder`] adds bounds and children.
    pub node: Node,
    /// The text and the selection of a text field.
    pub text: Option<EditableText>,
    /// The characters at which the selection that an assistive tool requests begins and ends. [`super::TreeBuilder`] sets it.
    pub selected: Option<(usize, usize)>,
    /// The action that an assistive tool requests of this widget. [`super::TreeBuilder`] sets it.
    pub requested: Option<ActionRequest>,
    /// The widget has the focus because of a click, so no focus ring is shown.
    pub clicked: bool,
}

impl Semantics {
    /// Creates a node with this role. If `label` is empty, the text inside is the name.
    pub fn new(role: Role, label: &str) -> Self {
        let mut node = Node::new(role);
        if !label.is_empty() {
            node.set_label(label);
        }
        Self { node, text: None, selected: None, requested: None, clicked: false }
    }

    /// Whether F6 stops at this node.
    pub fn is_region(&self) -> bool {
        matches!(self.node.role(), Role::Region | Role::Toolbar | Role::Main | Role::Banner | Role::Navigation)
    }
}
