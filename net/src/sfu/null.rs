//! No SFU at all: nothing is negotiated, nothing flows. For meetings without media, and for tests of what is around it.

use super::{Caps, Input, Output, Sfu};
use std::time::Instant;

/// A dialect that is silent.
#[derive(Debug, Default)]
pub struct Null;

impl Sfu for Null {
    fn caps(&self) -> Caps {
        Caps { layers_by_size: false, divides_bandwidth: false, tells_senders: false, reads_descriptor_only: true }
    }

    fn handle(&mut self, _input: Input, _now: Instant) {}

    fn poll(&mut self) -> Option<Output> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}
