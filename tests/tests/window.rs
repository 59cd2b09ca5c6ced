//! Tests of the real window on a virtual X11 screen. They press keys, and check the pixels and the accessibility tree. One
//! test shares a real X11 screen with another client.
//!
//! The cases of `window/cases.rs` run on three screens, in two languages and by three inputs (`CONCLAVE_TEST_WINDOWS`).
//!
//! `cargo xtask test` builds the client first. Before `cargo test`, run `cargo build`. If a tool is missing (Xvfb,
//! openbox, xdotool), the test prints that and is skipped. `CONCLAVE_TEST_PICTURES=FOLDER` saves the screens.
#![cfg(target_os = "linux")] // The tests use X11, and the file in which Xvfb stores its screen.

#[path = "window/assistive.rs"]
mod assistive;
#[path = "window/cases.rs"]
mod cases;
#[path = "window/desktop.rs"]
mod desktop;
#[path = "window/picture.rs"]
mod picture;
#[path = "window/program.rs"]
mod program;
#[path = "window/screen.rs"]
mod screen;
#[path = "window/sound.rs"]
mod sound;
#[path = "window/still.rs"]
mod still;
#[path = "window/user.rs"]
mod user;
#[path = "window/visibility.rs"]
mod visibility;
#[path = "window/words.rs"]
mod words;

use assistive::{Announcement, Assistive, FieldText, Node};
use desktop::{ACCENT, DANGER, Desktop, SCREEN, STEP_TIMEOUT};
use picture::{GUEST, HOST, Picture, mirrored, near};
use program::{Program, until};
use std::cell::RefCell;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::Duration;

/// The minimum size of a quarter of a tile, in pixels. With two people, our own tile is small, and its name covers a part.
const QUARTER_TILE: usize = 2_500;

/// The left edge of the right half. On the preview, the field for the name is the first wide control there.
const RIGHT_HALF: usize = 850;

/// The part of a link after its `#`: well-formed, but its meeting does not exist.
const SECRET: &str = "EgcHBwcHBwcHBwcHBwcHBwcJCQkJCQkJCQkJCQkJCQkJAwMDAwMDAwMDAwMDAwMDAw";

fn text(path: &Path) -> &str {
    path.to_str().expect("the path of temporary folders is Unicode")
}

/// Starts a client without a window whose camera shows four colours.
fn guest(desktop: &Desktop, link: &str, more: &[&str]) -> Program {
    let clip = desktop.path("guest.y4m");
    picture::write_clip(&clip, GUEST);
    let camera = format!("file:{}", clip.display());
    let arguments = ["join", link, "--headless", "--name", "Bob", "--camera", &camera, "--microphone", "off"];
    desktop.client("Bob", &[&arguments, more].concat())
}

/// Asserts that every control has a name and a role, and that the names in `expected` are in the accessibility tree.
fn assert_accessible(desktop: &Desktop, expected: &[&str]) {
    let Some(assistive) = Assistive::start(desktop) else { return };
    let has = |tree: &[Node], name: &str| tree.iter().any(|node| node.name.contains(name));
    let tree = until(&format!("{expected:?} in the accessible tree"), STEP_TIMEOUT, || {
        Some(assistive.tree()).filter(|tree| expected.iter().all(|name| has(tree, name)))
    });
    let unclear = |node: &&Node| node.name.trim().is_empty() || ["", "unknown", "invalid"].contains(&&*node.role);
    let unclear: Vec<_> = tree.iter().filter(|node| node.is("focusable")).filter(unclear).collect();
    assert!(unclear.is_empty(), "controls without a name or a role: {unclear:?}");
    let controls = tree.iter().filter(|node| node.is("focusable"));
    println!("all {} controls of {} nodes have names", controls.count(), tree.len());
}

/// Selects the dark theme in the settings that the client loads.
fn select_dark_theme(desktop: &Desktop) {
    select(desktop, r#"{"theme": "dark"}"#);
}

/// Writes the settings that the client loads.
fn select(desktop: &Desktop, settings: &str) {
    let folder = desktop.path("state/conclave");
    fs::create_dir_all(&folder).expect("a folder can be made");
    fs::write(folder.join("recent.json"), settings).expect("a file can be written");
}

/// Returns the link of the last meeting, from the file that the client stores.
fn stored_link(desktop: &Desktop) -> String {
    until("the link is stored", STEP_TIMEOUT, || {
        let text = fs::read_to_string(desktop.path("state/conclave/recent.json")).ok()?;
        let link = &text[text.find("conclave://")?..];
        link.split_once('"').map(|(link, _)| link.to_owned())
    })
}

#[test]
fn a_meeting_is_started_and_left_by_keyboard_only() {
    let Some(desktop) = Desktop::with_windows("keyboard") else { return };
    select_dark_theme(&desktop);
    let window = desktop.client("the window", &[]);
    desktop.until_title("Conclave", |title| title == "Conclave");
    assert_accessible(&desktop, &["Start a meeting", "Meeting link", "Join"]);
    desktop.tab_to("the start button", |ring| near(ring.inside, ACCENT, 2));
    desktop.shows("home", |_| true);
    desktop.press(&["Return"]);
    desktop.until_title("Start a meeting", |title| title.starts_with("Start a meeting"));
    // The name field has the focus.
    desktop.type_text("Anne");
    assert_accessible(&desktop, &["Your name", "Microphone level"]);
    desktop.shows("preview", |_| true);
    desktop.press(&["Return"]);
    desktop.until_title("Meeting", |title| title.starts_with("Meeting"));
    let link = stored_link(&desktop);
    let bob = guest(&desktop, &link, &["--speaker", "off", "--for", "60"]);
    desktop.shows("a guest", |screen| screen.shows(GUEST, QUARTER_TILE));
    desktop.press(&["ctrl+p"]);
    assert_accessible(
        &desktop,
        &["Anne, you", "Bob", "Remove Bob", "Leave the meeting", "Security: End-to-end encrypted"],
    );
    // Leaving asks first. Here the meeting continues in the background.
    open_leave_dialog(&desktop);
    assert_accessible(&desktop, &["Leave the meeting?", "End for everyone", "Keep hosting in the background"]);
    desktop.shows("how to leave", |_| true);
    desktop.press(&["Tab", "Tab", "Return"]);
    desktop.until_title("Conclave", |title| title == "Conclave");
    assert_accessible(&desktop, &["Your meeting is still running", "Return"]);
    desktop.shows("the meeting in the background", |screen| screen.lacks(GUEST));
    desktop.tab_to("the button that returns", |ring| near(ring.inside, ACCENT, 2));
    desktop.press(&["Return"]);
    desktop.until_title("Meeting", |title| title.starts_with("Meeting"));
    desktop.shows("the guest again", |screen| screen.shows(GUEST, QUARTER_TILE));
    // Closing the window asks, because the meeting would end.
    desktop.press(&["alt+F4"]);
    desktop.shows("the question", |screen| !screen.shows(GUEST, QUARTER_TILE));
    desktop.press(&["Escape"]);
    desktop.shows("the guest still", |screen| screen.shows(GUEST, QUARTER_TILE));
    open_leave_dialog(&desktop);
    desktop.press(&["Tab", "Return"]);
    desktop.until_title("Conclave", |title| title == "Conclave");
    let (status, _, errors) = bob.end(STEP_TIMEOUT);
    assert!(status.success() && errors.contains("The organiser ended the meeting"), "{status}: {errors}");
    desktop.shows("home again", |screen| screen.lacks(GUEST));
    desktop.press(&["alt+F4"]);
    let (status, _, errors) = window.end(STEP_TIMEOUT);
    assert!(status.success(), "{status}: {errors}");
}

/// The politeness of announcements that do not interrupt the user, as AT-SPI counts.
const POLITE: u8 = 1;

/// What a screen reader gets in one language.
struct Spoken {
    settings: &'static str,
    heading: &'static str,
    name: &'static str,
    meeting: &'static str,
    people: &'static str,
    joined: &'static str,
    left: &'static str,
    question: &'static str,
}

const SPOKEN: [Spoken; 2] = [
    Spoken {
        settings: r#"{"theme": "dark", "language": "en"}"#,
        heading: "Meetings only the participants can see and hear",
        name: "Your name",
        meeting: "Meeting –",
        people: "Remove Bob",
        joined: "Bob joined",
        left: "Bob left",
        question: "Leave the meeting?",
    },
    Spoken {
        settings: r#"{"theme": "dark", "language": "fr"}"#,
        heading: "Des visioconférences que seuls les participants voient et entendent",
        name: "Votre nom",
        meeting: "Visioconférence –",
        people: "Exclure Bob",
        joined: "Bob a rejoint la visioconférence",
        left: "Bob a quitté la visioconférence",
        question: "Quitter la visioconférence ?",
    },
];

#[test]
fn a_screen_reader_hears_each_event_once_and_reads_what_is_typed_in_both_languages() {
    for spoken in SPOKEN {
        let Some(desktop) = Desktop::with_windows("speech") else { return };
        let Some(reader) = Assistive::start(&desktop) else { return };
        select(&desktop, spoken.settings);
        let window = desktop.client("the window", &[]);
        desktop.until_title("Conclave", |title| title == "Conclave");
        until_node(&reader, "a heading", |node| node.role == "heading" && node.name == spoken.heading);
        desktop.tab_to("the start button", |ring| near(ring.inside, ACCENT, 2));
        desktop.press(&["Return"]);
        type_a_name(&desktop, &reader, spoken.name);
        desktop.press(&["Return"]);
        desktop.until_title(spoken.meeting, |title| title.starts_with(spoken.meeting));
        let link = stored_link(&desktop);
        let bob = guest(&desktop, &link, &["--speaker", "off", "--for", "60"]);
        let said = RefCell::<Vec<Announcement>>::default();
        // One announcement may have several sentences.
        let heard = |sentence: &str| {
            said.borrow_mut().extend(reader.said());
            said.borrow().iter().filter(|one| one.politeness == POLITE && one.text.contains(sentence)).count()
        };
        until("Bob is announced", STEP_TIMEOUT, || (heard(spoken.joined) > 0).then_some(()));
        for _ in 0..2 {
            desktop.press(&["ctrl+p"]);
            until_node(&reader, "the list of people", |node| node.name == spoken.people);
            desktop.press(&["ctrl+p"]);
            until("the list is closed", STEP_TIMEOUT, || {
                reader.tree().iter().all(|node| node.name != spoken.people).then_some(())
            });
        }
        desktop.press(&["alt+q"]);
        until_node(&reader, "the question", |node| node.role == "alert" && node.name == spoken.question);
        desktop.press(&["Escape"]);
        // A client that is killed may come back for twenty seconds.
        bob.terminate();
        until("Bob has left", STEP_TIMEOUT, || (heard(spoken.left) > 0).then_some(()));
        assert_eq!((heard(spoken.joined), heard(spoken.left)), (1, 1), "{said:?}");
        desktop.press(&["alt+F4"]);
        let (status, _, errors) = window.end(STEP_TIMEOUT);
        assert!(status.success(), "{status}: {errors}");
    }
}

/// Waits until a node of the accessibility tree matches.
fn until_node(reader: &Assistive, what: &str, matches: impl Fn(&Node) -> bool) {
    until(what, STEP_TIMEOUT, || reader.tree().iter().any(&matches).then_some(()));
}

/// Types a name on the preview, which begins in its field, and selects the last letter.
fn type_a_name(desktop: &Desktop, reader: &Assistive, field: &str) {
    until_node(reader, "the name field has the focus", |node| {
        node.name == field && node.is("focused") && node.is("required") && node.is("editable")
    });
    let reads = |what: &str, expected: &FieldText| {
        until_node(reader, what, |node| node.name == field && node.text.as_ref() == Some(expected));
    };
    desktop.type_text("Anne M");
    let content = "Anne M".to_owned();
    reads("the typed text", &FieldText { caret: 6, selection: None, content: content.clone() });
    desktop.press(&["shift+Left"]);
    reads("the selection", &FieldText { caret: 5, selection: Some([5, 6]), content });
}

/// Presses "Leave" by keyboard, and waits for the dialog, whose first answer then has the focus.
fn open_leave_dialog(desktop: &Desktop) {
    desktop.tab_to("the leave button", |ring| near(ring.inside, DANGER, 2));
    desktop.press(&["Return"]);
    // The dialog dims the screen.
    desktop.shows("the dialog", |screen| {
        !screen.shows(GUEST, QUARTER_TILE) && !screen.shows(mirrored(HOST), QUARTER_TILE)
    });
}

/// Starts a meeting in the window, with file devices, and a guest in it.
fn meeting(desktop: &Desktop) -> (Program, Program) {
    select_dark_theme(desktop);
    let clip = desktop.path("host.y4m");
    picture::write_clip(&clip, HOST);
    let voice = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/assets/demo/voices/anne.wav");
    let (camera, voice) = (format!("file:{}", clip.display()), format!("file:{}", voice.display()));
    let sound = ["--camera", &camera, "--microphone", &voice, "--speaker", "off"];
    let window = desktop.client("the window", &[&["meet", "--name", "Anne"], &sound[..]].concat());
    let link = window.first_line(STEP_TIMEOUT);
    let dump = desktop.path("dump");
    let guest = guest(desktop, &link, &["--for", "600", "--dump", text(&dump), "--tile", "640x360"]);
    (window, guest)
}

#[test]
fn muting_silences_the_guest_and_a_removed_guest_leaves() {
    let Some(desktop) = Desktop::with_windows("removal") else { return };
    let (window, bob) = meeting(&desktop);
    desktop.until_title("Meeting", |title| title.starts_with("Meeting"));
    let both = |screen: &Picture| screen.shows(GUEST, QUARTER_TILE) && screen.shows(mirrored(HOST), QUARTER_TILE);
    desktop.shows("two people", both);
    let dump = desktop.path("dump");
    until("Bob sees Anne", STEP_TIMEOUT, || {
        Picture::last_of_clips(&dump).iter().any(|picture| picture.shows(HOST, 1_000)).then_some(())
    });

    let played = dump.join("speaker.wav");
    until("Bob hears Anne", STEP_TIMEOUT, || sound::is_loud(&played, sound::TALK).then_some(()));
    desktop.press(&["ctrl+d"]);
    until("Bob hears nothing", STEP_TIMEOUT, || sound::is_silent(&played, sound::PAUSE).then_some(()));
    desktop.shows("muted", both);
    desktop.press(&["ctrl+d"]);
    until("Bob hears Anne again", STEP_TIMEOUT, || sound::is_loud(&played, sound::TALK).then_some(()));
    // Muted, because a speaker's tile has a ring like that of the focus.
    desktop.press(&["ctrl+d"]);
    until("Bob hears nothing again", STEP_TIMEOUT, || sound::is_silent(&played, sound::PAUSE).then_some(()));

    desktop.press(&["ctrl+p"]);
    let in_panel = |ring: &desktop::Ring| ring.area.left > 1_100 && ring.area.width() < 60 && ring.area.top > 180;
    desktop.tab_to("the button that sends Bob back", in_panel);
    desktop.tab_to("the button that removes Bob", in_panel);
    desktop.shows("people", both);
    desktop.press(&["Return"]);
    // The dialog dims the screen. A key that is pressed before the dialog is open goes to the screen behind it.
    desktop.shows("the dialog", |screen| !both(screen));
    desktop.tab_to("the confirmation", |ring| near(ring.inside, DANGER, 2));
    desktop.press(&["Return"]);
    let (status, _, errors) = bob.end(STEP_TIMEOUT);
    assert!(!status.success() && errors.contains("removed"), "{status}: {errors}");
    desktop.shows("only Anne", |screen| screen.lacks(GUEST) && screen.shows(mirrored(HOST), QUARTER_TILE));

    // Nobody else is there: keep hosting, or end the meeting.
    open_leave_dialog(&desktop);
    desktop.press(&["Tab", "Return"]);
    let (status, _, errors) = window.end(STEP_TIMEOUT);
    assert!(status.success(), "{status}: {errors}");
}

#[test]
fn a_window_that_is_asked_to_stop_leaves_and_writes_its_report() {
    let Some(desktop) = Desktop::with_windows("stop") else { return };
    let report = desktop.path("report.json");
    let off = ["--camera", "off", "--microphone", "off", "--speaker", "off"];
    let window = desktop.client("the window", &[&["meet", "--report", text(&report)], &off[..]].concat());
    window.first_line(STEP_TIMEOUT);
    window.terminate();
    let (status, _, errors) = window.end(STEP_TIMEOUT);
    assert!(status.success(), "{status}: {errors}");
    let report = fs::read_to_string(report).expect("the report was written");
    assert!(report.contains("\"epochs\""), "{report}");
}

/// A window that is drawn without need costs battery.
#[test]
fn a_still_window_is_not_drawn_and_a_meeting_only_once_a_second() {
    let Some(desktop) = Desktop::with_windows("still") else { return };
    select_dark_theme(&desktop);
    let window = desktop.client_with("the window", &[], &[still::LOG]);
    desktop.until_title("Conclave", |title| title == "Conclave");
    desktop.tab_to("the start button", |ring| near(ring.inside, ACCENT, 2));
    let span = Duration::from_secs(5);
    still::until_drawn_at_most(&window, "home", 0, span);
    desktop.press(&["Return"]);
    desktop.until_title("Start a meeting", |title| title.starts_with("Start a meeting"));
    desktop.type_text("Anne");
    // The name field has the focus.
    still::until_drawn_at_most(&window, "the preview", 0, span);
    desktop.press(&["Return"]);
    desktop.until_title("Meeting", |title| title.starts_with("Meeting"));
    // Its clock shows seconds. One picture may be due to the beginning of the span.
    still::until_drawn_at_most(&window, "a meeting alone", 6, span);
}

#[test]
fn an_unreachable_server_is_reported_in_the_window_and_can_be_tried_again() {
    let Some(desktop) = Desktop::with_windows("gone") else { return };
    select_dark_theme(&desktop);
    let unused = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|port| port.local_addr()).expect("a port");
    let link = format!("conclave://{unused}/#{SECRET}");
    let options = ["--name", "Bob", "--camera", "off", "--microphone", "off", "--speaker", "off"];
    let window = desktop.client("the window", &[&["join", &link], &options[..]].concat());
    let expect_failure = |desktop: &Desktop| {
        desktop.until_title("the failure", |title| title.starts_with("You did not join the meeting"));
    };
    expect_failure(&desktop);
    assert_accessible(
        &desktop,
        &["The server does not answer", "The network", "Check your network", "Try again", "Home"],
    );
    desktop.shows("an unreachable server", |_| true);
    let listener = TcpListener::bind(unused).expect("the port is still free");
    listener.set_nonblocking(true).expect("a socket can be non-blocking");
    desktop.tab_to("the button that tries again", |ring| near(ring.inside, ACCENT, 2));
    desktop.press(&["Return"]);
    drop(until("the client connects again", STEP_TIMEOUT, || listener.accept().ok()));
    expect_failure(&desktop);
    desktop.press(&["Escape"]);
    desktop.until_title("Conclave", |title| title == "Conclave");
    desktop.press(&["alt+F4"]);
    let (status, _, errors) = window.end(STEP_TIMEOUT);
    assert!(!status.success() && errors.contains("The server does not answer"), "{status}: {errors}");
}

/// Starts a meeting without a graphics driver: neither Vulkan nor EGL has one, not even a software driver.
fn meeting_without_driver(desktop: &Desktop) -> Program {
    select_dark_theme(desktop);
    let clip = desktop.path("host.y4m");
    picture::write_clip(&clip, HOST);
    let camera = format!("file:{}", clip.display());
    let arguments = ["meet", "--name", "Anne", "--camera", &camera, "--microphone", "off", "--speaker", "off"];
    // A file that is not a driver.
    let no_driver = text(&clip);
    let environment = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "__EGL_VENDOR_LIBRARY_FILENAMES", "LIBGL_DRIVERS_PATH"]
        .map(|name| (name, no_driver));
    let window = desktop.client_with("the window", &arguments, &environment);
    desktop.until_title("Meeting", |title| title.starts_with("Meeting"));
    window
}

#[test]
fn without_a_graphics_driver_the_window_shows_the_meeting_and_a_notice() {
    let Some(desktop) = Desktop::with_windows("driverless") else { return };
    let window = meeting_without_driver(&desktop);
    desktop.shows("only Anne", |screen| screen.shows(mirrored(HOST), QUARTER_TILE));
    assert_accessible(&desktop, &["Anne, you", "Notifications"]);
    desktop.tab_to("the list of notices", |ring| ring.area.top < 120 && ring.area.left > RIGHT_HALF);
    desktop.press(&["Return"]);
    assert_accessible(&desktop, &["Video is shown without the graphics card", "No usable graphics driver was found"]);
    desktop.shows("the notice in its list", |screen| screen.shows(mirrored(HOST), 1_000));
    desktop.press(&["alt+F4"]);
    let (status, _, errors) = window.end(STEP_TIMEOUT);
    assert!(status.success(), "{status}: {errors}");
}

/// The pixel buffers of the software renderer have eight bits per colour, and such a screen has ten.
#[test]
fn without_a_graphics_driver_the_window_is_drawn_on_a_screen_of_depth_30() {
    let Some(desktop) = Desktop::with_screen("deep", "1280x800x30", words::Language::English) else { return };
    let _window = meeting_without_driver(&desktop);
    desktop.shows("Anne on a deep screen", |screen| screen.shows(mirrored(HOST), QUARTER_TILE));
}

#[test]
fn a_shared_x11_screen_is_shown_to_the_others() {
    let Some(desktop) = Desktop::bare("screen", "640x360x24", &["Xvfb"]) else { return };
    picture::paint_screen(&desktop.path(SCREEN), HOST);
    let off = ["--headless", "--camera", "off", "--microphone", "off", "--speaker", "off"];
    let host = desktop.client("Anne", &[&["meet", "--name", "Anne", "--screen", "--for", "60"], &off[..]].concat());
    let link = host.first_line(STEP_TIMEOUT);
    let dump = desktop.path("dump");
    let more = ["--name", "Bob", "--dump", text(&dump), "--tile", "640x360", "--for", "60"];
    let _guest = desktop.client("Bob", &[&["join", &link], &off[..], &more].concat());
    let received = |colours| {
        Picture::last_of_clips(&dump)
            .into_iter()
            .find(|picture| picture.shows(colours, picture.width * picture.height / 5))
    };
    let picture = until("the first screen content", STEP_TIMEOUT, || received(HOST));
    picture::paint_screen(&desktop.path(SCREEN), mirrored(GUEST));
    until("the second screen content", STEP_TIMEOUT, || received(mirrored(GUEST)));
    println!("the shared screen was received at {} x {}", picture.width, picture.height);
}

/// A dock or a projector changes the size of the screen while it is shared.
#[test]
fn a_shared_screen_that_is_resized_has_its_new_shape_for_the_others() {
    let Some(desktop) = Desktop::bare("resize", "1280x720x24", &["Xvfb"]) else { return };
    let screen = screen::Screen::connect(&desktop);
    screen.paint([1280, 720], HOST);
    let off = ["--headless", "--camera", "off", "--microphone", "off", "--speaker", "off"];
    let host = desktop.client("Anne", &[&["meet", "--name", "Anne", "--screen", "--for", "60"], &off[..]].concat());
    let link = host.first_line(STEP_TIMEOUT);
    let dump = desktop.path("dump");
    let more = ["--name", "Bob", "--dump", text(&dump), "--tile", "640x360", "--for", "60"];
    let _guest = desktop.client("Bob", &[&["join", &link], &off[..], &more].concat());
    let received = |what: &str, [across, down]: [usize; 2], colours| {
        until(what, STEP_TIMEOUT, || {
            Picture::last_of_clips(&dump).into_iter().find(|picture| {
                let (width, height) = (picture.width * down, picture.height * across);
                // Sides are even, so the shape may differ by a few pixels.
                width.abs_diff(height) <= 4 * across && picture.shows(colours, picture.width * picture.height / 5)
            })
        })
    };
    received("the wide screen", [16, 9], HOST);
    screen.resize([800, 600]);
    screen.paint([800, 600], GUEST);
    received("the resized screen", [4, 3], GUEST);
    screen.resize([1280, 720]);
    screen.paint([1280, 720], mirrored(HOST));
    received("the wide screen again", [16, 9], mirrored(HOST));
}
