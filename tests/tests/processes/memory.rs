//! What is in the memory of the server while a meeting runs and after it, and in that of a client that has left the group.

use crate::program::{NO_DEVICES, Program, TIMEOUT, client, lock_meetings, until};
use crate::server::RunningServer;
use crypto::vectors::{base_key, frame_key};
use crypto::{Invitation, Leaf};
use proto::Slot;
use serde_json::Value;
use std::process::{Command, Stdio};
use tests::attack::guest::Guest;
use tests::process_memory::Search;
use tests::temp_folder::TempFolder;
use tokio::runtime::Runtime;

/// A client that the test controls by JSON lines.
struct Client(Program);

impl Client {
    fn start(name: &str, mut command: Command) -> Self {
        command.args(["--json", "--commands", "--no-recent", "--name", name]).stdin(Stdio::piped());
        Self(Program::start(name, command))
    }

    fn join(name: &str, link: &str, devices: &[&str]) -> Self {
        let mut client = Self::start(name, client(&[&["join", "-"], devices].concat()));
        client.send(link);
        client
    }

    fn send(&mut self, line: &str) {
        self.0.send_line(line);
    }

    /// Waits for an event, and returns what `wanted` finds in the newest one.
    fn wait<T>(&self, what: &str, wanted: impl Fn(&Value) -> Option<T>) -> T {
        let find = || {
            let lines = self.0.output();
            lines.iter().rev().find_map(|line| wanted(&serde_json::from_str(line).ok()?))
        };
        until(TIMEOUT, what, || find().is_some());
        find().expect("it was found")
    }

    fn until_reads(&self, text: &str) {
        self.wait(&format!("reads {text:?}"), |event| (event["chat"]["text"] == text).then_some(()));
    }
}

/// A meeting that runs.
struct Scene {
    ada: Client,
    bob: Client,
    link: String,
    /// The key of Bob's device, and Bob's participant.
    device: Vec<u8>,
    id: Vec<u8>,
}

impl Scene {
    /// Bob is admitted, both write, and Bob gets another role and a right.
    fn play(server: &RunningServer) -> Self {
        let meet = ["meet", "--server", &server.address, "--fingerprint", &server.fingerprint, "--waiting-room"];
        let mut ada = Client::start(ADA, client(&[&meet, &NO_DEVICES[..]].concat()));
        let link = ada.wait("Ada is in", |event| event["entered"]["link"].as_str().map(str::to_owned));
        let mut bob = Client::join(BOB, &link, &NO_DEVICES);
        let asked = ada.wait("Bob asks", |event| event.get("asks").cloned());
        let [device, id] = ["device", "id"].map(|name| hex(&asked[name].as_str().expect("a text").replace(' ', "")));
        ada.send(r#"{"admit":"all"}"#);
        bob.wait("Bob is in", |event| event.get("entered").cloned());
        ada.send(&format!(r#"{{"chat":"{}"}}"#, LINES[0]));
        bob.until_reads(LINES[0]);
        bob.send(&format!(r#"{{"chat":{{"text":"{}","to":"{ADA}"}}}}"#, LINES[1]));
        ada.until_reads(LINES[1]);
        ada.send(&format!(r#"{{"role":{{"of":"{BOB}","role":"guest"}}}}"#));
        ada.send(&format!(r#"{{"grant":{{"to":"{BOB}","right":"screen"}}}}"#));
        bob.wait("Bob is a guest who may share", |event| {
            let people = event["people"].as_array()?;
            let bob = people.iter().find(|person| person["name"] == BOB)?;
            let may = bob["rights"].as_array()?.iter().any(|right| right == "screen");
            (bob["role"] == "guest" && may).then_some(())
        });
        Self { ada, bob, link, device, id }
    }

    /// Returns what the server must not know, and the number of the meeting, which it must.
    fn search(&self) -> Search {
        let invitation: Invitation = self.link.parse().expect("a link");
        let mut search = Search::default();
        for (what, bytes) in SECRETS.into_iter().zip([ADA, BOB, LINES[0], LINES[1]]) {
            search.add(what, bytes);
        }
        search.add(DEFAULT_RIGHTS, default_rights());
        search.add(ROLE, role_in_policy(&self.device, &self.id, 4));
        search.add("the key of a device, which each policy and each leaf contains", &self.device);
        search.add("the secret of the link", invitation.secret.expose());
        search.add(MEETING, invitation.meeting.0);
        search
    }
}

/// Returns the bytes of the default rights in the policy of a new meeting.
pub fn default_rights() -> [u8; 16] {
    [0, 0, 0xff, 0xff, 0, 0, 0x0f, 0xff, 0, 0, 0x09, 0xff, 0, 0, 0, 0x53]
}

/// Returns the bytes of a person in a policy: the end of its device, participant, role. The participant alone is known to the server.
pub fn role_in_policy(device: &[u8], participant: &[u8], role: u8) -> Vec<u8> {
    [&device[24..], participant, &[role]].concat()
}

/// Names and lines that nothing else contains by chance.
const ADA: &str = "Xanthippe Quillfeather";
const BOB: &str = "Barnabas Östergaard";
const LINES: [&str; 2] = ["The lighthouse opens on Thursday", "Bring the vermilion folder"];

const SECRETS: [&str; 4] = ["a name", "the name of a guest", "a line", "a private line"];
const DEFAULT_RIGHTS: &str = "the default rights of a policy";
const ROLE: &str = "the role of the guest in a policy";
const MEETING: &str = "the number of the meeting";
const FOLDER: &str = "the data folder";

#[test]
fn the_memory_of_the_server_holds_no_name_no_line_and_no_right() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("memory"));
    let server = RunningServer::start(&folder.path("data"), &[]);
    let scene = Scene::play(&server);
    let mut search = scene.search();
    search.add(FOLDER, folder.path("data"));
    let run = |id| search.run(id).expect("a process of this one can be read");
    // While the meeting runs. The search finds all of that in the memory of a client, so it would find it here as well.
    let (found, in_client) = (run(server.id()), run(scene.ada.0.id()));
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), [FOLDER, MEETING], "{found:?}");
    for what in SECRETS.into_iter().chain([DEFAULT_RIGHTS, ROLE, MEETING]) {
        assert!(in_client.contains_key(what), "{what}: {in_client:?}");
    }
    for mut client in [scene.bob, scene.ada] {
        client.send(r#"{"leave":true}"#);
        assert_eq!(client.0.end(TIMEOUT).code, Some(0));
    }
    // After it. The number of the meeting may be left over.
    let mut found = run(server.id());
    found.remove(MEETING);
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), [FOLDER], "{found:?}");
}

/// A client that is sent back to the waiting room has left the group, and its process goes on. Another member of the same
/// epochs is in this process, and so knows the keys.
#[test]
fn the_memory_of_a_client_that_has_left_the_group_holds_no_key_of_media_or_of_the_group() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("memory-client"));
    let server = RunningServer::start(&folder.path("data"), &[]);
    let meet = ["meet", "--server", &server.address, "--fingerprint", &server.fingerprint];
    let mut ada = Client::start(ADA, client(&[&meet, &NO_DEVICES[..]].concat()));
    let link = ada.wait("Ada is in", |event| event["entered"]["link"].as_str().map(str::to_owned));
    let runtime = Runtime::new().expect("a runtime");
    let address = server.address.parse().expect("an address");
    let joined = runtime.block_on(Guest::join(&link, tests::attack::wire::another_address(), address));
    let mut member = joined.expect("the link admits");
    // It joins in one epoch, Bob in the next one, and then Bob gets another role.
    let member = runtime.spawn(async move {
        member.listen(TIMEOUT, |member| member.epochs.len() >= 3).await;
        member
    });
    let devices = ["--headless", "--camera", "synthetic", "--microphone", "off", "--speaker", "off"];
    let bob = Client::join(BOB, &link, &devices);
    bob.wait("Bob is in", |event| event.get("entered").cloned());
    // Ada may get the commit that adds Bob later than Bob enters.
    ada.wait("Ada lists Bob", |event| {
        event["people"].as_array()?.iter().any(|person| person["name"] == BOB).then_some(())
    });
    ada.send(&format!(r#"{{"role":{{"of":"{BOB}","role":"guest"}}}}"#));
    let member = runtime.block_on(member).expect("it does not panic");
    assert_eq!(member.epochs.len(), 3, "closed: {}", member.seen.closed);
    let mut search = Search::default();
    add_media_keys(&mut search, &member);
    search.add(OWN_NAME, BOB);
    let newest = format!("the base key of epoch {}", member.epochs.last().expect("an epoch").epoch().0);
    let before = || search.run(bob.0.id()).expect("a process of this one can be read");
    until(TIMEOUT, "Bob has the keys of the newest epoch", || before().contains_key(newest.as_str()));
    ada.send(&format!(r#"{{"send-back":"{BOB}"}}"#));
    bob.wait("Bob is sent back", |event| (event["lobby"] == "sent-back").then_some(()));
    let found = search.run(bob.0.id()).expect("a process of this one can be read");
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), [OWN_NAME], "{found:?}");
}

/// A client that leaves. Its program ends with the report, which it writes into a pipe, and so waits until somebody reads it: then its
/// memory is that of a program that has left. Another member of the same epoch is in this process: it has opened its Welcome twice, and so
/// knows the secrets of the key schedule that all members share.
#[test]
fn the_memory_of_a_client_that_has_left_holds_no_key_of_media_and_no_secret_of_the_key_schedule() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("memory-left"));
    let server = RunningServer::start(&folder.path("data"), &[]);
    let meet = ["meet", "--server", &server.address, "--fingerprint", &server.fingerprint];
    let ada = Client::start(ADA, client(&[&meet, &NO_DEVICES[..]].concat()));
    let link = ada.wait("Ada is in", |event| event["entered"]["link"].as_str().map(str::to_owned));
    let pipe = folder.path("report");
    let devices =
        ["--headless", "--camera", "synthetic", "--microphone", "off", "--speaker", "off", "--report", pipe.as_str()];
    let mut bob = Client::join(BOB, &link, &devices);
    bob.wait("Bob is in", |event| event.get("entered").cloned());
    // Not before: the program checks at its start that it can write the file.
    let _ = std::fs::remove_file(&pipe);
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("there is mkfifo").success());
    let runtime = Runtime::new().expect("a runtime");
    let address = server.address.parse().expect("an address");
    let joined = runtime.block_on(Guest::join(&link, tests::attack::wire::another_address(), address));
    let member = joined.expect("the link admits");
    let mut search = Search::default();
    for secret in &member.secrets {
        search.add(secret.name.clone(), &secret.bytes);
    }
    add_media_keys(&mut search, &member);
    search.add(OWN_NAME, BOB);
    let id = bob.0.id();
    let run = || search.run(id).expect("a process of this one can be read");
    let has = |names: &[&str]| {
        let found = run();
        names.iter().all(|name| found.contains_key(*name))
    };
    until(TIMEOUT, &format!("Bob has {SCHEDULE:?}, not only {:?}", run()), || has(&SCHEDULE));
    bob.send(r#"{"leave":true}"#);
    ada.wait("Bob has left", |event| {
        let people = event["people"].as_array()?;
        people.iter().all(|person| person["name"] != BOB).then_some(())
    });
    let is_clean = || run().keys().copied().eq([OWN_NAME]);
    let start = std::time::Instant::now();
    while !is_clean() && start.elapsed() < LEAVE_TIMEOUT {
        std::thread::park_timeout(std::time::Duration::from_millis(50));
    }
    let found = run();
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), [OWN_NAME], "{found:?}");
    assert!(bob.0.is_running(), "it waits at its end");
    let report = std::fs::read_to_string(&pipe).expect("the report");
    assert!(report.contains(BOB), "{report}");
    assert_eq!(bob.0.end(TIMEOUT).code, Some(0));
}

/// Adds the keys of media in the epochs of a member.
fn add_media_keys(search: &mut Search, member: &Guest) {
    for keys in &member.epochs {
        let epoch = keys.epoch().0;
        search.add(format!("the base key of epoch {epoch}"), base_key(keys));
        for (slot, leaf) in
            [Slot::Microphone, Slot::Camera].into_iter().flat_map(|slot| (0..4).map(move |leaf| (slot, leaf)))
        {
            for layer in 0..4 {
                let key = frame_key(keys, slot, layer, Leaf(leaf)).expect("a key id");
                search.add(format!("the key of {slot:?} {leaf} layer {layer} in epoch {epoch}"), key);
            }
        }
    }
}

const OWN_NAME: &str = "the own name";

/// Secrets that each member of an epoch holds (RFC 9420, section 8), and the key of typed text.
const SCHEDULE: [&str; 9] = [
    "base_key",
    "epoch_authenticator",
    "exporter_secret",
    "external_secret",
    "init_secret",
    "membership_key",
    "resumption_psk",
    "sender_data_secret",
    "typing_secret",
];

/// How long a program may take after its leave to close its sockets and to forget the keys.
const LEAVE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|digits| std::str::from_utf8(digits).expect("digits"));
    digits.map(|digits| u8::from_str_radix(digits, 16).expect("digits")).collect()
}
