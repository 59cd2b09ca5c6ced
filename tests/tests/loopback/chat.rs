//! The chat over real sockets: one order for all, private lines, a lost connection, late-comers, a hostile member.

use crate::client::{Client, State};
use crate::{meeting, run, server};
use net::meeting::Command;
use net::meeting::chat::{Command as ChatCommand, NewLine, Text, samples};
use proto::{MeetingFlags, ParticipantId};
use std::net::SocketAddr;
use std::time::Duration;
use tests::attack::guest::Guest;
use tests::attack::wire::another_address;

fn write(client: &Client, to: Option<ParticipantId>, text: &str) {
    let new = NewLine { to, text: Text::new(text).unwrap(), reply: None, mentions: Vec::new() };
    client.session.send(Command::Chat(ChatCommand::Send(new))).unwrap();
}

fn count(state: &State) -> usize {
    state.chat.list().len()
}

#[test]
fn lines_written_at_the_same_time_arrive_in_one_order_and_private_ones_at_one_member() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 3).await;
        for number in 0..8 {
            for (author, client) in clients.iter().enumerate() {
                write(client, None, &format!("{number} of {author}"));
            }
        }
        write(&clients[1], Some(clients[2].me()), "for one");
        for client in &clients {
            client.until("all lines are here", |state| count(state) == 24).await;
        }
        let lists: Vec<_> = clients.iter().map(|client| client.look(|state| state.chat.list())).collect();
        assert!(lists.iter().all(|list| *list == lists[0]), "{lists:?}");
        let private = |state: &State| state.chat.find("for one").is_some_and(|line| line.place.is_some());
        for client in &clients[1..] {
            client.until("the private line is here", private).await;
        }
        assert!(clients[0].look(|state| state.chat.find("for one").is_none()));
    });
}

#[test]
fn a_member_that_comes_late_reads_the_lines_from_before_if_the_meeting_has_this_rule() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        let flags = MeetingFlags::CHAT_HISTORY;
        write(&clients[1], None, "before the rule");
        clients[0].until("it is here", |state| count(state) == 1).await;
        clients[0].session.send(Command::SetFlags { flags, set: true }).unwrap();
        for client in &clients {
            client.until("the rule is in force", |state| state.flags.contains(flags)).await;
        }
        for number in 0..30 {
            write(&clients[number % 2], None, &format!("line {number}"));
        }
        for client in &clients {
            client.until("all lines are here", |state| count(state) == 31).await;
        }
        let late = Client::join(&clients[0].link(), "late");
        late.until("it has the lines of the rule", |state| count(state) == 30).await;
        let expected = clients[0].look(|state| state.chat.list()).split_off(1);
        late.look(|state| {
            assert_eq!(state.chat.list(), expected);
            let proved = state.chat.lines().all(|line| line.passed_on.as_ref().is_some_and(|how| how.proved));
            assert!(proved, "their authors are here");
        });
    });
}

/// A member that floods the chat, as fast as the server lets it, and sends everything that a changed program can.
#[test]
fn a_hostile_member_changes_no_line_and_delays_nobody() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        write(&clients[0], None, "true");
        clients[1].until("it is here", |state| count(state) == 1).await;
        let victim = clients[1].look(|state| state.chat.find("true").map(|line| line.id)).unwrap();
        let address: SocketAddr = server.address();
        let mut guest = Guest::join(&clients[0].link(), another_address(), address).await.unwrap();
        for client in &clients {
            client.until("the guest is here", |state| state.members.len() == 3).await;
        }
        for forged in guest.hostile_chat(victim, "organiser", clients[1].me()) {
            guest.listen(Duration::from_millis(20), |guest| guest.seen.is_out()).await;
            assert!(guest.send_chat(forged.body).await);
        }
        let body = samples().swap_remove(1);
        for _ in 0..150 {
            guest.send_chat(body.clone()).await;
        }
        write(&clients[1], None, "still works");
        let is_here = |state: &State| state.chat.find("still works").is_some_and(|line| line.place.is_some());
        for client in &clients {
            client.until("it is here", is_here).await;
            client.look(|state| {
                let list = state.chat.list();
                let own: Vec<_> = list.iter().filter(|line| !line.starts_with("Mallory")).collect();
                assert_eq!(own.len(), 2, "{list:?}");
                assert!(state.chat.find("true").is_some() && state.chat.find("forged").is_none(), "{list:?}");
                assert_eq!((state.reconnecting, &state.over), (0, &None));
            });
        }
    });
}
