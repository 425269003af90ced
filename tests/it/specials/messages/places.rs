//! Where a request was sent to, and the digests of its body.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256, Sha512};
use tower_webhook::{RejectionKind, scheme::Coverage};

use super::{BODY, Message, STRICT, endpoint, params};

#[test]
fn the_registered_path_counts_where_a_router_has_removed_a_part() {
    let nested = endpoint(STRICT, "url = \"https://example.com/api/hooks\"");
    let mut genuine = Message::new();
    genuine.target = "/api/hooks?tenant=7";
    let genuine = genuine.genuine();
    for (target, expected) in [
        ("/api/hooks?tenant=7", Ok(())),
        ("/hooks?tenant=7", Ok(())),
        ("/?tenant=7", Ok(())),
        ("/hooks?tenant=8", Err(RejectionKind::SignatureMismatch)),
        ("/other?tenant=7", Err(RejectionKind::SignatureMismatch)),
        (
            "/api/hooks/more?tenant=7",
            Err(RejectionKind::SignatureMismatch),
        ),
    ] {
        let mut message = genuine.clone();
        message.target = target;
        assert_eq!(message.verdict(&nested), expected, "{target}");
    }
    for url in [
        "https://example.com/api/hooks?tenant=8",
        "https://example.com?tenant=8",
    ] {
        let pinned = endpoint(STRICT, &format!("url = \"{url}\""));
        assert_eq!(
            genuine.verdict(&pinned),
            Err(RejectionKind::SignatureMismatch),
            "{url}"
        );
    }
}

#[test]
fn the_host_of_a_proxy_counts_only_if_it_is_trusted() {
    let trusted = endpoint(STRICT, "url_from = \"x-forwarded\"");
    let genuine = Message::new().genuine();
    let proxied = |proto: &str, host: &str| {
        let message = genuine.clone().with("X-Forwarded-Proto", proto);
        message.with("X-Forwarded-Host", host).verdict(&trusted)
    };
    assert_eq!(proxied("https", "example.com"), Ok(()));
    assert_eq!(
        proxied("http", "example.com"),
        Err(RejectionKind::SignatureMismatch)
    );
    assert_eq!(
        proxied("https", "a.example, example.com"),
        Err(RejectionKind::MalformedHeader)
    );
    assert_eq!(genuine.verdict(&trusted), Err(RejectionKind::MissingHeader));
    // Without a URL, nothing is known of the host, and the rest is of the request.
    let untold = endpoint("", "");
    assert_eq!(genuine.verdict(&untold), Err(RejectionKind::MissingField));
    let plain = Message::new();
    let lines = plain.lines();
    let mut local = vec![lines[0].clone(), lines[2].clone()];
    local.push(("\"@request-target\"", "/hooks?tenant=7".to_owned()));
    assert_eq!(
        plain.signed("s", &local, &params("")).verdict(&untold),
        Ok(())
    );
}

#[test]
fn only_digests_that_prove_something_count() {
    let sha256 = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(BODY)));
    let sha512 = format!("sha-512=:{}:", STANDARD.encode(Sha512::digest(BODY)));
    let other = format!("sha-512=:{}:", STANDARD.encode(Sha512::digest("other")));
    let mismatch = Err(RejectionKind::SignatureMismatch);
    let malformed = Err(RejectionKind::MalformedHeader);
    let verifier = endpoint("", "");
    for (value, expected) in [
        (sha256.clone(), Ok(())),
        (sha512.clone(), Ok(())),
        (format!("{sha256},   {sha512};x=1"), Ok(())),
        (format!("md5=:AAAA:, {sha256}"), Ok(())),
        (format!("{sha256}, {other}"), mismatch),
        (format!("{other}, {sha256}"), mismatch),
        (other, mismatch),
        ("md5=:AAAA:".to_owned(), malformed),
        ("sha-256=:AAAA:".to_owned(), malformed),
        ("sha-256=AAAA".to_owned(), malformed),
        ("sha-256".to_owned(), malformed),
        ("sha-256=(:AAAA:)".to_owned(), malformed),
        (format!("{sha256}, {sha256}"), malformed),
        ("=".to_owned(), malformed),
    ] {
        let message = Message::new()
            .without("Content-Digest")
            .with("Content-Digest", &value);
        let lines = message.lines();
        let signed = message.clone().signed("s", &lines[2..], &params(""));
        assert_eq!(signed.verdict(&verifier), expected, "{value}");
    }
    let message = Message::new().without("Content-Digest");
    let lines = [("\"content-digest\"", String::new())];
    let signed = message.signed("s", &lines, &params(""));
    assert_eq!(signed.verdict(&verifier), Err(RejectionKind::MissingHeader));
    // A member alone is enough, if it is one that proves something.
    let member = endpoint(r#"components = ["content-digest;key=\"sha-256\""]"#, "");
    let message = Message::new();
    let value = sha256.strip_prefix("sha-256=").unwrap();
    let lines = [("\"content-digest\";key=\"sha-256\"", value.to_owned())];
    let mut signed = message.signed("s", &lines, &params(""));
    assert_eq!(signed.event(&member).unwrap().coverage(), Coverage::Body);
    signed.body = "other";
    assert_eq!(signed.verdict(&member), mismatch);
}
