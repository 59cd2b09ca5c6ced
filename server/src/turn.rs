//! Access to TURN servers: credentials by the convention of draft-uberti-behave-turn-rest-00, section 2.2, which coturn calls
//! `use-auth-secret`. This server and the TURN servers share a secret. Nobody stores credentials.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proto::{ParticipantId, TurnAccess, TurnServer};
use ring::hmac;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The TURN servers of a deployment.
#[derive(Clone)]
pub struct TurnConfig {
    /// The servers, at most [`proto::MAX_TURN_SERVERS`].
    pub servers: Vec<TurnServer>,
    /// The secret that they share with this server.
    pub secret: Vec<u8>,
    /// How long credentials are valid. Each answer to an offer carries new ones; a client that uses them asks after half of the time.
    pub validity: Duration,
}

impl std::fmt::Debug for TurnConfig {
    /// Writes no secret.
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "TurnConfig({:?})", self.servers)
    }
}

/// Makes credentials for the TURN servers.
#[derive(Clone, Debug)]
pub struct TurnService {
    servers: Vec<TurnServer>,
    validity: Duration,
    key: hmac::Key,
    /// The same moment by both clocks.
    start: (Instant, SystemTime),
}

impl TurnService {
    /// Returns the service for the servers of `config`. `start` is the same moment by both clocks. Returns `None` if there is no
    /// server.
    pub fn new(config: &TurnConfig, start: (Instant, SystemTime)) -> Option<Self> {
        // The convention prescribes SHA-1. HMAC does not depend on its resistance to collisions.
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &config.secret);
        (!config.servers.is_empty()).then(|| Self {
            servers: config.servers.clone(),
            validity: config.validity,
            key,
            start,
        })
    }

    /// Returns credentials of `participant`, from `now`.
    pub fn access(&self, participant: ParticipantId, now: Instant) -> TurnAccess {
        let (start, wall) = self.start;
        let end = wall + now.saturating_duration_since(start) + self.validity;
        let end = end.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let username = format!("{end}:{:016x}", participant.0);
        let password = STANDARD.encode(hmac::sign(&self.key, username.as_bytes()));
        TurnAccess { username, password, servers: self.servers.clone() }
    }
}

/// How long credentials are valid, unless a configuration says otherwise.
pub const TURN_VALIDITY: Duration = Duration::from_hours(12);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_those_of_the_convention_and_end() {
        let start = Instant::now();
        let config = TurnConfig {
            servers: vec![TurnServer::parse("turn:a.example").unwrap()],
            secret: b"north".to_vec(),
            validity: TURN_VALIDITY,
        };
        let wall = UNIX_EPOCH + Duration::from_secs(1_400_000_000);
        let service = TurnService::new(&config, (start, wall)).unwrap();
        let access = service.access(ParticipantId(0xabc), start + Duration::from_secs(30));
        assert_eq!(access.username, "1400043230:0000000000000abc");
        // printf %s 1400043230:0000000000000abc | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(access.password, "zVUoZjLbv462mFCBY4JoPISubrs=");
        assert_eq!(access.servers, config.servers);
        assert!(
            !format!("{access:?} {config:?}").contains("north") && !format!("{access:?}").contains(&access.password)
        );
        assert!(TurnService::new(&TurnConfig { servers: Vec::new(), ..config }, (start, wall)).is_none());
    }
}
