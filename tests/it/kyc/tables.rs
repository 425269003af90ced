//! The rows of each vendor's table, and bodies that are none of the vendor's.

use std::{collections::BTreeMap, time::UNIX_EPOCH};

use serde_json::{Value, json};
use support::texts;
use tower_webhook::{Identity, VerifiedEvent};

use super::data::{Extended, Row, SECRET, Vendor, says, vectors, vendors};

fn identity(vendor: &Vendor, row: &Row, body: &str) -> Result<Option<Identity>, String> {
    let mut provider = vendor.provider();
    for (name, value) in &row.params {
        provider = provider.with_param(name.clone(), value.clone());
    }
    if let Some(levels) = &row.levels {
        provider = provider.with_levels(levels.clone());
    }
    let read = vendor.event(&provider, body).parse::<Option<Identity>>();
    read.map(VerifiedEvent::into_payload)
        .map_err(|error| error.to_string())
}

/// The fields that a row asks for.
fn fields(identity: &Identity) -> BTreeMap<&'static str, Value> {
    let all = Extended::from(identity);
    let millis = |time: std::time::SystemTime| time.duration_since(UNIX_EPOCH).unwrap().as_millis();
    let at = identity.occurred_at().map(millis);
    BTreeMap::from([
        ("subject", json!(all.subject)),
        ("session", json!(all.session)),
        ("level", json!(all.level)),
        ("test", json!(all.test)),
        ("reasons", json!(all.reasons)),
        // In milliseconds.
        ("at", json!(at.map(|at| u64::try_from(at).unwrap()))),
    ])
}

#[test]
fn every_row_says_what_the_table_says() {
    let mut wrong = Vec::new();
    for (name, vendor) in vendors() {
        assert!(!vendor.rows.is_empty(), "{name}");
        for row in &vendor.rows {
            for body in row.bodies(&name, &vendor) {
                let text = body.to_string();
                let read = identity(&vendor, row, &text);
                let got = read
                    .as_ref()
                    .map_or("error".to_owned(), |read| says(read.as_ref()));
                if got != row.says {
                    wrong.push(format!("{name}: {}: {got}, {read:?}: {text}", row.why));
                    continue;
                }
                let Ok(Some(identity)) = read else {
                    assert!(row.with.is_empty(), "{name}: {}", row.why);
                    continue;
                };
                let fields = fields(&identity);
                for (field, expected) in &row.with {
                    let got = &fields[&**field];
                    if got != expected {
                        wrong.push(format!("{name}: {}: {field} is {got}: {text}", row.why));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_file_says_which_levels_are_enough() {
    use support::NOW;
    use tower_webhook::{Config, Secret, Signer, providers, verify::Head};

    let body = support::vector_file("kyc/onfido/workflow_run.approved.json");
    let signer = Signer::new(providers::onfido(), Secret::new(SECRET)).unwrap();
    let request = signer.sign(http::Request::post("/"), body).unwrap();
    let (head, body) = request.into_parts();
    let workflow = "5e5e5e5e-3333-4444-8555-666677778888";
    for (line, expected) in [
        (String::new(), "approved!"),
        (format!("level = \"{workflow}\""), "approved!"),
        (
            format!("level = [\"another\", \"{workflow}\"]"),
            "approved!",
        ),
        (
            format!("params = {{ level = [\"{workflow}\"] }}"),
            "approved!",
        ),
        (
            format!("params = {{ level = \"{workflow}\" }}"),
            "approved!",
        ),
        ("level = \"another\"".to_owned(), "pending"),
        ("level = [\"another\", \"a third\"]".to_owned(), "pending"),
        (format!("level = \"{workflow} \""), "pending"),
    ] {
        let file =
            format!("[endpoints.kyc]\nprovider = \"onfido\"\nsecret = \"{SECRET}\"\n{line}\n");
        let verifier = Config::from_toml_str(&file)
            .unwrap()
            .endpoint("kyc")
            .unwrap();
        let event = verifier.verify(&Head::from(&head), body.clone(), support::at(NOW));
        let read = event.unwrap().parse::<Option<Identity>>().unwrap();
        assert_eq!(says(read.payload().as_ref()), expected, "{line}");
    }
}

#[test]
fn what_is_no_body_of_a_vendor_gives_no_identity() {
    for (name, vendor) in vendors() {
        let provider = vendor.provider();
        let not_json = ["{}", "not JSON", "", "[]", "null", "7", r#""text""#];
        for body in not_json {
            let read = vendor.event(&provider, body).parse::<Option<Identity>>();
            assert!(read.is_err(), "{name}: {body}");
        }
        for (other, its) in vendors().iter().filter(|(other, _)| **other != name) {
            for row in &its.rows {
                for body in row.bodies(other, its) {
                    // One with the time of the other vendor where this one has another form of
                    // time.
                    let Ok(event) = vendor.try_event(&provider, &body.to_string()) else {
                        continue;
                    };
                    let read = event.parse::<Option<Identity>>().ok();
                    let read = read.and_then(VerifiedEvent::into_payload);
                    let got = says(read.as_ref());
                    assert!(
                        ["none", "other"].contains(&&*got),
                        "{name} reads {got} in a body of {other}: {body}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_list_of_the_values_is_no_event() {
    fn listed(value: &Value) -> Value {
        match value {
            Value::Object(fields) => fields.values().cloned().collect(),
            other => other.clone(),
        }
    }
    for (name, vendor) in vendors() {
        let provider = vendor.provider();
        for vector in vectors().iter().filter(|vector| vector.provider == name) {
            let Ok(body) = serde_json::from_slice::<Value>(&vector.body()) else {
                continue;
            };
            for place in super::data::pointers(&body) {
                let mut changed = body.clone();
                let value = changed.pointer_mut(&place).unwrap();
                if !value.is_object() {
                    continue;
                }
                *value = listed(value);
                let event = vendor.event(&provider, &changed.to_string());
                let read = event.parse::<Option<Identity>>().ok();
                let read = read.and_then(VerifiedEvent::into_payload);
                if super::data::is_approved(read.as_ref()) {
                    assert!(vendor.approves(&changed), "{name}: {place}: {changed}");
                }
            }
        }
    }
}

#[test]
fn an_identity_shows_what_its_accessors_return_and_nothing_else() {
    for (name, vendor) in vendors() {
        let provider = vendor.provider();
        for vector in vectors().iter().filter(|vector| vector.provider == name) {
            let body = String::from_utf8(vector.body()).unwrap();
            let event = vendor.event(&provider, &body);
            let Ok(read) = event.parse::<Option<Identity>>() else {
                continue;
            };
            let Some(identity) = read.into_payload() else {
                continue;
            };
            let shown = format!("{identity:?}");
            let known = format!("{:?} {:?}", Extended::from(&identity), identity.outcome());
            for text in texts(body.as_bytes()) {
                let is_known = known.contains(&text);
                assert!(
                    is_known || !shown.contains(&text),
                    "{name}: {text:?} in {shown}"
                );
            }
        }
    }
}
