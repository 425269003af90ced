//! [`HeadRules`]: what a scheme requires of a head.

use std::borrow::Cow;

use http::HeaderValue;
use zeroize::Zeroizing;

use crate::{
    clock::UnixTime,
    compiled::{
        body::{BodySource, BodyTable},
        content::Content,
        header_table::HeaderNames,
        piece::{Slot, SlotSource},
    },
    crypto::proof::Decoder,
    error::SetupError,
    rejection::{Reason, hint::Hint},
    scheme::{
        definition::{Coverage, Scheme},
        locator::{Locator, LocatorKind},
        params::{Params, parameter},
        signature::SignatureFormat,
        template::{self, Segment, Token, filtered},
        timestamp::TimeUnit,
    },
};

/// What a scheme requires of a head.
#[derive(Debug)]
pub(crate) struct HeadRules {
    /// The number of header families.
    pub(crate) families: usize,
    /// Every header that must occur exactly once.
    pub(crate) required: Vec<HeaderNames>,
    pub(crate) constants: Vec<(HeaderNames, Zeroizing<Vec<u8>>)>,
    /// The headers with signatures; none if the signature is elsewhere.
    pub(crate) signatures: Vec<HeaderNames>,
    pub(crate) elsewhere: Option<Elsewhere>,
    pub(crate) decoder: Decoder,
    pub(crate) signature: SignatureFormat,
    pub(crate) timestamp: Option<TimestampRule>,
    /// The header with the id of the key.
    pub(crate) key_id: Option<HeaderNames>,
    /// The same time again, in the signed body.
    pub(crate) repeated_time: Option<RepeatedTime>,
    /// Headers that describe the event.
    pub(crate) metadata: Metadata<HeaderNames>,
    /// The slot of the signed content that is the event type.
    pub(crate) event_type_slot: Option<usize>,
    /// The slot of the signed content that is the delivery id.
    pub(crate) delivery_id_slot: Option<usize>,
}

/// The time of the head again, in the signed body.
#[derive(Debug)]
pub(crate) struct RepeatedTime {
    pub(crate) rule: TimestampRule,
    /// The value of the body with which the time has to be there.
    pub(crate) mark: usize,
}

/// What a provider reads from a head beside the signature: headers, or the values found there.
#[derive(Clone, Debug)]
pub(crate) struct Metadata<T> {
    pub(crate) event_type: Option<T>,
    pub(crate) delivery_id: Option<T>,
    pub(crate) content_type: Option<T>,
    pub(crate) content_encoding: Option<T>,
}

/// A place that is not a header.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    /// The name there, for messages.
    pub(crate) name: Box<str>,
    pub(crate) place: Place,
}

#[derive(Debug)]
pub(crate) enum Place {
    Query,
    /// By its index in the table of the body.
    Body(usize),
}

impl Elsewhere {
    /// `None` for a header, and for a field of one.
    fn new(locator: &Locator, table: &mut BodyTable, is_text: bool) -> Option<Self> {
        let name = match &locator.0 {
            LocatorKind::Header(_) | LocatorKind::Field(_) => return None,
            LocatorKind::Query(name) | LocatorKind::Json(name) | LocatorKind::Form(name) => {
                name.to_string()
            }
            LocatorKind::FormJson(name, pointer) => format!("{name}#{pointer}"),
        };
        let source = body_source(locator, is_text);
        Some(Self {
            name: name.into(),
            place: source.map_or(Place::Query, |source| {
                Place::Body(table.add(source, Vec::new()))
            }),
        })
    }

    /// Whether it is known only with the body.
    pub(crate) fn in_body(&self) -> Option<usize> {
        match self.place {
            Place::Query => None,
            Place::Body(index) => Some(index),
        }
    }
}

/// The value in the body at a locator; a string if it has to be a text.
pub(crate) fn body_source(locator: &Locator, is_text: bool) -> Option<BodySource> {
    Some(match &locator.0 {
        LocatorKind::Header(_) | LocatorKind::Field(_) | LocatorKind::Query(_) => return None,
        LocatorKind::Json(pointer) if is_text => BodySource::JsonString((&**pointer).into()),
        LocatorKind::Json(pointer) => BodySource::Json((&**pointer).into()),
        LocatorKind::Form(name) => BodySource::Form((&**name).into()),
        LocatorKind::FormJson(name, pointer) => {
            BodySource::FormJson((&**name).into(), (&**pointer).into())
        }
    })
}

#[derive(Debug)]
pub(crate) struct TimestampRule {
    pub(crate) place: TimeLocator,
    pub(crate) unit: TimeUnit,
    pub(crate) signed: bool,
    /// The fixed number of digits, if only the length delimits the timestamp.
    digits: Option<usize>,
}

impl TimestampRule {
    /// The rule for the same time at a place in the signed body; `None` for a place elsewhere.
    pub(super) fn repeated_at(
        &self,
        place: &Locator,
        mark: &Locator,
        table: &mut BodyTable,
    ) -> Option<RepeatedTime> {
        let elsewhere = Elsewhere::new(place, table, false)?;
        elsewhere.in_body()?;
        let rule = Self {
            place: TimeLocator::Elsewhere(elsewhere),
            unit: self.unit,
            signed: true,
            digits: None,
        };
        let mark = Elsewhere::new(mark, table, false)?.in_body()?;
        Some(RepeatedTime { rule, mark })
    }

    /// Where the time is in the body.
    pub(super) fn in_body(&self) -> Option<(&Elsewhere, usize)> {
        match &self.place {
            TimeLocator::Elsewhere(elsewhere) => Some((elsewhere, elsewhere.in_body()?)),
            TimeLocator::Header(_) | TimeLocator::Field(_) => None,
        }
    }

    /// Parses a timestamp in the one spelling that unit and position allow.
    pub(crate) fn parse(&self, text: &[u8]) -> Option<UnixTime> {
        if self.digits.is_some_and(|digits| text.len() != digits) {
            return None;
        }
        self.unit.parse(std::str::from_utf8(text).ok()?)
    }

    /// Adds what a refused timestamp suggests: another unit, or a clock that is wrong.
    #[cold]
    pub(crate) fn suspect(&self, mut reason: Reason, text: &[u8], now: i64) -> Reason {
        const FAR: i64 = 2 * 24 * 60 * 60;
        let near = |time: UnixTime| time.seconds.abs_diff(now) <= FAR.unsigned_abs();
        let text = std::str::from_utf8(text).unwrap_or_default();
        if self.unit.parse(text).is_some_and(near) {
            return reason.hint(Hint::Clock);
        }
        if let Some(seen) = unit_seen(text, near) {
            reason.hints().units = Some((seen, self.unit.plural()));
            return reason.hint(Hint::OtherUnit);
        }
        reason
    }

    /// Whether a timestamp starts within `value`, possibly overlapping `time`, which follows it:
    /// the two could then be split elsewhere. Any timestamp counts, since tolerance and clock
    /// change.
    pub(crate) fn starts_in(&self, value: &[u8], time: &[u8]) -> bool {
        let joined = [value, time].concat();
        let mut windows = joined.windows(time.len().max(1)).take(value.len());
        windows.any(|window| self.unit.parse_start(window).is_some())
    }
}

/// The unit in which a text is a time not far from now.
fn unit_seen(text: &str, near: impl Fn(UnixTime) -> bool) -> Option<&'static str> {
    let known = [
        TimeUnit::Seconds,
        TimeUnit::Milliseconds,
        TimeUnit::Rfc3339,
        TimeUnit::ImfFixdate,
    ];
    let known = known
        .into_iter()
        .find(|unit| unit.parse(text).is_some_and(&near));
    if let Some(unit) = known {
        return Some(unit.plural());
    }
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((seconds, fraction)) = text.split_once('.') {
        let time = TimeUnit::Seconds.parse(seconds);
        let time = time
            .filter(|_| is_number(fraction))
            .filter(|_| !fraction.is_empty())?;
        return near(time).then_some("seconds with a fraction");
    }
    // Units that no scheme has, by the digits that they have in addition to seconds.
    [("microseconds", 6), ("nanoseconds", 9)]
        .into_iter()
        .find_map(|(name, more)| {
            let seconds = text.get(..text.len().checked_sub(more)?)?;
            let time = TimeUnit::Seconds
                .parse(seconds)
                .filter(|_| is_number(text))?;
            near(time).then_some(name)
        })
}

#[derive(Debug)]
pub(crate) enum TimeLocator {
    Header(HeaderNames),
    Field(Box<str>),
    Elsewhere(Elsewhere),
}

impl HeadRules {
    pub(crate) fn new(
        scheme: &Scheme,
        params: &Params,
        content: &Content,
        metadata: &Metadata<Cow<'static, str>>,
        table: &mut BodyTable,
        header: &mut dyn FnMut(&str) -> Result<HeaderNames, SetupError>,
    ) -> Result<Self, SetupError> {
        let mut names = |name: &str, key: &str| header(name).map_err(|error| error.within(key));
        let headers = scheme.signature.places.iter();
        let signatures: Vec<_> = headers
            .filter_map(Locator::as_header)
            .map(|name| names(&name, "signature"))
            .collect::<Result<_, _>>()?;
        let mut places = scheme.signature.places.iter();
        let elsewhere = places.find_map(|place| Elsewhere::new(place, table, true));
        let timestamp = scheme.timestamp.as_ref().map(|timestamp| {
            let place = match &timestamp.place.0 {
                LocatorKind::Header(name) => TimeLocator::Header(names(name, "timestamp")?),
                LocatorKind::Field(name) => TimeLocator::Field((&**name).into()),
                _ => match Elsewhere::new(&timestamp.place, table, false) {
                    Some(elsewhere) => TimeLocator::Elsewhere(elsewhere),
                    None => unreachable!("every other place is elsewhere"),
                },
            };
            if timestamp.unit == TimeUnit::IsoUtc && content.touches_time {
                return Err(SetupError::new(
                    "timestamp: an iso-utc time has no fixed end; write the text that the provider signs after it",
                ));
            }
            let covered = timestamp.place.is_in_body()
                && (content.signs_body_time()
                    || content.signs(&timestamp.place.0)
                    || scheme.coverage == Coverage::Body);
            let signed = |slot: &Slot| match (&slot.from, &place) {
                (SlotSource::Timestamp, _) => true,
                (SlotSource::Header(header), TimeLocator::Header(time)) => {
                    header.is(time) && slot.filters.is_empty()
                }
                _ => false,
            };
            Ok(TimestampRule {
                signed: covered || content.slots.iter().any(signed),
                place,
                digits: timestamp.unit.digits().filter(|_| content.touches_time),
                unit: timestamp.unit,
            })
        });
        let timestamp = timestamp.transpose()?;
        let constants = scheme
            .require
            .iter()
            .map(|(name, value)| Ok((names(name, "require")?, constant(name, value, params)?)));
        let constants: Vec<_> = constants.collect::<Result<_, SetupError>>()?;
        for (index, (names, value)) in constants.iter().enumerate() {
            let earlier = constants.iter().take(index);
            if earlier
                .into_iter()
                .any(|(other, text)| other.is(names) && text != value)
            {
                return Err(SetupError::new(format!(
                    "require: header {:?} is required twice, with different values; keep one",
                    names.shown()
                )));
            }
        }
        let mut optional =
            |name: &Option<Cow<'static, str>>| name.as_ref().map(|name| header(name)).transpose();
        let metadata = Metadata {
            event_type: optional(&metadata.event_type)?,
            delivery_id: optional(&metadata.delivery_id)?,
            content_type: optional(&metadata.content_type)?,
            content_encoding: optional(&metadata.content_encoding)?,
        };

        let key_id = scheme.key_id.as_ref();
        let key_id = key_id.map(|name| header(name)).transpose();
        let key_id = key_id.map_err(|error| error.within("key_id"))?;
        let mut required = Vec::new();
        required.extend(key_id.clone());
        if signatures.len() == 1 && !scheme.signature.repeats {
            required.extend(signatures.iter().cloned());
        }
        if let Some(TimeLocator::Header(names)) =
            timestamp.as_ref().map(|timestamp| &timestamp.place)
        {
            required.push(names.clone());
        }
        for slot in &content.slots {
            if let SlotSource::Header(names) = &slot.from {
                required.push(names.clone());
            }
        }
        required.extend(constants.iter().map(|(names, _)| names.clone()));

        let slot_of = |header: &Option<HeaderNames>| {
            let header = header.as_ref()?;
            let is_it =
                |slot: &Slot| matches!(&slot.from, SlotSource::Header(names) if names.is(header));
            content.slots.iter().position(is_it)
        };
        Ok(Self {
            families: scheme.families.len(),
            required,
            constants,
            signatures,
            elsewhere,
            decoder: Decoder::new(scheme.algorithm, scheme.signature.encoding),
            signature: scheme.signature.clone(),
            timestamp,
            key_id,
            repeated_time: None,
            event_type_slot: slot_of(&metadata.event_type),
            delivery_id_slot: slot_of(&metadata.delivery_id),
            metadata,
        })
    }
}

impl HeadRules {
    /// The header with the timestamp.
    pub(crate) fn time_header(&self) -> Option<&HeaderNames> {
        match &self.timestamp.as_ref()?.place {
            TimeLocator::Header(names) => Some(names),
            TimeLocator::Field(_) | TimeLocator::Elsewhere(_) => None,
        }
    }
}

/// The required value of a header: text and parameters.
fn constant(header: &str, value: &str, params: &Params) -> Result<Zeroizing<Vec<u8>>, SetupError> {
    let mut text = Zeroizing::new(Vec::new());
    for segment in template::parse(value).map_err(|error| error.within("require"))? {
        match segment {
            Segment::Literal(literal) => text.extend_from_slice(literal.as_bytes()),
            Segment::Token(Token::Param(name), filters) => {
                let value = parameter(params, &name)?;
                filtered(&filters, value.as_bytes(), |value| {
                    text.extend_from_slice(value)
                });
            }
            Segment::Token(token, _) => {
                return Err(SetupError::new(format!(
                    "require: header {header:?} can be compared with text and {{param:name}}, not \
                     with {token}"
                )));
            }
        }
    }
    if text.is_empty() {
        return Err(SetupError::new(format!(
            "require: header {header:?} is compared with an empty value; write what it must equal"
        )));
    }
    if HeaderValue::from_bytes(&text).is_err() || text.trim_ascii().len() < text.len() {
        return Err(SetupError::new(format!(
            "require: header {header:?} is compared with a value that no header can have; remove surrounding white space, \
             line breaks and other control characters"
        )));
    }
    Ok(text)
}
