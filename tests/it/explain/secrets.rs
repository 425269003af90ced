//! Secrets as files, shells and terminals have them, and which of several is named.

use support::{NOW, at};
use tower_webhook::{
    Secret,
    explain::{Secrets, Verdict},
};

use super::{
    faults::{Case, JSON, SECRET, WHSEC, check, provider},
    written::changed,
};

fn github() -> Case {
    Case::of(provider("github"), SECRET, JSON)
}

#[test]
fn a_value_that_can_be_guessed_is_no_other_secret() {
    let file = "DEBUG=1\nNODE_ENV=production\nPORT=30001234\nTZ=Europe\nMODE=short-1\n";
    for value in ["1", "production", "30001234", "Europe", "short-1"] {
        let mut case = Case::of(provider("github"), value, JSON);
        let secrets = Secrets::new(Secret::new("another-secret-of-some-length"));
        case.secrets = secrets.with_env_file(file);
        let report = case.explained();
        assert_eq!(report.verdict(), Verdict::Unexplained, "{value}: {report}");
    }
}

#[test]
fn a_key_outside_its_window_is_named_beside_other_causes() {
    let keys = |mut case: Case, text: &str| {
        let old = Secret::new(text).with_id("old").with_not_after(at(NOW - 1));
        let secrets = vec![Secret::new("another-secret-of-some-length"), old];
        case.secrets = Secrets::new(secrets);
        case
    };
    let stripe = Case::of(provider("stripe"), WHSEC, JSON).late(90_000);
    check(vec![
        (
            "the body",
            keys(changed(r#"{"a": 1}"#, r#"{"a":1}"#), SECRET),
            "key-outside-window:old|json:python",
            "",
        ),
        (
            "the secret",
            keys(github(), "\"a-secret-of-some-length\""),
            "key-outside-window:old|secret-quoted",
            "",
        ),
        (
            "the time",
            keys(stripe, WHSEC),
            "key-outside-window:old|timestamp-old",
            "",
        ),
    ]);
}

/// A request that is signed with one secret, at an endpoint that is configured with a text.
fn configured(text: &str) -> Case {
    github().secret(text)
}

#[test]
fn what_files_shells_and_terminals_make_of_a_secret_is_named() {
    let rows = [
        ("SECRET # of the tests", "secret-comment"),
        ("# of the tests\nSECRET", "secret-comment"),
        ("SECRET\\n", "secret-escaped"),
        ("SECRET,", "secret-copied-mark"),
        ("\"SECRET\",", "secret-copied-mark"),
        ("SECRET%", "secret-copied-mark"),
        ("SECRETSECRET", "secret-copied-mark"),
        ("WEBHOOK = SECRET", "secret-assignment"),
        ("export WEBHOOK='SECRET';", "secret-assignment"),
        ("$env:WEBHOOK=\"SECRET\"", "secret-assignment"),
        ("secret: SECRET", "secret-assignment"),
        ("PORT=1\nWEBHOOK=SECRET\n", "secret-assignment"),
        ("\u{1b}[200~SECRET\u{1b}[201~", "secret-invisible-character"),
        ("\u{2068}SECRET\u{2069}", "secret-invisible-character"),
        ("&quot;SECRET&quot;", "secret-escaped|secret-quoted"),
    ];
    for (text, cause) in rows {
        let report = configured(&text.replace("SECRET", SECRET)).explained();
        let found = report.cause().unwrap_or_default();
        let also = report.also().any(|name| name == cause);
        assert!(found == cause || also, "{text}: {report}");
        assert_eq!(report.verdict(), Verdict::Proven, "{text}: {report}");
    }
}

#[test]
fn a_reading_of_the_own_secret_comes_before_another_secret() {
    let mut case = configured("\"a-secret-of-some-length\"");
    case.secrets = case
        .secrets
        .with_env_file("GITHUB_SECRET=a-secret-of-some-length\n");
    let report = case.explained();
    assert_eq!(report.cause(), Some("secret-quoted"), "{report}");
    assert!(
        report
            .also()
            .any(|name| name == "other-secret:GITHUB_SECRET"),
        "{report}"
    );
}

#[test]
fn secrets_that_are_too_many_are_not_left_out_silently() {
    let with = |count: usize| {
        let mut case = configured("another-secret-of-some-length");
        for number in 1..count {
            let other = Secret::new(format!("another-secret-{number}"));
            case.secrets = case.secrets.with_other(format!("V{number}"), other);
        }
        case.secrets = case.secrets.with_other("GOOD", Secret::new(SECRET));
        case.explained()
    };
    assert_eq!(with(Secrets::MAX_OTHERS).cause(), Some("other-secret:GOOD"));
    let more = with(Secrets::MAX_OTHERS + 1);
    let left_out: Vec<_> = more.tried().left_out().collect();
    assert!(
        left_out.iter().any(|text| text.contains("first 256")),
        "{more}"
    );
}
