//! Tests of the programs as real processes: they check what a command line prints and which files it writes.
//!
//! `cargo xtask test` builds the programs first. Before `cargo test`, run `cargo build`.
#![cfg(unix)] // The tests use the signals, file modes and displays of Unix.

#[path = "processes/bad_input.rs"]
mod bad_input;
#[path = "processes/chat.rs"]
mod chat;
#[path = "processes/chat_first.rs"]
mod chat_first;
#[path = "processes/clip.rs"]
mod clip;
#[path = "processes/clocks.rs"]
mod clocks;
#[path = "processes/control.rs"]
mod control;
#[path = "processes/devices.rs"]
mod devices;
#[path = "processes/frozen.rs"]
mod frozen;
#[path = "processes/identity.rs"]
mod identity;
#[path = "processes/link.rs"]
mod link;
#[path = "processes/meeting.rs"]
mod meeting;
#[cfg(target_os = "linux")]
#[path = "processes/memory.rs"]
mod memory;
#[path = "processes/output.rs"]
mod output;
#[path = "processes/report.rs"]
mod report;
#[cfg(target_os = "linux")] // It shares an X11 screen, and searches the memory of the server.
#[path = "processes/scenario.rs"]
mod scenario;
#[path = "processes/server.rs"]
mod server;
#[path = "processes/stop.rs"]
mod stop;
#[path = "processes/wave.rs"]
mod wave;

use tests::program;
