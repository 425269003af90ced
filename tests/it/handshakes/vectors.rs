//! The recorded questions, by the name of the provider.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request};
use support::{
    at,
    handshakes::{Case, Expect, Got, Seen, Vector, entries, supported},
};
use tower_webhook::{
    Config, Secret, Verifier,
    handshake::{self, Answer},
    providers,
    verify::Head,
};

use super::{HANDLED, Watch, ask, by_hand, by_route};

fn report(problems: &[String]) {
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn config(case: &Case) -> Config {
    let document = &case.document;
    Config::from_toml_str(document).unwrap_or_else(|error| panic!("{error}\n{document}"))
}

fn problems(case: &Case, got: &Got) -> Vec<String> {
    let problems = case.vector.problems(got, |body| body == HANDLED.as_bytes());
    let problems = problems.into_iter();
    let (name, note) = (&case.name, &case.vector.note);
    problems
        .map(|problem| format!("{name}, {note}: {problem}: {got:?}"))
        .collect()
}

#[test]
fn there_are_as_many_as_were_recorded() {
    let (all, supported) = (entries(), supported());
    assert_eq!(
        all.iter().map(|entry| entry.vectors().len()).sum::<usize>(),
        150
    );
    assert_eq!(supported.len(), 146);
    let answered = supported
        .iter()
        .filter(|case| case.vector.expect == Expect::Answered);
    assert_eq!(answered.count(), 41);
}

#[tokio::test]
async fn every_question_is_answered_by_the_layers() {
    let mut all = Vec::new();
    for case in supported() {
        let watch = Watch::default();
        let layer = config(&case).layer(&case.name).unwrap();
        let app = by_hand(layer, case.vector.now, &watch);
        let request = case.vector.request("/hook").map(Body::from);
        let got = ask(&app, &watch, request).await;
        all.extend(problems(&case, &got));
    }
    report(&all);
}

#[tokio::test]
async fn every_question_is_answered_by_the_route_of_the_configuration() {
    let mut all = Vec::new();
    for case in supported() {
        // The route has the machine's clock.
        if ["front-app", "slack", "twitch"].contains(&&*case.provider) {
            continue;
        }
        let watch = Watch::default();
        let app = by_route(&config(&case), &case.name, &watch).unwrap();
        let request = case.vector.request("/hook").map(Body::from);
        let got = ask(&app, &watch, request).await;
        all.extend(problems(&case, &got));
    }
    report(&all);
}

/// What a host without layers makes of the pure answer.
fn pure(verifier: &Verifier, vector: &Vector) -> Got {
    let headers: Vec<_> = vector.request.headers.iter().collect();
    let target = format!("/hook?{}", vector.request.query);
    let head = Head::new(&headers)
        .with_method(&vector.request.method)
        .with_target(&target);
    let body = Bytes::from(vector.request.body.clone());
    let now = at(vector.now);
    let got = |response: http::Response<Bytes>, seen| {
        let (head, body) = response.into_parts();
        Got {
            status: head.status,
            headers: head.headers,
            body,
            seen,
        }
    };
    let verified = |answer: http::Response<Bytes>| match verifier.verify(&head, body.clone(), now) {
        Ok(_) => got(answer, vec![Seen::Event]),
        Err(rejection) => got(rejection.to_response().map(|()| Bytes::new()), Vec::new()),
    };
    match handshake::answer(verifier, verifier.keys(), &head, &body, now) {
        Answer::NoHandshake => verified(http::Response::new(HANDLED.into())),
        Answer::Answered(answer) => got(answer, Vec::new()),
        Answer::Refused(rejection) => {
            got(rejection.to_response().map(|()| Bytes::new()), Vec::new())
        }
        Answer::Delivered(answer) => verified(answer),
        Answer::HandedOver(handed_over) => {
            let seen = Seen::of(handed_over.event().task());
            got(handed_over.done(), vec![seen])
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_question_is_answered_without_a_layer() {
    let mut all = Vec::new();
    for case in supported() {
        let verifier = config(&case).endpoint(&case.name).unwrap();
        let got = pure(&verifier, &case.vector);
        all.extend(problems(&case, &got));
    }
    report(&all);
}

/// None of the questions of others is one for a provider that asks nothing.
#[tokio::test]
async fn a_provider_without_handshakes_answers_as_before() {
    let questions = supported();
    let quiet = providers::all().filter(|known| known.handshake().is_empty());
    let mut asked = 0;
    for known in quiet {
        let Some(provider) = known.provider() else {
            continue;
        };
        let secret = Secret::new("d2hhdGV2ZXItdGhpcy1pcy1pdC1pcy1sb25n");
        let Ok(verifier) = Verifier::new(provider, secret) else {
            continue;
        };
        for Case { vector, .. } in &questions {
            let headers: Vec<_> = vector.request.headers.iter().collect();
            let target = format!("/hook?{}", vector.request.query);
            let head = Head::new(&headers)
                .with_method(&vector.request.method)
                .with_target(&target);
            let body = Bytes::from(vector.request.body.clone());
            let answer =
                handshake::answer(&verifier, verifier.keys(), &head, &body, at(vector.now));
            assert!(matches!(answer, Answer::NoHandshake), "{}", known.name());
            asked += 1;
        }
    }
    assert!(asked > 10_000, "{asked}");
}

/// An endpoint that lacks a setting refuses what needs it, as it did before there were handshakes.
#[tokio::test]
async fn a_question_without_its_setting_is_refused_as_any_other() {
    for (lines, request) in [
        (
            "provider = \"meta\"\nsecret = \"a-secret-of-some-length\"",
            "/hook?hub.mode=subscribe&hub.verify_token=&hub.challenge=1",
        ),
        (
            "provider = \"vercel\"\nsecret = \"a-secret-of-some-length\"",
            "/hook",
        ),
    ] {
        let watch = Watch::default();
        let app = by_hand(super::layer_of(lines), 0, &watch);
        let request = Request::get(request).body(Body::empty()).unwrap();
        let got = ask(&app, &watch, request).await;
        assert_eq!((got.status.as_u16(), got.seen.len()), (401, 0), "{lines}");
        assert_ne!(got.headers, HeaderMap::new());
    }
}
