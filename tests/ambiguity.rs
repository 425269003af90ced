//! One signature stands for one request: what is signed cannot be cut in two ways, and one construction is never taken
//! for another.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::time::SystemTime;

use http::Request;
use tower_webhook::{
    Provider, RejectionKind, Scheme, Secret, Signer, Verifier,
    scheme::{Algorithm, Coverage, Encoding, Signature, Timestamp},
    verify::Head,
};

const SECRET: &str = "a-secret-of-some-length";

fn scheme(algorithm: Algorithm, signed: &str) -> Scheme {
    let scheme = Scheme::new(
        algorithm,
        signed.to_owned(),
        Signature::single("X-Sig", Encoding::Hex),
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
    verifier.verify(&Head::of(&head), body, epoch).unwrap();
    let headers = [
        ("x-id", other.1),
        ("x-sig", head.headers["x-sig"].to_str().unwrap()),
    ];
    let head = Head::new(&headers).with_target(other.0);
    let verdict = verifier.verify(&head, other.2.to_owned(), epoch);
    verdict.map(drop).map_err(|rejection| rejection.kind())
}

#[test]
fn values_that_touch_are_refused_when_built() {
    for (signed, value) in [
        ("{header:X-Id}{body}", "{header:X-Id}"),
        ("{body}{header:X-Id}", "{header:X-Id}"),
        ("{header:X-Id}{header:X-Other}.{body}", "{header:X-Id}"),
        ("{query:a}{query:b}.{body}", "{query:a}"),
        ("{path}{body}", "{path}"),
        ("{method}{path}{body}", "{path}"),
        ("{body}.{header:X-Id}{query:a}", "{query:a}"),
    ] {
        assert_eq!(
            error(mac(signed)),
            format!(
                "signed: {value} touches another value, so that both could be cut in two ways; put the text between \
                 them that the provider signs there"
            ),
            "{signed}"
        );
    }
    for signed in [
        "{header:X-Id}{ts}{body}",
        "{body}{ts}",
        "{header:X-Id|sha256hex}{body}",
        "{header:X-Id}{body|sha256hex}",
        "{header:X-Id|jsonstr}{body}",
        "{method}{body}",
        "{header:X-Id}.{ts}.{body}",
        "{body}.{header:X-Id}",
        "{path}\n{body}",
    ] {
        assert!(
            Verifier::new(mac(signed), Secret::new(SECRET)).is_ok(),
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
    let form = Provider::new("acme", form);
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
fn constructions_cannot_be_taken_for_each_other() {
    let dated =
        mac("{ts}.{body}").or_construction("undated", scheme(Algorithm::HmacSha256, "{body}"));
    assert_eq!(
        error(dated),
        "construction: two that are tried together use hmac-sha256, so one could be taken for the other; name one"
    );
    let open =
        mac("{body}").or_construction("bare", scheme(Algorithm::UnauthenticatedSha256, "{body}"));
    assert_eq!(
        error(open),
        "construction: beside unauthenticated-sha256, which anybody can compute, the others prove nothing; name one"
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
        assert_eq!(
            verifier.secrets().notes().count(),
            usize::from(extendable),
            "{signed}"
        );
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
            let signature = Signature::list("X-Sig", separator, encoding);
            let scheme = Scheme::new(Algorithm::HmacSha256, "{body}", signature);
            assert!(
                error(Provider::new("acme", scheme)).contains("cannot separate signatures"),
                "{separator:?} {encoding}"
            );
        }
    }
    let sets = Signature::fields("X-Sig", ',', "v1", Encoding::Hex).with_sets(',');
    let lines = Signature::fields("X-Sig", ',', "v1", Encoding::Hex).with_repeated_lines();
    for (signature, problem) in [
        (sets, "need separators that differ"),
        (lines, "go with a whole value or a list"),
    ] {
        let scheme = Scheme::new(Algorithm::HmacSha256, "{body}", signature);
        let error = error(Provider::new("acme", scheme));
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn header_families_are_those_of_the_signature() {
    let families = |prefixes: [&'static str; 2]| {
        let scheme = scheme(Algorithm::HmacSha256, "{body}").with_header_families(prefixes);
        error(Provider::new("acme", scheme))
    };
    assert!(families(["svix-", "webhook-"]).contains("does not begin with \"svix-\""));
    assert!(families(["X-", "we bhook-"]).contains("is not a header name"));
}
