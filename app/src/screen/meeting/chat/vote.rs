//! The vote of a line: its answers, what is known of the ballots, and who gets them.

use accesskit::Role;
use engine::Rights;
use engine::chat::{Line, Status, Vote, VoteOption};
use iced::widget::{Column, column, container, row, space};
use iced::{Alignment, Length};

use super::{Message, has};
use crate::kit::{Element, Icon, icon, press, region, text};
use crate::model::MeetingModel;
use crate::screen::Context;
use crate::theme::{self, ICON_SMALL, Look, SPACE_S, SPACE_XS, Tone};

/// Draws the answers and the state of the vote of a line.
pub(super) fn view<'a>(
    line: &'a Line,
    vote: &'a Vote,
    model: &MeetingModel,
    context: &Context,
) -> Element<'a, Message> {
    let may_choose = !vote.ended && line.status == Status::Sent && has(model, Rights::REACT);
    let options = vote.options.iter().zip(0_u8..).map(|(option, index)| {
        let mine = vote.mine == Some(index);
        let chosen = Message::ChoosePressed(line.id, index);
        if may_choose { choice(option, mine, chosen, context) } else { result(option, mine, context) }
    });
    let state = text::caption(state(line, vote, context)).style(text::tone(Tone::Dim)).width(Length::Fill);
    let end = (line.me && line.status == Status::Sent && !vote.ended).then(|| {
        let word = text::caption(context.text("vote-end"));
        let button = press(word, "", Some(Message::EndVotePressed(line.id))).padding([0.0, SPACE_S]);
        row![Element::from(button.id(format!("vote-end-{:x}", line.id.counter)))]
    });
    let options = region(Role::Group, &context.text("vote-options"), Column::with_children(options).spacing(SPACE_XS));
    column![options, state].push(end).spacing(SPACE_XS).into()
}

/// An answer that can be chosen. Another one can be chosen until the vote ends.
fn choice<'a>(option: &'a VoteOption, mine: bool, chosen: Message, context: &Context) -> Element<'a, Message> {
    let name = context.language.with("vote-choose", &[("option", option.text.as_str().into())]);
    let name = option.count.map_or(name.clone(), |count| format!("{name}, {}", counted(count, context)));
    let button = press(words(option, mine), &name, Some(chosen)).role(Role::RadioButton).toggled(mine);
    button.look(Look::Plain).width(Length::Fill).padding([SPACE_XS, SPACE_S]).into()
}

/// An answer of a vote that has ended, or in which the user has no vote.
fn result<'a>(option: &'a VoteOption, mine: bool, context: &Context) -> Element<'a, Message> {
    let count = option.count.map(|count| format!(", {}", counted(count, context))).unwrap_or_default();
    let inside = container(words(option, mine)).padding([SPACE_XS, SPACE_S]).width(Length::Fill).style(theme::inset);
    region(Role::ListItem, &format!("{}{count}", option.text.as_str()), inside)
}

fn words(option: &VoteOption, mine: bool) -> Element<'_, Message> {
    let mark: Element<'_, Message> =
        if mine { icon(Icon::Check).size(ICON_SMALL).into() } else { space().width(ICON_SMALL).into() };
    let count = option.count.map(|count| text::strong(count.to_string()));
    let line = row![mark, text::small(option.text.as_str()).width(Length::Fill)].push(count);
    let names = option.voters.iter().take(MAX_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    let names = if option.voters.len() > MAX_NAMES { format!("{names}…") } else { names };
    let names = (!names.is_empty()).then(|| text::caption(names).style(text::tone(Tone::Dim)).width(Length::Fill));
    column![line.spacing(SPACE_S).align_y(Alignment::Center)].push(names).into()
}

/// Who gets the ballots, and how many there are.
pub(super) fn state(line: &Line, vote: &Vote, context: &Context) -> String {
    let named = |id: &str| context.language.with(id, &[("name", line.name.as_str().into())]);
    let ballots = counted(vote.ballots, context);
    let kind = match (vote.secret, line.me) {
        (false, _) => context.text("vote-is-open"),
        (true, true) => context.text("vote-is-mine"),
        (true, false) => named("vote-is-secret"),
    };
    match (vote.ended, vote.secret) {
        (true, true) => [context.text("vote-ended"), ballots, named("vote-counted-by")].join(" · "),
        (true, false) => [context.text("vote-ended"), ballots].join(" · "),
        (false, true) if !line.me => kind,
        (false, _) => [ballots, kind].join(" · "),
    }
}

fn counted(count: u32, context: &Context) -> String {
    context.language.with("vote-count", &[("count", count.into())])
}

/// How many names are listed at one answer.
const MAX_NAMES: usize = 20;
