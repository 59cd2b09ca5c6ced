//! Runs a meeting without a window. Cameras, microphones and speakers are devices or files; a report is written at the
//! end.

use super::client;
use super::options::Client;
use super::recording::{self, Recording};
use super::{output, sentences};
use anyhow::{Context, Result, bail};
use app::locale::Language;
use app::model::MeetingModel;
use app::theme::Choice;
use app::{Snapshot, session};
use engine::report::Report;
use engine::usage::{self, Usage};
use engine::{
    Command, Engine, Entry, Event, Events, Identity, Notice, NoticeKind, NullOutput, Person, Reason, SecretLink, Slot,
    TrackId, Zeroizing,
};
use server::Stop;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Enters the meeting, stays until the duration is over or the program is asked to stop, leaves, and writes the report.
/// `hosts` are the names and addresses of a server in this process.
///
/// # Errors
/// Returns an error if the meeting cannot be entered, if a file cannot be written, or if the meeting ends for a
/// reason other than our leaving.
pub fn run(entry: Entry, hosts: Vec<String>, client: &Client, recording: &Recording) -> Result<()> {
    let snapshot = client.picture.is_some().then(|| Snapshot::new(Language::of_system(), Choice::default()));
    let output = snapshot.as_ref().map_or_else(|| Arc::new(NullOutput) as _, Snapshot::output);
    let output = client::with_dump(output, client.dump.as_deref());
    // The command line stores no key, so each run is a new device.
    let identity = Identity::generate().context("the system provides no random numbers")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stop = runtime.block_on(async { Stop::listen() }).context("cannot listen for signals to stop")?;
    let mut setup = client::setup(client)?;
    setup.proxy = app::proxy::for_entry(&entry);
    setup.bandwidth.limits = runtime.block_on(app::bandwidth::of_command_line()).limits();
    let remembers = hosts.is_empty() && recording.is_listed();
    let path = if remembers { app::bandwidth::prepare(&entry, &mut setup) } else { None };
    let (engine, events) = Engine::start(entry, setup, identity, output)?;
    let mut meeting = HeadlessMeeting {
        engine,
        client,
        model: MeetingModel { hosts, ..MeetingModel::default() },
        snapshot,
        recording,
        link: None,
        people: Vec::new(),
        tracks: Vec::new(),
        entered_at: None,
        layout_at: None,
        leave_at: None,
        leaving: None,
        picture_at: None,
        usage: None,
    };
    let reason = runtime.block_on(meeting.run(events, stop));
    recording.ended(meeting.link.as_ref(), &meeting.people, &reason);
    let HeadlessMeeting { engine, usage, .. } = meeting;
    let (stats, usage) = (engine.stats(), usage.or_else(usage::now));
    session::close(engine);
    app::bandwidth::remember(path, &stats);
    let report = Report::of(&stats, &client::name(client), usage);
    client::write_report(client.report.as_deref(), &report)?;
    if reason != Reason::Left {
        bail!(sentences::reason(&reason));
    }
    Ok(())
}

/// A meeting that this program is in or enters.
struct HeadlessMeeting<'a> {
    engine: Engine,
    client: &'a Client,
    /// Chooses the sentences of notices.
    model: MeetingModel,
    snapshot: Option<Snapshot>,
    recording: &'a Recording,
    /// The link of the meeting; `None` before we are in it.
    link: Option<SecretLink>,
    /// The names of the other participants.
    people: Vec<String>,
    /// The picture tracks of the others.
    tracks: Vec<TrackId>,
    /// When we entered the meeting; `None` before that.
    entered_at: Option<Instant>,
    /// When the layout changes next; `None` if it does not.
    layout_at: Option<Instant>,
    /// When the duration is over; `None` before we are in the meeting, or without a duration.
    leave_at: Option<Instant>,
    /// When the next step of leaving is due; `None` before leaving begins.
    leaving: Option<Instant>,
    /// When to draw the picture; `None` if no picture is due.
    picture_at: Option<Instant>,
    /// The resources that the process had used when leaving began.
    usage: Option<Usage>,
}

impl HeadlessMeeting<'_> {
    async fn run(&mut self, mut events: Events, mut stop: Stop) -> Reason {
        loop {
            let leave_at = self.leaving.or(self.leave_at);
            tokio::select! {
                event = events.recv() => match event {
                    Some(Event::Ended(reason)) => return reason,
                    Some(event) => self.handle_event(&event),
                    None => return Reason::Here("the engine stopped without reporting a reason".into()),
                },
                () = sleep_to(self.picture_at) => {
                    self.picture_at = None;
                    self.draw_picture();
                }
                () = sleep_to(self.layout_at) => self.send_wishes(),
                () = sleep_to(leave_at) => self.leave(),
                () = stop.requested() => self.leave(),
            }
        }
    }

    fn handle_event(&mut self, event: &Event) {
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.handle_event(event);
        }
        if let Some(sentence) = sentence(&mut self.model, event) {
            output::message(sentence);
        }
        match event {
            Event::Entered { link, organiser, .. } => self.entered(link, *organiser),
            Event::People(people) => {
                tracing::info!(people = people.len(), "participants");
                recording::add_names(&mut self.people, people);
                self.tracks = picture_tracks(people);
                self.send_wishes();
            }
            // Without a window there is nobody to ask.
            Event::AsksToJoin { id, name } => {
                self.send(Command::Decline(*id));
                let notice = Notice { kind: NoticeKind::OldLinkRefused, file: None, detail: name.clone() };
                output::message(sentences::notice(&notice.into()));
            }
            Event::Locked(lock) => tracing::info!(epoch = lock.epoch, "new keys"),
            Event::Totals(_) if self.leaving.is_some() => self.send(self.last_command()),
            Event::Progress(_)
            | Event::Speaking(_)
            | Event::Level(_)
            | Event::Microphone(_)
            | Event::Camera(_)
            | Event::Sharing(_)
            | Event::StoppedAsking(_)
            | Event::Policy(_)
            | Event::LinkChanged { .. }
            | Event::Notice(_)
            | Event::Second(_)
            | Event::Totals(_)
            | Event::Ended(_) => {}
        }
    }

    fn entered(&mut self, link: &SecretLink, organiser: bool) {
        output::line(entered_line(&self.model.link, self.client, self.recording).as_str());
        self.recording.entered(link, organiser);
        self.link = Some(link.clone());
        let now = Instant::now();
        self.entered_at = Some(now);
        self.send_wishes();
        self.leave_at = self.client.duration.map(|duration| now + duration);
        self.picture_at = self.client.duration.map(|duration| now + picture_after(duration));
    }

    /// Sends the wishes of the current layout.
    fn send_wishes(&mut self) {
        let now = Instant::now();
        let entered = self.entered_at.unwrap_or(now);
        let (layout, since) = (&self.client.layout, now.saturating_duration_since(entered));
        self.layout_at = layout.next_change(since).filter(|_| self.entered_at.is_some()).map(|at| entered + at);
        self.send(Command::SetWishes(layout.at(since).wishes(&self.tracks, self.client.tile)));
    }

    /// Asks for the server's totals first. A second call leaves at once: the server has not answered in time, or the
    /// user does not want to wait. So does a call before we are in the meeting: only members may ask for totals.
    fn leave(&mut self) {
        if self.link.is_none() {
            self.send(Command::Leave);
        } else if self.leaving.is_some() {
            self.send(self.last_command());
        } else {
            self.usage = usage::now();
            self.send(Command::RequestTotals);
        }
        self.leaving = Some(Instant::now() + TOTALS_TIMEOUT);
    }

    /// Ends the meeting if its server runs in this process, because it stops with the process. Leaves the meeting
    /// otherwise, and if the connection is lost, because the end cannot be sent then.
    fn last_command(&self) -> Command {
        if self.model.is_hosted() && !self.model.reconnecting { Command::End } else { Command::Leave }
    }

    /// Draws the meeting's screen as a window would show it now, into the file of the option `--picture`.
    fn draw_picture(&self) {
        let (Some(snapshot), Some(path)) = (&self.snapshot, &self.client.picture) else { return };
        if let Err(error) = snapshot.save(path, PICTURE_SIZE.0, PICTURE_SIZE.1, 1.0) {
            output::message(error);
        }
    }

    fn send(&self, command: Command) {
        if self.engine.send(command).is_err() {
            tracing::warn!("the engine refused a command");
        }
    }
}

/// Passes an event to the model. Returns the sentence to print if the event is a notice. The model knows whether we are in
/// the meeting, on which some sentences depend.
fn sentence(model: &mut MeetingModel, event: &Event) -> Option<String> {
    // Without a window there are no assistive tools.
    let _announcements = model.handle_event(event);
    if let Event::Notice(notice) = event { Some(sentences::notice(&model.notice(notice))) } else { None }
}

/// Returns the line to print when we are in the meeting: the link if the meeting is new.
fn entered_line(link: &SecretLink, client: &Client, recording: &Recording) -> Zeroizing<String> {
    Zeroizing::new(if recording.prints_link() {
        link.expose().to_owned()
    } else {
        sentences::joined(&client::name(client))
    })
}

/// Sleeps until `deadline`, or forever if there is none.
async fn sleep_to(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// How long after entering the picture is drawn: near the end, while all participants are still there.
fn picture_after(duration: Duration) -> Duration {
    duration.saturating_sub(PICTURE_BEFORE_END).max(duration / 2)
}

/// How long before the end the picture is drawn. The guests of a demo leave a few seconds before the host, who draws
/// it.
const PICTURE_BEFORE_END: Duration = Duration::from_secs(6);

/// How long the server has to answer with its totals, and the engine to leave.
const TOTALS_TIMEOUT: Duration = Duration::from_secs(1);

/// Width and height of the picture, in pixels.
const PICTURE_SIZE: (u32, u32) = (1280, 800);

/// Returns the camera and screen tracks of all other participants.
fn picture_tracks(people: &[Person]) -> Vec<TrackId> {
    let others = people.iter().filter(|person| !person.me);
    let tracks = others.flat_map(|person| {
        let track = |slot| TrackId { owner: person.id, slot };
        let camera = person.camera.then(|| track(Slot::Camera));
        camera.into_iter().chain(person.screen.then(|| track(Slot::Screen)))
    });
    tracks.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::options::{self, Options};
    use app::recent::Listing;
    use clap::Parser;
    use engine::ParticipantId;

    #[test]
    fn the_link_of_a_new_meeting_or_the_name_in_another_one_is_printed() {
        let parsed = Options::parse_from(["conclave", "meet", "--headless", "--name", "Zoé"]);
        let Some(options::Command::Meet(meet)) = parsed.command else { panic!("{parsed:?}") };
        let line = |link: Option<&str>| {
            let recording = Recording::new(link.map(SecretLink::from), Listing::Unlisted, &meet.client);
            entered_line(&"conclave://new".into(), &meet.client, &recording).to_string()
        };
        assert_eq!(line(None), "conclave://new");
        assert_eq!(line(Some("conclave://old")), sentences::joined("Zoé"));
        for language in Language::ALL {
            let joined = language.with("headless-joined", &[("name", "Zoé".into())]);
            assert!(joined.ends_with(" Zoé."), "{joined}");
        }
    }

    #[test]
    fn only_a_person_who_waits_reads_that_nobody_can_let_them_in() {
        let mut model = MeetingModel::default();
        let unattended = Event::Notice(Notice { kind: NoticeKind::NobodyAdmits, file: None, detail: String::new() });
        let text = |id| Language::of_system().text(id);
        let before = sentence(&mut model, &unattended).unwrap();
        assert!(before.starts_with(&text("notice-nobody-admits")), "{before}");
        let entered = Event::Entered { me: ParticipantId(1), link: SecretLink::default(), organiser: false };
        assert_eq!(sentence(&mut model, &entered), None);
        let inside = sentence(&mut model, &unattended).unwrap();
        assert!(inside.starts_with(&text("notice-organiser-left")), "{inside}");
    }
}
