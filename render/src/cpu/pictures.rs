//! The picture of each feed that tiles have named, kept until the next one comes.

use crate::feed::{Bytes, Feed, Picture, Shared};
use crate::scene::Source;
use media::{PlaneRef, Size, Timestamp};
use std::sync::Weak;

/// A feed's picture, ready to be drawn.
#[derive(Clone, Copy)]
pub(super) struct Held {
    pub source: Source,
    pub number: u64,
    pub captured: Timestamp,
    /// Taken in this turn.
    pub new: bool,
}

/// The pictures of all feeds that tiles have named lately; a source's layer is a place in here.
#[derive(Default)]
pub(super) struct Pictures {
    entries: Vec<Entry>,
    turn: u64,
}

struct Entry {
    feed: Weak<Shared>,
    id: u64,
    picture: Option<Picture>,
    new: bool,
    named: u64,
}

impl Pictures {
    /// Starts a turn: feeds that are gone, or that no tile has named for long, lose their pictures.
    pub fn begin(&mut self) {
        self.turn += 1;
        let turn = self.turn;
        self.entries.retain_mut(|entry| {
            entry.new = false;
            let stays = entry.feed.strong_count() > 0 && entry.named + PATIENCE > turn;
            if !stays {
                entry.release();
            }
            stays
        });
    }

    /// The newest picture of `feed`; `None` while there is nothing to see.
    pub fn refresh(&mut self, feed: &Feed) -> Option<Held> {
        let known = self.entries.iter().position(|entry| entry.id == feed.id());
        let index = known.unwrap_or_else(|| {
            let entry = Entry { feed: feed.downgrade(), id: feed.id(), picture: None, new: false, named: 0 };
            self.entries.push(entry);
            self.entries.len() - 1
        });
        let entry = &mut self.entries[index];
        entry.named = self.turn;
        let (picture, visible) = feed.take(None);
        if picture.is_some() || !visible {
            entry.release();
            entry.new = picture.is_some();
            entry.picture = picture;
        }
        entry.held(u32::try_from(index).ok()?)
    }

    /// Luma and interleaved chroma of a layer, and the picture's size.
    pub fn planes(&self, layer: u32) -> Option<([PlaneRef<'_>; 2], Size)> {
        let picture = self.entries.get(layer as usize)?.picture.as_ref()?;
        match &picture.memory.bytes {
            Bytes::Plain(bytes) => Some((picture.layout.planes(bytes), picture.layout.size)),
            // Written for a GPU that has gone since; the next one is plain.
            Bytes::Mapped(..) => None,
        }
    }
}

impl Entry {
    fn held(&self, layer: u32) -> Option<Held> {
        let picture = self.picture.as_ref()?;
        let (size, colour, rotation) = (picture.layout.size, picture.colour, picture.rotation);
        let source = Source { class: 0, layer, size, colour, rotation };
        Some(Held { source, number: picture.number, captured: picture.captured, new: self.new })
    }

    fn release(&mut self) {
        if let (Some(picture), Some(feed)) = (self.picture.take(), self.feed.upgrade()) {
            feed.give_back(picture.memory);
        }
    }
}

/// Turns without a tile after which a picture is given back.
const PATIENCE: u64 = 600;
