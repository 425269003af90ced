//! Cargo, called by a test: in the directory and the profile that the test was built in, so that nothing is built twice.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

/// Where the programs of this profile are.
static PROFILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let program = env::current_exe().unwrap();
    let profile = program.ancestors().nth(2).unwrap();
    profile.to_owned()
});

/// All examples of the workspace. `cargo test --workspace --all-features` has built them already.
static EXAMPLES: LazyLock<BTreeMap<String, PathBuf>> = LazyLock::new(|| {
    let mut cargo = cargo("build");
    cargo.args(["--workspace", "--all-features", "--examples"]);
    executables(cargo.current_dir(env!("CARGO_MANIFEST_DIR")))
});

/// An example, ready to run.
pub fn example(name: &str) -> Command {
    Command::new(EXAMPLES.get(name).unwrap_or_else(|| panic!("no {name}")))
}

/// The programs that this command builds, by the names of their targets.
pub fn executables(cargo: &mut Command) -> BTreeMap<String, PathBuf> {
    let built = cargo.arg("--message-format=json").output().unwrap();
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{cargo:?}: {said}");
    let messages = String::from_utf8(built.stdout).unwrap();
    let programs = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
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
