//! Between the platform's accessibility adapter, which calls on threads of its own, and the root widget of a window.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use accesskit::{ActionRequest, TreeUpdate};

use crate::kit::wake::Waker;

/// More requests than this between two redraws are not a person's; the rest is dropped.
const MAX_REQUESTS: usize = 64;

/// What both sides share. One for each window.
#[derive(Clone, Debug, Default)]
pub struct Port(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    active: AtomicBool,
    reset: AtomicBool,
    requests: Mutex<Vec<ActionRequest>>,
    waker: Option<Waker>,
}

impl Port {
    /// A port that redraws through `waker`. The default one has nobody to wake: for tests.
    pub fn new(waker: Waker) -> Self {
        Self(Arc::new(Shared { waker: Some(waker), ..Shared::default() }))
    }

    /// True while an assistive tool listens.
    pub fn is_active(&self) -> bool {
        self.0.active.load(Relaxed)
    }

    /// True once after an assistive tool has come: the whole tree must be sent.
    pub fn take_reset(&self) -> bool {
        self.0.reset.swap(false, Relaxed)
    }

    /// What was asked since the last redraw.
    pub fn take_requests(&self) -> Vec<ActionRequest> {
        std::mem::take(&mut *self.0.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn ask(&self, request: ActionRequest) {
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
        self.wake(); // the tree follows with the redraw that this asks for
        None
    }
}

impl accesskit::ActionHandler for Port {
    fn do_action(&mut self, request: ActionRequest) {
        self.ask(request);
    }
}

impl accesskit::DeactivationHandler for Port {
    fn deactivate_accessibility(&mut self) {
        self.0.active.store(false, Relaxed);
    }
}
