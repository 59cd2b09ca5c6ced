//! The address of a server, and the connections to it.

use super::error::{Error, connect_error, tls_error};
use super::proxy::ProxySettings;
use super::socket::{ByteStream, authority, limit_send_buffer};
use super::{connect, proxy, tls, web_page};
use crypto::Fingerprint;
use rustls::pki_types::ServerName;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use webrtc::runtime::Runtime;

/// The address of a server: ours, that of an SFU, or a TURN server.
#[derive(Clone, Debug)]
pub struct ServerEndpoint {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The fingerprint of its certificate. If `None`, the system's certificate authorities decide.
    pub fingerprint: Option<Fingerprint>,
    /// The proxy on the way, if there is one.
    pub proxy: ProxySettings,
}

impl ServerEndpoint {
    /// Returns the name or address without brackets.
    pub fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// Opens a TLS connection. Also returns the local address from which datagrams reach the server's network, and the address to
    /// which the connection leads: that of the server, or of the proxy. For a proxy on this computer, it is an address of another
    /// network, so that a change of the network is noticed.
    ///
    /// # Errors
    /// Returns the [`Error`] of the step that failed.
    pub async fn connect(
        &self,
        stack: &Arc<dyn Runtime>,
    ) -> Result<(TlsStream<TcpStream>, (SocketAddr, SocketAddr)), Error> {
        let name = ServerName::try_from(self.bare_host().to_owned()).map_err(|_| Error::Name(self.host.clone()))?;
        let (tcp, path) = self.connect_tcp(stack).await?;
        let config = tls::config(self.fingerprint).map_err(Error::NoAuthorities)?;
        match TlsConnector::from(Arc::new(config)).connect(name, tcp).await.map_err(tls_error) {
            Ok(stream) => Ok((stream, path)),
            Err(error) => Err(web_page::explain(error, (self.bare_host(), self.port), self.again(path, stack)).await),
        }
    }

    /// Opens another TCP connection: to the address that has answered, or through the proxy.
    async fn again(&self, (_, remote): (SocketAddr, SocketAddr), stack: &Arc<dyn Runtime>) -> Option<TcpStream> {
        if self.proxy.for_host(self.bare_host()).is_some() {
            return self.connect_tcp(stack).await.ok().map(|(tcp, _)| tcp);
        }
        TcpStream::connect(remote).await.ok()
    }

    /// Opens a TLS connection with a short send buffer.
    ///
    /// # Errors
    /// Returns the [`Error`] of the step that failed.
    pub async fn open_tls(&self, stack: &Arc<dyn Runtime>) -> Result<Box<dyn ByteStream>, Error> {
        let (stream, _) = self.connect(stack).await?;
        limit_send_buffer(stream.get_ref().0);
        Ok(Box::new(stream))
    }

    /// Opens a TCP connection with a short send buffer.
    ///
    /// # Errors
    /// Returns the [`Error`] of the step that failed.
    pub async fn open_tcp(&self, stack: &Arc<dyn Runtime>) -> Result<Box<dyn ByteStream>, Error> {
        let (stream, _) = self.connect_tcp(stack).await?;
        limit_send_buffer(&stream);
        Ok(Box::new(stream))
    }

    /// Returns the addresses of the host with the port. The list is empty if it has none.
    pub async fn resolve(&self, stack: &Arc<dyn Runtime>) -> Vec<SocketAddr> {
        match self.bare_host().parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, self.port)],
            Err(_) => stack.resolve_host(&authority(self.bare_host(), self.port)).await.unwrap_or_default(),
        }
    }

    /// Opens a TCP connection. Returns the same addresses as [`ServerEndpoint::connect`].
    ///
    /// # Errors
    /// Returns the [`Error`] of the step that failed.
    pub async fn connect_tcp(&self, stack: &Arc<dyn Runtime>) -> Result<(TcpStream, (SocketAddr, SocketAddr)), Error> {
        let bare = self.bare_host();
        let proxy = self.proxy.for_host(bare);
        let tcp = match proxy {
            Some(proxy) => proxy::connect(proxy, bare, self.port, &**stack).await?,
            None => connect::connect(bare, self.port, &**stack)
                .await
                .map_err(|error| connect_error(error, bare, self.port))?,
        };
        // Small messages must not wait for more data.
        tcp.set_nodelay(true).map_err(Error::Unreachable)?;
        let path = path(&tcp).map_err(Error::Unreachable)?;
        let path = if proxy.is_some() && path.1.ip().is_loopback() { towards_networks().unwrap_or(path) } else { path };
        Ok((tcp, path))
    }
}

/// Returns the local and the remote address.
fn path(tcp: &TcpStream) -> io::Result<(SocketAddr, SocketAddr)> {
    Ok((tcp.local_addr()?, tcp.peer_addr()?))
}

/// Returns the address from which this computer sends to other networks, and an address there. A proxy on this computer is no
/// sign that the server is on it as well. Connecting a UDP socket sends nothing.
///
/// # Errors
/// Returns the system's error if no route leads to another network.
fn towards_networks() -> io::Result<(SocketAddr, SocketAddr)> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect(OTHER_NETWORK)?;
    Ok((socket.local_addr()?, OTHER_NETWORK.into()))
}

/// An address for documentation (RFC 5737), which only the default route reaches.
const OTHER_NETWORK: (Ipv4Addr, u16) = (Ipv4Addr::new(203, 0, 113, 1), 9);
