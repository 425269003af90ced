//! What a refused request shows about the cause. Nothing here runs for a request that is accepted.

use crate::{
    challenge::{
        Proof, Then,
        read::{Question, Verdict},
    },
    compiled::{
        header_table::{FamilyView, HeaderLines, HeaderNames, HeaderValues},
        scheme::CompiledScheme,
        undecoded::Undecoded,
    },
    endpoint::Endpoint,
    head::Head,
    providers,
    rejection::{
        Reason, Rejection, RequestFacts,
        body::{body_hints, unread_hints},
        hint::{Hint, HintSet, Unanswered},
        kind::RejectionKind,
        shown,
    },
    scheme::algorithm::Keying,
};

/// Adds what the head of a request shows, for one that its head condemns.
#[cold]
pub(crate) fn of_head(
    endpoint: &Endpoint,
    head: &Head<'_>,
    lines: &HeaderLines<'_>,
    mut reason: Reason,
) -> Reason {
    let kind = reason.kind();
    let unsigned = kind == RejectionKind::MissingHeader;
    let misread = matches!(
        kind,
        RejectionKind::MalformedSignature
            | RejectionKind::MissingField
            | RejectionKind::UnexpectedHeader
    );
    if !unsigned && !misread {
        return reason;
    }
    let is_safe = matches!(head.method, "GET" | "HEAD" | "OPTIONS");
    if let Some(why) = unanswered(endpoint, head) {
        reason.hints().handshake = Some(why);
        return reason.hint(Hint::Handshake);
    }
    if unsigned && is_safe {
        reason = reason.hint(Hint::SafeMethod);
    }
    if unsigned && is_signed(endpoint, lines) {
        reason.hints().signed = true;
        return reason;
    }
    let older = endpoint.provider.older_signature().filter(|_| unsigned);
    let own = own_header(endpoint, lines).filter(|_| unsigned);
    if let Some(header) = older.filter(|header| has(head, header)) {
        reason.hints().older = Some(header);
        reason = reason.hint(Hint::OlderSignature);
    } else if let Some(header) = own {
        reason.hints().own = Some(header.into());
        reason = reason.hint(Hint::UnsignedSender);
    } else if let Some(foreign) = foreign_header(endpoint, head) {
        reason.hints().foreign = Some(foreign);
        reason = reason.hint(Hint::ForeignHeader);
    } else if unsigned && !is_safe && endpoint.provider.remedies().unsigned.is_some() {
        reason = reason.hint(Hint::UnsignedSender);
    }
    if kind == RejectionKind::MalformedSignature {
        reason.hints().unread = true;
        reason = of_history(endpoint, reason);
    }
    reason
}

/// Why a handshake that is not signed has come as far as the signature.
fn unanswered(endpoint: &Endpoint, head: &Head<'_>) -> Option<Unanswered> {
    let handshake = endpoint.provider.handshake()?;
    let question = Question::new(handshake.rules, head, None);
    let mut rules = handshake.rules.iter();
    let rule = rules.find(|rule| question.judge(rule, Proof::Unsigned) == Verdict::Matches)?;
    let settings = endpoint.provider.settings();
    let missing = rule.required().find(|name| !settings.has(name));
    Some(match (missing, rule.then) {
        (Some(name), _) => Unanswered::NoSetting(name),
        (None, Then::HandedOver(_)) => Unanswered::Closed,
        // The layer answers these, and lets them pass.
        (None, Then::Delivered) => return None,
        (None, Then::Answered | Then::Confirmed(_)) => Unanswered::NoLayer,
    })
}

/// Adds what a request shows, for one that no key accepts. Its body is `None` if it is not read.
#[cold]
pub(crate) fn of_body(
    endpoint: &Endpoint,
    undecoded: Option<&Undecoded>,
    values: &HeaderValues,
    body: Option<&[u8]>,
    mut reason: Reason,
) -> Reason {
    #[cfg(test)]
    looks::count();
    let content_type = values.content_type.as_deref().unwrap_or_default();
    let content_encoding = values.content_encoding.as_deref().unwrap_or_default();
    let is_mismatch = reason.kind() == RejectionKind::SignatureMismatch;
    let seen = match body {
        None => HintSet::default(),
        Some(body) if is_mismatch || endpoint.body.reads_forms() => {
            body_hints(body, content_type, content_encoding)
        }
        Some(body) => unread_hints(body, content_type, content_encoding),
    };
    let hints = reason.hints();
    hints.set = hints.set.and(seen);
    let mut schemes = endpoint.schemes.iter();
    hints.token = schemes.all(|scheme| scheme.algorithm.keying() == Keying::Token);
    if !is_mismatch {
        return reason;
    }
    if let Some(undecoded) = undecoded {
        hints.undecoded = undecoded.count;
        hints.signature = undecoded.seen;
        hints.set = hints.set.and(undecoded.hints);
        hints.insert(Hint::UndecodedSignature);
        let scheme = endpoint.schemes.first();
        let header = scheme.and_then(|scheme| scheme.head.signatures.first());
        if let Some(header) = header {
            reason = reason.about(header.shown());
        }
    }
    // A tool for development is not what sends to an endpoint that works.
    if endpoint.provider.remedies().cli.is_some() && endpoint.verified.count() == 0 {
        reason = reason.hint(Hint::CliSecret);
    }
    of_history(endpoint, reason)
}

/// Adds whether the endpoint has ever accepted a request.
pub(crate) fn of_history(endpoint: &Endpoint, mut reason: Reason) -> Reason {
    let verified = endpoint.verified.count();
    reason.hints().verified = verified;
    reason.hint(if verified == 0 {
        Hint::NeverVerified
    } else {
        Hint::VerifiedBefore
    })
}

/// Adds what the head says of the request to a rejection.
#[cold]
pub(crate) fn about(rejection: Rejection, endpoint: &Endpoint, head: &Head<'_>) -> Rejection {
    let lines = endpoint.headers.look_up(head);
    let older = endpoint.provider.older_signature();
    let own = own_header(endpoint, &lines).is_some();
    let text = |names: fn(&CompiledScheme) -> Option<&HeaderNames>| {
        let scheme = endpoint.schemes.first()?;
        let value = view(&lines, scheme).get(names(scheme)?)?;
        let text = shown(std::str::from_utf8(value).ok()?);
        Some(text).filter(|text| !text.is_empty())
    };
    rejection.about_request(RequestFacts {
        method: shown(head.method),
        path: shown(head.path),
        event_type: text(|scheme| scheme.head.metadata.event_type.as_ref()),
        delivery_id: text(|scheme| scheme.head.metadata.delivery_id.as_ref()),
        of_provider: own
            || older.is_some_and(|header| has(head, header))
            || names_provider(head, &endpoint.labels.provider),
    })
}

/// Whether the sender names the provider as its software, as in `Stripe/1.0`. A proxy may have
/// removed the headers with the signature.
fn names_provider(head: &Head<'_>, provider: &str) -> bool {
    let agent = head.headers.nth("user-agent", 0).unwrap_or_default();
    let agent = agent.get(..100).unwrap_or(agent);
    let mut places = agent.windows(provider.len().max(1));
    !provider.is_empty() && places.any(|place| place.eq_ignore_ascii_case(provider.as_bytes()))
}

fn view<'v, 'h>(lines: &'v HeaderLines<'h>, scheme: &CompiledScheme) -> FamilyView<'v, 'h> {
    let rules = &scheme.head;
    lines.in_family(rules.families, &rules.required, &rules.signatures)
}

/// A header of the provider that is present, however the request is signed.
fn own_header<'e>(endpoint: &'e Endpoint, lines: &HeaderLines<'_>) -> Option<&'e str> {
    endpoint.schemes.iter().find_map(|scheme| {
        let view = view(lines, scheme);
        headers_of(scheme)
            .filter(|names| !is_common(names.shown()))
            .find(|names| view.get(names).is_some())
            .map(|names| view.shown(names))
    })
}

/// Whether a signature header of the provider is present.
fn is_signed(endpoint: &Endpoint, lines: &HeaderLines<'_>) -> bool {
    endpoint.schemes.iter().any(|scheme| {
        let view = view(lines, scheme);
        let mut signatures = scheme.head.signatures.iter();
        signatures.any(|names| view.get(names).is_some())
    })
}

fn headers_of(scheme: &CompiledScheme) -> impl Iterator<Item = &HeaderNames> {
    let rules = &scheme.head;
    let described = [&rules.metadata.event_type, &rules.metadata.delivery_id];
    let described = described.into_iter().flatten();
    described.chain(&rules.signatures).chain(&rules.required)
}

/// Headers that prove nothing about who sends them.
fn is_common(name: &str) -> bool {
    const COMMON: [&str; 8] = [
        "authorization",
        "content-digest",
        "content-length",
        "content-type",
        "date",
        "digest",
        "host",
        "user-agent",
    ];
    COMMON
        .iter()
        .any(|common| common.eq_ignore_ascii_case(name))
}

/// The signature header of another built-in provider, and that provider.
fn foreign_header(endpoint: &Endpoint, head: &Head<'_>) -> Option<(&'static str, &'static str)> {
    providers::SIGNATURE_HEADERS
        .iter()
        .filter(|(header, _)| !endpoint.headers.knows(header))
        .find(|(header, _)| has(head, header))
        .copied()
}

fn has(head: &Head<'_>, header: &str) -> bool {
    head.headers.nth(header, 0).is_some()
}

/// How many bodies were looked at, for tests.
#[cfg(test)]
pub(crate) mod looks {
    use std::cell::Cell;

    thread_local!(static LOOKS: Cell<usize> = const { Cell::new(0) });

    pub(crate) fn count() {
        LOOKS.set(LOOKS.get().saturating_add(1));
    }

    pub(crate) fn take() -> usize {
        LOOKS.take()
    }
}
