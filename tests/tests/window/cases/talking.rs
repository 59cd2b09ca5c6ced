//! Two people in a meeting: the stage, the space bar, and the bars that fade.

use crate::assistive::Node;
use crate::screen::Screen;
use crate::user::{Input, User};

/// The other person's tile is large, and our own is small and inside it.
pub fn two_people_use_the_window(user: &User) {
    let tile = |tree: &[Node], name: &str| -> Option<Node> {
        tree.iter().find(|node| node.role == "list item" && node.name.starts_with(name)).cloned()
    };
    let own = user.words.with("tile-you", "name", "Anne");
    user.until("two tiles of the right size", |tree| {
        let window = tree.iter().find(|node| node.role == "frame")?.size();
        let (bob, own) = (tile(tree, "Bob")?.size(), tile(tree, &own)?.size());
        (bob > window * 2 / 3 && own > 0 && own < bob / 8).then_some(())
    });
    user.desktop.shows(&format!("two-people-{}", user.setting), |screen| {
        screen.shows(crate::GUEST, crate::QUARTER_TILE)
            && screen.shows(crate::mirrored(crate::HOST), crate::QUARTER_TILE)
    });
}

/// After a click on a control, the space bar talks, and does not press the control. With the keyboard
/// focus on a control, it presses the control.
pub fn the_space_bar_talks_after_each_control(user: &User) {
    let mute = user.text("meeting-mute-name");
    let talking = user.text("meeting-talk");
    if user.setting.input == Input::Pointer {
        user.presses(mute);
        user.until("muted", |tree| tree.iter().find(|node| node.is_control(mute) && is_on(node)).cloned());
        talks(user, talking);
        for id in ["meeting-camera-name", "meeting-copy-link"] {
            user.presses(user.text(id));
            talks(user, talking);
        }
        for id in ["meeting-choose-microphone", "meeting-choose-camera", "menu-preferences"] {
            user.presses(user.text(id));
            user.until("the menu is open", |tree| {
                tree.iter().any(|node| node.role.contains("menu item")).then_some(())
            });
            talks(user, talking);
            user.takes_picture(id);
            user.desktop.press(&["Escape"]);
            user.until("the menu is closed", |tree| {
                (!tree.iter().any(|node| node.role.contains("menu item"))).then_some(())
            });
            talks(user, talking);
        }
        user.presses(&format!("{}, 2", user.text("meeting-people")));
        let remove = user.words.with("people-remove", "name", "Bob");
        user.control(&remove);
        talks(user, talking);
        user.takes_picture("people");
        user.presses(&remove);
        user.control(user.text("action-cancel"));
        user.takes_picture("remove");
        talks_in_the_dialog(user);
        user.presses(user.text("action-cancel"));
        user.sees_no(user.text("action-cancel"));
        talks(user, talking);
        user.presses(user.text("action-close"));
        user.sees_no(&remove);
        talks(user, talking);
        user.presses(user.text("meeting-camera-name"));
    } else {
        user.moves_focus_to(mute);
        user.desktop.press(&["space"]);
        user.until("muted", |tree| tree.iter().find(|node| node.is_control(mute) && is_on(node)).cloned());
    }
}

/// Asserts that the space bar unmutes while it is held, and changes no control.
fn talks(user: &User, talking: &str) {
    // Notifications come and go by themselves.
    let dismiss = user.text("action-dismiss");
    let controls = |tree: &[Node]| -> Vec<(String, bool, bool)> {
        let controls = tree.iter().filter(|node| node.is("focusable") && node.name != dismiss);
        controls.map(|node| (node.name.clone(), is_on(node), node.is("expanded"))).collect()
    };
    // A button may not show its new state yet.
    let mut before = None;
    let before = user.until("the controls stay as they are", |tree| {
        let now = Some(controls(tree));
        let same = before == now;
        before = now;
        before.clone().filter(|_| same)
    });
    user.desktop.hold("space");
    user.sees(talking);
    user.desktop.release("space");
    user.sees_no(talking);
    user.until("the controls are as before", |tree| (controls(tree) == before).then_some(()));
}

/// Asserts that the space bar unmutes while it is held, and does not answer the dialog. The dialog hides the banner.
fn talks_in_the_dialog(user: &User) {
    user.said();
    let mut said = Vec::new();
    let mut hears = |id: &str| {
        user.until(id, |_| {
            said.extend(user.said());
            said.iter().any(|words| words == user.text(id)).then_some(())
        });
    };
    user.desktop.hold("space");
    hears("said-unmuted");
    user.desktop.release("space");
    hears("said-muted");
    user.control(user.text("action-cancel"));
}

/// Returns whether a switch is on.
pub fn is_on(node: &Node) -> bool {
    node.is("checked") || node.is("pressed")
}

/// Without input, the bars fade, and the lock stays.
pub fn the_lock_stays_when_the_bars_fade(user: &User) {
    if user.setting.input != Input::Pointer {
        // With the keyboard focus inside, the bars stay.
        return;
    }
    let area = |tree: &[Node], name: &str| tree.iter().find(|node| node.is_control(name))?.area;
    let security = |tree: &[Node]| {
        let name = user.words.with("lock-button", "state", user.text("lock-verified"));
        area(tree, &name)
    };
    let [lock, leave] = [
        user.until("the lock", security),
        user.until("the leave button", |tree| area(tree, user.text("meeting-leave-name"))),
    ];
    user.desktop.move_away();
    let [left, top, ..] = Screen::connect(user.desktop).window_area().expect("the window has the focus");
    let area = |[x, y, width, height]: [i32; 4]| [x + left, y + top, width, height];
    user.desktop.shows(&format!("faded-{}", user.setting), |screen| {
        screen.is_plain(area(leave)) && !screen.is_plain(area(lock))
    });
}
