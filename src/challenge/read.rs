//! [`Question`]: a request as handshakes read it.

use std::borrow::Cow;

use crate::{
    challenge::{Handshake, Mac, Proof, Rule, When, at::At},
    form::{self, Form},
    head::Head,
    json,
};

/// A request, whose body may not have been read.
pub(crate) struct Question<'q> {
    head: &'q Head<'q>,
    body: Option<&'q [u8]>,
    form: Option<Form>,
}

/// What is found at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found<'q> {
    Nothing,
    One(Cow<'q, str>),
    /// There are several, or one that is not text, so that another parser may read another value.
    Unclear,
}

/// What a rule says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Other,
    Matches,
    /// The head matches, and the body decides.
    NeedsBody,
}

impl<'q> Question<'q> {
    pub(crate) fn new(rules: &[Rule], head: &'q Head<'q>, body: Option<&'q [u8]>) -> Self {
        let mut places = rules.iter().flat_map(Rule::places);
        let body_as_form = body.filter(|_| places.any(|at| matches!(at, At::Form(_))));
        Self {
            form: body_as_form.and_then(|body| form::parse(body).ok()),
            head,
            body,
        }
    }

    pub(crate) fn find(&self, at: At) -> Found<'_> {
        match at {
            At::Query(name) => in_query(self.head.query, name),
            At::Form(name) => in_form(self.form.as_ref(), name),
            At::Header(name) => match (self.head.headers.nth(name, 0), self.head.header(name)) {
                (None, _) => Found::Nothing,
                (Some(_), Some(value)) if self.head.headers.nth(name, 1).is_none() => {
                    Found::One(value.into())
                }
                _ => Found::Unclear,
            },
            At::Json(pointer) => in_json(self.body.unwrap_or_default(), pointer),
        }
    }

    /// Whether the request is the question of `rule`.
    pub(crate) fn judge(&self, rule: &Rule, proof: Proof) -> Verdict {
        if rule.proof != proof || !rule.methods.contains(&self.head.method) {
            return Verdict::Other;
        }
        let mut when = rule.when.iter();
        let is_known = |when: &&When| when.is_of_head() || self.body.is_some();
        if !when.clone().filter(is_known).all(|when| self.holds(*when)) {
            return Verdict::Other;
        }
        if when.all(|when| is_known(&when)) {
            Verdict::Matches
        } else {
            Verdict::NeedsBody
        }
    }

    fn holds(&self, when: When) -> bool {
        match when {
            When::Has(at) => self.find(at) != Found::Nothing,
            When::Lacks(at) => self.find(at) == Found::Nothing,
            When::Is(at, text) => matches!(self.find(at), Found::One(value) if value == text),
            When::IsEmptyList(pointer) => {
                let found = json::unique(self.body.unwrap_or_default(), &[Some(pointer)]);
                let raw = found.first().copied().flatten();
                let inside = raw.and_then(|raw| raw.get().strip_prefix('[')?.strip_suffix(']'));
                inside.is_some_and(|inside| inside.trim().is_empty())
            }
        }
    }
}

/// The value of a body without a head.
pub(crate) fn in_body(body: &[u8], at: At) -> Found<'_> {
    match at {
        At::Query(_) | At::Header(_) => Found::Nothing,
        At::Json(pointer) => in_json(body, pointer),
        At::Form(name) => match form::parse(body).map(|form| owned(in_form(Some(&form), name))) {
            Ok(found) => found,
            Err(_) => Found::Nothing,
        },
    }
}

fn owned<'q>(found: Found<'_>) -> Found<'q> {
    match found {
        Found::Nothing => Found::Nothing,
        Found::One(text) => Found::One(Cow::Owned(text.into_owned())),
        Found::Unclear => Found::Unclear,
    }
}

fn in_json<'q>(body: &'q [u8], pointer: &str) -> Found<'q> {
    match json::unique(body, &[Some(pointer)]).first() {
        Some(Some(raw)) => json::text(raw).map_or(Found::Unclear, Found::One),
        _ => Found::Nothing,
    }
}

fn in_query<'q>(query: &str, name: &str) -> Found<'q> {
    let mut values = form::values(query.as_bytes(), name);
    match (values.next(), values.next()) {
        (None, _) => Found::Nothing,
        (Some(Some(text)), None) => Found::One(Cow::Owned(text.into())),
        (Some(_), _) => Found::Unclear,
    }
}

fn in_form<'q>(form: Option<&'q Form>, name: &str) -> Found<'q> {
    match form.map(|form| form.optional(name)) {
        None | Some(Ok(None)) => Found::Nothing,
        Some(Ok(Some(value))) => Found::One(value.into()),
        Some(Err(_)) => Found::Unclear,
    }
}

impl Handshake {
    /// Whether anybody can have `body` signed with a key of the endpoint.
    pub(crate) fn signs(&self, body: &[u8]) -> bool {
        let mut oracles = self.rules.iter().filter(|rule| rule.is_oracle());
        oracles.any(|rule| match (&rule.pattern, rule.mac) {
            (Some((_, pattern)), Some(Mac { events: None, .. })) => pattern.matches(body),
            (
                Some((_, pattern)),
                Some(Mac {
                    events: Some(at), ..
                }),
            ) => {
                matches!(in_body(body, at), Found::One(text) if pattern.matches(text.as_bytes()))
            }
            // A rule without a pattern answers nothing.
            _ => false,
        })
    }
}

impl Rule {
    /// Every place that the conditions, the checks and the answer read.
    fn places(&self) -> impl Iterator<Item = At> {
        let when = self.when.iter().map(|when| match when {
            When::Has(at) | When::Lacks(at) | When::Is(at, _) => *at,
            When::IsEmptyList(pointer) => At::Json(pointer),
        });
        let check = self.check.map(|(at, _)| at);
        let mac = self.mac.map(|mac| mac.of);
        when.chain(check).chain(mac)
    }
}
