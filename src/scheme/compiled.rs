//! A [`Scheme`] that was checked as a whole, taken apart into what is known when.

mod admit;
mod checks;
mod draft;
mod headers;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher as _},
};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

pub(crate) use self::{admit::Admitted, headers::Captured};
use self::{
    checks::{check_signature, check_template},
    headers::HeaderNames,
};
use super::{
    Algorithm, KeyFormat, Keying, Scheme,
    algorithm::{Hasher, Tag},
    encoding::Encoding,
    signature::Grammar,
    template::{self, Filter, Part, Token, filtered, sha256_hex},
    timestamp::{TimeUnit, TimestampPlace},
};
use crate::{SetupError, json};

/// A piece of signed content that waits for its value.
#[derive(Debug)]
enum Piece {
    Literal(Box<[u8]>),
    Captured(usize),
    Secret(Vec<Filter>),
    Body(Vec<Filter>),
    BodySha256,
    Json(Box<str>, Vec<Filter>),
    Form(Box<str>, Vec<Filter>),
}

impl Piece {
    fn needs_body(&self) -> bool {
        matches!(
            self,
            Self::Body(_) | Self::BodySha256 | Self::Json(..) | Self::Form(..)
        )
    }
}

/// A value that the gate takes out of the head, because it is signed.
#[derive(Debug)]
struct Slot {
    from: SlotSource,
    filters: Vec<Filter>,
    /// The literal that follows in the content, which the value may therefore not contain.
    delimiter: Option<Box<[u8]>>,
}

#[derive(Debug)]
enum SlotSource {
    Header(HeaderNames),
    Field(Box<str>),
    Timestamp,
    Method,
    Path,
    Query(Box<str>),
}

/// The body, where it is there already, as far as signed content needs it.
#[derive(Clone, Copy)]
pub(crate) struct Bodied<'b> {
    pub(crate) body: &'b [u8],
    pub(crate) sha256: Option<&'b [u8]>,
}

/// What a provider reads out of a head beside what is signed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Read {
    EventType = 0,
    DeliveryId = 1,
}

/// The headers for each [`Read`], where it stands in one.
pub(crate) type Reads = [Option<Cow<'static, str>>; 2];

/// A scheme that is ready to check requests.
#[derive(Debug)]
pub(crate) struct CompiledScheme {
    pub(crate) name: Cow<'static, str>,
    pub(crate) algorithm: Algorithm,
    pub(crate) fingerprint: u64,
    key: KeyFormat,
    /// Known when a key is: already inside the key's stored hash.
    lead: Vec<Piece>,
    /// Known with the head.
    early: Vec<Piece>,
    /// Whether the body goes into the hash as it arrives, after `early`.
    pub(crate) streams: bool,
    /// Known with the whole body.
    late: Vec<Piece>,
    /// Whether the SHA-256 of the body is part of the content, and is computed as it arrives.
    pub(crate) digests_body: bool,
    slots: Vec<Slot>,
    reads: [Option<HeaderNames>; 2],
    /// Every header that must be there exactly once.
    required: Vec<HeaderNames>,
    constants: Vec<(HeaderNames, Zeroizing<Vec<u8>>)>,
    signatures: Vec<HeaderNames>,
    repeats: bool,
    grammar: Grammar,
    encoding: Encoding,
    timestamp: Option<CompiledTimestamp>,
    families: usize,
}

#[derive(Debug)]
struct CompiledTimestamp {
    place: CompiledPlace,
    unit: TimeUnit,
    signed: bool,
}

#[derive(Debug)]
enum CompiledPlace {
    Header(HeaderNames),
    Field(Box<str>),
}

impl CompiledScheme {
    /// Checks `scheme` as a whole. `params` fills `{param:…}` and `{url}`.
    pub(crate) fn new(
        name: Cow<'static, str>,
        scheme: &Scheme,
        params: &BTreeMap<Cow<'static, str>, Cow<'static, str>>,
        reads: &Reads,
    ) -> Result<Self, SetupError> {
        let parts = template::parse(&scheme.signed).map_err(|error| error.within("signed"))?;
        check_template(scheme, &parts)?;
        check_signature(scheme)?;

        let names = |name: &str| -> Result<HeaderNames, SetupError> {
            template::header_name(name)?;
            Ok(HeaderNames::new(name, &scheme.families))
        };
        let mut slots = Vec::new();
        let mut pieces = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let delimiter = match parts.get(index.saturating_add(1)) {
                Some(Part::Literal(text)) => Some(text.as_bytes().into()),
                _ => None,
            };
            let (token, filters) = match part {
                Part::Literal(text) => {
                    push_literal(&mut pieces, text.as_bytes());
                    continue;
                }
                Part::Token(token, filters) => (token, filters.clone()),
            };
            let (from, delimiter) = match token {
                Token::Body if filters == [Filter::Sha256Hex] => {
                    pieces.push(Piece::BodySha256);
                    continue;
                }
                Token::Body => {
                    pieces.push(Piece::Body(filters));
                    continue;
                }
                Token::Secret => {
                    pieces.push(Piece::Secret(filters));
                    continue;
                }
                Token::Json(pointer) => {
                    pieces.push(Piece::Json(pointer.clone(), filters));
                    continue;
                }
                Token::Form(name) => {
                    pieces.push(Piece::Form(name.clone(), filters));
                    continue;
                }
                Token::Param(name) => {
                    push_parameter(&mut pieces, params, name, &filters)?;
                    continue;
                }
                Token::Url => {
                    push_parameter(&mut pieces, params, "url", &filters)?;
                    continue;
                }
                Token::Header(name) => (SlotSource::Header(names(name)?), delimiter),
                Token::Field(name) => (SlotSource::Field(name.clone()), delimiter),
                Token::Query(name) => (SlotSource::Query(name.clone()), delimiter),
                // These have a form of their own that holds the ambiguity off.
                Token::Timestamp => (SlotSource::Timestamp, None),
                Token::Method => (SlotSource::Method, None),
                Token::Path => (SlotSource::Path, None),
            };
            pieces.push(Piece::Captured(slots.len()));
            slots.push(Slot {
                from,
                filters,
                delimiter,
            });
        }

        let lead = pieces
            .iter()
            .take_while(|piece| matches!(piece, Piece::Literal(_) | Piece::Secret(_)))
            .count();
        let early = pieces
            .iter()
            .take_while(|piece| !piece.needs_body())
            .count();
        let streams = matches!(pieces.get(early), Some(Piece::Body(filters)) if filters.is_empty());
        let mut pieces = pieces.into_iter();
        let lead: Vec<Piece> = pieces.by_ref().take(lead).collect();
        let early: Vec<Piece> = pieces
            .by_ref()
            .take(early.saturating_sub(lead.len()))
            .collect();
        if streams {
            pieces.next();
        }
        let late: Vec<Piece> = pieces.collect();

        let signatures = scheme
            .signature
            .headers
            .iter()
            .map(|name| names(name).map_err(|error| error.within("signature")))
            .collect::<Result<Vec<_>, _>>()?;
        let timestamp = match &scheme.timestamp {
            None => None,
            Some(timestamp) => Some(CompiledTimestamp {
                place: match &timestamp.place {
                    TimestampPlace::Header(name) => CompiledPlace::Header(
                        names(name).map_err(|error| error.within("timestamp"))?,
                    ),
                    TimestampPlace::Field(name) => CompiledPlace::Field((&**name).into()),
                },
                unit: timestamp.unit,
                signed: slots
                    .iter()
                    .any(|slot| matches!(slot.from, SlotSource::Timestamp)),
            }),
        };
        let mut constants = Vec::new();
        for (name, value) in &scheme.require {
            let header = names(name).map_err(|error| error.within("require"))?;
            constants.push((header, constant(name, value, params)?));
        }

        let mut required = Vec::new();
        if signatures.len() == 1 && !scheme.signature.repeats {
            required.extend(signatures.iter().cloned());
        }
        required.extend(
            timestamp
                .iter()
                .filter_map(|timestamp| match &timestamp.place {
                    CompiledPlace::Header(names) => Some(names.clone()),
                    CompiledPlace::Field(_) => None,
                }),
        );
        required.extend(slots.iter().filter_map(|slot| match &slot.from {
            SlotSource::Header(names) => Some(names.clone()),
            _ => None,
        }));
        required.extend(constants.iter().map(|(names, _)| names.clone()));

        let mut fingerprint = DefaultHasher::new();
        (scheme, params).hash(&mut fingerprint);

        Ok(Self {
            name,
            algorithm: scheme.algorithm,
            fingerprint: fingerprint.finish(),
            key: scheme.key.clone(),
            digests_body: late.iter().any(|piece| matches!(piece, Piece::BodySha256)),
            lead,
            early,
            streams,
            late,
            reads: reads
                .each_ref()
                .map(|name| Some(HeaderNames::new(name.as_ref()?, &scheme.families))),
            slots,
            required,
            constants,
            signatures,
            repeats: scheme.signature.repeats,
            grammar: scheme.signature.grammar.clone(),
            encoding: scheme.signature.encoding,
            timestamp,
            families: scheme.families.len().max(1),
        })
    }

    /// The key that `secret` spells, with the hash that already holds it; and whether it is short.
    pub(crate) fn schedule(
        &self,
        secret: &str,
    ) -> Result<(Hasher, Zeroizing<Vec<u8>>, bool), SetupError> {
        let (key, short) = match self.algorithm.keying() {
            Keying::None => (Zeroizing::default(), false),
            Keying::Mac | Keying::Content => self.key.decode(secret)?,
        };
        let mut hasher = Hasher::new(self.algorithm, &key)?;
        let done = self.feed(&self.lead, &mut hasher, &key, &Captured::default(), None);
        match done {
            Some(()) => Ok((hasher, key, short)),
            None => Err(SetupError::new(
                "the scheme signs it in a form that it does not have",
            )),
        }
    }

    /// Puts what the head holds of the content into a key's hash.
    pub(crate) fn begin(&self, hasher: &mut Hasher, key: &[u8], captured: &Captured) -> Option<()> {
        self.feed(&self.early, hasher, key, captured, None)
    }

    /// Puts the rest of the content into a key's hash. `None` where the body lacks what the scheme signs.
    pub(crate) fn complete(
        &self,
        hasher: &mut Hasher,
        key: &[u8],
        captured: &Captured,
        bodied: Bodied<'_>,
    ) -> Option<()> {
        self.feed(&self.late, hasher, key, captured, Some(bodied))
    }

    /// The signature of a whole request.
    pub(crate) fn sign(
        &self,
        scheduled: &Hasher,
        key: &[u8],
        captured: &Captured,
        body: &[u8],
    ) -> Option<Tag> {
        let mut hasher = scheduled.clone();
        self.begin(&mut hasher, key, captured)?;
        if self.streams {
            hasher.update(body);
        }
        let sha256 = Sha256::digest(body);
        let sha256 = Some(sha256.as_slice());
        self.complete(&mut hasher, key, captured, Bodied { body, sha256 })?;
        Some(hasher.finish())
    }

    /// The value of a header that the provider reads beside what is signed.
    pub(crate) fn read<'c>(&self, captured: &'c Captured, read: Read) -> Option<&'c [u8]> {
        captured.get(self.slots.len().checked_add(read as usize)?)
    }

    /// Whether a key's bytes are needed after its hash was scheduled.
    pub(crate) fn keeps_key(&self) -> bool {
        let mut pieces = self.early.iter().chain(&self.late);
        pieces.any(|piece| matches!(piece, Piece::Secret(_)))
    }

    fn feed(
        &self,
        pieces: &[Piece],
        hasher: &mut Hasher,
        key: &[u8],
        captured: &Captured,
        bodied: Option<Bodied<'_>>,
    ) -> Option<()> {
        for piece in pieces {
            let mut take = |value: &[u8]| hasher.update(value);
            match piece {
                Piece::Literal(text) => take(text),
                Piece::Captured(slot) => take(captured.get(*slot)?),
                Piece::Secret(filters) => filtered(filters, key, take)?,
                Piece::Body(filters) => filtered(filters, bodied?.body, take)?,
                Piece::BodySha256 => take(&sha256_hex(bodied?.sha256?)),
                Piece::Json(pointer, filters) => {
                    let value = json::scalar(bodied?.body, pointer)?;
                    filtered(filters, value.as_bytes(), take)?;
                }
                Piece::Form(name, filters) => {
                    let mut fields = form_urlencoded::parse(bodied?.body);
                    let (_, value) = fields.find(|(field, _)| *field == **name)?;
                    filtered(filters, value.as_bytes(), take)?;
                }
            }
        }
        Some(())
    }
}

fn push_literal(pieces: &mut Vec<Piece>, text: &[u8]) {
    if let Some(Piece::Literal(before)) = pieces.last_mut() {
        *before = [&**before, text].concat().into();
    } else {
        pieces.push(Piece::Literal(text.into()));
    }
}

fn push_parameter(
    pieces: &mut Vec<Piece>,
    params: &BTreeMap<Cow<'static, str>, Cow<'static, str>>,
    name: &str,
    filters: &[Filter],
) -> Result<(), SetupError> {
    let value = parameter(params, name)?;
    filtered(filters, value.as_bytes(), |value| {
        push_literal(pieces, value);
    })
    .ok_or_else(|| SetupError::new(format!("parameter {name:?} does not fit its filter")))
}

fn parameter<'p>(
    params: &'p BTreeMap<Cow<'static, str>, Cow<'static, str>>,
    name: &str,
) -> Result<&'p str, SetupError> {
    match params.get(name) {
        Some(value) if !value.is_empty() => Ok(value),
        _ if name == "url" => Err(SetupError::new(
            "url: the scheme signs the address; set it as it is registered with the provider",
        )),
        _ => Err(SetupError::new(format!(
            "params.{name}: the scheme needs it; set it to the value the provider shows"
        ))),
    }
}

/// The value that a required header must have: text and parameters.
fn constant(
    header: &str,
    value: &str,
    params: &BTreeMap<Cow<'static, str>, Cow<'static, str>>,
) -> Result<Zeroizing<Vec<u8>>, SetupError> {
    let mut text = Zeroizing::new(Vec::new());
    for part in template::parse(value).map_err(|error| error.within("require"))? {
        match part {
            Part::Literal(literal) => text.extend_from_slice(literal.as_bytes()),
            Part::Token(Token::Param(name), filters) => {
                let value = parameter(params, &name)?;
                filtered(&filters, value.as_bytes(), |value| {
                    text.extend_from_slice(value);
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
    Ok(text)
}
