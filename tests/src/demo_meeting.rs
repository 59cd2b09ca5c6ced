//! The demo's meeting in this process: four people at real engines and a real server, with the demo's footage and voices.

use crate::people::{Host, Person};
use crate::quality::{Quality, QualityProbe};
use anyhow::{Context, Result, bail};
use engine::report::Report;
use engine::{AudioChoice, Choice, Entry, Hardware};
use media::{Notify, Size};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What the participants saw of each other.
pub struct Outcome {
    /// The merged reports of all participants.
    pub report: Report,
    /// The quality of the pictures, by sender and receiver.
    pub qualities: BTreeMap<(String, String), Quality>,
}

/// Holds the meeting until each participant has shown `pictures` of every other participant at `size`.
///
/// # Errors
/// Returns an error if something does not start, if the pictures are not shown within `limit`, or if a clip of the
/// footage cannot be read.
pub fn hold(size: Size, pictures: u64, limit: Duration) -> Result<Outcome> {
    let host = Host::start()?;
    let deadline = Instant::now() + limit;
    let mut people: Vec<Participant> = Vec::new();
    for role in ROLES {
        let entry = match people.first() {
            Some(host) => Entry::Join(host.person.link.parse()?),
            None => host.entry(),
        };
        people.push(Participant::enter(entry, role)?);
        wait_for(&mut people, deadline, "the next participant has joined", |person| person.me.is_some())?;
    }
    let cameras = |person: &Person| person.people.iter().filter(|other| !other.me && other.camera).count();
    wait_for(&mut people, deadline, "all cameras are announced", |person| cameras(person) == ROLES.len() - 1)?;
    people.iter().try_for_each(|participant| participant.person.look(size))?;
    wait_for(&mut people, deadline, "all have shown each other's pictures", |person| {
        person.people.iter().filter(|other| !other.me).all(|other| person.shown_pictures(other.id).shown >= pictures)
    })?;
    let reports: Vec<Report> = people.iter().map(Participant::report).collect();
    // All leave before the clips are decoded, because decoding would slow down the participants that are still in the
    // meeting.
    let probes: Vec<(&str, QualityProbe)> = people.into_iter().map(Participant::leave).collect();
    let mut qualities = BTreeMap::new();
    for (to, probe) in probes {
        qualities.extend(probe.qualities()?.into_iter().map(|(from, quality)| ((from, to.to_owned()), quality)));
    }
    Ok(Outcome { report: Report::merge(reports), qualities })
}

/// Handles events until `done` returns true for all participants.
fn wait_for(people: &mut [Participant], deadline: Instant, what: &str, done: impl Fn(&Person) -> bool) -> Result<()> {
    let notify = Notify::new();
    while Instant::now() < deadline {
        for participant in people.iter_mut() {
            participant.person.follow();
        }
        if let Some(ended) = people.iter().find_map(|participant| participant.person.ended.as_ref()) {
            bail!("the meeting ended: {ended:?}");
        }
        if people.iter().all(|participant| done(&participant.person)) {
            return Ok(());
        }
        let _ = notify.wait_until(Instant::now() + POLL_INTERVAL);
    }
    bail!("not in time: {what}")
}

struct Participant {
    name: &'static str,
    person: Person,
    probe: QualityProbe,
}

impl Participant {
    fn enter(entry: Entry, role: &Role) -> Result<Self> {
        let others = ROLES.iter().filter(|other| other.name != role.name);
        let clips = others.map(|other| (other.name.to_owned(), other.footage())).collect();
        let devices = (Choice::File(role.footage()), AudioChoice::File(role.voice()));
        let mut probe = None;
        let person = Person::enter_through(entry, role.name, devices, Hardware::default(), |output| {
            Arc::new(probe.insert(QualityProbe::new(output, clips)).clone())
        })?;
        Ok(Self { name: role.name, person, probe: probe.context("the engine has an output")? })
    }

    fn report(&self) -> Report {
        Report::of(&self.person.engine.stats(), self.name, None)
    }

    fn leave(self) -> (&'static str, QualityProbe) {
        self.person.engine.close();
        (self.name, self.probe)
    }
}

/// A participant: the name, which is also the name of the voice file, and the clip of the camera.
struct Role {
    name: &'static str,
    clip: &'static str,
}

impl Role {
    fn footage(&self) -> PathBuf {
        assets().join("footage").join(self.clip).with_extension("mp4")
    }

    fn voice(&self) -> PathBuf {
        assets().join("voices").join(self.name.to_lowercase()).with_extension("wav")
    }
}

fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/assets/demo")
}

const ROLES: &[Role] = &[
    Role { name: "Anne", clip: "portrait" },
    Role { name: "Bob", clip: "bunny" },
    Role { name: "Carol", clip: "desktop" },
    Role { name: "David", clip: "meadow" },
];

/// How often the events are read.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
