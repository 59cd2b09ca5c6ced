//! The meetings of the delivery service, and what the meetings of one origin use together.

use super::meeting::{self, Meeting};
use super::stored::Change;
use crate::Origin;
use proto::{MeetingId, ParticipantId};
use std::collections::{BTreeSet, HashMap};

/// All meetings. Each belongs to the origin of its creator. A meeting that was restored belongs to the origin of the first member
/// that resumes, and to none before: addresses are not stored.
#[derive(Debug, Default)]
pub struct Meetings {
    by_id: HashMap<MeetingId, (Option<Origin>, Meeting)>,
    /// The meetings that may have changed since the last [`Self::poll_change`]. Empty if meetings are not stored.
    touched: BTreeSet<MeetingId>,
    stores: bool,
}

impl Meetings {
    /// Returns meetings whose changes are stored, beginning with the restored ones. What was stored of a meeting that is `None`
    /// is damaged, and will be removed.
    pub fn stored(before: impl IntoIterator<Item = (MeetingId, Option<Meeting>)>) -> Self {
        let mut meetings = Self { stores: true, ..Self::default() };
        for (id, meeting) in before {
            if let Some(meeting) = meeting {
                meetings.by_id.insert(id, (None, meeting));
            } else {
                tracing::warn!("the stored bytes of a meeting are damaged: it cannot continue");
            }
            meetings.touched.insert(id);
        }
        meetings
    }

    /// Returns the next change to store.
    pub fn poll_change(&mut self) -> Option<(MeetingId, Change)> {
        while let Some(id) = self.touched.pop_first() {
            let change = match self.by_id.get_mut(&id) {
                Some((_, meeting)) => meeting::storage::take_change(meeting),
                None => Some(Change::Remove),
            };
            if let Some(change) = change {
                return Some((id, change));
            }
        }
        None
    }

    /// Assigns a restored meeting to `origin` if it belongs to no origin yet.
    pub fn assign(&mut self, id: MeetingId, origin: Origin) {
        if let Some((owner, _)) = self.by_id.get_mut(&id) {
            owner.get_or_insert(origin);
        }
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Returns how many meetings an origin has created.
    pub fn of_origin(&self, origin: Origin) -> usize {
        self.by_id.values().filter(|(other, _)| *other == Some(origin)).count()
    }

    pub fn get(&self, id: MeetingId) -> Option<&Meeting> {
        self.by_id.get(&id).map(|(_, meeting)| meeting)
    }

    pub fn get_mut(&mut self, id: MeetingId) -> Option<&mut Meeting> {
        let (_, meeting) = self.by_id.get_mut(&id)?;
        if self.stores {
            self.touched.insert(id);
        }
        Some(meeting)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (MeetingId, &mut Meeting)> {
        if self.stores {
            self.touched.extend(self.by_id.keys());
        }
        self.by_id.iter_mut().map(|(id, (_, meeting))| (*id, meeting))
    }

    pub fn insert(&mut self, id: MeetingId, origin: Origin, meeting: Meeting) {
        self.by_id.insert(id, (Some(origin), meeting));
        if self.stores {
            self.touched.insert(id);
        }
    }

    /// Removes a meeting if it has no members.
    pub fn remove_if_empty(&mut self, id: MeetingId) -> Option<Meeting> {
        self.get(id).filter(|meeting| meeting.is_empty())?;
        self.remove(id)
    }

    /// Removes a meeting.
    pub fn remove(&mut self, id: MeetingId) -> Option<Meeting> {
        if self.stores {
            self.touched.insert(id);
        }
        self.by_id.remove(&id).map(|(_, meeting)| meeting)
    }

    /// Returns the meetings without members.
    pub fn empty(&self) -> Vec<MeetingId> {
        self.by_id.iter().filter(|(_, (_, meeting))| meeting.is_empty()).map(|(id, _)| *id).collect()
    }

    /// Removes all meetings.
    pub fn take_all(&mut self) -> Vec<Meeting> {
        if self.stores {
            self.touched.extend(self.by_id.keys());
        }
        std::mem::take(&mut self.by_id).into_values().map(|(_, meeting)| meeting).collect()
    }

    /// Returns how many bytes the logs of all meetings keep.
    pub fn log_bytes(&self) -> usize {
        self.by_id.values().map(|(_, meeting)| meeting.log.bytes()).sum()
    }

    /// Returns the members of a participant's meeting, and how many wait to be admitted to it.
    pub fn of_participant(&self, participant: ParticipantId) -> Option<(BTreeSet<ParticipantId>, usize)> {
        let mut people = self.by_id.values().map(|(_, meeting)| (meeting.members(), meeting.waiting().count()));
        people.find(|(members, _)| members.contains(&participant))
    }

    /// Drops the log of a meeting if the logs of its origin's meetings together keep more than `max_bytes`. Members that are
    /// absent cannot resume then.
    pub fn bound_log(&mut self, id: MeetingId, max_bytes: usize) {
        let Some((Some(origin), _)) = self.by_id.get(&id) else { return };
        let of_origin = self.by_id.values().filter(|(other, _)| *other == Some(*origin));
        let bytes: usize = of_origin.map(|(_, meeting)| meeting.log.bytes()).sum();
        if bytes > max_bytes
            && let Some(meeting) = self.get_mut(id)
        {
            meeting.log.forget_before(meeting.log.end());
        }
    }
}
