//! Tests of feeds: counts, leases and memory.

use super::*;
use std::sync::atomic::AtomicUsize;

const SIZE: Size = Size::new(7, 5);

fn publish(feed: &Feed, number: u64) {
    let lease = feed.lease(SIZE).unwrap();
    lease.publish(Colour::default(), number, Timestamp::default());
}

fn take(feed: &Feed) -> Option<u64> {
    let picture = feed.take(None).0?;
    let number = picture.number;
    feed.shared.give_back(picture.memory);
    Some(number)
}

#[test]
fn the_newest_picture_wins_and_replaced_ones_are_counted() {
    let feed = Feed::new();
    publish(&feed, 1);
    publish(&feed, 2);
    assert_eq!(take(&feed), Some(2));
    assert_eq!(take(&feed), None);
    assert_eq!(feed.counts(), Counts { published: 2, shown: 1, replaced: 1, refused: 0 });
}

#[test]
fn leases_are_limited_and_dropped_ones_are_reused() {
    let feed = Feed::new();
    let mut leases: Vec<_> = (0..MAX_BUFFERS).map(|_| feed.lease(SIZE).unwrap()).collect();
    assert!(feed.lease(SIZE).is_none());
    assert_eq!(feed.counts().refused, 1);
    leases.pop();
    assert!(feed.lease(SIZE).is_some());
}

#[test]
fn an_unsupported_size_is_refused() {
    let feed = Feed::new();
    assert!(feed.lease(Size::new(0, 5)).is_none());
    assert!(feed.lease(Size::new(8_193, 5)).is_none());
    assert_eq!(feed.counts().refused, 2);
}

#[test]
fn a_feed_reuses_its_memory() {
    let feed = Feed::new();
    let address = |lease: &mut Lease| lease.planes_mut()[0].data.as_ptr();
    let first = address(&mut feed.lease(SIZE).unwrap());
    assert_eq!(address(&mut feed.lease(SIZE).unwrap()), first);
}

#[test]
fn a_new_size_replaces_idle_memory() {
    let feed = Feed::new();
    drop((0..MAX_BUFFERS).map(|_| feed.lease(SIZE).unwrap()).collect::<Vec<_>>());
    let mut large = feed.lease(Size::new(640, 360)).unwrap();
    assert_eq!(large.planes_mut()[1].size, Size::new(640, 180));
    drop(large);
    let small = feed.lease(SIZE).unwrap();
    assert_eq!(small.size(), SIZE);
}

#[test]
fn an_i420_picture_is_stored_with_interleaved_chroma() {
    let (luma, blue, red) = ([1_u8; 35], [2_u8; 12], [3_u8; 12]);
    let plane = |data, size: Size| PlaneRef { data, stride: usize::from(size.width), size };
    let mut lease = Feed::new().lease(SIZE).unwrap();
    lease.copy_from([plane(&luma, SIZE), plane(&blue, SIZE.chroma()), plane(&red, SIZE.chroma())]);
    let [mut luma, mut chroma] = lease.planes_mut();
    assert_eq!(luma.rows_mut().flatten().map(|sample| *sample).collect::<Vec<_>>(), [1; 35]);
    assert_eq!(chroma.rows_mut().flatten().map(|sample| *sample).collect::<Vec<_>>(), [2, 3].repeat(12));
}

#[test]
fn each_picture_calls_the_publish_function_and_a_cleared_feed_is_empty() {
    let feed = Feed::new();
    let calls = Arc::new(AtomicUsize::new(0));
    feed.on_publish({
        let calls = Arc::clone(&calls);
        move || {
            calls.fetch_add(1, Ordering::Relaxed);
        }
    });
    publish(&feed, 1);
    assert!(feed.take(None).1);
    publish(&feed, 2);
    feed.clear();
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    let (picture, visible) = feed.take(None);
    assert!(picture.is_none() && !visible);
}

#[test]
fn a_lease_may_outlive_its_feed() {
    let feed = Feed::new();
    let lease = feed.lease(SIZE).unwrap();
    let weak = feed.downgrade();
    drop(feed);
    lease.publish(Colour::default(), 1, Timestamp::default());
    assert!(weak.upgrade().is_none());
}
