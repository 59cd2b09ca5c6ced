//! The waiting room in the panel with the participants: who waits, the chats with them, and who may join at all.

use accesskit::Role;
use engine::{Command, MeetingFlags, ParticipantId, Refusal};
use iced::widget::{Column, column, container, row};
use iced::{Alignment, Length, Padding};

use super::accept_device;
use crate::kit::{Element, Icon, elided, heading, press, region, text};
use crate::model::{Asker, MeetingModel};
use crate::screen::confirmation::Texts;
use crate::screen::lobby_chat::{Place, chat};
use crate::screen::{Context, asking, check, icon_button};
use crate::theme::{self, Look, SPACE_L, SPACE_M, SPACE_S, SPACE_XS, TARGET, TARGET_FORM, Tone};

/// User input.
#[derive(Clone, Debug)]
pub enum Message {
    /// "Admit" was pressed.
    Admitted(ParticipantId),
    /// "Admit all" was pressed.
    AllAdmitted,
    /// "Refuse" was pressed, which shows the reasons or hides them.
    RefusePressed(ParticipantId),
    /// A reason was chosen.
    Refused(ParticipantId, Refusal),
    /// "Reply" was pressed, which shows the chat and the reasons of a refusal.
    ReplyPressed(ParticipantId),
    /// Known people are to be let in without asking (true), or not.
    KnownPressed(bool),
    /// "Message" was pressed, which opens or closes the chat.
    ChatPressed(ParticipantId),
    /// The text in the open chat changed.
    Typed(String),
    /// The text in the open chat is complete.
    Submitted,
    /// A flag of the meeting is to be set (true) or cleared.
    FlagPressed(MeetingFlags, bool),
    /// "Change the link" was pressed.
    LinkPressed,
    /// "Send to the waiting room" was pressed beside a name.
    SendBackPressed(ParticipantId),
    /// "Send to the waiting room" was confirmed.
    SendBackConfirmed,
    /// The device of a person who waits was accepted as another one of that person.
    DeviceAccepted(ParticipantId),
}

/// What the organiser has decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Let a person in.
    Admit(ParticipantId),
    /// Let these people in: all who are shown as waiting.
    AdmitAll(Vec<ParticipantId>),
    /// Refuse a person.
    Refuse(ParticipantId, Refusal),
    /// Write to a person who waits.
    Write(ParticipantId, String),
    /// Set (true) or clear flags of the meeting.
    SetFlags(MeetingFlags, bool),
    /// Change the invitation link.
    ChangeLink,
    /// Send a participant back to the waiting room.
    SendBack(ParticipantId),
}

impl Decision {
    /// The command for the engine.
    pub fn command(&self) -> Command {
        match self.clone() {
            Self::Admit(id) => Command::Admit(id),
            Self::AdmitAll(all) => Command::AdmitAll(all),
            Self::Refuse(id, why) => Command::Decline(id, why),
            Self::Write(id, text) => Command::WriteLobby { to: Some(id), text },
            Self::SetFlags(flags, set) => Command::SetFlags { flags, set },
            Self::ChangeLink => Command::ChangeLink,
            Self::SendBack(id) => Command::SendBack(id),
        }
    }
}

impl From<asking::Answer> for Decision {
    fn from(asking::Answer { id, admit }: asking::Answer) -> Self {
        if admit { Self::Admit(id) } else { Self::Refuse(id, Refusal::Declined) }
    }
}

/// Handles user input. Returns what the organiser has decided, if anything.
pub(super) fn update(model: &mut MeetingModel, message: Message) -> Option<Decision> {
    match message {
        Message::Admitted(id) => {
            model.remove_asker(id);
            return Some(Decision::Admit(id));
        }
        Message::AllAdmitted => {
            let all: Vec<ParticipantId> = model.asking.iter().map(|asker| asker.id).collect();
            for id in &all {
                model.remove_asker(*id);
            }
            return Some(Decision::AdmitAll(all));
        }
        Message::RefusePressed(id) => {
            model.lobby.refusing = if model.lobby.refusing == Some(id) { None } else { Some(id) };
        }
        Message::Refused(id, why) => {
            model.remove_asker(id);
            return Some(Decision::Refuse(id, why));
        }
        Message::ReplyPressed(id) => {
            model.lobby.refusing = Some(id);
            if model.lobby.chat_with != Some(id) {
                model.lobby.toggle_chat(id, &mut model.asking);
            }
        }
        Message::KnownPressed(admits) => model.lobby.choices.admits_known = admits,
        Message::ChatPressed(id) => model.lobby.toggle_chat(id, &mut model.asking),
        Message::Typed(text) => {
            if let Some(asker) = open_chat(model) {
                asker.chat.write(text);
            }
        }
        Message::Submitted => {
            let asker = open_chat(model)?;
            let text = asker.chat.take_draft()?;
            return Some(Decision::Write(asker.id, text));
        }
        Message::FlagPressed(flags, set) => return Some(Decision::SetFlags(flags, set)),
        Message::LinkPressed => return Some(Decision::ChangeLink),
        Message::SendBackPressed(id) => model.lobby.sending_back = Some(id),
        Message::DeviceAccepted(id) => model.accept_device(id),
        Message::SendBackConfirmed => return model.lobby.sending_back.take().map(Decision::SendBack),
    }
    None
}

fn open_chat(model: &mut MeetingModel) -> Option<&mut Asker> {
    let with = model.lobby.chat_with?;
    model.asking.iter_mut().find(|asker| asker.id == with)
}

/// Who waits, for whoever may decide; `None` if nobody waits.
pub(super) fn list<'a>(model: &'a MeetingModel, context: &Context) -> Option<Element<'a, Message>> {
    if model.asking.is_empty() || !model.may_admit() {
        return None;
    }
    let title = context.language.with("lobby-title", &[("count", model.asking.len().into())]);
    let all = (model.asking.len() > 1).then(|| {
        let all = press(text::strong(context.text("lobby-admit-all")), "", Some(Message::AllAdmitted));
        Element::from(all.id("lobby-admit-all").look(Look::Plain).height(TARGET))
    });
    let head = container(heading(2, text::heading(title.clone()))).width(Length::Fill);
    let head = row![head].push(all).align_y(Alignment::Center);
    let lines = model.asking.iter().take(MAX_SHOWN).map(|asker| line(model, asker, context));
    let lines = region(Role::List, &title, Column::with_children(lines).spacing(SPACE_M));
    let hint = text::caption(context.text("asking-text")).style(text::tone(Tone::Dim));
    let more = asking::more(model.asking.len(), MAX_SHOWN, context);
    let inside = column![head, lines].push(more).push(hint).spacing(SPACE_S);
    let inside = container(inside).padding([SPACE_S, SPACE_M]).width(Length::Fill).style(theme::sharing);
    Some(region(Role::Region, &title, container(inside).padding([0.0, SPACE_S])))
}

fn line<'a>(model: &'a MeetingModel, asker: &'a Asker, context: &Context) -> Element<'a, Message> {
    let id = asker.id;
    let evidence = asker.evidence(context.language, context.now);
    let mark = asker.mark.map(|mark| context.text(mark.text()));
    let unread =
        (asker.chat.unread > 0).then(|| context.language.with("lobby-unread", &[("count", asker.chat.unread.into())]));
    let dim = |words: String| text::caption(words).style(text::tone(Tone::Dim)).width(Length::Fill);
    let alarm = asker.alarm(context.language);
    let danger = |words: String| text::caption(words).style(text::tone(Tone::Danger)).width(Length::Fill);
    let warn = |words: String| text::caption(words).style(text::tone(Tone::Warn)).width(Length::Fill);
    let words = column![Element::from(elided(asker.name.clone()).strong()), dim(evidence.clone())]
        .push(mark.clone().map(warn))
        .push(alarm.clone().map(danger))
        .push(
            alarm
                .as_ref()
                .map(|_| dim(context.language.with("identity-advice-asking", &[("name", asker.name.as_str().into())]))),
        )
        .push(alarm.as_ref().map(|_| accept_device::button(id, &asker.name, context, Message::DeviceAccepted(id))))
        .push(unread.clone().map(|words| text::caption(words).style(text::tone(Tone::Accent))));
    let (refuses, writes) = (model.lobby.refusing == Some(id), model.lobby.chat_with == Some(id));
    let button = |word: &'static str, name, look, message| {
        let name = context.language.with(name, &[("name", asker.name.as_str().into())]);
        let button = press(text::strong(context.text(word)), &name, Some(message));
        button.id(format!("{word}-{:016x}", id.0)).look(look).height(TARGET)
    };
    let buttons = row![
        Element::from(button("lobby-admit", "lobby-admit-name", Look::Primary, Message::Admitted(id))),
        Element::from(
            button("lobby-refuse", "lobby-refuse-name", Look::Plain, Message::RefusePressed(id)).toggled(refuses)
        ),
        Element::from(
            button("lobby-message", "lobby-message-name", Look::Plain, Message::ChatPressed(id)).toggled(writes)
        ),
    ];
    let inside = column![words.spacing(2.0), buttons.spacing(SPACE_S)]
        .push(refuses.then(|| reasons(asker, context)))
        .push(writes.then(|| open(asker, context)))
        .spacing(SPACE_S);
    let parts = [asker.name.clone(), evidence].into_iter().chain(mark).chain(alarm).chain(unread);
    region(Role::ListItem, &parts.collect::<Vec<_>>().join(", "), inside)
}

/// The reasons of a refusal. The person reads the one that is chosen.
fn reasons<'a>(asker: &Asker, context: &Context) -> Element<'a, Message> {
    let reasons = [
        (Refusal::NotNow, "lobby-reason-not-now"),
        (Refusal::NotInvited, "lobby-reason-not-invited"),
        (Refusal::Full, "lobby-reason-full"),
        (Refusal::Declined, "lobby-reason-none"),
    ];
    let items = reasons.into_iter().map(|(why, word)| {
        let item = press(text::small(context.text(word)), "", Some(Message::Refused(asker.id, why)));
        let item = item.id(format!("{word}-{:016x}", asker.id.0)).look(Look::Item).width(Length::Fill);
        Element::from(item.padding([SPACE_XS, SPACE_S]))
    });
    let label = context.language.with("lobby-refuse-name", &[("name", asker.name.as_str().into())]);
    let inside = column![text::caption(context.text("lobby-reason")).style(text::tone(Tone::Dim))].extend(items);
    region(Role::Group, &label, inside.spacing(2.0))
}

fn open<'a>(asker: &'a Asker, context: &Context) -> Element<'a, Message> {
    let place = Place {
        id: "lobby-text",
        waiting: &asker.name,
        label: context.language.with("lobby-message-name", &[("name", asker.name.as_str().into())]),
        on_input: Message::Typed,
        on_submit: Message::Submitted,
    };
    chat(&asker.chat, place, context)
}

/// Who may join at all, for whoever may decide that.
pub(super) fn rules<'a>(model: &MeetingModel, context: &Context) -> Option<Element<'a, Message>> {
    if !model.may_admit() {
        return None;
    }
    let flag = |flag: MeetingFlags, id: &'static str, (when_on, when_off): (&str, &str)| {
        let on = model.lobby.flags.contains(flag);
        let words = context.text(if on { when_on } else { when_off });
        let switch = check(&context.text(id), Role::CheckBox, on, Message::FlagPressed(flag, !on));
        let words = text::caption(words).style(text::tone(Tone::Dim)).width(Length::Fill);
        column![Element::from(switch.id(id).height(TARGET)), container(words).padding([0.0, SPACE_S])]
    };
    let link = icon_button(Icon::Link, context.text("lobby-change-link"), "", Some(Message::LinkPressed));
    let link = link.id("lobby-change-link").look(Look::Quiet).width(Length::Fill).height(TARGET_FORM);
    let known = model.lobby.flags.contains(MeetingFlags::WAITING_ROOM).then(|| known(model, context));
    let inside = column![flag(
        MeetingFlags::WAITING_ROOM,
        "lobby-flag-waiting",
        ("lobby-flag-waiting-on", "lobby-flag-waiting-off")
    ),]
    .push(known)
    .extend([
        flag(MeetingFlags::LOCKED, "lobby-flag-lock", ("lobby-flag-lock-on", "lobby-flag-lock-off")).into(),
        Element::from(link),
    ]);
    let title = context.text("lobby-rules");
    Some(region(Role::Group, &title, container(inside.spacing(SPACE_S)).padding([0.0, SPACE_L])))
}

/// Whether those whom this computer knows wait.
fn known<'a>(model: &MeetingModel, context: &Context) -> Element<'a, Message> {
    let on = model.lobby.choices.admits_known;
    let switch = check(&context.text("lobby-known-rule"), Role::CheckBox, on, Message::KnownPressed(!on));
    let words = text::caption(context.text("lobby-known-rule-text")).style(text::tone(Tone::Dim)).width(Length::Fill);
    let inside = column![Element::from(switch.id("lobby-known-rule").height(TARGET)), words];
    container(inside).padding(Padding::ZERO.left(SPACE_L)).into()
}

/// The question before a participant is sent back; `None` if nobody is about to be.
pub(super) fn question(model: &MeetingModel, context: &Context) -> Option<Texts> {
    let person = model.person(model.lobby.sending_back?)?;
    let named = |id| context.language.with(id, &[("name", person.name.as_str().into())]);
    let meaning = if model.lobby.flags.contains(MeetingFlags::LOCKED) {
        "lobby-send-back-text-locked"
    } else if model.lobby.flags.contains(MeetingFlags::WAITING_ROOM) {
        "lobby-send-back-text"
    } else {
        "lobby-send-back-text-off"
    };
    Some(Texts {
        title: named("lobby-send-back-title"),
        meaning: named(meaning),
        confirm: context.text("lobby-send-back-confirm"),
    })
}

/// The maximum number of people who are shown. A stranger can ask many times.
const MAX_SHOWN: usize = 20;
