//! Rules for our files that the compiler does not check.

#[path = "tidy/modules.rs"]
mod modules;
#[path = "tidy/names.rs"]
mod names;
#[path = "tidy/sources.rs"]
mod sources;
#[path = "tidy/structure.rs"]
mod structure;

use sources::{documents, each_source, files, read, root, shown, words};
use std::collections::BTreeSet;
use std::fs;

/// Returns whether a file may contain `unsafe` (docs/architecture.md).
fn may_be_unsafe(path: &str) -> bool {
    let ffi = path.ends_with("ffi.rs") || path.contains("/ffi/");
    (ffi && (path.starts_with("codec/src/") || path.starts_with("capture/src/")))
        || path == "crypto/src/memory.rs"
        || path == "tests/tests/steady/allocator.rs"
        || path == "engine/src/clock/windows.rs"
        || path == "tests/src/netlab/ffi.rs"
}

#[test]
fn no_file_is_longer_than_600_lines() {
    each_source(|path, text| {
        let lines = text.lines().count();
        (lines > 600).then(|| format!("{path} has {lines} lines"))
    });
}

#[test]
fn no_file_with_unsafe_code_is_longer_than_300_lines() {
    each_source(|path, text| {
        let lines = text.lines().count();
        (may_be_unsafe(path) && lines > 300).then(|| format!("{path} has {lines} lines"))
    });
}

#[test]
fn no_module_file_is_called_mod_rs() {
    // Test programs share code in `common/mod.rs`, because cargo would build `common.rs` as a test program.
    each_source(|path, _| {
        (path.ends_with("/mod.rs") && !path.contains("/tests/")).then(|| format!("{path}: use foo.rs beside foo/"))
    });
}

#[test]
fn no_test_sleeps() {
    each_source(|path, text| {
        let tests = if path.contains("tests") { text } else { text.split_once("#[cfg(test)]").map_or("", |two| two.1) };
        let sleeps = tests.contains(concat!("time::sl", "eep(")) || tests.contains(concat!("thread::sl", "eep("));
        sleeps.then(|| format!("{path}: wait for the event itself, with a deadline"))
    });
}

#[test]
fn only_tests_and_tools_print_with_macros() {
    // They panic if standard output or error is closed or full, which must not end a meeting.
    let macros = [concat!("print", "ln!("), concat!("print", "!("), concat!("db", "g!(")];
    each_source(|path, text| {
        let tool = path.starts_with("xtask/") || path.starts_with("tests/") || path.contains("/tests/");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let found = macros.iter().find(|name| text.contains(**name))?;
        (!tool && !path.ends_with("/tests.rs"))
            .then(|| format!("{path}: {found} panics, use write! and ignore its error"))
    });
}

#[test]
fn only_the_theme_defines_colours() {
    each_source(|path, text| {
        let outside_theme = path.starts_with("app/src/") && !path.starts_with("app/src/theme");
        // Tests may define the colours that they expect.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        (outside_theme && text.contains(concat!("Color::fr", "om_"))).then(|| format!("{path} defines a colour"))
    });
}

#[test]
fn unsafe_code_is_only_in_the_listed_files() {
    each_source(|path, text| {
        let is_unsafe = words(text).any(|word| word == concat!("un", "safe") || word == concat!("un", "safe_code"));
        (is_unsafe && !may_be_unsafe(path)).then(|| format!("{path} is not in the list"))
    });
}

#[test]
fn no_unfinished_code_and_no_ignored_test() {
    let marks = [concat!("to", "do!("), concat!("unimpl", "emented!("), concat!("FIX", "ME"), concat!("#[ign", "ore")];
    each_source(|path, text| {
        let found = marks.iter().find(|mark| text.contains(**mark))?;
        Some(format!("{path} contains {found}"))
    });
}

#[test]
fn every_file_begins_with_a_module_comment() {
    each_source(|path, text| {
        // Files of unit tests need none: the tested module describes them.
        let described = text.starts_with("//!") || path.ends_with("tests.rs");
        (!described).then(|| format!("{path} does not begin with a module comment"))
    });
}

#[test]
fn no_file_names_a_path_outside_the_repository() {
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
fn the_documents_name_only_existing_tests() {
    let sources = files(&root(), &["rs"]);
    let functions: BTreeSet<String> = sources.iter().flat_map(|file| functions(&read(file))).collect();
    let mut wrong = Vec::new();
    for (file, text) in documents() {
        let quoted = text.split('`').skip(1).step_by(2);
        // Only names of at least four words: shorter ones may be fields, options or crates.
        let tests = quoted.filter(|word| word.matches('_').count() > 2 && word.bytes().all(is_name_byte));
        wrong.extend(tests.filter(|name| !functions.contains(*name)).map(|name| format!("{}: {name}", shown(&file))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_documents_name_only_existing_source_files_and_folders() {
    let mut wrong = Vec::new();
    for (file, text) in documents() {
        let quoted = text.split('`').skip(1).step_by(2).map(|word| word.trim_end_matches("/*"));
        let paths = quoted.filter(|word| word.contains("/src/") || word.starts_with("tests/tests/"));
        // `NAME` and `**` stand for any name.
        let plain = paths.filter(|path| path.bytes().all(|byte| is_name_byte(byte) || b"/.".contains(&byte)));
        wrong.extend(plain.filter(|path| !root().join(path).exists()).map(|path| format!("{}: {path}", shown(&file))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn links_in_documents_have_existing_targets() {
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
fn the_architecture_document_lists_every_crate() {
    let (members, map) = (read(&root().join("Cargo.toml")), read(&root().join("docs/architecture.md")));
    let (_, members) = members.split_once("members = [").expect("it is a workspace");
    let (members, _) = members.split_once(']').expect("the list ends");
    let members: Vec<&str> = members.split('"').skip(1).step_by(2).collect();
    let unnamed: Vec<_> = members.iter().filter(|path| !map.contains(&format!("\n{path}/ "))).collect();
    assert!(members.len() > 10 && unnamed.is_empty(), "{unnamed:?} of {members:?}");
}

/// In French, a no-break space comes before colons, semicolons, exclamation and question marks.
#[test]
fn french_punctuation_follows_a_no_break_space() {
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

/// Returns the names of the functions in a source.
fn functions(text: &str) -> Vec<String> {
    let name = |rest: &str| rest.bytes().take_while(|byte| is_name_byte(*byte)).map(char::from).collect();
    text.split("fn ").skip(1).map(name).collect()
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
}
