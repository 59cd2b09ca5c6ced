//! Systems whose screens are not captured yet.

use crate::{Error, Source};
use media::Clock;

pub(super) fn open(_: Option<&str>, _: Clock) -> Result<Box<dyn Source>, Error> {
    Err(Error::NoScreen("screens are captured on X11 only so far".into()))
}
