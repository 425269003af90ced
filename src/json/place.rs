//! [`Place`]: where in a document a value has another type than expected, by the position that the
//! error has.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The names and indices that lead to a value; none for the document itself.
pub(super) type Place = Vec<Token>;

/// A step on the way to a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Token {
    Name(String),
    Index(usize),
}

/// The value of a document that an error is about: the innermost one that begins or ends where the
/// error is, or that is around it.
pub(super) fn of_error(document: &[u8], error: &serde_json::Error) -> Place {
    let mut place = Vec::new();
    let Ok(document) = std::str::from_utf8(document) else {
        return place;
    };
    let lines = document.split_inclusive('\n');
    let before: usize = lines
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let at = before.saturating_add(error.column());
    let range = |value: &RawValue| {
        let start = value.get().as_ptr().addr();
        let start = start.saturating_sub(document.as_ptr().addr());
        start..=start.saturating_add(value.get().len())
    };
    let mut value = document;
    let mut is_edge = false;
    while !is_edge {
        let is_it = |(_, part): &(Token, &RawValue)| range(part).contains(&at);
        let Some((token, part)) = parts(value).into_iter().find(is_it) else {
            break;
        };
        place.push(token);
        value = part.get();
        is_edge = [*range(part).start(), *range(part).end()].contains(&at);
    }
    place
}

/// The values that a value consists of.
fn parts(value: &str) -> Vec<(Token, &RawValue)> {
    if let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(value) {
        let members = members.into_iter();
        return members
            .map(|(name, value)| (Token::Name(name), value))
            .collect();
    }
    let items: Vec<&RawValue> = serde_json::from_str(value).unwrap_or_default();
    let items = items.into_iter().enumerate();
    items
        .map(|(index, value)| (Token::Index(index), value))
        .collect()
}

/// As people write it: `a.b[0].c`.
pub(super) fn shown(place: &Place) -> String {
    let mut text = String::new();
    for token in place {
        match token {
            Token::Index(index) => text += &format!("[{index}]"),
            Token::Name(name) if text.is_empty() => text += name,
            Token::Name(name) => text += &format!(".{name}"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only its types matter")]
    struct Sample {
        text: Option<String>,
        small: Option<u8>,
        kind: Option<Kind>,
        inner: Option<Inner>,
        list: Option<Vec<Inner>>,
        texts: Option<Vec<String>>,
        by_name: Option<BTreeMap<String, Inner>>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only its types matter")]
    struct Inner {
        id: String,
        rest: Option<bool>,
    }

    #[derive(Debug, Deserialize)]
    enum Kind {
        One,
    }

    #[test]
    fn an_error_is_at_the_value_that_has_another_type() {
        for (document, expected) in [
            (r#"{"text":1}"#, "text"),
            (r#"{"text":-1.50e3}"#, "text"),
            (r#"{"text" : true , "small":1}"#, "text"),
            (r#"{"text":{"a":1}}"#, "text"),
            (r#"{"text": {"a":1}}"#, "text"),
            (r#"{"text":[],"small":2}"#, "text"),
            (r#"{"small":"1"}"#, "small"),
            (r#"{"small":300}"#, "small"),
            (r#"{"small":null,"text":[1]}"#, "text"),
            (r#"{"kind":"Two"}"#, "kind"),
            (r#"{"kind":"Two","text":""}"#, "kind"),
            (r#"{"inner":{}}"#, "inner"),
            (r#"{"inner":{"id":"","rest":0}}"#, "inner.rest"),
            (r#"{"inner":{"id":7},"small":1}"#, "inner.id"),
            (r#"{"inner":"x"}"#, "inner"),
            (r#"{"list":[{"id":""},{"id":null}]}"#, "list[1].id"),
            (r#"{"list":[{"id":""},{}]}"#, "list[1]"),
            (r#"{"list":[{"id":""},3]}"#, "list[1]"),
            (r#"{"list":7}"#, "list"),
            (r#"{"texts":["a", "b" ,null]}"#, "texts[2]"),
            (
                r#"{"by_name":{"ä.ö":{"id":"é","rest":"é"}}}"#,
                "by_name.ä.ö.rest",
            ),
            (
                "{\n  \"text\": \"é\",\r\n  \"inner\":\n {\"id\":\n 7}}",
                "inner.id",
            ),
            (r#"{"text":"a\"}","small":"é"}"#, "small"),
            ("[]", ""),
            ("7", ""),
        ] {
            let error = serde_json::from_str::<Sample>(document).unwrap_err();
            let place = of_error(document.as_bytes(), &error);
            assert_eq!(shown(&place), expected, "{document} {error}");
        }
    }
}
