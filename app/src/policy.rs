//! What the administrator of this computer has set. The file is in a folder in which only root can write. It is not read if another user
//! could have written it. A user who owns the file can also run another program.
//!
//! The file is a JSON object with two objects: `mandatory` fixes a value, `recommended` replaces the default. An unknown policy, and a
//! value of another type or out of range, is reported in the log and ignored, so that the program always starts.

mod organisations;

pub use organisations::OrganisationFiles;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use engine::Bitrate;
use serde_json::{Map, Value};

use crate::file;

/// The policies that are set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Values that the user cannot change.
    pub mandatory: Policies,
    /// Values that apply until the user chooses another one.
    pub recommended: Policies,
}

/// The values of all policies. `None` if one is not set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// `MaxSendKbps`: what is sent at most.
    pub max_send: Option<Bitrate>,
    /// `MaxReceiveKbps`: what is received at most.
    pub max_receive: Option<Bitrate>,
}

impl Policy {
    /// Returns the policies of this computer. Reads the file at the first call.
    pub fn of_computer() -> Self {
        static POLICY: OnceLock<Policy> = OnceLock::new();
        *POLICY.get_or_init(|| path().map(|path| Self::load(&path)).unwrap_or_default())
    }

    /// Returns the files of organisations that the policies of this computer name. Reads the file.
    pub fn organisations() -> OrganisationFiles {
        let bytes = path().and_then(|path| file::read_bounded(&path, MAX_FILE_BYTES).ok());
        bytes.map(|bytes| OrganisationFiles::parse(&bytes)).unwrap_or_default()
    }

    /// Reads a file. Without one, nothing is set.
    pub fn load(path: &Path) -> Self {
        file::read_bounded(path, MAX_FILE_BYTES).map_or_else(
            |error| {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(%error, path = %path.display(), "cannot read the policies of this computer");
                }
                Self::default()
            },
            |bytes| Self::parse(&bytes),
        )
    }

    /// Reads the content of a file.
    fn parse(bytes: &[u8]) -> Self {
        let sections: Map<String, Value> = match serde_json::from_slice(bytes) {
            Ok(sections) => sections,
            Err(error) => {
                tracing::warn!(%error, "the policies of this computer are no JSON object");
                return Self::default();
            }
        };
        let mut policy = Self::default();
        for (name, value) in sections {
            match (name.as_str(), value) {
                ("mandatory", Value::Object(values)) => policy.mandatory = Policies::read(values),
                ("recommended", Value::Object(values)) => policy.recommended = Policies::read(values),
                _ => tracing::warn!(name, "unknown part of the policies of this computer"),
            }
        }
        policy
    }
}

impl Policies {
    fn read(values: Map<String, Value>) -> Self {
        let mut policies = Self::default();
        for (name, value) in values {
            let Some((_, field)) = TABLE.iter().find(|(known, _)| *known == name) else {
                if name != organisations::NAME {
                    tracing::warn!(name, "unknown policy");
                }
                continue;
            };
            let rate = value.as_u64().filter(|kbps| RANGE.contains(kbps));
            if rate.is_none() {
                tracing::warn!(name, "the policy is not a number of kbit/s from {} to {}", RANGE.start(), RANGE.end());
            }
            *field(&mut policies) = rate.map(Bitrate::kbps);
        }
        policies
    }
}

/// Returns the file of this system. `None` if there is none yet: on Windows, policies will be in the registry
/// (`HKLM\Software\Policies\Conclave`), on macOS in managed preferences.
fn path() -> Option<PathBuf> {
    cfg!(target_os = "linux").then(|| PathBuf::from("/etc/conclave/policy.json"))
}

/// The value of a policy.
type Field = fn(&mut Policies) -> &mut Option<Bitrate>;

/// All policies.
const TABLE: [(&str, Field); 2] =
    [("MaxSendKbps", |policies| &mut policies.max_send), ("MaxReceiveKbps", |policies| &mut policies.max_receive)];

/// The limits that can be set, in kbit/s. Sound needs the lowest one.
pub const RANGE: std::ops::RangeInclusive<u64> = 50..=1_000_000;

/// The maximum size of the file.
const MAX_FILE_BYTES: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_mandatory_or_recommended() {
        let text = r#"{"mandatory": {"MaxSendKbps": 500}, "recommended": {"MaxSendKbps": 300, "MaxReceiveKbps": 900}}"#;
        let policy = Policy::parse(text.as_bytes());
        assert_eq!(policy.mandatory, Policies { max_send: Some(Bitrate::kbps(500)), max_receive: None });
        assert_eq!(policy.recommended.max_receive, Some(Bitrate::kbps(900)));
    }

    #[test]
    fn a_policy_that_is_wrong_is_ignored_and_the_others_apply() {
        for wrong in [r#""500""#, "-1", "0", "49", "1000001", "12.5", "null", "[]", "1e99"] {
            let text = format!(
                r#"{{"mandatory": {{"MaxSendKbps": {wrong}, "Unknown": true, "MaxReceiveKbps": 800}}, "x": 1}}"#
            );
            let expected = Policies { max_send: None, max_receive: Some(Bitrate::kbps(800)) };
            assert_eq!(Policy::parse(text.as_bytes()).mandatory, expected, "{wrong}");
        }
        for wrong in [&b""[..], b"[]", b"{", b"\xff\xfe", br#"{"mandatory": 7}"#] {
            assert_eq!(Policy::parse(wrong), Policy::default());
        }
    }

    #[test]
    fn without_a_file_nothing_is_set_and_a_huge_one_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.json");
        assert_eq!(Policy::load(&path), Policy::default());
        file::write_private(&path, br#"{"mandatory": {"MaxSendKbps": 500}}"#).unwrap();
        assert!(Policy::load(&path).mandatory.max_send.is_some());
        let huge = [&br#"{"mandatory": {"MaxSendKbps": 500}}"#[..], &vec![b' '; 70_000]].concat();
        file::write_private(&path, &huge).unwrap();
        assert_eq!(Policy::load(&path), Policy::default());
    }

    #[cfg(unix)]
    #[test]
    fn policies_that_others_may_write_do_not_apply() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.json");
        file::write_private(&path, br#"{"mandatory": {"MaxSendKbps": 500}}"#).unwrap();
        for (mode, applies) in [(0o644, true), (0o666, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(Policy::load(&path).mandatory.max_send.is_some(), applies, "{mode:o}");
        }
    }
}
