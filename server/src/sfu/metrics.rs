//! The counters of an SFU, as sums over all meetings, and their text for Prometheus. Pure.
//!
//! No value names or numbers a meeting, a participant or an address, and there is no series for one of them (docs/privacy.md).

use std::fmt::{self, Display, Write};

/// The counters of an SFU.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Datagrams that arrived.
    pub received: Traffic,
    /// Datagrams to participants, with those that could not be sent.
    pub sent: Traffic,
    /// Packets that were dropped, by reason.
    dropped: [u64; DropReason::ALL.len()],
    /// Requests of receivers to send packets again (RTCP NACK).
    pub nacks: u64,
    /// Retransmissions and padding: the packets of RTX streams.
    pub repairs: u64,
    /// Key frames that receivers requested.
    pub key_requests_received: u64,
    /// Key frames that the SFU requested of senders.
    pub key_requests_sent: u64,
    /// Meetings whose media ended because of a panic.
    pub failed_meetings: u64,
    /// The estimates of the receivers' links in bits per second, each once every 100 ms.
    pub estimates: Histogram<{ BITRATES.len() }>,
    /// The budgets of the receivers' links (what may be sent to them) in bits per second, each once every 100 ms.
    pub budgets: Histogram<{ BITRATES.len() }>,
    /// The delay of timers in seconds: the time from when they were due until they ran.
    pub delays: Histogram<{ DELAYS.len() }>,
}

/// Packets and their bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    /// The number of datagrams.
    pub packets: u64,
    /// The bytes in them.
    pub bytes: u64,
}

/// Why a packet is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// The datagram or its payload is too large.
    TooLarge,
    /// It comes from no participant.
    UnknownSender,
    /// It is malformed, or exceeds a bound of its sender.
    Refused,
    /// A receiver's queue is full.
    QueueFull,
    /// The thread of its meeting is too busy.
    ThreadBusy,
    /// The system did not take it.
    Unsent,
}

/// Counts values in ranges.
#[derive(Clone, Debug)]
pub struct Histogram<const N: usize> {
    /// The upper bound of each range. Larger values are in none.
    bounds: &'static [f64; N],
    counts: [u64; N],
    count: u64,
    sum: f64,
}

impl Metrics {
    /// Returns counters at zero.
    pub fn new() -> Self {
        Self {
            received: Traffic::default(),
            sent: Traffic::default(),
            dropped: [0; DropReason::ALL.len()],
            nacks: 0,
            repairs: 0,
            key_requests_received: 0,
            key_requests_sent: 0,
            failed_meetings: 0,
            estimates: Histogram::new(&BITRATES),
            budgets: Histogram::new(&BITRATES),
            delays: Histogram::new(&DELAYS),
        }
    }

    /// Adds packets that were dropped.
    pub fn add_dropped(&mut self, reason: DropReason, packets: u64) {
        self.dropped[reason as usize] += packets;
    }

    /// Returns how many packets were dropped for a reason.
    #[cfg(test)]
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// Adds the counters of another thread.
    pub fn add(&mut self, other: &Self) {
        self.received.merge(other.received);
        self.sent.merge(other.sent);
        for (total, count) in self.dropped.iter_mut().zip(other.dropped) {
            *total += count;
        }
        self.nacks += other.nacks;
        self.repairs += other.repairs;
        self.key_requests_received += other.key_requests_received;
        self.key_requests_sent += other.key_requests_sent;
        self.failed_meetings += other.failed_meetings;
        self.estimates.merge(&other.estimates);
        self.budgets.merge(&other.budgets);
        self.delays.merge(&other.delays);
    }

    /// Returns the text of all series in the text format of Prometheus, version 0.0.4.
    pub fn text(&self, (meetings, participants): (usize, usize), threads: usize) -> String {
        let mut text = String::new();
        let gauge = "gauge";
        write(&mut text, "meetings", gauge, "Meetings that run.", meetings);
        write(&mut text, "participants", gauge, "Participants of all meetings.", participants);
        write(&mut text, "threads", gauge, "Threads that forward media.", threads);
        let counters = [
            (
                "received_packets_total",
                "Datagrams that arrived, by UDP or through media tunnels.",
                self.received.packets,
            ),
            ("received_bytes_total", "Bytes of the datagrams that arrived.", self.received.bytes),
            ("sent_packets_total", "Datagrams to participants, by UDP or through media tunnels.", self.sent.packets),
            ("sent_bytes_total", "Bytes of the datagrams to participants.", self.sent.bytes),
            ("nacks_received_total", "Requests of receivers to send packets again.", self.nacks),
            ("repair_packets_sent_total", "Retransmissions and padding.", self.repairs),
            ("key_frame_requests_received_total", "Key frames requested by receivers.", self.key_requests_received),
            ("key_frame_requests_sent_total", "Key frames requested of senders.", self.key_requests_sent),
            ("failed_meetings_total", "Meetings whose media ended because of a panic.", self.failed_meetings),
        ];
        for (name, help, value) in counters {
            write(&mut text, name, "counter", help, value);
        }
        head(&mut text, "dropped_packets_total", "counter", "Packets that were dropped, by reason.");
        for reason in DropReason::ALL {
            let (name, value) = (reason.name(), self.dropped[reason as usize]);
            line(&mut text, format_args!("dropped_packets_total{{reason=\"{name}\"}} {value}"));
        }
        let estimate = "Estimates of the receivers' links, each once every 100 ms.";
        self.estimates.write(&mut text, "receiver_estimate_bits_per_second", estimate);
        let budget = "Budgets of the receivers' links, each once every 100 ms.";
        self.budgets.write(&mut text, "receiver_budget_bits_per_second", budget);
        self.delays.write(
            &mut text,
            "loop_delay_seconds",
            "The time from when timers of a media thread were due until they ran.",
        );
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Traffic {
    /// Adds a datagram.
    pub fn add(&mut self, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
    }

    fn merge(&mut self, other: Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
    }
}

impl DropReason {
    const ALL: [Self; 6] =
        [Self::TooLarge, Self::UnknownSender, Self::Refused, Self::QueueFull, Self::ThreadBusy, Self::Unsent];

    fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::UnknownSender => "unknown_sender",
            Self::Refused => "refused",
            Self::QueueFull => "queue_full",
            Self::ThreadBusy => "thread_busy",
            Self::Unsent => "unsent",
        }
    }
}

impl<const N: usize> Histogram<N> {
    fn new(bounds: &'static [f64; N]) -> Self {
        Self { bounds, counts: [0; N], count: 0, sum: 0.0 }
    }

    /// Adds a value.
    pub fn add(&mut self, value: f64) {
        if let Some(index) = self.bounds.iter().position(|bound| value <= *bound) {
            self.counts[index] += 1;
        }
        self.count += 1;
        self.sum += value;
    }

    /// Adds a number of bits per second.
    #[expect(clippy::cast_precision_loss, reason = "bitrates are far below 2^52")]
    pub fn add_bitrate(&mut self, rate: u64) {
        self.add(rate as f64);
    }

    /// Adds the counts of a histogram with the same ranges.
    fn merge(&mut self, other: &Self) {
        for (total, count) in self.counts.iter_mut().zip(other.counts) {
            *total += count;
        }
        self.count += other.count;
        self.sum += other.sum;
    }

    fn write(&self, text: &mut String, name: &str, help: &str) {
        head(text, name, "histogram", help);
        let mut total = 0;
        for (bound, count) in self.bounds.iter().zip(self.counts) {
            total += count;
            line(text, format_args!("{name}_bucket{{le=\"{bound}\"}} {total}"));
        }
        line(text, format_args!("{name}_bucket{{le=\"+Inf\"}} {}", self.count));
        line(text, format_args!("{name}_sum {}", self.sum));
        line(text, format_args!("{name}_count {}", self.count));
    }
}

fn write(text: &mut String, name: &str, kind: &str, help: &str, value: impl Display) {
    head(text, name, kind, help);
    line(text, format_args!("{name} {value}"));
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    // A string accepts everything.
    let _ = write!(text, "# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} {kind}\n");
}

fn line(text: &mut String, rest: fmt::Arguments<'_>) {
    let _ = writeln!(text, "{PREFIX}{rest}");
}

/// The first part of all names.
const PREFIX: &str = "conclave_sfu_";

/// The bounds of ranges of bitrates, in bits per second.
const BITRATES: [f64; 11] = [5e4, 1e5, 1.5e5, 3e5, 5e5, 8e5, 1.5e6, 3e6, 6e6, 1e7, 3e7];

/// The bounds of ranges of delays, in seconds. A timer of the system is exact to a millisecond.
const DELAYS: [f64; 9] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_a_head_and_a_value_for_each_series() {
        let mut metrics = Metrics::new();
        metrics.received.add(100);
        metrics.add_dropped(DropReason::QueueFull, 1);
        let mut other_thread = Metrics::new();
        other_thread.received.add(50);
        other_thread.add_dropped(DropReason::QueueFull, 2);
        for (index, delay) in [0.0005, 0.002, 0.3, 9.0].into_iter().enumerate() {
            if index % 2 == 0 { metrics.delays.add(delay) } else { other_thread.delays.add(delay) }
        }
        metrics.add(&other_thread);
        let text = metrics.text((2, 5), 1);
        let expected = [
            "# HELP conclave_sfu_meetings Meetings that run.",
            "# TYPE conclave_sfu_meetings gauge",
            "conclave_sfu_meetings 2",
            "conclave_sfu_participants 5",
            "# TYPE conclave_sfu_received_packets_total counter",
            "conclave_sfu_received_packets_total 2",
            "conclave_sfu_received_bytes_total 150",
            "conclave_sfu_dropped_packets_total{reason=\"queue_full\"} 3",
            "conclave_sfu_dropped_packets_total{reason=\"unsent\"} 0",
            "conclave_sfu_receiver_budget_bits_per_second_bucket{le=\"150000\"} 0",
            "# TYPE conclave_sfu_loop_delay_seconds histogram",
            "conclave_sfu_loop_delay_seconds_bucket{le=\"0.001\"} 1",
            "conclave_sfu_loop_delay_seconds_bucket{le=\"0.002\"} 2",
            "conclave_sfu_loop_delay_seconds_bucket{le=\"0.25\"} 2",
            "conclave_sfu_loop_delay_seconds_bucket{le=\"1\"} 3",
            "conclave_sfu_loop_delay_seconds_bucket{le=\"+Inf\"} 4",
            "conclave_sfu_loop_delay_seconds_sum 9.3025",
            "conclave_sfu_loop_delay_seconds_count 4",
        ];
        let lines: Vec<&str> = text.lines().collect();
        for line in expected {
            assert!(lines.contains(&line), "{line}\nis not in\n{text}");
        }
        let names = |line: &str| line.starts_with("# HELP conclave_sfu_") || line.starts_with("# TYPE conclave_sfu_");
        assert!(lines.iter().all(|line| names(line) || line.starts_with("conclave_sfu_")), "{text}");
    }
}
