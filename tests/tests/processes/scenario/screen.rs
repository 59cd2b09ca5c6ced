//! A virtual screen, so that a client without a window has one to share.

use crate::program::{Program, TIMEOUT, until};
use std::process::Command;

/// The screen. It ends when it is dropped.
pub struct Screen {
    _server: Program,
    /// Its name, for `DISPLAY`.
    pub display: String,
}

impl Screen {
    /// Starts Xvfb, which `cargo xtask scenario` and `cargo xtask test` install.
    pub fn start() -> Self {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "640x360x24"]);
        let server = Program::start("Xvfb", command);
        until(TIMEOUT, "Xvfb has a display", || !server.output().is_empty() || !server.is_running());
        let number = server.output().first().cloned().unwrap_or_else(|| panic!("Xvfb ended: {:?}", server.errors(0)));
        Self { display: format!(":{}", number.trim()), _server: server }
    }
}
