//! A named part of a window. Assistive tools list it, and F6 moves to it.

use accesskit::Role;
use iced::Renderer;
use iced::advanced::widget::{Operation, Tree};
use iced::advanced::{Layout, Widget};

use crate::kit::Element;
use crate::kit::a11y::Semantics;
use crate::kit::forward::forward;
use crate::theme::Theme;

/// Wraps `content` in a node of this role and name. F6 stops at the roles [`Role::Region`], [`Role::Toolbar`],
/// [`Role::Main`], [`Role::Banner`] and [`Role::Navigation`].
pub fn region<'a, Message: 'a>(
    role: Role,
    label: &str,
    content: impl Into<Element<'a, Message>>,
) -> Element<'a, Message> {
    Element::new(Region { content: content.into(), semantics: Semantics::new(role, label) })
}

/// Makes a text a heading. The heading of a page has level 1, that of a part of it level 2.
pub fn heading<'a, Message: 'a>(level: usize, text: impl Into<Element<'a, Message>>) -> Element<'a, Message> {
    let mut semantics = Semantics::new(Role::Heading, "");
    semantics.node.set_level(level.saturating_sub(1)); // AccessKit counts from 0
    Element::new(Region { content: text.into(), semantics })
}

struct Region<'a, Message> {
    content: Element<'a, Message>,
    semantics: Semantics,
}

impl<Message> Widget<Message, Theme, Renderer> for Region<'_, Message> {
    forward!(same: tag, state, children, diff, size, layout, update, draw, mouse_interaction, overlay);

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        operation.custom(None, layout.bounds(), &mut self.semantics);
        operation.traverse(&mut |operation| self.content.as_widget_mut().operate(tree, layout, renderer, operation));
    }
}
