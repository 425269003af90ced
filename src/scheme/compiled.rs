//! A [`Scheme`] that was checked as a whole and taken apart, ready for requests.

mod admit;
mod body;
mod checks;
mod content;
mod delimit;
mod draft;
mod headers;
mod rules;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher as _},
};

use zeroize::Zeroizing;

#[cfg(test)]
pub(crate) use self::body::passes;
pub(crate) use self::{
    admit::Admitted,
    body::{Bodied, BodyTable},
    content::{Content, Values, only},
    headers::{Captured, HeaderTable},
};
use self::{checks::check, rules::HeadRules};
use super::{
    Algorithm, Coverage, KeyFormat, Keying, Scheme, Tolerance, algorithm::Hasher, template,
};
use crate::SetupError;

/// The parameters of a provider, by name.
pub(crate) type Params = BTreeMap<Cow<'static, str>, Cow<'static, str>>;

/// What a provider reads out of a head beside what is signed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Read {
    EventType = 0,
    DeliveryId = 1,
    ContentType = 2,
}

/// The headers for each [`Read`], where it stands in one.
pub(crate) type Reads = [Option<Cow<'static, str>>; 3];

/// All constructions of a provider, ready to check requests.
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
    key: KeyFormat,
    head: HeadRules,
}

/// A secret under one scheme.
pub(crate) struct Scheduled {
    /// The hash that already holds the key and all that stands before the first variable part.
    pub(crate) hasher: Hasher,
    pub(crate) key: Zeroizing<Vec<u8>>,
    /// How many bytes that is.
    pub(crate) lead: usize,
    /// Whether the secret is so short that the operator should know.
    pub(crate) short: bool,
}

impl CompiledScheme {
    /// Checks `scheme` as a whole. `params` fills `{param:…}` and `{url}`; headers and values of the body come into the tables.
    pub(crate) fn new(
        name: Cow<'static, str>,
        scheme: &Scheme,
        params: &Params,
        reads: &Reads,
        (headers, body): (&mut HeaderTable, &mut BodyTable),
    ) -> Result<Self, SetupError> {
        let parts = template::parse(&scheme.signed).map_err(|error| error.within("signed"))?;
        check(scheme, &parts)?;
        let mut header = |name: &str| headers.add(name, &scheme.families);
        let content = Content::new(&parts, params, scheme.coverage, body, &mut header)?;
        let head = HeadRules::new(scheme, params, &content, reads, &mut header)?;
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
            key: scheme.key.clone(),
            head,
        })
    }

    /// Decodes a secret and starts its hash.
    pub(crate) fn schedule(&self, secret: &str) -> Result<Scheduled, SetupError> {
        let (key, short) = match self.algorithm.keying() {
            Keying::None => (Zeroizing::default(), false),
            Keying::Mac | Keying::Content => self.key.decode(secret)?,
        };
        self.start(key, short)
    }

    /// A key that is no secret, of a length that is usual, whatever form the scheme asks of secrets.
    pub(crate) fn schedule_decoy(&self) -> Result<Scheduled, SetupError> {
        let key = b"no-tenant-has-this-for-a-key-000".to_vec();
        self.start(Zeroizing::new(key), false)
    }

    fn start(&self, key: Zeroizing<Vec<u8>>, short: bool) -> Result<Scheduled, SetupError> {
        let mut hasher = Hasher::new(self.algorithm, &key)?;
        match self.content.schedule(&mut hasher, &key) {
            Some(lead) => Ok(Scheduled {
                hasher,
                key,
                lead,
                short,
            }),
            None => Err(SetupError::new(
                "it does not have the form in which the scheme signs it; use UTF-8 text",
            )),
        }
    }

    /// Whether whoever saw one request can make another, with more at the end of its content.
    pub(crate) fn is_extendable(&self) -> bool {
        self.algorithm.keying() == Keying::Content && self.content.open_ended
    }

    /// Whether the time of the attempt is signed, so that the tolerance limits how long a request is accepted.
    #[cfg(feature = "config")]
    pub(crate) fn signs_time(&self) -> bool {
        let timestamp = self.head.timestamp.as_ref();
        timestamp.is_some_and(|timestamp| timestamp.signed)
    }

    /// The delivery id, where it stands in a header that is signed, as it is signed.
    pub(crate) fn signed_delivery_id<'c>(&self, captured: &'c Captured) -> Option<&'c [u8]> {
        captured.get(self.head.delivery_slot?)
    }

    /// The event type, where it stands in a header that is signed, as it is signed.
    pub(crate) fn signed_event_type<'c>(&self, captured: &'c Captured) -> Option<&'c [u8]> {
        captured.get(self.head.event_type_slot?)
    }

    /// The value of a header that the provider reads beside what is signed.
    pub(crate) fn read<'c>(&self, captured: &'c Captured, read: Read) -> Option<&'c [u8]> {
        match (read, self.head.delivery_slot) {
            // What is signed as it stands there is not kept a second time.
            (Read::DeliveryId, Some(slot)) if self.head.reads_slot => captured.get(slot),
            _ => captured.get(self.content.slots.len().checked_add(read as usize)?),
        }
    }
}
