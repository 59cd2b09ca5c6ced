//! Wrong clocks, with real programs. A library that the system loads into a program changes the time that it reads.
#![cfg(target_os = "linux")]

use crate::program::{NO_DEVICES, Program, TIMEOUT, client, lock_meetings, server};
use std::process::Command;
use tests::temp_folder::TempFolder;

/// Replaces the function of the C library. The clock is wrong from when the file `CLOCK_FILE` exists.
const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *time) {
    static int (*system_clock)(clockid_t, struct timespec *);
    if (!system_clock) system_clock = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = system_clock(id, time);
    const char *ahead = getenv("CLOCK_AHEAD"), *file = getenv("CLOCK_FILE");
    if (id == CLOCK_REALTIME && ahead && (!file || access(file, F_OK) == 0)) time->tv_sec += atol(ahead);
    return result;
}
"#;

/// Clients with wrong clocks, and a server with the right one.
struct Clocks {
    folder: TempFolder,
    library: String,
    /// Holds the server.
    _server: Program,
    meet: [String; 5],
}

impl Clocks {
    /// Returns `None` if this system has no C compiler.
    fn start(name: &str) -> Option<Self> {
        let folder = TempFolder::new(name);
        let (source, library) = (folder.write("clock.c", LIBRARY.as_bytes()), folder.path("clock.so"));
        let built = Command::new("cc").args(["-shared", "-fPIC", "-o", &library, &source, "-ldl"]).status();
        if !built.is_ok_and(|status| status.success()) {
            println!("skipped: there is no C compiler");
            return None;
        }
        let server = Program::start("server", server(&["--listen", "127.0.0.1:0", "--data", &folder.path("data")]));
        let line = server.first_line();
        let words: Vec<&str> = line.split(' ').collect();
        let ["listening", "on", address, "fingerprint", fingerprint] = words[..] else { panic!("{line}") };
        let meet = ["meet", "--server", address, "--fingerprint", fingerprint].map(str::to_owned);
        Some(Self { folder, library, _server: server, meet })
    }

    /// Starts a client whose clock is `ahead` seconds ahead: from the beginning, or from when [`Self::step`] is called with
    /// its name.
    fn client(&self, name: &str, task: &[&str], ahead: i64, later: bool) -> Program {
        let mut command = client(&[task, &["--name", name, "--no-recent"], NO_DEVICES.as_slice()].concat());
        command.env("CONCLAVE_LOG", "warn,conclave=info");
        command.env("LD_PRELOAD", &self.library).env("CLOCK_AHEAD", ahead.to_string());
        if later {
            command.env("CLOCK_FILE", self.folder.path(name));
        }
        Program::start(name, command)
    }

    fn organiser(&self, ahead: i64) -> Program {
        let meet: Vec<&str> = self.meet.iter().map(String::as_str).collect();
        self.client("Anne", &meet, ahead, false)
    }

    /// Changes the clock of a client.
    fn step(&self, name: &str) {
        self.folder.write(name, b"");
    }
}

/// In version 2, a difference of five seconds split the meeting, because each member judged key packages by its own clock, and
/// a member whose clock was two hours slow was thrown out.
#[test]
fn members_whose_clocks_differ_stay_in_one_meeting() {
    let _lock = lock_meetings();
    let Some(clocks) = Clocks::start("clocks") else { return };
    let anne = clocks.organiser(-5);
    let link = anne.first_line();
    let bob = clocks.client("Bob", &["join", &link], 5, false);
    bob.wait_for_line(0, "participants people=2", TIMEOUT);
    let carol = clocks.client("Carol", &["join", &link], -7_200, true);
    let dora = clocks.client("Dora", &["join", &link], 3_000, false);
    let members = [&anne, &bob, &carol, &dora];
    for member in members {
        member.wait_for_line(0, "participants people=4", TIMEOUT);
    }
    clocks.step("Carol");
    // New members and members who leave make all of them judge commits again.
    let marks = members.map(Program::mark);
    let emil = clocks.client("Emil", &["join", &link], -3_000, false);
    for (member, mark) in members.iter().zip(marks) {
        member.wait_for_line(mark, "participants people=5", TIMEOUT);
    }
    let marks = members.map(Program::mark);
    emil.leave().assert_success();
    for (member, mark) in members.iter().zip(marks) {
        member.wait_for_line(mark, "participants people=4", TIMEOUT);
        assert!(!member.errors(0).iter().any(|line| line.contains("Reconnecting")), "{:?}", member.errors(0));
    }
    for member in [carol, dora, bob, anne] {
        member.leave().assert_success();
    }
}

#[test]
fn a_client_whose_clock_is_a_day_behind_joins() {
    let _lock = lock_meetings();
    let Some(clocks) = Clocks::start("a-day-behind") else { return };
    let anne = clocks.organiser(0);
    let bob = clocks.client("Bob", &["join", &anne.first_line()], -86_400, false);
    bob.wait_for_line(0, "participants people=2", TIMEOUT);
    bob.leave().assert_success();
    anne.leave().assert_success();
}

#[test]
fn a_client_whose_clock_is_wrong_by_more_than_its_certificate_allows_is_told_whose_clock_is_wrong() {
    let _lock = lock_meetings();
    for (organiser, joiner, sentence, ahead) in [
        (0, 7_200, "This computer’s clock is wrong", "+2:00 h"),
        (0, -2 * 86_400, "This computer’s clock is wrong", "-48:00 h"),
        (-7_200, 0, "The clock of the organiser’s computer is wrong", "-2:00 h"),
    ] {
        let Some(clocks) = Clocks::start("wrong-clock") else { return };
        let anne = clocks.organiser(organiser);
        let bob = clocks.client("Bob", &["join", &anne.first_line()], joiner, false);
        let outcome = bob.end(TIMEOUT);
        outcome.assert_failure(1, &[sentence]);
        // The last line has the reason; notices may come before it.
        let reason = outcome.err.lines().last().unwrap_or_default();
        assert!(reason.starts_with(&format!("conclave: {sentence}")), "{}", outcome.err);
        assert!(reason.contains(ahead), "by how much it is wrong: {}", outcome.err);
        anne.leave().assert_success();
    }
}
