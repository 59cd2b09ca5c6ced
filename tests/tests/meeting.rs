//! Whole meetings over real sockets: footage in, layers, keys, SFU, pictures out.

#[path = "meeting/camera.rs"]
mod camera;
#[path = "meeting/close.rs"]
mod close;
#[path = "meeting/late.rs"]
mod late;

use anyhow::Result;
use engine::{AudioChoice, Choice, Command, ParticipantId, Reason, Slot};
use media::Size;
use std::path::Path;
use std::time::Duration;
use tests::people::{Host, Person};

/// The layers follow the tiles: what nobody shows is not encoded, and what is wanted again is there within a second.
#[test]
fn layers_follow_the_tiles_of_those_who_look() -> Result<()> {
    let host = Host::start()?;
    let mut anne = organiser(&host)?;
    let mut bob = guest(&anne, "Bob", Choice::Off)?;
    let from = anne.me.expect("Anne is in");
    bob.look(Size::new(1_280, 720))?;
    bob.wait(PATIENCE, "720 lines are shown", |bob| bob.sight(from).spatial == 2)?;

    bob.look(Size::new(320, 180))?;
    bob.wait(PATIENCE, "180 lines are shown", |bob| bob.sight(from).spatial == 0)?;
    // Two seconds of grace, then not a frame more on the two larger layers.
    anne.wait(Duration::from_secs(3), "the larger layers stop", |anne| {
        let before = large(anne);
        pictures(&bob, from, 20) && large(anne) == before
    })?;

    bob.look(Size::new(1_280, 720))?;
    let took = bob.wait(PATIENCE, "720 lines are back", |bob| bob.sight(from).spatial == 2)?;
    assert!(took < Duration::from_secs(1), "the top layer came back after {took:?}");
    Ok(())
}

/// A removed member opens nothing more, and nobody else's picture stands still for it.
#[test]
fn a_removed_member_sees_nothing_more_and_the_others_go_on() -> Result<()> {
    let host = Host::start()?;
    let mut anne = organiser(&host)?;
    let mut bob = guest(&anne, "Bob", Choice::Off)?;
    let mut carol = guest(&anne, "Carol", Choice::Off)?;
    let (from, out) = (anne.me.expect("Anne is in"), bob.me.expect("Bob is in"));
    for person in [&mut bob, &mut carol] {
        person.look(Size::new(640, 360))?;
        person.wait(PATIENCE, "Anne is seen", |person| person.sight(from).shown > 30)?;
    }
    anne.wait(PATIENCE, "Bob is known", |anne| anne.people.iter().any(|person| person.id == out))?;
    carol.forget_gaps();

    anne.engine.send(Command::Remove(out))?;
    bob.wait(PATIENCE, "Bob is told", |bob| bob.ended.is_some())?;
    assert_eq!(bob.ended, Some(Reason::Removed));
    let opened = opened(&bob);
    let seen = carol.sight(from).shown;
    carol.wait(PATIENCE, "Carol sees on", |carol| carol.sight(from).shown > seen + 60)?;
    assert_eq!(self::opened(&bob), opened, "Bob opened a frame after the removal");
    let gap = carol.sight(from).longest_gap;
    assert!(gap < Duration::from_millis(300), "Carol's picture stood for {gap:?}");
    Ok(())
}

/// Who vanishes without a word is gone for the others, who change keys.
#[test]
fn who_leaves_is_gone_and_the_keys_change() -> Result<()> {
    let host = Host::start()?;
    let mut anne = organiser(&host)?;
    let bob = guest(&anne, "Bob", Choice::Synthetic)?;
    anne.wait(PATIENCE, "Bob is here", |anne| anne.people.len() == 2)?;
    let epochs = anne.engine.stats().facts().epochs;
    drop(bob);
    anne.wait(PATIENCE, "Bob is gone", |anne| anne.people.len() == 1)?;
    assert!(anne.engine.stats().facts().epochs > epochs);
    Ok(())
}

fn organiser(host: &Host) -> Result<Person> {
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/assets/demo/footage/portrait.mp4");
    let mut anne = Person::enter(host.entry(), "Anne", Choice::File(clip), AudioChoice::Off)?;
    anne.wait(PATIENCE, "Anne is in", |anne| anne.me.is_some())?;
    Ok(anne)
}

fn guest(anne: &Person, name: &str, camera: Choice) -> Result<Person> {
    let mut guest = Person::enter(engine::Entry::Join(anne.link.parse()?), name, camera, AudioChoice::Off)?;
    guest.wait(PATIENCE, "the guest is in", |guest| guest.people.iter().any(|person| person.camera && !person.me))?;
    Ok(guest)
}

/// A voice of the demo, as somebody's microphone.
fn voice(name: &str) -> AudioChoice {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/assets/demo/voices");
    AudioChoice::File(folder.join(name).with_extension("wav"))
}

/// Waits for so many more pictures; true where they came within a second and a half.
fn pictures(viewer: &Person, from: ParticipantId, more: u64) -> bool {
    let notify = media::Notify::new();
    let target = viewer.sight(from).shown + more;
    (0..150).any(|_| {
        let _ = notify.wait_until(std::time::Instant::now() + Duration::from_millis(10));
        viewer.sight(from).shown >= target
    })
}

/// Frames sent on the layers of 360 and 720 lines.
fn large(person: &Person) -> u64 {
    let sent = person.engine.stats().all_sent();
    sent.iter().filter(|((slot, spatial), _)| *slot == Slot::Camera && *spatial > 0).map(|(_, sent)| sent.frames).sum()
}

fn opened(person: &Person) -> u64 {
    person.engine.stats().received().iter().map(|(_, counts)| counts.opened).sum()
}

/// For what takes tens of milliseconds on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(15);
