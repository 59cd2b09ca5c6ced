//! The performance counter: one for all processes of a machine, and the source of the standard library's `Instant`.
#![expect(unsafe_code, reason = "the counter is read by system calls")]

use media::Timestamp;
use windows_sys::Win32::System::Performance::{QueryPerformanceCounter, QueryPerformanceFrequency};

/// Returns the microseconds of the performance counter.
pub fn reading() -> Timestamp {
    let (mut ticks, mut ticks_per_second) = (0_i64, 0_i64);
    // SAFETY: each call writes one number to a local variable; since Windows XP neither fails.
    unsafe {
        QueryPerformanceCounter(&raw mut ticks);
        QueryPerformanceFrequency(&raw mut ticks_per_second);
    }
    let micros = i128::from(ticks) * 1_000_000 / i128::from(ticks_per_second.max(1));
    Timestamp::from_micros(u64::try_from(micros).unwrap_or(0))
}
