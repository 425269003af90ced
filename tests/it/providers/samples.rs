//! The published samples of the providers that have types: `vectors/seeds` has requests and their
//! bodies, `vectors/readings` what each provider's data makes of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{NOW, SVIX_SECRET, at, samples, unhex, vector_file};
use tower_webhook::{
    Identity, Provider, RejectionKind, Secret, Signer, VerifiedEvent, Verifier, providers,
    verify::Head,
};

use super::{authenteq, authento, idenfy, voveid};
use crate::vectors::refusal_of;

#[derive(Deserialize)]
struct Seeds {
    count: usize,
    vectors: Vec<Seed>,
}

/// A request that was published, or made like those that were, and its verdict.
#[derive(Deserialize)]
pub(super) struct Seed {
    pub(super) id: String,
    scheme: String,
    pub(super) file: Option<String>,
    body: Option<String>,
    body_len: usize,
    body_sha256: String,
    secret: Option<String>,
    secrets: Option<Vec<String>>,
    pub(super) headers: BTreeMap<String, String>,
    now: Option<u64>,
    pub(super) expect_ok: bool,
    expect_reason: Option<String>,
}

/// What is known of a provider's samples.
#[derive(Deserialize)]
struct Readings {
    params: BTreeMap<String, String>,
    /// The variant that the vectors mean by their word for a scheme. Without it there is one.
    variants: BTreeMap<String, String>,
    /// The one that counts only where it is named.
    named: Option<String>,
    /// Of the verdicts under each variant: how many accept, and how many refuse.
    verdicts: [usize; 2],
    /// What each sample says, by its file. `null` for the body of a forgery.
    samples: BTreeMap<String, Value>,
}

const PROVIDERS: [&str; 4] = ["authenteq", "authento", "idenfy", "voveid"];

fn readings(provider: &str) -> Readings {
    serde_json::from_slice(&vector_file(&format!("readings/{provider}.json"))).unwrap()
}

/// What a sample of a provider says, by its file.
pub(super) fn expected(provider: &str) -> BTreeMap<String, Value> {
    readings(provider).samples
}

pub(super) fn seeds(file: &str) -> Vec<Seed> {
    let seeds: Seeds = serde_json::from_slice(&vector_file(&format!("seeds/{file}.json"))).unwrap();
    assert_eq!(seeds.vectors.len(), seeds.count, "{file}");
    seeds.vectors
}

/// Those of one provider.
fn seeds_of(provider: &str) -> Vec<Seed> {
    let mut seeds = match provider {
        "voveid" => seeds("vectors"),
        _ => seeds(provider),
    };
    seeds.retain(|seed| seed.id.starts_with(provider));
    seeds
}

impl Seed {
    pub(super) fn body(&self) -> Vec<u8> {
        let body = match (&self.file, &self.body) {
            (Some(file), None) => vector_file(&format!("seeds/{file}")),
            (None, Some(text)) => text.as_bytes().to_vec(),
            _ => panic!("{}: one body", self.id),
        };
        assert_eq!(body.len(), self.body_len, "{}", self.id);
        let digest = Sha256::digest(&body);
        assert_eq!(digest.as_slice(), unhex(&self.body_sha256), "{}", self.id);
        body
    }

    fn secrets(&self) -> Vec<Secret> {
        let one = || vec![self.secret.clone().unwrap()];
        let texts = self.secrets.clone().unwrap_or_else(one);
        texts.into_iter().map(Secret::new).collect()
    }

    fn verify(&self, verifier: &Verifier) -> Result<VerifiedEvent, RejectionKind> {
        let headers: Vec<_> = self.headers.iter().collect();
        let now = self.now.map_or(UNIX_EPOCH, at);
        let verdict = verifier.verify(&Head::new(&headers), self.body(), now);
        verdict.map_err(|rejection| rejection.kind())
    }

    /// Why it is refused, where it is.
    fn refusal(&self) -> Option<RejectionKind> {
        assert_eq!(self.expect_reason.is_none(), self.expect_ok, "{}", self.id);
        // Hex of 32 bytes is also base64, of 48 bytes: no signature of this algorithm.
        let reason = match &*self.id {
            "voveid-hex-instead-of-base64" => Some("no v1 signature"),
            _ => self.expect_reason.as_deref(),
        };
        reason.map(refusal_of)
    }
}

impl Readings {
    /// The provider with one variant only, or as it comes.
    fn provider(&self, name: &str, variant: Option<&str>) -> Provider {
        let mut provider = providers::by_name(name).unwrap();
        for (key, value) in &self.params {
            provider = provider.with_param(key.clone(), value.clone());
        }
        variant.map_or(provider.clone(), |variant| {
            provider.select_variant(variant).unwrap()
        })
    }
}

#[test]
fn every_sample_gets_its_verdict_under_each_variant() {
    for name in PROVIDERS {
        let readings = readings(name);
        let all: BTreeSet<Option<&str>> =
            readings.variants.values().map(|one| Some(&**one)).collect();
        let (mut accepted, mut refused) = (0, 0);
        for seed in seeds_of(name) {
            let own = readings.variants.get(&seed.scheme).map(|own| &**own);
            let refusal = seed.refusal();
            for variant in all.iter().copied().chain([None]) {
                let provider = readings.provider(name, variant);
                let verifier = Verifier::new(provider, seed.secrets()).unwrap();
                let fits = match variant {
                    None => own.is_none() || own != readings.named.as_deref(),
                    Some(_) => variant == own,
                };
                let place = format!("{} under {variant:?}", seed.id);
                match seed.verify(&verifier) {
                    Ok(event) => {
                        assert!(seed.expect_ok && fits, "{place}: accepted");
                        if let Some(own) = own {
                            assert_eq!(event.variant(), own, "{place}");
                        }
                        accepted += 1;
                    }
                    Err(kind) => {
                        assert!(!(seed.expect_ok && fits), "{place}: {kind}");
                        let expected = refusal.unwrap_or(RejectionKind::SignatureMismatch);
                        assert_eq!(kind, expected, "{place}");
                        refused += 1;
                    }
                }
            }
        }
        assert_eq!([accepted, refused], readings.verdicts, "{name}");
    }
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

/// What the provider's types and [`Identity`] read in an event.
fn reading(name: &str, event: &VerifiedEvent) -> Value {
    let payload = match name {
        "authenteq" => authenteq::reading(event),
        "authento" => authento::reading(event),
        "idenfy" => idenfy::reading(event),
        _ => voveid::reading(event),
    };
    let identity = event.parse::<Option<Identity>>().unwrap().into_payload();
    let identity = identity.map(|identity| {
        json!({
            "outcome": identity.outcome().as_str(),
            "is_final": identity.is_final(),
            "subject": identity.subject(),
            "session": identity.session(),
            "reasons": identity.reasons().collect::<Vec<_>>(),
            "occurred_at": identity.occurred_at().map(millis),
        })
    });
    json!({
        "event_type": event.event_type(),
        "has_delivery_id": event.delivery_id().is_some(),
        "has_timestamp": event.timestamp().is_some(),
        "identity": identity,
        "payload": payload,
    })
}

/// A sample as the provider sent it, where a vector says how; else signed by us.
fn event_of(name: &str, readings: &Readings, file: &str, body: Bytes) -> VerifiedEvent {
    let provider = readings.provider(name, None);
    let file = format!("{name}/{file}");
    let seeds = seeds_of(name).into_iter();
    let mut sent = seeds.filter(|seed| seed.file.as_ref() == Some(&file));
    let event = sent.find_map(|seed| {
        let verifier = Verifier::new(provider.clone(), seed.secrets());
        seed.verify(&verifier.unwrap()).ok()
    });
    event.unwrap_or_else(|| {
        let secret = Secret::new(SVIX_SECRET);
        let signer = Signer::new(provider.clone(), secret.clone()).unwrap();
        let request = signer.with_time(at(NOW)).sign(Request::post("/"), body);
        let (head, body) = request.unwrap().into_parts();
        let verifier = Verifier::new(provider, secret).unwrap();
        verifier.verify(&Head::from(&head), body, at(NOW)).unwrap()
    })
}

#[test]
fn every_sample_has_its_reading() {
    let mut wrong = Vec::new();
    for name in PROVIDERS {
        let readings = readings(name);
        let samples = samples(name);
        let files: BTreeSet<_> = samples.iter().map(|(file, _)| file).collect();
        assert_eq!(files, readings.samples.keys().collect(), "{name}");
        for (file, body) in samples {
            let expected = &readings.samples[&file];
            // The body of a forgery. Its verdict is that of its vector.
            if expected.is_null() {
                continue;
            }
            let got = reading(name, &event_of(name, &readings, &file, body));
            if got != *expected {
                wrong.push(format!("{file}: {got:#}\nand not {expected:#}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn published_samples_get_the_verdicts_that_are_known() {
    let mut accepted = 0;
    for seed in seeds("vectors") {
        if seed.id.starts_with("voveid-") {
            continue;
        }
        let verifier = match &*seed.id {
            "external-standard-webhooks" => {
                Verifier::new(providers::standard_webhooks(), seed.secrets())
            }
            "external-svix-docs" => Verifier::new(providers::svix(), seed.secrets()),
            "external-fractal-id" => Verifier::new(providers::fractal_id(), seed.secrets()),
            other => panic!("{other}"),
        };
        assert_eq!(seed.refusal(), None, "{}", seed.id);
        seed.verify(&verifier.unwrap()).unwrap();
        accepted += 1;
    }
    assert_eq!(accepted, 3);
}
