//! The real window, on a screen without a monitor: driven by keys, judged by its pixels and by the tree that assistive
//! tools get. And a real X11 screen, shared with another client.
//!
//! `cargo xtask test` builds the client first; with `cargo test` alone, `cargo build` comes before it. Where a tool is
//! missing (Xvfb, openbox, xdotool), a test says so and is skipped. `CONCLAVE_TEST_PICTURES=FOLDER` keeps the screens.
#![cfg(target_os = "linux")] // X11, and the file in which Xvfb keeps its screen.

#[path = "window/desk.rs"]
mod desk;
#[path = "window/picture.rs"]
mod picture;
#[path = "window/program.rs"]
mod program;
#[path = "window/sound.rs"]
mod sound;

use desk::{ACCENT, DANGER, Desk, Node, SCREEN, SOON};
use picture::{GUEST, HOST, Picture, mirrored, near};
use program::{Program, until};
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

/// A tile is not smaller than this, a quarter of it in pixels.
const QUARTER_TILE: usize = 10_000;

/// A wide control whose ring is in the right half: the name's field is the first of these on the preview.
const RIGHT_HALF: usize = 850;

/// What a link carries after its `#`: well-formed, and of no meeting that there ever was.
const SECRET: &str = "AQcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkBAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM";

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders are called in Unicode")
}

/// A client without a window, whose camera shows four colours.
fn guest(desk: &Desk, link: &str, more: &[&str]) -> Program {
    let clip = desk.path("guest.y4m");
    picture::write_clip(&clip, GUEST);
    let camera = format!("file:{}", clip.display());
    let who = ["join", link, "--headless", "--name", "Bob", "--camera", &camera, "--microphone", "off"];
    desk.client("Bob", &[&who, more].concat())
}

/// Every control has a name, and what the screen is about is there.
fn is_accessible(desk: &Desk, expected: &[&str]) {
    if !desk.has_tree() {
        return;
    }
    let has = |tree: &Vec<Node>, name: &str| tree.iter().any(|node| node.name.contains(name));
    let tree = until(&format!("{expected:?} in the accessible tree"), SOON, || {
        desk.tree().filter(|tree| expected.iter().all(|name| has(tree, name)))
    });
    let unclear = |node: &&Node| node.name.trim().is_empty() || ["", "unknown", "invalid"].contains(&&*node.role);
    let unclear: Vec<_> = tree.iter().filter(|node| node.focusable).filter(unclear).collect();
    assert!(unclear.is_empty(), "controls without a name or a role: {unclear:?}");
    let controls = tree.iter().filter(|node| node.focusable);
    println!("all {} controls of {} nodes have names", controls.count(), tree.len());
}

/// What the client remembers: dark, whatever the system wears.
fn remember(desk: &Desk) {
    let folder = desk.path("state/conclave");
    fs::create_dir_all(&folder).expect("a folder can be made");
    fs::write(folder.join("recent.json"), r#"{"theme": "dark"}"#).expect("a file can be written");
}

/// The link of the meeting that was entered, out of what the client remembers.
fn remembered_link(desk: &Desk) -> String {
    until("the link is remembered", SOON, || {
        let text = fs::read_to_string(desk.path("state/conclave/recent.json")).ok()?;
        let link = &text[text.find("conclave://")?..];
        link.split_once('"').map(|(link, _)| link.to_owned())
    })
}

#[test]
fn a_meeting_is_started_seen_and_left_by_keyboard_alone() {
    let Some(desk) = Desk::with_windows("keyboard") else { return };
    remember(&desk);
    let window = desk.client("the window", &[]);
    desk.until_title("Conclave", |title| title == "Conclave");
    is_accessible(&desk, &["Start a meeting", "Meeting link", "Join"]);
    desk.tab_to("the start", |ring| near(ring.inside, ACCENT, 2));
    desk.shows("home", |_| true);
    desk.press(&["Return"]);
    desk.until_title("Start a meeting", |title| title.starts_with("Start a meeting"));
    let is_field = |ring: &desk::Ring| ring.area.width() > 200 && !near(ring.inside, ACCENT, 2);
    desk.tab_to("the name", |ring| ring.area.left > RIGHT_HALF && is_field(ring));
    desk.type_text("Anne");
    is_accessible(&desk, &["Your name", "Microphone level"]);
    desk.shows("preview", |_| true);
    desk.press(&["Return"]);
    desk.until_title("Meeting", |title| title.starts_with("Meeting"));
    let link = remembered_link(&desk);
    let bob = guest(&desk, &link, &["--speaker", "off", "--for", "60"]);
    desk.shows("a guest", |screen| screen.shows(GUEST, QUARTER_TILE));
    desk.press(&["ctrl+p"]);
    is_accessible(&desk, &["Anne, you", "Bob", "Remove Bob", "Leave the meeting", "Security: End-to-end encrypted"]);
    desk.tab_to("the way out", |ring| near(ring.inside, DANGER, 2));
    desk.press(&["Return"]);
    desk.until_title("Conclave", |title| title == "Conclave");
    // The meeting goes on for Bob; the server went with the window.
    drop(bob);
    desk.shows("home again", |screen| screen.lacks(GUEST));
    desk.press(&["alt+F4"]);
    let (status, _, errors) = window.end(SOON);
    assert!(status.success(), "{status}: {errors}");
}

/// A meeting in the window with the devices of a command line, and a guest in it.
fn meeting(desk: &Desk) -> (Program, Program) {
    remember(desk);
    let clip = desk.path("host.y4m");
    picture::write_clip(&clip, HOST);
    let voice = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/assets/demo/voices/anne.wav");
    let (camera, voice) = (format!("file:{}", clip.display()), format!("file:{}", voice.display()));
    let sound = ["--camera", &camera, "--microphone", &voice, "--speaker", "off"];
    let window = desk.client("the window", &[&["meet", "--name", "Anne"], &sound[..]].concat());
    let link = window.first_line(SOON);
    let dump = desk.path("dump");
    let guest = guest(desk, &link, &["--for", "90", "--dump", text(&dump), "--tile", "640x360"]);
    (window, guest)
}

#[test]
fn muting_is_heard_and_who_is_removed_is_out() {
    let Some(desk) = Desk::with_windows("removal") else { return };
    let (window, bob) = meeting(&desk);
    desk.until_title("Meeting", |title| title.starts_with("Meeting"));
    let both = |screen: &Picture| screen.shows(GUEST, QUARTER_TILE) && screen.shows(mirrored(HOST), QUARTER_TILE);
    desk.shows("two people", both);
    let dump = desk.path("dump");
    until("Bob sees Anne", SOON, || Picture::last_of_clip(&dump.join("Anne.y4m"))?.shows(HOST, 1_000).then_some(()));

    let played = dump.join("speaker.wav");
    until("Bob hears Anne", SOON, || sound::is_heard(&played, sound::TALK).then_some(()));
    desk.press(&["ctrl+d"]);
    until("Bob hears nothing", SOON, || sound::is_silent(&played, sound::PAUSE).then_some(()));
    desk.shows("muted", both);
    desk.press(&["ctrl+d"]);
    until("Bob hears Anne again", SOON, || sound::is_heard(&played, sound::TALK).then_some(()));
    // Who speaks has a ring like that of the focus.
    desk.press(&["ctrl+d"]);
    until("Bob hears nothing again", SOON, || sound::is_silent(&played, sound::PAUSE).then_some(()));

    desk.press(&["ctrl+p"]);
    let in_panel = |ring: &desk::Ring| ring.area.left > 1_100 && ring.area.width() < 60;
    desk.tab_to("the button that removes Bob", |ring| in_panel(ring) && ring.area.top > 180);
    desk.shows("people", both);
    desk.press(&["Return"]);
    // It dims what is behind it. A key before that is for what was there before.
    desk.shows("question", |screen| !both(screen));
    desk.tab_to("the confirmation", |ring| near(ring.inside, DANGER, 2));
    desk.press(&["Return"]);
    let (status, _, errors) = bob.end(SOON);
    assert!(!status.success() && errors.contains("removed"), "{status}: {errors}");
    desk.shows("alone", |screen| screen.lacks(GUEST) && screen.shows(mirrored(HOST), QUARTER_TILE));

    desk.tab_to("the way out", |ring| near(ring.inside, DANGER, 2));
    desk.press(&["Return"]);
    let (status, _, errors) = window.end(SOON);
    assert!(status.success(), "{status}: {errors}");
}

#[test]
fn a_server_that_is_gone_is_said_in_the_window_which_tries_again() {
    let Some(desk) = Desk::with_windows("gone") else { return };
    remember(&desk);
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|port| port.local_addr()).expect("a port");
    let link = format!("conclave://{nobody}/m/00112233445566778899aabbccddeeff#{SECRET}");
    let bare = ["--name", "Bob", "--camera", "off", "--microphone", "off", "--speaker", "off"];
    let window = desk.client("the window", &[&["join", &link], &bare[..]].concat());
    let says_so =
        |desk: &Desk| desk.until_title("the failure", |title| title.starts_with("You did not join the meeting"));
    says_so(&desk);
    is_accessible(&desk, &["The server does not answer", "The network", "Check your network", "Try again", "Home"]);
    desk.shows("a dead server", |_| true);
    let somebody = TcpListener::bind(nobody).expect("the port is still free");
    somebody.set_nonblocking(true).expect("a socket can");
    desk.tab_to("another try", |ring| near(ring.inside, ACCENT, 2));
    desk.press(&["Return"]);
    drop(until("the server is asked again", SOON, || somebody.accept().ok()));
    says_so(&desk);
    desk.press(&["Escape"]);
    desk.until_title("Conclave", |title| title == "Conclave");
    desk.press(&["alt+F4"]);
    let (status, _, errors) = window.end(SOON);
    assert!(!status.success() && errors.contains("The server does not answer"), "{status}: {errors}");
}

/// Neither Vulkan nor EGL has a driver here, not even one that plays a card.
#[test]
fn without_any_graphics_driver_the_window_shows_the_meeting_and_says_so_in_its_list() {
    let Some(desk) = Desk::with_windows("driverless") else { return };
    remember(&desk);
    let clip = desk.path("host.y4m");
    picture::write_clip(&clip, HOST);
    let camera = format!("file:{}", clip.display());
    let arguments = ["meet", "--name", "Anne", "--camera", &camera, "--microphone", "off", "--speaker", "off"];
    let nowhere = text(&clip);
    let surroundings = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "__EGL_VENDOR_LIBRARY_FILENAMES", "LIBGL_DRIVERS_PATH"]
        .map(|name| (name, nowhere));
    let window = desk.client_where("the window", &arguments, &surroundings);
    desk.until_title("Meeting", |title| title.starts_with("Meeting"));
    desk.shows("Anne alone", |screen| screen.shows(mirrored(HOST), QUARTER_TILE));
    is_accessible(&desk, &["Anne, you", "Notifications"]);
    desk.tab_to("the list of notices", |ring| ring.area.top < 120 && ring.area.left > RIGHT_HALF);
    desk.press(&["Return"]);
    is_accessible(&desk, &["Video is shown without the graphics card", "No usable graphics driver was found"]);
    desk.shows("the notice in its list", |screen| screen.shows(mirrored(HOST), 1_000));
    desk.press(&["alt+F4"]);
    let (status, _, errors) = window.end(SOON);
    assert!(status.success(), "{status}: {errors}");
}

#[test]
fn a_real_screen_is_seen_by_the_others_as_it_is() {
    let Some(desk) = Desk::bare("screen", "640x360x24", &["Xvfb"]) else { return };
    picture::paint_screen(&desk.path(SCREEN), HOST);
    let off = ["--headless", "--camera", "off", "--microphone", "off", "--speaker", "off"];
    let host = desk.client("Anne", &[&["meet", "--name", "Anne", "--screen", "--for", "60"], &off[..]].concat());
    let link = host.first_line(SOON);
    let dump = desk.path("dump");
    let more = ["--name", "Bob", "--dump", text(&dump), "--tile", "640x360", "--for", "60"];
    let _guest = desk.client("Bob", &[&["join", &link], &off[..], &more].concat());
    let seen = |colours| {
        // One file for each size that came.
        let files = fs::read_dir(&dump).ok()?.flatten().map(|entry| entry.path());
        let clips = files.filter(|path| path.extension().is_some_and(|ending| ending == "y4m"));
        let mut pictures = clips.filter_map(|path| Picture::last_of_clip(&path));
        pictures.find(|picture| picture.shows(colours, picture.width * picture.height / 5))
    };
    let picture = until("the screen as it was painted", SOON, || seen(HOST));
    picture::paint_screen(&desk.path(SCREEN), mirrored(GUEST));
    until("the screen as it was painted over", SOON, || seen(mirrored(GUEST)));
    println!("the shared screen came at {} x {}", picture.width, picture.height);
}
