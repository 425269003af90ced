//! [`PublicKey`]: verifies signatures with a public key.

use std::time::SystemTime;

use der::{Decode, asn1::AnyRef};
use pkcs1::RsaPublicKeyRef;
use ring::{
    agreement, rand,
    signature::{self, UnparsedPublicKey, VerificationAlgorithm},
};

#[cfg(feature = "more-ecdsa")]
use crate::crypto::more_ecdsa;
use crate::{
    crypto::{
        jwk,
        key_der::{Foreign, KeyType, PublicDer, read_public, tell, unreadable},
        key_encoding::{Armor, Half, KeyBytes, decode, is_private},
    },
    error::SetupError,
    scheme::algorithm::Algorithm,
};

/// What NIST SP 800-131A allows for new signatures.
pub(crate) const MIN_RSA_BITS: usize = 2048;
/// Fewer bits are never accepted.
const LEAST_RSA_BITS: usize = 1024;
/// More would let one request cost too much.
const MAX_RSA_BITS: usize = 8192;

/// A public key, and the algorithm that it verifies.
#[derive(Clone, Debug)]
pub(crate) struct PublicKey {
    algorithm: Algorithm,
    /// As the type has it: 32 bytes, a point, or `RSAPublicKey`.
    key: Vec<u8>,
    /// When the certificate begins and ceases to be valid.
    validity: Option<(SystemTime, SystemTime)>,
}

impl PublicKey {
    /// Reads a key in any of the usual forms: PEM, DER in base64, or a bare key in hex or base64.
    /// RSA keys have at least `min_rsa_bits`, which is 1024 or more.
    pub(crate) fn read(
        text: &str,
        algorithm: Algorithm,
        min_rsa_bits: usize,
    ) -> Result<Self, SetupError> {
        let wanted = KeyType::of(algorithm)?;
        let found = if jwk::is_json(text) {
            jwk::read(text, algorithm)?
        } else {
            let decoded = decode(text, Half::Public)?;
            match bare(&decoded, wanted)? {
                Some(bare) => bare,
                None => in_der(&decoded)?,
            }
        };
        Self::checked(found, algorithm, min_rsa_bits)
    }

    /// Reads the key of a certificate in DER.
    #[cfg(feature = "certificates")]
    pub(crate) fn of_certificate(
        der: &[u8],
        algorithm: Algorithm,
        min_rsa_bits: usize,
    ) -> Result<Self, SetupError> {
        let found = read_public(der).filter(|found| found.validity.is_some());
        let found = found.ok_or_else(|| unreadable(der, Half::Public))?;
        Self::checked(found, algorithm, min_rsa_bits)
    }

    fn checked(
        found: PublicDer,
        algorithm: Algorithm,
        min_rsa_bits: usize,
    ) -> Result<Self, SetupError> {
        let PublicDer {
            key_type,
            key,
            validity,
        } = found;
        key_type.check(algorithm)?;
        match key_type {
            KeyType::Ed25519 => check_ed25519(&key)?,
            KeyType::P256 | KeyType::P384 => check_point(&key, key_type)?,
            #[cfg(feature = "more-ecdsa")]
            KeyType::P521 => check_p521(&key)?,
            #[cfg(not(feature = "more-ecdsa"))]
            KeyType::P521 => algorithm.check_supported()?,
            _ => check_rsa(&key, min_rsa_bits)?,
        }
        Ok(Self {
            algorithm,
            key,
            validity,
        })
    }

    /// Whether the signature is by the owner of this key. Any bytes may be passed.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        #[cfg(feature = "more-ecdsa")]
        match self.algorithm {
            Algorithm::EcdsaP256Sha1 => {
                return more_ecdsa::verifies_p256_sha1(&self.key, message, signature);
            }
            Algorithm::EcdsaP521Sha512Fixed => {
                return more_ecdsa::verifies_p521(&self.key, message, signature);
            }
            _ => {}
        }
        let Some(verification) = verification(self.algorithm) else {
            return false;
        };
        UnparsedPublicKey::new(verification, &self.key)
            .verify(message, signature)
            .is_ok()
    }

    /// When the certificate ceases to be valid; `None` if the key is not in one.
    pub(crate) fn expires(&self) -> Option<SystemTime> {
        self.validity.map(|(_, not_after)| not_after)
    }
}

/// The RSA algorithms are those for 1024 bits and more, because the key was checked when it was
/// read.
fn verification(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match algorithm {
        Algorithm::Ed25519 => &signature::ED25519,
        Algorithm::EcdsaP256Sha256 => &signature::ECDSA_P256_SHA256_ASN1,
        Algorithm::EcdsaP256Sha256Fixed => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::EcdsaP384Sha384Fixed => &signature::ECDSA_P384_SHA384_FIXED,
        Algorithm::RsaPkcs1Sha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RsaPkcs1Sha1 => &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        Algorithm::RsaPkcs1Sha256 => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        Algorithm::RsaPkcs1Sha512 => &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        Algorithm::RsaPssSha512 => &signature::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

/// The key without an envelope, which only its length tells.
fn bare(decoded: &KeyBytes, wanted: KeyType) -> Result<Option<PublicDer>, SetupError> {
    let bytes = &*decoded.bytes;
    let key_type = match (decoded.armor, bytes.len(), bytes.first()) {
        (Armor::Prefix, 32, _) | (Armor::None, 32, _) => KeyType::Ed25519,
        (Armor::Prefix, _, _) => return Err(wrong_length(bytes.len(), KeyType::Ed25519)),
        (Armor::None, 65, Some(4)) => KeyType::P256,
        (Armor::None, 97, Some(4)) => KeyType::P384,
        (Armor::None, 133, Some(4)) => KeyType::P521,
        (Armor::None, 33, Some(2 | 3)) if wanted == KeyType::P256 => return Err(is_compressed()),
        (Armor::None, 64, _) if wanted == KeyType::P256 => {
            return Err(SetupError::new(
                "it has 64 bytes once decoded, and a P-256 key has 65, of which the first is 04; if it is x and y, \
                 write 04 before it in hex",
            ));
        }
        (Armor::None, _, first) if first != Some(&0x30) && wanted != KeyType::Rsa => {
            return Err(wrong_length(bytes.len(), wanted));
        }
        _ => return Ok(None),
    };
    Ok(Some(PublicDer {
        key_type,
        key: bytes.to_vec(),
        validity: None,
    }))
}

fn in_der(decoded: &KeyBytes) -> Result<PublicDer, SetupError> {
    let bytes = &*decoded.bytes;
    if let Some(key) = read_public(bytes) {
        return Ok(key);
    }
    Err(match tell(bytes) {
        Foreign::PrivateKey | Foreign::EncryptedPrivateKey => is_private(),
        Foreign::PublicKey | Foreign::Unreadable
            if decoded.armor == Armor::Certificate && AnyRef::from_der(bytes).is_ok() =>
        {
            SetupError::new(
                "it is a certificate that cannot be read; set its public key, as \
                 `openssl x509 -in certificate.pem -noout -pubkey` writes it",
            )
        }
        Foreign::PublicKey | Foreign::Unreadable => unreadable(bytes, Half::Public),
    })
}

fn wrong_length(found: usize, wanted: KeyType) -> SetupError {
    let expected = match wanted {
        KeyType::P256 => 65,
        KeyType::P384 => 97,
        KeyType::P521 => 133,
        _ => 32,
    };
    let guess = if found == 64 {
        "; 64 are a signature or a private key with the public one; set the public key only"
    } else {
        "; copy the whole public key"
    };
    SetupError::new(format!(
        "it has {found} bytes once decoded, and {wanted} has {expected}{guess}"
    ))
}

fn is_compressed() -> SetupError {
    SetupError::new(
        "it is a compressed point, which is not supported; convert it with \
         `openssl ec -pubin -in key.pem -pubout -conv_form uncompressed`",
    )
}

/// The y coordinates of all points of small order, whose sign bit is either
/// ([RFC 8032, section 5.1.2](https://www.rfc-editor.org/rfc/rfc8032#section-5.1.2) describes the
/// encoding). Under such a key, anybody can make signatures that verify.
const SMALL_ORDER: [[u8; 32]; 5] = [
    // Order 4: 0.
    [0; 32],
    // Order 1: 1.
    [
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0,
    ],
    // Order 2: -1.
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0x7f,
    ],
    // Order 8.
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// Refuses what *ring* accepts: points of small order, and encodings of y that are not reduced.
fn check_ed25519(key: &[u8]) -> Result<(), SetupError> {
    let Ok(mut y) = <[u8; 32]>::try_from(key) else {
        return Err(wrong_length(key.len(), KeyType::Ed25519));
    };
    let [.., last] = &mut y;
    *last &= 0x7f;
    // p is 2^255 - 19: little-endian ed, 30 times ff, 7f.
    let [first, middle @ .., last] = &y;
    let is_reduced = *first < 0xed || *last != 0x7f || middle.iter().any(|byte| *byte != 0xff);
    if is_reduced && !SMALL_ORDER.contains(&y) {
        return Ok(());
    }
    Err(SetupError::new(
        "it is a malformed or weak Ed25519 key, for which anybody could make signatures; copy the key again from the \
         provider",
    ))
}

fn check_point(key: &[u8], key_type: KeyType) -> Result<(), SetupError> {
    let coordinate = key_type.coordinate();
    let (curve, name) = if key_type == KeyType::P256 {
        (&agreement::ECDH_P256, "P-256")
    } else {
        (&agreement::ECDH_P384, "P-384")
    };
    let numbers = key.len().saturating_sub(1);
    match key.first() {
        Some(2 | 3) if numbers == coordinate => return Err(is_compressed()),
        Some(4) if numbers == coordinate.saturating_mul(2) => {}
        _ => return Err(wrong_length(key.len(), key_type)),
    }
    // Key agreement is the only function of *ring* that says whether a point is on the curve.
    let random = rand::SystemRandom::new();
    let ours = agreement::EphemeralPrivateKey::generate(curve, &random)
        .map_err(|_| SetupError::new("the operating system gives no random numbers; try again"))?;
    let point = agreement::UnparsedPublicKey::new(curve, key);
    agreement::agree_ephemeral(ours, &point, |_| ()).map_err(|_| is_off_the_curve(name))
}

#[cfg(feature = "more-ecdsa")]
fn check_p521(key: &[u8]) -> Result<(), SetupError> {
    let coordinate = KeyType::P521.coordinate();
    match key.first() {
        Some(2 | 3) if key.len() == coordinate.saturating_add(1) => Err(is_compressed()),
        Some(4) if key.len() == coordinate.saturating_mul(2).saturating_add(1) => {
            if more_ecdsa::is_point_of_p521(key) {
                return Ok(());
            }
            Err(is_off_the_curve("P-521"))
        }
        _ => Err(wrong_length(key.len(), KeyType::P521)),
    }
}

fn is_off_the_curve(curve: &str) -> SetupError {
    SetupError::new(format!(
        "it is not a point on {curve}, so a digit is wrong; copy the key again"
    ))
}

fn check_rsa(key: &[u8], min_bits: usize) -> Result<(), SetupError> {
    let Ok(numbers) = RsaPublicKeyRef::from_der(key) else {
        return Err(SetupError::new(
            "it is an RSA key whose numbers cannot be read; copy the whole key again",
        ));
    };
    let modulus = numbers.modulus.as_bytes();
    check_rsa_bits(bits(modulus), min_bits.max(LEAST_RSA_BITS), MAX_RSA_BITS)?;
    let exponent = numbers.public_exponent.as_bytes();
    let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
    // *ring* takes up to 33 bits: https://www.imperialviolet.org/2012/03/17/rsados.html
    if is_odd(modulus) && is_odd(exponent) && (2..=33).contains(&bits(exponent)) {
        return Ok(());
    }
    Err(SetupError::new(
        "it is an RSA key with an unusable modulus or exponent; copy the key again from the provider",
    ))
}

/// Refuses RSA keys that are too short or too long.
pub(super) fn check_rsa_bits(found: usize, min: usize, max: usize) -> Result<(), SetupError> {
    let problem = if found < min {
        format!("{min} is the least; ask the provider for a longer key")
    } else if found > max {
        format!("{max} is the most; ask the provider for a shorter key")
    } else {
        return Ok(());
    };
    Err(SetupError::new(format!(
        "it is an RSA key of {found} bits, and {problem}"
    )))
}

/// The number of bits of a big-endian number.
pub(super) fn bits(number: &[u8]) -> usize {
    let mut bytes = number.iter().skip_while(|byte| **byte == 0);
    let Some(first) = bytes.next() else {
        return 0;
    };
    let rest = bytes.count().saturating_mul(8);
    let first = u8::BITS.saturating_sub(first.leading_zeros());
    rest.saturating_add(usize::try_from(first).unwrap_or(8))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::{
        Engine,
        engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
    };
    use der::{Encode, asn1::UintRef};
    use serde_json::Value;

    use super::*;
    use crate::{
        crypto::encoding::{decode_hex, encode_hex},
        scheme::algorithm::{Keying, NAMES},
    };

    const ED25519: &str = include_str!("vectors/keys/ed25519.pub.pem");
    const P256: &str = include_str!("vectors/keys/p256.pub.pem");
    const P384: &str = include_str!("vectors/keys/p384.pub.pem");
    const P521: &str = include_str!("vectors/keys/p521.pub.pem");
    const RSA: &str = include_str!("vectors/keys/rsa2048.pub.pem");
    const RSA_PKCS1: &str = include_str!("vectors/keys/rsa2048.pkcs1.pub.pem");
    const RSA_1024: &str = include_str!("vectors/keys/rsa1024.pub.pem");
    const CERTIFICATES: [(&str, Algorithm, &str); 3] = [
        (
            ED25519,
            Algorithm::Ed25519,
            include_str!("vectors/keys/ed25519.crt.pem"),
        ),
        (
            P256,
            Algorithm::EcdsaP256Sha256,
            include_str!("vectors/keys/p256.crt.pem"),
        ),
        (
            RSA,
            Algorithm::RsaPkcs1Sha256,
            include_str!("vectors/keys/rsa2048.crt.pem"),
        ),
    ];
    const PRIVATE: [&str; 7] = [
        include_str!("vectors/keys/ed25519.pem"),
        include_str!("vectors/keys/ed25519.encrypted.pem"),
        include_str!("vectors/keys/p256.pem"),
        include_str!("vectors/keys/p256.sec1.pem"),
        include_str!("vectors/keys/rsa2048.pem"),
        include_str!("vectors/keys/rsa2048.pkcs1.pem"),
        include_str!("vectors/keys/rsa2048.encrypted.pkcs1.pem"),
    ];

    fn read(text: &str, algorithm: Algorithm) -> PublicKey {
        PublicKey::read(text, algorithm, MIN_RSA_BITS).unwrap()
    }

    #[track_caller]
    fn error(text: &str, algorithm: Algorithm) -> String {
        let error = PublicKey::read(text, algorithm, MIN_RSA_BITS).unwrap_err();
        let error = error.to_string();
        // The texts that tests use are long; none of them is quoted, not even in part.
        for line in text.lines().filter(|line| line.len() > 24) {
            assert!(!error.contains(&line[..24]), "{error}");
        }
        error
    }

    fn der(pem: &str) -> Vec<u8> {
        let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        STANDARD.decode(lines).unwrap()
    }

    /// The bare key of an Ed25519 key or of one on a curve.
    fn point(pem: &str) -> Vec<u8> {
        read_public(&der(pem)).unwrap().key
    }

    fn hex(text: &Value) -> Vec<u8> {
        decode_hex(text.as_str().unwrap()).unwrap()
    }

    fn public_algorithms() -> impl Iterator<Item = Algorithm> {
        let public = |(_, algorithm): (&str, Algorithm)| algorithm.keying() == Keying::Public;
        NAMES
            .into_iter()
            .filter(move |named| public(*named) && named.1.check_supported().is_ok())
            .map(|(_, algorithm)| algorithm)
    }

    #[test]
    fn a_key_is_read_in_all_its_forms() {
        for (pem, algorithm) in [
            (ED25519, Algorithm::Ed25519),
            (P256, Algorithm::EcdsaP256Sha256),
            (P256, Algorithm::EcdsaP256Sha256Fixed),
            (P384, Algorithm::EcdsaP384Sha384Fixed),
            #[cfg(feature = "more-ecdsa")]
            (P521, Algorithm::EcdsaP521Sha512Fixed),
            (RSA, Algorithm::RsaPkcs1Sha256),
            (RSA_PKCS1, Algorithm::RsaPkcs1Sha512),
        ] {
            let key = read(pem, algorithm);
            assert_eq!((key.algorithm, key.expires()), (algorithm, None));
            let der = der(pem);
            let folded = pem.trim().replace('\n', " ");
            let body: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
            let mut forms = vec![
                pem.trim_end().to_owned(),
                pem.replace('\n', "\r\n"),
                pem.replace('\n', "\\n"),
                pem.replace('\n', "\\r\\n"),
                pem.replace('\n', "\\\\n"),
                pem.replace('\n', "\n\n"),
                pem.replace('\n', "  \n\t"),
                format!("\n\r\n  {pem}\n\n"),
                folded,
                body.join("\n"),
                body.join("\r\n"),
                format!("  {}\\n", body.join("\\n")),
                STANDARD.encode(&der),
                STANDARD_NO_PAD.encode(&der),
                URL_SAFE.encode(&der),
                URL_SAFE_NO_PAD.encode(&der),
                encode_hex(&der),
            ];
            if KeyType::of(algorithm) != Ok(KeyType::Rsa) {
                let bare = point(pem);
                forms.extend([
                    encode_hex(&bare),
                    encode_hex(&bare).to_uppercase(),
                    STANDARD.encode(&bare),
                    URL_SAFE_NO_PAD.encode(&bare),
                    format!("{}\n", STANDARD.encode(&bare)),
                ]);
                if algorithm == Algorithm::Ed25519 {
                    forms.push(format!("whpk_{}", STANDARD.encode(&bare)));
                }
            }
            for form in forms {
                assert_eq!(read(&form, algorithm).key, key.key, "{form}");
            }
        }
        assert_eq!(
            read(RSA, Algorithm::RsaPkcs1Sha1).key,
            read(RSA_PKCS1, Algorithm::RsaPkcs1Sha1).key
        );
    }

    #[test]
    fn a_certificate_has_a_key_and_a_validity() {
        for (public, algorithm, pem) in CERTIFICATES {
            for text in [pem.to_owned(), STANDARD.encode(der(pem))] {
                let key = read(&text, algorithm);
                assert_eq!(key.key, read(public, algorithm).key);
                let (from, to) = (key.validity.unwrap().0, key.expires().unwrap());
                assert_eq!(
                    to.duration_since(from).unwrap().as_secs(),
                    3650 * 24 * 60 * 60
                );
                let since = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
                assert!(from > since);
            }
            let cut = pem.replacen(pem.lines().nth(2).unwrap(), "", 1);
            assert_eq!(
                error(&cut, algorithm),
                "it is cut; copy the whole public key"
            );
            for (wrong, _, other) in CERTIFICATES {
                if wrong != public {
                    assert!(error(other, algorithm).contains(", and "), "{algorithm}");
                }
            }
        }
    }

    #[test]
    fn a_certificate_beyond_the_standard_is_named() {
        // RFC 5280, section 4.1.2.2, allows serial numbers of up to 20 bytes.
        let pem = include_str!("vectors/keys/p256.long-serial.crt.pem");
        assert_eq!(
            error(pem, Algorithm::EcdsaP256Sha256),
            "it is a certificate that cannot be read; set its public key, as `openssl x509 -in certificate.pem -noout \
             -pubkey` writes it"
        );
    }

    #[test]
    fn openssl_and_this_crate_agree() {
        let vectors: Value = serde_json::from_str(include_str!("vectors/openssl.json")).unwrap();
        let message = vectors["message"].as_str().unwrap().as_bytes();
        for algorithm in public_algorithms() {
            let pem = match KeyType::of(algorithm).unwrap() {
                KeyType::Ed25519 => ED25519,
                KeyType::P256 => P256,
                KeyType::P384 => P384,
                KeyType::P521 => P521,
                _ => RSA,
            };
            let key = read(pem, algorithm);
            let signature = hex(&vectors[algorithm.to_string()]);
            assert!(algorithm.signature_len().contains(signature.len()));
            assert!(key.verifies(message, &signature), "{algorithm}");
            assert!(!key.verifies(b"another", &signature), "{algorithm}");
            // Nothing near the signature verifies, and nothing panics.
            for bit in 0..signature.len() * 8 {
                let mut flipped = signature.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(!key.verifies(message, &flipped), "{algorithm}: bit {bit}");
            }
            for len in 0..signature.len() {
                assert!(
                    !key.verifies(message, &signature[..len]),
                    "{algorithm}: {len} bytes"
                );
                assert!(
                    !key.verifies(message, &signature[len + 1..]),
                    "{algorithm}: {len} bytes"
                );
            }
            let longer = [&signature[..], &[0]].concat();
            assert!(!key.verifies(message, &longer), "{algorithm}");
            for other in public_algorithms().filter(|other| *other != algorithm) {
                if KeyType::of(other) == KeyType::of(algorithm) {
                    assert!(!read(pem, other).verifies(message, &signature), "{other}");
                }
            }
        }
    }

    #[test]
    fn keys_and_signatures_of_vendors() {
        let vectors: Value = serde_json::from_str(include_str!("vectors/vendors.json")).unwrap();
        for vector in vectors.as_array().unwrap() {
            let algorithm = vector["algorithm"].as_str().unwrap().parse().unwrap();
            let key = read(vector["key"].as_str().unwrap(), algorithm);
            if let Some(message) = vector["msg"].as_str() {
                let verifies = key.verifies(message.as_bytes(), &hex(&vector["sig"]));
                assert_eq!(verifies, vector["valid"], "{vector}");
            }
        }
    }

    #[track_caller]
    fn run(vectors: &str, algorithm: Algorithm, least: usize) {
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        let mut count = 0_usize;
        for group in vectors["groups"].as_array().unwrap() {
            let key = PublicKey::read(group["key"].as_str().unwrap(), algorithm, 1024).unwrap();
            let tests = group["tests"].as_array().unwrap();
            count = tests.len().saturating_add(count);
            for test in tests {
                let verifies = key.verifies(&hex(&test["msg"]), &hex(&test["sig"]));
                assert_eq!(verifies, test["valid"], "{algorithm}: {test}");
            }
        }
        assert!(count >= least, "{count}");
    }

    #[test]
    fn hostile_signatures_do_not_verify() {
        run(
            include_str!("vectors/wycheproof-ed25519.json"),
            Algorithm::Ed25519,
            110,
        );
        run(
            include_str!("vectors/wycheproof-ecdsa-p256-sha256.json"),
            Algorithm::EcdsaP256Sha256,
            110,
        );
        run(
            include_str!("vectors/wycheproof-ecdsa-p256-sha256-fixed.json"),
            Algorithm::EcdsaP256Sha256Fixed,
            100,
        );
        run(
            include_str!("vectors/wycheproof-rsa-pkcs1-sha256.json"),
            Algorithm::RsaPkcs1Sha256,
            100,
        );
        run(
            include_str!("vectors/wycheproof-rsa-pkcs1-sha512.json"),
            Algorithm::RsaPkcs1Sha512,
            70,
        );
        run(
            include_str!("vectors/rsa-pkcs1-sha1.json"),
            Algorithm::RsaPkcs1Sha1,
            43,
        );
    }

    /// The order of P-256, big-endian.
    const P256_ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    /// The order of the base point of Ed25519, little-endian.
    const ED25519_ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];

    /// Sums or differences, little-endian.
    fn calculate(left: &[u8], right: &[u8], sign: i16) -> Vec<u8> {
        let mut carry = 0;
        let digits = left.iter().zip(right).map(|(left, right)| {
            let right = i16::from(*right).wrapping_mul(sign);
            let digit = i16::from(*left).wrapping_add(right).wrapping_add(carry);
            carry = digit.div_euclid(256);
            u8::try_from(digit.rem_euclid(256)).unwrap()
        });
        digits.collect()
    }

    #[test]
    fn s_is_reduced_under_ed25519_and_either_half_under_ecdsa() {
        let vectors: Value = serde_json::from_str(include_str!("vectors/openssl.json")).unwrap();
        let message = vectors["message"].as_str().unwrap().as_bytes();

        let key = read(ED25519, Algorithm::Ed25519);
        let signature = hex(&vectors["ed25519"]);
        let (r, s) = signature.split_at(32);
        let greater = calculate(s, &ED25519_ORDER, 1);
        assert!(!key.verifies(message, &[r, &greater].concat()));

        let key = read(P256, Algorithm::EcdsaP256Sha256Fixed);
        let signature = hex(&vectors["ecdsa-p256-sha256-fixed"]);
        let (r, s) = signature.split_at(32);
        let reversed = |number: &[u8]| number.iter().rev().copied().collect::<Vec<u8>>();
        let other = reversed(&calculate(&reversed(&P256_ORDER), &reversed(s), -1));
        assert!(key.verifies(message, &[r, &other].concat()), "n - s");
        let zero = [0; 32];
        for (r, s) in [
            (r, &zero[..]),
            (&zero, s),
            (&zero, &zero),
            (r, &P256_ORDER),
            (&P256_ORDER, s),
            (&[0xff; 32], s),
            (r, &[0xff; 32]),
        ] {
            assert!(!key.verifies(message, &[r, s].concat()));
        }
    }

    #[test]
    fn weak_points_are_refused() {
        let mut refused = 0;
        for y in SMALL_ORDER {
            for sign in [0, 0x80] {
                let mut key = y;
                key[31] |= sign;
                assert_eq!(
                    error(&encode_hex(&key), Algorithm::Ed25519),
                    "it is a malformed or weak Ed25519 key, for which anybody could make signatures; copy the key \
                     again from the provider"
                );
                refused += 1;
            }
        }
        assert_eq!(refused, 10);
        // Encodings from p to 2^255 - 1, of which those of 0 and 1 have small order, too.
        for first in 0xed..=0xff {
            for last in [0x7f, 0xff] {
                let mut key = [0xff; 32];
                (key[0], key[31]) = (first, last);
                assert!(error(&encode_hex(&key), Algorithm::Ed25519).contains("anybody"));
            }
        }
        for near in [
            [0xeb, 0xff, 0x7f],
            [0xed, 0xfe, 0x7f],
            [0xed, 0xff, 0x7e],
            [2, 0, 0],
        ] {
            let mut key = [near[1]; 32];
            (key[0], key[31]) = (near[0], near[2]);
            read(&encode_hex(&key), Algorithm::Ed25519);
        }
        let honest = read(ED25519, Algorithm::Ed25519);
        for r in SMALL_ORDER {
            for s in [0, 1] {
                let signature = [&r[..], &[s], &[0; 31]].concat();
                assert!(!honest.verifies(b"any", &signature));
            }
        }
        // *ring* would take such a key and a signature that fits any message.
        let forged = [&[1][..], &[0; 63]].concat();
        let weak = [&[1][..], &[0; 31]].concat();
        let accepted = UnparsedPublicKey::new(&signature::ED25519, &weak).verify(b"any", &forged);
        assert_eq!(accepted, Ok(()));
    }

    #[test]
    fn points_are_whole_and_on_the_curve() {
        let point = point(P256);
        let algorithm = Algorithm::EcdsaP256Sha256;
        let mut moved = point.clone();
        moved[64] ^= 1;
        assert_eq!(
            error(&encode_hex(&moved), algorithm),
            "it is not a point on P-256, so a digit is wrong; copy the key again"
        );
        let compressed = "it is a compressed point, which is not supported; convert it with `openssl ec -pubin -in \
                          key.pem -pubout -conv_form uncompressed`";
        let short = [&[2], &point[1..33]].concat();
        assert_eq!(error(&encode_hex(&short), algorithm), compressed);
        let pem = include_str!("vectors/keys/p256.compressed.pub.pem");
        assert_eq!(error(pem, algorithm), compressed);
        assert_eq!(
            error(&encode_hex(&point[1..]), algorithm),
            "it has 64 bytes once decoded, and a P-256 key has 65, of which the first is 04; if it is x and y, write \
             04 before it in hex"
        );
        let hybrid = [&[6], &point[1..]].concat();
        assert!(error(&encode_hex(&hybrid), algorithm).contains("has 65 bytes"));
        assert_eq!(
            error(&encode_hex(&point[..60]), algorithm),
            "it has 60 bytes once decoded, and a P-256 key has 65; copy the whole public key"
        );
    }

    #[test]
    fn rsa_keys_have_a_length_and_an_exponent_that_are_safe() {
        let algorithm = Algorithm::RsaPkcs1Sha256;
        assert_eq!(
            error(RSA_1024, algorithm),
            "it is an RSA key of 1024 bits, and 2048 is the least; ask the provider for a longer key"
        );
        assert!(PublicKey::read(RSA_1024, algorithm, 1024).is_ok());
        let tiny = include_str!("vectors/keys/rsa512.pub.pem");
        let refused = PublicKey::read(tiny, algorithm, 0).unwrap_err().to_string();
        assert!(
            refused.contains("512 bits, and 1024 is the least"),
            "{refused}"
        );

        let with = |modulus: &[u8], exponent: &[u8]| {
            let key = RsaPublicKeyRef {
                modulus: UintRef::new(modulus).unwrap(),
                public_exponent: UintRef::new(exponent).unwrap(),
            };
            STANDARD.encode(key.to_der().unwrap())
        };
        let modulus = |bytes: usize, last: u8| [&[0xc1], &vec![7; bytes - 2][..], &[last]].concat();
        let good = modulus(256, 1);
        for exponent in [&[3][..], &[1, 0, 1], &[1, 255, 255, 255, 255]] {
            read(&with(&good, exponent), algorithm);
        }
        read(&with(&modulus(1024, 1), &[3]), algorithm);
        assert_eq!(
            error(
                &with(&[&[1][..], &modulus(1024, 1)].concat(), &[3]),
                algorithm
            ),
            "it is an RSA key of 8193 bits, and 8192 is the most; ask the provider for a shorter key"
        );
        for (modulus, exponent) in [
            (&modulus(256, 2), &[1, 0, 1][..]),
            (&good, &[1]),
            (&good, &[0]),
            (&good, &[2]),
            (&good, &[1, 0, 0]),
            (&good, &[2, 0, 0, 0, 1]),
        ] {
            assert_eq!(
                error(&with(modulus, exponent), algorithm),
                "it is an RSA key with an unusable modulus or exponent; copy the key again from the provider"
            );
        }
    }

    #[test]
    fn bits_are_counted_behind_leading_zeros() {
        for (number, expected) in [
            (&[][..], 0),
            (&[0, 0], 0),
            (&[1], 1),
            (&[0, 0x80], 8),
            (&[1, 0], 9),
            (&[0xff; 3], 24),
        ] {
            assert_eq!(bits(number), expected, "{number:?}");
        }
    }

    #[test]
    fn a_key_of_another_type_is_named() {
        let ecdsa = Algorithm::EcdsaP256Sha256;
        let remedy = "; copy the key of this scheme, or correct the algorithm";
        for (text, algorithm, expected) in [
            (
                RSA,
                Algorithm::Ed25519,
                "it is an RSA key, and ed25519 needs an Ed25519 key",
            ),
            (
                RSA_PKCS1,
                ecdsa,
                "it is an RSA key, and ecdsa-p256-sha256 needs a P-256 key",
            ),
            (
                ED25519,
                Algorithm::RsaPkcs1Sha1,
                "it is an Ed25519 key, and rsa-pkcs1-sha1 needs an RSA key",
            ),
            (
                P256,
                Algorithm::Ed25519,
                "it is a P-256 key, and ed25519 needs an Ed25519 key",
            ),
            (
                "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
                Algorithm::RsaPkcs1Sha256,
                "it is an Ed25519 key, and rsa-pkcs1-sha256 needs an RSA key",
            ),
            (
                "e55c242274b25203fcef9fa5e95ce0b4667f8897ce0dedf5753d6d178df8fbef",
                ecdsa,
                "it is an Ed25519 key, and ecdsa-p256-sha256 needs a P-256 key",
            ),
            (
                include_str!("vectors/keys/rsa-pss.pub.pem"),
                Algorithm::RsaPkcs1Sha256,
                "it is an RSA key for PSS only, and rsa-pkcs1-sha256 needs an RSA key",
            ),
            (
                include_str!("vectors/keys/ed448.pub.pem"),
                Algorithm::Ed25519,
                "it is an Ed448 key, and ed25519 needs an Ed25519 key",
            ),
            (
                include_str!("vectors/keys/x25519.pub.pem"),
                Algorithm::Ed25519,
                "it is an X25519 key, which cannot sign, and ed25519 needs an Ed25519 key",
            ),
            (
                P384,
                Algorithm::EcdsaP256Sha256,
                "it is a P-384 key, and ecdsa-p256-sha256 needs a P-256 key",
            ),
            (
                P256,
                Algorithm::EcdsaP384Sha384Fixed,
                "it is a P-256 key, and ecdsa-p384-sha384-fixed needs a P-384 key",
            ),
            (
                P384,
                Algorithm::Ed25519,
                "it is a P-384 key, and ed25519 needs an Ed25519 key",
            ),
        ] {
            assert_eq!(error(text, algorithm), format!("{expected}{remedy}"));
        }
        assert_eq!(
            error(include_str!("vectors/keys/secp256k1.pub.pem"), ecdsa),
            "its curve is secp256k1, and ecdsa-p256-sha256 needs P-256; copy the key of this scheme"
        );
        assert_eq!(
            error(include_str!("vectors/keys/p256.explicit.pub.pem"), ecdsa),
            "it has the parameters of its curve and not the name; convert it with `openssl ec -pubin -in key.pem \
             -pubout -param_enc named_curve`"
        );
        assert_eq!(
            error(RSA, Algorithm::HmacSha256),
            "hmac-sha256 has no public keys; set a shared secret, or choose an algorithm with public keys"
        );
    }

    #[test]
    fn private_keys_are_refused_in_every_form() {
        for pem in PRIVATE {
            let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
            let certificate = CERTIFICATES[0].2;
            for text in [
                pem.to_owned(),
                pem.replace('\n', "\\n"),
                format!("{pem}{certificate}"),
                format!("{certificate}{pem}"),
                body.clone(),
                format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"),
            ] {
                // With headers, only the PEM is.
                if text.contains(':') && !text.contains("PRIVATE KEY") {
                    continue;
                }
                for algorithm in public_algorithms() {
                    assert_eq!(
                        error(&text, algorithm),
                        "it is a private key, and a receiver needs only the public one; set that, as `openssl pkey \
                         -in key.pem -pubout` writes it",
                        "{text}"
                    );
                }
            }
        }
        for text in [
            "whsk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5v\n-----END OPENSSH PRIVATE KEY-----",
            "-----BEGIN DSA PRIVATE KEY-----\nMIIB",
        ] {
            assert!(error(text, Algorithm::Ed25519).starts_with("it is a private key"));
        }
        assert_eq!(
            error(&"ab".repeat(64), Algorithm::Ed25519),
            "it has 64 bytes once decoded, and an Ed25519 key has 32; 64 are a signature or a private key with the \
             public one; set the public key only"
        );
    }

    #[test]
    fn other_mistakes_have_their_own_sentence() {
        let whole = "copy the whole block, from the BEGIN line to the END line";
        let body: String = RSA.lines().filter(|line| !line.starts_with('-')).collect();
        let cut = RSA.lines().take(4).collect::<Vec<_>>().join("\n");
        let shortened = RSA.replacen(RSA.lines().nth(3).unwrap(), "", 1);
        let long = STANDARD.encode([der(RSA), vec![0, 0]].concat());
        let base64 = "copy the public key again, with nothing before or after it";
        for (text, expected) in [
            ("", "it is empty; set it to the public key".to_owned()),
            (" \n\t", "it is blank; set it to the public key".to_owned()),
            ("\\n", "it is blank; set it to the public key".to_owned()),
            ("\u{feff}key", "it begins with a byte order mark; save it without one".to_owned()),
            (&format!("\"{RSA}\""), "it is in quotation marks; remove them".to_owned()),
            (&cut, format!("it is a PEM block that was cut; {whole}")),
            ("-----BEGIN PUBLIC KEY-----", format!("it is a PEM block that was cut; {whole}")),
            ("-----BEGIN PUBLIC KEY", format!("it is a PEM block that was cut; {whole}")),
            (&RSA.replacen("KEY-----", "KEY----", 1), format!("it is a PEM block that was cut; {whole}")),
            (
                &RSA.replacen("-----BEGIN PUBLIC KEY-----", "", 1),
                format!("it is a PEM block without its BEGIN line; {whole}"),
            ),
            (
                &RSA.replace("END PUBLIC", "END RSA PUBLIC"),
                "the END line of its PEM block does not match the BEGIN line; copy the whole block again".to_owned(),
            ),
            (&shortened, "it is cut; copy the whole public key".to_owned()),
            (&STANDARD.encode(&der(RSA)[..200]), "it is cut; copy the whole public key".to_owned()),
            (
                &long,
                "there are more bytes behind the public key; copy it again, with nothing behind it".to_owned(),
            ),
            (
                &format!("{RSA}{RSA_1024}"),
                "it has 2 PEM blocks, and a key is one; keep that of the key, which is the first in a chain of \
                 certificates"
                    .to_owned(),
            ),
            (
                &format!("Subject: CN=acme\n{RSA}"),
                "there is text around its PEM block; keep only the lines from BEGIN to END".to_owned(),
            ),
            (
                &format!("{RSA}, for webhooks"),
                "there is text around its PEM block; keep only the lines from BEGIN to END".to_owned(),
            ),
            (
                &RSA.replacen("-\n", "-\nComment: \"key\"\n\n", 1),
                "its PEM block has headers; remove the lines between the BEGIN line and the empty line".to_owned(),
            ),
            (
                &RSA.replacen("MII", "M*I", 1),
                "its PEM block is empty or is not base64 throughout; copy the whole block again".to_owned(),
            ),
            (
                "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
                "its PEM block is empty or is not base64 throughout; copy the whole block again".to_owned(),
            ),
            (
                "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----",
                "it is a PEM block that holds no public key; set one that begins with BEGIN PUBLIC KEY".to_owned(),
            ),
            (
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "it is a shared secret, and this algorithm needs a public key; copy the public key, or choose the \
                 algorithm of shared secrets"
                    .to_owned(),
            ),
            (
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBzpL7j9eA27dvdnynwLnjnw8zX16cBBHhwlakH38a7d user@host",
                "it is a public key of OpenSSH; copy the PEM that the provider shows, or convert it with `ssh-keygen \
                 -e -m PKCS8 -f key.pub`"
                    .to_owned(),
            ),
            (
                "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----",
                "it is a public key of OpenSSH; copy the PEM that the provider shows, or convert it with `ssh-keygen \
                 -e -m PKCS8 -f key.pub`"
                    .to_owned(),
            ),
            (
                r#"{"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
                "it is JSON without \"kty\"; copy the whole JSON Web Key".to_owned(),
            ),
            (
                r#"["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"]"#,
                "it is JSON, and no JSON Web Key; copy the key again, or set it as PEM".to_owned(),
            ),
            (
                "https://acme.example/.well-known/webhooks.pem",
                "it is a URL; set it to the public key that is there".to_owned(),
            ),
            ("/etc/acme/key.pem", "it is the name of a file; set it to what the file contains".to_owned()),
            (
                "0xe55c242274b25203fcef9fa5e95ce0b4667f8897ce0dedf5753d6d178df8fbef",
                "it begins with 0x; remove that".to_owned(),
            ),
            ("whpk_", "there is nothing behind its prefix; copy the whole public key".to_owned()),
            (&"e55".repeat(21), "it has an odd number of hex digits; copy the whole public key".to_owned()),
            (&format!("key: {body}"), format!("it is neither PEM nor base64 nor hex; {base64}")),
            (&format!("{body} (RSA)"), format!("it is neither PEM nor base64 nor hex; {base64}")),
            ("your public key", format!("it is neither PEM nor base64 nor hex; {base64}")),
            ("schlüssel", format!("it is neither PEM nor base64 nor hex; {base64}")),
            (
                &"ab".repeat(90),
                "it has 90 bytes once decoded, and is not a public key; copy it again from the provider".to_owned(),
            ),
        ] {
            assert_eq!(error(text, Algorithm::RsaPkcs1Sha256), expected, "{text}");
        }
        for placeholder in [
            "${PUBLIC_KEY}",
            "$PUBLIC_KEY",
            "{{ key }}",
            "<public key>",
            "%KEY%",
            "{key}",
        ] {
            assert_eq!(
                error(placeholder, Algorithm::Ed25519),
                "it is a placeholder that was not replaced; set it to the public key"
            );
        }
        assert_eq!(
            error(
                "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOig==",
                Algorithm::Ed25519
            ),
            "it has 31 bytes once decoded, and an Ed25519 key has 32; copy the whole public key"
        );
    }

    #[test]
    fn no_text_panics() {
        let texts = [
            ED25519,
            P256,
            RSA_PKCS1,
            CERTIFICATES[1].2,
            CERTIFICATES[2].2,
            PRIVATE[0],
            PRIVATE[5],
        ];
        for text in texts {
            let der = der(text);
            let base64 = STANDARD.encode(&der);
            for algorithm in [
                Algorithm::Ed25519,
                Algorithm::EcdsaP256Sha256,
                Algorithm::RsaPkcs1Sha256,
            ] {
                for end in (0..text.len()).step_by(3) {
                    _ = PublicKey::read(&text[..end], algorithm, 1024);
                    _ = PublicKey::read(&text[end..], algorithm, 1024);
                }
                for end in (0..base64.len()).step_by(3) {
                    _ = PublicKey::read(&base64[..end], algorithm, 1024);
                }
            }
            // Every bit of what comes in DER: what is still read also verifies without panic.
            for bit in (0..der.len() * 8).step_by(3) {
                let mut flipped = der.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let Some(found) = read_public(&flipped) else {
                    _ = tell(&flipped);
                    continue;
                };
                for algorithm in public_algorithms() {
                    if found.key_type.check(algorithm).is_ok() {
                        let key = PublicKey::read(&encode_hex(&flipped), algorithm, 1024);
                        _ = key.map(|key| key.verifies(b"message", &[1; 64]));
                    }
                }
            }
        }
    }
}
