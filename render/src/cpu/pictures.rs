//! Keeps the current picture of each recently drawn feed.

use crate::feed::{Bytes, Feed, Picture, Shared};
use crate::scene::{CurrentPicture, Source};
use media::{PlaneRef, Size};
use std::sync::Weak;

/// The current pictures of all recently drawn feeds. The layer of a source is an index into the entries.
#[derive(Default)]
pub(super) struct Pictures {
    entries: Vec<Entry>,
    frame: u64,
}

struct Entry {
    feed: Weak<Shared>,
    id: u64,
    picture: Option<Picture>,
    new: bool,
    last_used: u64,
}

impl Pictures {
    /// Starts a frame. Releases the pictures of feeds that were dropped or not drawn for `MAX_UNUSED_FRAMES`.
    pub fn begin_frame(&mut self) {
        self.frame += 1;
        let frame = self.frame;
        self.entries.retain_mut(|entry| {
            entry.new = false;
            let keep = entry.feed.strong_count() > 0 && entry.last_used + MAX_UNUSED_FRAMES > frame;
            if !keep {
                entry.release();
            }
            keep
        });
    }

    /// The newest picture of `feed`. Returns `None` if the feed has no picture.
    pub fn refresh(&mut self, feed: &Feed) -> Option<CurrentPicture> {
        let known = self.entries.iter().position(|entry| entry.id == feed.id());
        let index = known.unwrap_or_else(|| {
            let entry = Entry { feed: feed.downgrade(), id: feed.id(), picture: None, new: false, last_used: 0 };
            self.entries.push(entry);
            self.entries.len() - 1
        });
        let entry = &mut self.entries[index];
        entry.last_used = self.frame;
        let (picture, visible) = feed.take(None);
        if picture.is_some() || !visible {
            entry.release();
            entry.new = picture.is_some();
            entry.picture = picture;
        }
        entry.current(u32::try_from(index).ok()?)
    }

    /// The luma plane and the interleaved chroma plane of a layer, and the picture's size.
    pub fn planes(&self, layer: u32) -> Option<([PlaneRef<'_>; 2], Size)> {
        let picture = self.entries.get(layer as usize)?.picture.as_ref()?;
        match &picture.memory.bytes {
            Bytes::Plain(bytes) => Some((picture.layout.planes(bytes), picture.layout.size)),
            // The picture was written for a GPU stage that was dropped. The next one is in ordinary memory.
            Bytes::Mapped(..) => None,
        }
    }
}

impl Entry {
    fn current(&self, layer: u32) -> Option<CurrentPicture> {
        let picture = self.picture.as_ref()?;
        let (size, colour) = (picture.layout.size, picture.colour);
        let source = Source { class: 0, layer, size, colour };
        Some(CurrentPicture { source, number: picture.number, captured: picture.captured, new: self.new })
    }

    fn release(&mut self) {
        if let (Some(picture), Some(feed)) = (self.picture.take(), self.feed.upgrade()) {
            feed.give_back(picture.memory);
        }
    }
}

/// Frames after which the picture of a feed without a tile is released: 10 s at 60 frames per second.
const MAX_UNUSED_FRAMES: u64 = 600;
