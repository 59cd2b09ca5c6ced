//! What a member says when it joins again because it could not read the keys of somebody's commit.

use crate::identity::DeviceKey;
use proto::Epoch;

/// A commit whose path secret its sender could not read. It is the last part of a request to join (docs/frames.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The device of the committer, as the complaining member knows it.
    pub device: DeviceKey,
    /// The epoch of the log that the commit ended.
    pub epoch: Epoch,
}

impl Complaint {
    /// Returns `device 32 B | epoch 8 B`.
    pub(crate) fn encode(self) -> [u8; COMPLAINT] {
        let mut bytes = [0; COMPLAINT];
        bytes[..32].copy_from_slice(&self.device.0);
        bytes[32..].copy_from_slice(&self.epoch.0.to_be_bytes());
        bytes
    }

    /// Reads what follows the key package: nothing, or one complaint. `None` if it is something else.
    #[expect(clippy::option_option, reason = "no complaint is not a malformed one")]
    pub(crate) fn decode(bytes: &[u8]) -> Option<Option<Self>> {
        if bytes.is_empty() {
            return Some(None);
        }
        let (device, epoch) = bytes.split_first_chunk::<32>()?;
        let epoch = u64::from_be_bytes(epoch.try_into().ok()?);
        Some(Some(Self { device: DeviceKey(*device), epoch: Epoch(epoch) }))
    }
}

/// The length of a complaint in bytes.
const COMPLAINT: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Identity, ManagerKeys, Profile, knock_again};
    use proto::ParticipantId;
    use std::time::SystemTime;

    #[test]
    fn a_request_carries_a_complaint_to_the_managers_and_nothing_else_may_follow_it() {
        let (mut keys, guest) = (ManagerKeys::new().unwrap(), Identity::generate().unwrap());
        let (invitation, chain) = (keys.invitation("h", 1, None), keys.chain().encode());
        let now = SystemTime::now();
        let complaint = Complaint { device: DeviceKey([9; 32]), epoch: Epoch(77) };
        for said in [None, Some(complaint)] {
            let me = (&guest, Profile::new("Bob").unwrap(), ParticipantId(2));
            let made = knock_again(&invitation, (keys.public_key(), &chain), me, said, now);
            let request = made.unwrap().1;
            let mut plain = crate::hostile::request_plaintext(&keys, &request).unwrap();
            plain.push(0);
            let longer = crate::hostile::seal_request(&keys, &plain).unwrap();
            assert!(matches!(keys.open(&longer, now), Err(crate::admission_key::Error::Malformed)));
            assert_eq!(keys.open(&request, now).unwrap().complaint(), said);
        }
    }

    #[test]
    fn a_complaint_has_one_length() {
        let complaint = Complaint { device: DeviceKey([7; 32]), epoch: Epoch(u64::MAX - 1) };
        let bytes = complaint.encode();
        assert_eq!(Complaint::decode(&bytes), Some(Some(complaint)));
        assert_eq!(Complaint::decode(&[]), Some(None));
        for length in (1..COMPLAINT).chain([COMPLAINT + 1, 2 * COMPLAINT]) {
            assert_eq!(Complaint::decode(&vec![0; length]), None, "{length}");
        }
    }
}
