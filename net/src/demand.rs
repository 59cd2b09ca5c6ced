//! Decides when the wishes of our tiles are sent to an SFU. Pure: the caller passes the time.
//!
//! While a window is resized, the sizes of its tiles change with each redraw. They are sent when they have not changed for
//! [`SETTLE_TIME`], so that a drag is one change, and no encoder starts for a size that the tile has for a moment. The same
//! holds for a tile that is paused, because it costs a key frame to show it again. What the user waits for is sent at once: a
//! picture that was not shown before, and a size that changes by more than a quarter in one step, which is no drag.

use proto::{MAX_TILES, TileWish};
use std::cmp::Reverse;
use std::time::{Duration, Instant};

/// The wishes of all tiles, and those that were sent to the SFU.
#[derive(Debug, Default)]
pub struct TileWishes {
    waiting: Option<Waiting>,
    sent: Option<Vec<TileWish>>,
    sent_at: Option<Instant>,
}

/// Wishes that are not sent yet.
#[derive(Debug)]
struct Waiting {
    tiles: Vec<TileWish>,
    /// When the first unsent change was made.
    since: Instant,
    /// When the last unsent change was made.
    changed: Instant,
    /// True if the user waits for one of the changes.
    urgent: bool,
}

impl TileWishes {
    /// Replaces the wishes. If there are more than a message may contain, those of the smallest tiles are left out: the SFU sends
    /// nothing for them.
    pub fn set(&mut self, mut tiles: Vec<TileWish>, now: Instant) {
        bound(&mut tiles);
        let before = self.waiting.take();
        if self.sent.as_ref() == Some(&tiles) {
            return;
        }
        let last = before.as_ref().map(|waiting| &waiting.tiles).or(self.sent.as_ref());
        let sent = self.sent.as_deref().unwrap_or_default();
        let changed = match &before {
            Some(waiting) if waiting.tiles == tiles => waiting.changed,
            Some(_) | None => now,
        };
        let jumps = last.is_some_and(|last| tiles.iter().any(|tile| is_jump(tile, last)));
        let urgent = self.sent.is_none() || jumps || tiles.iter().any(|tile| appears(tile, sent));
        self.waiting = Some(Waiting {
            since: before.as_ref().map_or(now, |waiting| waiting.since),
            changed,
            urgent: urgent || before.is_some_and(|waiting| waiting.urgent),
            tiles,
        });
    }

    /// Returns the wishes if they must be sent now.
    pub fn poll(&mut self, now: Instant) -> Option<Vec<TileWish>> {
        if self.poll_timeout()? > now {
            return None;
        }
        let tiles = self.waiting.take()?.tiles;
        self.sent_at = Some(now);
        self.sent = Some(tiles.clone());
        Some(tiles)
    }

    /// Returns when [`TileWishes::poll`] must be called next. `None` if all wishes are sent.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let waiting = self.waiting.as_ref()?;
        let settled = (waiting.changed + SETTLE_TIME).min(waiting.since + MAX_SETTLE_TIME);
        let due = if waiting.urgent { waiting.since } else { settled };
        Some(self.sent_at.map_or(due, |at| due.max(at + MIN_INTERVAL)))
    }

    /// Handles the change to another SFU. It has not received the wishes yet, so they are due at once.
    pub fn restart(&mut self, now: Instant) {
        let tiles = self.waiting.take().map(|waiting| waiting.tiles).or(self.sent.take());
        *self = Self::default();
        if let Some(tiles) = tiles {
            self.set(tiles, now);
        }
    }
}

/// Leaves out the tiles beyond [`MAX_TILES`]: hidden ones first, then those of low priority, then small ones.
fn bound(tiles: &mut Vec<TileWish>) {
    if tiles.len() > MAX_TILES {
        let pixels = |tile: &TileWish| u32::from(tile.width) * u32::from(tile.height);
        tiles.sort_by_key(|tile| (tile.hidden, Reverse(tile.priority), Reverse(pixels(tile))));
        tiles.truncate(MAX_TILES);
    }
}

/// Returns whether a tile shows its track, and `sent` does not.
fn appears(tile: &TileWish, sent: &[TileWish]) -> bool {
    !tile.hidden && sent.iter().all(|other| other.hidden || other.track != tile.track)
}

/// Returns whether a side of the tile has changed by more than a quarter since `last`.
fn is_jump(tile: &TileWish, last: &[TileWish]) -> bool {
    let jumps = |old: u16, new: u16| u32::from(old.abs_diff(new)) * 4 > u32::from(old);
    let before = last.iter().find(|other| other.track == tile.track && !other.hidden);
    before.is_some_and(|old| !tile.hidden && (jumps(old.width, tile.width) || jumps(old.height, tile.height)))
}

/// How long wishes must stay the same before they are sent.
const SETTLE_TIME: Duration = Duration::from_millis(300);

/// Wishes that change all the time are sent after this time.
const MAX_SETTLE_TIME: Duration = Duration::from_secs(5);

/// The minimum interval between two lists of wishes.
const MIN_INTERVAL: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{ClientSignal, ParticipantId, Slot, TrackId};

    fn tile(owner: u64, width: u16) -> TileWish {
        TileWish {
            track: TrackId { owner: ParticipantId(owner), slot: Slot::Camera },
            width,
            height: width / 16 * 9,
            frames_per_second: 30,
            priority: 1,
            hidden: false,
        }
    }

    fn paused(tile: TileWish) -> TileWish {
        TileWish { hidden: true, ..tile }
    }

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// Sets the wishes of each step at its time in milliseconds. Returns what was sent within `length`, and when.
    fn run(length: u64, steps: &[(u64, Vec<TileWish>)]) -> Vec<(u64, Vec<TileWish>)> {
        let (mut wishes, start, mut sent) = (TileWishes::default(), Instant::now(), Vec::new());
        for at in 0..=length {
            if let Some((_, tiles)) = steps.iter().find(|(step, _)| *step == at) {
                wishes.set(tiles.clone(), start + ms(at));
            }
            let due = wishes.poll_timeout().is_some_and(|due| due <= start + ms(at));
            let tiles = wishes.poll(start + ms(at));
            assert_eq!(due, tiles.is_some(), "the timeout is when something is sent");
            sent.extend(tiles.map(|tiles| (at, tiles)));
        }
        sent
    }

    #[test]
    fn a_resize_drag_is_one_change() {
        let drag = (0..60).map(|step| (1_000 + 16 * step, vec![tile(1, 1_280 - 10 * u16::try_from(step).unwrap())]));
        let steps: Vec<_> = [(0, vec![tile(1, 1_280)])].into_iter().chain(drag).collect();
        let last = steps.last().unwrap().clone();
        assert_eq!(run(4_000, &steps), [steps[0].clone(), (last.0 + 300, last.1)]);
    }

    #[test]
    fn sizes_that_change_all_the_time_are_sent_every_five_seconds() {
        let steps: Vec<_> = (0..1_000_u16).map(|step| (20 * u64::from(step), vec![tile(1, 640 + step)])).collect();
        let sent: Vec<u64> = run(12_000, &steps).iter().map(|(at, _)| *at).collect();
        assert_eq!(sent, [0, 5_020, 10_040]);
    }

    #[test]
    fn a_size_that_jumps_is_sent_at_once() {
        let nine: Vec<TileWish> = (1..=9).map(|owner| tile(owner, 420)).collect();
        let one: Vec<TileWish> =
            nine.iter().map(|one| if one.track.owner.0 == 1 { tile(1, 1_280) } else { paused(*one) }).collect();
        let sent = run(2_000, &[(0, nine.clone()), (1_000, one.clone())]);
        assert_eq!(sent, [(0, nine), (1_000, one)]);
    }

    #[test]
    fn a_tile_that_is_hidden_is_paused_soon_and_shown_again_at_once() {
        let (shown, hidden) = (vec![tile(1, 640)], vec![paused(tile(1, 640))]);
        let sent = run(2_000, &[(0, shown.clone()), (1_000, hidden.clone()), (1_500, shown.clone())]);
        assert_eq!(sent, [(0, shown.clone()), (1_300, hidden), (1_500, shown)]);
    }

    #[test]
    fn a_tile_that_is_hidden_for_a_moment_is_not_paused() {
        let (shown, hidden) = (vec![tile(1, 640)], vec![paused(tile(1, 640))]);
        assert_eq!(run(2_000, &[(0, shown.clone()), (1_000, hidden), (1_200, shown.clone())]), [(0, shown)]);
    }

    #[test]
    fn a_picture_that_appears_during_a_drag_does_not_wait() {
        let steps = [(0, vec![tile(1, 640)]), (500, vec![tile(1, 630)]), (600, vec![tile(1, 620), tile(2, 620)])];
        let sent: Vec<u64> = run(2_000, &steps).iter().map(|(at, _)| *at).collect();
        assert_eq!(sent, [0, 600]);
    }

    #[test]
    fn lists_are_sent_at_most_ten_times_a_second() {
        let steps: Vec<_> = (0..10).map(|step| (10 * step, vec![tile(1, 100 << (step % 2))])).collect();
        let sent: Vec<u64> = run(2_000, &steps).iter().map(|(at, _)| *at).collect();
        assert_eq!(sent, [0, 100]);
    }

    /// A longer list would be malformed, and the server would end the connection.
    #[test]
    fn of_more_tiles_than_a_message_may_contain_the_smallest_are_left_out() {
        let (mut wishes, now) = (TileWishes::default(), Instant::now());
        let small: Vec<TileWish> = (0..MAX_TILES as u64).map(|owner| tile(owner, 160)).collect();
        let hidden = (2_000..2_100).map(|owner| paused(tile(owner, 1_280)));
        let shared = TileWish { priority: 2, ..tile(3_000, 80) };
        let all = small.into_iter().chain(hidden).chain([tile(3_001, 640), shared]).collect();
        wishes.set(all, now);
        let sent = wishes.poll(now).expect("they are due");
        assert!(
            proto::decode_signal(&proto::encode(&ClientSignal::Wishes { tiles: sent.clone() }))
                == Ok(ClientSignal::Wishes { tiles: sent.clone() })
        );
        assert_eq!((sent.len(), &sent[..2]), (MAX_TILES, &[shared, tile(3_001, 640)][..]));
        assert!(sent.iter().all(|tile| !tile.hidden));
    }

    #[test]
    fn a_new_sfu_is_told_everything_at_once() {
        let (mut wishes, now) = (TileWishes::default(), Instant::now());
        wishes.restart(now);
        assert_eq!(wishes.poll_timeout(), None, "there is no wish yet");
        wishes.set(vec![tile(1, 640)], now);
        assert!(wishes.poll(now).is_some());
        wishes.set(vec![tile(1, 630)], now + ms(10));
        wishes.restart(now + ms(20));
        assert_eq!(wishes.poll(now + ms(20)), Some(vec![tile(1, 630)]));
    }
}
