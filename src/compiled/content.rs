//! [`Content`]: the signed content, split by when each part is known.

use sha2::digest::Update;

use crate::{
    compiled::{
        body::{BodyInput, BodySource, BodyTable},
        delimiter::{delimit, touches_time},
        header_table::{HeaderNames, HeaderValues},
        piece::{Delimiter, Piece, Slot, SlotSource},
    },
    crypto::hasher::absorb,
    error::SetupError,
    scheme::{
        definition::Coverage,
        locator::LocatorKind,
        params::{Params, parameter},
        template::{Filter, Segment, Token, filtered, sha256_hex},
    },
};

/// The signed content of one scheme, hashed in the order lead, early, body (if it streams), late.
#[derive(Debug)]
pub(crate) struct Content {
    /// Known with the key, and already part of its stored hash.
    lead: Vec<Piece>,
    /// Known with the head.
    early: Vec<Piece>,
    /// Whether the body is hashed as it arrives.
    pub(crate) streams: bool,
    /// Known with the whole body.
    late: Vec<Piece>,
    /// Whether a value that the sender chooses follows the last use of the secret.
    pub(crate) open_ended: bool,
    /// The values that come from the head.
    pub(crate) slots: Vec<Slot>,
    /// Whether only its length separates the timestamp from an adjacent value.
    pub(crate) touches_time: bool,
    /// The unfiltered timestamp of the body, by its index in the table.
    body_time: Option<usize>,
}

/// The values of one key and one head.
#[derive(Clone, Copy)]
pub(crate) struct Values<'v> {
    pub(crate) key: &'v [u8],
    pub(crate) head: &'v HeaderValues,
}

impl Content {
    /// Fills in the parameters and splits the template. `body_time` is where the timestamp is, if
    /// it is in the body; `header` looks up a signed header.
    pub(crate) fn new(
        segments: &[Segment],
        params: &Params,
        coverage: Coverage,
        body_time: Option<&BodySource>,
        table: &mut BodyTable,
        header: &mut dyn FnMut(&str) -> Result<HeaderNames, SetupError>,
    ) -> Result<Self, SetupError> {
        let mut pieces = Vec::new();
        let mut slots = Vec::new();
        let time_place = body_time.map(|source| table.add(source.clone(), Vec::new()));
        for segment in segments {
            let (token, filters) = match segment {
                Segment::Literal(text) => {
                    push_literal(&mut pieces, text.as_bytes());
                    continue;
                }
                Segment::Token(token, filters) => (token, filters.clone()),
            };
            if let (Token::Timestamp, Some(source)) = (token, body_time) {
                let place = table.add(source.clone(), filters.clone());
                pieces.push(Piece::BodyTime(place, filters));
                continue;
            }
            let from = match token {
                Token::Param(_) | Token::Url => {
                    let name = match token {
                        Token::Param(name) => name,
                        _ => "url",
                    };
                    let value = parameter(params, name)?;
                    filtered(&filters, value.as_bytes(), |value| {
                        push_literal(&mut pieces, value)
                    });
                    continue;
                }
                Token::Body if filters == [Filter::Sha256Hex] => {
                    pieces.push(Piece::BodySha256);
                    continue;
                }
                Token::Body if filters.is_empty() => {
                    pieces.push(Piece::Body);
                    continue;
                }
                Token::Body
                | Token::Json(_)
                | Token::Form(_)
                | Token::FormJson(..)
                | Token::Span(_) => {
                    let source = match token {
                        Token::Json(pointer) => BodySource::Json(pointer.clone()),
                        Token::Form(name) => BodySource::Form(name.clone()),
                        Token::FormJson(name, pointer) => {
                            BodySource::FormJson(name.clone(), pointer.clone())
                        }
                        Token::Span(pointer) => BodySource::Span(pointer.clone()),
                        _ => BodySource::Whole,
                    };
                    let place = table.add(source, filters.clone());
                    pieces.push(Piece::BodyValue(place, filters, token.clone()));
                    continue;
                }
                Token::Secret => {
                    pieces.push(Piece::Secret(filters));
                    continue;
                }
                Token::Header(name) => SlotSource::Header(header(name)?),
                Token::Field(name) => SlotSource::Field(name.clone()),
                Token::Query(name) => SlotSource::Query(name.clone()),
                Token::Timestamp => SlotSource::Timestamp,
                Token::Method => SlotSource::Method,
                Token::Path => SlotSource::Path,
            };
            pieces.push(Piece::Head(slots.len()));
            slots.push(Slot {
                from,
                filters,
                delimiter: Delimiter::None,
            });
        }
        delimit(&pieces, &mut slots, coverage)?;
        Ok(Self::cut(pieces, slots, time_place))
    }

    /// Content that only code knows.
    pub(crate) fn unknown() -> Self {
        Self::cut(Vec::new(), Vec::new(), None)
    }

    fn cut(pieces: Vec<Piece>, slots: Vec<Slot>, body_time: Option<usize>) -> Self {
        let touches_time = touches_time(&pieces, &slots);
        let keyed = |piece: &&Piece| matches!(piece, Piece::Literal(_) | Piece::Secret(_));
        let lead = pieces.iter().take_while(keyed).count();
        let early = pieces
            .iter()
            .take_while(|piece| !piece.needs_body())
            .count();
        let streams = matches!(pieces.get(early), Some(Piece::Body));
        let open_ended = pieces
            .iter()
            .rev()
            .find(|piece| !matches!(piece, Piece::Literal(_)))
            .is_some_and(|last| !matches!(last, Piece::Secret(_)));
        let mut pieces = pieces.into_iter();
        Self {
            open_ended,
            lead: pieces.by_ref().take(lead).collect(),
            early: pieces.by_ref().take(early.saturating_sub(lead)).collect(),
            streams,
            late: pieces.skip(usize::from(streams)).collect(),
            slots,
            touches_time,
            body_time,
        }
    }

    /// Whether the SHA-256 of the body is signed, so that it pays to compute it as the body
    /// arrives.
    pub(crate) fn digests_body(&self) -> bool {
        self.late
            .iter()
            .any(|piece| matches!(piece, Piece::BodySha256))
    }

    /// Whether the bytes of a key are needed after its hash was started.
    pub(crate) fn keeps_key(&self) -> bool {
        let mut pieces = self.early.iter().chain(&self.late);
        pieces.any(|piece| matches!(piece, Piece::Secret(_)))
    }

    /// Hashes what depends on the key only. `None` if the key cannot be signed in the way the
    /// template asks for, such as a JSON string that is not UTF-8.
    pub(crate) fn schedule(&self, hasher: &mut dyn Update, key: &[u8]) -> Option<()> {
        for piece in self.early.iter().chain(&self.late) {
            if let Piece::Secret(filters) = piece {
                filtered(filters, key, |_| ())?;
            }
        }
        let head = &HeaderValues::default();
        feed(&self.lead, hasher, Values { key, head }, None)
    }

    /// Hashes the values of the head.
    pub(crate) fn begin(&self, hash: &mut dyn Update, values: Values<'_>) -> Option<()> {
        feed(&self.early, hash, values, None)
    }

    /// Hashes what follows a streamed body. `None` if the body lacks a signed value.
    pub(crate) fn complete(
        &self,
        hash: &mut dyn Update,
        values: Values<'_>,
        body: &BodyInput,
    ) -> Option<()> {
        feed(&self.late, hash, values, Some(body))
    }

    /// Every signed value except the secret, in order, and whether it is the timestamp, which may
    /// be in the header `time`.
    pub(crate) fn values(
        &self,
        head: &HeaderValues,
        body: &BodyInput,
        time: Option<&HeaderNames>,
        take: &mut dyn FnMut(&[u8], bool),
    ) {
        let streamed = self.streams.then_some(&Piece::Body);
        let pieces = self.lead.iter().chain(&self.early).chain(streamed);
        for piece in pieces.chain(&self.late) {
            let value = match piece {
                Piece::Literal(_) | Piece::Secret(_) => None,
                Piece::Head(place) => head.slot(*place),
                Piece::Body => Some(body.bytes()),
                Piece::BodySha256 => Some(&body.sha256()[..]),
                Piece::BodyValue(place, ..) | Piece::BodyTime(place, _) => body.value(*place),
            };
            let is_time = match piece {
                Piece::Head(place) => self.is_time(*place, time),
                Piece::BodyTime(..) => true,
                // The template may name the place of the timestamp instead of the timestamp.
                Piece::BodyValue(place, ..) => self.body_time == Some(*place),
                _ => false,
            };
            if let Some(value) = value {
                take(value, is_time);
            }
        }
    }

    fn is_time(&self, place: usize, time: Option<&HeaderNames>) -> bool {
        let Some(slot) = self.slots.get(place) else {
            return false;
        };
        match (&slot.from, time) {
            (SlotSource::Timestamp, _) => true,
            (SlotSource::Header(names), Some(time)) => names.is(time) && slot.filters.is_empty(),
            _ => false,
        }
    }

    /// The first signed value that the body lacks, as the template has it.
    pub(crate) fn missing_value(&self, body: &BodyInput) -> Option<String> {
        self.early.iter().chain(&self.late).find_map(|piece| {
            let (place, token) = match piece {
                Piece::BodyValue(place, _, token) => (place, token),
                Piece::BodyTime(place, _) => (place, &Token::Timestamp),
                _ => return None,
            };
            body.value(*place).is_none().then(|| token.to_string())
        })
    }

    /// Whether the value at this locator in the body is signed, unfiltered.
    pub(crate) fn signs(&self, source: &LocatorKind) -> bool {
        let mut pieces = self.early.iter().chain(&self.late);
        pieces.any(|piece| {
            let Piece::BodyValue(_, filters, token) = piece else {
                return false;
            };
            let is_it = match (token, source) {
                (Token::Json(signed), LocatorKind::Json(pointer)) => **signed == **pointer,
                (Token::Span(signed), LocatorKind::Json(pointer)) => {
                    let rest = pointer.strip_prefix(&**signed);
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                }
                (Token::Form(signed), LocatorKind::Form(name) | LocatorKind::FormJson(name, _)) => {
                    **signed == **name
                }
                (Token::FormJson(field, signed), LocatorKind::FormJson(name, pointer)) => {
                    **field == **name && **signed == **pointer
                }
                _ => false,
            };
            is_it && filters.is_empty()
        })
    }

    /// Whether every signed value is known without the body.
    pub(crate) fn is_of_head(&self) -> bool {
        !self.streams && !self.late.iter().any(Piece::needs_body)
    }

    /// Whether a timestamp in the body is signed.
    pub(crate) fn signs_body_time(&self) -> bool {
        self.late
            .iter()
            .any(|piece| matches!(piece, Piece::BodyTime(..)))
    }

    /// Adds all of the content behind [`schedule`](Self::schedule), for a complete request.
    pub(crate) fn feed(
        &self,
        hash: &mut dyn Update,
        values: Values<'_>,
        body: &BodyInput,
    ) -> Option<()> {
        self.begin(hash, values)?;
        if self.streams {
            absorb(hash, body.bytes());
        }
        self.complete(hash, values, body)
    }
}

fn feed(
    pieces: &[Piece],
    hash: &mut dyn Update,
    values: Values<'_>,
    body: Option<&BodyInput>,
) -> Option<()> {
    for piece in pieces {
        let mut take = |value: &[u8]| absorb(hash, value);
        match piece {
            Piece::Literal(text) => take(text),
            Piece::Head(slot) => take(values.head.slot(*slot)?),
            Piece::Secret(filters) => filtered(filters, values.key, take)?,
            Piece::Body => take(body?.bytes()),
            Piece::BodySha256 => take(&sha256_hex(body?.sha256())),
            Piece::BodyValue(place, ..) | Piece::BodyTime(place, _) => {
                take(body?.value(*place)?);
            }
        }
    }
    Some(())
}

fn push_literal(pieces: &mut Vec<Piece>, text: &[u8]) {
    if let Some(Piece::Literal(before)) = pieces.last_mut() {
        *before = [&**before, text].concat().into();
    } else {
        pieces.push(Piece::Literal(text.into()));
    }
}
