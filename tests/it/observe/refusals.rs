//! What operators see of a refusal.

use super::*;

fn entry<T: ToString>(name: &str, value: Option<T>) -> Option<(String, String)> {
    Some((name.to_owned(), value?.to_string()))
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_refusal_has_its_line_span_and_counter_on_every_host() {
    for host in Host::ALL {
        for case in refusals() {
            let place = format!("{host:?}, {}", case.kind);
            let has_layer = case.layer.is_some();
            let operators = Operators::watch();
            host.send::<Value>(case.layer, case.request).await;
            let sight = operators.take();

            let provider = Some(case.provider).filter(|name| !name.is_empty());
            let endpoint = has_layer.then_some("orders");
            let refused: Vec<_> = sight
                .lines
                .iter()
                .filter(|line| {
                    line.message().starts_with("webhook refused: ")
                        || line.message().starts_with("webhook not handled: ")
                })
                .collect();
            assert_eq!(refused.len(), 1, "{place}: {:?}", sight.lines);
            let line = refused[0];
            assert_eq!(line.level, case.level, "{place}");
            let mut fields = line.fields.clone();
            fields.remove("message");
            assert_no_field_twice(line);
            let digest = fields.remove("body_sha256");
            assert_eq!(
                digest.is_some(),
                case.kind == "signature_mismatch",
                "{place}"
            );
            let hints = Some(case.hints).filter(|hints| !hints.is_empty());
            // A verified event is described by the span.
            let extracted = case.kind == "unreadable_payload";
            let expected = [
                entry("kind", Some(case.kind)),
                entry("hints", hints),
                entry("tenant", case.tenant.filter(|_| !extracted)),
                entry("delivery_id", case.delivery),
                entry("unsigned", case.delivery.map(|_| "delivery_id")),
                entry("header", case.header),
                entry("field", case.field),
                entry("skew", case.skew),
                entry("length", case.length),
            ];
            assert_eq!(
                fields,
                Fields::from_iter(expected.into_iter().flatten()),
                "{place}"
            );

            let label = format!(
                "webhook_refused_total{{provider={:?},endpoint={:?},kind={:?},enforced=\"true\"}}",
                case.provider,
                endpoint.unwrap_or_default(),
                case.kind
            );
            let refused: Vec<_> = sight
                .counters
                .iter()
                .filter(|(name, _)| name.starts_with("webhook_refused_total"))
                .collect();
            assert_eq!(refused, [(&label, &1)], "{place}");

            if !has_layer {
                assert_eq!(sight.spans, [], "{place}");
                assert_eq!(line.within, [], "{place}");
                continue;
            }
            assert_eq!(sight.spans.len(), 1, "{place}");
            assert_eq!(line.within.len(), 1, "{place}: the line is in the span");
            let span = &sight.spans[0];
            assert_eq!((span.name, span.level), ("webhook", Level::INFO));
            let key_id = if case.tenant.is_some() {
                "acme-key-3"
            } else {
                "key-1"
            };
            let of_body = ["body_too_large", "signature_mismatch"].contains(&case.kind);
            let expected = [
                entry("provider", provider),
                entry("endpoint", endpoint),
                entry("method", Some("POST")),
                entry("path", Some("/hook")),
                entry("tenant", case.tenant),
                entry("hints", hints.filter(|_| !extracted)),
                entry("delivery_id", case.delivery),
                entry("unsigned", case.delivery.map(|_| "delivery_id")),
                // A genuine event that the handler cannot read was verified all the same.
                entry(
                    "outcome",
                    Some(if extracted { "verified" } else { "refused" }),
                ),
                entry("kind", (!extracted).then_some(case.kind)),
                entry("skew", case.skew),
                entry("bytes", case.length.filter(|_| of_body)),
                entry("bytes", extracted.then_some(8)),
                entry("key_id", extracted.then_some(key_id)),
                entry("variant", extracted.then_some("hmac-sha256")),
            ];
            assert_eq!(
                span.fields,
                Fields::from_iter(expected.into_iter().flatten()),
                "{place}"
            );
            let verified = sight
                .counters
                .keys()
                .any(|name| name.starts_with("webhook_verified_total"));
            assert_eq!(verified, extracted, "{place}");
        }
    }
}

#[tokio::test]
async fn the_text_of_a_sources_error_is_in_the_log() {
    for host in Host::ALL {
        let operators = Operators::watch();
        let layer = looked_up(|| Box::pin(async { Err("the table is locked".into()) }));
        host.send::<Value>(Some(layer), signed("{}")).await;
        let lines = operators.take().lines;
        assert_eq!(
            lines[0].message(),
            "webhook refused: the key source failed: the table is locked"
        );
    }
}

#[tokio::test]
async fn the_text_of_a_sources_error_cannot_disturb_the_log() {
    for host in Host::ALL {
        let operators = Operators::watch();
        let layer = looked_up(|| {
            Box::pin(async { Err("no \"a\u{1b}[31m\nWARN f\u{e4}ke\u{2028}\"".into()) })
        });
        host.send::<Value>(Some(layer), signed("{}")).await;
        let lines = operators.take().lines;
        assert_eq!(
            lines[0].message(),
            "webhook refused: the key source failed: no \"a\\u{1b}[31m\\u{a}WARN f\u{e4}ke\\u{2028}\""
        );
    }
}

#[tokio::test]
async fn scanners_do_not_suppress_the_lines_of_senders() {
    let layer = layer(svix());
    let operators = Operators::watch();
    for _ in 0..50 {
        let scan = Request::post("/hook")
            .body(TestBody::from(Bytes::new()))
            .unwrap();
        Host::Axum.send::<Value>(Some(layer.clone()), scan).await;
    }
    let mut sender = svix_at(NOW, "msg");
    sender.headers_mut().remove("svix-signature");
    Host::Axum.send::<Value>(Some(layer), sender).await;
    let levels: Vec<Level> = operators
        .take()
        .lines
        .iter()
        .map(|line| line.level)
        .collect();
    assert_eq!(
        levels.iter().filter(|level| **level == Level::INFO).count(),
        20
    );
    assert_eq!(levels.last(), Some(&Level::WARN));
}

#[tokio::test]
async fn a_sender_that_names_the_provider_is_no_scanner() {
    for (agent, level) in [
        (
            "Svix-Webhooks/1.62 (sender-9YMgn; +https://www.svix.com/http-sender/)",
            Level::WARN,
        ),
        ("Mozilla/5.0 zgrab/0.x", Level::INFO),
    ] {
        let operators = Operators::watch();
        let request = Request::post("/hook").header("user-agent", agent);
        let request = request.body(TestBody::from(Bytes::new())).unwrap();
        Host::Axum.send::<Value>(Some(layer(svix())), request).await;
        assert_eq!(operators.take().lines[0].level, level, "{agent}");
    }
}

/// The first column of the runbook's tables: names in backquotes, perhaps with a status.
fn runbook_rows() -> Vec<(&'static str, Option<u16>)> {
    let runbook = include_str!("../../../RUNBOOK.md");
    let rows = runbook.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("| `")?.split_once('`')?;
        Some((name, rest.get(1..4).and_then(|status| status.parse().ok())))
    });
    rows.collect()
}

#[test]
fn the_runbook_has_a_line_for_every_kind_hint_and_note() {
    let rows = runbook_rows();
    for kind in RejectionKind::ALL {
        let row = (kind.as_str(), Some(kind.status().as_u16()));
        assert_eq!(
            rows.iter().filter(|other| **other == row).count(),
            1,
            "{kind}"
        );
    }
    let hints = Hint::ALL.iter().map(|hint| hint.as_str());
    let notes = NoteKind::ALL.iter().map(|note| note.as_str());
    for name in hints.chain(notes) {
        let count = rows.iter().filter(|other| **other == (name, None)).count();
        assert_eq!(count, 1, "{name}");
    }
    // A kind that is gone has no line.
    let known = |name: &str| name.parse::<RejectionKind>().is_ok();
    let gone: Vec<_> = rows
        .iter()
        .filter(|(name, status)| status.is_some() && !known(name))
        .collect();
    assert!(gone.is_empty(), "{gone:?}");
}

#[test]
fn every_kind_that_verification_has_is_seen_here() {
    // What a delivery layer refuses is seen where deliveries are tested.
    let of_deliveries = |kind: &&str| kind.starts_with("delivery_") || kind.starts_with("handler");
    // And what has to do with handshakes, where those are.
    let of_handshakes = [
        "forgeable_body",
        "malformed_challenge",
        "challenge_refused",
        "method_not_allowed",
    ];
    let all = RejectionKind::ALL.iter().map(|kind| kind.as_str());
    let all = all.filter(|kind| !of_deliveries(kind) && !of_handshakes.contains(kind));
    let all: BTreeSet<&str> = all.collect();
    let seen: BTreeSet<&str> = refusals().iter().map(|case| case.kind).collect();
    assert_eq!(all, seen);
}

#[tokio::test(start_paused = true)]
async fn the_three_hosts_tell_the_same() {
    let mut told = Vec::new();
    for host in Host::ALL {
        let mut sights = Vec::new();
        for case in refusals() {
            let operators = Operators::watch();
            let status = host.send::<Value>(case.layer, case.request).await;
            let mut sight = operators.take();
            for line in &mut sight.lines {
                // Why a body broke off is each server's own.
                line.within.clear();
            }
            sights.push((case.kind, status, sight));
        }
        let operators = Operators::watch();
        let status = host
            .send::<Value>(Some(layer(svix())), svix_at(NOW - 7, "msg"))
            .await;
        sights.push(("verified", status, operators.take()));
        told.push(sights);
    }
    for other in &told[1..] {
        for (first, other) in told[0].iter().zip(other) {
            assert_eq!(first, other);
        }
    }
}
