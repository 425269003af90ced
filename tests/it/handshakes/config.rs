//! Settings of handshakes in a configuration file.

use tower_webhook::{Config, NoteKind, Secret, Verifier, providers};

/// The mistake in an endpoint of Meta with this line.
fn mistake(line: &str) -> String {
    let text = format!(
        "[endpoints.pages]\nprovider = \"meta\"\nsecret = \"the-secret-of-the-app\"\n{line}"
    );
    Config::from_toml_str(&text).unwrap_err().to_string()
}

#[test]
fn mistakes_in_settings_are_named_and_not_shown() {
    let long = "x".repeat(1025);
    for (line, problem) in [
        (
            "verify_token = \"\"",
            "verify_token: it is empty; set it to the value that the provider knows",
        ),
        (
            "verify_token = [\"a\", \" \"]",
            "verify_token: it is empty; set it to the value that the provider knows",
        ),
        (
            "verify_token = []",
            "verify_token: the list is empty; write a value, or remove the setting",
        ),
        (
            "verify_token = \"s3cret \"",
            "verify_token: it has characters that cannot be sent, or white space around it; copy it again from the provider",
        ),
        (
            "verify_token = 5318008",
            "verify_token: a secret is text; put it in quotes",
        ),
        (
            "verify_token = { env = \"NO_SUCH_TOKEN_HERE\" }",
            "verify_token: secret: environment variable NO_SUCH_TOKEN_HERE is not set; set it to the value the provider shows",
        ),
        (
            "verify_tokn = \"t\"",
            "verify_tokn: unknown key; did you mean \"verify_token\"?",
        ),
        (
            "registration = \"open\"",
            "registration: unknown key, and provider meta has no such parameter; remove it",
        ),
        (
            "verify_token = \"t\"\nparams = { verify_token = \"t\" }",
            "params.verify_token: the setting is set twice; keep one",
        ),
    ] {
        assert_eq!(mistake(line), format!("endpoint \"pages\": {problem}"));
    }
    let problem = mistake(&format!("verify_token = \"{long}\""));
    assert!(
        problem
            .ends_with("it is longer than 1024 bytes; set it to the value that the provider knows")
    );
    for line in ["verify_token = \"s3cret \"", "verify_token = 5318008"] {
        let shown = mistake(line);
        assert!(
            !shown.contains("s3cret") && !shown.contains("5318008"),
            "{shown}"
        );
    }
}

#[test]
fn a_registration_is_open_or_closed() {
    let asana = |line: &str| {
        let text = format!(
            "[endpoints.hook]\nprovider = \"asana\"\nsecret = \"the-secret-of-the-hook\"\n{line}"
        );
        Config::from_toml_str(&text)
    };
    for (line, is_open) in [
        ("", false),
        ("registration = \"closed\"", false),
        ("registration = \"open\"", true),
    ] {
        let verifier = asana(line).unwrap().endpoint("hook").unwrap();
        assert_eq!(verifier.registration().is_open(), is_open, "{line}");
        let kinds: Vec<_> = verifier.notes().iter().map(|note| note.kind()).collect();
        assert_eq!(kinds.contains(&NoteKind::OpenRegistration), is_open);
    }
    let error = asana("registration = \"yes\"").unwrap_err().to_string();
    assert_eq!(
        error,
        "endpoint \"hook\": registration: expected \"open\" or \"closed\""
    );
}

/// A setting is a secret: nobody is told what it is.
#[test]
fn no_output_has_a_setting() {
    const TOKEN: &str = "t0ken-of-the-dashboard";
    let meta = providers::meta().with_handshake_setting("verify_token", Secret::new(TOKEN));
    let verifier = Verifier::new(meta.clone(), Secret::new("the-secret-of-the-app")).unwrap();
    let layer = tower_webhook::WebhookVerifyLayer::new(verifier.clone());
    let handshake = tower_webhook::handshake::HandshakeLayer::new(&layer);
    let shown = format!("{meta:?}{verifier:?}{layer:?}{handshake:?}");
    assert!(!shown.contains(TOKEN), "{shown}");
    assert_eq!(
        format!("{:?}", verifier.registration()),
        "Registration { is_open: false, .. }"
    );
}
