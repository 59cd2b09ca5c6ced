//! Tests of the limits of the bandwidth: which engine gets them, and when.

use super::*;
use crate::model::bandwidth::{Change, Choice as Limit, Direction};
use crate::screen::preferences::Preference;
use engine::Command;

const KBPS: u32 = 250;

/// Limits what is sent, as the menu of the meeting or of the home screen does.
fn limit(app: &mut App, kbps: u32) {
    let change = Preference::Bandwidth(Change::Limit(Direction::Send, Limit::Kbps(kbps)));
    drop(app.update(Message::Home(home::Message::Preferred(change))));
}

/// Waits for a second of the statistics in which an engine keeps to the limit.
fn wait_for_limit(events: &mut engine::Events, kbps: u32) {
    let limit = |event: &Event| if let Event::Second(second) = event { second.link.send_limit_kbps } else { None };
    let found = async {
        while let Some(event) = events.recv().await {
            if limit(&event) == Some(u64::from(kbps)) {
                return true;
            }
        }
        false
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let found = runtime.block_on(async { tokio::time::timeout(Duration::from_mins(1), found).await });
    assert_eq!(found, Ok(true), "the engine has no limit of {kbps} kbit/s");
}

/// Over real sockets: the user limits the bandwidth after "Start" was pressed, and before the engine is there.
#[test]
fn a_limit_that_is_set_while_the_engine_starts_reaches_it() {
    let mut app = entering();
    let (_, mut started) = on_this_computer();
    let (_unused, events) = tokio::sync::mpsc::channel(1);
    let mut events = std::mem::replace(&mut started.events, events);
    app.preferences.bandwidth.apply(Change::Limit(Direction::Send, Limit::Kbps(KBPS)));
    let attempt = app.session.attempt();
    drop(app.update(Message::Started(attempt, Box::new(Ok(started)))));
    wait_for_limit(&mut events, KBPS);
    app.session.release();
    app.session.closer.wait()();
}

/// Over real sockets: the meeting is in the background, and the limit is set at home.
#[test]
fn a_meeting_in_the_background_keeps_to_a_new_limit() {
    let mut app = entering();
    let (_, mut started) = on_this_computer();
    let (_unused, events) = tokio::sync::mpsc::channel(1);
    let mut events = std::mem::replace(&mut started.events, events);
    let attempt = app.session.attempt();
    drop(app.update(Message::Started(attempt, Box::new(Ok(started)))));
    wait_for(&mut events, link);
    press(&mut app, meeting::Message::LeaveAnswered(Answer::Host));
    assert!(app.session.engine().is_none() && hosted(&app).is_some());
    limit(&mut app, KBPS);
    wait_for_limit(&mut events, KBPS);
    app.hosting.end(&mut app.session);
    app.session.closer.wait()();
}

#[test]
fn a_limit_that_the_engine_refuses_stays_to_be_sent() {
    let mut app = entering();
    let (mut started, _closed) = started(&app);
    let (_unused, events) = tokio::sync::mpsc::channel(1);
    let mut events = std::mem::replace(&mut started.events, events);
    let attempt = app.session.attempt();
    drop(app.update(Message::Started(attempt, Box::new(Ok(started)))));
    let accepted = |app: &App| app.session.running.as_ref().and_then(|running| running.limits);
    assert_eq!(accepted(&app), Some(app.preferences.bandwidth.limits()));
    // The engine cannot reach its server and ends. Nothing takes commands from its queue then.
    while !matches!(events.blocking_recv(), Some(Event::Ended(_)) | None) {}
    while app.session.engine().is_some_and(|engine| engine.send(Command::RequestTotals).is_ok()) {}
    app.preferences.bandwidth.apply(Change::Limit(Direction::Send, Limit::Kbps(KBPS)));
    drop(app.update(Message::Tick(Instant::now())));
    assert_ne!(accepted(&app), Some(app.preferences.bandwidth.limits()), "it has refused them");
}
