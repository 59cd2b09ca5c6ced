//! The choice of a monitor to share, by keyboard, by pointer, and for assistive tools.

use accesskit::{Role, Toggled};
use app::locale::Language;
use app::screen::meeting::{self, Action, Message};
use app::screen::preferences::Preference;
use iced::keyboard::{Modifiers, key::Named};

use crate::common::{self, Ui, context, meeting_of, tree};

fn asked(monitors: usize) -> meeting::Meeting {
    let mut screen = meeting_of(2);
    assert_eq!(screen.update(Message::SharePressed), Action::ListMonitors);
    screen.update(Message::MonitorsListed(Ok(common::monitors(monitors))));
    screen
}

#[test]
fn one_click_or_one_shortcut_shares_nothing() {
    let pictures = common::pictures(0);
    for shortcut in [false, true] {
        let mut screen = meeting_of(2);
        let mut ui = Ui::rooted(screen.view(&context(Language::English), &pictures, &[]), meeting::Meeting::shortcut);
        if shortcut {
            ui.key("S", Modifiers::COMMAND | Modifiers::SHIFT);
        } else {
            ui.click_id("share");
        }
        let actions: Vec<_> = ui.messages().into_iter().map(|message| screen.update(message)).collect();
        assert!(!actions.iter().any(|action| matches!(action, Action::Share(_))), "{actions:?}");
        assert!(actions.contains(&Action::ListMonitors) && !screen.model.sharing);
    }
}

#[test]
fn each_monitor_is_a_choice_with_its_name_and_size() {
    let pictures = common::pictures(0);
    let screen = asked(3);
    let update = tree(screen.view(&context(Language::French), &pictures, &[]));
    let choices = update.nodes.iter().filter(|(_, node)| node.role() == Role::RadioButton);
    let found: Vec<_> = choices.map(|(_, node)| (node.label().unwrap_or_default(), node.toggled())).collect();
    let expected = [
        ("Écran 1, eDP-1 · 1920\u{202f}×\u{202f}1080", Some(Toggled::True)),
        ("Écran 2, HDMI-1 · 2560\u{202f}×\u{202f}1080", Some(Toggled::False)),
        ("Écran 3, DP-2 · 1080\u{202f}×\u{202f}1920", Some(Toggled::False)),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_monitor_is_chosen_and_confirmed_by_pointer_and_by_keyboard() {
    let pictures = common::pictures(0);
    for keyboard in [false, true] {
        let mut screen = asked(2);
        let mut ui = Ui::rooted(screen.view(&context(Language::English), &pictures, &[]), meeting::Meeting::shortcut);
        ui.redraw();
        if keyboard {
            assert_eq!(ui.tab_order(), ["monitor-0", "monitor-1", "video-clip", "cancel", "confirm"]);
            ui.tap(Named::Tab);
            ui.tap(Named::Tab);
            ui.tap(Named::Enter);
            ui.tap(Named::Tab);
            ui.tap(Named::Tab);
            ui.tap(Named::Tab);
            ui.tap(Named::Space);
        } else {
            ui.click_id("monitor-1");
            ui.click_id("confirm");
        }
        let actions: Vec<_> = ui.messages().into_iter().map(|message| screen.update(message)).collect();
        let shared = Action::Share(Some(engine::Screen::Monitor("HDMI-1".into())));
        assert_eq!(actions.iter().filter(|action| **action == shared).count(), 1, "{keyboard} {actions:?}");
    }
}

#[test]
fn a_video_clip_is_chosen_before_it_is_shared() {
    let pictures = common::pictures(0);
    for language in Language::ALL {
        let mut screen = asked(1);
        for expected in [true, false] {
            let name = language.text("share-video-clip");
            let update = tree(screen.view(&context(language), &pictures, &[]));
            let found = update.nodes.iter().find(|(_, node)| node.role() == Role::CheckBox).expect("a check box");
            let is_on = if expected { Toggled::False } else { Toggled::True };
            assert_eq!((found.1.label(), found.1.toggled()), (Some(name.as_str()), Some(is_on)));
            let mut ui = Ui::rooted(screen.view(&context(language), &pictures, &[]), meeting::Meeting::shortcut);
            ui.click_id("video-clip");
            let preferred = ui.messages().into_iter().find(|message| matches!(message, Message::Preferred(_)));
            let action = screen.update(preferred.expect("a press"));
            assert_eq!(
                (action, screen.content_hints.video_clip),
                (Action::Prefer(Preference::VideoClip(expected)), expected)
            );
        }
        assert!(matches!(screen.update(Message::ShareConfirmed), Action::Share(Some(_))), "the dialog stayed open");
    }
}

#[test]
fn sign_language_is_an_item_of_the_menu_of_the_camera() {
    let pictures = common::pictures(0);
    for language in Language::ALL {
        let mut screen = meeting_of(2);
        for expected in [true, false] {
            screen.update(Message::MenuPressed(meeting::Menu::Camera));
            let update = tree(screen.view(&context(language), &pictures, &[]));
            let items = update.nodes.iter().filter(|(_, node)| node.role() == Role::MenuItemCheckBox);
            let found: Vec<_> = items.map(|(_, node)| (node.label().unwrap_or_default(), node.toggled())).collect();
            let (name, is_on) =
                (language.text("hint-sign-language"), if expected { Toggled::False } else { Toggled::True });
            assert_eq!(found, [(name.as_str(), Some(is_on))]);
            let mut ui = Ui::rooted(screen.view(&context(language), &pictures, &[]), meeting::Meeting::shortcut);
            ui.redraw();
            ui.click(&name);
            let preferred = ui.messages().into_iter().find(|message| matches!(message, Message::Preferred(_)));
            let action = screen.update(preferred.expect("a press"));
            assert_eq!(action, Action::Prefer(Preference::SignLanguage(expected)));
        }
    }
}

#[test]
fn escape_closes_the_choice() {
    let pictures = common::pictures(0);
    let mut screen = asked(2);
    let mut ui = Ui::rooted(screen.view(&context(Language::English), &pictures, &[]), meeting::Meeting::shortcut);
    ui.redraw();
    ui.tap(Named::Escape);
    for message in ui.messages() {
        screen.update(message);
    }
    assert_eq!(screen.update(Message::ShareConfirmed), Action::None);
}
