//! What is known of a network, and by what it is recognised.

/// What is known of the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Identifies the network. `None` if there is no network, or if this system cannot tell.
    pub gateway: Option<Gateway>,
    /// Whether the system says that it is metered. `None` if it does not say.
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
