//! The server's name or address in an invitation link.

use engine::SecretLink;

/// The name or address that the link names, without brackets; `None` if it is not a link.
pub fn host(link: &SecretLink) -> Option<String> {
    Some(link.invitation().ok()?.host)
}

/// The same link with another name or address of the server. Returns `None` if `link` is not a link, or `host` is
/// neither a name nor an address.
pub fn at_host(link: &SecretLink, host: &str) -> Option<SecretLink> {
    let bare = host.trim().trim_start_matches('[').trim_end_matches(']');
    let invitation = link.invitation().ok()?;
    let changed = SecretLink::from(&invitation.at(bare, invitation.port, invitation.fingerprint));
    (self::host(&changed).as_deref() == Some(bare)).then_some(changed)
}

/// The link to give to others, for a server on this computer that is reached by `hosts`, best first. The program itself
/// connects to another address. Returns `link` if `hosts` is empty.
pub fn to_share(link: &SecretLink, hosts: &[String]) -> SecretLink {
    hosts.first().and_then(|host| at_host(link, host)).unwrap_or_else(|| link.clone())
}

/// The link to give to others after it has changed to `link`. It keeps the name or address that `before`, the link to give
/// to others until now, names.
pub fn to_share_next(link: &SecretLink, before: &SecretLink, hosts: &[String]) -> SecretLink {
    let kept = host(before).filter(|_| !hosts.is_empty()).and_then(|host| at_host(link, &host));
    kept.unwrap_or_else(|| to_share(link, hosts))
}

/// Whether the text is a host name or an IPv4 address.
pub fn is_host(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !text.is_empty() && text.len() <= MAX_HOST && text.bytes().all(plain)
}

/// The maximum length of a host name (RFC 1035, section 3.1).
const MAX_HOST: usize = 253;

/// A link to a server at `host`.
#[cfg(test)]
pub fn example(host: &str) -> SecretLink {
    // Version 2, a binding and a secret of 16 bytes each, no flags.
    format!("conclave://{host}:7443/#Ag{}", "A".repeat(42)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_host_of_a_link_changes() {
        let link = example("192.168.1.2");
        for (host, expected) in
            [("meet.example.org", "meet.example.org"), ("10.0.0.1", "10.0.0.1"), ("[fd00::2]", "fd00::2")]
        {
            let changed = at_host(&link, host).expect(host);
            assert_eq!(super::host(&changed).as_deref(), Some(expected));
            assert_eq!(at_host(&changed, "192.168.1.2").as_ref(), Some(&link), "something else has changed");
        }
        for wrong in ["", "a b", "a/b", "host:1", "::g", "#"] {
            assert_eq!(at_host(&link, wrong), None, "{wrong}");
        }
        assert_eq!(at_host(&"no link".into(), "host"), None);
        assert_eq!(to_share(&link, &[]), link);
        assert_eq!(to_share(&link, &["a".into(), "b".into()]), example("a"));
    }

    #[test]
    fn a_new_link_keeps_the_address_that_the_user_chose() {
        let (link, hosts) = (example("127.0.0.1"), ["a".to_owned(), "b".to_owned()]);
        assert_eq!(to_share_next(&link, &example("b"), &hosts), example("b"));
        assert_eq!(to_share_next(&link, &SecretLink::default(), &hosts), example("a"));
        assert_eq!(to_share_next(&link, &example("b"), &[]), link, "the server runs elsewhere");
    }

    #[test]
    fn hosts_have_no_port_and_no_brackets() {
        assert!(is_host("meet.example.org") && is_host("192.0.2.1"));
        assert!(!is_host("") && !is_host("a b") && !is_host("[::1]") && !is_host("a:1") && !is_host(&"a".repeat(254)));
    }
}
