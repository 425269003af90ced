//! Configuration: every key that is documented, and the text of every class of mistake.

mod custom;
mod hidden;
mod mistakes;

use std::{
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{Request, StatusCode, request};
use http_body_util::Full;
use insta::assert_snapshot;
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use support::{NOW, at, hex, seconds};
use tower::{Layer, ServiceExt};
use tower_webhook::{
    Config, Provider, RejectionKind, Scheme, Secret, Signer, VerifiedEvent, Verifier,
    WebhookVerifyLayer, providers,
    scheme::{Algorithm, Encoding, SignatureFormat, Timestamp},
    verify::Head,
};

const SECRET: &str = "a-secret-of-some-length";
const SVIX_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn load(text: &str) -> Config {
    Config::from_toml_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn sign(provider: Provider, secret: &str, body: &str) -> request::Parts {
    let signer = Signer::new(provider, Secret::new(secret)).unwrap();
    let request = signer.with_time(at(NOW)).sign(Request::post("/"), body);
    request.unwrap().into_parts().0
}

fn verdict(
    verifier: &Verifier,
    head: &request::Parts,
    body: &str,
    at: SystemTime,
) -> Result<VerifiedEvent, RejectionKind> {
    let verdict = verifier.verify(&Head::from(head), body.to_owned(), at);
    verdict.map_err(|rejection| rejection.kind())
}

// ---- What a file can say
// ------------------------------------------------------------------------------------------

/// The file of the documentation, as far as its providers exist.
const FILE: &str = r#"
    [endpoints.code]
    provider = "github"
    secret   = { value = "a-secret-of-some-length" }

    [endpoints.vove]
    provider     = "voveid"
    family       = "kyc"
    secret       = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
    tolerance    = "10m"
    read_timeout = "7s"

    [endpoints.orders]
    provider = "acme"
    max_body = "2KiB"
    secrets  = [
        { id = "2026-11", value = "the-secret-of-november" },
        { id = "old", value = "the-secret-until-then", not_after = "2023-11-14T22:13:20Z" },
    ]

    [providers.acme]
    algorithm  = "hmac-sha256"
    signed     = "{ts}.{body}"
    signature  = { header = "X-Acme-Signature", fields = ",", field = "v1", encoding = "hex" }
    timestamp  = { field = "t", unit = "s", tolerance = "5m" }
    event_type = { json = "/type" }
    delivery_id   = { json = "/id" }
"#;

/// The custom provider of [`FILE`], written in code.
fn acme() -> Provider {
    let signature = SignatureFormat::fields("X-Acme-Signature", ',', "v1", Encoding::Hex);
    let scheme = Scheme::signed(Algorithm::HmacSha256, "{ts}.{body}", signature)
        .with_timestamp(Timestamp::field("t"));
    Provider::new("acme", scheme)
}

/// `[providers.acme]` that signs the body in `X-Sig`, with `lines` instead of the same keys or
/// beside them.
fn custom(lines: &str) -> String {
    let mut text = "[providers.acme]\n".to_owned();
    for (key, value) in [
        ("algorithm", "\"hmac-sha256\""),
        ("signed", "\"{body}\""),
        ("signature", "{ header = \"X-Sig\", encoding = \"hex\" }"),
    ] {
        if !lines
            .lines()
            .any(|line| line.trim_start().starts_with(&format!("{key} ")))
        {
            text.push_str(&format!("{key} = {value}\n"));
        }
    }
    text + lines
}

/// HMAC-SHA256 in hex, computed here.
fn mac(key: impl AsRef<[u8]>, content: &str) -> String {
    hex(mac_bytes(key, content))
}

fn headers(list: &[(&str, String)]) -> request::Parts {
    let request = list
        .iter()
        .fold(Request::post("/hooks?who=me"), |request, (name, value)| {
            request.header(*name, value)
        });
    request.body(()).unwrap().into_parts().0
}

fn mac_bytes(key: impl AsRef<[u8]>, content: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_ref()).unwrap();
    mac.update(content.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[test]
fn a_built_in_provider_is_taken_by_name() {
    let verifier = load(FILE).endpoint("code").unwrap();
    let head = sign(providers::github(), SECRET, "body");
    let event = verdict(&verifier, &head, "body", at(NOW)).unwrap();
    assert_eq!(event.provider(), "github");
    assert_eq!(event.endpoint(), Some("code"));
    assert_eq!(event.key_id(), None);
    let other = verdict(&verifier, &head, "other", at(NOW));
    assert_eq!(other.unwrap_err(), RejectionKind::SignatureMismatch);
}

#[test]
fn every_built_in_provider_is_known_by_its_name() {
    for name in support::FOUNDING {
        let mut text =
            format!("[endpoints.a]\nprovider = \"{name}\"\nsecret = \"{SVIX_SECRET}\"\n");
        let mut provider = providers::by_name(name).unwrap();
        if name == "authenteq" {
            text.push_str("client_id = \"7\"\n");
            provider = provider.with_param("client_id", "7");
        }
        let verifier = load(&text).endpoint("a").unwrap();
        assert_eq!(verifier.provider().name(), name);
        let head = sign(provider, SVIX_SECRET, "body");
        verdict(&verifier, &head, "body", at(NOW)).expect(name);
    }
}

#[test]
fn a_parameter_of_the_provider_and_the_tolerance_apply() {
    let verifier = load(FILE).endpoint("vove").unwrap();
    assert_eq!(verifier.endpoint(), Some("vove"));
    let body = r#"{"status":"successful","refId":"customer-7"}"#;
    let head = sign(providers::voveid(), SVIX_SECRET, body);
    let event = verdict(&verifier, &head, body, at(NOW) + seconds(600)).unwrap();
    assert_eq!(event.param("family"), Some("kyc"));
    assert_eq!(event.event_type(), Some("successful"));
    assert_eq!(
        verdict(&verifier, &head, body, at(NOW) + seconds(601)).unwrap_err(),
        RejectionKind::TimestampTooOld
    );

    let other = r#"{"status":"CLEARED","refId":"customer-7"}"#;
    let head = sign(providers::voveid(), SVIX_SECRET, other);
    let event = verdict(&verifier, &head, other, at(NOW)).unwrap();
    assert!(
        event.parse::<providers::voveid::Event>().is_err(),
        "family kyc, body aml"
    );
}

#[test]
fn tolerance_can_be_off() {
    let text = format!(
        "[endpoints.a]\nprovider = \"slack\"\nsecret = \"{SECRET}\"\ntolerance = \"off\"\n"
    );
    let verifier = load(&text).endpoint("a").unwrap();
    let head = sign(providers::slack(), SECRET, "body");
    for at in [UNIX_EPOCH, at(NOW) + seconds(1_000_000_000)] {
        verdict(&verifier, &head, "body", at).unwrap();
    }
}

#[test]
fn a_custom_provider_works_without_a_release() {
    let verifier = load(FILE).endpoint("orders").unwrap();
    assert_eq!(verifier.max_body(), 2048);
    let body = r#"{"type":"order.paid","id":17}"#;
    let head = sign(acme(), "the-secret-of-november", body);
    let event = verdict(&verifier, &head, body, at(NOW) + seconds(300)).unwrap();
    assert_eq!(event.provider(), "acme");
    assert_eq!(event.event_type(), Some("order.paid"));
    assert_eq!(event.delivery_id(), Some("17"));
    assert_eq!(event.timestamp(), Some(at(NOW)));
    assert_eq!(event.variant(), "hmac-sha256");
    assert_eq!(
        verdict(&verifier, &head, body, at(NOW) + seconds(301)).unwrap_err(),
        RejectionKind::TimestampTooOld
    );
}

#[test]
fn keys_are_rotated_by_id_and_window() {
    let verifier = load(FILE).endpoint("orders").unwrap();
    let key = |secret: &str, at| {
        let head = sign(acme(), secret, "body");
        let event = verdict(&verifier, &head, "body", at);
        event.map(|event| event.key_id().unwrap().to_owned())
    };
    let last = at(NOW);
    assert_eq!(
        key("the-secret-of-november", last),
        Ok("2026-11".to_owned())
    );
    assert_eq!(key("the-secret-until-then", last), Ok("old".to_owned()));
    let after = last + seconds(1);
    assert_eq!(
        key("the-secret-of-november", after),
        Ok("2026-11".to_owned())
    );
    assert_eq!(
        key("the-secret-until-then", after),
        Err(RejectionKind::KeyOutsideWindow)
    );
    assert_eq!(
        key("a-secret-of-nobody", last),
        Err(RejectionKind::SignatureMismatch)
    );
}

#[test]
fn a_key_is_not_valid_before_its_window() {
    let verifier = load(
        r#"
        [endpoints.a]
        provider = "github"
        secrets = [
            { id = "new", value = "the-secret-of-november", not_before = "2023-11-14T23:13:20+01:00" },
            { id = "now", value = "a-secret-of-some-length" },
        ]
        "#,
    )
    .endpoint("a")
    .unwrap();
    let head = sign(providers::github(), "the-secret-of-november", "body");
    let early = verdict(&verifier, &head, "body", at(NOW) - seconds(1));
    assert_eq!(early.unwrap_err(), RejectionKind::KeyOutsideWindow);
    let event = verdict(&verifier, &head, "body", at(NOW)).unwrap();
    assert_eq!(event.key_id(), Some("new"));
}

#[test]
fn the_longest_body_can_be_written_in_many_ways() {
    for (size, bytes) in [
        ("1000", 1000),
        ("\"1000\"", 1000),
        ("\"64KiB\"", 65_536),
        ("\"64 kB\"", 64_000),
        ("\"25MiB\"", 26_214_400),
        ("\"1.5MiB\"", 1_572_864),
    ] {
        let text = format!(
            "[endpoints.a]\nprovider = \"github\"\nsecret = \"{SECRET}\"\nmax_body = {size}\n"
        );
        assert_eq!(
            load(&text).endpoint("a").unwrap().max_body(),
            bytes,
            "{size}"
        );
    }
}

// ---- Where secrets are
// --------------------------------------------------------------------------------------------

fn github_with(secret: &str) -> String {
    format!("[endpoints.kyc]\nprovider = \"github\"\nsecret = {secret}\n")
}

fn accepts_secret(config: &str, secret: &str) -> Result<(), String> {
    let config = Config::from_toml_str(config).map_err(|error| error.to_string())?;
    let verifier = config.endpoint("kyc").map_err(|error| error.to_string())?;
    let head = sign(providers::github(), secret, "body");
    let verdict = verdict(&verifier, &head, "body", at(NOW));
    verdict.map(drop).map_err(|kind| kind.to_string())
}

#[test]
fn a_secret_is_read_out_of_a_file_less_one_line_ending() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let config = github_with(&format!("{{ file = {path:?} }}"));
    for (ending, accepted) in [
        ("", true),
        ("\n", true),
        ("\r\n", true),
        ("\n\n", false),
        ("\r\n\r\n", false),
        ("\n\r\n", false),
        ("\r", false),
        (" ", false),
        (" \n", false),
        ("\t", false),
    ] {
        std::fs::write(&path, format!("{SECRET}{ending}")).unwrap();
        let read = accepts_secret(&config, SECRET);
        assert_eq!(read.is_ok(), accepted, "{ending:?}: {read:?}");
        if let Err(problem) = read {
            assert!(
                problem.ends_with("it begins or ends with white space; remove it"),
                "{problem}"
            );
        }
    }
}

/// Runs one test of this file again as a process of its own, in which `secret` is set.
fn in_a_child(test: &str, secret: impl AsRef<std::ffi::OsStr>, expect: &str) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("config::{test}"), "--test-threads=1"])
        .env("TOWER_WEBHOOK_TEST_SECRET", secret)
        .env("TOWER_WEBHOOK_TEST_EXPECT", expect)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[test]
fn a_secret_is_read_out_of_the_environment_less_one_line_ending() {
    let config = github_with("{ env = \"TOWER_WEBHOOK_TEST_SECRET\" }");
    if let Ok(expect) = std::env::var("TOWER_WEBHOOK_TEST_EXPECT") {
        let read = accepts_secret(&config, SECRET);
        assert_eq!(read.err().unwrap_or_default(), expect);
        return;
    }
    let test = "a_secret_is_read_out_of_the_environment_less_one_line_ending";
    for ending in ["", "\n", "\r\n"] {
        in_a_child(test, format!("{SECRET}{ending}"), "");
    }
    let place = "endpoint \"kyc\": secret (environment variable TOWER_WEBHOOK_TEST_SECRET): ";
    for ending in ["\n\n", "\r\n\r\n", " ", "\r"] {
        let problem = format!("{place}it begins or ends with white space; remove it");
        in_a_child(test, format!("{SECRET}{ending}"), &problem);
    }
    let empty = format!("{place}it is empty; set it to the value the provider shows");
    in_a_child(test, "", &empty);
    in_a_child(test, "\n", &empty);
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        in_a_child(
            test,
            std::ffi::OsStr::from_bytes(b"a-secret-that-is-\xff-not-unicode"),
            "endpoint \"kyc\": secret: environment variable TOWER_WEBHOOK_TEST_SECRET is not valid Unicode; set it to the value the provider shows",
        );
    }
}

#[test]
fn a_secret_in_the_file_itself_is_taken_as_it_stands() {
    for secret in [
        format!("\"{SECRET}\""),
        format!("'{SECRET}'"),
        format!("{{ value = \"{SECRET}\" }}"),
    ] {
        assert_eq!(
            accepts_secret(&github_with(&secret), SECRET),
            Ok(()),
            "{secret}"
        );
    }
    // What is taken off a file is not taken off here.
    assert!(accepts_secret(&github_with(&format!("\"{SECRET}\\n\"")), SECRET).is_err());
}

#[test]
fn eight_secrets_are_allowed() {
    let secrets: Vec<String> = (0..8).map(|n| format!("\"{SECRET}-{n}\"")).collect();
    let config = format!(
        "[endpoints.kyc]\nprovider = \"github\"\nsecrets = [{}]\n",
        secrets.join(", ")
    );
    for n in 0..8 {
        assert_eq!(accepts_secret(&config, &format!("{SECRET}-{n}")), Ok(()));
    }
    assert!(accepts_secret(&config, SECRET).is_err());
}

#[test]
fn secrets_are_read_again_whenever_an_endpoint_is_built() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "the-first-of-the-secrets").unwrap();
    let config = load(&github_with(&format!("{{ file = {path:?} }}")));
    std::fs::write(&path, SECRET).unwrap();
    let verifier = config.endpoint("kyc").unwrap();
    let head = sign(providers::github(), SECRET, "body");
    verdict(&verifier, &head, "body", at(NOW)).unwrap();
}

// ---- Where configuration is
// ---------------------------------------------------------------------------------------

#[test]
fn a_file_is_read_by_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("webhooks.toml");
    std::fs::write(&path, FILE).unwrap();
    let config = Config::from_path(&path).unwrap();
    let names: Vec<&str> = config.endpoints().collect();
    assert_eq!(names, ["code", "orders", "vove"]);
    assert_eq!(config.endpoint("orders").unwrap().provider().name(), "acme");
}

#[test]
fn an_error_in_a_file_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("webhooks.toml");
    let problem = |path: &std::path::Path| {
        let text = Config::from_path(path).unwrap_err().to_string();
        text.replace(&*folder.path().to_string_lossy(), "FOLDER")
    };
    assert_snapshot!(problem(&path), @"FOLDER/webhooks.toml: cannot be read: No such file or directory (os error 2)");
    std::fs::write(
        &path,
        "[endpoints.kyc]\nprovider = \"github\"\nsecrets = []\n",
    )
    .unwrap();
    assert_snapshot!(problem(&path), @r#"FOLDER/webhooks.toml: endpoint "kyc": secret: none is set; set at least one"#);
}

#[test]
fn an_empty_file_has_no_endpoints() {
    assert_eq!(load("").endpoints().count(), 0);
}

const JSON: &str = r#"{
    "endpoints": {
        "orders": {
            "provider": "acme",
            "secrets": [{ "id": "a", "value": "a-secret-of-some-length" }, "another-secret-of-length"],
            "max_body": 1000,
            "tolerance": "1h"
        }
    },
    "providers": {
        "acme": {
            "algorithm": "hmac-sha256",
            "signed": "{ts}.{body}",
            "signature": { "header": "X-Acme-Signature", "fields": ",", "field": "v1", "encoding": "hex" },
            "timestamp": { "field": "t" }
        }
    }
}"#;

#[test]
fn configuration_comes_from_any_format() {
    let config: Config = serde_json::from_str(JSON).unwrap();
    config.check().unwrap();
    let verifier = config.endpoint("orders").unwrap();
    assert_eq!(verifier.max_body(), 1000);
    let head = sign(acme(), SECRET, "body");
    let event = verdict(&verifier, &head, "body", at(NOW) + seconds(3600)).unwrap();
    assert_eq!(event.key_id(), Some("a"));
}

#[test]
fn a_mistake_in_another_format_shows_when_it_is_checked() {
    let damaged = JSON.replace("another-secret-of-length", " ");
    let config: Config = serde_json::from_str(&damaged).unwrap();
    let problem = config.check().unwrap_err().to_string();
    assert_eq!(
        problem,
        "endpoint \"orders\": secret: it is blank; set it to the value the provider shows"
    );
    assert!(config.layer("orders").is_err());

    let unknown = JSON.replace("\"max_body\"", "\"max_size\"");
    let config: Config = serde_json::from_str(&unknown).unwrap();
    let error = config.check().unwrap_err();
    assert!(error.to_string().contains("max_size"), "{error}");
}

#[test]
fn configuration_stands_inside_the_settings_of_an_application() {
    #[derive(serde::Deserialize)]
    struct Settings {
        listen: String,
        webhooks: Config,
    }
    let indented = r#"
        listen = "127.0.0.1:3000"

        [webhooks.endpoints.code]
        provider = "github"
        secret   = "a-secret-of-some-length"
    "#;
    let settings: Settings = toml::from_str(indented).unwrap();
    assert_eq!(settings.listen, "127.0.0.1:3000");
    settings.webhooks.check().unwrap();
    let verifier = settings.webhooks.endpoint("code").unwrap();
    let head = sign(providers::github(), SECRET, "body");
    verdict(&verifier, &head, "body", at(NOW)).unwrap();
}

// ---- The layer
// ----------------------------------------------------------------------------------------------------

/// How the layer answers a signed request, and its handler with `status`.
async fn answer(
    layer: &WebhookVerifyLayer,
    head: request::Parts,
    status: StatusCode,
) -> StatusCode {
    let handler = tower::service_fn(move |_: Request<Full<Bytes>>| async move {
        let mut response = http::Response::new(());
        *response.status_mut() = status;
        Ok::<_, std::convert::Infallible>(response)
    });
    let request = Request::from_parts(head, Full::from("body"));
    layer
        .layer(handler)
        .oneshot(request)
        .await
        .unwrap()
        .status()
}

#[tokio::test]
async fn the_layer_is_that_of_the_endpoint() {
    let config = load(FILE);
    let layer = config.layer("code").unwrap();
    let good = sign(providers::github(), SECRET, "body");
    let bad = sign(providers::github(), "another-secret-of-length", "body");
    assert_eq!(
        answer(&layer, good, StatusCode::ACCEPTED).await,
        StatusCode::ACCEPTED
    );
    assert_eq!(
        answer(&layer, bad, StatusCode::ACCEPTED).await,
        StatusCode::UNAUTHORIZED
    );
}

/// A body that never comes.
struct Never;

impl http_body::Body for Never {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

impl From<Bytes> for Never {
    fn from(_: Bytes) -> Self {
        Self
    }
}

/// How long the layer waits for a body that never comes.
async fn patience(layer: &WebhookVerifyLayer, head: request::Parts) -> Duration {
    let handler = tower::service_fn(|_: Request<Never>| async {
        Ok::<_, std::convert::Infallible>(http::Response::new(()))
    });
    let begun = tokio::time::Instant::now();
    let request = Request::from_parts(head, Never);
    let response = layer.layer(handler).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    // tokio's timers count whole milliseconds.
    Duration::from_secs(begun.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn read_timeout_is_the_endpoints_else_the_providers() {
    let file = |endpoint: &str, provider: &str| {
        let text = format!(
            "[endpoints.a]\nprovider = \"acme\"\nsecret = \"{SECRET}\"\n{endpoint}\n{}",
            custom(provider)
        );
        load(&text).layer("a").unwrap()
    };
    for (layer, expected) in [
        (file("", ""), 10),
        (file("", "read_timeout = \"1m\""), 60),
        (file("read_timeout = \"7s\"", "read_timeout = \"1m\""), 7),
        (file("read_timeout = \"1h30m\"", ""), 5400),
    ] {
        let head = headers(&[("x-sig", mac(SECRET, "body"))]);
        assert_eq!(patience(&layer, head).await, seconds(expected));
    }
}

#[tokio::test]
async fn success_status_replaces_another_success() {
    let text = format!(
        "[endpoints.a]\nprovider = \"acme\"\nsecret = \"{SECRET}\"\n{}",
        custom("success_status = 200")
    );
    let layer = load(&text).layer("a").unwrap();
    for (said, answered) in [
        (StatusCode::ACCEPTED, StatusCode::OK),
        (StatusCode::CONFLICT, StatusCode::CONFLICT),
    ] {
        let head = headers(&[("x-sig", mac(SECRET, "body"))]);
        assert_eq!(answer(&layer, head, said).await, answered);
    }
}
