//! A text that is being typed.

use super::text::MAX_TEXT;
use crypto::{DeviceKey, Zeroizing, name};
use std::fmt;
use std::sync::Arc;

/// A text that is being typed: no control characters but line feeds, at most [`MAX_TEXT`] bytes. Clones share it. It is
/// overwritten when the last one is dropped, and `Debug` does not show it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TypedText(Arc<Zeroizing<String>>);

impl TypedText {
    /// Returns the text without control characters. It is empty if it is only space, and cut if it is too long.
    #[must_use]
    pub fn new(text: &str) -> Self {
        if text.trim().is_empty() {
            return Self::default();
        }
        let cut = &text[..text.floor_char_boundary(MAX_TEXT)];
        Self(Arc::new(Zeroizing::new(name::cleaned(cut))))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true if nothing is typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for TypedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TypedText({} B)", self.0.len())
    }
}

/// What another member is typing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typing {
    /// The member's device.
    pub device: DeviceKey,
    /// The member's name.
    pub name: String,
    /// How many characters of the text come before those in `text`.
    pub start: u32,
    /// The end of the text. Empty if the member types nothing any more.
    pub text: TypedText,
}
