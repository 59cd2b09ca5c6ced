//! The badges of a name tag, drawn from signed distance functions so that they are sharp at every size.

/// A badge of a name tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Badge {
    /// The crossed microphone.
    Muted,
    /// A triangle with an exclamation mark.
    Warning,
    /// A check mark on a disc.
    Verified,
    /// A check mark.
    Known,
    /// A plus sign in a circle.
    New,
}

impl Badge {
    /// The coverage of each pixel of a square of `size`, in rows.
    pub(super) fn mask(self, size: u32) -> Vec<u8> {
        match self {
            Self::Muted => mask(size, crossed_microphone),
            Self::Warning => mask(size, warning),
            Self::Verified => mask(size, verified),
            Self::Known => mask(size, check),
            Self::New => mask(size, plus),
        }
    }
}

/// The coverage of each pixel of a square of `size`, in rows. `distance` is the signed distance to the shape in a square
/// of 16 units; negative inside.
fn mask(size: u32, distance: fn([f32; 2]) -> f32) -> Vec<u8> {
    #[expect(clippy::cast_precision_loss, reason = "a badge is a few pixels wide")]
    let (unit, at) = (16.0 / size as f32, |pixel: u32| (pixel as f32 + 0.5) * 16.0 / size as f32);
    let pixels = (0..size).flat_map(|y| (0..size).map(move |x| (x, y)));
    pixels
        .map(|(x, y)| {
            let cover = (0.5 - distance([at(x), at(y)]) / unit).clamp(0.0, 1.0);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=255")]
            let cover = (cover * 255.0).round() as u8;
            cover
        })
        .collect()
}

fn crossed_microphone(p: [f32; 2]) -> f32 {
    let body = segment(p, [8.0, 4.1], [8.0, 7.4]) - 2.7;
    let stem = segment(p, [8.0, 12.0], [8.0, 14.4]) - 0.75;
    let microphone = body.min(holder(p)).min(stem);
    let slash = segment(p, [2.4, 2.2], [13.6, 13.8]);
    // A gap on both sides separates the slash from the microphone.
    microphone.max(1.6 - slash).min(slash - 0.75)
}

fn warning(p: [f32; 2]) -> f32 {
    let (top, left, right) = ([8.0, 1.9], [1.5, 13.6], [14.5, 13.6]);
    let edge = segment(p, top, left).min(segment(p, left, right)).min(segment(p, right, top)) - 0.75;
    let mark = segment(p, [8.0, 6.2], [8.0, 9.2]).min(segment(p, [8.0, 11.4], [8.0, 11.4])) - 0.75;
    edge.min(mark)
}

fn check(p: [f32; 2]) -> f32 {
    segment(p, [2.6, 8.6], [6.3, 12.2]).min(segment(p, [6.3, 12.2], [13.4, 4.2])) - 0.9
}

/// The check mark is cut out of the disc.
fn verified(p: [f32; 2]) -> f32 {
    let disc = (p[0] - 8.0).hypot(p[1] - 8.0) - 7.2;
    let mark = segment(p, [4.8, 8.3], [7.1, 10.6]).min(segment(p, [7.1, 10.6], [11.4, 5.6])) - 0.95;
    disc.max(-mark)
}

fn plus(p: [f32; 2]) -> f32 {
    let circle = ((p[0] - 8.0).hypot(p[1] - 8.0) - 6.2).abs() - 0.75;
    let sign = segment(p, [8.0, 5.2], [8.0, 10.8]).min(segment(p, [5.2, 8.0], [10.8, 8.0])) - 0.75;
    circle.min(sign)
}

/// The U-shaped holder below the body.
fn holder(p: [f32; 2]) -> f32 {
    let (centre, radius, half) = ([8.0, 7.4], 4.6, 0.75);
    let (x, y) = (p[0] - centre[0], p[1] - centre[1]);
    let ring = if y >= 0.0 { (x.hypot(y) - radius).abs() } else { (x.abs() - radius).hypot(y) };
    ring - half
}

fn segment(p: [f32; 2], from: [f32; 2], to: [f32; 2]) -> f32 {
    let (along, to_p) = ([to[0] - from[0], to[1] - from[1]], [p[0] - from[0], p[1] - from[1]]);
    // A point is a segment without length.
    let length = (along[0] * along[0] + along[1] * along[1]).max(f32::EPSILON);
    let share = ((to_p[0] * along[0] + to_p[1] * along[1]) / length).clamp(0.0, 1.0);
    (to_p[0] - along[0] * share).hypot(to_p[1] - along[1] * share)
}
