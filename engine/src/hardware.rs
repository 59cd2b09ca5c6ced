//! Opens the device of each choice.

use crate::setup::{Choice, Screen};
use audio::device::Provider as SoundDevices;
use capture::{Error, Open, Source, device, file, null, screen as x11, synthetic};
use codec::{decode, encode};
use media::{Clock, FrameRate, Size};
use std::sync::Arc;

/// The devices, encoders and decoders that a meeting can open: this machine's, unless the caller provides others.
#[derive(Clone, Default)]
pub struct Hardware {
    /// Cameras.
    pub cameras: Cameras,
    /// Microphones and speakers.
    pub sound: SoundDevices,
    /// Encoders and decoders of pictures.
    pub codecs: Codecs,
}

/// The cameras that a meeting can open: this machine's, unless the caller provides others. Clones share one function.
#[derive(Clone)]
pub struct Cameras {
    open: Arc<dyn Fn(Choice, Clock) -> Opened + Send + Sync>,
}

type Opened = Result<Box<dyn Source>, Error>;

impl Cameras {
    /// Returns cameras that `open` opens, each on the thread that reads it.
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

/// The encoders and decoders of pictures, in order of preference: this machine's, unless the caller provides others.
#[derive(Clone, Default)]
pub struct Codecs {
    /// The encoders.
    pub encoders: encode::Backends,
    /// The decoders.
    pub decoders: decode::Backends,
}

fn camera(choice: Choice, clock: Clock) -> Opened {
    match choice {
        Choice::Off => Ok(null::open()),
        Choice::Synthetic => synthetic::open(Size::new(1280, 720), FrameRate::THIRTY, clock),
        Choice::Device(id) => device::open(id.as_deref(), clock),
        Choice::File(path) => file::open(&path, clock),
    }
}

/// Returns the opener of a screen, for the thread that reads it.
pub fn screen(screen: Screen, clock: Clock) -> Open {
    Box::new(move || match screen {
        Screen::Whole => x11::open(None, clock),
        Screen::Monitor(id) => x11::open(Some(&id), clock),
    })
}
