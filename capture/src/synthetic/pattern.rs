//! The moving part of the test pattern: a drifting wave and a moving bar.

use media::FrameMut;

/// Draws the pattern of frame `number`.
pub fn draw(frame: &mut FrameMut, number: u64) {
    let width = usize::from(frame.size().width);
    let [mut luma, mut blue, mut red] = frame.planes_mut();
    let bar = phase(number, 7) % width.max(1);
    for (y, row) in luma.rows_mut().enumerate() {
        for (x, sample) in row.iter_mut().enumerate() {
            *sample = wave(x + y / 2 + phase(number, 3));
        }
        let end = (bar + width / 16).min(row.len());
        row[bar..end].fill(200);
    }
    for (y, row) in blue.rows_mut().enumerate() {
        row.fill(wave(y + phase(number, 1)));
    }
    for row in red.rows_mut() {
        for (x, sample) in row.iter_mut().enumerate() {
            *sample = wave(x + phase(number, 2));
        }
    }
}

/// The distance moved at `speed` samples per frame.
fn phase(number: u64, speed: u64) -> usize {
    usize::try_from(number.wrapping_mul(speed) % (1 << 20)).unwrap_or(0)
}

/// A triangle wave between 48 and 175 with a period of 256 samples.
fn wave(at: usize) -> u8 {
    let step = u8::try_from(at % 256).unwrap_or(0);
    48 + if step < 128 { step } else { 255 - step }
}
