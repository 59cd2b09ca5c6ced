//! Notices about sound, from the warnings of the sound engine.

use crate::event::{Notice, NoticeKind};
use audio::device::Error;
use audio::{Direction, Warning};

/// Takes the sound engine's warnings. While its first devices open, warnings are held back: a computer without any sound
/// device gets one notice, not two.
#[derive(Default)]
pub struct SoundWarnings {
    early: Vec<Warning>,
    opened: bool,
}

/// What [`SoundWarnings::take`] found.
pub struct Found {
    /// For the screens.
    pub notices: Vec<Notice>,
    /// True if there is no microphone any more.
    pub microphone_lost: bool,
}

impl SoundWarnings {
    /// The warnings of `audio` since the last call.
    pub fn take(&mut self, audio: &audio::Engine) -> Found {
        // Read first: later warnings come with the next call.
        let opened = audio.is_open();
        self.add(opened, audio.take_warnings())
    }

    fn add(&mut self, opened: bool, found: Vec<Warning>) -> Found {
        let microphone_lost = found.iter().any(takes_the_microphone);
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

/// Notices of what failed when the devices opened for the first time.
pub fn warnings(warnings: &[Warning]) -> Vec<Notice> {
    let missing =
        |warning: &&Warning| matches!(warning, Warning::Unavailable { error: Error::Missing(_) | Error::Silent, .. });
    if warnings.iter().filter(missing).count() > 1 {
        return vec![Notice { kind: NoticeKind::NoSound, detail: "no microphone and no loudspeaker".into() }];
    }
    warnings.iter().map(warning).collect()
}

/// The notice of one warning.
pub fn warning(warning: &Warning) -> Notice {
    let kind = match warning {
        Warning::Unavailable { error: Error::Read { .. } | Error::Empty(_) | Error::Write { .. }, .. } => {
            NoticeKind::BadFile
        }
        Warning::Unavailable { direction: Direction::Microphone, .. } => NoticeKind::NoMicrophone,
        Warning::Unavailable { direction: Direction::Speaker, .. } => NoticeKind::NoSpeaker,
        Warning::Lost { .. } | Warning::Replaced { .. } => NoticeKind::SoundLost,
        // Any other failure of the sound engine leaves no sound.
        Warning::Codec(_) | Warning::Thread(_) | _ => NoticeKind::NoSound,
    };
    Notice { kind, detail: with_causes(warning) }
}

/// True if the warning means that there is no microphone to send.
fn takes_the_microphone(warning: &Warning) -> bool {
    matches!(
        warning,
        Warning::Unavailable { direction: Direction::Microphone, .. } | Warning::Codec(_) | Warning::Thread(_)
    )
}

/// An error and its causes: the last one names the file or the device.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(direction: Direction) -> Warning {
        Warning::Unavailable { direction, error: Error::Missing(direction) }
    }

    fn kinds(found: &Found) -> Vec<NoticeKind> {
        found.notices.iter().map(|notice| notice.kind).collect()
    }

    #[test]
    fn a_computer_without_sound_gets_one_notice_when_both_devices_were_tried() {
        let mut warnings = SoundWarnings::default();
        let first = warnings.add(false, vec![missing(Direction::Microphone)]);
        assert!(first.microphone_lost && first.notices.is_empty());
        let both = warnings.add(true, vec![missing(Direction::Speaker)]);
        assert_eq!(kinds(&both), [NoticeKind::NoSound]);
        let later = warnings.add(true, vec![missing(Direction::Microphone)]);
        assert_eq!(kinds(&later), [NoticeKind::NoMicrophone]);
    }
}
