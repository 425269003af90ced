//! Secrets as configured: text, or where it is.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use zeroize::Zeroizing;

use super::value::Scalar;
use crate::{Secret, SetupError};

/// One secret of the file.
pub(super) struct SecretConfig(Reference);

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    env: Option<String>,
    file: Option<String>,
    #[serde(default, deserialize_with = "wiped")]
    value: Option<Zeroizing<String>>,
    id: Option<String>,
    not_before: Option<Scalar>,
    not_after: Option<Scalar>,
}

fn wiped<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Zeroizing<String>>, D::Error> {
    String::deserialize(deserializer).map(|text| Some(Zeroizing::new(text)))
}

impl SecretConfig {
    /// Fetches the text from where it is.
    pub(super) fn resolve(&self) -> Result<Secret, SetupError> {
        let Reference {
            env,
            file,
            value,
            id,
            not_before,
            not_after,
        } = &self.0;
        let mut secret = match (env, file, value) {
            (Some(name), None, None) => Secret::from_env(name)?,
            (None, Some(path), None) => Secret::from_file(path)?,
            (None, None, Some(text)) => Secret::new(text.as_str()),
            (None, None, None) => {
                return Err(SetupError::new(
                    "secret: nothing says where it is; add env, file or value",
                ));
            }
            _ => {
                return Err(SetupError::new(
                    "secret: env, file and value exclude each other; keep one",
                ));
            }
        };
        if let Some(id) = id {
            secret = secret.with_id(&**id);
        }
        if let Some(instant) = not_before {
            secret = secret.with_not_before(instant.instant("not_before")?);
        }
        if let Some(instant) = not_after {
            secret = secret.with_not_after(instant.instant("not_after")?);
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
                    value: Some(Zeroizing::new(text.to_owned())),
                    ..Reference::default()
                }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SecretConfig, A::Error> {
                Reference::deserialize(MapAccessDeserializer::new(map)).map(SecretConfig)
            }

            // A secret of digits without quotes must not be shown either.
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
