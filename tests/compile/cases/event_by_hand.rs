//! A genuine event that is taken for the rest of another.

use bytes::Bytes;
use tower_webhook::VerifiedEvent;

fn forge(event: VerifiedEvent) -> VerifiedEvent {
    VerifiedEvent {
        payload: Bytes::from_static(b"{}"),
        ..event
    }
}

fn main() {
    let _ = forge;
}
