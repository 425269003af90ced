//! The checks of a head, in order. None uses a key.

use std::borrow::Cow;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    clock::UnixTime,
    compiled::{
        body::{BodyInput, only},
        header_table::{FamilyView, HeaderLines, HeaderNames, HeaderValue, HeaderValues},
        piece::{Delimiter, Slot, SlotSource},
        rules::{Elsewhere, HeadRules, Place, TimeLocator, TimestampRule},
        scheme::CompiledScheme,
        signature::{Collector, Field, Signatures, TooMany, field, is_folded},
        special::{CompiledSpecial, SpecialParts},
    },
    rejection::{Reason, hint::Hint, kind::RejectionKind},
    scheme::{
        signature::{Grammar, SignatureFormat},
        template::filtered,
        timestamp::{Outside, Tolerance},
    },
};

/// The values that one variant takes from a valid head. They are filled in one by one, because all
/// of them are too large to return.
#[derive(Default)]
pub(crate) struct ParsedHead {
    /// Empty until the body is there, if that has the signature.
    pub(crate) signatures: Signatures,
    pub(crate) values: HeaderValues,
    /// The id of the key, if the request names it.
    pub(crate) key_id: Option<Box<str>>,
    /// The time of the attempt, only if it is signed.
    pub(crate) timestamp: Option<UnixTime>,
    /// What a special scheme keeps of the head.
    pub(crate) special: Option<Box<SpecialParts>>,
}

impl CompiledScheme {
    /// Checks the head under this variant, and takes its values.
    pub(crate) fn parse_head(
        &self,
        parsed: &mut ParsedHead,
        lines: &HeaderLines<'_>,
        now: i64,
        tolerance: Option<Tolerance>,
    ) -> Result<(), Reason> {
        let rules = &self.head;
        let view = lines.in_family(rules.families, &rules.required, &rules.signatures);
        for header in &rules.required {
            view.one(header)?;
        }
        if let Some(special) = &self.special {
            rules
                .constants
                .iter()
                .try_for_each(|constant| check(view, constant))?;
            return rules.parse_special(parsed, special, view, now, tolerance);
        }
        // A signature of another algorithm is malformed, whatever a header says of it.
        rules.decode_head(view, &mut parsed.signatures)?;
        rules
            .constants
            .iter()
            .try_for_each(|constant| check(view, constant))?;
        let (text, timestamp) = rules.timestamp(view, now, tolerance)?;
        parsed.timestamp = timestamp;
        rules.copy_values(view, &self.content.slots, &text, &mut parsed.values)?;
        if let Some(header) = &rules.key_id {
            parsed.key_id = Some(key_id(header, view)?);
        }
        Ok(())
    }

    /// Checks what the scheme takes from the body beside signed values: the signature and the
    /// timestamp. `is_read` says whether the body is there, or only the head.
    pub(crate) fn parse_body(
        &self,
        parsed: &mut ParsedHead,
        body: &BodyInput,
        is_read: bool,
        now: i64,
        tolerance: Option<Tolerance>,
    ) -> Result<(), Reason> {
        let rules = &self.head;
        if let Some(special) = &mut parsed.special {
            let key_of = |chain| self.key_of(chain, now);
            let time = special.read_body(self.algorithm, is_read.then(|| body.bytes()), &key_of)?;
            parsed.timestamp = parsed.timestamp.or(time);
            return Ok(());
        }
        if let Some((elsewhere, index)) = rules.signature_in_body() {
            let value = body.value(index);
            let value = value.ok_or_else(|| elsewhere.blame(RejectionKind::MissingField))?;
            let blame = |kind| elsewhere.blame(kind);
            rules.decode(value, &mut parsed.signatures, blame)?;
        }
        if let Some((rule, elsewhere, index)) = rules.time_in_body() {
            let text = body.value(index);
            let text = text.ok_or_else(|| elsewhere.blame(RejectionKind::MissingField))?;
            let refused = |kind| elsewhere.blame(kind);
            parsed.timestamp = rule.check(text, now, tolerance, refused)?;
        }
        if let Some(repeated) = &rules.repeated_time
            && let Some((elsewhere, index)) = repeated.rule.in_body()
        {
            let refused = |kind| elsewhere.blame(kind);
            if let Some(text) = body.value(index) {
                parsed.timestamp = repeated.rule.check(text, now, tolerance, refused)?;
            } else if body.value(repeated.mark).is_some() {
                return Err(refused(RejectionKind::MissingField));
            }
        }
        Ok(())
    }

    /// Whether anything but signed values is taken from the body.
    pub(crate) fn parses_body(&self) -> bool {
        self.special.is_some()
            || self.head.signature_in_body().is_some()
            || self.head.time_in_body().is_some()
            || self.head.repeated_time.is_some()
    }

    /// Whether the head alone decides whether a key matches.
    pub(crate) fn is_decided_by_head(&self) -> bool {
        match &self.special {
            Some(special) => special.is_of_head(),
            None => self.content.is_of_head() && !self.parses_body(),
        }
    }
}

impl HeadRules {
    /// Checks the head under a special scheme.
    #[cold]
    fn parse_special(
        &self,
        parsed: &mut ParsedHead,
        special: &CompiledSpecial,
        view: FamilyView<'_, '_>,
        now: i64,
        tolerance: Option<Tolerance>,
    ) -> Result<(), Reason> {
        if special.has_plain_signature() && !self.signatures.is_empty() {
            self.decode_head(view, &mut parsed.signatures)?;
        }
        let (timestamp, parts) = special.read(view.head(), now, tolerance)?;
        parsed.timestamp = timestamp;
        parsed.special = Some(Box::new(parts));
        self.copy_values(view, &[], b"", &mut parsed.values)?;
        if let Some(header) = &self.key_id {
            parsed.key_id = Some(key_id(header, view)?);
        }
        Ok(())
    }

    fn signature_in_body(&self) -> Option<(&Elsewhere, usize)> {
        let elsewhere = self.elsewhere.as_ref()?;
        Some((elsewhere, elsewhere.in_body()?))
    }

    fn time_in_body(&self) -> Option<(&TimestampRule, &Elsewhere, usize)> {
        let rule = self.timestamp.as_ref()?;
        let (elsewhere, index) = rule.in_body()?;
        Some((rule, elsewhere, index))
    }

    /// Decodes the signatures of the head.
    fn decode_head(&self, view: FamilyView<'_, '_>, found: &mut Signatures) -> Result<(), Reason> {
        if let Some(elsewhere) = &self.elsewhere {
            let blame = |kind| elsewhere.blame(kind);
            return match elsewhere.place {
                Place::Query => self.decode(elsewhere.in_query(view)?.as_bytes(), found, blame),
                Place::Body(_) => Ok(()),
            };
        }
        // Most schemes have one header, on one line.
        if let ([header], false) = (&*self.signatures, self.signature.repeats) {
            return self.decode(view.one(header)?, found, |kind| view.blame(header, kind));
        }
        let mut collector = Collector::new(&self.signature, &self.decoder, found);
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
        self.some_decoded(&collector, value, |kind| view.blame(header, kind))
    }

    /// Decodes the signatures in one value.
    fn decode(
        &self,
        value: &[u8],
        found: &mut Signatures,
        blame: impl Fn(RejectionKind) -> Reason,
    ) -> Result<(), Reason> {
        let mut collector = Collector::new(&self.signature, &self.decoder, found);
        match collector.read(value) {
            Ok(()) => self.some_decoded(&collector, value, blame),
            Err(TooMany) => Err(blame(RejectionKind::TooManySignatures)),
        }
    }

    /// An error unless a signature was decoded.
    fn some_decoded(
        &self,
        collector: &Collector<'_>,
        value: &[u8],
        blame: impl Fn(RejectionKind) -> Reason,
    ) -> Result<(), Reason> {
        if collector.found.candidates.is_empty() {
            let reason = blame(RejectionKind::MalformedSignature);
            return Err(self.blame_candidates(reason, value, collector));
        }
        Ok(())
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
        collector: &Collector<'_>,
    ) -> Reason {
        if is_folded(&self.signature, value, &self.decoder) {
            return reason
                .instead(RejectionKind::RepeatedHeader)
                .hint(Hint::FoldedLines);
        }
        let begin: Option<Cow<'_, str>> = match &self.signature.grammar {
            Grammar::Fields { field, .. } => Some(format!("{field}=").into()),
            grammar => grammar.prefixes().first().map(|prefix| (&**prefix).into()),
        };
        let begin = begin.filter(|begin| !begin.is_empty() && collector.seen == 0);
        if let Some(begin) = begin {
            reason.hints().prefix = Some(begin.into());
            reason = reason.hint(Hint::PrefixMissing);
        }
        if let Some(undecoded) = &collector.found.undecoded {
            let hints = reason.hints();
            hints.signature = undecoded.seen;
            hints.set = hints.set.and(undecoded.hints);
        }
        reason.with_value_length(value.len())
    }

    /// The timestamp of the head as text, and as a time if it is signed.
    fn timestamp<'h>(
        &self,
        view: FamilyView<'_, 'h>,
        now: i64,
        tolerance: Option<Tolerance>,
    ) -> Result<(Cow<'h, [u8]>, Option<UnixTime>), Reason> {
        let Some(timestamp) = &self.timestamp else {
            return Ok((b"".into(), None));
        };
        let (text, header): (Cow<'h, [u8]>, _) = match &timestamp.place {
            TimeLocator::Header(names) => (view.one(names)?.into(), Some(names)),
            TimeLocator::Field(name) => (self.field(name, view)?.into(), self.signatures.first()),
            TimeLocator::Elsewhere(elsewhere) => match elsewhere.place {
                Place::Body(_) => return Ok((b"".into(), None)),
                Place::Query => {
                    let text = elsewhere.in_query(view)?.into_owned().into_bytes();
                    let refused = |kind| elsewhere.blame(kind);
                    let time = timestamp.check(&text, now, tolerance, refused)?;
                    return Ok((text.into(), time));
                }
            },
        };
        let refused = |kind| header.map_or(Reason::new(kind), |header| view.blame(header, kind));
        let time = timestamp.check(&text, now, tolerance, refused)?;
        Ok((text, time))
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
    fn copy_values(
        &self,
        view: FamilyView<'_, '_>,
        slots: &[Slot],
        timestamp: &[u8],
        values: &mut HeaderValues,
    ) -> Result<(), Reason> {
        let head = view.head();
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
                values.slots.push(HeaderValue::from_slice(value));
                let before_time = slot.delimiter == Delimiter::Time;
                let rule = self.timestamp.as_ref().filter(|_| before_time);
                slot.delimiter.holds(value)
                    && !rule.is_some_and(|rule| rule.starts_in(value, timestamp))
            });
            if delimited != Some(true) {
                return Err(malformed(names));
            }
        }
        let keep = |header: &Option<HeaderNames>, value: &mut Option<HeaderValue>| {
            if let Some(text) = header.as_ref().and_then(|header| view.only(header)) {
                *value = Some(HeaderValue::from_slice(text));
            }
        };
        keep(&self.metadata.event_type, &mut values.event_type);
        keep(&self.metadata.delivery_id, &mut values.delivery_id);
        keep(&self.metadata.content_type, &mut values.content_type);
        keep(
            &self.metadata.content_encoding,
            &mut values.content_encoding,
        );
        Ok(())
    }

    fn blame_signature(&self, view: FamilyView<'_, '_>, kind: RejectionKind) -> Reason {
        let header = self.signatures.first();
        header.map_or(Reason::new(kind), |header| view.blame(header, kind))
    }
}

/// Checks a header whose value is given.
fn check(
    view: FamilyView<'_, '_>,
    (header, expected): &(HeaderNames, Zeroizing<Vec<u8>>),
) -> Result<(), Reason> {
    let value = view.one(header)?;
    if !bool::from(value.ct_eq(expected)) {
        return Err(view.blame(header, RejectionKind::UnexpectedHeader));
    }
    Ok(())
}

/// The id of the key in a header.
fn key_id(header: &HeaderNames, view: FamilyView<'_, '_>) -> Result<Box<str>, Reason> {
    let text = std::str::from_utf8(view.one(header)?);
    let text = text.map_err(|_| view.blame(header, RejectionKind::MalformedHeader))?;
    Ok(text.into())
}

impl TimestampRule {
    /// Parses a timestamp and compares it with the clock. Returns it if it is signed.
    fn check(
        &self,
        text: &[u8],
        now: i64,
        tolerance: Option<Tolerance>,
        refused: impl Fn(RejectionKind) -> Reason,
    ) -> Result<Option<UnixTime>, Reason> {
        let Some(time) = self.parse(text) else {
            let reason = refused(RejectionKind::MalformedTimestamp).with_value_length(text.len());
            return Err(self.suspect(reason, text, now));
        };
        let checked = tolerance.map_or(Ok(()), |tolerance| tolerance.check(time.seconds, now));
        let kind = match checked {
            Ok(()) => return Ok(self.signed.then_some(time)),
            Err(Outside::TooOld) => RejectionKind::TimestampTooOld,
            Err(Outside::InFuture) => RejectionKind::TimestampInFuture,
        };
        let reason = refused(kind).with_skew(time.seconds.saturating_sub(now));
        Err(self.suspect(reason, text, now))
    }
}

impl Elsewhere {
    /// The only value of the query parameter.
    fn in_query<'h>(&self, view: FamilyView<'_, 'h>) -> Result<Cow<'h, str>, Reason> {
        let query: &'h str = view.head().query;
        match only(query.as_bytes(), &self.name) {
            Some(value) => Ok(value),
            None if form_urlencoded::parse(query.as_bytes())
                .any(|(name, _)| name == *self.name) =>
            {
                Err(self.blame(RejectionKind::RepeatedField))
            }
            None => Err(self.blame(RejectionKind::MissingField)),
        }
    }

    #[cold]
    fn blame(&self, kind: RejectionKind) -> Reason {
        Reason::new(kind).with_field(&self.name)
    }
}
