//! Reads the link that the user gives. Other users of the machine see the arguments of a process, and the link contains
//! the meeting's secret, so an argument is visible only until the program has read it.

use anyhow::{Context, Result, bail};
use engine::SecretLink;
use std::fs::File;
use std::io::{BufRead, BufReader, stdin};
use std::path::Path;

/// The argument that stands for standard input.
pub const STDIN: &str = "-";

/// Returns the link: the argument itself, or the first line of standard input that is not empty if it is [`STDIN`]. On
/// Unix, an argument that is a link does not stay in the list of processes: the program starts itself again without it.
///
/// # Errors
/// Returns an error if standard input cannot be read or has no link.
pub fn read(argument: &SecretLink) -> Result<SecretLink> {
    if argument.expose() == STDIN {
        return first_line(stdin().lock()).context("cannot read the link from standard input");
    }
    if argument.expose().contains("://")
        && let Err(error) = hide(argument.expose())
    {
        tracing::debug!(%error, "the link stays in the list of processes");
    }
    Ok(argument.clone())
}

/// Returns the first line of the file that is not empty.
///
/// # Errors
/// Returns an error if the file cannot be read or is empty.
pub fn read_file(path: &Path) -> Result<SecretLink> {
    let lines = File::open(path).map_err(anyhow::Error::from).and_then(|file| first_line(BufReader::new(file)));
    lines.with_context(|| format!("cannot read the link from {}", path.display()))
}

fn first_line(input: impl BufRead) -> Result<SecretLink> {
    for line in input.take(MAX_INPUT).lines() {
        let line = line?;
        if !line.trim().is_empty() {
            return Ok(line.into());
        }
    }
    bail!("there is no link in it")
}

/// Starts this program again in the same process, with the link on standard input instead of in the arguments. Returns
/// only if that fails. Nothing is lost: until now only the threads of the log and of the output
/// run, and they have nothing to write.
#[cfg(unix)]
fn hide(link: &str) -> std::io::Result<std::convert::Infallible> {
    use std::io::Write;
    use std::os::unix::process::CommandExt;
    if link.len() >= MAX_PIPE {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    let (reader, mut writer) = std::io::pipe()?;
    writeln!(writer, "{link}")?;
    let mut arguments = std::env::args_os();
    let mut command = std::process::Command::new(std::env::current_exe()?);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    command.args(arguments.map(|argument| if argument == link { STDIN.into() } else { argument }));
    Err(command.stdin(reader).exec())
}

/// Fails: only the same user and administrators see the arguments of a process there.
#[cfg(not(unix))]
fn hide(_link: &str) -> std::io::Result<std::convert::Infallible> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Bytes that are read in search of a link.
const MAX_INPUT: u64 = 64 << 10;

/// The longest link that is passed on. Every system's pipe holds that much without a reader (POSIX, `PIPE_BUF`).
#[cfg(unix)]
const MAX_PIPE: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_is_not_empty_is_the_link() {
        assert_eq!(first_line(&b"\n  \nconclave://h:1/\nmore\n"[..]).unwrap().expose(), "conclave://h:1/");
        assert_eq!(first_line(&b"conclave://h:1/"[..]).unwrap().expose(), "conclave://h:1/");
        assert!(first_line(&b" \n\n"[..]).is_err());
        assert!(first_line(&b"\xff\xfe\n"[..]).is_err());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let error = read_file(Path::new("no/such/file")).unwrap_err();
        assert!(format!("{error:#}").contains("no/such/file"), "{error:#}");
    }
}
