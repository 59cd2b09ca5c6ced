//! Carries the Dependency Descriptor's bytes through str0m unchanged.
//!
//! The stack keeps values of extensions that it does not know in a map, which it allocates and copies for each packet. Nearly all
//! descriptors have 3 bytes. So short ones are in two numbers of the stack's own extensions, which are not negotiated here and so
//! never written.

use str0m::rtp::{Extension, ExtensionMap, ExtensionSerializer, ExtensionValues};

/// The bytes of one descriptor, stored inline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct DescriptorBytes {
    length: u8,
    bytes: [u8; MAX_BYTES],
}

impl DescriptorBytes {
    /// Copies `bytes`. Returns `None` if they are empty or more than 95.
    fn new(bytes: &[u8]) -> Option<Self> {
        let length = u8::try_from(bytes.len()).ok().filter(|length| (1..=MAX_BYTES).contains(&usize::from(*length)))?;
        let mut copied = Self { length, bytes: [0; MAX_BYTES] };
        copied.bytes[..bytes.len()].copy_from_slice(bytes);
        Some(copied)
    }

    /// Returns the bytes.
    fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// Puts a descriptor into the values of a packet. Returns false if it is empty or too long.
pub fn set_descriptor(values: &mut ExtensionValues, descriptor: &[u8]) -> bool {
    let Some(length) = u8::try_from(descriptor.len()).ok().filter(|length| (1..=MAX_SHORT).contains(length)) else {
        let long = DescriptorBytes::new(descriptor);
        return long.map(|long| values.user_values.set(long)).is_some();
    };
    let mut short = [length, 0, 0, 0, 0, 0, 0, 0];
    short[1..=descriptor.len()].copy_from_slice(descriptor);
    let packed = u64::from_be_bytes(short);
    values.frame_mark = u32::try_from(packed >> 32).ok();
    values.tx_time_offs = u32::try_from(packed & u64::from(u32::MAX)).ok();
    true
}

/// Calls `read` with the descriptor in the values of a packet. Returns `None` if there is none.
pub fn with_descriptor<T>(values: &ExtensionValues, read: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let Some((first, second)) = values.frame_mark.zip(values.tx_time_offs) else {
        return values.user_values.get::<DescriptorBytes>().map(|long| read(long.as_slice()));
    };
    let [length, short @ ..] = (u64::from(first) << 32 | u64::from(second)).to_be_bytes();
    short.get(..usize::from(length)).map(read)
}

/// Copies the descriptor of a packet. Allocates nothing if it is short.
pub fn copy_descriptor(from: &ExtensionValues, to: &mut ExtensionValues) {
    (to.frame_mark, to.tx_time_offs) = (from.frame_mark, from.tx_time_offs);
    if let Some(long) = from.user_values.get_arc::<DescriptorBytes>() {
        to.user_values.set_arc(long);
    }
}

/// Returns the extension, to be registered with str0m. [`set_descriptor`] sets its value.
pub fn dependency_descriptor() -> Extension {
    Extension::with_serializer(proto::descriptor::URI, Serializer)
}

#[derive(Debug)]
struct Serializer;

impl ExtensionSerializer for Serializer {
    fn write_to(&self, buf: &mut [u8], ev: &ExtensionValues) -> usize {
        let written = with_descriptor(ev, |descriptor| {
            let place = buf.get_mut(..descriptor.len())?;
            place.copy_from_slice(descriptor);
            Some(place.len())
        });
        written.flatten().unwrap_or(0)
    }

    fn parse_value(&self, buf: &[u8], ev: &mut ExtensionValues) -> bool {
        set_descriptor(ev, buf)
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
        with_descriptor(ev, |descriptor| descriptor.len() > 16).unwrap_or(false)
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

/// The largest descriptor that is stored without allocation, in bytes. Only those with a template structure, of key frames, and
/// those after many skipped frames are longer.
const MAX_SHORT: u8 = 7;

/// The largest descriptor that is forwarded. One with a template structure of three temporal layers has about 20 bytes.
const MAX_BYTES: usize = 95;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_of_all_lengths_are_carried_unchanged_and_others_are_refused() {
        for length in 1..=MAX_BYTES {
            let bytes: Vec<u8> = (1..=length).map(|byte| u8::try_from(byte).unwrap()).collect();
            let (mut values, mut copied) = (ExtensionValues::default(), ExtensionValues::default());
            assert!(Serializer.parse_value(&bytes, &mut values));
            copy_descriptor(&values, &mut copied);
            let mut written = [0; MAX_BYTES];
            let count = Serializer.write_to(&mut written, &copied);
            assert_eq!(&written[..count], &bytes, "{length} bytes");
            assert_eq!(Serializer.requires_two_byte_form(&copied), length > 16);
            assert_eq!(Serializer.write_to(&mut written[..length - 1], &copied), 0, "no room");
        }
        for refused in [&[][..], &[1; MAX_BYTES + 1]] {
            assert!(!Serializer.parse_value(refused, &mut ExtensionValues::default()));
        }
        assert_eq!(with_descriptor(&ExtensionValues::default(), <[u8]>::len), None);
        let forged =
            ExtensionValues { frame_mark: Some(u32::MAX), tx_time_offs: Some(1), ..ExtensionValues::default() };
        assert_eq!(with_descriptor(&forged, <[u8]>::len), None, "a length beyond the bytes");
    }
}
