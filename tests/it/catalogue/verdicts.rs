//! What the vectors say of each provider.

use tower_webhook::{Provider, providers};

use super::{config_by_name, named, variant_of, verifier_by_name};
use crate::vectors::{Entry, Kind, SKIPPED_VECTORS, sign_and_verify, wrong};

fn is_skipped(entry: &Entry, note: Option<&str>) -> bool {
    let mut skipped = SKIPPED_VECTORS.iter();
    skipped.any(|(id, words, _)| *id == entry.id && Some(*words) == note)
}

#[test]
fn every_vector_gets_its_verdict_by_the_name_of_its_provider() {
    let (mut ran, mut left_out, mut failures) = (0, 0, Vec::new());
    for entry in named().values() {
        for (index, vector) in entry.vectors().iter().enumerate() {
            let note = vector.note.as_deref();
            if is_skipped(entry, note) || variant_of(&entry.id, vector).is_none() {
                left_out += 1;
                continue;
            }
            let verifier = match verifier_by_name(entry, vector) {
                Ok(verifier) => verifier,
                Err(error) => {
                    failures.push(error);
                    continue;
                }
            };
            let verdict = vector.verify(&verifier);
            if let Some(wrong) = wrong(&verdict, vector.valid, note) {
                failures.push(format!("{} vector {index} ({note:?}): {wrong}", entry.id));
            }
            ran += 1;
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(left_out, 7);
    assert!(ran >= 698, "{ran}");
}

/// The schemes of a provider, as text, without what makes no difference or is known to differ: the
/// case of headers, the way in which Supabase shows secrets, and times in the future, which the
/// rows limit as those in the past.
fn schemes(provider: &Provider) -> String {
    let text = format!("{provider:?}").to_lowercase();
    let (_, schemes) = text.split_once("schemes: ").unwrap();
    let (schemes, _) = schemes.split_once(", params: ").unwrap();
    let schemes = schemes.replace(r#", "v1,whsec_""#, "");
    let schemes = schemes.replace(r#"["v1,whsec_"]"#, r#"["whsec_"]"#);
    match schemes.split_once(" }), secret_format") {
        Some((time, rest)) if time.contains("past: some") => {
            let (time, _) = time.split_once("future: ").unwrap();
            format!("{time}{rest}")
        }
        _ => schemes,
    }
}

/// Providers whose own scheme differs from that of their entry, and how.
const DIFFERENT: [(&str, &str); 7] = [
    ("authento", "it has two variants, in hex or base64"),
    ("persona", "it has a window, which the vendor leaves open"),
    ("standard-webhooks", "it takes Ed25519 as well"),
    (
        "svix",
        "it takes Ed25519, and the headers of Standard Webhooks",
    ),
    ("veriff", "it takes the signature in another header as well"),
    ("voveid", "as svix"),
    ("worldpay", "the id of the key is a parameter"),
];

#[test]
fn each_row_is_the_scheme_that_its_entry_gives_as_a_configuration() {
    let mut different = Vec::new();
    for entry in named().values() {
        let vectors = entry.vectors();
        let plain = vectors
            .iter()
            .find(|vector| vector.scheme_override.is_none());
        let Some(vector) = plain else { continue };
        let (Ok(described), Ok(built_in)) =
            (entry.verifier_for(vector), verifier_by_name(entry, vector))
        else {
            continue;
        };
        let (described, built_in) = (schemes(described.provider()), schemes(built_in.provider()));
        if described != built_in {
            different.push((entry.id.clone(), format!("{described}\n{built_in}")));
        }
    }
    let known = DIFFERENT.map(|(id, _)| id);
    let found: Vec<_> = different.iter().map(|(id, _)| &**id).collect();
    assert_eq!(found, known, "{different:#?}");
}

#[test]
fn the_signer_signs_for_every_name_with_a_secret() {
    let (mut signed, mut failures) = (0, Vec::new());
    for entry in named().values() {
        let spec = entry.spec(None);
        let vectors = entry.vectors();
        let vector = vectors
            .iter()
            .find(|vector| vector.valid && vector.scheme_override.is_none());
        let (Some(vector), true) = (vector, spec.kind != Kind::Signature) else {
            continue;
        };
        let config = config_by_name(entry, vector).unwrap();
        match sign_and_verify(entry, vector, &config) {
            Ok(event) => assert_eq!(event.coverage(), spec.covers(), "{}", entry.id),
            Err(failure) => failures.push(failure),
        }
        signed += 1;
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(signed >= 166, "{signed}");
}

/// A provider of public keys needs a feature, which is on here; without it, the error names it.
#[test]
fn a_name_stays_what_it_was_when_it_is_built() {
    for name in providers::names() {
        assert_eq!(providers::by_name(name).unwrap().name(), name);
    }
}
