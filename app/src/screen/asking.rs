//! People who ask to join with an old link: their names, and the organiser's answers. Shown in the meeting, and on the home
//! screen if the meeting runs in the background.

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

/// The list of those who ask, oldest first; `None` if nobody asks. A stranger can ask many times, so only the first are shown.
pub(crate) fn list<'a, Message: Clone + 'a>(
    asking: &'a [Asker],
    context: &Context,
    answered: impl Fn(Answer) -> Message,
) -> Option<Element<'a, Message>> {
    if asking.is_empty() {
        return None;
    }
    let lines = asking.iter().take(MAX_SHOWN).map(|asker| line(asker, context, &answered));
    let more = asking.len().saturating_sub(MAX_SHOWN);
    let more = (more > 0).then(|| context.language.with("asking-more", &[("count", more.into())]));
    let more = more.map(|more| text::caption(more).style(text::tone(Tone::Dim)));
    let lines = region(Role::List, &context.text("asking-title"), Column::with_children(lines).spacing(SPACE_S));
    let hint = text::caption(context.text("asking-text")).style(text::tone(Tone::Dim));
    let inside = column![lines].push(more).push(hint).spacing(SPACE_XS);
    let inside = container(inside).padding([SPACE_S, SPACE_M]).width(Length::Fill).style(theme::sharing);
    Some(region(Role::Region, &context.text("asking-title"), inside))
}

fn line<'a, Message: Clone + 'a>(
    asker: &Asker,
    context: &Context,
    answered: &impl Fn(Answer) -> Message,
) -> Element<'a, Message> {
    let named = |id| context.language.with(id, &[("name", asker.name.as_str().into())]);
    let button = |admit, word, name, look| {
        let answer = Answer { id: asker.id, admit };
        let button = press(text::strong(context.text(word)), &named(name), Some(answered(answer)));
        button.id(format!("{word}-{:016x}", asker.id.0)).look(look).height(TARGET)
    };
    let sentence = named("asking-name");
    let mark = asker.mark.map(|mark| context.text(mark.text()));
    let symbol =
        if mark.is_some() { icon(Icon::Warning).tone(Tone::Warn) } else { icon(Icon::People).tone(Tone::Accent) };
    let words = column![Element::from(elided(sentence.clone()).strong())]
        .push(mark.clone().map(|mark| text::caption(mark).style(text::tone(Tone::Warn))));
    let line = row![
        symbol,
        words.width(Length::Fill),
        Element::from(button(false, "asking-decline", "asking-decline-name", Look::Plain)),
        Element::from(button(true, "asking-admit", "asking-admit-name", Look::Primary)),
    ];
    let label = std::iter::once(sentence).chain(mark).collect::<Vec<_>>().join(", ");
    region(Role::ListItem, &label, line.spacing(SPACE_M).align_y(Alignment::Center))
}

/// The maximum number of people who are shown.
const MAX_SHOWN: usize = 3;
