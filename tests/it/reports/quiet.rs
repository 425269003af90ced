//! Hints follow from what anybody can see of a request: not from how far a comparison came, nor
//! from a key. No part of a secret, a signature or a body is shown, and the client sees no hint.

use std::collections::BTreeMap;

use support::Lines;
use tower_webhook::keys::{KeySet, Tenant, source_fn};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use super::{
    hosts::{Answered, Client, Host, cut_off},
    table::rows,
    *,
};

/// Everything that the operator reads.
fn shown(rejection: &Rejection) -> (String, String) {
    (outcome(Some(rejection)), rejection.to_string())
}

#[test]
fn hints_do_not_depend_on_how_far_a_comparison_came() {
    for name in support::FOUNDING {
        let site = Site::of(name);
        let signed = site.sign("{}");
        let expected = site.signature("{}");
        let mut seen = None;
        // The first byte, the last, each in between, and all.
        let digits = expected.trim_end_matches('=');
        let start = digits.rfind(['=', ',']).map_or(0, |place| place + 1);
        let other = |letter: char| if letter == 'a' { 'b' } else { 'a' };
        let is_digit = |letter: char| letter.is_ascii_alphanumeric();
        let last = digits.len();
        for place in start..last {
            // The last digit of base64 has bits that are not part of the signature.
            if place + 1 == last && expected.ends_with('=') {
                continue;
            }
            let changed: String = expected
                .char_indices()
                .map(|(index, letter)| {
                    if index == place {
                        other(letter)
                    } else {
                        letter
                    }
                })
                .collect();
            compare(&site, &signed, &expected, &changed, &mut seen, name);
        }
        let all: String = expected
            .char_indices()
            .map(|(index, letter)| {
                if index >= start && is_digit(letter) {
                    'A'
                } else {
                    letter
                }
            })
            .collect();
        compare(&site, &signed, &expected, &all, &mut seen, name);
        assert!(
            seen.unwrap().0.starts_with("signature_mismatch: "),
            "{name}"
        );
    }
}

fn compare(
    site: &Site,
    signed: &Request<Bytes>,
    expected: &str,
    changed: &str,
    seen: &mut Option<(String, String)>,
    name: &str,
) {
    let mut request = signed.clone();
    for value in request.headers_mut().values_mut() {
        if value == expected {
            *value = HeaderValue::from_str(changed).unwrap();
        }
    }
    let shown = shown(&site.refuse(&request));
    let first = seen.get_or_insert_with(|| shown.clone());
    assert_eq!(first, &shown, "{name}: {changed}");
}

#[test]
fn hints_do_not_depend_on_the_number_or_place_of_keys_and_signatures() {
    let github = |secrets: &[&str]| {
        let secrets: Vec<_> = secrets.iter().map(|secret| Secret::new(*secret)).collect();
        Verifier::new(providers::github(), secrets).unwrap()
    };
    let [one, two, three] = [
        "an-unrelated-secret-1",
        "an-unrelated-secret-2",
        "an-unrelated-secret-3",
    ];
    let request = Site::of("github").sign("{}");
    let (head, body) = parts(&request);
    let answers = [&[one][..], &[one, two], &[two, one, three]].map(|secrets| {
        let verdict = github(secrets).verify(&Head::from(&head), body.clone(), at(NOW));
        shown(&verdict.unwrap_err())
    });
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

/// The answer must not reveal whether a tenant exists.
#[tokio::test]
async fn an_unknown_tenant_has_no_hints_of_its_own() {
    let site = Site::of("github");
    let request = site.sign("{}");
    let (head, body) = parts(&request);
    let tenant = |secret: &str| {
        let keys = KeySet::new(&providers::github(), Secret::new(secret)).unwrap();
        Tenant::new("acme", keys)
    };
    let source = source_fn(|_| async { Ok(None) });
    let verifier = Verifier::from_key_source(providers::github(), source).unwrap();
    let checked = |tenant: Option<&Tenant>| {
        let checked = verifier.check_head(&Head::from(&head), at(NOW)).unwrap();
        let mut request = checked.with_tenant(tenant).unwrap();
        request.update(body.clone()).unwrap();
        request.verify()
    };
    let unknown = checked(None).unwrap_err();
    assert_eq!(outcome(Some(&unknown)), "unknown_tenant");
    let wrong = checked(Some(&tenant("another-secret-of-length"))).unwrap_err();
    assert_eq!(outcome(Some(&wrong)), "signature_mismatch: never_verified");
    assert_eq!(
        unknown.to_response().headers(),
        wrong.to_response().headers()
    );
    assert_eq!(unknown.status(), wrong.status());
    assert!(checked(Some(&tenant(TEXT))).is_ok());
}

/// A sender must not learn from an answer what the operator suspects.
#[tokio::test]
async fn the_client_sees_the_same_with_and_without_a_hint() {
    for host in Host::ALL {
        let mut answers = BTreeMap::<&str, Vec<(bool, Client)>>::new();
        for row in rows() {
            let Answered { client, rejection } = host.send(&row.site, row.request, None).await;
            let Some(rejection) = rejection else { continue };
            let has_hints = rejection.hints().next().is_some();
            answers
                .entry(rejection.kind().as_str())
                .or_default()
                .push((has_hints, client));
        }
        let Answered { client, rejection } = cut_off(host, 9).await;
        answers
            .entry(rejection.unwrap().kind().as_str())
            .or_default()
            .push((true, client));
        let mut compared = 0;
        for (kind, answers) in &answers {
            let (_, first) = &answers[0];
            for (_, other) in answers {
                assert_eq!(first, other, "{host:?}: {kind}");
            }
            let with = answers.iter().filter(|(has_hints, _)| *has_hints).count();
            compared += usize::from(with > 0 && with < answers.len());
        }
        assert!(compared >= 5, "{host:?}: {compared} kinds have both");
        // Every 401 is the same, of whatever kind.
        let mut unauthorized = answers
            .values()
            .flatten()
            .filter(|(_, client)| client.status == 401);
        let (_, first) = unauthorized.next().unwrap();
        assert!(unauthorized.all(|(_, other)| first == other), "{host:?}");
    }
}

/// Eight bytes with a letter among them are enough to recognise a secret, a signature or a body.
#[tokio::test]
async fn no_text_or_line_has_a_part_of_a_body_a_secret_or_a_signature() {
    const PART: usize = 8;
    let mut parts_seen = 0;
    for row in rows() {
        let (head, body) = parts(&row.request);
        // The type and the id of an event are logged, and nothing else of a header.
        let refused = row.site.verify(&row.request).err();
        let logged = refused.as_ref().into_iter();
        let logged = logged.flat_map(|refused| [refused.event_type(), refused.delivery_id()]);
        let logged: Vec<_> = logged.flatten().map(str::as_bytes).collect();
        let values = head
            .headers
            .iter()
            .filter(|(name, value)| *name != "content-type" && !logged.contains(&value.as_bytes()));
        let values = values.map(|(_, value)| value.as_bytes().to_vec());
        let secrets = [TEXT, STRIPE, SVIX].map(|secret| secret.as_bytes().to_vec());
        // What the right signature would have been.
        let signed = row.site.signer.sign(Request::post("/hook"), body.clone());
        let signed = signed.map(|signed| signed.into_parts().0.headers);
        let signed = signed.unwrap_or_default();
        let expected = signed.values().map(|value| value.as_bytes().to_vec());
        let hidden: Vec<_> = values
            .chain(secrets)
            .chain(expected)
            .chain([body.to_vec()])
            .collect();

        let mut shown = String::new();
        for host in Host::ALL {
            let (lines, _guard) = Lines::of_this_thread(LevelFilter::TRACE, FmtSpan::FULL);
            let answered = host.send(&row.site, row.request.clone(), None).await;
            shown.push_str(&lines.text());
            if let Some(rejection) = answered.rejection {
                shown.push_str(&format!("{rejection} {rejection:?} {rejection:#?}"));
            }
        }
        let windows = hidden.iter().flat_map(|text| text.windows(PART));
        for part in windows.filter_map(|part| std::str::from_utf8(part).ok()) {
            if part.contains(|letter: char| letter.is_ascii_alphabetic()) {
                parts_seen += 1;
                assert!(
                    !shown.contains(part),
                    "{}: {}: {part:?} in {shown}",
                    row.about,
                    row.what
                );
            }
        }
    }
    assert!(parts_seen > 10_000, "{parts_seen}");
}
