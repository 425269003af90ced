//! The ways in which other types are made.

use bytes::Bytes;
use tower_webhook::VerifiedEvent;

fn main() {
    let _ = VerifiedEvent::<Bytes>::new(Bytes::new());
    let _ = VerifiedEvent::<Bytes>::default();
    let _: VerifiedEvent = Bytes::new().try_into().unwrap();
}
