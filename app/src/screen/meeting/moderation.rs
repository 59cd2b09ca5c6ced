//! What managers do with their controls, and what they are asked before it is done. Also the own hand.

use engine::{Command, FloorOrder, FloorTarget, MeetingFlags, NoticeKind, ParticipantId, Person, Rights, Role};

use super::rights::RightsDialog;
use crate::model::MeetingModel;
use crate::model::moderation::{PersonAction, rights_of};

/// What the user is asked before it is done, and whose rights are shown.
#[derive(Clone, Debug, Default)]
pub struct Moderation {
    confirming: Option<Confirmation>,
    rights: RightsDialog,
    shows_rules: bool,
}

/// What must be confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Confirmation {
    /// Hand the meeting over.
    HandOver(ParticipantId),
    /// Stop everything.
    Stop,
}

/// User input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// The control of the menu of a participant was pressed.
    MenuPressed(ParticipantId),
    /// An item of that menu was chosen.
    Chosen(ParticipantId, PersonAction),
    /// "Mute all" (false), or "Let everyone speak" (true) was pressed.
    AllPressed(bool),
    /// "Lower all" was pressed above the hands.
    AllLowered,
    /// The button of our hand was pressed.
    HandPressed,
    /// "Stop everything" was pressed.
    StopPressed,
    /// The dialog was confirmed.
    Confirmed,
    /// The switch of a right of a participant was pressed, which grants it (true) or withdraws it.
    RightPressed(ParticipantId, Rights, bool),
    /// The control that shows the settings of the meeting was pressed, or hides them.
    RulesPressed,
    /// A flag of the meeting is to be set (true) or cleared.
    FlagPressed(MeetingFlags, bool),
    /// A role was chosen for those who have no other one.
    DefaultRolePressed(Role),
}

/// What the app must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Open or close the menu of a participant.
    Menu(ParticipantId),
    /// Give an order of floor control.
    Floor(FloorOrder),
    /// Raise (true) or lower our hand.
    RaiseHand(bool),
    /// Lower the hand of a participant, or all hands.
    LowerHand(Option<ParticipantId>),
    /// Give a participant this role.
    SetRole(ParticipantId, Role),
    /// Grant rights to a participant (true), or withdraw them.
    SetRights(ParticipantId, Rights, bool),
    /// Set (true) or clear flags of the meeting.
    SetFlags(MeetingFlags, bool),
    /// Give this role to those who have no other one.
    SetDefaultRole(Role),
    /// Hand the meeting over.
    HandOver(ParticipantId),
    /// Ask before a participant is sent back to the waiting room.
    SendBack(ParticipantId),
    /// Stop everything.
    StopEverything,
}

impl Action {
    /// The command for the engine; `None` if it does not concern the engine.
    pub fn command(self) -> Option<Command> {
        Some(match self {
            Self::None | Self::Menu(_) | Self::SendBack(_) => return None,
            Self::Floor(order) => Command::Floor(order),
            Self::RaiseHand(up) => Command::RaiseHand(up),
            Self::LowerHand(id) => Command::LowerHand(id),
            Self::SetRole(id, role) => Command::SetRole(id, role),
            Self::SetRights(id, rights, true) => Command::GrantRights(id, rights),
            Self::SetRights(id, rights, false) => Command::WithdrawRights(id, rights),
            Self::SetFlags(flags, set) => Command::SetFlags { flags, set },
            Self::SetDefaultRole(role) => Command::SetDefaultRole(role),
            Self::HandOver(id) => Command::HandOver(id),
            Self::StopEverything => Command::StopEverything,
        })
    }
}

impl Moderation {
    /// Handles user input.
    pub fn update(&mut self, message: Message, model: &mut MeetingModel) -> Action {
        match message {
            Message::MenuPressed(id) => return Action::Menu(id),
            Message::Chosen(id, action) => return self.choose(id, action),
            Message::AllPressed(allow) => {
                return Action::Floor(FloorOrder { target: FloorTarget::Everyone, rights: Rights::MICROPHONE, allow });
            }
            Message::AllLowered => return Action::LowerHand(None),
            Message::HandPressed => {
                if !may_raise(model) {
                    return Action::None;
                }
                let up = !model.moderation.is_own_up(model.me().map(|me| me.id));
                model.moderation.wished = Some(up); // shown at once; the engine reports what it is
                return Action::RaiseHand(up);
            }
            // The same key again confirms: whoever needs it has no time to look for a button.
            Message::StopPressed if self.confirming == Some(Confirmation::Stop) => {
                return self.update(Message::Confirmed, model);
            }
            Message::StopPressed if may_stop(model) => self.confirming = Some(Confirmation::Stop),
            Message::StopPressed => {}
            Message::Confirmed => match self.confirming.take() {
                Some(Confirmation::HandOver(id)) => return Action::HandOver(id),
                Some(Confirmation::Stop) => {
                    (model.camera, model.sharing) = (false, false);
                    return Action::StopEverything;
                }
                None => {}
            },
            Message::RightPressed(id, right, grant) => {
                self.rights.wish(right, grant);
                return Action::SetRights(id, right, grant);
            }
            Message::RulesPressed => self.shows_rules = !self.shows_rules,
            Message::FlagPressed(flags, set) => return Action::SetFlags(flags, set),
            Message::DefaultRolePressed(role) => return Action::SetDefaultRole(role),
        }
        Action::None
    }

    /// Handles a new list of people.
    pub(super) fn handle_people(&mut self, people: &[Person]) {
        self.rights.handle_people(people);
    }

    /// Handles a notice of the engine: a change may have been refused.
    pub(super) fn handle_notice(&mut self, kind: NoticeKind) {
        self.rights.handle_notice(kind);
    }

    fn choose(&mut self, id: ParticipantId, action: PersonAction) -> Action {
        let order = |slot, allow| FloorOrder { target: FloorTarget::Person(id), rights: rights_of(slot), allow };
        match action {
            PersonAction::Stop(slot) => Action::Floor(order(slot, false)),
            PersonAction::Allow(slot) => Action::Floor(order(slot, true)),
            PersonAction::LowerHand => Action::LowerHand(Some(id)),
            PersonAction::Rights => {
                self.rights.open(id);
                Action::None
            }
            PersonAction::SetRole(role) => Action::SetRole(id, role),
            PersonAction::SendBack => Action::SendBack(id),
            PersonAction::HandOver => {
                self.confirming = Some(Confirmation::HandOver(id));
                Action::None
            }
        }
    }

    /// Whether a dialog is open.
    pub const fn is_asking(&self) -> bool {
        self.confirming.is_some() || self.rights.is_open()
    }

    /// Whether the settings of the meeting are shown.
    pub(super) const fn shows_rules(&self) -> bool {
        self.shows_rules
    }

    /// The dialog with the rights of a participant.
    pub(super) const fn rights(&self) -> &RightsDialog {
        &self.rights
    }

    /// What the open dialog asks; `None` if none is open.
    pub(super) const fn confirming(&self) -> Option<Confirmation> {
        self.confirming
    }
}

/// Whether we may raise our hand.
fn may_raise(model: &MeetingModel) -> bool {
    model.me().is_some_and(|me| me.rights.contains(Rights::REACT))
}

/// Whether we may stop everything.
pub(super) fn may_stop(model: &MeetingModel) -> bool {
    model.me().is_some_and(Person::is_organiser)
}
