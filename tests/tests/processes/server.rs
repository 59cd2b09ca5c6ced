//! The program `conclave-server`: what it prints and stores, what it learns of a meeting, and how it ends.

use crate::clip;
use crate::program::{NO_DEVICES, Program, TIMEOUT, client, lock_meetings, server, until};
use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use tests::temp_folder::TempFolder;

#[test]
fn a_server_keeps_its_certificate_and_ends_by_signal() {
    let folder = TempFolder::new("restarts");
    let data = folder.path("data");
    let run = |signal: &str, more: &[&str]| {
        let server = RunningServer::start(&data, more);
        server.program.signal(signal);
        let outcome = server.program.end(STOP_TIMEOUT);
        outcome.assert_success();
        server.fingerprint
    };
    let first = run("TERM", &[]);
    assert!(first.len() == 64 && first.bytes().all(|digit| digit.is_ascii_hexdigit()), "{first}");
    let mode = fs::metadata(folder.path("data/key.pem")).expect("the key is kept").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "others can read the key");
    assert_eq!(run("INT", &[]), first);
    let (chain, key) = (folder.path("data/certificate.pem"), folder.path("data/key.pem"));
    let other = TempFolder::new("other");
    let given = RunningServer::start(&other.path("data"), &["--cert", &chain, "--key", &key]);
    assert_eq!(given.fingerprint, first, "the server does not use the certificate of --cert");
}

#[test]
fn a_server_learns_neither_names_nor_addresses() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("learns"));
    let clip = folder.write("clip.y4m", &clip::make());
    let server = RunningServer::start(&folder.path("data"), &[]);
    let camera = format!("file:{clip}");
    let voice = format!("file:{}/../app/assets/demo/voices/anne.wav", env!("CARGO_MANIFEST_DIR"));
    let options = ["--headless", "--camera", &camera, "--microphone", &voice, "--tile", "320x180"];
    let host = folder.path("host");
    let anne = ["meet", "--server", &server.address, "--fingerprint", &server.fingerprint];
    let anne = client(&[&anne[..], &options, &["--name", "Xanthippe Quill", "--dump", &host]].concat());
    let anne = Program::start("host", anne);
    let link = anne.first_line();
    assert!(link.starts_with(&format!("conclave://{}/#", server.address)), "{link}");
    let guest = folder.path("guest");
    let bob = client(&[&["join", &link], &options[..], &["--name", "Barnabé Öst", "--dump", &guest]].concat());
    let bob = Program::start("guest", bob);
    let seen = |by: &str, of: &str| clip::shown(by, of).len() >= 15;
    until(TIMEOUT, "they see each other", || seen(&guest, "Xanthippe Quill") && seen(&host, "Barnabé Öst"));
    let stored = files(&folder.path("data/meetings"));
    assert_eq!(stored.len(), 3, "the meeting, the lock and the key of the tokens: {:?}", stored.keys());
    for text in stored.values() {
        assert_no_name(text);
    }
    bob.leave().assert_success();
    anne.leave().assert_success();
    let late = Program::start("late", client(&[&["join", &link], NO_DEVICES.as_slice()].concat())).end(TIMEOUT);
    late.assert_failure(1, &["This meeting no longer exists", "The invitation", "It has ended", "Ask for a new link"]);
    server.program.signal("TERM");
    let outcome = server.program.end(STOP_TIMEOUT);
    outcome.assert_success();
    assert!(outcome.err.contains("meeting opened") && outcome.err.contains("meeting ended"), "{}", outcome.err);
    let secret = link.split_once('#').expect("a link has a secret part").1;
    assert_nothing_personal(&outcome.err, secret);
    let names = |stored: &BTreeMap<String, String>| stored.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&files(&folder.path("data/meetings"))), ["lock", "token-key"], "the meeting is over");
    let stored = files(&folder.path("data"));
    assert_eq!(names(&stored), ["certificate.pem", "key.pem"], "the server stores more than its certificate and key");
    for text in stored.values() {
        assert_nothing_personal(text, secret);
    }
}

#[test]
fn a_server_that_is_stopped_ends_its_meetings() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("stopped"));
    let server = RunningServer::start(&folder.path("data"), &[]);
    let meet = ["meet", "--server", &server.address, "--fingerprint", &server.fingerprint];
    let host = Program::start("host", client(&[&meet[..], NO_DEVICES.as_slice()].concat()));
    let link = host.first_line();
    let mut command = client(&[&["join", &link], NO_DEVICES.as_slice()].concat());
    command.env("CONCLAVE_LOG", "conclave=info");
    let guest = Program::start("guest", command);
    guest.wait_for_line(0, "participants people=2", TIMEOUT);
    server.program.signal("TERM");
    server.program.end(STOP_TIMEOUT).assert_success();
    for client in [host, guest] {
        client.end(TIMEOUT).assert_failure(1, &["The server is shutting down", "The server", "Try again"]);
    }
}

#[test]
fn problems_of_another_server_are_reported() {
    let folder = TempFolder::new("elsewhere");
    let server = RunningServer::start(&folder.path("data"), &[]);
    let meet =
        |more: &[&str]| Program::start("host", client(&[&["meet"], more, NO_DEVICES.as_slice()].concat())).end(TIMEOUT);
    let wrong = ["The server is not the expected one", "The server", "Do not continue"];
    meet(&["--server", &server.address, "--fingerprint", &"ab".repeat(32)]).assert_failure(1, &wrong);
    // The certificate is self-signed.
    meet(&["--server", &server.address]).assert_failure(1, &wrong);
    let unused =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).expect("a port");
    let outcome = meet(&["--server", &unused.to_string(), "--fingerprint", &server.fingerprint]);
    outcome.assert_failure(1, &["The server does not answer", "The network", "Check your network"]);
}

#[test]
fn a_server_that_cannot_start_reports_why() {
    let folder = TempFolder::new("refused");
    let (data, file) = (folder.path("data"), folder.write("file", b""));
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let run = |arguments: &[&str]| Program::start("server", server(arguments)).end(TIMEOUT);
    let in_use = run(&["--listen", &address, "--data", &data]);
    in_use.assert_failure(1, &["cannot listen on", &address, "in use", "Another program", "choose another port"]);
    for line in in_use.err.lines() {
        assert!(!line.contains(['\u{1b}', '{']) && !line.contains("Caused by"), "not plain text: {line}");
    }
    assert_eq!(in_use.err.matches("conclave-server: ").count(), 1, "not one line: {}", in_use.err);
    for line in
        run(&["--listen", &address, "--data", &data, "--json"]).assert_failure(1, &["in use", "advice"]).err.lines()
    {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "not JSON: {line}");
    }
    run(&["--listen", "127.0.0.1:0", "--data", &data, "--metrics", &address])
        .assert_failure(1, &["cannot serve metrics on", &address, "in use", "--metrics"]);
    run(&["--listen", "192.0.2.1:0", "--data", &data]).assert_failure(1, &["does not have that address", "--listen"]);
    run(&["--listen", "127.0.0.1:0", "--data", &format!("{file}/data")])
        .assert_failure(1, &["certificate", "Not a directory", "this user may write", "--data"]);
    let given = ["--listen", "127.0.0.1:0", "--data", &data, "--cert", &file, "--key", &file];
    run(&given).assert_failure(1, &[&file, "certificate"]);
    run(&["--listen", "nonsense", "--data", &data]).assert_failure(2, &["--listen", "--help"]);
    run(&["--listen", "127.0.0.1:0"]).assert_failure(2, &["--data", "--help"]);
}

/// A server on a free port of this machine.
pub struct RunningServer {
    program: Program,
    pub address: String,
    pub fingerprint: String,
}

impl RunningServer {
    /// Returns the number of its process.
    pub fn id(&self) -> u32 {
        self.program.id()
    }

    pub fn start(data: &str, more: &[&str]) -> Self {
        let program = Program::start("server", server(&[&["--listen", "127.0.0.1:0", "--data", data], more].concat()));
        let line = program.first_line();
        let words: Vec<&str> = line.split(' ').collect();
        let ["listening", "on", address, "fingerprint", fingerprint] = words[..] else { panic!("{line}") };
        let (address, fingerprint) = (address.to_owned(), fingerprint.to_owned());
        Self { program, address, fingerprint }
    }
}

/// Asserts that `text` contains no name, no address and no secret.
fn assert_nothing_personal(text: &str, secret: &str) {
    assert_no_name(text);
    for found in ["127.0.0.1", "::1", "localhost:", secret] {
        assert!(!text.contains(found), "{found:?} is in: {text}");
    }
}

fn assert_no_name(text: &str) {
    for found in ["Xanthippe", "Quill", "Barnab", "Öst"] {
        assert!(!text.contains(found), "{found:?} is in: {text}");
    }
}

/// Returns the contents of the files in a folder, by name, without those in its folders.
fn files(folder: &str) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).expect("the data folder").map(|entry| entry.expect("an entry of it"));
    let entries = entries.filter(|entry| entry.path().is_file());
    let read = |entry: fs::DirEntry| {
        let bytes = fs::read(entry.path()).expect("the data folder holds files");
        (entry.file_name().to_string_lossy().into_owned(), String::from_utf8_lossy(&bytes).into_owned())
    };
    entries.map(read).collect()
}

/// The limit for a server to end.
const STOP_TIMEOUT: Duration = Duration::from_secs(12);
