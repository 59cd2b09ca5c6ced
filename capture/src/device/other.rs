//! Media Foundation and AVFoundation: their lists hold cameras only, in an order of their own.

use nokhwa::utils::CameraInfo;

/// Leaves the list as it is.
pub(super) fn tidy(cameras: Vec<CameraInfo>) -> Vec<CameraInfo> {
    cameras
}

/// How people name a camera on the command line, besides its number: not at all.
pub(super) fn path(id: &str) -> String {
    id.to_owned()
}
