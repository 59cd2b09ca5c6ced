//! The parts of a session that a caller can replace.

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
}

impl Default for Backends {
    fn default() -> Self {
        Self { stack: Arc::new(TokioRuntime), sfu: Box::new(Native::default()), proxy: ProxySettings::default() }
    }
}
