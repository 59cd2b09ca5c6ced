//! What members say that join again because they could not read the keys of somebody's commit.
//!
//! A manager that has merged the commit cannot know who is right. So it tells its user both names, lets the accused device in by no
//! rule any more, and removes it when [`COMPLAINTS_TO_REMOVE`] devices complain. A complaint counts only about a commit that this client has
//! seen that device make, as MLS has authenticated it, and only of a device that was a member.

use super::super::Notice;
use super::super::group_log::{GroupLog, committer};
use super::super::outputs::Outputs;
use super::super::roster::{Roster, by_device, member_at};
use crypto::{Complaint, DeviceKey};
use std::collections::{BTreeMap, BTreeSet};

/// The complaints so far.
#[derive(Default)]
pub struct Complaints {
    /// Whose commits ended the last epochs of the log.
    committers: BTreeMap<u64, DeviceKey>,
    /// The devices that could not read a commit of a device.
    by_accused: BTreeMap<DeviceKey, BTreeSet<DeviceKey>>,
    /// The devices that are to be removed.
    to_remove: Vec<DeviceKey>,
}

impl Complaints {
    /// Notes whose commit was merged last.
    pub fn handle_commit(&mut self, log: &GroupLog, roster: &Roster) {
        let Some(member) = committer(log).and_then(|leaf| member_at(roster, leaf)) else { return };
        self.committers.insert(log.epoch().0.saturating_sub(1), member.device);
        while self.committers.len() > MAX_EPOCHS {
            self.committers.pop_first();
        }
    }

    /// Handles the complaint in a request of the device `by`, which was a member and has the name `reader`.
    pub fn add(
        &mut self,
        complaint: Complaint,
        (by, reader): (DeviceKey, &str),
        roster: &Roster,
        outputs: &mut Outputs,
    ) {
        let accused = complaint.device;
        let is_author = self.committers.get(&complaint.epoch.0) == Some(&accused);
        if !is_author || accused == by {
            return;
        }
        if !self.by_accused.contains_key(&accused) && self.by_accused.len() >= MAX_ACCUSED {
            self.by_accused.pop_first();
        }
        let complaining = self.by_accused.entry(accused).or_default();
        let is_new = complaining.len() < COMPLAINTS_TO_REMOVE && complaining.insert(by);
        if let Some(author) = by_device(roster, accused) {
            outputs.notice(Notice::KeysReported { author: author.id, reader: reader.to_owned() });
        }
        if is_new && complaining.len() == COMPLAINTS_TO_REMOVE {
            self.to_remove.push(accused);
        }
    }

    /// Returns true if somebody has complained about a device.
    pub fn is_accused(&self, device: DeviceKey) -> bool {
        self.by_accused.contains_key(&device)
    }

    /// Returns the devices about which enough others have complained, once.
    pub fn take_devices_to_remove(&mut self) -> Vec<DeviceKey> {
        std::mem::take(&mut self.to_remove)
    }
}

/// A device is removed when so many others could not read its commits. One member that lies has nobody removed.
const COMPLAINTS_TO_REMOVE: usize = 3;

/// For how many epochs the committers are kept. Who cannot read a commit complains within seconds.
const MAX_EPOCHS: usize = 128;

/// For how many devices complaints are kept.
const MAX_ACCUSED: usize = proto::MAX_MEMBERS;
