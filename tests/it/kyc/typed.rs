//! The typed events: which bodies have a type, that no field is lost, and that `Debug` shows
//! nothing personal.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;
use support::texts;
use tower_webhook::{
    Payload, PayloadError, VerifiedEvent,
    providers::{
        blockpass, complycube, didit, kycaid, metamap, onfido, persona, plaid, shufti_pro, stripe,
        sumsub, veriff,
    },
};

use super::data::{Vendor, pointers, vendors};

/// An event as its own type.
pub(super) struct Typed {
    shown: String,
    pub(super) written: Value,
    pub(super) is_other: bool,
}

fn read<T: Payload + Serialize + std::fmt::Debug>(
    event: &VerifiedEvent,
    is_other: impl Fn(&T) -> bool,
) -> Result<Typed, PayloadError> {
    let read = event.parse::<T>()?.into_payload();
    Ok(Typed {
        shown: format!("{read:?} {read:#?}"),
        written: serde_json::to_value(&read).unwrap(),
        is_other: is_other(&read),
    })
}

fn typed(vendor: &str, event: &VerifiedEvent) -> Result<Typed, PayloadError> {
    match vendor {
        "blockpass" => read(event, |read| matches!(read, blockpass::Event::Other(_))),
        "complycube" => read(event, |read| matches!(read, complycube::Event::Other(_))),
        "didit" => read(event, |read| matches!(read, didit::Event::Other(_))),
        "kycaid" => read(event, |read| matches!(read, kycaid::Event::Other(_))),
        "metamap" => read(event, |read| matches!(read, metamap::Event::Other(_))),
        "onfido" => read(event, |read| matches!(read, onfido::Event::Other(_))),
        "persona" => read(event, |read| matches!(read, persona::Event::Other(_))),
        "plaid" => read(event, |read| matches!(read, plaid::Event::Other(_))),
        "shuftipro" => read(event, |read| matches!(read, shufti_pro::Event::Other(_))),
        "stripe" => read(event, |read| matches!(read, stripe::Event::Other(_))),
        "sumsub" => read(event, |read| matches!(read, sumsub::Event::Other(_))),
        "veriff" => read(event, |read| matches!(read, veriff::Event::Other(_))),
        other => panic!("{other}: no type"),
    }
}

pub(super) fn of_body(name: &str, vendor: &Vendor, body: &str) -> Result<Typed, PayloadError> {
    typed(name, &vendor.event(&vendor.provider(), body))
}

/// Bodies of kinds that have a type.
fn samples(name: &str, vendor: &Vendor) -> Vec<(String, Value)> {
    let named = vendor.typed.iter();
    named
        .map(|file| (file.clone(), vendor.body(name, file)))
        .collect()
}

#[test]
fn kinds_that_are_known_have_a_type_and_others_have_none() {
    for (name, vendor) in vendors() {
        assert!(!vendor.typed.is_empty(), "{name}");
        for (file, body) in samples(&name, &vendor) {
            let typed = of_body(&name, &vendor, &body.to_string());
            let typed = typed.unwrap_or_else(|error| panic!("{name}: {file}: {error}"));
            assert!(!typed.is_other, "{name}: {file}");
        }
        for file in &vendor.untyped {
            let body = vendor.body(&name, file);
            let typed = of_body(&name, &vendor, &body.to_string()).unwrap();
            assert!(typed.is_other, "{name}: {file}");
            assert_eq!(typed.written, body, "{name}: {file}");
        }
        for body in ["{}", "[]", "null", "", "7", r#""text""#, "not JSON"] {
            assert!(of_body(&name, &vendor, body).is_err(), "{name}: {body}");
        }
    }
}

#[test]
fn a_body_of_another_vendor_has_no_type() {
    let all = vendors();
    for (name, vendor) in &all {
        for (other, its) in all.iter().filter(|(other, _)| *other != name) {
            for (file, body) in samples(other, its) {
                let event = vendor.try_event(&vendor.provider(), &body.to_string());
                let Ok(event) = event else { continue };
                let typed = typed(name, &event);
                assert!(
                    typed.is_err() || typed.is_ok_and(|typed| typed.is_other),
                    "{other}'s {file} is one of {name}'s"
                );
            }
        }
    }
}

/// A name in the spelling with underscores.
pub(super) fn plain(name: &str) -> String {
    let mut plain = String::new();
    for letter in name.chars() {
        match letter {
            '-' => plain.push('_'),
            _ if letter.is_ascii_uppercase() => {
                plain.push('_');
                plain.push(letter.to_ascii_lowercase());
            }
            _ => plain.push(letter),
        }
    }
    plain
}

/// The value with all names in that spelling, without nulls.
pub(super) fn normal(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, field)| !field.is_null());
            fields
                .map(|(name, field)| (plain(name), normal(field)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        Value::Array(items) => items.iter().map(normal).collect(),
        other => other.clone(),
    }
}

#[test]
fn every_field_is_found_again() {
    for (name, vendor) in vendors() {
        for (file, body) in samples(&name, &vendor) {
            let typed = of_body(&name, &vendor, &body.to_string()).unwrap();
            let root = body.pointer(&vendor.root).unwrap();
            assert_eq!(normal(&typed.written), normal(root), "{name}: {file}");
        }
    }
}

#[test]
fn null_is_as_good_as_nothing() {
    for (name, vendor) in vendors() {
        for (file, body) in samples(&name, &vendor) {
            for place in pointers(&body) {
                let mut null = body.clone();
                *null.pointer_mut(&place).unwrap() = Value::Null;
                let mut absent = body.clone();
                assert!(super::data::remove(&mut absent, &place));
                if place.rsplit('/').next().unwrap().parse::<usize>().is_ok() {
                    continue;
                }
                // Without its time, an event of Didit's is refused.
                let of = |body: &Value| {
                    let event = vendor.try_event(&vendor.provider(), &body.to_string());
                    typed(&name, &event.ok()?).ok()
                };
                let (null, absent) = (of(&null), of(&absent));
                let of = |typed: &Option<Typed>| {
                    let typed = typed.as_ref().filter(|typed| !typed.is_other);
                    typed.map(|typed| normal(&typed.written))
                };
                assert_eq!(of(&null), of(&absent), "{name}: {file}: {place}");
            }
        }
    }
}

#[test]
fn debug_shows_nothing_personal() {
    for (name, vendor) in vendors() {
        for (file, body) in samples(&name, &vendor) {
            let shown = of_body(&name, &vendor, &body.to_string()).unwrap().shown;
            let mut visible = BTreeSet::new();
            for place in pointers(&body) {
                let last = place.rsplit('/').next().unwrap();
                if vendor.shown.iter().any(|shown| shown == last) {
                    visible.extend(body.pointer(&place).unwrap().as_str());
                }
            }
            for text in texts(body.to_string().as_bytes()) {
                let is_visible = visible.iter().any(|visible| visible.contains(&*text));
                assert!(
                    is_visible || !shown.contains(&text),
                    "{name}: {file}: {text:?} in {shown}"
                );
            }
        }
    }
}
