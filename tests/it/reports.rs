//! What users of webhook libraries have reported, each report as a test. The modules have tables of
//! the hints and notes that they led to, with requests and set-ups that must not have them.
//!
//! What was reported of byte order marks and of forms is tested in `bodies`.

mod hosts;
mod neighbours;
mod notes;
mod order;
mod quiet;
mod table;
mod texts;

use axum::{Router, body::Body, routing::post};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, request};
use support::{Lines, NOW, at};
use tower::ServiceExt;
use tower_webhook::{
    Config, Json, Note, NoteKind, Provider, Rejection, RejectionKind, Scheme, Secret, SetupError,
    Signer, VerifiedEvent, Verifier, WebhookVerifyLayer,
    delivery::{DeliveryLayer, MemoryStore},
    keys::source_fn,
    providers,
    scheme::{Algorithm, Encoding, SignatureFormat, TimeUnit, Timestamp},
    verify::Head,
};
use tracing::{instrument::WithSubscriber, level_filters::LevelFilter};
use tracing_subscriber::fmt::format::FmtSpan;

use self::hosts::Host;

/// The secrets look as those of the vendors do, and are none.
const TEXT: &str = "It's a Secret to Everybody";
const STRIPE: &str = "whsec_Zt9kQ2mXr7LwB4nVc8HsY1pJd6GfKaEu";
const SVIX: &str = support::SVIX_SECRET;

/// A receiver and the sender that it trusts.
#[derive(Clone)]
struct Site {
    verifier: Verifier,
    signer: Signer,
}

impl Site {
    fn new(provider: Provider, secret: &str) -> Self {
        let signer = Signer::new(provider.clone(), Secret::new(secret)).unwrap();
        Self {
            verifier: Verifier::new(provider, Secret::new(secret)).unwrap(),
            signer: signer.with_time(at(NOW)),
        }
    }

    /// A built-in provider.
    fn of(name: &str) -> Self {
        let secret = match name {
            "stripe" => STRIPE,
            "svix" | "standard-webhooks" | "voveid" => SVIX,
            _ => TEXT,
        };
        Self::new(support::provider(name), secret)
    }

    /// A provider of one's own.
    fn custom(signed: &'static str, signature: SignatureFormat) -> Self {
        let scheme = Scheme::signed(Algorithm::HmacSha256, signed, signature);
        Self::new(Provider::new("acme", scheme), TEXT)
    }

    /// A provider of one's own whose header `X-Time` has the time in this unit.
    fn timed(unit: TimeUnit) -> Self {
        let signature = SignatureFormat::single("X-Acme", Encoding::Hex);
        let scheme = Scheme::signed(Algorithm::HmacSha256, "{ts}.{body}", signature)
            .with_timestamp(Timestamp::header("X-Time").with_unit(unit));
        Self::new(Provider::new("acme", scheme), TEXT)
    }

    fn with(mut self, change: impl FnOnce(Verifier) -> Verifier) -> Self {
        self.verifier = change(self.verifier);
        self
    }

    fn sign(&self, body: impl Into<Bytes>) -> Request<Bytes> {
        let id = match self.verifier.provider().name() {
            "standard-webhooks" => "webhook-id",
            "svix" | "voveid" => "svix-id",
            _ => "x-id",
        };
        let request = Request::post("/hook").header(id, "msg_1");
        self.signer.sign(request, body.into()).unwrap()
    }

    /// Signed over one body, and sent with another.
    fn changed(&self, body: impl Into<Bytes>) -> Request<Bytes> {
        self.sign("{\"signed\":true}").map(|_| body.into())
    }

    /// The value of the signature header for a body.
    fn signature(&self, body: &str) -> String {
        let headers = self.sign(body.to_owned()).into_parts().0.headers;
        let mut values = headers.iter();
        let (_, value) = values.find(|(_, value)| value.len() > 40).unwrap();
        value.to_str().unwrap().to_owned()
    }

    fn verify(&self, request: &Request<Bytes>) -> Result<VerifiedEvent, Rejection> {
        let (head, body) = parts(request);
        self.verifier.verify(&Head::from(&head), body, at(NOW))
    }

    /// The rejection of a request that must not be accepted.
    fn refuse(&self, request: &Request<Bytes>) -> Rejection {
        self.verify(request).unwrap_err()
    }

    /// The outcome, as `kind: hint,hint`.
    fn outcome(&self, request: &Request<Bytes>) -> String {
        outcome(self.verify(request).err().as_ref())
    }
}

fn outcome(rejection: Option<&Rejection>) -> String {
    let Some(rejection) = rejection else {
        return "accepted".to_owned();
    };
    let hints: Vec<_> = rejection.hints().map(|hint| hint.to_string()).collect();
    let kind = rejection.kind();
    if hints.is_empty() {
        kind.to_string()
    } else {
        format!("{kind}: {}", hints.join(","))
    }
}

fn parts(request: &Request<Bytes>) -> (request::Parts, Bytes) {
    request.clone().into_parts()
}

/// A request without a signature.
fn plain(body: &'static str) -> Request<Bytes> {
    Request::post("/hook").body(body.into()).unwrap()
}

/// Changes to requests.
trait Change {
    fn set(self, name: &'static str, value: impl AsRef<str>) -> Self;
    fn add(self, name: &'static str, value: impl AsRef<str>) -> Self;
    fn without(self, name: &'static str) -> Self;
    fn by(self, method: &str) -> Self;
}

impl Change for Request<Bytes> {
    fn set(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        let value = HeaderValue::from_str(value.as_ref()).unwrap();
        self.headers_mut()
            .insert(HeaderName::from_static(name), value);
        self
    }

    fn add(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        let value = HeaderValue::from_str(value.as_ref()).unwrap();
        self.headers_mut()
            .append(HeaderName::from_static(name), value);
        self
    }

    fn without(mut self, name: &'static str) -> Self {
        self.headers_mut().remove(name);
        self
    }

    fn by(mut self, method: &str) -> Self {
        *self.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        self
    }
}

// Lists of signatures

/// One item that cannot be decoded made the order of the list, or the white space that a proxy put
/// into it, decide between 200 and a mismatch.
#[test]
fn a_list_is_read_however_a_proxy_separates_it() {
    let svix = Site::of("svix");
    let right = svix.signature("{}");
    let stripe = Site::of("stripe");
    let header = stripe.signature("{}");
    let (time, tag) = header.split_once(',').unwrap();
    let old = format!("v1={}", "ab".repeat(32));
    for between in [" ", ",", ", ", " ,", "  ", "\t", " , ,"] {
        for list in [
            format!("{right}{between}v1,bm90IGJhc2U2NA"),
            format!("v1,bm90IGJhc2U2NA{between}{right}"),
            format!("v1a,AAAA{between}{right}{between}v2,x"),
            format!("v1,!{between}v1,{between}{right}{between}"),
            format!("v1,{between}v1,{between}{right}"),
        ] {
            let request = svix.sign("{}").set("svix-signature", &list);
            assert_eq!(svix.outcome(&request), "accepted", "{list:?}");
        }
        for list in [
            format!("{time}{between}{old}{between}{tag}"),
            format!("{tag}{between}{time}{between}v1=zz"),
            format!(
                "v1=zz{between}v0={}{between}{tag}{between}{time}",
                "cd".repeat(32)
            ),
        ] {
            let request = stripe.sign("{}").set("stripe-signature", &list);
            assert_eq!(stripe.outcome(&request), "accepted", "{list:?}");
        }
    }
}

/// The refusal of such a list blamed the secret.
#[test]
fn a_refusal_with_signatures_that_cannot_be_decoded_says_how_many() {
    let svix = Site::of("svix");
    let wrong =
        Site::new(providers::svix(), "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").signature("{}");
    for (list, sentence) in [
        (
            format!("{wrong} v1,!!"),
            "one of the signatures cannot be decoded",
        ),
        (
            format!("v1,?, {wrong},v1,!!"),
            "2 of the signatures cannot be decoded",
        ),
    ] {
        let rejection = svix.refuse(&svix.sign("{}").set("svix-signature", &list));
        assert_eq!(rejection.kind(), RejectionKind::SignatureMismatch);
        assert!(rejection.to_string().contains(sentence), "{rejection}");
    }
    // Where there is none beside them, the header is the culprit.
    let rejection = svix.refuse(&svix.sign("{}").set("svix-signature", "v1,!! v1,??"));
    assert_eq!(rejection.kind(), RejectionKind::MalformedSignature);
    assert_eq!(rejection.header(), Some("svix-signature"));
}

/// Both had "no signature can be decoded", which was untrue.
#[test]
fn a_signature_header_without_its_time_or_with_two_names_the_field() {
    use RejectionKind::{MissingField, RepeatedField};
    let stripe = Site::of("stripe");
    let header = stripe.signature("{}");
    let (time, tag) = header.split_once(',').unwrap();
    for (value, kind) in [
        (tag.to_owned(), MissingField),
        (format!("T={NOW},{tag}"), MissingField),
        (format!("t,{tag}"), MissingField),
        (format!("{time},{time},{tag}"), RepeatedField),
        (format!("{time},t=1,{tag}"), RepeatedField),
        (format!("{tag},t=1,{time}"), RepeatedField),
    ] {
        let rejection = stripe.refuse(&stripe.sign("{}").set("stripe-signature", &value));
        assert_eq!(rejection.kind(), kind, "{value}");
        assert_eq!(rejection.field(), Some("t"), "{value}");
        assert_eq!(rejection.header(), Some("Stripe-Signature"), "{value}");
        assert!(!rejection.to_string().contains("decoded"), "{rejection}");
    }

    // A time of one's own name, and by its place.
    let paddle = SignatureFormat::fields("X-Acme", ';', "h1", Encoding::Hex);
    let recurly = SignatureFormat::positional("X-Acme", ',', 1, Encoding::Hex);
    let tag = "ab".repeat(32);
    for (format, name, value, kind) in [
        (paddle.clone(), "ts", format!("h1={tag}"), MissingField),
        (paddle, "ts", format!("ts=1;ts=1;h1={tag}"), RepeatedField),
        (
            recurly,
            "0",
            format!(",{tag}"),
            RejectionKind::MalformedSignature,
        ),
    ] {
        let scheme = Scheme::signed(Algorithm::HmacSha256, "{ts}.{body}", format)
            .with_timestamp(Timestamp::field(name));
        let acme = Verifier::new(Provider::new("acme", scheme), Secret::new(TEXT)).unwrap();
        let (head, body) = plain("{}").set("x-acme", &value).into_parts();
        let rejection = acme.verify(&Head::from(&head), body, at(NOW)).unwrap_err();
        assert_eq!(rejection.kind(), kind, "{value}");
        assert_eq!(rejection.header(), Some("X-Acme"), "{value}");
    }
}

// Bodies

/// The outcome of a request to an endpoint of Stripe that has verified an event before, whose body
/// was replaced by this one.
fn changed_on_its_way(body: &'static [u8], content_type: &str) -> String {
    let stripe = Site::of("stripe");
    stripe.verify(&stripe.sign("{}")).unwrap();
    let request = stripe.changed(Bytes::from_static(body));
    stripe.outcome(&request.set("content-type", content_type))
}

/// The kind of a mismatch at such an endpoint, with this hint or without any of the body.
fn mismatch(hint: &str) -> String {
    let comma = if hint.is_empty() { "" } else { "," };
    format!("signature_mismatch: {hint}{comma}verified_before")
}

/// A proxy or the sender compressed the body after it was signed.
#[test]
fn a_compressed_body_is_named() {
    for body in [
        &b"\x1f\x8b\x08\x00\x00\x00\x00\x00"[..],
        b"\x28\xb5\x2f\xfd\x04\x00",
        b"\x78\x9c\x03\x00\x00\x00",
    ] {
        let outcome = changed_on_its_way(body, "application/json");
        assert_eq!(outcome, mismatch("body_compressed"));
    }
}

/// A gateway of serverless functions encoded the body.
#[test]
fn a_body_in_base64_is_named() {
    for body in ["eyJpZCI6ImV2dF8xIn0=", "eyJpZCI6ImV2dF8xIn0"] {
        let outcome = changed_on_its_way(body.as_bytes(), "application/json");
        assert_eq!(outcome, mismatch("body_base64"), "{body}");
    }
}

/// A framework consumed the body before the signature was verified.
#[test]
fn an_emptied_body_is_named() {
    assert_eq!(
        changed_on_its_way(b"", "application/json"),
        mismatch("body_empty")
    );
    // With the length that the sender declared it is a mistake in the set-up of the server.
    let stripe = Site::of("stripe");
    let emptied = stripe.changed("").set("content-length", "15");
    assert_eq!(stripe.outcome(&emptied), "body_taken");
    assert_eq!(stripe.refuse(&emptied).status(), 500);
}

/// A queue or a gateway put the body into an envelope, or into a string.
#[test]
fn a_wrapped_body_is_named() {
    for (body, hint) in [
        (r#""{\"id\":\"evt_1\"}""#, "body_quoted"),
        (r#"{"version":"2.0","requestContext":{}}"#, "body_wrapped"),
        (r#"{"Records":[{"eventSource":"aws:sqs"}]}"#, "body_wrapped"),
    ] {
        let outcome = changed_on_its_way(body.as_bytes(), "application/json");
        assert_eq!(outcome, mismatch(hint), "{body}");
    }
}

/// A body parser turned JSON into a form, or the other way round.
#[test]
fn a_body_of_another_type_is_named() {
    for body in ["id=evt_1&type=charge", "<event/>", "[object Object]"] {
        let outcome = changed_on_its_way(body.as_bytes(), "application/json");
        assert_eq!(outcome, mismatch("body_other_type"), "{body}");
    }
}

/// JSON that a proxy has written anew has no look of its own: only the length and the digest of
/// what arrived show it.
#[test]
fn a_body_that_was_serialised_again_does_not_look_like_a_wrong_secret() {
    const SENT: &str = r#"{"id":"evt_1","amount":100}"#;
    const PRINTED: &str = "{\n  \"id\": \"evt_1\",\n  \"amount\": 100\n}";
    let stripe = Site::of("stripe");
    stripe.verify(&stripe.sign(SENT)).unwrap();
    let declared = SENT.len().to_string();
    let request = stripe.sign(SENT).set("content-length", declared);
    let printed = stripe.refuse(&request.map(|_| PRINTED.into()));
    assert_eq!(
        outcome(Some(&printed)),
        "signature_mismatch: length_differs,verified_before"
    );
    let resized = stripe.refuse(&stripe.sign(SENT).map(|_| PRINTED.into()));
    let text = resized.to_string();
    assert!(
        text.contains("suspect the body, or a key that was rotated"),
        "{text}"
    );

    let fresh = Site::of("stripe");
    let other = Site::new(providers::stripe(), "whsec_AnotherEndpointsSecretIsThis");
    let text = fresh.refuse(&other.sign(SENT)).to_string();
    assert!(text.contains("suspect the secret"), "{text}");
}

/// A header that cannot be read says nothing about secret and body.
#[test]
fn an_undecoded_signature_does_not_cast_suspicion_on_secret_or_body() {
    let github = Site::of("github");
    let quoted = |site: &Site| {
        let text = site.sign("{}").headers()["x-hub-signature-256"].clone();
        let text = format!("{:?}", text.to_str().unwrap());
        site.refuse(&site.sign("{}").set("x-hub-signature-256", text))
            .to_string()
    };
    for suspect in ["check `provider`", "suspect a proxy"] {
        let text = quoted(&github);
        assert!(text.contains(suspect), "{text}");
        assert!(!text.contains("suspect the"), "{text}");
        github.verify(&github.sign("{}")).unwrap();
    }
}

/// The vendor does sign: "set the secret" would lead nowhere.
#[test]
fn a_header_that_is_missing_beside_a_signature_is_no_missing_secret() {
    for (name, header) in [("svix", "svix-id"), ("slack", "x-slack-request-timestamp")] {
        let site = Site::of(name);
        let text = site.refuse(&site.sign("{}").without(header)).to_string();
        assert!(text.contains("suspect a proxy that removes"), "{text}");
        assert!(!text.contains("set the secret"), "{text}");
    }
}

#[test]
fn a_length_is_told_in_the_encoding_that_has_it() {
    for (name, header, value, told) in [
        (
            "shopify",
            "x-shopify-hmac-sha256",
            "ab".repeat(20),
            "has 40 hex digits (SHA-1), and the scheme expects 32 bytes (SHA-256) in padded base64;",
        ),
        (
            "github",
            "x-hub-signature-256",
            format!("sha256={}==", "A".repeat(86)),
            "has 64 bytes (SHA-512) in padded base64, and the scheme expects 64 hex digits (SHA-256);",
        ),
        (
            "github",
            "x-hub-signature-256",
            format!("sha256={}", "ab".repeat(20)),
            "has 40 hex digits (SHA-1), and the scheme expects 64 hex digits (SHA-256);",
        ),
        (
            "svix",
            "svix-signature",
            "v1,abc".to_owned(),
            "has 3 hex digits, and the scheme expects 32 bytes (SHA-256) in padded base64;",
        ),
    ] {
        let site = Site::of(name);
        let text = site.refuse(&site.sign("{}").set(header, value)).to_string();
        assert!(text.contains(told), "{text}");
    }
}

/// "Which bytes failed?"
#[test]
fn a_mismatch_has_the_first_digits_of_the_bodys_digest() {
    // printf '{}' | sha256sum
    let digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let github = Site::of("github");
    let rejection = github.refuse(&github.changed("{}"));
    assert_eq!(rejection.body_digest(), Some(&digest[..8]));
    assert_eq!(rejection.body_length(), Some(2));
    let frames = ["{", "}"].map(Bytes::from);
    let (head, _) = github.changed("").into_parts();
    let checked = github
        .verifier
        .check_head(&Head::from(&head), at(NOW))
        .unwrap();
    let mut request = checked.with_keys(github.verifier.keys()).unwrap();
    frames
        .into_iter()
        .for_each(|frame| request.update(frame).unwrap());
    let rejection = request.verify().unwrap_err();
    assert_eq!(rejection.body_digest(), Some(&digest[..8]));
    // Only where the bytes are what is in question.
    for request in [
        github.sign("{}").without(support::SIGNATURE),
        github.sign("{}").set(support::SIGNATURE, "sha256=zz"),
        github.changed("{}").set("content-length", "99999999"),
    ] {
        assert_eq!(github.refuse(&request).body_digest(), None);
    }
}

/// Nothing said which limit it was.
#[test]
fn a_body_over_the_limit_names_the_limit_and_the_option() {
    let github = Site::of("github").with(|verifier| verifier.with_max_body(100));
    let declared = github.sign("{}").set("content-length", "101");
    for request in [declared, github.sign("x".repeat(101))] {
        let text = github.refuse(&request).to_string();
        assert!(text.contains("the limit is 100 bytes"), "{text}");
        assert!(text.contains("`max_body`"), "{text}");
    }
    assert_eq!(github.outcome(&github.sign("x".repeat(100))), "accepted");
}

// Senders

/// GitHub without a secret does not sign, and an old server sends only the older digest.
#[test]
fn a_sender_without_a_secret_does_not_look_like_a_scanner() {
    let github = Site::of("github");
    let delivery = plain("{}")
        .set("x-github-event", "push")
        .set("x-github-delivery", "d-1");
    assert_eq!(github.outcome(&delivery), "missing_header: unsigned_sender");
    let rejection = github.refuse(&delivery);
    assert_eq!(rejection.event_type(), Some("push"));
    assert_eq!(rejection.delivery_id(), Some("d-1"));
    assert!(
        rejection.to_string().contains("X-GitHub-Event"),
        "{rejection}"
    );
    assert_eq!(github.outcome(&plain("{}")), "missing_header");

    let older = delivery.set("x-hub-signature", format!("sha1={}", "ab".repeat(20)));
    assert_eq!(github.outcome(&older), "missing_header: older_signature");
    let text = github.refuse(&older).to_string();
    assert!(
        text.contains("X-Hub-Signature, an older signature"),
        "{text}"
    );
}

/// A sender's dashboard offers several algorithms.
#[test]
fn a_digest_of_another_length_is_named() {
    for (name, header, value, sentence) in [
        (
            "idenfy",
            "idenfy-signature",
            "ab".repeat(64),
            "128 hex digits (SHA-512), and the scheme expects 64 hex digits (SHA-256)",
        ),
        (
            "github",
            support::SIGNATURE,
            format!("sha256={}", "ab".repeat(20)),
            "40 hex digits (SHA-1), and the scheme expects 64 hex digits (SHA-256)",
        ),
        (
            "github",
            support::SIGNATURE,
            format!("sha256={}4", "ab".repeat(31)),
            "the signature has 63 hex digits, and the scheme expects 64 hex digits (SHA-256)",
        ),
        (
            "shopify",
            "x-shopify-hmac-sha256",
            "q".repeat(64),
            "the signature has 48 bytes (SHA-384), and the scheme expects 32 bytes (SHA-256)",
        ),
    ] {
        let site = Site::of(name);
        let text = site.refuse(&plain("{}").set(header, value)).to_string();
        assert!(text.contains(sentence), "{text}");
    }
}

/// The sentence sent people to the clock of their machine.
#[test]
fn milliseconds_that_are_read_as_seconds_are_recognised() {
    let stripe = Site::of("stripe");
    let tag = "ab".repeat(32);
    for (time, sentence) in [
        (
            format!("{NOW}000"),
            "plausible in milliseconds, and the scheme expects seconds",
        ),
        (
            format!("{NOW}999999"),
            "plausible in microseconds, and the scheme expects seconds",
        ),
        (
            "2023-11-14T22:13:20Z".to_owned(),
            "plausible in RFC 3339, and the scheme expects seconds",
        ),
    ] {
        let request = plain("{}").set("stripe-signature", format!("t={time},v1={tag}"));
        let text = stripe.refuse(&request).to_string();
        assert!(text.contains(sentence), "{text}");
        assert!(text.contains("`unit`"), "{text}");
        assert!(!text.contains("clock of"), "{text}");
    }
    let millis = Site::timed(TimeUnit::Milliseconds);
    let request = millis.sign("{}").set("x-time", NOW.to_string());
    let text = millis.refuse(&request).to_string();
    assert!(
        text.contains("plausible in seconds, and the scheme expects milliseconds"),
        "{text}"
    );
}

/// The address was opened in a browser, and probed by a health check.
#[test]
fn a_get_or_head_before_the_first_event_is_named() {
    let github = Site::of("github");
    for method in ["GET", "HEAD"] {
        let rejection = github.refuse(&plain("").by(method));
        assert_eq!(rejection.method(), Some(method));
        assert_eq!(rejection.path(), Some("/hook"));
        assert!(
            rejection.to_string().contains("a browser, a health check"),
            "{rejection}"
        );
    }
}

/// `stripe listen` signs with the secret that it prints, not with the one of the dashboard.
#[test]
fn the_secret_of_the_stripe_cli_is_named() {
    let stripe = Site::of("stripe");
    let cli = Site::new(
        providers::stripe(),
        "whsec_7d5e0b1c9a8f4e3d2c1b0a9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b",
    );
    let text = stripe.refuse(&cli.sign("{}")).to_string();
    assert!(
        text.contains("`stripe listen` signs with a secret of its own"),
        "{text}"
    );
    let github = Site::of("github");
    assert!(
        !github
            .refuse(&github.changed("{}"))
            .to_string()
            .contains("listen")
    );
}

/// An event of Stripe that was sent to the address of iDenfy had iDenfy's remedy.
#[test]
fn an_event_at_the_address_of_another_provider_is_recognised() {
    let idenfy = Site::of("idenfy");
    let text = idenfy.refuse(&Site::of("stripe").sign("{}")).to_string();
    assert!(
        text.contains("it has Stripe-Signature, a header of stripe"),
        "{text}"
    );
    assert!(!text.contains("iDenfy signs only once"), "{text}");
    let text = Site::of("stripe")
        .refuse(&Site::of("slack").sign("a=1"))
        .to_string();
    assert!(
        text.contains("it has X-Slack-Signature, a header of slack"),
        "{text}"
    );
    // Without any other header, the remedy is the provider's.
    let text = idenfy.refuse(&plain("{}")).to_string();
    assert!(
        text.contains("iDenfy signs only once a signing key is set"),
        "{text}"
    );
}

/// It tells a wrong secret from a changed body.
#[test]
fn a_mismatch_says_whether_this_endpoint_has_ever_verified_anything() {
    let github = Site::of("github");
    let refused = || github.refuse(&github.changed("{}")).to_string();
    assert!(
        refused().contains("has verified nothing since it started"),
        "{}",
        refused()
    );
    github.verify(&github.sign("{}")).unwrap();
    assert!(
        refused().contains("has verified 1 request since it started"),
        "{}",
        refused()
    );
    github.verify(&github.sign("{}")).unwrap();
    assert!(
        refused().contains("has verified 2 requests since it started"),
        "{}",
        refused()
    );
    // A verifier with another name is another endpoint.
    let other = github
        .clone()
        .with(|verifier| verifier.with_endpoint("other"));
    let text = other.refuse(&other.changed("{}")).to_string();
    assert!(
        text.contains("has verified nothing since it started"),
        "{text}"
    );
}

// Secrets

/// Standard Webhooks' secrets as Supabase shows them.
#[test]
fn a_secret_may_have_the_prefix_that_supabase_shows() {
    let plain = Site::of("standard-webhooks");
    let shown = format!("v1,{SVIX}");
    let supabase = Site::new(providers::standard_webhooks(), &shown);
    assert_eq!(supabase.outcome(&plain.sign("{}")), "accepted");
    assert_eq!(supabase.verifier.notes(), []);
}

/// Supabase shows the secrets of a rotation as one text.
#[test]
fn several_secrets_in_one_text_are_called_several() {
    let joined = format!("v1,{SVIX}|v1,whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    let error = Verifier::new(providers::standard_webhooks(), Secret::new(joined)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "secret: it is several secrets, joined by \"|\"; set each one as a secret of its own"
    );
}

fn only_note(provider: Provider, secret: &str) -> (NoteKind, String) {
    let verifier = Verifier::new(provider, Secret::new(secret)).unwrap();
    let [note] = <[_; 1]>::try_from(verifier.notes()).unwrap();
    (note.kind(), note.to_string())
}

#[test]
fn an_api_key_in_the_place_of_a_secret_is_noted() {
    let (kind, text) = only_note(providers::stripe(), "sk_live_51HxyzABCDEFGHIJKL");
    assert_eq!(kind, NoteKind::OtherCredential);
    assert!(text.contains("as an API key does"), "{text}");
    assert!(!text.contains("51Hxyz"), "{text}");
}

#[test]
fn the_id_of_a_webhook_in_the_place_of_its_secret_is_noted() {
    let (kind, text) = only_note(providers::stripe(), "we_1HxyzABCDEFGHIJKLMNOP");
    assert_eq!(kind, NoteKind::OtherCredential);
    assert!(text.contains("the id of a webhook endpoint"), "{text}");
}

/// It has more than 16 bytes, so it was not even short.
#[test]
fn a_variable_that_nothing_expanded_is_noted() {
    for secret in ["${STRIPE_WEBHOOK_SECRET}", "$STRIPE_SECRET"] {
        let (kind, _) = only_note(providers::stripe(), secret);
        assert_eq!(kind, NoteKind::PlaceholderSecret, "{secret}");
    }
}

/// Docker and systemd keep the quotation marks of an environment file, or the whole line.
#[test]
fn a_secret_with_quotation_marks_or_with_its_name_is_noted() {
    let github = |secret| only_note(providers::github(), secret).0;
    assert_eq!(
        github("\"a-secret-of-this-webhook\""),
        NoteKind::QuotedSecret
    );
    assert_eq!(
        github("GITHUB_WEBHOOK_SECRET=a-secret-of-this-webhook"),
        NoteKind::AssignedSecret
    );
}

#[test]
fn a_placeholder_in_the_place_of_a_secret_is_noted() {
    for secret in [
        "your-webhook-secret",
        "<signing secret>",
        "changeme",
        "********",
    ] {
        let (kind, _) = only_note(providers::github(), secret);
        assert_eq!(kind, NoteKind::PlaceholderSecret, "{secret}");
    }
}

/// A secret that was copied from a page had a character of no width at its end.
#[test]
fn an_invisible_character_in_a_secret_is_noted() {
    for end in ["\u{200b}", "\u{2060}", "\u{feff}", "\u{7f}"] {
        let secret = format!("a-secret-of-this-webhook{end}");
        let (kind, _) = only_note(providers::github(), &secret);
        assert_eq!(kind, NoteKind::InvisibleCharacter, "{end:?}");
    }
}

/// The counters of a rotation are wrong then.
#[test]
fn a_secret_or_an_id_that_occurs_twice_is_noted() {
    let kinds = |first: &str, second: &str| {
        let secrets = vec![
            Secret::new(first).with_id("2026"),
            Secret::new(second).with_id("2026"),
        ];
        let verifier = Verifier::new(providers::github(), secrets).unwrap();
        let notes = verifier.notes().into_iter();
        notes.map(|note| note.kind()).collect::<Vec<_>>()
    };
    assert_eq!(
        kinds("a-secret-of-this-webhook", "another-secret-of-this"),
        [NoteKind::RepeatedId]
    );
    assert_eq!(
        kinds("a-secret-of-this-webhook", "a-secret-of-this-webhook"),
        [NoteKind::RepeatedSecret, NoteKind::RepeatedId]
    );
}

// Schemes and configurations

fn configured(signed: &str, timestamp: &str) -> Result<Verifier, SetupError> {
    let text = format!(
        "[providers.lumo]\nalgorithm = \"hmac-sha512\"\nsigned = \"{signed}\"\n\
         signature = {{ header = \"Lumo-Sig\", fields = \",\", field = \"s\", \
         encoding = \"base64\" }}\n{timestamp}\n\
         [endpoints.lumo]\nprovider = \"lumo\"\nsecret = \"{TEXT}\"\n"
    );
    Config::from_toml_str(&text)?.endpoint("lumo")
}

/// A captured request with a fresh time was a 200, and nothing said so.
#[test]
fn a_time_that_is_not_signed_is_noted() {
    let timestamp = "timestamp = { field = \"ts\" }";
    let notes = |signed| {
        let notes = configured(signed, timestamp).unwrap().notes();
        notes.iter().map(Note::kind).collect::<Vec<_>>()
    };
    assert_eq!(notes("{body}"), [NoteKind::UnsignedTimestamp]);
    assert_eq!(notes("{ts}.{body}"), []);
}

/// A provider signs its endpoint's path and the body, with nothing between them.
#[test]
fn content_without_a_separator_offers_a_parameter_or_the_url() {
    let error = configured("{path}{body}", "").unwrap_err().to_string();
    for offer in ["{param:", "{url}"] {
        assert!(error.contains(offer), "{error}");
    }
}

// The log

/// The lines about one request on Tower.
async fn lines_about(site: &Site, request: Request<Bytes>) -> String {
    let (lines, _guard) = Lines::of_this_thread(LevelFilter::DEBUG, FmtSpan::NONE);
    Host::Tower.send(site, request, None).await;
    lines.text()
}

/// "What became of evt_1ABC?" could not be answered: a line had only the digest of the key.
#[tokio::test]
async fn the_vendors_id_of_an_event_and_the_path_are_in_the_log() {
    let stripe = Site::of("stripe");
    let event = r#"{"id":"evt_1ABC","type":"charge.refunded"}"#;
    let lines = lines_about(&stripe, stripe.sign(event)).await;
    for part in [
        "path=\"/hook\"",
        "delivery_id=\"evt_1ABC\"",
        "event_type=\"charge.refunded\"",
    ] {
        assert!(lines.contains(part), "{part} in {lines}");
    }
    let github = Site::of("github");
    let refused = github.changed("{}").set("x-github-delivery", "d-1");
    let lines = lines_about(&github, refused.set("x-github-event", "push")).await;
    for part in [
        "path=\"/hook\"",
        "delivery_id=\"d-1\"",
        "event_type=\"push\"",
    ] {
        assert!(lines.contains(part), "{part} in {lines}");
    }
}

/// The line named neither the tenant nor the path.
#[tokio::test]
async fn the_tenant_that_nobody_knows_is_in_the_log() {
    let source = source_fn(|request| {
        request.asks_for("acme-7");
        async { Ok(None) }
    });
    let verifier = Verifier::from_key_source(providers::github(), source).unwrap();
    let github = Site::of("github").with(|_| verifier);
    let lines = lines_about(&github, github.sign("{}")).await;
    assert!(lines.contains("unknown_tenant"), "{lines}");
    assert!(lines.contains("asked_tenant=\"acme-7\""), "{lines}");
    assert!(lines.contains("path=\"/hook\""), "{lines}");
}

/// The line called a verified event "refused", left gaps for what it had no value of, and said
/// twice what its span says.
#[tokio::test]
async fn a_genuine_event_that_cannot_be_read_is_called_not_handled() {
    async fn handler(_: VerifiedEvent<Json<Vec<u8>>>) {}
    let github = Site::of("github");
    let (lines, _guard) = Lines::of_this_thread(LevelFilter::DEBUG, FmtSpan::NONE);
    let layer = WebhookVerifyLayer::new(github.verifier.clone()).with_clock(|| at(NOW));
    let app = Router::new().route("/hook", post(handler).route_layer(layer));
    let request = github.sign("{\"id\":1}").map(Body::from);
    assert_eq!(app.oneshot(request).await.unwrap().status(), 500);
    let [line] = <[_; 1]>::try_from(lines.with("unreadable_payload")).unwrap();
    assert!(line.contains("webhook not handled: "), "{line}");
    assert!(!lines.text().contains("refused"), "{}", lines.text());
    assert!(!line.trim_start().contains("  "), "{line}");
    for field in [" provider=", "{provider=", " path=", " outcome="] {
        assert!(line.matches(field).count() <= 1, "{field} in {line}");
    }
    assert_eq!(line.matches("provider=").count(), 1, "{line}");
}

/// Whether it was a 502, a panic or a client that left was not in the line.
#[tokio::test]
async fn a_delivery_that_was_not_handled_says_how_its_handler_ended() {
    async fn fails(request: Request<Body>) -> StatusCode {
        let panics = request.headers().contains_key("x-panics");
        assert!(!panics, "the handler panics");
        StatusCode::BAD_GATEWAY
    }
    let github = Site::of("github");
    let (lines, _guard) = Lines::of_this_thread(LevelFilter::DEBUG, FmtSpan::NONE);
    let layer = WebhookVerifyLayer::new(github.verifier.clone()).with_clock(|| at(NOW));
    let deliver = DeliveryLayer::new(MemoryStore::new());
    let app = Router::new().route("/hook", post(fails).route_layer(deliver).route_layer(layer));
    let request = github.sign("{}").map(Body::from);
    let answer = app.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    let request = github.sign("[]").set("x-panics", "1").map(Body::from);
    let panicked = tokio::spawn(app.oneshot(request).with_current_subscriber());
    assert!(panicked.await.unwrap_err().is_panic());
    let lines = lines.with("delivery was not handled");
    let [answered, panicked] = <[_; 2]>::try_from(lines).unwrap();
    assert!(answered.contains("502"), "{answered}");
    assert!(panicked.contains("panic"), "{panicked}");
}
