//! What managers do in the room: the menu of a participant, hands, muting all, the stop, and what those concerned see.

use accesskit::{Node, Role, Toggled};
use app::kit::Element;
use app::locale::Language;
use app::model::{NoticeKind, moderation::PersonAction};
use app::screen::Context;
use app::screen::meeting::moderation::{Action as Moderate, Message as Input};
use app::screen::meeting::{self, Action, Message, Panel};
use engine::{
    Event, FloorOrder, FloorTarget, Manager, MeetingFlags, Microphone, ParticipantId, Rights, RightsChange,
    Role as MeetingRole, Slot,
};
use iced::keyboard::{Modifiers, key::Named};
use std::time::Instant;

use crate::common::{self, Ui, context, meeting_of, tree};

const BOB: ParticipantId = ParticipantId(2);
const CAROL: ParticipantId = ParticipantId(3);
const MENU_OF_BOB: &str = "person-0000000000000002";

/// We are the organiser. Bob is muted, Carol is co-organiser, David presenter; Carol and Bob raise their hands.
fn managed() -> meeting::Meeting {
    let mut screen = meeting_of(5);
    for (person, role) in screen.model.people.iter_mut().skip(1).zip([
        MeetingRole::Participant,
        MeetingRole::CoOrganiser,
        MeetingRole::Presenter,
        MeetingRole::Participant,
    ]) {
        (person.role, person.rights) = (role, role.default_rights());
    }
    let bob = &mut screen.model.people[1];
    (bob.rights, bob.microphone) = (bob.rights.without(Rights::MICROPHONE), Microphone::Muted);
    let (flags, succession) = (engine::MeetingFlags::NONE, vec![ParticipantId(1), CAROL]);
    let rights = MeetingRole::ALL.map(MeetingRole::default_rights);
    let policy = engine::PolicyState { flags, everyone: MeetingRole::Participant, rights, succession };
    screen.handle_event(&Event::Policy(policy), Instant::now());
    screen.handle_event(&Event::Hands(vec![CAROL, BOB]), Instant::now());
    screen.open(Panel::People);
    screen
}

/// We are a participant to whom nothing is allowed, and raise our hand.
fn restricted() -> meeting::Meeting {
    let mut screen = managed();
    for (index, person) in screen.model.people.iter_mut().enumerate() {
        person.role = if index == 1 { MeetingRole::Organiser } else { MeetingRole::Participant };
        person.rights = if index == 0 { Rights::REACT } else { person.role.default_rights() };
    }
    screen.model.organiser = false;
    (screen.model.microphone, screen.model.camera) = (Microphone::Muted, false);
    screen.handle_event(&Event::Hands(vec![CAROL, ParticipantId(1)]), Instant::now());
    screen
}

pub fn every_state(context: &Context, visit: &mut impl FnMut(&str, Element<'_, ()>)) {
    let pictures = common::pictures(9);
    let mut draw = |name: &str, screen: &meeting::Meeting| visit(name, screen.view(context, &pictures, &[]).map(drop));
    draw("meeting-hands", &managed());
    draw("meeting-restricted", &restricted());
    let mut screen = managed();
    screen.update(Message::Moderation(Input::MenuPressed(BOB)));
    draw("meeting-person-menu", &screen);
    let mut screen = managed();
    screen.update(Message::Moderation(Input::Chosen(BOB, PersonAction::HandOver)));
    draw("meeting-hand-over", &screen);
    let mut screen = managed();
    screen.update(Message::Moderation(Input::StopPressed));
    draw("meeting-stop", &screen);
    draw("meeting-rights", &rights_of_bob());
    let mut screen = managed();
    screen.model.people.truncate(1);
    screen.model.people[0].role = MeetingRole::CoOrganiser;
    screen.model.people[0].rights = Rights::ALL.without(Rights::DELEGATE);
    screen.handle_event(&Event::Hands(Vec::new()), Instant::now());
    draw("meeting-rules", &with_settings(screen));
}

/// Unfolds the settings of the meeting.
fn with_settings(mut screen: meeting::Meeting) -> meeting::Meeting {
    screen.update(Message::Moderation(Input::RulesPressed));
    screen
}

/// The rights of Bob: he was muted, and may save the chat.
fn rights_of_bob() -> meeting::Meeting {
    let mut screen = managed();
    let bob = &mut screen.model.people[1];
    bob.rights |= Rights::RECORD;
    screen.update(Message::Moderation(Input::Chosen(BOB, PersonAction::Rights)));
    screen
}

fn nodes(screen: &meeting::Meeting, language: Language) -> Vec<Node> {
    let update = tree(screen.view(&context(language), &common::pictures(9), &[]));
    update.nodes.into_iter().map(|(_, node)| node).collect()
}

fn find<'a>(nodes: &'a [Node], role: Role, name: &str) -> &'a Node {
    let found = nodes.iter().find(|node| node.role() == role && node.label().is_some_and(|label| label == name));
    found.unwrap_or_else(|| panic!("no {role:?} {name}"))
}

#[test]
fn the_menu_of_a_participant_is_reached_and_used_with_the_keyboard() {
    let (pictures, mut screen) = (common::pictures(0), managed());
    let mut ui = Ui::rooted(screen.view(&context(Language::English), &pictures, &[]), meeting::Meeting::shortcut);
    ui.redraw();
    let order = ui.tab_order();
    assert!(order.iter().any(|id| id == MENU_OF_BOB), "{order:?}");
    drop(ui);
    let mut ui = Ui::rooted(screen.view(&context(Language::English), &pictures, &[]), meeting::Meeting::shortcut);
    ui.redraw();
    ui.click_id(MENU_OF_BOB);
    let messages = ui.messages();
    for message in messages {
        screen.update(message);
    }
    let items = |screen: &meeting::Meeting, language| {
        let nodes = nodes(screen, language);
        let items = nodes.iter().filter(|node| node.role() == Role::MenuItem);
        items.map(|node| node.label().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let expected = [
        "Allow to unmute",
        "Stop video",
        "Don’t allow screen sharing",
        "Lower hand",
        "Rights…",
        "Make co-organiser",
        "Make presenter",
        "Make guest",
        "Hand over the meeting…",
        "Send to the waiting room…",
    ];
    assert_eq!(items(&screen, Language::English), expected);
    assert_eq!(items(&screen, Language::French).len(), expected.len());
    let mut ui = Ui::rooted(screen.view(&context(Language::English), &pictures, &[]), meeting::Meeting::shortcut);
    ui.redraw();
    ui.click("Allow to unmute");
    let actions: Vec<_> = ui.messages().into_iter().map(|message| screen.update(message)).collect();
    let order = FloorOrder { target: FloorTarget::Person(BOB), rights: Rights::MICROPHONE, allow: true };
    assert!(actions.contains(&Action::Moderation(Moderate::Floor(order))), "{actions:?}");
    assert!(items(&screen, Language::English).is_empty(), "the menu is closed");
}

#[test]
fn the_list_names_roles_the_order_of_succession_and_who_was_muted() {
    let screen = managed();
    let nodes = nodes(&screen, Language::English);
    for (role, name) in [
        (Role::ListItem, "Bob, muted by an organiser, hand raised"),
        (Role::ListItem, "Carol Lefèvre, hand raised"),
        (Role::ListItem, "1. Carol Lefèvre"),
        (Role::ListItem, "2. Bob"),
        (Role::Button, "Lower Bob’s hand"),
        (Role::Button, "Mute all"),
        (Role::Button, "Let everyone unmute"),
    ] {
        let found =
            nodes.iter().any(|node| node.role() == role && node.label().is_some_and(|label| label.starts_with(name)));
        assert!(found, "{role:?} {name}");
    }
    let texts: Vec<&str> = nodes.iter().filter_map(|node| node.value().or(node.label())).collect();
    for text in ["Co-organiser, number 1 in line to take over", "Presenter"] {
        assert!(texts.iter().any(|found| found.contains(text)), "{text}");
    }
    let tile = texts.iter().find(|text| text.starts_with("Bob, muted by an organiser")).copied();
    assert!(tile.is_some(), "the tile says it too");
}

#[test]
fn what_an_organiser_must_allow_first_is_a_disabled_button_with_the_reason() {
    for language in Language::ALL {
        let nodes = nodes(&restricted(), language);
        for (id, reason) in [
            ("meeting-mute-name", "notice-may-not-speak"),
            ("meeting-camera-name", "notice-may-not-camera"),
            ("meeting-share-forbidden", "notice-may-not-share"),
        ] {
            let button = find(&nodes, Role::Switch, &language.text(id));
            assert!(button.is_disabled(), "{id}");
            let described = button.description().unwrap_or_default();
            assert!(described.starts_with(&language.text(reason)), "{id}: {described}");
        }
        let hand = find(&nodes, Role::Switch, &language.text("hand-name"));
        assert_eq!((hand.is_disabled(), hand.toggled()), (false, Some(Toggled::True)));
        assert!(!nodes.iter().any(|node| node.label().is_some_and(|label| label == language.text("people-mute-all"))));
    }
    // The shortcuts say it too, and switch nothing on.
    let mut screen = restricted();
    for (message, slot) in [
        (Message::MutePressed, Slot::Microphone),
        (Message::TalkKeyChanged(true), Slot::Microphone),
        (Message::CameraPressed, Slot::Camera),
        (Message::SharePressed, Slot::Screen),
    ] {
        let action = screen.update(message);
        assert!(matches!(&action, Action::Notify(notice) if notice.kind == NoticeKind::Forbidden(slot)), "{action:?}");
    }
    assert_eq!((screen.model.microphone, screen.model.camera), (Microphone::Muted, false));
}

#[test]
fn a_hand_is_raised_and_lowered_by_the_button_and_by_the_shortcut() {
    let (pictures, mut screen) = (common::pictures(0), meeting_of(3));
    let mut press = |shortcut: bool| {
        let mut ui = Ui::rooted(screen.view(&context(Language::English), &pictures, &[]), meeting::Meeting::shortcut);
        if shortcut {
            ui.key("H", Modifiers::COMMAND | Modifiers::SHIFT);
        } else {
            ui.click_id("hand");
        }
        let messages = ui.messages();
        let actions: Vec<_> = messages.into_iter().map(|message| screen.update(message)).collect();
        actions.into_iter().find(|action| matches!(action, Action::Moderation(_)))
    };
    assert_eq!(press(false), Some(Action::Moderation(Moderate::RaiseHand(true))));
    assert_eq!(press(true), Some(Action::Moderation(Moderate::RaiseHand(false))), "shown at once");
}

#[test]
fn handing_over_and_stopping_everything_are_confirmed() {
    let pictures = common::pictures(0);
    for (first, expected) in [
        (Input::Chosen(BOB, PersonAction::HandOver), Moderate::HandOver(BOB)),
        (Input::StopPressed, Moderate::StopEverything),
    ] {
        let mut screen = managed();
        assert_eq!(screen.update(Message::Moderation(first)), Action::None, "nothing is done yet");
        let mut ui = Ui::rooted(screen.view(&context(Language::English), &pictures, &[]), meeting::Meeting::shortcut);
        assert_eq!(ui.tab_order(), ["cancel", "confirm"]);
        ui.tap(Named::Escape);
        for message in ui.messages() {
            screen.update(message);
        }
        assert_eq!(screen.update(Message::Moderation(Input::Confirmed)), Action::None, "it was cancelled");
        screen.update(Message::Moderation(first));
        assert_eq!(screen.update(Message::Moderation(Input::Confirmed)), Action::Moderation(expected));
    }
    // The key again confirms.
    let mut screen = managed();
    screen.update(Message::Moderation(Input::StopPressed));
    let mut ui = Ui::rooted(screen.view(&context(Language::English), &pictures, &[]), meeting::Meeting::shortcut);
    ui.key("X", Modifiers::COMMAND | Modifiers::SHIFT);
    let actions: Vec<_> = ui.messages().into_iter().map(|message| screen.update(message)).collect();
    assert_eq!(actions, [Action::Moderation(Moderate::StopEverything)]);
    // It works in another dialog, and its own dialog is in front.
    let mut screen = managed();
    screen.update(Message::RemovePressed(BOB));
    let mut ui = Ui::rooted(screen.view(&context(Language::English), &pictures, &[]), meeting::Meeting::shortcut);
    ui.key("X", Modifiers::COMMAND | Modifiers::SHIFT);
    for message in ui.messages() {
        assert_eq!(screen.update(message), Action::None, "it asks");
    }
    let nodes = tree(screen.view(&context(Language::English), &pictures, &[])).nodes;
    let dialogs = nodes.iter().filter(|(_, node)| node.role() == Role::AlertDialog);
    assert_eq!(dialogs.filter_map(|(_, node)| node.label()).collect::<Vec<_>>(), ["Stop everything?"]);
    // Only the organiser is asked.
    let mut screen = restricted();
    screen.update(Message::Moderation(Input::StopPressed));
    assert_eq!(screen.update(Message::Moderation(Input::Confirmed)), Action::None);
}

#[test]
fn the_person_concerned_reads_who_did_it_and_what_to_do() {
    let by = Some(Manager { name: "Anne".into(), role: MeetingRole::Organiser });
    let all = MeetingRole::Participant.default_rights();
    let (before, now) = ((MeetingRole::Participant, all), (MeetingRole::Participant, all.without(Rights::MICROPHONE)));
    let change = RightsChange { by, before, now };
    let announced = |language| {
        let notices = app::model::moderation::notices(&change, language);
        notices.iter().map(|notice| notice.announcement(language)).collect::<Vec<_>>()
    };
    assert_eq!(announced(Language::English), ["Anne (organiser) muted you. You can ask to speak: raise your hand."]);
    assert_eq!(
        announced(Language::French),
        ["Anne (organisateur) a coupé votre micro. Pour demander la parole, levez la main."]
    );
}

#[test]
fn each_right_is_a_switch_that_says_where_the_right_comes_from_or_why_it_cannot_be_granted() {
    for language in Language::ALL {
        let nodes = nodes(&rights_of_bob(), language);
        for (id, on, disabled, why) in [
            ("right-microphone", false, false, "rights-withdrawn"),
            ("right-camera", true, false, "rights-by-role"),
            ("right-share", true, false, "rights-by-role"),
            ("right-chat", true, false, "rights-by-role"),
            ("right-react", true, false, "rights-by-role"),
            ("right-record", true, false, "rights-granted"),
            ("right-invite", true, false, "rights-by-role"),
            ("right-admit", false, true, "rights-managers-only"),
            ("right-remove", false, true, "rights-managers-only"),
            ("right-set-role", false, true, "rights-managers-only"),
            ("right-delegate", false, true, "rights-managers-only"),
        ] {
            let switch = find(&nodes, Role::CheckBox, &language.text(id));
            assert_eq!(switch.toggled(), Some(Toggled::from(on)), "{id}");
            assert_eq!(switch.is_disabled(), disabled, "{id}");
            assert_eq!(switch.description(), Some(language.text(why).as_str()), "{id}");
        }
    }
}

#[test]
fn a_switch_grants_and_withdraws_at_once_and_goes_back_if_the_meeting_refuses() {
    let (pictures, mut screen) = (common::pictures(0), rights_of_bob());
    let is_on = |screen: &meeting::Meeting, id: &str| {
        let nodes = nodes(screen, Language::English);
        find(&nodes, Role::CheckBox, &Language::English.text(id)).toggled() == Some(Toggled::True)
    };
    let press = |screen: &mut meeting::Meeting, id: &'static str| {
        let mut ui = Ui::rooted(screen.view(&context(Language::English), &pictures, &[]), meeting::Meeting::shortcut);
        ui.redraw();
        ui.click_id(id);
        let messages = ui.messages();
        let actions: Vec<_> = messages.into_iter().map(|message| screen.update(message)).collect();
        actions.into_iter().find(|action| matches!(action, Action::Moderation(_)))
    };
    let withdrawn = Action::Moderation(Moderate::SetRights(BOB, Rights::CHAT, false));
    assert_eq!(press(&mut screen, "right-chat"), Some(withdrawn));
    assert!(!is_on(&screen, "right-chat"), "shown before it is in force");
    let refused = engine::Notice { kind: engine::NoticeKind::NotBelow, file: None, detail: String::new() };
    screen.handle_event(&Event::Notice(refused), Instant::now());
    assert!(is_on(&screen, "right-chat"), "it was refused");
    let granted = Action::Moderation(Moderate::SetRights(BOB, Rights::MICROPHONE, true));
    assert_eq!(press(&mut screen, "right-microphone"), Some(granted));
    // What the meeting says counts from then on.
    let mut people = screen.model.people.clone();
    people[1].rights |= Rights::MICROPHONE;
    screen.handle_event(&Event::People(people.clone()), Instant::now());
    assert!(is_on(&screen, "right-microphone"));
    people[1].rights = people[1].rights.without(Rights::MICROPHONE);
    screen.handle_event(&Event::People(people.clone()), Instant::now());
    assert!(!is_on(&screen, "right-microphone"), "another manager has withdrawn it");
    assert_eq!(screen.model.people[1].microphone, Microphone::Muted, "nobody is unmuted from afar");
    // Escape closes the dialog, and so does the departure of the person.
    screen.update(Message::Escaped);
    assert!(!nodes(&screen, Language::English).iter().any(|node| node.label() == Some("Rights of Bob")));
    screen.update(Message::Moderation(Input::Chosen(BOB, PersonAction::Rights)));
    people.remove(1);
    screen.handle_event(&Event::People(people), Instant::now());
    screen.update(Message::Escaped);
    let panel = nodes(&screen, Language::English).iter().any(|node| node.label() == Some("Mute all"));
    assert!(!panel, "Escape closes the panel: no dialog is left");
}

#[test]
fn managers_change_what_holds_for_everyone_and_others_do_not_see_the_switches() {
    let pictures = common::pictures(0);
    for (id, expected) in [
        ("rules-guests", Moderate::SetFlags(MeetingFlags::GUESTS, true)),
        ("rules-save", Moderate::SetFlags(MeetingFlags::RECORDING, true)),
        ("rules-role-4", Moderate::SetDefaultRole(MeetingRole::Guest)),
    ] {
        let mut screen = with_settings(managed());
        let mut ui = Ui::rooted(screen.view(&context(Language::English), &pictures, &[]), meeting::Meeting::shortcut);
        // The panel scrolls to the switch that has the focus.
        let reached = (0..100).any(|_| {
            ui.tap(Named::Tab);
            ui.focused().is_some_and(|focused| focused == id)
        });
        assert!(reached, "{id}");
        ui.tap(Named::Enter);
        let messages = ui.messages();
        let actions: Vec<_> = messages.into_iter().map(|message| screen.update(message)).collect();
        assert!(actions.contains(&Action::Moderation(expected)), "{id}: {actions:?}");
    }
    for language in Language::ALL {
        let folded = nodes(&managed(), language);
        let title = language.text("rules");
        let head = |shown: &[Node]| {
            shown.iter().find(|node| node.label().is_some_and(|label| label.starts_with(&title))).cloned()
        };
        assert_eq!(head(&folded).and_then(|head| head.is_expanded()), Some(false));
        assert!(!folded.iter().any(|node| node.label() == Some(language.text("people-participant").as_str())));
        let shown = nodes(&with_settings(managed()), language);
        assert_eq!(head(&shown).and_then(|head| head.is_expanded()), Some(true));
        let current = find(&shown, Role::RadioButton, &language.text("people-participant"));
        assert_eq!(current.toggled(), Some(Toggled::True));
        let shown = nodes(&with_settings(restricted()), language);
        assert!(head(&shown).is_none());
        for id in ["rules-guests", "rules-save", "people-participant"] {
            assert!(!shown.iter().any(|node| node.label() == Some(language.text(id).as_str())), "{id}");
        }
    }
}

#[test]
fn all_see_who_takes_over_and_who_may_not_invite_reads_why() {
    for language in Language::ALL {
        let nodes = nodes(&restricted(), language);
        let texts: Vec<&str> = nodes.iter().filter_map(|node| node.value().or(node.label())).collect();
        assert!(!texts.contains(&language.text("people-invite").as_str()));
        assert!(!texts.contains(&language.text("meeting-copy-link").as_str()));
        assert!(texts.contains(&language.text("people-invite-right").as_str()));
    }
    let mut screen = restricted();
    assert_eq!(screen.update(Message::CopyPressed), Action::None);
    screen.model.people[0].rights = Rights::INVITE;
    assert!(matches!(screen.update(Message::CopyPressed), Action::Copy(_)));
    screen.model.people[2].role = MeetingRole::CoOrganiser;
    let order = Language::English.with("people-succession-name", &[("order", 1.into())]);
    let found =
        nodes(&screen, Language::English).iter().any(|node| node.label().is_some_and(|label| label.contains(&order)));
    assert!(found, "a participant reads it too");
}
