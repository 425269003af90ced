//! What operators see of a verified event.

use super::*;

#[tokio::test]
async fn a_verified_event_has_its_line_span_and_counters_on_every_host() {
    let several = Verifier::new(
        providers::authento(),
        Secret::new(GITHUB_SECRET).with_id("key-4"),
    );
    let tenants = || layer(Verifier::from_key_source(providers::github(), acme()).unwrap());
    let nameless = || {
        let verifier = Verifier::new(providers::github(), Secret::new(GITHUB_SECRET)).unwrap();
        WebhookVerifyLayer::new(verifier)
    };
    for host in Host::ALL {
        for (layer, request, facts, counters) in [
            (
                layer(svix()),
                svix_at(NOW - 7, "msg"),
                "bytes=2 delivery_id=msg key_id=key-2 skew=-7 variant=hmac-sha256",
                [
                    r#"webhook_body_bytes_total{provider="svix",endpoint="orders"} 2"#,
                    r#"webhook_verified_total{provider="svix",endpoint="orders",variant="hmac-sha256",key_id="key-2"} 1"#,
                ],
            ),
            (
                layer(svix()),
                svix_at(NOW + 300, "msg"),
                "bytes=2 delivery_id=msg key_id=key-2 skew=300 variant=hmac-sha256",
                [
                    r#"webhook_body_bytes_total{provider="svix",endpoint="orders"} 2"#,
                    r#"webhook_verified_total{provider="svix",endpoint="orders",variant="hmac-sha256",key_id="key-2"} 1"#,
                ],
            ),
            (
                layer(several.clone().unwrap()),
                sign(providers::authento(), GITHUB_SECRET, "[1, 2]"),
                "bytes=6 key_id=key-4 variant=hmac-sha256",
                [
                    r#"webhook_body_bytes_total{provider="authento",endpoint="orders"} 6"#,
                    r#"webhook_verified_total{provider="authento",endpoint="orders",variant="hmac-sha256",key_id="key-4"} 1"#,
                ],
            ),
            // There may be any number of tenants, so neither they nor their keys are labels.
            (
                tenants(),
                signed("{}"),
                "bytes=2 key_id=acme-key-3 tenant=acme variant=hmac-sha256",
                [
                    r#"webhook_body_bytes_total{provider="github",endpoint="orders"} 2"#,
                    r#"webhook_verified_total{provider="github",endpoint="orders",variant="hmac-sha256",key_id=""} 1"#,
                ],
            ),
            (
                nameless(),
                signed("{}"),
                "bytes=2 variant=hmac-sha256",
                [
                    r#"webhook_body_bytes_total{provider="github",endpoint=""} 2"#,
                    r#"webhook_verified_total{provider="github",endpoint="",variant="hmac-sha256",key_id=""} 1"#,
                ],
            ),
        ] {
            let operators = Operators::watch();
            let status = host.send::<Value>(Some(layer), request).await;
            assert_eq!(status, StatusCode::ACCEPTED);
            let sight = operators.take();
            assert_eq!(sight.lines.len(), 1, "{host:?}: {:?}", sight.lines);
            let line = &sight.lines[0];
            assert_eq!(
                (line.message(), line.level),
                (FIRST_LINE, Level::INFO),
                "{host:?}"
            );
            assert_no_field_twice(line);
            let mut fields = line.fields.clone();
            fields.remove("message");
            assert_eq!(flat(&fields), facts, "{host:?}");

            assert_eq!(sight.spans.len(), 1);
            let mut span = sight.spans[0].fields.clone();
            for (field, value) in [
                ("method", "POST"),
                ("path", "/hook"),
                ("outcome", "verified"),
            ] {
                assert_eq!(span.remove(field).as_deref(), Some(value), "{host:?}");
            }
            // Every line in the span knows these already.
            assert!(span.remove("provider").is_some());
            assert_eq!(span.remove("endpoint").is_some(), facts.contains("key_id"));
            assert_eq!(flat(&span), facts, "{host:?}");

            let counted = sight.counters.iter();
            let counted: Vec<_> = counted
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            assert_eq!(counted, counters, "{host:?}");
        }
    }
}

#[tokio::test]
async fn the_first_event_of_an_endpoint_is_at_info_and_the_others_are_not() {
    let several = Verifier::new(providers::authento(), Secret::new(GITHUB_SECRET)).unwrap();
    for host in Host::ALL {
        // Where the documentation can be read in two ways, it is worth knowing which it was.
        for (layer, provider, later) in [
            (layer(github()), providers::github(), Level::DEBUG),
            (layer(several.clone()), providers::authento(), Level::INFO),
        ] {
            let operators = Operators::watch();
            for _ in 0..3 {
                let request = sign(provider.clone(), GITHUB_SECRET, "[1, 2]");
                host.send::<Value>(Some(layer.clone()), request).await;
            }
            let lines = operators.take().lines;
            let seen: Vec<_> = lines
                .iter()
                .map(|line| (line.level, line.message()))
                .collect();
            let other = (later, "webhook verified");
            assert_eq!(seen, [(Level::INFO, FIRST_LINE), other, other], "{host:?}");
        }
    }
}

#[tokio::test]
async fn an_unsigned_type_or_id_is_marked() {
    let github_event = || {
        let request = with_header(signed("{}"), "x-github-event", "push");
        with_header(request, "x-github-delivery", "72d3162e")
    };
    const STRIPE_SECRET: &str = "whsec_of-some-length";
    let stripe = || {
        let body = r#"{"id":"evt_1","type":"ping"}"#;
        sign(providers::stripe(), STRIPE_SECRET, body)
    };
    let verifier = |provider: Provider| {
        let is_stripe = provider.name() == "stripe";
        let secret = if is_stripe {
            STRIPE_SECRET
        } else {
            GITHUB_SECRET
        };
        Verifier::new(provider, Secret::new(secret)).unwrap()
    };
    for host in Host::ALL {
        for (provider, request, expected) in [
            (
                providers::github(),
                github_event(),
                "delivery_id=72d3162e event_type=push unsigned=event_type,delivery_id",
            ),
            (
                providers::stripe(),
                stripe(),
                "delivery_id=evt_1 event_type=ping",
            ),
            (providers::github(), signed("{}"), ""),
        ] {
            let operators = Operators::watch();
            host.send::<Value>(Some(layer(verifier(provider))), request)
                .await;
            let sight = operators.take();
            for fields in [&sight.lines[0].fields, &sight.spans[0].fields] {
                let mut fields = fields.clone();
                let about = ["delivery_id", "event_type", "unsigned"];
                fields.retain(|name, _| about.contains(&&**name));
                assert_eq!(flat(&fields), expected, "{host:?} {:?}", sight.lines);
            }
        }
    }
}

fn flat(fields: &Fields) -> String {
    let fields = fields.iter().map(|(name, value)| format!("{name}={value}"));
    fields.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn what_a_handler_says_is_in_the_span_and_the_span_knows_the_event_by_then() {
    for host in Host::ALL {
        let operators = Operators::watch();
        host.send::<Value>(Some(layer(svix())), svix_at(NOW - 7, "msg"))
            .await;
        let sight = operators.take_all();
        let said = sight
            .lines
            .iter()
            .find(|line| line.message() == HANDLERS_LINE)
            .unwrap();
        let around = said.within.iter().find(|span| span.target == TARGET);
        let around = around.unwrap_or_else(|| panic!("{host:?}: {said:?}"));
        assert_eq!(around.name, "webhook");
        for (field, value) in [
            ("outcome", "verified"),
            ("provider", "svix"),
            ("endpoint", "orders"),
            ("key_id", "key-2"),
            ("skew", "-7"),
        ] {
            assert_eq!(around.fields[field], value, "{host:?}");
        }
    }
}

#[tokio::test]
async fn what_a_source_says_is_in_the_span_and_what_others_say_meanwhile_is_not() {
    let operators = Operators::watch();
    let source = source_fn(|_| -> KeyFuture {
        tracing::info!("asked");
        Box::pin(async {
            tracing::info!("begins");
            tokio::task::yield_now().await;
            tracing::info!("ends");
            Ok(None)
        })
    });
    let layer = layer(Verifier::from_key_source(providers::github(), source).unwrap());
    let mut sending = pin!(on_tower::<Value>(Some(layer), signed("{}")));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(sending.as_mut().poll(&mut cx).is_pending());
    tracing::info!("somebody else");
    assert_eq!(sending.await, StatusCode::UNAUTHORIZED);
    tracing::info!("somebody else again");
    let lines = operators.take_all().lines;
    for (message, spans) in [
        ("asked", 1),
        ("begins", 1),
        ("ends", 1),
        ("somebody else", 0),
        ("somebody else again", 0),
    ] {
        let line = lines.iter().find(|line| line.message() == message).unwrap();
        assert_eq!(line.within.len(), spans, "{message}");
    }
}

#[tokio::test]
async fn a_status_that_is_turned_into_another_is_counted_on_every_host() {
    const BODY: &str = "{}";
    for host in Host::ALL {
        let operators = Operators::watch();
        let verifier = Verifier::new(client("ours"), Secret::new(GITHUB_SECRET)).unwrap();
        let request = sign(client("ours"), GITHUB_SECRET, BODY);
        let status = host.send::<Value>(Some(layer(verifier)), request).await;
        assert_eq!(status, StatusCode::OK);
        let sight = operators.take();
        let name = r#"webhook_status_changed_total{provider="authenteq",endpoint="orders"}"#;
        assert_eq!(sight.counters.get(name), Some(&1), "{host:?}");
        let line = sight.lines.last().unwrap();
        assert_eq!((line.level, line.within.len()), (Level::DEBUG, 1));
        let mut fields = line.fields.clone();
        fields.remove("message");
        assert_eq!(flat(&fields), "from=202 to=200");
    }

    // What is right already is not counted.
    let operators = Operators::watch();
    let verifier = Verifier::new(client("ours"), Secret::new(GITHUB_SECRET)).unwrap();
    let service = layer(verifier).layer(service_fn(support::accept::<TestBody>));
    let request = sign(client("ours"), GITHUB_SECRET, BODY);
    let answer = service.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let counters = operators.take().counters;
    assert!(
        !counters.keys().any(|name| name.contains("changed")),
        "{counters:?}"
    );
}

#[tokio::test]
async fn mistakes_in_the_wiring_are_logged_once() {
    let operators = Operators::watch();
    let weak = Verifier::new(providers::github(), Secret::new("short")).unwrap();
    let once = layer(weak);
    let twice = once
        .clone()
        .layer(once.layer(service_fn(support::accept::<TestBody>)));
    for _ in 0..3 {
        let request = sign(providers::github(), "short", "{}");
        let answer = twice.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }
    let lines = operators.take().lines;
    for (level, text) in [
        (Level::WARN, "fewer than 16 bytes"),
        (Level::WARN, "passes through two verifying layers"),
    ] {
        let told = lines.iter().filter(|line| line.message().contains(text));
        let told: Vec<_> = told.collect();
        assert_eq!(told.len(), 1, "{text}");
        assert_eq!(told[0].level, level, "{text}");
        let around = told[0].within.iter().map(|span| &span.fields);
        for (field, value) in [("provider", "github"), ("endpoint", "orders")] {
            let mut all = around.clone().chain([&told[0].fields]);
            assert!(
                all.any(|fields| fields.get(field).is_some_and(|seen| seen == value)),
                "{text}"
            );
        }
    }
}
