//! A short form of `cargo xtask attack`, and what it must cover.

use std::collections::BTreeSet;
use std::path::Path;
use tests::attack::effort::Effort;
use tests::attack::{covered, run};

/// The files and enums of `proto` that are messages, or parts of one that the receiver acts on.
const MESSAGES: &[(&str, &[&str])] = &[
    ("message.rs", &["Up", "Down", "LogEntry"]),
    ("manage.rs", &["ManagerCommand"]),
    ("envelope.rs", &["ToSfu", "FromSfu"]),
    ("signal.rs", &["ClientSignal", "ServerSignal"]),
    ("problem.rs", &["Problem", "Refusal"]),
];

#[test]
fn every_message_of_the_protocol_is_tried() {
    let covered = covered();
    let mut missing = BTreeSet::new();
    let mut count = 0;
    for (file, enums) in MESSAGES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto/src").join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for item in syn::parse_file(&text).expect("it compiles").items {
            let syn::Item::Enum(item) = item else { continue };
            if !enums.contains(&item.ident.to_string().as_str()) {
                continue;
            }
            for variant in &item.variants {
                let kind = format!("{}::{}", item.ident, variant.ident);
                count += 1;
                if !covered.contains(kind.as_str()) {
                    missing.insert(kind);
                }
            }
        }
    }
    assert!(missing.is_empty(), "no attack sends {missing:?}");
    assert!(count > 64, "{count} messages");
}

#[test]
#[cfg(target_os = "linux")] // Attackers have several addresses of this machine.
fn no_attack_succeeds_and_the_honest_members_do_not_notice() {
    let report = run(Effort::SHORT).expect("the honest programs run");
    println!("{}", report.table());
    assert!(report.passed(), "{}", report.table());
    assert!(report.rows.len() > 60, "{} messages", report.rows.len());
}
