//! Forms: wrapped, unwrapped and encoded again.

use percent_encoding::percent_decode;

/// How a form is encoded.
#[derive(Clone, Copy)]
pub(super) struct Style {
    plus: bool,
    lower: bool,
    sorted: bool,
    set: Set,
}

/// What is not percent-encoded beside letters and digits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    /// Of the URL Standard.
    Url,
    Rfc3986,
    /// Of `encodeURIComponent`.
    Js,
    /// With the slash.
    Slashes,
    /// Whatever may be in a query.
    Query,
}

impl Set {
    fn keeps(self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric()
            || match self {
                Self::Url => b"*-._".contains(&byte),
                Self::Rfc3986 => b"-._~".contains(&byte),
                Self::Js => b"-_.!~*'()".contains(&byte),
                Self::Slashes => b"-._~/".contains(&byte),
                Self::Query => b"-._~!$'()*,;:@/?".contains(&byte),
            }
    }
}

impl Style {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let sets = [Set::Url, Set::Rfc3986, Set::Js, Set::Slashes, Set::Query];
        sets.into_iter().flat_map(|set| {
            let plain = [(true, false, false), (false, false, false)];
            let lower = [(true, true, false), (false, true, false)];
            let sorted = [(true, false, true), (false, false, true)];
            let all = plain.into_iter().chain(lower).chain(sorted);
            all.map(move |(plus, lower, sorted)| Self {
                plus,
                lower,
                sorted,
                set,
            })
        })
    }

    /// The words of the name of its cause.
    pub(super) fn words(&self) -> String {
        let mut words = vec![if self.plus { "plus" } else { "percent20" }];
        match self.set {
            Set::Url => {}
            Set::Rfc3986 => words.push("rfc3986"),
            Set::Js => words.push("javascript"),
            Set::Slashes => words.push("slashes"),
            Set::Query => words.push("query"),
        }
        if self.lower {
            words.push("lower");
        }
        if self.sorted {
            words.push("sorted");
        }
        words.join("+")
    }

    fn encode(&self, text: &[u8], out: &mut Vec<u8>) {
        for byte in text {
            match byte {
                b' ' if self.plus => out.push(b'+'),
                kept if self.set.keeps(*kept) => out.push(*kept),
                other => {
                    let digits: &[u8; 16] = if self.lower {
                        b"0123456789abcdef"
                    } else {
                        b"0123456789ABCDEF"
                    };
                    let digit = |half: u8| digits.get(usize::from(half)).copied().unwrap_or(b'0');
                    out.extend([b'%', digit(other >> 4), digit(other & 15)]);
                }
            }
        }
    }
}

type Pair = (Vec<u8>, Option<Vec<u8>>);

/// The decoded fields of what looks like a form.
pub(super) fn fields(body: &[u8]) -> Option<Vec<Pair>> {
    const MOST: usize = 1000;
    if !crate::form::looks_like_form(body) {
        return None;
    }
    let decode = |text: &[u8]| -> Vec<u8> {
        let spaced: Vec<u8> = text
            .iter()
            .map(|byte| if *byte == b'+' { b' ' } else { *byte })
            .collect();
        percent_decode(&spaced).collect()
    };
    let pairs: Vec<&[u8]> = body.split(|byte| *byte == b'&').collect();
    (pairs.len() <= MOST).then(|| {
        let pairs = pairs
            .into_iter()
            .map(|pair| match memchr::memchr(b'=', pair) {
                Some(end) => {
                    let (name, value) = pair.split_at_checked(end).unwrap_or((pair, b""));
                    (
                        decode(name),
                        Some(decode(value.get(1..).unwrap_or_default())),
                    )
                }
                None => (decode(pair), None),
            });
        pairs.collect()
    })
}

/// The form in another encoding.
pub(super) fn encoded(fields: &[Pair], style: &Style) -> Vec<u8> {
    let mut fields: Vec<&Pair> = fields.iter().collect();
    if style.sorted {
        fields.sort();
    }
    let mut out = Vec::new();
    for (place, (name, value)) in fields.into_iter().enumerate() {
        if place > 0 {
            out.push(b'&');
        }
        style.encode(name, &mut out);
        if let Some(value) = value {
            out.push(b'=');
            style.encode(value, &mut out);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_encoded_in_each_style() {
        let fields = fields(b"b=a%20b%2Fx&a=%C3%a9!~*&c").unwrap();
        let styles: Vec<Style> = Style::all().collect();
        for (words, expected) in [
            ("plus", "b=a+b%2Fx&a=%C3%A9%21%7E*&c"),
            ("percent20+rfc3986", "b=a%20b%2Fx&a=%C3%A9%21~%2A&c"),
            ("percent20+javascript", "b=a%20b%2Fx&a=%C3%A9!~*&c"),
            ("plus+slashes", "b=a+b/x&a=%C3%A9%21~%2A&c"),
            ("plus+lower", "b=a+b%2fx&a=%c3%a9%21%7e*&c"),
            ("plus+sorted", "a=%C3%A9%21%7E*&b=a+b%2Fx&c"),
        ] {
            let style = styles.iter().find(|style| style.words() == words).unwrap();
            let text = String::from_utf8(encoded(&fields, style)).unwrap();
            assert_eq!(text, expected, "{words}");
        }
    }
}
