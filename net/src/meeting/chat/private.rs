//! The keys for private messages. Each member makes one when somebody first writes to it privately, and keeps it until it
//! leaves the group.

use crypto::{Envelope, SealingKey, Zeroizing, chat};
use minicbor::bytes::ByteVec;
use proto::{MeetingId, ParticipantId};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::message::{ChatMessage, MAX_PRIVATE};
use crate::meeting::roster::Roster;

/// The keys. Has no `Debug`.
#[derive(Default)]
pub struct PrivateKeys {
    own: Option<SealingKey>,
    /// When the own key was last sent.
    offered: Option<Instant>,
    /// The public keys of others.
    known: BTreeMap<ParticipantId, Vec<u8>>,
    /// When each was asked for its key.
    asked: BTreeMap<ParticipantId, Instant>,
}

impl PrivateKeys {
    /// Returns the message with the own key for somebody who asks for it. `None` if it was just sent to all.
    pub fn answer(&mut self, now: Instant) -> Option<ChatMessage> {
        if self.offered.is_some_and(|last| now < last + INTERVAL) {
            return None;
        }
        if self.own.is_none() {
            self.own = SealingKey::generate().ok();
        }
        let public = self.own.as_ref()?.public().to_vec();
        self.offered = Some(now);
        Some(ChatMessage::Key { public: ByteVec::from(public) })
    }

    /// Handles the key of a member.
    pub fn handle_key(&mut self, from: ParticipantId, public: Vec<u8>) {
        if public.len() <= MAX_PUBLIC {
            self.known.insert(from, public);
        }
    }

    /// Returns the message that asks a member for its key. `None` if it is known, or was just asked for.
    pub fn ask(&mut self, of: ParticipantId, now: Instant) -> Option<ChatMessage> {
        if self.known.contains_key(&of) || self.asked.get(&of).is_some_and(|last| now < *last + INTERVAL) {
            return None;
        }
        self.asked.insert(of, now);
        Some(ChatMessage::KeyWanted { of })
    }

    pub fn is_known(&self, of: ParticipantId) -> bool {
        self.known.contains_key(&of)
    }

    /// Seals a padded message for a member. `None` if its key is not known, or not valid.
    pub fn seal(&mut self, plaintext: &[u8], envelope: Envelope) -> Option<ChatMessage> {
        let public = self.known.get(&envelope.to)?;
        let Ok(sealed) = chat::seal_private(plaintext, public, envelope) else {
            self.known.remove(&envelope.to);
            return None;
        };
        Some(ChatMessage::Private { to: envelope.to, sealed: sealed.into() })
    }

    /// Opens a message that a member has sealed for this client.
    pub fn open(
        &self,
        sealed: &[u8],
        meeting: MeetingId,
        (from, to): (ParticipantId, ParticipantId),
    ) -> Option<Zeroizing<Vec<u8>>> {
        chat::open_private(self.own.as_ref()?, sealed, Envelope { meeting, from, to }, MAX_PRIVATE)
    }

    /// Forgets the keys of those who have left.
    pub fn handle_group_change(&mut self, roster: &Roster) {
        self.known.retain(|id, _| roster.contains(*id));
        self.asked.retain(|id, _| roster.contains(*id));
    }
}

/// How often a key is sent, and one member is asked.
const INTERVAL: Duration = Duration::from_secs(5);

/// The maximum length of a public key in bytes. One of X-Wing has 1,216.
const MAX_PUBLIC: usize = 2_048;
