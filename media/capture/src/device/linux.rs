//! V4L2: which nodes are cameras, and what its error numbers mean.

use super::Cause;
use nokhwa::utils::CameraInfo;
use std::fs;

/// A camera has several nodes; only its first gives pictures, the others tell about them.
pub(super) fn takes_pictures(camera: &CameraInfo) -> bool {
    let Ok(index) = camera.index().as_index() else { return false };
    let node = fs::read_to_string(format!("/sys/class/video4linux/video{index}/index"));
    // Where the system does not say, the camera may speak for itself.
    node.map_or(true, |node| node.trim() == "0")
}

/// How people name a camera on the command line, besides its number.
pub(super) fn path(id: &str) -> String {
    format!("/dev/video{id}")
}

/// What a message that ends in an error number comes down to.
pub(super) fn cause(text: &str) -> Option<Cause> {
    let (_, rest) = text.rsplit_once("(os error ")?;
    let (number, _) = rest.split_once(')')?;
    match number.parse().ok()? {
        // ENOENT, ENXIO, ENODEV
        2 | 6 | 19 => Some(Cause::Gone),
        // EBUSY
        16 => Some(Cause::Taken),
        // EPERM, EACCES
        1 | 13 => Some(Cause::Denied),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Error;

    #[test]
    fn error_numbers_mean_what_they_mean() {
        let message = |number| format!("Could not open device 0: V4L2 Error: {}", Error::from_raw_os_error(number));
        assert_eq!(cause(&message(2)), Some(Cause::Gone));
        assert_eq!(cause(&message(19)), Some(Cause::Gone));
        assert_eq!(cause(&message(16)), Some(Cause::Taken));
        assert_eq!(cause(&message(13)), Some(Cause::Denied));
        assert_eq!(cause(&message(22)), None);
        for strange in ["", "(os error ", "(os error x)", "(os error 99999999999)", "no number"] {
            assert_eq!(cause(strange), None);
        }
    }
}
