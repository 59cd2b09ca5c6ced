//! What the screens say: the verification words, and texts that a new user must understand.

use accesskit::{Role, TreeUpdate};
use app::locale::Language;
use app::model::{LockState, Notice};
use app::screen::{entering, home, meeting, preview};
use engine::Step;

use crate::common::{self, Flow, Ui, click_at, context, meeting_of, tree};

/// The names of the items of the list with this name, in order. Nothing else is in the list.
fn items_of(update: &TreeUpdate, name: &str) -> Vec<String> {
    let node = |id| &update.nodes.iter().find(|(known, _)| *known == id).expect("a child is a node").1;
    let (_, list) = update
        .nodes
        .iter()
        .find(|(_, node)| node.role() == Role::List && node.label() == Some(name))
        .unwrap_or_else(|| panic!("no list is named {name}"));
    let items = list.children().iter().map(|id| node(*id));
    items
        .inspect(|item| assert_eq!(item.role(), Role::ListItem))
        .filter_map(|item| item.label().map(str::to_owned))
        .collect()
}

#[test]
fn both_lists_of_words_are_shown_and_named_whatever_the_language_of_the_user() {
    let pictures = common::pictures(0);
    let mut screen = meeting_of(4);
    screen.update(meeting::Message::PanelPressed(meeting::Panel::Lock));
    for (language, english, french) in
        [(Language::English, "English words", "French words"), (Language::French, "Mots anglais", "Mots français")]
    {
        let update = tree(screen.view(&context(language), &pictures, &[]));
        let numbered = |word: &str| (1..=12).map(|number| format!("{number} {word}")).collect::<Vec<_>>();
        assert_eq!(items_of(&update, english), numbered("abandon"), "one list with twelve items");
        assert_eq!(items_of(&update, french), numbered("abaisser"));
    }
}

#[test]
fn words_that_differ_say_what_to_do() {
    let pictures = common::pictures(0);
    for (language, advice) in [(Language::English, "nothing confidential"), (Language::French, "rien de confidentiel")]
    {
        let mut screen = meeting_of(4);
        screen.update(meeting::Message::PanelPressed(meeting::Panel::Lock));
        let mut ui = Ui::new(screen.view(&context(language), &pictures, &[]));
        ui.click_id("different-words");
        for message in ui.messages() {
            screen.update(message);
        }
        assert_eq!(screen.model.lock_state(), LockState::Different);
        let update = tree(screen.view(&context(language), &pictures, &[]));
        assert!(update.nodes.iter().any(|(_, node)| node.value().is_some_and(|text| text.contains(advice))));
        let mut ui = Ui::new(screen.view(&context(language), &pictures, &[]));
        ui.click_id("leave-different");
        assert!(ui.messages().iter().any(|message| matches!(message, meeting::Message::LeavePressed)));
    }
}

#[test]
fn the_words_can_be_confirmed() {
    let pictures = common::pictures(0);
    let mut screen = meeting_of(4);
    screen.update(meeting::Message::PanelPressed(meeting::Panel::Lock));
    let mut ui = Ui::new(screen.view(&context(Language::French), &pictures, &[]));
    ui.click_id("confirm-words");
    for message in ui.messages() {
        screen.update(message);
    }
    assert_eq!(screen.model.lock_state(), LockState::Verified);
}

/// How many nodes have this name.
fn count(update: &TreeUpdate, name: &str) -> usize {
    update.nodes.iter().filter(|(_, node)| node.label() == Some(name)).count()
}

#[test]
fn alone_in_a_meeting_the_link_can_be_copied_in_one_place() {
    let pictures = common::pictures(0);
    let screen = meeting_of(1);
    let update = tree(screen.view(&context(Language::English), &pictures, &[]));
    assert_eq!(count(&update, "Copy link"), 1);
}

#[test]
fn a_camera_that_does_not_exist_is_not_called_off() {
    let pictures = common::pictures(0);
    let mut screen = meeting_of(2);
    screen.model.camera = false;
    screen.model.camera_missing = true;
    screen.model.people[1].camera = false;
    let update = tree(screen.view(&context(Language::English), &pictures, &[]));
    assert_eq!(count(&update, "Anne Martin, you, organiser, no camera"), 1);
    assert_eq!(count(&update, "Bob, speaking, no video"), 1);
    Ui::new(screen.view(&context(Language::English), &pictures, &[])).find("No camera");
    let mut devices = app::model::Devices::default();
    devices.set_present(app::model::Kind::Camera, Vec::new());
    let mut screen = preview::Preview::new(preview::Purpose::Start, "Anne".into(), devices);
    screen.camera = false;
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures));
    ui.find("No camera was found");
}

#[test]
fn a_new_meeting_is_started_and_not_looked_for() {
    let update = tree(entering::view(Step::Approaching, true, &context(Language::English)));
    let shows = |words: &str| update.nodes.iter().any(|(_, node)| node.value().or(node.label()) == Some(words));
    assert!(shows("Starting the meeting…"));
    for wrong in ["Join the meeting", "Connected. Looking for the meeting…", "Connecting to the server…"] {
        assert!(!shows(wrong), "{wrong}");
    }
    let update = tree(entering::view(Step::Approaching, false, &context(Language::English)));
    assert!(update.nodes.iter().any(|(_, node)| node.label() == Some("Join the meeting")));
}

#[test]
fn a_missing_file_is_named() {
    use engine::NoticeKind::{BadFile, FileFormat, MissingFile};
    for (kind, name, detail, expected) in [
        (MissingFile, "talk.mp4", "clips/talk.mp4", "The file talk.mp4 does not exist"),
        (BadFile, "talk.mp4", "cut off", "The file talk.mp4 cannot be used"),
        (BadFile, "talk.mp4: 2 (final)", "cut off", "The file talk.mp4: 2 (final) cannot be used"),
        (FileFormat, "talk.mkv", "talk.mkv (Matroska)", "Conclave cannot play talk.mkv"),
    ] {
        let notice = Notice { kind: kind.into(), file: Some(name.into()), detail: detail.into() };
        assert_eq!(notice.sentence(Language::English), expected);
        assert!(notice.sentence(Language::French).contains("talk.m"));
        let mut screen = preview::Preview::new(preview::Purpose::Start, "Anne".into(), app::model::Devices::default());
        screen.report_problem(engine::Notice { kind, file: Some(name.into()), detail: detail.into() });
        Ui::new(screen.view(&context(Language::English), &common::pictures(0))).find(expected);
    }
}

#[test]
fn a_file_that_is_not_written_is_named() {
    for (kind, expected) in [
        (engine::NoticeKind::NotWritten, "The file heard.wav cannot be written"),
        (engine::NoticeKind::DiskFull, "The disk is full. The file heard.wav is no longer written."),
    ] {
        let detail = "/tmp/heard.wav cannot be written: No space left on device (os error 28)";
        let notice = Notice { kind: kind.into(), file: Some("heard.wav".into()), detail: detail.into() };
        let words = notice.announcement(Language::English);
        assert!(words.starts_with(expected), "{words}");
        assert!(notice.announcement(Language::French).to_lowercase().contains("le fichier heard.wav"), "{kind:?}");
        assert_eq!(notice.details(Language::French), "/tmp/heard.wav\u{a0}: disque plein");
    }
}

#[test]
fn a_right_click_on_a_text_field_offers_to_paste() {
    let home = home::Home::default();
    let context = context(Language::English);
    let mut flow = Flow::copied("conclave://host");
    let at = flow.place(home.view(&context), "link");
    let none = |_| None;
    let opened = flow.show(home.view(&context), none, click_at(at, iced::mouse::Button::Right));
    assert!(opened.is_empty(), "{opened:?}");
    let item = iced::Point::new(at.x + 40.0, at.y + 20.0);
    let pasted = flow.show(home.view(&context), none, click_at(item, iced::mouse::Button::Left));
    assert!(
        matches!(&pasted[..], [home::Message::LinkTyped(text)] if text.expose() == "conclave://host"),
        "{pasted:?}"
    );
    let closed = flow.show(home.view(&context), none, click_at(item, iced::mouse::Button::Left));
    assert!(closed.is_empty(), "the menu is closed: {closed:?}");
}

#[test]
fn a_meeting_that_is_over_cannot_be_joined_from_the_list() {
    let home = home::Home::new(common::recents());
    let update = tree(home.view(&context(Language::English)));
    let joins =
        update.nodes.iter().filter_map(|(_, node)| node.label()).filter(|name| name.starts_with("Join Meeting"));
    assert_eq!(joins.count(), 2, "the third is over");
    assert!(update.nodes.iter().filter_map(|(_, node)| node.label()).any(|name| name.ends_with("· over")));
}

#[test]
fn with_two_people_the_other_one_is_large() {
    let pictures = common::pictures(0);
    let screen = meeting_of(2);
    let update = tree(screen.view(&context(Language::English), &pictures, &[]));
    let area = |start: &str| {
        let tile = update.nodes.iter().find(|(_, node)| node.label().is_some_and(|name| name.starts_with(start)));
        let bounds = tile.and_then(|(_, node)| node.bounds()).expect("the tile is shown");
        (bounds.x1 - bounds.x0) * (bounds.y1 - bounds.y0)
    };
    assert!(area("Bob") > 0.75 * 1264.0 * 706.0, "{}", area("Bob"));
    assert!(area("Anne Martin, you") < area("Bob") / 8.0);
}
