//! coturn beside the server of a call: TURN over TLS on port 443, and nothing else.

use super::running::{OutputFolder, RunningProgram};
use crate::netlab::{Namespace, Netlab, Participant};
use anyhow::Result;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The running TURN server. Drop kills it.
pub struct TurnServer {
    /// The arguments with which `conclave-server` names this TURN server to its members and accepts no media tunnel.
    pub arguments: Vec<String>,
    _program: RunningProgram,
}

impl TurnServer {
    /// Starts coturn. Its log is the file `turn.log`.
    ///
    /// # Errors
    /// Returns an error if it does not start.
    pub fn start(lab: &Netlab, folder: &OutputFolder) -> Result<Self> {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let (chain, key, secret) = (folder.file("turn.pem"), folder.file("turn.key"), folder.file("turn-secret"));
        fs::write(&chain, certified.cert.pem())?;
        fs::write(&key, certified.signing_key.serialize_pem())?;
        fs::write(&secret, SECRET)?;
        let fingerprint = ring::digest::digest(&ring::digest::SHA256, certified.cert.der());
        let mut digits = String::new();
        for byte in fingerprint.as_ref() {
            write!(digits, "{byte:02x}")?;
        }
        let address = Netlab::server_address(Participant::Receiver);
        let mut command = lab.command(Namespace::Server, PROGRAM.as_ref());
        command.args([
            "-n",
            "--no-cli",
            "--no-udp",
            "--no-tcp",
            "--no-dtls",
            "--log-file",
            "stdout",
            "--realm",
            "test",
        ]);
        command.args(["--listening-ip", &address, "--relay-ip", &address, "--tls-listening-port", PORT]);
        command.args(["--use-auth-secret", "--static-auth-secret", SECRET]).arg("--cert").arg(&chain);
        command.arg("--pkey").arg(&key).arg("--userdb").arg(folder.file("turn.db"));
        command.arg("--pidfile").arg(folder.file("turn.pid"));
        let program = RunningProgram::start("turn", command, folder)?;
        program.first_line()?;
        let url = format!("turns:{address}:{PORT}");
        let secret = secret.display().to_string();
        let arguments =
            ["--turn", &url, "--turn-secret-file", &secret, "--turn-fingerprint", &digits, "--no-media-tunnel"];
        Ok(Self { arguments: arguments.map(str::to_owned).into(), _program: program })
    }
}

/// Returns whether this machine has coturn.
pub fn is_installed() -> bool {
    ["/usr/bin", "/usr/local/bin"].iter().any(|folder| Path::new(folder).join(PROGRAM).exists())
}

const PROGRAM: &str = "turnserver";
const PORT: &str = "443";
const SECRET: &str = "secret-of-the-bench";
