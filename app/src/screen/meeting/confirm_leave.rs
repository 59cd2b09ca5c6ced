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
    use crate::screen::meeting::leave::tests::model;

    #[test]
    fn the_dialog_says_that_the_meeting_ends_if_nobody_else_is_in_it() {
        for (organiser, people, expected) in [
            (true, 1, "leave-end-alone-text"),
            (false, 1, "leave-end-alone-text"),
            (true, 3, "leave-leave-text"),
            (false, 3, "leave-guest-text"),
        ] {
            assert_eq!(meaning(&model(organiser, false, people)), expected);
        }
    }
}
