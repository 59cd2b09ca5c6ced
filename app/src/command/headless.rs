//! Runs a meeting without a window. Cameras, microphones and speakers are devices or files; a report is written at the
//! end.

use super::client;
use super::control;
use super::identities;
use super::meeting_events;
use super::options::{Admit, Client};
use super::orders::{NamedOrder, Order, Whom};
use super::people;
use super::recording::{self, Recording};
use super::unsent::Unsent;
use super::{output, sentences};
use anyhow::{Context, Result, bail};
use app::locale::Language;
use app::model::{Asker, MeetingModel, moderation};
use app::theme::Choice;
use app::{Snapshot, session};
use engine::chat::{Command as ChatCommand, Event as ChatEvent};
use engine::report::Report;
use engine::usage::{self, Usage};
use engine::{
    Command, Engine, Entry, Event, Events, KeyState, LobbyEvent, MeetingFlags, Notice, NoticeKind, NullOutput,
    ParticipantId, Person, Reason, Refusal, SecretLink, Slot, TrackId, Zeroizing,
};
use server::Stop;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Enters the meeting, stays until the duration is over or the program is asked to stop, leaves, and writes the report.
/// `hosts` are the names and addresses of a server in this process, `flags` are set in a new meeting.
///
/// # Errors
/// Returns an error if the meeting cannot be entered, if a file cannot be written, or if the meeting ends for us otherwise than
/// that we leave it, or the organiser ends it for everybody.
pub fn run(
    entry: Entry,
    hosts: Vec<String>,
    (client, flags): (&Client, MeetingFlags),
    recording: &Recording,
) -> Result<()> {
    let snapshot = client.picture.is_some().then(|| Snapshot::new(Language::of_system(), Choice::default()));
    let output = snapshot.as_ref().map_or_else(|| Arc::new(NullOutput) as _, Snapshot::output);
    let output = client::with_dump(output, client.dump.as_deref());
    let identity = identities::own(client)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stop = runtime.block_on(async { Stop::listen() }).context("cannot listen for signals to stop")?;
    let mut setup = client::setup(client)?;
    (setup.proxy, setup.flags) = (app::proxy::for_entry(&entry), flags);
    setup.bandwidth.limits = runtime.block_on(app::bandwidth::of_command_line()).limits();
    let remembers = hosts.is_empty() && recording.is_listed();
    let path = if remembers { app::bandwidth::prepare(&entry, &mut setup) } else { None };
    let orders = control::read(client)?;
    let (engine, events) = Engine::start(entry, setup, identity, output)?;
    let mut meeting = HeadlessMeeting {
        engine,
        client,
        model: identities::model(hosts),
        snapshot,
        recording,
        link: None,
        people: Vec::new(),
        tracks: Vec::new(),
        entered_at: None,
        layout_at: None,
        leave_at: None,
        leaving: None,
        unsent: Unsent::default(),
        picture_at: None,
        usage: None,
    };
    let reason = runtime.block_on(meeting.run(events, orders, stop));
    recording.ended(meeting.link.as_ref(), &meeting.people, &reason);
    let HeadlessMeeting { engine, usage, .. } = meeting;
    let (stats, usage) = (engine.stats(), usage.or_else(usage::now));
    session::close(engine);
    app::bandwidth::remember(path, &stats);
    let report = Report::of(&stats, &client::name(client), usage);
    client::write_report(client.report.as_deref(), &report)?;
    if client.json {
        control::print(&control::ended(&reason));
    }
    if reason == Reason::Ended {
        output::message(sentences::reason(&reason));
    } else if reason != Reason::Left {
        bail!(sentences::reason(&reason));
    }
    Ok(())
}

/// A meeting that this program is in or enters.
struct HeadlessMeeting<'a> {
    engine: Engine,
    client: &'a Client,
    /// The people, who asks to join, and what the sentences of notices depend on.
    model: MeetingModel,
    snapshot: Option<Snapshot>,
    recording: &'a Recording,
    /// The link of the meeting; `None` before we are in it.
    link: Option<SecretLink>,
    /// The names of the other participants.
    people: Vec<String>,
    /// The picture tracks of the others.
    tracks: Vec<TrackId>,
    /// When we entered the meeting; `None` before that, and while we are back in the waiting room.
    entered_at: Option<Instant>,
    /// When the layout changes next; `None` if it does not.
    layout_at: Option<Instant>,
    /// When the duration is over; `None` before we are in the meeting, or without a duration.
    leave_at: Option<Instant>,
    /// When the next step of leaving is due; `None` before leaving begins.
    leaving: Option<Instant>,
    unsent: Unsent,
    /// When to draw the picture; `None` if no picture is due.
    picture_at: Option<Instant>,
    /// The resources that the process had used when leaving began.
    usage: Option<Usage>,
}

impl HeadlessMeeting<'_> {
    async fn run(&mut self, mut events: Events, mut orders: Option<Orders>, mut stop: Stop) -> Reason {
        loop {
            let leave_at = self.leaving.or(self.leave_at);
            tokio::select! {
                event = events.recv() => match event {
                    Some(Event::Ended(reason)) => return reason,
                    Some(event) => {
                        self.handle_event(&event);
                        if self.unsent.until.is_some() && !self.has_unsent() {
                            self.leave();
                        }
                    }
                    None => return Reason::Here("the engine stopped without reporting a reason".into()),
                },
                order = next_order(&mut orders) => self.obey(order),
                () = sleep_to(self.picture_at) => {
                    self.picture_at = None;
                    self.draw_picture();
                }
                () = sleep_to(self.layout_at) => self.send_wishes(),
                () = sleep_to(leave_at) => self.leave(),
                () = sleep_to(self.unsent.until) => self.leave(),
                () = stop.requested() => self.leave(),
            }
        }
    }

    fn handle_event(&mut self, event: &Event) {
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.handle_event(event);
        }
        self.unsent.handle_event(event, &self.model.chat);
        for notice in notices(&mut self.model, event) {
            output::message(sentences::notice(&notice));
        }
        if let Some(line) = meeting_events::line(event) {
            self.describe(line);
        }
        match event {
            Event::Entered { link, organiser, .. } => self.entered(link, *organiser),
            Event::People(people) => {
                tracing::info!(people = people.len(), "participants");
                recording::add_names(&mut self.people, people);
                self.save_met();
                self.tracks = picture_tracks(people);
                self.send_wishes();
            }
            // A command answers.
            Event::AsksToJoin { id, name, evidence } if self.client.commands => {
                self.describe(meeting_events::asks(*id, name, evidence));
            }
            Event::Chat(event) => self.handle_chat(event),
            // Without a window there is nobody to ask.
            Event::AsksToJoin { id, .. } if self.admits(*id) => self.send(Command::Admit(*id)),
            Event::AsksToJoin { id, name, evidence } => {
                self.send(Command::Decline(*id, Refusal::Declined));
                if evidence.via_old_link {
                    let notice = Notice { kind: NoticeKind::OldLinkRefused, file: None, detail: name.clone() };
                    output::message(sentences::notice(&notice.into()));
                }
            }
            Event::LinkChanged { .. } => {
                self.print(&control::link(&self.model.link));
            }
            Event::Locked(lock) => self.show_keys(lock),
            // We have no keys now, and are no member: only a member may write, or ask for totals.
            Event::Lobby(LobbyEvent::SentBack) => (self.entered_at, self.picture_at) = (None, None),
            Event::Totals(_) if self.leaving.is_some() => self.send(self.last_command()),
            Event::Progress(_)
            | Event::Speaking(_)
            | Event::Level(_)
            | Event::Microphone(_)
            | Event::Camera(_)
            | Event::Sharing(_)
            | Event::StoppedAsking(_)
            | Event::Lobby(_)
            | Event::Policy(_)
            | Event::OwnRightsChanged(_)
            | Event::Hands(_)
            | Event::HandLowered { .. }
            | Event::Notice(_)
            | Event::Verification(_)
            | Event::DoubtedTracks(_)
            | Event::Second(_)
            | Event::Totals(_)
            | Event::Ended(_) => {}
        }
    }

    fn show_keys(&self, lock: &KeyState) {
        tracing::info!(epoch = lock.epoch, "new keys");
        // The first ones come before we are in the meeting, and `entered` is the first event.
        if self.entered_at.is_some() {
            self.print(&meeting_events::words(lock));
        }
    }

    fn entered(&mut self, link: &SecretLink, organiser: bool) {
        if self.client.json {
            let link = self.recording.prints_link().then_some(&self.model.link);
            control::print(&control::entered(&client::name(self.client), link));
        } else {
            output::line(entered_line(&self.model.link, self.client, self.recording).as_str());
        }
        if let Some(lock) = &self.model.lock {
            self.print(&meeting_events::words(lock));
        }
        self.recording.entered(link, organiser);
        self.link = Some(link.clone());
        let now = Instant::now();
        self.entered_at = Some(now);
        self.send_wishes();
        self.leave_at = self.leave_at.or_else(|| self.client.duration.map(|duration| now + duration));
        self.picture_at = self.client.duration.map(|duration| now + picture_after(duration));
    }

    /// Prints an event if the user wants events.
    fn print(&self, event: &serde_json::Value) {
        if self.client.json {
            control::print(event);
        }
    }

    /// Writes down who was met, if the meeting may be remembered. Without a key of its own, this program meets others like it, whose
    /// keys are new each time.
    fn save_met(&mut self) {
        if self.recording.is_listed() && self.client.identity.is_some() {
            identities::save(&mut self.model);
        }
    }

    /// Prints an event about people, with what is known of who they are.
    fn describe(&self, mut event: serde_json::Value) {
        identities::describe(&mut event, &self.model);
        self.print(&event);
    }

    fn handle_chat(&self, event: &ChatEvent) {
        match event {
            ChatEvent::Lines(lines) => lines.iter().filter_map(control::chat).for_each(|event| self.print(&event)),
            ChatEvent::Typing(_)
            | ChatEvent::Flooded { .. }
            | ChatEvent::Gap { .. }
            | ChatEvent::Dropped(_)
            | ChatEvent::NotDone(_) => {
                if let Some(event) = meeting_events::chat(event) {
                    self.print(&event);
                }
            }
        }
    }

    /// Executes a command of standard input.
    fn obey(&mut self, order: Result<NamedOrder, String>) {
        let done = order.and_then(|(name, order)| self.execute(order).map_err(|why| format!("{name}: {why}")));
        if let Err(why) = done {
            output::message(&why);
            self.print(&control::refused(&why));
        }
    }

    fn execute(&mut self, order: Order) -> Result<(), String> {
        match order {
            Order::Leave(true) if self.has_unsent() => self.unsent.until = Some(Instant::now() + UNSENT_TIMEOUT),
            Order::Leave(true) => self.leave(),
            Order::Leave(false) | Order::Report(false) => {}
            Order::Admit(whom) => self.answer(&whom, Command::Admit)?,
            Order::Decline(whom, why) => self.answer(&whom, |id| Command::Decline(id, why))?,
            Order::Meeting(order) => {
                if !order.is_own() {
                    self.require_meeting()?;
                }
                if let Some(command) = order.command(&self.model.people)? {
                    self.send(command);
                }
            }
            Order::Chat(order) => {
                self.require_meeting()?;
                let command = order.command(&self.model.people, self.model.chat.lines())?;
                if matches!(command, ChatCommand::Send(_)) {
                    self.unsent.wrote();
                }
                self.send(Command::Chat(command));
            }
            Order::AcceptDevice(name) => self.accept_device(&name)?,
            Order::Lobby { to, text } => self.write_lobby(to.as_deref(), text)?,
            Order::Report(true) => {
                let report = Report::of(&self.engine.stats(), &client::name(self.client), usage::now());
                self.print(&meeting_events::report(report));
            }
        }
        Ok(())
    }

    fn require_meeting(&self) -> Result<(), String> {
        self.entered_at.map(|_| ()).ok_or_else(|| "we are not in the meeting: wait for the event `entered`".into())
    }

    /// Whether lines that we wrote are on their way.
    fn has_unsent(&self) -> bool {
        self.entered_at.is_some() && self.unsent.is_any(&self.model.chat)
    }

    /// Whether the rule of the options lets somebody in who would have to wait.
    fn admits(&self, id: ParticipantId) -> bool {
        self.model.asking.iter().any(|asker| asker.id == id && admits(self.client.admit, asker))
    }

    /// Answers those who ask to join.
    fn answer(&mut self, whom: &Whom, command: impl Fn(ParticipantId) -> Command) -> Result<(), String> {
        let answered = match whom {
            Whom::All => self.model.asking.iter().map(|asker| asker.id).collect(),
            Whom::Named(name) => vec![people::asker(&self.model.asking, name)?],
        };
        if answered.is_empty() {
            return Err("nobody asks to join".into());
        }
        for id in answered {
            self.model.remove_asker(id);
            self.send(command(id));
        }
        Ok(())
    }

    /// Accepts the device of a participant, or of somebody who asks to join.
    fn accept_device(&mut self, name: &str) -> Result<(), String> {
        identities::accept(&mut self.model, name)?;
        self.save_met();
        if let Some(line) = meeting_events::line(&Event::People(self.model.people.clone())) {
            self.describe(line);
        }
        Ok(())
    }

    /// Writes to somebody who asks to join, or to the managers if we ask ourselves.
    fn write_lobby(&self, to: Option<&str>, text: String) -> Result<(), String> {
        let to = to.map(|name| people::asker(&self.model.asking, name)).transpose()?;
        if to.is_none() && self.entered_at.is_some() {
            return Err("expected the name of somebody who asks to join, because we are in the meeting".into());
        }
        self.send(Command::WriteLobby { to, text });
        Ok(())
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
        self.unsent.until = None;
        if self.entered_at.is_none() {
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
    /// otherwise, and if the connection is lost or somebody else is the organiser now, because nobody would get the end then.
    fn last_command(&self) -> Command {
        let ends = self.model.me().is_some_and(Person::is_organiser) && !self.model.reconnecting;
        if self.model.is_hosted() && ends { Command::End } else { Command::Leave }
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

/// Returns true if the rule lets a person in who would have to wait.
fn admits(rule: Admit, asker: &Asker) -> bool {
    match rule {
        Admit::All => true,
        Admit::Known => asker.is_known(),
        Admit::None => false,
    }
}

/// Commands on standard input.
type Orders = mpsc::Receiver<Result<NamedOrder, String>>;

/// Returns the next command; never, if there are none.
async fn next_order(orders: &mut Option<Orders>) -> Result<NamedOrder, String> {
    if let Some(reader) = orders {
        if let Some(order) = reader.recv().await {
            return order;
        }
        *orders = None;
    }
    std::future::pending().await
}

/// Passes an event to the model. Returns the notices to print. The model knows whether we are in the meeting, on which some
/// sentences depend.
fn notices(model: &mut MeetingModel, event: &Event) -> Vec<app::model::Notice> {
    // Without a window there are no assistive tools.
    let _announcements = model.handle_event(event);
    if let Event::Notice(notice) = event {
        vec![model.notice(notice)]
    } else if let Event::OwnRightsChanged(change) = event {
        moderation::notices(change, Language::of_system())
    } else if let Event::Verification(_) = event {
        model.verification.take_notice().into_iter().collect()
    } else if let Event::HandLowered { by } = event {
        vec![moderation::hand_lowered(by.as_ref(), Language::of_system())]
    } else if let Event::People(_) = event {
        model.identities.take_notices()
    } else {
        Vec::new()
    }
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

/// How long leaving waits for lines that are on their way. The meeting takes at least one in a second.
const UNSENT_TIMEOUT: Duration = Duration::from_secs(15);

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
    use app::model::identity::Badge;
    use app::model::lobby::Conversation;
    use app::recent::Listing;
    use clap::Parser;
    use engine::{Evidence, IdentityClass};

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
    fn without_a_window_a_rule_decides_who_waits_no_longer() {
        let asker = |class, badge, via_old_link, sent_back| {
            let device = engine::DeviceKey([0; 32]);
            let evidence = Evidence { class, device, certificate: None, via_old_link, sent_back };
            let (id, name, chat) = (ParticipantId(1), "Paul".into(), Conversation::default());
            Asker { id, name, mark: None, evidence, badge, refusal: None, since: None, chat }
        };
        let met = || Some(Badge::Known { since: 20_515 });
        for (rule, guest, known, back) in
            [(Admit::All, true, true, true), (Admit::Known, false, true, false), (Admit::None, false, false, false)]
        {
            assert_eq!(admits(rule, &asker(IdentityClass::Guest, Some(Badge::New), false, false)), guest);
            assert_eq!(admits(rule, &asker(IdentityClass::Guest, Some(Badge::OtherDevice), false, false)), guest);
            assert_eq!(admits(rule, &asker(IdentityClass::Guest, met(), true, false)), guest, "by an old link");
            assert_eq!(admits(rule, &asker(IdentityClass::Guest, met(), false, false)), known);
            assert_eq!(admits(rule, &asker(IdentityClass::Known, None, true, false)), known);
            assert_eq!(admits(rule, &asker(IdentityClass::Known, met(), true, true)), back);
        }
    }

    #[test]
    fn only_a_person_who_waits_reads_that_nobody_can_let_them_in() {
        let mut model = MeetingModel::default();
        let unattended = Event::Notice(Notice { kind: NoticeKind::NobodyAdmits, file: None, detail: String::new() });
        let text = |id| Language::of_system().text(id);
        let print = |model: &mut MeetingModel, event: &Event| -> Vec<String> {
            notices(model, event).iter().map(sentences::notice).collect()
        };
        let before = print(&mut model, &unattended);
        assert!(before.len() == 1 && before[0].starts_with(&text("notice-nobody-admits")), "{before:?}");
        let entered = Event::Entered { me: ParticipantId(1), link: SecretLink::default(), organiser: false };
        assert!(print(&mut model, &entered).is_empty());
        let inside = print(&mut model, &unattended);
        assert!(inside.len() == 1 && inside[0].starts_with(&text("notice-organiser-left")), "{inside:?}");
        let lowered = print(&mut model, &Event::HandLowered { by: None });
        assert_eq!(lowered.len(), 1, "{lowered:?}");
    }
}
