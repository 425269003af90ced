//! The table `[endpoints.NAME]`.

#[cfg(feature = "remote-keys")]
use std::sync::OnceLock;
use std::{collections::BTreeMap, fmt, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};

use crate::config::{
    node::{self, Node, shown_key},
    remote_keys::RemoteKeysConfig,
    secret::SecretConfig,
    value::Scalar,
};
#[cfg(feature = "remote-keys")]
use crate::keys::remote::RemoteKeys;
use crate::{
    delivery_key::DeduplicateBy,
    error::{SetupError, suggestion},
    keys::{key_set::KeySet, published::PublishedKeys, secret::Secret, source::KeySource},
    provider::{
        PUBLIC_KEY, Provider,
        parameter::{LEVEL, TEST},
    },
    scheme::{certificates::ROOTS, timestamp::Tolerance},
    tower::{layer::WebhookVerifyLayer, options::Enforcement},
    verify::verifier::Verifier,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointConfig {
    provider: String,
    secret: Option<SecretConfig>,
    secrets: Option<Vec<SecretConfig>>,
    public_key: Option<SecretConfig>,
    public_keys: Option<Vec<SecretConfig>>,
    #[serde(default)]
    accept_unsigned_body: bool,
    #[serde(default)]
    key_source: bool,
    remote_keys: Option<RemoteKeysConfig>,
    enforce: Option<String>,
    variant: Option<String>,
    tolerance: Option<Scalar>,
    max_body: Option<Scalar>,
    read_timeout: Option<Scalar>,
    deduplicate_by: Option<String>,
    #[serde(default)]
    params: BTreeMap<String, Param>,
    /// Other keys, which must be parameters of the provider or settings of its handshakes.
    #[serde(skip)]
    own_params: BTreeMap<String, OwnParam>,
    /// The keys that every endpoint may have.
    #[serde(skip)]
    keys: &'static [&'static str],
    /// What `remote_keys` describes, built once, so that everything of the endpoint shares it.
    #[cfg(feature = "remote-keys")]
    #[serde(skip)]
    fetched: OnceLock<RemoteKeys>,
}

/// A key that only some providers know.
struct OwnParam {
    /// `None` if it is neither text nor a list of texts.
    param: Option<Param>,
    setting: Result<Vec<SecretConfig>, String>,
}

impl OwnParam {
    fn read(value: &Node) -> Self {
        let setting = match value {
            Node::List(_) => Vec::deserialize(value),
            _ => SecretConfig::deserialize(value).map(|one| vec![one]),
        };
        Self {
            param: Param::deserialize(value).ok(),
            setting: setting.map_err(|mistake| mistake.to_string()),
        }
    }

    /// The values of a setting.
    fn secrets(&self, name: &str) -> Result<Vec<Secret>, SetupError> {
        let within = |error: SetupError| error.within(name);
        let values = self.setting.as_ref();
        let values = values.map_err(|text| within(SetupError::new(text.clone())))?;
        let values = values.iter().map(SecretConfig::resolve);
        values.collect::<Result<_, _>>().map_err(within)
    }
}

impl EndpointConfig {
    pub(super) fn read(node: Node) -> Result<Self, Vec<SetupError>> {
        let (mut own_params, mut keys) = (BTreeMap::new(), &[][..]);
        let (endpoint, mut mistakes) = node::read::<Self>(node, |key, value, known| {
            own_params.insert(key.to_owned(), OwnParam::read(value));
            keys = known;
            true
        });
        match endpoint {
            Some(mut endpoint) if mistakes.is_empty() => {
                (endpoint.own_params, endpoint.keys) = (own_params, keys);
                Ok(endpoint)
            }
            Some(endpoint) => {
                mistakes.extend(endpoint.mistakes(None));
                Err(mistakes)
            }
            None => Err(mistakes),
        }
    }

    pub(super) fn provider(&self) -> &str {
        &self.provider
    }

    /// All mistakes of the endpoint. `provider` is `None` if the provider itself has mistakes.
    pub(super) fn mistakes(&self, provider: Option<Provider>) -> Vec<SetupError> {
        let secrets = self.secret.iter().chain(self.secrets.iter().flatten());
        let keys = self
            .public_key
            .iter()
            .chain(self.public_keys.iter().flatten());
        let keys = keys.filter_map(|key| key.resolve_public().err());
        let configured = provider
            .map(|provider| self.configured(provider))
            .transpose();
        let mut mistakes: Vec<_> = secrets
            .filter_map(|secret| secret.resolve().err())
            .chain(keys)
            .chain(self.max_body().err())
            .chain(self.read_timeout().err())
            .chain(self.enforcement().err())
            .chain(configured.as_ref().err().cloned())
            .collect();
        if let Ok(Some(provider)) = configured {
            if mistakes.is_empty() {
                mistakes.extend(self.check(&provider).err());
            }
            mistakes.extend(self.tolerance(&provider).err());
        }
        mistakes
    }

    /// Builds the endpoint to find mistakes.
    fn check(&self, provider: &Provider) -> Result<(), SetupError> {
        // `KeySet::new` does not ask how much of the body is signed.
        provider.compile()?;
        match self.secrets_if_any(provider)? {
            keys if self.remote().is_some() => {
                if keys.is_some() || self.key_source {
                    return Err(SetupError::new(
                        "remote_keys: the keys are fetched, so there is nothing else to verify with; remove it, or secret, \
                         secrets, public_key, public_keys and key_source",
                    ));
                }
                self.check_remote_keys(provider)?;
            }
            None if self.key_source => {}
            None if matches!(
                provider.published_keys(),
                Some(
                    PublishedKeys::Set(_)
                        | PublishedKeys::SetOfParam(_)
                        | PublishedKeys::Certificate { .. }
                )
            ) =>
            {
                return Err(SetupError::new(
                    "public_key: none is set; set remote_keys = true to fetch the keys that the provider publishes, or set \
                     at least one",
                ));
            }
            secrets => KeySet::new(provider, secrets.unwrap_or_default()).map(drop)?,
        }
        Ok(())
    }

    /// For how long the same request is accepted, if a signed time limits that. With several
    /// variants, the longest applies.
    pub(super) fn window(&self, provider: Provider) -> Result<Option<Duration>, SetupError> {
        let provider = self.configured(provider)?;
        let own = self.tolerance(&provider)?;
        let compiled = provider.compile()?;
        let dated = compiled.schemes.iter().filter(|scheme| scheme.signs_time());
        let windows = dated.filter_map(|scheme| own.or(scheme.tolerance)?.width());
        Ok(windows.max())
    }

    /// Where the keys are fetched, if they are.
    fn remote(&self) -> Option<&RemoteKeysConfig> {
        self.remote_keys.as_ref().filter(|remote| remote.is_on())
    }

    #[cfg(feature = "remote-keys")]
    fn check_remote_keys(&self, provider: &Provider) -> Result<(), SetupError> {
        let remote = self.remote();
        remote.map_or(Ok(()), |remote| remote.build(provider).map(drop))
    }

    #[cfg(not(feature = "remote-keys"))]
    fn check_remote_keys(&self, provider: &Provider) -> Result<(), SetupError> {
        let remote = self.remote();
        remote.map_or(Ok(()), |remote| remote.check_supported(provider))
    }

    /// Builds the verifier for keys that are fetched as the program says.
    #[cfg(feature = "remote-keys")]
    pub(super) fn verifier_with_remote_keys(
        &self,
        provider: Provider,
        keys: RemoteKeys,
    ) -> Result<Verifier, SetupError> {
        let provider = self.configured(provider)?;
        self.with_limits(Verifier::from_remote_keys(provider, keys)?)
    }

    pub(super) fn verifier(&self, provider: Provider) -> Result<Verifier, SetupError> {
        let provider = self.configured(provider)?;
        #[cfg(feature = "remote-keys")]
        if let Some(remote) = self.remote() {
            let keys = match self.fetched.get() {
                Some(keys) => keys.clone(),
                None => {
                    let built = remote.build(&provider)?;
                    self.fetched.get_or_init(|| built).clone()
                }
            };
            return self.with_limits(Verifier::from_remote_keys(provider, keys)?);
        }
        self.check_remote_keys(&provider)?;
        let secrets = self.secrets(&provider)?;
        self.with_limits(Verifier::new(provider, secrets)?)
    }

    /// Builds the verifier for a key source. It also has the secrets of the file, if there are any.
    pub(super) fn verifier_with_key_source(
        &self,
        provider: Provider,
        source: impl KeySource + 'static,
    ) -> Result<Verifier, SetupError> {
        let provider = self.configured(provider)?;
        self.with_limits(match self.secrets_if_any(&provider)? {
            Some(secrets) => Verifier::new(provider, secrets)?.with_key_source(source),
            None => Verifier::from_key_source(provider, source)?,
        })
    }

    fn with_limits(&self, mut verifier: Verifier) -> Result<Verifier, SetupError> {
        if let Some(tolerance) = self.tolerance(verifier.provider())? {
            verifier = verifier.with_tolerance(tolerance);
        }
        if let Some(max_body) = self.max_body()? {
            verifier = verifier.with_max_body(max_body);
        }
        Ok(verifier)
    }

    pub(super) fn layer(&self, verifier: Verifier) -> Result<WebhookVerifyLayer, SetupError> {
        let mut layer = WebhookVerifyLayer::new(verifier);
        if let Some(timeout) = self.read_timeout()? {
            layer = layer.with_read_timeout(timeout);
        }
        let enforcement = self.enforcement()?;
        if enforcement != Enforcement::Refuse {
            layer = layer.with_enforcement(enforcement);
        }
        Ok(layer)
    }

    pub(super) fn needs_key_source(&self) -> bool {
        self.key_source
    }

    pub(super) fn enforcement(&self) -> Result<Enforcement, SetupError> {
        enforcement(self.enforce.as_deref())
    }

    pub(super) fn has_enforce(&self) -> bool {
        self.enforce.is_some()
    }

    /// Applies the endpoint's settings to the provider.
    pub(super) fn configured(&self, provider: Provider) -> Result<Provider, SetupError> {
        let provider = match self.variant.as_deref() {
            None | Some("auto") => provider,
            Some(name) => provider.select_variant(name)?,
        };
        let provider = if self.accept_unsigned_body {
            provider.accept_unsigned_body()
        } else {
            provider
        };
        let provider = match self.deduplicate_by()? {
            Some(deduplicate_by) => provider.with_deduplicate_by(deduplicate_by),
            None => provider,
        };
        self.with_params(provider)
    }

    pub(super) fn max_body(&self) -> Result<Option<usize>, SetupError> {
        let size = self.max_body.as_ref();
        size.map(|size| size.size("max_body")).transpose()
    }

    fn read_timeout(&self) -> Result<Option<Duration>, SetupError> {
        let timeout = self.read_timeout.as_ref();
        timeout.map(Scalar::read_timeout).transpose()
    }

    fn deduplicate_by(&self) -> Result<Option<DeduplicateBy>, SetupError> {
        match self.deduplicate_by.as_deref() {
            None | Some("auto") => Ok(None),
            Some("id") => Ok(Some(DeduplicateBy::Id)),
            Some("body") => Ok(Some(DeduplicateBy::Body)),
            Some("body+event-type") => Ok(Some(DeduplicateBy::BodyAndEventType)),
            Some(_) => Err(SetupError::new(
                "deduplicate_by: expected \"auto\", \"id\", \"body\" or \"body+event-type\"",
            )),
        }
    }

    /// Sets the parameters. The error contains all mistakes in them.
    fn with_params(&self, mut provider: Provider) -> Result<Provider, SetupError> {
        let names = provider.param_names();
        let settings = provider.setting_names();
        let is_setting = |name: &str| settings.contains(&name);
        let mut mistakes = Vec::new();
        for (name, value) in &self.own_params {
            match &value.param {
                _ if is_setting(name) => match value.secrets(name) {
                    Ok(values) => provider = provider.with_handshake_setting(name.clone(), values),
                    Err(mistake) => mistakes.push(mistake),
                },
                _ if name == ROOTS && names.contains(name) => match value.secrets(name) {
                    Ok(roots) => {
                        let roots: Vec<_> = roots.iter().map(Secret::text).collect();
                        provider = provider.with_param(ROOTS, roots.join("\n"));
                    }
                    Err(mistake) => mistakes.push(mistake),
                },
                _ if !names.contains(name) => {
                    let settings = settings.iter().map(|name| (*name).to_owned());
                    let names: Vec<String> = names.iter().cloned().chain(settings).collect();
                    mistakes.push(self.unknown(name, &provider, &names));
                }
                Some(value) if value.fits(name, &provider) => {
                    provider = value.clone().set(name.clone(), provider);
                }
                _ => {
                    mistakes.push(SetupError::new(format!(
                        "{}: this is a parameter of provider {}; write it as {}",
                        shown_key(name),
                        provider.name(),
                        Param::expected(name, &provider),
                    )));
                }
            }
        }
        if let Some(key) = self
            .public_key
            .as_ref()
            .filter(|_| provider.names_public_key())
        {
            match key.resolve() {
                Ok(key) => provider = provider.with_param(PUBLIC_KEY, key.text().to_owned()),
                Err(error) => mistakes.push(error.within(PUBLIC_KEY)),
            }
        }
        for (name, value) in &self.params {
            let is_own = self.own_params.contains_key(name);
            let problem = if is_setting(name) && !is_own {
                let values = value.clone().texts().into_iter().map(Secret::new);
                provider =
                    provider.with_handshake_setting(name.clone(), values.collect::<Vec<_>>());
                continue;
            } else if is_setting(name) {
                "the setting is set twice; keep one".to_owned()
            } else if !names.contains(name) {
                provider.lacks(name)
            } else if self
                .own_params
                .get(name)
                .is_some_and(|other| other.param.as_ref() != Some(value))
            {
                "the parameter is set twice, with different values; keep one".to_owned()
            } else if value.fits(name, &provider) {
                provider = value.clone().set(name.clone(), provider);
                continue;
            } else {
                let expected = Param::expected(name, &provider);
                format!("expected {expected}, found a list")
            };
            let key = shown_key(name);
            mistakes.push(SetupError::new(format!("params.{key}: {problem}")));
        }
        SetupError::all(mistakes)?;
        Ok(provider)
    }

    fn unknown(&self, key: &str, provider: &Provider, params: &[String]) -> SetupError {
        if matches!(key, LEVEL | TEST) {
            return SetupError::new(format!("{key}: {}", provider.lacks(key)));
        }
        let mut known = self.keys.to_vec();
        known.extend(params.iter().map(|name| &**name));
        let key = shown_key(key);
        SetupError::new(match suggestion(key, &known) {
            Some(suggestion) => format!("{key}: unknown key; {suggestion}"),
            None => format!(
                "{key}: unknown key, and provider {} has no such parameter; remove it",
                provider.name()
            ),
        })
    }

    pub(super) fn tolerance(&self, provider: &Provider) -> Result<Option<Tolerance>, SetupError> {
        let Some(text) = &self.tolerance else {
            return Ok(None);
        };
        if provider
            .schemes()
            .all(|scheme| scheme.tolerance().is_none())
        {
            return Err(SetupError::new(format!(
                "tolerance: provider {} has no timestamp; remove it",
                provider.name()
            )));
        }
        text.tolerance("tolerance").map(Some)
    }

    pub(super) fn secrets(&self, provider: &Provider) -> Result<Vec<Secret>, SetupError> {
        Ok(self.secrets_if_any(provider)?.unwrap_or_default())
    }

    /// `None` if the file has neither secrets nor public keys.
    fn secrets_if_any(&self, provider: &Provider) -> Result<Option<Vec<Secret>>, SetupError> {
        let secrets = all_of((&self.secret, "secret"), (&self.secrets, "secrets"))?;
        let keys = all_of(
            (&self.public_key, "public_key"),
            (&self.public_keys, "public_keys"),
        )?;
        let keys = keys.filter(|_| !provider.names_public_key());
        if secrets.is_none() && keys.is_none() {
            return Ok(None);
        }
        let secrets = secrets.into_iter().flatten().map(SecretConfig::resolve);
        let keys = keys.into_iter().flatten().map(SecretConfig::resolve_public);
        secrets.chain(keys).collect::<Result<_, _>>().map(Some)
    }
}

/// The value of a parameter.
#[derive(Clone, PartialEq)]
enum Param {
    Text(String),
    List(Vec<String>),
}

impl Param {
    /// What the parameter may be, for messages.
    fn expected(name: &str, provider: &Provider) -> &'static str {
        if provider.takes_several(name) {
            "text in quotes, or a list of texts"
        } else {
            "text in quotes"
        }
    }

    fn fits(&self, name: &str, provider: &Provider) -> bool {
        matches!(self, Self::Text(_)) || provider.takes_several(name)
    }

    fn texts(self) -> Vec<String> {
        match self {
            Self::Text(text) => vec![text],
            Self::List(texts) => texts,
        }
    }

    fn set(self, name: String, provider: Provider) -> Provider {
        match self {
            Self::Text(text) => provider.with_param(name, text),
            Self::List(levels) => provider.with_levels(levels),
        }
    }
}

impl<'de> Deserialize<'de> for Param {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrList;

        impl<'de> Visitor<'de> for TextOrList {
            type Value = Param;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text in quotes")
            }

            fn visit_str<E>(self, text: &str) -> Result<Param, E> {
                Ok(Param::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<Param, A::Error> {
                let mut list = Vec::new();
                while let Some(text) = texts.next_element()? {
                    list.push(text);
                }
                Ok(Param::List(list))
            }
        }

        deserializer.deserialize_any(TextOrList)
    }
}

/// The value of `enforce`.
pub(super) fn enforcement(text: Option<&str>) -> Result<Enforcement, SetupError> {
    match text {
        None | Some("refuse") => Ok(Enforcement::Refuse),
        Some("log") => Ok(Enforcement::Log),
        Some(_) => Err(SetupError::new("enforce: expected \"refuse\" or \"log\"")),
    }
}

/// The secrets under the singular or the plural key. `None` if there is neither.
fn all_of<'c>(
    (one, singular): (&'c Option<SecretConfig>, &str),
    (several, plural): (&'c Option<Vec<SecretConfig>>, &str),
) -> Result<Option<&'c [SecretConfig]>, SetupError> {
    match (one, several) {
        (Some(one), None) => Ok(Some(std::slice::from_ref(one))),
        (None, Some(several)) => Ok(Some(several)),
        (Some(_), Some(_)) => Err(SetupError::new(format!(
            "{singular} and {plural} are mutually exclusive; move all of them to {plural}"
        ))),
        (None, None) => Ok(None),
    }
}
