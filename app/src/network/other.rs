//! Systems on which the network is not recognised yet. Windows: `GetBestRoute2`, `ResolveIpNetEntry2` and
//! `NetworkInformation.ConnectionCost`; macOS: `sysctl` of `NET_RT_FLAGS` and `nw_path_is_expensive`.

use super::gateway::Gateway;
use std::net::IpAddr;

/// Returns `None`: no rate is remembered, and no choice for this network.
pub fn gateway(_server: Option<IpAddr>) -> Option<Gateway> {
    None
}

/// Returns `None`: the user can choose to save data.
pub fn is_metered() -> Option<bool> {
    None
}
