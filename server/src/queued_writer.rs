//! Writes lines to standard output or error on a thread of its own. A pipe that is not read, or a terminal that was
//! stopped, blocks only that thread. Both programs use it. Not tracing-appender: it reports no dropped lines, and if
//! its queue is full at the end of the program, its guard prints to standard output, which may block.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::Builder;
use std::time::Duration;

/// What a [`QueuedWriter`] writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// The log. If lines were dropped, the log says how many.
    Log,
    /// The output for which another program may wait. The log says if lines were dropped or cannot be written.
    Output,
}

/// Queues lines for the thread. If the queue is full, a line is dropped. Clones share the queue.
#[derive(Clone, Debug)]
pub struct QueuedWriter {
    entries: SyncSender<Entry>,
    dropped: Arc<AtomicU64>,
}

/// Writes the queued lines when it is dropped. Waits at most half a second for the log, and three seconds for the
/// output.
#[derive(Debug)]
pub struct FlushGuard {
    writer: QueuedWriter,
    timeout: Duration,
}

#[derive(Debug)]
enum Entry {
    Line(Vec<u8>),
    /// All lines before this entry are written.
    Flush(SyncSender<()>),
}

impl QueuedWriter {
    /// Starts the thread, which writes to `target`. It ends when all clones are dropped. If the system cannot start it,
    /// all lines are dropped.
    pub fn start(lines: Lines, target: impl Write + Send + 'static) -> (Self, FlushGuard) {
        let (entries, inbox) = sync_channel(MAX_LINES);
        let writer = Self { entries, dropped: Arc::default() };
        let dropped = Arc::clone(&writer.dropped);
        // The error cannot be reported anywhere.
        let _ = Builder::new().name(lines.thread_name().into()).spawn(move || run(lines, target, &inbox, &dropped));
        (writer.clone(), FlushGuard { writer, timeout: lines.flush_timeout() })
    }

    /// Logs panics instead of writing them to standard error, which may block. A panic of a supervised thread must not
    /// stop that thread.
    pub fn log_panics() {
        std::panic::set_hook(Box::new(|panic| {
            let trace = Backtrace::capture();
            if trace.status() == BacktraceStatus::Captured {
                tracing::error!(%panic, %trace, "panic");
            } else {
                tracing::error!(%panic, "panic");
            }
        }));
    }
}

impl Write for QueuedWriter {
    /// Queues a whole line. Never blocks and never fails.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.entries.try_send(Entry::Line(line.to_vec())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for FlushGuard {
    fn drop(&mut self) {
        let (written, wait) = sync_channel(1);
        if self.writer.entries.try_send(Entry::Flush(written)).is_ok() {
            let _ = wait.recv_timeout(self.timeout);
        }
    }
}

impl Lines {
    const fn thread_name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Output => "output",
        }
    }

    const fn flush_timeout(self) -> Duration {
        match self {
            Self::Log => LOG_FLUSH_TIMEOUT,
            Self::Output => OUTPUT_FLUSH_TIMEOUT,
        }
    }

    fn report_dropped(self, count: u64, target: &mut impl Write) {
        match self {
            Self::Log => {
                let _ = writeln!(target, "{count} lines of the log were dropped, because the log was not read in time");
            }
            Self::Output => tracing::warn!(count, "lines of the standard output were dropped, because it was not read"),
        }
    }

    fn report_failure(self, error: &io::Error) {
        match self {
            // It cannot be reported anywhere: a closed pipe, or a full disk.
            Self::Log => {}
            Self::Output => tracing::warn!(%error, "cannot write to the standard output"),
        }
    }
}

fn run(lines: Lines, mut target: impl Write, inbox: &Receiver<Entry>, dropped: &AtomicU64) {
    loop {
        let entry = match inbox.try_recv() {
            Ok(entry) => entry,
            Err(TryRecvError::Empty) => {
                // Lines were dropped after the last one that was queued.
                let count = dropped.swap(0, Ordering::Relaxed);
                if count > 0 {
                    lines.report_dropped(count, &mut target);
                }
                let _ = target.flush();
                let Ok(entry) = inbox.recv() else { return };
                entry
            }
            Err(TryRecvError::Disconnected) => return,
        };
        match entry {
            Entry::Line(line) => {
                if let Err(error) = target.write_all(&line) {
                    lines.report_failure(&error);
                }
            }
            Entry::Flush(written) => {
                let _ = target.flush();
                let _ = written.try_send(());
            }
        }
    }
}

/// The maximum number of queued lines.
const MAX_LINES: usize = 1_024;

/// How long the end of the program waits for the queued lines of the log.
const LOG_FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// How long the end of the program waits for the queued lines of the output. A program that waits for them may be slow.
const OUTPUT_FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Mutex, PoisonError};
    use std::time::Instant;

    /// A pipe: each write takes a permit, and blocks until there is one.
    struct Pipe {
        permits: Receiver<()>,
        written: Arc<Mutex<String>>,
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.permits.recv();
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            written.push_str(&String::from_utf8_lossy(bytes));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn pipe() -> (SyncSender<()>, Arc<Mutex<String>>, QueuedWriter, FlushGuard) {
        let (permit, permits) = sync_channel(1);
        let written = Arc::<Mutex<String>>::default();
        let (writer, guard) = QueuedWriter::start(Lines::Log, Pipe { permits, written: Arc::clone(&written) });
        (permit, written, writer, guard)
    }

    #[test]
    fn a_pipe_that_nobody_reads_blocks_no_caller_and_the_dropped_lines_are_counted() {
        let (permit, written, mut writer, guard) = pipe();
        // One line may be in the pipe already.
        for number in 0..MAX_LINES + 101 {
            writer.write_all(format!("line {number}\n").as_bytes()).expect("it never fails");
        }
        let dropped = writer.dropped.load(Ordering::Relaxed);
        assert!((100..=101).contains(&dropped), "{dropped}");
        drop(permit); // the pipe is read from now on
        while writer.dropped.load(Ordering::Relaxed) > 0 {
            std::thread::yield_now();
        }
        drop(guard);
        let written = written.lock().unwrap_or_else(PoisonError::into_inner);
        let last: Vec<&str> = written.lines().rev().take(2).collect();
        let expected = format!("{dropped} lines of the log were dropped, because the log was not read in time");
        assert_eq!(last[0], expected);
        assert!(last[1].starts_with("line 10"), "{last:?}");
    }

    #[test]
    fn the_end_of_the_program_writes_the_queued_lines_but_does_not_wait_for_a_reader() {
        let (permit, written, mut writer, guard) = pipe();
        writer.write_all(b"last\n").expect("it never fails");
        drop(permit);
        drop(guard);
        assert_eq!(*written.lock().unwrap_or_else(PoisonError::into_inner), "last\n");

        let (permit, _, mut writer, guard) = pipe();
        writer.write_all(b"never\n").expect("it never fails");
        let start = Instant::now();
        drop(guard);
        assert!(start.elapsed() < Duration::from_secs(20));
        drop(permit);
    }
}
