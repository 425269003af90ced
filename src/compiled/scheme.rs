//! [`CompiledScheme`]: a scheme that was checked as a whole, ready for requests.

use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash, Hasher as _},
};

use zeroize::Zeroizing;

use crate::{
    compiled::{
        body::BodyTable,
        content::Content,
        header_table::{HeaderTable, HeaderValues},
        params::Params,
        rules::{HeadRules, Metadata},
        validate::validate,
    },
    crypto::{hasher::Hasher, secret::decode},
    error::SetupError,
    scheme::{
        algorithm::{Algorithm, Keying},
        definition::{Coverage, Scheme},
        secret_format::SecretFormat,
        template,
        timestamp::Tolerance,
    },
};

/// All variants of a provider, ready to check requests.
pub(crate) struct Compiled {
    pub(crate) schemes: Vec<CompiledScheme>,
    /// Every header that they look at.
    pub(crate) headers: HeaderTable,
    /// Every value of the body that they sign.
    pub(crate) body: BodyTable,
}

/// A scheme that is ready to check requests.
#[derive(Debug)]
pub(crate) struct CompiledScheme {
    pub(crate) name: Cow<'static, str>,
    pub(crate) algorithm: Algorithm,
    /// The same for equal schemes with equal parameters.
    pub(crate) fingerprint: u64,
    pub(crate) content: Content,
    /// Whether the whole body is signed, and not only some of its fields.
    pub(crate) covers_body: bool,
    pub(crate) tolerance: Option<Tolerance>,
    secret_format: SecretFormat,
    pub(crate) head: HeadRules,
}

/// A secret under one scheme.
pub(crate) struct KeyState {
    /// The hash after the key and everything in front of the first variable part.
    pub(crate) hasher: Hasher,
    pub(crate) key: Zeroizing<Vec<u8>>,
    /// Whether the secret is weak because it is short.
    pub(crate) short: bool,
}

impl CompiledScheme {
    /// Checks `scheme` as a whole. `params` fills in `{param:…}` and `{url}`; the headers and values
    /// of the body that it uses are added to the tables.
    pub(crate) fn new(
        name: Cow<'static, str>,
        scheme: &Scheme,
        params: &Params,
        metadata: &Metadata<Cow<'static, str>>,
        (headers, body): (&mut HeaderTable, &mut BodyTable),
    ) -> Result<Self, SetupError> {
        let segments = template::parse(&scheme.signed).map_err(|error| error.within("signed"))?;
        validate(scheme, &segments)?;
        let mut header = |name: &str| headers.add(name, &scheme.families);
        let content = Content::new(&segments, params, scheme.coverage, body, &mut header)?;
        let head = HeadRules::new(scheme, params, &content, metadata, &mut header)?;
        let mut fingerprint = DefaultHasher::new();
        scheme.hash(&mut fingerprint);
        for name in scheme.param_names() {
            params.get(&*name).hash(&mut fingerprint);
        }
        Ok(Self {
            name,
            algorithm: scheme.algorithm,
            fingerprint: fingerprint.finish(),
            content,
            covers_body: scheme.coverage == Coverage::Body,
            tolerance: scheme.tolerance(),
            secret_format: scheme.secret_format.clone(),
            head,
        })
    }

    /// Decodes a secret and starts its hash.
    pub(crate) fn key_state(&self, secret: &str) -> Result<KeyState, SetupError> {
        let (key, short) = match self.algorithm.keying() {
            Keying::None => (Zeroizing::default(), false),
            Keying::Mac | Keying::Content => decode(&self.secret_format, secret)?,
        };
        self.start(key, short)
    }

    /// A fixed, public 32-byte decoy key, which bypasses the scheme's secret format.
    pub(crate) fn decoy(&self) -> Result<KeyState, SetupError> {
        let key = b"no-tenant-has-this-for-a-key-000".to_vec();
        self.start(Zeroizing::new(key), false)
    }

    fn start(&self, key: Zeroizing<Vec<u8>>, short: bool) -> Result<KeyState, SetupError> {
        let mut hasher = Hasher::new(self.algorithm, &key)?;
        match self.content.schedule(&mut hasher, &key) {
            Some(()) => Ok(KeyState { hasher, key, short }),
            None => Err(SetupError::new(
                "the scheme signs it as text, and it is not UTF-8; use a secret that is",
            )),
        }
    }

    /// Whether anybody who saw one request can append to its content (length extension).
    pub(crate) fn is_extendable(&self) -> bool {
        self.algorithm.keying() == Keying::Content && self.content.open_ended
    }

    /// Whether the time of the attempt is signed, so that the tolerance limits replays.
    #[cfg(feature = "config")]
    pub(crate) fn signs_time(&self) -> bool {
        let timestamp = self.head.timestamp.as_ref();
        timestamp.is_some_and(|timestamp| timestamp.signed)
    }

    /// Whether there is a timestamp that is not signed.
    pub(crate) fn has_unsigned_time(&self) -> bool {
        let timestamp = self.head.timestamp.as_ref();
        timestamp.is_some_and(|timestamp| !timestamp.signed)
    }

    /// The delivery id as it is signed, if it is in a signed header.
    pub(crate) fn signed_delivery_id<'v>(&self, values: &'v HeaderValues) -> Option<&'v [u8]> {
        values.slot(self.head.delivery_id_slot?)
    }

    /// The event type as it is signed, if it is in a signed header.
    pub(crate) fn signed_event_type<'v>(&self, values: &'v HeaderValues) -> Option<&'v [u8]> {
        values.slot(self.head.event_type_slot?)
    }
}
