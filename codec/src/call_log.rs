//! A call log shared by the probe back-ends.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

/// The calls of a probe back-end. Clones share the log.
#[derive(Clone, Debug)]
pub struct CallLog<C> {
    calls: Arc<Mutex<Vec<(ThreadId, C)>>>,
}

impl<C: Clone> CallLog<C> {
    /// Returns all calls with their threads, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<(ThreadId, C)> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn note(&self, call: C) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push((thread::current().id(), call));
    }
}

impl<C> Default for CallLog<C> {
    fn default() -> Self {
        Self { calls: Arc::default() }
    }
}
