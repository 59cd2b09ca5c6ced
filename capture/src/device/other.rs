//! Media Foundation and AVFoundation: the lists contain only cameras.

use nokhwa::utils::CameraInfo;

/// Returns the list unchanged.
pub(super) fn filter(cameras: Vec<CameraInfo>) -> Vec<CameraInfo> {
    cameras
}

/// Returns the id: there are no device paths.
pub(super) fn path(id: &str) -> String {
    id.to_owned()
}
