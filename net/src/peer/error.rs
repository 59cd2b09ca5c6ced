//! The error of a peer connection.

use rtc::shared::error::Error as StackError;

/// The WebRTC stack returned an error.
#[derive(Debug, thiserror::Error)]
#[error("the media transport failed: {0}")]
pub struct Error(#[from] StackError);
