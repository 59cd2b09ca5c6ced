//! A line of text that ends in an ellipsis if it is wider than its bounds. Assistive tools get the whole text, and a
//! tooltip shows it.

use iced::advanced::text::{self, Paragraph as _, Text, paragraph::Plain};
use iced::advanced::widget::{Operation, Tree, text as text_widget};
use iced::advanced::{Clipboard, Layout, Shell, Widget, layout, mouse, overlay, renderer};
use iced::alignment::Vertical;
use iced::widget::text::{LineHeight, Shaping, Style, Wrapping};
use iced::{Event, Font, Length, Rectangle, Renderer, Size, Vector};

use crate::kit::Element;
use crate::kit::forward::stateful;
use crate::kit::tooltip::{Tooltip, TooltipText};
use crate::theme::{LINE_HEIGHT, REGULAR, SEMIBOLD, TEXT_CAPTION, TEXT_SMALL, TEXT_TITLE, Theme, Tone};

/// A line of text with an ellipsis if needed.
#[derive(Debug)]
pub struct Elided {
    whole: String,
    size: f32,
    font: Font,
    tone: Option<Tone>,
    width: Length,
}

/// A line of small text. It is as wide as its text, or as its bounds if those are narrower.
pub fn elided(whole: impl Into<String>) -> Elided {
    Elided { whole: whole.into(), size: TEXT_SMALL, font: REGULAR, tone: None, width: Length::Shrink }
}

impl Elided {
    /// Sets the weight of names and buttons.
    #[must_use]
    pub fn strong(self) -> Self {
        Self { font: SEMIBOLD, ..self }
    }

    /// Sets the size of badges and hints.
    #[must_use]
    pub fn caption(self) -> Self {
        Self { size: TEXT_CAPTION, ..self }
    }

    /// Sets the size of the heading of a page.
    #[must_use]
    pub fn title(self) -> Self {
        Self { size: TEXT_TITLE, font: SEMIBOLD, ..self }
    }

    /// Sets the colour. The default is that of the surrounding text.
    #[must_use]
    pub fn tone(self, tone: Tone) -> Self {
        Self { tone: Some(tone), ..self }
    }

    /// Sets the width. The default is that of the text.
    #[must_use]
    pub fn width(self, width: impl Into<Length>) -> Self {
        Self { width: width.into(), ..self }
    }

    fn format<'a>(&self, content: &'a str) -> Text<&'a str, Font> {
        Text {
            content,
            bounds: Size::INFINITE,
            size: self.size.into(),
            line_height: LineHeight::Relative(LINE_HEIGHT),
            font: self.font,
            align_x: text::Alignment::Default,
            align_y: Vertical::Top,
            shaping: Shaping::Advanced,
            wrapping: Wrapping::None,
        }
    }
}

type Paragraph = <Renderer as text::Renderer>::Paragraph;

#[derive(Default)]
struct State {
    line: Plain<Paragraph>,
    /// The text, its size and the width that `line` was laid out for.
    fitted: Option<(String, f32, f32)>,
    /// The line ends in an ellipsis.
    cut: bool,
    hovered: bool,
    tooltip: TooltipText,
}

impl State {
    /// Lays out as much of the text as fits in `room` logical pixels.
    fn fit(&mut self, elided: &Elided, room: f32) {
        let key = (elided.whole.clone(), elided.size, room);
        if self.fitted.as_ref() == Some(&key) {
            return;
        }
        self.fitted = Some(key);
        self.line.update(elided.format(&elided.whole));
        self.cut = self.line.min_width() > room;
        if !self.cut {
            return;
        }
        let ends: Vec<_> = elided.whole.char_indices().map(|(end, _)| end).collect();
        let fits =
            |end: &usize| Paragraph::with_text(elided.format(&beginning(&elided.whole, *end))).min_width() <= room;
        let kept = ends.partition_point(fits).saturating_sub(1);
        let end = ends.get(kept).copied().unwrap_or_default();
        self.line.update(elided.format(&beginning(&elided.whole, end)));
    }
}

/// The first `end` bytes of a text, then an ellipsis. White space and zero-width joiners before the ellipsis are removed.
fn beginning(whole: &str, end: usize) -> String {
    format!("{}…", whole[..end].trim_end_matches(|letter: char| letter.is_whitespace() || letter == '\u{200d}'))
}

impl<Message> Widget<Message, Theme, Renderer> for Elided {
    stateful!(State);

    fn size(&self) -> Size<Length> {
        Size::new(self.width, Length::Shrink)
    }

    fn layout(&mut self, tree: &mut Tree, _renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        let state = tree.state.downcast_mut::<State>();
        layout::sized(limits, self.width, Length::Shrink, |limits| {
            state.fit(self, limits.max().width);
            state.line.min_bounds()
        })
    }

    fn operate(&mut self, _tree: &mut Tree, layout: Layout<'_>, _renderer: &Renderer, operation: &mut dyn Operation) {
        operation.text(None, layout.bounds(), &self.whole);
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _renderer: &Renderer,
        _clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        _viewport: &Rectangle,
    ) {
        let state = tree.state.downcast_mut::<State>();
        let over = cursor.is_over(layout.bounds());
        if matches!(event, Event::Mouse(_)) && state.hovered != over {
            state.hovered = over;
            if state.cut {
                shell.invalidate_layout();
                shell.request_redraw();
            }
        }
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        _cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        let state = tree.state.downcast_ref::<State>();
        let own_style = Style { color: self.tone.map(|tone| tone.colour(theme)) };
        text_widget::draw(renderer, style, layout.bounds(), state.line.raw(), own_style, viewport);
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        _renderer: &Renderer,
        _viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        let state = tree.state.downcast_mut::<State>();
        let anchor = layout.bounds() + translation;
        let tooltip = Tooltip { text: &self.whole, anchor, paragraph: &mut state.tooltip };
        (state.hovered && state.cut).then(|| overlay::Element::new(Box::new(tooltip)))
    }
}

impl<Message> From<Elided> for Element<'_, Message> {
    fn from(elided: Elided) -> Self {
        Element::new(elided)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(whole: &str, room: f32) -> (String, bool, f32) {
        crate::snapshot::load_fonts();
        let (elided, mut state) = (elided(whole), State::default());
        state.fit(&elided, room);
        (state.line.content().to_owned(), state.cut, state.line.min_width())
    }

    #[test]
    fn a_text_that_fits_is_not_changed() {
        assert_eq!(fitted("Anne Martin", 400.0), ("Anne Martin".into(), false, fitted("Anne Martin", 400.0).2));
        assert!(!fitted("", 10.0).1);
    }

    #[test]
    fn a_long_name_ends_in_an_ellipsis_and_fits_its_bounds() {
        let name = "Maximilienne-Élisabeth de La Rochefoucauld-Montmorency et Associés";
        let mut last = 0;
        for room in [20.0, 60.0, 120.0, 180.0, 260.0, 340.0] {
            let (shown, cut, width) = fitted(name, room);
            assert!(cut && shown.ends_with('…'), "{shown}");
            assert!(width <= room, "{shown} is {width} wide in {room}");
            assert!(name.starts_with(shown.trim_end_matches('…')), "{shown}");
            assert!(!shown.trim_end_matches('…').ends_with(' '), "{shown}");
            assert!(shown.chars().count() > last, "a wider line shows more: {shown}");
            last = shown.chars().count();
        }
    }
}
