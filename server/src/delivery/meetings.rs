//! The meetings of the delivery service, and what the meetings of one origin use together.

use super::meeting::Meeting;
use crate::Origin;
use proto::{MeetingId, ParticipantId};
use std::collections::{BTreeSet, HashMap};

/// All meetings. Each belongs to the origin of its creator.
#[derive(Debug, Default)]
pub struct Meetings(HashMap<MeetingId, (Origin, Meeting)>);

impl Meetings {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns how many meetings an origin has created.
    pub fn of_origin(&self, origin: Origin) -> usize {
        self.0.values().filter(|(other, _)| *other == origin).count()
    }

    pub fn get(&self, id: MeetingId) -> Option<&Meeting> {
        self.0.get(&id).map(|(_, meeting)| meeting)
    }

    pub fn get_mut(&mut self, id: MeetingId) -> Option<&mut Meeting> {
        self.0.get_mut(&id).map(|(_, meeting)| meeting)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Meeting> {
        self.0.values_mut().map(|(_, meeting)| meeting)
    }

    pub fn insert(&mut self, id: MeetingId, origin: Origin, meeting: Meeting) {
        self.0.insert(id, (origin, meeting));
    }

    /// Removes a meeting if it has no members.
    pub fn remove_if_empty(&mut self, id: MeetingId) -> Option<Meeting> {
        self.get(id).filter(|meeting| meeting.is_empty())?;
        self.0.remove(&id).map(|(_, meeting)| meeting)
    }

    /// Returns the meetings without members.
    pub fn empty(&self) -> Vec<MeetingId> {
        self.0.iter().filter(|(_, (_, meeting))| meeting.is_empty()).map(|(id, _)| *id).collect()
    }

    /// Removes all meetings.
    pub fn take_all(&mut self) -> Vec<Meeting> {
        std::mem::take(&mut self.0).into_values().map(|(_, meeting)| meeting).collect()
    }

    /// Returns how many bytes the logs of all meetings keep.
    pub fn log_bytes(&self) -> usize {
        self.0.values().map(|(_, meeting)| meeting.log.bytes()).sum()
    }

    /// Returns the members of a participant's meeting, and how many wait to be admitted to it.
    pub fn of_participant(&self, participant: ParticipantId) -> Option<(BTreeSet<ParticipantId>, usize)> {
        let mut people = self.0.values().map(|(_, meeting)| (meeting.members(), meeting.waiting().count()));
        people.find(|(members, _)| members.contains(&participant))
    }

    /// Drops the log of a meeting if the logs of its origin's meetings together keep more than `max_bytes`. Members that are
    /// absent cannot resume then.
    pub fn bound_log(&mut self, id: MeetingId, max_bytes: usize) {
        let Some((origin, _)) = self.0.get(&id) else { return };
        let of_origin = self.0.values().filter(|(other, _)| other == origin);
        let bytes: usize = of_origin.map(|(_, meeting)| meeting.log.bytes()).sum();
        if bytes > max_bytes
            && let Some(meeting) = self.get_mut(id)
        {
            meeting.log.forget_before(meeting.log.end());
        }
    }
}
