//! The headers that a signer adds.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    compiled::{
        header_table::HeaderNames, piece::SlotSource, rules::TimeLocator, scheme::CompiledScheme,
    },
    crypto::{encoding::encode, tag::Tag},
    scheme::signature::Grammar,
};

impl CompiledScheme {
    /// The headers, except the signature, that the scheme needs and `present` lacks, in the first
    /// family: constants, the timestamp, and `fresh` as the value of every other signed header.
    pub(crate) fn missing_headers(&self, present: &HeaderMap, now: i64, fresh: &str) -> HeaderMap {
        let mut missing = HeaderMap::new();
        let mut add = |names: &HeaderNames, value: &[u8]| {
            if let (Some(name), Ok(value)) = (names.name(), HeaderValue::from_bytes(value))
                && !present.contains_key(name)
                && !missing.contains_key(name)
            {
                missing.insert(name.clone(), value);
            }
        };
        for (names, value) in &self.head.constants {
            add(names, value);
        }
        if let Some(timestamp) = &self.head.timestamp
            && let TimeLocator::Header(names) = &timestamp.place
        {
            add(
                names,
                timestamp.unit.format(now).unwrap_or_default().as_bytes(),
            );
        }
        for slot in &self.content.slots {
            if let SlotSource::Header(names) = &slot.from {
                add(names, fresh.as_bytes());
            }
        }
        missing
    }

    /// The signature header with `tag` and, if the grammar has fields, `fields`.
    pub(crate) fn signature_header(
        &self,
        tag: &Tag,
        now: i64,
        fields: &[(String, String)],
    ) -> Option<(HeaderName, HeaderValue)> {
        let name = self.head.signatures.first()?.name()?;
        let text = encode(self.head.signature.encoding, tag);
        let time = self
            .head
            .timestamp
            .as_ref()
            .and_then(|timestamp| match &timestamp.place {
                TimeLocator::Field(name) => Some((name.to_string(), timestamp.unit.format(now)?)),
                TimeLocator::Header(_) => None,
            });
        let mut fields: Vec<(String, String)> =
            time.into_iter().chain(fields.iter().cloned()).collect();
        let value = match &self.head.signature.grammar {
            Grammar::Single { prefix } | Grammar::List { prefix, .. } => format!("{prefix}{text}"),
            Grammar::Fields {
                separator, field, ..
            } => {
                fields.push((field.to_string(), text));
                let fields: Vec<String> = fields
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                fields.join(&separator.to_string())
            }
            Grammar::Positional { separator, first } => {
                let place = |position: usize| {
                    let position = position.to_string();
                    let field = fields.iter().find(|(name, _)| *name == position);
                    field.map_or("", |(_, value)| value)
                };
                let mut items: Vec<&str> = (0..*first).map(place).collect();
                items.push(&text);
                items.join(&separator.to_string())
            }
        };
        Some((name.clone(), HeaderValue::from_str(&value).ok()?))
    }
}
