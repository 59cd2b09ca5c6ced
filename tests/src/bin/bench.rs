//! `cargo xtask bench [draw|sfu [--janus]|crypto|codec|voice|meeting|window] [--json]`, `cargo xtask bench ladder CLIP` for one clip, and
//! `cargo xtask bench net` for calls over networks with limits, which takes many minutes and is not part of the others.

use anyhow::{Result, bail};
use std::path::Path;
use std::process::ExitCode;
#[cfg(target_os = "linux")]
use tests::bench::net;
use tests::bench::{codec, crypto, draw, ladder, meeting, print, sfu, voice, window};

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    #[cfg(target_os = "linux")]
    if let [group, options @ ..] = arguments.as_slice()
        && group == "net"
    {
        return net::run(options);
    }
    #[cfg(target_os = "linux")]
    if let [group, options @ ..] = arguments.as_slice()
        && let Some(part) = part_of_a_call(group)
    {
        part(options)?;
        return Ok(ExitCode::SUCCESS);
    }
    measure(&arguments)?;
    Ok(ExitCode::SUCCESS)
}

/// Runs until the process is ended.
#[cfg(target_os = "linux")]
type Part = fn(&[String]) -> Result<()>;

/// Returns what this program does in a namespace of `bench net`, if the argument says so.
#[cfg(target_os = "linux")]
fn part_of_a_call(argument: &str) -> Option<Part> {
    match argument {
        net::TCP_FLOW => Some(net::run_tcp_flow_end),
        net::BROWSER_SIGNALLING => Some(net::run_browser_signalling),
        _ => None,
    }
}

fn measure(arguments: &[String]) -> Result<()> {
    if let [group, clip] = arguments
        && group == "ladder"
    {
        return ladder::print(Path::new(clip));
    }
    let json = arguments.iter().any(|argument| argument == "--json");
    let janus = arguments.iter().any(|argument| argument == "--janus");
    let groups: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|argument| !["--json", "--janus"].contains(argument)).collect();
    if let Some(unknown) = groups.iter().find(|group| !GROUPS.contains(group)) {
        bail!("unknown benchmark `{unknown}`; expected one of: {}", GROUPS.join(", "));
    }
    let wanted = |group| groups.is_empty() || groups.contains(&group);
    let mut rows = Vec::new();
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/assets/demo/footage/bunny.mp4");
    if wanted("draw") {
        rows.extend(draw::rows()?);
    }
    if wanted("sfu") {
        rows.extend(sfu::rows(janus)?);
    }
    if wanted("codec") {
        rows.extend(codec::rows(&clip)?);
    }
    if wanted("crypto") {
        rows.extend(crypto::rows()?);
    }
    if wanted("voice") {
        rows.extend(voice::rows()?);
    }
    if wanted("meeting") {
        rows.extend(meeting::rows()?);
    }
    // The window is measured on a virtual X11 screen.
    if wanted("window") && cfg!(target_os = "linux") {
        rows.extend(window::rows()?);
    }
    print(&rows, json)
}

const GROUPS: &[&str] = &["draw", "sfu", "crypto", "codec", "voice", "meeting", "window"];
