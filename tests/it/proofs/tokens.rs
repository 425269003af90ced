//! Tokens: who has it may send, and nothing else is proven.

use bytes::Bytes;
use http::Request;
use support::{NOW, PATIENCE, TestBody, at};
use tower_webhook::{
    Provider, RejectionKind, Scheme, Secret, Verifier, WebhookVerifyLayer,
    scheme::{Algorithm, Coverage, Encoding, Locator, SignatureFormat, TokenFormat},
    verify::Head,
};

const TOKEN: &str = "a-token-of-some-length";

fn provider(place: Locator, format: TokenFormat) -> Provider {
    Provider::new("acme", Scheme::token(place, format)).accept_unsigned_body()
}

fn verifier(place: Locator, format: TokenFormat) -> Verifier {
    let secrets = vec![
        Secret::new("user:an-older-token").with_id("old"),
        Secret::new(format!("user:{TOKEN}")).with_id("new"),
    ];
    let bare = vec![Secret::new("an-older-token-of-acme"), Secret::new(TOKEN)];
    let secrets = if format == TokenFormat::basic() {
        secrets
    } else {
        bare
    };
    Verifier::new(provider(place, format), secrets).unwrap()
}

fn kind(verifier: &Verifier, head: &Head<'_>, body: &str) -> Option<RejectionKind> {
    let event = verifier.verify(head, body.to_owned(), at(NOW));
    event.err().map(|rejection| rejection.kind())
}

#[test]
fn a_token_in_a_header_has_to_be_the_right_one() {
    use RejectionKind::{MalformedSignature, MissingHeader, RepeatedHeader, SignatureMismatch};
    let plain = verifier(Locator::header("X-Token"), TokenFormat::plain());
    let bearer = TokenFormat::plain().with_prefix("Bearer ");
    let bearer = verifier(Locator::header("Authorization"), bearer);
    let basic = verifier(Locator::header("Authorization"), TokenFormat::basic());
    let base64 = TokenFormat::plain().with_encoding(Encoding::Base64);
    let base64 = verifier(Locator::header("X-Token"), base64);
    for (verifier, headers, expected) in [
        (&plain, vec![("x-token", TOKEN)], None),
        (&plain, vec![("x-token", "an-older-token-of-acme")], None),
        (
            &plain,
            vec![("x-token", "a-token-of-some-lengtH")],
            Some(SignatureMismatch),
        ),
        (
            &plain,
            vec![("x-token", "a-token-of-some-lengt")],
            Some(SignatureMismatch),
        ),
        (&plain, vec![("x-token", "")], Some(SignatureMismatch)),
        (&plain, vec![], Some(MissingHeader)),
        (
            &plain,
            vec![("x-token", TOKEN), ("x-token", TOKEN)],
            Some(RepeatedHeader),
        ),
        (
            &bearer,
            vec![("authorization", "Bearer a-token-of-some-length")],
            None,
        ),
        (
            &bearer,
            vec![("authorization", "bearer a-token-of-some-length")],
            None,
        ),
        (
            &bearer,
            vec![("authorization", TOKEN)],
            Some(MalformedSignature),
        ),
        (
            &bearer,
            vec![("authorization", "Basic a-token-of-some-length")],
            Some(MalformedSignature),
        ),
        (
            &basic,
            vec![(
                "authorization",
                "Basic dXNlcjphLXRva2VuLW9mLXNvbWUtbGVuZ3Ro",
            )],
            None,
        ),
        (
            &basic,
            vec![("authorization", "Basic dXNlcjphbi1vbGRlci10b2tlbg==")],
            None,
        ),
        (
            &basic,
            vec![("authorization", "Basic dXNlcjphLXRva2Vu")],
            Some(SignatureMismatch),
        ),
        (
            &basic,
            vec![("authorization", "Basic a-token")],
            Some(MalformedSignature),
        ),
        (
            &base64,
            vec![("x-token", "YS10b2tlbi1vZi1zb21lLWxlbmd0aA==")],
            None,
        ),
        (&base64, vec![("x-token", TOKEN)], Some(MalformedSignature)),
    ] {
        assert_eq!(
            kind(verifier, &Head::new(&headers), "{}"),
            expected,
            "{headers:?}"
        );
    }
}

#[test]
fn a_token_elsewhere_has_to_be_there_once() {
    use RejectionKind::{MissingField, RepeatedField, SignatureMismatch};
    let none: [(&str, &str); 0] = [];
    let query = verifier(Locator::query("key"), TokenFormat::plain());
    for (text, expected) in [
        ("key=a-token-of-some-length", None),
        ("a=1&key=a%2Dtoken-of-some-length", None),
        ("key=another", Some(SignatureMismatch)),
        (
            "key=a-token-of-some-length&key=a-token-of-some-length",
            Some(RepeatedField),
        ),
        (
            "key=another&key=a-token-of-some-length",
            Some(RepeatedField),
        ),
        ("Key=a-token-of-some-length", Some(MissingField)),
        ("", Some(MissingField)),
    ] {
        let target = format!("/?{text}");
        let head = Head::new(&none).with_target(&target);
        assert_eq!(kind(&query, &head, "{}"), expected, "{text}");
    }
    let json = verifier(Locator::json("/meta/token"), TokenFormat::plain());
    for (body, expected) in [
        (r#"{"meta":{"token":"a-token-of-some-length"}}"#, None),
        (r#"{"meta":{"token":"a-token-of-some-lengt\u0068"}}"#, None),
        (r#"{"meta":{"token":"another"}}"#, Some(SignatureMismatch)),
        (r#"{"meta":{"token":true}}"#, Some(MissingField)),
        (
            r#"{"meta":{"token":"x","token":"a-token-of-some-length"}}"#,
            Some(MissingField),
        ),
        (
            r#"{"meta":{"token":"a-token-of-some-length"},"meta":{}}"#,
            Some(MissingField),
        ),
        (r#"{"meta":{}}"#, Some(MissingField)),
        ("no JSON", Some(MissingField)),
        ("", Some(MissingField)),
    ] {
        assert_eq!(kind(&json, &Head::new(&none), body), expected, "{body}");
    }
    let every = verifier(Locator::json("/value/*/clientState"), TokenFormat::plain());
    let item = |token: &str| format!(r#"{{"clientState":"{token}"}}"#);
    for (items, expected) in [
        (vec![item(TOKEN)], None),
        (vec![item(TOKEN), item(TOKEN)], None),
        (vec![item(TOKEN), item("another")], Some(MissingField)),
        (
            vec![item("another"), item("another")],
            Some(SignatureMismatch),
        ),
        (vec![item(TOKEN), "{}".to_owned()], Some(MissingField)),
        (vec![], Some(MissingField)),
    ] {
        let body = format!(r#"{{"value":[{}]}}"#, items.join(","));
        assert_eq!(kind(&every, &Head::new(&none), &body), expected, "{body}");
    }
    let form = verifier(Locator::form("token"), TokenFormat::plain());
    let nested = verifier(Locator::form_json("data", "/token"), TokenFormat::plain());
    for (verifier, body, expected) in [
        (&form, "a=1&token=a-token-of-some-length", None),
        (
            &form,
            "token=a-token-of-some-length&token=x",
            Some(MissingField),
        ),
        (&form, "token=another", Some(SignatureMismatch)),
        (
            &nested,
            "data=%7B%22token%22%3A%22a-token-of-some-length%22%7D",
            None,
        ),
        (
            &nested,
            "data=%7B%22token%22%3A%22a-token-of-some-length%22%7D&data=",
            Some(MissingField),
        ),
        (&nested, "data=no+json", Some(MissingField)),
    ] {
        assert_eq!(kind(verifier, &Head::new(&none), body), expected, "{body}");
    }
}

#[test]
fn a_token_covers_nothing_and_that_has_to_be_accepted() {
    let scheme = || Scheme::token(Locator::header("X-Token"), TokenFormat::plain());
    let built = Verifier::new(Provider::new("acme", scheme()), Secret::new(TOKEN));
    assert_eq!(
        built.unwrap_err().to_string(),
        "accept_unsigned_body: provider acme (variant token) signs nothing and sends a token, so whoever has seen one request \
         can send any other; set it to true if that is acceptable, and ask the provider's API for what matters"
    );
    let verifier = verifier(Locator::header("X-Token"), TokenFormat::plain());
    for body in ["{}", "anything else"] {
        let headers = [("x-token", TOKEN)];
        let event = verifier
            .verify(&Head::new(&headers), body, at(NOW))
            .unwrap();
        assert_eq!(event.coverage(), Coverage::None);
    }
}

#[test]
fn credentials_without_a_colon_are_a_mistake() {
    let provider = provider(Locator::header("Authorization"), TokenFormat::basic());
    let problem = Verifier::new(provider, Secret::new(TOKEN))
        .unwrap_err()
        .to_string();
    assert!(
        problem.contains("it has no colon; write user and password"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_wrong_token_in_the_head_is_refused_before_the_body_is_read() {
    use tower::{Layer, ServiceExt};
    let layer = WebhookVerifyLayer::new(verifier(Locator::header("X-Token"), TokenFormat::plain()));
    for (token, polls) in [("another", false), (TOKEN, true)] {
        let body = TestBody::new([support::data("{}")]);
        let watch = body.watch();
        let service = layer.layer(tower::service_fn(support::accept::<TestBody>));
        let request = Request::post("/")
            .header("x-token", token)
            .body(body)
            .unwrap();
        let answer = tokio::time::timeout(PATIENCE, service.oneshot(request));
        let answer = answer.await.unwrap().unwrap();
        assert_eq!(answer.status().is_success(), polls);
        assert_eq!(watch.polls() > 0, polls, "{token}");
    }
}

#[test]
fn nothing_shows_a_token() {
    let verifier = verifier(Locator::query("key"), TokenFormat::plain());
    let none: [(&str, &str); 0] = [];
    let head = Head::new(&none).with_target("/?key=the-token-of-somebody-else");
    let rejection = verifier.verify(&head, Bytes::new(), at(NOW)).unwrap_err();
    let shown = format!("{rejection} {rejection:?} {verifier:?}");
    assert!(
        !shown.contains("somebody") && !shown.contains(TOKEN),
        "{shown}"
    );
}

#[test]
fn a_token_is_set_without_what_is_sent_before_it() {
    let bearer = TokenFormat::plain().with_prefix("Bearer ");
    for (format, name) in [(bearer, "bearer"), (TokenFormat::basic(), "Basic")] {
        let provider = provider(Locator::header("Authorization"), format);
        let secret = Secret::new(format!("{name} user:{TOKEN}"));
        let problem = Verifier::new(provider, secret).unwrap_err();
        let problem = problem.to_string();
        assert!(problem.contains("keep only what follows"), "{problem}");
    }
    // Without a space it is no authentication scheme, and may be how the token begins.
    let format = TokenFormat::plain().with_prefix("t");
    let provider = provider(Locator::header("X-Token"), format);
    assert!(Verifier::new(provider, Secret::new("token-of-some-length")).is_ok());
}

#[test]
fn a_wrong_token_is_not_blamed_on_the_body() {
    let verifier = verifier(Locator::header("X-Token"), TokenFormat::plain());
    let refusal = |token| {
        let headers = [("x-token", token)];
        verifier.verify(&Head::new(&headers), "{}", at(NOW))
    };
    assert!(refusal(TOKEN).is_ok());
    let text = refusal("another").unwrap_err().to_string();
    assert!(text.contains("suspect a token that was replaced"), "{text}");
}

#[test]
fn the_name_of_an_authentication_scheme_ends_with_a_space() {
    let built = |header, prefix| {
        let format = TokenFormat::plain().with_prefix(prefix);
        Verifier::new(
            provider(Locator::header(header), format),
            Secret::new(TOKEN),
        )
    };
    let problem = built("authorization", "Bearer").unwrap_err().to_string();
    assert!(problem.contains("write \"Bearer \""), "{problem}");
    assert!(built("Authorization", "Bearer ").is_ok());
    assert!(built("Authorization", "Bearer key-").is_ok());
    assert!(built("X-Token", "Bearer").is_ok());
}

#[test]
fn no_description_of_a_token_covers_the_body() {
    let place = || Locator::header("X-Token");
    let token = || Scheme::token(place(), TokenFormat::plain());
    let signature = SignatureFormat::single(place(), Encoding::Text);
    for scheme in [
        token().with_coverage(Coverage::Body),
        token().with_coverage(Coverage::Partial),
        Scheme::signed(Algorithm::Token, "{body}", signature),
    ] {
        let provider = Provider::new("acme", scheme);
        let problem = Verifier::new(provider.clone(), Secret::new(TOKEN)).unwrap_err();
        let problem = problem.to_string();
        assert!(problem.starts_with("accept_unsigned_body:"), "{problem}");
        let verifier = Verifier::new(provider.accept_unsigned_body(), Secret::new(TOKEN)).unwrap();
        let headers = [("x-token", TOKEN)];
        let event = verifier.verify(&Head::new(&headers), "{}", at(NOW));
        assert_eq!(event.unwrap().coverage(), Coverage::None);
    }
}
