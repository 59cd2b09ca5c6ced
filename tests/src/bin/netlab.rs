//! `cargo xtask netlab SPEC -- COMMAND`: runs a command as the receiver of a network with limits.

#[cfg(target_os = "linux")]
use anyhow::{Context, Result, bail};
use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> Result<ExitCode> {
    use tests::netlab::{Namespace, Netlab, NetworkSpec, Participant};
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (spec, command) = split(&arguments)?;
    let spec: NetworkSpec = spec.parse()?;
    let lab = match Netlab::new(&spec) {
        Err(error) if error.is_unavailable() => {
            eprintln!("netlab: {error}. No limit was set and nothing was run");
            return Ok(ExitCode::from(UNAVAILABLE));
        }
        made => made?,
    };
    let [program, arguments @ ..] = command else { bail!("{USAGE}") };
    let mut child = lab.command(Namespace::Receiver, program.as_ref());
    child.args(arguments);
    for (name, place) in [
        ("NETLAB_SENDER", Namespace::Sender),
        ("NETLAB_SERVER", Namespace::Server),
        ("NETLAB_RECEIVER", Namespace::Receiver),
    ] {
        child.env(name, lab.name(place));
    }
    child.env("NETLAB_SERVER_ADDRESS", Netlab::server_address(Participant::Receiver));
    let schedule = lab.start_schedule(&spec)?;
    let code = supervise(child)?;
    schedule.stop()?;
    Ok(code)
}

/// Runs `command` to its end. Ctrl+C reaches the command itself; other requests to stop are forwarded to it.
#[cfg(target_os = "linux")]
fn supervise(command: std::process::Command) -> Result<ExitCode> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // With these handlers, the signals do not end this process before the command.
        let _interrupt = signal(SignalKind::interrupt())?;
        let (mut terminate, mut hang_up) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
        let mut child = tokio::process::Command::from(command).spawn().context("cannot start the command")?;
        let status = loop {
            tokio::select! {
                status = child.wait() => break status?,
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
            }
            let id = child.id().map(|id| id.to_string()).unwrap_or_default();
            // Fails if the command ends at this moment.
            let _ = std::process::Command::new("kill").args(["-TERM", &id]).status();
        };
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
    })
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("netlab: this system has no network namespaces. No limit was set and nothing was run");
    ExitCode::from(UNAVAILABLE)
}

#[cfg(target_os = "linux")]
/// Returns what comes before and after `--`.
fn split(arguments: &[String]) -> Result<(String, &[String])> {
    let end = arguments.iter().position(|argument| argument == "--").context(USAGE)?;
    if end + 1 == arguments.len() {
        bail!("{USAGE}");
    }
    Ok((arguments[..end].join(" "), &arguments[end + 1..]))
}

#[cfg(target_os = "linux")]
const USAGE: &str = "usage: netlab SPEC -- COMMAND, such as: netlab 'down=10M,300k@40s loss=2%' -- bash";

/// The exit code if this machine or this user cannot have such a network: `EX_NOPERM` of sysexits.h.
const UNAVAILABLE: u8 = 77;
