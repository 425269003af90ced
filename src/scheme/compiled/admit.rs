//! The gate of a scheme: everything that a head can show, in the order in which it is asked.

use std::borrow::Cow;

use subtle::ConstantTimeEq;

use super::{
    super::{
        Tolerance,
        signature::{Candidates, Collector, Field, Unreadable, field},
        template::filtered,
        timestamp::Outside,
    },
    Captured, CompiledScheme, Values,
    content::{Slot, SlotSource, only},
    delimit::Border,
    headers::HeaderNames,
    rules::{HeadRules, Place},
};
use crate::{
    clock::Instant,
    head::Head,
    rejection::{Reason, RejectionKind},
};

/// What a head gave that passed the gate.
pub(crate) struct Admitted {
    pub(crate) candidates: Candidates,
    pub(crate) captured: Captured,
    /// The time of the attempt, only where it is signed.
    pub(crate) timestamp: Option<Instant>,
}

impl CompiledScheme {
    /// Checks everything that the head can show. Nothing here depends on a key.
    pub(crate) fn admit(
        &self,
        head: &Head<'_>,
        now: i64,
        tolerance: Option<Tolerance>,
    ) -> Result<Admitted, Reason> {
        self.head.admit(head, &self.content.slots, now, tolerance)
    }
}

impl Admitted {
    /// What this request and a key put into the content.
    pub(crate) fn values<'v>(&'v self, key: &'v [u8]) -> Values<'v> {
        Values {
            key,
            captured: &self.captured,
        }
    }
}

impl HeadRules {
    /// Checks everything that the head can show. Nothing here depends on a key.
    pub(super) fn admit(
        &self,
        head: &Head<'_>,
        slots: &[Slot],
        now: i64,
        tolerance: Option<Tolerance>,
    ) -> Result<Admitted, Reason> {
        let family = self.family(head);
        for header in &self.required {
            header.one(head, family)?;
        }
        for (header, expected) in &self.constants {
            let value = header.one(head, family)?;
            if !bool::from(value.ct_eq(expected)) {
                return Err(header.blame(RejectionKind::UnexpectedHeader, family));
            }
        }
        let (candidates, signature) = self.candidates(head, family)?;
        let (text, timestamp) = self.timestamp(head, family, signature, now, tolerance)?;
        let captured = self.capture(head, slots, family, signature, (text, now, tolerance))?;
        Ok(Admitted {
            candidates,
            captured,
            timestamp,
        })
    }

    /// The first family whose headers are all there; else the first of which any is; else the first.
    fn family(&self, head: &Head<'_>) -> usize {
        if self.families == 1 {
            return 0;
        }
        let present = |family: usize, names: &HeaderNames| {
            names
                .of(family)
                .is_some_and(|name| head.headers.nth(name, 0).is_some())
        };
        let complete = |family: &usize| {
            let mut signatures = self.signatures.iter();
            self.required.iter().all(|names| present(*family, names))
                && signatures.any(|names| present(*family, names))
        };
        let begun = |family: &usize| {
            let mut all = self.required.iter().chain(&self.signatures);
            all.any(|names| present(*family, names))
        };
        (0..self.families)
            .find(complete)
            .or_else(|| (0..self.families).find(begun))
            .unwrap_or(0)
    }

    /// The decoded signatures, and the first value they came from.
    fn candidates<'h>(
        &self,
        head: &Head<'h>,
        family: usize,
    ) -> Result<(Candidates, &'h [u8]), Reason> {
        let mut collector = Collector::new(self.signature.encoding, self.signature_len);
        let mut first = None;
        let mut blame = Reason::new(RejectionKind::MissingHeader);
        for header in &self.signatures {
            let Some(name) = header.of(family) else {
                continue;
            };
            if first.is_none() {
                blame = blame.about(name);
            }
            for line in 0..=Candidates::MAX {
                let Some(value) = head.headers.nth(name, line) else {
                    break;
                };
                if line > 0 && !self.signature.repeats {
                    return Err(Reason::new(RejectionKind::RepeatedHeader).about(name));
                }
                if first.is_none() {
                    first = Some(value);
                    blame = Reason::new(RejectionKind::MalformedSignature)
                        .about(name)
                        .with_length(value.len());
                }
                if let Err(Unreadable::TooMany) = collector.read(&self.signature.grammar, value) {
                    return Err(Reason::new(RejectionKind::TooManySignatures).about(name));
                }
            }
        }
        match (first, collector.finish()) {
            (Some(first), Ok(candidates)) => Ok((candidates, first)),
            _ => Err(blame),
        }
    }

    /// The timestamp as text, and as a time where it is signed.
    fn timestamp<'h>(
        &self,
        head: &Head<'h>,
        family: usize,
        signature: &'h [u8],
        now: i64,
        tolerance: Option<Tolerance>,
    ) -> Result<(&'h [u8], Option<Instant>), Reason> {
        let Some(timestamp) = &self.timestamp else {
            return Ok((b"", None));
        };
        let (text, header) = match &timestamp.place {
            Place::Header(names) => (names.one(head, family)?, names),
            Place::Field(name) => (
                self.field(name, signature, family)?,
                self.signatures
                    .first()
                    .ok_or_else(|| Reason::new(RejectionKind::MissingHeader))?,
            ),
        };
        let instant = std::str::from_utf8(text)
            .ok()
            .and_then(|text| timestamp.unit.parse(text))
            .ok_or_else(|| {
                header
                    .blame(RejectionKind::MalformedTimestamp, family)
                    .with_length(text.len())
            })?;
        match tolerance.map_or(Ok(()), |tolerance| tolerance.check(instant.seconds, now)) {
            Ok(()) => Ok((text, timestamp.signed.then_some(instant))),
            Err(Outside::TooOld { seconds }) => Err(header
                .blame(RejectionKind::TimestampTooOld, family)
                .with_skew(seconds)),
            Err(Outside::InFuture { seconds }) => Err(header
                .blame(RejectionKind::TimestampInFuture, family)
                .with_skew(seconds)),
        }
    }

    fn field<'h>(
        &self,
        name: &str,
        signature: &'h [u8],
        family: usize,
    ) -> Result<&'h [u8], Reason> {
        match field(&self.signature.grammar, signature, name) {
            Field::Is(value) => Ok(value),
            Field::Missing | Field::Ambiguous => Err(self
                .signatures
                .first()
                .map_or(Reason::new(RejectionKind::MalformedSignature), |names| {
                    names.blame(RejectionKind::MalformedSignature, family)
                })),
        }
    }

    /// Whether a time that would be accepted can be read in `value` or across its end, so that the two could be cut elsewhere.
    fn holds_time(
        &self,
        value: &[u8],
        time: &[u8],
        now: i64,
        tolerance: Option<Tolerance>,
    ) -> bool {
        let Some(timestamp) = &self.timestamp else {
            return false;
        };
        let joined = [value, time].concat();
        joined
            .windows(time.len().max(1))
            .take(value.len())
            .any(|window| {
                let instant = std::str::from_utf8(window)
                    .ok()
                    .and_then(|text| timestamp.unit.parse_start(text));
                instant.is_some_and(|instant| {
                    tolerance.is_none_or(|tolerance| tolerance.check(instant.seconds, now).is_ok())
                })
            })
    }

    fn capture(
        &self,
        head: &Head<'_>,
        slots: &[Slot],
        family: usize,
        signature: &[u8],
        (timestamp, now, tolerance): (&[u8], i64, Option<Tolerance>),
    ) -> Result<Captured, Reason> {
        let mut captured = Captured::default();
        for slot in slots {
            let malformed = |names: Option<&HeaderNames>| {
                names.map_or(Reason::new(RejectionKind::MalformedHeader), |names| {
                    names.blame(RejectionKind::MalformedHeader, family)
                })
            };
            let (value, names): (Cow<'_, [u8]>, _) = match &slot.from {
                SlotSource::Header(names) => (names.one(head, family)?.into(), Some(names)),
                SlotSource::Field(name) => (
                    self.field(name, signature, family)?.into(),
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
                let timed = slot.border == Border::Time
                    && self.holds_time(value, timestamp, now, tolerance);
                slot.border.holds(value) && !timed
            });
            if clear != Some(true) {
                return Err(malformed(names));
            }
        }
        for header in &self.reads {
            let value = header
                .as_ref()
                .and_then(|header| header.one(head, family).ok());
            captured.push(value);
        }
        Ok(captured)
    }
}
