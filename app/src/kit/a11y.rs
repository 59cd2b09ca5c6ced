//! From a widget tree to an AccessKit tree, and back from an AccessKit action to a widget.

mod port;
mod walker;

pub use port::Port;
pub use walker::{ROOT, TreeBuilder};

use accesskit::{ActionRequest, Node, Role};

/// What a widget hands to `Operation::custom`: who it is, and, on the way back, what it was asked to do.
#[derive(Clone, Debug)]
pub struct Semantics {
    /// Role, name, state, actions. The walker adds bounds and children.
    pub node: Node,
    /// Set by the walker when an assistive tool asked this widget for something.
    pub requested: Option<ActionRequest>,
}

impl Semantics {
    /// A node of this role; an empty `label` means that the text inside is the name.
    pub fn new(role: Role, label: &str) -> Self {
        let mut node = Node::new(role);
        if !label.is_empty() {
            node.set_label(label);
        }
        Self { node, requested: None }
    }

    /// Whether this node is a part of the window that F6 goes to.
    pub fn is_region(&self) -> bool {
        matches!(self.node.role(), Role::Region | Role::Toolbar | Role::Main | Role::Banner | Role::Navigation)
    }
}
