//! People who ask to join and whom no rule lets in: their names, what is known of them, and the organiser's answers. Shown in the
//! meeting while the panel with the participants is closed, and on the home screen if the meeting runs in the background.

use accesskit::Role;
use engine::ParticipantId;
use iced::widget::{Column, column, container, row};
use iced::{Alignment, Length};

use super::Context;
use crate::kit::{Element, Icon, elided, icon, press, region, text};
use crate::model::Asker;
use crate::theme::{self, Look, SPACE_M, SPACE_S, SPACE_XS, TARGET, Tone};

/// The organiser's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Who asked.
    pub id: ParticipantId,
    /// Whether the person may join.
    pub admit: bool,
}

/// The list of those who ask, oldest first; `None` if nobody asks. A stranger can ask many times, so only the first are shown. `reply`
/// is the message of the button that offers other answers; `None` if there is no such button.
pub(crate) fn list<'a, Message: Clone + 'a>(
    asking: &'a [Asker],
    context: &Context,
    answered: impl Fn(Answer) -> Message,
    reply: Option<fn(ParticipantId) -> Message>,
) -> Option<Element<'a, Message>> {
    if asking.is_empty() {
        return None;
    }
    let lines = asking.iter().take(MAX_SHOWN).map(|asker| line(asker, context, &answered, reply));
    let lines = region(Role::List, &context.text("asking-title"), Column::with_children(lines).spacing(SPACE_S));
    let hint = text::caption(context.text("asking-text")).style(text::tone(Tone::Dim));
    let inside = column![lines].push(more(asking.len(), MAX_SHOWN, context)).push(hint).spacing(SPACE_XS);
    let inside = container(inside).padding([SPACE_S, SPACE_M]).width(Length::Fill).style(theme::sharing);
    Some(region(Role::Region, &context.text("asking-title"), inside))
}

/// The line that says how many of `count` people are not shown; `None` if all are.
pub(crate) fn more<'a, Message: 'a>(count: usize, shown: usize, context: &Context) -> Option<Element<'a, Message>> {
    let more = count.saturating_sub(shown);
    let words = (more > 0).then(|| context.language.with("asking-more", &[("count", more.into())]))?;
    Some(text::caption(words).style(text::tone(Tone::Dim)).into())
}

fn line<'a, Message: Clone + 'a>(
    asker: &'a Asker,
    context: &Context,
    answered: &impl Fn(Answer) -> Message,
    reply: Option<fn(ParticipantId) -> Message>,
) -> Element<'a, Message> {
    let named = |id| context.language.with(id, &[("name", asker.name.as_str().into())]);
    let button = |admit, word, name, look| {
        let answer = Answer { id: asker.id, admit };
        let button = press(text::strong(context.text(word)), &named(name), Some(answered(answer)));
        button.id(format!("{word}-{:016x}", asker.id.0)).look(look).height(TARGET)
    };
    let sentence = named("asking-name");
    let evidence = asker.evidence(context.language, context.now);
    let mark = asker.mark.map(|mark| context.text(mark.text()));
    let alarm = asker.alarm(context.language);
    let symbol = if mark.is_some() || alarm.is_some() {
        icon(Icon::Warning).tone(Tone::Warn)
    } else {
        icon(Icon::People).tone(Tone::Accent)
    };
    let words = column![
        Element::from(elided(sentence.clone()).strong()),
        Element::from(elided(evidence.clone()).caption().tone(Tone::Dim))
    ]
    .push(mark.clone().map(|mark| text::caption(mark).style(text::tone(Tone::Warn))))
    .push(alarm.clone().map(|alarm| text::caption(alarm).style(text::tone(Tone::Danger))));
    let reply = reply.map(|reply| {
        let button =
            press(text::strong(context.text("asking-reply")), &named("asking-reply-name"), Some(reply(asker.id)));
        Element::from(button.id(format!("asking-reply-{:016x}", asker.id.0)).look(Look::Quiet).height(TARGET))
    });
    let line = row![symbol, words.width(Length::Fill)].push(reply).extend([
        Element::from(button(false, "asking-decline", "asking-decline-name", Look::Plain)),
        Element::from(button(true, "asking-admit", "asking-admit-name", Look::Primary)),
    ]);
    let label = [sentence, evidence].into_iter().chain(mark).chain(alarm).collect::<Vec<_>>().join(", ");
    region(Role::ListItem, &label, line.spacing(SPACE_M).align_y(Alignment::Center))
}

/// The maximum number of people who are shown.
const MAX_SHOWN: usize = 3;
