//! The interface of the decoders: software, hardware, and those for tests.

use crate::{BoxError, backends};
use media::{Colour, PlaneRef, Size};

/// A decoded picture in the decoder's own memory. It is valid during the call that shows it.
#[derive(Clone, Copy)]
pub struct Picture<'a> {
    /// Y, U and V; chroma at half the size, rounded up.
    pub planes: [PlaneRef<'a>; 3],
    /// The size to show.
    pub size: Size,
    /// The colour space from the stream, or [`crate::colour::assumed`] if the stream does not specify it.
    pub colour: Colour,
}

/// Called with each decoded picture.
pub type PictureCallback<'a> = dyn FnMut(Picture<'_>) + 'a;

/// A decoder. It is created, used and dropped on one thread. [`super::Decoder`] checks the framing of its input.
pub trait Backend: Send {
    /// Returns the name for logs and messages.
    fn name(&self) -> &'static str;

    /// Decodes one picture: NAL units, each after its length in 4 big-endian bytes. Shows this picture, an earlier one
    /// if the stream is not in display order, or none yet. `colour` is that of its parameter set.
    ///
    /// # Errors
    /// Returns the reason if the picture could not be decoded. Then another back-end replaces this one.
    fn decode(&mut self, bitstream: &[u8], colour: Colour, show: &mut PictureCallback<'_>) -> Result<(), BoxError>;

    /// Shows the next picture that was delayed for reordering, at the end of the stream. Returns `false` if there is
    /// none left. The next stream begins with a key frame.
    ///
    /// # Errors
    /// Returns the errors of [`Backend::decode`].
    fn flush(&mut self, colour: Colour, show: &mut PictureCallback<'_>) -> Result<bool, BoxError>;
}

/// A decoder of a table.
pub type Candidate = backends::Candidate<(), dyn Backend>;
