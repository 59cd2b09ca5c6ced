//! A user who works with the window by one kind of input, in one language, on one screen.

use crate::assistive::{Assistive, Node};
use crate::desktop::{Desktop, STEP_TIMEOUT};
use crate::program::until;
use crate::words::{Language, Words};

/// How a user presses controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// With Tab, the arrow keys and Enter.
    Keyboard,
    /// With the mouse.
    Pointer,
    /// Through AT-SPI, as a screen reader does.
    Assistive,
}

/// A screen, a language and an input.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Width and height of the screen, in pixels.
    pub screen: [usize; 2],
    pub language: Language,
    pub input: Input,
}

impl Setting {
    /// Returns the settings in which the group of cases with this number, 0 to 3, runs. By default this is one: the four
    /// groups together use each screen, each input and both languages once or more. `CONCLAVE_TEST_WINDOWS=covering`
    /// selects three for each group, which use each input on each screen, and `all` selects all 18. Another value selects
    /// those whose names contain it, such as `1280x800`, `fr` or `2560x1440-en-Keyboard`.
    pub fn of_group(group: usize) -> Vec<Self> {
        let Ok(wanted) = std::env::var("CONCLAVE_TEST_WINDOWS") else { return vec![DEFAULT[group]] };
        let mut chosen = Vec::new();
        for (row, screen) in SCREENS.into_iter().enumerate() {
            for (column, input) in INPUTS.into_iter().enumerate() {
                for language in [Language::English, Language::French] {
                    let setting = Self { screen, language, input };
                    let is_chosen = match wanted.as_str() {
                        "covering" => (row + group) % 3 == column && language == COVERING_LANGUAGES[row][column],
                        "all" => true,
                        part => setting.to_string().contains(part),
                    };
                    if is_chosen {
                        chosen.push(setting);
                    }
                }
            }
        }
        chosen
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [width, height] = self.screen;
        write!(to, "{width}x{height}-{}-{:?}", self.language.tag(), self.input)
    }
}

/// A user of the window.
pub struct User<'a> {
    pub desktop: &'a Desktop,
    pub setting: Setting,
    pub words: Words,
    assistive: Assistive,
}

impl<'a> User<'a> {
    /// Returns `None` if the accessibility tree cannot be read here: the user finds controls in it.
    pub fn new(desktop: &'a Desktop, setting: Setting) -> Option<Self> {
        let assistive = Assistive::start(desktop)?;
        Some(Self { desktop, setting, words: Words::read(setting.language), assistive })
    }

    /// Returns the text with this id, in the language of the user.
    pub fn text(&self, id: &str) -> &str {
        self.words.text(id)
    }

    /// Returns the accessibility tree.
    pub fn tree(&self) -> Vec<Node> {
        self.assistive.tree()
    }

    /// Returns what was announced since the last call.
    pub fn said(&self) -> Vec<String> {
        self.assistive.said().into_iter().map(|announcement| announcement.text).collect()
    }

    /// Waits until `find` returns a value for the accessibility tree.
    pub fn until<T>(&self, what: &str, mut find: impl FnMut(&[Node]) -> Option<T>) -> T {
        until(&format!("{what} ({})", self.setting), STEP_TIMEOUT, || find(&self.tree()))
    }

    /// Waits until a node is named or says `text`.
    pub fn sees(&self, text: &str) -> Node {
        self.until(text, |tree| tree.iter().find(|node| node.name.contains(text)).cloned())
    }

    /// Waits until no node is named or says `text`.
    pub fn sees_no(&self, text: &str) {
        self.until(&format!("no {text}"), |tree| tree.iter().all(|node| !node.name.contains(text)).then_some(()));
    }

    /// Waits for the control with this name.
    pub fn control(&self, name: &str) -> Node {
        self.until(name, |tree| tree.iter().find(|node| node.is_control(name)).cloned())
    }

    /// Returns the control that has the focus.
    pub fn focused(&self) -> Option<Node> {
        self.tree().into_iter().find(|node| node.is("focusable") && node.is("focused"))
    }

    /// Waits until the control with this name has the focus.
    pub fn has_focus_at(&self, name: &str) {
        self.until(&format!("the focus at {name}"), |tree| {
            tree.iter().any(|node| node.is_control(name) && node.is("focused")).then_some(())
        });
    }

    /// Waits until the focus stays where it is. Returns the name of its control.
    fn settled_focus(&self) -> Option<String> {
        let (mut last, mut equal) = (None, 0);
        self.until("the focus stays", |tree| {
            let focused = tree.iter().find(|node| node.is("focusable") && node.is("focused"));
            let now = Some(focused.map(|node| node.name.clone()));
            equal = if now == last { equal + 1 } else { 0 };
            last = now;
            last.clone().filter(|_| equal == EQUAL_TREES)
        })
    }

    /// Saves a picture of the screen.
    pub fn takes_picture(&self, what: &str) {
        self.desktop.save(&format!("{what}-{}", self.setting));
    }

    /// Presses the control with this name, in the way of this user.
    pub fn presses(&self, name: &str) {
        self.control(name);
        match self.setting.input {
            Input::Keyboard => {
                self.tabs_to(name);
                self.desktop.press(&["Return"]);
            }
            Input::Pointer => self.clicks(name, 1),
            Input::Assistive => self.until(name, |tree| {
                let index = tree.iter().position(|node| node.is_control(name))?;
                self.assistive.press(index).then_some(())
            }),
        }
    }

    /// Chooses the item of the open menu with this name.
    pub fn chooses(&self, name: &str) {
        if self.setting.input != Input::Keyboard {
            return self.presses(name);
        }
        self.control(name);
        for _ in 0..MAX_KEYS {
            if self.focused().is_some_and(|node| node.name == name) {
                return self.desktop.press(&["Return"]);
            }
            self.desktop.press(&["Down"]);
        }
        panic!("the arrow keys do not lead to {name} ({}): {:#?}", self.setting, self.focused());
    }

    /// Clicks at the middle of the control with this name. `button` is 1 for the left one and 3 for the right one.
    pub fn clicks(&self, name: &str, button: u8) {
        let (x, y) = self.until(name, |tree| {
            let middle = |nodes: &[Node]| nodes.iter().find(|node| node.is_control(name))?.middle();
            let found = middle(tree)?;
            // A control that still moves is not clicked.
            (middle(&self.tree()) == Some(found)).then_some(found)
        });
        self.desktop.click(x, y, button);
    }

    /// Clicks beside the middle of the control with this name, where a menu has opened.
    pub fn clicks_beside(&self, name: &str, [across, down]: [i32; 2]) {
        let (x, y) = self.control(name).middle().expect("the control is shown");
        self.desktop.click(x + across, y + down, 1);
    }

    /// Replaces the text in the field with this name.
    pub fn types(&self, field: &str, text: &str) {
        self.moves_focus_to(field);
        self.desktop.press(&["ctrl+a"]);
        self.desktop.type_text(text);
    }

    /// Moves the focus to the control with this name, in the way of this user.
    pub fn moves_focus_to(&self, name: &str) {
        self.control(name);
        match self.setting.input {
            Input::Keyboard => self.tabs_to(name),
            Input::Pointer => self.clicks(name, 1),
            Input::Assistive => self.focuses(name),
        }
    }

    /// Moves the focus to the control with this name through AT-SPI.
    pub fn focuses(&self, name: &str) {
        self.until(name, |tree| {
            let index = tree.iter().position(|node| node.is_control(name))?;
            self.assistive.focus(index).then_some(())
        });
        self.has_focus_at(name);
    }

    /// Moves the keyboard focus to the control with this name.
    pub fn tabs_to(&self, name: &str) {
        let steps = |tree: &[Node]| -> Option<i32> {
            let order = tab_order(tree);
            let position = |found: Option<usize>| found.and_then(|index| i32::try_from(index).ok());
            let to = position(order.iter().position(|node| node.is_control(name)))?;
            let from = position(order.iter().position(|node| node.is("focused"))).unwrap_or(-1);
            Some(to - from)
        };
        for _ in 0..MAX_KEYS {
            // A dialog that opens, or keys that were not handled yet, still move the focus.
            if self.settled_focus().is_some_and(|focused| focused == name) {
                return;
            }
            let count = self.until(name, steps);
            if count == 0 {
                continue; // it got the focus meanwhile
            }
            let key = if count > 0 { "Tab" } else { "shift+Tab" };
            self.desktop.press(&vec![key; count.unsigned_abs() as usize]);
        }
        panic!("Tab does not lead to {name} ({}): {:#?}", self.setting, self.focused());
    }
}

impl Drop for User<'_> {
    fn drop(&mut self) {
        // The window closes next.
        self.desktop.save_failure();
    }
}

/// Returns the controls that Tab visits: those of the modal dialog if one is open.
fn tab_order(tree: &[Node]) -> Vec<&Node> {
    let dialog = tree.iter().position(|node| node.is("modal"));
    let is_inside = |mut index: usize| {
        while let Some(dialog) = dialog {
            if index == dialog {
                return true;
            }
            let Some(parent) = tree[index].parent else { return false };
            index = parent;
        }
        true
    };
    let controls = tree.iter().enumerate().filter(|(index, node)| node.is("focusable") && is_inside(*index));
    controls.map(|(_, node)| node).filter(|node| node.role != "list item").collect()
}

const SCREENS: [[usize; 2]; 3] = [[1366, 768], [1280, 800], [2560, 1440]];
const INPUTS: [Input; 3] = [Input::Keyboard, Input::Pointer, Input::Assistive];
/// The setting of each group if none is selected.
const DEFAULT: [Setting; 4] = [
    Setting { screen: SCREENS[0], language: Language::French, input: Input::Keyboard },
    Setting { screen: SCREENS[1], language: Language::English, input: Input::Assistive },
    Setting { screen: SCREENS[2], language: Language::French, input: Input::Pointer },
    Setting { screen: SCREENS[0], language: Language::English, input: Input::Pointer },
];
/// The language for each screen and each input. Each screen, input and group has both languages.
const COVERING_LANGUAGES: [[Language; 3]; 3] = [
    [Language::French, Language::French, Language::English],
    [Language::English, Language::English, Language::French],
    [Language::English, Language::French, Language::English],
];
/// The number of further trees with the same focus after which it stays.
const EQUAL_TREES: usize = 2;
/// More than the number of keys that lead to any control.
const MAX_KEYS: usize = 40;
