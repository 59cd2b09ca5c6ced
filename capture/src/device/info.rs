//! Ids and names of cameras.

use nokhwa::utils::CameraInfo;

/// A camera in the list of devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// The identifier passed to [`crate::device::open`].
    pub id: String,
    /// The name shown to users.
    pub name: String,
}

pub(super) fn describe(camera: &CameraInfo) -> Info {
    Info { id: camera.index().as_string(), name: camera.human_name().trim().to_owned() }
}
