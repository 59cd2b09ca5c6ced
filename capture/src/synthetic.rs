//! A moving pattern that carries its frame number in a way that survives compression.

mod number;
mod pattern;

use crate::{Error, Format, Source, Stop};
use media::{Clock, Colour, Frame, FrameRate, Pool, Rotation, Size};
use std::time::Instant;

pub use number::read as read_number;

/// A generator of pictures of `size`, paced at `rate`. The first 24 bits of each number stand in a strip of black and white
/// blocks at the top; [`read_number`] finds them in whatever a codec left of the picture.
///
/// # Errors
/// [`Error::Format`] for pictures too small to carry the strip: at least 64 by 32.
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
        let Some(mut canvas) = pool.canvas(self.size) else { return Ok(None) };
        pattern::draw(&mut canvas, number);
        number::write(&mut canvas, number);
        Ok(Some(canvas.freeze(number, self.clock.now(), Colour::default(), Rotation::Upright)))
    }
}

const NAME: &str = "test pattern";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_move_and_carry_their_number() {
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
    fn a_tiny_picture_cannot_carry_a_number() {
        assert!(open(Size::new(32, 32), FrameRate::THIRTY, Clock::default()).is_err());
    }
}
