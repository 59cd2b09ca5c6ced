//! Carries the Dependency Descriptor's bytes through str0m as they are.

use str0m::rtp::{Extension, ExtensionSerializer, ExtensionValues};

/// The bytes of one descriptor, short enough to be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw {
    length: u8,
    bytes: [u8; MAX_BYTES],
}

impl Raw {
    /// Holds `bytes`. None where they are none, or more than any sender of ours has to say.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let length = u8::try_from(bytes.len()).ok().filter(|length| (1..=MAX_BYTES).contains(&usize::from(*length)))?;
        let mut held = Self { length, bytes: [0; MAX_BYTES] };
        held.bytes[..bytes.len()].copy_from_slice(bytes);
        Some(held)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// The extension, as str0m wants it.
pub fn dependency_descriptor() -> Extension {
    Extension::with_serializer(URI, Serializer)
}

/// Its name in session descriptions.
pub const URI: &str = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

#[derive(Debug)]
struct Serializer;

impl ExtensionSerializer for Serializer {
    fn write_to(&self, buf: &mut [u8], ev: &ExtensionValues) -> usize {
        let Some(raw) = ev.user_values.get::<Raw>() else { return 0 };
        let Some(place) = buf.get_mut(..raw.bytes().len()) else { return 0 };
        place.copy_from_slice(raw.bytes());
        raw.bytes().len()
    }

    fn parse_value(&self, buf: &[u8], ev: &mut ExtensionValues) -> bool {
        let raw = Raw::new(buf);
        if let Some(raw) = raw {
            ev.user_values.set(raw);
        }
        raw.is_some()
    }

    fn is_video(&self) -> bool {
        true
    }

    fn is_audio(&self) -> bool {
        false
    }

    /// One-byte headers hold 16 bytes (RFC 8285, section 4.2); a structure is longer.
    fn requires_two_byte_form(&self, ev: &ExtensionValues) -> bool {
        ev.user_values.get::<Raw>().is_some_and(|raw| raw.bytes().len() > 16)
    }
}

/// A structure of three temporal layers takes about 20 bytes.
const MAX_BYTES: usize = 95;
