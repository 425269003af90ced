//! [`CompiledSpecial`]: a special scheme with the parameters of one endpoint.

use std::fmt;

use crate::{
    clock::UnixTime,
    crypto::{
        hasher::absorb,
        proof::{Candidates, Proof},
    },
    error::SetupError,
    head::Head,
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        algorithm::Algorithm,
        params::Params,
        special::{HeadSignature, HeadSignatures, Special, SpecialHead, SpecialRequest},
        timestamp::Tolerance,
    },
};

/// More statements would let one request cost too much.
const MAX_STATEMENTS: usize = 1000;

/// A special scheme with the parameters of one endpoint.
pub(crate) struct CompiledSpecial {
    pub(crate) scheme: Special,
    pub(crate) params: Params,
}

/// What a special scheme keeps of a request.
pub(crate) struct SpecialParts {
    read: Read,
    /// Known with the body, or with the head if the signatures are of it.
    signed: Vec<Signed>,
    /// The signature that a key has proven, where one is enough.
    proven: Option<usize>,
}

enum Read {
    /// Every statement has to be proven.
    Statements(SpecialRequest),
    /// One signature is enough.
    Signatures(HeadSignatures),
}

/// Content in each of its forms, and its signatures; those of the head if there are none.
struct Signed {
    contents: Vec<Vec<u8>>,
    candidates: Option<Candidates>,
    key_id: Option<Box<str>>,
    /// The key that certificates of the request vouch for, instead of one of the endpoint.
    key: Option<Proof>,
}

/// Makes the key that certificates in DER vouch for.
pub(crate) type KeyOf<'k> = dyn Fn(Vec<Vec<u8>>) -> Result<Proof, Reason> + 'k;

impl CompiledSpecial {
    pub(crate) fn new(scheme: &Special, params: &Params) -> Result<Self, SetupError> {
        if scheme.0.certificates().is_some() && !cfg!(feature = "certificates") {
            return Err(SetupError::new(
                "certificates need the feature \"certificates\" of tower-webhook; add it to Cargo.toml",
            ));
        }
        scheme.0.check(params)?;
        Ok(Self {
            scheme: scheme.clone(),
            params: params.clone(),
        })
    }

    /// Whether the head has all that is signed.
    pub(crate) fn is_of_head(&self) -> bool {
        self.scheme.0.is_of_head()
    }

    /// Whether the body is signed, where parameters decide on it.
    pub(crate) fn signs_body(&self) -> Option<bool> {
        self.scheme.0.signs_body(&self.params)
    }

    /// Whether the header has signatures in the format of the scheme.
    pub(crate) fn has_plain_signature(&self) -> bool {
        self.scheme.0.has_plain_signature()
    }

    /// Checks the head, and keeps what is needed of it. Returns the time of the attempt, if it is
    /// signed and already certain.
    pub(crate) fn read(
        &self,
        head: &Head<'_>,
        now: i64,
        tolerance: Option<Tolerance>,
    ) -> Result<(Option<UnixTime>, SpecialParts), Reason> {
        let head = SpecialHead {
            head: *head,
            params: &self.params,
            now,
            tolerance,
        };
        let (time, read) = match self.scheme.0.read_signatures(&head) {
            Some(signatures) => (None, Read::Signatures(signatures?)),
            None => {
                let request = self.scheme.0.read(&head)?;
                (request.time, Read::Statements(request))
            }
        };
        let parts = SpecialParts {
            read,
            signed: Vec::new(),
            proven: None,
        };
        Ok((time, parts))
    }
}

impl SpecialParts {
    /// Reads what is signed, and what of it is in the body. `body` is `None` while it is not there,
    /// for a scheme whose signatures the head decides. Returns the time of the attempt, if the body
    /// has it.
    pub(crate) fn read_body(
        &mut self,
        algorithm: Algorithm,
        body: Option<&[u8]>,
        key_of: &KeyOf<'_>,
    ) -> Result<Option<UnixTime>, Reason> {
        let (signed, time) = match &self.read {
            Read::Statements(request) => of_statements(request, algorithm, body, key_of)?,
            Read::Signatures(signatures) => (of_signatures(signatures, algorithm, body)?, None),
        };
        self.signed = signed;
        Ok(time)
    }

    /// The ids of the keys that may prove what is signed; `None` for a signature that names none.
    pub(crate) fn key_ids(&self) -> impl Iterator<Item = Option<&str>> {
        let signed = self.signed.iter();
        signed.map(|signed| signed.key_id.as_deref())
    }

    /// The signature that a key proves, or zero for all statements. `of_head` are the signatures of
    /// the header, and `key_id` is the id of the key.
    pub(crate) fn proven_by(
        &self,
        key: &Proof,
        key_id: Option<&str>,
        of_head: &Candidates,
    ) -> Option<usize> {
        let is_proven = |signed: &Signed| {
            let candidates = signed.candidates.as_ref().unwrap_or(of_head);
            let key = signed.key.as_ref().unwrap_or(key);
            let mut any = false;
            let is_asked = match (&signed.key_id, key_id) {
                (Some(asked), Some(id)) => **asked == *id,
                _ => true,
            };
            if is_asked {
                for content in &signed.contents {
                    let matched = key.matches(candidates, &mut |hash| {
                        absorb(hash, content);
                        Some(())
                    });
                    any |= matched == Some(true);
                }
            }
            any
        };
        match &self.read {
            Read::Statements(_) => {
                let every = self
                    .signed
                    .iter()
                    .fold(true, |all, signed| is_proven(signed) & all);
                (every && !self.signed.is_empty()).then_some(0)
            }
            Read::Signatures(_) => {
                let mut proven = None;
                for (place, signed) in self.signed.iter().enumerate() {
                    // A public key is slow, and hides nothing.
                    if proven.is_some() && key.is_slow() {
                        break;
                    }
                    let is_proven = is_proven(signed);
                    proven = proven.or(is_proven.then_some(place));
                }
                proven
            }
        }
    }

    /// Keeps what is needed of an event: which signature was proven, and no content, which may be
    /// as long as the body. Returns the time of the signature, if it is signed.
    pub(crate) fn settle(&mut self, proven: usize) -> Option<UnixTime> {
        self.signed = Vec::new();
        match &self.read {
            Read::Statements(request) => request.time,
            Read::Signatures(signatures) => {
                self.proven = Some(proven);
                signatures.all.get(proven)?.time
            }
        }
    }

    /// Forgets the contents, of a variant that did not match.
    pub(crate) fn forget(&mut self) {
        self.signed = Vec::new();
    }

    /// What the endpoint requires to be signed beside the body, if it says so.
    pub(crate) fn required(&self) -> Option<&[u8]> {
        match &self.read {
            Read::Statements(_) => None,
            Read::Signatures(signatures) => Some(&signatures.all.get(self.proven?)?.required),
        }
    }

    /// What tells the statements from those of other deliveries, in an order that the sender does
    /// not choose.
    pub(crate) fn identity(&self, body: &[u8]) -> Vec<Vec<u8>> {
        let request = match &self.read {
            Read::Statements(request) => request,
            Read::Signatures(signatures) => {
                let proven = self.proven.and_then(|proven| signatures.all.get(proven));
                return proven.map(|one| one.content.clone()).into_iter().collect();
            }
        };
        let statements = (request.statements)(body).unwrap_or_default();
        let contents = statements.into_iter().filter_map(|statement| {
            let first = statement.contents.into_iter().next();
            statement.identity.or(first)
        });
        let mut contents: Vec<_> = contents.collect();
        contents.sort_unstable();
        contents
    }
}

fn of_statements(
    request: &SpecialRequest,
    algorithm: Algorithm,
    body: Option<&[u8]>,
    key_of: &KeyOf<'_>,
) -> Result<(Vec<Signed>, Option<UnixTime>), Reason> {
    let statements = (request.statements)(body.unwrap_or_default())?;
    if statements.is_empty() {
        return Err(Reason::new(RejectionKind::MalformedBody));
    }
    if statements.len() > MAX_STATEMENTS {
        return Err(Reason::new(RejectionKind::TooManySignatures));
    }
    let time = statements.iter().find_map(|statement| statement.time);
    let statements = statements.into_iter().map(|statement| {
        let candidates = statement
            .signatures
            .map(|all| Candidates::of(algorithm, &all));
        if candidates.as_ref().is_some_and(Candidates::is_empty) {
            return Err(Reason::new(RejectionKind::MalformedSignature));
        }
        Ok(Signed {
            contents: statement.contents,
            candidates,
            key_id: statement.key_id,
            // Certificates take longer to check than anything before.
            key: statement.chain.map(key_of).transpose()?,
        })
    });
    Ok((statements.collect::<Result<_, _>>()?, time))
}

/// One for each signature, so that the places are the same. Those that are of another body than
/// `body` have no content.
fn of_signatures(
    signatures: &HeadSignatures,
    algorithm: Algorithm,
    body: Option<&[u8]>,
) -> Result<Vec<Signed>, Reason> {
    let differs = body.and_then(|body| (signatures.check_body)(body).err());
    let is_of_another = |one: &HeadSignature| differs.is_some() && one.covers_body;
    if signatures.all.iter().all(is_of_another)
        && let Some(reason) = differs
    {
        return Err(reason);
    }
    let signed: Vec<Signed> = signatures
        .all
        .iter()
        .map(|one| Signed {
            contents: match is_of_another(one) {
                true => Vec::new(),
                false => vec![one.content.clone()],
            },
            candidates: Some(Candidates::of(
                algorithm,
                std::slice::from_ref(&one.signature),
            )),
            key_id: one.key_id.clone(),
            key: None,
        })
        .collect();
    let is_undecoded =
        |signed: &Signed| signed.candidates.as_ref().is_none_or(Candidates::is_empty);
    if signed.iter().all(is_undecoded) {
        return Err(Reason::new(RejectionKind::MalformedSignature));
    }
    Ok(signed)
}

impl fmt::Debug for CompiledSpecial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A parameter may be a credential.
        self.scheme.fmt(f)
    }
}
