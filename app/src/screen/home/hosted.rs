//! The card of the meeting that goes on while the user is at home.

use accesskit::Role;
use iced::widget::{column, container, row};
use iced::{Alignment, Length};

use crate::kit::{Element, Icon, heading, icon, press, region, text};
use crate::model::Asker;
use crate::screen::Context;
use crate::screen::asking::{self, Answer};
use crate::theme::{self, ICON_LARGE, Look, SPACE_L, SPACE_M, SPACE_S, SPACE_XS, TARGET_FORM, Tone};

/// A meeting of the user that goes on while the user is at home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hosted {
    /// The organiser stays in it without picture and sound.
    Background {
        /// How many others are in it.
        others: usize,
        /// Who asks to join, and whom no rule lets in.
        asking: Vec<Asker>,
    },
    /// The organiser has left it. Its server runs on this computer.
    LeftHere,
    /// The organiser has left it. Its server runs elsewhere.
    LeftElsewhere,
}

/// User input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// "Return" was pressed.
    ReturnPressed,
    /// "End for everyone", "End the meeting" or "Don't return" was pressed.
    EndPressed,
    /// Somebody who asks to join was answered.
    Answered(Answer),
}

/// The card.
pub(super) fn card<'a>(hosted: &'a Hosted, context: &Context) -> Element<'a, Message> {
    let (title, words, asking) = match hosted {
        Hosted::Background { others, asking } => {
            let words = context.language.with("hosted-background-text", &[("count", (*others).into())]);
            ("hosted-background", words, asking::list(asking, context, Message::Answered, None))
        }
        Hosted::LeftHere => ("hosted-left", context.text("hosted-left-here-text"), None),
        Hosted::LeftElsewhere => ("hosted-left", context.text("hosted-left-elsewhere-text"), None),
    };
    let title = context.text(title);
    let symbol = container(icon(Icon::People).size(ICON_LARGE)).padding(SPACE_M - 2.0).style(theme::tinted(Tone::Good));
    let words = column![heading(2, text::heading(title.clone())), text::small(words).style(text::tone(Tone::Dim))];
    let head = row![symbol, words.spacing(SPACE_XS).width(Length::Fill)].spacing(SPACE_L).align_y(Alignment::Center);
    let back = press(text::strong(context.text("hosted-return")), "", Some(Message::ReturnPressed));
    let end = press(text::strong(context.text(end_word(hosted))), "", Some(Message::EndPressed));
    let buttons = row![
        Element::from(back.id("return").look(Look::Primary).height(TARGET_FORM)),
        Element::from(end.id("end").look(end_look(hosted)).height(TARGET_FORM)),
    ];
    let inside = column![head].push(asking).push(buttons.spacing(SPACE_S + SPACE_XS)).spacing(SPACE_L);
    let inside = container(inside).width(Length::Fill).padding(SPACE_L + SPACE_XS).style(theme::card);
    region(Role::Region, &title, inside)
}

/// A meeting elsewhere cannot be ended from here, only forgotten.
const fn end_word(hosted: &Hosted) -> &'static str {
    match hosted {
        Hosted::Background { others: 0, .. } => "leave-end-alone",
        Hosted::Background { .. } | Hosted::LeftHere => "leave-end",
        Hosted::LeftElsewhere => "hosted-forget",
    }
}

const fn end_look(hosted: &Hosted) -> Look {
    match hosted {
        Hosted::Background { .. } | Hosted::LeftHere => Look::Danger,
        Hosted::LeftElsewhere => Look::Plain,
    }
}
