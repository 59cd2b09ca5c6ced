//! Where raw pictures come from: cameras, screens, files and a generator, all behind one trait.
//!
//! A [`Source`] lives on one thread, which a [`Pump`] gives it. No codec of its own (files are decoded by `codec`), no
//! network, no window.

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
