//! The parts of the security panel in which people compare pictures, and ask each other to read a phrase aloud.

use accesskit::Role;
use engine::verification::{EmojiCheck, EmojiFailure, PhraseCheck};
use engine::{Emoji, ParticipantId, Phrase, WordsLanguage};
use iced::widget::{Column, column, container, row};
use iced::{Alignment, Length};

use super::verify::Message;
use super::{Meeting, Message as Input};
use crate::kit::{Element, Icon, elided, emoji_name, heading, icon, press, region, text};
use crate::locale::Language;
use crate::model::verification::names;
use crate::screen::Context;
use crate::theme::{self, ICON_LARGE, ICON_SMALL, SPACE_L, SPACE_M, SPACE_S, SPACE_XS, TARGET, TARGET_FORM, Tone};

/// The pictures, and how to compare them.
pub(super) fn pictures<'a>(screen: &Meeting, context: &Context) -> Element<'a, Input> {
    let (state, people) = (screen.model.verification.emoji.as_ref(), &screen.model.people);
    let named = |id: &str, ids: &[ParticipantId]| context.language.with(id, &[("name", names(ids, people).into())]);
    let (words, tone) = match state {
        None => (context.text("pictures-text"), Tone::Dim),
        Some(EmojiCheck::Outdated) => (context.text("pictures-outdated"), Tone::Warn),
        Some(EmojiCheck::Running { waiting, .. }) => (named("pictures-waiting", waiting), Tone::Dim),
        Some(EmojiCheck::Done { participants, .. }) if participants.len() < people.len() => {
            (named("pictures-done-with", participants), Tone::Dim)
        }
        Some(EmojiCheck::Done { .. }) => (context.text("pictures-done"), Tone::Dim),
        Some(EmojiCheck::Failed(why)) => (failure(why, &named, context), Tone::Warn),
    };
    let drawn = match state {
        Some(EmojiCheck::Done { emoji, .. }) => Some(list(*emoji, context)),
        Some(EmojiCheck::Running { .. } | EmojiCheck::Failed(_) | EmojiCheck::Outdated) | None => None,
    };
    let running = matches!(state, Some(EmojiCheck::Running { .. }));
    let again = if state.is_some() { "pictures-again" } else { "pictures-compare" };
    let message = (people.len() > 1 && !running).then_some(Input::Verify(Message::ComparePressed));
    let button = press(text::strong(context.text(again)), "", message).id("compare-pictures");
    let button = button.width(Length::Fill).height(TARGET_FORM);
    column![heading(3, text::strong(context.text("pictures-title"))), text::small(words).style(text::tone(tone))]
        .push(drawn)
        .push(Element::from(button))
        .spacing(SPACE_M)
        .into()
}

fn failure(why: &EmojiFailure, named: &dyn Fn(&str, &[ParticipantId]) -> String, context: &Context) -> String {
    match why {
        EmojiFailure::Silent(who) => named("pictures-silent", who),
        EmojiFailure::Wrong(who) => named("pictures-wrong", &[*who]),
        EmojiFailure::KeysChanged => context.text("pictures-keys-changed"),
        EmojiFailure::TooMany => {
            let most = engine::verification::MAX_PARTICIPANTS;
            context.language.with("pictures-too-many", &[("count", most.into())])
        }
        EmojiFailure::Alone => context.text("pictures-alone"),
        EmojiFailure::TooSoon => context.text("pictures-too-soon"),
    }
}

/// The five pictures with their names, one below the other in the order of reading.
fn list<'a>(emoji: Emoji, context: &Context) -> Element<'a, Input> {
    let lines = emoji.0.iter().enumerate().map(|(index, number)| {
        let name = context.text(emoji_name(*number));
        let place = text::caption((index + 1).to_string()).style(text::tone(Tone::Dim));
        let drawing = icon(Icon::Emoji(*number)).size(ICON_LARGE);
        let line = row![container(place).width(SPACE_L).align_x(Alignment::End), drawing, text::strong(name.clone())];
        region(Role::ListItem, &name, line.spacing(SPACE_M).align_y(Alignment::Center))
    });
    let list = Column::with_children(lines).spacing(SPACE_S);
    let list = region(Role::List, &context.text("pictures-title"), list);
    container(list).padding(SPACE_M).width(Length::Fill).style(theme::inset).into()
}

/// The spoken challenge: whom to ask, and what is to be read. `None` if nobody else is in the meeting.
pub(super) fn phrases<'a>(screen: &Meeting, context: &Context) -> Option<Element<'a, Input>> {
    let others: Vec<_> = screen.model.people.iter().filter(|person| !person.me).collect();
    if others.is_empty() {
        return None;
    }
    let people = &screen.model.people;
    let title = context.text("phrase-title");
    let head = heading(3, text::strong(title.clone()));
    let named = |id: &str, who| context.language.with(id, &[("name", names(&[who], people).into())]);
    let small = |words: String, tone| text::small(words).style(text::tone(tone));
    let button = |id: &'static str, word: &str, message| {
        let button = press(text::strong(context.text(word)), "", Some(Input::Verify(message))).id(id);
        Element::from(button.width(Length::Fill).height(TARGET_FORM))
    };
    let now: Option<Element<'a, Input>> = match screen.model.verification.phrase {
        Some(PhraseCheck::Asked(who)) => Some(small(named("phrase-asked", who), Tone::Dim).into()),
        Some(PhraseCheck::Failed(who)) => Some(small(named("phrase-failed", who), Tone::Warn).into()),
        Some(PhraseCheck::Listen { who, phrase }) => {
            let buttons = row![
                button("phrase-heard", "phrase-heard", Message::Heard(true)),
                button("phrase-not-heard", "phrase-not-heard", Message::Heard(false))
            ];
            let parts = column![small(named("phrase-listen", who), Tone::Dim), words(phrase, context)];
            Some(parts.push(buttons.spacing(SPACE_S)).spacing(SPACE_S).into())
        }
        Some(PhraseCheck::Read { by, phrase }) => {
            let done = button("phrase-done", "phrase-done", Message::Closed);
            let parts = column![text::strong(named("phrase-read", by)), words(phrase, context), done];
            Some(parts.spacing(SPACE_S).into())
        }
        None => None,
    };
    let lines = others.into_iter().map(|person| {
        let name = context.language.with("phrase-ask-name", &[("name", person.name.as_str().into())]);
        let ask =
            press(text::small(context.text("phrase-ask")), &name, Some(Input::Verify(Message::AskPressed(person.id))));
        let ask = ask.id(format!("phrase-{:016x}", person.id.0)).height(TARGET);
        let line = row![Element::from(elided(person.name.clone()).width(Length::Fill))];
        let line = line.push(badge(screen, person.id)).push(Element::from(ask));
        region(Role::ListItem, &person.name, line.spacing(SPACE_S).align_y(Alignment::Center))
    });
    let list = region(Role::List, &title, Column::with_children(lines).spacing(SPACE_XS));
    let explained = small(context.text("phrase-text"), Tone::Dim);
    Some(column![head, explained].push(now).push(list).spacing(SPACE_M).into())
}

/// A phrase in both languages: the two people may have another language each.
fn words<'a>(phrase: Phrase, context: &Context) -> Element<'a, Input> {
    let mut languages = Language::ALL;
    languages.sort_by_key(|language| *language != context.language);
    let lines = languages.map(|language| {
        let (list, id) = match language {
            Language::English => (WordsLanguage::English, "lock-words-english"),
            Language::French => (WordsLanguage::French, "lock-words-french"),
        };
        let head = text::caption(context.text(id)).style(text::tone(Tone::Dim));
        column![head, text::strong(phrase.in_language(list).join(" "))].into()
    });
    let inside = Column::with_children(lines).spacing(SPACE_S);
    container(inside).padding(SPACE_M).width(Length::Fill).style(theme::inset).into()
}

/// A sign beside a name whose phrase we have heard, or not.
pub(super) fn badge<'a>(screen: &Meeting, id: ParticipantId) -> Option<Element<'a, Input>> {
    let heard = *screen.model.verification.heard.get(&id)?;
    let (symbol, tone) = if heard { (Icon::Check, Tone::Good) } else { (Icon::Warning, Tone::Warn) };
    Some(icon(symbol).size(ICON_SMALL).tone(tone).into())
}

/// The text id of that sign, for assistive tools.
pub(super) fn badge_text(screen: &Meeting, id: ParticipantId) -> Option<&'static str> {
    let heard = *screen.model.verification.heard.get(&id)?;
    Some(if heard { "phrase-was-heard" } else { "phrase-was-not-heard" })
}
