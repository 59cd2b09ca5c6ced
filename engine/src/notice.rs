//! Turns what the meeting, the devices and the codecs report into notices for the screens.
//!
//! `app::model::MeetingModel::notice` replaces one kind: for people in the meeting, `NobodyAdmits` becomes
//! `OrganiserLeft`. `app::model::sentence` names the sentence of each kind, and `app/locales` has the texts.

use crate::event::{Notice, NoticeKind};
use crate::receive;
use audio::{Direction, Warning, device};
use net::meeting;
use proto::ParticipantId;

/// Returns the notice of a meeting that continues. `name` returns the name of a member, or `None` if there is no such
/// member. The detail is the name of the member whom the notice is about.
pub fn meeting<'a>(notice: meeting::Notice, name: impl Fn(ParticipantId) -> Option<&'a str>) -> Notice {
    let of = |id| name(id).unwrap_or_default().to_owned();
    let (kind, detail) = match notice {
        meeting::Notice::NoAnswerYet => (NoticeKind::StillWaiting, String::new()),
        meeting::Notice::Unattended => (NoticeKind::NobodyAdmits, String::new()),
        meeting::Notice::NotAllowed => (NoticeKind::NotOrganiser, String::new()),
        meeting::Notice::CannotRemove(id) => (NoticeKind::NotRemoved, of(id)),
        meeting::Notice::Clock { ahead } => (NoticeKind::WrongClock, clock_difference(ahead)),
        meeting::Notice::CommitRejected(id) => (NoticeKind::ChangeRejected, of(id)),
    };
    Notice { kind, detail }
}

/// Returns how much a clock is wrong, as `+2:00` or `-26:30` hours and minutes: positive if it is ahead.
pub fn clock_difference(ahead: i64) -> String {
    let minutes = ahead.unsigned_abs() / 60;
    let sign = if ahead < 0 { '-' } else { '+' };
    format!("{sign}{}:{:02} h", minutes / 60, minutes % 60)
}

/// Returns the notice of a source of ours that cannot be encoded.
pub fn track_failed(detail: String) -> Notice {
    Notice { kind: NoticeKind::TrackFailed, detail }
}

/// Returns the notice of an encoder or decoder that was replaced.
pub fn codec_replaced(detail: String) -> Notice {
    Notice { kind: NoticeKind::CodecReplaced, detail }
}

/// Returns the notice of a received track whose decoder failed.
pub fn received(report: receive::Report) -> Notice {
    match report {
        receive::Report::DecoderReplaced(replacement) => codec_replaced(replacement.to_string()),
        receive::Report::TrackFailed(detail) => Notice { kind: NoticeKind::PeerUnreadable, detail },
    }
}

/// Returns the notice of a camera or a shared screen that failed.
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

/// Takes the audio engine's warnings. It delays them while the first devices are being opened, so that a computer
/// without an audio device has one notice, not two.
#[derive(Default)]
pub struct SoundWarnings {
    early: Vec<Warning>,
    opened: bool,
}

/// The result of [`SoundWarnings::take`].
pub struct Found {
    /// The notices for the screens.
    pub notices: Vec<Notice>,
    /// True if there is no microphone any more.
    pub microphone_lost: bool,
}

impl SoundWarnings {
    /// Returns the warnings of `audio` since the last call.
    pub fn take(&mut self, audio: &audio::Engine) -> Found {
        // Read this first, so that warnings after it are returned by the next call.
        let opened = audio.is_open();
        self.add(opened, audio.take_warnings())
    }

    fn add(&mut self, opened: bool, found: Vec<Warning>) -> Found {
        let microphone_lost = found.iter().any(means_no_microphone);
        let notices = if self.opened {
            found.iter().map(warning).collect()
        } else {
            self.early.extend(found);
            self.opened = opened;
            if opened { warnings(&std::mem::take(&mut self.early)) } else { Vec::new() }
        };
        Found { notices, microphone_lost }
    }
}

/// Returns the notices of what failed when the devices were opened for the first time.
pub fn warnings(warnings: &[Warning]) -> Vec<Notice> {
    let missing = |warning: &&Warning| {
        matches!(warning, Warning::Unavailable { error: device::Error::Missing(_) | device::Error::Silent, .. })
    };
    if warnings.iter().filter(missing).count() > 1 {
        return vec![Notice { kind: NoticeKind::NoSound, detail: "no microphone and no loudspeaker".into() }];
    }
    warnings.iter().map(warning).collect()
}

/// Returns the notice of one warning.
pub fn warning(warning: &Warning) -> Notice {
    let kind = match warning {
        Warning::Unavailable {
            error: device::Error::Read { .. } | device::Error::Empty(_) | device::Error::Write { .. },
            ..
        } => NoticeKind::BadFile,
        Warning::Unavailable { direction: Direction::Microphone, .. } => NoticeKind::NoMicrophone,
        Warning::Unavailable { direction: Direction::Speaker, .. } => NoticeKind::NoSpeaker,
        Warning::Lost { .. } | Warning::Replaced { .. } => NoticeKind::SoundLost,
        // Without the audio engine there is no audio at all.
        Warning::Codec(_) | Warning::Thread(_) | _ => NoticeKind::NoSound,
    };
    Notice { kind, detail: with_causes(warning) }
}

/// Returns true if the warning means that there is no microphone to send.
fn means_no_microphone(warning: &Warning) -> bool {
    matches!(
        warning,
        Warning::Unavailable { direction: Direction::Microphone, .. } | Warning::Codec(_) | Warning::Thread(_)
    )
}

/// Returns an error and its causes, the last of which names the file or the device.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use audio::device::Error as SoundError;
    use capture::Error;
    use proto::Slot;

    const BLAISE: ParticipantId = ParticipantId(2);

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

    #[test]
    fn a_notice_of_the_meeting_says_what_happened_and_to_whom() {
        let name = |id| (id == BLAISE).then_some("Blaise");
        for (report, kind, detail) in [
            (meeting::Notice::NoAnswerYet, NoticeKind::StillWaiting, ""),
            (meeting::Notice::Unattended, NoticeKind::NobodyAdmits, ""),
            (meeting::Notice::NotAllowed, NoticeKind::NotOrganiser, ""),
            (meeting::Notice::CannotRemove(BLAISE), NoticeKind::NotRemoved, "Blaise"),
            (meeting::Notice::CommitRejected(BLAISE), NoticeKind::ChangeRejected, "Blaise"),
            (meeting::Notice::CommitRejected(ParticipantId(7)), NoticeKind::ChangeRejected, ""),
            (meeting::Notice::Clock { ahead: -95_400 }, NoticeKind::WrongClock, "-26:30 h"),
            (meeting::Notice::Clock { ahead: 7_260 }, NoticeKind::WrongClock, "+2:01 h"),
        ] {
            assert_eq!(meeting(report, name), Notice { kind, detail: detail.into() }, "{report:?}");
        }
    }

    fn missing(direction: Direction) -> Warning {
        Warning::Unavailable { direction, error: SoundError::Missing(direction) }
    }

    fn kinds(found: &Found) -> Vec<NoticeKind> {
        found.notices.iter().map(|notice| notice.kind).collect()
    }

    #[test]
    fn a_computer_without_audio_has_one_notice_after_both_devices_were_tried() {
        let mut warnings = SoundWarnings::default();
        let first = warnings.add(false, vec![missing(Direction::Microphone)]);
        assert!(first.microphone_lost && first.notices.is_empty());
        let both = warnings.add(true, vec![missing(Direction::Speaker)]);
        assert_eq!(kinds(&both), [NoticeKind::NoSound]);
        let later = warnings.add(true, vec![missing(Direction::Microphone)]);
        assert_eq!(kinds(&later), [NoticeKind::NoMicrophone]);
    }
}
