//! Notices of the window to the user during a meeting.

use engine::Fault;

use super::{detail, sentence};
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
}

impl NoticeKind {
    /// All kinds except those of the engine.
    pub const OF_WINDOW: [Self; 6] = [
        Self::OrganiserLeft,
        Self::NoGpu,
        Self::NoKeychain,
        Self::LinkCopied,
        Self::LinkChanged,
        Self::StatisticsSaved,
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
        }
    }

    /// Where the cause is; `None` if there is no problem.
    pub const fn fault(self) -> Option<Fault> {
        match self {
            Self::Engine(engine::NoticeKind::SoundBack | engine::NoticeKind::Reconnected)
            | Self::LinkCopied
            | Self::LinkChanged
            | Self::StatisticsSaved => None,
            Self::Engine(kind) => Some(kind.fault()),
            Self::OrganiserLeft => Some(Fault::Peer),
            Self::NoGpu | Self::NoKeychain => Some(Fault::Here),
        }
    }

    /// Whether its announcement interrupts other speech: the others no longer hear the user, or the user no longer hears
    /// them.
    pub const fn is_urgent(self) -> bool {
        use engine::NoticeKind::{NoMicrophone, NoSound, NoSpeaker, SoundLost, SoundRefused};
        matches!(self, Self::Engine(NoMicrophone | NoSound | NoSpeaker | SoundLost | SoundRefused))
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
    /// The name of the file that it is about; `None` if it is not about a file.
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

    /// What assistive tools announce: the sentence, and the advice if there is a problem.
    pub fn announcement(&self, language: Language) -> String {
        match self.kind.fault() {
            Some(_) => announce::join(&[self.sentence(language), self.advice(language)]),
            None => self.sentence(language),
        }
    }

    fn text(&self, id: &str, language: Language) -> String {
        let name = self.file.as_deref().unwrap_or_default();
        language.with(id, &[("name", name.into())])
    }

    /// The cause, for the details line; empty if there is none, or if the sentence contains it.
    pub fn details(&self, language: Language) -> String {
        match self.kind {
            NoticeKind::Engine(engine::NoticeKind::MissingFile) => String::new(),
            // The name of a participant, or of a file and its format.
            NoticeKind::Engine(
                engine::NoticeKind::NotRemoved | engine::NoticeKind::ChangeRejected | engine::NoticeKind::FileFormat,
            )
            | NoticeKind::StatisticsSaved => self.detail.clone(),
            NoticeKind::Engine(_)
            | NoticeKind::OrganiserLeft
            | NoticeKind::NoGpu
            | NoticeKind::NoKeychain
            | NoticeKind::LinkCopied
            | NoticeKind::LinkChanged => detail::in_language(&self.detail, language),
        }
    }
}

impl From<engine::Notice> for Notice {
    fn from(notice: engine::Notice) -> Self {
        Self { kind: notice.kind.into(), file: notice.file, detail: notice.detail }
    }
}
