//! [`CompiledSpecial`]: a special scheme with the parameters of one endpoint.

use std::fmt;

use crate::{
    clock::UnixTime,
    crypto::{candidates::Candidates, hasher::absorb, proof::Proof},
    error::SetupError,
    head::Head,
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        algorithm::Algorithm,
        params::Params,
        special::{Special, SpecialHead, SpecialRequest},
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
    request: SpecialRequest,
    /// Known with the body.
    statements: Vec<Signed>,
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

    /// Whether the header has signatures in the format of the scheme.
    pub(crate) fn has_plain_signature(&self) -> bool {
        self.scheme.0.has_plain_signature()
    }

    /// Checks the head, and keeps what is needed of it. Returns the time of the attempt, if it is signed.
    pub(crate) fn read(
        &self,
        head: &Head<'_>,
        now: i64,
        tolerance: Option<Tolerance>,
    ) -> Result<(Option<UnixTime>, SpecialParts), Reason> {
        let request = self.scheme.0.read(&SpecialHead {
            head: *head,
            params: &self.params,
            now,
            tolerance,
        })?;
        let parts = SpecialParts {
            statements: Vec::new(),
            request,
        };
        Ok((parts.request.time, parts))
    }
}

impl SpecialParts {
    /// Reads what is signed, and what of it is in the body. Returns the time of the attempt, if the
    /// body has it.
    pub(crate) fn read_body(
        &mut self,
        algorithm: Algorithm,
        body: &[u8],
        key_of: &KeyOf<'_>,
    ) -> Result<Option<UnixTime>, Reason> {
        let statements = (self.request.statements)(body)?;
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
        self.statements = statements.collect::<Result<_, _>>()?;
        Ok(time)
    }

    /// The id of the key that has to prove the statements, if the request names one.
    pub(crate) fn key_id(&self) -> Option<&str> {
        let mut ids = self.statements.iter();
        ids.find_map(|statement| statement.key_id.as_deref())
    }

    /// Whether a key proves every statement. `of_head` are the signatures of the header, and `key_id`
    /// is the id of the key.
    pub(crate) fn are_proven(
        &self,
        key: &Proof,
        key_id: Option<&str>,
        of_head: &Candidates,
    ) -> bool {
        let is_asked = |asked: &Option<Box<str>>| match (asked, key_id) {
            (Some(asked), Some(id)) => **asked == *id,
            _ => true,
        };
        let mut all = !self.statements.is_empty();
        for statement in &self.statements {
            let candidates = statement.candidates.as_ref().unwrap_or(of_head);
            let key = statement.key.as_ref().unwrap_or(key);
            let mut any = false;
            if is_asked(&statement.key_id) {
                for content in &statement.contents {
                    let matched = key.matches(candidates, |hash| {
                        absorb(hash, content);
                        Some(())
                    });
                    any |= matched == Some(true);
                }
            }
            all &= any;
        }
        all
    }

    /// Forgets the contents, which are as long as the body.
    pub(crate) fn forget(&mut self) {
        self.statements = Vec::new();
    }

    /// What tells the statements from those of other deliveries, in an order that the sender does not choose.
    pub(crate) fn identity(&self, body: &[u8]) -> Vec<Vec<u8>> {
        let statements = (self.request.statements)(body).unwrap_or_default();
        let contents = statements.into_iter().filter_map(|statement| {
            let first = statement.contents.into_iter().next();
            statement.identity.or(first)
        });
        let mut contents: Vec<_> = contents.collect();
        contents.sort_unstable();
        contents
    }
}

impl fmt::Debug for CompiledSpecial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A parameter may be a credential.
        self.scheme.fmt(f)
    }
}
