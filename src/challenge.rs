//! Handshakes as data: the requests by which a provider asks whether an address takes its webhooks,
//! and the answers that it expects. What acts on them is in [`handshake`](crate::handshake).

pub(crate) mod at;
pub(crate) mod pattern;
pub(crate) mod read;
pub(crate) mod registration;
pub(crate) mod reply;
pub(crate) mod settings;

use crate::{
    challenge::{at::At, pattern::Pattern, reply::Reply},
    crypto::encoding::encode,
    crypto::tag::Tag,
    scheme::encoding::Encoding,
};

type Text = &'static str;

/// What a provider asks an address, and how it is answered.
#[derive(Debug)]
pub(crate) struct Handshake {
    /// The first that matches counts.
    pub(crate) rules: &'static [Rule],
}

/// One kind of question.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) methods: &'static [Text],
    /// What a request must have to be this question.
    pub(crate) when: &'static [When],
    pub(crate) proof: Proof,
    /// A value that must equal a setting of the endpoint, and that setting.
    pub(crate) check: Option<(At, Text)>,
    /// The form of a value, which must match as a whole.
    pub(crate) pattern: Option<(At, Pattern)>,
    pub(crate) mac: Option<Mac>,
    /// The answer; `None` if it is the handler's.
    pub(crate) reply: Option<Reply>,
    pub(crate) then: Then,
}

/// A question that anybody may ask, which has no answer yet.
pub(crate) const UNSIGNED: Rule = Rule {
    methods: &["GET"],
    when: &[],
    proof: Proof::Unsigned,
    check: None,
    pattern: None,
    mac: None,
    reply: None,
    then: Then::Answered,
};

/// A question that is signed as events are, which has no answer yet.
pub(crate) const SIGNED: Rule = Rule {
    methods: &["POST"],
    proof: Proof::Signed,
    ..UNSIGNED
};

/// Whether a question is proven to be the provider's before it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    Unsigned,
    /// It is signed as every event is.
    Signed,
    /// It is signed with a secret that everybody knows.
    SignedWith(Text),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    Has(At),
    Lacks(At),
    Is(At, Text),
    /// The JSON pointer leads to an array without items.
    IsEmptyList(Text),
}

impl When {
    pub(crate) fn is_of_head(self) -> bool {
        match self {
            Self::Has(at) | Self::Lacks(at) | Self::Is(at, _) => at.is_in_head(),
            Self::IsEmptyList(_) => false,
        }
    }
}

/// A MAC of a value of the question, under the key that also signs events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mac {
    pub(crate) of: At,
    pub(crate) encoding: Encoding,
    /// Where events have what is signed of them; `None` for the whole body.
    pub(crate) events: Option<At>,
}

impl Mac {
    pub(crate) fn encode(self, tag: &Tag) -> String {
        encode(self.encoding, tag.as_bytes())
    }
}

/// What becomes of a question that is in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The handler does not see it.
    Answered,
    /// The handler sees it, and the answer takes the place of its success.
    Delivered,
    /// It offers a secret, which the application has to store. The answer takes the place of the
    /// handler's success.
    HandedOver(At),
    /// It is signed, and its confirmation would take a request to an address in it, which the
    /// application may make. The answer takes the place of the handler's success.
    Confirmed(&'static Confirmation),
}

/// Where the parts of a confirmation are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Confirmation {
    /// Whether it begins a subscription, or ends one.
    pub(crate) begins: bool,
    pub(crate) topic: At,
    pub(crate) token: At,
    pub(crate) url: At,
}

impl Rule {
    /// The settings that an endpoint needs for this rule.
    pub(crate) fn required(&self) -> impl Iterator<Item = Text> {
        let check = self.check.map(|(_, setting)| setting);
        let reply = self.reply.iter().flat_map(Reply::required);
        check.into_iter().chain(reply)
    }

    /// All settings that this rule knows.
    pub(crate) fn settings(&self) -> impl Iterator<Item = Text> {
        let reply = self.reply.iter().flat_map(Reply::optional);
        let registration = matches!(self.then, Then::HandedOver(_));
        let registration = registration.then_some(registration::SETTING);
        self.required().chain(reply).chain(registration)
    }

    /// Whether the answer is a MAC of what anybody may ask.
    pub(crate) fn is_oracle(&self) -> bool {
        self.proof == Proof::Unsigned && self.mac.is_some()
    }
}

impl Handshake {
    /// The settings of all rules, without repetitions.
    pub(crate) fn settings(&self) -> Vec<Text> {
        let mut names: Vec<Text> = self.rules.iter().flat_map(Rule::settings).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether a setting is part of an answer.
    pub(crate) fn sends(&self, setting: &str) -> bool {
        let mut replies = self.rules.iter().filter_map(|rule| rule.reply.as_ref());
        replies.any(|reply| {
            let mut sent = reply.required().chain(reply.optional());
            sent.any(|name| name == setting)
        })
    }

    /// Whether an answer is a MAC under a key of the endpoint.
    pub(crate) fn has_macs(&self) -> bool {
        self.rules.iter().any(|rule| rule.mac.is_some())
    }

    /// Whether an answer signs what anybody asks for.
    pub(crate) fn has_oracle(&self) -> bool {
        self.rules.iter().any(Rule::is_oracle)
    }
}
