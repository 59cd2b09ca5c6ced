//! The sentences that say why a picture is reduced, and who can change it.

use engine::{Limitation, ResponsibleParty, Slot, VideoStats};

use crate::locale::Language;

/// The Fluent id of the sentence for the picture of another participant. Its attribute `short` is the label on the tile.
const fn id(limitation: Limitation, slot: Slot) -> &'static str {
    match limitation {
        Limitation::Reconnecting => "limit-reconnecting",
        Limitation::SenderReconnecting => "limit-sender-reconnecting",
        Limitation::Connecting => "limit-connecting",
        Limitation::NotVisible => "limit-not-visible",
        Limitation::SoundOnly => "limit-sound-only",
        Limitation::DownlinkNarrow => "limit-downlink-narrow",
        Limitation::DownlinkLoss => "limit-downlink-loss",
        Limitation::OwnUplink => "limit-own-uplink",
        Limitation::OwnReceiveLimit => "limit-own-receive",
        Limitation::PolicyReceiveLimit => "limit-policy-receive",
        Limitation::IncomingVideoOff => "limit-incoming-off",
        Limitation::OwnSendLimit => "limit-own-send",
        Limitation::PolicySendLimit => "limit-policy-send",
        Limitation::OwnBattery => "limit-own-battery",
        Limitation::OwnHeat => "limit-own-heat",
        Limitation::OwnComputer => "limit-own-computer",
        Limitation::SenderUplink => "limit-sender-uplink",
        Limitation::SenderComputer => "limit-sender-computer",
        Limitation::SenderSource => match slot {
            Slot::Screen => "limit-sender-screen",
            Slot::Camera | Slot::Microphone => "limit-sender-camera",
        },
        Limitation::Sender => "limit-sender",
        Limitation::Server => "limit-server",
    }
}

/// The sentence about the picture of another participant.
pub fn sentence(limitation: Limitation, name: &str, slot: Slot, language: Language) -> String {
    language.with(id(limitation, slot), &[("name", name.into())])
}

/// The label on a tile.
pub fn label(limitation: Limitation, slot: Slot, language: Language) -> String {
    language.text(&format!("{}.short", id(limitation, slot)))
}

/// The sentence about what we send.
pub fn own_sentence(limitation: Limitation, language: Language) -> String {
    let is_computer = limitation == Limitation::OwnComputer;
    language.text(if is_computer { "limit-own-computer-sent" } else { id(limitation, Slot::Camera) })
}

/// The line that names the owner of the cause.
pub fn cause(limitation: Limitation, name: &str, language: Language) -> String {
    let owner = match limitation.responsible_party() {
        ResponsibleParty::Computer => "limit-owner-computer",
        ResponsibleParty::You => "limit-owner-you",
        ResponsibleParty::Organisation => "limit-owner-organisation",
        ResponsibleParty::Sender => "limit-owner-sender",
        ResponsibleParty::Server => "limit-owner-server",
        ResponsibleParty::Network => "limit-owner-path",
    };
    let owner = language.with(owner, &[("name", name.into())]);
    language.with("limit-cause", &[("owner", owner.into())])
}

/// A size in pixels, such as "640 × 360".
pub fn size((width, height): (u16, u16)) -> String {
    // A multiplication sign between two narrow no-break spaces.
    format!("{width}\u{202f}×\u{202f}{height}")
}

/// What is shown and what the tile has room for, such as "320 × 180 of 1280 × 720, 24 fps".
pub fn figures(video: &VideoStats, rate: u64, language: Language) -> Option<String> {
    let (shown, wished) = (video.size?, video.wished?);
    let arguments = [("shown", size(shown).into()), ("wished", size(wished).into()), ("rate", rate.into())];
    Some(language.with("limit-figures", &arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All limitations.
    const ALL: [Limitation; 21] = [
        Limitation::Reconnecting,
        Limitation::SenderReconnecting,
        Limitation::Connecting,
        Limitation::NotVisible,
        Limitation::SoundOnly,
        Limitation::DownlinkNarrow,
        Limitation::DownlinkLoss,
        Limitation::OwnUplink,
        Limitation::OwnReceiveLimit,
        Limitation::PolicyReceiveLimit,
        Limitation::IncomingVideoOff,
        Limitation::OwnSendLimit,
        Limitation::PolicySendLimit,
        Limitation::OwnComputer,
        Limitation::OwnBattery,
        Limitation::OwnHeat,
        Limitation::SenderUplink,
        Limitation::SenderComputer,
        Limitation::SenderSource,
        Limitation::Sender,
        Limitation::Server,
    ];

    #[test]
    fn each_limitation_has_a_sentence_a_label_and_an_owner() {
        for (language, limitation) in Language::ALL.into_iter().flat_map(|language| ALL.map(|one| (language, one))) {
            let (sentence, label) =
                (sentence(limitation, "Anne", Slot::Camera, language), label(limitation, Slot::Camera, language));
            assert!(sentence.ends_with('.') && sentence.len() > 20, "{sentence}");
            assert!(!label.contains("limit-") && label.chars().count() <= 28, "{label}: too long for a tile");
            assert!(!cause(limitation, "Anne", language).contains("limit-"));
        }
        let screen = sentence(Limitation::SenderSource, "Anne", Slot::Screen, Language::English);
        assert_eq!(screen, "The screen that Anne shares has no more detail.");
    }

    #[test]
    fn the_sentence_names_the_owner() {
        let of = |limitation| sentence(limitation, "Anne", Slot::Camera, Language::English);
        assert_eq!(of(Limitation::DownlinkNarrow), "Your network is slow: Anne’s video is reduced.");
        assert_eq!(of(Limitation::SenderUplink), "Anne’s network is slow: their video is reduced.");
        assert_eq!(cause(Limitation::SenderUplink, "Anne", Language::English), "Cause: Anne");
        assert_eq!(cause(Limitation::OwnReceiveLimit, "Anne", Language::English), "Cause: you, by a setting");
        assert_eq!(cause(Limitation::PolicySendLimit, "Anne", Language::English), "Cause: your organisation");
        assert_eq!(cause(Limitation::DownlinkNarrow, "Anne", Language::French), "Cause\u{a0}: votre connexion");
        assert_ne!(
            own_sentence(Limitation::OwnComputer, Language::English),
            own_sentence(Limitation::OwnUplink, Language::English)
        );
    }
}
