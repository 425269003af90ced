//! What a scheme asks of a head.

use http::HeaderValue;
use zeroize::Zeroizing;

use super::{
    super::{
        Scheme, Signature,
        template::{self, Part, Token, filtered},
        timestamp::{TimeUnit, TimestampPlace},
    },
    Content, Params, Reads,
    content::{Slot, SlotSource, parameter},
    headers::HeaderNames,
};
use crate::{SetupError, clock::Instant};

/// What a scheme asks of a head.
#[derive(Debug)]
pub(super) struct HeadRules {
    /// How many families of names there are.
    pub(super) families: usize,
    /// Every header that must be there exactly once.
    pub(super) required: Vec<HeaderNames>,
    pub(super) constants: Vec<(HeaderNames, Zeroizing<Vec<u8>>)>,
    pub(super) signatures: Vec<HeaderNames>,
    pub(super) signature_len: usize,
    pub(super) signature: Signature,
    pub(super) timestamp: Option<TimestampRule>,
    /// What a provider reads beside what is signed; see [`super::Read`].
    pub(super) reads: [Option<HeaderNames>; 3],
    /// Which slot of the content is the delivery id.
    pub(super) delivery_slot: Option<usize>,
    /// Which is the event type.
    pub(super) event_type_slot: Option<usize>,
    /// Whether the delivery id is signed without a change.
    pub(super) reads_slot: bool,
}

#[derive(Debug)]
pub(super) struct TimestampRule {
    pub(super) place: Place,
    pub(super) unit: TimeUnit,
    pub(super) signed: bool,
    /// How many digits a number must have, where only its length shows where it ends.
    digits: Option<usize>,
}

impl TimestampRule {
    /// The time that `text` is, as the unit and the place in the content want it written.
    pub(super) fn parse(&self, text: &[u8]) -> Option<Instant> {
        if self.digits.is_some_and(|digits| text.len() != digits) {
            return None;
        }
        self.unit.parse(std::str::from_utf8(text).ok()?)
    }

    /// Whether a time starts in `value` or runs over its end into `time`, the one that follows: the two could then be cut elsewhere.
    /// It does not matter which time: the tolerance may be another tomorrow, and so is the clock.
    pub(super) fn starts_in(&self, value: &[u8], time: &[u8]) -> bool {
        let joined = [value, time].concat();
        let mut windows = joined.windows(time.len().max(1)).take(value.len());
        windows.any(|window| self.unit.parse_start(window).is_some())
    }
}

#[derive(Debug)]
pub(super) enum Place {
    Header(HeaderNames),
    Field(Box<str>),
}

impl HeadRules {
    pub(super) fn new(
        scheme: &Scheme,
        params: &Params,
        content: &Content,
        reads: &Reads,
        header: &mut dyn FnMut(&str) -> Result<HeaderNames, SetupError>,
    ) -> Result<Self, SetupError> {
        let mut names = |name: &str, key: &str| header(name).map_err(|error| error.within(key));
        let signatures = scheme.signature.headers.iter();
        let signatures: Vec<_> = signatures
            .map(|name| names(name, "signature"))
            .collect::<Result<_, _>>()?;
        let timestamp = scheme.timestamp.as_ref().map(|timestamp| {
            let place = match &timestamp.place {
                TimestampPlace::Header(name) => Place::Header(names(name, "timestamp")?),
                TimestampPlace::Field(name) => Place::Field((&**name).into()),
            };
            let signed = |slot: &Slot| match (&slot.from, &place) {
                (SlotSource::Timestamp, _) => true,
                (SlotSource::Header(header), Place::Header(time)) => {
                    header.is(time) && slot.filters.is_empty()
                }
                _ => false,
            };
            Ok(TimestampRule {
                signed: content.slots.iter().any(signed),
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
                    "require: header {:?} must have two different values; keep one",
                    names.shown()
                )));
            }
        }
        let [event_type, delivery_id, content_type] = reads
            .each_ref()
            .map(|name| name.as_ref().map(|name| header(name)));

        let mut required = Vec::new();
        if signatures.len() == 1 && !scheme.signature.repeats {
            required.extend(signatures.iter().cloned());
        }
        if let Some(Place::Header(names)) = timestamp.as_ref().map(|timestamp| &timestamp.place) {
            required.push(names.clone());
        }
        for slot in &content.slots {
            if let SlotSource::Header(names) = &slot.from {
                required.push(names.clone());
            }
        }
        required.extend(constants.iter().map(|(names, _)| names.clone()));

        let (event_type, delivery_id) = (event_type.transpose()?, delivery_id.transpose()?);
        let slot_of = |header: &Option<HeaderNames>| {
            let header = header.as_ref()?;
            let is_it =
                |slot: &Slot| matches!(&slot.from, SlotSource::Header(names) if names.is(header));
            content.slots.iter().position(is_it)
        };
        let (event_type_slot, delivery_slot) = (slot_of(&event_type), slot_of(&delivery_id));
        let slot = delivery_slot.and_then(|slot| content.slots.get(slot));
        let reads_slot = slot.is_some_and(|slot| slot.filters.is_empty());
        Ok(Self {
            families: scheme.families.len(),
            required,
            constants,
            signatures,
            signature_len: scheme.algorithm.output_len(),
            signature: scheme.signature.clone(),
            timestamp,
            reads: [
                event_type,
                delivery_id.filter(|_| !reads_slot),
                content_type.transpose()?,
            ],
            delivery_slot,
            event_type_slot,
            reads_slot,
        })
    }
}

/// The value that a required header must have: text and parameters.
fn constant(header: &str, value: &str, params: &Params) -> Result<Zeroizing<Vec<u8>>, SetupError> {
    let mut text = Zeroizing::new(Vec::new());
    for part in template::parse(value).map_err(|error| error.within("require"))? {
        match part {
            Part::Literal(literal) => text.extend_from_slice(literal.as_bytes()),
            Part::Token(Token::Param(name), filters) => {
                let value = parameter(params, &name)?;
                filtered(&filters, value.as_bytes(), |value| {
                    text.extend_from_slice(value)
                });
            }
            Part::Token(token, _) => {
                return Err(SetupError::new(format!(
                    "require: header {header:?} can be compared with text and {{param:name}}, not \
                     with {token}"
                )));
            }
        }
    }
    if text.is_empty() {
        return Err(SetupError::new(format!(
            "require: header {header:?} is compared with nothing; say what it must equal"
        )));
    }
    if HeaderValue::from_bytes(&text).is_err() || text.trim_ascii().len() < text.len() {
        return Err(SetupError::new(format!(
            "require: header {header:?} is compared with text that no header has; take off white space at its ends, line ends \
             and other control characters"
        )));
    }
    Ok(text)
}
