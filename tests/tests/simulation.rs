//! Simulated meetings: clients join, leave, are removed, disconnect and commit at the same time. Then all members must agree.

#[path = "simulation/chat.rs"]
mod chat;
#[path = "simulation/floor.rs"]
mod floor;
#[path = "simulation/half_valid.rs"]
mod half_valid;
#[path = "simulation/hostile.rs"]
mod hostile;
#[path = "simulation/presence.rs"]
mod presence;
#[path = "simulation/returning.rs"]
mod returning;
#[path = "simulation/waiting_room.rs"]
mod waiting_room;
#[path = "simulation/whole.rs"]
mod whole;

use net::meeting::{Command, MediaState, Microphone, Notice};
use proto::{Blob, Down, Epoch, LogEntry, ParticipantId, Position, Reason, Refusal, ResumeToken, Up};
use rand::Rng;
use rand::seq::IndexedRandom;
use std::time::Duration;
use tests::simulation::{ClientId, Ending, Simulation};

#[test]
fn three_clients_join_and_agree() {
    let mut simulation = Simulation::seeded(1);
    let members = simulation.meeting(&["Ada", "Blaise", "Chloé"]);
    assert_eq!(simulation.client(members[0]).joined.len(), 2);
    assert!(simulation.client(members[0]).is_organiser() && !simulation.client(members[1]).is_organiser());
}

#[test]
fn simultaneous_knocks_are_admitted_by_few_commits() {
    let mut simulation = Simulation::seeded(2);
    let organiser = simulation.create("Ada");
    simulation.run(secs(3));
    let guests: Vec<_> = (0..12).map(|at| simulation.join(organiser, &format!("Guest {at}"))).collect();
    simulation.run(secs(20));
    assert!(
        simulation.client(organiser).commits < 12,
        "{} commits for 12 knocks",
        simulation.client(organiser).commits
    );
    simulation.assert_agreement(&[vec![organiser], guests].concat());
}

#[test]
fn a_late_member_knows_what_the_others_send() {
    let mut simulation = Simulation::seeded(3);
    let mut members = simulation.meeting(&["Ada", "Blaise", "Chloé"]);
    simulation.command(members[0], Command::Announce(state(Microphone::On, true)));
    simulation.command(members[1], Command::Announce(state(Microphone::Muted, false)));
    let late = simulation.join(members[0], "Denis");
    simulation.command(late, Command::Announce(state(Microphone::On, false)));
    simulation.run(secs(1));
    simulation.command(members[1], Command::Announce(MediaState::default()));
    simulation.run(secs(20));
    members.push(late);
    simulation.assert_agreement(&members);
    assert_eq!(
        simulation.client(late).people.iter().filter(|person| person.state.microphone == Microphone::On).count(),
        2
    );
}

#[test]
fn simultaneous_commits_are_all_applied() {
    for seed in 10..14 {
        let mut simulation = Simulation::seeded(seed);
        let members = simulation.meeting(&["Ada", "Blaise", "Chloé", "Denis", "Émile"]);
        let before = simulation.client(members[0]).epoch.unwrap();
        for client in &members {
            simulation.command(*client, Command::Refresh);
        }
        simulation.run(secs(30));
        simulation.assert_agreement(&members);
        let after = simulation.client(members[0]).epoch.unwrap();
        assert_eq!(after.0 - before.0, members.len() as u64, "one commit of each member");
    }
}

#[test]
fn a_removed_member_opens_no_later_frame() {
    for seed in 20..24 {
        let mut simulation = Simulation::seeded(seed);
        let members = simulation.meeting(&["Ada", "Blaise", "Chloé", "Denis"]);
        let blaise = simulation.client(members[1]).id();
        // Other members commit and a guest knocks at the same time.
        for client in &members[1..] {
            simulation.command(*client, Command::Refresh);
        }
        let late = simulation.join(members[0], "Émile");
        simulation.command(members[0], Command::Remove(blaise));
        simulation.run(secs(30));
        assert_eq!(simulation.client(members[1]).ending, Some(Ending::Ended(Reason::Removed)));
        // The knock may have come after the removal, by the old link: then the organiser decides.
        for asking in simulation.client(members[0]).asking.clone() {
            simulation.command(members[0], Command::Admit(asking));
        }
        simulation.run(secs(10));
        simulation.assert_agreement(&[members[0], members[2], members[3], late]);
        assert!(simulation.client(members[2]).left.iter().any(|(id, removed, _)| *id == blaise && *removed));
    }
}

#[test]
fn a_meeting_goes_on_after_its_server_was_killed_at_any_moment() {
    for seed in 700..720 {
        let mut simulation = Simulation::seeded(seed);
        let members = simulation.meeting(&["Ada", "Blaise", "Chloé", "Denis"]);
        let ids = |simulation: &Simulation, count: usize| {
            members[..count].iter().map(|member| simulation.client(*member).id()).collect::<Vec<_>>()
        };
        let before = ids(&simulation, 4);
        for round in 0..4 {
            for member in &members {
                let camera = simulation.random().random();
                simulation.command(*member, Command::Announce(state(Microphone::On, camera)));
                if simulation.random().random() {
                    simulation.command(*member, Command::Refresh);
                }
            }
            let pause = simulation.random().random_range(0..500);
            simulation.run(Duration::from_millis(pause));
            simulation.restart_server();
            simulation.run(secs(12));
            assert_eq!(ids(&simulation, 4), before, "seed {seed}, round {round}: all came back as the same members");
        }
        simulation.command(members[0], Command::Remove(before[3]));
        let pause = simulation.random().random_range(0..500);
        simulation.run(Duration::from_millis(pause));
        simulation.restart_server();
        simulation.run(secs(40));
        let ending = simulation.client(members[3]).ending.clone();
        assert!(matches!(ending, Some(Ending::Ended(Reason::Removed | Reason::Barred))), "seed {seed}: {ending:?}");
        simulation.assert_agreement(&members[..3]);
        assert_eq!(ids(&simulation, 3), before[..3], "seed {seed}");
    }
}

#[test]
fn only_the_organiser_can_remove() {
    let mut simulation = Simulation::seeded(30);
    let members = simulation.meeting(&["Ada", "Blaise", "Chloé"]);
    let ada = simulation.client(members[0]).id();
    simulation.command(members[1], Command::Remove(ada));
    simulation.run(secs(10));
    assert_eq!(simulation.client(members[1]).notices, [Notice::NotAllowed]);
    simulation.assert_agreement(&members);
}

#[test]
fn a_member_that_leaves_does_not_get_the_next_keys() {
    let mut simulation = Simulation::seeded(31);
    let members = simulation.meeting(&["Ada", "Blaise", "Chloé"]);
    let blaise = simulation.client(members[1]).id();
    simulation.command(members[1], Command::Leave);
    simulation.run(secs(10));
    assert_eq!(simulation.client(members[1]).ending, Some(Ending::Ended(Reason::Left)));
    simulation.assert_agreement(&[members[0], members[2]]);
    assert!(simulation.client(members[0]).left.iter().any(|(id, removed, _)| *id == blaise && !removed));
}

#[test]
fn a_member_that_does_not_come_back_is_removed() {
    for seed in 40..44 {
        let mut simulation = Simulation::seeded(seed);
        let members = simulation.meeting(&["Ada", "Blaise", "Chloé"]);
        if seed % 2 == 0 {
            simulation.kill(members[2]);
        } else {
            simulation.cut(members[2]);
        }
        simulation.run(secs(15));
        let chloe = simulation.client(members[2]).past_id();
        assert!(simulation.client(members[0]).knows(chloe), "it may still come back");
        simulation.run(secs(25));
        assert!(!simulation.client(members[0]).knows(chloe));
        if seed % 2 == 1 {
            simulation.run(secs(180));
            let ending = simulation.client(members[2]).ending.clone();
            assert!(matches!(ending, Some(Ending::Ended(Reason::Unreachable(_)))), "{ending:?}");
        }
        simulation.assert_agreement(&members[..2]);
    }
}

#[test]
fn a_member_resumes_after_its_network_was_gone_for_ten_seconds() {
    for seed in 45..50 {
        let mut simulation = Simulation::seeded(seed);
        let mut members = simulation.meeting(&["Ada", "Blaise", "Chloé"]);
        let who = members[(seed % 3) as usize];
        let id = simulation.client(who).id();
        if seed % 2 == 0 {
            simulation.reset(who);
        } else {
            simulation.cut(who);
        }
        // Somebody joins meanwhile, and this member commits.
        members.push(simulation.join(members[0], "Denis"));
        simulation.command(who, Command::Refresh);
        simulation.command(who, Command::Announce(state(Microphone::On, true)));
        simulation.run(secs(10));
        simulation.repair(who);
        simulation.run(secs(40));
        assert_eq!(simulation.client(who).id(), id, "seed {seed}: it is the same member");
        assert!(simulation.client(who).reconnecting > 0);
        simulation.assert_agreement(&members);
    }
}

#[test]
fn a_member_joins_again_after_its_network_was_gone_for_a_minute() {
    for seed in 30_050..30_054 {
        let mut simulation = Simulation::seeded(seed);
        let members = simulation.meeting(&["Ada", "Blaise", "Chloé"]);
        // In every second run it is the organiser, whom the others let in again.
        let who = members[(seed % 2) as usize];
        let id = simulation.client(who).id();
        simulation.cut(who);
        simulation.run(secs(60));
        simulation.repair(who);
        simulation.run(secs(60));
        assert_ne!(simulation.client(who).id(), id);
        assert_eq!(simulation.client(who).is_organiser(), seed % 2 == 0);
        simulation.assert_agreement(&members);
    }
}

#[test]
fn a_meeting_without_organiser_continues_and_admits_nobody() {
    for seed in 50..54 {
        let mut simulation = Simulation::seeded(seed);
        let members = simulation.meeting(&["Ada", "Blaise", "Chloé", "Denis"]);
        let invitation = simulation.invitation(members[0]);
        simulation.command(members[0], Command::Leave);
        simulation.run(secs(3));
        let late = simulation.join_by(invitation, "Fanny");
        simulation.run(secs(20));
        assert_eq!(simulation.client(late).ending, None);
        assert!(
            simulation.client(late).entered.is_none() && simulation.client(late).notices.contains(&Notice::NoAnswerYet)
        );
        simulation.command(late, Command::Leave);
        assert!(simulation.client(members[1]).notices.contains(&Notice::Unattended));
        // The remaining members still change keys if a member leaves.
        simulation.command(members[2], Command::Leave);
        simulation.run(secs(15));
        simulation.assert_agreement(&[members[1], members[3]]);
    }
}

#[test]
fn a_client_that_disconnects_while_it_waits_does_not_become_a_member() {
    for seed in 60..70 {
        let mut simulation = Simulation::seeded(seed);
        let members = simulation.meeting(&["Ada", "Blaise"]);
        let waiting = simulation.join(members[0], "Chloé");
        let wait = Duration::from_millis(simulation.random().random_range(50..1_500));
        simulation.run(wait);
        simulation.kill(waiting);
        let late = simulation.join(members[0], "Denis");
        simulation.run(secs(45));
        simulation.assert_agreement(&[members[0], members[1], late]);
    }
}

#[test]
fn a_client_that_joins_while_others_disconnect_agrees_with_the_members() {
    for seed in 70..80 {
        let mut simulation = Simulation::seeded(seed);
        let members = simulation.meeting(&["Ada", "Blaise", "Chloé", "Denis"]);
        let late = simulation.join(members[0], "Émile");
        simulation.kill(members[2]);
        let wait = Duration::from_millis(simulation.random().random_range(50..1_500));
        simulation.run(wait);
        simulation.kill(members[0]);
        simulation.run(secs(60));
        let admitted = simulation.client(late).entered.is_some();
        if !admitted {
            simulation.command(late, Command::Leave);
            simulation.run(secs(5));
        }
        let members = [members[1], members[3], late];
        simulation.assert_agreement(if admitted { &members } else { &members[..2] });
    }
}

#[test]
fn a_client_admitted_by_an_organiser_that_disconnects_accepts_later_commits() {
    let mut knew_both = 0;
    for seed in 200..212 {
        let mut simulation = Simulation::seeded(seed);
        let members = simulation.meeting(&["Ada", "Blaise", "Chloé", "Denis"]);
        let before = simulation.client(members[0]).commits;
        let late = simulation.join(members[0], "Émile");
        assert!(simulation.run_until(secs(10), |simulation| simulation.client(members[0]).commits > before));
        // The commit that admits Émile is on its way. Two members disconnect before it is processed, in some order.
        simulation.kill(members[2]);
        simulation.kill(members[0]);
        simulation.run(secs(60));
        simulation.assert_agreement(&[members[1], members[3], late]);
        knew_both += usize::from(simulation.client(late).left.len() == 2);
    }
    assert!(knew_both > 0, "in no run was Émile admitted between a disconnection and the removal");
}

#[test]
fn other_members_commit_if_the_responsible_ones_do_not() {
    let mut simulation = Simulation::seeded(81);
    let members = simulation.meeting(&["Ada", "Blaise", "Chloé", "Denis"]);
    simulation.drop_commits(members[0]);
    simulation.drop_commits(members[1]);
    simulation.command(members[3], Command::Leave);
    simulation.run(secs(14));
    simulation.assert_agreement(&members[..3]);
}

#[test]
fn an_invalid_commit_costs_its_sender_the_membership_and_changes_nothing_else() {
    let mut simulation = Simulation::seeded(82);
    let mut members = simulation.meeting(&["Ada", "Blaise", "Chloé"]);
    let epoch = simulation.client(members[0]).epoch.unwrap();
    let (blaise, chloe) = (simulation.client(members[1]).id(), simulation.client(members[2]).id());
    simulation.inject(members[1], &void(epoch));
    simulation.run(secs(20));
    assert!(simulation.client(members[0]).notices.contains(&Notice::CommitRejected(blaise)));
    assert!(matches!(simulation.client(members[1]).ending, Some(Ending::Ended(_))));
    members.remove(1);
    simulation.assert_agreement(&members);
    members.push(simulation.join(members[0], "Denis"));
    simulation.run(secs(10));
    simulation.command(members[2], Command::Announce(state(Microphone::On, true)));
    simulation.command(members[0], Command::Remove(chloe));
    simulation.run(secs(20));
    members.remove(1);
    simulation.assert_agreement(&members);
}

/// On the code before, the server obeyed: everybody read that the organiser had removed them.
#[test]
fn a_member_removes_nobody_with_a_commit() {
    let mut simulation = Simulation::seeded(83);
    let members = simulation.meeting(&["Ada", "Blaise", "Chloé"]);
    let epoch = simulation.client(members[0]).epoch.unwrap();
    let removed = vec![simulation.client(members[0]).id(), simulation.client(members[2]).id()];
    simulation.inject(members[1], &Up::Commit { epoch, blob: Blob(vec![0]), removed, welcome: None });
    simulation.kill(members[1]);
    simulation.run(secs(40));
    simulation.assert_agreement(&[members[0], members[2]]);
}

/// On the code before, a client that rejected a commit of a later epoch, as any member could claim, ended its meeting.
#[test]
fn a_junk_message_that_claims_a_later_epoch_ends_nothing() {
    let mut simulation = Simulation::seeded(85);
    let members = simulation.meeting(&["Ada", "Blaise", "Chloé"]);
    let epoch = simulation.client(members[0]).epoch.unwrap();
    let meeting = simulation.invitation(members[0]).meeting;
    let junk = [&[0, 1, 0, 2, 16][..], &meeting.0, &u64::MAX.to_be_bytes(), &[1, 0, 0]].concat();
    for from in &members[1..] {
        simulation.inject(*from, &Up::Tell { epoch, blob: Blob(junk.clone()) });
    }
    simulation.run(secs(10));
    assert!(members.iter().all(|member| simulation.client(*member).reconnecting == 0));
    simulation.assert_agreement(&members);
}

#[test]
fn only_a_joiner_whose_clock_is_wrong_by_more_than_its_certificate_lasts_is_refused_and_told() {
    let mut simulation = Simulation::seeded(86);
    let members = simulation.meeting(&["Ada", "Blaise"]);
    let invitation = simulation.invitation(members[0]);
    let late = simulation.join_with_clock(invitation.clone(), "Chloé", 1_800);
    let wrong = simulation.join_with_clock(invitation, "Denis", -100_000);
    simulation.run(secs(20));
    simulation.assert_agreement(&[members[0], members[1], late]);
    let ending = simulation.client(wrong).ending.clone();
    let Some(Ending::Ended(Reason::OwnClock { ahead })) = ending else { panic!("{ending:?}") };
    assert!((-100_060..-99_940).contains(&ahead), "{ahead} s");
}

#[test]
fn a_removed_device_stays_out_and_its_link_leads_only_to_the_organiser() {
    let mut simulation = Simulation::seeded(87);
    let members = simulation.meeting(&["Ada", "Blaise", "Chloé"]);
    let old = simulation.invitation(members[0]);
    let chloe = simulation.client(members[2]).id();
    simulation.command(members[0], Command::Remove(chloe));
    simulation.run(secs(10));
    let again = simulation.join_by(old, "Chloé with another device");
    let invited = simulation.join(members[0], "Denis");
    simulation.run(secs(15));
    assert!(simulation.client(again).entered.is_none());
    assert_eq!(simulation.client(members[0]).asking.len(), 1);
    let asking = simulation.client(members[0]).asking[0];
    simulation.command(members[0], Command::Refuse(asking, Refusal::Declined));
    simulation.run(secs(10));
    assert_eq!(simulation.client(again).ending, Some(Ending::Ended(Reason::OldLink)));
    simulation.assert_agreement(&[members[0], members[1], invited]);
}

/// The organiser removes a member while that one sends invalid commits as fast as it can: 45 a second.
#[test]
fn a_removal_lands_while_a_member_floods_the_log_with_commits() {
    let mut simulation = Simulation::seeded(88);
    let members = simulation.meeting(&["Ada", "Blaise", "Chloé"]);
    let flooder = simulation.client(members[2]).id();
    for round in 0..45 {
        for epoch in 0..20 {
            simulation.inject(members[2], &void(Epoch(epoch)));
        }
        if round == 20 {
            simulation.command(members[0], Command::Remove(flooder));
        }
        simulation.run(Duration::from_millis(22));
    }
    simulation.run(secs(10));
    simulation.assert_agreement(&members[..2]);
}

/// Returns a commit that nobody can read.
fn void(epoch: Epoch) -> Up {
    Up::Commit { epoch, blob: Blob(vec![7; 300]), removed: Vec::new(), welcome: None }
}

#[test]
fn a_commit_sent_as_an_application_message_is_rejected() {
    let mut simulation = Simulation::seeded(84);
    let members = simulation.meeting(&["Ada", "Blaise", "Chloé"]);
    simulation.drop_commits(members[1]);
    let epoch = simulation.client(members[0]).epoch.unwrap();
    simulation.command(members[1], Command::Refresh);
    let commit = simulation.client(members[1]).dropped_commit.clone().expect("it sent a commit");
    simulation.inject(members[1], &Up::Tell { epoch, blob: commit });
    simulation.run(secs(5));
    simulation.command(members[0], Command::Announce(state(Microphone::On, true)));
    simulation.run(secs(5));
    assert_eq!(simulation.client(members[0]).epoch, Some(epoch), "an application message does not change the keys");
    simulation.assert_agreement(&members);
}

#[test]
fn a_server_that_breaks_the_protocol_is_named_as_the_reason() {
    let two_members = |seed| {
        let mut simulation = Simulation::seeded(seed);
        let members = simulation.meeting(&["Ada", "Blaise"]);
        (simulation, members)
    };
    let gone =
        |at| Down::Log { position: Position(at), entry: LogEntry::Gone { participant: ParticipantId(1), by: None } };
    let entry = LogEntry::Commit { from: ParticipantId(1), epoch: Epoch(77), blob: Blob(vec![1]) };
    let violations = [
        proto::encode(&gone(77)),
        proto::encode(&gone(0)),
        proto::encode(&Down::Log { position: Position(1), entry }),
        proto::encode(&Down::Created { resume: ResumeToken([1; 32]) }),
        proto::encode(&Down::Admitted {
            welcome: Blob(Vec::new()),
            position: Position(0),
            epoch: Epoch(0),
            gone: vec![],
            resume: ResumeToken([1; 32]),
            tree: 0,
        }),
        proto::encode(&Down::Tree { part: Blob(vec![1]) }),
        vec![0xff, 0x00],
        Vec::new(),
    ];
    for (at, bytes) in violations.into_iter().enumerate() {
        let (mut simulation, members) = two_members(90 + at as u64);
        simulation.inject_down(members[1], bytes);
        simulation.run(secs(10));
        let ending = simulation.client(members[1]).ending.clone();
        assert!(matches!(ending, Some(Ending::Ended(Reason::Server(_)))), "{at}: {ending:?}");
        simulation.run(secs(25));
        simulation.assert_agreement(&members[..1]);
    }
}

#[test]
fn after_random_actions_all_agree() {
    for seed in 1_000..1_000 + RANDOM_RUNS {
        println!("seed {seed}");
        random_actions(seed);
    }
}

/// Performs 40 random actions of clients, then waits and asserts that all agree.
fn random_actions(seed: u64) {
    let mut simulation = Simulation::seeded(seed);
    let organiser = simulation.create("Ada");
    simulation.run(secs(3));
    let invitation = simulation.invitation(organiser);
    let mut cut = Vec::new();
    for round in 0..40 {
        let wait = Duration::from_millis(simulation.random().random_range(0..2_500));
        simulation.run(wait);
        let active = simulation.active();
        let Some(client) = active.choose(simulation.random()).copied() else { break };
        match simulation.random().random_range(0..100) {
            0..30 if active.len() < 8 => drop(simulation.join_by(invitation.clone(), &format!("Guest {round}"))),
            0..50 => simulation.command(client, Command::Refresh),
            50..75 => {
                let all = [Microphone::Off, Microphone::Muted, Microphone::On];
                let microphone = *all.choose(simulation.random()).expect("there are three");
                let camera = simulation.random().random();
                simulation.command(client, Command::Announce(state(microphone, camera)));
            }
            75..83 => {
                let people = &simulation.client(organiser).people;
                let at = people.len().saturating_sub(1 + round % 4);
                let id = people.get(at).map(|person| person.id);
                let can_remove = simulation.client(organiser).ending.is_none();
                if let Some(id) = id.filter(|_| can_remove) {
                    simulation.command(organiser, Command::Remove(id));
                }
            }
            83..88 if client != organiser => simulation.command(client, Command::Leave),
            88..92 if client != organiser => simulation.kill(client),
            92..95 if client != organiser => {
                simulation.cut(client);
                cut.push(client);
            }
            95..98 if client != organiser => simulation.reset(client),
            // The organiser disconnects only near the end, because nobody can join after that.
            98.. if round > 30 => simulation.kill(organiser),
            _ => {}
        }
    }
    simulation.run(secs(15));
    for client in cut {
        simulation.repair(client);
    }
    simulation.run(secs(200));
    let inside = members_at_rest(&mut simulation, organiser);
    simulation.assert_agreement(&inside);
}

/// Admits those who wait, or lets them leave if nobody can, and returns the members.
fn members_at_rest(simulation: &mut Simulation, organiser: ClientId) -> Vec<ClientId> {
    // Those who asked with a link from before a removal wait for the organiser, and so do those who were away for too long.
    let is_led = simulation.client(organiser).ending.is_none();
    if is_led {
        let asking = simulation.client(organiser).asking.clone();
        simulation.command(organiser, Command::AdmitAll(asking));
        simulation.run(secs(20));
    }
    let mut inside = Vec::new();
    for client in simulation.active() {
        let state = simulation.client(client);
        if state.entered.is_some() && (is_led || state.out_since.is_none()) {
            inside.push(client);
        } else {
            simulation.command(client, Command::Leave);
        }
    }
    simulation.run(secs(20));
    inside.retain(|client| simulation.client(*client).ending.is_none());
    inside
}

fn state(microphone: Microphone, camera: bool) -> MediaState {
    MediaState { microphone, camera, ..MediaState::default() }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The number of random runs.
const RANDOM_RUNS: u64 = 24;
