//! Shown after a meeting: why it is over, where the cause is, and what to do.

use accesskit::Role;
use engine::Reason;
use iced::widget::{column, container, row};
use iced::{Alignment, Length};

use super::{Context, notice};
use crate::kit::{Element, Icon, heading, icon, press, region, text};
use crate::model::{detail, sentence};
use crate::theme::{self, ICON_LARGE, Look, SPACE_L, SPACE_M, SPACE_S, SPACE_XL, SPACE_XS, TARGET_FORM, Tone};

/// The state of the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Why the meeting is over.
    pub reason: Reason,
    /// How far the user had come.
    pub progress: Progress,
}

/// How far the user had come before the meeting was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The meeting was being created.
    Starting,
    /// The user was about to join.
    Joining,
    /// The user was in the meeting.
    Inside,
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
    /// The text id of the title. It depends on how far the user had come.
    pub const fn title(&self) -> &'static str {
        match self.progress {
            Progress::Starting => "ended-not-started",
            Progress::Joining => "ended-outside",
            Progress::Inside => "ended-title",
        }
    }

    /// The screen.
    pub fn view(&self, context: &Context) -> Element<'_, Message> {
        let (symbol, tone) = match self.reason.fault() {
            None => (Icon::Leave, Tone::Accent),
            Some(_) if matches!(self.reason, Reason::Certificate(_) | Reason::Forged | Reason::FalseWelcome) => {
                (Icon::LockAttention, Tone::Danger)
            }
            Some(_) => (Icon::Warning, Tone::Warn),
        };
        let symbol = container(icon(symbol).size(ICON_LARGE)).padding(SPACE_M).style(theme::tinted(tone));
        let dim = |words| text::caption(words).style(text::tone(Tone::Dim));
        let fault = sentence::unnamed_fault(&self.reason).map(|fault| dim(context.text(sentence::fault(fault))));
        let id = sentence::reason(&self.reason);
        let head = column![]
            .push(fault)
            .push(heading(1, text::title(sentence::reason_text(&self.reason, context.language))))
            .width(Length::Fill);
        let head = row![symbol, head].spacing(SPACE_L).align_y(Alignment::Center);
        let advice = text::body(context.text(&format!("{id}.advice"))).width(Length::Fill);
        let detail = detail::in_language(&sentence::detail(&self.reason), context.language);
        let detail = notice::details(&detail, context)
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
        let again = can_try_again(&self.reason);
        let home = press(text::strong(context.text("ended-home")), "", Some(Message::HomePressed));
        let home = home.id("home").look(if again { Look::Plain } else { Look::Primary }).height(TARGET_FORM);
        let again = again.then(|| {
            let again = press(text::strong(context.text("ended-again")), "", Some(Message::RetryPressed));
            Element::from(again.id("again").look(Look::Primary).height(TARGET_FORM))
        });
        row![].push(again).push(Element::from(home)).spacing(SPACE_S + SPACE_XS).into()
    }
}

/// Whether another attempt may succeed.
pub const fn can_try_again(reason: &Reason) -> bool {
    match reason {
        Reason::Unattended
        | Reason::Unreachable(_)
        | Reason::SignIn(_)
        | Reason::Proxy(_)
        | Reason::ServerSilent
        | Reason::Full
        | Reason::Draining
        | Reason::Server(_)
        | Reason::OwnClock { .. }
        | Reason::OrganiserClock { .. }
        | Reason::Locked
        | Reason::NotNow
        | Reason::NoRoom
        | Reason::FalseWelcome
        | Reason::Here(_) => true,
        Reason::Left
        | Reason::Ended
        | Reason::HostStopped
        | Reason::Barred
        | Reason::OldLink
        | Reason::Removed
        | Reason::RemovedBy(_)
        | Reason::Refused
        | Reason::NotInvited
        | Reason::UnreadableRequest
        | Reason::NoGuests
        | Reason::NoMeeting
        | Reason::Certificate(_)
        | Reason::Version
        | Reason::Forged => false,
    }
}

/// The maximum width of the card, in logical pixels.
const WIDTH: f32 = 544.0;
