//! Configuration: every key that is documented, and the text of every class of mistake.

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
use tower::{Layer, ServiceExt};
use tower_webhook::{
    Config, Provider, RejectionKind, Secret, Signer, VerifiedEvent, Verifier, WebhookVerifyLayer,
    providers,
    scheme::{Algorithm, Encoding, Scheme, Signature, Timestamp},
    verify::Head,
};

const SECRET: &str = "a-secret-of-some-length";
const SVIX_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// 1 700 000 000 seconds after 1970.
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn load(text: &str) -> Config {
    Config::from_toml_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn sign(provider: Provider, secret: &str, body: &str) -> request::Parts {
    let signer = Signer::new(provider, Secret::new(secret)).unwrap();
    let request = signer.with_time(now()).sign(Request::post("/"), body);
    request.unwrap().into_parts().0
}

fn verdict(
    verifier: &Verifier,
    head: &request::Parts,
    body: &str,
    at: SystemTime,
) -> Result<VerifiedEvent, RejectionKind> {
    let verdict = verifier.verify(&Head::of(head), body.to_owned(), at);
    verdict.map_err(|rejection| rejection.kind())
}

// ---- What a file can say ------------------------------------------------------------------------------------------

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
    delivery   = { json = "/id" }
"#;

/// The custom provider of [`FILE`], written in code.
fn acme() -> Provider {
    let signature = Signature::fields("X-Acme-Signature", ',', "v1", Encoding::Hex);
    let scheme = Scheme::new(Algorithm::HmacSha256, "{ts}.{body}", signature)
        .with_timestamp(Timestamp::field("t"));
    Provider::new("acme", scheme)
}

#[test]
fn a_built_in_provider_is_taken_by_name() {
    let verifier = load(FILE).endpoint("code").unwrap();
    let head = sign(providers::github(), SECRET, "body");
    let event = verdict(&verifier, &head, "body", now()).unwrap();
    assert_eq!(event.provider(), "github");
    assert_eq!(event.endpoint(), Some("code"));
    assert_eq!(event.key_id(), None);
    let other = verdict(&verifier, &head, "other", now());
    assert_eq!(other.unwrap_err(), RejectionKind::SignatureMismatch);
}

#[test]
fn every_built_in_provider_is_known_by_its_name() {
    for name in providers::names() {
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
        verdict(&verifier, &head, "body", now()).expect(name);
    }
}

#[test]
fn a_parameter_of_the_provider_and_the_tolerance_apply() {
    let verifier = load(FILE).endpoint("vove").unwrap();
    assert_eq!(verifier.endpoint(), Some("vove"));
    let body = r#"{"status":"successful","refId":"customer-7"}"#;
    let head = sign(providers::voveid(), SVIX_SECRET, body);
    let event = verdict(&verifier, &head, body, now() + seconds(600)).unwrap();
    assert_eq!(event.param("family"), Some("kyc"));
    assert_eq!(event.event_type(), Some("successful"));
    assert_eq!(
        verdict(&verifier, &head, body, now() + seconds(601)).unwrap_err(),
        RejectionKind::TimestampTooOld
    );

    let other = r#"{"status":"CLEARED","refId":"customer-7"}"#;
    let head = sign(providers::voveid(), SVIX_SECRET, other);
    let event = verdict(&verifier, &head, other, now()).unwrap();
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
    for at in [UNIX_EPOCH, now() + seconds(1_000_000_000)] {
        verdict(&verifier, &head, "body", at).unwrap();
    }
}

#[test]
fn a_custom_provider_works_without_a_release() {
    let verifier = load(FILE).endpoint("orders").unwrap();
    assert_eq!(verifier.max_body(), 2048);
    let body = r#"{"type":"order.paid","id":17}"#;
    let head = sign(acme(), "the-secret-of-november", body);
    let event = verdict(&verifier, &head, body, now() + seconds(300)).unwrap();
    assert_eq!(event.provider(), "acme");
    assert_eq!(event.event_type(), Some("order.paid"));
    assert_eq!(event.delivery_id(), Some("17"));
    assert_eq!(event.timestamp(), Some(now()));
    assert_eq!(event.construction(), "hmac-sha256");
    assert_eq!(
        verdict(&verifier, &head, body, now() + seconds(301)).unwrap_err(),
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
    let last = now();
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
    let early = verdict(&verifier, &head, "body", now() - seconds(1));
    assert_eq!(early.unwrap_err(), RejectionKind::KeyOutsideWindow);
    let event = verdict(&verifier, &head, "body", now()).unwrap();
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

// ---- Where secrets are --------------------------------------------------------------------------------------------

fn github_with(secret: &str) -> String {
    format!("[endpoints.kyc]\nprovider = \"github\"\nsecret = {secret}\n")
}

fn accepts_secret(config: &str, secret: &str) -> Result<(), String> {
    let config = Config::from_toml_str(config).map_err(|error| error.to_string())?;
    let verifier = config.endpoint("kyc").map_err(|error| error.to_string())?;
    let head = sign(providers::github(), secret, "body");
    let verdict = verdict(&verifier, &head, "body", now());
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
            "endpoint \"kyc\": secret: environment variable TOWER_WEBHOOK_TEST_SECRET is not \
             Unicode; set it again to the value the provider shows",
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
    verdict(&verifier, &head, "body", now()).unwrap();
}

// ---- Where configuration is ---------------------------------------------------------------------------------------

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
    std::fs::write(&path, "[endpoints.kyc]\nprovider = \"github\"\n").unwrap();
    assert_snapshot!(problem(&path), @r#"FOLDER/webhooks.toml: endpoint "kyc": secret: there is none; set at least one"#);
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
    let event = verdict(&verifier, &head, "body", now() + seconds(3600)).unwrap();
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
    let error = serde_json::from_str::<Config>(&unknown).unwrap_err();
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
    verdict(&verifier, &head, "body", now()).unwrap();
}

// ---- The layer ----------------------------------------------------------------------------------------------------

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

// ---- Custom providers, key by key ---------------------------------------------------------------------------------

/// `[providers.acme]` that signs the body in `X-Sig`, with `lines` instead of the same keys or beside them.
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

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn mac_bytes(key: impl AsRef<[u8]>, content: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_ref()).unwrap();
    mac.update(content.as_bytes());
    mac.finalize().into_bytes().to_vec()
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

/// What an endpoint with `endpoint` and a provider with `provider` says to a request with the body `body`.
fn custom_verdict(
    endpoint: &str,
    provider: &str,
    list: &[(&str, String)],
) -> Result<VerifiedEvent, RejectionKind> {
    let secret = if endpoint.contains("secret ") {
        String::new()
    } else {
        format!("secret = \"{SECRET}\"")
    };
    let text = format!(
        "[endpoints.a]\nprovider = \"acme\"\n{secret}\n{endpoint}\n{}",
        custom(provider)
    );
    verdict(
        &load(&text).endpoint("a").unwrap(),
        &headers(list),
        "body",
        now(),
    )
}

fn accepted(endpoint: &str, provider: &str, list: &[(&str, String)]) -> VerifiedEvent {
    custom_verdict(endpoint, provider, list)
        .unwrap_or_else(|kind| panic!("{kind}: {endpoint} {provider} {list:?}"))
}

fn refused(endpoint: &str, provider: &str, list: &[(&str, String)]) -> RejectionKind {
    match custom_verdict(endpoint, provider, list) {
        Ok(_) => panic!("accepted: {endpoint} {provider} {list:?}"),
        Err(kind) => kind,
    }
}

#[test]
fn every_signature_grammar_can_be_configured() {
    let good = mac(SECRET, "body");
    let bad = "00".repeat(32);
    let signature = |grammar: &str| format!("signature = {{ header = \"X-Sig\", {grammar} }}");
    let hex = "encoding = \"hex\"";
    for (grammar, right, wrong, kind) in [
        (
            String::new(),
            good.clone(),
            format!("sha256={good}"),
            RejectionKind::MalformedSignature,
        ),
        (
            ", prefix = \"sha256=\"".to_owned(),
            format!("sha256={good}"),
            good.clone(),
            RejectionKind::MalformedSignature,
        ),
        (
            ", list = \" \", prefix = \"v1,\"".to_owned(),
            format!("v1,{bad} v2,{bad} v1,{good}"),
            format!("v1,{bad} v2,{good}"),
            RejectionKind::SignatureMismatch,
        ),
        (
            ", list = \";\"".to_owned(),
            format!("{bad};{good}"),
            format!("{bad},{good}"),
            RejectionKind::MalformedSignature,
        ),
        (
            ", fields = \",\", field = \"s\"".to_owned(),
            format!("t=1,s={good}"),
            format!("t=1,v={good}"),
            RejectionKind::MalformedSignature,
        ),
        (
            ", fields = \";\", field = \"s\"".to_owned(),
            format!("t=1;s={good}"),
            format!("t=1;s={bad}"),
            RejectionKind::SignatureMismatch,
        ),
        (
            ", fields = \",\", field = \"s\", sets = \" \"".to_owned(),
            format!("t=1,s={bad} t=1,s={good}"),
            format!("t=1,s={bad} t=1,v={good}"),
            RejectionKind::SignatureMismatch,
        ),
        (
            ", positional = \",\"".to_owned(),
            format!("{bad},{good}"),
            bad.clone(),
            RejectionKind::SignatureMismatch,
        ),
        (
            ", positional = \",\", first = 1".to_owned(),
            format!("x,{good}"),
            format!("{good},{bad}"),
            RejectionKind::SignatureMismatch,
        ),
    ] {
        let provider = signature(&format!("{hex}{grammar}"));
        accepted("", &provider, &[("x-sig", right)]);
        assert_eq!(
            refused("", &provider, &[("x-sig", wrong)]),
            kind,
            "{grammar}"
        );
    }
}

#[test]
fn a_signature_may_have_several_lines_or_headers() {
    let good = mac(SECRET, "body");
    let bad = "00".repeat(32);
    let lines = [("x-sig", bad.clone()), ("x-sig", good.clone())];
    accepted(
        "",
        "signature = { header = \"X-Sig\", encoding = \"hex\", repeats = true }",
        &lines,
    );
    assert_eq!(refused("", "", &lines), RejectionKind::RepeatedHeader);

    let either = "signature = { headers = [\"X-One\", \"X-Two\"], encoding = \"hex\" }";
    accepted("", either, &[("x-one", good.clone())]);
    accepted("", either, &[("x-two", good.clone())]);
    accepted("", either, &[("x-one", bad), ("x-two", good.clone())]);
    assert_eq!(
        refused("", either, &[("x-sig", good)]),
        RejectionKind::MissingHeader
    );
}

#[test]
fn every_encoding_of_a_signature_can_be_configured() {
    // These bytes have both letters in which the two alphabets differ.
    let (body, bytes) = (0..)
        .map(|n| (format!("{n}"), mac_bytes(SECRET, &format!("{n}body"))))
        .find(|(_, bytes)| {
            let text = STANDARD.encode(bytes);
            text.contains('+') && text.contains('/')
        })
        .unwrap();
    let spelled = |encoding: &str| match encoding {
        "hex" => hex(&bytes),
        "base64" => STANDARD.encode(&bytes),
        _ => STANDARD.encode(&bytes).replace('+', "-").replace('/', "_"),
    };
    for (configured, read) in [
        ("hex", &["hex"][..]),
        ("base64", &["base64"]),
        ("base64url", &["base64url"]),
        ("hex-or-base64", &["hex", "base64"]),
    ] {
        for sent in ["hex", "base64", "base64url"] {
            let provider = format!(
                "signed = \"{body}{{body}}\"\nsignature = {{ header = \"X-Sig\", encoding = \"{configured}\" }}"
            );
            let verdict = custom_verdict("", &provider, &[("x-sig", spelled(sent))]);
            assert_eq!(verdict.is_ok(), read.contains(&sent), "{configured} {sent}");
        }
    }
}

#[test]
fn every_algorithm_can_be_configured() {
    // Over "body" with the key "a-secret-of-some-length", by openssl.
    let keyed = "signed = \"{body}\"";
    let content = "signed = \"{body}{secret}\"";
    for (algorithm, signed, signature) in ALGORITHMS {
        let signed = if *signed { content } else { keyed };
        let provider = format!("algorithm = \"{algorithm}\"\n{signed}");
        let endpoint = if *algorithm == "unauthenticated-sha256" {
            "# no secret "
        } else {
            ""
        };
        let event = accepted(endpoint, &provider, &[("x-sig", (*signature).to_owned())]);
        assert_eq!(event.construction(), *algorithm);
        let other = signature.replace('a', "b");
        assert_ne!(*signature, other);
        assert_eq!(
            refused(endpoint, &provider, &[("x-sig", other)]),
            RejectionKind::SignatureMismatch
        );
    }
}

/// Algorithm, whether the secret is part of the content, and the signature that openssl computes.
const ALGORITHMS: &[(&str, bool, &str)] = &[
    (
        "hmac-sha256",
        false,
        "222ae91d97ce2d51d2741e6a9d6fd2c1cafdd18f3ee155a22018034f2b13f519",
    ),
    (
        "hmac-sha512",
        false,
        "9d7e392d06e73eac32991b76c7425aaf00b93eff352126ed093cf40d3af3331306f17b38824f1e60650646064bf48ade6ebd4d1cbb534ab4e82f9c4ce399d312",
    ),
    (
        "hmac-sha1",
        false,
        "3a08bfa590d020a7042cacf3986944782ca18e0e",
    ),
    ("hmac-md5", false, "3a5f084797c57b27d26889a4fb10522d"),
    (
        "sha256",
        true,
        "06b1f6e5e87ff350544d3eb3ad73bc63caf157cc945114ee39ab348e22576351",
    ),
    (
        "sha512",
        true,
        "a71df83a2e70f14bcbfe9847efc52b6b5891b3318359b7f80f69b34ae2a67421472d6082a0ba702dd52b69258fe7c1b2c450fdc95b5a526798dc0b73ac6f443e",
    ),
    ("sha1", true, "d3a357ec296c385bc04b97ec9cd4b85170c201ac"),
    (
        "unauthenticated-sha256",
        false,
        "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5",
    ),
];

#[test]
fn every_unit_of_a_timestamp_can_be_configured() {
    for (unit, text, wrong) in [
        (None, "1700000000", "1700000000000"),
        (Some("s"), "1700000000", "2023-11-14T22:13:20Z"),
        (Some("ms"), "1700000000999", "1700000000"),
        (Some("rfc3339"), "2023-11-14T23:13:20+01:00", "1700000000"),
        (
            Some("imf-fixdate"),
            "Tue, 14 Nov 2023 22:13:20 GMT",
            "1700000000",
        ),
    ] {
        let unit = unit
            .map(|unit| format!(", unit = \"{unit}\""))
            .unwrap_or_default();
        let provider =
            format!("signed = \"{{ts}}.{{body}}\"\ntimestamp = {{ header = \"X-Time\"{unit} }}");
        let request = |text: &str| {
            [
                ("x-sig", mac(SECRET, &format!("{text}.body"))),
                ("x-time", text.to_owned()),
            ]
        };
        accepted("", &provider, &request(text));
        refused("", &provider, &request(wrong));
    }
}

#[test]
fn the_window_of_a_timestamp_can_be_configured() {
    for (window, past, future) in [
        ("", 300, 300),
        (", tolerance = \"10m\"", 600, 600),
        (", tolerance = \"10m\", future = \"0s\"", 600, 0),
        (", future = \"1s\"", 300, 1),
        (", tolerance = \"1m\", future = \"off\"", 60, 1_000_000),
        (", tolerance = \"off\"", 1_000_000, 1_000_000),
        (", tolerance = \"off\", future = \"1m\"", 1_000_000, 60),
    ] {
        let provider =
            format!("signed = \"{{ts}}.{{body}}\"\ntimestamp = {{ header = \"X-Time\"{window} }}");
        let request = |time: u64| {
            [
                ("x-sig", mac(SECRET, &format!("{time}.body"))),
                ("x-time", time.to_string()),
            ]
        };
        let now = 1_700_000_000;
        accepted("", &provider, &request(now - past));
        accepted("", &provider, &request(now + future));
        if past < 1_000_000 {
            let old = refused("", &provider, &request(now - past - 1));
            assert_eq!(old, RejectionKind::TimestampTooOld, "{window}");
        }
        if future < 1_000_000 {
            let ahead = refused("", &provider, &request(now + future + 1));
            assert_eq!(ahead, RejectionKind::TimestampInFuture, "{window}");
        }
        // The endpoint has the last word.
        accepted("tolerance = \"off\"", &provider, &request(now - 2_000_000));
        refused("tolerance = \"2s\"", &provider, &request(now - 3));
    }
}

#[test]
fn a_timestamp_may_be_a_field_of_the_signature() {
    let good = mac(SECRET, "1700000000.body");
    let named = "signed = \"{ts}.{body}\"
        signature = { header = \"X-Sig\", fields = \",\", field = \"v1\", encoding = \"hex\" }
        timestamp = { field = \"t\" }";
    let event = accepted("", named, &[("x-sig", format!("t=1700000000,v1={good}"))]);
    assert_eq!(event.timestamp(), Some(now()));
    let placed = "signed = \"{ts}.{body}\"
        signature = { header = \"X-Sig\", positional = \",\", first = 1, encoding = \"hex\" }
        timestamp = { field = \"0\" }";
    accepted("", placed, &[("x-sig", format!("1700000000,{good}"))]);
}

#[test]
fn every_form_of_a_key_can_be_configured() {
    let bytes: Vec<u8> = (1..=20).collect();
    let base64 = STANDARD.encode(&bytes);
    let unpadded = base64.trim_end_matches('=').to_owned();
    let sha256 = Sha256::digest(SECRET).to_vec();
    // printf a-secret-of-some-length | openssl sha1
    let sha1: Vec<u8> = (0..20)
        .map(|n| u8::from_str_radix(&SECRET_SHA1[2 * n..2 * n + 2], 16).unwrap())
        .collect();
    for (format, secret, key) in [
        ("{}", SECRET, SECRET.as_bytes()),
        ("{ encoding = \"text\" }", SECRET, SECRET.as_bytes()),
        ("{ encoding = \"base64\" }", &base64, &bytes),
        ("{ encoding = \"base64\" }", &unpadded, &bytes),
        (
            "{ encoding = \"base64\", prefix = \"key_\" }",
            &format!("key_{base64}"),
            &bytes,
        ),
        ("{ encoding = \"hex\" }", &hex(&bytes), &bytes),
        ("{ prefix = \"a-secret-\" }", SECRET, b"of-some-length"),
        ("{ derive = \"sha256\" }", SECRET, &sha256),
        ("{ derive = \"sha1\" }", SECRET, &sha1),
        (
            "{ encoding = \"hex\", min_bytes = 20 }",
            &hex(&bytes),
            &bytes,
        ),
    ] {
        let endpoint = format!("secret = \"{secret}\"");
        let provider = format!("key = {format}");
        accepted(&endpoint, &provider, &[("x-sig", mac(key, "body"))]);
        let other = refused(
            &endpoint,
            &provider,
            &[("x-sig", mac("another key", "body"))],
        );
        assert_eq!(other, RejectionKind::SignatureMismatch, "{format}");
    }
}

const SECRET_SHA1: &str = "e17232f0516a6aa7e52ea1b4bc4eac7d5232f8e5";

#[test]
fn required_headers_equal_text_or_a_parameter() {
    let provider = "require = [
        { header = \"X-Version\", equals = \"v2\" },
        { header = \"X-Client\", equals = \"id-{param:client_id}\" },
    ]";
    let request = |version: &str, client: &str| {
        [
            ("x-sig", mac(SECRET, "body")),
            ("x-version", version.to_owned()),
            ("x-client", client.to_owned()),
        ]
    };
    for endpoint in ["client_id = \"7\"", "params = { client_id = \"7\" }"] {
        accepted(endpoint, provider, &request("v2", "id-7"));
        for (version, client) in [("v1", "id-7"), ("v2", "id-8"), ("v2", "7"), ("v2", "")] {
            let kind = refused(endpoint, provider, &request(version, client));
            assert_eq!(kind, RejectionKind::UnexpectedHeader, "{version} {client}");
        }
        let missing = refused(endpoint, provider, &request("v2", "id-7")[..2]);
        assert_eq!(missing, RejectionKind::MissingHeader);
    }
}

#[test]
fn the_address_is_signed_as_registered() {
    let provider = "signed = \"{url}|{body}\"";
    let url = "https://example.com/hooks?who=me";
    let request = [("x-sig", mac(SECRET, &format!("{url}|body")))];
    accepted(&format!("url = \"{url}\""), provider, &request);
    accepted(
        &format!("params = {{ url = \"{url}\" }}"),
        provider,
        &request,
    );
    let other = refused("url = \"https://example.com/hooks\"", provider, &request);
    assert_eq!(other, RejectionKind::SignatureMismatch);
}

#[test]
fn further_parameters_stand_in_params() {
    let provider = "signed = \"{param:tenant}.{param:region|lower}.{body}\"";
    let endpoint = "params = { tenant = \"T1\", region = \"EU\" }";
    accepted(endpoint, provider, &[("x-sig", mac(SECRET, "T1.eu.body"))]);
    refused(endpoint, provider, &[("x-sig", mac(SECRET, "T1.EU.body"))]);
    // The same parameter in both places, and equal, is no mistake.
    let provider = "require = [{ header = \"X-Client\", equals = \"{param:client_id}\" }]";
    let endpoint = "client_id = \"7\"\nparams = { client_id = \"7\" }";
    let request = [("x-sig", mac(SECRET, "body")), ("x-client", "7".to_owned())];
    accepted(endpoint, provider, &request);
}

#[test]
fn headers_may_come_in_families() {
    let provider = "signed = \"{header:a-id}.{body}\"
        signature = { header = \"a-sig\", encoding = \"hex\" }
        header_families = [\"a-\", \"b-\"]";
    let good = mac(SECRET, "7.body");
    accepted(
        "",
        provider,
        &[("a-sig", good.clone()), ("a-id", "7".to_owned())],
    );
    accepted(
        "",
        provider,
        &[("b-sig", good.clone()), ("b-id", "7".to_owned())],
    );
    let mixed = refused(
        "",
        provider,
        &[("a-sig", good.clone()), ("b-id", "7".to_owned())],
    );
    assert_eq!(mixed, RejectionKind::MissingHeader);
    let third = refused("", provider, &[("c-sig", good), ("c-id", "7".to_owned())]);
    assert_eq!(third, RejectionKind::MissingHeader);
}

#[test]
fn a_provider_may_really_sign_less_than_the_body() {
    let good = [("x-sig", mac(SECRET, "7")), ("x-id", "7".to_owned())];
    let bad = [("x-sig", mac(SECRET, "7")), ("x-id", "8".to_owned())];
    let partial = "signed = \"{header:X-Id}\"\ncovers = \"partial\"";
    accepted("", partial, &good);
    assert_eq!(refused("", partial, &bad), RejectionKind::SignatureMismatch);
    // The default can be written too.
    accepted("", "covers = \"body\"", &[("x-sig", mac(SECRET, "body"))]);
}

#[test]
fn type_and_id_of_an_event_stand_where_the_provider_says() {
    for (place, body, expected) in [
        (
            "{ json = \"/a/b\" }",
            r#"{"a":{"b":"value"}}"#,
            Some("value"),
        ),
        ("{ json = \"/a/b\" }", "not json", None),
        (
            "{ form = \"kind\" }",
            "x=1&kind=some+value",
            Some("some value"),
        ),
        ("{ header = \"X-Kind\" }", "body", Some("from the header")),
        ("{ header = \"X-Other\" }", "body", None),
    ] {
        for key in ["event_type", "delivery"] {
            let text = format!(
                "[endpoints.a]\nprovider = \"acme\"\nsecret = \"{SECRET}\"\n{}",
                custom(&format!("{key} = {place}"))
            );
            let verifier = load(&text).endpoint("a").unwrap();
            let head = headers(&[
                ("x-sig", mac(SECRET, body)),
                ("x-kind", "from the header".to_owned()),
            ]);
            let event = verdict(&verifier, &head, body, now()).unwrap();
            let found = match key {
                "event_type" => [event.event_type(), event.delivery_id()],
                _ => [event.delivery_id(), event.event_type()],
            };
            assert_eq!(found, [expected, None], "{key} {place} {body}");
        }
    }
}

#[test]
fn limits_and_docs_are_the_providers_until_the_endpoint_says_otherwise() {
    let build = |endpoint: &str, provider: &str| {
        let text = format!(
            "[endpoints.a]\nprovider = \"acme\"\nsecret = \"{SECRET}\"\n{endpoint}\n{}",
            custom(provider)
        );
        load(&text).endpoint("a").unwrap()
    };
    assert_eq!(build("", "").max_body(), 1 << 20);
    assert_eq!(build("", "max_body = \"4MiB\"").max_body(), 4 << 20);
    assert_eq!(build("max_body = 10", "max_body = \"4MiB\"").max_body(), 10);
    let provider = build("", "docs = \"https://example.com/signing\"")
        .provider()
        .clone();
    assert_eq!(provider.docs(), Some("https://example.com/signing"));
    assert_eq!(provider.success_status(), None);
    assert_eq!(provider.read_timeout(), seconds(10));
}

#[test]
fn a_construction_can_be_named() {
    let good = [("x-sig", mac(SECRET, "body"))];
    for construction in ["hmac-sha256", "auto"] {
        let event = accepted(&format!("construction = \"{construction}\""), "", &good);
        assert_eq!(event.construction(), "hmac-sha256");
    }
}

// ---- Mistakes -----------------------------------------------------------------------------------------------------

/// The text about a mistake at `key` of the endpoint `kyc`, which has `lines`.
fn of_endpoint(key: &str, lines: &str) -> String {
    mistake(
        "endpoint \"kyc\"",
        key,
        &format!("[endpoints.kyc]\n{lines}\n"),
    )
}

/// As [`of_endpoint`], of an endpoint of GitHub with a good secret.
fn of_github(key: &str, line: &str) -> String {
    of_endpoint(
        key,
        &format!("provider = \"github\"\nsecret = \"{SECRET}\"\n{line}"),
    )
}

/// The text about the secret of an endpoint of GitHub.
fn of_secret(secret: &str) -> String {
    of_endpoint(
        "secret",
        &format!("provider = \"github\"\nsecret = {secret}"),
    )
}

/// The text about a mistake at `key` of the provider `acme`, which has `lines`.
fn of_custom(key: &str, lines: &str) -> String {
    mistake("provider \"acme\"", key, &custom(lines))
}

/// The text about a mistake, which must name the place and the key.
fn mistake(place: &str, key: &str, text: &str) -> String {
    let problem = match Config::from_toml_str(text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(error) => error.to_string(),
    };
    assert!(!problem.contains('\n'), "more than one line: {problem}");
    assert!(problem.contains(place), "does not name {place}: {problem}");
    assert!(problem.contains(key), "does not name {key}: {problem}");
    problem
}

#[test]
fn mistake_unknown_key() {
    assert_snapshot!(of_github("tolerence", "tolerence = \"5m\""), @r#"endpoint "kyc": unknown field `tolerence`, expected one of `provider`, `secret`, `secrets`, `construction`, `tolerance`, `max_body`, `read_timeout`, `url`, `client_id`, `family`, `missing_status`, `params`, `key`"#);
    assert_snapshot!(of_secret("{ enviroment = \"X\" }"), @r#"endpoint "kyc": secret: unknown field `enviroment`, expected one of `env`, `file`, `value`, `id`, `not_before`, `not_after`"#);
    assert_snapshot!(of_custom("algo", "algo = \"hmac-sha256\""), @r#"provider "acme": unknown field `algo`, expected one of `algorithm`, `signed`, `signature`, `timestamp`, `key`, `require`, `header_families`, `covers`, `event_type`, `delivery`, `max_body`, `read_timeout`, `retry_horizon`, `time_limit`, `success_status`, `docs`"#);
    assert_snapshot!(of_custom("timestamp", "timestamp = { headr = \"X-Time\" }"), @r#"provider "acme": timestamp: unknown field `headr`, expected one of `header`, `field`, `unit`, `tolerance`, `future`"#);
    assert_snapshot!(mistake("line 3", "endpoint", "\n\n[endpoint.kyc]\nprovider = \"github\"\n"), @"line 3: unknown field `endpoint`, expected one of `endpoints`, `providers`, `deliveries`");
}

#[test]
fn mistake_missing_key() {
    assert_snapshot!(of_endpoint("provider", "secret = \"a-secret-of-some-length\""), @r#"endpoint "kyc": missing field `provider`"#);
    assert_snapshot!(mistake("provider \"acme\"", "algorithm", "[providers.acme]\nsigned = \"{body}\"\nsignature = { header = \"X\", encoding = \"hex\" }\n"), @r#"provider "acme": missing field `algorithm`"#);
    assert_snapshot!(of_custom("signature", "signature = { header = \"X-Sig\" }"), @r#"provider "acme": signature: missing field `encoding`"#);
}

#[test]
fn mistake_unknown_provider() {
    let provider = |name: &str| {
        of_endpoint(
            "provider",
            &format!("provider = \"{name}\"\nsecret = \"{SECRET}\""),
        )
    };
    assert_snapshot!(provider("vove"), @r#"endpoint "kyc": provider: "vove" is unknown; did you mean "voveid"?"#);
    assert_snapshot!(provider("GitHub"), @r#"endpoint "kyc": provider: "GitHub" is unknown; did you mean "github"?"#);
    assert_snapshot!(provider("standardwebhooks"), @r#"endpoint "kyc": provider: "standardwebhooks" is unknown; did you mean "standard-webhooks"?"#);
    assert_snapshot!(provider("zzz"), @r#"endpoint "kyc": provider: "zzz" is unknown; there are authenteq, authento, github, idenfy, shopify, slack, standard-webhooks, stripe, svix, voveid"#);
    let near_custom = format!(
        "[endpoints.kyc]\nprovider = \"acne\"\nsecret = \"{SECRET}\"\n{}",
        custom("")
    );
    assert_snapshot!(mistake("endpoint \"kyc\"", "provider", &near_custom), @r#"endpoint "kyc": provider: "acne" is unknown; did you mean "acme"?"#);
}

#[test]
fn mistake_unknown_endpoint() {
    let config = load(FILE);
    assert_snapshot!(config.endpoint("ordres").unwrap_err(), @r#"endpoint "ordres" is not configured; did you mean "orders"?"#);
    assert_snapshot!(config.layer("zzz").unwrap_err(), @r#"endpoint "zzz" is not configured; there are code, orders, vove"#);
    assert_snapshot!(load("").endpoint("kyc").unwrap_err(), @r#"endpoint "kyc" is not configured; there is none"#);
}

#[test]
fn mistake_unset_variable() {
    assert_snapshot!(of_secret("{ env = \"TOWER_WEBHOOK_TEST_UNSET\" }"), @r#"endpoint "kyc": secret: environment variable TOWER_WEBHOOK_TEST_UNSET is not set; set it to the value the provider shows"#);
    assert_snapshot!(of_secret("{ env = \"\" }"), @r#"endpoint "kyc": secret: the environment variable is not set, or this is the secret and not its name; it is not shown here"#);
}

#[test]
fn a_secret_file_may_have_almost_64_kibibytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    for (length, fits) in [(64 * 1024 - 1, true), (64 * 1024, false)] {
        std::fs::write(&path, "x".repeat(length)).unwrap();
        let text =
            format!("[endpoints.kyc]\nprovider = \"github\"\nsecret = {{ file = {path:?} }}\n");
        assert_eq!(Config::from_toml_str(&text).is_ok(), fits, "{length}");
    }
}

#[test]
fn a_secret_in_the_place_of_its_whereabouts_is_not_shown() {
    for (place, shown) in [
        ("env = \"0A1B2C3D4E5F60718293A4B5\"", None),
        ("env = \"A1B2C3D4E5F60718293A4B5\"", None),
        ("env = \"GEZDGNBVGY3TQOJQ\"", None),
        ("env = \"whsec_MfKQ9r8GKYqrTwjU\"", None),
        ("env = \"NOT_SET_2026\"", Some("NOT_SET_2026")),
        ("env = \"NOTSET\"", Some("NOTSET")),
        ("file = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"", None),
        ("file = \"sixteen-letters-\"", None),
        ("file = \"MfKQ9r8GKYqrTwjUPD/ILPZIo2LaLaSw\"", None),
        ("file = \"secrets/idenfy\"", Some("secrets/idenfy")),
        ("file = \"fifteen-letters\"", Some("fifteen-letters")),
        (
            "file = \"/run/secrets/not-there\"",
            Some("/run/secrets/not-there"),
        ),
        (
            "file = \"not-there-at-all.key\"",
            Some("not-there-at-all.key"),
        ),
    ] {
        let text = of_secret(&format!("{{ {place} }}"));
        let (_, named) = place.split_once(" = ").unwrap();
        let named = named.trim_matches('"');
        assert_eq!(text.contains(named), shown.is_some(), "{text}");
    }
}

#[test]
fn mistake_unreadable_file() {
    let folder = tempfile::tempdir().unwrap();
    let problem = |name: &str| {
        let path = folder.path().join(name);
        let problem = of_secret(&format!("{{ file = {path:?} }}"));
        problem.replace(&*folder.path().to_string_lossy(), "FOLDER")
    };
    std::fs::write(folder.path().join("image.png"), [0xff, 0xd8, 0xff]).unwrap();
    std::fs::write(folder.path().join("large"), "x".repeat(64 * 1024)).unwrap();
    std::fs::write(folder.path().join("padded"), "a-secret-of-some-length \n").unwrap();
    assert_snapshot!(problem("missing"), @r#"endpoint "kyc": secret: file FOLDER/missing cannot be read: No such file or directory (os error 2)"#);
    assert_snapshot!(problem("image.png"), @r#"endpoint "kyc": secret: file FOLDER/image.png cannot be read: stream did not contain valid UTF-8"#);
    assert_snapshot!(problem("large"), @r#"endpoint "kyc": secret: file FOLDER/large is too large to be a secret; name the right file"#);
    assert_snapshot!(problem("padded"), @r#"endpoint "kyc": secret (file FOLDER/padded): it begins or ends with white space; remove it"#);
}

#[test]
fn mistake_empty_blank_or_padded_secret() {
    assert_snapshot!(of_secret("\"\""), @r#"endpoint "kyc": secret: it is empty; set it to the value the provider shows"#);
    assert_snapshot!(of_secret("{ value = \"\" }"), @r#"endpoint "kyc": secret: it is empty; set it to the value the provider shows"#);
    assert_snapshot!(of_secret("\" \\t\""), @r#"endpoint "kyc": secret: it is blank; set it to the value the provider shows"#);
    assert_snapshot!(of_secret("\" a-secret-of-some-length\""), @r#"endpoint "kyc": secret: it begins or ends with white space; remove it"#);
    assert_snapshot!(of_secret("\"a-secret-of-some-length\\n\""), @r#"endpoint "kyc": secret: it begins or ends with white space; remove it"#);
}

#[test]
fn mistake_undecodable_or_short_secret() {
    let svix = |secret: &str| {
        of_endpoint(
            "secret",
            &format!("provider = \"svix\"\nsecret = \"{secret}\""),
        )
    };
    assert_snapshot!(svix("whsec_not*base64*at*all"), @r#"endpoint "kyc": secret: it is not base64 after "whsec_"; copy it again from the provider"#);
    assert_snapshot!(svix("whsec_AAAA"), @r#"endpoint "kyc": secret: it has 3 bytes once decoded, and 16 is the least; copy the whole secret"#);
    assert_snapshot!(svix("whsec_"), @r#"endpoint "kyc": secret: it has 0 bytes once decoded, and 16 is the least; copy the whole secret"#);
    let custom = |key: &str, secret: &str| {
        let text = format!(
            "[endpoints.kyc]\nprovider = \"acme\"\nsecret = \"{secret}\"\n{}",
            custom(&format!("key = {key}"))
        );
        mistake("endpoint \"kyc\"", "secret", &text)
    };
    assert_snapshot!(custom("{ encoding = \"hex\" }", "0123456789abcdefg"), @r#"endpoint "kyc": secret: it is not hex; copy it again from the provider"#);
    assert_snapshot!(custom("{ min_bytes = 30 }", SECRET), @r#"endpoint "kyc": secret: it has 23 bytes once decoded, and 30 is the least; copy the whole secret"#);
    assert_snapshot!(custom("{ prefix = \"key_\" }", "key_"), @r#"endpoint "kyc": secret: it has 0 bytes once decoded, and 1 is the least; copy the whole secret"#);
}

#[test]
fn mistake_number_of_secrets() {
    assert_snapshot!(of_endpoint("secret", "provider = \"github\""), @r#"endpoint "kyc": secret: there is none; set at least one"#);
    assert_snapshot!(of_endpoint("secret", "provider = \"github\"\nsecrets = []"), @r#"endpoint "kyc": secret: there is none; set at least one"#);
    assert_snapshot!(of_github("secrets", "secrets = [\"another-secret-of-length\"]"), @r#"endpoint "kyc": secret and secrets exclude each other; put all of them into secrets"#);
    let nine = ["\"a-secret-of-some-length\""; 9].join(", ");
    assert_snapshot!(of_endpoint("secrets", &format!("provider = \"github\"\nsecrets = [{nine}]")), @r#"endpoint "kyc": secrets: there are 9, and 8 is the most; remove old ones"#);
}

#[test]
fn mistake_form_of_a_secret() {
    assert_snapshot!(of_secret("{}"), @r#"endpoint "kyc": secret: nothing says where it is; add env, file or value"#);
    assert_snapshot!(of_secret("{ id = \"new\" }"), @r#"endpoint "kyc": secret "new": nothing says where it is; add env, file or value"#);
    assert_snapshot!(of_secret("{ env = \"A\", file = \"b\" }"), @r#"endpoint "kyc": secret: env, file and value exclude each other; keep one"#);
    assert_snapshot!(of_secret("12345678901234567"), @r#"endpoint "kyc": secret: a secret is text; put it in quotes"#);
    assert_snapshot!(of_secret("{ value = 12345678901234567 }"), @r#"endpoint "kyc": secret.value: a secret is text; put it in quotes"#);
    assert_snapshot!(of_secret("1.5"), @r#"endpoint "kyc": secret: a secret is text; put it in quotes"#);
    assert_snapshot!(of_secret("true"), @r#"endpoint "kyc": secret: invalid type: boolean `true`, expected a secret: text in quotes, { env = … } or { file = … }"#);
    assert_snapshot!(of_secret("[\"a-secret-of-some-length\"]"), @r#"endpoint "kyc": secret: invalid type: sequence, expected a secret: text in quotes, { env = … } or { file = … }"#);
    assert_snapshot!(of_endpoint("secrets", "provider = \"github\"\nsecrets = \"a-secret-of-some-length\""), @r#"endpoint "kyc": secrets: text where there should be a list in square brackets"#);
    assert_snapshot!(of_endpoint("secrets", "provider = \"github\"\nsecrets = { new = \"a-secret-of-some-length\" }"), @r#"endpoint "kyc": secrets: invalid type: map, expected a list in square brackets"#);
}

/// The text about one of two secrets.
fn of_rotation(key: &str, second: &str) -> String {
    let lines = format!(
        "provider = \"github\"\nsecrets = [{{ id = \"new\", value = \"{SECRET}\" }}, {{ id = \"old\", {second} }}]"
    );
    let text = of_endpoint(key, &lines);
    assert!(text.contains("\"old\""), "does not name the secret: {text}");
    text
}

#[test]
fn mistake_in_one_of_several_secrets() {
    assert_snapshot!(of_rotation("secret", "value = \"\""), @r#"endpoint "kyc": secret "old": it is empty; set it to the value the provider shows"#);
    assert_snapshot!(of_rotation("secret", "env = \"TOWER_WEBHOOK_TEST_UNSET\""), @r#"endpoint "kyc": secret "old": environment variable TOWER_WEBHOOK_TEST_UNSET is not set; set it to the value the provider shows"#);
    assert_snapshot!(of_rotation("not_after", "value = \"another-secret-of-length\", not_before = \"2026-12-02T00:00:00Z\", not_after = \"2026-12-01T00:00:00Z\""), @r#"endpoint "kyc": secret "old": not_after lies before not_before; exchange them"#);
    assert_snapshot!(of_rotation("not_after", "value = \"another-secret-of-length\", not_after = \"2026-12-01\""), @r#"endpoint "kyc": secret "old": not_after: "2026-12-01" is not an instant; write it as in "2026-12-01T00:00:00Z""#);
    assert_snapshot!(of_rotation("not_before", "value = \"another-secret-of-length\", not_before = \"tomorrow\""), @r#"endpoint "kyc": secret "old": not_before: "tomorrow" is not an instant; write it as in "2026-12-01T00:00:00Z""#);
}

#[test]
fn an_instant_may_be_a_date_of_toml() {
    let head = sign(providers::github(), SECRET, "body");
    let text = format!(
        "[endpoints.kyc]\nprovider = \"github\"\nsecrets = [\n{{ value = \"{SECRET}\", not_after = 2026-12-01T00:00:00Z }},\n\
         {{ value = \"another-secret-of-some-length\" }}]\n"
    );
    let verifier = load(&text).endpoint("kyc").unwrap();
    let last = UNIX_EPOCH + seconds(1_796_083_200);
    assert!(verdict(&verifier, &head, "body", last).is_ok());
    assert_eq!(
        verdict(&verifier, &head, "body", last + seconds(1)).unwrap_err(),
        RejectionKind::KeyOutsideWindow
    );
}

#[test]
fn mistake_instant() {
    let secret = |rest: &str| of_secret(&format!("{{ value = \"{SECRET}\", {rest} }}"));
    // Without an offset nobody knows which instant it is.
    assert_snapshot!(secret("not_after = 2026-12-01"), @r#"endpoint "kyc": secret: not_after: "2026-12-01" is not an instant; write it as in "2026-12-01T00:00:00Z""#);
    assert_snapshot!(secret("not_after = { year = 2026 }"), @r#"endpoint "kyc": secret.not_after: a table where there should be text in quotes"#);
}

#[test]
fn mistake_duration() {
    let slack = |line: &str| {
        let key = line.split(' ').next().unwrap();
        of_endpoint(
            key,
            &format!("provider = \"slack\"\nsecret = \"{SECRET}\"\n{line}"),
        )
    };
    assert_snapshot!(slack("tolerance = \"5 bananas\""), @r#"endpoint "kyc": tolerance: "5 bananas" is not a duration; write a number and a unit, as in "30s", "5m" or "1h"; or "off""#);
    assert_snapshot!(slack("tolerance = 300"), @r#"endpoint "kyc": tolerance: "300" is not a duration; write a number and a unit, as in "30s", "5m" or "1h"; or "off""#);
    assert_snapshot!(slack("tolerance = \"-5m\""), @r#"endpoint "kyc": tolerance: "-5m" is not a duration; write a number and a unit, as in "30s", "5m" or "1h"; or "off""#);
    assert_snapshot!(slack("tolerance = \"\""), @r#"endpoint "kyc": tolerance: "" is not a duration; write a number and a unit, as in "30s", "5m" or "1h"; or "off""#);
    assert_snapshot!(slack("read_timeout = \"off\""), @r#"endpoint "kyc": read_timeout: "off" is not a duration; write a number and a unit, as in "30s", "5m" or "1h""#);
    assert_snapshot!(slack("read_timeout = \"0s\""), @r#"endpoint "kyc": read_timeout: "0s" leaves a body no time to arrive; write more, as in "10s""#);
    assert_snapshot!(of_custom("read_timeout", "read_timeout = \"soon\""), @r#"provider "acme": read_timeout: "soon" is not a duration; write a number and a unit, as in "30s", "5m" or "1h""#);
    assert_snapshot!(of_custom("tolerance", "timestamp = { header = \"X-Time\", tolerance = \"5\" }"), @r#"provider "acme": timestamp: tolerance: "5" is not a duration; write a number and a unit, as in "30s", "5m" or "1h"; or "off""#);
    assert_snapshot!(of_custom("future", "timestamp = { header = \"X-Time\", future = \"5\" }"), @r#"provider "acme": timestamp: future: "5" is not a duration; write a number and a unit, as in "30s", "5m" or "1h"; or "off""#);
}

#[test]
fn mistake_size() {
    assert_snapshot!(of_github("max_body", "max_body = \"25 MegaBananas\""), @r#"endpoint "kyc": max_body: "25 MegaBananas" is not a size; write a number and a unit, as in "64KiB" or "25MiB""#);
    assert_snapshot!(of_github("max_body", "max_body = 0"), @r#"endpoint "kyc": max_body: "0" is not a size; write a number and a unit, as in "64KiB" or "25MiB""#);
    assert_snapshot!(of_github("max_body", "max_body = -1"), @r#"endpoint "kyc": max_body: "-1" is not a size; write a number and a unit, as in "64KiB" or "25MiB""#);
    assert_snapshot!(of_github("max_body", "max_body = \"\""), @r#"endpoint "kyc": max_body: "" is not a size; write a number and a unit, as in "64KiB" or "25MiB""#);
    assert_snapshot!(of_custom("max_body", "max_body = \"lots\""), @r#"provider "acme": max_body: "lots" is not a size; write a number and a unit, as in "64KiB" or "25MiB""#);
}

#[test]
fn mistake_status() {
    assert_snapshot!(of_custom("success_status", "success_status = 404"), @r#"provider "acme": success_status: 404 is not a success; write one from 200 to 299"#);
    assert_snapshot!(of_custom("success_status", "success_status = 70000"), @r#"provider "acme": success_status: 70000 is not a success; write one from 200 to 299"#);
}

#[test]
fn mistake_in_signed_content() {
    let signed = |template: &str| of_custom("signed", &format!("signed = \"{template}\""));
    assert_snapshot!(signed(""), @r#"provider "acme": signed: it is empty; write what is signed, as in "{body}""#);
    assert_snapshot!(signed("{boddy}"), @r#"provider "acme": signed: unknown token {boddy}; the tokens are {body}, {ts}, {secret}, {method}, {path}, {url}, {header:Name}, {field:name}, {query:name}, {json:/pointer}, {form:name}, {param:name}"#);
    assert_snapshot!(signed("{header}.{body}"), @r#"provider "acme": signed: unknown token {header}; the tokens are {body}, {ts}, {secret}, {method}, {path}, {url}, {header:Name}, {field:name}, {query:name}, {json:/pointer}, {form:name}, {param:name}"#);
    assert_snapshot!(signed("{header:not a name}.{body}"), @r#"provider "acme": signed: "not a name" is not a header name"#);
    assert_snapshot!(signed("{json:id}.{body}"), @r#"provider "acme": signed: "id" is not a JSON pointer; it starts with a slash, as in /data/id"#);
    assert_snapshot!(signed("{body|sha512hex}"), @r#"provider "acme": signed: unknown filter "sha512hex"; the filters are sha256hex, jsonstr, lower, hubspot_decode"#);
    assert_snapshot!(signed("{body"), @r#"provider "acme": signed: a { is not closed; write {{ for a brace that is signed as it stands"#);
    assert_snapshot!(signed("body}"), @r#"provider "acme": signed: a } was never opened; write }} for a brace that is signed as it stands"#);
    assert_snapshot!(signed("{header:X-Id}"), @r#"provider "acme": signed: it does not cover the body as it is; add {body}, or say covers = "partial" if the provider really signs no more"#);
    assert_snapshot!(signed("{body|lower}"), @r#"provider "acme": signed: it does not cover the body as it is; add {body}, or say covers = "partial" if the provider really signs no more"#);
    assert_snapshot!(signed("{ts}.{body}"), @r#"provider "acme": signed: {ts} needs a timestamp; say where it stands"#);
    assert_snapshot!(signed("{field:t}.{body}"), @r#"provider "acme": signed: the signature header has no field "t"; use a header, or a signature with fields"#);
    assert_snapshot!(of_custom("signed", "algorithm = \"sha256\"\nsigned = \"{body}\""), @r#"provider "acme": signed: sha256 has no key of its own, so anybody could compute it; add {secret} where the provider puts it"#);
    assert_snapshot!(of_custom("signed", "algorithm = \"unauthenticated-sha256\"\nsigned = \"{body}{secret}\""), @r#"provider "acme": signed: unauthenticated-sha256 is for content without a secret; use sha256"#);
}

#[test]
fn mistake_in_a_signature() {
    let signature = |inside: &str| of_custom("signature", &format!("signature = {{ {inside} }}"));
    assert_snapshot!(signature("encoding = \"hex\""), @r#"provider "acme": signature: nothing says where it stands; add header"#);
    assert_snapshot!(signature("header = \"X-Sig\", headers = [\"X-Two\"], encoding = \"hex\""), @r#"provider "acme": signature: header and headers exclude each other; keep one"#);
    assert_snapshot!(signature("headers = [], encoding = \"hex\""), @r#"provider "acme": signature: headers is empty; name one at least"#);
    assert_snapshot!(signature("header = \"not a name\", encoding = \"hex\""), @r#"provider "acme": signature: "not a name" is not a header name"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"base32\""), @r#"provider "acme": signature: unknown encoding "base32"; use hex, base64, base64url or hex-or-base64"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", list = \",\", fields = \",\""), @r#"provider "acme": signature: list, fields and positional exclude each other; keep one"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", fields = \",\""), @r#"provider "acme": signature: fields needs field too: the name of the one with the signature"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", fields = \",\", field = \"\""), @r#"provider "acme": signature: the field has no name; write the one before the = sign"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", field = \"v1\""), @r#"provider "acme": signature: field goes with fields only; remove it"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", sets = \" \""), @r#"provider "acme": signature: sets goes with fields only; remove it"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", first = 1"), @r#"provider "acme": signature: first goes with positional only; remove it"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", list = \", \""), @r#"provider "acme": signature: list: ", " is not one character"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", list = \"a\""), @r#"provider "acme": signature: 'a' cannot separate signatures in hex; use a punctuation mark that is no part of them, or a space"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", list = \",\", prefix = \"v1,\""), @r#"provider "acme": signature: "v1," holds the separator ',', so it would never be found"#);
    assert_snapshot!(signature("header = \"X-Sig\", encoding = \"hex\", positional = \",\", prefix = \"v1=\""), @r#"provider "acme": signature: prefix goes with a whole value or a list; remove it"#);
}

#[test]
fn mistake_in_another_part_of_a_provider() {
    assert_snapshot!(of_custom("algorithm", "algorithm = \"hmac-sha3\""), @r#"provider "acme": algorithm: unknown algorithm "hmac-sha3"; use one of hmac-sha256, hmac-sha512, hmac-sha1, hmac-md5, sha256, sha512, sha1, unauthenticated-sha256"#);
    assert_snapshot!(of_custom("timestamp", "timestamp = {}"), @r#"provider "acme": timestamp: nothing says where it stands; add header or field"#);
    assert_snapshot!(of_custom("timestamp", "timestamp = { header = \"X-Time\", field = \"t\" }"), @r#"provider "acme": timestamp: header and field exclude each other; keep one"#);
    assert_snapshot!(of_custom("timestamp", "timestamp = { header = \"X-Time\", unit = \"minutes\" }"), @r#"provider "acme": timestamp: unknown time unit "minutes"; use s, ms, rfc3339 or imf-fixdate"#);
    assert_snapshot!(of_custom("timestamp", "timestamp = { header = \"not a name\" }"), @r#"provider "acme": timestamp: "not a name" is not a header name"#);
    assert_snapshot!(of_custom("timestamp", "timestamp = { field = \"t\" }"), @r#"provider "acme": timestamp: the signature header has no field "t"; use a header, or a signature with fields"#);
    assert_snapshot!(of_custom("key", "key = { encoding = \"base32\" }"), @r#"provider "acme": key: unknown encoding "base32"; use text, base64 or hex"#);
    assert_snapshot!(of_custom("key", "key = { derive = \"md5\" }"), @r#"provider "acme": key: unknown derivation "md5"; use sha1 or sha256"#);
    assert_snapshot!(of_custom("require", "require = [{ header = \"not a name\", equals = \"v1\" }]"), @r#"provider "acme": require: "not a name" is not a header name"#);
    assert_snapshot!(of_custom("require", "require = [{ header = \"X-Version\", equals = \"\" }]"), @r#"provider "acme": require: header "X-Version" is compared with nothing; say what it must equal"#);
    assert_snapshot!(of_custom("require", "require = [{ header = \"X-Version\", equals = \"{body}\" }]"), @r#"provider "acme": require: header "X-Version" can be compared with text and {param:name}, not with {body}"#);
    assert_snapshot!(of_custom("require", "require = [{ header = \"X-Version\" }]"), @r#"provider "acme": require: missing field `equals`"#);
    assert_snapshot!(of_custom("covers", "covers = \"some\""), @r#"provider "acme": covers: "some" is neither "body" nor "partial""#);
    assert_snapshot!(of_custom("event_type", "event_type = {}"), @r#"provider "acme": event_type: name exactly one of header, json and form"#);
    assert_snapshot!(of_custom("event_type", "event_type = { json = \"type\" }"), @r#"provider "acme": event_type: "type" is not a JSON pointer; it starts with a slash, as in /data/id"#);
    assert_snapshot!(of_custom("delivery", "delivery = { json = \"/id\", header = \"X-Id\" }"), @r#"provider "acme": delivery: name exactly one of header, json and form"#);
    assert_snapshot!(of_custom("delivery", "delivery = { header = \"not a name\" }"), @r#"provider "acme": delivery: "not a name" is not a header name"#);
}

#[test]
fn mistake_parameter_that_is_missing() {
    let missing = |key: &str, provider: &str| {
        let text = format!(
            "[endpoints.kyc]\nprovider = \"acme\"\nsecret = \"{SECRET}\"\n{}",
            custom(provider)
        );
        mistake("endpoint \"kyc\"", key, &text)
    };
    assert_snapshot!(missing("url", "signed = \"{url}{body}\""), @r#"endpoint "kyc": url: the scheme signs the address; set it as it is registered with the provider"#);
    assert_snapshot!(missing("tenant", "signed = \"{param:tenant}{body}\""), @r#"endpoint "kyc": params.tenant: the scheme needs it; set it to the value the provider shows"#);
    assert_snapshot!(missing("client_id", "require = [{ header = \"X-Client\", equals = \"{param:client_id}\" }]"), @r#"endpoint "kyc": params.client_id: the scheme needs it; set it to the value the provider shows"#);
}

#[test]
fn mistake_option_that_does_not_apply() {
    assert_snapshot!(of_github("tolerance", "tolerance = \"5m\""), @r#"endpoint "kyc": tolerance: provider github sends no timestamp that it could apply to; remove it"#);
    assert_snapshot!(of_github("family", "family = \"kyc\""), @r#"endpoint "kyc": family: provider github has no such parameter; remove it"#);
    assert_snapshot!(of_github("missing_status", "missing_status = \"passed\""), @r#"endpoint "kyc": missing_status: provider github has no such parameter; remove it"#);
    assert_snapshot!(of_github("client_id", "client_id = \"7\""), @r#"endpoint "kyc": client_id: provider github has no such parameter; remove it"#);
    assert_snapshot!(of_github("url", "url = \"https://example.com/hooks\""), @r#"endpoint "kyc": url: provider github has no such parameter; remove it"#);
    assert_snapshot!(of_github("params", "params = { tenant = \"7\" }"), @r#"endpoint "kyc": params.tenant: provider github has no such parameter; remove it"#);
    assert_snapshot!(of_github("construction", "construction = \"hmac-sha1\""), @r#"endpoint "kyc": construction: "hmac-sha1" is not one of provider github; it has hmac-sha256"#);
    let family = format!("provider = \"voveid\"\nsecret = \"{SVIX_SECRET}\"\nfamily = \"kyx\"");
    assert_snapshot!(of_endpoint("family", &family), @r#"endpoint "kyc": family: "kyx" is not one of kyc, aml, kyb"#);
    let missing_status = |value: &str| {
        format!("provider = \"authenteq\"\nsecret = \"{SECRET}\"\nclient_id = \"7\"\n{value}")
    };
    let own = missing_status("missing_status = \"failed\"");
    assert_snapshot!(of_endpoint("missing_status", &own), @r#"endpoint "kyc": missing_status: "failed" is not one of passed"#);
    let parameter = missing_status("params = { missing_status = \"\" }");
    assert_snapshot!(of_endpoint("missing_status", &parameter), @r#"endpoint "kyc": missing_status: "" is not one of passed"#);
    let twice = format!(
        "provider = \"voveid\"\nsecret = \"{SVIX_SECRET}\"\nfamily = \"kyc\"\nparams = {{ family = \"kyb\" }}"
    );
    assert_snapshot!(of_endpoint("family", &twice), @r#"endpoint "kyc": params.family: it is set twice, to different values; keep one"#);
}

#[test]
fn a_secret_that_proves_nothing_is_noted() {
    let keyless = format!(
        "[endpoints.kyc]\nprovider = \"acme\"\nsecret = \"{SECRET}\"\n{}",
        custom("algorithm = \"unauthenticated-sha256\"")
    );
    let verifier = Config::from_toml_str(&keyless)
        .unwrap()
        .endpoint("kyc")
        .unwrap();
    let notes: Vec<_> = verifier.secrets().notes().collect();
    assert_eq!(
        notes,
        ["an unauthenticated digest proves nothing about the sender: anybody can make one"]
    );
}

#[test]
fn mistake_wrong_type() {
    assert_snapshot!(of_endpoint("provider", "provider = 5"), @r#"endpoint "kyc": provider: invalid type: integer `5`, expected a string"#);
    assert_snapshot!(of_github("tolerance", "tolerance = true"), @r#"endpoint "kyc": tolerance: invalid type: boolean `true`, expected text in quotes"#);
    assert_snapshot!(of_github("max_body", "max_body = 1.5"), @r#"endpoint "kyc": max_body: invalid type: floating point `1.5`, expected text in quotes"#);
    assert_snapshot!(of_github("url", "url = 5"), @r#"endpoint "kyc": url: invalid type: integer `5`, expected a string"#);
    assert_snapshot!(of_github("params", "params = \"tenant\""), @r#"endpoint "kyc": params: text where there should be a table, as in { key = … }"#);
    assert_snapshot!(of_github("tenant", "params = { tenant = 7 }"), @r#"endpoint "kyc": params.tenant: invalid type: integer `7`, expected a string"#);
    assert_snapshot!(of_custom("algorithm", "algorithm = 256"), @r#"provider "acme": algorithm: invalid type: integer `256`, expected a string"#);
    assert_snapshot!(of_custom("signature", "signature = \"X-Sig\""), @r#"provider "acme": signature: text where there should be a table, as in { key = … }"#);
    assert_snapshot!(of_custom("timestamp", "timestamp = \"X-Time\""), @r#"provider "acme": timestamp: text where there should be a table, as in { key = … }"#);
    assert_snapshot!(of_custom("require", "require = \"X-Client\""), @r#"provider "acme": require: text where there should be a list in square brackets"#);
    assert_snapshot!(of_custom("require", "require = { header = \"X-Client\", equals = \"7\" }"), @r#"provider "acme": require: invalid type: map, expected a list in square brackets"#);
    assert_snapshot!(of_custom("header_families", "header_families = \"a-\""), @r#"provider "acme": header_families: text where there should be a list in square brackets"#);
    assert_snapshot!(of_custom("first", "signature = { header = \"X\", encoding = \"hex\", positional = \",\", first = \"1\" }"), @r#"provider "acme": signature.first: invalid type: string "1", expected usize"#);
    assert_snapshot!(of_custom("repeats", "signature = { header = \"X\", encoding = \"hex\", repeats = \"yes\" }"), @r#"provider "acme": signature.repeats: invalid type: string "yes", expected a boolean"#);
    assert_snapshot!(mistake("endpoint \"kyc\"", "table", "[endpoints]\nkyc = \"github\"\n"), @r#"endpoint "kyc": text where there should be a table, as in { key = … }"#);
    assert_snapshot!(mistake("endpoints", "endpoints", "endpoints = \"kyc\"\n"), @"line 1: endpoints: text where there should be tables by name, as in [endpoints.NAME]");
    assert_snapshot!(mistake("endpoints", "endpoints", "[[endpoints]]\nprovider = \"github\"\n"), @"line 1: endpoints: a list where there should be tables by name, as in [endpoints.NAME]");
}

#[test]
fn mistakes_of_deliveries() {
    for (lines, problem) in [
        (
            "store = \"disk\"",
            "store: it is neither \"memory\" nor \"redis\"; write one of them",
        ),
        (
            "store = \"memory\"\nurl = \"redis://127.0.0.1\"",
            "url goes with store = \"redis\" only; remove it",
        ),
        (
            "store = \"memory\"\nnamespace = \"billing-production\"",
            "namespace goes with store = \"redis\" only; remove it",
        ),
        (
            "store = \"memory\"\nlease = \"soon\"",
            "lease: \"soon\" is not a duration; write a number and a unit, as in \"30s\", \"5m\" or \"1h\"",
        ),
        (
            "store = \"memory\"\non_outage = \"hope\"",
            "on_outage: it is neither \"refuse\" nor \"allow\"; write one of them",
        ),
        (
            "lease = \"30s\"",
            "store: it is missing; write \"memory\", or \"redis\" for several replicas",
        ),
    ] {
        let text = mistake("deliveries", "", &format!("[deliveries]\n{lines}\n"));
        assert!(text.ends_with(problem), "{text}");
    }
    assert_snapshot!(of_github("key", "key = \"scanRef\""), @r#"endpoint "kyc": key: write "auto", "delivery-id", "body" or "body+event-type"; a secret goes into `secret`"#);
}

/// What can work is not refused: see `deliveries_are_built_with_what_the_table_says`.
#[test]
fn settings_that_can_only_fail_are_mistakes() {
    let memory = "[deliveries]\nstore = \"memory\"\n";
    let redis = "[deliveries]\nstore = \"redis\"\nurl = \"redis://host\"\nnamespace = \"n\"\n";
    let window = format!(
        "[endpoints.github]\nprovider = \"github\"\nsecret = \"{SECRET}\"\n\
         [endpoints.payments]\nprovider = \"stripe\"\nsecret = \"{SVIX_SECRET}\"\n"
    );
    let wide = format!("{window}tolerance = \"1h\"\n");
    let custom = custom("retry_horizon = \"0s\"");
    let secret = |first: &str, last: &str| {
        format!(
            "[endpoints.kyc]\nprovider = \"github\"\nsecret = {{ value = \"{SECRET}\", not_before = \"{first}\", not_after = \"{last}\" }}\n"
        )
    };
    let (early, late) = ("2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z");
    for (file, line, problem) in [
        (
            memory,
            "max_in_progress = 0",
            "deliveries: max_in_progress: 0 leaves room for no delivery, so that every event is refused; write how many may be \
             handled at once, as in 10000, or remove it",
        ),
        (
            memory,
            "max_running = 0",
            "deliveries: max_running: 0 lets no handler run, so that every event is refused; write how many may run at once, as in \
             1000, or remove it",
        ),
        (
            memory,
            "handler_timeout = \"0s\"",
            "deliveries: handler_timeout: \"0s\" leaves handlers no time, so that every event is refused; write more, as in \"60s\", \
             or remove it",
        ),
        (
            memory,
            "max_completed = 0",
            "deliveries: max_completed: 0 remembers no delivery, so that every retry is handled again; write how many are \
             remembered, as in 1000000, or remove it",
        ),
        (
            memory,
            "lease = \"99ms\"",
            "deliveries: lease: \"99ms\" is too short to be renewed in time; write \"100ms\" or more, as in \"30s\"",
        ),
        (
            memory,
            "lease = \"0s\"",
            "deliveries: lease: \"0s\" is too short to be renewed in time; write \"100ms\" or more, as in \"30s\"",
        ),
        (
            memory,
            "lifetime = \"0s\"",
            "deliveries: lifetime: \"0s\" remembers no delivery, so that every retry is handled again; write more, as in \"72h\", \
             or remove it",
        ),
        (
            &format!("{window}{memory}"),
            "lifetime = \"599s\"",
            "deliveries: lifetime: 599s is shorter than the 600s for which endpoint \"payments\" accepts the same request, so \
             that a replay is handled again; write \"600s\" or more, or remove it",
        ),
        (
            &format!("{wide}{memory}"),
            "lifetime = \"1h\"",
            "deliveries: lifetime: 3600s is shorter than the 7200s for which endpoint \"payments\" accepts the same request, so \
             that a replay is handled again; write \"7200s\" or more, or remove it",
        ),
        (
            &custom,
            "",
            "provider \"acme\": retry_horizon: \"0s\" remembers no delivery, so that every retry is handled again; write for how \
             long the provider sends again, as in \"72h\"",
        ),
        (
            &secret(late, early),
            "",
            "endpoint \"kyc\": secret: not_after lies before not_before; exchange them",
        ),
        (
            &secret(early, early),
            "",
            "endpoint \"kyc\": secret: not_after is not_before, which leaves the key no time; write a later one",
        ),
        (
            redis,
            "timeout = \"0s\"",
            "deliveries: timeout: \"0s\" leaves redis no time to answer; write more, as in \"1s\"",
        ),
    ] {
        let file = format!("{file}{line}\n");
        assert_eq!(mistake("", "", &file), problem, "{file}");
    }
    assert!(redis.contains("namespace"));
}

/// As settings: with each of them every request would be refused.
#[test]
fn schemes_that_no_request_can_satisfy_are_mistakes() {
    let fields = |lines: &str| {
        format!(
            "signature = {{ header = \"X-Sig\", encoding = \"hex\", fields = \",\", field = \"v1\" }}\n{lines}"
        )
    };
    let never = "is compared with text that no header has; take off white space at its ends, line ends and other control characters";
    for (lines, problem) in [
        (
            "require = [{ header = \"X-A\", equals = \"a-credential\\n\" }]".to_owned(),
            format!("require: header \"X-A\" {never}"),
        ),
        (
            "require = [{ header = \"X-A\", equals = \" a-credential\" }]".to_owned(),
            format!("require: header \"X-A\" {never}"),
        ),
        (
            "require = [{ header = \"X-A\", equals = \"1\" }, { header = \"x-a\", equals = \"2\" }]".to_owned(),
            "require: header \"x-a\" must have two different values; keep one".to_owned(),
        ),
        (
            "require = [{ header = \"x-sig\", equals = \"1\" }]".to_owned(),
            "require: header \"x-sig\" has the signature, so it can be nothing else; name another".to_owned(),
        ),
        (
            "signed = \"{ts}.{body}\"\ntimestamp = { header = \"x-sig\" }".to_owned(),
            "timestamp: header \"x-sig\" has the signature, so it can be nothing else; name another".to_owned(),
        ),
        (
            "signed = \"{header:X-Sig}.{body}\"".to_owned(),
            "signed: header \"X-Sig\" has the signature, so it can be nothing else; name another".to_owned(),
        ),
        (
            "signature = { header = \"X-Sig\", encoding = \"hex\", prefix = \" v1=\" }".to_owned(),
            "signature: the prefix \" v1=\" begins with white space or has a control character, so it would never be found".to_owned(),
        ),
        (
            "signature = { header = \"X-Sig\", encoding = \"hex\", list = \",\", prefix = \"v1\\n\" }".to_owned(),
            "signature: the prefix \"v1\\n\" begins with white space or has a control character, so it would never be found".to_owned(),
        ),
        (
            fields("signed = \"{ts}.{body}\"\ntimestamp = { field = \"v1\" }"),
            "timestamp: field \"v1\" is the signature, so it can be nothing else; name another".to_owned(),
        ),
        (
            fields("signed = \"{field:v1}.{body}\""),
            "signed: field \"v1\" is the signature, so it can be nothing else; name another".to_owned(),
        ),
        (
            fields("signed = \"{ts}.{body}\"\ntimestamp = { field = \"t=\" }"),
            "timestamp: field \"t=\" would never be found; write what is between the separator and the = sign".to_owned(),
        ),
        (
            fields("signed = \"{field:a,b}.{body}\""),
            "signed: field \"a,b\" would never be found; write what is between the separator and the = sign".to_owned(),
        ),
        (
            fields("").replace("\"v1\"", "\" v1\""),
            "signature: field \" v1\" would never be found; write what is between the separator and the = sign".to_owned(),
        ),
    ] {
        let text = mistake("provider \"acme\"", "", &custom(&lines));
        assert_eq!(text, format!("provider \"acme\": {problem}"), "{lines}");
    }
    // The same value twice, and what only looks odd.
    load(&custom(
        "require = [{ header = \"X-A\", equals = \"ä \\t1\" }, { header = \"x-a\", equals = \"ä \\t1\" }]",
    ));
    load(&custom(&fields("signed = \"{field:v1 }.{body}\"")));
}

#[test]
fn a_lifetime_may_be_short_where_no_signed_time_limits_replays_or_it_covers_them() {
    let undated = format!("provider = \"github\"\nsecret = \"{SECRET}\"\n");
    let stripe = format!("provider = \"stripe\"\nsecret = \"{SVIX_SECRET}\"\n");
    let acme = format!("provider = \"acme\"\nsecret = \"{SECRET}\"\n");
    let unsigned = custom("timestamp = { header = \"X-Time\" }");
    let no_future = custom(
        "signed = \"{ts}.{body}\"\ntimestamp = { header = \"X-Time\", tolerance = \"1h\", future = \"off\" }",
    );
    for (lifetime, endpoint, provider) in [
        ("1s", &undated, ""),
        ("600s", &stripe, ""),
        ("1s", &format!("{stripe}tolerance = \"off\"\n"), ""),
        ("1s", &format!("{stripe}tolerance = \"0s\"\n"), ""),
        ("1s", &acme, &*unsigned),
        ("1s", &acme, &*no_future),
    ] {
        let file = format!(
            "[deliveries]\nstore = \"memory\"\nlifetime = \"{lifetime}\"\n[endpoints.kyc]\n{endpoint}{provider}"
        );
        load(&file);
    }
    // A configuration that came from elsewhere is not checked as a whole.
    let json = serde_json::json!({
        "endpoints": { "kyc": { "provider": "stripe", "secret": SVIX_SECRET } },
        "deliveries": { "store": "memory", "lifetime": "9m" },
    });
    let config: Config = serde_json::from_value(json).unwrap();
    let error = config.deliveries().unwrap_err().to_string();
    assert!(error.contains("540s is shorter than the 600s"), "{error}");
}
#[test]
fn mistakes_of_deliveries_in_redis() {
    for (lines, problem) in [
        (
            "",
            "url: redis needs one; write \"redis://host:6379\" or { env = … }",
        ),
        (
            "url = \"redis://host\"",
            "deliveries: namespace: redis needs one, since services that share a Redis and name their endpoints alike would take \
             each other's events for done; write a name of this service and environment, such as \"billing-production\"",
        ),
        (
            "url = \"redis://host\"\nnamespace = \" \"",
            "deliveries: redis: the namespace is empty; write a name of this service and environment, such as \"billing-production\"",
        ),
        (
            "max_completed = 5",
            "max_completed goes with store = \"memory\" only; remove it",
        ),
        (
            "url = { env = \"NO_SUCH_VARIABLE\" }",
            "url: secret: environment variable NO_SUCH_VARIABLE is not set; set it to the value the provider shows",
        ),
        (
            "namespace = \"n\"\nurl = \"://:a-password@host\"",
            "redis: the URL is not one; write redis://[user][:password]@host[:port][/database]",
        ),
    ] {
        let text = format!("[deliveries]\nstore = \"redis\"\n{lines}\n");
        let text = mistake("deliveries", "", &text);
        assert!(text.ends_with(problem), "{text}");
        assert!(!text.contains("a-password"), "{text}");
    }
    let old = "[deliveries]\nstore = \"redis\"\nurl = \"redis://host\"\nprefix = \"billing:\"\n";
    assert_snapshot!(mistake("line 4", "prefix", old), @"line 4: unknown field `prefix`, expected one of `store`, `url`, `namespace`, `timeout`, `max_in_progress`, `max_completed`, `lease`, `wait`, `lifetime`, `max_running`, `handler_timeout`, `on_outage`");
}

#[test]
fn deliveries_are_built_with_what_the_table_says() {
    let layer = |lines: &str| {
        let text = format!("[deliveries]\nstore = \"memory\"\n{lines}");
        let config = Config::from_toml_str(&text).unwrap();
        format!("{:?}", config.deliveries().unwrap().unwrap())
    };
    assert_snapshot!(layer(""), @"DeliveryLayer { lease: 30s, wait: None, lifetime: None, max_running: 10000, handler_timeout: None, on_outage: Refuse, .. }");
    assert_snapshot!(
        layer("lease = \"1m\"\nwait = \"0s\"\nlifetime = \"48h\"\non_outage = \"allow\"\nmax_completed = 1\nmax_in_progress = 1\nmax_running = 1\nhandler_timeout = \"1ms\""),
        @"DeliveryLayer { lease: 60s, wait: Some(0ns), lifetime: Some(172800s), max_running: 1, handler_timeout: Some(1ms), on_outage: Allow, .. }"
    );
    assert_snapshot!(layer("lease = \"100ms\"\nlifetime = \"1s\""), @"DeliveryLayer { lease: 100ms, wait: None, lifetime: Some(1s), max_running: 10000, handler_timeout: None, on_outage: Refuse, .. }");
    assert!(
        Config::from_toml_str("")
            .unwrap()
            .deliveries()
            .unwrap()
            .is_none()
    );
}

#[test]
fn mistake_provider_with_the_name_of_a_built_in_one() {
    let text = custom("").replace("acme", "stripe");
    assert_snapshot!(mistake("provider \"stripe\"", "provider", &text), @r#"provider "stripe": a built-in provider has this name; choose another"#);
}

#[test]
fn mistake_syntax() {
    let syntax = |text: &str| {
        mistake(
            "line 3",
            "",
            &format!("[endpoints.kyc]\nprovider = \"github\"\n{text}\n"),
        )
    };
    assert_snapshot!(syntax("secret = a-secret-of-some-length"), @"line 3: string values must be quoted, expected literal string");
    assert_snapshot!(syntax("secret = \"a-secret-of-some-length"), @r#"line 3: invalid basic string, expected `"`"#);
    assert_snapshot!(syntax("secret \"a-secret-of-some-length\""), @"line 3: key with no value, expected `=`");
    assert_snapshot!(syntax("provider = \"stripe\""), @"line 3: duplicate key");
    assert_snapshot!(syntax("[endpoints.kyc]"), @"line 3: duplicate key");
    assert_snapshot!(syntax("secret = { env = \"A\""), @"line 3: unclosed inline table, expected `}`");
}

// ---- No error and no Debug shows a secret -------------------------------------------------------------------------

const MARKER: &str = "MARKER-of-the-SECRET-value";

/// A good file with the marker as every secret in it.
const MARKED: &str = r#"
[endpoints.code]
provider = "github"
secret = "MARKER-of-the-SECRET-value"
max_body = "1MiB"
read_timeout = "10s"

[endpoints.orders]
provider = "acme"
tolerance = "5m"
client_id = "MARKER-of-the-SECRET-value"
secrets = [
    { id = "a", value = "MARKER-of-the-SECRET-value" },
    { id = "b", value = "MARKER-of-the-SECRET-value", not_after = "2026-12-01T00:00:00Z" },
    "MARKER-of-the-SECRET-value",
]

[endpoints.table]
provider = "slack"

[endpoints.table.secret]
value = "MARKER-of-the-SECRET-value"
not_before = "2026-12-01T00:00:00Z"

[providers.acme]
algorithm = "hmac-sha256"
signed = "{ts}.{body}"
signature = { header = "X-Acme-Signature", fields = ",", field = "v1", encoding = "hex" }
timestamp = { field = "t", unit = "s", tolerance = "5m" }
require = [{ header = "X-Client", equals = "{param:client_id}" }]
event_type = { json = "/type" }
max_body = "2MiB"
"#;

/// Any piece of the marker that is long enough to be one.
fn shows_the_marker(text: &str) -> bool {
    MARKER.as_bytes().windows(12).any(|piece| {
        text.as_bytes()
            .windows(piece.len())
            .any(|window| window == piece)
    })
}

fn assert_silent(text: &str) {
    match Config::from_toml_str(text) {
        Ok(config) => {
            assert!(
                !shows_the_marker(&format!("{config:?}")),
                "{config:?}\n{text}"
            );
            for name in config.endpoints() {
                let shown = format!("{:?} {:?}", config.endpoint(name), config.layer(name));
                assert!(!shows_the_marker(&shown), "{shown}\n{text}");
            }
        }
        Err(error) => {
            let shown = format!("{error} {error:?}");
            assert!(!shows_the_marker(&shown), "{shown}\n{text}");
        }
    }
}

/// One careless change to a file.
#[derive(Clone, Debug)]
enum Damage {
    Delete { at: usize },
    Insert { at: usize, what: &'static str },
    Replace { at: usize, what: &'static str },
    DeleteLine { line: usize },
    RepeatLine { line: usize, at: usize },
    SwapLines { one: usize, other: usize },
    SwapKeys { one: usize, other: usize },
}

impl Damage {
    fn any() -> impl Strategy<Value = Self> {
        let what = prop::sample::select(vec![
            "\"", "'", "=", "{", "}", "[", "]", ",", ".", "#", "\n", "\\", " ", "\t", "\r", "-",
            "_", "0", "7", "x", "é", "\u{0}", "\"\"\"", "= ", "\" = \"", "true",
        ]);
        let place = any::<usize>();
        prop_oneof![
            place.prop_map(|at| Self::Delete { at }),
            (place, what.clone()).prop_map(|(at, what)| Self::Insert { at, what }),
            (place, what).prop_map(|(at, what)| Self::Replace { at, what }),
            place.prop_map(|line| Self::DeleteLine { line }),
            (place, place).prop_map(|(line, at)| Self::RepeatLine { line, at }),
            (place, place).prop_map(|(one, other)| Self::SwapLines { one, other }),
            (place, place).prop_map(|(one, other)| Self::SwapKeys { one, other }),
        ]
    }

    fn to(&self, text: &str) -> String {
        let letters: Vec<char> = text.chars().collect();
        let around = |at: &usize, what: &str, skip: usize| {
            let at = at % letters.len();
            let (before, after) = letters.split_at(at);
            let before: String = before.iter().collect();
            let after: String = after.iter().skip(skip).collect();
            format!("{before}{what}{after}")
        };
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let count = lines.len();
        match self {
            Self::Delete { at } => return around(at, "", 1),
            Self::Insert { at, what } => return around(at, what, 0),
            Self::Replace { at, what } => return around(at, what, 1),
            Self::DeleteLine { line } => drop(lines.remove(line % count)),
            Self::RepeatLine { line, at } => lines.insert(at % count, lines[line % count].clone()),
            Self::SwapLines { one, other } => lines.swap(one % count, other % count),
            Self::SwapKeys { one, other } => return swap_keys(text, *one, *other),
        }
        lines.join("\n")
    }
}

/// Exchanges the values of two keys of endpoints, except those that are names and so have to be shown.
fn swap_keys(text: &str, one: usize, other: usize) -> String {
    const SHOWN: [&str; 2] = ["provider", "id"];
    let end = text.find("[providers").unwrap_or(text.len());
    let mut values = Vec::new();
    for (at, _) in text[..end].match_indices(" = \"") {
        let key = text[..at]
            .rsplit([' ', '\n', '{'])
            .next()
            .unwrap_or_default();
        let start = at + " = \"".len();
        if let Some(length) = text[start..].find('"')
            && !SHOWN.contains(&key)
        {
            values.push(start..start + length);
        }
    }
    if values.is_empty() {
        return text.to_owned();
    }
    let (one, other) = (one % values.len(), other % values.len());
    let (first, second) = (
        values[one.min(other)].clone(),
        values[one.max(other)].clone(),
    );
    if first == second {
        return text.to_owned();
    }
    [
        &text[..first.start],
        &text[second.clone()],
        &text[first.end..second.start],
        &text[first],
        &text[second.end..],
    ]
    .concat()
}

#[test]
fn the_marked_file_is_good_and_the_search_finds_the_marker() {
    assert_silent(MARKED);
    load(MARKED);
    assert!(shows_the_marker(&format!("x{MARKER}")));
    assert!(shows_the_marker("R-of-the-SECRET"));
    assert!(!shows_the_marker("MARKER"));
}

#[test]
fn a_secret_under_another_key_is_not_shown() {
    let keys = [
        "secrets",
        "construction",
        "tolerance",
        "max_body",
        "read_timeout",
        "url",
        "client_id",
        "family",
        "missing_status",
        "params",
        "secret = { value",
        "secret = { value = \"another-secret-of-length\", not_before",
        "secret = { value = \"another-secret-of-length\", not_after",
    ];
    let mut shown = Vec::new();
    for key in keys {
        let close = if key.contains('{') { " }" } else { "" };
        for value in [
            format!("\"{MARKER}\""),
            format!("[\"{MARKER}\"]"),
            format!("{{ x = \"{MARKER}\" }}"),
        ] {
            let text = format!("[endpoints.kyc]\nprovider = \"slack\"\n{key} = {value}{close}\n");
            if let Err(error) = Config::from_toml_str(&text)
                && shows_the_marker(&error.to_string())
            {
                shown.push(error.to_string());
            }
        }
    }
    assert!(shown.is_empty(), "{}", shown.join("\n"));
}

#[test]
fn another_format_shows_no_secret_either() {
    for text in [
        r#"{"endpoints": "MARKER"}"#,
        r#"{"endpoints": {"kyc": "MARKER"}}"#,
        r#"{"endpoints": {"kyc": {"provider": "slack", "secret": ["MARKER"]}}}"#,
        r#"{"endpoints": {"kyc": {"provider": "slack", "secret": {"value": ["MARKER"]}}}}"#,
        r#"{"endpoints": {"kyc": {"provider": "slack", "secret": {"value": {"x": "MARKER"}}}}}"#,
        r#"{"endpoints": {"kyc": {"provider": "slack", "secrets": "MARKER"}}}"#,
        r#"{"endpoints": {"kyc": {"provider": "slack", "secrets": [["MARKER"]]}}}"#,
        r#"{"endpoints": {"kyc": {"provider": "slack", "params": "MARKER"}}}"#,
        r#"{"endpoints": {"kyc": {"provider": "slack", "params": {"x": ["MARKER"]}}}}"#,
        r#"{"providers": "MARKER"}"#,
        r#"{"providers": {"acme": "MARKER"}}"#,
        r#"{"providers": {"acme": {"signature": "MARKER"}}}"#,
        r#"{"providers": {"acme": {"require": "MARKER"}}}"#,
    ] {
        let text = text.replace("MARKER", MARKER);
        let error = serde_json::from_str::<Config>(&text)
            .unwrap_err()
            .to_string();
        assert!(!shows_the_marker(&error), "{error}");
    }
}

#[test]
fn a_secret_in_the_place_of_its_variable_is_not_shown() {
    let error = Config::from_toml_str(&github_with(&format!("{{ env = \"{MARKER}\" }}")));
    let text = error.unwrap_err().to_string();
    assert!(!shows_the_marker(&text), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_damage_makes_an_error_show_a_secret(damages in prop::collection::vec(Damage::any(), 1..4)) {
        let damaged = damages.iter().fold(MARKED.to_owned(), |text, damage| damage.to(&text));
        assert_silent(&damaged);
    }
}
