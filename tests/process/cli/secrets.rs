//! No secret is in an argument, in the output, in the list of processes or in a child's
//! environment.

use std::fs;

use super::{Desk, OTHER_SECRET, SECRET, SVIX_SECRET};

#[test]
fn no_output_holds_a_secret() {
    let desk = Desk::new();
    let other = ["--secret-env", "OTHER_SECRET"];
    let own = ["--secret-env", "SECRET"];
    for args in [
        &["verify", "github", "captured.http"][..],
        &[
            "explain",
            "github",
            "captured.http",
            "--secrets-from",
            ".env",
        ],
        &["verify", "gitlab", "captured.http"],
        &[
            "sign",
            "github",
            "event.json",
            "--curl",
            "http://127.0.0.1:1/",
        ],
        &["sign", "svix", "event.json"],
        &["send", "github", "http://127.0.0.1:1/", "event.json"],
    ] {
        for (secret, format) in [
            (own, None),
            (other, None),
            (own, Some("json")),
            (other, Some("json")),
        ] {
            let args = args.iter().chain(&secret).copied();
            let format = format.map(|format| ["--format", format]);
            let args = args.chain(format.into_iter().flatten());
            // `--curl` prints a command, whatever the format is.
            let ended = desk.run(args.clone());
            let all = ended.stdout + &ended.stderr;
            for hidden in [SECRET, OTHER_SECRET, SVIX_SECRET] {
                assert!(
                    !all.contains(hidden),
                    "{:?}: {all}",
                    args.collect::<Vec<_>>()
                );
            }
        }
    }
}

/// A configuration whose parser would quote the line with the secret.
#[test]
fn a_broken_file_is_not_quoted() {
    let desk = Desk::new();
    desk.write(
        "broken.toml",
        "[endpoints.code]\nprovider = \"github\"\nsecret = \"hush-hush-hush-hush\" x",
    );
    for args in [
        &["config", "check", "broken.toml"][..],
        &[
            "explain",
            "code",
            "captured.http",
            "--config",
            "broken.toml",
        ],
        &["verify", "code", "captured.http", "--config", "broken.toml"],
        &["listen", "127.0.0.1:0", "--config", "broken.toml"],
    ] {
        let ended = desk.run(args.iter().copied());
        assert_ne!(ended.code, Some(0), "{args:?}");
        let all = ended.stdout + &ended.stderr;
        assert!(
            all.contains("line 3") && !all.contains("hush"),
            "{args:?}: {all}"
        );
    }
}

/// What another user of the machine can read of a program that runs.
#[cfg(target_os = "linux")]
#[test]
fn the_list_of_processes_holds_no_secret() {
    let desk = Desk::new();
    desk.write("secret.txt", SECRET);
    let listening = desk.listen(["--provider", "github", "--secret-file", "secret.txt"]);
    let process = format!("/proc/{}", listening.process.id());
    let arguments = fs::read(format!("{process}/cmdline")).unwrap();
    let arguments = String::from_utf8_lossy(&arguments);
    assert!(
        arguments.contains("secret.txt") && !arguments.contains(SECRET),
        "{arguments}"
    );
    // It starts no other program, which would inherit the environment.
    for thread in fs::read_dir(format!("{process}/task")).unwrap() {
        let children = fs::read_to_string(thread.unwrap().path().join("children")).unwrap();
        assert_eq!(children, "");
    }
    let ended = listening.stop();
    assert!(!(ended.stdout + &ended.stderr).contains(SECRET));
}
