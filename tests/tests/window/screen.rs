//! A client of the X server that finds the window, paints the screen, and changes its size, as a display tool does.

use crate::desktop::Desktop;
use crate::picture::Rgb;
use x11rb::connection::Connection;
use x11rb::protocol::randr::{ConnectionExt as _, ModeInfo, Rotation};
use x11rb::protocol::xproto::{ConnectionExt as _, CreateGCAux, CreateWindowAux, Rectangle, WindowClass};
use x11rb::rust_connection::RustConnection;

/// The screen of a desktop.
pub struct Screen {
    connection: RustConnection,
    root: u32,
}

impl Screen {
    pub fn connect(desktop: &Desktop) -> Self {
        let (connection, screen) = x11rb::connect(Some(desktop.display())).expect("the X server answers");
        let root = connection.setup().roots[screen].root;
        Self { connection, root }
    }

    /// Returns left, top, width and height of the window that has the focus, without its frame, in pixels of the screen.
    pub fn window_area(&self) -> Option<[i32; 4]> {
        let window = self.connection.get_input_focus().ok()?.reply().ok()?.focus;
        let size = self.connection.get_geometry(window).ok()?.reply().ok()?;
        let corner = self.connection.translate_coordinates(window, self.root, 0, 0).ok()?.reply().ok()?;
        Some([corner.dst_x.into(), corner.dst_y.into(), size.width.into(), size.height.into()])
    }

    /// Covers the whole screen with a window of its own. Returns that window.
    pub fn cover(&self) -> u32 {
        let (connection, id) = (&self.connection, self.connection.generate_id().expect("an id"));
        let size = connection.get_geometry(self.root).expect("the X server answers").reply().expect("a size");
        // The window manager does not handle it.
        let settings = CreateWindowAux::new().override_redirect(1).background_pixel(0);
        let class = WindowClass::INPUT_OUTPUT;
        let created = connection.create_window(
            x11rb::COPY_DEPTH_FROM_PARENT,
            id,
            self.root,
            0,
            0,
            size.width,
            size.height,
            0,
            class,
            0,
            &settings,
        );
        created.expect("the X server answers").check().expect("a window");
        connection.map_window(id).expect("the X server answers").check().expect("the window is shown");
        id
    }

    /// Removes the window of [`Screen::cover`].
    pub fn uncover(&self, cover: u32) {
        self.connection.destroy_window(cover).expect("the X server answers").check().expect("the window is gone");
    }

    /// Paints four colours on a screen of this width and height.
    pub fn paint(&self, [width, height]: [u16; 2], colours: [Rgb; 4]) {
        let (right, lower) = (width / 2, height / 2);
        let corners = [(0, 0), (right, 0), (0, lower), (right, lower)];
        for ([red, green, blue], (x, y)) in colours.into_iter().zip(corners) {
            let context = self.connection.generate_id().expect("an id");
            let colour = CreateGCAux::new().foreground(u32::from_be_bytes([0, red, green, blue]));
            self.connection.create_gc(context, self.root, &colour).expect("the X server answers");
            let [x, y] = [x, y].map(|side| i16::try_from(side).expect("the screen is small"));
            let area = Rectangle { x, y, width: right, height: lower };
            self.connection.poly_fill_rectangle(self.root, context, &[area]).expect("the X server answers");
        }
        self.connection.get_input_focus().expect("the X server answers").reply().expect("the screen is painted");
    }

    /// Sets the size of the screen and of its only monitor. It must not be larger than at the start.
    pub fn resize(&self, [width, height]: [u16; 2]) {
        let (connection, root) = (&self.connection, self.root);
        let resources = connection.randr_get_screen_resources(root).expect("the X server answers");
        let resources = resources.reply().expect("the X server has RANDR");
        let (crtc, output) = (resources.crtcs[0], resources.outputs[0]);
        let known = resources.modes.iter().find(|mode| (mode.width, mode.height) == (width, height));
        let add_mode = || {
            let name = format!("{width}x{height}");
            let length = u16::try_from(name.len()).expect("the name is short");
            let new = ModeInfo { width, height, name_len: length, ..ModeInfo::default() };
            let reply = connection.randr_create_mode(root, new, name.as_bytes()).expect("the X server answers");
            let mode = reply.reply().expect("a new mode").mode;
            connection.randr_add_output_mode(output, mode).expect("the X server answers").check().expect("added");
            mode
        };
        let mode = known.map_or_else(add_mode, |mode| mode.id);
        let set_monitor = |mode: u32| {
            let outputs = if mode == x11rb::NONE { &[][..] } else { &[output][..] };
            let time = x11rb::CURRENT_TIME;
            let set = connection.randr_set_crtc_config(crtc, time, time, 0, 0, mode, Rotation::ROTATE0, outputs);
            set.expect("the X server answers").reply().expect("the monitor has the mode");
        };
        // The monitor must be inside the screen before and afterwards.
        set_monitor(x11rb::NONE);
        let millimetres = [width, height].map(|side| u32::from(side) / 4);
        let sized = connection.randr_set_screen_size(root, width, height, millimetres[0], millimetres[1]);
        sized.expect("the X server answers").check().expect("the screen has the size");
        set_monitor(mode);
    }
}
