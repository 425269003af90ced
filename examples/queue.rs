//! Requests that are kept in a queue by one program, and verified by another.
//!
//! ```text
//! cargo run --example queue
//! ```
//!
//! The receiver answers at once and writes the request to a queue, with its time of receipt. The
//! consumer verifies it later: against that time, so that the request is not too old, but no older
//! than an hour. Whoever can write to the queue sets the clock, so only the receiver may.

#![allow(clippy::print_stdout, reason = "printing is what this example is for")]
#![allow(clippy::disallowed_methods, reason = "a program reads the clock")]
#![allow(clippy::arithmetic_side_effects, reason = "the times are near")]

use std::{
    error::Error,
    sync::mpsc,
    thread,
    time::{Duration, SystemTime},
};

use http::Request;
use tower_webhook::{
    RejectionKind, Secret, Signer, Verifier, capture::CapturedRequest, providers, verify::Head,
};

const SECRET: &str = "whsec_demo_secret_of_stripe";
const HOUR: Duration = Duration::from_secs(3600);

#[derive(Debug, serde::Deserialize)]
struct Event {
    id: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    // Stands for the queue of a broker: a line of text for each request.
    let (queue, waiting) = mpsc::channel::<String>();

    let consumer = thread::spawn(move || -> Result<_, Box<dyn Error + Send + Sync>> {
        let verifier = Verifier::new(providers::stripe(), Secret::new(SECRET))?;
        let mut seen = Vec::new();
        for line in waiting {
            let captured: CapturedRequest = serde_json::from_str(&line)?;
            match verifier.verify_captured(&captured, HOUR) {
                Ok(event) => {
                    let event: Event = event.json()?;
                    println!("handled {}", event.id);
                    seen.push(Ok(event.id));
                }
                Err(rejection) => {
                    println!("refused: {rejection}");
                    seen.push(Err(rejection.kind()));
                }
            }
        }
        Ok(seen)
    });

    let now = SystemTime::now();
    for (id, received_at) in [
        // The worker was busy for half an hour: the timestamp is older than Stripe's five minutes.
        ("evt_1", now - HOUR / 2),
        ("evt_2", now - HOUR * 2),
        ("evt_3", now + HOUR),
    ] {
        queue.send(receive(id, received_at)?)?;
    }
    drop(queue);

    let seen = consumer.join().map_err(|_| "the consumer panicked")?;
    let seen = seen.map_err(|error| error.to_string())?;
    assert_eq!(
        seen,
        [
            Ok("evt_1".to_owned()),
            Err(RejectionKind::TimestampTooOld),
            Err(RejectionKind::TimestampInFuture),
        ]
    );
    Ok(())
}

/// What the receiver writes for a request.
fn receive(id: &str, received_at: SystemTime) -> Result<String, Box<dyn Error>> {
    let signer = Signer::new(providers::stripe(), Secret::new(SECRET))?.with_time(received_at);
    let request = signer.sign(
        Request::post("/webhooks/stripe"),
        format!(r#"{{"id":"{id}"}}"#),
    )?;
    let (head, body) = request.into_parts();
    let captured = CapturedRequest::new(&Head::from(&head), body)
        .with_received_at(received_at)
        .with_endpoint("payments");
    Ok(serde_json::to_string(&captured)?)
}
