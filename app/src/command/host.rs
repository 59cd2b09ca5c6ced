//! `conclave meet` and `conclave join`.

use super::options::{Client, Join, Meet, Place};
use super::recording::Recording;
use super::{control, headless, link, sentences, windowed};
use anyhow::{Context, Result, anyhow};
use app::embedded::{self, Embedded};
use app::recent::Listing;
use engine::{Entry, Fault, MeetingFlags};
use std::net::SocketAddr;
use std::sync::Arc;

/// `conclave meet`: starts a meeting on a server in this process, or on another server.
///
/// # Errors
/// Returns an error if the server cannot start, or if the meeting ends for a reason other than our leaving.
pub fn meet(meet: &Meet) -> Result<()> {
    control::check(&meet.client, None)?;
    if let Some(Place { host, port }) = meet.server.clone() {
        return enter(
            Entry::Create { host, port, fingerprint: meet.fingerprint.map(|fingerprint| fingerprint.0) },
            None,
            (&meet.client, meet.flags()),
            &Recording::new(None, Listing::Listed, &meet.client),
        );
    }
    let public_name = meet.public_name.as_ref().map(|name| name.0.clone());
    let server = Embedded::start(meet.listen, public_name).map_err(|error| no_server(meet.listen, error))?;
    let recording = Recording::new(None, Listing::WhileHosted, &meet.client);
    enter(
        server.entry().context("the server has stopped")?,
        Some(Arc::new(server)),
        (&meet.client, meet.flags()),
        &recording,
    )
}

/// `conclave join LINK`: joins the meeting that the link names.
///
/// # Errors
/// Returns an error if the link cannot be read or is wrong, or if the meeting ends for a reason other than our leaving.
pub fn join(join: &Join) -> Result<()> {
    control::check(&join.client, join.link.as_ref())?;
    let link = match (&join.link_file, &join.link) {
        (Some(file), _) => link::read_file(file)?,
        (None, Some(link)) => link::read(link)?,
        (None, None) => link::read(&link::STDIN.into())?,
    };
    let invitation = sentences::invitation(&link).map_err(anyhow::Error::msg)?;
    let recording = Recording::new(Some(link), Listing::Listed, &join.client);
    enter(Entry::Join(invitation), None, (&join.client, MeetingFlags::NONE), &recording)
}

/// Describes why the server cannot start.
fn no_server(address: SocketAddr, error: embedded::Error) -> anyhow::Error {
    let cannot_listen = matches!(error, embedded::Error::Server(server::Error::Listen { .. }));
    let id = if cannot_listen { "host-cannot-listen" } else { "host-cannot-start" };
    let error = anyhow::Error::new(error);
    let subject = if cannot_listen { address.to_string() } else { String::new() };
    anyhow!(sentences::compose_about(id, &subject, Some(Fault::Here), &error.root_cause().to_string()))
}

/// `server` is the meeting's server if it runs in this process. `flags` are set in a new meeting.
fn enter(
    entry: Entry,
    server: Option<Arc<Embedded>>,
    (client, flags): (&Client, MeetingFlags),
    recording: &Recording,
) -> Result<()> {
    if client.headless {
        let hosts = Embedded::hosts_of(server.as_ref());
        headless::run(entry, hosts, (client, flags), recording)
    } else {
        windowed::meet(entry, server, (client, flags), recording)
    }
}
