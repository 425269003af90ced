//! The endpoints of the table: a configuration, and beside it what no configuration says.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use support::at;
use tokio::sync::Notify;
use tower_webhook::{
    Config, Enforcement, Provider, Secret, Signer, WebhookVerifyLayer,
    delivery::DeliveryLayer,
    handshake::HandshakeLayer,
    keys::{KeySet, KeySource, Tenant, source_fn},
};

use crate::{
    deliveries::{Remembering, Witness},
    row::{Sign, directory},
};

/// When it is, wherever nothing else is said.
const NOW: u64 = 1_700_000_000;

/// Nothing here takes a hundredth of this; whoever waits so long waits for ever.
pub(crate) const HANG: Duration = Duration::from_secs(60);

pub(crate) struct Endpoints {
    config: Config,
    /// The same as data, for the secrets.
    document: toml::Table,
    options: BTreeMap<String, Options>,
}

/// What is special about a route, under the name of its endpoint.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Options {
    handler: Handler,
    /// Without it one. A route without a layer need not have an endpoint.
    layers: Option<usize>,
    /// Whether a hook changes the answer to a refusal.
    hook: bool,
    /// Unix seconds.
    clock: Option<u64>,
    /// Whether its keys are those of the tenant that the path names, and not the ones configured.
    tenants: bool,
    /// A file of `src/crypto/vectors/keys`, without `.pem`, by which its requests are signed.
    private_key: Option<String>,
    /// The delivery layer inside of all layers that verify.
    deliveries: Option<Remembering>,
    /// Whether something outside the layers takes the body away.
    taken: bool,
    /// Whether handshakes are answered, outside and inside of the layer.
    handshakes: bool,
}

/// What answers to an event.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Handler {
    /// Takes the bytes.
    #[default]
    Bytes,
    /// Takes a number that no event is.
    Number,
    /// Takes any JSON.
    Value,
    Authenteq,
    Authento,
    Idenfy,
    Voveid,
    /// Takes an event about a person.
    Identity,
    /// Answers 204.
    NoContent,
    /// Answers 502.
    Failure,
    /// Takes the bytes, says how often it was called, and does what the row wants: `Script`.
    Counting,
    /// Takes the event if there is one, or else says what it got instead.
    Optional,
}

/// What a host serves at `/hooks/NAME`, whatever the method and whatever comes after it in the
/// path.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) name: String,
    pub(crate) layers: Vec<WebhookVerifyLayer>,
    /// Outside and inside of these.
    pub(crate) handshake: Option<HandshakeLayer>,
    /// Inside of these.
    pub(crate) deliveries: Option<DeliveryLayer>,
    /// For the handler that counts.
    pub(crate) witness: Witness,
    pub(crate) handler: Handler,
    pub(crate) taken: bool,
}

impl Endpoints {
    pub(crate) fn load() -> Self {
        let text = fs::read_to_string(directory().join("endpoints.toml")).unwrap();
        let mut document: toml::Table = text.parse().unwrap_or_else(|error| panic!("{error}"));
        let options = document.remove("routes").unwrap().try_into().unwrap();
        let config: Config = document.clone().try_into().unwrap();
        config.check().unwrap_or_else(|error| panic!("{error}"));
        Self {
            config,
            document,
            options,
        }
    }

    fn options(&self, endpoint: &str) -> Options {
        self.options.get(endpoint).cloned().unwrap_or_default()
    }

    fn now(&self, endpoint: &str) -> u64 {
        self.options(endpoint).clock.unwrap_or(NOW)
    }

    /// Everything that a host has to serve, with stores of its own. Its layers tell `heard`.
    pub(crate) fn routes(&self, heard: &Heard) -> Vec<Route> {
        let witness = Witness::default();
        let bare = self
            .options
            .iter()
            .filter_map(|(name, options)| (options.layers == Some(0)).then_some(&**name));
        self.config
            .endpoints()
            .chain(bare)
            .map(|name| {
                let options = self.options(name);
                let layer = || self.layer(name, heard);
                let deliveries = options.deliveries.map(|remembering| {
                    let (heard, name) = (heard.clone(), name.to_owned());
                    let layer = remembering.layer(&witness);
                    layer.on_delivery(move |_, outcome| {
                        heard.add(&name, "delivery", outcome.as_str())
                    })
                });
                let layers = (0..options.layers.unwrap_or(1)).map(|_| layer());
                let layers: Vec<_> = layers.collect();
                let handshake = layers.first().filter(|_| options.handshakes);
                Route {
                    name: name.to_owned(),
                    handshake: handshake.map(HandshakeLayer::new),
                    layers,
                    deliveries,
                    witness: witness.clone(),
                    handler: options.handler,
                    taken: options.taken,
                }
            })
            .collect()
    }

    fn layer(&self, name: &str, heard: &Heard) -> WebhookVerifyLayer {
        let (now, heard, change) = (self.now(name), heard.clone(), self.options(name).hook);
        let route = name.to_owned();
        self.bare_layer(name)
            .with_clock(move || at(now))
            .on_rejection(move |rejection, response| {
                heard.add(&route, "refused", rejection.kind().as_str());
                if change {
                    *response.status_mut() = StatusCode::from_u16(498).unwrap();
                    let headers = response.headers_mut();
                    headers.clear();
                    headers.insert("x-hook", HeaderValue::from_static("was here"));
                }
            })
    }

    /// As configured, unless keys come from a source: a file cannot say which.
    fn bare_layer(&self, name: &str) -> WebhookVerifyLayer {
        let members = self.members(name);
        let mut names = members.iter().map(|name| &**name).chain([name]);
        if !names.any(|name| self.options(name).tenants) {
            return self.config.layer(name).unwrap();
        }
        let verifier = |name: &str| {
            let verifier = self.config.endpoint(name).unwrap();
            match self.options(name).tenants {
                true => verifier.with_key_source(source(self.provider(name))),
                false => verifier,
            }
        };
        let layer = match &*members {
            [] => WebhookVerifyLayer::new(verifier(name)),
            _ => WebhookVerifyLayer::any_of(members.iter().map(|name| verifier(name))).unwrap(),
        };
        let enforce = self.document["endpoints"][name].get("enforce");
        let layer = match enforce.and_then(toml::Value::as_str) {
            Some("log") => layer.with_enforcement(Enforcement::Log),
            _ => layer,
        };
        layer.with_key_timeout(Duration::from_millis(200))
    }

    /// The endpoints of which one has to accept a request to this one, if there are several.
    pub(crate) fn members(&self, endpoint: &str) -> Vec<String> {
        let endpoint = self.document["endpoints"].get(endpoint);
        let members = endpoint.and_then(|endpoint| endpoint.get("any_of"));
        members.map_or_else(Vec::new, |members| members.clone().try_into().unwrap())
    }

    /// Whoever signs the requests of an endpoint.
    pub(crate) fn signer(&self, endpoint: &str, sign: &Sign) -> Signer {
        let now = self.now(endpoint);
        let endpoint = match &sign.by {
            Some(other) => other,
            // Each of the groups is asked what it makes of GitHub's requests.
            None if !self.members(endpoint).is_empty() => "github",
            None => endpoint,
        };
        let mut provider = self.provider(endpoint);
        if let Some(name) = &sign.variant {
            provider = provider.select_variant(name).unwrap();
        }
        let secret = match &sign.secret {
            Some(text) => text.clone(),
            None => self.secret(endpoint, sign.key.as_deref()),
        };
        let signer = Signer::new(provider, Secret::new(secret)).unwrap();
        let signer = signer.with_time(at(sign.at.unwrap_or(now)));
        sign.fields.iter().fold(signer, |signer, (name, value)| {
            signer.with_field(name, value)
        })
    }

    fn provider(&self, endpoint: &str) -> Provider {
        self.config.endpoint(endpoint).unwrap().provider().clone()
    }

    /// The text of the secret with this id, or of the first.
    fn secret(&self, endpoint: &str, id: Option<&str>) -> String {
        if let Some(name) = self.options(endpoint).private_key {
            return private_key(&name);
        }
        let endpoint = &self.document["endpoints"][endpoint];
        let text = |secret: &toml::Value| secret["value"].as_str().unwrap().to_owned();
        match (endpoint.get("secret"), endpoint.get("secrets"), id) {
            (Some(secret), None, None) => secret.as_str().unwrap().to_owned(),
            (None, Some(secrets), None) => text(&secrets[0]),
            (None, Some(secrets), Some(id)) => {
                let mut secrets = secrets.as_array().unwrap().iter();
                text(
                    secrets
                        .find(|secret| secret["id"].as_str() == Some(id))
                        .unwrap(),
                )
            }
            (secret, _, _) => panic!("no such secret; there is {}", secret.is_some()),
        }
    }

    fn provider_name(&self, endpoint: &str) -> Value {
        let configured = self.document["endpoints"].get(endpoint);
        let provider = configured.and_then(|endpoint| endpoint.get("provider"));
        provider.map_or(Value::Null, |provider| provider.as_str().into())
    }

    /// The event that says no more than every event of this endpoint.
    pub(crate) fn facts_of_every_event(&self, endpoint: &str) -> Value {
        json!({
            "provider": self.provider_name(endpoint),
            "endpoint": endpoint,
            "tenant": null,
            "event_type": null,
            "delivery_id": null,
            "key_id": null,
            "variant": "hmac-sha256",
            "coverage": "body",
            "timestamp": null,
            "bytes": null,
            "identity": null,
            "parts": [],
            "typed": null,
            "restored": true,
            "calls": null,
        })
    }

    /// The refusal that says no more than every refusal of this endpoint.
    pub(crate) fn facts_of_every_refusal(&self, endpoint: &str) -> Value {
        json!({
            "kind": null,
            "provider": self.provider_name(endpoint),
            "endpoint": endpoint,
            "tenant": null,
            "header": null,
            "field": null,
            "skew": null,
            "length": null,
        })
    }

    /// The endpoints, each with its provider unless it is made of several.
    pub(crate) fn providers(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let endpoints = self.document["endpoints"].as_table().unwrap();
        endpoints.iter().map(|(name, endpoint)| {
            let provider = endpoint.get("provider");
            (&**name, provider.and_then(toml::Value::as_str))
        })
    }

    /// Whether the endpoint passes on what it does not verify.
    pub(crate) fn only_logs(&self, endpoint: &str) -> bool {
        let endpoint = self.document["endpoints"].get(endpoint);
        endpoint.is_some_and(|endpoint| endpoint.get("enforce").is_some())
    }
}

/// A key of the vectors, as PEM.
fn private_key(name: &str) -> String {
    const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/crypto/vectors/keys");
    fs::read_to_string(format!("{KEYS}/{name}.pem")).unwrap()
}

/// Asks nobody, but takes its time: a tenant by the last segment of the path.
fn source(provider: Provider) -> impl KeySource + 'static {
    source_fn(move |request| {
        let head = request.head;
        let provider = provider.clone();
        let tenant = head
            .path()
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        async move {
            tokio::task::yield_now().await;
            match &*tenant {
                "nobody" => Ok(None),
                "broken" => Err("the table of tenants is gone".into()),
                "silent" => std::future::pending().await,
                _ => {
                    let secret = Secret::new(format!("the-secret-of-tenant-{tenant}"));
                    Ok(Some(Tenant::new(tenant, KeySet::new(&provider, secret)?)))
                }
            }
        }
    })
}

/// What the hooks of one host have heard: `refused KIND` of a layer that verifies, `delivery
/// OUTCOME` of one that remembers.
#[derive(Clone, Default)]
pub(crate) struct Heard {
    counts: Arc<Mutex<Counts>>,
    changed: Arc<Notify>,
}

/// How often, by endpoint and what.
pub(crate) type Counts = BTreeMap<(String, String), usize>;

impl Heard {
    fn add(&self, endpoint: &str, what: &str, kind: &str) {
        let key = (endpoint.to_owned(), format!("{what} {kind}"));
        *self.counts.lock().unwrap().entry(key).or_default() += 1;
        self.changed.notify_one();
    }

    /// Waits until these were seen, and takes what was. What never comes is missing from it.
    pub(crate) async fn take(&self, expected: &Counts) -> Counts {
        let complete = async {
            loop {
                let seen = self.counts.lock().unwrap().clone();
                if expected
                    .iter()
                    .all(|(key, count)| seen.get(key).unwrap_or(&0) >= count)
                {
                    return;
                }
                self.changed.notified().await;
            }
        };
        // Whoever compares reports what is missing.
        let _late = tokio::time::timeout(HANG, complete).await;
        std::mem::take(&mut *self.counts.lock().unwrap())
    }
}
