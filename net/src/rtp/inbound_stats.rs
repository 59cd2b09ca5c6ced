//! Measures how the packets of one received track arrive: loss and jitter as in RFC 3550, sections 6.4.1 and A.3. Pure: the
//! caller passes the time.

use super::unwrap::Unwrapper;
use proto::Kind;
use std::time::{Duration, Instant};

/// The packets of a received track since it began, like `inbound-rtp` of WebRTC. Retransmissions do not count, so this is the
/// loss of the path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InboundRtpStats {
    /// Packets that the server sent.
    pub expected: u64,
    /// Packets that arrived by their first transmission.
    pub arrived: u64,
    /// The interarrival jitter.
    pub jitter: Duration,
}

/// Measures one stream.
#[derive(Debug)]
pub struct InboundRtpMeter {
    /// The RTP clock in Hz.
    clock_rate: u32,
    counter: Unwrapper,
    /// The first number of the sequence that counts now.
    first: Option<u64>,
    /// Packets of earlier sequences that were expected.
    before: u64,
    arrived: u64,
    /// The RTP timestamp and the arrival of the last packet that began a frame.
    last: Option<(u32, Instant)>,
    /// In units of the RTP clock.
    jitter: f64,
}

impl InboundRtpMeter {
    /// Returns a meter for a stream of this kind.
    pub fn new(kind: Kind) -> Self {
        let clock_rate = match kind {
            Kind::Audio => 48_000,
            Kind::Video => 90_000,
        };
        Self { clock_rate, counter: Unwrapper::default(), first: None, before: 0, arrived: 0, last: None, jitter: 0.0 }
    }

    /// Counts a packet that was not retransmitted.
    pub fn handle_packet(&mut self, sequence: u16, timestamp: u32, arrival: Instant) {
        let number = self.counter.peek(sequence);
        if let (Some(first), Some(newest)) = (self.first, self.counter.newest())
            && number.abs_diff(newest) > MAX_JUMP
        {
            // The sender started a new sequence.
            self.before += newest + 1 - first;
            (self.first, self.counter) = (None, Unwrapper::default());
        }
        let number = self.counter.unwrap(sequence);
        self.first = Some(self.first.map_or(number, |first| first.min(number)));
        self.arrived += 1;
        self.measure_jitter(timestamp, arrival);
    }

    /// Returns what was measured.
    pub fn stats(&self) -> InboundRtpStats {
        let current = self.first.zip(self.counter.newest()).map_or(0, |(first, newest)| newest + 1 - first);
        let expected = self.before + current;
        let jitter = Duration::try_from_secs_f64(self.jitter / f64::from(self.clock_rate)).unwrap_or_default();
        // A duplicate arrives although only one packet is expected.
        InboundRtpStats { expected, arrived: self.arrived.min(expected), jitter }
    }

    /// The packets of a frame have one timestamp and are sent one after the other, so only the first one counts.
    fn measure_jitter(&mut self, timestamp: u32, arrival: Instant) {
        let Some((last, at)) = self.last else {
            self.last = Some((timestamp, arrival));
            return;
        };
        let sent = timestamp.wrapping_sub(last);
        if sent == 0 || sent > u32::MAX / 2 {
            return;
        }
        self.last = Some((timestamp, arrival));
        let rate = f64::from(self.clock_rate);
        let difference = (arrival.saturating_duration_since(at).as_secs_f64() * rate - f64::from(sent)).abs();
        // A stream that paused begins with another offset.
        if difference < rate {
            self.jitter += (difference - self.jitter) / 16.0;
        }
    }
}

/// A larger step of the sequence is a new sequence.
const MAX_JUMP: u64 = 3_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// Passes packets 20 ms apart, with the delays of `delay`; `None` loses one.
    fn measure(first: u16, delays: impl Iterator<Item = Option<u64>>) -> InboundRtpStats {
        let (mut meter, start) = (InboundRtpMeter::new(Kind::Audio), Instant::now());
        for (number, delay) in delays.enumerate() {
            let Some(delay) = delay else { continue };
            let number = u16::try_from(number).unwrap();
            let arrival = start + Duration::from_millis(20 * u64::from(number) + delay);
            meter.handle_packet(first.wrapping_add(number), 960 * u32::from(number), arrival);
        }
        meter.stats()
    }

    #[test]
    fn lost_packets_are_expected_and_do_not_arrive() {
        let stats = measure(65_500, (0..100).map(|number| (number % 10 != 3).then_some(5)));
        assert_eq!((stats.expected, stats.arrived, stats.jitter), (100, 90, Duration::ZERO));
    }

    #[test]
    fn jitter_is_the_mean_change_of_the_delay() {
        let stats = measure(0, (0..200).map(|number| Some(if number % 2 == 0 { 0 } else { 10 })));
        let millis = stats.jitter.as_secs_f64() * 1_000.0;
        assert!((9.9..=10.0).contains(&millis), "{millis} ms");
        assert_eq!(measure(0, (0..200).map(|_| Some(80))).jitter, Duration::ZERO, "a long delay is no jitter");
    }

    #[test]
    fn a_new_sequence_and_packets_in_another_order_are_no_loss() {
        let (mut meter, now) = (InboundRtpMeter::new(Kind::Video), Instant::now());
        for sequence in [10, 12, 11, 13, 30_000, 30_001] {
            meter.handle_packet(sequence, 0, now);
        }
        let stats = meter.stats();
        assert_eq!((stats.expected, stats.arrived), (6, 6));
    }
}
