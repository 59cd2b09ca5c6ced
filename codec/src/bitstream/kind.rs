//! Types of NAL units.

use super::malformed::Malformed;

/// The type of a NAL unit (ITU-T H.264 table 7-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A slice of a picture that is not an IDR picture.
    Slice,
    /// A slice of an IDR picture. Later pictures do not reference earlier ones.
    Key,
    /// A slice data partition (extended profile).
    Partition,
    /// Supplemental enhancement information.
    Sei,
    /// A sequence parameter set.
    Sps,
    /// A picture parameter set.
    Pps,
    /// An access unit delimiter.
    Delimiter,
    /// Any other type: end markers, filler data, and the extensions of annexes G to I.
    Other,
}

impl Kind {
    /// Returns the type of `unit`, from its first byte.
    ///
    /// # Errors
    /// Returns [`Malformed::NotAUnit`] if the unit is empty or its forbidden bit is set.
    pub fn of(unit: &[u8]) -> Result<Self, Malformed> {
        let header = *unit.first().ok_or(Malformed::NotAUnit)?;
        if header & 0x80 != 0 {
            return Err(Malformed::NotAUnit);
        }
        Ok(match header & 0x1F {
            1 => Self::Slice,
            2..=4 => Self::Partition,
            5 => Self::Key,
            6 => Self::Sei,
            7 => Self::Sps,
            8 => Self::Pps,
            9 => Self::Delimiter,
            _ => Self::Other,
        })
    }
}
