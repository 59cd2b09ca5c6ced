//! The keyboard shortcuts as the user reads them: in tooltips, and in a dialog that lists them.

use accesskit::Role;
use iced::widget::{Column, column, container, row, scrollable, tooltip};
use iced::{Alignment, Length};

use super::Context;
use crate::kit::shortcut::KeyName;
use crate::kit::{Element, Icon, Press, Shortcut, heading, icon, modal, press, region, text};
use crate::locale::Language;
use crate::theme::{self, Look, SPACE_L, SPACE_M, SPACE_S, SPACE_XS, TARGET};

/// The dialog was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// The keys of a shortcut, such as "Ctrl+Shift+S".
pub(crate) fn keys(shortcut: Shortcut, language: Language) -> String {
    let name = |key: &KeyName| match key {
        KeyName::Command if cfg!(target_os = "macos") => language.text("key-command-macos"),
        KeyName::Command => language.text("key-command"),
        KeyName::Shift => language.text("key-shift"),
        KeyName::Alt => language.text("key-alt"),
        KeyName::Escape => language.text("key-escape"),
        KeyName::Space => language.text("key-space"),
        KeyName::Is(name) => (*name).to_owned(),
    };
    shortcut.keys().iter().map(name).collect::<Vec<_>>().join("+")
}

/// Adds a tooltip to a control: `words`, and its shortcut if it has one.
pub(crate) fn hint<'a, Message: Clone + 'a>(
    control: Press<'a, Message>,
    words: &str,
    shortcut: Option<Shortcut>,
    position: tooltip::Position,
    context: &Context,
) -> Element<'a, Message> {
    let keys = shortcut.map(|shortcut| keys(shortcut, context.language));
    let words = container(text::caption(hint_text(words, keys.as_deref(), context.language)))
        .padding([SPACE_XS, SPACE_S])
        .style(theme::menu);
    tooltip(Element::from(control.shortcut(keys)), words, position).gap(SPACE_XS).into()
}

/// The text of a tooltip.
fn hint_text(words: &str, keys: Option<&str>, language: Language) -> String {
    keys.map_or_else(
        || words.to_owned(),
        |keys| language.with("hint", &[("words", words.into()), ("keys", keys.into())]),
    )
}

/// The dialog with all shortcuts.
pub(crate) fn dialog<'a>(context: &Context) -> modal::Dialog<'a, Closed> {
    let label = context.text("shortcuts-title");
    let close = press(container(icon(Icon::Close)).center(TARGET), &context.text("action-close"), Some(Closed));
    let close = close.id("shortcuts-close").look(Look::Quiet).square(TARGET);
    let title = container(heading(1, text::title(label.clone()))).width(Length::Fill);
    let head = row![title, Element::from(close)].align_y(Alignment::Center);
    let lines = LIST.map(|(shortcut, id)| line(&context.text(id), &keys(shortcut, context.language)));
    let next_part = line(&context.text("shortcut-region"), "F6");
    let lines = lines.into_iter().chain([next_part]);
    let list = region(Role::List, &label, Column::with_children(lines).spacing(SPACE_XS));
    // In a small window the list scrolls, so that the button stays visible.
    let max_height = (context.size.height - OTHER_PARTS).max(MIN_LIST_HEIGHT);
    let list =
        container(scrollable(container(list).padding(iced::Padding::ZERO.right(SPACE_L)))).max_height(max_height);
    let inside = column![head, list].spacing(SPACE_M);
    let inside = container(inside).padding([SPACE_L, SPACE_L]).width(Length::Fill).style(theme::dialog);
    modal::Dialog { label, content: inside.into(), width: WIDTH, on_close: Closed }
}

/// What a shortcut does, and its keys.
fn line<'a, Message: 'a>(words: &str, keys: &str) -> Element<'a, Message> {
    let badge = container(text::strong(keys.to_owned())).padding([2.0, SPACE_S]).style(theme::inset);
    let inside = row![text::small(words.to_owned()).width(Length::Fill), badge].spacing(SPACE_M);
    region(Role::ListItem, &format!("{words}, {keys}"), inside.align_y(Alignment::Center))
}

/// The shortcuts and the text ids of what they do. F6, which moves the focus, is in the dialog too.
const LIST: [(Shortcut, &str); 13] = [
    (Shortcut::Mute, "shortcut-mute"),
    (Shortcut::PushToTalk(true), "shortcut-talk"),
    (Shortcut::Camera, "shortcut-camera"),
    (Shortcut::Share, "shortcut-share"),
    (Shortcut::People, "shortcut-people"),
    (Shortcut::Chat, "shortcut-chat"),
    (Shortcut::Statistics, "shortcut-statistics"),
    (Shortcut::Hand, "shortcut-hand"),
    (Shortcut::StopEverything, "stop-everything"),
    (Shortcut::FullScreen, "meeting-full-screen"),
    (Shortcut::Leave, "meeting-leave-name"),
    (Shortcut::Close, "shortcut-close"),
    (Shortcut::List, "shortcut-list"),
];
/// The maximum width of the dialog, in logical pixels.
const WIDTH: f32 = 480.0;
/// The height of the other parts of the dialog, and of the space around it, in logical pixels.
const OTHER_PARTS: f32 = 96.0;
/// The minimum height of the list, in logical pixels.
const MIN_LIST_HEIGHT: f32 = 120.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(target_os = "macos"))]
    fn tooltips_name_the_shortcut_with_the_keys_of_the_language() {
        for (language, share, talk) in [
            (Language::English, "Share screen (Ctrl+Shift+S)", "Space bar"),
            (Language::French, "Partager l’écran (Ctrl+Maj+S)", "Barre d’espace"),
        ] {
            let keys_of_share = keys(Shortcut::Share, language);
            assert_eq!(hint_text(&language.text("meeting-share"), Some(&keys_of_share), language), share);
            assert_eq!(keys(Shortcut::PushToTalk(true), language), talk);
        }
        assert_eq!(hint_text("Copy link", None, Language::English), "Copy link");
    }
}
