//! Access to cameras through nokhwa. Tests replace it with a fake driver.

use nokhwa::utils::{ApiBackend, CameraIndex, CameraInfo, RequestedFormat};
use nokhwa::{Camera, NokhwaError};

/// A host with cameras.
pub(super) trait Host {
    /// Lists the connected cameras.
    fn cameras(&self) -> Result<Vec<CameraInfo>, NokhwaError>;

    /// Opens a camera with any format that `request` allows.
    fn open(&self, index: CameraIndex, request: RequestedFormat<'_>) -> Result<Camera, NokhwaError>;
}

/// This machine.
pub(super) struct Native;

impl Host for Native {
    fn cameras(&self) -> Result<Vec<CameraInfo>, NokhwaError> {
        nokhwa::query(ApiBackend::Auto)
    }

    fn open(&self, index: CameraIndex, request: RequestedFormat<'_>) -> Result<Camera, NokhwaError> {
        Camera::new(index, request)
    }
}
