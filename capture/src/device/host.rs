//! The machine's cameras, as nokhwa reaches them: the seam at which a stand-in takes their place.

use nokhwa::utils::{ApiBackend, CameraIndex, CameraInfo, RequestedFormat};
use nokhwa::{Camera, NokhwaError};

/// What has cameras.
pub(super) trait Host {
    /// Those that are there now.
    fn cameras(&self) -> Result<Vec<CameraInfo>, NokhwaError>;

    /// Opens one of them, at any format that `request` allows.
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
