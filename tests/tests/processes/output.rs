//! Standard output and error that are closed or full, and files that cannot be written.
#![cfg(target_os = "linux")] // `/dev/full` is a file on a full disk.

use crate::program::{NO_DEVICES, Program, TIMEOUT, client, lock_meetings, server, until};
use crate::report::Report;
use std::cell::RefCell;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::process::{Child, Command, Stdio};
use tests::temp_folder::TempFolder;

/// A destination of standard output or error that cannot be written to.
fn unwritable(closed: bool) -> Stdio {
    if closed {
        // The reading end is dropped, as after `| head -1`.
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        return writer.into();
    }
    OpenOptions::new().write(true).open("/dev/full").expect("/dev/full").into()
}

/// The bytes that a pipe holds.
const PIPE_BYTES: usize = 65_536;

/// Returns both ends of a pipe that has no room.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(&vec![b'x'; PIPE_BYTES]).expect("room in the pipe");
    (reader, writer)
}

/// Kills a program on drop.
struct Running(Child);

impl Running {
    /// Sends SIGTERM to a program once it catches this signal.
    fn terminate(&self) {
        let id = self.0.id();
        let caught = || std::fs::read_to_string(format!("/proc/{id}/status")).is_ok_and(|status| catches_term(&status));
        until(TIMEOUT, "the program catches SIGTERM", caught);
        let status = Command::new("sh").args(["-c", &format!("kill -TERM {id}")]).status().expect("a shell");
        assert!(status.success());
    }

    /// Waits until the program ends. Returns its exit code.
    fn end_in_time(&mut self) -> Option<i32> {
        let child = RefCell::new(&mut self.0);
        let ended = || child.borrow_mut().try_wait().expect("it can be waited for").is_some();
        until(TIMEOUT, "the program ends", ended);
        self.0.wait().expect("it has ended").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_client_whose_output_is_closed_or_full_stays_in_its_meeting() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("unwritable"));
    for closed in [true, false] {
        let report = folder.path(&format!("report-{closed}.json"));
        // A notice goes to standard error, because the microphone's file is missing. The link goes to standard output.
        let microphone = format!("file:{}", folder.path("missing.wav"));
        let devices = ["--headless", "--camera", "off", "--speaker", "off", "--microphone", &microphone];
        let mut command = client(&[&["meet", "--for", "0.5", "--report", &report], &devices[..]].concat());
        command.env("CONCLAVE_LOG", "debug").stdout(unwritable(closed)).stderr(unwritable(closed));
        assert_eq!(ends(command), Some(0), "closed: {closed}");
        assert!(Report::read(&report).count("/participants/0/join_ms") < 5_000);
    }
}

#[test]
fn a_server_whose_output_is_closed_or_full_runs_until_it_is_stopped() {
    let folder = TempFolder::new("silent-server");
    for closed in [true, false] {
        let data = folder.path(&format!("data-{closed}"));
        let mut command = server(&["--listen", "127.0.0.1:0", "--data", &data]);
        command.env("RUST_LOG", "debug").stdout(unwritable(closed)).stderr(unwritable(closed));
        let mut running = Running(command.spawn().expect("the server starts"));
        running.terminate();
        assert_eq!(running.0.wait().expect("it ends").code(), Some(0), "closed: {closed}");
    }
}

#[test]
fn a_server_that_is_stopped_before_its_address_is_read_stops_properly() {
    let folder = TempFolder::new("early-stop");
    let (mut reader, writer) = full_pipe();
    let mut command = server(&["--listen", "127.0.0.1:0", "--data", &folder.path("data")]);
    let mut running = Running(command.stdout(writer).stderr(Stdio::null()).spawn().expect("the server starts"));
    drop(command);
    running.terminate();
    let mut printed = Vec::new();
    reader.read_to_end(&mut printed).expect("the server closes its end");
    assert!(printed.ends_with(b"\n"), "the address is not printed");
    assert_eq!(running.0.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_server_whose_full_output_nobody_reads_stops_on_a_signal() {
    let folder = TempFolder::new("full-output");
    let (_reader, writer) = full_pipe();
    let mut command = server(&["--listen", "127.0.0.1:0", "--data", &folder.path("data")]);
    let mut running = Running(command.stdout(writer).stderr(Stdio::null()).spawn().expect("the server starts"));
    running.terminate();
    assert_eq!(running.end_in_time(), Some(0));
}

#[test]
fn a_meeting_whose_full_output_nobody_reads_goes_on_and_ends() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("full-output-client"));
    let (_reader, writer) = full_pipe();
    let report = folder.path("report.json");
    let mut command = client(&[&["meet", "--for", "0.5", "--report", &report], &NO_DEVICES[..]].concat());
    let mut running = Running(command.stdout(writer).stderr(Stdio::null()).spawn().expect("the client starts"));
    assert_eq!(running.end_in_time(), Some(0));
    assert!(Report::read(&report).count("/participants/0/join_ms") < 5_000);
}

#[test]
fn a_link_in_a_full_pipe_is_printed_when_it_is_read_and_a_signal_ends_the_meeting() {
    let _lock = lock_meetings();
    let (mut reader, writer) = full_pipe();
    let mut command = client(&[&["meet"], &NO_DEVICES[..]].concat());
    let mut running = Running(command.stdout(writer).stderr(Stdio::null()).spawn().expect("the client starts"));
    drop(command);
    reader.read_exact(&mut vec![0; PIPE_BYTES]).expect("the pipe is full");
    let mut link = String::new();
    BufReader::new(reader).read_line(&mut link).expect("the host prints the link");
    assert!(link.starts_with("conclave://") && link.ends_with('\n'), "{link:?}");
    running.terminate();
    assert_eq!(running.end_in_time(), Some(0));
}

/// Each program logs much more than a pipe holds. Nobody reads it.
#[test]
fn a_meeting_whose_logs_nobody_reads_continues() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("unread"));
    let report = folder.path("report.json");
    let off = ["--headless", "--microphone", "off", "--speaker", "off"];
    let unread = |arguments: &[&str]| {
        let mut command = client(&[arguments, &off].concat());
        command.env("CONCLAVE_LOG", "trace").stderr(Stdio::piped());
        command
    };
    let mut host = unread(&["meet", "--name", "Anne", "--camera", "synthetic"]);
    let mut host = Running(host.stdout(Stdio::piped()).spawn().expect("the host starts"));
    let mut out = BufReader::new(host.0.stdout.take().expect("it is piped"));
    let mut link = String::new();
    out.read_line(&mut link).expect("the host prints the link");
    let guest = ["join", link.trim(), "--name", "Bob", "--camera", "off", "--for", "4", "--report", &report];
    assert_eq!(ends(unread(&guest)), Some(0));
    assert!(Report::read(&report).count("/video/0/frames_shown") > 30);
    assert!(host.0.try_wait().expect("it can be waited for").is_none(), "the host is still in its meeting");
}

/// Returns true if a process catches signal 15, by its status in `/proc`.
fn catches_term(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask >> 14 & 1 == 1)
}

/// Runs a command and returns its exit code.
fn ends(mut command: Command) -> Option<i32> {
    let mut running = Running(command.spawn().expect("the client starts"));
    running.0.wait().expect("it ends").code()
}

#[test]
fn files_that_cannot_be_written_are_named_before_the_meeting() {
    let folder = TempFolder::new("unwritable-files");
    let (missing, file) = (folder.path("missing/file"), folder.write("file", b""));
    let speaker = format!("file:{missing}");
    let inside = format!("{file}/dump");
    for (option, value, path) in
        [("--report", &missing, &missing), ("--dump", &inside, &inside), ("--speaker", &speaker, &missing)]
    {
        let devices = NO_DEVICES.iter().copied().take(if option == "--speaker" { 5 } else { 7 });
        let all: Vec<&str> = ["meet"].into_iter().chain(devices).chain([option, value]).collect();
        let outcome = Program::start(option, client(&all)).end(TIMEOUT);
        outcome.assert_failure(1, &["cannot", path]);
        assert!(outcome.out.is_empty(), "{option}: {outcome:?}");
    }
}

#[test]
fn a_full_disk_is_named_as_such() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("full"));
    let arguments = ["meet", "--headless", "--camera", "off", "--microphone", "off", "--for", "0.5"];
    let all = [&arguments[..], &["--speaker", "file:/dev/full"]].concat();
    let outcome = Program::start("full speaker", client(&all)).end(TIMEOUT);
    outcome.assert_failure(0, &["The disk is full", "/dev/full"]);
    let report = folder.path("report.json");
    std::os::unix::fs::symlink("/dev/full", &report).expect("a link");
    let all = [&arguments[..], &["--speaker", "off", "--report", &report]].concat();
    Program::start("full report", client(&all))
        .end(TIMEOUT)
        .assert_failure(1, &["cannot write", "No space left", &report]);
}
