//! The command line: the window, a meeting without a window, and the demo.

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

/// Reads the command line and does what it says. Errors are told on standard error: what, whose fault, what to do.
pub fn run() -> ExitCode {
    let options = Options::parse();
    log();
    match act(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("conclave: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn act(options: Options) -> Result<()> {
    match options.command {
        None => windowed::open(options.link.as_deref()),
        Some(Command::Meet(meet)) => host::meet(&meet),
        Some(Command::Join(join)) => host::join(&join),
        Some(Command::Demo(demo)) => demo::run(&demo),
    }
}

/// Standard error, in colour only on a terminal: warnings and worse, unless `CONCLAVE_LOG` asks for more (in the syntax of `tracing`'s filters).
fn log() {
    let filter = EnvFilter::try_from_env("CONCLAVE_LOG").unwrap_or_else(|_| EnvFilter::new(QUIET));
    let colour = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colour).with_writer(std::io::stderr).init();
}

/// The DTLS library warns of a name that our connections, which know the other's certificate, do not need; the graphics library
/// of what a driver lacks that we never ask for.
const QUIET: &str = "warn,rtc_dtls::config=error,wgpu_hal=error";
