//! How the window starts a meeting on a server in this process, and how it joins one by a link.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use engine::{Engine, Entry, Identity, Invitation, Keychain, Setup, VideoOutput};

use crate::embedded::Embedded;
use crate::screen::preview;
use crate::session::{Key, Started, Starter};

/// The meeting that the user starts or joins.
#[derive(Clone)]
pub enum Purpose {
    /// A new meeting on this computer.
    Start,
    /// The meeting that a link names.
    Join(Box<Invitation>),
}

impl Purpose {
    /// Converts to the part that the preview shows.
    pub fn of_preview(&self) -> preview::Purpose {
        match self {
            Self::Start => preview::Purpose::Start,
            Self::Join(invitation) => preview::Purpose::Join { host: invitation.host.clone() },
        }
    }
}

impl Starter for Purpose {
    fn start(&self, setup: Setup, output: Arc<dyn VideoOutput>) -> Result<Started, String> {
        let (entry, server) = match self {
            Self::Join(invitation) => (Entry::Join((**invitation).clone()), None),
            Self::Start => {
                let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
                let server = Embedded::start(any).map_err(|error| error.to_string())?;
                (server.entry().ok_or("the server has stopped")?, Some(server))
            }
        };
        let (identity, key) = identity()?;
        let (engine, events) = Engine::start(entry, setup, identity, output).map_err(|error| error.to_string())?;
        Ok(Started { engine, events, server, key, after_close: None })
    }

    fn is_remembered(&self) -> bool {
        true
    }
}

/// Returns this device's key from the system's keychain, or a temporary key if the keychain fails.
fn identity() -> Result<(Identity, Key), String> {
    match Identity::load_or_create(&Keychain::new("conclave")) {
        Ok(identity) => Ok((identity, Key::Stored)),
        Err(error) => {
            tracing::warn!(%error, "the keychain failed: the other participants see a new device in each run");
            let identity = Identity::generate().map_err(|error| error.to_string())?;
            Ok((identity, Key::NotStored(error.to_string())))
        }
    }
}
