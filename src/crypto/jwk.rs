//! Reads a public key as JSON Web Key ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use der::{Encode, asn1::UintRef};
use pkcs1::RsaPublicKeyRef;

use crate::{
    crypto::{
        key_der::{KeyType, PublicDer},
        key_encoding::is_private,
    },
    error::SetupError,
    json::{self, Object},
    scheme::algorithm::Algorithm,
};

/// The `alg` of a key, and our algorithms of the same name.
const ALGORITHMS: [(&str, &[Algorithm]); 9] = [
    ("RS256", &[Algorithm::RsaPkcs1Sha256]),
    ("RS384", &[Algorithm::RsaPkcs1Sha384]),
    ("RS512", &[Algorithm::RsaPkcs1Sha512]),
    ("PS512", &[Algorithm::RsaPssSha512]),
    (
        "ES256",
        &[Algorithm::EcdsaP256Sha256Fixed, Algorithm::EcdsaP256Sha256],
    ),
    ("ES384", &[Algorithm::EcdsaP384Sha384Fixed]),
    ("ES512", &[Algorithm::EcdsaP521Sha512Fixed]),
    ("EdDSA", &[Algorithm::Ed25519]),
    ("Ed25519", &[Algorithm::Ed25519]),
];

/// Whether a text is JSON, as a key or a set of keys is.
pub(super) fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{') && text.contains('"')
}

/// Reads a key whose use, if it is stated, is this algorithm.
pub(super) fn read(text: &str, algorithm: Algorithm) -> Result<PublicDer, SetupError> {
    let refused = |message: &str| Err(SetupError::new(message));
    let Some(jwk) = json::object(text.as_bytes()) else {
        return refused("it is no JSON object, or has a name twice; copy the whole JSON Web Key");
    };
    if jwk.contains_key("keys") {
        return refused("it is a set of keys, and one key belongs here; set one of its keys");
    }
    if ["d", "p", "q", "k"]
        .iter()
        .any(|name| jwk.contains_key(*name))
    {
        return Err(is_private());
    }
    if member(&jwk, "use").is_some_and(|purpose| purpose != "sig") {
        return refused(
            "it is a JSON Web Key for encryption, by its \"use\"; set one for signatures",
        );
    }
    let key_type = match (member(&jwk, "kty"), member(&jwk, "crv")) {
        (Some("RSA"), _) => KeyType::Rsa,
        (Some("EC"), Some("P-256")) => KeyType::P256,
        (Some("EC"), Some("P-384")) => KeyType::P384,
        (Some("EC"), Some("P-521")) => KeyType::P521,
        (Some("EC"), _) => KeyType::OtherCurve("another curve"),
        (Some("OKP"), Some("Ed25519")) => KeyType::Ed25519,
        (Some("OKP"), _) => KeyType::Other("an OKP key on another curve"),
        (Some(_), _) => KeyType::Other("a JSON Web Key of another type"),
        (None, _) => return refused("it is JSON without \"kty\"; copy the whole JSON Web Key"),
    };
    key_type.check(algorithm)?;
    if let Some(name) = member(&jwk, "alg") {
        let mut known = ALGORITHMS.iter();
        let fits = known.any(|(known, all)| *known == name && all.contains(&algorithm));
        if !fits {
            return Err(SetupError::new(format!(
                "it is a JSON Web Key for another algorithm than {algorithm}, by its \"alg\"; copy the key of this scheme"
            )));
        }
    }
    let number = |name: &str| {
        let text = member(&jwk, name)?;
        URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .filter(|number| !number.is_empty())
    };
    let key = match key_type {
        KeyType::Rsa => rsa(number("n"), number("e")),
        KeyType::Ed25519 => number("x"),
        _ => point(number("x"), number("y"), key_type.coordinate()),
    };
    let Some(key) = key else {
        return refused(
            "it is a JSON Web Key whose numbers are missing or are no base64url; copy the whole key",
        );
    };
    Ok(PublicDer {
        key_type,
        key,
        validity: None,
    })
}

fn member<'j>(jwk: &'j Object, name: &str) -> Option<&'j str> {
    jwk.get(name)?.as_str()
}

fn rsa(modulus: Option<Vec<u8>>, exponent: Option<Vec<u8>>) -> Option<Vec<u8>> {
    let (modulus, exponent) = (modulus?, exponent?);
    let key = RsaPublicKeyRef {
        modulus: UintRef::new(&modulus).ok()?,
        public_exponent: UintRef::new(&exponent).ok()?,
    };
    key.to_der().ok()
}

/// An uncompressed point. Both coordinates have their full length.
fn point(x: Option<Vec<u8>>, y: Option<Vec<u8>>, length: usize) -> Option<Vec<u8>> {
    let (x, y) = (x?, y?);
    let is_full = x.len() == length && y.len() == length;
    is_full.then(|| [&[4], &*x, &*y].concat())
}
