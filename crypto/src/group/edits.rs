//! New policies of a group, for its own commits.

use super::{Changes, Error, Group, MeetingPolicy, PolicyChange, PolicyEdit, authorize};
use crate::Leaf;
use crate::identity::DeviceKey;
use crate::knock_request::KnockRequest;
use crate::manager_keys::ManagerKeys;

/// Returns `Ok` if we may commit a policy with `edits` now.
///
/// # Errors
/// Returns [`Error::Policy`] if the edits are not possible, and [`Error::Rejected`] if they are not ours to make.
pub fn may_edit(group: &Group, edits: &[PolicyEdit]) -> Result<(), Error> {
    let (policy, members) = (&group.policy, &group.credentials);
    Ok(authorize::may_edit(policy, &policy.edited(edits)?, members, group.me())?)
}

/// Returns the changes that remove `devices` for good, whether or not they have leaves now: all their leaves leave, the
/// policy bars the devices, and the keys of the meeting rotate, so that the old link leads only to a manager's decision.
/// Devices of people who are not below us are left out. If the keys cannot rotate any more, only the devices are barred.
///
/// # Errors
/// Returns [`Error::Policy`] if the policy has no room or `keys` are not the authority's, [`Error::Keys`] if no new keys
/// could be made. [`Changes::remove`] alone still removes the leaves then.
pub fn removal_of_devices(group: &Group, devices: &[DeviceKey], keys: &mut ManagerKeys) -> Result<Changes, Error> {
    removal_with_edits(group, devices, &[], keys)
}

/// Returns the changes of [`removal_of_devices`], whose policy also has the edits `first`.
///
/// # Errors
/// As [`removal_of_devices`], and if the edits are not possible.
pub fn removal_with_edits(
    group: &Group,
    devices: &[DeviceKey],
    first: &[PolicyEdit],
    keys: &mut ManagerKeys,
) -> Result<Changes, Error> {
    let (policy, members) = (group.policy(), group.members());
    let role = members.iter().find(|member| member.leaf == group.me()).map_or(policy.everyone(), |me| me.role);
    let below = devices.iter().filter(|device| role.is_above(policy.role_of_device(**device)));
    let bar: Vec<DeviceKey> = below.copied().collect();
    if bar.is_empty() {
        return Ok(Changes::default());
    }
    let remove = members.iter().filter(|member| bar.contains(&member.device)).map(|member| member.leaf).collect();
    let edits: Vec<_> = first.iter().copied().chain(bar.into_iter().map(PolicyEdit::Bar)).collect();
    Ok(Changes { remove, policy: Some(edited_policy(policy, &edits, true, keys)?), ..Changes::default() })
}

/// Returns the policy with `edits`, signed. The keys of the meeting rotate if `rotate` is true or a manager stops being one,
/// unless they cannot rotate any more.
///
/// # Errors
/// Returns [`Error::Policy`] if the edits are not possible or `keys` are not the authority's, [`Error::Keys`] if no new keys
/// could be made.
pub fn edited_policy(
    policy: &MeetingPolicy,
    edits: &[PolicyEdit],
    rotate: bool,
    keys: &mut ManagerKeys,
) -> Result<MeetingPolicy, Error> {
    let rotate = rotate || policy.loses_manager(&policy.edited(edits)?);
    let rotate = rotate && keys.can_rotate();
    if rotate {
        keys.prepare_rotation()?;
    }
    Ok(policy.next(&PolicyChange { edits: edits.to_vec(), rotate }, keys)?)
}

/// Returns the edit by which a joiner, whose device the policy lists and whose old leaf `remove` removes or who has none any
/// more, has its role and rights again. `None` if there is nothing to change.
#[must_use]
pub fn return_of(group: &Group, request: &KnockRequest, remove: &[Leaf]) -> Option<PolicyEdit> {
    let (device, participant) = (request.device(), request.participant());
    let listed = group.policy().people().iter().find(|person| person.device == device)?.participant;
    let is_present = group
        .members()
        .iter()
        .any(|member| (member.device, member.participant) == (device, listed) && !remove.contains(&member.leaf));
    (listed != participant && !is_present).then_some(PolicyEdit::Return(device, participant))
}
