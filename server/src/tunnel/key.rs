//! The tokens by which participants open tunnels. The server stores none of them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proto::ParticipantId;
use ring::hmac;
use ring::rand::SystemRandom;
use std::time::{Duration, Instant};

/// Makes and checks tokens: the participant, the end of validity, and an HMAC over both, in base64url (RFC 4648, section 5).
#[derive(Debug)]
pub struct TunnelKey {
    key: hmac::Key,
    /// Ends of validity count from here.
    start: Instant,
}

impl TunnelKey {
    /// Returns a random key, or `None` if the system has no random bytes.
    pub fn generate(now: Instant) -> Option<Self> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok()?;
        Some(Self { key, start: now })
    }

    /// Returns a token of `participant` that is valid for twelve hours from `now`.
    pub fn token(&self, participant: ParticipantId, now: Instant) -> String {
        let until = now.saturating_duration_since(self.start) + LIFETIME;
        let mut bytes = [participant.0.to_be_bytes(), until.as_secs().to_be_bytes()].concat();
        let tag = hmac::sign(&self.key, &bytes);
        bytes.extend(tag.as_ref());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Returns the participant that a token names, or `None` if the token is not valid at `now`. The HMAC is compared in constant
    /// time.
    pub fn participant(&self, token: &str, now: Instant) -> Option<ParticipantId> {
        if token.len() != TOKEN_LENGTH {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (named, tag) = bytes.split_at_checked(NAMED_BYTES)?;
        hmac::verify(&self.key, named, tag).ok()?;
        let (participant, until) = named.split_first_chunk::<8>()?;
        let until = Duration::from_secs(u64::from_be_bytes(*until.first_chunk::<8>()?));
        (now.saturating_duration_since(self.start) <= until).then(|| ParticipantId(u64::from_be_bytes(*participant)))
    }
}

/// How long a token is valid. Each answer to an offer carries a new one, and the participant must be in a meeting.
const LIFETIME: Duration = Duration::from_hours(12);

/// The participant and the end of validity.
const NAMED_BYTES: usize = 16;

/// The characters of a token: six bits each, of what it names and of an HMAC-SHA256.
const TOKEN_LENGTH: usize = (NAMED_BYTES + 32) / 3 * 4;

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: ParticipantId = ParticipantId(7);

    #[test]
    fn a_token_names_its_participant_until_it_ends() {
        let start = Instant::now();
        let key = TunnelKey::generate(start).unwrap();
        let token = key.token(ANNA, start + Duration::from_secs(5));
        assert!(proto::is_tunnel_token(&token), "{token}");
        assert_eq!(key.participant(&token, start), Some(ANNA));
        assert_eq!(key.participant(&token, start + Duration::from_secs(5) + LIFETIME), Some(ANNA));
        assert_eq!(key.participant(&token, start + Duration::from_secs(6) + LIFETIME), None, "too late");
    }

    #[test]
    fn changed_tokens_and_those_of_another_server_are_refused() {
        let now = Instant::now();
        let (key, other) = (TunnelKey::generate(now).unwrap(), TunnelKey::generate(now).unwrap());
        let token = key.token(ANNA, now);
        assert_eq!(other.participant(&token, now), None);
        for index in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[index] = if changed[index] == b'0' { b'1' } else { b'0' };
            assert_eq!(key.participant(std::str::from_utf8(&changed).unwrap(), now), None, "character {index}");
        }
        for wrong in ["", &token[1..], &format!("{token}0"), &"z".repeat(token.len()), &"é".repeat(token.len() / 2)] {
            assert_eq!(key.participant(wrong, now), None, "{wrong}");
        }
    }
}
