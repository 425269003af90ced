//! Signed content, cut into what is known when: with the key, with the head, with the body.

use sha2::digest::Update;

use super::{
    super::{
        Coverage,
        algorithm::{Counting, Hasher, Tag, absorb},
        template::{Filter, Part, Token, filtered, sha256_hex},
    },
    Params,
    body::{Bodied, BodySource, BodyTable},
    delimit::{Border, delimit, touches_time},
    headers::{Captured, HeaderNames},
};
use crate::{SetupError, source::SourceKind};

/// The content of one scheme. Its parts go into a hash in the order lead, early, body (if it streams), late.
#[derive(Debug)]
pub(crate) struct Content {
    /// Known with the key: already inside the key's stored hash.
    lead: Vec<Piece>,
    /// Known with the head.
    early: Vec<Piece>,
    /// Whether the body goes into the hash as it arrives.
    pub(crate) streams: bool,
    /// Known with the whole body.
    late: Vec<Piece>,
    /// Whether something that a sender chooses stands behind the last place of the secret.
    pub(super) open_ended: bool,
    /// What the head has to give.
    pub(super) slots: Vec<Slot>,
    /// Whether the time is told from what stands next to it by its length alone.
    pub(super) touches_time: bool,
}

/// A piece of content that waits for its value.
#[derive(Debug)]
pub(super) enum Piece {
    Literal(Box<[u8]>),
    Captured(usize),
    Secret(Vec<Filter>),
    /// The whole body as it is.
    Body,
    BodySha256,
    /// A value of the body, by its place in the table.
    BodyValue(usize, Vec<Filter>, Token),
}

/// A value that is taken out of the head, because it is signed.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) from: SlotSource,
    pub(super) filters: Vec<Filter>,
    pub(super) border: Border,
}

#[derive(Debug)]
pub(super) enum SlotSource {
    Header(HeaderNames),
    Field(Box<str>),
    Timestamp,
    Method,
    Path,
    Query(Box<str>),
}

/// What one key and one request put into the content.
#[derive(Clone, Copy)]
pub(crate) struct Values<'v> {
    pub(crate) key: &'v [u8],
    pub(crate) captured: &'v Captured,
}

impl Content {
    /// Fills in the parameters and cuts the parts. `header` finds a header that is signed.
    pub(super) fn new(
        parts: &[Part],
        params: &Params,
        coverage: Coverage,
        body: &mut BodyTable,
        header: &mut dyn FnMut(&str) -> Result<HeaderNames, SetupError>,
    ) -> Result<Self, SetupError> {
        let mut pieces = Vec::new();
        let mut slots = Vec::new();
        for part in parts {
            let (token, filters) = match part {
                Part::Literal(text) => {
                    push_literal(&mut pieces, text.as_bytes());
                    continue;
                }
                Part::Token(token, filters) => (token, filters.clone()),
            };
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
                Token::Body | Token::Json(_) | Token::Form(_) => {
                    let source = match token {
                        Token::Json(pointer) => BodySource::Json(pointer.clone()),
                        Token::Form(name) => BodySource::Form(name.clone()),
                        _ => BodySource::Whole,
                    };
                    let place = body.add(source, filters.clone());
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
            pieces.push(Piece::Captured(slots.len()));
            slots.push(Slot {
                from,
                filters,
                border: Border::None,
            });
        }
        delimit(&pieces, &mut slots, coverage)?;
        Ok(Self::cut(pieces, slots))
    }

    fn cut(pieces: Vec<Piece>, slots: Vec<Slot>) -> Self {
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
        }
    }

    /// Whether the SHA-256 of the body is signed, and is worth computing as the body arrives.
    pub(crate) fn digests_body(&self) -> bool {
        self.late
            .iter()
            .any(|piece| matches!(piece, Piece::BodySha256))
    }

    /// Whether a key's bytes are needed after its hash was scheduled.
    pub(crate) fn keeps_key(&self) -> bool {
        let mut pieces = self.early.iter().chain(&self.late);
        pieces.any(|piece| matches!(piece, Piece::Secret(_)))
    }

    /// Puts what a key alone decides into its hash, and says how many bytes that is. `None` when the key has not the form in
    /// which it is signed.
    pub(super) fn schedule(&self, hasher: &mut Hasher, key: &[u8]) -> Option<usize> {
        for piece in self.early.iter().chain(&self.late) {
            if let Piece::Secret(filters) = piece {
                filtered(filters, key, |_| ())?;
            }
        }
        let captured = &Captured::default();
        let mut counting = Counting { hasher, bytes: 0 };
        feed(&self.lead, &mut counting, Values { key, captured }, None)?;
        Some(counting.bytes)
    }

    /// Puts what the head gave into a key's hash.
    pub(crate) fn begin(&self, hash: &mut dyn Update, values: Values<'_>) -> Option<()> {
        feed(&self.early, hash, values, None)
    }

    /// Puts what comes after a body that streams into a key's hash. `None` where the body lacks what is signed.
    pub(crate) fn complete(
        &self,
        hash: &mut dyn Update,
        values: Values<'_>,
        bodied: &Bodied,
    ) -> Option<()> {
        feed(&self.late, hash, values, Some(bodied))
    }

    /// Every value that is signed, but for the secret, in the order of the content, and whether it is the time.
    pub(crate) fn values(
        &self,
        captured: &Captured,
        bodied: &Bodied,
        take: &mut dyn FnMut(&[u8], bool),
    ) {
        let body = self.streams.then_some(&Piece::Body);
        let pieces = self.lead.iter().chain(&self.early).chain(body);
        for piece in pieces.chain(&self.late) {
            let value = match piece {
                Piece::Literal(_) | Piece::Secret(_) => None,
                Piece::Captured(place) => captured.get(*place),
                Piece::Body => Some(bodied.bytes()),
                Piece::BodySha256 => Some(&bodied.sha256()[..]),
                Piece::BodyValue(place, ..) => bodied.value(*place),
            };
            let is_time = match piece {
                Piece::Captured(place) => self.is_time(*place),
                _ => false,
            };
            if let Some(value) = value {
                take(value, is_time);
            }
        }
    }

    fn is_time(&self, place: usize) -> bool {
        let slot = self.slots.get(place);
        slot.is_some_and(|slot| matches!(slot.from, SlotSource::Timestamp))
    }

    /// Whether a value of the body is part of the content.
    pub(crate) fn signs(&self, source: &SourceKind) -> bool {
        let mut pieces = self.early.iter().chain(&self.late);
        pieces.any(|piece| match (piece, source) {
            (Piece::BodyValue(_, filters, Token::Json(signed)), SourceKind::Json(pointer)) => {
                **signed == **pointer && filters.is_empty()
            }
            (Piece::BodyValue(_, filters, Token::Form(signed)), SourceKind::Form(name)) => {
                **signed == **name && filters.is_empty()
            }
            _ => false,
        })
    }

    /// The signature of a request whose body is there.
    pub(crate) fn sign(
        &self,
        scheduled: &Hasher,
        values: Values<'_>,
        bodied: &Bodied,
    ) -> Option<Tag> {
        scheduled.hash(|hash| {
            self.begin(hash, values)?;
            if self.streams {
                absorb(hash, bodied.bytes());
            }
            self.complete(hash, values, bodied)
        })
    }
}

impl Piece {
    fn needs_body(&self) -> bool {
        matches!(self, Self::Body | Self::BodySha256 | Self::BodyValue(..))
    }
}

fn feed(
    pieces: &[Piece],
    hash: &mut dyn Update,
    values: Values<'_>,
    bodied: Option<&Bodied>,
) -> Option<()> {
    for piece in pieces {
        let mut take = |value: &[u8]| absorb(hash, value);
        match piece {
            Piece::Literal(text) => take(text),
            Piece::Captured(slot) => take(values.captured.get(*slot)?),
            Piece::Secret(filters) => filtered(filters, values.key, take)?,
            Piece::Body => take(bodied?.bytes()),
            Piece::BodySha256 => take(&sha256_hex(bodied?.sha256())),
            Piece::BodyValue(place, ..) => take(bodied?.value(*place)?),
        }
    }
    Some(())
}

/// The value of a field that stands there once: a handler might take the last of several, and the check the first.
pub(crate) fn only<'f>(form: &'f [u8], name: &str) -> Option<std::borrow::Cow<'f, str>> {
    let mut named = form_urlencoded::parse(form).filter(|(field, _)| field == name);
    let (_, value) = named.next()?;
    named.next().is_none().then_some(value)
}

fn push_literal(pieces: &mut Vec<Piece>, text: &[u8]) {
    if let Some(Piece::Literal(before)) = pieces.last_mut() {
        *before = [&**before, text].concat().into();
    } else {
        pieces.push(Piece::Literal(text.into()));
    }
}

/// A parameter that has to be set.
pub(super) fn parameter<'p>(params: &'p Params, name: &str) -> Result<&'p str, SetupError> {
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
