//! What every file keeps to, and no compiler checks.

use std::fs;
use std::path::{Path, PathBuf};

/// Files that may hold `unsafe`, as docs/architecture.md says.
fn may_be_unsafe(path: &str) -> bool {
    let ffi = path.ends_with("ffi.rs") || path.contains("/ffi/");
    (ffi && (path.starts_with("codec/src/") || path.starts_with("media/capture/src/")))
        || path.starts_with("render/src/import/")
        || path == "crypto/src/memory.rs"
}

#[test]
fn no_file_is_longer_than_600_lines() {
    each_source(|path, text| {
        let lines = text.lines().count();
        (lines > 600).then(|| format!("{path} has {lines} lines"))
    });
}

#[test]
fn unsafe_stays_where_it_belongs() {
    each_source(|path, text| {
        let lifted =
            text.contains(concat!("expect(unsafe", "_code")) || text.contains(concat!("allow(unsafe", "_code"));
        (lifted && !may_be_unsafe(path)).then(|| format!("{path} lifts unsafe_code"))
    });
}

#[test]
fn nothing_is_left_to_do() {
    let marks = [concat!("to", "do!("), concat!("unimpl", "emented!("), concat!("FIX", "ME"), concat!("#[ign", "ore")];
    each_source(|path, text| {
        let found = marks.iter().find(|mark| text.contains(**mark))?;
        Some(format!("{path} holds {found}"))
    });
}

#[test]
fn every_file_says_what_it_is() {
    each_source(|path, text| {
        // A file of unit tests is told by the module that it stands beside, a fuzz target by its row in the table.
        let told = text.starts_with("//!") || path.ends_with("tests.rs") || path.contains("/fuzz_targets/");
        (!told).then(|| format!("{path} does not begin with a module comment"))
    });
}

#[test]
fn nobody_is_named_who_does_not_belong_here() {
    let banned = [concat!("../sha", "red"), concat!("/wo", "rk/"), concat!("crates.io", "/api")];
    let mut wrong = Vec::new();
    for file in files(&root(), &["rs", "md", "toml", "wgsl", "ftl", "sh", "py", "json"]) {
        let text = fs::read_to_string(&file).unwrap_or_default();
        wrong
            .extend(banned.iter().filter(|word| text.contains(**word)).map(|word| format!("{}: {word}", shown(&file))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Lists what `complaint` says of each Rust source of ours.
fn each_source(complaint: impl Fn(&str, &str) -> Option<String>) {
    let sources = files(&root(), &["rs"]);
    assert!(sources.len() > 20, "the sources were not found");
    let complaints: Vec<String> = sources
        .iter()
        .filter_map(|file| complaint(&shown(file), &fs::read_to_string(file).expect("a source is text")))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// All files below `folder` with one of `endings`, but for what is built or belongs to git.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of the workspace").flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "corpus" && name != "demo-out" {
            found.extend(files(&path, endings));
        } else if path.extension().is_some_and(|ending| endings.iter().any(|wanted| ending == *wanted)) {
            found.push(path);
        }
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace's root")
}

fn shown(file: &Path) -> String {
    let root = root();
    file.strip_prefix(&root).unwrap_or(file).to_string_lossy().replace('\\', "/")
}
