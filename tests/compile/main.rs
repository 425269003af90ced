//! What must not compile, and what the compiler says then.
//!
//! The whole text may change with the compiler; `OVERWRITE=1 cargo test --workspace --all-features
//! --test compile` writes it again. The sentences below have to stay.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, reason = "tests")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use support::cargo::libraries;

/// The sentences that each case has to be told, whatever else a compiler adds.
const SENTENCES: [(&str, &[&str]); 6] = [
    ("event_by_hand", &["of struct `VerifiedEvent` are private"]),
    (
        "event_changed",
        &["field `payload` of struct `VerifiedEvent` is private"],
    ),
    (
        "event_without_check",
        &[
            "named `new` found",
            "named `default` found",
            "`VerifiedEvent: TryFrom<bytes::Bytes>` is not satisfied",
        ],
    ),
    (
        "wrong_payload",
        &[
            "`Order` cannot be read out of a verified event",
            "take `VerifiedEvent<Json<Order>>` with `tower_webhook::Json` (not axum's)",
        ],
    ),
    (
        "wrong_body",
        &[
            "`WebhookVerifyLayer` cannot rebuild a body of type",
            "map the body before the layer",
        ],
    ),
    (
        "wrong_response_body",
        &[
            "`WebhookVerifyLayer` cannot make an empty response body of type `Streamed`",
            "map the body of the service inside",
        ],
    ),
];

/// What the cases use.
const CRATES: [&str; 6] = [
    "bytes",
    "http",
    "http_body_util",
    "hyper",
    "tower",
    "tower_webhook",
];

#[test]
fn mistakes_do_not_compile_and_name_their_fix() {
    let libraries = libraries(&CRATES);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("compile/cases");
    for (name, sentences) in SENTENCES {
        let said = refused(&folder, name, &libraries);
        for sentence in sentences {
            assert!(
                said.contains(sentence),
                "{name}: {sentence:?} is missing in\n{said}"
            );
        }
        let file = folder.join(name).with_extension("stderr");
        if env::var_os("OVERWRITE").is_some() {
            fs::write(&file, &said).unwrap();
        }
        let expected = fs::read_to_string(&file).unwrap();
        assert!(
            said == expected,
            "{name}: expected\n{expected}\nand got\n{said}"
        );
    }
    let files = fs::read_dir(folder).unwrap();
    let cases = files.filter(|file| {
        let path = file.as_ref().unwrap().path();
        path.extension().is_some_and(|extension| extension == "rs")
    });
    assert_eq!(
        cases.count(),
        SENTENCES.len(),
        "each case has its sentences"
    );
}

/// What the compiler says to a case, without what depends on the machine.
fn refused(folder: &Path, name: &str, libraries: &[(String, PathBuf)]) -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut rustc = Command::new(rustc);
    rustc
        .args(["--edition=2024", "--crate-type=bin", "--emit=metadata"])
        .args([
            "--color=never",
            "--verbose",
            "--out-dir",
            env!("CARGO_TARGET_TMPDIR"),
        ])
        .arg(format!("{name}.rs"))
        .current_dir(folder);
    for (crate_name, path) in libraries {
        rustc
            .arg("--extern")
            .arg(format!("{crate_name}={}", path.display()));
        rustc.arg("-L").arg(path.parent().unwrap());
    }
    let output = rustc.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{name} compiles: {said}");
    let (errors, _) = said
        .split_once("error: aborting due to")
        .unwrap_or_else(|| panic!("{name}: {said}"));
    normalized(&format!("{name}.rs"), errors)
}

/// Without what stands at places outside of the case, and with a margin that does not depend on
/// line numbers there.
fn normalized(case: &str, errors: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut lines = Vec::new();
    let mut is_outside = false;
    for line in errors.trim_end().lines().map(str::trim_start) {
        let digits = line.len()
            - line
                .trim_start_matches(|digit: char| digit.is_ascii_digit())
                .len();
        is_outside &= !line.starts_with("help: ");
        if let Some(place) = line.strip_prefix("--> ") {
            let (file, _) = place.split_once(':').unwrap();
            is_outside = file != case;
            let file = Path::new(file)
                .strip_prefix(root)
                .unwrap_or(Path::new(file));
            let place = if is_outside {
                file.to_str().unwrap()
            } else {
                place
            };
            lines.push((0, format!("--> {place}")));
        } else if !(is_outside && line[digits..].trim_start().starts_with(['|', '.'])) {
            lines.push((digits, line.to_owned()));
        }
    }
    let margin = lines.iter().map(|(digits, _)| *digits).max().unwrap();
    let mut text = String::new();
    for (digits, line) in lines {
        let indent = match line.chars().next() {
            Some('-') => margin,
            Some('|' | '=') => margin + 1,
            Some(_) if digits > 0 => margin - digits,
            _ => 0,
        };
        text += &format!("{:indent$}{line}\n", "");
    }
    text
}
