//! Opens the socket for connections, and resolves the names by which the server is reached.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr};
use tokio::net::{TcpListener, lookup_host};

/// Listens at `address`. At `[::]` it also accepts IPv4, whatever the default of the system.
///
/// # Errors
/// Returns the system's error if the address is in use, not an address of this machine, or not allowed.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    // Connections of a server that has just stopped must not keep the port. On Windows the option means something else.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(MAX_WAITING)?;
    TcpListener::from_std(socket.into())
}

/// Returns the addresses of names and addresses. Logs a name that cannot be resolved: it may be known only elsewhere.
pub async fn resolve(names: &[String]) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for name in names {
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let addresses: Vec<IpAddr> = match (bare.parse(), lookup_host((bare, 0))) {
            (Ok(address), _) => vec![address],
            (Err(_), lookup) => match lookup.await {
                Ok(addresses) => addresses.map(|address| address.ip()).collect(),
                Err(error) => {
                    tracing::warn!(%error, "a public name of this server has no address; media are not offered there");
                    Vec::new()
                }
            },
        };
        found.extend(addresses.into_iter().filter(|address| !address.is_unspecified()));
    }
    found.dedup();
    found
}

/// Connections that may wait to be accepted.
const MAX_WAITING: i32 = 1_024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};
    use tokio::net::TcpStream;

    #[tokio::test]
    async fn a_server_on_all_ipv6_addresses_also_accepts_ipv4() {
        // A system without IPv6 refuses the address.
        let Ok(listener) = listen((Ipv6Addr::UNSPECIFIED, 0).into()) else { return };
        let port = listener.local_addr().unwrap().port();
        let (accepted, connected) = tokio::join!(listener.accept(), TcpStream::connect((Ipv4Addr::LOCALHOST, port)));
        assert!(connected.is_ok());
        assert_eq!(accepted.unwrap().0.local_addr().unwrap().ip().to_canonical(), IpAddr::from(Ipv4Addr::LOCALHOST));
    }

    #[tokio::test]
    async fn a_public_name_may_be_an_address_or_unknown() {
        let names = ["192.0.2.7", "[2001:db8::7]", "no-such-name.invalid", "0.0.0.0"].map(str::to_owned);
        let expected: [IpAddr; 2] = ["192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap()];
        assert_eq!(resolve(&names).await, expected);
    }
}
