//! Which screen is shown, and what its title, its content and its shortcuts are.

use engine::{Reason, Step};
use iced::widget::Stack;

use super::message::Message;
use crate::kit::{Element, Shortcut, focus};
use crate::model::Phase;
use crate::pictures::Pictures;
use crate::screen::notice::Queue;
use crate::screen::{Context, ended, entering, home, meeting, preview};

/// The screen that is shown.
#[derive(Debug)]
pub enum Screen {
    /// Home.
    Home(home::Home),
    /// Before entering.
    Preview(preview::Preview),
    /// While entering, then inside.
    Meeting(Box<meeting::Meeting>),
    /// After the meeting.
    Ended(ended::Ended),
}

impl Screen {
    /// The Fluent id of its title. `None` for home, whose title is the name of the program.
    pub fn title(&self) -> Option<&'static str> {
        match self {
            Self::Home(_) => None,
            Self::Preview(screen) if screen.purpose == preview::Purpose::Start => Some("preview-start-title"),
            Self::Preview(_) => Some("preview-join-title"),
            Self::Meeting(_) => Some("meeting-title"),
            Self::Ended(screen) => Some(screen.title()),
        }
    }

    /// Its content, with the notices of this meeting.
    pub fn view<'a>(&'a self, context: &Context, pictures: &Pictures, notices: &'a Queue) -> Element<'a, Message> {
        let page = match self {
            Self::Home(screen) => screen.view(context).map(Message::Home),
            Self::Preview(screen) => screen.view(context, pictures).map(Message::Preview),
            Self::Meeting(screen) => match screen.model.phase {
                // A meeting has banners and dialogs, which its notices must not cover.
                Phase::Inside => return screen.view_with(notices, context, pictures).map(Message::Meeting),
                Phase::Entering(_) if screen.model.returns => entering::returning(context).map(Message::Entering),
                Phase::Entering(Step::Knocking) if !screen.model.creates => {
                    entering::waiting(&screen.model.lobby.waiting, context).map(Message::Entering)
                }
                Phase::Entering(step) => entering::view(step, screen.model.creates, context).map(Message::Entering),
            },
            Self::Ended(screen) => screen.view(context).map(Message::Ended),
        };
        let notices = notices.view(context).map(|notices| notices.map(Message::Notice));
        Stack::new().push(page).push(notices).into()
    }

    /// The message of a shortcut on this screen; `None` if the shortcut does nothing here.
    pub fn shortcut(&self, shortcut: Shortcut) -> Option<Message> {
        let closes = shortcut == Shortcut::Close;
        match self {
            Self::Home(_) => home::Home::shortcut(shortcut).map(Message::Home),
            Self::Preview(screen) => screen.shortcut(shortcut).map(Message::Preview),
            Self::Meeting(screen) if screen.model.phase == Phase::Inside => {
                meeting::Meeting::shortcut(shortcut).map(Message::Meeting)
            }
            Self::Meeting(_) => closes.then_some(Message::Entering(entering::Message::CancelPressed)),
            Self::Ended(_) => closes.then_some(Message::Ended(ended::Message::HomePressed)),
        }
    }

    /// The last request of the screen to move the focus; `None` if there was none.
    pub fn focus(&self) -> Option<focus::Request> {
        match self {
            Self::Home(screen) => screen.focus,
            Self::Preview(screen) => screen.focus,
            Self::Meeting(screen) => screen.focus(),
            Self::Ended(_) => None,
        }
    }

    /// How far the user has come in the meeting that is shown.
    pub fn progress(&self) -> ended::Progress {
        match self {
            Self::Meeting(screen) if screen.model.phase == Phase::Inside => ended::Progress::Inside,
            Self::Meeting(screen) if screen.model.creates => ended::Progress::Starting,
            Self::Meeting(_) | Self::Home(_) | Self::Preview(_) | Self::Ended(_) => ended::Progress::Joining,
        }
    }

    /// Whether we are in a meeting whose server runs on this computer.
    pub fn is_hosted(&self) -> bool {
        self.inside().is_some_and(|screen| screen.model.is_hosted())
    }

    /// Whether others are in the meeting, and its server runs on this computer.
    pub fn hosts_others(&self) -> bool {
        self.inside().is_some_and(|screen| screen.model.is_hosted() && screen.model.viewers() > 0)
    }

    /// Whether a meeting that is over for us for this reason goes on, so that its organiser can come back. If we left it, others
    /// must be in it.
    pub fn goes_on(&self, reason: &Reason) -> bool {
        match (self.inside(), reason) {
            (Some(screen), Reason::Left) => !screen.ends && screen.model.viewers() > 0,
            (None, Reason::Left) => true,
            _ => ended::can_try_again(reason),
        }
    }

    /// The screen that shows why the meeting of this screen is over, or why it could not be entered.
    #[must_use]
    pub fn ended(&self, reason: Reason) -> Self {
        Self::Ended(ended::Ended { reason, progress: self.progress() })
    }

    fn inside(&self) -> Option<&meeting::Meeting> {
        match self {
            Self::Meeting(screen) if screen.model.phase == Phase::Inside => Some(screen),
            Self::Meeting(_) | Self::Home(_) | Self::Preview(_) | Self::Ended(_) => None,
        }
    }

    /// Whether leaving asks a question first.
    pub fn asks_how_to_leave(&self) -> bool {
        self.inside().is_some_and(|screen| !meeting::leave::answers(&screen.model).is_empty())
    }

    /// Whether we are in a meeting, not on the way into it.
    pub fn is_inside(&self) -> bool {
        self.inside().is_some()
    }
}
