//! What tells deliveries of special schemes apart.

use http::Request;
use support::{NOW, at};
use tower_webhook::{Config, verify::Head};

fn config(provider: &str, lines: &str) -> Config {
    let text = format!(
        "[endpoints.it]\nprovider = \"{provider}\"\nsecret = \"{}\"\n{lines}",
        "a".repeat(64)
    );
    Config::from_toml_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The key of a request that is signed at a time, and received with another body and target.
fn key(
    config: &Config,
    (target, body): (&str, &'static str),
    received: (&str, &'static str),
    headers: &[(&str, &str)],
    seconds: u64,
) -> String {
    let signer = config.signer("it").unwrap().with_time(at(NOW + seconds));
    let mut request = Request::post(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (head, _) = signer.sign_body(request, body).unwrap().into_parts();
    let head = Head::new(&head.headers).with_target(received.0);
    let verifier = config.endpoint("it").unwrap();
    let event = verifier.verify(&head, received.1, at(NOW + seconds));
    event
        .unwrap_or_else(|error| panic!("{error:?}"))
        .delivery_key()
        .to_string()
}

/// Also where the endpoint asks for the body.
#[test]
fn the_body_of_a_form_is_what_is_signed_of_it() {
    let lines = "url = \"https://example.com/hooks\"\ndeduplicate_by = \"body\"\n";
    let config = config("twilio", lines);
    let key = |received| key(&config, ("/hooks", "A=1&B=2"), ("/hooks", received), &[], 0);
    assert_eq!(key("A=1&B=2"), key("B=2&A=%31"));
}

#[test]
fn a_respelled_form_is_the_same_delivery() {
    for (provider, target) in [
        ("twilio", "/hooks?x=a%20b"),
        ("plivo-v3", "/hooks?x=a%20b"),
        ("mandrill", "/hooks?x=1"),
    ] {
        let config = config(
            provider,
            &format!("url = \"https://example.com{target}\"\n"),
        );
        let same = |received, seconds| key(&config, (target, "A=1&B=2"), received, &[], seconds);
        let own = same((target, "A=1&B=2"), 0);
        assert_eq!(own, same((target, "B=2&A=%31"), 0), "{provider}");
        // A new attempt has a new nonce.
        assert_eq!(own, same((target, "A=1&B=2"), 30), "{provider}");
        let other = key(&config, (target, "A=1&B=3"), (target, "A=1&B=3"), &[], 0);
        assert_ne!(own, other, "{provider}");
    }
    // Twilio's back ends escape the query in several ways, all of which are accepted.
    let config = config(
        "twilio",
        "url = \"https://example.com/hooks\"\nquery = \"any\"\n",
    );
    let target = "/hooks?x=a%20b";
    let own = key(&config, (target, "A=1"), (target, "A=1"), &[], 0);
    assert_eq!(
        own,
        key(&config, (target, "A=1"), ("/hooks?x=a+b", "A=1"), &[], 0)
    );
}

/// Nothing separates the names of fields from their values, so letters can be moved from one to the
/// other under the same signature. Twilio's own library accepts that too; it is no new delivery.
#[test]
fn letters_that_move_between_a_name_and_its_value_are_the_same_delivery() {
    for provider in ["twilio", "plivo-v3", "mandrill"] {
        let config = config(provider, "url = \"https://example.com/hooks\"\n");
        let key = |received| {
            key(
                &config,
                ("/hooks", "Body=hello&To=1"),
                ("/hooks", received),
                &[],
                0,
            )
        };
        let own = key("Body=hello&To=1");
        for moved in ["Bodyhello=&To=1", "Bod=yhello&To=1", "Bodyhel=lo&To=1"] {
            assert_eq!(own, key(moved), "{provider} {moved}");
        }
    }
}

#[test]
fn the_topic_is_part_of_a_delivery_of_contentful_and_the_time_is_not() {
    let config = config("contentful", "");
    let key = |topic, seconds| {
        let request = ("/hooks", "{}");
        key(
            &config,
            request,
            request,
            &[("x-contentful-topic", topic)],
            seconds,
        )
    };
    assert_eq!(key("publish", 0), key("publish", 20));
    assert_ne!(key("publish", 0), key("unpublish", 0));
}

/// A schedule of QStash sends the same body each time, and each is an event.
#[test]
fn the_same_body_in_another_token_of_qstash_is_another_delivery() {
    let config = config("qstash", "url = \"https://example.com/hooks\"\n");
    let key = |seconds| key(&config, ("/hooks", "{}"), ("/hooks", "{}"), &[], seconds);
    assert_ne!(key(0), key(60));
}
