//! Whatever a body says, it is an approval only if the vendor's table, which is data here, says so.

use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};
use tower_webhook::{Identity, VerifiedEvent};

use super::data::{Vendor, is_approved, pointers, put, remove, vectors, vendors};

/// A change of a body. Places and values are those of all bodies of the vendor.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, Index),
    Remove(Index),
    /// Takes the value at one place to another.
    Copy(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => any::<(Index, Index)>().prop_map(|(place, value)| Change::Set(place, value)),
        1 => any::<Index>().prop_map(Change::Remove),
        1 => any::<(Index, Index)>().prop_map(|(from, to)| Change::Copy(from, to)),
    ]
}

/// The bodies of a vendor, with all their places and values.
struct Pool {
    bodies: Vec<Value>,
    places: Vec<String>,
    values: Vec<Value>,
}

impl Pool {
    fn of(name: &str, vendor: &Vendor) -> Self {
        let vectors = vectors().into_iter();
        let vectors = vectors.filter(|vector| vector.provider == name);
        let bodies = vectors.filter_map(|vector| serde_json::from_slice(&vector.body()).ok());
        let rows = vendor.rows.iter().flat_map(|row| row.bodies(name, vendor));
        let bodies: Vec<Value> = bodies.chain(rows).collect();
        let (mut places, mut values) = (Vec::new(), Vec::new());
        for body in &bodies {
            for place in pointers(body) {
                let value = body.pointer(&place).unwrap();
                if !values.contains(value) {
                    values.push(value.clone());
                }
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
        values.extend([
            json!(null),
            json!(true),
            json!(1),
            json!("approved"),
            json!({}),
            json!([]),
        ]);
        Self {
            bodies,
            places,
            values,
        }
    }

    fn place(&self, index: &Index) -> &str {
        index.get::<String>(&self.places)
    }

    fn changed(&self, body: &Index, changes: &[Change]) -> Value {
        let mut body = body.get(&self.bodies).clone();
        for change in changes {
            match change {
                Change::Set(place, value) => {
                    put(
                        &mut body,
                        self.place(place),
                        value.get(&self.values).clone(),
                    );
                }
                Change::Remove(place) => drop(remove(&mut body, self.place(place))),
                Change::Copy(from, to) => {
                    let value = body.pointer(self.place(from)).cloned();
                    put(&mut body, self.place(to), value.unwrap_or_default());
                }
            }
        }
        body
    }
}

#[test]
fn an_event_is_an_approval_only_if_the_table_says_so() {
    for (name, vendor) in vendors() {
        let pool = Pool::of(&name, &vendor);
        let provider = vendor.provider();
        let read = |body: &Value| {
            let Ok(event) = vendor.try_event(&provider, &body.to_string()) else {
                return Ok(None);
            };
            let read = event.parse::<Option<Identity>>();
            read.map(VerifiedEvent::into_payload)
        };
        let approved = |body: &Value| read(body).is_ok_and(|read| is_approved(read.as_ref()));
        // Unchanged, the two agree in both directions.
        let mut count = 0;
        for body in &pool.bodies {
            let expected = vendor.approves(body) && read(body).is_ok();
            assert_eq!(approved(body), expected, "{name}: {body}");
            count += usize::from(expected);
        }
        assert_eq!(count > 0, !vendor.approved.is_empty(), "{name}: approvals");
        let config = ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        let changes = (any::<Index>(), proptest::collection::vec(change(), 0..4));
        proptest!(config, |((body, changes) in changes)| {
            let body = pool.changed(&body, &changes);
            if approved(&body) {
                prop_assert!(vendor.approves(&body), "{}: {}", name, body);
            }
        });
    }
}

/// The places that the table names, and what leads to them, in the spelling of a body.
fn places(vendor: &Vendor, body: &Value) -> Vec<String> {
    let named = vendor
        .approved
        .iter()
        .flat_map(|conditions| conditions.keys());
    let spelled = named.flat_map(|place| {
        let mut spelled = vec![String::new()];
        for segment in place.trim_start_matches('/').split('/') {
            let longer = |begin: &String| {
                let begin = begin.clone();
                segment
                    .split('|')
                    .map(move |name| format!("{begin}/{name}"))
            };
            let next = spelled.iter().flat_map(longer).collect::<Vec<_>>();
            spelled.extend(next);
            spelled.sort_by_key(|place| std::cmp::Reverse(place.matches('/').count()));
        }
        spelled
    });
    let mut found: Vec<String> = spelled
        .filter(|place| !place.is_empty() && body.pointer(place).is_some())
        .collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn a_field_that_decides_and_is_there_twice_is_no_approval() {
    for (name, vendor) in vendors() {
        let provider = vendor.provider();
        let pool = Pool::of(&name, &vendor);
        let approved: Vec<_> = pool
            .bodies
            .iter()
            .filter(|body| vendor.approves(body))
            .collect();
        let mut count = 0;
        for body in approved {
            for place in places(&vendor, body) {
                let (parent, field) = place.rsplit_once('/').unwrap();
                // Sorts behind the field, and in front of it.
                for marked in [format!("{field}~"), format!("!{field}")] {
                    for value in [
                        json!(null),
                        json!("other"),
                        body.pointer(&place).unwrap().clone(),
                    ] {
                        let mut twice = body.clone();
                        put(&mut twice, &format!("{parent}/{marked}"), value);
                        let text = twice
                            .to_string()
                            .replace(&format!("{marked:?}"), &format!("{field:?}"));
                        let read = vendor.event(&provider, &text).parse::<Option<Identity>>();
                        let read = read.ok().and_then(VerifiedEvent::into_payload);
                        assert!(!is_approved(read.as_ref()), "{name}: {place}: {text}");
                        count += 1;
                    }
                }
            }
        }
        assert_eq!(count > 0, !vendor.approved.is_empty(), "{name}");
    }
}
