//! What a camera's errors mean. Pure. nokhwa hands on the systems' messages as text; what can be relied on in it are the
//! error numbers, and the few words of its own that no system translates.

use crate::Error;
use nokhwa::NokhwaError;

/// What a system's message comes down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Gone,
    Taken,
    Denied,
}

/// Why a camera did not open.
pub(super) fn refused(name: &str, error: &NokhwaError) -> Error {
    let name = name.to_owned();
    match means(error) {
        Some(Cause::Gone) => Error::NotFound(Some(name)),
        Some(Cause::Taken) => Error::Taken { name },
        Some(Cause::Denied) => Error::Denied { name },
        None if lacks_format(&error.to_string()) => Error::Format { name },
        None => Error::Failed { name, source: error.to_string().into() },
    }
}

/// Why a camera that was open gives no picture any more. Both systems let a camera be opened that somebody else uses, and
/// refuse when the first picture is asked for: before that, `seen` is false and the reason counts as one for not opening.
pub(super) fn stopped(name: &str, error: &NokhwaError, seen: bool) -> Error {
    tracing::debug!(%error, seen, "the camera stopped");
    let lost = match means(error) {
        Some(Cause::Taken | Cause::Denied) => false,
        Some(Cause::Gone) => true,
        None => seen,
    };
    if lost { Error::Lost { name: name.to_owned() } } else { refused(name, error) }
}

/// What an error comes down to, where it is one of the three that have a name of their own.
pub(super) fn means(error: &NokhwaError) -> Option<Cause> {
    let text = error.to_string();
    posix(&text).or_else(|| windows(&text)).or_else(|| words(&text))
}

/// V4L2: the standard library ends a message with its number.
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

/// Media Foundation: a message in the system's language, or none, and its HRESULT.
fn windows(text: &str) -> Option<Cause> {
    let (_, rest) = text.rsplit_once("0x")?;
    match u32::from_str_radix(rest.get(..8)?, 16).ok()? {
        // E_ACCESSDENIED, which is also what the privacy settings answer
        0x8007_0005 => Some(Cause::Denied),
        // MF_E_VIDEO_RECORDING_DEVICE_PREEMPTED, MF_E_HW_MFT_FAILED_START_STREAMING, ERROR_SHARING_VIOLATION, ERROR_BUSY
        0xC00D_3EA3 | 0xC00D_3704 | 0x8007_0020 | 0x8007_00AA => Some(Cause::Taken),
        // MF_E_VIDEO_RECORDING_DEVICE_INVALIDATED, MF_E_NOT_FOUND, ERROR_DEVICE_NOT_CONNECTED, ERROR_DEV_NOT_EXIST
        0xC00D_3EA2 | 0xC00D_36D5 | 0x8007_048F | 0x8007_0037 => Some(Cause::Gone),
        _ => None,
    }
}

/// nokhwa's own words, on Windows and macOS.
fn words(text: &str) -> Option<Cause> {
    let says = |needles: &[&str]| needles.iter().any(|needle| text.contains(needle));
    if says(&["denied", "NotAuthorized"]) {
        Some(Cause::Denied)
    } else if says(&["in use", "InUse"]) {
        Some(Cause::Taken)
    } else if says(&["No device", "Not Found", "not found"]) {
        Some(Cause::Gone)
    } else {
        None
    }
}

/// nokhwa's words for a camera that offers nothing we asked for; one of its systems misspells them.
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
    fn numbers_mean_what_they_mean() {
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
            assert_eq!(means(&v4l2(number)), cause, "{number}");
        }
        for (code, cause) in [
            (0x8007_0005, Some(Cause::Denied)),
            (0xC00D_3EA3, Some(Cause::Taken)),
            (0xC00D_3704, Some(Cause::Taken)),
            (0xC00D_3EA2, Some(Cause::Gone)),
            (0x8000_4005, None),
        ] {
            assert_eq!(means(&media_foundation(code)), cause, "{code:#010X}");
        }
        let bare = NokhwaError::ReadFrameError("0xC00D3EA2".into());
        assert_eq!(means(&bare), Some(Cause::Gone), "a code without a message");
    }

    #[test]
    fn odd_messages_mean_nothing() {
        for strange in
            ["", "(os error ", "(os error x)", "(os error 99999999999)", "0x", "0xé", "0x8007000é", "no number"]
        {
            assert_eq!(means(&NokhwaError::GeneralError(strange.into())), None, "{strange}");
        }
    }

    #[test]
    fn a_camera_that_offers_nothing_known_is_its_own_error() {
        for words in ["Failed to Fufill", "Failed to fufill", "Failed to fulfill requested format"] {
            let error = NokhwaError::GetPropertyError { property: "CameraFormat".into(), error: words.into() };
            assert!(matches!(refused("x", &error), Error::Format { .. }), "{words}");
        }
        let error = NokhwaError::GeneralError("something new".into());
        assert!(matches!(refused("x", &error), Error::Failed { .. }));
    }

    #[test]
    fn why_a_camera_stopped_depends_on_whether_it_ever_ran() {
        for (error, unseen, seen) in [
            (v4l2(16), "in use", "in use"),
            (v4l2(13), "denies", "denies"),
            (v4l2(19), "unplugged", "unplugged"),
            // No bandwidth is left on the USB hub.
            (v4l2(28), "failed", "unplugged"),
            (media_foundation(0xC00D_3704), "in use", "in use"),
            (media_foundation(0xC00D_3EA2), "unplugged", "unplugged"),
        ] {
            assert!(stopped("x", &error, false).to_string().contains(unseen), "{error}");
            assert!(stopped("x", &error, true).to_string().contains(seen), "{error}");
        }
    }
}
