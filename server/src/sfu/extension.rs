//! Carries the Dependency Descriptor's bytes through str0m unchanged.

use str0m::rtp::{Extension, ExtensionMap, ExtensionSerializer, ExtensionValues};

/// The bytes of one descriptor, stored inline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DescriptorBytes {
    length: u8,
    bytes: [u8; MAX_BYTES],
}

impl DescriptorBytes {
    /// Copies `bytes`. Returns `None` if they are empty or more than 95.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let length = u8::try_from(bytes.len()).ok().filter(|length| (1..=MAX_BYTES).contains(&usize::from(*length)))?;
        let mut copied = Self { length, bytes: [0; MAX_BYTES] };
        copied.bytes[..bytes.len()].copy_from_slice(bytes);
        Some(copied)
    }

    /// Returns the bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// Returns the extension, to be registered with str0m. Its values are [`DescriptorBytes`].
pub fn dependency_descriptor() -> Extension {
    Extension::with_serializer(proto::descriptor::URI, Serializer)
}

#[derive(Debug)]
struct Serializer;

impl ExtensionSerializer for Serializer {
    fn write_to(&self, buf: &mut [u8], ev: &ExtensionValues) -> usize {
        let Some(descriptor) = ev.user_values.get::<DescriptorBytes>() else { return 0 };
        let Some(place) = buf.get_mut(..descriptor.as_slice().len()) else { return 0 };
        place.copy_from_slice(descriptor.as_slice());
        place.len()
    }

    fn parse_value(&self, buf: &[u8], ev: &mut ExtensionValues) -> bool {
        let descriptor = DescriptorBytes::new(buf);
        if let Some(descriptor) = descriptor {
            ev.user_values.set(descriptor);
        }
        descriptor.is_some()
    }

    fn is_video(&self) -> bool {
        true
    }

    fn is_audio(&self) -> bool {
        false
    }

    /// Returns true if the descriptor needs the two-byte form. An element with a one-byte header contains at most 16
    /// bytes (RFC 8285, section 4.2). A descriptor with a template structure is longer.
    fn requires_two_byte_form(&self, ev: &ExtensionValues) -> bool {
        ev.user_values.get::<DescriptorBytes>().is_some_and(|descriptor| descriptor.as_slice().len() > 16)
    }
}

/// Returns the header extensions that the SFU needs. Clients send the voice-activity bit of the audio level, with a constant
/// level (docs/privacy.md).
pub fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::empty();
    map.set(1, Extension::AudioLevel);
    map.set(3, Extension::TransportSequenceNumber);
    map.set(4, Extension::RtpMid);
    map.set(10, Extension::RtpStreamId);
    map.set(11, Extension::RepairedRtpStreamId);
    map.set(12, dependency_descriptor());
    map
}

/// The largest descriptor that is forwarded. One with a template structure of three temporal layers has about 20 bytes.
const MAX_BYTES: usize = 95;
