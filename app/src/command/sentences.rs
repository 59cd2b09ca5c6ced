//! The sentences that the command line prints if something goes wrong. They are the window's, in the system's language.

use app::locale::Language;
use app::model::{Notice, sentence};
use engine::{Fault, Invitation, Reason};

/// Parses a link.
///
/// # Errors
/// Returns a sentence that describes the error in the link.
pub fn invitation(link: &str) -> Result<Invitation, String> {
    link.parse().map_err(|error| Language::of_system().text(sentence::link(error)))
}

/// The text that says why a meeting ended.
pub fn reason(reason: &Reason) -> String {
    compose(sentence::reason(reason), sentence::unnamed_fault(reason), &sentence::detail(reason))
}

/// The text of a notice.
pub fn notice(notice: &Notice) -> String {
    compose(notice.kind.id(), notice.kind.fault(), &notice.detail)
}

/// One line that says what happened, where the cause is, what the user can do, and the details if there are any.
pub fn compose(id: &str, fault: Option<Fault>, detail: &str) -> String {
    let language = Language::of_system();
    let fault = fault.map(|fault| format!(" ({})", language.text(sentence::fault(fault)))).unwrap_or_default();
    let details = || format!(" [{}]", language.with("notice-details", &[("detail", detail.into())]));
    let details = if detail.is_empty() { String::new() } else { details() };
    format!("{}{fault}. {}{details}", language.text(id), language.text(&format!("{id}.advice")))
}
