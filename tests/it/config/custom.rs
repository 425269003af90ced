//! Custom providers, key by key.

use super::*;

/// What an endpoint with `endpoint` and a provider with `provider` says to a request with the body
/// `body`.
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
        at(NOW),
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
            format!("{bad}|{good}"),
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
        assert_eq!(event.variant(), *algorithm);
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
    assert_eq!(event.timestamp(), Some(at(NOW)));
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
        (
            "{ encoding = \"base64\", prefix = [\"key_\", \"v1,key_\"] }",
            &format!("v1,key_{base64}"),
            &bytes,
        ),
        ("{ prefix = [] }", SECRET, SECRET.as_bytes()),
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
        let provider = format!("secret_format = {format}");
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
    let accepts = "accept_unsigned_body = true";
    accepted(accepts, partial, &good);
    let changed = refused(accepts, partial, &bad);
    assert_eq!(changed, RejectionKind::SignatureMismatch);
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
        for key in ["event_type", "delivery_id"] {
            let text = format!(
                "[endpoints.a]\nprovider = \"acme\"\nsecret = \"{SECRET}\"\n{}",
                custom(&format!("{key} = {place}"))
            );
            let verifier = load(&text).endpoint("a").unwrap();
            let head = headers(&[
                ("x-sig", mac(SECRET, body)),
                ("x-kind", "from the header".to_owned()),
            ]);
            let event = verdict(&verifier, &head, body, at(NOW)).unwrap();
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
fn a_variant_can_be_named() {
    let good = [("x-sig", mac(SECRET, "body"))];
    for variant in ["hmac-sha256", "auto"] {
        let event = accepted(&format!("variant = \"{variant}\""), "", &good);
        assert_eq!(event.variant(), "hmac-sha256");
    }
}
