//! What holds of every request: a changed bit is refused, nothing panics, what is accepted was
//! really signed, and frames make no difference.

use std::{
    fmt,
    sync::LazyLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use proptest::{collection::vec, prelude::*, sample::Index};
use sha2::Sha256;
use support::{NOW, at, hex};
use tower_webhook::{
    Provider, PublicKey, Rejection, RejectionKind, Scheme, Secret, Signer, VerifiedEvent, Verifier,
    providers,
    scheme::{
        Algorithm, Coverage, Encoding, Locator, SecretFormat, SignatureFormat, TimeUnit, Timestamp,
        TokenFormat,
    },
    verify::Head,
};
const TEXT_SECRET: &str = "a-secret-for-the-properties";
const BASE64_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The private and the public half of keys for these tests.
const ED25519: (&str, &str) = (
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
);
const P256: (&str, &str) = (
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQASOS+mup7WN5ZmgYemU2WYYz8pxn3owasRFI89ONDqhRANCAATupYDXJ7YaHqr/9mJ3JxyhLIW+mgenwKj6Skm+LYsqHASDHqxxv4TywEBhABAWwO7iU7oF10qGI+4mKN5lt+nf",
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE7qWA1ye2Gh6q//ZidyccoSyFvpoHp8Co+kpJvi2LKhwEgx6scb+E8sBAYQAQFsDu4lO6BddKhiPuJijeZbfp3w==",
);
const TARGET: &str = "/hooks/Acme%2Fone?tenant=a%20b&x=1";

type Lines = Vec<(String, Vec<u8>)>;
type Verdict = Result<VerifiedEvent, Rejection>;

/// A scheme, ready to sign and to verify.
struct Case {
    name: &'static str,
    verifier: Verifier,
    signer: Signer,
    /// Where the signature ends its header in hex: the number of digits, of which case does not
    /// matter.
    hex_digits: usize,
    shape: Shape,
}

/// What the scheme reads out of the body.
#[derive(Clone, Copy)]
enum Shape {
    Bytes,
    Text,
    Json,
    Form,
}

impl Case {
    fn new(name: &'static str, provider: Provider, secret: &str, hex_digits: usize) -> Self {
        Self {
            name,
            // Bodies that are repeated and escaped grow beyond the default.
            verifier: Verifier::new(provider.clone(), Secret::new(secret))
                .unwrap()
                .with_max_body(32 << 20),
            signer: Signer::new(provider, Secret::new(secret))
                .unwrap()
                .with_time(at(NOW)),
            hex_digits,
            shape: Shape::Bytes,
        }
    }

    fn of(name: &'static str, scheme: Scheme, hex_digits: usize) -> Self {
        Self::new(name, Provider::new(name, scheme), TEXT_SECRET, hex_digits)
    }

    fn reading(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    fn with_field(mut self, name: &str, value: &str) -> Self {
        self.signer = self.signer.with_field(name, value);
        self
    }

    /// A body with what the scheme reads out of it, and `bytes`.
    fn body(&self, bytes: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(bytes);
        match self.shape {
            Shape::Bytes => bytes.to_vec(),
            Shape::Text => text.into_owned().into_bytes(),
            Shape::Json => serde_json::json!({ "id": "e-1", "data": text })
                .to_string()
                .into_bytes(),
            Shape::Form => [b"token=t%2F1&data=", bytes].concat(),
        }
    }

    fn sign(&self, body: &[u8]) -> Lines {
        let request = Request::post(TARGET).body(()).unwrap();
        let headers = self.signer.headers(&request.into_parts().0, body).unwrap();
        headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect()
    }

    fn verify(&self, lines: &Lines, body: &[u8]) -> Verdict {
        self.verify_frames(lines, [Bytes::copy_from_slice(body)], at(NOW))
    }

    fn verify_frames(
        &self,
        lines: &Lines,
        frames: impl IntoIterator<Item = Bytes>,
        now: SystemTime,
    ) -> Verdict {
        let head = Head::new(lines).with_target(TARGET);
        let mut request = self
            .verifier
            .check_head(&head, now)?
            .with_keys(self.verifier.keys())?;
        for frame in frames {
            request.update(frame)?;
        }
        request.verify()
    }

    /// Whether two values of a line hold the same signature: hex in another case.
    fn same(&self, (name, value): &(String, Vec<u8>), other: &[u8]) -> bool {
        let digits = if name.contains("sig") || name.contains("digest") {
            self.hex_digits
        } else {
            0
        };
        let split = value.len().saturating_sub(digits);
        other.len() == value.len()
            && other[..split] == value[..split]
            && other[split..].eq_ignore_ascii_case(&value[split..])
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Every built-in provider, and a scheme for each axis that none of them has.
static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let mut cases: Vec<Case> = support::FOUNDING
        .into_iter()
        .map(|name| {
            let (secret, hex_digits) = match name {
                "standard-webhooks" | "svix" | "voveid" => (BASE64_SECRET, 0),
                "shopify" => (TEXT_SECRET, 0),
                _ => (TEXT_SECRET, 64),
            };
            let mut provider = providers::by_name(name).unwrap();
            if name == "authenteq" {
                provider = provider.with_param("client_id", "client-7");
            }
            Case::new(name, provider, secret, hex_digits)
        })
        .collect();
    let mac =
        |signed: &'static str, signature| Scheme::signed(Algorithm::HmacSha256, signed, signature);
    let hex = || SignatureFormat::single("X-Sig", Encoding::Hex);
    let id = "{header:X-Id}.{ts}.{body}";

    let sets = SignatureFormat::fields("X-Sig", ',', "v1", Encoding::Hex).with_sets(' ');
    cases.push(Case::of(
        "sets",
        mac("{ts}.{body}", sets).with_timestamp(Timestamp::field("t")),
        64,
    ));
    let places = SignatureFormat::positional("X-Sig", ',', 2, Encoding::Hex);
    let stamp = Timestamp::field("0").with_unit(TimeUnit::Milliseconds);
    let places = mac("{ts}.{field:1}.{body}", places).with_timestamp(stamp);
    cases.push(
        Case::of("places", places, 64)
            .with_field("0", &format!("{NOW}123"))
            .with_field("1", "key-1"),
    );
    let list = SignatureFormat::list("X-Sig", ',', Encoding::Base64Url)
        .with_prefix("v1=")
        .with_repeated_lines();
    let stamp = Timestamp::header("X-Time").with_unit(TimeUnit::Rfc3339);
    cases.push(Case::of(
        "list",
        mac(id, list.or_header("X-Sig-2")).with_timestamp(stamp),
        0,
    ));
    let stamp = Timestamp::header("X-Time").with_unit(TimeUnit::ImfFixdate);
    let families = mac(id, hex())
        .with_timestamp(stamp)
        .with_header_families(["X-", "Y-"]);
    cases.push(Case::of(
        "families",
        families.with_required_header("X-Kind", "a constant"),
        64,
    ));
    let quoted = SignatureFormat::fields("X-Sig", ',', "sign", Encoding::Base64);
    let quoted = mac(
        r#"{{"Body":{body|jsonstr},"Env":{field:env|jsonstr},"Time":{ts}}}"#,
        quoted,
    );
    let quoted = Case::of("quoted", quoted.with_timestamp(Timestamp::field("t")), 0);
    cases.push(quoted.with_field("env", "main").reading(Shape::Text));
    cases.push(Case::of(
        "hashed",
        mac("{body|sha256hex}.{secret|sha256hex}", hex()),
        64,
    ));
    cases.push(Case::of("json", mac("{json:/id}.{body}", hex()), 64).reading(Shape::Json));
    let spans = mac("{span:/data}.{body|b64}.{body|md5b64}", hex());
    cases.push(Case::of("spans", spans, 64).reading(Shape::Json));
    let words = hex()
        .with_prefix("App {param:id}:")
        .or_prefix("{param:id}=");
    let words = Provider::new("words", mac("{body}", words)).with_param("id", "k-1");
    cases.push(Case::new("words", words, TEXT_SECRET, 64));
    let form = mac("{body}.{form:token}", hex()).with_coverage(Coverage::Partial);
    let form = Provider::new("form", form).accept_unsigned_body();
    cases.push(Case::new("form", form, TEXT_SECRET, 64).reading(Shape::Form));
    let line = "{method} {path|lower} {path|hubspot_decode} {query:tenant}\n{body}";
    cases.push(Case::of("request line", mac(line, hex()), 64));
    let url = mac("{url}{param:salt}{body}", hex());
    let url = Provider::new("address", url)
        .with_param("url", "https://example.com/h")
        .with_param("salt", "s");
    cases.push(Case::new("address", url, TEXT_SECRET, 64));
    for (name, algorithm, signed, digits) in [
        ("sha256 behind", Algorithm::Sha256, "{body}{secret}", 64),
        ("sha256 before", Algorithm::Sha256, "{secret}{body}", 64),
        (
            "sha512 around",
            Algorithm::Sha512,
            "{secret}.{body}.{secret}",
            128,
        ),
        ("sha1", Algorithm::Sha1, "{body}.{secret|sha256hex}", 40),
        ("hmac-sha1", Algorithm::HmacSha1, "{body}", 40),
        ("hmac-sha512", Algorithm::HmacSha512, "{body}", 128),
        ("hmac-md5", Algorithm::HmacMd5, "{body}{body}", 32),
    ] {
        cases.push(Case::of(
            name,
            Scheme::signed(algorithm, signed, hex()),
            digits,
        ));
    }
    for (name, algorithm, encoding, digits, private, public) in [
        (
            "ed25519",
            Algorithm::Ed25519,
            Encoding::Hex,
            128,
            ED25519.0,
            ED25519.1,
        ),
        (
            "ecdsa",
            Algorithm::EcdsaP256Sha256,
            Encoding::Base64,
            0,
            P256.0,
            P256.1,
        ),
    ] {
        let signature = SignatureFormat::single("X-Sig", encoding);
        let provider = Provider::new(name, Scheme::signed(algorithm, "{body}", signature));
        cases.push(Case {
            name,
            verifier: Verifier::new(provider.clone(), PublicKey::new(public))
                .unwrap()
                .with_max_body(32 << 20),
            signer: Signer::new(provider, Secret::new(private)).unwrap(),
            hex_digits: digits,
            shape: Shape::Bytes,
        });
    }
    cases
});

fn cases_for(count: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(count)
    }
}

fn any_case() -> impl Strategy<Value = &'static Case> {
    any::<Index>().prop_map(|index| index.get(&CASES))
}

fn any_place() -> impl Strategy<Value = Locator> {
    let name = || prop_oneof![Just("x".to_owned()), "\\PC{0,5}"];
    let pointer = || prop_oneof!["/[a*~0-9/]{0,4}", "\\PC{0,5}"];
    prop_oneof![
        name().prop_map(Locator::header),
        name().prop_map(Locator::query),
        name().prop_map(Locator::form),
        name().prop_map(Locator::field),
        pointer().prop_map(Locator::json),
        (name(), pointer()).prop_map(|(name, pointer)| Locator::form_json(name, pointer)),
    ]
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..200),
        "[ -~]{0,60}".prop_map(String::into_bytes),
        "\\PC{0,40}".prop_map(String::into_bytes)
    ]
}

/// Cuts `body` at places that may be equal, so that frames may be empty.
fn frames(body: &[u8], cuts: &[Index]) -> Vec<Bytes> {
    let body = Bytes::copy_from_slice(body);
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    places.extend([0, body.len()]);
    places.sort_unstable();
    places
        .windows(2)
        .map(|pair| body.slice(pair[0]..pair[1]))
        .collect()
}

#[test]
fn every_single_bit_of_one_request_counts() {
    let mut flips = 0;
    for case in CASES.iter() {
        let body = case.body(br#"{"id":"e-1"}"#);
        let lines = case.sign(&body);
        let verdict = case.verify(&lines, &body);
        assert_eq!(verdict.expect(case.name).body(), &body, "{}", case.name);
        for bit in 0..body.len() * 8 {
            let mut body = body.clone();
            body[bit / 8] ^= 1 << (bit % 8);
            assert!(
                case.verify(&lines, &body).is_err(),
                "{}: bit {bit} of the body",
                case.name
            );
            flips += 1;
        }
        for line in 0..lines.len() {
            for bit in 0..lines[line].1.len() * 8 {
                let mut changed = lines.clone();
                changed[line].1[bit / 8] ^= 1 << (bit % 8);
                let same = case.same(&lines[line], &changed[line].1);
                let accepted = case.verify(&changed, &body).is_ok();
                assert_eq!(
                    accepted, same,
                    "{}: bit {bit} of {}",
                    case.name, lines[line].0
                );
                flips += 1;
            }
        }
    }
    assert!(flips > 10_000, "{flips}");
}

proptest! {
    #![proptest_config(cases_for(400))]

    #[test]
    fn any_single_bit_change_is_refused(
        case in any_case(), bytes in any_bytes(), part in any::<Index>(), place in any::<Index>(), bit in 0..8_u8,
    ) {
        let mut body = case.body(&bytes);
        let mut lines = case.sign(&body);
        prop_assert!(case.verify(&lines, &body).is_ok(), "{}", case.name);
        // The last part is the body, which may be empty.
        let signed = lines.clone();
        let parts = lines.len() + usize::from(!body.is_empty());
        let part = part.index(parts);
        let target = lines.get_mut(part).map_or(&mut body, |(_, value)| value);
        let place = place.index(target.len());
        target[place] ^= 1 << bit;
        let same = lines.get(part).is_some_and(|(_, value)| case.same(&signed[part], value));
        let verdict = case.verify(&lines, &body);
        prop_assert_eq!(verdict.is_ok(), same, "{}: part {}, byte {}, bit {}", case.name, part, place, bit);
    }

    #[test]
    fn frames_make_no_difference(
        case in any_case(), bytes in any_bytes(), cuts in vec(any::<Index>(), 0..12), tampered: bool,
        repeated in prop_oneof![4 => Just(1), 1 => Just(700), 1 => Just(2500)],
        // What the head says of the length, in fifths of what it is: nothing, the truth, or a lie.
        declared in proptest::option::of(prop_oneof![Just(5), 0..11_usize]),
    ) {
        let body = case.body(&bytes.repeat(repeated));
        let mut lines = case.sign(&body);
        if let Some(fifths) = declared {
            let length = body.len() * fifths / 5;
            lines.push(("Content-Length".to_owned(), length.to_string().into_bytes()));
        }
        let sent = if tampered { [&body[..], b" "].concat() } else { body };
        let whole = case.verify(&lines, &sent);
        let parts = case.verify_frames(&lines, frames(&sent, &cuts), at(NOW));
        prop_assert_eq!(whole.is_ok(), !tampered, "{}", case.name);
        match (whole, parts) {
            (Ok(whole), Ok(parts)) => {
                prop_assert_eq!(whole.body(), parts.body());
                prop_assert_eq!(parts.body(), &sent);
                prop_assert_eq!(whole.delivery_id(), parts.delivery_id());
                prop_assert_eq!(whole.event_type(), parts.event_type());
            }
            (Err(whole), Err(parts)) => prop_assert_eq!(whole.kind(), parts.kind()),
            _ => prop_assert!(false, "{}: {:?} {:?}", case.name, cuts, declared),
        }
    }
}

/// One thing that somebody does to the headers of a request.
#[derive(Clone, Debug)]
enum Edit {
    Remove(Index),
    Repeat(Index),
    Replace(Index, Vec<u8>),
    Insert(Index, Index, Vec<u8>),
    Cut(Index, Index),
    Join(Index, u8, usize),
}

fn any_edit() -> impl Strategy<Value = Edit> {
    let line = any::<Index>;
    let odd = prop_oneof![
        any_bytes(),
        "[0-9]{1,30}".prop_map(String::into_bytes),
        "(t=[0-9]{0,12}[, ]?|v1=[0-9a-f]{0,66}[, ]?|v1,[A-Za-z0-9+/=]{0,46} ?){0,20}"
            .prop_map(String::into_bytes),
    ];
    prop_oneof![
        line().prop_map(Edit::Remove),
        line().prop_map(Edit::Repeat),
        (line(), odd.clone()).prop_map(|(line, value)| Edit::Replace(line, value)),
        (line(), any::<Index>(), odd)
            .prop_map(|(line, place, value)| Edit::Insert(line, place, value)),
        (line(), any::<Index>()).prop_map(|(line, place)| Edit::Cut(line, place)),
        (line(), any::<u8>(), 0..40_usize)
            .prop_map(|(line, mark, times)| Edit::Join(line, mark, times)),
    ]
}

impl Edit {
    fn apply(&self, lines: &mut Lines) {
        if lines.is_empty() {
            return;
        }
        let count = lines.len();
        match self {
            Self::Remove(line) => drop(lines.remove(line.index(count))),
            Self::Repeat(line) => lines.push(lines[line.index(count)].clone()),
            Self::Replace(line, value) => lines[line.index(count)].1.clone_from(value),
            Self::Insert(line, place, value) => {
                let old = &mut lines[line.index(count)].1;
                let place = place.index(old.len() + 1);
                old.splice(place..place, value.iter().copied());
            }
            Self::Cut(line, place) => {
                let old = &mut lines[line.index(count)].1;
                old.truncate(place.index(old.len() + 1));
            }
            Self::Join(line, mark, times) => {
                let old = &mut lines[line.index(count)].1;
                *old = vec![old.clone(); *times].join(mark);
            }
        }
    }
}

fn any_time() -> impl Strategy<Value = SystemTime> {
    let ends = prop_oneof![
        any::<i64>(),
        Just(i64::MAX),
        Just(i64::MIN),
        Just(0),
        NOW as i64 - 400..NOW as i64 + 400
    ];
    (ends, 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| {
        let distance = Duration::new(seconds.unsigned_abs(), nanos);
        let time = if seconds < 0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        };
        time.unwrap_or(UNIX_EPOCH)
    })
}

proptest! {
    #![proptest_config(cases_for(1000))]

    #[test]
    fn no_headers_body_or_clock_makes_it_panic(
        case in any_case(),
        edits in vec(any_edit(), 0..4),
        bytes in any_bytes(),
        raw: bool,
        cuts in vec(any::<Index>(), 0..4),
        now in prop_oneof![Just(at(NOW)), any_time()],
        target in prop_oneof![Just(TARGET.to_owned()), "\\PC{0,30}"],
        method in prop_oneof![Just("POST".to_owned()), "\\PC{0,8}"],
    ) {
        // A good head of another body, and whatever was done to it.
        let mut lines = case.sign(&case.body(b"another body"));
        for edit in &edits {
            edit.apply(&mut lines);
        }
        let body = if raw { bytes } else { case.body(&bytes) };
        let head = Head::new(&lines).with_target(&target).with_method(&method);
        let verdict = case.verifier.check_head(&head, now).and_then(|checked| {
            let mut request = checked.with_keys(case.verifier.keys())?;
            frames(&body, &cuts).into_iter().try_for_each(|frame| request.update(frame))?;
            request.verify()
        });
        match verdict {
            Ok(_) => prop_assert!(false, "{}: nobody signed this", case.name),
            Err(rejection) => {
                prop_assert!(rejection.status().is_client_error());
                let texts = format!("{rejection} {rejection:?}");
                prop_assert!(!texts.contains(TEXT_SECRET));
            }
        }
    }

    #[test]
    fn no_configuration_makes_it_panic(
        template in prop_oneof![
            "\\PC{0,40}",
            "(\\{(body|ts|secret|header:[a-z:]{0,4}|json:/?[a-z~]{0,3}|query:q|field:[0-9t])(\\|[a-z0-9]{0,9})?\\}|\\{|\\}|[.:]){0,6}",
            "(\\{(body|ts|form:[a#/]{0,4}|json:/[*a/]{0,3}|span:/[a/*]{0,2}|method|path|url|param:p)(\\|(b64|md5b64|jsonstr|lower))?\\}|[.:]){0,5}",
        ],
        place in any_place(),
        stamp in any_place(),
        algorithm in 0..5,
        header in prop_oneof![Just("X-Sig".to_owned()), "\\PC{0,8}"],
        marks in any::<(char, char)>(),
        first in prop_oneof![0..4_usize, Just(usize::MAX)],
        field in "\\PC{0,3}",
        grammar in 0..4,
        time in prop_oneof![Just(None), "[0-9a-z]{0,3}".prop_map(Some)],
        secret in "\\PC{0,40}",
        lines in vec((prop_oneof![Just("X-Sig".to_owned()), Just("X-Id".to_owned())], any_bytes()), 0..4),
        body in any_bytes(),
    ) {
        let signature = match grammar {
            0 => SignatureFormat::single(place.clone(), Encoding::Hex).with_prefix(field.clone()).or_prefix(field),
            1 => SignatureFormat::list(header, marks.0, Encoding::Base64).with_prefix(field),
            2 => SignatureFormat::fields(header, marks.0, field, Encoding::Base64Url).with_sets(marks.1),
            _ => SignatureFormat::positional(header, marks.0, first, Encoding::Hex),
        };
        let mut scheme = match algorithm {
            0 => Scheme::token(place, TokenFormat::plain()),
            1 => Scheme::token(place, TokenFormat::plain().with_encoding(Encoding::Base64)),
            2 => Scheme::signed(Algorithm::Sha256, template.clone(), signature).with_coverage(Coverage::Partial),
            _ => Scheme::signed(Algorithm::HmacSha256, template.clone(), signature).with_coverage(Coverage::Partial),
        };
        if let Some(name) = time {
            let stamp = if name.is_empty() { Timestamp::at(stamp) } else { Timestamp::field(name) };
            scheme = scheme.with_timestamp(stamp);
        }
        let provider = Provider::new("odd", scheme.with_secret_format(SecretFormat::text()))
            .accept_unsigned_body()
            .with_param("p", "a")
            .with_param("url", "https://example.com/");
        let built = Verifier::new(provider, Secret::new(secret));
        if let Ok(verifier) = built {
            let verdict = verifier.verify(&Head::new(&lines).with_target(TARGET), body, at(NOW));
            prop_assert!(verdict.is_err(), "nobody signed this: {template}");
        }
        {
            let document = format!("[providers.odd]\nsigned = {template:?}\n{template}");
            let config = tower_webhook::Config::from_toml_str(&document);
            prop_assert!(config.is_err(), "there is no algorithm");
        }
    }
}

#[test]
fn edited_requests_reach_every_stage() {
    // The unedited head passes every gate, so that the property above reaches the hashes too.
    for case in CASES.iter() {
        let lines = case.sign(&case.body(b"another body"));
        let kind = |body: &[u8]| case.verify(&lines, body).unwrap_err().kind();
        assert_eq!(
            kind(&case.body(b"a body")),
            RejectionKind::SignatureMismatch,
            "{}",
            case.name
        );
        if !matches!(case.shape, Shape::Bytes) {
            assert_eq!(kind(b"\xff"), RejectionKind::MalformedBody, "{}", case.name);
        }
    }
}

fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac: Hmac<Sha256> = KeyInit::new_from_slice(key).unwrap();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// Base64 by its definition: six bits a character.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk
            .iter()
            .chain(&[0; 2])
            .take(3)
            .fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
        for place in 0..4 {
            let letter = char::from(LETTERS[number >> (18 - 6 * place) & 63]);
            text.push(if place <= chunk.len() { letter } else { '=' });
        }
    }
    text
}

/// What differs between what was signed and what is sent.
#[derive(Clone, Debug)]
struct Story {
    key: Vec<u8>,
    body: Vec<u8>,
    /// Bytes that were changed on the way: where, and by what.
    change: Option<(Index, u8)>,
    wrong_key: bool,
    /// Seconds from the clock to the signed time.
    skew: i64,
    /// Signatures by other keys, before and behind ours.
    strangers: (usize, usize),
    upper_case: bool,
}

fn any_story() -> impl Strategy<Value = Story> {
    let change = prop_oneof![3 => Just(None), 1 => (any::<Index>(), 1..=255_u8).prop_map(Some)];
    let skew = prop_oneof![
        Just(0),
        Just(300),
        Just(-300),
        Just(301),
        Just(-301),
        -400..400_i64
    ];
    let strangers = (0..3_usize, 0..3_usize);
    (
        vec(any::<u8>(), 16..80),
        any_bytes(),
        change,
        prop::bool::weighted(0.2),
        skew,
        strangers,
        any::<bool>(),
    )
        .prop_map(
            |(key, body, change, wrong_key, skew, strangers, upper_case)| Story {
                key,
                body,
                change,
                wrong_key,
                skew,
                strangers,
                upper_case,
            },
        )
}

impl Story {
    fn time(&self) -> String {
        (NOW as i64 + self.skew).to_string()
    }

    fn in_window(&self) -> bool {
        self.skew.abs() <= 300
    }

    /// The body as it arrives.
    fn arriving(&self) -> Vec<u8> {
        let mut body = self.body.clone();
        if let Some((place, mask)) = self.change
            && !body.is_empty()
        {
            let place = place.index(body.len());
            body[place] ^= mask;
        }
        body
    }

    /// The signatures that the sender puts into the request, over `parts`.
    fn signatures(&self, parts: &[&[u8]]) -> Vec<Vec<u8>> {
        let before = (0..self.strangers.0).map(|n| hmac_sha256(&[n as u8; 20], parts));
        let behind = (0..self.strangers.1).map(|n| hmac_sha256(&[n as u8; 21], parts));
        let key: &[u8] = if self.wrong_key {
            b"a key of somebody else"
        } else {
            &self.key
        };
        before
            .chain([hmac_sha256(key, parts)])
            .chain(behind)
            .collect()
    }

    /// A key as text, where a provider takes it as it stands.
    fn text_key(&self) -> (String, Self) {
        let text = hex(&self.key);
        let story = Self {
            key: text.clone().into_bytes(),
            ..self.clone()
        };
        (text, story)
    }

    fn spelled(&self, signature: &[u8]) -> String {
        let text = hex(signature);
        if self.upper_case {
            text.to_uppercase()
        } else {
            text
        }
    }

    /// Whether `verifier` takes the request.
    fn accepted(
        &self,
        verifier: &Verifier,
        headers: &[(&str, String)],
    ) -> Result<bool, TestCaseError> {
        match verifier.verify(&Head::new(&headers.to_vec()), self.arriving(), at(NOW)) {
            Ok(event) => {
                prop_assert_eq!(event.body(), &self.arriving());
                Ok(true)
            }
            Err(rejection) => {
                prop_assert_eq!(rejection.status(), 401);
                Ok(false)
            }
        }
    }
}

proptest! {
    #![proptest_config(cases_for(500))]

    #[test]
    fn github_accepts_exactly_what_its_key_signed(story in any_story()) {
        let (secret, story) = story.text_key();
        let verifier = Verifier::new(providers::github(), Secret::new(secret)).unwrap();
        let signature = story.signatures(&[&story.body]).swap_remove(story.strangers.0);
        let headers = [("X-Hub-Signature-256", format!("sha256={}", story.spelled(&signature)))];
        let agrees = hmac_sha256(&story.key, &[&story.arriving()]) == signature;
        prop_assert_eq!(story.accepted(&verifier, &headers)?, agrees);
    }

    #[test]
    fn stripe_accepts_exactly_what_its_key_signed_in_time(story in any_story()) {
        let (secret, story) = story.text_key();
        let verifier = Verifier::new(providers::stripe(), Secret::new(secret)).unwrap();
        let time = story.time();
        let signatures = story.signatures(&[time.as_bytes(), b".", &story.body]);
        let fields: String = signatures.iter().map(|signature| format!(",v1={}", story.spelled(signature))).collect();
        let headers = [("Stripe-Signature", format!("t={time}{fields}"))];
        let right = hmac_sha256(&story.key, &[time.as_bytes(), b".", &story.arriving()]);
        let agrees = story.in_window() && signatures.contains(&right);
        prop_assert_eq!(story.accepted(&verifier, &headers)?, agrees);
    }

    #[test]
    fn svix_accepts_exactly_what_its_key_signed_in_time(
        story in any_story(), id in "[A-Za-z0-9_-]{1,40}", family in prop::sample::select(vec!["svix", "webhook"]), other_id: bool,
    ) {
        let verifier = Verifier::new(providers::svix(), Secret::new(format!("whsec_{}", base64(&story.key)))).unwrap();
        let time = story.time();
        let signatures = story.signatures(&[id.as_bytes(), b".", time.as_bytes(), b".", &story.body]);
        let items: Vec<String> = signatures.iter().map(|signature| format!("v1,{}", base64(signature))).collect();
        let sent_id = if other_id { format!("{id}x") } else { id };
        let [id_header, time_header, header] = ["id", "timestamp", "signature"].map(|name| format!("{family}-{name}"));
        let headers = [
            (&*id_header, sent_id.clone()),
            (&*time_header, time.clone()),
            (&*header, items.join(" ")),
        ];
        let right = hmac_sha256(&story.key, &[sent_id.as_bytes(), b".", time.as_bytes(), b".", &story.arriving()]);
        let agrees = story.in_window() && signatures.contains(&right);
        prop_assert_eq!(story.accepted(&verifier, &headers)?, agrees);
    }
}

#[test]
fn the_independent_computation_is_right_itself() {
    // RFC 4231, test case 2, and RFC 4648, section 10.
    let tag = hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
    assert_eq!(
        hex(&tag),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    for (plain, coded) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foobar", "Zm9vYmFy"),
    ] {
        assert_eq!(base64(plain.as_bytes()), coded);
    }
}

/// The signature of a content must not serve for another cut of the same bytes.
#[test]
fn no_byte_moves_from_one_signed_value_to_the_next() {
    let date = "Tue, 14 Nov 2023 22:13:20 GMT";
    // The signed content, the unit; id, time and body as signed; and the same content, cut
    // elsewhere.
    let cases = [
        (
            "{header:X-Id}.{ts}.{body}",
            TimeUnit::Seconds,
            ["a", "1700000000", "1700000000.x"],
            ["a.1700000000", "1700000000", "x"],
        ),
        (
            "{body}{ts}",
            TimeUnit::Seconds,
            ["i", "1700000000", "amount=100"],
            ["i", "001700000000", "amount=1"],
        ),
        (
            "{body}{ts}",
            TimeUnit::Milliseconds,
            ["i", "1700000000000", "n=10"],
            ["i", "01700000000000", "n=1"],
        ),
        (
            "{header:X-Id}{ts}{body}",
            TimeUnit::Seconds,
            ["a0", "1700000000", "x"],
            ["a", "01700000000", "x"],
        ),
        (
            "{body}{ts}",
            TimeUnit::ImfFixdate,
            ["i", date, "x "],
            ["i", &format!(" {date}"), "x"],
        ),
        (
            "{ts}{body}",
            TimeUnit::ImfFixdate,
            ["i", date, " x"],
            ["i", &format!("{date} "), "x"],
        ),
        (
            "{body}{ts}",
            TimeUnit::Rfc3339,
            ["i", "2023-11-14T22:13:20Z", "x"],
            ["i", "x2023-11-14T22:13:20Z", ""],
        ),
        (
            "{body}{ts}",
            TimeUnit::Rfc3339,
            ["i", "2023-11-14T22:13:20Z", "x+00"],
            ["i", "+002023-11-14T22:13:20Z", "x"],
        ),
        (
            "{ts}{body}",
            TimeUnit::Rfc3339,
            ["i", "2023-11-14T22:13:20Z", "[UTC]x"],
            ["i", "2023-11-14T22:13:20Z[UTC]", "x"],
        ),
        (
            "{ts}{body}",
            TimeUnit::Rfc3339,
            ["i", "2023-11-14T15:13:20-07:00", ":00x"],
            ["i", "2023-11-14T15:13:20-07:00:00", "x"],
        ),
    ];
    let mut moved = Vec::new();
    for (signed, unit, honest, cut) in cases {
        let stamp = Timestamp::header("X-Time").with_unit(unit);
        let scheme = Scheme::signed(
            Algorithm::HmacSha256,
            signed,
            SignatureFormat::single("X-Sig", Encoding::Hex),
        );
        let provider = Provider::new("acme", scheme.with_timestamp(stamp));
        let verifier = Verifier::new(provider, Secret::new(TEXT_SECRET)).unwrap();
        let content = |[id, time, body]: [&str; 3]| {
            signed
                .replace("{header:X-Id}", id)
                .replace("{ts}", time)
                .replace("{body}", body)
        };
        let signature = hex(hmac_sha256(
            TEXT_SECRET.as_bytes(),
            &[content(honest).as_bytes()],
        ));
        let accepted = |[id, time, body]: [&str; 3]| {
            let headers = [("X-Id", id), ("X-Time", time), ("X-Sig", &signature)];
            verifier
                .verify(&Head::new(&headers), body.to_owned(), at(NOW))
                .is_ok()
        };
        assert!(accepted(honest), "{signed} {unit}: {honest:?}");
        if accepted(cut) {
            moved.push(format!(
                "{signed}: {cut:?} is accepted by the signature of {honest:?}"
            ));
        }
    }
    assert!(moved.is_empty(), "{moved:#?}");
}
