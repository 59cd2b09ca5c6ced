//! `conclave meet` and `conclave join`.

use super::options::{Client, Join, Meet, Place};
use super::{headless, sentences, windowed};
use anyhow::{Context, Result, anyhow};
use app::embedded::{self, Embedded};
use engine::Entry;
use std::net::SocketAddr;

/// `conclave meet`: starts a meeting on a server in this process, or on another server.
///
/// # Errors
/// Returns an error if the server cannot start, or if the meeting ends for a reason other than our leaving.
pub fn meet(meet: &Meet) -> Result<()> {
    if let Some(Place { host, port }) = meet.server.clone() {
        return enter(
            Entry::Create { host, port, fingerprint: meet.fingerprint.map(|fingerprint| fingerprint.0) },
            &meet.client,
            true,
        );
    }
    let server = Embedded::start(meet.listen).map_err(|error| no_server(meet.listen, error))?;
    enter(server.entry().context("the server has stopped")?, &meet.client, true)
}

/// `conclave join LINK`: joins the meeting that the link names.
///
/// # Errors
/// Returns an error if the link is wrong, or if the meeting ends for a reason other than our leaving.
pub fn join(join: &Join) -> Result<()> {
    let invitation = sentences::invitation(&join.link).map_err(anyhow::Error::msg)?;
    enter(Entry::Join(invitation), &join.client, false)
}

/// Describes why the server cannot start.
fn no_server(address: SocketAddr, error: embedded::Error) -> anyhow::Error {
    let cannot_listen = matches!(error, embedded::Error::Server(server::Error::Listen { .. }));
    let error = anyhow::Error::new(error);
    let cause = error.root_cause();
    if cannot_listen {
        anyhow!(
            "The server cannot listen at {address} (This computer). Choose another address with --listen. [{cause}]"
        )
    } else {
        anyhow!("The server cannot start (This computer). Try again, or use another server with --server. [{cause}]")
    }
}

fn enter(entry: Entry, client: &Client, print_link: bool) -> Result<()> {
    if client.headless { headless::run(entry, client, print_link) } else { windowed::meet(entry, client, print_link) }
}
