//! [`Row`]: a provider as constants, of which the builders of [`Scheme`] and [`Provider`] are called when
//! it is needed. A catalogue of constants is smaller than one of calls.

use std::time::Duration;

use http::StatusCode;

use crate::{
    challenge::{Handshake, at::At},
    keys::published::PublishedKeys,
    provider::{AnswerRead, Provider, evidence::Evidence},
    scheme::{
        algorithm::Algorithm,
        definition::{Coverage, Scheme},
        encoding::Encoding,
        locator::Locator,
        secret_format::{Derivation, SecretFormat},
        signature::SignatureFormat,
        timestamp::{TimeUnit, Timestamp, Tolerance},
        token::TokenFormat,
    },
};

type Text = &'static str;

pub(crate) struct Row {
    pub(crate) name: Text,
    pub(crate) docs: Option<Text>,
    pub(crate) evidence: Evidence,
    pub(crate) recipe: Recipe,
    /// Variants that an endpoint may select, by name.
    pub(crate) variants: &'static [(Text, Recipe)],
    pub(crate) event_type: Option<Place>,
    pub(crate) delivery_id: Option<Place>,
    pub(crate) is_unique: bool,
    /// Parameters with their defaults.
    pub(crate) params: &'static [(Text, Text)],
    pub(crate) retry_hours: Option<u64>,
    pub(crate) time_limit: Option<u64>,
    pub(crate) success: Option<u16>,
    pub(crate) max_body: Option<usize>,
    pub(crate) keys: Option<Keys>,
    pub(crate) handshake: Option<&'static Handshake>,
    pub(crate) answer: Answer,
    /// Whether two events may have the same body.
    pub(crate) has_alike_bodies: bool,
    /// Of an identity vendor whose result is not signed: where the session is.
    #[cfg(feature = "identity")]
    pub(crate) undisclosed: &'static [Text],
}

/// Where the provider publishes its keys: a set at an address, or what to call for one.
#[derive(Clone, Copy)]
pub(crate) enum Keys {
    Set(Text),
    Api(Text),
}

/// Whether the sender reads the answer.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Unread,
    Read,
    /// Of bodies without a value at this JSON pointer.
    ReadUnless(Text),
}

/// A scheme.
pub(crate) enum Recipe {
    Basic,
    Token {
        places: &'static [Place],
        prefix: Option<Text>,
        encoding: Option<Encoding>,
    },
    Signed(Signed),
}

pub(crate) struct Signed {
    pub(crate) algorithm: Algorithm,
    pub(crate) content: Text,
    pub(crate) places: &'static [Place],
    pub(crate) format: Format,
    pub(crate) encoding: Encoding,
    pub(crate) repeats: bool,
    /// Whether the vendor writes a space after each separator of fields.
    pub(crate) spaced: bool,
    /// The header with the id of the key.
    pub(crate) key_id: Option<Text>,
    pub(crate) time: Option<Time>,
    pub(crate) secret: (Secrets, &'static [Text]),
    pub(crate) require: &'static [(Text, Text)],
    /// Whether the body is signed in part, or not at all.
    pub(crate) is_partial: bool,
    pub(crate) min_rsa_bits: Option<usize>,
}

pub(crate) struct Time {
    pub(crate) place: Place,
    pub(crate) unit: TimeUnit,
    /// How far the time may be from the clock, in seconds: in the past and in the future.
    pub(crate) tolerance: (Option<u64>, Option<u64>),
}

#[derive(Clone, Copy)]
pub(crate) enum Place {
    Header(Text),
    Field(Text),
    Query(Text),
    Json(Text),
    Form(Text),
    FormJson(Text, Text),
}

#[derive(Clone, Copy)]
pub(crate) enum Format {
    Single(&'static [Text]),
    List(char, Text),
    Fields(char, Text, Option<char>),
    Positional(char, usize),
}

#[derive(Clone, Copy)]
pub(crate) enum Secrets {
    Text,
    Base64,
    Hex,
    Nfkd,
    /// Of any length, for a vendor whose samples are short.
    AnyBase64,
}

impl Place {
    fn locator(self) -> Locator {
        match self {
            Self::Header(name) => Locator::header(name),
            Self::Field(name) => Locator::field(name),
            Self::Query(name) => Locator::query(name),
            Self::Json(pointer) => Locator::json(pointer),
            Self::Form(name) => Locator::form(name),
            Self::FormJson(name, pointer) => Locator::form_json(name, pointer),
        }
    }
}

/// The locators of `places`. A recipe without one is refused when its verifier is built.
fn locators(places: &[Place]) -> (Locator, impl Iterator<Item = Locator>) {
    let mut all = places.iter().map(|place| place.locator());
    let first = all.next().unwrap_or_else(|| Locator::header(""));
    (first, all)
}

impl Recipe {
    fn scheme(&self) -> Scheme {
        match self {
            Self::Basic => Scheme::token(Locator::header("Authorization"), TokenFormat::basic()),
            Self::Token {
                places,
                prefix,
                encoding,
            } => {
                let mut format = TokenFormat::plain();
                if let Some(prefix) = *prefix {
                    format = format.with_prefix(prefix);
                }
                if let Some(encoding) = *encoding {
                    format = format.with_encoding(encoding);
                }
                let (first, others) = locators(places);
                others.fold(Scheme::token(first, format), Scheme::or_token_at)
            }
            Self::Signed(signed) => signed.scheme(),
        }
    }
}

impl Signed {
    fn scheme(&self) -> Scheme {
        let mut scheme = Scheme::signed(self.algorithm, self.content, self.signature())
            .with_secret_format(self.secret_format());
        if let Some(time) = &self.time {
            let (past, future) = time.tolerance;
            let tolerance = Tolerance::off()
                .with_past(past.map(Duration::from_secs))
                .with_future(future.map(Duration::from_secs));
            let timestamp = Timestamp::at(time.place.locator()).with_unit(time.unit);
            scheme = scheme.with_timestamp(timestamp.with_tolerance(tolerance));
        }
        if let Some(header) = self.key_id {
            scheme = scheme.with_key_id(header);
        }
        if self.is_partial {
            scheme = scheme.with_coverage(Coverage::Partial);
        }
        for (header, value) in self.require {
            scheme = scheme.with_required_header(*header, *value);
        }
        if let Some(bits) = self.min_rsa_bits {
            scheme = scheme.with_min_rsa_bits(bits);
        }
        scheme
    }

    fn signature(&self) -> SignatureFormat {
        let encoding = self.encoding;
        let (first, others) = locators(self.places);
        let mut signature = match self.format {
            Format::Single(prefixes) => {
                let single = SignatureFormat::single(first, encoding);
                let mut prefixes = prefixes.iter();
                let single = match prefixes.next() {
                    Some(prefix) => single.with_prefix(*prefix),
                    None => single,
                };
                prefixes.fold(single, |single, prefix| single.or_prefix(*prefix))
            }
            Format::List(separator, prefix) => {
                SignatureFormat::list(first, separator, encoding).with_prefix(prefix)
            }
            Format::Fields(separator, field, sets) => {
                let fields = SignatureFormat::fields(first, separator, field, encoding);
                match sets {
                    Some(between) => fields.with_sets(between),
                    None => fields,
                }
            }
            Format::Positional(separator, index) => {
                SignatureFormat::positional(first, separator, index, encoding)
            }
        };
        if self.repeats {
            signature = signature.with_repeated_lines();
        }
        if self.spaced {
            signature = signature.with_spaces();
        }
        others.fold(signature, SignatureFormat::or_place)
    }

    fn secret_format(&self) -> SecretFormat {
        let (form, prefixes) = self.secret;
        let format = match form {
            Secrets::Text => SecretFormat::text(),
            Secrets::Base64 => SecretFormat::base64(),
            Secrets::Hex => SecretFormat::hex(),
            Secrets::AnyBase64 => SecretFormat::base64().with_min_bytes(1),
            Secrets::Nfkd => SecretFormat::text().with_derivation(Derivation::Nfkd),
        };
        let prefixes = prefixes.iter();
        prefixes.fold(format, |format, prefix| format.or_prefix(*prefix))
    }
}

impl Row {
    pub(crate) fn provider(&self) -> Provider {
        let mut provider =
            Provider::new(self.name, self.recipe.scheme()).with_evidence(self.evidence);
        for (name, recipe) in self.variants {
            provider = provider.with_opt_in_variant(*name, recipe.scheme());
        }
        if let Some(place) = self.event_type {
            provider = provider.with_event_type(place.locator());
        }
        if let Some(place) = self.delivery_id {
            provider = provider.with_delivery_id(place.locator());
        }
        if self.is_unique {
            provider = provider.with_unique_delivery_id();
        }
        for (name, value) in self.params {
            provider = provider.with_param(*name, *value);
        }
        if let Some(hours) = self.retry_hours {
            provider = provider.with_retry_horizon(Duration::from_secs(hours.saturating_mul(3600)));
        }
        if let Some(seconds) = self.time_limit {
            provider = provider.with_time_limit(Duration::from_secs(seconds));
        }
        if let Some(status) = self
            .success
            .and_then(|code| StatusCode::from_u16(code).ok())
        {
            provider = provider.with_success_status(status);
        }
        if let Some(bytes) = self.max_body {
            provider = provider.with_max_body(bytes);
        }
        if let Some(keys) = self.keys {
            provider = provider.with_published_keys(match keys {
                Keys::Set(url) => PublishedKeys::Set(url),
                Keys::Api(call) => PublishedKeys::Api(call),
            });
        }
        if let Some(handshake) = self.handshake {
            provider = provider.with_handshake(handshake);
        }
        provider = match self.answer {
            Answer::Unread => provider,
            Answer::Read => provider.with_answer_read(AnswerRead::Always),
            Answer::ReadUnless(pointer) => {
                provider.with_answer_read(AnswerRead::Unless(At::Json(pointer)))
            }
        };
        if self.has_alike_bodies {
            provider = provider.with_alike_bodies();
        }
        #[cfg(feature = "identity")]
        {
            provider = provider.with_undisclosed(self.undisclosed);
        }
        match self.docs {
            Some(url) => provider.with_docs(url),
            None => provider,
        }
    }
}
