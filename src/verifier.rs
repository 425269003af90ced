//! The core: [`Verifier`], [`Gate`] and [`Check`]. Synchronous, without a runtime, a framework or a clock.

mod buffer;
mod check;
mod gate;
mod proof;
mod trial;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;

pub(crate) use self::check::Comparison;
pub(crate) use self::proof::Proof;
pub use self::{check::Check, gate::Gate};
use crate::{
    Provider, Rejection, Secret, Secrets, SetupError, VerifiedEvent,
    head::Head,
    near::Near,
    scheme::{Compiled, Tolerance},
    shared::{Shared, Uptake},
};

const KEY_TIMEOUT: Duration = Duration::from_secs(5);

/// Checks requests of one provider with the keys of one endpoint.
///
/// A layer does this for a route. By itself it verifies what comes out of a queue or a test:
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_webhook::{Secret, Verifier, providers, verify::Head};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = Secret::new("It's a Secret to Everybody");
/// let verifier = Verifier::new(providers::github(), secret)?;
///
/// // The example of GitHub's own page.
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
#[derive(Clone)]
pub struct Verifier {
    shared: Arc<Near>,
}

impl Verifier {
    /// A verifier for `provider`, with one secret or, while keys are rotated, several. Tolerance and body limit are
    /// the provider's.
    ///
    /// # Errors
    ///
    /// When the provider's scheme is not sound, and for each reason of [`Secrets::new`].
    pub fn new(provider: Provider, secrets: impl Into<Vec<Secret>>) -> Result<Self, SetupError> {
        let compiled = provider.compile()?;
        let secrets = Secrets::for_schemes(&compiled.schemes, secrets.into())?;
        Self::with_secrets(provider, compiled, secrets)
    }

    /// A verifier without keys of its own, for a layer that [looks them up](crate::lookup) for each request. Without a
    /// secret source it refuses every request with 503.
    ///
    /// # Errors
    ///
    /// When the provider's scheme is not sound.
    pub fn for_lookup(provider: Provider) -> Result<Self, SetupError> {
        let compiled = provider.compile()?;
        let secrets = Secrets::none(&compiled.schemes);
        Self::with_secrets(provider, compiled, secrets)
    }

    fn with_secrets(
        provider: Provider,
        Compiled {
            schemes,
            headers,
            body,
        }: Compiled,
        secrets: Secrets,
    ) -> Result<Self, SetupError> {
        let shared = Shared {
            max_body: provider.max_body(),
            secrets,
            decoy: Secrets::decoy(&schemes)?,
            schemes: schemes.into(),
            headers,
            body,
            endpoint: None,
            tolerance: None,
            uptake: Uptake::default(),
            #[cfg(feature = "tracing")]
            log_limits: crate::limits::LogLimits::default(),
            read_timeout: provider.read_timeout(),
            key_timeout: KEY_TIMEOUT,
            clock: None,
            source: None,
            on_rejection: None,
            provider,
        };
        Ok(Self {
            shared: Arc::new(Near::new(shared)),
        })
    }

    /// Sets the name under which events, refusals and logs speak of this endpoint.
    #[must_use]
    pub fn with_endpoint(mut self, name: impl Into<Arc<str>>) -> Self {
        self.shared_mut().endpoint = Some(name.into());
        self
    }

    /// Sets how far a timestamp may be from the clock, in whole seconds. A scheme without one has no use for it.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: impl Into<Tolerance>) -> Self {
        self.shared_mut().tolerance = Some(tolerance.into());
        self
    }

    /// Sets the longest body, in bytes.
    #[must_use]
    pub fn with_max_body(mut self, bytes: usize) -> Self {
        self.shared_mut().max_body = bytes;
        self
    }

    /// The provider whose requests are checked.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.shared.provider
    }

    /// The name given by [`with_endpoint`](Self::with_endpoint).
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.shared.endpoint()
    }

    /// The longest body, in bytes.
    #[must_use]
    pub fn max_body(&self) -> usize {
        self.shared.max_body
    }

    /// The keys of this endpoint.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.shared.secrets
    }

    /// The same, with another count of its holders.
    pub(crate) fn near(&self) -> Self {
        Self {
            shared: Arc::new(Near::clone(&self.shared)),
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Near> {
        &self.shared
    }

    /// To change it; it becomes one of its own where it is another's, too.
    pub(crate) fn shared_mut(&mut self) -> &mut Shared {
        Arc::make_mut(&mut self.shared).make_mut()
    }

    /// Checks what the head alone can show. It needs no key and no body.
    ///
    /// # Errors
    ///
    /// When the head condemns the request, whatever its body says.
    pub fn gate(&self, head: &Head<'_>, now: SystemTime) -> Result<Gate, Rejection> {
        Gate::new(&self.shared, head, now)
    }

    /// Gate, check and comparison in one, for a body that is there already.
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
        let mut check = self.gate(head, now)?.check(&self.shared.secrets)?;
        check.update(body.into())?;
        check.finish()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("provider", &self.shared.provider.name())
            .field("endpoint", &self.shared.endpoint)
            .field("secrets", &self.shared.secrets)
            .field("max_body", &self.shared.max_body)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use sha2::Digest;

    use super::*;
    use crate::{
        RejectionKind, Signer, providers,
        scheme::{
            Algorithm, Coverage, Encoding, Scheme, Signature, TimeUnit, Timestamp, counters, passes,
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
        let scheme = Scheme::new(
            Algorithm::HmacSha256,
            "{body}",
            Signature::list("X-Sig", ',', Encoding::Hex),
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

    #[test]
    fn d_1_values_of_the_body_are_read_once_for_all_keys_and_places() {
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
            let signature = Signature::list("X-Sig", ',', Encoding::Hex);
            let scheme = Scheme::new(Algorithm::HmacSha256, signed, signature);
            let provider = Provider::new("acme", scheme.with_coverage(coverage));
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
            let signature = Signature::single("X-Sig", Encoding::Hex);
            let scheme = Scheme::new(Algorithm::HmacSha256, signed, signature);
            let provider = Provider::new("acme", scheme);
            let secret = Secret::new("sixteen-or-more-bytes");
            let signer = Signer::new(provider.clone(), secret.clone()).unwrap();
            let request = http::Request::post("/").header("x-id", "abc");
            let (head, _) = signer.sign(request, "frames").unwrap().into_parts();
            let verifier = Verifier::new(provider, secret).unwrap();
            for frames in [&["frames"][..], &["fra", "mes"]] {
                let gate = verifier.gate(&Head::of(&head), NOW).unwrap();
                let mut check = gate.check(verifier.secrets()).unwrap();
                for frame in frames {
                    check.update((*frame).into()).unwrap();
                }
                let event = check.finish().unwrap();
                assert_eq!(event.knows_body_sha256(), known, "{signed}");
                let digest = sha2::Sha256::digest("frames");
                assert_eq!(event.body_sha256()[..], digest[..], "{signed}");
            }
        }
    }

    #[test]
    fn what_is_constant_is_hashed_when_secrets_are_built() {
        let scheme = Scheme::new(
            Algorithm::Sha256,
            "prefix:{secret}:{header:x-id}:{body}",
            Signature::single("X-Sig", Encoding::Hex),
        );
        let secret = Secret::new("sixteen-or-more-bytes");
        let provider = Provider::new("acme", scheme);
        let verifier = Verifier::new(provider.clone(), secret.clone()).unwrap();
        let signer = Signer::new(provider, secret).unwrap();
        let request = http::Request::post("/").header("x-id", "abc");
        let (head, body) = signer.sign(request, "body").unwrap().into_parts();
        counters::take();
        verifier.verify(&Head::of(&head), body, NOW).unwrap();
        assert_eq!(counters::take(), ("abc:body".len(), 1));
    }

    #[test]
    fn a_body_is_hashed_as_it_arrives() {
        let scheme = Scheme::new(
            Algorithm::HmacSha256,
            "{header:x-id}.{body}.{header:x-end}",
            Signature::single("X-Sig", Encoding::Hex),
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
            let gate = verifier.gate(&Head::of(&head), NOW).unwrap();
            let mut check = gate.check(verifier.secrets()).unwrap();
            for (frame, hashed) in ["fra", "mes"].into_iter().zip(hashed) {
                check.update(frame.into()).unwrap();
                assert_eq!(counters::take(), (hashed, 0), "{declared:?} {frame}");
            }
            check.finish().unwrap();
            assert_eq!(counters::take(), (".z".len(), 1));
        }
    }

    #[test]
    fn a_time_that_is_signed_as_a_header_is_a_signed_time() {
        let signature = Signature::single("X-Sig", Encoding::Hex);
        let scheme = Scheme::new(Algorithm::HmacSha256, "{header:Date}\n{body}", signature)
            .with_timestamp(Timestamp::header("date").with_unit(TimeUnit::ImfFixdate));
        let provider = Provider::new("acme", scheme);
        let secret = Secret::new("sixteen-or-more-bytes");
        let signer = Signer::new(provider.clone(), secret.clone()).unwrap();
        let signed = signer.with_time(NOW).sign(http::Request::post("/"), "body");
        let (head, body) = signed.unwrap().into_parts();
        let verifier = Verifier::new(provider, secret).unwrap();
        let event = verifier.verify(&Head::of(&head), body, NOW).unwrap();
        assert_eq!((event.timestamp(), event.skew()), (Some(NOW), Some(0)));
    }

    #[test]
    fn a_refused_head_hashes_nothing() {
        let verifier = github(Secret::new(SECRET));
        counters::take();
        let none: [(&str, &str); 0] = [];
        let kind = verifier.gate(&Head::new(&none), NOW).unwrap_err().kind();
        assert_eq!(kind, RejectionKind::MissingHeader);
        assert_eq!(counters::take(), (0, 0));
    }

    #[test]
    fn keys_are_tried_all_and_the_one_that_matched_is_named() {
        let secrets = vec![
            Secret::new("another-secret-of-length").with_id("a"),
            Secret::new(SECRET).with_id("b"),
        ];
        let head = signed("body");
        let event = github(secrets)
            .verify(&Head::of(&head), "body", NOW)
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
            let verdict = verifier.verify(&Head::of(&head), "body", second(n));
            verdict.map(drop).map_err(|rejection| rejection.kind())
        };
        assert_eq!(at(9), Err(RejectionKind::KeyOutsideWindow));
        assert_eq!(at(10), Ok(()));
        assert_eq!(at(20), Ok(()));
        assert_eq!(at(21), Err(RejectionKind::KeyOutsideWindow));

        let alone = github(windowed);
        assert_eq!(
            refused(&alone, &Head::of(&head), "body"),
            RejectionKind::NoValidKey
        );
        let verdict = alone.verify(&Head::of(&head), "other", second(15));
        assert_eq!(
            verdict.unwrap_err().kind(),
            RejectionKind::SignatureMismatch
        );
    }

    #[test]
    fn keys_of_another_scheme_are_no_keys() {
        let verifier = github(Secret::new(SECRET));
        let others = Secrets::new(&providers::shopify(), Secret::new(SECRET)).unwrap();
        let head = signed("body");
        let gate = verifier.gate(&Head::of(&head), NOW).unwrap();
        assert_eq!(
            gate.check(&others).unwrap_err().kind(),
            RejectionKind::NoValidKey
        );
        let same = Secrets::new(&providers::github(), Secret::new(SECRET)).unwrap();
        let gate = verifier.gate(&Head::of(&head), NOW).unwrap();
        assert!(gate.check(&same).is_ok());
    }

    #[test]
    fn every_construction_is_tried_and_the_one_that_matched_is_named() {
        let scheme = |algorithm, signed: &'static str| {
            Scheme::new(
                algorithm,
                signed,
                Signature::single("X-Sig", Encoding::HexOrBase64),
            )
        };
        let digest = scheme(Algorithm::Sha256, "{body}{secret}");
        let mac = scheme(Algorithm::HmacSha256, "{body}");
        let bare = scheme(Algorithm::UnauthenticatedSha256, "{body}");
        let secret = Secret::new("sixteen-or-more-bytes");
        let provider = Provider::new("acme", digest.clone())
            .with_construction_name("sha256-body-secret")
            .or_construction("hmac-sha256", mac.clone())
            .or_named_construction("bare", bare.clone());
        let verifier = Verifier::new(provider.clone(), secret.clone()).unwrap();
        let matched = |verifier: &Verifier, signed_as: &Scheme| {
            let signer = Signer::new(Provider::new("any", signed_as.clone()), secret.clone());
            let request = signer
                .unwrap()
                .sign(http::Request::post("/"), "body")
                .unwrap();
            let (head, body) = request.into_parts();
            let event = verifier.verify(&Head::of(&head), body, NOW);
            event
                .map(|event| event.construction().to_owned())
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

        let named = provider.clone().with_only_construction("bare").unwrap();
        let named = Verifier::new(named, Vec::new()).unwrap();
        assert_eq!(matched(&named, &bare).as_deref(), Ok("bare"));
        assert_eq!(matched(&named, &mac), Err(RejectionKind::SignatureMismatch));
        let error = provider
            .with_only_construction("other")
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "construction: \"other\" is not one of provider acme; it has sha256-body-secret, hmac-sha256, bare"
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
            let rejection = verifier.gate(&Head::new(&headers), NOW).unwrap_err();
            assert_eq!(rejection.kind(), kind, "{length}");
        }
    }
}
