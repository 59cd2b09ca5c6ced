//! What the WebRTC stack does not do with the messages of one TURN server: it does not check the integrity of answers (RFC 8489, section
//! 9.2.5), and does not ask for relayed addresses of IPv6 (RFC 8656, section 7.1).
//!
//! The stack's own requests show the realm, so the key is known here, too. Pure.

use crate::stun_integrity::{self, IntegrityResult, attribute};
use proto::TurnAccess;
use ring::hmac;
use rtc::crypto::default_provider;
use rtc::stun::fingerprint::fingerprint_value;
use rtc::stun::integrity::MessageIntegrity;
use std::collections::VecDeque;

/// The authentication of one server.
#[derive(Default)]
pub struct Authentication {
    username: String,
    password: String,
    /// The realm and user of the last authenticated request, and their key.
    key: Option<(Vec<u8>, Vec<u8>, hmac::Key)>,
    /// The authenticated requests whose answer is awaited, oldest first, and the key of each.
    sent: VecDeque<([u8; 12], hmac::Key)>,
    /// The user name and the password before the current ones: the stack may still use them.
    before: Option<(String, String)>,
}

impl std::fmt::Debug for Authentication {
    /// Writes no password.
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "Authentication({:?})", self.username)
    }
}

impl Authentication {
    /// Sets the credentials.
    pub fn set_access(&mut self, access: &TurnAccess) {
        if self.username != access.username || self.password != access.password {
            let username = std::mem::replace(&mut self.username, access.username.clone());
            let password = std::mem::replace(&mut self.password, access.password.clone());
            self.before = Some((username, password));
        }
    }

    /// Handles a datagram of the stack to the server. Returns the datagram to send instead, if it is a request for an allocation whose
    /// relayed address must be of IPv6.
    pub fn handle_sent(&mut self, datagram: &[u8], is_ipv6: bool) -> Option<Vec<u8>> {
        let [first, second, _, _, 0x21, 0x12, 0xa4, 0x42, rest @ ..] = datagram else { return None };
        if *first > 3 || u16::from_be_bytes([*first, *second]) & CLASS != 0 {
            return None;
        }
        let key = self.key_of(datagram);
        if let (Some(key), Some(id)) = (&key, rest.first_chunk::<12>()) {
            if self.sent.len() >= MAX_SENT {
                self.sent.pop_front();
            }
            self.sent.push_back((*id, key.clone()));
        }
        let is_allocation = [*first, *second] == ALLOCATE && attribute(datagram, REQUESTED_ADDRESS_FAMILY).is_none();
        (is_ipv6 && is_allocation).then(|| with_ipv6(datagram, key.as_ref()))?
    }

    /// Returns whether the stack may get a datagram of the server. It must not get answers that somebody else can have made.
    pub fn accepts(&mut self, datagram: &[u8]) -> bool {
        let [first, second, _, _, 0x21, 0x12, 0xa4, 0x42, rest @ ..] = datagram else { return true };
        let class = u16::from_be_bytes([*first, *second]) & CLASS;
        if *first > 3 || class != SUCCESS && class != ERROR {
            return true;
        }
        let sent = rest.first_chunk::<12>().and_then(|id| self.sent.iter().find(|(other, _)| other == id));
        let integrity = sent.map_or(IntegrityResult::Absent, |(_, key)| stun_integrity::check(datagram, key));
        match integrity {
            IntegrityResult::Valid => true,
            IntegrityResult::Wrong => false,
            // They ask for other credentials. Section 9.2.5 allows them without the attribute.
            IntegrityResult::Absent => class == ERROR && matches!(error_code(datagram), Some(401 | 438)),
        }
    }

    /// Returns the key of an authenticated request.
    fn key_of(&mut self, request: &[u8]) -> Option<hmac::Key> {
        let (realm, user) = (attribute(request, REALM)?.0, attribute(request, USERNAME)?.0);
        attribute(request, MESSAGE_INTEGRITY)?;
        if let Some((_, _, key)) = self.key.as_ref().filter(|(known, of, _)| known == realm && of == user) {
            return Some(key.clone());
        }
        let own = (self.username.clone(), self.password.clone());
        let known = [Some(own), self.before.clone()].into_iter().flatten();
        let (username, password) = known.into_iter().find(|(username, _)| username.as_bytes() == user)?;
        let provider = default_provider().ok()?;
        let realm_text = String::from_utf8(realm.to_vec()).ok()?;
        let secret =
            MessageIntegrity::long_term_integrity_key(username, realm_text, password, provider.crypto()).ok()?;
        let key = stun_integrity::key(&secret);
        self.key = Some((realm.to_vec(), user.to_vec(), key.clone()));
        Some(key)
    }
}

/// Returns a request with REQUESTED-ADDRESS-FAMILY, authenticated with `key`.
fn with_ipv6(request: &[u8], key: Option<&hmac::Key>) -> Option<Vec<u8>> {
    let end =
        [MESSAGE_INTEGRITY, FINGERPRINT].into_iter().filter_map(|number| Some(attribute(request, number)?.1)).min();
    let mut amended = request.get(..end.unwrap_or(request.len()))?.to_vec();
    amended.extend(REQUESTED_ADDRESS_FAMILY.to_be_bytes());
    amended.extend([0, 4, IPV6, 0, 0, 0]);
    stun_integrity::set_length(&mut amended, 0);
    if let Some(key) = key {
        stun_integrity::append(&mut amended, key);
    }
    stun_integrity::set_length(&mut amended, 8);
    let fingerprint = fingerprint_value(&amended);
    amended.extend(FINGERPRINT.to_be_bytes());
    amended.extend([0, 4]);
    amended.extend(fingerprint.to_be_bytes());
    Some(amended)
}

/// Returns the code of an error response (RFC 8489, section 14.8).
fn error_code(response: &[u8]) -> Option<u16> {
    let [_, _, class, number, ..] = attribute(response, ERROR_CODE)?.0 else { return None };
    Some(u16::from(class & 7) * 100 + u16::from(*number))
}

/// The bits of the type that are the class of a message, and the classes of responses.
const CLASS: u16 = 0x0110;
const SUCCESS: u16 = 0x0100;
const ERROR: u16 = 0x0110;

const ALLOCATE: [u8; 2] = [0, 3];
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const ERROR_CODE: u16 = 0x0009;
const REALM: u16 = 0x0014;
const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
const FINGERPRINT: u16 = 0x8028;

/// The value of REQUESTED-ADDRESS-FAMILY for IPv6.
const IPV6: u8 = 2;

/// Authenticated requests whose answer is awaited. The stack repeats a request with the same id.
const MAX_SENT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn access(username: &str, password: &str) -> TurnAccess {
        TurnAccess { username: username.into(), password: password.into(), servers: Vec::new() }
    }

    fn attributes(all: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (number, value) in all {
            bytes.extend(number.to_be_bytes());
            bytes.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            bytes.extend(*value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    fn message(kind: u16, id: u8, all: &[(u16, &[u8])]) -> Vec<u8> {
        let mut message = [&kind.to_be_bytes()[..], &[0, 0, 0x21, 0x12, 0xa4, 0x42], &[id; 12]].concat();
        message.extend(attributes(all));
        stun_integrity::set_length(&mut message, 0);
        message
    }

    fn key(password: &str) -> hmac::Key {
        let provider = default_provider().unwrap();
        let of = |text: &str| text.to_owned();
        let secret =
            MessageIntegrity::long_term_integrity_key(of("user"), of("realm"), of(password), provider.crypto());
        stun_integrity::key(&secret.unwrap())
    }

    fn signed(kind: u16, id: u8, all: &[(u16, &[u8])], password: &str) -> Vec<u8> {
        let mut message = message(kind, id, all);
        stun_integrity::append(&mut message, &key(password));
        message
    }

    const OF_USER: [(u16, &[u8]); 2] = [(USERNAME, b"user"), (REALM, b"realm")];

    /// Returns the authentication after one authenticated request with the id 7.
    fn asked() -> Authentication {
        let mut authentication = Authentication::default();
        authentication.set_access(&access("user", "password"));
        assert_eq!(authentication.handle_sent(&signed(4, 7, &OF_USER, "password"), false), None);
        authentication
    }

    #[test]
    fn only_authentic_answers_and_questions_for_credentials_reach_the_stack() {
        let mut authentication = asked();
        let error = |code: [u8; 2]| message(0x0114, 7, &[(ERROR_CODE, &[0, 0, code[0], code[1]])]);
        assert!(authentication.accepts(&signed(0x0104, 7, &[], "password")));
        assert!(authentication.accepts(&error([4, 1])) && authentication.accepts(&error([4, 38])));
        assert!(!authentication.accepts(&signed(0x0104, 7, &[], "guessed")), "another key");
        assert!(!authentication.accepts(&message(0x0104, 7, &[])), "no key");
        assert!(!authentication.accepts(&error([4, 3])), "anybody could refuse");
        let refused = signed(0x0114, 7, &[(ERROR_CODE, &[0, 0, 4, 3])], "password");
        assert!(authentication.accepts(&refused));
        assert!(!authentication.accepts(&signed(0x0104, 8, &[], "password")), "nobody has asked");
        let data: [&[u8]; 3] = [&message(0x0017, 9, &[]), &[0x40, 0, 0, 0], &[]];
        assert!(data.into_iter().all(|datagram| authentication.accepts(datagram)), "data are not authenticated");
    }

    #[test]
    fn answers_to_requests_with_the_credentials_before_are_accepted_after_new_ones_came() {
        let mut authentication = asked();
        authentication.set_access(&access("newer", "other"));
        assert!(authentication.accepts(&signed(0x0104, 7, &[], "password")));
        authentication.handle_sent(&signed(4, 8, &OF_USER, "password"), false);
        assert!(authentication.accepts(&signed(0x0104, 8, &[], "password")));
    }

    #[test]
    fn an_allocation_of_a_client_on_ipv6_asks_for_an_address_of_ipv6() {
        let mut authentication = Authentication::default();
        authentication.set_access(&access("user", "password"));
        let first = authentication.handle_sent(&message(3, 1, &[(0x19, &[17, 0, 0, 0])]), true).unwrap();
        assert_eq!(attribute(&first, REQUESTED_ADDRESS_FAMILY).unwrap().0, [IPV6, 0, 0, 0]);
        let second = signed(3, 2, &OF_USER, "password");
        let amended = authentication.handle_sent(&second, true).unwrap();
        assert_eq!(attribute(&amended, REQUESTED_ADDRESS_FAMILY).unwrap().0, [IPV6, 0, 0, 0]);
        assert_eq!(stun_integrity::check(&amended, &key("password")), IntegrityResult::Valid);
        let mut parsed = rtc::stun::message::Message::new();
        parsed.unmarshal_binary(&amended).unwrap();
        rtc::stun::fingerprint::FINGERPRINT.check(&parsed).unwrap();
        assert_eq!(authentication.handle_sent(&second, false), None, "IPv4 needs no attribute");
        assert_eq!(authentication.handle_sent(&signed(4, 3, &OF_USER, "password"), true), None, "no allocation");
    }
}
