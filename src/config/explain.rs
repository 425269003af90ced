//! What an explanation needs of a configuration.

use crate::{
    config::Config,
    error::SetupError,
    explain::{Providers, Secrets},
};

impl Config {
    /// What [`explain::diagnose`](crate::explain::diagnose) needs of an endpoint: its provider as
    /// it is configured with its limits, and its secrets, with those of all other endpoints as
    /// secrets that may have been used instead. Those are named by their endpoints, and by their
    /// ids if they have any: `orders/2026-11`.
    ///
    /// The secrets need not be usable. To read a file with such secrets, deserialize it, since
    /// [`from_path`](Self::from_path) refuses it.
    ///
    /// ```
    /// use tower_webhook::{Config, capture::CapturedRequest, explain::{Budget, diagnose}};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let config: Config = toml::from_str(r#"
    ///     [endpoints.code]
    ///     provider = "github"
    ///     secret   = "another-secret"
    ///
    ///     [endpoints.issues]
    ///     provider = "github"
    ///     secret   = "It's a Secret to Everybody"
    /// "#)?;
    /// let captured = CapturedRequest::read(b"\
    /// POST /code HTTP/1.1\r
    /// X-Hub-Signature-256: sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17\r
    /// \r
    /// Hello, World!")?;
    /// let (providers, secrets) = config.suspects("code")?;
    /// let report = diagnose(&providers, &secrets, &captured, Budget::default());
    /// assert_eq!(report.cause(), Some("other-secret:issues"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When there is no such endpoint, when its provider or its limits are invalid, or when a
    /// secret of it cannot be found.
    pub fn suspects(&self, name: &str) -> Result<(Providers, Secrets), SetupError> {
        self.built(name, |endpoint, provider| {
            let provider = endpoint.configured(provider)?;
            let tolerance = endpoint.tolerance(&provider)?;
            let mut secrets = Secrets::new(endpoint.secrets(&provider)?);
            let mut providers = Providers::new(provider);
            if let Some(tolerance) = tolerance {
                providers = providers.with_tolerance(tolerance);
            }
            if let Some(bytes) = endpoint.max_body()? {
                providers = providers.with_max_body(bytes);
            }
            for (other, endpoint) in self.endpoints.iter().filter(|(other, _)| *other != name) {
                // Mistakes of another endpoint are not those of this one.
                let provider = self.provider(endpoint.provider());
                let Ok(provider) = provider.and_then(|provider| endpoint.configured(provider))
                else {
                    continue;
                };
                for secret in endpoint.secrets(&provider).unwrap_or_default() {
                    let label = match &secret.id {
                        Some(id) => format!("{other}/{id}"),
                        None => other.clone(),
                    };
                    secrets = secrets.with_other(label, secret);
                }
                providers = providers.with_other(provider);
            }
            Ok((providers, secrets))
        })
    }
}
