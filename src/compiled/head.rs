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
        signature::{Candidates, Collector, Field, TooMany, field, is_folded},
    },
    rejection::{Reason, hint::Hint, kind::RejectionKind},
    scheme::{
        signature::{Grammar, SignatureFormat},
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
        let candidates = rules.candidates(view)?;
        let (text, timestamp) = rules.timestamp(view, now, tolerance)?;
        Ok(ParsedHead {
            candidates,
            values: rules.values(view, &self.content.slots, text)?,
            timestamp,
        })
    }
}

impl HeadRules {
    /// Decodes the signatures.
    fn candidates(&self, view: FamilyView<'_, '_>) -> Result<Candidates, Reason> {
        let mut collector = Collector::new(&self.signature, self.signature_len);
        let mut first: Option<(&HeaderNames, &[u8])> = None;
        for (header, line, text) in self.signature_lines(view) {
            if line > 0 && !self.signature.repeats {
                return Err(view.blame(header, RejectionKind::RepeatedHeader));
            }
            first.get_or_insert((header, text));
            if let Err(TooMany) = collector.read(text) {
                return Err(view.blame(header, RejectionKind::TooManySignatures));
            }
        }
        let Some((header, value)) = first else {
            return Err(self.blame_signature(view, RejectionKind::MissingHeader));
        };
        let (candidates, any) = collector.finish();
        if candidates.is_empty() {
            return Err(self.blame_candidates(
                view.blame(header, RejectionKind::MalformedSignature),
                value,
                any,
                &candidates,
            ));
        }
        Ok(candidates)
    }

    /// The lines of the signature headers, numbered within each.
    fn signature_lines<'s, 'h>(
        &'s self,
        view: FamilyView<'s, 'h>,
    ) -> impl Iterator<Item = (&'s HeaderNames, usize, &'h [u8])> {
        self.signatures.iter().flat_map(move |header| {
            let first = view.get(header).into_iter();
            // One line too many is enough to refuse.
            let further = (1..=SignatureFormat::MAX_SIGNATURES)
                .map_while(move |line| view.line(header, line));
            let lines = first.chain(further).enumerate();
            lines.map(move |(line, text)| (header, line, text))
        })
    }

    /// Says why no signature can be decoded.
    #[cold]
    fn blame_candidates(
        &self,
        mut reason: Reason,
        value: &[u8],
        any: bool,
        candidates: &Candidates,
    ) -> Reason {
        if is_folded(&self.signature, value, self.signature_len) {
            return reason
                .instead(RejectionKind::RepeatedHeader)
                .hint(Hint::FoldedLines);
        }
        let begin: Option<Cow<'_, str>> = match &self.signature.grammar {
            Grammar::Single { prefix } | Grammar::List { prefix, .. } => {
                Some((&**prefix).into()).filter(|prefix: &Cow<'_, str>| !prefix.is_empty())
            }
            Grammar::Fields { field, .. } => Some(format!("{field}=").into()),
            Grammar::Positional { .. } => None,
        };
        if let Some(begin) = begin.filter(|_| !any) {
            reason.hints().prefix = Some(begin.into());
            reason = reason.hint(Hint::PrefixMissing);
        }
        if let Some(undecoded) = &candidates.undecoded {
            let hints = reason.hints();
            hints.signature = undecoded.seen;
            hints.set = hints.set.and(undecoded.hints);
        }
        reason.with_value_length(value.len())
    }

    /// The timestamp as text, and as a time if it is signed.
    fn timestamp<'h>(
        &self,
        view: FamilyView<'_, 'h>,
        now: i64,
        tolerance: Option<Tolerance>,
    ) -> Result<(&'h [u8], Option<UnixTime>), Reason> {
        let Some(timestamp) = &self.timestamp else {
            return Ok((b"", None));
        };
        let (text, header) = match &timestamp.place {
            TimeLocator::Header(names) => (view.one(names)?, Some(names)),
            TimeLocator::Field(name) => (self.field(name, view)?, self.signatures.first()),
        };
        let refused = |kind| header.map_or(Reason::new(kind), |header| view.blame(header, kind));
        let Some(time) = timestamp.parse(text) else {
            let reason = refused(RejectionKind::MalformedTimestamp).with_value_length(text.len());
            return Err(timestamp.suspect(reason, text, now));
        };
        let checked = tolerance.map_or(Ok(()), |tolerance| tolerance.check(time.seconds, now));
        let kind = match checked {
            Ok(()) => return Ok((text, timestamp.signed.then_some(time))),
            Err(Outside::TooOld) => RejectionKind::TimestampTooOld,
            Err(Outside::InFuture) => RejectionKind::TimestampInFuture,
        };
        let reason = refused(kind).with_skew(time.seconds.saturating_sub(now));
        Err(timestamp.suspect(reason, text, now))
    }

    fn field<'h>(&self, name: &str, view: FamilyView<'_, 'h>) -> Result<&'h [u8], Reason> {
        let lines = self.signature_lines(view).map(|(_, _, text)| text);
        let kind = match field(&self.signature.grammar, lines, name) {
            Field::Is(value) => return Ok(value),
            Field::Missing => RejectionKind::MissingField,
            Field::Ambiguous => RejectionKind::RepeatedField,
        };
        Err(self.blame_signature(view, kind).with_field(name))
    }

    /// Copies the values that are signed or describe the event.
    fn values(
        &self,
        view: FamilyView<'_, '_>,
        slots: &[Slot],
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
                    let value = self.field(name, view)?;
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
        let content_encoding = keep(&self.metadata.content_encoding);
        let delivery_id = keep(&self.metadata.delivery_id);
        values.event_type = event_type;
        values.content_type = content_type;
        values.content_encoding = content_encoding;
        values.delivery_id = delivery_id;
        Ok(values)
    }

    fn blame_signature(&self, view: FamilyView<'_, '_>, kind: RejectionKind) -> Reason {
        let header = self.signatures.first();
        header.map_or(Reason::new(kind), |header| view.blame(header, kind))
    }
}
