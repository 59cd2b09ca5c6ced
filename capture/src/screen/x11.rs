//! Capture of an X11 screen, with the pointer drawn into the frames. Uses shared memory if the server is local.
//!
//! The damage extension reports changes, so an unchanged screen is not read. An unchanged screen still delivers two
//! frames per second, for new viewers and because the encoder improves a still picture over several frames. Not
//! supported: single windows, pixel formats other than 24 bits in 32, and Wayland surfaces.

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

/// Opens the screen of `display`, or of the `DISPLAY` variable if it is `None`.
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
            Err(error) => self.handle_read_error(&error),
        }
    }
}

impl X11 {
    fn open(display: Option<&str>, clock: Clock) -> Result<Self, BoxError> {
        // x11rb computes the port number without an overflow check and panics for a display above 59535.
        let connected = catch_unwind(|| x11rb::connect(display));
        let (connection, screen) = connected.map_err(|_| "the display does not exist")??;
        let screen = connection.setup().roots.get(screen).ok_or("the display has no such screen")?.clone();
        check_pixel_format(&connection, &screen)?;
        let (root, size) = (screen.root, Size::new(screen.width_in_pixels, screen.height_in_pixels));
        let attributes = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        connection.change_window_attributes(root, &attributes)?.check()?;
        let grab = Grab::new(&connection, size)?;
        let pointer = Pointer::new(&connection)?;
        let damage = watch_damage(&connection, root);
        let (start, last_frame, refused) = (None, None, 0);
        Ok(Self {
            connection,
            root,
            size,
            grab,
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
        let Some(mut frame) = pool.take(self.size) else { return Ok(None) };
        // Cleared before the read, so that a change during the read causes another frame.
        self.dirty = false;
        let stride = usize::from(self.size.width) * 4;
        let pixels = self.grab.read(&self.connection, self.root, self.size)?;
        let captured = self.clock.now();
        if let Some(pointer) = &self.pointer {
            pointer.draw(pixels, self.size);
        }
        rgb::to_i420(pixels, stride, Order::Bgrx, rgb::BT709_LIMITED, &mut frame);
        self.last_frame = Some(number);
        Ok(Some(frame.freeze(number, captured, COLOUR, Rotation::Upright)))
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

/// Subscribes to damage events. Returns `None` if the server lacks the extension; then every tick delivers a frame.
fn watch_damage(connection: &RustConnection, root: Window) -> Option<damage::Damage> {
    connection.damage_query_version(1, 1).ok()?.reply().ok()?;
    let damage = connection.generate_id().ok()?;
    connection.damage_create(damage, root, damage::ReportLevel::NON_EMPTY).ok()?.check().ok()?;
    Some(damage)
}

/// Returns an error unless pixels are BGRX, one byte per channel.
fn check_pixel_format(connection: &RustConnection, screen: &Screen) -> Result<(), BoxError> {
    let setup = connection.setup();
    let format = setup.pixmap_formats.iter().find(|format| format.depth == screen.root_depth);
    let visual = screen.allowed_depths.iter().flat_map(|depth| &depth.visuals);
    let visual = visual.into_iter().find(|visual| visual.visual_id == screen.root_visual);
    let bytes = format.is_some_and(|format| format.bits_per_pixel == 32);
    let order = visual.is_some_and(|visual| visual.red_mask == 0xFF_0000 && visual.blue_mask == 0xFF);
    if bytes && order && setup.image_byte_order == ImageOrder::LSB_FIRST {
        Ok(())
    } else {
        Err(format!("a screen of depth {} has an unsupported pixel format", screen.root_depth).into())
    }
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
/// Ticks after which an unchanged screen delivers a frame.
const MAX_STILL_TICKS: u64 = 7;
/// The ticks of one second.
const MAX_REFUSED: u32 = 15;

#[cfg(test)]
mod tests;
