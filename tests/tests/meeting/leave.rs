//! How an organiser leaves a meeting, what the others learn of it, and how the organiser comes back.

use super::TIMEOUT;
use anyhow::{Context, Result};
use engine::{AudioChoice, Choice, Command, Entry, NoticeKind, Reason, Refusal};
use std::time::Duration;
use tests::people::{Host, Person};

fn enter(entry: Entry, name: &str) -> Result<Person> {
    let mut person = Person::enter(entry, name, Choice::Off, AudioChoice::Off)?;
    person.wait(TIMEOUT, "the participant is a member", |person| person.me.is_some())?;
    Ok(person)
}

/// Returns an organiser and a guest.
fn meeting(host: &Host) -> Result<(Person, Person)> {
    let mut anne = enter(host.entry(), "Anne")?;
    let mut bob = enter(Entry::Join(anne.link.parse()?), "Bob")?;
    for person in [&mut anne, &mut bob] {
        person.wait(TIMEOUT, "two people are listed", |person| person.people.len() == 2)?;
    }
    Ok((anne, bob))
}

/// Returns an organiser who has removed a guest, and the link from before.
fn meeting_with_old_link(host: &Host) -> Result<(Person, String)> {
    let (mut anne, bob) = meeting(host)?;
    let old = anne.link.clone();
    anne.engine.send(Command::Remove(bob.me.context("Bob is a member")?))?;
    anne.wait(TIMEOUT, "the link changes", |anne| anne.link != old && anne.people.len() == 1)?;
    Ok((anne, old))
}

#[test]
fn the_guests_learn_that_the_organiser_ended_the_meeting() -> Result<()> {
    let host = Host::start()?;
    let (mut anne, mut bob) = meeting(&host)?;
    anne.engine.send(Command::End)?;
    anne.wait(TIMEOUT, "Anne has left", |anne| anne.ended == Some(Reason::Left))?;
    bob.wait(TIMEOUT, "Bob learns it", |bob| bob.ended == Some(Reason::Ended))?;
    Ok(())
}

/// The window that closes has no time to wait for the answer.
#[test]
fn an_end_that_waits_when_the_engine_closes_ends_the_meeting() -> Result<()> {
    let host = Host::start()?;
    for _ in 0..5 {
        let (anne, mut bob) = meeting(&host)?;
        anne.engine.send(Command::End)?;
        anne.engine.close();
        bob.wait(TIMEOUT, "Bob learns it", |bob| bob.ended == Some(Reason::Ended))?;
    }
    Ok(())
}

#[test]
fn a_guest_cannot_end_the_meeting() -> Result<()> {
    let host = Host::start()?;
    let (mut anne, mut bob) = meeting(&host)?;
    bob.engine.send(Command::End)?;
    bob.wait(TIMEOUT, "Bob is told", |bob| bob.notices.contains(&NoticeKind::NotAllowed))?;
    anne.follow();
    assert_eq!((&anne.ended, &bob.ended, host.meetings()), (&None, &None, 1));
    Ok(())
}

#[test]
fn the_guests_learn_that_the_host_stopped_its_server() -> Result<()> {
    let mut host = Host::start()?;
    let (anne, mut bob) = meeting(&host)?;
    anne.engine.close();
    bob.wait(TIMEOUT, "Bob is alone", |bob| bob.people.len() == 1)?;
    assert_eq!(host.meetings(), 1, "it goes on without the organiser");
    host.stop_hosting();
    bob.wait(TIMEOUT, "Bob learns it", |bob| bob.ended == Some(Reason::HostStopped))?;
    Ok(())
}

#[test]
fn an_organiser_who_left_comes_back_to_the_same_meeting() -> Result<()> {
    let host = Host::start()?;
    let (anne, mut bob) = meeting(&host)?;
    let link = anne.link.clone();
    let rejoin_state = anne.engine.close().context("the organiser can come back")?;
    bob.wait(TIMEOUT, "Bob is alone", |bob| bob.people.len() == 1)?;
    let mut anne = Person::rejoin(rejoin_state)?;
    // The list is complete before it says who is organiser.
    anne.wait(TIMEOUT, "Anne is back", |anne| anne.people.len() == 2 && anne.people[0].is_organiser())?;
    assert_eq!((anne.link.as_str(), host.meetings()), (link.as_str(), 1), "not another, empty meeting");
    assert!(anne.people[0].name == "Anne", "{:?}", anne.people);
    let mut carol = enter(Entry::Join(link.parse()?), "Carol")?;
    carol.wait(TIMEOUT, "Anne lets Carol in", |carol| carol.people.len() == 3)?;
    Ok(())
}

#[test]
fn neither_a_guest_nor_a_meeting_that_never_began_has_a_way_back() -> Result<()> {
    let host = Host::start()?;
    let (_anne, bob) = meeting(&host)?;
    assert!(bob.engine.close().is_none(), "a guest joins again by the link");
    let nowhere = Entry::Create { host: "localhost".into(), port: 1, fingerprint: None };
    let mut lost = Person::enter(nowhere, "Dave", Choice::Off, AudioChoice::Off)?;
    lost.wait(TIMEOUT, "Dave cannot connect", |lost| lost.ended.is_some())?;
    assert!(lost.engine.close().is_none());
    Ok(())
}

#[test]
fn the_organiser_decides_on_requests_with_an_old_link() -> Result<()> {
    let host = Host::start()?;
    let (mut anne, old) = meeting_with_old_link(&host)?;
    for (name, admit) in [("Carol", true), ("Dave", false)] {
        let mut guest = Person::enter(Entry::Join(old.parse()?), name, Choice::Off, AudioChoice::Off)?;
        anne.wait(TIMEOUT, "Anne is asked", |anne| anne.asking.iter().any(|(_, asker)| asker == name))?;
        let (id, _) = anne.asking[0];
        anne.engine.send(if admit { Command::Admit(id) } else { Command::Decline(id, Refusal::Declined) })?;
        if admit {
            guest.wait(TIMEOUT, "the guest is a member", |guest| guest.people.len() == 2)?;
            anne.wait(TIMEOUT, "nobody asks any more", |anne| anne.asking.is_empty())?;
        } else {
            guest.wait(TIMEOUT, "the guest is declined", |guest| guest.ended == Some(Reason::OldLink))?;
        }
    }
    Ok(())
}

#[test]
fn a_guest_can_neither_decide_on_a_request_nor_remove_anybody() -> Result<()> {
    let host = Host::start()?;
    let (mut anne, old) = meeting_with_old_link(&host)?;
    let mut carol = enter(Entry::Join(anne.link.parse()?), "Carol")?;
    let mut dave = Person::enter(Entry::Join(old.parse()?), "Dave", Choice::Off, AudioChoice::Off)?;
    anne.wait(TIMEOUT, "Anne is asked", |anne| anne.asking.len() == 1)?;
    let (id, _) = anne.asking[0];
    let organiser = anne.me.context("Anne is a member")?;
    for command in [Command::Admit(id), Command::Decline(id, Refusal::Declined), Command::Remove(organiser)] {
        carol.notices.clear();
        carol.engine.send(command)?;
        carol.wait(TIMEOUT, "Carol is told", |carol| carol.notices.contains(&NoticeKind::NotAllowed))?;
    }
    anne.follow();
    dave.follow();
    assert_eq!((anne.people.len(), anne.asking.len()), (2, 1));
    assert!(dave.me.is_none() && dave.ended.is_none() && anne.ended.is_none());
    Ok(())
}

#[test]
fn a_request_that_is_given_up_is_withdrawn() -> Result<()> {
    let host = Host::start()?;
    let (mut anne, old) = meeting_with_old_link(&host)?;
    let carol = Person::enter(Entry::Join(old.parse()?), "Carol", Choice::Off, AudioChoice::Off)?;
    anne.wait(TIMEOUT, "Anne is asked", |anne| anne.asking.len() == 1)?;
    carol.engine.close();
    anne.wait(Duration::from_secs(10), "the request is withdrawn", |anne| anne.asking.is_empty())?;
    Ok(())
}
