//! The waiting room over real sockets: evidence, chats, decisions, and members who are sent back.

use crate::client::{Client, State};
use crate::{all_receive, meeting, opened, run, server};
use net::meeting::{Command, IdentityClass, LobbyAuthor, LobbyEvent};
use proto::{MeetingFlags, ParticipantId, Reason, Refusal, Role};

fn command(client: &Client, command: Command) {
    client.session.send(command).unwrap();
}

async fn open_waiting_room(organiser: &Client) {
    command(organiser, Command::SetFlags { flags: MeetingFlags::WAITING_ROOM, set: true });
    organiser.until("there is a waiting room", |state| state.flags.contains(MeetingFlags::WAITING_ROOM)).await;
}

/// Waits until somebody asks, who did not ask before. Returns who.
async fn next_asker(manager: &Client, before: usize) -> ParticipantId {
    manager.until("the manager is asked", |state| state.asking.len() > before).await;
    manager.look(|state| state.asking[before].0)
}

fn has_text(state: &State, from: LobbyAuthor, wanted: &str) -> bool {
    let is = |event: &LobbyEvent| matches!(event, LobbyEvent::Text { author, text, .. } if *author == from && text == wanted);
    state.lobby.iter().filter(|event| is(event)).count() == 1
}

fn write(client: &Client, to: Option<ParticipantId>, text: &str) {
    command(client, Command::WriteLobby { to, text: text.into() });
}

#[test]
fn a_person_who_waits_and_the_managers_write_and_the_decision_has_a_reason() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 3).await;
        let [organiser, second, member] = &clients[..] else { unreachable!() };
        command(organiser, Command::SetRole(second.me(), Role::CoOrganiser));
        second.until("the co-organiser has the keys", |state| state.links == 1).await;
        open_waiting_room(organiser).await;
        let paul = Client::join(&organiser.link(), "Paul");
        let asking = next_asker(organiser, 0).await;
        assert_eq!(next_asker(second, 0).await, asking);
        organiser.look(|state| assert_eq!(state.asking[0].1.class, IdentityClass::Guest));
        paul.until("it knows that the request has arrived", |state| {
            state.lobby.contains(&LobbyEvent::Received { organiser: true })
        })
        .await;
        write(&paul, None, "May I come in?");
        for manager in [organiser, second] {
            manager
                .until("the question arrives", |state| has_text(state, LobbyAuthor::Waiting, "May I come in?"))
                .await;
        }
        write(second, Some(asking), "In a minute");
        let from = LobbyAuthor::Manager(second.me());
        for reader in [organiser, &paul] {
            reader.until("the answer arrives", |state| has_text(state, from, "In a minute")).await;
        }
        second.until("the server has relayed it", |state| has_text(state, LobbyAuthor::Me, "In a minute")).await;
        member.look(|state| assert!(state.lobby.is_empty() && state.asking.is_empty()));
        command(organiser, Command::Refuse(asking, Refusal::NotNow));
        paul.until("Paul reads the reason", |state| state.over == Some(Reason::NotNow.to_string())).await;
        let guests = [Client::join(&organiser.link(), "Rose"), Client::join(&organiser.link(), "Sam")];
        next_asker(organiser, 2).await;
        let asking = organiser.look(|state| state.asking.iter().map(|(id, _)| *id).collect());
        command(organiser, Command::AdmitAll(asking));
        for guest in &guests {
            guest.until("the guest is a member", |state| state.entered.is_some()).await;
        }
        for client in [organiser, second, member] {
            client.until("all are members", |state| state.members.len() == 5).await;
            client.look(|state| assert_eq!((state.reconnecting, &state.over), (0, &None)));
        }
    });
}

#[test]
fn a_member_that_is_sent_back_has_no_keys_and_comes_back_with_sound_and_pictures() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 3).await;
        all_receive(&clients, 5).await;
        let [organiser, other, guest] = &clients[..] else { unreachable!() };
        let before = guest.me();
        command(organiser, Command::SendBack(before));
        guest.until("it is told so", |state| state.lobby.contains(&LobbyEvent::SentBack)).await;
        assert_eq!((guest.ring.epoch(), guest.ring.held()), (None, 0), "it has no keys");
        for client in [organiser, other] {
            client.until("it is no member", |state| state.members.len() == 2).await;
        }
        let again = next_asker(organiser, 0).await;
        assert_ne!(again, before);
        organiser.look(|state| {
            let evidence = &state.asking[0].1;
            assert!(evidence.sent_back && evidence.class == IdentityClass::Known);
            assert!(state.flags.contains(MeetingFlags::WAITING_ROOM), "a person decides");
        });
        guest.until("it waits", |state| state.lobby.contains(&LobbyEvent::Received { organiser: true })).await;
        guest.look(|state| assert!(!state.removed && state.over.is_none()));
        assert_eq!(guest.ring.epoch(), None);
        command(organiser, Command::Admit(again));
        guest.until("it is a member again", |state| state.me == Some(again)).await;
        for client in &clients {
            client.until("all are members", |state| state.members.len() == 3).await;
        }
        for client in [organiser, other] {
            let arrive = |state: &State| opened(state, guest.camera()) >= 5 && opened(state, guest.microphone()) >= 10;
            client.until("its pictures and sound arrive", arrive).await;
        }
        let heard = |state: &State| opened(state, organiser.camera()) + opened(state, other.camera());
        let so_far = guest.look(heard);
        guest.until("pictures arrive again", |state| heard(state) >= so_far + 10).await;
    });
}
