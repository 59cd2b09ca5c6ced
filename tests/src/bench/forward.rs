//! Measures how many packets per second one core forwards through the SFU.
//!
//! The clients run in memory, and their work is not measured. Measured is the work of the SFU from a received datagram to
//! the sent ones (SRTP, switching, rewriting, feedback), and sending them with a socket.

use crate::sfu::{Client, LAYERS, Observer, Simulation};
use anyhow::{Context, Result, ensure};
use std::cell::Cell;
use std::net::{SocketAddr, UdpSocket};
use std::rc::Rc;
use std::time::{Duration, Instant};
use str0m::net::Transmit;

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
    /// The duration of the SFU's work: CPU time of this thread on Linux, else elapsed time.
    pub busy: Duration,
}

impl Report {
    /// Returns how many packets one core forwards per second.
    #[must_use]
    pub fn packets_per_second(&self) -> f64 {
        let packets = u32::try_from(self.packets_out).unwrap_or(u32::MAX);
        f64::from(packets) / self.busy.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// Runs a camera of 720 lines with three layers and 30 frames per second, of which each receiver gets the largest.
///
/// # Errors
/// Returns an error if a transport does not connect.
pub fn forward(load: &Load) -> Result<Report> {
    let busy = Rc::new(Cell::new(Duration::ZERO));
    let observer = Stopwatch { busy: Rc::clone(&busy), socket: Discard::open()? };
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
    busy.set(Duration::ZERO);
    simulation.send_for(camera, load.length);
    let after = simulation.totals();
    Ok(Report {
        packets_in: after.packets_in - before.packets_in,
        packets_out: after.packets_out - before.packets_out,
        busy: busy.get(),
    })
}

/// Measures the SFU's work, and sends its datagrams with a real socket.
struct Stopwatch {
    busy: Rc<Cell<Duration>>,
    socket: Discard,
}

impl Observer for Stopwatch {
    fn serve(&mut self, work: &mut dyn FnMut() -> Vec<Transmit>) -> Vec<Transmit> {
        let start = Start::now();
        let transmits = work();
        for transmit in &transmits {
            self.socket.send(&transmit.contents);
        }
        self.busy.set(self.busy.get() + start.elapsed());
        transmits
    }
}

/// A socket that sends to itself and is never read. If its buffer is full, the system drops datagrams.
struct Discard {
    socket: UdpSocket,
    address: SocketAddr,
}

impl Discard {
    fn open() -> Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_nonblocking(true)?;
        Ok(Self { address: socket.local_addr()?, socket })
    }

    fn send(&self, bytes: &[u8]) {
        let _ = self.socket.send_to(bytes, self.address);
    }
}

/// The start of a measurement: CPU time of this thread on Linux, else the clock.
enum Start {
    Processor(u64),
    Clock(Instant),
}

impl Start {
    fn now() -> Self {
        processor_nanoseconds().map_or_else(|| Self::Clock(Instant::now()), Self::Processor)
    }

    fn elapsed(&self) -> Duration {
        match self {
            Self::Processor(start) => {
                Duration::from_nanos(processor_nanoseconds().unwrap_or(*start).saturating_sub(*start))
            }
            Self::Clock(start) => start.elapsed(),
        }
    }
}

/// Returns the CPU time of this thread in nanoseconds.
fn processor_nanoseconds() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}
