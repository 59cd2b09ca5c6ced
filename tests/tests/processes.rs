//! Conclave as programs: real processes of the operating system, told by command lines, judged by what they print and write.
//!
//! `cargo xtask test` builds the programs first; with `cargo test` alone, `cargo build` comes before it.
#![cfg(unix)] // Signals, file modes and the absence of a display are those of Unix.

#[path = "processes/bad_input.rs"]
mod bad_input;
#[path = "processes/clip.rs"]
mod clip;
#[path = "processes/devices.rs"]
mod devices;
#[path = "processes/folder.rs"]
mod folder;
#[path = "processes/meeting.rs"]
mod meeting;
#[path = "processes/program.rs"]
mod program;
#[path = "processes/report.rs"]
mod report;
#[path = "processes/server.rs"]
mod server;
#[path = "processes/wave.rs"]
mod wave;
