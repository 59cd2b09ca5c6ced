//! A runtime that measures the CPU time of each poll of each task.
//!
//! It measures CPU time, not wall time: if the system interrupts a poll for another process, the poll has not computed
//! longer.

use rustix::time::{ClockId, clock_gettime};
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime, TokioRuntime,
};

/// A tokio runtime that measures each poll.
#[derive(Debug, Default)]
pub struct Probe {
    tasks: Arc<Mutex<Vec<Task>>>,
}

/// The measurements of one task. The first task is the session, the second writes to the server.
#[derive(Clone, Copy, Debug, Default)]
struct Task {
    polls: u64,
    /// The polls that took longer than [`MAX_POLL`].
    long: u64,
    worst: Duration,
}

/// The measurements of all tasks.
pub struct Report {
    pub polls: u64,
    /// The polls that took longer than [`MAX_POLL`].
    pub long: u64,
    worst: Duration,
    tasks: Vec<Task>,
}

impl Probe {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Resets all counts.
    pub fn start(&self) {
        lock(&self.tasks).fill(Task::default());
    }

    pub fn report(&self) -> Report {
        let tasks = lock(&self.tasks).clone();
        let polls = tasks.iter().map(|task| task.polls).sum();
        let long = tasks.iter().map(|task| task.long).sum();
        let worst = tasks.iter().map(|task| task.worst).max().unwrap_or_default();
        Report { polls, long, worst, tasks }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} polls, the longest {:?}; of each task:", self.polls, self.worst)?;
        self.tasks.iter().filter(|task| task.polls > 0).try_for_each(|task| write!(f, " {:?}", task.worst))
    }
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A task whose polls are measured.
struct Timed {
    future: Boxed<'static, ()>,
    tasks: Arc<Mutex<Vec<Task>>>,
    index: usize,
}

impl Future for Timed {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let start = cpu_time();
        let polled = self.future.as_mut().poll(context);
        let used = cpu_time().saturating_sub(start);
        if let Some(task) = lock(&self.tasks).get_mut(self.index) {
            task.polls += 1;
            task.long += u64::from(used > MAX_POLL);
            task.worst = task.worst.max(used);
        }
        polled
    }
}

impl Runtime for Probe {
    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        let mut tasks = lock(&self.tasks);
        let timed = Timed { future, tasks: Arc::clone(&self.tasks), index: tasks.len() };
        tasks.push(Task::default());
        drop(tasks);
        TOKIO.spawn(Box::pin(timed))
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        TOKIO.wrap_udp_socket(socket)
    }

    fn wrap_tcp_listener(&self, listener: TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        TOKIO.wrap_tcp_listener(listener)
    }

    fn connect_tcp(&self, remote: SocketAddr) -> Boxed<'_, io::Result<Arc<dyn AsyncTcpStream>>> {
        TOKIO.connect_tcp(remote)
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        TOKIO.resolve_host(host)
    }

    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        TOKIO.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        TOKIO.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        TOKIO.block_on(future);
    }
}

/// Returns the CPU time of this thread.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn lock(tasks: &Mutex<Vec<Task>>) -> std::sync::MutexGuard<'_, Vec<Task>> {
    tasks.lock().unwrap_or_else(PoisonError::into_inner)
}

static TOKIO: TokioRuntime = TokioRuntime;

/// CPU time of one poll. A task that needs longer delays every other task of its worker.
pub const MAX_POLL: Duration = Duration::from_millis(2);
