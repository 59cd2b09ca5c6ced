//! V4L2: which nodes are cameras.

use nokhwa::utils::CameraInfo;
use std::fs;

/// Leaves the nodes that give pictures, by number: the folder of devices has no order, and aliases are listed as well.
pub(super) fn tidy(mut cameras: Vec<CameraInfo>) -> Vec<CameraInfo> {
    cameras.retain(takes_pictures);
    let number = |camera: &CameraInfo| camera.index().as_index().unwrap_or(u32::MAX);
    cameras.sort_by_key(number);
    cameras.dedup_by_key(|camera| number(camera));
    cameras
}

/// A camera has several nodes; only its first gives pictures, the others tell about them.
fn takes_pictures(camera: &CameraInfo) -> bool {
    let Ok(index) = camera.index().as_index() else { return false };
    let node = fs::read_to_string(format!("/sys/class/video4linux/video{index}/index"));
    // Where the system does not say, the camera may speak for itself.
    node.map_or(true, |node| node.trim() == "0")
}

/// How people name a camera on the command line, besides its number.
pub(super) fn path(id: &str) -> String {
    format!("/dev/video{id}")
}
