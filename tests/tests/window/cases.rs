//! What a user does in the window, by keyboard, by pointer and through AT-SPI, on three screens and in two languages.
//!
//! Each group of cases runs in one setting, so that the groups cover each screen and each input.
//! `CONCLAVE_TEST_WINDOWS=covering` runs each group in three settings, which cover each input on each screen, and
//! `CONCLAVE_TEST_WINDOWS=all` in all 18. `CONCLAVE_TEST_PICTURES=FOLDER` saves what the cases show.

#[path = "cases/connection.rs"]
mod connection;
#[path = "cases/entry.rs"]
mod entry;
#[path = "cases/leaving.rs"]
mod leaving;
#[path = "cases/security.rs"]
mod security;
#[path = "cases/shortcuts.rs"]
mod shortcuts;
#[path = "cases/talking.rs"]
mod talking;

use crate::desktop::Desktop;
use crate::user::{Setting, User};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use tests::delay_proxy::DelayProxy;

/// Runs `case` in each setting of a group, and reports in which settings it failed.
fn in_each_setting(name: &str, group: usize, case: impl Fn(&mut Desktop, Setting)) {
    let mut failed = Vec::new();
    for setting in Setting::of_group(group) {
        let start = Instant::now();
        let [width, height] = setting.screen;
        let screen = format!("{width}x{height}x24");
        let desktop_name = format!("{name}-{setting}");
        let Some(mut desktop) = Desktop::with_screen(&desktop_name, &screen, setting.language) else { return };
        let outcome = catch_unwind(AssertUnwindSafe(|| case(&mut desktop, setting)));
        if outcome.is_err() {
            failed.push(setting.to_string());
        }
        println!("{desktop_name}: {:.1} s", start.elapsed().as_secs_f64());
    }
    assert!(failed.is_empty(), "{name} failed in {failed:?}");
}

#[test]
fn a_user_joins_pastes_and_chooses_devices_by_each_input() {
    in_each_setting("entry", 0, |desktop, setting| {
        let sound = desktop.start_sound_server();
        let window = desktop.client("the window", &[]);
        desktop.until_title("Conclave", |title| title == "Conclave");
        let Some(user) = User::new(desktop, setting) else { return };
        entry::the_window_fits_the_screen(&user);
        entry::a_wrong_link_is_explained(&user);
        entry::themes_are_chosen(&user);
        entry::the_preview_opens(&user);
        if sound {
            entry::devices_are_listed_as_they_are_plugged_in(&user);
        }
        drop(window);
    });
}

#[test]
fn a_user_mutes_verifies_and_shares_by_each_input() {
    in_each_setting("meeting", 1, |desktop, setting| {
        let (window, guest) = crate::meeting(desktop);
        desktop.until_title("the meeting", |title| title.starts_with("Meeting") || title.starts_with("Visio"));
        let Some(user) = User::new(desktop, setting) else { return };
        talking::two_people_use_the_window(&user);
        talking::the_space_bar_talks_after_each_control(&user);
        security::the_words_are_compared(&user);
        security::sharing_is_confirmed(&user);
        shortcuts::the_shortcuts_are_listed(&user);
        talking::the_lock_stays_when_the_bars_fade(&user);
        drop((window, guest));
    });
}

#[test]
fn a_user_copies_the_link_hosts_in_the_background_and_ends_the_meeting_by_each_input() {
    in_each_setting("leaving", 2, |desktop, setting| {
        let window = desktop.client("the window", &[]);
        desktop.until_title("Conclave", |title| title == "Conclave");
        let Some(user) = User::new(desktop, setting) else { return };
        leaving::a_meeting_starts(&user);
        leaving::the_link_is_copied(&user);
        let link = crate::stored_link(desktop);
        let guest = crate::guest(desktop, &link, &["--speaker", "off", "--for", "600"]);
        user.sees_no(user.text("meeting-alone"));
        leaving::leaving_can_be_cancelled(&user);
        leaving::the_meeting_is_hosted_in_the_background(&user);
        leaving::the_meeting_ends(&user);
        drop(guest);
        leaving::the_meeting_is_not_listed(&user);
        leaving::the_link_is_pasted(&user);
        drop(window);
    });
}

#[test]
fn a_user_reconnects_and_cannot_join_a_meeting_that_is_over_by_each_input() {
    in_each_setting("connection", 3, |desktop, setting| {
        let (server, arguments) = desktop.server();
        let bob = connection::organiser(desktop, &arguments);
        let link = bob.first_line(crate::STEP_TIMEOUT);
        let proxy = DelayProxy::start(&link, Duration::ZERO).expect("the proxy starts");
        let window = desktop.client("the window", &[]);
        desktop.until_title("Conclave", |title| title == "Conclave");
        let Some(user) = User::new(desktop, setting) else { return };
        connection::the_meeting_is_joined(&user, &connection::through(&proxy, &link));
        connection::a_lost_connection_is_shown_until_it_is_back(&user, &proxy);
        connection::the_meeting_is_left(&user);
        bob.terminate();
        bob.end(crate::STEP_TIMEOUT);
        connection::a_meeting_that_is_over_cannot_be_joined(&user);
        drop((window, server));
    });
}
