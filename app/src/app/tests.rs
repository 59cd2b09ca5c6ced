//! Tests of the window's state: which screen follows which event.

use super::*;
use crate::model::Devices;
use std::sync::mpsc::{Receiver, sync_channel};

fn engine_event(app: &mut App, event: Event) {
    let attempt = app.session.attempt();
    drop(app.update(Message::Engine(attempt, Box::new(event))));
}

#[test]
fn an_engine_that_is_being_closed_does_not_change_the_next_screen() {
    let mut app = App::new(Language::English, Choice::Dark);
    drop(app.update(Message::Home(home::Message::LinkTyped("conclave://".into()))));
    for reason in [Reason::Left, Reason::ServerSilent] {
        engine_event(&mut app, Event::Ended(reason));
        let Screen::Home(screen) = &app.screen else { panic!("another screen is shown") };
        assert_eq!(screen.link, "conclave://", "the text that the user typed is still there");
    }
}

#[test]
fn a_failure_shows_whether_the_user_was_inside() {
    for inside in [false, true] {
        let mut app = App::new(Language::English, Choice::Dark);
        app.screen = Screen::Meeting(Box::new(meeting::Meeting::new(MeetingModel::default(), Devices::default())));
        if inside {
            let (me, link) = (engine::ParticipantId(1), String::new());
            engine_event(&mut app, Event::Entered { me, link, organiser: false });
        }
        engine_event(&mut app, Event::Ended(Reason::ServerSilent));
        let Screen::Ended(screen) = &app.screen else { panic!("the failure is not shown") };
        let expected = if inside { ended::Progress::Inside } else { ended::Progress::Joining };
        assert_eq!((&screen.reason, screen.progress), (&Reason::ServerSilent, expected));
    }
}

#[test]
fn leaving_goes_home() {
    let mut app = App::new(Language::English, Choice::Dark);
    app.screen = Screen::Meeting(Box::new(meeting::Meeting::new(MeetingModel::default(), Devices::default())));
    engine_event(&mut app, Event::Ended(Reason::Left));
    assert!(matches!(app.screen, Screen::Home(_)));
}

/// A starter that no test calls: tests drop the task that would start the engine.
struct NoStarter;

impl Starter for NoStarter {
    fn start(&self, _: Setup, _: Arc<dyn engine::VideoOutput>) -> Result<Started, String> {
        Err("not started".into())
    }

    fn creates(&self) -> bool {
        true
    }

    fn listing(&self) -> Listing {
        Listing::Unlisted
    }

    fn link(&self) -> Option<String> {
        None
    }
}

/// A starter of a meeting that is listed.
struct Listed {
    listing: Listing,
    link: Option<String>,
}

impl Starter for Listed {
    fn start(&self, _: Setup, _: Arc<dyn engine::VideoOutput>) -> Result<Started, String> {
        Err("not started".into())
    }

    fn creates(&self) -> bool {
        self.link.is_none()
    }

    fn listing(&self) -> Listing {
        self.listing
    }

    fn link(&self) -> Option<String> {
        self.link.clone()
    }
}

const LINK: &str = "conclave://visio.example.fr/m/1";

/// A window that enters a listed meeting. Tests drop the tasks that would write the list to the user's file.
fn listed(listing: Listing, link: Option<&str>) -> App {
    let mut app = App::new(Language::English, Choice::Dark);
    let starter = Listed { listing, link: link.map(str::to_owned) };
    drop(app.start(Start::Enter(Arc::new(starter), setup())));
    app
}

fn entered(app: &mut App) {
    let me = engine::ParticipantId(1);
    engine_event(app, Event::Entered { me, link: LINK.into(), organiser: false });
}

fn recents(app: &mut App) -> Vec<home::Recent> {
    drop(app.go_home());
    let Screen::Home(screen) = &app.screen else { panic!("home is not shown") };
    screen.recent.clone()
}

fn person(id: u64, name: &str) -> engine::Person {
    engine::Person {
        id: engine::ParticipantId(id),
        name: name.into(),
        me: id == 1,
        organiser: id == 1,
        device: String::new(),
        microphone: engine::Microphone::On,
        camera: true,
        screen: false,
    }
}

#[test]
fn a_meeting_is_listed_with_the_names_of_the_others() {
    let mut app = listed(Listing::Listed, Some(LINK));
    entered(&mut app);
    engine_event(&mut app, Event::People(vec![person(1, "Anne"), person(2, "Bob")]));
    engine_event(&mut app, Event::People(vec![person(1, "Anne"), person(3, "Carol")]));
    engine_event(&mut app, Event::Ended(Reason::Left));
    let recent = recents(&mut app);
    assert_eq!(recent.len(), 1);
    assert_eq!((recent[0].people.as_slice(), recent[0].over), (&["Bob".to_owned(), "Carol".to_owned()][..], false));
}

#[test]
fn a_meeting_that_no_longer_exists_is_marked_in_the_list() {
    for (reason, over) in [(Reason::NoMeeting, true), (Reason::Removed, true), (Reason::ServerSilent, false)] {
        let mut app = listed(Listing::Listed, Some(LINK));
        entered(&mut app);
        drop(app.enter());
        engine_event(&mut app, Event::Ended(reason.clone()));
        assert_eq!(recents(&mut app)[0].over, over, "{reason:?}");
    }
}

#[test]
fn a_meeting_that_ran_on_this_computer_is_not_listed_after_its_end() {
    let mut app = listed(Listing::WhileHosted, None);
    entered(&mut app);
    engine_event(&mut app, Event::Ended(Reason::Left));
    assert!(recents(&mut app).is_empty());
}

#[test]
fn a_meeting_that_cannot_start_is_not_called_a_join() {
    let mut app = listed(Listing::WhileHosted, None);
    engine_event(&mut app, Event::Ended(Reason::ServerSilent));
    assert_eq!(app.title(iced::window::Id::unique()), "The meeting could not be started – Conclave");
}

fn setup() -> Setup {
    Setup {
        name: "Anne".into(),
        camera: engine::Choice::Off,
        microphone: engine::AudioChoice::Off,
        speaker: engine::AudioChoice::Off,
        screen: false,
        muted: false,
    }
}

/// A window that enters a meeting.
fn entering() -> App {
    let mut app = App::new(Language::English, Choice::Dark);
    drop(app.start(Start::Enter(Arc::new(NoStarter), setup())));
    app
}

/// Starts an engine that cannot reach its server. The receiver gets a message when the engine is closed.
fn started(app: &App) -> (Started, Receiver<()>) {
    let entry = engine::Entry::Create { host: "localhost".into(), port: 1, fingerprint: None };
    let identity = engine::Identity::generate().unwrap();
    let (engine, events) = engine::Engine::start(entry, setup(), identity, app.pictures.output()).unwrap();
    let (sender, closed) = sync_channel(1);
    let after_close = Some(Box::new(move |_: &engine::Stats, _| sender.send(()).unwrap()) as _);
    (Started { engine, events, server: None, hosts: Vec::new(), key: Key::Temporary, after_close }, closed)
}

fn is_entering(app: &App) -> bool {
    matches!(&app.screen, Screen::Meeting(_)) && !app.screen.is_inside()
}

#[test]
fn late_messages_of_a_cancelled_attempt_do_not_change_the_next_attempt() {
    let mut app = entering();
    let first = app.session.attempt();
    drop(app.update(Message::Entering(entering::Message::CancelPressed)));
    drop(app.enter());
    let second = app.session.attempt();
    let (late, closed) = started(&app);
    drop(app.update(Message::Started(first, Box::new(Ok(late)))));
    assert!(app.session.engine().is_none(), "the first engine does not run in the second attempt");
    drop(app.update(Message::Started(first, Box::new(Err("no thread".into())))));
    assert!(is_entering(&app), "the failure of the first attempt is not shown");
    drop(app.update(Message::Engine(first, Box::new(Event::Ended(Reason::ServerSilent)))));
    assert!(is_entering(&app), "the end of the first attempt is not shown");
    drop(app.update(Message::Engine(second, Box::new(Event::Ended(Reason::ServerSilent)))));
    assert!(matches!(&app.screen, Screen::Ended(_)));
    app.session.wait_for_closing()();
    closed.try_recv().expect("the first engine is closed before waiting returns");
}

#[test]
fn closing_the_window_closes_the_engine_on_another_thread() {
    let mut app = entering();
    let (running, closed) = started(&app);
    let attempt = app.session.attempt();
    drop(app.update(Message::Started(attempt, Box::new(Ok(running)))));
    assert!(app.session.engine().is_some());
    drop(app.update(Message::CloseRequested));
    assert!(app.session.engine().is_none());
    closed.recv_timeout(Duration::from_secs(30)).expect("the engine is closed");
}

#[test]
fn an_engine_that_starts_while_the_window_closes_is_closed_too() {
    let mut app = entering();
    let attempt = app.session.attempt();
    drop(app.update(Message::CloseRequested));
    assert!(app.session.is_starting(), "the program waits for the engine");
    let (late, closed) = started(&app);
    drop(app.update(Message::Started(attempt, Box::new(Ok(late)))));
    assert!(app.session.engine().is_none() && !app.session.is_starting());
    closed.recv_timeout(Duration::from_secs(30)).expect("the engine is closed");
}

#[path = "tests/announcements.rs"]
mod announcements;
