//! A genuine event that is given another payload.

use bytes::Bytes;
use tower_webhook::VerifiedEvent;

fn change(event: &mut VerifiedEvent) {
    event.payload = Bytes::from_static(b"{}");
}

fn main() {
    let _ = change;
}
