//! [`BodyVerifier`]: keeps and hashes the body, and is the only origin of a verified event.

use std::{
    fmt,
    hint::black_box,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;

use crate::{
    challenge::Handshake,
    compiled::{body::BodyInput, content::Values, head::ParsedHead, special::SpecialParts},
    event::{
        VerifiedEvent,
        data::{EventData, KeyOwner},
    },
    keys::{
        key_set::KeySet,
        source::{KeySourceError, KeysFound, LateKeysFuture, Tenant},
    },
    rejection::{Reason, Rejection, hint::Hint, kind::RejectionKind},
    scheme::definition::Coverage,
    verify::{buffer::Buffer, hashes::BodyHashes, head::CheckedHead, hints},
};

/// A request whose keys are known: pass it the frames of the body, then [`verify`](Self::verify).
///
/// It is the only buffer, so the bytes that were hashed are the bytes of the event.
#[must_use = "nothing is proven until `verify`"]
pub struct BodyVerifier {
    data: Arc<EventData>,
    keys: KeySet,
    buffer: Buffer,
    hashes: Option<Box<BodyHashes>>,
}

/// The result of the keys tried so far, in ascending order of precedence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// The body lacks a value that is signed.
    NoContent,
    Mismatch,
    /// The signature is right, by a key that no certificate vouches for.
    Untrusted,
    /// The signature is right, by a key that is not valid now.
    OutsideWindow,
    Match {
        place: usize,
        key: usize,
        /// Which of several signatures of the head.
        signature: usize,
    },
}

impl CheckedHead {
    /// Adds the keys, which may have been looked up for this request, and goes on to the body.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::NoValidKey`] when no key was valid when the head was checked, or when the
    /// keys were made for another provider. [`RejectionKind::SignatureMismatch`] and others as for
    /// [`verify`](BodyVerifier::verify), when the token or the signature does not depend on the
    /// body.
    pub fn with_keys(self, keys: &KeySet) -> Result<BodyVerifier, Rejection> {
        self.with_valid_keys(keys.clone())
    }

    /// Adds the keys of the tenant that was [looked up](crate::keys) for this request. `None` is a
    /// tenant that does not exist: the request is checked with a decoy key, and refused.
    ///
    /// # Errors
    ///
    /// As for [`with_keys`](Self::with_keys).
    pub fn with_tenant(self, tenant: Option<&Tenant>) -> Result<BodyVerifier, Rejection> {
        self.with_looked_up(tenant, None)
    }

    /// `asked` is the name of the tenant in the request.
    pub(crate) fn with_looked_up(
        self,
        tenant: Option<&Tenant>,
        asked: Option<Box<str>>,
    ) -> Result<BodyVerifier, Rejection> {
        match tenant {
            Some(tenant) => {
                let owner = tenant
                    .shared_id()
                    .map_or(KeyOwner::Endpoint, KeyOwner::Tenant);
                self.with_keys_of(owner, tenant.keys().clone())
            }
            None => {
                let decoy = self.data.endpoint.decoy.clone();
                self.with_keys_of(KeyOwner::Unknown(asked), decoy)
            }
        }
    }

    fn with_keys_of(mut self, owner: KeyOwner, keys: KeySet) -> Result<BodyVerifier, Rejection> {
        EventData::unverified(&mut self.data).owner = owner;
        self.with_valid_keys(keys)
    }

    /// Goes on if a key is valid.
    fn with_valid_keys(self, keys: KeySet) -> Result<BodyVerifier, Rejection> {
        let data = self.data;
        if !has_valid(&keys, &data) {
            let reason = Reason::new(RejectionKind::NoValidKey).of_tenant(data.owner.tenant());
            return Err(Rejection::new(reason, &data.endpoint.labels));
        }
        if data.endpoint.is_decided_by_head {
            return BodyVerifier::new(data, keys).condemn_by_head();
        }
        Ok(BodyVerifier::new(data, keys))
    }

    /// Goes on to the body without keys, which come later.
    pub(crate) fn without_keys(self) -> BodyVerifier {
        let none = KeySet::none(&self.data.endpoint.schemes);
        BodyVerifier::new(self.data, none)
    }
}

/// Whether a key was prepared for these schemes, and was valid when the request was received.
fn has_valid(keys: &KeySet, data: &EventData) -> bool {
    let mut all = keys.keys().iter();
    keys.is_like(&data.endpoint.decoy) && all.any(|key| key.valid_at(data.received))
}

impl BodyVerifier {
    fn new(data: Arc<EventData>, keys: KeySet) -> Self {
        Self {
            buffer: Buffer::new(data.endpoint.max_body, data.declared),
            data,
            keys,
            hashes: None,
        }
    }

    /// Refuses a request if no key matches, whatever its body is.
    #[cold]
    fn condemn_by_head(self) -> Result<Self, Rejection> {
        self.compare_head().condemn()
    }

    /// The comparison of a request whose head has all that is signed.
    pub(crate) fn compare_head(self) -> Comparison {
        // Nothing has arrived yet, whatever `Content-Length` declares.
        Comparison::new(self.data, self.keys, None, None)
    }

    /// Keeps the next frame of the body, and hashes it unless it may be the whole body. A body of
    /// one frame is never copied.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::BodyTooLarge`] when the body is longer than the limit.
    pub fn update(&mut self, frame: Bytes) -> Result<(), Rejection> {
        let Self {
            data,
            keys,
            hashes,
            buffer,
            ..
        } = self;
        let fits = buffer.push(frame, |bytes| {
            let hashes = hashes.get_or_insert_with(|| Box::new(BodyHashes::new(data, keys)));
            hashes.update(bytes);
        });
        if fits { Ok(()) } else { Err(self.too_large()) }
    }

    /// Compares every key's hash with every signature of the head, in constant time.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::SignatureMismatch`] when no key makes any of the signatures,
    /// [`RejectionKind::KeyOutsideWindow`] when only a key does that is not valid now,
    /// [`RejectionKind::MalformedBody`] when the body lacks a value that is signed,
    /// [`RejectionKind::BodyTaken`] when nothing arrived of a body that `Content-Length` declared,
    /// [`RejectionKind::UnknownTenant`] when the tenant does not exist,
    /// [`RejectionKind::BodyTooLarge`] when a frame was refused for that reason.
    pub fn verify(self) -> Result<VerifiedEvent, Rejection> {
        if self.buffer.overflowed() {
            return Err(self.too_large());
        }
        let mut comparison = self.compare();
        while comparison.step() {}
        comparison.conclude().map_err(|refused| refused.rejection)
    }

    /// As [`verify`](Self::verify), in steps.
    pub(crate) fn compare(mut self) -> Comparison {
        Comparison::new(self.data, self.keys, self.hashes, Some(self.buffer.take()))
    }

    /// The number of hashes of each byte of the body.
    pub(crate) fn hash_count(&self) -> usize {
        let keys = self.keys.keys().len();
        keys.saturating_mul(self.data.variants.len()).max(1)
    }

    /// The number of bytes received.
    pub(crate) fn received(&self) -> usize {
        self.buffer.len()
    }

    fn too_large(&self) -> Rejection {
        self.reject_for(self.data.endpoint.too_large())
    }

    pub(crate) fn reject_for(&self, reason: Reason) -> Rejection {
        let reason = reason.of_tenant(self.data.owner.tenant());
        Rejection::new(reason, &self.data.endpoint.labels)
    }
}

/// A complete request that was refused.
pub(crate) struct Refused {
    pub(crate) rejection: Rejection,
    pub(crate) body: Bytes,
}

/// The comparison of a complete request: one key under one variant at a time.
pub(crate) struct Comparison {
    data: Arc<EventData>,
    keys: KeySet,
    hashes: Option<Box<BodyHashes>>,
    body: BodyInput,
    next: usize,
    verdict: Verdict,
    /// Why the body rules out the first variant. There is nothing to compare if it rules out all.
    malformed: Option<Box<Reason>>,
    /// One bit for each variant that the body rules out.
    ruled_out: u64,
    /// Whether `body` is the body of the request, so that a refusal can speak of it.
    is_read: bool,
    /// Why a key that the request names is not known.
    failed: Option<KeySourceError>,
}

impl Comparison {
    /// `body` is `None` before it is read.
    fn new(
        mut data: Arc<EventData>,
        keys: KeySet,
        mut hashes: Option<Box<BodyHashes>>,
        body: Option<Bytes>,
    ) -> Self {
        let is_read = body.is_some();
        let mut body = BodyInput::new(body.unwrap_or_default(), &data.endpoint.body);
        if let Some(digest) = hashes.as_mut().and_then(|hashes| hashes.take_digest()) {
            body.set_sha256(digest);
        }
        let (malformed, ruled_out) = if data.endpoint.parses_body {
            parse_body(&mut data, &body, is_read)
        } else {
            (None, 0)
        };
        Self {
            data,
            keys,
            hashes,
            body,
            next: 0,
            verdict: Verdict::NoContent,
            malformed,
            ruled_out,
            is_read,
            failed: None,
        }
    }

    fn is_ruled_out(&self, place: usize) -> bool {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        self.ruled_out.unbounded_shr(place) & 1 == 1
    }

    fn are_all_ruled_out(&self) -> bool {
        let mut places = 0..self.data.variants.len();
        self.malformed.is_some() && places.all(|place| self.is_ruled_out(place))
    }

    /// Goes on to the body if a key matches, else refuses the request.
    pub(crate) fn condemn(mut self) -> Result<BodyVerifier, Rejection> {
        while self.has_next() {
            self.try_next();
        }
        match (self.verdict, &self.data.owner) {
            (Verdict::Match { .. }, KeyOwner::Endpoint | KeyOwner::Tenant(_)) => {
                Ok(BodyVerifier::new(self.data, self.keys))
            }
            _ => match self.conclude() {
                Err(refused) => Err(refused.rejection),
                Ok(_) => unreachable!("a match was excluded"),
            },
        }
    }

    /// Whether keys have to be got for the request.
    pub(crate) fn needs_keys(&self) -> bool {
        self.data.endpoint.late_keys.is_some()
            && self.keys.keys().is_empty()
            && !self.are_all_ruled_out()
    }

    /// Starts to get the keys that the request names, if it has none yet and is not refused without
    /// one.
    pub(crate) fn ask_for_keys(&self) -> Option<LateKeysFuture> {
        if !self.needs_keys() {
            return None;
        }
        let data = &self.data;
        let source = data.endpoint.late_keys.as_ref()?;
        let variants = data.variants.iter().enumerate();
        let variants = variants.filter(|(place, _)| !self.is_ruled_out(*place));
        let mut key_ids = Vec::new();
        for id in variants.flat_map(|(_, (_, parsed))| named_keys(parsed)) {
            if !key_ids.contains(&id) {
                key_ids.push(id);
            }
        }
        let look = data.endpoint.provider.secret_look();
        Some(source.keys(&data.endpoint.schemes, look, &key_ids))
    }

    /// Adds the keys that were asked for. Without one, no signature matches.
    pub(crate) fn add_keys(&mut self, found: KeysFound) -> Result<(), Rejection> {
        match (found.keys, found.failed) {
            (Some(keys), failed) if has_valid(&keys, &self.data) => {
                self.keys = keys;
                self.failed = failed;
            }
            (_, Some(error)) => return Err(self.refuse_for(error)),
            (Some(_), None) => {
                let reason = Reason::new(RejectionKind::NoValidKey);
                return Err(Rejection::new(reason, &self.data.endpoint.labels));
            }
            (None, None) => self.verdict = Verdict::Mismatch,
        }
        Ok(())
    }

    /// The refusal of a request that a key may prove which is not known.
    fn refuse_for(&self, error: KeySourceError) -> Rejection {
        let reason = Reason::new(RejectionKind::KeySourceFailed);
        Rejection::caused_by(reason, &self.data.endpoint.labels, error.into_inner())
    }

    /// The refusal of a request whose keys have not arrived in time.
    pub(crate) fn refuse_late(&self) -> Rejection {
        let reason = Reason::new(RejectionKind::KeySourceTimeout);
        Rejection::new(reason, &self.data.endpoint.labels)
    }

    /// The length of the body.
    pub(crate) fn len(&self) -> usize {
        self.body.bytes().len()
    }

    /// Tries the next key, even after a match. `false` when nothing is left to do.
    pub(crate) fn step(&mut self) -> bool {
        if self.has_next() {
            self.try_next();
            return true;
        }
        // Unknown tenants are refused in any case, and take as long as a wrong signature.
        let refused = !matches!(self.verdict, Verdict::Match { .. })
            || matches!(self.data.owner, KeyOwner::Unknown(_));
        if refused {
            // For the log; this step may take as long as one with a key.
            self.body.sha256();
        }
        false
    }

    /// Whether a key under a variant is left to try.
    fn has_next(&self) -> bool {
        let variants = self.data.variants.len();
        self.next < self.keys.keys().len().saturating_mul(variants)
    }

    fn try_next(&mut self) {
        let verdict = self.judge(self.next).unwrap_or(Verdict::NoContent);
        self.next = self.next.saturating_add(1);
        if !matches!(self.verdict, Verdict::Match { .. }) {
            self.verdict = self.verdict.max(verdict);
        }
    }

    /// What a key says under a variant; `None` if it has nothing to compare.
    fn judge(&self, index: usize) -> Option<Verdict> {
        let (data, keys) = (&self.data, self.keys.keys());
        let (place, number) = (
            index.checked_div(keys.len())?,
            index.checked_rem(keys.len())?,
        );
        let (variant, parsed) = data.variants.get(place)?;
        let (scheme, key) = (data.endpoint.scheme(*variant)?, keys.get(number)?);
        if self.is_ruled_out(place) {
            return None;
        }
        // A key of another kind is a wrong key.
        let Some(state) = key.state(*variant) else {
            return Some(Verdict::Mismatch);
        };
        if let (Some(asked), Some(id)) = (&parsed.key_id, &key.id)
            && **asked != **id
        {
            return Some(Verdict::Mismatch);
        }
        // Everything cheaper comes first; a match elsewhere needs no other.
        if state.proof.is_slow() && matches!(self.verdict, Verdict::Match { .. }) {
            return None;
        }
        let values = Values {
            key: &state.key,
            head: &parsed.values,
        };
        let candidates = &parsed.signatures.candidates;
        let hash = self.hashes.as_ref().and_then(|hashes| hashes.get(index));
        let mut signature = 0;
        let matched = match (&parsed.special, hash) {
            (Some(special), _) => {
                let proven = special.proven_by(&state.proof, key.id.as_deref(), candidates);
                signature = proven.unwrap_or_default();
                proven.is_some()
            }
            (None, Some(hasher)) => {
                let tag =
                    hasher.hash(&mut |hash| scheme.content.complete(hash, values, &self.body))?;
                candidates.contain(&tag)
            }
            (None, None) => state.proof.matches(candidates, &mut |content| {
                scheme.content.feed(content, values, &self.body)
            })?,
        };
        let verdict = match (matched, key.valid_at(data.received)) {
            (true, _) if !state.is_trusted(data.received) => Verdict::Untrusted,
            (true, true) => Verdict::Match {
                place,
                key: number,
                signature,
            },
            (true, false) => Verdict::OutsideWindow,
            (false, _) => Verdict::Mismatch,
        };
        Some(verdict)
    }

    /// The outcome, once every key was tried.
    pub(crate) fn conclude(self) -> Result<VerifiedEvent, Refused> {
        let (data, body) = (&self.data, self.body.bytes());
        let kind = match (self.verdict, &data.owner) {
            _ if self.are_all_ruled_out() => RejectionKind::MalformedBody,
            (_, KeyOwner::Unknown(_)) => RejectionKind::UnknownTenant,
            // A signature of the body would not match.
            (Verdict::Match { place, .. }, _) if body.is_empty() && is_taken(data, place) => {
                RejectionKind::BodyTaken
            }
            (Verdict::Match { .. }, _) if data.endpoint.is_forgeable(body) => {
                RejectionKind::ForgeableBody
            }
            (
                Verdict::Match {
                    place,
                    key,
                    signature,
                },
                _,
            ) => return Ok(self.accept(place, key, signature)),
            (Verdict::OutsideWindow, _) => RejectionKind::KeyOutsideWindow,
            (Verdict::Untrusted, _) => RejectionKind::UntrustedCertificate,
            (Verdict::Mismatch, _) => RejectionKind::SignatureMismatch,
            (Verdict::NoContent, _) => RejectionKind::MalformedBody,
        };
        Err(self.refuse(kind))
    }

    fn accept(mut self, place: usize, key: usize, signature: usize) -> VerifiedEvent {
        let event = EventData::unverified(&mut self.data);
        event.verified_before = event.endpoint.verified.add();
        event.matched = place;
        if event.endpoint.parses_body {
            event.settle(signature);
        }
        let keys = self.keys;
        event.key_id = keys.keys().get(key).and_then(|key| key.id.clone());
        let handshake = event.endpoint.provider.handshake();
        if handshake.is_some_and(Handshake::has_macs) {
            event.answering = Some((keys, key));
        }
        if let Some(sha256) = self.body.known_sha256() {
            event.body_sha256 = OnceLock::from(sha256);
        }
        event.body = self.body.into_bytes();
        VerifiedEvent::proven(self.data)
    }

    #[cold]
    fn refuse(mut self, kind: RejectionKind) -> Refused {
        if !matches!(self.verdict, Verdict::Match { .. })
            && let Some(error) = self.failed.take()
        {
            return Refused {
                rejection: self.refuse_for(error),
                body: self.body.into_bytes(),
            };
        }
        let names_no_key = kind == RejectionKind::SignatureMismatch && self.names_no_key();
        let are_all_ruled_out = self.are_all_ruled_out();
        let reason = match self.malformed.take().filter(|_| are_all_ruled_out) {
            Some(reason) => *reason,
            None if names_no_key => Reason::new(kind).hint(Hint::UnknownKeyId),
            None => Reason::new(kind),
        };
        let sha256 = self.body.known_sha256();
        let body = self.body.into_bytes();
        let read = self.is_read.then_some(&*body);
        Refused {
            rejection: refuse(reason, &mut self.data, read, sha256.as_ref()),
            body,
        }
    }

    /// Whether the request names keys by ids, of which no key has one.
    #[cold]
    fn names_no_key(&self) -> bool {
        let keys = self.keys.keys();
        let mut variants = self.data.variants.iter();
        let is_absent = |asked: &str| {
            let mut ids = keys.iter().map(|key| key.id.as_deref());
            ids.all(|id| id.is_some_and(|id| id != asked))
        };
        variants.all(|(_, parsed)| {
            let mut named = named_keys(parsed);
            named.all(|asked| asked.is_some_and(is_absent))
        })
    }
}

/// Takes signatures and timestamps from the body, where variants have them there. Returns why the
/// body rules out the first variant, and one bit for each that it rules out. Most providers have
/// nothing of the kind, so it is not compiled into what every request runs.
#[inline(never)]
fn parse_body(
    data: &mut Arc<EventData>,
    body: &BodyInput,
    is_read: bool,
) -> (Option<Box<Reason>>, u64) {
    let (mut malformed, mut ruled_out) = (None, 0);
    let endpoint = Arc::clone(&data.endpoint);
    let now = data.received;
    let variants = EventData::unverified(data).variants.iter_mut();
    for (place, (variant, parsed)) in variants.enumerate() {
        let Some(scheme) = endpoint.scheme(*variant) else {
            continue;
        };
        let tolerance = endpoint.tolerance(*variant);
        if let Err(reason) = scheme.parse_body(parsed, body, is_read, now, tolerance) {
            malformed.get_or_insert_with(|| Box::new(reason));
            ruled_out |= 1_u64.unbounded_shl(u32::try_from(place).unwrap_or(u32::MAX));
        }
    }
    (malformed, ruled_out)
}

/// The ids of the keys that a request names; `None` for a signature that names none.
fn named_keys(parsed: &ParsedHead) -> impl Iterator<Item = Option<&str>> {
    let (special, of_head) = (parsed.special.as_deref(), parsed.key_id.as_deref());
    let of_special = special.into_iter().flat_map(SpecialParts::key_ids);
    let of_special = of_special.map(move |id| id.or(of_head));
    of_special.chain(special.is_none().then_some(of_head))
}

/// Whether something in front of the layer has read a body that the matching variant does not sign.
fn is_taken(data: &EventData, place: usize) -> bool {
    let matched = data.variants.get(place);
    let scheme = matched.and_then(|(variant, _)| data.endpoint.scheme(*variant));
    scheme.is_some_and(|scheme| scheme.coverage != Coverage::Body)
        && data.declared.is_some_and(|declared| declared > 0)
}

/// The rejection of a complete request, or of one that its head condemns, whose body is not read.
#[cold]
fn refuse(
    reason: Reason,
    data: &mut Arc<EventData>,
    body: Option<&[u8]>,
    digest: Option<&[u8; 32]>,
) -> Rejection {
    let asked = match &mut EventData::unverified(data).owner {
        KeyOwner::Unknown(asked) => asked.take(),
        KeyOwner::Endpoint | KeyOwner::Tenant(_) => None,
    };
    let mut reason = reason.asking_for(asked).of_tenant(data.owner.tenant());
    if let Some(body) = body {
        reason = reason.of_body(body.len(), data.declared);
    }
    let Some((_, parsed)) = data.variants.first() else {
        unreachable!("a head is in order under one variant at least");
    };
    let look = |reason: Reason| {
        let undecoded = parsed.signatures.undecoded.as_deref();
        let reason = hints::of_body(&data.endpoint, undecoded, &parsed.values, body, reason);
        match (reason.kind(), digest) {
            (RejectionKind::SignatureMismatch, Some(digest)) => reason.with_body_digest(digest),
            _ => reason,
        }
    };
    match reason.kind() {
        RejectionKind::SignatureMismatch | RejectionKind::MalformedBody => reason = look(reason),
        // It has no hints, and takes as long as a wrong signature.
        RejectionKind::UnknownTenant => {
            black_box(look(Reason::new(RejectionKind::SignatureMismatch)));
        }
        _ => {}
    }
    Rejection::new(reason, &data.endpoint.labels)
}

impl fmt::Debug for BodyVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyVerifier")
            .field("provider", &self.data.endpoint.labels.provider)
            .field("endpoint", &self.data.endpoint.name())
            .field("keys", &self.keys.keys().len())
            .finish_non_exhaustive()
    }
}
