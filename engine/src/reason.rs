//! Turns what the meeting and the devices report into notices for the screens.

use crate::event::{Notice, NoticeKind};
use crate::receive;
use net::meeting;

/// The notice of a meeting that continues.
pub fn notice(notice: meeting::Notice) -> Notice {
    let (kind, detail) = match notice {
        meeting::Notice::NoAnswerYet => (NoticeKind::StillWaiting, String::new()),
        meeting::Notice::Unattended => (NoticeKind::NobodyAdmits, String::new()),
        meeting::Notice::NotAllowed => (NoticeKind::Refused, String::new()),
        meeting::Notice::CannotRemove(who) => (NoticeKind::Refused, format!("{who} cannot be removed")),
        meeting::Notice::CommitRejected(who) => {
            (NoticeKind::PeerUnreadable, format!("a commit of {who} breaks the rules"))
        }
        _ => (NoticeKind::Refused, format!("{notice:?}")),
    };
    Notice { kind, detail }
}

/// The notice of one of our sources that cannot be encoded.
pub fn track_failed(detail: String) -> Notice {
    Notice { kind: NoticeKind::TrackFailed, detail }
}

/// The notice of an encoder or decoder that was replaced.
pub fn codec_replaced(detail: String) -> Notice {
    Notice { kind: NoticeKind::CodecReplaced, detail }
}

/// The notice of a received track whose decoder failed.
pub fn received(report: receive::Report) -> Notice {
    match report {
        receive::Report::DecoderReplaced(replacement) => codec_replaced(replacement.to_string()),
        receive::Report::TrackFailed(detail) => Notice { kind: NoticeKind::PeerUnreadable, detail },
    }
}

/// The notice of a camera or a shared screen that failed.
pub fn source(slot: proto::Slot, error: &capture::Error) -> Notice {
    let kind = match error {
        _ if slot == proto::Slot::Screen => NoticeKind::NoScreen,
        capture::Error::BadFile { .. } => NoticeKind::BadFile,
        capture::Error::FileFormat { path, format } => {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
            return Notice { kind: NoticeKind::FileFormat, detail: format!("{name} ({format})") };
        }
        capture::Error::Taken { .. } => NoticeKind::CameraTaken,
        capture::Error::Lost { .. } => NoticeKind::CameraLost,
        capture::Error::NotFound(_) => NoticeKind::NoCamera,
        // With any other error, there is a camera.
        capture::Error::Denied { .. } | capture::Error::Format { .. } | capture::Error::Failed { .. } | _ => {
            NoticeKind::CameraFailed
        }
    };
    Notice { kind, detail: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capture::Error;
    use proto::Slot;

    #[test]
    fn each_camera_failure_has_the_right_notice() {
        let name = || "Front".to_owned();
        for (error, kind) in [
            (Error::NotFound(None), NoticeKind::NoCamera),
            (Error::NotFound(Some(name())), NoticeKind::NoCamera),
            (Error::Taken { name: name() }, NoticeKind::CameraTaken),
            (Error::Lost { name: name() }, NoticeKind::CameraLost),
            (Error::Denied { name: name() }, NoticeKind::CameraFailed),
            (Error::Format { name: name() }, NoticeKind::CameraFailed),
            (Error::Failed { name: name(), source: "no bandwidth".into() }, NoticeKind::CameraFailed),
            (Error::BadFile { path: "clip.mp4".into(), source: "cut off".into() }, NoticeKind::BadFile),
        ] {
            let notice = source(Slot::Camera, &error);
            assert_eq!(notice.kind, kind, "{error}");
            assert_eq!(notice.detail, error.to_string());
            assert_eq!(source(Slot::Screen, &error).kind, NoticeKind::NoScreen);
        }
    }
}
