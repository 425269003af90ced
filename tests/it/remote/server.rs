//! A real server: what it may answer, and who it has to be.

use support::https::{Authority, HttpsServer, Reply};
use tower_webhook::keys::HttpsClient;

use super::*;

/// Keys at this server, for a client that trusts the authority.
fn keys(url: &str, authority: &Authority) -> RemoteKeys {
    let client = HttpsClient::with_roots(&authority.pem).unwrap();
    RemoteKeys::jwks(url).unwrap().with_client(client)
}

async fn serving(reply: Reply) -> (HttpsServer, Hook) {
    let authority = Authority::new();
    let server = HttpsServer::start(&authority, reply).await;
    let hook = Hook::new(keys(&server.url("/jwks.json?v=1"), &authority));
    (server, hook)
}

#[tokio::test]
async fn many_requests_share_one_fetch() {
    let (server, hook) = serving(Reply::Document(set(&[0, 1]), "")).await;
    let requests = (0..50).map(|place| {
        let hook = hook.clone();
        tokio::spawn(async move { hook.verdict(signed(place % 2)).await })
    });
    for request in requests.collect::<Vec<_>>() {
        assert_eq!(request.await.unwrap(), Ok(()));
    }
    assert_eq!(hook.verdict(signed(0)).await, Ok(()));
    assert_eq!(server.requests(), ["GET /jwks.json?v=1 HTTP/1.1"]);
}

#[tokio::test]
async fn a_key_that_is_not_in_the_set_proves_nothing() {
    let (server, hook) = serving(Reply::Document(set(&[1]), "")).await;
    let refused = hook.verdict(signed(0)).await;
    assert_eq!(refused, Err(RejectionKind::SignatureMismatch));
    // The request names no key, so there is none that could be new.
    assert_eq!(server.requests().len(), 1);
}

/// Whatever the server answers instead of keys, the event comes again, and the server is left alone
/// for a while.
#[tokio::test]
async fn an_answer_without_keys_is_an_outage() {
    let raw = |text: &str| Reply::Raw(text.as_bytes().to_vec());
    let document = |text: &str| Reply::Document(text.to_owned(), "");
    let private =
        json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": PAIRS[0].1, "d": PAIRS[1].1 }] });
    let many = json!({ "keys": vec![json!({ "kty": "oct" }); 101] });
    for (reply, problem) in [
        (
            raw("HTTP/1.1 302 Found\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n"),
            "the server answered 302 Found, and redirects are not followed",
        ),
        (
            raw(
                "HTTP/1.1 301 Moved Permanently\r\nlocation: https://other.example/\r\ncontent-length: 0\r\n\r\n",
            ),
            "redirects are not followed",
        ),
        (
            raw("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"),
            "the server answered 500",
        ),
        (
            raw("HTTP/1.1 204 No Content\r\n\r\n"),
            "the server answered 204",
        ),
        (
            raw("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"),
            "there is no such document",
        ),
        (
            raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"keys"),
            "end of file before message length reached",
        ),
        (
            raw("HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n{}"),
            "the document is too large, with 999999999999 bytes",
        ),
        (raw("SSH-2.0-OpenSSH\r\n"), "invalid HTTP version"),
        (raw(""), "connection closed before message completed"),
        (
            Reply::Endless("HTTP/1.1 200 OK\r\ncontent-length: 262145\r\n\r\n"),
            "the document is too large, with 262145 bytes",
        ),
        (
            Reply::Endless("HTTP/1.1 200 OK\r\n\r\n"),
            "length limit exceeded",
        ),
        (
            Reply::Endless("HTTP/1.1 200 OK\r\nx: "),
            "message head is too large",
        ),
        (document(""), "the document is no set of JSON Web Keys"),
        (document("{}"), "the document is no set of JSON Web Keys"),
        (document("[]"), "the document is no set of JSON Web Keys"),
        (
            document("{\"keys\":{}}"),
            "the document is no set of JSON Web Keys",
        ),
        (
            document("{\"keys\":[],\"keys\":[]}"),
            "the document is no set of JSON Web Keys",
        ),
        (document("{\"keys\":[]}"), "the set has 0 keys"),
        (document(&many.to_string()), "the set has 101 keys"),
        (document(&private.to_string()), "private key"),
        (
            document("{\"keys\":[{\"kty\":\"RSA\"}]}"),
            "no key of the set fits",
        ),
        (document("{\"keys\":[7]}"), "no key of the set fits"),
    ] {
        let (server, hook) = serving(reply).await;
        let text = hook.problem(signed(0)).await;
        assert!(text.contains(problem), "{problem}: {text}");
        let failed = Err(RejectionKind::KeySourceFailed);
        assert_eq!(hook.verdict(signed(0)).await, failed, "{problem}");
        assert_eq!(
            hook.answer(signed(0)).await.status(),
            StatusCode::SERVICE_UNAVAILABLE
        );
        assert_eq!(server.requests().len(), 1, "{problem}");
    }
}

/// Who the server is is settled before a request is sent to it.
#[tokio::test]
async fn a_server_that_is_somebody_else_is_asked_nothing() {
    let (trusted, other) = (Authority::new(), Authority::new());
    let reply = || Reply::Document(set(&[0]), "");
    let right = HttpsServer::start(&trusted, reply()).await;
    let foreign = HttpsServer::start(&other, reply()).await;
    let misnamed = HttpsServer::start_as(&trusted, "keys.example", 4000, reply()).await;
    let expired = HttpsServer::start_as(&trusted, "localhost", 2020, reply()).await;
    let localhost = "localhost";
    for (server, host, problem) in [
        // Another authority of the same name.
        (&foreign, localhost, "BadSignature"),
        (&misnamed, localhost, "not valid for name \"localhost\""),
        (&right, "127.0.0.1", "not valid for name \"127.0.0.1\""),
        (&expired, localhost, "expired"),
    ] {
        let hook = Hook::new(keys(&server.url_of(host, "/jwks.json"), &trusted));
        let text = hook.problem(signed(0)).await;
        assert!(text.contains(problem), "{problem}: {text}");
        assert_eq!(server.requests(), [""; 0], "{problem}");
    }
    // A client with the usual authorities does not trust one of these tests.
    let usual = RemoteKeys::jwks(&right.url("/jwks.json")).unwrap();
    let text = Hook::new(usual).problem(signed(0)).await;
    assert!(text.contains("UnknownIssuer"), "{text}");
    assert_eq!(right.requests(), [""; 0]);

    let hook = Hook::new(keys(&right.url("/jwks.json"), &trusted));
    assert_eq!(hook.verdict(signed(0)).await, Ok(()));
}

#[tokio::test]
async fn a_server_without_tls_or_without_anybody_is_an_outage() {
    let authority = Authority::new();
    let (listener, plain) = support::loopback::listen().await;
    let keys_at = |address: &str| {
        let url = address.replace("http://127.0.0.1", "https://localhost");
        keys(&url, &authority)
    };
    let hook = Hook::new(keys_at(&plain));
    let answer = tokio::spawn(async move { hook.verdict(signed(0)).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    let page = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut stream, page)
        .await
        .unwrap();
    assert_eq!(answer.await.unwrap(), Err(RejectionKind::KeySourceFailed));

    drop((stream, listener));
    let hook = Hook::new(keys_at(&plain));
    let refused = hook.verdict(signed(0)).await;
    assert_eq!(refused, Err(RejectionKind::KeySourceFailed));
}

/// A request does not wait for a slow server beyond its time, and the fetch goes on without it.
#[tokio::test]
async fn a_slow_server_delays_the_event_to_the_next_attempt() {
    let authority = Authority::new();
    let server = HttpsServer::start(&authority, Reply::Document(set(&[0]), "")).await;
    let permits = Arc::clone(&server.permits);
    let held = permits.acquire_many(u32::MAX >> 4).await.unwrap();
    permits.forget_permits(permits.available_permits());
    let mut hook = Hook::new(keys(&server.url("/jwks.json"), &authority));
    let patient = hook.clone();
    hook.layer = hook.layer.with_key_timeout(Duration::from_millis(50));
    for _ in 0..2 {
        let late = hook.verdict(signed(0)).await;
        assert_eq!(late, Err(RejectionKind::KeySourceTimeout));
    }
    drop(held);
    assert_eq!(patient.verdict(signed(0)).await, Ok(()));
    assert_eq!(server.requests().len(), 1);
}

/// With another connection for each fetch, a server may change its keys between two of them.
#[tokio::test]
async fn changed_keys_are_fetched_when_their_time_is_over() {
    let authority = Authority::new();
    let server = HttpsServer::start(&authority, Reply::Document(set(&[0]), "")).await;
    let keys = keys(&server.url("/jwks.json"), &authority);
    let hook = Hook::new(keys.clone());
    assert_eq!(hook.verdict(signed(0)).await, Ok(()));
    server.set_reply(Reply::Document(
        set(&[1]),
        "cache-control: max-age=3600\r\n",
    ));
    let mismatch = Err(RejectionKind::SignatureMismatch);
    assert_eq!(hook.verdict(signed(1)).await, mismatch);
    keys.forget_all();
    assert_eq!(hook.verdict(signed(1)).await, Ok(()));
    assert_eq!(hook.verdict(signed(0)).await, mismatch);
    assert_eq!(server.requests().len(), 2);
}

/// A server that says nothing, in real time but for the clock of the program.
#[tokio::test(start_paused = true)]
async fn a_fetch_ends_after_ten_seconds() {
    let client = Recorder::serving(set(&[0]));
    client.delay(Duration::from_secs(3600));
    let keys = RemoteKeys::jwks("https://keys.example/").unwrap();
    let mut hook = Hook::new(keys.with_client(client.clone()));
    hook.layer = hook.layer.with_key_timeout(Duration::from_secs(60));
    let begin = tokio::time::Instant::now();
    let text = hook.problem(signed(0)).await;
    assert_eq!(text, "there was no answer within 10 seconds");
    assert_eq!(begin.elapsed(), Duration::from_secs(10));
    assert_eq!(client.urls(), ["https://keys.example/"]);
}
