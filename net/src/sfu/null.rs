//! A dialect that negotiates nothing, so that no media are exchanged: for tests, and for meetings without media.

use super::{Caps, Input, Output, Sfu, Topology};
use std::time::Instant;

/// A dialect that orders nothing.
#[derive(Debug, Default)]
pub struct Null;

impl Sfu for Null {
    fn caps(&self) -> Caps {
        Caps { topology: Topology::One, sender_feedback: true }
    }

    fn handle(&mut self, _input: Input, _now: Instant) {}

    fn poll(&mut self) -> Option<Output> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}
