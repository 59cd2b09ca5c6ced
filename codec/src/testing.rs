//! Helpers for unit tests: moving frames with much detail, and a comparison of planes.

use media::{Colour, Frame, FrameRate, PlaneRef, Pool, Size, Timestamp};

/// Returns frame `number` of a pan over a textured background with a bright moving disc.
pub(crate) fn picture(pool: &Pool, size: Size, number: u64) -> Frame {
    picture_in(pool, size, number, Colour::default())
}

/// Works like [`picture`], with another colour space.
pub(crate) fn picture_in(pool: &Pool, size: Size, number: u64, colour: Colour) -> Frame {
    let mut frame = pool.take(size).expect("the pool has a free buffer");
    let step = i32::try_from(number % 10_000).expect("small");
    let [mut luma, mut blue, mut red] = frame.planes_mut();
    let disc = (step * 4 % i32::from(size.width), i32::from(size.height) / 2, i32::from(size.height) / 6);
    for (y, row) in (0..).zip(luma.rows_mut()) {
        for (x, sample) in (0..).zip(row.iter_mut()) {
            *sample = if inside(x, y, disc) { 220 } else { background(x + step * 2, y + step) };
        }
    }
    for (plane, offset) in [(&mut blue, 1), (&mut red, 3)] {
        for (y, row) in (0..).zip(plane.rows_mut()) {
            for (x, sample) in (0..).zip(row.iter_mut()) {
                *sample = 96 + wave((x + step) * 2 + offset * (y * 2 + step), 197, 64);
            }
        }
    }
    let captured = Timestamp::default() + FrameRate::THIRTY.due(number);
    frame.freeze(number, captured, colour)
}

/// Returns the peak signal-to-noise ratio of two planes in decibels. It is infinite if they are equal.
///
/// # Panics
/// Panics if the sizes differ.
pub(crate) fn psnr(one: PlaneRef<'_>, other: PlaneRef<'_>) -> f64 {
    assert_eq!(one.size, other.size);
    let pairs = one.rows().flatten().zip(other.rows().flatten());
    let error: f64 = pairs.map(|(one, other)| f64::from(one.abs_diff(*other)).powi(2)).sum();
    10.0 * (255.0_f64.powi(2) * f64::from(one.size.area()) / error).log10()
}

fn inside(x: i32, y: i32, (centre_x, centre_y, radius): (i32, i32, i32)) -> bool {
    (x - centre_x).pow(2) + (y - centre_y).pow(2) < radius.pow(2)
}

fn background(x: i32, y: i32) -> u8 {
    40 + wave(x + y / 3, 131, 70) + wave(x - 2 * y, 173, 40) + wave(x / 2 + y, 41, 12)
}

/// Returns a triangle wave between 0 and `height`.
fn wave(at: i32, period: i32, height: i32) -> u8 {
    let phase = at.rem_euclid(period) * 2 - period;
    u8::try_from(phase.abs() * height / period).expect("below 128")
}
