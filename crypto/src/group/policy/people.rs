//! The people whom a policy names, in the order of their rank.

use super::rules::{MAX_PEOPLE, PolicyError};
use crate::identity::DeviceKey;
use proto::{ParticipantId, Rights, Role};
use std::collections::BTreeSet;

/// A person whom the policy names: a participant on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    /// The key of the device.
    pub device: DeviceKey,
    /// The participant. Another leaf of the device is not this person.
    pub participant: ParticipantId,
    /// The role.
    pub role: Role,
    /// Rights beyond those of the role.
    pub granted: Rights,
    /// Rights of the role that the person does not have.
    pub withdrawn: Rights,
}

impl Person {
    /// Returns a person without exceptions.
    pub(crate) fn new(device: DeviceKey, participant: ParticipantId, role: Role) -> Self {
        Self { device, participant, role, granted: Rights::NONE, withdrawn: Rights::NONE }
    }

    /// Returns true if the person has all rights of the role and no others.
    pub(crate) fn is_plain(&self) -> bool {
        self.granted.is_empty() && self.withdrawn.is_empty()
    }

    /// Returns the person in another role, without exceptions that are not possible there.
    fn with_role(self, role: Role) -> Self {
        let possible = if role == Role::Organiser { Rights::NONE } else { role.possible_rights() };
        Self { role, granted: self.granted & possible, withdrawn: self.withdrawn & possible, ..self }
    }

    fn is_valid(&self) -> bool {
        let exceptions = self.granted | self.withdrawn;
        let possible = if self.role == Role::Organiser { Rights::NONE } else { self.role.possible_rights() };
        (self.granted & self.withdrawn).is_empty() && possible.contains(exceptions)
    }
}

/// The people, the organiser first, then sorted by role. Within a role, the order is the order of succession.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct People(Vec<Person>);

impl People {
    pub(super) fn new(organiser: Person) -> Self {
        Self(vec![organiser])
    }

    /// Returns people that were not checked.
    pub(super) fn unchecked(people: Vec<Person>) -> Self {
        Self(people)
    }

    /// Returns true if there is exactly one organiser, who comes first, if the people are sorted by role, if no device and
    /// no participant is listed twice, and if all exceptions are possible.
    pub(super) fn is_valid(&self) -> bool {
        let Self(people) = self;
        let organisers = people.iter().filter(|person| person.role == Role::Organiser).count();
        let devices: BTreeSet<_> = people.iter().map(|person| person.device).collect();
        let participants: BTreeSet<_> = people.iter().map(|person| person.participant).collect();
        organisers == 1
            && people.is_sorted_by_key(|person| person.role)
            && (devices.len(), participants.len()) == (people.len(), people.len())
            && !self.is_too_long()
            && people.iter().all(Person::is_valid)
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Person> {
        self.0.iter()
    }

    pub(crate) fn list(&self) -> &[Person] {
        &self.0
    }

    pub(crate) fn of_device(&self, device: DeviceKey) -> Option<&Person> {
        self.0.iter().find(|person| person.device == device)
    }

    /// Returns the person, or one of the role `everyone` without exceptions.
    fn or_unlisted(&self, device: DeviceKey, participant: ParticipantId, everyone: Role) -> Person {
        let known = self.of_device(device).copied().unwrap_or_else(|| Person::new(device, participant, everyone));
        Person { participant, ..known }
    }

    /// Sets a role below the organiser's. A person with another role than before is the last one of it.
    pub(super) fn set_role(
        &mut self,
        (device, participant): (DeviceKey, ParticipantId),
        role: Role,
        everyone: Role,
    ) -> Result<(), PolicyError> {
        let person = self.or_unlisted(device, participant, everyone);
        if person.role == Role::Organiser || role == Role::Organiser {
            return Err(PolicyError::Organiser);
        }
        self.set(person.with_role(role), everyone);
        Ok(())
    }

    /// Grants or withdraws rights. `default` are those of the person's role.
    pub(super) fn set_rights(
        &mut self,
        (device, participant): (DeviceKey, ParticipantId),
        (granted, withdrawn): (Rights, Rights),
        everyone: Role,
        default: impl Fn(Role) -> Rights,
    ) -> Result<(), PolicyError> {
        let mut person = self.or_unlisted(device, participant, everyone);
        let possible = person.role.possible_rights();
        if person.role == Role::Organiser || !possible.contains(granted) {
            return Err(PolicyError::Impossible);
        }
        person.granted = (person.granted | granted.without(default(person.role))).without(withdrawn);
        person.withdrawn = (person.withdrawn.without(granted) | withdrawn) & possible;
        self.set(person, everyone);
        Ok(())
    }

    /// Makes somebody the organiser. The organiser before is the first co-organiser from then on.
    pub(crate) fn hand_over(&mut self, device: DeviceKey, participant: ParticipantId) {
        let to = self.or_unlisted(device, participant, Role::Organiser).with_role(Role::Organiser);
        let first = self.0[0].device;
        self.0.retain(|person| person.device != device);
        if let Some(before) = self.0.first_mut().filter(|person| person.device == first) {
            *before = before.with_role(Role::CoOrganiser);
        }
        self.0.insert(0, to);
    }

    /// Gives a person who came back its new participant id.
    pub(crate) fn set_participant(&mut self, device: DeviceKey, participant: ParticipantId) {
        for person in self.0.iter_mut().filter(|person| person.device == device) {
            person.participant = participant;
        }
    }

    /// Removes a person below the organiser.
    pub(super) fn remove(&mut self, device: DeviceKey) -> Result<(), PolicyError> {
        if self.of_device(device).is_some_and(|person| person.role == Role::Organiser) {
            return Err(PolicyError::Organiser);
        }
        self.0.retain(|person| person.device != device);
        Ok(())
    }

    /// Returns true if there is no room for more people.
    pub(super) fn is_too_long(&self) -> bool {
        self.0.len() > MAX_PEOPLE
    }

    /// Replaces a person in place, or as the last one of its role. A person who is as everybody is not listed.
    fn set(&mut self, person: Person, everyone: Role) {
        let known = self.0.iter().position(|other| other.device == person.device);
        if person.role == everyone && person.is_plain() {
            self.0.retain(|other| other.device != person.device);
        } else if let Some(at) = known.filter(|at| self.0[*at].role == person.role) {
            self.0[at] = person;
        } else {
            self.0.retain(|other| other.device != person.device);
            let at = self.0.partition_point(|other| other.role <= person.role);
            self.0.insert(at, person);
        }
    }
}
