//! `conclave-server`: the companion server as a program.

use clap::Parser;
use server::{Config, Error, Limits, Server};
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Orders the messages of Conclave meetings and forwards their media. It cannot decrypt them.
#[derive(Parser)]
#[command(name = "conclave-server", version)]
struct Arguments {
    /// Address and port to listen on: TCP for messages, UDP for media.
    #[arg(long, default_value = "0.0.0.0:7443")]
    listen: SocketAddr,
    /// Folder for the self-signed certificate.
    #[arg(long)]
    data: PathBuf,
    /// PEM file of a certificate chain, instead of a self-signed certificate.
    #[arg(long, requires = "key")]
    cert: Option<PathBuf>,
    /// PEM file of the certificate's private key.
    #[arg(long, requires = "cert")]
    key: Option<PathBuf>,
    /// Write the log as lines of JSON.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let json = arguments.json;
    start_log(json);
    match serve(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&error, json);
            ExitCode::FAILURE
        }
    }
}

/// Runs the server until SIGTERM or Ctrl+C.
async fn serve(arguments: Arguments) -> Result<(), Error> {
    let certificate = arguments.cert.zip(arguments.key);
    let config =
        Config { listen: arguments.listen, data: Some(arguments.data), certificate, limits: Limits::default() };
    let server = Server::start(config).await?;
    print!("listening on {} fingerprint ", server.address());
    for byte in server.fingerprint() {
        print!("{byte:02x}");
    }
    println!();
    wait_for_signal().await.map_err(Error::Signals)?;
    server.stop(STOP_TIMEOUT).await;
    Ok(())
}

/// Prints one line: the error, its causes, and what to do.
fn print_error(error: &Error, json: bool) {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    let what = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    if json {
        tracing::error!(error = what, advice = error.advice(), "the server did not start");
    } else {
        eprintln!("conclave-server: {what}. {}", error.advice());
    }
}

/// Writes the log to stderr, in colour on a terminal. `RUST_LOG` sets the level.
fn start_log(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let stderr = std::io::stderr;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    if json { builder.json().init() } else { builder.with_ansi(stderr().is_terminal()).init() }
}

/// Waits for SIGTERM or Ctrl+C.
#[cfg(unix)]
async fn wait_for_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted,
    }
}

/// Waits for Ctrl+C.
#[cfg(not(unix))]
async fn wait_for_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

/// How long clients have to close their connections when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
