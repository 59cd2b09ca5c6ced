//! Tests of the window's state: which screen follows which event.

use super::*;
use crate::embedded::Embedded;
use crate::model::{Devices, Phase};
use crate::recent::Listing;
use crate::screen::meeting::leave::Answer;
use crate::session::Starter;
use engine::{Event, Setup, Step};
use std::sync::{Arc, mpsc::Receiver, mpsc::sync_channel};
use std::time::Duration;

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
        assert_eq!(screen.link.expose(), "conclave://", "the text that the user typed is still there");
    }
}

#[test]
fn a_failure_shows_whether_the_user_was_inside() {
    for inside in [false, true] {
        let mut app = App::new(Language::English, Choice::Dark);
        app.screen = Screen::Meeting(Box::new(meeting::Meeting::new(MeetingModel::default(), Devices::default())));
        if inside {
            let (me, link) = (engine::ParticipantId(1), SecretLink::default());
            engine_event(&mut app, Event::Entered { me, link, organiser: false });
        }
        engine_event(&mut app, Event::Ended(Reason::ServerSilent));
        let Screen::Ended(screen) = &app.screen else { panic!("the failure is not shown") };
        let expected = if inside { ended::Progress::Inside } else { ended::Progress::Joining };
        assert_eq!((&screen.reason, screen.progress), (&Reason::ServerSilent, expected));
    }
}

#[test]
fn the_level_of_the_microphone_does_not_redraw_the_meeting() {
    let (sender, events) = tokio::sync::mpsc::channel(4);
    for event in [Event::Level(0.1), Event::Camera(true), Event::Level(0.2)] {
        sender.try_send(event).expect("there is room");
    }
    drop(sender);
    let shown: Vec<_> = iced::futures::executor::block_on_stream(Box::pin(engine_link::shown_events(events))).collect();
    assert!(matches!(shown[..], [Event::Camera(true)]), "{shown:?}");
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
    fn start(
        &self,
        _: Option<crate::session::RejoinContext>,
        _: Setup,
        _: Arc<dyn engine::VideoOutput>,
    ) -> Result<Started, String> {
        Err("not started".into())
    }

    fn creates(&self) -> bool {
        true
    }

    fn listing(&self) -> Listing {
        Listing::Unlisted
    }

    fn link(&self) -> Option<SecretLink> {
        None
    }
}

/// A starter of a meeting that is listed.
struct Listed {
    listing: Listing,
    link: Option<SecretLink>,
}

impl Starter for Listed {
    fn start(
        &self,
        _: Option<crate::session::RejoinContext>,
        _: Setup,
        _: Arc<dyn engine::VideoOutput>,
    ) -> Result<Started, String> {
        Err("not started".into())
    }

    fn creates(&self) -> bool {
        self.link.is_none()
    }

    fn listing(&self) -> Listing {
        self.listing
    }

    fn link(&self) -> Option<SecretLink> {
        self.link.clone()
    }
}

const LINK: &str = "conclave://visio.example.fr/m/1";

/// A window that enters a listed meeting. Tests drop the tasks that would write the list to the user's file.
fn listed(listing: Listing, link: Option<&str>) -> App {
    let mut app = App::new(Language::English, Choice::Dark);
    let starter = Listed { listing, link: link.map(SecretLink::from) };
    drop(app.start(Start::Enter(Arc::new(starter), Box::new(setup()))));
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
        role: if id == 1 { engine::Role::Organiser } else { engine::Role::Participant },
        rights: engine::Rights::ALL,
        device: String::new(),
        certificate: None,
        microphone: engine::Microphone::On,
        camera: true,
        screen: false,
        connected: true,
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
        chat_first: false,
        proxy: engine::ProxySettings::default(),
        bandwidth: engine::Bandwidth::default(),
        flags: engine::MeetingFlags::NONE,
    }
}

/// A window that enters a meeting.
fn entering() -> App {
    let mut app = App::new(Language::English, Choice::Dark);
    drop(app.start(Start::Enter(Arc::new(NoStarter), Box::new(setup()))));
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
    app.session.closer.wait()();
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

/// A window in a meeting that this computer hosts, with an organiser and `others`. The receiver gets a message when its engine
/// is closed.
fn hosting(others: u64) -> (App, Receiver<()>) {
    hosting_on(None, others)
}

/// Like [`hosting`], with two others, and with a server in this process.
fn on_server() -> (App, Receiver<()>) {
    hosting_on(Some(Arc::new(Embedded::start_everywhere().unwrap())), 2)
}

fn hosting_on(server: Option<Arc<Embedded>>, others: u64) -> (App, Receiver<()>) {
    let mut app = entering();
    let (running, closed) = started(&app);
    let running = Started { hosts: vec!["192.0.2.1".into()], server, ..running };
    let attempt = app.session.attempt();
    drop(app.update(Message::Started(attempt, Box::new(Ok(running)))));
    let me = engine::ParticipantId(1);
    engine_event(&mut app, Event::Entered { me, link: LINK.into(), organiser: true });
    let people = (1..=others + 1).map(|id| person(id, "Somebody")).collect();
    engine_event(&mut app, Event::People(people));
    (app, closed)
}

fn press(app: &mut App, message: meeting::Message) {
    drop(app.update(Message::Meeting(message)));
}

fn hosted(app: &App) -> Option<home::Hosted> {
    let Screen::Home(screen) = &app.screen else { panic!("home is not shown") };
    screen.hosted.clone()
}

#[test]
fn leaving_a_hosted_meeting_ends_nothing_unasked() {
    let (mut app, closed) = hosting(2);
    press(&mut app, meeting::Message::LeavePressed);
    assert!(app.screen.is_inside() && closed.try_recv().is_err());
    press(&mut app, meeting::Message::DialogClosed);
    assert!(app.screen.is_inside());
}

#[test]
fn a_meeting_in_the_background_is_shown_at_home_until_the_user_returns() {
    let (mut app, closed) = hosting(2);
    let attempt = app.session.attempt();
    press(&mut app, meeting::Message::LeavePressed);
    press(&mut app, meeting::Message::LeaveAnswered(Answer::Host));
    assert_eq!(hosted(&app), Some(home::Hosted::Background { others: 2, asking: Vec::new() }));
    assert!(app.session.engine().is_none() && closed.try_recv().is_err(), "the engine runs on");
    let background = |event| Message::Engine(attempt, Box::new(event));
    drop(app.update(background(Event::People(vec![person(1, "Anne"), person(2, "Bob")]))));
    let id = engine::ParticipantId(7);
    let device = engine::DeviceKey([0; 32]);
    let class = engine::IdentityClass::Guest;
    let evidence = engine::Evidence { class, device, certificate: None, via_old_link: false, sent_back: false };
    drop(app.update(background(Event::AsksToJoin { id, name: "Paul".into(), evidence })));
    let Some(home::Hosted::Background { others: 1, asking }) = hosted(&app) else { panic!("{:?}", hosted(&app)) };
    assert_eq!(asking[0].name, "Paul");
    drop(app.update(Message::Home(home::Message::Hosted(home::HostedMessage::Answered(
        crate::screen::asking::Answer { id, admit: false },
    )))));
    assert_eq!(hosted(&app), Some(home::Hosted::Background { others: 1, asking: Vec::new() }));
    drop(app.update(Message::Home(home::Message::Hosted(home::HostedMessage::ReturnPressed))));
    let Screen::Meeting(screen) = &app.screen else { panic!("the meeting is not shown") };
    assert!(screen.model.phase == Phase::Inside && !screen.model.camera, "nothing is sent after the return");
    assert!(app.session.is_current(attempt) && app.session.engine().is_some());
    assert!(closed.try_recv().is_err(), "the same engine runs");
}

#[test]
fn another_meeting_leaves_the_one_in_the_background_alone() {
    let (mut app, closed) = hosting(1);
    press(&mut app, meeting::Message::LeaveAnswered(Answer::Host));
    drop(app.start(Start::Enter(Arc::new(NoStarter), Box::new(setup()))));
    let other = app.session.attempt();
    drop(app.update(Message::Engine(other, Box::new(Event::Ended(Reason::ServerSilent)))));
    drop(app.update(Message::Ended(ended::Message::HomePressed)));
    assert_eq!(hosted(&app), Some(home::Hosted::Background { others: 1, asking: Vec::new() }));
    assert!(closed.try_recv().is_err());
}

#[test]
fn ending_from_home_asks_and_closes_the_engine() {
    let (mut app, closed) = hosting(1);
    press(&mut app, meeting::Message::LeaveAnswered(Answer::Host));
    drop(app.update(Message::Home(home::Message::Hosted(home::HostedMessage::EndPressed))));
    assert!(hosted(&app).is_some() && closed.try_recv().is_err(), "not before it is confirmed");
    drop(app.update(Message::EndDialog(end_dialog::Message::Confirmed(end_dialog::Cause::End))));
    assert_eq!(hosted(&app), None);
    closed.recv_timeout(Duration::from_secs(30)).expect("the engine is closed");
}

#[test]
fn closing_the_window_asks_if_a_meeting_on_this_computer_would_end() {
    for (others, background, asks) in [(2, false, true), (0, false, false), (0, true, true), (2, true, true)] {
        let (mut app, closed) = hosting(others);
        if background {
            press(&mut app, meeting::Message::LeaveAnswered(Answer::Host));
        }
        drop(app.update(Message::CloseRequested));
        assert_eq!((app.asks_to_end.is_some(), app.is_closing), (asks, !asks), "{others} others, {background}");
        if asks {
            drop(app.update(Message::EndDialog(end_dialog::Message::Cancelled)));
            assert!(!app.is_closing && closed.try_recv().is_err());
            drop(app.update(Message::CloseRequested));
            drop(app.update(Message::EndDialog(end_dialog::Message::Confirmed(end_dialog::Cause::Close))));
        }
        closed.recv_timeout(Duration::from_secs(30)).expect("the engine is closed");
    }
}

#[test]
fn closing_the_window_after_a_lost_connection_asks_if_the_server_still_runs() {
    let (mut app, _closed) = hosting(2);
    engine_event(&mut app, Event::Ended(Reason::ServerSilent));
    drop(app.update(Message::CloseRequested));
    assert!(app.is_closing, "its server runs elsewhere");
    let (mut app, _closed) = on_server();
    engine_event(&mut app, Event::Ended(Reason::ServerSilent));
    drop(app.update(Message::CloseRequested));
    assert!(app.asks_to_end.is_some() && !app.is_closing);
    drop(app.update(Message::Ended(ended::Message::HomePressed)));
    assert_eq!(hosted(&app), Some(home::Hosted::LeftHere));
    app.hosting.end(&mut app.session);
    app.session.closer.wait()();
}

#[test]
fn a_request_to_stop_closes_at_once() {
    let (mut app, closed) = hosting(2);
    drop(app.update(Message::StopRequested));
    assert!(app.is_closing && app.asks_to_end.is_none());
    closed.recv_timeout(Duration::from_secs(30)).expect("the engine is closed");
}

#[test]
fn an_organiser_who_left_others_behind_can_return() {
    for (others, reason, expected) in [
        (2, Reason::Left, Some(home::Hosted::LeftElsewhere)),
        (0, Reason::Left, None),
        (2, Reason::ServerSilent, Some(home::Hosted::LeftElsewhere)),
        (2, Reason::NoMeeting, None),
    ] {
        let (mut app, _closed) = hosting(others);
        engine_event(&mut app, Event::Ended(reason.clone()));
        if reason != Reason::Left {
            drop(app.update(Message::Ended(ended::Message::HomePressed)));
        }
        assert_eq!(hosted(&app), expected, "{reason:?}, {others} others");
        if expected.is_some() {
            drop(app.update(Message::Home(home::Message::Hosted(home::HostedMessage::ReturnPressed))));
            let Screen::Meeting(screen) = &app.screen else { panic!("the meeting is not entered") };
            assert!(screen.model.returns && !screen.model.creates, "no other meeting is started");
        }
    }
    let (mut app, _closed) = hosting(2);
    press(&mut app, meeting::Message::LeaveAnswered(Answer::End));
    engine_event(&mut app, Event::Ended(Reason::Left));
    assert_eq!(hosted(&app), None, "the meeting has ended");
}

#[test]
fn an_organiser_whose_end_was_refused_can_return() {
    for kind in [engine::NoticeKind::NotAllowed, engine::NoticeKind::Refused] {
        let (mut app, _closed) = hosting(2);
        press(&mut app, meeting::Message::LeaveAnswered(Answer::End));
        engine_event(&mut app, Event::Notice(engine::Notice { kind, file: None, detail: String::new() }));
        engine_event(&mut app, Event::Ended(Reason::Left));
        assert_eq!(hosted(&app), Some(home::Hosted::LeftElsewhere), "{kind:?}: the meeting goes on");
    }
}

#[test]
fn a_guest_has_no_meeting_to_return_to() {
    let mut app = listed(Listing::Listed, Some(LINK));
    entered(&mut app);
    engine_event(&mut app, Event::People(vec![person(1, "Anne"), person(2, "Bob")]));
    engine_event(&mut app, Event::Ended(Reason::Left));
    assert_eq!(hosted(&app), None);
}

#[test]
fn the_recent_meetings_keep_the_new_link() {
    let mut app = listed(Listing::Listed, None);
    entered(&mut app);
    let link = SecretLink::from("conclave://visio.example.fr/m/2");
    engine_event(&mut app, Event::LinkChanged { link: link.clone() });
    let Screen::Meeting(screen) = &app.screen else { panic!("the meeting is not shown") };
    assert_eq!(screen.model.link, link, "the link that is copied");
    engine_event(&mut app, Event::People(vec![person(1, "Anne"), person(2, "Bob")]));
    let recent = recents(&mut app);
    assert_eq!((recent.len(), recent[0].link.expose(), recent[0].people.len()), (1, link.expose(), 1));
}

/// An organiser without devices, in a meeting on this computer, and its server.
fn on_this_computer() -> (Purpose, Started) {
    let start = Purpose::Start.start(None, setup(), Pictures::default().output()).unwrap();
    (Purpose::Start, start)
}

/// Reads events until `found` returns a value.
fn wait_for<T>(events: &mut engine::Events, found: impl Fn(&Event) -> Option<T>) -> T {
    loop {
        let event = events.blocking_recv().expect("the engine runs");
        assert!(!matches!(event, Event::Ended(_)), "{event:?}");
        if let Some(value) = found(&event) {
            return value;
        }
    }
}

fn link(event: &Event) -> Option<SecretLink> {
    if let Event::Entered { link, organiser: true, .. } = event { Some(link.clone()) } else { None }
}

/// Over real sockets: the server, an organiser and a guest.
#[test]
fn try_again_brings_the_organiser_back_to_the_same_meeting() {
    let mut session = MeetingSession::default();
    let (purpose, mut organiser) = on_this_computer();
    session.set_destination(Arc::new(purpose), setup());
    let before = wait_for(&mut organiser.events, link);
    let (guest, mut guest_events) = engine::Engine::start(
        engine::Entry::Join(before.invitation().unwrap()),
        setup(),
        engine::Identity::generate().unwrap(),
        Arc::new(engine::NullOutput),
    )
    .unwrap();
    let count = |event: &Event| if let Event::People(people) = event { Some(people.len()) } else { None };
    wait_for(&mut guest_events, |event| count(event).filter(|people| *people == 2));
    drop(session.run(organiser));
    session.entered(true);
    session.release();
    let limits = engine::BandwidthLimits::default();
    let (_, start) = session.starting(limits, Pictures::default().output()).expect("there is a destination");
    let mut back = start().expect("the engine starts");
    assert_eq!(wait_for(&mut back.events, link), before, "another meeting was created");
    assert!(back.server.is_some() && !back.hosts.is_empty());
    wait_for(&mut back.events, |event| count(event).filter(|people| *people == 2));
    drop(session.run(back));
    session.entered(true);
    session.end_when_closed();
    session.release();
    let reason = loop {
        if let Event::Ended(reason) = guest_events.blocking_recv().expect("the guest's engine runs") {
            break reason;
        }
    };
    // The server on this computer stops right after the organiser has ended the meeting.
    assert!(matches!(reason, Reason::Ended | Reason::HostStopped), "the organiser ended the meeting: {reason:?}");
    session.closer.wait()();
    crate::session::close(guest);
}

/// Over real sockets: the organiser leaves, the guest stays, and the server stops at the end.
#[test]
fn a_server_runs_on_for_those_who_stay_until_the_last_has_left() {
    let mut session = MeetingSession::default();
    let (purpose, mut organiser) = on_this_computer();
    session.set_destination(Arc::new(purpose), setup());
    let before = wait_for(&mut organiser.events, link);
    let guest = || {
        let identity = engine::Identity::generate().unwrap();
        let entry = engine::Entry::Join(before.invitation().unwrap());
        engine::Engine::start(entry, setup(), identity, Arc::new(engine::NullOutput)).unwrap()
    };
    let (bob, mut events) = guest();
    let is_inside = |event: &Event| matches!(event, Event::Entered { .. }).then_some(());
    wait_for(&mut events, is_inside);
    drop(session.run(organiser));
    session.entered(true);
    session.release();
    let left = session.take_left().expect("there is a way back");
    let alone = |event: &Event| matches!(event, Event::People(people) if people.len() == 1).then_some(());
    wait_for(&mut events, alone);
    let mut hosting = Hosting::Left(Box::new(left));
    hosting.tick(&mut session);
    assert_eq!(hosting.shown(), Some(home::Hosted::LeftHere), "Bob is still there");
    crate::session::close(bob);
    let start = Instant::now();
    while hosting.shown().is_some() {
        assert!(start.elapsed() < Duration::from_secs(30), "the meeting is kept although nobody is in it");
        hosting.tick(&mut session);
        std::thread::yield_now();
    }
    session.closer.wait()();
    let (carol, mut events) = guest();
    let reason = loop {
        if let Event::Ended(reason) = events.blocking_recv().expect("Carol's engine runs") {
            break reason;
        }
    };
    assert!(matches!(reason, Reason::Unreachable(_)), "the server has stopped: {reason:?}");
    crate::session::close(carol);
}

#[path = "tests/announcements.rs"]
mod announcements;
#[path = "tests/bandwidth.rs"]
mod bandwidth;
#[path = "tests/identities.rs"]
mod identities;
#[path = "tests/notices.rs"]
mod notices;
