//! Sources of raw frames: cameras, screens, files and a test pattern, behind one trait.
//!
//! A [`Source`] is opened, read and dropped on one thread, which a [`CaptureThread`] starts. This crate contains no
//! codec (`codec` decodes files), no network and no window.

mod capture_thread;
pub mod device;
mod error;
pub mod file;
pub mod null;
#[cfg(test)]
mod probe;
mod rgb;
pub mod screen;
mod source;
pub mod synthetic;

pub use capture_thread::{CaptureThread, Open, Report};
pub use error::{BoxError, Error};
pub use source::{Format, Source, Stop};
