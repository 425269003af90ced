//! Recorded requests that are signed anew.

use bytes::Bytes;
use http::Request;
use support::at;
use tower_webhook::verify::Head;

use super::{config_by_name, named};
use crate::vectors::Kind;

/// Long after every vector, and with as many digits.
const LATER: u64 = 4_000_000_000;

#[test]
fn what_a_vendor_sent_is_made_fresh_for_every_name_with_a_secret() {
    let (mut fresh, mut failures) = (0, Vec::new());
    for entry in named().values() {
        let vectors = entry.vectors();
        let mut valid = vectors.iter().filter(|vector| vector.valid);
        let vector = valid.find(|vector| vector.scheme_override.is_none());
        let (Some(vector), true) = (vector, entry.spec(None).kind != Kind::Signature) else {
            continue;
        };
        let config = config_by_name(entry, vector).unwrap();
        let mut request = Request::builder()
            .method(vector.method.as_deref().unwrap_or("POST"))
            .uri(vector.target());
        for (name, value) in &vector.headers {
            request = request.header(name, value);
        }
        let request = request.body(Bytes::from(vector.body.clone())).unwrap();
        let verifier = config.endpoint(&entry.id).unwrap();
        let signer = config.signer(&entry.id).unwrap().with_time(at(LATER));
        let verdict = signer.resign(request).map_err(|error| error.to_string());
        let verdict = verdict.and_then(|request| {
            let (head, body) = request.into_parts();
            let event = verifier.verify(&Head::from(&head), body, at(LATER));
            event.map_err(|rejection| rejection.to_string())
        });
        match verdict {
            Ok(_) => fresh += 1,
            Err(problem) => failures.push(format!("{}: {problem}", entry.id)),
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(fresh >= 166, "{fresh}");
}
