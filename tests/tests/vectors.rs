//! The test vectors of our formats: the generator, and a reader in Python that knows only docs/protocol.md and docs/frames.md.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tests::temp_folder::TempFolder;
use tests::vectors;

/// Reads the vectors in `folder`; only these files, if there are any.
fn read(folder: &Path, files: &[&str]) -> Output {
    // The system's Python has the system's packages.
    let python = Some("/usr/bin/python3").filter(|path| Path::new(path).exists()).unwrap_or("python3");
    let mut reader = Command::new(python);
    reader.env("PYTHONDONTWRITEBYTECODE", "1").arg(root().join("tests/vectors/reader")).arg(folder).args(files);
    let output = reader.output().unwrap_or_else(|error| panic!("{python}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    let has_package = !errors.contains("No module named 'cryptography");
    assert!(has_package, "the reader needs the package python3-cryptography, which `cargo xtask test` installs");
    output
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn a_reader_that_knows_only_the_pages_reads_all_vectors_and_notices_changes() {
    let folder = TempFolder::new("vectors");
    vectors::write(&folder).expect("the vectors are written");
    let output = read(&folder, &[]);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    println!("{out}");
}

#[test]
fn the_reader_fails_on_a_file_with_one_changed_digit() {
    let folder = TempFolder::new("vectors-changed");
    vectors::write(&folder).expect("the vectors are written");
    for (name, _) in vectors::all().expect("vectors") {
        let path = folder.join(format!("{name}.json"));
        let text = fs::read_to_string(&path).expect("it was written");
        // The first digit of the first long number in hexadecimal digits.
        let is_digits = |word: &&str| word.len() > 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let word = text.split('"').find(is_digits).unwrap_or_else(|| panic!("{name} has no bytes")).to_owned();
        let (first, rest) = word.split_at(1);
        let other = if first == "0" { "1" } else { "0" };
        fs::write(&path, text.replacen(&word, &format!("{other}{rest}"), 1)).expect("it is written");
        let output = read(&folder, &[name]);
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && err.starts_with("vectors: "), "{name}: {err}");
        fs::write(&path, text).expect("it is written");
    }
}

/// The enums that are messages, by their names in the page and in the sources.
const ENUMS: &[(&str, &[(&str, &str)])] = &[
    ("ClientMessage", &[("proto/src/message.rs", "Up"), ("proto/src/envelope.rs", "ToSfu")]),
    ("ServerMessage", &[("proto/src/message.rs", "Down"), ("proto/src/envelope.rs", "FromSfu")]),
    ("LogEntry", &[("proto/src/message.rs", "LogEntry")]),
    ("ManagerCommand", &[("proto/src/manage.rs", "ManagerCommand")]),
    ("Refusal", &[("proto/src/problem.rs", "Refusal")]),
    ("Problem", &[("proto/src/problem.rs", "Problem")]),
    ("ClientSignal", &[("proto/src/signal.rs", "ClientSignal")]),
    ("ServerSignal", &[("proto/src/signal.rs", "ServerSignal")]),
    ("Slot", &[("proto/src/ids.rs", "Slot")]),
    ("Kind", &[("proto/src/track.rs", "Kind")]),
    ("TurnTransport", &[("proto/src/turn.rs", "TurnTransport")]),
    ("LimitCause", &[("proto/src/downlink.rs", "LimitCause")]),
    ("PathTestGreeting", &[("proto/src/path_test.rs", "PathTestGreeting")]),
    ("MemberMessage", &[("net/src/meeting/state.rs", "Message")]),
    ("Microphone", &[("net/src/meeting/state.rs", "Microphone")]),
    ("SendLimit", &[("net/src/meeting/state.rs", "SendLimit")]),
    ("FloorMessage", &[("net/src/meeting/moderation_message.rs", "FloorMessage")]),
    ("HandMessage", &[("net/src/meeting/moderation_message.rs", "HandMessage")]),
    ("VerificationMessage", &[("net/src/meeting/verification/message.rs", "VerificationMessage")]),
    ("ChatMessage", &[("net/src/meeting/chat/message.rs", "ChatMessage")]),
    ("PrivateMessage", &[("net/src/meeting/chat/message.rs", "PrivateMessage")]),
    ("Reaction", &[("net/src/meeting/chat/line.rs", "Reaction")]),
    ("LobbyContent", &[("net/src/meeting/lobby.rs", "Content")]),
];

#[test]
fn the_page_has_every_message_with_its_number_and_its_fields() {
    let page = fs::read_to_string(root().join("docs/protocol.md")).expect("the page");
    let (_, list) = page.split_once("```schema\n").expect("the page has a list");
    let (list, _) = list.split_once("```").expect("it ends");
    let page = page_variants(list);
    for (name, sources) in ENUMS {
        let mut variants: Vec<_> = sources.iter().flat_map(|(file, name)| source_variants(file, name)).collect();
        variants.sort();
        assert_eq!(page.get(*name), Some(&variants), "{name}");
    }
    let named: Vec<_> = ENUMS.iter().map(|(name, _)| *name).collect();
    let others: Vec<_> = page.keys().filter(|name| !named.contains(&name.as_str())).collect();
    assert!(others.is_empty(), "no source of {others:?}");
}

/// A variant: its number, its name, and how many fields it has.
type Variant = (u32, String, usize);

fn page_variants(list: &str) -> BTreeMap<String, Vec<Variant>> {
    let mut enums: BTreeMap<String, Vec<Variant>> = BTreeMap::new();
    let mut current = String::new();
    for line in list.lines() {
        if let Some(name) = line.strip_prefix("enum ") {
            name.clone_into(&mut current);
        } else if let Some(variant) = line.strip_prefix("  ") {
            let (head, fields) =
                variant.split_once(": ").map_or((variant, 0), |(head, fields)| (head, fields.split(", ").count()));
            let (number, name) = head.split_once(' ').expect("a number and a name");
            enums.entry(current.clone()).or_default().push((
                number.parse().expect("a number"),
                name.to_owned(),
                fields,
            ));
        } else if let Some(numbers) = line.strip_prefix("number ") {
            let (name, values) = numbers.split_once(": ").expect("a name");
            let value = |value: &str| {
                let (number, name) = value.split_once(' ').expect("a number and a name");
                (number.parse().expect("a number"), name.to_owned(), 0)
            };
            enums.insert(name.to_owned(), values.split(", ").map(value).collect());
        }
    }
    enums
}

fn source_variants(file: &str, name: &str) -> Vec<Variant> {
    let text = fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let items = syn::parse_file(&text).expect("it compiles").items;
    let item = items.into_iter().find_map(|item| {
        let syn::Item::Enum(item) = item else { return None };
        (item.ident == name).then_some(item)
    });
    let item = item.unwrap_or_else(|| panic!("{file} has no {name}"));
    let number = |variant: &syn::Variant| {
        let attribute = variant.attrs.iter().find(|attribute| attribute.path().is_ident("n")).expect("a number");
        attribute.parse_args::<syn::LitInt>().expect("a number").base10_parse().expect("a number")
    };
    item.variants.iter().map(|variant| (number(variant), variant.ident.to_string(), variant.fields.len())).collect()
}

#[test]
fn the_page_has_the_names_of_the_pictures_in_their_order() {
    let page = fs::read_to_string(root().join("docs/protocol.md")).expect("the page");
    let (_, names) = page.split_once("Their names, from number 0 on: ").expect("the page has the names");
    let (names, _) = names.split_once('.').expect("the list ends");
    let source = fs::read_to_string(root().join("app/src/kit/emoji.rs")).expect("the source");
    let drawn = source.lines().filter_map(|line| line.strip_prefix("    (\"emoji-")?.split('"').next());
    assert!(names.split(", ").eq(drawn) && names.split(", ").count() == 64, "{names}");
}
