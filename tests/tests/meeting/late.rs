//! Commits and media take different paths. A member that gets a commit late loses no frame that it may open.

use super::{TIMEOUT, voice};
use anyhow::{Context, Result};
use engine::open_failures::OpenFailures;
use engine::track_stats::ReceiveStats;
use engine::{AudioChoice, Cameras, Choice, Command, Entry, ParticipantId, Slot, TileWish, TrackId};
use media::{FrameRate, Size};
use std::time::{Duration, Instant};
use tests::delay_proxy::DelayProxy;
use tests::people::{Host, Person};

/// Bob gets the commit that adds Carol late, and seals with the old keys until then. Carol gets such frames and must not
/// open them. Anne must open them. Bob must open the frames of Anne, for which he does not have the keys yet.
#[test]
fn only_frames_from_before_a_member_joined_fail_to_open() -> Result<()> {
    let host = Host::start()?;
    let mut anne = enter(host.entry(), "Anne")?;
    anne.wait(TIMEOUT, "Anne is a member", |anne| anne.me.is_some() && anne.camera)?;
    let proxy = DelayProxy::start(&anne.link, Duration::ZERO)?;
    let mut bob = enter(Entry::Join(proxy.invitation(&anne.link)?), "Bob")?;
    bob.wait(TIMEOUT, "Bob is a member", |bob| bob.people.iter().any(|person| person.camera && !person.me))?;
    anne.wait(TIMEOUT, "Anne sees Bob", |anne| anne.people.iter().any(|person| person.camera && !person.me))?;
    let (from_anne, from_bob) = (anne.me.expect("Anne is a member"), bob.me.expect("Bob is a member"));
    show(&anne, &[from_bob])?;
    show(&bob, &[from_anne])?;
    for (viewer, of) in [(&mut anne, from_bob), (&mut bob, from_anne)] {
        viewer.wait(TIMEOUT, "they see each other", |viewer| viewer.shown_pictures(of).shown > 10)?;
    }

    proxy.pause();
    let mut carol = Person::enter(Entry::Join(anne.link.parse()?), "Carol", Choice::Off, AudioChoice::Off)?;
    anne.wait(TIMEOUT, "Anne has admitted Carol", |anne| anne.people.len() == 3)?;
    let start = Instant::now();
    carol.wait(TIMEOUT, "Carol is a member", |carol| carol.people.len() == 3)?;
    show(&carol, &[from_bob])?;
    carol.wait(TIMEOUT, "Bob's frames reach Carol", |carol| open_failures(carol, from_bob).before_us > 0)?;
    proxy.resume();
    let late = start.elapsed();

    for (viewer, of) in [(&mut anne, from_bob), (&mut bob, from_anne), (&mut carol, from_bob)] {
        let before = opened(viewer, of);
        let on = |viewer: &Person| viewer.shown_pictures(of).shown > 10 && opened(viewer, of) > before + 50;
        let waited = viewer.wait(TIMEOUT, "the video continues", on);
        waited.with_context(|| describe(viewer, of))?;
    }
    let refused = open_failures(&carol, from_bob);
    println!("Bob got the commit {late:?} late; frames of Bob that Carol refused: {refused:?}");
    assert_eq!(refused, OpenFailures { before_us: refused.before_us, ..OpenFailures::default() });
    assert_eq!(open_failures(&anne, from_bob), OpenFailures::default(), "Anne has the keys of all frames of Bob");
    assert_eq!(open_failures(&bob, from_anne), OpenFailures::default(), "Bob waits for the keys of Anne's frames");
    Ok(())
}

/// Several guests join one after the other while all members send. Bob gets each commit a quarter of a second late.
#[test]
fn no_frame_fails_to_open_while_several_guests_join() -> Result<()> {
    let host = Host::start()?;
    let mut anne = enter(host.entry(), "Anne")?;
    anne.wait(TIMEOUT, "Anne is a member", |anne| anne.me.is_some() && anne.camera)?;
    let proxy = DelayProxy::start(&anne.link, Duration::from_millis(250))?;
    let slow = enter(Entry::Join(proxy.invitation(&anne.link)?), "Bob")?;
    let mut people = vec![anne, slow];
    people[1].wait(TIMEOUT, "Bob is a member", |bob| bob.people.len() == 2)?;
    let cameras: Vec<ParticipantId> = people.iter().filter_map(|person| person.me).collect();
    people.iter().try_for_each(|person| show(person, &cameras))?;
    for number in 3..=6 {
        let entry = Entry::Join(people[0].link.parse()?);
        let mut next = Person::enter(entry, &format!("guest {number}"), Choice::Off, voice("carol"))?;
        next.wait(TIMEOUT, "the guest is a member", |next| next.me.is_some())?;
        show(&next, &cameras)?;
        people.push(next);
    }
    let everybody: Vec<ParticipantId> = people.iter().filter_map(|person| person.me).collect();
    for person in &mut people {
        let me = person.me;
        let others = || everybody.iter().filter(|id| Some(**id) != me);
        let received = |person: &Person| others().all(|id| opened(person, *id) > 50);
        let waited = person.wait(TIMEOUT, "frames of all others are opened", received);
        waited.with_context(|| others().map(|id| describe(person, *id)).collect::<Vec<_>>().join("\n"))?;
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

/// Enters with a small camera picture, which costs little CPU time, and a voice that speaks from the first second.
fn enter(entry: Entry, name: &str) -> Result<Person> {
    let camera = |_, clock| capture::synthetic::open(Size::new(320, 180), FrameRate::THIRTY, clock);
    Person::enter_with(entry, name, (Choice::Device(None), Cameras::new(camera)), voice("carol"))
}

/// Requests cameras in small tiles, also if their owners have not announced them.
fn show(viewer: &Person, of: &[ParticipantId]) -> Result<()> {
    let tile = |owner: &ParticipantId| TileWish {
        track: TrackId { owner: *owner, slot: Slot::Camera },
        width: 320,
        height: 180,
        frames_per_second: 60,
        priority: 1,
        hidden: false,
    };
    Ok(viewer.engine.send(Command::SetWishes(of.iter().map(tile).collect()))?)
}

/// Returns counters of received frames, for the message of a failed test.
fn describe(receiver: &Person, from: ParticipantId) -> String {
    let shown = receiver.shown_pictures(from).shown;
    let counts = received_tracks(receiver, from)
        .into_iter()
        .map(|received| (received.received, received.opened, received.open_failures));
    format!("shown {shown}, (arrived, opened, unopened) by track {:?}", counts.collect::<Vec<_>>())
}

fn opened(receiver: &Person, from: ParticipantId) -> u64 {
    received_tracks(receiver, from).iter().map(|received| received.opened).sum()
}

fn open_failures(receiver: &Person, from: ParticipantId) -> OpenFailures {
    let mut all = OpenFailures::default();
    for track in received_tracks(receiver, from) {
        all += track.open_failures;
    }
    all
}

fn received_tracks(person: &Person, from: ParticipantId) -> Vec<ReceiveStats> {
    let received = person.engine.stats().received().into_iter();
    received.filter(|(track, _)| track.owner == from).map(|(_, received)| received).collect()
}
