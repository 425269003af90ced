//! The table `[endpoints.NAME]` with `any_of`: endpoints of which one has to accept a request.

use serde::Deserialize;

use crate::config::{
    endpoint::{EndpointConfig, enforcement},
    value::Scalar,
};
use crate::{
    error::{SetupError, nearest},
    tower::{layer::WebhookVerifyLayer, options::Enforcement},
    verify::verifier::Verifier,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupConfig {
    any_of: Vec<String>,
    enforce: Option<String>,
    read_timeout: Option<Scalar>,
}

impl GroupConfig {
    pub(super) fn members(&self) -> impl Iterator<Item = &str> {
        self.any_of.iter().map(|name| &**name)
    }

    pub(super) fn enforcement(&self) -> Result<Enforcement, SetupError> {
        enforcement(self.enforce.as_deref())
    }

    /// All mistakes of the group, except those of its members. `find` returns an endpoint, and
    /// whether there is a group of a name.
    pub(super) fn mistakes<'c>(
        &self,
        find: impl Fn(&str) -> Option<&'c EndpointConfig>,
        is_group: impl Fn(&str) -> bool,
        known: &[&str],
    ) -> Vec<SetupError> {
        let mut mistakes = Vec::new();
        let refused = |text: String| SetupError::new(format!("any_of: {text}"));
        let most = WebhookVerifyLayer::MAX_ANY_OF;
        if !(2..=most).contains(&self.any_of.len()) {
            let count = self.any_of.len();
            mistakes.push(refused(format!(
                "there are {count} endpoints; name 2 to {most}"
            )));
        }
        for (place, name) in self.any_of.iter().enumerate() {
            let earlier = self.any_of.get(..place).unwrap_or_default();
            if earlier.contains(name) {
                mistakes.push(refused(format!("{name:?} occurs twice; name each once")));
                continue;
            }
            if is_group(name) {
                mistakes.push(refused(format!(
                    "{name:?} has any_of itself; name its endpoints instead"
                )));
                continue;
            }
            match find(name) {
                None => mistakes.push(refused(format!(
                    "endpoint {name:?} is not configured; {}",
                    nearest(name, known)
                ))),
                Some(endpoint) if endpoint.needs_key_source() => mistakes.push(refused(format!(
                    "endpoint {name:?} has its keys from a source; build the layer in code, with WebhookVerifyLayer::any_of"
                ))),
                Some(endpoint) if endpoint.has_enforce() => mistakes.push(refused(format!(
                    "endpoint {name:?} has enforce, which counts only for its own route; write it here instead"
                ))),
                Some(_) => {}
            }
        }
        mistakes.extend(self.enforcement().err());
        let timeout = self.read_timeout.as_ref().map(Scalar::read_timeout);
        mistakes.extend(timeout.and_then(Result::err));
        mistakes
    }

    pub(super) fn layer(&self, members: Vec<Verifier>) -> Result<WebhookVerifyLayer, SetupError> {
        let mut layer = WebhookVerifyLayer::any_of(members)?;
        if let Some(timeout) = &self.read_timeout {
            layer = layer.with_read_timeout(timeout.read_timeout()?);
        }
        let enforcement = self.enforcement()?;
        if enforcement != Enforcement::Refuse {
            layer = layer.with_enforcement(enforcement);
        }
        Ok(layer)
    }
}
