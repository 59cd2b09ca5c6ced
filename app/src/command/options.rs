//! The options of the command line.

use super::layout;
use clap::{Args, Parser, Subcommand, ValueEnum};
use engine::{AudioChoice, Choice, MeetingFlags, ProxyUrl, SecretLink};
use media::Size;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Meetings only the participants can see and hear.
#[derive(Debug, Parser)]
#[command(name = "conclave", version, args_conflicts_with_subcommands = true)]
pub struct Options {
    /// A meeting to join: conclave://HOST:PORT/#SECRET; `-` reads it from standard input
    pub link: Option<SecretLink>,
    /// Offers a test pattern as a camera
    #[arg(long, hide = true)]
    pub developer: bool,
    /// The proxy on the way to the server: `http://HOST:PORT` or `socks5://HOST:PORT`, with `USER:PASSWORD@` before the host if it wants that; without this option, the environment variables `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` decide, else the settings of the desktop
    #[arg(long, value_name = "URL", global = true)]
    pub proxy: Option<ProxyUrl>,
    /// The most that is sent, in kbit/s with all headers; sound is sent in any case
    #[arg(long, value_name = "KBIT/S", global = true, value_parser = clap::value_parser!(u32).range(50..=1_000_000))]
    pub max_send: Option<u32>,
    /// The most that the server sends to this client, in kbit/s with all headers; sound is received in any case
    #[arg(long, value_name = "KBIT/S", global = true, value_parser = clap::value_parser!(u32).range(50..=1_000_000))]
    pub max_receive: Option<u32>,
    /// The command; without one, the window opens.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Starts a server and a meeting on this machine; prints the link first. Ctrl+C ends the meeting for everyone, because its server stops; with --server, it only leaves
    Meet(Meet),
    /// Joins a meeting
    Join(Join),
    /// Runs a whole meeting on this machine
    #[command(hide = true)]
    Demo(Demo),
    /// Prints this device's key, requests a certificate of an organisation for it, or installs one
    Identity(IdentityOptions),
}

/// Starts a meeting.
#[derive(Debug, Args)]
pub struct Meet {
    /// Where the server listens: address and port, for TCP and UDP; port 0 takes a free one, the address 0.0.0.0 all IPv4 addresses of this machine, `[::]` also those of IPv6
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// The name or address in the link, such as that of a router which forwards the port; the default is the best address of this machine
    #[arg(long, value_name = "NAME", conflicts_with = "server")]
    pub public_name: Option<Host>,
    /// A server that runs elsewhere, instead of one on this machine
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "listen")]
    pub server: Option<Place>,
    /// SHA-256 of that server's certificate, as the server prints it; without this option, a certificate authority must have signed the certificate
    #[arg(long, value_name = "HEX", requires = "server")]
    pub fingerprint: Option<Fingerprint>,
    /// People wait until somebody lets them in: in the window, or by the rule of --admit
    #[arg(long)]
    pub waiting_room: bool,
    /// Locks the meeting from the start: nobody can join until it is unlocked, in the window or by --commands
    #[arg(long)]
    pub lock: bool,
    /// Devices and duration.
    #[command(flatten)]
    pub client: Client,
}

impl Meet {
    /// Returns the flags of the new meeting that the options set.
    pub fn flags(&self) -> MeetingFlags {
        let waiting_room = MeetingFlags::NONE.with(MeetingFlags::WAITING_ROOM, self.waiting_room);
        waiting_room.with(MeetingFlags::LOCKED, self.lock)
    }
}

/// Whom a client without a window lets in, of those who ask and whom no rule of the meeting lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Admit {
    /// Everybody.
    All,
    /// Devices that were in the meeting before, that this computer has met under the same name, or that a trusted organisation certifies for it.
    Known,
    /// Nobody.
    None,
}

/// The name or address of a server. An IPv6 address has no brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host(pub String);

/// The address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its host name or address. An IPv6 address has no brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// SHA-256 of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// Joins a meeting.
#[derive(Debug, Args)]
pub struct Join {
    /// The link of the meeting; `-` reads it from standard input, so that no other user of this machine sees it
    #[arg(required_unless_present = "link_file", conflicts_with = "link_file")]
    pub link: Option<SecretLink>,
    /// Reads the link from a file
    #[arg(long, value_name = "FILE")]
    pub link_file: Option<PathBuf>,
    /// Devices and duration.
    #[command(flatten)]
    pub client: Client,
}

/// The options of one client.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "independent options of the command line")]
pub struct Client {
    /// The name that the others see
    #[arg(long)]
    pub name: Option<String>,
    /// Opens no window
    #[arg(long)]
    pub headless: bool,
    /// `off`, `synthetic`, `device[:ID]` or `file:PATH` (MP4 with H.264, or Y4M)
    #[arg(long, default_value = "device", value_parser = camera)]
    pub camera: Choice,
    /// Shares the screen
    #[arg(long)]
    pub screen: bool,
    /// Begins with the chat: opens no camera and no microphone until one is switched on, in the window or by --commands
    #[arg(long, conflicts_with = "screen")]
    pub chat: bool,
    /// `off`, `device[:ID]` or `file:PATH` (WAV)
    #[arg(long, default_value = "device", value_parser = sound)]
    pub microphone: AudioChoice,
    /// `off`, `device[:ID]` or `file:PATH` (WAV, written)
    #[arg(long, default_value = "device", value_parser = sound)]
    pub speaker: AudioChoice,
    /// The tile size that a client without a window requests
    #[arg(long, value_name = "WxH", default_value = "640x360", value_parser = size)]
    pub tile: Size,
    /// What a client without a window shows, in order of time: `tiles`, `grid`, `one` or `hidden`, each with @SECONDS after entering
    #[arg(long, value_name = "LAYOUT@SECONDS,..", default_value = "tiles", hide = true)]
    pub layout: layout::Schedule,
    /// Whom an organiser without a window lets in, of those who would have to wait; the others are refused. Has no effect with --commands
    #[arg(long, value_enum, default_value_t = Admit::None)]
    pub admit: Admit,
    /// Uses the device key in a folder, which is made if there is none, and its certificate; without this option, a client without a window is a new device each time; needs --headless
    #[arg(long, value_name = "DIR", requires = "headless")]
    pub identity: Option<PathBuf>,
    /// Leaves after this many seconds in the meeting
    #[arg(long = "for", value_name = "SECONDS", value_parser = seconds)]
    pub duration: Option<Duration>,
    /// Writes a report of the meeting as JSON
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Writes everything that is shown and played into a folder: NAME.y4m and NAME.csv for each camera, and speaker.wav.
    /// The sound is not played then; with `--speaker file:PATH`, it is written to that file instead of speaker.wav
    #[arg(long, value_name = "DIR")]
    pub dump: Option<PathBuf>,
    /// Reads commands from standard input, each a line such as {"chat":"Hello"}, {"chat":{"text":"Hello","to":"NAME"}}, {"admit":"all"}, {"decline":"all"} or {"leave":true}; docs/commands.md has all of them; needs --headless
    #[arg(long)]
    pub commands: bool,
    /// Prints events as JSON, each a line: the entry, the participants, the chat, who asks to join; needs --headless
    #[arg(long)]
    pub json: bool,
    /// Does not add the meeting to the recent meetings of the window
    #[arg(long)]
    pub no_recent: bool,
    /// Writes a picture of the window near the end of the meeting
    #[arg(long, value_name = "FILE", hide = true)]
    pub picture: Option<PathBuf>,
}

/// This device's key and its certificate.
#[derive(Debug, Args)]
pub struct IdentityOptions {
    /// Keeps the key in this folder, which only its owner may read, instead of the system's keychain; `--identity` of the other commands uses it
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Prints a request for a certificate (PKCS #10), for the authority of the organisation
    #[arg(long)]
    pub request: bool,
    /// The name in the request; the default is the user name of the system
    #[arg(long, requires = "request")]
    pub name: Option<String>,
    /// Installs the certificate that the authority has issued, with those between it and the root (PEM)
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// Trusts the organisations whose root certificates are in this file (PEM), and no others that were chosen before
    #[arg(long, value_name = "FILE")]
    pub trust: Option<PathBuf>,
}

/// Runs a whole meeting.
#[derive(Debug, Args)]
pub struct Demo {
    /// Number of participants
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(2..=16))]
    pub participants: u8,
    /// Duration in seconds; the default is 15 without a window, and until the window is closed with one
    #[arg(long, value_parser = seconds)]
    pub seconds: Option<Duration>,
    /// Opens no window
    #[arg(long)]
    pub headless: bool,
    /// The folder for meeting.png and report.json
    #[arg(long, value_name = "DIR", default_value = "demo-out")]
    pub out: PathBuf,
    /// The folder with footage and voices
    #[arg(long, value_name = "DIR", default_value = "app/assets/demo", hide = true)]
    pub assets: PathBuf,
}

fn camera(text: &str) -> Result<Choice, String> {
    match text.split_once(':') {
        None if text == "off" => Ok(Choice::Off),
        None if text == "synthetic" => Ok(Choice::Synthetic),
        None if text == "device" => Ok(Choice::Device(None)),
        Some(("device", id)) if !id.is_empty() => Ok(Choice::Device(Some(id.into()))),
        Some(("file", path)) if !path.is_empty() => Ok(Choice::File(path.into())),
        _ => Err("expected off, synthetic, device, device:ID or file:PATH".into()),
    }
}

fn sound(text: &str) -> Result<AudioChoice, String> {
    match text.split_once(':') {
        None if text == "off" => Ok(AudioChoice::Off),
        None if text == "device" => Ok(AudioChoice::Default),
        Some(("device", id)) if !id.is_empty() => Ok(AudioChoice::Device(id.into())),
        Some(("file", path)) if !path.is_empty() => Ok(AudioChoice::File(path.into())),
        _ => Err("expected off, device, device:ID or file:PATH".into()),
    }
}

fn size(text: &str) -> Result<Size, String> {
    let side = |side| u16::from_str(side).ok().filter(|side| (1..=8_192).contains(side));
    let (width, height) = text.split_once('x').ok_or("expected WIDTHxHEIGHT")?;
    match (side(width), side(height)) {
        (Some(width), Some(height)) => Ok(Size::new(width, height)),
        _ => Err("each side is a number from 1 to 8192".into()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds")?;
    if !(0.1..=604_800.0).contains(&seconds) {
        return Err("expected 0.1 to 604800 seconds".into());
    }
    Ok(Duration::from_secs_f64(seconds))
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = text.rsplit_once(':').ok_or("expected HOST:PORT")?;
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let port = port.parse().ok().filter(|port| *port != 0).ok_or("the port is a number from 1 to 65535")?;
        match inner {
            Some(inner) if inner.parse::<Ipv6Addr>().is_err() => Err("expected an IPv6 address in the brackets"),
            None if host.is_empty() || host.contains([':', '[', ']', '/']) => {
                Err("expected a name or an address; write an IPv6 address in brackets")
            }
            inner => Ok(Self { host: inner.unwrap_or(host).to_owned(), port }),
        }
    }
}

impl FromStr for Host {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if inner.parse::<Ipv6Addr>().is_ok() || inner == text && app::model::is_host(text) {
            Ok(Self(inner.to_owned()))
        } else {
            Err("expected a name or an address without a port")
        }
    }
}

impl FromStr for Fingerprint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected 64 hexadecimal digits";
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(EXPECTED);
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| EXPECTED)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| EXPECTED)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_options_are_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn devices_sizes_and_durations_are_parsed() {
        assert_eq!(camera("synthetic"), Ok(Choice::Synthetic));
        assert_eq!(camera("device:/dev/video1"), Ok(Choice::Device(Some("/dev/video1".into()))));
        assert_eq!(camera("file:a:b.mp4"), Ok(Choice::File("a:b.mp4".into())));
        assert!(camera("file:").is_err() && camera("webcam").is_err() && sound("synthetic").is_err());
        assert_eq!(size("320x180"), Ok(Size::new(320, 180)));
        assert!(size("0x1").is_err() && size("320").is_err());
        assert!(seconds("0").is_err() && seconds("NaN").is_err() && seconds("inf").is_err());
    }

    #[test]
    fn places_and_fingerprints_are_parsed_strictly() {
        let place = |host: &str, port| Ok(Place { host: host.into(), port });
        assert_eq!("meet.example.org:7443".parse(), place("meet.example.org", 7443));
        assert_eq!("[::1]:1".parse(), place("::1", 1));
        for wrong in ["", "host", "host:", "host:0", "host:65536", ":1", "::1:1", "[host]:1", "a/b:1"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
        assert_eq!("0a".repeat(32).parse(), Ok(Fingerprint([10; 32])));
        for wrong in ["", "0a", &"0g".repeat(32), &"+1".repeat(32), &"é".repeat(32), &"0a".repeat(33)] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn public_names_are_names_or_addresses() {
        for (text, expected) in [
            ("meet.example.org", "meet.example.org"),
            ("192.0.2.7", "192.0.2.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
        ] {
            assert_eq!(text.parse(), Ok(Host(expected.into())));
        }
        for wrong in ["", "host:1", "[host]", "a/b", "a b", "a#b", "[::1", "[::1]:5"] {
            assert!(wrong.parse::<Host>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_link_is_an_argument_or_in_a_file() {
        let read = |arguments: &[&str]| Options::try_parse_from([&["conclave", "join"], arguments].concat());
        assert!(read(&["-"]).is_ok() && read(&["--link-file", "file"]).is_ok());
        assert!(read(&[]).is_err() && read(&["link", "--link-file", "file"]).is_err());
    }

    #[test]
    fn a_meeting_is_on_this_machine_or_on_another_server() {
        let read = |arguments: &[&str]| Options::try_parse_from([&["conclave", "meet"], arguments].concat());
        let fingerprint = "0a".repeat(32);
        assert!(read(&["--server", "host:1", "--fingerprint", &fingerprint]).is_ok());
        assert!(read(&["--server", "host:1", "--listen", "127.0.0.1:0"]).is_err());
        assert!(read(&["--fingerprint", &fingerprint]).is_err());
    }

    #[test]
    fn a_new_meeting_can_have_a_waiting_room_and_be_locked() {
        let read = |arguments: &[&str]| {
            let parsed = Options::try_parse_from([&["conclave", "meet"], arguments].concat()).unwrap();
            let Some(Command::Meet(meet)) = parsed.command else { panic!("it is `meet`") };
            (meet.flags(), meet.client.admit)
        };
        assert_eq!(read(&[]), (MeetingFlags::NONE, Admit::None));
        assert_eq!(read(&["--waiting-room", "--admit", "known"]), (MeetingFlags::WAITING_ROOM, Admit::Known));
        let both = MeetingFlags::WAITING_ROOM | MeetingFlags::LOCKED;
        assert_eq!(read(&["--lock", "--waiting-room", "--admit", "all"]), (both, Admit::All));
        assert!(Options::try_parse_from(["conclave", "join", "-", "--lock"]).is_err(), "only the organiser");
    }

    #[test]
    fn a_meeting_that_begins_with_the_chat_shares_no_screen() {
        let read = |arguments: &[&str]| Options::try_parse_from([&["conclave", "meet"], arguments].concat());
        let Some(Command::Meet(meet)) = read(&["--chat"]).unwrap().command else { panic!("it is `meet`") };
        assert!(meet.client.chat);
        assert!(read(&["--chat", "--screen"]).is_err());
    }

    #[test]
    fn debug_shows_no_link() {
        for arguments in
            [&["conclave", "conclave://h:1/#c2VjcmV0"][..], &["conclave", "join", "conclave://h:1/#c2VjcmV0"]]
        {
            let options = Options::try_parse_from(arguments).unwrap();
            let shown = format!("{options:?}");
            assert!(shown.contains("SecretLink(..)") && !shown.contains("c2VjcmV0"), "{shown}");
        }
    }

    #[test]
    fn a_link_alone_opens_the_window() {
        let options = Options::try_parse_from(["conclave", "conclave://h:1/#s"]).unwrap();
        assert!(options.link.is_some() && options.command.is_none());
    }
}
