//! The space bar talks after a click on any kind of control, and no key presses what was not reached by keyboard.

use accesskit::Role;
use app::kit::field::{Field, field};
use app::kit::modal::{self, modal};
use app::kit::popup::{self, popup};
use app::kit::{Element, Press, Shortcut, press, text};
use app::locale::Language;
use app::screen::meeting;
use engine::{Microphone, ParticipantId};
use iced::keyboard::key::Named;
use iced::mouse::Button;
use iced::widget::{column, container};
use iced::{Event, Length, window};
use std::collections::BTreeSet;

use crate::common::{self, Flow, Ui, click_at, context, key_events, meeting_of};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Message {
    Pressed,
    Other,
    Typed,
    Closed,
    Talk(bool),
}

const TALKED: [Message; 2] = [Message::Talk(true), Message::Talk(false)];

fn talk(shortcut: Shortcut) -> Option<Message> {
    if let Shortcut::PushToTalk(on) = shortcut { Some(Message::Talk(on)) } else { None }
}

/// Each kind of control that is pressed.
const KINDS: [Kind; 6] = [Kind::Button, Kind::Switch, Kind::Opener, Kind::MenuItem, Kind::Radio, Kind::ListItem];

#[derive(Clone, Copy, Debug)]
enum Kind {
    Button,
    Switch,
    Opener,
    MenuItem,
    Radio,
    ListItem,
}

fn control<'a>(kind: Kind, message: Message) -> Press<'a, Message> {
    let control = press(text::strong("Control"), "Control", Some(message)).id("control");
    match kind {
        Kind::Button => control,
        Kind::Switch => control.toggled(true),
        Kind::Opener => control.expanded(false),
        Kind::MenuItem => control.role(Role::MenuItemRadio).toggled(false),
        Kind::Radio => control.role(Role::RadioButton).toggled(false),
        Kind::ListItem => control.role(Role::ListItem),
    }
}

fn page<'a>(kind: Kind) -> Element<'a, Message> {
    column![Element::from(control(kind, Message::Pressed))].into()
}

#[test]
fn after_a_click_the_space_bar_talks_and_enter_does_nothing() {
    for kind in KINDS {
        let mut flow = Flow::new();
        let at = flow.place(page(kind), "control");
        assert_eq!(flow.show(page(kind), talk, click_at(at, Button::Left)), [Message::Pressed], "{kind:?}");
        assert_eq!(flow.show(page(kind), talk, key_events(Named::Space)), TALKED, "{kind:?}");
        assert_eq!(flow.show(page(kind), talk, key_events(Named::Enter)), [], "{kind:?}");
        // Tab continues at the control that was clicked, which is the only one.
        flow.show(page(kind), talk, key_events(Named::Tab));
        assert_eq!(flow.show(page(kind), talk, key_events(Named::Space)), TALKED, "{kind:?}");
    }
}

#[test]
fn a_control_that_the_keyboard_reached_is_pressed_by_space_and_enter() {
    for kind in KINDS {
        let mut flow = Flow::new();
        flow.show(page(kind), talk, key_events(Named::Tab));
        assert_eq!(flow.show(page(kind), talk, key_events(Named::Space)), [Message::Pressed], "{kind:?}");
        assert_eq!(flow.show(page(kind), talk, key_events(Named::Enter)), [Message::Pressed], "{kind:?}");
    }
}

#[test]
fn a_click_takes_the_keyboard_focus_away_from_another_control() {
    for button in [Button::Left, Button::Right] {
        let view = || {
            Element::from(column![
                Element::from(control(Kind::Button, Message::Pressed)),
                Element::from(press(text::strong("Other"), "", Some(Message::Other)).id("other")),
            ])
        };
        let mut flow = Flow::new();
        let at = flow.place(view(), "other");
        flow.show(view(), talk, key_events(Named::Tab));
        flow.show(view(), talk, click_at(at, button));
        assert_eq!(flow.show(view(), talk, key_events(Named::Space)), TALKED, "{button:?}");
    }
}

#[test]
fn a_text_field_takes_the_space_bar_while_it_has_the_focus() {
    let view = || {
        field(Field {
            id: "field",
            label: "Name".into(),
            labelled: true,
            value: "Anne",
            placeholder: String::new(),
            required: false,
            error: None,
            paste: "Paste".into(),
            beside: None,
            on_input: |_| Message::Typed,
            on_submit: Some(Message::Pressed),
        })
    };
    let mut flow = Flow::new();
    let at = flow.place(view(), "field");
    flow.show(view(), talk, click_at(at, Button::Left));
    let space = iced_test::simulator::press_key(iced::keyboard::Key::Named(Named::Space), Some(" ".into()));
    assert_eq!(flow.show(view(), talk, [space]), [Message::Typed]);
    assert_eq!(flow.show(view(), talk, key_events(Named::Enter)), [Message::Pressed], "the field itself was chosen");
    flow.show(view(), talk, key_events(Named::Escape));
    assert_eq!(flow.show(view(), talk, key_events(Named::Space)), TALKED);
}

fn with_dialog<'a>(open: bool) -> Element<'a, Message> {
    let inside = press(text::strong("Confirm"), "", Some(Message::Other)).id("confirm");
    let dialog = modal::Dialog {
        label: "Dialog".into(),
        content: container(Element::from(inside)).into(),
        width: 300.0,
        on_close: Message::Closed,
    };
    modal(container(page(Kind::Button)).width(Length::Fill), open.then_some(dialog))
}

#[test]
fn a_dialog_that_a_click_opened_leaves_the_space_bar_to_talk() {
    let mut flow = Flow::new();
    let at = flow.place(with_dialog(false), "control");
    assert_eq!(flow.show(with_dialog(false), talk, click_at(at, Button::Left)), [Message::Pressed]);
    assert_eq!(flow.show(with_dialog(true), talk, key_events(Named::Space)), TALKED, "in the dialog");
    assert_eq!(flow.show(with_dialog(true), talk, key_events(Named::Escape)), [Message::Closed]);
    assert_eq!(flow.show(with_dialog(false), talk, key_events(Named::Space)), TALKED, "after the dialog");
}

#[test]
fn a_dialog_that_the_keyboard_opened_has_the_focus_and_returns_it() {
    let mut flow = Flow::new();
    flow.show(with_dialog(false), talk, key_events(Named::Tab));
    assert_eq!(flow.show(with_dialog(false), talk, key_events(Named::Enter)), [Message::Pressed]);
    assert_eq!(flow.show(with_dialog(true), talk, key_events(Named::Space)), [Message::Other]);
    flow.show(with_dialog(true), talk, key_events(Named::Escape));
    assert_eq!(flow.show(with_dialog(false), talk, key_events(Named::Space)), [Message::Pressed]);
}

fn with_menu<'a>(open: bool) -> Element<'a, Message> {
    let item = press(text::strong("Item"), "Item", Some(Message::Other)).role(Role::MenuItemRadio).toggled(true);
    let menu = popup::Menu {
        anchor: "control".into(),
        label: "Menu".into(),
        content: Element::from(item),
        on_close: Message::Closed,
    };
    popup(page(Kind::Opener), open.then_some(menu))
}

#[test]
fn a_menu_that_a_click_opened_leaves_the_space_bar_to_talk() {
    let mut flow = Flow::new();
    let at = flow.place(with_menu(false), "control");
    assert_eq!(flow.show(with_menu(false), talk, click_at(at, Button::Left)), [Message::Pressed]);
    assert_eq!(flow.show(with_menu(true), talk, key_events(Named::Space)), TALKED, "in the menu");
    assert_eq!(flow.show(with_menu(true), talk, key_events(Named::Escape)), [Message::Closed]);
    assert_eq!(flow.show(with_menu(false), talk, key_events(Named::Space)), TALKED, "after the menu");
}

#[test]
fn the_focus_does_not_move_to_a_control_that_takes_the_place_of_another() {
    let view = |ids: &[&'static str]| {
        let controls = ids.iter().map(|id| Element::from(press(text::strong(*id), "", Some(Message::Pressed)).id(*id)));
        Element::from(iced::widget::Column::with_children(controls))
    };
    let mut flow = Flow::new();
    flow.show(view(&["bob", "carol"]), talk, key_events(Named::Tab));
    // Bob leaves, so Carol's control is where Bob's was.
    assert_eq!(flow.show(view(&["carol"]), talk, key_events(Named::Space)), TALKED);
}

#[test]
fn talking_ends_if_the_window_loses_the_focus_while_the_space_bar_is_held() {
    let mut flow = Flow::new();
    let held = iced_test::simulator::press_key(iced::keyboard::Key::Named(Named::Space), None);
    assert_eq!(flow.show(page(Kind::Button), talk, [held]), [Message::Talk(true)]);
    let away = Event::Window(window::Event::Unfocused);
    assert_eq!(flow.show(page(Kind::Button), talk, [away]), [Message::Talk(false)]);
    let released = iced_test::simulator::release_key(iced::keyboard::Key::Named(Named::Space));
    assert_eq!(flow.show(page(Kind::Button), talk, [released]), [], "it ends once");
}

/// The states of the meeting's screen whose controls are clicked.
fn meetings() -> Vec<(&'static str, meeting::Meeting)> {
    let with = |change: &dyn Fn(&mut meeting::Meeting)| {
        let mut screen = meeting_of(4);
        change(&mut screen);
        screen
    };
    vec![
        ("plain", with(&|_| {})),
        ("sharing", with(&|screen| screen.model.sharing = true)),
        ("muted", with(&|screen| screen.model.microphone = Microphone::Muted)),
        ("people", with(&|screen| screen.open(meeting::Panel::People))),
        ("lock", with(&|screen| screen.open(meeting::Panel::Lock))),
        ("menu", with(&|screen| drop(screen.update(meeting::Message::MenuPressed(meeting::Menu::Sound))))),
        ("remove", with(&|screen| drop(screen.update(meeting::Message::RemovePressed(ParticipantId(2)))))),
        ("share", {
            let mut screen = meeting_of(4);
            screen.update(meeting::Message::SharePressed);
            screen.update(meeting::Message::MonitorsListed(Ok(common::monitors(2))));
            screen
        }),
        ("leave", with(&|screen| drop(screen.update(meeting::Message::LeaveKeyPressed)))),
    ]
}

/// Mute, camera, share, stop sharing, the menus, the people, the lock, the dialogs, leave: a click on each control, then the
/// space bar.
#[test]
fn after_a_click_on_any_control_of_the_meeting_the_space_bar_only_talks() {
    let (context, pictures) = (context(Language::English), common::pictures(9));
    let mut clicked = BTreeSet::new();
    for (state, _) in meetings() {
        let screen = || meetings().into_iter().find(|(name, _)| *name == state).expect("the same states").1;
        let order = Ui::new(screen().view(&context, &pictures, &[])).tab_order();
        for id in order {
            let (mut flow, mut screen) = (Flow::new(), screen());
            let at = flow.place(screen.view(&context, &pictures, &[]), &id);
            let pressed = flow.show(
                screen.view(&context, &pictures, &[]),
                meeting::Meeting::shortcut,
                click_at(at, Button::Left),
            );
            clicked.extend((!pressed.is_empty()).then(|| id.clone()));
            for message in pressed {
                screen.update(message);
            }
            let said =
                flow.show(screen.view(&context, &pictures, &[]), meeting::Meeting::shortcut, key_events(Named::Space));
            // A panel that has opened changes the size of the tiles, and what draws them reports once.
            let is_drawing = |message: &String| message.starts_with("WishesChanged") || message == "SoftwareDrawn";
            let said = said.iter().map(|message| format!("{message:?}"));
            let said: Vec<String> = said.filter(|message| !is_drawing(message)).collect();
            assert_eq!(said, ["TalkKeyChanged(true)", "TalkKeyChanged(false)"], "after a click on {id}, {state}");
        }
    }
    for id in ["mute", "camera", "share", "people", "lock", "leave"] {
        assert!(clicked.contains(id), "{id} was not clicked: {clicked:?}");
    }
}
