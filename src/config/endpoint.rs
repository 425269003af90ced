//! One `[endpoints.NAME]`.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use crate::config::{
    secret::SecretConfig,
    value::{Entry, List, Scalar, Table},
};
use crate::{
    delivery_key::DeduplicateBy, error::SetupError, keys::secret::Secret, provider::Provider,
    scheme::timestamp::Tolerance, verify::verifier::Verifier,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Endpoint {
    provider: String,
    secret: Option<SecretConfig>,
    secrets: Option<List<SecretConfig>>,
    variant: Option<String>,
    tolerance: Option<Scalar>,
    max_body: Option<Scalar>,
    read_timeout: Option<Scalar>,
    url: Option<String>,
    client_id: Option<String>,
    family: Option<String>,
    missing_status: Option<String>,
    params: Option<Table<BTreeMap<String, String>>>,
    key: Option<String>,
}

impl Entry for Endpoint {
    const KIND: &'static str = "endpoint";
}

impl Endpoint {
    pub(super) fn provider(&self) -> &str {
        &self.provider
    }

    pub(super) fn read_timeout(&self) -> Result<Option<Duration>, SetupError> {
        let timeout = self.read_timeout.as_ref();
        timeout.map(Scalar::read_timeout).transpose()
    }

    /// For how long the same request is accepted, if a signed time limits that. Under several variants the longest.
    pub(super) fn window(&self, provider: Provider) -> Result<Option<Duration>, SetupError> {
        let provider = self.with_params(self.select_variant(provider)?)?;
        let own = self.tolerance(&provider)?;
        let compiled = provider.compile()?;
        let dated = compiled.schemes.iter().filter(|scheme| scheme.signs_time());
        let windows = dated.filter_map(|scheme| own.or(scheme.tolerance)?.width());
        Ok(windows.max())
    }

    pub(super) fn verifier(&self, provider: Provider) -> Result<Verifier, SetupError> {
        self.read_timeout()?;
        let provider = self.with_params(self.select_variant(provider)?)?;
        let provider = self.with_key(provider)?;
        let tolerance = self.tolerance(&provider)?;
        let max_body = self
            .max_body
            .as_ref()
            .map(|size| size.size("max_body"))
            .transpose()?;
        let mut verifier = Verifier::new(provider, self.secrets()?)?;
        if let Some(tolerance) = tolerance {
            verifier = verifier.with_tolerance(tolerance);
        }
        if let Some(max_body) = max_body {
            verifier = verifier.with_max_body(max_body);
        }
        Ok(verifier)
    }

    fn select_variant(&self, provider: Provider) -> Result<Provider, SetupError> {
        match self.variant.as_deref() {
            None | Some("auto") => Ok(provider),
            Some(name) => provider.select_variant(name),
        }
    }

    fn with_key(&self, provider: Provider) -> Result<Provider, SetupError> {
        let deduplicate_by = match self.key.as_deref() {
            None | Some("auto") => return Ok(provider),
            Some("delivery-id") => DeduplicateBy::Id,
            Some("body") => DeduplicateBy::Body,
            Some("body+event-type") => DeduplicateBy::BodyAndEventType,
            Some(_) => {
                return Err(SetupError::new(
                    "key: write \"auto\", \"delivery-id\", \"body\" or \"body+event-type\"; a secret goes into `secret`",
                ));
            }
        };
        Ok(provider.with_deduplicate_by(deduplicate_by))
    }

    fn with_params(&self, mut provider: Provider) -> Result<Provider, SetupError> {
        let own = [
            ("url", &self.url),
            ("client_id", &self.client_id),
            ("family", &self.family),
            ("missing_status", &self.missing_status),
        ];
        for (name, value) in own {
            if let Some(value) = value {
                provider = provider.with_param(name, value.clone());
            }
        }
        for (name, value) in self.params.iter().flat_map(|params| &params.0) {
            if provider.param(name).is_some_and(|other| other != value) {
                return Err(SetupError::new(format!(
                    "params.{name}: it is set twice, to different values; keep one"
                )));
            }
            provider = provider.with_param(name.clone(), value.clone());
        }
        Ok(provider)
    }

    fn tolerance(&self, provider: &Provider) -> Result<Option<Tolerance>, SetupError> {
        let Some(text) = &self.tolerance else {
            return Ok(None);
        };
        if provider
            .schemes()
            .all(|scheme| scheme.tolerance().is_none())
        {
            return Err(SetupError::new(format!(
                "tolerance: provider {} sends no timestamp that it could apply to; remove it",
                provider.name()
            )));
        }
        let tolerance = text.tolerance_or_off("tolerance")?;
        Ok(Some(tolerance.map_or_else(Tolerance::off, Tolerance::from)))
    }

    fn secrets(&self) -> Result<Vec<Secret>, SetupError> {
        match (&self.secret, &self.secrets) {
            (Some(secret), None) => Ok(vec![secret.resolve()?]),
            (None, Some(secrets)) => secrets.0.iter().map(SecretConfig::resolve).collect(),
            (Some(_), Some(_)) => Err(SetupError::new(
                "secret and secrets exclude each other; put all of them into secrets",
            )),
            (None, None) => Ok(Vec::new()),
        }
    }
}
