//! The wishes of the tiles, paused while the user cannot see the window.

use engine::TileWish;

/// The wishes of the stage, and whether the window is seen.
#[derive(Default)]
pub struct Wishes {
    tiles: Vec<TileWish>,
    is_hidden: bool,
}

impl Wishes {
    /// Replaces the wishes of the stage. Returns the wishes for the engine. A hidden window may also be drawn.
    pub fn set(&mut self, tiles: Vec<TileWish>) -> Vec<TileWish> {
        self.tiles = tiles;
        self.effective()
    }

    /// Records whether the user can see the window. Returns the wishes for the engine.
    pub fn set_window_seen(&mut self, seen: bool) -> Vec<TileWish> {
        self.is_hidden = !seen;
        self.effective()
    }

    /// Forgets the wishes of the last meeting.
    pub fn clear(&mut self) {
        self.tiles.clear();
    }

    fn effective(&self) -> Vec<TileWish> {
        let is_hidden = self.is_hidden;
        self.tiles.iter().map(|tile| TileWish { hidden: tile.hidden || is_hidden, ..*tile }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{ParticipantId, Slot, TrackId};

    #[test]
    fn a_window_that_is_not_seen_wishes_nothing_until_it_is_seen_again() {
        let tile = |owner, hidden| TileWish {
            track: TrackId { owner: ParticipantId(owner), slot: Slot::Camera },
            width: 640,
            height: 360,
            frames_per_second: 60,
            priority: 1,
            hidden,
        };
        let mut wishes = Wishes::default();
        let shown = vec![tile(1, false), tile(2, true)];
        assert_eq!(wishes.set(shown.clone()), shown);
        assert_eq!(wishes.set_window_seen(false), [tile(1, true), tile(2, true)]);
        assert_eq!(wishes.set(vec![tile(3, false)]), [tile(3, true)], "somebody joins meanwhile");
        assert_eq!(wishes.set_window_seen(true), [tile(3, false)]);
        wishes.clear();
        assert!(wishes.set_window_seen(true).is_empty());
    }
}
