//! Forms: wrapped, unwrapped and encoded again.

use percent_encoding::percent_decode;

use crate::form::{looks_like_form, spaced};

/// How a form is encoded.
#[derive(Clone, Copy)]
pub(super) struct Style {
    plus: bool,
    lower: bool,
    sorted: bool,
    set: Set,
}

/// What some encode and some do not, beside what no one encodes.
const MARKS: &[u8; 13] = b":,@/!*'()$;?~";

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
    DotNet,
    /// These of [`MARKS`], one per bit.
    Marks(u16),
}

/// Whether a byte is one of some marks.
fn is_among(marks: u16, byte: u8) -> bool {
    let place = MARKS.iter().position(|mark| *mark == byte);
    place.is_some_and(|place| marks & bit(place) != 0)
}

fn bit(place: usize) -> u16 {
    let place = place.try_into().unwrap_or(u32::MAX);
    1_u16.checked_shl(place).unwrap_or_default()
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
                Self::DotNet => b"-_.!*()".contains(&byte),
                Self::Marks(marks) => b"-._".contains(&byte) || is_among(marks, byte),
            }
    }
}

impl Style {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let sets = [
            Set::Url,
            Set::Rfc3986,
            Set::Js,
            Set::Slashes,
            Set::Query,
            Set::DotNet,
        ];
        Self::with_sets(sets.into_iter())
    }

    /// Also those that keep some of the marks in the fields, and encode others.
    pub(super) fn all_for(fields: &[Pair]) -> impl Iterator<Item = Self> {
        let subsets = marks_of(fields).into_iter().map(Set::Marks);
        Self::all().chain(Self::with_sets(subsets))
    }

    /// The style of a form, if its fields are encoded alike.
    pub(super) fn of(body: &[u8], fields: &[Pair]) -> Option<Self> {
        let mut all = Self::all_for(fields);
        all.find(|style| encoded(fields, style) == body)
    }

    fn with_sets(sets: impl Iterator<Item = Set>) -> impl Iterator<Item = Self> {
        sets.flat_map(|set| {
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
            Set::DotNet => words.push("dotnet"),
            Set::Marks(_) => words.push("keeps"),
        }
        if self.lower {
            words.push("lower");
        }
        if self.sorted {
            words.push("sorted");
        }
        let words = words.join("+");
        match self.set {
            Set::Marks(marks) => {
                let kept = MARKS.iter().filter(|mark| is_among(marks, **mark));
                let kept: String = kept.map(|mark| char::from(*mark)).collect();
                format!("{words}:{kept}")
            }
            _ => words,
        }
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

pub(super) type Pair = (Vec<u8>, Option<Vec<u8>>);

/// The sets of marks that a form may keep, by the marks that its fields have.
fn marks_of(fields: &[Pair]) -> Vec<u16> {
    /// Of so many, every set is taken; of more, those of one and two.
    const FEW: u32 = 6;
    let has = |mark: u8| {
        let mut texts = fields.iter().flat_map(texts_of);
        texts.any(|text| memchr::memchr(mark, text).is_some())
    };
    let places = MARKS.iter().enumerate();
    let present = places.filter(|(_, mark)| has(**mark));
    let present: u16 = present.fold(0, |all, (place, _)| all | bit(place));
    let few = present.count_ones() <= FEW;
    let mut sets: Vec<u16> = (0..bit(MARKS.len()))
        .filter(|set| set & !present == 0 && (few || set.count_ones() <= 2))
        .collect();
    sets.sort_by_key(|set| set.count_ones());
    sets
}

pub(super) fn has_more_than_ascii(fields: &[Pair]) -> bool {
    let mut texts = fields.iter().flat_map(texts_of);
    texts.any(|text| !text.is_ascii())
}

fn texts_of((name, value): &Pair) -> impl Iterator<Item = &Vec<u8>> {
    std::iter::once(name).chain(value)
}

/// The fields with their texts changed where they have more than ASCII. `None` if none has, or if
/// one cannot be changed.
pub(super) fn changed(
    fields: &[Pair],
    change: impl Fn(&[u8]) -> Option<Vec<u8>>,
) -> Option<Vec<Pair>> {
    let change = |text: &Vec<u8>| match text.is_ascii() {
        true => Some(text.clone()),
        false => change(text),
    };
    let pair = |(name, value): &Pair| {
        let value = match value {
            Some(value) => Some(change(value)?),
            None => None,
        };
        Some((change(name)?, value))
    };
    let changed: Option<Vec<Pair>> = fields.iter().map(pair).collect();
    changed.filter(|changed| changed != fields)
}

/// The decoded fields of what looks like a form.
pub(super) fn fields(body: &[u8]) -> Option<Vec<Pair>> {
    const MOST: usize = 1000;
    if !looks_like_form(body) {
        return None;
    }
    let decode = |text: &[u8]| -> Vec<u8> { percent_decode(&spaced(text)).collect() };
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
        let styles: Vec<Style> = Style::all_for(&fields).collect();
        for (words, expected) in [
            ("plus", "b=a+b%2Fx&a=%C3%A9%21%7E*&c"),
            ("percent20+rfc3986", "b=a%20b%2Fx&a=%C3%A9%21~%2A&c"),
            ("percent20+javascript", "b=a%20b%2Fx&a=%C3%A9!~*&c"),
            ("plus+slashes", "b=a+b/x&a=%C3%A9%21~%2A&c"),
            ("plus+lower", "b=a+b%2fx&a=%c3%a9%21%7e*&c"),
            ("plus+sorted", "a=%C3%A9%21%7E*&b=a+b%2Fx&c"),
            ("plus+keeps:/*", "b=a+b/x&a=%C3%A9%21%7E*&c"),
            ("percent20+keeps+lower:!", "b=a%20b%2fx&a=%c3%a9!%7e%2a&c"),
        ] {
            let style = styles.iter().find(|style| style.words() == words).unwrap();
            let text = String::from_utf8(encoded(&fields, style)).unwrap();
            assert_eq!(text, expected, "{words}");
        }
    }
}
