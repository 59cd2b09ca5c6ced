//! Tests of the alarm about another device: what the window says, and what it writes down.

use super::*;
use crate::pins::{Loaded, Pins, Sighting};
use engine::certificate::Roots;

fn anna(id: u64, device: u64) -> engine::Person {
    engine::Person { device: format!("{device:064x}"), ..person(id, "Anna") }
}

fn known() -> Pins {
    let mut pins = Pins::default();
    pins.add(&Sighting { device: format!("{:064x}", 7), name: "Anna".into(), day: 20_000 });
    pins
}

fn inside() -> App {
    let mut app = listed(Listing::Listed, Some(LINK));
    entered(&mut app);
    app
}

fn said(app: &mut App) -> Vec<String> {
    let sentence = |notice: &crate::model::Notice| notice.sentence(Language::English);
    app.notifications.queue().history().iter().map(sentence).collect()
}

#[test]
fn another_device_under_a_known_name_is_said_once_whenever_the_file_is_read() {
    let alarm = "This is not the device that you know as Anna";
    let loaded = || Message::DevicesLoaded(Box::new((Loaded { pins: known(), damaged: false }, Roots::default())));
    let people = |device| Event::People(vec![person(1, "Me"), anna(2, device)]);
    for read_first in [true, false] {
        let mut app = inside();
        if read_first {
            drop(app.update(loaded()));
            engine_event(&mut app, people(8));
        } else {
            engine_event(&mut app, people(8));
            drop(app.update(loaded()));
        }
        engine_event(&mut app, people(8));
        assert_eq!(said(&mut app), [alarm], "the file is read first: {read_first}");
    }
    let mut app = inside();
    drop(app.update(loaded()));
    engine_event(&mut app, people(7));
    assert!(said(&mut app).is_empty(), "the device is the known one");
}

#[test]
fn a_damaged_file_is_said() {
    let mut app = inside();
    drop(
        app.update(Message::DevicesLoaded(Box::new((
            Loaded { pins: Pins::default(), damaged: true },
            Roots::default(),
        )))),
    );
    assert_eq!(said(&mut app), ["The list of the devices that you know was damaged"]);
}

#[test]
fn who_is_met_is_written_down_in_the_background() {
    let mut app = inside();
    drop(app.update(Message::DevicesLoaded(Box::new((Loaded { pins: known(), damaged: false }, Roots::default())))));
    let attempt = app.session.attempt();
    let event = |people| Message::Engine(attempt, Box::new(Event::People(people)));
    // The first time, the name is written into the list of recent meetings.
    drop(app.update(event(vec![person(1, "Me"), person(2, "Anna")])));
    let nothing = app.update(event(vec![person(1, "Me"), person(2, "Anna")])).units();
    let written = app.update(event(vec![person(1, "Me"), anna(2, 7)])).units();
    assert_eq!((nothing, written), (0, 1), "a task writes the file");
    let Screen::Meeting(screen) = &mut app.screen else { panic!("the meeting is not shown") };
    assert!(screen.model.identities.take_unsaved().is_empty());
}

#[test]
fn a_known_device_is_let_in_by_the_rule_of_the_user_whenever_the_file_is_read() {
    let asks = |id, device| {
        let device = engine::DeviceKey([device; 32]);
        let (class, certificate) = (engine::IdentityClass::Guest, None);
        let evidence = engine::Evidence { class, device, certificate, via_old_link: false, sent_back: false };
        Event::AsksToJoin { id: engine::ParticipantId(id), name: "Anna".into(), evidence }
    };
    let known = || {
        let mut pins = Pins::default();
        pins.add(&Sighting { device: "07".repeat(32), name: "Anna".into(), day: 20_000 });
        Message::DevicesLoaded(Box::new((Loaded { pins, damaged: false }, Roots::default())))
    };
    for read_first in [true, false] {
        let mut app = inside();
        engine_event(&mut app, Event::People(vec![person(1, "Me")]));
        let rule = meeting::waiting_room::Message::KnownPressed(true);
        drop(app.update(Message::Meeting(meeting::Message::WaitingRoom(rule))));
        if read_first {
            drop(app.update(known()));
        }
        engine_event(&mut app, asks(2, 7));
        engine_event(&mut app, asks(3, 9));
        if !read_first {
            drop(app.update(known()));
        }
        let Screen::Meeting(screen) = &app.screen else { panic!("the meeting is not shown") };
        let waits: Vec<_> = screen.model.asking.iter().map(|asker| asker.id.0).collect();
        assert_eq!(waits, [3], "the file is read first: {read_first}");
    }
    let mut app = inside();
    engine_event(&mut app, Event::People(vec![person(1, "Me")]));
    drop(app.update(known()));
    engine_event(&mut app, asks(2, 7));
    let Screen::Meeting(screen) = &app.screen else { panic!("the meeting is not shown") };
    assert_eq!(screen.model.asking.len(), 1, "the user has not chosen the rule");
}
