//! [`CompiledScheme`]: a scheme that was checked as a whole, ready for requests.

#[cfg(feature = "certificates")]
use std::sync::Arc;
use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash, Hasher as _},
    time::SystemTime,
};

use zeroize::Zeroizing;

#[cfg(feature = "asymmetric")]
use crate::crypto::public_key::PublicKey;
use crate::{
    compiled::{
        body::BodyTable,
        content::Content,
        header_table::{HeaderTable, HeaderValues},
        rules::{HeadRules, Metadata, body_source},
        special::CompiledSpecial,
        validate::validate,
    },
    crypto::{hasher::Hasher, proof::Proof, secret::decode},
    error::SetupError,
    rejection::Reason,
    scheme::{
        algorithm::{Algorithm, Keying},
        definition::{Coverage, Scheme},
        locator::Locator,
        params::{Params, parameter},
        secret_format::SecretFormat,
        signature::Grammar,
        template::{self, fill_in},
        timestamp::Tolerance,
        url::check_url,
    },
};
#[cfg(feature = "certificates")]
use crate::{
    crypto::certificates::{Chain, Problem, Trust},
    rejection::kind::RejectionKind,
    scheme::certificates::ROOTS,
};
#[cfg(feature = "asymmetric")]
use sha2::digest::Update;

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
    /// How much of the body is signed.
    pub(crate) coverage: Coverage,
    pub(crate) is_basic: bool,
    #[cfg_attr(
        not(feature = "asymmetric"),
        expect(dead_code, reason = "no RSA keys are read")
    )]
    min_rsa_bits: usize,
    pub(crate) tolerance: Option<Tolerance>,
    pub(crate) secret_format: SecretFormat,
    pub(crate) head: HeadRules,
    /// What reads a request instead of `content`.
    pub(crate) special: Option<CompiledSpecial>,
    /// What decides whether certificates vouch for a key, if not only the endpoint does.
    #[cfg(feature = "certificates")]
    trust: Option<Arc<Trust>>,
    /// Whether its keys also make answers to handshakes.
    pub(crate) answers: bool,
}

/// A secret under one scheme.
pub(crate) struct KeyState {
    /// Of a hash, the state after the key and everything in front of the first variable part.
    pub(crate) proof: Proof,
    pub(crate) key: Zeroizing<Vec<u8>>,
    /// The state after the key alone, where answers to handshakes need it.
    pub(crate) answer: Option<Box<Hasher>>,
    /// Whether the secret is weak because it is short.
    pub(crate) short: bool,
    /// When the certificate of a public key ceases to be valid.
    pub(crate) expires: Option<SystemTime>,
    /// The certificates of a public key, which have to lead to a root of the endpoint.
    #[cfg(feature = "certificates")]
    certified: Option<Certified>,
}

#[cfg(feature = "certificates")]
type Certified = Box<(Chain, Arc<Trust>)>;

impl KeyState {
    /// No key: each request has its own.
    #[cfg(feature = "certificates")]
    fn in_requests() -> Self {
        Self {
            proof: Proof::InRequest,
            key: Zeroizing::default(),
            answer: None,
            short: false,
            expires: None,
            certified: None,
        }
    }

    /// Whether certificates vouch for the key at a time, or need not.
    #[cfg(feature = "certificates")]
    pub(crate) fn is_trusted(&self, now: i64) -> bool {
        let certified = self.certified.as_deref();
        certified.is_none_or(|(chain, trust)| trust.key_of(chain, now).is_ok())
    }

    #[cfg(not(feature = "certificates"))]
    pub(crate) fn is_trusted(&self, _: i64) -> bool {
        true
    }
}

impl CompiledScheme {
    /// Checks `scheme` as a whole. `params` fills in `{param:…}` and `{url}`; the headers and
    /// values of the body that it uses are added to the tables.
    pub(crate) fn new(
        name: Cow<'static, str>,
        scheme: &Scheme,
        params: &Params,
        metadata: &Metadata<Cow<'static, str>>,
        (headers, body): (&mut HeaderTable, &mut BodyTable),
    ) -> Result<Self, SetupError> {
        check_params(scheme, params)?;
        let filled = filled(scheme, params)?;
        let special = match &scheme.special {
            Some(special) => {
                scheme.algorithm.check_supported()?;
                Some(CompiledSpecial::new(special, params)?)
            }
            None => None,
        };
        #[cfg(feature = "certificates")]
        let trust = match scheme.certificates() {
            Some(rule) => {
                let roots = params.get(ROOTS).map(|roots| &**roots);
                let trust = Trust::new(rule, scheme.algorithm, roots);
                trust.map_err(|error| error.within(ROOTS))?.map(Arc::new)
            }
            None => None,
        };
        let segments = template::parse(&filled.signed).map_err(|error| error.within("signed"))?;
        if special.is_none() {
            validate(&filled, &segments)?;
        }
        let mut header = |name: &str| headers.add(name, &scheme.families);
        let time = filled.timestamp.as_ref();
        let time = time.and_then(|time| body_source(&time.place, false));
        let coverage = filled.coverage;
        let time = time.as_ref();
        let content = match &special {
            Some(_) => Content::unknown(),
            None => Content::new(&segments, params, coverage, time, body, &mut header)?,
        };
        let head = HeadRules::new(&filled, params, &content, metadata, body, &mut header)?;
        let signs_body = special.as_ref().and_then(CompiledSpecial::signs_body);
        let stated = match signs_body {
            Some(true) => Coverage::Body,
            Some(false) => Coverage::None,
            None => scheme.coverage,
        };
        let mut fingerprint = DefaultHasher::new();
        scheme.hash(&mut fingerprint);
        for name in scheme.param_names() {
            params.get(&*name).hash(&mut fingerprint);
        }
        Ok(Self {
            name,
            algorithm: scheme.algorithm,
            fingerprint: fingerprint.finish(),
            coverage: match stated {
                // Whatever the scheme says, a token signs nothing.
                _ if scheme.algorithm.keying() == Keying::Token => Coverage::None,
                Coverage::Body => Coverage::Body,
                stated if special.is_some() => stated,
                Coverage::Partial | Coverage::None if content.is_of_head() => Coverage::None,
                Coverage::Partial | Coverage::None => Coverage::Partial,
            },
            is_basic: scheme.is_basic(),
            min_rsa_bits: scheme.min_rsa_bits,
            content,
            tolerance: scheme.tolerance(),
            secret_format: scheme.secret_format.clone(),
            head,
            special,
            #[cfg(feature = "certificates")]
            trust,
            answers: false,
        })
    }

    /// Whether the endpoint has no keys: nobody needs one, or each request has its own.
    pub(crate) fn is_keyless(&self) -> bool {
        self.algorithm.keying() == Keying::None || self.has_keys_in_requests()
    }

    /// Whether each request has its key, with the certificates that vouch for it.
    pub(crate) fn has_keys_in_requests(&self) -> bool {
        let special = self.special.as_ref();
        let rule = special.and_then(|special| special.scheme.0.certificates());
        rule.is_some_and(|rule| rule.in_request.is_some())
    }

    /// The key that certificates of a request vouch for.
    #[cfg(feature = "certificates")]
    pub(crate) fn key_of(&self, chain: Vec<Vec<u8>>, now: i64) -> Result<Proof, Reason> {
        let refused = |problem| {
            let reason = Reason::new(RejectionKind::UntrustedCertificate);
            reason.with_field(&format!("x5c: {problem}"))
        };
        let chain = Chain::new(chain).ok_or_else(|| refused(Problem::Unreadable))?;
        let trust = self
            .trust
            .as_ref()
            .ok_or_else(|| refused(Problem::NoPath))?;
        let key = trust.key_of(&chain, now).map_err(refused)?;
        Ok(Proof::PublicKey(key, Box::default()))
    }

    #[cfg(not(feature = "certificates"))]
    pub(crate) fn key_of(&self, _: Vec<Vec<u8>>, _: i64) -> Result<Proof, Reason> {
        unreachable!("without the feature, no scheme with certificates is built")
    }

    /// Whether a key is of the kind that the algorithm needs.
    pub(crate) fn takes(&self, is_public: bool) -> bool {
        match self.algorithm.keying() {
            _ if self.is_keyless() => true,
            Keying::Public => is_public,
            Keying::None | Keying::Mac | Keying::Content | Keying::Token => !is_public,
        }
    }

    /// Decodes a secret or a public key, and computes what can be known of the content.
    pub(crate) fn key_state(&self, text: &str) -> Result<KeyState, SetupError> {
        #[cfg(feature = "certificates")]
        if self.has_keys_in_requests() {
            return Ok(KeyState::in_requests());
        }
        let (key, short) = match self.algorithm.keying() {
            Keying::None => (Zeroizing::default(), false),
            Keying::Mac | Keying::Content => decode(&self.secret_format, text)?,
            Keying::Token => {
                let (key, short) = decode(&self.secret_format, text)?;
                (self.token_bytes(key)?, short)
            }
            Keying::Public => return self.public_key(text),
        };
        self.start(key, short)
    }

    /// The bytes of a token. The credentials of Basic have a user and a password.
    fn token_bytes(&self, key: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, SetupError> {
        let mut prefixes = self.head.signature.grammar.prefixes().iter();
        let repeated = prefixes.find(|prefix| {
            let head = key.get(..prefix.len()).unwrap_or_default();
            prefix.ends_with(' ') && head.eq_ignore_ascii_case(prefix.as_bytes())
        });
        if let Some(prefix) = repeated {
            return Err(SetupError::new(format!(
                "it begins with {prefix:?}, which the provider sends in front of the token; keep only what follows"
            )));
        }
        if self.is_basic && !key.contains(&b':') {
            return Err(SetupError::new(
                "it has no colon; write user and password as \"user:password\", or \":password\" if the provider sends \
                 no user",
            ));
        }
        Ok(key)
    }

    #[cfg(feature = "asymmetric")]
    fn public_key(&self, text: &str) -> Result<KeyState, SetupError> {
        #[cfg(feature = "certificates")]
        if let Some(trust) = &self.trust {
            let chain = Chain::read(text)?;
            let key = chain.public_key(self.algorithm, self.min_rsa_bits)?;
            return Ok(KeyState {
                certified: Some(Box::new((chain, Arc::clone(trust)))),
                ..self.public_key_state(key)
            });
        }
        let key = PublicKey::read(text, self.algorithm, self.min_rsa_bits)?;
        Ok(self.public_key_state(key))
    }

    /// A public key that nothing needs to vouch for.
    #[cfg(feature = "asymmetric")]
    fn public_key_state(&self, key: PublicKey) -> KeyState {
        let expires = key.expires();
        let lead = |message: &mut dyn Update| self.content.schedule(message, &[]);
        let Some(proof) = Proof::of_public_key(key, lead) else {
            unreachable!("only secrets can be impossible to sign");
        };
        KeyState {
            proof,
            expires,
            key: Zeroizing::default(),
            answer: None,
            short: false,
            #[cfg(feature = "certificates")]
            certified: None,
        }
    }

    #[cfg(not(feature = "asymmetric"))]
    fn public_key(&self, _: &str) -> Result<KeyState, SetupError> {
        self.algorithm.check_supported()?;
        unreachable!("without the feature, no algorithm with public keys is supported")
    }

    /// A fixed, public decoy key, which bypasses the scheme's secret format.
    pub(crate) fn decoy(&self) -> Result<KeyState, SetupError> {
        #[cfg(feature = "certificates")]
        if self.has_keys_in_requests() {
            return Ok(KeyState::in_requests());
        }
        #[cfg(feature = "asymmetric")]
        if let Some(key) = decoy_public_key(self.algorithm) {
            let key = PublicKey::read(key, self.algorithm, self.min_rsa_bits)?;
            return Ok(self.public_key_state(key));
        }
        let key = b"no-tenant-has-this-for-a-key-000".to_vec();
        self.start(Zeroizing::new(key), false)
    }

    fn start(&self, key: Zeroizing<Vec<u8>>, short: bool) -> Result<KeyState, SetupError> {
        let mut proof = Proof::of_secret(self.algorithm, &key)?;
        let answer = proof.hasher().filter(|_| self.answers);
        let answer = answer.cloned().map(Box::new);
        if let Proof::Hash(hasher) = &mut proof
            && self.content.schedule(hasher, &key).is_none()
        {
            return Err(SetupError::new(
                "the scheme signs it as text, and it is not UTF-8; use a secret that is",
            ));
        }
        Ok(KeyState {
            proof,
            key,
            answer,
            short,
            expires: None,
            #[cfg(feature = "certificates")]
            certified: None,
        })
    }

    /// Whether anybody who saw one request can append to its content (length extension).
    pub(crate) fn is_extendable(&self) -> bool {
        self.algorithm.keying() == Keying::Content && self.content.open_ended
    }

    /// Whether the time of the attempt is signed, so that the tolerance limits replays.
    #[cfg(feature = "config")]
    pub(crate) fn signs_time(&self) -> bool {
        let timestamp = self.head.timestamp.as_ref();
        timestamp.is_some_and(|timestamp| timestamp.signed) || self.head.repeated_time.is_some()
    }

    /// Whether there is a timestamp that is not signed, and that no signed body repeats.
    pub(crate) fn has_unsigned_time(&self) -> bool {
        let timestamp = self.head.timestamp.as_ref();
        timestamp.is_some_and(|timestamp| !timestamp.signed) && self.head.repeated_time.is_none()
    }

    /// Says where the signed body repeats the timestamp.
    pub(crate) fn repeat_time_at(&mut self, place: &Locator, mark: &Locator, body: &mut BodyTable) {
        let rule = self.head.timestamp.as_ref();
        let signs_body = self.coverage == Coverage::Body;
        self.head.repeated_time = rule
            .filter(|_| signs_body)
            .and_then(|rule| rule.repeated_at(place, mark, body));
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

/// Refuses a scheme of which parameters are missing, and names all of them; and a URL that is none.
fn check_params(scheme: &Scheme, params: &Params) -> Result<(), SetupError> {
    let mut names = scheme.template_params();
    names.sort_unstable();
    names.dedup();
    let found = names.iter().map(|name| {
        let value = parameter(params, name)?;
        if name == "url" {
            check_url(value)
        } else {
            Ok(())
        }
    });
    SetupError::all(found.filter_map(Result::err))
}

/// The scheme with its parameters in the names of places and in the text before signatures.
fn filled(scheme: &Scheme, params: &Params) -> Result<Scheme, SetupError> {
    let mut filled = scheme.clone();
    let mut fill =
        |text: &Cow<'static, str>| fill_in(text, |name| parameter(params, name).map(str::to_owned));
    for place in &mut filled.signature.places {
        *place = place.map(&mut fill)?;
    }
    match &mut filled.signature.grammar {
        Grammar::Single { prefixes } => {
            for prefix in prefixes {
                *prefix = fill(prefix)?;
            }
        }
        Grammar::List { prefix, .. } => *prefix = fill(prefix)?,
        Grammar::Fields { .. } | Grammar::Positional { .. } => {}
    }
    if let Some(timestamp) = &mut filled.timestamp {
        timestamp.place = timestamp.place.map(&mut fill)?;
    }
    Ok(filled)
}

/// A public key whose private key nobody needs: a request that it verifies is refused all the same.
#[cfg(feature = "asymmetric")]
fn decoy_public_key(algorithm: Algorithm) -> Option<&'static str> {
    match algorithm {
        Algorithm::Ed25519 => Some("vbIiOSEITRM0hQHr1AroFJlvzEJvas7Djelo4UsKa9E="),
        Algorithm::EcdsaP256Sha256 | Algorithm::EcdsaP256Sha256Fixed | Algorithm::EcdsaP256Sha1 => {
            Some(
                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqmPRup9a4aAV49o8OY4B+4kD5BfhcvIQuVRxX2Ieg9u1+si6eZ6rZyPsZ//LvS5AcXphWgZvu\
             MKbcfnRcJc6iQ==",
            )
        }
        Algorithm::EcdsaP384Sha384Fixed => Some(
            "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEF2YVRzzPEcI1Vu+4y64YdMjlWiME9sB+BS6liC6B7bRlB1GaOWNRmL5PGWloj4X647EQ\
             Ah11F41UOjKgmn1WOPZ2GA6RLenCaf+v57gxoWz+XUP0osZHIPME1+PxQjTP",
        ),
        Algorithm::EcdsaP521Sha512Fixed => Some(
            "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBkPZhuKz44imJuzEhKUfhgncxv2/5gSD91iG1AVsmzWI/O5tl6m349Kt4OKqRkqOzXHeor4qW\
             xQfpD7FtOMxa+ZkB51pnoXp++tcktuDMu27Y/OZVBDNHFrMxWf/pReBhCE9dnzKnBzXQCfhAVE7O/vaeCl6IJ7k2gzcfJq60vZEtx+U=",
        ),
        Algorithm::RsaPkcs1Sha1
        | Algorithm::RsaPkcs1Sha256
        | Algorithm::RsaPkcs1Sha384
        | Algorithm::RsaPkcs1Sha512
        | Algorithm::RsaPssSha512 => Some(
            "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAm/lBtHDrY+51Wo1at3i5gSD1O428hROOuoV0xKdZngBikV+9hdk18Bo3TyllMw6cr\
             Tzdpqs+kL09nmhuJMycaQwWnbIUqoBzMy5Z7SrwMdj3dbmAWkWYvvtmDsbSMsm3UX+cbvUeODZm1lJSs3qnR317hCVvtY7nDJ+RAttijE/0xSm\
             xkOoEH/9WYhwgUJLufKQkcdSBN/85Dduyd/BYHqowr/X7I5L+D4I8D5nSkFS7kpIWwC9HmlWmqtHmnR3hT/Bbc76ChDE6Xfd0wgR20Ap5cZVZf\
             ZHEizH9fJwFNhmT+9aAcpQk+nyRruHUZGrU32xA2z3TIiqRUGZa6Bs1BwIDAQAB",
        ),
        _ => None,
    }
}
