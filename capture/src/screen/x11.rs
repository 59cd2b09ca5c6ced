//! An X11 screen: read through shared memory where the server and we share a machine, with the pointer drawn in.
//!
//! A screen that does not change costs nothing: the damage extension tells when it does. Still, a picture comes twice a
//! second, so that whoever begins to watch, and an encoder that still refines, get something. Absent: single windows,
//! colour depths other than 24 bits in 32, and what a Wayland compositor keeps to itself.

mod ffi;
mod grab;
mod pointer;

use crate::rgb::{self, Order};
use crate::{BoxError, Error, Format, Source, Stop};
use grab::Grab;
use media::{Clock, Colour, Frame, FrameRate, Matrix, Pool, Rotation, Size};
use pointer::Pointer;
use std::panic::catch_unwind;
use std::time::Instant;
use x11rb::connection::Connection;
use x11rb::errors::ReplyError;
use x11rb::protocol::Event;
use x11rb::protocol::damage::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ChangeWindowAttributesAux, ConnectionExt as _, EventMask, ImageOrder, Screen, Window};
use x11rb::rust_connection::RustConnection;

/// Opens the screen of `display`; the one that the environment names where that is `None`.
pub(super) fn open(display: Option<&str>, clock: Clock) -> Result<Box<dyn Source>, Error> {
    let source = X11::open(display, clock).map_err(Error::NoScreen)?;
    Ok(Box::new(source))
}

struct X11 {
    connection: RustConnection,
    root: Window,
    size: Size,
    grab: Grab,
    pointer: Option<Pointer>,
    damage: Option<damage::Damage>,
    clock: Clock,
    start: Option<Instant>,
    ticks: u64,
    /// True while something has changed since the last picture.
    dirty: bool,
    /// The tick of the last picture.
    shown: Option<u64>,
    /// Ticks in a row at which the server would not let us read.
    refused: u32,
}

impl Source for X11 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn format(&self) -> Format {
        Format { size: self.size, rate: rate() }
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
            Err(error) => self.endure(&error),
        }
    }
}

impl X11 {
    fn open(display: Option<&str>, clock: Clock) -> Result<Self, BoxError> {
        // The library adds up port numbers unchecked: a display beyond 59535 makes it panic.
        let connected = catch_unwind(|| x11rb::connect(display));
        let (connection, screen) = connected.map_err(|_| "there is no such display")??;
        let screen = connection.setup().roots.get(screen).ok_or("the display has no such screen")?.clone();
        check(&connection, &screen)?;
        let (root, size) = (screen.root, Size::new(screen.width_in_pixels, screen.height_in_pixels));
        let attributes = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        connection.change_window_attributes(root, &attributes)?.check()?;
        let grab = Grab::new(&connection, size)?;
        let pointer = Pointer::new(&connection)?;
        let damage = watch(&connection, root);
        let (start, shown, refused) = (None, None, 0);
        Ok(Self { connection, root, size, grab, pointer, damage, clock, start, ticks: 0, dirty: true, shown, refused })
    }

    fn picture(&mut self, number: u64, pool: &Pool) -> Result<Option<Frame>, BoxError> {
        self.handle_events()?;
        if let Some(pointer) = &mut self.pointer {
            self.dirty |= pointer.update(&self.connection)?;
        }
        let stale = self.shown.is_none_or(|shown| number - shown >= MAX_STILL_FRAMES);
        if !(self.dirty || stale || self.damage.is_none()) {
            return Ok(None);
        }
        let Some(mut canvas) = pool.canvas(self.size) else { return Ok(None) };
        // Cleared before the screen is read: what changes meanwhile is seen again.
        self.dirty = false;
        let stride = usize::from(self.size.width) * 4;
        let pixels = self.grab.read(&self.connection, self.root, self.size)?;
        let captured = self.clock.now();
        if let Some(pointer) = &self.pointer {
            pointer.draw(pixels, self.size);
        }
        rgb::to_i420(pixels, stride, Order::Bgrx, rgb::BT709_LIMITED, &mut canvas);
        self.shown = Some(number);
        Ok(Some(canvas.freeze(number, captured, COLOUR, Rotation::Upright)))
    }

    /// A screen that has just become smaller refuses to be read at its old size, until its news reaches us; a server that
    /// is gone refuses everything.
    fn endure(&mut self, error: &BoxError) -> Result<Option<Frame>, Error> {
        let alive = matches!(error.downcast_ref(), Some(ReplyError::X11Error(_)));
        if alive && self.refused < MAX_REFUSED {
            (self.refused, self.dirty) = (self.refused + 1, true);
            return Ok(None);
        }
        tracing::debug!(%error, "screen lost");
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
                _ => (),
            }
        }
        Ok(())
    }

    fn resize(&mut self, size: Size) -> Result<(), BoxError> {
        if size != self.size && !size.is_empty() {
            self.grab.release(&self.connection);
            self.grab = Grab::new(&self.connection, size)?;
            self.size = size;
            self.dirty = true;
        }
        Ok(())
    }
}

/// Asks for news of changes; `None` where the server has no damage extension, and every tick is a picture then.
fn watch(connection: &RustConnection, root: Window) -> Option<damage::Damage> {
    connection.damage_query_version(1, 1).ok()?.reply().ok()?;
    let damage = connection.generate_id().ok()?;
    connection.damage_create(damage, root, damage::ReportLevel::NON_EMPTY).ok()?.check().ok()?;
    Some(damage)
}

/// Pixels are taken to be blue, green, red and nothing, a byte each.
fn check(connection: &RustConnection, screen: &Screen) -> Result<(), BoxError> {
    let setup = connection.setup();
    let format = setup.pixmap_formats.iter().find(|format| format.depth == screen.root_depth);
    let visual = screen.allowed_depths.iter().flat_map(|depth| &depth.visuals);
    let visual = visual.into_iter().find(|visual| visual.visual_id == screen.root_visual);
    let bytes = format.is_some_and(|format| format.bits_per_pixel == 32);
    let order = visual.is_some_and(|visual| visual.red_mask == 0xFF_0000 && visual.blue_mask == 0xFF);
    if bytes && order && setup.image_byte_order == ImageOrder::LSB_FIRST {
        Ok(())
    } else {
        Err(format!("a screen of depth {} has pixels of another kind", screen.root_depth).into())
    }
}

/// Ticks that have passed, so that a slow picture skips numbers instead of running after them.
fn elapsed_ticks(start: Instant) -> u64 {
    let elapsed = start.elapsed().as_nanos() * u128::from(rate().numerator());
    u64::try_from(elapsed / (u128::from(rate().denominator()) * 1_000_000_000)).unwrap_or(u64::MAX)
}

/// Text does not move; fifteen times a second is what a remote hand on a mouse needs.
fn rate() -> FrameRate {
    FrameRate::new(15, 1).unwrap_or(FrameRate::THIRTY)
}

const COLOUR: Colour = Colour { matrix: Matrix::Bt709, full_range: false };
const NAME: &str = "screen";
/// Ticks after which an unchanged screen is shown all the same.
const MAX_STILL_FRAMES: u64 = 7;
/// A second of refusals.
const MAX_REFUSED: u32 = 15;

#[cfg(test)]
mod tests;
