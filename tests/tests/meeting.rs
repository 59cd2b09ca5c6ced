//! Whole meetings over real sockets, from camera files to decoded pictures.

#[path = "meeting/alone.rs"]
mod alone;
#[path = "meeting/camera.rs"]
mod camera;
#[path = "meeting/close.rs"]
mod close;
#[path = "meeting/codecs.rs"]
mod codecs;
#[path = "meeting/floor.rs"]
mod floor;
#[path = "meeting/late.rs"]
mod late;
#[path = "meeting/leave.rs"]
mod leave;
#[path = "meeting/quality.rs"]
mod quality;
#[path = "meeting/slow.rs"]
mod slow;
#[path = "meeting/statistics.rs"]
mod statistics;

use anyhow::Result;
use engine::{AudioChoice, Choice, Command, ParticipantId, Reason, Slot};
use media::Size;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tests::people::{Host, Person};

/// A layer that no tile needs is not encoded. It is encoded again soon after a tile needs it.
#[test]
fn layers_follow_the_tile_sizes_of_the_viewers() -> Result<()> {
    let host = Host::start()?;
    let mut anne = organiser(&host)?;
    let mut bob = guest(&anne, "Bob", Choice::Off)?;
    let from = anne.me.expect("Anne is a member");
    bob.look(Size::new(1_280, 720))?;
    bob.wait(TIMEOUT, "720 lines are shown", |bob| bob.shown_pictures(from).spatial == 2)?;

    bob.look(Size::new(320, 180))?;
    bob.wait(TIMEOUT, "180 lines are shown", |bob| bob.shown_pictures(from).spatial == 0)?;
    // The two larger layers stop two seconds later at most, on an idle machine.
    anne.wait(TIMEOUT, "the larger layers stop", |anne| {
        let before = frames_of_large_layers(anne);
        more_pictures_arrive(&bob, from, 20) && frames_of_large_layers(anne) == before
    })?;

    bob.look(Size::new(1_280, 720))?;
    let took = bob.wait(TIMEOUT, "720 lines are back", |bob| bob.shown_pictures(from).spatial == 2)?;
    assert!(took < Duration::from_secs(5), "the top layer came back after {took:?}");
    Ok(())
}

/// A removed member opens no later frame, and the pictures of the others do not freeze.
#[test]
fn a_removed_member_opens_no_later_frame_and_the_others_continue() -> Result<()> {
    let host = Host::start()?;
    let mut anne = organiser(&host)?;
    let mut bob = guest(&anne, "Bob", Choice::Off)?;
    let mut carol = guest(&anne, "Carol", Choice::Off)?;
    let (from, removed) = (anne.me.expect("Anne is a member"), bob.me.expect("Bob is a member"));
    for person in [&mut bob, &mut carol] {
        person.look(Size::new(640, 360))?;
        person.wait(TIMEOUT, "Anne is shown", |person| person.shown_pictures(from).shown > 30)?;
    }
    anne.wait(TIMEOUT, "Bob is listed", |anne| anne.people.iter().any(|person| person.id == removed))?;
    carol.forget_gaps();

    anne.engine.send(Command::Remove(removed))?;
    bob.wait(TIMEOUT, "the meeting ends for Bob", |bob| bob.ended.is_some())?;
    assert_eq!(bob.ended, Some(Reason::Removed));
    let opened = opened(&bob);
    let seen = carol.shown_pictures(from).shown;
    carol.wait(TIMEOUT, "Carol still sees Anne", |carol| carol.shown_pictures(from).shown > seen + 60)?;
    assert_eq!(self::opened(&bob), opened, "Bob opened a frame after the removal");
    let gap = carol.shown_pictures(from).longest_gap;
    assert!(gap < Duration::from_secs(1), "Carol's picture froze for {gap:?}");
    Ok(())
}

/// A member whose engine is dropped leaves the meeting, and the others change keys.
#[test]
fn a_dropped_engine_leaves_the_meeting_and_the_keys_change() -> Result<()> {
    let host = Host::start()?;
    let mut anne = organiser(&host)?;
    let bob = guest(&anne, "Bob", Choice::Synthetic)?;
    anne.wait(TIMEOUT, "Bob has joined", |anne| anne.people.len() == 2)?;
    let epochs = anne.engine.stats().facts().epochs;
    drop(bob);
    // Without a good-bye, the server waits whether he comes back.
    let absence = server::Limits::default().absence;
    anne.wait(absence + TIMEOUT, "Bob has left", |anne| anne.people.len() == 1)?;
    assert!(anne.engine.stats().facts().epochs > epochs);
    Ok(())
}

fn organiser(host: &Host) -> Result<Person> {
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/assets/demo/footage/portrait.mp4");
    let mut anne = Person::enter(host.entry(), "Anne", Choice::File(clip), AudioChoice::Off)?;
    anne.wait(TIMEOUT, "Anne is a member", |anne| anne.me.is_some())?;
    Ok(anne)
}

fn guest(anne: &Person, name: &str, camera: Choice) -> Result<Person> {
    let mut guest = Person::enter(engine::Entry::Join(anne.link.parse()?), name, camera, AudioChoice::Off)?;
    guest.wait(TIMEOUT, "the guest sees a camera", |guest| {
        guest.people.iter().any(|person| person.camera && !person.me)
    })?;
    Ok(guest)
}

/// Returns a microphone that plays a voice of the demo.
fn voice(name: &str) -> AudioChoice {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/assets/demo/voices");
    AudioChoice::File(folder.join(name).with_extension("wav"))
}

/// Returns whether `more` pictures are shown within 1.5 s.
fn more_pictures_arrive(viewer: &Person, from: ParticipantId, more: u64) -> bool {
    let notify = media::Notify::new();
    let target = viewer.shown_pictures(from).shown + more;
    (0..150).any(|_| {
        let _ = notify.wait_until(std::time::Instant::now() + Duration::from_millis(10));
        viewer.shown_pictures(from).shown >= target
    })
}

/// Returns the number of frames sent in the layers of 360 and 720 lines.
fn frames_of_large_layers(person: &Person) -> u64 {
    let sent = person.engine.stats().all_sent();
    sent.iter().filter(|((slot, spatial), _)| *slot == Slot::Camera && *spatial > 0).map(|(_, sent)| sent.frames).sum()
}

fn opened(person: &Person) -> u64 {
    person.engine.stats().received().iter().map(|(_, counts)| counts.opened).sum()
}

/// The limit for steps that take tens of milliseconds on an idle machine.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Held by the tests that use both cores of a small machine. If they ran at once, each would slow the other one down.
static BUSY: Mutex<()> = Mutex::new(());

fn busy() -> MutexGuard<'static, ()> {
    BUSY.lock().unwrap_or_else(PoisonError::into_inner)
}
