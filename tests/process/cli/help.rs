//! The help: its examples are run, and its text is recorded beside the guide's examples.

use std::{fs, path::Path, process::Command};

use support::{
    cargo,
    program::{Ended, Process},
};

use tempfile::TempDir;

use super::{Desk, RECEIVED};

const COMMANDS: [&str; 10] = [
    "providers",
    "providers show",
    "config check",
    "sign",
    "send",
    "verify",
    "explain",
    "listen",
    "replay",
    "completions",
];

/// Examples that do not end with 0, and with what they do.
const OTHERWISE: [(&str, i32); 1] = [("--tamper body", 1)];

/// The examples of a command's help, with the address of a receiver in place of the usual one.
fn examples(desk: &Desk, command: &str) -> Vec<String> {
    let help = desk.run(command.split(' ').chain(["--help"]));
    assert_eq!(help.code, Some(0), "{command}: {help:?}");
    let joined = help.stdout.replace(" \\\n    ", " ");
    let lines = joined.lines();
    let lines = lines.filter_map(|line| line.strip_prefix("  tower-webhook "));
    lines.map(|line| format!("tower-webhook {line}")).collect()
}

/// Runs a line of a shell.
fn shell(desk: &Desk, line: &str) -> Ended {
    let program = cargo::program("tower-webhook").parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut command: Command = desk.command([]);
    let envs: Vec<_> = command
        .get_envs()
        .map(|(name, value)| (name.to_owned(), value.unwrap().to_owned()))
        .collect();
    let mut shell = Command::new("sh");
    shell
        .args(["-ec", line])
        .current_dir(desk.path())
        .env_clear()
        .envs(envs)
        .env("PATH", path);
    command = shell;
    Process::spawn(&mut command).end()
}

#[test]
fn the_examples_of_the_help_do_what_they_say() {
    let desk = Desk::new();
    let endpoints = "[endpoints.github]\nprovider = \"github\"\nsecret = { env = \"SECRET\" }\n\
        [endpoints.stripe]\nprovider = \"stripe\"\nsecret = { env = \"SECRET\" }\n\
        [endpoints.slack]\nprovider = \"slack\"\nsecret = { env = \"SECRET\" }\n";
    desk.write("receiver.toml", endpoints);
    let receiver = desk.listen([
        "--config",
        "receiver.toml",
        "--save",
        "kept",
        "--no-explain",
    ]);
    // What the examples replay, as `listen` has saved it.
    let url = receiver.url("/webhooks/stripe");
    let sent = desk.run([
        "send",
        "stripe",
        &url,
        "--secret-env",
        "SECRET",
        "event.json",
    ]);
    assert_eq!(sent.code, Some(0), "{sent:?}");
    assert!(
        receiver
            .process
            .stdout
            .find(|line| line.contains("kept/0001.json"))
            .is_some()
    );
    let saved = desk
        .read("kept/0001.json")
        .replace("\"endpoint\": \"stripe\"", "\"endpoint\": \"payments\"");
    desk.write("captures/0007.json", &saved);

    let mut count = 0;
    for command in COMMANDS {
        let examples = examples(&desk, command);
        assert!(!examples.is_empty(), "{command} has no example");
        for example in examples {
            count += 1;
            if command == "listen" {
                starts(&desk, &example);
                continue;
            }
            let line = example.replace("127.0.0.1:3000", &receiver.address);
            // The last replay keeps the path of the request, and the time of the example is fixed.
            let line = line.replace(
                "verify stripe --secret-env SECRET captured.http --now 1795860000",
                &format!("verify stripe --secret-env SECRET stripe.http --now {RECEIVED}"),
            );
            let ended = shell(&desk, &line);
            let code = OTHERWISE.iter().find(|(part, _)| line.contains(part));
            let code = code.map_or(0, |(_, code)| *code);
            assert_eq!(ended.code, Some(code), "{line}: {ended:?}");
        }
    }
    assert!(count > 20, "{count}");
    let program = desk.run(["--help"]).stdout;
    for command in COMMANDS {
        let name = command.split(' ').next().unwrap();
        assert!(program.contains(&format!("  {name} ")), "{name}: {program}");
    }
}

/// An example of `listen` runs until it is stopped.
fn starts(desk: &Desk, example: &str) {
    let args = example.replace("tower-webhook listen 127.0.0.1:4000 ", "");
    let listening = desk.listen(args.split(' '));
    let ended = listening.stop();
    assert_eq!(ended.code, Some(0), "{example}: {ended:?}");
}

/// Every page of the help, and every example of the guide, with what is printed. `TRYCMD=overwrite`
/// writes both anew.
#[test]
fn the_help_and_the_guide_are_as_recorded() {
    const SIGNED: &str = "POST /webhooks/code HTTP/1.1\r\n\
        X-Hub-Signature-256: sha256=f7f6ae42369d13820dba4de9c59a3a6ca86bef265ad68dc7a27ef3de006fc27b\r\n\r\n";
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = [
        ("cli.md", root.join("../src/docs/cli.md")),
        ("help.trycmd", root.join("process/cli/help.trycmd")),
    ];
    // The files that the pages name are beside copies of them.
    let directory = TempDir::new().unwrap();
    let files = directory.path().join("cli.in");
    fs::create_dir(&files).unwrap();
    let body = r#"{"action":"opened"}"#;
    for (name, text) in [
        ("event.json", body.to_owned()),
        (
            "webhooks.toml",
            "[endpoints.code]\nprovider = \"github\"\nsecret = { env = \"SECRET\" }\n".to_owned(),
        ),
        ("captured.http", format!("{SIGNED}{body}")),
        (
            "reprinted.http",
            format!("{SIGNED}{{\n  \"action\": \"opened\"\n}}"),
        ),
    ] {
        fs::write(files.join(name), text).unwrap();
    }
    let cases = trycmd::TestCases::new();
    for (name, page) in &pages {
        let copy = directory.path().join(name);
        fs::copy(page, &copy).unwrap();
        cases.case(copy);
    }
    cases
        .register_bin("tower-webhook", cargo::program("tower-webhook"))
        .env("SECRET", "a-secret-of-some-length")
        .env("NO_COLOR", "1")
        .run();
    if std::env::var_os("TRYCMD").is_some() {
        for (name, page) in &pages {
            fs::copy(directory.path().join(name), page).unwrap();
        }
    }
}
