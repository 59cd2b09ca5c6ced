//! Tests of links and of finding them.

use super::*;
use crate::admission_key::SECRET;
use crate::provider::sha256;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

fn invitation(host: &str, fingerprint: Option<[u8; 32]>) -> Invitation {
    let (binding, secret) = (Binding([9; 16]), Secret::copy_of(&[7; 16]));
    let fingerprint = fingerprint.map(Fingerprint::from);
    Invitation { host: host.into(), port: 7000, meeting: binding.meeting(), binding, secret, fingerprint }
}

fn error(text: &str) -> Error {
    text.parse::<Invitation>().unwrap_err()
}

#[test]
fn links_round_trip() {
    for host in ["meet.example.org", "127.0.0.1", "::1", "localhost"] {
        for fingerprint in [None, Some([3; 32])] {
            let first = invitation(host, fingerprint);
            let rotated = Invitation { meeting: MeetingId([0xab; 16]), ..first.clone() };
            for made in [first, rotated] {
                let text = made.to_text();
                let read: Invitation = format!("  {}\n", *text).parse().unwrap();
                assert_eq!(read.to_text(), text);
                assert_eq!((read.host.as_str(), read.port, read.fingerprint), (host, 7000, made.fingerprint));
                assert_eq!((read.secret.expose(), read.binding), ([7; 16].as_slice(), Binding([9; 16])));
                assert_eq!(read.meeting, made.meeting);
            }
        }
    }
}

#[test]
fn a_link_with_an_address_and_a_fingerprint_has_at_most_100_characters() {
    let longest = Invitation { port: 65_535, ..invitation("255.255.255.255", Some([0xff; 32])) };
    assert_eq!(longest.to_text().len(), 100);
    assert_eq!(invitation("meet.example.org", None).to_text().len(), 78);
}

#[test]
fn every_truncation_is_rejected_with_a_reason() {
    let text = invitation("host", Some([3; 32])).to_text();
    let secret_begins = text.find('#').unwrap() + 1;
    for length in 0..text.len() {
        let expected = match length {
            0..11 => Error::NotALink,
            11 => Error::BadHost,
            12..17 => Error::BadPort,
            17..=22 => Error::NoSecret,
            _ => error(&text[..length]),
        };
        assert_eq!(error(&text[..length]), expected, "{}", &text[..length]);
        if length > secret_begins + 1 {
            assert_eq!(expected, Error::Truncated);
        }
    }
    assert_eq!(error(&text[..secret_begins - 1]), Error::NoSecret);
    assert_eq!(error(&text[..secret_begins]), Error::NoSecret);
}

#[test]
fn other_versions_and_damage_are_distinguished() {
    let link = invitation("host", None).to_text();
    let (place, secret) = link.split_once('#').unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(secret).unwrap();
    let with = |bytes: &[u8]| format!("{place}#{}", URL_SAFE_NO_PAD.encode(bytes));
    assert_eq!(error(&with(&[bytes.clone(), vec![0]].concat())), Error::TooLong);
    assert_eq!(error(&format!("{place}#{}", "A".repeat(600))), Error::TooLong);
    assert_eq!(error(&format!("{place}#ab%20")), Error::Damaged);
    assert_eq!(error(&format!("{place}#**")), Error::Damaged);
    assert_eq!(error(&format!("{place}#{}!{}", &secret[..9], &secret[9..])), Error::Damaged);
    assert_eq!(error(&format!("{place}m/x#{secret}")), Error::BadPath);
    bytes[0] = 0x42;
    assert_eq!(error(&with(&bytes)), Error::Damaged);
    bytes[0] = 3;
    assert_eq!(error(&with(&bytes)), Error::OtherVersion(3));
}

#[test]
fn links_of_the_first_version_are_refused_as_such() {
    let bytes = [[1].as_slice(), &[9; 32], &[7; 32], &[1], &[3; 32]].concat();
    let old = format!("conclave://127.0.0.1:7000/m/{}#{}", "ab".repeat(16), URL_SAFE_NO_PAD.encode(&bytes));
    assert_eq!(error(&old), Error::OtherVersion(1));
}

#[test]
fn texts_that_are_no_link_are_rejected() {
    assert_eq!(error("https://example.org"), Error::NotALink);
    assert_eq!(error("é".repeat(20).as_str()), Error::NotALink);
    assert_eq!(error("conclave:///#A"), Error::BadHost);
    assert_eq!(error("conclave://a%20b:1/#A"), Error::BadHost);
    assert_eq!(error("conclave://[::zz]:1/#A"), Error::BadHost);
    assert_eq!(error("conclave://[::1]/#A"), Error::BadPort);
    for port in ["", ":", ":0", ":65536", ":+1", ":x"] {
        assert_eq!(error(&format!("conclave://host{port}/#A")), Error::BadPort);
    }
}

#[test]
fn links_are_found_in_what_people_paste() {
    for fingerprint in [None, Some([0xa5; 32])] {
        let made = invitation("meet.example.org", fingerprint);
        let rotated = Invitation { meeting: MeetingId([0xab; 16]), ..made.clone() };
        for made in [made, rotated] {
            let link = made.to_text();
            let (place, secret) = link.split_once('#').unwrap();
            let (left, right) = secret.split_at(20);
            let (host, port) = place.split_at(19);
            for pasted in [
                format!("<{}>", *link),
                format!("Join me: {}.", *link),
                format!("Join me ({}), please", *link),
                format!("[the meeting]({})", *link),
                format!("[{}]({})", *link, *link),
                format!("_{}_ and **{}**", *link, *link),
                format!("\"{}\"", *link),
                format!("« {} »", *link),
                format!("{}\u{200b}", *link),
                format!("\u{feff}{}\u{2060}\n\nSee you", *link),
                format!("{}\nSee you there", *link),
                format!("{} See you there", *link),
                format!("{place}#{left}\n{right}\nSee you"),
                format!("{place}#{left}\r\n{right}"),
                format!("{place}#{left}=\r\n{right}"),
                format!("> {place}#{left}\n> {right}\n> See you"),
                format!("{place}#{left} {right}"),
                format!("{place}\n  #{left}\n  {right}."),
                format!("{host}\n{port}#{left}\u{200b}{right}"),
                link.replacen("conclave", "Conclave", 1),
                format!("https://example.org and {}", *link),
            ] {
                assert_eq!(find_link(&pasted).as_ref(), Some(&link), "{pasted:?}");
            }
        }
    }
}

#[test]
fn a_cut_link_before_other_text_stays_cut() {
    let link = invitation("meet.example.org", Some([3; 32])).to_text();
    for length in [40, 50, 60, link.len() - 1] {
        for after in ["\nSee you there tomorrow afternoon, all of you", " and then we talk", "...", ")"] {
            let text = format!("{}{after}", &link[..length]);
            assert_eq!(error(&text), Error::Truncated, "{text:?}");
        }
    }
    assert_eq!(error("conclave://host:1\nThanks"), Error::NoSecret);
    assert_eq!(error(&format!("{}x", *link)), Error::TooLong);
    assert_eq!(find_link(&"x".repeat(1 << 20)), None);
    assert!(find_link(&format!("{}{}", *link, "é".repeat(1 << 20))).is_some());
}

#[test]
fn a_fingerprint_belongs_to_one_certificate() {
    let fingerprint = Fingerprint::from(sha256(b"certificate"));
    assert!(fingerprint.is_of(b"certificate"));
    assert!(!fingerprint.is_of(b"another"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_dropped_link_leaves_no_copy_of_its_secret_in_memory() {
    use crate::tests::scan::Pattern;
    let secret = Secret::random(SECRET).unwrap();
    let bytes = Pattern::of(secret.expose());
    let link = Invitation { secret, ..invitation("host", Some([3; 32])) };
    let text = link.to_text();
    let begin = text.find('#').unwrap() + 1;
    // The characters that hold only bits of the secret, which begins at byte 17.
    let characters = Pattern::of(&text.as_bytes()[begin + 23..begin + 43]);
    let parsed: Invitation = text.parse().unwrap();
    assert!(bytes.count() >= 2 && characters.count() >= 1);
    drop((parsed, link, text));
    assert_eq!((bytes.count(), characters.count()), (0, 0));
}

#[test]
fn debug_shows_neither_the_secret_nor_the_meeting() {
    assert_eq!(format!("{:?}", invitation("host", None)), "Invitation(host:7000)");
}

#[test]
fn a_link_as_text_is_not_shown_by_debug_and_keeps_its_text() {
    let text = invitation("meet.example.org", Some([3; 32])).to_text();
    let link = SecretLink::from(text.as_str());
    assert_eq!((link.expose(), link.is_empty()), (text.as_str(), false));
    assert_eq!(
        (format!("{link:?}"), format!("{:?}", Some(&link))),
        ("SecretLink(..)".into(), "Some(SecretLink(..))".into())
    );
    assert_eq!(format!("{:?}", SecretLink::default()), "SecretLink(empty)");
    assert!(link == SecretLink::from(text.to_string()) && link != SecretLink::default());
    assert_eq!(SecretLink::from(&link.invitation().unwrap()), link);
    let json = serde_json::to_string(&link).unwrap();
    assert_eq!((json.trim_matches('"'), serde_json::from_str::<SecretLink>(&json).unwrap()), (text.as_str(), link));
}

#[test]
#[cfg(target_os = "linux")]
fn a_dropped_link_as_text_is_not_in_the_memory_of_this_process() {
    use crate::tests::scan::Pattern;
    let secret = Secret::random(SECRET).unwrap();
    let text = Invitation { secret, ..invitation("host", Some([3; 32])) }.to_text();
    let begin = text.find('#').unwrap() + 1;
    // The characters that hold only bits of the secret, which begins at byte 17.
    let characters = Pattern::of(&text.as_bytes()[begin + 23..begin + 43]);
    let link = SecretLink::from((*text).clone());
    let (clone, empty) = (link.clone(), SecretLink::default());
    drop(text);
    assert_eq!(characters.count(), 1, "clones share the text");
    let equal = link == clone && link != empty;
    drop((link, clone));
    assert!(equal);
    assert_eq!(characters.count(), 0);
}
