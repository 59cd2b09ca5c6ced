//! The structure of types and files: no type with too many fields or methods, no circle between files.

use crate::modules::{Crate, Module, circles, is_test};
use std::collections::{BTreeMap, BTreeSet};

const CRATES: &[&str] = &[
    "app",
    "engine",
    "render",
    "capture",
    "audio",
    "codec",
    "net",
    "crypto",
    "proto",
    "media",
    "congestion",
    "server",
];

/// The maximum number of fields of a type that is not a plain record.
const MAX_FIELDS: usize = 15;

/// The maximum number of methods of a type.
const MAX_METHODS: usize = 25;

#[test]
fn no_circle_between_files() {
    let mut complaints = Vec::new();
    for name in CRATES {
        let parsed = Crate::parse(name);
        let uses: BTreeMap<Module, BTreeMap<Module, String>> =
            parsed.modules().map(|(module, _)| (module.clone(), parsed.uses(module))).collect();
        let edges = uses.iter().map(|(from, to)| (from.clone(), to.keys().cloned().collect())).collect();
        for circle in circles(&edges) {
            complaints.push(format!("{name}: {} files use each other:", circle.len()));
            complaints.extend(circle.iter().flat_map(|from| arrows(from, &uses[from], &circle)));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Returns one line for each use of a module of `circle` by another.
fn arrows(from: &Module, uses: &BTreeMap<Module, String>, circle: &BTreeSet<Module>) -> Vec<String> {
    let inside = uses.iter().filter(|(to, _)| circle.contains(*to));
    inside.map(|(to, path)| format!("    {} -> {} ({path})", shown(from), shown(to))).collect()
}

fn shown(module: &Module) -> String {
    if module.is_empty() { "lib".to_owned() } else { module.join("/") }
}

#[test]
fn no_type_has_too_many_fields_or_methods() {
    let mut complaints = Vec::new();
    for name in CRATES {
        let parsed = Crate::parse(name);
        let methods = methods(&parsed);
        for (module, file) in parsed.modules() {
            for item in &file.items {
                let syn::Item::Struct(item) = item else { continue };
                let key = (module.clone(), item.ident.to_string());
                let methods = methods.get(&key).copied().unwrap_or(0);
                if methods > MAX_METHODS || item.fields.len() > MAX_FIELDS && !is_record(item) {
                    let fields = item.fields.len();
                    complaints.push(format!(
                        "{name}/{}: {} has {fields} fields, {methods} methods",
                        shown(module),
                        item.ident
                    ));
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Returns whether a struct is a plain record: all its fields are public.
fn is_record(item: &syn::ItemStruct) -> bool {
    item.fields.iter().all(|field| matches!(field.vis, syn::Visibility::Public(_)))
}

/// The number of functions in all `impl X` of a crate, by the module that defines `X`.
fn methods(parsed: &Crate) -> BTreeMap<(Module, String), usize> {
    let mut count = BTreeMap::new();
    for (module, file) in parsed.modules() {
        for item in &file.items {
            let syn::Item::Impl(block) = item else { continue };
            let syn::Type::Path(path) = &*block.self_ty else { continue };
            let (None, Some(name)) = (&block.trait_, path.path.segments.last()) else { continue };
            if is_test(item) {
                continue;
            }
            let functions = block.items.iter().filter(|item| matches!(item, syn::ImplItem::Fn(_))).count();
            *count.entry((owner(parsed, module, &name.ident), name.ident.to_string())).or_default() += functions;
        }
    }
    count
}

/// The module that defines the struct `name`: the nearest one from `module` upwards, else the only one in the crate.
fn owner(parsed: &Crate, module: &Module, name: &syn::Ident) -> Module {
    let defines =
        |file: &syn::File| file.items.iter().any(|item| matches!(item, syn::Item::Struct(item) if item.ident == *name));
    let places: Vec<&Module> = parsed.modules().filter(|(_, file)| defines(file)).map(|(module, _)| module).collect();
    let above = (0..=module.len()).rev().find(|length| places.iter().any(|place| **place == module[..*length]));
    match (above, places.as_slice()) {
        (Some(length), _) => module[..length].to_vec(),
        (None, [only]) => (*only).clone(),
        (None, _) => module.clone(),
    }
}
