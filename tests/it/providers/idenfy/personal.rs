//! Nothing personal in a `Debug` or an error.

use super::*;

/// The texts and longer numbers of a value that `Debug` must not show.
fn hidden(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                if !SHOWN.contains(&&**name) || value.is_object() {
                    hidden(value, into);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| hidden(item, into)),
        Value::String(text) if !text.is_empty() => {
            into.insert(text.clone());
        }
        Value::Number(number) if number.to_string().len() > 1 => {
            into.insert(number.to_string());
        }
        _ => {}
    }
}

fn shows_nothing_hidden(debug: &str, hidden: &BTreeSet<String>) {
    // An id is one word, and may have any digits in it.
    let is_in_word = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let words: Vec<&str> = debug.split(|c| !is_in_word(c)).collect();
    for value in hidden {
        let is_shown = if value.chars().all(is_in_word) {
            words.contains(&&**value)
        } else {
            debug.contains(&**value)
        };
        assert!(!is_shown, "{value} in {debug}");
    }
}

#[test]
fn debug_of_an_event_shows_nothing_personal() {
    let mut count = 0;
    for (sample, event) in samples() {
        let body = sample.body();
        let mut personal = BTreeSet::new();
        hidden(&serde_json::from_slice(&body).unwrap(), &mut personal);
        count += personal.len();
        shows_nothing_hidden(&format!("{event:?}"), &personal);
        match event.parse::<Event>() {
            Ok(event) => {
                shows_nothing_hidden(&format!("{event:?}"), &personal);
                let debug = format!("{:?}", event.payload());
                shows_nothing_hidden(&debug, &personal);
            }
            Err(error) => shows_nothing_hidden(&format!("{error} {error:?}"), &personal),
        }
    }
    assert!(count > 400, "{count}");
}

#[test]
fn debug_of_every_type_shows_nothing_personal() {
    for (name, read) in TYPES
        .iter()
        .filter(|(name, _)| *name != "AmlMonitoringExpiration")
    {
        for value in values(name, name, Rest::Full) {
            let (_, debug) = read(&value).unwrap();
            // Made-up texts have a tilde at each end, and name their field.
            let shown = debug.split('~').skip(1).step_by(2);
            for text in shown {
                let field = text.split('-').next().unwrap();
                assert!(SHOWN.contains(&field), "{name}: {text} in {debug}");
            }
            assert!(!debug.contains("1234567"), "{name}: {debug}");
            assert!(!debug.contains("7654"), "{name}: {debug}");
        }
    }
}

#[test]
fn an_error_says_where_it_is_and_quotes_nothing() {
    let mut count = 0;
    for (body_type, event_type) in bodies() {
        for property in &SCHEMA.types[body_type] {
            let mut body = object(body_type, Rest::Full);
            let value = &mut body[&property.name];
            *value = match value {
                Value::String(_) => json!({"~secret~": "~secret~"}),
                _ => json!("~secret~"),
            };
            let Err(error) = read::<Event>(&body.into(), Some(event_type)) else {
                continue;
            };
            count += 1;
            let error = format!("{error} {error:?}");
            assert!(error.contains(", at line 1 column "), "{error}");
            assert!(!error.contains('~'), "{error}");
        }
    }
    assert!(count > 100, "{count}");
}
