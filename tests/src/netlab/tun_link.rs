//! A link between two namespaces whose packets pass an [`ImpairedLink`] of this process in each direction. The kernel of the test
//! machine may have no module that delays packets.

use super::ffi::open_tun;
use crate::impairment::{ImpairedLink, Impairment};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::{self, File};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

/// The two ends of a link, before they are in their namespaces.
#[derive(Debug)]
pub struct TunLinkEnds {
    files: [File; 2],
    names: [String; 2],
}

/// A link whose packets a thread forwards. Drop ends it.
#[derive(Debug)]
pub struct TunLink {
    impairment: Arc<Mutex<Impairment>>,
    /// A byte tells the thread that the settings have changed. The thread ends when it is dropped.
    wake: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl TunLinkEnds {
    /// Creates the devices `names` in the network namespace of this thread.
    ///
    /// # Errors
    /// Returns the system's error if a device cannot be created.
    pub fn new(names: [String; 2]) -> io::Result<Self> {
        Ok(Self { files: [open_tun(&names[0])?, open_tun(&names[1])?], names })
    }

    /// Returns the names of the devices.
    pub fn names(&self) -> &[String; 2] {
        &self.names
    }

    /// Starts to forward packets. Both devices must be up.
    ///
    /// # Errors
    /// Returns the system's error if the thread cannot be started.
    pub fn start(self) -> io::Result<TunLink> {
        let impairment = Arc::new(Mutex::new(Impairment::default()));
        let (waked, wake) = io::pipe()?;
        let (thread_id, started) = sync_channel(1);
        let forwarder = Forwarder {
            files: self.files,
            links: [1, 2].map(|seed| ImpairedLink::new(Impairment::default(), seed)),
            waked,
            impairment: Arc::clone(&impairment),
        };
        let run = move || {
            report_thread(&thread_id);
            forwarder.run();
        };
        let thread = Builder::new().name("tun link".into()).spawn(run)?;
        prefer_thread(&started);
        Ok(TunLink { impairment, wake: Some(wake), thread: Some(thread) })
    }
}

impl TunLink {
    /// Changes what both directions do to packets.
    pub fn update(&self, change: impl FnOnce(&mut Impairment)) {
        change(&mut self.impairment.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(mut wake) = self.wake.as_ref() {
            // Fails only if the thread has ended with its devices.
            let _ = wake.write_all(&[0]);
        }
    }
}

impl Drop for TunLink {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed.
            let _ = thread.join();
        }
    }
}

struct Forwarder {
    files: [File; 2],
    /// The link from the first device to the second one, and back.
    links: [ImpairedLink<Box<[u8]>>; 2],
    waked: PipeReader,
    impairment: Arc<Mutex<Impairment>>,
}

impl Forwarder {
    /// Forwards packets until the pipe is closed or a device is gone.
    fn run(mut self) {
        let mut buffer = vec![0; MAX_PACKET_BYTES];
        while self.wait().is_some() {
            for side in 0..2 {
                while let Ok(length) = (&self.files[side]).read(&mut buffer) {
                    self.links[side].send(buffer[..length].into(), length, Instant::now());
                }
            }
            for side in 0..2 {
                while let Some(packet) = self.links[side].receive(Instant::now()) {
                    // Fails if the device is going down. Then the packet is lost.
                    let _ = (&self.files[1 - side]).write_all(&packet);
                }
            }
        }
    }

    /// Waits for a packet or an arrival. Returns `None` if the thread must end.
    fn wait(&mut self) -> Option<()> {
        let next = self.links.iter().filter_map(ImpairedLink::next_arrival).min();
        let timeout = next.map(|next| next.saturating_duration_since(Instant::now()));
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let [first, second] = &self.files;
        let mut ready = [
            PollFd::new(first, PollFlags::IN),
            PollFd::new(second, PollFlags::IN),
            PollFd::new(&self.waked, PollFlags::IN),
        ];
        match poll(&mut ready, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return None,
        }
        let [first, second, waked] = ready.map(|one| one.revents());
        if (first | second).intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL) {
            return None;
        }
        if !waked.is_empty() {
            // Nothing is read if the pipe is closed.
            (self.waked.read(&mut [0; 64]).ok()? > 0).then_some(())?;
            let impairment = self.impairment.lock().unwrap_or_else(PoisonError::into_inner).clone();
            for link in &mut self.links {
                link.set(impairment.clone());
            }
        }
        Some(())
    }
}

/// Sends the system's number of this thread.
fn report_thread(to: &SyncSender<String>) {
    // `/proc/thread-self` is PID/task/TID.
    let link = fs::read_link("/proc/thread-self").ok();
    let number = link.and_then(|link| Some(link.file_name()?.to_str()?.to_owned()));
    // The receiver waits.
    let _ = to.send(number.unwrap_or_default());
}

/// Lets the system run the thread before all others, so that a busy machine delays no packet. Without the program `chrt` or the
/// right to do so, nothing changes.
fn prefer_thread(started: &Receiver<String>) {
    let Ok(number) = started.recv() else { return };
    let mut chrt = Command::new("chrt");
    let chrt = chrt.args(["--fifo", "--pid", "1", &number]);
    let _ = chrt.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

/// The longest IP packet.
const MAX_PACKET_BYTES: usize = 65_535;
