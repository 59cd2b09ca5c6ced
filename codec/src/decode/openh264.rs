//! OpenH264's decoder: baseline, main and high profile without fields, on the calling thread.
//!
//! Its error concealment is off: a picture that refers to a lost one is an error. It puts pictures of the main and high
//! profiles into display order, so they come out late, by one picture or by as many as the stream reorders. Baseline
//! pictures, which we send, come out at once.

mod ffi;

use super::{Candidate, Picture, Show};
use crate::BoxError;
use crate::bitstream::{self, Kind};
use ffi::{Decoded, Handle};
use media::{Colour, VideoCodec};

pub(super) fn candidate() -> Candidate {
    Candidate::new(NAME, VideoCodec::H264, |()| open())
}

fn open() -> Result<Box<dyn super::Backend>, BoxError> {
    Ok(Box::new(Backend { handle: Handle::open()?, stream: Vec::new() }))
}

/// One OpenH264 decoder.
struct Backend {
    handle: Handle,
    /// The picture with start codes, which is what the library reads.
    stream: Vec<u8>,
}

impl super::Backend for Backend {
    fn name(&self) -> &'static str {
        NAME
    }

    fn decode(&mut self, bitstream: &[u8], colour: Colour, show: &mut Show<'_>) -> Result<(), BoxError> {
        self.stream.clear();
        for unit in bitstream::prefixed(bitstream) {
            let unit = unit?;
            if feeds(unit) {
                bitstream::append_annex_b(unit, &mut self.stream);
            }
        }
        // The first call may finish the picture before; the second one tells that this picture is complete.
        present(self.handle.decode(Some(&self.stream))?.as_ref(), colour, show);
        present(self.handle.decode(None)?.as_ref(), colour, show);
        Ok(())
    }

    fn flush(&mut self, colour: Colour, show: &mut Show<'_>) -> Result<bool, BoxError> {
        if let Some(decoded) = self.handle.flush()? {
            present(Some(&decoded), colour, show);
            return Ok(true);
        }
        // The library (2.7.0) never frees the pictures that it gives out at the end of a stream, and runs out of memory
        // after a few streams: each stream gets a new decoder.
        self.handle = Handle::open()?;
        Ok(false)
    }
}

/// True for parameter sets and slices. The parsers of the scalable and 3D extensions and of private messages stay
/// unreachable for peers; our pictures need none of them.
fn feeds(unit: &[u8]) -> bool {
    match Kind::of(unit) {
        Ok(Kind::Slice | Kind::Key | Kind::Sps | Kind::Pps) => true,
        Ok(Kind::Partition | Kind::Sei | Kind::Delimiter | Kind::Other) | Err(_) => false,
    }
}

fn present(decoded: Option<&Decoded<'_>>, colour: Colour, show: &mut Show<'_>) {
    if let Some(Decoded { planes, size }) = decoded {
        show(Picture { planes: *planes, size: *size, colour });
    }
}

const NAME: &str = "openh264";
