//! A frame number as a strip of blocks: 24 bits, then an 8-bit checksum.

use media::{Frame, FrameMut, Plane};

/// Writes the low 24 bits of `number` across the top eighth of the frame.
pub fn write(frame: &mut FrameMut, number: u64) {
    let code = code(u32::try_from(number & 0x00ff_ffff).unwrap_or(0));
    let size = frame.size();
    let [mut luma, mut blue, mut red] = frame.planes_mut();
    for row in luma.rows_mut().take(strip(size.height)) {
        for bit in 0..BITS {
            let (from, to) = block(size.width, bit);
            row[from..to].fill(if code >> (BITS - 1 - bit) & 1 == 1 { 235 } else { 16 });
        }
    }
    for plane in [&mut blue, &mut red] {
        plane.rows_mut().take(strip(size.height).div_ceil(2)).for_each(|row| row.fill(128));
    }
}

/// Reads the number from a frame's strip. Returns `None` if the checksum does not match.
#[must_use]
pub fn read(frame: &Frame) -> Option<u32> {
    let (size, luma) = (frame.size(), frame.plane(Plane::Y));
    let rows: Vec<&[u8]> = luma.rows().take(strip(size.height)).collect();
    let middle = rows.get(rows.len() / 4..(rows.len() * 3).div_ceil(4))?;
    // Only the middle of each block is read, because compression blurs its edges.
    let bit = |bit| {
        let (from, to) = block(size.width, bit);
        let quarter = (to - from) / 4;
        let samples = middle.iter().flat_map(|row| &row[from + quarter..to - quarter]);
        let (sum, count) = samples.fold((0_u32, 0_u32), |(sum, count), sample| (sum + u32::from(*sample), count + 1));
        Some(sum.checked_div(count)? > 125)
    };
    let found = (0..BITS).try_fold(0_u32, |code, index| Some(code << 1 | u32::from(bit(index)?)))?;
    let number = found >> 8;
    (code(number) == found).then_some(number)
}

/// The number followed by a checksum of its bytes. The checksum is inverted so that a black strip is not a valid number.
fn code(number: u32) -> u32 {
    let check = number.to_be_bytes().iter().fold(0x5a_u8, |sum, byte| sum.rotate_left(1) ^ byte);
    number << 8 | u32::from(!check)
}

/// The height of the strip, in rows.
fn strip(height: u16) -> usize {
    usize::from(height / 8)
}

/// The columns of the block of one bit: the first one, and the one after the last.
fn block(width: u16, bit: u32) -> (usize, usize) {
    let at = |bit: u32| usize::try_from(u32::from(width) * bit / BITS).unwrap_or(0);
    (at(bit), at(bit + 1))
}

const BITS: u32 = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use media::{Colour, Pool, Size, Timestamp};

    fn picture(size: Size, number: Option<u64>) -> Frame {
        let mut frame = Pool::new(1).take(size).unwrap();
        for mut plane in frame.planes_mut() {
            plane.rows_mut().for_each(|row| row.fill(0));
        }
        if let Some(number) = number {
            write(&mut frame, number);
        }
        frame.freeze(0, Timestamp::default(), Colour::default())
    }

    #[test]
    fn the_number_is_read_back_at_every_size() {
        for size in [Size::new(64, 32), Size::new(319, 181), Size::new(1280, 720)] {
            for number in [0, 1, 0x00ff_ffff, 0x00a5_5a3c] {
                assert_eq!(read(&picture(size, Some(number))).map(u64::from), Some(number));
            }
        }
    }

    #[test]
    fn a_black_frame_has_no_number() {
        assert_eq!(read(&picture(Size::new(320, 180), None)), None);
    }
}
