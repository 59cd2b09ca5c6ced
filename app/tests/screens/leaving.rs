//! Tests leaving a meeting, its end, requests to join, a lost connection, and the meeting that goes on.

use crate::common::{self, Ui, context, hosted_meeting_of, meeting_of, small_context, smallest_context, tree, tree_in};
use accesskit::{Node, Role};
use app::kit::{Element, modal_of};
use app::locale::Language;
use app::model::lobby::Conversation;
use app::model::{Asker, sentence};
use app::pictures::Pictures;
use app::screen::asking::Answer as Decision;
use app::screen::home::{self, Hosted};
use app::screen::meeting::leave::Answer;
use app::screen::{Context, end_dialog, ended, meeting};
use app::snapshot;
use app::theme::Theme;
use engine::{Event, Notice, NoticeKind, ParticipantId, Reason};
use iced::keyboard::key::Named;
use std::time::Instant;

/// The states of the card at home, with the names of their pictures.
pub fn hosted_meetings() -> [(&'static str, Hosted); 4] {
    let background = |others, askers: &[&str]| Hosted::Background { others, asking: asking(askers) };
    [
        ("home-hosted", background(3, &[])),
        ("home-hosted-asked", background(0, &["Paul Lambert"])),
        ("home-left-here", Hosted::LeftHere),
        ("home-left-elsewhere", Hosted::LeftElsewhere),
    ]
}

/// Calls `visit` with the question before a meeting on this computer ends.
pub fn every_end_dialog(context: &Context, visit: &mut impl FnMut(&str, Element<'_, ()>)) {
    let (end, close) = (end_dialog::Cause::End, end_dialog::Cause::Close);
    for (name, cause, others) in
        [("home-end", end, 2), ("home-close", close, 2), ("home-end-alone", end, 0), ("home-close-alone", close, 0)]
    {
        let mut home = home::Home::new(Vec::new());
        home.hosted = Some(Hosted::Background { others, asking: Vec::new() });
        let dialog = end_dialog::dialog(cause, others == 0, context);
        visit(name, modal_of(home.view(context).map(drop), Some(dialog), drop));
    }
}

/// Calls `visit` with the dialogs and banners of leaving, of requests and of a lost connection.
pub fn every_dialog(context: &Context, visit: &mut impl FnMut(&str, Element<'_, ()>)) {
    let elsewhere = meeting_of(4);
    for (name, mut screen) in [
        ("meeting-leave-hosted", hosted_meeting_of(4)),
        ("meeting-leave-alone", hosted_meeting_of(1)),
        ("meeting-leave", elsewhere),
    ] {
        screen.update(meeting::Message::LeavePressed);
        visit(name, screen.view(context, &common::pictures(9), &[]).map(drop));
    }
    let mut screen = meeting_of(4);
    screen.model.asking = asking(&["Paul Lambert", "Quentin", "Rose", "Sam", "Théo"]);
    visit("meeting-asked", screen.view(context, &common::pictures(9), &[]).map(drop));
    let mut screen = meeting_of(4);
    screen.model.reconnecting = true;
    visit("meeting-reconnecting", screen.view(context, &common::pictures(9), &[]).map(drop));
}

fn asking(names: &[&str]) -> Vec<Asker> {
    let asker = |(index, name): (usize, &&str)| Asker {
        id: ParticipantId(70 + index as u64),
        name: (*name).to_owned(),
        mark: None,
        badge: None,
        refusal: None,
        evidence: common::evidence(),
        since: None,
        chat: Conversation::default(),
    };
    names.iter().enumerate().map(asker).collect()
}

fn node<'a>(update: &'a accesskit::TreeUpdate, role: Role, label: &str) -> Option<&'a Node> {
    update.nodes.iter().map(|(_, node)| node).find(|node| node.role() == role && node.label() == Some(label))
}

#[test]
fn leaving_a_meeting_on_this_computer_asks_how_and_says_what_each_answer_means() {
    for (language, end, meaning) in [
        (Language::English, "End for everyone", "The meeting ends for all participants"),
        (Language::French, "Terminer pour tous", "La visioconférence se termine pour tous les participants"),
    ] {
        let mut screen = hosted_meeting_of(3);
        assert_eq!(screen.update(meeting::Message::LeavePressed), meeting::Action::None, "nothing ends unasked");
        let pictures = common::pictures(0);
        let update = tree(screen.view(&context(language), &pictures, &[]));
        let described = node(&update, Role::Button, end).and_then(|node| node.description()).unwrap_or_default();
        assert!(described.starts_with(meaning), "{described}");
    }
}

#[test]
fn the_answers_are_reached_by_keyboard() {
    for (key, expected) in [(0, Answer::Leave), (1, Answer::End), (2, Answer::Host)] {
        let mut screen = hosted_meeting_of(3);
        screen.update(meeting::Message::LeavePressed);
        let pictures = common::pictures(0);
        let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
        ui.redraw();
        assert_eq!(ui.focused().as_deref(), Some("leave-leave"));
        for _ in 0..key {
            ui.tap(Named::Tab);
        }
        ui.tap(Named::Enter);
        let answers: Vec<_> = ui
            .messages()
            .into_iter()
            .filter_map(
                |message| if let meeting::Message::LeaveAnswered(answer) = message { Some(answer) } else { None },
            )
            .collect();
        assert_eq!(answers, [expected]);
    }
    let mut screen = hosted_meeting_of(3);
    screen.update(meeting::Message::LeavePressed);
    let pictures = common::pictures(0);
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.redraw();
    assert_eq!(ui.tab_order(), ["leave-leave", "leave-end", "leave-host", "cancel"]);
}

#[test]
fn each_answer_is_an_action_and_a_guest_leaves_at_once() {
    for (answer, action) in [
        (Answer::Leave, meeting::Action::Leave),
        (Answer::End, meeting::Action::End),
        (Answer::Host, meeting::Action::Host),
    ] {
        let mut screen = hosted_meeting_of(3);
        screen.update(meeting::Message::LeavePressed);
        assert_eq!(screen.update(meeting::Message::LeaveAnswered(answer)), action);
        assert_eq!(screen.ends, answer == Answer::End);
    }
    let mut guest = meeting_of(3);
    guest.model.organiser = false;
    assert_eq!(guest.update(meeting::Message::LeavePressed), meeting::Action::Leave);
}

#[test]
fn the_dialog_fits_a_small_window() {
    for language in Language::ALL {
        for context in [small_context(language), smallest_context(language)] {
            let mut screen = hosted_meeting_of(4);
            screen.update(meeting::Message::LeavePressed);
            let pictures = common::pictures(0);
            let update = tree_in(screen.view(&context, &pictures, &[]), context.size);
            // The answers scroll.
            let dialog = node(&update, Role::AlertDialog, &language.text("leave-title")).expect("the dialog is open");
            let cancel = node(&update, Role::Button, &language.text("action-cancel")).expect("there is a way out");
            for bounds in [dialog, cancel].map(|node| node.bounds().unwrap_or_default()) {
                let inside = bounds.y0 >= 0.0 && bounds.y1 <= f64::from(context.size.height);
                assert!(inside, "{bounds:?} in {:?}", context.size);
            }
        }
    }
}

fn asks(id: ParticipantId, name: String) -> Event {
    Event::AsksToJoin { id, name, evidence: common::evidence() }
}

fn event(screen: &mut meeting::Meeting, event: &Event) -> Vec<app::announce::Announcement> {
    screen.handle_event(event, Instant::now())
}

const PAUL_ASKS: &str =
    "Paul asks to join, Guest, not verified · old link · Device a1a1 a1a1 a1a1 · waiting for less than a minute";

#[test]
fn a_request_with_an_old_link_is_announced_shown_and_answered_by_keyboard() {
    let paul = ParticipantId(70);
    for (admit, expected) in [(true, "Admit Paul"), (false, "Decline Paul")] {
        let mut screen = meeting_of(3);
        let announced = event(&mut screen, &asks(paul, "Paul".into()));
        assert_eq!(announced, [app::announce::Announcement::Asking("Paul".into())]);
        assert_eq!(event(&mut screen, &asks(paul, "Paul".into())), [], "once");
        let pictures = common::pictures(0);
        let update = tree(screen.view(&context(Language::English), &pictures, &[]));
        assert!(node(&update, Role::ListItem, PAUL_ASKS).is_some());
        assert!(node(&update, Role::Button, expected).is_some());
        let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
        let wanted = if admit { "asking-admit-0000000000000046" } else { "asking-decline-0000000000000046" };
        assert!(ui.tab_order().iter().any(|id| id == wanted), "{:?}", ui.tab_order());
        ui.click_id(wanted);
        let answer = ui.messages().into_iter().find(|message| matches!(message, meeting::Message::Answered(_)));
        let answer = answer.unwrap_or_else(|| panic!("the button does nothing"));
        assert_eq!(screen.update(answer), meeting::Action::Decide(Decision { id: paul, admit }.into()));
        assert!(screen.model.asking.is_empty(), "the row is gone at once");
    }
}

#[test]
fn a_request_that_was_given_up_disappears() {
    let mut screen = meeting_of(3);
    event(&mut screen, &asks(ParticipantId(70), "Paul".into()));
    event(&mut screen, &Event::StoppedAsking(ParticipantId(70)));
    assert!(screen.model.asking.is_empty());
}

#[test]
fn many_requests_leave_space_for_the_meeting() {
    let mut screen = meeting_of(3);
    for id in 0..500 {
        event(&mut screen, &asks(ParticipantId(100 + id), format!("Stranger {id}")));
    }
    let pictures = common::pictures(0);
    let update = tree(screen.view(&context(Language::English), &pictures, &[]));
    let rows =
        update.nodes.iter().filter(|(_, node)| node.label().unwrap_or_default().contains("asks to join, ")).count();
    assert_eq!(rows, 3);
    Ui::new(screen.view(&context(Language::English), &pictures, &[])).find("497 more people are asking to join.");
}

#[test]
fn a_lost_connection_is_shown_until_it_is_back() {
    for language in Language::ALL {
        let mut screen = meeting_of(3);
        let notice = |kind| Event::Notice(Notice { kind, file: None, detail: String::new() });
        event(&mut screen, &notice(NoticeKind::Reconnecting));
        let pictures = common::pictures(3);
        let title = language.text("meeting-reconnecting");
        let update = tree(screen.view(&context(language), &pictures, &[]));
        assert!(node(&update, Role::Region, &title).is_some());
        let tiles = update.nodes.iter().filter(|(_, node)| node.role() == Role::ListItem).count();
        assert_eq!(tiles, 3, "the participants stay");
        Ui::new(screen.view(&context(language), &pictures, &[])).find(&language.text("meeting-reconnecting-text"));
        event(&mut screen, &notice(NoticeKind::Reconnected));
        let update = tree(screen.view(&context(language), &pictures, &[]));
        assert!(node(&update, Role::Region, &title).is_none());
    }
}

/// The mean difference between the largest and the smallest colour value of a pixel, in a part of a picture.
fn colourfulness(picture: &app::snapshot::Rgba, [left, top, width, height]: [usize; 4]) -> usize {
    let row = |y: usize| &picture.pixels[(y * picture.width as usize + left) * 4..][..width * 4];
    let spread = |pixel: &[u8]| {
        let [red, green, blue] = [pixel[0], pixel[1], pixel[2]];
        usize::from(red.max(green).max(blue) - red.min(green).min(blue))
    };
    let sum: usize = (top..top + height).flat_map(|y| row(y).chunks_exact(4)).map(spread).sum();
    sum / (width * height)
}

#[test]
fn a_lost_picture_stays_grey_until_it_moves_again() {
    for language in Language::ALL {
        let mut screen = meeting_of(2);
        let context = context(language);
        // A feed gives each picture to one drawing only.
        let draw = |screen: &meeting::Meeting, pictures: &Pictures, name: &str| {
            let view = screen.view(&context, pictures, &[]);
            let picture = snapshot::snapshot(view, &Theme::DARK, [1280, 800], 1.0).expect("something can draw");
            if let Some(folder) = std::env::var_os("SCREENS") {
                let name = format!("still-{name}-{language:?}.png");
                std::fs::create_dir_all(&folder).expect("the folder can be created");
                snapshot::save(&std::path::Path::new(&folder).join(name), &picture).expect("written");
            }
            // The wall beside the other participant's head, away from the labels.
            colourfulness(&picture, [300, 250, 100, 100])
        };
        let before = draw(&screen, &common::pictures(2), "before");
        assert!(before > 10, "{before}");
        let notice = |kind| Event::Notice(Notice { kind, file: None, detail: String::new() });
        event(&mut screen, &notice(NoticeKind::Reconnecting));
        assert!(draw(&screen, &common::pictures(2), "flows") > 10, "media may still flow");
        let pictures = common::pictures(2);
        event(&mut screen, &notice(NoticeKind::Reconnected));
        let still = draw(&screen, &pictures, "still");
        assert!(still <= 2, "{still}");
        assert_eq!(draw(&screen, &common::pictures(2), "moving"), before);
    }
}

#[test]
fn a_meeting_without_others_is_not_ended_for_everyone() {
    for (language, alone, everyone) in [
        (Language::English, "End the meeting", "End for everyone"),
        (Language::French, "Terminer la visioconférence", "Terminer pour tous"),
    ] {
        let context = context(language);
        for (others, expected) in [(0, alone), (1, everyone)] {
            let mut home = home::Home::new(Vec::new());
            home.hosted = Some(Hosted::Background { others, asking: Vec::new() });
            let dialog = || end_dialog::dialog(end_dialog::Cause::End, others == 0, &context);
            let buttons = |update: accesskit::TreeUpdate| -> Vec<String> {
                let buttons = update.nodes.iter().filter(|(_, node)| node.role() == Role::Button);
                buttons.filter_map(|(_, node)| node.label().map(str::to_owned)).collect()
            };
            let page = buttons(tree(home.view(&context)));
            assert!(page.iter().any(|name| name == expected), "{page:?}");
            let asked = buttons(tree(modal_of(home.view(&context).map(drop), Some(dialog()), drop)));
            assert!(asked.iter().any(|name| name == expected), "{asked:?}");
        }
    }
}

#[test]
fn the_home_screen_shows_the_meeting_that_goes_on() {
    for language in Language::ALL {
        for (name, hosted) in hosted_meetings() {
            let mut home = home::Home::new(Vec::new());
            home.hosted = Some(hosted.clone());
            let mut ui = Ui::new(home.view(&context(language)));
            ui.click_id("return");
            ui.click_id("end");
            let messages = ui.messages();
            assert!(
                matches!(
                    messages[..],
                    [
                        home::Message::Hosted(home::HostedMessage::ReturnPressed),
                        home::Message::Hosted(home::HostedMessage::EndPressed)
                    ]
                ),
                "{name}: {messages:?}"
            );
            assert_eq!(home.update(home::Message::Hosted(home::HostedMessage::ReturnPressed)), home::Action::Return);
            let ends = home.update(home::Message::Hosted(home::HostedMessage::EndPressed));
            let elsewhere = hosted == Hosted::LeftElsewhere;
            assert_eq!(ends, if elsewhere { home::Action::ForgetHosted } else { home::Action::AskToEnd });
            let starts = home.update(home::Message::StartPressed);
            assert_eq!(starts == home::Action::Start, elsewhere, "this computer hosts one meeting at a time");
        }
    }
}

#[test]
fn a_request_is_answered_on_the_home_screen() {
    let mut home = home::Home::new(Vec::new());
    home.hosted = Some(Hosted::Background { others: 1, asking: asking(&["Paul"]) });
    let mut ui = Ui::new(home.view(&context(Language::English)));
    ui.click_id("asking-admit-0000000000000046");
    let messages = ui.messages();
    let [home::Message::Hosted(home::HostedMessage::Answered(answer))] = messages[..] else { panic!("{messages:?}") };
    assert_eq!(home.update(home::Message::Hosted(home::HostedMessage::Answered(answer))), home::Action::Answer(answer));
    assert_eq!(answer, Decision { id: ParticipantId(70), admit: true });
}

fn reasons() -> [Reason; 29] {
    [
        Reason::Left,
        Reason::Removed,
        Reason::Refused,
        Reason::Unattended,
        Reason::Barred,
        Reason::OldLink,
        Reason::Locked,
        Reason::NotNow,
        Reason::NotInvited,
        Reason::NoRoom,
        Reason::UnreadableRequest,
        Reason::NoGuests,
        Reason::OwnClock { ahead: 7_200 },
        Reason::OrganiserClock { ahead: -7_200 },
        Reason::Ended,
        Reason::NoMeeting,
        Reason::Unreachable(String::new()),
        Reason::SignIn(String::new()),
        Reason::Proxy(String::new()),
        Reason::Certificate(String::new()),
        Reason::Version,
        Reason::ServerSilent,
        Reason::Full,
        Reason::Draining,
        Reason::HostStopped,
        Reason::Server(String::new()),
        Reason::Forged,
        Reason::FalseWelcome,
        Reason::Here(String::new()),
    ]
}

#[test]
fn each_ending_has_a_reason_a_cause_and_advice() {
    for language in Language::ALL {
        for reason in reasons() {
            let (id, fault) = (sentence::reason(&reason), sentence::unnamed_fault(&reason));
            let screen = ended::Ended { reason, progress: ended::Progress::Inside };
            let mut ui = Ui::new(screen.view(&context(language)));
            ui.find(&language.text(id));
            ui.find(&language.text(&format!("{id}.advice")));
            if let Some(fault) = fault {
                ui.find(&language.text(sentence::fault(fault)));
            }
            ui.click_id("home");
            assert!(matches!(ui.messages()[..], [ended::Message::HomePressed]));
        }
    }
}
