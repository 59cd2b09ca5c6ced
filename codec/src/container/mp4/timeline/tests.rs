use super::*;

/// Builds a box.
fn boxed(kind: [u8; 4], words: &[u32]) -> Vec<u8> {
    let payload: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    [&u32::try_from(payload.len() + 8).unwrap().to_be_bytes()[..], &kind, &payload].concat()
}

const NORMAL: u32 = 1 << 16;
const PAUSE: u32 = u32::MAX;

/// Returns the timeline of frames that last for `deltas` ticks of a thousandth. An edit has a duration in hundredths of
/// a second, a start and a rate.
fn timeline(deltas: &[(u32, u32)], edits: &[[u32; 3]]) -> Result<Timeline, Error> {
    let count = deltas.iter().map(|(count, _)| *count).sum::<u32>();
    let entries: Vec<u32> = deltas.iter().flat_map(|(count, delta)| [*count, *delta]).collect();
    let tables = boxed(*b"stts", &[&[0, u32::try_from(deltas.len()).unwrap()], &entries[..]].concat());
    let list = boxed(*b"elst", &[&[0, u32::try_from(edits.len()).unwrap()], &edits.concat()[..]].concat());
    let track = [&u32::try_from(list.len() + 8).unwrap().to_be_bytes()[..], b"edts", &list].concat();
    let scales = Scales { movie: 100, track: 1_000 };
    Timeline::read(&track, &tables, scales, usize::try_from(count).unwrap(), FrameRate::THIRTY)
}

/// Returns the frame and the time in milliseconds of each show, and the length of a pass.
fn shows(deltas: &[(u32, u32)], edits: &[[u32; 3]]) -> (Vec<(usize, u128)>, u128) {
    let timeline = timeline(deltas, edits).unwrap();
    let show = |show| Some((timeline.frame(show)?, timeline.time(show)?.as_millis()));
    let shows: Vec<_> = (0..).map_while(show).collect();
    assert_eq!(shows.len(), timeline.shown());
    (shows, timeline.length().as_millis())
}

#[test]
fn a_long_still_keeps_the_times_of_the_other_frames() {
    let (shows, length) = shows(&[(2, 40), (1, 30_000), (2, 40)], &[]);
    assert_eq!(shows, [(0, 0), (1, 40), (2, 80), (3, 30_080), (4, 30_120)]);
    assert_eq!(length, 30_160);
}

#[test]
fn several_segments_are_played_in_their_order() {
    let (frames, length) = shows(&[(10, 100)], &[[20, 600, NORMAL], [30, 100, NORMAL]]);
    assert_eq!(frames, [(6, 0), (7, 100), (1, 200), (2, 300), (3, 400)]);
    assert_eq!(length, 500);
}

#[test]
fn an_empty_edit_is_a_pause() {
    let (frames, length) =
        shows(&[(3, 100)], &[[50, PAUSE, NORMAL], [20, 0, NORMAL], [100, PAUSE, NORMAL], [0, 200, NORMAL]]);
    assert_eq!(frames, [(0, 500), (1, 600), (2, 1_700)]);
    assert_eq!(length, 1_800);
}

#[test]
fn the_rate_of_an_edit_changes_its_speed() {
    let (frames, length) = shows(&[(8, 100)], &[[20, 0, 2 * NORMAL], [40, 400, NORMAL / 2]]);
    assert_eq!(frames, [(0, 0), (1, 50), (2, 100), (3, 150), (4, 200), (5, 400)]);
    assert_eq!(length, 600);
    assert_eq!(timeline(&[(8, 100)], &[[20, 0, 2 * NORMAL]]).unwrap().top_speed(), Speed(2 * NORMAL));
}

#[test]
fn an_edit_of_rate_zero_is_a_still_that_is_shown_once() {
    let (frames, length) = shows(&[(5, 100)], &[[20, 0, NORMAL], [300, 250, 0], [20, 250, NORMAL]]);
    // The still is frame 2, and the next segment begins in the middle of it.
    assert_eq!(frames, [(0, 0), (1, 100), (2, 200), (3, 3_250), (4, 3_350)]);
    assert_eq!(length, 3_400);
}

#[test]
fn a_segment_begins_with_the_frame_that_is_shown_at_its_start() {
    assert_eq!(shows(&[(3, 100)], &[[0, 130, NORMAL]]), (vec![(1, 0), (2, 70)], 170));
    // One tick before the end of a frame: a rounded number.
    assert_eq!(shows(&[(3, 100)], &[[0, 199, NORMAL]]), (vec![(2, 1)], 101));
    assert_eq!(shows(&[(1, 20_000), (1, 100)], &[[0, 15_000, NORMAL]]), (vec![(0, 0), (1, 5_000)], 5_100));
}

#[test]
fn an_edit_list_that_shows_nothing_is_ignored() {
    for edits in [&[[100, PAUSE, NORMAL]][..], &[[50, 9_000, NORMAL]], &[[u32::MAX, PAUSE, NORMAL], [0, 0, NORMAL]]] {
        assert_eq!(shows(&[(2, 100)], edits), (vec![(0, 0), (1, 100)], 200), "{edits:?}");
    }
}

#[test]
fn an_edit_that_plays_backwards_is_refused() {
    let backwards = timeline(&[(3, 100)], &[[0, 0, (-0x1_0000_i32).cast_unsigned()]]);
    assert!(matches!(backwards, Err(Error::Unsupported(what)) if what.contains("backwards")));
}

#[test]
fn invalid_times_become_a_constant_rate() {
    for deltas in [&[(3, 0)][..], &[(1, 100), (1, u32::MAX), (1, 100)]] {
        let timeline = timeline(deltas, &[]).unwrap();
        assert_eq!(
            timeline.time(2),
            Some(FrameRate::THIRTY.due(2)).map(|due| Duration::from_micros(u64::try_from(due.as_micros()).unwrap()))
        );
    }
}

#[test]
fn a_short_list_with_a_large_count_does_not_allocate() {
    let mut list = boxed(*b"elst", &[0, u32::MAX, 10, 0, NORMAL]);
    list.extend([0; 4]);
    let track = [&u32::try_from(list.len() + 8).unwrap().to_be_bytes()[..], b"edts", &list].concat();
    let tables = boxed(*b"stts", &[0, 1, 2, 100]);
    let scales = Scales { movie: 100, track: 1_000 };
    let timeline = Timeline::read(&track, &tables, scales, 2, FrameRate::THIRTY).unwrap();
    assert_eq!((timeline.shown(), timeline.length()), (1, Duration::from_millis(100)));
}
