//! Meetings of processes: each client shows and plays what the others sent, and the meeting continues if one is killed.

use crate::clip::{self, Pictures, Row};
use crate::program::{Program, TIMEOUT, client, lock_meetings, until};
use crate::report::Report;
use crate::wave::Wave;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tests::temp_folder::TempFolder;

#[test]
fn each_client_shows_and_plays_what_the_other_sent() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("meeting"));
    let generated = folder.write("generated.y4m", &clip::make());
    let (footage, voice_of_anne, voice_of_bob) =
        (asset("footage/portrait.mp4"), asset("voices/anne.wav"), asset("voices/bob.wav"));
    let anne = Person { name: "Anne", camera: &footage, voice: &voice_of_anne, tile: "320x180" };
    let bob = Person { name: "Bob", camera: &generated, voice: &voice_of_bob, tile: "640x360" };
    let host = anne.start(&folder, &["meet"]);
    let link = host.first_line();
    assert!(link.starts_with("conclave://127.0.0.1:") && link.contains("/#"), "{link}");
    let guest = bob.start(&folder, &["join", &link]);
    let shown = |by: &str, of: &str| clip::shown(&folder.path(by), of).len();
    until(TIMEOUT, "60 pictures each way", || shown("Anne", "Bob") >= 60 && shown("Bob", "Anne") >= 60);
    let (guest, host) = (guest.leave(), host.leave());
    guest.assert_success();
    host.assert_success();
    assert_eq!(host.out.trim(), link, "more than the link was printed");
    let (by_anne, by_bob) = (read_dumps(&folder, "Anne", "Bob"), read_dumps(&folder, "Bob", "Anne"));
    // The generated clip has only one layer, so all pictures are in one file.
    clip::check_numbers(&by_anne.pictures, &by_anne.rows);
    assert_eq!((by_bob.pictures.width, by_bob.pictures.height), (640, 360));
    for (received, source) in [(&by_anne, &generated), (&by_bob, &footage)] {
        let quality = clip::quality(&received.pictures, &received.rows, source);
        assert!(quality.mean_db >= 32.0, "{source}: {quality:?}");
    }
    let similarity = [&voice_of_anne, &voice_of_bob].map(|voice| by_bob.sound.similarity(&Wave::read(voice)));
    assert!(
        similarity[0] > 0.7 && similarity[0] > similarity[1] + 0.1,
        "Bob did not play Anne's voice: {similarity:?}"
    );
}

#[test]
fn a_killed_client_leaves_and_the_others_change_keys() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("killed"));
    let generated = folder.write("generated.y4m", &clip::make());
    let camera = format!("file:{generated}");
    let start = |name: &str, task: &[&str]| {
        let (dump, report) = (folder.path(name), folder.path(&format!("{name}.json")));
        let options = ["--headless", "--name", name, "--camera", &camera, "--microphone", "off", "--tile", "320x180"];
        let mut command = client(&[task, &options, &["--dump", &dump, "--report", &report]].concat());
        command.env("CONCLAVE_LOG", "warn,conclave=info");
        Program::start(name, command)
    };
    let anne = start("Anne", &["meet"]);
    let link = anne.first_line();
    let bob = start("Bob", &["join", &link]);
    // They join one after the other, so that each join is an epoch.
    assert_eq!(bob.first_line(), "Joined the meeting as Bob.");
    bob.wait_for_line(0, "participants people=2", TIMEOUT);
    let carol = start("Carol", &["join", &link]);
    let seen = |by: &str, of: &str| clip::shown(&folder.path(by), of);
    let all = [("Anne", "Bob"), ("Anne", "Carol"), ("Bob", "Anne"), ("Bob", "Carol")];
    until(TIMEOUT, "everybody sees everybody", || all.iter().all(|(by, of)| seen(by, of).len() >= 30));
    let (annes_mark, bobs_mark) = (anne.mark(), bob.mark());
    carol.signal("KILL");
    // The server waits 20 seconds whether it comes back. Then the others must remove it and change the keys.
    let limit = Duration::from_secs(30);
    let noticed = bob.wait_for_line(bobs_mark, "participants people=2", limit);
    let left = limit.saturating_sub(noticed);
    bob.wait_for_line(bobs_mark, "new keys", left);
    anne.wait_for_line(annes_mark, "participants people=2", left);
    let (ended, so_far) = (seen("Bob", "Carol").len(), seen("Bob", "Anne").len());
    until(TIMEOUT, "the others still see each other", || seen("Bob", "Anne").len() >= so_far + 20);
    assert_eq!(seen("Bob", "Carol").len(), ended, "a picture of Carol was shown after she left");
    assert_eq!(carol.end(TIMEOUT).code, None, "Carol was not ended by a signal");
    bob.leave().assert_success();
    anne.leave().assert_success();
    check_reports_of_remaining_members(&folder);
    for (by, of) in [("Anne", "Bob"), ("Bob", "Anne")] {
        let gap = longest_gap(&seen(by, of));
        assert!(gap < 600_000, "{by} saw no new picture of {of} for {gap} us");
    }
}

fn check_reports_of_remaining_members(folder: &TempFolder) {
    // Bob had the keys of three epochs: after he joined, after Carol joined, after she left.
    let (anne, bob) = (Report::read(&folder.path("Anne.json")), Report::read(&folder.path("Bob.json")));
    let epochs = (anne.count("/e2ee/epochs"), bob.count("/e2ee/epochs"));
    assert!(epochs.0 >= 4 && epochs.1 >= 3, "{epochs:?}");
    assert_eq!((bob.count("/e2ee/failed_to_open"), anne.count("/e2ee/failed_to_open")), (0, 0));
    assert!(bob.video("Carol").count("/frames_shown") >= 30);
    // The timeline ends with the last whole second.
    let (all, whole) = (bob.video("Anne").count("/frames_shown"), bob.shown_in_timeline("Anne"));
    assert!(whole <= all && whole + 60 >= all && all > 120, "{whole} of {all} pictures are in the timeline");
}

/// Returns the longest time between two pictures, in microseconds. Skips the first ones, which are slow because of joining.
fn longest_gap(rows: &[Row]) -> u64 {
    rows.windows(2).skip(20).map(|pair| pair[1].shown - pair[0].shown).max().unwrap_or(u64::MAX)
}

/// A client whose camera and microphone play files, and which dumps all that it receives.
struct Person<'a> {
    name: &'a str,
    camera: &'a str,
    voice: &'a str,
    tile: &'a str,
}

impl Person<'_> {
    fn start(&self, folder: &TempFolder, task: &[&str]) -> Program {
        let (camera, voice) = (format!("file:{}", self.camera), format!("file:{}", self.voice));
        let (dump, report) = (folder.path(self.name), folder.path(&format!("{}.json", self.name)));
        let person = ["--headless", "--name", self.name, "--camera", &camera, "--microphone", &voice];
        let output = ["--tile", self.tile, "--dump", &dump, "--report", &report];
        Program::start(self.name, client(&[task, &person, &output].concat()))
    }
}

/// What one client dumped of what another one sent.
struct Received {
    /// The pictures of the size that was shown most.
    pictures: Pictures,
    /// A row for each picture.
    rows: Vec<Row>,
    sound: Wave,
}

/// Reads the dumps that `by` made of `of`, and compares the files with the report.
fn read_dumps(folder: &TempFolder, by: &str, of: &str) -> Received {
    let report = Report::read(&folder.path(&format!("{by}.json")));
    check_report(&report, by, of);
    let all = clip::shown(&folder.path(by), of);
    clip::check_order(&all);
    assert_eq!(
        report.video(of).count("/frames_shown"),
        to_u64(all.len()),
        "the CSV files have not one line for each shown picture"
    );
    let read = |stem: String| {
        let (path, rows) = (format!("{stem}.y4m"), clip::rows(&stem));
        probe(&path, "rawvideo");
        let pictures = Pictures::read(&path);
        assert_eq!(pictures.frames.len(), rows.len(), "{path}: the numbers of pictures and lines differ");
        (pictures, rows)
    };
    let sizes = clip::dumps(&folder.path(by), of).into_iter().map(read);
    let (pictures, rows) = sizes.max_by_key(|(_, rows)| rows.len()).expect("a dump");
    let (video, size) = (report.video(of), (to_u64(pictures.width), to_u64(pictures.height)));
    assert_eq!((video.count("/layer/width"), video.count("/layer/height")), size);
    let speaker = folder.path(&format!("{by}/speaker.wav"));
    let sound = Wave::read(&speaker);
    assert!(sound.rate == 48_000 && sound.seconds() > 3.0, "{} s", sound.seconds());
    let power = sound.samples.iter().map(|sample| sample * sample).sum::<f64>() / to_f64(sound.samples.len());
    assert!(power > 1e-5, "the speaker was silent: {power:e}");
    probe(&speaker, "pcm_");
    Received { pictures, rows, sound }
}

/// Asserts that every documented field is in the report, with a plausible value.
fn check_report(report: &Report, by: &str, of: &str) {
    assert_eq!(report.text("/participants/0/name"), by);
    assert!(report.count("/participants/0/join_ms") < 5_000);
    let first = ["p50", "p95"].map(|part| report.count(&format!("/participants/0/first_frame_ms/{part}")));
    assert!(first[0] <= first[1] && first[1] < 10_000, "{first:?}");
    assert!(report.number("/participants/0/cpu_ms_per_shown_frame") > 0.0);
    assert!((5..2_000).contains(&report.count("/participants/0/rss_mb")));
    let video = report.video(of);
    let (sent, shown) = (video.count("/frames_sent"), video.count("/frames_shown"));
    assert!(shown >= 60 && shown <= sent && 10 * shown >= 9 * sent, "{shown} of {sent}");
    assert!(video.count("/layer/spatial") <= 2);
    assert!(video.count("/freezes") <= 2, "{}", video.count("/freezes"));
    let latency = ["p50", "p95"].map(|part| video.count(&format!("/latency_ms/{part}")));
    assert!(latency[0] <= latency[1] && latency[1] < 1_000, "{latency:?}");
    let audio = report.audio(of);
    let (sent, played) = (audio.count("/packets_sent"), audio.count("/packets_played"));
    assert!(played >= 50 && 10 * played >= 9 * sent, "{played} of {sent}");
    let (concealed, talk) = (audio.count("/concealed_ms"), audio.count("/talk_ms"));
    assert!(20 * concealed < talk.max(1_000), "{concealed} of {talk} ms");
    assert!(report.text("/e2ee/suite").contains("MLKEM768X25519"));
    assert!(report.count("/e2ee/epochs") >= 1 && report.count("/e2ee/opened") >= shown);
    assert_eq!((report.count("/e2ee/failed_to_open"), report.count("/e2ee/replayed")), (0, 0));
    assert!(report.count("/sfu/packets_in") > 0 && report.count("/sfu/packets_out") > 0);
    // Only the presence is checked here: tiles do not change.
    report.count("/sfu/layers_stopped");
}

/// Checks a file with ffprobe, if it is installed.
fn probe(path: &str, codec: &str) {
    let entries = ["-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", path];
    let Ok(output) = Command::new("ffprobe").args(entries).output() else { return };
    let (codec_name, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success() && errors.is_empty() && codec_name.starts_with(codec),
        "{path}: {codec_name} {errors}"
    );
}

fn asset(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/assets/demo").join(name);
    path.into_os_string().into_string().expect("the repository's path is Unicode")
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).expect("a small number")
}

fn to_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).expect("a small number"))
}

#[test]
fn meetings_of_the_command_line_are_listed_by_the_window_while_they_can_be_joined() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("recent"));
    let start = |name: &str, task: &[&str], more: &[&str]| {
        let options = ["--headless", "--name", name, "--camera", "off", "--microphone", "off", "--speaker", "off"];
        let mut command = client(&[task, &options, more].concat());
        command.env("XDG_STATE_HOME", folder.path(name));
        Program::start(name, command)
    };
    let list = |name: &str| std::fs::read_to_string(folder.path(&format!("{name}/conclave/recent.json"))).ok();
    let anne = start("Anne", &["meet"], &[]);
    let link = anne.first_line();
    until(TIMEOUT, "the meeting is listed", || list("Anne").is_some_and(|text| text.contains(&link)));
    let bob = start("Bob", &["join", &link], &["--for", "1"]);
    let carol = start("Carol", &["join", &link], &["--for", "1", "--no-recent"]);
    bob.end(TIMEOUT).assert_success();
    carol.end(TIMEOUT).assert_success();
    let listed = list("Bob").expect("Bob's list");
    assert!(listed.contains(&link) && listed.contains("Anne"), "{listed}");
    assert_eq!(list("Carol"), None);
    anne.leave().assert_success();
    let left = list("Anne").expect("Anne's list");
    assert!(!left.contains(&link), "its server has stopped: {left}");
}
