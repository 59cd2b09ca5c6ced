//! Checks with `cargo tree` that crates depend only on those below them (docs/architecture.md), and that the tests can use what
//! was built for the programs.

use std::collections::BTreeSet;
use std::process::Command;

/// Each crate with those of our crates that it may depend on, directly or indirectly.
const MAY_REACH: &[(&str, &[&str])] = &[
    ("media", &[]),
    ("proto", &[]),
    ("congestion", &["media"]),
    ("codec", &["media"]),
    ("crypto", &["media", "proto"]),
    ("capture", &["codec", "media"]),
    ("audio", &["codec", "media"]),
    ("net", &["congestion", "crypto", "media", "proto"]),
    ("render", &["media"]),
    ("server", &["proto"]),
    ("engine", &["audio", "capture", "codec", "congestion", "crypto", "media", "net", "proto"]),
    (
        "app",
        &["audio", "capture", "codec", "congestion", "crypto", "engine", "media", "net", "proto", "render", "server"],
    ),
    ("xtask", &[]),
];

/// Crates that a crate must not depend on, not even indirectly.
const NEVER: &[(&str, &[&str])] = &[
    ("media", &["thiserror", "tokio", "tracing"]),
    ("congestion", &["thiserror", "tokio", "tracing"]),
    ("proto", &["tokio", "ring"]),
    ("codec", &["tokio", "iced"]),
    ("crypto", &["tokio", "iced"]),
    ("render", &["iced", "tokio"]),
    ("engine", &["iced", "wgpu"]),
    ("server", &["openmls", "openh264-sys2", "opus", "iced"]),
];

#[test]
fn each_crate_depends_only_on_crates_below_it() {
    let ours: BTreeSet<&str> = MAY_REACH.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in MAY_REACH {
        let reached = reach(name);
        let forbidden: Vec<_> = reached
            .iter()
            .filter(|other| ours.contains(other.as_str()) && *other != name && !allowed.contains(&other.as_str()))
            .collect();
        assert!(forbidden.is_empty(), "{name} depends on {forbidden:?}");
    }
}

#[test]
fn no_crate_has_a_banned_dependency() {
    for (name, banned) in NEVER {
        let reached = reach(name);
        let found: Vec<_> = banned.iter().filter(|other| reached.contains(**other)).collect();
        assert!(found.is_empty(), "{name} depends on {found:?}");
    }
}

/// After `cargo xtask demo`, `cargo xtask test` would build a crate again if it needed other features.
#[test]
fn tests_and_programs_use_crates_with_the_same_features() {
    let with_features = |selection: &[&str]| -> BTreeSet<String> {
        let text = tree(&[selection, &["--format", "{p} [{f}]"]].concat());
        text.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
    };
    let programs = with_features(&["--package", "app", "--package", "server", "--edges", "normal,build"]);
    let everything = with_features(&["--workspace", "--edges", "normal,build,dev"]);
    assert!(programs.len() > 100, "too few crates: {programs:?}");
    let again: Vec<_> = programs.difference(&everything).collect();
    assert!(again.is_empty(), "built a second time for the tests, with other features: {again:#?}");
}

/// Returns the names of all crates that `name` depends on at run time.
fn reach(name: &str) -> BTreeSet<String> {
    let text = tree(&["--package", name, "--edges", "normal", "--format", "{p}"]);
    let names: BTreeSet<String> = text.lines().filter_map(|line| line.split(' ').next()).map(String::from).collect();
    assert!(names.contains(name), "{name} is not a crate of the workspace");
    names
}

/// Returns what `cargo tree` prints: one crate per line.
fn tree(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--prefix", "none"])
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo runs the tests");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}
