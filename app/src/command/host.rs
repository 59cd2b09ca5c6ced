//! A meeting by command: with a server of our own, or by a link.

use super::options::{Client, Join, Meet};
use super::{headless, sentences, windowed};
use anyhow::{Context, Result, anyhow};
use app::embedded::Embedded;
use engine::Entry;

/// `conclave meet`.
///
/// # Errors
/// Where the server cannot start, or the meeting ends for another reason than our leaving.
pub fn meet(meet: &Meet) -> Result<()> {
    let server = Embedded::start(meet.listen).with_context(|| {
        format!("the server cannot listen at {}: choose another address with --listen", meet.listen)
    })?;
    enter(server.entry().context("the server has stopped")?, &meet.client, true)
}

/// `conclave join LINK`.
///
/// # Errors
/// Where the link is none, or the meeting ends for another reason than our leaving.
pub fn join(join: &Join) -> Result<()> {
    let invitation = sentences::invitation(&join.link).map_err(|sentence| anyhow!(sentence))?;
    enter(Entry::Join(invitation), &join.client, false)
}

fn enter(entry: Entry, client: &Client, print_link: bool) -> Result<()> {
    if client.headless { headless::run(entry, client, print_link) } else { windowed::meet(entry, client, print_link) }
}
