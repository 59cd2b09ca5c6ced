//! The ICE user name fragments (`ufrag`) of the server. The first byte is the number of the participant's media thread, so the thread
//! that receives needs no table of names.

use std::panic::{AssertUnwindSafe, catch_unwind};
use str0m::ice::StunMessage;
use str0m::{IceCreds, Rtc};

/// Returns random credentials for a transport of `thread`. The other 15 characters of the `ufrag` are random. RFC 8445, section 5.3,
/// requires four.
pub fn credentials(thread: u8) -> IceCreds {
    let mut credentials = IceCreds::new();
    let first = char::from(FIRST_THREAD.saturating_add(thread));
    credentials.ufrag.replace_range(..1, first.encode_utf8(&mut [0; 4]));
    credentials
}

/// Returns the number of the thread in a `ufrag`. There may be no such thread.
pub fn thread_of(ufrag: &str) -> Option<u8> {
    ufrag.bytes().next()?.checked_sub(FIRST_THREAD)
}

/// Returns `answer` with a `ufrag` of the same thread as `before`. After an ICE restart of the client, the stack has chosen a
/// random one.
pub fn keep_thread(rtc: &mut Rtc, before: &IceCreds, answer: String) -> String {
    let chosen = rtc.direct_api().local_ice_credentials();
    let Some(thread) = thread_of(&before.ufrag).filter(|thread| thread_of(&chosen.ufrag) != Some(*thread)) else {
        return answer;
    };
    let own = credentials(thread);
    let answer = answer.replace(&chosen.ufrag, &own.ufrag).replace(&chosen.pass, &own.pass);
    rtc.direct_api().set_local_ice_credentials(own);
    answer
}

/// Calls `map` with the server's `ufrag` in a STUN request. Returns `None` if the datagram is no such request.
pub fn map_ufrag<T>(datagram: &[u8], map: impl FnOnce(&str) -> T) -> Option<T> {
    // The first byte of a STUN message is 0 or 1 (RFC 7983, section 7).
    if datagram.first().is_none_or(|first| *first > 1) {
        return None;
    }
    // Anybody can send such a datagram, so a panic of the parser must not end the thread. Unwind safe: it changes no state.
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        let message = StunMessage::parse(datagram).ok()?;
        let (ufrag, _) = message.split_username()?;
        Some(map(ufrag))
    }));
    parsed.unwrap_or(None)
}

/// The first byte of a `ufrag` of thread 0. A `ufrag` may contain digits.
const FIRST_THREAD: u8 = b'0';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_names_its_thread_and_is_random() {
        for thread in 0..8 {
            let [first, second] = [thread, thread].map(credentials);
            assert_eq!(thread_of(&first.ufrag), Some(thread));
            assert!(first.ufrag.len() == 16 && first.pass.len() >= 22, "{} {}", first.ufrag.len(), first.pass.len());
            assert!(first.ufrag != second.ufrag && first.pass != second.pass);
            assert!(first.ufrag.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte)));
        }
        assert_eq!((thread_of(""), thread_of("!")), (None, None));
    }

    #[test]
    fn datagrams_that_are_no_stun_requests_have_no_user_name() {
        for datagram in [&[][..], &[0], &[0, 1, 0, 0], &[1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42], &[0x80; 40], &[0; 40]] {
            assert_eq!(map_ufrag(datagram, str::to_owned), None);
        }
    }
}
