//! The pictures of a meeting by person: decode threads write, the stage reads. Never through a message.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use render::Feed;

use crate::kit::wake::Waker;
use crate::model::View;

/// One feed for each view, made when somebody first asks for it. Clones share them.
#[derive(Clone, Default)]
pub struct Pictures(Arc<Shared>);

#[derive(Default)]
struct Shared {
    feeds: Mutex<HashMap<View, Feed>>,
    waker: Option<Waker>,
}

impl Pictures {
    /// Pictures that redraw through `waker` when one is published. The default redraws nothing: for tests.
    pub fn new(waker: Waker) -> Self {
        Self(Arc::new(Shared { waker: Some(waker), ..Shared::default() }))
    }

    /// Who redraws the windows for them, if anybody does.
    pub fn waker(&self) -> Option<&Waker> {
        self.0.waker.as_ref()
    }

    /// The feed of a view. May be called on any thread.
    pub fn feed(&self, view: View) -> Feed {
        let mut feeds = self.0.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let feed = Feed::new();
            if let Some(waker) = self.0.waker.clone() {
                feed.on_publish(move || waker.wake());
            }
            feed
        };
        feeds.entry(view).or_insert_with(make).clone()
    }

    /// Takes the picture of a view away: its tile shows initials from now on.
    pub fn end(&self, view: View) {
        let feed = self.0.feeds.lock().unwrap_or_else(PoisonError::into_inner).remove(&view);
        if let Some(feed) = feed {
            feed.clear();
        }
    }

    /// Takes all of them away: the meeting is over.
    pub fn clear(&self) {
        let feeds = std::mem::take(&mut *self.0.feeds.lock().unwrap_or_else(PoisonError::into_inner));
        for feed in feeds.into_values() {
            feed.clear();
        }
    }
}

impl std::fmt::Debug for Pictures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pictures")
    }
}
