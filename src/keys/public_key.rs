//! [`PublicKey`]: a public key as it was configured.

use std::{path::Path, sync::Arc, time::SystemTime};

use crate::{error::SetupError, keys::secret::Secret};

/// The public key of a provider that signs with a private one.
///
/// It is passed like a [`Secret`], to [`Verifier::new`](crate::Verifier::new) for example. A set
/// may have keys of both kinds, for a provider that signs in both ways: `vec![secret,
/// public_key.into()]`.
///
/// These forms are told apart by their look:
///
/// - PEM: `PUBLIC KEY`, `RSA PUBLIC KEY` or `CERTIFICATE`, also in one line with `\n` for each line
///   break, as environment variables have it;
/// - the DER of these in base64;
/// - for Ed25519, the 32 bytes in hex or base64, also behind `whpk_`;
/// - for P-256, the uncompressed point in hex or base64.
///
/// RSA keys have at least 2048 bits, unless the provider has no other. A certificate is only a form
/// of its key: neither its issuer nor its names are checked. One that has expired is logged at
/// WARN.
///
/// ```
/// # #[cfg(feature = "asymmetric")]
/// # fn main() -> Result<(), tower_webhook::SetupError> {
/// use tower_webhook::{Provider, PublicKey, Scheme, Verifier};
/// use tower_webhook::scheme::{Algorithm, Encoding, SignatureFormat, Timestamp};
///
/// let signature = SignatureFormat::single("X-Signature-Ed25519", Encoding::Hex);
/// let scheme = Scheme::signed(Algorithm::Ed25519, "{ts}{body}", signature)
///     .with_timestamp(Timestamp::header("X-Signature-Timestamp"));
/// let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
/// Verifier::new(Provider::new("acme", scheme.clone()), PublicKey::new(key))?;
///
/// let error = Verifier::new(Provider::new("acme", scheme), PublicKey::new(&key[2..])).unwrap_err();
/// assert!(error.to_string().starts_with("public key: "), "{error}");
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "asymmetric"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
pub struct PublicKey(Secret);

impl PublicKey {
    /// Creates a key from a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self::from_secret(Secret::new(text))
    }

    /// Reads a key from an environment variable.
    ///
    /// # Errors
    ///
    /// If the variable is not set or is not valid Unicode.
    pub fn from_env(name: &str) -> Result<Self, SetupError> {
        let secret = Secret::fetch_env(name).map_err(|error| error.within("public key"));
        secret.map(Self::from_secret)
    }

    /// Reads a key from a file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is not UTF-8, or has 64 KiB or more.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, SetupError> {
        let secret = Secret::fetch_file(path.as_ref());
        let secret = secret.map_err(|error| error.within("public key"));
        secret.map(Self::from_secret)
    }

    pub(crate) fn from_secret(mut secret: Secret) -> Self {
        secret.is_public = true;
        Self(secret)
    }

    /// Sets an id for the key, which verified events and logs show.
    #[must_use]
    pub fn with_id(self, id: impl Into<Arc<str>>) -> Self {
        Self(self.0.with_id(id))
    }

    /// Sets the first second in which the key is valid.
    #[must_use]
    pub fn with_not_before(self, time: SystemTime) -> Self {
        Self(self.0.with_not_before(time))
    }

    /// Sets the last second in which the key is valid.
    #[must_use]
    pub fn with_not_after(self, time: SystemTime) -> Self {
        Self(self.0.with_not_after(time))
    }
}

impl From<PublicKey> for Secret {
    /// For a set with keys of both kinds.
    fn from(key: PublicKey) -> Self {
        key.0
    }
}

impl From<PublicKey> for Vec<Secret> {
    fn from(key: PublicKey) -> Self {
        vec![key.0]
    }
}
