//! Systems without screen capture.

use crate::{Error, Source};
use media::Clock;

pub(super) fn open(_: Option<&str>, _: Clock) -> Result<Box<dyn Source>, Error> {
    Err(Error::NoScreen("screen capture requires X11".into()))
}
