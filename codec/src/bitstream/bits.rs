//! Reads bits and Exp-Golomb codes out of a NAL unit (ITU-T H.264 7.2 and 9.1).

use super::Malformed;

/// A reader over a unit's payload that leaves out the emulation prevention bytes.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The byte that is read from, already past an emulation prevention byte.
    at: usize,
    /// Bits of it that are used up, 0..=7.
    used: u32,
    /// Zero bytes right before `at`.
    zeros: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, used: 0, zeros: 0 }
    }

    /// One bit.
    pub(super) fn flag(&mut self) -> Result<bool, Malformed> {
        let byte = *self.bytes.get(self.at).ok_or(Malformed::ParameterSet)?;
        let bit = byte >> (7 - self.used) & 1;
        self.used += 1;
        if self.used == 8 {
            self.advance(byte);
        }
        Ok(bit == 1)
    }

    /// `count` bits as a number, at most 32.
    pub(super) fn bits(&mut self, count: u32) -> Result<u32, Malformed> {
        (0..count).try_fold(0, |value: u32, _| Ok(value << 1 | u32::from(self.flag()?)))
    }

    /// An unsigned Exp-Golomb code, up to 2^32 - 2.
    pub(super) fn unsigned(&mut self) -> Result<u32, Malformed> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return Err(Malformed::ParameterSet);
            }
        }
        Ok((1_u32 << zeros) - 1 + self.bits(zeros)?)
    }

    /// A signed Exp-Golomb code.
    pub(super) fn signed(&mut self) -> Result<i64, Malformed> {
        let code = i64::from(self.unsigned()?);
        Ok(if code % 2 == 0 { -code / 2 } else { (code + 1) / 2 })
    }

    /// An unsigned Exp-Golomb code of at most `most`.
    pub(super) fn at_most(&mut self, most: u32) -> Result<u32, Malformed> {
        self.unsigned().and_then(|value| if value <= most { Ok(value) } else { Err(Malformed::ParameterSet) })
    }

    fn advance(&mut self, finished: u8) {
        self.zeros = if finished == 0 { self.zeros + 1 } else { 0 };
        self.used = 0;
        self.at += 1;
        if self.zeros >= 2 && self.bytes.get(self.at) == Some(&3) {
            self.at += 1;
            self.zeros = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_follow_table_9_1() {
        // 1 010 011 00100 00101, padded.
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let codes: Vec<_> = (0..5).map(|_| bits.unsigned().unwrap()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4]);
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let codes: Vec<_> = (0..5).map(|_| bits.signed().unwrap()).collect();
        assert_eq!(codes, [0, 1, -1, 2, -2]);
    }

    #[test]
    fn emulation_prevention_is_left_out() {
        let mut bits = Bits::new(&[0, 0, 3, 1, 0, 0, 3]);
        assert_eq!(bits.bits(32), Ok(0x0000_0100));
        assert_eq!(bits.bits(8), Ok(0));
        assert_eq!(bits.flag(), Err(Malformed::ParameterSet));
    }

    #[test]
    fn the_end_and_endless_codes_are_errors() {
        assert!(Bits::new(&[]).flag().is_err());
        assert!(Bits::new(&[0; 64]).unsigned().is_err());
        assert_eq!(Bits::new(&[0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF]).unsigned(), Ok(u32::MAX - 1));
    }
}
