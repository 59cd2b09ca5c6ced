//! The home screen and the preview.

use crate::desktop::Desktop;
use crate::program::until;
use crate::screen::Screen;
use crate::user::{Input, User};

/// A new window is inside the screen, with its frame.
pub fn the_window_fits_the_screen(user: &User) {
    user.sees(user.text("home-title"));
    let [width, height] = user.setting.screen;
    let screen = Screen::connect(user.desktop);
    let inside = || {
        let [left, top, across, down] = screen.window_area()?;
        let (right, bottom) = (usize::try_from(left + across).ok()?, usize::try_from(top + down).ok()?);
        (left >= 0 && top >= 0 && right <= width && bottom <= height).then_some(())
    };
    until("the window is inside the screen", crate::STEP_TIMEOUT, inside);
    user.takes_picture("home");
}

/// A text that is not a link is refused with a reason. The reason disappears when the user types.
pub fn a_wrong_link_is_explained(user: &User) {
    let link = user.text("home-link");
    user.types(link, "conclave");
    user.presses(user.text("home-join"));
    let field = user.until("the field is invalid", |tree| {
        tree.iter().find(|node| node.is_control(link) && !node.description.is_empty()).cloned()
    });
    assert_eq!(field.description, user.text("link-not-a-link"));
    user.takes_picture("wrong-link");
    user.types(link, "x");
    user.sees_no(user.text("link-not-a-link"));
}

/// The menu of themes opens, and a theme is chosen.
pub fn themes_are_chosen(user: &User) {
    let control = user.text("menu-theme");
    user.presses(control);
    user.control(user.text("theme-contrast"));
    user.takes_picture("themes");
    for theme in ["theme-contrast", "theme-light"] {
        user.chooses(user.text(theme));
        user.sees_no(user.text("theme-system"));
        if user.setting.input == Input::Keyboard {
            user.has_focus_at(control);
        }
        user.takes_picture(theme);
        user.presses(control);
    }
    user.chooses(user.text("theme-dark"));
    user.sees_no(user.text("theme-system"));
}

/// "Start a meeting" leads to the preview.
pub fn the_preview_opens(user: &User) {
    user.presses(user.text("home-start"));
    user.control(user.text("preview-name"));
    user.types(user.text("preview-name"), "Anne");
    // Neither the camera nor the microphone exists here, and the button is still inside the window.
    let window = user.until("the window", |tree| tree.iter().find(|node| node.role == "frame")?.area);
    let [_, top, _, height] = user.control(user.text("preview-start")).area.expect("the button is shown");
    assert!(height >= MIN_BUTTON_HEIGHT && top + height <= window[3], "{top} + {height} in {window:?}");
    user.takes_picture("preview");
}

/// The open menu of speakers lists what is plugged in and unplugged.
pub fn devices_are_listed_as_they_are_plugged_in(user: &User) {
    let menu = format!("{}, {}", user.text("preview-speaker"), user.text("device-default-speaker"));
    user.presses(&menu);
    user.control(user.text("device-none-sound"));
    let module = user.desktop.plug_in("Headset");
    user.control("Headset");
    user.takes_picture("plugged-in");
    user.chooses("Headset");
    let chosen = format!("{}, Headset", user.text("preview-speaker"));
    user.presses(&chosen);
    user.control("Headset");
    user.desktop.unplug(&module);
    // The chosen device stays in the list by its name.
    user.control(&user.words.with("device-unplugged", "name", "Headset"));
    user.takes_picture("unplugged");
    user.desktop.press(&["Escape"]);
    user.until("the menu is closed", |tree| (!tree.iter().any(|node| node.role.contains("menu item"))).then_some(()));
}

impl Desktop {
    /// Adds a speaker. Returns the number of its module.
    fn plug_in(&self, name: &str) -> String {
        let properties = format!("sink_properties=device.description={name}");
        let added = self.ask("pactl", &["load-module", "module-null-sink", &properties]);
        added.expect("the sound server adds a speaker").trim().to_owned()
    }

    /// Removes a speaker.
    fn unplug(&self, module: &str) {
        self.ask("pactl", &["unload-module", module]).expect("the sound server removes a speaker");
    }
}

/// A button that is cut off is shown with a smaller height. In pixels.
const MIN_BUTTON_HEIGHT: i32 = 40;
