//! Watches the network, and what is remembered of it. The future runs in the caller's runtime. Files are read on threads that may block.

use super::gateway::{Gateway, Network};
#[cfg(target_os = "linux")]
use super::linux as system;
#[cfg(not(target_os = "linux"))]
use super::other as system;
use crate::networks::{self, NetworksFile};
use crate::recent;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

/// The network that this computer is in, and what is remembered of networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkStatus {
    /// The network.
    pub network: Network,
    /// Whether the user has called it metered. `None` if the user has not said.
    pub chosen: Option<bool>,
    /// True if any network is remembered.
    pub knows_networks: bool,
}

impl NetworkStatus {
    /// Returns whether the network is metered: the user's choice for it, else what the system says. `None` if this system cannot tell
    /// one network from another.
    pub fn metered(&self) -> Option<bool> {
        let Network { gateway, metered } = &self.network;
        gateway.as_ref().and(self.chosen.or(*metered).or(Some(false)))
    }
}

/// Reports the network and its changes. Has one connection to the system bus, if there is one.
pub struct Watcher {
    monitor: system::Monitor,
    store: NetworksFile,
    /// Notifies of changes of the file.
    stored: watch::Receiver<()>,
    schedule: Schedule,
    last: Option<NetworkStatus>,
}

impl Watcher {
    /// Starts to watch. Waits for half a second at most. Needs a runtime of tokio.
    pub async fn start() -> Self {
        let (store, stored) = (NetworksFile::of_user(), networks::changes());
        let (monitor, schedule) = (system::Monitor::open().await, Schedule { next: Some(Instant::now()) });
        Self { monitor, store, stored, schedule, last: None }
    }

    /// Returns the network at the first call. Each further call waits until the network differs from the last result. Changes between
    /// two calls are merged.
    pub async fn changed(&mut self) -> NetworkStatus {
        loop {
            let next = self.schedule.next;
            let told = tokio::select! {
                () = self.monitor.changed() => true,
                Ok(()) = self.stored.changed() => false,
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => false,
            };
            let found = self.look().await;
            let is_new = self.last.as_ref() != Some(&found);
            self.schedule.looked(told || is_new, self.monitor.needs_polls());
            if is_new {
                self.last = Some(found.clone());
                return found;
            }
        }
    }

    async fn look(&mut self) -> NetworkStatus {
        let metered = self.monitor.is_metered().await;
        let store = self.store.clone();
        let read = move || {
            let (gateway, networks) = (system::gateway(None), store.load());
            let chosen = |gateway: &Gateway| networks.metered(gateway, recent::now());
            let chosen = gateway.as_ref().and_then(chosen);
            NetworkStatus { network: Network { gateway, metered }, chosen, knows_networks: !networks.is_empty() }
        };
        spawn_blocking(read).await.unwrap_or_default()
    }
}

/// Decides when to look at the network although no service reports a change.
struct Schedule {
    /// The time of the next look. `None` if none is needed.
    next: Option<Instant>,
}

impl Schedule {
    /// Records a look. After a change, the network is looked at once more: the kernel learns the hardware address of a new router
    /// later. `polls` is true if no service reports changes.
    fn looked(&mut self, changed: bool, polls: bool) {
        self.next = (changed || polls).then(|| Instant::now() + INTERVAL);
    }
}

/// The time between two looks at the network.
const INTERVAL: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_whose_changes_are_told_is_not_polled() {
        let mut schedule = Schedule { next: Some(Instant::now()) };
        schedule.looked(true, false);
        assert!(schedule.next.is_some(), "once more after a change");
        schedule.looked(false, false);
        assert_eq!(schedule.next, None);
        schedule.looked(false, true);
        assert!(schedule.next.is_some(), "the service has stopped");
    }

    #[test]
    fn the_choice_of_the_user_counts_before_the_system() {
        let gateway = Gateway { address: "aa".into(), kind: crate::network::Interface::Wireless };
        let found = |chosen, metered| {
            let network = Network { gateway: Some(gateway.clone()), metered };
            NetworkStatus { network, chosen, knows_networks: false }.metered()
        };
        assert_eq!(found(Some(false), Some(true)), Some(false));
        assert_eq!(found(None, Some(true)), Some(true));
        assert_eq!(found(None, None), Some(false));
        assert_eq!(NetworkStatus::default().metered(), None, "there is no network");
    }
}
