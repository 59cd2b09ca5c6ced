//! Benchmarks. Each figure is compared with a reference measured in the same run, in alternation, or with a limit.

mod alignment;
pub mod codec;
pub mod crypto;
pub mod draw;
pub mod forward;
pub mod ladder;
pub mod meeting;
#[cfg(target_os = "linux")]
pub mod net;
mod process;
#[cfg(target_os = "linux")]
mod relay;
mod row;
pub mod sfu;
pub mod voice;
pub mod window;

pub use row::{Comparison, Row, compare, print};

/// Waits until `time` has passed.
fn wait(time: std::time::Duration) {
    let end = std::time::Instant::now() + time;
    while let Some(left) = end.checked_duration_since(std::time::Instant::now()) {
        std::thread::park_timeout(left);
    }
}
