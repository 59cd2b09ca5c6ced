//! A server in this process, for a meeting that is started here.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::Entry;
use server::{Server, addresses};
use tokio::runtime::{Builder, Runtime};

/// A server with its own threads. Dropping it stops it and blocks for up to a second, so the last handle must not be dropped
/// on the UI thread.
pub struct Embedded {
    /// `None` after it was stopped.
    server: Mutex<Option<Server>>,
    runtime: Runtime,
    /// The name or address that the user wants in the link, without brackets.
    public_name: Option<String>,
}

/// Why the server could not start.
#[derive(Debug)]
pub enum Error {
    /// The system could not start the server's threads.
    System(std::io::Error),
    /// The server cannot listen at the address.
    Server(server::Error),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::System(error) => error.fmt(f),
            Self::Server(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // `Display` already shows what failed, so the source is its cause.
        match self {
            Self::System(error) => error.source(),
            Self::Server(error) => error.source(),
        }
    }
}

impl Embedded {
    /// Starts a server with a new certificate. Blocks until it listens at `listen`. `public_name` is the name or address
    /// that the link names, without brackets; `None` for the best address of this computer.
    ///
    /// # Errors
    /// Returns [`Error::System`] if its threads cannot start, and [`Error::Server`] if it cannot listen at the address.
    pub fn start(listen: SocketAddr, public_name: Option<String>) -> Result<Self, Error> {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).thread_name("server").enable_all().build().map_err(Error::System)?;
        let public = public_name.iter().cloned().collect();
        let limits = server::Limits { path_tests: MAX_PATH_TESTS, ..server::Limits::default() };
        let media_threads = NonZero::new(1);
        let config = server::Config { public, media_threads, limits, ..server::Config::new(listen) };
        let server = runtime.block_on(Server::start(config)).map_err(Error::Server)?;
        Ok(Self { server: Mutex::new(Some(server)), runtime, public_name })
    }

    /// Starts a server on a free port of all addresses of this computer: IPv6 and IPv4, or only IPv4 if the system has
    /// no IPv6.
    ///
    /// # Errors
    /// Returns the errors of [`Embedded::start`].
    pub fn start_everywhere() -> Result<Self, Error> {
        Self::start((Ipv6Addr::UNSPECIFIED, 0).into(), None)
            .or_else(|_| Self::start((Ipv4Addr::UNSPECIFIED, 0).into(), None))
    }

    /// The names and addresses by which others can reach the server, best first. Empty after it was stopped.
    pub fn hosts(&self) -> Vec<String> {
        let Some(address) = self.with(Server::address) else { return Vec::new() };
        let all = addresses::candidates(address.ip());
        self.public_name.iter().cloned().chain(all.iter().map(ToString::to_string)).collect()
    }

    /// The entry that creates a meeting on this server. This program connects to the loopback address if the server
    /// listens there: it works in every network. Others use one of [`Embedded::hosts`]. `None` after the server was stopped.
    pub fn entry(&self) -> Option<Entry> {
        let (address, fingerprint) = self.with(|server| (server.address(), server.fingerprint()))?;
        // A server on all IPv6 addresses is also on all IPv4 addresses.
        let host = if address.ip().is_unspecified() { Ipv4Addr::LOCALHOST.into() } else { address.ip() };
        Some(Entry::Create { host: host.to_string(), port: address.port(), fingerprint: Some(fingerprint) })
    }

    /// Whether somebody is in a meeting on the server.
    pub fn is_in_use(&self) -> bool {
        self.with(Server::meetings).is_some_and(|meetings| meetings > 0)
    }

    /// Ends the server's meetings, and tells those who are still in them that the host has stopped. Blocks for up to a second.
    pub fn stop(&self) {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(server) = server {
            self.runtime.block_on(server.stop_hosting(Duration::from_secs(1)));
        }
    }

    /// The names and addresses of `server`, as [`Embedded::hosts`] returns them. Empty if there is no server in this process.
    pub fn hosts_of(server: Option<&Arc<Self>>) -> Vec<String> {
        server.map(|server| server.hosts()).unwrap_or_default()
    }

    fn with<T>(&self, read: impl FnOnce(&Server) -> T) -> Option<T> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(read)
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Path tests at once. The meeting and the tests of strangers share the connection of this computer; one address runs two.
const MAX_PATH_TESTS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn host(embedded: &Embedded) -> String {
        match embedded.entry() {
            Some(Entry::Create { host, .. }) => host,
            Some(Entry::Join(_)) | None => panic!("the server creates no meeting"),
        }
    }

    #[test]
    fn others_use_the_public_name_or_an_address_that_they_reach() {
        let local = Embedded::start((Ipv4Addr::LOCALHOST, 0).into(), None).unwrap();
        assert_eq!(local.hosts(), ["127.0.0.1"]);
        let everywhere = Embedded::start_everywhere().unwrap();
        assert!(!everywhere.hosts().is_empty());
        for host in everywhere.hosts() {
            let address: std::net::IpAddr = host.parse().expect("an address without brackets");
            assert!(!address.is_unspecified(), "{address}");
        }
        let named = Embedded::start((Ipv4Addr::UNSPECIFIED, 0).into(), Some("192.0.2.99".into())).unwrap();
        assert_eq!(named.hosts().first().map(String::as_str), Some("192.0.2.99"));
        assert!(named.hosts().len() > 1, "the addresses of this computer can be chosen, too");
        for server in [&local, &everywhere, &named] {
            assert_eq!(host(server), "127.0.0.1", "this computer may not reach its own public name");
        }
    }
}
