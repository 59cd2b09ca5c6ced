//! OpenH264's decoder: baseline, main and high profile without fields, on the calling thread.
//!
//! Its error concealment is off: a picture that builds on a lost one is an error, never a smear. It puts the pictures of
//! the main and high profiles into the order of showing, so they come out late by as many as the stream re-orders, one at
//! least; baseline ones, which is what we send, at once.

mod ffi;

use super::{Candidate, Picture, Show};
use crate::BoxError;
use crate::bitstream::{self, Kind};
use ffi::{Handle, Restored};
use media::{Colour, VideoCodec};

pub(super) const CANDIDATE: Candidate = Candidate { name: NAME, codec: VideoCodec::H264, open };

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
        // The first call may finish what was there, the second says that the picture is whole.
        present(self.handle.decode(Some(&self.stream))?.as_ref(), colour, show);
        present(self.handle.decode(None)?.as_ref(), colour, show);
        Ok(())
    }

    fn flush(&mut self, colour: Colour, show: &mut Show<'_>) -> Result<bool, BoxError> {
        if let Some(restored) = self.handle.flush()? {
            present(Some(&restored), colour, show);
            return Ok(true);
        }
        // The library never frees the pictures that it gives out at the end of a stream (2.7.0): a few rounds later it has
        // no memory left for a new one. A new decoder has.
        self.handle = Handle::open()?;
        Ok(false)
    }
}

/// Parameter sets and slices only. The scalable and 3D extensions and private messages are more code than we want to
/// open to strangers, and nothing is lost without them.
fn feeds(unit: &[u8]) -> bool {
    match Kind::of(unit) {
        Ok(Kind::Slice | Kind::Key | Kind::Sps | Kind::Pps) => true,
        Ok(Kind::Partition | Kind::Sei | Kind::Delimiter | Kind::Other) | Err(_) => false,
    }
}

fn present(restored: Option<&Restored<'_>>, colour: Colour, show: &mut Show<'_>) {
    if let Some(Restored { planes, size }) = restored {
        show(Picture { planes: *planes, size: *size, colour });
    }
}

const NAME: &str = "openh264";
