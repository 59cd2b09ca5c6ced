//! A short form of `cargo xtask attack`, and what it must cover.

use std::collections::BTreeSet;
use std::path::Path;
use tests::attack::effort::Effort;
use tests::attack::{covered, run};

/// The files and enums that are messages, or parts of one that the receiver acts on. Those of `net` are encrypted for the members.
const MESSAGES: &[(&str, &[&str])] = &[
    ("proto/src/message.rs", &["Up", "Down", "LogEntry"]),
    ("proto/src/manage.rs", &["ManagerCommand"]),
    ("proto/src/envelope.rs", &["ToSfu", "FromSfu"]),
    ("proto/src/signal.rs", &["ClientSignal", "ServerSignal"]),
    ("proto/src/problem.rs", &["Problem", "Refusal"]),
    ("net/src/meeting/state.rs", &["Message"]),
    ("net/src/meeting/verification/message.rs", &["VerificationMessage"]),
    ("net/src/meeting/chat/message.rs", &["ChatMessage", "PrivateMessage"]),
    ("net/src/meeting/moderation_message.rs", &["FloorMessage", "HandMessage"]),
];

#[test]
fn every_message_of_the_protocol_is_tried() {
    let covered = covered();
    let mut missing = BTreeSet::new();
    let mut count = 0;
    for (file, enums) in MESSAGES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
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
