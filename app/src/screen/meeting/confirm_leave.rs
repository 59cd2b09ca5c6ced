//! The dialog that the shortcut to leave opens: a key that is pressed by mistake must not end the meeting for the user.

use super::{LeaveQuestion, Meeting, Message};
use crate::kit::modal;
use crate::model::MeetingModel;
use crate::screen::Context;
use crate::screen::confirmation::{self, Texts};

/// The dialog; `None` if the user is not asked.
pub(super) fn dialog<'a>(screen: &Meeting, context: &Context) -> Option<modal::Dialog<'a, Message>> {
    screen.leaving.filter(|question| *question == LeaveQuestion::Whether)?;
    let texts = Texts {
        title: context.text("leave-title"),
        meaning: context.text(meaning(&screen.model)),
        confirm: context.text("meeting-leave"),
    };
    Some(confirmation::dialog(texts, Message::LeavePressed, Message::DialogClosed, context))
}

/// The id of the sentence that says what leaving means. The last participant to leave ends the meeting.
fn meaning(model: &MeetingModel) -> &'static str {
    match (model.organiser, model.viewers() > 0) {
        (_, false) => "leave-end-alone-text",
        (true, true) => "leave-leave-text",
        (false, true) => "leave-guest-text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{Microphone, ParticipantId, Person};

    #[test]
    fn nobody_reads_that_a_meeting_goes_on_that_ends() {
        let person = |id| Person {
            id: ParticipantId(id),
            name: String::new(),
            me: id == 1,
            organiser: false,
            device: String::new(),
            microphone: Microphone::On,
            camera: true,
            screen: false,
        };
        for (organiser, people, expected) in [
            (true, 1, "leave-end-alone-text"),
            (false, 1, "leave-end-alone-text"),
            (true, 3, "leave-leave-text"),
            (false, 3, "leave-guest-text"),
        ] {
            let people = (1..=people).map(person).collect();
            assert_eq!(meaning(&MeetingModel { organiser, people, ..MeetingModel::default() }), expected);
        }
    }
}
