//! Every library of the table against the provider of its row, by name: what our [`Signer`] makes
//! the library accepts, and what it makes the receiver accepts over HTTP; what is changed
//! afterwards, both refuse.

use std::{
    collections::BTreeSet,
    io::Write,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderName, Request, StatusCode};
use serde_json::{Map, Value, json};
use support::{
    clients::{Clients, Verdict},
    receiver::Receiver,
};
use tower_webhook::{Config, Secret, Signer, verify::Head};

use super::table::{Registry, Sdk, sdks};

/// How long a time in a request may take to be looked at, on a slow machine.
const SLACK: u64 = 20;
const DAY: u64 = 86_400;

/// A request that is changed in one place, and what that is called in the table.
struct Change {
    name: String,
    request: Request<Bytes>,
}

fn text(request: &Request<Bytes>) -> &str {
    std::str::from_utf8(request.body()).unwrap()
}

fn target(request: &Request<Bytes>) -> String {
    request.uri().path_and_query().unwrap().to_string()
}

fn set(request: &mut Request<Bytes>, name: &HeaderName, value: &str) {
    let headers = request.headers_mut();
    headers.insert(name.clone(), value.parse().unwrap());
}

/// What the script of a language is asked about a request.
fn question(sdk: &Sdk, secret: &str, request: &Request<Bytes>) -> Value {
    let headers: Map<_, _> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
        .collect();
    json!({
        "client": sdk.client(),
        "secret": secret,
        "headers": headers,
        "body": text(request),
        "method": request.method().as_str(),
        "url": sdk.url(&target(request)),
        "params": sdk.endpoint,
    })
}

/// A request as the vendor sends it, without a signature.
fn unsigned(sdk: &Sdk, time: SystemTime) -> Request<Bytes> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let mut request = Request::post(sdk.target());
    for (name, value) in &sdk.headers {
        request = request.header(name, value);
    }
    let body = sdk.body(since.as_millis());
    request.body(Bytes::from(body)).unwrap()
}

/// The same, signed by us at a time.
fn signed(sdk: &Sdk, config: &Config, time: SystemTime) -> Request<Bytes> {
    let verifier = config.endpoint(&sdk.endpoint_name()).unwrap();
    let secret = Secret::new(sdk.secret.private());
    let signer = Signer::new(verifier.provider().clone(), secret).unwrap();
    let (head, body) = unsigned(sdk, time).into_parts();
    let mut builder = Request::builder().method(head.method).uri(head.uri);
    *builder.headers_mut().unwrap() = head.headers;
    let signer = match sdk.secret.chain() {
        Some(chain) => signer.with_certificates(chain).unwrap(),
        None => signer,
    };
    let signer = match sdk.provider.as_str() {
        "hygraph" => signer.with_field("env", "master"),
        // Some libraries take no signature that does not name its key.
        "rfc9421" | "mailchannels" => signer.with_field("keyid", "k1"),
        _ => signer,
    };
    signer.with_time(time).sign_body(builder, body).unwrap()
}

/// Whether we accept it.
fn is_ours(sdk: &Sdk, config: &Config, request: &Request<Bytes>) -> bool {
    let verifier = config.endpoint(&sdk.endpoint_name()).unwrap();
    let (head, body) = request.clone().into_parts();
    let verdict = verifier.verify(&Head::from(&head), body, SystemTime::now());
    verdict.is_ok()
}

/// The pieces of a text between everything but letters and digits that another text does not have,
/// with their places.
fn pieces<'a>(text: &'a str, other: &str) -> Vec<(usize, &'a str)> {
    let split = |text: &'a str| {
        let pieces = text.split(|character: char| !character.is_ascii_alphanumeric());
        pieces.map(move |piece| (piece.as_ptr() as usize - text.as_ptr() as usize, piece))
    };
    let is_other = |piece: &str| {
        let mut others = other.split(|character: char| !character.is_ascii_alphanumeric());
        others.any(|other| other == piece)
    };
    split(text)
        .filter(|(_, piece)| piece.len() > 2 && !is_other(piece))
        .collect()
}

/// The text with another character in this piece: the last digit of a number or of the hour behind a
/// day, else a digit in the middle, if it has one.
fn changed_piece(text: &str, at: usize, piece: &str) -> String {
    let mut places: Vec<usize> = (0..piece.len()).collect();
    // The last bits of the last character of base64 may mean nothing.
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_end = |byte: Option<&u8>| byte == Some(&b'=') || (byte.is_none() && !is_number);
    places.retain(|place| !is_end(text.as_bytes().get(at + place + 1)));
    // Libraries leave out what is no character of base64.
    places.retain(|place| (piece.as_bytes()[*place] ^ 1).is_ascii_alphanumeric());
    let middle = piece.len() / 2;
    let is_digit = |place: usize| piece.as_bytes()[place].is_ascii_digit();
    // A day that does not exist would be refused for another reason.
    let is_time = piece.len() == 5 && piece.find('T') == Some(2);
    if is_time || places.iter().all(|place| is_digit(*place)) {
        places.reverse();
    } else {
        places.sort_by_key(|place| (!is_digit(*place), place.abs_diff(middle)));
    }
    let mut bytes = text.as_bytes().to_vec();
    bytes[at + places[0]] ^= 1;
    String::from_utf8(bytes).unwrap()
}

/// Every change to a signed request that both have to refuse, if the table does not say otherwise.
fn changes(sdk: &Sdk, plain: &Request<Bytes>, request: &Request<Bytes>) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut change = |name: &str, change: &dyn Fn(&mut Request<Bytes>)| {
        let mut request = request.clone();
        change(&mut request);
        changes.push(Change {
            name: name.to_owned(),
            request,
        });
    };
    let (from, to) = (&*sdk.content.0, &*sdk.content.1);
    let modified = |text: &str| text.replace(from, to);
    if text(request).contains(from) {
        change("content", &|request| {
            *request.body_mut() = modified(text(request)).into();
        });
    }
    if target(request).contains(from) {
        change("content", &|request| {
            *request.uri_mut() = modified(&target(request)).parse().unwrap();
        });
    }
    if !sdk.wrapped && !sdk.endpoint.contains_key("accept_unsigned_body") {
        change("space", &|request| {
            *request.body_mut() = format!("{} ", text(request)).into();
        });
    }
    for (name, value) in request.headers() {
        let value = value.to_str().unwrap();
        let before = plain.headers().get(name);
        let before = before.map_or("", |value| value.to_str().unwrap());
        if before.contains(from) {
            change("content", &|request| {
                set(request, name, &modified(before));
            });
        }
        for (at, piece) in pieces(value, before) {
            change(&format!("header {name}"), &|request| {
                set(request, name, &changed_piece(value, at, piece));
            });
        }
    }
    for (at, piece) in pieces(text(request), text(plain)) {
        change("value", &|request| {
            *request.body_mut() = changed_piece(text(request), at, piece).into();
        });
    }
    changes
}

/// What is wrong with a row, as lines.
struct Findings<'a> {
    sdk: &'a Sdk,
    lines: Vec<String>,
    /// The listed differences that there were.
    seen: BTreeSet<String>,
}

impl Findings<'_> {
    fn add(&mut self, line: impl std::fmt::Display) {
        self.lines.push(format!("{}: {line}", self.sdk.label()));
    }

    /// Compares verdicts: ours must be as expected, and theirs the same if it is not a listed
    /// difference.
    fn compare(&mut self, change: &str, expected: bool, ours: bool, theirs: Result<bool, String>) {
        let say = |accepts| if accepts { "accept" } else { "refuse" };
        let theirs = match theirs {
            Ok(theirs) => theirs,
            Err(problem) => return self.add(format!("{change}: {problem}")),
        };
        if ours != expected {
            self.add(format!("{change}: we {}", say(ours)));
        }
        if self.sdk.differences.contains_key(change) {
            if theirs != ours {
                self.seen.insert(change.to_owned());
            }
        } else if theirs != ours {
            self.add(format!("{change}: we {}, they {}", say(ours), say(theirs)));
        }
    }
}

/// Our signer's request and its changes, before the library and before us.
fn check_as_verifier(sdk: &Sdk, config: &Config, clients: &mut Clients) -> Vec<String> {
    let (public, strange) = (sdk.secret.public(), sdk.secret.strange());
    let mut findings = Findings {
        sdk,
        lines: Vec::new(),
        seen: BTreeSet::new(),
    };
    let mut printed = 0;
    let mut accepts = |secret: &str, request: &Request<Bytes>| {
        let (verdict, more) = clients.verify_request(&question(sdk, secret, request))?;
        printed += more;
        Ok(verdict == Verdict::Ok)
    };

    let now = SystemTime::now();
    let request = signed(sdk, config, now);
    let ours = is_ours(sdk, config, &request);
    findings.compare("genuine", true, ours, accepts(&public, &request));
    if !findings.lines.is_empty() {
        return findings.lines;
    }
    findings.compare("secret", false, false, accepts(strange, &request));
    let changes = changes(sdk, &unsigned(sdk, now), &request);
    let is_signature =
        |change: &&Change| change.name.starts_with("header") || change.name == "value";
    if !changes.iter().any(|change| is_signature(&change)) {
        findings.add("nothing that the signer wrote was changed");
    }
    for Change { name, request } in &changes {
        let ours = is_ours(sdk, config, request);
        findings.compare(name, false, ours, accepts(&public, request));
    }

    let is_timed = {
        let earlier = signed(sdk, config, now - Duration::from_secs(7));
        let values =
            |request: &Request<Bytes>| format!("{:?} {}", request.headers(), text(request));
        values(&earlier) != values(&request)
    };
    if is_timed {
        let (past, ahead) = sdk.windows().unwrap_or((DAY, DAY));
        let inside = |window: u64| match window > 2 * SLACK {
            true => window - SLACK,
            false => window / 4,
        };
        let before = |seconds| SystemTime::now() - Duration::from_secs(seconds);
        let after = |seconds| SystemTime::now() + Duration::from_secs(seconds);
        let has_window = sdk.window.is_some();
        // The time is taken right before the request is looked at.
        let probes: [(&str, &dyn Fn() -> SystemTime, bool); 4] = [
            ("recent", &|| before(inside(past)), true),
            ("old", &|| before(past + 2), !has_window),
            ("soon", &|| after(inside(ahead)), true),
            ("ahead", &|| after(ahead + SLACK), !has_window),
        ];
        for (name, time, expected) in probes {
            let request = signed(sdk, config, time());
            let ours = is_ours(sdk, config, &request);
            findings.compare(name, expected, ours, accepts(&public, &request));
        }
    } else if sdk.window.is_some() {
        findings.add("a window, and no time");
    }

    for change in sdk.differences.keys() {
        if !findings.seen.contains(change) {
            findings.add(format!("{change}: the listed difference is gone"));
        }
    }
    match (&sdk.prints, printed) {
        (Some(_), 0) => findings.add("prints nothing, against the table"),
        (None, 1..) => findings.add("prints something that the table does not list"),
        _ => {}
    }
    findings.lines
}

/// A request as the vendor sends it, with the signature that the library makes under a secret.
fn made(
    sdk: &Sdk,
    clients: &mut Clients,
    secret: &str,
    seconds: u64,
) -> Result<Request<Bytes>, String> {
    let signs = sdk.signs.as_ref().unwrap();
    let id = "msg_2Lh9KRb0pzN4LePd3XiA4v12Axj";
    let mut request = unsigned(sdk, SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    let mut question = question(sdk, secret, &request);
    question["id"] = json!(id);
    question["timestamp"] = json!(seconds);
    let mut made = clients.sign_request(&question)?;
    made["id"] = json!(id);
    made["seconds"] = json!(seconds.to_string());
    made["milliseconds"] = json!((seconds * 1000).to_string());
    let fill = |template: &str| {
        let made = made.as_object().unwrap().iter();
        made.fold(template.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value.as_str().unwrap())
        })
    };
    for (name, value) in &signs.headers {
        set(&mut request, &name.parse().unwrap(), &fill(value));
    }
    if let Some(body) = &signs.body {
        *request.body_mut() = fill(body).into();
    }
    Ok(request)
}

/// The library's request and its changes, at the receiver.
async fn check_as_signer(
    sdk: &Sdk,
    receiver: &Receiver,
    clients: &mut Clients,
) -> Result<Vec<String>, String> {
    let now = SystemTime::now();
    let seconds = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let secret = sdk.secret.private();
    let request = made(sdk, clients, secret, seconds)?;
    let mut changes = changes(sdk, &unsigned(sdk, now), &request);
    if !sdk.secret.is_pair() {
        changes.push(Change {
            name: "secret".to_owned(),
            request: made(sdk, clients, sdk.secret.strange(), seconds)?,
        });
    }
    let own_clock = sdk.signs.as_ref().unwrap().own_clock;
    if let Some(window) = sdk.window.filter(|_| !own_clock) {
        changes.push(Change {
            name: "old".to_owned(),
            request: made(sdk, clients, secret, seconds - window - 2)?,
        });
    }

    let mut lines = Vec::new();
    let answer = receiver.forward(&target(&request), request.clone()).await;
    if answer.status != StatusCode::OK {
        lines.push(format!("what it signs: {}", answer.status));
    } else if sdk.provider == "adyen" {
        // The text that Adyen waits for, instead of the receiver's.
        assert_eq!(answer.body, "[accepted]");
    } else if answer.json()["provider"] != sdk.provider.as_str() {
        lines.push("what it signs is accepted as another provider's".to_owned());
    }
    for Change { name, request } in changes {
        let answer = receiver.forward(&target(&request), request).await;
        if answer.status != StatusCode::UNAUTHORIZED || !answer.body.is_empty() {
            lines.push(format!("what it signs, {name} changed: {}", answer.status));
        }
    }
    Ok(lines)
}

/// The rows of a registry whose libraries can be loaded. In CI, all have to be.
fn loaded(registry: Registry, clients: &mut Clients, lines: &mut Vec<String>) -> Vec<Sdk> {
    let mut rows = sdks();
    rows.retain(|sdk| sdk.registry() == registry);
    rows.retain(|sdk| match clients.load(sdk.client()) {
        Ok(()) => true,
        Err(problem) => {
            let line = format!("{}: {problem}", sdk.label());
            match std::env::var_os("CI") {
                Some(_) => lines.push(line),
                // Not `eprintln`: the test harness would keep it to itself.
                None => std::io::stderr()
                    .write_all(format!("SKIPPED {line}\n").as_bytes())
                    .unwrap(),
            }
            false
        }
    });
    rows
}

async fn check(registry: Registry) {
    let clients = match registry {
        Registry::Npm => Clients::start(),
        Registry::Pypi => Clients::start_python(),
    };
    let Some(mut clients) = clients else {
        return;
    };
    let mut lines = Vec::new();
    let rows = loaded(registry, &mut clients, &mut lines);
    let toml: String = rows.iter().map(Sdk::config).collect();
    let config = Config::from_toml_str(&toml).unwrap();
    let receiver = Receiver::with_config(&toml);
    for sdk in &rows {
        lines.extend(check_as_verifier(sdk, &config, &mut clients));
        if sdk.signs.is_some() {
            let found = check_as_signer(sdk, &receiver, &mut clients).await;
            let found = found.unwrap_or_else(|problem| vec![problem]);
            lines.extend(found.iter().map(|line| format!("{}: {line}", sdk.label())));
        }
    }
    assert!(lines.is_empty(), "{lines:#?}");
}

#[tokio::test]
async fn the_libraries_of_npm_and_we_agree() {
    check(Registry::Npm).await;
}

#[tokio::test]
async fn the_libraries_of_pypi_and_we_agree() {
    check(Registry::Pypi).await;
}

#[test]
fn the_table_has_at_least_45_vendors() {
    let rows = sdks();
    let vendors: BTreeSet<_> = rows.iter().map(|sdk| &sdk.vendor).collect();
    assert!(vendors.len() >= 45, "{}", vendors.len());
    let names: BTreeSet<_> = rows
        .iter()
        .map(|sdk| (sdk.registry(), sdk.client()))
        .collect();
    assert_eq!(names.len(), rows.len(), "a function has two rows");
}
