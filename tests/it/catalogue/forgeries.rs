//! What each provider refuses: a changed request, and those of others.

use std::collections::BTreeSet;

use support::at;
use tower_webhook::{RejectionKind, Verifier, scheme::Coverage, verify::Head};

use super::{named, variant_of, verifier_by_name};
use crate::vectors::{Entry, OneOrMany, Vector, example_key, has_other_signature};

/// The headers of which the signed content is made.
fn signed_headers(entry: &Entry, vector: &Vector) -> BTreeSet<String> {
    let spec = entry.spec(None);
    let content = spec.message.as_deref().unwrap_or("");
    let named = content.split("{header:").skip(1);
    let mut names: BTreeSet<String> = named
        .map(|rest| rest.split(['}', '|']).next().unwrap().to_lowercase())
        .collect();
    if let Some(ts) = spec
        .ts
        .filter(|ts| ts.place == "header" && content.contains("{ts"))
    {
        names.insert(ts.name.to_lowercase());
    }
    let present = |name: &String| {
        let mut headers = vector.headers.keys();
        headers.any(|header| header.eq_ignore_ascii_case(name))
    };
    names.retain(present);
    names
}

fn flip(text: &str, place: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    if let Some(byte) = bytes.get_mut(place) {
        *byte = if *byte == b'7' { b'8' } else { b'7' };
    }
    String::from_utf8(bytes).unwrap()
}

/// The value with every signature in it changed: a letter of hex for the one beside it.
fn forged(value: &str) -> String {
    const PAIRS: [&str; 6] = ["ab", "cd", "ef", "AB", "CD", "EF"];
    let change = |letter: char| {
        let pair = PAIRS.iter().find(|pair| pair.contains(letter));
        pair.and_then(|pair| pair.chars().find(|other| *other != letter))
            .unwrap_or(letter)
    };
    value.chars().map(change).collect()
}

/// The changed requests that have to be refused, each with what was changed.
fn changes(entry: &Entry, vector: &Vector, coverage: Coverage) -> Vec<(String, Vector)> {
    let mut all = Vec::new();
    if coverage == Coverage::Body && vector.body.is_ascii() && !vector.body.is_empty() {
        for place in [0, vector.body.len() / 2, vector.body.len() - 1] {
            let mut changed = vector.clone();
            changed.body = flip(&vector.body, place);
            all.push((format!("body at {place}"), changed));
        }
        let mut longer = vector.clone();
        longer.body.push(' ');
        all.push(("body longer".to_owned(), longer));
    }
    for header in signed_headers(entry, vector) {
        let mut changed = vector.clone();
        for (name, value) in &mut changed.headers {
            if name.eq_ignore_ascii_case(&header) {
                *value = flip(value, value.len() / 2);
            }
        }
        all.push((format!("header {header}"), changed));
    }
    let spec = entry.spec(None);
    let names = match &spec.sig.name {
        OneOrMany::One(name) => std::slice::from_ref(name),
        OneOrMany::Many(names) => names,
    };
    if spec.sig.is_in_header() {
        let mut changed = vector.clone();
        for (name, value) in &mut changed.headers {
            if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                *value = forged(value);
            }
        }
        all.push(("signature".to_owned(), changed));
    }
    if let (Some(_), Some(tolerance)) = (&spec.ts, spec.tolerance_s) {
        let mut late = vector.clone();
        late.now += 2 * tolerance + 1;
        all.push(("the clock".to_owned(), late));
    }
    all
}

#[test]
fn a_change_of_anything_that_is_signed_is_refused() {
    let (mut ran, mut failures) = (0, Vec::new());
    for entry in named().values() {
        for vector in entry.vectors() {
            if !vector.valid || variant_of(&entry.id, &vector) != Some(None) {
                continue;
            }
            let Ok(verifier) = verifier_by_name(entry, &vector) else {
                continue;
            };
            let Ok(event) = vector.verify(&verifier) else {
                continue;
            };
            for (what, changed) in changes(entry, &vector, event.coverage()) {
                ran += 1;
                if changed.verify(&verifier).is_ok() {
                    failures.push(format!("{}: {what}", entry.id));
                }
            }
            // Without any of its headers the request has no signature, or none of this provider.
            let headers: Vec<_> = vector.headers.iter().collect();
            for left_out in 0..headers.len() {
                let mut rest = headers.clone();
                let (name, _) = rest.remove(left_out);
                let head = Head::new(&rest)
                    .with_method(vector.method.as_deref().unwrap_or("POST"))
                    .with_target(vector.target());
                let is_signed = signed_headers(entry, &vector).contains(&name.to_lowercase());
                let verdict = verifier.verify(&head, vector.body.clone(), at(vector.now));
                if is_signed && verdict.is_ok() {
                    failures.push(format!("{}: without {name}", entry.id));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(ran >= 461, "{ran}");
}

#[test]
fn another_key_is_refused() {
    let mut ran = 0;
    for entry in named().values() {
        let vectors = entry.vectors().into_iter();
        let mut plain = vectors.filter(|vector| vector.scheme_override.is_none());
        let Some(own) = plain.find(|vector| vector.valid) else {
            continue;
        };
        let mut key = example_key(entry);
        if own.keys().contains(&key) {
            // The example of a public key is that of the vectors.
            key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a".to_owned();
        }
        let other = own.with_keys(vec![key]);
        let Ok(verifier) = verifier_by_name(entry, &other) else {
            continue;
        };
        let rejection = other.verify(&verifier).unwrap_err();
        assert!(
            matches!(
                rejection.kind(),
                RejectionKind::SignatureMismatch | RejectionKind::MissingField
            ),
            "{}: {rejection:?}",
            entry.id
        );
        ran += 1;
    }
    assert!(ran >= 171, "{ran}");
}

/// The class of equal schemes, with what the catalogue of schemes counts as another one because its
/// secrets are written differently.
fn class(entry: &Entry) -> Option<&str> {
    match &*entry.id {
        "supabase-auth-hooks" => Some("standard-webhooks"),
        _ => entry.same_as.as_deref(),
    }
}

/// Providers that take a header family of another as well: what Svix sends under the names of
/// Standard Webhooks.
const BOTH_FAMILIES: [&str; 2] = ["svix", "voveid"];

#[test]
fn a_request_passes_at_another_provider_only_if_the_scheme_is_the_same() {
    let entries = named();
    let by_any_key = |entry: &Entry| {
        let mut vectors = entry.vectors().into_iter();
        let plain = vectors.find(|vector| vector.scheme_override.is_none())?;
        verifier_by_name(entry, &plain.with_keys(vec![example_key(entry)])).ok()
    };
    let others: Vec<(&Entry, Option<Verifier>)> = entries
        .values()
        .map(|entry| (entry, by_any_key(entry)))
        .collect();
    let (mut requests, mut compared) = (0, 0);
    let (mut passed, mut failures) = (BTreeSet::new(), BTreeSet::new());
    for sender in entries.values() {
        for mut vector in sender.vectors() {
            if !vector.valid || vector.scheme_override.is_some() {
                continue;
            }
            requests += 1;
            let keys = vector.keys();
            vector = vector.with_keys(keys);
            for (receiver, with_another_key) in &others {
                if receiver.id == sender.id {
                    continue;
                }
                // Most requests are refused whatever the key is.
                if let Some(verifier) = with_another_key
                    && let Err(rejection) = vector.verify(verifier)
                    && !matches!(
                        rejection.kind(),
                        RejectionKind::SignatureMismatch | RejectionKind::UnexpectedHeader
                    )
                {
                    continue;
                }
                // The key of one may be none for the other.
                let Ok(verifier) = verifier_by_name(receiver, &vector) else {
                    continue;
                };
                compared += 1;
                let is_same = class(sender).is_some() && class(sender) == class(receiver);
                let is_both = BOTH_FAMILIES.contains(&&*receiver.id)
                    && class(sender) == Some("standard-webhooks");
                if vector.verify(&verifier).is_err() {
                    continue;
                }
                let pair = format!("{} at {}", sender.id, receiver.id);
                if is_same || is_both || has_other_signature(sender, receiver) {
                    passed.insert(pair);
                } else {
                    failures.insert(pair);
                }
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(compared > requests, "{compared}");
    assert!(
        requests >= 220 && passed.len() >= 241,
        "{requests}, {}",
        passed.len()
    );
}
