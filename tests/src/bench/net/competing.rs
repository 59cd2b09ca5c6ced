//! A TCP connection beside a call: it sends as much as the path lets through, from the server's namespace to the receiver's.
//!
//! Both ends are this program again, each in its namespace.

use super::figures::{kbps, round, to_f64};
use super::running::{OutputFolder, RunningProgram};
use crate::bench::wait;
use crate::netlab::{Namespace, Netlab, Participant, Protocol};
use anyhow::{Result, bail};
use media::Bitrate;
use serde::Serialize;
use std::fmt;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// A running connection. Drop ends it.
pub struct TcpFlow {
    _sender: RunningProgram,
    _receiver: RunningProgram,
}

/// What passed the receiver's link beside the call, without the first seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct FlowFigures {
    /// The rate of TCP, IP headers included. The call's signalling is a small part of it.
    pub tcp_kbps: u64,
    /// The rate of UDP, IP headers included: the media of the call.
    pub call_kbps: u64,
    /// The share of TCP in the rate of the link, from 0 to 1.
    pub tcp_share: f64,
    /// The share of the call.
    pub call_share: f64,
}

impl TcpFlow {
    /// Starts to send.
    ///
    /// # Errors
    /// Returns an error if an end does not start.
    pub fn start(lab: &Netlab, folder: &OutputFolder) -> Result<Self> {
        let address = format!("{}:{PORT}", Netlab::server_address(Participant::Receiver));
        let end = |name, namespace| {
            let mut command = lab.command(namespace, &std::env::current_exe()?);
            command.args([COMMAND, name, &address]);
            let program = RunningProgram::start(&format!("tcp-{name}"), command, folder)?;
            program.first_line()?;
            anyhow::Ok(program)
        };
        Ok(Self { _sender: end(SEND, Namespace::Server)?, _receiver: end(RECEIVE, Namespace::Receiver)? })
    }

    /// Waits for `length` while a connection sends, and measures all but the first seconds. `capacity` is the rate of the link.
    ///
    /// # Errors
    /// Returns an error if a counter cannot be read.
    pub fn measure(lab: &Netlab, length: Duration, capacity: Bitrate) -> Result<FlowFigures> {
        let read = |protocol| lab.received_bytes_of(Participant::Receiver, protocol);
        wait(SETTLING_TIME);
        let before = (read(Protocol::Tcp)?, read(Protocol::Udp)?);
        let time = length.saturating_sub(SETTLING_TIME);
        wait(time);
        let (tcp_kbps, call_kbps) =
            (kbps(read(Protocol::Tcp)? - before.0, time), kbps(read(Protocol::Udp)? - before.1, time));
        let share = |kbps| round(1_000.0 * to_f64(kbps) / to_f64(capacity.as_bps()));
        Ok(FlowFigures { tcp_kbps, call_kbps, tcp_share: share(tcp_kbps), call_share: share(call_kbps) })
    }
}

impl fmt::Display for FlowFigures {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tcp_kbps, call_kbps, tcp_share, call_share } = self;
        write!(to, "beside TCP: {tcp_kbps} kbit/s ({tcp_share}), the call {call_kbps} kbit/s ({call_share})")
    }
}

/// Runs one end of a connection until the process is ended. `arguments` are `send` or `receive`, and the address at which the sender
/// listens. Prints a line as soon as the end is ready.
///
/// # Errors
/// Returns an error if the arguments are wrong, or if the connection fails.
pub fn run_end(arguments: &[String]) -> Result<()> {
    let [end, address] = arguments else { bail!("usage: bench {COMMAND} {SEND}|{RECEIVE} ADDRESS") };
    match end.as_str() {
        SEND => {
            let listener = TcpListener::bind(address)?;
            println!("listening");
            let (mut stream, _) = listener.accept()?;
            let bytes = vec![0; CHUNK];
            loop {
                stream.write_all(&bytes)?;
            }
        }
        RECEIVE => {
            let mut stream = TcpStream::connect(address)?;
            println!("connected");
            let mut bytes = vec![0; CHUNK];
            while stream.read(&mut bytes)? > 0 {}
            Ok(())
        }
        unknown => bail!("unknown end `{unknown}`"),
    }
}

/// The argument with which this program runs one end.
pub const COMMAND: &str = "tcp-flow";

const SEND: &str = "send";
const RECEIVE: &str = "receive";
const PORT: u16 = 7_001;
const CHUNK: usize = 1 << 16;

/// How long both may take to share the link.
const SETTLING_TIME: Duration = Duration::from_secs(5);
