//! [`Hint`]: what a refused request shows beside its kind, and the facts that its sentence needs.

use std::fmt;

use crate::vocabulary::vocabulary;

vocabulary! {
    /// What a refused request shows about the cause, beside its [kind](crate::RejectionKind): a
    /// fixed vocabulary for logs and alerts.
    ///
    /// A hint is a suspicion. It follows from the head, from the length and the first bytes of the
    /// body, and from what the endpoint has verified before; never from how far a comparison came.
    /// The client does not see it. `Display` writes the name in snake case; the
    /// [rejection](crate::Rejection)'s own `Display` has the sentence.
    pub enum Hint: "hint" {
        /// The request has the signature header of another built-in provider.
        ForeignHeader = "foreign_header",
        /// There is no signature, and another header of the provider is present, or the provider is
        /// known not to sign at first: the sender may be genuine and have no secret.
        UnsignedSender = "unsigned_sender",
        /// The request has only an older signature of the provider, which is not accepted.
        OlderSignature = "older_signature",
        /// A `GET`, `HEAD` or `OPTIONS` carries no event.
        SafeMethod = "safe_method",
        /// A proxy has folded several lines of a header that must be unique into one.
        FoldedLines = "folded_lines",
        /// Some items of the signature header cannot be decoded.
        UndecodedSignature = "undecoded_signature",
        /// A signature has the length of another algorithm's, or is incomplete.
        OtherLength = "other_length",
        /// A signature has another encoding than the scheme's.
        OtherEncoding = "other_encoding",
        /// No item of the signature header begins with the scheme's prefix.
        PrefixMissing = "prefix_missing",
        /// The request names a key by an id that no key of the endpoint has.
        UnknownKeyId = "unknown_key_id",
        /// The timestamp is plausible in another unit.
        OtherUnit = "other_unit",
        /// The timestamp is wrong by no more than clocks and queues explain.
        Clock = "clock",
        /// The body is longer than the limit of this endpoint.
        MaxBody = "max_body",
        /// The body is longer than the limit of a layer outside of this one.
        OuterLimit = "outer_limit",
        /// The body has another length than `Content-Length` declared.
        LengthDiffers = "length_differs",
        /// The body is empty.
        BodyEmpty = "body_empty",
        /// The body is compressed.
        BodyCompressed = "body_compressed",
        /// `Content-Encoding` names a compression, and the body is not compressed.
        BodyDecompressed = "body_decompressed",
        /// The body is base64 of JSON, XML, a form or gzip.
        BodyBase64 = "body_base64",
        /// The body is a JSON string that contains JSON.
        BodyQuoted = "body_quoted",
        /// The body is the envelope of a gateway or a queue.
        BodyWrapped = "body_wrapped",
        /// The body is a form.
        BodyForm = "body_form",
        /// The body does not look like its `Content-Type`.
        BodyOtherType = "body_other_type",
        /// The endpoint has verified nothing since it started.
        NeverVerified = "never_verified",
        /// The endpoint has verified requests since it started.
        VerifiedBefore = "verified_before",
        /// The provider's command-line tool signs with a secret of its own.
        CliSecret = "cli_secret",
        /// The request is a [handshake](crate::handshake) of the provider that no layer answers.
        Handshake = "handshake",
    }
}

/// A set of hints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HintSet(u32);

const _: () = assert!(Hint::ALL.len() <= 32);

impl HintSet {
    pub(crate) fn insert(&mut self, hint: Hint) {
        self.0 |= bit(hint);
    }

    pub(crate) fn contains(self, hint: Hint) -> bool {
        self.0 & bit(hint) != 0
    }

    pub(crate) fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the body shows why its signature does not match.
    fn explains_body(self) -> bool {
        [
            Hint::LengthDiffers,
            Hint::BodyEmpty,
            Hint::BodyCompressed,
            Hint::BodyDecompressed,
            Hint::BodyBase64,
            Hint::BodyQuoted,
            Hint::BodyWrapped,
            Hint::BodyOtherType,
        ]
        .into_iter()
        .any(|hint| self.contains(hint))
    }

    /// In declaration order.
    pub(crate) fn iter(self) -> impl Iterator<Item = Hint> {
        let all = Hint::ALL.iter().copied();
        all.filter(move |hint| self.contains(*hint))
    }
}

fn bit(hint: Hint) -> u32 {
    1_u32.rotate_left(hint as u32)
}

impl fmt::Display for HintSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, hint) in self.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { "," })?;
            f.write_str(hint.as_str())?;
        }
        Ok(())
    }
}

/// The hints of a rejection with what their sentences name, and the facts that few rejections have.
/// Only the name of the tenant is text of the request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hints {
    pub(crate) set: HintSet,
    /// A header of another provider, and that provider.
    pub(crate) foreign: Option<(&'static str, &'static str)>,
    /// A header of the endpoint's provider.
    pub(crate) own: Option<Box<str>>,
    pub(crate) older: Option<&'static str>,
    pub(crate) undecoded: usize,
    pub(crate) signature: Option<SignatureSeen>,
    pub(crate) prefix: Option<Box<str>>,
    /// The unit in which the timestamp is plausible, and the one of the scheme.
    pub(crate) units: Option<(&'static str, &'static str)>,
    pub(crate) limit: u64,
    pub(crate) declared: u64,
    pub(crate) verified: u64,
    /// The signature could not even be decoded, so that neither secret nor body matters.
    pub(crate) unread: bool,
    /// Whether the provider sends a token, which no body changes.
    pub(crate) token: bool,
    /// There is a signature, and another header is missing.
    pub(crate) signed: bool,
    pub(crate) field: Option<Box<str>>,
    pub(crate) body_digest: Option<Box<str>>,
    pub(crate) asked_tenant: Option<Box<str>>,
    /// What the endpoint lacks to answer a handshake.
    pub(crate) handshake: Option<Unanswered>,
}

/// Why a handshake is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    NoLayer,
    /// A setting of the endpoint is missing.
    NoSetting(&'static str),
    /// Nobody has opened the registration.
    Closed,
}

/// What a signature that cannot be decoded looks like. The order makes the choice among several
/// independent of their order in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SignatureSeen {
    pub(crate) encoding: &'static str,
    /// In hex digits if it is hex, else in bytes.
    pub(crate) length: usize,
    pub(crate) expected_encoding: &'static str,
    pub(crate) expected_bytes: usize,
}

/// The digests of these lengths.
fn digest(bytes: usize) -> Option<&'static str> {
    match bytes {
        16 => Some("MD5"),
        20 => Some("SHA-1"),
        32 => Some("SHA-256"),
        48 => Some("SHA-384"),
        64 => Some("SHA-512"),
        _ => None,
    }
}

/// What a provider's hints recommend, as sentences.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Remedies {
    /// For a request without a signature.
    pub(crate) unsigned: Option<&'static str>,
    /// For the provider's command-line tool, which signs with a secret of its own.
    pub(crate) cli: Option<&'static str>,
    /// Whether the provider signs with a private key, so that it knows no secret.
    pub(crate) has_private_key: bool,
}

impl Remedies {
    /// What makes the provider sign.
    pub(crate) fn to_sign(self) -> &'static str {
        match self.unsigned {
            Some(sentence) => sentence,
            None if self.has_private_key => {
                "check at the provider, which has the private key, that it signs"
            }
            None => "set the secret at the provider, so that it signs",
        }
    }
}

impl Hints {
    pub(crate) fn insert(&mut self, hint: Hint) {
        self.set.insert(hint);
    }

    /// Writes the sentences, each after a semicolon.
    pub(crate) fn write(&self, remedies: Remedies, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.signed {
            f.write_str("; there is a signature, so suspect a proxy that removes or renames the other header")?;
        }
        self.set.iter().try_for_each(|hint| {
            f.write_str("; ")?;
            self.write_one(hint, remedies, f)
        })
    }

    fn write_one(&self, hint: Hint, remedies: Remedies, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match hint {
            Hint::ForeignHeader => {
                let (header, provider) = self.foreign.unwrap_or_default();
                write!(
                    f,
                    "it has {header}, a header of {provider}: check the URL that is set there, and `provider` here"
                )
            }
            Hint::UnsignedSender => {
                if let Some(header) = &self.own {
                    write!(f, "it has {header}, a header of the provider: ")?;
                }
                f.write_str(remedies.to_sign())
            }
            Hint::OlderSignature => write!(
                f,
                "it has {}, an older signature that is not accepted",
                self.older.unwrap_or_default()
            ),
            Hint::SafeMethod => f.write_str(
                "a GET, HEAD or OPTIONS carries no event: it is a browser, a health check, or a check of the address, which a route of \
                 your own can answer",
            ),
            Hint::Handshake => {
                f.write_str("the provider asks whether it may use this address: ")?;
                match self.handshake {
                    Some(Unanswered::NoSetting(name)) => write!(f, "set `{name}` to have it answered"),
                    Some(Unanswered::Closed) => f.write_str(
                        "open the registration just before you create the webhook, by Verifier::registration or registration = \"open\"",
                    ),
                    _ => f.write_str(
                        "put a HandshakeLayer outside of the WebhookVerifyLayer, or take the route of Config::route",
                    ),
                }
            }
            Hint::FoldedLines => f.write_str("a proxy has folded several lines of the header into one"),
            Hint::UndecodedSignature if self.undecoded == 1 => {
                f.write_str("one of the signatures cannot be decoded")
            }
            Hint::UndecodedSignature => {
                write!(f, "{} of the signatures cannot be decoded", self.undecoded)
            }
            Hint::OtherLength => self.write_length(f),
            Hint::OtherEncoding => {
                let seen = self.signature.map_or("", |seen| seen.encoding);
                let expected = self.signature.map_or("", |seen| seen.expected_encoding);
                write!(f, "the signature is {seen}, and the scheme expects {expected}")
            }
            Hint::PrefixMissing => write!(
                f,
                "nothing in the header begins with {:?}",
                self.prefix.as_deref().unwrap_or_default()
            ),
            Hint::OtherUnit => {
                let (seen, expected) = self.units.unwrap_or_default();
                write!(
                    f,
                    "the time is plausible in {seen}, and the scheme expects {expected}: check `unit` of the scheme, or what sends here"
                )
            }
            Hint::Clock => f.write_str("check the clock of this machine, and whether requests wait in a queue"),
            Hint::MaxBody => write!(
                f,
                "the limit is {} bytes; raise `max_body` if the provider sends longer bodies",
                self.limit
            ),
            Hint::OuterLimit => f.write_str("the limit is one of a layer outside of this one"),
            Hint::LengthDiffers => write!(
                f,
                "Content-Length declared {} bytes: something in front changed the body",
                self.declared
            ),
            Hint::BodyEmpty => f.write_str("the body is empty: something in front consumed it, or the sender sent none"),
            Hint::BodyCompressed => f.write_str(
                "the body is compressed: if a proxy or the sender compressed it after it was signed, decompress it outside of \
                 this layer",
            ),
            Hint::BodyDecompressed => f.write_str(
                "Content-Encoding names a compression, and the body is not compressed: something in front decompressed it",
            ),
            Hint::BodyBase64 => f.write_str("the body is base64: a gateway encoded it; decode it outside of this layer"),
            Hint::BodyQuoted => f.write_str("the body is a JSON string that contains JSON: something in front serialised it again"),
            Hint::BodyWrapped => f.write_str("the body is the envelope of a gateway or a queue; unwrap it outside of this layer"),
            Hint::BodyForm => f.write_str("the body is a form"),
            Hint::BodyOtherType => f.write_str("the body does not look like its Content-Type: something in front changed one of them"),
            Hint::UnknownKeyId => f.write_str(
                "the request names a key that this endpoint does not have: the provider has changed its keys, or another \
                 sender signed it; compare the `id` of the key with the request",
            ),
            Hint::NeverVerified if self.unread => f.write_str(
                "this endpoint has verified nothing since it started: compare the header with the provider's page, and check \
                 `provider`",
            ),
            Hint::NeverVerified if self.set.explains_body() => {
                f.write_str("this endpoint has verified nothing since it started")
            }
            Hint::NeverVerified => f.write_str(
                "this endpoint has verified nothing since it started: suspect the secret",
            ),
            Hint::VerifiedBefore => write!(
                f,
                "this endpoint has verified {} {} since it started: {}",
                self.verified,
                if self.verified == 1 { "request" } else { "requests" },
                if self.unread {
                    "suspect a proxy that changes the header, or another sender"
                } else if self.token {
                    "suspect a token that was replaced, or another sender"
                } else {
                    "suspect the body, or a key that was rotated"
                }
            ),
            Hint::CliSecret => f.write_str(remedies.cli.unwrap_or_default()),
        }
    }

    fn write_length(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(seen) = self.signature else {
            return Ok(());
        };
        let shown = |length: usize, encoding: &str| {
            let (unit, per_byte) = match encoding {
                "hex" => ("hex digits", 2),
                _ => ("bytes", 1),
            };
            // A text that was cut within a byte is no digest.
            let whole = length.is_multiple_of(per_byte);
            let bytes = length.checked_div(per_byte).filter(|_| whole);
            let name = bytes.and_then(digest).map(|name| format!(" ({name})"));
            format!("{length} {unit}{}", name.unwrap_or_default())
        };
        let (encoding, expected) = (seen.encoding, seen.expected_encoding);
        let is_expected = expected.split(" or ").any(|one| one == encoding);
        let counted = if is_expected { encoding } else { expected };
        let per_byte = if counted == "hex" { 2 } else { 1 };
        let of = |encoding: &str| match encoding {
            _ if is_expected => String::new(),
            "hex" => String::new(),
            encoding => format!(" in {encoding}"),
        };
        write!(
            f,
            "the signature has {}{}, and the scheme expects {}{}",
            shown(seen.length, encoding),
            of(encoding),
            shown(seen.expected_bytes.saturating_mul(per_byte), counted),
            of(expected)
        )
    }
}
