//! One task per meeting. Routes commands, network events and thread reports to the part that handles them.

mod devices;
mod event_sender;
mod membership;
mod processor;
mod protection_policy;
mod tracks;

pub use devices::Devices;
pub use event_sender::{Closing, EventSender};
pub use membership::Membership;
pub use processor::Processor;
pub use tracks::{Context, Tracks};

use crate::bandwidth::BandwidthLimits;
use crate::doubted_tracks::DoubtedTracks;
use crate::event::{Command, Event, Notice, NoticeKind, Reason, RightsChange, Step};
use crate::notice;
use crate::setup::{Choice, Screen};
use crate::stats::Stats;
use net::Session;
use net::meeting::{self, Member, Microphone};
use proto::{ParticipantId, Rights, Role, Slot};
use std::iter;
use std::ops::ControlFlow;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout_at};
use tracks::{Failure, TrackEvent, TrackReport, Waiting};

/// The result of [`Coordinator::run`].
pub struct Outcome {
    /// True if this client was in the meeting.
    pub entered: bool,
    /// The entry by which the organiser comes back; `None` for others.
    pub entry: Option<meeting::Entry>,
}

/// Routes between the parts of one meeting. It owns the parts and no state of its own.
pub struct Coordinator {
    /// The network session.
    pub session: Session,
    /// Cameras, microphone, speaker and screen.
    pub devices: Devices,
    /// What is sent and received.
    pub tracks: Tracks,
    /// The people and their keys.
    pub membership: Membership,
    /// What is reduced because of the processor and the battery.
    pub processor: Processor,
    /// All counters.
    pub stats: Stats,
    /// Tracks that are not from their owner.
    pub doubted_tracks: DoubtedTracks,
    /// Events for the screens.
    pub events: EventSender,
}

impl Coordinator {
    /// Runs until this client leaves the meeting or the engine closes. Then closes all devices and sends
    /// [`Event::Ended`] last. A [`Command::End`] that waits when the engine closes is executed.
    pub async fn run(
        mut self,
        mut network: mpsc::Receiver<net::Event>,
        mut commands: mpsc::Receiver<Command>,
        mut closing: Closing,
    ) -> Outcome {
        self.open_devices();
        let mut tick = interval_at(Instant::now() + TICK, TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        // Set when the engine closes.
        let mut deadline: Option<Instant> = None;
        let reason = loop {
            let flow = tokio::select! {
                event = network.recv() => match event {
                    Some(event) => self.handle_network(event).await,
                    None => ControlFlow::Break(Reason::Here("the network task ended".into())),
                },
                Some(command) = commands.recv() => self.handle_command(command).await,
                report = self.tracks.next_report() => self.handle_report(report).await,
                _ = tick.tick() => self.handle_tick().await,
                () = closing.wait(), if deadline.is_none() => {
                    deadline = Some(Instant::now() + FLUSH_TIMEOUT);
                    let ends = iter::from_fn(|| commands.try_recv().ok()).any(|command| matches!(command, Command::End));
                    self.leave_to_close(if ends { meeting::Command::End } else { meeting::Command::Leave })
                }
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    ControlFlow::Break(Reason::Left)
                }
            };
            if let ControlFlow::Break(reason) = flow {
                break reason;
            }
        };
        let deadline = deadline.unwrap_or_else(|| Instant::now() + FLUSH_TIMEOUT);
        self.close(reason, network, deadline).await
    }

    /// Opens the devices of the setup. Nothing is sent before this client is in the meeting.
    fn open_devices(&mut self) {
        for (slot, open) in self.devices.first_sources() {
            self.tracks.start_source(slot, open);
        }
    }

    async fn handle_network(&mut self, event: net::Event) -> ControlFlow<Reason> {
        match event {
            net::Event::Meeting(event) => return self.handle_meeting(event).await,
            net::Event::Track { track, kind, layers, frames } => {
                self.stats.learn(|known| drop(known.layers.insert(track, layers)));
                self.tracks.add(Waiting { track, kind, frames });
                self.tracks.start_waiting(&self.membership, &self.devices);
            }
            net::Event::Rekeyed(epoch) => {
                self.membership.set_epoch(epoch);
                self.stats.add_epoch();
            }
            net::Event::Connected => tracing::info!("a media transport is connected"),
            net::Event::MediaPath(path) => self.stats.set_media_path(path),
            net::Event::TrackEnded(track) => {
                self.stats.learn(|known| known.end_track(track));
                self.tracks.end(track);
                if track.slot == Slot::Microphone {
                    self.devices.count_sound(&self.stats);
                    self.devices.remove_voice(track);
                }
            }
            net::Event::DemandChanged(demand) => self.tracks.set_demand(demand),
            net::Event::SoundLoss { percent, max_bitrate } => {
                let protection = self.tracks.update_protection(|policy| policy.set_downlinks(percent, max_bitrate));
                self.devices.set_protection(protection);
            }
            net::Event::LayersChanged(track, layers) => {
                self.stats.learn(|known| drop(known.layers.insert(track, layers)));
            }
            net::Event::Downlink(report) => self.stats.learn(|known| known.downlink = Some(report)),
            net::Event::InboundStats(stats) => {
                self.stats.learn(|known| known.inbound_stats = stats.into_iter().collect());
            }
            net::Event::KeyFrameWanted { slot, spatial } => self.tracks.key_frame(slot, spatial),
            net::Event::Estimate { bitrate, delay_based } => {
                self.stats.learn(|known| known.uplink = Some(bitrate));
                let protection = self.tracks.set_budget(bitrate, delay_based);
                self.devices.set_protection(protection);
            }
            net::Event::Totals(totals) => {
                self.stats.set_totals(totals);
                self.events.send(Event::Totals(totals)).await;
            }
            net::Event::Failed(error) => return ControlFlow::Break(error.reason()),
        }
        ControlFlow::Continue(())
    }

    async fn handle_meeting(&mut self, event: meeting::Event) -> ControlFlow<Reason> {
        match event {
            meeting::Event::Approaching => self.events.send(Event::Progress(Step::Approaching)).await,
            meeting::Event::Knocking => self.events.send(Event::Progress(Step::Knocking)).await,
            meeting::Event::Entered { me } => self.enter(me).await,
            meeting::Event::Members(members) => self.set_members(members).await,
            // The network session keeps the keys and reports `Rekeyed`.
            meeting::Event::Joined(_) | meeting::Event::Keys { .. } => {}
            meeting::Event::Reconnecting => {
                self.stats.learn(|known| known.reconnecting = true);
                self.notice(NoticeKind::Reconnecting, String::new()).await;
            }
            meeting::Event::Reconnected { me } => {
                self.membership.set_me(me);
                self.stats.set_me(me);
                self.stats.learn(|known| known.reconnecting = false);
                self.notice(NoticeKind::Reconnected, String::new()).await;
            }
            meeting::Event::LinkChanged => {
                let link = self.session.link().unwrap_or_default();
                self.events.send(Event::LinkChanged { link }).await;
            }
            meeting::Event::AsksToJoin { id, name, evidence } => {
                self.events.send(Event::AsksToJoin { id, name, evidence }).await;
            }
            meeting::Event::StoppedAsking(id) => self.events.send(Event::StoppedAsking(id)).await,
            meeting::Event::Lobby(event) => {
                if event == meeting::LobbyEvent::SentBack {
                    leave_to_waiting_room(self).await;
                }
                self.events.send(Event::Lobby(event)).await;
            }
            meeting::Event::Left { id, .. } => self.tracks.remove_owner(id),
            meeting::Event::Chat(event) => self.events.send(Event::Chat(event)).await,
            meeting::Event::Verification(event) => self.events.send(Event::Verification(event)).await,
            meeting::Event::Policy(policy) => self.events.send(Event::Policy(policy)).await,
            meeting::Event::OwnRightsChanged { by, before, now } => {
                change_own_rights(self, by, before, now).await;
            }
            meeting::Event::Hands(hands) => self.events.send(Event::Hands(hands)).await,
            meeting::Event::HandLowered { by } => {
                let by = self.membership.manager(by);
                self.events.send(Event::HandLowered { by }).await;
            }
            meeting::Event::Malformed { from, messages } => self.stats.set_malformed(from, messages),
            meeting::Event::Words(words) => self.events.send(Event::Locked(self.membership.lock(words))).await,
            meeting::Event::Ended(reason) => return ControlFlow::Break(reason),
            meeting::Event::Notice(found) => {
                let name = |id| self.membership.member(id).map(|(_, name)| name);
                let notice = notice::meeting(found, name);
                self.events.send(Event::Notice(notice)).await;
            }
        }
        ControlFlow::Continue(())
    }

    async fn handle_command(&mut self, command: Command) -> ControlFlow<Reason> {
        match command {
            Command::Mute(muted) => mute(self, muted).await,
            Command::Camera(on) => switch_camera(self, on).await,
            Command::Share(screen) => {
                if screen.is_none() || may_send(self, Slot::Screen).await {
                    self.set_screen(screen).await;
                }
            }
            Command::ChooseCamera(choice) => self.choose_camera(choice).await,
            Command::ChooseMicrophone(choice) => {
                self.devices.choose_microphone(choice);
                self.announce_microphone().await;
            }
            Command::ChooseSpeaker(choice) => self.devices.choose_speaker(choice),
            Command::PlayKnock => self.devices.play_knock(),
            Command::SetWishes(tiles) => {
                self.stats.learn(|known| known.set_wishes(&tiles));
                self.session.set_wishes(self.processor.set_wishes(tiles));
            }
            Command::SetContentHint(slot, hint) => {
                if let Some(failure) = self.tracks.set_hint(slot, hint, self.membership.is_inside()) {
                    self.end_source(failure).await;
                }
            }
            Command::SetBandwidth(limits) => {
                self.session.set_limits(limits.of_session());
                self.limit_pictures(limits);
            }
            Command::Remove(id) => self.send(meeting::Command::Remove(id)).await,
            Command::Admit(id) => self.send(meeting::Command::Admit(id)).await,
            Command::Decline(id, why) => self.send(meeting::Command::Refuse(id, why)).await,
            Command::AdmitAll(all) => self.send(meeting::Command::AdmitAll(all)).await,
            Command::SendBack(id) => self.send(meeting::Command::SendBack(id)).await,
            Command::ChangeLink => self.send(meeting::Command::ChangeLink).await,
            Command::WriteLobby { to, text } => self.send(meeting::Command::WriteLobby { to, text }).await,
            Command::SetRole(id, role) => self.send(meeting::Command::SetRole(id, role)).await,
            Command::GrantRights(id, rights) => self.send(meeting::Command::GrantRights(id, rights)).await,
            Command::WithdrawRights(id, rights) => self.send(meeting::Command::WithdrawRights(id, rights)).await,
            Command::HandOver(id) => self.send(meeting::Command::HandOver(id)).await,
            Command::SetFlags { flags, set } => self.send(meeting::Command::SetFlags { flags, set }).await,
            Command::SetDefaultRole(role) => self.send(meeting::Command::SetDefaultRole(role)).await,
            Command::Chat(command) => self.send(meeting::Command::Chat(command)).await,
            Command::Verify(command) => self.send(meeting::Command::Verify(command)).await,
            Command::Floor(order) => self.send(meeting::Command::Floor(order)).await,
            Command::RaiseHand(up) => self.send(meeting::Command::RaiseHand(up)).await,
            Command::LowerHand(id) => self.send(meeting::Command::LowerHand(id)).await,
            Command::StopEverything => {
                switch_off(self, Rights::NONE).await;
                self.send(meeting::Command::StopEverything).await;
            }
            Command::RequestTotals => self.session.request_totals(),
            // The meeting answers with its last event, which ends the loop.
            Command::Leave => self.send(meeting::Command::Leave).await,
            Command::End => self.send(meeting::Command::End).await,
        }
        ControlFlow::Continue(())
    }

    /// Sets what limits our pictures and those of the others. The session knows the bitrates already.
    pub fn limit_pictures(&mut self, limits: BandwidthLimits) {
        self.stats.learn(|known| known.bandwidth = limits);
        if let Some(tiles) = self.processor.set_incoming_video_off(limits.incoming_video_off) {
            self.session.set_wishes(tiles);
        }
    }

    async fn handle_report(&mut self, report: TrackReport) -> ControlFlow<Reason> {
        match self.tracks.handle_report(report, self.membership.is_inside()) {
            None => {}
            Some(TrackEvent::Opened) => self.announce().await,
            Some(TrackEvent::Failed(failure)) => self.end_source(failure).await,
            Some(TrackEvent::Notice(notice)) => self.events.send(Event::Notice(notice)).await,
        }
        ControlFlow::Continue(())
    }

    /// Closes a source that failed or has no encoder left, and unpublishes its track.
    async fn end_source(&mut self, Failure { slot, notice }: Failure) {
        self.stop_source(slot);
        // The screens must switch the button off, also if the source was never announced.
        if let Some(event) = self.membership.unannounced_off(slot) {
            self.events.send(event).await;
        }
        self.announce().await;
        self.events.send(Event::Notice(notice)).await;
    }

    async fn handle_tick(&mut self) -> ControlFlow<Reason> {
        let levels = self.devices.levels();
        let on = self.devices.microphone() == meeting::Microphone::On;
        if let Some(speaking) = self.membership.set_speaking(&levels, on) {
            self.events.send(Event::Speaking(speaking)).await;
        }
        if let Some(level) = self.devices.changed_level(&levels) {
            self.events.send(Event::Level(level)).await;
        }
        if self.stats.is_due() {
            self.end_second().await;
        }
        self.adapt().await;
        self.report_audio_warnings().await;
        self.report_doubted_tracks().await;
        ControlFlow::Continue(())
    }

    async fn report_doubted_tracks(&mut self) {
        let now = self.stats.tracks().doubted(Instant::now().into_std());
        let Some(change) = self.doubted_tracks.update(now) else { return };
        for track in change.forged {
            let name = self.membership.member(track.owner).map(|(_, name)| name.to_owned());
            self.notice(NoticeKind::Forged, name.unwrap_or_default()).await;
        }
        self.events.send(Event::DoubtedTracks(change.tracks)).await;
    }

    /// Ends a second of the statistics. Announces new limits of our pictures.
    async fn end_second(&mut self) {
        self.devices.count_sound(&self.stats);
        let uplink_limits = self.tracks.uplink_limits();
        self.stats.learn(|known| known.uplink_limits = uplink_limits);
        let Some((second, changed)) = self.stats.end_second() else { return };
        if self.membership.set_limits(&second) {
            self.announce().await;
        }
        // Each event is a redraw of the window.
        if changed {
            self.events.send(Event::Second(second)).await;
        }
    }

    /// Adapts what is encoded and decoded to the processor and the battery.
    async fn adapt(&mut self) {
        let now = std::time::Instant::now();
        self.processor.set_speaking(self.membership.speaking(), now);
        if !self.processor.is_due(now) {
            return;
        }
        let sources = self.tracks.sources();
        let Some(changes) = self.processor.handle_tick(self.stats.tracks(), &sources, now) else { return };
        for (slot, limits) in changes.encode {
            self.tracks.set_limits(slot, limits);
        }
        if let Some(tiles) = changes.wishes {
            self.session.set_wishes(tiles);
        }
        let limits = self.processor.computer_limits();
        self.stats.learn(|known| known.computer_limits = limits);
        if self.processor.take_overload_notice() {
            self.notice(NoticeKind::Overloaded, String::new()).await;
        }
    }

    /// Records that this client is in the meeting, and publishes the microphone and all open picture sources.
    async fn enter(&mut self, me: ParticipantId) {
        self.stats.set_entered(me);
        let link = self.session.link().unwrap_or_default();
        let entered = self.membership.enter(me, link);
        self.events.send(entered).await;
        if let Some(flags) = self.membership.take_flags() {
            self.send(meeting::Command::SetFlags { flags, set: true }).await;
        }
        self.events.send(Event::Microphone(self.devices.microphone())).await;
        let failures = self.tracks.publish_all();
        self.announce().await;
        for failure in failures {
            self.end_source(failure).await;
        }
    }

    async fn set_members(&mut self, members: Vec<Member>) {
        self.stats.add_names(members.iter().map(|member| (member.id, member.name.clone())));
        self.stats.learn(|known| known.set_members(&members));
        let people = self.membership.set_members(members);
        self.devices.set_alone(people.iter().all(|person| person.me));
        self.tracks.start_waiting(&self.membership, &self.devices);
        switch_off(self, self.membership.own_rights()).await;
        self.events.send(Event::People(people)).await;
    }

    async fn set_camera(&mut self, on: bool) {
        self.stop_source(Slot::Camera);
        if on {
            let open = self.devices.open_camera();
            self.tracks.start_source(Slot::Camera, open);
        }
        self.announce().await;
    }

    async fn set_screen(&mut self, screen: Option<Screen>) {
        self.stop_source(Slot::Screen);
        if let Some(screen) = screen {
            let open = self.devices.open_screen(screen);
            self.tracks.start_source(Slot::Screen, open);
        }
        self.announce().await;
    }

    async fn choose_camera(&mut self, choice: Choice) {
        let on = choice != Choice::Off;
        self.devices.choose_camera(choice);
        if self.tracks.has_source(Slot::Camera) {
            self.set_camera(on).await;
        }
    }

    fn stop_source(&mut self, slot: Slot) {
        if let Some(source) = self.tracks.stop_source(slot) {
            self.devices.close_source(slot, source);
        }
    }

    async fn announce_microphone(&mut self) {
        self.events.send(Event::Microphone(self.devices.microphone())).await;
        self.announce().await;
    }

    /// Announces to the others what this client sends, and reports changes to the screens.
    async fn announce(&mut self) {
        let (camera_limit, screen_limit) = self.membership.limits();
        let state = meeting::MediaState {
            microphone: self.devices.microphone(),
            camera: self.tracks.is_open(Slot::Camera),
            screen: self.tracks.is_open(Slot::Screen),
            camera_limit,
            screen_limit,
        };
        for event in self.membership.announce(state) {
            self.events.send(event).await;
        }
        self.send(meeting::Command::Announce(state)).await;
    }

    async fn report_audio_warnings(&mut self) {
        let before = self.devices.microphone();
        let notices = self.devices.take_warnings();
        if self.devices.microphone() != before {
            self.announce_microphone().await;
        }
        for notice in notices {
            self.events.send(Event::Notice(notice)).await;
        }
    }

    async fn notice(&mut self, kind: NoticeKind, detail: String) {
        self.events.send(Event::Notice(Notice { kind, file: None, detail })).await;
    }

    async fn send(&mut self, command: meeting::Command) {
        if self.session.send(command).is_err() {
            let notice = Notice { kind: NoticeKind::Refused, file: None, detail: "too many commands at once".into() };
            self.events.send(Event::Notice(notice)).await;
        }
    }

    /// Sends `command`, which leaves or ends the meeting, because the engine closes. If the session accepts no command, it
    /// leaves when its last handle is dropped.
    fn leave_to_close(&self, command: meeting::Command) -> ControlFlow<Reason> {
        match self.session.send(command) {
            Ok(()) => ControlFlow::Continue(()),
            Err(net::Busy) => ControlFlow::Break(Reason::Left),
        }
    }

    /// Closes devices and codecs on a thread that may block, while the session sends its last messages.
    async fn close(mut self, reason: Reason, mut network: mpsc::Receiver<net::Event>, deadline: Instant) -> Outcome {
        self.devices.count_sound(&self.stats);
        // The session is over, so the state of the microphone is not announced.
        for notice in self.devices.take_warnings() {
            self.events.send(Event::Notice(notice)).await;
        }
        let Self { session, devices, tracks, mut events, membership, .. } = self;
        let closed = tokio::task::spawn_blocking(move || {
            tracks.close();
            drop(devices);
        });
        let return_entry = session.into_return_entry_getter();
        // The channel closes when the session has sent everything and closed its sockets.
        let flush = async { while network.recv().await.is_some() {} };
        if timeout_at(deadline, flush).await.is_err() {
            tracing::warn!("the session did not close in time");
        }
        if closed.await.is_err() {
            tracing::error!("a device did not close: its thread panicked");
        }
        events.send(Event::Ended(reason)).await;
        Outcome { entered: membership.is_inside(), entry: return_entry() }
    }
}

/// Closes the camera and the shared screen, and mutes the microphone, because this client was sent back to the waiting room. If
/// it is let in again, its user decides what the others see and hear.
async fn leave_to_waiting_room(coordinator: &mut Coordinator) {
    coordinator.membership.leave();
    coordinator.stop_source(Slot::Camera);
    coordinator.stop_source(Slot::Screen);
    coordinator.devices.set_muted(true);
    coordinator.announce_microphone().await;
}

/// Handles that our role or our rights have changed.
async fn change_own_rights(
    coordinator: &mut Coordinator,
    by: Option<ParticipantId>,
    before: (Role, Rights),
    now: (Role, Rights),
) {
    coordinator.membership.set_own_rights(now.1);
    switch_off(coordinator, now.1).await;
    let is_own = by.is_some_and(|id| coordinator.membership.is_me(id));
    // The user knows what it did by itself; that it is the organiser now, because nobody else is, is news.
    if is_own && now.0 != Role::Organiser {
        return;
    }
    let by = by.filter(|_| !is_own).and_then(|id| coordinator.membership.manager(id));
    coordinator.events.send(Event::OwnRightsChanged(RightsChange { by, before, now })).await;
}

/// Switches off what `allowed` does not contain. Nothing is ever switched on by this.
async fn switch_off(coordinator: &mut Coordinator, allowed: Rights) {
    if !allowed.allow(Slot::Microphone) && coordinator.devices.microphone() == Microphone::On {
        coordinator.devices.set_muted(true);
        coordinator.announce_microphone().await;
    }
    for slot in [Slot::Camera, Slot::Screen] {
        if allowed.allow(slot) || !coordinator.tracks.has_source(slot) {
            continue;
        }
        coordinator.stop_source(slot);
        if let Some(event) = coordinator.membership.unannounced_off(slot) {
            coordinator.events.send(event).await;
        }
        coordinator.announce().await;
    }
}

/// Mutes or unmutes our microphone, if there is one and we may speak.
async fn mute(coordinator: &mut Coordinator, muted: bool) {
    if !muted && !may_send(coordinator, Slot::Microphone).await {
        return;
    }
    if coordinator.devices.set_muted(muted) {
        coordinator.announce_microphone().await;
    } else {
        coordinator.events.send(Event::Microphone(Microphone::Off)).await;
    }
}

/// Switches the camera on, if we may send it, or off.
async fn switch_camera(coordinator: &mut Coordinator, on: bool) {
    if !on || may_send(coordinator, Slot::Camera).await {
        coordinator.set_camera(on).await;
    }
}

/// Returns true if we may send in `slot`. Otherwise the screens switch the button off again, and the user is told.
async fn may_send(coordinator: &mut Coordinator, slot: Slot) -> bool {
    if coordinator.membership.own_rights().allow(slot) {
        return true;
    }
    let event = match slot {
        Slot::Microphone => Event::Microphone(coordinator.devices.microphone()),
        Slot::Camera => Event::Camera(false),
        Slot::Screen => Event::Sharing(false),
    };
    coordinator.events.send(event).await;
    coordinator.notice(NoticeKind::NotAllowed, String::new()).await;
    false
}

/// The interval at which levels and audio warnings are read.
const TICK: Duration = Duration::from_millis(100);

/// How long the session may take to send its last messages and to close its sockets.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);
