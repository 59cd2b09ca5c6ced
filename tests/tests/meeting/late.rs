//! Commits and media travel by different ways: whoever hears of a commit late loses no frame that was for them.

use super::{PATIENCE, voice};
use anyhow::{Context, Result};
use engine::open_failures::OpenFailures;
use engine::track_stats::Received;
use engine::{AudioChoice, Cameras, Choice, Command, Entry, ParticipantId, Slot, TileWish, TrackId};
use media::{FrameRate, Size};
use std::time::{Duration, Instant};
use tests::delay_proxy::DelayProxy;
use tests::people::{Host, Person};

/// Bob hears of a newcomer's commit late, and seals with the old keys until then. The newcomer gets such frames and must
/// not open them; Anne must, and Bob must open hers, whose keys he does not have yet.
#[test]
fn a_frame_that_its_receiver_has_no_right_to_is_told_by_its_epoch_and_all_others_open() -> Result<()> {
    let host = Host::start()?;
    let mut anne = enter(host.entry(), "Anne")?;
    anne.wait(PATIENCE, "Anne is in", |anne| anne.me.is_some() && anne.camera)?;
    let proxy = DelayProxy::start(&anne.link, Duration::ZERO)?;
    let mut bob = enter(Entry::Join(proxy.invitation(&anne.link)?), "Bob")?;
    bob.wait(PATIENCE, "Bob is in", |bob| bob.people.iter().any(|person| person.camera && !person.me))?;
    anne.wait(PATIENCE, "Anne sees Bob", |anne| anne.people.iter().any(|person| person.camera && !person.me))?;
    let (from_anne, from_bob) = (anne.me.expect("Anne is in"), bob.me.expect("Bob is in"));
    show(&anne, &[from_bob])?;
    show(&bob, &[from_anne])?;
    for (viewer, of) in [(&mut anne, from_bob), (&mut bob, from_anne)] {
        viewer.wait(PATIENCE, "they see each other", |viewer| viewer.shown_pictures(of).shown > 10)?;
    }

    proxy.pause();
    let mut carol = Person::enter(Entry::Join(anne.link.parse()?), "Carol", Choice::Off, AudioChoice::Off)?;
    anne.wait(PATIENCE, "Anne has let Carol in", |anne| anne.people.len() == 3)?;
    let behind = Instant::now();
    carol.wait(PATIENCE, "Carol is in", |carol| carol.people.len() == 3)?;
    show(&carol, &[from_bob])?;
    carol.wait(PATIENCE, "Bob's frames reach Carol", |carol| open_failures(carol, from_bob).before_us > 0)?;
    proxy.resume();
    let behind = behind.elapsed();

    for (viewer, of) in [(&mut anne, from_bob), (&mut bob, from_anne), (&mut carol, from_bob)] {
        let before = opened(viewer, of);
        let on = |viewer: &Person| viewer.shown_pictures(of).shown > 10 && opened(viewer, of) > before + 50;
        let waited = viewer.wait(PATIENCE, "all goes on", on);
        waited.with_context(|| seen(viewer, of))?;
    }
    let refused = open_failures(&carol, from_bob);
    println!("Bob was {behind:?} behind; of his frames Carol refused {refused:?}");
    assert_eq!(refused, OpenFailures { before_us: refused.before_us, ..OpenFailures::default() });
    assert_eq!(open_failures(&anne, from_bob), OpenFailures::default(), "Anne has had the keys of all that Bob sealed");
    assert_eq!(open_failures(&bob, from_anne), OpenFailures::default(), "Bob waits for the keys of what Anne seals");
    Ok(())
}

/// Several come in one after the other, while everybody sends and one is a quarter of a second behind.
#[test]
fn many_may_join_in_a_row_and_no_frame_fails_to_open() -> Result<()> {
    let host = Host::start()?;
    let mut anne = enter(host.entry(), "Anne")?;
    anne.wait(PATIENCE, "Anne is in", |anne| anne.me.is_some() && anne.camera)?;
    let proxy = DelayProxy::start(&anne.link, Duration::from_millis(250))?;
    let slow = enter(Entry::Join(proxy.invitation(&anne.link)?), "Bob")?;
    let mut people = vec![anne, slow];
    people[1].wait(PATIENCE, "Bob is in", |bob| bob.people.len() == 2)?;
    let cameras: Vec<ParticipantId> = people.iter().filter_map(|person| person.me).collect();
    people.iter().try_for_each(|person| show(person, &cameras))?;
    for number in 3..=6 {
        let entry = Entry::Join(people[0].link.parse()?);
        let mut next = Person::enter(entry, &format!("guest {number}"), Choice::Off, voice("carol"))?;
        next.wait(PATIENCE, "the next one is in", |next| next.me.is_some())?;
        show(&next, &cameras)?;
        people.push(next);
    }
    let everybody: Vec<ParticipantId> = people.iter().filter_map(|person| person.me).collect();
    for person in &mut people {
        let me = person.me;
        let others = || everybody.iter().filter(|id| Some(**id) != me);
        let heard = |person: &Person| others().all(|id| opened(person, *id) > 50);
        let waited = person.wait(PATIENCE, "everybody is heard", heard);
        waited.with_context(|| others().map(|id| seen(person, *id)).collect::<Vec<_>>().join("\n"))?;
    }
    for person in &people {
        let mut all = OpenFailures::default();
        for id in &everybody {
            all += open_failures(person, *id);
        }
        println!("{all:?}");
        assert_eq!(all, OpenFailures { before_us: all.before_us, ..OpenFailures::default() });
    }
    Ok(())
}

/// Somebody with a small camera, which costs little, and a voice that speaks from the first second.
fn enter(entry: Entry, name: &str) -> Result<Person> {
    let camera = |_, clock| capture::synthetic::open(Size::new(320, 180), FrameRate::THIRTY, clock);
    Person::enter_with(entry, name, (Choice::Device(None), Cameras::new(camera)), voice("carol"))
}

/// Asks for cameras in small tiles, whatever their owners say of them.
fn show(viewer: &Person, of: &[ParticipantId]) -> Result<()> {
    let tile = |owner: &ParticipantId| TileWish {
        track: TrackId { owner: *owner, slot: Slot::Camera },
        width: 320,
        height: 180,
        frames_per_second: 60,
        priority: 1,
        paused: false,
    };
    Ok(viewer.engine.send(Command::Tiles(of.iter().map(tile).collect()))?)
}

/// What somebody got of another one, for a test that waits in vain.
fn seen(receiver: &Person, from: ParticipantId) -> String {
    let shown = receiver.shown_pictures(from).shown;
    let counts =
        of(receiver, from).into_iter().map(|received| (received.received, received.opened, received.open_failures));
    format!("shown {shown}, (arrived, opened, unopened) by track {:?}", counts.collect::<Vec<_>>())
}

fn opened(receiver: &Person, from: ParticipantId) -> u64 {
    of(receiver, from).iter().map(|received| received.opened).sum()
}

fn open_failures(receiver: &Person, from: ParticipantId) -> OpenFailures {
    let mut all = OpenFailures::default();
    for track in of(receiver, from) {
        all += track.open_failures;
    }
    all
}

fn of(person: &Person, from: ParticipantId) -> Vec<Received> {
    let received = person.engine.stats().received().into_iter();
    received.filter(|(track, _)| track.owner == from).map(|(_, received)| received).collect()
}
