//! [`Shape`]: a request and how it is taken to be signed, before a key and a body are tried.

use std::{
    rc::Rc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;

use crate::{
    capture::path_and_query,
    event::VerifiedEvent,
    explain::{found::Found, secret},
    head::Head,
    keys::{key_set::KeySet, secret::Secret},
    provider::Provider,
    rejection::{Rejection, kind::RejectionKind},
    scheme::{
        algorithm::Keying,
        definition::Scheme,
        locator::LocatorKind,
        signature::Grammar,
        template::{self, Segment, Token},
        timestamp::Tolerance,
    },
    verify::verifier::Verifier,
};

pub(super) type Headers = Vec<(String, Vec<u8>)>;

/// What of a request a hypothesis may change, apart from the secret and the body.
#[derive(Clone)]
pub(super) struct Shape {
    pub(super) provider: Provider,
    pub(super) scheme: Scheme,
    pub(super) method: Rc<str>,
    pub(super) target: Rc<str>,
    pub(super) headers: Rc<Headers>,
}

impl Shape {
    pub(super) fn header(&self, name: &str) -> Option<&[u8]> {
        let mut lines = self.headers.iter();
        let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| &**value)
    }

    /// With another value of a header, in place of all its lines.
    pub(super) fn with_header(&self, name: &str, value: &[u8]) -> Self {
        let lines = self.headers.iter();
        let others = lines.filter(|(known, _)| !known.eq_ignore_ascii_case(name));
        let mut headers: Headers = others.cloned().collect();
        headers.push((name.to_owned(), value.to_owned()));
        let mut shape = self.clone();
        shape.headers = Rc::new(headers);
        shape
    }

    pub(super) fn with_scheme(&self, change: impl FnOnce(&mut Scheme)) -> Self {
        let mut shape = self.clone();
        change(&mut shape.scheme);
        shape
    }

    /// The headers with signatures, of the first family.
    pub(super) fn signature_headers(&self) -> Vec<String> {
        let places = self.scheme.signature.places.iter();
        let headers = places.filter_map(|place| place.as_header());
        headers.map(|name| self.provider.filled(&name)).collect()
    }

    /// Whether the header has signatures that can be told by their length; otherwise it has a
    /// token, or several things in one.
    pub(super) fn has_plain_signature(&self) -> bool {
        let special = self.scheme.special.as_ref();
        let is_token = special.is_some_and(|special| !special.0.has_plain_signature());
        !is_token && !matches!(self.scheme.signature.grammar, Grammar::Positional { .. })
    }

    /// What precedes the token, if the header has nothing else.
    pub(super) fn token_prefix(&self) -> Option<String> {
        let special = self.scheme.special.as_ref();
        if let Some(prefix) = special.and_then(|special| special.0.token_prefix()) {
            return Some(prefix.to_owned());
        }
        match &self.scheme.signature.grammar {
            Grammar::Single { prefixes } if self.is_token() && !self.scheme.is_basic => {
                let prefix = prefixes.first().map_or("", |prefix| prefix);
                Some(self.provider.filled(prefix)).filter(|prefix| !prefix.contains('{'))
            }
            _ => None,
        }
    }

    /// The other headers that the scheme cannot do without.
    pub(super) fn other_headers(&self) -> Vec<String> {
        let mut names = Vec::new();
        if let Some(time) = &self.scheme.timestamp
            && let LocatorKind::Header(name) = &time.place.0
        {
            names.push(name.clone().into_owned());
        }
        for segment in template::parse(&self.scheme.signed).unwrap_or_default() {
            if let Segment::Token(Token::Header(name), _) = segment {
                names.push(name.into());
            }
        }
        names
    }

    /// The header that the verifier misses first.
    pub(super) fn missing_header(&self) -> Option<String> {
        let provider = self.provider.with_only(self.scheme.clone());
        let verifier = Verifier::without_keys(provider).ok()?;
        let verifier = verifier.with_tolerance(Tolerance::off());
        let refusal = verifier
            .check_head(&self.head(), SystemTime::UNIX_EPOCH)
            .err()?;
        let is_missing = refusal.kind() == RejectionKind::MissingHeader;
        // A message signature lists other headers in one.
        let name = refusal.field().or(refusal.header());
        name.filter(|_| is_missing).map(str::to_owned)
    }

    pub(super) fn is_token(&self) -> bool {
        self.scheme.algorithm().keying() == Keying::Token
    }

    pub(super) fn signs(&self, wanted: impl Fn(&Token) -> bool) -> bool {
        let segments = template::parse(&self.scheme.signed).unwrap_or_default();
        segments
            .iter()
            .any(|segment| matches!(segment, Segment::Token(token, _) if wanted(token)))
    }

    fn head(&self) -> Head<'_> {
        let headers: &Headers = &self.headers;
        Head::new(headers)
            .with_method(&self.method)
            .with_target(path_and_query(&self.target))
    }
}

/// A shape whose head is in order, with the keys that were tried for it.
pub(super) struct Front {
    pub(super) found: Vec<Found>,
    pub(super) shape: Shape,
    verifier: Verifier,
    /// The time at which it is verified.
    moment: SystemTime,
    /// By the number of changes to a secret.
    pub(super) sets: Vec<Option<Vec<Keys>>>,
}

/// Keys that are tried at once.
#[derive(Clone)]
pub(super) struct Keys {
    pub(super) set: KeySet,
    /// The place of the first in the list.
    first: usize,
}

impl Front {
    /// `None` if the scheme cannot be built, or if no key and no body could make the request
    /// genuine.
    pub(super) fn new(shape: Shape, found: Vec<Found>, at: SystemTime) -> Option<Self> {
        // What anybody can compute proves nothing.
        if shape.scheme.algorithm().keying() == Keying::None {
            return None;
        }
        let mut scheme = shape.scheme.clone();
        if scheme.algorithm().keying() != Keying::Public {
            scheme.secret_format = secret::raw_format(&scheme.secret_format);
        }
        let provider = shape.provider.with_only(scheme);
        let verifier = Verifier::without_keys(provider).ok()?;
        let verifier = verifier
            .with_tolerance(Tolerance::off())
            .with_max_body(usize::MAX >> 1);
        let moment = moment(&verifier, &shape.head(), at)?;
        Some(Self {
            found,
            shape,
            verifier,
            moment,
            sets: Vec::new(),
        })
    }

    /// Prepares keys for as many sets as they need. One that cannot be used is left out.
    pub(super) fn prepared(&self, secrets: Vec<Secret>) -> Vec<Keys> {
        let Scheme {
            special, key_id, ..
        } = &self.shape.scheme;
        // A key with an id is not tried for a request that names another.
        let names_keys = special.is_some() || key_id.is_some();
        let most = match self.shape.scheme.algorithm().keying() {
            _ if names_keys => 1,
            Keying::Public => KeySet::MAX_PUBLIC,
            _ => KeySet::MAX,
        };
        let with_id = |(place, secret): (usize, Secret)| match names_keys {
            true => (place, secret),
            false => (place, secret.with_id(place.to_string())),
        };
        let secrets: Vec<_> = secrets.into_iter().enumerate().map(with_id).collect();
        let mut sets = Vec::new();
        for chunk in secrets.chunks(most) {
            match self.key_set(chunk) {
                Some(set) => sets.push(set),
                // One of them cannot be used.
                None => sets.extend(chunk.chunks(1).filter_map(|single| self.key_set(single))),
            }
        }
        sets
    }

    fn key_set(&self, secrets: &[(usize, Secret)]) -> Option<Keys> {
        let endpoint = self.verifier.shared();
        let (first, _) = secrets.first()?;
        let secrets = secrets.iter().map(|(_, secret)| secret.clone()).collect();
        let look = endpoint.provider.secret_look();
        let set = KeySet::for_schemes(&endpoint.schemes, look, secrets).ok()?;
        Some(Keys { set, first: *first })
    }

    fn verified(&self, keys: &Keys, body: &Bytes) -> Option<VerifiedEvent> {
        let head = self.shape.head();
        let checked = self.verifier.check_head(&head, self.moment).ok()?;
        let mut request = checked.with_keys(&keys.set).ok()?;
        request.update(body.clone()).ok()?;
        request.verify().ok()
    }

    /// The time that the request says, in seconds.
    pub(super) fn seconds(&self, keys: &Keys, body: &Bytes) -> Option<i64> {
        let event = self.verified(keys, body)?;
        event.data().timestamp().map(|time| time.seconds)
    }

    /// The place of the key in its list under which the request is genuine.
    pub(super) fn proves(&self, keys: &Keys, body: &Bytes) -> Option<usize> {
        let event = self.verified(keys, body)?;
        match event.key_id() {
            Some(id) => id.parse().ok(),
            None => Some(keys.first),
        }
    }

    /// The refusal for the time, by the tolerance that applies.
    pub(super) fn refusal_at(
        &self,
        keys: &KeySet,
        body: &Bytes,
        at: SystemTime,
        tolerance: Option<Tolerance>,
    ) -> Option<Rejection> {
        let verifier = self.verifier.clone();
        let verifier = match tolerance.or(self.shape.scheme.tolerance()) {
            Some(tolerance) => verifier.with_tolerance(tolerance),
            None if self.moment == at => return None,
            None => verifier,
        };
        let verify = || {
            let mut request = verifier
                .check_head(&self.shape.head(), at)?
                .with_keys(keys)?;
            request.update(body.clone())?;
            request.verify()
        };
        verify().err()
    }
}

/// The time at which a head is in order: `at`, or, if that is what refuses it, the one that it
/// says. A token has up to three of them.
pub(super) fn moment(verifier: &Verifier, head: &Head<'_>, at: SystemTime) -> Option<SystemTime> {
    const MOST: usize = 4;
    let mut moment = at;
    for _ in 0..MOST {
        let Err(refusal) = verifier.check_head(head, moment) else {
            return Some(moment);
        };
        let skew = refusal.skew_seconds()?;
        let off = Duration::from_secs(skew.unsigned_abs());
        moment = match refusal.kind() {
            // The second in which a token expires is too late.
            RejectionKind::TimestampTooOld => {
                moment.checked_sub(off.saturating_add(Duration::from_secs(1)))?
            }
            RejectionKind::TimestampInFuture => moment.checked_add(off)?,
            _ => return None,
        };
    }
    None
}
