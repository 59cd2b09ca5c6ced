//! A short form of `cargo xtask attack`, and what it must cover.

use std::collections::BTreeSet;
use std::path::Path;
use tests::attack::effort::Effort;
use tests::attack::{covered, run};

/// The files and enums that are messages, or parts of one that the receiver acts on, and the structs that are a whole message. Those of `net`
/// are encrypted for the members.
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
    // Of a lobby chat.
    ("net/src/meeting/lobby.rs", &["Content"]),
    // A text that is being typed.
    ("net/src/meeting/chat/typing.rs", &["Body"]),
    ("proto/src/path_test.rs", &["PathTestGreeting"]),
];

#[test]
fn every_message_of_the_protocol_is_tried() {
    let covered = covered();
    let (mut missing, mut found) = (BTreeSet::new(), BTreeSet::new());
    let mut count = 0;
    for (file, enums) in MESSAGES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for item in syn::parse_file(&text).expect("it compiles").items {
            let kinds = kinds_of(&item, enums);
            count += kinds.len();
            found.extend(kinds.first().and_then(|kind| kind.split("::").next()).map(str::to_owned));
            missing.extend(kinds.into_iter().filter(|kind| !covered.contains(kind.as_str())));
        }
        let lost: Vec<_> = enums.iter().filter(|name| !found.contains(**name)).collect();
        assert!(lost.is_empty(), "{file} has no {lost:?}");
    }
    assert!(missing.is_empty(), "no attack sends {missing:?}");
    assert!(count > 64, "{count} messages");
}

/// Returns the kinds of messages of an enum, or of a struct that is a whole message.
fn kinds_of(item: &syn::Item, names: &[&str]) -> Vec<String> {
    let is_named = |ident: &syn::Ident| names.contains(&ident.to_string().as_str());
    if let syn::Item::Enum(item) = item
        && is_named(&item.ident)
    {
        item.variants.iter().map(|variant| format!("{}::{}", item.ident, variant.ident)).collect()
    } else if let syn::Item::Struct(item) = item
        && is_named(&item.ident)
    {
        vec![item.ident.to_string()]
    } else {
        Vec::new()
    }
}

#[test]
#[cfg(target_os = "linux")] // Attackers have several addresses of this machine.
fn no_attack_succeeds_and_the_honest_members_do_not_notice() {
    let report = run(Effort::SHORT).expect("the honest programs run");
    println!("{}", report.table());
    assert!(report.passed(), "{}", report.table());
    assert!(report.rows.len() > 60, "{} messages", report.rows.len());
}
