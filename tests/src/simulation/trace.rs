//! Prints the messages of a run, to find out why a seed fails, if the variable `CONCLAVE_TRACE` is set.

use proto::{Down, LogEntry, ManagerCommand, Up};
use std::time::Duration;

/// The messages that a client sends and gets.
#[derive(Clone, Copy)]
pub(super) struct Trace {
    is_on: bool,
}

impl Trace {
    pub(super) fn new() -> Self {
        Self { is_on: std::env::var_os("CONCLAVE_TRACE").is_some() }
    }

    /// Prints a message to the server.
    pub(super) fn up(self, at: Duration, client: &str, bytes: &[u8]) {
        if !self.is_on {
            return;
        }
        match proto::decode::<Up>(bytes) {
            Ok(Up::Pong { .. } | Up::Tell { .. } | Up::Lobby { .. } | Up::Beacon { .. } | Up::Relay { .. }) => {}
            Ok(Up::Manage { counter, command, .. }) => match proto::decode(&command.0) {
                Ok(ManagerCommand::Beacon { .. }) => {}
                command => print(at, client, '>', &format!("Manage {counter} {command:?}")),
            },
            message => print(at, client, '>', &format!("{message:?}")),
        }
    }

    /// Prints a message to the client.
    pub(super) fn down(self, at: Duration, client: &str, bytes: &[u8]) {
        if !self.is_on {
            return;
        }
        match proto::decode::<Down>(bytes) {
            Ok(
                Down::Ping
                | Down::Beacon { .. }
                | Down::MemberBeacon { .. }
                | Down::Log { entry: LogEntry::Told { .. }, .. },
            ) => {}
            Ok(Down::Log { position, entry: LogEntry::Managed { signed } }) => {
                print(at, client, '<', &format!("Log {} {:?} {:?}", position.0, signed.from, signed.decode()));
            }
            message => print(at, client, '<', &format!("{message:?}")),
        }
    }
}

fn print(at: Duration, client: &str, direction: char, text: &str) {
    let text: String = text.chars().take(MAX_TEXT).collect();
    eprintln!("{:8.3} {client} {direction} {text}", at.as_secs_f64());
}

const MAX_TEXT: usize = 240;
