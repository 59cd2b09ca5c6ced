//! The notices that follow from events of an engine, also of one in the background.

use engine::Event;

use crate::locale::Language;
use crate::model::{Notice, moderation};
use crate::screen::meeting;

/// Returns the notices to show for an event. The window shows a banner while the connection is lost, and no notice.
pub(super) fn notices(screen: &mut meeting::Meeting, event: &Event, language: Language) -> Vec<Notice> {
    match event {
        Event::OwnRightsChanged(change) => moderation::notices(change, language),
        Event::HandLowered { by } => vec![moderation::hand_lowered(by.as_ref(), language)],
        Event::Notice(notice) if notice.kind == engine::NoticeKind::Reconnecting => Vec::new(),
        Event::Notice(notice) => vec![screen.model.notice(notice)],
        Event::Chat(_) => screen.model.chat.take_notice().into_iter().collect(),
        Event::People(_) => screen.model.identities.take_notices(),
        Event::Verification(_) => screen.model.verification.take_notice().into_iter().collect(),
        Event::Progress(_)
        | Event::Entered { .. }
        | Event::LinkChanged { .. }
        | Event::AsksToJoin { .. }
        | Event::StoppedAsking(_)
        | Event::Policy(_)
        | Event::Hands(_)
        | Event::Locked(_)
        | Event::Speaking(_)
        | Event::Level(_)
        | Event::Microphone(_)
        | Event::Camera(_)
        | Event::Sharing(_)
        | Event::Second(_)
        | Event::DoubtedTracks(_)
        | Event::Totals(_)
        | Event::Lobby(_)
        | Event::Ended(_) => Vec::new(),
    }
}
