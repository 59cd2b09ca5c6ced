//! What the command line says when something is wrong: the window's own sentences, in the system's language.

use app::locale::Language;
use app::model::Fault;
use app::session;
use engine::Reason;

/// Why a link was not taken: what is wrong with it, and what to do.
///
/// # Errors
/// The sentence, where it is none.
pub fn invitation(link: &str) -> Result<engine::Invitation, String> {
    session::invitation(link).map_err(|problem| Language::of_system().text(problem.id()))
}

/// Why a meeting ended: what, whose fault, what to do, and the cause in the words of whoever found it.
pub fn reason(reason: &Reason) -> String {
    let (ending, detail) = session::ended(reason);
    compose(ending.id(), ending.fault(), &detail)
}

/// Something to tell while the meeting goes on, in the same order.
pub fn notice(found: &engine::Notice) -> String {
    let notice = session::notice(found);
    compose(notice.kind.id(), notice.fault, &notice.detail)
}

/// What, whose fault, what to do, and the details where there are any.
pub fn compose(id: &str, fault: Option<Fault>, detail: &str) -> String {
    let language = Language::of_system();
    let fault = fault.map(|fault| format!(" ({})", language.text(fault.id()))).unwrap_or_default();
    let details = || format!(" [{}]", language.with("notice-details", &[("detail", detail.into())]));
    let details = if detail.is_empty() { String::new() } else { details() };
    format!("{}{fault}. {}{details}", language.text(id), language.text(&format!("{id}.advice")))
}
