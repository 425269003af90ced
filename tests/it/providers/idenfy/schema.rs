//! The documented types, and bodies made out of them.

use super::*;

#[derive(Deserialize)]
pub(super) struct Schema {
    pub(super) events: BTreeMap<String, Option<String>>,
    pub(super) enums: BTreeMap<String, Vec<String>>,
    pub(super) types: BTreeMap<String, Vec<Property>>,
}

#[derive(Clone, Deserialize)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) required: bool,
    /// `false`, `"spec"` or `"practice"`.
    pub(super) nullable: Value,
    r#type: String,
}

impl Property {
    /// Whether the vendor may leave it out or set it to null.
    fn may_be_empty(&self) -> bool {
        !self.required || self.nullable != json!(false)
    }
}

pub(super) static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let mut schema: Schema =
        serde_json::from_slice(&file("idenfy-schema.json")).expect("the schema");
    let mut registry = |name: &str, types: &[(&str, &[&str])]| {
        let property = |r#type: &str, name: &str| Property {
            name: name.to_owned(),
            required: true,
            nullable: json!("spec"),
            r#type: r#type.to_owned(),
        };
        let mut properties: Vec<Property> = types
            .iter()
            .flat_map(|(r#type, names)| names.iter().map(|name| property(r#type, name)))
            .collect();
        let mut kind = property("Resource", "resourceType");
        kind.nullable = json!(false);
        properties.push(kind);
        schema.types.insert(name.to_owned(), properties);
    };
    // The file describes these two in words.
    registry(
        "RegistryHungary",
        &[
            (
                "str",
                &[
                    "checkedMrz",
                    "firstName",
                    "lastName",
                    "maidenName",
                    "mothersMaidenName",
                    "birthDate",
                    "birthPlace",
                    "nationality",
                ],
            ),
            (
                "any",
                &[
                    "address",
                    "residentialAddress",
                    "idCard",
                    "passport",
                    "additionalData",
                ],
            ),
        ],
    );
    registry(
        "RegistryUs",
        &[
            (
                "str",
                &[
                    "firstName",
                    "lastName",
                    "middleName",
                    "dob",
                    "address1",
                    "address2",
                    "city",
                    "state",
                    "zip",
                    "idNum",
                    "phone",
                    "email",
                ],
            ),
            ("int", &["yob"]),
            (
                "Match",
                &[
                    "firstNameStatus",
                    "lastNameStatus",
                    "middleNameStatus",
                    "dobStatus",
                    "yobStatus",
                    "address1Status",
                    "address2Status",
                    "cityStatus",
                    "stateStatus",
                    "zipStatus",
                    "idNumStatus",
                    "phoneStatus",
                    "emailStatus",
                ],
            ),
        ],
    );
    schema
});

pub(super) fn file(path: &str) -> Vec<u8> {
    support::vector_file(path)
}

/// The event types and the type of their body, without the one that has no published body.
pub(super) fn events() -> impl Iterator<Item = (&'static str, &'static str)> {
    let events = SCHEMA.events.iter();
    events.filter_map(|(name, body)| Some((&**name, body.as_deref()?)))
}

/// Each type of body with one of its event types.
pub(super) fn bodies() -> BTreeMap<&'static str, &'static str> {
    events().map(|(event, body)| (body, event)).collect()
}

pub(super) fn required(body: &str) -> &'static [&'static str] {
    REQUIRED.iter().find(|(name, _)| *name == body).unwrap().1
}

/// How the properties that are not looked at are filled in.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Rest {
    Absent,
    Null,
    Full,
}

/// A text that stands nowhere else.
pub(super) fn fresh(name: &str) -> String {
    thread_local!(static COUNT: Cell<u32> = const { Cell::new(0) });
    COUNT.set(COUNT.get() + 1);
    format!("~{name}-{}~", COUNT.get())
}

/// One value of a type.
pub(super) fn value(r#type: &str, name: &str, rest: Rest) -> Value {
    match r#type {
        "str" | "date" | "datetime" => fresh(name).into(),
        "int" if SHOWN.contains(&name) => json!(1),
        "int" => json!(1_234_567),
        "num" => json!(7654.25),
        "bool" => json!(true),
        "any" => json!({fresh("key"): [1, fresh(name), null, true]}),
        "RegistryCheck" => object("RegistryLithuania", rest).into(),
        "AmlOrNews" => object("AmlHit", rest).into(),
        "Resource" => "LithuaniaRegistryCenterCheck".into(),
        _ => {
            if let Some(item) = inner(r#type, "[", "]") {
                json!([value(item, name, rest)])
            } else if let Some(item) = inner(r#type, "map(", ")") {
                json!({fresh("key"): value(item.trim_end_matches('?'), name, rest)})
            } else if SCHEMA.enums.contains_key(r#type) {
                fresh(name).into()
            } else {
                object(r#type, rest).into()
            }
        }
    }
}

pub(super) fn inner<'t>(r#type: &'t str, before: &str, after: &str) -> Option<&'t str> {
    r#type.strip_prefix(before)?.strip_suffix(after)
}

/// A value of a struct.
pub(super) fn object(r#type: &str, rest: Rest) -> Map<String, Value> {
    let mut object = Map::new();
    for property in &SCHEMA.types[r#type] {
        if rest == Rest::Full || !property.may_be_empty() {
            let value = match (r#type, &*property.name) {
                ("RegistryHungary", "resourceType") => "HungaryRegistryCenterCheck".into(),
                ("RegistryUs", "resourceType") => "Us15RegistryCenterCheck".into(),
                _ => value(&property.r#type, &property.name, rest),
            };
            object.insert(property.name.clone(), value);
        } else if rest == Rest::Null && property.required {
            object.insert(property.name.clone(), Value::Null);
        }
    }
    object
}

/// Values of a type that differ in one place each, down to the leaves.
pub(super) fn values(r#type: &str, name: &str, rest: Rest) -> Vec<Value> {
    match r#type {
        "bool" => vec![json!(true), json!(false)],
        "int" => vec![json!(0), json!(-3), json!(9_007_199_254_740_993_i64)],
        "num" => vec![json!(0.0), json!(1), json!(-2.5)],
        "any" => vec![
            json!({"key": [1, "text", null, true]}),
            json!([["list"], 2.5]),
            json!(["text", "text"]),
            json!("text"),
            json!(3),
            json!(true),
        ],
        "str" | "date" | "datetime" => vec![json!(""), fresh(name).into()],
        "RegistryCheck" => ["RegistryLithuania", "RegistryHungary", "RegistryUs"]
            .iter()
            .flat_map(|shape| objects(shape, rest))
            .collect(),
        "AmlOrNews" => ["AmlHit", "NewsHit"]
            .iter()
            .flat_map(|shape| objects(shape, rest))
            .collect(),
        "Resource" => vec!["LithuaniaRegistryCenterCheck".into()],
        _ => {
            if let Some(item) = inner(r#type, "[", "]") {
                let mut lists = vec![json!([])];
                lists.extend(
                    values(item, name, rest)
                        .into_iter()
                        .map(|item| json!([item])),
                );
                lists
            } else if let Some(item) = inner(r#type, "map(", ")") {
                let mut maps = vec![json!({})];
                if item.ends_with('?') {
                    maps.push(json!({"FRONT": null}));
                }
                let items = values(item.trim_end_matches('?'), name, rest);
                maps.extend(items.into_iter().map(|item| json!({"FRONT": item})));
                maps
            } else if let Some(documented) = SCHEMA.enums.get(r#type) {
                let mut values: Vec<Value> = documented.iter().map(|text| json!(text)).collect();
                values.push("A_VALUE_OF_LATER".into());
                values
            } else {
                objects(r#type, rest)
            }
        }
    }
}

/// Objects with one property each, beside those that are always there, down to the leaves.
pub(super) fn objects(r#type: &str, rest: Rest) -> Vec<Value> {
    let least = object(r#type, rest);
    let mut objects = vec![least.clone().into()];
    for property in &SCHEMA.types[r#type] {
        for value in values(&property.r#type, &property.name, rest) {
            let mut object = least.clone();
            if !(property.name == "resourceType" && object.contains_key("resourceType")) {
                object.insert(property.name.clone(), value);
            }
            objects.push(object.into());
        }
    }
    objects
}

/// Says where a value that was written again differs from what was read: `None` when everything is
/// there and nothing else.
pub(super) fn difference(sent: &Value, got: &Value) -> Option<String> {
    let at = |key: &str, inner: String| format!("/{key}{inner}");
    match (sent, got) {
        (Value::Object(sent), Value::Object(got)) => {
            let keys: BTreeSet<&String> = sent.keys().chain(got.keys()).collect();
            keys.into_iter().find_map(|key| {
                let sent = sent.get(key).unwrap_or(&Value::Null);
                let got = got.get(key).unwrap_or(&Value::Null);
                difference(sent, got).map(|inner| at(key, inner))
            })
        }
        (Value::Array(sent), Value::Array(got)) if sent.len() == got.len() => sent
            .iter()
            .zip(got)
            .enumerate()
            .find_map(|(n, (sent, got))| {
                difference(sent, got).map(|inner| at(&n.to_string(), inner))
            }),
        (Value::Number(sent), Value::Number(got)) if sent.is_f64() || got.is_f64() => {
            (sent.as_f64() != got.as_f64()).then(|| format!(": {sent} became {got}"))
        }
        _ => (sent != got).then(|| format!(": {sent} became {got}")),
    }
}

/// Whether the body says so little that the header is asked.
pub(super) fn leaves_it_to_the_header(body: &Value) -> bool {
    let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
    let documented = || {
        ["AuthStatus", "CardStatus", "Order"].iter().any(|name| {
            SCHEMA.enums[*name]
                .iter()
                .any(|text| body["status"] == **text)
        })
    };
    match &*keys {
        [id] => *id == "id",
        [id, status] => *id == "id" && *status == "status" && !documented(),
        _ => false,
    }
}
