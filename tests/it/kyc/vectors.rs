//! Every vector of `vectors/kyc`, by the name of its provider.

use std::collections::BTreeSet;

use serde_json::Value;
use tower_webhook::Identity;

use super::data::{Extended, Vector, Vendor, vectors, vendors};

/// Vendors that are not read yet. One that is has to be taken out.
const NOT_YET: &[&str] = &[];

/// Checks the signature, the type and id of the event, and the identity.
fn check(vector: &Vector, vendor: Option<&Vendor>) -> Result<(), String> {
    let event = match (vector.verify()?, vector.expect_ok) {
        (Ok(event), true) => event,
        (Ok(_), false) => return Err("accepted".to_owned()),
        (Err(rejection), true) => return Err(format!("refused: {rejection}")),
        (Err(rejection), false) => {
            let expected = vector.expect_reason.as_deref();
            return match rejection.kind().as_str() {
                kind if Some(kind) == expected => Ok(()),
                kind => Err(format!("refused as {kind} and not as {expected:?}")),
            };
        }
    };
    let vendor = vendor.ok_or("no file in vectors/identities")?;
    let body: Value = serde_json::from_slice(&vector.body()).map_err(|error| error.to_string())?;
    let (event_type, delivery_id) = (vendor.event_type(&body), vendor.delivery_id(&body));
    if event.event_type() != event_type.as_deref() {
        return Err(format!("the type is {:?}", event.event_type()));
    }
    if event.delivery_id() != delivery_id.as_deref() {
        return Err(format!("the id is {:?}", event.delivery_id()));
    }
    let read = event
        .parse::<Option<Identity>>()
        .map_err(|error| error.to_string())?;
    let identity = read.payload().as_ref().map(Extended::from);
    if identity != vector.identity_extended {
        return Err(format!("{identity:?}"));
    }
    if identity.as_ref().map(Extended::short) != vector.identity {
        return Err(format!("{identity:?}, in short"));
    }
    Ok(())
}

#[test]
fn every_vector_gets_its_verdict_and_its_identity() {
    let (vectors, vendors) = (vectors(), vendors());
    let names: BTreeSet<&str> = vectors.iter().map(|vector| &*vector.provider).collect();
    let mut wrong = Vec::new();
    for name in &names {
        let of_vendor = vectors.iter().filter(|vector| vector.provider == *name);
        let failed: Vec<_> = of_vendor
            .filter_map(|vector| {
                let problem = check(vector, vendors.get(*name)).err()?;
                Some(format!("{}: {problem}", vector.id))
            })
            .collect();
        match (failed.is_empty(), NOT_YET.contains(name)) {
            (false, false) => wrong.extend(failed),
            (true, true) => wrong.push(format!("{name} is read: take it out of NOT_YET")),
            _ => {}
        }
    }
    for name in NOT_YET {
        if !names.contains(name) {
            wrong.push(format!("{name} is in NOT_YET, and has no vectors"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
