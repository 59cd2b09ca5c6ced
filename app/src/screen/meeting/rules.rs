//! What holds for everybody in the meeting, besides who may join: guests, saving the chat, and the role of those who come later.

use accesskit::Role;
use engine::{MeetingFlags, Rights, Role as MeetingRole};
use iced::Length;
use iced::widget::{Column, column, container};

use super::moderation::Message;
use crate::kit::{Element, region, text};
use crate::model::MeetingModel;
use crate::model::moderation::may_set_default_role;
use crate::model::rights::role_text;
use crate::screen::{Context, check};
use crate::theme::{SPACE_L, SPACE_S, TARGET, Tone};

/// The rules that we may change; `None` if there are none.
pub(super) fn rules<'a>(model: &MeetingModel, context: &Context) -> Option<Element<'a, Message>> {
    let me = model.me()?;
    let guests = model
        .may_admit()
        .then(|| flag(MeetingFlags::GUESTS, "rules-guests", ("rules-guests-on", "rules-guests-off"), model, context));
    let may_record = me.role.is_manager() && me.rights.contains(Rights::RECORD);
    let save = may_record
        .then(|| flag(MeetingFlags::RECORDING, "rules-save", ("rules-save-on", "rules-save-off"), model, context));
    let role = may_set_default_role(me).then(|| default_role(model, context)).flatten();
    if guests.is_none() && save.is_none() && role.is_none() {
        return None;
    }
    let inside = column![].push(guests).push(save).push(role).spacing(SPACE_S);
    Some(region(Role::Group, &context.text("rules-title"), container(inside).padding([0.0, SPACE_L])))
}

fn flag<'a>(
    flag: MeetingFlags,
    id: &'static str,
    (when_on, when_off): (&str, &str),
    model: &MeetingModel,
    context: &Context,
) -> Element<'a, Message> {
    let on = model.lobby.flags.contains(flag);
    let switch = check(&context.text(id), Role::CheckBox, on, Message::FlagPressed(flag, !on));
    let words = caption(context.text(if on { when_on } else { when_off }));
    column![Element::from(switch.id(id).height(TARGET)), words].into()
}

/// The role of those who have no other one. Another program may have chosen one that this screen does not offer.
fn default_role<'a>(model: &MeetingModel, context: &Context) -> Option<Element<'a, Message>> {
    let current = model.moderation.everyone?;
    let offered = [MeetingRole::Presenter, MeetingRole::Participant, MeetingRole::Guest];
    let offered = offered.into_iter().filter(|role| *role != MeetingRole::Presenter || *role == current);
    let title = context.text("rules-role");
    let choice = |role: MeetingRole| {
        let label = context.text(role_text(role));
        let button = check(&label, Role::RadioButton, role == current, Message::DefaultRolePressed(role));
        Element::from(button.id(format!("rules-role-{}", role.number())).height(TARGET))
    };
    let choices = region(Role::RadioGroup, &title, Column::with_children(offered.map(choice)));
    let head = container(text::small(title)).padding([0.0, SPACE_S]);
    Some(column![head, choices, caption(context.text("rules-role-text"))].into())
}

fn caption<'a>(words: String) -> Element<'a, Message> {
    container(text::caption(words).style(text::tone(Tone::Dim)).width(Length::Fill)).padding([0.0, SPACE_S]).into()
}
