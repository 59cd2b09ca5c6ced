//! The fuzz targets of tests/src/fuzz.rs, without the rest of that crate and what it depends on.

#[path = "../../src/fuzz.rs"]
mod table;

pub use table::{TARGETS, Target, target};
