//! The dialog with the rights of one person.

use accesskit::Role;
use engine::ParticipantId;
use iced::widget::{Column, column, container, row, scrollable, space};
use iced::{Length, Padding};

use super::moderation::Message;
use super::{Meeting, Message as Input};
use crate::kit::{Element, heading, modal, press, region, text};
use crate::model::moderation::may_change_rights;
use crate::model::rights::{Switch, role_text, switches};
use crate::screen::{Context, check_if};
use crate::theme::{self, Look, SPACE_L, SPACE_M, SPACE_S, SPACE_XL, TARGET, TARGET_FORM, Tone};

/// The dialog; `None` if it is not open, or we may not change the rights of the person.
pub(super) fn dialog<'a>(screen: &Meeting, context: &Context) -> Option<modal::Dialog<'a, Input>> {
    let open = screen.moderation.rights();
    let (person, me) = (screen.model.person(open.person()?)?, screen.model.me()?);
    if !may_change_rights(me, person) {
        return None;
    }
    let name = person.name.as_str();
    let label = context.language.with("rights-title", &[("name", name.into())]);
    let role = context.text(role_text(person.role));
    let dim = |words: String| text::small(words).style(text::tone(Tone::Dim)).width(Length::Fill);
    let words = column![
        heading(1, text::title(label.clone())),
        dim(context.language.with("rights-role", &[("role", role.into())])),
        dim(context.language.with("rights-text", &[("name", name.into())])),
    ];
    let by_role = screen.model.moderation.rights_of(person.role);
    let lines = switches(me, person, by_role).map(|switch| line(person.id, &switch, open.shows(&switch), context));
    // The bar for scrolling covers no switch.
    let lines = container(Column::with_children(lines).spacing(SPACE_S)).padding(Padding::ZERO.right(SPACE_L));
    let lines = region(Role::Group, &label, lines);
    // In a low window the switches scroll, so that the button stays visible.
    let max_height = (context.size.height - OTHER_PARTS).max(MIN_LIST_HEIGHT);
    let lines = container(scrollable(lines)).max_height(max_height);
    let done = press(text::strong(context.text("rights-done")), "", Some(Input::DialogClosed)).id("confirm");
    let buttons = row![space().width(Length::Fill), Element::from(done.look(Look::Primary).height(TARGET_FORM))];
    let inside = column![words.spacing(SPACE_S), lines, buttons].spacing(SPACE_M);
    let inside = container(inside).padding(SPACE_XL).width(Length::Fill).style(theme::dialog);
    Some(modal::Dialog { label, content: inside.into(), width: theme::DIALOG, on_close: Input::DialogClosed })
}

/// One right: the switch, and where the right comes from or why it cannot be granted.
fn line<'a>(id: ParticipantId, switch: &Switch, on: bool, context: &Context) -> Element<'a, Input> {
    let shown = Switch { on, ..*switch };
    let message = Input::Moderation(Message::RightPressed(id, shown.right, !on));
    let message = shown.refusal.is_none().then_some(message);
    let why = context.text(shown.explanation());
    let button = check_if(&context.text(shown.text), Role::CheckBox, on, message).description(Some(why.clone()));
    let tone = if shown.is_exception() && shown.refusal.is_none() { Tone::Accent } else { Tone::Dim };
    let why = text::caption(why).style(text::tone(tone)).width(Length::Fill);
    column![Element::from(button.id(shown.text).height(TARGET)), container(why).padding([0.0, SPACE_S])].into()
}

/// The height of the other parts of the dialog, and of the space around it, in logical pixels.
const OTHER_PARTS: f32 = 270.0;
/// The minimum height of the switches, in logical pixels.
const MIN_LIST_HEIGHT: f32 = 120.0;
