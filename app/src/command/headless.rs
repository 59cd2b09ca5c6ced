//! A meeting without a window: devices or files in, files and a report out.

use super::options::Client;
use super::sentences;
use super::stop::Stop;
use anyhow::{Context, Result, bail};
use app::Snapshot;
use app::locale::Language;
use app::theme::Choice;
use engine::quality_probe::{Evidence, QualityProbe};
use engine::report::Report;
use engine::usage::{self, Usage};
use engine::{
    AudioChoice, Command, Engine, Entry, Event, Events, Identity, Person, Reason, Setup, Slot, TileWish, TrackId,
};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Enters, stays until told to leave, and writes what was asked for.
///
/// # Errors
/// Where nothing could begin, a file cannot be written, or the meeting ends for another reason than our leaving.
pub fn run(entry: Entry, client: &Client, print_link: bool) -> Result<()> {
    let snapshot = client.picture.is_some().then(|| Snapshot::new(Language::of_system(), Choice::default()));
    let shown = snapshot.as_ref().map(Snapshot::screen);
    let witness = Arc::new(QualityProbe::new(shown, evidence(client)?, engine::clock::system()));
    // Without a window nobody sees whether a device is known, so each run is a device of its own.
    let identity = Identity::generate().context("this system gives no randomness")?;
    let (engine, events) = Engine::start(entry, setup(client)?, identity, Arc::clone(&witness) as _)?;
    let mut stay = Stay { engine, client, snapshot, print_link, leaving: None, exposure: None, usage: None };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let reason = runtime.block_on(async {
        let stop = Stop::listen().context("this system gives no signals")?;
        anyhow::Ok(stay.follow(events, stop).await)
    })?;
    let Stay { engine, usage, .. } = stay;
    let (stats, usage) = (engine.stats(), usage.or_else(usage::now));
    engine.close();
    let report = Report::of(&stats, &name(client), usage, &witness.qualities());
    write_report(client.report.as_deref(), &report)?;
    if reason != Reason::Left {
        bail!(sentences::reason(&reason));
    }
    Ok(())
}

/// What a client is made of, from the command line.
///
/// # Errors
/// Where the folder of a dump cannot be made.
pub fn setup(client: &Client) -> Result<Setup> {
    let speaker = match &client.dump {
        Some(folder) => {
            fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
            AudioChoice::File(folder.join("speaker.wav"))
        }
        None => client.speaker.clone(),
    };
    Ok(Setup {
        name: name(client),
        camera: client.camera.clone(),
        microphone: client.microphone.clone(),
        speaker,
        screen: client.screen,
        muted: false,
    })
}

/// What is to be kept, from the command line.
///
/// # Errors
/// Where a reference cannot be read.
pub fn evidence(client: &Client) -> Result<Evidence> {
    for (name, path) in &client.reference {
        fs::metadata(path).with_context(|| format!("cannot read {}, the source of {name}", path.display()))?;
    }
    Ok(Evidence { dump: client.dump.clone(), sources: client.reference.iter().cloned().collect() })
}

/// The name to be seen by: as told, else the system user's, else "Guest".
pub fn name(client: &Client) -> String {
    let system = || std::env::var("USER").or_else(|_| std::env::var("USERNAME")).ok();
    client.name.clone().or_else(system).unwrap_or_else(|| "Guest".into())
}

/// Writes `report` where one is asked for.
///
/// # Errors
/// Where the file cannot be written.
pub fn write_report(path: Option<&Path>, report: &Report) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    let json = serde_json::to_vec_pretty(report)?;
    fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))
}

struct Stay<'a> {
    engine: Engine,
    client: &'a Client,
    snapshot: Option<Snapshot>,
    print_link: bool,
    leaving: Option<Instant>,
    exposure: Option<Instant>,
    usage: Option<Usage>,
}

impl Stay<'_> {
    async fn follow(&mut self, mut events: Events, mut stop: Stop) -> Reason {
        let mut end: Option<Instant> = None;
        loop {
            // A moment that never comes stands for "no deadline".
            let due = self.leaving.or(end).unwrap_or_else(|| Instant::now() + Duration::from_hours(24));
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) if self.film_hears(&event) => {}
                    Some(Event::Entered { link, .. }) => {
                        self.entered(&link);
                        end = self.client.duration.map(|duration| Instant::now() + duration);
                        self.exposure = self.client.duration.map(|duration| Instant::now() + exposure(duration));
                    }
                    Some(Event::Ended(reason)) => return reason,
                    Some(event) => self.hear(event),
                    None => return Reason::Here("the meeting's thread ended".into()),
                },
                () = sleep_until(self.exposure.unwrap_or(due)), if self.exposure.is_some() => {
                    self.exposure = None;
                    self.develop();
                }
                () = sleep_until(due), if self.leaving.is_some() || end.is_some() => self.leave(),
                () = stop.wished() => self.leave(),
            }
        }
    }

    fn entered(&self, link: &str) {
        if self.print_link {
            println!("{link}");
            // Whoever reads the link through a pipe waits for it.
            let _ = std::io::stdout().flush();
        }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::People(people) => {
                tracing::info!(people = people.len(), "in the room");
                self.send(Command::Tiles(tiles(&people, self.client)));
            }
            Event::Locked(lock) => tracing::info!(epoch = lock.epoch, "new keys"),
            Event::Notice(notice) => eprintln!("conclave: {}", sentences::notice(&notice)),
            Event::Totals(_) if self.leaving.is_some() => self.send(Command::Leave),
            Event::Progress(_)
            | Event::Entered { .. }
            | Event::Speaking(_)
            | Event::Level(_)
            | Event::Microphone(_)
            | Event::Camera(_)
            | Event::Sharing(_)
            | Event::Totals(_)
            | Event::Ended(_) => {}
        }
    }

    /// Asks for the server's totals first; a second call, or a second without an answer, leaves at once.
    fn leave(&mut self) {
        if self.leaving.is_some() {
            self.send(Command::Leave);
        } else {
            self.usage = usage::now();
            self.send(Command::Count);
        }
        self.leaving = Some(Instant::now() + Duration::from_secs(1));
    }

    /// Lets the picture's screen follow the meeting. Never takes an event away.
    fn film_hears(&mut self, event: &Event) -> bool {
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.hear(event);
        }
        false
    }

    /// Draws the meeting's window as it would look now.
    fn develop(&self) {
        let (Some(snapshot), Some(path)) = (&self.snapshot, &self.client.picture) else { return };
        if let Err(error) = snapshot.save(path, PICTURE.0, PICTURE.1, 1.0) {
            eprintln!("conclave: {error}");
        }
    }

    fn send(&self, command: Command) {
        if self.engine.send(command).is_err() {
            tracing::warn!("command not taken");
        }
    }
}

/// When the picture is taken: towards the end, but before anybody leaves.
fn exposure(duration: Duration) -> Duration {
    duration.saturating_sub(BEFORE_THE_END).max(duration / 2)
}

/// Guests leave a little before their host.
const BEFORE_THE_END: Duration = Duration::from_secs(6);

/// The picture's width and height.
const PICTURE: (u32, u32) = (1280, 800);

/// Everybody's pictures at the size that the command line says.
fn tiles(people: &[Person], client: &Client) -> Vec<TileWish> {
    let wish = |owner, slot| TileWish {
        track: TrackId { owner, slot },
        width: client.tile.width,
        height: client.tile.height,
        frames_per_second: 60,
        priority: 1,
        paused: false,
    };
    let others = people.iter().filter(|person| !person.me);
    let tracks = others.flat_map(|person| {
        let camera = person.camera.then(|| wish(person.id, Slot::Camera));
        camera.into_iter().chain(person.screen.then(|| wish(person.id, Slot::Screen)))
    });
    tracks.collect()
}
