//! The routes, and the answer to an accepted event.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use serde::Serialize;
use tower::{ServiceBuilder, ServiceExt};
use tower_webhook::{
    Config, Identity, Payload, PayloadError, SetupError, VerifiedEvent,
    delivery::DeliveryLayer,
    handshake::{HandshakeEvent, HandshakeLayer},
    multipart::Part,
    providers::{
        authenteq, authento, blockpass, complycube, didit, idenfy, kycaid, metamap, onfido,
        persona, plaid, shufti_pro, stripe, sumsub, veriff, voveid,
    },
};

use crate::stats::{Snapshot, Stats};

/// Serves the routes of one configuration until another one replaces them.
#[derive(Clone)]
pub(crate) struct App {
    routes: Arc<RwLock<Router>>,
    /// Built once: another layer would have another store.
    deliveries: Option<DeliveryLayer>,
    stats: Stats,
    /// A fixed time, in seconds since 1970.
    now: Option<u64>,
}

impl App {
    pub(crate) fn new(config: &Config, now: Option<u64>) -> Result<Self, SetupError> {
        let stats = Stats::default();
        let deliveries = config.deliveries()?.map(|layer| {
            let counters = stats.clone();
            layer.on_delivery(move |event, outcome| {
                counters.count_delivery(event.endpoint().unwrap_or_default(), outcome);
            })
        });
        let routes = routes(config, deliveries.as_ref(), &stats, now)?;
        Ok(Self {
            routes: Arc::new(RwLock::new(routes)),
            deliveries,
            stats,
            now,
        })
    }

    /// Serves another configuration from now on, except for its deliveries. Requests in flight
    /// finish with the old one, and the counters continue.
    pub(crate) fn replace(&self, config: &Config) -> Result<(), SetupError> {
        let routes = routes(config, self.deliveries.as_ref(), &self.stats, self.now)?;
        *self.routes.write().unwrap_or_else(PoisonError::into_inner) = routes;
        Ok(())
    }

    /// Waits for handlers whose senders may have disconnected. Returns how many are still running.
    pub(crate) async fn drain(&self, deadline: Duration) -> usize {
        match &self.deliveries {
            Some(deliveries) => deliveries.drain(deadline).await,
            None => 0,
        }
    }

    /// The routes as one service, for the server.
    pub(crate) fn into_router(self) -> Router {
        let service = tower::service_fn(move |request: Request| {
            let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
            routes.clone().oneshot(request)
        });
        Router::new().fallback_service(service)
    }
}

/// One route for each endpoint of the configuration, and one for the counters.
fn routes(
    config: &Config,
    deliveries: Option<&DeliveryLayer>,
    stats: &Stats,
    now: Option<u64>,
) -> Result<Router, SetupError> {
    let mut router = Router::new().route("/stats", get(show_stats));
    for name in config.endpoints() {
        stats.add_endpoint(name);
        let (counters, endpoint) = (stats.clone(), name.to_owned());
        let mut verify = config.layer(name)?.on_rejection(move |rejection, _| {
            counters.count_refused(&endpoint, rejection.kind().as_str());
        });
        if let Some(seconds) = now {
            // The command line has refused what is no time.
            let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
            verify = verify.with_clock(move || time.unwrap_or(UNIX_EPOCH));
        }
        // What `config.route(name, accept)` does, by hand because of the hook and the clock. The
        // last layer added is the outermost.
        let handshake = HandshakeLayer::new(&verify);
        let mut route = any(accept);
        if let Some(deliveries) = deliveries {
            route = route.layer(deliveries.clone());
        }
        let layers = ServiceBuilder::new()
            .layer(handshake.clone())
            .layer(verify)
            .layer(handshake);
        let path = format!("/webhooks/{}", path_segment(name));
        router = router.route(&path, route.layer(layers));
    }
    Ok(router.with_state(stats.clone()))
}

async fn show_stats(State(stats): State<Stats>) -> Json<Snapshot> {
    stats.snapshot()
}

/// There is no event if the endpoint has `enforce = "log"` and the request is not verified, and
/// none if the provider offers a secret, which this tool takes without storing it.
async fn accept(
    State(stats): State<Stats>,
    event: Option<VerifiedEvent>,
    handshake: Option<HandshakeEvent>,
) -> Response {
    match event {
        None if handshake.is_some() => StatusCode::OK.into_response(),
        Some(event) => {
            stats.count_accepted(event.endpoint().unwrap_or_default());
            Json(Accepted::from(&event)).into_response()
        }
        None => Json(NotVerified { verified: false }).into_response(),
    }
}

/// The answer to a request that was passed on without an event.
#[derive(Serialize)]
struct NotVerified {
    verified: bool,
}

/// The answer to an event that was accepted.
#[derive(Serialize)]
struct Accepted {
    provider: String,
    endpoint: Option<String>,
    event_type: Option<String>,
    delivery_id: Option<String>,
    key_id: Option<String>,
    variant: String,
    /// How much of the body is signed: `body`, `partial` or `none`.
    coverage: String,
    /// Unix seconds.
    timestamp: Option<i64>,
    bytes: usize,
    /// The identity in the event, if it is about a person's.
    identity: Option<IdentityAnswer>,
    /// Why nobody can tell whether it is: the body cannot be read. A handler that takes an identity
    /// would answer 500.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_error: Option<String>,
    /// The parts of a multipart event.
    parts: Vec<PartAnswer>,
    /// Whether the event could be read as the provider's own type, and its kind is known.
    typed: bool,
}

impl From<&VerifiedEvent> for Accepted {
    fn from(event: &VerifiedEvent) -> Self {
        let (identity, identity_error) = match identity(event) {
            Ok(identity) => (identity, None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self {
            provider: event.provider().to_owned(),
            endpoint: event.endpoint().map(str::to_owned),
            event_type: event.event_type().map(str::to_owned),
            delivery_id: event.delivery_id().map(str::to_owned),
            key_id: event.key_id().map(str::to_owned),
            variant: event.variant().to_owned(),
            coverage: event.coverage().to_string(),
            timestamp: event.timestamp().and_then(unix_seconds),
            bytes: event.body().len(),
            identity,
            identity_error,
            parts: parts(event),
            typed: is_typed(event),
        }
    }
}

#[derive(Serialize)]
struct PartAnswer {
    name: String,
    content_type: Option<String>,
    bytes: usize,
}

/// Empty if the body is not multipart.
fn parts(event: &VerifiedEvent) -> Vec<PartAnswer> {
    let parts = event.parts().unwrap_or_default();
    let answer = |part: &Part| PartAnswer {
        name: part.name().to_owned(),
        content_type: part.content_type().map(str::to_owned),
        bytes: part.body().len(),
    };
    parts.iter().map(answer).collect()
}

#[derive(Serialize)]
struct IdentityAnswer {
    subject: Option<String>,
    session: Option<String>,
    outcome: String,
    is_final: bool,
    reasons: Vec<String>,
    level: Option<String>,
    is_test: Option<bool>,
    /// Unix seconds.
    occurred_at: Option<i64>,
}

fn identity(event: &VerifiedEvent) -> Result<Option<IdentityAnswer>, PayloadError> {
    let identity = event.parse::<Option<Identity>>()?.into_payload();
    Ok(identity.map(|identity| IdentityAnswer {
        subject: identity.subject().map(str::to_owned),
        session: identity.session().map(str::to_owned),
        outcome: identity.outcome().to_string(),
        is_final: identity.is_final(),
        reasons: identity.reasons().map(str::to_owned).collect(),
        level: identity.level().map(str::to_owned),
        is_test: identity.is_test(),
        occurred_at: identity.occurred_at().and_then(unix_seconds),
    }))
}

/// Providers without typed events are not in this table. An event of an unknown kind can be read,
/// but has no type.
fn is_typed(event: &VerifiedEvent) -> bool {
    match event.provider() {
        "authenteq" => is_read::<authenteq::Event>(event, |_| true),
        "authento" => is_read::<authento::Event>(event, |read| read.event.is_known()),
        "idenfy" => is_read(event, |read| !matches!(read, idenfy::Event::Other(_))),
        "blockpass" => is_read(event, |read| !matches!(read, blockpass::Event::Other(_))),
        "complycube" => is_read(event, |read| !matches!(read, complycube::Event::Other(_))),
        "didit" | "didit-raw" | "didit-v2" => {
            is_read(event, |read| !matches!(read, didit::Event::Other(_)))
        }
        "kycaid" => is_read(event, |read| !matches!(read, kycaid::Event::Other(_))),
        "metamap" => is_read(event, |read| !matches!(read, metamap::Event::Other(_))),
        "onfido" => is_read(event, |read| !matches!(read, onfido::Event::Other(_))),
        "persona" => is_read(event, |read| !matches!(read, persona::Event::Other(_))),
        "plaid" => is_read(event, |read| !matches!(read, plaid::Event::Other(_))),
        "shufti-pro" => is_read(event, |read| !matches!(read, shufti_pro::Event::Other(_))),
        "stripe" => is_read(event, |read| !matches!(read, stripe::Event::Other(_))),
        "sumsub" => is_read(event, |read| !matches!(read, sumsub::Event::Other(_))),
        "veriff" => is_read(event, |read| !matches!(read, veriff::Event::Other(_))),
        "voveid" => is_read(event, |read| !matches!(read, voveid::Event::Other(_))),
        _ => false,
    }
}

fn is_read<T: Payload>(event: &VerifiedEvent, is_known: impl Fn(&T) -> bool) -> bool {
    event
        .parse::<T>()
        .is_ok_and(|event| is_known(event.payload()))
}

fn unix_seconds(time: SystemTime) -> Option<i64> {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).ok(),
        Err(before) => i64::try_from(before.duration().as_secs())
            .ok()
            .map(i64::wrapping_neg),
    }
}

/// A name as a path segment: everything that could be syntax is percent-encoded.
fn path_segment(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
