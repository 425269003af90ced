//! Nothing secret and nothing personal is seen.

use support::{samples, texts};
use tower_webhook::verify::Head;

use super::*;

/// The values of the headers that tell something, and the parts that they are made of.
fn values(headers: &HeaderMap) -> impl Iterator<Item = String> {
    // The id of a delivery is shown on purpose.
    let headers = headers.iter().filter(|(name, _)| *name != "svix-id");
    headers.flat_map(|(_, value)| {
        let text = value.to_str().unwrap();
        let parts = text.split([',', ' ', '=']).filter(|part| part.len() > 3);
        parts.chain([text]).map(str::to_owned).collect::<Vec<_>>()
    })
}

#[tokio::test]
async fn nothing_secret_or_personal_is_seen_by_anybody() {
    const PERSON: &str = "Ottoline-Featherstonehaugh";
    const TEXT_SECRET: &str = "a-secret-of-some-length";
    let decoded_svix = {
        // The bytes of the key, as they might be printed.
        let text = SVIX_SECRET.trim_start_matches("whsec_");
        let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text);
        let bytes = bytes.unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        [text.to_owned(), hex, format!("{bytes:?}")]
    };
    for name in ["authenteq", "authento", "idenfy", "voveid"] {
        let provider = match name {
            "authenteq" => client("the-client-seven"),
            _ => providers::by_name(name).unwrap(),
        };
        let secret = if name == "voveid" {
            SVIX_SECRET
        } else {
            TEXT_SECRET
        };
        let signer = Signer::new(provider.clone(), Secret::new(secret)).unwrap();
        let signer = signer.with_time(at(NOW));
        let samples = samples(name).into_iter();
        let mut bodies: Vec<Bytes> = samples.map(|(_, body)| body).collect();
        assert!(bodies.len() >= 4, "{name}");
        bodies.push(format!(r#"{{"name":"{PERSON}","status":["{PERSON}"]}}"#).into());
        bodies.push(format!("{PERSON} is not JSON").into());

        let mut forbidden = BTreeSet::from([PERSON.to_owned(), secret.to_owned()]);
        forbidden.extend(decoded_svix.clone());
        forbidden.insert(format!("{:?}", secret.as_bytes()));
        let operators = Operators::watch();
        let mut requests = 0;
        for host in Host::ALL {
            for body in &bodies {
                forbidden.extend(texts(body));
                let request = || {
                    Request::post(format!("/hook?person={PERSON}"))
                        .header("x-person", PERSON)
                        .header("x-event-name", "a-value-of-a-header")
                };
                let signed = signer.sign(request(), body.clone()).unwrap();
                // What is sent, and what would be right for the forged one.
                let forged_body = Bytes::from([body, &b" "[..]].concat());
                let expected = signer.sign(request(), forged_body.clone()).unwrap();
                forbidden.extend(values(signed.headers()).chain(values(expected.headers())));
                let forged = signed.clone().map(|_| TestBody::from(forged_body));
                let mangled = with(signed.clone().map(TestBody::from), |headers| {
                    for value in headers.values_mut() {
                        *value = HeaderValue::from_str(&format!("{}!", value.to_str().unwrap()))
                            .unwrap();
                    }
                });
                let signed = || signed.clone().map(TestBody::from);
                let verifier = |provider| {
                    Verifier::new(provider, Secret::new(secret).with_id("key-5")).unwrap()
                };
                let layer = || {
                    let verifier = verifier(provider.clone()).with_endpoint("orders");
                    Some(WebhookVerifyLayer::new(verifier).with_clock(|| at(NOW)))
                };
                // Read as what it is, as something that it is not, as an identity; forged, and not
                // decodable.
                match name {
                    "authenteq" => {
                        host.send::<providers::authenteq::Event>(layer(), signed())
                            .await
                    }
                    "authento" => {
                        host.send::<providers::authento::Event>(layer(), signed())
                            .await
                    }
                    "idenfy" => {
                        host.send::<providers::idenfy::Event>(layer(), signed())
                            .await
                    }
                    _ => {
                        host.send::<providers::voveid::Event>(layer(), signed())
                            .await
                    }
                };
                host.send::<tower_webhook::Json<Vec<u8>>>(layer(), signed())
                    .await;
                host.send::<Option<tower_webhook::Identity>>(layer(), signed())
                    .await;
                host.send::<Bytes>(layer(), forged).await;
                host.send::<Bytes>(layer(), mangled).await;
                requests += 5;
            }
        }
        let sight = operators.take_all();
        assert_eq!(
            sight
                .spans
                .iter()
                .filter(|span| span.target == TARGET)
                .count(),
            requests
        );
        let shown = format!("{sight:?}");
        for expected in [
            "signature_mismatch",
            "unreadable_payload",
            "key-5",
            "orders",
        ] {
            assert!(shown.contains(expected), "{name}: {expected}");
        }
        // Operators search for an event by its type and id.
        let verifier = Verifier::new(provider, Secret::new(secret)).unwrap();
        for body in &bodies {
            let signed = signer.sign(Request::post("/hook"), body.clone()).unwrap();
            let (head, body) = signed.into_parts();
            let event = verifier.verify(&Head::from(&head), body, at(NOW)).unwrap();
            let searched = [event.event_type(), event.delivery_id()];
            for shown in searched.into_iter().flatten() {
                forbidden.retain(|text| !shown.contains(&**text));
            }
        }
        assert!(forbidden.len() > bodies.len(), "{name}");
        for text in forbidden {
            let at = shown
                .find(&text)
                .map(|at| &shown[at.saturating_sub(80)..at + 60]);
            assert_eq!(at, None, "{name}: {text:?} is seen");
        }
    }
}

/// Whoever makes signatures up must not be able to fill the disk.
#[tokio::test]
async fn refusals_are_counted_one_and_all_and_their_lines_are_limited() {
    const ALL: usize = 500;
    let operators = Operators::watch();
    let heard = Arc::new(Mutex::new(0));
    let count = Arc::clone(&heard);
    let hooked = |layer: WebhookVerifyLayer| {
        let count = Arc::clone(&count);
        layer.on_rejection(move |_, _| *count.lock().unwrap() += 1)
    };
    let forged = || {
        with_header(
            signed("{}"),
            SIGNATURE,
            "sha256=0000000000000000000000000000000000000000000000000000000000000000",
        )
    };
    let bare = || with(signed("{}"), |headers| drop(headers.remove(SIGNATURE)));
    let [orders, others] = [hooked(layer(github())), hooked(layer(github()))];
    let lines = |sight: &Sight| {
        let refused = sight.lines.iter();
        let refused = refused.filter(|line| line.message().starts_with("webhook refused"));
        refused.map(|line| line.fields.clone()).collect::<Vec<_>>()
    };
    for _ in 0..ALL {
        Host::Tower
            .send::<Bytes>(Some(orders.clone()), forged())
            .await;
    }
    let sight = operators.take();
    let written = lines(&sight);
    assert!((20..=30).contains(&written.len()), "{}", written.len());
    let counted = sight.counters.values().sum::<u64>();
    assert_eq!((counted, *heard.lock().unwrap()), (ALL as u64, ALL));
    // Other kinds and other endpoints have limits of their own.
    Host::Tower
        .send::<Bytes>(Some(orders.clone()), bare())
        .await;
    Host::Axum.send::<Bytes>(Some(others), forged()).await;
    assert_eq!(lines(&operators.take()).len(), 2);
    // A second later there is room for a line, which says how many there was none for.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    Host::Actix.send::<Bytes>(Some(orders), forged()).await;
    let last = lines(&operators.take());
    let [line] = &last[..] else {
        panic!("{last:?}");
    };
    let all: usize = written
        .iter()
        .chain(&last)
        .map(|line| {
            1 + line
                .get("left_out")
                .map_or(0, |count| count.parse().unwrap())
        })
        .sum();
    assert_eq!(all, ALL + 1, "{line:?}");
}
