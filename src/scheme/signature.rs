//! [`SignatureFormat`]: where the signatures of a request are, and in which grammar.

use std::borrow::Cow;

use crate::scheme::{encoding::Encoding, locator::Locator};

/// Where the signature is, and the grammar of the value there: usually a header, whose name
/// converts into a [`Locator`].
///
/// A value may contain several signatures, of which any may match.
///
/// ```
/// use tower_webhook::scheme::{Encoding, Locator, SignatureFormat};
///
/// // X-Hub-Signature-256: sha256=9f86d0…
/// SignatureFormat::single("X-Hub-Signature-256", Encoding::Hex).with_prefix("sha256=");
/// // svix-signature: v1,K5oZfz… v1,hnO3f9…
/// SignatureFormat::list("svix-signature", ' ', Encoding::Base64).with_prefix("v1,");
/// // Stripe-Signature: t=1700000000,v1=5257a8…
/// SignatureFormat::fields("Stripe-Signature", ',', "v1", Encoding::Hex);
/// // recurly-signature: 1700000000000,5257a8…,91ab00…
/// SignatureFormat::positional("recurly-signature", ',', 1, Encoding::Hex);
/// // {"signature":{"timestamp":"1700000000","token":"…","signature":"5257a8…"}}
/// SignatureFormat::single(Locator::json("/signature/signature"), Encoding::Hex);
/// // Authorization: Application KEY_ID:K5oZfz…
/// SignatureFormat::single("Authorization", Encoding::Base64)
///     .with_prefix("Application {param:key_id}:")
///     .or_prefix("Service {param:key_id}:");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignatureFormat {
    pub(crate) places: Vec<Locator>,
    pub(crate) grammar: Grammar,
    pub(crate) encoding: Encoding,
    pub(crate) repeats: bool,
    /// Whether a signer writes a space after each separator of fields.
    pub(crate) spaced: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Grammar {
    Single {
        /// The value begins with one of them.
        prefixes: Vec<Cow<'static, str>>,
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

impl Grammar {
    pub(crate) fn prefixes(&self) -> &[Cow<'static, str>] {
        match self {
            Self::Single { prefixes } => prefixes,
            Self::List { prefix, .. } => std::slice::from_ref(prefix),
            Self::Fields { .. } | Self::Positional { .. } => &[],
        }
    }
}

impl SignatureFormat {
    /// The most signatures in one request. A request with more is refused, so that the work does
    /// not grow with the header.
    pub const MAX_SIGNATURES: usize = 16;

    /// The whole value is one signature, after an optional [prefix](Self::with_prefix).
    #[must_use]
    pub fn single(place: impl Into<Locator>, encoding: Encoding) -> Self {
        let prefixes = Vec::new();
        Self::new(place.into(), encoding, Grammar::Single { prefixes })
    }

    /// No place has the signature: a special scheme finds it in the body.
    pub(crate) fn found_by_code(encoding: Encoding) -> Self {
        let places = Vec::new();
        Self {
            places,
            ..Self::single("", encoding)
        }
    }

    /// The value is a list. Items that start with the [prefix](Self::with_prefix) are candidates;
    /// others are skipped.
    #[must_use]
    pub fn list(place: impl Into<Locator>, separator: char, encoding: Encoding) -> Self {
        let prefix = Cow::Borrowed("");
        Self::new(place.into(), encoding, Grammar::List { separator, prefix })
    }

    /// The value is a list of `name=value` fields. Every field named `field` is a candidate.
    #[must_use]
    pub fn fields(
        place: impl Into<Locator>,
        separator: char,
        field: impl Into<Cow<'static, str>>,
        encoding: Encoding,
    ) -> Self {
        let grammar = Grammar::Fields {
            separator,
            field: field.into(),
            sets: None,
        };
        Self::new(place.into(), encoding, grammar)
    }

    /// The value is a list whose items are identified by their positions. Items from position
    /// `first` (counted from 0) are candidates; those before it are fields named `0`, `1`, ….
    #[must_use]
    pub fn positional(
        place: impl Into<Locator>,
        separator: char,
        first: usize,
        encoding: Encoding,
    ) -> Self {
        Self::new(
            place.into(),
            encoding,
            Grammar::Positional { separator, first },
        )
    }

    fn new(place: Locator, encoding: Encoding, grammar: Grammar) -> Self {
        Self {
            places: vec![place],
            grammar,
            encoding,
            repeats: false,
            spaced: false,
        }
    }

    /// Sets the text before each signature of a [`single`](Self::single) value or a
    /// [`list`](Self::list). It has no effect on the other formats. It may contain `{param:NAME}`.
    #[must_use]
    pub fn with_prefix(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        match &mut self.grammar {
            Grammar::Single { prefixes } => *prefixes = vec![text.into()],
            Grammar::List { prefix, .. } => *prefix = text.into(),
            Grammar::Fields { .. } | Grammar::Positional { .. } => {}
        }
        self
    }

    /// Adds an alternative text before the signature of a [`single`](Self::single) value; `""` is
    /// none. The longest that the value begins with counts. It has no effect on the other formats.
    #[must_use]
    pub fn or_prefix(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        if let Grammar::Single { prefixes } = &mut self.grammar {
            if prefixes.is_empty() {
                prefixes.push("".into());
            }
            prefixes.push(text.into());
        }
        self
    }

    /// Sets the separator between sets of [`fields`](Self::fields), with one set per key:
    /// `t=1,v1=aa t=1,v1=bb`. Signed fields must be equal in all sets.
    #[must_use]
    pub fn with_sets(mut self, separator: char) -> Self {
        if let Grammar::Fields { sets, .. } = &mut self.grammar {
            *sets = Some(separator);
        }
        self
    }

    /// Makes a [`Signer`](crate::Signer) write a space after each separator of
    /// [`fields`](Self::fields), as some senders do: `t=1, v1=aa`. A verifier accepts fields with
    /// and without.
    ///
    /// ```
    /// use http::Request;
    /// use tower_webhook::scheme::{Algorithm, Encoding, SignatureFormat, Timestamp};
    /// use tower_webhook::{Provider, Scheme, Secret, Signer};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let signature = SignatureFormat::fields("Acme-Signature", ',', "v1", Encoding::Hex);
    /// let scheme = Scheme::signed(Algorithm::HmacSha256, "{ts}.{body}", signature.with_spaces())
    ///     .with_timestamp(Timestamp::field("t"));
    /// let signer = Signer::new(Provider::new("acme", scheme), Secret::new("a-secret-of-acme"))?;
    /// let request = signer.sign(Request::post("/webhooks/acme"), "{}")?;
    /// assert!(request.headers()["acme-signature"].to_str()?.contains(", v1="));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_spaces(mut self) -> Self {
        self.spaced = true;
        self
    }

    /// Adds an alternative header. A matching signature in any of the headers is accepted.
    #[must_use]
    pub fn or_header(mut self, header: impl Into<Cow<'static, str>>) -> Self {
        self.places.push(Locator::header(header));
        self
    }

    pub(crate) fn or_place(mut self, place: Locator) -> Self {
        self.places.push(place);
        self
    }

    /// Allows several lines of the header, each with a signature. Otherwise a second line is
    /// rejected.
    #[must_use]
    pub fn with_repeated_lines(mut self) -> Self {
        self.repeats = true;
        self
    }
}
