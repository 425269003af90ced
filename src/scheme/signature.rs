//! [`SignatureFormat`]: which header carries the signatures, and in which grammar.

use std::borrow::Cow;

use crate::scheme::encoding::Encoding;

/// The header or headers that carry the signature, and how it is spelled there.
///
/// ```
/// use tower_webhook::scheme::{Encoding, SignatureFormat};
///
/// // X-Hub-Signature-256: sha256=9f86d0…
/// SignatureFormat::single("X-Hub-Signature-256", Encoding::Hex).with_prefix("sha256=");
/// // svix-signature: v1,K5oZfz… v1,hnO3f9…
/// SignatureFormat::list("svix-signature", ' ', Encoding::Base64).with_prefix("v1,");
/// // Stripe-Signature: t=1700000000,v1=5257a8…
/// SignatureFormat::fields("Stripe-Signature", ',', "v1", Encoding::Hex);
/// // recurly-signature: 1700000000000,5257a8…,91ab00…
/// SignatureFormat::positional("recurly-signature", ',', 1, Encoding::Hex);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignatureFormat {
    pub(crate) headers: Vec<Cow<'static, str>>,
    pub(crate) grammar: Grammar,
    pub(crate) encoding: Encoding,
    pub(crate) repeats: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Grammar {
    Single {
        prefix: Cow<'static, str>,
    },
    List {
        separator: char,
        prefix: Cow<'static, str>,
    },
    Fields {
        separator: char,
        field: Cow<'static, str>,
        sets: Option<char>,
    },
    Positional {
        separator: char,
        first: usize,
    },
}

impl SignatureFormat {
    /// The most signatures in one request. A request with more is refused, so that the work does
    /// not grow with the header.
    pub const MAX_SIGNATURES: usize = 16;

    /// The whole value is one signature, after a prefix if there is one.
    #[must_use]
    pub fn single(header: impl Into<Cow<'static, str>>, encoding: Encoding) -> Self {
        let prefix = Cow::Borrowed("");
        Self::new(header.into(), encoding, Grammar::Single { prefix })
    }

    /// Items between separators; each one that starts with the prefix is a candidate, the others are skipped.
    #[must_use]
    pub fn list(header: impl Into<Cow<'static, str>>, separator: char, encoding: Encoding) -> Self {
        let prefix = Cow::Borrowed("");
        Self::new(header.into(), encoding, Grammar::List { separator, prefix })
    }

    /// `name=value` fields between separators; each one called `field` is a candidate.
    #[must_use]
    pub fn fields(
        header: impl Into<Cow<'static, str>>,
        separator: char,
        field: impl Into<Cow<'static, str>>,
        encoding: Encoding,
    ) -> Self {
        let grammar = Grammar::Fields {
            separator,
            field: field.into(),
            sets: None,
        };
        Self::new(header.into(), encoding, grammar)
    }

    /// Items between separators, told apart by their place: those from `first` (counted from 0) are candidates,
    /// the ones before are fields named `0`, `1`, ….
    #[must_use]
    pub fn positional(
        header: impl Into<Cow<'static, str>>,
        separator: char,
        first: usize,
        encoding: Encoding,
    ) -> Self {
        Self::new(
            header.into(),
            encoding,
            Grammar::Positional { separator, first },
        )
    }

    fn new(header: Cow<'static, str>, encoding: Encoding, grammar: Grammar) -> Self {
        Self {
            headers: vec![header],
            grammar,
            encoding,
            repeats: false,
        }
    }

    /// Sets the text before each signature of a [`single`](Self::single) value or a [`list`](Self::list).
    /// Fields and positions have none, and are left as they are.
    #[must_use]
    pub fn with_prefix(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        if let Grammar::Single { prefix } | Grammar::List { prefix, .. } = &mut self.grammar {
            *prefix = text.into();
        }
        self
    }

    /// Sets the character between whole sets of [`fields`](Self::fields), each of one key: `t=1,v1=aa t=1,v1=bb`.
    /// Fields that are signed must be equal in every set.
    #[must_use]
    pub fn with_sets(mut self, separator: char) -> Self {
        if let Grammar::Fields { sets, .. } = &mut self.grammar {
            *sets = Some(separator);
        }
        self
    }

    /// Adds a header that may stand instead of the first or beside it; a signature in any of them counts.
    #[must_use]
    pub fn or_header(mut self, header: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push(header.into());
        self
    }

    /// Lets a header have several lines, each with a signature. Without this a second line is refused.
    #[must_use]
    pub fn with_repeated_lines(mut self) -> Self {
        self.repeats = true;
        self
    }
}
