//! Why a packet was not queued, why a transport cannot be used, and how a panic of the stack becomes such an error.

use super::offer::OfferError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use str0m::RtcError;

/// Why a packet was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotQueued {
    /// The transport is not connected, or has no such stream.
    NoStream,
    /// Too many packets wait. Those of the stream were dropped, too.
    Full {
        /// The first sequence number that is free then.
        next: u64,
    },
}

/// Why a transport cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The stack returned an error.
    #[error("{0}")]
    Refused(String),
    /// The session description exceeds a bound.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// Offers have named more than 256 sources.
    #[error("too many sources")]
    TooManySources,
    /// The other end closed the connection, or ICE timed out.
    #[error("closed")]
    Closed,
    /// The client has another transport.
    #[error("replaced by another transport of the client")]
    Replaced,
    /// The stack panicked.
    #[error("the transport stack panicked")]
    Panicked,
}

impl From<RtcError> for TransportError {
    fn from(error: RtcError) -> Self {
        Self::Refused(error.to_string())
    }
}

/// Runs a function of the stack. A peer may be able to provoke a panic in it, so a panic must end this transport only
/// and not the server.
///
/// # Errors
/// Returns the error of `run`, or [`TransportError::Panicked`].
pub fn catch<T>(run: impl FnOnce() -> Result<T, TransportError>) -> Result<T, TransportError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(Err(TransportError::Panicked))
}
