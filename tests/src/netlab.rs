//! A network on this machine with limited rates and lost packets, of the real kernel. Linux only; needs root.
//!
//! There are three network namespaces: the server has a link to the sender and one to the receiver. There may be guests, each
//! with a namespace of its own. Each participant has its own link, so that a limit of the sender's uplink and one of the
//! receiver's downlink differ, and that the server sees two addresses. `tc tbf` limits rates, with a bounded queue. nftables
//! drops packets where they arrive, because a sender would get an error for a packet that is dropped where it leaves. A link
//! that delays packets is a `tun_link::TunLink`.

mod ffi;
mod schedule;
mod spec;
mod tun_link;

pub use schedule::LinkSchedule;
pub use spec::{Error as SpecError, LinkChange, LinkSetting, NetworkSpec, Participant};

use crate::impairment::Fraction;
use media::Bitrate;
use std::fmt;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tun_link::{TunLink, TunLinkEnds};

/// The namespaces. Drop ends all processes in them and removes them. If this process is killed, another process does so.
pub struct Netlab {
    names: Arc<Names>,
    tun_links: Arc<TunLinks>,
    queue: Duration,
    /// The process that removes the namespaces when its standard input closes, at the latest when this process ends.
    remover: Child,
}

/// The names of the namespaces.
#[derive(Debug)]
struct Names {
    /// The number of this network among those of this process.
    number: u32,
    sender: String,
    server: String,
    receiver: String,
    guests: Vec<String>,
}

/// The links whose packets this process forwards. The others are links of the kernel.
#[derive(Debug, Default)]
struct TunLinks {
    sender: Option<TunLink>,
    receiver: Option<TunLink>,
    guests: Vec<Option<TunLink>>,
}

/// A protocol whose packets are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// One of the network namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// The namespace of the sender.
    Sender,
    /// The namespace of the server.
    Server,
    /// The namespace of the receiver.
    Receiver,
    /// The namespace of a guest, by number from 0.
    Guest(u8),
}

/// The reason why there is no network.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system does not let this user create network namespaces.
    #[error("this user may not create network namespaces ({0}): netlab needs root")]
    NotPermitted(String),
    /// A program is not installed.
    #[error("{program} is not installed: netlab needs the packages iproute2 and nftables")]
    Missing {
        /// The program.
        program: String,
    },
    /// A command failed.
    #[error("`{command}` failed: {reason}")]
    Failed {
        /// The command with its arguments.
        command: String,
        /// Its error output.
        reason: String,
    },
    /// The system refuses a process or a thread.
    #[error("the system refuses a process: {0}")]
    System(#[from] io::Error),
}

impl Error {
    /// Returns true if this machine or this user cannot have such a network at all.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::NotPermitted(_) | Self::Missing { .. } => true,
            Self::Failed { .. } | Self::System(_) => false,
        }
    }
}

impl Netlab {
    /// Creates the namespaces and links, with the settings of `spec` for time 0.
    ///
    /// # Errors
    /// Returns [`Error`] if this user may not do so, a program is missing, or a command fails.
    pub fn new(spec: &NetworkSpec) -> Result<Self, Error> {
        for program in ["ip", "tc", "nft"] {
            find(program)?;
        }
        let names = Names::new(spec.guests);
        // Before the first namespace exists, so that none is left.
        let remover = names.remover()?;
        let mut lab = Self { names: Arc::new(names), tun_links: Arc::default(), queue: spec.queue, remover };
        lab.add_namespaces()?;
        let sender = lab.add_link(Participant::Sender, spec)?;
        let receiver = lab.add_link(Participant::Receiver, spec)?;
        let guests = (0..spec.guests).map(|number| lab.add_link(Participant::Guest(number), spec));
        let guests = guests.collect::<Result<_, _>>()?;
        lab.tun_links = Arc::new(TunLinks { sender, receiver, guests });
        let first = spec.changes.iter().filter(|change| change.at.is_zero());
        first.into_iter().try_for_each(|change| lab.apply(change))?;
        Ok(lab)
    }

    /// Applies the later changes of `spec`, each at its time from now, on a thread.
    ///
    /// # Errors
    /// Returns [`Error::System`] if the thread cannot be started.
    pub fn start_schedule(&self, spec: &NetworkSpec) -> Result<LinkSchedule, Error> {
        let later = spec.changes.iter().filter(|change| !change.at.is_zero()).copied().collect();
        let (names, tun_links, queue) = (Arc::clone(&self.names), Arc::clone(&self.tun_links), self.queue);
        Ok(LinkSchedule::start(later, move |change| apply(&names, &tun_links, change, queue))?)
    }

    /// Returns a command that runs `program` in `namespace`.
    #[must_use]
    pub fn command(&self, namespace: Namespace, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", self.name(namespace)]).arg(program);
        command
    }

    /// Returns the name of a namespace, for `ip netns exec NAME`.
    ///
    /// # Panics
    /// Panics if there is no such guest.
    #[must_use]
    pub fn name(&self, namespace: Namespace) -> &str {
        match namespace {
            Namespace::Sender => &self.names.sender,
            Namespace::Server => &self.names.server,
            Namespace::Receiver => &self.names.receiver,
            Namespace::Guest(number) => &self.names.guests[usize::from(number)],
        }
    }

    /// Returns the address of the server on the link of a participant. All participants reach all addresses.
    #[must_use]
    pub fn server_address(participant: Participant) -> String {
        address(participant).0
    }

    /// Returns the bytes that have arrived at a participant, with all headers and the packets that are dropped as lost.
    ///
    /// # Errors
    /// Returns [`Error`] if the counter cannot be read.
    pub fn received_bytes(&self, participant: Participant) -> Result<u64, Error> {
        let path = format!("/sys/class/net/{SERVER_DEVICE}/statistics/rx_bytes");
        let text = run("ip", &["netns", "exec", self.names.of(participant), "cat", &path])?;
        text.trim().parse().map_err(|_| failed("cat", &[&path], &text))
    }

    /// Returns the bytes of a protocol that have arrived at a participant, with IP headers and the packets that are dropped as lost.
    ///
    /// # Errors
    /// Returns [`Error`] if the counter cannot be read.
    pub fn received_bytes_of(&self, participant: Participant, protocol: Protocol) -> Result<u64, Error> {
        let list = format!("list counter inet {TABLE} {}", counter(protocol));
        let text = run("ip", &["netns", "exec", self.names.of(participant), "nft", &list])?;
        let bytes = text.split_whitespace().skip_while(|word| *word != "bytes").nth(1);
        bytes.and_then(|bytes| bytes.parse().ok()).ok_or_else(|| failed("nft", &[&list], &text))
    }

    /// Lets the server's namespace forward packets, so that participants reach each other.
    ///
    /// # Errors
    /// Returns [`Error`] if the system refuses it.
    pub fn forward_packets(&self) -> Result<(), Error> {
        let script = "echo 1 > /proc/sys/net/ipv4/ip_forward";
        run("ip", &["netns", "exec", &self.names.server, "sh", "-c", script])?;
        Ok(())
    }

    /// Returns the address of a participant.
    #[must_use]
    pub fn participant_address(participant: Participant) -> String {
        address(participant).1
    }

    /// Applies one change now.
    ///
    /// # Errors
    /// Returns [`Error`] if a command fails.
    pub fn apply(&self, change: &LinkChange) -> Result<(), Error> {
        apply(&self.names, &self.tun_links, change, self.queue)
    }

    fn add_namespaces(&self) -> Result<(), Error> {
        for name in self.names.all() {
            run("ip", &["netns", "add", name])?;
            run("ip", &["-n", name, "link", "set", "lo", "up"])?;
            run("ip", &["netns", "exec", name, "nft", &format!("add table inet {TABLE}")])?;
        }
        Ok(())
    }

    fn add_link(&self, participant: Participant, spec: &NetworkSpec) -> Result<Option<TunLink>, Error> {
        let (server, own) = address(participant);
        let (name, device) = (self.names.of(participant), participant.to_string());
        let ends = if spec.needs_tun_link(participant) {
            Some(self.add_tun_link(participant)?)
        } else {
            self.add_veth(participant)?;
            None
        };
        for (name, device, address) in [(name, SERVER_DEVICE, &own), (&self.names.server, device.as_str(), &server)] {
            run("ip", &["-n", name, "addr", "add", &format!("{address}/24"), "dev", device])?;
            run("ip", &["-n", name, "link", "set", device, "up"])?;
            // Before the routing, so that forwarded packets are lost, too.
            let chain = format!("chain inet {TABLE} {device} {{ type filter hook prerouting priority 0; }}");
            run("ip", &["netns", "exec", name, "nft", &format!("add {chain}")])?;
        }
        run("ip", &["-n", name, "route", "add", "default", "via", &server])?;
        run("ip", &["netns", "exec", name, "nft", &count_protocols()])?;
        Ok(ends.map(TunLinkEnds::start).transpose()?)
    }

    /// Adds a link of the kernel.
    fn add_veth(&self, participant: Participant) -> Result<(), Error> {
        let (name, device) = (self.names.of(participant), participant.to_string());
        let server = ["type", "veth", "peer", "name", &device, "netns", &self.names.server];
        run("ip", &[&["link", "add", SERVER_DEVICE, "netns", name][..], &server].concat())?;
        Ok(())
    }

    /// Adds a link whose packets this process forwards.
    fn add_tun_link(&self, participant: Participant) -> Result<TunLinkEnds, Error> {
        // A device has its final name in its namespace only, because names here must be unique.
        let number = self.names.number;
        let end = |letter: char| format!("tun{}{letter}{number}", std::process::id());
        let ends = match participant {
            Participant::Sender => TunLinkEnds::new([end('s'), end('t')])?,
            Participant::Receiver => TunLinkEnds::new([end('r'), end('u')])?,
            // Capital letters, so that the names differ from those above.
            Participant::Guest(guest) => TunLinkEnds::new([b'A', b'B'].map(|first| end((first + 2 * guest).into())))?,
        };
        let [first, second] = ends.names();
        let device = participant.to_string();
        for (old, namespace, new) in
            [(first, self.names.of(participant), SERVER_DEVICE), (second, &self.names.server, &device)]
        {
            run("ip", &["link", "set", old, "netns", namespace])?;
            // More than a second of packets may wait for the forwarder.
            run("ip", &["-n", namespace, "link", "set", old, "name", new, "txqueuelen", "2000"])?;
        }
        Ok(ends)
    }
}

impl Drop for Netlab {
    fn drop(&mut self) {
        drop(self.remover.stdin.take());
        // Fails only if the process is gone.
        let _ = self.remover.wait();
    }
}

impl TunLinks {
    fn of(&self, participant: Participant) -> Option<&TunLink> {
        match participant {
            Participant::Sender => self.sender.as_ref(),
            Participant::Receiver => self.receiver.as_ref(),
            Participant::Guest(number) => self.guests.get(usize::from(number))?.as_ref(),
        }
    }
}

impl Names {
    /// Returns names that no other network on this machine has.
    fn new(guests: u8) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = |namespace: &str| format!("netlab-{}-{number}-{namespace}", std::process::id());
        let guests = (0..guests).map(|guest| name(&Participant::Guest(guest).to_string())).collect();
        Self { number, sender: name("sender"), server: name("server"), receiver: name("receiver"), guests }
    }

    fn all(&self) -> impl Iterator<Item = &String> {
        [&self.sender, &self.server, &self.receiver].into_iter().chain(&self.guests)
    }

    fn of(&self, participant: Participant) -> &str {
        match participant {
            Participant::Sender => &self.sender,
            Participant::Receiver => &self.receiver,
            Participant::Guest(number) => &self.guests[usize::from(number)],
        }
    }

    /// Starts a shell that waits for the end of its standard input, then ends the processes in the namespaces and removes
    /// them. It has its own process group and ignores signals, so that Ctrl+C does not end it.
    fn remover(&self) -> io::Result<Child> {
        let script = format!(
            "trap '' INT TERM HUP; cat > /dev/null; \
             pids() {{ for name in {names}; do ip netns pids $name; done; }}; \
             kill -TERM $(pids); tries=0; \
             while [ -n \"$(pids)\" ] && [ $tries -lt {TERM_TRIES} ]; do tries=$((tries + 1)); sleep 0.1; done; \
             kill -KILL $(pids); \
             for name in {names}; do ip netns del $name; done",
            names = self.all().map(String::as_str).collect::<Vec<_>>().join(" ")
        );
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).process_group(0);
        // Processes that have ended and namespaces that were not created are no errors.
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    }
}

/// Applies one change.
fn apply(names: &Names, tun_links: &TunLinks, change: &LinkChange, queue: Duration) -> Result<(), Error> {
    let (name, device) = (names.of(change.participant), change.participant.to_string());
    match change.setting {
        LinkSetting::Down(rate) => limit(&names.server, &device, rate, queue),
        LinkSetting::Up(rate) => limit(name, SERVER_DEVICE, rate, queue),
        LinkSetting::Loss(share) => {
            lose(&names.server, &device, share)?;
            lose(name, SERVER_DEVICE, share)
        }
        LinkSetting::Delay(_)
        | LinkSetting::Jitter(_)
        | LinkSetting::Bursts(_)
        | LinkSetting::Reorder(_)
        | LinkSetting::Duplicate(_) => {
            if let Some(link) = tun_links.of(change.participant) {
                link.update(|impairment| change.setting.change(impairment));
            }
            Ok(())
        }
    }
}

/// Limits the rate of what leaves through a device.
fn limit(name: &str, device: &str, rate: Option<Bitrate>, queue: Duration) -> Result<(), Error> {
    let Some(rate) = rate else {
        // There may be no limit.
        let _ = run("tc", &["-n", name, "qdisc", "del", "dev", device, "root"]);
        return Ok(());
    };
    let (bits, latency) = (format!("{}bit", rate.as_bps()), format!("{}ms", queue.as_millis()));
    let burst = MIN_BURST.max(rate.as_bps() / 8 / BURSTS_PER_SECOND).to_string();
    let limit = ["tbf", "rate", &bits, "burst", &burst, "latency", &latency];
    run("tc", &[&["-n", name, "qdisc", "replace", "dev", device, "root"][..], &limit].concat())?;
    Ok(())
}

/// Drops a share of the UDP packets that arrive through a device.
fn lose(name: &str, device: &str, share: Fraction) -> Result<(), Error> {
    let per_ten_thousand = share.per_ten_thousand();
    let random = match per_ten_thousand {
        // nftables refuses a comparison that is always true.
        10_000 => String::new(),
        share => format!("numgen random mod 10000 < {share}"),
    };
    let rule = format!("; add rule inet {TABLE} {device} iifname {device} meta l4proto udp {random} counter drop");
    let rule = if per_ten_thousand == 0 { String::new() } else { rule };
    run("ip", &["netns", "exec", name, "nft", &format!("flush chain inet {TABLE} {device}{rule}")])?;
    Ok(())
}

/// Returns a command of nft that counts the bytes of each protocol that arrive.
fn count_protocols() -> String {
    let counters = [Protocol::Tcp, Protocol::Udp].map(|protocol| {
        let rule = format!("add rule inet {TABLE} received meta l4proto {protocol} counter name {}", counter(protocol));
        format!("add counter inet {TABLE} {}; {rule}", counter(protocol))
    });
    let chain = format!("add chain inet {TABLE} received {{ type filter hook prerouting priority -1; }}");
    format!("{chain}; {}", counters.join("; "))
}

/// Returns the name of the counter of a protocol.
fn counter(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp_received",
        Protocol::Udp => "udp_received",
    }
}

/// The addresses of a link: of the server and of the participant.
fn address(participant: Participant) -> (String, String) {
    let network = match participant {
        Participant::Sender => 1,
        Participant::Receiver => 2,
        Participant::Guest(number) => FIRST_GUEST_NETWORK + number,
    };
    (format!("10.77.{network}.1"), format!("10.77.{network}.2"))
}

impl fmt::Display for Protocol {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

fn find(program: &str) -> Result<(), Error> {
    let mut probe = Command::new(program);
    match probe.arg("-V").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::Missing { program: program.into() }),
        Err(error) => Err(error.into()),
    }
}

/// Runs a command to its end. Returns its standard output.
fn run(program: &str, arguments: &[&str]) -> Result<String, Error> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let reason = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
    let refused = ["not permitted", "Permission denied"].iter().any(|part| reason.contains(part));
    Err(if refused { Error::NotPermitted(reason) } else { failed(program, arguments, &reason) })
}

fn failed(program: &str, arguments: &[&str], reason: &str) -> Error {
    Error::Failed { command: format!("{program} {}", arguments.join(" ")), reason: reason.to_owned() }
}

/// The name of each participant's network device, whose other end is the server.
const SERVER_DEVICE: &str = "server";

const TABLE: &str = "netlab";

/// The first number of a guest's network. The networks 1 and 2 are those of sender and receiver; a bench may use 3.
const FIRST_GUEST_NETWORK: u8 = 10;

/// Bytes that a limit lets pass at once: at least two full packets, and what the rate allows in two milliseconds.
const MIN_BURST: u64 = 4_096;
const BURSTS_PER_SECOND: u64 = 500;

/// How many times, one each tenth of a second, the remover checks whether the processes have ended before it kills them.
const TERM_TRIES: u32 = 30;
