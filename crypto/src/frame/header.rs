//! The `SFrame` header (RFC 9605, section 4.3): a configuration byte, then key id and counter in their shortest
//! encoding.

/// Key id and counter of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SframeHeader {
    pub(crate) kid: u64,
    pub(crate) counter: u64,
}

/// The length of the longest header in bytes.
pub(super) const MAX_BYTES: usize = 17;

impl SframeHeader {
    /// Encodes the header. Returns the bytes and their number.
    pub(crate) fn encode(self) -> ([u8; MAX_BYTES], usize) {
        let mut bytes = [0; MAX_BYTES];
        let mut end = 1;
        let kid = append(self.kid, &mut bytes, &mut end);
        let counter = append(self.counter, &mut bytes, &mut end);
        bytes[0] = kid << 4 | counter;
        (bytes, end)
    }

    /// Decodes the header at the start of `bytes`. Returns it and its length, or `None` if it is truncated or not in
    /// the shortest encoding.
    pub(crate) fn decode(bytes: &[u8]) -> Option<(Self, usize)> {
        let (&first, mut rest) = bytes.split_first()?;
        let kid = read(first >> 4, &mut rest)?;
        let counter = read(first & 0x0f, &mut rest)?;
        Some((Self { kid, counter }, bytes.len() - rest.len()))
    }
}

/// Appends `value` if it does not fit into three bits. Returns its half of the configuration byte.
fn append(value: u64, bytes: &mut [u8; MAX_BYTES], end: &mut usize) -> u8 {
    if value < 8 {
        #[expect(clippy::cast_possible_truncation, reason = "below 8")]
        return value as u8;
    }
    let zeros = value.leading_zeros() as usize / 8;
    let significant = &value.to_be_bytes()[zeros..];
    bytes[*end..*end + significant.len()].copy_from_slice(significant);
    *end += significant.len();
    #[expect(clippy::cast_possible_truncation, reason = "1..=8 bytes")]
    let extra = significant.len() as u8 - 1;
    EXTENDED | extra
}

fn read(nibble: u8, rest: &mut &[u8]) -> Option<u64> {
    if nibble & EXTENDED == 0 {
        return Some(u64::from(nibble));
    }
    let (value, left) = rest.split_at_checked(usize::from(nibble & 7) + 1)?;
    *rest = left;
    // RFC 9605 requires the shortest encoding.
    let too_long = value[0] == 0 || (value.len() == 1 && value[0] < 8);
    (!too_long).then(|| value.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

const EXTENDED: u8 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_every_length_round_trip() {
        let values: Vec<u64> = (0..64).map(|shift| 1 << shift).chain([0, 7, 8, 255, 256, u64::MAX]).collect();
        for &kid in &values {
            for &counter in &values {
                let header = SframeHeader { kid, counter };
                let (bytes, length) = header.encode();
                assert_eq!(SframeHeader::decode(&bytes[..length]), Some((header, length)));
                for short in 0..length {
                    assert_eq!(SframeHeader::decode(&bytes[..short]), None);
                }
            }
        }
    }

    #[test]
    fn a_longer_encoding_is_rejected() {
        assert_eq!(SframeHeader::decode(&[0x80, 0x07]), None);
        assert_eq!(SframeHeader::decode(&[0x90, 0x00, 0xff]), None);
        assert_eq!(SframeHeader::decode(&[0x08, 0x00]), None);
    }
}
