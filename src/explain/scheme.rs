//! Readings of a scheme: other algorithms, other signed content, other providers, other units of
//! time.

use std::{borrow::Cow, collections::HashMap, ops::Range, sync::LazyLock};

use crate::{
    explain::{head::Sink, shape::Shape, url},
    provider::Provider,
    providers,
    scheme::{
        algorithm::{Algorithm, Keying},
        definition::{Coverage, Scheme},
        locator::Locator,
        signature::Grammar,
        timestamp::{TimeUnit, Timestamp},
    },
};

const MACS: [(Algorithm, &str); 5] = [
    (Algorithm::HmacSha256, "sha256"),
    (Algorithm::HmacSha384, "sha384"),
    (Algorithm::HmacSha512, "sha512"),
    (Algorithm::HmacSha1, "sha1"),
    (Algorithm::HmacMd5, "md5"),
];

/// With the same keys.
const OF_RSA: [(Algorithm, &str); 3] = [
    (Algorithm::RsaPkcs1Sha256, "sha256"),
    (Algorithm::RsaPkcs1Sha384, "sha384"),
    (Algorithm::RsaPkcs1Sha512, "sha512"),
];

const DIGESTS: [(Algorithm, &str); 3] = [
    (Algorithm::Sha256, "digest-sha256"),
    (Algorithm::Sha512, "digest-sha512"),
    (Algorithm::Sha1, "digest-sha1"),
];

/// The name of an algorithm in the name of a cause.
pub(super) fn hash_name(algorithm: Algorithm) -> String {
    let known = MACS
        .iter()
        .chain(&DIGESTS)
        .find(|(known, _)| *known == algorithm);
    known.map_or_else(|| algorithm.to_string(), |(_, name)| (*name).to_owned())
}

fn is_symmetric(shape: &Shape) -> bool {
    matches!(
        shape.scheme.algorithm().keying(),
        Keying::Mac | Keying::Content | Keying::None
    )
}

/// The scheme with another algorithm, also where the hash is named in front of the signature.
fn with_algorithm(shape: &Shape, algorithm: Algorithm, signed: &str) -> [Option<Shape>; 2] {
    let changed = shape.with_scheme(|scheme| {
        scheme.algorithm = algorithm;
        scheme.signed = Cow::Owned(signed.to_owned());
        scheme.coverage = Coverage::Body;
        let special = scheme.special.take();
        scheme.special = special.map(|special| {
            let changed = special.0.with_algorithm(algorithm);
            changed.unwrap_or(special)
        });
    });
    let old = hash_name(shape.scheme.algorithm());
    let new = hash_name(algorithm);
    let rename = |text: &mut Cow<'static, str>| {
        let renamed = text.replace(
            old.trim_start_matches("digest-"),
            new.trim_start_matches("digest-"),
        );
        let is_other = renamed != *text;
        *text = Cow::Owned(renamed);
        is_other
    };
    let mut renamed = changed.clone();
    let is_renamed = match &mut renamed.scheme.signature.grammar {
        // Each is renamed, and not the first alone.
        Grammar::Single { prefixes } => {
            prefixes
                .iter_mut()
                .filter_map(|prefix| rename(prefix).then_some(()))
                .count()
                > 0
        }
        Grammar::List { prefix, .. } => rename(prefix),
        Grammar::Fields { field, .. } => rename(field),
        Grammar::Positional { .. } => false,
    };
    [Some(changed), is_renamed.then_some(renamed)]
}

/// The signed content without the secret.
fn without_secret(signed: &str) -> String {
    signed.replace("{secret}", "")
}

pub(super) fn variants(shape: &Shape, sink: &mut Sink<'_>) {
    // Those of the built-in provider are gone from an endpoint that has selected one.
    let built_in = providers::by_name(shape.provider.name());
    let mut all = shape.provider.all_schemes();
    all.extend(built_in.iter().flat_map(Provider::all_schemes));
    for (place, scheme) in all.iter().enumerate() {
        let is_known = all.iter().take(place).any(|known| known == scheme);
        if *scheme != shape.scheme && !is_known {
            let scheme = scheme.clone();
            let name = hash_name(scheme.algorithm());
            let cause = || vec![("algorithm:HASH", name.clone())];
            let with = |scheme| Shape {
                scheme,
                ..shape.clone()
            };
            sink(cause(), with(scheme.clone()));
            let require = shape.scheme.require.clone();
            sink(cause(), with(Scheme { require, ..scheme }));
        }
    }
}

pub(super) fn algorithms(shape: &Shape, sink: &mut Sink<'_>) {
    let own = shape.scheme.algorithm();
    let others: &[(Algorithm, &str)] = match is_symmetric(shape) {
        true => &MACS,
        false if OF_RSA.iter().any(|(of_rsa, _)| *of_rsa == own) => &OF_RSA,
        false => return,
    };
    let signed = without_secret(&shape.scheme.signed);
    for (algorithm, name) in others.iter().copied() {
        if algorithm != own {
            for changed in with_algorithm(shape, algorithm, &signed)
                .into_iter()
                .flatten()
            {
                sink(vec![("algorithm:OTHER", name.to_owned())], changed);
            }
        }
    }
}

pub(super) fn digests(shape: &Shape, sink: &mut Sink<'_>) {
    if !is_symmetric(shape) {
        return;
    }
    let signed = without_secret(&shape.scheme.signed);
    let mut offer = |algorithm, name: &str, content: &str| {
        if algorithm == shape.scheme.algorithm() && *content == *shape.scheme.signed {
            return;
        }
        for changed in with_algorithm(shape, algorithm, content)
            .into_iter()
            .flatten()
        {
            let detail = format!("{name}:{content}");
            sink(vec![("algorithm:HASH:CONTENT", detail)], changed);
        }
    };
    for (algorithm, name) in DIGESTS {
        for content in [format!("{signed}{{secret}}"), format!("{{secret}}{signed}")] {
            offer(algorithm, name, &content);
        }
        if signed != "{body}" {
            offer(algorithm, name, "{body}{secret}");
            offer(algorithm, name, "{secret}{body}");
        }
    }
}

const TEMPLATES: [&str; 21] = [
    "{body}",
    "{ts}{body}",
    "{ts}.{body}",
    "{ts}:{body}",
    "{ts}|{body}",
    "{ts},{body}",
    "{ts}\n{body}",
    "{ts}-{body}",
    "{ts}_{body}",
    "t={ts}.{body}",
    "v0:{body}",
    "{body}{ts}",
    "{body}.{ts}",
    "{body}:{ts}",
    "v0:{ts}:{body}",
    "v1:{ts}:{body}",
    "v1.{ts}.{body}",
    "{url}{body}",
    "{body}{url}",
    "{path}{body}",
    "{method}{path}{body}",
];

/// The signed contents of the built-in providers.
static BUILT_IN: LazyLock<Vec<String>> = LazyLock::new(|| {
    let all = providers::names().filter_map(providers::by_name);
    let mut contents: Vec<String> = Vec::new();
    for provider in all {
        for scheme in provider.schemes() {
            let content = scheme.signed.to_string();
            let is_whole = content.contains("{body}") || content.contains("{body|");
            if is_whole && !content.contains("{secret") && !contents.contains(&content) {
                contents.push(content);
            }
        }
    }
    contents
});

pub(super) fn templates(shape: &Shape, sink: &mut Sink<'_>) {
    common_templates(shape, sink);
    for content in &*BUILT_IN {
        if !TEMPLATES.contains(&&**content) {
            offer(shape, content, sink);
        }
    }
}

pub(super) fn common_templates(shape: &Shape, sink: &mut Sink<'_>) {
    for content in TEMPLATES {
        offer(shape, content, sink);
    }
    // The id in front, in any header that is named so.
    let ids = shape
        .headers
        .iter()
        .filter(|(name, _)| name.to_ascii_lowercase().ends_with("-id"));
    for (id, _) in ids.take(4) {
        for content in [
            "{id}.{ts}.{body}",
            "{id}{ts}{body}",
            "{id}:{ts}:{body}",
            "{id}.{body}",
            "{ts}.{id}.{body}",
        ] {
            let content = content.replace("{id}", &format!("{{header:{id}}}"));
            offer(shape, &content, sink);
        }
    }
}

fn offer(shape: &Shape, content: &str, sink: &mut Sink<'_>) {
    let is_own = *content == *shape.scheme.signed && shape.scheme.special.is_none();
    if is_own || shape.scheme.algorithm().keying() == Keying::Token {
        return;
    }
    let content = if shape.scheme.algorithm().keying() == Keying::Content {
        format!("{content}{{secret}}")
    } else {
        content.to_owned()
    };
    let mut changed = shape.with_scheme(|scheme| {
        scheme.signed = Cow::Owned(content.clone());
        scheme.special = None;
        scheme.coverage = Coverage::Body;
    });
    if content.contains("{ts") && changed.scheme.timestamp.is_none() {
        let mut lines = shape.headers.iter();
        let is_time = |value: &[u8]| value.len() >= 10 && value.iter().all(u8::is_ascii_digit);
        let Some((name, _)) = lines
            .find(|(name, value)| name.to_ascii_lowercase().contains("time") && is_time(value))
        else {
            return;
        };
        changed.scheme.timestamp = Some(Timestamp::at(Locator::header(name.clone())));
    }
    if content.contains("{url") {
        let Some(url) = url::known(shape) else {
            return;
        };
        changed.provider = changed.provider.with_param("url", url);
    }
    sink(vec![("scheme:CONTENT", content)], changed);
}

/// How many of the built-in providers have a signature header, by its name in lower case.
static SENDERS: LazyLock<HashMap<String, usize>> = LazyLock::new(|| {
    let mut senders = HashMap::new();
    for provider in providers::names().filter_map(providers::by_name) {
        for header in provider.signature_headers() {
            let count: &mut usize = senders.entry(header.to_ascii_lowercase()).or_default();
            *count = count.saturating_add(1);
        }
    }
    senders
});

/// A built-in provider whose signature header the request has.
struct Other {
    name: &'static str,
    provider: Provider,
    /// How many of the headers that it sends are there.
    headers: usize,
    /// Whether the headers are those of no other.
    is_sure: bool,
}

/// Those first that the headers speak for most.
fn others(shape: &Shape) -> Vec<Other> {
    // Before all that send as these do.
    const FIRST: [&str; 2] = ["svix", "standard-webhooks"];
    let own = shape.provider.name();
    let is_here = |header: &String| shape.header(header).is_some();
    let mut all: Vec<Other> = providers::names()
        .filter(|name| *name != own && !name.starts_with(&format!("{own}-")))
        .filter_map(|name| {
            let provider = providers::by_name(name)?;
            let signature = provider.signature_headers().find(is_here)?;
            let described = provider
                .event_type()
                .into_iter()
                .chain(provider.delivery_id());
            let described = described.filter_map(|place| place.as_header());
            let required = provider.schemes().flat_map(|scheme| {
                let shape = Shape {
                    scheme: scheme.clone(),
                    provider: provider.clone(),
                    ..shape.clone()
                };
                shape.other_headers()
            });
            let mut beside: Vec<String> = described.map(Cow::into_owned).chain(required).collect();
            beside.sort();
            beside.dedup();
            let headers = beside.iter().filter(|header| is_here(header)).count();
            let owners = SENDERS.get(&signature.to_ascii_lowercase());
            Some(Other {
                is_sure: headers > 0 || owners == Some(&1),
                name,
                headers,
                provider,
            })
        })
        .collect();
    all.sort_by_key(|other| {
        let is_copied = FIRST.contains(&other.name);
        (!is_copied, std::cmp::Reverse(other.headers))
    });
    all
}

/// The built-in providers that the headers name.
pub(super) fn named_providers(shape: &Shape, sink: &mut Sink<'_>) {
    offer_providers(shape, |other| other.is_sure, sink);
}

/// The other built-in providers whose signature header the request has.
pub(super) fn other_providers(shape: &Shape, sink: &mut Sink<'_>) {
    offer_providers(shape, |other| !other.is_sure, sink);
}

fn offer_providers(shape: &Shape, is_wanted: fn(&Other) -> bool, sink: &mut Sink<'_>) {
    for Other { name, provider, .. } in others(shape).into_iter().filter(is_wanted) {
        let provider = match url::known(shape) {
            Some(url) => provider.with_param("url", url),
            None => provider,
        };
        for mut scheme in provider.all_schemes() {
            scheme.require.clear();
            let other = Shape {
                provider: provider.clone(),
                scheme,
                ..shape.clone()
            };
            if !is_same(shape, &other) {
                sink(vec![("provider:NAME", name.to_owned())], other);
            }
        }
    }
}

/// Whether two shapes sign alike.
fn is_same(one: &Shape, other: &Shape) -> bool {
    let (one, other) = (&one.scheme, &other.scheme);
    one.algorithm == other.algorithm
        && one.signed == other.signed
        && one.signature == other.signature
        && one.secret_format == other.secret_format
        && one.special == other.special
}

/// The times in seconds that a sender may mean: of the years 2000 to 2199.
const MEANT: Range<i64> = 946_684_800..7_258_118_400;

/// The time that is meant by one that was read in the wrong unit, and the factor between them.
pub(super) fn misread(seconds: i64) -> Option<(i64, Factor)> {
    if MEANT.contains(&seconds) {
        return None;
    }
    let readings = [
        (seconds.checked_div(1_000), Factor::Thousandth),
        (seconds.checked_mul(1_000), Factor::Thousand),
        (seconds.checked_div(1_000_000), Factor::Less),
        (seconds.checked_div(1_000_000_000), Factor::Less),
    ];
    readings.into_iter().find_map(|(seconds, factor)| {
        let seconds = seconds.filter(|seconds| MEANT.contains(seconds))?;
        Some((seconds, factor))
    })
}

/// The unit of a time, by the unit in which it was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Factor {
    Thousand,
    Thousandth,
    /// A millionth or less.
    Less,
}

/// The name for a time that was read in the wrong unit.
pub(super) fn misread_name(unit: TimeUnit, factor: Factor) -> Option<&'static str> {
    match (unit, factor) {
        (TimeUnit::Seconds, Factor::Thousandth) => Some("timestamp-milliseconds"),
        (TimeUnit::Milliseconds, Factor::Thousand) => Some("timestamp-seconds"),
        (TimeUnit::Seconds, Factor::Less)
        | (TimeUnit::Milliseconds, Factor::Thousandth | Factor::Less) => {
            Some("timestamp-microseconds")
        }
        _ => None,
    }
}

pub(super) fn time_units(shape: &Shape, sink: &mut Sink<'_>) {
    let Some(time) = &shape.scheme.timestamp else {
        return;
    };
    let others = [
        (TimeUnit::Milliseconds, "timestamp-milliseconds"),
        (TimeUnit::Seconds, "timestamp-seconds"),
        (TimeUnit::IsoUtc, "timestamp-date"),
    ];
    for (unit, name) in others {
        if unit != time.unit {
            let changed = shape.with_scheme(|scheme| {
                scheme.timestamp = scheme.timestamp.take().map(|time| time.with_unit(unit));
            });
            sink(vec![(name, String::new())], changed);
        }
    }
}
