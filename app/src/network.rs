//! The network that this computer is in: how it is recognised, and whether the system calls it metered. Nothing of it leaves this
//! computer.

mod gateway;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;
mod watcher;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use other as system;

use std::net::IpAddr;

pub use gateway::{Gateway, Interface, Network};
pub use watcher::{NetworkStatus, Watcher};

/// Returns the gateway on the way to `host`, or the usual one if `host` is a name. Asks no service of the system.
#[must_use]
pub fn gateway_to(host: &str) -> Option<Gateway> {
    let address: Option<IpAddr> = host.parse().ok();
    // A server on this computer is in no network.
    if address.is_some_and(|address| address.is_loopback()) { None } else { system::gateway(address) }
}
