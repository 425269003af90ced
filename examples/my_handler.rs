//! Tests of your own handler, on axum and on actix-web.
//!
//! ```text
//! cargo test --example my_handler --features axum,actix
//! ```

fn main() {
    eprintln!("these are tests: cargo test --example my_handler --features axum,actix");
}

#[cfg(test)]
const SECRET: &str = "It's a Secret to Everybody";

#[cfg(test)]
mod on_axum {
    use axum::{
        Router,
        body::Body,
        http::{Request, StatusCode},
        routing::post,
    };
    use tower::ServiceExt;
    use tower_webhook::{
        Secret, Signer, VerifiedEvent, Verifier, WebhookVerifyLayer, providers::github,
    };

    use crate::SECRET;

    async fn on_event(event: VerifiedEvent<serde_json::Value>) -> StatusCode {
        if event.payload()["action"] == "opened" {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        }
    }

    fn app() -> Router {
        let verifier = Verifier::new(github(), Secret::new(SECRET)).unwrap();
        let route = post(on_event).route_layer(WebhookVerifyLayer::new(verifier));
        Router::new().route("/webhooks/github", route)
    }

    #[tokio::test]
    async fn a_signed_event_is_handled() {
        let signer = Signer::new(github(), Secret::new(SECRET)).unwrap();
        let request = Request::post("/webhooks/github");
        let request = signer.sign(request, r#"{"action":"opened"}"#).unwrap();
        let response = app().oneshot(request.map(Body::from)).await.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
    }

    #[tokio::test]
    async fn an_unsigned_event_is_refused() {
        let request = Request::post("/webhooks/github").body(Body::from("{}"));
        let response = app().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
}

#[cfg(test)]
mod on_actix {
    use actix_web::{
        App, HttpResponse,
        http::StatusCode,
        rt::System,
        test::{TestRequest, call_service, init_service},
        web,
    };
    use http::Request;
    use tower_webhook::{
        Secret, Signer, VerifiedEvent, Verifier, WebhookVerifyLayer, providers::github,
    };

    use crate::SECRET;

    async fn on_event(event: VerifiedEvent<serde_json::Value>) -> HttpResponse {
        if event.payload()["action"] == "opened" {
            HttpResponse::Created().finish()
        } else {
            HttpResponse::Ok().finish()
        }
    }

    /// The status that a request of these headers and this body gets.
    async fn status(headers: &http::HeaderMap, body: &'static str) -> StatusCode {
        let verifier = Verifier::new(github(), Secret::new(SECRET)).unwrap();
        let route = web::post()
            .to(on_event)
            .wrap(WebhookVerifyLayer::new(verifier));
        let app = init_service(App::new().route("/webhooks/github", route)).await;
        let mut request = TestRequest::post().uri("/webhooks/github");
        for (name, value) in headers {
            request = request.append_header((name.as_str(), value.as_bytes()));
        }
        let request = request.set_payload(body).to_request();
        call_service(&app, request).await.status()
    }

    // With the feature `macros` of actix-web: #[actix_web::test] on an async function.
    #[test]
    fn a_signed_event_is_handled_and_an_unsigned_one_refused() {
        let body = r#"{"action":"opened"}"#;
        let signer = Signer::new(github(), Secret::new(SECRET)).unwrap();
        let signed = signer
            .sign(Request::post("/webhooks/github"), body)
            .unwrap();
        System::new().block_on(async {
            assert_eq!(status(signed.headers(), body).await, StatusCode::CREATED);
            let unsigned = http::HeaderMap::new();
            assert_eq!(status(&unsigned, body).await, StatusCode::UNAUTHORIZED);
        });
    }
}
