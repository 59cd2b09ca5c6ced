//! What the parts below report, in the words of the interface.

use crate::event::{Notice, NoticeKind, Reason};
use net::meeting;
use proto::Problem;

/// Why the meeting is over, from the meeting's own last word.
pub fn ended(reason: meeting::Reason) -> Reason {
    match reason {
        meeting::Reason::Left => Reason::Left,
        meeting::Reason::ServerSilent | meeting::Reason::DeclaredGone => Reason::ServerSilent,
        meeting::Reason::ConnectionLost => Reason::Unreachable(reason.to_string()),
        meeting::Reason::Version { .. } => Reason::Version,
        meeting::Reason::Problem(problem) => refused(problem),
        meeting::Reason::WrongAdmissionKey | meeting::Reason::BadWelcome => Reason::Forged,
        meeting::Reason::Unattended => Reason::Unattended,
        meeting::Reason::ProtocolViolation(_) | meeting::Reason::OutOfStep => Reason::Server(reason.to_string()),
        // Whatever else the state machine may say is told in its own words.
        meeting::Reason::Internal | _ => Reason::Here(reason.to_string()),
    }
}

/// What the person is told while the meeting goes on.
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

/// What became of a camera or a shared screen.
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
        // Whatever else may be wrong, there is a camera.
        capture::Error::Denied { .. } | capture::Error::Format { .. } | capture::Error::Failed { .. } | _ => {
            NoticeKind::CameraFailed
        }
    };
    Notice { kind, detail: error.to_string() }
}

fn refused(problem: Problem) -> Reason {
    match problem {
        Problem::Version => Reason::Version,
        Problem::NoMeeting => Reason::NoMeeting,
        Problem::MeetingFull | Problem::ServerFull => Reason::Full,
        Problem::Draining => Reason::Draining,
        Problem::MeetingExists | Problem::Malformed | Problem::TooFast => Reason::Server(problem.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Fault;
    use capture::Error;
    use proto::Slot;

    #[test]
    fn how_a_meeting_ends_is_told_with_whose_fault_it_is() {
        for (why, told, fault) in [
            (meeting::Reason::Version { server: 2 }, Reason::Version, Some(Fault::Server)),
            (meeting::Reason::Problem(Problem::Version), Reason::Version, Some(Fault::Server)),
            (meeting::Reason::Problem(Problem::NoMeeting), Reason::NoMeeting, Some(Fault::Link)),
            (meeting::Reason::Problem(Problem::Draining), Reason::Draining, Some(Fault::Server)),
            (meeting::Reason::Unattended, Reason::Unattended, Some(Fault::Peer)),
            (meeting::Reason::WrongAdmissionKey, Reason::Forged, Some(Fault::Server)),
            (meeting::Reason::Left, Reason::Left, None),
        ] {
            assert_eq!((ended(why), told.fault()), (told, fault));
        }
    }

    #[test]
    fn what_befalls_a_camera_has_a_notice_that_is_true_of_it() {
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
