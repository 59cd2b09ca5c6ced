//! How long the parts of a meeting wait.

use std::time::Duration;

/// The user is told if a knock is not answered within this time.
pub const KNOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// The server must accept or reject a commit within this time. The largest commit needs this long on a slow uplink.
pub const COMMIT_TIMEOUT: Duration = Duration::from_secs(30);

/// A departed member's leaf is removed by the organiser; every member waits this much longer than the one before it in
/// rank.
pub const REMOVAL_INTERVAL: Duration = Duration::from_secs(4);
