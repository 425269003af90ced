//! ECDSA that *ring* lacks: on P-521, and on P-256 with SHA-1. The crates are RustCrypto's.

use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p521::{
    ecdsa::signature::{Signer, Verifier},
    pkcs8::DecodePrivateKey,
};
use sha1::{Digest, Sha1};

/// Whether these bytes are an uncompressed point of P-521.
pub(super) fn is_point_of_p521(key: &[u8]) -> bool {
    p521::ecdsa::VerifyingKey::from_sec1_bytes(key).is_ok()
}

/// Whether r and s, of 66 bytes each, are a signature of the message with SHA-512.
pub(super) fn verifies_p521(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(key);
    let signature = p521::ecdsa::Signature::from_slice(signature);
    let (Ok(key), Ok(signature)) = (key, signature) else {
        return false;
    };
    key.verify(message, &signature).is_ok()
}

/// Whether a signature in DER is one of the SHA-1 of the message.
pub(super) fn verifies_p256_sha1(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key);
    let signature = p256::ecdsa::Signature::from_der(signature);
    let (Ok(key), Ok(signature)) = (key, signature) else {
        return false;
    };
    key.verify_prehash(&Sha1::digest(message), &signature)
        .is_ok()
}

/// A private key of P-521.
pub(super) struct P521Pair(p521::ecdsa::SigningKey);

impl P521Pair {
    pub(super) fn from_pkcs8(bytes: &[u8]) -> Option<Self> {
        let key = p521::SecretKey::from_pkcs8_der(bytes).ok()?;
        Some(Self(key.into()))
    }

    /// The signature as r and s. It is the same each time (RFC 6979).
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: p521::ecdsa::Signature = self.0.sign(message);
        signature.to_bytes().to_vec()
    }
}
