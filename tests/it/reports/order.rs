//! No answer depends on the order of the signatures in a header, nor on what a proxy puts between
//! them.

use std::{fmt, iter};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit, Mac};
use proptest::{collection::vec, prelude::*, sample::Index};
use sha2::Sha256;
use support::hex;

use super::*;

const BODY: &str = "{\"id\":1}";

/// How a header lists its signatures.
struct Listing {
    name: &'static str,
    format: fn() -> SignatureFormat,
    encode: fn(&[u8]) -> String,
    /// Around each signature.
    item: fn(&str) -> String,
    /// Items that are no signatures of this kind.
    others: &'static [&'static str],
    /// The time of the attempt, if it is in the same header, where it must occur once.
    time: Option<Time>,
    /// Between items as the sender writes them.
    between: &'static str,
    /// Whether the items may be on several lines.
    lines: bool,
}

/// Where the time of the attempt is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Time {
    /// A field like the signatures.
    Field(&'static str),
    /// In front of the signatures, after which the separator must be.
    First,
    /// A field of each set of fields.
    InEachItem,
}

impl fmt::Debug for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

static LISTINGS: [Listing; 9] = [
    Listing {
        name: "a list with blanks",
        format: || SignatureFormat::list("X-Acme", ' ', Encoding::Base64).with_prefix("v1,"),
        encode: |tag| STANDARD.encode(tag),
        item: |text| format!("v1,{text}"),
        others: &["v1a,AAAA", "v2,bm90", "x"],
        time: None,
        between: " ",
        lines: false,
    },
    Listing {
        name: "a list with commas",
        format: || {
            let list = SignatureFormat::list("X-Acme", ',', Encoding::Hex);
            list.with_prefix("v1=").with_repeated_lines()
        },
        encode: |tag| hex(tag),
        item: |text| format!("v1={text}"),
        others: &["v0=00ff", "v2=zz"],
        time: None,
        between: ",",
        lines: true,
    },
    Listing {
        name: "a list without prefixes",
        format: || SignatureFormat::list("X-Acme", ';', Encoding::Base64Url),
        encode: |tag| URL_SAFE_NO_PAD.encode(tag),
        item: str::to_owned,
        others: &[],
        time: None,
        between: ";",
        lines: false,
    },
    Listing {
        name: "fields with commas",
        format: || SignatureFormat::fields("X-Acme", ',', "v1", Encoding::Hex),
        encode: |tag| hex(tag),
        item: |text| format!("v1={text}"),
        others: &["v0=00ff", "k=a b"],
        time: Some(Time::Field("t")),
        between: ",",
        lines: false,
    },
    Listing {
        name: "fields with semicolons",
        format: || SignatureFormat::fields("X-Acme", ';', "h1", Encoding::Base64),
        encode: |tag| STANDARD.encode(tag),
        item: |text| format!("h1={text}"),
        others: &["h0=AAAA", "v=1"],
        time: Some(Time::Field("t")),
        between: ";",
        lines: false,
    },
    Listing {
        name: "sets of fields",
        format: || SignatureFormat::fields("X-Acme", ',', "v1", Encoding::Hex).with_sets(' '),
        encode: |tag| hex(tag),
        item: |text| format!("t={NOW},v1={text}"),
        others: &["v0=00ff", "k=a"],
        time: Some(Time::InEachItem),
        between: " ",
        lines: false,
    },
    Listing {
        name: "places",
        format: || SignatureFormat::positional("X-Acme", ',', 1, Encoding::Hex),
        encode: |tag| hex(tag),
        item: str::to_owned,
        others: &[],
        time: Some(Time::First),
        between: ",",
        lines: false,
    },
    Listing {
        name: "repeated lines with a prefix",
        format: || {
            let single = SignatureFormat::single("X-Acme", Encoding::Hex);
            single.with_prefix("sha256=").with_repeated_lines()
        },
        encode: |tag| hex(tag),
        item: |text| format!("sha256={text}"),
        others: &["sha1=00ff"],
        time: None,
        between: ",",
        lines: true,
    },
    Listing {
        name: "repeated lines",
        format: || SignatureFormat::single("X-Acme", Encoding::Base64).with_repeated_lines(),
        encode: |tag| STANDARD.encode(tag),
        item: str::to_owned,
        others: &[],
        time: None,
        between: ",",
        lines: true,
    },
];

#[derive(Clone, Debug)]
enum Item {
    Right,
    Wrong(u8),
    /// One of [`NO_SIGNATURES`].
    None(usize),
    Other(usize),
}

/// What is no signature in any encoding here: words, other lengths and other encodings.
const NO_SIGNATURES: [&str; 9] = [
    "!",
    "",
    "zz",
    "null",
    // SHA-1 and SHA-512 in hex, and SHA-256 cut off by a digit.
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
     47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85",
    // SHA-1 in base64, and what has the length of none.
    "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
    "2jmj7l5rSw0yVb_vlWAYkK_YBwkAAAAAAA",
];

impl Listing {
    /// A fresh endpoint, so that no answer depends on earlier ones.
    fn site(&self) -> Verifier {
        let signed = if self.time.is_some() {
            "{ts}.{body}"
        } else {
            "{body}"
        };
        let mut scheme = Scheme::signed(Algorithm::HmacSha256, signed, (self.format)());
        let field = match self.time {
            None => None,
            Some(Time::First) => Some("0"),
            Some(Time::Field(_) | Time::InEachItem) => Some("t"),
        };
        if let Some(field) = field {
            scheme = scheme.with_timestamp(Timestamp::field(field));
        }
        Verifier::new(Provider::new("acme", scheme), Secret::new(TEXT)).unwrap()
    }

    fn text(&self, item: &Item) -> String {
        match item {
            Item::Right => {
                let mut mac = Hmac::<Sha256>::new_from_slice(TEXT.as_bytes()).unwrap();
                if self.time.is_some() {
                    mac.update(format!("{NOW}.").as_bytes());
                }
                mac.update(BODY.as_bytes());
                (self.item)(&(self.encode)(&mac.finalize().into_bytes()))
            }
            Item::Wrong(byte) => (self.item)(&(self.encode)(&[*byte; 32])),
            Item::None(index) => (self.item)(NO_SIGNATURES[index % NO_SIGNATURES.len()]),
            Item::Other(_) if self.others.is_empty() => String::new(),
            Item::Other(index) => self.others[index % self.others.len()].to_owned(),
        }
    }

    /// The kind of the answer to a list of these items.
    fn expected(&self, items: &[Item]) -> Option<RejectionKind> {
        let any = |is: fn(&Item) -> bool| items.iter().any(is);
        if any(|item| matches!(item, Item::Right)) {
            None
        } else if any(|item| matches!(item, Item::Wrong(_))) {
            Some(RejectionKind::SignatureMismatch)
        } else {
            Some(RejectionKind::MalformedSignature)
        }
    }

    /// The rejection of a request whose header has these lines.
    fn answer(&self, lines: &[String]) -> Option<Rejection> {
        let lines: Vec<_> = lines.iter().map(|line| ("x-acme", line.as_str())).collect();
        let verdict = self.site().verify(&Head::new(&lines), BODY, at(NOW));
        verdict.err()
    }

    /// The header as the sender writes it.
    fn written(&self, items: &[Item]) -> Vec<String> {
        let time = match self.time {
            Some(Time::Field(name)) => Some(format!("{name}={NOW}")),
            Some(Time::First) => Some(NOW.to_string()),
            Some(Time::InEachItem) | None => None,
        };
        let items = items.iter().map(|item| self.text(item));
        let all: Vec<_> = time.into_iter().chain(items).collect();
        vec![all.join(self.between)]
    }

    /// The header with other gaps, the time of a field elsewhere, and line breaks after some items.
    fn rewritten(&self, items: &[Item], how: &Rewriting) -> Vec<String> {
        let mut texts: Vec<_> = items.iter().map(|item| self.text(item)).collect();
        let mut gaps = how.gaps.iter().map(|gap| self.gap(gap));
        let mut next = || gaps.next().unwrap();
        let mut lines = vec![String::new()];
        match self.time {
            Some(Time::Field(name)) => {
                texts.insert(how.time.index(texts.len() + 1), format!("{name}={NOW}"));
            }
            Some(Time::First) => {
                lines[0] = format!("{} {NOW}\t{} ", next().trim_matches(' '), self.between)
            }
            Some(Time::InEachItem) | None => {}
        }
        if !how.outside {
            gaps_trimmed(&mut lines[0]);
        }
        for (place, text) in texts.iter().enumerate() {
            let broken = self.lines
                && how
                    .breaks
                    .iter()
                    .any(|index| index.index(texts.len()) == place);
            if place > 0 && broken {
                lines.push(String::new());
            } else if place > 0 || how.outside {
                let gap = next();
                lines.last_mut().unwrap().push_str(&gap);
            }
            lines.last_mut().unwrap().push_str(text);
        }
        if how.outside {
            let gap = next();
            lines.last_mut().unwrap().push_str(&gap);
        }
        lines
    }

    /// Separators, commas and white space, of which there is at least one.
    fn gap(&self, choice: &[u8]) -> String {
        let separator = self.between.chars().next().unwrap();
        let known = [separator, ',', ' ', '\t'];
        let letters = choice.iter().map(|place| known[usize::from(*place) % 4]);
        letters.collect()
    }
}

fn gaps_trimmed(line: &mut String) {
    *line = line.trim_start().to_owned();
}

#[derive(Clone, Debug)]
struct Rewriting {
    gaps: Vec<Vec<u8>>,
    time: Index,
    breaks: Vec<Index>,
    /// Whether there is something before the first item and after the last.
    outside: bool,
}

fn any_item() -> impl Strategy<Value = Item> {
    prop_oneof![
        1 => Just(Item::Right),
        2 => any::<u8>().prop_map(Item::Wrong),
        4 => any::<usize>().prop_map(Item::None),
        1 => any::<usize>().prop_map(Item::Other),
    ]
}

fn any_rewriting() -> impl Strategy<Value = Rewriting> {
    let gaps = vec(vec(0..4_u8, 1..4), 20);
    (
        gaps,
        any::<Index>(),
        vec(any::<Index>(), 0..3),
        any::<bool>(),
    )
        .prop_map(|(gaps, time, breaks, outside)| Rewriting {
            gaps,
            time,
            breaks,
            outside,
        })
}

/// The sentence without the length of the header, which gaps change.
fn text(rejection: &Rejection) -> String {
    let text = rejection.to_string();
    match rejection.value_length() {
        Some(length) => text.replace(&format!(" ({length} bytes)"), ""),
        None => text,
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(2000)
    })]

    #[test]
    fn neither_order_nor_gaps_change_the_answer(
        listing in any::<Index>().prop_map(|index| index.get(&LISTINGS)),
        (items, shuffled) in vec(any_item(), 1..8)
            .prop_flat_map(|items| (Just(items.clone()), Just(items).prop_shuffle())),
        how in any_rewriting(),
    ) {
        let (first, other) = (listing.written(&items), listing.rewritten(&shuffled, &how));
        let (written, rewritten) = (listing.answer(&first), listing.answer(&other));
        let expected = listing.expected(&items);
        let kind = |rejection: &Option<Rejection>| rejection.as_ref().map(Rejection::kind);
        let seen = |rejection: &Option<Rejection>| {
            let rejection = rejection.as_ref();
            (outcome(rejection), rejection.map(text))
        };
        prop_assert_eq!(kind(&written), expected, "{:?}", first);
        prop_assert_eq!(kind(&rewritten), expected, "{:?}", other);
        prop_assert_eq!(seen(&written), seen(&rewritten), "{:?} {:?}", first, other);
    }
}

/// The property above says nothing of lists that it does not make.
#[test]
fn the_lists_reach_every_answer() {
    for listing in &LISTINGS {
        let none = Item::None(0);
        for (items, expected) in [
            (vec![Item::Right], "accepted"),
            (vec![none.clone(), Item::Wrong(1), Item::Right], "accepted"),
            (vec![Item::Wrong(1)], "signature_mismatch: never_verified"),
            (
                vec![Item::Wrong(1), none.clone()],
                "signature_mismatch: undecoded_signature,never_verified",
            ),
            (vec![none], "malformed_signature: never_verified"),
        ] {
            let lines = listing.written(&items);
            assert_eq!(
                outcome(listing.answer(&lines).as_ref()),
                expected,
                "{listing:?}: {lines:?}"
            );
        }
        // The seventeenth is one too many, in whatever order.
        let many: Vec<_> = iter::repeat_n(Item::Wrong(1), 16)
            .chain([Item::Right])
            .collect();
        let lines = listing.written(&many);
        assert_eq!(
            outcome(listing.answer(&lines).as_ref()),
            "too_many_signatures",
            "{listing:?}"
        );
    }
}
