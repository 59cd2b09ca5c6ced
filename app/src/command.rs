//! The command line: the window, a meeting without a window, and the demo.

mod client;
mod demo;
mod display;
mod headless;
mod host;
mod options;
mod sentences;
mod stop;
mod windowed;

use anyhow::Result;
use clap::Parser;
use options::{Command, Options};
use std::io::IsTerminal;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Reads the command line and runs the command. Prints an error to standard error.
pub fn run() -> ExitCode {
    let options = Options::parse();
    log();
    match run_command(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("conclave: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_command(options: Options) -> Result<()> {
    match options.command {
        None => windowed::open(options.link.as_deref()),
        Some(Command::Meet(meet)) => host::meet(&meet),
        Some(Command::Join(join)) => host::join(&join),
        Some(Command::Demo(demo)) => demo::run(&demo),
    }
}

/// Logs to standard error, in colour on a terminal. The environment variable `CONCLAVE_LOG` replaces the default
/// filter, in the syntax of `tracing`'s `EnvFilter`.
fn log() {
    let filter = EnvFilter::try_from_env("CONCLAVE_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let colour = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colour).with_writer(std::io::stderr).init();
}

/// Warnings and errors, except irrelevant warnings of two libraries: the DTLS library warns of a missing server name,
/// but our connections check the certificate's fingerprint; the graphics library warns of driver features that we do
/// not use.
const DEFAULT_FILTER: &str = "warn,rtc_dtls::config=error,wgpu_hal=error";
