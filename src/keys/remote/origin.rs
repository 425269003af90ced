//! [`KeyOrigin`]: what the keys of a source are, and where.

use std::{fmt, pin::Pin, sync::Arc};

use serde_json::Value;

use crate::{
    error::SetupError,
    json,
    keys::{
        jwks, public_key::PublicKey, remote::address::KeyUrl, secret::Secret,
        source::KeySourceError,
    },
};

/// Where keys are, and how a document with them is read. It is part of a provider, or chosen by the
/// application; a request only chooses among the addresses that it allows.
pub(crate) trait KeyOrigin: Send + Sync + fmt::Debug {
    /// The only address, if all keys are in one document.
    fn set(&self) -> Option<&KeyUrl> {
        None
    }

    /// The address of the document with the key of this id; `None` if there can be no such key, so
    /// that nothing is fetched.
    fn address(&self, key_id: &str) -> Option<KeyUrl>;

    /// Reads a document. The keys of a set have ids; another document has the key of `key_id`.
    fn read(&self, key_id: Option<&str>, document: &[u8]) -> Result<Vec<Secret>, SetupError>;
}

/// A set of JSON Web Keys.
#[derive(Debug)]
pub(crate) struct JwkSet(pub(crate) KeyUrl);

/// No provider has as many keys in a set.
const MAX_KEYS: usize = 100;

impl KeyOrigin for JwkSet {
    fn set(&self) -> Option<&KeyUrl> {
        Some(&self.0)
    }

    fn address(&self, _: &str) -> Option<KeyUrl> {
        None
    }

    fn read(&self, _: Option<&str>, document: &[u8]) -> Result<Vec<Secret>, SetupError> {
        let Some(members) = jwks::members_of(document) else {
            return Err(SetupError::new(
                "the document is no set of JSON Web Keys; correct the address",
            ));
        };
        if members.is_empty() || members.len() > MAX_KEYS {
            return Err(SetupError::new(format!(
                "the set has {} keys; between 1 and {MAX_KEYS} are taken",
                members.len()
            )));
        }
        let set: Secret = PublicKey::new("").into();
        Ok(members.iter().map(|member| set.member(member)).collect())
    }
}

/// Secrets, each in a document at the address that the request names, which has to be this one or
/// one segment below it.
#[derive(Debug)]
pub(crate) struct NamedSecret {
    pub(crate) within: KeyUrl,
    /// The member of the document with the secret.
    pub(crate) member: &'static str,
}

impl NamedSecret {
    fn contains(&self, url: &KeyUrl) -> bool {
        let within = &self.within;
        if url == within {
            return true;
        }
        let is_name = |segment: &str| {
            let mut bytes = segment.bytes();
            !segment.is_empty()
                && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let below = url.path().strip_prefix(within.path());
        (url.host(), url.port(), url.query()) == (within.host(), within.port(), None)
            && within.path().ends_with('/')
            && below.is_some_and(is_name)
    }
}

impl KeyOrigin for NamedSecret {
    fn address(&self, key_id: &str) -> Option<KeyUrl> {
        let url = KeyUrl::parse(key_id).ok()?;
        self.contains(&url).then_some(url)
    }

    fn read(&self, key_id: Option<&str>, document: &[u8]) -> Result<Vec<Secret>, SetupError> {
        let secret = json::object(document).and_then(|mut members| members.remove(self.member));
        match secret {
            Some(Value::String(text)) => {
                Ok(vec![Secret::new(text).with_id(key_id.unwrap_or_default())])
            }
            _ => Err(SetupError::new(format!(
                "the document is no JSON object with a text {:?}",
                self.member
            ))),
        }
    }
}

/// Certificates, each at an address of the vendor that the request names.
#[derive(Debug)]
pub(crate) struct NamedCertificate {
    pub(crate) is_address: fn(&str) -> bool,
}

impl KeyOrigin for NamedCertificate {
    fn address(&self, key_id: &str) -> Option<KeyUrl> {
        let is_address = (self.is_address)(key_id);
        is_address.then(|| KeyUrl::parse(key_id).ok()).flatten()
    }

    fn read(&self, key_id: Option<&str>, document: &[u8]) -> Result<Vec<Secret>, SetupError> {
        let text = std::str::from_utf8(document).ok();
        let pem = text.filter(|text| text.trim_start().starts_with("-----BEGIN CERTIFICATE-----"));
        let pem = pem.ok_or_else(|| SetupError::new("the document is no certificate in PEM"))?;
        let key = PublicKey::new(pem).with_id(key_id.unwrap_or_default());
        Ok(vec![key.into()])
    }
}

/// What looks up a key by its id.
pub(crate) type LookUp = dyn Fn(String) -> LookUpFuture + Send + Sync;

/// The result of a look-up: `None` if there is no such key.
pub(crate) type LookUpFuture =
    Pin<Box<dyn Future<Output = Result<Option<Vec<Secret>>, KeySourceError>> + Send>>;

/// How keys are got.
#[derive(Clone)]
pub(crate) enum Means {
    /// By the client.
    Fetch(Arc<dyn KeyOrigin>),
    /// By the application.
    LookUp(Arc<LookUp>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_chooses_only_within_the_configured_address() {
        let cases: &[(&str, &str, bool)] = &[
            ("https://a.example/keys/", "https://a.example/keys/k1", true),
            ("https://a.example/keys/", "https://A.EXAMPLE/keys/k1", true),
            ("https://a.example/keys/", "https://a.example/keys/", true),
            ("https://a.example/keys", "https://a.example/keys", true),
            ("https://a.example/?k=1", "https://a.example/?k=1", true),
            ("https://a.example/keys", "https://a.example/keys/k1", false),
            ("https://a.example/keys", "https://a.example/keysk1", false),
            (
                "https://a.example/keys/",
                "https://a.example/keys/a/k1",
                false,
            ),
            (
                "https://a.example/keys/",
                "https://a.example/keys/../k1",
                false,
            ),
            (
                "https://a.example/keys/",
                "https://a.example/keys/..%2fk1",
                false,
            ),
            (
                "https://a.example/keys/",
                "https://a.example/keys/k%31",
                false,
            ),
            (
                "https://a.example/keys/",
                "https://a.example/keys/k1?x=1",
                false,
            ),
            (
                "https://a.example/keys/",
                "https://a.example/keys/k1#x",
                false,
            ),
            (
                "https://a.example/keys/",
                "https://a.example/other/k1",
                false,
            ),
            (
                "https://a.example/keys/",
                "https://a.example:8443/keys/k1",
                false,
            ),
            (
                "https://a.example/keys/",
                "https://b.example/keys/k1",
                false,
            ),
            (
                "https://a.example/keys/",
                "https://a.example.b.example/keys/k1",
                false,
            ),
            (
                "https://a.example/keys/",
                "https://a.example@b.example/keys/k1",
                false,
            ),
            ("https://a.example/keys/", "http://a.example/keys/k1", false),
            ("https://a.example/keys/", "//a.example/keys/k1", false),
            ("https://a.example/?k=1", "https://a.example/?k=2", false),
        ];
        for (within, named, expected) in cases {
            let origin = NamedSecret {
                within: KeyUrl::parse(within).unwrap(),
                member: "key",
            };
            assert_eq!(
                origin.address(named).is_some(),
                *expected,
                "{within} {named}"
            );
        }
    }
}
