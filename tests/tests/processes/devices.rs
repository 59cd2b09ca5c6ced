//! Missing or broken devices and files: the meeting continues without them, and the user gets a notice.

use crate::clip;
use crate::program::{NO_DEVICES, Program, TIMEOUT, client, lock_meetings, until};
use crate::report::Report;
use std::os::unix::net::UnixStream;
use std::process::Command;
use tests::temp_folder::TempFolder;

#[test]
fn a_meeting_continues_without_a_clip_and_the_user_is_told_why() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("cameras"));
    let whole = clip::make();
    let files = [
        (folder.path("missing.mp4"), "The file missing.mp4 does not exist"),
        (folder.write("text.mp4", b"This is not a clip.\n"), "The file text.mp4 cannot be used"),
        (folder.write("empty.mp4", b""), "The file empty.mp4 cannot be used"),
        (folder.write("cut.y4m", &whole[..1_000]), "The file cut.y4m cannot be used"),
        (
            folder.write("huge.y4m", b"YUV4MPEG2 W4294967295 H4294967295 F1:0\nFRAME\n"),
            "The file huge.y4m cannot be used",
        ),
        (folder.path(""), "directory"),
    ];
    let meet =
        |(path, detail): (String, &'static str)| (start("camera", &["--camera", &format!("file:{path}")]), detail);
    let meetings: Vec<_> = files.into_iter().map(meet).collect();
    for (meeting, detail) in meetings {
        let outcome = meeting.end(TIMEOUT);
        outcome.assert_failure(0, &["This computer", "hoose another file", detail]);
        assert!(outcome.out.starts_with("conclave://"), "{outcome:?}");
    }
}

#[test]
fn a_clip_that_is_damaged_in_the_middle_ends_only_the_picture() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("damaged"));
    let clip = concat!(env!("CARGO_MANIFEST_DIR"), "/../app/assets/demo/footage/portrait.mp4");
    let mut clip = std::fs::read(clip).expect("the demo's footage");
    // Indices and parameter sets are at the ends of the file, so only pictures are damaged.
    let (begin, end) = (clip.len() / 8, clip.len() / 4 * 3);
    clip[begin..end].iter_mut().step_by(37).for_each(|byte| *byte ^= 0x5a);
    let path = folder.write("damaged.mp4", &clip);
    let outcome = start("damaged", &["--camera", &format!("file:{path}"), "--for", "2"]).end(TIMEOUT);
    outcome.assert_failure(0, &["The file damaged.mp4 cannot be used", "This computer", "Choose another file"]);
}

#[test]
fn a_meeting_continues_without_a_camera() {
    let _lock = lock_meetings();
    let message = ["No camera was found", "This computer", "continue without video"];
    let named = start("named", &["--camera", "device:no such camera"]).end(TIMEOUT);
    named.assert_failure(0, &message).assert_failure(0, &["no such camera"]);
    if std::fs::metadata("/dev/video0").is_err() {
        start("any", &["--camera", "device"]).end(TIMEOUT).assert_failure(0, &message);
    }
}

#[test]
fn a_meeting_continues_without_sound_and_the_user_is_told_why() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("sound"));
    let report = folder.path("report.json");
    let arguments = ["meet", "--headless", "--for", "0.5", "--camera", "off", "--report", &report];
    let mut command = client(&arguments);
    // Neither ALSA nor a sound server has a device.
    command.env("ALSA_CONFIG_PATH", folder.write("alsa.conf", b"")).env("PULSE_SERVER", "unix:/nonexistent");
    command.env("XDG_RUNTIME_DIR", folder.path("none")).env("PIPEWIRE_REMOTE", "none");
    let outcome = Program::start("silent", command).end(TIMEOUT);
    outcome.assert_failure(
        0,
        &["No sound device was found", "This computer", "You cannot hear the others", "Connect a headset"],
    );
    assert_eq!(outcome.err.matches("conclave: ").count(), 1, "not exactly one message: {}", outcome.err);
    assert!(Report::read(&report).count("/participants/0/join_ms") < 5_000);
}

/// The null sink of a virtual desktop calls back every two seconds. Neither this nor the end of its stream is a failure.
#[test]
fn a_meeting_with_the_sound_server_of_a_virtual_desktop_prints_no_message() {
    if Command::new("pulseaudio").arg("--version").output().is_err() {
        println!("skipped: pulseaudio is not installed");
        return;
    }
    let (_lock, folder) = (lock_meetings(), TempFolder::new("pulse"));
    let socket = folder.path("native");
    let with_server = |mut command: Command| {
        command.env("HOME", folder.path("")).env("XDG_RUNTIME_DIR", folder.path("")).env_remove("PULSE_RUNTIME_PATH");
        command
    };
    let mut command = with_server(Command::new("pulseaudio"));
    command.args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "-L", "module-always-sink"]);
    command.env_remove("PULSE_SERVER").arg("-L").arg(format!("module-native-protocol-unix socket={socket}"));
    let _server = Program::start("pulseaudio", command);
    until(TIMEOUT, "the sound server listens", || UnixStream::connect(&socket).is_ok());
    let mut command = with_server(client(&["meet", "--headless", "--for", "6", "--camera", "off"]));
    command.env("PULSE_SERVER", format!("unix:{socket}"));
    let outcome = Program::start("desktop", command).end(TIMEOUT);
    outcome.assert_success();
    assert_eq!(outcome.err, "");
}

#[test]
fn sound_files_that_cannot_be_used_are_named() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("sounds"));
    let (bad, missing) = (folder.write("bad.wav", b"RIFF\xff\xff\xff\xffWAVEnothing"), folder.path("missing.wav"));
    let choices = [
        ("--microphone", bad, "The file bad.wav cannot be used"),
        ("--microphone", missing, "The file missing.wav does not exist"),
    ];
    let meet = |(which, path, name)| (start(name, &[which, &format!("file:{path}")]), name);
    let meetings: Vec<_> = choices.into_iter().map(meet).collect();
    for (meeting, name) in meetings {
        meeting.end(TIMEOUT).assert_failure(0, &["This computer", "hoose another file", name]);
    }
    let compressed = folder.write("song.flac", b"fLaC\0\0\0\x22");
    let outcome = start("song.flac", &["--microphone", &format!("file:{compressed}")]).end(TIMEOUT);
    outcome.assert_failure(0, &["does not play this kind of sound file", "pcm_s16le", "song.flac (FLAC)"]);
}

/// Starts a meeting of half a second. Devices that `arguments` do not name are off.
fn start(name: &str, arguments: &[&str]) -> Program {
    let mut all = vec!["meet"];
    all.push(NO_DEVICES[0]);
    for pair in NO_DEVICES[1..].chunks(2).chain([["--for", "0.5"].as_slice()]) {
        if !arguments.contains(&pair[0]) {
            all.extend_from_slice(pair);
        }
    }
    all.extend_from_slice(arguments);
    Program::start(name, client(&all))
}
