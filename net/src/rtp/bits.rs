//! Reading and writing fields of any number of bits, most significant first.

/// Reads bits from bytes that a stranger sent: every read past the end is `None`.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// A reader of the first bit of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// The next `count` bits, at most 32, as a number: `f(n)` of the AV1 RTP specification.
    pub fn bits(&mut self, count: u32) -> Option<u32> {
        let mut value = 0u64;
        for _ in 0..count.min(32) {
            let byte = *self.bytes.get(self.position / 8)?;
            let bit = byte >> (7 - self.position % 8) & 1;
            value = value << 1 | u64::from(bit);
            self.position += 1;
        }
        u32::try_from(value).ok()
    }

    /// The next `count` bits, at most 8.
    pub fn byte(&mut self, count: u32) -> Option<u8> {
        u8::try_from(self.bits(count.min(8))?).ok()
    }

    /// The next bit.
    pub fn flag(&mut self) -> Option<bool> {
        self.bits(1).map(|bit| bit == 1)
    }

    /// A number below `limit`, in as few bits as it needs: `ns(n)` of the AV1 RTP specification.
    pub fn below(&mut self, limit: u32) -> Option<u32> {
        let width = limit.checked_ilog2()? + 1;
        let short = (1u64 << width) - u64::from(limit);
        let value = self.bits(width - 1)?;
        if u64::from(value) < short {
            return Some(value);
        }
        let extra = self.bits(1)?;
        u32::try_from((u64::from(value) << 1) + u64::from(extra) - short).ok()
    }
}

/// Writes bits into bytes of its own; the last byte is filled up with zeros.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    used: usize,
}

impl Writer {
    /// An empty writer with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), used: 0 }
    }

    /// Forgets what was written, and keeps the room.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.used = 0;
    }

    /// What was written so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Adds the `count` lowest bits of `value`, at most 32.
    pub fn bits(&mut self, value: u32, count: u32) {
        for place in (0..count.min(32)).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= u8::from(value >> place & 1 == 1) << (7 - self.used % 8);
            }
            self.used += 1;
        }
    }

    /// Adds one bit.
    pub fn flag(&mut self, set: bool) {
        self.bits(u32::from(set), 1);
    }

    /// Adds `value`, which is below `limit`, as `ns(limit)`.
    pub fn below(&mut self, value: u32, limit: u32) {
        let Some(width) = limit.checked_ilog2().map(|log| log + 1) else { return };
        let short = u32::try_from((1u64 << width) - u64::from(limit)).unwrap_or(0);
        if value < short {
            self.bits(value, width - 1);
        } else {
            self.bits(value + short, width);
        }
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_back_as_they_went() {
        let mut writer = Writer::default();
        writer.bits(5, 3);
        writer.flag(true);
        writer.bits(0xabcd, 16);
        let bytes = writer.finish();
        assert_eq!(bytes.len(), 3);
        let mut reader = Reader::new(&bytes);
        assert_eq!((reader.bits(3), reader.flag(), reader.bits(16)), (Some(5), Some(true), Some(0xabcd)));
        assert_eq!(reader.bits(4), Some(0));
        assert_eq!(reader.bits(1), None);
    }

    #[test]
    fn numbers_below_a_limit_take_the_bits_of_the_specification() {
        // AV1 specification, section 4.10.7: ns(5) writes 0, 1, 2 in two bits, 3 and 4 in three.
        for (value, bits) in [(0, "00"), (1, "01"), (2, "10"), (3, "110"), (4, "111")] {
            let mut writer = Writer::default();
            writer.below(value, 5);
            assert_eq!(writer.used, bits.len());
            let bytes = writer.finish();
            assert_eq!(u32::from(bytes[0]) >> (8 - bits.len()), u32::from_str_radix(bits, 2).unwrap());
            assert_eq!(Reader::new(&bytes).below(5), Some(value));
        }
    }

    #[test]
    fn one_value_takes_no_bit() {
        assert_eq!(Reader::new(&[]).below(1), Some(0));
        assert_eq!(Reader::new(&[]).below(0), None);
        assert_eq!(Reader::new(&[]).below(4), None);
    }
}
