//! Cargo, called by a test: in the directory and the profile that the test was built in, so that
//! nothing is built twice.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use serde_json::Value;

/// Where the programs of this profile are.
static PROFILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let program = env::current_exe().unwrap();
    let profile = program.ancestors().nth(2).unwrap();
    profile.to_owned()
});

/// All examples of the workspace, and the program. `cargo test --workspace --all-features` has
/// built them already.
static PROGRAMS: LazyLock<BTreeMap<String, PathBuf>> = LazyLock::new(|| {
    let mut cargo = cargo("build");
    cargo.args(["--workspace", "--all-features", "--bins", "--examples"]);
    executables(cargo.current_dir(env!("CARGO_MANIFEST_DIR")))
});

/// An example, ready to run.
pub fn example(name: &str) -> Command {
    Command::new(program(name))
}

/// Where an example is, or the program `tower-webhook`.
pub fn program(name: &str) -> &'static Path {
    PROGRAMS.get(name).unwrap_or_else(|| panic!("no {name}"))
}

/// The programs that this command builds, by the names of their targets.
pub fn executables(cargo: &mut Command) -> BTreeMap<String, PathBuf> {
    let programs = messages(cargo).into_iter().filter_map(|message| {
        let path = message.get("executable")?.as_str()?;
        let name = message.pointer("/target/name")?.as_str()?;
        Some((name.to_owned(), PathBuf::from(path)))
    });
    programs.collect()
}

/// A subcommand that builds, offline, where and how this program was built.
pub fn cargo(subcommand: &str) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args([subcommand, "--quiet", "--offline", "--target-dir"])
        .arg(PROFILE.parent().unwrap_or(Path::new(".")));
    if PROFILE.file_name() == Some(OsStr::new("release")) {
        cargo.arg("--release");
    }
    cargo
}

/// The libraries of these crates that the tests use, of several versions the newest.
pub fn libraries(crates: &[&str]) -> Vec<(String, PathBuf)> {
    let mut cargo = cargo("build");
    cargo.args(["--workspace", "--all-features", "--examples"]);
    let mut newest = BTreeMap::new();
    for message in messages(cargo.current_dir(env!("CARGO_MANIFEST_DIR"))) {
        let Some(name) = message.pointer("/target/name").and_then(Value::as_str) else {
            continue;
        };
        let name = name.replace('-', "_");
        let id = message["package_id"].as_str().unwrap_or_default();
        let (_, version) = id.rsplit_once(['#', '@']).unwrap_or_default();
        let version: Vec<u64> = version.split('.').flat_map(str::parse).collect();
        let files = message["filenames"].as_array().into_iter().flatten();
        let mut files = files.filter_map(Value::as_str);
        if let Some(file) = files.find(|file| file.ends_with(".rlib"))
            && crates.contains(&&*name)
            && newest.get(&name).is_none_or(|(known, _)| *known < version)
        {
            newest.insert(name, (version, PathBuf::from(file)));
        }
    }
    assert_eq!(newest.len(), crates.len(), "{newest:?}");
    let newest = newest.into_iter();
    newest.map(|(name, (_, path))| (name, path)).collect()
}

/// What cargo says of what it builds.
fn messages(cargo: &mut Command) -> Vec<Value> {
    let built = cargo.arg("--message-format=json").output().unwrap();
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{cargo:?}: {said}");
    let messages = String::from_utf8(built.stdout).unwrap();
    let messages = messages.lines().map(serde_json::from_str);
    messages.collect::<Result<_, _>>().unwrap()
}
