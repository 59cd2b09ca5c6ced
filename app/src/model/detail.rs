//! The cause of a failure as the system or a library reports it, in English. A sentence in another language shows it in that
//! language.

use crate::locale::Language;

/// Parts of English messages, in lower case, and the text id of what they mean. The first that a message contains is used.
const CAUSES: [(&str, &str); 37] = [
    ("a web page answers", "cause-web-page"),
    ("wants a sign-in with a browser", "cause-proxy-browser"),
    ("wants a sign-in by negotiate", "cause-proxy-negotiate"),
    ("wants a sign-in by ntlm", "cause-proxy-ntlm"),
    ("wants a sign-in by", "cause-proxy-scheme"),
    ("requires authentication", "cause-proxy-user"),
    ("does not answer like", "cause-not-proxy"),
    ("closed the connection", "cause-closed"),
    ("refused the connection to the server", "cause-proxy-refuses"),
    ("connection refused", "cause-refused"),
    ("connection reset", "cause-interrupted"),
    ("connection to the server was lost", "cause-interrupted"),
    ("broken pipe", "cause-interrupted"),
    ("unexpected end", "cause-interrupted"),
    ("timed out", "cause-timeout"),
    ("timeout", "cause-timeout"),
    ("network is unreachable", "cause-unreachable"),
    ("no route to host", "cause-unreachable"),
    ("host is unreachable", "cause-unreachable"),
    ("failed to lookup address", "cause-unknown-host"),
    ("name or service not known", "cause-unknown-host"),
    ("name resolution", "cause-unknown-host"),
    ("certificate", "cause-certificate"),
    ("no microphone and no loudspeaker", "cause-no-sound"),
    ("no camera", "cause-no-camera"),
    ("no microphone", "cause-no-microphone"),
    ("no loudspeaker", "cause-no-speaker"),
    ("no such file", "cause-absent"),
    ("no such device", "cause-absent"),
    ("permission denied", "cause-denied"),
    ("denies access", "cause-denied"),
    ("resource busy", "cause-busy"),
    ("in use by another program", "cause-busy"),
    ("no space left", "cause-full"),
    ("does not respond", "cause-silent"),
    ("unplugged", "cause-lost"),
    ("not supported", "cause-format"),
];

/// Returns `detail` for a sentence in this language. English stays as it is. A message with no known part is quoted, and
/// marked as English.
pub fn in_language(detail: &str, language: Language) -> String {
    if language == Language::English || detail.is_empty() {
        return detail.to_owned();
    }
    let lower = detail.to_ascii_lowercase();
    let known = CAUSES.iter().find_map(|(part, id)| Some((lower.find(part)?, *id)));
    match known {
        Some((at, id)) => match subject(&detail[..at]) {
            Some(subject) => {
                let cause = language.text(id);
                language.with("cause-of", &[("subject", subject.into()), ("cause", cause.into())])
            }
            None => language.text(id),
        },
        None => language.with("cause-in-english", &[("detail", detail.into())]),
    }
}

/// The last file, device or address in the text before the cause. It is the same in every language.
fn subject(before: &str) -> Option<&str> {
    let mut words = before.split_whitespace().map(|word| word.trim_matches([':', ',', '"', '(', ')']));
    words.rfind(|word| word.contains(['/', '\\', '.']) || word.contains(|letter: char| letter.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn french_details_are_french() {
        for (detail, expected) in [
            ("/dev/video0: Device or resource busy", "/dev/video0\u{a0}: déjà utilisé par un autre programme"),
            ("connect: Connection refused (os error 111)", "connexion refusée"),
            ("127.0.0.1:4433: connection refused", "127.0.0.1:4433\u{a0}: connexion refusée"),
            ("no microphone and no loudspeaker", "ni micro ni haut-parleur"),
            ("the connection to the server was lost", "connexion interrompue"),
            (
                "the proxy proxy.example:3128 wants a sign-in by Digest, which is not supported yet: ask IT",
                "proxy.example:3128\u{a0}: identification demandée par une méthode pas encore prise en charge",
            ),
            (
                "10.0.0.1:80 does not answer like a SOCKS5 proxy",
                "10.0.0.1:80\u{a0}: aucun proxy de ce type à cette adresse",
            ),
            ("the proxy 10.0.0.1:80 closed the connection", "10.0.0.1:80\u{a0}: connexion fermée"),
            ("gibberish", "message en anglais\u{a0}: «\u{202f}gibberish\u{202f}»"),
            ("", ""),
        ] {
            assert_eq!(in_language(detail, Language::French), expected);
            assert_eq!(in_language(detail, Language::English), detail);
        }
    }

    #[test]
    fn the_method_that_a_proxy_wants_is_named_with_what_can_be_done() {
        for method in ["Negotiate", "NTLM"] {
            let detail =
                format!("the proxy proxy.example:3128 wants a sign-in by {method}, NTLM, which is not supported yet");
            let french = in_language(&detail, Language::French);
            assert!(french.starts_with("proxy.example:3128\u{a0}: ce proxy n’accepte que "), "{french}");
            assert!(french.contains(method) && french.contains("service informatique"), "{french}");
        }
    }

    #[test]
    fn letters_outside_ascii_do_not_move_the_cause() {
        assert_eq!(in_language("É/ÀÉ.mp4: No such file", Language::French), "É/ÀÉ.mp4\u{a0}: introuvable");
    }
}
