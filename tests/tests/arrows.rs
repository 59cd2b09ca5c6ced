//! Arrows point down: which crate may lean on which is written here, and `cargo tree` is asked whether it is so. It is also
//! asked whether the tests can use what was built for the programs.

use std::collections::BTreeSet;
use std::process::Command;

/// Each crate with all of ours that it may reach, directly or not.
const MAY_REACH: &[(&str, &[&str])] = &[
    ("media", &[]),
    ("proto", &[]),
    ("codec", &["media"]),
    ("crypto", &["media", "proto"]),
    ("capture", &["codec", "media"]),
    ("audio", &["codec", "media"]),
    ("net", &["crypto", "media", "proto"]),
    ("render", &["media"]),
    ("server", &["proto"]),
    ("engine", &["audio", "capture", "codec", "crypto", "media", "net", "proto"]),
    ("app", &["audio", "capture", "codec", "crypto", "engine", "media", "net", "proto", "render", "server"]),
    ("xtask", &[]),
];

/// What a crate must never reach, whoever brings it in.
const NEVER: &[(&str, &[&str])] = &[
    ("media", &["thiserror", "tokio", "tracing"]),
    ("proto", &["tokio", "ring"]),
    ("codec", &["tokio", "iced"]),
    ("crypto", &["tokio", "iced"]),
    ("render", &["iced", "tokio"]),
    ("engine", &["iced", "wgpu"]),
    ("server", &["openmls", "openh264-sys2", "opus", "iced"]),
];

#[test]
fn each_crate_reaches_only_what_lies_below_it() {
    let ours: BTreeSet<&str> = MAY_REACH.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in MAY_REACH {
        let reached = reach(name);
        let strangers: Vec<_> = reached
            .iter()
            .filter(|other| ours.contains(other.as_str()) && *other != name && !allowed.contains(&other.as_str()))
            .collect();
        assert!(strangers.is_empty(), "{name} leans on {strangers:?}");
    }
}

#[test]
fn nobody_reaches_what_it_must_not_know() {
    for (name, banned) in NEVER {
        let reached = reach(name);
        let found: Vec<_> = banned.iter().filter(|other| reached.contains(**other)).collect();
        assert!(found.is_empty(), "{name} reaches {found:?}");
    }
}

/// `cargo xtask demo`, then `cargo xtask test`: a crate that the second builds with other features is built twice.
#[test]
fn the_tests_need_the_programs_crates_with_the_same_features() {
    let with_features = |selection: &[&str]| -> BTreeSet<String> {
        let text = tree(&[selection, &["--format", "{p} [{f}]"]].concat());
        text.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
    };
    let programs = with_features(&["--package", "app", "--package", "server", "--edges", "normal,build"]);
    let everything = with_features(&["--workspace", "--edges", "normal,build,dev"]);
    assert!(programs.len() > 100, "the programs need more than {programs:?}");
    let again: Vec<_> = programs.difference(&everything).collect();
    assert!(again.is_empty(), "built a second time for the tests, with other features: {again:#?}");
}

/// The names of all crates that `name` needs to run.
fn reach(name: &str) -> BTreeSet<String> {
    let text = tree(&["--package", name, "--edges", "normal", "--format", "{p}"]);
    let names: BTreeSet<String> = text.lines().filter_map(|line| line.split(' ').next()).map(String::from).collect();
    assert!(names.contains(name), "{name} is no crate of the workspace");
    names
}

/// What `cargo tree` prints, a crate a line.
fn tree(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--prefix", "none"])
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo runs us");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo speaks UTF-8")
}
