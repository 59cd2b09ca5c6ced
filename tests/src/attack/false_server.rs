//! A socket that looks like a server: TLS and WebSocket. The test decides what it sends.

use anyhow::{Context, Result};
use crypto::{Fingerprint, Invitation};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::WebSocketStream;

/// A connection of a client.
pub type Socket = WebSocketStream<TlsStream<TcpStream>>;

/// The false server. It ends when it is dropped.
pub struct FalseServer {
    /// Its port on this machine.
    pub port: u16,
    /// The SHA-256 of its certificate.
    pub fingerprint: [u8; 32],
    task: JoinHandle<()>,
}

impl FalseServer {
    /// Starts a server that calls `serve` for each connection.
    ///
    /// # Errors
    /// Returns an error if no certificate can be made, or if no port is free.
    pub async fn start<F>(serve: impl Fn(Socket) -> F + Clone + Send + 'static) -> Result<Self>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let chain = vec![certified.cert.der().clone()];
        let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, &chain[0]).as_ref());
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, serve) = (acceptor.clone(), serve.clone());
                connections.spawn(async move {
                    // `serve` reports what happened by its own means. An error only ends the connection.
                    if let Ok(socket) = accept(tcp, acceptor).await {
                        let _ = serve(socket).await;
                    }
                });
            }
        });
        Ok(Self { port, fingerprint, task })
    }

    /// Returns a link to the same meeting at this server.
    ///
    /// # Errors
    /// Returns an error if `link` is not a link.
    pub fn link(&self, link: &str) -> Result<crypto::Zeroizing<String>> {
        let invitation: Invitation = link.parse().context("a link")?;
        Ok(invitation.at("127.0.0.1", self.port, Some(Fingerprint::from(self.fingerprint))).to_text())
    }
}

impl Drop for FalseServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(tcp: TcpStream, acceptor: TlsAcceptor) -> Result<Socket> {
    tcp.set_nodelay(true)?;
    Ok(tokio_tungstenite::accept_async(acceptor.accept(tcp).await?).await?)
}
