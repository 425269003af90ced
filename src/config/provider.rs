//! The table `[providers.NAME]`: a custom provider.

use std::fmt;

use http::StatusCode;
use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor, value::SeqAccessDeserializer},
};

use crate::config::value::Scalar;
use crate::{
    error::SetupError,
    provider::Provider,
    scheme::{
        definition::{Coverage, Scheme},
        encoding::Encoding,
        locator::Locator,
        secret_format::{Derivation, SecretFormat},
        signature::SignatureFormat,
        timestamp::{TimeUnit, Timestamp},
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CustomProvider {
    algorithm: String,
    signed: String,
    signature: SignatureConfig,
    timestamp: Option<TimestampConfig>,
    secret_format: Option<SecretFormatConfig>,
    require: Option<Vec<RequireConfig>>,
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
    encoding: String,
    prefix: Option<String>,
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
struct TimestampConfig {
    header: Option<String>,
    field: Option<String>,
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
        let mut provider = Provider::new(name.to_owned(), self.scheme()?);
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
            let source = source("delivery_id", header.as_ref(), json.as_ref(), form.as_ref())?;
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

    fn scheme(&self) -> Result<Scheme, SetupError> {
        let algorithm = self
            .algorithm
            .parse()
            .map_err(|error: SetupError| error.within("algorithm"))?;
        let signature = self
            .signature
            .build()
            .map_err(|error| error.within("signature"))?;
        let mut scheme = Scheme::new(algorithm, self.signed.clone(), signature);
        if let Some(timestamp) = &self.timestamp {
            let built = timestamp
                .build()
                .map_err(|error| error.within("timestamp"))?;
            scheme = scheme.with_timestamp(built);
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
}

impl SignatureConfig {
    fn build(&self) -> Result<SignatureFormat, SetupError> {
        let (header, more) = self.headers()?;
        let header = header.to_owned();
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
                SignatureFormat::fields(header, one("fields", separator)?, field, encoding)
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
        let mut signature = match &self.prefix {
            Some(prefix) => signature.with_prefix(prefix.clone()),
            None => signature,
        };
        if let Some(sets) = &self.sets {
            signature = signature.with_sets(one("sets", sets)?);
        }
        if self.repeats {
            signature = signature.with_repeated_lines();
        }
        for header in more {
            signature = signature.or_header(header.clone());
        }
        Ok(signature)
    }

    fn headers(&self) -> Result<(&str, &[String]), SetupError> {
        match (&self.header, &self.headers) {
            (Some(header), None) => Ok((header, &[])),
            (None, Some(headers)) => match headers.split_first() {
                Some((header, more)) => Ok((header, more)),
                None => Err(SetupError::new("headers is empty; add at least one name")),
            },
            (Some(_), Some(_)) => Err(SetupError::new(
                "header and headers are mutually exclusive; keep one",
            )),
            (None, None) => Err(SetupError::new("the location is missing; add header")),
        }
    }
}

impl TimestampConfig {
    fn build(&self) -> Result<Timestamp, SetupError> {
        let mut timestamp = match (&self.header, &self.field) {
            (Some(header), None) => Timestamp::header(header.clone()),
            (None, Some(field)) => Timestamp::field(field.clone()),
            (None, None) => {
                return Err(SetupError::new(
                    "the location is missing; add header or field",
                ));
            }
            (Some(_), Some(_)) => {
                return Err(SetupError::new(
                    "header and field are mutually exclusive; keep one",
                ));
            }
        };
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
            Some(other) => Err(SetupError::new(format!(
                "unknown derivation {other:?}; use sha1 or sha256"
            ))),
        }
    }
}

impl SourceConfig {
    fn build(&self, key: &str) -> Result<Locator, SetupError> {
        source(
            key,
            self.header.as_ref(),
            self.json.as_ref(),
            self.form.as_ref(),
        )
    }
}

fn source(
    key: &str,
    header: Option<&String>,
    json: Option<&String>,
    form: Option<&String>,
) -> Result<Locator, SetupError> {
    match (header, json, form) {
        (Some(header), None, None) => Ok(Locator::header(header.clone())),
        (None, Some(pointer), None) => Ok(Locator::json(pointer.clone())),
        (None, None, Some(name)) => Ok(Locator::form(name.clone())),
        _ => Err(SetupError::new(format!(
            "{key}: write exactly one of header, json and form"
        ))),
    }
}
