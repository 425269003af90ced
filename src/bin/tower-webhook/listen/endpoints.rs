//! [`Endpoints`]: what `listen` serves, and how a request finds its endpoint.

use std::path::Path;

use tower_webhook::{
    Config, Provider, WebhookVerifyLayer,
    capture::CapturedRequest,
    explain::{Budget, Providers, Report, Secrets, diagnose},
};

use crate::{
    clock,
    failure::{Failure, OrUndone, Result},
    listen::{Arguments, forward::Forward, service::Stack},
    output,
    target::{self, Target},
};

/// What `listen` serves.
pub(crate) struct Endpoints(Vec<Endpoint>);

/// One endpoint, with its layers.
pub(crate) struct Endpoint {
    pub(crate) name: String,
    pub(crate) stack: Stack,
    /// The endpoints that may accept a request to it: itself, or those of a group.
    members: Vec<Member>,
    pub(crate) max_body: usize,
}

struct Member {
    name: String,
    provider: Provider,
    providers: Providers,
    secrets: Secrets,
}

impl Endpoints {
    pub(crate) fn build(arguments: &Arguments, forward: Option<&Forward>) -> Result<Self> {
        match (&arguments.settings.config, &arguments.provider) {
            (Some(path), None) => Self::of_config(path, arguments, forward),
            (_, Some(name)) => Self::of_provider(name, arguments, forward),
            (None, None) => Err(Failure::usage(
                "there is nothing to listen for; name a configuration file with --config, or a provider with --provider",
            )),
        }
    }

    fn of_config(path: &Path, arguments: &Arguments, forward: Option<&Forward>) -> Result<Self> {
        let config = Config::from_path(path).map_err(|error| Failure::undone(error.to_string()))?;
        let mut without_keys = Vec::new();
        for warning in config.warnings(clock::now()) {
            output::warn(format_args!("endpoint {:?}: {warning}", warning.endpoint()));
            if warning.kind() == "key_source" {
                without_keys.push(warning.endpoint().to_owned());
            }
        }
        let names = config.endpoints();
        let names = names.filter(|name| !without_keys.iter().any(|other| other == name));
        let mut endpoints = Vec::new();
        for name in names {
            let layer = config.layer(name).or_undone(path.display())?;
            let members = config.members(name).map(|member| {
                let (providers, secrets) = config.suspects(member)?;
                let verifier = config.endpoint(member)?;
                Ok((
                    Member {
                        name: member.to_owned(),
                        provider: verifier.provider().clone(),
                        providers,
                        secrets,
                    },
                    verifier.max_body(),
                ))
            });
            let members: std::result::Result<Vec<_>, tower_webhook::SetupError> = members.collect();
            let members = members.or_undone(path.display())?;
            endpoints.push(Endpoint {
                max_body: members.iter().map(|(_, most)| *most).max().unwrap_or(0),
                members: members.into_iter().map(|(member, _)| member).collect(),
                stack: Stack::new(&clocked(layer, arguments), forward),
                name: name.to_owned(),
            });
        }
        if endpoints.is_empty() {
            return Err(Failure::undone(format!(
                "{}: it has no endpoint with keys; add one as [endpoints.NAME]",
                path.display()
            )));
        }
        Ok(Self(endpoints))
    }

    fn of_provider(name: &str, arguments: &Arguments, forward: Option<&Forward>) -> Result<Self> {
        let target = Target::find(name, &arguments.settings)?;
        let Target::Provider { provider, secrets } = &target else {
            return Err(Failure::usage(
                "--provider names an endpoint of --config; leave it out to listen for all of them",
            ));
        };
        target.verifiers()?;
        let verifier = target::verifier(provider, secrets)
            .map_err(|error| Failure::undone(error.to_string()))?
            .with_endpoint(name);
        for note in verifier.notes() {
            output::warn(note);
        }
        let member = Member {
            name: name.to_owned(),
            provider: (**provider).clone(),
            providers: Providers::new((**provider).clone()),
            secrets: Secrets::new(secrets.clone()),
        };
        Ok(Self(vec![Endpoint {
            name: name.to_owned(),
            max_body: verifier.max_body(),
            members: vec![member],
            stack: Stack::new(
                &clocked(WebhookVerifyLayer::new(verifier), arguments),
                forward,
            ),
        }]))
    }

    /// The names, for people.
    pub(crate) fn names(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|endpoint| &*endpoint.name).collect();
        names.join(", ")
    }

    /// The endpoint that the last part of a path names, or the only one.
    pub(crate) fn find(&self, path: &str) -> Option<&Endpoint> {
        let last = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or("");
        let named = self.0.iter().find(|endpoint| endpoint.name == last);
        match &*self.0 {
            [only] => named.or(Some(only)),
            _ => named,
        }
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Endpoint> {
        self.0.iter().find(|endpoint| endpoint.name == name)
    }
}

impl Endpoint {
    /// The request with what is known of where it was sent.
    pub(crate) fn about(&self, captured: CapturedRequest) -> CapturedRequest {
        let members = self.members.iter();
        let captured = members.fold(captured, |captured, member| {
            captured.with_provider(&member.provider)
        });
        captured.with_endpoint(self.name.as_str())
    }

    /// Explains a refusal by one of the members.
    pub(crate) fn explain(
        &self,
        member: Option<&str>,
        captured: &CapturedRequest,
        budget: Budget,
    ) -> Option<Report> {
        let named = |wanted: &str| self.members.iter().find(|member| member.name == wanted);
        let member = member.and_then(named).or(self.members.first())?;
        Some(diagnose(
            &member.providers,
            &member.secrets,
            captured,
            budget,
        ))
    }
}

/// The layer with the time of the arguments, if they set one.
fn clocked(layer: WebhookVerifyLayer, arguments: &Arguments) -> WebhookVerifyLayer {
    match arguments.now {
        Some(now) => layer.with_clock(move || now.0),
        None => layer,
    }
}
