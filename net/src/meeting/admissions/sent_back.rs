//! The devices that only a person lets in: members that were sent back, and all former members after the stop of everything.
//! All members of that time know them. A manager who comes later learns them from the others, before it gets the keys.

use super::super::group_log::GroupLog;
use super::super::outputs::Outputs;
use super::super::state::Message;
use crypto::DeviceKey;
use proto::MAX_MEMBERS;
use std::collections::BTreeSet;

/// The devices.
#[derive(Default)]
pub(super) struct SentBack {
    devices: BTreeSet<DeviceKey>,
    /// True once there were too many of them. Then any device may be one that was sent back.
    has_overflowed: bool,
    /// True if another manager does not know them.
    is_wanted: bool,
}

impl SentBack {
    /// Returns true if only a person lets the device in.
    pub(super) fn contains(&self, device: DeviceKey) -> bool {
        self.has_overflowed || self.devices.contains(&device)
    }

    /// Adds devices.
    pub(super) fn extend(&mut self, devices: impl IntoIterator<Item = DeviceKey>) {
        for device in devices {
            if self.devices.len() < MAX_KNOWN {
                self.devices.insert(device);
            } else {
                self.has_overflowed |= !self.devices.contains(&device);
            }
        }
    }

    /// Forgets the devices of members.
    pub(super) fn remove_present(&mut self, is_present: impl Fn(DeviceKey) -> bool) {
        self.devices.retain(|device| !is_present(*device));
    }

    /// Handles that somebody has become a manager.
    pub(super) fn handle_new_manager(&mut self) {
        self.is_wanted = !self.devices.is_empty();
    }

    /// Handles the devices that another manager knows.
    pub(super) fn handle_message(&mut self, devices: &[u8], is_present: impl Fn(DeviceKey) -> bool) {
        let (devices, _) = devices.as_chunks::<KEY>();
        self.extend(devices.iter().take(MAX_MEMBERS).copied().map(DeviceKey).filter(|device| !is_present(*device)));
    }

    /// Sends the devices if another manager does not know them. While a commit is pending, MLS cannot encrypt. Then the next
    /// call tries again.
    pub(super) fn send(&mut self, log: &mut GroupLog, outputs: &mut Outputs) {
        if !self.is_wanted {
            return;
        }
        let devices: Vec<DeviceKey> = self.devices.iter().copied().collect();
        for some in devices.chunks(MAX_MEMBERS) {
            let devices: Vec<u8> = some.iter().flat_map(|device| device.0).collect();
            let Some(message) = log.seal(&Message::SentBack { devices: devices.into() }) else { return };
            outputs.transmit(message);
        }
        self.is_wanted = false;
    }
}

/// How many devices are remembered.
pub(super) const MAX_KNOWN: usize = 4 * MAX_MEMBERS;

/// The length of a device key.
const KEY: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    /// A manager can name as many devices as it wants. It must not get rid of others by that.
    #[test]
    fn of_too_many_devices_none_is_forgotten() {
        let device = |number: usize| {
            let mut key = [0xff; KEY];
            key[..8].copy_from_slice(&number.to_be_bytes());
            DeviceKey(key)
        };
        let mut sent_back = SentBack::default();
        sent_back.extend([device(0)]);
        sent_back.extend((1..MAX_KNOWN).map(device));
        assert!(!sent_back.contains(device(MAX_KNOWN)));
        sent_back.extend([device(7), device(MAX_KNOWN)]);
        assert!(sent_back.contains(device(0)) && sent_back.contains(device(MAX_KNOWN)));
        assert_eq!(sent_back.devices.len(), MAX_KNOWN);
    }
}
