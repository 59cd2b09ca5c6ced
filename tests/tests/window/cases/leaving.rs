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

/// The user leaves, and is at home again.
pub fn the_meeting_ends(user: &User) {
    user.presses(user.text("meeting-leave-name"));
    user.sees(user.text("home-title"));
}

/// The meeting that has ended is listed as such, and cannot be joined.
pub fn the_meeting_is_listed(user: &User) {
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
