//! Opens the window, at home or with a meeting that the command line asks for.

use super::client;
use super::display;
use super::options::Client;
use super::recording::Recording;
use super::sentences;
use anyhow::{Result, anyhow, bail};
use app::embedded::Embedded;
use app::model::link;
use app::{Options, Plan, Start};
use engine::report::Report;
use engine::usage::Usage;
use engine::{Entry, Event, Fault, MeetingFlags, Reason, SecretLink, Setup, Stats};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Opens the window at home, or at the preview of the meeting that `link` names. For a `developer`, it offers the test
/// pattern as a camera.
///
/// # Errors
/// Returns an error if there is no display, or nothing can draw on it.
pub fn open(link: Option<SecretLink>, developer: bool) -> Result<()> {
    let start = link.map_or(Start::Home, Start::Join);
    show(Options { start, developer, ..Options::default() }, None)
}

/// Enters `entry` in the window, until the user leaves or closes the window. `server` is the meeting's server if it runs in this
/// process, `flags` are set in a new meeting.
///
/// # Errors
/// Returns an error as [`open`] does, if the report cannot be written, or if the meeting ends for a reason other than
/// our leaving.
pub fn meet(
    entry: Entry,
    server: Option<Arc<Embedded>>,
    (client, flags): (&Client, MeetingFlags),
    recording: &Recording,
) -> Result<()> {
    // `show` checks this too, but only after `setup` has created the dump folder.
    can_show()?;
    let record = Record::default();
    let (after_close, on_end) = (record.clone(), record.clone());
    let dump = client.dump.clone();
    let (report, name) = (client.report.clone(), client::name(client));
    let print_link = recording.prints_link();
    let hosts = Embedded::hosts_of(server.as_ref());
    let plan = Plan {
        entry,
        link: recording.link.clone(),
        listing: recording.listing,
        server,
        setup: Setup { flags, ..client::setup(client)? },
        leave_after: client.duration,
        screenshot: client.picture.clone(),
        wrap_output: Arc::new(move |output| client::with_dump(output, dump.as_deref())),
        after_close: Arc::new(move |stats, usage| after_close.report(stats, usage, &name, report.as_deref())),
        on_event: Box::new(move |event| {
            if let Event::Entered { link, .. } = event
                && print_link
            {
                client::print_link(&link::to_share(link, &hosts));
            }
        }),
        on_end: Box::new(move |reason| on_end.lock().reason = Some(reason.clone())),
    };
    show(Options { name: client.name.clone(), ..Options::default() }, Some(plan))?;
    let mut last = record.lock();
    match last.reason.take() {
        // Without a reason, the user has left the command's meeting to the background.
        Some(Reason::Left) | None => last.written.take().unwrap_or(Ok(())),
        Some(reason) => bail!(sentences::reason(&reason)),
    }
}

/// The result of the last attempt. The user may make several attempts.
#[derive(Clone, Default)]
struct Record(Arc<Mutex<Last>>);

#[derive(Default)]
struct Last {
    reason: Option<Reason>,
    /// Whether the report was written; `None` before the engine is closed.
    written: Option<Result<()>>,
}

impl Record {
    fn lock(&self) -> MutexGuard<'_, Last> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the report and keeps the result.
    fn report(&self, stats: &Stats, usage: Option<Usage>, name: &str, path: Option<&Path>) {
        let written = client::write_report(path, &Report::of(stats, name, usage));
        self.lock().written = Some(written);
    }
}

fn show(options: Options, plan: Option<Plan>) -> Result<()> {
    can_show()?;
    app::run(options, plan).map_err(|error| no_window(&error.to_string()))
}

fn can_show() -> Result<()> {
    display::missing().map_or(Ok(()), |missing| Err(no_window(&missing)))
}

fn no_window(cause: &str) -> anyhow::Error {
    anyhow!(sentences::compose("window-closed", Some(Fault::Here), cause))
}
