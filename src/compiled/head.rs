//! The checks of a head, in order. None uses a key.

use std::borrow::Cow;

use subtle::ConstantTimeEq;

use crate::{
    clock::UnixTime,
    compiled::{
        body::only,
        header_table::{FamilyView, HeaderLines, HeaderNames, HeaderValues},
        piece::{Delimiter, Slot, SlotSource},
        rules::{HeadRules, TimeLocator},
        scheme::CompiledScheme,
        signature::{Candidates, Collector, Field, TooMany, field},
    },
    rejection::{Reason, kind::RejectionKind},
    scheme::{
        signature::SignatureFormat,
        template::filtered,
        timestamp::{Outside, Tolerance},
    },
};

/// The values that one variant takes from a valid head.
pub(crate) struct ParsedHead {
    pub(crate) candidates: Candidates,
    pub(crate) values: HeaderValues,
    /// The time of the attempt, only if it is signed.
    pub(crate) timestamp: Option<UnixTime>,
}

impl CompiledScheme {
    /// Checks the head under this variant.
    pub(crate) fn parse_head(
        &self,
        lines: &HeaderLines<'_>,
        now: i64,
        tolerance: Option<Tolerance>,
    ) -> Result<ParsedHead, Reason> {
        let rules = &self.head;
        let view = lines.in_family(rules.families, &rules.required, &rules.signatures);
        for header in &rules.required {
            view.one(header)?;
        }
        for (header, expected) in &rules.constants {
            let value = view.one(header)?;
            if !bool::from(value.ct_eq(expected)) {
                return Err(view.blame(header, RejectionKind::UnexpectedHeader));
            }
        }
        let (candidates, signature) = rules.candidates(view)?;
        let (text, timestamp) = rules.timestamp(view, signature, now, tolerance)?;
        Ok(ParsedHead {
            candidates,
            values: rules.values(view, &self.content.slots, signature, text)?,
            timestamp,
        })
    }
}

impl HeadRules {
    /// Decodes the signatures, and returns the first value that holds one.
    fn candidates<'h>(&self, view: FamilyView<'_, 'h>) -> Result<(Candidates, &'h [u8]), Reason> {
        let mut collector = Collector::new(self.signature.encoding, self.signature_len);
        let mut first: Option<(&HeaderNames, &'h [u8])> = None;
        for header in &self.signatures {
            let mut value = view.get(header);
            let mut line: usize = 0;
            while let Some(text) = value {
                if line > 0 && !self.signature.repeats {
                    return Err(view.blame(header, RejectionKind::RepeatedHeader));
                }
                first.get_or_insert((header, text));
                if let Err(TooMany) = collector.read(&self.signature.grammar, text) {
                    return Err(view.blame(header, RejectionKind::TooManySignatures));
                }
                line = line.saturating_add(1);
                if line > SignatureFormat::MAX_SIGNATURES {
                    break;
                }
                value = view.line(header, line);
            }
        }
        let Some((header, value)) = first else {
            return Err(self.blame_signature(view, RejectionKind::MissingHeader));
        };
        let candidates = collector.finish();
        if candidates.is_empty() {
            return Err(view
                .blame(header, RejectionKind::MalformedSignature)
                .with_value_length(value.len()));
        }
        Ok((candidates, value))
    }

    /// The timestamp as text, and as a time if it is signed.
    fn timestamp<'h>(
        &self,
        view: FamilyView<'_, 'h>,
        signature: &'h [u8],
        now: i64,
        tolerance: Option<Tolerance>,
    ) -> Result<(&'h [u8], Option<UnixTime>), Reason> {
        let Some(timestamp) = &self.timestamp else {
            return Ok((b"", None));
        };
        let (text, header) = match &timestamp.place {
            TimeLocator::Header(names) => (view.one(names)?, Some(names)),
            TimeLocator::Field(name) => {
                (self.field(name, signature, view)?, self.signatures.first())
            }
        };
        let refused = |kind| header.map_or(Reason::new(kind), |header| view.blame(header, kind));
        let Some(time) = timestamp.parse(text) else {
            return Err(refused(RejectionKind::MalformedTimestamp).with_value_length(text.len()));
        };
        let checked = tolerance.map_or(Ok(()), |tolerance| tolerance.check(time.seconds, now));
        let kind = match checked {
            Ok(()) => return Ok((text, timestamp.signed.then_some(time))),
            Err(Outside::TooOld) => RejectionKind::TimestampTooOld,
            Err(Outside::InFuture) => RejectionKind::TimestampInFuture,
        };
        Err(refused(kind).with_skew(time.seconds.saturating_sub(now)))
    }

    fn field<'h>(
        &self,
        name: &str,
        signature: &'h [u8],
        view: FamilyView<'_, '_>,
    ) -> Result<&'h [u8], Reason> {
        match field(&self.signature.grammar, signature, name) {
            Field::Is(value) => Ok(value),
            Field::Missing | Field::Ambiguous => {
                Err(self.blame_signature(view, RejectionKind::MalformedSignature))
            }
        }
    }

    /// Copies the values that are signed or describe the event.
    fn values(
        &self,
        view: FamilyView<'_, '_>,
        slots: &[Slot],
        signature: &[u8],
        timestamp: &[u8],
    ) -> Result<HeaderValues, Reason> {
        let head = view.head();
        let mut values = HeaderValues::default();
        for slot in slots {
            let malformed = |names: Option<&HeaderNames>| {
                let kind = RejectionKind::MalformedHeader;
                names.map_or(Reason::new(kind), |names| view.blame(names, kind))
            };
            let (value, names): (Cow<'_, [u8]>, _) = match &slot.from {
                SlotSource::Header(names) => (view.one(names)?.into(), Some(names)),
                SlotSource::Field(name) => {
                    let value = self.field(name, signature, view)?;
                    (value.into(), self.signatures.first())
                }
                SlotSource::Timestamp => (timestamp.into(), None),
                SlotSource::Method => (head.method.as_bytes().into(), None),
                SlotSource::Path => (head.path.as_bytes().into(), None),
                SlotSource::Query(name) => match only(head.query.as_bytes(), name) {
                    Some(value) => (value.into_owned().into_bytes().into(), None),
                    None => return Err(malformed(None)),
                },
            };
            let delimited = filtered(&slot.filters, &value, |value| {
                values.push_slot(value);
                let before_time = slot.delimiter == Delimiter::Time;
                let rule = self.timestamp.as_ref().filter(|_| before_time);
                slot.delimiter.holds(value)
                    && !rule.is_some_and(|rule| rule.starts_in(value, timestamp))
            });
            if delimited != Some(true) {
                return Err(malformed(names));
            }
        }
        let mut keep = |header: &Option<HeaderNames>| {
            let value = view.one(header.as_ref()?).ok()?;
            Some(values.push(value))
        };
        let event_type = keep(&self.metadata.event_type);
        let content_type = keep(&self.metadata.content_type);
        let delivery_id = keep(&self.metadata.delivery_id);
        values.event_type = event_type;
        values.content_type = content_type;
        values.delivery_id = delivery_id;
        Ok(values)
    }

    fn blame_signature(&self, view: FamilyView<'_, '_>, kind: RejectionKind) -> Reason {
        let header = self.signatures.first();
        header.map_or(Reason::new(kind), |header| view.blame(header, kind))
    }
}
