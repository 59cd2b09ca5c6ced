//! A meeting in the window, entered from the command line.

use super::display;
use super::headless;
use super::options::Client;
use super::sentences;
use anyhow::{Result, anyhow, bail};
use app::model::Fault;
use app::{Attend, Options, Start};
use engine::quality_probe::QualityProbe;
use engine::report::Report;
use engine::{Entry, Event, Reason};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// Opens the window at home, or at the preview of the meeting that `link` names.
///
/// # Errors
/// Where there is no display, or nothing that can draw on it.
pub fn open(link: Option<&str>) -> Result<()> {
    let start = link.map_or(Start::Home, |link| Start::Join(link.into()));
    show(Options { start, ..Options::default() })
}

/// Enters `entry` and shows it, until it is left or the window is closed.
///
/// # Errors
/// As [`open`]; where a report cannot be written; where the meeting ends for another reason than our leaving.
pub fn meet(entry: Entry, client: &Client, print_link: bool) -> Result<()> {
    // Before anything begins that nobody could see.
    can_show()?;
    let evidence = headless::evidence(client)?;
    // Of the last try: the window may make several.
    let witness: Arc<Mutex<Option<Arc<QualityProbe>>>> = Arc::default();
    let kept = Arc::clone(&witness);
    let outcome: Arc<Mutex<Option<Outcome>>> = Arc::default();
    let noted = Arc::clone(&outcome);
    let (report, name) = (client.report.clone(), headless::name(client));
    let attend = Attend {
        entry,
        setup: headless::setup(client)?,
        wrap: Some(Arc::new(move |screen| {
            let witness = Arc::new(QualityProbe::new(Some(screen), evidence.clone(), engine::clock::system()));
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&witness));
            witness
        })),
        on_event: Some(Box::new(move |event| {
            if let Event::Entered { link, .. } = event
                && print_link
            {
                println!("{link}");
                // Whoever reads the link through a pipe waits for it.
                let _ = std::io::stdout().flush();
            }
        })),
        leave_after: client.duration,
        picture: client.picture.clone(),
        on_end: Some(Arc::new(move |engine, reason| {
            let witness = witness.lock().unwrap_or_else(PoisonError::into_inner).take();
            let written = engine.map_or(Ok(()), |engine| {
                let (stats, usage) = (engine.stats(), engine::usage::now());
                engine.close();
                let qualities = witness.map(|witness| witness.qualities()).unwrap_or_default();
                let seen = Report::of(&stats, &name, usage, &qualities);
                headless::write_report(report.as_deref(), &seen)
            });
            *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(Outcome { reason, written });
        })),
    };
    show(Options { start: Start::Meeting(Box::new(attend)), name: client.name.clone(), ..Options::default() })?;
    let outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
    match outcome {
        Some(Outcome { reason: Reason::Left, written }) => written,
        Some(Outcome { reason, .. }) => bail!(sentences::reason(&reason)),
        None => Ok(()),
    }
}

struct Outcome {
    reason: Reason,
    written: Result<()>,
}

fn show(options: Options) -> Result<()> {
    can_show()?;
    app::run(options).map_err(|error| closed(&error.to_string()))
}

fn can_show() -> Result<()> {
    display::missing().map_or(Ok(()), |missing| Err(closed(&missing)))
}

fn closed(cause: &str) -> anyhow::Error {
    anyhow!(sentences::compose("window-closed", Some(Fault::Here), cause))
}
