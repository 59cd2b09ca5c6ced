//! A D-Bus daemon for one test.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use zbus::blocking::connection;

/// The daemon. Dropping it ends the process.
pub struct TestBus {
    daemon: Child,
    address: String,
}

impl TestBus {
    /// Starts a daemon. If `dbus-daemon` is not installed, says so and returns `None`.
    pub fn start() -> Option<Self> {
        let mut command = Command::new("dbus-daemon");
        command.args(["--session", "--nofork", "--nopidfile", "--print-address=1"]);
        let Ok(mut daemon) = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn() else {
            tracing::info!("dbus-daemon is not installed: nothing is tested over a bus");
            return None;
        };
        let mut address = String::new();
        let output = daemon.stdout.take().expect("it is a pipe");
        BufReader::new(output).read_line(&mut address).expect("the daemon writes its address");
        Some(Self { daemon, address: address.trim().to_owned() })
    }

    /// Returns a builder of a connection to the daemon.
    pub fn connect(&self) -> connection::Builder<'_> {
        connection::Builder::address(self.address.as_str()).expect("the daemon has written its address")
    }

    /// Returns the address of the daemon.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for TestBus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}
