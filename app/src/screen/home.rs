//! The home screen: start a meeting, join one with a link, or join a recent one again.

mod hosted;

use accesskit::Role;
use engine::{LinkError, SecretLink};
use iced::widget::{Space, column, container, row, rule, scrollable};
use iced::{Alignment, Length};

use super::Context;
use super::asking::Answer;
use super::preferences::{self, Part, Preference};
use crate::kit::field::Field;
use crate::kit::{Element, Icon, Shortcut, elided, field, focus, heading, icon, popup, press, region, text};
use crate::locale::Language;
use crate::model::sentence;
use crate::theme::{
    self, ICON_LARGE, ICON_SMALL, Look, PAGE, SPACE_2XL, SPACE_3XL, SPACE_L, SPACE_M, SPACE_S, SPACE_XL, SPACE_XS,
    TARGET, TARGET_FORM, Tone,
};

pub use hosted::{Hosted, Message as HostedMessage};

/// A recent meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    /// The invitation link.
    pub link: SecretLink,
    /// The host of its server.
    pub host: String,
    /// Seconds since it was joined.
    pub age: u64,
    /// The names of the other participants, in the order in which they were met.
    pub people: Vec<String>,
    /// This device created the meeting.
    pub organised: bool,
    /// It cannot be joined again.
    pub over: bool,
}

impl Recent {
    /// Names the meeting by its participants, or by its server if nobody was met.
    fn title(&self, language: Language) -> String {
        match self.people.as_slice() {
            [] => language.with("home-recent-title", &[("host", self.host.as_str().into())]),
            [one] => language.with("home-recent-with-one", &[("name", one.as_str().into())]),
            [first, second] => language
                .with("home-recent-with-two", &[("first", first.as_str().into()), ("second", second.as_str().into())]),
            [first, second, more @ ..] => language.with(
                "home-recent-with-more",
                &[("first", first.as_str().into()), ("second", second.as_str().into()), ("count", more.len().into())],
            ),
        }
    }

    /// When it was joined, its server if the title does not name it, and what else is to say.
    fn details(&self, language: Language) -> String {
        let host = (!self.people.is_empty()).then(|| self.host.clone());
        let organised = self.organised.then(|| language.text("home-recent-organised"));
        let over = self.over.then(|| language.text("home-recent-over"));
        let parts = std::iter::once(ago(self.age, language)).chain(host).chain(organised).chain(over);
        parts.collect::<Vec<_>>().join(" · ")
    }
}

/// The state of the screen.
#[derive(Clone, Debug, Default)]
pub struct Home {
    /// The text of the link field.
    pub link: SecretLink,
    /// Why the link cannot be used.
    pub problem: Option<LinkError>,
    /// The recent meetings, newest first.
    pub recent: Vec<Recent>,
    /// The user's meeting that goes on.
    pub hosted: Option<Hosted>,
    menu: Option<Part>,
    /// The last request to move the focus: to the link, if it is invalid.
    pub focus: Option<focus::Request>,
}

/// User input.
#[derive(Clone, Debug)]
pub enum Message {
    /// "Start a meeting" was pressed.
    StartPressed,
    /// The text of the link field changed.
    LinkTyped(SecretLink),
    /// "Join" was pressed.
    JoinPressed,
    /// "Join" was pressed on the recent meeting with this index.
    RecentPressed(usize),
    /// The button that removes the recent meeting with this index was pressed.
    ForgetPressed(usize),
    /// The control of a menu was pressed, which opens or closes the menu.
    MenuPressed(Part),
    /// The open menu was closed by a key or by a click elsewhere.
    MenuClosed,
    /// A language or a theme was chosen.
    Preferred(Preference),
    /// On the meeting that goes on.
    Hosted(hosted::Message),
}

/// What the app must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Show the preview for a new meeting.
    Start,
    /// Parse this link and show the preview for its meeting. If it is invalid, call [`Home::reject_link`].
    Join(SecretLink),
    /// Remove the meeting with this link from the list.
    Forget(SecretLink),
    /// Apply this preference.
    Prefer(Preference),
    /// Return to the meeting that goes on.
    Return,
    /// Ask whether to end the meeting that goes on.
    AskToEnd,
    /// Forget the meeting that goes on elsewhere.
    ForgetHosted,
    /// Answer somebody who asks to join the meeting that goes on.
    Answer(Answer),
}

impl Home {
    /// Creates the screen with these recent meetings.
    pub fn new(recent: Vec<Recent>) -> Self {
        Self { recent, ..Self::default() }
    }

    /// Shows why the link cannot be used, and moves the focus to it.
    pub fn reject_link(&mut self, problem: LinkError) {
        self.problem = Some(problem);
        self.focus = Some(focus::Request::to(LINK));
    }

    /// Handles user input.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::StartPressed if self.hosts_here() => Action::None,
            Message::StartPressed => Action::Start,
            Message::LinkTyped(text) => {
                self.link = text;
                self.problem = None;
                Action::None
            }
            Message::JoinPressed => Action::Join(self.link.expose().trim().into()),
            Message::RecentPressed(index) => {
                self.recent.get(index).map_or(Action::None, |recent| Action::Join(recent.link.clone()))
            }
            Message::ForgetPressed(index) if index < self.recent.len() => {
                Action::Forget(self.recent.remove(index).link)
            }
            Message::ForgetPressed(_) => Action::None,
            Message::MenuPressed(part) => {
                self.menu = (self.menu != Some(part)).then_some(part);
                Action::None
            }
            Message::MenuClosed => {
                self.menu = None;
                Action::None
            }
            Message::Preferred(preference) => {
                self.menu = None;
                Action::Prefer(preference)
            }
            Message::Hosted(hosted::Message::ReturnPressed) => Action::Return,
            Message::Hosted(hosted::Message::EndPressed) => match self.hosted {
                Some(Hosted::Background { .. } | Hosted::LeftHere) => Action::AskToEnd,
                Some(Hosted::LeftElsewhere) => Action::ForgetHosted,
                None => Action::None,
            },
            Message::Hosted(hosted::Message::Answered(answer)) => Action::Answer(answer),
        }
    }

    /// Whether a meeting of the user goes on that this computer hosts. There is at most one.
    fn hosts_here(&self) -> bool {
        matches!(self.hosted, Some(Hosted::Background { .. } | Hosted::LeftHere))
    }

    /// The message of a shortcut.
    pub fn shortcut(shortcut: Shortcut) -> Option<Message> {
        (shortcut == Shortcut::Close).then_some(Message::MenuClosed)
    }

    /// The screen.
    pub fn view(&self, context: &Context) -> Element<'_, Message> {
        let page = column![self.header(context), self.content(context)];
        let page = container(page).width(Length::Fill).height(Length::Fill).style(theme::page);
        popup(
            page,
            self.menu.map(|part| preferences::popup_menu(part, context, Message::Preferred, Message::MenuClosed)),
        )
    }

    fn header(&self, context: &Context) -> Element<'_, Message> {
        let mark = container(icon(Icon::Lock)).padding(SPACE_XS + 2.0).style(theme::tinted(Tone::Accent));
        let brand = row![mark, text::title(context.text("app-name"))].spacing(SPACE_M).align_y(Alignment::Center);
        let controls = preferences::controls(context, self.menu, Message::MenuPressed);
        let bar = row![brand, Space::new().width(Length::Fill), controls];
        let bar = container(bar.spacing(SPACE_S).align_y(Alignment::Center)).padding([SPACE_M, SPACE_XL]);
        region(Role::Banner, &context.text("home-navigation"), bar)
    }

    fn content(&self, context: &Context) -> Element<'_, Message> {
        let head = column![
            heading(1, text::display(context.text("home-title"))),
            text::body(context.text("home-lead")).style(text::tone(Tone::Dim)),
        ];
        let narrow = context.size.width < NARROW;
        let (start, join) = (start_card(!self.hosts_here(), context), self.join_card(context));
        let hosted = self.hosted.as_ref().map(|hosted| hosted::card(hosted, context).map(Message::Hosted));
        let cards: Element<'_, Message> = if narrow {
            column![start, join].spacing(SPACE_L).into()
        } else {
            row![start, join].spacing(SPACE_L).into()
        };
        let cards = column![].push(hosted).push(cards).spacing(SPACE_L);
        let inside = column![head.spacing(SPACE_S), cards, self.recent(context)].spacing(SPACE_2XL);
        let sides = if narrow { SPACE_L } else { SPACE_3XL };
        let page = container(inside.max_width(PAGE)).center_x(Length::Fill).padding([SPACE_2XL, sides]);
        region(Role::Main, &context.text("app-name"), scrollable(page).height(Length::Fill))
    }

    fn join_card(&self, context: &Context) -> Element<'_, Message> {
        let join = press(text::strong(context.text("home-join")), "", Some(Message::JoinPressed));
        let link = field(Field {
            id: LINK,
            label: context.text("home-link"),
            labelled: false,
            value: self.link.expose(),
            placeholder: context.text("home-link-placeholder"),
            required: false,
            error: self.problem.map(|problem| context.text(sentence::link(problem))),
            paste: context.text("action-paste"),
            beside: Some(join.id("join").height(TARGET_FORM).into()),
            on_input: |text| Message::LinkTyped(text.into()),
            on_submit: Some(Message::JoinPressed),
        });
        let words = (context.text("home-join-title"), context.text("home-join-text"));
        card(Icon::Link, words, link)
    }

    fn recent(&self, context: &Context) -> Element<'_, Message> {
        let mut list = column![];
        for (index, recent) in self.recent.iter().enumerate() {
            if index > 0 {
                list = list.push(rule::horizontal(context.theme.line()));
            }
            list = list.push(recent_line(index, recent, context));
        }
        let list: Element<'_, Message> = if self.recent.is_empty() {
            let words = text::small(context.text("home-recent-empty")).style(text::tone(Tone::Dim));
            container(words).padding(SPACE_L).into()
        } else {
            region(Role::List, &context.text("home-recent"), list)
        };
        let list = container(list).width(Length::Fill).style(theme::card);
        column![heading(2, text::heading(context.text("home-recent"))), list].spacing(SPACE_M).into()
    }
}

/// The id of the link field.
const LINK: &str = "link";
/// If the window is narrower, the cards are one below the other. In logical pixels.
const NARROW: f32 = 760.0;

/// `enabled` is false while another meeting of the user goes on.
fn start_card<'a>(enabled: bool, context: &Context) -> Element<'a, Message> {
    let start = press(text::strong(context.text("home-start")), "", enabled.then_some(Message::StartPressed))
        .id("start")
        .look(Look::Primary)
        .width(Length::Fill)
        .height(TARGET_FORM);
    let words = if enabled { "home-start-text" } else { "home-start-later" };
    let words = (context.text("home-start-title"), context.text(words));
    card(Icon::Start, words, start.into())
}

fn card(symbol: Icon, (title, words): (String, String), control: Element<'_, Message>) -> Element<'_, Message> {
    let symbol = container(icon(symbol).size(ICON_LARGE)).padding(SPACE_M - 2.0).style(theme::tinted(Tone::Accent));
    let words =
        column![heading(2, text::heading(title)), text::small(words).style(text::tone(Tone::Dim))].spacing(SPACE_XS);
    let head = row![symbol, words].spacing(SPACE_L).align_y(Alignment::Center);
    container(column![head, control].spacing(SPACE_L))
        .width(Length::Fill)
        .padding(SPACE_L + SPACE_XS)
        .style(theme::card)
        .into()
}

fn recent_line<'a>(index: usize, recent: &Recent, context: &Context) -> Element<'a, Message> {
    let (title, details) = (recent.title(context.language), recent.details(context.language));
    let named = |id| context.language.with(id, &[("title", title.clone().into())]);
    let join = (!recent.over).then(|| {
        let word = text::strong(context.text("home-recent-join"));
        let join = press(word, &named("home-recent-join-name"), Some(Message::RecentPressed(index)));
        Element::from(join.id(format!("recent-{index}")))
    });
    let forget = container(icon(Icon::Close).size(ICON_SMALL)).center(TARGET);
    let forget = press(forget, &named("home-recent-forget"), Some(Message::ForgetPressed(index)));
    let words = column![
        Element::from(elided(title.clone()).strong()),
        Element::from(elided(details.clone()).caption().tone(Tone::Dim)),
    ];
    let symbol = if recent.people.is_empty() { Icon::Clock } else { Icon::People };
    let line = row![icon(symbol).tone(Tone::Dim), words.width(Length::Fill)]
        .push(join)
        .push(Element::from(forget.id(format!("forget-{index}")).look(Look::Quiet).square(TARGET)));
    let line = container(line.spacing(SPACE_M).align_y(Alignment::Center)).padding([SPACE_M, SPACE_L]);
    region(Role::ListItem, &format!("{title}, {details}"), line)
}

/// Formats a number of seconds as a time in the past.
fn ago(seconds: u64, language: Language) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let (id, count) = match seconds {
        0..MINUTE => return language.text("ago-now"),
        MINUTE..HOUR => ("ago-minutes", seconds / MINUTE),
        HOUR..DAY => ("ago-hours", seconds / HOUR),
        DAY.. => ("ago-days", seconds / DAY),
    };
    language.with(id, &[("count", count.into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_the_past_is_formatted() {
        let text = |seconds| ago(seconds, Language::English);
        assert_eq!(text(3), "just now");
        assert_eq!(text(60), "1 minute ago");
        assert_eq!(text(7_200), "2 hours ago");
        assert_eq!(text(100_000), "yesterday");
        assert_eq!(ago(300_000, Language::French), "il y a 3 jours");
    }

    #[test]
    fn a_recent_meeting_says_who_when_and_where() {
        let people = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let mut recent = Recent {
            link: "conclave://a".into(),
            host: "visio.example.fr".into(),
            age: 7_200,
            people: Vec::new(),
            organised: false,
            over: false,
        };
        let both = |recent: &Recent| (recent.title(Language::English), recent.details(Language::English));
        let expected = |title: &str, details: &str| (title.to_owned(), details.to_owned());
        assert_eq!(both(&recent), expected("Meeting on visio.example.fr", "2 hours ago"));
        recent.people = people(&["Bob"]);
        assert_eq!(both(&recent), expected("Meeting with Bob", "2 hours ago · visio.example.fr"));
        recent.people = people(&["Bob", "Carol"]);
        (recent.organised, recent.over) = (true, true);
        let details = "2 hours ago · visio.example.fr · you organised it · over";
        assert_eq!(both(&recent), expected("Meeting with Bob and Carol", details));
        recent.people = people(&["Bob", "Carol", "Dave"]);
        assert_eq!(both(&recent).0, "Meeting with Bob, Carol and 1 other person");
    }

    #[test]
    fn debug_shows_no_link() {
        let link = || SecretLink::from("conclave://host:1/#c2VjcmV0");
        let mut home = Home::new(vec![Recent {
            link: link(),
            host: "host".into(),
            age: 1,
            people: Vec::new(),
            organised: false,
            over: false,
        }]);
        let typed = Message::LinkTyped(link());
        let shown = format!("{typed:?}");
        home.update(typed);
        let action = home.update(Message::JoinPressed);
        let shown = format!("{shown} {home:?} {action:?}");
        assert!(shown.contains("SecretLink(..)") && !shown.contains("c2VjcmV0"), "{shown}");
    }

    #[test]
    fn typing_removes_the_error() {
        let mut home = Home::default();
        assert_eq!(home.update(Message::LinkTyped(" nonsense ".into())), Action::None);
        assert_eq!(home.update(Message::JoinPressed), Action::Join("nonsense".into()));
        home.reject_link(LinkError::NotALink);
        home.update(Message::LinkTyped("n".into()));
        assert_eq!(home.problem, None);
    }
}
