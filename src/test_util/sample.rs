//! Bodies that a provider could have sent.

use std::borrow::Cow;

use bytes::Bytes;

use crate::{
    compiled::body::BodySource,
    provider::Provider,
    scheme::locator::Locator,
    sign::place::{Value, with_field, with_json},
};

/// What stands for every text.
pub(super) const TEXT: &str = "test";

/// The forms of providers whose way of signing no description holds.
const SPECIAL: &[&str] = &[
    // Twilio and Plivo.
    "From=%2B15551234567&To=%2B15557654321&Body=Hello",
    // Mandrill.
    "mandrill_events=%5B%7B%22event%22%3A%22send%22%7D%5D",
    // Braintree: XML in base64.
    "bt_payload=PG5vdGlmaWNhdGlvbj48a2luZD5jaGVjazwva2luZD48L25vdGlmaWNhdGlvbj4%3D",
    // Adyen.
    r#"{"live":"false","notificationItems":[{"NotificationRequestItem":{"pspReference":"test",
        "originalReference":"","merchantAccountCode":"test","merchantReference":"test",
        "amount":{"currency":"EUR","value":1000},"eventCode":"AUTHORISATION","success":"true"}}]}"#,
];

/// Bodies of which one is the provider's: the most likely first.
pub(super) fn bodies(provider: &Provider) -> Vec<Bytes> {
    let mut bodies = Vec::new();
    #[cfg(feature = "identity")]
    bodies.extend(super::identity::typical(provider));
    let Ok(compiled) = provider.compile() else {
        return bodies;
    };
    let sources: Vec<&BodySource> = compiled.body.sources().collect();
    let (json, form) = (json(provider, &sources), form(&sources));
    match compiled.body.reads_forms() {
        true => bodies.extend([form, json]),
        false => bodies.extend([json, form]),
    }
    bodies.extend(
        SPECIAL
            .iter()
            .map(|body| Bytes::from_static(body.as_bytes())),
    );
    bodies
}

/// An object with the values that are signed, the type and the id of the event.
fn json(provider: &Provider, sources: &[&BodySource]) -> Bytes {
    let metadata = [provider.event_type(), provider.delivery_id()];
    let metadata = metadata.into_iter().flatten();
    let metadata = metadata.filter_map(Locator::as_json);
    let signed = sources.iter().filter_map(|source| match source {
        BodySource::Json(pointer) | BodySource::JsonString(pointer) | BodySource::Span(pointer) => {
            Some(Cow::Owned(pointer.to_string()))
        }
        _ => None,
    });
    let mut body = b"{}".to_vec();
    for pointer in metadata.chain(signed) {
        body = with_json(&body, &pointer, TEXT, Value::Text).unwrap_or(body);
    }
    if body == b"{}" {
        // An empty object says nothing, and is no delivery of its own.
        body = with_json(&body, "/test", TEXT, Value::Text).unwrap_or(body);
    }
    body.into()
}

/// A form with the values that are signed.
fn form(sources: &[&BodySource]) -> Bytes {
    let mut body = with_field(b"", TEXT, TEXT);
    for source in sources {
        body = match source {
            BodySource::Form(name) => with_field(body.as_bytes(), name, TEXT),
            BodySource::FormJson(name, pointer) => {
                let fields = form_urlencoded::parse(body.as_bytes()).into_owned();
                let mut fields = fields.filter(|(field, _)| **field == **name);
                let document = fields.next().map_or("{}".to_owned(), |(_, value)| value);
                let document = with_json(document.as_bytes(), pointer, TEXT, Value::Text);
                let document = document.and_then(|document| String::from_utf8(document).ok());
                with_field(body.as_bytes(), name, &document.unwrap_or_default())
            }
            _ => body,
        };
    }
    body.into()
}
