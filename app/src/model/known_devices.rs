//! What the model of a meeting does with the devices that this computer knows, and those that the user accepts.

use engine::ParticipantId;
use engine::certificate::Roots;

use super::identity::Badge;
use super::lobby::Asker;
use super::meeting::MeetingModel;
use crate::announce::Announcement;
use crate::pins::Pins;

impl MeetingModel {
    /// Sets which devices were known when the meeting began, on this day, and which organisations this computer trusts. Returns what
    /// assistive tools announce.
    pub fn set_known_devices(&mut self, known: Pins, day: u64, roots: Roots) -> Vec<Announcement> {
        self.identities.begin(known, day, roots, &self.people);
        self.judge_askers();
        let is_alarm = |asker: &&Asker| asker.badge.as_ref().is_some_and(Badge::is_alarm);
        self.asking.iter().filter(is_alarm).map(|asker| Announcement::OtherDevice(asker.name.clone())).collect()
    }

    /// Accepts the device of a participant, or of somebody who asks, as another device of the person with that name.
    pub fn accept_device(&mut self, id: ParticipantId) {
        let asker = self.asking.iter().find(|asker| asker.id == id);
        let asker = asker.map(|asker| (asker.evidence.device.to_string(), asker.name.clone()));
        let person = || self.person(id).map(|person| (person.device.clone(), person.name.clone()));
        if let Some((device, name)) = asker.or_else(person) {
            self.identities.accept(&device, &name, &self.people);
            self.judge_askers();
        }
    }

    fn judge_askers(&mut self) {
        for asker in &mut self.asking {
            (asker.badge, asker.refusal) = self.identities.judge_asker(&asker.evidence, &asker.name);
        }
    }
}

/// Removes those who ask and whom the user's rule lets in, and returns them. The caller admits them.
pub fn take_known(model: &mut MeetingModel) -> Vec<ParticipantId> {
    if !model.lobby.choices.admits_known || !model.may_admit() {
        return Vec::new();
    }
    let known: Vec<_> = model.asking.iter().filter(|asker| asker.is_known()).map(|asker| asker.id).collect();
    for id in &known {
        model.remove_asker(*id);
    }
    known
}
