//! Opens a web address in the user's browser. Only after the user has confirmed it.

use std::io;
use std::process::{Command, Stdio};

/// Opens `link`, which begins with `http://` or `https://`. Waits until the system's program has passed it on.
///
/// # Errors
/// Returns an error if the link is of another kind, or if the system's program fails.
pub fn open(link: &str) -> io::Result<()> {
    let lower = link.get(..8).unwrap_or_default().to_ascii_lowercase();
    if !lower.starts_with("http://") && lower != "https://" {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    run(OPENER, link)
}

fn run((program, arguments): (&str, &[&str]), link: &str) -> io::Result<()> {
    let mut command = Command::new(program);
    command.args(arguments).arg(link).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{program}: {status}"))) }
}

#[cfg(target_os = "macos")]
const OPENER: (&str, &[&str]) = ("open", &[]);
#[cfg(target_os = "windows")]
const OPENER: (&str, &[&str]) = ("rundll32", &["url.dll,FileProtocolHandler"]);
#[cfg(not(any(target_os = "macos", target_os = "windows")))]
const OPENER: (&str, &[&str]) = ("xdg-open", &[]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_kinds_of_links_start_no_program() {
        for link in ["file:///etc/passwd", "--help", "javascript:alert(1)", "", "https:/x", "é"] {
            assert_eq!(open(link).map_err(|error| error.kind()), Err(io::ErrorKind::InvalidInput), "{link}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_is_missing_or_fails_is_an_error() {
        assert!(run(("true", &[]), "https://example.org").is_ok());
        assert!(run(("false", &[]), "https://example.org").unwrap_err().to_string().starts_with("false"));
        assert!(run(("no-such-program-here", &[]), "https://example.org").is_err());
    }
}
