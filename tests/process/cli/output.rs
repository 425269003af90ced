//! Where the output goes: a pipe, nowhere, a full disk, a terminal that wants no colours.

use std::{
    fs::OpenOptions,
    process::{Command, Stdio},
};

use support::program::Process;

use super::Desk;

#[test]
fn whoever_closes_the_pipe_has_read_enough() {
    let desk = Desk::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = desk.command(["providers", "--format", "json"]);
    let command = command.stdout(Stdio::from(writer)).stderr(Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// The verdict is in the exit code, whether or not somebody reads the text.
#[test]
fn a_verdict_needs_no_reader() {
    let desk = Desk::new();
    for (secret, code) in [("SECRET", 0), ("OTHER_SECRET", 1)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let args = [
            "verify",
            "github",
            "--secret-env",
            secret,
            "captured.http",
            "--no-explain",
        ];
        let status = desk.command(args).stdout(Stdio::from(writer)).status();
        assert_eq!(status.unwrap().code(), Some(code));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_no_success() {
    let desk = Desk::new();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = desk.command(["providers"]);
    let command = command.stdout(Stdio::from(full)).stderr(Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("standard output: No space left"), "{said}");
}

#[test]
fn colours_are_for_terminals_and_for_whoever_asks() {
    let desk = Desk::new();
    let args = [
        "verify",
        "github",
        "--secret-env",
        "SECRET",
        "captured.http",
    ];
    let with = |name: &str, value: &str| {
        let mut command = desk.command(args);
        Process::spawn(command.env(name, value)).end().stdout
    };
    assert!(
        !with("TERM", "xterm-256color").contains('\u{1b}'),
        "a pipe is no terminal"
    );
    assert!(with("CLICOLOR_FORCE", "1").contains("\u{1b}[1m\u{1b}[32mgenuine"));
    let mut both = desk.command(args);
    let both = both.env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1");
    let both = Process::spawn(both).end().stdout;
    assert!(!both.contains('\u{1b}'), "{both}");
}

/// On a terminal, which `script` makes.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_gets_colours_unless_it_wants_none() {
    let desk = Desk::new();
    let program = support::cargo::program("tower-webhook");
    let line = format!(
        "{} verify github --secret-env SECRET captured.http",
        program.display()
    );
    let run = |no_color: bool| {
        let mut command = Command::new("script");
        command
            .args(["-qec", &line, "/dev/null"])
            .current_dir(desk.path());
        command.env("SECRET", super::SECRET).env("TERM", "xterm");
        command.env_remove("NO_COLOR").stdin(Stdio::null());
        if no_color {
            command.env("NO_COLOR", "1");
        }
        let output = command.output().expect("script, of util-linux");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let coloured = run(false);
    assert!(coloured.contains("\u{1b}[32mgenuine"), "{coloured:?}");
    let plain = run(true);
    assert!(
        plain.contains("genuine (github") && !plain.contains('\u{1b}'),
        "{plain:?}"
    );
}

/// The one input that is read as the secret is not read as anything else.
#[test]
fn standard_input_is_read_once() {
    let desk = Desk::new();
    let sign = |args: &[&str], stdin: &str| {
        desk.run_with(["sign", "github"].iter().chain(args).copied(), stdin)
    };
    let from_env = sign(&["--secret-env", "SECRET", "event.json"], "").stdout;
    for line_end in ["", "\n", "\r\n"] {
        let secret = format!("{}{line_end}", super::SECRET);
        let from_stdin = sign(&["--secret-stdin", "event.json"], &secret);
        assert_eq!(from_stdin.stdout, from_env, "{line_end:?}");
    }
    let body = sign(&["--secret-env", "SECRET", "-"], super::EVENT).stdout;
    assert_eq!(body, from_env);
    desk.write("secret.txt", &format!("{}\n", super::SECRET));
    let from_file = sign(&["--secret-file", "secret.txt", "event.json"], "").stdout;
    assert_eq!(from_file, from_env);
    let both = sign(&["--secret-stdin", "-"], super::SECRET);
    assert_eq!(both.code, Some(2), "{both:?}");
    assert!(
        both.stderr.contains("read for the other file already"),
        "{both:?}"
    );
}

/// What `sign` prints is read by `verify`, as HTTP and as a command.
#[test]
fn what_is_signed_is_verified() {
    let desk = Desk::new();
    // The provider, where its signature is, and its parameters.
    for (provider, secret, params) in [
        ("github", "SECRET", &[][..]),
        ("svix", "SVIX_SECRET", &[]),
        ("slack", "SECRET", &[]),
        ("gitlab", "SECRET", &[]),
        (
            "square",
            "SECRET",
            &["--param", "url=https://example.com/x"],
        ),
    ] {
        for form in [&["--http"][..], &["--curl", "http://127.0.0.1:3000/hooks"]] {
            let common = [&["--secret-env", secret][..], params].concat();
            let sign = [&["sign", provider, "event.json"][..], &common, form].concat();
            let signed = desk.run(sign);
            assert_eq!(signed.code, Some(0), "{provider}: {signed:?}");
            let verify = [&["verify", provider, "-"][..], &common].concat();
            let verified = desk.run_with(verify, &signed.stdout);
            assert_eq!(verified.code, Some(0), "{provider} {form:?}: {verified:?}");
        }
    }
}
