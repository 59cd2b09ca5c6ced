//! Reads and writes fields of any number of bits, most significant bit first.

/// Reads bits from untrusted bytes. A read past the end returns `None` and consumes nothing.
#[derive(Clone, Debug)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> BitReader<'a> {
    /// Returns a reader at the first bit of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Returns how many bits are left.
    pub const fn remaining(&self) -> usize {
        self.bytes.len() * 8 - self.position
    }

    /// Reads `count` bits, at most 32, as a number: `f(n)` in the AV1 RTP specification.
    pub fn bits(&mut self, count: u32) -> Option<u32> {
        let mut remaining_bits = count as usize;
        if count > 32 || self.remaining() < remaining_bits {
            return None;
        }
        let mut value = 0_u64;
        while remaining_bits > 0 {
            let offset = self.position % 8;
            let taken = remaining_bits.min(8 - offset);
            let byte = *self.bytes.get(self.position / 8)?;
            value = value << taken | u64::from(byte << offset >> (8 - taken));
            self.position += taken;
            remaining_bits -= taken;
        }
        u32::try_from(value).ok()
    }

    /// Reads `count` bits, at most 8.
    pub fn byte(&mut self, count: u32) -> Option<u8> {
        u8::try_from(self.bits(count.min(8))?).ok()
    }

    /// Reads one bit.
    pub fn flag(&mut self) -> Option<bool> {
        self.bits(1).map(|bit| bit == 1)
    }

    /// Skips `count` bits.
    pub fn skip(&mut self, count: usize) -> Option<()> {
        (self.remaining() >= count).then(|| self.position += count)
    }

    /// Reads a number below `limit` in as few bits as it needs: `ns(n)` in the AV1 specification, section 4.10.7.
    pub fn below(&mut self, limit: u32) -> Option<u32> {
        let width = limit.checked_ilog2()? + 1;
        let short = (1_u64 << width) - u64::from(limit);
        let value = u64::from(self.bits(width - 1)?);
        if value < short {
            return u32::try_from(value).ok();
        }
        let last = u64::from(self.bits(1)?);
        u32::try_from((value << 1) + last - short).ok()
    }
}

/// Writes bits into its own bytes. The unused bits of the last byte are zero.
#[derive(Clone, Debug, Default)]
pub struct BitWriter {
    bytes: Vec<u8>,
    used: usize,
}

impl BitWriter {
    /// Removes all bits, and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.used = 0;
    }

    /// Returns what was written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns what was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Appends the `count` lowest bits of `value`, at most 32.
    pub fn bits(&mut self, value: u32, count: u32) {
        for position in (0..count.min(32)).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= u8::from(value >> position & 1 == 1) << (7 - self.used % 8);
            }
            self.used += 1;
        }
    }

    /// Appends one bit.
    pub fn flag(&mut self, set: bool) {
        self.bits(u32::from(set), 1);
    }

    /// Appends `value`, which is below `limit`, as `ns(limit)`.
    pub fn below(&mut self, value: u32, limit: u32) {
        let Some(width) = limit.checked_ilog2().map(|log| log + 1) else { return };
        let short = u32::try_from((1_u64 << width) - u64::from(limit)).unwrap_or(0);
        if value < short {
            self.bits(value, width - 1);
        } else {
            self.bits(value + short, width);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_values_are_read_back() {
        let mut writer = BitWriter::default();
        writer.bits(5, 3);
        writer.flag(true);
        writer.bits(0xabcd, 16);
        let bytes = writer.into_bytes();
        assert_eq!(bytes.len(), 3);
        let mut reader = BitReader::new(&bytes);
        assert_eq!((reader.bits(3), reader.flag(), reader.bits(16)), (Some(5), Some(true), Some(0xabcd)));
        assert_eq!(reader.bits(4), Some(0));
        assert_eq!(reader.bits(1), None);
    }

    #[test]
    fn a_read_past_the_end_consumes_nothing() {
        let mut reader = BitReader::new(&[0xf0]);
        assert_eq!((reader.bits(9), reader.skip(9), reader.bits(33)), (None, None, None));
        assert_eq!((reader.skip(4), reader.byte(4)), (Some(()), Some(0)));
    }

    #[test]
    fn numbers_below_a_limit_take_the_bits_of_the_specification() {
        // ns(5) writes 0, 1, 2 in two bits, 3 and 4 in three.
        for (value, bits) in [(0, "00"), (1, "01"), (2, "10"), (3, "110"), (4, "111")] {
            let mut writer = BitWriter::default();
            writer.below(value, 5);
            assert_eq!(writer.used, bits.len());
            let bytes = writer.into_bytes();
            assert_eq!(u32::from(bytes[0]) >> (8 - bits.len()), u32::from_str_radix(bits, 2).unwrap());
            let mut reader = BitReader::new(&bytes);
            assert_eq!((reader.below(5), reader.remaining()), (Some(value), 8 - bits.len()));
        }
    }

    #[test]
    fn one_possible_value_takes_no_bit() {
        assert_eq!(BitReader::new(&[]).below(1), Some(0));
        assert_eq!(BitReader::new(&[]).below(0), None);
        assert_eq!(BitReader::new(&[]).below(4), None);
    }
}
