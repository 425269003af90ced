//! [`KeyList`]: every key that the known secrets may mean.

use std::{collections::HashMap, time::SystemTime};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    explain::{
        Secrets,
        found::Found,
        hypothesis::{HYPOTHESES, Rewrite, named},
        secret::{self, Reading},
    },
    keys::{public_key::PublicKey, secret::Secret},
    scheme::secret_format::SecretFormat,
};

/// A key, and the changes to a secret that give it.
pub(super) struct KeyReading {
    /// The bytes in hexadecimal, or the text of a public key.
    text: Zeroizing<String>,
    pub(super) found: Vec<Found>,
    /// Other changes that give the same key.
    pub(super) also: Vec<String>,
    /// What a report calls the secret.
    pub(super) label: Option<String>,
    /// Whether it is a key of the endpoint that is not valid at the time of the request.
    pub(super) is_outside_window: bool,
}

/// The keys for one secret format, by the number of changes: none, one and two.
pub(super) struct KeyList {
    pub(super) by_changes: [Vec<KeyReading>; 3],
    /// Whether there are more than are tried.
    pub(super) has_more: bool,
    is_public: bool,
}

/// The most keys with as many changes.
const MOST: usize = 4000;

impl KeyList {
    /// `at` is the time of the request, if it is known.
    pub(super) fn new(
        secrets: &Secrets,
        format: &SecretFormat,
        is_public: bool,
        at: Option<SystemTime>,
    ) -> Self {
        let mut list = Builder {
            list: Self {
                by_changes: Default::default(),
                has_more: false,
                is_public,
            },
            known: HashMap::new(),
            format,
        };
        let configured: Vec<Start> = secrets
            .configured
            .iter()
            .map(|secret| Start {
                text: Zeroizing::new(secret.text().to_owned()),
                found: Vec::new(),
                label: secret.id.as_deref().map(str::to_owned),
                is_outside_window: at.is_some_and(|at| !secret.is_valid_at(at)),
            })
            .collect();
        let others = secrets.others.iter().map(|(name, secret)| Start {
            text: Zeroizing::new(secret.text().to_owned()),
            found: vec![
                named("other-secret:NAME").with(crate::rejection::shown(name).into_string()),
            ],
            label: Some(name.clone()),
            is_outside_window: false,
        });
        for start in &configured {
            list.add_text(start);
        }
        // A reading of what is configured comes before another secret that gives the same key.
        let mut once: Vec<Start> = Vec::new();
        for start in &configured {
            once.extend(list.change(start));
        }
        for start in others {
            list.add_text(&start);
            once.push(start);
        }
        for start in &once {
            list.change(start);
        }
        list.list
    }

    /// The secrets of keys, as a provider with [`secret::raw_format`] takes them, without ids.
    pub(super) fn secrets(&self, changes: usize) -> Vec<Secret> {
        let readings = self.by_changes.get(changes).into_iter().flatten();
        let secrets = readings.map(|reading| {
            let secret = Secret::new(reading.text.as_str());
            if self.is_public {
                PublicKey::from_secret(secret).into()
            } else {
                secret
            }
        });
        secrets.collect()
    }
}

/// A text that may be changed further.
struct Start {
    text: Zeroizing<String>,
    found: Vec<Found>,
    label: Option<String>,
    is_outside_window: bool,
}

struct Builder<'f> {
    list: KeyList,
    /// Where a key is in the list, by its digest.
    known: HashMap<[u8; 32], (usize, usize)>,
    format: &'f SecretFormat,
}

impl Builder<'_> {
    fn add_text(&mut self, start: &Start) {
        if is_other(&start.found) && secret::is_guessable(&start.text) {
            return;
        }
        if self.list.is_public {
            self.add(start.text.clone(), start.found.clone(), start);
        } else if let Some(key) = secret::decoded(&start.text, self.format) {
            self.add(secret::raw(&key), start.found.clone(), start);
        }
    }

    fn add(&mut self, text: Zeroizing<String>, found: Vec<Found>, start: &Start) {
        let changes = found.len();
        let place = self.known.get(&digest(&text)).copied();
        let names = found.iter().map(Found::name).collect::<Vec<_>>().join("|");
        if let Some((known_changes, place)) = place {
            let known = self
                .list
                .by_changes
                .get_mut(known_changes)
                .and_then(|list| list.get_mut(place));
            let Some(known) = known.filter(|_| changes == known_changes) else {
                return;
            };
            known.is_outside_window &= start.is_outside_window;
            let known_names = known.found.iter().map(Found::name);
            let is_same = known_names.collect::<Vec<_>>().join("|") == names;
            if changes > 0 && !is_same && !known.also.contains(&names) {
                known.also.push(names);
            }
            return;
        }
        let Some(list) = self.list.by_changes.get_mut(changes) else {
            return;
        };
        if list.len() >= MOST {
            self.list.has_more = true;
            return;
        }
        self.known.insert(digest(&text), (changes, list.len()));
        list.push(KeyReading {
            text,
            found,
            also: Vec::new(),
            label: start.label.clone(),
            is_outside_window: start.is_outside_window,
        });
    }

    /// Adds every change of a text, and returns the texts among them.
    fn change(&mut self, start: &Start) -> Vec<Start> {
        let mut texts = Vec::new();
        for hypothesis in HYPOTHESES {
            let Rewrite::Secret(rewrite) = hypothesis.rewrite else {
                continue;
            };
            let mut readings = Vec::new();
            rewrite(&start.text, self.format, &mut |detail, reading| {
                readings.push((detail, reading))
            });
            for (detail, reading) in readings {
                // The same change twice is another reading of one.
                if start
                    .found
                    .iter()
                    .any(|found| found.hypothesis == hypothesis.name)
                {
                    continue;
                }
                let mut found = start.found.clone();
                found.push(hypothesis.with(detail));
                match reading {
                    Reading::Text(text) => {
                        let next = Start {
                            text,
                            found,
                            label: start.label.clone(),
                            is_outside_window: start.is_outside_window,
                        };
                        self.add_text(&next);
                        texts.push(next);
                    }
                    Reading::Key(key) if !self.list.is_public => {
                        if is_other(&found) && key.len() < secret::SHORTEST {
                            continue;
                        }
                        self.add(secret::raw(&key), found, start);
                    }
                    Reading::Key(_) => {}
                }
            }
        }
        texts
    }
}

/// Whether a secret is none of those that are configured, which may be any value of a file.
fn is_other(found: &[Found]) -> bool {
    let mut found = found.iter();
    found.any(|found| found.hypothesis == "other-secret:NAME")
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
