//! [`Verifier`]: the synchronous core, without a runtime, a framework or a clock.

use std::{fmt, sync::Arc, time::SystemTime};

use bytes::Bytes;

use crate::{
    challenge::registration::Registration,
    compiled::scheme::Compiled,
    endpoint::Endpoint,
    error::SetupError,
    event::VerifiedEvent,
    head::Head,
    keys::{key_set::KeySet, secret::Secret, source::KeySource},
    note::Note,
    provider::Provider,
    rejection::{Reason, Rejection, kind::RejectionKind},
    scheme::timestamp::Tolerance,
    verify::{head::CheckedHead, hints},
};
#[cfg(feature = "remote-keys")]
use crate::{keys::remote::RemoteKeys, verify::body::Comparison};

/// Checks requests of one provider with the keys of one endpoint.
///
/// A layer does this for a route. Without one, it verifies requests from a queue or a test:
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_webhook::{Secret, Verifier, providers, verify::Head};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = Secret::new("It's a Secret to Everybody");
/// let verifier = Verifier::new(providers::github(), secret)?;
///
/// // The example on GitHub's page.
/// let headers = [(
///     "X-Hub-Signature-256",
///     "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
/// )];
/// let event = verifier.verify(&Head::new(&headers), "Hello, World!", SystemTime::UNIX_EPOCH)?;
/// assert_eq!(event.body(), "Hello, World!");
/// assert!(verifier.verify(&Head::new(&headers), "Hello, world!", SystemTime::UNIX_EPOCH).is_err());
/// # Ok(())
/// # }
/// ```
///
/// # Which limit applies
///
/// Limits can be set in several places. The first of these that sets one decides:
///
/// | | 1. the endpoint | 2. the provider | 3. without either |
/// | --- | --- | --- | --- |
/// | longest body | [`with_max_body`](Self::with_max_body) | [`Provider::with_max_body`] | 1 MiB |
/// | time for a body to arrive | `WebhookVerifyLayer::with_read_timeout` | [`Provider::with_read_timeout`] | 10 s |
/// | distance of a timestamp from the clock | [`with_tolerance`](Self::with_tolerance) | [`Timestamp::with_tolerance`](crate::scheme::Timestamp::with_tolerance) of its scheme | 5 minutes on both sides |
///
/// In a configuration file, `max_body`, `read_timeout` and `tolerance` of `[endpoints.NAME]` are
/// column 1; `max_body`, `read_timeout` and `timestamp.tolerance` of `[providers.NAME]` are column
/// 2.
#[derive(Clone)]
pub struct Verifier {
    endpoint: Arc<Endpoint>,
}

impl Verifier {
    /// A verifier for `provider`, with one secret or, during a rotation, several. Tolerance and
    /// body limit are the provider's.
    ///
    /// # Errors
    ///
    /// When the provider's scheme is not sound, and for each reason of [`KeySet::new`].
    pub fn new(provider: Provider, secrets: impl Into<Vec<Secret>>) -> Result<Self, SetupError> {
        let compiled = provider.compile()?;
        let look = provider.secret_look();
        let keys = KeySet::for_schemes(&compiled.schemes, look, secrets.into())?;
        Self::build(provider, compiled, keys)
    }

    /// A verifier whose keys are [looked up](crate::keys) for each request, by the layer. Without a
    /// layer it has no keys: pass them to [`CheckedHead::with_tenant`].
    ///
    /// # Errors
    ///
    /// When the provider's scheme is not sound.
    pub fn from_key_source(
        provider: Provider,
        source: impl KeySource + 'static,
    ) -> Result<Self, SetupError> {
        let compiled = provider.compile()?;
        let keys = KeySet::none(&compiled.schemes);
        Ok(Self::build(provider, compiled, keys)?.with_key_source(source))
    }

    /// A verifier whose keys are [fetched](crate::keys::RemoteKeys), by the layer. Without a layer,
    /// [`verify_with_remote_keys`](Self::verify_with_remote_keys) fetches them.
    ///
    /// # Errors
    ///
    /// When the provider's scheme is not sound, or when it signs with a secret.
    #[cfg(feature = "remote-keys")]
    pub fn from_remote_keys(provider: Provider, keys: RemoteKeys) -> Result<Self, SetupError> {
        provider.check_remote_keys()?;
        let compiled = provider.compile()?;
        let none = KeySet::none(&compiled.schemes);
        let mut verifier = Self::build(provider, compiled, none)?;
        verifier.endpoint_mut().set_late_keys(Arc::new(keys));
        Ok(verifier)
    }

    /// A verifier that has no keys, and looks none up: pass them to [`CheckedHead::with_keys`].
    #[cfg(any(feature = "config", feature = "explain"))]
    pub(crate) fn without_keys(provider: Provider) -> Result<Self, SetupError> {
        let compiled = provider.compile()?;
        let keys = KeySet::none(&compiled.schemes);
        Self::build(provider, compiled, keys)
    }

    fn build(provider: Provider, compiled: Compiled, keys: KeySet) -> Result<Self, SetupError> {
        Ok(Self {
            endpoint: Arc::new(Endpoint::new(provider, compiled, keys)?),
        })
    }

    /// Sets the name of this endpoint in events, rejections and logs.
    #[must_use]
    pub fn with_endpoint(mut self, name: impl Into<Arc<str>>) -> Self {
        let labels = &mut self.endpoint_mut().labels;
        Arc::make_mut(labels).endpoint = Some(name.into());
        self
    }

    /// Sets how far a timestamp may be from the clock, in whole seconds. A scheme without a
    /// timestamp ignores it. See [which limit applies](Self#which-limit-applies).
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: impl Into<Tolerance>) -> Self {
        self.endpoint_mut().tolerance = Some(tolerance.into());
        self
    }

    /// Sets the longest body, in bytes. See [which limit applies](Self#which-limit-applies).
    #[must_use]
    pub fn with_max_body(mut self, bytes: usize) -> Self {
        self.endpoint_mut().max_body = bytes;
        self
    }

    /// Makes the layer [look up](crate::keys) the keys of each request, instead of using those of
    /// the verifier.
    #[must_use]
    pub fn with_key_source(mut self, source: impl KeySource + 'static) -> Self {
        self.endpoint_mut().set_source(Arc::new(source));
        self
    }

    /// The provider whose requests are checked.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.endpoint.provider
    }

    /// The name given by [`with_endpoint`](Self::with_endpoint).
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.name()
    }

    /// The longest body, in bytes.
    #[must_use]
    pub fn max_body(&self) -> usize {
        self.endpoint.max_body
    }

    /// The keys of this endpoint.
    #[must_use]
    pub fn keys(&self) -> &KeySet {
        &self.endpoint.keys
    }

    /// What is suspicious about this endpoint: secrets that cannot be right by their look, secrets
    /// or ids that occur twice, and weaknesses of the scheme. A layer logs each at WARN when it is
    /// created.
    ///
    /// ```
    /// use tower_webhook::{NoteKind, Secret, Verifier, providers};
    ///
    /// let verifier = Verifier::new(providers::stripe(), Secret::new("${STRIPE_SECRET}"))?;
    /// let kinds: Vec<NoteKind> = verifier.notes().iter().map(|note| note.kind()).collect();
    /// assert_eq!(kinds, [NoteKind::PlaceholderSecret]);
    /// # Ok::<_, tower_webhook::SetupError>(())
    /// ```
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        self.endpoint.notes()
    }

    /// Whether this endpoint expects its provider to hand it a secret. Copies of the verifier share
    /// it.
    #[must_use]
    pub fn registration(&self) -> Registration {
        self.endpoint.registration.clone()
    }

    pub(crate) fn shared(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// Copy-on-write access to the endpoint.
    fn endpoint_mut(&mut self) -> &mut Endpoint {
        Arc::make_mut(&mut self.endpoint)
    }

    /// Checks what the head alone can show. It needs no key and no body.
    ///
    /// # Errors
    ///
    /// When the request is refused whatever its body is.
    pub fn check_head(&self, head: &Head<'_>, now: SystemTime) -> Result<CheckedHead, Rejection> {
        CheckedHead::new(&self.endpoint, head, 0, now)
            .map_err(|rejection| hints::about(rejection, &self.endpoint, head))
    }

    /// Checks a complete request with the verifier's own keys.
    ///
    /// # Errors
    ///
    /// When the request is not proven to come from the provider.
    pub fn verify(
        &self,
        head: &Head<'_>,
        body: impl Into<Bytes>,
        now: SystemTime,
    ) -> Result<VerifiedEvent, Rejection> {
        let verify = || {
            let checked = CheckedHead::new(&self.endpoint, head, 0, now)?;
            let mut request = checked.with_keys(self.keys())?;
            request.update(body.into())?;
            request.verify()
        };
        verify().map_err(|rejection| hints::about(rejection, &self.endpoint, head))
    }
}

#[cfg(feature = "remote-keys")]
impl Verifier {
    /// Checks a complete request with keys that are [fetched](Self::from_remote_keys), for a
    /// request from a queue or a server without a layer. A verifier with its own keys does as
    /// [`verify`](Self::verify) does.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use tower_webhook::{PublicKey, Verifier, keys::RemoteKeys, providers, verify::Head};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// let keys = RemoteKeys::by_id(|id| async move {
    ///     // The vendor's API would be called here.
    ///     let key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEwO6wdQ+Ihu9P+LiVIk77fI9ZARbjOyAbOO5CgPKGg47gCVGXHRExeOOvC6zXviFnm9xAjyCRoLOeVqd1lT3unA==";
    ///     Ok((id == "879dc113-5ca4-4ff7-a6b7-54652083fcf8").then(|| PublicKey::new(key)))
    /// });
    /// let verifier = Verifier::from_remote_keys(providers::circle(), keys)?;
    ///
    /// let headers = [
    ///     ("X-Circle-Key-Id", "879dc113-5ca4-4ff7-a6b7-54652083fcf8"),
    ///     (
    ///         "X-Circle-Signature",
    ///         "MEUCICVxIFL4MIaMOUoW8zHVVdLrZyFFuvKQ2+fjp2n/ynpwAiEAgLAd58vgIrjRPqMfWUUsa29XXI8PuJykI5P/mkugfkA=",
    ///     ),
    /// ];
    /// let body = r#"{"id":"evt_1","type":"order.paid","data":{"amount":1200,"note":"héllo ✓"}}"#;
    /// let (head, now) = (Head::new(&headers), SystemTime::now());
    /// let event = verifier.verify_with_remote_keys(&head, body, now).await?;
    /// assert_eq!(event.key_id(), Some("879dc113-5ca4-4ff7-a6b7-54652083fcf8"));
    /// assert!(verifier.verify_with_remote_keys(&head, "{}", now).await.is_err());
    /// # Ok(()) })
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the request is not proven to come from the provider, or when its key cannot be fetched.
    pub fn verify_with_remote_keys<B: Into<Bytes>>(
        &self,
        head: &Head<'_>,
        body: B,
        now: SystemTime,
    ) -> impl Future<Output = Result<VerifiedEvent, Rejection>> + Send + use<B> {
        let compare = || {
            if self.endpoint.late_keys.is_none() {
                return self.verify(head, body, now).map(Err);
            }
            let checked = CheckedHead::new(&self.endpoint, head, 0, now)
                .map_err(|rejection| hints::about(rejection, &self.endpoint, head))?;
            let mut request = checked.without_keys();
            request.update(body.into())?;
            Ok(Ok(request.compare()))
        };
        let compared: Result<Result<Comparison, VerifiedEvent>, Rejection> = compare();
        async move {
            let mut comparison = match compared? {
                Ok(comparison) => comparison,
                Err(event) => return Ok(event),
            };
            if let Some(keys) = comparison.ask_for_keys() {
                comparison.add_keys(keys.await)?;
            }
            while comparison.step() {}
            comparison.conclude().map_err(|refused| refused.rejection)
        }
    }
}

impl Verifier {
    /// Checks a complete request for several endpoints, of which one has to accept it, as
    /// `WebhookVerifyLayer::any_of` does. All are tried with their own keys, in the order of their
    /// [names](Self::with_endpoint).
    ///
    /// # Errors
    ///
    /// When none accepts it: the refusal is that of the endpoint that got furthest, and of equals
    /// the first by name.
    ///
    /// # Panics
    ///
    /// When `verifiers` is empty.
    pub fn verify_any(
        verifiers: &[Self],
        head: &Head<'_>,
        body: impl Into<Bytes>,
        now: SystemTime,
    ) -> Result<VerifiedEvent, Rejection> {
        let body = body.into();
        let mut sorted: Vec<&Self> = verifiers.iter().collect();
        sorted.sort_by(|one, other| one.endpoint().cmp(&other.endpoint()));
        // The signature for one of them may be one for another, which has the same secret.
        let forgeable = |verifier: &&&Self| verifier.endpoint.is_forgeable(&body);
        if let Some(verifier) = sorted.iter().find(forgeable) {
            let reason = Reason::new(RejectionKind::ForgeableBody);
            let rejection = Rejection::new(reason, &verifier.endpoint.labels);
            return Err(hints::about(rejection, &verifier.endpoint, head));
        }
        let mut refused = Vec::new();
        for verifier in sorted {
            match verifier.verify(head, body.clone(), now) {
                Ok(event) => return Ok(event),
                Err(rejection) => refused.push(rejection),
            }
        }
        let Some(furthest) = Rejection::furthest(refused.into_iter()) else {
            panic!("there is no endpoint to verify for");
        };
        Err(furthest)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("provider", &self.endpoint.labels.provider)
            .field("endpoint", &self.endpoint.labels.endpoint)
            .field("keys", &self.endpoint.keys)
            .field("max_body", &self.endpoint.max_body)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use sha2::Digest;

    use super::*;
    use crate::{
        RejectionKind, Scheme, Signer,
        compiled::body::passes,
        crypto::hasher::counters,
        keys::Tenant,
        providers,
        scheme::{
            Algorithm, Coverage, Encoding, SignatureFormat, TimeUnit, Timestamp, TokenFormat,
        },
    };

    const SECRET: &str = "It's a Secret to Everybody";
    const NOW: SystemTime = UNIX_EPOCH;

    fn github(secrets: impl Into<Vec<Secret>>) -> Verifier {
        Verifier::new(providers::github(), secrets).unwrap()
    }

    fn signed(body: &str) -> http::request::Parts {
        let signer = Signer::new(providers::github(), Secret::new(SECRET)).unwrap();
        let request = signer.sign(http::Request::post("/"), body.to_owned());
        request.unwrap().into_parts().0
    }

    fn refused(verifier: &Verifier, head: &Head<'_>, body: &'static str) -> RejectionKind {
        verifier.verify(head, body, NOW).unwrap_err().kind()
    }

    #[test]
    fn one_hash_per_key_whatever_the_header_says() {
        let body = "x".repeat(10_000);
        let secrets: Vec<Secret> = (0..3)
            .map(|n| Secret::new(format!("{SECRET}{n}")))
            .collect();
        let scheme = Scheme::signed(
            Algorithm::HmacSha256,
            "{body}",
            SignatureFormat::list("X-Sig", ',', Encoding::Hex),
        );
        let verifier = Verifier::new(Provider::new("acme", scheme), secrets).unwrap();
        for candidates in [1, 16] {
            let headers = [("x-sig", vec!["00".repeat(32); candidates].join(","))];
            counters::take();
            verifier
                .verify(&Head::new(&headers), body.clone(), NOW)
                .unwrap_err();
            assert_eq!(counters::take(), (30_000, 3), "{candidates}");
        }
    }

    /// Ed25519 keys, private and public.
    #[cfg(feature = "asymmetric")]
    fn key_pairs() -> Vec<(Secret, crate::PublicKey)> {
        let pairs = [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            ),
        ];
        let pairs = pairs.into_iter();
        pairs
            .map(|(private, public)| (Secret::new(private), crate::PublicKey::new(public)))
            .collect()
    }

    #[cfg(feature = "asymmetric")]
    #[test]
    fn a_public_key_verifies_few_signatures_and_none_after_a_match() {
        let format = SignatureFormat::list("X-Sig", ',', Encoding::Hex);
        let provider = Provider::new("acme", Scheme::signed(Algorithm::Ed25519, "{body}", format));
        let pairs = key_pairs();
        let keys: Vec<Secret> = pairs.iter().map(|(_, key)| key.clone().into()).collect();
        let verifier = Verifier::new(provider.clone(), keys).unwrap();
        let signature = |place: usize| {
            let signer = Signer::new(provider.clone(), pairs[place].0.clone()).unwrap();
            let request = signer.sign(http::Request::post("/"), "{}").unwrap();
            request.headers()["x-sig"].to_str().unwrap().to_owned()
        };
        let wrong = &*"00".repeat(64);
        let verify = |items: &[&str]| {
            let headers = [("x-sig", items.join(","))];
            counters::take_verified();
            let verdict = verifier.verify(&Head::new(&headers), "{}", NOW);
            let verdict = verdict.map(drop).map_err(|rejection| rejection.kind());
            (verdict, counters::take_verified())
        };
        let (first, second) = (&*signature(0), &*signature(1));
        let mismatch = Err(RejectionKind::SignatureMismatch);
        assert_eq!(verify(&[wrong]), (mismatch, 2));
        assert_eq!(verify(&[wrong; 4]), (mismatch, 8));
        let too_many = Err(RejectionKind::TooManySignatures);
        assert_eq!(verify(&[wrong; 5]), (too_many, 0));
        assert_eq!(verify(&[first]), (Ok(()), 1));
        assert_eq!(verify(&[second]), (Ok(()), 2));
        assert_eq!(verify(&[wrong, first, second]), (Ok(()), 2));
        assert_eq!(verify(&["zz"]), (Err(RejectionKind::MalformedSignature), 0));
    }

    /// What the head decides is decided before anything of the body is kept.
    #[test]
    fn a_wrong_token_is_refused_without_its_body() {
        let signed = |content: &'static str| {
            let format = SignatureFormat::single("X-Sig", Encoding::Hex);
            let scheme = Scheme::signed(Algorithm::HmacSha256, content, format);
            scheme.with_coverage(Coverage::Partial)
        };
        let token = Scheme::token("X-Sig".into(), TokenFormat::plain());
        for (scheme, is_decided) in [
            (token, true),
            (signed("{header:X-Id}"), true),
            (signed("{json:/id}"), false),
        ] {
            let provider = Provider::new("acme", scheme).accept_unsigned_body();
            let verifier = Verifier::new(provider.clone(), Secret::new(SECRET)).unwrap();
            let headers = [
                ("x-sig", "00".repeat(32)),
                ("x-id", "7".to_owned()),
                ("content-length", "2".to_owned()),
            ];
            let checked = verifier.check_head(&Head::new(&headers), NOW).unwrap();
            let keys = KeySet::new(&provider, Secret::new(SECRET)).unwrap();
            let refused = checked.with_keys(&keys).err();
            if let Some(rejection) = &refused {
                let text = format!("{rejection:?}");
                assert!(text.contains("hints: [NeverVerified]"), "{text}");
                assert_eq!(rejection.body_length(), None);
            }
            let refused = refused.map(|rejection| rejection.kind());
            let expected = is_decided.then_some(RejectionKind::SignatureMismatch);
            assert_eq!(refused, expected, "{provider:?}");
        }
    }

    #[test]
    fn a_right_token_is_refused_if_its_body_was_taken() {
        let token = Scheme::token("X-Sig".into(), TokenFormat::plain());
        let provider = Provider::new("acme", token).accept_unsigned_body();
        let verifier = Verifier::new(provider, Secret::new(SECRET)).unwrap();
        let headers = |length: &str| {
            [
                ("x-sig", SECRET.to_owned()),
                ("content-length", length.to_owned()),
            ]
        };
        let (none, some) = (headers("0"), headers("2"));
        assert!(verifier.verify(&Head::new(&none), "", NOW).is_ok());
        assert!(verifier.verify(&Head::new(&some), "{}", NOW).is_ok());
        let taken = refused(&verifier, &Head::new(&some), "");
        assert_eq!(taken, RejectionKind::BodyTaken);
    }

    #[test]
    fn values_of_the_body_are_read_once_for_all_keys_and_places() {
        let fields = "{form:a}.{form:b}.{form:c}.{form:a|lower}.{form:d|jsonstr}";
        let pointers = "{json:/a}{json:/b/c}{json:/b}{json:/a}{json:/d/0}";
        let form = "a=1&b=2&c=3&d=4";
        let json = r#"{"a":1,"b":{"c":2},"d":[3]}"#;
        for (signed, coverage, body, passes) in [
            (fields, Coverage::Partial, form, 1),
            (pointers, Coverage::Partial, json, 1),
            ("{body|jsonstr}", Coverage::Body, json, 1),
            ("{body|jsonstr}{body|jsonstr}", Coverage::Body, json, 1),
            ("{body}.{json:/a}.{json:/d/0}", Coverage::Body, json, 1),
            ("{body}{body|sha256hex}", Coverage::Body, json, 0),
            ("{body}", Coverage::Body, json, 0),
        ] {
            let signature = SignatureFormat::list("X-Sig", ',', Encoding::Hex);
            let scheme = Scheme::signed(Algorithm::HmacSha256, signed, signature);
            let provider =
                Provider::new("acme", scheme.with_coverage(coverage)).with_any_coverage();
            let secrets: Vec<Secret> = (0..8)
                .map(|n| Secret::new(format!("{SECRET}{n}")))
                .collect();
            let verifier = Verifier::new(provider, secrets).unwrap();
            let headers = [("x-sig", "00".repeat(32))];
            passes::take();
            verifier
                .verify(&Head::new(&headers), body, NOW)
                .unwrap_err();
            assert_eq!(passes::take(), passes, "{signed}");
        }
    }

    #[test]
    fn a_digest_that_is_signed_is_kept_for_the_delivery_key() {
        for (signed, known) in [
            ("{body|sha256hex}", true),
            ("{header:x-id}.{body|sha256hex}", true),
            ("{body}", false),
        ] {
            let signature = SignatureFormat::single("X-Sig", Encoding::Hex);
            let scheme = Scheme::signed(Algorithm::HmacSha256, signed, signature);
            let provider = Provider::new("acme", scheme);
            let secret = Secret::new("sixteen-or-more-bytes");
            let signer = Signer::new(provider.clone(), secret.clone()).unwrap();
            let request = http::Request::post("/").header("x-id", "abc");
            let (head, _) = signer.sign(request, "frames").unwrap().into_parts();
            let verifier = Verifier::new(provider, secret).unwrap();
            for frames in [&["frames"][..], &["fra", "mes"]] {
                let checked = verifier.check_head(&Head::from(&head), NOW).unwrap();
                let mut request = checked.with_keys(verifier.keys()).unwrap();
                for frame in frames {
                    request.update((*frame).into()).unwrap();
                }
                let event = request.verify().unwrap();
                assert_eq!(event.data().body_sha256.get().is_some(), known, "{signed}");
                let digest = sha2::Sha256::digest("frames");
                assert_eq!(event.data().body_sha256()[..], digest[..], "{signed}");
            }
        }
    }

    #[test]
    fn what_is_constant_is_hashed_when_secrets_are_built() {
        let scheme = Scheme::signed(
            Algorithm::Sha256,
            "prefix:{secret}:{header:x-id}:{body}",
            SignatureFormat::single("X-Sig", Encoding::Hex),
        );
        let secret = Secret::new("sixteen-or-more-bytes");
        let provider = Provider::new("acme", scheme);
        let verifier = Verifier::new(provider.clone(), secret.clone()).unwrap();
        let signer = Signer::new(provider, secret).unwrap();
        let request = http::Request::post("/").header("x-id", "abc");
        let (head, body) = signer.sign(request, "body").unwrap().into_parts();
        counters::take();
        verifier.verify(&Head::from(&head), body, NOW).unwrap();
        assert_eq!(counters::take(), ("abc:body".len(), 1));
    }

    #[test]
    fn a_body_is_hashed_as_it_arrives() {
        let scheme = Scheme::signed(
            Algorithm::HmacSha256,
            "{header:x-id}.{body}.{header:x-end}",
            SignatureFormat::single("X-Sig", Encoding::Hex),
        );
        let secret = Secret::new("sixteen-or-more-bytes");
        let provider = Provider::new("acme", scheme);
        let request = http::Request::post("/")
            .header("x-id", "abc")
            .header("x-end", "z");
        let signer = Signer::new(provider.clone(), secret.clone()).unwrap();
        let (head, _) = signer.sign(request, "frames").unwrap().into_parts();
        let verifier = Verifier::new(provider, secret).unwrap();
        // Of a body that may be one frame, the first waits for the second.
        for (declared, hashed) in [(None, [0, 10]), (Some("6"), [7, 3]), (Some("3"), [0, 10])] {
            let mut head = head.clone();
            let length = declared.map(http::HeaderValue::from_static);
            length.map(|length| head.headers.insert("content-length", length));
            counters::take();
            let checked = verifier.check_head(&Head::from(&head), NOW).unwrap();
            let mut request = checked.with_keys(verifier.keys()).unwrap();
            for (frame, hashed) in ["fra", "mes"].into_iter().zip(hashed) {
                request.update(frame.into()).unwrap();
                assert_eq!(counters::take(), (hashed, 0), "{declared:?} {frame}");
            }
            request.verify().unwrap();
            assert_eq!(counters::take(), (".z".len(), 1));
        }
    }

    #[test]
    fn a_time_that_is_signed_as_a_header_is_a_signed_time() {
        let signature = SignatureFormat::single("X-Sig", Encoding::Hex);
        let scheme = Scheme::signed(Algorithm::HmacSha256, "{header:Date}\n{body}", signature)
            .with_timestamp(Timestamp::header("date").with_unit(TimeUnit::ImfFixdate));
        let provider = Provider::new("acme", scheme);
        let secret = Secret::new("sixteen-or-more-bytes");
        let signer = Signer::new(provider.clone(), secret.clone()).unwrap();
        let signed = signer.with_time(NOW).sign(http::Request::post("/"), "body");
        let (head, body) = signed.unwrap().into_parts();
        let verifier = Verifier::new(provider, secret).unwrap();
        let event = verifier.verify(&Head::from(&head), body, NOW).unwrap();
        assert_eq!(
            (event.timestamp(), event.skew_seconds()),
            (Some(NOW), Some(0))
        );
    }

    #[test]
    fn a_refused_head_hashes_nothing() {
        let verifier = github(Secret::new(SECRET));
        counters::take();
        let none: [(&str, &str); 0] = [];
        let kind = verifier
            .check_head(&Head::new(&none), NOW)
            .unwrap_err()
            .kind();
        assert_eq!(kind, RejectionKind::MissingHeader);
        assert_eq!(counters::take(), (0, 0));
    }

    #[test]
    fn an_unknown_tenant_takes_as_long_as_a_wrong_signature() {
        let verifier = github(Secret::new("another-secret-of-length"));
        let head = signed("{}");
        let tenant = Tenant::new("acme", verifier.keys().clone());
        let costs = [Some(&tenant), None].map(|tenant| {
            counters::take();
            hints::looks::take();
            let checked = verifier.check_head(&Head::from(&head), NOW).unwrap();
            let mut request = checked.with_tenant(tenant).unwrap();
            request.update("{}".into()).unwrap();
            request.verify().unwrap_err();
            (counters::take(), hints::looks::take())
        });
        assert_eq!(costs[0], costs[1]);
        assert_eq!(costs[0].1, 1);
    }

    #[test]
    fn keys_are_tried_all_and_the_first_that_matched_is_named() {
        let secrets = vec![
            Secret::new("another-secret-of-length").with_id("a"),
            Secret::new(SECRET).with_id("b"),
            Secret::new(SECRET).with_id("c"),
            Secret::new("a-third-secret-of-length").with_id("d"),
        ];
        let head = signed("body");
        let event = github(secrets)
            .verify(&Head::from(&head), "body", NOW)
            .unwrap();
        assert_eq!(event.key_id(), Some("b"));
    }

    #[test]
    fn keys_are_valid_within_their_window_only() {
        let second = |n| UNIX_EPOCH + Duration::from_secs(n);
        let secret = Secret::new(SECRET);
        let spare = Secret::new("another-secret-of-length");
        let head = signed("body");
        let windowed = secret
            .with_not_before(second(10))
            .with_not_after(second(20));
        let verifier = github(vec![windowed.clone(), spare]);
        let at = |n| {
            let verdict = verifier.verify(&Head::from(&head), "body", second(n));
            verdict.map(drop).map_err(|rejection| rejection.kind())
        };
        assert_eq!(at(9), Err(RejectionKind::KeyOutsideWindow));
        assert_eq!(at(10), Ok(()));
        assert_eq!(at(20), Ok(()));
        assert_eq!(at(21), Err(RejectionKind::KeyOutsideWindow));

        let alone = github(windowed);
        assert_eq!(
            refused(&alone, &Head::from(&head), "body"),
            RejectionKind::NoValidKey
        );
        let verdict = alone.verify(&Head::from(&head), "other", second(15));
        assert_eq!(
            verdict.unwrap_err().kind(),
            RejectionKind::SignatureMismatch
        );
    }

    #[test]
    fn keys_of_another_scheme_are_no_keys() {
        let verifier = github(Secret::new(SECRET));
        let others = KeySet::new(&providers::shopify(), Secret::new(SECRET)).unwrap();
        let head = signed("body");
        let checked = verifier.check_head(&Head::from(&head), NOW).unwrap();
        assert_eq!(
            checked.with_keys(&others).unwrap_err().kind(),
            RejectionKind::NoValidKey
        );
        let same = KeySet::new(&providers::github(), Secret::new(SECRET)).unwrap();
        let checked = verifier.check_head(&Head::from(&head), NOW).unwrap();
        assert!(checked.with_keys(&same).is_ok());
    }

    #[test]
    fn every_variant_is_tried_and_the_one_that_matched_is_named() {
        let scheme = |algorithm, signed: &'static str| {
            Scheme::signed(
                algorithm,
                signed,
                SignatureFormat::single("X-Sig", Encoding::HexOrBase64),
            )
        };
        let digest = scheme(Algorithm::Sha256, "{body}{secret}");
        let mac = scheme(Algorithm::HmacSha256, "{body}");
        let bare = scheme(Algorithm::UnauthenticatedSha256, "{body}");
        let secret = Secret::new("sixteen-or-more-bytes");
        let provider = Provider::new("acme", digest.clone())
            .with_variant_name("sha256-body-secret")
            .with_variant("hmac-sha256", mac.clone())
            .with_opt_in_variant("bare", bare.clone());
        let verifier = Verifier::new(provider.clone(), secret.clone()).unwrap();
        let matched = |verifier: &Verifier, signed_as: &Scheme| {
            let signer = Signer::new(Provider::new("any", signed_as.clone()), secret.clone());
            let request = signer
                .unwrap()
                .sign(http::Request::post("/"), "body")
                .unwrap();
            let (head, body) = request.into_parts();
            let event = verifier.verify(&Head::from(&head), body, NOW);
            event
                .map(|event| event.variant().to_owned())
                .map_err(|error| error.kind())
        };
        assert_eq!(
            matched(&verifier, &digest).as_deref(),
            Ok("sha256-body-secret")
        );
        assert_eq!(matched(&verifier, &mac).as_deref(), Ok("hmac-sha256"));
        assert_eq!(
            matched(&verifier, &bare),
            Err(RejectionKind::SignatureMismatch)
        );

        let named = provider.clone().select_variant("bare").unwrap();
        let named = Verifier::new(named, Vec::new()).unwrap();
        assert_eq!(matched(&named, &bare).as_deref(), Ok("bare"));
        assert_eq!(matched(&named, &mac), Err(RejectionKind::SignatureMismatch));
        let error = provider.select_variant("other").unwrap_err().to_string();
        assert_eq!(
            error,
            "variant: \"other\" is not a variant of provider acme, which has sha256-body-secret, hmac-sha256, bare"
        );
    }

    #[test]
    fn the_gate_looks_at_the_declared_length_first() {
        let verifier = github(Secret::new(SECRET)).with_max_body(100);
        for (length, kind) in [
            ("100", RejectionKind::MissingHeader),
            ("101", RejectionKind::BodyTooLarge),
            ("18446744073709551615", RejectionKind::BodyTooLarge),
            ("99999999999999999999999999", RejectionKind::BodyTooLarge),
            ("-1", RejectionKind::MissingHeader),
        ] {
            let headers = [("content-length", length)];
            let rejection = verifier.check_head(&Head::new(&headers), NOW).unwrap_err();
            assert_eq!(rejection.kind(), kind, "{length}");
        }
    }
}
