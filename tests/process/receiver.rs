//! The receiver example as a newcomer and a black-box test see it: a process, its output and its
//! HTTP interface.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    time::Duration,
};

use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower_webhook::{Provider, Secret, Signer, providers};

use support::receiver::{self, Answer, Receiver};

const SVIX: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const GITHUB: &str = "It's a Secret to Everybody";

const ENDPOINTS: &str = r#"
    [endpoints.kyc]
    provider = "voveid"
    family = "kyc"
    secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

    [endpoints.code]
    provider = "github"
    secrets = [
        { id = "2026-11", value = "It's a Secret to Everybody" },
        { id = "ended", value = "a-key-whose-time-is-over", not_after = "2024-01-01T00:00:00Z" },
    ]
    max_body = "1KiB"
"#;

fn sign(
    provider: Provider,
    secret: &str,
    request: http::request::Builder,
    body: &str,
) -> HeaderMap {
    let signer = Signer::new(provider, Secret::new(secret)).unwrap();
    let request = signer.sign(request, body).unwrap();
    request.headers().clone()
}

fn kyc(body: &str) -> HeaderMap {
    sign(providers::voveid(), SVIX, Request::post("/"), body)
}

fn code(body: &str) -> HeaderMap {
    let request = Request::post("/").header("x-github-event", "ping");
    sign(providers::github(), GITHUB, request, body)
}

fn pairs(headers: &HeaderMap) -> Vec<(&str, &[u8])> {
    let headers = headers.iter();
    headers
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect()
}

async fn post(receiver: &Receiver, endpoint: &str, headers: &HeaderMap, body: &str) -> Answer {
    let headers = pairs(headers);
    receiver.post(endpoint, headers, body.to_owned()).await
}

#[tokio::test]
async fn an_accepted_event_is_described_in_json() {
    let receiver = Receiver::with_config(ENDPOINTS);
    let body = r#"{"status":"successful","refId":"customer-7"}"#;
    let headers = kyc(body);
    let answer = post(&receiver, "kyc", &headers, body).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.headers.get("content-type").unwrap(),
        "application/json"
    );
    let timestamp: i64 = headers
        .get("svix-timestamp")
        .unwrap()
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(
        answer.json(),
        json!({
            "provider": "voveid",
            "endpoint": "kyc",
            "event_type": "successful",
            "delivery_id": headers.get("svix-id").unwrap().to_str().unwrap(),
            "key_id": null,
            "variant": "hmac-sha256",
            "coverage": "body",
            "timestamp": timestamp,
            "bytes": body.len(),
            "identity": {
                "subject": "customer-7",
                "session": null,
                "outcome": "approved",
                "is_final": true,
                "is_test": null,
                "level": null,
                "occurred_at": null,
                "reasons": [],
            },
            "parts": [],
            "typed": true,
        })
    );

    let body = "not even JSON";
    let answer = post(&receiver, "code", &code(body), body).await;
    assert_eq!(
        answer.json(),
        json!({
            "provider": "github",
            "endpoint": "code",
            "event_type": "ping",
            "delivery_id": null,
            "key_id": "2026-11",
            "variant": "hmac-sha256",
            "coverage": "body",
            "timestamp": null,
            "bytes": 13,
            "identity": null,
            "parts": [],
            "typed": false,
        })
    );
}

#[tokio::test]
async fn a_signed_event_is_accepted_whether_or_not_its_type_can_be_read() {
    let receiver = Receiver::with_config(ENDPOINTS);
    for (body, typed) in [
        (r#"{"status":"pending","refId":"customer-7"}"#, true),
        (r#"{"status":"something_new","refId":"customer-7"}"#, true),
        // The endpoint is for another family.
        (r#"{"status":"NO_MATCH","refId":"customer-7"}"#, false),
        ("{}", false),
        ("", false),
        ("[[[", false),
    ] {
        let answer = post(&receiver, "kyc", &kyc(body), body).await;
        assert_eq!(answer.status, StatusCode::OK, "{body}");
        assert_eq!(answer.json().get("typed"), Some(&json!(typed)), "{body}");
    }
}

#[tokio::test]
async fn every_vendor_with_typed_events_is_typed_and_what_cannot_be_read_says_why() {
    const TEXT: &str = "a-secret-of-some-length";
    let mut config = String::new();
    let vendors = [
        (providers::blockpass(), "blockpass/review.approved"),
        (providers::didit(), "didit/status.approved"),
        (providers::didit_raw(), "didit/status.approved"),
        (providers::kycaid(), "kycaid/completed.true"),
        (providers::metamap(), "metamap/completed.verified"),
        (providers::shufti_pro(), "shuftipro/verification.accepted"),
        (providers::sumsub(), "sumsub/reviewed.green"),
    ];
    for (provider, _) in &vendors {
        let name = provider.name();
        config += &format!("[endpoints.{name}]\nprovider = {name:?}\nsecret = {TEXT:?}\n");
    }
    let receiver = Receiver::with_config(&config);
    for (provider, file) in vendors {
        let name = provider.name().to_owned();
        let signer = Signer::new(provider, Secret::new(TEXT)).unwrap();
        let body = support::vector_file(&format!("kyc/{file}.json"));
        let answer = |body: Vec<u8>| {
            let signed = signer.sign_body(Request::post("/"), body).unwrap();
            let (head, body) = signed.into_parts();
            let body = String::from_utf8(body.to_vec()).unwrap();
            let (receiver, name) = (&receiver, &name);
            async move { post(receiver, name, &head.headers, &body).await.json() }
        };
        let said = answer(body.clone()).await;
        assert_eq!(said["typed"], json!(true), "{name}: {said}");
        assert_eq!(said["identity"]["outcome"], json!("approved"), "{name}");
        assert_eq!(said.get("identity_error"), None, "{name}: {said}");
        let mut broken: Value = serde_json::from_slice(&body).unwrap();
        let kind = ["event", "eventName", "type", "webhook_type"]
            .into_iter()
            .find(|kind| broken.get(kind).is_some());
        broken[kind.unwrap()] = json!({"MARKER": "MARKER"});
        let said = answer(broken.to_string().into()).await;
        let error = said["identity_error"].as_str().unwrap();
        assert!(error.contains("wrong type"), "{name}: {error}");
        assert!(!error.contains("MARKER"), "{name}: {error}");
        assert_eq!(
            (&said["identity"], &said["typed"]),
            (&json!(null), &json!(false))
        );
    }
    // About an action, and about nobody.
    let body =
        r#"{"type":"applicantActionReviewed","applicantId":"a-1","applicantActionId":"x-1"}"#;
    let headers = sign(providers::sumsub(), TEXT, Request::post("/"), body);
    let said = post(&receiver, "sumsub", &headers, body).await.json();
    assert_eq!(
        (&said["identity"], said.get("identity_error")),
        (&json!(null), None)
    );
}

/// The endpoint, and what the receiver says of a signed event there: whether it was typed, and the
/// outcome of the identity and whether it is final, if there is one.
async fn said(receiver: &Receiver, endpoint: &str, headers: &HeaderMap, body: &str) -> Value {
    let answer = post(receiver, endpoint, headers, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{body}");
    let said = answer.json();
    let identity = said.get("identity").and_then(Value::as_object);
    let identity =
        identity.map(|identity| json!([identity.get("outcome"), identity.get("is_final")]));
    json!([said.get("typed"), identity])
}

#[tokio::test]
async fn an_event_of_authenteq_without_a_status_is_approved_where_the_file_says_so() {
    let receiver = Receiver::with_config(
        r#"
        [endpoints.new]
        provider = "authenteq"
        client_id = "client-7"
        secret = "a-secret-of-some-length"

        [endpoints.older]
        provider = "authenteq"
        client_id = "client-7"
        missing_status = "passed"
        secret = "a-secret-of-some-length"
        "#,
    );
    for (fields, new, older) in [
        (
            r#""status":"PASSED","#,
            ("approved", true),
            ("approved", true),
        ),
        ("", ("other", false), ("approved", true)),
        (r#""status":null,"#, ("other", false), ("other", false)),
        (r#""Status":"PASSED","#, ("other", false), ("other", false)),
    ] {
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=result\r\n\r\n\
             {{\"id\":\"s-1\",{fields}\"documentData\":{{\"documentType\":\"PP\"}}}}\r\n--b--"
        );
        let provider = providers::authenteq().with_param("client_id", "client-7");
        let headers = sign(
            provider,
            "a-secret-of-some-length",
            Request::post("/"),
            &body,
        );
        for (endpoint, (outcome, is_final)) in [("new", new), ("older", older)] {
            let expected = json!([true, [outcome, is_final]]);
            assert_eq!(
                said(&receiver, endpoint, &headers, &body).await,
                expected,
                "{body}"
            );
        }
    }
}

#[tokio::test]
async fn an_event_of_a_kind_that_is_not_known_is_not_typed_and_no_failure() {
    const TEXT: &str = "a-secret-of-some-length";
    let receiver = Receiver::with_config(&format!(
        "{ENDPOINTS}
        [endpoints.idenfy]
        provider = \"idenfy\"
        secret = \"{TEXT}\"

        [endpoints.authento]
        provider = \"authento\"
        secret = \"{TEXT}\"

        [endpoints.any]
        provider = \"voveid\"
        secret = \"{SVIX}\"
        "
    ));
    let idenfy = |name: &str, body: &str| {
        let request = Request::post("/").header("Idenfy-Event-Type", name);
        sign(providers::idenfy(), TEXT, request, body)
    };
    let approved = r#"{"final":true,"scanRef":"s","status":{"overall":"APPROVED"}}"#;
    for (name, body, expected) in [
        (
            "SOMETHING_NEW",
            r#"{"id":"i","clientId":"c"}"#,
            json!([false, null]),
        ),
        (
            "VIDEO_CALL_FINISHED",
            r#"{"scanRef":"s","status":"x"}"#,
            json!([false, null]),
        ),
        (
            "COMPANY_SUBMIT",
            r#"{"id":"i","clientId":"c"}"#,
            json!([true, null]),
        ),
        ("SOMETHING_NEW", approved, json!([true, ["approved", true]])),
    ] {
        let headers = idenfy(name, body);
        assert_eq!(
            said(&receiver, "idenfy", &headers, body).await,
            expected,
            "{name}: {body}"
        );
    }
    for (body, expected) in [
        (
            r#"{"event":"SOMETHING_NEW","userId":"u"}"#,
            json!([false, ["other", false]]),
        ),
        (r#"{"event":"REVIEWED","userId":"u"}"#, json!([false, null])),
    ] {
        let headers = sign(providers::authento(), TEXT, Request::post("/"), body);
        assert_eq!(
            said(&receiver, "authento", &headers, body).await,
            expected,
            "{body}"
        );
    }
    for body in [
        r#"{"type":"kyb.case.created","refId":"c"}"#,
        r#"{"refId":"c"}"#,
    ] {
        for endpoint in ["kyc", "any"] {
            let expected = json!([false, null]);
            assert_eq!(
                said(&receiver, endpoint, &kyc(body), body).await,
                expected,
                "{body}"
            );
        }
    }
}

#[tokio::test]
async fn stats_count_what_was_accepted_and_each_kind_of_refusal() {
    let receiver = Receiver::with_config(ENDPOINTS);
    let none = json!({ "accepted": 0, "duplicates": 0, "refused": {} });
    let answer = receiver.request("GET", "/stats").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.json(),
        json!({ "endpoints": { "code": none, "kyc": none } })
    );

    let body = "{}";
    for _ in 0..2 {
        let answer = post(&receiver, "code", &code(body), body).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let ended = sign(
        providers::github(),
        "a-key-whose-time-is-over",
        Request::post("/"),
        body,
    );
    let long = "x".repeat(1025);
    for (headers, body, status) in [
        (HeaderMap::new(), body, StatusCode::UNAUTHORIZED),
        (code(body), "{ }", StatusCode::UNAUTHORIZED),
        (code(body), "[]", StatusCode::UNAUTHORIZED),
        (ended, body, StatusCode::UNAUTHORIZED),
        (code(&long), &long, StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let answer = post(&receiver, "code", &headers, body).await;
        assert_eq!(answer.status, status);
        assert!(answer.body.is_empty());
    }
    // It reached no endpoint.
    receiver.request("POST", "/webhooks/nobody").await;
    assert_eq!(
        receiver.request("GET", "/stats").await.json(),
        json!({ "endpoints": {
            "code": {
                "accepted": 2,
                "duplicates": 0,
                "refused": {
                    "body_too_large": 1,
                    "key_outside_window": 1,
                    "missing_header": 1,
                    "signature_mismatch": 2,
                },
            },
            "kyc": none,
        } })
    );
}

#[tokio::test]
async fn any_method_and_query_is_a_request_to_an_endpoint_and_other_paths_are_404() {
    let receiver = Receiver::with_config(ENDPOINTS);
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "POST"] {
        for path in ["/webhooks/code", "/webhooks/code?", "/webhooks/code?a=b&c"] {
            let answer = receiver.request(method, path).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert!(answer.body.is_empty(), "{method} {path}");

            let mut request = Request::new("{}".into());
            *request.method_mut() = method.parse().unwrap();
            *request.headers_mut() = code("{}");
            let answer = receiver.forward(path, request).await;
            // GitHub does not sign the method, and an event does not come by a safe one.
            if ["GET", "OPTIONS"].contains(&method) {
                assert_eq!(
                    answer.status,
                    StatusCode::METHOD_NOT_ALLOWED,
                    "{method} {path}"
                );
                assert!(answer.body.is_empty(), "{method} {path}");
                continue;
            }
            assert_eq!(answer.status, StatusCode::OK, "{method} {path}");
            assert_eq!(answer.json()["bytes"], 2, "{method} {path}");
        }
    }
    for (method, path, status) in [
        ("HEAD", "/webhooks/kyc", StatusCode::UNAUTHORIZED),
        ("POST", "/stats", StatusCode::METHOD_NOT_ALLOWED),
        ("POST", "/webhooks/other", StatusCode::NOT_FOUND),
        ("GET", "/webhooks/other", StatusCode::NOT_FOUND),
        ("POST", "/webhooks/code/more", StatusCode::NOT_FOUND),
        ("POST", "/webhooks/", StatusCode::NOT_FOUND),
        ("POST", "/webhooks", StatusCode::NOT_FOUND),
        ("GET", "/", StatusCode::NOT_FOUND),
    ] {
        let answer = receiver.request(method, path).await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert!(answer.body.is_empty(), "{method} {path}");
    }
}

#[tokio::test]
async fn an_endpoint_may_have_any_name() {
    let config = [r"a b", "{x}", "{*rest}", "ü", "a/b", "50%"]
        .map(|name| format!("[endpoints.\"{name}\"]\nprovider = \"github\"\nsecret = \"It's a Secret to Everybody\"\n"))
        .concat();
    let receiver = Receiver::with_config(&config);
    for (path, name) in [
        ("a%20b", "a b"),
        ("%7Bx%7D", "{x}"),
        ("%7B%2Arest%7D", "{*rest}"),
        ("%C3%BC", "ü"),
        ("a%2Fb", "a/b"),
        ("50%25", "50%"),
    ] {
        let answer = post(&receiver, path, &code("{}"), "{}").await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.json().get("endpoint"), Some(&json!(name)));
    }
    let answer = post(&receiver, "anything", &code("{}"), "{}").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_printed_commands_do_what_they_say() {
    for tool in ["curl", "openssl"] {
        if needs(tool).is_none() {
            return;
        }
    }
    let receiver = Receiver::demo();
    let stdout = receiver.stdout();
    let commands: Vec<(&str, &str)> = stdout
        .lines()
        .zip(stdout.lines().skip(1))
        .filter(|(_, command)| command.starts_with("curl "))
        .collect();
    assert_eq!(stdout.matches("curl ").count(), commands.len());

    let mut tried = Vec::new();
    for (title, command) in commands {
        assert!(command.contains(receiver.address()), "{command}");
        // Twice, since a command must not spoil the next one in the same shell.
        let script = format!("{command}\necho\n{command}");
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.success() && error.is_empty(),
            "{command}: {error}"
        );

        let (endpoint, promise) = title.trim_start_matches("# ").split_once(": ").unwrap();
        let status = if promise.ends_with("accepted with 200") {
            "HTTP/1.1 200 "
        } else {
            assert!(promise.ends_with("refused with 401"), "{title}");
            "HTTP/1.1 401 "
        };
        assert_eq!(said.matches(status).count(), 2, "{title}: {said}");
        tried.push((endpoint.to_owned(), status));
    }

    let stats = receiver.request("GET", "/stats").await.json();
    let endpoints = stats.get("endpoints").and_then(Value::as_object).unwrap();
    for founding in ["authenteq", "voveid", "idenfy", "authento"] {
        assert!(endpoints.contains_key(founding), "{stats}");
    }
    assert_eq!(tried.len(), 2 * endpoints.len());
    for (endpoint, counts) in endpoints {
        let one_each = json!({
            "accepted": 2,
            "duplicates": 0,
            "refused": { "signature_mismatch": 2 },
        });
        assert_eq!(counts, &one_each, "{endpoint}");
    }
}

/// `None` where the program is missing; in CI that is a failure.
fn needs(tool: &str) -> Option<()> {
    if Command::new(tool).arg("version").output().is_ok() {
        return Some(());
    }
    assert!(std::env::var_os("CI").is_none(), "{tool} is missing");
    let line =
        format!("SKIPPED the_printed_commands_do_what_they_say: needs {tool}; install {tool}\n");
    // Not `eprintln`: the test harness would keep it to itself.
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    None
}

#[test]
fn with_a_configuration_it_prints_where_it_listens_and_nothing_else() {
    let receiver = Receiver::with_config(ENDPOINTS);
    let expected = format!("listening on http://{}", receiver.address());
    assert_eq!(receiver.stdout(), expected);
    assert!(!receiver.address().ends_with(":0"));
}

/// A request whose body has begun to be read, and is not all there yet.
fn half_sent(receiver: &Receiver, endpoint: &str, headers: &HeaderMap, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(receiver.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut head = format!(
        "POST /webhooks/{endpoint} HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    write!(stream, "{head}\r\n").unwrap();

    // The server asks for the body once somebody reads it.
    let mut interim = String::new();
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    lines.read_line(&mut interim).unwrap();
    assert_eq!(interim, "HTTP/1.1 100 Continue\r\n");
    stream
}

#[test]
fn a_signal_lets_the_request_in_flight_finish_and_the_exit_code_is_0() {
    for signal in ["TERM", "INT"] {
        let receiver = Receiver::with_config(ENDPOINTS);
        let body = r#"{"zen":"Keep it logically awesome."}"#;
        let mut stream = half_sent(&receiver, "code", &code(body), body);
        let idle = TcpStream::connect(receiver.address()).unwrap();

        receiver.signal(signal);
        receiver.line("stopping").unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("HTTP/1.1 200 OK\r\n"), "{signal}: {answer}");
        assert!(
            answer.contains(r#""provider":"github""#),
            "{signal}: {answer}"
        );

        let ended = receiver.ended();
        assert_eq!(ended.code, Some(0), "{signal}: {}", ended.stderr);
        drop(idle);
    }
}

#[tokio::test]
async fn a_hangup_reads_the_file_again_and_a_broken_one_changes_nothing() {
    let receiver = Receiver::with_config(ENDPOINTS);
    let body = r#"{"zen":"Keep it logically awesome."}"#;
    let old = code(body);
    let new = sign(
        providers::github(),
        "the-secret-of-tomorrow",
        Request::post("/"),
        body,
    );
    assert_eq!(
        post(&receiver, "code", &old, body).await.status,
        StatusCode::OK
    );

    // A mistake is named, and everything goes on as before.
    receiver.rewrite("[endpoints.code]\nprovider = \"github\"\nsecret = \"\"\n");
    receiver.signal("HUP");
    let line = receiver.error_line("error: ").unwrap();
    for word in [
        "webhooks.toml",
        "endpoint \"code\"",
        "secret",
        "stays as it was",
    ] {
        assert!(line.contains(word), "{word}: {line}");
    }
    assert_eq!(
        post(&receiver, "code", &old, body).await.status,
        StatusCode::OK
    );
    assert_eq!(
        post(&receiver, "code", &new, body).await.status,
        StatusCode::UNAUTHORIZED
    );

    // A request that has begun ends with the key that it began with.
    let mut begun = half_sent(&receiver, "code", &old, body);
    receiver.rewrite(
        "[endpoints.code]\nprovider = \"github\"\nsecret = \"the-secret-of-tomorrow\"\n\
         [endpoints.more]\nprovider = \"github\"\nsecret = \"the-secret-of-tomorrow\"\n",
    );
    receiver.signal("HUP");
    receiver.line("configuration read again").unwrap();
    begun.write_all(body.as_bytes()).unwrap();
    // After the end of the interim answer.
    let mut lines = BufReader::new(begun).lines().map(Result::unwrap);
    let answer = lines.find(|line| !line.is_empty()).unwrap();
    assert_eq!(answer, "HTTP/1.1 200 OK");

    assert_eq!(
        post(&receiver, "code", &new, body).await.status,
        StatusCode::OK
    );
    assert_eq!(
        post(&receiver, "code", &old, body).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        post(&receiver, "more", &new, body).await.status,
        StatusCode::OK
    );
    assert_eq!(
        post(&receiver, "kyc", &new, body).await.status,
        StatusCode::NOT_FOUND
    );
    // The counters go on.
    let stats = receiver.stats("code").await;
    assert_eq!(stats["accepted"], 4);
    assert_eq!(stats["refused"]["signature_mismatch"], 2);
}

#[test]
fn bad_arguments_are_named_with_the_usage_and_the_exit_code_is_2() {
    for (args, problem) in [
        (&["--port", "3000"][..], "unknown argument \"--port\""),
        (&["webhooks.toml"], "unknown argument \"webhooks.toml\""),
        (&["--config"], "--config needs a value after it"),
        (&["--listen"], "--listen needs a value after it"),
        (
            &["--listen", "3000"],
            "--listen \"3000\" is not HOST:PORT, such as 127.0.0.1:3000",
        ),
        (
            &["--listen", "127.0.0.1:70000"],
            "--listen \"127.0.0.1:70000\" is not HOST:PORT, such as 127.0.0.1:3000",
        ),
        (
            &["--listen", ":3000"],
            "--listen \":3000\" is not HOST:PORT, such as 127.0.0.1:3000",
        ),
        (
            &["--config", "a", "--config", "b"],
            "--config is given twice",
        ),
        (&["--now"], "--now needs a value after it"),
        (&["--now", "1", "--now", "2"], "--now is given twice"),
        (
            &["--now", "yesterday"],
            "--now \"yesterday\" is not a number of seconds since 1970",
        ),
        (
            &["--now", "-1"],
            "--now \"-1\" is not a number of seconds since 1970",
        ),
        (
            &["--now", ""],
            "--now \"\" is not a number of seconds since 1970",
        ),
    ] {
        let ended = receiver::run(args);
        assert_eq!(ended.code, Some(2), "{args:?}");
        assert_eq!(ended.stdout, "", "{args:?}");
        let (error, usage) = ended.stderr.split_once("\n\n").unwrap();
        assert_eq!(error, format!("error: {problem}"));
        assert!(usage.starts_with("usage: receiver "), "{usage}");
    }
}

#[test]
fn help_is_printed_when_asked_for() {
    let ended = receiver::run(["--help"]);
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    assert!(ended.stdout.starts_with("usage: receiver [--config FILE]"));
}

#[test]
fn a_bad_configuration_is_one_error_and_the_exit_code_is_1() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("webhooks.toml");
    for (config, problem) in [
        ("not toml", "line 1: "),
        ("[endpoint.kyc]", "endpoint: unknown key"),
        (
            "[endpoints.kyc]\nprovider = \"vove\"\nsecret = \"s\"",
            "endpoint \"kyc\": provider: \"vove\" is unknown; did you mean \"voveid\"?",
        ),
        (
            "[endpoints.kyc]\nprovider = \"github\"",
            "endpoint \"kyc\": secret: none is set",
        ),
        (
            "[endpoints.kyc]\nprovider = \"github\"\nsecret = { env = \"TOWER_WEBHOOK_UNSET\" }",
            "environment variable TOWER_WEBHOOK_UNSET is not set",
        ),
        (
            "[endpoints.kyc]\nprovider = \"voveid\"\nsecret = \"whsec_short\"",
            "endpoint \"kyc\": secret: ",
        ),
    ] {
        fs::write(&path, config).unwrap();
        let ended = receiver::run(["--config".as_ref(), path.as_os_str()]);
        assert_eq!(ended.code, Some(1), "{config}");
        assert_eq!(ended.stdout, "", "{config}");
        let place = format!("error: {}: ", path.display());
        assert!(ended.stderr.starts_with(&place), "{}", ended.stderr);
        assert!(ended.stderr.contains(problem), "{}", ended.stderr);
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        assert!(!ended.stderr.contains("whsec_short"), "{}", ended.stderr);
    }

    let nowhere = directory.path().join("nowhere.toml");
    let ended = receiver::run(["--config".as_ref(), nowhere.as_os_str()]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("cannot be read"), "{}", ended.stderr);
}

#[test]
fn a_port_that_is_taken_is_an_error_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = receiver::run(["--listen", &address]);
    assert_eq!((ended.code, &*ended.stdout), (Some(1), ""));
    // Behind what the log says of the demo's providers.
    let place = format!("error: --listen {address}: ");
    let last = ended.stderr.lines().last().unwrap();
    assert!(last.starts_with(&place), "{}", ended.stderr);
}

#[tokio::test]
async fn secrets_signatures_and_bodies_are_in_no_output() {
    let directory = TempDir::new().unwrap();
    let mounted = directory.path().join("secret");
    let by_file = "a-secret-in-a-mounted-file";
    let by_env = "a-secret-in-the-environment";
    let short = "too-short";
    fs::write(&mounted, format!("{by_file}\n")).unwrap();
    let config = format!(
        "{ENDPOINTS}
        [endpoints.file]
        provider = \"github\"
        secret = {{ file = {mounted:?} }}

        [endpoints.env]
        provider = \"github\"
        secret = {{ env = \"RECEIVER_TEST_SECRET\" }}

        [endpoints.short]
        provider = \"github\"
        secret = {short:?}",
    );
    let receiver = Receiver::with_config_and_env(&config, &[("RECEIVER_TEST_SECRET", by_env)]);

    let genuine = r#"{"person":"Ada Lovelace"}"#;
    let forged = r#"{"person":"Charles Babbage"}"#;
    let mut hidden: Vec<String> = [genuine, forged, "Lovelace", "Babbage"]
        .into_iter()
        .chain([SVIX, GITHUB, by_file, by_env, short])
        .map(str::to_owned)
        .collect();
    for (endpoint, provider, secret) in [
        ("kyc", providers::voveid(), SVIX),
        ("code", providers::github(), GITHUB),
        ("file", providers::github(), by_file),
        ("env", providers::github(), by_env),
        ("short", providers::github(), short),
    ] {
        let headers = sign(provider, secret, Request::post("/"), genuine);
        for (body, status) in [
            (genuine, StatusCode::OK),
            (forged, StatusCode::UNAUTHORIZED),
        ] {
            let answer = post(&receiver, endpoint, &headers, body).await;
            assert_eq!(answer.status, status, "{endpoint}");
        }
        let signature = headers
            .iter()
            .find(|(name, _)| name.as_str().contains("signature"));
        let (_, digest) = signature
            .unwrap()
            .1
            .to_str()
            .unwrap()
            .split_once([',', '='])
            .unwrap();
        hidden.push(digest.to_owned());
    }

    receiver.signal("TERM");
    let ended = receiver.ended();
    // The log does speak of what happened, and of the secret that is too short.
    assert_eq!(ended.stderr.matches("signature_mismatch").count(), 5);
    assert!(ended.stderr.contains("fewer than 16 bytes"));
    for secret in hidden {
        assert!(!ended.stdout.contains(&secret), "stdout: {secret}");
        assert!(!ended.stderr.contains(&secret), "stderr: {secret}");
    }
}
