//! The headers that a signer adds.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    compiled::{
        body::BodyInput,
        header_table::HeaderNames,
        piece::SlotSource,
        rules::{Elsewhere, RepeatedTime, TimeLocator},
        scheme::CompiledScheme,
    },
    scheme::signature::Grammar,
};

impl CompiledScheme {
    /// The headers, except the signature, that the scheme needs and `present` lacks, in the first
    /// family: constants, the timestamp, and `fresh` as the value of every other signed header.
    pub(crate) fn missing_headers(
        &self,
        present: &HeaderMap,
        now: i64,
        fresh: &str,
        key_id: Option<&str>,
    ) -> HeaderMap {
        let mut missing = HeaderMap::new();
        let mut add = |names: &HeaderNames, value: &[u8]| {
            let name = names.name();
            if let Ok(value) = HeaderValue::from_bytes(value)
                && !present.contains_key(name)
                && !missing.contains_key(name)
            {
                missing.insert(name.clone(), value);
            }
        };
        for (names, value) in &self.head.constants {
            add(names, value);
        }
        if let (Some(names), Some(id)) = (&self.head.key_id, key_id) {
            add(names, id.as_bytes());
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

    /// Removes what an earlier signature has left: the signature, the timestamp and the id of the
    /// key, in every family. Other signed headers, such as ids, move to the first family and keep
    /// their values.
    pub(crate) fn unsign(&self, headers: &mut HeaderMap) {
        let time = self.head.timestamp.iter();
        let time = time.filter_map(|timestamp| match &timestamp.place {
            TimeLocator::Header(names) => Some(names),
            TimeLocator::Field(_) | TimeLocator::Elsewhere(_) => None,
        });
        let made = self.head.signatures.iter().chain(time);
        for name in made.chain(&self.head.key_id).flat_map(HeaderNames::names) {
            headers.remove(name);
        }
        for slot in &self.content.slots {
            let SlotSource::Header(names) = &slot.from else {
                continue;
            };
            let mut values = names.names().filter_map(|name| headers.remove(name));
            let first = values.next();
            values.for_each(drop);
            if let Some(value) = first {
                headers.insert(names.name().clone(), value);
            }
        }
    }

    /// The fields of the signature header of which the content is made, as `headers` have them.
    pub(crate) fn signed_fields(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        let Grammar::Fields { separator, .. } = &self.head.signature.grammar else {
            return Vec::new();
        };
        let names = self.head.signatures.iter().flat_map(HeaderNames::names);
        let value = names.filter_map(|name| headers.get(name)?.to_str().ok());
        let value = value.last().unwrap_or_default();
        let all = value.split(*separator);
        let all = all.filter_map(|field| field.trim().split_once('='));
        let is_signed = |name: &str| {
            let mut slots = self.content.slots.iter();
            slots.any(|slot| matches!(&slot.from, SlotSource::Field(field) if **field == *name))
        };
        all.filter(|(name, _)| is_signed(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// The value with a signature or token that is encoded as `text`, and, if the grammar has
    /// fields, `fields`.
    pub(crate) fn signature_value(
        &self,
        text: &str,
        now: i64,
        fields: &[(String, String)],
    ) -> String {
        let rule = self.head.timestamp.as_ref();
        let time = rule.and_then(|timestamp| match &timestamp.place {
            TimeLocator::Field(name) => Some((name.to_string(), timestamp.unit.format(now)?)),
            TimeLocator::Header(_) | TimeLocator::Elsewhere(_) => None,
        });
        let mut fields: Vec<(String, String)> =
            time.into_iter().chain(fields.iter().cloned()).collect();
        match &self.head.signature.grammar {
            Grammar::Single { .. } | Grammar::List { .. } => {
                let prefixes = self.head.signature.grammar.prefixes();
                let prefix = prefixes.first().map_or("", |prefix| prefix);
                format!("{prefix}{text}")
            }
            Grammar::Fields {
                separator, field, ..
            } => {
                fields.push((field.to_string(), text.to_owned()));
                let fields: Vec<String> = fields
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                let space = if self.head.signature.spaced { " " } else { "" };
                fields.join(&format!("{separator}{space}"))
            }
            Grammar::Positional { separator, first } => {
                let place = |position: usize| {
                    let position = position.to_string();
                    let field = fields.iter().find(|(name, _)| *name == position);
                    field.map_or("", |(_, value)| value)
                };
                let mut items: Vec<&str> = (0..*first).map(place).collect();
                items.push(text);
                items.join(&separator.to_string())
            }
        }
    }

    /// The header with the signature; `None` if it is elsewhere.
    pub(crate) fn signature_header(&self) -> Option<&HeaderName> {
        self.head.signatures.first().map(HeaderNames::name)
    }

    /// The names of the fields of the signature header that the scheme signs.
    #[cfg(feature = "test-util")]
    pub(crate) fn signed_field_names(&self) -> impl Iterator<Item = &str> {
        self.content
            .slots
            .iter()
            .filter_map(|slot| match &slot.from {
                SlotSource::Field(name) => Some(&**name),
                _ => None,
            })
    }

    /// The parameters of the query that the scheme signs.
    #[cfg(feature = "test-util")]
    pub(crate) fn signed_query(&self) -> impl Iterator<Item = &str> {
        self.content
            .slots
            .iter()
            .filter_map(|slot| match &slot.from {
                SlotSource::Query(name) => Some(&**name),
                _ => None,
            })
    }

    /// The timestamp that is neither in a header nor in a field, and its text.
    pub(crate) fn time_elsewhere(&self, now: i64) -> Option<(&Elsewhere, String)> {
        let rule = self.head.timestamp.as_ref()?;
        match &rule.place {
            TimeLocator::Elsewhere(elsewhere) => Some((elsewhere, rule.unit.format(now)?)),
            TimeLocator::Header(_) | TimeLocator::Field(_) => None,
        }
    }

    /// The place where this signed body repeats the timestamp, and its text.
    pub(crate) fn repeated_time(&self, body: &BodyInput, now: i64) -> Option<(&Elsewhere, String)> {
        let RepeatedTime { rule, mark } = self.head.repeated_time.as_ref()?;
        let (elsewhere, index) = rule.in_body()?;
        let has_it = body.value(index).or_else(|| body.value(*mark)).is_some();
        has_it.then(|| Some((elsewhere, rule.unit.format(now)?)))?
    }
}
