//! Every command with every exit code, and the sentence that says what to do.

use super::{Desk, OTHER_SECRET, RECEIVED, SECRET};

/// The arguments, the exit code, and what is printed: on standard output for 0 and 1, else on
/// standard error.
type Row = (&'static [&'static str], i32, &'static str);

const SIGN: &[&str] = &["sign", "github", "--secret-env", "SECRET", "event.json"];

#[rustfmt::skip]
const ROWS: &[Row] = &[
    (&["providers"], 0, "voveid"),
    (&["providers", "--find", "nothing-of-this-name"], 1, "no provider is known by this text"),
    (&["providers", "show", "whatsapp"], 0, "HMAC-SHA256"),
    (&["providers", "show", "githb"], 2, "did you mean \"github\"?"),
    (&["providers", "show", "jumio"], 3, "is not supported yet: nothing is signed"),
    (&["providers", "show", "twilio", "--format", "toml"], 3, "needs code"),
    (&["providers", "show", "stripe", "--variant", "v9"], 2, "is not a variant"),

    (&["config", "check", "webhooks.toml"], 0, "good: 2 endpoints, 0 mistakes, 1 warning"),
    (&["config", "check", "broken.toml"], 1, "did you mean \"stripe\"?"),
    (&["config", "check", "ending.toml", "--now", RECEIVED], 0, "[ending_key]"),
    (&["config", "check", "ending.toml", "--now", RECEIVED, "--strict"], 1, "[ending_key]"),
    (&["config", "check"], 2, "<FILE>"),
    (&["config", "check", "nothing.toml"], 3, "nothing.toml: cannot be read"),

    (SIGN, 0, "X-Hub-Signature-256: sha256="),
    (&["sign", "githb", "--secret-env", "SECRET", "event.json"], 2, "did you mean \"github\"?"),
    (&["sign", "github", "event.json"], 2, "--secret-env"),
    (&["sign", "github", "--secret-env", "SECRET", "event.json", "--param", "a=b"], 2, "has no parameters"),
    (&["sign", "github", "--secret-env", "SECRET", "event.json", "--now", "soon"], 2, "seconds since 1970"),
    (&["sign", "github", "--secret-env", "UNSET", "event.json"], 3, "environment variable UNSET is not set"),
    (&["sign", "github", "--secret-file", "none.txt", "event.json"], 3, "file none.txt cannot be read"),
    (&["sign", "github", "--secret-env", "SECRET", "none.json"], 3, "none.json: cannot be read"),
    (&["sign", "svix", "--secret-file", "event.json", "event.json"], 3, "base64"),
    (&["sign", "square", "--secret-env", "SECRET", "event.json"], 2, "set --url to the one"),
    (&["sign", "square", "--secret-env", "SECRET", "event.json", "--param", "url=https://a.example/?b=c"], 0, "X-Square-Hmacsha256-Signature: "),
    (&["sign", "square", "--secret-env", "SECRET", "event.json", "--param", "url=a.example"], 2, "--param url: it does not begin with http://"),
    (&["sign", "livekit", "--secret-env", "SECRET", "event.json"], 2, "--param api_key=VALUE"),
    (&["sign", "google-pubsub", "--secret-env", "SECRET", "event.json"], 2, "\nemail: the scheme needs it; set it to the value the provider shows, with --param email=VALUE"),
    (&["sign", "apple-assn", "--secret-env", "SECRET", "event.json"], 2, "error: bundle_id: the scheme needs it"),
    (&["sign", "hygraph", "--secret-env", "SECRET", "event.json"], 2, "--field env=VALUE"),
    (&["sign", "github", "--secret-env", "SECRET", "event.json", "--curl", "http://a/", "--format", "json"], 2, "cannot be used with"),

    (&["verify", "github", "--secret-env", "SECRET", "captured.http"], 0, "genuine (github"),
    (&["verify", "code", "--config", "webhooks.toml", "captured.http"], 0, "genuine (github"),
    (&["verify", "github", "--secret-env", "OTHER_SECRET", "captured.http"], 1, "signature_mismatch"),
    (&["verify", "stripe", "--secret-env", "SECRET", "stripe.http", "--now", RECEIVED], 0, "genuine (stripe"),
    (&["verify", "stripe", "--secret-env", "SECRET", "stripe.http", "--now", "1795870000"], 1, "timestamp_too_old"),
    (&["verify", "nobody", "--config", "webhooks.toml", "captured.http"], 2, "which has code, payments"),
    (&["verify", "code", "--config", "webhooks.toml", "--secret-env", "SECRET", "captured.http"], 2, "leave them out"),
    (&["verify", "github", "--secret-env", "SECRET", "captured.http", "--nth", "2"], 2, "it holds one request"),
    (&["verify", "github", "--secret-env", "SECRET", "event.json"], 3, "not in a known form"),
    (&["verify", "square", "--secret-env", "SECRET", "captured.http"], 2, "registered with it with --param url=URL"),
    (&["verify", "square", "--secret-env", "SECRET", "captured.http", "--param", "url=a.example"], 2, "--param url: it is no URL"),

    (&["explain", "--config", "webhooks.toml", "code", "captured.http"], 0, "genuine"),
    (&["explain", "--config", "webhooks.toml", "code", "reprinted.http"], 0, "json:compact"),
    (&["explain", "--config", "webhooks.toml", "code", "other.http", "--secrets-from", ".env"], 0, "other-secret:NEXT"),
    (&["explain", "--config", "webhooks.toml", "code", "forged.http", "--budget", "200ms"], 1, "unexplained"),
    (&["explain", "--config", "webhooks.toml", "code", "captured.http", "--budget", "5"], 2, "a number above zero and a unit"),
    (&["explain", "--config", "nothing.toml", "code", "captured.http"], 3, "nothing.toml: cannot be read"),

    (&["listen", "127.0.0.1:0"], 2, "--config"),
    (&["listen", "127.0.0.1:0", "--provider", "github"], 2, "--secret-env"),
    (&["listen", "127.0.0.1:0", "--provider", "square", "--secret-env", "SECRET"], 2, "registered with it with --param url=URL"),
    (&["listen", "0.0.0.0:0", "--config", "webhooks.toml", "--now", RECEIVED], 2, "loopback"),
    (&["listen", "127.0.0.1", "--config", "webhooks.toml"], 2, "no address with a port"),
    (&["listen", ":4000", "--config", "webhooks.toml"], 2, "no address with a port"),
    (&["listen", "127.0.0.1:0", "--config", "broken.toml"], 3, "did you mean \"stripe\"?"),
    (&["listen", "256.0.0.1:0", "--config", "webhooks.toml"], 3, "256.0.0.1:0: "),

    (&["send", "github", "127.0.0.1:3000", "--secret-env", "SECRET", "event.json"], 2, "http://"),
    (&["send", "github", "http://127.0.0.1:1/", "--secret-env", "SECRET", "event.json"], 3, "nothing listens there"),
    (&["send", "github", "http://127.0.0.1:1/", "--secret-env", "SECRET", "event.json", "--tamper", "time"], 2, "does not sign the time"),
    (&["replay", "captured.http", "http://127.0.0.1:1/"], 3, "nothing listens there"),
    (&["replay", "captured.http", "http://127.0.0.1:1/", "--now", "1"], 2, "--resign"),
    (&["replay", "none.http", "http://127.0.0.1:1/"], 3, "none.http: cannot be read"),

    (&["completions", "zsh"], 0, "#compdef tower-webhook"),
    (&["completions", "tcsh"], 2, "possible values"),
    (&["--version"], 0, "tower-webhook "),
    (&[], 2, "Usage: tower-webhook <COMMAND>"),
    (&["verifies"], 2, "'verify'"),
];

#[test]
fn every_command_ends_as_it_says() {
    let desk = desk();
    for (args, code, text) in ROWS {
        let ended = desk.run(args.iter().copied());
        assert_eq!(ended.code, Some(*code), "{args:?}: {ended:?}");
        let (said, silent) = if *code < 2 {
            (&ended.stdout, None)
        } else {
            (&ended.stderr, Some(&ended.stdout))
        };
        assert!(said.contains(text), "{args:?}: {ended:?}");
        assert!(silent.is_none_or(String::is_empty), "{args:?}: {ended:?}");
        assert!(
            !said.contains('\u{1b}'),
            "{args:?}: no terminal, no colours"
        );
        for hidden in [SECRET, OTHER_SECRET] {
            let all = ended.stdout.clone() + &ended.stderr;
            assert!(!all.contains(hidden), "{args:?}: {all}");
        }
    }
    for command in [
        "providers",
        "config",
        "sign",
        "send",
        "verify",
        "explain",
        "listen",
        "replay",
        "completions",
    ] {
        let codes = ROWS
            .iter()
            .filter(|(args, ..)| args.first() == Some(&command));
        assert!(codes.count() > 1, "{command}");
    }
}

/// With what the rows name beside the examples.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write(
        "broken.toml",
        "[endpoints.a]\nprovider = \"stirpe\"\nsecret = \"whsec_a-secret-of-length\"",
    );
    let ending = "[endpoints.a]\nprovider = \"github\"\n\
        secret = { env = \"SECRET\", not_after = \"2026-12-01T00:00:00Z\" }";
    desk.write("ending.toml", ending);
    let captured = desk.read("captured.http");
    let reprinted = captured.replace("\"action\":\"opened\"", "\"action\": \"opened\"");
    let reprinted = reprinted.replace(",\"number\":17", ", \"number\": 17");
    desk.write("reprinted.http", &reprinted);
    desk.write("forged.http", &captured.replace("opened", "closed"));
    let args = [
        "sign",
        "github",
        "--secret-env",
        "OTHER_SECRET",
        "event.json",
        "--http",
    ];
    desk.write("other.http", &desk.run(args).stdout);
    desk
}

#[test]
fn an_argument_that_may_be_a_secret_is_not_repeated() {
    let desk = Desk::new();
    for args in [
        vec!["verify", "github", "hush-hush-hush", "captured.http"],
        vec![
            "verify",
            "github",
            "--secret=hush-hush-hush",
            "captured.http",
        ],
        vec![
            "verify",
            "github",
            "--secret-env",
            "hush-hush-hush",
            "captured.http",
        ],
        vec![
            "verify",
            "github",
            "--secret-file",
            "hush-hush-hush-hush",
            "captured.http",
        ],
        vec!["sign", "square", "--param", "hush-hush-hush", "event.json"],
        vec![
            "send",
            "github",
            "http://user:hush-hush-hush@127.0.0.1/",
            "event.json",
        ],
        vec!["sign", "github", "-H", "hush hush hush", "event.json"],
    ] {
        let ended = desk.run(args.iter().copied());
        assert!(matches!(ended.code, Some(2 | 3)), "{args:?}: {ended:?}");
        assert!(!ended.stderr.contains("hush"), "{args:?}: {}", ended.stderr);
    }
}

#[test]
fn a_refusal_says_in_one_screen_what_to_do() {
    let desk = desk();
    let captured = desk.read("captured.http");
    let without = captured.lines().filter(|line| !line.starts_with("X-Hub"));
    let without: Vec<&str> = without.collect();
    desk.write("missing.http", &without.join("\n"));
    for (file, secret, expected) in [
        (
            "other.http",
            "SECRET",
            &["signature_mismatch", "another secret"][..],
        ),
        (
            "reprinted.http",
            "SECRET",
            &["signature_mismatch", "json:compact", "do "],
        ),
        (
            "missing.http",
            "SECRET",
            &[
                "missing_header",
                "X-Hub-Signature-256",
                "set the secret at the provider",
            ],
        ),
    ] {
        let ended = desk.run(["verify", "github", "--secret-env", secret, file]);
        assert_eq!(ended.code, Some(1), "{file}: {ended:?}");
        for text in expected {
            // An unknown secret is named by the experiment that tells it.
            let text = if *text == "another secret" {
                "the secret is another one"
            } else {
                text
            };
            assert!(
                ended.stdout.contains(text),
                "{file}: {text}: {}",
                ended.stdout
            );
        }
        assert!(ended.stdout.lines().count() < 24, "{}", ended.stdout);
    }
    let args = [
        "verify",
        "stripe",
        "--secret-env",
        "SECRET",
        "stripe.http",
        "--now",
        "1795870000",
    ];
    let stale = desk.run(args).stdout;
    for text in [
        "timestamp_too_old",
        "10000 s",
        "let the provider send it again",
    ] {
        assert!(stale.contains(text), "{stale}");
    }
}

#[test]
fn results_for_programs_have_their_fields() {
    let desk = desk();
    let genuine = desk.json([
        "verify",
        "stripe",
        "--secret-env",
        "SECRET",
        "stripe.http",
        "--now",
        RECEIVED,
    ]);
    for (field, value) in [
        ("verdict", "\"genuine\""),
        ("provider", "\"stripe\""),
        ("variant", "\"hmac-sha256\""),
        ("coverage", "\"body\""),
        ("timestamp", RECEIVED),
        ("checked_at", RECEIVED),
        ("checked_by", "\"--now\""),
        ("kind", "null"),
        ("explanation", "null"),
    ] {
        assert_eq!(genuine[field].to_string(), value, "{field}: {genuine}");
    }
    let refused = desk.json([
        "verify",
        "code",
        "--config",
        "webhooks.toml",
        "reprinted.http",
    ]);
    for (pointer, value) in [
        ("/verdict", "\"refused\""),
        ("/kind", "\"signature_mismatch\""),
        ("/endpoint", "\"code\""),
        ("/status", "401"),
        ("/explanation/verdict", "\"proven\""),
        ("/explanation/cause", "\"json:compact\""),
    ] {
        assert_eq!(
            refused.pointer(pointer).unwrap().to_string(),
            value,
            "{pointer}: {refused}"
        );
    }
    let report = desk.json([
        "explain",
        "--config",
        "webhooks.toml",
        "code",
        "reprinted.http",
    ]);
    assert_eq!(report["verdict"], "proven");
    assert_eq!(report["cause"], "json:compact");
    assert!(report["remedy"].as_str().unwrap().contains("JSON"));
    assert!(report["tried"]["readings"].as_u64().unwrap() > 1);

    let signed = desk.json([
        "sign",
        "stripe",
        "--secret-env",
        "SECRET",
        "event.json",
        "--now",
        RECEIVED,
    ]);
    let header = signed["headers"]["stripe-signature"].as_str().unwrap();
    assert!(header.starts_with(&format!("t={RECEIVED},v1=")), "{signed}");

    let checked = desk.json(["config", "check", "broken.toml"]);
    assert_eq!(checked["verdict"], "mistakes");
    assert_eq!(checked["mistakes"].as_array().unwrap().len(), 1);
    let checked = desk.json(["config", "check", "ending.toml", "--now", RECEIVED]);
    assert_eq!(checked["verdict"], "good");
    assert_eq!(checked["warnings"][0]["kind"], "ending_key");
    assert_eq!(checked["endpoints"][0]["providers"][0], "github");

    let all = desk.json(["providers"]);
    let all = all.as_array().unwrap();
    assert!(all.len() > 270, "{}", all.len());
    let stripe = all
        .iter()
        .find(|provider| provider["name"] == "stripe")
        .unwrap();
    assert_eq!(stripe["evidence"], "ran");
    assert_eq!(stripe["replay_window"], "5 minutes");
    let shown = desk.json(["providers", "show", "square"]);
    assert_eq!(shown["params"][0], "url");
}

/// What a file describes is what the built-in provider does.
#[test]
fn a_provider_that_was_copied_to_a_file_signs_the_same() {
    let desk = Desk::new();
    let toml = desk
        .run(["providers", "show", "stripe", "--format", "toml"])
        .stdout;
    desk.write("copy.toml", &toml);
    let sign = |args: &[&str]| {
        let common = ["--secret-env", "SECRET", "event.json", "--now", RECEIVED];
        desk.run(["sign"].iter().chain(args).chain(&common).copied())
            .stdout
    };
    let copy = sign(&["my-stripe", "--config", "copy.toml"]);
    assert!(copy.starts_with("Stripe-Signature: "), "{copy}");
    assert_eq!(copy, sign(&["stripe"]));
}
