//! The media sockets of a server. All its threads send through the same sockets.

use crate::addresses;
use crate::media_socket::MediaSocket;
use socket2::{Domain, Protocol, Socket, Type};
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// The sockets that one thread knows.
#[derive(Debug)]
pub struct MediaSockets {
    shared: Arc<Shared>,
    known: Vec<Arc<MediaSocket>>,
    /// Wakes the thread that receives, if that is another one.
    opened: Option<mpsc::Sender<()>>,
}

/// The state that all threads share.
#[derive(Debug)]
struct Shared {
    all: Mutex<Vec<Arc<MediaSocket>>>,
    /// The port of sockets that are opened later.
    port: u16,
    /// The runtime that polls the sockets.
    runtime: Handle,
}

impl MediaSockets {
    /// Binds one socket on each address by which the server can be reached, and on the loopback address for clients on this
    /// machine. A socket on the unspecified address does not report the destination address of a datagram, which ICE needs.
    /// `runtime` belongs to the thread that receives.
    ///
    /// # Errors
    /// Returns the system's error if no socket can be bound.
    pub fn bind(listen: SocketAddr, runtime: Handle) -> io::Result<Self> {
        let mut ips = addresses::candidates(listen.ip());
        if listen.ip().is_unspecified() && !ips.contains(&Ipv4Addr::LOCALHOST.into()) {
            ips.push(Ipv4Addr::LOCALHOST.into());
        }
        let mut known = Vec::new();
        for ip in ips.into_iter().take(MAX_SOCKETS) {
            match open(ip, listen.port(), &runtime) {
                Ok(socket) => known.push(Arc::new(socket)),
                Err(error) => tracing::warn!(%error, "cannot bind a media socket on one of this machine's addresses"),
            }
        }
        if known.is_empty() {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        let shared = Shared { all: Mutex::new(known.clone()), port: listen.port(), runtime };
        Ok(Self { shared: Arc::new(shared), known, opened: None })
    }

    /// Returns the sockets for another thread. `opened` gets a message after each socket that this thread opens.
    pub fn for_thread(&self, opened: Option<mpsc::Sender<()>>) -> Self {
        Self { shared: Arc::clone(&self.shared), known: self.known.clone(), opened }
    }

    /// Returns the sockets that this thread knows.
    pub fn known(&self) -> &[Arc<MediaSocket>] {
        &self.known
    }

    /// Returns the addresses of these sockets.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.known.iter().map(|socket| socket.address()).collect()
    }

    /// Returns the socket at an address.
    pub fn find(&mut self, address: SocketAddr) -> Option<&MediaSocket> {
        let position = |known: &[Arc<MediaSocket>]| known.iter().position(|socket| socket.address() == address);
        let index = position(&self.known).or_else(|| {
            self.refresh();
            position(&self.known)
        });
        self.known.get(index?).map(AsRef::as_ref)
    }

    /// Opens a socket at an address of this machine if there is none: an interface that came up later, or another
    /// loopback address. Returns the addresses of all sockets that this thread did not know.
    pub fn open(&mut self, ip: IpAddr) -> Vec<SocketAddr> {
        if self.known.iter().any(|socket| socket.address().ip() == ip) {
            return Vec::new();
        }
        let Shared { port, runtime, .. } = &*self.shared;
        let mut all = self.shared.all();
        if all.len() < MAX_SOCKETS && all.iter().all(|socket| socket.address().ip() != ip) {
            match open(ip, *port, runtime) {
                Ok(socket) => {
                    all.push(Arc::new(socket));
                    if let Some(opened) = &self.opened {
                        // A full queue means that the thread will look for sockets in any case.
                        let _ = opened.try_send(());
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot bind a media socket on the address by which a client came");
                }
            }
        }
        drop(all);
        self.refresh()
    }

    /// Adds the sockets that other threads have opened. Returns their addresses.
    pub fn refresh(&mut self) -> Vec<SocketAddr> {
        let before = self.known.len();
        self.known.extend(self.shared.all().iter().skip(before).cloned());
        self.known.iter().skip(before).map(|socket| socket.address()).collect()
    }

    /// Waits until one of the sockets is readable.
    pub async fn readable(&self) {
        poll_fn(|context| {
            let ready = self.known.iter().any(|socket| socket.poll_readable(context));
            if ready { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl Shared {
    /// Returns all sockets, in the order in which they were opened.
    fn all(&self) -> MutexGuard<'_, Vec<Arc<MediaSocket>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a socket on `port`, or on any free port if that one is taken. Clients learn the port from the ICE candidates.
fn open(ip: IpAddr, port: u16, runtime: &Handle) -> io::Result<MediaSocket> {
    let socket = bind(SocketAddr::new(ip, port)).or_else(|_| {
        let socket = bind(SocketAddr::new(ip, 0))?;
        let used = socket.local_addr()?.port();
        tracing::warn!(wanted = port, used, "the UDP port is taken, media use another one");
        Ok::<_, io::Error>(socket)
    })?;
    let _entered = runtime.enter();
    MediaSocket::new(socket)
}

fn bind(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // The system may set a smaller size. That is not an error.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// The maximum number of media sockets. A computer has fewer addresses, except loopback addresses.
const MAX_SOCKETS: usize = 64;

/// Bytes that the system may buffer for a socket. A burst of key frames fits.
const SOCKET_BUFFER_BYTES: usize = 4 << 20;
