//! A link as text, for as long as a program keeps it.

use crate::memory::Secret;
use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroize;

/// The text of a link, or what a user gave as one. It is in a [`Secret`], which is overwritten when the last clone is
/// dropped; clones share it. It has no `Display`, and `Debug` shows nothing of it. The empty text is the default.
#[derive(Clone, Default)]
pub struct SecretLink(Option<Arc<Secret>>);

impl SecretLink {
    /// Returns the text, to show, copy, write or parse it. The caller must not keep a copy.
    #[must_use]
    pub fn expose(&self) -> &str {
        let bytes = self.0.as_ref().map_or(&[][..], |secret| secret.expose());
        // It was a string when it was stored, and nothing changes it.
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// Returns true if there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl From<&str> for SecretLink {
    /// Copies the text. The caller overwrites its own, or does not own it.
    fn from(text: &str) -> Self {
        Self((!text.is_empty()).then(|| Arc::new(Secret::copy_of(text.as_bytes()))))
    }
}

impl From<String> for SecretLink {
    /// Moves the text, and overwrites the string.
    fn from(mut text: String) -> Self {
        let link = Self::from(text.as_str());
        text.zeroize();
        link
    }
}

impl PartialEq for SecretLink {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for SecretLink {}

impl fmt::Debug for SecretLink {
    /// Shows only whether there is a link.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "SecretLink(empty)" } else { "SecretLink(..)" })
    }
}

impl Serialize for SecretLink {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for SecretLink {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(LinkVisitor)
    }
}

/// Copies the text from the input into a secret, without a string in between.
struct LinkVisitor;

impl Visitor<'_> for LinkVisitor {
    type Value = SecretLink;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a link")
    }

    fn visit_str<E>(self, text: &str) -> Result<SecretLink, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<SecretLink, E> {
        Ok(text.into())
    }
}
