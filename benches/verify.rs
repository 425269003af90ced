//! Verifies bodies of three sizes with [`Verifier`] and with the Tower layer, compared with the raw
//! HMAC in the same run.
//!
//! Run it with `cargo bench`. The package in this directory compares with other crates.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark measures the clock, too"
)]

use std::{
    convert::Infallible,
    future::{self, Future},
    pin::pin,
    task::{Context, Poll, Waker},
    time::SystemTime,
};

use bytes::Bytes;
use divan::{Bencher, black_box};
use hmac::{Hmac, KeyInit, Mac};
use http::{Request, Response};
use http_body_util::Full;
use sha2::Sha256;
use tokio::runtime;
use tower::{Layer, Service, service_fn};
use tower_webhook::{
    Provider, Secret, Signer, Verifier, WebhookVerifyLayer, providers, verify::Head,
};

const SIZES: [usize; 3] = [71, 1 << 10, 64 << 10];
const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn main() {
    divan::main();
}

mod github {
    use super::*;

    #[divan::bench(args = SIZES)]
    fn raw_hmac(bencher: Bencher<'_, '_>, size: usize) {
        super::raw_hmac(bencher, size);
    }

    #[divan::bench(args = SIZES)]
    fn verifier(bencher: Bencher<'_, '_>, size: usize) {
        super::verifier(bencher, providers::github(), size);
    }

    #[divan::bench(args = SIZES)]
    fn layer(bencher: Bencher<'_, '_>, size: usize) {
        super::layer(bencher, providers::github(), size);
    }
}

mod standard_webhooks {
    use super::*;

    #[divan::bench(args = SIZES)]
    fn raw_hmac(bencher: Bencher<'_, '_>, size: usize) {
        super::raw_hmac(bencher, size);
    }

    #[divan::bench(args = SIZES)]
    fn verifier(bencher: Bencher<'_, '_>, size: usize) {
        super::verifier(bencher, providers::standard_webhooks(), size);
    }

    #[divan::bench(args = SIZES)]
    fn layer(bencher: Bencher<'_, '_>, size: usize) {
        super::layer(bencher, providers::standard_webhooks(), size);
    }
}

/// The HMAC of the body, from an initialised key state.
fn raw_hmac(bencher: Bencher<'_, '_>, size: usize) {
    let keyed = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    let body = body(size);
    bencher.bench(|| {
        let mut hmac = black_box(&keyed).clone();
        hmac.update(black_box(&body));
        hmac.finalize()
    });
}

fn verifier(bencher: Bencher<'_, '_>, provider: Provider, size: usize) {
    let (verifier, request) = signed(provider, size);
    let (head, body) = request.into_parts();
    bencher.bench(|| {
        let checked = verifier
            .check_head(&Head::from(&head), SystemTime::now())
            .unwrap();
        let mut body_verifier = checked.with_keys(verifier.keys()).unwrap();
        body_verifier.update(body.clone()).unwrap();
        body_verifier.verify().unwrap()
    });
}

fn layer(bencher: Bencher<'_, '_>, provider: Provider, size: usize) {
    let (verifier, request) = signed(provider, size);
    let (head, body) = request.into_parts();
    let inner = service_fn(|request| {
        drop(request);
        future::ready(Ok::<_, Infallible>(Response::new(String::new())))
    });
    let service = WebhookVerifyLayer::new(verifier).layer(inner);
    // The read timeout needs a tokio timer.
    let runtime = runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let _entered = runtime.enter();
    bencher
        .with_inputs(|| {
            let request = Request::from_parts(head.clone(), Full::new(body.clone()));
            (service.clone(), request)
        })
        .bench_local_values(|(mut service, request)| {
            let response = now(service.call(request)).unwrap();
            assert!(response.status().is_success());
        });
}

/// A verifier and a request that it accepts.
fn signed(provider: Provider, size: usize) -> (Verifier, Request<Bytes>) {
    let signer = Signer::new(provider.clone(), Secret::new(SECRET)).unwrap();
    let request = signer.sign(Request::post("/webhooks"), body(size)).unwrap();
    let verifier = Verifier::new(provider, Secret::new(SECRET)).unwrap();
    (verifier, request)
}

/// A JSON string.
fn body(size: usize) -> Bytes {
    format!("\"{}\"", "x".repeat(size.saturating_sub(2))).into()
}

/// The output of a future that is ready at its first poll.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a complete body needs no wait"),
    }
}
