//! The encoding ladder: the sizes and bitrates at which a track is encoded. Pure.

use media::{Bitrate, Size};

/// The maximum number of spatial layers of a track.
pub const MAX_LAYERS: usize = 3;

/// The content of a track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Content {
    /// People, for whom smooth motion is preferred.
    #[default]
    Camera,
    /// A desktop, for which sharp text is preferred.
    Screen,
}

/// One spatial layer of a ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// The spatial layer. 0 has the smallest size.
    pub spatial: u8,
    /// The size. Both sides are even, so the aspect ratio may differ slightly from the source's.
    pub size: Size,
    /// The bitrate for good quality. A higher one improves the picture only a little.
    pub bitrate: Bitrate,
    /// The minimum bitrate. Below it the layer is not sent.
    pub min_bitrate: Bitrate,
    /// The number of temporal layers.
    pub temporal_layers: u8,
}

/// The spatial layers of one track, smallest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    rungs: Vec<Rung>,
    keeps_frame_rate: bool,
}

impl Ladder {
    /// Returns the ladder for a source of `size`. The top rung has the source's size, at most 720 lines for a camera
    /// and 1080 for a screen. Each further rung has half the width and height (180/360/720 lines for a camera at 16:9),
    /// down to 120 lines. A source with a side under 16 samples, the minimum of the encoders, is enlarged. The ladder is
    /// empty if the source has no area, or if its longer side would then exceed 3,840 samples.
    #[must_use]
    pub fn for_source(size: Size, content: Content) -> Self {
        let limits = Limits::of(content);
        let top = limits.fit(size);
        let divisors = (0..limits.rungs).map(|step| 1_u16 << step);
        let mut sizes: Vec<Size> = divisors
            .map(|divisor| divide(top, divisor))
            .enumerate()
            .filter(|(step, size)| short_side(*size) >= if *step == 0 { MIN_SIDE } else { MIN_LOWER_SIDE })
            .map(|(_, size)| size)
            .collect();
        sizes.reverse();
        let rungs = (0..).zip(sizes).map(|(spatial, size)| limits.rung(spatial, size)).collect();
        Self { rungs, keeps_frame_rate: false }
    }

    /// Returns the ladder without temporal layers, so that no SFU can reduce the frame rate: for sign language. On a narrow path
    /// the pictures are smaller instead.
    #[must_use]
    pub fn with_constant_frame_rate(mut self) -> Self {
        self.rungs.iter_mut().for_each(|rung| rung.temporal_layers = 1);
        self.keeps_frame_rate = true;
        self
    }

    /// Returns true if the frame rate is never reduced.
    #[must_use]
    pub const fn keeps_frame_rate(&self) -> bool {
        self.keeps_frame_rate
    }

    /// Returns the rungs, smallest first.
    #[must_use]
    pub fn rungs(&self) -> &[Rung] {
        &self.rungs
    }

    /// Returns the rung of spatial layer `spatial`.
    #[must_use]
    pub fn rung(&self, spatial: u8) -> Option<&Rung> {
        self.rungs.get(usize::from(spatial))
    }
}

struct Limits {
    lines: u16,
    area: u32,
    rungs: usize,
    temporal_layers: u8,
    /// Bits per second at `area`.
    bitrate: f64,
}

impl Limits {
    fn of(content: Content) -> Self {
        match content {
            Content::Camera => {
                Self { lines: 720, area: 1280 * 720, rungs: MAX_LAYERS, temporal_layers: 3, bitrate: 1_500_000.0 }
            }
            // OpenH264 aborts on temporal layers in screen mode, and text is unreadable at a quarter of the size.
            Content::Screen => {
                Self { lines: 1080, area: 1920 * 1080, rungs: 2, temporal_layers: 1, bitrate: 2_000_000.0 }
            }
        }
    }

    /// Returns the largest even size within the limits with the source's aspect ratio. It is only larger than the source if
    /// a side of the source is shorter than [`MIN_SIDE`].
    fn fit(&self, source: Size) -> Size {
        if source.is_empty() {
            return source;
        }
        let lines = f64::from(self.lines) / f64::from(short_side(source));
        let area = (f64::from(self.area) / f64::from(source.area())).sqrt();
        let longest = f64::from(MAX_SIDE) / f64::from(source.width.max(source.height));
        let shortest = f64::from(MIN_SIDE) / f64::from(short_side(source));
        let factor = lines.min(area).min(1.0).max(shortest).min(longest);
        Size::new(even(f64::from(source.width) * factor), even(f64::from(source.height) * factor))
    }

    fn rung(&self, spatial: u8, size: Size) -> Rung {
        let share = (f64::from(size.area()) / f64::from(self.area)).powf(RATE_POWER);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a positive rate of a few megabits"
        )]
        let kilobits = (self.bitrate * share / 1_000.0).round() as u64;
        let bitrate = Bitrate::kbps(kilobits.max(MIN_KILOBITS));
        let min_bitrate = Bitrate::bps(bitrate.as_bps() / MIN_BITRATE_DIVISOR);
        Rung { spatial, size, bitrate, min_bitrate, temporal_layers: self.temporal_layers }
    }
}

fn short_side(size: Size) -> u16 {
    size.width.min(size.height)
}

fn divide(size: Size, divisor: u16) -> Size {
    let part = |side: u16| even(f64::from(side) / f64::from(divisor));
    Size::new(part(size.width), part(size.height))
}

/// Returns the nearest even number, because 4:2:0 halves both sides.
fn even(side: f64) -> u16 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the side of a picture is not negative"
    )]
    let half = (side / 2.0).round() as u16;
    half.saturating_mul(2)
}

/// The minimum side that the encoders accept.
const MIN_SIDE: u16 = 16;

/// The maximum side that the encoders and the decoders of all systems accept.
const MAX_SIDE: u16 = 3_840;

/// The minimum lines of a rung below the top one.
const MIN_LOWER_SIDE: u16 = 120;

/// The bitrate grows with the area to this power. A quarter of the area needs more than a quarter of the bitrate,
/// because its detail is denser.
const RATE_POWER: f64 = 0.72;

/// The minimum target bitrate of a layer.
const MIN_KILOBITS: u64 = 60;

/// The minimum bitrate is the bitrate divided by this. Below it, a layer looks worse than the next smaller one,
/// enlarged.
const MIN_BITRATE_DIVISOR: u64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(width: u16, height: u16, content: Content) -> Vec<(u16, u16)> {
        let ladder = Ladder::for_source(Size::new(width, height), content);
        ladder.rungs().iter().map(|rung| (rung.size.width, rung.size.height)).collect()
    }

    #[test]
    fn a_16_9_camera_has_180_360_and_720_lines() {
        let expected = vec![(320, 180), (640, 360), (1280, 720)];
        assert_eq!(sizes(1280, 720, Content::Camera), expected);
        assert_eq!(sizes(1920, 1080, Content::Camera), expected);
        assert_eq!(sizes(3840, 2160, Content::Camera), expected);
    }

    #[test]
    fn other_aspect_ratios_are_kept() {
        assert_eq!(sizes(640, 480, Content::Camera), [(160, 120), (320, 240), (640, 480)]);
        assert_eq!(sizes(1600, 1200, Content::Camera), [(240, 180), (480, 360), (960, 720)]);
        assert_eq!(sizes(1080, 1920, Content::Camera), [(180, 320), (360, 640), (720, 1280)]);
        assert_eq!(sizes(640, 272, Content::Camera), [(320, 136), (640, 272)]);
    }

    #[test]
    fn a_small_source_has_fewer_rungs() {
        assert_eq!(sizes(320, 180, Content::Camera), [(320, 180)]);
        assert_eq!(sizes(176, 144, Content::Camera), [(176, 144)]);
        assert_eq!(sizes(0, 720, Content::Camera), []);
    }

    #[test]
    fn a_tiny_source_is_enlarged_to_what_the_encoders_accept() {
        for content in [Content::Camera, Content::Screen] {
            assert_eq!(sizes(8, 8, content), [(16, 16)]);
            assert_eq!(sizes(1, 1, content), [(16, 16)]);
            assert_eq!(sizes(100, 10, content), [(160, 16)]);
            assert_eq!(sizes(10, 100, content), [(16, 160)]);
            assert_eq!(sizes(1, 240, content), [(16, 3_840)]);
            assert_eq!(sizes(1, 300, content), [], "too narrow");
            assert_eq!(sizes(u16::MAX, 8, content), [], "too narrow");
        }
    }

    #[test]
    fn no_rung_is_smaller_than_the_encoders_accept() {
        let sides = [1, 2, 7, 15, 16, 17, 31, 100, 239, 240, 241, 719, 1_000, 3_839, 3_840, 3_841, 8_000, u16::MAX];
        for (width, height) in sides.into_iter().flat_map(|width| sides.map(|height| (width, height))) {
            for content in [Content::Camera, Content::Screen] {
                for (rung_width, rung_height) in sizes(width, height, content) {
                    let sides = [rung_width, rung_height];
                    assert!(sides.iter().all(|side| (16..=3_840).contains(side)), "{sides:?} of {width}x{height}");
                    let ratio = f64::from(rung_width) / f64::from(rung_height) * f64::from(height) / f64::from(width);
                    assert!((0.93..1.07).contains(&ratio), "{sides:?} of {width}x{height}");
                }
            }
        }
    }

    #[test]
    fn a_screen_has_two_rungs_up_to_1080_lines() {
        assert_eq!(sizes(1920, 1080, Content::Screen), [(960, 540), (1920, 1080)]);
        assert_eq!(sizes(1366, 768, Content::Screen), [(684, 384), (1366, 768)]);
    }

    #[test]
    fn every_rung_is_even_ordered_and_inside_its_source() {
        for width in (16..4_000).step_by(97) {
            for height in (16..3_000).step_by(83) {
                for content in [Content::Camera, Content::Screen] {
                    let ladder = Ladder::for_source(Size::new(width, height), content);
                    check(&ladder, Size::new(width + 1, height + 1));
                }
            }
        }
    }

    fn check(ladder: &Ladder, bound: Size) {
        assert!(!ladder.rungs().is_empty() && ladder.rungs().len() <= MAX_LAYERS);
        for (number, rung) in ladder.rungs().iter().enumerate() {
            assert_eq!(usize::from(rung.spatial), number);
            assert!(rung.size.width % 2 == 0 && rung.size.height % 2 == 0, "{rung:?}");
            assert!(rung.size.width <= bound.width && rung.size.height <= bound.height, "{rung:?}");
            assert!(rung.min_bitrate < rung.bitrate);
        }
        assert!(
            ladder.rungs().is_sorted_by(|low, high| low.bitrate < high.bitrate && low.size.area() < high.size.area())
        );
    }
}
