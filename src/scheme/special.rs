//! [`SpecialScheme`]: what code reads from a request, where no template says what is signed.

use std::{
    borrow::Cow,
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use bytes::Bytes;
use http::request;

#[cfg(feature = "explain")]
use crate::scheme::algorithm::Algorithm;
use crate::{
    clock::UnixTime,
    error::SetupError,
    head::Head,
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        certificates::CertificateRule,
        params::Params,
        timestamp::{Outside, Tolerance},
    },
};

/// A way of signing that no template holds.
///
/// It reads from a request what was signed, and never sees a key: the comparison is the one of all
/// schemes. Its `Debug` text tells it from every other.
pub(crate) trait SpecialScheme: fmt::Debug + Send + Sync {
    /// The names of the parameters that it takes.
    fn params(&self) -> Vec<Cow<'static, str>> {
        Vec::new()
    }

    /// Refuses parameters that are missing or malformed.
    fn check(&self, _: &Params) -> Result<(), SetupError> {
        Ok(())
    }

    /// Whether the body is signed, where parameters decide on it.
    fn signs_body(&self, _: &Params) -> Option<bool> {
        None
    }

    /// How far the time of a request may be from the clock; `None` if it has none.
    fn tolerance(&self) -> Option<Tolerance> {
        None
    }

    /// Which certificates vouch for its keys; `None` if nothing but the endpoint does.
    fn certificates(&self) -> Option<&'static CertificateRule> {
        None
    }

    /// Whether the header of the scheme has signatures in the format of the scheme. Otherwise the
    /// statements have them.
    fn has_plain_signature(&self) -> bool {
        true
    }

    /// What precedes the token in the header of the scheme, if it has nothing else.
    #[cfg(feature = "explain")]
    fn token_prefix(&self) -> Option<&str> {
        None
    }

    /// The same with another algorithm, where any will do.
    #[cfg(feature = "explain")]
    fn with_algorithm(&self, _: Algorithm) -> Option<Special> {
        None
    }

    /// Whether the signature is put into the body.
    fn signs_within_body(&self) -> bool {
        false
    }

    /// Whether the head has all that is signed.
    fn is_of_head(&self) -> bool {
        false
    }

    /// Whether the method or the query is signed, so that events may come by `GET`.
    #[cfg(feature = "tower")]
    fn signs_request_line(&self) -> bool {
        false
    }

    /// Whether the bytes of the body are signed, and not values that another spelling has too.
    fn covers_bytes(&self) -> bool {
        false
    }

    /// Checks the head, and keeps what is needed of it.
    fn read(&self, head: &SpecialHead<'_>) -> Result<SpecialRequest, Reason>;

    /// Checks the head of a request whose signatures are of the head, which has a digest of the
    /// body. `None` for a scheme that reads statements instead.
    fn read_signatures(&self, _: &SpecialHead<'_>) -> Option<Result<HeadSignatures, Reason>> {
        None
    }

    /// Signs a request, for tests.
    fn sign(&self, draft: &mut Draft<'_>) -> Result<(), String>;
}

/// A head, for one endpoint.
pub(crate) struct SpecialHead<'h> {
    pub(crate) head: Head<'h>,
    pub(crate) params: &'h Params,
    pub(crate) now: i64,
    pub(crate) tolerance: Option<Tolerance>,
}

impl<'h> SpecialHead<'h> {
    /// The only value of a header.
    pub(crate) fn header(&self, name: &str) -> Result<&'h str, Reason> {
        let refused = |kind| Reason::new(kind).about(&name.into());
        let value = self.head.headers.nth(name, 0);
        let value = value.ok_or_else(|| refused(RejectionKind::MissingHeader))?;
        if self.head.headers.nth(name, 1).is_some() {
            return Err(refused(RejectionKind::RepeatedHeader));
        }
        std::str::from_utf8(value).map_err(|_| refused(RejectionKind::MalformedHeader))
    }

    pub(crate) fn param(&self, name: &str) -> Option<&'h str> {
        self.params.get(name).map(|value| &**value)
    }
}

/// How old a request may be, for a time that the body has.
#[derive(Clone, Copy)]
pub(crate) struct Freshness {
    now: i64,
    tolerance: Option<Tolerance>,
}

impl Freshness {
    pub(crate) fn of(head: &SpecialHead<'_>) -> Self {
        Self {
            now: head.now,
            tolerance: head.tolerance,
        }
    }

    /// Checks a time. `refused` makes a refusal that says where it is.
    pub(crate) fn check(
        self,
        time: UnixTime,
        refused: impl Fn(RejectionKind) -> Reason,
    ) -> Result<UnixTime, Reason> {
        let checked = self.tolerance.map(|all| all.check(time.seconds, self.now));
        let kind = match checked {
            None | Some(Ok(())) => return Ok(time),
            Some(Err(Outside::TooOld)) => RejectionKind::TimestampTooOld,
            Some(Err(Outside::InFuture)) => RejectionKind::TimestampInFuture,
        };
        let skew = time.seconds.saturating_sub(self.now);
        Err(refused(kind).with_skew(skew))
    }
}

/// A request whose head is in order.
pub(crate) struct SpecialRequest {
    /// The time of the attempt, if it is signed.
    pub(crate) time: Option<UnixTime>,
    pub(crate) statements: Box<ReadBody>,
}

/// What the body, and the head before it, say to be signed.
pub(crate) type ReadBody = dyn Fn(&[u8]) -> Result<Vec<Statement>, Reason> + Send + Sync;

/// Signatures, and what they are of. A key has to prove every statement of a request.
#[derive(Default)]
pub(crate) struct Statement {
    /// The signed content, of which the sender may have used any form.
    pub(crate) contents: Vec<Vec<u8>>,
    /// The signatures; `None` for those of the header.
    pub(crate) signatures: Option<Vec<Vec<u8>>>,
    /// The id of the key, if the request names it.
    pub(crate) key_id: Option<Box<str>>,
    /// What tells deliveries apart, if that is not the first content: the same for all spellings
    /// that are accepted, and for every attempt.
    pub(crate) identity: Option<Vec<u8>>,
    /// The certificates in DER that vouch for the key, if the request has them instead of the
    /// endpoint.
    pub(crate) chain: Option<Vec<Vec<u8>>>,
    /// The time of the attempt, if the body has it.
    pub(crate) time: Option<UnixTime>,
}

impl Statement {
    /// Content that the signatures in the header are of.
    pub(crate) fn of_header(contents: Vec<Vec<u8>>, identity: Option<Vec<u8>>) -> Vec<Self> {
        vec![Self {
            contents,
            identity,
            ..Self::default()
        }]
    }
}

/// The signatures of a head, one of which a key has to prove, before the body is read.
pub(crate) struct HeadSignatures {
    pub(crate) all: Vec<HeadSignature>,
    /// Compares the body with its digests in the head.
    pub(crate) check_body: Box<CheckBody>,
}

pub(crate) type CheckBody = dyn Fn(&[u8]) -> Result<(), Reason> + Send + Sync;

/// A signature of the head, and what it is of.
#[derive(Clone)]
pub(crate) struct HeadSignature {
    pub(crate) content: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    /// The id of the key, if the request names it.
    pub(crate) key_id: Option<Box<str>>,
    /// The time of the attempt, if it is signed.
    pub(crate) time: Option<UnixTime>,
    /// What the endpoint requires to be signed, which is the same for every attempt.
    pub(crate) required: Vec<u8>,
    /// Whether it is of the digest of the body.
    pub(crate) covers_body: bool,
}

/// Makes the signature of a content, or says why it cannot.
pub(crate) type Sign<'s> = dyn Fn(&[u8]) -> Result<Vec<u8>, String> + 's;

/// A request that is to be signed.
pub(crate) struct Draft<'d> {
    pub(crate) head: &'d mut request::Parts,
    pub(crate) body: Bytes,
    pub(crate) params: &'d Params,
    pub(crate) now: i64,
    pub(crate) key_id: Option<&'d str>,
    /// A new unique id.
    pub(crate) fresh: String,
    /// The certificates of the key, in DER.
    pub(crate) certificates: &'d [Vec<u8>],
    /// What the caller adds.
    pub(crate) fields: &'d [(String, String)],
    pub(crate) key: &'d Sign<'d>,
}

impl Draft<'_> {
    /// Sets a header, unless the caller has set it.
    pub(crate) fn provide(&mut self, name: &'static str, value: &str) -> Result<(), String> {
        if self.head.headers.contains_key(name) {
            return Ok(());
        }
        self.set(name, value)
    }

    pub(crate) fn set(&mut self, name: &'static str, value: &str) -> Result<(), String> {
        let value = value.parse();
        let value = value.map_err(|_| format!("header {name} cannot have its value"))?;
        self.head.headers.insert(name, value);
        Ok(())
    }

    /// Reads the draft as the receiver will, and returns the first content.
    pub(crate) fn content(&self, scheme: &dyn SpecialScheme) -> Result<Vec<u8>, String> {
        let refused = |reason| format!("a receiver would refuse the request: {reason}");
        let request = scheme.read(&SpecialHead {
            head: Head::from(&*self.head),
            params: self.params,
            now: self.now,
            tolerance: None,
        });
        let statements = (request.map_err(refused)?.statements)(&self.body).map_err(refused)?;
        let content = statements.into_iter().next();
        let content = content.and_then(|statement| statement.contents.into_iter().next());
        content.ok_or_else(|| "there is nothing to sign".to_owned())
    }
}

/// A special scheme, as part of a [`Scheme`](crate::Scheme).
#[derive(Clone)]
pub(crate) struct Special(pub(crate) Arc<dyn SpecialScheme>);

impl fmt::Debug for Special {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq for Special {
    fn eq(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

impl Eq for Special {}

impl Hash for Special {
    fn hash<H: Hasher>(&self, state: &mut H) {
        format!("{self:?}").hash(state);
    }
}
