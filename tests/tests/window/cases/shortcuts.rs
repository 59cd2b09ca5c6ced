//! The list of keyboard shortcuts.

use crate::user::{Input, User};

/// Ctrl+/ and a button open the list. Escape and its button close it, and the focus is then where it was.
pub fn the_shortcuts_are_listed(user: &User) {
    let (title, camera) = (user.text("shortcuts-title"), user.text("meeting-camera-name"));
    // One of the lines that no other part of the window has.
    let line = user.text("shortcut-region");
    let by_keyboard = user.setting.input == Input::Keyboard;
    if by_keyboard {
        user.moves_focus_to(camera);
    }
    user.desktop.press(&["ctrl+slash"]);
    user.until("the list is a dialog", |tree| {
        let dialog = tree.iter().find(|node| node.is("modal"))?;
        (dialog.name == title && tree.iter().any(|node| node.name.contains(line))).then_some(())
    });
    // The dialog dims the screen.
    let shown = format!("shortcuts-{}", user.setting);
    user.desktop.shows(&shown, |screen| !screen.shows(crate::GUEST, crate::QUARTER_TILE));
    user.desktop.press(&["Escape"]);
    user.sees_no(line);
    if by_keyboard {
        user.has_focus_at(camera);
    }
    user.presses(title);
    user.sees(line);
    user.presses(user.text("action-close"));
    user.sees_no(line);
    if by_keyboard {
        user.has_focus_at(title);
    }
}
