//! The bandwidth estimator in the stack, and the estimate, which other threads can read.

use congestion::{ClusterId, Config, PacketFeedback, Probe};
use media::Bitrate;
use rtc::interceptor::{BandwidthEstimator, PacketReport};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The estimated capacity of the path, and whether there is room for pictures. Clones share it.
#[derive(Clone, Debug)]
pub struct Estimate {
    bits: Arc<AtomicU64>,
    room: watch::Receiver<bool>,
}

impl Estimate {
    /// Returns the estimate.
    pub fn bitrate(&self) -> Bitrate {
        Bitrate::bps(self.bits.load(Ordering::Relaxed))
    }

    /// Waits until the pacer has room for a picture. Returns at once if the connection is closed. Cancel-safe.
    pub async fn wait_for_room(&mut self) {
        // The sender is dropped together with the connection, which then takes no packet anyway.
        let _ = self.room.wait_for(|room| *room).await;
    }
}

/// The end of the estimator that the stack calls with feedback.
pub struct Estimator {
    shared: Arc<Mutex<Shared>>,
    bits: Arc<AtomicU64>,
}

/// The end of the estimator that the pacer uses.
pub struct SendSide {
    shared: Arc<Mutex<Shared>>,
    bits: Arc<AtomicU64>,
    room: watch::Sender<bool>,
}

/// Both ends are used by the stack's task only, so the lock is always free.
struct Shared {
    estimator: congestion::Estimator,
    clusters: [Option<Cluster>; MAX_CLUSTERS],
}

/// When the packets of a probe were sent. The stack's reports name a packet by the time of its departure.
#[derive(Clone, Copy)]
struct Cluster {
    id: ClusterId,
    first: Instant,
    last: Instant,
}

/// Returns the ends of a new estimator.
pub fn estimator() -> (Estimator, SendSide, Estimate) {
    let bits = Arc::new(AtomicU64::new(START.as_bps()));
    let (room, has_room) = watch::channel(true);
    let estimator = congestion::Estimator::new(Config { start: START, min: MIN, max: MAX });
    let shared = Arc::new(Mutex::new(Shared { estimator, clusters: [None; MAX_CLUSTERS] }));
    (
        Estimator { shared: Arc::clone(&shared), bits: Arc::clone(&bits) },
        SendSide { shared, bits: Arc::clone(&bits), room },
        Estimate { bits, room: has_room },
    )
}

impl BandwidthEstimator for Estimator {
    fn on_reports(&mut self, now: Instant, reports: &[PacketReport]) {
        let mut shared = lock(&self.shared);
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
        self.bits.store(estimator.estimate().as_bps(), Ordering::Relaxed);
    }

    #[expect(clippy::cast_precision_loss, reason = "bitrates are far below 2^52")]
    fn target_bitrate(&self) -> f64 {
        self.bits.load(Ordering::Relaxed) as f64
    }

    fn handle_timeout(&mut self, now: Instant) {
        let mut shared = lock(&self.shared);
        shared.estimator.handle_timeout(now);
        self.bits.store(shared.estimator.estimate().as_bps(), Ordering::Relaxed);
    }
}

impl SendSide {
    /// Returns the estimate.
    pub fn bitrate(&self) -> Bitrate {
        Bitrate::bps(self.bits.load(Ordering::Relaxed))
    }

    /// Counts a packet of media that is sent now, in `cluster` if a probe runs.
    pub fn handle_sent(&self, now: Instant, size: usize, cluster: Option<ClusterId>) {
        let mut shared = lock(&self.shared);
        shared.estimator.handle_sent(now, size);
        if let Some(cluster) = cluster {
            shared.extend(cluster, now);
        }
    }

    /// Counts a packet of a probe that carries nothing new.
    pub fn handle_padding(&self, now: Instant, cluster: ClusterId) {
        lock(&self.shared).extend(cluster, now);
    }

    /// Returns the probe to send now. `wanted` is what the published tracks could use.
    pub fn poll_probe(&self, now: Instant, wanted: Bitrate) -> Option<Probe> {
        let mut shared = lock(&self.shared);
        shared.estimator.set_wanted(wanted);
        shared.estimator.poll_probe(now)
    }

    /// Tells the tasks that send pictures whether there is room.
    pub fn set_room(&self, room: bool) {
        self.room.send_if_modified(|before| std::mem::replace(before, room) != room);
    }
}

impl Shared {
    fn extend(&mut self, id: ClusterId, now: Instant) {
        if let Some(cluster) = self.clusters.iter_mut().flatten().find(|cluster| cluster.id == id) {
            cluster.last = now;
            return;
        }
        self.clusters.rotate_right(1);
        self.clusters[0] = Some(Cluster { id, first: now, last: now });
    }
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

/// The first estimate. It carries two small layers. On a path of 300 kbit/s it does little harm until the first probe
/// has found the capacity.
const START: Bitrate = Bitrate::kbps(400);

/// The lowest estimate: audio.
const MIN: Bitrate = Bitrate::kbps(40);

/// The highest estimate: camera and screen at their highest bitrates.
const MAX: Bitrate = Bitrate::kbps(20_000);

/// The interval of the timer that looks for a probe to send.
pub const PROBE_INTERVAL: Duration = Duration::from_millis(25);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_belongs_to_the_probe_in_whose_time_it_departed() {
        let (start, millis) = (Instant::now(), Duration::from_millis);
        let (_, send_side, _) = estimator();
        send_side.handle_sent(start, 1_000, None);
        let probe = send_side.poll_probe(start, Bitrate::kbps(2_500)).unwrap();
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
}
