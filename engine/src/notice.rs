//! Turns what the meeting, the devices and the codecs report into notices for the screens.
//!
//! `app::model::MeetingModel::notice` replaces one kind: for people in the meeting, `NobodyAdmits` becomes
//! `OrganiserLeft`. `app::model::sentence` names the sentence of each kind, and `app/locales` has the texts.

use crate::event::{Notice, NoticeKind};
use crate::receive;
use audio::{Direction, Warning, device};
use net::meeting::{self, PolicyRefusal};
use proto::ParticipantId;
use std::borrow::Cow;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Returns the notice of a meeting that continues. `name` returns the name of a member, or `None` if there is no such
/// member. The detail is the name of the member whom the notice is about.
pub fn meeting<'a>(notice: meeting::Notice, name: impl Fn(ParticipantId) -> Option<&'a str>) -> Notice {
    let of = |id| name(id).unwrap_or_default().to_owned();
    let (kind, detail) = match notice {
        meeting::Notice::NoAnswerYet => (NoticeKind::StillWaiting, String::new()),
        meeting::Notice::Unattended => (NoticeKind::NobodyAdmits, String::new()),
        meeting::Notice::NotAllowed => (NoticeKind::NotAllowed, String::new()),
        meeting::Notice::PolicyRefused(why) => (policy_refused(why), String::new()),
        meeting::Notice::CannotRemove(id) => (NoticeKind::NotRemoved, of(id)),
        meeting::Notice::Clock { ahead } => (NoticeKind::WrongClock, clock_difference(ahead)),
        meeting::Notice::CommitRejected(id) => (NoticeKind::ChangeRejected, of(id)),
        meeting::Notice::KeysUnreadable(id) => (NoticeKind::KeysUnreadable, of(id)),
        meeting::Notice::KeysReported { author, reader } => {
            (NoticeKind::KeysReported, format!("{} → {reader}", of(author)))
        }
        meeting::Notice::LinkNotChanged => (NoticeKind::LinkNotChanged, String::new()),
    };
    Notice { kind, file: None, detail }
}

const fn policy_refused(why: PolicyRefusal) -> NoticeKind {
    match why {
        PolicyRefusal::NotAllowed => NoticeKind::NotAllowed,
        PolicyRefusal::NotBelow => NoticeKind::NotBelow,
        PolicyRefusal::NoMember => NoticeKind::PersonLeft,
        PolicyRefusal::Impossible => NoticeKind::RightImpossible,
        PolicyRefusal::Full => NoticeKind::TooManyRoles,
        PolicyRefusal::NoKeys => NoticeKind::KeysMissing,
    }
}

/// Returns how much two clocks differ, as `+2:00` or `-26:30` hours and minutes: positive if this computer's is ahead.
/// Beyond 9,999 hours, which a server may claim, it is `> +9999:00` or `< -9999:00`.
pub fn clock_difference(ahead: i64) -> String {
    let minutes = ahead.unsigned_abs() / 60;
    if minutes > MAX_HOURS * 60 {
        return if ahead < 0 { format!("< -{MAX_HOURS}:00 h") } else { format!("> +{MAX_HOURS}:00 h") };
    }
    let sign = if ahead < 0 { '-' } else { '+' };
    format!("{sign}{}:{:02} h", minutes / 60, minutes % 60)
}

/// Returns the notice of a source of ours that cannot be encoded.
pub fn track_failed(detail: String) -> Notice {
    Notice { kind: NoticeKind::TrackFailed, file: None, detail }
}

/// Returns the notice of a source whose pictures have no layer that can be sent.
pub fn too_narrow(size: media::Size) -> Notice {
    Notice { kind: NoticeKind::TooNarrow, file: None, detail: format!("{size}") }
}

/// Returns the notice of an encoder or decoder that was replaced.
pub fn codec_replaced(detail: String) -> Notice {
    Notice { kind: NoticeKind::CodecReplaced, file: None, detail }
}

/// Returns the notice of a received track whose decoder failed.
pub fn received(report: receive::Report) -> Notice {
    match report {
        receive::Report::DecoderReplaced(replacement) => codec_replaced(replacement.to_string()),
        receive::Report::TrackFailed(detail) => Notice { kind: NoticeKind::PeerUnreadable, file: None, detail },
    }
}

/// Returns the notice of a camera or a shared screen that failed.
pub fn source(slot: proto::Slot, error: &capture::Error) -> Notice {
    let kind = match error {
        capture::Error::ScreenFormat(_) => NoticeKind::ScreenFormat,
        _ if slot == proto::Slot::Screen => NoticeKind::NoScreen,
        capture::Error::BadFile { path, source } => return bad_file(path, source.as_ref()),
        capture::Error::FileFormat { path, format } => {
            return file_notice(NoticeKind::FileFormat, path, name_and_format(path, format));
        }
        capture::Error::Taken { .. } => NoticeKind::CameraTaken,
        capture::Error::Lost { .. } => NoticeKind::CameraLost,
        capture::Error::NotFound(_) => NoticeKind::NoCamera,
        // With any other error, there is a camera.
        capture::Error::Denied { .. } | capture::Error::Format { .. } | capture::Error::Failed { .. } | _ => {
            NoticeKind::CameraFailed
        }
    };
    Notice { kind, file: None, detail: error.to_string() }
}

/// Returns the notice of a file that cannot be read or written. `cause` is why.
fn bad_file(path: &Path, cause: &(dyn std::error::Error + 'static)) -> Notice {
    let mut causes = std::iter::successors(Some(cause), |error| error.source());
    let is_missing = causes
        .any(|error| error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::NotFound));
    if is_missing {
        return missing_file(path);
    }
    file_notice(NoticeKind::BadFile, path, with_causes(cause))
}

fn missing_file(path: &Path) -> Notice {
    file_notice(NoticeKind::MissingFile, path, path.display().to_string())
}

fn file_notice(kind: NoticeKind, path: &Path, detail: String) -> Notice {
    Notice { kind, file: Some(name(path).into_owned()), detail }
}

/// Takes the audio engine's warnings. It delays them while the first devices are being opened, so that a computer
/// without an audio device has one notice, not two.
#[derive(Default)]
pub struct SoundWarnings {
    early: Vec<Warning>,
    opened: bool,
}

/// The result of [`SoundWarnings::take`].
pub struct SoundReport {
    /// The notices for the screens.
    pub notices: Vec<Notice>,
    /// True if there is no microphone any more.
    pub microphone_lost: bool,
    /// True if there is a microphone again, or for the first time.
    pub microphone_back: bool,
}

impl SoundWarnings {
    /// Returns the warnings of `audio` since the last call.
    pub fn take(&mut self, audio: &audio::Engine) -> SoundReport {
        // Read this first, so that warnings after it are returned by the next call.
        let opened = audio.is_open();
        self.add(opened, audio.take_warnings())
    }

    fn add(&mut self, opened: bool, found: Vec<Warning>) -> SoundReport {
        // The last warning counts: a microphone that was missing may be there by now.
        let about_microphone = found.iter().rev().find(|warning| means_no_microphone(warning) || is_back(warning));
        let (microphone_lost, microphone_back) =
            (about_microphone.is_some_and(means_no_microphone), about_microphone.is_some_and(is_back));
        let notices = if self.opened {
            found.iter().map(warning).collect()
        } else {
            self.early.extend(found);
            self.opened = opened;
            if opened { warnings(&std::mem::take(&mut self.early)) } else { Vec::new() }
        };
        SoundReport { notices, microphone_lost, microphone_back }
    }
}

/// Returns the notices of what failed when the devices were opened for the first time.
pub fn warnings(warnings: &[Warning]) -> Vec<Notice> {
    let missing = |warning: &&Warning| {
        matches!(warning, Warning::Unavailable { error: device::Error::Missing(_) | device::Error::Silent, .. })
    };
    if warnings.iter().filter(missing).count() > 1 {
        return vec![Notice {
            kind: NoticeKind::NoSound,
            file: None,
            detail: "no microphone and no loudspeaker".into(),
        }];
    }
    if warnings.len() == 2 && warnings.iter().all(is_refused) {
        // One sentence for both devices.
        return vec![warning(&warnings[0])];
    }
    warnings.iter().map(warning).collect()
}

/// Returns the notice of one warning.
pub fn warning(warning: &Warning) -> Notice {
    if let Warning::Unavailable { error, .. } | Warning::File { error, .. } = warning
        && let Some(notice) = sound_file(error)
    {
        return notice;
    }
    let kind = match warning {
        Warning::File { .. } => NoticeKind::BadFile,
        Warning::Unavailable { .. } if is_refused(warning) => NoticeKind::SoundRefused,
        Warning::Unavailable { direction: Direction::Microphone, .. } => NoticeKind::NoMicrophone,
        Warning::Unavailable { direction: Direction::Speaker, .. } => NoticeKind::NoSpeaker,
        Warning::Lost { .. } => NoticeKind::SoundLost,
        Warning::Replaced { .. } => NoticeKind::SoundBack,
        // Without the audio engine there is no audio at all.
        Warning::Codec(_) | Warning::Thread(_) | _ => NoticeKind::NoSound,
    };
    Notice { kind, file: None, detail: with_causes(warning) }
}

/// Returns the notice of a sound file that cannot be used; `None` if the error is not about a file.
fn sound_file(error: &device::Error) -> Option<Notice> {
    let notice = match error {
        device::Error::FileFormat { path, format } => {
            file_notice(NoticeKind::SoundFormat, path, name_and_format(path, format))
        }
        device::Error::Read { path, .. } if !path.exists() => missing_file(path),
        device::Error::Read { path, source } => bad_file(path, source),
        device::Error::Empty(path) => bad_file(path, error),
        device::Error::Write { path, source } => {
            let kind = if is_full(source.kind()) { NoticeKind::DiskFull } else { NoticeKind::NotWritten };
            file_notice(kind, path, with_causes(error))
        }
        device::Error::Missing(_)
        | device::Error::Unknown { .. }
        | device::Error::Refused { .. }
        | device::Error::ServerRefused
        | device::Error::Format { .. }
        | device::Error::Lost { .. }
        | device::Error::Silent
        | _ => return None,
    };
    Some(notice)
}

/// Returns true if the disk, or the user's share of it, is full.
fn is_full(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

fn name_and_format(path: &Path, format: &str) -> String {
    format!("{} ({format})", name(path))
}

/// Returns the name of a file without its folder.
fn name(path: &Path) -> Cow<'_, str> {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy()
}

/// Returns true if the warning means that there is no microphone to send.
fn means_no_microphone(warning: &Warning) -> bool {
    matches!(
        warning,
        Warning::Unavailable { direction: Direction::Microphone, .. }
            | Warning::File { direction: Direction::Microphone, .. }
            | Warning::Codec(_)
            | Warning::Thread(_)
    )
}

/// Returns true if the warning means that the microphone works again.
fn is_back(warning: &Warning) -> bool {
    matches!(warning, Warning::Replaced { direction: Direction::Microphone, .. })
}

/// Returns true if the sound server refuses this program.
fn is_refused(warning: &Warning) -> bool {
    matches!(warning, Warning::Unavailable { error: device::Error::ServerRefused, .. })
}

/// Returns an error and its causes, the last of which names the file or the device.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The largest difference of two clocks that is shown exactly, in hours: more than a year.
const MAX_HOURS: u64 = 9_999;

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
        ] {
            let notice = source(Slot::Camera, &error);
            assert_eq!(notice.kind, kind, "{error}");
            assert_eq!(notice.detail, error.to_string());
            assert_eq!(source(Slot::Screen, &error).kind, NoticeKind::NoScreen);
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let notice = |cause: capture::BoxError| {
            source(Slot::Camera, &Error::BadFile { path: "a/clip.mp4".into(), source: cause })
        };
        let named = |kind, detail: &str| Notice { kind, file: Some("clip.mp4".into()), detail: detail.into() };
        let expected = named(NoticeKind::BadFile, "cut off");
        assert_eq!(notice("cut off".into()), expected);
        let absent = notice(Box::new(io::Error::from(io::ErrorKind::NotFound)));
        assert_eq!(absent, named(NoticeKind::MissingFile, "a/clip.mp4"));
        let error = SoundError::Empty("voice.wav".into());
        let empty = warning(&Warning::Unavailable { direction: Direction::Microphone, error });
        assert_eq!(empty.file.as_deref(), Some("voice.wav"));
        assert_eq!((empty.kind, empty.detail.as_str()), (NoticeKind::BadFile, "voice.wav has no samples"));
    }

    #[test]
    fn the_name_of_a_file_may_contain_what_separates_causes() {
        for (path, name) in [("a/take 1: Ada.mp4", "take 1: Ada.mp4"), ("talk (final).mkv", "talk (final).mkv")] {
            let errors = [
                Error::BadFile { path: path.into(), source: "the header: cut off".into() },
                Error::BadFile { path: path.into(), source: Box::new(io::Error::from(ErrorKind::NotFound)) },
                Error::FileFormat { path: path.into(), format: "MPEG-4 (part 2)".into() },
            ];
            for error in errors {
                assert_eq!(source(Slot::Camera, &error).file.as_deref(), Some(name), "{error}");
            }
            let error = SoundError::Write { path: path.into(), source: ErrorKind::PermissionDenied.into() };
            let notice = warning(&Warning::File { direction: Direction::Speaker, error });
            assert_eq!(notice.file.as_deref(), Some(name));
        }
    }

    #[test]
    fn a_full_disk_and_an_unknown_sound_format_are_named() {
        let write = |kind: ErrorKind| SoundError::Write { path: "/tmp/heard.wav".into(), source: kind.into() };
        let direction = Direction::Speaker;
        for (cause, kind) in [
            (ErrorKind::StorageFull, NoticeKind::DiskFull),
            (ErrorKind::QuotaExceeded, NoticeKind::DiskFull),
            (ErrorKind::PermissionDenied, NoticeKind::NotWritten),
        ] {
            for found in [
                Warning::Unavailable { direction, error: write(cause) },
                Warning::File { direction, error: write(cause) },
            ] {
                let notice = warning(&found);
                assert_eq!(notice.kind, kind);
                assert!(notice.detail.starts_with("/tmp/heard.wav"), "{}", notice.detail);
            }
        }
        let error = SoundError::FileFormat { path: "/tmp/song.mp3".into(), format: "MP3".into() };
        let notice = warning(&Warning::Unavailable { direction: Direction::Microphone, error });
        assert_eq!((notice.kind, &*notice.detail), (NoticeKind::SoundFormat, "song.mp3 (MP3)"));
        let ended = Warning::File { direction: Direction::Microphone, error: SoundError::Empty("a.wav".into()) };
        assert!(warning(&ended).kind == NoticeKind::BadFile && means_no_microphone(&ended));
    }

    #[test]
    fn a_notice_of_the_meeting_says_what_happened_and_to_whom() {
        let name = |id| (id == BLAISE).then_some("Blaise");
        for (report, kind, detail) in [
            (meeting::Notice::NoAnswerYet, NoticeKind::StillWaiting, ""),
            (meeting::Notice::Unattended, NoticeKind::NobodyAdmits, ""),
            (meeting::Notice::NotAllowed, NoticeKind::NotAllowed, ""),
            (meeting::Notice::PolicyRefused(PolicyRefusal::NotBelow), NoticeKind::NotBelow, ""),
            (meeting::Notice::PolicyRefused(PolicyRefusal::NoKeys), NoticeKind::KeysMissing, ""),
            (meeting::Notice::CannotRemove(BLAISE), NoticeKind::NotRemoved, "Blaise"),
            (meeting::Notice::CommitRejected(BLAISE), NoticeKind::ChangeRejected, "Blaise"),
            (meeting::Notice::CommitRejected(ParticipantId(7)), NoticeKind::ChangeRejected, ""),
            (meeting::Notice::KeysUnreadable(BLAISE), NoticeKind::KeysUnreadable, "Blaise"),
            (
                meeting::Notice::KeysReported { author: BLAISE, reader: "Ada".into() },
                NoticeKind::KeysReported,
                "Blaise → Ada",
            ),
            (meeting::Notice::LinkNotChanged, NoticeKind::LinkNotChanged, ""),
            (meeting::Notice::Clock { ahead: -95_400 }, NoticeKind::WrongClock, "-26:30 h"),
            (meeting::Notice::Clock { ahead: 7_260 }, NoticeKind::WrongClock, "+2:01 h"),
            (meeting::Notice::Clock { ahead: i64::MIN }, NoticeKind::WrongClock, "< -9999:00 h"),
            (meeting::Notice::Clock { ahead: i64::MAX }, NoticeKind::WrongClock, "> +9999:00 h"),
        ] {
            assert_eq!(meeting(report.clone(), name), Notice { kind, file: None, detail: detail.into() }, "{report:?}");
        }
    }

    fn missing(direction: Direction) -> Warning {
        Warning::Unavailable { direction, error: SoundError::Missing(direction) }
    }

    fn kinds(found: &SoundReport) -> Vec<NoticeKind> {
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

    #[test]
    fn a_device_that_is_back_is_not_announced_as_unplugged() {
        let (direction, device) = (Direction::Microphone, || "Headset".to_owned());
        let mut warnings = SoundWarnings::default();
        warnings.add(true, Vec::new());
        let lost = warnings.add(true, vec![Warning::Lost { direction, device: device() }]);
        assert_eq!(kinds(&lost), [NoticeKind::SoundLost]);
        let back = warnings.add(true, vec![Warning::Replaced { direction, device: device() }]);
        assert_eq!(kinds(&back), [NoticeKind::SoundBack]);
        assert!(back.notices[0].detail.contains("Headset"), "{:?}", back.notices);
        assert!(back.microphone_back && !back.microphone_lost);
        let speaker = Warning::Replaced { direction: Direction::Speaker, device: device() };
        assert!(!warnings.add(true, vec![speaker]).microphone_back);
    }

    #[test]
    fn a_sound_server_that_refuses_is_not_a_missing_microphone() {
        let refused = |direction| Warning::Unavailable { direction, error: SoundError::ServerRefused };
        let mut early = SoundWarnings::default();
        let both = early.add(true, vec![refused(Direction::Microphone), refused(Direction::Speaker)]);
        assert_eq!(kinds(&both), [NoticeKind::SoundRefused]);
        assert!(both.microphone_lost);
        assert_eq!(warning(&refused(Direction::Microphone)).kind, NoticeKind::SoundRefused);
    }

    #[test]
    fn a_screen_with_another_pixel_format_has_its_own_notice() {
        let error = Error::ScreenFormat("depth 8".into());
        assert_eq!(source(Slot::Screen, &error).kind, NoticeKind::ScreenFormat);
    }
}
