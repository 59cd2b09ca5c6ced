//! The error of a peer connection.

use rtc::shared::error::Error as StackError;

/// The stack refused.
#[derive(Debug, thiserror::Error)]
#[error("the media transport failed: {0}")]
pub struct Error(#[from] StackError);
