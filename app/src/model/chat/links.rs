//! Web addresses in a text. They are only recognised; nothing is fetched.

/// The addresses in a text, at most `MAX_LINKS`. An address with a name before an `@`, or with other letters than ASCII in
/// its host, is left out: it may look like one of another host.
pub fn links(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '«' | '»' | '`'));
    words.filter_map(link).take(MAX_LINKS).collect()
}

/// The address that a word contains.
fn link(word: &str) -> Option<&str> {
    let lower = word.to_ascii_lowercase();
    let start = lower.find("https://").or_else(|| lower.find("http://"))?;
    let link = word.get(start..)?.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', ')', ']', '}', '’', '…']);
    let (_, rest) = link.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let is_host = host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
        && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']'));
    (is_host && link.len() <= MAX_LENGTH && !link.contains('\\')).then_some(link)
}

const MAX_LINKS: usize = 3;
const MAX_LENGTH: usize = 2_048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_without_the_punctuation_around_them() {
        for (text, found) in [
            ("see https://example.org/a?b=c#d, please", vec!["https://example.org/a?b=c#d"]),
            ("(HTTP://example.org).", vec!["HTTP://example.org"]),
            ("« https://example.org/é »", vec!["https://example.org/é"]),
            ("https://[::1]:8080/x http://a.b", vec!["https://[::1]:8080/x", "http://a.b"]),
            ("https://a.b https://a.c https://a.d https://a.e", vec!["https://a.b", "https://a.c", "https://a.d"]),
            ("no link: example.org, file:///etc/passwd, javascript:alert(1), https://", vec![]),
        ] {
            assert_eq!(links(text), found, "{text}");
        }
    }

    #[test]
    fn addresses_that_hide_their_host_are_left_out() {
        for text in [
            "https://bank.example@evil.example/",
            "https://b\u{430}nk.example/",
            "https://bank.example\\@evil.example",
            "https://-x.example",
        ] {
            assert!(links(text).is_empty(), "{text}");
        }
        assert!(links(&format!("https://a.b/{}", "x".repeat(MAX_LENGTH))).is_empty());
    }
}
