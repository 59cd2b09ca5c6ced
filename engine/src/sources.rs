//! How each choice of a picture source is opened.

use crate::send::Open;
use crate::setup::Choice;
use capture::{Error, Source, device, file, null, screen as x11, synthetic};
use codec::{decode, encode};
use media::{Clock, FrameRate, Size};
use std::sync::Arc;

/// The cameras that choices are about: this machine's, unless somebody brings others. Clones are the same.
#[derive(Clone)]
pub struct Cameras {
    open: Arc<dyn Fn(Choice, Clock) -> Opened + Send + Sync>,
}

type Opened = Result<Box<dyn Source>, Error>;

impl Cameras {
    /// Cameras that `open` opens, each on the thread that will read it.
    #[must_use]
    pub fn new(open: impl Fn(Choice, Clock) -> Opened + Send + Sync + 'static) -> Self {
        Self { open: Arc::new(open) }
    }

    pub(crate) fn open(&self, choice: Choice, clock: Clock) -> Open {
        let open = Arc::clone(&self.open);
        Box::new(move || open(choice, clock))
    }
}

impl Default for Cameras {
    fn default() -> Self {
        Self::new(camera)
    }
}

/// The encoders and decoders of pictures, in order of preference: this machine's, unless the caller brings others.
#[derive(Clone, Default)]
pub struct Codecs {
    /// The encoders.
    pub encoders: encode::Backends,
    /// The decoders.
    pub decoders: decode::Backends,
}

/// What a meeting uses of this machine, or what a test puts in its place.
#[derive(Clone, Default)]
pub struct Hardware {
    /// The cameras.
    pub cameras: Cameras,
    /// The encoders and decoders.
    pub codecs: Codecs,
}

impl From<Cameras> for Hardware {
    fn from(cameras: Cameras) -> Self {
        Self { cameras, codecs: Codecs::default() }
    }
}

fn camera(choice: Choice, clock: Clock) -> Opened {
    match choice {
        Choice::Off => Ok(null::open()),
        Choice::Synthetic => synthetic::open(Size::new(1280, 720), FrameRate::THIRTY, clock),
        Choice::Device(id) => device::open(id.as_deref(), clock),
        Choice::File(path) => file::open(&path, clock),
    }
}

/// Opens the screen on the thread that will read it.
pub fn screen(clock: Clock) -> Open {
    Box::new(move || x11::open(clock))
}
