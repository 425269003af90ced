//! [`Provider`]: the description of a webhook sender.

mod compile;
pub(crate) mod evidence;
pub(crate) mod message;
pub(crate) mod parameter;
#[cfg(feature = "remote-keys")]
mod remote_keys;

use std::{borrow::Cow, collections::BTreeSet, fmt, time::Duration};

use http::StatusCode;

use crate::{
    challenge::{Handshake, at::At, settings::Settings},
    delivery_key::DeduplicateBy,
    error::{SetupError, shown},
    keys::{key_set::KeySet, published::PublishedKeys, secret::Secret, suspicion::SecretLook},
    provider::{
        evidence::Evidence,
        message::Message,
        parameter::{LEVEL, LEVEL_PARAM, Parameter, SUBJECT_PARAM, TEST_PARAM},
    },
    rejection::hint::Remedies,
    scheme::{algorithm::Keying, definition::Scheme, locator::Locator, params::Params},
};
#[cfg(feature = "identity")]
use crate::{error::PayloadError, event::VerifiedEvent, identity::Identity};

/// A sender of webhooks: its name, its signature scheme, where its events carry their type and id,
/// and its limits.
///
/// The built-in providers are in [`providers`](crate::providers). A custom provider needs a name
/// and a [`Scheme`]:
///
/// ```
/// use tower_webhook::{Provider, Scheme};
/// use tower_webhook::scheme::{Algorithm, Encoding, Locator, SignatureFormat};
///
/// let scheme = Scheme::signed(
///     Algorithm::HmacSha256,
///     "{body}",
///     SignatureFormat::single("X-Acme-Signature", Encoding::Hex),
/// );
/// let acme = Provider::new("acme", scheme)
///     .with_event_type(Locator::json("/type"))
///     .with_delivery_id(Locator::header("X-Acme-Delivery"))
///     .with_max_body(4 << 20);
/// assert_eq!(acme.name(), "acme");
/// ```
#[derive(Clone)]
pub struct Provider {
    name: Cow<'static, str>,
    variants: Vec<Variant>,
    event_type: Option<Locator>,
    delivery_id: Option<Locator>,
    unique_delivery_id: bool,
    deduplicate_by: DeduplicateBy,
    time_limit: Option<Duration>,
    retry_horizon: Duration,
    options: Cow<'static, [Parameter]>,
    params: Params,
    /// The values of the parameter `level`, if it was set to several.
    levels: Vec<Cow<'static, str>>,
    max_body: usize,
    read_timeout: Duration,
    success_status: Option<StatusCode>,
    docs: Option<Cow<'static, str>>,
    evidence: Option<Evidence>,
    /// Whether an endpoint selected one variant.
    is_settled: bool,
    #[cfg(feature = "identity")]
    identity: Option<IdentityMapping>,
    /// Where the session is in an event whose result is not signed.
    #[cfg(feature = "identity")]
    undisclosed: &'static [&'static str],
    remedies: Remedies,
    older_signature: Option<&'static str>,
    /// A header that has to equal a parameter, if the parameter is set.
    header_of_param: Option<(&'static str, &'static str)>,
    /// Where the signed body repeats the time of the head, which nothing signs.
    /// Also what every event has that repeats it.
    repeated_time: Option<(Locator, Locator)>,
    secret_look: SecretLook,
    /// Whether equal bodies of two event types are known not to occur.
    distinct_bodies: bool,
    alike_bodies: bool,
    /// A parameter that selects a variant, and the variants by its values.
    selector: Option<Selector>,
    /// The array of items in a body, and where the item is in each of its elements.
    items: Option<(&'static str, &'static str)>,
    /// Where the message is, if a body is an envelope.
    message: Option<Message>,
    /// `None` where it does not matter.
    accepts_unsigned_body: Option<bool>,
    handshake: Option<&'static Handshake>,
    settings: Settings,
    answer_read: AnswerRead,
    published_keys: Option<PublishedKeys>,
}

/// Whether the sender reads the body of the answer, so that an empty one would be wrong.
#[derive(Clone, Copy)]
pub(crate) enum AnswerRead {
    Never,
    Always,
    /// Of requests that lack this value.
    Unless(At),
}

/// The default for providers that do not document how long they retry, or that retry only manually.
const RETRY_HORIZON: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// A parameter that selects a variant, and the variants by its values.
type Selector = (&'static str, &'static [(&'static str, &'static str)]);

/// Maps an event of the provider to an [`Identity`].
#[cfg(feature = "identity")]
pub(crate) type IdentityMapping = fn(&VerifiedEvent) -> Result<Option<Identity>, PayloadError>;

/// The parameter of providers that call the name of an account a public key.
#[cfg(feature = "config")]
pub(crate) const PUBLIC_KEY: &str = "public_key";

/// One interpretation of a provider's documented scheme.
#[derive(Clone)]
struct Variant {
    name: Cow<'static, str>,
    scheme: Scheme,
    /// Whether it is tried without being selected by name.
    automatic: bool,
}

impl Provider {
    /// Creates a provider that signs with `scheme`. By default, bodies may have up to 1 MiB and
    /// must arrive within 10 seconds.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>, scheme: Scheme) -> Self {
        let variant = Cow::Owned(scheme.algorithm().to_string());
        Self {
            name: name.into(),
            variants: vec![Variant {
                name: variant,
                scheme,
                automatic: true,
            }],
            event_type: None,
            delivery_id: None,
            unique_delivery_id: false,
            deduplicate_by: DeduplicateBy::Auto,
            time_limit: None,
            retry_horizon: RETRY_HORIZON,
            options: Cow::Borrowed(&[]),
            params: Params::new(),
            levels: Vec::new(),
            max_body: 1 << 20,
            read_timeout: Duration::from_secs(10),
            success_status: None,
            docs: None,
            evidence: None,
            is_settled: false,
            #[cfg(feature = "identity")]
            identity: None,
            #[cfg(feature = "identity")]
            undisclosed: &[],
            remedies: Remedies::default(),
            older_signature: None,
            header_of_param: None,
            repeated_time: None,
            secret_look: SecretLook::default(),
            distinct_bodies: false,
            alike_bodies: false,
            selector: None,
            items: None,
            message: None,
            accepts_unsigned_body: Some(false),
            handshake: None,
            settings: Settings::default(),
            answer_read: AnswerRead::Never,
            published_keys: None,
        }
    }

    /// Sets the name of the first variant. The default is the name of its algorithm.
    #[must_use]
    pub fn with_variant_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        if let Some(first) = self.variants.first_mut() {
            first.name = name.into();
        }
        self
    }

    /// Adds a variant that is tried along with the first one, for a provider whose documentation
    /// can be read in more than one way.
    ///
    /// Each variant costs one more hash per key.
    /// [`VerifiedEvent::variant`](crate::VerifiedEvent::variant) returns the one that matched.
    /// Variants must use different algorithms, so that a signature for one is never valid for
    /// another; [`Verifier::new`](crate::Verifier::new) refuses a provider that violates this.
    #[must_use]
    pub fn with_variant(self, name: impl Into<Cow<'static, str>>, scheme: Scheme) -> Self {
        self.add_variant(name.into(), scheme, true)
    }

    /// Adds a variant that is used only if an endpoint selects it by name, typically because it is
    /// weaker than the others.
    #[must_use]
    pub fn with_opt_in_variant(self, name: impl Into<Cow<'static, str>>, scheme: Scheme) -> Self {
        self.add_variant(name.into(), scheme, false)
    }

    fn add_variant(mut self, name: Cow<'static, str>, scheme: Scheme, automatic: bool) -> Self {
        self.variants.push(Variant {
            name,
            scheme,
            automatic,
        });
        self
    }

    /// Keeps only the named variant and drops the others.
    ///
    /// Of a provider whose scheme is [assumed](Evidence::Assumed), this says that you have compared
    /// the variant with a genuine delivery.
    ///
    /// # Errors
    ///
    /// When the provider has no variant of this name.
    pub fn select_variant(mut self, name: &str) -> Result<Self, SetupError> {
        let names = self.variants.iter().map(|variant| &*variant.name);
        let known = names.collect::<Vec<_>>().join(", ");
        self.keep_variant(name);
        if self.variants.is_empty() {
            return Err(SetupError::new(format!(
                "variant: {} is not a variant of provider {}, which has {known}",
                shown(name),
                self.name
            )));
        }
        Ok(self)
    }

    fn keep_variant(&mut self, name: &str) {
        self.variants.retain(|variant| variant.name == name);
        for variant in &mut self.variants {
            variant.automatic = true;
        }
        self.is_settled = true;
    }

    /// Lets a parameter select a variant by its value, as the vendor calls it.
    pub(crate) fn with_selector(
        mut self,
        param: &'static str,
        variants: &'static [(&'static str, &'static str)],
    ) -> Self {
        self.selector = Some((param, variants));
        self
    }

    /// Sets where the items of a request are: the array, and the item in each of its elements.
    pub(crate) fn with_items(mut self, array: &'static str, item: &'static str) -> Self {
        self.items = Some((array, item));
        self
    }

    /// Says that a body is an envelope, and where its message is.
    pub(crate) fn with_message(mut self, message: Message) -> Self {
        self.message = Some(message);
        self
    }

    pub(crate) fn message(&self) -> Option<Message> {
        self.message
    }

    pub(crate) fn items(&self) -> Option<(&'static str, &'static str)> {
        self.items
    }

    /// Sets where the type of an event is found.
    #[must_use]
    pub fn with_event_type(mut self, source: Locator) -> Self {
        self.event_type = Some(source);
        self
    }

    /// Sets where the id of the delivery or event is found.
    #[must_use]
    pub fn with_delivery_id(mut self, source: Locator) -> Self {
        self.delivery_id = Some(source);
        self
    }

    /// Declares that the delivery id identifies an event: it is the same for every attempt, and no
    /// two events share it.
    ///
    /// A delivery layer then deduplicates by the id only. Without this, the same id with a
    /// different body is a different delivery, because many ids name the object that an event is
    /// about and recur in the next event about that object.
    #[must_use]
    pub fn with_unique_delivery_id(mut self) -> Self {
        self.unique_delivery_id = true;
        self
    }

    /// Sets how long the provider waits for a response before it considers a delivery failed. In a
    /// [`DeliveryLayer`](crate::delivery::DeliveryLayer), an attempt waits at most half of that for
    /// another attempt in progress.
    #[must_use]
    pub fn with_time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Sets what identifies a delivery. The default is [`DeduplicateBy::Auto`], which depends on
    /// the provider.
    #[must_use]
    pub fn with_deduplicate_by(mut self, deduplicate_by: DeduplicateBy) -> Self {
        self.deduplicate_by = deduplicate_by;
        self
    }

    /// Sets for how long the provider retries a failed delivery. The default is three days.
    #[must_use]
    pub fn with_retry_horizon(mut self, horizon: Duration) -> Self {
        self.retry_horizon = horizon;
        self
    }

    /// Sets a parameter: the value of `{param:name}` in the scheme, the value of `{url}` if the
    /// name is `url`, or an option that is documented for a built-in provider.
    #[must_use]
    pub fn with_param(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (name, value) = (name.into(), value.into());
        if let Some((selector, variants)) = self.selector
            && selector == name
            && let Some((_, variant)) = variants.iter().find(|(known, _)| *known == value)
        {
            self.keep_variant(variant);
        }
        if name == LEVEL {
            self.levels.clear();
        }
        self.params.insert(name, value);
        self
    }

    /// Sets the parameter `level` to several levels, any of which is enough: see
    /// [`Identity`](crate::Identity). For a single one, [`with_param`](Self::with_param) will do.
    ///
    /// ```
    /// use tower_webhook::{Secret, Verifier, providers};
    ///
    /// let sumsub = providers::sumsub().with_levels(["id-and-liveness", "id-and-video"]);
    /// assert!(Verifier::new(sumsub, Secret::new("a-secret-of-some-length")).is_ok());
    ///
    /// // No level, and a provider that states none.
    /// let none: [&str; 0] = [];
    /// for provider in [providers::sumsub().with_levels(none), providers::voveid().with_levels(["id"])] {
    ///     assert!(Verifier::new(provider, Secret::new("a-secret-of-some-length")).is_err());
    /// }
    /// ```
    #[must_use]
    pub fn with_levels<L: Into<Cow<'static, str>>>(
        mut self,
        levels: impl IntoIterator<Item = L>,
    ) -> Self {
        self.params.remove(LEVEL);
        self.levels = levels.into_iter().map(Into::into).collect();
        if self.levels.is_empty() {
            // An empty text is refused, and so is an empty list.
            self.levels.push("".into());
        }
        self
    }

    /// Sets what the endpoint needs to answer the [handshake](crate::handshake) of a built-in
    /// provider, such as the `verify_token` of [`meta`](crate::providers::meta). Where several
    /// values are allowed, a question needs one of them. The documentation of the provider names
    /// its settings.
    ///
    /// A handshake whose settings are missing is not answered: the request is refused as any other
    /// that is not signed. The values are compared in constant time, and never shown.
    ///
    /// ```
    /// use tower_webhook::{Secret, Verifier, providers};
    ///
    /// let meta = providers::meta().with_handshake_setting("verify_token", Secret::new("my-token"));
    /// assert!(Verifier::new(meta, Secret::new("the-secret-of-the-app")).is_ok());
    ///
    /// let empty = providers::meta().with_handshake_setting("verify_token", Secret::new(""));
    /// assert!(Verifier::new(empty, Secret::new("the-secret-of-the-app")).is_err());
    /// # Ok::<_, tower_webhook::SetupError>(())
    /// ```
    #[must_use]
    pub fn with_handshake_setting(
        mut self,
        name: impl Into<Cow<'static, str>>,
        values: impl Into<Vec<Secret>>,
    ) -> Self {
        self.settings.set(name.into(), values.into());
        self
    }

    /// Accepts that the selected variants do not sign the whole body, so that whoever has seen one
    /// request can send others with another body.
    ///
    /// Without it, [`Verifier::new`](crate::Verifier::new) refuses such a provider, with an error
    /// that says what can be forged. Events tell how much is signed by
    /// [`coverage`](crate::VerifiedEvent::coverage).
    #[must_use]
    pub fn accept_unsigned_body(mut self) -> Self {
        self.accepts_unsigned_body = Some(true);
        self
    }

    /// Drops the question whether the body is signed, for whoever does not rely on it.
    pub(crate) fn with_any_coverage(mut self) -> Self {
        self.accepts_unsigned_body = None;
        self
    }

    /// Sets the maximum length of a body, in bytes. See
    /// [which limit applies](crate::Verifier#which-limit-applies).
    #[must_use]
    pub fn with_max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Sets how long a body may take to arrive. See
    /// [which limit applies](crate::Verifier#which-limit-applies).
    #[must_use]
    pub fn with_read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// Sets the only status that the provider accepts as success. The layer changes any other 2xx
    /// of a handler to it. By default, any 2xx is accepted.
    #[must_use]
    pub fn with_success_status(mut self, status: StatusCode) -> Self {
        self.success_status = Some(status);
        self
    }

    /// Sets the URL of the provider's documentation on signatures.
    #[must_use]
    pub fn with_docs(mut self, url: impl Into<Cow<'static, str>>) -> Self {
        self.docs = Some(url.into());
        self
    }

    /// Sets how it is known how the provider signs.
    pub(crate) fn with_evidence(mut self, evidence: Evidence) -> Self {
        self.evidence = Some(evidence);
        self
    }

    /// How it is known how a built-in provider signs; `None` for a custom provider.
    #[must_use]
    pub fn evidence(&self) -> Option<Evidence> {
        self.evidence
    }

    /// Whether a genuine delivery may be signed differently.
    pub(crate) fn is_assumed(&self) -> bool {
        self.evidence == Some(Evidence::Assumed) && !self.is_settled
    }

    /// Sets what the operator should do about requests that the provider does not sign.
    pub(crate) fn with_unsigned_remedy(mut self, sentence: &'static str) -> Self {
        self.remedies.unsigned = Some(sentence);
        self
    }

    /// Says that the provider's command-line tool signs with a secret of its own.
    pub(crate) fn with_cli_remedy(mut self, sentence: &'static str) -> Self {
        self.remedies.cli = Some(sentence);
        self
    }

    /// Sets the header of an older signature that is not accepted.
    pub(crate) fn with_older_signature(mut self, header: &'static str) -> Self {
        self.older_signature = Some(header);
        self
    }

    /// Says that a header has to equal a parameter, if the endpoint sets it.
    pub(crate) fn with_header_of_param(
        mut self,
        header: &'static str,
        param: &'static str,
    ) -> Self {
        self.header_of_param = Some((header, param));
        self
    }

    /// Says where the signed body repeats the time of the head. A body that has it there is judged
    /// by it, too, since nothing signs the time of the head. A body with a value at `mark` has to
    /// have it, or else it could be sent again for ever.
    pub(crate) fn with_repeated_time(mut self, place: Locator, mark: Locator) -> Self {
        self.repeated_time = Some((place, mark));
        self
    }

    /// Sets how the provider's secrets look.
    pub(crate) fn with_secret_look(mut self, look: SecretLook) -> Self {
        self.secret_look = look;
        self
    }

    /// Says that events of two types never have the same body.
    pub(crate) fn with_distinct_bodies(mut self) -> Self {
        self.distinct_bodies = true;
        self
    }

    pub(crate) fn secret_look(&self) -> &SecretLook {
        &self.secret_look
    }

    /// Says that two events may have the same body, because it only tells that something changed.
    pub(crate) fn with_alike_bodies(mut self) -> Self {
        self.alike_bodies = true;
        self
    }

    pub(crate) fn has_alike_bodies(&self) -> bool {
        self.alike_bodies
    }

    pub(crate) fn has_distinct_bodies(&self) -> bool {
        self.distinct_bodies
    }

    pub(crate) fn remedies(&self) -> Remedies {
        let mut schemes = self.schemes();
        Remedies {
            has_private_key: schemes.all(|scheme| scheme.algorithm.keying() == Keying::Public),
            ..self.remedies
        }
    }

    pub(crate) fn older_signature(&self) -> Option<&'static str> {
        self.older_signature
    }

    /// Sets what the provider asks an address, and how it is answered.
    pub(crate) fn with_handshake(mut self, handshake: &'static Handshake) -> Self {
        self.handshake = Some(handshake);
        self
    }

    pub(crate) fn handshake(&self) -> Option<&'static Handshake> {
        self.handshake
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Says that the sender reads the body of the answer.
    pub(crate) fn with_answer_read(mut self, answer_read: AnswerRead) -> Self {
        self.answer_read = answer_read;
        self
    }

    pub(crate) fn answer_read(&self) -> AnswerRead {
        self.answer_read
    }

    /// Says where the provider publishes the keys that it signs with.
    pub(crate) fn with_published_keys(mut self, keys: PublishedKeys) -> Self {
        self.published_keys = Some(keys);
        self
    }

    #[cfg(any(feature = "config", feature = "remote-keys"))]
    pub(crate) fn published_keys(&self) -> Option<PublishedKeys> {
        self.published_keys
    }

    /// Sets the name of a built-in provider to the one under which it is listed.
    pub(crate) fn named(mut self, name: &'static str) -> Self {
        self.name = Cow::Borrowed(name);
        self
    }

    /// Sets how events are read as an [`Identity`]. The mapping returns `None` for an event that is
    /// not about a person's identity, and an error for a body that cannot be read. Without a
    /// mapping, no event has an identity.
    #[cfg(feature = "identity")]
    #[must_use]
    pub fn with_identity(
        mut self,
        mapping: fn(&VerifiedEvent) -> Result<Option<Identity>, PayloadError>,
    ) -> Self {
        self.identity = Some(mapping);
        self
    }

    /// Says where the session is in the events of an identity vendor that does not sign the result.
    #[cfg(feature = "identity")]
    pub(crate) fn with_undisclosed(mut self, sessions: &'static [&'static str]) -> Self {
        self.undisclosed = sessions;
        self
    }

    /// Declares the parameter `level`, for a provider whose events state a
    /// [level](crate::Identity::level).
    #[must_use]
    pub fn with_level_param(self) -> Self {
        self.with_options(&[LEVEL_PARAM])
    }

    /// Declares the parameter `test`, for a provider whose events state whether they are
    /// [tests](crate::Identity::is_test).
    #[must_use]
    pub fn with_test_param(self) -> Self {
        self.with_options(&[TEST_PARAM])
    }

    /// Declares the parameter `subject`, for a provider whose events have a place for your own
    /// data: the JSON pointer of your reference for the person.
    pub(crate) fn with_subject_param(self) -> Self {
        self.with_options(&[SUBJECT_PARAM])
    }

    /// Declares parameters in addition to those of the scheme.
    pub(crate) fn with_options(mut self, options: &'static [Parameter]) -> Self {
        if self.options.is_empty() {
            self.options = Cow::Borrowed(options);
        } else {
            self.options.to_mut().extend_from_slice(options);
        }
        self
    }

    /// The name, as used in configuration and on events.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL of the provider's documentation on signatures.
    #[must_use]
    pub fn docs(&self) -> Option<&str> {
        self.docs.as_deref()
    }

    /// The maximum length of a body, in bytes.
    #[must_use]
    pub fn max_body(&self) -> usize {
        self.max_body
    }

    /// How long a body may take to arrive.
    #[must_use]
    pub fn read_timeout(&self) -> Duration {
        self.read_timeout
    }

    /// For how long the provider retries a failed delivery.
    #[must_use]
    pub fn retry_horizon(&self) -> Duration {
        self.retry_horizon
    }

    /// How long the provider waits for a response; `None` if that is not known.
    #[must_use]
    pub fn time_limit(&self) -> Option<Duration> {
        self.time_limit
    }

    pub(crate) fn delivery_id_is_unique(&self) -> bool {
        self.unique_delivery_id
    }

    pub(crate) fn deduplicate_by(&self) -> &DeduplicateBy {
        &self.deduplicate_by
    }

    /// The only status that the provider accepts as success; `None` if any 2xx is.
    #[must_use]
    pub fn success_status(&self) -> Option<StatusCode> {
        self.success_status
    }

    pub(crate) fn event_type(&self) -> Option<&Locator> {
        self.event_type.as_ref()
    }

    pub(crate) fn delivery_id(&self) -> Option<&Locator> {
        self.delivery_id.as_ref()
    }

    #[cfg(feature = "identity")]
    pub(crate) fn identity(&self) -> Option<IdentityMapping> {
        self.identity
    }

    #[cfg(feature = "identity")]
    pub(crate) fn undisclosed(&self) -> &'static [&'static str] {
        self.undisclosed
    }

    /// Whether the endpoint takes events of a test environment as they are.
    #[cfg(feature = "identity")]
    pub(crate) fn accepts_tests(&self) -> bool {
        self.option(TEST_PARAM.name) == Some("accept")
    }

    /// Whether the endpoint requires no level, or this one.
    #[cfg(feature = "identity")]
    pub(crate) fn accepts_level(&self, level: Option<&str>) -> bool {
        if !self.declares(LEVEL) {
            return true;
        }
        let mut required = self.levels().peekable();
        required.peek().is_none() || required.any(|required| Some(required) == level)
    }

    /// The values of the parameter `level`.
    fn levels(&self) -> impl Iterator<Item = &str> {
        let several = self.levels.iter().map(|level| &**level);
        self.param(LEVEL).into_iter().chain(several)
    }

    /// Whether the parameter may have several values.
    #[cfg(feature = "config")]
    pub(crate) fn takes_several(&self, name: &str) -> bool {
        name == LEVEL && self.declares(LEVEL)
    }

    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(|value| &**value)
    }

    /// The parameters as an endpoint has them, each with its values.
    #[cfg(all(feature = "config", feature = "test-util"))]
    pub(crate) fn endpoint_params(&self) -> Vec<(&str, Vec<&str>)> {
        let params = self.params.iter();
        let params = params.map(|(name, value)| (&**name, vec![&**value]));
        let levels: Vec<&str> = self.levels.iter().map(|level| &**level).collect();
        let levels = (!levels.is_empty()).then_some((LEVEL, levels));
        params.chain(levels).collect()
    }

    /// The variant that an endpoint selected by its name, if it did.
    #[cfg(all(feature = "config", feature = "test-util"))]
    pub(crate) fn selected_variant(&self) -> Option<&str> {
        let selected = self.variants.first().filter(|_| self.is_settled);
        selected.map(|variant| &*variant.name)
    }

    #[cfg(all(feature = "config", feature = "test-util"))]
    pub(crate) fn accepts_unsigned_body(&self) -> bool {
        self.accepts_unsigned_body == Some(true)
    }

    /// The names of all parameters that [`with_param`](Self::with_param) may set: the options of a
    /// built-in provider, and those that the schemes use.
    ///
    /// ```
    /// use tower_webhook::providers;
    ///
    /// assert_eq!(providers::square().param_names(), ["url"]);
    /// ```
    #[must_use]
    pub fn param_names(&self) -> Vec<String> {
        let options = self.options.iter().map(|option| option.name);
        let selector = self.selector.iter().map(|(name, _)| *name);
        let mut names: Vec<String> = options
            .chain(selector)
            .chain(self.header_of_param.map(|(_, param)| param))
            .map(str::to_owned)
            .chain(self.schemes().flat_map(Scheme::param_names))
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// Whether the public key is a name that the sender shows, and no key of a pair.
    #[cfg(feature = "config")]
    pub(crate) fn names_public_key(&self) -> bool {
        self.schemes()
            .any(|scheme| scheme.param_names().iter().any(|name| name == PUBLIC_KEY))
    }

    /// The value of a declared option. Parameters of a scheme are excluded, because they may be
    /// credentials.
    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        self.param(name).filter(|_| self.declares(name))
    }

    fn declares(&self, name: &str) -> bool {
        self.options.iter().any(|option| option.name == name)
    }

    /// The names of its variants, also of those that an endpoint has to
    /// [select](Self::select_variant).
    ///
    /// ```
    /// use tower_webhook::providers;
    ///
    /// let shufti_pro = providers::by_name("shufti-pro").unwrap();
    /// assert!(shufti_pro.variant_names().eq(["sha256", "sha256-body-secret"]));
    /// ```
    pub fn variant_names(&self) -> impl Iterator<Item = &str> {
        self.variants.iter().map(|variant| &*variant.name)
    }

    /// The variants that are tried without being selected by name.
    fn tried(&self) -> impl Iterator<Item = &Variant> {
        self.variants.iter().filter(|variant| variant.automatic)
    }

    /// The schemes of [`tried`](Self::tried).
    pub(crate) fn schemes(&self) -> impl Iterator<Item = &Scheme> {
        self.tried().map(|variant| &variant.scheme)
    }

    /// Whether a scheme signs the method or the query, so that a safe method is no disguise of
    /// another request.
    #[cfg(feature = "tower")]
    pub(crate) fn signs_request_line(&self) -> bool {
        let mut schemes = self.schemes();
        schemes.any(|scheme| scheme.signs_request_line())
    }

    /// The names of the settings of its [handshakes](crate::handshake), for
    /// [`with_handshake_setting`](Self::with_handshake_setting).
    #[must_use]
    pub fn setting_names(&self) -> Vec<&'static str> {
        self.handshake.map(Handshake::settings).unwrap_or_default()
    }

    /// The headers that carry signatures or tokens, in all header families, each once. There are
    /// none if these are in the query or in the body. A header that a parameter names is
    /// `{param:NAME}` until the parameter is set.
    ///
    /// ```
    /// use tower_webhook::providers;
    ///
    /// let headers: Vec<String> = providers::github().signature_headers().collect();
    /// assert_eq!(headers, ["X-Hub-Signature-256"]);
    /// let headers: Vec<String> = providers::svix().signature_headers().collect();
    /// assert_eq!(headers, ["svix-signature", "webhook-signature"]);
    /// ```
    pub fn signature_headers(&self) -> impl Iterator<Item = String> {
        let mut seen = BTreeSet::new();
        let names = self.schemes().flat_map(|scheme| {
            let first = scheme.families.first();
            let headers = scheme.signature.places.iter();
            headers
                .filter_map(Locator::as_header)
                .flat_map(move |header| {
                    let rest = first.and_then(|prefix| header.strip_prefix(&**prefix));
                    let rest = rest.map(str::to_owned);
                    let plain = rest.is_none().then(|| header.to_string());
                    let families = scheme.families.iter();
                    let renamed = families
                        .filter_map(move |prefix| Some(format!("{prefix}{}", rest.as_ref()?)));
                    plain.into_iter().chain(renamed)
                })
        });
        // Variants may share one.
        names
            .map(|name| self.filled(&name))
            .filter(move |name| seen.insert(name.to_ascii_lowercase()))
    }

    /// A text with the values of the parameters in it.
    pub(crate) fn filled(&self, text: &str) -> String {
        let params = self.params.iter();
        params.fold(text.to_owned(), |filled, (name, value)| {
            filled.replace(&format!("{{param:{name}}}"), value)
        })
    }
}

#[cfg(feature = "explain")]
impl Provider {
    pub(crate) fn params(&self) -> &Params {
        &self.params
    }

    pub(crate) fn without_param(mut self, name: &str) -> Self {
        self.params.remove(name);
        self
    }

    /// The schemes of all variants, those first that are tried without being selected by name.
    pub(crate) fn all_schemes(&self) -> Vec<Scheme> {
        let opt_in = self.variants.iter().filter(|variant| !variant.automatic);
        let all = self.tried().chain(opt_in);
        all.map(|variant| variant.scheme.clone()).collect()
    }

    /// The provider with one scheme, and with only those parameters that it uses. It is for
    /// attempts to explain a request, which do not rely on how much is signed.
    pub(crate) fn with_only(&self, scheme: Scheme) -> Self {
        let mut provider = self.clone().with_any_coverage();
        let used = scheme.param_names();
        provider
            .params
            .retain(|name, _| used.iter().any(|used| used == name));
        provider.variants = vec![Variant {
            name: Cow::Owned(scheme.algorithm().to_string()),
            scheme,
            automatic: true,
        }];
        provider
    }
}

impl KeySet {
    /// Decodes secrets for a provider and prepares them for its scheme.
    ///
    /// # Errors
    ///
    /// When there is no secret or there are more than [`KeySet::MAX`]; when a secret is empty,
    /// blank, surrounded by white space, not in the provider's format, or too short; when the
    /// provider's scheme is invalid.
    pub fn new(provider: &Provider, secrets: impl Into<Vec<Secret>>) -> Result<Self, SetupError> {
        let compiled = provider.clone().with_any_coverage().compile()?;
        Self::for_schemes(&compiled.schemes, provider.secret_look(), secrets.into())
    }

    /// Creates a set without keys: requests are refused with 503 until
    /// [`SharedKeys::replace`](crate::keys::SharedKeys::replace) adds some.
    ///
    /// # Errors
    ///
    /// When the provider's scheme is invalid.
    pub fn empty(provider: &Provider) -> Result<Self, SetupError> {
        let compiled = provider.clone().with_any_coverage().compile()?;
        Ok(Self::none(&compiled.schemes))
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A parameter may be a credential.
        let params: Vec<_> = self.params.keys().collect();
        f.debug_struct("Provider")
            .field("name", &self.name)
            .field("schemes", &self.schemes().collect::<Vec<_>>())
            .field("params", &params)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::providers;

    #[test]
    fn a_parameter_that_may_be_a_credential_is_not_an_option() {
        let provider = providers::authenteq()
            .with_param("client_id", "client-7")
            .with_param("missing_status", "passed");
        assert_eq!(provider.option("client_id"), None);
        assert_eq!(provider.option("missing_status"), Some("passed"));
    }
}
