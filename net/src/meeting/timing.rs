//! The timeouts of a meeting.

use std::time::Duration;

/// How long a knock may stay unanswered before the user is notified.
pub const KNOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the server may take to accept a commit, or to answer that it came too late. The largest commit needs this
/// long on a slow uplink.
pub const COMMIT_TIMEOUT: Duration = Duration::from_secs(30);

/// How much longer each member waits to remove a departed member than the one before it in rank. The organiser, who is
/// first, does not wait.
pub const REMOVAL_INTERVAL: Duration = Duration::from_secs(4);
