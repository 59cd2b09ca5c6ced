//! Sources of raw frames: cameras, screens, files and a test pattern, behind one trait.
//!
//! A [`Source`] is opened, read and dropped on one thread, which a [`Pump`] starts. This crate contains no codec (`codec`
//! decodes files), no network and no window.

pub mod device;
mod error;
pub mod file;
pub mod null;
pub mod probe;
mod pump;
mod rgb;
pub mod screen;
mod source;
pub mod synthetic;

pub use error::{BoxError, Error};
pub use pump::{Pump, Report};
pub use source::{Format, Source, Stop};
