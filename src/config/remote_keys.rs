//! The key `remote_keys` of an endpoint.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::config::value::Scalar;
#[cfg(feature = "remote-keys")]
use crate::keys::{
    published::PublishedKeys,
    remote::{RemoteKeys, cache::SHORTEST, https::HttpsClient},
};
use crate::{error::SetupError, provider::Provider};

/// Where the keys of an endpoint are fetched: `true` for the address of the provider, an address,
/// or a table.
#[derive(Default)]
#[cfg_attr(
    not(feature = "remote-keys"),
    allow(dead_code, reason = "without the feature, there are no such keys")
)]
pub(super) struct RemoteKeysConfig {
    is_off: bool,
    settings: Settings,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    not(feature = "remote-keys"),
    allow(dead_code, reason = "without the feature, there are no such keys")
)]
struct Settings {
    url: Option<String>,
    lifetime: Option<Scalar>,
    grace: Option<Scalar>,
    /// A file with certificates.
    roots: Option<String>,
}

impl RemoteKeysConfig {
    pub(super) fn is_on(&self) -> bool {
        !self.is_off
    }

    #[cfg(feature = "remote-keys")]
    pub(super) fn build(&self, provider: &Provider) -> Result<RemoteKeys, SetupError> {
        let within = |error: SetupError| error.within("remote_keys");
        let Settings {
            url,
            lifetime,
            grace,
            roots,
        } = &self.settings;
        provider.check_remote_keys()?;
        let mut keys = match url {
            Some(_)
                if matches!(
                    provider.published_keys(),
                    Some(PublishedKeys::Certificate { .. })
                ) =>
            {
                return Err(SetupError::new(
                    "remote_keys: every request names the address of the certificate; write remote_keys = true, or a table \
                     without url",
                ));
            }
            Some(url) => RemoteKeys::jwks(url)?,
            None => RemoteKeys::of(provider)?,
        };
        if let Some(lifetime) = lifetime {
            let lifetime = lifetime.duration("lifetime").map_err(within)?;
            if lifetime < SHORTEST {
                return Err(SetupError::new(
                    "remote_keys: lifetime: it is less than a minute, so keys would be fetched again and again; write \"1m\" \
                     or more",
                ));
            }
            keys = keys.with_lifetime(lifetime);
        }
        if let Some(grace) = grace {
            keys = keys.with_grace(grace.duration("grace").map_err(within)?);
        }
        if let Some(path) = roots {
            let pem = std::fs::read(path).map_err(|error| {
                SetupError::new(format!(
                    "remote_keys: roots: {path} cannot be read: {error}"
                ))
            })?;
            keys = keys.with_client(HttpsClient::with_roots(pem).map_err(within)?);
        }
        Ok(keys)
    }

    #[cfg(not(feature = "remote-keys"))]
    pub(super) fn check_supported(&self, _: &Provider) -> Result<(), SetupError> {
        Err(SetupError::new(
            "remote_keys: it needs the feature \"remote-keys\" of tower-webhook; add it to Cargo.toml",
        ))
    }
}

impl<'de> Deserialize<'de> for RemoteKeysConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BoolTextOrTable;

        impl<'de> Visitor<'de> for BoolTextOrTable {
            type Value = RemoteKeysConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, an address in quotes, or { url = … }")
            }

            fn visit_bool<E: de::Error>(self, is_on: bool) -> Result<RemoteKeysConfig, E> {
                Ok(RemoteKeysConfig {
                    is_off: !is_on,
                    ..RemoteKeysConfig::default()
                })
            }

            fn visit_str<E: de::Error>(self, url: &str) -> Result<RemoteKeysConfig, E> {
                Ok(RemoteKeysConfig {
                    settings: Settings {
                        url: Some(url.to_owned()),
                        ..Settings::default()
                    },
                    ..RemoteKeysConfig::default()
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RemoteKeysConfig, A::Error> {
                let settings = Settings::deserialize(MapAccessDeserializer::new(map))?;
                Ok(RemoteKeysConfig {
                    settings,
                    ..RemoteKeysConfig::default()
                })
            }
        }

        deserializer.deserialize_any(BoolTextOrTable)
    }
}
