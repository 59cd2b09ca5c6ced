//! `conclave-server`: the companion server as a program.

use anyhow::Context;
use clap::Parser;
use server::{Config, Limits, Server};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Orders the messages of Conclave meetings and relays their media. It can read neither.
#[derive(Parser)]
#[command(name = "conclave-server", version)]
struct Arguments {
    /// Address and port to listen on: TCP for messages, UDP for media.
    #[arg(long, default_value = "0.0.0.0:7443")]
    listen: SocketAddr,
    /// Folder for the server's own certificate.
    #[arg(long)]
    data: PathBuf,
    /// PEM file of the certificate chain, instead of an own one.
    #[arg(long, requires = "key")]
    cert: Option<PathBuf>,
    /// PEM file of the certificate's private key.
    #[arg(long, requires = "cert")]
    key: Option<PathBuf>,
    /// Write logs as lines of JSON.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    log(arguments.json);
    let certificate = arguments.cert.zip(arguments.key);
    let config =
        Config { listen: arguments.listen, data: Some(arguments.data), certificate, limits: Limits::default() };
    let server = Server::start(config).await.context("the server does not start")?;
    print!("listening on {} fingerprint ", server.address());
    server.fingerprint().iter().for_each(|byte| print!("{byte:02x}"));
    println!();
    signal().await.context("no signals on this system")?;
    server.stop(DRAIN).await;
    Ok(())
}

/// Logs go to stderr; `RUST_LOG` says how much.
fn log(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json { builder.json().init() } else { builder.init() }
}

/// Waits until the system, or whoever sits before it, wants the server to end.
#[cfg(unix)]
async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted,
    }
}

/// Waits until whoever sits before it wants the server to end.
#[cfg(not(unix))]
async fn signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

/// For everybody to hear that the server stops.
const DRAIN: Duration = Duration::from_secs(5);
