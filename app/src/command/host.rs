//! `conclave meet` and `conclave join`.

use super::options::{Client, Join, Meet, Place};
use super::recording::Recording;
use super::{headless, sentences, windowed};
use anyhow::{Context, Result, anyhow};
use app::embedded::{self, Embedded};
use app::recent::Listing;
use engine::{Entry, Fault};
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
            &Recording::new(None, Listing::Listed, &meet.client),
        );
    }
    let server = Embedded::start(meet.listen).map_err(|error| no_server(meet.listen, error))?;
    let recording = Recording::new(None, Listing::WhileHosted, &meet.client);
    enter(server.entry().context("the server has stopped")?, &meet.client, &recording)
}

/// `conclave join LINK`: joins the meeting that the link names.
///
/// # Errors
/// Returns an error if the link is wrong, or if the meeting ends for a reason other than our leaving.
pub fn join(join: &Join) -> Result<()> {
    let invitation = sentences::invitation(&join.link).map_err(anyhow::Error::msg)?;
    let recording = Recording::new(Some(join.link.clone()), Listing::Listed, &join.client);
    enter(Entry::Join(invitation), &join.client, &recording)
}

/// Describes why the server cannot start.
fn no_server(address: SocketAddr, error: embedded::Error) -> anyhow::Error {
    let cannot_listen = matches!(error, embedded::Error::Server(server::Error::Listen { .. }));
    let id = if cannot_listen { "host-cannot-listen" } else { "host-cannot-start" };
    let error = anyhow::Error::new(error);
    let subject = if cannot_listen { address.to_string() } else { String::new() };
    anyhow!(sentences::compose_about(id, &subject, Some(Fault::Here), &error.root_cause().to_string()))
}

fn enter(entry: Entry, client: &Client, recording: &Recording) -> Result<()> {
    if client.headless { headless::run(entry, client, recording) } else { windowed::meet(entry, client, recording) }
}
