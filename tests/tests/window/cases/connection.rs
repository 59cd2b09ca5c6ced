//! A meeting on a server: the connection is lost and comes back, and the meeting is over.

use crate::desktop::Desktop;
use crate::picture;
use crate::program::Program;
use crate::user::User;
use tests::delay_proxy::DelayProxy;

/// Starts an organiser without a window whose camera shows four colours. It prints the link.
pub fn organiser(desktop: &Desktop, server: &[String]) -> Program {
    let clip = desktop.path("organiser.y4m");
    picture::write_clip(&clip, crate::GUEST);
    let camera = format!("file:{}", clip.display());
    let mut arguments: Vec<&str> = vec!["meet", "--headless", "--name", "Bob", "--camera", &camera];
    arguments.extend(server.iter().map(String::as_str));
    arguments.extend(["--microphone", "off", "--speaker", "off", "--for", "120"]);
    desktop.client("Bob", &arguments)
}

/// Returns the link with the address of the proxy.
pub fn through(proxy: &DelayProxy, link: &str) -> String {
    let (_, secret) = link.trim().split_once('#').expect("a link has a secret");
    format!("conclave://127.0.0.1:{}/#{secret}", proxy.port())
}

/// The user enters a link at home, and joins.
pub fn the_meeting_is_joined(user: &User, link: &str) {
    user.types(user.text("home-link"), link);
    user.presses(user.text("home-join"));
    user.control(user.text("preview-name"));
    user.types(user.text("preview-name"), "Anne");
    user.takes_picture("joining");
    user.presses(user.text("preview-join"));
    user.control(user.text("meeting-leave-name"));
    shows_bob(user, "joined");
}

/// A banner is shown while the connection is lost. The last pictures stay, and the meeting goes on.
pub fn a_lost_connection_is_shown_until_it_is_back(user: &User, proxy: &DelayProxy) {
    let (title, back) = (user.text("meeting-reconnecting"), user.text("notice-reconnected"));
    user.said();
    proxy.cut();
    user.until("the banner", |tree| tree.iter().find(|node| node.role == "landmark" && node.name == title).cloned());
    user.sees(user.text("meeting-reconnecting-text"));
    shows_bob(user, "reconnecting");
    user.control(user.text("meeting-leave-name"));
    proxy.repair();
    user.sees(back);
    user.sees_no(user.text("meeting-reconnecting-text"));
    shows_bob(user, "reconnected");
    let said = user.said();
    assert_eq!(said.iter().filter(|words| words.contains(title)).count(), 1, "{said:?}");
}

/// A guest leaves without a question. Home lists the meeting.
pub fn the_meeting_is_left(user: &User) {
    user.presses(user.text("meeting-leave-name"));
    user.sees(user.text("home-title"));
    user.control(&again(user));
    user.takes_picture("left");
}

/// The link of a meeting that is over leads to a screen that says so. Afterwards the list offers it no more.
pub fn a_meeting_that_is_over_cannot_be_joined(user: &User) {
    let again = again(user);
    user.presses(&again);
    user.said();
    user.presses(user.text("preview-join"));
    user.sees(user.text("ended-no-meeting"));
    user.takes_picture("over");
    let refused = user.text("notice-refused");
    let said = user.said();
    assert!(!said.iter().any(|words| words.contains(refused)), "nothing was to be done: {said:?}");
    user.presses(user.text("ended-home"));
    user.sees(user.text("home-recent-over"));
    assert!(user.tree().iter().all(|node| !node.is_control(&again)), "the list offers to join it again");
    user.takes_picture("over-in-the-list");
}

/// Returns the name of the control that joins the listed meeting again.
fn again(user: &User) -> String {
    let meeting = user.words.with("home-recent-with-one", "name", "Bob");
    user.words.with("home-recent-join-name", "title", &meeting)
}

/// Waits until the picture of Bob is shown, and saves the screen.
fn shows_bob(user: &User, what: &str) {
    let what = format!("{what}-{}", user.setting);
    user.desktop.shows(&what, |screen| screen.shows(crate::GUEST, crate::QUARTER_TILE));
}
