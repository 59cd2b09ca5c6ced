//! Measures how many packets per second one core forwards through the SFU.
//!
//! The clients run in memory, and their work is not measured. Measured is the work of the SFU from a received datagram to
//! the sent ones (SRTP, switching, rewriting, feedback), and sending them with a socket.

use crate::sfu::{Client, LAYERS, Observer, Simulation};
use anyhow::{Context, Result, ensure};
use rustix::time::{ClockId, clock_gettime};
use server::media_socket::{MediaSocket, Outgoing};
use std::cell::Cell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{SocketAddr, UdpSocket};
use std::rc::Rc;
use std::time::Duration;
use str0m::net::Transmit;
use tokio::runtime::{Builder, Runtime};

/// The load to simulate.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Receivers of the one camera.
    pub receivers: usize,
    /// How long the camera sends, in simulated time.
    pub length: Duration,
}

/// The measurement.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// Packets that the SFU received.
    pub packets_in: u64,
    /// Packets that it forwarded.
    pub packets_out: u64,
    /// CPU time of the SFU without sending.
    pub handling: Duration,
    /// CPU time of sending.
    pub sending: Duration,
}

impl Report {
    /// Returns how many packets one core forwards per second.
    #[must_use]
    pub fn packets_per_second(&self) -> f64 {
        let packets = u32::try_from(self.packets_out).unwrap_or(u32::MAX);
        f64::from(packets) / (self.handling + self.sending).as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// Runs a camera of 720 lines with three layers and 30 frames per second, of which each receiver gets the largest.
///
/// # Errors
/// Returns an error if a transport does not connect.
pub fn forward(load: &Load) -> Result<Report> {
    let work = Rc::new(Cell::new(Work::default()));
    let observer = Stopwatch { work: Rc::clone(&work), sender: Sender::new()? };
    let mut simulation = Simulation::observed(Box::new(observer)).context("the transport stack does not start")?;
    let camera = simulation.join();
    simulation.publish(camera, &LAYERS);
    for _ in 0..load.receivers {
        let receiver = simulation.join();
        simulation.subscribe(receiver, camera);
        simulation.wish(receiver, camera, (1_280, 720), 30);
    }
    let connected = |simulation: &Simulation| simulation.clients.iter().all(Client::connected);
    ensure!(simulation.run_until(Duration::from_secs(10), connected), "the clients do not connect");
    // Wait until the bandwidth estimate is stable.
    simulation.send_for(camera, Duration::from_secs(3));
    let before = simulation.totals();
    work.set(Work::default());
    simulation.send_for(camera, load.length);
    let after = simulation.totals();
    Ok(Report {
        packets_in: after.packets_in - before.packets_in,
        packets_out: after.packets_out - before.packets_out,
        handling: work.get().handling,
        sending: work.get().sending,
    })
}

/// Measures the SFU's work, and sends its datagrams as the media thread does.
struct Stopwatch {
    work: Rc<Cell<Work>>,
    sender: Sender,
}

/// CPU time, and what was done in it.
#[derive(Clone, Copy, Debug, Default)]
struct Work {
    handling: Duration,
    sending: Duration,
}

impl Observer for Stopwatch {
    fn serve(&mut self, work: &mut dyn FnMut() -> Vec<Transmit>) -> Vec<Transmit> {
        let start = processor_time();
        let transmits = work();
        let handled = processor_time();
        // The simulation needs them, too. The media thread copies nothing here.
        let copies = self.sender.copy(&transmits);
        let before = processor_time();
        self.sender.send(copies);
        let mut total = self.work.get();
        total.handling += handled.saturating_sub(start);
        total.sending += processor_time().saturating_sub(before);
        self.work.set(total);
        transmits
    }
}

/// Sends to sockets that are never read. If their buffers are full, the system drops datagrams.
struct Sender {
    runtime: Runtime,
    socket: MediaSocket,
    outgoing: Outgoing,
    /// A socket for each destination.
    discard: HashMap<SocketAddr, (SocketAddr, UdpSocket)>,
}

impl Sender {
    fn new() -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let guard = runtime.enter();
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_nonblocking(true)?;
        let socket = MediaSocket::new(socket)?;
        drop(guard);
        // Afterwards it counts as writable.
        runtime.block_on(socket.writable())?;
        Ok(Self { runtime, socket, outgoing: Outgoing::default(), discard: HashMap::new() })
    }

    /// Returns the same datagrams, to sockets of this program.
    fn copy(&mut self, transmits: &[Transmit]) -> Vec<Transmit> {
        let mut copies = Vec::new();
        for transmit in transmits {
            let destination = match self.discard.entry(transmit.destination) {
                Entry::Occupied(known) => known.get().0,
                Entry::Vacant(new) => {
                    let Ok(socket) = UdpSocket::bind("127.0.0.1:0") else { continue };
                    let Ok(address) = socket.local_addr() else { continue };
                    new.insert((address, socket)).0
                }
            };
            let contents = transmit.contents.to_vec().into();
            copies.push(Transmit { proto: transmit.proto, source: self.socket.address(), destination, contents });
        }
        copies
    }

    fn send(&mut self, transmits: Vec<Transmit>) {
        let _guard = self.runtime.enter();
        for transmit in transmits {
            if !self.outgoing.takes(&transmit, &self.socket) {
                self.socket.send(&mut self.outgoing);
            }
            self.outgoing.push(transmit);
        }
        self.socket.send(&mut self.outgoing);
    }
}

/// Returns the CPU time of this thread.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or(0), nanoseconds.unwrap_or(0))
}
