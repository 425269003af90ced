//! Lower bounds, and functions without a framework.

use std::{hint::black_box, sync::Arc, time::SystemTime};

use hmac::Mac;
use sha2::block_api::compress256;
use tower_webhook::verify::Head;

use super::{Field, ONE_KEY};
use crate::{
    place::Place,
    row::{Function, OURS},
    workload::{Sample, Style},
};

/// The name of the lower bound.
pub const BOUND: &str = "bound";
/// The name of the raw keyed hash.
pub const HASH: &str = "raw keyed hash";

pub(super) fn add(field: &mut Field, sample: &Arc<Sample>) {
    bound(field, sample);
    hash(field, sample);
    verifier(field, sample);
    webhook_verify(field, sample);
    official(field, sample);
}

/// The SHA-256 compressions of an HMAC with an initialised key state, with the processor's SHA
/// instructions.
fn bound(field: &mut Field, sample: &Arc<Sample>) {
    let sample = Arc::clone(sample);
    let keys = sample.workload.keys;
    // The padding is one byte and a length of eight bytes. The outer hash is one more block.
    let blocks = (sample.prefix().len() + sample.body.len() + 9).div_ceil(64) + 1;
    let whole = sample.body.as_chunks::<64>().0.len().min(blocks);
    field.push(Function::new(BOUND, Place::Floor, true, move || {
        for _ in 0..keys {
            let mut state = black_box([7; 8]);
            compress256(&mut state, &sample.body.as_chunks().0[..whole]);
            for _ in whole..blocks {
                compress256(&mut state, black_box(&[[0; 64]]));
            }
            black_box(state);
        }
        true
    }));
}

/// `hmac` and `sha2`: clones the initialised state, hashes the bytes as they arrive, and finalises.
fn hash(field: &mut Field, sample: &Arc<Sample>) {
    let sample = Arc::clone(sample);
    let macs = sample.workload.macs();
    let prefix = sample.prefix();
    let frame = sample.workload.frame.unwrap_or(usize::MAX);
    field.push(Function::new(HASH, Place::Floor, true, move || {
        for mac in &macs {
            let mut mac = black_box(mac).clone();
            mac.update(&prefix);
            for frame in sample.body.chunks(frame) {
                mac.update(frame);
            }
            black_box(mac.finalize());
        }
        true
    }));
}

fn verifier(field: &mut Field, sample: &Arc<Sample>) {
    let verifier = sample.workload.verifier();
    let (head, ()) = sample.request(|_| ()).into_parts();
    let accepts = sample.workload.accepts();
    let sample = Arc::clone(sample);
    let frame = sample.workload.frame.unwrap_or(sample.body.len());
    field.push(Function::new(OURS, Place::Function, accepts, move || {
        let Ok(checked) = verifier.check_head(&Head::from(&head), SystemTime::now()) else {
            return false;
        };
        let mut body_verifier = checked.with_keys(verifier.keys()).unwrap();
        let mut rest = sample.body.clone();
        while !rest.is_empty() {
            let next = rest.split_to(frame.min(rest.len()));
            body_verifier.update(next).unwrap();
        }
        black_box(body_verifier.verify()).is_ok()
    }));
}

fn webhook_verify(field: &mut Field, sample: &Arc<Sample>) {
    let name = "webhook-verify";
    if sample.workload.keys > 1 {
        return field.lacks(Place::Function, name, ONE_KEY);
    }
    let (provider, secret) = super::peers::webhook_verify(sample.workload);
    let accepts = sample.workload.accepts();
    let sample = Arc::clone(sample);
    field.push(Function::new(name, Place::Function, accepts, move || {
        let options = webhook_verify::VerifyOptions::default();
        let (headers, body) = (&sample.headers, &sample.body);
        webhook_verify::verify(provider, headers, body, &secret, options).is_ok()
    }));
}

/// The official crates of Standard Webhooks and Svix.
fn official(field: &mut Field, sample: &Arc<Sample>) {
    let names = ["standardwebhooks", "svix"];
    if sample.workload.style != Style::Standard {
        return;
    }
    if sample.workload.keys > 1 {
        return names
            .map(|name| field.lacks(Place::Function, name, ONE_KEY))
            .into_iter()
            .collect();
    }
    let accepts = sample.workload.accepts();
    let secret = sample.workload.secret();
    let webhook = standardwebhooks::Webhook::new(&secret).unwrap();
    let request = Arc::clone(sample);
    field.push(Function::new(
        names[0],
        Place::Function,
        accepts,
        move || webhook.verify(&request.body, &request.headers).is_ok(),
    ));
    let webhook = svix::webhooks::Webhook::new(&secret).unwrap();
    let request = Arc::clone(sample);
    field.push(Function::new(
        names[1],
        Place::Function,
        accepts,
        move || webhook.verify(&request.body, &request.headers).is_ok(),
    ));
}
