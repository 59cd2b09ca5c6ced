//! Decides when the pictures of a track are decoded and shown.
//!
//! Pure. Usually a picture is shown as soon as it has arrived. If retransmissions come late, all pictures are delayed and shown
//! at the intervals at which they were captured, so that the next late picture does not cause a freeze. A picture was completed
//! by a late retransmission if its successor had arrived before it. A slow link does not reorder pictures, so its delay does not
//! count.

use media::Encoded;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Opened pictures of one track that are not due yet, in decoding order.
#[derive(Debug, Default)]
pub struct PlayoutQueue {
    pictures: VecDeque<(Instant, Encoded)>,
    delay: PlayoutDelay,
}

/// The delay of a track's pictures.
#[derive(Debug, Default)]
struct PlayoutDelay {
    /// The last seconds, oldest first.
    seconds: VecDeque<Second>,
    /// When the newest picture was captured and arrived.
    last: Option<(u64, Instant)>,
}

/// What happened in one second.
#[derive(Clone, Copy, Debug)]
struct Second {
    began: Instant,
    /// The picture with the shortest time from capture to arrival: when it was captured, and when it arrived.
    fastest: (u64, Instant),
    /// The longest time by which a picture arrived after its successor.
    latest: Duration,
}

impl PlayoutQueue {
    /// Adds the next picture, whose last packet arrived at `received`. `sound` is the number of microseconds from then until
    /// the sound of the same moment is heard, if it is known. The picture waits for that sound. Returns when it would be due
    /// without sound.
    pub fn push(&mut self, picture: Encoded, received: Instant, sound: Option<i64>) -> Instant {
        let captured = picture.captured.as_micros();
        self.delay.handle_arrival(captured, received);
        let own_due = self.delay.due(captured, received);
        self.pictures.push_back((own_due.max(received + wait_for_sound(sound)), picture));
        own_due
    }

    /// Returns the next picture if it is due, or if too many wait.
    pub fn pop(&mut self, now: Instant) -> Option<Encoded> {
        let (due, _) = self.pictures.front()?;
        let now_due = *due <= now || self.pictures.len() > MAX_PICTURES;
        self.pictures.pop_front_if(|_| now_due).map(|(_, picture)| picture)
    }

    /// Returns when the next picture is due, or `None` if none waits.
    pub fn next_due(&self) -> Option<Instant> {
        self.pictures.front().map(|(due, _)| *due)
    }
}

impl PlayoutDelay {
    fn handle_arrival(&mut self, captured: u64, received: Instant) {
        let late = match self.last.replace((captured, received)) {
            // A camera that was started again may count from 0.
            Some((before, _)) if captured.abs_diff(before) > MAX_STEP_US => {
                self.seconds.clear();
                Duration::ZERO
            }
            Some((_, before)) => before.saturating_duration_since(received),
            None => Duration::ZERO,
        };
        let newest = self.seconds.back().filter(|second| received.saturating_duration_since(second.began) < SECOND);
        if newest.is_none() {
            if self.seconds.len() == SECONDS {
                self.seconds.pop_front();
            }
            self.seconds.push_back(Second { began: received, fastest: (captured, received), latest: Duration::ZERO });
        }
        if let Some(second) = self.seconds.back_mut() {
            second.latest = second.latest.max(late);
            if is_faster((captured, received), second.fastest) {
                second.fastest = (captured, received);
            }
        }
    }

    /// Returns when a picture is due: at most [`MAX_DELAY`] after its arrival.
    fn due(&self, captured: u64, received: Instant) -> Instant {
        let latest = self.seconds.iter().map(|second| second.latest).max().unwrap_or_default();
        // The next retransmission may be lost itself, and then takes twice as long.
        let expected = (2 * latest).saturating_sub(TOLERATED).min(TOLERATED);
        let delay = latest.saturating_sub(TOLERATED).max(expected).min(MAX_DELAY);
        let fastest = self.seconds.iter().map(|second| second.fastest);
        let fastest = fastest.reduce(|best, other| if is_faster(other, best) { other } else { best });
        let Some((fastest, arrived)) = fastest.filter(|_| !delay.is_zero()) else { return received };
        let due = match captured.checked_sub(fastest) {
            Some(later) => arrived + Duration::from_micros(later.min(MAX_WINDOW_US)) + delay,
            None => arrived + delay,
        };
        due.min(received + MAX_DELAY)
    }
}

/// Returns how long a picture waits for its sound.
fn wait_for_sound(sound: Option<i64>) -> Duration {
    let micros = sound.and_then(|micros| u64::try_from(micros).ok()).unwrap_or(0);
    Duration::from_micros(micros).saturating_sub(MAX_AHEAD).min(MAX_SOUND_WAIT)
}

/// Returns true if the first of two pictures, each with its times of capture and arrival, took less time.
fn is_faster((captured, received): (u64, Instant), (other_captured, other_received): (u64, Instant)) -> bool {
    let captured_earlier = Duration::from_micros(other_captured.saturating_sub(captured));
    let captured_later = Duration::from_micros(captured.saturating_sub(other_captured));
    received + captured_earlier < other_received + captured_later
}

/// If pictures arrive at most this much after their successors, nothing is delayed. Together with two frame intervals it is far
/// less than a freeze, which is 183 ms at 30 pictures a second (W3C webrtc-stats).
const TOLERATED: Duration = Duration::from_millis(60);

/// The longest time that a picture waits. More disturbs a conversation (ITU-T G.114: 400 ms from mouth to ear).
const MAX_DELAY: Duration = Duration::from_millis(300);

/// How much earlier than its sound a picture may be passed to the decoder. Viewers notice sound that is 45 ms too early or 125 ms too
/// late (ITU-R BT.1359); decoding and showing take a part of it.
const MAX_AHEAD: Duration = Duration::from_millis(40);

/// The longest time that a picture waits for its sound. The jitter buffer of sound may wait longer; then the picture is early.
const MAX_SOUND_WAIT: Duration = Duration::from_millis(300);

/// The length of a [`Second`].
const SECOND: Duration = Duration::from_secs(1);

/// The number of seconds that count.
const SECONDS: usize = 10;

/// The longest time in microseconds between the captures of two pictures that are compared: [`SECONDS`] with a margin.
const MAX_WINDOW_US: u64 = 15_000_000;

/// The longest time between the captures of two pictures of a running camera.
const MAX_STEP_US: u64 = 2_000_000;

/// The maximum number of pictures that wait: half a second at 60 pictures a second.
const MAX_PICTURES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use media::{Buffer, Layer, Size, Timestamp, VideoCodec};

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    fn picture(number: u64, captured: Duration) -> Encoded {
        Encoded {
            codec: VideoCodec::H264,
            layer: Layer::default(),
            size: Size::new(2, 2),
            key: false,
            discardable: false,
            number,
            captured: Timestamp::from_micros(u64::try_from(captured.as_micros()).unwrap()),
            payload: Buffer::unpooled(b"x"),
        }
    }

    /// Captures pictures every 33 ms. Each arrives 10 ms after its capture, and every fifth `late` later. Returns the
    /// longest time between two shown pictures in the last three of ten seconds, and the longest time from capture to showing in
    /// them.
    fn play(late: Duration) -> (Duration, Duration) {
        let (mut queue, start) = (PlayoutQueue::default(), Instant::now());
        let capture = |number: u64| ms(33 * number);
        let arrival =
            |number: u64| start + capture(number) + ms(10) + if number.is_multiple_of(5) { late } else { ms(0) };
        let (mut next, mut shown): (u64, Vec<(Instant, Instant)>) = (0, Vec::new());
        for step in 0..10_000 {
            let now = start + ms(step);
            // Pictures are passed on in order, so a late one holds up those after it.
            while arrival(next) <= now {
                queue.push(picture(next, capture(next)), arrival(next), None);
                next += 1;
            }
            while let Some(picture) = queue.pop(now) {
                shown.push((now, start + Duration::from_micros(picture.captured.as_micros())));
            }
        }
        let last: Vec<_> = shown.into_iter().filter(|(at, _)| *at > start + ms(7_000)).collect();
        let gap = last.windows(2).map(|pair| pair[1].0 - pair[0].0).max();
        let latency = last.iter().map(|(at, captured)| *at - *captured).max();
        (gap.unwrap(), latency.unwrap())
    }

    #[test]
    fn without_late_pictures_nothing_waits() {
        assert_eq!(play(ms(0)), (ms(33), ms(10)));
    }

    #[test]
    fn pictures_wait_so_that_late_ones_are_no_freeze() {
        for late in [90, 150, 250, 300] {
            let (gap, latency) = play(ms(late));
            assert!(gap < ms(183), "{late}: {gap:?}");
            assert!(latency <= ms(late + 10), "{late}: {latency:?}");
        }
    }

    #[test]
    fn a_picture_waits_for_its_sound_but_not_long() {
        let (mut queue, start) = (PlayoutQueue::default(), Instant::now());
        let sounds =
            [None, Some(-90_000), Some(0), Some(40_000), Some(90_000), Some(5_000_000), Some(i64::MAX), Some(i64::MIN)];
        let waits = [0, 0, 0, 0, 50, 300, 300, 0];
        for (number, (sound, wait)) in (0..).zip(sounds.into_iter().zip(waits)) {
            let arrival = start + ms(33 * number);
            queue.push(picture(number, ms(33 * number)), arrival, sound);
            assert_eq!(queue.next_due(), Some(arrival + ms(wait)), "{sound:?}");
            assert!(queue.pop(arrival + ms(wait)).is_some());
        }
    }

    #[test]
    fn a_slow_link_is_not_waited_for() {
        let (mut queue, start) = (PlayoutQueue::default(), Instant::now());
        for number in 0..100 {
            // A queue that grows for ten pictures, and shrinks for ten.
            let waits = if number % 20 < 10 { number % 20 } else { 20 - number % 20 };
            let arrival = start + ms(33 * number) + ms(20 * waits);
            queue.push(picture(number, ms(33 * number)), arrival, None);
            assert_eq!(queue.next_due(), Some(arrival));
            assert!(queue.pop(arrival).is_some());
        }
    }

    #[test]
    fn a_camera_that_starts_again_and_absurd_times_delay_nothing_for_long() {
        let (mut queue, start) = (PlayoutQueue::default(), Instant::now());
        for number in 0..60u64 {
            let late = if number % 5 == 0 { ms(250) } else { ms(0) };
            queue.push(picture(number, ms(33 * number)), start + ms(33 * number) + late, None);
        }
        while queue.pop(start + ms(60_000)).is_some() {}
        let now = start + ms(3_000);
        for captured in [ms(0), Duration::from_secs(1 << 40), ms(7), Duration::from_micros(u64::MAX), ms(40)] {
            queue.push(picture(9, captured), now, None);
            assert!(queue.next_due().is_some_and(|due| due <= now + MAX_DELAY));
            assert!(queue.pop(now + MAX_DELAY).is_some());
        }
    }

    #[test]
    fn the_pictures_that_wait_are_bounded() {
        let (mut queue, start) = (PlayoutQueue::default(), Instant::now());
        queue.push(picture(0, ms(0)), start + ms(400), None);
        for number in 1..200 {
            queue.push(picture(number, ms(number)), start + ms(1), None);
        }
        let now = start + ms(1);
        while queue.pop(now).is_some() {}
        assert!(queue.pictures.len() <= MAX_PICTURES);
    }
}
