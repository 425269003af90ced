//! Tests of your own handler, on axum and on actix-web.
//!
//! ```text
//! cargo test --example my_handler --features axum,actix,test-util
//! ```

fn main() {
    eprintln!("these are tests: cargo test --example my_handler --features axum,actix,test-util");
}

#[cfg(test)]
const OPENED: &str = r#"{"action":"opened"}"#;

#[cfg(test)]
mod on_axum {
    use std::{error::Error, time::Duration};

    use axum::{
        Router,
        body::Body,
        http::{Request, StatusCode},
        routing::post,
    };
    use tower::ServiceExt;
    use tower_webhook::{
        VerifiedEvent, Verifier, WebhookVerifyLayer,
        test_util::{BodyFault, TestSender},
    };

    use crate::OPENED;

    async fn on_event(event: VerifiedEvent<serde_json::Value>) -> StatusCode {
        if event.payload()["action"] == "opened" {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        }
    }

    fn app(verifier: Verifier) -> Router {
        let verify = WebhookVerifyLayer::new(verifier);
        Router::new().route("/webhooks/github", post(on_event).route_layer(verify))
    }

    #[tokio::test]
    async fn signed_events_are_handled_and_forged_ones_refused() -> Result<(), Box<dyn Error>> {
        let sender = TestSender::new("github")?;
        let app = app(sender.verifier()?);
        let request = || Request::post("/webhooks/github");
        let signed = sender.signed(request(), OPENED)?.map(Body::from);
        let response = app.clone().oneshot(signed).await?;
        assert_eq!(response.status(), StatusCode::CREATED);
        for (forgery, forged) in sender.forgeries(request(), OPENED)? {
            let response = app.clone().oneshot(forged.map(Body::from)).await?;
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{forgery}");
        }
        Ok(())
    }

    // The paused clock lets the time limit pass at once.
    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_arrive_is_not_waited_for() -> Result<(), Box<dyn Error>> {
        let sender = TestSender::new("github")?;
        let app = app(sender.verifier()?);
        let signed = sender.signed(Request::post("/webhooks/github"), OPENED)?;
        for (fault, status) in [
            (BodyFault::Slow(Duration::from_secs(1)), StatusCode::CREATED),
            (BodyFault::Stalled, StatusCode::REQUEST_TIMEOUT),
            (BodyFault::BrokenOff, StatusCode::BAD_REQUEST),
        ] {
            let request = fault.apply(signed.clone()).map(Body::new);
            let response = app.clone().oneshot(request).await?;
            assert_eq!(response.status(), status, "{fault:?}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod on_actix {
    use std::error::Error;

    use actix_web::{
        App, HttpResponse,
        http::StatusCode,
        rt::System,
        test::{call_service, init_service},
        web,
    };
    use http::Request;
    use tower_webhook::{
        VerifiedEvent, WebhookVerifyLayer,
        test_util::{TestSender, to_actix},
    };

    use crate::OPENED;

    async fn on_event(event: VerifiedEvent<serde_json::Value>) -> HttpResponse {
        if event.payload()["action"] == "opened" {
            HttpResponse::Created().finish()
        } else {
            HttpResponse::Ok().finish()
        }
    }

    // With the feature `macros` of actix-web: #[actix_web::test] on an async function.
    #[test]
    fn signed_events_are_handled_and_forged_ones_refused() -> Result<(), Box<dyn Error>> {
        System::new().block_on(async {
            let sender = TestSender::new("github")?;
            let verify = WebhookVerifyLayer::new(sender.verifier()?);
            let route = web::post().to(on_event).wrap(verify);
            let app = init_service(App::new().route("/webhooks/github", route)).await;
            let request = || Request::post("/webhooks/github");
            let signed = to_actix(sender.signed(request(), OPENED)?).to_request();
            let response = call_service(&app, signed).await;
            assert_eq!(response.status(), StatusCode::CREATED);
            for (forgery, forged) in sender.forgeries(request(), OPENED)? {
                let response = call_service(&app, to_actix(forged).to_request()).await;
                assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{forgery}");
            }
            Ok(())
        })
    }
}
