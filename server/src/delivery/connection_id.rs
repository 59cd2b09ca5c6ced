//! The number of a connection.

/// A connection, as the caller numbers it. A member that resumes has another connection than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);
