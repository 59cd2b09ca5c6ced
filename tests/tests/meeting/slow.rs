//! A viewer whose computer decodes too slowly for all tiles.

use super::{TIMEOUT, busy, guest, organiser};
use anyhow::Result;
use codec::decode::probe;
use engine::{
    AudioChoice, Choice, Codecs, Command, Entry, Hardware, Limitation, ParticipantId, Slot, TileWish, TrackId,
};
use std::cell::Cell;
use std::time::{Duration, Instant};
use tests::people::{Host, Person};

/// Decoding four cameras takes 1.4 s a second. Without a budget, all of them would stutter.
#[test]
fn a_slow_computer_pauses_the_smallest_tiles_and_shows_the_largest_one_smoothly() -> Result<()> {
    let _busy = busy();
    let host = Host::start()?;
    let anne = organiser(&host)?;
    let guests = ["Bob", "Carol", "Dan"].map(|name| guest(&anne, name, Choice::Synthetic));
    let guests = guests.into_iter().collect::<Result<Vec<Person>>>()?;
    let codecs = Codecs { decoders: probe::slow(PICTURE_TIME), ..Codecs::default() };
    let hardware = Hardware { codecs, ..Hardware::default() };
    let entry = Entry::Join(anne.link.parse()?);
    let mut vera = Person::enter_at(entry, "Vera", (Choice::Off, AudioChoice::Off), hardware)?;
    vera.wait(TIMEOUT, "Vera sees four cameras", |vera| {
        vera.people.iter().filter(|person| person.camera).count() == 4
    })?;
    // The largest tile first. All of them need the smallest layer.
    let owners: Vec<ParticipantId> = [&anne].into_iter().chain(&guests).filter_map(|person| person.me).collect();
    let tile = |(owner, width): (&ParticipantId, u16)| TileWish {
        track: TrackId { owner: *owner, slot: Slot::Camera },
        width,
        height: 180,
        frames_per_second: 60,
        priority: 1,
        hidden: false,
    };
    vera.engine.send(Command::SetWishes(owners.iter().zip([320, 300, 280, 260]).map(tile).collect()))?;
    let (largest, smallest) = (owners[0], owners[3]);
    vera.wait(TIMEOUT, "the largest tile is shown", |vera| vera.shown_pictures(largest).shown > 30)?;
    let last = Cell::new((0, Instant::now()));
    vera.wait(TIMEOUT, "the smallest tile is paused, and the reason is Vera's computer", |vera| {
        let shown = vera.shown_pictures(smallest).shown;
        if shown > last.get().0 {
            last.set((shown, Instant::now()));
        }
        let track = TrackId { owner: smallest, slot: Slot::Camera };
        let video = vera.second.as_ref().and_then(|second| second.video_of(track));
        let reason = video.and_then(|video| video.limited_by);
        last.get().1.elapsed() > Duration::from_secs(2) && reason == Some(Limitation::OwnComputer)
    })?;

    vera.forget_gaps();
    let (before, start) = (vera.shown_pictures(largest).shown, Instant::now());
    vera.wait(TIMEOUT, "five seconds pass", |_| start.elapsed() >= Duration::from_secs(5))?;
    let (after, took) = (vera.shown_pictures(largest), start.elapsed());
    let rate = f64::from(u32::try_from(after.shown - before)?) / took.as_secs_f64();
    assert!(rate > 12.0, "{rate:.1} pictures a second of the largest tile");
    assert!(after.longest_gap < Duration::from_secs(1), "the largest tile froze for {:?}", after.longest_gap);
    Ok(())
}

/// How much longer the decoder takes for each picture.
const PICTURE_TIME: Duration = Duration::from_millis(12);
