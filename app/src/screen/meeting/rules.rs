//! The settings of the meeting, which unfold below the participants: who may join, and what holds for everybody
//! (guests, saving the chat, and the role of those who come later).

use accesskit::Role;
use engine::{MeetingFlags, Rights, Role as MeetingRole};
use iced::widget::{Column, column, container, row};
use iced::{Alignment, Length};

use super::moderation::Message;
use super::{Meeting, Message as Input, waiting_room};
use crate::kit::{Element, Icon, elided, icon, press, region, text};
use crate::model::MeetingModel;
use crate::model::moderation::may_set_default_role;
use crate::model::rights::role_text;
use crate::screen::{Context, check};
use crate::theme::{ICON_SMALL, Look, SPACE_L, SPACE_S, SPACE_XS, TARGET, TARGET_FORM, Tone};

/// The settings that we may change, behind a control that shows and hides them; `None` if there are none.
pub(super) fn section<'a>(screen: &'a Meeting, context: &Context) -> Option<Element<'a, Input>> {
    let model = &screen.model;
    let joining = waiting_room::rules(model, context).map(|rules| rules.map(Input::WaitingRoom));
    let for_all = rules(model, context).map(|rules| rules.map(Input::Moderation));
    if joining.is_none() && for_all.is_none() {
        return None;
    }
    let open = screen.moderation.shows_rules();
    let inside = open.then(|| column![].push(joining).push(for_all).spacing(SPACE_L));
    Some(column![head(model, open, context)].push(inside).spacing(SPACE_S).into())
}

/// The control that shows and hides the settings. It says what holds now.
fn head<'a>(model: &MeetingModel, open: bool, context: &Context) -> Element<'a, Input> {
    let title = context.text("rules");
    let now = summary(model, context);
    let words = column![text::strong(title.clone()), Element::from(elided(now.clone()).caption().tone(Tone::Dim))];
    let symbol = icon(if open { Icon::Up } else { Icon::Down }).size(ICON_SMALL);
    let line = row![words.width(Length::Fill), symbol].spacing(SPACE_S).align_y(Alignment::Center);
    let button = press(line, &format!("{title}, {now}"), Some(Input::Moderation(Message::RulesPressed)));
    let button = button.id(SECTION).expanded(open).look(Look::Quiet).width(Length::Fill).height(TARGET_FORM);
    container(Element::from(button.padding([SPACE_XS, SPACE_S]))).padding([0.0, SPACE_L]).into()
}

fn summary(model: &MeetingModel, context: &Context) -> String {
    let flags = model.lobby.flags;
    let waiting = flags.contains(MeetingFlags::WAITING_ROOM);
    let waiting = context.text(if waiting { "rules-now-waiting" } else { "rules-now-no-waiting" });
    let locked = flags.contains(MeetingFlags::LOCKED).then(|| context.text("rules-now-locked"));
    locked.into_iter().chain([waiting]).collect::<Vec<_>>().join(" · ")
}

/// The rules for everybody that we may change; `None` if there are none.
fn rules<'a>(model: &MeetingModel, context: &Context) -> Option<Element<'a, Message>> {
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

/// The id of the control that shows and hides the settings.
const SECTION: &str = "rules";
