//! Which attempts are one delivery: the key of every provider, of tenants and endpoints, and of
//! what nobody signed.

use std::collections::HashMap;

use bytes::Bytes;
use http::Request;
use proptest::{option, prelude::*};
use support::{NOW, SVIX_SECRET, at, authenteq, multipart};
use tower_webhook::{
    Provider, RejectionKind, Scheme, Secret, Signer, VerifiedEvent, Verifier,
    delivery::{DeduplicateBy, DeliveryKey},
    keys::{KeySet, Tenant},
    providers,
    scheme::{Algorithm, Coverage, Encoding, Locator, SignatureFormat, Timestamp},
    verify::Head,
};
const TEXT_SECRET: &str = "a-secret-for-the-delivery-keys";
const STRIPE: &str = "stripe-signature";
const GITHUB: &str = "x-hub-signature-256";

/// One attempt at a delivery: what is signed, what somebody changes after that, and where it
/// arrives.
#[derive(Clone)]
struct Attempt {
    provider: Provider,
    secret: &'static str,
    /// Another key that the endpoint accepts.
    spare: Option<&'static str>,
    endpoint: Option<String>,
    tenant: Option<String>,
    signed_at: u64,
    target: &'static str,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
    changes: Vec<Change>,
}

/// What happens to the headers after they were signed, in the order of the attempt.
#[derive(Clone)]
enum Change {
    Set(&'static str, Vec<u8>),
    Add(&'static str, Vec<u8>),
    Rename(&'static str, &'static str),
    Replace(&'static str, &'static str, &'static str),
    Append(&'static str, &'static str),
}

impl Attempt {
    fn new(provider: Provider, secret: &'static str, body: impl AsRef<[u8]>) -> Self {
        Self {
            provider,
            secret,
            spare: None,
            endpoint: Some("hook".to_owned()),
            tenant: None,
            signed_at: NOW,
            target: "/hook",
            headers: Vec::new(),
            body: body.as_ref().to_vec(),
            changes: Vec::new(),
        }
    }

    /// Signed anew, as every attempt is, at another time.
    fn again(mut self) -> Self {
        self.signed_at += 60;
        self
    }

    fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// Sent before it is signed: part of what is signed, if the scheme says so.
    fn with(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.as_ref().to_vec()));
        self
    }

    fn changed(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }

    fn set(self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.changed(Change::Set(name, value.as_ref().to_vec()))
    }

    fn add(self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.changed(Change::Add(name, value.as_ref().to_vec()))
    }

    fn replace(self, name: &'static str, from: &'static str, to: &'static str) -> Self {
        self.changed(Change::Replace(name, from, to))
    }

    fn append(self, name: &'static str, text: &'static str) -> Self {
        self.changed(Change::Append(name, text))
    }

    fn rename(self, name: &'static str, to: &'static str) -> Self {
        self.changed(Change::Rename(name, to))
    }

    fn keyed(mut self, deduplicate_by: DeduplicateBy) -> Self {
        self.provider = self.provider.with_deduplicate_by(deduplicate_by);
        self
    }

    /// The endpoint accepts a second key, with which this attempt may be signed.
    fn rotating(mut self, secret: &'static str, spare: &'static str) -> Self {
        (self.secret, self.spare) = (secret, Some(spare));
        self
    }

    fn to(mut self, target: &'static str) -> Self {
        self.target = target;
        self
    }

    fn at(mut self, endpoint: impl Into<Option<&'static str>>) -> Self {
        self.endpoint = endpoint.into().map(str::to_owned);
        self
    }

    fn of(mut self, tenant: impl Into<Option<&'static str>>) -> Self {
        self.tenant = tenant.into().map(str::to_owned);
        self
    }

    fn event(&self) -> Result<VerifiedEvent, RejectionKind> {
        let secret = Secret::new(self.secret);
        let signer = Signer::new(self.provider.clone(), secret.clone()).unwrap();
        let mut request = Request::post(self.target);
        for (name, value) in &self.headers {
            request = request.header(*name, &value[..]);
        }
        let body = Bytes::from(self.body.clone());
        let signed = signer.with_time(at(self.signed_at)).sign(request, body);
        let (head, body) = signed.unwrap().into_parts();
        let headers = head.headers.iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
        let mut headers: Vec<_> = headers.collect();
        for change in &self.changes {
            change.make(&mut headers);
        }

        let secrets: Vec<Secret> = [Some(secret), self.spare.map(Secret::new)]
            .into_iter()
            .flatten()
            .collect();
        let mut verifier = Verifier::new(self.provider.clone(), secrets.clone()).unwrap();
        if let Some(endpoint) = &self.endpoint {
            verifier = verifier.with_endpoint(&**endpoint);
        }
        let tenant = self.tenant.as_ref().map(|tenant| {
            let secrets = KeySet::new(&self.provider, secrets).unwrap();
            Tenant::new(&**tenant, secrets)
        });
        let verdict = verifier
            .check_head(&Head::new(&headers), at(NOW))
            .and_then(|checked| match &tenant {
                Some(tenant) => checked.with_tenant(Some(tenant)),
                None => checked.with_keys(verifier.keys()),
            })
            .and_then(|mut request| {
                request.update(body)?;
                request.verify()
            });
        verdict.map_err(|rejection| rejection.kind())
    }

    fn key(&self) -> Result<DeliveryKey, RejectionKind> {
        self.event().map(|event| event.delivery_key())
    }
}

impl Change {
    fn make(&self, headers: &mut Vec<(String, Vec<u8>)>) {
        let of = |headers: &mut Vec<(String, Vec<u8>)>, name: &str| {
            let at = headers.iter().position(|(known, _)| known == name);
            at.unwrap_or_else(|| panic!("the header {name} is there"))
        };
        match self {
            Self::Set(name, value) => {
                headers.retain(|(known, _)| known != name);
                headers.push(((*name).to_owned(), value.clone()));
            }
            Self::Add(name, value) => headers.push(((*name).to_owned(), value.clone())),
            Self::Rename(name, to) => {
                let at = of(headers, name);
                headers[at].0 = (*to).to_owned();
            }
            Self::Replace(name, from, to) => {
                let at = of(headers, name);
                let text = String::from_utf8(headers[at].1.clone()).unwrap();
                assert!(text.contains(from), "{text} has {from}");
                headers[at].1 = text.replacen(from, to, 1).into();
            }
            Self::Append(name, text) => {
                let at = of(headers, name);
                headers[at].1.extend_from_slice(text.as_bytes());
            }
        }
    }
}

/// What two attempts are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Are {
    /// One delivery.
    Same,
    /// Two.
    Others,
    /// The second does not get in.
    Refused(RejectionKind),
}
use Are::{Others, Refused, Same};

/// What the second attempt is, beside the first.
fn relation(first: &Attempt, second: &Attempt) -> Are {
    let key = first.key().expect("the first attempt is genuine");
    match second.key() {
        Ok(other) if other == key => Same,
        Ok(_) => Others,
        Err(kind) => Refused(kind),
    }
}

fn check(rows: impl IntoIterator<Item = (&'static str, Attempt, Attempt, Are)>) {
    let mut wrong = Vec::new();
    for (what, first, second, expected) in rows {
        let relation = relation(&first, &second);
        if relation != expected {
            wrong.push(format!("{what}: {relation:?} and not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn stripe(body: impl AsRef<[u8]>) -> Attempt {
    Attempt::new(providers::stripe(), TEXT_SECRET, body)
}

fn svix(id: impl AsRef<[u8]>, body: impl AsRef<[u8]>) -> Attempt {
    Attempt::new(providers::svix(), SVIX_SECRET, body).with("svix-id", id)
}

fn github(body: impl AsRef<[u8]>) -> Attempt {
    Attempt::new(providers::github(), TEXT_SECRET, body)
}

fn result(boundary: &str, id: &str) -> Attempt {
    let json = format!(r#"{{"id":"{id}","documentData":{{"documentType":"PP"}}}}"#);
    let parts = [("result", &*json), ("faceImage", "the image")];
    Attempt::new(authenteq(), TEXT_SECRET, multipart(boundary, &parts))
}

/// A provider that signs `signed`, and whose delivery id stands at `id`.
fn custom(signed: &'static str, id: Locator, coverage: Coverage) -> Provider {
    let signature = SignatureFormat::single("X-Acme-Signature", Encoding::Hex);
    let scheme = Scheme::signed(Algorithm::HmacSha256, signed, signature);
    let provider = Provider::new("acme", scheme.with_coverage(coverage)).with_delivery_id(id);
    match coverage {
        Coverage::Body => provider,
        _ => provider.accept_unsigned_body(),
    }
}

fn acme(signed: &'static str, id: Locator, body: impl AsRef<[u8]>) -> Attempt {
    Attempt::new(custom(signed, id, Coverage::Body), TEXT_SECRET, body)
}

#[test]
fn an_id_in_a_body_that_is_signed_is_the_delivery() {
    let event = || stripe(r#"{"id":"evt_1","type":"a"}"#);
    let slack = |body: &str| Attempt::new(providers::slack(), TEXT_SECRET, body);
    check([
        ("sent again with a new time", event(), event().again(), Same),
        (
            "written another way",
            event(),
            event().body(r#"{ "type":"a", "id":"evt_1" }"#),
            Same,
        ),
        (
            "the id escaped",
            event(),
            event().body(r#"{"id":"\u0065vt_1"}"#),
            Same,
        ),
        (
            "the id twice, of which the last counts",
            event(),
            event().body(r#"{"id":"x","id":"evt_1"}"#),
            Same,
        ),
        (
            "another id",
            event(),
            event().body(r#"{"id":"evt_2","type":"a"}"#),
            Others,
        ),
        (
            "an id further in",
            event(),
            event().body(r#"{"data":{"id":"evt_1"},"type":"a"}"#),
            Others,
        ),
        (
            "Slack sends it again",
            slack(r#"{"event_id":"Ev1","n":1}"#),
            slack(r#"{"event_id":"Ev1","n":2}"#).again(),
            Same,
        ),
        (
            "Slack has another",
            slack(r#"{"event_id":"Ev1"}"#),
            slack(r#"{"event_id":"Ev2"}"#),
            Others,
        ),
        (
            "a slash command sent again",
            slack("command=%2Fgo&trigger_id=1"),
            slack("command=%2Fgo&trigger_id=1").again(),
            Same,
        ),
        (
            "a slash command given again",
            slack("command=%2Fgo&trigger_id=1"),
            slack("command=%2Fgo&trigger_id=2"),
            Others,
        ),
    ]);
}

#[test]
fn an_id_in_a_header_that_is_signed_is_the_delivery() {
    let event = || svix("msg_1", r#"{"n":1}"#);
    let of = |provider, prefix: &'static str| {
        Attempt::new(provider, SVIX_SECRET, r#"{"n":1}"#).with(prefix, "msg_1")
    };
    let relabelled = event()
        .rename("svix-id", "webhook-id")
        .rename("svix-timestamp", "webhook-timestamp")
        .rename("svix-signature", "webhook-signature");
    let standard = || of(providers::standard_webhooks(), "webhook-id");
    let voveid = || of(providers::voveid(), "svix-id");
    check([
        ("sent again with a new time", event(), event().again(), Same),
        ("another body", event(), event().body(r#"{"n":2}"#), Same),
        ("the other headers", event(), relabelled, Same),
        (
            "an id of the other headers beside it",
            event(),
            event().add("webhook-id", "msg_2"),
            Same,
        ),
        (
            "another id",
            event(),
            event().with("svix-id", "msg_2"),
            Others,
        ),
        (
            "an id in capitals",
            event(),
            event().with("svix-id", "MSG_1"),
            Others,
        ),
        (
            "the id changed by somebody",
            event(),
            event().set("svix-id", "msg_2"),
            Refused(RejectionKind::SignatureMismatch),
        ),
        (
            "the id with a space in front",
            event(),
            event().set("svix-id", " msg_1"),
            Refused(RejectionKind::SignatureMismatch),
        ),
        (
            "the id cut elsewhere",
            event(),
            event().set("svix-id", "msg_1.1"),
            Refused(RejectionKind::MalformedHeader),
        ),
        (
            "a second id",
            event(),
            event().add("svix-id", "msg_2"),
            Refused(RejectionKind::RepeatedHeader),
        ),
        (
            "Standard Webhooks sends again",
            standard(),
            standard().again(),
            Same,
        ),
        (
            "Standard Webhooks has another",
            standard(),
            standard().with("webhook-id", "msg_2"),
            Others,
        ),
        ("VOVE ID sends again", voveid(), voveid().again(), Same),
        (
            "VOVE ID has another",
            voveid(),
            voveid().with("svix-id", "msg_2"),
            Others,
        ),
        ("another provider", event(), voveid(), Others),
        ("and another", event(), standard(), Others),
    ]);
}

#[test]
fn the_result_of_authenteq_is_the_delivery_whatever_stands_around_it() {
    let event = || result("b", "one");
    let with_image = |image: &str| {
        let parts = [("result", r#"{"id":"one"}"#), ("faceImage", image)];
        Attempt::new(authenteq(), TEXT_SECRET, multipart("b", &parts))
    };
    let plain = |body: &[u8]| Attempt::new(authenteq(), TEXT_SECRET, body);
    let by_hmac = Attempt {
        provider: authenteq().select_variant("hmac-sha256").unwrap(),
        ..event()
    };
    let named = |boundary: &str| format!("multipart/form-data; boundary={boundary}");
    let typed = || event().with("content-type", named("b"));
    check([
        ("another boundary", event(), result("c", "one"), Same),
        (
            "another boundary, named in the header",
            typed(),
            result("c", "one").with("content-type", named("c")),
            Same,
        ),
        (
            "a header that names another boundary",
            typed(),
            typed().set("content-type", named("c")),
            Same,
        ),
        (
            "a header that cannot be read",
            typed(),
            typed().set("content-type", b"\xff;;"),
            Same,
        ),
        (
            "a header that is no multipart",
            typed(),
            typed().set("content-type", "application/json"),
            Same,
        ),
        (
            "the other reading of the vendor's page",
            event(),
            by_hmac,
            Same,
        ),
        (
            "another image",
            with_image("one"),
            with_image("other"),
            Same,
        ),
        ("another result", event(), result("b", "two"), Others),
        (
            "a result under another name",
            with_image("i"),
            plain(&multipart("b", &[("other", r#"{"id":"one"}"#)])),
            Others,
        ),
        (
            "no result, another boundary",
            plain(&multipart("b", &[("a", "1")])),
            plain(&multipart("c", &[("a", "1")])),
            Others,
        ),
        ("no multipart", plain(b"{}"), plain(b"{}"), Same),
        ("other bytes", plain(b"{}"), plain(b"{ }"), Others),
        (
            "a body that is what the result is",
            with_image("i"),
            plain(br#"{"id":"one"}"#),
            Others,
        ),
    ]);
}

#[test]
fn a_body_is_the_delivery_where_no_signed_id_names_one() {
    let idenfy = |body: &str| Attempt::new(providers::idenfy(), TEXT_SECRET, body);
    let authento = |body: &str| Attempt::new(providers::authento(), TEXT_SECRET, body);
    let shopify = |body: &str| Attempt::new(providers::shopify(), TEXT_SECRET, body);
    let digest = Attempt {
        provider: providers::authento()
            .select_variant("sha256-body-secret")
            .unwrap(),
        ..authento("{}")
    };
    let approved = || idenfy(r#"{"scanRef":"s","status":{"overall":"APPROVED"}}"#);
    check([
        (
            "one scanRef, two results",
            approved(),
            idenfy(r#"{"scanRef":"s","status":{"overall":"DENIED"}}"#),
            Others,
        ),
        ("iDenfy sends again", approved(), approved(), Same),
        (
            "iDenfy's event type is not signed",
            approved().with("idenfy-event-type", "VERIFICATION"),
            approved().with("idenfy-event-type", "OTHER"),
            Same,
        ),
        (
            "Authento sends again",
            authento(r#"{"userId":"u"}"#),
            authento(r#"{"userId":"u"}"#),
            Same,
        ),
        (
            "Authento has another",
            authento(r#"{"userId":"u","event":"REVIEWED"}"#),
            authento(r#"{"userId":"u","event":"ON_HOLD"}"#),
            Others,
        ),
        (
            "the other reading of the vendor's page",
            authento("{}"),
            digest,
            Same,
        ),
        (
            "GitHub's id is not signed",
            github("{}"),
            github("{}"),
            Same,
        ),
        (
            "another id of GitHub",
            github("{}").with("x-github-delivery", "1"),
            github("{}").with("x-github-delivery", "2"),
            Same,
        ),
        (
            "another event of GitHub",
            github("{}").with("x-github-event", "push"),
            github("{}").with("x-github-event", "star"),
            Same,
        ),
        (
            "another topic of Shopify",
            shopify("{}").with("x-shopify-topic", "orders/create"),
            shopify("{}").with("x-shopify-topic", "orders/paid"),
            Same,
        ),
        (
            "another id of Shopify",
            shopify("{}").with("x-shopify-webhook-id", "1"),
            shopify("{}").with("x-shopify-webhook-id", "2"),
            Same,
        ),
        ("other bytes", github("{}"), github("{} "), Others),
        ("no bytes", github(""), github(""), Same),
        ("one byte", github(""), github("\0"), Others),
    ]);
}

#[test]
fn the_event_type_counts_where_it_is_asked_for() {
    let typed = |attempt: Attempt| attempt.keyed(DeduplicateBy::BodyAndEventType);
    let push = || typed(github("{}")).with("x-github-event", "push");
    let topic = |topic: &str| {
        let shopify = Attempt::new(providers::shopify(), TEXT_SECRET, "{}");
        typed(shopify).with("x-shopify-topic", topic)
    };
    check([
        ("sent again", push(), push(), Same),
        (
            "another event",
            push(),
            push().set("x-github-event", "star"),
            Others,
        ),
        (
            "another id",
            push(),
            push().set("x-github-delivery", "2"),
            Same,
        ),
        ("another body", push(), push().body("[]"), Others),
        (
            "another topic",
            topic("orders/create"),
            topic("orders/paid"),
            Others,
        ),
        ("the same topic", topic("a"), topic("a"), Same),
        (
            "no event and an empty one",
            typed(github("{}")),
            topic(""),
            Others,
        ),
        (
            "no event, and an empty one of the same provider",
            typed(github("{}")),
            typed(github("{}")).with("x-github-event", ""),
            Others,
        ),
        (
            "what is the body for one and the type for the other",
            typed(github("ab")).with("x-github-event", "c"),
            typed(github("a")).with("x-github-event", "bc"),
            Others,
        ),
        (
            "keyed by the body alone",
            typed(github("{}")),
            github("{}"),
            Others,
        ),
    ]);
}

#[test]
fn a_key_is_the_same_under_every_secret() {
    let (old, new) = (TEXT_SECRET, "the-secret-after-the-rotation");
    let svix_new = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let svix_event = |old, new| svix("msg_1", "{}").rotating(old, new);
    for (before, after) in [
        (
            github("{}").rotating(old, new),
            github("{}").rotating(new, old),
        ),
        (
            stripe(r#"{"id":"e"}"#).rotating(old, new),
            stripe(r#"{"id":"e"}"#).rotating(new, old).again(),
        ),
        (
            result("b", "one").rotating(old, new),
            result("c", "one").rotating(new, old),
        ),
        (
            svix_event(SVIX_SECRET, svix_new),
            svix_event(svix_new, SVIX_SECRET),
        ),
    ] {
        assert_eq!(relation(&before, &after), Same, "{:?}", before.provider);
    }
}

#[test]
fn endpoints_and_tenants_have_deliveries_of_their_own() {
    let event = || svix("msg_1", "{}");
    // Whose names and events run into each other when they are written side by side.
    let named = |name: &'static str| Attempt {
        provider: Provider::new(
            name,
            Scheme::signed(
                Algorithm::HmacSha256,
                "{body}",
                SignatureFormat::single("X-Sig", Encoding::Hex),
            ),
        ),
        ..github("{}")
    };
    check([
        ("another endpoint", event().at("a"), event().at("b"), Others),
        ("no endpoint", event().at("a"), event().at(None), Others),
        ("an empty one", event().at(None), event().at(""), Others),
        ("another tenant", event().of("a"), event().of("b"), Others),
        (
            "a tenant's id sent by no tenant",
            event().of("a"),
            event(),
            Others,
        ),
        ("an empty tenant", event(), event().of(""), Others),
        (
            "the same tenant",
            event().of("a"),
            event().of("a").again(),
            Same,
        ),
        (
            "endpoint and tenant cut elsewhere",
            event().at("a").of("bc"),
            event().at("ab").of("c"),
            Others,
        ),
        (
            "endpoint and tenant cut elsewhere, at what could be a mark",
            event().at("a\u{1}").of(""),
            event().at("a").of("\u{1}"),
            Others,
        ),
        (
            "endpoint for tenant",
            event().at("a").of(None),
            event().at(None).of("a"),
            Others,
        ),
        (
            "provider and endpoint cut elsewhere",
            named("a").at("bc"),
            named("ab").at("c"),
            Others,
        ),
        (
            "tenant and body cut elsewhere",
            github("bc").of("a"),
            github("c").of("ab"),
            Others,
        ),
        (
            "an id that is another's body",
            acme("{body}", Locator::json("/id"), r#""x""#),
            acme("{body}", Locator::json("/id"), r#"{"id":"\"x\""}"#),
            Others,
        ),
    ]);
}

#[test]
fn spelling_a_request_another_way_makes_no_new_delivery() {
    use RejectionKind::{
        MalformedSignature, MalformedTimestamp, RepeatedField, RepeatedHeader, SignatureMismatch,
    };
    let event = || stripe(r#"{"id":"evt_1"}"#);
    let push = || github("{}");
    let capitals = |attempt: Attempt, name| {
        let event = attempt.clone();
        let signer = Signer::new(event.provider, Secret::new(event.secret)).unwrap();
        let request = signer
            .sign(Request::post("/"), Bytes::from(event.body))
            .unwrap();
        let value = request.headers()[name].to_str().unwrap().to_owned();
        let (prefix, digits) = value.split_once('=').unwrap();
        attempt.set(name, format!("{prefix}={}", digits.to_uppercase()))
    };
    check([
        (
            "a field more",
            event(),
            event().append(STRIPE, ",x=1"),
            Same,
        ),
        (
            "a signature more in front",
            event(),
            event().replace(STRIPE, ",v1", ",v1=00,v1"),
            Same,
        ),
        (
            "spaces between fields",
            event(),
            event().replace(STRIPE, ",v1", " ,  v1"),
            Same,
        ),
        (
            "a time more",
            event(),
            event().append(STRIPE, ",t=1700000001"),
            Refused(RepeatedField),
        ),
        (
            "a time with a zero in front",
            event(),
            event().replace(STRIPE, "t=", "t=0"),
            Refused(MalformedTimestamp),
        ),
        (
            "a time with a sign",
            event(),
            event().replace(STRIPE, "t=", "t=+"),
            Refused(MalformedTimestamp),
        ),
        (
            "another time",
            event(),
            event().replace(STRIPE, "t=1700000000", "t=1700000001"),
            Refused(SignatureMismatch),
        ),
        ("digits in capitals", push(), capitals(push(), GITHUB), Same),
        (
            "a header in capitals",
            push(),
            push().rename(GITHUB, "X-HUB-SIGNATURE-256"),
            Same,
        ),
        (
            "a space in front",
            push(),
            push().replace(GITHUB, "sha256", " sha256"),
            Refused(MalformedSignature),
        ),
        (
            "the signature twice",
            push(),
            push().add(GITHUB, "sha256=00"),
            Refused(RepeatedHeader),
        ),
        (
            "headers that nobody signs",
            push(),
            push()
                .add("x-request-id", "1")
                .add("x-forwarded-for", "::1"),
            Same,
        ),
        (
            "another address",
            push(),
            push().to("/hook/?attempt=2"),
            Same,
        ),
        (
            "an unsigned id twice",
            push(),
            push()
                .add("x-github-delivery", "1")
                .add("x-github-delivery", "2"),
            Same,
        ),
    ]);
}

#[test]
fn an_id_that_is_none_leaves_the_delivery_to_the_body() {
    let ids = [
        ("none", r#"{"n":1}"#.to_owned(), r#"{"n":2}"#.to_owned()),
        (
            "null",
            r#"{"id":null,"n":1}"#.to_owned(),
            r#"{"id":null,"n":2}"#.to_owned(),
        ),
        (
            "empty",
            r#"{"id":"","n":1}"#.to_owned(),
            r#"{"id":"","n":2}"#.to_owned(),
        ),
        (
            "a list",
            r#"{"id":["a"],"n":1}"#.to_owned(),
            r#"{"id":["a"],"n":2}"#.to_owned(),
        ),
        (
            "an object",
            r#"{"id":{"a":1},"n":1}"#.to_owned(),
            r#"{"id":{"a":1},"n":2}"#.to_owned(),
        ),
        (
            "half a character",
            r#"{"id":"\ud800","n":1}"#.to_owned(),
            r#"{"id":"\ud800","n":2}"#.to_owned(),
        ),
        (
            "in a body that breaks off",
            r#"{"id":"a","n":1"#.to_owned(),
            r#"{"id":"a","n":2"#.to_owned(),
        ),
        (
            "in a body that goes on",
            r#"{"id":"a","n":1}{"#.to_owned(),
            r#"{"id":"a","n":2}{"#.to_owned(),
        ),
    ];
    for (what, one, other) in &ids {
        assert_eq!(relation(&stripe(one), &stripe(other)), Others, "{what}");
        assert_eq!(relation(&stripe(one), &stripe(one).again()), Same, "{what}");
    }
    let bytes = |id: u8| stripe([br#"{"id":""#, &[id][..], br#""}"#].concat());
    check([
        ("bytes that are no text", bytes(0xff), bytes(0xfe), Others),
        (
            "bytes that are no text, again",
            bytes(0xff),
            bytes(0xff).again(),
            Same,
        ),
        (
            "an empty id in a signed header",
            svix("", "1"),
            svix("", "2"),
            Others,
        ),
        (
            "an empty id in a signed header, again",
            svix("", "1"),
            svix("", "1").again(),
            Same,
        ),
    ]);
}

#[test]
fn an_id_is_taken_whatever_it_is() {
    let id = |id: &str| stripe(format!(r#"{{"id":{id},"n":{}}}"#, id.len()));
    let long = |last: char| {
        let body = format!(r#"{{"id":"{}{last}"}}"#, "a".repeat(1 << 20));
        let mut attempt = stripe(body);
        attempt.provider = attempt.provider.with_max_body(2 << 20);
        attempt
    };
    let deep = |value: u32| {
        let lists = ("[".repeat(200), "]".repeat(200));
        stripe(format!(r#"{{"n":{}{value}{},"id":"a"}}"#, lists.0, lists.1))
    };
    let spaced = |attempt: Attempt| {
        let body = [&attempt.body[..], b" "].concat();
        attempt.body(body)
    };
    check([
        ("a number", id("17"), spaced(id("17")), Same),
        ("another number", id("17"), id("18"), Others),
        ("a number spelled otherwise", id("17"), id("17.0"), Others),
        (
            "a large number",
            id("9007199254740993"),
            id("9007199254740992"),
            Others,
        ),
        (
            "a truth value is none",
            id("true"),
            spaced(id("true")),
            Others,
        ),
        ("a mebibyte", long('a'), spaced(long('a')), Same),
        ("a mebibyte but for the end", long('a'), long('b'), Others),
        ("beside a deep value", deep(1), deep(2), Same),
        ("a zero byte", id(r#""a\u0000""#), id(r#""a""#), Others),
        (
            "bytes in a signed header",
            svix(b"\xff", "1"),
            svix(b"\xff", "2"),
            Same,
        ),
        (
            "other bytes in a signed header",
            svix(b"\xff", "1"),
            svix(b"\xfe", "1"),
            Others,
        ),
    ]);
}

#[test]
fn a_provider_of_ones_own_is_keyed_by_what_it_signs() {
    let by_id = |attempt: Attempt| attempt.keyed(DeduplicateBy::Id);
    let lowered = || {
        let id = Locator::header("X-Acme-Id");
        by_id(acme("{header:X-Acme-Id|lower}.{body}", id, "1")).with("x-acme-id", "ab")
    };
    let unsigned = || acme("{body}", Locator::header("X-Acme-Id"), "1").with("x-acme-id", "a");
    let in_form = |body: &[u8]| by_id(acme("{body}", Locator::form("id"), body));
    let partial = |signed, id, body: &str| {
        Attempt::new(custom(signed, id, Coverage::Partial), TEXT_SECRET, body)
    };
    let some = |body| partial("{json:/amount}", Locator::json("/id"), body);
    let headed = |body| {
        let id = Locator::header("X-Acme-Id");
        partial("{header:X-Acme-Id}.{json:/amount}", id, body).with("x-acme-id", "a")
    };
    let in_part = |body| partial("{form:amount}", Locator::form("id"), body);
    check([
        (
            "an id in a signed header",
            lowered(),
            lowered().body("2"),
            Same,
        ),
        (
            "an id as it is signed, not as it is spelled",
            lowered(),
            lowered().set("x-acme-id", "AB"),
            Same,
        ),
        (
            "another id in a signed header",
            lowered(),
            lowered().with("x-acme-id", "ac"),
            Others,
        ),
        (
            "an id in a header that is not signed",
            unsigned(),
            unsigned().set("x-acme-id", "b"),
            Same,
        ),
        (
            "another body under an id that is not signed",
            unsigned(),
            unsigned().body("2"),
            Others,
        ),
        (
            "a field of a form",
            in_form(b"id=a&n=1"),
            in_form(b"n=2&id=a"),
            Same,
        ),
        ("another field", in_form(b"id=a"), in_form(b"id=b"), Others),
        (
            "a field spelled otherwise",
            in_form(b"id=a+b"),
            in_form(b"id=%61%20b"),
            Same,
        ),
        (
            "a field twice, of which a handler may take the other",
            in_form(b"id=a&id=b"),
            in_form(b"id=a&id=c"),
            Others,
        ),
        ("no field", in_form(b"n=1"), in_form(b"n=2"), Others),
        (
            "an empty field",
            in_form(b"id=&n=1"),
            in_form(b"id=&n=2"),
            Others,
        ),
        (
            "a field that is no text",
            in_form(b"id=%FF"),
            in_form(b"id=%FE"),
            Others,
        ),
        (
            "an id that partial coverage leaves out",
            some(r#"{"id":"a","amount":1}"#),
            some(r#"{"id":"a","amount":2}"#),
            Others,
        ),
        (
            "the same, in a form",
            in_part("id=a&amount=1"),
            in_part("id=a&amount=2"),
            Others,
        ),
        (
            "a signed header under partial coverage",
            headed(r#"{"amount":1}"#),
            headed(r#"{"amount":1,"note":"changed by somebody"}"#),
            Same,
        ),
    ]);
}

#[test]
fn no_two_providers_share_a_delivery() {
    let mut seen = HashMap::new();
    for name in support::FOUNDING {
        let mut provider = providers::by_name(name).unwrap();
        if name == "authenteq" {
            provider = provider.with_param("client_id", "client-7");
        }
        let attempt = Attempt::new(provider, SVIX_SECRET, "{}");
        let first = attempt.key().unwrap();
        let other = seen.insert(first, name);
        assert_eq!(other, None, "{name}");
    }
}

#[test]
fn keys_stay_what_they_are_from_release_to_release() {
    // A store outlives the program that wrote to it. These digests come from another
    // implementation: a length of 64 bits, most significant byte first, before each piece; a byte
    // before what may be absent.
    for (attempt, route, expected) in [
        (
            svix("msg_1", "{}"),
            None,
            "235cd470a644d6876fba3d41ba9d79e61fdac6f8dcda70be989d424a374d397e",
        ),
        (
            svix("msg_1", "{}"),
            Some("/hooks/{shop}"),
            "406ea6f2c1300d1ec8a29a36da02db9b194b93303b8632fcfe385a4f9dceab64",
        ),
        (
            stripe(r#"{"id":"evt_1"}"#).of("acme"),
            None,
            "10bbc7d116c4dbbbe6191c7650716bdb2c10d83003f20883a64b29ab1e12285f",
        ),
        (
            github("{}").at(None),
            None,
            "01a0ef1c7b7d9798692d50ff7cadf320932777c8139ddd1f7bc9e49f455d8e7f",
        ),
        (
            github("{}")
                .with("x-github-event", "push")
                .keyed(DeduplicateBy::BodyAndEventType),
            Some("/"),
            "1720c20ac9e8234516ade4e862602634b0f4b9fb1489a6ad55289c63262986da",
        ),
        (
            result("b", "one"),
            None,
            "fa86e958920c75512bbad7b34c621951d8b7bb48090ee52a98f9f4705aba58d9",
        ),
        (
            acme("{body}", Locator::json("/id"), r#"{"id":7}"#),
            None,
            "c080c5eee9d1eeb6b5fe8bc4532a416b8b79332e7a17b11b963f5b0f7600e695",
        ),
        (
            dated(""),
            None,
            "35449cece805e81d607bf015b8b99019a8c37ce4bb458915678b34aac7b56a52",
        ),
        (
            partial("{header:X-Acme-Id}.{json:/amount}", r#"{"amount":1}"#),
            None,
            "2a19c917faa5b0dc1aa512c1ffe7da0ef63cbbe3fadcf1b3f6216cb613cb9ae8",
        ),
    ] {
        let event = attempt.event().unwrap();
        let key = match route {
            Some(route) => event.delivery_key_at(route),
            None => event.delivery_key(),
        };
        assert_eq!(key.to_string(), expected);
    }
}

/// An id that names the object and not the event would make every later event about it vanish.
#[test]
fn an_id_alone_is_the_delivery_only_where_the_provider_or_the_endpoint_vouches_for_it() {
    let order = |status: &str| format!(r#"{{"id":"order-7","status":"{status}"}}"#);
    let form = |status: &str| format!("id=order-7&status={status}");
    let header = |attempt: Attempt| attempt.with("x-acme-id", "order-7");
    let in_json = |body: String| acme("{body}", Locator::json("/id"), body);
    let in_form = |body: String| acme("{body}", Locator::form("id"), body);
    let in_header = |body: String| {
        header(acme(
            "{header:X-Acme-Id}.{body}",
            Locator::header("X-Acme-Id"),
            body,
        ))
    };
    let unique = |mut attempt: Attempt| {
        attempt.provider = attempt.provider.with_unique_delivery_id();
        attempt
    };
    let slack = |id: &str, text: &str| {
        let body = format!(r#"{{"event_id":"{id}","text":"{text}"}}"#);
        Attempt::new(providers::slack(), TEXT_SECRET, body)
    };
    let svix_like = |provider: Provider, body: &str| {
        Attempt::new(provider, SVIX_SECRET, body).with("svix-id", "m")
    };
    let webhooks = |body: &str| {
        Attempt::new(providers::standard_webhooks(), SVIX_SECRET, body).with("webhook-id", "m")
    };
    let rows: [(&'static str, Attempt, Attempt); 3] = [
        ("JSON", in_json(order("new")), in_json(order("paid"))),
        ("a form", in_form(form("new")), in_form(form("paid"))),
        (
            "a signed header",
            in_header(order("new")),
            in_header(order("paid")),
        ),
    ];
    for (what, one, other) in rows {
        let by_id = |attempt: &Attempt| attempt.clone().keyed(DeduplicateBy::Id);
        let vouched = |attempt: &Attempt| unique(attempt.clone());
        check([
            (what, one.clone(), one.clone().again(), Same),
            (what, one.clone(), other.clone(), Others),
            (what, by_id(&one), by_id(&other), Same),
            (what, vouched(&one), vouched(&other), Same),
            (
                what,
                vouched(&one).keyed(DeduplicateBy::Body),
                vouched(&other).keyed(DeduplicateBy::Body),
                Others,
            ),
        ]);
    }
    check([
        ("Stripe", stripe(order("new")), stripe(order("paid")), Same),
        ("Svix", svix("m", "1"), svix("m", "2"), Same),
        (
            "VOVE ID",
            svix_like(providers::voveid(), "1"),
            svix_like(providers::voveid(), "2"),
            Same,
        ),
        ("Standard Webhooks", webhooks("1"), webhooks("2"), Same),
        ("Slack", slack("Ev1", "a"), slack("Ev1", "b"), Same),
        (
            "two ids, one body",
            in_header("1".into()),
            in_header("1".into()).with("x-acme-id", "order-8"),
            Others,
        ),
    ]);
}

/// A request with a signed time and without an id.
fn dated(body: &str) -> Attempt {
    let signature = SignatureFormat::single("X-Acme-Signature", Encoding::Hex);
    let scheme = Scheme::signed(Algorithm::HmacSha256, "{ts}.{body}", signature)
        .with_timestamp(Timestamp::header("X-Acme-Time"));
    let provider = Provider::new("acme", scheme).with_delivery_id(Locator::json("/id"));
    Attempt::new(provider, TEXT_SECRET, body)
}

/// A request of which only some values are signed.
fn partial(signed: &'static str, body: &str) -> Attempt {
    let provider = custom(signed, Locator::header("X-Acme-Id"), Coverage::Partial);
    Attempt::new(provider, TEXT_SECRET, body).with("x-acme-id", "a")
}

/// Of such requests, cron's for example, only the first of three days would be handled.
#[test]
fn where_nothing_else_tells_two_deliveries_apart_the_signed_time_does() {
    let later = |attempt: Attempt| attempt.again();
    for body in [
        "",
        " ",
        "\r\n",
        "{}",
        " [] ",
        "{ }",
        "[\n]",
        "\u{feff}",
        "\u{feff}{}",
        "null",
        "\"\"",
    ] {
        assert_eq!(
            relation(&dated(body), &later(dated(body))),
            Others,
            "{body:?}"
        );
        assert_eq!(relation(&dated(body), &dated(body)), Same, "{body:?}");
    }
    for body in [
        "{\"n\":1}",
        "0",
        "x",
        "{\"id\":\"\"}",
        "{\"id\":0}",
        "[null]",
    ] {
        assert_eq!(
            relation(&dated(body), &later(dated(body))),
            Same,
            "{body:?}"
        );
    }
    // No time is signed, so that there is nothing to go by.
    assert_eq!(relation(&github(""), &github("").again()), Same);
    // An id is enough.
    let svix_empty = || svix("msg_1", "");
    assert_eq!(relation(&svix_empty(), &svix_empty().again()), Same);
    assert_eq!(
        relation(&svix("null", ""), &svix("null", "").again()),
        Others
    );
}

#[test]
fn ids_that_are_none_are_no_ids_and_keep_their_kind() {
    let body = |id: &str, n: u32| format!(r#"{{"id":{id},"n":{n}}}"#);
    for none in [
        "0",
        "0.0",
        "-0",
        "false",
        "true",
        "null",
        "\"\"",
        "\" \"",
        "\"\\t\"",
        "\"0\"",
        "\"null\"",
        "\"None\"",
        "\"undefined\"",
        "\"00000000-0000-0000-0000-000000000000\"",
        "[1]",
        "{}",
    ] {
        let (one, other) = (stripe(body(none, 1)), stripe(body(none, 2)));
        assert_eq!(relation(&one, &other), Others, "{none}");
        assert_eq!(relation(&one, &one.clone().again()), Same, "{none}");
    }
    for id in ["1", "-1", "0.5", "\"00\\u0061\"", "\"nullable\""] {
        assert_eq!(
            relation(&stripe(body(id, 1)), &stripe(body(id, 2))),
            Same,
            "{id}"
        );
    }
    for (one, other) in [
        ("1", "\"1\""),
        ("1", "1.0"),
        ("\"a\"", "\"a \""),
        ("\"a\"", "\"A\""),
    ] {
        assert_eq!(
            relation(&stripe(body(one, 1)), &stripe(body(other, 1))),
            Others,
            "{one} {other}"
        );
    }
    for none in ["0", " ", "null", "-", "undefined"] {
        assert_eq!(
            relation(&svix(none, "1"), &svix(none, "2")),
            Others,
            "{none:?}"
        );
    }
}

/// What is not signed can be changed by whoever has captured a request.
#[test]
fn where_the_body_is_not_covered_the_signed_values_are_the_delivery() {
    let json = |amount: u32, note: &str| format!(r#"{{"amount":{amount},"note":"{note}"}}"#);
    let one = |amount, note| partial("{header:X-Acme-Id}.{json:/amount}", &json(amount, note));
    let none = |body: &str| {
        let provider = custom("{secret}", Locator::json("/id"), Coverage::Partial);
        let mut attempt = Attempt::new(provider, TEXT_SECRET, body);
        let signature = SignatureFormat::single("X-Acme-Signature", Encoding::Hex);
        let scheme = Scheme::signed(Algorithm::Sha256, "{secret}", signature);
        let scheme = scheme.with_coverage(Coverage::Partial);
        attempt.provider = Provider::new("acme", scheme).accept_unsigned_body();
        attempt
    };
    let id = |body: &str| {
        let provider = custom("{json:/id}", Locator::json("/id"), Coverage::Partial);
        Attempt::new(provider, TEXT_SECRET, body).keyed(DeduplicateBy::Id)
    };
    check([
        (
            "another note, which nobody signed",
            one(1, "a"),
            one(1, "b"),
            Same,
        ),
        ("another amount", one(1, "a"), one(2, "a"), Others),
        (
            "another header",
            one(1, "a"),
            one(1, "a").with("x-acme-id", "b"),
            Others,
        ),
        (
            "a value that is moved",
            partial("{json:/a}{json:/b}", r#"{"a":"x","b":"yz"}"#),
            partial("{json:/a}{json:/b}", r#"{"a":"xy","b":"z"}"#),
            Others,
        ),
        (
            "nothing is signed, one body",
            none("1"),
            none("1").again(),
            Same,
        ),
        (
            "nothing is signed, another body",
            none("1"),
            none("2"),
            Others,
        ),
        (
            "a signed id by which it is to be known",
            id(r#"{"id":"a","n":1}"#),
            id(r#"{"id":"a","n":2}"#),
            Same,
        ),
        (
            "another one",
            id(r#"{"id":"a"}"#),
            id(r#"{"id":"b"}"#),
            Others,
        ),
    ]);
}

/// What is signed beside the time may be the same for every event.
#[test]
fn where_the_body_is_not_covered_the_time_tells_deliveries_apart_too() {
    let dated = |signed: &'static str| {
        let signature = SignatureFormat::single("X-Acme-Signature", Encoding::Hex);
        let scheme = Scheme::signed(Algorithm::HmacSha256, signed, signature)
            .with_timestamp(Timestamp::header("X-Acme-Time"))
            .with_coverage(Coverage::Partial);
        let provider = Provider::new("acme", scheme)
            .accept_unsigned_body()
            .with_delivery_id(Locator::json("/id"));
        let body = r#"{"id":"order-7","type":"order"}"#;
        Attempt::new(provider, TEXT_SECRET, body).with("x-acme-id", "a")
    };
    for signed in [
        "{ts}.{header:X-Acme-Id}",
        "{ts}.{json:/type}",
        "{ts}.{json:/id}",
    ] {
        check([
            (signed, dated(signed), dated(signed), Same),
            (signed, dated(signed), dated(signed).again(), Others),
        ]);
    }
    // Only the time is signed, so the bodies tell events apart.
    for signed in ["{ts}", "{header:X-Acme-Time}"] {
        let other = |mut attempt: Attempt| {
            attempt.body = br#"{"id":"order-8","type":"order"}"#.to_vec();
            attempt
        };
        check([
            (signed, dated(signed), dated(signed), Same),
            (signed, dated(signed), other(dated(signed)), Others),
        ]);
    }
    let by_id = |attempt: Attempt| attempt.keyed(DeduplicateBy::Id);
    let signed = "{ts}.{json:/id}";
    check([(
        "an id that is vouched for",
        by_id(dated(signed)),
        by_id(dated(signed).again()),
        Same,
    )]);
}

/// Equal bodies of two types are two events, where the type is signed.
#[test]
fn an_event_type_in_a_signed_header_tells_deliveries_apart() {
    let typed = |signed: &'static str, event_type: &str| {
        let mut attempt = acme(signed, Locator::json("/id"), r#"{"id":"user-7"}"#);
        attempt.provider = attempt
            .provider
            .with_event_type(Locator::header("X-Acme-Event"));
        attempt.with("x-acme-event", event_type)
    };
    let signed = "{header:X-Acme-Event}.{body}";
    check([
        (
            "two types",
            typed(signed, "created"),
            typed(signed, "deleted"),
            Others,
        ),
        (
            "one type",
            typed(signed, "created"),
            typed(signed, "created").again(),
            Same,
        ),
        (
            "types that nobody signed",
            typed("{body}", "created"),
            typed("{body}", "deleted"),
            Same,
        ),
    ]);
}

#[test]
fn a_route_is_part_of_the_delivery() {
    let event = github("{}").event().unwrap();
    let keys = ["/a", "/b", "/{c}", "", "/a/"].map(|route| event.delivery_key_at(route));
    for (index, key) in keys.iter().enumerate() {
        assert!(!keys[..index].contains(key) && *key != event.delivery_key());
    }
    assert_eq!(keys[0], github("{}").event().unwrap().delivery_key_at("/a"));
}

/// Text of the bytes that could stand between pieces, too.
fn piece() -> &'static str {
    r"[a\x00\x01]{0,3}"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn other_endpoints_tenants_and_bodies_have_other_keys(
        one in (piece(), option::of(piece()), option::of(piece())),
        other in (piece(), option::of(piece()), option::of(piece())),
    ) {
        let key = |(body, endpoint, tenant): &(String, Option<String>, Option<String>)| {
            let attempt = Attempt { endpoint: endpoint.clone(), tenant: tenant.clone(), ..github(body) };
            attempt.key().unwrap()
        };
        prop_assert_eq!(key(&one) == key(&other), one == other);
    }
}
