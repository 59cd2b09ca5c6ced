//! The ways to leave: an organiser whose leaving changes something for the others is asked.

use crate::model::MeetingModel;

/// How the user leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// We leave, and the others go on.
    Leave,
    /// The meeting ends for everybody.
    End,
    /// We stay in the meeting as organiser, without picture and sound, and the window shows the home screen.
    Host,
}

/// The ways to leave, in the order in which they are shown. Empty if leaving needs no question: a guest, and an organiser who
/// is alone on a server elsewhere. A lost connection does not carry the command that ends a meeting; a server on this computer
/// stops without it.
pub fn answers(model: &MeetingModel) -> &'static [Answer] {
    match (model.organiser, model.is_hosted(), model.viewers() > 0) {
        (true, true, true) => &[Answer::Leave, Answer::End, Answer::Host],
        (true, true, false) => &[Answer::Host, Answer::End],
        (true, false, true) if !model.reconnecting => &[Answer::Leave, Answer::End],
        (true, false, _) | (false, ..) => &[],
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use engine::{Microphone, ParticipantId, Person};

    /// A meeting with this number of people, us included.
    pub(in crate::screen::meeting) fn model(organiser: bool, hosted: bool, people: u64) -> MeetingModel {
        let person = |id| Person {
            id: ParticipantId(id),
            name: String::new(),
            me: id == 1,
            role: engine::Role::Participant,
            rights: engine::Rights::ALL,
            device: String::new(),
            certificate: None,
            microphone: Microphone::On,
            camera: true,
            screen: false,
            connected: true,
        };
        let hosts = if hosted { vec!["192.0.2.1".to_owned()] } else { Vec::new() };
        MeetingModel { organiser, hosts, people: (1..=people).map(person).collect(), ..MeetingModel::default() }
    }

    #[test]
    fn only_an_organiser_is_asked_and_only_if_something_would_be_lost() {
        use Answer::{End, Host, Leave};
        for (organiser, hosted, people, expected) in [
            (true, true, 3, &[Leave, End, Host][..]),
            (true, true, 1, &[Host, End]),
            (true, false, 3, &[Leave, End]),
            (true, false, 1, &[]),
            (false, false, 3, &[]),
        ] {
            assert_eq!(answers(&model(organiser, hosted, people)), expected, "{organiser} {hosted} {people}");
        }
    }

    #[test]
    fn a_lost_connection_offers_no_end_that_could_not_be_sent() {
        let lost = |hosted| MeetingModel { reconnecting: true, ..model(true, hosted, 3) };
        assert_eq!(answers(&lost(false)), []);
        assert!(answers(&lost(true)).contains(&Answer::End), "the server on this computer stops");
    }
}
