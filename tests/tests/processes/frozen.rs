//! Programs that are stopped and continued, as by a computer that sleeps or a system that stalls.

use crate::clip;
use crate::program::{Program, TIMEOUT, client, lock_meetings, until};
use std::time::{Duration, Instant};
use tests::temp_folder::TempFolder;

/// Stops `program` for `length`, and continues it.
fn freeze(program: &Program, length: Duration) {
    program.signal("STOP");
    let start = Instant::now();
    until(length + TIMEOUT, "the time of the stall is over", || start.elapsed() >= length);
    program.signal("CONT");
}

/// In version 2, a stall of five seconds ended the meeting, and a laptop that slept for twelve was dropped. Neither client
/// tried to join again.
#[test]
fn a_program_that_is_stopped_for_five_or_twelve_seconds_goes_on_in_the_same_meeting() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("frozen"));
    let camera = format!("file:{}", folder.write("clip.y4m", &clip::make()));
    let start = |name: &str, task: &[&str]| {
        let dump = folder.path(name);
        let options = ["--headless", "--name", name, "--camera", &camera, "--microphone", "off", "--tile", "320x180"];
        let mut command = client(&[task, &options, &["--dump", &dump, "--no-recent"]].concat());
        command.env("CONCLAVE_LOG", "warn,conclave=info");
        Program::start(name, command)
    };
    let anne = start("Anne", &["meet"]);
    let bob = start("Bob", &["join", &anne.first_line()]);
    let shown = |by: &str, of: &str| clip::shown(&folder.path(by), of).len();
    let see_each_other = |what: &str, more: usize| {
        let (anne, bob) = (shown("Anne", "Bob"), shown("Bob", "Anne"));
        until(TIMEOUT, what, || shown("Anne", "Bob") >= anne + more && shown("Bob", "Anne") >= bob + more);
    };
    see_each_other("they see each other", 15);
    // Anne's program is also the server.
    for (who, program, seconds) in [("Bob", &bob, 5), ("Anne", &anne, 5), ("Bob", &bob, 12)] {
        let marks = (anne.mark(), bob.mark());
        freeze(program, Duration::from_secs(seconds));
        see_each_other(&format!("{who} was stopped for {seconds} s, and both move again"), 15);
        for (member, mark) in [(&anne, marks.0), (&bob, marks.1)] {
            let lines = member.errors(mark);
            let alone = lines.iter().any(|line| line.contains("participants people=1"));
            assert!(!alone, "somebody was dropped from the meeting while {who} was stopped: {lines:?}");
        }
    }
    bob.leave().assert_success();
    anne.leave().assert_success();
}
