//! The pictures of a meeting. Decode threads write them, the stage reads them; they are never messages.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use engine::{Picture, TrackId, VideoOutput, VideoSink};
use media::{Frame, Plane};
use render::Feed;

use crate::kit::wake::Waker;
use crate::model::View;

/// One feed for each view, created at the first call of [`Pictures::feed`]. Clones share the feeds.
#[derive(Clone, Default)]
pub struct Pictures(Arc<Shared>);

#[derive(Default)]
struct Shared {
    feeds: Mutex<HashMap<View, Feed>>,
    waker: Option<Waker>,
}

impl Pictures {
    /// Creates an empty set of feeds. Each picture published to one of them redraws the window through `waker`.
    /// `Pictures::default()`, for tests, has no waker.
    pub fn new(waker: Waker) -> Self {
        Self(Arc::new(Shared { waker: Some(waker), ..Shared::default() }))
    }

    /// Creates an empty set with the same waker, for another meeting.
    #[must_use]
    pub fn empty(&self) -> Self {
        Self(Arc::new(Shared { waker: self.0.waker.clone(), ..Shared::default() }))
    }

    /// The waker that redraws the window; `None` in tests.
    pub fn waker(&self) -> Option<&Waker> {
        self.0.waker.as_ref()
    }

    /// The frames per second that the window can show of one view.
    pub fn frame_rate(&self) -> u8 {
        self.0.waker.as_ref().map_or(crate::kit::wake::MAX_FRAME_RATE, Waker::frame_rate)
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

    /// Removes all pictures at the end of a meeting.
    pub fn clear(&self) {
        let feeds = std::mem::take(&mut *self.0.feeds.lock().unwrap_or_else(PoisonError::into_inner));
        for feed in feeds.into_values() {
            feed.clear();
        }
    }

    /// The output that an engine writes these pictures to.
    pub fn output(&self) -> Arc<dyn VideoOutput> {
        Arc::new(Output(self.clone()))
    }
}

impl std::fmt::Debug for Pictures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pictures")
    }
}

struct Output(Pictures);

impl VideoOutput for Output {
    fn open(&self, track: TrackId, _name: &str) -> Box<dyn VideoSink> {
        Box::new(Sink(self.0.feed(View::Track(track))))
    }

    fn own(&self, frame: Frame) {
        show_frame(&self.0.feed(View::Own), &frame);
    }
}

/// Shows one of our own pictures. Called on the camera's thread.
pub fn show_frame(feed: &Feed, frame: &Frame) {
    let planes = [Plane::Y, Plane::U, Plane::V].map(|plane| frame.plane(plane));
    // Without free memory, the feed skips the picture and counts it.
    feed.show(planes, frame.colour(), frame.number(), frame.captured());
}

struct Sink(Feed);

impl VideoSink for Sink {
    fn show(&mut self, picture: &Picture<'_>, meta: engine::Meta) {
        self.0.show(picture.planes, picture.colour, meta.number, meta.captured);
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.0.clear();
    }
}
