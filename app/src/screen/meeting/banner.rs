//! Banners above and below the stage.

use accesskit::Role;
use iced::widget::{column, container, row};
use iced::{Alignment, Length};

use super::{Meeting, Message};
use crate::kit::{Element, Icon, icon, press, region, text};
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
