//! Whether the layers are in the right order, which is logged once if they are not.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    challenge::{Handshake, Proof},
    endpoint::{Endpoint, WiringMistake},
    event::VerifiedEvent,
    observe,
    tower::options::LayerOptions,
};

/// Marks a request that has passed a handshake layer before it was verified.
#[derive(Clone, Default)]
pub(crate) struct PassedOutside(Arc<AtomicBool>);

impl PassedOutside {
    /// After a request that was handled with success: there has to be a layer inside for what is
    /// signed.
    pub(crate) fn check_inside(&self, options: &LayerOptions) {
        let is_signed = |endpoint: &&Arc<Endpoint>| has(endpoint, Proof::Signed);
        if !self.0.load(Ordering::Relaxed)
            && let Some(endpoint) = options.endpoints.iter().find(is_signed)
        {
            log_once(
                endpoint,
                "it is only outside the WebhookVerifyLayer, so that signed challenges reach the handler; apply it once more \
                 inside",
            );
        }
    }
}

/// Before an event is passed on by the layer inside. `is_claimed` says that a delivery layer is
/// outside of it.
pub(crate) fn check_outside(
    event: &VerifiedEvent,
    passed: Option<&PassedOutside>,
    is_claimed: bool,
) {
    let endpoint = event.shared();
    match passed {
        Some(passed) => passed.0.store(true, Ordering::Relaxed),
        None if has(endpoint, Proof::Unsigned) => log_once(
            endpoint,
            "it is only inside the WebhookVerifyLayer, which refuses challenges that are not signed; apply it once more outside",
        ),
        None => {}
    }
    if is_claimed && has(endpoint, Proof::Signed) {
        log_once(
            endpoint,
            "it is inside the DeliveryLayer, which answers a repeated challenge by itself; apply it outside of that",
        );
    }
}

fn has(endpoint: &Endpoint, proof: Proof) -> bool {
    let rules = endpoint.provider.handshake();
    let rules = rules.into_iter().flat_map(|Handshake { rules }| *rules);
    rules.into_iter().any(|rule| {
        // What is signed with a secret of its own is answered outside.
        (rule.proof == Proof::Signed) == (proof == Proof::Signed)
    })
}

fn log_once(endpoint: &Endpoint, problem: &'static str) {
    if endpoint.wiring.is_first(WiringMistake::HandshakeOrder) {
        observe::handshake_order(endpoint, problem);
    }
}
