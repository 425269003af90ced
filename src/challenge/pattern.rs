//! [`Pattern`]: the form of a whole value.

/// The characters and the length of a value. A regular expression would say no more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern {
    pub(crate) letters: Letters,
    pub(crate) shortest: usize,
    pub(crate) longest: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Letters {
    /// `[A-Za-z0-9_=+/.-]`: base64, base64url, hex and UUIDs, and neither JSON nor `v0:…`.
    Token,
    /// `[a-f0-9]`.
    Hex,
    /// An address of the API of AWS SNS, with a query: `https://sns.REGION.amazonaws.com/?…`, also
    /// in China.
    SnsAddress,
}

impl Pattern {
    /// 20 to 32 digits of lower-case hex.
    pub(crate) const HEX: Self = Self {
        letters: Letters::Hex,
        shortest: 20,
        longest: 32,
    };

    /// 1 to 200 characters of a token.
    pub(crate) const TOKEN: Self = Self {
        letters: Letters::Token,
        shortest: 1,
        longest: 200,
    };

    /// An address to which a confirmation of AWS SNS leads.
    pub(crate) const SNS_ADDRESS: Self = Self {
        letters: Letters::SnsAddress,
        shortest: 1,
        longest: 2048,
    };

    /// Whether the whole of `text` has this form.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        let is_letter = |byte: &u8| match self.letters {
            Letters::Token => byte.is_ascii_alphanumeric() || b"_=+/.-".contains(byte),
            Letters::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            // What an address has once it is escaped, and no fragment.
            Letters::SnsAddress => byte.is_ascii_graphic() && !b"#@\\\"<>^`{|}".contains(byte),
        };
        if let Letters::SnsAddress = self.letters {
            let path = std::str::from_utf8(text).ok().and_then(behind_sns);
            if !path.is_some_and(|path| path.starts_with('?')) {
                return false;
            }
        }
        (self.shortest..=self.longest).contains(&text.len()) && text.iter().all(is_letter)
    }
}

/// What follows `https://sns.REGION.amazonaws.com/`, also in China and in Europe's own partition.
/// `None` for every other address.
pub(crate) fn behind_sns(address: &str) -> Option<&str> {
    let (host, rest) = address.strip_prefix("https://sns.")?.split_once('/')?;
    let is_in = |(domain, area): &(&str, Option<&str>)| {
        let region = host.strip_suffix(domain);
        region.is_some_and(|region| is_region(region, *area))
    };
    DOMAINS.iter().any(is_in).then_some(rest)
}

/// The domains of AWS. Their regions begin with this area, or else with any country or continent.
const DOMAINS: [(&str, Option<&str>); 3] = [
    (".amazonaws.com", None),
    (".amazonaws.com.cn", None),
    (".amazonaws.eu", Some("eusc")),
];

/// Whether it looks like `us-gov-west-1`. What is in this place for other services must not pass:
/// `s3-us-west-2` would be a bucket with the name `sns`, and `elb-us-west-2` is no region.
fn is_region(region: &str, area: Option<&str>) -> bool {
    let mut parts = region.rsplit('-');
    let number = parts.next().unwrap_or_default();
    let names: Vec<&str> = parts.collect();
    let is_name = |name: &&str| {
        name.len() >= 2
            && name.len() <= 12
            && name.bytes().all(|letter| letter.is_ascii_lowercase())
    };
    (1..=2).contains(&number.len())
        && number.bytes().all(|digit| digit.is_ascii_digit())
        && (2..=4).contains(&names.len())
        && names.iter().all(is_name)
        && names
            .last()
            .is_some_and(|name| area.map_or(name.len() == 2, |area| *name == area))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_values_only() {
        let long = "a".repeat(200);
        for text in ["a", "NGZlNjA0YzItMTQ1OC00==", "a_b-c.d+e/f", &long] {
            assert!(Pattern::TOKEN.matches(text.as_bytes()), "{text}");
        }
        let confirm = "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&Token=7";
        assert!(Pattern::SNS_ADDRESS.matches(confirm.as_bytes()));
        assert!(Pattern::SNS_ADDRESS.matches(b"https://sns.cn-north-1.amazonaws.com.cn/?a"));
        for text in [
            "",
            "https://evil.example/?Action=ConfirmSubscription",
            "http://sns.us-west-2.amazonaws.com/?a",
            "https://sns.us-west-2.amazonaws.com.evil.example/?a",
            "https://sns.us-west-2.amazonaws.com:8443/?a",
            "https://sns.us-west-2.amazonaws.com@evil.example/?a",
            "https://sns.us-west-2.amazonaws.com/?a@evil.example",
            "https://sns.us-west-2.amazonaws.com/?a#b",
            "https://sns.us-west-2.amazonaws.com/?a\nb",
            "https://sns.us-west-2.amazonaws.com/path?a",
            "https://sns.us-west-2.amazonaws.com?a",
            "https://sns.s3-us-west-2.amazonaws.com/?a",
            "https://sns.s3.amazonaws.com/?a",
            "https://sns.elb.amazonaws.com/?a",
            "https://sns.elb-us-west-2.amazonaws.com/?a",
            "https://sns.vpce-us-east-1.amazonaws.com/?a",
            "https://sns.us-west-.amazonaws.com/?a",
            "https://sns.-us-west-2.amazonaws.com/?a",
            "https://sns.us-west-2222.amazonaws.com/?a",
        ] {
            assert!(!Pattern::SNS_ADDRESS.matches(text.as_bytes()), "{text:?}");
        }
        let longer = "a".repeat(201);
        for text in [
            "", "{}", "a b", "a\n", "\na", "v0:1", "\"a\"", "\u{e9}", &longer,
        ] {
            assert!(!Pattern::TOKEN.matches(text.as_bytes()), "{text:?}");
        }
    }
}
