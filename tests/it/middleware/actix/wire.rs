//! actix-web on a socket.

use support::http1::{Reply, head, whole};

use super::*;

/// What endpoints of a [`Server`] tell the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Handled,
    /// A handler began that never ends.
    Running,
    /// The future of such a handler was dropped.
    Gone,
    Refused(RejectionKind),
}

/// A server in a thread of its own, and what happens in it.
struct Server {
    address: SocketAddr,
    told: mpsc::Receiver<Told>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start() -> Self {
        Self::start_with(true)
    }

    /// With or without connections of which the client's half is closed: actix-web's default is
    /// with.
    fn start_with(half_closed: bool) -> Self {
        let (tell, told) = mpsc::channel();
        let (started, starting) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    let tell = tell.clone();
                    App::new().configure(|config| routes(config, &tell))
                });
                let server = server.workers(1).disable_signals();
                let server = server.h1_allow_half_closed(half_closed);
                let server = server.bind_auto_h2c("127.0.0.1:0").unwrap();
                let address = server.addrs()[0];
                let server = server.run();
                started.send((address, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (address, handle) = starting.recv().unwrap();
        Self {
            address,
            told,
            handle,
            thread: Some(thread),
        }
    }

    fn connect(&self) -> Connection {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Connection {
            stream,
            received: Vec::new(),
        }
    }

    /// Sends these bytes on a connection of their own, and reads one answer.
    fn exchange(&self, sent: impl AsRef<[u8]>) -> Reply {
        let mut connection = self.connect();
        connection.send(sent);
        connection.reply()
    }

    /// The next thing that happens.
    fn told(&self) -> Told {
        self.told
            .recv_timeout(PATIENCE)
            .expect("something to happen")
    }

    /// Stops the server, and waits until nothing of it is left. What happened until then.
    fn end(mut self) -> Vec<Told> {
        let (_, none) = mpsc::channel();
        let told = std::mem::replace(&mut self.told, none);
        drop(self);
        let mut all = Vec::new();
        loop {
            match told.recv_timeout(PATIENCE) {
                Ok(told) => all.push(told),
                Err(mpsc::RecvTimeoutError::Disconnected) => return all,
                Err(error) => panic!("something of the server is left: {error}"),
            }
        }
    }

    /// What else happened so far.
    fn rest(&self) -> Vec<Told> {
        self.told.try_iter().collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The command is sent at once; the future only waits.
        drop(self.handle.stop(false));
        let ended = self.thread.take().unwrap().join();
        if !std::thread::panicking() {
            ended.expect("the server does not panic");
        }
    }
}

fn routes(config: &mut web::ServiceConfig, tell: &mpsc::Sender<Told>) {
    let layer = |verifier: Verifier| {
        let tell = tell.clone();
        WebhookVerifyLayer::new(verifier)
            .with_read_timeout(PATIENCE)
            .on_rejection(move |rejection, _| {
                tell.send(Told::Refused(rejection.kind())).ok();
            })
    };
    let echo = {
        let tell = tell.clone();
        move |event: VerifiedEvent, body: Bytes| {
            tell.send(Told::Handled).unwrap();
            std::future::ready(if event.body() == &body {
                body
            } else {
                Bytes::new()
            })
        }
    };
    let endless = {
        let tell = tell.clone();
        move |_: VerifiedEvent| {
            let tell = tell.clone();
            async move {
                struct Gone(mpsc::Sender<Told>);
                impl Drop for Gone {
                    fn drop(&mut self) {
                        self.0.send(Told::Gone).ok();
                    }
                }
                let _gone = Gone(tell.clone());
                tell.send(Told::Running).unwrap();
                std::future::pending::<String>().await
            }
        }
    };
    let github = || layer(github().with_max_body(LIMIT));
    let hasty = github().with_read_timeout(Duration::from_millis(300));
    let authenteq = {
        let secret = Secret::new("a-secret-for-authenteq-tests");
        layer(Verifier::new(authenteq_provider(), secret).unwrap())
    };
    let bare = |event: Option<VerifiedEvent>| async move { event.is_some().to_string() };
    let nothing = |_: VerifiedEvent| async {
        HttpResponse::with_body(StatusCode::NO_CONTENT, actix_web::body::None::new())
    };
    config
        .route("/bare", web::post().to(bare))
        .route("/nothing", web::post().to(nothing).wrap(authenteq.clone()))
        .route("/github", web::post().to(echo).wrap(github()))
        .route("/hasty", web::post().to(length).wrap(hasty))
        .route("/endless", web::post().to(endless).wrap(github()))
        .route("/authenteq", web::post().to(face).wrap(authenteq));
}

fn refusal_of(kind: RejectionKind, closing: bool) -> Reply {
    let challenge = (kind.status() == 401).then_some("www-authenticate: webhook-signature");
    let close = closing.then_some("connection: close");
    let headers: Vec<_> = challenge.into_iter().chain(close).collect();
    Reply::empty(kind.status().as_u16(), &headers)
}

struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends to a server that may have closed the connection by now.
    fn send_late(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).ok();
    }

    fn reply(&mut self) -> Reply {
        loop {
            if let Some((reply, length)) = Reply::parse(&self.received, "content-type") {
                self.received.drain(..length);
                return reply;
            }
            let mut chunk = [0; 4096];
            let count = self.stream.read(&mut chunk).expect("an answer in time");
            let so_far = String::from_utf8_lossy(&self.received);
            assert!(count > 0, "no answer but {so_far:?}");
            self.received.extend_from_slice(&chunk[..count]);
        }
    }

    /// Every further answer until the server closes the connection.
    fn rest(mut self) -> Vec<Reply> {
        match self.stream.read_to_end(&mut self.received) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
            Err(error) => panic!("the connection does not end: {error}"),
        }
        let mut replies = Vec::new();
        while let Some((reply, length)) = Reply::parse(&self.received, "content-type") {
            self.received.drain(..length);
            replies.push(reply);
        }
        assert!(self.received.is_empty(), "{:?}", self.received);
        replies
    }
}

/// A request whose body comes in chunks of this many bytes.
fn chunked(request: &Request<Bytes>, size: usize) -> Vec<u8> {
    let mut bytes = head(request, &["transfer-encoding: chunked"]).into_bytes();
    for part in request.body().chunks(size) {
        bytes.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
        bytes.extend_from_slice(part);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

#[test]
fn what_is_genuine_reaches_the_handler_over_the_wire() {
    let server = Server::start();
    let mut kept = server.connect();
    for body in ["", "body", BODY] {
        let request = signed_to("/github", body);
        for sent in [whole(&request), chunked(&request, 1), chunked(&request, 7)] {
            let reply = server.exchange(&sent);
            assert_eq!((reply.status, &*reply.body), (200, body));
            // On one connection, and byte by byte.
            for byte in sent.chunks(1) {
                kept.send(byte);
            }
            let reply = kept.reply();
            assert_eq!((reply.status, &*reply.body), (200, body));
        }
    }
    let request = |images| authenteq_request("/authenteq", images);
    let reply = server.exchange(whole(&request(12 << 20)));
    assert_eq!(reply.body, "large 12582912");
    let reply = server.exchange(chunked(&request(1 << 20), 5000));
    assert_eq!(reply.body, "large 1048576");
    assert_eq!(server.rest(), [Told::Handled; 18]);
}

#[test]
fn pipelined_requests_are_answered_in_order_each_with_its_own_body() {
    let server = Server::start();
    let mut connection = server.connect();
    let (first, last) = (signed_to("/github", "first"), signed_to("/github", "last"));
    let all = [
        whole(&first),
        whole(&forged("/github")),
        chunked(&signed_to("/github", "second"), 2),
        whole(&forged("/github")),
        whole(&last),
    ];
    connection.send(all.concat());
    for (status, body) in [
        (200, "first"),
        (401, ""),
        (200, "second"),
        (401, ""),
        (200, "last"),
    ] {
        let reply = connection.reply();
        assert_eq!((reply.status, &*reply.body), (status, body));
    }
    let refused = Told::Refused(RejectionKind::SignatureMismatch);
    assert_eq!(
        server.rest(),
        [
            Told::Handled,
            refused,
            Told::Handled,
            refused,
            Told::Handled
        ]
    );
}

/// actix-web uses the memory of a request again for the next one.
#[test]
fn an_event_does_not_outlive_its_request() {
    let server = Server::start();
    let mut connection = server.connect();
    for (request, body) in [
        (signed_to("/bare", "body"), "false"),
        (signed_to("/github", "body"), "body"),
        (signed_to("/bare", "body"), "false"),
    ] {
        connection.send(whole(&request).repeat(3));
        for _ in 0..3 {
            assert_eq!(connection.reply().body, body, "{}", request.uri());
        }
    }
}

/// Heads that are condemned, as they stand before the line of the length.
fn condemned() -> [(Request<Bytes>, RejectionKind); 2] {
    [
        (unsigned("/github", ""), RejectionKind::MissingHeader),
        (
            with_header(signed_to("/github", ""), SIGNATURE, Some("sha256=00")),
            RejectionKind::MalformedSignature,
        ),
    ]
}

#[test]
fn a_condemned_head_is_answered_before_the_client_sends_a_byte_of_body() {
    let server = Server::start();
    for (request, kind) in condemned() {
        // What is left of a body with a length cannot be skipped, so the connection ends; chunks
        // can.
        for (line, closing) in [
            ("content-length: 1000", true),
            ("transfer-encoding: chunked", false),
        ] {
            let reply = server.exchange(head(&request, &[line]));
            assert_eq!(reply, refusal_of(kind, closing), "{line}");
            assert_eq!(server.told(), Told::Refused(kind));
        }
    }
    for length in ["1001", "4398046511104", "18446744073709551615"] {
        let line = format!("content-length: {length}");
        let reply = server.exchange(head(&signed_to("/github", ""), &[&line]));
        let kind = RejectionKind::BodyTooLarge;
        assert_eq!(reply, refusal_of(kind, true), "{length}");
        assert_eq!(server.told(), Told::Refused(kind));
    }
    // A length that is none is refused by actix-web itself.
    for length in ["18446744073709551616", "+4", "4, 4", "-1"] {
        let line = format!("content-length: {length}");
        let reply = server.exchange(head(&signed_to("/github", "body"), &[&line]) + "body");
        assert_eq!(reply.status, 400, "{length}");
    }
    let both = head(
        &signed_to("/github", ""),
        &["content-length: 5", "transfer-encoding: chunked"],
    );
    assert_eq!(server.exchange(both + "0\r\n\r\n").status, 400);
    assert_eq!(server.rest(), []);
}

/// actix-web invites the body before any middleware is asked.
#[test]
fn who_waits_for_an_invitation_gets_the_invitation_and_then_the_refusal() {
    let server = Server::start();
    let expect = "expect: 100-continue";
    for (request, kind) in condemned() {
        let mut connection = server.connect();
        connection.send(head(&request, &["content-length: 1000", expect]));
        assert_eq!(connection.reply().status, 100);
        assert_eq!(connection.reply(), refusal_of(kind, true));
        assert_eq!(server.told(), Told::Refused(kind));
        connection.stream.shutdown(Shutdown::Write).unwrap();
        assert!(connection.rest().is_empty());
    }
    let request = signed_to("/github", "body");
    let mut connection = server.connect();
    connection.send(head(&request, &["content-length: 4", expect]));
    assert_eq!(connection.reply().status, 100);
    connection.send("body");
    assert_eq!(connection.reply().body, "body");
}

#[test]
fn nothing_of_an_unread_body_is_taken_for_a_request() {
    let server = Server::start();
    let smuggled = whole(&signed_to("/github", "smuggled"));
    for (mut request, kind) in condemned() {
        *request.body_mut() = Bytes::from(smuggled.repeat(3));
        let next = whole(&signed_to("/github", "next"));
        for (sent, skipped) in [
            // What is left of a body with a length ends the connection, unless all of it is there
            // already.
            (whole(&request), false),
            // Chunks are skipped, and what follows them is a request.
            (chunked(&request, 1000), true),
            (chunked(&request, 10), true),
        ] {
            for at_once in [true, false] {
                let mut connection = server.connect();
                if at_once {
                    connection.send([&sent[..], &next].concat());
                    assert_eq!(connection.reply().status, 401);
                } else {
                    // The head alone, then the body and what follows.
                    let end = sent
                        .windows(4)
                        .position(|four| four == b"\r\n\r\n")
                        .unwrap()
                        + 4;
                    connection.send(&sent[..end]);
                    assert_eq!(connection.reply().status, 401);
                    connection.send_late(&sent[end..]);
                    connection.send_late(&next);
                }
                connection.stream.shutdown(Shutdown::Write).ok();
                assert_eq!(server.told(), Told::Refused(kind));
                let bodies: Vec<_> = connection
                    .rest()
                    .into_iter()
                    .map(|reply| reply.body)
                    .collect();
                let goes_on = bodies == ["next"] && (skipped || at_once);
                let ends = bodies.is_empty() && !skipped;
                assert!(goes_on || ends, "{skipped} {at_once} {bodies:?}");
                assert!(server.rest().len() <= 1);
            }
        }
    }
}

#[test]
fn a_body_over_the_limit_is_413_although_it_goes_on() {
    let server = Server::start();
    let long = signed_to("/github", vec![b'x'; LIMIT + 1]);
    let mut sent = chunked(&long, LIMIT + 1);
    sent.truncate(sent.len() - 5);
    let reply = server.exchange(&sent);
    assert_eq!(reply.status, 413);
    assert_eq!(server.rest(), [Told::Refused(RejectionKind::BodyTooLarge)]);
    // One byte less is none too many.
    let reply = server.exchange(chunked(&signed_to("/github", vec![b'x'; LIMIT]), 100));
    assert_eq!((reply.status, reply.body.len()), (200, LIMIT));
}

#[test]
fn a_body_that_does_not_complete_in_time_is_408() {
    let server = Server::start();
    let request = signed_to("/hasty", "body");
    for (sent, closing) in [
        (head(&request, &["content-length: 4"]), true),
        (head(&request, &["content-length: 4"]) + "bo", true),
        (
            head(&request, &["transfer-encoding: chunked"]) + "2\r\nbo\r\n",
            false,
        ),
    ] {
        let kind = RejectionKind::ReadTimeout;
        let mut connection = server.connect();
        connection.send(&sent);
        assert_eq!(connection.reply(), refusal_of(kind, closing));
        assert_eq!(server.told(), Told::Refused(kind));
        // What comes too late is no request.
        connection.send_late(whole(&signed_to("/github", "late")));
        connection.stream.shutdown(Shutdown::Write).ok();
        assert!(connection.rest().iter().all(|reply| reply.status == 400));
        assert_eq!(server.rest(), []);
    }
}

#[test]
fn a_body_that_breaks_off_is_400() {
    let server = Server::start();
    let request = signed_to("/github", "body");
    let kind = RejectionKind::BodyIncomplete;
    for sent in [
        head(&request, &["content-length: 4"]) + "bo",
        head(&request, &["transfer-encoding: chunked"]) + "2\r\nbo\r\n",
        head(&request, &["transfer-encoding: chunked"]) + "2\r\nbody\r\n",
        head(&request, &["transfer-encoding: chunked"]) + "zz\r\n",
    ] {
        for end in [Shutdown::Write, Shutdown::Both] {
            let mut connection = server.connect();
            connection.send(&sent);
            connection.stream.shutdown(end).unwrap();
            assert_eq!(server.told(), Told::Refused(kind), "{sent:?} {end:?}");
            let replies = connection.rest();
            assert!(
                replies.iter().all(|reply| reply.status == 400),
                "{replies:?} {sent:?}"
            );
        }
    }
    assert_eq!(server.rest(), []);
}

#[test]
fn a_client_that_goes_away_while_the_handler_runs_does_no_harm() {
    for half_closed in [true, false] {
        let server = Server::start_with(half_closed);
        for _ in 0..3 {
            let mut connection = server.connect();
            connection.send(whole(&signed_to("/endless", "body")));
            assert_eq!(server.told(), Told::Running);
            drop(connection);
            if !half_closed {
                assert_eq!(server.told(), Told::Gone);
            }
            let reply = server.exchange(whole(&signed_to("/github", "others")));
            assert_eq!(reply.body, "others");
            assert_eq!(server.told(), Told::Handled);
        }
        // As long as it may be half of the connection that is closed, the handler runs on; with the
        // server it ends.
        let left = if half_closed { 3 } else { 0 };
        assert_eq!(server.end(), vec![Told::Gone; left]);
    }
}

#[test]
fn over_http_2_the_answers_are_the_same() {
    let server = Server::start();
    let uri = |path: &str| format!("http://{}{path}", server.address);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = || {
            Client::builder(TokioExecutor::new())
                .timer(TokioTimer::new())
                .http2_only(true)
                .build_http::<Full<Bytes>>()
        };
        let shared = client();
        let send = async |mut request: Request<Bytes>| {
            *request.uri_mut() = uri(request.uri().path()).parse().unwrap();
            let answer = shared.request(request.map(Full::new)).await.unwrap();
            assert_eq!(answer.version(), http::Version::HTTP_2);
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            (status, String::from_utf8(body.to_vec()).unwrap())
        };
        for (request, status, body) in [
            (signed_to("/github", BODY), 200, BODY),
            (signed_to("/github", ""), 200, ""),
            (forged("/github"), 401, ""),
            (unsigned("/github", "body"), 401, ""),
            (
                with_header(
                    authenteq_request("/authenteq", 3 << 20),
                    "x-signature",
                    None,
                ),
                401,
                "",
            ),
            (signed_to("/github", vec![b'x'; LIMIT + 1]), 413, ""),
            (
                authenteq_request("/authenteq", 2 << 20),
                200,
                "large 2097152",
            ),
            (signed_to("/github", "after"), 200, "after"),
        ] {
            let (got, text) = send(request).await;
            assert_eq!((got, &*text), (status, body));
        }
        drop(server.rest());

        // A body that breaks off is a stream that is reset.
        let breaking = TestBody::new([data("bo"), Step::Yield, Step::Error]);
        let mut request = signed_to("/github", "body").map(|_| breaking);
        *request.uri_mut() = uri("/github").parse().unwrap();
        let client = Client::builder(TokioExecutor::new())
            .http2_only(true)
            .build_http::<TestBody>();
        let gone = client.request(request).await;
        let refused = gone.map_or(400, |answer| answer.status().as_u16());
        assert_eq!(refused, 400);
        let kind = RejectionKind::BodyIncomplete;
        assert_eq!(server.told(), Told::Refused(kind));

        // A stream that is reset leaves the connection to the others.
        let mut request = signed_to("/endless", "body");
        *request.uri_mut() = uri("/endless").parse().unwrap();
        let pending = tokio::spawn(shared.request(request.map(Full::new)));
        while server.told.try_recv() != Ok(Told::Running) {
            tokio::task::yield_now().await;
        }
        pending.abort();
        let (status, body) = send(signed_to("/github", "others")).await;
        assert_eq!((status, &*body), (200, "others"));
    });
    drop(runtime);
    let mut told = server.end();
    told.sort_by_key(|told| *told == Told::Gone);
    assert_eq!(told, [Told::Handled, Told::Gone]);
}

/// A 204 needs no length; a 200 without one would leave the client waiting for more.
#[test]
fn a_status_that_is_changed_to_200_has_a_length() {
    let server = Server::start();
    let mut connection = server.connect();
    for _ in 0..2 {
        connection.send(whole(&authenteq_request("/nothing", 10)));
        let reply = connection.reply();
        assert_eq!(reply.status, 200);
        assert!(
            reply.headers.contains(&"content-length: 0".to_owned()),
            "{reply:?}"
        );
    }
}

#[test]
fn slow_clients_do_not_hold_up_others() {
    let server = Server::start();
    let mut slow: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for connection in &mut slow {
        connection.send(head(&signed_to("/github", "body"), &["content-length: 4"]) + "bo");
    }
    assert_eq!(
        server.exchange(whole(&signed_to("/github", "quick"))).body,
        "quick"
    );
    for connection in &mut slow {
        connection.send("dy");
        assert_eq!(connection.reply().body, "body");
    }
}

/// The middleware and what it makes can be looked at, and show no secret.
#[actix_web::test]
async fn debug_shows_no_secret() {
    fn shown(value: &impl Debug) {
        let text = format!("{value:?}");
        assert!(!text.contains(GITHUB_SECRET), "{text}");
        assert!(
            text.contains("Middleware") || text == "ResponseFuture { .. }",
            "{text}"
        );
    }
    let handler = fn_service(|request: ServiceRequest| async move {
        Ok::<_, actix_web::Error>(request.into_response(HttpResponse::Ok().finish()))
    });
    let handler = handler.new_service(()).await.unwrap();
    let service = layer().new_transform(ShownAs(handler)).await.unwrap();
    shown(&service);
    let (request, _) = scripted(&signed_to("/", "body"), TestBody::new([]));
    shown(&service.call(request));
}

/// A service that can be shown.
struct ShownAs<S>(S);

impl<S> Debug for ShownAs<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a handler")
    }
}

impl<S: Service<ServiceRequest>> Service<ServiceRequest> for ShownAs<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> S::Future {
        self.0.call(request)
    }
}
