//! The thread "audio": every 10 ms it records and plays as many blocks as the devices have ready.
//!
//! Each device has its own clock, which decides how many blocks are ready. The tick only decides when to check.
//! Callbacks must not make system calls, so they cannot wake this thread.

use super::message::{Command, DeviceRequest, SetAlone};
use super::shared::{Shared, lock};
use crate::cue::Cue;
use crate::device::{Device, Direction, Null, StandIn};
use crate::process::Process;
use crate::remote::{Playback, smooth};
use crate::speech::Detector;
use crate::uplink::Uplink;
use crate::{Block, SAMPLE_RATE, SILENCE, mix};
use media::{Clock, Level};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::time::{Duration, Instant};

/// The state of the thread.
pub struct AudioThread {
    shared: Arc<Shared>,
    clock: Clock,
    process: Box<dyn Process>,
    uplink: Option<Uplink>,
    device_requests: Option<SyncSender<DeviceRequest>>,
    start: Instant,
    microphone: DeviceSlot,
    speaker: DeviceSlot,
    remotes: BTreeMap<u64, Box<Playback>>,
    meter: Meter,
    /// The sound that is played now, beside the voices; `None` if there is none.
    cue: Option<Cue>,
}

/// The device of one direction.
struct DeviceSlot {
    device: Box<dyn Device>,
    /// The number with which the device was installed.
    number: u64,
    /// False for files and null devices. Echo is possible only between two devices of hardware.
    hardware: bool,
    /// The value of the last [`Device::set_alone`].
    alone: bool,
    /// True while the device thread has the device. Then `device` is a stand-in.
    lent: bool,
}

/// The level of this client's microphone, also while muted.
struct Meter {
    level: Level,
    /// The louder level of the packet's blocks so far.
    loudest: Level,
    /// True if the next block is the second of its packet.
    second_block: bool,
    detector: Detector,
}

impl AudioThread {
    /// Returns the state of a thread without devices. The track begins at `start`.
    pub fn new(
        shared: Arc<Shared>,
        clock: Clock,
        process: Box<dyn Process>,
        uplink: Option<Uplink>,
        device_requests: Option<SyncSender<DeviceRequest>>,
        start: Instant,
    ) -> Self {
        Self {
            shared,
            clock,
            process,
            uplink,
            device_requests,
            start,
            microphone: DeviceSlot::new(Direction::Microphone, start),
            speaker: DeviceSlot::new(Direction::Speaker, start),
            remotes: BTreeMap::new(),
            meter: Meter::new(),
            cue: None,
        }
    }

    /// Runs until [`Command::Stop`].
    pub fn run(mut self, commands: &Receiver<Command>) {
        let mut tick = self.start;
        loop {
            let now = Instant::now();
            match commands.recv_timeout(tick.saturating_duration_since(now)) {
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(command) => self.handle(command),
                Err(RecvTimeoutError::Timeout) => {
                    let now = Instant::now();
                    self.work(now);
                    tick = next_tick(tick, now);
                }
            }
        }
    }

    fn handle(&mut self, command: Command) {
        match command {
            Command::Install { direction, device, hardware, number } => {
                self.install(direction, device, hardware, number);
            }
            Command::Return { direction, device } => self.take_back(direction, device),
            Command::Add(key, playback) => drop(self.remotes.insert(key, playback)),
            Command::Remove(key) => drop(self.remotes.remove(&key)),
            Command::PlayCue => _ = self.cue.get_or_insert_default(),
            Command::Stop => {}
        }
    }

    fn install(&mut self, direction: Direction, device: Box<dyn Device>, hardware: bool, number: u64) {
        if direction == Direction::Microphone {
            self.skip_to_now();
        }
        let new = DeviceSlot { device, number, hardware, alone: false, lent: false };
        let old = std::mem::replace(self.slot(direction), new);
        self.publish_names();
        self.process.listen_for_echo(self.microphone.hardware && self.speaker.hardware);
        self.request(DeviceRequest::Close(old.device));
    }

    fn take_back(&mut self, direction: Direction, device: Box<dyn Device>) {
        if direction == Direction::Microphone {
            self.skip_to_now();
        }
        let slot = self.slot(direction);
        (slot.device, slot.lent) = (device, false);
    }

    /// Moves the position of the track over a time without a microphone.
    fn skip_to_now(&mut self) {
        let elapsed = self.start.elapsed().as_micros() * u128::from(SAMPLE_RATE) / 1_000_000;
        if let Some(uplink) = &mut self.uplink {
            uplink.resume_at(u64::try_from(elapsed).unwrap_or(0));
        }
    }

    fn slot(&mut self, direction: Direction) -> &mut DeviceSlot {
        match direction {
            Direction::Microphone => &mut self.microphone,
            Direction::Speaker => &mut self.speaker,
        }
    }

    /// Runs one tick. Plays before it records, so that the echo canceller gets a block before its echo.
    fn work(&mut self, now: Instant) {
        let alone = self.is_alone();
        // The speaker first: somebody who joins may speak at once. A speaker that pauses would not play the cue.
        self.set_alone(Direction::Speaker, alone && self.cue.is_none());
        self.set_alone(Direction::Microphone, alone);
        for remote in self.remotes.values_mut() {
            remote.collect(self.clock);
        }
        self.play(now);
        self.record(now);
        self.publish();
    }

    fn is_alone(&self) -> bool {
        self.shared.alone.load(Ordering::Acquire)
    }

    /// Lends a device of hardware to the device thread if `alone` has changed. If the queue is full, the next tick tries
    /// again.
    fn set_alone(&mut self, direction: Direction, alone: bool) {
        let slot = self.slot(direction);
        if !slot.hardware || slot.lent || slot.alone == alone {
            return;
        }
        let stand_in = Box::new(StandIn::new(&*slot.device));
        let device = std::mem::replace(&mut slot.device, stand_in);
        let request = DeviceRequest::SetAlone(SetAlone { direction, device, number: slot.number, alone });
        (slot.alone, slot.lent) = (alone, true);
        let sent = self.device_requests.as_ref().map_or(Ok(()), |requests| requests.try_send(request));
        if let Err(TrySendError::Full(refused) | TrySendError::Disconnected(refused)) = sent
            && let DeviceRequest::SetAlone(refused) = refused
        {
            let slot = self.slot(direction);
            (slot.device, slot.alone, slot.lent) = (refused.device, !alone, false);
        }
    }

    fn play(&mut self, now: Instant) {
        let alone = self.is_alone();
        let ready = self.speaker.device.ready(now);
        let count = ready.as_ref().map_or(0, |count| (*count).min(MAX_BLOCKS_PER_TICK));
        let mut failed = ready.err();
        let device_latency = self.speaker.device.latency();
        for index in 0..count {
            let mut sum = SILENCE;
            let latency = device_latency + TICK * u32::try_from(index).unwrap_or(0);
            for remote in self.remotes.values_mut() {
                mix::add(&mut sum, &remote.pull(now, latency, self.clock));
            }
            // Before the echo canceller gets the block, so that the microphone does not send the cue.
            if self.cue.as_mut().is_some_and(|cue| !cue.add(&mut sum)) {
                self.cue = None;
            }
            mix::soften(&mut sum);
            if !alone {
                self.process.played(&sum);
            }
            failed = self.speaker.device.pass(&mut sum).err();
            if failed.is_some() {
                break;
            }
        }
        if let Some(error) = failed {
            tracing::debug!(%error, "speaker failed");
            let null = Box::new(Null::new(Direction::Speaker, now));
            let lost = std::mem::replace(&mut self.speaker.device, null);
            self.publish_names();
            self.request(DeviceRequest::Lost(Direction::Speaker, lost, error));
        }
    }

    fn record(&mut self, now: Instant) {
        let alone = self.is_alone();
        let ready = self.microphone.device.ready(now);
        let count = ready.as_ref().map_or(0, |count| (*count).min(MAX_BLOCKS_PER_TICK));
        let mut failed = ready.err();
        for index in 0..count {
            let mut block = SILENCE;
            failed = self.microphone.device.pass(&mut block).err();
            if failed.is_some() {
                break;
            }
            if !alone {
                let delay = self.speaker.device.latency() + self.microphone.device.latency();
                self.process.recorded(&mut block, delay);
            }
            self.meter.update(&block);
            let age = TICK * u32::try_from(count - index).unwrap_or(1);
            self.send(&block, now.checked_sub(age).unwrap_or(now), alone);
        }
        if let Some(error) = failed {
            tracing::debug!(%error, "microphone failed");
            let null = Box::new(Null::new(Direction::Microphone, now));
            let lost = std::mem::replace(&mut self.microphone.device, null);
            self.publish_names();
            self.meter = Meter::new();
            self.request(DeviceRequest::Lost(Direction::Microphone, lost, error));
        }
    }

    fn send(&mut self, block: &Block, recorded_at: Instant, alone: bool) {
        let Some(uplink) = &mut self.uplink else { return };
        uplink.set_protection(*lock(&self.shared.protection));
        let muted = lock(&self.shared.muted);
        if *muted || alone {
            uplink.pass();
        } else {
            uplink.record(block, self.clock.at(recorded_at));
        }
    }

    fn publish_names(&self) {
        let mut status = lock(&self.shared.status);
        self.microphone.device.name().clone_into(&mut status.devices.microphone);
        self.speaker.device.name().clone_into(&mut status.devices.speaker);
    }

    fn publish(&self) {
        let mut status = lock(&self.shared.status);
        status.levels.microphone = self.meter.level;
        status.levels.speaking = self.meter.detector.speaking();
        status.devices.microphone_xruns = self.microphone.device.xruns();
        status.devices.speaker_xruns = self.speaker.device.xruns();
        status.levels.remotes.clear();
        status.statistics.retain(|key, _| self.remotes.contains_key(key));
        for (key, remote) in &self.remotes {
            status.levels.remotes.push((*key, remote.level(), remote.speaking()));
            status.statistics.insert(*key, remote.statistics());
        }
    }

    /// Sends a request to the device thread, because closing a device may take long. If the queue is full, the device
    /// is closed here.
    fn request(&self, request: DeviceRequest) {
        if let Some(device_requests) = &self.device_requests
            && device_requests.try_send(request).is_err()
        {
            tracing::debug!("queue of the device thread is full");
        }
    }
}

impl DeviceSlot {
    /// Returns a slot with a null device.
    fn new(direction: Direction, now: Instant) -> Self {
        Self { device: Box::new(Null::new(direction, now)), number: 0, hardware: false, alone: false, lent: false }
    }
}

impl Meter {
    fn new() -> Self {
        Self { level: Level::SILENCE, loudest: Level::SILENCE, second_block: false, detector: Detector::new() }
    }

    fn update(&mut self, block: &Block) {
        let level = Level::of(block);
        self.level = smooth(self.level, level);
        self.loudest = if self.second_block { self.loudest.min(level) } else { level };
        // The detector expects one level per packet, which has two blocks.
        if self.second_block {
            self.detector.update(self.loudest);
        }
        self.second_block = !self.second_block;
    }
}

/// Returns the time of the next tick. Skips ticks that are late by more than [`MAX_TICK_DELAY`].
fn next_tick(tick: Instant, now: Instant) -> Instant {
    let next = tick + TICK;
    if next + MAX_TICK_DELAY < now { now + TICK } else { next }
}

/// The tick period.
const TICK: Duration = Duration::from_millis(10);

/// Ticks that are later than this are skipped.
const MAX_TICK_DELAY: Duration = Duration::from_millis(100);

/// The maximum number of blocks per tick and device, so that a device that catches up does not delay the other one.
const MAX_BLOCKS_PER_TICK: usize = 25;

#[cfg(test)]
mod tests;
