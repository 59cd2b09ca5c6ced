//! Bans names that are not terms of the field, and unusual prefixes of constants.

use crate::sources::{each_source, words};

#[test]
fn names_of_limits_begin_with_max_or_min() {
    let banned = [concat!("MO", "ST_"), concat!("LEA", "ST_"), concat!("LONG", "EST_")];
    each_source(|path, text| {
        let found = words(text).find(|word| banned.iter().any(|prefix| word.starts_with(prefix)))?;
        Some(format!("{path}: {found}: say MAX_, MIN_ or _TIMEOUT"))
    });
}

#[test]
fn types_and_modules_have_no_banned_names() {
    // The banned name, and the name to use.
    let banned = [
        ("Lane", "SendStream"),
        ("Intake", "RtpReceiver"),
        ("Inlet", "FrameReceiver"),
        ("Outlet", "FrameSender"),
        ("Door", "AdmissionKey"),
        ("Witness", "QualityProbe or Dump"),
        ("Rehearsal", "PreviewSession"),
        ("Film", "Snapshot"),
        ("Tally", "TrackStats"),
        ("Tallies", "TrackStats"),
        ("Unopened", "OpenFailures"),
        ("Ground", "PeerContext"),
        ("Said", "PeerEvent"),
        ("Own", "Native"),
    ];
    let keywords = ["struct", "enum", "trait", "type", "mod"];
    each_source(|path, text| {
        let code: Vec<&str> = words(text).collect();
        let defined = code.windows(2).filter(|pair| keywords.contains(&pair[0])).map(|pair| pair[1]);
        for name in defined {
            let same = |old: &str| name == old || name == old.to_lowercase();
            if let Some((old, new)) = banned.iter().find(|(old, _)| same(old)) {
                return Some(format!("{path}: {old}: call it {new}"));
            }
        }
        None
    });
}
