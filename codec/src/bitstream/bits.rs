//! Reads bits and Exp-Golomb codes from a NAL unit (ITU-T H.264 7.2 and 9.1).

use super::malformed::Malformed;

/// A bit reader over a unit's payload. It skips emulation prevention bytes.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The index of the current byte, after any emulation prevention byte.
    at: usize,
    /// The bits of the current byte that were read, 0..=7.
    used: u32,
    /// The number of zero bytes directly before `at`.
    zeros: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, used: 0, zeros: 0 }
    }

    /// Reads one bit.
    pub(super) fn flag(&mut self) -> Result<bool, Malformed> {
        let byte = *self.bytes.get(self.at).ok_or(Malformed::ParameterSet)?;
        let bit = byte >> (7 - self.used) & 1;
        self.used += 1;
        if self.used == 8 {
            self.advance(byte);
        }
        Ok(bit == 1)
    }

    /// Reads `count` bits, at most 32, as a number.
    pub(super) fn bits(&mut self, count: u32) -> Result<u32, Malformed> {
        (0..count).try_fold(0, |value: u32, _| Ok(value << 1 | u32::from(self.flag()?)))
    }

    /// Reads an unsigned Exp-Golomb code, up to 2^32 - 2.
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

    /// Reads a signed Exp-Golomb code.
    pub(super) fn signed(&mut self) -> Result<i64, Malformed> {
        let code = i64::from(self.unsigned()?);
        Ok(if code % 2 == 0 { -code / 2 } else { (code + 1) / 2 })
    }

    /// Reads an unsigned Exp-Golomb code. Returns an error if it is greater than `max`.
    pub(super) fn at_most(&mut self, max: u32) -> Result<u32, Malformed> {
        self.unsigned().and_then(|value| if value <= max { Ok(value) } else { Err(Malformed::ParameterSet) })
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
    fn emulation_prevention_bytes_are_skipped() {
        let mut bits = Bits::new(&[0, 0, 3, 1, 0, 0, 3]);
        assert_eq!(bits.bits(32), Ok(0x0000_0100));
        assert_eq!(bits.bits(8), Ok(0));
        assert_eq!(bits.flag(), Err(Malformed::ParameterSet));
    }

    #[test]
    fn the_end_and_overlong_codes_are_errors() {
        assert!(Bits::new(&[]).flag().is_err());
        assert!(Bits::new(&[0; 64]).unsigned().is_err());
        assert_eq!(Bits::new(&[0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF]).unsigned(), Ok(u32::MAX - 1));
    }
}
