//! Decides when TURN servers are used, and over which transports: first UDP, later TCP and TLS. Pure.

use proto::TurnTransport;
use std::time::Duration;

/// Which servers a transport uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// None.
    None,
    /// Those that are reached by UDP.
    Udp,
    /// All of them.
    All,
}

impl Stage {
    /// Returns the stage of a transport that has not been connected for `waited`. Servers over TCP and TLS are used only if there
    /// is no media tunnel, which is shorter.
    #[must_use]
    pub fn after(waited: Duration, has_tunnel: bool) -> Self {
        if waited >= STREAM_DELAY && !has_tunnel {
            Self::All
        } else if waited >= UDP_DELAY {
            Self::Udp
        } else {
            Self::None
        }
    }

    /// Returns whether this stage uses a server.
    #[must_use]
    pub fn uses(self, transport: TurnTransport) -> bool {
        match transport {
            TurnTransport::Udp => self >= Self::Udp,
            TurnTransport::Tcp | TurnTransport::Tls => self >= Self::All,
        }
    }
}

/// How long UDP to the server may have no answer before TURN servers are used. Most paths answer in less; for others, an allocation
/// that is not used costs a few messages.
const UDP_DELAY: Duration = Duration::from_millis(250);

/// The same for servers over TCP and TLS. TURN by UDP has answered by then, or does not work.
const STREAM_DELAY: Duration = Duration::from_millis(700);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_are_used_one_transport_after_the_other_and_streams_only_without_a_tunnel() {
        let at = |millis, has_tunnel| Stage::after(Duration::from_millis(millis), has_tunnel);
        assert_eq!([at(249, false), at(250, false), at(700, false)], [Stage::None, Stage::Udp, Stage::All]);
        assert_eq!([at(250, true), at(60_000, true)], [Stage::Udp; 2]);
        let used = |stage: Stage| [TurnTransport::Udp, TurnTransport::Tcp, TurnTransport::Tls].map(|it| stage.uses(it));
        assert_eq!(
            [used(Stage::None), used(Stage::Udp), used(Stage::All)],
            [[false; 3], [true, false, false], [true; 3]]
        );
    }
}
