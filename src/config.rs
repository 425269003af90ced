//! Endpoints and custom schemes from a file: [`Config`].
//!
//! ```
//! use tower_webhook::Config;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::from_toml_str(r#"
//!     [endpoints.kyc]
//!     provider = "voveid"
//!     family   = "kyc"
//!     secret   = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"   # better: { env = "VOVE_SECRET" } or { file = "…" }
//!
//!     [endpoints.orders]
//!     provider = "acme"
//!     max_body = "4MiB"
//!     secrets  = [
//!         { id = "2026-11", value = "the-secret-of-november" },
//!         { id = "old", value = "the-secret-until-then", not_after = "2026-12-01T00:00:00Z" },
//!     ]
//!
//!     [providers.acme]
//!     algorithm  = "hmac-sha256"
//!     signed     = "{ts}.{body}"
//!     signature  = { header = "Acme-Signature", fields = ",", field = "v1", encoding = "hex" }
//!     timestamp  = { field = "t", unit = "s", tolerance = "5m" }
//!     event_type = { json = "/type" }
//!     delivery_id   = { json = "/id" }
//! "#)?;
//! let layer = config.layer("orders")?;
//! let verifier = config.endpoint("kyc")?;
//! assert_eq!(verifier.endpoint(), Some("kyc"));
//! # drop(layer);
//! # Ok(())
//! # }
//! ```
//!
//! # An endpoint
//!
//! | key | meaning |
//! | --- | --- |
//! | `provider` | the name of a built-in provider or of one under `[providers]` |
//! | `secret` | text, or one of `{ env = "NAME" }`, `{ file = "path" }` (from the working directory) and `{ value = "text" }` |
//! | `secrets` | instead of `secret`: up to eight of them, each with an optional `id`, `not_before` and `not_after` (`"2026-12-01T00:00:00Z"`, with or without quotes) |
//! | `variant` | which of the provider's documented variants; without it, or with `auto`, any of them |
//! | `tolerance` | how far a timestamp may be from the clock, on both sides, whatever the provider's default: `"5m"`, or `"off"` |
//! | `max_body` | the longest body: `"25MiB"`, or a number of bytes |
//! | `read_timeout` | how long a body may take to arrive: `"10s"` |
//! | `url` | the address as registered with the provider, where the scheme signs it |
//! | `params` | further parameters of the provider; `client_id`, `family` and `missing_status` may stand in the endpoint itself: see the provider's page |
//! | `key` | what tells one delivery from another, where it is not what the provider's page says (`"auto"`): `"delivery-id"`, if that id identifies an event, `"body"`, or `"body+event-type"`; see [`DeduplicateBy`](crate::delivery::DeduplicateBy) |
//!
//! # Deliveries
//!
//! Without a table `[deliveries]`, repeated deliveries are not recognised. With one, [`Config::deliveries`] makes the layer.
//!
//! | key | meaning |
//! | --- | --- |
//! | `store` | `"memory"`, or `"redis"` for several replicas (feature `redis`) |
//! | `url` | of Redis: `"redis://host:6379"`, or `{ env = "NAME" }` or `{ file = "path" }`, since it may hold a password |
//! | `namespace` | of this service and environment in Redis, such as `"billing-production"`: services with the same one share their deliveries |
//! | `timeout` | how long a step of Redis may take (`"1s"` without it) |
//! | `max_in_progress`, `max_completed` | how much memory remembers |
//! | `lease`, `wait`, `lifetime` | as on [`DeliveryLayer`]: `"30s"`, `"5s"`, and the provider's; a lifetime is not shorter than an endpoint's timestamp window |
//! | `max_running`, `handler_timeout` | how many handlers may run at once (10,000 without it); how long one may (`"60s"`; without it as long as it likes) |
//! | `on_outage` | while the store cannot be asked: `"refuse"` (without it), or `"allow"` |
//!
//! # A custom provider
//!
//! | key | meaning |
//! | --- | --- |
//! | `algorithm` | `hmac-sha256`, `hmac-sha512`, `hmac-sha1`, `hmac-md5`; `sha256`, `sha512`, `sha1` of content with the secret in it; `unauthenticated-sha256` |
//! | `signed` | the signed content, a template: see [`scheme`](mod@crate::scheme) |
//! | `signature` | `header` (or `headers`, of which any may hold it), `encoding` (`hex`, `base64`, `base64url`, `hex-or-base64`), and the grammar, below |
//! | `timestamp` | `header` or `field`; `unit` (`s`, `ms`, `rfc3339`, `imf-fixdate`; `s` without it); `tolerance` (`"5m"` without it, or `"off"`) and `future` if that side differs |
//! | `key` | `encoding` (`text`, `base64`, `hex`), `prefix` to take off, `derive` (`sha1`, `sha256`), `min_bytes` |
//! | `require` | headers that must have a fixed value: `[{ header = "X-Client", equals = "{param:client_id}" }]` |
//! | `header_families` | prefixes under which all headers may come: `["svix-", "webhook-"]` |
//! | `covers` | `"partial"` where the provider really does not sign the whole body |
//! | `event_type`, `delivery` | where the event says what it is: `{ json = "/type" }`, `{ header = "X-Event" }` or `{ form = "event" }`; for `delivery` also `unique = true`, if no two events ever have the same id |
//! | `max_body`, `read_timeout`, `success_status`, `retry_horizon`, `time_limit`, `docs` | what is special about the provider; `time_limit` is how long it waits for an answer |
//!
//! The grammar of a signature: the whole value, after `prefix` if there is one; `list = " "` for items with a `prefix`; `fields = ","`
//! and `field = "v1"` for `t=…,v1=…`, with `sets = " "` for several of those; `positional = ","` and `first = 1` for items told apart by place.
//! `repeats = true` lets the header have several lines.

mod deliveries;
mod endpoint;
mod provider;
mod secret;
mod value;

use std::{collections::BTreeMap, fmt, path::Path};

use serde::Deserialize;

use self::{
    deliveries::Deliveries,
    endpoint::Endpoint,
    provider::CustomProvider,
    value::{Named, Table},
};
use crate::{
    delivery::layer::DeliveryLayer,
    error::{SetupError, shown},
    provider::Provider,
    providers,
    tower::layer::WebhookVerifyLayer,
    verify::verifier::Verifier,
};

/// Endpoints and custom providers, as configured.
///
/// It is [`Deserialize`], so it can stand inside an application's own settings in any format. Its `Debug` shows names
/// only. See the [module](self) for the keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(default)]
    endpoints: Named<Endpoint>,
    #[serde(default)]
    providers: Named<CustomProvider>,
    #[serde(default)]
    deliveries: Option<Table<Deliveries>>,
}

impl Config {
    /// Reads a TOML document and builds everything in it once, so that every mistake shows at start-up.
    ///
    /// # Errors
    ///
    /// When the document is not one; when a key is unknown or does not apply; when a secret cannot be found or used. The
    /// text names the endpoint, the key and the remedy, and shows no secret.
    pub fn from_toml_str(text: &str) -> Result<Self, SetupError> {
        let config: Self = toml::from_str(text).map_err(|error| {
            // The error's own text would show the line, which may hold a secret.
            let line = error.span().and_then(|span| {
                let before = text.get(..span.start)?;
                Some(before.matches('\n').count().saturating_add(1))
            });
            let error = SetupError::new(error.message());
            // Inside a named table there is a better place than the line where all of them begin.
            match line {
                Some(line) if !error.is_placed() => error.within(format_args!("line {line}")),
                _ => error,
            }
        })?;
        config.check()?;
        Ok(config)
    }

    /// Reads a TOML file, as [`from_toml_str`](Self::from_toml_str) does.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, and for each reason of [`from_toml_str`](Self::from_toml_str).
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, SetupError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| {
            SetupError::new(format!("{}: cannot be read: {error}", path.display()))
        })?;
        Self::from_toml_str(&text).map_err(|error| error.within(path.display()))
    }

    /// Builds everything once. For a configuration that came from another format than TOML.
    ///
    /// # Errors
    ///
    /// For each reason of [`from_toml_str`](Self::from_toml_str) that is about the content.
    pub fn check(&self) -> Result<(), SetupError> {
        self.deliveries()?;
        for (name, provider) in self.providers.iter() {
            let place = format!("provider {name:?}");
            if providers::by_name(name).is_some() {
                let problem = SetupError::new("a built-in provider has this name; choose another");
                return Err(problem.within(place));
            }
            let provider = provider.build(name).map_err(|error| error.within(&place))?;
            provider
                .check_scheme()
                .map_err(|error| error.within(&place))?;
        }
        for name in self.endpoints() {
            self.endpoint(name)?;
        }
        Ok(())
    }

    /// The names of the endpoints, in alphabetical order.
    pub fn endpoints(&self) -> impl Iterator<Item = &str> {
        self.endpoints.iter().map(|(name, _)| name)
    }

    /// Builds the verifier of an endpoint. Its secrets are read now.
    ///
    /// # Errors
    ///
    /// When there is no such endpoint, or something about it is wrong.
    pub fn endpoint(&self, name: &str) -> Result<Verifier, SetupError> {
        let endpoint = self.find(name)?;
        let built = self
            .provider(endpoint)
            .and_then(|provider| endpoint.verifier(provider));
        let verifier = built.map_err(|error| error.within(format_args!("endpoint {name:?}")))?;
        Ok(verifier.with_endpoint(name))
    }

    /// Builds the layer of an endpoint. Its secrets are read now.
    ///
    /// # Errors
    ///
    /// When there is no such endpoint, or something about it is wrong.
    pub fn layer(&self, name: &str) -> Result<WebhookVerifyLayer, SetupError> {
        let layer = WebhookVerifyLayer::new(self.endpoint(name)?);
        let timeout = self.find(name)?.read_timeout();
        Ok(
            match timeout.map_err(|error| error.within(format_args!("endpoint {name:?}")))? {
                Some(timeout) => layer.with_read_timeout(timeout),
                None => layer,
            },
        )
    }

    /// Builds the layer that recognises repeated deliveries, if there is a table `[deliveries]`. Its clones share one store;
    /// each call makes another.
    ///
    /// ```
    /// use tower_webhook::Config;
    ///
    /// let config = Config::from_toml_str("[deliveries]\nstore = \"memory\"")?;
    /// assert!(config.deliveries()?.is_some());
    /// # Ok::<_, tower_webhook::SetupError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When something about the table is wrong, or deliveries are remembered for less time than an endpoint accepts the same
    /// request.
    pub fn deliveries(&self) -> Result<Option<DeliveryLayer>, SetupError> {
        let Some(Table(deliveries)) = &self.deliveries else {
            return Ok(None);
        };
        let layer = deliveries.build().and_then(|layer| {
            for (name, endpoint) in self.endpoints.iter() {
                // Another mistake in the endpoint is told where it is built.
                let provider = self.provider(endpoint);
                let window = provider.and_then(|provider| endpoint.window(provider));
                if let Ok(Some(window)) = window {
                    deliveries.check_window(name, window)?;
                }
            }
            Ok(layer)
        });
        layer.map(Some).map_err(|error| error.within("deliveries"))
    }

    fn find(&self, name: &str) -> Result<&Endpoint, SetupError> {
        self.endpoints.get(name).ok_or_else(|| {
            let known = self.endpoints().collect();
            SetupError::new(format!(
                "endpoint {name:?} is not configured; {}",
                nearest(name, known)
            ))
        })
    }

    fn provider(&self, endpoint: &Endpoint) -> Result<Provider, SetupError> {
        let name = endpoint.provider();
        match (providers::by_name(name), self.providers.get(name)) {
            (Some(built_in), _) => Ok(built_in),
            (None, Some(custom)) => custom.build(name),
            (None, None) => {
                let mut known: Vec<&str> = providers::names().collect();
                known.extend(self.providers.iter().map(|(name, _)| name));
                Err(SetupError::new(format!(
                    "provider: {} is unknown; {}",
                    if is_name(name) {
                        format!("{name:?}")
                    } else {
                        shown(name)
                    },
                    nearest(name, known)
                )))
            }
        }
    }
}

/// Whether it is like the name of a provider, and not like a secret.
fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    text.len() < 32 && text.bytes().all(is_letter)
}

/// What may have been meant.
fn nearest(name: &str, mut known: Vec<&str>) -> String {
    const NEAR: f64 = 0.8;
    if known.is_empty() {
        return "there is none".to_owned();
    }
    let likeness = |other: &str| strsim::jaro_winkler(&name.to_lowercase(), other);
    if known.iter().any(|other| likeness(other) >= NEAR) {
        known.retain(|other| likeness(other) >= NEAR);
        known.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
        let near: Vec<_> = known
            .iter()
            .take(3)
            .map(|name| format!("{name:?}"))
            .collect();
        format!("did you mean {}?", near.join(" or "))
    } else {
        format!("there are {}", known.join(", "))
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoints: BTreeMap<&str, &str> = self
            .endpoints
            .iter()
            .map(|(name, endpoint)| (name, endpoint.provider()))
            .collect();
        f.debug_struct("Config")
            .field("endpoints", &endpoints)
            .finish_non_exhaustive()
    }
}
