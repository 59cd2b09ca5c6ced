//! The bandwidth estimator in the stack, and the estimate, which other threads can read.

use crate::path_overhead::{Carrier, per_packet};
use bytes::Bytes;
use congestion::{ClusterId, Config, PacketFeedback, Probe};
use media::Bitrate;
use rtc::interceptor::{BandwidthEstimator, PacketReport};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// The estimated capacity of the path, and whether there is room for pictures. Clones share it.
#[derive(Clone, Debug)]
pub struct Estimate {
    rates: Arc<Rates>,
    room: watch::Receiver<bool>,
}

/// The rates that the stack's task and the driver share.
#[derive(Debug)]
struct Rates {
    /// The estimate, in bits per second.
    estimate: AtomicU64,
    /// The delay-based estimate, which loss does not lower, in bits per second.
    delay_based: AtomicU64,
    /// The estimate at the last call of [`Notify::notify_one`].
    notified: AtomicU64,
    changed: Notify,
    /// What the published tracks could use, in bits per second.
    wanted: AtomicU64,
    /// What may be sent, in bits per second with all headers. `u64::MAX` if there is no limit.
    limit: AtomicU64,
    /// The bytes that the path adds to each packet.
    packet_overhead: AtomicUsize,
    /// What the path carried in the last meeting, in bits per second.
    last_rate: OnceLock<Bitrate>,
    /// The stream whose padding is the start probe.
    start_probe_stream: OnceLock<StreamIdentifiers>,
}

/// The identifiers of one simulcast stream of a video track. Padding packets carry them, so that the remote side can assign
/// the SSRC to the track before the first video packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamIdentifiers {
    /// Its SSRC.
    pub ssrc: u32,
    /// The `mid` of its media description.
    pub mid: Bytes,
    /// Its RID.
    pub rid: Bytes,
}

impl Estimate {
    /// Returns the estimate.
    pub fn bitrate(&self) -> Bitrate {
        self.rates.estimate()
    }

    /// Returns the delay-based estimate, which loss does not lower.
    pub fn delay_based(&self) -> Bitrate {
        Bitrate::bps(self.rates.delay_based.load(Ordering::Relaxed))
    }

    /// Sets what the published tracks could use. Probes are sent while the estimate is lower.
    pub fn set_wanted(&self, wanted: Bitrate) {
        self.rates.wanted.store(wanted.as_bps(), Ordering::Relaxed);
    }

    /// Limits what is sent, with all headers. `None` removes the limit.
    pub fn set_limit(&self, limit: Option<Bitrate>) {
        self.rates.limit.store(limit.map_or(u64::MAX, Bitrate::as_bps), Ordering::Relaxed);
        self.rates.bound_estimate();
    }

    /// Sets the bytes that the path adds to each packet (`path_overhead::per_packet`). They are a part of the limit.
    pub fn set_packet_overhead(&self, bytes: usize) {
        if self.rates.packet_overhead.swap(bytes, Ordering::Relaxed) != bytes {
            self.rates.bound_estimate();
        }
    }

    /// Sets what the path carried in the last meeting. Has no effect after the first packet, and only the first time.
    pub fn set_last_rate(&self, rate: Bitrate) {
        let _ = self.rates.last_rate.set(rate);
    }

    /// Allows the start probe, which is sent as padding of `stream`. The remote side has accepted this stream. Later calls have
    /// no effect.
    pub fn allow_start_probe(&self, stream: StreamIdentifiers) {
        let _ = self.rates.start_probe_stream.set(stream);
    }

    /// Waits until the estimate has changed by 5 % since the last return. Cancel-safe, for one task.
    pub async fn changed(&self) {
        self.rates.changed.notified().await;
    }

    /// Waits until the pacer has room for a picture. Returns at once if the connection is closed. Cancel-safe.
    pub async fn wait_for_room(&mut self) {
        // The sender is dropped together with the connection, which then sends no packet.
        let _ = self.room.wait_for(|room| *room).await;
    }
}

/// The side of the estimator that gets feedback from the stack.
pub struct Estimator {
    shared: Arc<Mutex<Shared>>,
    rates: Arc<Rates>,
}

/// The side of the estimator that the pacer uses.
pub struct SendSide {
    shared: Arc<Mutex<Shared>>,
    rates: Arc<Rates>,
    room: watch::Sender<bool>,
}

/// Only the stack's task uses the two sides, so the lock is always free.
struct Shared {
    estimator: congestion::Estimator,
    clusters: [Option<Cluster>; MAX_CLUSTERS],
}

/// When the packets of a probe were sent. The stack's reports identify a packet only by the time of its departure.
#[derive(Clone, Copy)]
struct Cluster {
    id: ClusterId,
    first: Instant,
    last: Instant,
}

/// Returns the two sides of a new estimator, and its estimate.
pub fn estimator() -> (Estimator, SendSide, Estimate) {
    let rates = Arc::new(Rates {
        estimate: AtomicU64::new(START.as_bps()),
        delay_based: AtomicU64::new(START.as_bps()),
        notified: AtomicU64::new(START.as_bps()),
        changed: Notify::new(),
        wanted: AtomicU64::new(0),
        limit: AtomicU64::new(u64::MAX),
        packet_overhead: AtomicUsize::new(MIN_PACKET_OVERHEAD),
        last_rate: OnceLock::new(),
        start_probe_stream: OnceLock::new(),
    });
    let (room, has_room) = watch::channel(true);
    let estimator = congestion::Estimator::new(Config { start: START, min: MIN, max: MAX });
    let shared = Arc::new(Mutex::new(Shared { estimator, clusters: [None; MAX_CLUSTERS] }));
    (
        Estimator { shared: Arc::clone(&shared), rates: Arc::clone(&rates) },
        SendSide { shared, rates: Arc::clone(&rates), room },
        Estimate { rates, room: has_room },
    )
}

impl Rates {
    /// Returns the limit. `None` if there is none.
    fn limit(&self) -> Option<Bitrate> {
        let limit = self.limit.load(Ordering::Relaxed);
        (limit != u64::MAX).then_some(Bitrate::bps(limit))
    }

    /// Returns the highest estimate: what the limit allows, without the headers below RTP and without retransmissions.
    fn max(&self) -> Bitrate {
        let percent = ESTIMATE_PERCENT.saturating_sub(self.extra_overhead().div_ceil(BYTES_IN_PERCENT));
        self.limit().map_or(MAX, |limit| part(limit, percent).clamp(MIN, MAX))
    }

    /// Returns the bytes that each packet takes more than by UDP over IPv4.
    fn extra_overhead(&self) -> u64 {
        self.packet_overhead.load(Ordering::Relaxed).saturating_sub(MIN_PACKET_OVERHEAD) as u64
    }

    fn bound_estimate(&self) {
        let max = self.max();
        let delay_based = Bitrate::bps(self.delay_based.load(Ordering::Relaxed));
        self.set_estimate(self.estimate().min(max), delay_based.min(max));
    }

    fn estimate(&self) -> Bitrate {
        Bitrate::bps(self.estimate.load(Ordering::Relaxed))
    }

    fn set_estimate(&self, estimate: Bitrate, delay_based: Bitrate) {
        self.estimate.store(estimate.as_bps(), Ordering::Relaxed);
        self.delay_based.store(delay_based.as_bps(), Ordering::Relaxed);
        let notified = self.notified.load(Ordering::Relaxed);
        if estimate.as_bps().abs_diff(notified) * 20 > notified {
            self.notified.store(estimate.as_bps(), Ordering::Relaxed);
            self.changed.notify_one();
        }
    }
}

impl BandwidthEstimator for Estimator {
    fn on_reports(&mut self, now: Instant, reports: &[PacketReport]) {
        let mut shared = lock(&self.shared);
        shared.configure(&self.rates);
        let Shared { estimator, clusters } = &mut *shared;
        estimator.handle_feedback(
            now,
            reports.iter().map(|report| PacketFeedback {
                sent: report.departure,
                size: report.size,
                arrived: report.arrival.filter(|_| report.arrived),
                cluster: cluster_at(clusters, report.departure),
            }),
        );
        let stats = estimator.stats();
        tracing::trace!(?stats, "feedback");
        self.rates.set_estimate(stats.estimate, estimator.delay_based());
    }

    #[expect(clippy::cast_precision_loss, reason = "bitrates are far below 2^52")]
    fn target_bitrate(&self) -> f64 {
        self.rates.estimate().as_bps() as f64
    }

    fn handle_timeout(&mut self, now: Instant) {
        let mut shared = lock(&self.shared);
        shared.configure(&self.rates);
        shared.estimator.handle_timeout(now);
        self.rates.set_estimate(shared.estimator.estimate(), shared.estimator.delay_based());
    }
}

impl SendSide {
    /// Returns the estimate.
    pub fn bitrate(&self) -> Bitrate {
        self.rates.estimate()
    }

    /// Returns the highest rate at which packets leave. `None` if there is no limit.
    pub fn max_pace(&self) -> Option<Bitrate> {
        let feedback = (FEEDBACK_BYTES + self.rates.extra_overhead()) * FEEDBACKS_PER_SECOND * 8;
        let rate = |limit: Bitrate| part(limit, PACE_PERCENT).as_bps().saturating_sub(feedback).max(limit.as_bps() / 2);
        self.rates.limit().map(|limit| Bitrate::bps(rate(limit)))
    }

    /// Returns the bytes that the path adds to each packet.
    pub fn packet_overhead(&self) -> usize {
        self.rates.packet_overhead.load(Ordering::Relaxed)
    }

    /// Counts a packet of media that is sent now, in `cluster` if a probe runs.
    pub fn handle_sent(&self, now: Instant, size: usize, cluster: Option<ClusterId>) {
        let mut shared = lock(&self.shared);
        shared.estimator.handle_sent(now, size);
        if let Some(cluster) = cluster {
            shared.record_departure(cluster, now);
        }
    }

    /// Counts a padding packet of a probe.
    pub fn handle_padding(&self, now: Instant, cluster: ClusterId) {
        lock(&self.shared).record_departure(cluster, now);
    }

    /// Returns the stream whose padding is the start probe. Returns `None` if the probe is not allowed yet.
    pub fn start_probe_stream(&self) -> Option<&StreamIdentifiers> {
        self.rates.start_probe_stream.get()
    }

    /// Returns the start probe, if no probe was sent yet.
    pub fn poll_start_probe(&self, now: Instant) -> Option<Probe> {
        let mut shared = lock(&self.shared);
        shared.configure(&self.rates);
        shared.estimator.poll_start_probe(now)
    }

    /// Returns the probe to send now, if one is due. Without a track that could use bandwidth, there is none.
    pub fn poll_probe(&self, now: Instant) -> Option<Probe> {
        let wanted = Bitrate::bps(self.rates.wanted.load(Ordering::Relaxed));
        if wanted == Bitrate::ZERO {
            return None;
        }
        let mut shared = lock(&self.shared);
        shared.configure(&self.rates);
        shared.estimator.set_wanted(wanted);
        shared.estimator.poll_probe(now)
    }

    /// Tells the tasks that send pictures whether there is room.
    pub fn set_room(&self, room: bool) {
        self.room.send_if_modified(|before| std::mem::replace(before, room) != room);
    }
}

impl Shared {
    /// Passes what the driver has set to the estimator.
    fn configure(&mut self, rates: &Rates) {
        self.estimator.set_max(rates.max());
        if let Some(rate) = rates.last_rate.get() {
            self.estimator.set_last_rate(*rate);
        }
    }

    fn record_departure(&mut self, id: ClusterId, now: Instant) {
        if let Some(cluster) = self.clusters.iter_mut().flatten().find(|cluster| cluster.id == id) {
            cluster.last = now;
            return;
        }
        // The oldest probe is forgotten.
        self.clusters.rotate_right(1);
        self.clusters[0] = Some(Cluster { id, first: now, last: now });
    }
}

fn part(rate: Bitrate, percent: u64) -> Bitrate {
    Bitrate::bps(rate.as_bps() / 100 * percent)
}

fn cluster_at(clusters: &[Option<Cluster>], departure: Instant) -> Option<ClusterId> {
    let found = clusters.iter().flatten().find(|cluster| (cluster.first..=cluster.last).contains(&departure));
    found.map(|cluster| cluster.id)
}

/// Locks the estimator. Ignores poisoning, because the estimator is consistent whenever the lock is free.
fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of recent probes whose departure times are kept.
const MAX_CLUSTERS: usize = 4;

/// The first estimate. It carries sound and the smallest layer. On a path of 150 kbit/s it does little harm until the
/// first feedback has come.
const START: Bitrate = Bitrate::kbps(300);

/// The lowest estimate: audio.
const MIN: Bitrate = Bitrate::kbps(40);

/// The highest estimate: camera and screen at their highest bitrates.
const MAX: Bitrate = Bitrate::kbps(20_000);

/// The highest estimate, and the highest rate of packets with all headers, in percent of a limit. The estimate leaves room for
/// these headers, for feedback, and for retransmissions; the rate leaves some for checks and handshakes.
const ESTIMATE_PERCENT: u64 = 85;
const PACE_PERCENT: u64 = 97;

/// The bytes that UDP over IPv4 adds to each packet. [`ESTIMATE_PERCENT`] has room for them.
const MIN_PACKET_OVERHEAD: usize = per_packet(Carrier::Udp, IpAddr::V4(Ipv4Addr::UNSPECIFIED));

/// So many more bytes in each packet are another percent of a large one.
const BYTES_IN_PERCENT: u64 = 11;

/// The stack's own feedback, which the pacer does not see: so many bytes with the headers of UDP and IPv4, each 50 ms.
const FEEDBACK_BYTES: u64 = 100;
const FEEDBACKS_PER_SECOND: u64 = 20;

/// The interval of the timer that looks for a probe to send.
pub const PROBE_INTERVAL: Duration = Duration::from_millis(25);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_the_estimate_by_a_twentieth_wakes_the_driver_once() {
        let (estimator, _, estimate) = estimator();
        let woken = |estimate: &Estimate| {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            std::pin::pin!(estimate.changed()).as_mut().poll(&mut context).is_ready()
        };
        assert!(!woken(&estimate));
        estimator.rates.set_estimate(Bitrate::kbps(310), Bitrate::kbps(310));
        assert!(!woken(&estimate));
        estimator.rates.set_estimate(Bitrate::kbps(250), Bitrate::kbps(310));
        assert!(woken(&estimate) && !woken(&estimate));
    }

    #[test]
    fn a_report_belongs_to_the_probe_in_whose_time_it_departed() {
        let (start, millis) = (Instant::now(), Duration::from_millis);
        let (_, send_side, estimate) = estimator();
        send_side.handle_sent(start, 1_000, None);
        assert_eq!(send_side.poll_probe(start), None, "nothing is wanted");
        estimate.set_wanted(Bitrate::kbps(2_500));
        let probe = send_side.poll_probe(start).unwrap();
        for after in [10, 15, 20] {
            send_side.handle_padding(start + millis(after), probe.id);
        }
        let shared = lock(&send_side.shared);
        let at = |after| cluster_at(&shared.clusters, start + millis(after));
        assert_eq!(
            [at(9), at(10), at(17), at(20), at(21)],
            [None, Some(probe.id), Some(probe.id), Some(probe.id), None]
        );
    }

    #[test]
    fn a_path_with_larger_headers_leaves_less_of_a_limit_for_the_estimate() {
        let (estimator, send_side, estimate) = estimator();
        estimate.set_limit(Some(Bitrate::kbps(400)));
        estimator.rates.set_estimate(estimator.rates.max(), estimator.rates.max());
        assert_eq!((estimate.bitrate(), send_side.packet_overhead()), (Bitrate::kbps(340), 44));
        estimate.set_packet_overhead(100);
        assert_eq!((estimate.bitrate(), send_side.packet_overhead()), (Bitrate::kbps(316), 100), "at once");
    }
}
