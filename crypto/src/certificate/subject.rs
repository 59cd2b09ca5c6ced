//! Whom a certificate names.

use crate::name;
use x509_parser::prelude::{GeneralName, X509Certificate};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// The person that a verified certificate names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// The name, without invisible characters; the e-mail address if there is no name.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The trusted organisation that has verified it: the name of the root.
    pub organisation: String,
}

/// Returns the subject of a certificate that the root of `organisation` has verified. `None` if it names nobody.
pub(super) fn of(certificate: &X509Certificate<'_>, organisation: &str) -> Option<Subject> {
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    let in_extension = alternatives.iter().flat_map(|names| &names.value.general_names).find_map(|name| {
        let GeneralName::RFC822Name(address) = name else { return None };
        Some(*address)
    });
    let in_subject = || certificate.subject().iter_email().find_map(|one| one.as_str().ok());
    let email = in_extension.or_else(in_subject).filter(|address| is_plain(address)).map(str::to_owned);
    let name = text(certificate.subject().iter_common_name()).or_else(|| name::fitted(email.as_deref()?))?;
    Some(Subject { name, email, organisation: organisation.to_owned() })
}

/// Returns the name of an authority: its organisation, else its common name.
pub(super) fn of_authority(subject: &X509Name<'_>) -> Option<String> {
    text(subject.iter_organization()).or_else(|| text(subject.iter_common_name()))
}

/// Returns the first text that can be shown as a name.
fn text<'a>(values: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>) -> Option<String> {
    values.filter_map(|value| value.as_str().ok()).find_map(name::fitted)
}

/// Returns true for an address of visible ASCII characters that is not too long to be shown.
fn is_plain(address: &str) -> bool {
    (1..=MAX_EMAIL).contains(&address.len()) && address.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The longest e-mail address that is shown, in bytes.
const MAX_EMAIL: usize = 128;
