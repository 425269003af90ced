//! A provider as a table of a configuration file.

use std::{fmt::Write, time::Duration};

use crate::{
    error::SetupError,
    provider::Provider,
    scheme::{
        algorithm::Keying,
        definition::{Coverage, Scheme},
        encoding::Encoding,
        locator::{Locator, LocatorKind},
        secret_format::{Derivation, SecretFormat, TextEncoding},
        signature::{Grammar, SignatureFormat},
        timestamp::{TimeUnit, Timestamp},
        token::TokenFormat,
    },
};

impl Provider {
    /// The provider as the table `[providers.NAME]` of a configuration file, with what differs from
    /// the defaults, as a start for a provider that signs in a similar way.
    ///
    /// It describes the first variant; [`select_variant`](Self::select_variant) gives another. What
    /// a file cannot say is in comments: handshakes, typed events and values of parameters.
    ///
    /// ```
    /// use tower_webhook::{Config, providers};
    ///
    /// let text = providers::stripe().to_toml("acme")?;
    /// assert!(text.contains(r#"signed = "{ts}.{body}""#));
    /// let config = Config::from_toml_str(&text)?;
    /// assert_eq!(config.provider("acme")?.name(), "acme");
    /// # Ok::<_, tower_webhook::SetupError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the scheme needs code, so that no description holds it.
    pub fn to_toml(&self, name: &str) -> Result<String, SetupError> {
        let Some(scheme) = self.schemes().next() else {
            return Err(SetupError::new("the provider has no variant"));
        };
        if scheme.special.is_some() {
            return Err(SetupError::new(format!(
                "provider {} signs in a way that needs code, so no description holds it; use it by its name",
                self.name()
            )));
        }
        let mut text = format!("[providers.{}]\n", quoted_unless_bare(name));
        for comment in self.comments(scheme) {
            line(&mut text, "#", format_args!("{comment}"));
        }
        write_scheme(&mut text, scheme);
        if let Some(place) = self.event_type() {
            set(&mut text, "event_type", table(of_place(place)));
        }
        if let Some(place) = self.delivery_id() {
            let mut pairs = of_place(place);
            if self.delivery_id_is_unique() {
                pairs.push(("unique", "true".to_owned()));
            }
            set(&mut text, "delivery_id", table(pairs));
        }
        let plain = Self::new("", scheme.clone());
        if self.max_body() != plain.max_body() {
            set(&mut text, "max_body", self.max_body().to_string());
        }
        if self.read_timeout() != plain.read_timeout() {
            set(&mut text, "read_timeout", duration(self.read_timeout()));
        }
        if self.retry_horizon() != plain.retry_horizon() {
            set(&mut text, "retry_horizon", duration(self.retry_horizon()));
        }
        if let Some(limit) = self.time_limit() {
            set(&mut text, "time_limit", duration(limit));
        }
        if let Some(status) = self.success_status() {
            set(&mut text, "success_status", status.as_u16().to_string());
        }
        if let Some(url) = self.docs() {
            set(&mut text, "docs", quoted(url));
        }
        Ok(text)
    }

    /// What the table does not say.
    fn comments(&self, scheme: &Scheme) -> Vec<String> {
        let mut comments = Vec::new();
        let others = self.variant_names().skip(1).collect::<Vec<_>>();
        if !others.is_empty() {
            let first = self.variant_names().next().unwrap_or_default();
            comments.push(format!(
                "This is its variant {first}; it also has {}.",
                others.join(", ")
            ));
        }
        let mut params = scheme.param_names();
        params.sort();
        params.dedup();
        if !params.is_empty() {
            comments.push(format!("Its endpoints have to set {}.", params.join(", ")));
        }
        if scheme.coverage != Coverage::Body {
            comments.push(
                "Its endpoints need accept_unsigned_body = true, since not the whole body is signed."
                    .to_owned(),
            );
        }
        if self.handshake().is_some() {
            comments.push("Its handshakes are answered under its built-in name only.".to_owned());
        }
        comments
    }
}

fn write_scheme(text: &mut String, scheme: &Scheme) {
    if scheme.algorithm().keying() == Keying::Token {
        set(text, "token", table(of_token(scheme)));
    } else {
        set(text, "algorithm", quoted(&scheme.algorithm().to_string()));
        set(text, "signed", quoted(&scheme.signed));
        set(text, "signature", table(of_signature(&scheme.signature)));
    }
    if let Some(timestamp) = &scheme.timestamp {
        set(text, "timestamp", table(of_timestamp(timestamp)));
    }
    let format = of_secret_format(&scheme.secret_format);
    if !format.is_empty() {
        set(text, "secret_format", table(format));
    }
    if !scheme.require.is_empty() {
        let required = scheme.require.iter().map(|(header, value)| {
            table(vec![("header", quoted(header)), ("equals", quoted(value))])
        });
        set(text, "require", list(required));
    }
    if let Some(header) = &scheme.key_id {
        set(text, "key_id", table(vec![("header", quoted(header))]));
    }
    if !scheme.families.is_empty() {
        let prefixes = scheme.families.iter().map(|prefix| quoted(prefix));
        set(text, "header_families", list(prefixes));
    }
    // A token covers nothing, which need not be said.
    if scheme.coverage == Coverage::Partial {
        set(text, "covers", quoted("partial"));
    }
    let plain = Scheme::signed(
        scheme.algorithm(),
        "",
        SignatureFormat::single("", Encoding::Hex),
    );
    if scheme.min_rsa_bits != plain.min_rsa_bits {
        set(text, "min_rsa_bits", scheme.min_rsa_bits.to_string());
    }
}

type Pairs = Vec<(&'static str, String)>;

fn of_place(place: &Locator) -> Pairs {
    match &place.0 {
        LocatorKind::Header(name) => vec![("header", quoted(name))],
        LocatorKind::Field(name) => vec![("field", quoted(name))],
        LocatorKind::Query(name) => vec![("query", quoted(name))],
        LocatorKind::Json(pointer) => vec![("json", quoted(pointer))],
        LocatorKind::Form(name) => vec![("form", quoted(name))],
        LocatorKind::FormJson(name, pointer) => {
            vec![("form", quoted(name)), ("json", quoted(pointer))]
        }
    }
}

/// Of several places, all are headers.
fn of_places(places: &[Locator]) -> Pairs {
    match places {
        [place] => of_place(place),
        places => {
            let names = places.iter().filter_map(Locator::as_header);
            vec![("headers", list(names.map(|name| quoted(&name))))]
        }
    }
}

fn of_token(scheme: &Scheme) -> Pairs {
    if scheme.is_basic {
        return vec![("basic", "true".to_owned())];
    }
    let mut pairs = of_places(&scheme.signature.places);
    let prefix = scheme.signature.grammar.prefixes().first();
    if let Some(prefix) = prefix.filter(|prefix| !prefix.is_empty()) {
        pairs.push(("prefix", quoted(prefix)));
    }
    if scheme.signature.encoding != TokenFormat::plain().encoding {
        pairs.push(("encoding", quoted(&scheme.signature.encoding.to_string())));
    }
    pairs
}

fn of_signature(signature: &SignatureFormat) -> Pairs {
    let mut pairs = of_places(&signature.places);
    match &signature.grammar {
        Grammar::Single { prefixes } if prefixes.is_empty() => {}
        Grammar::Single { prefixes } => match &**prefixes {
            [prefix] => pairs.push(("prefix", quoted(prefix))),
            prefixes => {
                let prefixes = prefixes.iter().map(|prefix| quoted(prefix));
                pairs.push(("prefix", list(prefixes)));
            }
        },
        Grammar::List { separator, prefix } => {
            pairs.push(("list", quoted(&separator.to_string())));
            if !prefix.is_empty() {
                pairs.push(("prefix", quoted(prefix)));
            }
        }
        Grammar::Fields {
            separator,
            field,
            sets,
        } => {
            let space = if signature.spaced { " " } else { "" };
            pairs.push(("fields", quoted(&format!("{separator}{space}"))));
            pairs.push(("field", quoted(field)));
            if let Some(between) = sets {
                pairs.push(("sets", quoted(&between.to_string())));
            }
        }
        Grammar::Positional { separator, first } => {
            pairs.push(("positional", quoted(&separator.to_string())));
            if *first > 0 {
                pairs.push(("first", first.to_string()));
            }
        }
    }
    pairs.push(("encoding", quoted(&signature.encoding.to_string())));
    if signature.repeats {
        pairs.push(("repeats", "true".to_owned()));
    }
    pairs
}

fn of_timestamp(timestamp: &Timestamp) -> Pairs {
    let mut pairs = of_place(&timestamp.place);
    if timestamp.unit != TimeUnit::Seconds {
        pairs.push(("unit", quoted(&timestamp.unit.to_string())));
    }
    pairs.push(("tolerance", quoted(&timestamp.tolerance.to_string())));
    pairs
}

/// Empty for plain text.
fn of_secret_format(format: &SecretFormat) -> Pairs {
    let mut pairs = Vec::new();
    let plain = match format.encoding {
        TextEncoding::Text => SecretFormat::text(),
        TextEncoding::Base64 => {
            pairs.push(("encoding", quoted("base64")));
            SecretFormat::base64()
        }
        TextEncoding::Hex => {
            pairs.push(("encoding", quoted("hex")));
            SecretFormat::hex()
        }
    };
    match &*format.prefixes {
        [] => {}
        [prefix] => pairs.push(("prefix", quoted(prefix))),
        prefixes => pairs.push(("prefix", list(prefixes.iter().map(|prefix| quoted(prefix))))),
    }
    match format.derive {
        Some(Derivation::Sha1) => pairs.push(("derive", quoted("sha1"))),
        Some(Derivation::Sha256) => pairs.push(("derive", quoted("sha256"))),
        Some(Derivation::Nfkd) => pairs.push(("derive", quoted("nfkd"))),
        None => {}
    }
    if format.min_bytes != plain.min_bytes {
        pairs.push(("min_bytes", format.min_bytes.to_string()));
    }
    pairs
}

fn duration(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if duration.subsec_millis() > 0 => {
            let millis = duration.subsec_millis();
            quoted(&format!("{seconds}s {millis}ms"))
        }
        seconds if seconds > 0 && seconds.is_multiple_of(3600) => {
            quoted(&format!("{}h", seconds / 3600))
        }
        seconds => quoted(&format!("{seconds}s")),
    }
}

fn set(text: &mut String, key: &str, value: impl std::fmt::Display) {
    line(text, key, format_args!("= {value}"));
}

fn line(text: &mut String, first: &str, rest: std::fmt::Arguments<'_>) {
    let written = writeln!(text, "{first} {rest}");
    written.unwrap_or_else(|_| unreachable!("text can always be written"));
}

fn table(pairs: Pairs) -> String {
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(key, value)| format!("{key} = {value}"))
        .collect();
    format!("{{ {} }}", pairs.join(", "))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// A string of JSON, which is one of TOML as well unless it holds DEL.
fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    json.replace('\u{7f}', "\\u007f")
}

fn quoted_unless_bare(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !name.is_empty() && name.bytes().all(is_bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Config, providers};

    #[test]
    fn a_file_with_the_description_has_the_same_provider() {
        let (mut described, mut coded) = (0, 0);
        let variants = providers::all().filter_map(|known| known.provider());
        let variants = variants.flat_map(|provider| {
            let names: Vec<String> = provider.variant_names().map(str::to_owned).collect();
            names
                .into_iter()
                .map(move |name| (provider.clone().select_variant(&name).unwrap(), name))
        });
        for (provider, variant) in variants {
            let case = format!("{} {variant}", provider.name());
            let Ok(text) = provider.to_toml("a copy") else {
                coded += 1;
                continue;
            };
            described += 1;
            let config = Config::from_toml_str(&text);
            let config = config.unwrap_or_else(|error| panic!("{case}: {error}\n{text}"));
            let copy = config.provider("a copy").unwrap();
            let schemes = |provider: &Provider| provider.schemes().cloned().collect::<Vec<_>>();
            assert_eq!(schemes(&copy), schemes(&provider), "{case}\n{text}");
            let rest = |provider: &Provider| {
                (
                    provider.event_type().cloned(),
                    provider.delivery_id().cloned(),
                    provider.delivery_id_is_unique(),
                    provider.max_body(),
                    provider.read_timeout(),
                    provider.retry_horizon(),
                    provider.time_limit(),
                    provider.success_status(),
                    provider.docs().map(str::to_owned),
                )
            };
            assert_eq!(rest(&copy), rest(&provider), "{case}\n{text}");
        }
        assert!(described > 250 && coded >= 10, "{described} {coded}");
    }
}
