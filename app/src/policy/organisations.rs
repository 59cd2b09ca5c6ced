//! The policy `TrustedOrganisations`: a PEM file with the certificates of the authorities that this computer trusts.

use std::path::PathBuf;

use serde_json::{Map, Value};

/// The files that the policy names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrganisationFiles {
    /// Only these organisations are trusted, whatever the user chooses.
    pub mandatory: Option<PathBuf>,
    /// These organisations are trusted until the user chooses others.
    pub recommended: Option<PathBuf>,
}

impl OrganisationFiles {
    /// Reads the content of the file of policies. What is wrong is reported in the log and ignored.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let sections: Map<String, Value> = serde_json::from_slice(bytes).unwrap_or_default();
        let file = |section| {
            let value = sections.get(section)?.get(NAME)?;
            let path = value.as_str().map(PathBuf::from).filter(|path| path.is_absolute());
            if path.is_none() {
                tracing::warn!(name = NAME, "the policy is not the absolute path of a file");
            }
            path
        };
        Self { mandatory: file("mandatory"), recommended: file("recommended") }
    }
}

/// The name of the policy.
pub(super) const NAME: &str = "TrustedOrganisations";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_names_a_file_with_an_absolute_path() {
        let read = |value: &str| {
            let text = format!(r#"{{"mandatory": {{"TrustedOrganisations": {value}, "MaxSendKbps": 500}}}}"#);
            OrganisationFiles::parse(text.as_bytes()).mandatory
        };
        assert_eq!(read(r#""/etc/conclave/acme.pem""#), Some("/etc/conclave/acme.pem".into()));
        for wrong in [r#""acme.pem""#, "7", "null", "[]", r#""""#] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(OrganisationFiles::parse(b"nothing"), OrganisationFiles::default());
        let both = br#"{"recommended": {"TrustedOrganisations": "/a"}, "mandatory": {"TrustedOrganisations": "/b"}}"#;
        let files = OrganisationFiles::parse(both);
        assert_eq!((files.mandatory, files.recommended), (Some("/b".into()), Some("/a".into())));
    }
}
