//! A TCP proxy that delays the messages of the server, or closes its connections. It forwards messages of the client at once,
//! and media do not use it. So a test can make commits arrive later than media, or cut a client off.

use anyhow::Result;
use crypto::Invitation;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, tcp::OwnedReadHalf};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// A proxy on a local port. Drop closes its connections.
pub struct DelayProxy {
    port: u16,
    paused: watch::Sender<bool>,
    cut: watch::Sender<bool>,
    _runtime: Runtime,
}

impl DelayProxy {
    /// Starts a proxy for the server of `link`, which must be on this machine. It delays each message of the server by `delay`.
    ///
    /// # Errors
    /// Returns an error if there is no free port or thread, or if `link` is not a link.
    pub fn start(link: &str, delay: Duration) -> Result<Self> {
        Self::before(SocketAddr::from((Ipv4Addr::LOCALHOST, link.parse::<Invitation>()?.port)), delay)
    }

    /// Starts a proxy for a server. It delays each message of the server by `delay`.
    ///
    /// # Errors
    /// Returns an error if there is no free port or thread.
    pub fn before(server: SocketAddr, delay: Duration) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("delay proxy").enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let port = listener.local_addr()?.port();
        let (paused, while_paused) = watch::channel(false);
        let (cut, until_cut) = watch::channel(false);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (mut until_cut, while_paused) = (until_cut.clone(), while_paused.clone());
                // While the proxy is cut, a new connection is closed at once.
                tokio::spawn(async move {
                    tokio::select! {
                        _ = until_cut.wait_for(|cut| *cut) => {}
                        _ = forward(client, server, delay, while_paused) => {}
                    }
                });
            }
        });
        Ok(Self { port, paused, cut, _runtime: runtime })
    }

    /// Returns the port on which it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the invitation of `link`, with the address of the proxy.
    ///
    /// # Errors
    /// Returns an error if `link` is not a link.
    pub fn invitation(&self, link: &str) -> Result<Invitation> {
        Ok(Invitation { port: self.port, ..link.parse()? })
    }

    /// Holds back the messages of the server from now on.
    pub fn pause(&self) {
        self.paused.send_replace(true);
    }

    /// Passes the messages that were held back, in order, and later ones.
    pub fn resume(&self) {
        self.paused.send_replace(false);
    }

    /// Closes all connections, and each new one until [`DelayProxy::repair`].
    pub fn cut(&self) {
        self.cut.send_replace(true);
    }

    /// Forwards new connections again.
    pub fn repair(&self) {
        self.cut.send_replace(false);
    }
}

/// Forwards a connection to a server, and delays each message of the server by `delay`. Returns when it is closed.
///
/// # Errors
/// Returns an error if the server does not accept the connection, or if one end loses it.
pub async fn forward(
    client: TcpStream,
    server: SocketAddr,
    delay: Duration,
    mut paused: watch::Receiver<bool>,
) -> Result<()> {
    let server = TcpStream::connect(server).await?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let ((mut up, mut down), (from, mut to)) = (client.into_split(), server.into_split());
    let (queue, mut waiting) = mpsc::channel::<(Instant, Vec<u8>)>(1_024);
    let upwards = async move { tokio::io::copy(&mut up, &mut to).await };
    let downwards = async move {
        while let Some((received, bytes)) = waiting.recv().await {
            sleep_until(received + delay).await;
            paused.wait_for(|paused| !paused).await?;
            down.write_all(&bytes).await?;
        }
        anyhow::Ok(())
    };
    // Each direction closes its sockets at its end.
    let (_, _, written) = tokio::join!(upwards, read(from, queue), downwards);
    written
}

async fn read(mut from: OwnedReadHalf, queue: mpsc::Sender<(Instant, Vec<u8>)>) -> Result<()> {
    loop {
        let mut bytes = vec![0; 16 << 10];
        let count = from.read(&mut bytes).await?;
        bytes.truncate(count);
        if count == 0 || queue.send((Instant::now(), bytes)).await.is_err() {
            return Ok(());
        }
    }
}
