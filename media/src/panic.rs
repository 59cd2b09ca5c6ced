//! Turns a panic into an error, so that a supervisor can report it and replace what failed.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A panic that was caught, with its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked(String);

impl std::fmt::Display for Panicked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "panicked: {}", self.0)
    }
}

impl std::error::Error for Panicked {}

/// Runs `work` and catches its panic. The panic hook runs, so the panic is logged like any other.
///
/// The caller must drop the values that `work` changed, or not use them again, because a panic may leave them
/// inconsistent.
///
/// # Errors
/// Returns [`Panicked`] if `work` panics.
pub fn catch_panic<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| Panicked(message(payload.as_ref())))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        assert_eq!(catch_panic(|| 7), Ok(7));
        let number = 3;
        assert_eq!(catch_panic(|| panic!("picture {number}")), Err::<(), _>(Panicked("picture 3".into())));
        assert_eq!(catch_panic(|| panic!("plain")).map(|()| 0).unwrap_err().to_string(), "panicked: plain");
    }
}
