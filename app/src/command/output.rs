//! Prints lines. A failure to print never ends a meeting: the reader of a pipe may have ended, or the disk of a file may
//! be full. The macros of the standard library would panic.

use server::{FlushGuard, Lines, QueuedWriter};
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::OnceLock;

/// The queue of the lines for standard error.
static LOG: OnceLock<QueuedWriter> = OnceLock::new();

/// The queue of the lines for standard output.
static OUTPUT: OnceLock<QueuedWriter> = OnceLock::new();

/// Sends messages through the queue of the log, so that a pipe that nobody reads does not stop the caller.
pub fn use_log(writer: QueuedWriter) {
    // Only the first call matters, and there is no second one.
    let _ = LOG.set(writer);
}

/// Starts the queue of the lines for standard output. The guard writes the rest of them at the end of the program.
pub fn start() -> FlushGuard {
    let (writer, flush) = QueuedWriter::start(Lines::Output, io::stdout());
    // Only the first call matters, and there is no second one.
    let _ = OUTPUT.set(writer);
    flush
}

/// Prints a line to standard output and flushes it, because a program may wait for it at the other end of a pipe. Never
/// blocks: it may be called during a meeting. The log reports a failure.
pub fn line(text: impl Display) {
    match OUTPUT.get() {
        // It never fails.
        Some(output) => drop(write(&mut output.clone(), text)),
        None => line_blocking(text),
    }
}

/// Prints a line to standard output, and waits for the reader of a full pipe. For programs that are not in a meeting.
/// Ignores errors: the reader may have ended.
pub fn line_blocking(text: impl Display) {
    let _ = write(&mut io::stdout().lock(), text);
}

/// Prints a line that begins with the program's name to standard error. Ignores errors, because there is no other place
/// to report them.
pub fn message(text: impl Display) {
    let line = format_args!("conclave: {text}");
    let _ = match LOG.get() {
        Some(log) => write(&mut log.clone(), line),
        None => write(&mut io::stderr().lock(), line),
    };
}

/// Writes the whole line at once, so that lines of several threads do not mix.
fn write(target: &mut impl Write, text: impl Display) -> io::Result<()> {
    target.write_all(format!("{text}\n").as_bytes())?;
    target.flush()
}
