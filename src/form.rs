//! `application/x-www-form-urlencoded` bodies, read so that a field has one value.
//!
//! GitHub sends such bodies if a webhook has this content type, and Slack for slash commands and
//! interactivity. Both put JSON into a field: see [`FormJson`](crate::FormJson).
//!
//! The signature covers the body, and only the body decides how it is read: the header
//! `Content-Type` is not signed, and is ignored. A body is split as the
//! [URL Standard](https://url.spec.whatwg.org/#urlencoded-parsing) says, with these additions:
//!
//! - Names and values must be UTF-8 once they are decoded. Nothing is replaced.
//! - A field that occurs twice is an error when it is read, because another parser may take the
//!   other one.
//! - There are at most 1000 fields.
//!
//! [`VerifiedEvent::form`](crate::VerifiedEvent::form) returns the fields:
//!
//! ```
//! use tower_webhook::{Secret, Verifier, providers, verify::Head};
//! # use http::Request;
//! # use tower_webhook::Signer;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = Secret::new("the-signing-secret-of-the-app");
//! let verifier = Verifier::new(providers::slack(), secret.clone())?;
//!
//! let body = "command=%2Fdeploy&text=api+to+production&user_id=U1";
//! # let now = std::time::SystemTime::now();
//! # let request = Signer::new(providers::slack(), secret)?.sign(Request::post("/"), body)?;
//! # let (head, _) = request.into_parts();
//! let event = verifier.verify(&Head::from(&head), body, now)?;
//! let form = event.form()?;
//! assert_eq!(form.get("command")?, "/deploy");
//! assert_eq!(form.get("text")?, "api to production");
//! assert_eq!(form.optional("thread_ts")?, None);
//! let error = form.get("thread_ts").unwrap_err();
//! assert_eq!(error.to_string(), r#"the form has no field "thread_ts""#);
//! # Ok(())
//! # }
//! ```

use std::{borrow::Cow, fmt};

use percent_encoding::percent_decode;
use serde_core::de::DeserializeOwned;

use crate::{error::PayloadError, json};

/// As many as other parsers of forms accept.
const MAX_FIELDS: usize = 1000;

/// How many bytes [`looks_like_form`] reads.
const LONGEST_NAME: usize = 256;

/// The fields of a form-encoded body, in its order. Its `Debug` shows how many there are.
#[derive(Clone, PartialEq, Eq)]
pub struct Form {
    fields: Vec<(Box<str>, Box<str>)>,
}

impl Form {
    /// The value of a field that must be there.
    ///
    /// # Errors
    ///
    /// When there is no such field, or more than one. The error contains `name`.
    pub fn get(&self, name: &str) -> Result<&str, PayloadError> {
        self.optional(name)?
            .ok_or_else(|| PayloadError::new(format!("the form has no field {name:?}")))
    }

    /// The value of a field, or `None` if there is no such field. A field without `=` is empty.
    ///
    /// # Errors
    ///
    /// When there is more than one such field. The error contains `name`.
    pub fn optional(&self, name: &str) -> Result<Option<&str>, PayloadError> {
        let mut named = self.iter().filter(|(field, _)| *field == name);
        let found = named.next().map(|(_, value)| value);
        match named.next() {
            None => Ok(found),
            Some(_) => Err(PayloadError::new(format!(
                "the form has the field {name:?} more than once"
            ))),
        }
    }

    /// Reads the JSON in a field.
    ///
    /// ```
    /// # use http::Request;
    /// # use tower_webhook::{Secret, Signer, Verifier, providers, verify::Head};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let secret = Secret::new("a-secret-of-some-length");
    /// # let verifier = Verifier::new(providers::github(), secret.clone())?;
    /// let body = "payload=%7B%22action%22%3A%22opened%22%7D";
    /// # let request = Signer::new(providers::github(), secret)?.sign(Request::post("/"), body)?;
    /// # let (head, _) = request.into_parts();
    /// # let event = verifier.verify(&Head::from(&head), body, std::time::SystemTime::now())?;
    /// let issue: serde_json::Value = event.form()?.json("payload")?;
    /// assert_eq!(issue["action"], "opened");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), and when the value is not the JSON of a `J`.
    pub fn json<J: DeserializeOwned>(&self, name: &str) -> Result<J, PayloadError> {
        let value = self.get(name)?;
        serde_json::from_slice(json::document(value.as_bytes()))
            .map_err(|error| PayloadError::json_in(&format!("the form field {name:?}"), &error))
    }

    /// The names and values of all fields, including those that occur more than once.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (&**name, &**value))
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form")
            .field("fields", &self.fields.len())
            .finish_non_exhaustive()
    }
}

/// Reads the fields of `body`.
pub(crate) fn parse(body: &[u8]) -> Result<Form, PayloadError> {
    if matches!(json::document(body).first(), Some(b'{' | b'[')) && !looks_like_form(body) {
        return Err(PayloadError::new(
            "the body is JSON, not a form; read it with `event.json()` or take `Json<T>`",
        ));
    }
    let mut fields = Vec::new();
    for (name, value) in pairs(body) {
        let place = fields.len().saturating_add(1);
        if place > MAX_FIELDS {
            return Err(PayloadError::new(format!(
                "the form has more than {MAX_FIELDS} fields"
            )));
        }
        let not_text = |part: &str| {
            PayloadError::new(format!(
                "field {place} of the form: its {part} is not UTF-8"
            ))
        };
        let name = decoded(name).ok_or_else(|| not_text("name"))?;
        let value = decoded(value).ok_or_else(|| not_text("value"))?;
        fields.push((name, value));
    }
    Ok(Form { fields })
}

/// The values of a field, in a text of which other fields need not be UTF-8; `None` for a value
/// that is not.
pub(crate) fn values<'f>(
    fields: &'f [u8],
    wanted: &'f str,
) -> impl Iterator<Item = Option<Box<str>>> + 'f {
    let named = pairs(fields).filter(move |(name, _)| decoded(name).as_deref() == Some(wanted));
    named.map(|(_, value)| decoded(value))
}

/// The names and values as they are encoded.
fn pairs(body: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pairs = body.split(|byte| *byte == b'&');
    pairs.filter(|pair| !pair.is_empty()).map(|pair| {
        let equals = memchr::memchr(b'=', pair).and_then(|at| pair.split_at_checked(at));
        match equals {
            Some((name, value)) => (name, value.strip_prefix(b"=").unwrap_or(value)),
            None => (pair, &b""[..]),
        }
    })
}

/// The text that is encoded, if it is UTF-8. `form_urlencoded` would replace what is not.
fn decoded(encoded: &[u8]) -> Option<Box<str>> {
    let text = spaced(encoded);
    let text = percent_decode(&text).decode_utf8().ok()?;
    Some(text.into())
}

/// The text with spaces in place of plus signs.
pub(crate) fn spaced(encoded: &[u8]) -> Cow<'_, [u8]> {
    match memchr::memchr(b'+', encoded) {
        None => Cow::Borrowed(encoded),
        Some(_) => {
            let space = |byte: &u8| if *byte == b'+' { b' ' } else { *byte };
            encoded.iter().map(space).collect()
        }
    }
}

/// Whether a body that is not JSON is a form, by its first bytes: a name of letters, digits and
/// `_-.%+[]`, then `=` and a value. Base64, of which `=` is the padding, is none.
pub(crate) fn looks_like_form(body: &[u8]) -> bool {
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.%+[]".contains(byte);
    let length = body
        .iter()
        .take(LONGEST_NAME)
        .take_while(|byte| in_name(byte))
        .count();
    match body.split_at_checked(length) {
        Some((name, [b'=', value @ ..])) => !name.is_empty() && !matches!(value, [] | [b'=']),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(body: &[u8]) -> Result<Vec<(String, String)>, String> {
        let form = parse(body).map_err(|error| error.to_string())?;
        let owned = form.iter().map(|(name, value)| (name.into(), value.into()));
        Ok(owned.collect())
    }

    #[test]
    fn fields_are_split_and_decoded_as_forms_are() {
        for (body, expected) in [
            ("", &[][..]),
            ("&&", &[]),
            ("a=1", &[("a", "1")]),
            ("a=1&b=2&a=3", &[("a", "1"), ("b", "2"), ("a", "3")]),
            ("&a=1&", &[("a", "1")]),
            ("a", &[("a", "")]),
            ("=1", &[("", "1")]),
            ("a=", &[("a", "")]),
            ("a=b=c==", &[("a", "b=c==")]),
            ("a+b=c+%2B+d", &[("a b", "c + d")]),
            ("%61=%7b%7D", &[("a", "{}")]),
            ("a%3Db=%26", &[("a=b", "&")]),
            ("a=%C3%A9&b=\u{e9}", &[("a", "\u{e9}"), ("b", "\u{e9}")]),
            // Not an encoding, so it stays as it is.
            ("a=%&b=%zz&c=%4", &[("a", "%"), ("b", "%zz"), ("c", "%4")]),
            // The replacement character is text if the sender wrote it.
            ("a=%EF%BF%BD", &[("a", "\u{fffd}")]),
            ("a[]=1&[b]=2", &[("a[]", "1"), ("[b]", "2")]),
            ("[b]=2", &[("[b]", "2")]),
        ] {
            let found = fields(body.as_bytes()).unwrap();
            let expected: Vec<(String, String)> = expected
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect();
            assert_eq!(found, expected, "{body:?}");
            // What a scheme signs as {form:…} is the same text.
            let signed = form_urlencoded::parse(body.as_bytes()).into_owned();
            assert_eq!(found, signed.collect::<Vec<_>>(), "{body:?}");
        }
    }

    #[test]
    fn what_is_no_form_is_an_error_without_its_content() {
        let json = "the body is JSON, not a form; read it with `event.json()` or take `Json<T>`";
        for (body, problem) in [
            (
                &b"a=1&MARKER=%FF"[..],
                "field 2 of the form: its value is not UTF-8",
            ),
            (
                b"MARKER=\xff",
                "field 1 of the form: its value is not UTF-8",
            ),
            (b"MARKER%ff=1", "field 1 of the form: its name is not UTF-8"),
            (
                b"a=1&&b=%C3%28",
                "field 2 of the form: its value is not UTF-8",
            ),
            // A surrogate, and an overlong encoding.
            (
                b"a=%ED%A0%80",
                "field 1 of the form: its value is not UTF-8",
            ),
            (b"a=%C0%AF", "field 1 of the form: its value is not UTF-8"),
            (b"{\"MARKER\":1}", json),
            (b"[1]", json),
            (b"\xef\xbb\xbf{}", json),
        ] {
            assert_eq!(fields(body), Err(problem.to_owned()));
        }
        let many = "a&".repeat(MAX_FIELDS);
        assert_eq!(fields(many.as_bytes()).unwrap().len(), MAX_FIELDS);
        let problem = "the form has more than 1000 fields".to_owned();
        assert_eq!(fields(format!("{many}a").as_bytes()), Err(problem));
    }

    #[test]
    fn a_field_has_one_value() {
        let form = parse(b"a=1&b=2&%61=3&c=%7B%22n%22%3A7%7D&d=%7B%22MARKER%22").unwrap();
        let text = |error: PayloadError| error.to_string();
        assert_eq!(form.get("b"), Ok("2"));
        assert_eq!(form.optional("b"), Ok(Some("2")));
        assert_eq!(form.optional("q"), Ok(None));
        let twice = "the form has the field \"a\" more than once";
        assert_eq!(form.get("a").map_err(text), Err(twice.to_owned()));
        assert_eq!(form.optional("a").map_err(text), Err(twice.to_owned()));
        let json = |name: &str| form.json::<serde_json::Value>(name).map_err(text);
        assert_eq!(json("c"), Ok(serde_json::json!({"n": 7})));
        for (name, problem) in [
            ("a", twice),
            ("q", "the form has no field \"q\""),
            (
                "d",
                "the JSON of the form field \"d\" is truncated, at line 1 column 9",
            ),
        ] {
            assert_eq!(json(name), Err(problem.to_owned()));
        }
        let wrong = form.json::<Vec<u8>>("c").map_err(text);
        let problem = "a value has the wrong type, in the form field \"c\", at line 1 column 0";
        assert_eq!(wrong, Err(problem.to_owned()));
        assert_eq!(format!("{form:?}"), "Form { fields: 5, .. }");
    }

    #[test]
    fn a_form_is_recognised_by_its_first_bytes() {
        let long = |length: usize| [vec![b'a'; length], b"=1".to_vec()].concat();
        for body in [
            &b"payload=%7B%7D"[..],
            b"a=1",
            b"a=&b=1",
            b"a[b]=1",
            b"[a]=1",
            b"%C3%A9=1",
            b"a+b-c.d_e=\xff",
            b"a==b",
            &long(LONGEST_NAME),
        ] {
            assert!(looks_like_form(body), "{body:?}");
        }
        for body in [
            &b""[..],
            b"a",
            b"=1",
            b"true",
            b"\"a=b\"",
            b"{a=b}",
            b"[\"a=b\"]",
            b"a&b=1",
            b"a b=1",
            b" a=1",
            b"\xffa=1",
            b"\x1f\x8b=1",
            b"<a b=\"c\">",
            // Base64.
            b"e30=",
            b"eyJhIjoxfQ==",
            &long(LONGEST_NAME + 1),
            &[b'a'; 1 << 20],
        ] {
            assert!(!looks_like_form(body), "{body:?}");
        }
    }
}
