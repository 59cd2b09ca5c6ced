//! A client of the accessibility bus: it reads the window as a screen reader does, presses controls, and hears announcements.

use crate::desktop::{Desktop, STEP_TIMEOUT};
use crate::program::{Program, run};
use serde::Deserialize;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::io::Write;
use std::path::Path;
use std::process::ChildStdin;
use std::sync::OnceLock;

/// A running client.
pub struct Assistive {
    // Before the program, so that it is closed first.
    input: RefCell<ChildStdin>,
    program: Program,
}

/// A node of the accessibility tree.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Node {
    pub role: String,
    pub name: String,
    pub description: String,
    pub states: Vec<String>,
    /// The text of a text field.
    pub text: Option<FieldText>,
    /// Left, top, width and height, in pixels of the window.
    #[serde(rename = "box")]
    pub area: Option<[i32; 4]>,
    /// The index of the parent. `None` for the application.
    pub parent: Option<usize>,
}

/// The text of a text field. Positions are numbers of characters before them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FieldText {
    pub content: String,
    pub caret: usize,
    /// Start and end. `None` if nothing is selected.
    pub selection: Option<[usize; 2]>,
}

/// What a screen reader is asked to say.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Announcement {
    /// How urgent it is, as AT-SPI counts: 1 is polite, 2 is assertive.
    pub politeness: u8,
    pub text: String,
}

impl Node {
    pub fn is(&self, state: &str) -> bool {
        self.states.iter().any(|known| known == state)
    }

    /// Returns whether the node is a control that has this name.
    pub fn is_control(&self, name: &str) -> bool {
        self.is("focusable") && self.name == name
    }

    /// Returns the middle of the node, in pixels of the window.
    pub fn middle(&self) -> Option<(i32, i32)> {
        let [left, top, width, height] = self.area?;
        (width > 0 && height > 0).then_some((left + width / 2, top + height / 2))
    }

    /// Returns the size of the node, in square pixels.
    pub fn size(&self) -> i32 {
        self.area.map_or(0, |[_, _, width, height]| width * height)
    }
}

impl Assistive {
    /// Starts a client. If the desktop has no session bus, or Python no AT-SPI, prints that and returns `None`.
    pub fn start(desktop: &Desktop) -> Option<Self> {
        if !can_start(desktop) {
            return None;
        }
        let mut command = desktop.command(PYTHON);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/window/assistive.py"));
        let (program, input) = Program::start_with_input("assistive.py", command);
        Some(Self { input: RefCell::new(input), program })
    }

    /// Returns the window's accessibility tree, each node after its parent. It is empty if no window is open.
    pub fn tree(&self) -> Vec<Node> {
        let answer = self.ask(&json!({"do": "tree"}));
        serde_json::from_value(answer["nodes"].clone()).expect("a list of nodes")
    }

    /// Performs the default action of a node of the last tree. Returns false if the node has gone.
    pub fn press(&self, node: usize) -> bool {
        self.ask(&json!({"do": "press", "node": node}))["done"] == true
    }

    /// Moves the focus to a node of the last tree. Returns false if the node has gone.
    pub fn focus(&self, node: usize) -> bool {
        self.ask(&json!({"do": "focus", "node": node}))["done"] == true
    }

    /// Returns what was announced since the last call.
    pub fn said(&self) -> Vec<Announcement> {
        serde_json::from_value(self.ask(&json!({"do": "said"}))["said"].clone()).expect("a list of announcements")
    }

    fn ask(&self, command: &Value) -> Value {
        writeln!(self.input.borrow_mut(), "{command}").expect("the client reads commands");
        let line = self.program.next_line(STEP_TIMEOUT);
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

/// Returns whether a client can run on this desktop. Prints why if it cannot.
fn can_start(desktop: &Desktop) -> bool {
    static HAS_PACKAGES: OnceLock<bool> = OnceLock::new();
    let can = desktop.has_bus() && *HAS_PACKAGES.get_or_init(|| has_packages(desktop));
    if !can {
        println!("skipped the accessible tree: no session bus, or no AT-SPI for Python");
    }
    can
}

fn has_packages(desktop: &Desktop) -> bool {
    let import = "import gi; gi.require_version('Atspi', '2.0'); from gi.repository import Atspi";
    let mut command = desktop.command(PYTHON);
    command.args(["-c", import]);
    Path::new(PYTHON).exists() && run("python3", command).is_some()
}

/// The system's Python, because its AT-SPI package needs it.
const PYTHON: &str = "/usr/bin/python3";
