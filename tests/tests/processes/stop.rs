//! Signals that ask a program to stop.

use crate::program::{NO_DEVICES, Program, TIMEOUT, client, lock_meetings};
use crate::report::Report;
use crate::server::RunningServer;
use std::process::{Command, Stdio};
use tests::temp_folder::TempFolder;

#[test]
fn a_client_that_is_asked_to_stop_leaves_and_writes_its_report() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("stop"));
    for signal in ["HUP", "TERM", "INT"] {
        let report = folder.path(&format!("{signal}.json"));
        let meet = client(&[&["meet", "--report", &report], NO_DEVICES.as_slice()].concat());
        // A client ignores SIGHUP if its parent does, as under `nohup`. These tests may run under `nohup`, too.
        let host = through(&["env", "--default-signal=HUP"], &meet);
        let host = Program::start("host", host);
        host.first_line();
        host.signal(signal);
        host.end(TIMEOUT).assert_success();
        assert!(Report::read(&report).count("/e2ee/epochs") >= 1, "{signal}");
    }
}

#[test]
fn a_client_that_waits_to_be_admitted_leaves_without_an_error() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("waits"));
    let server = RunningServer::start(&folder.path("data"), &[]);
    let meet = ["meet", "--server", &server.address, "--fingerprint", &server.fingerprint];
    let host = Program::start("host", client(&[&meet[..], NO_DEVICES.as_slice()].concat()));
    let link = host.first_line();
    // It is absent for 20 seconds, and admits nobody.
    host.signal("KILL");
    host.end(TIMEOUT);
    let guests = ["TERM", "INT"].map(|signal| {
        let guest = client(&[&["join", &link], NO_DEVICES.as_slice()].concat());
        (signal, Program::start("guest", guest))
    });
    for (signal, guest) in guests {
        guest.wait_for_line(0, "Nobody has answered yet", TIMEOUT);
        guest.signal(signal);
        let outcome = guest.end(TIMEOUT);
        outcome.assert_success();
        assert!(!outcome.err.contains("Server error"), "{signal}: {}", outcome.err);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_client_under_nohup_outlives_the_terminal() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("nohup"));
    let report = folder.path("report.json");
    let meet = client(&[&["meet", "--report", &report], NO_DEVICES.as_slice()].concat());
    let host = Program::start("host", through(&["nohup"], &meet));
    let link = host.first_line();
    host.signal("HUP");
    // It still admits people.
    let mut guest = client(&[&["join", &link], NO_DEVICES.as_slice()].concat());
    guest.env("CONCLAVE_LOG", "conclave=info");
    let guest = Program::start("guest", guest);
    guest.wait_for_line(0, "participants people=2", TIMEOUT);
    guest.leave().assert_success();
    host.signal("TERM");
    assert_eq!(host.end(TIMEOUT).code, Some(0));
    Report::read(&report);
}

/// Returns a command that starts `client` with another program, which becomes the client.
fn through(wrapper: &[&str], client: &Command) -> Command {
    let mut command = Command::new(wrapper[0]);
    command.args(&wrapper[1..]).arg(client.get_program()).args(client.get_args()).stdin(Stdio::null());
    for (name, value) in client.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}
