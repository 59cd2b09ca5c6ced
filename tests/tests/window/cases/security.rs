//! The verification words, and sharing the screen.

use super::talking::is_on;
use crate::assistive::Node;
use crate::user::{Input, User};
use crate::words::Language;

/// The list of words in the language of the user is visible at once, and the other one below it. Words that differ say what to do; words that match are verified.
pub fn the_words_are_compared(user: &User) {
    let lock = |id: &str| user.words.with("lock-button", "state", user.text(id));
    user.presses(&lock("lock-closed"));
    let (own, other) = match user.setting.language {
        Language::English => ("lock-words-english", "lock-words-french"),
        Language::French => ("lock-words-french", "lock-words-english"),
    };
    user.until(own, |tree| (words_in(tree, user.text(own)) == 12).then_some(()));
    user.sees(user.text(other));
    user.takes_picture("words");
    user.presses(user.text("lock-differ"));
    user.control(&lock("lock-different"));
    user.sees(user.text("lock-different-text"));
    user.takes_picture("words-differ");
    user.presses(user.text("lock-match-after-all"));
    user.control(&lock("lock-verified"));
    user.sees(user.text("lock-verified-text"));
    user.takes_picture("words-verified");
    user.presses(&lock("lock-verified"));
    user.sees_no(user.text("lock-verified-text"));
}

/// Returns the number of words in the list with this name.
fn words_in(tree: &[Node], name: &str) -> usize {
    let is_list = |node: &Node| node.role == "list" && node.name == name;
    let inside = tree.iter().filter(|node| node.parent.is_some_and(|parent| is_list(&tree[parent])));
    inside.filter(|node| node.role == "list item").count()
}

/// "Share screen" opens a dialog. Only "Share" in it shares the screen, and a banner says so until the user stops.
pub fn sharing_is_confirmed(user: &User) {
    let (share, stop) = (user.text("meeting-share"), user.text("meeting-share-stop"));
    let sharing = user.text("meeting-sharing-you");
    user.presses(share);
    let [width, height] = user.setting.screen;
    user.until("the screen in the dialog", |tree| {
        let size = format!("{width}\u{202f}×\u{202f}{height}");
        let start = user.text("share-only-screen");
        let option = tree.iter().find(|node| node.role == "radio button" && node.name.starts_with(start))?;
        (option.name.contains(&size) && is_on(option)).then_some(())
    });
    if user.setting.input == Input::Keyboard {
        user.until("the focus in the dialog", |tree| {
            tree.iter().any(|node| node.role == "radio button" && node.is("focused")).then_some(())
        });
    }
    user.takes_picture("share");
    user.presses(user.text("action-cancel"));
    user.sees_no(user.text("share-text"));
    assert!(!user.tree().iter().any(|node| node.name.contains(sharing)), "cancelled, and shared");
    if user.setting.input == Input::Keyboard {
        user.has_focus_at(share);
    }
    user.presses(share);
    user.presses(user.text("share-confirm"));
    user.sees(sharing);
    user.takes_picture("sharing");
    user.presses(stop);
    user.sees_no(sharing);
}
