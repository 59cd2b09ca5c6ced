//! What the SFU sends to its participants.

use proto::{ServerSignal, Totals};

/// What the SFU sends to a participant.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// Media signalling.
    Signal(ServerSignal),
    /// The totals of the participant's meeting.
    Totals(Totals),
    /// The participant sent malformed signalling. The caller closes the connection.
    Malformed,
    /// The participant sent too many offers. The caller closes the connection.
    TooFast,
    /// The media of the participant's meeting have failed, and the SFU has forgotten the participant. The caller drops the
    /// connection as if the network had failed, so that the client connects again, resumes and sends an offer.
    Failed,
}
