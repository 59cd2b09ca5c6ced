//! Banners above and below the stage.

use accesskit::Role;
use iced::widget::{column, container, row};
use iced::{Alignment, Length};

use super::{Meeting, Message, Panel};
use crate::kit::{Element, Icon, icon, press, region, text};
use crate::model::verification::names;
use crate::screen::Context;
use crate::theme::{self, Look, SPACE_L, SPACE_M, SPACE_S, SPACE_XS, TARGET, Tone};

/// The banner while the user shares the screen: how many people see it, and a button to stop. It never fades.
pub(super) fn sharing<'a>(screen: &Meeting, context: &Context) -> Option<Element<'a, Message>> {
    if !screen.model.sharing {
        return None;
    }
    let title = context.text("meeting-sharing-you");
    let viewers = context.language.with("meeting-sharing-seen", &[("count", screen.model.viewers().into())]);
    let stop = press(text::strong(context.text("meeting-share-stop")), "", Some(Message::SharePressed));
    let stop = stop.id("share-stop").look(Look::Danger).height(TARGET);
    let words = row![text::strong(title.clone()), text::small(viewers)].spacing(SPACE_M).wrap();
    let line = row![icon(Icon::Share).tone(Tone::Accent), container(words).width(Length::Fill), Element::from(stop)];
    let line = line.spacing(SPACE_M).align_y(Alignment::Center);
    let line = container(line).padding([SPACE_XS + 2.0, SPACE_M]).width(Length::Fill).style(theme::sharing);
    Some(region(Role::Region, &title, line))
}

/// The banner while the connection is lost: what that means, and what the user can do. The stage keeps the last pictures.
pub(super) fn reconnecting<'a>(screen: &Meeting, context: &Context) -> Option<Element<'a, Message>> {
    if !screen.model.reconnecting {
        return None;
    }
    let title = context.text("meeting-reconnecting");
    let words = column![text::strong(title.clone()), text::small(context.text("meeting-reconnecting-text"))];
    let line = row![icon(Icon::Warning).tone(Tone::Warn), container(words).width(Length::Fill)];
    let line = container(line.spacing(SPACE_M).align_y(Alignment::Center)).padding([SPACE_S, SPACE_M]);
    Some(region(Role::Region, &title, line.width(Length::Fill).style(theme::card)))
}

/// The banner while others have other keys than we: who is on which side, and what the user can do. It never fades.
pub(super) fn forked<'a>(screen: &Meeting, context: &Context) -> Option<Element<'a, Message>> {
    let (agreement, people) = (&screen.model.verification.agreement, &screen.model.people);
    if agreement.differ.is_empty() {
        return None;
    }
    let name = |id, ids: &[_]| context.language.with(id, &[("name", names(ids, people).into())]);
    let title = name("notice-forked", &agreement.differ);
    let with =
        if agreement.agree.is_empty() { context.text("fork-alone") } else { name("fork-with", &agreement.agree) };
    let words = column![
        text::strong(title.clone()),
        text::small(with),
        text::small(context.text("notice-forked.advice")).style(text::tone(Tone::Dim)),
    ];
    let button = |id: &'static str, word: &str, message| {
        press(text::strong(context.text(word)), "", Some(message)).id(id).height(TARGET)
    };
    let compare = (screen.panel != Some(Panel::Lock))
        .then(|| Element::from(button("fork-compare", "fork-compare", Message::PanelPressed(Panel::Lock))));
    let leave = button("fork-leave", "meeting-leave-name", Message::LeavePressed).look(Look::Danger);
    let buttons = row![].push(compare).push(Element::from(leave)).spacing(SPACE_S);
    let line =
        row![icon(Icon::Warning).tone(Tone::Danger), container(words.spacing(SPACE_XS)).width(Length::Fill), buttons];
    let line = container(line.spacing(SPACE_M).align_y(Alignment::Center)).padding([SPACE_S, SPACE_M]);
    Some(region(Role::Region, &title, line.width(Length::Fill).style(theme::card)))
}

/// The banner below the stage: the space bar is held to talk, or there is no other participant.
pub(super) fn status<'a>(screen: &Meeting, context: &Context) -> Option<Element<'a, Message>> {
    let (symbol, tone, id) = if screen.talking {
        (Icon::Microphone, Tone::Good, "meeting-talk")
    } else if screen.model.people.len() == 1 {
        (Icon::Link, Tone::Accent, "meeting-alone")
    } else {
        return None;
    };
    let words = row![icon(symbol).tone(tone), text::small(context.text(id))];
    let line = container(words.spacing(SPACE_M).align_y(Alignment::Center)).padding([SPACE_S, SPACE_L]);
    Some(container(line.style(theme::card)).center_x(Length::Fill).into())
}
