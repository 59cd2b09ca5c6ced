//! A way to the server on which what the server says comes late: what the client says goes through at once, and media
//! go another way. So commits fall behind media by exactly as much as a test wants.

use anyhow::Result;
use crypto::Invitation;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, tcp::OwnedReadHalf};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// See the module. Dropping it cuts whoever came this way.
pub struct Gate {
    port: u16,
    shut: watch::Sender<bool>,
    _runtime: Runtime,
}

impl Gate {
    /// An open gate before the server that `link` names, which must be on this machine. What passes is `late` by so much.
    ///
    /// # Errors
    /// Where no port or thread is left, or the link is none.
    pub fn before(link: &str, late: Duration) -> Result<Self> {
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, link.parse::<Invitation>()?.port));
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("gate").enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let port = listener.local_addr()?.port();
        let (shut, seen) = watch::channel(false);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server, late, seen.clone()));
            }
        });
        Ok(Self { port, shut, _runtime: runtime })
    }

    /// The same invitation, by way of the gate.
    ///
    /// # Errors
    /// Where `link` is none.
    pub fn lead(&self, link: &str) -> Result<Invitation> {
        Ok(Invitation { port: self.port, ..link.parse()? })
    }

    /// From now on nothing of what the server says comes through.
    pub fn shut(&self) {
        self.shut.send_replace(true);
    }

    /// What was held up comes through, in order.
    pub fn open(&self) {
        self.shut.send_replace(false);
    }
}

async fn pass(client: TcpStream, server: SocketAddr, late: Duration, mut shut: watch::Receiver<bool>) -> Result<()> {
    let server = TcpStream::connect(server).await?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let ((mut up, mut down), (from, mut to)) = (client.into_split(), server.into_split());
    tokio::spawn(async move { tokio::io::copy(&mut up, &mut to).await });
    let (queue, mut waiting) = mpsc::channel(1_024);
    tokio::spawn(read(from, queue));
    while let Some((came, bytes)) = waiting.recv().await {
        sleep_until(came + late).await;
        shut.wait_for(|shut| !shut).await?;
        down.write_all(&bytes).await?;
    }
    Ok(())
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
