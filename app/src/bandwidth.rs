//! The bandwidth of this program's meetings: the limits of the command line, and the rates that are remembered of the network.

use std::sync::OnceLock;

use engine::{Entry, Setup, Stats};

use crate::model::bandwidth::{Bandwidth, Choices, Limits};
use crate::network::{self, Gateway, Watcher};
use crate::networks::{self, NetworksFile};
use crate::policy::Policy;
use crate::recent::{self, Memory};

/// Sets the limits of the command line. Has an effect only before a meeting, and only once.
pub fn set(limits: Limits) {
    // The command line is read once.
    let _ = COMMAND_LINE.set(limits);
}

/// Returns what decides about the bandwidth, with these choices of the user. The network is not known yet.
pub fn with_choices(choices: Choices) -> Bandwidth {
    Bandwidth {
        choices,
        command_line: COMMAND_LINE.get().copied().unwrap_or_default(),
        policy: Policy::of_computer(),
        ..Bandwidth::default()
    }
}

/// Returns what decides about the bandwidth of a meeting that the command line starts. Reads the user's file, and looks at the network,
/// which may take a second. Needs a runtime of tokio.
pub async fn of_command_line() -> Bandwidth {
    let choices = Memory::of_user().bandwidth;
    let metered = Watcher::start().await.changed().await.metered();
    Bandwidth { metered, ..with_choices(choices) }
}

/// The network on the way to a server.
pub struct Path {
    host: String,
    gateway: Gateway,
}

/// Sets in `setup` what is remembered of the network on the way to the meeting. Returns the network, to remember how the meeting went.
/// Returns `None` if the server runs on this computer, or if the network is not recognised.
pub fn prepare(entry: &Entry, setup: &mut Setup) -> Option<Path> {
    let host = match entry {
        Entry::Create { host, .. } => host,
        Entry::Join(invitation) => &invitation.host,
    };
    let gateway = network::gateway_to(host)?;
    setup.bandwidth.last = NetworksFile::of_user().load().rates(&gateway, recent::now());
    Some(Path { host: host.clone(), gateway })
}

/// Remembers the rates of a meeting that has ended, if its network is still the one in which it began.
pub fn remember(path: Option<Path>, stats: &Stats) {
    let Some(Path { host, gateway }) = path else { return };
    let rates = networks::rates_of(&stats.timeline());
    let measured = rates.send.is_some() || rates.receive.is_some();
    if measured && network::gateway_to(&host).as_ref() == Some(&gateway) {
        NetworksFile::of_user().change(|networks| networks.set_rates(&gateway, rates, recent::now()));
    }
}

static COMMAND_LINE: OnceLock<Limits> = OnceLock::new();
