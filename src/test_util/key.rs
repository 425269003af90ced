//! [`TestKey`]: the keys of a sender, of its receiver, and of somebody else.

use sha2::{Digest, Sha256};

use crate::{
    compiled::scheme::CompiledScheme,
    crypto::encoding::{encode, encode_hex},
    error::SetupError,
    keys::{public_key::PublicKey, secret::Secret},
    scheme::{
        algorithm::{Algorithm, Keying},
        encoding::Encoding,
        secret_format::{SecretFormat, TextEncoding},
    },
};

/// More than the least that any scheme takes.
const BYTES: usize = 32;

#[derive(Clone)]
pub(super) struct TestKey {
    /// What the receiver is configured with.
    pub(super) receiver: Text,
    /// What the sender signs with.
    pub(super) sender: Text,
    /// What somebody else signs with; `None` if the scheme has no key.
    pub(super) other: Option<Text>,
}

/// A key as it is written.
#[derive(Clone)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) is_public: bool,
    /// Where the requests name the key.
    pub(super) id: Option<&'static str>,
}

/// The id of every key that has one.
const ID: &str = "test-key";

impl Text {
    fn secret(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_public: false,
            id: None,
        }
    }

    pub(super) fn key(&self) -> Secret {
        let key = match self.is_public {
            true => PublicKey::new(self.text.clone()).into(),
            false => Secret::new(self.text.clone()),
        };
        match self.id {
            Some(id) => key.with_id(id),
            None => key,
        }
    }
}

impl TestKey {
    /// Keys for a scheme. The same name always gives the same ones.
    pub(super) fn new(scheme: &CompiledScheme, name: &str) -> Result<Self, SetupError> {
        let secret = |of: &str| {
            let text = secret(&scheme.secret_format, &format!("{of} {name}"));
            match scheme.is_basic {
                true => Text::secret(format!("test:{text}")),
                false => Text::secret(text),
            }
        };
        let mut made = match scheme.algorithm.keying() {
            Keying::Mac | Keying::Content | Keying::Token => Self {
                receiver: secret("the secret of"),
                sender: secret("the secret of"),
                other: Some(secret("another secret of")),
            },
            Keying::None => Self {
                receiver: secret("no secret of"),
                sender: secret("no secret of"),
                other: None,
            },
            Keying::Public => pair(scheme.algorithm)?,
        };
        if scheme.head.key_id.is_some() {
            let other = made.other.iter_mut();
            for key in other.chain([&mut made.receiver, &mut made.sender]) {
                key.id = Some(ID);
            }
        }
        Ok(made)
    }

    /// As chosen for a test. Somebody else has another secret of the same form.
    pub(super) fn of_secret(
        scheme: &CompiledScheme,
        text: &str,
        name: &str,
    ) -> Result<Self, SetupError> {
        let mut made = Self::new(scheme, name)?;
        for key in [&mut made.receiver, &mut made.sender] {
            *key = Text {
                id: key.id,
                ..Text::secret(text)
            };
        }
        Ok(made)
    }
}

/// A secret as the provider writes it, made of a text.
fn secret(format: &SecretFormat, of: &str) -> String {
    let mut bytes = Vec::new();
    let mut part = 0u8;
    while bytes.len() < format.min_bytes.max(BYTES) {
        let digest = Sha256::digest(format!("tower-webhook: {part} of {of}"));
        bytes.extend_from_slice(&digest);
        part = part.wrapping_add(1);
    }
    let text = match format.encoding {
        TextEncoding::Text | TextEncoding::Hex => encode_hex(&bytes),
        TextEncoding::Base64 => encode(Encoding::Base64, &bytes),
    };
    let prefix = format.prefixes.first().map_or("", |prefix| prefix);
    format!("{prefix}{text}")
}

#[cfg(not(feature = "asymmetric"))]
fn pair(algorithm: Algorithm) -> Result<TestKey, SetupError> {
    algorithm.check_supported()?;
    unreachable!("without the feature, no algorithm with public keys is supported")
}

#[cfg(feature = "asymmetric")]
fn pair(algorithm: Algorithm) -> Result<TestKey, SetupError> {
    /// The keys of the tests of this crate, and one that nobody is configured with.
    macro_rules! keys {
        ($name:literal) => {
            [
                include_str!(concat!("../crypto/vectors/keys/", $name, ".pub.pem")),
                include_str!(concat!("../crypto/vectors/keys/", $name, ".pem")),
                include_str!(concat!("keys/", $name, ".other.pem")),
            ]
        };
    }
    let [public, private, other] = match algorithm {
        Algorithm::Ed25519 => keys!("ed25519"),
        Algorithm::EcdsaP256Sha256 | Algorithm::EcdsaP256Sha256Fixed => keys!("p256"),
        Algorithm::EcdsaP384Sha384Fixed => keys!("p384"),
        Algorithm::RsaPkcs1Sha256 | Algorithm::RsaPkcs1Sha384 | Algorithm::RsaPkcs1Sha512 => {
            keys!("rsa2048")
        }
        other => {
            return Err(SetupError::new(format!(
                "{other} is only verified, and not signed here; record a request of the provider for the test"
            )));
        }
    };
    Ok(TestKey {
        receiver: Text {
            is_public: true,
            ..Text::secret(public)
        },
        sender: Text::secret(private),
        other: Some(Text::secret(other)),
    })
}
