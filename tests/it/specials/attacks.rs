//! What whoever has seen a genuine request of a special scheme tries.

use std::collections::BTreeSet;

use http::Request;
use sha2::{Digest, Sha256};
use support::{NOW, at};
use tower_webhook::{
    Config, Provider, RejectionKind, Secret, Signer, Verifier, providers, verify::Head,
};

use super::{Vector, entries, entry};

type Refused = Result<(), RejectionKind>;

fn refused(vector: &Vector, verifier: &Verifier) -> Refused {
    vector
        .verify(verifier)
        .map(drop)
        .map_err(|rejection| rejection.kind())
}

/// A request of the vector's provider under the endpoint of every other, with the same keys.
#[test]
fn a_request_passes_at_no_other_provider() {
    let entries = entries();
    let mut compared = 0;
    for sender in &entries {
        let Some(vector) = sender.accepted() else {
            continue;
        };
        for receiver in &entries {
            if receiver.id == sender.id {
                continue;
            }
            let mut vector = vector.clone();
            // What the other needs, so that only the scheme is in the way.
            for name in ["public_key", "api_key", "audience", "email", "issuer"] {
                vector
                    .params
                    .entry(name.to_owned())
                    .or_insert_with(|| "any".into());
            }
            vector
                .url
                .get_or_insert_with(|| "https://hooks.example.com/".to_owned());
            let names = [
                ("braintree", "public_key"),
                ("vonage", "api_key"),
                ("livekit", "api_key"),
                ("google-pubsub", "audience"),
                ("google-pubsub", "email"),
                ("lago", "issuer"),
            ];
            vector
                .params
                .retain(|name, _| names.contains(&(&receiver.id, name)));
            if ![
                "twilio",
                "mandrill",
                "plivo-v3",
                "messagebird-jwt",
                "qstash",
            ]
            .contains(&&*receiver.id)
            {
                let target = vector.target();
                (vector.url, vector.path) = (None, Some(target));
            }
            // The keys of one may be none for the other.
            let Ok(config) = vector.config(&receiver.id) else {
                continue;
            };
            compared += 1;
            let verdict = vector.verify(&config.endpoint("it").unwrap());
            assert!(verdict.is_err(), "{} at {}", sender.id, receiver.id);
        }
    }
    assert!(compared > 100, "{compared}");
}

/// The endpoint of a provider with one secret and the parameters of a document.
fn endpoint(provider: &str, lines: &str) -> Config {
    let text = format!(
        "[endpoints.it]\nprovider = \"{provider}\"\nsecret = \"a-secret-of-some-length\"\n{lines}"
    );
    Config::from_toml_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn verify_at(config: &Config, request: &Request<bytes::Bytes>, target: &str) -> Refused {
    let headers = request.headers();
    let head = Head::new(headers).with_target(target);
    let verifier = config.endpoint("it").unwrap();
    let verdict = verifier.verify(&head, request.body().clone(), at(NOW));
    verdict.map(drop).map_err(|rejection| rejection.kind())
}

/// The URL is that of the configuration, and the query is the one that was signed.
#[test]
fn the_url_is_the_registered_one() {
    const MISMATCH: Refused = Err(RejectionKind::SignatureMismatch);
    for provider in ["twilio", "mandrill", "plivo-v3"] {
        let any = endpoint(
            provider,
            "url = \"https://example.com/hooks\"\nquery = \"any\"\n",
        );
        let bare = endpoint(provider, "url = \"https://example.com/hooks\"\n");
        let pinned = endpoint(provider, "url = \"https://example.com/hooks?tenant=7\"\n");
        let other = endpoint(provider, "url = \"https://other.example/hooks?tenant=7\"\n");
        let signer = any.signer("it").unwrap();
        let request = Request::post("/hooks?tenant=7").header("host", "example.com");
        let request = signer.sign_body(request, "From=1&Text=hello").unwrap();
        for (config, target, expected) in [
            (&any, "/hooks?tenant=7", Ok(())),
            // The path is the registered one, since routers may have removed a part of it.
            (&any, "/?tenant=7", Ok(())),
            (&any, "/hooks?tenant=8", MISMATCH),
            (&any, "/hooks", MISMATCH),
            (&any, "/hooks?tenant=7&admin=1", MISMATCH),
            (&pinned, "/hooks?tenant=7", Ok(())),
            (&pinned, "/hooks?tenant=8", MISMATCH),
            (&pinned, "/hooks", MISMATCH),
            (&other, "/hooks?tenant=7", MISMATCH),
            // Without `query`, there is none.
            (&bare, "/hooks?tenant=7", MISMATCH),
            (&bare, "/hooks", MISMATCH),
        ] {
            assert_eq!(
                verify_at(config, &request, target),
                expected,
                "{provider} {target}"
            );
        }
    }
}

/// The headers of a proxy count only where the configuration says so, and `Host` never does.
#[test]
fn the_url_of_a_proxy_is_taken_only_if_it_is_trusted() {
    let trusted = endpoint("twilio", "url_from = \"x-forwarded\"\n");
    let request = |headers: &[(&str, &str)]| {
        let plain = endpoint("twilio", "url = \"https://example.com/hooks?tenant=7\"\n");
        let mut request = Request::post("/hooks?tenant=7").header("host", "example.com");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let signer = plain.signer("it").unwrap();
        signer.sign_body(request, "From=1").unwrap()
    };
    let both = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "example.com"),
    ];
    let verdict =
        |headers: &[(&str, &str)]| verify_at(&trusted, &request(headers), "/hooks?tenant=7");
    assert_eq!(verdict(&both), Ok(()));
    assert_eq!(verdict(&[]), Err(RejectionKind::MissingHeader));
    assert_eq!(verdict(&both[..1]), Err(RejectionKind::MissingHeader));
    let other = [both[0], ("x-forwarded-host", "attacker.example")];
    assert_eq!(verdict(&other), Err(RejectionKind::SignatureMismatch));
    for host in ["a.example, example.com", "example.com/hooks?", "", "x y"] {
        let list = [both[0], ("x-forwarded-host", host)];
        assert_eq!(
            verdict(&list),
            Err(RejectionKind::MalformedHeader),
            "{host}"
        );
    }
    let twice = [both[0], both[1], both[1]];
    assert_eq!(verdict(&twice), Err(RejectionKind::RepeatedHeader));
    assert_eq!(
        verdict(&[("x-forwarded-proto", "ftp"), both[1]]),
        Err(RejectionKind::MalformedHeader)
    );
    // Without the option, nobody reads them.
    let plain = endpoint("twilio", "url = \"https://example.com/hooks?tenant=7\"\n");
    assert_eq!(
        verify_at(&plain, &request(&other), "/hooks?tenant=7"),
        Ok(())
    );
}

#[test]
fn a_url_is_required_and_has_to_be_one() {
    for (lines, expected) in [
        ("", "url: the scheme signs the URL"),
        ("url = \"/hooks\"\n", "url: it is no URL"),
        ("url = \"ftp://example.com/\"\n", "url: it is no URL"),
        ("url = \"https://exa mple.com/\"\n", "url: it is no URL"),
        (
            "url_from = \"host\"\n",
            "url_from: it is not \"x-forwarded\"",
        ),
        (
            "url = \"https://example.com/\"\nalgorithm = \"MD5\"\n",
            "algorithm: \"MD5\" is not one of HMAC_SHA1, HMAC_SHA256",
        ),
    ] {
        let text = format!(
            "[endpoints.it]\nprovider = \"twilio\"\nsecret = \"a-secret-of-some-length\"\n{lines}"
        );
        let error = Config::from_toml_str(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{lines}: {error}");
    }
}

/// A body that is no form is bound by its hash, which the signed URL has.
#[test]
fn a_body_without_a_hash_in_the_url_is_a_form() {
    let config = endpoint("twilio", "url = \"https://example.com/hooks\"\n");
    let signer = config.signer("it").unwrap();
    let body = r#"{"status":"sent"}"#;
    for target in [
        "/hooks".to_owned(),
        format!("/hooks?bodySHA256={}", "0".repeat(64)),
    ] {
        let error = signer.sign_body(Request::post(target), body).unwrap_err();
        assert!(error.to_string().contains("would refuse"), "{error}");
    }
    // A genuine one, with another body, and with a second hash.
    let digest = Sha256::digest(body);
    let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let target = format!("/hooks?bodySHA256={hash}");
    let request = signer.sign_body(Request::post(&*target), body).unwrap();
    assert_eq!(verify_at(&config, &request, &target), Ok(()));
    let (parts, _) = request.clone().into_parts();
    let changed = Request::from_parts(parts, bytes::Bytes::from(r#"{"status":"lost"}"#));
    assert_eq!(
        verify_at(&config, &changed, &target),
        Err(RejectionKind::SignatureMismatch)
    );
    let twice = format!("{target}&bodySHA256=00");
    assert_eq!(
        verify_at(&config, &request, &twice),
        Err(RejectionKind::RepeatedField)
    );
}

/// What Twilio signs behind the URL is text that a stranger may have sent, so it must not become a
/// part of the URL.
#[test]
fn text_does_not_move_between_the_url_and_the_form() {
    let evil = r#"{"MessageStatus":"paid"}"#;
    let hash: String = Sha256::digest(evil)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for lines in ["query = \"any\"\n", ""] {
        let config = endpoint(
            "twilio",
            &format!("url = \"https://example.com/hooks?a=b\"\n{lines}"),
        );
        let signer = config.signer("it").unwrap();
        let form = format!("Body=%26bodySHA256%3D{hash}%26x%3D&From=1");
        let (parts, _) = signer
            .sign_body(Request::post("/hooks?a=b"), form)
            .unwrap()
            .into_parts();
        let request = Request::from_parts(parts, bytes::Bytes::from(evil));
        let target = format!("/hooks?a=bBody&bodySHA256={hash}&x=From1");
        assert!(verify_at(&config, &request, &target).is_err(), "{lines}");
        // A genuine request with a hash is no form.
        let target = format!("/hooks?a=b&bodySHA256={hash}");
        let (parts, _) = signer
            .sign_body(Request::post(&*target), evil)
            .unwrap()
            .into_parts();
        let form = format!("%26bodySHA256%3D{hash}=");
        let request = Request::from_parts(parts, bytes::Bytes::from(form));
        assert!(
            verify_at(&config, &request, "/hooks?a=b").is_err(),
            "{lines}"
        );
        // Nor is a part of the hash one.
        for target in [
            format!("/hooks?a=b&bodySHA256={}", &hash[1..]),
            format!("/hooks?a=b&bodySHA256={hash}&c=d"),
        ] {
            let signed = signer.sign_body(Request::post(target), evil);
            assert!(signed.is_err(), "{lines}");
        }
    }
}

/// A form is read as it was signed, or not at all.
#[test]
fn a_form_that_is_changed_is_refused() {
    for provider in ["twilio", "mandrill", "plivo-v3"] {
        let config = endpoint(provider, "url = \"https://example.com/hooks\"\n");
        let signer = config.signer("it").unwrap();
        let signed = |body: &'static str| signer.sign_body(Request::post("/hooks"), body);
        let request = signed("From=1&Text=hello&To=2").unwrap();
        let verdict = |body: &'static [u8]| {
            let (parts, _) = request.clone().into_parts();
            verify_at(&config, &Request::from_parts(parts, body.into()), "/hooks")
        };
        for body in [
            &b"From=1&Text=hello"[..],
            b"From=1&Text=hello&To=2&Admin=1",
            b"From=1&Text=hello&To=3",
            b"From=1&Text=hello&To=2&To=3",
            b"",
            b"{}",
            b"From=1&Text=hello&To=%ff",
            b"From=1&Text=hello&To=2\xff",
            b"%26From1Text=helloTo2",
            b"=From1TexthelloTo2",
        ] {
            let found = verdict(body);
            assert!(found.is_err(), "{provider} {}", body.escape_ascii());
        }
        // Order and escapes are not signed.
        for body in [
            &b"To=2&From=1&Text=hello"[..],
            b"From=%31&Text=%68ello&To=2",
            b"&From=1&&Text=hello&To=2&",
        ] {
            assert_eq!(verdict(body), Ok(()), "{provider} {}", body.escape_ascii());
        }
    }
    // The same value twice is one value for Twilio, and two for Plivo; Mandrill sends none.
    for (provider, same, other) in [("twilio", true, false), ("plivo-v3", false, false)] {
        let config = endpoint(provider, "url = \"https://example.com/hooks\"\n");
        let signer = config.signer("it").unwrap();
        let request = signer
            .sign_body(Request::post("/hooks"), "Digits=1&Digits=2")
            .unwrap();
        for (body, expected) in [
            ("Digits=2&Digits=1", true),
            ("Digits=1&Digits=2&Digits=1", same),
            ("Digits=1", other),
        ] {
            let (parts, _) = request.clone().into_parts();
            let request = Request::from_parts(parts, bytes::Bytes::from(body));
            let found = verify_at(&config, &request, "/hooks").is_ok();
            assert_eq!(found, expected, "{provider} {body}");
        }
    }
}

/// Text must not move between the end of a form and the nonce.
#[test]
fn a_nonce_of_plivo_has_no_full_stop() {
    let config = endpoint("plivo-v3", "url = \"https://example.com/hooks\"\n");
    let signer = config.signer("it").unwrap();
    for (nonce, is_good) in [
        ("12345", true),
        ("a-b_c", true),
        ("1.2", false),
        (".", false),
    ] {
        let request = Request::post("/hooks").header("x-plivo-signature-v3-nonce", nonce);
        let request = signer.sign_body(request, "A=1");
        assert_eq!(request.is_ok(), is_good, "{nonce}");
    }
}

fn adyen() -> Verifier {
    entry("adyen").accepted().unwrap().verifier("adyen")
}

/// The items of the first vectors that have them, and the vector.
fn adyen_items() -> (Vector, Vec<serde_json::Value>) {
    let entry = entry("adyen");
    let two = entry
        .test_vectors
        .into_iter()
        .find(|vector| vector.valid && vector.note.as_deref() == Some("two items"));
    let vector = two.unwrap();
    let body: serde_json::Value = serde_json::from_str(&vector.body).unwrap();
    (
        vector,
        body["notificationItems"].as_array().unwrap().clone(),
    )
}

#[test]
fn every_item_of_a_notification_is_verified() {
    let (vector, items) = adyen_items();
    let verifier = vector.verifier("adyen");
    let event = vector.verify(&verifier).unwrap();
    let found = event.items().unwrap();
    assert_eq!(found.len(), 2);
    let first: serde_json::Value = serde_json::from_str(found[0]).unwrap();
    assert_eq!(first, items[0]["NotificationRequestItem"]);
    let [one, other] = &*items else {
        panic!("two items")
    };
    let with = |items: &[&serde_json::Value]| {
        let mut changed = vector.clone();
        changed.body =
            serde_json::json!({ "live": "false", "notificationItems": items }).to_string();
        changed
    };
    let key = |vector: &Vector| vector.verify(&verifier).unwrap().delivery_key().to_string();
    // In another order, it is the same delivery.
    assert_eq!(key(&with(&[one, other])), key(&with(&[other, one])));
    assert_ne!(key(&with(&[one])), key(&with(&[one, other])));
    assert_eq!(
        refused(&with(&[one, one]), &verifier),
        Err(RejectionKind::MalformedBody)
    );
    let many: Vec<serde_json::Value> = (0..1001)
        .map(|number| {
            let mut item = one.clone();
            item["NotificationRequestItem"]["pspReference"] = number.to_string().into();
            item
        })
        .collect();
    assert_eq!(
        refused(&with(&many.iter().collect::<Vec<_>>()), &verifier),
        Err(RejectionKind::TooManySignatures)
    );
    assert_eq!(
        refused(&with(&[]), &verifier),
        Err(RejectionKind::MalformedBody)
    );
    // A colon between two fields may be in the one or in the other.
    let mut shifted = one.clone();
    let item = &mut shifted["NotificationRequestItem"];
    let account = item["merchantAccountCode"].as_str().unwrap().to_owned();
    let reference = item["merchantReference"].as_str().unwrap().to_owned();
    item["merchantAccountCode"] = format!("{account}:{reference}").into();
    item["merchantReference"] = "".into();
    assert_eq!(
        refused(&with(&[&shifted]), &verifier),
        Err(RejectionKind::MalformedBody)
    );
    // Values of other kinds than the vendor's.
    for (field, value) in [
        ("pspReference", serde_json::json!(["psp1"])),
        ("amount", serde_json::json!("1200")),
        ("additionalData", serde_json::json!({ "hmacSignature": 7 })),
        (
            "additionalData",
            serde_json::json!({ "hmacSignature": "!" }),
        ),
        ("additionalData", serde_json::json!({})),
    ] {
        let mut changed = one.clone();
        changed["NotificationRequestItem"][field] = value.clone();
        assert!(
            refused(&with(&[&changed]), &verifier).is_err(),
            "{field} {value}"
        );
    }
    // A name twice, of which the check would take one and the handler the other.
    let text = with(&[one]).body;
    for (from, to) in [
        (
            r#""pspReference":"#,
            r#""pspReference":"other","pspReference":"#,
        ),
        (
            r#""notificationItems":"#,
            r#""notificationItems":[],"notificationItems":"#,
        ),
        (
            r#""amount":"#,
            r#""amount":{"value":1,"currency":"EUR"},"amount":"#,
        ),
    ] {
        let mut changed = vector.clone();
        changed.body = text.replacen(from, to, 1);
        assert_ne!(changed.body, text, "{from}");
        assert_eq!(
            refused(&changed, &verifier),
            Err(RejectionKind::MalformedBody),
            "{from}"
        );
    }
    assert!(adyen().provider().evidence().is_some());
}

/// Braintree's payload is signed, and nothing else of the form.
#[test]
fn a_form_of_braintree_has_two_fields() {
    let vector = entry("braintree").accepted().unwrap();
    let verifier = vector.verifier("braintree");
    for (suffix, kind) in [
        ("&kind=dispute_won", RejectionKind::MalformedBody),
        ("&bt_payload=PG4%2B", RejectionKind::RepeatedField),
        ("&bt_signature=a%7Cb", RejectionKind::RepeatedField),
    ] {
        let mut changed = vector.clone();
        changed.body.push_str(suffix);
        assert_eq!(refused(&changed, &verifier), Err(kind), "{suffix}");
    }
    let mut many = vector.clone();
    let pairs = "integration_public_key%7C00%26".repeat(16);
    many.body = many
        .body
        .replacen("bt_signature=", &format!("bt_signature={pairs}"), 1);
    assert_eq!(
        refused(&many, &verifier),
        Err(RejectionKind::TooManySignatures)
    );
}

fn contentful() -> (Provider, Secret) {
    (providers::contentful(), Secret::new("a".repeat(64)))
}

#[test]
fn the_listed_headers_of_contentful_are_signed() {
    let (provider, secret) = contentful();
    let signer = Signer::new(provider.clone(), secret.clone())
        .unwrap()
        .with_time(at(NOW));
    let request = Request::post("/hooks/a%20b?x=1&y=%C3%A9")
        .header("x-contentful-topic", "ContentManagement.Entry.publish")
        .header("x-contentful-crn", "crn:7");
    let (head, body) = signer.sign(request, "{}").unwrap().into_parts();
    let verifier = Verifier::new(provider, secret).unwrap();
    let verdict = |change: &dyn Fn(&mut http::request::Parts)| {
        let mut changed = head.clone();
        change(&mut changed);
        let verdict = verifier.verify(&Head::from(&changed), body, at(NOW));
        verdict.map(drop).map_err(|rejection| rejection.kind())
    };
    let set = |name: &'static str, value: &'static str| {
        verdict(&move |head| drop(head.headers.insert(name, value.parse().unwrap())))
    };
    assert_eq!(verdict(&|_| ()), Ok(()));
    let mismatch = Err(RejectionKind::SignatureMismatch);
    assert_eq!(
        set("x-contentful-topic", "ContentManagement.Entry.unpublish"),
        mismatch
    );
    assert_eq!(set("x-contentful-crn", "crn:8"), mismatch);
    assert_eq!(
        verdict(&|head| head.uri = "/hooks/a%20b?x=2".parse().unwrap()),
        mismatch
    );
    assert_eq!(verdict(&|head| head.method = http::Method::PUT), mismatch);
    let malformed = Err(RejectionKind::MalformedHeader);
    for list in [
        "x-contentful-timestamp,x-contentful-topic",
        "x-contentful-signed-headers,x-contentful-topic",
        "x-contentful-signed-headers,x-contentful-timestamp,x-contentful-signature",
        "x-contentful-signed-headers,x-contentful-timestamp,x-contentful-timestamp",
        "",
    ] {
        assert_eq!(
            set("x-contentful-signed-headers", list),
            malformed,
            "{list}"
        );
    }
    let missing = "x-contentful-signed-headers,x-contentful-timestamp,x-other";
    assert_eq!(
        set("x-contentful-signed-headers", missing),
        Err(RejectionKind::MissingHeader)
    );
    // The end of one value could be the next header.
    assert_eq!(
        set("x-contentful-crn", "crn:7;x-contentful-signed-headers:x"),
        malformed
    );
    for (time, kind) in [
        ((NOW - 31) * 1000, RejectionKind::TimestampTooOld),
        ((NOW + 31) * 1000, RejectionKind::TimestampInFuture),
    ] {
        let time = time.to_string();
        let found = verdict(&|head| {
            drop(
                head.headers
                    .insert("x-contentful-timestamp", time.parse().unwrap()),
            );
        });
        assert_eq!(found, Err(kind));
    }
}

/// Events come by `GET` where the query is signed, and nowhere else.
#[tokio::test]
async fn a_route_takes_get_where_the_query_is_signed() {
    for (provider, lines, expected) in [
        ("twilio", "url = \"https://example.com/hooks?x=1\"\n", 200),
        ("plivo-v3", "url = \"https://example.com/hooks?x=1\"\n", 200),
        ("mandrill", "url = \"https://example.com/hooks?x=1\"\n", 405),
    ] {
        let config = endpoint(provider, lines);
        let signer = config.signer("it").unwrap();
        let request = signer.sign_body(Request::get("/hooks?x=1"), "").unwrap();
        let route = config.route("it", async || ()).unwrap();
        let app: axum::Router = axum::Router::new().route("/hooks", route);
        let request = request.map(axum::body::Body::from);
        let response = tower::ServiceExt::oneshot(app, request).await.unwrap();
        assert_eq!(response.status(), expected, "{provider}");
    }
}

/// No request makes a special scheme panic, whatever its headers and its body are.
#[test]
fn hostile_requests_are_refused() {
    let texts = [
        "",
        "=",
        "&",
        "..",
        "a.b.c",
        "{",
        "[]",
        "null",
        "%",
        "%ff",
        "\u{feff}{}",
        "a=b&a=b",
        "notificationItems",
        "{\"notificationItems\":{}}",
        "{\"notificationItems\":[1,null,[]]}",
        "bt_signature=%7C&bt_payload=a",
        "p_signature=&a=b",
        "é=é",
        "Bearer ",
        "bearer ey.ey.ey",
    ];
    let mut kinds = BTreeSet::new();
    for entry in entries() {
        let Some(vector) = entry.accepted() else {
            continue;
        };
        let verifier = vector.verifier(&entry.id);
        for text in texts {
            let mut changed = vector.clone();
            changed.body = text.to_owned();
            if text != vector.body && !["messagebird-jwt", "google-pubsub"].contains(&&*entry.id) {
                let kind = refused(&changed, &verifier).unwrap_err();
                kinds.insert(kind.to_string());
            }
            for name in vector.headers.keys() {
                let mut changed = vector.clone();
                changed.headers.insert(name.clone(), text.to_owned());
                let lower = name.to_lowercase();
                if lower.contains("signature") || lower == "authorization" {
                    kinds.insert(refused(&changed, &verifier).unwrap_err().to_string());
                }
            }
        }
    }
    assert!(
        kinds.contains("malformed_signature") && kinds.contains("malformed_body"),
        "{kinds:?}"
    );
}
