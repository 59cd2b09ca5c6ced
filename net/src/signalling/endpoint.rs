//! Where the server is, and how to get there.

use super::error::{Error, connect_error, tls_error};
use super::proxy::ProxySettings;
use super::{connect, proxy, tls};
use crypto::Fingerprint;
use rustls::pki_types::ServerName;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use webrtc::runtime::Runtime;

/// The server of a meeting.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The fingerprint of its certificate. If `None`, the system's certificate authorities decide.
    pub fingerprint: Option<Fingerprint>,
    /// The proxy on the way, if there is one.
    pub proxy: ProxySettings,
}

impl Endpoint {
    /// Returns the name or address without brackets.
    pub fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// Opens a TLS connection. Also returns the local address from which datagrams reach the server's network.
    ///
    /// # Errors
    /// Returns the [`Error`] of the step that failed.
    pub async fn connect(&self, stack: &Arc<dyn Runtime>) -> Result<(TlsStream<TcpStream>, SocketAddr), Error> {
        let bare = self.bare_host();
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| Error::Name(self.host.clone()))?;
        let proxy = self.proxy.for_host(bare);
        let tcp = match proxy {
            Some(proxy) => proxy::connect(proxy, bare, self.port, &**stack).await?,
            None => connect::connect(bare, self.port, &**stack)
                .await
                .map_err(|error| connect_error(error, bare, self.port))?,
        };
        // Small messages must not wait for more data.
        tcp.set_nodelay(true).map_err(Error::Unreachable)?;
        let local = tcp.local_addr().map_err(Error::Unreachable)?;
        let local = if proxy.is_some() && local.ip().is_loopback() { towards_networks(local) } else { local };
        let config = tls::config(self.fingerprint).map_err(Error::NoAuthorities)?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await.map_err(tls_error)?;
        Ok((stream, local))
    }
}

/// Returns the address from which this computer sends to other networks, or `local` if there is none. A proxy on this computer
/// is no sign that the server is on it as well. Connecting a UDP socket sends nothing.
fn towards_networks(local: SocketAddr) -> SocketAddr {
    let source = || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect(OTHER_NETWORK)?;
        socket.local_addr()
    };
    source().unwrap_or(local)
}

/// An address for documentation (RFC 5737), which only the default route reaches.
const OTHER_NETWORK: (Ipv4Addr, u16) = (Ipv4Addr::new(203, 0, 113, 1), 9);
