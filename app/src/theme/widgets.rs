//! The styles of the iced widgets that views use directly.

use iced::widget::{container, rule, scrollable, svg, text, text_editor, text_input};
use iced::{Background, Border, Color, Shadow};

use super::palette::{Theme, Tone, solid};
use super::tokens::{LINE, RADIUS_CARD, RADIUS_CONTROL};

/// The background of a window.
pub fn page(theme: &Theme) -> container::Style {
    let c = theme.colours();
    container::Style { background: solid(c.background), text_color: Some(c.text), ..container::Style::default() }
}

/// A bar of the meeting. It has no background of its own.
pub fn bar(theme: &Theme) -> container::Style {
    container::Style { text_color: Some(theme.colours().text), ..container::Style::default() }
}

/// A card on a page.
pub fn card(theme: &Theme) -> container::Style {
    let c = theme.colours();
    container::Style {
        background: solid(c.surface),
        border: theme.outline(c.line, RADIUS_CARD),
        text_color: Some(c.text),
        ..container::Style::default()
    }
}

/// The banner while the user shares the screen: a frame in the accent colour.
pub fn sharing(theme: &Theme) -> container::Style {
    let c = theme.colours();
    container::Style {
        background: solid(theme.tint(c.accent, 0.14)),
        border: Border { color: c.accent, width: theme.ring(), radius: RADIUS_CARD.into() },
        text_color: Some(c.text),
        ..container::Style::default()
    }
}

/// The panel at the side of the meeting.
pub fn panel(theme: &Theme) -> container::Style {
    card(theme)
}

/// A box inside a card.
pub fn inset(theme: &Theme) -> container::Style {
    let c = theme.colours();
    container::Style {
        background: solid(c.raised),
        border: Border { radius: RADIUS_CONTROL.into(), ..Border::default() },
        text_color: Some(c.text),
        ..container::Style::default()
    }
}

/// A menu over the page.
pub fn menu(theme: &Theme) -> container::Style {
    container::Style { shadow: theme.shadow(20.0), ..card(theme) }
}

/// A notification over the page.
pub fn notice(theme: &Theme) -> container::Style {
    container::Style { shadow: theme.shadow(24.0), ..card(theme) }
}

/// A dialog over a backdrop.
pub fn dialog(theme: &Theme) -> container::Style {
    container::Style { shadow: theme.shadow(32.0), ..card(theme) }
}

/// The frame of the mark of a check box.
pub fn check_box(theme: &Theme) -> container::Style {
    container::Style { border: theme.outline(theme.colours().edge, 4.0), ..container::Style::default() }
}

/// The layer between a dialog and the page.
pub fn backdrop(theme: &Theme) -> container::Style {
    container::Style { background: solid(theme.colours().backdrop), ..container::Style::default() }
}

/// The layer between video and text over it.
pub fn scrim(theme: &Theme) -> container::Style {
    let c = theme.colours();
    container::Style {
        background: solid(c.scrim),
        border: Border { radius: RADIUS_CONTROL.into(), ..Border::default() },
        text_color: Some(c.on_scrim),
        ..container::Style::default()
    }
}

/// A rounded box behind the icon of a card or a notification, in its tone.
pub fn tinted(tone: Tone) -> impl Fn(&Theme) -> container::Style {
    move |theme| {
        let colour = tone.colour(theme);
        container::Style {
            background: solid(theme.tint(colour, 0.16)),
            border: Border { radius: RADIUS_CARD.into(), ..Border::default() },
            text_color: Some(colour),
            ..container::Style::default()
        }
    }
}

/// A text field.
pub fn field(theme: &Theme, status: text_input::Status) -> text_input::Style {
    let c = theme.colours();
    let (color, width) = match status {
        text_input::Status::Active => (c.edge, theme.line()),
        text_input::Status::Hovered => (c.dim, theme.line()),
        text_input::Status::Focused { .. } => (c.accent, focused_line(theme)),
        text_input::Status::Disabled => (c.line, theme.line()),
    };
    text_input::Style {
        background: Background::Color(c.surface),
        border: Border { color, width, radius: RADIUS_CONTROL.into() },
        icon: c.dim,
        placeholder: c.dim,
        value: c.text,
        selection: c.accent.scale_alpha(0.32),
    }
}

/// The width of the border of a text field that has the focus: more than that of another one.
fn focused_line(theme: &Theme) -> f32 {
    theme.line() + theme.ring() - LINE
}

/// A text field with an error.
pub fn field_invalid(theme: &Theme, status: text_input::Status) -> text_input::Style {
    let style = field(theme, status);
    let is_focused = matches!(status, text_input::Status::Focused { .. });
    let width = if is_focused { focused_line(theme) } else { theme.line() };
    text_input::Style { border: Border { color: theme.colours().danger, width, ..style.border }, ..style }
}

/// A text field of several lines.
pub fn area(theme: &Theme, status: text_editor::Status) -> text_editor::Style {
    editor_style(&field(theme, input_status(status)))
}

/// A text field of several lines with an error.
pub fn area_invalid(theme: &Theme, status: text_editor::Status) -> text_editor::Style {
    editor_style(&field_invalid(theme, input_status(status)))
}

fn input_status(status: text_editor::Status) -> text_input::Status {
    match status {
        text_editor::Status::Active => text_input::Status::Active,
        text_editor::Status::Hovered => text_input::Status::Hovered,
        text_editor::Status::Focused { is_hovered } => text_input::Status::Focused { is_hovered },
        text_editor::Status::Disabled => text_input::Status::Disabled,
    }
}

fn editor_style(style: &text_input::Style) -> text_editor::Style {
    let text_input::Style { background, border, placeholder, value, selection, icon: _ } = *style;
    text_editor::Style { background, border, placeholder, value, selection }
}

impl container::Catalog for Theme {
    type Class<'a> = container::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(|_| container::Style::default())
    }

    fn style(&self, class: &Self::Class<'_>) -> container::Style {
        class(self)
    }
}

impl text::Catalog for Theme {
    type Class<'a> = text::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(|_| text::Style::default())
    }

    fn style(&self, class: &Self::Class<'_>) -> text::Style {
        class(self)
    }
}

impl svg::Catalog for Theme {
    type Class<'a> = svg::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(|theme: &Self, _| svg::Style { color: Some(theme.colours().text) })
    }

    fn style(&self, class: &Self::Class<'_>, status: svg::Status) -> svg::Style {
        class(self, status)
    }
}

impl text_editor::Catalog for Theme {
    type Class<'a> = text_editor::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(area)
    }

    fn style(&self, class: &Self::Class<'_>, status: text_editor::Status) -> text_editor::Style {
        class(self, status)
    }
}

impl text_input::Catalog for Theme {
    type Class<'a> = text_input::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(field)
    }

    fn style(&self, class: &Self::Class<'_>, status: text_input::Status) -> text_input::Style {
        class(self, status)
    }
}

impl rule::Catalog for Theme {
    type Class<'a> = rule::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(|theme: &Self| rule::Style {
            color: theme.colours().line,
            radius: 0.0.into(),
            fill_mode: rule::FillMode::Full,
            snap: true,
        })
    }

    fn style(&self, class: &Self::Class<'_>) -> rule::Style {
        class(self)
    }
}

impl scrollable::Catalog for Theme {
    type Class<'a> = scrollable::StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(scroller)
    }

    fn style(&self, class: &Self::Class<'_>, status: scrollable::Status) -> scrollable::Style {
        class(self, status)
    }
}

fn scroller(theme: &Theme, status: scrollable::Status) -> scrollable::Style {
    let c = theme.colours();
    let colour = match status {
        scrollable::Status::Active { .. } => c.line,
        scrollable::Status::Hovered { .. } | scrollable::Status::Dragged { .. } => c.edge,
    };
    let border = Border { radius: 3.0.into(), ..Border::default() };
    let rail = scrollable::Rail {
        background: None,
        border,
        scroller: scrollable::Scroller { background: Background::Color(colour), border },
    };
    scrollable::Style {
        container: container::Style::default(),
        vertical_rail: rail,
        horizontal_rail: rail,
        gap: None,
        auto_scroll: scrollable::AutoScroll {
            background: Background::Color(c.raised),
            border: theme.outline(c.line, RADIUS_CARD),
            shadow: Shadow::default(),
            icon: Color { ..c.text },
        },
    }
}
