//! A live region: an invisible text that assistive tools read out when it changes.

use accesskit::{Live, Role};
use iced::advanced::widget::{Operation, Tree};
use iced::advanced::{Layout, Widget, layout, mouse, renderer};
use iced::{Length, Rectangle, Renderer, Size};

use crate::kit::Element;
use crate::kit::a11y::Semantics;
use crate::theme::Theme;

/// Creates the live region. It is polite: it does not interrupt other speech.
pub fn live<'a, Message: 'a>(text: &str) -> Element<'a, Message> {
    let mut semantics = Semantics::new(Role::Status, text);
    semantics.node.set_live(Live::Polite);
    if text.is_empty() {
        semantics.node.set_label(" "); // the node must exist, so that the next text is a change and not a new node
    }
    Element::new(Line(semantics))
}

struct Line(Semantics);

impl<Message> Widget<Message, Theme, Renderer> for Line {
    fn size(&self) -> Size<Length> {
        Size::new(Length::Shrink, Length::Shrink)
    }

    fn layout(&mut self, _tree: &mut Tree, _renderer: &Renderer, _limits: &layout::Limits) -> layout::Node {
        layout::Node::new(Size::ZERO)
    }

    fn operate(&mut self, _tree: &mut Tree, layout: Layout<'_>, _renderer: &Renderer, operation: &mut dyn Operation) {
        operation.custom(None, layout.bounds(), &mut self.0);
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
