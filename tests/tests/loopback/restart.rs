//! A server that is killed and started again: the meeting goes on, with the same members, keys and tracks.

use crate::client::{Client, State};
use crate::{all_receive, failed, meeting, opened, run};
use server::{Config, Error, Server};
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;
use tests::temp_folder::TempFolder;

/// Starts a server, when the one before has released the address and the folder.
async fn start(data: &Path, listen: SocketAddr) -> Server {
    let lock = data.join("meetings/lock");
    while File::open(&lock).is_ok_and(|lock| lock.try_lock().is_err()) {
        tokio::task::yield_now().await;
    }
    loop {
        match Server::start(Config { data: Some(data.to_owned()), ..Config::new(listen) }).await {
            Ok(server) => return server,
            Err(Error::Listen { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Waits for 25 more pictures of everybody at everybody, and asserts that the tracks are the same.
pub async fn go_on(clients: &[Client]) {
    receive_more(clients).await;
    for one in clients {
        for other in clients.iter().filter(|other| other.me() != one.me()) {
            let camera = other.camera();
            assert!(!one.look(|state| state.ended.contains(&camera)), "the track ended");
        }
    }
}

/// Waits for 25 more pictures of everybody at everybody.
pub async fn receive_more(clients: &[Client]) {
    for one in clients {
        for other in clients.iter().filter(|other| other.me() != one.me()) {
            let camera = other.camera();
            let so_far = one.look(|state| opened(state, camera));
            one.until("pictures arrive again", |state| opened(state, camera) > so_far + 25).await;
        }
        assert_eq!(failed(one), 0);
        one.look(|state| assert_eq!(state.over, None));
    }
}

#[test]
fn a_meeting_goes_on_after_its_server_was_killed() {
    run(async {
        let data = TempFolder::new("killed");
        let server = start(&data, "127.0.0.1:0".parse().unwrap()).await;
        let address = server.address();
        let mut clients = meeting(&server, 3).await;
        all_receive(&clients, 10).await;
        let state = |client: &Client| client.look(|state: &State| (state.me, state.members.clone(), state.epoch));
        let before: Vec<_> = clients.iter().map(state).collect();
        // As SIGKILL: nobody is told.
        drop(server);
        for client in &clients {
            client.until("it notices", |state| state.reconnecting == 1).await;
        }
        let again = start(&data, address).await;
        let restarted = Instant::now();
        for client in &clients {
            client.until("it is back", |state| state.reconnected == 1).await;
        }
        println!("all are back after {:?}", restarted.elapsed());
        go_on(&clients).await;
        assert_eq!(clients.iter().map(state).collect::<Vec<_>>(), before, "the same members, and the same keys");
        // The server knows the authority still, and who is a member.
        let gone = clients.pop().unwrap();
        let link = clients[0].link();
        clients[0].remove(gone.me());
        gone.until("it is removed", |state| state.removed).await;
        clients[0].until("the link has changed", |_| clients[0].link() != link).await;
        let late = Client::join(&clients[0].link(), "late");
        late.until("the newcomer is admitted", |state| state.members.len() == 3).await;
        clients.push(late);
        go_on(&clients).await;
        drop(again);
    });
}
