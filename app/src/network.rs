//! The network that this computer is in: how it is recognised, and whether the system calls it metered. Nothing of it leaves this
//! computer.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;
mod watch;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use other as system;

use std::net::IpAddr;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

pub use watch::subscription;

/// What is known of the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// By which it is recognised. `None` if there is none, or if this system cannot tell.
    pub gateway: Option<Gateway>,
    /// Whether the system says that its data are counted. `None` if it does not say.
    pub metered: Option<bool>,
}

/// The next computer on the way to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Its hardware address, or if that is not known, its IP address and the name of the interface.
    pub address: String,
    /// The kind of the interface.
    pub kind: Interface,
}

/// The kind of a network interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// A cable, or something that looks like one.
    Wired,
    /// Wi-Fi.
    Wireless,
    /// A tunnel, such as a VPN.
    Tunnel,
}

impl Interface {
    /// Returns its name, as a part of the key of a network.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wired => "wired",
            Self::Wireless => "wireless",
            Self::Tunnel => "tunnel",
        }
    }
}

/// Returns the network on the way to `host`, or the usual one if `host` is `None` or a name. May block for half a second.
#[must_use]
pub fn current(host: Option<&str>) -> Network {
    let address: Option<IpAddr> = host.and_then(|host| host.parse().ok());
    // A server on this computer is in no network.
    let gateway = if address.is_some_and(|address| address.is_loopback()) { None } else { system::gateway(address) };
    Network { gateway, metered: within(MAX_WAIT, system::is_metered) }
}

/// Returns what `work` returns, or `None` if that takes longer than `limit`: then its thread goes on.
fn within<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> Option<T> + Send + 'static) -> Option<T> {
    let (sender, receiver) = sync_channel(1);
    let work = move || drop(sender.send(work()));
    thread::Builder::new().name("network".into()).spawn(work).ok()?;
    receiver.recv_timeout(limit).ok().flatten()
}

/// How long a service of the system may take to answer.
const MAX_WAIT: Duration = Duration::from_millis(500);
