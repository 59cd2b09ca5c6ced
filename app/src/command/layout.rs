//! The tiles that a client without a window requests, for tests and benches of layers.

use app::grid;
use engine::{TileWish, TrackId};
use iced::{Point, Rectangle};
use media::Size;
use std::str::FromStr;
use std::time::Duration;

/// The tiles of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// All tracks, each in a tile of the size of the option `--tile`.
    Tiles,
    /// All tracks in a grid in a window of that size.
    Grid,
    /// The first track in a tile of that size. The others are hidden.
    One,
    /// Nothing: the window is hidden.
    Hidden,
}

/// Layouts, each with the time after entering from which it applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Vec<(Duration, Layout)>);

impl Schedule {
    /// Returns the layout `time` after entering.
    pub fn at(&self, time: Duration) -> Layout {
        self.0.iter().rev().find(|(at, _)| *at <= time).map_or(Layout::Tiles, |(_, layout)| *layout)
    }

    /// Returns when the layout changes next after `time`.
    pub fn next_change(&self, time: Duration) -> Option<Duration> {
        self.0.iter().map(|(at, _)| *at).find(|at| *at > time)
    }
}

impl Layout {
    /// Returns the wishes of `tracks`. `size` is that of the option `--tile`.
    pub fn wishes(self, tracks: &[TrackId], size: Size) -> Vec<TileWish> {
        let wish = |track: TrackId, size: Size, hidden| TileWish {
            track,
            width: size.width,
            height: size.height,
            frames_per_second: 60,
            priority: 1,
            hidden,
        };
        let in_grid = || {
            let window = Rectangle::new(Point::ORIGIN, iced::Size::new(size.width.into(), size.height.into()));
            let tile = grid::arrange(tracks.len(), window, GAP).first().map_or(window, |tile| *tile);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not larger than the window")]
            let [width, height] = [tile.width, tile.height].map(|side| side.round() as u16);
            Size::new(width, height)
        };
        let tile = if self == Self::Grid { in_grid() } else { size };
        let hidden = |index: usize| match self {
            Self::Tiles | Self::Grid => false,
            Self::One => index > 0,
            Self::Hidden => true,
        };
        tracks.iter().enumerate().map(|(index, track)| wish(*track, tile, hidden(index))).collect()
    }
}

impl FromStr for Schedule {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let change = |text: &str| {
            let (name, at) = text.split_once('@').unwrap_or((text, "0"));
            let layout = match name {
                "tiles" => Layout::Tiles,
                "grid" => Layout::Grid,
                "one" => Layout::One,
                "hidden" => Layout::Hidden,
                _ => return None,
            };
            Some((Duration::from_secs(at.parse::<u16>().ok()?.into()), layout))
        };
        let changes: Option<Vec<_>> = text.split(',').map(change).collect();
        let sorted = changes.filter(|changes| changes.is_sorted_by(|first, second| first.0 < second.0));
        sorted.map(Self).ok_or("expected tiles, grid, one or hidden, each with @SECONDS, in the order of time")
    }
}

/// The gap between two tiles, in pixels.
const GAP: f32 = 8.0;

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{ParticipantId, Slot};

    #[test]
    fn a_schedule_says_what_is_shown_at_a_time() {
        let schedule: Schedule = "grid,one@10,hidden@20".parse().expect("a schedule");
        let at = |seconds| schedule.at(Duration::from_secs(seconds));
        assert_eq!([at(0), at(9), at(10), at(99)], [Layout::Grid, Layout::Grid, Layout::One, Layout::Hidden]);
        let next = |seconds| schedule.next_change(Duration::from_secs(seconds)).map(|at| at.as_secs());
        assert_eq!([next(0), next(10), next(20)], [Some(10), Some(20), None]);
        for wrong in ["", "full", "grid@x", "grid@5,one@5", "grid@9,one@5"] {
            assert!(wrong.parse::<Schedule>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_layout_wishes_what_its_tiles_need() {
        let tracks: Vec<TrackId> =
            (1..=9).map(|owner| TrackId { owner: ParticipantId(owner), slot: Slot::Camera }).collect();
        let wishes = |layout: Layout| layout.wishes(&tracks, Size::new(1_280, 720));
        let shown = |layout| wishes(layout).iter().filter(|wish| !wish.hidden).count();
        assert_eq!([Layout::Tiles, Layout::Grid, Layout::One, Layout::Hidden].map(shown), [9, 9, 1, 0]);
        let grid = wishes(Layout::Grid)[0];
        assert!((380..427).contains(&grid.width) && (210..240).contains(&grid.height), "{grid:?}");
        assert_eq!((wishes(Layout::One)[0].width, wishes(Layout::Tiles)[8].height), (1_280, 720));
    }
}
