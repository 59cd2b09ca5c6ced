//! Floor control between real engines: what is on is switched off, and nothing is switched on from afar.

use super::{TIMEOUT, organiser, voice};
use anyhow::Result;
use engine::{Choice, Command, FloorOrder, FloorTarget, NoticeKind, Rights};
use tests::people::{Host, Person};

fn order(target: FloorTarget, rights: Rights, allow: bool) -> Command {
    Command::Floor(FloorOrder { target, rights, allow })
}

#[test]
fn a_microphone_and_a_camera_are_switched_off_by_an_organiser_and_on_only_by_their_owner() -> Result<()> {
    let host = Host::start()?;
    let mut anne = organiser(&host)?;
    let mut bob = Person::enter(engine::Entry::Join(anne.link.parse()?), "Bob", Choice::Synthetic, voice("anne"))?;
    let is_on = |person: &Person| person.people.iter().any(|other| !other.me && other.camera);
    anne.wait(TIMEOUT, "Bob's camera is on", is_on)?;
    bob.wait(TIMEOUT, "Bob is in", |bob| bob.people.len() == 2 && bob.camera && !bob.muted)?;
    let id = bob.me.expect("Bob is a member");
    let both = Rights::MICROPHONE | Rights::CAMERA;
    anne.engine.send(order(FloorTarget::Person(id), both, false))?;
    bob.wait(TIMEOUT, "Bob's devices are off", |bob| bob.muted && !bob.camera)?;
    bob.wait(TIMEOUT, "Bob is told who did it", |bob| bob.changes.len() == 1)?;
    let change = bob.changes[0].clone();
    assert_eq!(change.by.map(|by| by.name).as_deref(), Some("Anne"));
    assert_eq!(change.before.1.without(change.now.1), both);
    anne.wait(TIMEOUT, "Anne sees it", |anne| !is_on(anne))?;
    // Bob's program refuses to send, and says so.
    for command in [Command::Mute(false), Command::Camera(true)] {
        let before = bob.notices.len();
        bob.engine.send(command)?;
        bob.wait(TIMEOUT, "Bob is told that he may not", |bob| bob.notices.len() > before)?;
        assert_eq!(bob.notices.last(), Some(&NoticeKind::NotAllowed));
    }
    assert!(bob.muted && !bob.camera);
    anne.engine.send(order(FloorTarget::Person(id), both, true))?;
    bob.wait(TIMEOUT, "Bob may speak again", |bob| bob.changes.len() == 2)?;
    assert!(bob.muted && !bob.camera, "nobody switches anything on from afar");
    bob.engine.send(Command::Mute(false))?;
    bob.engine.send(Command::Camera(true))?;
    bob.wait(TIMEOUT, "Bob has switched both on", |bob| !bob.muted && bob.camera)?;
    anne.wait(TIMEOUT, "Anne sees Bob again", is_on)?;
    Ok(())
}

#[test]
fn an_organiser_who_stops_everything_is_alone_and_sends_nothing() -> Result<()> {
    let host = Host::start()?;
    let mut anne = organiser(&host)?;
    let mut bob = super::guest(&anne, "Bob", Choice::Off)?;
    anne.wait(TIMEOUT, "Bob is in", |anne| anne.people.len() == 2 && anne.camera)?;
    let link = anne.link.clone();
    anne.engine.send(Command::StopEverything)?;
    anne.wait(TIMEOUT, "Anne is alone", |anne| anne.people.len() == 1 && !anne.camera && anne.link != link)?;
    anne.wait(TIMEOUT, "Bob asks to join again", |anne| anne.asking.len() == 1)?;
    bob.wait(TIMEOUT, "Bob waits", |bob| bob.people.is_empty())?;
    assert!(bob.ended.is_none());
    Ok(())
}
