//! Who the people are, as far as this device knows: on the tiles, in the list of participants, and for those who ask to join.

use std::sync::Arc;

use engine::Person;
use iced::Length;
use iced::widget::{Column, column};

use super::{Message, Panel, accept_device};
use crate::kit::{Element, Icon, icon, press, text};
use crate::model::identity::refusal_text;
use crate::model::{Badge, MeetingModel};
use crate::screen::Context;
use crate::theme::{ICON_SMALL, Look, SPACE_XS, TARGET, Tone};

/// The badge before the name on a tile. A warning about the name takes precedence.
pub(super) fn mark(person: &Person, meeting: &MeetingModel) -> Option<render::Mark> {
    let badge = meeting.identities.badge(person.id).map(Badge::mark);
    meeting.name_marks.get(&person.id).map(|_| render::Mark::Warning).or(badge)
}

/// What is known of who the person is, and why a certificate does not count.
pub(super) fn sentence(person: &Person, meeting: &MeetingModel, context: &Context) -> Option<String> {
    let badge = meeting.identities.badge(person.id)?.sentence(&person.name, context.language);
    Some(std::iter::once(badge).chain(refusal(person, meeting, context)).collect::<Vec<_>>().join(", "))
}

/// Why the certificate of the person does not count.
pub(super) fn refusal(person: &Person, meeting: &MeetingModel, context: &Context) -> Option<String> {
    meeting.identities.refusal(person.id).map(|refusal| context.text(refusal_text(refusal)))
}

/// The label on the tile of a person who comes with another device.
pub(super) fn note(person: &Person, meeting: &MeetingModel, context: &Context) -> Option<Arc<str>> {
    let alarm = meeting.identities.badge(person.id).filter(|badge| badge.is_alarm());
    alarm.map(|_| context.text("identity-note").into())
}

/// The sign before a name in the list.
pub(super) fn sign<'a>(person: &Person, meeting: &MeetingModel) -> Option<Element<'a, Message>> {
    let (symbol, tone) = match mark(person, meeting)? {
        render::Mark::Warning => (Icon::Warning, Tone::Warn),
        render::Mark::Verified => (Icon::Verified, Tone::Good),
        render::Mark::Known => (Icon::Check, Tone::Dim),
        render::Mark::New => (Icon::New, Tone::Dim),
    };
    Some(icon(symbol).size(ICON_SMALL).tone(tone).into())
}

/// What is known of who the person is, below a name in the list; `None` if there is nothing to say. An alarm has lines of its own.
pub(super) fn badge<'a>(person: &Person, meeting: &MeetingModel, context: &Context) -> Option<Element<'a, Message>> {
    let badge = meeting.identities.badge(person.id)?;
    let sentence = (!badge.is_alarm()).then(|| badge.sentence(&person.name, context.language));
    let words: Vec<_> = sentence.into_iter().chain(refusal(person, meeting, context)).collect();
    if words.is_empty() {
        return None;
    }
    let lines =
        words.into_iter().map(|line| text::caption(line).style(text::tone(Tone::Dim)).width(Length::Fill).into());
    Some(Column::with_children(lines).into())
}

/// The alarm below a name in the list, with what the user can do; `None` if there is no alarm.
pub(super) fn alarm<'a>(person: &Person, meeting: &MeetingModel, context: &Context) -> Option<Element<'a, Message>> {
    let badge = meeting.identities.badge(person.id).filter(|badge| badge.is_alarm())?;
    let named = |id| context.language.with(id, &[("name", person.name.as_str().into())]);
    let words = text::caption(badge.sentence(&person.name, context.language)).style(text::tone(Tone::Danger));
    let advice = text::caption(named("identity-advice")).style(text::tone(Tone::Dim));
    let label = named("identity-compare-name");
    let compare =
        press(text::small(context.text("identity-compare")), &label, Some(Message::PanelPressed(Panel::Lock)));
    let compare =
        compare.id(format!("compare-{:016x}", person.id.0)).look(Look::Plain).width(Length::Fill).height(TARGET);
    let accept = accept_device::button(person.id, &person.name, context, Message::DeviceAccepted(person.id));
    let words = column![words.width(Length::Fill), advice.width(Length::Fill), Element::from(compare), accept];
    Some(words.spacing(SPACE_XS).into())
}
