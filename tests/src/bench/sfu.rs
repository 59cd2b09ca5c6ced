//! Measures how many packets a core forwards, and the time from joining to the first picture.

use super::forward::{Load, forward};
use super::row::{Comparison, Row, compare, median};
use anyhow::{Context, Result, bail};
use engine::{
    AudioChoice, Choice, Command, Engine, Entry, Event, Identity, NullOutput, Setup, Slot, TileWish, TrackId,
};
use server::{Config, Server};
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Measures all rows of the group `sfu`. With `janus`, the SFU Janus is measured beside ours if it is installed.
///
/// # Errors
/// Returns an error if a socket, a server or a meeting does not start.
pub fn rows(janus: bool) -> Result<Vec<Row>> {
    let load = Load { receivers: 10, length: Duration::from_secs(3) };
    forward(&load)?;
    let subject = || forward(&load).map_or(0.0, |report| report.packets_per_second());
    let forwarded = compare(3, subject, || sent_bare().unwrap_or(f64::NAN));
    let joined = first_pictures()?;
    let mut rows = vec![
        Row::at_least(
            "forwarded by the SFU, SRTP in and out",
            "packets/s/core",
            "bare UDP sends, same size",
            forwarded,
            0.1,
        ),
        Row::at_most("join to first picture, two clients", "ms", "limit: one second", joined, 1.0),
    ];
    #[cfg(target_os = "linux")]
    rows.extend(super::relay::rows(janus)?);
    #[cfg(not(target_os = "linux"))]
    let _ = janus;
    Ok(rows)
}

/// Returns the number of packets of the same size that one core sends per second if it does nothing else.
fn sent_bare() -> Result<f64> {
    let (from, to) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    let address = to.local_addr()?;
    let packet = [0; 1_150];
    let mut sent = 0_u32;
    let ms = super::row::cpu_ms(|| {
        for _ in 0..50_000 {
            sent += u32::from(from.send_to(&packet, address).is_ok());
        }
    });
    Ok(f64::from(sent) / (ms / 1_000.0))
}

fn first_pictures() -> Result<Comparison> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let server = runtime.block_on(Server::start(Config::new("127.0.0.1:0".parse()?)))?;
    let address = server.address();
    let entry =
        Entry::Create { host: address.ip().to_string(), port: address.port(), fingerprint: Some(server.fingerprint()) };
    let (host, mut events) = enter(entry, "Host", Choice::Synthetic)?;
    let link = link(&mut events)?;
    let mut times = Vec::new();
    for run in 0..5 {
        times.push(first_picture(&link, &format!("Guest {run}"))?);
    }
    host.close();
    runtime.block_on(server.stop(Duration::from_secs(1)));
    Ok(Comparison { subject: median(times), peer: 1_000.0, runs: 5 })
}

/// Returns the milliseconds from the start of joining to the first picture of the host, keys and transport included.
fn first_picture(link: &str, name: &str) -> Result<f64> {
    let start = Instant::now();
    let (guest, mut events) = enter(Entry::Join(link.parse()?), name, Choice::Off)?;
    while start.elapsed() < Duration::from_secs(10) {
        if let Ok(Event::People(people)) = events.try_recv() {
            let cameras = people.iter().filter(|person| person.camera && !person.me);
            let wish = |owner| TileWish {
                track: TrackId { owner, slot: Slot::Camera },
                width: 640,
                height: 360,
                frames_per_second: 30,
                priority: 1,
                hidden: false,
            };
            guest.send(Command::SetWishes(cameras.map(|person| wish(person.id)).collect()))?;
        }
        if guest.stats().received().iter().any(|(_, counts)| counts.shown > 0) {
            return Ok(start.elapsed().as_secs_f64() * 1_000.0);
        }
        std::thread::yield_now();
    }
    bail!("{name} showed no picture within ten seconds")
}

fn link(events: &mut engine::Events) -> Result<String> {
    loop {
        let event = events.blocking_recv().context("the meeting ended")?;
        if let Event::Entered { link, .. } = event {
            return Ok(link.expose().to_owned());
        }
        if let Event::Ended(reason) = event {
            bail!("the meeting ended: {reason:?}");
        }
    }
}

fn enter(entry: Entry, name: &str, camera: Choice) -> Result<(Engine, engine::Events)> {
    let setup = Setup {
        name: name.into(),
        camera,
        microphone: AudioChoice::Off,
        speaker: AudioChoice::Off,
        screen: false,
        muted: true,
        chat_first: false,
        proxy: engine::ProxySettings::default(),
        bandwidth: engine::Bandwidth::default(),
        flags: engine::MeetingFlags::NONE,
    };
    Ok(Engine::start(entry, setup, Identity::generate()?, Arc::new(NullOutput))?)
}
