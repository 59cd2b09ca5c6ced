//! The waiting room: in the panel with the participants, and on the screen of a person who waits.

use crate::common::{self, Ui, context, meeting_of, small_context, tree, tree_in};
use accesskit::{Role, Toggled, TreeUpdate};
use app::announce::Announcement;
use app::kit::Element;
use app::locale::Language;
use app::model::lobby::Waiting;
use app::model::moderation::PersonAction;
use app::model::take_known;
use app::screen::meeting::moderation;
use app::screen::meeting::waiting_room::{self, Decision};
use app::screen::{Context, entering, meeting};
use engine::{Event, LobbyAuthor, LobbyEvent, MeetingFlags, ParticipantId, PolicyState, Refusal};
use iced::keyboard::key::Named;
use std::time::{Duration, Instant};

const PAUL: ParticipantId = ParticipantId(70);
const ROSE: ParticipantId = ParticipantId(71);

/// A meeting at whose waiting room Paul and Rose wait, with the panel open.
fn screen() -> meeting::Meeting {
    let mut screen = meeting_of(4);
    let known = engine::IdentityClass::Known;
    for (id, name, evidence) in [
        (PAUL, "Paul Lambert", common::evidence()),
        (ROSE, "Rose", engine::Evidence { class: known, via_old_link: false, sent_back: true, ..common::evidence() }),
    ] {
        handle(&mut screen, &Event::AsksToJoin { id, name: name.into(), evidence });
    }
    set_flags(&mut screen, MeetingFlags::WAITING_ROOM);
    screen.open(meeting::Panel::People);
    screen
}

fn handle(screen: &mut meeting::Meeting, event: &Event) -> Vec<Announcement> {
    screen.handle_event(event, Instant::now())
}

fn set_flags(screen: &mut meeting::Meeting, flags: MeetingFlags) {
    let (everyone, rights) = (engine::Role::Participant, engine::Role::ALL.map(engine::Role::default_rights));
    let policy = PolicyState { flags, everyone, rights, succession: vec![ParticipantId(1)] };
    handle(screen, &Event::Policy(policy));
}

fn writes(screen: &mut meeting::Meeting, author: LobbyAuthor, text: &str) -> Vec<Announcement> {
    handle(screen, &Event::Lobby(LobbyEvent::Text { with: Some(PAUL), author, text: text.into() }))
}

fn press(screen: &mut meeting::Meeting, message: waiting_room::Message) -> meeting::Action {
    screen.update(meeting::Message::WaitingRoom(message))
}

fn waiting_person(received: bool, sent_back: bool) -> Waiting {
    let mut screen = meeting_of(1);
    if sent_back {
        handle(&mut screen, &Event::Lobby(LobbyEvent::SentBack));
    }
    handle(&mut screen, &Event::Progress(engine::Step::Knocking));
    let text = |author, text: &str| Event::Lobby(LobbyEvent::Text { with: None, author, text: text.into() });
    if received {
        handle(&mut screen, &Event::Lobby(LobbyEvent::Received { organiser: true }));
        handle(&mut screen, &text(LobbyAuthor::Me, "Good morning, I am a bit early."));
        handle(&mut screen, &text(LobbyAuthor::Manager(ParticipantId(1)), "We will let you in at ten."));
        let waiting = &mut screen.model.lobby.waiting;
        for time in [&mut waiting.sent, &mut waiting.received] {
            *time = time.and_then(|since| since.checked_sub(Duration::from_secs(130)));
        }
    }
    screen.model.lobby.waiting
}

/// What a person reads whose request only a co-organiser has.
fn held_by_co_organiser() -> Waiting {
    let mut screen = meeting_of(1);
    let start = Instant::now().checked_sub(Duration::from_secs(130)).unwrap_or_else(Instant::now);
    screen.handle_event(&Event::Progress(engine::Step::Knocking), start);
    screen.handle_event(&Event::Lobby(LobbyEvent::Received { organiser: false }), start + Duration::from_mins(1));
    screen.model.lobby.waiting
}

/// What a person reads whose request everybody had who has left since.
fn left_by_all() -> Waiting {
    let mut screen = meeting_of(1);
    screen.model.lobby.waiting = held_by_co_organiser();
    handle(&mut screen, &Event::Lobby(LobbyEvent::NobodyHasRequest));
    screen.model.lobby.waiting
}

/// Calls `visit` with each state and the name of its picture.
pub fn every_state(context: &Context, visit: &mut impl FnMut(&str, Element<'_, ()>)) {
    let view = |screen: &meeting::Meeting, name: &str, visit: &mut dyn FnMut(&str, Element<'_, ()>)| {
        visit(name, screen.view(context, &common::pictures(9), &[]).map(drop));
    };
    let mut waiting = screen();
    view(&waiting, "waiting-room", visit);
    writes(&mut waiting, LobbyAuthor::Waiting, "Good morning, I am a bit early.");
    view(&waiting, "waiting-room-unread", visit);
    press(&mut waiting, waiting_room::Message::ChatPressed(PAUL));
    writes(&mut waiting, LobbyAuthor::Me, "We will let you in at ten.");
    writes(&mut waiting, LobbyAuthor::Manager(ParticipantId(2)), "Bob here: welcome.");
    view(&waiting, "waiting-room-chat", visit);
    press(&mut waiting, waiting_room::Message::ChatPressed(PAUL));
    press(&mut waiting, waiting_room::Message::RefusePressed(PAUL));
    view(&waiting, "waiting-room-refuse", visit);
    press(&mut waiting, waiting_room::Message::SendBackPressed(ParticipantId(2)));
    view(&waiting, "waiting-room-send-back", visit);
    let mut off = meeting_of(4);
    set_flags(&mut off, MeetingFlags::LOCKED);
    off.open(meeting::Panel::People);
    view(&off, "waiting-room-off-locked", visit);
    for (name, waits) in [
        ("waiting-sent", waiting_person(false, false)),
        ("waiting-received", waiting_person(true, false)),
        ("waiting-sent-back", waiting_person(true, true)),
        ("waiting-co-organiser", held_by_co_organiser()),
        ("waiting-nobody", left_by_all()),
    ] {
        visit(name, entering::waiting(&waits, context).map(drop));
    }
}

fn labels(update: &TreeUpdate, role: Role) -> Vec<String> {
    let nodes = update.nodes.iter().filter(|(_, node)| node.role() == role);
    nodes.filter_map(|(_, node)| node.label().map(str::to_owned)).collect()
}

#[test]
fn each_person_who_waits_has_evidence_and_three_answers() {
    for language in Language::ALL {
        let screen = screen();
        let pictures = common::pictures(0);
        let update = tree(screen.view(&context(language), &pictures, &[]));
        let items = labels(&update, Role::ListItem);
        let (guest, back) = (language.text("lobby-guest"), language.text("lobby-sent-back"));
        assert!(items.iter().any(|label| label.starts_with("Paul Lambert") && label.contains(&guest)), "{items:?}");
        assert!(items.iter().any(|label| label.starts_with("Rose") && label.contains(&back)), "{items:?}");
        let named = |id| language.with(id, &[("name", "Paul Lambert".into())]);
        let controls = [labels(&update, Role::Button), labels(&update, Role::Switch)].concat();
        for name in [named("lobby-admit-name"), named("lobby-refuse-name"), named("lobby-message-name")] {
            assert!(controls.contains(&name), "{name} in {controls:?}");
        }
        let count = language.with("meeting-people-waiting", &[("count", 2.into())]);
        assert!(controls.iter().any(|name| name.ends_with(&count)), "the button of the panel says how many wait");
    }
}

#[test]
fn the_decisions_are_pressed_and_those_who_are_decided_on_disappear() {
    let pressed = |screen: &meeting::Meeting, id: &'static str| {
        let pictures = common::pictures(0);
        let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
        for _ in 0..100 {
            ui.tap(Named::Tab);
            if ui.focused().is_none_or(|focused| focused == id) {
                break;
            }
        }
        assert_eq!(ui.focused().as_deref(), Some(id), "Tab reaches it");
        ui.tap(Named::Enter);
        let message = ui.messages().into_iter().find(|message| matches!(message, meeting::Message::WaitingRoom(_)));
        message.unwrap_or_else(|| panic!("{id} does nothing"))
    };
    let mut waiting = screen();
    let admitted = pressed(&waiting, "lobby-admit-0000000000000046");
    assert_eq!(waiting.update(admitted), meeting::Action::Decide(Decision::Admit(PAUL)));
    assert_eq!(waiting.model.asking.len(), 1);
    let mut waiting = screen();
    let all = pressed(&waiting, "lobby-admit-all");
    assert_eq!(waiting.update(all), meeting::Action::Decide(Decision::AdmitAll(vec![PAUL, ROSE])));
    assert!(waiting.model.asking.is_empty());
    let mut waiting = screen();
    let refuses = pressed(&waiting, "lobby-refuse-0000000000000047");
    assert_eq!(waiting.update(refuses), meeting::Action::None, "a reason is asked first");
    let why = pressed(&waiting, "lobby-reason-not-now-0000000000000047");
    assert_eq!(waiting.update(why), meeting::Action::Decide(Decision::Refuse(ROSE, Refusal::NotNow)));
    let mut waiting = screen();
    show_settings(&mut waiting);
    let link = pressed(&waiting, "lobby-change-link");
    assert_eq!(waiting.update(link), meeting::Action::Decide(Decision::ChangeLink));
    let chosen = moderation::Message::Chosen(ParticipantId(2), PersonAction::SendBack);
    assert_eq!(waiting.update(meeting::Message::Moderation(chosen)), meeting::Action::None, "it is asked first");
    let confirmed = press(&mut waiting, waiting_room::Message::SendBackConfirmed);
    assert_eq!(confirmed, meeting::Action::Decide(Decision::SendBack(ParticipantId(2))));
}

/// Unfolds the settings of the meeting.
fn show_settings(screen: &mut meeting::Meeting) {
    screen.update(meeting::Message::Moderation(moderation::Message::RulesPressed));
}

#[test]
fn the_flags_are_shown_and_changed_and_the_words_say_what_they_mean() {
    for (flags, waiting_on, invite) in [
        (MeetingFlags::NONE, false, "people-invite-text"),
        (MeetingFlags::WAITING_ROOM, true, "people-invite-waiting"),
        (MeetingFlags::LOCKED, false, "people-invite-locked"),
    ] {
        for language in Language::ALL {
            let mut screen = meeting_of(3);
            set_flags(&mut screen, flags);
            screen.open(meeting::Panel::People);
            show_settings(&mut screen);
            let pictures = common::pictures(0);
            let update = tree(screen.view(&context(language), &pictures, &[]));
            let name = language.text("lobby-flag-waiting");
            let toggled =
                update.nodes.iter().find(|(_, node)| node.label() == Some(&name)).and_then(|(_, node)| node.toggled());
            assert_eq!(toggled, Some(if waiting_on { Toggled::True } else { Toggled::False }));
            let mut ui = Ui::new(screen.view(&context(language), &pictures, &[]));
            ui.find(&language.text(if waiting_on { "lobby-flag-waiting-on" } else { "lobby-flag-waiting-off" }));
            ui.find(&language.text(invite));
            ui.click_id("lobby-flag-waiting");
            let messages = ui.messages();
            let Some(meeting::Message::WaitingRoom(message)) = messages.into_iter().last() else { panic!("a press") };
            let decision = Decision::SetFlags(MeetingFlags::WAITING_ROOM, !waiting_on);
            assert_eq!(press(&mut screen, message), meeting::Action::Decide(decision));
        }
    }
}

#[test]
fn whoever_may_not_decide_sees_no_waiting_room() {
    let mut screen = screen();
    screen.model.people[0].role = engine::Role::Participant;
    screen.model.people[0].rights = engine::Role::Participant.default_rights();
    let pictures = common::pictures(0);
    let update = tree(screen.view(&context(Language::English), &pictures, &[]));
    let all = [labels(&update, Role::Button), labels(&update, Role::Switch), labels(&update, Role::CheckBox)].concat();
    assert!(!all.iter().any(|name| name.contains("Paul") || name.contains("waiting room")), "{all:?}");
}

#[test]
fn a_line_of_a_person_who_waits_is_announced_counted_and_answered() {
    let mut screen = screen();
    assert_eq!(writes(&mut screen, LobbyAuthor::Waiting, "Hello"), [Announcement::AskerWrites("Paul Lambert".into())]);
    let pictures = common::pictures(0);
    Ui::new(screen.view(&context(Language::English), &pictures, &[])).find("One new message");
    press(&mut screen, waiting_room::Message::ChatPressed(PAUL));
    assert_eq!(screen.model.asking[0].chat.unread, 0);
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.find("Hello");
    ui.click_id("lobby-text");
    ui.typewrite("x");
    let typed = ui.messages().into_iter().last();
    let Some(meeting::Message::WaitingRoom(waiting_room::Message::Typed(text))) = typed else { panic!("{typed:?}") };
    assert_eq!(text, "x");
    press(&mut screen, waiting_room::Message::Typed("In a minute".into()));
    let sent = press(&mut screen, waiting_room::Message::Submitted);
    assert_eq!(sent, meeting::Action::Decide(Decision::Write(PAUL, "In a minute".into())));
    assert_eq!(press(&mut screen, waiting_room::Message::Submitted), meeting::Action::None, "nothing is written");
    handle(&mut screen, &Event::Lobby(LobbyEvent::NotSent { with: Some(PAUL) }));
    Ui::new(screen.view(&context(Language::English), &pictures, &[])).find("Not sent. Wait a moment, then try again.");
}

#[test]
fn a_refusal_with_a_reason_and_a_message_are_one_click_from_the_banner() {
    let mut screen = screen();
    screen.update(meeting::Message::Escaped);
    let pictures = common::pictures(0);
    for language in Language::ALL {
        let update = tree(screen.view(&context(language), &pictures, &[]));
        let name = language.with("asking-reply-name", &[("name", "Paul Lambert".into())]);
        assert!(labels(&update, Role::Button).contains(&name), "{name}");
    }
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.click_id("asking-reply-0000000000000046");
    let message = ui.messages().into_iter().find(|message| matches!(message, meeting::Message::WaitingRoom(_)));
    assert_eq!(screen.update(message.expect("it is pressed")), meeting::Action::None);
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.find(&Language::English.text("lobby-reason-not-now"));
    ui.click_id("lobby-text");
    assert_eq!((screen.model.lobby.refusing, screen.model.lobby.chat_with), (Some(PAUL), Some(PAUL)));
}

#[test]
fn those_whom_this_computer_knows_are_let_in_by_a_rule_of_the_user_and_nobody_else() {
    use app::model::identity::Badge;
    let mut screen = meeting_of(3);
    let current = || engine::Evidence { via_old_link: false, ..common::evidence() };
    for (id, evidence, badge) in [
        (1, current(), Some(Badge::Known { since: 20_515 })),
        (2, current(), Some(Badge::New)),
        (3, current(), Some(Badge::OtherDevice)),
        (4, current(), Some(Badge::OtherName { since: 20_515 })),
        (5, current(), None),
        (6, engine::Evidence { via_old_link: true, ..current() }, Some(Badge::Known { since: 20_515 })),
        (7, engine::Evidence { sent_back: true, ..current() }, Some(Badge::Known { since: 20_515 })),
    ] {
        let (id, name) = (ParticipantId(70 + id), format!("Guest {id}"));
        handle(&mut screen, &Event::AsksToJoin { id, name, evidence });
        screen.model.asking.last_mut().expect("it asks").badge = badge;
    }
    assert!(take_known(&mut screen.model).is_empty(), "the user has not chosen it");
    let pictures = common::pictures(0);
    screen.open(meeting::Panel::People);
    show_settings(&mut screen);
    let has_rule = |screen: &meeting::Meeting| {
        let update = tree(screen.view(&context(Language::French), &pictures, &[]));
        labels(&update, Role::CheckBox).contains(&Language::French.text("lobby-known-rule"))
    };
    assert!(!has_rule(&screen), "without a waiting room, nobody waits");
    set_flags(&mut screen, MeetingFlags::WAITING_ROOM);
    assert!(has_rule(&screen));
    assert_eq!(press(&mut screen, waiting_room::Message::KnownPressed(true)), meeting::Action::None);
    assert_eq!(take_known(&mut screen.model), [ParticipantId(71)]);
    assert_eq!(screen.model.asking.len(), 6);
    screen.model.asking[0].badge = Some(Badge::Known { since: 20_515 });
    screen.model.people[0].role = engine::Role::Participant;
    assert!(take_known(&mut screen.model).is_empty(), "the user may not admit");
}

#[test]
fn the_banner_is_shown_only_while_the_panel_is_closed() {
    let mut screen = screen();
    let pictures = common::pictures(0);
    let asks = |screen: &meeting::Meeting| {
        let update = tree(screen.view(&context(Language::English), &pictures, &[]));
        labels(&update, Role::ListItem).iter().filter(|label| label.starts_with("Paul Lambert asks to join")).count()
    };
    assert_eq!(asks(&screen), 0);
    screen.update(meeting::Message::Escaped);
    assert_eq!(asks(&screen), 1);
}

#[test]
fn a_person_who_waits_reads_what_is_true_and_writes() {
    for language in Language::ALL {
        let find = |waits: &Waiting, words: &str| {
            Ui::new(entering::waiting(waits, &context(language))).find(words);
        };
        let sent = |minutes: u64| language.with("lobby-sent", &[("minutes", minutes.into())]);
        find(&waiting_person(false, false), &language.text("lobby-not-received"));
        find(&waiting_person(false, false), &sent(0));
        find(&waiting_person(false, false), &language.text("enter-joining"));
        find(&held_by_co_organiser(), &language.with("lobby-received-co", &[("minutes", 1.into())]));
        find(&held_by_co_organiser(), &sent(2));
        find(&left_by_all(), &language.text("lobby-nobody"));
        find(&left_by_all(), &sent(2));
        find(&left_by_all(), &language.text("lobby-waiting-title"));
        assert_eq!(left_by_all().received, None);
        let received = language.with("lobby-received", &[("minutes", 2.into())]);
        find(&waiting_person(true, false), &received);
        find(&waiting_person(true, false), "We will let you in at ten.");
        find(&waiting_person(true, true), &language.text("lobby-you-sent-back"));
        let waits = waiting_person(true, false);
        let mut ui = Ui::new(entering::waiting(&waits, &context(language)));
        assert_eq!(ui.tab_order(), ["lobby-text", "lobby-text-send", "cancel"]);
        ui.click_id("lobby-text");
        ui.typewrite("x");
        ui.click_id("lobby-text-send");
        ui.click_id("cancel");
        let messages = ui.messages();
        assert!(
            matches!(
                &messages[..],
                [
                    entering::Message::Typed(text),
                    entering::Message::Submitted,
                    entering::Message::CancelPressed
                ] if text == "x"
            ),
            "{messages:?}"
        );
        let small = small_context(language);
        let update = tree_in(entering::waiting(&waits, &small), small.size);
        assert!(labels(&update, Role::Button).contains(&language.text("enter-cancel")));
    }
}

#[test]
fn somebody_who_is_sent_back_sees_the_waiting_room_and_nothing_of_the_meeting() {
    let mut screen = screen();
    handle(&mut screen, &Event::Lobby(LobbyEvent::SentBack));
    assert!(screen.model.people.is_empty() && screen.model.asking.is_empty() && screen.model.lock.is_none());
    assert!(screen.model.lobby.waiting.sent_back && screen.since.is_none());
    let app::model::Phase::Entering(_) = screen.model.phase else { panic!("it is outside") };
    let (me, link) = (ParticipantId(9), engine::SecretLink::default());
    handle(&mut screen, &Event::Entered { me, link, organiser: false });
    assert!(!screen.model.lobby.waiting.sent_back && screen.since.is_some());
}
