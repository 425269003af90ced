//! Every file of the tests belongs to a program: Cargo compiles no file that no `mod` names, and
//! does not say so.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// What is read and not compiled: the cases of `compile`, and the packages that are installed from
/// npm.
const DATA: [&str; 2] = ["clients", "compile/cases"];

/// Every `*.rs` under a folder.
fn files(root: &Path, folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap();
        if path.is_dir() {
            if !DATA.iter().any(|data| name == Path::new(data)) {
                files(root, &path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.insert(name.to_owned());
        }
    }
}

/// The files of a module and of all modules in it. `folder` is where its own modules are.
fn modules(root: &Path, file: &Path, folder: &Path, named: &mut BTreeSet<PathBuf>) {
    // A part of one of the crate's examples.
    if file.starts_with("examples") {
        return;
    }
    named.insert(file.to_owned());
    let text =
        fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file:?}: {error}"));
    // The modules that are open here, by how far their closing brace is indented.
    let mut open: Vec<(usize, &str)> = Vec::new();
    let mut path = None;
    for line in text.lines() {
        let word = line.trim_start();
        let indent = line.len() - word.len();
        if word == "}" && open.last().is_some_and(|(column, _)| *column == indent) {
            open.pop();
        }
        if let Some(attribute) = word.strip_prefix("#[path = \"") {
            path = attribute.strip_suffix("\"]");
        }
        let word = word.strip_prefix("pub ").unwrap_or(word);
        let word = word.strip_prefix("pub(crate) ").unwrap_or(word);
        let Some(module) = word.strip_prefix("mod ") else {
            continue;
        };
        if let Some(inline) = module.strip_suffix(" {") {
            open.push((indent, inline));
        } else if let Some(name) = module.strip_suffix(';') {
            let within: PathBuf = open.iter().map(|(_, name)| name).collect();
            let within = folder.join(within);
            let file = path.take().map_or_else(
                || within.join(name).with_extension("rs"),
                |path| resolved(&within.join(path)),
            );
            let folder = file.with_extension("");
            modules(root, &file, &folder, named);
        }
    }
}

/// Without `..`.
fn resolved(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for part in path.components() {
        if part.as_os_str() == ".." {
            resolved.pop();
        } else {
            resolved.push(part);
        }
    }
    resolved
}

#[test]
fn every_file_is_named_by_a_mod() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest: toml::Table = fs::read_to_string(root.join("Cargo.toml"))
        .unwrap()
        .parse()
        .unwrap();
    let mut named = BTreeSet::new();
    let programs = |kind: &str| manifest[kind].as_array().unwrap().iter();
    let all = programs("test").chain(programs("example"));
    for program in all.chain([&manifest["lib"]]) {
        let file = Path::new(program["path"].as_str().unwrap());
        // Those of the crate itself.
        if file.starts_with("..") {
            continue;
        }
        modules(root, file, file.parent().unwrap(), &mut named);
    }
    let mut found = BTreeSet::new();
    files(root, root, &mut found);
    let stray: Vec<_> = found.difference(&named).collect();
    assert!(stray.is_empty(), "no `mod` names {stray:?}");
    assert!(found.len() > 60, "{} files", found.len());
}
