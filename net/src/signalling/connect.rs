//! Opens a TCP connection to a host by all its addresses side by side (RFC 8305, Happy Eyeballs v2): an address that
//! does not answer delays the connection by a quarter of a second, not by the timeout of TCP.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use webrtc::runtime::Runtime;

/// Connects to `host`, a name or an address without brackets. `stack` resolves the name.
///
/// # Errors
/// Returns the resolver's error if there is one. Otherwise returns the error of an address that refused the connection
/// if there is one, else the first error.
pub async fn connect(host: &str, port: u16, stack: &dyn Runtime) -> io::Result<TcpStream> {
    let addresses = match host.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => stack.resolve_host(&format!("{host}:{port}")).await?,
    };
    race(interleave(addresses)).await
}

/// Orders addresses so that the families alternate, beginning with that of the first address (RFC 8305, section 4).
/// The order within a family is the resolver's (RFC 6724). Drops repetitions.
fn interleave(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first_is_ipv6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut first, mut second) = (VecDeque::new(), VecDeque::new());
    for address in addresses {
        let family = if address.is_ipv6() == first_is_ipv6 { &mut first } else { &mut second };
        if !family.contains(&address) {
            family.push_back(address);
        }
    }
    let mut ordered = VecDeque::with_capacity(first.len() + second.len());
    while !first.is_empty() || !second.is_empty() {
        ordered.extend(first.pop_front());
        ordered.extend(second.pop_front());
    }
    ordered.truncate(MAX_ADDRESSES);
    ordered
}

/// Tries the addresses in order. An attempt begins when the one before has failed, or after [`ATTEMPT_DELAY`]. The
/// first connection wins, and the other attempts are cancelled.
async fn race(mut addresses: VecDeque<SocketAddr>) -> io::Result<TcpStream> {
    let mut attempts = JoinSet::new();
    let mut failure: Option<io::Error> = None;
    let mut next = Instant::now();
    loop {
        tokio::select! {
            biased;
            Some(ended) = attempts.join_next() => match ended {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => {
                    failure = Some(more_useful(failure, error));
                    next = Instant::now();
                }
                Err(error) => failure = Some(more_useful(failure, io::Error::other(error))),
            },
            () = sleep_until(next), if !addresses.is_empty() => {
                if let Some(address) = addresses.pop_front() {
                    attempts.spawn(TcpStream::connect(address));
                }
                next = Instant::now() + ATTEMPT_DELAY;
            }
            else => return Err(failure.unwrap_or_else(|| io::ErrorKind::NotFound.into())),
        }
    }
}

/// Returns the error to report of two: the first one, unless only the second says that a computer has answered.
fn more_useful(before: Option<io::Error>, error: io::Error) -> io::Error {
    match before {
        Some(before) if error.kind() != io::ErrorKind::ConnectionRefused => before,
        Some(_) | None => error,
    }
}

/// The time between the starts of two attempts (RFC 8305, section 8: "Connection Attempt Delay").
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// The maximum number of addresses that are tried.
const MAX_ADDRESSES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(all: &[&str]) -> Vec<SocketAddr> {
        all.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn address_families_alternate() {
        for (resolved, expected) in [
            (&["[::1]:1", "[::2]:1", "10.0.0.1:1"][..], &["[::1]:1", "10.0.0.1:1", "[::2]:1"][..]),
            (&["10.0.0.1:1", "10.0.0.2:1", "[::1]:1"], &["10.0.0.1:1", "[::1]:1", "10.0.0.2:1"]),
            (&["10.0.0.1:1", "10.0.0.1:1"], &["10.0.0.1:1"]),
            (&[], &[]),
        ] {
            assert_eq!(interleave(addresses(resolved)), addresses(expected), "{resolved:?}");
        }
        let many = (0..100).map(|port| SocketAddr::from(([10, 0, 0, 1], port))).collect();
        assert_eq!(interleave(many).len(), MAX_ADDRESSES);
    }

    #[tokio::test]
    async fn a_refusal_is_reported_rather_than_an_unreachable_network() {
        use io::ErrorKind::{ConnectionRefused, NetworkUnreachable, TimedOut};
        let kind = |before: Option<io::ErrorKind>, error: io::ErrorKind| {
            more_useful(before.map(Into::into), error.into()).kind()
        };
        assert_eq!(kind(None, TimedOut), TimedOut);
        assert_eq!(kind(Some(NetworkUnreachable), ConnectionRefused), ConnectionRefused);
        assert_eq!(kind(Some(ConnectionRefused), NetworkUnreachable), ConnectionRefused);
        assert_eq!(race(VecDeque::new()).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
