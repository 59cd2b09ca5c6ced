//! The command line: the window, a meeting without a window, and the demo.

mod client;
mod demo;
mod display;
mod headless;
mod host;
mod link;
mod options;
mod output;
mod recording;
mod sentences;
mod windowed;

use anyhow::Result;
use clap::Parser;
use options::{Command, Options};
use server::{FlushGuard, Lines, QueuedWriter};
use std::io::IsTerminal;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Reads the command line and runs the command. Prints an error to standard error.
pub fn run() -> ExitCode {
    let options = Options::parse();
    let _flush_log = log();
    let _flush_output = output::start();
    match run_command(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::message(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run_command(options: Options) -> Result<()> {
    match options.command {
        None => {
            let link = options.link.map(|link| link::read(&link)).transpose()?;
            windowed::open(link.as_deref(), options.developer)
        }
        Some(Command::Meet(meet)) => host::meet(&meet),
        Some(Command::Join(join)) => host::join(&join),
        Some(Command::Demo(demo)) => demo::run(&demo),
    }
}

/// Logs to standard error, in colour on a terminal. The environment variable `CONCLAVE_LOG` replaces the default
/// filter, in the syntax of `tracing`'s `EnvFilter`.
fn log() -> FlushGuard {
    let filter = EnvFilter::try_from_env("CONCLAVE_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let colour = std::io::stderr().is_terminal();
    let (writer, flush) = QueuedWriter::start(Lines::Log, std::io::stderr());
    output::use_log(writer.clone());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colour);
    let log = log.with_writer(move || writer.clone());
    // The library would report a failure to write to standard error there too, and panic.
    log.log_internal_errors(false).init();
    QueuedWriter::log_panics();
    flush
}

/// Warnings and errors, except irrelevant ones of three libraries: the DTLS library warns of a missing server name, but
/// our connections check the certificate's fingerprint; the graphics library warns of driver features that we do not
/// use; the library of the sound server reports the end of each connection as an error.
const DEFAULT_FILTER: &str = "warn,rtc_dtls::config=error,wgpu_hal=error,pulseaudio=off";
