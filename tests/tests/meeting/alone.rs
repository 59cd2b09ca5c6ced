//! A meeting with one participant: nobody receives, so nothing is encoded, sealed or sent.

use super::{TIMEOUT, voice};
use anyhow::Result;
use codec::encode::{self, probe};
use engine::{Choice, Codecs, Entry, Hardware, TrackId, VideoOutput, VideoSink};
use media::{Frame, Size};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tests::people::{Host, Person};

/// Counts the pictures of the self-view.
struct SelfView {
    inner: Arc<dyn VideoOutput>,
    pictures: Arc<AtomicU64>,
}

impl VideoOutput for SelfView {
    fn open(&self, track: TrackId, name: &str) -> Box<dyn VideoSink> {
        self.inner.open(track, name)
    }

    fn own(&self, frame: Frame) {
        self.pictures.fetch_add(1, Ordering::Relaxed);
        self.inner.own(frame);
    }
}

#[test]
fn a_meeting_alone_encodes_no_layer_and_no_sound() -> Result<()> {
    let host = Host::start()?;
    let (log, pictures) = (probe::Log::default(), Arc::new(AtomicU64::new(0)));
    let encoders = encode::Backends::new(vec![probe::candidate("probe", log.clone())]);
    let hardware = Hardware { codecs: Codecs { encoders, ..Codecs::default() }, ..Hardware::default() };
    let wrap = |inner| Arc::new(SelfView { inner, pictures: Arc::clone(&pictures) }) as Arc<dyn VideoOutput>;
    let devices = (Choice::Synthetic, voice("anne"));
    let mut anne = Person::enter_through(host.entry(), "Anne", devices, hardware, wrap)?;
    anne.wait(TIMEOUT, "Anne is a member", |anne| anne.me.is_some() && anne.camera)?;
    let before = pictures.load(Ordering::Relaxed);
    anne.wait(TIMEOUT, "the self-view and the meter move", |anne| {
        anne.level > 0.1 && pictures.load(Ordering::Relaxed) > before + 60
    })?;
    assert_eq!(log.calls(), [], "no encoder is used");
    assert_eq!(anne.engine.stats().all_sent(), [], "nothing is sealed");

    let mut bob = Person::enter(Entry::Join(anne.link.parse()?), "Bob", Choice::Off, engine::AudioChoice::Off)?;
    bob.wait(TIMEOUT, "Anne's camera is known", |bob| bob.people.iter().any(|person| !person.me && person.camera))?;
    bob.look(Size::new(320, 180))?;
    anne.wait(TIMEOUT, "Anne sends her camera and her voice", |anne| {
        !log.calls().is_empty() && anne.engine.stats().all_sent().len() > 1
    })?;
    Ok(())
}
