//! Rules for every file that no compiler checks.

#[path = "tidy/modules.rs"]
mod modules;
#[path = "tidy/names.rs"]
mod names;
#[path = "tidy/sources.rs"]
mod sources;
#[path = "tidy/structure.rs"]
mod structure;

use sources::{documents, each_source, files, read, root, shown};
use std::collections::BTreeSet;
use std::fs;

/// Files that may hold `unsafe`, as docs/architecture.md says.
fn may_be_unsafe(path: &str) -> bool {
    let ffi = path.ends_with("ffi.rs") || path.contains("/ffi/");
    (ffi && (path.starts_with("codec/src/") || path.starts_with("capture/src/")))
        || path.starts_with("render/src/import/")
        || path == "crypto/src/memory.rs"
        || path == "tests/tests/steady/allocator.rs"
        || path == "engine/src/clock/windows.rs"
}

#[test]
fn no_file_is_longer_than_600_lines() {
    each_source(|path, text| {
        let lines = text.lines().count();
        (lines > 600).then(|| format!("{path} has {lines} lines"))
    });
}

#[test]
fn no_way_to_a_foreign_library_is_longer_than_300_lines() {
    each_source(|path, text| {
        let lines = text.lines().count();
        (may_be_unsafe(path) && lines > 300).then(|| format!("{path} has {lines} lines"))
    });
}

#[test]
fn a_module_stands_beside_its_folder() {
    // What several test programs of a crate share is `common/mod.rs`: cargo would take `common.rs` for a program.
    each_source(|path, _| {
        (path.ends_with("/mod.rs") && !path.contains("/tests/")).then(|| format!("{path}: use foo.rs beside foo/"))
    });
}

#[test]
fn no_test_sleeps() {
    each_source(|path, text| {
        let sleeps = text.contains(concat!("time::sl", "eep(")) || text.contains(concat!("thread::sl", "eep("));
        (sleeps && path.contains("tests")).then(|| format!("{path}: wait for what you wait for, with a deadline"))
    });
}

#[test]
fn colours_are_the_themes() {
    each_source(|path, text| {
        let mixes = path.starts_with("app/src/") && !path.starts_with("app/src/theme");
        // Tests of what is drawn mix what they look for.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        (mixes && text.contains(concat!("Color::fr", "om_"))).then(|| format!("{path} mixes a colour of its own"))
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
    let gate = root().join(".ci/run");
    for file in
        files(&root(), &["rs", "md", "toml", "lock", "wgsl", "ftl", "sh", "py", "json"]).into_iter().chain([gate])
    {
        let text = fs::read_to_string(&file).unwrap_or_default();
        wrong
            .extend(banned.iter().filter(|word| text.contains(**word)).map(|word| format!("{}: {word}", shown(&file))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_documents_name_only_tests_that_there_are() {
    let sources = files(&root(), &["rs"]);
    let functions: BTreeSet<String> = sources.iter().flat_map(|file| functions(&read(file))).collect();
    let mut wrong = Vec::new();
    for (file, text) in documents() {
        let quoted = text.split('`').skip(1).step_by(2);
        // Three words and more: shorter names are also those of fields, options and crates.
        let tests = quoted.filter(|word| word.matches('_').count() > 2 && word.bytes().all(is_of_a_name));
        wrong.extend(tests.filter(|name| !functions.contains(*name)).map(|name| format!("{}: {name}", shown(&file))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_documents_lead_somewhere() {
    let mut wrong = Vec::new();
    for (file, text) in documents() {
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        let here = targets.filter(|target| !target.is_empty() && !target.contains("://"));
        let folder = file.parent().expect("a file is in a folder");
        wrong.extend(here.filter(|to| !folder.join(to).exists()).map(|to| format!("{}: {to}", shown(&file))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_map_of_the_repository_names_every_crate() {
    let (members, map) = (read(&root().join("Cargo.toml")), read(&root().join("docs/architecture.md")));
    let (_, members) = members.split_once("members = [").expect("it is a workspace");
    let (members, _) = members.split_once(']').expect("the list ends");
    let members: Vec<&str> = members.split('"').skip(1).step_by(2).collect();
    let unnamed: Vec<_> = members.iter().filter(|path| !map.contains(&format!("\n{path}/ "))).collect();
    assert!(members.len() > 10 && unnamed.is_empty(), "{unnamed:?} of {members:?}");
}

/// A colon, a semicolon and their like keep to the word before them, by a space at which no line breaks.
#[test]
fn french_signs_stand_behind_a_space_that_does_not_break() {
    let french = files(&root().join("app/locales/fr"), &["ftl"]);
    assert!(!french.is_empty());
    for file in french {
        let text = read(&file);
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let sentence = line.split_once('=').map_or(line, |(_, sentence)| sentence);
            for (at, sign) in sentence.match_indices([':', ';', '!', '?']) {
                let ends = sentence[at + sign.len()..].chars().next().is_none_or(char::is_whitespace);
                let kept = sentence[..at].ends_with(['\u{202f}', '\u{a0}']);
                assert!(!ends || kept, "{}: {line}", shown(&file));
            }
        }
    }
}

/// The names of the functions in a source.
fn functions(text: &str) -> Vec<String> {
    let name = |rest: &str| rest.bytes().take_while(|byte| is_of_a_name(*byte)).map(char::from).collect();
    text.split("fn ").skip(1).map(name).collect()
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
}
