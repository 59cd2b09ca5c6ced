//! The keyboard reaches everything: the Tab order, the arrows, shortcuts and regions.

use accesskit::{Action, ActionRequest, TreeId};
use app::locale::Language;
use app::screen::preferences::{Part, Preference};
use app::screen::{home, meeting};
use engine::ParticipantId;
use iced::keyboard::{Modifiers, key::Named};

use crate::common::{self, Ui, context, meeting_of, tree_and_messages};

#[test]
fn tab_order_of_the_meeting_is_from_top_left_to_bottom_right() {
    let screen = meeting_of(4);
    let pictures = common::pictures(0);
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    let order = ui.tab_order();
    let expected = [
        "lock",
        "statistics",
        "preferences",
        "shortcuts",
        "full-screen",
        "mute",
        "sound-menu",
        "camera",
        "camera-menu",
        "share",
        "hand",
        "people",
        "chat",
        "copy",
        "leave",
    ];
    assert_eq!(order, expected);
}

#[test]
fn tab_stays_inside_a_dialog_and_escape_closes_it() {
    let mut screen = meeting_of(4);
    screen.update(meeting::Message::RemovePressed(ParticipantId(2)));
    let pictures = common::pictures(0);
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.redraw();
    assert_eq!(ui.focused().as_deref(), Some("cancel"), "the safe answer is focused");
    assert_eq!(ui.tab_order(), ["cancel", "confirm"]);
    ui.tap(Named::Escape);
    assert!(ui.messages().iter().any(|message| matches!(message, meeting::Message::DialogClosed)));
}

#[test]
fn the_arrows_move_in_a_menu_and_tab_closes_it() {
    let mut home = home::Home::default();
    home.update(home::Message::MenuPressed(Part::Language));
    let mut ui = Ui::new(home.view(&context(Language::English)));
    ui.redraw();
    ui.tap(Named::ArrowDown);
    ui.tap(Named::Enter);
    let messages = ui.messages();
    assert!(matches!(messages[..], [home::Message::Preferred(Preference::Language(Language::French))]), "{messages:?}");
    let mut ui = Ui::new(home.view(&context(Language::English)));
    ui.tap(Named::Tab);
    assert!(matches!(ui.messages()[..], [home::Message::MenuClosed]));
}

#[test]
fn shortcuts_work_with_any_focus() {
    let screen = meeting_of(4);
    let pictures = common::pictures(0);
    for (letter, modifiers, expected) in [
        ("d", Modifiers::COMMAND, "MutePressed"),
        ("e", Modifiers::COMMAND, "CameraPressed"),
        ("p", Modifiers::COMMAND, "PanelPressed(People)"),
        ("S", Modifiers::COMMAND | Modifiers::SHIFT, "SharePressed"),
        ("q", Modifiers::ALT, "LeaveKeyPressed"),
        ("/", Modifiers::COMMAND, "ShortcutsPressed"),
        ("/", Modifiers::COMMAND | Modifiers::SHIFT, "ShortcutsPressed"),
    ] {
        let mut ui = Ui::rooted(screen.view(&context(Language::English), &pictures, &[]), meeting::Meeting::shortcut);
        ui.tap(Named::Tab);
        ui.key(letter, modifiers);
        assert_eq!(format!("{:?}", ui.messages().last().unwrap()), expected);
    }
}

#[test]
fn the_space_bar_talks_unless_a_control_has_the_keyboard_focus() {
    let screen = meeting_of(4);
    let pictures = common::pictures(0);
    let view = || Ui::rooted(screen.view(&context(Language::English), &pictures, &[]), meeting::Meeting::shortcut);
    let mut ui = view();
    ui.tap(Named::Space);
    let talked: Vec<_> = ui
        .messages()
        .iter()
        .map(|message| format!("{message:?}"))
        .filter(|m| m.starts_with("TalkKeyChanged"))
        .collect();
    assert_eq!(talked, ["TalkKeyChanged(true)", "TalkKeyChanged(false)"]);
    let mut ui = view();
    for _ in 0..6 {
        ui.tap(Named::Tab);
    }
    ui.tap(Named::Space);
    let messages = user_messages(ui);
    assert_eq!(messages, ["MutePressed"], "the focused button is pressed instead");
    let mut ui = view();
    ui.click_id("camera");
    ui.tap(Named::Space);
    let messages = user_messages(ui);
    let expected = ["CameraPressed", "TalkKeyChanged(true)", "TalkKeyChanged(false)"];
    assert_eq!(messages, expected, "a click leaves no keyboard focus");
}

/// The messages of user input, without those that each redraw sends.
fn user_messages(ui: Ui<'_, meeting::Message>) -> Vec<String> {
    let messages = ui.messages().into_iter().map(|message| format!("{message:?}"));
    messages.filter(|name| !name.starts_with("WishesChanged") && name != "SoftwareDrawn").collect()
}

#[test]
fn f6_goes_from_region_to_region() {
    let mut screen = meeting_of(4);
    screen.update(meeting::Message::PanelPressed(meeting::Panel::People));
    let pictures = common::pictures(0);
    let mut ui = Ui::rooted(screen.view(&context(Language::English), &pictures, &[]), meeting::Meeting::shortcut);
    let stops: Vec<_> = (0..4)
        .map(|_| {
            ui.tap(Named::F6);
            ui.focused().unwrap_or_default()
        })
        .collect();
    assert_eq!(stops, ["lock", "panel-close", "mute", "lock"]);
}

#[test]
fn assistive_tools_can_press_controls() {
    let screen = meeting_of(4);
    let pictures = common::pictures(0);
    let view = || screen.view(&context(Language::English), &pictures, &[]);
    let (update, _) = tree_and_messages(view(), None);
    let target = |label: &str| {
        let found = update.nodes.iter().find(|(_, node)| node.label() == Some(label));
        found.unwrap_or_else(|| panic!("no node is named {label}")).0
    };
    let press = |label| {
        let request =
            ActionRequest { action: Action::Click, target_tree: TreeId::ROOT, target_node: target(label), data: None };
        let (_, messages) = tree_and_messages(view(), Some(request));
        messages
            .into_iter()
            .filter(|message| !matches!(message, meeting::Message::WishesChanged(_) | meeting::Message::SoftwareDrawn))
            .collect::<Vec<_>>()
    };
    assert!(matches!(press("Mute microphone")[..], [meeting::Message::MutePressed]));
    assert!(matches!(press("Leave the meeting")[..], [meeting::Message::LeavePressed]));
    assert!(matches!(
        press("Security: End-to-end encrypted")[..],
        [meeting::Message::PanelPressed(meeting::Panel::Lock)]
    ));
}
