//! From the home screen into a meeting and back: the link, the list of recent meetings, and pasting.

use crate::user::{Input, User};

/// A meeting is started from the home screen. Its progress says so.
pub fn a_meeting_starts(user: &User) {
    user.presses(user.text("home-start"));
    user.control(user.text("preview-name"));
    user.types(user.text("preview-name"), "Anne");
    user.presses(user.text("preview-start"));
    user.sees(user.text("meeting-alone"));
    user.takes_picture("alone");
}

/// "Copy link" copies the link, and says so.
pub fn the_link_is_copied(user: &User) {
    user.presses(user.text("meeting-copy-link"));
    user.sees(user.text("notice-link-copied"));
    user.takes_picture("copied");
}

/// Leaving a meeting that this computer hosts opens a dialog. If the user cancels it, nothing changes.
pub fn leaving_can_be_cancelled(user: &User) {
    let leave = user.text("meeting-leave-name");
    user.presses(leave);
    for answer in ["leave-leave", "leave-end", "leave-host"] {
        user.control(user.text(answer));
    }
    if user.setting.input == Input::Keyboard {
        user.has_focus_at(user.text("leave-leave"));
    }
    user.takes_picture("leave");
    user.desktop.press(&["Escape"]);
    user.sees_no(user.text("leave-host"));
    match user.setting.input {
        Input::Keyboard => user.has_focus_at(leave),
        Input::Pointer => {
            // A key does not press what a click has reached: the question does not open again before the list does.
            user.desktop.press(&["space", "ctrl+p"]);
            user.sees(&user.words.with("people-remove", "name", "Bob"));
            assert!(user.tree().iter().all(|node| node.name != user.text("leave-host")), "Space opened the question");
            user.desktop.press(&["ctrl+p"]);
        }
        Input::Assistive => {}
    }
}

/// The meeting goes on in the background, and the user returns to it.
pub fn the_meeting_is_hosted_in_the_background(user: &User) {
    user.presses(user.text("meeting-leave-name"));
    user.presses(user.text("leave-host"));
    user.sees(user.text("hosted-background"));
    user.takes_picture("background");
    user.presses(user.text("hosted-return"));
    user.control(user.text("meeting-leave-name"));
}

/// The user ends the meeting for everyone, and is at home again. No notice of the meeting is left.
pub fn the_meeting_ends(user: &User) {
    user.presses(user.text("meeting-copy-link"));
    user.sees(user.text("notice-link-copied"));
    user.presses(user.text("meeting-leave-name"));
    user.presses(user.text("leave-end"));
    user.sees(user.text("home-title"));
    let dismiss = user.text("action-dismiss");
    assert!(user.tree().iter().all(|node| !node.is_control(dismiss)), "a notice is left");
}

/// The server has stopped with the meeting, so the list does not offer to join it again.
pub fn the_meeting_is_not_listed(user: &User) {
    user.sees(user.text("home-recent-empty"));
    user.takes_picture("recent");
}

/// The copied link is pasted into the field: with a right click by pointer, else with Ctrl+V.
pub fn the_link_is_pasted(user: &User) {
    let link = user.text("home-link");
    match user.setting.input {
        Input::Pointer => {
            user.clicks(link, 3);
            user.takes_picture("paste");
            user.clicks_beside(link, [40, 20]);
        }
        Input::Keyboard | Input::Assistive => {
            user.moves_focus_to(link);
            user.desktop.press(&["ctrl+v"]);
        }
    }
    user.takes_picture("pasted");
    user.presses(user.text("home-join"));
    user.control(user.text("preview-join"));
}
