//! Whose rights are shown, and which changes are not in force yet.

use engine::{NoticeKind, ParticipantId, Person, Rights};

use crate::model::rights::{Switch, has};

/// Whose rights are shown, and what was changed and is not in force yet.
#[derive(Clone, Debug, Default)]
pub(super) struct RightsDialog {
    of: Option<ParticipantId>,
    /// Each right with what the user wishes: a switch shows it before the meeting does.
    wished: Vec<(Rights, bool)>,
}

impl RightsDialog {
    /// Opens the dialog.
    pub(super) fn open(&mut self, id: ParticipantId) {
        *self = Self { of: Some(id), wished: Vec::new() };
    }

    /// Whether the dialog is open.
    pub(super) const fn is_open(&self) -> bool {
        self.of.is_some()
    }

    /// Shows a change before it is in force.
    pub(super) fn wish(&mut self, right: Rights, on: bool) {
        self.wished.retain(|(other, _)| *other != right);
        self.wished.push((right, on));
    }

    /// Forgets the wishes that are fulfilled. Closes the dialog if the person has left.
    pub(super) fn handle_people(&mut self, people: &[Person]) {
        let Some(of) = self.of else { return };
        match people.iter().find(|person| person.id == of) {
            Some(person) => self.wished.retain(|(right, on)| has(person.rights, *right) != *on),
            None => *self = Self::default(),
        }
    }

    /// Forgets all wishes if the meeting refuses one: the switches show what is in force.
    pub(super) fn handle_notice(&mut self, kind: NoticeKind) {
        use NoticeKind::{KeysMissing, NotAllowed, NotBelow, PersonLeft, Refused, RightImpossible, TooManyRoles};
        let refusals = [KeysMissing, NotAllowed, NotBelow, PersonLeft, Refused, RightImpossible, TooManyRoles];
        if refusals.contains(&kind) {
            self.wished.clear();
        }
    }

    /// Whose rights are shown; `None` if the dialog is not open.
    pub(super) const fn person(&self) -> Option<ParticipantId> {
        self.of
    }

    /// Whether the switch of a right is on.
    pub(super) fn shows(&self, switch: &Switch) -> bool {
        self.wished.iter().find(|(right, _)| *right == switch.right).map_or(switch.on, |(_, on)| *on)
    }
}
