//! `conclave`: the client. Reads the command line; everything else is the library's.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::run()
}
