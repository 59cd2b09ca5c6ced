//! Numbers with their units, as in the language of the user.

use crate::locale::Language;

/// Kilobits per second, in megabits if there are many.
pub fn bitrate(kbps: u64, language: Language) -> String {
    if kbps < 1_000 {
        return language.with("statistics-kbps", &[("rate", kbps.into())]);
    }
    language.with("statistics-mbps", &[("rate", decimal(kbps / 100, language).into())])
}

/// Milliseconds.
pub fn millis(time: u64, language: Language) -> String {
    language.with("statistics-ms", &[("time", time.into())])
}

/// A part of a thousand, in percent.
pub fn percent(permille: u64, language: Language) -> String {
    language.with("statistics-percent", &[("part", decimal(permille, language).into())])
}

/// Tenths as a number, with the decimal sign of the language.
pub fn decimal(tenths: u64, language: Language) -> String {
    let sign = match language {
        Language::English => '.',
        Language::French => ',',
    };
    if tenths.is_multiple_of(10) { (tenths / 10).to_string() } else { format!("{}{sign}{}", tenths / 10, tenths % 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_in_their_language() {
        assert_eq!(
            (bitrate(412, Language::English), bitrate(1_250, Language::French)),
            ("412\u{a0}kbit/s".into(), "1,2\u{a0}Mbit/s".into())
        );
        assert_eq!(
            (percent(35, Language::English), percent(35, Language::French)),
            ("3.5%".into(), "3,5\u{202f}%".into())
        );
        assert_eq!(decimal(30, Language::French), "3");
    }
}
