//! `tests/clients/sdks.toml`: the vendors' own libraries, one row for each function.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// Pairs of keys that OpenSSL made, as PEM.
const ED25519: &str = include_str!("../../../src/crypto/vectors/keys/ed25519.pem");
const ED25519_PUBLIC: &str = include_str!("../../../src/crypto/vectors/keys/ed25519.pub.pem");
const P256: &str = include_str!("../../../src/crypto/vectors/keys/p256.pem");
const P256_PUBLIC: &str = include_str!("../../../src/crypto/vectors/keys/p256.pub.pem");
const P521: &str = include_str!("../../../src/crypto/vectors/keys/p521.pem");
const P521_PUBLIC: &str = include_str!("../../../src/crypto/vectors/keys/p521.pub.pem");
const OTHER_P521: &str = include_str!("../../vectors/certificates/other-p521.pem");

const RSA: &str = include_str!("../../../src/crypto/vectors/keys/rsa2048.pem");
const RSA_CERTIFICATE: &str = include_str!("../../../src/crypto/vectors/keys/rsa2048.crt.pem");
/// Certificates that OpenSSL made: of the P-256 key above, with the marks of Apple, and of nobody.
const CHAIN: &str = include_str!("../../vectors/certificates/chain.pem");
const ROOT: &str = include_str!("../../vectors/certificates/root.pem");
const OTHER_ROOT: &str = include_str!("../../vectors/certificates/other-root.pem");
const OTHER_RSA: &str = include_str!("../../vectors/certificates/other-rsa.pem");

/// Where our signer says that the certificates of SNS and PayPal are.
const OF_SNS: &str = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-test.pem";
const OF_PAYPAL: &str = "https://api.paypal.com/v1/notifications/certs/CERT-test";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    sdk: Vec<Sdk>,
}

/// A row. The file explains the fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sdk {
    pub(super) vendor: String,
    pub(super) provider: String,
    package: String,
    client: Option<String>,
    #[serde(default)]
    pub(super) secret: Shape,
    #[serde(default)]
    pub(super) endpoint: BTreeMap<String, Value>,
    #[serde(default = "body")]
    body: String,
    #[serde(default)]
    query: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default = "content")]
    pub(super) content: (String, String),
    pub(super) window: Option<u64>,
    library_window: Option<u64>,
    ahead: Option<u64>,
    #[serde(default)]
    pub(super) wrapped: bool,
    pub(super) signs: Option<Signs>,
    pub(super) prints: Option<String>,
    #[serde(default)]
    pub(super) differences: BTreeMap<String, String>,
}

/// What makes a request of a signature that the library made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Signs {
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Option<String>,
    #[serde(default)]
    pub(super) own_clock: bool,
}

/// What a vendor's secret looks like.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Shape {
    #[default]
    Text,
    Whsec,
    Base64,
    Hex,
    Ed25519Hex,
    Ed25519Base64,
    Ed25519Pem,
    P256,
    P521Pem,
    RsaCertificate,
    AppleChain,
}

/// Whose package registry a library comes from, and so in which language it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Registry {
    Npm,
    Pypi,
}

fn body() -> String {
    r#"{"id":"evt_1","note":"original"}"#.to_owned()
}

fn content() -> (String, String) {
    ("original".to_owned(), "modified".to_owned())
}

/// All rows.
pub(super) fn sdks() -> Vec<Sdk> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/sdks.toml");
    let table = std::fs::read_to_string(path).unwrap();
    toml::from_str::<Table>(&table).unwrap().sdk
}

impl Sdk {
    pub(super) fn registry(&self) -> Registry {
        match self.package.split_once(' ') {
            Some(("npm", _)) => Registry::Npm,
            Some(("pypi", _)) => Registry::Pypi,
            _ => panic!("{}: no registry", self.package),
        }
    }

    /// The name in the scripts.
    pub(super) fn client(&self) -> &str {
        self.client.as_deref().unwrap_or(&self.provider)
    }

    /// What a failure begins with.
    pub(super) fn label(&self) -> String {
        format!("{} ({})", self.provider, self.package)
    }

    /// The name of the row's endpoint.
    pub(super) fn endpoint_name(&self) -> String {
        format!("{}-{:?}", self.client(), self.registry()).to_lowercase()
    }

    /// The row as an endpoint of a configuration.
    pub(super) fn config(&self) -> String {
        let key = self.secret.setting();
        let mut lines = vec![
            format!("[endpoints.{}]", self.endpoint_name()),
            format!("provider = {:?}", self.provider),
            format!("{key} = {}", self.configured()),
        ];
        lines.extend(
            self.endpoint
                .iter()
                .map(|(name, value)| format!("{name} = {value}")),
        );
        lines.push(String::new());
        lines.join("\n")
    }

    /// What verifies, as a value of a configuration.
    fn configured(&self) -> String {
        let text = format!("{:?}", self.secret.public());
        // The id of a certificate is the address that requests name.
        match (self.secret, &*self.provider) {
            (Shape::RsaCertificate, "paypal") => {
                format!("{{ id = {OF_PAYPAL:?}, value = {text} }}")
            }
            (Shape::RsaCertificate, _) => format!("{{ id = {OF_SNS:?}, value = {text} }}"),
            _ => text,
        }
    }

    pub(super) fn body(&self, milliseconds: u128) -> String {
        self.body.replace("{now}", &milliseconds.to_string())
    }

    /// The path and the query of a request.
    pub(super) fn target(&self) -> String {
        let path = format!("/webhooks/{}", self.endpoint_name());
        match self.query.is_empty() {
            true => path,
            false => format!("{path}?{}", self.query),
        }
    }

    /// The URL that the library is told, for a target.
    pub(super) fn url(&self, target: &str) -> String {
        match self.endpoint.get("url").and_then(Value::as_str) {
            Some(url) => url.to_owned(),
            None => format!("https://example.com{target}"),
        }
    }

    /// For how many seconds after the time in a request somebody accepts it, and before it.
    pub(super) fn windows(&self) -> Option<(u64, u64)> {
        let past = self.window.or(self.library_window)?;
        Some((past, self.ahead.unwrap_or(past)))
    }
}

impl Shape {
    /// The key of a configuration for what verifies.
    fn setting(self) -> &'static str {
        match self {
            Self::AppleChain => "roots",
            Self::Ed25519Hex
            | Self::Ed25519Base64
            | Self::Ed25519Pem
            | Self::P256
            | Self::P521Pem
            | Self::RsaCertificate => "public_key",
            Self::Text | Self::Whsec | Self::Base64 | Self::Hex => "secret",
        }
    }

    pub(super) fn is_pair(self) -> bool {
        self.setting() != "secret"
    }

    /// The certificates that a request has.
    pub(super) fn chain(self) -> Option<&'static str> {
        matches!(self, Self::AppleChain).then_some(CHAIN)
    }

    /// What signs: the secret, or the private key.
    pub(super) fn private(self) -> &'static str {
        match self {
            Self::Text => "a-secret-of-one-of-the-vendors",
            Self::Whsec => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            Self::Base64 => "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            Self::Hex => "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
            Self::Ed25519Hex | Self::Ed25519Base64 | Self::Ed25519Pem => ED25519,
            Self::P256 | Self::AppleChain => P256,
            Self::P521Pem => P521,
            Self::RsaCertificate => RSA,
        }
    }

    /// What verifies, as the vendor shows it.
    pub(super) fn public(self) -> String {
        match self {
            Self::Ed25519Hex => "bdb2223921084d13348501ebd40ae814996fcc426f6acec38de968e14b0a6bd1",
            Self::Ed25519Base64 => "vbIiOSEITRM0hQHr1AroFJlvzEJvas7Djelo4UsKa9E=",
            Self::Ed25519Pem => ED25519_PUBLIC,
            Self::P521Pem => P521_PUBLIC,
            Self::RsaCertificate => RSA_CERTIFICATE,
            Self::AppleChain => ROOT,
            Self::P256 => {
                let lines = P256_PUBLIC.lines();
                return lines.filter(|line| !line.starts_with('-')).collect();
            }
            _ => self.private(),
        }
        .to_owned()
    }

    /// What verifies for somebody else.
    pub(super) fn strange(self) -> &'static str {
        match self {
            Self::Text => "the-secret-of-somebody-else",
            Self::Whsec => "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
            Self::Base64 => "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
            Self::Hex => "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
            Self::Ed25519Hex => "e55c242274b25203fcef9fa5e95ce0b4667f8897ce0dedf5753d6d178df8fbef",
            Self::Ed25519Base64 => "9CIlK74xnfY3sZ18y50a2UNLtsVLEK9yUlvyPFGu+AQ=",
            Self::Ed25519Pem => {
                "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA5VwkInSyUgP87p+l6VzgtGZ/iJfODe31dT1tF434774=\n-----END PUBLIC KEY-----\n"
            }
            Self::P256 => super::custom::SENDGRID,
            Self::P521Pem => OTHER_P521,
            Self::RsaCertificate => OTHER_RSA,
            Self::AppleChain => OTHER_ROOT,
        }
    }
}
