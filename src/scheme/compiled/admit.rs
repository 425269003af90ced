//! The gate of a scheme: everything that a head can show, in the order in which it is asked.

use std::borrow::Cow;

use subtle::ConstantTimeEq;

use super::{
    super::{
        Tolerance,
        signature::{Candidates, Collector, Field, TooMany, field},
        template::filtered,
        timestamp::Outside,
    },
    Captured, CompiledScheme, Values,
    content::{Slot, SlotSource, only},
    delimit::Border,
    headers::{HeaderNames, Seen, View},
    rules::{HeadRules, Place},
};
use crate::{
    clock::Instant,
    rejection::{Reason, RejectionKind},
};

/// What a head gave that passed the gate.
pub(crate) struct Admitted {
    /// The place of the construction among those of its provider.
    pub(crate) scheme: usize,
    pub(crate) candidates: Candidates,
    pub(crate) captured: Captured,
    /// The time of the attempt, only where it is signed.
    pub(crate) timestamp: Option<Instant>,
}

impl CompiledScheme {
    /// Checks everything that the head can show, and fills `admitted` in place. Nothing here depends on a key.
    pub(crate) fn admit(
        &self,
        seen: &Seen<'_>,
        now: i64,
        tolerance: Option<Tolerance>,
        admitted: &mut Admitted,
    ) -> Result<(), Reason> {
        let slots = &self.content.slots;
        self.head.admit(seen, slots, (now, tolerance), admitted)
    }
}

impl Admitted {
    pub(crate) fn new(scheme: usize) -> Self {
        Self {
            scheme,
            candidates: Candidates::default(),
            captured: Captured::default(),
            timestamp: None,
        }
    }

    /// What this request and a key put into the content.
    pub(crate) fn values<'v>(&'v self, key: &'v [u8]) -> Values<'v> {
        Values {
            key,
            captured: &self.captured,
        }
    }
}

impl HeadRules {
    fn admit(
        &self,
        seen: &Seen<'_>,
        slots: &[Slot],
        (now, tolerance): (i64, Option<Tolerance>),
        admitted: &mut Admitted,
    ) -> Result<(), Reason> {
        let seen = seen.in_family(self.families, &self.required, &self.signatures);
        for header in &self.required {
            seen.one(header)?;
        }
        for (header, expected) in &self.constants {
            let value = seen.one(header)?;
            if !bool::from(value.ct_eq(expected)) {
                return Err(seen.blame(header, RejectionKind::UnexpectedHeader));
            }
        }
        let signature = self.candidates(seen, &mut admitted.candidates)?;
        let (text, timestamp) = self.timestamp(seen, signature, now, tolerance)?;
        admitted.timestamp = timestamp;
        self.capture(seen, slots, signature, text, &mut admitted.captured)
    }

    /// Decodes the signatures. Returns the first value they came from.
    fn candidates<'h>(
        &self,
        seen: View<'_, 'h>,
        candidates: &mut Candidates,
    ) -> Result<&'h [u8], Reason> {
        let mut collector = Collector::new(self.signature.encoding, self.signature_len, candidates);
        let mut first: Option<(&HeaderNames, &'h [u8])> = None;
        for header in &self.signatures {
            let mut value = seen.get(header);
            let mut line: usize = 0;
            while let Some(text) = value {
                if line > 0 && !self.signature.repeats {
                    return Err(seen.blame(header, RejectionKind::RepeatedHeader));
                }
                first.get_or_insert((header, text));
                if let Err(TooMany) = collector.read(&self.signature.grammar, text) {
                    return Err(seen.blame(header, RejectionKind::TooManySignatures));
                }
                line = line.saturating_add(1);
                if line > Candidates::MAX {
                    break;
                }
                value = seen.line(header, line);
            }
        }
        let Some((header, value)) = first else {
            let header = self.signatures.first();
            return Err(
                header.map_or(Reason::new(RejectionKind::MissingHeader), |header| {
                    seen.blame(header, RejectionKind::MissingHeader)
                }),
            );
        };
        if candidates.is_empty() {
            return Err(seen
                .blame(header, RejectionKind::MalformedSignature)
                .with_length(value.len()));
        }
        Ok(value)
    }

    /// The timestamp as text, and as a time where it is signed.
    fn timestamp<'h>(
        &self,
        seen: View<'_, 'h>,
        signature: &'h [u8],
        now: i64,
        tolerance: Option<Tolerance>,
    ) -> Result<(&'h [u8], Option<Instant>), Reason> {
        let Some(timestamp) = &self.timestamp else {
            return Ok((b"", None));
        };
        let (text, header) = match &timestamp.place {
            Place::Header(names) => (seen.one(names)?, names),
            Place::Field(name) => (
                self.field(name, signature, seen)?,
                self.signatures
                    .first()
                    .ok_or_else(|| Reason::new(RejectionKind::MissingHeader))?,
            ),
        };
        let instant = timestamp.parse(text).ok_or_else(|| {
            seen.blame(header, RejectionKind::MalformedTimestamp)
                .with_length(text.len())
        })?;
        match tolerance.map_or(Ok(()), |tolerance| tolerance.check(instant.seconds, now)) {
            Ok(()) => Ok((text, timestamp.signed.then_some(instant))),
            Err(Outside::TooOld { seconds }) => Err(seen
                .blame(header, RejectionKind::TimestampTooOld)
                .with_skew(seconds)),
            Err(Outside::InFuture { seconds }) => Err(seen
                .blame(header, RejectionKind::TimestampInFuture)
                .with_skew(seconds)),
        }
    }

    fn field<'h>(
        &self,
        name: &str,
        signature: &'h [u8],
        seen: View<'_, '_>,
    ) -> Result<&'h [u8], Reason> {
        match field(&self.signature.grammar, signature, name) {
            Field::Is(value) => Ok(value),
            Field::Missing | Field::Ambiguous => Err(self
                .signatures
                .first()
                .map_or(Reason::new(RejectionKind::MalformedSignature), |names| {
                    seen.blame(names, RejectionKind::MalformedSignature)
                })),
        }
    }

    fn capture(
        &self,
        seen: View<'_, '_>,
        slots: &[Slot],
        signature: &[u8],
        timestamp: &[u8],
        captured: &mut Captured,
    ) -> Result<(), Reason> {
        let head = seen.head();
        for slot in slots {
            let malformed = |names: Option<&HeaderNames>| {
                names.map_or(Reason::new(RejectionKind::MalformedHeader), |names| {
                    seen.blame(names, RejectionKind::MalformedHeader)
                })
            };
            let (value, names): (Cow<'_, [u8]>, _) = match &slot.from {
                SlotSource::Header(names) => (seen.one(names)?.into(), Some(names)),
                SlotSource::Field(name) => (
                    self.field(name, signature, seen)?.into(),
                    self.signatures.first(),
                ),
                SlotSource::Timestamp => (timestamp.into(), None),
                SlotSource::Method => (head.method.as_bytes().into(), None),
                SlotSource::Path => (head.path.as_bytes().into(), None),
                SlotSource::Query(name) => (
                    match only(head.query.as_bytes(), name) {
                        Some(value) => Cow::Owned(value.into_owned().into_bytes()),
                        None => return Err(malformed(None)),
                    },
                    None,
                ),
            };
            let clear = filtered(&slot.filters, &value, |value| {
                captured.push(Some(value));
                let rule = self
                    .timestamp
                    .as_ref()
                    .filter(|_| slot.border == Border::Time);
                slot.border.holds(value)
                    && !rule.is_some_and(|rule| rule.starts_in(value, timestamp))
            });
            if clear != Some(true) {
                return Err(malformed(names));
            }
        }
        for header in &self.reads {
            let value = header.as_ref().and_then(|header| seen.one(header).ok());
            captured.push(value);
        }
        Ok(())
    }
}
