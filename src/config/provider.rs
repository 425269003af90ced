//! The table `[providers.NAME]`: a custom provider.

use std::fmt;

use http::StatusCode;
use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor, value::SeqAccessDeserializer},
};

use crate::config::{
    jwt::JwtConfig, locator::LocatorKeys, message_signature::MessageSignatureConfig, value::Scalar,
};
use crate::{
    error::SetupError,
    provider::Provider,
    scheme::{
        algorithm::Algorithm,
        definition::{Coverage, Scheme},
        encoding::Encoding,
        locator::Locator,
        secret_format::{Derivation, SecretFormat},
        signature::SignatureFormat,
        timestamp::{TimeUnit, Timestamp},
        token::TokenFormat,
    },
};

/// The keys for the place of a signature or a token, for messages.
const PLACES: &str = "header, headers, query, json and form";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CustomProvider {
    algorithm: Option<String>,
    signed: Option<String>,
    signature: Option<SignatureConfig>,
    token: Option<TokenConfig>,
    jwt: Option<JwtConfig>,
    message_signature: Option<MessageSignatureConfig>,
    min_rsa_bits: Option<usize>,
    timestamp: Option<TimestampConfig>,
    secret_format: Option<SecretFormatConfig>,
    require: Option<Vec<RequireConfig>>,
    key_id: Option<KeyIdConfig>,
    header_families: Option<Vec<String>>,
    covers: Option<String>,
    event_type: Option<SourceConfig>,
    delivery_id: Option<DeliveryIdConfig>,
    max_body: Option<Scalar>,
    read_timeout: Option<Scalar>,
    retry_horizon: Option<Scalar>,
    time_limit: Option<Scalar>,
    success_status: Option<i64>,
    docs: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureConfig {
    header: Option<String>,
    headers: Option<Vec<String>>,
    query: Option<String>,
    json: Option<String>,
    form: Option<String>,
    encoding: String,
    prefix: Option<Prefixes>,
    list: Option<String>,
    fields: Option<String>,
    field: Option<String>,
    sets: Option<String>,
    positional: Option<String>,
    first: Option<usize>,
    #[serde(default)]
    repeats: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenConfig {
    header: Option<String>,
    headers: Option<Vec<String>>,
    query: Option<String>,
    json: Option<String>,
    form: Option<String>,
    prefix: Option<String>,
    encoding: Option<String>,
    #[serde(default)]
    basic: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimestampConfig {
    header: Option<String>,
    field: Option<String>,
    query: Option<String>,
    json: Option<String>,
    form: Option<String>,
    unit: Option<String>,
    tolerance: Option<Scalar>,
    future: Option<Scalar>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretFormatConfig {
    encoding: Option<String>,
    prefix: Option<Prefixes>,
    derive: Option<String>,
    min_bytes: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyIdConfig {
    header: String,
}

/// One prefix, or a list of them.
struct Prefixes(Vec<String>);

impl<'de> Deserialize<'de> for Prefixes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrSeveral;

        impl<'de> Visitor<'de> for OneOrSeveral {
            type Value = Prefixes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text in quotes, or a list of texts")
            }

            fn visit_str<E: de::Error>(self, prefix: &str) -> Result<Prefixes, E> {
                Ok(Prefixes(vec![prefix.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Prefixes, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Prefixes)
            }
        }

        deserializer.deserialize_any(OneOrSeveral)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequireConfig {
    header: String,
    equals: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceConfig {
    header: Option<String>,
    json: Option<String>,
    form: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeliveryIdConfig {
    header: Option<String>,
    json: Option<String>,
    form: Option<String>,
    #[serde(default)]
    unique: bool,
}

impl CustomProvider {
    pub(super) fn build(&self, name: &str) -> Result<Provider, SetupError> {
        let mut provider = match (&self.jwt, &self.message_signature) {
            (None, None) => Provider::new(name.to_owned(), self.scheme()?),
            (Some(jwt), None) => {
                let schemes = jwt.schemes().map_err(|error| error.within("jwt"))?;
                let named = schemes
                    .into_iter()
                    .map(|scheme| (scheme.algorithm().to_string(), scheme));
                self.with_schemes(name, ("jwt", "a JSON Web Token"), named.collect())?
            }
            (None, Some(signature)) => {
                let key = "message_signature";
                let schemes = signature.schemes().map_err(|error| error.within(key))?;
                self.with_schemes(name, (key, "an HTTP message signature"), schemes)?
            }
            (Some(_), Some(_)) => {
                return Err(SetupError::new(
                    "jwt and message_signature are mutually exclusive; keep one",
                ));
            }
        };
        if let Some(source) = &self.event_type {
            provider = provider.with_event_type(source.build("event_type")?);
        }
        if let Some(DeliveryIdConfig {
            header,
            json,
            form,
            unique,
        }) = &self.delivery_id
        {
            let place = LocatorKeys {
                header: header.as_deref(),
                json: json.as_deref(),
                form: form.as_deref(),
                ..LocatorKeys::default()
            };
            let source = place.locator("header, json and form");
            let source = source.map_err(|error| error.within("delivery_id"))?;
            provider = provider.with_delivery_id(source);
            if *unique {
                provider = provider.with_unique_delivery_id();
            }
        }
        if let Some(size) = &self.max_body {
            provider = provider.with_max_body(size.size("max_body")?);
        }
        if let Some(timeout) = &self.read_timeout {
            provider = provider.with_read_timeout(timeout.read_timeout()?);
        }
        if let Some(horizon) = &self.retry_horizon {
            provider = provider.with_retry_horizon(horizon.some_duration(
                "retry_horizon",
                "is too short to remember a delivery, so every retry would be handled again; write how long the provider \
                 retries, such as \"72h\"",
            )?);
        }
        if let Some(limit) = &self.time_limit {
            provider = provider.with_time_limit(limit.duration("time_limit")?);
        }
        if let Some(code) = self.success_status {
            let status = u16::try_from(code)
                .ok()
                .and_then(|code| StatusCode::from_u16(code).ok())
                .filter(StatusCode::is_success);
            provider = provider.with_success_status(status.ok_or_else(|| {
                SetupError::new(format!(
                    "success_status: {code} is not a success status; write one from 200 to 299"
                ))
            })?);
        }
        if let Some(url) = &self.docs {
            provider = provider.with_docs(url.clone());
        }
        Ok(provider)
    }

    /// A provider whose way of signing is a table of its own, called `key`: a variant for each
    /// algorithm.
    fn with_schemes(
        &self,
        name: &str,
        (key, what): (&str, &str),
        schemes: Vec<(String, Scheme)>,
    ) -> Result<Provider, SetupError> {
        let stray = [
            ("algorithm", self.algorithm.is_some()),
            ("signed", self.signed.is_some()),
            ("signature", self.signature.is_some()),
            ("token", self.token.is_some()),
            ("timestamp", self.timestamp.is_some()),
            ("covers", self.covers.is_some()),
            ("header_families", self.header_families.is_some()),
        ];
        if let Some((stray, _)) = stray.iter().find(|(_, is_there)| *is_there) {
            return Err(SetupError::new(format!(
                "{stray}: {what} does not need it; remove it, or remove {key}"
            )));
        }
        let mut provider: Option<Provider> = None;
        for (variant, scheme) in schemes {
            let scheme = self.with_settings(scheme)?;
            provider = Some(match provider {
                None => Provider::new(name.to_owned(), scheme).with_variant_name(variant),
                Some(provider) => provider.with_variant(variant, scheme),
            });
        }
        provider.ok_or_else(|| SetupError::new(format!("{key}: it has no algorithm; write one")))
    }

    fn scheme(&self) -> Result<Scheme, SetupError> {
        let mut scheme = match &self.token {
            Some(token) => self.token_scheme(token)?,
            None => self.signed_scheme()?,
        };
        if let Some(timestamp) = &self.timestamp {
            let built = timestamp
                .build()
                .map_err(|error| error.within("timestamp"))?;
            scheme = scheme.with_timestamp(built);
        }
        scheme = self.with_settings(scheme)?;
        if let Some(prefixes) = &self.header_families {
            scheme = scheme.with_header_families(prefixes.iter().cloned());
        }
        match self.covers.as_deref() {
            None | Some("body") => Ok(scheme),
            Some("partial") => Ok(scheme.with_coverage(Coverage::Partial)),
            Some(other) => Err(SetupError::new(format!(
                "covers: expected \"body\" or \"partial\", found {other:?}"
            ))),
        }
    }

    /// Adds what every kind of scheme may have.
    fn with_settings(&self, mut scheme: Scheme) -> Result<Scheme, SetupError> {
        if let Some(bits) = self.min_rsa_bits {
            scheme = scheme.with_min_rsa_bits(bits);
        }
        if let Some(format) = &self.secret_format {
            let built = format
                .build()
                .map_err(|error| error.within("secret_format"))?;
            scheme = scheme.with_secret_format(built);
        }
        for RequireConfig { header, equals } in self.require.iter().flatten() {
            scheme = scheme.with_required_header(header.clone(), equals.clone());
        }
        if let Some(KeyIdConfig { header }) = &self.key_id {
            scheme = scheme.with_key_id(header.clone());
        }
        Ok(scheme)
    }

    fn signed_scheme(&self) -> Result<Scheme, SetupError> {
        let missing = |key: &str, what: &str| {
            SetupError::new(format!(
                "{key}: it is missing; write {what}, or token instead"
            ))
        };
        let algorithm = self.algorithm.as_ref();
        let algorithm = algorithm.ok_or_else(|| missing("algorithm", "how the provider signs"))?;
        let signed = self.signed.as_ref();
        let signed = signed.ok_or_else(|| missing("signed", "what the provider signs"))?;
        let signature = self.signature.as_ref();
        let signature = signature.ok_or_else(|| missing("signature", "where the signature is"))?;
        let algorithm = algorithm.parse::<Algorithm>();
        let algorithm = algorithm.map_err(|error| error.within("algorithm"))?;
        if algorithm == Algorithm::Token {
            return Err(SetupError::new(
                "algorithm: a token is no signature; write token = { header = … } instead of algorithm, signed and signature",
            ));
        }
        let signature = signature.build();
        let signature = signature.map_err(|error| error.within("signature"))?;
        Ok(Scheme::signed(algorithm, signed.clone(), signature))
    }

    fn token_scheme(&self, token: &TokenConfig) -> Result<Scheme, SetupError> {
        let stray = [
            ("algorithm", self.algorithm.is_some()),
            ("signed", self.signed.is_some()),
            ("signature", self.signature.is_some()),
            ("timestamp", self.timestamp.is_some()),
            ("covers", self.covers.is_some()),
        ];
        if let Some((key, _)) = stray.iter().find(|(_, is_there)| *is_there) {
            return Err(SetupError::new(format!(
                "{key}: a token signs nothing; remove it, or remove token"
            )));
        }
        token.build().map_err(|error| error.within("token"))
    }
}

impl TokenConfig {
    fn build(&self) -> Result<Scheme, SetupError> {
        let place = LocatorKeys {
            header: self.header.as_deref(),
            headers: self.headers.as_deref(),
            query: self.query.as_deref(),
            json: self.json.as_deref(),
            form: self.form.as_deref(),
            ..LocatorKeys::default()
        };
        if self.basic {
            if self.prefix.is_some() || self.encoding.is_some() || !place.is_empty() {
                return Err(SetupError::new(
                    "basic is in the header Authorization, and needs no other key; remove the others",
                ));
            }
            let place = Locator::header("Authorization");
            return Ok(Scheme::token(place, TokenFormat::basic()));
        }
        let mut format = TokenFormat::plain();
        if let Some(prefix) = &self.prefix {
            format = format.with_prefix(prefix.clone());
        }
        if let Some(encoding) = &self.encoding {
            format = format.with_encoding(encoding.parse()?);
        }
        let (first, others) = place.locators(PLACES)?;
        let scheme = Scheme::token(first, format);
        Ok(others.into_iter().fold(scheme, Scheme::or_token_at))
    }
}

impl SignatureConfig {
    fn build(&self) -> Result<SignatureFormat, SetupError> {
        let place = LocatorKeys {
            header: self.header.as_deref(),
            headers: self.headers.as_deref(),
            query: self.query.as_deref(),
            json: self.json.as_deref(),
            form: self.form.as_deref(),
            ..LocatorKeys::default()
        };
        let (header, others) = place.locators(PLACES)?;
        let encoding: Encoding = self.encoding.parse()?;
        let one = |key: &str, text: &str| {
            let mut letters = text.chars();
            match (letters.next(), letters.next()) {
                (Some(letter), None) => Ok(letter),
                _ => Err(SetupError::new(format!(
                    "{key}: {text:?} is not one character"
                ))),
            }
        };
        let signature = match (&self.list, &self.fields, &self.positional) {
            (None, None, None) => SignatureFormat::single(header, encoding),
            (Some(separator), None, None) => {
                SignatureFormat::list(header, one("list", separator)?, encoding)
            }
            (None, Some(separator), None) => {
                let field = self.field.clone().ok_or_else(|| {
                    SetupError::new(
                        "fields requires field, the name of the field with the signature; add it",
                    )
                })?;
                // One more character is the space that a signer writes.
                let (separator, spaced) = match separator.strip_suffix(' ') {
                    Some(separator) if !separator.is_empty() => (separator, true),
                    _ => (&**separator, false),
                };
                let separator = one("fields", separator)?;
                let format = SignatureFormat::fields(header, separator, field, encoding);
                match spaced {
                    true => format.with_spaces(),
                    false => format,
                }
            }
            (None, None, Some(separator)) => {
                let first = self.first.unwrap_or(0);
                SignatureFormat::positional(header, one("positional", separator)?, first, encoding)
            }
            _ => {
                return Err(SetupError::new(
                    "list, fields and positional are mutually exclusive; keep one",
                ));
            }
        };
        let stray = [
            (
                "field",
                self.field.is_some() && self.fields.is_none(),
                "fields",
            ),
            (
                "sets",
                self.sets.is_some() && self.fields.is_none(),
                "fields",
            ),
            (
                "first",
                self.first.is_some() && self.positional.is_none(),
                "positional",
            ),
        ];
        if let Some((key, _, with)) = stray.iter().find(|(_, stray, _)| *stray) {
            return Err(SetupError::new(format!(
                "{key} is allowed only with {with}; remove it"
            )));
        }
        if self.prefix.is_some() && (self.fields.is_some() || self.positional.is_some()) {
            return Err(SetupError::new(
                "prefix is allowed only with a whole value or a list; remove it",
            ));
        }
        let mut signature = signature;
        for (index, prefix) in self
            .prefix
            .iter()
            .flat_map(|prefixes| &prefixes.0)
            .enumerate()
        {
            signature = match index {
                0 => signature.with_prefix(prefix.clone()),
                _ if self.list.is_some() => {
                    return Err(SetupError::new("prefix: a list has one; keep one"));
                }
                _ => signature.or_prefix(prefix.clone()),
            };
        }
        if let Some(sets) = &self.sets {
            signature = signature.with_sets(one("sets", sets)?);
        }
        if self.repeats {
            signature = signature.with_repeated_lines();
        }
        for place in others {
            signature = signature.or_place(place);
        }
        Ok(signature)
    }
}

impl TimestampConfig {
    fn build(&self) -> Result<Timestamp, SetupError> {
        let place = LocatorKeys {
            header: self.header.as_deref(),
            field: self.field.as_deref(),
            query: self.query.as_deref(),
            json: self.json.as_deref(),
            form: self.form.as_deref(),
            ..LocatorKeys::default()
        };
        let mut timestamp = Timestamp::at(place.locator("header, field, query, json and form")?);
        if let Some(unit) = &self.unit {
            timestamp = timestamp.with_unit(unit.parse::<TimeUnit>()?);
        }
        let tolerance = self.tolerance.as_ref();
        let mut tolerance = tolerance
            .map(|text| text.tolerance("tolerance"))
            .transpose()?
            .unwrap_or_default();
        if let Some(text) = &self.future {
            tolerance = tolerance.with_future_of(text.tolerance("future")?);
        }
        Ok(timestamp.with_tolerance(tolerance))
    }
}

impl SecretFormatConfig {
    fn build(&self) -> Result<SecretFormat, SetupError> {
        let mut key = match self.encoding.as_deref() {
            None | Some("text") => SecretFormat::text(),
            Some("base64") => SecretFormat::base64(),
            Some("hex") => SecretFormat::hex(),
            Some(other) => {
                return Err(SetupError::new(format!(
                    "unknown encoding {other:?}; use text, base64 or hex"
                )));
            }
        };
        for prefix in self.prefix.iter().flat_map(|prefixes| &prefixes.0) {
            key = key.or_prefix(prefix.clone());
        }
        if let Some(bytes) = self.min_bytes {
            key = key.with_min_bytes(bytes);
        }
        match self.derive.as_deref() {
            None => Ok(key),
            Some("sha1") => Ok(key.with_derivation(Derivation::Sha1)),
            Some("sha256") => Ok(key.with_derivation(Derivation::Sha256)),
            Some("nfkd") => Ok(key.with_derivation(Derivation::Nfkd)),
            Some(other) => Err(SetupError::new(format!(
                "unknown derivation {other:?}; use sha1, sha256 or nfkd"
            ))),
        }
    }
}

impl SourceConfig {
    fn build(&self, key: &str) -> Result<Locator, SetupError> {
        let place = LocatorKeys {
            header: self.header.as_deref(),
            json: self.json.as_deref(),
            form: self.form.as_deref(),
            ..LocatorKeys::default()
        };
        let locator = place.locator("header, json and form");
        locator.map_err(|error| error.within(key))
    }
}
