//! The quality of each participant's connection, as a mark in the list of people. Pure.

use crate::limitation::Limitation;

/// The quality of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quality {
    /// Sound is interrupted, or there is no picture.
    Poor,
    /// Pictures are reduced, or sound is lost now and then.
    Fair,
    /// Nothing is missing.
    Good,
}

/// What is known of a connection in one second.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectionFigures {
    /// True if the connection to the server is lost.
    pub lost: bool,
    /// Why the participant's pictures are reduced.
    pub limitation: Option<Limitation>,
    /// Packets that the participant's own path loses, in percent.
    pub loss_percent: u8,
    /// The part of the participant's speech that was concealed, in percent.
    pub concealed_percent: u8,
}

impl Quality {
    /// Returns the quality of another participant's connection. Limits that our own path causes do not count.
    #[must_use]
    pub fn of_sender(figures: ConnectionFigures) -> Self {
        let own = matches!(figures.limitation, Some(Limitation::SenderUplink | Limitation::SenderReconnecting));
        if figures.lost {
            return Self::Poor;
        }
        // If we lose packets ourselves, speech that is missing says nothing about the sender.
        let concealed = if figures.loss_percent < FAIR_LOSS { figures.concealed_percent } else { 0 };
        match concealed {
            POOR_CONCEALED.. => Self::Poor,
            FAIR_CONCEALED.. => Self::Fair,
            _ if own => Self::Fair,
            _ => Self::Good,
        }
    }

    /// Returns the quality of our own connection.
    #[must_use]
    pub fn of_own(figures: ConnectionFigures) -> Self {
        let narrow = match figures.limitation {
            Some(Limitation::SoundOnly | Limitation::Reconnecting) => return Self::Poor,
            Some(Limitation::DownlinkNarrow | Limitation::DownlinkLoss | Limitation::OwnUplink) => true,
            Some(
                Limitation::SenderReconnecting
                | Limitation::Connecting
                | Limitation::NotVisible
                | Limitation::OwnReceiveLimit
                | Limitation::PolicyReceiveLimit
                | Limitation::IncomingVideoOff
                | Limitation::OwnSendLimit
                | Limitation::PolicySendLimit
                | Limitation::OwnComputer
                | Limitation::OwnBattery
                | Limitation::OwnHeat
                | Limitation::SenderUplink
                | Limitation::SenderComputer
                | Limitation::SenderSource
                | Limitation::Sender
                | Limitation::Server,
            )
            | None => false,
        };
        if figures.lost {
            return Self::Poor;
        }
        match figures.loss_percent {
            POOR_LOSS.. => Self::Poor,
            FAIR_LOSS.. => Self::Fair,
            _ if narrow => Self::Fair,
            _ => Self::Good,
        }
    }
}

/// The loss in percent from which a connection is fair, and from which it is poor.
const FAIR_LOSS: u8 = 3;
const POOR_LOSS: u8 = 15;

/// The concealed part of speech in percent from which a connection is fair, because a listener notices it, and from which it is
/// poor, because speech is hard to follow.
const FAIR_CONCEALED: u8 = 3;
const POOR_CONCEALED: u8 = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_participant_is_marked_for_its_own_path_only() {
        let of = |figures| Quality::of_sender(figures);
        let good = ConnectionFigures::default();
        for (figures, expected, what) in [
            (good, Quality::Good, "nothing is missing"),
            (ConnectionFigures { lost: true, ..good }, Quality::Poor, "cut off"),
            (ConnectionFigures { limitation: Some(Limitation::SenderUplink), ..good }, Quality::Fair, "its uplink"),
            (ConnectionFigures { limitation: Some(Limitation::DownlinkNarrow), ..good }, Quality::Good, "our downlink"),
            (ConnectionFigures { concealed_percent: 20, ..good }, Quality::Poor, "its sound is lost"),
            (ConnectionFigures { concealed_percent: 20, loss_percent: 20, ..good }, Quality::Good, "we lose it"),
        ] {
            assert_eq!(of(figures), expected, "{what}");
        }
    }

    #[test]
    fn our_own_mark_is_that_of_our_path() {
        let good = ConnectionFigures::default();
        for (figures, expected) in [
            (good, Quality::Good),
            (ConnectionFigures { limitation: Some(Limitation::SenderUplink), ..good }, Quality::Good),
            (ConnectionFigures { limitation: Some(Limitation::DownlinkNarrow), ..good }, Quality::Fair),
            (ConnectionFigures { limitation: Some(Limitation::SoundOnly), ..good }, Quality::Poor),
            (ConnectionFigures { loss_percent: 4, ..good }, Quality::Fair),
            (ConnectionFigures { loss_percent: 30, ..good }, Quality::Poor),
            (ConnectionFigures { lost: true, ..good }, Quality::Poor),
        ] {
            assert_eq!(Quality::of_own(figures), expected, "{figures:?}");
        }
    }
}
