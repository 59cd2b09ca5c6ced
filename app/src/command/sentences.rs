//! The sentences that the command line prints if something goes wrong. They are the window's, in the system's language.

use app::locale::Language;
use app::model::{Notice, detail, sentence};
use engine::{Fault, Invitation, Reason, SecretLink};

/// Parses a link.
///
/// # Errors
/// Returns a sentence that describes the error in the link.
pub fn invitation(link: &SecretLink) -> Result<Invitation, String> {
    link.invitation().map_err(|error| Language::of_system().text(sentence::link(error)))
}

/// The text that says why a meeting ended.
pub fn reason(reason: &Reason) -> String {
    let language = Language::of_system();
    let detail = detail::in_language(&sentence::detail(reason), language);
    let advice = language.text(&format!("{}.advice", sentence::reason(reason)));
    line(&sentence::reason_text(reason, language), &advice, sentence::unnamed_fault(reason), &detail)
}

/// The line that says that we are in a meeting that existed before.
pub fn joined(name: &str) -> String {
    Language::of_system().with("headless-joined", &[("name", name.into())])
}

/// The text of a notice.
pub fn notice(notice: &Notice) -> String {
    let language = Language::of_system();
    line(&notice.sentence(language), &notice.advice(language), notice.kind.fault(), &notice.details(language))
}

/// One line that says what happened, where the cause is, what the user can do, and the details if there are any.
pub fn compose(id: &str, fault: Option<Fault>, detail: &str) -> String {
    compose_about(id, "", fault, detail)
}

/// Like [`compose`], for a text about `subject`: an address, a file.
pub fn compose_about(id: &str, subject: &str, fault: Option<Fault>, detail: &str) -> String {
    let language = Language::of_system();
    let sentence = language.with(id, &[("subject", subject.into())]);
    line(&sentence, &language.text(&format!("{id}.advice")), fault, detail)
}

fn line(sentence: &str, advice: &str, fault: Option<Fault>, detail: &str) -> String {
    let language = Language::of_system();
    let fault = fault.map(|fault| format!(" ({})", language.text(sentence::fault(fault)))).unwrap_or_default();
    let details = || format!(" [{}]", language.with("notice-details", &[("detail", detail.into())]));
    let details = if detail.is_empty() { String::new() } else { details() };
    format!("{sentence}{fault}. {advice}{details}")
}
