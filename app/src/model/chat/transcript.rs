//! The chat as a plain text, for a file.

use engine::Zeroizing;
use engine::chat::{Body, Line};

use crate::locale::Language;

/// The lines that are in the meeting's log, each with its time and author; and who saves them, and when (seconds since 1970).
pub fn transcript(lines: &[Line], saved_by: &str, now: u64, language: Language) -> Zeroizing<String> {
    let head = [("name", saved_by.into()), ("time", utc(now).into())];
    let mut text = Zeroizing::new(language.with("chat-file-head", &head));
    text.push_str("\n\n");
    for line in lines.iter().filter(|line| line.place.is_some()) {
        text.push_str(&entry(line, language));
        text.push('\n');
        for option in line.vote.iter().flat_map(|vote| &vote.options) {
            let count = option.count.map_or_else(|| "?".into(), |count| count.to_string());
            let answer = option.text.as_str().replace('\n', " ");
            text.extend(["    - ", &answer, ": ", &count, "\n"]);
        }
    }
    text
}

fn entry(line: &Line, language: Language) -> Zeroizing<String> {
    let mut notes = Vec::new();
    if let Some(peer) = &line.private {
        let id = if line.me { "chat-private-to" } else { "chat-private" };
        notes.push(language.with(id, &[("name", peer.name.as_str().into())]));
    }
    notes.extend(line.edited.then(|| language.text("chat-edited")));
    if let Some(how) = &line.passed_on {
        let id = if how.proved { "chat-passed-on" } else { "chat-passed-on-unproved" };
        notes.push(language.with(id, &[("name", how.by.as_str().into())]));
    }
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
    // The lines of one text are indented, so that none looks like a line of somebody else.
    let body = match &line.body {
        Body::Text(text) => Zeroizing::new(text.as_str().replace('\n', "\n    ")),
        Body::Deleted => Zeroizing::new(language.text("chat-deleted")),
        Body::RemovedBy(name) => Zeroizing::new(language.with("chat-removed-by", &[("name", name.as_str().into())])),
    };
    Zeroizing::new(format!("[{}] {}{notes}: {}", utc(line.time), line.name, body.as_str()))
}

/// A time in seconds since 1970 as "2026-11-30 04:31 UTC".
pub fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", rest / 3_600, rest / 60 % 60)
}

/// The date of a day since 1970, in the Gregorian calendar: year, month and day of the month.
pub fn date(mut days: u64) -> (u64, usize, u64) {
    let mut year = 1970 + days / 146_097 * 400;
    days %= 146_097;
    let is_leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::super::tests::line;
    use super::*;
    use engine::chat::{PassedOn, Peer};

    #[test]
    fn times_are_dates_in_utc() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (1_796_013_060, "2026-11-30 04:31 UTC"),
            (4_107_542_399, "2100-02-28 23:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00 UTC"),
        ] {
            assert_eq!(utc(seconds), expected);
        }
    }

    #[test]
    fn a_file_names_who_saved_it_and_no_line_can_pose_as_another() {
        let device = line(1, "x").id.device;
        let private = Line { private: Some(Peer { device, name: "Bob".into() }), ..line(2, "psst") };
        let passed_on = Some(PassedOn { by: "Bob".into(), proved: false });
        let lines = vec![
            line(1, "one\n[2026-11-30 04:31 UTC] Anne: forged"),
            private,
            Line { passed_on, edited: true, ..line(3, "old") },
            Line { place: None, ..line(4, "not sent") },
            Line { body: Body::Deleted, ..line(5, "x") },
        ];
        let text = transcript(&lines, "Anne", 1_796_013_060, Language::English);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].contains("Anne") && lines[0].contains("2026-11-30 04:31 UTC"), "{}", lines[0]);
        assert!(lines[2].ends_with("Bob: one") && lines[3].starts_with("    ["), "{lines:?}");
        assert!(lines[4].ends_with("psst") && lines[4].contains("rivate") && lines[5].contains("dited"), "{lines:?}");
        assert_eq!(lines.len(), 7, "{lines:?}");
    }
}
