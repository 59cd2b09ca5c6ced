//! `conclave-server`: the companion server as a program.

use clap::Parser;
use proto::{MAX_TURN_SERVERS, TurnServer};
use server::{Config, Error, FlushGuard, Limits, Lines, QueuedWriter, Server, Stop, TurnConfig, addresses};
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Orders the messages of Conclave meetings and forwards their media. It cannot decrypt them.
#[derive(Parser)]
#[command(name = "conclave-server", version)]
struct Arguments {
    /// Address and port to listen on: TCP for messages, UDP for media; 0.0.0.0 takes all IPv4 addresses, `[::]` also IPv6.
    #[arg(long, default_value = "0.0.0.0:7443")]
    listen: SocketAddr,
    /// Folder for the self-signed certificate, and for the meetings that run: they continue if the server was killed.
    #[arg(long)]
    data: PathBuf,
    /// Name or address by which clients from other networks reach this server, such as that of a router which forwards
    /// the port. May be given several times.
    #[arg(long = "public-name", visible_alias = "public-address", value_name = "NAME")]
    public: Vec<String>,
    /// PEM file of a certificate chain, instead of a self-signed certificate.
    #[arg(long, requires = "key")]
    cert: Option<PathBuf>,
    /// PEM file of the certificate's private key.
    #[arg(long, requires = "cert")]
    key: Option<PathBuf>,
    /// URL of a TURN server by which clients may reach this server if UDP is blocked: `turn:HOST[:PORT]`, the same with
    /// `?transport=tcp`, or `turns:HOST[:PORT]` for TLS. May be given up to six times.
    #[arg(long, value_name = "URL", requires = "turn_secret_file", value_parser = turn_server)]
    turn: Vec<TurnServer>,
    /// File with the secret that this server shares with the TURN servers (`static-auth-secret` of coturn).
    #[arg(long, value_name = "FILE", requires = "turn")]
    turn_secret_file: Option<PathBuf>,
    /// SHA-256 fingerprint of the certificate of the TURN servers, if it is self-signed.
    #[arg(long, value_name = "HEX", requires = "turn", value_parser = fingerprint)]
    turn_fingerprint: Option<[u8; 32]>,
    /// Send no media through the TCP port: clients without UDP use the TURN servers.
    #[arg(long)]
    no_media_tunnel: bool,
    /// Number of threads that forward media, 1 to 8. A meeting belongs to one thread. If there are several, one more receives.
    /// Default: one for each core except one.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..=8))]
    media_threads: Option<u8>,
    /// Serve metrics for Prometheus at this address and port, over HTTP without password: GET /metrics. They are sums over
    /// all meetings and name none.
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:9090")]
    metrics: Option<SocketAddr>,
    /// Write the log as lines of JSON.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let json = arguments.json;
    let (mut log, _flush_log) = start_log(json);
    let (mut out, _flush_out) = QueuedWriter::start(Lines::Output, std::io::stdout());
    match serve(arguments, &mut out).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&mut log, &error, json);
            ExitCode::FAILURE
        }
    }
}

/// Runs the server until SIGTERM, SIGHUP or Ctrl+C, or until a part of it fails.
async fn serve(arguments: Arguments, out: &mut QueuedWriter) -> Result<(), Error> {
    let certificate = arguments.cert.zip(arguments.key);
    let turn = turn_config(arguments.turn, arguments.turn_secret_file.as_deref(), arguments.turn_fingerprint)?;
    let public = arguments.public;
    let config = Config {
        listen: arguments.listen,
        data: Some(arguments.data),
        certificate,
        public: public.clone(),
        tunnels: !arguments.no_media_tunnel,
        turn,
        limits: Limits::default(),
        media_threads: arguments.media_threads.and_then(|threads| NonZero::new(usize::from(threads))),
        metrics: arguments.metrics,
    };
    // Before the address is printed: the program that reads it may send a signal at once.
    let mut stop = Stop::listen().map_err(Error::Signals)?;
    let server = Server::start(config).await?;
    let mut listening = format!("listening on {} fingerprint ", server.address());
    for byte in server.fingerprint() {
        // A string accepts everything.
        let _ = write!(listening, "{byte:02x}");
    }
    listening.push('\n');
    print_to(out, &listening);
    print_addresses(out, server.address(), &public);
    let result = tokio::select! {
        () = stop.requested() => Ok(()),
        error = server.failed() => Err(error),
    };
    server.stop(STOP_TIMEOUT).await;
    result
}

/// Parses the URL of a TURN server.
fn turn_server(url: &str) -> Result<TurnServer, &'static str> {
    TurnServer::parse(url).map_err(|_| "expected turn:HOST[:PORT], turn:HOST[:PORT]?transport=tcp or turns:HOST[:PORT]")
}

/// Parses 64 hexadecimal digits.
fn fingerprint(hex: &str) -> Result<[u8; 32], &'static str> {
    let expected = "expected 64 hexadecimal digits";
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |pair: &[u8]| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?);
    let bytes: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(byte).collect();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(expected)
}

/// Returns the TURN servers with the secret of the file.
fn turn_config(
    servers: Vec<TurnServer>,
    secret: Option<&Path>,
    fingerprint: Option<[u8; 32]>,
) -> Result<Option<TurnConfig>, Error> {
    let Some(path) = secret else { return Ok(None) };
    let secret = std::fs::read(path).map_err(Error::TurnSecret)?.trim_ascii().to_vec();
    if secret.is_empty() || servers.len() > MAX_TURN_SERVERS {
        return Err(Error::TurnSecret(std::io::ErrorKind::InvalidData.into()));
    }
    let servers = servers.into_iter().map(|server| TurnServer { fingerprint, ..server }).collect();
    Ok(Some(TurnConfig { servers, secret, validity: server::TURN_VALIDITY }))
}

/// Prints by which names and addresses clients can reach the server, best first, if it listens on all addresses.
fn print_addresses(out: &mut QueuedWriter, listening: SocketAddr, public: &[String]) {
    let all = if listening.ip().is_unspecified() { addresses::candidates(listening.ip()) } else { Vec::new() };
    for host in public.iter().cloned().chain(all.iter().map(ToString::to_string)) {
        let host = host.trim_matches(['[', ']']);
        let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
        print_to(out, &format!("reachable at {open}{host}{close}:{}\n", listening.port()));
    }
}

/// Prints one line: the error, its causes, and what to do.
fn print_error(log: &mut QueuedWriter, error: &Error, json: bool) {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    let what = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    if json {
        tracing::error!(error = what, advice = error.advice(), "the server failed");
    } else {
        print_to(log, &format!("conclave-server: {what}. {}\n", error.advice()));
    }
}

/// Queues a line, so that a pipe that nobody reads does not stop the server.
fn print_to(target: &mut QueuedWriter, line: &str) {
    // It never fails.
    let _ = target.write_all(line.as_bytes());
}

/// Writes the log to stderr, in colour on a terminal. `RUST_LOG` sets the level.
fn start_log(json: bool) -> (QueuedWriter, FlushGuard) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let (log, flush) = QueuedWriter::start(Lines::Log, std::io::stderr());
    let writer = log.clone();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || writer.clone());
    // The library would report a failure to write to standard error there too, and panic.
    let builder = builder.log_internal_errors(false);
    if json {
        builder.json().init();
    } else {
        builder.with_ansi(std::io::stderr().is_terminal()).init();
    }
    QueuedWriter::log_panics();
    (log, flush)
}

/// How long clients have to close their connections when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
