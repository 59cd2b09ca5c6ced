//! Lists and reads the files of the workspace.

use std::fs;
use std::path::{Path, PathBuf};

/// Calls `complaint` with the path and text of each of our Rust sources. Panics with all complaints, if there are any.
pub fn each_source(complaint: impl Fn(&str, &str) -> Option<String>) {
    let sources = files(&root(), &["rs"]);
    assert!(sources.len() > 20, "the sources were not found");
    let complaints: Vec<String> = sources
        .iter()
        .filter_map(|file| complaint(&shown(file), &fs::read_to_string(file).expect("a source is text")))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Returns all Markdown files with their texts.
pub fn documents() -> Vec<(PathBuf, String)> {
    let files = files(&root(), &["md"]);
    assert!(files.len() > 8, "the documents were not found");
    files.into_iter().map(|file| (file.clone(), read(&file))).collect()
}

/// Returns the text of `file`.
pub fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Returns all files below `folder` with one of the extensions `endings`, except build output and hidden folders.
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

/// Returns the folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace's root")
}

/// Returns the path of `file` in the workspace, with slashes.
pub fn shown(file: &Path) -> String {
    let root = root();
    file.strip_prefix(&root).unwrap_or(file).to_string_lossy().replace('\\', "/")
}

/// Returns the words of a source without its comments.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    code.flat_map(|line| line.split(|letter: char| !letter.is_alphanumeric() && letter != '_'))
        .filter(|word| !word.is_empty())
}
