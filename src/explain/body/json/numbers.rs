//! Documents of which only some numbers are written anew: those of some names.

use std::{collections::HashMap, ops::ControlFlow};

use crate::{
    explain::body::json::document::{Document, Node, Span},
    rejection::shown,
};

/// How a number was written when it was signed.
#[derive(Clone, Copy)]
enum Spelling {
    /// An integer with `.0`.
    Float,
    /// With two decimals, as amounts of money.
    TwoDecimals,
    /// Without `.0`.
    Integer,
}

impl Spelling {
    const ALL: [Self; 3] = [Self::Float, Self::TwoDecimals, Self::Integer];

    fn word(self) -> &'static str {
        match self {
            Self::Float => "integers-as-floats",
            Self::TwoDecimals => "two-decimals",
            Self::Integer => "floats-as-integers",
        }
    }

    /// The other text of a number, if it has one.
    fn of(self, number: &str) -> Option<String> {
        let is_plain = !number.contains(['e', 'E']);
        match (self, number.split_once('.')) {
            (Self::Float, None) if is_plain => Some(format!("{number}.0")),
            (Self::TwoDecimals, None) if is_plain => Some(format!("{number}.00")),
            (Self::TwoDecimals, Some((_, decimals))) if decimals.len() == 1 => {
                Some(format!("{number}0"))
            }
            (Self::Integer, Some((whole, decimals)))
                if decimals.bytes().all(|digit| digit == b'0') =>
            {
                Some(whole.to_owned())
            }
            _ => None,
        }
    }
}

/// The numbers of a document, by the name that they have or their list has.
struct Numbers<'d> {
    document: &'d Document<'d>,
    names: Vec<String>,
    places: HashMap<String, usize>,
    /// Where they are, in the order of the text, and the places of their names.
    all: Vec<(Span, usize)>,
}

impl<'d> Numbers<'d> {
    /// How many are looked at.
    const MOST: usize = 10_000;

    fn of(document: &'d Document<'d>) -> Self {
        let mut numbers = Self {
            document,
            names: Vec::new(),
            places: HashMap::new(),
            all: Vec::new(),
        };
        numbers.collect(&document.root, None);
        numbers
    }

    fn collect(&mut self, node: &Node, name: Option<Span>) {
        match node {
            Node::Scalar(span) if self.all.len() < Self::MOST => {
                let raw = self.document.slice(*span);
                let is_number = |byte: &u8| byte.is_ascii_digit() || *byte == b'-';
                if raw.first().is_some_and(is_number) {
                    let name = name.map_or_else(String::new, |name| self.document.key(name));
                    let next = self.names.len();
                    let place = *self.places.entry(name.clone()).or_insert(next);
                    if place == next {
                        self.names.push(name);
                    }
                    self.all.push((*span, place));
                }
            }
            Node::Scalar(_) | Node::Text(_) => {}
            Node::List(_, items) => items.iter().for_each(|item| self.collect(item, name)),
            Node::Map(_, members) => {
                let members = members.iter();
                members.for_each(|(name, value)| self.collect(value, Some(*name)));
            }
        }
    }

    fn text(&self, span: Span) -> &'d str {
        std::str::from_utf8(self.document.slice(span)).unwrap_or_default()
    }

    /// The places of the names of which a number has another spelling.
    fn changed_by(&self, spelling: Spelling) -> Vec<usize> {
        let mut changed = vec![false; self.names.len()];
        for (span, name) in &self.all {
            if let Some(changed) = changed.get_mut(*name) {
                *changed |= spelling.of(self.text(*span)).is_some();
            }
        }
        let places = changed.into_iter().enumerate();
        let places = places.filter_map(|(place, changed)| changed.then_some(place));
        places.collect()
    }

    /// The text of the document, in which the numbers of these names have another spelling, or
    /// those of all others.
    fn written(&self, spelling: Spelling, names: &[usize], of_others: bool) -> Vec<u8> {
        let is_changed = |name: &usize| names.contains(name) != of_others;
        let mut out = Vec::with_capacity(self.document.text.len());
        let mut from = 0;
        for (span, _) in self.all.iter().filter(|(_, name)| is_changed(name)) {
            let range = span.range().unwrap_or_default();
            if let Some(other) = spelling.of(self.text(*span)) {
                let kept = self.document.text.get(from..range.start);
                out.extend_from_slice(kept.unwrap_or_default());
                out.extend_from_slice(other.as_bytes());
                from = range.end;
            }
        }
        out.extend_from_slice(self.document.text.get(from..).unwrap_or_default());
        out
    }

    fn named(&self, names: &[usize]) -> String {
        let names = names.iter().filter_map(|place| self.names.get(*place));
        let names: Vec<String> = names.map(|name| shown(name).into()).collect();
        names.join(",")
    }
}

/// Some of many places, those with few first, and whether they are the ones that are left out.
fn subsets(all: &[usize]) -> Vec<(Vec<usize>, bool)> {
    /// Of so many, every subset is taken; of more, single ones.
    const FEW: usize = 8;
    /// Of so many, pairs as well.
    const FOR_PAIRS: usize = 32;
    const MOST: usize = 200;
    if all.len() <= FEW {
        let mut some: Vec<Vec<usize>> = vec![Vec::new()];
        for place in all {
            let with = some.iter().map(|some| [some, &[*place][..]].concat());
            let with: Vec<Vec<usize>> = with.collect();
            some.extend(with);
        }
        some.sort_by_key(Vec::len);
        let some = some.into_iter().skip(1);
        return some.map(|some| (some, false)).collect();
    }
    let singles = all.iter().take(MOST).map(|one| vec![*one]);
    let pairs = all.iter().enumerate().flat_map(|(place, one)| {
        let after = all.iter().skip(place.saturating_add(1));
        after.map(move |other| vec![*one, *other])
    });
    let pairs = pairs.take(if all.len() <= FOR_PAIRS {
        usize::MAX
    } else {
        0
    });
    let some = singles.chain(pairs);
    some.flat_map(|some| [(some.clone(), false), (some, true)])
        .collect()
}

/// Calls `visit` with every document of which the numbers of some names have another spelling.
pub(in crate::explain::body) fn respelled(
    document: &Document<'_>,
    visit: &mut dyn FnMut(String, Vec<u8>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let numbers = Numbers::of(document);
    for spelling in Spelling::ALL {
        let changed = numbers.changed_by(spelling);
        for (names, is_rest) in subsets(&changed) {
            let (word, except) = (spelling.word(), if is_rest { "except:" } else { "" });
            let detail = format!("{word}:{except}{}", numbers.named(&names));
            visit(detail, numbers.written(spelling, &names, is_rest))?;
        }
    }
    ControlFlow::Continue(())
}

/// Whether two numbers of JSON are the same, to the last digit.
pub(super) fn are_equal(one: &str, other: &str) -> bool {
    match (Decimal::of(one), Decimal::of(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// A number as a fraction of one: its digits follow the point, after or before so many zeros.
#[derive(PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn of(text: &str) -> Option<Self> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (text, exponent) = match text.split_once(['e', 'E']) {
            Some((text, exponent)) => (text, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let all = [whole, fraction].concat();
        let digits = all.trim_start_matches('0');
        let zeros = all.len().checked_sub(digits.len())?;
        let point = i64::try_from(whole.len()).ok()?;
        let point = point.checked_sub(i64::try_from(zeros).ok()?)?;
        let digits = digits.trim_end_matches('0');
        Some(Self {
            is_negative,
            digits: digits.to_owned(),
            exponent: match digits.is_empty() {
                true => 0,
                false => exponent.checked_add(point)?,
            },
        })
    }
}

/// Whether an integer has more digits than JavaScript keeps, and ends as one that it has rounded.
pub(in crate::explain) fn has_rounded(text: &[u8]) -> bool {
    const DIGITS: usize = 17;
    /// A document takes many times its length while it is read.
    const LONGEST: usize = 4 << 20;
    let document = Some(text).filter(|text| text.len() <= LONGEST);
    let Some(document) = document.and_then(Document::parse) else {
        return false;
    };
    let numbers = Numbers::of(&document);
    numbers.all.iter().any(|(span, _)| {
        let number = numbers.text(*span);
        let digits = number.trim_start_matches('-');
        digits.len() >= DIGITS
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && digits.ends_with('0')
            && number
                .parse::<f64>()
                .is_ok_and(|value| format!("{value}") == number)
    })
}

#[cfg(test)]
mod tests {
    use super::are_equal;

    #[test]
    fn numbers_are_compared_to_the_last_digit() {
        for (one, other) in [
            ("1.50", "1.5"),
            ("1e2", "100"),
            ("1.5E-3", "0.0015"),
            ("-0.0", "-0"),
            ("1200", "1.2e+3"),
        ] {
            assert!(are_equal(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("120.504", "120.50"),
            ("0.1000000000000000001", "0.1"),
            ("1e-400", "0"),
            ("1", "-1"),
            ("12", "1.2"),
            ("1e99999999999999999999", "1"),
        ] {
            assert!(!are_equal(one, other), "{one} {other}");
        }
    }
}
