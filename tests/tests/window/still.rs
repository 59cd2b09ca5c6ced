//! Counts how often a window is drawn: it logs each picture that it shows.

use crate::program::{Program, until};
use std::time::{Duration, Instant};

/// The environment variable by which a client logs what it draws.
pub const LOG: (&str, &str) = ("CONCLAVE_LOG", "warn,app::surface=trace");

/// Waits until there is a span of time in which the window is drawn at most `most` times. It is drawn for some time after
/// each input: animations end, and a caret blinks for ten seconds.
pub fn until_drawn_at_most(window: &Program, what: &str, most: usize, span: Duration) {
    let draws = || window.errors().matches("window drawn").count();
    assert!(draws() > 0, "the window logs nothing");
    let (mut since, mut before) = (Instant::now(), draws());
    until(&format!("{what}: at most {most} pictures in {span:?}"), STILL_TIMEOUT, || {
        let now = draws();
        if now > before + most {
            (since, before) = (Instant::now(), now);
        }
        (since.elapsed() >= span).then_some(())
    });
    println!("{what}: {} pictures in {:?}", draws() - before, since.elapsed());
}

/// The limit for a window to become still.
const STILL_TIMEOUT: Duration = Duration::from_secs(40);
