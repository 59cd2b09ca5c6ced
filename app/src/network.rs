//! The network that this computer is in: how it is recognised, and whether the system calls it metered. Nothing of it leaves this
//! computer.

mod gateway;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use other as system;

use std::net::IpAddr;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

pub use gateway::{Gateway, Interface};

/// What is known of the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// By which it is recognised. `None` if there is none, or if this system cannot tell.
    pub gateway: Option<Gateway>,
    /// Whether the system says that its data are counted. `None` if it does not say.
    pub metered: Option<bool>,
}

/// Returns the network that this computer is in. May block for half a second.
#[must_use]
pub fn current() -> Network {
    Network { gateway: system::gateway(None), metered: within(MAX_WAIT, system::is_metered) }
}

/// Returns the gateway on the way to `host`, or the usual one if `host` is a name. Asks no service of the system.
#[must_use]
pub fn gateway_to(host: &str) -> Option<Gateway> {
    let address: Option<IpAddr> = host.parse().ok();
    // A server on this computer is in no network.
    if address.is_some_and(|address| address.is_loopback()) { None } else { system::gateway(address) }
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
