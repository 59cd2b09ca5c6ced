//! A moving test pattern that contains its frame number in a form that survives compression.

mod number;
mod pattern;

use crate::{Error, Format, Source, Stop};
use media::{Clock, Colour, Frame, FrameRate, Pool, Size};
use std::time::Instant;

pub use number::read as read_number;

/// Opens a generator of frames of `size` at `rate`. A strip of black and white blocks at the top contains the low 24
/// bits of the frame number; [`read_number`] reads them, also after compression.
///
/// # Errors
/// Returns [`Error::Format`] if `size` is smaller than 64x32, too small for the strip.
pub fn open(size: Size, rate: FrameRate, clock: Clock) -> Result<Box<dyn Source>, Error> {
    if size.width < 64 || size.height < 32 {
        return Err(Error::Format { name: NAME.into() });
    }
    Ok(Box::new(Synthetic { size, rate, clock, start: None, next: 0 }))
}

struct Synthetic {
    size: Size,
    rate: FrameRate,
    clock: Clock,
    start: Option<Instant>,
    next: u64,
}

impl Source for Synthetic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn format(&self) -> Format {
        Format { size: self.size, rate: self.rate }
    }

    fn next(&mut self, pool: &Pool, stop: &Stop) -> Result<Option<Frame>, Error> {
        let start = *self.start.get_or_insert_with(Instant::now);
        let number = self.next;
        self.next += 1;
        if stop.wait_until(start + self.rate.due(number)) {
            return Ok(None);
        }
        let Some(mut frame) = pool.take(self.size) else { return Ok(None) };
        pattern::draw(&mut frame, number);
        number::write(&mut frame, number);
        Ok(Some(frame.freeze(number, self.clock.now(), Colour::default())))
    }
}

const NAME: &str = "test pattern";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_move_and_contain_their_number() {
        let rate = FrameRate::new(240, 1).unwrap();
        let mut source = open(Size::new(320, 180), rate, Clock::default()).unwrap();
        let (pool, stop) = (Pool::new(4), Stop::new());
        let mut next = || source.next(&pool, &stop).unwrap().unwrap();
        let (first, second) = (next(), next());
        assert_eq!((read_number(&first), read_number(&second)), (Some(0), Some(1)));
        let rows = |frame: &Frame| frame.plane(media::Plane::Y).rows().skip(60).flatten().copied().collect::<Vec<_>>();
        assert_ne!(rows(&first), rows(&second));
    }

    #[test]
    fn a_size_too_small_for_the_number_is_refused() {
        assert!(open(Size::new(32, 32), FrameRate::THIRTY, Clock::default()).is_err());
    }
}
