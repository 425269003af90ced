//! [`Trust`]: whether a chain of certificates leads to a root, and is for what it is used for.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use der::{
    Decode,
    asn1::{ObjectIdentifier, PrintableStringRef, Utf8StringRef},
    oid::AssociatedOid,
};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use sha2::{Digest, Sha256};
use webpki::{
    EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeIdIter, VerifiedPath,
    anchor_from_trusted_cert, ring,
};
use x509_cert::{
    Certificate,
    ext::pkix::{KeyUsage, SubjectAltName, name::GeneralName},
};

use crate::{
    crypto::{
        key_encoding::{Armor, Half, decode},
        key_text::PEM_BEGIN,
        public_key::{MIN_RSA_BITS, PublicKey},
    },
    error::SetupError,
    scheme::{algorithm::Algorithm, certificates::CertificateRule},
};

/// More certificates would let one request cost too much. Public chains have four at most.
const MAX_CERTIFICATES: usize = 6;
/// No certificate of a known sender has half as many bytes.
const MAX_CERTIFICATE: usize = 8 << 10;
const MAX_ROOTS: usize = 16;
/// Chains that are remembered. A sender has two at a time, while it changes them.
const MAX_KNOWN: usize = 8;

/// How certificates may be signed: nothing with SHA-1, and no RSA key with fewer than 2048 bits.
const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    ring::ECDSA_P256_SHA256,
    ring::ECDSA_P256_SHA384,
    ring::ECDSA_P384_SHA256,
    ring::ECDSA_P384_SHA384,
    ring::RSA_PKCS1_2048_8192_SHA256,
    ring::RSA_PKCS1_2048_8192_SHA384,
    ring::RSA_PKCS1_2048_8192_SHA512,
];

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// Why a chain is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    Unreadable,
    /// No path of valid signatures leads to a root.
    NoPath,
    OutsideValidity,
    OtherName,
    OtherPurpose,
    IssuerIsNoAuthority,
    /// It is not of the type or the size that the algorithm needs.
    OtherKey,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "a certificate cannot be read",
            Self::NoPath => "no path leads to a root",
            Self::OutsideValidity => "a certificate is not valid at this time",
            Self::OtherName => "the certificate is for another name",
            Self::OtherPurpose => "a certificate is for another purpose",
            Self::IssuerIsNoAuthority => "an issuer is no authority",
            Self::OtherKey => "the key is of another type",
        })
    }
}

/// Certificates of which each was signed by the next one.
pub(crate) struct Chain {
    certificates: Vec<CertificateDer<'static>>,
    digest: [u8; 32],
}

impl Chain {
    /// Certificates in DER. `None` if there are none or too many, or one is too long.
    pub(crate) fn new(certificates: Vec<Vec<u8>>) -> Option<Self> {
        let count = certificates.len();
        if !(1..=MAX_CERTIFICATES).contains(&count)
            || certificates.iter().any(|der| der.len() > MAX_CERTIFICATE)
        {
            return None;
        }
        let mut digest = Sha256::new();
        for der in &certificates {
            digest.update(u64::try_from(der.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(der);
        }
        Some(Self {
            certificates: certificates.into_iter().map(Into::into).collect(),
            digest: digest.finalize().into(),
        })
    }

    /// Reads PEM, with the certificate of the key first.
    pub(crate) fn read(text: &str) -> Result<Self, SetupError> {
        Self::new(read_pem(text)?).ok_or_else(|| {
            SetupError::new(format!(
                "it is not a chain of 1 to {MAX_CERTIFICATES} certificates, of at most {} KiB each; set that of the key \
                 and those of its issuers",
                MAX_CERTIFICATE >> 10
            ))
        })
    }

    /// The key of the first certificate.
    pub(crate) fn public_key(
        &self,
        algorithm: Algorithm,
        min_rsa_bits: usize,
    ) -> Result<PublicKey, SetupError> {
        let first = self.first().map(AsRef::as_ref).unwrap_or_default();
        PublicKey::of_certificate(first, algorithm, min_rsa_bits)
    }

    fn first(&self) -> Option<&CertificateDer<'static>> {
        self.certificates.first()
    }
}

/// Reads the certificates of a PEM file.
pub(crate) fn read_pem(text: &str) -> Result<Vec<Vec<u8>>, SetupError> {
    let (before, blocks) = text.split_once(PEM_BEGIN).unwrap_or((text, ""));
    if !before.trim().is_empty() || blocks.is_empty() {
        return Err(SetupError::new(
            "it is not PEM; set the certificates, each from its BEGIN line to its END line, with nothing around them",
        ));
    }
    let blocks = blocks.split(PEM_BEGIN).map(|block| {
        let decoded = decode(&format!("{PEM_BEGIN}{block}"), Half::Public)?;
        if decoded.armor == Armor::Certificate {
            return Ok(decoded.bytes.to_vec());
        }
        Err(SetupError::new(
            "it is a public key, and a certificate is needed; set the certificate, which begins with BEGIN CERTIFICATE",
        ))
    });
    blocks.collect()
}

/// The first and the last second, since 1970, in which something is valid.
#[derive(Clone, Copy)]
struct Validity {
    first: i64,
    last: i64,
}

impl Validity {
    fn of(certificate: &Certificate) -> Self {
        let validity = certificate.tbs_certificate().validity();
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        Self {
            first: seconds(validity.not_before.to_unix_duration()),
            last: seconds(validity.not_after.to_unix_duration()),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            first: self.first.max(other.first),
            last: self.last.min(other.last),
        }
    }

    fn contains(self, now: i64) -> bool {
        (self.first..=self.last).contains(&now)
    }
}

struct Root {
    anchor: TrustAnchor<'static>,
    validity: Validity,
}

impl Root {
    fn read(der: Vec<u8>) -> Result<Self, SetupError> {
        let unreadable =
            || SetupError::new("a certificate cannot be read; copy it again from its issuer");
        let certificate = Certificate::from_der(&der).map_err(|_| unreadable())?;
        let validity = Validity::of(&certificate);
        let der = CertificateDer::from(der);
        let anchor = anchor_from_trusted_cert(&der).map_err(|_| unreadable())?;
        Ok(Self {
            anchor: anchor.to_owned(),
            validity,
        })
    }
}

/// A chain that was found in order.
struct Known {
    digest: [u8; 32],
    validity: Validity,
    key: PublicKey,
}

/// The roots of an endpoint, and what else its provider requires of a chain.
pub(crate) struct Trust {
    rule: &'static CertificateRule,
    algorithm: Algorithm,
    roots: Vec<Root>,
    /// The most recent first.
    known: Mutex<Vec<Known>>,
}

impl Trust {
    /// Reads the roots of the endpoint, or else those of the rule. `None` if there are neither.
    pub(crate) fn new(
        rule: &'static CertificateRule,
        algorithm: Algorithm,
        roots: Option<&str>,
    ) -> Result<Option<Self>, SetupError> {
        let text = roots.unwrap_or(rule.roots);
        if roots.is_none() && text.is_empty() {
            return Ok(None);
        }
        let roots = read_pem(text)?;
        if roots.len() > MAX_ROOTS {
            return Err(SetupError::new(format!(
                "there are {}, and {MAX_ROOTS} are the most; keep those that the provider uses",
                roots.len()
            )));
        }
        let roots = roots.into_iter().map(Root::read);
        Ok(Some(Self {
            rule,
            algorithm,
            roots: roots.collect::<Result<_, _>>()?,
            known: Mutex::default(),
        }))
    }

    /// The key that a chain vouches for at a time, in seconds since 1970.
    pub(crate) fn key_of(&self, chain: &Chain, now: i64) -> Result<PublicKey, Problem> {
        if let Some(key) = self.known(chain, now) {
            return Ok(key);
        }
        let validity = self.judge(chain, now)?;
        let key = chain.public_key(self.algorithm, MIN_RSA_BITS);
        let key = key.map_err(|_| Problem::OtherKey)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|known| known.digest != chain.digest);
        known.truncate(MAX_KNOWN.saturating_sub(1));
        known.insert(
            0,
            Known {
                digest: chain.digest,
                validity,
                key: key.clone(),
            },
        );
        Ok(key)
    }

    fn known(&self, chain: &Chain, now: i64) -> Option<PublicKey> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = known.iter();
        let known = known.find(|known| known.digest == chain.digest)?;
        known.validity.contains(now).then(|| known.key.clone())
    }

    /// When the chain is valid, if it is at this time.
    fn judge(&self, chain: &Chain, now: i64) -> Result<Validity, Problem> {
        let rule = self.rule;
        let (Some(first), Some(issuers)) = (chain.first(), chain.certificates.get(1..)) else {
            return Err(Problem::Unreadable);
        };
        // What is cheap comes before signatures.
        if rule
            .in_request
            .is_some_and(|count| count != chain.certificates.len())
        {
            return Err(Problem::Unreadable);
        }
        let leaf = read(first)?;
        self.check_leaf(&leaf)?;
        let issuers = match rule.in_request {
            // The last certificate is the root, which is trusted as configured only.
            Some(_) => issuers.split_last().map_or(issuers, |(_, issuers)| issuers),
            None => issuers,
        };
        let seconds = u64::try_from(now).map_err(|_| Problem::OutsideValidity)?;
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let valid = self.roots.iter().filter(|root| root.validity.contains(now));
        let anchors: Vec<_> = valid.map(|root| root.anchor.clone()).collect();
        if anchors.is_empty() {
            return Err(Problem::OutsideValidity);
        }
        let entity = EndEntityCert::try_from(first).map_err(|error| problem(&error))?;
        let path = entity.verify_for_usage(
            ALGORITHMS,
            &anchors,
            issuers,
            time,
            Purpose(rule),
            None,
            None,
        );
        self.validity_of(&leaf, &path.map_err(|error| problem(&error))?)
    }

    /// Checks what only the first certificate has.
    fn check_leaf(&self, leaf: &Certificate) -> Result<(), Problem> {
        let rule = self.rule;
        if rule
            .leaf_mark
            .is_some_and(|mark| !has_extension(leaf, mark))
        {
            return Err(Problem::OtherPurpose);
        }
        if !may(leaf, KeyUsage::digital_signature)? {
            return Err(Problem::OtherPurpose);
        }
        if rule.names.is_empty() || has_name(leaf, rule.names)? {
            return Ok(());
        }
        Err(Problem::OtherName)
    }

    /// When all certificates of a path are valid.
    fn validity_of(
        &self,
        leaf: &Certificate,
        path: &VerifiedPath<'_>,
    ) -> Result<Validity, Problem> {
        let mut validity = Validity::of(leaf);
        let mut mark = self.rule.issuer_mark;
        for issuer in path.intermediate_certificates() {
            let issuer = read(&issuer.der())?;
            if mark
                .take()
                .is_some_and(|mark| !has_extension(&issuer, mark))
            {
                return Err(Problem::OtherPurpose);
            }
            // webpki does not look at the extension.
            if !may(&issuer, KeyUsage::key_cert_sign)? {
                return Err(Problem::IssuerIsNoAuthority);
            }
            validity = validity.and(Validity::of(&issuer));
        }
        if mark.is_some() {
            return Err(Problem::NoPath);
        }
        let root = self.roots.iter().find(|root| root.anchor == *path.anchor());
        let root = root.ok_or(Problem::NoPath)?;
        Ok(validity.and(root.validity))
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("roots", &self.roots.len())
            .finish_non_exhaustive()
    }
}

/// What the extension "extended key usage" may say, of every certificate that has it.
struct Purpose(&'static CertificateRule);

impl ExtendedKeyUsageValidator for Purpose {
    fn validate(&self, usages: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        // A mark says more than this extension.
        if self.0.leaf_mark.is_some() {
            return Ok(());
        }
        webpki::KeyUsage::server_auth().validate(usages)
    }
}

fn problem(error: &Error) -> Problem {
    match error {
        Error::CertExpired { .. } | Error::CertNotValidYet { .. } => Problem::OutsideValidity,
        Error::CaUsedAsEndEntity | Error::RequiredEkuNotFoundContext(_) => Problem::OtherPurpose,
        Error::EndEntityUsedAsCa | Error::PathLenConstraintViolated => Problem::IssuerIsNoAuthority,
        Error::BadDer | Error::UnsupportedCertVersion => Problem::Unreadable,
        _ => Problem::NoPath,
    }
}

fn read(der: &CertificateDer<'_>) -> Result<Certificate, Problem> {
    Certificate::from_der(der).map_err(|_| Problem::Unreadable)
}

fn has_extension(certificate: &Certificate, id: &str) -> bool {
    let Ok(id) = ObjectIdentifier::new(id) else {
        unreachable!("the identifiers of rules are constants");
    };
    let extensions = certificate.tbs_certificate().extensions();
    let mut extensions = extensions.into_iter().flatten();
    extensions.any(|extension| extension.extn_id == id)
}

/// Reads an extension that a certificate has once at most.
fn extension<'c, T: Decode<'c, Error = der::Error> + AssociatedOid>(
    certificate: &'c Certificate,
) -> Result<Option<T>, Problem> {
    let extension = certificate.tbs_certificate().get_extension::<T>();
    let extension = extension.map_err(|_| Problem::Unreadable)?;
    Ok(extension.map(|(_, extension)| extension))
}

/// Whether the key usage, if there is one, includes this.
fn may(certificate: &Certificate, usage: fn(&KeyUsage) -> bool) -> Result<bool, Problem> {
    let found = extension::<KeyUsage>(certificate)?;
    Ok(found.is_none_or(|found| usage(&found)))
}

/// Whether a certificate is for one of these names. The common name counts only if there is no
/// other.
fn has_name(certificate: &Certificate, names: &[&str]) -> Result<bool, Problem> {
    let is_one = |found: &str| names.iter().any(|name| found.eq_ignore_ascii_case(name));
    if let Some(alternatives) = extension::<SubjectAltName>(certificate)? {
        return Ok(alternatives.0.iter().any(|name| match name {
            GeneralName::DnsName(name) => is_one(name.as_str()),
            _ => false,
        }));
    }
    let subject = certificate.tbs_certificate().subject();
    let mut names = subject.iter().filter(|part| part.oid == COMMON_NAME);
    let (Some(name), None) = (names.next(), names.next()) else {
        return Ok(false);
    };
    let utf8 = name.value.decode_as::<Utf8StringRef<'_>>();
    let printable = || name.value.decode_as::<PrintableStringRef<'_>>();
    Ok(match (utf8, printable) {
        (Ok(name), _) => is_one(name.as_str()),
        (Err(_), printable) => printable().is_ok_and(|name| is_one(name.as_str())),
    })
}
