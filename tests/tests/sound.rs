//! Sound from end to end in real time: WAV files through two engines, and a real sound server with null sinks.

#![expect(clippy::unwrap_used, reason = "tests")]

use audio::device::{self, Choice};
use audio::{Config, Direction, Engine, PlayoutTime, Remote, Statistics, Warning};
use media::{BufferPool, Clock, EncodedAudio};
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};
use tests::compare;
use tests::temp_folder::TempFolder;

/// The variable that names the sound server's folder in a child process, see [`run_in`].
const CHILD: &str = "CONCLAVE_SOUND_TEST";

fn voice(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/assets/demo/voices").join(name)
}

fn start(microphone: Choice, speaker: Choice, uplink: audio::Send) -> (Engine, Vec<Warning>) {
    let (provider, clock, pool) = (device::Provider::default(), Clock::default(), BufferPool::new(64));
    let engine = Engine::start(Config { microphone, speaker, provider, clock, pool, uplink });
    engine.wait_until_open(Duration::from_secs(5));
    let warnings = engine.take_warnings();
    (engine, warnings)
}

fn discard() -> audio::Send {
    Box::new(drop)
}

/// Starts an engine that only plays one remote.
fn start_receiver(speaker: Choice) -> (Engine, Remote) {
    let (engine, warnings) = start(Choice::Off, speaker, discard());
    assert!(warnings.is_empty(), "{warnings:?}");
    let remote = engine.add_remote(1, PlayoutTime::default());
    (engine, remote)
}

/// Starts an engine that only records. A packet goes to `remote` if `passes` returns true for it. The returned channel gets
/// the position of each packet.
fn start_sender(
    microphone: Choice,
    remote: Remote,
    mut passes: impl FnMut(&EncodedAudio) -> bool + Send + 'static,
) -> (Engine, Receiver<u64>) {
    let (positions, received) = sync_channel(10_000);
    let uplink = Box::new(move |packet: EncodedAudio| {
        // Fails if the test does not read any more.
        positions.try_send(packet.position).ok();
        if passes(&packet) {
            remote.push(packet);
        }
    });
    let (engine, warnings) = start(microphone, Choice::Off, uplink);
    assert!(warnings.is_empty(), "{warnings:?}");
    (engine, received)
}

/// Waits until the sender's timeline has passed `seconds`, pauses included. Each packet advances the timeline.
fn until(position: &Receiver<u64>, seconds: u64) {
    let deadline = Instant::now() + Duration::from_secs(seconds + 20);
    while position.recv_timeout(deadline - Instant::now()).unwrap() < seconds * 48_000 {}
}

/// Waits until `wanted` returns a value. Calls it after each packet.
fn wait_for<T>(position: &Receiver<u64>, mut wanted: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        if let Some(found) = wanted() {
            return found;
        }
        position.recv_timeout(deadline - Instant::now()).unwrap();
    }
}

fn concealed_percent(statistics: Statistics) -> f64 {
    f64::from(u32::try_from(statistics.concealed_ms).unwrap()) * 100.0
        / f64::from(u32::try_from(statistics.talk_ms.max(1)).unwrap())
}

#[test]
fn a_voice_arrives_complete_and_intelligible() {
    let scratch = TempFolder::new("sound-whole");
    let played = scratch.join("speaker.wav");
    let (receiver, remote) = start_receiver(Choice::File(played.clone()));
    let (sender, position) = start_sender(Choice::File(voice("anne.wav")), remote, |_| true);
    until(&position, 10);
    drop(sender);
    let statistics = receiver.statistics(1).unwrap();
    drop(receiver);
    let similarity =
        compare::voices(&device::read_wav(&voice("anne.wav")).unwrap(), &device::read_wav(&played).unwrap());
    println!("files: {similarity:?}, {statistics:?}");
    assert!(similarity.unwrap().score > 0.75, "{similarity:?}");
    assert!(concealed_percent(statistics) < 5.0, "{statistics:?}");
    assert!(statistics.packets_played > 150, "{statistics:?}");
    assert_eq!(statistics.packets_discarded, 0, "{statistics:?}");
}

#[test]
fn a_voice_is_intelligible_if_every_tenth_packet_is_lost() {
    let scratch = TempFolder::new("sound-lossy");
    let played = scratch.join("speaker.wav");
    let (receiver, remote) = start_receiver(Choice::File(played.clone()));
    let mut number = 0u32;
    let lossy = move |_: &EncodedAudio| {
        number += 1;
        !number.is_multiple_of(10)
    };
    let (sender, position) = start_sender(Choice::File(voice("bob.wav")), remote, lossy);
    until(&position, 12);
    drop(sender);
    let statistics = receiver.statistics(1).unwrap();
    drop(receiver);
    let similarity =
        compare::voices(&device::read_wav(&voice("bob.wav")).unwrap(), &device::read_wav(&played).unwrap());
    println!("10 % loss: {similarity:?}, {statistics:?}");
    assert!(similarity.unwrap().score > 0.7, "{similarity:?}");
    // Most lost packets are restored from FEC copies. The others had no copy, or were lost before the buffer waited for
    // copies.
    assert!(statistics.recovered_ms > statistics.concealed_ms, "the copies are used: {statistics:?}");
    assert!(concealed_percent(statistics) < 10.0, "{statistics:?}");
}

#[test]
fn a_muted_microphone_sends_nothing() {
    let (_clock_engine, clock) =
        start_sender(Choice::File(voice("carol.wav")), start_receiver(Choice::Off).1, |_| true);
    let (muted, packets) = start_sender(Choice::File(voice("anne.wav")), start_receiver(Choice::Off).1, |_| true);
    until(&packets, 1);
    muted.set_muted(true);
    let before = packets.try_iter().count();
    until(&clock, 4);
    assert_eq!(packets.try_iter().count(), 0, "after {before} packets before the mute");
    muted.set_muted(false);
    // The timeline continued, so nothing that was recorded while muted is sent later.
    let next = packets.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(next > 3 * 48_000, "position {next}");
}

#[test]
fn speech_and_silence_are_reported() {
    let (receiver, remote) = start_receiver(Choice::Off);
    let (sender, position) = start_sender(Choice::File(voice("anne.wav")), remote, |_| true);
    let levels = wait_for(&position, || Some(sender.levels()).filter(|levels| levels.speaking));
    assert!(levels.microphone.minus_dbov() < 50, "{levels:?}");
    let heard =
        wait_for(&position, || Some(receiver.levels()).filter(|levels| levels.remotes.iter().any(|remote| remote.2)));
    assert_eq!(heard.remotes[0].0, 1);
    wait_for(&position, || Some(sender.levels()).filter(|levels| !levels.speaking));
    wait_for(&position, || Some(receiver.levels()).filter(|levels| levels.remotes.iter().all(|remote| !remote.2)));
    receiver.remove_remote(1);
    wait_for(&position, || receiver.statistics(1).is_none().then_some(()));
}

#[test]
fn without_devices_the_meeting_continues_with_warnings() {
    let absent = || Choice::Device("missing device".to_owned());
    let (receiver, warnings) = start(absent(), absent(), Box::new(|_| panic!("nothing to send")));
    let unavailable = |direction| {
        let is_of_direction =
            |warning: &Warning| matches!(warning, Warning::Unavailable { direction: of, .. } if *of == direction);
        warnings.iter().any(is_of_direction)
    };
    assert!(unavailable(Direction::Microphone) && unavailable(Direction::Speaker), "{warnings:?}");
    let remote = receiver.add_remote(7, PlayoutTime::default());
    let (_sender, position) = start_sender(Choice::File(voice("david.wav")), remote, |_| true);
    until(&position, 4);
    assert!(receiver.statistics(7).unwrap().packets_played > 20, "{:?}", receiver.statistics(7));
}

#[test]
fn another_microphone_can_be_selected_in_the_meeting() {
    let scratch = TempFolder::new("sound-choice");
    std::fs::write(scratch.join("broken.wav"), b"RIFF, but then nothing").unwrap();
    let (receiver, remote) = start_receiver(Choice::Off);
    let (sender, position) = start_sender(Choice::File(voice("anne.wav")), remote, |_| true);
    until(&position, 1);
    sender.set_microphone(Choice::File(scratch.join("broken.wav")));
    // This engine sends nothing now, so the test waits by the packets of another engine.
    let (_clock_engine, clock) =
        start_sender(Choice::File(voice("carol.wav")), start_receiver(Choice::Off).1, |_| true);
    let warnings = wait_for(&clock, || Some(sender.take_warnings()).filter(|warnings| !warnings.is_empty()));
    assert!(matches!(warnings[0], Warning::Unavailable { error: device::Error::Read { .. }, .. }), "{warnings:?}");
    let before = receiver.statistics(1).unwrap().packets_played;
    sender.set_microphone(Choice::File(voice("bob.wav")));
    wait_for(&clock, || (receiver.statistics(1)?.packets_played > before + 50).then_some(()));
}

/// A sound server for one test. Drop kills it. It uses the folder in the environment, see [`in_folder`].
struct SoundServer(Child);

impl SoundServer {
    fn start() -> Self {
        let server = Self::start_with(&[
            "module-native-protocol-unix",
            "module-null-sink sink_name=spk rate=48000 sink_properties=device.description=TestSpeaker",
            "module-null-sink sink_name=other rate=44100 sink_properties=device.description=OtherSpeaker",
            "module-null-sink sink_name=feed rate=48000 sink_properties=device.description=Feed",
            "module-remap-source master=feed.monitor source_name=mic source_properties=device.description=TestMic",
        ]);
        control(&["set-default-sink", "other"]).unwrap();
        control(&["set-default-source", "mic"]).unwrap();
        server
    }

    /// Starts a server with these modules. Waits until it answers.
    fn start_with(modules: &[&str]) -> Self {
        let mut command = Command::new("pulseaudio");
        command.args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=no", "--use-pid-file=no"]);
        for module in modules {
            command.args(["-L", module]);
        }
        // Otherwise the server would act as a client of another one.
        command.env_remove("PULSE_SERVER").stdout(Stdio::null()).stderr(Stdio::null());
        let server = Self(command.spawn().unwrap());
        let deadline = Instant::now() + Duration::from_secs(15);
        while control(&["info"]).is_none() {
            assert!(Instant::now() < deadline, "the sound server does not answer");
            std::thread::yield_now();
        }
        server
    }
}

impl Drop for SoundServer {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Returns the answer of the sound server. Returns `None` if it refuses the command or does not run.
fn control(arguments: &[&str]) -> Option<String> {
    let output = Command::new("pactl").args(arguments).output().unwrap();
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Sets the environment so that a program uses only the sound server of `folder`.
fn in_folder<'a>(command: &'a mut Command, folder: &Path) -> &'a mut Command {
    let socket = format!("unix:{}", folder.join("pulse/native").display());
    command.env("XDG_RUNTIME_DIR", folder).env("HOME", folder).env("PULSE_SERVER", socket);
    command.env_remove("PULSE_RUNTIME_PATH").env_remove("XDG_CONFIG_HOME").env(CHILD, folder)
}

/// Runs one test of this file in a child process with its own environment. A process cannot safely change its own.
fn run_in(folder: &Path, test: &str, environment: &[(&str, &Path)]) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    in_folder(child.args(["--exact", test, "--nocapture"]), folder).envs(environment.iter().copied());
    let output = child.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    println!("{stdout}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && stdout.contains("child: done"));
}

/// Neither the sound server nor ALSA has a device.
#[test]
fn an_engine_starts_with_warnings_on_a_machine_without_sound() {
    let folder = TempFolder::new("sound-none");
    std::fs::write(folder.join("asound.conf"), "").unwrap();
    run_in(
        &folder,
        "an_engine_starts_with_warnings_on_a_machine_without_sound_child",
        &[("ALSA_CONFIG_PATH", &folder.join("asound.conf"))],
    );
}

#[test]
fn an_engine_starts_with_warnings_on_a_machine_without_sound_child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let (receiver, warnings) = start(Choice::Default, Choice::Default, discard());
    let unavailable = |warning: &Warning| matches!(warning, Warning::Unavailable { .. });
    assert!(warnings.len() == 2 && warnings.iter().all(unavailable), "{warnings:?}");
    drop(receiver);
    assert_eq!((device::microphones(), device::speakers()), (Vec::new(), Vec::new()));
    println!("child: done");
}

/// Returns false and prints a line if a program of the tests with a sound server is not installed.
fn has_sound_server() -> bool {
    let missing = ["pulseaudio", "pactl", "parec"]
        .into_iter()
        .find(|program| Command::new(program).arg("--version").output().is_err());
    if let Some(missing) = missing {
        println!("skipped: {missing} is not installed");
    }
    missing.is_none()
}

#[test]
fn sound_passes_through_a_sound_server() {
    if !has_sound_server() {
        return;
    }
    run_in(&TempFolder::new("sound-server"), "sound_passes_through_a_sound_server_child", &[]);
}

#[test]
fn sound_passes_through_a_sound_server_child() {
    let Some(folder) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let server = SoundServer::start();
    devices_have_names();
    a_new_device_is_listed();
    a_voice_goes_through_two_devices(&folder);
    devices_rest_while_nobody_else_is_there();
    a_speaker_is_unplugged();
    the_server_restarts(server);
    println!("child: done");
}

fn devices_have_names() {
    let names = |list: Vec<device::Info>| list.into_iter().map(|info| (info.name, info.default)).collect::<Vec<_>>();
    assert_eq!(names(device::microphones()), [("TestMic".to_owned(), true)], "monitors are not microphones");
    let speakers = names(device::speakers());
    assert!(speakers.contains(&("TestSpeaker".to_owned(), false)), "{speakers:?}");
    assert!(speakers.contains(&("OtherSpeaker".to_owned(), true)), "{speakers:?}");
}

/// One connection lists a device that is plugged in, and not one that is unplugged.
fn a_new_device_is_listed() {
    let mut lister = device::Lister::default();
    let mut has = |name: &str| lister.list().map(|list| list.iter().any(|info| info.name == name));
    assert_eq!(has("Headset"), [false, false]);
    let headset = "sink_properties=device.description=Headset";
    let module = control(&["load-module", "module-null-sink", "sink_name=headset", headset]).unwrap();
    assert_eq!(has("Headset"), [false, true]);
    control(&["unload-module", module.trim()]).unwrap();
    assert_eq!(has("Headset"), [false, false]);
}

/// A file is played into the virtual microphone. One engine records it, another plays it on the virtual speaker, whose
/// monitor is recorded.
fn a_voice_goes_through_two_devices(folder: &Path) {
    let recorded = folder.join("recorded.wav");
    let mut parec = Command::new("parec")
        .args(["--device=spk.monitor", "--rate=48000", "--channels=1", "--file-format=wav"])
        .arg(&recorded)
        .spawn()
        .unwrap();
    let (feed_player, remote) = start_receiver(Choice::Device("Feed".to_owned()));
    let (_feed_sender, position) = start_sender(Choice::File(voice("anne.wav")), remote, |_| true);
    let (receiver, remote) = start_receiver(Choice::Device("TestSpeaker".to_owned()));
    let (sender, packets) = start_sender(Choice::Default, remote, |_| true);
    until(&position, 26);
    let statistics = receiver.statistics(1).unwrap();
    println!("{:?}\n{:?}\n{:?}", feed_player.devices(), sender.devices(), receiver.devices());
    drop((sender, receiver));
    assert!(packets.try_iter().count() > 100);
    // SIGTERM lets parec finish its file.
    assert!(Command::new("kill").arg(parec.id().to_string()).status().unwrap().success());
    parec.wait().unwrap();
    let (sent, played) = (device::read_wav(&voice("anne.wav")).unwrap(), device::read_wav(&recorded).unwrap());
    // In the first seconds, noise suppression and gain control adapt. Each repetition of the file is compared alone, because a
    // device that is late by a moment shifts all later sound.
    let repetitions = played[4 * 48_000..].chunks_exact(sent.len());
    let similarities: Vec<_> = repetitions.filter_map(|played| compare::voices(&sent, played)).collect();
    println!("devices: {similarities:?}, {statistics:?}");
    let compared: Duration = similarities.iter().map(|similarity| similarity.compared).sum();
    let sum: f32 = similarities.iter().map(|similarity| similarity.score * similarity.compared.as_secs_f32()).sum();
    // On a busy machine, half a second may be disturbed although no packet is missing.
    assert!(compared >= Duration::from_secs(3), "{similarities:?}");
    assert!(sum / compared.as_secs_f32() > 0.75, "{similarities:?}");
    assert!(concealed_percent(statistics) < 10.0, "{statistics:?}");
}

/// Alone, the speaker is paused and the microphone recorded in longer pieces. With others, sound is heard again.
fn devices_rest_while_nobody_else_is_there() {
    let (engine, warnings) = start(Choice::Default, Choice::Device("TestSpeaker".to_owned()), discard());
    assert!(warnings.is_empty(), "{warnings:?}");
    let remote = engine.add_remote(1, PlayoutTime::default());
    let (_sender, position) = start_sender(Choice::File(voice("carol.wav")), remote, |_| true);
    let paused = || Some(control(&["list", "sink-inputs"])?.contains("Corked: yes"));
    for alone in [true, false, true, false] {
        engine.set_alone(alone);
        let pieces = if alone { "50000" } else { "10000" };
        wait_for(&position, || (paused()? == alone && microphone_latency()? == pieces).then_some(()));
    }
    expect_sound(&engine, &position);
    let warnings = engine.take_warnings();
    assert!(warnings.is_empty(), "{warnings:?}");
}

/// Returns the latency in microseconds that the recording programs request from the microphone.
fn microphone_latency() -> Option<String> {
    let sources = control(&["list", "sources"])?;
    let (_, microphone) = sources.split_once("Name: mic\n")?;
    let (_, latency) = microphone.split_once("configured ")?;
    latency.split(' ').next().map(str::to_owned)
}

/// The server moves the stream to another speaker, or ends it and the engine opens another one. The sound continues.
fn a_speaker_is_unplugged() {
    let (receiver, remote) = start_receiver(Choice::Device("TestSpeaker".to_owned()));
    let (_sender, position) = start_sender(Choice::File(voice("bob.wav")), remote, |_| true);
    until(&position, 1);
    let modules = control(&["list", "short", "modules"]).unwrap();
    let module = modules.lines().find(|line| line.contains("sink_name=spk")).unwrap();
    control(&["unload-module", module.split('\t').next().unwrap()]).unwrap();
    expect_sound(&receiver, &position);
    wait_for(&position, || control(&["list", "sink-inputs"]).filter(|list| list.contains("Sink: ")));
}

/// The devices of a virtual desktop: a null sink and its monitor. They may call back only every two seconds.
#[test]
fn the_null_devices_of_a_virtual_desktop_are_not_taken_for_dead() {
    if !has_sound_server() {
        return;
    }
    run_in(&TempFolder::new("sound-slow"), "the_null_devices_of_a_virtual_desktop_are_not_taken_for_dead_child", &[]);
}

#[test]
fn the_null_devices_of_a_virtual_desktop_are_not_taken_for_dead_child() {
    let Some(_) = std::env::var_os(CHILD) else { return };
    let _server = SoundServer::start_with(&["module-native-protocol-unix", "module-always-sink"]);
    let (engine, warnings) = start(Choice::Default, Choice::Default, discard());
    assert!(warnings.is_empty(), "{warnings:?}");
    println!("{:?}", engine.devices());
    let remote = engine.add_remote(1, PlayoutTime::default());
    let (_sender, position) = start_sender(Choice::File(voice("bob.wav")), remote, |_| true);
    until(&position, 14);
    let warnings = engine.take_warnings();
    println!("{warnings:?} {:?} {:?}", engine.devices(), engine.statistics(1));
    assert!(warnings.is_empty(), "{warnings:?}");
    println!("child: done");
}

/// Without the server's cookie, a program is refused. That is not a computer without a microphone.
#[test]
fn a_sound_server_that_refuses_this_program_is_reported_as_such() {
    let folder = TempFolder::new("sound-cookie");
    std::fs::write(folder.join("asound.conf"), "").unwrap();
    run_in(
        &folder,
        "a_sound_server_that_refuses_this_program_is_reported_as_such_child",
        &[("ALSA_CONFIG_PATH", &folder.join("asound.conf"))],
    );
}

#[test]
fn a_sound_server_that_refuses_this_program_is_reported_as_such_child() {
    let Some(folder) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    if std::fs::read_to_string("/proc/asound/cards").is_ok_and(|cards| cards.contains("]: ")) {
        println!("skipped: ALSA has a card");
        println!("child: done");
        return;
    }
    std::fs::create_dir_all(folder.join("pulse")).unwrap();
    let listener = UnixListener::bind(folder.join("pulse/native")).unwrap();
    // Ends with the process.
    let closes = Arc::new(AtomicBool::new(true));
    let without_answer = Arc::clone(&closes);
    let serve = move || {
        for client in listener.incoming().flatten() {
            // Without a cookie, the server closes the connection. With a wrong one, it answers.
            if without_answer.load(Ordering::Acquire) { drop(client) } else { refuse(client) }
        }
    };
    let _server = std::thread::Builder::new().spawn(serve).unwrap();
    let refused =
        |warning: &Warning| matches!(warning, Warning::Unavailable { error: device::Error::ServerRefused, .. });
    for without_cookie in [true, false] {
        closes.store(without_cookie, Ordering::Release);
        let (engine, warnings) = start(Choice::Default, Choice::Default, discard());
        drop(engine);
        assert!(warnings.len() == 2 && warnings.iter().all(refused), "{warnings:?}");
    }
    assert_eq!((device::microphones(), device::speakers()), (Vec::new(), Vec::new()));
    println!("child: done");
}

/// Answers the first message of a client as PulseAudio does if the cookie is wrong: `PA_COMMAND_ERROR` with
/// `PA_ERR_ACCESS`.
fn refuse(mut client: UnixStream) {
    let mut header = [0; 20];
    if client.read_exact(&mut header).is_err() {
        return;
    }
    let length = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
    let mut auth = vec![0; length.min(4_096) as usize];
    let read = client.read_exact(&mut auth);
    let words = [0, 0, 1].into_iter().flat_map(|word: u32| [vec![b'L'], word.to_be_bytes().to_vec()].concat());
    let words: Vec<u8> = words.collect();
    let descriptor = [u32::try_from(words.len()).unwrap(), u32::MAX, 0, 0, 0];
    let message = [descriptor.into_iter().flat_map(u32::to_be_bytes).collect(), words].concat();
    read.and_then(|()| client.write_all(&message)).unwrap();
}

fn the_server_restarts(server: SoundServer) {
    let (receiver, remote) = start_receiver(Choice::Default);
    let (_sender, position) = start_sender(Choice::File(voice("bob.wav")), remote, |_| true);
    let mut lister = device::Lister::default();
    assert!(!lister.list()[1].is_empty());
    until(&position, 1);
    drop(server);
    let mut seen = Vec::new();
    wait_for(&position, || {
        seen.extend(receiver.take_warnings());
        (!seen.is_empty()).then_some(())
    });
    assert!(matches!(&seen[0], Warning::Lost { device, .. } if device == "OtherSpeaker"), "{seen:?}");
    expect_sound(&receiver, &position);
    let _server = SoundServer::start();
    wait_for(&position, || {
        seen.extend(receiver.take_warnings());
        (seen.len() > 1).then_some(())
    });
    assert!(matches!(&seen[1], Warning::Replaced { device, .. } if device == "OtherSpeaker"), "{seen:?}");
    assert!(!lister.list()[1].is_empty(), "it connects to the new server");
    expect_sound(&receiver, &position);
}

fn expect_sound(receiver: &Engine, position: &Receiver<u64>) {
    let before = receiver.statistics(1).unwrap().packets_played;
    wait_for(position, || (receiver.statistics(1)?.packets_played > before + 20).then_some(()));
}
