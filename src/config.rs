//! [`Config`]: endpoints and custom providers from a configuration file.

mod deliveries;
mod description;
mod endpoint;
#[cfg(feature = "explain")]
mod explain;
mod group;
mod jwt;
mod locator;
mod message_signature;
mod node;
mod place;
mod provider;
mod remote_keys;
#[cfg(feature = "actix")]
pub(crate) mod resource;
#[cfg(any(feature = "actix", feature = "axum"))]
mod route;
mod secret;
mod value;
pub(crate) mod warnings;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
    sync::OnceLock,
};

use serde::{Deserialize, Deserializer, de};
use toml::de::DeTable;

use self::{
    deliveries::Deliveries,
    endpoint::EndpointConfig,
    group::GroupConfig,
    node::{Node, read_exactly, unknown_key},
    place::{
        DELIVERIES, ENDPOINTS, PROVIDERS, Place, PlacedMistake, beginnings, line_of, syntax_error,
    },
    provider::CustomProvider,
};
#[cfg(feature = "remote-keys")]
use crate::keys::remote::RemoteKeys;
use crate::{
    clock,
    delivery::layer::DeliveryLayer,
    error::{SetupError, nearest, shown, suggestion},
    keys::{key_set::KeySet, secret::Secret, shared::SharedKeys, source::KeySource},
    provider::Provider,
    providers,
    sign::Signer,
    tower::layer::WebhookVerifyLayer,
    verify::verifier::Verifier,
};

/// The configuration of endpoints, custom providers and deduplication.
///
/// It implements [`Deserialize`], so it can be part of an application's settings in any format. Its
/// `Debug` output shows only names.
///
/// ```
/// use tower_webhook::Config;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::from_toml_str(r#"
///     [endpoints.kyc]
///     provider = "voveid"
///     family   = "kyc"
///     secret   = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"   # better: { env = "VOVE_SECRET" } or { file = "…" }
///
///     [endpoints.orders]
///     provider = "acme"
///     max_body = "4MiB"
///     secrets  = [
///         { id = "2026-11", value = "the-secret-of-november" },
///         { id = "old", value = "the-secret-until-then", not_after = "2026-12-01T00:00:00Z" },
///     ]
///
///     [providers.acme]
///     algorithm  = "hmac-sha256"
///     signed     = "{ts}.{body}"
///     signature  = { header = "Acme-Signature", fields = ",", field = "v1", encoding = "hex" }
///     timestamp  = { field = "t", unit = "s", tolerance = "5m" }
///     event_type  = { json = "/type" }
///     delivery_id = { json = "/id" }
/// "#)?;
/// let layer = config.layer("orders")?;
/// let verifier = config.endpoint("kyc")?;
/// assert_eq!(verifier.endpoint(), Some("kyc"));
/// # drop(layer);
/// # Ok(())
/// # }
/// ```
///
/// Every key of an endpoint, of `[deliveries]` and of a custom provider is in the guide, on the
/// page `configuration`. `tolerance`, `max_body` and `read_timeout` can be set in several places:
/// see [which limit applies](crate::Verifier#which-limit-applies).
pub struct Config {
    endpoints: BTreeMap<String, EndpointConfig>,
    groups: BTreeMap<String, GroupConfig>,
    providers: BTreeMap<String, CustomProvider>,
    deliveries: Option<Deliveries>,
    /// Built when it is first asked for.
    shared: OnceLock<DeliveryLayer>,
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (config, mistakes) = Self::read(Node::deserialize(deserializer)?);
        place::all(mistakes, |_| None).map_err(de::Error::custom)?;
        Ok(config)
    }
}

impl Config {
    /// Reads a TOML document and builds everything in it once, so that every mistake is found at
    /// startup.
    ///
    /// ```
    /// use tower_webhook::Config;
    ///
    /// let error = Config::from_toml_str(r#"
    ///     [endpoints.payments]
    ///     provider = "stirpe"
    ///     secret   = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
    ///
    ///     [endpoints.code]
    ///     provider = "github"
    ///     secret   = "a-secret-of-some-length"
    ///     max_bdy  = "1MiB"
    /// "#).unwrap_err();
    /// assert_eq!(error.mistakes().collect::<Vec<_>>(), [
    ///     r#"endpoint "payments": provider: "stirpe" is unknown; did you mean "stripe"?"#,
    ///     r#"endpoint "code": max_bdy: unknown key; did you mean "max_body"?"#,
    /// ]);
    /// ```
    ///
    /// # Errors
    ///
    /// When the document is not valid TOML; when a key is unknown or does not apply; when a secret
    /// cannot be found or used. All mistakes are in one error, in the order of the file. Each names
    /// the endpoint, the key and the remedy, and shows no secret.
    ///
    /// An endpoint without a secret is a mistake unless it says `key_source = true`: then
    /// [`layer_with_key_source`](Self::layer_with_key_source) builds it.
    pub fn from_toml_str(text: &str) -> Result<Self, SetupError> {
        let failed = |error: toml::de::Error| syntax_error(&error, text);
        let document = DeTable::parse(text).map_err(failed)?;
        let beginnings = beginnings(document.get_ref());
        let document = toml::de::Deserializer::from(document);
        let (config, mut mistakes) = Self::read(Node::deserialize(document).map_err(failed)?);
        mistakes.extend(config.mistakes(&mistakes));
        let begin = |place: &Place| beginnings.get(place).copied();
        mistakes.sort_by_key(|(place, _)| begin(place));
        place::all(mistakes, |place| Some(line_of(text, begin(place)?)))?;
        Ok(config)
    }

    /// Reads a TOML file, as [`from_toml_str`](Self::from_toml_str) does.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, and as for [`from_toml_str`](Self::from_toml_str).
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, SetupError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| {
            SetupError::new(format!("{}: cannot be read: {error}", path.display()))
        })?;
        Self::from_toml_str(&text).map_err(|error| error.within(path.display()))
    }

    /// Builds everything once, to find all mistakes in a configuration that was deserialized from
    /// another format than TOML.
    ///
    /// # Errors
    ///
    /// As for [`from_toml_str`](Self::from_toml_str), except for errors of the TOML syntax.
    pub fn check(&self) -> Result<(), SetupError> {
        place::all(self.mistakes(&[]), |_| None)
    }

    /// Reads as much of the file as possible, and returns the mistakes in the rest.
    fn read(file: Node) -> (Self, Vec<PlacedMistake>) {
        let mut mistakes = Vec::new();
        let mut config = Self {
            endpoints: BTreeMap::new(),
            groups: BTreeMap::new(),
            providers: BTreeMap::new(),
            deliveries: None,
            shared: OnceLock::new(),
        };
        for (table, content) in entries(file, None, &mut mistakes) {
            match &*table {
                ENDPOINTS => {
                    for (name, endpoint) in entries(content, Some(ENDPOINTS), &mut mistakes) {
                        let place = || Place::new(ENDPOINTS, Some(&name));
                        if endpoint.has("any_of") {
                            if let Some(read) = kept(read_exactly(endpoint), place, &mut mistakes) {
                                config.groups.insert(name, read);
                            }
                        } else if let Some(read) =
                            kept(EndpointConfig::read(endpoint), place, &mut mistakes)
                        {
                            config.endpoints.insert(name, read);
                        }
                    }
                }
                PROVIDERS => {
                    for (name, provider) in entries(content, Some(PROVIDERS), &mut mistakes) {
                        let place = || Place::new(PROVIDERS, Some(&name));
                        if let Some(read) = kept(read_exactly(provider), place, &mut mistakes) {
                            config.providers.insert(name, read);
                        }
                    }
                }
                DELIVERIES => {
                    let place = || Place::new(DELIVERIES, None);
                    config.deliveries = kept(read_exactly(content), place, &mut mistakes);
                }
                _ => {
                    let known = [ENDPOINTS, PROVIDERS, DELIVERIES];
                    let error = SetupError::new(unknown_key(&table, &known));
                    mistakes.push((Place::new(&table, None), error));
                }
            }
        }
        (config, mistakes)
    }

    /// All mistakes in the parts that could be read. Those in `unread` are already reported.
    fn mistakes(&self, unread: &[PlacedMistake]) -> Vec<PlacedMistake> {
        let mut mistakes = Vec::new();
        let places = unread.iter().map(|(place, _)| place);
        let unread = places.filter(|place| place.table == PROVIDERS);
        let mut broken: BTreeSet<&str> = unread.filter_map(|place| place.name.as_deref()).collect();
        for (name, custom) in &self.providers {
            if let Err(error) = check_provider(name, custom) {
                broken.insert(name);
                mistakes.push((Place::new(PROVIDERS, Some(name)), error));
            }
        }
        for (name, endpoint) in &self.endpoints {
            let (provider, unknown) = match self.provider(endpoint.provider()) {
                _ if broken.contains(endpoint.provider()) => (None, None),
                Ok(provider) => (Some(provider), None),
                Err(error) => (None, Some(error)),
            };
            let errors = unknown.into_iter().chain(endpoint.mistakes(provider));
            let place = Place::new(ENDPOINTS, Some(name));
            mistakes.extend(errors.map(|error| (place.clone(), error)));
        }
        let known: Vec<&str> = self.endpoints.keys().map(|name| &**name).collect();
        for (name, group) in &self.groups {
            let find = |name: &str| self.endpoints.get(name);
            let is_group = |name: &str| self.groups.contains_key(name);
            let place = Place::new(ENDPOINTS, Some(name));
            let mut errors = group.mistakes(find, is_group, &known);
            let is_wrong = |member: &str| {
                let mut places = mistakes.iter().map(|(place, _)| place);
                places.any(|place| place.name.as_deref() == Some(member))
            };
            if errors.is_empty() && !group.members().any(is_wrong) {
                errors.extend(self.group_layer(group).err());
            }
            mistakes.extend(errors.into_iter().map(|error| (place.clone(), error)));
        }
        if let Err(error) = self.built_deliveries() {
            mistakes.push((Place::new(DELIVERIES, None), error));
        }
        mistakes
    }

    /// The names of the endpoints, those with `any_of` among them, in alphabetical order.
    pub fn endpoints(&self) -> impl Iterator<Item = &str> {
        let names = self.endpoints.keys().chain(self.groups.keys());
        let names: BTreeSet<&str> = names.map(|name| &**name).collect();
        names.into_iter()
    }

    /// Returns a provider of the file, or else a built-in one.
    ///
    /// ```
    /// use tower_webhook::{Config, Secret, Verifier};
    ///
    /// let config = Config::from_toml_str(r#"
    ///     [providers.acme]
    ///     algorithm = "hmac-sha256"
    ///     signed    = "{body}"
    ///     signature = { header = "Acme-Signature", encoding = "hex" }
    /// "#)?;
    /// let verifier = Verifier::new(config.provider("acme")?, Secret::new("a-secret-of-some-length"))?;
    /// assert_eq!(verifier.provider().name(), "acme");
    /// assert_eq!(config.provider("stripe")?.name(), "stripe");
    /// # Ok::<_, tower_webhook::SetupError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When there is no provider of this name, or its configuration is invalid.
    pub fn provider(&self, name: &str) -> Result<Provider, SetupError> {
        // A later version may have a row of this name, which must not change what the file says.
        match (self.providers.get(name), providers::by_name(name)) {
            (Some(custom), _) => custom.build(name),
            (None, Some(built_in)) => Ok(built_in),
            (None, None) => Err(self.no_provider(name)),
        }
    }

    /// The mistake that neither a built-in provider nor one of the file has this name.
    fn no_provider(&self, name: &str) -> SetupError {
        let custom: Vec<&str> = self.providers.keys().map(|name| &**name).collect();
        let (shown, place) = if is_name(name) {
            (format!("{name:?}"), name)
        } else {
            (shown(name), "NAME")
        };
        let problem = providers::instead_of(name)
            .or_else(|| Some(format!("is unknown; {}", suggestion(name, &custom)?)))
            .unwrap_or_else(|| {
                let mut problem = format!("is not built in; describe it in [providers.{place}]");
                if !custom.is_empty() {
                    problem += &format!(", or use one of {}", custom.join(", "));
                }
                problem + "; the built-in ones are in the guide, on the page \"providers\""
            });
        SetupError::new(format!("provider: {shown} {problem}"))
    }

    /// Builds the verifier of an endpoint. This reads its secrets. An endpoint with `any_of` has
    /// none: see [`layer`](Self::layer).
    ///
    /// # Errors
    ///
    /// When there is no such endpoint, or its configuration is invalid.
    pub fn endpoint(&self, name: &str) -> Result<Verifier, SetupError> {
        self.built(name, |endpoint, provider| {
            Ok(endpoint.verifier(provider)?.with_endpoint(name))
        })
    }

    /// Builds the layer of an endpoint. This reads its secrets.
    ///
    /// # Errors
    ///
    /// When there is no such endpoint, or its configuration is invalid.
    pub fn layer(&self, name: &str) -> Result<WebhookVerifyLayer, SetupError> {
        if let Some(group) = self.groups.get(name) {
            let layer = self.group_layer(group);
            let layer = layer.map_err(|error| error.within(Place::new(ENDPOINTS, Some(name))))?;
            if self.deliveries.is_some() {
                layer.note_deduplication();
            }
            return Ok(layer);
        }
        self.built(name, |endpoint, provider| {
            self.endpoint_layer(endpoint, endpoint.verifier(provider)?.with_endpoint(name))
        })
    }

    fn group_layer(&self, group: &GroupConfig) -> Result<WebhookVerifyLayer, SetupError> {
        let members = group.members().map(|member| self.endpoint(member));
        group.layer(members.collect::<Result<_, _>>()?)
    }

    /// Builds the layer of an endpoint whose keys come from a [`KeySource`], for tenants and for
    /// keys that are replaced at run time. With `key_source = true`, the endpoint needs no secret
    /// in the file.
    ///
    /// ```
    /// use tower_webhook::{Config, keys::{KeySet, Tenant, source_fn}};
    ///
    /// let config = Config::from_toml_str(r#"
    ///     [endpoints.tenants]
    ///     provider   = "github"
    ///     key_source = true
    /// "#)?;
    /// let provider = config.provider("github")?;
    /// let layer = config.layer_with_key_source("tenants", source_fn(move |request| {
    ///     // Look the tenant up by its path here, for example in a database.
    ///     let keys = KeySet::new(&provider, vec!["a-secret-of-some-length".into()]);
    ///     let is_known = request.head.path() == "/webhooks/acme";
    ///     async move { Ok(if is_known { Some(Tenant::new("acme", keys?)) } else { None }) }
    /// }))?;
    /// // Without a source the endpoint has no keys, so there is no layer.
    /// assert!(config.layer("tenants").is_err());
    /// # drop(layer);
    /// # Ok::<_, tower_webhook::SetupError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When there is no such endpoint, or its configuration is invalid.
    pub fn layer_with_key_source(
        &self,
        name: &str,
        source: impl KeySource + 'static,
    ) -> Result<WebhookVerifyLayer, SetupError> {
        self.built(name, |endpoint, provider| {
            let verifier = endpoint.verifier_with_key_source(provider, source)?;
            self.endpoint_layer(endpoint, verifier.with_endpoint(name))
        })
    }

    /// Builds the layer of an endpoint whose keys are fetched as the program says, such as by a
    /// call of an API that needs credentials. With `key_source = true`, the endpoint needs no key
    /// in the file. For keys at an address, the file says `remote_keys` instead, and
    /// [`layer`](Self::layer) builds it.
    ///
    /// ```
    /// use tower_webhook::{Config, keys::RemoteKeys};
    ///
    /// let config = Config::from_toml_str(r#"
    ///     [endpoints.bank]
    ///     provider   = "plaid"
    ///     key_source = true
    /// "#)?;
    /// let layer = config.layer_with_remote_keys("bank", RemoteKeys::by_id(|id| async move {
    ///     // Call the vendor's API with the id, and return its answer as `PublicKey`.
    ///     # drop(id);
    ///     Ok(None)
    /// }))?;
    /// # drop(layer);
    /// # Ok::<_, tower_webhook::SetupError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When there is no such endpoint, its configuration is invalid, or its provider signs with a
    /// secret.
    #[cfg(feature = "remote-keys")]
    pub fn layer_with_remote_keys(
        &self,
        name: &str,
        keys: RemoteKeys,
    ) -> Result<WebhookVerifyLayer, SetupError> {
        self.built(name, |endpoint, provider| {
            let verifier = endpoint.verifier_with_remote_keys(provider, keys)?;
            self.endpoint_layer(endpoint, verifier.with_endpoint(name))
        })
    }

    fn endpoint_layer(
        &self,
        endpoint: &EndpointConfig,
        verifier: Verifier,
    ) -> Result<WebhookVerifyLayer, SetupError> {
        let layer = endpoint.layer(verifier)?;
        if self.deliveries.is_some() {
            layer.note_deduplication();
        }
        Ok(layer)
    }

    /// Prepares the keys of an endpoint. This reads its secrets.
    ///
    /// ```
    /// use tower_webhook::Config;
    ///
    /// let config = Config::from_toml_str(r#"
    ///     [endpoints.code]
    ///     provider = "github"
    ///     secrets  = [{ id = "old", value = "the-secret-of-october" }, { id = "new", value = "the-secret-of-november" }]
    /// "#)?;
    /// assert_eq!(format!("{:?}", config.keys("code")?), r#"KeySet { ids: [Some("old"), Some("new")], .. }"#);
    /// # Ok::<_, tower_webhook::SetupError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When there is no such endpoint, or its configuration is invalid.
    pub fn keys(&self, name: &str) -> Result<KeySet, SetupError> {
        self.built(name, |endpoint, provider| {
            let provider = endpoint.configured(provider)?;
            KeySet::new(&provider, endpoint.secrets(&provider)?)
        })
    }

    /// Prepares keys of an endpoint that can be replaced at run time, for
    /// [`layer_with_key_source`](Self::layer_with_key_source) and
    /// [`reload_keys`](Self::reload_keys).
    ///
    /// # Errors
    ///
    /// When there is no such endpoint, or its configuration is invalid.
    pub fn shared_keys(&self, name: &str) -> Result<SharedKeys, SetupError> {
        self.keys(name).map(SharedKeys::new)
    }

    /// Reads a TOML file again and replaces the keys of an endpoint, for example on SIGHUP after a
    /// rotation. Other settings of the endpoint do not change.
    ///
    /// ```
    /// use tower_webhook::Config;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let path = std::env::temp_dir().join(format!("tower-webhook-reload-{}.toml", std::process::id()));
    /// let file = |secret| format!("[endpoints.code]\nprovider = \"github\"\nsecret = {{ value = {secret:?}, id = \"new\" }}");
    /// std::fs::write(&path, file("a-secret-of-some-length"))?;
    /// let config = Config::from_path(&path)?;
    /// let keys = config.shared_keys("code")?;
    /// let layer = config.layer_with_key_source("code", keys.clone())?;
    ///
    /// std::fs::write(&path, file("another-secret-of-length"))?;
    /// Config::reload_keys(&path, "code", &keys)?;
    ///
    /// std::fs::write(&path, file(""))?;
    /// assert!(Config::reload_keys(&path, "code", &keys).is_err());
    /// # std::fs::remove_file(&path)?;
    /// # drop(layer);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the file cannot be read or contains any mistake; when the provider, variant or
    /// parameters of the endpoint have changed. The old keys then stay in use.
    pub fn reload_keys(
        path: impl AsRef<Path>,
        name: &str,
        keys: &SharedKeys,
    ) -> Result<(), SetupError> {
        let path = path.as_ref();
        let reloaded = Self::from_path(path)?.keys(name);
        let replaced = reloaded.and_then(|reloaded| {
            let replaced = keys.replace(reloaded);
            replaced.map_err(|error| error.within(Place::new(ENDPOINTS, Some(name))))
        });
        replaced.map_err(|error| error.within(path.display()))
    }

    /// Builds a signer for requests to an endpoint, for tests of a handler. It signs with the first
    /// secret that is valid now, and with the first variant that the endpoint accepts.
    ///
    /// ```
    /// use http::Request;
    /// use tower_webhook::{Config, verify::Head};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let config = Config::from_toml_str(r#"
    ///     [endpoints.orders]
    ///     provider = "acme"
    ///     tenant   = "T1"
    ///     secrets  = [
    ///         { id = "old", value = "the-secret-until-then", not_after = "2025-12-01T00:00:00Z" },
    ///         { id = "new", value = "the-secret-since-then" },
    ///     ]
    ///
    ///     [providers.acme]
    ///     algorithm = "hmac-sha256"
    ///     signed    = "{param:tenant}.{body}"
    ///     signature = { header = "Acme-Signature", encoding = "hex" }
    /// "#)?;
    /// let (head, body) = config.signer("orders")?.sign(Request::post("/"), "{}")?.into_parts();
    /// let event = config.endpoint("orders")?.verify(&Head::from(&head), body, std::time::SystemTime::now())?;
    /// assert_eq!(event.key_id(), Some("new"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When there is no such endpoint, its configuration is invalid, no secret is valid now, or it
    /// has public keys only.
    pub fn signer(&self, name: &str) -> Result<Signer, SetupError> {
        self.built(name, |endpoint, provider| {
            let provider = endpoint.configured(provider)?;
            let now = clock::unix_seconds(clock::now());
            let keys = KeySet::new(&provider, endpoint.secrets(&provider)?)?;
            // A keyless scheme signs without a secret.
            let mut secrets = endpoint
                .secrets(&provider)?
                .into_iter()
                .map(Some)
                .collect::<Vec<_>>();
            secrets.resize(keys.keys().len(), None);
            let is_public = |secret: &Option<Secret>| {
                let secret = secret.as_ref();
                secret.is_some_and(|secret| secret.is_public)
            };
            if !secrets.is_empty() && secrets.iter().all(is_public) {
                return Err(SetupError::new(
                    "public_key: it cannot sign; pass the private key to Signer::new, with the provider of Config::endpoint",
                ));
            }
            let mut valid = keys.keys().iter().zip(secrets);
            let valid = valid.find(|(key, secret)| key.valid_at(now) && !is_public(secret));
            let Some((_, secret)) = valid else {
                return Err(SetupError::new(
                    "secrets: no secret is valid now; add one that is",
                ));
            };
            Signer::new(provider, secret.unwrap_or_else(|| "".into()))
        })
    }

    /// Returns the layer that deduplicates deliveries, if there is a table `[deliveries]`. Every
    /// call returns a clone of the same layer, with one store, and routes from this configuration
    /// have it as well: [drain](DeliveryLayer::drain) it at shutdown. Options that are set on a
    /// clone, such as a hook, are those of the clone only.
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
    /// When the table is invalid, or its lifetime is shorter than the time for which an endpoint
    /// accepts the same request.
    pub fn deliveries(&self) -> Result<Option<DeliveryLayer>, SetupError> {
        if let Some(shared) = self.shared.get() {
            return Ok(Some(shared.clone()));
        }
        let built = self.built_deliveries();
        let built = built.map_err(|error| error.within(DELIVERIES))?;
        Ok(built.map(|layer| self.shared.get_or_init(|| layer).clone()))
    }

    fn built_deliveries(&self) -> Result<Option<DeliveryLayer>, SetupError> {
        let Some(deliveries) = &self.deliveries else {
            return Ok(None);
        };
        let layer = deliveries.build()?;
        let windows = self.endpoints.iter().map(|(name, endpoint)| {
            // Other mistakes in the endpoint are reported when it is built.
            let provider = self.provider(endpoint.provider());
            match provider.and_then(|provider| endpoint.window(provider)) {
                Ok(Some(window)) => deliveries.check_window(name, window),
                Ok(None) | Err(_) => Ok(()),
            }
        });
        SetupError::all(windows.filter_map(Result::err))?;
        Ok(Some(layer))
    }

    /// Runs `build` for an endpoint and its provider. An error names the endpoint.
    fn built<T>(
        &self,
        name: &str,
        build: impl FnOnce(&EndpointConfig, Provider) -> Result<T, SetupError>,
    ) -> Result<T, SetupError> {
        if self.groups.contains_key(name) {
            let error = SetupError::new(
                "it has any_of, so it has only a layer; name one of its endpoints instead",
            );
            return Err(error.within(Place::new(ENDPOINTS, Some(name))));
        }
        let Some(endpoint) = self.endpoints.get(name) else {
            let known: Vec<&str> = self.endpoints().collect();
            let nearest = nearest(name, &known);
            return Err(SetupError::new(format!(
                "endpoint {name:?} is not configured; {nearest}"
            )));
        };
        self.provider(endpoint.provider())
            .and_then(|provider| build(endpoint, provider))
            .map_err(|error| error.within(Place::new(ENDPOINTS, Some(name))))
    }
}

/// Returns the table if it could be read; otherwise adds its mistakes to the others.
fn kept<T>(
    read: Result<T, Vec<SetupError>>,
    place: impl Fn() -> Place,
    mistakes: &mut Vec<PlacedMistake>,
) -> Option<T> {
    let errors = match read {
        Ok(table) => return Some(table),
        Err(errors) => errors,
    };
    mistakes.extend(errors.into_iter().map(|error| (place(), error)));
    None
}

/// The entries of a top-level table, or of the whole file.
fn entries(node: Node, table: Option<&str>, mistakes: &mut Vec<PlacedMistake>) -> node::Table {
    let found = match node {
        Node::Table(entries) => return entries,
        other => other.kind(),
    };
    let (place, expected) = match table {
        Some(table) => (table, format!("tables by name, as in [{table}.NAME]")),
        None => ("configuration", format!("the table {ENDPOINTS}")),
    };
    let error = SetupError::new(format!("expected {expected}, found {found}"));
    mistakes.push((Place::new(place, None), error));
    node::Table::new()
}

fn check_provider(name: &str, custom: &CustomProvider) -> Result<(), SetupError> {
    if providers::has_module(name) {
        return Err(SetupError::new(
            "this is the name of a built-in provider; choose another",
        ));
    }
    custom.build(name)?.check_scheme()
}

/// Whether the text looks like the name of a provider rather than a secret.
fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    text.len() < 32 && text.bytes().all(is_letter)
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoints: BTreeMap<&str, &str> = self
            .endpoints
            .iter()
            .map(|(name, endpoint)| (&**name, endpoint.provider()))
            .collect();
        f.debug_struct("Config")
            .field("endpoints", &endpoints)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock, head::Head};

    const SECRET: &str = "a-secret-of-some-length";

    fn mistakes(text: &str) -> Vec<String> {
        let Err(error) = Config::from_toml_str(text) else {
            return Vec::new();
        };
        error.mistakes().map(str::to_owned).collect()
    }

    /// Whether a request signed by the signer of an endpoint is accepted with these keys.
    fn accepts(config: &Config, endpoint: &str, keys: &KeySet) -> bool {
        let request = http::Request::post("/").header("x-client", "7");
        let signed = config.signer(endpoint).unwrap().sign(request, "{}");
        let (head, body) = signed.unwrap().into_parts();
        let verifier = config.endpoint(endpoint).unwrap();
        let checked = verifier.check_head(&Head::from(&head), clock::now());
        let mut request = checked.unwrap().with_keys(keys).unwrap();
        request.update(body.into()).unwrap();
        request.verify().is_ok()
    }

    #[test]
    fn every_mistake_is_reported_in_file_order() {
        let text = r#"
            sockets = 1

            [endpoints.b]
            provider = "github"
            secrets = ["", { env = "TOWER_WEBHOOK_UNSET" }, { vaule = "x" }]
            max_body = "lots"
            read_timeout = "soon"

            [deliveries]
            stroe = "memory"
            lease = true

            [endpoints.a]
            provider = "acme"
            secret = { env = "TOWER_WEBHOOK_UNSET" }
            region = 7
            read_timeout = "0s"

            [providers.acme]
            algorithm = "hmac-sha256"
            singed = "{body}"
            signature = { header = "X-Sig" }

            [providers.stripe]
            algorithm = "hmac-sha256"
            signed = "{timestamp}{body}"
            signature = { header = "X-Sig", encoding = "hex" }

            [endpoints.c]
            provider = "svix"
            tolerence = "5m"
            colour = "red"
            secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

            [providers.beta]
            algorithm = "ed25519-sha512"
            signed = "{body}"
            signature = { header = "X-Sig", encoding = "hex" }

            [providers.gamma]
            algorithm = "hmac-sha256"
            signed = "{ts}{body}"
            signature = { header = "X-Sig", encoding = "hex" }

            [providers.delta]
            algorithm = "hmac-sha256"
            signed = "{timestamp}{body}"
            signature = { header = "X-Sig", encoding = "hex" }

            [providers.epsilon]
            algorithm = "hmac-sha256"
            signed = "{body}{path|lowercase}"
            signature = { header = "X-Sig", encoding = "hex" }

            [endpoints.d]
            provider = "acme"
            tenant = "T1"
            secret = { env = "TOWER_WEBHOOK_UNSET" }
            "#;
        let unset = "environment variable TOWER_WEBHOOK_UNSET is not set; set it to the value the provider shows";
        assert_eq!(
            mistakes(text).join("\n").replace(unset, "UNSET"),
            r#"
line 2: sockets: unknown key; available: endpoints, providers, deliveries
endpoint "b": secrets: vaule: unknown key; did you mean "value"?
endpoint "b": max_body: "lots" is not a size; write a number and a unit, as in "64KiB" or "25MiB"
endpoint "b": read_timeout: "soon" is not a duration; write a number and a unit, as in "30s", "5m" or "1h"
deliveries: lease: expected text in quotes, found a boolean
deliveries: stroe: unknown key; did you mean "store"?
endpoint "a": secret: UNSET
endpoint "a": read_timeout: "0s" leaves no time for a body to arrive; write a longer duration, such as "10s"
provider "acme": signature: encoding: missing key; add it
provider "acme": singed: unknown key; did you mean "signed"?
provider "stripe": this is the name of a built-in provider; choose another
endpoint "c": colour: unknown key, and provider svix has no such parameter; remove it
endpoint "c": tolerence: unknown key; did you mean "tolerance"?
provider "beta": algorithm: unknown algorithm "ed25519-sha512"; use one of ed25519, ecdsa-p256-sha256, ecdsa-p256-sha256-fixed, ecdsa-p256-sha1, ecdsa-p384-sha384-fixed, ecdsa-p521-sha512-fixed, rsa-pkcs1-sha1, rsa-pkcs1-sha256, rsa-pkcs1-sha384, rsa-pkcs1-sha512, rsa-pss-sha512
provider "gamma": signed: {ts} needs a timestamp; add where it is, as in timestamp = { header = "X-Timestamp" }
provider "delta": signed: unknown token {timestamp}; did you mean {ts}?
provider "epsilon": signed: unknown filter "lowercase"; did you mean "lower"?
endpoint "d": secret: UNSET"#
                .trim_start()
        );
    }

    #[test]
    fn a_syntax_error_is_the_only_error() {
        let text = "[endpoints.a]\nprovider = github\n[endpoints.b]\n";
        let found = mistakes(text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found.concat().starts_with("line 2: "), "{found:?}");
    }

    #[test]
    fn mistakes_are_found_in_any_format() {
        let text = r#"{"endpoints": {"a": {"provider": "githb"}, "b": {"provider": "github", "variant": "md5"}}}"#;
        let config: Config = serde_json::from_str(text).unwrap();
        let error = config.check().unwrap_err();
        assert_eq!(error.mistakes().count(), 2, "{error}");

        for (text, expected) in [
            (
                r#"{"sockets": {}}"#,
                "sockets: unknown key; available: endpoints, providers, deliveries",
            ),
            ("[]", "expected the table endpoints, found a list"),
            (
                r#"{"deliveries": []}"#,
                "deliveries: expected a table, as in { key = … }, found a list",
            ),
        ] {
            let error = serde_json::from_str::<Config>(text).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }

        let text = r#"{"endpoints": {"a": {}, "b": {"provider": ["a-secret-of-some-length"]}}}"#;
        let error = serde_json::from_str::<Config>(text)
            .unwrap_err()
            .to_string();
        assert_eq!(error.lines().count(), 2, "{error}");
        assert!(!error.contains(SECRET), "{error}");
    }

    #[test]
    fn a_key_that_could_be_a_secret_is_not_shown() {
        for text in [
            format!("[endpoints.a]\nprovider = \"github\"\n{SECRET} = \"x\""),
            format!("[endpoints.a]\nprovider = \"github\"\nsecret = {{ {SECRET}7 = \"x\" }}"),
            format!("[endpoints.a]\nprovider = \"github\"\nparams = {{ {SECRET}7 = 5 }}"),
        ] {
            let found = mistakes(&text);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(!found.concat().contains(&format!("{SECRET}7")), "{found:?}");
        }
    }

    #[test]
    fn a_parameter_of_the_provider_is_a_key_of_its_endpoints() {
        let file = |endpoint: &str| {
            format!(
                r#"
                [endpoints.a]
                provider = "acme"
                secret = "{SECRET}"
                {endpoint}

                [providers.acme]
                algorithm = "hmac-sha256"
                signed = "{{url}}{{param:region}}{{body}}"
                signature = {{ header = "X-Sig", encoding = "hex" }}
                require = [{{ header = "X-Client", equals = "{{param:client}}" }}]
                "#
            )
        };
        for endpoint in [
            "url = \"https://u\"\nregion = \"eu\"\nclient = \"7\"",
            "url = \"https://u\"\nparams = { region = \"eu\", client = \"7\" }",
            "client = \"7\"\nparams = { region = \"eu\", client = \"7\", url = \"https://u\" }",
        ] {
            let config = Config::from_toml_str(&file(endpoint)).unwrap();
            let keys = config.keys("a").unwrap();
            assert!(accepts(&config, "a", &keys), "{endpoint}");
        }
        let endpoint = "url = \"https://u\"\nregoin = \"eu\"\nclient = 7\ncolour = \"red\"";
        assert_eq!(
            mistakes(&file(endpoint)),
            [
                "endpoint \"a\": client: this is a parameter of provider acme; write it as text in quotes",
                "endpoint \"a\": colour: unknown key, and provider acme has no such parameter; remove it",
                "endpoint \"a\": regoin: unknown key; did you mean \"region\"?",
            ]
        );
    }

    #[test]
    fn no_long_number_is_shown() {
        for digits in [19, 20, 38, 39, 69] {
            for sign in ["", "-"] {
                let number = format!("{sign}{}", "9876543210".repeat(7).get(..digits).unwrap());
                for line in ["secret", "secrets", "max_body", "variant"] {
                    let text = format!("[endpoints.a]\nprovider = \"github\"\n{line} = {number}");
                    let error = Config::from_toml_str(&text).unwrap_err().to_string();
                    assert!(!error.contains(&number), "{line}: {error}");
                }
            }
        }
    }

    #[test]
    fn secrets_may_come_from_a_source_only() {
        let config = Config::from_toml_str(
            "[endpoints.a]\nprovider = \"github\"\nkey_source = true\nread_timeout = \"7s\"\nmax_body = 100",
        )
        .unwrap();
        let keys = KeySet::new(&providers::github(), vec![SECRET.into()]).unwrap();
        assert!(
            config
                .layer_with_key_source("a", SharedKeys::new(keys))
                .is_ok()
        );
        let none = KeySet::new(&providers::github(), Vec::new()).unwrap_err();
        let none = none.within("endpoint \"a\"").to_string();
        for error in [
            config.layer("a").unwrap_err(),
            config.endpoint("a").unwrap_err(),
            config.keys("a").unwrap_err(),
            config.shared_keys("a").unwrap_err(),
            config.signer("a").unwrap_err(),
        ] {
            assert_eq!(error.to_string(), none);
        }
        for missing in ["", "secrets = []", "key_source = false"] {
            let found = mistakes(&format!("[endpoints.a]\nprovider = \"github\"\n{missing}"));
            assert_eq!(found, [&*none], "{missing}");
        }
    }

    #[test]
    fn a_signer_uses_a_secret_that_is_valid_now() {
        let endpoint = |windows: [&str; 2]| {
            let [first, second] = windows;
            let text = format!(
                "[endpoints.a]\nprovider = \"github\"\nsecrets = [{{ id = \"1\", value = \"{SECRET}\", {first} }}, \
                 {{ id = \"2\", value = \"another-{SECRET}\", {second} }}]"
            );
            Config::from_toml_str(&text).unwrap()
        };
        let (past, future) = (
            "not_after = 2020-01-01T00:00:00Z",
            "not_before = 2200-01-01T00:00:00Z",
        );
        let used = |config: Config| {
            let (head, body) = config
                .signer("a")?
                .sign(http::Request::post("/"), "{}")
                .unwrap()
                .into_parts();
            let verifier = config.endpoint("a").unwrap();
            let event = verifier.verify(&Head::from(&head), body, clock::now());
            Ok::<_, SetupError>(event.unwrap().key_id().map(str::to_owned))
        };
        assert_eq!(used(endpoint(["", ""])), Ok(Some("1".to_owned())));
        assert_eq!(used(endpoint([past, ""])), Ok(Some("2".to_owned())));
        assert_eq!(used(endpoint([future, ""])), Ok(Some("2".to_owned())));
        let error = used(endpoint([past, future])).unwrap_err().to_string();
        assert_eq!(
            error,
            "endpoint \"a\": secrets: no secret is valid now; add one that is"
        );
    }

    #[test]
    fn a_signer_for_a_keyless_scheme_needs_no_secret() {
        let config = Config::from_toml_str(
            r#"
            [endpoints.a]
            provider = "acme"

            [providers.acme]
            algorithm = "unauthenticated-sha256"
            signed = "{body}"
            signature = { header = "X-Sig", encoding = "hex" }
            "#,
        )
        .unwrap();
        assert!(accepts(&config, "a", &config.keys("a").unwrap()));
    }

    #[test]
    fn a_mistake_in_the_new_file_keeps_the_old_keys() {
        let name = format!("tower-webhook-{}.toml", std::process::id());
        let path = std::env::temp_dir().join(name);
        let file = |provider: &str, secret: &str, rest: &str| {
            let text =
                format!("[endpoints.a]\nprovider = \"{provider}\"\nsecret = \"{secret}\"\n{rest}");
            std::fs::write(&path, text).unwrap();
        };
        file("github", SECRET, "");
        let old = Config::from_path(&path).unwrap();
        let keys = old.shared_keys("a").unwrap();
        for (provider, secret, rest) in [
            ("github", "", ""),
            ("shopify", SECRET, ""),
            (
                "github",
                "another-secret-of-length",
                "[endpoints.b]\nprovider = \"githb\"",
            ),
            ("github", "another-secret-of-length", "[endpoints.b"),
        ] {
            file(provider, secret, rest);
            let error = Config::reload_keys(&path, "a", &keys).unwrap_err();
            assert!(
                error.to_string().starts_with(&path.display().to_string()),
                "{error}"
            );
            assert!(accepts(&old, "a", &keys.current()), "{provider} {rest}");
        }
        file("github", "another-secret-of-length", "");
        let error = Config::reload_keys(&path, "b", &keys).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("endpoint \"b\" is not configured; available: a"),
            "{error}"
        );
        Config::reload_keys(&path, "a", &keys).unwrap();
        assert!(!accepts(&old, "a", &keys.current()));
        let new = Config::from_path(&path).unwrap();
        assert!(accepts(&new, "a", &keys.current()));
        std::fs::remove_file(&path).unwrap();
    }
}
