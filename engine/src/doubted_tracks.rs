//! The received tracks that are not from their owner, as the screens know them.

use crypto::Authorship;
use proto::TrackId;
use std::collections::BTreeMap;

/// Tracks whose frames are dropped, because their owner has not signed them.
#[derive(Default)]
pub struct DoubtedTracks {
    reported: BTreeMap<TrackId, Authorship>,
}

/// What has changed.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// All tracks now.
    pub tracks: BTreeMap<TrackId, Authorship>,
    /// The tracks of which a forged frame was found, and none before.
    pub forged: Vec<TrackId>,
}

impl DoubtedTracks {
    /// Replaces the tracks by those of now. Returns `None` if they are the same.
    pub fn update(&mut self, now: BTreeMap<TrackId, Authorship>) -> Option<Change> {
        if now == self.reported {
            return None;
        }
        let is_forged = |of: Option<&Authorship>| of == Some(&Authorship::Forged);
        let forged = now.iter().filter(|(track, state)| is_forged(Some(state)) && !is_forged(self.reported.get(track)));
        let forged = forged.map(|(track, _)| *track).collect();
        self.reported.clone_from(&now);
        Some(Change { tracks: now, forged })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{ParticipantId, Slot};

    #[test]
    fn only_changes_are_reported_and_a_forgery_once() {
        let track = |owner| TrackId { owner: ParticipantId(owner), slot: Slot::Camera };
        let mut tracks = DoubtedTracks::default();
        let mut update = |now: &[(u64, Authorship)]| {
            tracks.update(now.iter().map(|(owner, state)| (track(*owner), *state)).collect())
        };
        assert_eq!(update(&[]), None);
        let first = update(&[(1, Authorship::Unproven)]).unwrap();
        assert_eq!((first.tracks.len(), first.forged), (1, Vec::new()));
        assert_eq!(update(&[(1, Authorship::Unproven)]), None);
        let forged = update(&[(1, Authorship::Forged), (2, Authorship::Forged)]).unwrap();
        assert_eq!(forged.forged, [track(1), track(2)]);
        assert_eq!(update(&[(1, Authorship::Forged)]).unwrap().forged, []);
        assert_eq!(update(&[]).unwrap().tracks.len(), 0);
    }
}
