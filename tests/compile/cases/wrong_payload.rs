//! A type that is not a payload: one that is not known yet, for which the compiler leaves out its list of all that are.

use tower_webhook::VerifiedEvent;

fn handler<Order>(_event: VerifiedEvent<Order>) {}

fn main() {
    let _ = handler::<bytes::Bytes>;
}
