//! What a client on a socket is answered: each situation against a server that runs.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use bytes::Bytes;
use http::{Request, StatusCode};
use support::{
    GITHUB_SECRET, NOW, PATIENCE, SIGNATURE, TestBody, accept, at, data, github,
    http1::{Reply, head, whole},
    kind, signed, signed_to, svix, svix_signer, unsigned, with_header,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tower::{ServiceBuilder, ServiceExt};
use tower_http::limit::RequestBodyLimitLayer;
use tower_webhook::{
    Json, RejectionKind, Secret, VerifiedEvent, Verifier, WebhookVerifyLayer, providers,
};
const LIMIT: usize = 1000;

/// A server, and what its layers refused.
struct Server {
    address: SocketAddr,
    refused: Arc<Mutex<Vec<RejectionKind>>>,
    refusal: Arc<Notify>,
}

impl Server {
    /// Serves one endpoint for each situation, until the runtime ends.
    async fn start() -> Self {
        let refused: Arc<Mutex<Vec<RejectionKind>>> = Arc::default();
        let refusal = Arc::new(Notify::new());
        let layer = |verifier: Verifier| {
            let (refused, refusal) = (Arc::clone(&refused), Arc::clone(&refusal));
            WebhookVerifyLayer::new(verifier.with_max_body(LIMIT))
                .with_clock(|| at(NOW))
                .with_read_timeout(Duration::from_millis(300))
                .on_rejection(move |rejection, _| {
                    refused.lock().unwrap().push(rejection.kind());
                    refusal.notify_one();
                })
        };
        let keys =
            |secrets: Vec<Secret>| layer(Verifier::new(providers::github(), secrets).unwrap());
        let secret = || Secret::new(GITHUB_SECRET);
        let patient = layer(github()).with_read_timeout(PATIENCE);
        let length = |event: VerifiedEvent| async move { event.body().len().to_string() };
        let number = |event: VerifiedEvent<Json<u8>>| async move { event.payload().0.to_string() };
        let app = Router::new()
            .route("/github", post(length).route_layer(layer(github())))
            .route("/patient", post(length).route_layer(patient))
            .route("/svix", post(length).route_layer(layer(svix())))
            .route(
                "/expired",
                post(length).route_layer(keys(vec![
                    secret().with_not_after(at(NOW - 1)),
                    Secret::new("the-new-secret-that-is-valid"),
                ])),
            )
            .route(
                "/keyless",
                post(length).route_layer(keys(vec![secret().with_not_before(at(NOW + 1))])),
            )
            .route("/number", post(number).route_layer(layer(github())))
            .route("/bare", post(length))
            .route(
                "/limited",
                post(length)
                    .route_layer(layer(github()))
                    .layer(RequestBodyLimitLayer::new(100)),
            )
            .route("/open", get(|| async { "open" }))
            .layer(DefaultBodyLimit::disable());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            address,
            refused,
            refusal,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these bytes, and reads until the server closes the connection.
    async fn exchange(&self, sent: &[u8]) -> Reply {
        let mut stream = self.connect().await;
        stream.write_all(sent).await.unwrap();
        read_reply(&mut stream).await
    }

    fn refused(&self) -> Vec<RejectionKind> {
        std::mem::take(&mut *self.refused.lock().unwrap())
    }
}

/// Reads one answer.
async fn read_reply(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    let read = async {
        loop {
            if let Some((reply, _)) = Reply::parse(&bytes, "connection") {
                return reply;
            }
            let mut chunk = [0; 4096];
            let count = stream.read(&mut chunk).await.unwrap();
            assert!(
                count > 0,
                "no answer but {:?}",
                String::from_utf8_lossy(&bytes)
            );
            bytes.extend_from_slice(&chunk[..count]);
        }
    };
    tokio::time::timeout(PATIENCE, read)
        .await
        .expect("an answer in time")
}

const CHALLENGE: &str = "www-authenticate: webhook-signature";

fn unauthorized() -> Reply {
    Reply::empty(401, &[CHALLENGE])
}

fn svix_at(seconds: u64, id: &str) -> Request<Bytes> {
    let request = Request::post("/svix").header("svix-id", id);
    let signer = svix_signer().with_time(at(seconds));
    signer.sign(request, Bytes::from_static(b"{}")).unwrap()
}

#[tokio::test]
async fn what_is_genuine_reaches_the_handler() {
    let server = Server::start().await;
    for (request, length) in [
        (signed_to("/github", "body"), "4"),
        (signed_to("/github", ""), "0"),
        (signed_to("/github", vec![b'x'; LIMIT]), "1000"),
        (svix_at(NOW, "msg"), "2"),
    ] {
        let reply = server.exchange(&whole(&request)).await;
        assert_eq!((reply.status, &*reply.body), (200, length));
        let chunked = head(&request, &["transfer-encoding: chunked"]);
        let mut chunked = chunked.into_bytes();
        for part in request.body().chunks(3) {
            chunked.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
            chunked.extend_from_slice(part);
            chunked.extend_from_slice(b"\r\n");
        }
        chunked.extend_from_slice(b"0\r\nx-trailer: dropped\r\n\r\n");
        let reply = server.exchange(&chunked).await;
        assert_eq!((reply.status, &*reply.body), (200, length));
    }
    assert_eq!(server.refused(), []);
}

#[tokio::test]
async fn every_reason_to_doubt_the_sender_is_one_and_the_same_401() {
    let server = Server::start().await;
    let good = || svix_at(NOW, "msg");
    let mut repeated = good();
    repeated
        .headers_mut()
        .append("svix-id", http::HeaderValue::from_static("msg"));
    let mut other = good();
    *other.body_mut() = Bytes::from_static(b"[]");
    let many = "v1,AAAA ".repeat(17);
    let mut many_signatures = good();
    many_signatures
        .headers_mut()
        .insert("svix-signature", many.trim_end().parse().unwrap());
    for (request, kind) in [
        (
            with_header(good(), "svix-signature", None),
            RejectionKind::MissingHeader,
        ),
        (
            with_header(good(), "svix-id", None),
            RejectionKind::MissingHeader,
        ),
        (repeated, RejectionKind::RepeatedHeader),
        (
            with_header(good(), "svix-id", Some("a.b")),
            RejectionKind::MalformedHeader,
        ),
        (
            with_header(good(), "svix-signature", Some("v1,%%%")),
            RejectionKind::MalformedSignature,
        ),
        (many_signatures, RejectionKind::TooManySignatures),
        (
            with_header(good(), "svix-timestamp", Some("soon")),
            RejectionKind::MalformedTimestamp,
        ),
        (svix_at(NOW - 301, "msg"), RejectionKind::TimestampTooOld),
        (svix_at(NOW + 301, "msg"), RejectionKind::TimestampInFuture),
        (other, RejectionKind::SignatureMismatch),
        (
            signed_to("/expired", "body"),
            RejectionKind::KeyOutsideWindow,
        ),
    ] {
        let reply = server.exchange(&whole(&request)).await;
        assert_eq!(reply, unauthorized(), "{kind}");
        assert_eq!(server.refused(), [kind]);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let server = Server::start().await;
    let too_large = Reply::empty(413, &[]);
    let long = signed_to("/github", vec![b'x'; LIMIT + 1]);

    // Declared: no byte of the body has to be sent.
    for length in ["1001", "4398046511104", "18446744073709551613"] {
        let declared = head(&long, &[&format!("content-length: {length}")]);
        assert_eq!(
            server.exchange(declared.as_bytes()).await,
            too_large,
            "{length}"
        );
        assert_eq!(server.refused(), [RejectionKind::BodyTooLarge]);
    }

    // Counted, and answered although the body goes on.
    let mut chunked = head(&long, &["transfer-encoding: chunked"]).into_bytes();
    chunked.extend_from_slice(format!("{:x}\r\n", LIMIT + 1).as_bytes());
    chunked.extend_from_slice(long.body());
    chunked.extend_from_slice(b"\r\n");
    assert_eq!(server.exchange(&chunked).await, too_large);
    assert_eq!(server.refused(), [RejectionKind::BodyTooLarge]);

    // Counted by a limit further out.
    let long = signed_to("/limited", vec![b'x'; 101]);
    let mut chunked = head(&long, &["transfer-encoding: chunked"]).into_bytes();
    chunked.extend_from_slice(b"65\r\n");
    chunked.extend_from_slice(long.body());
    chunked.extend_from_slice(b"\r\n");
    assert_eq!(server.exchange(&chunked).await, too_large);
    assert_eq!(server.refused(), [RejectionKind::BodyTooLarge]);
}

#[tokio::test]
async fn a_body_that_does_not_complete_in_time_is_408() {
    let server = Server::start().await;
    let request = signed_to("/github", "body");
    for sent in [
        head(&request, &["content-length: 4"]),
        head(&request, &["content-length: 4"]) + "bo",
        head(&request, &["transfer-encoding: chunked"]) + "2\r\nbo\r\n",
    ] {
        let reply = server.exchange(sent.as_bytes()).await;
        assert_eq!(reply, Reply::empty(408, &[]));
        assert_eq!(server.refused(), [RejectionKind::ReadTimeout]);
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_400() {
    let server = Server::start().await;
    let request = signed_to("/patient", "body");
    for sent in [
        head(&request, &["content-length: 4"]) + "bo",
        head(&request, &["transfer-encoding: chunked"]) + "2\r\nbo\r\n",
    ] {
        let mut stream = server.connect().await;
        stream.write_all(sent.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let refused = tokio::time::timeout(PATIENCE, server.refusal.notified());
        refused.await.expect("the broken body is noticed at once");
        assert_eq!(server.refused(), [RejectionKind::BodyIncomplete]);
        // The client may still read the answer if its half of the connection is open.
        let mut rest = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest));
        drop(read.await.expect("the connection ends"));
        assert!(
            rest.is_empty() || rest.starts_with(b"HTTP/1.1 400"),
            "{rest:?}"
        );
    }

    // Chunks that are none: the connection is still there for an answer.
    let odd = head(&request, &["transfer-encoding: chunked"]) + "zz\r\n";
    let reply = server.exchange(odd.as_bytes()).await;
    assert_eq!((reply.status, &*reply.body), (400, ""));
    assert_eq!(server.refused(), [RejectionKind::BodyIncomplete]);
}

#[tokio::test]
async fn no_key_that_is_valid_now_is_503_and_worth_another_try() {
    let server = Server::start().await;
    let reply = server
        .exchange(&whole(&signed_to("/keyless", "body")))
        .await;
    assert_eq!(reply, Reply::empty(503, &["retry-after: 5"]));
    assert_eq!(server.refused(), [RejectionKind::NoValidKey]);
}

#[tokio::test]
async fn what_is_our_fault_is_500() {
    let server = Server::start().await;
    // Extractors answer by themselves, so no hook of a layer sees these.
    for (path, body) in [
        ("/number", "not a number"),
        ("/number", "256"),
        ("/bare", "body"),
    ] {
        let reply = server.exchange(&whole(&signed_to(path, body))).await;
        assert_eq!(reply, Reply::empty(500, &[]), "{path} {body}");
        assert_eq!(server.refused(), []);
    }
    let reply = server.exchange(&whole(&signed_to("/number", "255"))).await;
    assert_eq!((reply.status, &*reply.body), (200, "255"));
}

#[tokio::test]
async fn another_method_is_405_and_another_path_404() {
    let server = Server::start().await;
    for (line, status) in [
        ("GET /github", 405),
        ("PUT /github", 405),
        ("POST /nowhere", 404),
    ] {
        let request = format!("{line} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        let reply = server.exchange(request.as_bytes()).await;
        assert_eq!(reply.status, status, "{line}");
    }
    assert_eq!(server.refused(), []);
}

#[tokio::test]
async fn a_condemned_head_is_answered_before_the_client_sends_a_byte_of_body() {
    let server = Server::start().await;
    let request = || signed_to("/patient", vec![b'x'; 1000]);
    let expect = "expect: 100-continue";
    for (request, length, expected) in [
        (
            with_header(request(), SIGNATURE, None),
            "content-length: 1000",
            unauthorized(),
        ),
        (
            with_header(request(), SIGNATURE, Some("sha256=00")),
            "content-length: 1000",
            unauthorized(),
        ),
        (
            with_header(request(), SIGNATURE, None),
            "transfer-encoding: chunked",
            unauthorized(),
        ),
        (request(), "content-length: 1001", Reply::empty(413, &[])),
    ] {
        // `exchange` asserts that the first thing to arrive is this answer, and so not `100
        // Continue`.
        for more in [&[length, expect][..], &[length]] {
            let reply = server.exchange(head(&request, more).as_bytes()).await;
            assert_eq!(reply, expected, "{more:?}");
        }
    }

    // One whose head is in order is asked for its body.
    let request = request();
    let mut stream = server.connect().await;
    let asking = head(&request, &["content-length: 1000", expect]);
    stream.write_all(asking.as_bytes()).await.unwrap();
    assert_eq!(read_reply(&mut stream).await.status, 100);
    stream.write_all(request.body()).await.unwrap();
    let reply = read_reply(&mut stream).await;
    assert_eq!((reply.status, &*reply.body), (200, "1000"));
}

#[tokio::test]
async fn a_condemned_head_costs_no_poll_of_the_body() {
    let condemned = [
        unsigned("").map(|_| ()),
        with_header(signed("body"), SIGNATURE, Some("sha256=zz")).map(|_| ()),
        with_header(signed("body"), "content-length", Some("1001")).map(|_| ()),
    ];
    for request in condemned {
        let body = TestBody::new([data("body")]);
        let watch = body.watch();
        let layer = WebhookVerifyLayer::new(github().with_max_body(LIMIT));
        let service = ServiceBuilder::new().layer(layer).service_fn(accept);
        let response = service.oneshot(request.map(|()| body)).await.unwrap();
        assert_ne!(response.status(), StatusCode::OK);
        assert!(kind(&response).is_some());
        assert_eq!(watch.polls(), 0);
    }
}

#[tokio::test]
async fn a_connection_is_kept_when_the_body_was_read() {
    let server = Server::start().await;
    let mut stream = server.connect().await;
    let mut wrong = signed_to("/github", "body");
    *wrong.body_mut() = Bytes::from_static(b"Body");
    for (request, status) in [
        (signed_to("/github", "body"), 200),
        (wrong, 401),
        (signed_to("/github", "body"), 200),
    ] {
        stream.write_all(&whole(&request)).await.unwrap();
        assert_eq!(read_reply(&mut stream).await.status, status);
    }
}

#[tokio::test]
async fn slow_clients_do_not_hold_up_others() {
    let server = Server::start().await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut stream = server.connect().await;
        let started = head(&signed_to("/patient", "body"), &["content-length: 4"]) + "bo";
        stream.write_all(started.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    let reply = server.exchange(&whole(&signed_to("/github", "body"))).await;
    assert_eq!(reply.status, 200);
    for stream in &mut slow {
        stream.write_all(b"dy").await.unwrap();
        assert_eq!(read_reply(stream).await.status, 200);
    }
}
