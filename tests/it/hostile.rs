//! Requests and configurations that mean harm. The tests called `defect_…` are about defects that
//! were found in other software of this kind.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;
use support::{
    Answer, GITHUB_SECRET, NOW, Rest, SIGNATURE, SVIX_SECRET, Step, TestBody, accept, at, data,
    github, github_signer, kind, layer, signed, signed_steps, svix, svix_signer, unsigned,
};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tower_webhook::{
    Provider, RejectionKind, Scheme, Secret, SetupError, Signer, VerifiedEvent, Verifier,
    WebhookVerifyLayer, providers,
    scheme::{Algorithm, Coverage, Encoding, SecretFormat, SignatureFormat, Timestamp, Tolerance},
};

/// The answer to a request, by a handler that accepts everything.
async fn answer<B>(layer: WebhookVerifyLayer, request: Request<B>) -> Answer
where
    B: tower_webhook::middleware::RequestBody,
{
    let service = ServiceBuilder::new().layer(layer).service_fn(accept);
    service.oneshot(request).await.unwrap()
}

/// A secret that the provider's scheme takes.
fn secret_for(name: &str) -> Secret {
    Secret::new(match name {
        "svix" | "standard-webhooks" | "voveid" => SVIX_SECRET,
        _ => GITHUB_SECRET,
    })
}

fn built_in() -> impl Iterator<Item = (&'static str, Provider, Secret)> {
    support::FOUNDING.into_iter().map(|name| {
        let provider = providers::by_name(name).unwrap();
        let provider = match name {
            "authenteq" => provider.with_param("client_id", "client-7"),
            _ => provider,
        };
        (name, provider, secret_for(name))
    })
}

#[tokio::test]
async fn a_declared_length_reserves_nothing() {
    for length in [
        "4398046511104",
        "18446744073709551615",
        "99999999999999999999999",
    ] {
        let body = TestBody::new([data("bo"), data("dy")]);
        let watch = body.watch();
        let mut request = signed("body").map(|_| body);
        let value = HeaderValue::from_static(length);
        request
            .headers_mut()
            .insert("content-length", value.clone());
        let response = answer(layer(), request).await;
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE, "{length}");
        assert_eq!(watch.polls(), 0);

        // Where the endpoint sets no limit, only what arrives counts.
        let (mut request, _) = signed_steps([data("bo"), data("dy")]);
        request.headers_mut().insert("content-length", value);
        let boundless = WebhookVerifyLayer::new(github().with_max_body(usize::MAX));
        let response = answer(boundless, request).await;
        assert_eq!(response.status(), StatusCode::OK, "{length}");
    }
    let body = TestBody::new([data("body")]).with_hint(u64::MAX);
    let watch = body.watch();
    let response = answer(layer(), signed("body").map(|_| body)).await;
    assert_eq!(kind(&response), Some(RejectionKind::BodyTooLarge));
    assert_eq!(watch.polls(), 0, "the body's own hint counts as declared");
}

#[tokio::test]
async fn every_body_ends_in_one_answer_after_few_polls() {
    let trailers = || {
        Step::Trailers(HeaderMap::from_iter([(
            HeaderName::from_static("x-late"),
            HeaderValue::from_static("1"),
        )]))
    };
    let cases: [(&str, Vec<Step>, Option<RejectionKind>, usize); 9] = [
        ("nothing", vec![], None, 1),
        ("one frame", vec![data("body")], None, 2),
        (
            "chunks",
            vec![data("b"), data("o"), data("d"), data("y")],
            None,
            5,
        ),
        ("an empty last frame", vec![data("body"), data("")], None, 3),
        (
            "empty frames all over",
            vec![data(""), data("bo"), data(""), data("dy"), data("")],
            None,
            6,
        ),
        ("trailers", vec![data("body"), trailers()], None, 3),
        (
            "an error at once",
            vec![Step::Error],
            Some(RejectionKind::BodyIncomplete),
            1,
        ),
        (
            "an error in the middle",
            vec![data("bo"), Step::Error, data("dy")],
            Some(RejectionKind::BodyIncomplete),
            2,
        ),
        (
            "an error after the last byte",
            vec![data("body"), Step::Error],
            Some(RejectionKind::BodyIncomplete),
            2,
        ),
    ];
    for (name, steps, expected, most) in cases {
        // Where each frame has to be waited for, too.
        for waits in [false, true] {
            let steps = steps.iter().cloned();
            let steps: Vec<Step> = if waits {
                steps.flat_map(|step| [Step::Yield, step]).collect()
            } else {
                steps.collect()
            };
            let most = if waits { 2 * most } else { most };
            let (request, watch) = signed_steps(steps);
            let response = tokio::time::timeout(Duration::from_secs(5), answer(layer(), request))
                .await
                .expect(name);
            assert_eq!(kind(&response), expected, "{name}");
            assert!(watch.polls() <= most, "{name}: {} polls", watch.polls());
            assert!(watch.is_dropped());
        }
    }
}

#[tokio::test]
async fn an_endless_body_ends_at_the_limit() {
    let body = TestBody::new(None).then(Rest::Repeat(&[b'x'; 1000]));
    let watch = body.watch();
    let layer = WebhookVerifyLayer::new(github().with_max_body(10_500));
    let response = answer(layer, signed("x").map(|_| body)).await;
    assert_eq!(kind(&response), Some(RejectionKind::BodyTooLarge));
    assert_eq!(watch.polls(), 11);
}

#[tokio::test]
async fn a_body_that_is_always_ready_and_never_done_ends_at_the_deadline() {
    for rest in [
        Rest::EmptyFrames,
        Rest::GreedyFrames(1),
        Rest::GreedyFrames(2),
        Rest::GreedyFrames(100),
    ] {
        let body = TestBody::new([data("body")]).then(rest);
        let watch = body.watch();
        let layer = layer().with_read_timeout(Duration::from_millis(200));

        // Other tasks on the same thread get their turns.
        let turns = Arc::new(AtomicUsize::new(0));
        let done = Arc::new(AtomicBool::new(false));
        let other = tokio::spawn({
            let (turns, done) = (Arc::clone(&turns), Arc::clone(&done));
            async move {
                while !done.load(Ordering::SeqCst) {
                    turns.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
            }
        });
        let answered = answer(layer, signed("body").map(|_| body));
        let answered = tokio::time::timeout(Duration::from_secs(10), answered).await;
        done.store(true, Ordering::SeqCst);
        other.await.unwrap();
        let response = answered.unwrap_or_else(|_| panic!("{rest:?}: it never ends"));
        assert_eq!(
            kind(&response),
            Some(RejectionKind::ReadTimeout),
            "{rest:?}"
        );
        assert!(turns.load(Ordering::SeqCst) > 1, "{rest:?}");
        assert!(watch.is_dropped());
    }
}

#[tokio::test]
async fn one_turn_of_the_task_polls_a_body_a_bounded_number_of_times() {
    let body = TestBody::new(None).then(Rest::EmptyFrames);
    let watch = body.watch();
    let mut service = ServiceBuilder::new().layer(layer()).service_fn(accept);
    let service = service.ready().await.unwrap();
    let mut future = std::pin::pin!(service.call(signed("").map(|_| body)));
    let mut cx = Context::from_waker(Waker::noop());
    for turn in 1..=3 {
        assert!(future.as_mut().poll(&mut cx).is_pending());
        assert!(
            watch.polls() <= turn * 256,
            "{} polls in {turn} turns",
            watch.polls()
        );
    }
}

#[tokio::test]
async fn the_first_request_does_not_panic_over_a_limit_inside() {
    let service = ServiceBuilder::new()
        .layer(layer())
        .concurrency_limit(1)
        .service_fn(accept::<TestBody>);
    for _ in 0..3 {
        let (request, _) = signed_steps([data("bo"), Step::Yield, data("dy")]);
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
    let mut kept = service;
    for _ in 0..3 {
        let (request, _) = signed_steps([data("bo"), Step::Yield, data("dy")]);
        let response = kept.ready().await.unwrap().call(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn thousands_of_signatures_are_refused_before_the_body() {
    let base64 = format!("v1,{}=", "A".repeat(43));
    let hex = format!("v1={}", "0".repeat(64));
    for (provider, header, value) in [
        (
            "svix",
            "svix-signature",
            vec![base64.clone(); 8000].join(" "),
        ),
        ("svix", "svix-signature", vec![base64; 17].join(" ")),
        ("svix", "svix-signature", vec!["v1,%"; 8000].join(" ")),
        (
            "stripe",
            "stripe-signature",
            format!("t={NOW},{}", vec![hex; 8000].join(",")),
        ),
    ] {
        let built = providers::by_name(provider).unwrap();
        let signer = Signer::new(built.clone(), secret_for(provider)).unwrap();
        let signer = signer.with_time(at(NOW));
        let body = TestBody::new([Step::Data(Bytes::from(vec![b'x'; 1 << 20]))]);
        let watch = body.watch();
        let mut request = signer
            .sign(Request::post("/"), Bytes::new())
            .unwrap()
            .map(|_| body);
        let value = HeaderValue::from_str(&value).unwrap();
        request.headers_mut().insert(header, value);
        let verifier = Verifier::new(built, secret_for(provider)).unwrap();
        let layer = WebhookVerifyLayer::new(verifier).with_clock(|| at(NOW));
        let response = answer(layer, request).await;
        assert_eq!(
            kind(&response),
            Some(RejectionKind::TooManySignatures),
            "{provider}"
        );
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(watch.polls(), 0);
    }

    // A second header line is no way around the cap.
    let mut request = signed("x").map(TestBody::from);
    let watch = request.body().watch();
    let value = request.headers()[SIGNATURE].clone();
    for _ in 0..8000 {
        request.headers_mut().append(SIGNATURE, value.clone());
    }
    let response = answer(layer(), request).await;
    assert_eq!(kind(&response), Some(RejectionKind::RepeatedHeader));
    assert_eq!(watch.polls(), 0);
}

#[tokio::test]
async fn what_the_head_condemns_is_refused_without_a_look_at_the_body() {
    type Change = fn(&mut HeaderMap);
    fn set(headers: &mut HeaderMap, name: &'static str, value: &'static str) {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let changes: [(Change, RejectionKind); 12] = [
        (|headers| headers.clear(), RejectionKind::MissingHeader),
        (
            |headers| drop(headers.remove("svix-signature")),
            RejectionKind::MissingHeader,
        ),
        (
            |headers| drop(headers.remove("svix-id")),
            RejectionKind::MissingHeader,
        ),
        (
            |headers| drop(headers.remove("svix-timestamp")),
            RejectionKind::MissingHeader,
        ),
        (
            |headers| {
                headers.append("svix-id", HeaderValue::from_static("x"));
            },
            RejectionKind::RepeatedHeader,
        ),
        (
            |headers| set(headers, "svix-signature", ""),
            RejectionKind::MalformedSignature,
        ),
        (
            |headers| set(headers, "svix-signature", "v2,AAAA"),
            RejectionKind::MalformedSignature,
        ),
        (
            |headers| set(headers, "svix-id", "a.b"),
            RejectionKind::MalformedHeader,
        ),
        (
            |headers| set(headers, "svix-timestamp", "soon"),
            RejectionKind::MalformedTimestamp,
        ),
        (
            |headers| set(headers, "svix-timestamp", "1699999699"),
            RejectionKind::TimestampTooOld,
        ),
        (
            |headers| set(headers, "svix-timestamp", "1700000301"),
            RejectionKind::TimestampInFuture,
        ),
        (
            |headers| set(headers, "content-length", "1048577"),
            RejectionKind::BodyTooLarge,
        ),
    ];
    for (change, expected) in changes {
        let body = TestBody::new([data(r#"{"a":1}"#)]);
        let watch = body.watch();
        let signer = svix_signer().with_time(at(NOW));
        let request = signer.sign(Request::post("/"), Bytes::from_static(br#"{"a":1}"#));
        let mut request = request.unwrap().map(|_| body);
        change(request.headers_mut());
        let layer = WebhookVerifyLayer::new(svix()).with_clock(|| at(NOW));
        let response = answer(layer, request).await;
        assert_eq!(kind(&response), Some(expected));
        assert_eq!(watch.polls(), 0, "{expected}");
    }
}

#[tokio::test]
async fn no_built_in_provider_reads_a_body_without_a_signature() {
    let mut count = 0;
    for (name, provider, secret) in built_in() {
        let body = TestBody::new(None).then(Rest::Repeat(&[b'{'; 65_536]));
        let watch = body.watch();
        let layer = WebhookVerifyLayer::new(Verifier::new(provider, secret).unwrap());
        let response = answer(layer, unsigned("").map(|_| body)).await;
        assert_eq!(
            kind(&response),
            Some(RejectionKind::MissingHeader),
            "{name}"
        );
        assert_eq!(watch.polls(), 0, "{name}");
        count += 1;
    }
    assert!(count >= 7);
}

#[tokio::test]
async fn no_bytes_make_a_panic() {
    let long = Bytes::from(vec![0xff; 3 << 20]);
    let bodies = [
        Bytes::new(),
        Bytes::from_static(b"\0"),
        Bytes::from_static(b"\xff\xfe\x80"),
        Bytes::from_static("{\"a\":\"\u{2028}".as_bytes()),
        long,
    ];
    let values: Vec<HeaderValue> = [
        &b""[..],
        b" ",
        b"=",
        b",",
        b"v1,",
        b"v1=",
        b"t=",
        b"t=,v1=",
        b"t=1,v1=0",
        b"sha256=",
        b"sha256=0",
        b"sha256=00",
        b"sha256=\xff\xff",
        b"v0=\xc3",
        b"\xe2\x82",
        b"v1,\xff=",
        b"t=1,t=2,v1=00",
        b"v1,=",
        b"====",
        b", ,, ,=,=",
        b"v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\xff",
        b"9223372036854775808",
        b"-1",
    ]
    .iter()
    .map(|value| HeaderValue::from_bytes(value).unwrap())
    .chain([HeaderValue::from_bytes(&[b'a'; 60_000]).unwrap()])
    .collect();
    for (name, provider, secret) in built_in() {
        let limit = provider.max_body();
        let verifier = Verifier::new(provider.clone(), secret.clone()).unwrap();
        let layer = WebhookVerifyLayer::new(verifier).with_clock(|| at(NOW));
        let signer = Signer::new(provider, secret).unwrap().with_time(at(NOW));
        for body in &bodies {
            let request = signer.sign(Request::post("/"), body.clone()).unwrap();
            let response = answer(layer.clone(), request.clone().map(Full::new)).await;
            let expected = (body.len() > limit).then_some(RejectionKind::BodyTooLarge);
            assert_eq!(kind(&response), expected, "{name}: {} bytes", body.len());
            if body.len() > limit {
                continue;
            }
            let names: Vec<HeaderName> = request.headers().keys().cloned().collect();
            for header in names {
                for value in &values {
                    let mut request = request.clone();
                    request.headers_mut().insert(header.clone(), value.clone());
                    let response = answer(layer.clone(), request.map(Full::new)).await;
                    assert_eq!(
                        response.status(),
                        StatusCode::UNAUTHORIZED,
                        "{name} {header} {value:?}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn verified_bytes_of_any_kind_do_not_panic_when_the_event_is_asked() {
    for (name, provider, secret) in built_in() {
        let verifier = Verifier::new(provider.clone(), secret.clone()).unwrap();
        let signer = Signer::new(provider, secret).unwrap();
        for body in [
            &b""[..],
            b"\xff\xfe",
            b"{",
            b"[[[[",
            b"{\"type\":1e999}",
            b"a=%ff&b",
            b"null",
        ] {
            let mut request = signer
                .sign(Request::post("/?%ff"), Bytes::from_static(body))
                .unwrap();
            for header in ["X-GitHub-Event", "X-GitHub-Delivery", "X-Shopify-Topic"] {
                let odd = HeaderValue::from_bytes(b"\xff").unwrap();
                request.headers_mut().insert(header, odd);
            }
            let handler = service_fn(|request: Request<Full<Bytes>>| async move {
                let event = VerifiedEvent::<Bytes>::from_extensions(request.extensions()).unwrap();
                let _ = (event.event_type(), event.delivery_id(), event.timestamp());
                let _ = (event.json::<serde_json::Value>(), format!("{event:?}"));
                #[cfg(feature = "all")]
                let _ = event.parse::<providers::voveid::Event>().map(drop);
                Ok::<_, Infallible>(Answer::default())
            });
            let layer = WebhookVerifyLayer::new(verifier.clone());
            let service = ServiceBuilder::new().layer(layer).service(handler);
            let response = service.oneshot(request.map(Full::new)).await.unwrap();
            assert_eq!(kind(&response), None, "{name} {body:?}");
        }
    }
}

#[test]
fn nothing_that_would_accept_too_much_can_be_built() {
    let hex = || SignatureFormat::single("X-Sig", Encoding::Hex);
    let good = || Secret::new(GITHUB_SECRET);
    let built = |scheme: Scheme| Verifier::new(Provider::new("acme", scheme), good()).map(drop);
    let signs =
        |template: &'static str| built(Scheme::signed(Algorithm::HmacSha256, template, hex()));
    let plain = || Scheme::signed(Algorithm::HmacSha256, "{body}", hex());
    let digest =
        |algorithm, template: &'static str| built(Scheme::signed(algorithm, template, hex()));
    let with = |signature| built(Scheme::signed(Algorithm::HmacSha256, "{body}", signature));
    let keyed =
        |provider: Provider, secret: &str| Verifier::new(provider, Secret::new(secret)).map(drop);
    let text =
        || plain().with_secret_format(SecretFormat::text().with_prefix("key_").with_min_bytes(0));
    let eight = |count| vec![good(); count];

    assert_eq!(built(plain()), Ok(()), "the base of what follows is sound");
    assert_eq!(
        Verifier::new(providers::github(), eight(8)).map(drop),
        Ok(())
    );
    assert_eq!(
        built(plain().with_timestamp(Timestamp::header("X-Time"))),
        Ok(())
    );

    let mistakes: Vec<(&str, Result<(), SetupError>)> = vec![
        // KeySet.
        (
            "none",
            Verifier::new(providers::github(), Vec::new()).map(drop),
        ),
        (
            "nine",
            Verifier::new(providers::github(), eight(9)).map(drop),
        ),
        (
            "one of two empty",
            Verifier::new(providers::github(), vec![good(), Secret::new("")]).map(drop),
        ),
        ("prefix alone", keyed(Provider::new("acme", text()), "key_")),
        ("svix prefix alone", keyed(providers::svix(), "whsec_")),
        (
            "svix key of 15 bytes",
            keyed(providers::svix(), "whsec_AAAAAAAAAAAAAAAAAAAA"),
        ),
        (
            "svix key that is no base64",
            keyed(providers::svix(), "whsec_not*base64*not*base64"),
        ),
        (
            "window the wrong way round",
            Verifier::new(
                providers::github(),
                good().with_not_before(at(2)).with_not_after(at(1)),
            )
            .map(drop),
        ),
        // What is signed.
        ("empty template", signs("")),
        ("only text", signs("fixed")),
        (
            "only the time",
            built(
                Scheme::signed(Algorithm::HmacSha256, "{ts}", hex())
                    .with_timestamp(Timestamp::header("X-Time")),
            ),
        ),
        ("a header instead of the body", signs("{header:X-Id}")),
        ("one value of the body", signs("{json:/id}")),
        ("one field of the body", signs("{form:id}")),
        ("a body that two spellings share", signs("{body|lower}")),
        ("a body decoded first", signs("{body|hubspot_decode}")),
        ("unknown token", signs("{bdy}")),
        ("unknown filter", signs("{body|md5}")),
        ("brace left open", signs("{body")),
        ("time that stands nowhere", signs("{ts}.{body}")),
        ("address that is not set", signs("{url}{body}")),
        ("parameter that is not set", signs("{param:x}{body}")),
        (
            "field of a signature without fields",
            signs("{field:t}.{body}"),
        ),
        ("header that is no name", signs("{header:a b}{body}")),
        // Keys that are none.
        (
            "digest without a secret",
            digest(Algorithm::Sha256, "{body}"),
        ),
        (
            "sha512 without a secret",
            digest(Algorithm::Sha512, "{body}"),
        ),
        ("sha1 without a secret", digest(Algorithm::Sha1, "{body}")),
        (
            "unauthenticated, but with a secret",
            digest(Algorithm::UnauthenticatedSha256, "{body}{secret}"),
        ),
        // Where signature and time stand.
        (
            "signature header without a name",
            with(SignatureFormat::single("", Encoding::Hex)),
        ),
        (
            "signature header that is no name",
            with(SignatureFormat::single("X Sig", Encoding::Hex)),
        ),
        (
            "signature field without a name",
            with(SignatureFormat::fields("X-Sig", ',', "", Encoding::Hex)),
        ),
        (
            "separator inside the field",
            with(SignatureFormat::fields("X-Sig", ',', "v,1", Encoding::Hex)),
        ),
        (
            "separator inside the prefix",
            with(SignatureFormat::list("X-Sig", ',', Encoding::Hex).with_prefix("v1,")),
        ),
        (
            "separator that is a letter",
            with(SignatureFormat::list("X-Sig", 'a', Encoding::Hex)),
        ),
        (
            "time in a field that cannot be",
            built(plain().with_timestamp(Timestamp::field("t"))),
        ),
        (
            "time header without a name",
            built(plain().with_timestamp(Timestamp::header(""))),
        ),
        // Required headers.
        (
            "required to be nothing",
            built(plain().with_required_header("X-Client", "")),
        ),
        (
            "required to be a missing parameter",
            built(plain().with_required_header("X-Client", "{param:client_id}")),
        ),
        (
            "required to be something of the request",
            built(plain().with_required_header("X-Client", "{header:X-Other}")),
        ),
        (
            "required header without a name",
            built(plain().with_required_header("", "x")),
        ),
        // Options.
        (
            "unknown parameter",
            keyed(providers::github().with_param("tenant", "x"), GITHUB_SECRET),
        ),
        (
            "unknown value of an option",
            keyed(providers::voveid().with_param("family", "all"), SVIX_SECRET),
        ),
        (
            "empty parameter",
            keyed(
                Provider::new(
                    "acme",
                    plain().with_required_header("X-Client", "{param:id}"),
                )
                .with_param("id", ""),
                GITHUB_SECRET,
            ),
        ),
    ];
    for (name, result) in mistakes {
        let error = result.expect_err(name).to_string();
        assert!(!error.contains(GITHUB_SECRET), "{name}: {error}");
        assert!(error.len() > 10, "{name}: {error}");
    }
    for (name, provider, _) in built_in() {
        for wrong in [
            "",
            " ",
            "\t\n",
            " padded-with-white-space",
            "padded-with-white-space ",
            "padded-with-white-space\n",
        ] {
            assert!(keyed(provider.clone(), wrong).is_err(), "{name} {wrong:?}");
        }
    }
    assert!(providers::by_name("").is_none());
    assert!(providers::github().select_variant("sha1").is_err());
}
#[cfg(feature = "all")]
#[test]
fn no_file_leaves_an_endpoint_open() {
    use tower_webhook::Config;

    let endpoint =
        |lines: &str| Config::from_toml_str(&format!("[endpoints.a]\n{lines}")).map(drop);
    let custom = |lines: &str| {
        Config::from_toml_str(&format!("[endpoints.a]\nprovider = \"acme\"\nsecret = \"{GITHUB_SECRET}\"\n[providers.acme]\n{lines}"))
            .map(drop)
    };
    let scheme = "algorithm = \"hmac-sha256\"\nsigned = \"{body}\"\nsignature = { header = \"X-Sig\", encoding = \"hex\" }\n";
    assert_eq!(
        endpoint("provider = \"github\"\nsecret = \"sixteen-or-more-bytes\""),
        Ok(())
    );
    assert_eq!(custom(scheme), Ok(()));
    let wrong: Vec<(&str, Result<(), SetupError>)> = vec![
        ("no secret", endpoint("provider = \"github\"")),
        (
            "empty secret",
            endpoint("provider = \"github\"\nsecret = \"\""),
        ),
        (
            "blank secret",
            endpoint("provider = \"github\"\nsecret = \"  \""),
        ),
        (
            "no secrets",
            endpoint("provider = \"github\"\nsecrets = []"),
        ),
        (
            "empty reference",
            endpoint("provider = \"github\"\nsecret = {}"),
        ),
        (
            "unset variable",
            endpoint("provider = \"github\"\nsecret = { env = \"TOWER_WEBHOOK_NOT_SET\" }"),
        ),
        (
            "missing file",
            endpoint("provider = \"github\"\nsecret = { file = \"no/such/file\" }"),
        ),
        (
            "no provider",
            endpoint("secret = \"sixteen-or-more-bytes\""),
        ),
        (
            "unknown provider",
            endpoint("provider = \"githup\"\nsecret = \"sixteen-or-more-bytes\""),
        ),
        (
            "unknown key",
            endpoint("provider = \"github\"\nsecret = \"sixteen-or-more-bytes\"\nverify = false"),
        ),
        (
            "tolerance without a time",
            endpoint(
                "provider = \"github\"\nsecret = \"sixteen-or-more-bytes\"\ntolerance = \"off\"",
            ),
        ),
        (
            "no algorithm",
            custom("signed = \"{body}\"\nsignature = { header = \"X-Sig\", encoding = \"hex\" }"),
        ),
        (
            "algorithm none",
            custom(&scheme.replace("hmac-sha256", "none")),
        ),
        (
            "no content",
            custom(
                "algorithm = \"hmac-sha256\"\nsignature = { header = \"X-Sig\", encoding = \"hex\" }",
            ),
        ),
        (
            "no signature",
            custom("algorithm = \"hmac-sha256\"\nsigned = \"{body}\""),
        ),
        (
            "content without the body",
            custom(&scheme.replace("{body}", "{header:X-Id}")),
        ),
        (
            "name of a built-in provider",
            Config::from_toml_str(&format!("[providers.github]\n{scheme}")).map(drop),
        ),
    ];
    for (name, result) in wrong {
        assert!(result.is_err(), "{name}");
    }
}

#[tokio::test]
async fn no_method_and_no_missing_header_opens_the_door() {
    for (name, provider, secret) in built_in() {
        let layer = WebhookVerifyLayer::new(Verifier::new(provider, secret).unwrap());
        for method in [
            Method::GET,
            Method::HEAD,
            Method::OPTIONS,
            Method::POST,
            Method::DELETE,
        ] {
            for body in ["", "{}"] {
                let mut request = unsigned(body);
                *request.method_mut() = method.clone();
                let response = answer(layer.clone(), request).await;
                assert_eq!(
                    response.status(),
                    StatusCode::UNAUTHORIZED,
                    "{name} {method}"
                );
            }
        }
    }
}

#[cfg(feature = "all")]
#[tokio::test]
async fn secrets_bodies_and_signatures_stand_in_no_debug_error_or_log() {
    use support::Lines;
    use tracing::level_filters::LevelFilter;
    use tracing_subscriber::fmt::format::FmtSpan;

    let (log, _guard) = Lines::of_this_thread(LevelFilter::TRACE, FmtSpan::FULL);
    let mut shown = String::new();
    let mut forbidden: Vec<String> = vec!["personal-data".to_owned(), "query-data".to_owned()];
    let body = Bytes::from_static(br#"{"name":"personal-data"}"#);
    for (name, provider, _) in built_in() {
        // Text secrets are short here, so that the warning about them is in the log.
        let secret = match name {
            "svix" | "standard-webhooks" | "voveid" => SVIX_SECRET,
            _ => "short-secret",
        };
        forbidden.push(secret.trim_start_matches("whsec_").to_owned());
        let secret = Secret::new(secret).with_id("the-id");
        let verifier = Verifier::new(provider.clone(), secret.clone()).unwrap();
        let verifier = verifier.with_endpoint("the-endpoint");
        let layer = WebhookVerifyLayer::new(verifier.clone()).with_clock(|| at(NOW));
        let signer = Signer::new(provider.clone(), secret.clone())
            .unwrap()
            .with_time(at(NOW));
        let good = signer
            .sign(Request::post("/?key=query-data"), body.clone())
            .unwrap();
        // The id of a delivery is shown on purpose.
        let is_id = |name: &&HeaderName| ["svix-id", "webhook-id"].contains(&name.as_str());
        for (_, value) in good.headers().iter().filter(|(name, _)| !is_id(name)) {
            let value = value.to_str().unwrap();
            // What tells one signature from another, without prefix and time.
            let tag = value.rsplit(['=', ',']).find(|part| part.len() > 30);
            forbidden.extend(tag.map(str::to_owned));
        }
        let (parts, _) = good.clone().into_parts();
        let head = tower_webhook::verify::Head::from(&parts);
        let checked = verifier.check_head(&head, at(NOW)).unwrap();
        shown += &format!("{head:?} {checked:?}");
        let mut request = checked.with_keys(verifier.keys()).unwrap();
        request.update(body.clone()).unwrap();
        shown += &format!("{request:?} {secret:?} {provider:?} {verifier:?} {signer:?} {layer:?}");
        let event = request.verify().unwrap();
        let error = event.json::<Vec<u8>>().unwrap_err();
        shown += &format!(
            "{event:?} {:#?} {error:?} {error}",
            event.parse::<serde_json::Value>().map(drop)
        );
        let service = ServiceBuilder::new()
            .layer(layer.clone())
            .service_fn(accept::<TestBody>);
        let service: tower::util::BoxCloneService<_, _, _> = service.boxed_clone();
        let mut requests = vec![good.clone().map(TestBody::from)];
        requests.push(
            good.clone()
                .map(|_| TestBody::from(Bytes::from_static(b"personal-data!"))),
        );
        requests.push(
            good.clone()
                .map(|_| TestBody::new([data("personal-data"), Step::Error])),
        );
        requests.push(
            good.clone()
                .map(|_| TestBody::new(None).with_hint(u64::MAX)),
        );
        for header in good.headers().keys().filter(|name| !is_id(name)) {
            for value in [
                "personal-data",
                "v1,personal-data",
                "t=1,v1=personal-data",
                "1",
            ] {
                let mut request = good.clone().map(TestBody::from);
                request
                    .headers_mut()
                    .insert(header.clone(), HeaderValue::from_static(value));
                requests.push(request);
            }
        }
        for request in requests {
            let response = service.clone().oneshot(request).await.unwrap();
            if let Some(rejection) = support::refusal(&response) {
                let source = std::error::Error::source(rejection).map(ToString::to_string);
                shown += &format!("{rejection:?} {rejection:#?} {rejection} {source:?}\n");
                assert_eq!(rejection.endpoint(), Some("the-endpoint"));
            }
            shown += &format!("{response:?}");
        }
    }
    let log = log.text();
    assert!(
        log.contains("signature_mismatch"),
        "the log is captured: {log}"
    );
    assert!(log.contains("fewer than 16 bytes"), "{log}");
    assert!(log.contains("the-endpoint"), "{log}");
    assert!(shown.contains("SignatureMismatch"));
    assert!(shown.contains("the-id"));
    assert!(forbidden.len() > 10, "{forbidden:?}");
    for word in forbidden {
        assert!(!log.contains(&word), "{word} stands in the log");
        assert!(!shown.contains(&word), "{word} is shown:\n{shown}");
    }
}
#[cfg(feature = "all")]
#[tokio::test]
async fn a_refusal_is_one_line_in_the_log_and_names_what_helps() {
    use support::Lines;
    use tracing::level_filters::LevelFilter;
    use tracing_subscriber::fmt::format::FmtSpan;

    let (log, _guard) = Lines::of_this_thread(LevelFilter::TRACE, FmtSpan::FULL);
    let layer = WebhookVerifyLayer::new(svix().with_endpoint("pay")).with_clock(|| at(NOW));
    let signer = svix_signer().with_time(at(NOW - 400));
    let old = signer.sign(Request::post("/"), Bytes::new()).unwrap();
    answer(layer, old.map(Full::new)).await;
    let text = log.text();
    // Beside what is said of the span.
    let lines = text.lines().filter(|line| line.contains("webhook refused"));
    let text = lines.collect::<Vec<_>>().join("\n");
    assert_eq!(text.lines().count(), 1, "{text}");
    for word in [
        "WARN",
        "timestamp_too_old",
        "svix-timestamp",
        "400",
        "pay",
        "svix",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

/// A request with these Svix headers and a signature that is right for them, as far as a signature
/// can be.
fn svix_request(id: &'static str, time: &'static str, body: &'static str) -> Request<Full<Bytes>> {
    let request = Request::post("/")
        .header("svix-id", id)
        .header("svix-timestamp", time);
    let request = svix_signer().sign(request, Bytes::from_static(body.as_bytes()));
    request.unwrap().map(Full::new)
}

#[tokio::test]
async fn the_ends_of_time_are_refused_without_overflow() {
    let clocks = [at(0), at(NOW), at(u64::try_from(i64::MAX).unwrap())];
    for now in clocks {
        let layer = WebhookVerifyLayer::new(svix()).with_clock(move || now);
        for (time, expected) in [
            (
                "-9223372036854775808",
                Some(RejectionKind::MalformedTimestamp),
            ),
            (
                "9223372036854775808",
                Some(RejectionKind::MalformedTimestamp),
            ),
            ("-1", Some(RejectionKind::MalformedTimestamp)),
            ("+0", Some(RejectionKind::MalformedTimestamp)),
            ("1e9", Some(RejectionKind::MalformedTimestamp)),
            ("", Some(RejectionKind::MalformedTimestamp)),
            (
                "9223372036854775807",
                (now != clocks[2]).then_some(RejectionKind::TimestampInFuture),
            ),
            (
                "0",
                (now != clocks[0]).then_some(RejectionKind::TimestampTooOld),
            ),
        ] {
            let mut request = svix_request("msg", "9223372036854775807", "{}");
            if expected == Some(RejectionKind::MalformedTimestamp) {
                let time = HeaderValue::from_static(time);
                request.headers_mut().insert("svix-timestamp", time);
            } else {
                request = svix_request("msg", time, "{}");
            }
            let response = answer(layer.clone(), request).await;
            assert_eq!(kind(&response), expected, "{time} at {now:?}");
        }
    }

    // Where the operator switched the window off, the event itself has to bear it.
    let request = svix_request("msg", "9223372036854775807", "{}");
    let (head, _) = request.into_parts();
    let verifier = svix().with_tolerance(Tolerance::off());
    let head = tower_webhook::verify::Head::from(&head);
    let event = verifier.verify(&head, "{}", at(NOW)).unwrap();
    let last = at(u64::try_from(i64::MAX).unwrap());
    assert_eq!(event.timestamp(), Some(last));
}

#[tokio::test]
async fn a_clock_before_1970_is_no_way_around_the_window() {
    let before = at(0) - Duration::from_secs(1000);
    let layer = WebhookVerifyLayer::new(svix()).with_clock(move || before);
    let response = answer(layer, svix_request("msg", "0", "{}")).await;
    assert_eq!(kind(&response), Some(RejectionKind::TimestampInFuture));
}

#[tokio::test]
async fn a_dot_inside_an_id_cannot_move_the_border_between_id_time_and_body() {
    let layer = WebhookVerifyLayer::new(svix()).with_clock(|| at(NOW));
    let request = || svix_request("msg", "1700000000", "1700000000.{}");
    let response = answer(layer.clone(), request()).await;
    assert_eq!(kind(&response), None, "as signed, it is genuine");

    // The same content, cut elsewhere: msg.1700000000 | 1700000000 | {}
    let mut request = request().map(|_| Full::new(Bytes::from_static(b"{}")));
    let moved = HeaderValue::from_static("msg.1700000000");
    request.headers_mut().insert("svix-id", moved);
    let response = answer(layer, request).await;
    assert_eq!(kind(&response), Some(RejectionKind::MalformedHeader));
}

/// The three headers of Svix that are right for the body `{}`, and three that are not.
fn svix_headers() -> [(&'static str, HeaderValue, HeaderValue); 3] {
    let right = svix_request("right", "1700000000", "{}");
    let wrong = svix_request("wrong", "1700000000", "[]");
    ["id", "timestamp", "signature"].map(|name| {
        let header = format!("svix-{name}");
        (
            name,
            right.headers()[&header].clone(),
            wrong.headers()[&header].clone(),
        )
    })
}

#[tokio::test]
async fn header_families_are_never_mixed() {
    let layer = WebhookVerifyLayer::new(svix()).with_clock(|| at(NOW));
    let mut accepted = 0;
    // Each bit puts one of the three headers under the other prefix.
    for mix in 0..8_u8 {
        let mut request = unsigned("{}");
        for (bit, (name, right, _)) in svix_headers().into_iter().enumerate() {
            let prefix = ["svix", "webhook"][usize::from(mix >> bit & 1)];
            let header = HeaderName::try_from(format!("{prefix}-{name}")).unwrap();
            request.headers_mut().insert(header, right);
        }
        let response = answer(layer.clone(), request).await;
        let whole = mix == 0 || mix == 7;
        let expected = (!whole).then_some(RejectionKind::MissingHeader);
        assert_eq!(kind(&response), expected, "{mix:03b}");
        accepted += u8::from(whole);
    }
    assert_eq!(accepted, 2);
}

#[tokio::test]
async fn of_two_complete_families_the_first_alone_counts() {
    for (svix_right, webhook_right) in [(true, true), (true, false), (false, true), (false, false)]
    {
        let mut request = unsigned("{}");
        for (name, right, wrong) in svix_headers() {
            for (prefix, good) in [("svix", svix_right), ("webhook", webhook_right)] {
                let value = if good { right.clone() } else { wrong.clone() };
                let header = HeaderName::try_from(format!("{prefix}-{name}")).unwrap();
                request.headers_mut().insert(header, value);
            }
        }
        let handler = service_fn(|request: Request<Full<Bytes>>| async move {
            let event = VerifiedEvent::<Bytes>::from_extensions(request.extensions()).unwrap();
            assert_eq!(event.delivery_id(), Some("right"));
            Ok::<_, Infallible>(Answer::default())
        });
        let layer = WebhookVerifyLayer::new(svix()).with_clock(|| at(NOW));
        let service = ServiceBuilder::new().layer(layer).service(handler);
        let response = service.oneshot(request).await.unwrap();
        let expected = (!svix_right).then_some(RejectionKind::SignatureMismatch);
        assert_eq!(kind(&response), expected, "{svix_right} {webhook_right}");
    }
}

#[tokio::test]
async fn a_family_may_not_borrow_a_header_twice() {
    let layer = WebhookVerifyLayer::new(svix()).with_clock(|| at(NOW));
    for (name, right, _) in svix_headers() {
        let mut request = svix_request("right", "1700000000", "{}");
        let header = HeaderName::try_from(format!("svix-{name}")).unwrap();
        request.headers_mut().append(header, right);
        let response = answer(layer.clone(), request).await;
        assert_eq!(
            kind(&response),
            Some(RejectionKind::RepeatedHeader),
            "{name}"
        );
    }
}

#[tokio::test]
async fn standard_webhooks_does_not_listen_to_the_headers_of_svix() {
    let verifier = Verifier::new(providers::standard_webhooks(), Secret::new(SVIX_SECRET)).unwrap();
    let layer = WebhookVerifyLayer::new(verifier).with_clock(|| at(NOW));
    let response = answer(layer, svix_request("right", "1700000000", "{}")).await;
    assert_eq!(kind(&response), Some(RejectionKind::MissingHeader));
}

#[tokio::test]
async fn an_older_signature_beside_a_wrong_one_does_not_help() {
    let mut request = signed("{}").map(Full::new);
    let value = HeaderValue::from_static("sha1=2fd4e1c67a2d28fced849ee1bb76e7391b93eb12");
    request.headers_mut().insert("x-hub-signature", value);
    request.headers_mut().remove(SIGNATURE);
    let response = answer(layer(), request).await;
    assert_eq!(kind(&response), Some(RejectionKind::MissingHeader));
}

#[tokio::test]
async fn coverage_that_is_partial_by_name_still_needs_its_signature() {
    let scheme = Scheme::signed(
        Algorithm::HmacSha256,
        "{header:X-Id}",
        SignatureFormat::single("X-Sig", Encoding::Hex),
    )
    .with_coverage(Coverage::Partial);
    let provider = Provider::new("acme", scheme).accept_unsigned_body();
    let verifier = Verifier::new(provider, Secret::new(GITHUB_SECRET)).unwrap();
    let mut request = unsigned("{}");
    request
        .headers_mut()
        .insert("x-id", HeaderValue::from_static("1"));
    let zeros = HeaderValue::from_str(&"0".repeat(64)).unwrap();
    request.headers_mut().insert("x-sig", zeros);
    let response = answer(WebhookVerifyLayer::new(verifier), request).await;
    assert_eq!(kind(&response), Some(RejectionKind::SignatureMismatch));
}

#[test]
fn a_limit_of_zero_takes_only_the_empty_body() {
    let verifier = github().with_max_body(0);
    for (body, expected) in [("", None), ("x", Some(RejectionKind::BodyTooLarge))] {
        let request = github_signer().sign(Request::post("/"), Bytes::from_static(body.as_bytes()));
        let (head, body) = request.unwrap().into_parts();
        let head = tower_webhook::verify::Head::from(&head);
        let verdict = verifier.verify(&head, body, at(0));
        assert_eq!(verdict.err().map(|rejection| rejection.kind()), expected);
    }
}

#[tokio::test]
async fn a_refusal_by_the_head_takes_one_poll_and_no_call() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let mut service =
        ServiceBuilder::new()
            .layer(layer())
            .service_fn(move |_: Request<Full<Bytes>>| {
                count.fetch_add(1, Ordering::SeqCst);
                async { Ok::<_, Infallible>(Answer::default()) }
            });
    let mut future = Box::pin(service.ready().await.unwrap().call(unsigned("x")));
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut cx) else {
        panic!("a refusal by the head needs one poll");
    };
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}
