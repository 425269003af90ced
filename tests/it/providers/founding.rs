//! The four founding providers over real HTTP, on the layer's defaults: what the handler gets, what
//! the provider is answered, and what the log says of a person: nothing.

use axum::{Router, body::Body, routing::post};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use support::{Lines, at, multipart, provider, samples, texts, unix_now};
use tower_webhook::{
    Identity, Payload, Secret, Signer, VerifiedEvent, Verifier, WebhookVerifyLayer,
    providers::{authenteq, authento, idenfy, voveid},
    verify::Head,
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

const SVIX_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const TEXT_SECRET: &str = "a-secret-of-some-length";

fn secret(name: &str) -> Secret {
    Secret::new(if name == "voveid" {
        SVIX_SECRET
    } else {
        TEXT_SECRET
    })
}

fn signed(name: &str, uri: &str, body: Bytes) -> Request<Full<Bytes>> {
    let signer = Signer::new(provider(name), secret(name)).unwrap();
    signer
        .sign(Request::post(uri), body)
        .unwrap()
        .map(Full::new)
}

/// A server on loopback whose one route takes the events of a provider as `T`.
async fn serve<T: Payload + Send + 'static>(name: &str) -> String {
    async fn take<T: Payload>(event: VerifiedEvent<T>) -> StatusCode {
        drop(event.into_payload());
        StatusCode::ACCEPTED
    }
    let layer = WebhookVerifyLayer::new(Verifier::new(provider(name), secret(name)).unwrap());
    let app = Router::new().route("/", post(take::<T>).route_layer(layer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}/")
}

async fn send(request: Request<Full<Bytes>>) -> StatusCode {
    let client = Client::builder(TokioExecutor::new()).build_http();
    client.request(request).await.unwrap().status()
}

#[tokio::test]
async fn three_documents_of_twelve_mebibytes_arrive_under_the_defaults() {
    const RESULT: &[u8] = br#"{"id":"s-1","status":"PASSED","documentData":{"documentType":"PP"},
        "documentData2":{"documentType":"DL"},"documentData3":{"documentType":"NID"}}"#;
    let image = vec![0xd8; (12 << 20) / 9];
    let mut parts = vec![("result", RESULT)];
    for name in [
        "croppedFrontImage",
        "croppedBackImage",
        "faceImage",
        "croppedFrontImage2",
        "croppedBackImage2",
        "faceImage2",
        "croppedFrontImage3",
        "croppedBackImage3",
        "faceImage3",
    ] {
        parts.push((name, &image));
    }
    let body = Bytes::from(multipart("b", &parts));
    assert!(body.len() > 11 << 20);
    let uri = serve::<authenteq::Event>("authenteq").await;
    // The handler said 202; Authenteq takes 200 alone for success.
    assert_eq!(
        send(signed("authenteq", &uri, body.clone())).await,
        StatusCode::OK
    );

    let (head, _) = signed("authenteq", &uri, body.clone()).into_parts();
    let mut changed = body.to_vec();
    let last = changed.len() - 10;
    changed[last] ^= 1;
    let forged = Request::from_parts(head, Full::new(changed.into()));
    assert_eq!(send(forged).await, StatusCode::UNAUTHORIZED);
}

/// What is logged, at every level, while requests pass through the layer in this thread.
async fn logged<T: Payload + Send + 'static>(
    name: &str,
    bodies: &[(String, Bytes)],
    forge: bool,
) -> String {
    use tower::ServiceExt;
    async fn take<T: Payload>(event: VerifiedEvent<T>) -> StatusCode {
        drop(event.into_payload());
        StatusCode::OK
    }
    let (log, guard) = Lines::of_this_thread(LevelFilter::TRACE, FmtSpan::NONE);
    let layer = WebhookVerifyLayer::new(Verifier::new(provider(name), secret(name)).unwrap());
    let app = Router::new().route("/", post(take::<T>).route_layer(layer));
    for (_, body) in bodies {
        let (mut head, _) = signed(name, "/", body.clone()).into_parts();
        if forge {
            head.headers.remove("content-type");
            let values: Vec<_> = head.headers.keys().cloned().collect();
            for name in values
                .iter()
                .filter(|name| name.as_str().contains("sig") || name.as_str().contains("digest"))
            {
                head.headers.insert(name, "v1,bm8=".parse().unwrap());
            }
        }
        let request = Request::from_parts(head, Body::from(body.clone()));
        app.clone().oneshot(request).await.unwrap();
    }
    drop(guard);
    log.text()
}

#[tokio::test]
async fn nothing_that_a_body_says_is_in_the_log() {
    for name in ["authenteq", "voveid", "idenfy", "authento"] {
        let samples = samples(name);
        assert!(samples.len() >= 4, "{name}");
        // Read as what they are, as something that they are not, and not at all.
        let read = match name {
            "authenteq" => logged::<authenteq::Event>(name, &samples, false).await,
            "voveid" => logged::<voveid::Event>(name, &samples, false).await,
            "idenfy" => logged::<idenfy::Event>(name, &samples, false).await,
            _ => logged::<authento::Event>(name, &samples, false).await,
        };
        let identity = logged::<Identity>(name, &samples, false).await;
        let misread = logged::<tower_webhook::Json<Vec<u8>>>(name, &samples, false).await;
        let refused = logged::<Bytes>(name, &samples, true).await;
        assert!(misread.contains("unreadable_payload"), "{misread}");
        assert!(refused.contains("malformed_signature"), "{refused}");
        // Operators search for an event by its type and id.
        let verifier = Verifier::new(provider(name), secret(name)).unwrap();
        let mut searched = Vec::new();
        for (_, body) in &samples {
            let (head, _) = signed(name, "/", body.clone()).into_parts();
            let now = at(unix_now());
            let event = verifier.verify(&Head::from(&head), body.clone(), now);
            let event = event.unwrap();
            let texts = [event.event_type(), event.delivery_id()];
            searched.extend(texts.into_iter().flatten().map(str::to_owned));
        }
        for (file, body) in &samples {
            let is_searched = |text: &String| searched.iter().any(|other| other.contains(text));
            for text in texts(body).into_iter().filter(|text| !is_searched(text)) {
                for log in [&read, &identity, &misread, &refused] {
                    assert!(!log.contains(&text), "{file}: {text:?} in {log}");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_named_by_field_and_place() {
    let body = r#"{"final":true,"scanRef":"s-1","status":{"overall":["Ada Lovelace"]}}"#;
    let bodies = [("wrong".to_owned(), Bytes::from_static(body.as_bytes()))];
    let log = logged::<idenfy::Event>("idenfy", &bodies, false).await;
    assert!(
        log.contains("status.overall: a value has the wrong type, at line 1 column"),
        "{log}"
    );
    assert!(!log.contains("Ada"), "{log}");
    // The raw event is there all the same.
    let log = logged::<Bytes>("idenfy", &bodies, false).await;
    assert!(
        !log.contains("refused") && log.contains("webhook verified"),
        "{log}"
    );
    assert!(log.contains(r#"variant="hmac-sha256""#), "{log}");
    let uri = serve::<idenfy::Event>("idenfy").await;
    let status = send(signed("idenfy", &uri, bodies[0].1.clone())).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_request_of_idenfy_without_a_signature_says_what_to_do() {
    let verifier = Verifier::new(provider("idenfy"), secret("idenfy")).unwrap();
    let none: [(&str, &str); 0] = [];
    let head = Head::new(&none);
    let rejection = verifier
        .check_head(&head, std::time::UNIX_EPOCH)
        .unwrap_err();
    assert_eq!(
        rejection.to_string(),
        "a required header is missing (header Idenfy-Signature); iDenfy signs only once a signing key is set for the webhook \
         in its dashboard"
    );
}

#[tokio::test]
async fn a_variant_that_proves_nothing_is_warned_of_at_the_start() {
    let (log, guard) = Lines::of_this_thread(LevelFilter::INFO, FmtSpan::NONE);
    let named = provider("authento")
        .select_variant("unauthenticated-sha256")
        .unwrap();
    let verifier = Verifier::new(named, secret("authento"))
        .unwrap()
        .with_endpoint("wallet");
    drop(WebhookVerifyLayer::new(verifier));
    drop(guard);
    let said = log.text();
    assert!(
        said.contains("WARN") && said.contains("proves nothing about the sender"),
        "{said}"
    );
    assert!(said.contains("wallet"), "{said}");
}
