//! The performance counter: the same for all processes of a machine, and what the standard library's `Instant` reads.
#![expect(unsafe_code, reason = "the system tells the counter's number to nobody else")]

use media::Timestamp;
use windows_sys::Win32::System::Performance::{QueryPerformanceCounter, QueryPerformanceFrequency};

/// Microseconds of the performance counter.
pub fn reading() -> Timestamp {
    let (mut ticks, mut a_second) = (0_i64, 0_i64);
    // SAFETY: each writes one number to a place of our own; since Windows XP neither fails.
    unsafe {
        QueryPerformanceCounter(&raw mut ticks);
        QueryPerformanceFrequency(&raw mut a_second);
    }
    let micros = i128::from(ticks) * 1_000_000 / i128::from(a_second.max(1));
    Timestamp::from_micros(u64::try_from(micros).unwrap_or(0))
}
