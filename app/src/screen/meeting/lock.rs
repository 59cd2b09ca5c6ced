//! The panel about the security of the meeting: the state of the encryption, and the words that verify it.

use accesskit::Role;
use engine::{KeyState, WordsLanguage};
use iced::widget::{Column, column, container, row, scrollable};
use iced::{Alignment, Length};

use super::{Meeting, Message, verify_view};
use crate::kit::{Element, Icon, heading, icon, press, region, text};
use crate::locale::Language;
use crate::model::LockState;
use crate::screen::Context;
use crate::theme::{self, ICON_LARGE, ICON_SMALL, Look, SPACE_L, SPACE_M, SPACE_S, SPACE_XS, TARGET_FORM, Tone};

/// The icon, the tone and the text id that show a state.
pub(super) fn appearance(state: LockState) -> (Icon, Tone, &'static str) {
    match state {
        LockState::Open => (Icon::LockOpen, Tone::Dim, "lock-open"),
        LockState::Closed => (Icon::Lock, Tone::Good, "lock-closed"),
        LockState::Verified => (Icon::LockVerified, Tone::Good, "lock-verified"),
        LockState::Attention => (Icon::LockAttention, Tone::Warn, "lock-attention"),
        LockState::Different => (Icon::LockAttention, Tone::Danger, "lock-different"),
        LockState::Forked => (Icon::LockAttention, Tone::Danger, "lock-forked"),
    }
}

/// The content of the panel.
pub(super) fn panel<'a>(screen: &Meeting, context: &Context) -> Element<'a, Message> {
    let state = screen.model.lock_state();
    let (symbol, tone, word) = appearance(state);
    let count = [("count", screen.model.people.len().into())];
    let explained = match state {
        LockState::Open => context.text("lock-open-text"),
        LockState::Closed => context.language.with("lock-closed-text", &count),
        LockState::Verified => context.text("lock-verified-text"),
        LockState::Attention => context.text("lock-attention-text"),
        LockState::Different => context.text("lock-different-text"),
        LockState::Forked => context.text("lock-forked-text"),
    };
    let symbol = container(icon(symbol).size(ICON_LARGE)).padding(SPACE_M).style(theme::tinted(tone));
    let explained = text::small(explained).style(text::tone(Tone::Dim)).width(Length::Fill);
    // What to do if the words differ is too long for the narrow column beside the symbol.
    let (beside, below) = if state == LockState::Different { (None, Some(explained)) } else { (Some(explained), None) };
    let words =
        column![heading(3, text::heading(context.text(word)))].push(beside).spacing(SPACE_XS).width(Length::Fill);
    let head = row![symbol, words].spacing(SPACE_M).align_y(Alignment::Center);
    let key_note = screen.model.temporary_key.then(|| {
        let symbol = icon(Icon::Info).size(ICON_SMALL).tone(Tone::Dim);
        let words = text::caption(context.text("lock-passing")).style(text::tone(Tone::Dim)).width(Length::Fill);
        row![symbol, words].spacing(SPACE_S)
    });
    let lock = screen.model.lock.as_ref();
    let (mut first, mut last) = (None, lock.and_then(|_| verify_view::phrases(screen, context)));
    if screen.model.verification.phrase.is_some() {
        // Somebody waits for the phrase: it is visible without scrolling.
        std::mem::swap(&mut first, &mut last);
    }
    let body = column![head]
        .push(below)
        .push(first)
        .push(lock.map(|_| verify_view::pictures(screen, context)))
        .push(lock.map(|lock| verification(lock, context)))
        .push(last)
        .push(key_note);
    let body = scrollable(container(body.spacing(SPACE_L)).padding([SPACE_XS, SPACE_L])).height(Length::Fill);
    // The buttons are below the list, so that they are visible in a small window.
    let foot = lock.map(|_| container(comparison(state, context)).padding(SPACE_L).width(Length::Fill));
    column![body].push(foot).into()
}

/// The verification words, how to use them, and the cipher suite.
///
/// The list of each language is shown, whatever the language of the window: the participants must read from the same list.
/// The list in the language of the user is first, because a low window shows the second one only after scrolling.
fn verification<'a>(lock: &KeyState, context: &Context) -> Element<'a, Message> {
    let small = |words| text::caption(words).style(text::tone(Tone::Dim));
    let epochs = context.language.with("lock-epoch", &[("count", lock.epoch.into())]);
    let suite = context.language.with("lock-suite", &[("suite", lock.suite.into())]);
    let mut languages = Language::ALL;
    languages.sort_by_key(|language| *language != context.language);
    let lists = languages.map(|language| words(lock, language, context));
    column![
        heading(3, text::strong(context.text("lock-words"))),
        text::small(context.text("lock-words-text")).style(text::tone(Tone::Dim)),
    ]
    .extend(lists)
    .push(column![small(epochs), small(suite)].spacing(SPACE_XS))
    .spacing(SPACE_M)
    .into()
}

/// The buttons for the result of the comparison, or the result.
fn comparison<'a>(state: LockState, context: &Context) -> Element<'a, Message> {
    let button = |id: &'static str, word: &str, message| {
        let button = press(text::strong(context.text(word)), "", Some(message)).id(id);
        Element::from(button.width(Length::Fill).height(TARGET_FORM))
    };
    match state {
        LockState::Verified => {
            let symbol = icon(Icon::Check).size(ICON_SMALL).tone(Tone::Good);
            let words = text::strong(context.text("lock-confirmed")).style(text::tone(Tone::Good));
            row![symbol, words].spacing(SPACE_S).align_y(Alignment::Center).into()
        }
        LockState::Different => {
            let leave = press(text::strong(context.text("meeting-leave-name")), "", Some(Message::LeavePressed));
            let leave = leave.id("leave-different").look(Look::Danger).width(Length::Fill).height(TARGET_FORM);
            let again = button("confirm-words", "lock-match-after-all", Message::WordsCompared(true));
            column![Element::from(leave), again].spacing(SPACE_S).into()
        }
        LockState::Open | LockState::Closed | LockState::Attention | LockState::Forked => row![
            button("confirm-words", "lock-confirm", Message::WordsCompared(true)),
            button("different-words", "lock-differ", Message::WordsCompared(false)),
        ]
        .spacing(SPACE_S)
        .into(),
    }
}

/// The words of one language, in two columns, numbered down each column in the order of reading.
fn words<'a>(lock: &KeyState, language: Language, context: &Context) -> Element<'a, Message> {
    let (list, id) = match language {
        Language::English => (WordsLanguage::English, "lock-words-english"),
        Language::French => (WordsLanguage::French, "lock-words-french"),
    };
    let words = lock.words.in_language(list);
    let half = words.len().div_ceil(2).max(1);
    let columns = words.chunks(half).enumerate().map(|(column, words)| {
        let lines = words.iter().enumerate().map(|(line, word)| {
            let number = container(text::caption((column * half + line + 1).to_string()).style(text::tone(Tone::Dim)));
            let line = row![number.width(NUMBER_WIDTH).align_x(Alignment::End), text::strong(*word)];
            region(Role::ListItem, "", line.spacing(SPACE_S).align_y(Alignment::Center))
        });
        Column::with_children(lines).width(Length::Fill).into()
    });
    let name = context.text(id);
    let head = text::caption(name.clone()).style(text::tone(Tone::Dim));
    let list = region(Role::List, &name, row(columns).spacing(SPACE_M));
    let inside = column![head, list].spacing(SPACE_S);
    container(inside).padding(SPACE_M).width(Length::Fill).style(theme::inset).into()
}

/// Width of two digits, in logical pixels.
const NUMBER_WIDTH: f32 = 18.0;
