//! Parses the modules of a crate, and finds the files that each file uses.

use crate::sources::{files, read, root};
use std::collections::{BTreeMap, BTreeSet};
use syn::visit::{self, Visit};

/// A module's path below the crate's root; the root is empty.
pub type Module = Vec<String>;

/// The modules of a crate's library, without tests.
pub struct Crate {
    modules: BTreeMap<Module, syn::File>,
}

impl Crate {
    /// Parses all files below `name/src`.
    pub fn parse(name: &str) -> Self {
        let source = root().join(name).join("src");
        let mut modules = BTreeMap::new();
        for file in files(&source, &["rs"]) {
            let path = file.strip_prefix(&source).expect("the file is below src").with_extension("");
            let mut module: Module = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            if module[0] == "bin" || module[0] == "main" || module.iter().any(|part| part.ends_with("tests")) {
                continue;
            }
            if module[0] == "lib" {
                module.clear();
            }
            let mut parsed =
                syn::parse_file(&read(&file)).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            parsed.items.retain(|item| !is_test(item));
            modules.insert(module, parsed);
        }
        Self { modules }
    }

    /// All modules with their parsed files.
    pub fn modules(&self) -> impl Iterator<Item = (&Module, &syn::File)> {
        self.modules.iter()
    }

    /// Returns the other modules that `module` uses, each with a path that names it.
    pub fn uses(&self, module: &Module) -> BTreeMap<Module, String> {
        let mut paths = Paths::default();
        paths.visit_file(&self.modules[module]);
        let resolved =
            paths.found.into_iter().filter_map(|path| Some((self.resolve(&path, module, 0)?, path.join("::"))));
        resolved.filter(|(used, _)| used != module).collect()
    }

    /// Returns the module that defines what `path` names in `module`. Returns `None` for a path in another crate.
    fn resolve(&self, path: &[String], module: &Module, depth: usize) -> Option<Module> {
        let (mut at, mut rest) = self.start(path, module)?;
        while let Some((first, others)) = rest.split_first() {
            let mut child = at.clone();
            child.push(first.clone());
            if !self.modules.contains_key(&child) {
                break;
            }
            (at, rest) = (child, others);
        }
        let Some((name, others)) = rest.split_first() else { return Some(at) };
        match re_exports(self.modules.get(&at)?).get(name) {
            Some(target) if depth < 8 && !defines(&self.modules[&at], name) => {
                let path: Vec<String> = target.iter().chain(others).cloned().collect();
                Some(self.resolve(&path, &at, depth + 1).unwrap_or(at))
            }
            _ => Some(at),
        }
    }

    /// Returns the module at which the search for `path` starts, and the rest of the path.
    fn start<'a>(&self, path: &'a [String], module: &Module) -> Option<(Module, &'a [String])> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some((Module::new(), rest)),
            "self" => Some((module.clone(), rest)),
            "super" => {
                let up = path.iter().take_while(|part| *part == "super").count();
                Some((module[..module.len().checked_sub(up)?].to_vec(), &path[up..]))
            }
            child => {
                let mut below = module.clone();
                below.push(child.to_owned());
                self.modules.contains_key(&below).then(|| (module.clone(), path))
            }
        }
    }
}

/// Returns the groups of two or more modules in which each reaches all others.
pub fn circles(edges: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<BTreeSet<Module>> {
    let reach: BTreeMap<&Module, BTreeSet<&Module>> = edges.keys().map(|from| (from, reachable(from, edges))).collect();
    let mut found: Vec<BTreeSet<Module>> = Vec::new();
    for (from, reached) in &reach {
        let circle: BTreeSet<Module> =
            reached.iter().filter(|to| reach[*to].contains(from)).map(|to| (*to).clone()).collect();
        if circle.len() > 1 && !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

fn reachable<'a>(from: &'a Module, edges: &'a BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<&'a Module> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(next) = open.pop() {
        open.extend(edges[next].iter().filter(|to| reached.insert(*to)));
    }
    reached
}

/// Returns whether an item is compiled only for tests.
#[expect(clippy::wildcard_enum_match_arm, reason = "`syn::Item` has kinds that do not matter here")]
pub fn is_test(item: &syn::Item) -> bool {
    let attributes: &[syn::Attribute] = match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    };
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        list.path.is_ident("cfg") && list.tokens.to_string() == "test"
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "`syn::Item` has kinds that do not matter here")]
fn defines(file: &syn::File, name: &str) -> bool {
    file.items.iter().any(|item| match item {
        syn::Item::Struct(item) => item.ident == name,
        syn::Item::Enum(item) => item.ident == name,
        syn::Item::Trait(item) => item.ident == name,
        syn::Item::Type(item) => item.ident == name,
        syn::Item::Fn(item) => item.sig.ident == name,
        syn::Item::Const(item) => item.ident == name,
        syn::Item::Static(item) => item.ident == name,
        _ => false,
    })
}

/// Returns the names that a module re-exports, with their paths.
fn re_exports(file: &syn::File) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for item in &file.items {
        if let syn::Item::Use(item) = item
            && !matches!(item.vis, syn::Visibility::Inherited)
        {
            flatten(&item.tree, &mut Vec::new(), &mut |path, name| {
                found.insert(name.to_owned(), path.to_vec());
            });
        }
    }
    found
}

/// Calls `found` with each whole path of a `use` and the name that it gets.
fn flatten(tree: &syn::UseTree, prefix: &mut Vec<String>, found: &mut dyn FnMut(&[String], &str)) {
    let mut leaf = |prefix: &mut Vec<String>, path: String, name: String| {
        if path != "self" {
            prefix.push(path.clone());
        }
        let name = if name == "self" { prefix.last().cloned().unwrap_or_default() } else { name };
        found(prefix, &name);
        if path != "self" {
            prefix.pop();
        }
    };
    match tree {
        syn::UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            flatten(&path.tree, prefix, found);
            prefix.pop();
        }
        syn::UseTree::Name(name) => leaf(prefix, name.ident.to_string(), name.ident.to_string()),
        syn::UseTree::Rename(rename) => leaf(prefix, rename.ident.to_string(), rename.rename.to_string()),
        syn::UseTree::Glob(_) => found(prefix, "*"),
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, prefix, found)),
    }
}

/// Collects the paths of a file that may lead to another module.
#[derive(Default)]
struct Paths {
    found: BTreeSet<Vec<String>>,
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        flatten(&item.tree, &mut Vec::new(), &mut |path, _| {
            self.found.insert(path.to_vec());
        });
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.found.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }
}

#[test]
fn a_circle_is_found_and_a_chain_is_not() {
    let module = |name: &str| vec![name.to_owned()];
    let edge = |from: &str, to: &[&str]| (module(from), to.iter().map(|to| module(to)).collect());
    let edges = BTreeMap::from([edge("a", &["b"]), edge("b", &["c"]), edge("c", &["b"]), edge("d", &["a", "d"])]);
    assert_eq!(circles(&edges), [BTreeSet::from([module("b"), module("c")])]);
}
