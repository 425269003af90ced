//! Reads keys in DER, and compares their type with the algorithm.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use der::{
    Decode, Encode, ErrorKind, Reader, SliceReader,
    asn1::{AnyRef, ObjectIdentifier, OctetStringRef, SequenceRef},
};
use pkcs1::RsaPublicKeyRef;
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use x509_cert::Certificate;

use crate::{crypto::key_encoding::Half, error::SetupError, scheme::algorithm::Algorithm};

const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// Other types and curves that people have, for errors.
const OTHER_TYPES: [(&str, &str); 6] = [
    ("1.2.840.113549.1.1.10", "an RSA key for PSS only"),
    ("1.3.101.113", "an Ed448 key"),
    ("1.3.101.110", "an X25519 key, which cannot sign"),
    ("1.3.101.111", "an X448 key, which cannot sign"),
    ("1.2.840.10040.4.1", "a DSA key"),
    (
        "1.2.840.113549.1.3.1",
        "a Diffie-Hellman key, which cannot sign",
    ),
];
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const OTHER_CURVES: [(&str, &str); 1] = [("1.3.132.0.10", "secp256k1")];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyType {
    Ed25519,
    P256,
    P384,
    /// Its algorithm needs a feature.
    P521,
    Rsa,
    OtherCurve(&'static str),
    /// The parameters of the curve are there instead of its name.
    UnnamedCurve,
    Other(&'static str),
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ed25519 => f.write_str("an Ed25519 key"),
            Self::P256 => f.write_str("a P-256 key"),
            Self::P384 => f.write_str("a P-384 key"),
            Self::P521 => f.write_str("a P-521 key"),
            Self::Rsa => f.write_str("an RSA key"),
            Self::OtherCurve(curve) => write!(f, "an elliptic-curve key on {curve}"),
            Self::UnnamedCurve => {
                f.write_str("an elliptic-curve key without the name of its curve")
            }
            Self::Other(name) => f.write_str(name),
        }
    }
}

impl KeyType {
    /// The type of the keys of an algorithm.
    pub(super) fn of(algorithm: Algorithm) -> Result<Self, SetupError> {
        match algorithm {
            Algorithm::Ed25519 => Ok(Self::Ed25519),
            Algorithm::EcdsaP256Sha256
            | Algorithm::EcdsaP256Sha256Fixed
            | Algorithm::EcdsaP256Sha1 => Ok(Self::P256),
            Algorithm::EcdsaP384Sha384Fixed => Ok(Self::P384),
            Algorithm::EcdsaP521Sha512Fixed => Ok(Self::P521),
            Algorithm::RsaPkcs1Sha1
            | Algorithm::RsaPkcs1Sha256
            | Algorithm::RsaPkcs1Sha384
            | Algorithm::RsaPkcs1Sha512
            | Algorithm::RsaPssSha512 => Ok(Self::Rsa),
            Algorithm::HmacSha256
            | Algorithm::HmacSha384
            | Algorithm::HmacSha512
            | Algorithm::HmacSha1
            | Algorithm::HmacMd5
            | Algorithm::Sha256
            | Algorithm::Sha512
            | Algorithm::Sha1
            | Algorithm::UnauthenticatedSha256
            | Algorithm::Token => Err(SetupError::new(format!(
                "{algorithm} has no public keys; set a shared secret, or choose an algorithm with public keys"
            ))),
        }
    }

    /// The length of a coordinate, and 0 for a key that is not a point.
    pub(super) fn coordinate(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
            _ => 0,
        }
    }

    /// The type that an algorithm identifier names.
    pub(super) fn identified_by(identifier: &AlgorithmIdentifierRef<'_>) -> Self {
        let named = |known: &[(&str, &'static str)], oid: ObjectIdentifier| {
            known
                .iter()
                .find(|(text, _)| ObjectIdentifier::new(text) == Ok(oid))
                .map(|(_, name)| *name)
        };
        match identifier.oid {
            ED25519 => Self::Ed25519,
            RSA => Self::Rsa,
            EC => match identifier.parameters_oid() {
                Ok(P256) => Self::P256,
                Ok(P384) => Self::P384,
                Ok(P521) => Self::P521,
                Ok(curve) => {
                    Self::OtherCurve(named(&OTHER_CURVES, curve).unwrap_or("another curve"))
                }
                Err(_) => Self::UnnamedCurve,
            },
            other => Self::Other(named(&OTHER_TYPES, other).unwrap_or("a key of another type")),
        }
    }

    /// Refuses a key that is not of the type that the algorithm needs.
    pub(super) fn check(self, algorithm: Algorithm) -> Result<(), SetupError> {
        let wanted = Self::of(algorithm)?;
        if self == wanted {
            return Ok(());
        }
        let message = match self {
            Self::UnnamedCurve if wanted.coordinate() > 0 => {
                "it has the parameters of its curve and not the name; convert it with \
                 `openssl ec -pubin -in key.pem -pubout -param_enc named_curve`"
                    .to_owned()
            }
            Self::OtherCurve(curve) if wanted.coordinate() > 0 => format!(
                "its curve is {curve}, and {algorithm} needs {}; copy the key of this scheme",
                match wanted {
                    Self::P256 => "P-256",
                    Self::P384 => "P-384",
                    _ => "P-521",
                },
            ),
            found => format!(
                "it is {found}, and {algorithm} needs {wanted}; copy the key of this scheme, or correct the algorithm"
            ),
        };
        Err(SetupError::new(message))
    }
}

/// A public key, out of its envelope.
pub(super) struct PublicDer {
    pub(super) key_type: KeyType,
    /// As the type has it: 32 bytes, a point, or `RSAPublicKey`.
    pub(super) key: Vec<u8>,
    /// When the certificate begins and ceases to be valid.
    pub(super) validity: Option<(SystemTime, SystemTime)>,
}

/// Reads `SubjectPublicKeyInfo`, `RSAPublicKey` or a certificate.
pub(super) fn read_public(bytes: &[u8]) -> Option<PublicDer> {
    if let Ok(certificate) = Certificate::from_der(bytes) {
        let certificate = certificate.tbs_certificate();
        let validity = certificate.validity();
        let info = certificate.subject_public_key_info().to_der().ok()?;
        return Some(PublicDer {
            validity: Some((
                UNIX_EPOCH.checked_add(validity.not_before.to_unix_duration())?,
                UNIX_EPOCH.checked_add(validity.not_after.to_unix_duration())?,
            )),
            ..read_info(&info)?
        });
    }
    if RsaPublicKeyRef::from_der(bytes).is_ok() {
        return Some(PublicDer {
            key_type: KeyType::Rsa,
            key: bytes.to_vec(),
            validity: None,
        });
    }
    read_info(bytes)
}

fn read_info(bytes: &[u8]) -> Option<PublicDer> {
    let info = SubjectPublicKeyInfoRef::from_der(bytes).ok()?;
    Some(PublicDer {
        key_type: KeyType::identified_by(&info.algorithm),
        key: info.subject_public_key.as_bytes()?.to_vec(),
        validity: None,
    })
}

/// What DER is that was not read as wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Foreign {
    PrivateKey,
    EncryptedPrivateKey,
    PublicKey,
    Unreadable,
}

/// Tells what bytes are that are not the key that was wanted.
pub(super) fn tell(bytes: &[u8]) -> Foreign {
    // Each kind of private key begins with a small version, and a public one with a sequence or
    // with a modulus.
    let fields = || SliceReader::new(<&SequenceRef>::from_der(bytes).ok()?.as_ref()).ok();
    let is_versioned = fields().is_some_and(|mut fields| u8::decode(&mut fields).is_ok());
    let is_encrypted = fields().is_some_and(|mut fields| {
        AlgorithmIdentifierRef::decode(&mut fields).is_ok()
            && <&OctetStringRef>::decode(&mut fields).is_ok()
            && fields.is_finished()
    });
    if is_versioned {
        Foreign::PrivateKey
    } else if is_encrypted {
        Foreign::EncryptedPrivateKey
    } else if read_public(bytes).is_some() {
        Foreign::PublicKey
    } else {
        Foreign::Unreadable
    }
}

/// The error for bytes that are no key.
pub(super) fn unreadable(bytes: &[u8], half: Half) -> SetupError {
    let problem = match AnyRef::from_der(bytes).map_err(|error| error.kind()) {
        Err(ErrorKind::Incomplete { .. }) if bytes.first() == Some(&0x30) => {
            format!("it is cut; copy the whole {half}")
        }
        Err(ErrorKind::TrailingData { .. }) if bytes.first() == Some(&0x30) => {
            format!("there are more bytes behind the {half}; copy it again, with nothing behind it")
        }
        _ => format!(
            "it has {} bytes once decoded, and is not a {half}; copy it again from the provider",
            bytes.len()
        ),
    };
    SetupError::new(problem)
}
