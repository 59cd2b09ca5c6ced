//! Decoders for tests: one that reads the packets of [`crate::encode::probe`] and records its calls and their threads,
//! one that fails on purpose, and one that is slow.

use super::{Backends, Candidate, Picture, PictureCallback, openh264};
use crate::BoxError;
use crate::bitstream::{self, Kind};
use crate::call_log::CallLog;
use media::{Colour, PlaneRef, Size, VideoCodec};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub use crate::encode::probe::Fault;

/// A call of the back-end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// A picture with this number was decoded.
    Decode(u64),
    /// Delayed pictures were flushed.
    Flush,
    /// The back-end was dropped.
    Dropped,
}

/// The calls of a back-end of this module.
pub type Log = CallLog<Call>;

/// Returns flat pictures whose luma is the low byte of the packet's number.
#[derive(Debug)]
pub struct Backend {
    log: Log,
    size: Size,
    samples: Vec<u8>,
}

impl Backend {
    /// Returns a back-end that shows pictures of `size` and records its calls in `log`.
    #[must_use]
    pub fn new(size: Size, log: Log) -> Self {
        let samples = vec![0; usize::from(size.width) * usize::from(size.height)];
        Self { log, size, samples }
    }
}

/// Returns a candidate called `name` whose back-ends show pictures of `size` and record their calls in `log`.
#[must_use]
pub fn candidate(name: &'static str, size: Size, log: Log) -> Candidate {
    Candidate::new(name, VideoCodec::H264, move |()| Ok(Box::new(Backend::new(size, log.clone()))))
}

/// Returns `candidate` under the name `name`, with `fault`.
#[must_use]
pub fn faulty(name: &'static str, candidate: Candidate, fault: Fault) -> Candidate {
    Candidate::new(name, candidate.codec(), move |()| match fault {
        Fault::Open => Err("the probe does not open".into()),
        Fault::ErrorAt(_) | Fault::PanicAt(_) => {
            Ok(Box::new(Faulty { name, inner: candidate.open(&())?, fault, decoded: 0 }))
        }
    })
}

/// Returns this machine's decoder on a slow computer with one core: each picture takes `time` longer, and only one is decoded at a
/// time.
#[must_use]
pub fn slow(time: Duration) -> Backends {
    let (inner, core) = (openh264::candidate(), Arc::<Mutex<()>>::default());
    let open = move |(): &()| -> Result<Box<dyn super::Backend>, BoxError> {
        Ok(Box::new(Slow { inner: inner.open(&())?, core: Arc::clone(&core), time }))
    };
    Backends::new(vec![Candidate::new("slow", VideoCodec::H264, open)])
}

struct Slow {
    inner: Box<dyn super::Backend>,
    core: Arc<Mutex<()>>,
    time: Duration,
}

impl super::Backend for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn decode(&mut self, bitstream: &[u8], colour: Colour, show: &mut PictureCallback<'_>) -> Result<(), BoxError> {
        let _core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        let end = Instant::now() + self.time;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            thread::park_timeout(left);
        }
        self.inner.decode(bitstream, colour, show)
    }

    fn flush(&mut self, colour: Colour, show: &mut PictureCallback<'_>) -> Result<bool, BoxError> {
        self.inner.flush(colour, show)
    }
}

struct Faulty {
    name: &'static str,
    inner: Box<dyn super::Backend>,
    fault: Fault,
    decoded: u64,
}

impl super::Backend for Faulty {
    fn name(&self) -> &'static str {
        self.name
    }

    fn decode(&mut self, bitstream: &[u8], colour: Colour, show: &mut PictureCallback<'_>) -> Result<(), BoxError> {
        let number = self.decoded;
        self.decoded += 1;
        match self.fault {
            Fault::ErrorAt(at) if number >= at => Err("the probe fails".into()),
            Fault::PanicAt(at) if number == at => panic!("the probe panics"),
            Fault::Open | Fault::ErrorAt(_) | Fault::PanicAt(_) => self.inner.decode(bitstream, colour, show),
        }
    }

    fn flush(&mut self, colour: Colour, show: &mut PictureCallback<'_>) -> Result<bool, BoxError> {
        self.inner.flush(colour, show)
    }
}

impl super::Backend for Backend {
    fn name(&self) -> &'static str {
        "probe"
    }

    fn decode(&mut self, bitstream: &[u8], colour: Colour, show: &mut PictureCallback<'_>) -> Result<(), BoxError> {
        let number = number(bitstream).ok_or("not a packet of the probe")?;
        self.log.note(Call::Decode(number));
        self.samples.fill(number.to_le_bytes()[0]);
        let plane = |size: Size| PlaneRef { data: &self.samples, stride: usize::from(size.width), size };
        let chroma = self.size.chroma();
        show(Picture { planes: [plane(self.size), plane(chroma), plane(chroma)], size: self.size, colour });
        Ok(())
    }

    fn flush(&mut self, _colour: Colour, _show: &mut PictureCallback<'_>) -> Result<bool, BoxError> {
        self.log.note(Call::Flush);
        Ok(false)
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.log.note(Call::Dropped);
    }
}

fn number(bitstream: &[u8]) -> Option<u64> {
    let slice = |unit: &&[u8]| matches!(Kind::of(unit), Ok(Kind::Slice | Kind::Key));
    let unit = bitstream::prefixed(bitstream).map_while(Result::ok).find(slice)?;
    Some(u64::from_be_bytes(unit.get(1..9)?.try_into().ok()?))
}
