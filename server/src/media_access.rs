//! The paths other than UDP over which members may reach the media threads.

use crate::tunnel::TunnelKey;
use crate::turn::TurnService;
use std::sync::Arc;

/// What members get in answers to offers.
#[derive(Clone, Debug, Default)]
pub struct MediaAccess {
    /// Makes the tokens of media tunnels. `None` if there are no tunnels.
    pub tunnels: Option<Arc<TunnelKey>>,
    /// Makes the credentials for TURN servers. `None` if there are none.
    pub turn: Option<TurnService>,
}
