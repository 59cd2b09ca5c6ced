//! How the window starts a meeting on a server in this process, and how it joins one by a link.

use std::sync::Arc;

use engine::{Engine, Entry, Identity, Invitation, Keychain, SecretLink, Setup, Stats, VideoOutput};

use crate::bandwidth;
use crate::embedded::Embedded;
use crate::organisations;
use crate::proxy;
use crate::recent::Listing;
use crate::screen::preview;
use crate::session::{Key, RejoinContext, Started, Starter};

/// The meeting that the user starts or joins.
#[derive(Clone)]
pub enum Purpose {
    /// A new meeting on this computer.
    Start,
    /// An existing meeting.
    Join {
        /// Its invitation.
        invitation: Box<Invitation>,
        /// The link that names it.
        link: SecretLink,
    },
}

impl Purpose {
    /// Converts to the part that the preview shows.
    pub fn of_preview(&self) -> preview::Purpose {
        match self {
            Self::Start => preview::Purpose::Start,
            Self::Join { invitation, .. } => preview::Purpose::Join { host: invitation.host.clone() },
        }
    }
}

impl Starter for Purpose {
    fn start(
        &self,
        rejoin: Option<RejoinContext>,
        setup: Setup,
        output: Arc<dyn VideoOutput>,
    ) -> Result<Started, String> {
        let mut setup = setup;
        if let Self::Join { invitation, .. } = self {
            setup.proxy = proxy::for_host(&invitation.host);
        }
        if let Some(RejoinContext { rejoin_state, server, key }) = rejoin {
            let (engine, events) = Engine::rejoin(rejoin_state, setup, output).map_err(|error| error.to_string())?;
            let hosts = Embedded::hosts_of(server.as_ref());
            return Ok(Started { engine, events, server, hosts, key, after_close: None });
        }
        let (entry, server) = match self {
            Self::Join { invitation, .. } => (Entry::Join((**invitation).clone()), None),
            Self::Start => {
                let server = Embedded::start_everywhere().map_err(|error| error.to_string())?;
                (server.entry().ok_or("the server has stopped")?, Some(Arc::new(server)))
            }
        };
        let path = if server.is_none() { bandwidth::prepare(&entry, &mut setup) } else { None };
        let (identity, key) = identity()?;
        let (engine, events) = Engine::start(entry, setup, identity, output).map_err(|error| error.to_string())?;
        let hosts = Embedded::hosts_of(server.as_ref());
        let after_close = Some(Box::new(move |stats: &Stats, _| bandwidth::remember(path, stats)) as _);
        Ok(Started { engine, events, server, hosts, key, after_close })
    }

    fn creates(&self) -> bool {
        matches!(self, Self::Start)
    }

    fn listing(&self) -> Listing {
        if self.creates() { Listing::WhileHosted } else { Listing::Listed }
    }

    fn link(&self) -> Option<SecretLink> {
        match self {
            Self::Start => None,
            Self::Join { link, .. } => Some(link.clone()),
        }
    }
}

/// Returns this device's key from the system's keychain, or a temporary key if the keychain fails.
fn identity() -> Result<(Identity, Key), String> {
    match Identity::load_or_create(&Keychain::new("conclave")) {
        Ok(identity) => {
            let certificate = organisations::own_certificate();
            Ok((organisations::certified(identity, certificate.as_deref()), Key::Stored))
        }
        Err(error) => {
            tracing::warn!(%error, "the keychain failed: the other participants see a new device in each run");
            let identity = Identity::generate().map_err(|error| error.to_string())?;
            Ok((identity, Key::NotStored(error.to_string())))
        }
    }
}
