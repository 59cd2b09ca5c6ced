//! Converts nokhwa errors into [`Error`]. Pure. nokhwa returns the system's messages as text, in
//! the system's language. Only the error numbers in them and the messages of nokhwa itself do not depend on it.

use crate::Error;
use nokhwa::NokhwaError;

/// The cause of an error, if it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Gone,
    Taken,
    Denied,
}

/// The error for a camera that did not open.
pub(super) fn open_error(name: &str, error: &NokhwaError) -> Error {
    let name = name.to_owned();
    match classify(error) {
        Some(Cause::Gone) => Error::NotFound(Some(name)),
        Some(Cause::Taken) => Error::Taken { name },
        Some(Cause::Denied) => Error::Denied { name },
        None if lacks_format(&error.to_string()) => Error::Format { name },
        None => Error::Failed { name, source: error.to_string().into() },
    }
}

/// The error for an open camera that delivers no frame. `delivered` is true if it delivered one before. V4L2 and
/// Media Foundation open a camera that another program uses and fail at its first frame, so an error before the first
/// frame is treated as an error of opening.
pub(super) fn read_error(name: &str, error: &NokhwaError, delivered: bool) -> Error {
    tracing::debug!(%error, delivered, "the camera stopped");
    let lost = match classify(error) {
        Some(Cause::Taken | Cause::Denied) => false,
        Some(Cause::Gone) => true,
        None => delivered,
    };
    if lost { Error::Lost { name: name.to_owned() } } else { open_error(name, error) }
}

/// The cause of an error, or `None` if it is not one of the known causes.
pub(super) fn classify(error: &NokhwaError) -> Option<Cause> {
    let text = error.to_string();
    posix(&text).or_else(|| windows(&text)).or_else(|| nokhwa_message(&text))
}

/// V4L2: the message ends with the error number, as formatted by the standard library.
fn posix(text: &str) -> Option<Cause> {
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

/// Media Foundation: an optional message in the system's language, then the HRESULT.
fn windows(text: &str) -> Option<Cause> {
    let (_, rest) = text.rsplit_once("0x")?;
    match u32::from_str_radix(rest.get(..8)?, 16).ok()? {
        // E_ACCESSDENIED, also returned if the privacy settings deny access
        0x8007_0005 => Some(Cause::Denied),
        // MF_E_VIDEO_RECORDING_DEVICE_PREEMPTED, MF_E_HW_MFT_FAILED_START_STREAMING, ERROR_SHARING_VIOLATION, ERROR_BUSY
        0xC00D_3EA3 | 0xC00D_3704 | 0x8007_0020 | 0x8007_00AA => Some(Cause::Taken),
        // MF_E_VIDEO_RECORDING_DEVICE_INVALIDATED, MF_E_NOT_FOUND, ERROR_DEVICE_NOT_CONNECTED, ERROR_DEV_NOT_EXIST
        0xC00D_3EA2 | 0xC00D_36D5 | 0x8007_048F | 0x8007_0037 => Some(Cause::Gone),
        _ => None,
    }
}

/// Messages of nokhwa itself, on Windows and macOS.
fn nokhwa_message(text: &str) -> Option<Cause> {
    let contains_any = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
    if contains_any(&["denied", "NotAuthorized"]) {
        Some(Cause::Denied)
    } else if contains_any(&["in use", "InUse"]) {
        Some(Cause::Taken)
    } else if contains_any(&["No device", "Not Found", "not found"]) {
        Some(Cause::Gone)
    } else {
        None
    }
}

/// True if nokhwa found no requested format. One of its back-ends misspells the message.
fn lacks_format(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("to fufill") || text.contains("to fulfill")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    fn v4l2(number: i32) -> NokhwaError {
        NokhwaError::ReadFrameError(io::Error::from_raw_os_error(number).to_string())
    }

    fn media_foundation(code: u32) -> NokhwaError {
        NokhwaError::ReadFrameError(format!("Le périphérique ne répond pas. ({code:#010X})"))
    }

    #[test]
    fn error_numbers_are_classified() {
        for (number, cause) in [
            (2, Some(Cause::Gone)),
            (6, Some(Cause::Gone)),
            (19, Some(Cause::Gone)),
            (16, Some(Cause::Taken)),
            (1, Some(Cause::Denied)),
            (13, Some(Cause::Denied)),
            (22, None),
            (28, None),
        ] {
            assert_eq!(classify(&v4l2(number)), cause, "{number}");
        }
        for (code, cause) in [
            (0x8007_0005, Some(Cause::Denied)),
            (0xC00D_3EA3, Some(Cause::Taken)),
            (0xC00D_3704, Some(Cause::Taken)),
            (0xC00D_3EA2, Some(Cause::Gone)),
            (0x8000_4005, None),
        ] {
            assert_eq!(classify(&media_foundation(code)), cause, "{code:#010X}");
        }
        let bare = NokhwaError::ReadFrameError("0xC00D3EA2".into());
        assert_eq!(classify(&bare), Some(Cause::Gone), "an HRESULT without a message");
    }

    #[test]
    fn unknown_messages_have_no_cause() {
        for text in ["", "(os error ", "(os error x)", "(os error 99999999999)", "0x", "0xé", "0x8007000é", "no number"]
        {
            assert_eq!(classify(&NokhwaError::GeneralError(text.into())), None, "{text}");
        }
    }

    #[test]
    fn a_camera_without_a_supported_format_is_a_format_error() {
        for words in ["Failed to Fufill", "Failed to fufill", "Failed to fulfill requested format"] {
            let error = NokhwaError::GetPropertyError { property: "CameraFormat".into(), error: words.into() };
            assert!(matches!(open_error("x", &error), Error::Format { .. }), "{words}");
        }
        let error = NokhwaError::GeneralError("something new".into());
        assert!(matches!(open_error("x", &error), Error::Failed { .. }));
    }

    #[test]
    fn the_error_of_a_stopped_camera_depends_on_its_first_frame() {
        for (error, before, after) in [
            (v4l2(16), "in use", "in use"),
            (v4l2(13), "denies", "denies"),
            (v4l2(19), "unplugged", "unplugged"),
            // ENOSPC: the USB hub has no bandwidth left.
            (v4l2(28), "failed", "unplugged"),
            (media_foundation(0xC00D_3704), "in use", "in use"),
            (media_foundation(0xC00D_3EA2), "unplugged", "unplugged"),
        ] {
            assert!(read_error("x", &error, false).to_string().contains(before), "{error}");
            assert!(read_error("x", &error, true).to_string().contains(after), "{error}");
        }
    }
}
