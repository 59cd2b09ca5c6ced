//! Notices of the window to the user during a meeting.

use engine::{Fault, Rights, Role, Slot};

use super::{detail, rights, sentence};
use crate::announce;
use crate::locale::Language;

/// What a notice is about. Each kind has a sentence, and a second text with advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// A notice of the engine.
    Engine(engine::NoticeKind),
    /// Nobody in the meeting can admit people any more. The engine reports [`engine::NoticeKind::NobodyAdmits`] both to
    /// people who wait and to people in the meeting, who need a different sentence.
    OrganiserLeft,
    /// There is no usable GPU.
    NoGpu,
    /// The system's keychain does not store this device's key.
    NoKeychain,
    /// The link is in the clipboard.
    LinkCopied,
    /// The link has changed, because we removed somebody.
    LinkChanged,
    /// The statistics were written to a file. The detail is its path.
    StatisticsSaved,
    /// The chat was written to a file. The detail is its path.
    ChatSaved,
    /// A participant has mentioned us in the chat. The file is the name of the participant.
    Mentioned,
    /// A change in the chat was not carried out.
    ChatNotChanged,
    /// The browser cannot be opened.
    NoBrowser,
    /// A manager does not let us send in this slot any more. The file is the manager.
    Stopped(Slot),
    /// A manager lets us send in this slot again. The file is the manager.
    Allowed(Slot),
    /// A manager granted us these rights. The file is the manager.
    Granted(Rights),
    /// A manager withdrew these rights from us. The file is the manager.
    Withdrawn(Rights),
    /// A manager gave us this role. The file is the manager.
    RoleChanged(Role),
    /// We are the organiser, because we were next in line.
    Succeeded,
    /// A manager lowered our hand. The file is the manager.
    HandLowered,
    /// We cannot switch this on, because an organiser must allow it first.
    Forbidden(Slot),
    /// A participant comes with another device than the known one. The file is the participant.
    OtherDevice,
    /// The file of known devices was damaged, and has another name now.
    DevicesDamaged,
    /// Others have other keys than we. The file is their names.
    Forked,
    /// Nothing is heard of others whom the server reports as connected. The file is their names.
    Unheard,
    /// The server counts the epochs otherwise for people who have our keys. The file is the people.
    Misnumbered,
    /// All have the same keys again.
    Agreed,
    /// We had other keys than a manager, and join again. The file is the manager.
    OtherGroup,
    /// A participant compares pictures with everybody. The file is the participant.
    PicturesReady,
    /// A participant asks us to read a phrase aloud. The file is the participant.
    ReadPhrase,
}

impl NoticeKind {
    /// All kinds except those of the engine.
    pub const OF_WINDOW: [Self; 37] = [
        Self::OrganiserLeft,
        Self::NoGpu,
        Self::NoKeychain,
        Self::LinkCopied,
        Self::LinkChanged,
        Self::StatisticsSaved,
        Self::ChatSaved,
        Self::Mentioned,
        Self::ChatNotChanged,
        Self::NoBrowser,
        Self::Stopped(Slot::Microphone),
        Self::Stopped(Slot::Camera),
        Self::Stopped(Slot::Screen),
        Self::Allowed(Slot::Microphone),
        Self::Allowed(Slot::Camera),
        Self::Allowed(Slot::Screen),
        Self::Granted(Rights::RECORD),
        Self::Withdrawn(Rights::CHAT),
        Self::RoleChanged(Role::Organiser),
        Self::RoleChanged(Role::CoOrganiser),
        Self::RoleChanged(Role::Presenter),
        Self::RoleChanged(Role::Participant),
        Self::RoleChanged(Role::Guest),
        Self::Succeeded,
        Self::HandLowered,
        Self::Forbidden(Slot::Microphone),
        Self::Forbidden(Slot::Camera),
        Self::Forbidden(Slot::Screen),
        Self::OtherDevice,
        Self::DevicesDamaged,
        Self::Forked,
        Self::Unheard,
        Self::Misnumbered,
        Self::Agreed,
        Self::OtherGroup,
        Self::PicturesReady,
        Self::ReadPhrase,
    ];

    /// The Fluent id of its sentence; the advice is its attribute.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Engine(kind) => sentence::notice(kind),
            Self::OrganiserLeft => "notice-organiser-left",
            Self::NoGpu => "notice-no-gpu",
            Self::NoKeychain => "notice-no-keychain",
            Self::LinkCopied => "notice-link-copied",
            Self::LinkChanged => "notice-link-changed",
            Self::StatisticsSaved => "notice-statistics-saved",
            Self::ChatSaved => "notice-chat-saved",
            Self::Mentioned => "notice-mentioned",
            Self::ChatNotChanged => "notice-chat-not-changed",
            Self::NoBrowser => "notice-no-browser",
            Self::Stopped(Slot::Microphone) => "notice-muted-by",
            Self::Stopped(Slot::Camera) => "notice-camera-stopped-by",
            Self::Stopped(Slot::Screen) => "notice-share-stopped-by",
            Self::Allowed(Slot::Microphone) => "notice-microphone-allowed",
            Self::Allowed(Slot::Camera) => "notice-camera-allowed",
            Self::Allowed(Slot::Screen) => "notice-share-allowed",
            Self::Granted(_) => "notice-rights-granted",
            Self::Withdrawn(_) => "notice-rights-withdrawn",
            Self::RoleChanged(Role::Organiser) => "notice-role-organiser",
            Self::RoleChanged(Role::CoOrganiser) => "notice-role-co-organiser",
            Self::RoleChanged(Role::Presenter) => "notice-role-presenter",
            Self::RoleChanged(Role::Participant) => "notice-role-participant",
            Self::RoleChanged(Role::Guest) => "notice-role-guest",
            Self::Succeeded => "notice-succeeded",
            Self::HandLowered => "notice-hand-lowered",
            Self::Forbidden(Slot::Microphone) => "notice-may-not-speak",
            Self::Forbidden(Slot::Camera) => "notice-may-not-camera",
            Self::Forbidden(Slot::Screen) => "notice-may-not-share",
            Self::OtherDevice => "notice-other-device",
            Self::DevicesDamaged => "notice-devices-damaged",
            Self::Forked => "notice-forked",
            Self::Unheard => "notice-unheard",
            Self::Misnumbered => "notice-misnumbered",
            Self::Agreed => "notice-agreed",
            Self::OtherGroup => "notice-other-group",
            Self::PicturesReady => "notice-pictures-ready",
            Self::ReadPhrase => "notice-read-phrase",
        }
    }

    /// Where the cause is; `None` if there is no problem.
    pub const fn fault(self) -> Option<Fault> {
        match self {
            Self::Engine(engine::NoticeKind::SoundBack | engine::NoticeKind::Reconnected)
            | Self::LinkCopied
            | Self::LinkChanged
            | Self::StatisticsSaved
            | Self::ChatSaved
            | Self::Mentioned
            | Self::Stopped(_)
            | Self::Allowed(_)
            | Self::Granted(_)
            | Self::Withdrawn(_)
            | Self::RoleChanged(_)
            | Self::Succeeded
            | Self::HandLowered
            | Self::Agreed
            | Self::PicturesReady
            | Self::ReadPhrase
            | Self::Forbidden(_) => None,
            Self::Engine(kind) => Some(kind.fault()),
            Self::OrganiserLeft | Self::OtherDevice => Some(Fault::Peer),
            Self::NoGpu | Self::DevicesDamaged | Self::NoKeychain | Self::ChatNotChanged | Self::NoBrowser => {
                Some(Fault::Here)
            }
            Self::Forked | Self::Unheard | Self::Misnumbered | Self::OtherGroup => Some(Fault::Server),
        }
    }

    /// Whether its announcement interrupts other speech: the others no longer hear the user, or the user no longer hears
    /// them.
    pub const fn is_urgent(self) -> bool {
        use engine::NoticeKind::{Forged, NoMicrophone, NoSound, NoSpeaker, SoundLost, SoundRefused};
        matches!(
            self,
            Self::OtherDevice
                | Self::Forked
                | Self::Engine(NoMicrophone | NoSound | NoSpeaker | SoundLost | SoundRefused | Forged)
                | Self::ReadPhrase
        )
    }

    /// Whether the notice still matters after the meeting: a recording is not complete.
    pub const fn outlives_meeting(self) -> bool {
        matches!(self, Self::Engine(engine::NoticeKind::NotWritten | engine::NoticeKind::DiskFull))
    }

    /// Whether the notice is only added to the list and not shown over the meeting, because the user cannot solve the
    /// problem during the meeting.
    pub const fn is_quiet(self) -> bool {
        matches!(self, Self::NoGpu | Self::NoKeychain | Self::Engine(engine::NoticeKind::CodecReplaced))
    }
}

impl From<engine::NoticeKind> for NoticeKind {
    fn from(kind: engine::NoticeKind) -> Self {
        Self::Engine(kind)
    }
}

/// One notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it is about.
    pub kind: NoticeKind,
    /// The name of the file, or of the participant, that it is about; `None` if it is about neither.
    pub file: Option<String>,
    /// The cause as the system or the server reported it, often in English; empty if there is none.
    pub detail: String,
}

impl Notice {
    /// The sentence that says what happened.
    pub fn sentence(&self, language: Language) -> String {
        self.text(self.kind.id(), language)
    }

    /// What the user can do.
    pub fn advice(&self, language: Language) -> String {
        self.text(&format!("{}.advice", self.kind.id()), language)
    }

    /// What assistive tools announce: the sentence, and the advice if there is a problem or our rights have changed.
    pub fn announcement(&self, language: Language) -> String {
        let about_rights = matches!(
            self.kind,
            NoticeKind::Stopped(_)
                | NoticeKind::Allowed(_)
                | NoticeKind::Granted(_)
                | NoticeKind::Withdrawn(_)
                | NoticeKind::Forbidden(_)
                | NoticeKind::RoleChanged(_)
                | NoticeKind::PicturesReady
                | NoticeKind::ReadPhrase
        );
        match self.kind.fault() {
            None if about_rights => announce::join(&[self.sentence(language), self.advice(language)]),
            Some(_) => announce::join(&[self.sentence(language), self.advice(language)]),
            None => self.sentence(language),
        }
    }

    fn text(&self, id: &str, language: Language) -> String {
        let name = self.file.as_deref().unwrap_or_default();
        if let NoticeKind::Granted(changed) | NoticeKind::Withdrawn(changed) = self.kind {
            let changed = rights::names(changed, language);
            return language.with(id, &[("name", name.into()), ("rights", changed.into())]);
        }
        language.with(id, &[("name", name.into())])
    }

    /// The cause, for the details line; empty if there is none, or if the sentence contains it.
    pub fn details(&self, language: Language) -> String {
        match self.kind {
            NoticeKind::Engine(engine::NoticeKind::MissingFile) => String::new(),
            // The name of a participant, or of a file and its format.
            NoticeKind::Engine(
                engine::NoticeKind::NotRemoved
                | engine::NoticeKind::ChangeRejected
                | engine::NoticeKind::KeysUnreadable
                | engine::NoticeKind::KeysReported
                | engine::NoticeKind::FileFormat
                | engine::NoticeKind::Forged,
            )
            | NoticeKind::StatisticsSaved
            | NoticeKind::ChatSaved => self.detail.clone(),
            NoticeKind::Engine(_)
            | NoticeKind::OrganiserLeft
            | NoticeKind::NoGpu
            | NoticeKind::NoKeychain
            | NoticeKind::LinkCopied
            | NoticeKind::LinkChanged
            | NoticeKind::Mentioned
            | NoticeKind::ChatNotChanged
            | NoticeKind::NoBrowser
            | NoticeKind::Stopped(_)
            | NoticeKind::Allowed(_)
            | NoticeKind::Granted(_)
            | NoticeKind::Withdrawn(_)
            | NoticeKind::RoleChanged(_)
            | NoticeKind::Succeeded
            | NoticeKind::HandLowered
            | NoticeKind::OtherDevice
            | NoticeKind::DevicesDamaged
            | NoticeKind::Forked
            | NoticeKind::Unheard
            | NoticeKind::Misnumbered
            | NoticeKind::Agreed
            | NoticeKind::OtherGroup
            | NoticeKind::PicturesReady
            | NoticeKind::ReadPhrase
            | NoticeKind::Forbidden(_) => detail::in_language(&self.detail, language),
        }
    }
}

impl From<engine::Notice> for Notice {
    fn from(notice: engine::Notice) -> Self {
        Self { kind: notice.kind.into(), file: notice.file, detail: notice.detail }
    }
}
