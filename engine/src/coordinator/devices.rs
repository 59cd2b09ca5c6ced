//! Our own microphone, camera and screen.

use super::{Coordinator, Source};
use crate::event::{Event, Notice, NoticeKind};
use crate::send::{Open, Pictures, Report, announced};
use crate::setup::Choice;
use crate::sources;
use capture::Format;
use media::{Frame, Mailbox};
use net::meeting::Microphone;
use proto::Slot;
use std::sync::Arc;
use std::time::{Duration, Instant};

impl Coordinator {
    /// Opens what the setup names, before we are in: nothing is sent yet.
    pub(super) fn open_devices(&mut self) {
        self.parts.audio.set_muted(self.state.microphone != Microphone::On);
        if self.parts.setup.camera != Choice::Off {
            self.start_source(Slot::Camera, self.chosen_camera());
        }
        if self.parts.setup.screen {
            self.start_source(Slot::Screen, sources::screen(self.parts.clock));
        }
    }

    pub(super) fn publish_voice(&mut self) {
        let frame_sender = self.parts.session.publish(Slot::Microphone, Vec::new());
        self.parts.uplink.connect(self.parts.ring.clone(), frame_sender, self.parts.stats.clone());
    }

    /// A source told its format: it may be sent from now on, if we are in.
    pub(super) async fn opened(&mut self, slot: Slot, format: Format) {
        if let Some(source) = self.sources.get_mut(&slot) {
            source.format = Some(format);
        }
        if self.entered {
            self.publish_pictures(slot);
        }
        self.announce().await;
    }

    pub(super) fn publish_pictures(&mut self, slot: Slot) {
        let Some(Source { pictures, format: Some(format), .. }) = self.sources.get(&slot) else { return };
        let frame_sender = self.parts.session.publish(slot, announced(slot, *format));
        let parts = &self.parts;
        if let Err(error) =
            pictures.publish(*format, &parts.ring, &frame_sender, &parts.pool, &parts.stats, &parts.codecs.encoders)
        {
            tracing::error!(?slot, %error, "no thread for an encoder");
        }
        // A camera that was off for a moment only may be the same track to the server, which then says nothing anew.
        if let Some(wanted) = self.wanted.get(&slot) {
            pictures.set_wishes(wanted);
        }
        self.share(self.budget);
    }

    pub(super) async fn mute(&mut self, muted: bool) {
        if self.state.microphone == Microphone::Off {
            return self.tell(Event::Microphone(Microphone::Off)).await;
        }
        self.state.microphone = if muted { Microphone::Muted } else { Microphone::On };
        self.parts.audio.set_muted(muted);
        self.tell(Event::Microphone(self.state.microphone)).await;
        self.announce().await;
    }

    /// A source has failed: the button goes back, and the others are told.
    pub(super) async fn closed(&mut self, slot: Slot) {
        match slot {
            Slot::Camera => self.tell(Event::Camera(false)).await,
            Slot::Screen => self.tell(Event::Sharing(false)).await,
            Slot::Microphone => {}
        }
        self.announce().await;
    }

    /// Without a microphone, nobody is told that there is one.
    pub(super) async fn hear_warning(&mut self, warning: &audio::Warning) {
        if takes_the_microphone(warning) {
            self.state.microphone = Microphone::Off;
            self.tell(Event::Microphone(Microphone::Off)).await;
            if self.entered {
                self.announce().await;
            }
        }
    }

    pub(super) async fn camera(&mut self, on: bool) {
        self.drop_source(Slot::Camera);
        if on {
            if self.parts.setup.camera == Choice::Off {
                self.parts.setup.camera = Choice::Device(None);
            }
            self.start_source(Slot::Camera, self.chosen_camera());
        }
        self.announce().await;
    }

    pub(super) async fn screen(&mut self, on: bool) {
        self.drop_source(Slot::Screen);
        if on {
            self.start_source(Slot::Screen, sources::screen(self.parts.clock));
        }
        self.announce().await;
    }

    pub(super) async fn choose_camera(&mut self, choice: Choice) {
        let on = self.sources.contains_key(&Slot::Camera);
        self.parts.setup.camera = choice;
        if on {
            self.camera(self.parts.setup.camera != Choice::Off).await;
        }
    }

    pub(super) async fn choose_microphone(&mut self, choice: audio::Choice) {
        self.state.microphone = match (self.state.microphone, &choice) {
            (_, audio::Choice::Off) => Microphone::Off,
            // A microphone that was off comes back closed: nobody is opened by a choice of device.
            (Microphone::Off | Microphone::Muted, _) => Microphone::Muted,
            (Microphone::On, _) => Microphone::On,
        };
        self.parts.audio.set_microphone(choice);
        self.parts.audio.set_muted(self.state.microphone != Microphone::On);
        self.tell(Event::Microphone(self.state.microphone)).await;
        self.announce().await;
    }

    /// Closes a source where closing may wait for the device.
    pub(super) fn drop_source(&mut self, slot: Slot) {
        if let Some(source) = self.sources.remove(&slot) {
            self.parts.session.unpublish(slot);
            let closed = Mailbox::new();
            self.closing.insert(slot, closed.clone());
            tokio::task::spawn_blocking(move || {
                drop(source);
                closed.close();
            });
        }
    }

    fn chosen_camera(&self) -> Open {
        self.parts.cameras.open(self.parts.setup.camera.clone(), self.parts.clock)
    }

    fn start_source(&mut self, slot: Slot, open: Open) {
        let open = match self.closing.remove(&slot) {
            Some(closed) => after(closed, open),
            None => open,
        };
        self.births += 1;
        let (birth, reports) = (self.births, self.reports.clone());
        let report = Box::new(move |report: Report| {
            // The coordinator reads until it closes the source; a report after that is about nothing.
            let _ = reports.blocking_send((slot, birth, report));
        });
        let own: Box<dyn FnMut(Frame) + Send> = match slot {
            Slot::Camera => {
                let screen = Arc::clone(&self.parts.screen);
                Box::new(move |frame| screen.own(frame))
            }
            Slot::Screen | Slot::Microphone => Box::new(drop),
        };
        match Pictures::start(slot, open, own, report) {
            Ok(pictures) => drop(self.sources.insert(slot, Source { pictures, format: None, birth })),
            Err(error) => tracing::error!(?slot, %error, "no thread for a device"),
        }
    }
}

/// Opens a device once it is closed: whoever switches a camera off and on again must not find it taken, by us.
fn after(closed: Mailbox<()>, open: Open) -> Open {
    Box::new(move || {
        // Nothing is ever put in: the box only ends.
        let _ = closed.take_until(Instant::now() + CLOSING);
        open()
    })
}

/// A driver that does not close a device in this time is asked for it all the same, and says what it thinks of that.
const CLOSING: Duration = Duration::from_secs(3);

/// True where the warning leaves nothing to speak into.
pub fn takes_the_microphone(warning: &audio::Warning) -> bool {
    use audio::{Direction, Warning};
    matches!(
        warning,
        Warning::Unavailable { direction: Direction::Microphone, .. } | Warning::Codec(_) | Warning::Thread(_)
    )
}

/// What the sound engine warned of when it started: without any device at all, that is one thing to tell, not two.
pub fn warnings(warnings: &[audio::Warning]) -> Vec<Notice> {
    use audio::{Warning, device::Error};
    let missing =
        |warning: &&Warning| matches!(warning, Warning::Unavailable { error: Error::Missing(_) | Error::Silent, .. });
    if warnings.iter().filter(missing).count() > 1 {
        return vec![Notice { kind: NoticeKind::NoSound, detail: "no microphone and no loudspeaker".into() }];
    }
    warnings.iter().map(warning).collect()
}

/// What the sound engine warns of.
pub fn warning(warning: &audio::Warning) -> Notice {
    use audio::{Direction, Warning, device::Error};
    let kind = match warning {
        Warning::Unavailable { error: Error::Read { .. } | Error::Empty(_) | Error::Write { .. }, .. } => {
            NoticeKind::BadFile
        }
        Warning::Unavailable { direction: Direction::Microphone, .. } => NoticeKind::NoMicrophone,
        Warning::Unavailable { direction: Direction::Speaker, .. } => NoticeKind::NoSpeaker,
        Warning::Lost { .. } | Warning::Replaced { .. } => NoticeKind::SoundLost,
        // Whatever else the sound engine may report leaves no sound.
        Warning::Codec(_) | Warning::Thread(_) | _ => NoticeKind::NoSound,
    };
    Notice { kind, detail: whole(warning) }
}

/// An error and its causes, each in its own words: the last one names the file or device.
fn whole(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
