//! [`Note`]: what is suspicious about an endpoint when it is set up.

use std::fmt;

use crate::vocabulary::vocabulary;

vocabulary! {
    /// What is suspicious about an endpoint when it is set up: a fixed vocabulary for logs.
    /// `Display` writes it in snake case; a [`Note`] has the sentence.
    pub enum NoteKind: "note" {
        /// A plain-text secret has fewer than 16 bytes.
        ShortSecret = "short_secret",
        /// The scheme has no key, so anybody can sign.
        UnauthenticatedDigest = "unauthenticated_digest",
        /// The scheme is a plain digest whose content continues after the secret.
        LengthExtension = "length_extension",
        /// How the provider signs is an assumption, from an ambiguous page or from memory.
        AssumedScheme = "assumed_scheme",
        /// A secret is a variable or a reference that nothing expanded, or a text that stands for a
        /// secret.
        PlaceholderSecret = "placeholder_secret",
        /// A secret is in quotation marks.
        QuotedSecret = "quoted_secret",
        /// A secret is a whole assignment, such as `NAME=value`, or JSON.
        AssignedSecret = "assigned_secret",
        /// A secret contains characters that cannot be seen.
        InvisibleCharacter = "invisible_character",
        /// A secret is a URL.
        UrlSecret = "url_secret",
        /// A secret has the form of another credential of the provider, such as an API key.
        OtherCredential = "other_credential",
        /// A secret lacks the form that the provider's secrets have.
        UnusualSecret = "unusual_secret",
        /// The certificate of a public key has expired.
        ExpiredCertificate = "expired_certificate",
        /// Two secrets of the endpoint are the same.
        RepeatedSecret = "repeated_secret",
        /// Two secrets of the endpoint have the same id.
        RepeatedId = "repeated_id",
        /// The timestamp is not part of the signed content.
        UnsignedTimestamp = "unsigned_timestamp",
        /// Deliveries are deduplicated by the body only, and the type of an event is not signed.
        UnsignedEventType = "unsigned_event_type",
        /// The endpoint takes a secret that nobody has signed, because its
        /// [registration](crate::handshake::Registration) is open from the start.
        OpenRegistration = "open_registration",
    }
}

/// Something suspicious about an endpoint when it is set up. The layer logs it at WARN. `Display`
/// writes a sentence that names the secret by its id and origin, and never shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    kind: NoteKind,
    text: Box<str>,
}

impl Note {
    pub(crate) fn new(kind: NoteKind, text: impl Into<Box<str>>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }

    /// What is suspicious, as one of a fixed vocabulary.
    #[must_use]
    pub fn kind(&self) -> NoteKind {
        self.kind
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
