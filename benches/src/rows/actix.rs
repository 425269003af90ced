//! Middleware of an actix-web application, and extractors of its handler.

use std::sync::Arc;

use ::actix_web::{
    App, Error, HttpResponse,
    body::MessageBody,
    dev::{Payload, Service, ServiceResponse},
    test::{TestRequest, init_service},
    web,
};
use actix_http::Request;
use tower_webhook::{VerifiedEvent, WebhookVerifyLayer};
use webhook_verify::actix::{VerifiedBody, WebhookConfig};

use super::{
    Field, ONE_KEY,
    peers::{self, WEBHOOK_VERIFY},
};
use crate::{
    place::Place,
    row::{BARE, OURS, Row, finish},
    workload::Sample,
};

struct Actix<S> {
    name: &'static str,
    service: S,
    sample: Arc<Sample>,
    accepts: bool,
    ready: Vec<Request>,
}

impl<S, B> Row for Actix<S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn place(&self) -> Place {
        Place::Actix
    }

    fn prepare(&mut self, requests: usize) {
        self.ready.clear();
        for _ in 0..requests {
            let mut request = TestRequest::post().uri("/hook");
            for (name, value) in &self.sample.headers {
                request = request.append_header((name.as_str(), value.as_bytes()));
            }
            let payload: Payload = Payload::Stream {
                payload: Box::pin(self.sample.frames()),
            };
            self.ready
                .push(request.to_request().replace_payload(payload).0);
        }
    }

    fn run(&mut self) -> Result<(), String> {
        for request in self.ready.drain(..) {
            let response = finish(self.service.call(request))?;
            let status = match response {
                Ok(response) => response.status(),
                Err(error) => error.as_response_error().status_code(),
            };
            if status.is_success() != self.accepts {
                return Err(format!("answered {status}"));
            }
        }
        Ok(())
    }
}

async fn handle() -> HttpResponse {
    HttpResponse::Ok().finish()
}

async fn on_event(event: VerifiedEvent) -> HttpResponse {
    drop(event);
    HttpResponse::Ok().finish()
}

async fn on_body(body: VerifiedBody) -> HttpResponse {
    drop(body);
    HttpResponse::Ok().finish()
}

pub(super) fn add(field: &mut Field, sample: &Arc<Sample>) {
    let workload = sample.workload;
    macro_rules! push {
        ($name:expr, $accepts:expr, $app:expr) => {
            field.push(Actix {
                name: $name,
                service: finish(init_service($app)).unwrap(),
                sample: Arc::clone(sample),
                accepts: $accepts,
                ready: Vec::new(),
            })
        };
    }
    push!(
        BARE,
        true,
        App::new().route("/hook", web::post().to(handle))
    );
    let layer = WebhookVerifyLayer::new(workload.verifier());
    let route = web::post().to(on_event).wrap(layer);
    push!(OURS, workload.accepts(), App::new().route("/hook", route));
    if workload.keys > 1 {
        return field.lacks(Place::Actix, WEBHOOK_VERIFY, ONE_KEY);
    }
    let (provider, secret) = peers::webhook_verify(workload);
    let app = App::new()
        .app_data(WebhookConfig::new(provider, secret))
        .app_data(web::PayloadConfig::new(64 << 20))
        .route("/hook", web::post().to(on_body));
    push!(WEBHOOK_VERIFY, workload.accepts(), app);
}
