//! Capture of an X11 screen, with the pointer drawn into the frames. Uses shared memory if the server is local.
//!
//! The damage extension reports changes, so an unchanged screen is not read. An unchanged screen still delivers two
//! frames per second, for new viewers and because the encoder improves a still picture over several frames. A monitor is
//! a part of the screen; the source follows it if the monitors are arranged anew. Not supported: single windows, palettes,
//! and Wayland surfaces.

mod area;
mod ffi;
mod grab;
mod pixels;
mod pointer;

use super::{Monitor, Thumbnail};
use crate::rgb::{self, Order};
use crate::{BoxError, Error, Format, Source, Stop};
use area::Area;
use grab::Grab;
use media::{Clock, Colour, Frame, FrameRate, Matrix, Pool, Size};
use pixels::{PixelFormat, Unsupported};
use pointer::Pointer;
use std::panic::catch_unwind;
use std::time::Instant;
use x11rb::connection::Connection;
use x11rb::errors::ReplyError;
use x11rb::protocol::Event;
use x11rb::protocol::damage::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ChangeWindowAttributesAux, ConnectionExt as _, EventMask, Screen, Window};
use x11rb::rust_connection::RustConnection;

/// Opens a monitor of `display`, or the whole screen if `monitor` is `None`. If `display` is `None`, uses the `DISPLAY`
/// variable.
pub(super) fn open(display: Option<&str>, monitor: Option<&str>, clock: Clock) -> Result<Box<dyn Source>, Error> {
    let source = X11::open(display, monitor, clock).map_err(refused)?;
    Ok(Box::new(source))
}

/// Lists the monitors of `display`, or of the `DISPLAY` variable if it is `None`.
pub(super) fn list(display: Option<&str>) -> Result<Vec<Monitor>, Error> {
    try_list(display).map_err(refused)
}

fn try_list(display: Option<&str>) -> Result<Vec<Monitor>, BoxError> {
    let (connection, screen, format) = connect(display)?;
    let whole = Area::whole(Size::new(screen.width_in_pixels, screen.height_in_pixels));
    let mut monitors = area::monitors(&connection, screen.root)?;
    if monitors.is_empty() {
        monitors.push((WHOLE.into(), whole));
    }
    let (mut found, mut converted) = (Vec::with_capacity(monitors.len()), Vec::new());
    for (name, area) in monitors {
        let mut grab = Grab::new(&connection, area.size)?;
        let pixels = format.to_bgrx(grab.read(&connection, screen.root, area)?, area.size, &mut converted);
        let thumbnail = Thumbnail::of(pixels, area.size);
        grab.release(&connection);
        found.push(Monitor { id: name.clone(), name, size: area.size, thumbnail });
    }
    Ok(found)
}

/// Connects to the display. Returns the pixel format of its screen, too.
fn connect(display: Option<&str>) -> Result<(RustConnection, Screen, PixelFormat), BoxError> {
    // x11rb computes the port number without an overflow check and panics for a display above 59535.
    let connected = catch_unwind(|| x11rb::connect(display));
    let (connection, screen) = connected.map_err(|_| "the display does not exist")??;
    let screen = connection.setup().roots.get(screen).ok_or("the display has no such screen")?.clone();
    let format = PixelFormat::of(connection.setup(), &screen)?;
    Ok((connection, screen, format))
}

/// Returns the area of the monitor with this id.
fn find(connection: &RustConnection, root: Window, id: &str, whole: Area) -> Result<Area, BoxError> {
    if id == WHOLE {
        return Ok(whole);
    }
    let monitors = area::monitors(connection, root)?;
    let found = monitors.into_iter().find(|(name, _)| name == id);
    found.map(|(_, area)| area).ok_or_else(|| format!("there is no monitor {id}").into())
}

/// Returns the error of a screen that cannot be opened.
fn refused(error: BoxError) -> Error {
    match error.downcast::<Unsupported>() {
        Ok(format) => Error::ScreenFormat(format),
        Err(error) => Error::NoScreen(error),
    }
}

struct X11 {
    connection: RustConnection,
    root: Window,
    /// The id of the captured monitor; `None` for the whole screen.
    monitor: Option<String>,
    area: Area,
    format: PixelFormat,
    grab: Grab,
    /// The pixels as BGRX if the server stores them in another format.
    converted: Vec<u8>,
    pointer: Option<Pointer>,
    damage: Option<damage::Damage>,
    clock: Clock,
    start: Option<Instant>,
    ticks: u64,
    /// True if the screen changed since the last frame.
    dirty: bool,
    /// The tick of the last frame.
    last_frame: Option<u64>,
    /// Consecutive ticks at which the server refused to read the screen.
    refused: u32,
}

impl Source for X11 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn format(&self) -> Format {
        Format { size: self.area.size, rate: rate() }
    }

    fn next(&mut self, pool: &Pool, stop: &Stop) -> Result<Option<Frame>, Error> {
        let start = *self.start.get_or_insert_with(Instant::now);
        self.ticks = self.ticks.max(elapsed_ticks(start));
        let number = self.ticks;
        self.ticks += 1;
        if stop.wait_until(start + rate().due(number)) {
            return Ok(None);
        }
        match self.picture(number, pool) {
            Ok(frame) => {
                self.refused = 0;
                Ok(frame)
            }
            Err(error) => self.handle_read_error(&error),
        }
    }
}

impl X11 {
    fn open(display: Option<&str>, monitor: Option<&str>, clock: Clock) -> Result<Self, BoxError> {
        let (connection, screen, format) = connect(display)?;
        let (root, whole) = (screen.root, Area::whole(Size::new(screen.width_in_pixels, screen.height_in_pixels)));
        let area = monitor.map_or(Ok(whole), |id| find(&connection, root, id, whole))?;
        let attributes = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        connection.change_window_attributes(root, &attributes)?.check()?;
        let grab = Grab::new(&connection, area.size)?;
        let pointer = Pointer::new(&connection)?;
        let damage = watch_damage(&connection, root);
        let (start, last_frame, refused) = (None, None, 0);
        Ok(Self {
            connection,
            root,
            monitor: monitor.map(str::to_owned),
            area,
            format,
            grab,
            converted: Vec::new(),
            pointer,
            damage,
            clock,
            start,
            ticks: 0,
            dirty: true,
            last_frame,
            refused,
        })
    }

    fn picture(&mut self, number: u64, pool: &Pool) -> Result<Option<Frame>, BoxError> {
        self.handle_events()?;
        if let Some(pointer) = &mut self.pointer {
            self.dirty |= pointer.update(&self.connection)?;
        }
        let stale = self.last_frame.is_none_or(|last| number - last >= MAX_STILL_TICKS);
        if !(self.dirty || stale || self.damage.is_none()) {
            return Ok(None);
        }
        let Some(mut frame) = pool.take(self.area.size) else { return Ok(None) };
        // Cleared before the read, so that a change during the read causes another frame.
        self.dirty = false;
        let stride = usize::from(self.area.size.width) * 4;
        let pixels = self.grab.read(&self.connection, self.root, self.area)?;
        let captured = self.clock.now();
        let pixels = self.format.to_bgrx(pixels, self.area.size, &mut self.converted);
        if let Some(pointer) = &self.pointer {
            pointer.draw(pixels, self.area);
        }
        rgb::to_i420(pixels, stride, Order::Bgrx, rgb::BT709_LIMITED, &mut frame);
        self.last_frame = Some(number);
        Ok(Some(frame.freeze(number, captured, COLOUR)))
    }

    /// Tolerates X11 errors for a second: a read fails after the screen became smaller, until the resize event arrives. A
    /// connection error ends the source.
    fn handle_read_error(&mut self, error: &BoxError) -> Result<Option<Frame>, Error> {
        let alive = matches!(error.downcast_ref(), Some(ReplyError::X11Error(_)));
        if alive && self.refused < MAX_REFUSED {
            (self.refused, self.dirty) = (self.refused + 1, true);
            return Ok(None);
        }
        tracing::debug!(%error, "the screen was lost");
        Err(Error::Lost { name: NAME.into() })
    }

    fn handle_events(&mut self) -> Result<(), BoxError> {
        while let Some(event) = self.connection.poll_for_event()? {
            #[expect(clippy::wildcard_enum_match_arm, reason = "a server may send any of a hundred events")]
            match event {
                Event::DamageNotify(event) => {
                    self.connection.damage_subtract(event.damage, x11rb::NONE, x11rb::NONE)?;
                    self.dirty = true;
                }
                Event::ConfigureNotify(event) if event.window == self.root => {
                    self.resize(Size::new(event.width, event.height))?;
                }
                Event::RandrScreenChangeNotify(event) => self.resize(Size::new(event.width, event.height))?,
                _ => (),
            }
        }
        Ok(())
    }

    /// Follows a change of the screen's size, or of the place of the captured monitor.
    fn resize(&mut self, screen: Size) -> Result<(), BoxError> {
        let whole = Area::whole(screen);
        let area = match &self.monitor {
            Some(id) => find(&self.connection, self.root, id, whole)?,
            None => whole,
        };
        if area.size != self.area.size && !area.size.is_empty() {
            self.grab.release(&self.connection);
            self.grab = Grab::new(&self.connection, area.size)?;
        }
        if area != self.area && !area.size.is_empty() {
            self.area = area;
            self.dirty = true;
        }
        Ok(())
    }
}

/// Subscribes to damage events. Returns `None` if the server lacks the extension; then every tick delivers a frame.
fn watch_damage(connection: &RustConnection, root: Window) -> Option<damage::Damage> {
    connection.damage_query_version(1, 1).ok()?.reply().ok()?;
    let damage = connection.generate_id().ok()?;
    connection.damage_create(damage, root, damage::ReportLevel::NON_EMPTY).ok()?.check().ok()?;
    Some(damage)
}

/// Ticks since `start`. A slow frame skips ticks instead of catching up.
fn elapsed_ticks(start: Instant) -> u64 {
    let elapsed = start.elapsed().as_nanos() * u128::from(rate().numerator());
    u64::try_from(elapsed / (u128::from(rate().denominator()) * 1_000_000_000)).unwrap_or(u64::MAX)
}

/// 15 frames per second: enough for text and for following the pointer.
fn rate() -> FrameRate {
    FrameRate::new(15, 1).unwrap_or(FrameRate::THIRTY)
}

const COLOUR: Colour = Colour { matrix: Matrix::Bt709, full_range: false };
const NAME: &str = "screen";
/// The id and the name of the whole screen if the server does not list monitors.
const WHOLE: &str = "screen";
/// Ticks after which an unchanged screen delivers a frame.
const MAX_STILL_TICKS: u64 = 7;
/// The ticks of one second.
const MAX_REFUSED: u32 = 15;

#[cfg(test)]
mod tests;
