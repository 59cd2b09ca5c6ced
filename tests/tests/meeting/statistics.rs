//! The statistics of each second in a whole meeting.

use super::TIMEOUT;
use anyhow::Result;
use engine::{AudioChoice, Choice, Entry, Limitation, Quality, Second, VideoStats};
use media::Size;
use tests::people::{Host, Person};

#[test]
fn each_second_has_the_figures_of_both_ends_and_the_reason_of_a_small_picture() -> Result<()> {
    let host = Host::start()?;
    let mut anne = Person::enter(host.entry(), "Anne", Choice::Synthetic, AudioChoice::Off)?;
    anne.wait(TIMEOUT, "Anne is a member", |anne| anne.me.is_some() && anne.camera)?;
    let mut bob = Person::enter(Entry::Join(anne.link.parse()?), "Bob", Choice::Off, AudioChoice::Off)?;
    bob.wait(TIMEOUT, "Anne's camera is known", |bob| bob.people.iter().any(|person| !person.me && person.camera))?;
    bob.look(Size::new(320, 180))?;
    bob.wait(TIMEOUT, "a second without a reduction, after the first report of the server", |bob| {
        let measured = bob.second.as_ref().is_some_and(|second| second.link.round_trip_ms.is_some());
        measured
            && video(bob)
                .is_some_and(|video| video.shown > 20 && video.limited_by.is_none() && video.tile_limit.is_none())
    })?;
    let (second, received) = (last(&bob).clone(), video(&bob).cloned().unwrap_or_default());
    let path = second.link;
    assert!(path.downlink_kbps.is_some_and(|rate| rate > 100), "{path:?}");
    assert_eq!((received.wished, received.packets.packets_lost), (Some((320, 180)), 0), "{received:?}");
    // The counts of packets are up to a second older than the others.
    assert!(received.packets.packets > 0 && received.decode_ms > 0, "{received:?}");
    anne.wait(TIMEOUT, "a layer that Anne sends", |anne| {
        let sent = anne.second.iter().flat_map(|second| &second.sent);
        sent.clone().any(|sent| sent.frames > 20 && sent.size.is_some() && sent.encode_ms > 0)
    })?;
    let anne_id = anne.me.expect("Anne is a member");
    assert_eq!(second.quality.get(&anne_id), Some(&Quality::Good));
    bob.look(Size::new(8_000, 8_000))?;
    bob.wait(TIMEOUT, "the reason for a small picture", |bob| {
        video(bob).is_some_and(|video| video.tile_limit == Some(Limitation::SenderSource))
    })?;
    bob.engine.send(engine::Command::SetWishes(Vec::new()))?;
    bob.wait(TIMEOUT, "nobody looks at the picture", |bob| {
        video(bob).is_some_and(|video| video.limited_by == Some(Limitation::NotVisible) && video.received == 0)
    })?;
    let csv = bob.engine.stats().history().csv();
    assert!(csv.lines().any(|line| line.contains("received,\"Anne\",camera,8000,8000")), "{csv}");
    Ok(())
}

fn last(person: &Person) -> &Second {
    person.second.as_deref().expect("a second")
}

fn video(person: &Person) -> Option<&VideoStats> {
    person.second.as_ref()?.video.first()
}
