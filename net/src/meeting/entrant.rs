//! Who enters the meeting. Kept until the end, because a client that was cut off enters again.

use crypto::{Complaint, Identity, Invitation, Profile};

/// This device and its user.
pub(super) struct Entrant {
    pub identity: Identity,
    pub profile: Profile,
    /// The link by which this client joined. `None` for an organiser.
    pub link: Option<Invitation>,
    /// The commit that it could not read, while it joins again for that reason.
    pub complaint: Option<Complaint>,
}
