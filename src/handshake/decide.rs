//! What becomes of a request that may be a handshake. Pure: no clock, no body that is read, no keys
//! that are looked up.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    challenge::{
        Handshake, Proof, Rule, Then, When,
        at::At,
        read::{Found, Question, Verdict},
        registration::Enrolment,
        reply::{Content, Member, Piece, Reply},
        settings::Settings,
    },
    clock,
    crypto::tag::Tag,
    endpoint::Endpoint,
    event::{
        VerifiedEvent,
        handshake::{HandshakeEvent, HandshakeTask, Subscription},
    },
    head::Head,
    keys::{key_set::KeySet, secret::Secret},
    provider::Provider,
    rejection::{Reason, kind::RejectionKind},
    verify::head::CheckedHead,
};

/// No challenge that is longer is answered.
const LONGEST_ECHO: usize = 1024;

/// What becomes of a request.
pub(crate) enum Decision {
    /// It is no handshake.
    Pass,
    Answered(Response<Bytes>),
    Refused(Reason),
    /// The body decides.
    NeedsBody {
        /// Whether an event may have such a head, too.
        of_event: bool,
    },
    /// The answer is a MAC, for which the keys of this request are needed.
    NeedsKeys(&'static Rule),
    /// The request is verified and handled, and this takes the place of the handler's success.
    Delivered(Response<Bytes>),
    HandedOver(Box<HandedOver>),
}

/// A request for the application.
#[derive(Debug)]
pub(crate) struct HandedOver {
    pub(crate) event: HandshakeEvent,
    pub(crate) after: After,
}

/// What takes the place of the handler's success.
#[derive(Debug)]
pub(crate) struct After {
    pub(crate) answer: Response<Bytes>,
    pub(crate) enrolment: Option<Enrolment>,
}

impl After {
    pub(crate) fn new(answer: Response<Bytes>) -> Self {
        Self {
            answer,
            enrolment: None,
        }
    }

    /// The handler has succeeded.
    pub(crate) fn succeed(self) -> Response<Bytes> {
        if let Some(enrolment) = self.enrolment {
            enrolment.complete();
        }
        self.answer
    }
}

impl From<Result<Self, Reason>> for Decision {
    fn from(decided: Result<Self, Reason>) -> Self {
        decided.unwrap_or_else(Self::Refused)
    }
}

/// What becomes of a request before it is verified.
pub(crate) fn unsigned(endpoint: &Arc<Endpoint>, head: &Head<'_>, body: Option<&[u8]>) -> Decision {
    let Some(handshake) = asked(endpoint, head, |proof| proof != Proof::Signed) else {
        return Decision::Pass;
    };
    let question = Question::new(handshake.rules, head, body);
    for rule in handshake.rules {
        if !is_active(rule, endpoint) {
            continue;
        }
        // What is signed with a secret of its own is not left to the verifying layer.
        let proof = match rule.proof {
            Proof::Signed => continue,
            proof => proof,
        };
        match (question.judge(rule, proof), proof) {
            (Verdict::Other, _) => {}
            (Verdict::NeedsBody, _) => {
                let mut when = rule.when.iter();
                let lacks_header = when.any(|when| matches!(when, When::Lacks(At::Header(_))));
                return Decision::NeedsBody {
                    of_event: !lacks_header,
                };
            }
            (Verdict::Matches, Proof::SignedWith(secret)) => {
                if is_signed_with(secret, endpoint, head, body.unwrap_or_default()) {
                    return act(rule, endpoint, &question, None).into();
                }
            }
            (Verdict::Matches, _) => return act(rule, endpoint, &question, None).into(),
        }
    }
    Decision::Pass
}

/// What becomes of a challenge whose keys are known.
pub(crate) fn with_keys(
    endpoint: &Arc<Endpoint>,
    rule: &'static Rule,
    head: &Head<'_>,
    keys: &KeySet,
    now: i64,
) -> Decision {
    let question = Question::new(std::slice::from_ref(rule), head, None);
    let mut valid = keys.keys().iter().filter(|key| key.valid_at(now));
    let key = valid.find_map(|key| key.answer());
    let fits = keys.fit(&endpoint.schemes);
    let Some(key) = key.filter(|_| fits) else {
        return Decision::Refused(Reason::new(RejectionKind::NoValidKey));
    };
    let sign = |text: &str| key.of(text.as_bytes());
    act(rule, endpoint, &question, Some(&sign)).into()
}

/// What becomes of a request that is verified.
pub(crate) fn signed(event: &VerifiedEvent, head: &Head<'_>) -> Decision {
    let endpoint = event.shared();
    let Some(handshake) = asked(endpoint, head, |proof| proof == Proof::Signed) else {
        return Decision::Pass;
    };
    let question = Question::new(handshake.rules, head, Some(event.body()));
    let mut rules = handshake.rules.iter();
    let matching = rules.find(|rule| {
        is_active(rule, endpoint) && question.judge(rule, Proof::Signed) == Verdict::Matches
    });
    let Some(rule) = matching else {
        return Decision::Pass;
    };
    let key = event.data().answering.as_ref();
    let key = key.and_then(|(keys, place)| keys.keys().get(*place)?.answer());
    let sign = key.map(|key| move |text: &str| key.of(text.as_bytes()));
    let sign = sign.as_ref().map(|sign| sign as &Sign<'_>);
    act(rule, endpoint, &question, sign).into()
}

/// Whether a rule that is signed may match, so that the request has to be verified.
pub(crate) fn may_be_signed(endpoint: &Endpoint, head: &Head<'_>, body: &[u8]) -> bool {
    let Some(Handshake { rules }) = asked(endpoint, head, |proof| proof == Proof::Signed) else {
        return false;
    };
    let question = Question::new(rules, head, Some(body));
    rules.iter().any(|rule| {
        is_active(rule, endpoint) && question.judge(rule, Proof::Signed) == Verdict::Matches
    })
}

/// The handshake of an endpoint, if some rule of it is for such a method: nothing is read for
/// others.
fn asked(
    endpoint: &Endpoint,
    head: &Head<'_>,
    is_proof: impl Fn(Proof) -> bool,
) -> Option<&'static Handshake> {
    let handshake = endpoint.provider.handshake()?;
    let mut rules = handshake.rules.iter();
    let is_for = |rule: &Rule| is_proof(rule.proof) && rule.methods.contains(&head.method);
    rules.any(is_for).then_some(handshake)
}

/// Whether a request is signed with a secret that everybody knows. No event comes of it, and the
/// endpoint has verified nothing.
fn is_signed_with(secret: &str, endpoint: &Endpoint, head: &Head<'_>, body: &[u8]) -> bool {
    // Its counters and its log are not those of the endpoint.
    let apart = Arc::new(endpoint.clone());
    let look = endpoint.provider.secret_look();
    let keys = KeySet::for_schemes(&endpoint.schemes, look, vec![Secret::new(secret)]);
    let verify = |keys: &KeySet| {
        let checked = CheckedHead::new(&apart, head, 0, clock::now())?;
        let mut request = checked.with_keys(keys)?;
        request.update(Bytes::copy_from_slice(body))?;
        request.verify()
    };
    keys.is_ok_and(|keys| verify(&keys).is_ok())
}

/// Whether the endpoint knows what a rule needs.
fn is_active(rule: &Rule, endpoint: &Endpoint) -> bool {
    let settings = endpoint.provider.settings();
    let is_open = match rule.then {
        Then::HandedOver(_) => endpoint.registration.may_take(),
        Then::Answered | Then::Delivered | Then::Confirmed(_) => true,
    };
    is_open && rule.required().all(|name| settings.has(name))
}

type Sign<'s> = dyn Fn(&str) -> Tag + 's;

fn act(
    rule: &'static Rule,
    endpoint: &Arc<Endpoint>,
    question: &Question<'_>,
    sign: Option<&Sign<'_>>,
) -> Result<Decision, Reason> {
    let settings = endpoint.provider.settings();
    if let Some((at, pattern)) = &rule.pattern {
        let value = question.find(*at);
        if !matches!(value, Found::One(text) if pattern.matches(text.as_bytes())) {
            return Err(malformed(*at));
        }
    }
    if let Some((at, setting)) = rule.check {
        let value = question.find(at);
        if !matches!(value, Found::One(text) if settings.allow(setting, &text)) {
            return Err(Reason::new(RejectionKind::ChallengeRefused).with_field(at.name()));
        }
    }
    let mac = match (rule.mac, sign) {
        (None, _) => None,
        // Whoever may choose what is signed must not choose freely.
        (Some(mac), _) if !matches!(rule.pattern, Some((at, _)) if at == mac.of) => {
            return Err(malformed(mac.of));
        }
        (Some(_), None) if rule.proof == Proof::Unsigned => return Ok(Decision::NeedsKeys(rule)),
        (Some(_), None) => return Err(Reason::new(RejectionKind::NoValidKey)),
        (Some(mac), Some(sign)) => match question.find(mac.of) {
            Found::One(text) => Some(mac.encode(&sign(&text))),
            _ => return Err(malformed(mac.of)),
        },
    };
    let write = Writer {
        question,
        settings,
        provider: &endpoint.provider,
        mac: mac.as_deref(),
    };
    let answer = rule.reply.as_ref().map(|reply| write.reply(reply));
    let answer = answer.transpose()?;
    Ok(match (rule.then, answer) {
        (Then::Answered, Some(answer)) => Decision::Answered(answer),
        (Then::Delivered, Some(answer)) => Decision::Delivered(answer),
        (Then::HandedOver(at), Some(answer)) => {
            let Found::One(secret) = question.find(at) else {
                return Err(malformed(at));
            };
            if secret.is_empty() || secret.len() > LONGEST_ECHO || secret.contains(char::is_control)
            {
                return Err(malformed(at));
            }
            match endpoint.registration.begin(&secret) {
                None => Decision::Pass,
                Some(enrolment) => Decision::HandedOver(Box::new(HandedOver {
                    event: HandshakeEvent::secret(endpoint, secret.into_owned()),
                    after: After {
                        answer,
                        enrolment: Some(enrolment),
                    },
                })),
            }
        }
        (Then::Confirmed(confirmation), Some(answer)) => {
            let find = |at| match question.find(at) {
                Found::One(text) if !text.is_empty() => Ok(text.into_owned()),
                _ => Err(malformed(at)),
            };
            let subscription = Subscription {
                topic: find(confirmation.topic)?.into(),
                token: Zeroizing::new(find(confirmation.token)?),
                url: Zeroizing::new(find(confirmation.url)?),
            };
            let task = if confirmation.begins {
                HandshakeTask::ConfirmSubscription(subscription)
            } else {
                HandshakeTask::SubscriptionEnded(subscription)
            };
            Decision::HandedOver(Box::new(HandedOver {
                event: HandshakeEvent::new(endpoint, task),
                after: After::new(answer),
            }))
        }
        (_, None) => Decision::Pass,
    })
}

fn malformed(at: At) -> Reason {
    Reason::new(RejectionKind::MalformedChallenge).with_field(at.name())
}

/// Writes the answer to one question.
struct Writer<'w> {
    question: &'w Question<'w>,
    settings: &'w Settings,
    provider: &'w Provider,
    mac: Option<&'w str>,
}

impl Writer<'_> {
    /// The answer. What it repeats may be markup: no browser renders it, runs it or keeps it.
    fn reply(&self, reply: &Reply) -> Result<Response<Bytes>, Reason> {
        let (content_type, body) = match &reply.body {
            Content::Empty => (None, Bytes::new()),
            Content::Text(pieces) => (Some("text/plain"), self.text(pieces)?.into()),
            Content::Json(members) => (Some("application/json"), self.json(members)?.into()),
        };
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if let Some(content_type) = content_type {
            for (name, value) in [
                (header::CONTENT_TYPE, content_type),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::CONTENT_SECURITY_POLICY, "sandbox"),
            ] {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, piece) in reply.headers {
            let text = self.piece(piece)?;
            // A line break is no part of a header value.
            let value = HeaderValue::from_str(&text);
            let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), value) else {
                return Err(Reason::new(RejectionKind::MalformedChallenge).with_field(name));
            };
            headers.insert(name, value);
        }
        Ok(response)
    }

    fn text(&self, pieces: &[Piece]) -> Result<String, Reason> {
        let pieces = pieces.iter().map(|piece| self.piece(piece));
        pieces.collect()
    }

    fn json(&self, members: &[(&str, Member)]) -> Result<String, Reason> {
        let mut object = String::from("{");
        for (place, (name, member)) in members.iter().enumerate() {
            if place > 0 {
                object.push(',');
            }
            let value = match member {
                Member::Text(pieces) => quoted(&self.text(pieces)?),
                Member::Number(number) => number.to_string(),
            };
            object += &quoted(name);
            object.push(':');
            object += &value;
        }
        object.push('}');
        Ok(object)
    }

    fn piece(&self, piece: &Piece) -> Result<Cow<'_, str>, Reason> {
        Ok(match piece {
            Piece::Literal(text) => Cow::Borrowed(*text),
            Piece::Echo(at) => match self.question.find(*at) {
                Found::One(text)
                    if (1..=LONGEST_ECHO).contains(&text.len())
                        && !text.contains(char::is_control) =>
                {
                    text
                }
                _ => return Err(malformed(*at)),
            },
            Piece::Param(name) => self.provider.param(name).unwrap_or_default().into(),
            Piece::Setting(name) => self.settings.first(name).unwrap_or_default().into(),
            Piece::SettingOr(name, default) => self.settings.first(name).unwrap_or(default).into(),
            Piece::Mac => self.mac.unwrap_or_default().into(),
            Piece::Sha256(pieces) => {
                let digest = Sha256::digest(self.text(pieces)?);
                const_hex::display(digest.as_slice()).to_string().into()
            }
        })
    }
}

/// A JSON string without the characters of markup.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted += "\\\"",
            '\\' => quoted += "\\\\",
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                quoted += &format!("\\u{:04x}", u32::from(letter));
            }
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_quoted_text_is_json_without_markup() {
        for text in [
            "",
            "a\"b\\c",
            "<script>&\u{2028}\u{2029}\0\n\u{1f}",
            "\u{e9}\u{1f600}",
        ] {
            let quoted = quoted(text);
            assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
            assert!(
                !quoted.contains(['<', '>', '&', '\n', '\u{2028}', '\0']),
                "{quoted}"
            );
        }
    }
}
