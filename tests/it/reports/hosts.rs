//! The same hints, answers and log lines on Tower, axum and actix-web.

use std::{collections::BTreeMap, convert::Infallible};

use actix_web::{
    App, HttpResponse,
    dev::Payload as ActixPayload,
    error::PayloadError,
    http::Method as ActixMethod,
    test::{TestRequest, call_service, init_service},
    web,
};
use axum::{Router, body::Body, routing::any};
use futures_core::Stream;
use http::Response;
use http_body_util::{BodyExt, Full, Limited};
use support::{Answer, Lines};
use tower::{Layer, ServiceExt, service_fn};
use tower_webhook::{Hint, WebhookVerifyLayer};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use super::{
    table::{Row, rows},
    *,
};

#[derive(Clone, Copy, Debug)]
pub(super) enum Host {
    Tower,
    Axum,
    Actix,
}

/// What the client sees, and the rejection in the extensions of the response.
pub(super) struct Answered {
    pub(super) client: Client,
    pub(super) rejection: Option<Rejection>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Client {
    pub(super) status: u16,
    headers: BTreeMap<String, String>,
    body: Bytes,
}

impl Host {
    pub(super) const ALL: [Self; 3] = [Self::Tower, Self::Axum, Self::Actix];

    /// Sends a request to a handler that answers 200. With a limit, an outer layer cuts the body
    /// off there.
    pub(super) async fn send(
        self,
        site: &Site,
        request: Request<Bytes>,
        limit: Option<usize>,
    ) -> Answered {
        let layer = WebhookVerifyLayer::new(site.verifier.clone()).with_clock(|| at(NOW));
        let limit = limit.unwrap_or(usize::MAX);
        match self {
            Self::Tower => {
                let handler =
                    service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Answer::default()));
                let request = request.map(|body| Body::new(Limited::new(Full::new(body), limit)));
                let answer = layer.layer(handler).oneshot(request).await.unwrap();
                read(answer).await
            }
            Self::Axum => {
                let route = any(async || ()).layer(layer);
                let app = Router::new().route("/hook", route);
                let request = request.map(|body| Body::new(Limited::new(Full::new(body), limit)));
                read(app.oneshot(request).await.unwrap()).await
            }
            Self::Actix => on_actix(layer, request, limit).await,
        }
    }
}

async fn read<B: http_body::Body>(answer: Response<B>) -> Answered
where
    B::Error: std::fmt::Debug,
{
    let (head, body) = answer.into_parts();
    let headers = head.headers.iter();
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    Answered {
        client: Client {
            status: head.status.as_u16(),
            // A server writes this one.
            headers: headers
                .filter(|(name, _)| name != "content-length")
                .collect(),
            body: body.collect().await.unwrap().to_bytes(),
        },
        rejection: head.extensions.get().cloned(),
    }
}

async fn on_actix(layer: WebhookVerifyLayer, request: Request<Bytes>, limit: usize) -> Answered {
    let (head, body) = request.into_parts();
    let method = ActixMethod::from_bytes(head.method.as_str().as_bytes()).unwrap();
    let mut request = TestRequest::default().method(method).uri(head.uri.path());
    for (name, value) in &head.headers {
        request = request.append_header((name.as_str(), value.as_bytes()));
    }
    let chunk = if body.len() > limit {
        Err(PayloadError::Overflow)
    } else {
        Ok(body)
    };
    let stream = Box::pin(one_chunk(chunk)) as std::pin::Pin<Box<dyn Stream<Item = _>>>;
    let payload = ActixPayload::Stream { payload: stream };
    let (request, _) = request.to_request().replace_payload(payload);
    let route = web::route().to(async || HttpResponse::Ok().finish());
    let app = init_service(App::new().route("/hook", route.wrap(layer))).await;
    let answer = call_service(&app, request).await.into_parts().1;
    let headers = answer.headers().iter();
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let (status, headers) = (answer.status().as_u16(), headers.collect());
    let rejection = answer.extensions().get().cloned();
    let body = actix_web::body::to_bytes(answer.into_body()).await.unwrap();
    Answered {
        client: Client {
            status,
            headers,
            body,
        },
        rejection,
    }
}

/// A stream of one chunk.
fn one_chunk<T: Unpin>(chunk: T) -> impl Stream<Item = T> {
    struct Once<T>(Option<T>);
    impl<T: Unpin> Stream for Once<T> {
        type Item = T;

        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<T>> {
            std::task::Poll::Ready(self.0.take())
        }
    }
    Once(Some(chunk))
}

/// A request whose body an outer layer cuts off, at each host.
pub(super) async fn cut_off(host: Host, limit: usize) -> Answered {
    let github = Site::of("github");
    host.send(&github, github.sign("0123456789"), Some(limit))
        .await
}

#[tokio::test]
async fn every_host_gives_the_hints_of_the_core_and_an_empty_answer() {
    for host in Host::ALL {
        for row in rows() {
            let Row {
                about,
                what,
                outcome: expected,
                ..
            } = row;
            let place = format!("{host:?}: {about}: {what}");
            let (lines, _guard) = Lines::of_this_thread(LevelFilter::INFO, FmtSpan::NONE);
            let answered = host.send(&row.site, row.request, None).await;
            let refused = lines.with("webhook refused: ");
            drop(_guard);
            assert_eq!(outcome(answered.rejection.as_ref()), expected, "{place}");
            let Some(rejection) = answered.rejection else {
                assert_eq!(answered.client.status, 200, "{place}");
                assert_eq!(refused, [""; 0], "{place}");
                continue;
            };
            assert_eq!(
                answered.client.status,
                rejection.status().as_u16(),
                "{place}"
            );
            assert!(answered.client.body.is_empty(), "{place}");
            // The line has the hints as a field, and their sentences.
            assert_eq!(refused.len(), 1, "{place}: {}", lines.text());
            let hints: Vec<_> = rejection.hints().map(Hint::as_str).collect();
            let field = format!(" hints={}", hints.join(","));
            assert_eq!(
                refused[0].contains(&field),
                !hints.is_empty(),
                "{place}: {}",
                refused[0]
            );
            assert_eq!(
                refused[0].contains(" hints="),
                !hints.is_empty(),
                "{place}: {}",
                refused[0]
            );
            let text = rejection.to_string();
            for sentence in text.rsplit("; ").take(hints.len()) {
                assert!(
                    refused[0].contains(sentence),
                    "{place}: {sentence}: {}",
                    refused[0]
                );
            }
        }
    }
}

#[tokio::test]
async fn the_limit_of_an_outer_layer_has_a_hint_of_its_own() {
    for host in Host::ALL {
        let answered = cut_off(host, 9).await;
        let rejection = answered.rejection.unwrap();
        assert_eq!(
            outcome(Some(&rejection)),
            "body_too_large: outer_limit",
            "{host:?}"
        );
        assert_eq!(answered.client.status, 413, "{host:?}");
        assert!(answered.client.body.is_empty(), "{host:?}");
        assert!(cut_off(host, 10).await.rejection.is_none(), "{host:?}");
    }
}
