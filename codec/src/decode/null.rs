//! A decoder that shows nothing, for a receiver that only counts.

use super::Show;
use crate::BoxError;
use media::Colour;

/// A decoder that takes every picture and shows none.
#[derive(Debug, Default)]
pub struct Backend;

impl super::Backend for Backend {
    fn name(&self) -> &'static str {
        "null"
    }

    fn decode(&mut self, _bitstream: &[u8], _colour: Colour, _show: &mut Show<'_>) -> Result<(), BoxError> {
        Ok(())
    }

    fn flush(&mut self, _colour: Colour, _show: &mut Show<'_>) -> Result<bool, BoxError> {
        Ok(false)
    }
}
