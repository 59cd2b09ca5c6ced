//! The meeting of an organiser who is at home: it runs in the background, or was left and can be entered again.

use std::time::Instant;

use engine::{AudioChoice, BandwidthLimits, Command, Event, SecretLink};

use super::event_notices;
use crate::announce::Announcement;
use crate::locale::Language;
use crate::model::{Kind, MeetingModel, Notice, take_known};
use crate::pictures::Pictures;
use crate::screen::asking::Answer;
use crate::screen::ended;
use crate::screen::home::Hosted;
use crate::screen::meeting::Meeting;
use crate::screen::meeting::waiting_room::Decision;
use crate::session::{Attempt, BackgroundMeeting, LeftMeeting, MeetingSession};

/// The meeting that goes on while the user is at home. There is at most one.
#[derive(Default)]
pub enum Hosting {
    /// There is none.
    #[default]
    None,
    /// The engine runs without our picture and sound.
    Background(Box<Background>),
    /// We have left it.
    Left(Box<LeftMeeting>),
}

/// A meeting in the background.
pub struct Background {
    meeting: BackgroundMeeting,
    screen: Box<Meeting>,
    pictures: Pictures,
}

/// What the user must know of an event in the background.
pub struct News {
    /// What assistive tools announce.
    pub announcements: Vec<Announcement>,
    /// The notices.
    pub notices: Vec<Notice>,
    /// The link of the meeting before the event.
    pub entered_by: SecretLink,
}

/// How to return to a meeting.
pub enum Return {
    /// There is no meeting.
    Nowhere,
    /// Its engine is the session's again. The window shows this screen.
    Shown(Box<Meeting>),
    /// The session's next attempt enters it.
    Entered,
}

impl Hosting {
    /// Moves the session's meeting to the background. Nothing is sent or played any more, and no picture is received. Does
    /// nothing if no engine runs. `pictures` are those of the meeting; the window gets empty ones.
    pub fn move_to_background(
        &mut self,
        session: &mut MeetingSession,
        mut screen: Box<Meeting>,
        pictures: &mut Pictures,
    ) {
        for command in [
            Command::Mute(true),
            Command::Camera(false),
            Command::Share(None),
            Command::ChooseMicrophone(AudioChoice::Off),
            Command::ChooseSpeaker(AudioChoice::Off),
            Command::SetWishes(Vec::new()),
        ] {
            send(session, command);
        }
        screen.hide();
        let Some(meeting) = session.move_to_background() else { return };
        self.end(session);
        let empty = pictures.empty();
        let pictures = std::mem::replace(pictures, empty);
        *self = Self::Background(Box::new(Background { meeting, screen, pictures }));
    }

    /// Keeps a meeting that was left, if there is none yet.
    pub fn keep(&mut self, left: LeftMeeting, session: &mut MeetingSession) {
        match self {
            Self::None => *self = Self::Left(Box::new(left)),
            Self::Background(_) | Self::Left(_) => session.closer.forget(left),
        }
    }

    /// Gives the meeting back to the session.
    pub fn take(&mut self, session: &mut MeetingSession, pictures: &mut Pictures) -> Return {
        match std::mem::take(self) {
            Self::None => Return::Nowhere,
            Self::Background(background) => {
                let Background { meeting, screen, pictures: own } = *background;
                *pictures = own;
                session.move_to_foreground(meeting);
                // A device that is chosen never unmutes.
                for command in [
                    Command::ChooseSpeaker(screen.devices.chosen(Kind::Speaker).sound()),
                    Command::ChooseMicrophone(screen.devices.chosen(Kind::Microphone).sound()),
                ] {
                    send(session, command);
                }
                Return::Shown(screen)
            }
            Self::Left(left) => {
                session.put_back(*left);
                Return::Entered
            }
        }
    }

    /// Ends the meeting for everybody, if it runs on this computer. Otherwise drops the way back to it.
    pub fn end(&mut self, session: &mut MeetingSession) {
        match std::mem::take(self) {
            Self::None => {}
            Self::Background(background) => session.closer.end(background.meeting),
            Self::Left(left) => session.closer.forget(*left),
        }
    }

    /// Handles an event of the engine of `attempt`. Returns what the user must know; `None` if it is not the engine in the
    /// background.
    pub fn handle_event(
        &mut self,
        attempt: Attempt,
        event: &Event,
        session: &mut MeetingSession,
        language: Language,
    ) -> Option<News> {
        let Self::Background(background) = self else { return None };
        if !background.meeting.is(attempt) {
            return None;
        }
        let entered_by = background.screen.model.entered_by.clone();
        let announcements = background.screen.handle_event(event, Instant::now());
        for id in take_known(&mut background.screen.model) {
            if let Err(error) = background.meeting.engine().send(Command::Admit(id)) {
                tracing::warn!(%error, "the engine refused a command");
            }
        }
        let notices = event_notices::notices(&mut background.screen, event, language);
        if let Event::Ended(reason) = event {
            self.lose(session, ended::can_try_again(reason));
        }
        Some(News { announcements, notices, entered_by })
    }

    /// The model of the meeting in the background; `None` if there is none.
    pub fn model_mut(&mut self) -> Option<&mut MeetingModel> {
        if let Self::Background(background) = self { Some(&mut background.screen.model) } else { None }
    }

    /// Handles the end of the engine in the background.
    fn lose(&mut self, session: &mut MeetingSession, can_return: bool) {
        match std::mem::take(self) {
            Self::Background(background) if can_return => {
                *self = Self::Left(Box::new(session.closer.leave(background.meeting)));
            }
            Self::Background(background) => session.closer.end(background.meeting),
            other @ (Self::None | Self::Left(_)) => *self = other,
        }
    }

    /// Sets the limits of the engine in the background.
    pub fn set_limits(&mut self, limits: BandwidthLimits) {
        if let Self::Background(background) = self {
            background.meeting.set_limits(limits);
        }
    }

    /// Answers somebody who asks to join.
    pub fn answer(&mut self, answer: Answer) {
        let Self::Background(background) = self else { return };
        background.screen.model.remove_asker(answer.id);
        if let Err(error) = background.meeting.engine().send(Decision::from(answer).command()) {
            tracing::warn!(%error, "the engine refused a command");
        }
    }

    /// Forgets a meeting on this computer that everybody has left.
    pub fn tick(&mut self, session: &mut MeetingSession) {
        if let Self::Left(left) = self
            && left.server().is_some_and(|server| !server.is_in_use())
        {
            self.end(session);
        }
    }

    /// Whether we have left a meeting on this computer, so that [`Hosting::tick`] must be called.
    pub fn is_left_here(&self) -> bool {
        matches!(self, Self::Left(left) if left.server().is_some())
    }

    /// Whether closing the window would end a meeting.
    pub fn is_here(&self) -> bool {
        matches!(self, Self::Background(_)) || self.is_left_here()
    }

    /// Whether a meeting is in the background, and nobody else is in it.
    pub fn is_alone(&self) -> bool {
        matches!(self, Self::Background(background) if background.screen.model.viewers() == 0)
    }

    /// What the home screen shows of it.
    pub fn shown(&self) -> Option<Hosted> {
        match self {
            Self::None => None,
            Self::Background(background) => {
                let model = &background.screen.model;
                Some(Hosted::Background { others: model.viewers(), asking: model.asking.clone() })
            }
            Self::Left(_) if self.is_left_here() => Some(Hosted::LeftHere),
            Self::Left(_) => Some(Hosted::LeftElsewhere),
        }
    }
}

fn send(session: &MeetingSession, command: Command) {
    if let Some(notice) = session.send(command) {
        tracing::warn!(detail = notice.detail, "the engine refused a command");
    }
}
