//! Limits of messages and their parts. Both ends check them before they allocate.

/// The protocol's version. It is raised for incompatible changes, not for new optional fields.
pub const VERSION: u16 = 6;

/// The maximum length of a WebSocket message in bytes.
pub const MAX_MESSAGE: usize = 4 << 20;

/// The maximum length of a [`crate::Blob`] in bytes. A commit in a group of a thousand members whose tree is blank fits.
pub const MAX_BLOB: usize = 2 << 20;

/// The maximum length of a WebSocket message in bytes from a client that is no member.
pub const MAX_STRANGER_MESSAGE: usize = 16 << 10;

/// The maximum length of a WebSocket message in bytes from a member that has neither created the meeting nor sent a
/// signed command. Media signalling has its own limit, [`MAX_SIGNAL`].
pub const MAX_MEMBER_MESSAGE: usize = 256 << 10;

/// The maximum length of a request for admission and of an admission key in bytes. It fits into a
/// [`MAX_STRANGER_MESSAGE`]. It is small, because any client may send them and the server stores them.
pub const MAX_KNOCK: usize = MAX_STRANGER_MESSAGE - 256;

/// The maximum length of a message between a waiting client and the managers in bytes.
pub const MAX_LOBBY: usize = 4 << 10;

/// The maximum length of an encoded [`crate::ManagerCommand`] in bytes: a [`MAX_BLOB`] and the names of all members.
pub const MAX_COMMAND: usize = MAX_BLOB + MAX_MEMBERS * 9 + MAX_KNOCK + ROTATION_BYTES + 64;

/// The maximum length of a message between members that is not in the log in bytes.
pub const MAX_RELAY: usize = 1 << 10;

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

/// How many beacons of one member the server passes on in a second, after a burst of ten.
pub const MAX_BEACONS_PER_SECOND: u32 = 1;

/// The maximum number of bytes of application messages that one member sends in a second, on average.
pub const MAX_TELL_BYTES_PER_SECOND: u32 = 64 << 10;

/// The maximum length of a signalling message in bytes. An offer with the longest session description and all
/// subscriptions fits.
pub const MAX_SIGNAL: usize = MAX_SDP + MAX_TRACKS * MAX_SUBSCRIPTION_BYTES + MAX_OTHER_BYTES;

/// The maximum length of a session description in bytes: that of an offer or answer with [`MAX_DESCRIPTIONS`].
pub const MAX_SDP: usize = MAX_SESSION_BYTES + MAX_DESCRIPTIONS * MAX_DESCRIPTION_BYTES;

/// The maximum number of media descriptions in an offer. The server's work grows with their square.
pub const MAX_DESCRIPTIONS: usize = 1_024;

/// The maximum length in bytes of a media description that a client or server of this project writes. Tests measure both.
pub const MAX_DESCRIPTION_BYTES: usize = 1_536;

/// The maximum length in bytes of the session part, with the names of all media descriptions, and of the ICE candidates.
const MAX_SESSION_BYTES: usize = 32 << 10;

/// The maximum length of an encoded [`crate::Subscription`] in bytes: a `mid` of 16 characters, an owner, a slot, and
/// their headers.
const MAX_SUBSCRIPTION_BYTES: usize = 32;

/// The maximum length in bytes of the rest of an offer: one track in each of 8 slots, each with 8 layers.
const MAX_OTHER_BYTES: usize = 4 << 10;

/// The maximum number of members of one meeting, including those that left and whose leaf no commit has removed yet.
pub const MAX_MEMBERS: usize = 1_024;

/// The maximum number of members that one commit adds. The cost of a commit grows faster than their number.
pub const MAX_WELCOMES: usize = 100;

/// The maximum length of a sealed ratchet tree in bytes. One of [`MAX_MEMBERS`] members has less than 3.5 MB.
pub const MAX_TREE: usize = 4 << 20;

/// The maximum length of a part of a sealed tree in bytes. Other messages can be sent between the parts, and a connection of 100 kbit/s
/// transfers a part in a few seconds.
pub const MAX_TREE_PART: usize = 64 << 10;

/// The maximum number of tiles in one list of wishes.
pub const MAX_TILES: usize = 1_024;

/// The maximum number of media descriptions on which a client receives whoever speaks. More voices at once are not understood.
pub const MAX_SHARED_VOICES: usize = 8;

/// The maximum number of tracks that one client receives.
pub const MAX_TRACKS: usize = 3_072;

const _: () = assert!(MAX_SIGNAL + 64 <= MAX_MESSAGE, "a message with a signal fits");
