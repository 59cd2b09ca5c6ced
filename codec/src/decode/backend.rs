//! The interface of a decoder's implementations: software, hardware, and those of the tests.

use crate::{BoxError, backends};
use media::{Colour, PlaneRef, Size};

/// A decoded picture in the decoder's own memory. It is valid during the call that shows it.
#[derive(Clone, Copy)]
pub struct Picture<'a> {
    /// Y, U and V; chroma at half the size, rounded up.
    pub planes: [PlaneRef<'a>; 3],
    /// The size to show.
    pub size: Size,
    /// How samples stand for colours, from the stream; [`crate::colour::assumed`] if it does not say.
    pub colour: Colour,
}

/// Takes each picture as soon as it is decoded.
pub type PictureCallback<'a> = dyn FnMut(Picture<'_>) + 'a;

/// One implementation of a decoder. It lives on one thread. [`super::Decoder`] checks the framing of its input.
pub trait Backend: Send {
    /// The name for logs and messages.
    fn name(&self) -> &'static str;

    /// Takes one picture as NAL units, each behind its length in 4 big-endian bytes, and shows what is ready: this
    /// picture, an earlier one if the stream is out of order, or none yet. `colour` is that of its parameter set.
    ///
    /// # Errors
    /// Returns the reason if the picture could not be decoded; another back-end takes over.
    fn decode(&mut self, bitstream: &[u8], colour: Colour, show: &mut PictureCallback<'_>) -> Result<(), BoxError>;

    /// Shows the next picture that is held back to restore the order: the stream has ended. Returns `false` if there is
    /// none; then a key frame begins another stream.
    ///
    /// # Errors
    /// As [`Backend::decode`].
    fn flush(&mut self, colour: Colour, show: &mut PictureCallback<'_>) -> Result<bool, BoxError>;
}

/// A decoder of a table.
pub type Candidate = backends::Candidate<(), dyn Backend>;
