//! Benchmarks. Each figure is compared with a reference measured in the same run, in alternation, or with a limit.

pub mod codec;
pub mod crypto;
pub mod draw;
pub mod forward;
pub mod ladder;
pub mod meeting;
#[cfg(target_os = "linux")]
pub mod net;
mod row;
pub mod sfu;
pub mod window;

pub use row::{Comparison, Row, compare, print};
