//! Limits of messages and their parts. Both ends check them before they allocate.

/// The protocol's version. It is raised for incompatible changes, not for new optional fields.
pub const VERSION: u16 = 2;

/// The maximum length of a WebSocket message in bytes.
pub const MAX_MESSAGE: usize = 4 << 20;

/// The maximum length of a [`crate::Blob`] in bytes. A Welcome with the tree of a thousand members fits.
pub const MAX_BLOB: usize = 2 << 20;

/// The maximum length of a request for admission and of an admission key in bytes. It is small, because any client may
/// send them and the server stores them.
pub const MAX_KNOCK: usize = 64 << 10;

/// The maximum length of a signalling message in bytes. The longest session description fits with all its tracks.
pub const MAX_SIGNAL: usize = 1 << 20;

/// The maximum length of a session description in bytes.
pub const MAX_SDP: usize = 512 << 10;

/// The maximum number of members of one meeting, including those that left and whose leaf no commit has removed yet.
pub const MAX_MEMBERS: usize = 1_024;

/// The maximum number of members that one commit adds. The cost of a commit grows faster than their number.
pub const MAX_WELCOMES: usize = 100;

/// The maximum number of tiles in one list of wishes.
pub const MAX_TILES: usize = 1_024;

/// The maximum number of tracks that one client receives.
pub const MAX_TRACKS: usize = 3_072;
