//! Tests of which notices stay when a meeting ends.

use super::*;

#[test]
fn the_notices_of_a_meeting_are_not_shown_at_home() {
    let mut app = listed(Listing::Unlisted, None);
    entered(&mut app);
    let notice = Notice { kind: NoticeKind::LinkCopied, file: None, detail: String::new() };
    app.notifications.notify(notice, Language::English);
    assert!(app.notifications.queue().is_busy());
    drop(app.go_home());
    assert!(!app.notifications.queue().is_busy());
}

#[test]
fn after_the_end_only_notices_about_recordings_stay() {
    let mut app = listed(Listing::Unlisted, None);
    entered(&mut app);
    for kind in [engine::NoticeKind::NoSound, engine::NoticeKind::DiskFull] {
        let file = Some("heard.wav".into());
        engine_event(&mut app, Event::Notice(engine::Notice { kind, file, detail: "no space left".into() }));
    }
    engine_event(&mut app, Event::Ended(Reason::ServerSilent));
    let context = crate::screen::Context {
        language: Language::English,
        theme: Choice::Dark,
        bandwidth: app.preferences.bandwidth,
        reduced_motion: true,
        size: iced::Size::new(1280.0, 800.0),
        scale: 1.0,
        now: Instant::now(),
    };
    assert!(app.notifications.queue().view(&context).is_some(), "the file is not complete");
    drop(app.update(Message::Notice(crate::screen::notice::Message::Dismissed(0))));
    assert!(app.notifications.queue().view(&context).is_none(), "no sound device is missing any more");
}

#[test]
fn a_change_of_our_rights_or_of_the_link_reaches_the_user_who_is_at_home() {
    let events = || {
        let rights = (engine::Role::Participant, engine::Rights::NONE);
        let change =
            engine::RightsChange { by: None, before: (engine::Role::CoOrganiser, engine::Rights::ALL), now: rights };
        let link = SecretLink::from("conclave://h:1/#new");
        [Event::OwnRightsChanged(change), Event::LinkChanged { link }]
    };
    for event in events() {
        let (mut app, _closed) = hosting(2);
        let attempt = app.session.attempt();
        press(&mut app, meeting::Message::LeaveAnswered(Answer::Host));
        assert!(!app.notifications.queue().is_busy());
        drop(app.update(Message::Engine(attempt, Box::new(event))));
        assert!(app.notifications.queue().is_busy());
    }
}
