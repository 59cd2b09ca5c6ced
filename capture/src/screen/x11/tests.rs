//! Tests of the capture of an X11 screen, with Xvfb.

use super::*;
use media::Plane;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use x11rb::protocol::xproto::{CreateGCAux, Rectangle};

/// A virtual display server. Drop stops it.
struct Server {
    child: Child,
    display: String,
}

impl Server {
    /// Starts Xvfb. Returns `None` and prints a line if it is not installed.
    fn start(screen: &str) -> Option<Self> {
        let arguments = ["-displayfd", "1", "-screen", "0", screen, "-nolisten", "tcp", "-noreset"];
        let child = Command::new("Xvfb").args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let Ok(mut child) = child else {
            println!("skipped: Xvfb is not installed");
            return None;
        };
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Some(Self { child, display: format!(":{}", line.trim()) })
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// A second client of the same display, which draws on the screen.
struct Painter {
    connection: RustConnection,
    root: Window,
}

impl Painter {
    fn new(server: &Server) -> Self {
        let (connection, screen) = x11rb::connect(Some(&server.display)).unwrap();
        let root = connection.setup().roots[screen].root;
        Self { connection, root }
    }

    fn fill(&self, colour: u32, rectangle: (i16, i16, u16, u16)) {
        let context = self.connection.generate_id().unwrap();
        self.connection.create_gc(context, self.root, &CreateGCAux::new().foreground(colour)).unwrap();
        let (x, y, width, height) = rectangle;
        self.connection.poly_fill_rectangle(self.root, context, &[Rectangle { x, y, width, height }]).unwrap();
        self.sync();
    }

    fn point_at(&self, x: i16, y: i16) {
        self.connection.warp_pointer(x11rb::NONE, self.root, 0, 0, 0, 0, x, y).unwrap();
        self.sync();
    }

    /// Waits until the server has processed all requests.
    fn sync(&self) {
        self.connection.get_input_focus().unwrap().reply().unwrap();
    }
}

fn picture(source: &mut dyn Source) -> Frame {
    let (pool, stop) = (Pool::new(2), Stop::new());
    (0..30).find_map(|_| source.next(&pool, &stop).unwrap()).expect("a frame within two seconds")
}

fn luma(frame: &Frame, x: usize, y: usize) -> u8 {
    frame.plane(Plane::Y).rows().nth(y).unwrap()[x]
}

#[test]
fn a_screen_is_captured_with_its_colours() {
    let Some(server) = Server::start("321x243x24") else { return };
    let painter = Painter::new(&server);
    painter.fill(0x00FF_0000, (0, 0, 160, 243));
    painter.fill(0x0000_00FF, (160, 0, 161, 243));
    painter.point_at(300, 230);
    let mut source = open(Some(&server.display), Clock::default()).unwrap();
    assert_eq!(source.format().size, Size::new(321, 243));
    let frame = picture(source.as_mut());
    assert_eq!((frame.size(), frame.colour()), (Size::new(321, 243), COLOUR));
    assert!(luma(&frame, 40, 100).abs_diff(63) <= 2 && luma(&frame, 250, 100).abs_diff(32) <= 2);
    let chroma = |plane, x: usize| frame.plane(plane).rows().nth(50).unwrap()[x];
    assert!(chroma(Plane::V, 20).abs_diff(240) <= 2 && chroma(Plane::U, 120).abs_diff(240) <= 2);
}

#[test]
fn a_change_is_captured_at_the_next_tick_and_a_still_screen_twice_a_second() {
    let Some(server) = Server::start("320x240x24") else { return };
    let painter = Painter::new(&server);
    painter.fill(0, (0, 0, 320, 240));
    let mut source = open(Some(&server.display), Clock::default()).unwrap();
    let (pool, stop) = (Pool::new(2), Stop::new());
    let first = picture(source.as_mut());
    assert!(luma(&first, 100, 100).abs_diff(16) <= 1);
    let mut still = 0;
    let again = loop {
        match source.next(&pool, &stop).unwrap() {
            Some(frame) => break frame,
            None => still += 1,
        }
    };
    assert!((3..MAX_STILL_TICKS).contains(&still), "{still} ticks without a frame");
    assert!(again.number() > first.number());
    painter.fill(0x00FF_FFFF, (0, 0, 320, 240));
    let changed = source.next(&pool, &stop).unwrap().expect("a change causes a frame at the next tick");
    assert!(luma(&changed, 100, 100).abs_diff(235) <= 1);
}

#[test]
fn the_pointer_is_drawn_and_its_movement_causes_a_frame() {
    let Some(server) = Server::start("320x240x24") else { return };
    let painter = Painter::new(&server);
    painter.fill(0x0080_8080, (0, 0, 320, 240));
    painter.point_at(60, 60);
    let mut source = open(Some(&server.display), Clock::default()).unwrap();
    let marks = |frame: &Frame, left: usize, top: usize| {
        let background = luma(frame, 160, 120);
        let near = frame.plane(Plane::Y).rows().skip(top).take(40).flat_map(|row| &row[left..left + 40]);
        near.filter(|sample| sample.abs_diff(background) > 20).count()
    };
    let before = picture(source.as_mut());
    assert!(marks(&before, 40, 40) > 10 && marks(&before, 240, 180) == 0);
    painter.point_at(260, 200);
    let after = source.next(&Pool::new(1), &Stop::new()).unwrap().expect("a moved pointer causes a frame");
    assert!(marks(&after, 40, 40) == 0 && marks(&after, 240, 180) > 10);
}

#[test]
fn a_stopped_server_is_a_lost_screen() {
    let Some(mut server) = Server::start("64x64x24") else { return };
    let mut source = open(Some(&server.display), Clock::default()).unwrap();
    let _ = picture(source.as_mut());
    server.end();
    let (pool, stop) = (Pool::new(2), Stop::new());
    let lost = (0..30).find_map(|_| source.next(&pool, &stop).err());
    assert!(matches!(lost, Some(Error::Lost { .. })), "{lost:?}");
}

#[test]
fn frames_with_and_without_shared_memory_are_equal() {
    let Some(server) = Server::start("320x240x24") else { return };
    let painter = Painter::new(&server);
    painter.fill(0x0012_3456, (0, 0, 320, 240));
    let mut source = X11::open(Some(&server.display), Clock::default()).unwrap();
    assert!(matches!(source.grab, Grab::Shared(_)), "Xvfb supports shared memory");
    let shared = picture(&mut source);
    source.grab = Grab::Sent(Vec::new());
    let sent = picture(&mut source);
    assert!(shared.plane(Plane::Y).rows().eq(sent.plane(Plane::Y).rows()));
}

#[test]
fn a_missing_display_is_an_error() {
    for display in [":59000", ":63999", "no display"] {
        let Err(error) = open(Some(display), Clock::default()) else { panic!("opened") };
        assert!(matches!(error, Error::NoScreen(_)), "{error}");
    }
}

#[test]
fn an_unknown_depth_is_refused() {
    let Some(server) = Server::start("64x64x8") else { return };
    let Err(error) = open(Some(&server.display), Clock::default()) else { panic!("opened") };
    assert!(error.to_string().contains("depth 8"), "{error}");
}

#[test]
fn a_stop_request_ends_the_wait() {
    let Some(server) = Server::start("64x64x24") else { return };
    let mut source = open(Some(&server.display), Clock::default()).unwrap();
    let (pool, stop) = (Pool::new(2), Stop::new());
    stop.request();
    assert!(source.next(&pool, &stop).unwrap().is_none());
}

#[test]
fn a_resized_screen_is_captured_at_its_new_size() {
    let Some(server) = Server::start("640x480x24") else { return };
    let painter = Painter::new(&server);
    painter.fill(0x00FF_FFFF, (0, 0, 320, 240));
    let mut source = X11::open(Some(&server.display), Clock::default()).unwrap();
    assert_eq!(picture(&mut source).size(), Size::new(640, 480));
    // Xvfb cannot shrink its screen, so call the event handler directly.
    source.resize(Size::new(320, 240)).unwrap();
    let frame = picture(&mut source);
    assert_eq!((frame.size(), source.format().size), (Size::new(320, 240), Size::new(320, 240)));
    assert!(luma(&frame, 300, 230).abs_diff(235) <= 1);
    // The server refuses a size larger than the screen, as it refuses an outdated size. One refusal does not end the
    // source.
    source.resize(Size::new(1280, 960)).unwrap();
    let (pool, stop) = (Pool::new(2), Stop::new());
    assert!(source.next(&pool, &stop).unwrap().is_none());
    source.resize(Size::new(640, 480)).unwrap();
    assert_eq!(picture(&mut source).size(), Size::new(640, 480));
}
