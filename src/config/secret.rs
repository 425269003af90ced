//! [`SecretConfig`]: a secret in a file, as text or as a reference.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use zeroize::Zeroizing;

use crate::config::value::Scalar;
use crate::{
    error::SetupError,
    keys::{public_key::PublicKey, secret::Secret},
};

/// One secret of the file.
pub(super) struct SecretConfig(Reference);

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    env: Option<String>,
    file: Option<String>,
    value: Option<Text>,
    id: Option<String>,
    not_before: Option<Scalar>,
    not_after: Option<Scalar>,
}

/// The text of a secret. The error for a number does not show the number.
struct Text(Zeroizing<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SecretConfig(reference) = SecretConfig::deserialize(deserializer)?;
        reference
            .value
            .ok_or_else(|| de::Error::custom("a secret is text; put it in quotes"))
    }
}

impl SecretConfig {
    /// Reads the secret from its source.
    pub(super) fn resolve(&self) -> Result<Secret, SetupError> {
        self.resolve_as("secret")
    }

    /// Reads a public key from its source.
    pub(super) fn resolve_public(&self) -> Result<Secret, SetupError> {
        let key = self.resolve_as("public key")?;
        Ok(PublicKey::from_secret(key).into())
    }

    fn resolve_as(&self, what: &str) -> Result<Secret, SetupError> {
        let Reference {
            env,
            file,
            value,
            id,
            not_before,
            not_after,
        } = &self.0;
        let here = |error: SetupError| match id {
            Some(id) => error.within(format_args!("{what} {id:?}")),
            None => error.within(what),
        };
        let mut secret = match (env, file, value) {
            (Some(name), None, None) => Secret::fetch_env(name).map_err(here)?,
            (None, Some(path), None) => Secret::fetch_file(path.as_ref()).map_err(here)?,
            (None, None, Some(text)) => Secret::new(text.0.as_str()),
            (None, None, None) => {
                return Err(here(SetupError::new(
                    "the source is missing; add env, file or value",
                )));
            }
            _ => {
                return Err(here(SetupError::new(
                    "env, file and value are mutually exclusive; keep one",
                )));
            }
        };
        if let Some(id) = id {
            secret = secret.with_id(&**id);
        }
        if let Some(instant) = not_before {
            secret = secret.with_not_before(instant.instant("not_before").map_err(here)?);
        }
        if let Some(instant) = not_after {
            secret = secret.with_not_after(instant.instant("not_after").map_err(here)?);
        }
        Ok(secret)
    }
}

impl<'de> Deserialize<'de> for SecretConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrReference;

        impl<'de> Visitor<'de> for TextOrReference {
            type Value = SecretConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret: text in quotes, { env = … } or { file = … }")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretConfig, E> {
                Ok(SecretConfig(Reference {
                    value: Some(Text(Zeroizing::new(text.to_owned()))),
                    ..Reference::default()
                }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SecretConfig, A::Error> {
                Reference::deserialize(MapAccessDeserializer::new(map)).map(SecretConfig)
            }

            // The error must not show a secret that consists of digits and lacks quotes.
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<SecretConfig, E> {
                Err(E::custom("a secret is text; put it in quotes"))
            }

            fn visit_u64<E: de::Error>(self, _: u64) -> Result<SecretConfig, E> {
                self.visit_i64(0)
            }

            fn visit_f64<E: de::Error>(self, _: f64) -> Result<SecretConfig, E> {
                self.visit_i64(0)
            }
        }

        deserializer.deserialize_any(TextOrReference)
    }
}
