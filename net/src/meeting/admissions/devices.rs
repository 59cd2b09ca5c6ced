//! The devices that decide about a request: those of all members so far, and those that only a person lets in.

use super::super::group_log::GroupLog;
use super::super::lobby::{Evidence, IdentityClass};
use super::super::outputs::Outputs;
use super::super::roster::{self, Departure, Roster};
use super::sent_back::{MAX_KNOWN, SentBack};
use crypto::{DeviceKey, KnockRequest, MeetingPolicy};
use proto::{MeetingFlags, ParticipantId};
use std::collections::BTreeSet;

/// The devices.
#[derive(Default)]
pub struct Devices {
    /// The devices of all members so far: they are admitted again with any link.
    pub(super) known: BTreeSet<DeviceKey>,
    sent_back: SentBack,
}

impl Devices {
    /// Returns what is known about a request.
    pub fn evidence(&self, request: &KnockRequest) -> Evidence {
        let device = request.device();
        let class = if self.known.contains(&device) { IdentityClass::Known } else { IdentityClass::Guest };
        let sent_back = self.sent_back.contains(device);
        let certificate = request.certificate().cloned();
        Evidence { class, device, certificate, via_old_link: request.via_old_link(), sent_back }
    }

    /// Returns true if the meeting has no guests, and nothing says who asks: the device was no member of this meeting, the
    /// policy does not list it, and it shows no certificate.
    pub fn is_uninvited_guest(&self, request: &KnockRequest, policy: &MeetingPolicy) -> bool {
        let device = request.device();
        let is_listed = policy.people().iter().any(|person| person.device == device);
        let is_known = is_listed || self.known.contains(&device) || self.sent_back.contains(device);
        !policy.flags().contains(MeetingFlags::GUESTS) && !is_known && request.certificate().is_none()
    }

    /// Returns true if only a person lets the device in.
    pub fn is_sent_back(&self, device: DeviceKey) -> bool {
        self.sent_back.contains(device)
    }

    /// Handles a new epoch: remembers the devices of its members. `left` are the members that it removed.
    pub fn handle_group_change(&mut self, left: &[Departure], roster: &Roster) {
        self.sent_back.extend(left.iter().filter(|one| one.sent_back).map(|one| one.device));
        self.sent_back.remove_present(|device| is_present(roster, device));
        self.known.extend(roster.present().map(|person| person.device));
        while self.known.len() > MAX_KNOWN {
            self.known.pop_first();
        }
    }

    /// Handles the stop of everything: only a person lets anybody in who was a member before.
    pub fn handle_stop(&mut self) {
        self.sent_back.extend(std::mem::take(&mut self.known));
    }

    /// Handles that this client was cut off, and enters again. Members that have left meanwhile may have been sent back: the user
    /// decides on them.
    pub fn handle_rejoined(&mut self, left: &[Departure], roster: &Roster) {
        self.sent_back.extend(left.iter().map(|one| one.device).filter(|device| !is_present(roster, *device)));
    }

    /// Handles that a member wants the keys of the meeting, because it has become a manager.
    pub fn handle_new_manager(&mut self, id: ParticipantId, roster: &Roster) {
        if roster.own().0.is_manager() && is_manager(roster, id) {
            self.sent_back.handle_new_manager();
        }
    }

    /// Handles the devices that only a person lets in, as another member knows them. Returns false if it is no manager.
    pub fn handle_sent_back(&mut self, from: ParticipantId, devices: &[u8], roster: &Roster) -> bool {
        let counts = is_manager(roster, from);
        if counts {
            self.sent_back.handle_message(devices, |device| is_present(roster, device));
        }
        counts
    }

    /// Sends what a new manager must know before it gets the keys.
    pub fn send(&mut self, log: &mut GroupLog, outputs: &mut Outputs) {
        self.sent_back.send(log, outputs);
    }
}

fn is_present(roster: &Roster, device: DeviceKey) -> bool {
    roster.present().any(|person| person.device == device)
}

fn is_manager(roster: &Roster, id: ParticipantId) -> bool {
    roster::member(roster, id).is_some_and(|member| member.role.is_manager())
}
