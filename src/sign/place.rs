//! Sets a signature where it is not in a header.

use bytes::Bytes;
use http::{Uri, uri::PathAndQuery};
use serde_json::{Map, Value as Json};

use crate::{compiled::body::BodySource, json};

/// The URI with a query parameter, in place of one of the same name.
pub(super) fn with_query(uri: &Uri, name: &str, value: &str) -> Option<Uri> {
    let query = with_field(uri.query().unwrap_or_default().as_bytes(), name, value);
    let path = format!("{}?{query}", uri.path());
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Uri::from_parts(parts).ok()
}

/// What a value is that was not in the body before. In place of another one, it is as that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text,
    /// A number, if it is one.
    Time,
}

/// The body with a value. `None` if it is not of the format that the value needs.
pub(super) fn with_value(
    source: &BodySource,
    value: &str,
    kind: Value,
    body: &[u8],
) -> Option<Bytes> {
    match source {
        BodySource::Json(pointer) | BodySource::JsonString(pointer) => {
            with_json(body, pointer, value, kind).map(Bytes::from)
        }
        BodySource::Form(name) => Some(with_field(body, name, value).into()),
        BodySource::FormJson(name, pointer) => {
            let mut fields = form_urlencoded::parse(body);
            let (_, document) = fields.find(|(field, _)| *field == **name)?;
            let document = with_json(document.as_bytes(), pointer, value, kind)?;
            let document = String::from_utf8(document).ok()?;
            Some(with_field(body, name, &document).into())
        }
        BodySource::Whole | BodySource::Span(_) => None,
    }
}

/// The form with a field, in place of one of the same name, else at the end.
pub(crate) fn with_field(form: &[u8], name: &str, value: &str) -> String {
    let mut fields = form_urlencoded::Serializer::new(String::new());
    let mut is_set = false;
    for (field, old) in form_urlencoded::parse(form) {
        if field == name {
            if !std::mem::replace(&mut is_set, true) {
                fields.append_pair(name, value);
            }
        } else {
            fields.append_pair(&field, &old);
        }
    }
    if !is_set {
        fields.append_pair(name, value);
    }
    fields.finish()
}

/// The document with a text at a pointer, whose objects are made if they are missing. In place of a
/// number it is a number.
pub(crate) fn with_json(
    document: &[u8],
    pointer: &str,
    text: &str,
    kind: Value,
) -> Option<Vec<u8>> {
    let mut root: Json = serde_json::from_slice(json::document(document)).ok()?;
    let path = json::path(Some(pointer));
    set(&mut root, &path, text, kind)?;
    serde_json::to_vec(&root).ok()
}

fn set<T: AsRef<str>>(value: &mut Json, path: &[T], text: &str, kind: Value) -> Option<()> {
    let Some((first, rest)) = path.split_first() else {
        // The receiver may read a number only, as Linear's does for the time.
        let may_be_number = value.is_number() || (value.is_null() && kind == Value::Time);
        *value = match text.parse::<i64>() {
            Ok(number) if may_be_number => number.into(),
            _ => Json::String(text.to_owned()),
        };
        return Some(());
    };
    match value {
        Json::Object(object) => {
            let missing = || match rest {
                [] => Json::Null,
                _ => Json::Object(Map::new()),
            };
            let member = object.entry(first.as_ref()).or_insert_with(missing);
            set(member, rest, text, kind)
        }
        Json::Array(items) if first.as_ref() == "*" => items
            .iter_mut()
            .try_for_each(|item| set(item, rest, text, kind)),
        Json::Array(items) => {
            let index: usize = first.as_ref().parse().ok()?;
            set(items.get_mut(index)?, rest, text, kind)
        }
        _ => None,
    }
}
