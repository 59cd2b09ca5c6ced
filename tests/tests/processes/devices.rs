//! Devices and files that are missing or broken: the meeting goes on without them, and says so.

use crate::clip;
use crate::folder::Folder;
use crate::program::{BARE, LIMIT, Program, client, turn};
use crate::report::Report;

#[test]
fn a_meeting_goes_on_without_a_picture_and_says_why() {
    let (_turn, folder) = (turn(), Folder::new("cameras"));
    let whole = clip::make();
    let files = [
        (folder.path("missing.mp4"), "No such file"),
        (folder.write("text.mp4", b"This is no film.\n"), "text.mp4"),
        (folder.write("empty.mp4", b""), "empty.mp4"),
        (folder.write("cut.y4m", &whole[..1_000]), "cut.y4m"),
        (folder.write("huge.y4m", b"YUV4MPEG2 W4294967295 H4294967295 F1:0\nFRAME\n"), "huge.y4m"),
        (folder.path(""), "directory"),
    ];
    let meet =
        |(path, detail): (String, &'static str)| (start("camera", &["--camera", &format!("file:{path}")]), detail);
    let meetings: Vec<_> = files.into_iter().map(meet).collect();
    for (meeting, detail) in meetings {
        let outcome = meeting.end(LIMIT);
        outcome.complains(0, &["A media file cannot be read", "This computer", "Choose another file", detail]);
        assert!(outcome.out.starts_with("conclave://"), "{outcome:?}");
    }
}

#[test]
fn a_film_that_is_damaged_in_the_middle_ends_the_picture_alone() {
    let (_turn, folder) = (turn(), Folder::new("damaged"));
    let film = concat!(env!("CARGO_MANIFEST_DIR"), "/../app/assets/demo/footage/portrait.mp4");
    let mut film = std::fs::read(film).expect("the demo's footage");
    // Every place in the middle: indices and parameter sets stand at the ends.
    let (begin, end) = (film.len() / 8, film.len() / 4 * 3);
    film[begin..end].iter_mut().step_by(37).for_each(|byte| *byte ^= 0x5a);
    let path = folder.write("damaged.mp4", &film);
    let outcome = start("damaged", &["--camera", &format!("file:{path}"), "--for", "2"]).end(LIMIT);
    outcome.complains(0, &["A media file cannot be read", "This computer", "Choose another file", "damaged.mp4"]);
}

#[test]
fn a_meeting_goes_on_without_a_camera() {
    let _turn = turn();
    let says = ["No camera was found", "This computer", "continue without video"];
    let named = start("named", &["--camera", "device:no such camera"]).end(LIMIT);
    named.complains(0, &says).complains(0, &["no such camera"]);
    if std::fs::metadata("/dev/video0").is_err() {
        start("any", &["--camera", "device"]).end(LIMIT).complains(0, &says);
    }
}

#[test]
fn a_meeting_goes_on_in_silence_and_says_why() {
    let (_turn, folder) = (turn(), Folder::new("sound"));
    let report = folder.path("report.json");
    let arguments = ["meet", "--headless", "--for", "0.5", "--camera", "off", "--report", &report];
    let mut command = client(&arguments);
    // Neither ALSA nor a sound server knows of any device.
    command.env("ALSA_CONFIG_PATH", folder.write("alsa.conf", b"")).env("PULSE_SERVER", "unix:/nonexistent");
    command.env("XDG_RUNTIME_DIR", folder.path("none")).env("PIPEWIRE_REMOTE", "none");
    let outcome = Program::start("silent", command).end(LIMIT);
    outcome.complains(
        0,
        &["No sound device was found", "This computer", "You cannot hear the others", "Connect a headset"],
    );
    assert_eq!(outcome.err.matches("conclave: ").count(), 1, "one thing to tell is told once: {}", outcome.err);
    assert!(Report::read(&report).count("/participants/0/join_ms") < 5_000);
}

#[test]
fn sound_files_that_cannot_be_used_are_named() {
    let (_turn, folder) = (turn(), Folder::new("sounds"));
    let (bad, missing) = (folder.write("bad.wav", b"RIFF\xff\xff\xff\xffWAVEnothing"), folder.path("missing.wav"));
    let beyond = folder.path("missing/speaker.wav");
    let choices = [
        ("--microphone", bad, "bad.wav"),
        ("--microphone", missing, "missing.wav"),
        ("--speaker", beyond, "speaker.wav"),
    ];
    let meet = |(which, path, name)| (start(name, &[which, &format!("file:{path}")]), name);
    let meetings: Vec<_> = choices.into_iter().map(meet).collect();
    for (meeting, name) in meetings {
        meeting.end(LIMIT).complains(0, &["A media file cannot be read", "This computer", "Choose another file", name]);
    }
}

/// A meeting of half a second; what `arguments` do not name is off.
fn start(name: &str, arguments: &[&str]) -> Program {
    let mut all = vec!["meet"];
    all.push(BARE[0]);
    for pair in BARE[1..].chunks(2).chain([["--for", "0.5"].as_slice()]) {
        if !arguments.contains(&pair[0]) {
            all.extend_from_slice(pair);
        }
    }
    all.extend_from_slice(arguments);
    Program::start(name, client(&all))
}
