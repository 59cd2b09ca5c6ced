//! What all meetings share: the limits, and the key of the resume tokens.

use crate::Limits;
use proto::{MAX_MEMBERS, MeetingId, ParticipantId, ResumeToken};
use ring::hmac;

/// The limits, and the key of the resume tokens.
#[derive(Debug)]
pub struct Settings {
    pub limits: Limits,
    /// Whether meetings are stored.
    pub stores: bool,
    key: hmac::Key,
}

impl Settings {
    /// Returns settings with tokens that only somebody who knows `secret` can make.
    pub fn new(limits: Limits, secret: &[u8; 32]) -> Self {
        Self { limits, stores: false, key: hmac::Key::new(hmac::HMAC_SHA256, secret) }
    }

    /// Returns the same settings for a service that stores its meetings.
    pub fn storing(self) -> Self {
        Self { stores: true, ..self }
    }

    /// Returns how many members a meeting has places for. For who comes back as an organiser there is one more, if the protocol has room
    /// for it: otherwise somebody could take an organiser's place while it is away.
    pub fn places(&self, returns: bool) -> usize {
        let places = self.limits.members;
        if returns { places.max((places + 1).min(MAX_MEMBERS)) } else { places }
    }

    /// Returns the token of a member: an HMAC over its ids, so it is not stored.
    pub fn token(&self, meeting: MeetingId, participant: ParticipantId) -> ResumeToken {
        let mut token = [0; 32];
        token.copy_from_slice(hmac::sign(&self.key, &ids(meeting, participant)).as_ref());
        ResumeToken(token)
    }

    /// Returns whether `token` is the token of a member. Takes the same time for all wrong tokens.
    pub fn accepts(&self, token: &ResumeToken, meeting: MeetingId, participant: ParticipantId) -> bool {
        hmac::verify(&self.key, &ids(meeting, participant), &token.0).is_ok()
    }
}

fn ids(meeting: MeetingId, participant: ParticipantId) -> Vec<u8> {
    [meeting.0.as_slice(), &participant.0.to_be_bytes()].concat()
}
