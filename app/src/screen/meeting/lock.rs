//! The panel about the security of the meeting: the state of the encryption, and the words that verify it.

use accesskit::Role;
use engine::{KeyState, WordsLanguage};
use iced::widget::{Column, column, container, row, scrollable};
use iced::{Alignment, Length};

use super::{Meeting, Message};
use crate::kit::{Element, Icon, icon, press, region, text};
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
    };
    let symbol = container(icon(symbol).size(ICON_LARGE)).padding(SPACE_M).style(theme::tinted(tone));
    let words = column![text::heading(context.text(word)), text::small(explained).style(text::tone(Tone::Dim))];
    let head = row![symbol, words.spacing(SPACE_XS).width(Length::Fill)].spacing(SPACE_M);
    let key_note = screen.model.temporary_key.then(|| {
        let symbol = icon(Icon::Info).size(ICON_SMALL).tone(Tone::Dim);
        let words = text::caption(context.text("lock-passing")).style(text::tone(Tone::Dim)).width(Length::Fill);
        row![symbol, words].spacing(SPACE_S)
    });
    let body =
        column![head].push(screen.model.lock.as_ref().map(|lock| verification(lock, state, context))).push(key_note);
    scrollable(container(body.spacing(SPACE_L)).padding([SPACE_XS, SPACE_L])).height(Length::Fill).into()
}

/// The verification words, how to use them, and the cipher suite.
fn verification<'a>(lock: &KeyState, state: LockState, context: &Context) -> Element<'a, Message> {
    let confirmed = state == LockState::Verified;
    let button: Element<'_, Message> = if confirmed {
        let symbol = icon(Icon::Check).size(ICON_SMALL).tone(Tone::Good);
        let words = text::strong(context.text("lock-confirmed")).style(text::tone(Tone::Good));
        row![symbol, words].spacing(SPACE_S).align_y(Alignment::Center).into()
    } else {
        press(text::strong(context.text("lock-confirm")), "", Some(Message::WordsConfirmed))
            .id("confirm-words")
            .look(Look::Plain)
            .width(Length::Fill)
            .height(TARGET_FORM)
            .into()
    };
    let epochs = context.language.with("lock-epoch", &[("count", lock.epoch.into())]);
    let suite = context.language.with("lock-suite", &[("suite", lock.suite.into())]);
    let small = |words| text::caption(words).style(text::tone(Tone::Dim));
    column![
        text::strong(context.text("lock-words")),
        words(&lock.words.in_language(words_language(context.language)), context),
        text::small(context.text("lock-words-text")).style(text::tone(Tone::Dim)),
        button,
        column![small(epochs), small(suite)].spacing(SPACE_XS),
    ]
    .spacing(SPACE_M)
    .into()
}

/// The words in two columns, numbered down each column in the order of reading.
fn words<'a>(words: &[&'static str], context: &Context) -> Element<'a, Message> {
    let half = words.len().div_ceil(2).max(1);
    let columns = words.chunks(half).enumerate().map(|(column, words)| {
        let lines = words.iter().enumerate().map(|(line, word)| {
            let number = container(text::caption((column * half + line + 1).to_string()).style(text::tone(Tone::Dim)));
            row![number.width(NUMBER_WIDTH).align_x(Alignment::End), text::strong(*word)]
                .spacing(SPACE_S)
                .align_y(Alignment::Center)
                .into()
        });
        Column::with_children(lines).spacing(SPACE_XS).width(Length::Fill).into()
    });
    let frame = container(row(columns).spacing(SPACE_M)).padding(SPACE_M).width(Length::Fill).style(theme::inset);
    region(Role::Group, &context.text("lock-words"), frame)
}

const fn words_language(language: Language) -> WordsLanguage {
    match language {
        Language::English => WordsLanguage::English,
        Language::French => WordsLanguage::French,
    }
}

/// Width of two digits, in logical pixels.
const NUMBER_WIDTH: f32 = 18.0;
