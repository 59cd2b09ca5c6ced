//! An iced operation that lists the items of a menu.

use std::any::Any;

use accesskit::Toggled;
use iced::Rectangle;
use iced::advanced::widget::operation::Focusable;
use iced::advanced::widget::{Id, Operation};

use crate::kit::a11y::Semantics;

/// The items of a menu, in order.
#[derive(Default)]
pub struct MenuItems {
    items: Vec<Item>,
    /// The item whose `focusable` follows.
    next: Item,
}

#[derive(Default)]
struct Item {
    name: String,
    checked: bool,
    focused: bool,
}

/// A key that moves in a menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// To the next item; after the last one to the first.
    Next,
    /// To the previous item; before the first one to the last.
    Previous,
    /// To the first item.
    First,
    /// To the last item.
    Last,
    /// To the next item whose name begins with this letter.
    Letter(char),
}

impl MenuItems {
    /// The item on which the menu opens: the first that is checked, or the first.
    pub fn start(&self) -> usize {
        self.items.iter().position(|item| item.checked).unwrap_or_default()
    }

    /// The item to which a key leads. Returns `None` if there is none.
    pub fn step(&self, step: Step) -> Option<usize> {
        let (count, focused) = (self.items.len(), self.items.iter().position(|item| item.focused));
        let last = count.checked_sub(1)?;
        match step {
            Step::Next => Some(focused.map_or(0, |index| (index + 1) % count)),
            Step::Previous => Some(focused.map_or(last, |index| (index + last) % count)),
            Step::First => Some(0),
            Step::Last => Some(last),
            Step::Letter(letter) => {
                let after = focused.map_or(0, |index| index + 1);
                let wanted = |index: &usize| {
                    self.items[*index]
                        .name
                        .trim_start()
                        .chars()
                        .next()
                        .is_some_and(|first| without_accent(first) == without_accent(letter))
                };
                (0..count).map(|step| (after + step) % count).find(wanted)
            }
        }
    }
}

/// A letter in lower case, without the accents of French: `E` finds "Élevé".
fn without_accent(letter: char) -> char {
    let lower = letter.to_lowercase().next().unwrap_or(letter);
    match lower {
        'à' | 'â' => 'a',
        'ç' => 'c',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' => 'o',
        'ù' | 'û' | 'ü' => 'u',
        other => other,
    }
}

impl Operation for MenuItems {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        operate(self);
    }

    fn custom(&mut self, _id: Option<&Id>, _bounds: Rectangle, state: &mut dyn Any) {
        let Some(semantics) = state.downcast_ref::<Semantics>() else { return };
        let name = semantics.node.label().unwrap_or_default().to_owned();
        self.next = Item { name, checked: semantics.node.toggled() == Some(Toggled::True), focused: false };
    }

    fn focusable(&mut self, _id: Option<&Id>, _bounds: Rectangle, state: &mut dyn Focusable) {
        self.items.push(Item { focused: state.is_focused(), ..std::mem::take(&mut self.next) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn menu(names: [&str; 4], focused: Option<usize>) -> MenuItems {
        let item = |(index, name): (usize, &str)| Item {
            name: name.to_owned(),
            checked: index == 2,
            focused: focused == Some(index),
        };
        MenuItems { items: names.into_iter().enumerate().map(item).collect(), next: Item::default() }
    }

    #[test]
    fn each_key_leads_to_its_item() {
        let names = ["Aucune", "Écran", "Entrée", "Webcam"];
        for (focused, step, expected) in [
            (None, Step::Next, Some(0)),
            (None, Step::Previous, Some(3)),
            (Some(3), Step::Next, Some(0)),
            (Some(0), Step::Previous, Some(3)),
            (Some(2), Step::First, Some(0)),
            (Some(2), Step::Last, Some(3)),
            (Some(0), Step::Letter('e'), Some(1)),
            (Some(1), Step::Letter('E'), Some(2)),
            (Some(2), Step::Letter('e'), Some(1)),
            (Some(3), Step::Letter('w'), Some(3)),
            (None, Step::Letter('x'), None),
        ] {
            assert_eq!(menu(names, focused).step(step), expected, "{step:?} from {focused:?}");
        }
        assert_eq!(MenuItems::default().step(Step::Next), None);
        assert_eq!((menu(names, None).start(), MenuItems::default().start()), (2, 0));
    }
}
