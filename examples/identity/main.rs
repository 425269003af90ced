//! One handler for every identity vendor: it keeps the newest decision of each session, and asks
//! the vendor where the webhook does not say what was decided. Until `ask` is filled in, such a
//! session is unclear, and nobody is approved in it.
//!
//! ```text
//! cargo run --example identity --features asymmetric,axum,config,identity,jwt
//! ```
//!
//! `examples/identity/vendors.toml` has the vendors, each at `POST /webhooks/NAME`. Another file is
//! the first argument, and another address than `127.0.0.1:3000` the second. To try it:
//!
//! ```text
//! body='{"id":"e-1","type":"workflow.session.completed","payload":{"id":"s-1","status":"complete","outcome":"clear"}}'
//! sig=$(printf %s "$body" | openssl dgst -sha256 -hmac demo-secret-of-complycube | sed 's/.* //')
//! curl -i http://127.0.0.1:3000/webhooks/complycube -H "complycube-signature: $sig" -d "$body"
//! ```

mod decisions;

use std::{error::Error, sync::Arc};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use tokio::net::TcpListener;
use tower_webhook::{Config, Identity, Outcome, VerifiedEvent};

use crate::decisions::{Answer, Decisions, Key, Step};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let mut args = std::env::args().skip(1);
    let file = args.next();
    let file = file.unwrap_or_else(|| "examples/identity/vendors.toml".to_owned());
    let address = args.next();
    let address = address.unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let config = Config::from_path(file)?;
    let decisions = Arc::new(Decisions::default());
    let mut app = Router::new();
    for name in config.endpoints() {
        let route = post(on_event).route_layer(config.layer(name)?);
        app = app.route(&format!("/webhooks/{name}"), route);
    }
    let listener = TcpListener::bind(address).await?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app.with_state(decisions)).await?;
    Ok(())
}

/// Handles an event of any vendor. It bears an event twice, since vendors repeat both deliveries
/// and decisions.
async fn on_event(
    State(decisions): State<Arc<Decisions>>,
    event: VerifiedEvent<Option<Identity>>,
) -> StatusCode {
    // A screening, a business, a payment, or a kind of event that this version does not know.
    let Some(identity) = event.payload() else {
        return StatusCode::OK;
    };
    // Also where the endpoint has `test = "accept"`: no test onboards anybody.
    if identity.is_test() == Some(true) {
        return StatusCode::OK;
    }
    let Some(key) = Key::of(event.provider(), identity) else {
        eprintln!("{}: {} of nobody", event.provider(), identity.outcome());
        // There is nobody to decide about, and nothing to ask about. The vendor sends it again, and
        // shows that it failed.
        let is_decision = identity.is_final()
            || matches!(identity.outcome(), Outcome::Rejected | Outcome::Undisclosed);
        return match is_decision {
            true => StatusCode::SERVICE_UNAVAILABLE,
            false => StatusCode::OK,
        };
    };
    loop {
        match decisions.take(&key, identity) {
            Step::Ignore => return StatusCode::OK,
            Step::Keep => {
                act(&key, &Answer::from(identity));
                return StatusCode::OK;
            }
            Step::Ask(seen) => match ask(&key).await {
                // Another event may have arrived meanwhile.
                Ok(said) => {
                    if let Some(answer) = decisions.settle(&key, identity, seen, said) {
                        act(&key, &answer);
                        return StatusCode::OK;
                    }
                }
                Err(problem) => {
                    // The vendor sends the event again, and it is asked again.
                    eprintln!("{key}: {problem}");
                    return StatusCode::SERVICE_UNAVAILABLE;
                }
            },
        }
    }
}

/// Asks the vendor's API what was decided about a session. **Fill it in** for each vendor that you
/// use: the page of the provider says where the result is. Take the address from your own
/// configuration, never from an event.
///
/// `None` says that the vendor cannot be asked: the session is unclear until a person has looked at
/// it, and the event is answered with 200, because the vendor would only send the same again. An
/// error says that asking failed, and is answered with 503.
async fn ask(_key: &Key) -> Result<Option<(Outcome, bool)>, String> {
    Ok(None)
}

/// Acts on a decision. Nothing but a final approval onboards anybody.
fn act(key: &Key, answer: &Answer) {
    match (answer.outcome, answer.is_final) {
        (Outcome::Approved, true) => eprintln!("{key}: onboard {}", answer.name()),
        // Nothing else withdraws an earlier approval that may not hold any more.
        (Outcome::Undisclosed, _) => eprintln!(
            "{key}: unclear, so no approval until {} was asked",
            key.provider()
        ),
        (Outcome::Rejected, true) => eprintln!("{key}: refuse {}", answer.name()),
        // After `Expired`, an earlier approval may have lost its data: see the page of the
        // provider.
        (outcome, true) => eprintln!("{key}: {outcome}, and no approval of {}", answer.name()),
        (outcome, false) => eprintln!("{key}: {outcome}"),
    }
}
