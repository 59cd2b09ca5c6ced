//! `conclave`: the client. Reads the command line and calls the library.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::run()
}
