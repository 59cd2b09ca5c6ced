//! OpenH264's decoder: baseline, main and high profile without interlacing, on the calling thread.
//!
//! Error concealment is off: a picture with a lost reference is an error. The decoder reorders the pictures of the main
//! and high profiles into presentation order, which delays them by one picture or more. It returns baseline pictures,
//! which our encoder produces, at once.

mod ffi;

use super::backend::{self, Candidate, Picture, PictureCallback};
use crate::BoxError;
use crate::bitstream::{self, Kind};
use ffi::{Decoded, Handle};
use media::{Colour, VideoCodec};

pub(super) fn candidate() -> Candidate {
    Candidate::new(NAME, VideoCodec::H264, |()| open())
}

fn open() -> Result<Box<dyn backend::Backend>, BoxError> {
    Ok(Box::new(Backend { handle: Handle::open()?, stream: Vec::new() }))
}

/// One OpenH264 decoder.
struct Backend {
    handle: Handle,
    /// The picture with start codes, as the library expects it.
    stream: Vec<u8>,
}

impl backend::Backend for Backend {
    fn name(&self) -> &'static str {
        NAME
    }

    fn decode(&mut self, bitstream: &[u8], colour: Colour, show: &mut PictureCallback<'_>) -> Result<(), BoxError> {
        self.stream.clear();
        for unit in bitstream::prefixed(bitstream) {
            let unit = unit?;
            if is_decodable(unit) {
                bitstream::append_annex_b(unit, &mut self.stream);
            }
        }
        // The first call passes the data, the second marks the end of the picture. Both may return a picture.
        present(self.handle.decode(Some(&self.stream))?.as_ref(), colour, show);
        present(self.handle.decode(None)?.as_ref(), colour, show);
        Ok(())
    }

    fn flush(&mut self, colour: Colour, show: &mut PictureCallback<'_>) -> Result<bool, BoxError> {
        if let Some(decoded) = self.handle.flush()? {
            present(Some(&decoded), colour, show);
            return Ok(true);
        }
        // OpenH264 2.7.0 leaks the pictures that it returns at the end of a stream, until no buffer is left. Replace
        // the decoder to free them.
        self.handle = Handle::open()?;
        Ok(false)
    }
}

/// Returns true for parameter sets and slices. All other units are dropped, because they are not needed and would
/// expose more of the library's code to malicious streams.
fn is_decodable(unit: &[u8]) -> bool {
    match Kind::of(unit) {
        Ok(Kind::Slice | Kind::Key | Kind::Sps | Kind::Pps) => true,
        Ok(Kind::Partition | Kind::Sei | Kind::Delimiter | Kind::Other) | Err(_) => false,
    }
}

fn present(decoded: Option<&Decoded<'_>>, colour: Colour, show: &mut PictureCallback<'_>) {
    if let Some(Decoded { planes, size }) = decoded {
        show(Picture { planes: *planes, size: *size, colour });
    }
}

const NAME: &str = "openh264";
