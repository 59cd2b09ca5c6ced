//! Which display names are allowed, and which look like others. What is allowed depends on fixed lists only, not on a
//! version of the Unicode tables: all members must agree on which names are valid, because they reject a commit that
//! adds an invalid one. A name that looks like another is allowed, and the application marks it.

mod skeleton;

use unicode_script::{Script, UnicodeScript};

/// Returns the name as it is kept: without invisible characters, with single spaces and no space at its ends. `None` if
/// it has no visible character, more than [`MAX_NAME`], or control characters.
pub(crate) fn normalised(name: &str) -> Option<String> {
    if name.chars().any(|character| character.is_control() || is_bidi_control(character)) {
        return None;
    }
    let mut kept = String::new();
    let mut marks = 0;
    let mut rest = name.chars().peekable();
    while let Some(character) = rest.next() {
        let before = kept.chars().next_back();
        if is_ignorable(character) && !joins(before, character, rest.peek().copied()) {
            continue;
        }
        marks = if is_combining_mark(character) { marks + 1 } else { 0 };
        if character.is_whitespace() || is_blank(character) {
            if before.is_some_and(|before| before != ' ') {
                kept.push(' ');
            }
        } else if marks <= MAX_MARKS {
            kept.push(character);
        }
    }
    kept.truncate(kept.trim_end_matches(' ').len());
    let visible = kept.chars().any(|character| !is_ignorable(character) && !is_combining_mark(character));
    (visible && kept.chars().count() <= MAX_NAME).then_some(kept)
}

/// Returns a name that is allowed, from a text that may be too long or have control characters. Returns `None` if its
/// beginning has no visible character.
pub fn fitted(text: &str) -> Option<String> {
    let plain = text.chars().filter(|character| !character.is_control() && !is_bidi_control(*character));
    normalised(&plain.take(MAX_NAME).collect::<String>())
}

/// Returns a text of several lines without what would disturb the text around it: control characters other than line feeds,
/// bidirectional controls, and marks stacked on one letter. A cleaned text stays the same. Does not limit its length.
#[must_use]
pub fn cleaned(text: &str) -> String {
    let (mut kept, mut marks) = (String::with_capacity(text.len()), 0);
    for character in text.chars() {
        let character = match character {
            '\u{2028}' | '\u{2029}' => '\n',
            '\t' => ' ',
            _ => character,
        };
        // What is left out does not separate the marks around it.
        if character != '\n' && (character.is_control() || is_bidi_control(character)) {
            continue;
        }
        marks = if is_combining_mark(character) { marks + 1 } else { 0 };
        if marks <= MAX_MARKS_OF_TEXT {
            kept.push(character);
        }
    }
    kept
}

/// Returns the skeleton of a name, which is only for comparison: two names look alike if their skeletons are equal.
pub fn skeleton(name: &str) -> String {
    skeleton::of(name.chars().filter(|character| !is_ignorable(*character)))
}

/// Returns true if the name mixes alphabets whose letters look alike, or uses letters that are drawn as another
/// alphabet's. Allows what Unicode Technical Standard 39, section 5.2 calls moderately restrictive: one script, Latin
/// with the scripts of Chinese, Japanese or Korean, or Latin with one other script that does not look like it.
pub fn is_mixed_script(name: &str) -> bool {
    let mut scripts: Vec<Script> = name.chars().map(|character| character.script()).collect();
    scripts.retain(|script| !matches!(script, Script::Common | Script::Inherited | Script::Unknown));
    scripts.sort_unstable_by_key(|script| script.full_name());
    scripts.dedup();
    let lookalike = |script: &Script| {
        matches!(
            script,
            Script::Latin | Script::Greek | Script::Cyrillic | Script::Armenian | Script::Cherokee | Script::Coptic
        )
    };
    let eastern = |script: &Script| {
        matches!(script, Script::Han | Script::Hiragana | Script::Katakana | Script::Bopomofo | Script::Hangul)
    };
    let disguised =
        name.chars().any(|character| matches!(character, '\u{1d400}'..='\u{1d7ff}' | '\u{ff21}'..='\u{ff5a}'));
    let others = scripts.iter().filter(|script| **script != Script::Latin && !eastern(script)).count();
    let east = scripts.iter().any(eastern);
    disguised || scripts.iter().filter(|script| lookalike(script)).count() > 1 || others + usize::from(east) > 1
}

/// Returns true for characters without a shape of their own (`Default_Ignorable_Code_Point` of Unicode 16, with its
/// reserved ranges) and for line and paragraph separators.
pub(crate) fn is_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Returns true if an invisible character changes how its neighbours are drawn: joiners in scripts that need them and
/// between emoji, and the variation selector of an emoji. Between other letters they only make two equal names differ.
fn joins(before: Option<char>, character: char, after: Option<char>) -> bool {
    let Some(before) = before else { return false };
    match character {
        ZERO_WIDTH_NON_JOINER => needs_joiners(before) && after.is_some_and(needs_joiners),
        ZERO_WIDTH_JOINER => {
            let emoji = (is_emoji(before) || before == EMOJI_VARIATION) && after.is_some_and(is_emoji);
            emoji || (needs_joiners(before) && after.is_some_and(needs_joiners))
        }
        EMOJI_VARIATION => is_emoji(before),
        _ => false,
    }
}

/// Returns true for the blocks of scripts that need joiners: Arabic, Syriac, the scripts of India, Myanmar, Khmer and
/// Mongolian.
fn needs_joiners(character: char) -> bool {
    matches!(character, '\u{600}'..='\u{dff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{18af}')
        && !is_ignorable(character)
}

fn is_emoji(character: char) -> bool {
    matches!(character, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// Returns true for characters that are drawn as a blank but are not white space: the empty braille cell and the empty
/// note head.
fn is_blank(character: char) -> bool {
    matches!(character, '\u{2800}' | '\u{1d159}')
}

/// Returns true for the combining marks that can be stacked on any letter.
fn is_combining_mark(character: char) -> bool {
    matches!(
        character,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
            | '\u{fe20}'..='\u{fe2f}'
    )
}

/// Returns true for bidirectional control characters. They would reorder the text around a name.
fn is_bidi_control(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';
const EMOJI_VARIATION: char = '\u{fe0f}';
/// Combining marks on one letter. More would be drawn over the lines above and below.
const MAX_MARKS: usize = 3;
/// The same for a text. Some languages stack more than names do.
const MAX_MARKS_OF_TEXT: usize = 8;
/// Maximum characters in a name.
pub(crate) const MAX_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_a_visible_character_are_rejected() {
        for name in [
            "",
            " ",
            "\u{200b}",
            "\u{200b}\u{200d}\u{2060}",
            "\u{3164}",
            "\u{ffa0}\u{115f}\u{1160}",
            "\u{2800}\u{2800}",
            "\u{ad}",
            "\u{feff}",
            "\u{a0}\u{3000}\u{2003}",
            "\u{e0041}\u{e007f}",
            "\u{fe0f}",
            "\u{34f}",
            "\u{180e}",
            "\u{17b4}",
            "\u{301}",
            "\u{1d159}",
            "\u{2028}",
        ] {
            assert_eq!(normalised(name), None, "{}", name.escape_unicode());
        }
    }

    #[test]
    fn invisible_characters_are_removed() {
        for (name, kept) in [
            ("An\u{200b}ne", "Anne"),
            ("An\u{200d}ne", "Anne"),
            ("\u{feff}Anne\u{3164}", "Anne"),
            ("Anne\u{fe0f}", "Anne"),
            ("Anne \u{2800} (host)", "Anne (host)"),
            ("Anne \u{a0}\u{3000}  B", "Anne B"),
            ("e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}a", "e\u{301}\u{301}\u{301}a"),
        ] {
            assert_eq!(normalised(name).as_deref(), Some(kept), "{}", name.escape_unicode());
        }
    }

    #[test]
    fn joiners_that_change_the_shape_stay() {
        let technologist = "\u{1f469}\u{200d}\u{1f4bb}";
        let heart = "\u{2764}\u{fe0f}\u{200d}\u{1f525}";
        let persian = "\u{646}\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}";
        for name in [technologist, heart, persian, "Zoé", "Ngũgĩ wa Thiong'o", "李明", "O\u{301}scar"] {
            assert_eq!(normalised(name).as_deref(), Some(name), "{}", name.escape_unicode());
        }
    }

    #[test]
    fn a_normalised_name_stays_the_same() {
        for name in [
            "  a \u{200b} b ",
            "\u{1f469}\u{200d}\u{200d}\u{1f4bb}",
            "\u{2764}\u{200b}\u{fe0f}",
            "a\u{301}\u{200b}\u{301}\u{301}\u{301}b",
            "\u{646}\u{200c}\u{61c}a",
        ] {
            let once = normalised(name).unwrap();
            assert_eq!(normalised(&once).as_deref(), Some(once.as_str()), "{}", name.escape_unicode());
        }
    }

    #[test]
    fn a_cleaned_text_has_no_controls_and_stays_the_same() {
        let zalgo = format!("a{}b", "\u{301}".repeat(40));
        for (text, kept) in [
            ("two\r\nlines\tand a tab", "two\nlines and a tab"),
            ("\u{202e}evil\u{2066}\u{7}\u{1b}[31m", "evil[31m"),
            ("one\u{2028}two", "one\ntwo"),
            (&zalgo, &format!("a{}b", "\u{301}".repeat(8))),
            (
                &zalgo.replacen("\u{301}\u{301}", "\u{301}\u{7}\u{301}\u{202e}", 20),
                &format!("a{}b", "\u{301}".repeat(8)),
            ),
            ("שלום \u{1f468}\u{200d}\u{1f469}", "שלום \u{1f468}\u{200d}\u{1f469}"),
        ] {
            assert_eq!(cleaned(text), kept, "{}", text.escape_unicode());
            assert_eq!(cleaned(kept), kept);
        }
    }

    #[test]
    fn alphabets_that_look_alike_are_flagged_if_they_are_mixed() {
        for mixed in [
            "\u{410}nne",
            "Ann\u{435}",
            "\u{3a1}aul",
            "\u{421}\u{43e}\u{441}\u{43e} Ross",
            "\u{1d400}nne",
            "\u{ff21}nne",
            "שלום мир",
        ] {
            assert!(is_mixed_script(mixed), "{mixed}");
        }
        for plain in [
            "Anne",
            "Zoé 2",
            "Анна",
            "Αθηνά",
            "李明 Li",
            "山田 タロウ Taro",
            "김민수 Kim",
            "محمد Ali",
            "Ali \u{1f600}",
            "O\u{301}scar",
        ] {
            assert!(!is_mixed_script(plain), "{plain}");
        }
    }
}
