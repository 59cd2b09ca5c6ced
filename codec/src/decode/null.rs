//! A decoder without output, for receivers that only count frames.

use super::PictureCallback;
use crate::BoxError;
use media::Colour;

/// A decoder that accepts every picture and returns none.
#[derive(Debug, Default)]
pub struct Backend;

impl super::Backend for Backend {
    fn name(&self) -> &'static str {
        "null"
    }

    fn decode(&mut self, _bitstream: &[u8], _colour: Colour, _show: &mut PictureCallback<'_>) -> Result<(), BoxError> {
        Ok(())
    }

    fn flush(&mut self, _colour: Colour, _show: &mut PictureCallback<'_>) -> Result<bool, BoxError> {
        Ok(false)
    }
}
