//! Encoders and decoders that fail in a meeting: the video continues, or the track ends and the user is notified.

use super::TIMEOUT;
use anyhow::Result;
use codec::decode::{self, probe as decoders};
use codec::encode::{self, probe as encoders};
use encoders::Fault;
use engine::{AudioChoice, Choice, Codecs, Command, Entry, Hardware, NoticeKind};
use media::Size;
use tests::people::{Host, Person};

#[test]
fn a_failed_encoder_and_a_failed_decoder_are_replaced_and_the_video_continues() -> Result<()> {
    let host = Host::start()?;
    let encoder = encode::Backends::default().candidates()[0].clone();
    let failing = encoders::faulty("failing", encoder.clone(), Fault::ErrorAt(100));
    let codecs = Codecs { encoders: encode::Backends::new(vec![failing, encoder]), ..Codecs::default() };
    let mut anne = enter(host.entry(), "Anne", Choice::Synthetic, codecs)?;
    anne.wait(TIMEOUT, "Anne is a member", |anne| anne.me.is_some() && anne.camera)?;
    let from = anne.me.expect("Anne is a member");

    let decoder = decode::Backends::default().candidates()[0].clone();
    let failing = decoders::faulty("failing", decoder.clone(), Fault::PanicAt(30));
    let codecs = Codecs { decoders: decode::Backends::new(vec![failing, decoder]), ..Codecs::default() };
    let mut bob = enter(Entry::Join(anne.link.parse()?), "Bob", Choice::Off, codecs)?;
    bob.wait(TIMEOUT, "Anne's camera is known", |bob| bob.people.iter().any(|person| !person.me && person.camera))?;
    bob.look(Size::new(320, 180))?;
    bob.wait(TIMEOUT, "Bob sees Anne after both failures", |bob| bob.shown_pictures(from).shown > 160)?;
    anne.wait(TIMEOUT, "Anne gets a notice", |anne| !anne.notices.is_empty())?;
    assert_eq!(
        (&anne.notices[..], &bob.notices[..]),
        (&[NoticeKind::CodecReplaced][..], &[NoticeKind::CodecReplaced][..])
    );
    assert!(anne.camera);
    Ok(())
}

#[test]
fn a_track_without_an_encoder_is_unpublished_and_reported() -> Result<()> {
    let host = Host::start()?;
    let encoder = encode::Backends::default().candidates()[0].clone();
    let failing = encoders::faulty("failing", encoder, Fault::Open);
    let codecs = Codecs { encoders: encode::Backends::new(vec![failing]), ..Codecs::default() };
    let mut anne = enter(host.entry(), "Anne", Choice::Synthetic, codecs)?;
    anne.wait(TIMEOUT, "Anne is a member", |anne| anne.me.is_some() && anne.camera)?;
    // The camera is encoded, and fails, when a receiver requests it.
    let mut bob = enter(Entry::Join(anne.link.parse()?), "Bob", Choice::Off, Codecs::default())?;
    for _ in 0..2 {
        anne.wait(TIMEOUT, "Anne gets a notice", |anne| !anne.notices.is_empty())?;
        assert_eq!((std::mem::take(&mut anne.notices), anne.camera), (vec![NoticeKind::TrackFailed], false));
        bob.wait(TIMEOUT, "Bob sees no camera", |bob| {
            bob.people.len() == 2 && bob.people.iter().all(|one| !one.camera)
        })?;
        // The user may try again.
        anne.engine.send(Command::Camera(true))?;
    }
    assert!(anne.ended.is_none() && bob.ended.is_none() && bob.notices.is_empty(), "{:?}", bob.notices);
    Ok(())
}

fn enter(entry: Entry, name: &str, camera: Choice, codecs: Codecs) -> Result<Person> {
    let hardware = Hardware { codecs, ..Hardware::default() };
    Person::enter_at(entry, name, (camera, AudioChoice::Off), hardware)
}
