use super::*;
use crate::app::Screen;
use crate::locale::Language;
use crate::model::Phase;
use crate::theme::Choice;
use std::sync::Mutex;

/// A runner that enters a meeting, and the reasons that its plan gets.
fn running(leave_after: Option<Duration>) -> (Runner, Arc<Mutex<Vec<Reason>>>) {
    let reasons: Arc<Mutex<Vec<Reason>>> = Arc::default();
    let kept = Arc::clone(&reasons);
    let plan = Plan {
        entry: Entry::Create { host: "localhost".into(), port: 1, fingerprint: None },
        link: None,
        listing: Listing::Unlisted,
        server: None,
        setup: Setup {
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
        },
        leave_after,
        screenshot: None,
        wrap_output: Arc::new(|output| output),
        after_close: Arc::new(|_, _| {}),
        on_event: Box::new(|_| {}),
        on_end: Box::new(move |reason| kept.lock().unwrap().push(reason.clone())),
    };
    let (start, watch) = plan.split();
    let mut app = App::new(Language::English, Choice::Dark);
    // The task that would start the engine is dropped.
    drop(app.start(start));
    (Runner { app, watch: Some(watch) }, reasons)
}

fn send(runner: &mut Runner, message: app::Message) {
    drop(runner.update(Message::App(message)));
}

fn engine_event(runner: &Runner, event: Event) -> app::Message {
    app::Message::Engine(runner.app.session.attempt(), Box::new(event))
}

fn entered(runner: &Runner) -> app::Message {
    engine_event(
        runner,
        Event::Entered { me: engine::ParticipantId(1), link: engine::SecretLink::default(), organiser: true },
    )
}

fn failures() -> [Reason; 23] {
    [
        Reason::Removed,
        Reason::Refused,
        Reason::Unattended,
        Reason::Barred,
        Reason::OldLink,
        Reason::Locked,
        Reason::UnreadableRequest,
        Reason::OwnClock { ahead: 7_200 },
        Reason::OrganiserClock { ahead: -7_200 },
        Reason::Ended,
        Reason::NoMeeting,
        Reason::Unreachable("connection refused".into()),
        Reason::SignIn("302".into()),
        Reason::Proxy("it closed the connection".into()),
        Reason::Certificate("another".into()),
        Reason::Version,
        Reason::ServerSilent,
        Reason::Forged,
        Reason::FalseWelcome,
        Reason::Full,
        Reason::Draining,
        Reason::Server("nonsense".into()),
        Reason::Here("no thread".into()),
    ]
}

#[test]
fn each_failure_is_shown_in_the_window_which_stays() {
    for reason in failures() {
        let (mut runner, reasons) = running(None);
        let message = engine_event(&runner, Event::Ended(reason.clone()));
        send(&mut runner, message);
        let Screen::Ended(screen) = &runner.app.screen else { panic!("{reason:?} is not shown") };
        assert_eq!(screen.reason, reason);
        assert_eq!(screen.progress, ended::Progress::Starting, "it was never in the meeting");
        assert!(runner.watch.is_some());
        assert_eq!(*reasons.lock().unwrap(), [reason]);
    }
}

#[test]
fn the_failure_to_start_an_engine_is_shown() {
    let (mut runner, reasons) = running(None);
    let attempt = runner.app.session.attempt();
    send(&mut runner, app::Message::Started(attempt, Box::new(Err("no thread".into()))));
    assert!(matches!(runner.app.screen, Screen::Ended(_)));
    assert_eq!(*reasons.lock().unwrap(), [Reason::Here("no thread".into())]);
}

#[test]
fn try_again_enters_the_same_meeting_and_home_ends_the_plan() {
    let (mut runner, _) = running(None);
    let message = engine_event(&runner, Event::Ended(Reason::ServerSilent));
    send(&mut runner, message);
    send(&mut runner, app::Message::Ended(ended::Message::RetryPressed));
    let Screen::Meeting(screen) = &runner.app.screen else { panic!("the meeting is not entered again") };
    assert_eq!(screen.model.phase, Phase::default());
    assert!(runner.watch.is_some());
    let message = engine_event(&runner, Event::Ended(Reason::Full));
    send(&mut runner, message);
    send(&mut runner, app::Message::Ended(ended::Message::HomePressed));
    assert!(matches!(&runner.app.screen, Screen::Home(_)));
    assert!(runner.watch.is_none(), "the plan is dropped");
}

#[test]
fn the_window_closes_if_a_time_was_set_or_the_user_left() {
    for (reason, leave_after) in [(Reason::Left, None), (Reason::ServerSilent, Some(Duration::from_secs(9)))] {
        let (mut runner, reasons) = running(leave_after);
        let message = engine_event(&runner, Event::Ended(reason.clone()));
        send(&mut runner, message);
        assert!(runner.watch.is_none());
        assert!(!matches!(runner.app.screen, Screen::Ended(_)), "the window does not stay to show the reason");
        assert_eq!(*reasons.lock().unwrap(), [reason]);
    }
}

#[test]
fn the_time_until_leaving_counts_from_entering() {
    let (mut runner, _) = running(Some(Duration::from_secs(9)));
    let is_due_after = |runner: &Runner, after| {
        let watch = runner.watch.as_ref().expect("the plan runs");
        watch.is_due(Instant::now() + Duration::from_secs(after))
    };
    assert!(!is_due_after(&runner, 60), "the meeting was not entered yet");
    let message = entered(&runner);
    send(&mut runner, message);
    assert!(!is_due_after(&runner, 8));
    assert!(is_due_after(&runner, 10));
}

#[test]
fn leaving_waits_for_the_totals() {
    let (mut runner, _) = running(None);
    let message = entered(&runner);
    send(&mut runner, message);
    let totals = engine_event(&runner, Event::Totals(engine::Totals::default()));
    let watch = runner.watch.as_mut().expect("the plan runs");
    let leave = app::Message::Meeting(meeting::Message::LeavePressed);
    assert_eq!(watch.react(&leave, Instant::now(), true, false), Reaction::Leave);
    assert_eq!(
        watch.react(&totals, Instant::now(), true, false),
        Reaction::Forward,
        "these totals were not requested by leaving"
    );
    watch.state = State::Counting { since: Instant::now() };
    assert_eq!(watch.react(&totals, Instant::now(), true, false), Reaction::ForwardThenLeave);
}

#[test]
fn closing_the_window_leaves_first_if_an_engine_runs() {
    let (mut runner, _) = running(None);
    let watch = runner.watch.as_mut().expect("the plan runs");
    assert_eq!(watch.react(&app::Message::CloseRequested, Instant::now(), true, false), Reaction::Leave);
    assert_eq!(watch.react(&app::Message::CloseRequested, Instant::now(), false, false), Reaction::Forward);
}

#[test]
fn cancelling_before_the_engine_runs_ends_the_program() {
    let (mut runner, reasons) = running(None);
    send(&mut runner, app::Message::Entering(crate::screen::entering::Message::CancelPressed));
    assert!(runner.watch.is_none());
    assert_eq!(*reasons.lock().unwrap(), [Reason::Left]);
}

/// A runner in a meeting with another participant, whose server is on this computer or elsewhere.
fn inside(hosted: bool, leave_after: Option<Duration>) -> (Runner, Arc<Mutex<Vec<Reason>>>) {
    let (mut runner, reasons) = running(leave_after);
    let message = entered(&runner);
    send(&mut runner, message);
    let Screen::Meeting(screen) = &mut runner.app.screen else { panic!("the meeting is not shown") };
    screen.model.hosts = hosted.then(|| "192.0.2.1".to_owned()).into_iter().collect();
    screen.model.people = [1, 2].map(person).to_vec();
    (runner, reasons)
}

fn person(id: u64) -> engine::Person {
    engine::Person {
        id: engine::ParticipantId(id),
        name: "Somebody".into(),
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

fn is_home(runner: &Runner) -> bool {
    matches!(runner.app.screen, Screen::Home(_))
}

#[test]
fn the_question_how_to_leave_is_asked_before_anything_is_counted() {
    for hosted in [true, false] {
        let (mut runner, reasons) = inside(hosted, None);
        send(&mut runner, app::Message::Meeting(meeting::Message::LeavePressed));
        let watch = runner.watch.as_ref().expect("the plan runs");
        assert_eq!(watch.state, State::Running { leave_at: None });
        send(&mut runner, app::Message::Meeting(meeting::Message::LeaveAnswered(Answer::End)));
        // Without an engine there are no totals to wait for, and the meeting ends for us at once.
        assert!(is_home(&runner) && reasons.lock().unwrap().is_empty());
    }
}

#[test]
fn a_meeting_that_is_kept_in_the_background_ends_the_plan_and_not_the_program() {
    let (mut runner, reasons) = inside(true, None);
    send(&mut runner, app::Message::Meeting(meeting::Message::LeaveAnswered(Answer::Host)));
    assert!(runner.watch.is_none() && is_home(&runner));
    assert!(reasons.lock().unwrap().is_empty());
}

#[test]
fn the_window_stays_if_the_meeting_goes_on_without_the_user() {
    for (answer, stays) in [(Answer::Leave, true), (Answer::End, false)] {
        let (mut runner, reasons) = inside(true, None);
        let watch = runner.watch.as_mut().expect("the plan runs");
        watch.press = Some(meeting::Message::LeaveAnswered(answer));
        watch.state = State::Leaving { since: Instant::now() };
        let message = engine_event(&runner, Event::Ended(Reason::Left));
        send(&mut runner, message);
        assert_eq!(*reasons.lock().unwrap(), [Reason::Left]);
        assert!(runner.watch.is_none());
        assert_eq!(is_home(&runner), stays, "{answer:?}: a window that closes still has its last screen");
    }
}

#[test]
fn closing_asks_if_others_would_lose_the_meeting_and_a_signal_does_not() {
    let (mut runner, _) = inside(true, None);
    let watch = runner.watch.as_mut().expect("the plan runs");
    assert_eq!(watch.react(&app::Message::CloseRequested, Instant::now(), true, true), Reaction::Forward);
    assert_eq!(watch.react(&app::Message::StopRequested, Instant::now(), true, true), Reaction::Leave);
    let confirmed = app::Message::EndDialog(end_dialog::Message::Confirmed(end_dialog::Cause::Close));
    assert_eq!(watch.react(&confirmed, Instant::now(), true, false), Reaction::Leave);
}
