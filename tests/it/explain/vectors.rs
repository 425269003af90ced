//! The faulty requests of `vectors/explain.json`, each with its cause.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use tower_webhook::{
    Secret,
    capture::CapturedRequest,
    explain::{Budget, Providers, Report, Secrets, Verdict, diagnose},
    providers,
};

#[derive(Deserialize)]
pub(super) struct Vector {
    pub(super) id: String,
    want: Option<String>,
    provider: String,
    secret: String,
    #[serde(default)]
    other_secrets: BTreeMap<String, String>,
    #[serde(default)]
    mounts: Vec<String>,
    #[serde(flatten)]
    request: serde_json::Value,
}

impl Vector {
    pub(super) fn secrets(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.secret).chain(self.other_secrets.values())
    }
}

pub(super) fn vectors() -> Vec<Vector> {
    #[derive(Deserialize)]
    struct File {
        vectors: Vec<Vector>,
    }
    let text = include_str!("../../vectors/explain.json");
    serde_json::from_str::<File>(text).unwrap().vectors
}

/// These requests are genuine here: the provider accepts either family of headers, either prefix of
/// secrets, or either reading of its page.
const ACCEPTED: [&str; 3] = [
    "other-header-family",
    "v1-comma-before-whsec",
    "other-construction",
];

pub(super) fn explained(vector: &Vector) -> (CapturedRequest, Report) {
    let captured = CapturedRequest::read(vector.request.to_string().as_bytes()).unwrap();
    let provider = providers::by_name(&vector.provider).unwrap();
    let mounts = vector.mounts.iter();
    let providers = mounts.fold(Providers::new(provider), |all, mount| all.with_mount(mount));
    let secrets = Secrets::new(Secret::new(&*vector.secret));
    let secrets = vector
        .other_secrets
        .iter()
        .fold(secrets, |all, (name, secret)| {
            all.with_other(name, Secret::new(&**secret))
        });
    let budget = Budget::default()
        .with_time(Duration::from_secs(120))
        .with_readings(300_000);
    let report = diagnose(&providers, &secrets, &captured, budget);
    (captured, report)
}

#[test]
fn every_cause_is_named_exactly() {
    let mut wrong = Vec::new();
    for vector in vectors() {
        let (_, report) = explained(&vector);
        let verdict = match &vector.want {
            None => Verdict::Unexplained,
            Some(_) if ACCEPTED.contains(&&*vector.id) => report.verdict(),
            Some(_) => Verdict::Proven,
        };
        // Which parts of the URL differ is not in the vector.
        let is_named = match (vector.want.as_deref(), report.cause()) {
            (Some("url:"), Some(cause)) => cause.starts_with("url:"),
            (want, cause) => want == cause,
        };
        if !is_named || report.verdict() != verdict {
            wrong.push(format!("{}: {:?}\n{report}", vector.id, vector.want));
        }
        assert!(report.tried().left_out().next().is_none(), "{}", vector.id);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
