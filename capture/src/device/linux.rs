//! V4L2: selects the device nodes that are cameras.

use nokhwa::utils::CameraInfo;
use std::fs;

/// Keeps the nodes that capture video, once each, sorted by number.
pub(super) fn filter(mut cameras: Vec<CameraInfo>) -> Vec<CameraInfo> {
    cameras.retain(captures_video);
    let number = |camera: &CameraInfo| camera.index().as_index().unwrap_or(u32::MAX);
    cameras.sort_by_key(number);
    cameras.dedup_by_key(|camera| number(camera));
    cameras
}

/// A camera has several nodes. The first captures video, the others deliver metadata.
fn captures_video(camera: &CameraInfo) -> bool {
    let Ok(index) = camera.index().as_index() else { return false };
    let node = fs::read_to_string(format!("/sys/class/video4linux/video{index}/index"));
    // Keep the node if the file cannot be read: opening the node then shows whether it is a camera.
    node.map_or(true, |node| node.trim() == "0")
}

/// The device path, which the command line accepts besides the number.
pub(super) fn path(id: &str) -> String {
    format!("/dev/video{id}")
}
