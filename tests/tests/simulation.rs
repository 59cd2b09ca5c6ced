//! N meetings on virtual time: they join, leave, are removed, vanish, commit at once, and agree whenever they are at rest.

use net::meeting::{Command, MediaState, Microphone, Notice};
use proto::{Blob, Down, Entry, Epoch, ParticipantId, Position, Reason, Up};
use rand::Rng;
use rand::seq::IndexedRandom;
use std::time::Duration;
use tests::world::{Ending, World};

#[test]
fn three_meet_and_agree() {
    let mut world = World::seeded(1);
    let members = world.meeting(&["Ada", "Blaise", "Chloé"]);
    assert_eq!(world.client(members[0]).joined.len(), 2);
    assert!(world.client(members[0]).is_organiser() && !world.client(members[1]).is_organiser());
}

#[test]
fn who_knocks_together_is_let_in_together() {
    let mut world = World::seeded(2);
    let organiser = world.create("Ada");
    world.run(secs(3));
    let guests: Vec<_> = (0..12).map(|at| world.join(organiser, &format!("Guest {at}"))).collect();
    world.run(secs(20));
    assert!(world.client(organiser).commits < 12, "{} commits for 12 knocks", world.client(organiser).commits);
    world.assert_rest(&[vec![organiser], guests].concat());
}

#[test]
fn a_member_that_comes_late_sees_what_everybody_sends() {
    let mut world = World::seeded(3);
    let mut members = world.meeting(&["Ada", "Blaise", "Chloé"]);
    world.press(members[0], Command::Announce(state(Microphone::On, true)));
    world.press(members[1], Command::Announce(state(Microphone::Muted, false)));
    let late = world.join(members[0], "Denis");
    world.press(late, Command::Announce(state(Microphone::On, false)));
    world.run(secs(1));
    world.press(members[1], Command::Announce(MediaState::default()));
    world.run(secs(20));
    members.push(late);
    world.assert_rest(&members);
    assert_eq!(world.client(late).people.iter().filter(|person| person.state.microphone == Microphone::On).count(), 2);
}

#[test]
fn commits_of_one_moment_all_settle() {
    for seed in 10..14 {
        let mut world = World::seeded(seed);
        let members = world.meeting(&["Ada", "Blaise", "Chloé", "Denis", "Émile"]);
        let before = world.client(members[0]).epoch.unwrap();
        for who in &members {
            world.press(*who, Command::Refresh);
        }
        world.run(secs(30));
        world.assert_rest(&members);
        let after = world.client(members[0]).epoch.unwrap();
        assert_eq!(after.0 - before.0, members.len() as u64, "everybody's wish was fulfilled once");
    }
}

#[test]
fn somebody_put_out_hears_nothing_more() {
    for seed in 20..24 {
        let mut world = World::seeded(seed);
        let members = world.meeting(&["Ada", "Blaise", "Chloé", "Denis"]);
        let blaise = world.client(members[1]).id();
        // Against others' commits, and somebody at the door.
        for who in &members[1..] {
            world.press(*who, Command::Refresh);
        }
        let late = world.join(members[0], "Émile");
        world.press(members[0], Command::Remove(blaise));
        world.run(secs(30));
        assert_eq!(world.client(members[1]).ending, Some(Ending::Ended(Reason::Removed)));
        world.assert_rest(&[members[0], members[2], members[3], late]);
        assert!(world.client(members[2]).left.iter().any(|(id, removed, _)| *id == blaise && *removed));
    }
}

#[test]
fn only_the_organiser_puts_out() {
    let mut world = World::seeded(30);
    let members = world.meeting(&["Ada", "Blaise", "Chloé"]);
    let ada = world.client(members[0]).id();
    world.press(members[1], Command::Remove(ada));
    world.run(secs(10));
    assert_eq!(world.client(members[1]).notices, [Notice::NotAllowed]);
    world.assert_rest(&members);
}

#[test]
fn who_leaves_is_left_out_of_the_next_keys() {
    let mut world = World::seeded(31);
    let members = world.meeting(&["Ada", "Blaise", "Chloé"]);
    let blaise = world.client(members[1]).id();
    world.press(members[1], Command::Leave);
    world.run(secs(10));
    assert_eq!(world.client(members[1]).ending, Some(Ending::Ended(Reason::Left)));
    world.assert_rest(&[members[0], members[2]]);
    assert!(world.client(members[0]).left.iter().any(|(id, removed, _)| *id == blaise && !removed));
}

#[test]
fn who_vanishes_is_out_within_ten_seconds() {
    for seed in 40..44 {
        let mut world = World::seeded(seed);
        let members = world.meeting(&["Ada", "Blaise", "Chloé"]);
        match seed % 3 {
            0 => world.kill(members[2]),
            1 => world.cut(members[2]),
            _ => world.reset(members[2]),
        }
        world.run(secs(10));
        world.assert_rest(&members[..2]);
    }
}

#[test]
fn a_silent_server_ends_the_meeting_with_its_reason() {
    let mut world = World::seeded(45);
    let members = world.meeting(&["Ada", "Blaise"]);
    world.cut(members[1]);
    world.run(secs(9));
    assert_eq!(world.client(members[1]).ending, Some(Ending::Ended(Reason::ServerSilent)));
}

#[test]
fn without_its_organiser_a_meeting_goes_on_and_lets_nobody_in() {
    for seed in 50..54 {
        let mut world = World::seeded(seed);
        let members = world.meeting(&["Ada", "Blaise", "Chloé", "Denis"]);
        let invitation = world.invitation(members[0]);
        world.kill(members[0]);
        let knocks = world.join_by(invitation.clone(), "Émile");
        world.run(secs(3));
        let comes_later = world.join_by(invitation, "Fanny");
        world.run(secs(20));
        world.assert_rest(&members[1..]);
        for who in [knocks, comes_later] {
            assert_eq!(world.client(who).ending, Some(Ending::Ended(Reason::Unattended)));
        }
        assert!(world.client(members[1]).notices.contains(&Notice::Unattended));
        // Those who are left still change keys when somebody goes.
        world.press(members[2], Command::Leave);
        world.run(secs(10));
        world.assert_rest(&[members[1], members[3]]);
    }
}

#[test]
fn who_gives_up_at_the_door_leaves_nothing_behind() {
    for seed in 60..70 {
        let mut world = World::seeded(seed);
        let members = world.meeting(&["Ada", "Blaise"]);
        let impatient = world.join(members[0], "Chloé");
        let wait = Duration::from_millis(world.random().random_range(50..1_500));
        world.run(wait);
        world.kill(impatient);
        let late = world.join(members[0], "Denis");
        world.run(secs(20));
        world.assert_rest(&[members[0], members[1], late]);
    }
}

#[test]
fn who_enters_while_others_vanish_draws_the_same_conclusions() {
    for seed in 70..80 {
        let mut world = World::seeded(seed);
        let members = world.meeting(&["Ada", "Blaise", "Chloé", "Denis"]);
        let late = world.join(members[0], "Émile");
        world.kill(members[2]);
        let wait = Duration::from_millis(world.random().random_range(50..1_500));
        world.run(wait);
        world.kill(members[0]);
        world.run(secs(30));
        let let_in = world.client(late).ending.is_none();
        let inside = [members[1], members[3], late];
        world.assert_rest(if let_in { &inside } else { &inside[..2] });
    }
}

#[test]
fn who_is_let_in_by_an_organisers_last_act_accepts_what_follows() {
    let mut knew = 0;
    for seed in 200..212 {
        let mut world = World::seeded(seed);
        let members = world.meeting(&["Ada", "Blaise", "Chloé", "Denis"]);
        let before = world.client(members[0]).commits;
        let late = world.join(members[0], "Émile");
        assert!(world.run_until(secs(10), |world| world.client(members[0]).commits > before));
        // The commit that lets Émile in is on its way; so are, in some order, two good-byes.
        world.kill(members[2]);
        world.kill(members[0]);
        world.run(secs(30));
        world.assert_rest(&[members[1], members[3], late]);
        knew += usize::from(world.client(late).left.len() == 2);
    }
    assert!(knew > 0, "somebody entered between a going and its removal");
}

#[test]
fn a_member_that_does_not_do_its_part_is_stood_in_for() {
    let mut world = World::seeded(81);
    let members = world.meeting(&["Ada", "Blaise", "Chloé", "Denis"]);
    world.swallow_commits(members[0]);
    world.swallow_commits(members[1]);
    world.kill(members[3]);
    world.run(secs(14));
    world.assert_rest(&members[..3]);
}

#[test]
fn a_void_commit_wins_an_epoch_and_nothing_else() {
    let mut world = World::seeded(82);
    let mut members = world.meeting(&["Ada", "Blaise", "Chloé"]);
    let epoch = world.client(members[0]).epoch.unwrap();
    let chloe = world.client(members[2]).id();
    let void = Up::Commit { epoch, blob: Blob(vec![7; 300]), welcomes: Vec::new(), removed: Vec::new() };
    world.inject(members[1], &void);
    world.run(secs(3));
    let blaise = world.client(members[1]).id();
    assert_eq!(world.client(members[0]).notices, [Notice::CommitRejected(blaise)]);
    assert_eq!(world.client(members[0]).epoch, Some(epoch), "the keys stay");
    members.push(world.join(members[0], "Denis"));
    world.run(secs(10));
    world.press(members[3], Command::Announce(state(Microphone::On, true)));
    world.press(members[0], Command::Remove(chloe));
    world.run(secs(20));
    members.remove(2);
    world.assert_rest(&members);
}

#[test]
fn a_member_whom_a_void_commit_put_out_is_no_ghost() {
    let mut world = World::seeded(83);
    let members = world.meeting(&["Ada", "Blaise", "Chloé"]);
    let epoch = world.client(members[0]).epoch.unwrap();
    let removed = vec![world.client(members[2]).id()];
    world.inject(members[1], &Up::Commit { epoch, blob: Blob(vec![7; 300]), welcomes: Vec::new(), removed });
    world.run(secs(20));
    world.assert_rest(&members[..2]);
}

#[test]
fn a_commit_cannot_be_smuggled_past_the_order() {
    let mut world = World::seeded(84);
    let members = world.meeting(&["Ada", "Blaise", "Chloé"]);
    world.swallow_commits(members[1]);
    let epoch = world.client(members[0]).epoch.unwrap();
    world.press(members[1], Command::Refresh);
    let commit = world.client(members[1]).swallowed.clone().expect("it tried");
    world.inject(members[1], &Up::Tell { epoch, blob: commit });
    world.run(secs(5));
    world.press(members[0], Command::Announce(state(Microphone::On, true)));
    world.run(secs(5));
    assert_eq!(world.client(members[0]).epoch, Some(epoch), "what is told changes no keys");
    world.assert_rest(&members);
}

#[test]
fn a_server_that_skips_replays_or_rambles_is_named() {
    let members_of = |seed| {
        let mut world = World::seeded(seed);
        let members = world.meeting(&["Ada", "Blaise"]);
        (world, members)
    };
    let gone = |at| Down::Log { position: Position(at), entry: Entry::Gone { participant: ParticipantId(1) } };
    let entry = Entry::Commit { from: ParticipantId(1), epoch: Epoch(77), blob: Blob(vec![1]) };
    let rambling = [
        proto::encode(&gone(77)),
        proto::encode(&gone(0)),
        proto::encode(&Down::Log { position: Position(1), entry }),
        proto::encode(&Down::Created),
        proto::encode(&Down::Admitted {
            welcome: Blob(Vec::new()),
            position: Position(0),
            epoch: Epoch(0),
            gone: vec![],
        }),
        vec![0xff, 0x00],
        Vec::new(),
    ];
    for (at, bytes) in rambling.into_iter().enumerate() {
        let (mut world, members) = members_of(90 + at as u64);
        world.inject_down(members[1], bytes);
        world.run(secs(10));
        let ending = world.client(members[1]).ending.clone();
        assert!(matches!(ending, Some(Ending::Ended(Reason::Server(_)))), "{at}: {ending:?}");
        world.assert_rest(&members[..1]);
    }
}

#[test]
fn after_any_storm_there_is_calm() {
    for seed in 1_000..1_000 + STORMS {
        storm(seed);
    }
}

/// A minute in which anything may happen to anybody, and then a rest.
fn storm(seed: u64) {
    let mut world = World::seeded(seed);
    let organiser = world.create("Ada");
    world.run(secs(3));
    let invitation = world.invitation(organiser);
    for round in 0..40 {
        let wait = Duration::from_millis(world.random().random_range(0..2_500));
        world.run(wait);
        let living = world.living();
        let Some(who) = living.choose(world.random()).copied() else { break };
        match world.random().random_range(0..100) {
            0..30 if living.len() < 8 => drop(world.join_by(invitation.clone(), &format!("Guest {round}"))),
            0..50 => world.press(who, Command::Refresh),
            50..75 => {
                let all = [Microphone::Off, Microphone::Muted, Microphone::On];
                let microphone = *all.choose(world.random()).expect("there are three");
                let camera = world.random().random();
                world.press(who, Command::Announce(state(microphone, camera)));
            }
            75..83 => {
                let people = &world.client(organiser).people;
                let at = people.len().saturating_sub(1 + round % 4);
                let id = people.get(at).map(|person| person.id);
                let may = world.client(organiser).ending.is_none();
                if let Some(id) = id.filter(|_| may) {
                    world.press(organiser, Command::Remove(id));
                }
            }
            83..88 if who != organiser => world.press(who, Command::Leave),
            88..92 if who != organiser => world.kill(who),
            92..95 if who != organiser => world.cut(who),
            95..98 if who != organiser => world.reset(who),
            // Sometimes the organiser too, late.
            98.. if round > 30 => world.kill(organiser),
            _ => {}
        }
    }
    world.run(secs(60));
    let living = world.living();
    world.assert_rest(&living);
}

fn state(microphone: Microphone, camera: bool) -> MediaState {
    MediaState { microphone, camera, screen: false }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// How many storms a run of the tests sees.
const STORMS: u64 = 24;
