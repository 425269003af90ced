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

    /// Whether the whole of `text` has this form.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        let is_letter = |byte: &u8| match self.letters {
            Letters::Token => byte.is_ascii_alphanumeric() || b"_=+/.-".contains(byte),
            Letters::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        };
        (self.shortest..=self.longest).contains(&text.len()) && text.iter().all(is_letter)
    }
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
        let longer = "a".repeat(201);
        for text in [
            "", "{}", "a b", "a\n", "\na", "v0:1", "\"a\"", "\u{e9}", &longer,
        ] {
            assert!(!Pattern::TOKEN.matches(text.as_bytes()), "{text:?}");
        }
    }
}
