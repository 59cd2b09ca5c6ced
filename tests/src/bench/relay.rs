//! Measures SFUs that run on real sockets: how many packets per second a core forwards, and how late sound arrives. Our server
//! and Janus get the same clients with the same load, one after the other.

mod janus;
mod native;

use super::row::{Comparison, Row, median};
use crate::sfu::Client;
use anyhow::{Context, Result, ensure};
use proto::SpatialLayer;
use std::net::{IpAddr, UdpSocket};
use std::time::{Duration, Instant};

/// Measures all rows. Without Janus, only the delay is measured, and compared with its limit.
///
/// # Errors
/// Returns an error if a client does not connect.
pub fn rows(with_janus: bool) -> Result<Vec<Row>> {
    let installed = with_janus && janus::is_installed();
    if with_janus && !installed {
        eprintln!("Janus is not installed (Debian: apt-get install janus): no row compares with it");
    }
    let (mut own, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        own.push(native::measure()?);
        if installed {
            peer.push(janus::measure()?);
        }
    }
    let speed = |all: &[Figures]| median(all.iter().map(|figures| figures.packets_per_second).collect());
    let delay = |all: &[Figures]| median(all.iter().map(|figures| figures.delay_ms).collect());
    let limit = Comparison { subject: delay(&own), peer: MAX_DELAY_MS, runs: RUNS };
    let mut rows = vec![Row::at_most("sound through the server, 99th percentile", "ms", "limit", limit, 1.0)];
    if installed {
        let speeds = Comparison { subject: speed(&own), peer: speed(&peer), runs: RUNS };
        rows.push(Row::at_least("forwarded, 20 receivers, real sockets", "packets/s/core", "Janus", speeds, 3.0));
        let delays = Comparison { subject: delay(&own), peer: delay(&peer), runs: RUNS };
        rows.push(Row::at_most("sound through the server, 99th percentile", "ms", "Janus", delays, 1.0));
    }
    Ok(rows)
}

/// The measurements of one SFU.
#[derive(Clone, Copy, Debug)]
struct Figures {
    /// Packets that arrived at the receivers, for each second of CPU time of the SFU.
    packets_per_second: f64,
    /// The 99th percentile of the time from a client that speaks to a client that hears, in milliseconds.
    delay_ms: f64,
}

/// A client with its socket.
struct Participant {
    client: Client,
    socket: UdpSocket,
}

impl Participant {
    fn new(ip: IpAddr) -> Result<Self> {
        let socket = UdpSocket::bind((ip, 0))?;
        socket.set_nonblocking(true)?;
        Ok(Self { client: Client::new(socket.local_addr()?, Instant::now()), socket })
    }

    /// Passes datagrams between the client and its socket.
    fn pump(&mut self) {
        let mut buffer = [0; 2_000];
        while let Ok((length, source)) = self.socket.recv_from(&mut buffer) {
            self.client.handle_datagram(source, &buffer[..length], Instant::now());
        }
        for (destination, bytes) in self.client.poll(Instant::now()) {
            // The system may refuse a candidate that has no route from this socket.
            let _ = self.socket.send_to(&bytes, destination);
        }
    }
}

/// Runs until all clients are connected, lets them exchange media, and measures. The first one sends. `cpu` returns the CPU time
/// of the SFU; `pump` passes signals every tenth of a second.
fn exchange(
    participants: &mut [Participant],
    cpu: impl Fn() -> Result<Duration>,
    mut pump: impl FnMut(&mut [Participant]),
) -> Result<Figures> {
    let start = Instant::now();
    while !participants.iter().all(|participant| participant.client.connected()) {
        ensure!(start.elapsed() < CONNECT_TIMEOUT, "the clients do not connect");
        participants.iter_mut().for_each(Participant::pump);
        pump(participants);
        std::thread::park_timeout(PAUSE);
    }
    run(participants, WARM_UP, &mut pump);
    for participant in &mut *participants {
        participant.client.received.clear();
        participant.client.sound.clear();
    }
    let before = cpu()?;
    run(participants, LENGTH, &mut pump);
    let used = cpu()?.saturating_sub(before);
    let heard = |participant: &Participant| participant.client.received.len() + participant.client.sound.len();
    let packets: usize = participants.iter().map(heard).sum();
    let expected = participants.len() * MIN_PACKETS;
    ensure!(packets > expected, "only {packets} of more than {expected} packets arrived");
    let packets = u32::try_from(packets)?;
    Ok(Figures { packets_per_second: f64::from(packets) / used.as_secs_f64(), delay_ms: delay_ms(participants)? })
}

/// Sends pictures and sound for `length`.
fn run(participants: &mut [Participant], length: Duration, pump: &mut impl FnMut(&mut [Participant])) {
    let end = Instant::now() + length;
    let (mut frame, mut sound, mut signals) = (Instant::now(), Instant::now(), Instant::now());
    while Instant::now() < end {
        let now = Instant::now();
        if frame <= now {
            participants[0].client.send_frame(now);
            frame += FRAME;
        }
        if sound <= now {
            participants[0].client.speak(now);
            sound += SOUND;
        }
        if signals <= now {
            pump(participants);
            signals = now + SIGNALS;
        }
        participants.iter_mut().for_each(Participant::pump);
        std::thread::park_timeout(PAUSE);
    }
}

fn delay_ms(participants: &[Participant]) -> Result<f64> {
    let spoken = participants[0].client.spoken();
    let heard = participants.iter().flat_map(|participant| &participant.client.sound);
    let delay = |(number, at): &(u32, Instant)| Some(at.saturating_duration_since(*spoken.get(*number as usize)?));
    let mut delays: Vec<Duration> = heard.filter_map(delay).collect();
    delays.sort();
    let percentile = delays.get(delays.len() * 99 / 100).context("no sound arrived")?;
    Ok(percentile.as_secs_f64() * 1_000.0)
}

/// Returns the CPU time of the threads of a process whose names `counts` accepts.
fn cpu_time(process: &str, counts: impl Fn(&str) -> bool) -> Result<Duration> {
    let mut nanoseconds = 0_u64;
    for task in std::fs::read_dir(format!("/proc/{process}/task"))? {
        let folder = task?.path();
        // A thread may have ended since.
        let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap_or_default();
        if counts(read("comm").trim()) {
            nanoseconds += read("schedstat").split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0);
        }
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// The only layer that the camera sends.
const LAYER: SpatialLayer = SpatialLayer { spatial: 0, width: 1_280, height: 720, bitrate: 1_500_000 };

const RECEIVERS: usize = 20;
const RUNS: usize = 3;

/// How long each run is measured, and how long media flow before.
const LENGTH: Duration = Duration::from_secs(3);
const WARM_UP: Duration = Duration::from_millis(2_500);

/// The minimum number of packets that each client receives. Six packets of each frame and the sound are about 690.
const MIN_PACKETS: usize = 400;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
const FRAME: Duration = Duration::from_micros(33_333);
const SOUND: Duration = Duration::from_millis(20);
const SIGNALS: Duration = Duration::from_millis(100);

/// The pause between two checks for datagrams.
const PAUSE: Duration = Duration::from_micros(300);

/// The limit of the delay.
const MAX_DELAY_MS: f64 = 2.0;
