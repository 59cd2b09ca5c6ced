//! Language, appearance and bandwidth, which can be changed on several screens: the controls and their menus. Each screen keeps
//! which of its menus is open.

mod bandwidth;

use iced::Alignment;
use iced::widget::{Column, column, container, row};

use super::{Context, choice, menu, menu_heading, select};
use crate::kit::{Element, Icon, Press, icon, popup, press, text};
use crate::locale::Language;
use crate::model::bandwidth::Change;
use crate::theme::{Choice, ICON_SMALL, Look, SPACE_S, TARGET};

/// The menus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The languages.
    Language,
    /// The themes.
    Theme,
    /// Both in one menu, for a screen with little space.
    Both,
    /// The limits of the bandwidth.
    Bandwidth,
}

/// A choice of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    /// A language.
    Language(Language),
    /// A theme.
    Theme(Choice),
    /// Whether the camera shows sign language.
    SignLanguage(bool),
    /// Whether the shared screen shows a video clip.
    VideoClip(bool),
    /// Whether a sound is played when somebody asks to join.
    KnockSound(bool),
    /// The limits of the bandwidth.
    Bandwidth(Change),
}

impl Part {
    /// The id of the control that opens the menu.
    const fn anchor(self) -> &'static str {
        match self {
            Self::Language => "languages",
            Self::Theme => "themes",
            Self::Both => "preferences",
            Self::Bandwidth => "bandwidth",
        }
    }

    /// The text id of its name.
    const fn name(self) -> &'static str {
        match self {
            Self::Language => "menu-language",
            Self::Theme => "menu-theme",
            Self::Both => "menu-preferences",
            Self::Bandwidth => "menu-bandwidth",
        }
    }
}

/// The controls at the top of a page, one for each menu. `open` is the open menu.
pub(crate) fn controls<'a, Message: Clone + 'a>(
    context: &Context,
    open: Option<Part>,
    pressed: impl Fn(Part) -> Message,
) -> Element<'a, Message> {
    let symbol = container(icon(theme_icon(context.theme))).center(TARGET);
    let theme = control(symbol, &context.text("menu-theme"), Part::Theme, open, &pressed).square(TARGET);
    let language = context.language.name();
    let name = format!("{}, {language}", context.text("menu-language"));
    let inside = row![icon(Icon::Language), text::strong(language), icon(Icon::Down).size(ICON_SMALL)];
    let inside = inside.spacing(SPACE_S).align_y(Alignment::Center);
    let language = control(inside, &name, Part::Language, open, &pressed);
    let symbol = container(icon(Icon::Bandwidth)).center(TARGET);
    let limits = control(symbol, &bandwidth::name(context), Part::Bandwidth, open, &pressed).square(TARGET);
    row![Element::from(theme), Element::from(language), Element::from(limits)]
        .spacing(SPACE_S)
        .align_y(Alignment::Center)
        .into()
}

/// The field of a panel that opens the menu of the bandwidth.
pub(crate) fn bandwidth_field<'a, Message: Clone + 'a>(
    context: &Context,
    open: bool,
    pressed: Message,
) -> Element<'a, Message> {
    let (label, value) = (context.text("menu-bandwidth"), bandwidth::summary(context));
    select(Part::Bandwidth.anchor(), label, &value, open, pressed)
}

/// The control of a bar that opens both menus in one. It has no text.
pub(crate) fn button<'a, Message: Clone + 'a>(
    context: &Context,
    open: Option<Part>,
    pressed: impl Fn(Part) -> Message,
) -> Press<'a, Message> {
    let symbol = container(icon(Icon::Language)).center(TARGET);
    control(symbol, &context.text(Part::Both.name()), Part::Both, open, &pressed).square(TARGET)
}

fn control<'a, Message: Clone + 'a>(
    inside: impl Into<Element<'a, Message>>,
    name: &str,
    part: Part,
    open: Option<Part>,
    pressed: &impl Fn(Part) -> Message,
) -> Press<'a, Message> {
    press(inside, name, Some(pressed(part))).id(part.anchor()).look(Look::Quiet).expanded(open == Some(part))
}

/// The menu of `part`.
pub(crate) fn popup_menu<'a, Message: Clone + 'a>(
    part: Part,
    context: &Context,
    chosen: impl Fn(Preference) -> Message,
    on_close: Message,
) -> popup::Menu<'a, Message> {
    let lines: Column<'a, Message, _, _> = match part {
        Part::Language => column(languages(context, &chosen)),
        Part::Theme => column(themes(context, &chosen)),
        Part::Both => column![menu_heading(context.text("menu-language"))]
            .extend(languages(context, &chosen))
            .push(menu_heading(context.text("menu-theme")))
            .extend(themes(context, &chosen)),
        Part::Bandwidth => column(bandwidth::lines(context, &|change| chosen(Preference::Bandwidth(change)))),
    };
    popup::Menu { anchor: part.anchor().into(), label: context.text(part.name()), content: menu(lines), on_close }
}

fn languages<'a, Message: Clone + 'a>(
    context: &Context,
    chosen: &impl Fn(Preference) -> Message,
) -> Vec<Element<'a, Message>> {
    let line = |language: Language| {
        choice(&language.name(), language == context.language, chosen(Preference::Language(language)))
    };
    Language::ALL.map(line).into()
}

fn themes<'a, Message: Clone + 'a>(
    context: &Context,
    chosen: &impl Fn(Preference) -> Message,
) -> Vec<Element<'a, Message>> {
    let all = [
        (Choice::System, "theme-system"),
        (Choice::Dark, "theme-dark"),
        (Choice::Light, "theme-light"),
        (Choice::Contrast, "theme-contrast"),
        (Choice::ContrastLight, "theme-contrast-light"),
    ];
    let line = |(theme, id)| choice(&context.text(id), theme == context.theme, chosen(Preference::Theme(theme)));
    all.map(line).into()
}

const fn theme_icon(choice: Choice) -> Icon {
    match choice {
        Choice::System => Icon::System,
        Choice::Dark => Icon::Moon,
        Choice::Light => Icon::Sun,
        Choice::Contrast | Choice::ContrastLight => Icon::Contrast,
    }
}
