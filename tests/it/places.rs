//! Tokens, and signatures that are not in a header: each is read where it is, in one way only.

use support::at;
use tower_webhook::{
    Config, Provider, RejectionKind, Secret, Signer, Verifier, capture::CapturedRequest, providers,
    scheme::Coverage, verify::Head,
};

const SECRET: &str = "a-token-of-some-length";

/// An endpoint of a provider, as text.
fn document(provider: &str, endpoint: &str) -> String {
    let secret = if endpoint.contains("secret") || endpoint.contains("public_key") {
        String::new()
    } else {
        format!("secret = \"{SECRET}\"\n")
    };
    format!(
        "[providers.acme]\n{provider}\n[endpoints.a]\nprovider = \"acme\"\n{secret}{endpoint}\n"
    )
}

fn problem(provider: &str, endpoint: &str) -> String {
    let config = Config::from_toml_str(&document(provider, endpoint));
    config.unwrap_err().to_string()
}

/// A request: its target, its headers and its body.
#[derive(Clone, Copy)]
struct Parts<'p>(&'p str, &'p [(&'p str, &'p str)], &'p str);

type Verdict = Result<Coverage, RejectionKind>;

fn verdict(provider: &str, endpoint: &str, Parts(target, headers, body): Parts<'_>) -> Verdict {
    let text = document(provider, endpoint);
    let config = Config::from_toml_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let verifier = config.endpoint("a").unwrap();
    let headers = headers.to_vec();
    let head = Head::new(&headers).with_target(target);
    let verdict = verifier.verify(&head, body.to_owned(), at(0));
    let coverage = verdict.map(|event| event.coverage());
    coverage.map_err(|rejection| rejection.kind())
}

fn token(format: &str, parts: Parts<'_>) -> Verdict {
    let provider = format!("token = {format}");
    verdict(&provider, "accept_unsigned_body = true", parts)
}

/// What was accepted, and covers nothing.
const PASSED: Verdict = Ok(Coverage::None);
const MISMATCH: Verdict = Err(RejectionKind::SignatureMismatch);
const MISSING: Verdict = Err(RejectionKind::MissingField);
const REPEATED: Verdict = Err(RejectionKind::RepeatedField);
const MALFORMED: Verdict = Err(RejectionKind::MalformedSignature);

#[test]
fn a_token_in_the_query_is_there_once() {
    for (target, expected) in [
        ("/?secret=a-token-of-some-length", PASSED),
        ("/?a=1&s%65cret=%61-token-of-some-length&b", PASSED),
        ("/?secret=a-token-of-some-lengtH", MISMATCH),
        ("/?secret=", MISMATCH),
        ("/?secret", MISMATCH),
        ("/?Secret=a-token-of-some-length", MISSING),
        ("/secret=a-token-of-some-length", MISSING),
        ("/", MISSING),
        (
            "/?secret=a-token-of-some-length&secret=a-token-of-some-length",
            REPEATED,
        ),
        ("/?secret=a-token-of-some-length&secret=evil", REPEATED),
        ("/?secret=evil&secret=a-token-of-some-length", REPEATED),
    ] {
        let found = token("{ query = \"secret\" }", Parts(target, &[], "{}"));
        assert_eq!(found, expected, "{target}");
    }
    let header = Parts("/", &[("secret", SECRET)], "{}");
    assert_eq!(token("{ query = \"secret\" }", header), MISSING);
}

#[test]
fn a_token_in_json_is_one_string() {
    for (body, expected) in [
        (r#"{"token":"a-token-of-some-length"}"#, PASSED),
        (
            r#" {"n":[1],"token":"\u0061-token-of-some-length"} "#,
            PASSED,
        ),
        (r#"{"token":"another"}"#, MISMATCH),
        (r#"{"token":""}"#, MISMATCH),
        (r#"{"token":null}"#, MISSING),
        (r#"{"token":12}"#, MISSING),
        (r#"{"token":["a-token-of-some-length"]}"#, MISSING),
        (r#"{"a":{"token":"a-token-of-some-length"}}"#, MISSING),
        (r#"["a-token-of-some-length"]"#, MISSING),
        (r#"{"token":"a-token-of-some-length","token":"x"}"#, MISSING),
        (r#"{"token":"x","token":"a-token-of-some-length"}"#, MISSING),
        (
            r#"{"token":"x","t\u006fken":"a-token-of-some-length"}"#,
            MISSING,
        ),
        (r#"{"token":"a-token-of-some-length""#, MISSING),
        (r#"{"token":"a-token-of-some-length"}}"#, MISSING),
        ("", MISSING),
        ("token=a-token-of-some-length", MISSING),
    ] {
        let found = token("{ json = \"/token\" }", Parts("/", &[], body));
        assert_eq!(found, expected, "{body}");
    }
}

#[test]
fn every_item_has_the_same_token() {
    let good = r#"{"token":"a-token-of-some-length"}"#;
    for (items, expected) in [
        (format!("[{good}]"), PASSED),
        (format!("[{good},{good},{good}]"), PASSED),
        (r#"[{"token":"x"},{"token":"x"}]"#.to_owned(), MISMATCH),
        ("[]".to_owned(), MISSING),
        (format!("[{good},{{}}]"), MISSING),
        (format!("[{{}},{good}]"), MISSING),
        (format!("[{good},{{\"token\":\"x\"}}]"), MISSING),
        (format!("[{{\"token\":\"x\"}},{good}]"), MISSING),
        (format!("[{good},null]"), MISSING),
        (format!("[{good},[]]"), MISSING),
        (format!("[{good},{{\"token\":[]}}]"), MISSING),
        // In an object, it is a name.
        (format!("{{\"*\":{good}}}"), PASSED),
        (format!("{{\"0\":{good}}}"), MISSING),
        (good.to_owned(), MISSING),
        (format!("[{good}],\"value\":[]"), MISSING),
        (format!("[],\"value\":[{good}]"), MISSING),
    ] {
        let body = format!("{{\"value\":{items}}}");
        let found = token("{ json = \"/value/*/token\" }", Parts("/", &[], &body));
        assert_eq!(found, expected, "{body}");
    }
}

#[test]
fn a_token_in_a_form_is_there_once() {
    for (body, expected) in [
        ("a=1&token=a-token-of-some-length", PASSED),
        ("t%6Fken=%61-token-of-some-length", PASSED),
        ("token=x", MISMATCH),
        ("token=", MISMATCH),
        ("", MISSING),
        ("Token=a-token-of-some-length", MISSING),
        ("token=a-token-of-some-length&token=x", MISSING),
        ("token=x&token=a-token-of-some-length", MISSING),
        (r#"{"token":"a-token-of-some-length"}"#, MISSING),
    ] {
        let found = token("{ form = \"token\" }", Parts("/", &[], body));
        assert_eq!(found, expected, "{body}");
    }
    for (body, expected) in [
        ("data={\"token\":\"a-token-of-some-length\"}", PASSED),
        (
            "data=%7B%22token%22%3A%22a-token-of-some-length%22%7D&b=1",
            PASSED,
        ),
        ("data={\"token\":\"x\"}", MISMATCH),
        ("data={}", MISSING),
        ("data=no+json", MISSING),
        (
            "data={\"token\":\"a-token-of-some-length\",\"token\":\"x\"}",
            MISSING,
        ),
        (
            "data={\"token\":\"a-token-of-some-length\"}&data={}",
            MISSING,
        ),
        (
            "data={}&data={\"token\":\"a-token-of-some-length\"}",
            MISSING,
        ),
        ("{\"token\":\"a-token-of-some-length\"}", MISSING),
    ] {
        let format = "{ form = \"data\", json = \"/token\" }";
        assert_eq!(token(format, Parts("/", &[], body)), expected, "{body}");
    }
}

#[test]
fn a_token_in_a_header_may_have_a_scheme_before_it() {
    let format = "{ header = \"Authorization\", prefix = \"Bearer \" }";
    for (value, expected) in [
        ("Bearer a-token-of-some-length", PASSED),
        ("bEARER a-token-of-some-length", PASSED),
        ("Bearer another", MISMATCH),
        ("Bearer a-token-of-some-lengt", MISMATCH),
        ("Bearer a-token-of-some-length, Bearer another", MISMATCH),
        ("Bearer  a-token-of-some-length", MISMATCH),
        ("Bearer ", MISMATCH),
        ("Bearer", MALFORMED),
        ("a-token-of-some-length", MALFORMED),
        ("Token a-token-of-some-length", MALFORMED),
        ("", MALFORMED),
    ] {
        let headers = [("Authorization", value)];
        let found = token(format, Parts("/", &headers, "{}"));
        assert_eq!(found, expected, "{value}");
    }
    let good = ("authorization", "Bearer a-token-of-some-length");
    for headers in [
        [good, good],
        [good, ("Authorization", "x")],
        [("Authorization", "x"), good],
    ] {
        let found = token(format, Parts("/", &headers, "{}"));
        assert_eq!(found, Err(RejectionKind::RepeatedHeader), "{headers:?}");
    }
    let none = token(format, Parts("/", &[], "{}"));
    assert_eq!(none, Err(RejectionKind::MissingHeader));
}

#[test]
fn a_token_may_be_in_one_of_several_headers() {
    let format = "{ headers = [\"X-New\", \"X-Old\"] }";
    let (good, bad) = (SECRET, "another");
    for (headers, expected) in [
        (&[("x-new", good)][..], PASSED),
        (&[("x-old", good)], PASSED),
        (&[("x-new", good), ("x-old", good)], PASSED),
        (&[("x-new", bad), ("x-old", good)], PASSED),
        (&[("x-new", bad), ("x-old", bad)], MISMATCH),
        (&[("x-other", good)], Err(RejectionKind::MissingHeader)),
        (
            &[("x-new", good), ("x-new", good)],
            Err(RejectionKind::RepeatedHeader),
        ),
    ] {
        let found = token(format, Parts("/", headers, "{}"));
        assert_eq!(found, expected, "{headers:?}");
    }
}

/// `user:pa:ss` and `:pass`, as base64 writes them.
#[test]
fn the_credentials_of_basic_are_compared_as_a_whole() {
    let verdict = |secret: &str, value: &str| {
        let endpoint = format!("secret = \"{secret}\"\naccept_unsigned_body = true");
        let headers = [("Authorization", value)];
        verdict(
            "token = { basic = true }",
            &endpoint,
            Parts("/", &headers, "{}"),
        )
    };
    for (secret, value, expected) in [
        ("user:pa:ss", "Basic dXNlcjpwYTpzcw==", PASSED),
        ("user:pa:ss", "basic dXNlcjpwYTpzcw==", PASSED),
        (":pass", "Basic OnBhc3M=", PASSED),
        ("user:pa:ss", "Basic OnBhc3M=", MISMATCH),
        (":pass", "Basic dXNlcjpwYTpzcw==", MISMATCH),
        ("user:pa:ss", "Basic dXNlcjpwYTpzcw", MALFORMED),
        ("user:pa:ss", "Basic dXNlcjpwYTpzcx==", MALFORMED),
        ("user:pa:ss", "Basic user:pa:ss", MALFORMED),
        ("user:pa:ss", "Bearer dXNlcjpwYTpzcw==", MALFORMED),
        ("user:pa:ss", "dXNlcjpwYTpzcw==", MALFORMED),
    ] {
        assert_eq!(verdict(secret, value), expected, "{secret} {value}");
    }
    let problem = problem(
        "token = { basic = true }",
        "secret = \"no-colon-in-this-one\"\naccept_unsigned_body = true",
    );
    assert!(problem.contains("it has no colon"), "{problem}");
    assert!(!problem.contains("no-colon"), "{problem}");
}

/// A signature in the body signs some values of it, each of which is there once.
#[test]
fn a_signature_in_the_body_signs_values_that_are_there_once() {
    let provider = r#"algorithm = "hmac-sha256"
signed = "{json:/amount}"
covers = "partial"
signature = { json = "/signature", encoding = "hex" }"#;
    let config = Config::from_toml_str(&document(provider, "accept_unsigned_body = true")).unwrap();
    let signer = config.signer("a").unwrap();
    let request = signer.sign_body(http::Request::post("/"), r#"{"amount":7,"note":"x"}"#);
    let body = String::from_utf8(request.unwrap().into_body().to_vec()).unwrap();
    let of = |body: &str| {
        verdict(
            provider,
            "accept_unsigned_body = true",
            Parts("/", &[], body),
        )
    };
    assert_eq!(of(&body), Ok(Coverage::Partial), "{body}");
    assert_eq!(of(&body.replace('x', "y")), Ok(Coverage::Partial));
    assert_eq!(of(&body.replace(":7", ":8")), MISMATCH);
    // As text it is the same.
    assert_eq!(of(&body.replace(":7", ":\"7\"")), Ok(Coverage::Partial));
    let twice = Err(RejectionKind::MalformedBody);
    assert_eq!(
        of(&body.replace("\"note\"", "\"amount\":8,\"note\"")),
        twice
    );
    assert_eq!(of(&body.replace('{', "{\"amount\":8,")), twice);
    assert_eq!(of(&body.replace("amount", "total")), twice);
    assert_eq!(of(&body.replace('{', "{\"signature\":\"00\",")), MISSING);
    assert_eq!(of(&body.replace("signature", "other")), MISSING);
}

#[test]
fn a_signature_in_the_query_is_there_once() {
    let provider = r#"algorithm = "hmac-sha256"
signed = "{body}"
signature = { query = "sig", encoding = "hex" }"#;
    let config = Config::from_toml_str(&document(provider, "")).unwrap();
    let signer = config.signer("a").unwrap();
    let request = signer.sign(http::Request::post("/h?a=1"), "{}").unwrap();
    let target = request.uri().to_string();
    let of = |target: &str, body: &str| verdict(provider, "", Parts(target, &[], body));
    assert_eq!(of(&target, "{}"), Ok(Coverage::Body), "{target}");
    assert_eq!(of(&target, "[]"), MISMATCH);
    assert_eq!(of(&format!("{target}&sig=00"), "{}"), REPEATED);
    assert_eq!(of(&target.replace("sig=", "sig=00&sig="), "{}"), REPEATED);
    assert_eq!(of("/h?a=1", "{}"), MISSING);
    assert_eq!(of("/h?sig=00", "{}"), MALFORMED);
}

#[test]
fn the_text_before_a_signature_may_contain_a_setting() {
    let provider = r#"algorithm = "hmac-sha256"
signed = "{body}"
signature = { header = "{param:header}", prefix = ["App {param:id}:", "Service {param:id}:"], encoding = "hex" }"#;
    let endpoint = "params = { header = \"X-Mine\", id = \"app-1\" }";
    let config = Config::from_toml_str(&document(provider, endpoint)).unwrap();
    let signer = config.signer("a").unwrap();
    let request = signer.sign(http::Request::post("/"), "{}").unwrap();
    let value = request.headers()["x-mine"].to_str().unwrap().to_owned();
    let of = |name: &str, value: &str| {
        let headers = [(name, value)];
        verdict(provider, endpoint, Parts("/", &headers, "{}"))
    };
    assert!(value.starts_with("App app-1:"), "{value}");
    assert_eq!(of("x-mine", &value), Ok(Coverage::Body));
    let service = value.replace("App", "Service");
    assert_eq!(of("x-mine", &service), Ok(Coverage::Body));
    assert_eq!(of("x-mine", &value.replace("app-1", "app-2")), MALFORMED);
    assert_eq!(of("x-mine", &value.replace("App ", "")), MALFORMED);
    let other = of("x-other", &value);
    assert_eq!(other, Err(RejectionKind::MissingHeader));
    let missing = problem(provider, "params = { header = \"X-Mine\" }");
    assert!(
        missing.contains("params.id: the scheme needs it"),
        "{missing}"
    );
}

#[test]
fn a_provider_whose_body_is_not_signed_has_to_be_accepted_as_such() {
    let signed = "algorithm = \"hmac-sha256\"\nsignature = { header = \"X-Sig\", encoding = \"hex\" }\nsigned = ";
    for (provider, accepts, expected) in [
        (
            "token = { json = \"/t\" }".to_owned(),
            false,
            Some("signs nothing and sends a token"),
        ),
        ("token = { json = \"/t\" }".to_owned(), true, None),
        (
            format!("{signed}\"{{json:/a}}\"\ncovers = \"partial\""),
            false,
            Some("signs only parts of the body"),
        ),
        (
            format!("{signed}\"{{json:/a}}\"\ncovers = \"partial\""),
            true,
            None,
        ),
        (
            format!("{signed}\"{{path}}\"\ncovers = \"partial\""),
            false,
            Some("does not sign the body"),
        ),
        (
            format!("{signed}\"{{path}}\"\ncovers = \"partial\""),
            true,
            None,
        ),
        (
            format!("{signed}\"{{body}}\""),
            true,
            Some("signs the whole body; remove it"),
        ),
        (format!("{signed}\"{{body}}\""), false, None),
    ] {
        let endpoint = if accepts {
            "accept_unsigned_body = true"
        } else {
            ""
        };
        let config = Config::from_toml_str(&document(&provider, endpoint));
        let found = config.err().map(|error| error.to_string());
        match (&found, expected) {
            (None, None) => {}
            (Some(found), Some(expected)) if found.contains(expected) => {}
            _ => panic!("{provider}: {found:?}, and not {expected:?}"),
        }
    }
}

#[test]
fn mistakes_in_a_token_are_named() {
    for (format, expected) in [
        (
            "{}",
            "token: the location is missing; add one of header, headers, query, json and form",
        ),
        (
            "{ header = \"A\", query = \"b\" }",
            "token: header and query are mutually exclusive; keep one of header, headers, query, json and form",
        ),
        (
            "{ headers = [] }",
            "token: headers is empty; add at least one name",
        ),
        (
            "{ headers = [\"A\"], json = \"/a\" }",
            "token: headers and json are mutually exclusive; keep one of header, headers, query, json and form",
        ),
        ("{ form = \"a\", json = \"b\" }", "is not a JSON pointer"),
        (
            "{ basic = true, header = \"X\" }",
            "token: basic is in the header Authorization, and needs no other key",
        ),
        (
            "{ basic = true, encoding = \"base64\" }",
            "token: basic is in the header Authorization, and needs no other key",
        ),
        (
            "{ header = \"a b\" }",
            "token: \"a b\" is not a valid header name",
        ),
        (
            "{ query = \"\" }",
            "token: the name of a query parameter or form field is empty",
        ),
        (
            "{ header = \"A\", prefix = \" Bearer\" }",
            "token: the prefix \" Bearer\" begins with white space",
        ),
        ("{ field = \"t\" }", "field: unknown key"),
        (
            "{ header = \"A\" }\nsigned = \"{body}\"",
            "signed: a token signs nothing; remove it, or remove token",
        ),
        (
            "{ header = \"A\" }\nalgorithm = \"sha256\"",
            "algorithm: a token signs nothing; remove it, or remove token",
        ),
        (
            "{ header = \"A\" }\ntimestamp = { header = \"T\" }",
            "timestamp: a token signs nothing; remove it, or remove token",
        ),
    ] {
        let found = problem(&format!("token = {format}"), "accept_unsigned_body = true");
        assert!(found.contains(expected), "{format}: {found}");
    }
}

#[test]
fn a_field_is_one_of_a_header() {
    let scheme = |rest: &str| format!("algorithm = \"hmac-sha256\"\n{rest}");
    let fields = "fields = \",\", field = \"v1\", encoding = \"hex\"";
    for (rest, key) in [
        (
            format!(
                "signed = \"{{ts}}.{{body}}\"\nsignature = {{ query = \"sig\", {fields} }}\ntimestamp = {{ field = \"t\" }}"
            ),
            "timestamp",
        ),
        (
            format!(
                "signed = \"{{field:t}}.{{body}}\"\nsignature = {{ query = \"sig\", {fields} }}"
            ),
            "signed",
        ),
    ] {
        let found = problem(&scheme(&rest), "");
        let expected = format!("{key}: field \"t\" is read from a signature header only");
        assert!(found.contains(&expected), "{found}");
    }
}

/// What was found by the key of one kind is never compared with a key of another.
#[test]
fn keys_are_of_the_kind_that_the_provider_has() {
    let public =
        "public_key = \"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\"";
    let signed = |algorithm: &str| {
        format!(
            "algorithm = \"{algorithm}\"\nsignature = {{ header = \"X-Sig\", encoding = \"hex\" }}\nsigned = \"{{body}}\""
        )
    };
    let error = |provider: &str, endpoint: &str| {
        let config = Config::from_toml_str(&document(provider, endpoint));
        config.err().map(|error| error.to_string())
    };
    assert_eq!(error(&signed("ed25519"), public), None);
    assert_eq!(error(&signed("hmac-sha256"), ""), None);
    let secret = error(&signed("ed25519"), "").unwrap();
    assert!(
        secret.contains("set its public key instead of a secret"),
        "{secret}"
    );
    let key = error(&signed("hmac-sha256"), public).unwrap();
    assert!(
        key.contains("not with a private key; set the secret instead"),
        "{key}"
    );
    let none = error(&signed("ed25519"), "public_keys = []").unwrap();
    assert!(none.contains("public_key: none is set"), "{none}");
}

#[test]
fn a_token_is_not_written_where_a_signer_cannot_put_it() {
    let provider = |format: &str| -> Provider {
        let text = document(&format!("token = {format}"), "accept_unsigned_body = true");
        Config::from_toml_str(&text)
            .unwrap()
            .provider("acme")
            .unwrap()
    };
    let signer = |format: &str| Signer::new(provider(format), Secret::new(SECRET)).unwrap();
    let request = || http::Request::post("/?a=b");
    let json = signer("{ json = \"/token\" }").sign(request(), "{}");
    let json = json.unwrap_err().to_string();
    assert!(json.contains("call sign_body"), "{json}");
    let signed = signer("{ query = \"token\" }")
        .sign(request(), "{}")
        .unwrap();
    assert_eq!(signed.uri(), "/?a=b&token=a-token-of-some-length");
    let bearer = signer("{ header = \"Authorization\", prefix = \"Bearer \" }");
    let signed = bearer.sign(request(), "{}").unwrap();
    assert_eq!(
        signed.headers()["authorization"],
        "Bearer a-token-of-some-length"
    );
}

/// The time may be the same for several events, however the template names it.
#[test]
fn events_of_one_time_are_told_apart_where_nothing_else_is_signed() {
    for signed in ["{ts}", "{json:/time}"] {
        let provider = format!(
            r#"algorithm = "hmac-sha256"
signed = "{signed}"
covers = "partial"
timestamp = {{ json = "/time", unit = "s" }}
signature = {{ json = "/signature", encoding = "hex" }}"#
        );
        let text = document(&provider, "accept_unsigned_body = true");
        let config = Config::from_toml_str(&text).unwrap();
        let signer = config.signer("a").unwrap().with_time(at(7));
        let key = |note: &str| {
            let body = format!("{{\"note\":\"{note}\"}}");
            let request = signer.sign_body(http::Request::post("/"), body).unwrap();
            let (head, body) = request.into_parts();
            let verifier = config.endpoint("a").unwrap();
            let event = verifier.verify(&Head::from(&head), body, at(7)).unwrap();
            assert_eq!(event.coverage(), Coverage::Partial);
            event.delivery_key()
        };
        assert_eq!(key("a"), key("a"), "{signed}");
        assert_ne!(key("a"), key("b"), "{signed}");
    }
}

/// A public key of 1024 bits.
const SHORT_RSA: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDL9ALXxMW8zwgG7wzYzT6qJ4rgebjYDXKbolW8srx+OUBEZ7BQ/oEeRLGB9+FrtILVwCAKwrdpNxVRx0oSoTwKvsehpyTSIHcvM3YCdPte6D1kghdIE8RjdFm/4v8fp+Ty38F/+57zHhNMLg5a8Cm67F3TyxWxhnzHA1E1qhmLCQIDAQAB";

#[test]
fn short_rsa_keys_have_to_be_allowed() {
    let build = |limit: &str| {
        let provider = format!(
            "algorithm = \"rsa-pkcs1-sha256\"\nsigned = \"{{body}}\"\nsignature = {{ header = \"X-Sig\", encoding = \"base64\" }}\n{limit}"
        );
        let text = document(&provider, &format!("public_key = \"{SHORT_RSA}\""));
        let config = Config::from_toml_str(&text);
        config.err().map(|error| error.to_string())
    };
    let refused = build("").unwrap();
    assert!(refused.contains("1024"), "{refused}");
    assert_eq!(build("min_rsa_bits = 1024"), None);
    assert!(build("min_rsa_bits = 1025").is_some());
    assert_eq!(build("min_rsa_bits = 0"), None);
}

#[test]
fn no_body_contains_a_signature_of_itself() {
    for place in [
        "json = \"/sig\"",
        "form = \"sig\"",
        "form = \"data\", json = \"/sig\"",
    ] {
        let provider = format!(
            "algorithm = \"hmac-sha256\"\nsigned = \"{{body|sha256hex}}\"\ncovers = \"partial\"\nsignature = {{ {place}, encoding = \"hex\" }}"
        );
        let found = problem(&provider, "accept_unsigned_body = true");
        assert!(found.contains("signed: {body} contains"), "{found}");
    }
}

/// The vendor of Dropbox Sign sends `multipart/form-data`, unless an account is switched.
#[test]
fn a_form_in_parts_is_read_as_a_plain_one() {
    use hmac::{Hmac, KeyInit, Mac};

    let provider = providers::dropbox_sign().accept_unsigned_body();
    let verifier = Verifier::new(provider, Secret::new(SECRET)).unwrap();
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(b"1700000000signature_request_sent");
    let hash = support::hex(mac.finalize().into_bytes());
    let json = |kind: &str| {
        format!(
            r#"{{"event":{{"event_time":"1700000000","event_type":"{kind}","event_hash":"{hash}"}}}}"#
        )
    };
    let part = |name: &str, text: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let right = part("json", &json("signature_request_sent"));
    let wrong = part("json", &json("signature_request_signed"));
    let file =
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.pdf\"\r\n\r\n\u{0}\r\n";
    for (body, expected) in [
        (format!("{right}--b--\r\n"), Ok("signature_request_sent")),
        (format!("{file}{right}--b--"), Ok("signature_request_sent")),
        (
            format!("{wrong}--b--\r\n"),
            Err(RejectionKind::SignatureMismatch),
        ),
        // Which of two counts, parsers do not agree on.
        (format!("{right}{wrong}--b--"), MISSING.map(|_| "")),
        (format!("{right}{right}--b--"), MISSING.map(|_| "")),
        (format!("{right}--b"), MISSING.map(|_| "")),
    ] {
        let head: [(&str, &str); 0] = [];
        let verdict = verifier.verify(&Head::new(&head), body.clone(), at(0));
        let event_type = verdict.as_ref().map(|event| event.event_type().unwrap());
        assert_eq!(
            event_type.map_err(|refused| refused.kind()),
            expected,
            "{body}"
        );
    }
}

/// Plivo's library signs the address without its query, which an endpoint may have all the same.
#[test]
fn a_filter_leaves_the_query_of_an_address_out() {
    let signed = |url: &str| {
        let provider = providers::plivo_v2()
            .with_param("url", url.to_owned())
            .accept_unsigned_body();
        let signer = Signer::new(provider, Secret::new(SECRET)).unwrap();
        let request = http::Request::post("/").header("X-Plivo-Signature-V2-Nonce", "12345");
        let request = signer.sign(request, "").unwrap();
        request.headers()["X-Plivo-Signature-V2"].clone()
    };
    let plain = signed("https://example.com/sms");
    assert_eq!(signed("https://example.com/sms?tenant=7"), plain);
    assert_ne!(signed("https://example.com/sms/"), plain);
}

/// A parameter of the endpoint may say where the token is.
#[test]
fn a_token_is_left_out_where_a_parameter_says() {
    const TOKEN: &str = "hush-this-token";
    for (name, param, headers, target) in [
        ("okta", "header", vec![("X-Hook", TOKEN)], "/hooks"),
        ("okta", "header", vec![("x-hook", TOKEN)], "/hooks"),
        (
            "incode",
            "place",
            vec![("X-Hook", "Bearer hush-this-token")],
            "/hooks",
        ),
        ("synaps", "place", vec![], "/hooks?X-Hook=hush-this-token"),
    ] {
        let provider = providers::by_name(name).expect(name);
        let provider = provider.with_param(param, "X-Hook");
        let head = Head::new(&headers).with_target(target);
        let came = CapturedRequest::new(&head, "{}").with_provider(&provider);
        let written = serde_json::to_string(&came).unwrap();
        assert!(!written.contains(TOKEN), "{name}: {written}");
        let read = CapturedRequest::read(written.as_bytes()).unwrap();
        assert!(read.lacks_token(&provider), "{name}: {written}");
    }
}
