//! Looks up single values of a JSON document by JSON pointer, without parsing the document into a
//! tree.

pub(crate) mod canonical;
#[cfg(feature = "identity")]
mod place;
#[cfg(feature = "identity")]
pub(crate) mod typed;
#[cfg(feature = "identity")]
pub(crate) mod unique;

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde_core::de::{
    self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Value, value::RawValue};

use crate::error::SetupError;

/// The JSON text of a body: the body without one byte order mark at its beginning, which RFC 8259
/// allows a reader to ignore. Every reading of a body as JSON begins here, so that all of them see
/// the same document.
pub(crate) fn document(body: &[u8]) -> &[u8] {
    body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body)
}

/// The raw text of the value at `pointer` (RFC 6901). Of duplicate keys, the last one counts.
pub(crate) fn raw<'d>(body: &'d [u8], pointer: &str) -> Option<&'d RawValue> {
    let [found] = *raws(body, &[Some(pointer)]) else {
        return None;
    };
    found
}

/// The scalar at `pointer`: the text of a string, or the literal of a number or boolean. `None` for
/// null, arrays and objects.
pub(crate) fn scalar<'d>(body: &'d [u8], pointer: &str) -> Option<Cow<'d, str>> {
    text(raw(body, pointer)?)
}

/// The raw texts of the values at several pointers, found in one pass over the body. `None` where a
/// name on the way occurs twice in its object: another parser would take the other one. `*` means
/// every item of an array, which must all have the same scalar there.
pub(crate) fn unique<'d>(body: &'d [u8], pointers: &[Option<&str>]) -> Vec<Option<&'d RawValue>> {
    let found = search(body, pointers).into_iter();
    found
        .map(|found| found.value.filter(|_| !found.is_ambiguous))
        .collect()
}

/// As [`unique`], but `None` for the whole document if it is no JSON, or if one of the values is
/// ambiguous.
pub(crate) fn optional<'d>(
    body: &'d [u8],
    pointers: &[Option<&str>],
) -> Option<Vec<Option<&'d RawValue>>> {
    let found = search(body, pointers);
    let is_clear = found.iter().all(|found| !found.is_ambiguous);
    // The search finds nothing in what is no JSON.
    let is_json = || serde_json::from_slice::<IgnoredAny>(document(body)).is_ok();
    (is_clear && is_json()).then(|| found.into_iter().map(|found| found.value).collect())
}

/// The items of the array at `pointer`. `None` if there is no array, or a name on the way occurs
/// twice.
pub(crate) fn items<'d>(body: &'d [u8], pointer: &str) -> Option<Vec<&'d RawValue>> {
    let [found] = *unique(body, &[Some(pointer)]) else {
        return None;
    };
    serde_json::from_str(found?.get()).ok()
}

/// The members of an object.
pub(crate) type Object = BTreeMap<String, Value>;

/// The members of a document that is an object. `None` if a name occurs twice: another parser may
/// take the other one.
pub(crate) fn object(document: &[u8]) -> Option<Object> {
    let mut json = serde_json::Deserializer::from_slice(document);
    let object = json.deserialize_map(Members).ok()?;
    json.end().ok()?;
    Some(object)
}

/// Reads an object whose names are unique.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object whose names are unique")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut members = Object::new();
        while let Some((name, value)) = map.next_entry()? {
            if members.insert(name, value).is_some() {
                return Err(de::Error::custom("a name occurs twice"));
            }
        }
        Ok(members)
    }
}

/// The text of a scalar; see [`scalar`].
pub(crate) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let text = raw.get();
    match text.as_bytes().first()? {
        b'"' => serde_json::from_str::<Text<'_>>(text)
            .ok()
            .map(|text| text.0),
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(text)),
    }
}

/// The text of a string; `None` for other values.
pub(crate) fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    text(raw).filter(|_| raw.get().starts_with('"'))
}

/// A string, borrowed unless it has escapes.
struct Text<'d>(Cow<'d, str>);

impl<'de> de::Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

fn raws<'d>(body: &'d [u8], pointers: &[Option<&str>]) -> Vec<Option<&'d RawValue>> {
    let found = search(body, pointers).into_iter();
    found.map(|found| found.value).collect()
}

/// What was found at one pointer.
#[derive(Clone, Copy, Default)]
struct Found<'d> {
    /// The last value.
    value: Option<&'d RawValue>,
    /// Whether another parser could find another value.
    is_ambiguous: bool,
}

fn search<'d>(body: &'d [u8], pointers: &[Option<&str>]) -> Vec<Found<'d>> {
    let mut found = vec![Found::default(); pointers.len()];
    let paths: Vec<Vec<Cow<'_, str>>> = pointers.iter().map(|pointer| path(*pointer)).collect();
    let targets: Vec<Target<'_>> = paths
        .iter()
        .enumerate()
        .filter(|(_, path)| !path.is_empty())
        .map(|(place, path)| Target { place, path })
        .collect();
    let mut json = serde_json::Deserializer::from_slice(document(body));
    let walk = Walk {
        targets: &targets,
        found: &mut found,
    };
    if walk
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .is_err()
    {
        found.fill(Found::default());
    }
    found
}

/// The tokens of a pointer. The list is empty for a missing pointer, and for one that is invalid or
/// denotes the whole document.
pub(crate) fn path(pointer: Option<&str>) -> Vec<Cow<'_, str>> {
    let Some(tokens) = pointer.and_then(|pointer| pointer.strip_prefix('/')) else {
        return Vec::new();
    };
    let unescape = |token: &'_ str| token.replace("~1", "/").replace("~0", "~");
    let tokens = tokens.split('/').map(|token| match token.contains('~') {
        true => Cow::Owned(unescape(token)),
        false => Cow::Borrowed(token),
    });
    tokens.collect()
}

/// The remaining path to a requested value.
#[derive(Clone, Copy)]
struct Target<'p> {
    /// The index of the pointer.
    place: usize,
    path: &'p [Cow<'p, str>],
}

/// A search for the targets inside one value.
struct Walk<'w, 'p, 'de> {
    targets: &'w [Target<'p>],
    found: &'w mut [Found<'de>],
}

impl<'p> Walk<'_, 'p, '_> {
    /// The targets below the key `name`. Clears the values found below an earlier, duplicate key.
    fn enter(&mut self, name: &str) -> Vec<Target<'p>> {
        let inside = self.below(|first| *first == *name);
        for target in &inside {
            if let Some(found) = self.found.get_mut(target.place) {
                found.value = None;
            }
        }
        inside
    }

    fn below(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<Target<'p>> {
        let targets = self.targets.iter().filter_map(|target| {
            let (first, path) = target.path.split_first()?;
            let place = target.place;
            is_wanted(first).then_some(Target { place, path })
        });
        targets.collect()
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let ends_here = |target: &Target<'_>| target.path.is_empty();
        if !self.targets.iter().any(ends_here) {
            return deserializer.deserialize_any(self);
        }
        let raw: &RawValue = de::Deserialize::deserialize(deserializer)?;
        for target in self.targets.iter().filter(|target| ends_here(target)) {
            if let Some(found) = self.found.get_mut(target.place) {
                found.value = Some(raw);
            }
        }
        let further = self.targets.iter().filter(|target| !ends_here(target));
        let further: Vec<_> = further.copied().collect();
        if further.is_empty() {
            return Ok(());
        }
        let mut json = serde_json::Deserializer::from_str(raw.get());
        let walk = Walk {
            targets: &further,
            found: self.found,
        };
        walk.deserialize(&mut json).map_err(de::Error::custom)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut entered: Vec<usize> = Vec::new();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let inside = self.enter(&key);
            if inside.is_empty() {
                map.next_value::<IgnoredAny>()?;
            } else {
                for target in &inside {
                    if entered.contains(&target.place)
                        && let Some(found) = self.found.get_mut(target.place)
                    {
                        found.is_ambiguous = true;
                    }
                    entered.push(target.place);
                }
                map.next_value_seed(Walk {
                    targets: &inside,
                    found: self.found,
                })?;
            }
        }
        Ok(())
    }

    /// Compares indices as text, because RFC 6901 allows no leading zeros.
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        let firsts = self.targets.iter().filter_map(|target| target.path.first());
        let wanted: Vec<_> = firsts
            .filter_map(|first| first.parse::<usize>().ok())
            .collect();
        let every = self.below(|first| first == "*");
        let mut agreed: Vec<Option<&RawValue>> = vec![None; every.len()];
        for index in 0_usize.. {
            let mut inside = if wanted.contains(&index) {
                self.enter(&index.to_string())
            } else {
                Vec::new()
            };
            for target in &every {
                if let Some(found) = self.found.get_mut(target.place) {
                    found.value = None;
                }
            }
            inside.extend(&every);
            let more = if inside.is_empty() {
                seq.next_element::<IgnoredAny>()?.is_some()
            } else {
                let element = seq.next_element_seed(Walk {
                    targets: &inside,
                    found: self.found,
                })?;
                element.is_some()
            };
            if !more {
                break;
            }
            for (target, agreed) in every.iter().zip(&mut agreed) {
                if let Some(found) = self.found.get_mut(target.place) {
                    let same = agreed.is_none_or(|other| same_scalar(Some(other), found.value));
                    found.is_ambiguous |= found.value.is_none() || !same;
                    *agreed = found.value;
                }
            }
        }
        for (target, agreed) in every.iter().zip(agreed) {
            if let Some(found) = self.found.get_mut(target.place) {
                found.value = agreed;
            }
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

fn same_scalar(one: Option<&RawValue>, other: Option<&RawValue>) -> bool {
    let scalar = |raw: Option<&RawValue>| text(raw?).map(Cow::into_owned);
    let one = scalar(one);
    one.is_some() && one == scalar(other)
}

/// Checks that `pointer` is a JSON pointer (RFC 6901), and not the one to the whole document.
pub(crate) fn json_pointer(pointer: &str) -> Result<&str, SetupError> {
    if pointer.starts_with('/') {
        Ok(pointer)
    } else {
        Err(SetupError::new(format!(
            "{pointer:?} is not a JSON pointer; start it with a slash, as in /data/id"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_several_values_including_nested_ones() {
        let document = br#"{"a":{"b":1,"c":[2,3]},"d":"x","a":{"b":4,"c":[5,{"e":6}]}}"#;
        let pointers = ["/a/b", "/a", "/a/c/1/e", "/d", "/a/c/0", "/q", "/a/b"];
        let found = raws(document, &pointers.map(Some));
        let texts: Vec<_> = found.iter().map(|raw| raw.map(RawValue::get)).collect();
        let whole = r#"{"b":4,"c":[5,{"e":6}]}"#;
        let expected = [
            Some("4"),
            Some(whole),
            Some("6"),
            Some("\"x\""),
            Some("5"),
            None,
            Some("4"),
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn finds_scalars_at_their_pointers() {
        let document = br#"{"a":{"b":[10,{"c":"x\n\u00e9"}]},"n":1.50,"t":true,"z":null,"a/b":{"~":"k"},"":"e"}"#;
        let at = |pointer| scalar(document, pointer).map(Cow::into_owned);
        assert_eq!(at("/a/b/0").as_deref(), Some("10"));
        assert_eq!(at("/a/b/1/c").as_deref(), Some("x\né"));
        assert_eq!(at("/n").as_deref(), Some("1.50"));
        assert_eq!(at("/t").as_deref(), Some("true"));
        assert_eq!(at("/a~1b/~0").as_deref(), Some("k"));
        assert_eq!(at("/").as_deref(), Some("e"));
        for nothing in [
            "/z", "/a", "/a/b", "/a/b/2", "/a/b/00", "/a/b/-", "/q", "/n/x", "a", "", "/t/0",
        ] {
            assert_eq!(at(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn one_byte_order_mark_in_front_is_no_part_of_the_document() {
        for (body, id) in [
            ("\u{feff}{\"id\":\"x\"}", Some("x")),
            ("\u{feff} {\"id\":\"\u{feff}x\"}", Some("\u{feff}x")),
            ("\u{feff}\u{feff}{\"id\":\"x\"}", None),
            (" \u{feff}{\"id\":\"x\"}", None),
            ("{\u{feff}\"id\":\"x\"}", None),
            ("{\"id\":\"x\"}\u{feff}", None),
            ("\u{feff}", None),
        ] {
            assert_eq!(scalar(body.as_bytes(), "/id").as_deref(), id, "{body:?}");
        }
        let half = [&b"\xef\xbb"[..], b"{\"id\":\"x\"}"].concat();
        assert_eq!(scalar(&half, "/id"), None);
    }

    #[test]
    fn agrees_with_the_parser_on_duplicate_keys() {
        let document = br#"{"id":"first","id":"last"}"#;
        let value: Value = serde_json::from_slice(document).unwrap();
        assert_eq!(scalar(document, "/id").as_deref(), value["id"].as_str());
    }

    #[test]
    fn a_value_is_unique_only_if_no_name_on_the_way_occurs_twice() {
        let at = |document: &str, pointer| {
            let [raw] = *unique(document.as_bytes(), &[Some(pointer)]) else {
                panic!("one pointer");
            };
            raw.map(|raw| raw.get().to_owned())
        };
        for (document, pointer, found) in [
            (r#"{"a":{"b":1},"c":2,"c":3}"#, "/a/b", Some("1")),
            (r#"{"a":{"b":1},"a":{"b":1}}"#, "/a/b", None),
            (r#"{"a":{"b":1},"a":{}}"#, "/a/b", None),
            (r#"{"a":{"b":1,"b":1}}"#, "/a/b", None),
            (r#"{"a":{"b":1,"\u0062":2}}"#, "/a/b", None),
            (r#"{"a":[{"b":1},{"b":2}]}"#, "/a/1/b", Some("2")),
            (
                r#"{"a":[{"b":"x"},{"b":"\u0078"}]}"#,
                "/a/*/b",
                Some(r#""\u0078""#),
            ),
            (r#"{"a":[{"b":1},{"b":2}]}"#, "/a/*/b", None),
            (r#"{"a":[{"b":1},{}]}"#, "/a/*/b", None),
            (r#"{"a":[{},{"b":1}]}"#, "/a/*/b", None),
            (r#"{"a":[{"b":1},{"b":1,"b":1}]}"#, "/a/*/b", None),
            (r#"{"a":[{"b":{}},{"b":{}}]}"#, "/a/*/b", None),
            (r#"{"a":[[1,1],[1]]}"#, "/a/*/*", Some("1")),
            (r#"{"a":[[1,1],[2]]}"#, "/a/*/*", None),
            (r#"{"a":[[1,1],[]]}"#, "/a/*/*", None),
            (r#"{"a":[]}"#, "/a/*/b", None),
            (r#"{"a":[7]}"#, "/a/*", Some("7")),
            (r#"{"a":{"*":{"b":1}}}"#, "/a/*/b", Some("1")),
        ] {
            assert_eq!(
                at(document, pointer).as_deref(),
                found,
                "{document} {pointer}"
            );
        }
    }

    #[test]
    fn invalid_json_has_no_values() {
        for wrong in [
            &b"{\"id\":\"x\""[..],
            b"",
            b"\xff",
            b"{\"id\":\"x\"} trailing",
            b"[1,",
            b"{\"id\":01}",
        ] {
            assert_eq!(scalar(wrong, "/id"), None);
        }
        let deep = "[".repeat(100_000);
        assert_eq!(scalar(deep.as_bytes(), "/0/0"), None);
    }
}
