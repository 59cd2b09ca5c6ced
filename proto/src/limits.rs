//! Limits of messages and their parts. Both ends check them before they allocate.

/// The protocol's version. It is raised for incompatible changes, not for new optional fields.
pub const VERSION: u16 = 4;

/// The maximum length of a WebSocket message in bytes.
pub const MAX_MESSAGE: usize = 4 << 20;

/// The maximum length of a [`crate::Blob`] in bytes. A Welcome with the tree of a thousand members fits.
pub const MAX_BLOB: usize = 2 << 20;

/// The maximum length of a WebSocket message in bytes from a client that is no member.
pub const MAX_STRANGER_MESSAGE: usize = 16 << 10;

/// The maximum length of a WebSocket message in bytes from a member that has neither created the meeting nor sent a
/// signed command. Media signalling has its own limit, [`MAX_SIGNAL`].
pub const MAX_MEMBER_MESSAGE: usize = 256 << 10;

/// The maximum length of a request for admission and of an admission key in bytes. It fits into a
/// [`MAX_STRANGER_MESSAGE`]. It is small, because any client may send them and the server stores them.
pub const MAX_KNOCK: usize = MAX_STRANGER_MESSAGE - 256;

/// The maximum length of an encoded [`crate::ManagerCommand`] in bytes: a [`MAX_BLOB`] and the names of all members.
pub const MAX_COMMAND: usize = MAX_BLOB + MAX_MEMBERS * 9 + 64;

/// The length of the authority's public key in bytes.
pub const AUTHORITY_BYTES: usize = 32;

/// The length of a signature in bytes.
pub const SIGNATURE_BYTES: usize = 64;

/// The length of a rotation in bytes.
pub const ROTATION_BYTES: usize = 128;

/// The maximum number of rotations of one meeting.
pub const MAX_ROTATIONS: usize = 256;

/// The maximum length of a chain of authorities in bytes: the first authority with the hash of its admission key, and all
/// rotations.
pub const MAX_CHAIN: usize = 64 + MAX_ROTATIONS * ROTATION_BYTES;

/// The maximum number of application messages that one member sends in a second, on average.
pub const MAX_TELLS_PER_SECOND: u32 = 20;

/// The maximum number of bytes of application messages that one member sends in a second, on average.
pub const MAX_TELL_BYTES_PER_SECOND: u32 = 64 << 10;

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
