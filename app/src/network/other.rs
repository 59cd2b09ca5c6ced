//! Systems on which the network is not recognised yet. Windows: `GetBestRoute2`, `ResolveIpNetEntry2` and
//! `NetworkInformation.ConnectionCost`; macOS: `sysctl` of `NET_RT_FLAGS` and `nw_path_is_expensive`.

use super::gateway::Gateway;
use std::net::IpAddr;

/// Returns `None`: no rate is remembered, and no choice for this network.
pub fn gateway(_server: Option<IpAddr>) -> Option<Gateway> {
    None
}

/// Reports nothing.
pub struct Monitor;

#[expect(clippy::unused_async, reason = "other systems wait here")]
impl Monitor {
    /// Returns a monitor without a connection.
    pub async fn open() -> Self {
        Self
    }

    /// Always returns `None`: this system does not tell whether a network is metered. The user can choose to save data.
    pub async fn is_metered(&mut self) -> Option<bool> {
        None
    }

    /// Waits forever.
    pub async fn changed(&mut self) {
        std::future::pending::<()>().await;
    }

    /// Returns false: polls would find nothing.
    pub fn needs_polls(&self) -> bool {
        false
    }
}
