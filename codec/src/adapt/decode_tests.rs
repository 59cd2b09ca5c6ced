use super::*;
use Limit::{Full, HalfRate, Paused};

/// Tiles on virtual time. Each picture of a track costs the same.
struct Window {
    budget: Budget<u8>,
    /// The track, the pixels of its tile, and the milliseconds that a second of all its pictures costs.
    tiles: Vec<(u8, u32, u64)>,
    speaks: Option<u8>,
    now: Instant,
}

impl Window {
    fn new(tiles: &[(u8, u32, u64)]) -> Self {
        Self { budget: Budget::default(), tiles: tiles.to_vec(), speaks: None, now: Instant::now() }
    }

    /// Lets seconds pass in which `skipped` pictures were skipped. Returns the limits after each second with a change.
    fn pass(&mut self, seconds: u32, skipped: u64) -> Vec<(u32, Vec<Limit>)> {
        let changes = (1..=seconds).filter_map(|second| {
            self.now += Duration::from_secs(1);
            let loads: Vec<_> = self.tiles.iter().map(|tile| self.load(*tile)).collect();
            let load = Load { capacity: Duration::from_secs(1), skipped };
            self.budget.update(&loads, load, self.now).then(|| (second, self.limits()))
        });
        changes.collect()
    }

    fn load(&self, (track, pixels, milliseconds): (u8, u32, u64)) -> TrackLoad<u8> {
        let busy = match self.budget.limit(track) {
            Limit::Full => milliseconds,
            Limit::HalfRate => milliseconds / 2,
            Limit::Paused => 0,
        };
        let attention = Attention { priority: 1, speaks: self.speaks == Some(track), pixels };
        TrackLoad { track, attention, busy: Duration::from_millis(busy) }
    }

    fn limits(&self) -> Vec<Limit> {
        self.tiles.iter().map(|(track, ..)| self.budget.limit(*track)).collect()
    }
}

#[test]
fn what_fits_is_not_reduced() {
    let mut window = Window::new(&[(1, 100, 300), (2, 90, 300), (3, 80, 150)]);
    assert_eq!(window.pass(60, 0), []);
}

#[test]
fn the_least_looked_at_tiles_get_half_the_frame_rate_after_one_second_and_then_pause() {
    let mut window = Window::new(&[(1, 400, 300), (2, 100, 300), (3, 200, 300), (4, 300, 300)]);
    // 1,200 ms of 1,000: three tiles at half the frame rate still need 795.
    assert_eq!(window.pass(10, 0), [(1, vec![Full, Paused, HalfRate, HalfRate])]);
}

#[test]
fn the_tile_that_is_looked_at_most_is_reduced_last_and_never_paused() {
    let mut window = Window::new(&[(1, 400, 2_000), (2, 100, 50)]);
    assert_eq!(window.pass(20, 0), [(1, vec![HalfRate, Paused])]);
}

#[test]
fn pictures_that_come_too_late_reduce_one_step_every_two_seconds() {
    let mut window = Window::new(&[(1, 400, 500), (2, 100, 200)]);
    let changes = window.pass(5, 20);
    assert_eq!(changes, [(1, vec![Full, HalfRate]), (3, vec![Full, Paused]), (5, vec![HalfRate, Paused])]);
}

#[test]
fn pictures_that_a_bad_network_delivers_at_once_reduce_nothing() {
    let mut window = Window::new(&[(1, 400, 200)]);
    assert_eq!(window.pass(20, 9), []);
}

#[test]
fn steps_are_undone_one_at_a_time_if_they_fit() {
    let mut window = Window::new(&[(1, 400, 500), (2, 100, 200), (3, 100, 300)]);
    assert_eq!(window.pass(10, 0).len(), 1);
    let reduced = window.limits();
    assert_eq!(window.pass(120, 0), [], "another step would not fit");
    window.tiles[0].2 = 100;
    let changes = window.pass(60, 0);
    assert!(changes.iter().all(|(second, _)| *second >= 11), "{changes:?}");
    assert!(changes.windows(2).all(|pair| pair[1].0 >= pair[0].0 + 10), "{changes:?}");
    assert_ne!(reduced, vec![Full; 3]);
    assert_eq!(window.limits(), vec![Full; 3]);
}

#[test]
fn a_failed_attempt_is_repeated_later_and_later() {
    let mut window = Window::new(&[(1, 400, 300), (2, 100, 150)]);
    assert_eq!(window.pass(1, 9).len(), 1);
    let mut attempts = Vec::new();
    for second in 1..=120 {
        // Whenever both have the full rate, other programs make pictures late.
        let late = window.limits() == [Full, Full];
        if late && attempts.last().is_none_or(|last| last + 1 < second) {
            attempts.push(second);
        }
        window.pass(1, if late { 9 } else { 0 });
    }
    assert!(
        attempts.len() >= 3 && attempts.windows(3).all(|three| three[2] - three[1] > three[1] - three[0]),
        "{attempts:?}"
    );
}

#[test]
fn a_participant_who_starts_to_speak_takes_the_place_of_another() {
    let mut window = Window::new(&[(1, 100, 700), (2, 100, 700), (3, 100, 700)]);
    window.pass(5, 0);
    let paused = (1..=3).find(|track| window.budget.limit(*track) == Paused).expect("one is paused");
    window.speaks = Some(paused);
    window.pass(1, 0);
    assert_eq!(window.budget.limit(paused), *window.limits().iter().max().unwrap());
    let before = window.limits();
    window.speaks = None;
    window.pass(5, 0);
    assert_eq!(window.limits(), before, "equal tiles do not change places");
}

#[test]
fn tracks_that_are_gone_are_forgotten() {
    let mut window = Window::new(&[(1, 400, 600), (2, 100, 600)]);
    window.pass(1, 0);
    window.tiles.truncate(1);
    assert_eq!(window.pass(1, 0), []);
    assert_eq!((window.budget.limit(1), window.budget.limit(2)), (Full, Full));
}
