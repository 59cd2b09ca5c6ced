//! Systems without screen capture.

use super::Monitor;
use crate::{Error, Source};
use media::Clock;

pub(super) fn list(_: Option<&str>) -> Result<Vec<Monitor>, Error> {
    Err(unsupported())
}

pub(super) fn open(_: Option<&str>, _: Option<&str>, _: Clock) -> Result<Box<dyn Source>, Error> {
    Err(unsupported())
}

fn unsupported() -> Error {
    Error::NoScreen("screen capture requires X11".into())
}
