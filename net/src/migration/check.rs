//! Connectivity checks of ICE (RFC 8445, section 7.2.2) that the stack knows nothing about: a request with the credentials of its
//! session, from another socket.

use crate::stun_integrity::{self, IntegrityResult};
use ring::hmac;
use rtc::stun::fingerprint::fingerprint_value;

/// The id of a transaction.
pub type TransactionId = [u8; 12];

/// The credentials of an ICE session, as far as they are known.
#[derive(Clone, Default)]
pub struct Credentials {
    /// Our user name fragment.
    local_ufrag: Option<String>,
    /// The server's user name fragment, and the key of its password.
    remote: Option<(String, hmac::Key)>,
}

impl std::fmt::Debug for Credentials {
    /// Writes no key.
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "Credentials({:?})", self.local_ufrag)
    }
}

impl Credentials {
    /// Reads our user name fragment from our session description.
    pub fn read_local(&mut self, sdp: &str) {
        self.local_ufrag = line(sdp, "a=ice-ufrag:").map(str::to_owned).or(self.local_ufrag.take());
    }

    /// Reads the server's credentials from its session description.
    pub fn read_remote(&mut self, sdp: &str) {
        let read = line(sdp, "a=ice-ufrag:").zip(line(sdp, "a=ice-pwd:"));
        self.remote = read
            .map(|(ufrag, password)| (ufrag.to_owned(), stun_integrity::key(password.as_bytes())))
            .or(self.remote.take());
    }

    /// Returns false if a session description of the server is that of another ICE session.
    pub fn is_session(&self, sdp: &str) -> bool {
        self.remote.as_ref().is_none_or(|(known, _)| line(sdp, "a=ice-ufrag:").is_none_or(|ufrag| ufrag == known))
    }

    /// Returns a check, or `None` if the credentials are not known. `nominate` asks the server to send there.
    pub fn check(&self, id: TransactionId, priority: u32, nominate: bool) -> Option<Vec<u8>> {
        let (local, (remote, key)) = (self.local_ufrag.as_ref()?, self.remote.as_ref()?);
        let mut message = [&BINDING_REQUEST[..], &[0, 0], &COOKIE, &id].concat();
        push(&mut message, USERNAME, format!("{remote}:{local}").as_bytes());
        push(&mut message, PRIORITY, &priority.to_be_bytes());
        // The server is ICE-lite, so it always has the other role, and the value for conflicts does not matter.
        push(&mut message, ICE_CONTROLLING, &[0; 8]);
        if nominate {
            push(&mut message, USE_CANDIDATE, &[]);
        }
        stun_integrity::append(&mut message, key);
        stun_integrity::set_length(&mut message, 8);
        let fingerprint = fingerprint_value(&message);
        push(&mut message, FINGERPRINT, &fingerprint.to_be_bytes());
        Some(message)
    }

    /// Returns whether a datagram is the server's success response to a check. Nobody can forge one without the password.
    pub fn is_answer(&self, datagram: &[u8]) -> bool {
        let key = self.remote.as_ref().map(|(_, key)| key);
        datagram.starts_with(&BINDING_SUCCESS)
            && key.is_some_and(|key| stun_integrity::check(datagram, key) == IntegrityResult::Valid)
    }
}

/// Returns the transaction of a response to a connectivity check, whether it is authentic or not.
pub fn transaction_of_answer(datagram: &[u8]) -> Option<TransactionId> {
    let is_answer = datagram.starts_with(&BINDING_SUCCESS) || datagram.starts_with(&BINDING_ERROR);
    datagram.get(4..8).filter(|cookie| is_answer && **cookie == COOKIE)?;
    datagram.get(8..)?.first_chunk().copied()
}

fn push(message: &mut Vec<u8>, number: u16, value: &[u8]) {
    message.extend(number.to_be_bytes());
    message.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
    message.extend(value);
    message.extend(&[0; 3][..value.len().next_multiple_of(4) - value.len()]);
}

/// Returns the rest of the first line of a session description that begins with `prefix`.
fn line<'s>(sdp: &'s str, prefix: &str) -> Option<&'s str> {
    sdp.lines().find_map(|line| line.strip_prefix(prefix)).map(str::trim)
}

const BINDING_REQUEST: [u8; 2] = [0, 1];
const BINDING_SUCCESS: [u8; 2] = [1, 1];
const BINDING_ERROR: [u8; 2] = [1, 0x11];
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const USERNAME: u16 = 0x0006;
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const FINGERPRINT: u16 = 0x8028;
const ICE_CONTROLLING: u16 = 0x802a;

#[cfg(test)]
pub mod tests {
    use super::*;
    use rtc::stun::fingerprint::FINGERPRINT as CHECKER;
    use rtc::stun::message::Message;

    const OFFER: &str = "v=0\r\na=ice-ufrag:mine\r\na=ice-pwd:secret\r\n";
    pub const ANSWER: &str = "v=0\r\na=ice-ufrag:server\r\na=ice-pwd:0123456789012345678901\r\n";

    pub fn credentials() -> Credentials {
        let mut credentials = Credentials::default();
        credentials.read_local(OFFER);
        credentials.read_remote(ANSWER);
        credentials
    }

    /// Returns the server's answer to a check.
    pub fn answer(check: &[u8], password: &str) -> Vec<u8> {
        let mut answer = [&BINDING_SUCCESS[..], &[0, 0], &check[4..20]].concat();
        stun_integrity::append(&mut answer, &stun_integrity::key(password.as_bytes()));
        answer
    }

    #[test]
    fn a_check_is_a_message_that_an_independent_reader_accepts() {
        let check = credentials().check([7; 12], 0x7f00_01ff, true).unwrap();
        let mut message = Message::new();
        message.unmarshal_binary(&check).unwrap();
        CHECKER.check(&message).unwrap();
        let key = stun_integrity::key(b"0123456789012345678901");
        assert_eq!(stun_integrity::check(&check, &key), IntegrityResult::Valid);
        assert_eq!(stun_integrity::attribute(&check, USERNAME).unwrap().0, b"server:mine");
        assert_eq!(stun_integrity::attribute(&check, PRIORITY).unwrap().0, [0x7f, 0, 1, 0xff]);
        assert!(stun_integrity::attribute(&check, USE_CANDIDATE).is_some());
        let plain = credentials().check([7; 12], 1, false).unwrap();
        assert!(stun_integrity::attribute(&plain, USE_CANDIDATE).is_none());
        assert_eq!(Credentials::default().check([7; 12], 1, false), None, "without credentials");
    }

    #[test]
    fn only_the_server_can_answer_a_check() {
        let credentials = credentials();
        let check = credentials.check([7; 12], 1, false).unwrap();
        let answered = answer(&check, "0123456789012345678901");
        assert!(credentials.is_answer(&answered));
        assert_eq!(transaction_of_answer(&answered), Some([7; 12]));
        let forged = answer(&check, "guessed");
        assert!(!credentials.is_answer(&forged));
        assert_eq!(transaction_of_answer(&forged), Some([7; 12]), "the stack must not get it either");
        for other in [&check[..], b"", &answered[..19], &[0x80; 40]] {
            assert!(!credentials.is_answer(other));
            assert_eq!(transaction_of_answer(other), None);
        }
    }

    #[test]
    fn an_answer_of_another_session_is_noticed() {
        let credentials = credentials();
        assert!(credentials.is_session(ANSWER) && Credentials::default().is_session(ANSWER));
        assert!(!credentials.is_session(&ANSWER.replace("server", "another")));
    }
}
