//! The parts of a session that a caller can replace.

use crate::route::{self, Route};
use crate::sfu::Sfu;
use crate::sfu::native::Native;
use crate::signalling::proxy::ProxySettings;
use std::sync::Arc;
use webrtc::runtime::{Runtime, TokioRuntime};

/// The back-ends of a session. The default is what the application uses.
pub struct Backends {
    /// Spawns all tasks of the session and opens all its media sockets. A test can use another one to measure the tasks
    /// or to impair the network. The tasks must run on tokio.
    pub stack: Arc<dyn Runtime>,
    /// The signalling dialect of the SFU.
    pub sfu: Box<dyn Sfu>,
    /// The proxy on the way to our server. The default is none.
    pub proxy: ProxySettings,
    /// The system's routes, by which media move to another network. A test can use others.
    pub route: Route,
}

impl Default for Backends {
    fn default() -> Self {
        let (stack, sfu) = (Arc::new(TokioRuntime), Box::new(Native::default()));
        Self { stack, sfu, proxy: ProxySettings::default(), route: Arc::new(route::source) }
    }
}
