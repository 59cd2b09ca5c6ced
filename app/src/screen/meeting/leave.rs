//! The dialog that asks how to leave: shown to an organiser whose leaving changes something for the others.

use iced::widget::{Column, column, container, row, scrollable, space};
use iced::{Alignment, Length};

use super::{Meeting, Message};
use crate::kit::{Element, Icon, icon, modal, press, text};
use crate::model::MeetingModel;
use crate::screen::Context;
use crate::theme::{self, Look, RING, SPACE_L, SPACE_M, SPACE_S, SPACE_XL, TARGET_FORM, Tone};

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

/// The dialog; `None` if it is not open.
pub(super) fn dialog<'a>(screen: &Meeting, context: &Context) -> Option<modal::Dialog<'a, Message>> {
    let model = Some(&screen.model).filter(|_| screen.leaving)?;
    let label = context.text("leave-title");
    let answers = answers(model).iter().map(|answer| option(*answer, model, context));
    let cancel = press(text::strong(context.text("action-cancel")), "", Some(Message::DialogClosed)).id("cancel");
    let buttons = row![space().width(Length::Fill), Element::from(cancel.height(TARGET_FORM))];
    // In a small window the answers scroll, so that the button stays visible.
    let answers = Column::with_children(answers).spacing(SPACE_M).padding(RING_SPACE);
    let answers = scrollable(answers);
    let max_height = (context.size.height - OTHER_PARTS).max(MIN_LIST_HEIGHT);
    let answers = container(answers).max_height(max_height);
    let inside = column![text::title(label.clone()), answers, buttons].spacing(SPACE_L);
    let inside = container(inside).padding(SPACE_XL).width(Length::Fill).style(theme::dialog);
    Some(modal::Dialog { label, content: inside.into(), width: WIDTH, on_close: Message::DialogClosed })
}

/// One answer: what it is called, and what it means for the others.
fn option<'a>(answer: Answer, model: &MeetingModel, context: &Context) -> Element<'a, Message> {
    let (symbol, name) = match answer {
        Answer::Leave => (Icon::Leave, "leave-leave"),
        Answer::End if model.viewers() == 0 => (Icon::Close, "leave-end-alone"),
        Answer::End => (Icon::Close, "leave-end"),
        Answer::Host => (Icon::Clock, "leave-host"),
    };
    let tone = if answer == Answer::End { Tone::Danger } else { Tone::Accent };
    let (name, meaning) = (context.text(name), context.text(meaning(answer, model)));
    let words = column![text::strong(name.clone()), text::small(meaning.clone()).style(text::tone(Tone::Dim))];
    let inside = row![icon(symbol).tone(tone), words.spacing(2.0).width(Length::Fill)];
    let inside = container(inside.spacing(SPACE_M).align_y(Alignment::Center)).padding([SPACE_S, 0.0]);
    press(inside, &name, Some(Message::LeaveAnswered(answer)))
        .id(id(answer))
        .description(Some(meaning))
        .look(Look::Field)
        .width(Length::Fill)
        .height(OPTION_HEIGHT)
        .into()
}

const fn id(answer: Answer) -> &'static str {
    match answer {
        Answer::Leave => "leave-leave",
        Answer::End => "leave-end",
        Answer::Host => "leave-host",
    }
}

/// The id of the sentence that says what an answer means for the others.
fn meaning(answer: Answer, model: &MeetingModel) -> &'static str {
    match (answer, model.is_hosted(), model.viewers() > 0) {
        (Answer::Leave, true, _) => "leave-leave-hosted-text",
        (Answer::Leave, false, _) => "leave-leave-text",
        (Answer::End, _, true) => "leave-end-text",
        (Answer::End, _, false) => "leave-end-alone-text",
        (Answer::Host, _, true) => "leave-host-text",
        (Answer::Host, _, false) => "leave-host-alone-text",
    }
}

/// The maximum width of the dialog, in logical pixels.
const WIDTH: f32 = 520.0;
/// The minimum height of an answer, in logical pixels: its name, and two lines of text.
const OPTION_HEIGHT: f32 = 84.0;
/// Space for the focus ring of an answer, in logical pixels.
const RING_SPACE: f32 = 2.0 * RING;
/// The height of the other parts of the dialog, and of the space around it, in logical pixels.
const OTHER_PARTS: f32 = 192.0;
/// The minimum height of the list of answers, in logical pixels.
const MIN_LIST_HEIGHT: f32 = 120.0;

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{Microphone, ParticipantId, Person};

    fn model(organiser: bool, hosted: bool, people: u64) -> MeetingModel {
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
