//! Parses sequence parameter sets, up to the picture size and the colour space.

use super::bits::Bits;
use super::kind::Kind;
use super::malformed::Malformed;
use crate::colour;
use media::{Colour, Matrix, Size};

/// The used fields of a sequence parameter set (ITU-T H.264 7.3.2.1.1 and E.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sps {
    /// The picture size after cropping.
    pub size: Size,
    /// The colour space, or [`colour::assumed`] if the stream does not specify it.
    pub colour: Colour,
    /// `profile_idc`: 66 is baseline, 77 main, 100 high.
    pub profile: u8,
    /// The maximum number of reference frames (`max_num_ref_frames`).
    pub references: u8,
}

impl Sps {
    /// Parses a NAL unit, including its header byte.
    ///
    /// # Errors
    /// Returns [`Malformed::NotAUnit`] for another type of unit, [`Malformed::ParameterSet`] for an invalid one, and
    /// [`Malformed::Unsupported`] for an unsupported format or a level above 5.1.
    pub fn parse(unit: &[u8]) -> Result<Self, Malformed> {
        if Kind::of(unit)? != Kind::Sps {
            return Err(Malformed::NotAUnit);
        }
        let mut bits = Bits::new(&unit[1..]);
        let profile = bits.bits(8)?;
        // Constraint flags and the level.
        bits.bits(16)?;
        bits.at_most(31)?;
        if HIGH_PROFILES.contains(&profile) {
            high(&mut bits)?;
        }
        order_count(&mut bits)?;
        let references = bits.at_most(16)?;
        // gaps_in_frame_num_value_allowed_flag
        bits.flag()?;
        let blocks = [bits.at_most(MAX_BLOCKS)? + 1, bits.at_most(MAX_BLOCKS)? + 1];
        frames_only(&mut bits)?;
        within_level(blocks, references)?;
        let size = cropped(&mut bits, blocks)?;
        let colour = if bits.flag()? { colour_from_vui(&mut bits, size)? } else { colour::assumed(size) };
        let profile = u8::try_from(profile).map_err(|_| Malformed::ParameterSet)?;
        let references = u8::try_from(references).map_err(|_| Malformed::ParameterSet)?;
        Ok(Self { size, colour, profile, references })
    }
}

/// Reads the fields that only the high profiles contain.
fn high(bits: &mut Bits<'_>) -> Result<(), Malformed> {
    match bits.at_most(3)? {
        0 => return Err(Malformed::Unsupported("4:0:0")),
        CHROMA_420 => (),
        2 => return Err(Malformed::Unsupported("4:2:2")),
        _ => return Err(Malformed::Unsupported("4:4:4")),
    }
    match bits.at_most(6)?.max(bits.at_most(6)?) {
        0 => (),
        2 => return Err(Malformed::Unsupported("10 bit")),
        _ => return Err(Malformed::Unsupported("with more than 8 bit")),
    }
    // qpprime_y_zero_transform_bypass_flag
    bits.flag()?;
    if bits.flag()? {
        for list in 0..8 {
            if bits.flag()? {
                scaling_list(bits, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Ok(())
}

fn scaling_list(bits: &mut Bits<'_>, size: usize) -> Result<(), Malformed> {
    let (mut last, mut next) = (8, 8);
    for _ in 0..size {
        if next != 0 {
            next = (last + bits.signed()?).rem_euclid(256);
        }
        last = if next == 0 { last } else { next };
    }
    Ok(())
}

fn order_count(bits: &mut Bits<'_>) -> Result<(), Malformed> {
    // log2_max_frame_num_minus4
    bits.at_most(12)?;
    match bits.at_most(2)? {
        // log2_max_pic_order_cnt_lsb_minus4
        0 => bits.at_most(12).map(drop),
        1 => {
            bits.flag()?;
            bits.signed()?;
            bits.signed()?;
            let cycle = bits.at_most(255)?;
            (0..cycle).try_for_each(|_| bits.signed().map(drop))
        }
        _ => Ok(()),
    }
}

fn frames_only(bits: &mut Bits<'_>) -> Result<(), Malformed> {
    if !bits.flag()? {
        return Err(Malformed::Unsupported("interlaced"));
    }
    // direct_8x8_inference_flag
    bits.flag().map(drop)
}

/// Returns an error above level 5.1 (table A-1), so that a malicious stream cannot make a decoder exhaust the memory.
fn within_level(blocks: [u32; 2], references: u32) -> Result<(), Malformed> {
    let area = blocks[0] * blocks[1];
    let fits = area <= MAX_FRAME_BLOCKS && area * references.max(1) <= MAX_DPB_BLOCKS;
    if fits { Ok(()) } else { Err(Malformed::Unsupported("beyond level 5.1")) }
}

fn cropped(bits: &mut Bits<'_>, blocks: [u32; 2]) -> Result<Size, Malformed> {
    let mut crop = [0; 4];
    if bits.flag()? {
        for side in &mut crop {
            // The crop unit of 4:2:0 frames is two samples.
            *side = bits.at_most(MAX_BLOCKS * 8)? * 2;
        }
    }
    let [left, right, top, bottom] = crop;
    let shown = |blocks: u32, before: u32, after: u32| {
        let side = (blocks * 16).checked_sub(before + after).filter(|side| *side > 0).ok_or(Malformed::ParameterSet)?;
        u16::try_from(side).map_err(|_| Malformed::ParameterSet)
    };
    Ok(Size::new(shown(blocks[0], left, right)?, shown(blocks[1], top, bottom)?))
}

/// Parses the video usability information up to the colour space.
fn colour_from_vui(bits: &mut Bits<'_>, size: Size) -> Result<Colour, Malformed> {
    if bits.flag()? && bits.bits(8)? == EXTENDED_ASPECT {
        bits.bits(32)?;
    }
    // overscan_info_present_flag, overscan_appropriate_flag
    if bits.flag()? {
        bits.flag()?;
    }
    let assumed = colour::assumed(size);
    if !bits.flag()? {
        return Ok(assumed);
    }
    // video_format
    bits.bits(3)?;
    let full_range = bits.flag()?;
    if !bits.flag()? {
        return Ok(Colour { full_range, ..assumed });
    }
    // colour_primaries, transfer_characteristics
    bits.bits(16)?;
    let matrix = match bits.bits(8)? {
        // Treat BT.2020 as BT.709, which is closer to it than BT.601.
        1 | 9 | 10 => Matrix::Bt709,
        4..=7 => Matrix::Bt601,
        _ => assumed.matrix,
    };
    Ok(Colour { matrix, full_range })
}

/// The profiles with the additional fields of 7.3.2.1.1.
const HIGH_PROFILES: [u32; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];
const CHROMA_420: u32 = 1;
/// The `aspect_ratio_idc` that is followed by an explicit ratio.
const EXTENDED_ASPECT: u32 = 255;
/// The maximum macroblocks along one side, minus one: sqrt(8 x the maximum frame size in macroblocks), by A.3.1.
const MAX_BLOCKS: u32 = 542;
/// `MaxFS` of level 5.1, in macroblocks.
const MAX_FRAME_BLOCKS: u32 = 36_864;
/// `MaxDpbMbs` of level 5.1.
const MAX_DPB_BLOCKS: u32 = 184_320;

#[cfg(test)]
mod tests {
    use super::*;

    /// From x264 through ffmpeg: 1920x1080, high profile, cropped from 1088 lines, BT.709 limited range.
    const HIGH_1080: &[u8] = &[
        0x67, 0x64, 0x00, 0x28, 0xAC, 0xD9, 0x40, 0x78, 0x02, 0x27, 0xE5, 0xC0, 0x5A, 0x80, 0x80, 0x80, 0xA0, 0x00,
        0x00, 0x03, 0x00, 0x20, 0x00, 0x00, 0x07, 0x81, 0xE3, 0x06, 0x32, 0xC0,
    ];

    /// Writes parameter sets for tests, bit by bit.
    #[derive(Default)]
    struct Writer(Vec<bool>);

    impl Writer {
        fn bits(mut self, value: u32, count: u32) -> Self {
            self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
            self
        }

        fn code(self, value: u32) -> Self {
            let length = 32 - (value + 1).leading_zeros();
            self.bits(0, length - 1).bits(value + 1, length)
        }

        fn unit(self) -> Vec<u8> {
            let payload = self.bits(1, 1).0;
            let byte = |bits: &[bool]| (0..8).fold(0, |byte, at| byte << 1 | u8::from(bits.get(at) == Some(&true)));
            std::iter::once(0x67).chain(payload.chunks(8).map(byte)).collect()
        }
    }

    fn baseline(width: u32, height: u32, references: u32) -> Writer {
        let writer = Writer::default().bits(66, 8).bits(0xC01F, 16).code(0).code(0).code(2).code(references);
        writer.bits(0, 1).code(width / 16 - 1).code(height / 16 - 1).bits(0b11, 2)
    }

    #[test]
    fn a_high_profile_parameter_set_is_parsed() {
        let sps = Sps::parse(HIGH_1080).unwrap();
        assert_eq!(sps.size, Size::new(1920, 1080));
        assert_eq!(sps.colour, Colour { matrix: Matrix::Bt709, full_range: false });
        assert_eq!(sps.profile, 100);
    }

    #[test]
    fn cropping_and_colour_space_are_parsed() {
        let crop = |writer: Writer| writer.bits(1, 1).code(0).code(1).code(0).code(3);
        let unit = crop(baseline(320, 192, 1)).bits(0, 1).unit();
        let sps = Sps::parse(&unit).unwrap();
        assert_eq!((sps.size, sps.colour.matrix), (Size::new(318, 186), Matrix::Bt601));
        let unit = baseline(320, 192, 1).bits(0, 1).bits(1, 1).bits(0b001, 3).bits(5, 3).bits(0b11, 2).bits(1, 8);
        let sps = Sps::parse(&unit.bits(1, 8).bits(1, 8).unit()).unwrap();
        assert_eq!(sps.colour, Colour { matrix: Matrix::Bt709, full_range: true });
    }

    #[test]
    fn truncations_are_errors_and_flipped_bits_do_not_panic() {
        for length in 0..14 {
            assert!(Sps::parse(&HIGH_1080[..length]).is_err(), "at {length}");
        }
        for bit in 0..HIGH_1080.len() * 8 {
            let mut unit = HIGH_1080.to_vec();
            unit[bit / 8] ^= 0x80 >> (bit % 8);
            let _ = Sps::parse(&unit);
        }
    }

    #[test]
    fn large_sizes_fields_and_other_formats_are_refused() {
        let beyond = Err(Malformed::Unsupported("beyond level 5.1"));
        assert_eq!(Sps::parse(&baseline(8_192, 8_192, 1).bits(0, 2).unit()), beyond);
        assert_eq!(Sps::parse(&baseline(3_840, 2_160, 16).bits(0, 2).unit()), beyond);
        assert_eq!(Sps::parse(&baseline(64_000, 16, 1).bits(0, 2).unit()), Err(Malformed::ParameterSet));
        let crop_all = baseline(16, 16, 1).bits(1, 1).code(4).code(4).code(0).code(0).bits(0, 1);
        assert_eq!(Sps::parse(&crop_all.unit()), Err(Malformed::ParameterSet));
        let high_422 = Writer::default().bits(122, 8).bits(0, 16).code(0).code(2);
        assert_eq!(Sps::parse(&high_422.unit()), Err(Malformed::Unsupported("4:2:2")));
        let high_10 = Writer::default().bits(110, 8).bits(0, 16).code(0).code(1).code(2).code(2);
        assert_eq!(Sps::parse(&high_10.unit()), Err(Malformed::Unsupported("10 bit")));
        // frame_mbs_only_flag is 0.
        let fields = Writer::default().bits(66, 8).bits(0xC01F, 16).code(0).code(0).code(2).code(1).bits(0, 1);
        let fields = fields.code(3).code(3).bits(0, 2);
        assert_eq!(Sps::parse(&fields.unit()), Err(Malformed::Unsupported("interlaced")));
        assert_eq!(Sps::parse(&[0x68, 1, 2]), Err(Malformed::NotAUnit));
    }
}
