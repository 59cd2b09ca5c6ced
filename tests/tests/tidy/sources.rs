//! The files of the workspace, as the checks read them.

use std::fs;
use std::path::{Path, PathBuf};

/// Lists what `complaint` says of each Rust source of ours.
pub fn each_source(complaint: impl Fn(&str, &str) -> Option<String>) {
    let sources = files(&root(), &["rs"]);
    assert!(sources.len() > 20, "the sources were not found");
    let complaints: Vec<String> = sources
        .iter()
        .filter_map(|file| complaint(&shown(file), &fs::read_to_string(file).expect("a source is text")))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// All Markdown files with their texts.
pub fn documents() -> Vec<(PathBuf, String)> {
    let files = files(&root(), &["md"]);
    assert!(files.len() > 8, "the documents were not found");
    files.into_iter().map(|file| (file.clone(), read(&file))).collect()
}

/// The text of `file`.
pub fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// All files below `folder` with one of `endings`, without build output and git's own files.
pub fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
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

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace's root")
}

/// The path of `file` in the workspace, with slashes.
pub fn shown(file: &Path) -> String {
    let root = root();
    file.strip_prefix(&root).unwrap_or(file).to_string_lossy().replace('\\', "/")
}
