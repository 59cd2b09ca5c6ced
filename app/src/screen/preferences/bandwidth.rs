//! The menu that limits the bandwidth.

use accesskit::Role;
use iced::widget::{row, space};
use iced::{Alignment, Length};

use crate::kit::{Element, Icon, elided, icon, press, text};
use crate::model::bandwidth::{Change, Choice, Direction, FIGURES, kbps};
use crate::model::number;
use crate::screen::{Context, check, choice, menu_heading};
use crate::theme::{ICON_SMALL, Look, SPACE_S, SPACE_XS};

/// The lines of the menu.
pub(super) fn lines<'a, Message: Clone + 'a>(
    context: &Context,
    change: &impl Fn(Change) -> Message,
) -> Vec<Element<'a, Message>> {
    let settings = context.bandwidth;
    let toggle = |id, on, message| Element::from(check(&context.text(id), Role::MenuItemCheckBox, on, message));
    let mut lines = vec![
        toggle(
            "bandwidth-save-data",
            settings.choices.save_data,
            change(Change::SaveData(!settings.choices.save_data)),
        ),
        toggle(
            "bandwidth-incoming-off",
            settings.incoming_video_off,
            change(Change::IncomingVideoOff(!settings.incoming_video_off)),
        ),
    ];
    for direction in [Direction::Send, Direction::Receive] {
        lines.extend(figures(direction, context, change));
    }
    if let Some(metered) = settings.metered {
        lines.push(menu_heading(context.text("bandwidth-network")));
        lines.push(toggle("bandwidth-metered", metered, change(Change::Metered(!metered))));
    }
    if settings.knows_networks {
        let label = context.text("bandwidth-forget");
        let line = row![space().width(ICON_SMALL), Element::from(elided(&label).width(Length::Fill))].spacing(SPACE_S);
        let forget = press(line, &label, Some(change(Change::ForgetNetworks)));
        let forget = forget.role(Role::MenuItem).look(Look::Item).width(Length::Fill).padding([SPACE_XS, SPACE_S]);
        lines.push(forget.into());
    }
    lines
}

/// The figures for one direction, or the one that the organisation has set.
fn figures<'a, Message: Clone + 'a>(
    direction: Direction,
    context: &Context,
    change: &impl Fn(Change) -> Message,
) -> Vec<Element<'a, Message>> {
    let heading = match direction {
        Direction::Send => "bandwidth-send",
        Direction::Receive => "bandwidth-receive",
    };
    let mut lines = vec![menu_heading(context.text(heading))];
    if let Some(policy) = context.bandwidth.policy_of(direction) {
        let rate = number::bitrate(kbps(policy).into(), context.language);
        lines.push(locked(&context.language.with("bandwidth-policy", &[("rate", rate.into())])));
        return lines;
    }
    let current = context.bandwidth.chosen(direction);
    let unlimited = context.text("bandwidth-unlimited");
    lines.push(choice(&unlimited, current.is_none(), change(Change::Limit(direction, Choice::Unlimited))));
    // A figure of the command line or of the administrator may be another one.
    let mut offered: Vec<u32> = FIGURES.into_iter().chain(current).collect();
    offered.sort_unstable();
    offered.dedup();
    lines.extend(offered.into_iter().map(|figure| {
        let message = change(Change::Limit(direction, Choice::Kbps(figure)));
        choice(&number::bitrate(figure.into(), context.language), current == Some(figure), message)
    }));
    lines
}

/// A line that the user cannot change.
fn locked<'a, Message: Clone + 'a>(label: &str) -> Element<'a, Message> {
    let line = row![icon(Icon::Lock).size(ICON_SMALL), text::small(label.to_owned()).width(Length::Fill)];
    let line = line.spacing(SPACE_S).align_y(Alignment::Center);
    let locked = press(line, label, None).role(Role::MenuItemRadio).toggled(true).look(Look::Item);
    locked.width(Length::Fill).padding([SPACE_XS, SPACE_S]).into()
}

/// What the control says that opens the menu.
pub(crate) fn summary(context: &Context) -> String {
    let settings = &context.bandwidth;
    let directions = [Direction::Send, Direction::Receive];
    let id = if settings.incoming_video_off {
        "bandwidth-incoming-off-short"
    } else if settings.saves_data() {
        "bandwidth-save-data"
    } else if directions.iter().any(|direction| settings.policy_of(*direction).is_some()) {
        "bandwidth-policy-short"
    } else if directions.iter().any(|direction| settings.chosen(*direction).is_some()) {
        "bandwidth-limited"
    } else {
        "bandwidth-automatic"
    };
    context.text(id)
}

/// The text of the button that opens the menu.
pub(super) fn name(context: &Context) -> String {
    format!("{}, {}", context.text("menu-bandwidth"), summary(context))
}
