//! The adapter for AT-SPI, the accessibility interface of Linux. Without a D-Bus session bus it does nothing.

use accesskit::{Role, Toggled, TreeUpdate};

use crate::kit::a11y::Port;

pub type Adapter = accesskit_unix::Adapter;

#[expect(clippy::unnecessary_wraps, reason = "on the other systems there may be no adapter")]
pub fn new(_window: &dyn iced::Window, port: &Port) -> Option<Adapter> {
    Some(Adapter::new(port.clone(), port.clone(), port.clone()))
}

pub fn update(adapter: &mut Adapter, tree: impl FnOnce() -> TreeUpdate) {
    adapter.update_if_active(|| for_at_spi(tree()));
}

pub fn focused(adapter: &mut Adapter, focused: bool) {
    adapter.update_window_focus_state(focused);
}

/// Replaces what AccessKit does not translate to AT-SPI. It has no state for an open menu, so a button that opens one
/// becomes a toggle button that is pressed while the menu is open, as in GTK 3.
fn for_at_spi(mut update: TreeUpdate) -> TreeUpdate {
    for (_, node) in &mut update.nodes {
        if let (Role::Button, None, Some(open)) = (node.role(), node.toggled(), node.is_expanded()) {
            node.set_toggled(if open { Toggled::True } else { Toggled::False });
        }
    }
    update
}

#[cfg(test)]
mod tests {
    use super::*;
    use accesskit::{Node, NodeId, TreeId};

    #[test]
    fn a_button_that_opens_a_menu_says_whether_the_menu_is_open() {
        let node = |expanded: Option<bool>| {
            let mut node = Node::new(Role::Button);
            if let Some(open) = expanded {
                node.set_expanded(open);
            }
            (NodeId(expanded.map_or(0, |open| 1 + u64::from(open))), node)
        };
        let nodes = [None, Some(false), Some(true)].map(node).to_vec();
        let update = for_at_spi(TreeUpdate { nodes, tree: None, tree_id: TreeId::ROOT, focus: NodeId(0) });
        let states: Vec<_> = update.nodes.iter().map(|(_, node)| node.toggled()).collect();
        assert_eq!(states, [None, Some(Toggled::False), Some(Toggled::True)]);
    }
}
