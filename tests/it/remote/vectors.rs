//! The recorded requests of providers whose keys are fetched: the verdicts are those of pinned
//! keys, and nothing is fetched for a request that anything else refuses.

use std::{
    collections::BTreeMap,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::{HeaderName, Method};
use serde::Deserialize;
use support::vector_file;
use tower_webhook::{Provider, PublicKey, verify::Head};

use super::*;

/// The providers, with the address of their sets; `None` where the application looks keys up by
/// their ids.
const REMOTE: [(&str, Option<&str>); 8] = [
    ("bitso", None),
    ("circle", None),
    ("ebay", None),
    ("fal-ai", Some("https://rest.fal.ai/.well-known/jwks.json")),
    (
        "fireblocks-v2",
        Some("https://keys.fireblocks.io/.well-known/jwks.json"),
    ),
    (
        "google-pubsub",
        Some("https://www.googleapis.com/oauth2/v3/certs"),
    ),
    ("plaid", None),
    (
        "truelayer",
        Some("https://webhooks.truelayer.com/.well-known/jwks"),
    ),
];

#[derive(Deserialize)]
struct Entry {
    id: String,
    test_vectors: Vec<Value>,
}

#[derive(Clone, Deserialize)]
pub(super) struct Vector {
    pub(super) now: u64,
    jwks: Option<Value>,
    #[serde(default)]
    keys: BTreeMap<String, String>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
    method: Option<String>,
    url: Option<String>,
    path: Option<String>,
    #[serde(default)]
    params: BTreeMap<String, Value>,
    valid: bool,
    #[serde(default)]
    note: String,
}

/// The vectors that have fetched keys, by provider. The file is long.
static VECTORS: LazyLock<BTreeMap<String, Vec<Vector>>> = LazyLock::new(|| {
    let all: Value = serde_json::from_slice(&vector_file("schemes.json")).unwrap();
    let entries: Vec<Entry> = serde_json::from_value(all["providers"].clone()).unwrap();
    let of_entry = |entry: Entry| {
        let vectors = entry.test_vectors.into_iter();
        let vectors = vectors.filter_map(|vector| serde_json::from_value::<Vector>(vector).ok());
        let vectors = vectors.filter(|vector| vector.jwks.is_some() || !vector.keys.is_empty());
        (entry.id, vectors.collect())
    };
    entries.into_iter().map(of_entry).collect()
});

/// The first vector to be accepted.
pub(super) fn accepted(id: &str) -> Vector {
    let mut all = VECTORS[id].iter();
    all.find(|vector| vector.valid).unwrap().clone()
}

impl Vector {
    pub(super) fn provider(&self, id: &str) -> Provider {
        let provider = providers::by_name(id).unwrap();
        let provider = match id {
            "bitso" | "google-pubsub" => provider.accept_unsigned_body(),
            _ => provider,
        };
        let params = self.params.iter().filter_map(|(name, value)| {
            // The headers that TrueLayer has to sign are no setting.
            Some((name.clone(), value.as_str()?.to_owned()))
        });
        params.fold(provider, |provider, (name, value)| {
            provider.with_param(name, value)
        })
    }

    pub(super) fn set(&self) -> String {
        self.jwks.as_ref().unwrap().to_string()
    }

    /// Every key with its id.
    fn by_id(&self) -> BTreeMap<String, String> {
        let set = self.jwks.as_ref().and_then(|set| set["keys"].as_array());
        let members = set
            .into_iter()
            .flatten()
            .filter_map(|member| Some((member["kid"].as_str()?.to_owned(), member.to_string())));
        self.keys.clone().into_iter().chain(members).collect()
    }

    /// The verdict of an endpoint that has the keys.
    fn pinned(&self, id: &str) -> Result<(), RejectionKind> {
        let keys: Vec<Secret> = match &self.jwks {
            Some(set) => vec![PublicKey::new(set.to_string()).into()],
            None => {
                let keys = self.keys.iter();
                keys.map(|(id, key)| PublicKey::new(key).with_id(&**id).into())
                    .collect()
            }
        };
        let Ok(verifier) = Verifier::new(self.provider(id), keys) else {
            // A set without keys.
            return Err(RejectionKind::KeySourceFailed);
        };
        let headers: Vec<_> = self.headers.iter().collect();
        let target = self.target();
        let head = Head::new(&headers)
            .with_method(self.method.as_deref().unwrap_or("POST"))
            .with_target(&target);
        let verdict = verifier.verify(&head, self.body.clone(), at(self.now));
        verdict.map(drop).map_err(|rejection| rejection.kind())
    }

    fn target(&self) -> String {
        let url = self.url.as_deref().and_then(|url| url.split_once("://"));
        let from_url = url.and_then(|(_, rest)| Some(rest[rest.find('/')?..].to_owned()));
        let path = self.path.clone().or(from_url);
        path.unwrap_or_else(|| "/hook".to_owned())
    }

    pub(super) fn request(&self) -> Request<Full<Bytes>> {
        let method = self.method.as_deref().unwrap_or("POST");
        let mut request = Request::new(Full::from(self.body.clone()));
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        *request.uri_mut() = self.target().parse().unwrap();
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        request
    }
}

/// A source that has the keys of the vector, and how often it was asked.
fn source(
    vector: &Vector,
    id: &str,
    address: Option<&str>,
) -> (RemoteKeys, Box<dyn Fn() -> usize>) {
    match address {
        Some(address) => {
            let client = Recorder::serving(vector.set());
            let keys = RemoteKeys::of(&vector.provider(id)).unwrap();
            let address = address.to_owned();
            let asked = client.clone();
            let fetches = move || {
                assert!(asked.urls().iter().all(|url| *url == address));
                asked.fetches()
            };
            (keys.with_client(client), Box::new(fetches))
        }
        None => {
            let asked = Arc::new(AtomicUsize::new(0));
            let counter = Arc::clone(&asked);
            let known = vector.by_id();
            let keys = RemoteKeys::by_id(move |id| {
                counter.fetch_add(1, Ordering::SeqCst);
                let key = known.get(&id).cloned();
                async move { Ok(key.map(PublicKey::new)) }
            });
            (keys, Box::new(move || asked.load(Ordering::SeqCst)))
        }
    }
}

#[tokio::test(start_paused = true)]
async fn fetched_keys_give_the_verdicts_of_pinned_keys() {
    let (mut accepted, mut refused, mut unasked) = (0, 0, 0);
    for (id, address) in REMOTE {
        let vectors = &VECTORS[id];
        assert!(!vectors.is_empty(), "{id}");
        for vector in vectors {
            let what = format!("{id}: {}", vector.note);
            let pinned = vector.pinned(id);
            assert_eq!(pinned.is_ok(), vector.valid, "{what}");
            let (keys, fetches) = source(vector, id, address);
            let verifier = Verifier::from_remote_keys(vector.provider(id), keys).unwrap();
            let hook = Hook::of(verifier).at(vector.now);
            let verdict = hook.verdict(vector.request()).await;
            assert_eq!(verdict, pinned, "{what}");
            // The hash of the body is compared before a key is looked up.
            let is_of_another_body = id == "plaid" && vector.note.starts_with("body");
            let needs_key = match pinned {
                Ok(()) | Err(RejectionKind::KeySourceFailed) => true,
                Err(RejectionKind::SignatureMismatch) => !is_of_another_body,
                Err(_) => false,
            };
            assert_eq!(fetches(), usize::from(needs_key), "{what}");
            unasked += usize::from(!needs_key);
            *(if vector.valid {
                &mut accepted
            } else {
                &mut refused
            }) += 1;
        }
    }
    assert_eq!((accepted, refused, unasked), (15, 55, 28));
}

/// ConnectWise signs with a secret at an address that the body names.
#[tokio::test(start_paused = true)]
async fn a_body_names_an_address_within_the_configured_one() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::{Digest, Sha256};

    const WITHIN: &str = "https://na.myconnectwise.net/keys/";
    const KEY: &str = "the-signing-key-of-the-vendor";
    let sign = |body: &str| {
        let key = Sha256::digest(KEY);
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).unwrap();
        mac.update(body.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    };
    let document = json!({ "signing_key": KEY }).to_string();
    let named = |url: &str| json!({ "ID": 7, "Metadata": { "key_url": url } }).to_string();
    let good = named("https://na.myconnectwise.net/keys/k1");
    let twice = good.replace(
        "{\"key_url\"",
        "{\"key_url\":\"https://other.example/\",\"key_url\"",
    );
    let mismatch = Err(RejectionKind::SignatureMismatch);
    for (body, expected, fetched) in [
        (
            good.clone(),
            Ok(()),
            Some("https://na.myconnectwise.net/keys/k1"),
        ),
        (named("https://other.example/keys/k1"), mismatch, None),
        (named("http://na.myconnectwise.net/keys/k1"), mismatch, None),
        (
            named("https://na.myconnectwise.net/keys/a/k1"),
            mismatch,
            None,
        ),
        (
            named("https://na.myconnectwise.net@other.example/keys/k1"),
            mismatch,
            None,
        ),
        (twice, mismatch, None),
        ("{}".to_owned(), mismatch, None),
        ("no JSON".to_owned(), mismatch, None),
    ] {
        let client = Recorder::serving(&*document);
        let provider = providers::connectwise().with_param("key_url", WITHIN);
        let keys = RemoteKeys::of(&provider)
            .unwrap()
            .with_client(client.clone());
        let hook = Hook::of(Verifier::from_remote_keys(provider, keys).unwrap());
        let request = |body: &str| {
            let request = Request::post("/hook").header("x-content-signature", sign(body));
            request.body(Full::from(body.to_owned())).unwrap()
        };
        assert_eq!(hook.verdict(request(&body)).await, expected, "{body}");
        let fetched: Vec<&str> = fetched.into_iter().collect();
        assert_eq!(client.urls(), fetched, "{body}");
    }
    // Another document, or another key.
    for document in ["{}", "[]", r#"{"signing_key":7}"#, r#"{"signing_key":""}"#] {
        let client = Recorder::serving(document);
        let provider = providers::connectwise().with_param("key_url", WITHIN);
        let keys = RemoteKeys::of(&provider).unwrap().with_client(client);
        let hook = Hook::of(Verifier::from_remote_keys(provider, keys).unwrap());
        let request = Request::post("/hook").header("x-content-signature", sign(&good));
        let verdict = hook
            .verdict(request.body(Full::from(good.clone())).unwrap())
            .await;
        assert_eq!(verdict, Err(RejectionKind::KeySourceFailed), "{document}");
    }
}
