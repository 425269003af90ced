//! JSON that is written anew, for senders that sign what they have parsed.
//!
//! Members are sorted by the UTF-16 code units of their names, strings have no escapes but the
//! necessary ones, and nothing is between tokens, as in the JSON Canonicalization Scheme ([RFC
//! 8785](https://www.rfc-editor.org/rfc/rfc8785)). Whoever signs such a text says nothing about
//! what was lost on the way to it, so a document that would lose something is refused: one in which
//! a name occurs twice, or in which a number has digits that a double does not keep.

use std::fmt;

use serde_core::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::json::document;

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// As they were received.
    AsReceived,
    /// As JavaScript writes them, which RFC 8785 requires.
    Shortest,
}

/// A document with its names sorted.
pub(crate) struct Canonical<'d> {
    root: Node,
    /// The numbers, in the order of the document.
    numbers: Vec<&'d str>,
}

enum Node {
    /// The text between quotes.
    Text(String),
    /// The place in the list of numbers.
    Number(usize),
    Literal(&'static str),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl<'d> Canonical<'d> {
    /// Reads a document. `None` if it is no JSON, or if a name occurs twice in an object.
    pub(crate) fn read(body: &'d [u8]) -> Option<Self> {
        let document = document(body);
        let mut json = serde_json::Deserializer::from_slice(document);
        let mut count = 0;
        let root = Reader {
            numbers: &mut count,
        };
        let root = root.deserialize(&mut json).ok()?;
        json.end().ok()?;
        let numbers = numbers(std::str::from_utf8(document).ok()?);
        (numbers.len() == count).then_some(Self { root, numbers })
    }

    /// The document as text. `None` if a number loses digits.
    pub(crate) fn text(&self, numbers: Numbers) -> Option<String> {
        let mut text = String::new();
        self.write(&self.root, numbers, &mut text)?;
        Some(text)
    }

    fn write(&self, node: &Node, numbers: Numbers, text: &mut String) -> Option<()> {
        match node {
            Node::Text(value) => text.push_str(&serde_json::to_string(value).ok()?),
            Node::Literal(literal) => text.push_str(literal),
            Node::Number(place) => {
                let number = self.numbers.get(*place)?;
                match numbers {
                    Numbers::AsReceived => text.push_str(number),
                    Numbers::Shortest => text.push_str(&shortest(number)?),
                }
            }
            Node::List(items) => {
                text.push('[');
                for (place, item) in items.iter().enumerate() {
                    text.push_str(if place == 0 { "" } else { "," });
                    self.write(item, numbers, text)?;
                }
                text.push(']');
            }
            Node::Object(members) => {
                text.push('{');
                for (place, (name, value)) in members.iter().enumerate() {
                    text.push_str(if place == 0 { "" } else { "," });
                    text.push_str(&serde_json::to_string(name).ok()?);
                    text.push(':');
                    self.write(value, numbers, text)?;
                }
                text.push('}');
            }
        }
        Some(())
    }
}

/// The numbers of a document that is valid, in its order.
fn numbers(document: &str) -> Vec<&str> {
    let mut numbers = Vec::new();
    let mut bytes = document.bytes().enumerate();
    let is_part =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    while let Some((start, byte)) = bytes.next() {
        match byte {
            b'"' => {
                while let Some((_, byte)) = bytes.next() {
                    match byte {
                        b'\\' => _ = bytes.next(),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            b'-' | b'0'..=b'9' => {
                let rest = document.get(start..).unwrap_or_default();
                let end = rest.bytes().position(|byte| !is_part(byte));
                let number = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
                numbers.push(number);
                // The first byte is taken already.
                for _ in 1..number.len() {
                    bytes.next();
                }
            }
            _ => {}
        }
    }
    numbers
}

/// Reads a value, and counts its numbers.
struct Reader<'r> {
    numbers: &'r mut usize,
}

impl Reader<'_> {
    fn number(self) -> Node {
        let place = *self.numbers;
        *self.numbers = place.saturating_add(1);
        Node::Number(place)
    }

    fn again(&mut self) -> Reader<'_> {
        Reader {
            numbers: self.numbers,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value whose names are unique")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Node, A::Error> {
        let mut members: Vec<(String, Node)> = Vec::new();
        while let Some(name) = map.next_key()? {
            let value = map.next_value_seed(self.again())?;
            members.push((name, value));
        }
        members.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
        let mut pairs = members.windows(2);
        if pairs.any(|pair| matches!(pair, [(one, _), (other, _)] if one == other)) {
            return Err(de::Error::custom("a name occurs twice"));
        }
        Ok(Node::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self.again())? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Literal(if value { "true" } else { "false" }))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Literal("null"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(self.number())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(self.number())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(self.number())
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }
}

/// A number as JavaScript writes it
/// ([`Number::toString`](https://tc39.es/ecma262/#sec-numeric-types-number-tostring)). `None` if
/// that is another number.
fn shortest(number: &str) -> Option<String> {
    let value: f64 = number.parse().ok()?;
    if !value.is_finite() {
        return None;
    }
    let text = javascript(value)?;
    (decimal(&text)? == decimal(number)?).then_some(text)
}

fn javascript(value: f64) -> Option<String> {
    if value == 0.0 {
        return Some("0".to_owned());
    }
    // The shortest digits that are no other double, which is what JavaScript takes, too.
    let scientific = format!("{:e}", value.abs());
    let (digits, exponent) = scientific.split_once('e')?;
    let digits = even(value, digits.replace('.', ""));
    let exponent: i32 = exponent.parse().ok()?;
    let count = i32::try_from(digits.len()).ok()?;
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
    // The number of digits in front of the point.
    let whole = exponent.checked_add(1)?;
    let text = if (count..=21).contains(&whole) {
        format!("{digits}{}", zeros(whole.checked_sub(count)?))
    } else if (1..=21).contains(&whole) {
        let (before, after) = digits.split_at_checked(usize::try_from(whole).ok()?)?;
        format!("{before}.{after}")
    } else if (-5..=0).contains(&whole) {
        format!("0.{}{digits}", zeros(whole.checked_neg()?))
    } else {
        let (first, rest) = digits.split_at_checked(1)?;
        let point = if rest.is_empty() { "" } else { "." };
        format!("{first}{point}{rest}e{exponent:+}")
    };
    Some(if value < 0.0 {
        format!("-{text}")
    } else {
        text
    })
}

/// Of two shortest texts that are equally near to the number, JavaScript takes the one whose last
/// digit is even, and Rust the larger one.
fn even(value: f64, digits: String) -> String {
    let (before, last) = digits.split_at(digits.len().saturating_sub(1));
    let below = match last {
        "1" => "0",
        "3" => "2",
        "5" => "4",
        "7" => "6",
        "9" => "8",
        _ => return digits,
    };
    // No double is so near to a number of 18 digits without being equal to it.
    let exact = format!("{:.40e}", value.abs()).replacen('.', "", 1);
    let rest = exact.strip_prefix(before);
    let rest = rest.and_then(|rest| rest.strip_prefix(below)?.strip_prefix('5'));
    if rest.is_some_and(|rest| rest.trim_start_matches('0').starts_with('e')) {
        return format!("{before}{below}");
    }
    digits
}

/// Sign, digits and exponent of a decimal number, which are the same for every spelling of it.
fn decimal(text: &str) -> Option<(bool, String, i64)> {
    let unsigned = text.strip_prefix('-');
    let (mantissa, exponent) = match unsigned.unwrap_or(text).split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (unsigned.unwrap_or(text), 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let kept = digits.trim_end_matches('0');
    let dropped = digits.len().checked_sub(kept.len())?;
    let kept = kept.trim_start_matches('0');
    if kept.is_empty() {
        return Some((false, String::new(), 0));
    }
    let exponent = exponent.checked_add(i64::try_from(dropped).ok()?)?;
    Some((unsigned.is_some(), kept.to_owned(), exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(document: &str) -> Option<String> {
        Canonical::read(document.as_bytes())?.text(Numbers::Shortest)
    }

    /// The numbers of RFC 8785, appendix B, by their bits.
    #[test]
    fn numbers_are_written_as_the_standard_has_them() {
        for (bits, expected) in [
            (0x0000_0000_0000_0000_u64, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
            (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] {
            let written = javascript(f64::from_bits(bits)).unwrap();
            assert_eq!(written, expected, "{bits:x}");
            let again: f64 = written.parse().unwrap();
            assert_eq!(again.abs(), f64::from_bits(bits).abs());
        }
    }

    /// The example of RFC 8785, section 3.2.3, and that of section 3.2.2 without its long numbers.
    #[test]
    fn a_document_is_written_as_the_standard_has_it() {
        let sorted = r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#;
        let names = r#"{"\r":"Carriage Return","1":"One","":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face","דּ":"Hebrew Letter Dalet With Dagesh"}"#;
        let names = names
            .replacen("\"\":", "\"\u{80}\":", 1)
            .replace("דּ", "\u{fb33}");
        assert_eq!(canonical(sorted).unwrap(), names);
        let mixed = r#" {
            "numbers": [4.50, 2e-3, 1E30, 0.000000000000000000000000001, -0, 1.0],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
            "literals": [null, true, false, {}, []]
        } "#;
        let expected = r#"{"literals":[null,true,false,{},[]],"numbers":[4.5,0.002,1e+30,1e-27,0,1],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
        assert_eq!(canonical(mixed).unwrap(), expected);
        let received = Canonical::read(mixed.as_bytes()).unwrap();
        let received = received.text(Numbers::AsReceived).unwrap();
        assert!(received.contains("[4.50,2e-3,1E30,0.000000000000000000000000001,-0,1.0]"));
    }

    #[test]
    fn what_would_lose_something_is_refused() {
        for document in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":[{"c":1,"\u0063":2}]}}"#,
            "12345678901234567890",
            "[0.1234567890123456789]",
            "1e400",
            "1e-400",
            "1e99999999999999999999",
            r#""\ud83d""#,
            "{",
            "",
            "{} {}",
            "[01]",
        ] {
            assert_eq!(canonical(document), None, "{document}");
        }
        let long = "12345678901234567890";
        let read = Canonical::read(long.as_bytes()).unwrap();
        assert_eq!(read.text(Numbers::AsReceived).unwrap(), long);
        // Within the limit of the parser, depth costs no more than length.
        let deep = format!("{}{}", "[".repeat(120), "]".repeat(120));
        assert_eq!(canonical(&deep).unwrap(), deep);
        assert_eq!(canonical(&"[".repeat(100_000)), None);
    }

    #[test]
    fn a_number_in_a_string_is_none() {
        let document = r#"{"1":"2\"3","\\":-4,"5":[6e1,"7"]}"#;
        assert_eq!(numbers(document), ["-4", "6e1"]);
        assert_eq!(
            canonical(document).unwrap(),
            r#"{"1":"2\"3","5":[60,"7"],"\\":-4}"#
        );
    }
}
