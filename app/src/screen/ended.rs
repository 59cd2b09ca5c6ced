//! Shown after a meeting: why it is over, where the cause is, and what to do.

use accesskit::Role;
use iced::widget::{column, container, row};
use iced::{Alignment, Length};

use super::{Context, notice};
use crate::kit::{Element, Icon, icon, press, region, text};
use crate::model::Ending;
use crate::theme::{self, ICON_LARGE, Look, SPACE_L, SPACE_M, SPACE_S, SPACE_XL, SPACE_XS, TARGET_FORM, Tone};

/// The state of the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Why the meeting is over.
    pub reason: Ending,
    /// The cause as reported, for example by the system; empty if unknown.
    pub detail: String,
    /// Whether the user can try again.
    pub can_retry: bool,
    /// Whether the user was in the meeting.
    pub was_inside: bool,
}

/// User input.
#[derive(Clone, Copy, Debug)]
pub enum Message {
    /// "Home" was pressed, or Escape.
    HomePressed,
    /// "Try again" was pressed.
    RetryPressed,
}

impl Ended {
    /// The text id of the title. It depends on whether the user was in the meeting.
    pub const fn title(&self) -> &'static str {
        if self.was_inside { "ended-title" } else { "ended-outside" }
    }

    /// The screen.
    pub fn view(&self, context: &Context) -> Element<'_, Message> {
        let (symbol, tone) = match self.reason.fault() {
            None => (Icon::Leave, Tone::Accent),
            Some(_) if matches!(self.reason, Ending::Certificate | Ending::Forged) => {
                (Icon::LockAttention, Tone::Danger)
            }
            Some(_) => (Icon::Warning, Tone::Warn),
        };
        let symbol = container(icon(symbol).size(ICON_LARGE)).padding(SPACE_M).style(theme::tinted(tone));
        let dim = |words| text::caption(words).style(text::tone(Tone::Dim));
        let fault = self.reason.fault().map(|fault| dim(context.text(fault.id())));
        let head = column![].push(fault).push(text::title(context.text(self.reason.id()))).width(Length::Fill);
        let head = row![symbol, head].spacing(SPACE_L).align_y(Alignment::Center);
        let advice = text::body(context.text(&format!("{}.advice", self.reason.id()))).width(Length::Fill);
        let detail = notice::details(&self.detail, context)
            .map(|words| container(words).padding([SPACE_S, SPACE_M]).width(Length::Fill).style(theme::inset));
        let card = column![head, advice].push(detail).push(self.buttons(context)).spacing(SPACE_XL);
        let card = container(card).padding(SPACE_XL + SPACE_S).max_width(WIDTH).style(theme::card);
        region(
            Role::Main,
            &context.text(self.title()),
            container(card).center(Length::Fill).padding(SPACE_L).style(theme::page),
        )
    }

    fn buttons(&self, context: &Context) -> Element<'_, Message> {
        let again = self.can_retry && self.reason.can_try_again();
        let home = press(text::strong(context.text("ended-home")), "", Some(Message::HomePressed));
        let home = home.id("home").look(if again { Look::Plain } else { Look::Primary }).height(TARGET_FORM);
        let again = again.then(|| {
            let again = press(text::strong(context.text("ended-again")), "", Some(Message::RetryPressed));
            Element::from(again.id("again").look(Look::Primary).height(TARGET_FORM))
        });
        row![].push(again).push(Element::from(home)).spacing(SPACE_S + SPACE_XS).into()
    }
}

/// The maximum width of the card, in logical pixels.
const WIDTH: f32 = 544.0;
