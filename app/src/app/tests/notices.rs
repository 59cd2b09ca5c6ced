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
