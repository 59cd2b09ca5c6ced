//! A live region: an invisible text that assistive tools read out when it changes.

use accesskit::{Live, Role};
use iced::advanced::widget::{Id, Operation, Tree};
use iced::advanced::{Layout, Widget, layout, mouse, renderer};
use iced::{Length, Rectangle, Renderer, Size};

use crate::kit::Element;
use crate::kit::a11y::Semantics;
use crate::theme::Theme;

/// Creates a live region. `politeness` says whether it interrupts other speech.
///
/// Its node in the accessibility tree depends on `id` only. If the node changed with the view around it, it would be a
/// new node with an old text, which assistive tools would read out again.
pub fn live<'a, Message: 'a>(id: &'static str, politeness: Live, text: &str) -> Element<'a, Message> {
    let mut semantics = Semantics::new(Role::Status, text);
    semantics.node.set_live(politeness);
    Element::new(Line { id: Id::new(id), semantics })
}

struct Line {
    id: Id,
    semantics: Semantics,
}

impl<Message> Widget<Message, Theme, Renderer> for Line {
    fn size(&self) -> Size<Length> {
        Size::new(Length::Shrink, Length::Shrink)
    }

    fn layout(&mut self, _tree: &mut Tree, _renderer: &Renderer, _limits: &layout::Limits) -> layout::Node {
        layout::Node::new(Size::ZERO)
    }

    fn operate(&mut self, _tree: &mut Tree, layout: Layout<'_>, _renderer: &Renderer, operation: &mut dyn Operation) {
        operation.custom(Some(&self.id), layout.bounds(), &mut self.semantics);
    }

    fn draw(
        &self,
        _tree: &Tree,
        _renderer: &mut Renderer,
        _theme: &Theme,
        _style: &renderer::Style,
        _layout: Layout<'_>,
        _cursor: mouse::Cursor,
        _viewport: &Rectangle,
    ) {
    }
}
