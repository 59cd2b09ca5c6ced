//! The dialog that asks how to leave: shown to an organiser whose leaving changes something for the others.

use iced::widget::{Column, column, container, row, scrollable, space};
use iced::{Alignment, Length};

use super::leave::{Answer, answers};
use super::{LeaveQuestion, Meeting, Message};
use crate::kit::{Element, Icon, heading, icon, modal, press, text};
use crate::model::MeetingModel;
use crate::screen::Context;
use crate::theme::{self, Look, RING, SPACE_L, SPACE_M, SPACE_S, SPACE_XL, TARGET_FORM, Tone};

/// The dialog; `None` if it is not open.
pub(super) fn dialog<'a>(screen: &Meeting, context: &Context) -> Option<modal::Dialog<'a, Message>> {
    screen.leaving.filter(|question| *question == LeaveQuestion::How)?;
    let model = &screen.model;
    let label = context.text("leave-title");
    let answers = answers(model).iter().map(|answer| option(*answer, model, context));
    let cancel = press(text::strong(context.text("action-cancel")), "", Some(Message::DialogClosed)).id("cancel");
    let buttons = row![space().width(Length::Fill), Element::from(cancel.height(TARGET_FORM))];
    // In a small window the answers scroll, so that the button stays visible.
    let answers = Column::with_children(answers).spacing(SPACE_M).padding(RING_SPACE);
    let answers = scrollable(answers);
    let max_height = (context.size.height - OTHER_PARTS).max(MIN_LIST_HEIGHT);
    let answers = container(answers).max_height(max_height);
    let inside = column![heading(1, text::title(label.clone())), answers, buttons].spacing(SPACE_L);
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
