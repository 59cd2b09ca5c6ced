//! What a policy says, without its signature.

use super::people::{People, Person};
use super::rules::{MAX_BARRED, PolicyError, Rules};
use crate::authority::Authority;
use crate::authority_chain::AuthorityChain;
use crate::identity::DeviceKey;
use proto::{MeetingFlags, ParticipantId, Rights, Role};
use std::collections::BTreeSet;

/// What the meeting's policy says. Roles and rights belong to a participant id on a device: another leaf of the device has
/// the role of those who are not listed, without the rights that are withdrawn from the device's person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyContent {
    pub(crate) serial: u64,
    pub(crate) chain: AuthorityChain,
    pub(crate) rules: Rules,
    pub(crate) people: People,
    pub(crate) barred: Vec<DeviceKey>,
}

/// The rank of a person. A smaller one is higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank {
    /// The role. People of one role have no power over each other.
    pub role: Role,
    /// The place in the order of succession; `u32::MAX` for people who are not listed.
    pub order: u32,
}

/// Why a member is gone according to the delivery service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// It left, was absent for too long, or broke a rule of the delivery service.
    Left,
    /// A command of this manager removed it. Each member decides whether the manager has power over it.
    RemovedBy(ParticipantId),
}

/// One edit of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyEdit {
    /// Sets the role of a person, below the organiser's.
    SetRole(DeviceKey, ParticipantId, Role),
    /// Grants rights to a person.
    Grant(DeviceKey, ParticipantId, Rights),
    /// Withdraws rights from a person.
    Withdraw(DeviceKey, ParticipantId, Rights),
    /// Makes a person the organiser. The organiser before becomes the first co-organiser.
    HandOver(DeviceKey, ParticipantId),
    /// The person on this device has come back with this participant id.
    Return(DeviceKey, ParticipantId),
    /// Sets the flags.
    SetFlags(MeetingFlags),
    /// Sets the rights of a role below the organiser's.
    SetDefaults(Role, Rights),
    /// Sets the role of people who are not listed.
    SetEveryone(Role),
    /// The device may not join any more. Its person is not listed any more.
    Bar(DeviceKey),
}

impl PolicyContent {
    /// Returns this policy with edits and the next serial, unsigned.
    ///
    /// # Errors
    /// Returns [`PolicyError`] if the edits are not possible.
    pub fn edited(&self, edits: &[PolicyEdit]) -> Result<Self, PolicyError> {
        let mut next = self.clone();
        next.serial = self.serial.checked_add(1).ok_or(PolicyError::Full)?;
        edits.iter().try_for_each(|edit| next.edit(*edit))?;
        if next.barred.len() > MAX_BARRED || next.people.is_too_long() {
            return Err(PolicyError::Full);
        }
        if next.is_valid() { Ok(next) } else { Err(PolicyError::Impossible) }
    }

    /// Returns true if the policy can be encoded.
    pub(super) fn is_valid(&self) -> bool {
        let barred: BTreeSet<_> = self.barred.iter().collect();
        self.rules.is_valid()
            && self.people.is_valid()
            && (barred.len() == self.barred.len() && barred.len() <= MAX_BARRED)
            && self.people.iter().all(|person| !barred.contains(&person.device))
    }

    fn edit(&mut self, edit: PolicyEdit) -> Result<(), PolicyError> {
        let Rules { everyone, .. } = self.rules;
        let rules = self.rules;
        let default = |role| rules.default_rights(role);
        match edit {
            PolicyEdit::SetRole(device, participant, role) => {
                self.people.set_role((device, participant), role, everyone)?;
            }
            PolicyEdit::Grant(device, participant, rights) => {
                self.people.set_rights((device, participant), (rights, Rights::NONE), everyone, default)?;
            }
            PolicyEdit::Withdraw(device, participant, rights) => {
                self.people.set_rights((device, participant), (Rights::NONE, rights), everyone, default)?;
            }
            PolicyEdit::HandOver(device, participant) => self.people.hand_over(device, participant),
            PolicyEdit::Return(device, participant) => self.people.set_participant(device, participant),
            PolicyEdit::SetFlags(flags) => self.rules.flags = flags,
            PolicyEdit::SetDefaults(role, rights) => {
                let at = usize::from(role.number()).checked_sub(1).ok_or(PolicyError::Impossible)?;
                self.rules.defaults[at] = rights;
            }
            PolicyEdit::SetEveryone(role) => self.rules.everyone = role,
            PolicyEdit::Bar(device) => {
                self.people.remove(device)?;
                if !self.is_barred(device) {
                    self.barred.push(device);
                }
            }
        }
        Ok(())
    }

    /// Returns the number of this policy, which rises with each change.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// Returns the chain of authorities. Its current one signed this policy.
    pub fn chain(&self) -> &AuthorityChain {
        &self.chain
    }

    /// Returns the authority that signs commands to the delivery service.
    pub fn authority(&self) -> Authority {
        self.chain.current().authority
    }

    /// Returns the flags of the meeting.
    pub fn flags(&self) -> MeetingFlags {
        self.rules.flags
    }

    /// Returns the role of people who are not listed.
    pub fn everyone(&self) -> Role {
        self.rules.everyone
    }

    /// Returns the rights of a role.
    pub fn default_rights(&self, role: Role) -> Rights {
        self.rules.default_rights(role)
    }

    /// Returns the people whom the policy lists, in the order of succession. The first one is the organiser.
    pub fn people(&self) -> &[Person] {
        self.people.list()
    }

    /// Returns the role of `participant` on `device`.
    pub fn role_of(&self, device: DeviceKey, participant: ParticipantId) -> Role {
        self.rank_of(device, participant).role
    }

    /// Returns the rank of `participant` on `device`.
    pub fn rank_of(&self, device: DeviceKey, participant: ParticipantId) -> Rank {
        let listed = (0..).zip(self.people.iter()).find(|(_, person)| person.device == device);
        match listed.filter(|(_, person)| person.participant == participant) {
            Some((order, person)) => Rank { role: person.role, order },
            None => Rank { role: self.rules.everyone, order: u32::MAX },
        }
    }

    /// Returns the effective rights of `participant` on `device`. The flags of the meeting may forbid more.
    pub fn rights_of(&self, device: DeviceKey, participant: ParticipantId) -> Rights {
        let Some(person) = self.people.of_device(device) else { return self.default_rights(self.rules.everyone) };
        if person.participant == participant {
            return self.rights_as(person);
        }
        // A second leaf is no way around a right that was withdrawn.
        self.default_rights(self.rules.everyone).without(person.withdrawn)
    }

    /// Returns the effective rights of a listed person.
    pub(crate) fn rights_as(&self, person: &Person) -> Rights {
        let rights = (self.default_rights(person.role) | person.granted).without(person.withdrawn);
        if person.role == Role::Organiser { Rights::ALL } else { rights & person.role.possible_rights() }
    }

    /// Returns true if `participant` on `device` holds the meeting's authority: the organiser and the co-organisers.
    pub fn is_manager(&self, device: DeviceKey, participant: ParticipantId) -> bool {
        self.role_of(device, participant).is_manager()
    }

    /// Returns true if a manager has this device, with any participant id.
    pub(crate) fn is_manager_device(&self, device: DeviceKey) -> bool {
        self.people.of_device(device).is_some_and(|person| person.role.is_manager())
    }

    /// Returns true if a manager of this policy is no manager of `after`: then the authority must rotate.
    pub(crate) fn loses_manager(&self, after: &Self) -> bool {
        self.people.iter().any(|person| person.role.is_manager() && !after.is_manager_device(person.device))
    }

    /// Returns the role that protects a device from being removed or barred: that of its person, whatever the participant id.
    pub fn role_of_device(&self, device: DeviceKey) -> Role {
        self.people.of_device(device).map_or(self.rules.everyone, |person| person.role)
    }

    /// Returns true if a member on `device` counts as gone: everybody may remove its leaf then. Who was removed by a manager
    /// without power over it is still a member.
    pub fn counts_as_gone(&self, device: DeviceKey, gone: Gone) -> bool {
        match gone {
            Gone::Left => true,
            Gone::RemovedBy(manager) => {
                let by = self.people.iter().find(|person| person.participant == manager);
                by.is_some_and(|by| self.has_power((by.device, by.role, self.rights_as(by)), device))
            }
        }
    }

    /// Returns true if somebody may remove the leaves of `device`: its own, or those of a lower role. The role of the
    /// device counts, so that a manager that has come back is not a guest until its next commit.
    pub(crate) fn has_power(&self, (own, role, rights): (DeviceKey, Role, Rights), device: DeviceKey) -> bool {
        own == device || rights.contains(Rights::REMOVE) && role.is_above(self.role_of_device(device))
    }

    /// Returns the devices that were removed and may not join any more, in the order of their removal.
    pub fn barred(&self) -> &[DeviceKey] {
        &self.barred
    }

    /// Returns true if `device` may not join any more.
    pub fn is_barred(&self, device: DeviceKey) -> bool {
        self.barred.contains(&device)
    }

    /// Returns true if nothing differs but the serial.
    pub(crate) fn says_the_same_as(&self, other: &Self) -> bool {
        (&self.chain, self.rules, &self.people, &self.barred)
            == (&other.chain, other.rules, &other.people, &other.barred)
    }
}
