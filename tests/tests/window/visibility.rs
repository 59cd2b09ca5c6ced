//! A window that nobody sees gets no pictures: their sender stops encoding them.

use crate::desktop::{Desktop, STEP_TIMEOUT};
use crate::picture;
use crate::program::{Program, until};
use crate::screen::Screen;

/// The environment variable by which a sender logs what its layers do.
pub const LOG: (&str, &str) = ("CONCLAVE_LOG", "warn,engine::send=debug");

/// Waits until the sender encodes something (true) or nothing, and reads its log from `from` on. Returns where the log ends.
fn until_sends(sender: &Program, what: &str, sends: bool, from: usize) -> usize {
    until(what, STEP_TIMEOUT, || {
        let log = sender.errors();
        let last = log[from..].lines().rev().find(|line| line.contains("layer targets"))?;
        (last.contains("Running") == sends).then_some(log.len())
    })
}

#[test]
fn a_window_that_is_minimised_or_covered_gets_no_pictures() {
    let Some(desktop) = Desktop::with_windows("visibility") else { return };
    crate::select_dark_theme(&desktop);
    let options = ["meet", "--name", "Anne", "--camera", "off", "--microphone", "off", "--speaker", "off"];
    let window = desktop.client("the window", &options);
    let link = window.first_line(STEP_TIMEOUT);
    desktop.until_title("Meeting", |title| title.starts_with("Meeting"));
    let clip = desktop.path("guest.y4m");
    picture::write_clip(&clip, crate::GUEST);
    let camera = format!("file:{}", clip.display());
    let join = ["join", &link, "--headless", "--name", "Bob", "--camera", &camera, "--microphone", "off"];
    let guest = desktop.client_with("Bob", &join, &[LOG]);
    let seen = until_sends(&guest, "the picture of a window that is seen", true, 0);
    let id = desktop.ask("xdotool", &["getwindowfocus"]).expect("the window has the focus");

    desktop.ask("xdotool", &["windowminimize", id.trim()]).expect("the window is minimised");
    let minimised = until_sends(&guest, "nothing is sent to a minimised window", false, seen);
    desktop.ask("xdotool", &["windowactivate", id.trim()]).expect("the window is shown");
    let shown = until_sends(&guest, "the picture of a window that is shown again", true, minimised);

    let screen = Screen::connect(&desktop);
    let cover = screen.cover();
    let covered = until_sends(&guest, "nothing is sent to a covered window", false, shown);
    screen.uncover(cover);
    until_sends(&guest, "the picture of a window that is not covered any more", true, covered);
    desktop.shows("pictures after the window was hidden", |screen| screen.shows(crate::GUEST, crate::QUARTER_TILE));
    drop((window, guest));
}
