//! What the public types show and promise: the text of every `Debug` and error, auto traits, kinds
//! of refusal.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    error::Error,
    fmt,
    hash::Hash,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, request};
use http_body::{Body, Frame};
use http_body_util::Full;
use insta::assert_snapshot;
use support::{NOW, at};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use tower_webhook::{
    Config, FormJson, Hint, Json, Note, NoteKind, Payload, PayloadError, Provider, PublicKey,
    Rejection, RejectionKind, Scheme, Secret, SetupError, SignError, Signer, VerifiedEvent,
    Verifier, WebhookVerifyLayer,
    capture::{CaptureHook, CapturedRequest, ReadError},
    delivery::{
        Claim, DeliveryKey, DeliveryLayer, DeliveryStore, MemoryStore, Owner, StoreError,
        StoreErrorKind, StoreFuture,
    },
    explain::{Budget, Providers, Report, Secrets, Verdict, diagnose},
    handshake::{self, HandshakeLayer},
    keys::{KeySet, KeySource, KeySourceError, SharedKeys, Tenant, source_fn},
    middleware::{ResponseFuture, WebhookVerify},
    providers::{self, voveid},
    scheme::{
        Algorithm, Coverage, Derivation, Encoding, Locator, SecretFormat, SignatureFormat,
        TimeUnit, Timestamp, Tolerance,
    },
    verify::{BodyVerifier, CheckedHead, Head},
};

/// Stands in every secret, body, signature and parameter here, and must not show.
const MARKER: &str = "MARKER";
const SECRET: &str = "MARKER-of-the-SECRET-value";
const BODY: &str = r#"{"status":"successful","refId":"customer-7","name":"MARKER"}"#;

fn secret() -> Secret {
    Secret::new(SECRET).with_id("2026-11")
}

fn verifier(provider: Provider) -> Verifier {
    Verifier::new(provider, secret())
        .unwrap()
        .with_endpoint("kyc")
}

/// A provider with a parameter, a required header and a signed value of the body.
fn acme() -> Provider {
    let signature = SignatureFormat::single("X-Acme-Signature", Encoding::Hex);
    let scheme = Scheme::signed(
        Algorithm::HmacSha256,
        "{param:tenant}.{json:/refId}.{body}",
        signature,
    )
    .with_required_header("X-Client", "MARKER-{param:tenant}");
    Provider::new("acme", scheme).with_param("tenant", "MARKER-7")
}

fn sign(provider: Provider, body: &str) -> request::Parts {
    let signer = Signer::new(provider, secret()).unwrap().with_time(at(NOW));
    let request = signer.sign(Request::post("/hooks?token=MARKER"), body);
    request.unwrap().into_parts().0
}

/// The text, once it is known to hold nothing secret.
fn quiet(text: impl fmt::Display) -> String {
    let text = text.to_string();
    assert!(!text.contains(MARKER), "{text}");
    text
}

fn debug(value: &impl fmt::Debug) -> String {
    quiet(format!("{value:#?}"));
    quiet(format!("{value:?}"))
}

// ---- Debug
// --------------------------------------------------------------------------------------------------------

#[test]
fn debug_of_secrets() {
    assert_snapshot!(debug(&Secret::new(SECRET)), @"Secret { id: None, .. }");
    assert_snapshot!(debug(&secret().with_not_after(at(NOW))), @r#"Secret { id: Some("2026-11"), .. }"#);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, SECRET).unwrap();
    assert_snapshot!(debug(&Secret::from_file(&path).unwrap()), @"Secret { id: None, .. }");
    let secrets = KeySet::new(&providers::github(), vec![secret(), Secret::new(SECRET)]);
    assert_snapshot!(debug(&secrets.unwrap()), @r#"KeySet { ids: [Some("2026-11"), None], .. }"#);
}

#[test]
fn debug_of_verifier_layer_and_service() {
    let verifier = verifier(acme());
    assert_snapshot!(debug(&verifier), @r#"Verifier { provider: "acme", endpoint: Some("kyc"), keys: KeySet { ids: [Some("2026-11")], .. }, max_body: 1048576, .. }"#);
    let layer = WebhookVerifyLayer::new(verifier)
        .with_clock(|| at(NOW))
        .on_rejection(|_, _| {});
    assert_snapshot!(debug(&layer), @r#"WebhookVerifyLayer { verifier: Verifier { provider: "acme", endpoint: Some("kyc"), keys: KeySet { ids: [Some("2026-11")], .. }, max_body: 1048576, .. }, read_timeout: 10s, key_timeout: 5s, .. }"#);
    assert_snapshot!(debug(&layer.layer("inner")), @r#"WebhookVerify { inner: "inner", verifier: Verifier { provider: "acme", endpoint: Some("kyc"), keys: KeySet { ids: [Some("2026-11")], .. }, max_body: 1048576, .. }, .. }"#);
    let service = layer.layer(tower::service_fn(|_: Request<Odd>| async {
        Ok::<_, Infallible>(Response::new(()))
    }));
    let future = service
        .clone()
        .call(Request::from_parts(sign(acme(), BODY), Odd::Whole));
    assert_snapshot!(debug(&future), @"ResponseFuture { .. }");
}

fn voveid_with_family() -> Provider {
    providers::by_name("voveid")
        .unwrap()
        .with_param("family", "MARKER")
}

#[test]
fn debug_of_a_provider_and_its_scheme() {
    assert_snapshot!(debug(&voveid_with_family()), @r#"Provider { name: "voveid", schemes: [Scheme { algorithm: HmacSha256, signed: "{header:svix-id}.{ts}.{body}", signature: SignatureFormat { places: [Locator(Header("svix-signature"))], grammar: List { separator: ' ', prefix: "v1," }, encoding: Base64, repeats: false, spaced: false }, timestamp: Some(Timestamp { place: Locator(Header("svix-timestamp")), unit: Seconds, tolerance: Tolerance { past: Some(300), future: Some(300) } }), secret_format: SecretFormat { encoding: Base64, prefixes: ["whsec_", "v1,whsec_"], derive: None, min_bytes: 16 }, require: [], families: ["svix-", "webhook-"], coverage: Body }], params: ["family"], .. }"#);
    // What a header must equal may be a credential.
    let scheme = Scheme::signed(
        Algorithm::HmacSha256,
        "{body}",
        SignatureFormat::single("X-Sig", Encoding::Hex),
    )
    .with_required_header("Authorization", "Bearer MARKER");
    assert_snapshot!(debug(&scheme), @r#"Scheme { algorithm: HmacSha256, signed: "{body}", signature: SignatureFormat { places: [Locator(Header("X-Sig"))], grammar: Single { prefixes: [] }, encoding: Hex, repeats: false, spaced: false }, timestamp: None, secret_format: SecretFormat { encoding: Text, prefixes: [], derive: None, min_bytes: 1 }, require: ["Authorization"], families: [], coverage: Body }"#);
    assert_snapshot!(debug(&acme()), @r#"Provider { name: "acme", schemes: [Scheme { algorithm: HmacSha256, signed: "{param:tenant}.{json:/refId}.{body}", signature: SignatureFormat { places: [Locator(Header("X-Acme-Signature"))], grammar: Single { prefixes: [] }, encoding: Hex, repeats: false, spaced: false }, timestamp: None, secret_format: SecretFormat { encoding: Text, prefixes: [], derive: None, min_bytes: 1 }, require: ["X-Client"], families: [], coverage: Body }], params: ["tenant"], .. }"#);
}

#[test]
fn debug_of_a_check_on_its_way() {
    let verifier = verifier(acme());
    let head = sign(acme(), BODY);
    assert_snapshot!(debug(&Head::from(&head)), @r#"Head { method: "POST", path: "/hooks", .. }"#);
    let checked = verifier.check_head(&Head::from(&head), at(NOW)).unwrap();
    assert_snapshot!(debug(&checked), @r#"CheckedHead { provider: "acme", endpoint: Some("kyc"), .. }"#);
    let mut request = checked.with_keys(verifier.keys()).unwrap();
    request.update(Bytes::from(BODY)).unwrap();
    assert_snapshot!(debug(&request), @r#"BodyVerifier { provider: "acme", endpoint: Some("kyc"), keys: 1, .. }"#);
    let event = request.verify().unwrap();
    assert_snapshot!(debug(&event), @r#"VerifiedEvent { provider: "acme", endpoint: Some("kyc"), tenant: None, variant: "hmac-sha256", key_id: Some("2026-11"), bytes: 60, .. }"#);
    assert_snapshot!(debug(&event.parse::<serde_json::Value>().unwrap()), @r#"VerifiedEvent { provider: "acme", endpoint: Some("kyc"), tenant: None, variant: "hmac-sha256", key_id: Some("2026-11"), bytes: 60, .. }"#);
}

#[test]
fn debug_of_captured_requests_and_explanations() {
    let head = sign(acme(), BODY);
    let captured = CapturedRequest::new(&Head::from(&head), BODY).with_endpoint("kyc");
    assert_snapshot!(debug(&captured), @r#"CapturedRequest { method_length: 4, target_length: 19, headers: 2, body_length: 60, left_out: 0, received_at: None, endpoint: Some("kyc"), .. }"#);
    assert_snapshot!(debug(&CaptureHook::new(|_, _| ())), @"CaptureHook { max_body: 262144, burst: 8, every: 10s, .. }");
    let secrets = Secrets::new(secret()).with_other("old", secret());
    assert_snapshot!(debug(&secrets), @"Secrets { configured: 1, others: 1 }");
    let other = Secrets::new(Secret::new("another-secret-of-it"));
    let budget = Budget::default().with_readings(1);
    let report = diagnose(&Providers::new(acme()), &other, &captured, budget);
    debug(&report);
    quiet(&report);
    quiet(serde_json::to_string(&report).unwrap());
}

#[test]
fn debug_of_a_signer() {
    let signer = Signer::new(acme(), secret()).unwrap();
    assert_snapshot!(debug(&signer.with_field("t", "MARKER")), @r#"Signer { variant: "hmac-sha256", .. }"#);
}

#[test]
fn debug_of_a_configuration() {
    let config = Config::from_toml_str(
        r#"
        [endpoints.code]
        provider = "github"
        secret = "MARKER-of-the-SECRET-value"

        [endpoints.orders]
        provider = "acme"
        client_id = "MARKER"
        secrets = ["MARKER-of-the-SECRET-value"]

        [providers.acme]
        algorithm = "hmac-sha256"
        signed = "{body}"
        signature = { header = "X-Acme", encoding = "hex" }
        require = [{ header = "X-Client", equals = "{param:client_id}-MARKER" }]
        "#,
    )
    .unwrap();
    assert_snapshot!(debug(&config), @r#"Config { endpoints: {"code": "github", "orders": "acme"}, .. }"#);
    assert_snapshot!(debug(&config.endpoint("orders").unwrap()), @r#"Verifier { provider: "acme", endpoint: Some("orders"), keys: KeySet { ids: [None], .. }, max_body: 1048576, .. }"#);
    assert_snapshot!(debug(&config.layer("code").unwrap()), @r#"WebhookVerifyLayer { verifier: Verifier { provider: "github", endpoint: Some("code"), keys: KeySet { ids: [None], .. }, max_body: 26214400, .. }, read_timeout: 10s, key_timeout: 5s, .. }"#);
}

/// A body of VOVE ID, read as `T`.
fn vove<T: Payload>(body: &str) -> Result<VerifiedEvent<T>, PayloadError> {
    let head = sign(voveid_text(), body);
    let event = verifier(voveid_text()).verify(&Head::from(&head), body.to_owned(), at(NOW));
    event.unwrap().parse()
}

/// VOVE ID with secrets that are text, so that the marker can be one.
fn voveid_text() -> Provider {
    let signature = SignatureFormat::single("X-Sig", Encoding::Hex);
    Provider::new(
        "voveid",
        Scheme::signed(Algorithm::HmacSha256, "{body}", signature),
    )
}

#[test]
fn debug_of_voveid_types() {
    let kyc = vove::<voveid::Event>(BODY).unwrap();
    assert_snapshot!(debug(kyc.payload()), @r#"Kyc(Kyc { status: Successful, ref_id: "customer-7", user_id: None })"#);
    let aml = r#"{"status":"IN_REVIEW","refId":"customer-7","hits":["MARKER"]}"#;
    assert_snapshot!(debug(vove::<voveid::Event>(aml).unwrap().payload()), @r#"Aml(Aml { status: InReview, ref_id: "customer-7" })"#);
    // A reason may be what a person wrote about another.
    let kyb = r#"{"status":"REJECTED","previousStatus":"SOMETHING_NEW","refId":"company-7","reason":"MARKER"}"#;
    assert_snapshot!(debug(vove::<voveid::Event>(kyb).unwrap().payload()), @r#"Kyb(Kyb { status: Rejected, previous_status: Other("SOMETHING_NEW"), ref_id: "company-7", .. })"#);
}

// ---- Errors
// -------------------------------------------------------------------------------------------------------

/// Both texts of an error.
fn texts(error: &(impl Error + 'static)) -> String {
    quiet(format!("{error:#?}"));
    assert!(error.source().is_none(), "{:?}", error.source());
    quiet(format!("{error}\n{error:?}"))
}

#[test]
fn errors_of_setting_up() {
    let bad = |provider: Provider, secret: &str| {
        Verifier::new(provider, Secret::new(secret)).unwrap_err()
    };
    assert_snapshot!(texts(&bad(providers::svix(), "whsec_MARKER*not*base64")), @r#"
    secret: it is not base64 after "whsec_" or "v1,whsec_"; copy it again from the provider
    secret: it is not base64 after "whsec_" or "v1,whsec_"; copy it again from the provider
    "#);
    assert_snapshot!(texts(&bad(providers::svix(), "whsec_MARKER")), @"
    secret: it has 4 bytes once decoded, and 16 is the least; copy the whole secret
    secret: it has 4 bytes once decoded, and 16 is the least; copy the whole secret
    ");
    assert_snapshot!(texts(&bad(providers::github(), " MARKER-of-the-SECRET-value")), @"
    secret: it begins or ends with white space; remove it
    secret: it begins or ends with white space; remove it
    ");
    let named = Secret::new("\tMARKER").with_id("2026-11");
    assert_snapshot!(texts(&Verifier::new(providers::github(), named).unwrap_err()), @r#"
    secret "2026-11": it begins or ends with white space; remove it
    secret "2026-11": it begins or ends with white space; remove it
    "#);
    let none: Vec<Secret> = Vec::new();
    assert_snapshot!(texts(&Verifier::new(providers::github(), none).unwrap_err()), @"
    secret: none is set; set at least one
    secret: none is set; set at least one
    ");
    let nine = vec![secret(); 9];
    assert_snapshot!(texts(&KeySet::new(&providers::github(), nine).unwrap_err()), @"
    secrets: there are 9, but at most 8 are allowed; remove old ones
    secrets: there are 9, but at most 8 are allowed; remove old ones
    ");
    let window = secret().with_not_before(at(NOW)).with_not_after(UNIX_EPOCH);
    assert_snapshot!(texts(&Verifier::new(providers::github(), window).unwrap_err()), @r#"
    secret "2026-11": not_after is before not_before; swap them
    secret "2026-11": not_after is before not_before; swap them
    "#);
    assert_snapshot!(texts(&Signer::new(providers::svix(), Secret::new("whsec_MARKER")).unwrap_err()), @"
    secret: it has 4 bytes once decoded, and 16 is the least; copy the whole secret
    secret: it has 4 bytes once decoded, and 16 is the least; copy the whole secret
    ");
    assert_snapshot!(texts(&bad(providers::github().with_param("tenant", "MARKER"), SECRET)), @"
    tenant: provider github has no such parameter; remove it
    tenant: provider github has no such parameter; remove it
    ");
}

#[test]
fn errors_of_payloads() {
    let wrong = |body: &str| vove::<voveid::Event>(body).unwrap_err();
    assert_snapshot!(texts(&wrong("MARKER")), @r#"
    the body is not JSON, at line 1 column 1
    PayloadError { message: "the body is not JSON, at line 1 column 1" }
    "#);
    assert_snapshot!(texts(&wrong(r#"{"status":"MARKER"#)), @r#"
    the JSON of the body is truncated, at line 1 column 17
    PayloadError { message: "the JSON of the body is truncated, at line 1 column 17" }
    "#);
    assert_snapshot!(texts(&wrong("{}")), @r#"
    the field `status` is missing, at line 1 column 2
    PayloadError { message: "the field `status` is missing, at line 1 column 2" }
    "#);
    assert_snapshot!(texts(&vove::<voveid::Kyc>(r#"{"name":"MARKER"}"#).unwrap_err()), @r#"
    the body does not belong to family kyc
    PayloadError { message: "the body does not belong to family kyc" }
    "#);
    assert_snapshot!(texts(&wrong(r#"{"status":["MARKER"]}"#)), @r#"
    status: a value has the wrong type, at line 1 column 10
    PayloadError { message: "status: a value has the wrong type, at line 1 column 10" }
    "#);
    assert_snapshot!(texts(&wrong(r#"{"status":"successful","name":"MARKER"}"#)), @r#"
    the field `refId` is missing
    PayloadError { message: "the field `refId` is missing" }
    "#);
    assert_snapshot!(texts(&vove::<voveid::Kyb>(BODY).unwrap_err()), @r#"
    the body does not belong to family kyb
    PayloadError { message: "the body does not belong to family kyb" }
    "#);

    // serde's own words would quote the value, or the name of a field of the body.
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read into")]
    struct Strict {
        status: u8,
    }
    assert_snapshot!(texts(&vove::<Json<Strict>>(r#"{"status":"MARKER"}"#).unwrap_err()), @r#"
    a value has the wrong type, at line 1 column 18
    PayloadError { message: "a value has the wrong type, at line 1 column 18" }
    "#);
    assert_snapshot!(texts(&vove::<Json<Strict>>(r#"{"MARKER":1}"#).unwrap_err()), @r#"
    a value has the wrong type, at line 1 column 9
    PayloadError { message: "a value has the wrong type, at line 1 column 9" }
    "#);
    // A body that imitates serde's words.
    assert_snapshot!(texts(&vove::<Json<Strict>>(r#"{"missing field `MARKER`":1}"#).unwrap_err()), @r#"
    a value has the wrong type, at line 1 column 25
    PayloadError { message: "a value has the wrong type, at line 1 column 25" }
    "#);

    let form = vove::<Bytes>("MARKER=1&n=MARKER&n=MARKER&j=MARKER")
        .unwrap()
        .form()
        .unwrap();
    assert_snapshot!(debug(&form), @"Form { fields: 4, .. }");
    assert_snapshot!(texts(&form.get("n").unwrap_err()), @r#"
    the form has the field "n" more than once
    PayloadError { message: "the form has the field \"n\" more than once" }
    "#);
    assert_snapshot!(texts(&form.json::<u8>("j").unwrap_err()), @r#"
    the form field "j" is not JSON, at line 1 column 1
    PayloadError { message: "the form field \"j\" is not JSON, at line 1 column 1" }
    "#);
    assert_snapshot!(texts(&vove::<FormJson<u8>>("payload=MARKER%ff").unwrap_err()), @r#"
    field 1 of the form: its value is not UTF-8
    PayloadError { message: "field 1 of the form: its value is not UTF-8" }
    "#);
    assert_snapshot!(texts(&wrong("MARKER=1")), @r#"
    the body is a form, not JSON; read it with `event.form()` or take `FormJson<T>`
    PayloadError { message: "the body is a form, not JSON; read it with `event.form()` or take `FormJson<T>`" }
    "#);

    let head = sign(acme(), BODY);
    let event = verifier(acme())
        .verify(&Head::from(&head), BODY, at(NOW))
        .unwrap();
    assert_snapshot!(texts(&event.parse::<voveid::Event>().unwrap_err()), @r#"
    it is an event of provider acme, and the type is one of voveid
    PayloadError { message: "it is an event of provider acme, and the type is one of voveid" }
    "#);
}

#[test]
fn errors_of_signing() {
    let failed = |provider: Provider, request: request::Builder, body: &'static str| {
        let signer = Signer::new(provider, secret()).unwrap();
        signer.sign(request, body).map(drop).unwrap_err()
    };
    let refused = failed(acme(), Request::post("/"), r#"{"name":"MARKER"}"#);
    assert_snapshot!(texts(&refused), @r#"
    the body lacks {json:/refId}, which the scheme signs, or has it twice
    SignError { message: "the body lacks {json:/refId}, which the scheme signs, or has it twice" }
    "#);
    let other = Request::post("/").header("x-client", "MARKER");
    assert_snapshot!(texts(&failed(acme(), other, BODY)), @r#"
    a receiver would refuse the request: a header does not have the required value (header X-Client)
    SignError { message: "a receiver would refuse the request: a header does not have the required value (header X-Client)" }
    "#);
    let broken = Request::post("/").header("x-client", "MARKER\n");
    assert_snapshot!(texts(&failed(acme(), broken, BODY)), @r#"
    failed to parse header value
    SignError { message: "failed to parse header value" }
    "#);
    let slack = providers::slack();
    let time = Request::post("/").header("x-slack-request-timestamp", "MARKER");
    assert_snapshot!(texts(&failed(slack, time, BODY)), @r#"
    a receiver would refuse the request: the timestamp cannot be parsed (header X-Slack-Request-Timestamp) (6 bytes)
    SignError { message: "a receiver would refuse the request: the timestamp cannot be parsed (header X-Slack-Request-Timestamp) (6 bytes)" }
    "#);
    let signer = Signer::new(providers::stripe(), secret())
        .unwrap()
        .with_field("MARKER\n", "MARKER");
    let error = signer.sign(Request::post("/"), BODY).map(drop).unwrap_err();
    assert_snapshot!(texts(&error), @r#"
    the signature header cannot hold these fields
    SignError { message: "the signature header cannot hold these fields" }
    "#);
}

// ---- Refusals
// -----------------------------------------------------------------------------------------------------

fn refused(verifier: &Verifier, headers: &[(&str, &str)], body: &'static str) -> Rejection {
    let headers = headers.to_vec();
    verifier
        .verify(&Head::new(&headers), body, at(NOW))
        .map(drop)
        .unwrap_err()
}

/// How the layer refuses a request with this body.
async fn refused_by_layer(body: Odd) -> Rejection {
    let layer = WebhookVerifyLayer::new(verifier(acme()));
    refused_with(layer, body).await
}

async fn refused_by_source(source: impl KeySource + 'static) -> Rejection {
    let layer = WebhookVerifyLayer::new(verifier(acme()).with_key_source(source));
    refused_with(layer, Odd::Empty).await
}

async fn refused_with(layer: WebhookVerifyLayer, body: Odd) -> Rejection {
    let layer = layer.with_clock(|| at(NOW));
    let service = layer.layer(tower::service_fn(|_: Request<Odd>| async {
        Ok::<_, Infallible>(Response::new(()))
    }));
    let request = Request::from_parts(sign(acme(), BODY), body);
    let response = service.oneshot(request).await.unwrap();
    response.extensions().get::<Rejection>().unwrap().clone()
}

/// What a delivery layer answers to a verified event.
async fn undelivered(store: Store) -> Rejection {
    let layer = DeliveryLayer::new(store).with_wait(Duration::ZERO);
    let service = layer.layer(tower::service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(()))
    }));
    let mut request = Request::post("/").body(()).unwrap();
    request
        .extensions_mut()
        .insert(vove::<Bytes>("MARKER").unwrap());
    let response = service.oneshot(request).await.unwrap();
    response.extensions().get::<Rejection>().unwrap().clone()
}

/// What a delivery layer answers to the second of two events whose handlers never end.
async fn unhandled(change: impl Fn(DeliveryLayer) -> DeliveryLayer) -> Rejection {
    let layer = change(DeliveryLayer::new(MemoryStore::new()));
    let service = layer.layer(tower::service_fn(|_: Request<()>| {
        std::future::pending::<Result<Response<()>, Infallible>>()
    }));
    let attempt = |body: &str| {
        let mut request = Request::post("/").body(()).unwrap();
        let event = vove::<Bytes>(body).unwrap();
        request.extensions_mut().insert(event);
        service.clone().oneshot(request)
    };
    let first = tokio::spawn(attempt("MARKER 1"));
    tokio::time::sleep(Duration::from_millis(1)).await;
    let response = attempt("MARKER 2").await.unwrap();
    first.abort();
    response.extensions().get::<Rejection>().unwrap().clone()
}

/// A store that lets nothing through.
#[derive(Clone, Copy)]
enum Store {
    Busy,
    Away,
    Slow,
    Full,
}

impl DeliveryStore for Store {
    fn claim(&self, _: DeliveryKey, _: Owner, _: Duration) -> StoreFuture<Claim> {
        let failed = |kind| Err(StoreError::new(kind, "the store is away"));
        let answer = match self {
            Self::Busy => Ok(Claim::in_progress(Duration::from_millis(6500))),
            Self::Away => failed(StoreErrorKind::Unavailable),
            Self::Slow => failed(StoreErrorKind::Timeout),
            Self::Full => failed(StoreErrorKind::Full),
        };
        Box::pin(std::future::ready(answer))
    }

    fn complete(&self, _: DeliveryKey, _: Owner, _: Duration) -> StoreFuture<bool> {
        unreachable!("nothing is claimed")
    }

    fn release(&self, _: DeliveryKey, _: Owner) -> StoreFuture<bool> {
        Box::pin(std::future::ready(Ok(false)))
    }

    fn forget(&self, _: DeliveryKey) -> StoreFuture<bool> {
        unreachable!("nobody asks for that")
    }
}

/// A body with a whim.
enum Odd {
    /// Whole, and then broken off.
    Whole,
    Never,
    Broken,
    Empty,
}

impl Body for Odd {
    type Data = Bytes;
    type Error = String;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, String>>> {
        match *self {
            Self::Whole => {
                *self = Self::Broken;
                Poll::Ready(Some(Ok(Frame::data(Bytes::from(BODY)))))
            }
            Self::Never => Poll::Pending,
            Self::Empty => Poll::Ready(None),
            Self::Broken => Poll::Ready(Some(Err("MARKER".to_owned()))),
        }
    }
}

impl From<Bytes> for Odd {
    fn from(_: Bytes) -> Self {
        Self::Whole
    }
}

/// One refusal of every kind, made by a request that is refused so.
async fn every_refusal() -> Vec<Rejection> {
    let (acme, slack) = (verifier(acme()), verifier(providers::slack()));
    let stripe = verifier(providers::stripe());
    let standard = Verifier::new(
        providers::standard_webhooks(),
        Secret::new("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
    )
    .unwrap();
    let bad = "00".repeat(32);
    let many = format!("t=1700000000{}", format!(",v1={bad}").repeat(17));
    let slack_at = |time: &str| {
        let signature = format!("v0={bad}");
        let headers = [
            ("x-slack-signature", &*signature),
            ("x-slack-request-timestamp", time),
        ];
        refused(&slack, &headers, BODY)
    };
    let client = ("x-client", "MARKER-MARKER-7");

    let spare = Secret::new("another-MARKER-of-length");
    let expired = secret().with_not_after(UNIX_EPOCH);
    let rotated = |secrets: Vec<Secret>| {
        let head = sign(providers::github(), BODY);
        let verifier = Verifier::new(providers::github(), secrets).unwrap();
        verifier
            .verify(&Head::from(&head), BODY, at(NOW))
            .map(drop)
            .unwrap_err()
    };

    let event = vove::<Bytes>("MARKER").unwrap();
    let mut extensions = http::Extensions::new();
    let missing = VerifiedEvent::<Bytes>::from_extensions(&extensions).unwrap_err();
    extensions.insert(event);
    let unreadable = VerifiedEvent::<voveid::Event>::from_extensions(&extensions).unwrap_err();

    let hub = format!("sha256={bad}");
    let taken = [("x-hub-signature-256", &*hub), ("content-length", "60")];
    let late = source_fn(|_| std::future::pending());
    let failed = source_fn(|_| async { Err("the database is away".into()) });
    let nobody = source_fn(|_| async { Ok(None) });
    // Its issuer is "other".
    let netlify = verifier(providers::netlify());
    let token = (
        "x-webhook-signature",
        "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJvdGhlciJ9.AA",
    );

    vec![
        refused(
            &acme.clone().with_max_body(40),
            &[("content-length", "41")],
            "",
        ),
        refused(&acme, &[client], BODY),
        refused(
            &acme,
            &[
                client,
                ("x-acme-signature", MARKER),
                ("x-acme-signature", MARKER),
            ],
            BODY,
        ),
        refused(
            &acme,
            &[("x-client", MARKER), ("x-acme-signature", &bad)],
            BODY,
        ),
        refused(&netlify, &[token], BODY),
        refused(
            &standard,
            &[
                ("webhook-id", "MARKER.MARKER"),
                ("webhook-timestamp", "1700000000"),
                ("webhook-signature", &format!("v1,{}=", "A".repeat(43))),
            ],
            BODY,
        ),
        refused(&acme, &[client, ("x-acme-signature", MARKER)], BODY),
        refused(&stripe, &[("stripe-signature", &format!("v1={bad}"))], BODY),
        refused(
            &stripe,
            &[("stripe-signature", &format!("t=1,t=2,v1={bad}"))],
            BODY,
        ),
        refused(&stripe, &[("stripe-signature", &many)], BODY),
        slack_at(MARKER),
        slack_at("1699999699"),
        slack_at("1700000301"),
        refused(&acme, &[client, ("x-acme-signature", &bad)], "MARKER"),
        refused(&acme, &[client, ("x-acme-signature", &bad)], BODY),
        from_elsewhere(),
        rotated(vec![expired.clone(), spare]),
        forged_by_oracle(),
        refused_by_source(nobody).await,
        rotated(vec![expired]),
        refused_by_source(failed).await,
        refused_by_source(late).await,
        undelivered(Store::Busy).await,
        undelivered(Store::Away).await,
        undelivered(Store::Slow).await,
        undelivered(Store::Full).await,
        unhandled(|layer| layer.with_max_running(1)).await,
        unhandled(|layer| layer.with_handler_timeout(Duration::from_secs(1))).await,
        refused_by_layer(Odd::Never).await,
        refused_by_layer(Odd::Broken).await,
        asked(providers::x_twitter(), "/?crc_token=%7B%22MARKER%22%7D"),
        asked(
            providers::meta().with_handshake_setting("verify_token", Secret::new(SECRET)),
            "/?hub.mode=subscribe&hub.challenge=1&hub.verify_token=MARKER",
        ),
        repeated_by_get().await,
        refused(&verifier(providers::github()), &taken, ""),
        unreadable,
        missing,
    ]
}

/// A request of PayPal whose certificate is at the address of somebody else.
fn from_elsewhere() -> Rejection {
    let key = PublicKey::new(include_str!(
        "../../src/crypto/vectors/keys/rsa2048.pub.pem"
    ));
    let provider = providers::paypal().with_param("webhook_id", MARKER);
    let verifier = Verifier::new(provider.accept_unsigned_body(), key).unwrap();
    let signature = format!("{}==", "A".repeat(342));
    let headers = [
        ("paypal-auth-algo", "SHA256withRSA"),
        (
            "paypal-cert-url",
            "https://api.paypal.com.MARKER.example/v1/c",
        ),
        ("paypal-transmission-id", MARKER),
        ("paypal-transmission-sig", &*signature),
        ("paypal-transmission-time", "2023-11-14T22:13:20Z"),
    ];
    refused(&verifier.with_endpoint("kyc"), &headers, BODY)
}

/// A body that anybody can have signed.
fn forged_by_oracle() -> Rejection {
    let head = sign(providers::x_twitter(), MARKER);
    let verifier = verifier(providers::x_twitter());
    let verdict = verifier.verify(&Head::from(&head), MARKER, at(NOW));
    verdict.map(drop).unwrap_err()
}

/// An event that comes again by a method that is not signed.
async fn repeated_by_get() -> Rejection {
    let verify = WebhookVerifyLayer::new(verifier(providers::github())).with_clock(|| at(NOW));
    let handshake = HandshakeLayer::new(&verify);
    let service = ServiceBuilder::new()
        .layer(verify)
        .layer(handshake)
        .service_fn(async |_: Request<Full<Bytes>>| {
            Ok::<_, Infallible>(Response::new(Full::default()))
        });
    let mut head = sign(providers::github(), MARKER);
    head.method = http::Method::GET;
    let request = Request::from_parts(head, Full::new(Bytes::from(MARKER)));
    let response: Response<Full<Bytes>> = service.oneshot(request).await.unwrap();
    response.extensions().get().cloned().unwrap()
}

/// A handshake that is refused.
fn asked(provider: Provider, target: &str) -> Rejection {
    let verifier = verifier(provider);
    let headers: [(&str, &str); 0] = [];
    let head = Head::new(&headers).with_method("GET").with_target(target);
    let keys = verifier.keys();
    match handshake::answer(&verifier, keys, &head, &Bytes::new(), at(NOW)) {
        handshake::Answer::Refused(rejection) => rejection,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_refusal_has_its_name_and_status() {
    const UNAUTHORIZED: StatusCode = StatusCode::UNAUTHORIZED;
    let table = [
        (
            RejectionKind::BodyTooLarge,
            "body_too_large",
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        (RejectionKind::MissingHeader, "missing_header", UNAUTHORIZED),
        (
            RejectionKind::RepeatedHeader,
            "repeated_header",
            UNAUTHORIZED,
        ),
        (
            RejectionKind::UnexpectedHeader,
            "unexpected_header",
            UNAUTHORIZED,
        ),
        (
            RejectionKind::UnexpectedClaim,
            "unexpected_claim",
            UNAUTHORIZED,
        ),
        (
            RejectionKind::MalformedHeader,
            "malformed_header",
            UNAUTHORIZED,
        ),
        (
            RejectionKind::MalformedSignature,
            "malformed_signature",
            UNAUTHORIZED,
        ),
        (RejectionKind::MissingField, "missing_field", UNAUTHORIZED),
        (RejectionKind::RepeatedField, "repeated_field", UNAUTHORIZED),
        (
            RejectionKind::TooManySignatures,
            "too_many_signatures",
            UNAUTHORIZED,
        ),
        (
            RejectionKind::MalformedTimestamp,
            "malformed_timestamp",
            UNAUTHORIZED,
        ),
        (
            RejectionKind::TimestampTooOld,
            "timestamp_too_old",
            UNAUTHORIZED,
        ),
        (
            RejectionKind::TimestampInFuture,
            "timestamp_in_future",
            UNAUTHORIZED,
        ),
        (RejectionKind::MalformedBody, "malformed_body", UNAUTHORIZED),
        (
            RejectionKind::SignatureMismatch,
            "signature_mismatch",
            UNAUTHORIZED,
        ),
        (
            RejectionKind::UntrustedCertificate,
            "untrusted_certificate",
            UNAUTHORIZED,
        ),
        (
            RejectionKind::KeyOutsideWindow,
            "key_outside_window",
            UNAUTHORIZED,
        ),
        (RejectionKind::ForgeableBody, "forgeable_body", UNAUTHORIZED),
        (RejectionKind::UnknownTenant, "unknown_tenant", UNAUTHORIZED),
        (
            RejectionKind::NoValidKey,
            "no_valid_key",
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        (
            RejectionKind::KeySourceFailed,
            "key_source_failed",
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        (
            RejectionKind::KeySourceTimeout,
            "key_source_timeout",
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        (
            RejectionKind::DeliveryInProgress,
            "delivery_in_progress",
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        (
            RejectionKind::DeliveryStoreFailed,
            "delivery_store_failed",
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        (
            RejectionKind::DeliveryStoreTimeout,
            "delivery_store_timeout",
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        (
            RejectionKind::DeliveryStoreFull,
            "delivery_store_full",
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        (
            RejectionKind::HandlersBusy,
            "handlers_busy",
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        (
            RejectionKind::HandlerAborted,
            "handler_aborted",
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        (
            RejectionKind::ReadTimeout,
            "read_timeout",
            StatusCode::REQUEST_TIMEOUT,
        ),
        (
            RejectionKind::BodyIncomplete,
            "body_incomplete",
            StatusCode::BAD_REQUEST,
        ),
        (
            RejectionKind::MalformedChallenge,
            "malformed_challenge",
            StatusCode::BAD_REQUEST,
        ),
        (
            RejectionKind::ChallengeRefused,
            "challenge_refused",
            StatusCode::FORBIDDEN,
        ),
        (
            RejectionKind::MethodNotAllowed,
            "method_not_allowed",
            StatusCode::METHOD_NOT_ALLOWED,
        ),
        (
            RejectionKind::BodyTaken,
            "body_taken",
            StatusCode::INTERNAL_SERVER_ERROR,
        ),
        (
            RejectionKind::UnreadablePayload,
            "unreadable_payload",
            StatusCode::INTERNAL_SERVER_ERROR,
        ),
        (
            RejectionKind::LayerMissing,
            "layer_missing",
            StatusCode::INTERNAL_SERVER_ERROR,
        ),
    ];
    let refusals = every_refusal().await;
    assert_eq!(refusals.len(), table.len());
    for ((kind, name, status), rejection) in table.into_iter().zip(refusals) {
        assert_eq!(rejection.kind(), kind);
        assert_eq!((kind.as_str(), &*kind.to_string()), (name, name));
        assert_eq!(
            (kind.status(), rejection.status()),
            (status, status),
            "{name}"
        );

        let response = rejection.to_response();
        assert_eq!(response.status(), status, "{name}");
        let headers: Vec<(&str, &str)> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        let expected: &[(&str, &str)] = match status.as_u16() {
            401 => &[("www-authenticate", "Webhook-Signature")],
            // What is left of the other's lease.
            503 if kind == RejectionKind::DeliveryInProgress => &[("retry-after", "7")],
            503 => &[("retry-after", "5")],
            405 => &[("allow", "POST, PUT, PATCH, DELETE")],
            _ => &[],
        };
        assert_eq!(headers, expected, "{name}");
    }

    // The table misses none.
    let source = include_str!("../../src/rejection/kind.rs");
    let (_, variants) = source.split_once("pub enum RejectionKind {").unwrap();
    let (variants, _) = variants.split_once("\n}").unwrap();
    let declared: BTreeSet<String> = variants
        .lines()
        .filter_map(|line| line.trim().strip_suffix(','))
        .filter(|line| !line.starts_with('/'))
        .map(str::to_owned)
        .collect();
    let listed: BTreeSet<String> = table.iter().map(|(kind, ..)| format!("{kind:?}")).collect();
    assert_eq!(declared, listed);
}

#[tokio::test(start_paused = true)]
async fn texts_of_every_refusal() {
    let mut text = String::new();
    for rejection in every_refusal().await {
        quiet(format!("{rejection:#?}"));
        text += &quiet(format!("{rejection}\n    {rejection:?}\n"));
        if let Some(source) = rejection.source() {
            text += &quiet(format!("    source: {source}\n"));
        }
    }
    assert_snapshot!(text, @r#"
    the body exceeds the limit (41 bytes); the limit is 40 bytes; raise `max_body` if the provider sends longer bodies
        Rejection { kind: BodyTooLarge, provider: Some("acme"), endpoint: Some("kyc"), tenant: None, header: None, field: None, hints: [MaxBody], skew_seconds: None, body_length: Some(41), value_length: None }
    a required header is missing (header X-Acme-Signature); it has X-Client, a header of the provider: set the secret at the provider, so that it signs
        Rejection { kind: MissingHeader, provider: Some("acme"), endpoint: Some("kyc"), tenant: None, header: Some("X-Acme-Signature"), field: None, hints: [UnsignedSender], skew_seconds: None, body_length: None, value_length: None }
    duplicate header (header X-Acme-Signature)
        Rejection { kind: RepeatedHeader, provider: Some("acme"), endpoint: Some("kyc"), tenant: None, header: Some("X-Acme-Signature"), field: None, hints: [], skew_seconds: None, body_length: None, value_length: None }
    a header does not have the required value (header X-Client)
        Rejection { kind: UnexpectedHeader, provider: Some("acme"), endpoint: Some("kyc"), tenant: None, header: Some("X-Client"), field: None, hints: [], skew_seconds: None, body_length: None, value_length: None }
    an entry or a claim of the token does not have the required value (field iss)
        Rejection { kind: UnexpectedClaim, provider: Some("netlify"), endpoint: Some("kyc"), tenant: None, header: None, field: Some("iss"), hints: [], skew_seconds: None, body_length: None, value_length: None }
    a signed header has an ambiguous value (header webhook-id)
        Rejection { kind: MalformedHeader, provider: Some("standard-webhooks"), endpoint: None, tenant: None, header: Some("webhook-id"), field: None, hints: [], skew_seconds: None, body_length: None, value_length: None }
    no signature can be decoded (header X-Acme-Signature) (6 bytes); this endpoint has verified nothing since it started: compare the header with the provider's page, and check `provider`
        Rejection { kind: MalformedSignature, provider: Some("acme"), endpoint: Some("kyc"), tenant: None, header: Some("X-Acme-Signature"), field: None, hints: [NeverVerified], skew_seconds: None, body_length: None, value_length: Some(6) }
    a field that the scheme needs is missing or ambiguous (header Stripe-Signature) (field t)
        Rejection { kind: MissingField, provider: Some("stripe"), endpoint: Some("kyc"), tenant: None, header: Some("Stripe-Signature"), field: Some("t"), hints: [], skew_seconds: None, body_length: None, value_length: None }
    a field that the scheme needs occurs more than once (header Stripe-Signature) (field t)
        Rejection { kind: RepeatedField, provider: Some("stripe"), endpoint: Some("kyc"), tenant: None, header: Some("Stripe-Signature"), field: Some("t"), hints: [], skew_seconds: None, body_length: None, value_length: None }
    too many signatures (header Stripe-Signature)
        Rejection { kind: TooManySignatures, provider: Some("stripe"), endpoint: Some("kyc"), tenant: None, header: Some("Stripe-Signature"), field: None, hints: [], skew_seconds: None, body_length: None, value_length: None }
    the timestamp cannot be parsed (header X-Slack-Request-Timestamp) (6 bytes)
        Rejection { kind: MalformedTimestamp, provider: Some("slack"), endpoint: Some("kyc"), tenant: None, header: Some("X-Slack-Request-Timestamp"), field: None, hints: [], skew_seconds: None, body_length: None, value_length: Some(6) }
    the timestamp is too old (header X-Slack-Request-Timestamp) (301 s from the clock); check the clock of this machine, and whether requests wait in a queue
        Rejection { kind: TimestampTooOld, provider: Some("slack"), endpoint: Some("kyc"), tenant: None, header: Some("X-Slack-Request-Timestamp"), field: None, hints: [Clock], skew_seconds: Some(-301), body_length: None, value_length: None }
    the timestamp is too far in the future (header X-Slack-Request-Timestamp) (301 s from the clock); check the clock of this machine, and whether requests wait in a queue
        Rejection { kind: TimestampInFuture, provider: Some("slack"), endpoint: Some("kyc"), tenant: None, header: Some("X-Slack-Request-Timestamp"), field: None, hints: [Clock], skew_seconds: Some(301), body_length: None, value_length: None }
    the body lacks a value that the scheme signs, or has it twice (6 bytes)
        Rejection { kind: MalformedBody, provider: Some("acme"), endpoint: Some("kyc"), tenant: None, header: None, field: None, hints: [], skew_seconds: None, body_length: Some(6), value_length: None }
    the signature matches no key of this endpoint (60 bytes); this endpoint has verified nothing since it started: suspect the secret
        Rejection { kind: SignatureMismatch, provider: Some("acme"), endpoint: Some("kyc"), tenant: None, header: None, field: None, hints: [NeverVerified], skew_seconds: None, body_length: Some(60), value_length: None }
    no trusted certificate vouches for the key (header PAYPAL-CERT-URL)
        Rejection { kind: UntrustedCertificate, provider: Some("paypal"), endpoint: Some("kyc"), tenant: None, header: Some("PAYPAL-CERT-URL"), field: None, hints: [], skew_seconds: None, body_length: None, value_length: None }
    the signature is correct, but its key is not valid at this time (60 bytes)
        Rejection { kind: KeyOutsideWindow, provider: Some("github"), endpoint: None, tenant: None, header: None, field: None, hints: [], skew_seconds: None, body_length: Some(60), value_length: None }
    the body has the form of a challenge, which anybody can have signed by this endpoint (6 bytes)
        Rejection { kind: ForgeableBody, provider: Some("x-twitter"), endpoint: Some("kyc"), tenant: None, header: None, field: None, hints: [], skew_seconds: None, body_length: Some(6), value_length: None }
    the key source found no tenant for this request (0 bytes)
        Rejection { kind: UnknownTenant, provider: Some("acme"), endpoint: Some("kyc"), tenant: None, header: None, field: None, hints: [], skew_seconds: None, body_length: Some(0), value_length: None }
    the endpoint has no valid key; add one for this provider, or a key source
        Rejection { kind: NoValidKey, provider: Some("github"), endpoint: None, tenant: None, header: None, field: None, hints: [], skew_seconds: None, body_length: None, value_length: None }
    the key source failed: the database is away
        Rejection { kind: KeySourceFailed, provider: Some("acme"), endpoint: Some("kyc"), tenant: None, header: None, field: None, hints: [], skew_seconds: None, body_length: None, value_length: None }
        source: the database is away
    the key source did not answer in time; check its backend, or raise the key timeout
        Rejection { kind: KeySourceTimeout, provider: Some("acme"), endpoint: Some("kyc"), tenant: None, header: None, field: None, hints: [], skew_seconds: None, body_length: None, value_length: None }
    another request is still handling this delivery
        Rejection { kind: DeliveryInProgress, provider: Some("voveid"), endpoint: Some("kyc"), tenant: None, header: None, field: None, hints: [], skew_seconds: None, body_length: None, value_length: None }
    the delivery store failed: the delivery store is unavailable: the store is away
        Rejection { kind: DeliveryStoreFailed, provider: Some("voveid"), endpoint: Some("kyc"), tenant: None, header: None, field: None, hints: [], skew_seconds: None, body_length: None, value_length: None }
        source: the delivery store is unavailable: the store is away
    the delivery store did not answer in time: the delivery store did not answer in time: the store is away
        Rejection { kind: DeliveryStoreTimeout, provider: Some("voveid"), endpoint: Some("kyc"), tenant: None, header: None, field: None, hints: [], skew_seconds: None, body_length: None, value_length: None }
        source: the delivery store did not answer in time: the store is away
    the delivery store has no room for another delivery in progress: the delivery store is full: the store is away
        Rejection { kind: DeliveryStoreFull, provider: Some("voveid"), endpoint: Some("kyc"), tenant: None, header: None, field: None, hints: [], skew_seconds: None, body_length: None, value_length: None }
        source: the delivery store is full: the store is away
    too many handlers are running; raise max_running, or look for handlers that hang: max_running is 1
        Rejection { kind: HandlersBusy, provider: Some("voveid"), endpoint: Some("kyc"), tenant: None, header: None, field: None, hints: [], skew_seconds: None, body_length: None, value_length: None }
        source: max_running is 1
    the handler was aborted before it responded: it exceeded handler_timeout (1s)
        Rejection { kind: HandlerAborted, provider: Some("voveid"), endpoint: Some("kyc"), tenant: None, header: None, field: None, hints: [], skew_seconds: None, body_length: None, value_length: None }
        source: it exceeded handler_timeout (1s)
    the body did not arrive in time
        Rejection { kind: ReadTimeout, provider: Some("acme"), endpoint: Some("kyc"), tenant: None, header: None, field: None, hints: [], skew_seconds: None, body_length: None, value_length: None }
    the connection broke before the body was complete
        Rejection { kind: BodyIncomplete, provider: Some("acme"), endpoint: Some("kyc"), tenant: None, header: None, field: None, hints: [], skew_seconds: None, body_length: None, value_length: None }
    the challenge of a handshake is missing, ambiguous, too long, or not of the provider's form (field crc_token)
        Rejection { kind: MalformedChallenge, provider: Some("x-twitter"), endpoint: Some("kyc"), tenant: None, header: None, field: Some("crc_token"), hints: [], skew_seconds: None, body_length: None, value_length: None }
    a handshake does not have the value that this endpoint expects; compare the setting with the one at the provider (field hub.verify_token)
        Rejection { kind: ChallengeRefused, provider: Some("meta"), endpoint: Some("kyc"), tenant: None, header: None, field: Some("hub.verify_token"), hints: [], skew_seconds: None, body_length: None, value_length: None }
    a verified event came by a safe method, which is not signed: somebody repeats a captured request, or the sender is set to GET
        Rejection { kind: MethodNotAllowed, provider: Some("github"), endpoint: Some("kyc"), tenant: None, header: None, field: None, hints: [], skew_seconds: None, body_length: None, value_length: None }
    another layer has already consumed the body that Content-Length announced; put this middleware outside that layer (0 bytes)
        Rejection { kind: BodyTaken, provider: Some("github"), endpoint: Some("kyc"), tenant: None, header: None, field: None, hints: [], skew_seconds: None, body_length: Some(0), value_length: None }
    the event is verified, but cannot be read as the handler's type: the body is not JSON, at line 1 column 1
        Rejection { kind: UnreadablePayload, provider: Some("voveid"), endpoint: Some("kyc"), tenant: None, header: None, field: None, hints: [], skew_seconds: None, body_length: None, value_length: None }
        source: the body is not JSON, at line 1 column 1
    the route has no WebhookVerifyLayer; add it with .layer() or .route_layer(), or with .wrap() in actix-web
        Rejection { kind: LayerMissing, provider: None, endpoint: None, tenant: None, header: None, field: None, hints: [], skew_seconds: None, body_length: None, value_length: None }
    "#);
}

#[tokio::test(start_paused = true)]
async fn facts_of_refusals_are_there_for_the_operator() {
    let refusals = every_refusal().await;
    let of = |kind: RejectionKind| {
        let rejection = refusals.iter().find(|rejection| rejection.kind() == kind);
        rejection.unwrap_or_else(|| panic!("{kind}"))
    };
    let large = of(RejectionKind::BodyTooLarge);
    assert_eq!(
        (large.body_length(), large.header(), large.skew_seconds()),
        (Some(41), None, None)
    );
    assert_eq!(
        (large.provider(), large.endpoint()),
        (Some("acme"), Some("kyc"))
    );
    let missing = of(RejectionKind::MissingHeader);
    assert_eq!(missing.header(), Some("X-Acme-Signature"));
    let malformed = of(RejectionKind::MalformedSignature);
    assert_eq!(
        (malformed.header(), malformed.value_length()),
        (Some("X-Acme-Signature"), Some(6))
    );
    let old = of(RejectionKind::TimestampTooOld);
    assert_eq!(
        (old.header(), old.skew_seconds()),
        (Some("X-Slack-Request-Timestamp"), Some(-301))
    );
    assert_eq!(
        of(RejectionKind::TimestampInFuture).skew_seconds(),
        Some(301)
    );
    let layer = of(RejectionKind::LayerMissing);
    assert_eq!((layer.provider(), layer.endpoint()), (None, None));
    assert_eq!(of(RejectionKind::MalformedHeader).endpoint(), None);
}

// ---- Auto traits
// --------------------------------------------------------------------------------------------------

fn sendable<T: Send + Sync + Unpin + 'static>() {}
fn cloneable<T: Clone + Send + Sync + Unpin + 'static>() {}
fn copyable<T: Copy + Eq + Hash + fmt::Debug + Send + Sync + Unpin + 'static>() {}
fn an_error<T: Error + Clone + Send + Sync + Unpin + 'static>() {}
fn sent<T: Send + 'static>() {}

#[test]
fn auto_traits() {
    cloneable::<Verifier>();
    cloneable::<Provider>();
    cloneable::<Locator>();
    cloneable::<Scheme>();
    cloneable::<SignatureFormat>();
    cloneable::<Timestamp>();
    cloneable::<SecretFormat>();
    cloneable::<Secret>();
    cloneable::<KeySet>();
    cloneable::<SharedKeys>();
    cloneable::<Tenant>();
    cloneable::<Signer>();
    cloneable::<WebhookVerifyLayer>();
    cloneable::<VerifiedEvent>();
    cloneable::<VerifiedEvent<serde_json::Value>>();
    cloneable::<VerifiedEvent<voveid::Event>>();
    cloneable::<Json<u8>>();
    sendable::<CheckedHead>();
    sendable::<BodyVerifier>();
    sendable::<KeySourceError>();
    sendable::<Config>();
    copyable::<RejectionKind>();
    copyable::<Hint>();
    copyable::<NoteKind>();
    cloneable::<Note>();
    copyable::<Algorithm>();
    copyable::<Encoding>();
    copyable::<Coverage>();
    copyable::<Derivation>();
    copyable::<TimeUnit>();
    copyable::<Tolerance>();
    an_error::<Rejection>();
    an_error::<SetupError>();
    an_error::<PayloadError>();
    an_error::<SignError>();
    cloneable::<CapturedRequest>();
    cloneable::<CaptureHook>();
    an_error::<ReadError>();
    cloneable::<Providers>();
    cloneable::<Secrets>();
    cloneable::<Report>();
    copyable::<Verdict>();

    type Inner = axum::routing::Route;
    cloneable::<WebhookVerify<axum::Router>>();
    cloneable::<WebhookVerify<Inner>>();
    sent::<ResponseFuture<axum::Router, axum::body::Body>>();
    sent::<ResponseFuture<Inner, axum::body::Body>>();
}
