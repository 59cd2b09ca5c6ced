//! The command line: the window, a meeting without a window, and the demo.

mod chat_orders;
mod client;
mod control;
mod demo;
mod display;
mod fields;
mod headless;
mod host;
mod identities;
mod identity;
mod layout;
mod link;
mod meeting_events;
mod meeting_orders;
mod options;
mod orders;
mod output;
mod people;
mod recording;
mod sentences;
mod unsent;
mod windowed;

use anyhow::Result;
use app::model::bandwidth::Limits;
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
    if let Some(proxy) = options.proxy {
        app::proxy::set(proxy);
    }
    app::bandwidth::set(Limits { send: options.max_send, receive: options.max_receive });
    match options.command {
        None => {
            let link = options.link.map(|link| link::read(&link)).transpose()?;
            windowed::open(link, options.developer)
        }
        Some(Command::Meet(meet)) => host::meet(&meet),
        Some(Command::Join(join)) => host::join(&join),
        Some(Command::Demo(demo)) => demo::run(&demo),
        Some(Command::Identity(identity)) => identity::run(&identity),
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

/// Warnings and errors, except those of some libraries: the warnings of the WebRTC library and the errors of its sockets
/// contain addresses, and it warns of a missing server name, but our connections check the certificate's fingerprint;
/// the graphics library warns of driver features that we do not use; the library of the sound server reports the end of
/// each connection as an error; the MLS library reports as an error each message that it does not open, so a member that sends
/// messages of others again would fill the log.
const DEFAULT_FILTER: &str =
    "warn,rtc=error,webrtc=error,webrtc::peer_connection::driver=off,wgpu_hal=error,pulseaudio=off,openmls=off";

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn messages_of_libraries_that_have_addresses_or_that_others_can_cause_are_not_logged_by_default() {
        let (log, filter) = (Buffer::default(), EnvFilter::new(DEFAULT_FILTER));
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(target: "rtc_ice::agent", "discard message from (192.0.2.1:7443)");
            tracing::warn!(target: "rtc::peer_connection::handler::endpoint", "drop message from 192.0.2.1:7443");
            tracing::error!(target: "webrtc::peer_connection::driver", "Socket recv error on 192.0.2.1:7443");
            tracing::error!(target: "openmls::framing::private_message_in", "Ciphertext generation out of bounds");
            tracing::warn!(target: "conclave::command", "a warning of the program");
        });
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert!(!text.contains("192.0.2.1") && !text.contains("Ciphertext"), "{text}");
        assert!(text.contains("a warning of the program"), "{text}");
    }
}
