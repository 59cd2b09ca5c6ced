//! The window: the screen, the notices over it, what is spoken.

use iced::widget::Stack;
use iced::{Element as IcedElement, window};

use super::{App, Message, Screen};
use crate::kit::root::Window;
use crate::kit::{Element, Shortcut, live, root};
use crate::model::Step;
use crate::screen::{ended, entering, home, meeting, preview};
use crate::theme::Theme;

impl App {
    /// The window's title, which tools and tests find it by.
    pub fn title(&self, _window: window::Id) -> String {
        let place = match &self.screen {
            Screen::Home(_) => return self.language.text("app-name"),
            Screen::Preview(screen) if screen.purpose == preview::Purpose::Start => "preview-start-title",
            Screen::Preview(_) => "preview-join-title",
            Screen::Meeting(_) => "meeting-title",
            Screen::Ended(screen) => screen.title(),
        };
        format!("{} – {}", self.language.text(place), self.language.text("app-name"))
    }

    /// The window's content.
    pub fn view(&self, window: window::Id) -> IcedElement<'_, Message, Theme, iced::Renderer> {
        let context = self.context();
        let notices = self.notices.view(&context).map(|notices| notices.map(Message::Notice));
        let layers = Stack::new().push(self.screen(&context)).push(notices).push(live(&self.said));
        let window = Window {
            id: window,
            title: self.title(window),
            port: self.port.clone(),
            scale: self.scale,
            on_shortcut: Box::new(|shortcut| self.shortcut(shortcut)),
        };
        root(window, layers)
    }

    fn screen(&self, context: &crate::screen::Context) -> Element<'_, Message> {
        match &self.screen {
            Screen::Home(screen) => screen.view(context).map(Message::Home),
            Screen::Preview(screen) => screen.view(context, &self.pictures).map(Message::Preview),
            Screen::Meeting(screen) if screen.model.step == Step::Inside => {
                screen.view(context, &self.pictures, self.notices.history()).map(Message::Meeting)
            }
            Screen::Meeting(screen) => entering::view(screen.model.step, context).map(Message::Entering),
            Screen::Ended(screen) => screen.view(context).map(Message::Ended),
        }
    }

    fn shortcut(&self, shortcut: Shortcut) -> Option<Message> {
        match &self.screen {
            Screen::Home(_) => home::Home::shortcut(shortcut).map(Message::Home),
            Screen::Preview(screen) => screen.shortcut(shortcut).map(Message::Preview),
            Screen::Meeting(screen) if screen.model.step == Step::Inside => {
                meeting::Meeting::shortcut(shortcut).map(Message::Meeting)
            }
            Screen::Meeting(_) => {
                (shortcut == Shortcut::Close).then_some(Message::Entering(entering::Message::CancelPressed))
            }
            Screen::Ended(_) => (shortcut == Shortcut::Close).then_some(Message::Ended(ended::Message::HomePressed)),
        }
    }
}
