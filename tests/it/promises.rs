//! SECURITY.md names the tests that hold its promises: each must be there.

use std::{collections::BTreeSet, fs, path::Path};

/// The names of all test functions below `root`, as `folder::file::name`.
fn tests(root: &Path, folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests(root, &path, names);
            continue;
        }
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        if !is_rust {
            continue;
        }
        let file = path.strip_prefix(root).unwrap().with_extension("");
        let file = file.to_str().unwrap().replace('/', "::");
        let file = file.trim_end_matches("::main");
        let text = fs::read_to_string(&path).unwrap();
        let mut is_test = false;
        let mut module = None;
        for line in text.lines() {
            let line = line.trim_start();
            if let Some(inner) = line
                .strip_prefix("mod ")
                .and_then(|rest| rest.strip_suffix(" {"))
            {
                module = Some(inner.to_owned());
            }
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            let function = line
                .strip_prefix("async ")
                .unwrap_or(line)
                .strip_prefix("fn ");
            if let Some(function) = function {
                let in_proptest = text.contains("proptest! {") && line.ends_with('(');
                if std::mem::take(&mut is_test) || in_proptest {
                    let name = function.split('(').next().unwrap();
                    names.insert(format!("{file}::{name}"));
                    if let Some(module) = &module {
                        names.insert(format!("{file}::{module}::{name}"));
                    }
                }
            }
        }
    }
}

#[test]
fn every_test_that_security_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut names = BTreeSet::new();
    for folder in ["tests", "src"].map(|name| root.join(name)) {
        tests(&folder, &folder, &mut names);
    }
    let security = include_str!("../../SECURITY.md");
    let quoted = security.split('`').skip(1).step_by(2);
    let named: BTreeSet<&str> = quoted
        .filter(|word| {
            word.contains("::")
                && word.chars().all(|letter| {
                    letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_:".contains(letter)
                })
        })
        .collect();
    assert!(named.len() > 40, "{}", named.len());
    let missing: Vec<_> = named
        .iter()
        .filter(|named| {
            let ends = format!("::{named}");
            !names
                .iter()
                .any(|name| name == *named || name.ends_with(&ends))
        })
        .collect();
    assert!(missing.is_empty(), "no such test: {missing:#?}");
    let files = security.split('`').skip(1).step_by(2);
    let files = files.filter(|word| word.ends_with(".rs"));
    for file in files {
        assert!(root.join(file).exists(), "no such file: {file}");
    }
}
