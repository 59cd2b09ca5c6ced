//! Wrong links, servers that do not answer, and wrong command lines: each ends with a message, and none hangs.

use crate::program::{NO_DEVICES, Program, TIMEOUT, client, lock_meetings};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::Duration;
use tests::temp_folder::TempFolder;

#[test]
fn damaged_links_and_other_texts_get_different_messages() {
    let link = link_to(1);
    let (address, secret) = link.split_once('#').expect("a link has a secret part");
    let version = format!("{address}#B{}", &secret[1..]);
    let (short, without_secret, long) = (link[..link.len() - 9].to_owned(), address.to_owned(), format!("{link}AAAA"));
    let other_letters = format!("{address}#{}", secret.replace('A', "!"));
    let without_host = link.replace("127.0.0.1:1", "");
    for (text, parts) in [
        ("hello", ["This is not a meeting link", "Copy the whole link"]),
        ("", ["This is not a meeting link", "Copy the whole link"]),
        ("https://example.org/m/1#2", ["This is not a meeting link", "conclave://"]),
        (&short, ["The end of this link is missing", "ask for it again"]),
        (&without_secret, ["The end of this link is missing", "ask for it again"]),
        (&version, ["another version of Conclave", "Update"]),
        (&long, ["This link has been altered", "Ask for it again"]),
        (&other_letters, ["This link has been altered", "Ask for it again"]),
        (&without_host, ["does not contain a server address", "Ask for it again"]),
    ] {
        let outcome = join(text).end(TIMEOUT);
        outcome.assert_failure(1, &parts);
        assert!(!outcome.err.contains(secret), "the message contains the secret");
    }
}

#[test]
fn a_name_without_a_visible_character_is_refused() {
    // Zero-width spaces, fillers, a mark that changes the direction.
    for name in ["", " ", "\u{200b}", "\u{3164}\u{2800}", "\u{202e}\u{feff}"] {
        let link = link_to(1);
        let guest =
            Program::start("guest", client(&[&["join", &link, "--name", name], NO_DEVICES.as_slice()].concat()));
        guest.end(TIMEOUT).assert_failure(1, &["this name cannot be used", "at least one of them visible"]);
    }
}

/// A name that the user did not choose is cut, or replaced.
#[test]
fn a_meeting_starts_although_the_systems_user_name_is_empty_or_too_long() {
    let _lock = lock_meetings();
    for user in [String::new(), "x".repeat(80)] {
        let mut command = client(&[&["meet"], NO_DEVICES.as_slice()].concat());
        command.env("USER", user).env_remove("LOGNAME").env_remove("USERNAME");
        let host = Program::start("host", command);
        assert!(host.first_line().starts_with("conclave://"));
        host.leave().assert_success();
    }
}

#[test]
fn messages_are_in_the_language_of_the_system() {
    let mut command = client(&["join", "bonjour", "--headless"]);
    command.env("LANG", "fr_FR.UTF-8");
    Program::start("français", command).end(TIMEOUT).assert_failure(1, &["Ce n’est pas un lien de visioconférence"]);
}

#[test]
fn joining_fails_if_the_server_does_not_answer() {
    let refused =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).expect("a port").port();
    // The system accepts the connection, but no program answers.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let nonsense = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = |listener: &TcpListener| listener.local_addr().expect("bound").port();
    let (silent_port, nonsense_port) = (port(&silent), port(&nonsense));
    drop(thread::Builder::new().name("nonsense".into()).spawn(move || answer_nonsense(&nonsense)).expect("a thread"));
    let unknown = link_to(7_443).replace("127.0.0.1", "no-such-host.invalid");
    let clients = [join(&link_to(refused)), join(&link_to(silent_port)), join(&link_to(nonsense_port)), join(&unknown)];
    for client in clients {
        let outcome = client.end(Duration::from_secs(18));
        outcome.assert_failure(1, &["The server does not answer", "The network", "Check your network"]);
    }
}

#[test]
fn a_link_with_one_wrong_letter_is_rejected() {
    let _lock = lock_meetings();
    let host = Program::start("host", client(&[&["meet"], NO_DEVICES.as_slice()].concat()));
    let link = host.first_line();
    // The secret part in bytes: version and flags 1, hash of the keys 16, secret 16, certificate 16. The hash determines the meeting.
    let clients = [5, 20, 40].map(|index| join(&with_wrong_letter(&link, index)));
    let [meeting, secret, certificate] = clients.map(|client| client.end(TIMEOUT));
    secret.assert_failure(1, &["Your request to join could not be read", "Check that you have the whole link"]);
    certificate.assert_failure(1, &["The server is not the expected one", "The server", "Do not continue"]);
    meeting.assert_failure(1, &["This meeting no longer exists", "The invitation", "Ask for a new link"]);
    host.leave().assert_success();
}

#[test]
fn guests_are_told_that_the_host_ended_the_meeting() {
    let _lock = lock_meetings();
    let (host, link, guest) = host_and_guest();
    host.signal("INT");
    let parts = ["The organiser ended the meeting", "It is over for everyone"];
    // The meeting is over as it should be.
    let outcome = guest.end(TIMEOUT);
    assert!(outcome.code == Some(0) && parts.iter().all(|part| outcome.err.contains(part)), "{outcome:?}");
    host.end(TIMEOUT);
    fail_to_join(&link);
}

#[test]
fn guests_are_told_if_the_connection_to_the_host_is_lost() {
    let _lock = lock_meetings();
    let (host, link, guest) = host_and_guest();
    let mark = guest.mark();
    host.signal("KILL");
    guest.wait_for_line(mark, "The connection was lost. Reconnecting", TIMEOUT);
    host.end(TIMEOUT);
    // It tries for minutes, and can be stopped.
    guest.leave().assert_success();
    fail_to_join(&link);
}

/// Starts a meeting with one guest. Returns the host, the link and the guest.
fn host_and_guest() -> (Program, String, Program) {
    let host = Program::start("host", client(&[&["meet"], NO_DEVICES.as_slice()].concat()));
    let link = host.first_line();
    let mut command = client(&[&["join", &link], NO_DEVICES.as_slice()].concat());
    command.env("CONCLAVE_LOG", "conclave=info");
    let guest = Program::start("guest", command);
    guest.wait_for_line(0, "participants people=2", TIMEOUT);
    (host, link, guest)
}

fn fail_to_join(link: &str) {
    let parts = ["The server does not answer", "The network", "Check your network"];
    join(link).end(TIMEOUT).assert_failure(1, &parts);
}

#[test]
fn no_window_opens_without_a_display() {
    let link = link_to(1);
    let parts = ["The window cannot be opened", "This computer", "graphical session", "--headless"];
    for arguments in [&[][..], &["meet"], &["join", &link], &[&link]] {
        Program::start("window", client(arguments))
            .end(TIMEOUT)
            .assert_failure(1, &parts)
            .assert_failure(1, &["DISPLAY"]);
    }
    let without_display = |name: &str, value: &str| {
        let mut command = client(&["meet", "--camera", "off", "--microphone", "off", "--speaker", "off"]);
        command.env(name, value);
        Program::start("window", command).end(TIMEOUT)
    };
    without_display("DISPLAY", ":49731").assert_failure(1, &parts).assert_failure(1, &[":49731"]);
    without_display("WAYLAND_DISPLAY", "/nonexistent/wayland")
        .assert_failure(1, &parts)
        .assert_failure(1, &["/nonexistent/wayland"]);
}

#[test]
fn addresses_that_cannot_be_used_are_reported() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let taken = taken.local_addr().map(|address| (taken, address.to_string())).expect("bound");
    // No machine has a documentation address (RFC 5737).
    for (address, cause) in [(taken.1.as_str(), "in use"), ("192.0.2.7:0", "assign")] {
        let outcome = Program::start("host", client(&[&["meet", "--listen", address], NO_DEVICES.as_slice()].concat()))
            .end(TIMEOUT);
        outcome
            .assert_failure(1, &["cannot listen at", address, "This computer", "another address with --listen", cause]);
        assert!(outcome.out.is_empty(), "{}", outcome.out);
    }
}

#[test]
fn files_that_cannot_be_written_are_reported() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("unwritable"));
    let file = folder.write("file", b"");
    let (report, dump) = (format!("{file}/report.json"), format!("{file}/dump"));
    for (option, path) in [("--report", &report), ("--dump", &dump)] {
        let command = client(&[&["meet", "--for", "0.5", option, path], NO_DEVICES.as_slice()].concat());
        Program::start("host", command).end(TIMEOUT).assert_failure(1, &["cannot", path, "Not a directory"]);
    }
}

#[test]
fn wrong_command_lines_end_with_code_two() {
    for (arguments, part) in [
        (&["meet", "--camera", "webcam"][..], "synthetic"),
        (&["meet", "--tile", "0x9"], "8192"),
        (&["meet", "--for", "never"], "number of seconds"),
        (&["meet", "--listen", "here"], "--listen"),
        (&["meet", "--server", "host"], "HOST:PORT"),
        (&["meet", "--server", "host:1", "--fingerprint", "ab"], "64 hexadecimal digits"),
        (&["meet", "--server", "host:1", "--listen", "127.0.0.1:0"], "cannot be used with"),
        (&["join"], "LINK"),
        (&["join", "--nonsense"], "--nonsense"),
    ] {
        let outcome = Program::start("usage", client(arguments)).end(TIMEOUT);
        outcome.assert_failure(2, &[part, "--help"]);
        assert!(outcome.out.is_empty(), "{}", outcome.out);
    }
    let named =
        Program::start("name", client(&[&["meet", "--name", "\u{7}"], NO_DEVICES.as_slice()].concat())).end(TIMEOUT);
    named.assert_failure(1, &["this name cannot be used", "1 to 64 characters"]);
}

/// Returns a valid link to a server on `port` of this machine.
fn link_to(port: u16) -> String {
    let secret = [&[0x12][..], &[7; 16], &[9; 16], &[3; 16]].concat();
    format!("conclave://127.0.0.1:{port}/#{}", base64(&secret))
}

/// Returns the link with a different letter at byte `index` of its secret part.
fn with_wrong_letter(link: &str, index: usize) -> String {
    let at = link.find('#').expect("a link has a secret part") + 1 + index * 4 / 3;
    let other = if &link[at..=at] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &link[..at], &link[at + 1..])
}

fn join(link: &str) -> Program {
    Program::start("guest", client(&[&["join", link], NO_DEVICES.as_slice()].concat()))
}

/// Returns base64url without padding (RFC 4648, section 5).
fn base64(bytes: &[u8]) -> String {
    let letters: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']).collect();
    let encode = |three: &[u8]| -> String {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | usize::from(three.get(at).copied().unwrap_or_default()));
        (0..=three.len()).map(|at| letters[bits >> (18 - 6 * at) & 63]).collect()
    };
    bytes.chunks(3).map(encode).collect()
}

/// Answers a few connections in another protocol.
fn answer_nonsense(listener: &TcpListener) {
    for stream in listener.incoming().take(8) {
        let Ok(mut stream) = stream else { return };
        let mut greeting = [0; 64];
        // The answer does not depend on the request.
        let _ = stream.read(&mut greeting);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    }
}
