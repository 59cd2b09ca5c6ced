//! A named part of a window: assistive tools list it, F6 goes to it.

use accesskit::Role;
use iced::advanced::widget::{Id, Operation, Tree, tree};
use iced::advanced::{Clipboard, Layout, Shell, Widget, layout, mouse, overlay, renderer};
use iced::{Event, Length, Rectangle, Renderer, Size, Vector};

use crate::kit::Element;
use crate::kit::a11y::Semantics;
use crate::theme::Theme;

/// Wraps `content` in a node of this role and name. With [`Role::Region`], [`Role::Toolbar`], [`Role::Main`],
/// [`Role::Banner`] or [`Role::Navigation`] F6 stops there.
pub fn region<'a, Message: 'a>(
    role: Role,
    label: &str,
    content: impl Into<Element<'a, Message>>,
) -> Element<'a, Message> {
    Element::new(Region { content: content.into(), id: None, semantics: Semantics::new(role, label) })
}

/// Wraps `content` in a node that stays while the window lives, and says all that `semantics` says.
pub fn with_semantics<'a, Message: 'a>(
    id: impl Into<Id>,
    semantics: Semantics,
    content: impl Into<Element<'a, Message>>,
) -> Element<'a, Message> {
    Element::new(Region { content: content.into(), id: Some(id.into()), semantics })
}

struct Region<'a, Message> {
    content: Element<'a, Message>,
    id: Option<Id>,
    semantics: Semantics,
}

impl<Message> Widget<Message, Theme, Renderer> for Region<'_, Message> {
    fn tag(&self) -> tree::Tag {
        self.content.as_widget().tag()
    }

    fn state(&self) -> tree::State {
        self.content.as_widget().state()
    }

    fn children(&self) -> Vec<Tree> {
        self.content.as_widget().children()
    }

    fn diff(&self, tree: &mut Tree) {
        self.content.as_widget().diff(tree);
    }

    fn size(&self) -> Size<Length> {
        self.content.as_widget().size()
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        self.content.as_widget_mut().layout(tree, renderer, limits)
    }

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        operation.custom(self.id.as_ref(), layout.bounds(), &mut self.semantics);
        operation.traverse(&mut |operation| self.content.as_widget_mut().operate(tree, layout, renderer, operation));
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        viewport: &Rectangle,
    ) {
        self.content.as_widget_mut().update(tree, event, layout, cursor, renderer, clipboard, shell, viewport);
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        self.content.as_widget().draw(tree, renderer, theme, style, layout, cursor, viewport);
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        self.content.as_widget().mouse_interaction(tree, layout, cursor, viewport, renderer)
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        self.content.as_widget_mut().overlay(tree, layout, renderer, viewport, translation)
    }
}
