//! One signature stands for one request: what is signed cannot be cut in two ways, and one variant
//! is never taken for another.

use std::time::{Duration, SystemTime};

use http::Request;
use sha2::Digest;
use support::{NOW, at, hex};
use tower_webhook::{Note, NoteKind};
use tower_webhook::{
    Provider, RejectionKind, Scheme, Secret, Signer, Verifier,
    scheme::{
        Algorithm, Coverage, Encoding, SecretFormat, SignatureFormat, TimeUnit, Timestamp,
        Tolerance,
    },
    verify::Head,
};

const SECRET: &str = "a-secret-of-some-length";

fn scheme(algorithm: Algorithm, signed: &str) -> Scheme {
    let scheme = Scheme::signed(
        algorithm,
        signed.to_owned(),
        SignatureFormat::single("X-Sig", Encoding::Hex),
    );
    if signed.contains("{ts}") {
        scheme.with_timestamp(Timestamp::header("X-Time"))
    } else {
        scheme
    }
}

fn mac(signed: &str) -> Provider {
    Provider::new("acme", scheme(Algorithm::HmacSha256, signed))
}

fn error(provider: Provider) -> String {
    Verifier::new(provider, Secret::new(SECRET))
        .unwrap_err()
        .to_string()
}

/// A request: what it is addressed to, its header `X-Id`, and its body.
type Parts<'p> = (&'p str, &'p str, &'p str);

/// How a request fares under the signature that was made for another.
fn forged(provider: &Provider, genuine: Parts<'_>, other: Parts<'_>) -> Result<(), RejectionKind> {
    let signer = Signer::new(provider.clone(), Secret::new(SECRET)).unwrap();
    let request = Request::post(genuine.0).header("X-Id", genuine.1);
    let (head, body) = signer
        .sign(request, genuine.2.to_owned())
        .unwrap()
        .into_parts();
    let verifier = Verifier::new(provider.clone(), Secret::new(SECRET)).unwrap();
    let epoch = SystemTime::UNIX_EPOCH;
    verifier.verify(&Head::from(&head), body, epoch).unwrap();
    let headers = [
        ("x-id", other.1),
        ("x-sig", head.headers["x-sig"].to_str().unwrap()),
    ];
    let head = Head::new(&headers).with_target(other.0);
    let verdict = verifier.verify(&head, other.2.to_owned(), epoch);
    verdict.map(drop).map_err(|rejection| rejection.kind())
}

#[test]
fn content_with_two_open_ends_is_refused_when_built() {
    for (signed, value, constant) in [
        ("{header:X-Id}{body}", "{body}", Some("{header:X-Id}")),
        (
            "{body}{header:X-Id}",
            "{header:X-Id}",
            Some("{header:X-Id}"),
        ),
        (
            "{header:X-Id}{header:X-Other}.{body}",
            "{header:X-Other}",
            Some("{header:X-Other}"),
        ),
        ("{query:a}{query:b}.{body}", "{query:b}", Some("{query:b}")),
        ("{path}{body}", "{body}", Some("{path}")),
        ("{method}{body}", "{body}", Some("{method}")),
        ("{method}{path}{body}", "{path}", Some("{path}")),
        ("{body}{method}", "{method}", Some("{method}")),
        (
            "{body}{ts}{header:X-Id}",
            "{header:X-Id}",
            Some("{header:X-Id}"),
        ),
        (
            "{body}{header:X-Id|jsonstr}",
            "{header:X-Id}",
            Some("{header:X-Id}"),
        ),
        (
            "{body}.{header:X-Id}{query:a}",
            "{query:a}",
            Some("{query:a}"),
        ),
        (
            "{header:X-Id}{body|jsonstr}",
            "{body}",
            Some("{header:X-Id}"),
        ),
        (
            "{header:X-Id}{header:X-Other|jsonstr}{body}",
            "{header:X-Other}",
            Some("{header:X-Other}"),
        ),
        (
            "{header:X-Id}{body|sha256hex}{header:X-Other}",
            "{header:X-Other}",
            Some("{header:X-Other}"),
        ),
        ("{ts}{path}{body}", "{body}", Some("{path}")),
        ("{form:a}.{body}", "{body}", None),
        ("{form:a}.{ts}.{body}", "{body}", None),
    ] {
        let remedy = constant.map(|constant| {
            format!("; if {constant} is the same in every request to the endpoint, write {{param:NAME}} or {{url}} for it")
        });
        assert_eq!(
            error(mac(signed)),
            format!(
                "signed: {value} and the value in front of it are ambiguous without a separator; write the text that the provider signs between them{}",
                remedy.unwrap_or_default()
            ),
            "{signed}"
        );
    }
    for signed in [
        "{header:X-Id}{ts}{body}",
        "{ts}{body}",
        "{body}{ts}",
        "{header:X-Id|sha256hex}{body}",
        "{header:X-Id}{body|sha256hex}",
        "{header:X-Id|jsonstr}{body}",
        "{header:X-Id}.{ts}.{body}",
        "{body}.{header:X-Id}",
        "{body}{ts}.{header:X-Id}",
        "{path}\n{body}",
        "{method}.{path}.{body}",
        "{header:X-Id}",
        "{json:/a}.{json:/b}",
        "{form:a}{form:b}",
    ] {
        let scheme = scheme(Algorithm::HmacSha256, signed).with_coverage(Coverage::Partial);
        let provider = Provider::new("acme", scheme).accept_unsigned_body();
        assert!(
            Verifier::new(provider, Secret::new(SECRET)).is_ok(),
            "{signed}"
        );
    }
    // A parameter is text like any other.
    let param = mac("{header:X-Id}{param:sep}{body}").with_param("sep", "|");
    assert_eq!(
        forged(&param, ("/", "a", "x|y"), ("/", "a|x", "y")),
        Err(RejectionKind::MalformedHeader)
    );
}

/// Pomelo's scheme, with requests signed by Python's hmac.
#[test]
fn a_value_that_the_endpoint_knows_needs_no_separator() {
    let body = r#"{"id":"crd-1"}"#;
    for (constant, name, value, signature) in [
        (
            "{param:endpoint}",
            "endpoint",
            "/webhooks/cards",
            "vsEIo/sbUGYFdWkqEkm3kiPnBA1vUzvV9bF4KvdT3oM=",
        ),
        (
            "{url}",
            "url",
            "https://example.com/webhooks/cards",
            "ZhrAe2Igw4VL0mg5mtu3UJBX3mVCEJGDEkT8S0J69xc=",
        ),
    ] {
        let header = SignatureFormat::single("X-Signature", Encoding::Base64);
        let scheme = Scheme::signed(
            Algorithm::HmacSha256,
            format!("{{ts}}{constant}{{body}}"),
            header.with_prefix("hmac-sha256 "),
        )
        .with_timestamp(Timestamp::header("X-Timestamp"))
        .with_secret_format(SecretFormat::base64());
        let pomelo = Provider::new("pomelo", scheme).with_param(name, value);
        let secret = Secret::new("YWR2YW5jZS1haS10ZXN0LWtleS1vZi0zMi1ieXRlcyE=");
        let verifier = Verifier::new(pomelo, secret).unwrap();
        let verdict = |time: &str, body: &'static str| {
            let headers = [
                ("X-Signature", format!("hmac-sha256 {signature}")),
                ("X-Timestamp", time.to_owned()),
            ];
            let verdict = verifier.verify(&Head::new(&headers), body, at(NOW));
            verdict.map(drop).map_err(|rejection| rejection.kind())
        };
        assert_eq!(verdict("1700000000", body), Ok(()), "{constant}");
        let mismatch = Err(RejectionKind::SignatureMismatch);
        assert_eq!(verdict("1700000001", body), mismatch, "{constant}");
        assert_eq!(verdict("1700000000", "{}"), mismatch, "{constant}");
    }
}

#[test]
fn no_byte_passes_from_one_value_to_the_next() {
    for (signed, genuine, other) in [
        ("{header:X-Id}.{body}", ("/", "a", "b.c"), ("/", "a.b", "c")),
        (
            "{body}.{header:X-Id}",
            ("/", "n", "100.50&no"),
            ("/", "50&no.n", "100"),
        ),
        ("{path}.{body}", ("/h", "", "a.b"), ("/h.a", "", "b")),
        (
            "{header:X-Id|hubspot_decode}:{body}",
            ("/", "a", "x:y"),
            ("/", "a%3Ax", "y"),
        ),
        (
            "id={header:X-Id|lower};body={body}",
            ("/", "a", "x;body=y"),
            ("/", "a;BODY=x", "y"),
        ),
        (
            "{query:q}.{body}",
            ("/?q=a", "", "b.c"),
            ("/?q=a.b", "", "c"),
        ),
    ] {
        assert_eq!(
            forged(&mac(signed), genuine, other),
            Err(RejectionKind::MalformedHeader),
            "{signed}"
        );
    }
    // The digest of a value may hold whatever the value holds.
    let digest = mac("{header:X-Id|sha256hex}.{body}");
    assert_eq!(
        forged(&digest, ("/", "a.b", "c"), ("/", "a.b", "c")),
        Ok(())
    );
}

#[test]
fn a_signed_field_stands_there_once() {
    let query = mac("{query:tenant}.{body}");
    let genuine = ("/?tenant=a", "", "b");
    for target in [
        "/?tenant=a&tenant=evil",
        "/?tenant=evil&tenant=a",
        "/?tenant=a&%74enant=evil",
    ] {
        assert_eq!(
            forged(&query, genuine, (target, "", "b")),
            Err(RejectionKind::MalformedHeader),
            "{target}"
        );
    }
    let form = scheme(Algorithm::HmacSha256, "{form:amount}").with_coverage(Coverage::Partial);
    let form = Provider::new("acme", form).accept_unsigned_body();
    assert_eq!(
        forged(
            &form,
            ("/", "", "amount=1"),
            ("/", "", "amount=1&amount=1000")
        ),
        Err(RejectionKind::MalformedBody)
    );
}

#[test]
fn variants_cannot_be_taken_for_each_other() {
    let dated = mac("{ts}.{body}").with_variant("undated", scheme(Algorithm::HmacSha256, "{body}"));
    assert_eq!(
        error(dated),
        "variant: two variants that are tried together use hmac-sha256, so a signature for one could be valid for the other; select one by name"
    );
    let open =
        mac("{body}").with_variant("bare", scheme(Algorithm::UnauthenticatedSha256, "{body}"));
    assert_eq!(
        error(open),
        "variant: anybody can compute unauthenticated-sha256, so other variants prove nothing if it is tried with them; select one by name"
    );
}

#[test]
fn what_changes_the_body_does_not_cover_it() {
    for signed in [
        "{body|lower}",
        "{body|jsonstr|lower}",
        "{body|hubspot_decode|sha256hex}",
    ] {
        assert!(
            error(mac(signed)).contains("it does not cover the body as it is"),
            "{signed}"
        );
    }
    for signed in ["{body|sha256hex|lower}", "{body|jsonstr|sha256hex}"] {
        assert!(
            Verifier::new(mac(signed), Secret::new(SECRET)).is_ok(),
            "{signed}"
        );
    }
}

#[test]
fn a_digest_that_can_be_extended_is_noted() {
    for (signed, extendable) in [
        ("{secret}{body}", true),
        ("{secret}.{body}.", true),
        ("{ts}.{secret}.{body}", true),
        ("{secret}{body}{ts}", true),
        ("{body}{secret}", false),
        ("{secret}{body}{secret}", false),
        ("{secret}{body}{secret}.", false),
        ("{ts}{body}{secret}", false),
    ] {
        let provider = Provider::new("acme", scheme(Algorithm::Sha256, signed));
        let verifier = Verifier::new(provider, Secret::new(SECRET)).unwrap();
        let kinds: Vec<_> = verifier.notes().iter().map(Note::kind).collect();
        let expected = extendable.then_some(NoteKind::LengthExtension);
        assert_eq!(kinds, Vec::from_iter(expected), "{signed}");
    }
}

#[test]
fn separators_are_no_part_of_a_signature() {
    for (encoding, separators) in [
        (Encoding::Base64, "+/=a\n"),
        (Encoding::Base64Url, "-_=9"),
        (Encoding::Hex, "f\t"),
    ] {
        for separator in separators.chars() {
            let signature = SignatureFormat::list("X-Sig", separator, encoding);
            let scheme = Scheme::signed(Algorithm::HmacSha256, "{body}", signature);
            assert!(
                error(Provider::new("acme", scheme)).contains("cannot separate signatures"),
                "{separator:?} {encoding}"
            );
        }
    }
    let sets = SignatureFormat::fields("X-Sig", ',', "v1", Encoding::Hex).with_sets(',');
    let lines = SignatureFormat::fields("X-Sig", ',', "v1", Encoding::Hex).with_repeated_lines();
    for (signature, problem) in [
        (sets, "need different separators"),
        (lines, "need a whole value or a list"),
    ] {
        let scheme = Scheme::signed(Algorithm::HmacSha256, "{body}", signature);
        let error = error(Provider::new("acme", scheme));
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn a_position_that_holds_a_signature_is_no_field() {
    for (field, built) in [("0", true), ("1", false), ("2", false), ("t", false)] {
        let signature = SignatureFormat::positional("X-Sig", ',', 1, Encoding::Hex);
        let scheme = Scheme::signed(Algorithm::HmacSha256, "{ts}.{body}", signature)
            .with_timestamp(Timestamp::field(field));
        let verifier = Verifier::new(Provider::new("acme", scheme), Secret::new(SECRET));
        assert_eq!(verifier.is_ok(), built, "{field}");
    }
}

#[test]
fn header_families_are_those_of_the_signature() {
    let families = |prefixes: [&'static str; 2]| {
        let scheme = scheme(Algorithm::HmacSha256, "{body}").with_header_families(prefixes);
        error(Provider::new("acme", scheme))
    };
    assert!(families(["svix-", "webhook-"]).contains("does not begin with \"svix-\""));
    assert!(families(["X-", "we bhook-"]).contains("is not a valid header name"));
}

#[test]
fn a_time_that_is_not_signed_only_refuses() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    for (signed, shown) in [("{ts}.{body}", Some(now)), ("{body}", None)] {
        let scheme = Scheme::signed(
            Algorithm::HmacSha256,
            signed,
            SignatureFormat::single("X-Sig", Encoding::Hex),
        )
        .with_timestamp(Timestamp::header("X-Time"));
        let provider = Provider::new("acme", scheme);
        let signer = Signer::new(provider.clone(), Secret::new(SECRET)).unwrap();
        let request = signer
            .with_time(now)
            .sign(Request::post("/"), "body")
            .unwrap();
        let (head, body) = request.into_parts();
        let verifier = Verifier::new(provider, Secret::new(SECRET)).unwrap();
        let event = verifier.verify(&Head::from(&head), body, now).unwrap();
        assert_eq!(event.timestamp(), shown, "{signed}");
        let later = now + Duration::from_secs(301);
        let rejection = verifier
            .verify(&Head::from(&head), body, later)
            .unwrap_err();
        assert_eq!(rejection.kind(), RejectionKind::TimestampTooOld, "{signed}");
    }
}

#[test]
fn a_value_before_the_time_holds_no_time() {
    use hmac::{Hmac, KeyInit, Mac};
    let verifier = Verifier::new(mac("{header:X-Id}{ts}{body}"), Secret::new(SECRET)).unwrap();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let verdict = |id: &str, body: &str| {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(format!("{id}1700000000{body}").as_bytes());
        let tag = mac.finalize().into_bytes();
        let signature = hex(tag);
        let headers = [
            ("x-id", id),
            ("x-time", "1700000000"),
            ("x-sig", &signature),
        ];
        let verdict = verifier.verify(&Head::new(&headers), body.to_owned(), now);
        verdict.map(drop).map_err(|rejection| rejection.kind())
    };
    for id in [
        "evt_a",
        "evt_123456789x",
        "f1c2a387-161a-49f9-a165-0f21d7a4e1ca",
        "evt_0",
        "",
    ] {
        assert_eq!(verdict(id, "{}"), Ok(()), "{id}");
    }
    // It does not matter whether the other time would be accepted today, or runs over into the one
    // that is meant.
    for id in [
        "evt_1700000000",
        "evt_1234567890",
        "1700000200x",
        "9999999999",
        "evt_17000001",
        "evt_1",
    ] {
        assert_eq!(
            verdict(id, "{}"),
            Err(RejectionKind::MalformedHeader),
            "{id}"
        );
    }
}

/// The verdicts of requests whose content is the same, each by the clock that suits it.
fn verdicts(
    signed: &'static str,
    unit: TimeUnit,
    readings: &[(&[u8], &str, &[u8])],
) -> Result<Vec<Result<(), RejectionKind>>, String> {
    use hmac::{Hmac, KeyInit, Mac};
    let timestamp = Timestamp::header("X-Time")
        .with_unit(unit)
        .with_tolerance(Tolerance::off());
    let signature = SignatureFormat::single("X-Sig", Encoding::Hex);
    let scheme = Scheme::signed(Algorithm::HmacSha256, signed, signature).with_timestamp(timestamp);
    let verifier = Verifier::new(Provider::new("acme", scheme), Secret::new(SECRET));
    let verifier = verifier.map_err(|error| error.to_string())?;
    let time = |time: &str| match signed {
        _ if signed.contains("{ts|lower}") => time.to_lowercase(),
        _ if signed.contains("{ts|jsonstr}") => format!("\"{time}\""),
        _ => time.to_owned(),
    };
    let content =
        |(id, at, body): &(&[u8], &str, &[u8])| [*id, time(at).as_bytes(), *body].concat();
    let all: Vec<_> = readings.iter().map(content).collect();
    assert!(
        all.iter().all(|other| *other == all[0]),
        "{signed}: one content"
    );
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(&all[0]);
    let signature = hex(mac.finalize().into_bytes());
    let verdicts = readings.iter().map(|(id, at, body)| {
        let headers = [
            ("x-id", *id),
            ("x-time", at.as_bytes()),
            ("x-sig", signature.as_bytes()),
        ];
        let event = verifier.verify(&Head::new(&headers), body.to_vec(), SystemTime::UNIX_EPOCH);
        event.map(drop).map_err(|rejection| rejection.kind())
    });
    Ok(verdicts.collect())
}

#[test]
fn a_time_is_found_whatever_stands_around_it_and_however_it_is_spelled() {
    // Bytes that are no text, or a character that a window cuts, hide no date.
    let dated: &[(&[u8], &str, &[u8])] = &[
        (
            b"a2026-11-20T21:00:00Z\xc3\xa9\xff",
            "2026-11-20T21:00:00+00:00",
            b"{}",
        ),
        (
            b"a",
            "2026-11-20T21:00:00Z",
            b"\xc3\xa9\xff2026-11-20T21:00:00+00:00{}",
        ),
    ];
    let found = verdicts("{header:X-Id}{ts}{body}", TimeUnit::Rfc3339, dated).unwrap();
    assert_eq!(found[0], Err(RejectionKind::MalformedHeader));
    assert!(
        found.iter().filter(|verdict| verdict.is_ok()).count() <= 1,
        "{found:?}"
    );
    // A time that a filter spells is not looked for, so that such content cannot be built.
    for (signed, unit) in [
        ("{header:X-Id}{ts|lower}{body}", TimeUnit::Rfc3339),
        ("{header:X-Id}{ts|lower}.{body}", TimeUnit::ImfFixdate),
        ("{header:X-Id}{ts|sha256hex}{body}", TimeUnit::Seconds),
        ("{header:X-Id}{ts|jsonstr}{body}", TimeUnit::Seconds),
    ] {
        let error = verdicts(signed, unit, &[(b"a", "1", b"")]).unwrap_err();
        assert!(
            error.contains("are ambiguous without a separator"),
            "{signed}: {error}"
        );
    }
}

/// A template in pieces, so that a test can cut content as the verifier must not.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Piece {
    Text(&'static str),
    Id,
    IdQuoted,
    Other,
    Query,
    Path,
    Method,
    Time,
    Body,
}

const PIECES: [Piece; 12] = [
    Piece::Text("."),
    Piece::Text("::"),
    Piece::Text("1"),
    Piece::Text("a."),
    Piece::Id,
    Piece::IdQuoted,
    Piece::Other,
    Piece::Query,
    Piece::Path,
    Piece::Method,
    Piece::Time,
    Piece::Body,
];

impl Piece {
    fn token(self) -> &'static str {
        match self {
            Self::Text(text) => text,
            Self::Id => "{header:X-Id}",
            Self::IdQuoted => "{header:X-Id|jsonstr}",
            Self::Other => "{header:X-Other}",
            Self::Query => "{query:q}",
            Self::Path => "{path}",
            Self::Method => "{method}",
            Self::Time => "{ts}",
            Self::Body => "{body}",
        }
    }

    /// What a sender may put there, written as it is signed; `None` for what no request holds.
    fn value(self, signed: &str) -> Option<String> {
        match self {
            Self::Text(text) => (text == signed).then(String::new),
            Self::IdQuoted => serde_json::from_str(signed)
                .ok()
                .filter(|value: &String| serde_json::to_string(value).unwrap() == signed),
            Self::Path => signed.starts_with('/').then(|| signed.to_owned()),
            Self::Time => signed
                .bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| signed.to_owned()),
            _ => Some(signed.to_owned()),
        }
    }
}

type Values = Vec<(Piece, String)>;

/// Every way to read `content` as these pieces.
fn readings(pieces: &[Piece], content: &str, read: &mut Values, all: &mut Vec<Values>) {
    let Some((first, rest)) = pieces.split_first() else {
        if content.is_empty() {
            all.push(read.clone());
        }
        return;
    };
    for end in 0..=content.len() {
        let (head, tail) = content.split_at(end);
        if let Some(value) = first.value(head) {
            read.push((*first, value));
            readings(rest, tail, read, all);
            read.pop();
        }
    }
}

/// Whether a reading is accepted under any of the tolerances, by the clock that is best for it.
fn accepted(verifiers: &[Verifier], signature: &str, values: &Values) -> bool {
    let of = |piece: Piece| {
        let found = values.iter().find(|(other, _)| *other == piece);
        found.map_or("", |(_, value)| value)
    };
    let id = if values.iter().any(|(piece, _)| *piece == Piece::IdQuoted) {
        of(Piece::IdQuoted)
    } else {
        of(Piece::Id)
    };
    let headers = [
        ("x-id", id),
        ("x-other", of(Piece::Other)),
        ("x-time", of(Piece::Time)),
        ("x-sig", signature),
    ];
    let query: String = of(Piece::Query)
        .bytes()
        .map(|byte| format!("%{byte:02x}"))
        .collect();
    let path = of(Piece::Path);
    let target = format!("{}?q={query}", if path.is_empty() { "/" } else { path });
    let head = Head::new(&headers)
        .with_target(&target)
        .with_method(of(Piece::Method));
    let time = of(Piece::Time).parse().unwrap_or(0);
    let now = SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_secs(time))
        .unwrap_or(SystemTime::UNIX_EPOCH);
    verifiers.iter().any(|verifier| {
        let body = of(Piece::Body).to_owned();
        verifier.verify(&head, body, now).is_ok()
    })
}

/// The tolerances that a scheme or an endpoint may set.
fn tolerances() -> [Tolerance; 5] {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    let near = Tolerance::from(Duration::from_secs(5));
    [
        near,
        near.with_past(None),
        near.with_future(None),
        Tolerance::from(CENTURY),
        Tolerance::off(),
    ]
}

#[test]
fn no_content_has_two_readings_that_are_accepted() {
    use hmac::{Hmac, KeyInit, Mac};
    let mut state = 7_u64;
    let mut random = move |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let (mut built, mut cut, mut taken) = (0, 0, 0);
    while built < 3000 {
        let mut pieces: Vec<Piece> = Vec::new();
        for _ in 0..2 + random(5) {
            let piece = PIECES[random(PIECES.len())];
            let twice = !matches!(piece, Piece::Text(_)) && pieces.contains(&piece);
            let both = |other| piece != other && pieces.contains(&other);
            let ids = matches!(piece, Piece::Id | Piece::IdQuoted)
                && (both(Piece::Id) || both(Piece::IdQuoted));
            if !twice && !ids {
                pieces.push(piece);
            }
        }
        if !pieces.contains(&Piece::Body) {
            continue;
        }
        let signed: String = pieces.iter().map(|piece| piece.token()).collect();
        let mut scheme = Scheme::signed(
            Algorithm::HmacSha256,
            signed.clone(),
            SignatureFormat::single("X-Sig", Encoding::Hex),
        );
        if pieces.contains(&Piece::Time) {
            let tolerance = tolerances()[random(5)];
            scheme = scheme.with_timestamp(Timestamp::header("X-Time").with_tolerance(tolerance));
        }
        let Ok(verifier) = Verifier::new(Provider::new("acme", scheme), Secret::new(SECRET)) else {
            continue;
        };
        built += 1;
        let later = tolerances().map(|tolerance| verifier.clone().with_tolerance(tolerance));
        let verifiers: Vec<_> = later.into_iter().chain([verifier]).collect();
        let content: String = pieces
            .iter()
            .map(|piece| {
                const LETTERS: [char; 6] = ['a', '.', ':', '1', '"', '2'];
                let text: String = (0..random(4))
                    .map(|_| LETTERS[random(LETTERS.len())])
                    .collect();
                match piece {
                    Piece::Text(text) => (*text).to_owned(),
                    Piece::IdQuoted => serde_json::to_string(&text).unwrap(),
                    Piece::Path => format!("/{text}"),
                    // Dense in other times: any ten of these digits are one.
                    Piece::Time => (0..10).map(|_| ['1', '2'][random(2)]).collect(),
                    _ => text,
                }
            })
            .collect();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(content.as_bytes());
        let signature = hex(mac.finalize().into_bytes());
        let mut all = Vec::new();
        readings(&pieces, &content, &mut Vec::new(), &mut all);
        cut += usize::from(all.len() > 1);
        let accepted: Vec<_> = all
            .iter()
            .filter(|values| accepted(&verifiers, &signature, values))
            .collect();
        assert!(
            accepted.len() <= 1,
            "{signed} of {content:?}: {accepted:#?}"
        );
        taken += accepted.len();
    }
    // The search is worth something: many contents can be cut in more ways than one, and most are
    // accepted in one.
    assert!(cut > 500 && taken > 1000, "{cut} {taken}");
}

/// The digits of a time could pass into the body that it touches, and back.
#[test]
fn a_time_that_touches_a_value_has_a_fixed_number_of_digits_under_every_tolerance() {
    use hmac::{Hmac, KeyInit, Mac};
    // The content, the unit, and how a request may be read that was signed as the first of each
    // list.
    type Readings<'r> = &'r [(&'r str, &'r str)];
    let rows: [(&str, TimeUnit, Readings<'_>); 10] = [
        (
            "{body}{ts}",
            TimeUnit::Seconds,
            &[
                ("{}1", "1700000000"),
                ("{}", "11700000000"),
                ("{}11", "700000000"),
            ],
        ),
        (
            "{ts}{body}",
            TimeUnit::Seconds,
            &[
                ("1{}", "1700000000"),
                ("{}", "17000000001"),
                ("01{}", "170000000"),
            ],
        ),
        (
            "{body}{ts}",
            TimeUnit::Milliseconds,
            &[
                ("[1", "1700000000000"),
                ("[", "11700000000000"),
                ("[11", "700000000000"),
            ],
        ),
        (
            "{ts}{body}",
            TimeUnit::Milliseconds,
            &[
                ("1]", "1700000000000"),
                ("]", "17000000000001"),
                ("01]", "170000000000"),
            ],
        ),
        (
            "{body}1{ts}",
            TimeUnit::Seconds,
            &[("{}", "1700000000"), ("{}1", "700000000")],
        ),
        (
            "{ts}0{body}",
            TimeUnit::Seconds,
            &[("{}", "1700000000"), ("0{}", "170000000")],
        ),
        (
            "{ts}{body|jsonstr}",
            TimeUnit::Seconds,
            &[("{}", "1700000000")],
        ),
        (
            "{body|sha256hex}{ts}",
            TimeUnit::Seconds,
            &[("{}", "1700000000")],
        ),
        (
            "{body}{ts|jsonstr}",
            TimeUnit::Seconds,
            &[("{}", "170000000"), ("{}\"1", "70000000")],
        ),
        ("{body}.{ts}", TimeUnit::Seconds, &[("{}", "170000000")]),
    ];
    for (signed, unit, readings) in rows {
        for scheme_tolerance in tolerances() {
            let timestamp = Timestamp::header("X-Time")
                .with_unit(unit)
                .with_tolerance(scheme_tolerance);
            let signature = SignatureFormat::single("X-Sig", Encoding::Hex);
            let scheme =
                Scheme::signed(Algorithm::HmacSha256, signed, signature).with_timestamp(timestamp);
            let built = Verifier::new(Provider::new("acme", scheme), Secret::new(SECRET)).unwrap();
            let later = tolerances().map(|tolerance| built.clone().with_tolerance(tolerance));
            for verifier in later.into_iter().chain([built]) {
                let (body, time) = readings[0];
                let content = signed
                    .replace("{body|jsonstr}", &serde_json::to_string(body).unwrap())
                    .replace("{body|sha256hex}", &hex(sha2::Sha256::digest(body)))
                    .replace("{ts|jsonstr}", &format!("\"{time}\""))
                    .replace("{body}", body)
                    .replace("{ts}", time);
                let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
                mac.update(content.as_bytes());
                let signature = hex(mac.finalize().into_bytes());
                let verdicts = readings.iter().map(|(body, time)| {
                    let per_second = if unit == TimeUnit::Seconds { 1 } else { 1000 };
                    let now = Duration::from_secs(time.parse::<u64>().unwrap() / per_second);
                    let headers = [("x-time", *time), ("x-sig", &signature)];
                    let event = verifier.verify(
                        &Head::new(&headers),
                        (*body).to_owned(),
                        SystemTime::UNIX_EPOCH + now,
                    );
                    event.map(drop).map_err(|rejection| rejection.kind())
                });
                let mut expected = vec![Err(RejectionKind::MalformedTimestamp); readings.len()];
                expected[0] = Ok(());
                if signed == "{body}{ts|jsonstr}" {
                    // The quotes show where the time begins, and the other is another content.
                    expected[1] = Err(RejectionKind::SignatureMismatch);
                }
                assert_eq!(
                    verdicts.collect::<Vec<_>>(),
                    expected,
                    "{signed} {unit} {scheme_tolerance:?}"
                );
            }
        }
    }
}
