//! A text that somebody wrote. It is overwritten when the last copy is dropped, and `Debug` does not show it.

use crypto::{Zeroizing, name};
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use std::fmt;
use std::sync::Arc;

/// The text of a line: 1 to [`MAX_TEXT`] bytes, at least one visible character, no control characters but line feeds.
/// Clones share it.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(Arc<Zeroizing<String>>);

/// The maximum length of a text in bytes.
pub const MAX_TEXT: usize = 14 << 10;

/// Why a text cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    /// It has nothing to read.
    #[error("the text is empty")]
    Empty,
    /// It has more than [`MAX_TEXT`] bytes.
    #[error("the text is longer than {MAX_TEXT} bytes")]
    TooLong,
}

impl Text {
    /// Returns the text without control characters, and without space at its ends.
    ///
    /// # Errors
    /// Returns [`BadText`] if nothing is left, or too much.
    pub fn new(text: &str) -> Result<Self, BadText> {
        if text.len() > 4 * MAX_TEXT {
            return Err(BadText::TooLong);
        }
        let cleaned = Zeroizing::new(name::cleaned(text));
        let kept = cleaned.trim();
        match kept.len() {
            0 => Err(BadText::Empty),
            1..=MAX_TEXT => Ok(Self(Arc::new(Zeroizing::new(kept.to_owned())))),
            _ => Err(BadText::TooLong),
        }
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} B)", self.0.len())
    }
}

impl<C> Encode<C> for Text {
    fn encode<W: Write>(&self, encoder: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        encoder.str(self.as_str())?;
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Text {
    /// Decodes a text that is as [`Text::new`] makes it. Another one is an error, because all members must agree on it.
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let text = decoder.str()?;
        let read = Self::new(text).map_err(|_| decode::Error::message("not a text"))?;
        if read.as_str() == text { Ok(read) } else { Err(decode::Error::message("a text that was not cleaned")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cleaned_and_has_a_limit() {
        assert_eq!(Text::new(" two\r\nlines\u{202e}\u{7} \n").unwrap().as_str(), "two\nlines");
        assert_eq!(Text::new("\u{202e}\r\n \u{7}"), Err(BadText::Empty));
        assert_eq!(Text::new(&"x".repeat(MAX_TEXT)).unwrap().as_str().len(), MAX_TEXT);
        assert_eq!(Text::new(&"x".repeat(MAX_TEXT + 1)), Err(BadText::TooLong));
        assert_eq!(Text::new(&" ".repeat(4 * MAX_TEXT + 1)), Err(BadText::TooLong), "it is not even read");
    }

    #[test]
    fn a_text_of_a_peer_must_be_clean_and_debug_does_not_show_it() {
        let bytes = |text: &str| minicbor::to_vec(text).unwrap();
        let text: Text = minicbor::decode(&bytes("secret")).unwrap();
        assert_eq!(minicbor::to_vec(&text).unwrap(), bytes("secret"));
        assert_eq!(format!("{text:?}"), "Text(6 B)");
        for other in ["", " x", "x\n", "a\u{202e}b", "a\rb", &"x".repeat(MAX_TEXT + 1)] {
            assert!(minicbor::decode::<Text>(&bytes(other)).is_err(), "{}", other.escape_unicode());
        }
    }
}
