//! [`Target`]: the provider or endpoint that a command is about.

use std::time::{Duration, SystemTime};

use http::Uri;
use tower_webhook::{
    Config, Provider, PublicKey, Rejection, Secret, SetupError, Signer, VerifiedEvent, Verifier,
    capture::CapturedRequest,
    explain::{self, Budget, Report, Secrets, Verdict},
    providers,
};

use crate::{
    arguments::{SecretArguments, SettingArguments},
    failure::{Failure, OrUndone, Result},
    input, output, request,
};

/// The parameter with the address that a provider signs.
const URL: &str = "url";

/// How a set-up begins to say that this parameter is missing.
const URL_MISSING: &str = "url: the scheme signs the URL";

/// The URL of the parameter `url`, whose query may be signed.
pub(crate) fn url_of(settings: &SettingArguments) -> Result<Option<Uri>> {
    let mut params = settings.param.iter();
    let url = params.find(|(name, _)| name == URL);
    let url = url.map(|(_, text)| request::url(text));
    url.transpose()
        .map_err(|problem| Failure::usage(format!("--param url: {problem}")))
}

/// What a command is about, with its secrets.
pub(crate) enum Target {
    /// An endpoint of a configuration file.
    Endpoint { config: Box<Config>, name: String },
    /// A provider, with what the arguments set.
    Provider {
        provider: Box<Provider>,
        secrets: Vec<Secret>,
    },
}

impl Target {
    /// Finds an endpoint of the configuration file, or else a provider.
    pub(crate) fn find(name: &str, settings: &SettingArguments) -> Result<Self> {
        let Some(path) = &settings.config else {
            let provider = providers::by_name(name);
            let provider = provider.ok_or_else(|| Failure::usage(unknown_provider(name)))?;
            return Self::of_provider(provider, settings);
        };
        let config = lenient_config(path)?;
        if !config.endpoints().any(|known| known == name) {
            let provider = config.provider(name).map_err(|error| {
                let known: Vec<&str> = config.endpoints().collect();
                Failure::usage(format!(
                    "{name:?} is no endpoint of {}, which has {}; and as a provider: {error}",
                    path.display(),
                    if known.is_empty() {
                        "none".to_owned()
                    } else {
                        known.join(", ")
                    }
                ))
            })?;
            return Self::of_provider(provider, settings);
        }
        if settings.secrets.is_any() || settings.variant.is_some() || !settings.param.is_empty() {
            return Err(Failure::usage(format!(
                "endpoint {name:?} has its secrets and settings in {}; leave them out, or name a provider instead of the \
                 endpoint",
                path.display()
            )));
        }
        Ok(Self::Endpoint {
            config: Box::new(config),
            name: name.to_owned(),
        })
    }

    pub(crate) fn of_provider(mut provider: Provider, settings: &SettingArguments) -> Result<Self> {
        if let Some(variant) = settings.variant.as_deref() {
            let selected = provider.select_variant(variant);
            provider = selected.map_err(|error| Failure::usage(format!("--{error}")))?;
        }
        let known = provider.param_names();
        for (name, value) in &settings.param {
            if !known.contains(name) {
                return Err(Failure::usage(match &*known {
                    [] => format!("--param: provider {} has no parameters", provider.name()),
                    known => format!(
                        "--param: provider {} has no such parameter; it has {}",
                        provider.name(),
                        known.join(", ")
                    ),
                }));
            }
            provider = provider.with_param(name.clone(), value.clone());
        }
        Ok(Self::Provider {
            provider: Box::new(provider),
            secrets: settings.secrets.read()?,
        })
    }

    /// Signs `url` where the provider signs the address and no parameter says which.
    pub(crate) fn with_default_url(self, url: &str, settings: &SettingArguments) -> Self {
        match self {
            Self::Provider { provider, secrets }
                if provider.param_names().iter().any(|name| name == URL)
                    && !settings.param.iter().any(|(name, _)| name == URL) =>
            {
                Self::Provider {
                    provider: Box::new(provider.with_param(URL, url.to_owned())),
                    secrets,
                }
            }
            target => target,
        }
    }

    /// The name of the provider; of the endpoint, if it has several.
    pub(crate) fn provider_name(&self) -> String {
        match self {
            Self::Endpoint { config, name } => {
                let verifier = config.endpoint(name);
                verifier.map_or_else(
                    |_| name.clone(),
                    |verifier| verifier.provider().name().to_owned(),
                )
            }
            Self::Provider { provider, .. } => provider.name().to_owned(),
        }
    }

    pub(crate) fn endpoint_name(&self) -> Option<&str> {
        match self {
            Self::Endpoint { name, .. } => Some(name),
            Self::Provider { .. } => None,
        }
    }

    /// The headers that carry signatures.
    pub(crate) fn signature_headers(&self) -> Vec<String> {
        match self {
            Self::Endpoint { config, name } => {
                let verifier = config.endpoint(name);
                verifier.map_or_else(
                    |_| Vec::new(),
                    |verifier| verifier.provider().signature_headers().collect(),
                )
            }
            Self::Provider { provider, .. } => provider.signature_headers().collect(),
        }
    }

    /// What signs requests, with the first secret.
    pub(crate) fn signer(&self) -> Result<Signer> {
        match self {
            Self::Endpoint { config, name } => config.signer(name).map_err(not_built),
            Self::Provider { provider, secrets } => {
                let secret = secrets.first().cloned();
                let secret = match secret {
                    Some(secret) => secret,
                    // A scheme may have no key.
                    None => match Verifier::new((**provider).clone(), Vec::new()) {
                        Ok(_) => Secret::new(""),
                        Err(_) => return Err(no_secret()),
                    },
                };
                Signer::new((**provider).clone(), secret).map_err(not_signing)
            }
        }
    }

    /// What verifies requests: for a group, the verifier of each member.
    pub(crate) fn verifiers(&self) -> Result<Vec<Verifier>> {
        match self {
            Self::Endpoint { config, name } => config
                .members(name)
                .map(|member| config.endpoint(member).map_err(not_built))
                .collect(),
            Self::Provider { provider, secrets } => {
                Ok(vec![verifier(provider, secrets).map_err(not_built)?])
            }
        }
    }

    /// Verifies a captured request at a time.
    pub(crate) fn verify(
        &self,
        captured: &CapturedRequest,
        time: SystemTime,
    ) -> Result<std::result::Result<VerifiedEvent, Box<Rejection>>> {
        let verifiers = self.verifiers()?;
        for note in verifiers.iter().flat_map(Verifier::notes) {
            output::warn(note);
        }
        let body = captured.body().clone();
        let event = Verifier::verify_any(&verifiers, &captured.head(), body, time);
        Ok(event.map_err(Box::new))
    }

    /// Explains a captured request: of a group, for the member that explains it with fewest causes.
    pub(crate) fn explain(
        &self,
        captured: &CapturedRequest,
        options: &ExplainOptions,
    ) -> Result<Report> {
        let suspects = match self {
            Self::Endpoint { config, name } => {
                let members = config.members(name).map(|member| {
                    let (providers, secrets) = config.suspects(member).map_err(not_built)?;
                    let captured = match captured.endpoint() {
                        Some(_) if member == name => captured.clone(),
                        _ => captured.clone().with_endpoint(member),
                    };
                    Ok((providers, secrets, captured))
                });
                members.collect::<Result<Vec<_>>>()?
            }
            Self::Provider { provider, secrets } => {
                if secrets.is_empty() && options.env_files.is_empty() {
                    verifier(provider, secrets).map_err(not_built)?;
                }
                let secrets = Secrets::new(secrets.clone());
                let providers = explain::Providers::new((**provider).clone());
                vec![(providers, secrets, captured.clone())]
            }
        };
        let count = u32::try_from(suspects.len()).unwrap_or(u32::MAX).max(1);
        let budget = options.budget.checked_div(count).unwrap_or(options.budget);
        let reports = suspects
            .into_iter()
            .map(|(mut providers, mut secrets, captured)| {
                for text in &options.env_files {
                    secrets = secrets.with_env_file(text);
                }
                for path in &options.mounts {
                    providers = providers.with_mount(path.clone());
                }
                explain::diagnose(&providers, &secrets, &captured, Budget::from(budget))
            });
        // To another member, the secret of the one that it is for is another secret.
        let best = reports.min_by_key(|report| {
            let verdict = match report.verdict() {
                Verdict::Genuine => 0,
                Verdict::Proven => 1,
                Verdict::Likely => 2,
                Verdict::Incomplete => 3,
                _ => 4,
            };
            (verdict, report.causes().len())
        });
        best.ok_or_else(|| Failure::undone("there is no endpoint to explain the request for"))
    }

    /// Whether the token that the endpoint verifies was left out of a capture.
    pub(crate) fn lacks_token(&self, captured: &CapturedRequest) -> Result<bool> {
        let verifiers = self.verifiers()?;
        let mut providers = verifiers.iter().map(Verifier::provider);
        Ok(providers.any(|provider| captured.lacks_token(provider)))
    }
}

/// What an explanation may use, and how long it may take.
pub(crate) struct ExplainOptions {
    pub(crate) budget: Duration,
    /// The texts of files with other secrets.
    pub(crate) env_files: Vec<String>,
    pub(crate) mounts: Vec<String>,
}

impl ExplainOptions {
    pub(crate) fn with_budget(budget: Duration) -> Self {
        Self {
            budget,
            env_files: Vec::new(),
            mounts: Vec::new(),
        }
    }
}

/// A verifier, also of a provider that does not sign the body: whoever asks gets the coverage with
/// the answer.
pub(crate) fn verifier(
    provider: &Provider,
    secrets: &[Secret],
) -> std::result::Result<Verifier, SetupError> {
    let refused = match Verifier::new(provider.clone(), secrets) {
        Ok(verifier) => return Ok(verifier),
        Err(refused) => refused,
    };
    let accepting = provider.clone().accept_unsigned_body();
    Verifier::new(accepting, secrets).map_err(|_| refused)
}

/// As [`not_built`], of `sign`, which has an option for the address; `send` and `replay` know it.
fn not_signing(error: SetupError) -> Failure {
    if error.to_string().starts_with(URL_MISSING) {
        return Failure::usage(
            "the provider signs the address of the request; set --url to the one that is registered with it",
        );
    }
    not_built(error)
}

#[expect(clippy::needless_pass_by_value, reason = "an argument of map_err")]
fn not_built(error: SetupError) -> Failure {
    let text = error.to_string();
    if text.ends_with(": none is set; set at least one") {
        return no_secret();
    }
    // The text is of a configuration file, and here it is about arguments.
    if text.lines().any(|line| line.starts_with("params.")) {
        let lines: Vec<_> = text.lines().map(as_argument).collect();
        return Failure::usage(lines.join("\n"));
    }
    if text.starts_with(URL_MISSING) {
        return Failure::usage(
            "the provider signs the address of the request; set the one that is registered with it with --param url=URL",
        );
    }
    if let Some(problem) = text.strip_prefix("url: ") {
        return Failure::usage(format!("--param url: {problem}"));
    }
    if let Some(problem) = text.strip_prefix("any_of: ") {
        return Failure::usage(problem.to_owned());
    }
    Failure::undone(text)
}

/// The line of a mistake, with the argument that mends it.
fn as_argument(line: &str) -> String {
    let mistake = line.strip_prefix("params.");
    match mistake.and_then(|mistake| mistake.split_once(": ")) {
        Some((name, problem)) => format!("{name}: {problem}, with --param {name}=VALUE"),
        None => line.to_owned(),
    }
}

fn no_secret() -> Failure {
    Failure::usage(
        "there is no secret; name a variable or a file that holds it with --secret-env or --secret-file, or pipe it in with \
         --secret-stdin; a public key with --key",
    )
}

/// What is wrong with the name of a provider, and the one to use.
pub(crate) fn unknown_provider(name: &str) -> String {
    // The configuration knows unsupported senders and typing errors.
    let known = Config::from_toml_str("").and_then(|config| config.provider(name).map(drop));
    let problem = match known {
        Err(error) => error.to_string(),
        Ok(()) => "is unknown".to_owned(),
    };
    let problem = problem.strip_prefix("provider: ").unwrap_or(&problem);
    let mut near = providers::find(name).map(|known| known.name());
    match (problem.contains("is not built in"), near.next()) {
        (true, Some(near)) => format!("PROVIDER: {name:?} is unknown; did you mean {near:?}?"),
        (true, None) => format!(
            "PROVIDER: {name:?} is not built in; `tower-webhook providers` lists those that are, and --config names a file \
             with others"
        ),
        (false, _) => format!("PROVIDER: {problem}"),
    }
}

/// Reads a configuration file with all its mistakes in other endpoints than the one in question.
fn lenient_config(path: &std::path::Path) -> Result<Config> {
    const MOST: usize = 4 << 20;
    let text = String::from_utf8(input::read(path, MOST)?);
    let text = text.map_err(|_| Failure::undone(format!("{}: it is not UTF-8", path.display())))?;
    // The error of the parser quotes the file, which may hold secrets; that of the configuration
    // does not.
    toml::from_str(&text).or_else(|_| Config::from_toml_str(&text).or_undone(path.display()))
}

impl SecretArguments {
    fn is_any(&self) -> bool {
        self.secret_stdin
            || self.key_id.is_some()
            || !(self.secret_env.is_empty()
                && self.secret_file.is_empty()
                && self.key.is_empty()
                && self.key_env.is_empty())
    }

    /// Reads the secrets, and then the public keys.
    fn read(&self) -> Result<Vec<Secret>> {
        let from_env = self.secret_env.iter().map(|name| Secret::from_env(name));
        let from_files = self.secret_file.iter().map(Secret::from_file);
        let mut secrets = from_env
            .chain(from_files)
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|error| Failure::undone(error.to_string()))?;
        if self.secret_stdin {
            secrets.push(from_stdin()?);
        }
        let keys = self.key.iter().map(PublicKey::from_file);
        let keys = keys.chain(self.key_env.iter().map(|name| PublicKey::from_env(name)));
        for key in keys {
            let key = key.map_err(|error| Failure::undone(error.to_string()))?;
            secrets.push(key.into());
        }
        if let Some(id) = &self.key_id {
            let first = secrets.first_mut();
            let first = first.ok_or_else(no_secret)?;
            *first = first.clone().with_id(id.as_str());
        }
        Ok(secrets)
    }
}

/// The secret on standard input, without a line break that ends it.
fn from_stdin() -> Result<Secret> {
    const MOST: usize = 64 << 10;
    let text = String::from_utf8(input::read("-".as_ref(), MOST)?);
    let text = text.map_err(|_| Failure::undone("--secret-stdin: it is not UTF-8"))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::new(text.strip_suffix('\r').unwrap_or(text)))
}
