//! Limits of messages and their parts. Both ends check them before they allocate.

/// The protocol's version. It is raised for incompatible changes, not for new optional fields.
pub const VERSION: u16 = 2;

/// Bytes of one WebSocket message.
pub const MAX_MESSAGE: usize = 4 << 20;

/// Bytes of one [`crate::Blob`]: a Welcome with the tree of a thousand members fits.
pub const MAX_BLOB: usize = 2 << 20;

/// Bytes of a request for admission, and of an admission key. Any client may send them, and many may wait.
pub const MAX_KNOCK: usize = 64 << 10;

/// Bytes of one signalling message: the longest session description fits, with all its tracks.
pub const MAX_SIGNAL: usize = 1 << 20;

/// Bytes of a session description.
pub const MAX_SDP: usize = 512 << 10;

/// Members of one meeting, including those whose leaf no commit has removed yet.
pub const MAX_MEMBERS: usize = 1_024;

/// Members that one commit adds. The cost of adding grows faster than their number.
pub const MAX_WELCOMES: usize = 100;

/// Tiles in one list of wishes.
pub const MAX_TILES: usize = 1_024;

/// Tracks that one participant sends or one subscription list names.
pub const MAX_TRACKS: usize = 3_072;
