//! JSON Web Tokens: of providers, and of schemes in a configuration.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha384, Sha512};
use support::{NOW, at};
use tower_webhook::{
    Config, NoteKind, RejectionKind, Secret, Signer, Verifier, providers, scheme::Coverage,
    verify::Head,
};

use super::entry;

const SECRET: &str = "a-secret-of-some-length-0001";
const BODY: &str = r#"{"id":7}"#;

const ACME: &str = r#"
    [providers.acme]
    jwt = { header = "Acme-Token", prefix = "Token ", algorithms = ["HS256", "HS512"], claims = { iss = "acme", aud = "{param:audience}", ok = "true" }, required = ["sub"], body_hash = { claim = "hash", encoding = "base64url" }, max_age = "60s", leeway = "5s" }

    [endpoints.it]
    provider = "acme"
    secret   = "a-secret-of-some-length-0001"
    audience = "us"
"#;

fn segment(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token by another implementation.
fn token(header: &Value, claims: &Value, key: &[u8]) -> String {
    let signed = format!("{}.{}", segment(header), segment(claims));
    macro_rules! mac {
        ($hash:ty) => {{
            let mut mac = <Hmac<$hash> as KeyInit>::new_from_slice(key).unwrap();
            mac.update(signed.as_bytes());
            mac.finalize().into_bytes().to_vec()
        }};
    }
    let tag = match header["alg"].as_str() {
        Some("HS384") => mac!(Sha384),
        Some("HS512") => mac!(Sha512),
        Some("none") => Vec::new(),
        _ => mac!(Sha256),
    };
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn claims() -> Value {
    json!({
        "iss": "acme", "aud": ["them", "us"], "ok": true, "sub": "7", "iat": NOW,
        "hash": URL_SAFE_NO_PAD.encode(Sha256::digest(BODY)),
    })
}

fn acme() -> Verifier {
    Config::from_toml_str(ACME).unwrap().endpoint("it").unwrap()
}

fn verdict(verifier: &Verifier, token: &str) -> Result<Coverage, RejectionKind> {
    let headers = [("acme-token", format!("token {token}"))];
    let verdict = verifier.verify(&Head::new(&headers), BODY, at(NOW));
    verdict
        .map(|event| event.coverage())
        .map_err(|rejection| rejection.kind())
}

#[test]
fn what_another_implementation_signs_is_accepted() {
    for alg in ["HS256", "HS512"] {
        let token = token(
            &json!({ "alg": alg, "typ": "JWT" }),
            &claims(),
            SECRET.as_bytes(),
        );
        assert_eq!(verdict(&acme(), &token), Ok(Coverage::Body), "{alg}");
    }
}

/// A hash in hexadecimal digits has one meaning in capital letters, too.
#[test]
fn the_case_of_a_hash_in_hex_does_not_matter() {
    let text = ACME.replacen("base64url", "hex", 1);
    let config = Config::from_toml_str(&text).unwrap();
    let verifier = config.endpoint("it").unwrap();
    let hash = support::hex(Sha256::digest(BODY));
    let other = support::hex(Sha256::digest("{}"));
    for (hash, expected) in [
        (hash.clone(), Ok(Coverage::Body)),
        (hash.to_uppercase(), Ok(Coverage::Body)),
        (other, Err(RejectionKind::SignatureMismatch)),
        (hash[..63].to_owned(), Err(RejectionKind::SignatureMismatch)),
    ] {
        let mut claims = claims();
        claims["hash"] = hash.into();
        let token = token(&json!({ "alg": "HS256" }), &claims, SECRET.as_bytes());
        assert_eq!(verdict(&verifier, &token), expected);
    }
}

/// Every claim and every entry of the header, in each way in which it can be wrong.
#[test]
fn a_token_that_says_anything_else_is_refused() {
    use RejectionKind::{
        MalformedSignature, MalformedTimestamp, MissingField, SignatureMismatch, TimestampInFuture,
        TimestampTooOld, UnexpectedClaim,
    };
    let cases: &[(&str, Option<Value>, RejectionKind)] = &[
        ("iss", Some(json!("other")), UnexpectedClaim),
        ("iss", Some(json!(["other"])), UnexpectedClaim),
        ("iss", None, MissingField),
        ("iss", Some(Value::Null), UnexpectedClaim),
        ("aud", Some(json!("them")), UnexpectedClaim),
        ("aud", Some(json!([])), UnexpectedClaim),
        ("aud", Some(json!("US")), UnexpectedClaim),
        ("aud", None, MissingField),
        ("ok", Some(json!("true")), UnexpectedClaim),
        ("ok", Some(json!(false)), UnexpectedClaim),
        ("sub", None, MissingField),
        ("hash", None, MissingField),
        ("hash", Some(json!(7)), UnexpectedClaim),
        ("hash", Some(json!("")), SignatureMismatch),
        ("iat", None, MissingField),
        ("iat", Some(json!(NOW - 61)), TimestampTooOld),
        ("iat", Some(json!(NOW + 61)), TimestampInFuture),
        ("iat", Some(json!(NOW.to_string())), MalformedTimestamp),
        ("iat", Some(json!([NOW])), MalformedTimestamp),
        ("exp", Some(json!(NOW - 5)), TimestampTooOld),
        ("exp", Some(json!("soon")), MalformedTimestamp),
        ("exp", Some(Value::Null), MalformedTimestamp),
        ("nbf", Some(json!(NOW + 6)), TimestampInFuture),
        ("nbf", Some(json!({})), MalformedTimestamp),
    ];
    for (claim, value, kind) in cases {
        let mut changed = claims();
        match value {
            Some(value) => changed[*claim] = value.clone(),
            None => drop(changed.as_object_mut().unwrap().remove(*claim)),
        }
        let token = token(&json!({ "alg": "HS256" }), &changed, SECRET.as_bytes());
        assert_eq!(verdict(&acme(), &token), Err(*kind), "{claim} {value:?}");
    }
    for (header, kind) in [
        (json!({}), MalformedSignature),
        (json!({ "alg": "none" }), MalformedSignature),
        (json!({ "alg": "None" }), MalformedSignature),
        (json!({ "alg": ["HS256"] }), MalformedSignature),
        (json!({ "alg": "hs256" }), MalformedSignature),
        (json!({ "alg": "HS384" }), MalformedSignature),
        (json!({ "alg": "HS256", "crit": ["exp"] }), UnexpectedClaim),
        (json!({ "alg": "HS256", "crit": [] }), UnexpectedClaim),
        (json!(["HS256"]), MalformedSignature),
    ] {
        let token = token(&header, &claims(), SECRET.as_bytes());
        assert_eq!(verdict(&acme(), &token), Err(kind), "{header}");
    }
    // The edges of the windows.
    for (claim, value) in [
        ("iat", NOW - 60),
        ("iat", NOW + 60),
        ("exp", NOW - 4),
        ("nbf", NOW + 5),
    ] {
        let mut changed = claims();
        changed[claim] = json!(value);
        let token = token(&json!({ "alg": "HS256" }), &changed, SECRET.as_bytes());
        assert_eq!(verdict(&acme(), &token), Ok(Coverage::Body), "{claim}");
    }
    let mut fraction = claims();
    fraction["iat"] = json!(NOW as f64 - 0.5);
    let token = token(&json!({ "alg": "HS256" }), &fraction, SECRET.as_bytes());
    assert_eq!(verdict(&acme(), &token), Ok(Coverage::Body));
}

#[test]
fn a_token_that_can_be_read_in_two_ways_is_refused() {
    let good = token(&json!({ "alg": "HS256" }), &claims(), SECRET.as_bytes());
    let (signed, tag) = good.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    for (text, why) in [
        (format!("{header}.{payload}"), "two segments"),
        (format!("{good}.{tag}"), "four segments"),
        (format!("{good}="), "padding"),
        (
            format!("{header}=.{payload}.{tag}"),
            "padding of the header",
        ),
        (format!(" {good}"), "white space"),
        (format!("{header}.{payload}."), "no signature"),
        (String::new(), "nothing"),
        ("..".to_owned(), "empty segments"),
        (
            format!("{}.{payload}.{tag}", header.replace('e', "+")),
            "another alphabet",
        ),
    ] {
        assert_eq!(
            verdict(&acme(), &text),
            Err(RejectionKind::MalformedSignature),
            "{why}"
        );
    }
    // A name twice, of which one parser takes the first and another one the last.
    for (header, claims) in [
        (
            r#"{"alg":"none","alg":"HS256"}"#.to_owned(),
            claims().to_string(),
        ),
        (
            r#"{"alg":"HS256"}"#.to_owned(),
            claims().to_string().replacen('{', r#"{"iss":"other","#, 1),
        ),
    ] {
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(signed.as_bytes());
        let tag = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        let text = format!("{signed}.{tag}");
        assert_eq!(
            verdict(&acme(), &text),
            Err(RejectionKind::MalformedSignature)
        );
    }
    // Two headers.
    let headers = [
        ("acme-token", format!("token {good}")),
        ("Acme-Token", good.clone()),
    ];
    let rejection = acme()
        .verify(&Head::new(&headers), BODY, at(NOW))
        .unwrap_err();
    assert_eq!(rejection.kind(), RejectionKind::RepeatedHeader);
}

/// The keys of the token are not those of the endpoint.
#[test]
fn keys_in_the_token_are_ignored() {
    let attacker = b"the-secret-of-an-attacker-0001";
    for (name, value) in [
        (
            "jwk",
            json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode(attacker) }),
        ),
        ("jku", json!("https://attacker.example/keys")),
        ("x5u", json!("https://attacker.example/chain")),
        ("x5c", json!(["MIIB"])),
        ("kid", json!("../../dev/null")),
        ("kid", json!("' or 1=1 --")),
    ] {
        let header = json!({ "alg": "HS256", name: value });
        let kind = verdict(&acme(), &token(&header, &claims(), attacker));
        assert_eq!(kind, Err(RejectionKind::SignatureMismatch), "{name}");
        // They do no harm either.
        let kind = verdict(&acme(), &token(&header, &claims(), SECRET.as_bytes()));
        assert_eq!(kind, Ok(Coverage::Body), "{name}");
    }
}

/// A key with an id is for tokens that name it, and for those that name none.
#[test]
fn the_id_of_a_key_is_that_of_the_token() {
    let document = ACME.replace(
        r#"secret   = "a-secret-of-some-length-0001""#,
        r#"secrets  = [{ id = "new", value = "a-secret-of-some-length-0001" }, { id = "old", value = "a-secret-of-some-length-0000" }]"#,
    );
    let verifier = Config::from_toml_str(&document)
        .unwrap()
        .endpoint("it")
        .unwrap();
    for (kid, key, expected) in [
        (Some("new"), SECRET, true),
        (None, SECRET, true),
        (Some("old"), SECRET, false),
        (Some("older"), SECRET, false),
        (Some("old"), "a-secret-of-some-length-0000", true),
    ] {
        let mut header = json!({ "alg": "HS256" });
        if let Some(kid) = kid {
            header["kid"] = json!(kid);
        }
        let token = token(&header, &claims(), key.as_bytes());
        let found = verdict(&verifier, &token);
        assert_eq!(found.is_ok(), expected, "{kid:?} {key}");
        if !expected {
            assert_eq!(found, Err(RejectionKind::SignatureMismatch));
        }
    }
}

/// The public key of a provider is public, so a MAC under any spelling of it proves nothing.
#[test]
fn a_mac_under_the_public_key_is_refused() {
    for id in [
        "plaid",
        "google-pubsub",
        "fireblocks-v2",
        "fusionauth",
        "lago",
    ] {
        let entry = entry(id);
        let vector = entry
            .test_vectors
            .iter()
            .rev()
            .find(|vector| vector.valid && vector.keys().starts_with("public_key"));
        let vector = vector.unwrap();
        let verifier = vector.verifier(id);
        let text = vector.keys();
        let text: String =
            serde_json::from_str(text.strip_prefix("public_key = ").unwrap()).unwrap();
        let pem: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        let der = base64::engine::general_purpose::STANDARD
            .decode(&pem)
            .unwrap_or_default();
        let jwk = vector
            .jwks
            .as_ref()
            .map(|set| set["keys"][0].to_string())
            .unwrap_or_default();
        let spellings = [
            text.as_bytes(),
            text.trim().as_bytes(),
            pem.as_bytes(),
            &der,
            jwk.as_bytes(),
        ];
        let (name, value) = vector
            .headers
            .iter()
            .find(|(_, value)| value.matches('.').count() == 2)
            .unwrap();
        let (prefix, own) = value.split_at(value.find("ey").unwrap());
        let payload = own.split('.').nth(1).unwrap();
        for alg in ["HS256", "HS384", "HS512"] {
            for key in spellings.into_iter().filter(|key| !key.is_empty()) {
                let signed = format!("{}.{payload}", segment(&json!({ "alg": alg })));
                let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap();
                mac.update(signed.as_bytes());
                let tag = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
                let mut forged = vector.clone();
                forged
                    .headers
                    .insert(name.clone(), format!("{prefix}{signed}.{tag}"));
                let rejection = forged.verify(&verifier).unwrap_err();
                assert_eq!(
                    rejection.kind(),
                    RejectionKind::MalformedSignature,
                    "{id} {alg}"
                );
            }
        }
    }
}

#[test]
fn a_signer_makes_what_a_verifier_of_the_same_description_takes() {
    let config = Config::from_toml_str(ACME).unwrap();
    let signer = config
        .signer("it")
        .unwrap()
        .with_time(at(NOW))
        .with_field("sub", "\"7\"");
    let request = signer.sign(Request::post("/"), BODY).unwrap();
    let (head, body) = request.into_parts();
    let event = acme().verify(&Head::from(&head), body, at(NOW)).unwrap();
    assert_eq!(event.timestamp(), Some(at(NOW)));
    assert_eq!(event.variant(), "hmac-sha256");
}

/// A private key signs, and a set of public keys verifies by the id in the token.
#[test]
fn a_private_key_signs_for_a_set_of_public_keys() {
    const PRIVATE: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let provider = providers::fusionauth().select_variant("ed25519").unwrap();
    let secret = Secret::new(PRIVATE).with_id("k1");
    let signer = Signer::new(provider.clone(), secret)
        .unwrap()
        .with_time(at(NOW));
    let (head, body) = signer.sign(Request::post("/"), BODY).unwrap().into_parts();
    let set = |kid: &str| {
        let keys = json!({ "keys": [
            { "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": X, "use": "sig" },
            { "kty": "RSA", "kid": "enc", "n": "AQAB", "e": "AQAB", "use": "enc" },
        ]});
        tower_webhook::PublicKey::new(keys.to_string())
    };
    let verifier = Verifier::new(provider.clone(), set("k1")).unwrap();
    let event = verifier.verify(&Head::from(&head), body, at(NOW)).unwrap();
    assert_eq!(event.key_id(), Some("k1"));
    let verifier = Verifier::new(provider, set("k2")).unwrap();
    let rejection = verifier
        .verify(&Head::from(&head), body, at(NOW))
        .unwrap_err();
    assert_eq!(rejection.kind(), RejectionKind::SignatureMismatch);
}

/// Mistakes in a description and in keys, each with its error.
#[test]
fn mistakes_are_named() {
    let replaced = |from: &str, to: &str| {
        let document = ACME.replacen(from, to, 1);
        assert_ne!(document, ACME, "{from}");
        Config::from_toml_str(&document).unwrap_err().to_string()
    };
    for (from, to, expected) in [
        (r#"["HS256", "HS512"]"#, "[]", "algorithms: it is empty"),
        (
            r#""HS512""#,
            r#""none""#,
            r#"algorithms: "none" is not one of HS256, "#,
        ),
        (
            r#""HS512""#,
            r#""HS256""#,
            "two variants that are tried together use hmac-sha256",
        ),
        ("base64url", "text", "body_hash: the encoding is \"hex\""),
        ("\"60s\"", "\"soon\"", "max_age"),
        (
            r#"audience = "us""#,
            "",
            "params.audience: the scheme needs it",
        ),
        (
            "[endpoints.it]",
            "signed = \"{body}\"\n[endpoints.it]",
            "signed: a JSON Web Token does not need it",
        ),
        (
            "leeway = \"5s\"",
            "detached = true",
            "such a token has no claims",
        ),
    ] {
        let error = replaced(from, to);
        assert!(error.contains(expected), "{from}: {error}");
    }
    let keys = |text: &str| {
        let key = tower_webhook::PublicKey::new(text);
        Verifier::new(providers::plaid(), key)
            .unwrap_err()
            .to_string()
    };
    let private = r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"c2VjcmV0LW51bWJlcg"}"#;
    for (text, expected) in [
        (r#"{"keys":[]}"#, "the set has no keys"),
        (
            r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#,
            "no key of the set fits",
        ),
        (
            r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#,
            "whose numbers are missing",
        ),
        (r#"{"kty":"EC","crv":"P-521"}"#, "it is a P-521 key"),
        (
            r#"{"kty":"EC","crv":"secp256k1"}"#,
            "its curve is another curve",
        ),
        (
            r#"{"kty":"EC","crv":"P-256","alg":"ES384"}"#,
            "for another algorithm",
        ),
        (
            r#"{"kty":"EC","crv":"P-256","use":"enc"}"#,
            "for encryption",
        ),
        (r#"{"crv":"P-256"}"#, "without \"kty\""),
        (r#"{"kty":"EC","kty":"RSA"}"#, "a name twice"),
        (private, "it is a private key"),
    ] {
        let error = keys(text);
        assert!(error.contains(expected), "{text}: {error}");
        assert!(!error.contains("c2VjcmV0"), "{error}");
    }
    let notes = acme().notes();
    assert!(
        notes
            .iter()
            .all(|note| note.kind() != NoteKind::UnsignedTimestamp)
    );
}
