//! The Fluent ids of what the engine reports. The attribute `advice` of each notice and each reason says what the user
//! can do.
//!
//! [`super::MeetingModel::notice`] replaces one kind before: for people in the meeting, `NobodyAdmits` becomes
//! [`super::NoticeKind::OrganiserLeft`].

use std::borrow::Cow;

use engine::{Fault, LinkError, NoticeKind, Reason, clock_difference};

use crate::locale::Language;

/// Every kind of notice that the engine reports.
pub const NOTICES: [NoticeKind; 42] = [
    NoticeKind::NoCamera,
    NoticeKind::CameraTaken,
    NoticeKind::CameraLost,
    NoticeKind::CameraFailed,
    NoticeKind::NoSound,
    NoticeKind::NoMicrophone,
    NoticeKind::NoSpeaker,
    NoticeKind::SoundRefused,
    NoticeKind::SoundLost,
    NoticeKind::SoundBack,
    NoticeKind::MissingFile,
    NoticeKind::BadFile,
    NoticeKind::FileFormat,
    NoticeKind::SoundFormat,
    NoticeKind::NotWritten,
    NoticeKind::DiskFull,
    NoticeKind::NoScreen,
    NoticeKind::ScreenFormat,
    NoticeKind::TooNarrow,
    NoticeKind::StillWaiting,
    NoticeKind::NobodyAdmits,
    NoticeKind::Overloaded,
    NoticeKind::CodecReplaced,
    NoticeKind::TrackFailed,
    NoticeKind::PeerUnreadable,
    NoticeKind::NotAllowed,
    NoticeKind::NotBelow,
    NoticeKind::PersonLeft,
    NoticeKind::RightImpossible,
    NoticeKind::TooManyRoles,
    NoticeKind::KeysMissing,
    NoticeKind::NotRemoved,
    NoticeKind::ChangeRejected,
    NoticeKind::KeysUnreadable,
    NoticeKind::KeysReported,
    NoticeKind::Reconnecting,
    NoticeKind::Reconnected,
    NoticeKind::OldLinkRefused,
    NoticeKind::WrongClock,
    NoticeKind::Refused,
    NoticeKind::Forged,
    NoticeKind::LinkNotChanged,
];

/// The Fluent id of the sentence of a notice of the engine.
pub const fn notice(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::NoCamera => "notice-no-camera",
        NoticeKind::CameraTaken => "notice-camera-taken",
        NoticeKind::CameraLost => "notice-camera-lost",
        NoticeKind::CameraFailed => "notice-camera-failed",
        NoticeKind::NoSound => "notice-no-sound",
        NoticeKind::NoMicrophone => "notice-no-microphone",
        NoticeKind::NoSpeaker => "notice-no-speaker",
        NoticeKind::SoundRefused => "notice-sound-refused",
        NoticeKind::SoundLost => "notice-sound-lost",
        NoticeKind::SoundBack => "notice-sound-back",
        NoticeKind::MissingFile => "notice-missing-file",
        NoticeKind::BadFile => "notice-bad-file",
        NoticeKind::FileFormat => "notice-file-format",
        NoticeKind::SoundFormat => "notice-sound-format",
        NoticeKind::NotWritten => "notice-not-written",
        NoticeKind::DiskFull => "notice-disk-full",
        NoticeKind::NoScreen => "notice-no-screen",
        NoticeKind::ScreenFormat => "notice-screen-format",
        NoticeKind::TooNarrow => "notice-too-narrow",
        NoticeKind::StillWaiting => "notice-still-waiting",
        NoticeKind::NobodyAdmits => "notice-nobody-admits",
        NoticeKind::Overloaded => "notice-overloaded",
        NoticeKind::CodecReplaced => "notice-codec-replaced",
        NoticeKind::TrackFailed => "notice-track-failed",
        NoticeKind::PeerUnreadable => "notice-peer-unreadable",
        NoticeKind::NotAllowed => "notice-not-allowed",
        NoticeKind::NotBelow => "notice-not-below",
        NoticeKind::PersonLeft => "notice-person-left",
        NoticeKind::RightImpossible => "notice-right-impossible",
        NoticeKind::TooManyRoles => "notice-too-many-roles",
        NoticeKind::KeysMissing => "notice-keys-missing",
        NoticeKind::NotRemoved => "notice-not-removed",
        NoticeKind::ChangeRejected => "notice-change-rejected",
        NoticeKind::KeysUnreadable => "notice-keys-unreadable",
        NoticeKind::KeysReported => "notice-keys-reported",
        NoticeKind::Reconnecting => "notice-reconnecting",
        NoticeKind::Reconnected => "notice-reconnected",
        NoticeKind::OldLinkRefused => "notice-old-link-refused",
        NoticeKind::WrongClock => "notice-wrong-clock",
        NoticeKind::Refused => "notice-refused",
        NoticeKind::Forged => "notice-forged",
        NoticeKind::LinkNotChanged => "notice-link-not-changed",
    }
}

/// The id of the text that says where the cause is.
pub const fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::Here => "fault-here",
        Fault::Network => "fault-network",
        Fault::Server => "fault-server",
        Fault::Link => "fault-link",
        Fault::Peer => "fault-peer",
    }
}

/// Where the cause is. `None` if there is no problem, or if the sentence of the reason already says it.
pub const fn unnamed_fault(reason: &Reason) -> Option<Fault> {
    match reason {
        Reason::Removed
        | Reason::RemovedBy(_)
        | Reason::Refused
        | Reason::Barred
        | Reason::Locked
        | Reason::NotNow
        | Reason::NotInvited
        | Reason::NoRoom
        | Reason::UnreadableRequest
        | Reason::NoGuests
        | Reason::OwnClock { .. }
        | Reason::OrganiserClock { .. }
        | Reason::FalseWelcome => None,
        Reason::Left
        | Reason::Ended
        | Reason::HostStopped
        | Reason::OldLink
        | Reason::Unattended
        | Reason::NoMeeting
        | Reason::Unreachable(_)
        | Reason::SignIn(_)
        | Reason::Proxy(_)
        | Reason::Certificate(_)
        | Reason::Version
        | Reason::ServerSilent
        | Reason::Full
        | Reason::Draining
        | Reason::Server(_)
        | Reason::Forged
        | Reason::Here(_) => reason.fault(),
    }
}

/// The id of the sentence that says why a meeting is over.
pub const fn reason(reason: &Reason) -> &'static str {
    match reason {
        Reason::Left => "ended-left",
        Reason::Removed => "ended-removed",
        Reason::RemovedBy(_) => "ended-removed-by",
        Reason::Refused => "ended-refused",
        Reason::Unattended => "ended-unattended",
        Reason::Barred => "ended-barred",
        Reason::OldLink => "ended-old-link",
        Reason::Locked => "ended-locked",
        Reason::NotNow => "ended-not-now",
        Reason::NotInvited => "ended-not-invited",
        Reason::NoRoom => "ended-no-room",
        Reason::UnreadableRequest => "ended-unreadable-request",
        Reason::NoGuests => "ended-no-guests",
        Reason::OwnClock { .. } => "ended-own-clock",
        Reason::OrganiserClock { .. } => "ended-organiser-clock",
        Reason::Ended => "ended-ended",
        Reason::NoMeeting => "ended-no-meeting",
        Reason::Unreachable(_) => "ended-unreachable",
        Reason::SignIn(_) => "ended-sign-in",
        Reason::Proxy(_) => "ended-proxy",
        Reason::Certificate(_) => "ended-certificate",
        Reason::Version => "ended-version",
        Reason::ServerSilent => "ended-server-silent",
        Reason::Full => "ended-full",
        Reason::Draining => "ended-draining",
        Reason::HostStopped => "ended-host-stopped",
        Reason::Server(_) => "ended-server",
        Reason::Forged => "ended-forged",
        Reason::FalseWelcome => "ended-false-welcome",
        Reason::Here(_) => "ended-here",
    }
}

/// The sentence that says why a meeting is over. It has the name of somebody other than the organiser who removed us.
pub fn reason_text(found: &Reason, language: Language) -> String {
    let name = if let Reason::RemovedBy(name) = found { name.as_str() } else { "" };
    language.with(reason(found), &[("name", name.into())])
}

/// The cause as the system or the server reported it, or how much a clock is ahead, for the details line; empty if there
/// is none.
pub fn detail(reason: &Reason) -> Cow<'_, str> {
    match reason {
        Reason::Unreachable(detail)
        | Reason::SignIn(detail)
        | Reason::Proxy(detail)
        | Reason::Certificate(detail)
        | Reason::Server(detail)
        | Reason::Here(detail) => detail.into(),
        Reason::OwnClock { ahead } | Reason::OrganiserClock { ahead } => clock_difference(*ahead).into(),
        Reason::Barred
        | Reason::OldLink
        | Reason::Locked
        | Reason::NotNow
        | Reason::NotInvited
        | Reason::NoRoom
        | Reason::UnreadableRequest
        | Reason::NoGuests
        | Reason::Ended
        | Reason::Left
        | Reason::Removed
        | Reason::RemovedBy(_)
        | Reason::Refused
        | Reason::Unattended
        | Reason::NoMeeting
        | Reason::Version
        | Reason::ServerSilent
        | Reason::Full
        | Reason::Draining
        | Reason::HostStopped
        | Reason::Forged
        | Reason::FalseWelcome => "".into(),
    }
}

/// The id of the sentence that says what is wrong with a link.
#[expect(clippy::wildcard_enum_match_arm, reason = "the error type is non-exhaustive")]
pub const fn link(error: LinkError) -> &'static str {
    match error {
        LinkError::NotALink => "link-not-a-link",
        LinkError::BadHost | LinkError::BadPort => "link-host",
        LinkError::NoSecret | LinkError::Truncated => "link-truncated",
        LinkError::OtherVersion(_) => "link-version",
        _ => "link-damaged",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_link_has_a_sentence_that_says_what_is_wrong() {
        for (text, expected) in [
            ("hello", "link-not-a-link"),
            ("https://example.org", "link-not-a-link"),
            ("conclave://", "link-host"),
            ("conclave://host:1/", "link-truncated"),
            ("conclave://host:1/#", "link-truncated"),
            ("conclave://host:1/#**", "link-damaged"),
        ] {
            let error = text.parse::<engine::Invitation>().err();
            assert_eq!(error.map(link), Some(expected), "{text}");
        }
    }
}
