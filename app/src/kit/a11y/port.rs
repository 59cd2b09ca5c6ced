//! The connection between the accessibility adapter of a window, which calls from its own threads, and the root widget.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use accesskit::{ActionRequest, TreeUpdate};

use crate::kit::wake::Waker;

/// The maximum number of requests between two redraws. Further requests are dropped.
const MAX_REQUESTS: usize = 64;

/// The state that the adapter and the root widget of one window share.
#[derive(Clone, Debug, Default)]
pub struct Port(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// An assistive tool is connected.
    active: AtomicBool,
    /// An assistive tool has connected since the last redraw, so the whole tree must be sent.
    reset: AtomicBool,
    requests: Mutex<Vec<ActionRequest>>,
    waker: Option<Waker>,
}

impl Port {
    /// Creates a port that requests redraws from `waker`. The default one has no waker, for tests.
    pub fn new(waker: Waker) -> Self {
        Self(Arc::new(Shared { waker: Some(waker), ..Shared::default() }))
    }

    /// Whether an assistive tool is connected.
    pub fn is_active(&self) -> bool {
        self.0.active.load(Relaxed)
    }

    /// Returns true once after an assistive tool has connected: the whole tree must be sent.
    pub fn take_reset(&self) -> bool {
        self.0.reset.swap(false, Relaxed)
    }

    /// Takes the requests since the last redraw.
    pub fn take_requests(&self) -> Vec<ActionRequest> {
        std::mem::take(&mut *self.0.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, request: ActionRequest) {
        let mut requests = self.0.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.len() < MAX_REQUESTS {
            requests.push(request);
        }
        drop(requests);
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = &self.0.waker {
            waker.wake();
        }
    }
}

impl accesskit::ActivationHandler for Port {
    fn request_initial_tree(&mut self) -> Option<TreeUpdate> {
        self.0.active.store(true, Relaxed);
        self.0.reset.store(true, Relaxed);
        self.wake(); // the next redraw sends the tree
        None
    }
}

impl accesskit::ActionHandler for Port {
    fn do_action(&mut self, request: ActionRequest) {
        self.push(request);
    }
}

impl accesskit::DeactivationHandler for Port {
    fn deactivate_accessibility(&mut self) {
        self.0.active.store(false, Relaxed);
    }
}
