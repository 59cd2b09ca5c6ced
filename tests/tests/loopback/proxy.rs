//! A TCP proxy in front of the server, which loses connections when the test says so.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinHandle};

/// The proxy. It ends when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    server: SocketAddr,
    listener: Option<JoinHandle<()>>,
    connections: Arc<Mutex<Vec<AbortHandle>>>,
}

impl Proxy {
    /// Starts a proxy to `server`.
    pub async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut proxy = Self { address, server, listener: None, connections: Arc::default() };
        proxy.listen(listener);
        proxy
    }

    /// Returns the port on which it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Loses all connections, and accepts none until [`Proxy::repair`].
    pub fn cut(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.abort();
        }
        self.connections.lock().unwrap().drain(..).for_each(|connection| connection.abort());
    }

    /// Accepts connections again.
    pub async fn repair(&mut self) {
        let mut attempts = tokio::time::interval(Duration::from_millis(50));
        // A client that tries to connect meanwhile may have got this port as its own.
        let listener = loop {
            match TcpListener::bind(self.address).await {
                Ok(listener) => break listener,
                Err(error) if error.kind() == ErrorKind::AddrInUse => drop(attempts.tick().await),
                Err(error) => panic!("{error}"),
            }
        };
        self.listen(listener);
    }

    fn listen(&mut self, listener: TcpListener) {
        let (server, connections) = (self.server, Arc::clone(&self.connections));
        self.listener = Some(tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let connection = tokio::spawn(async move {
                    let mut server = TcpStream::connect(server).await.unwrap();
                    // Either end may close it.
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
                connections.lock().unwrap().push(connection.abort_handle());
            }
        }));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
    }
}
