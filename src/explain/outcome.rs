//! What is written into a report: of a genuine request, of a proof, and where there is none.

use bytes::Bytes;

use crate::{
    capture::CapturedRequest,
    event::VerifiedEvent,
    explain::{
        Providers, Secrets,
        evidence::Evidence,
        found::Found,
        hypothesis::named,
        report::{Cause, Report, Verdict},
        request::Refused,
        scheme,
        shape::Shape,
    },
    rejection::{Rejection, kind::RejectionKind},
    scheme::definition::Scheme,
};

/// A change that makes the request genuine.
pub(super) struct Match {
    pub(super) found: Vec<Found>,
    pub(super) also: Vec<String>,
    pub(super) label: Option<String>,
    /// Whether the key is not valid at the time of the request.
    pub(super) is_outside_window: bool,
    pub(super) body: Bytes,
    /// The refusal for the time, if there is one.
    pub(super) refusal: Option<Rejection>,
    /// The scheme that matches.
    pub(super) scheme: Scheme,
}

/// What is not known of a request without a time of receipt, if that counts.
pub(super) fn undated(shape: &Shape, secrets: &Secrets) -> Option<&'static str> {
    let scheme = &shape.scheme;
    let is_dated = scheme.timestamp.is_some() || scheme.special.is_some();
    let mut keys = secrets.configured.iter();
    let is_limited = keys.any(|key| key.not_before.is_some() || key.not_after.is_some());
    match (is_dated, is_limited) {
        (false, false) => None,
        (_, false) => Some(
            "the time of receipt is not known, so it was not judged whether the request is too old",
        ),
        (false, true) => Some(
            "the time of receipt is not known, so it was not judged whether the key was valid then",
        ),
        (true, true) => Some(
            "the time of receipt is not known, so it was not judged whether the request is too old, or the key was valid \
             then",
        ),
    }
}

/// Names the alternative that a genuine request uses, if it does not use the first.
pub(super) fn genuine(
    report: &mut Report,
    shape: &Shape,
    secrets: &Secrets,
    event: &VerifiedEvent,
) {
    let mut found = Vec::new();
    let headers = shape.signature_headers();
    let is_here = |name: &String| shape.header(name).is_some();
    if !headers.is_empty() && !headers.iter().any(is_here) {
        let all = event
            .shared()
            .provider
            .signature_headers()
            .collect::<Vec<_>>();
        if let Some(name) = all.iter().find(|name| is_here(name)) {
            found.push(named("header:NAME").with(name.to_ascii_lowercase()));
        }
    }
    let prefixes = &shape.scheme.secret_format.prefixes;
    let further = prefixes.iter().skip(1).filter(|prefix| !prefix.is_empty());
    let has_prefix = |prefix: &str| {
        let mut secrets = secrets.configured.iter();
        secrets.any(|secret| secret.text().starts_with(prefix))
    };
    if let Some(prefix) = further.clone().find(|prefix| has_prefix(prefix)) {
        let form = shape.scheme.secret_format.to_string();
        let form = form.split(' ').next().unwrap_or_default();
        found.push(named("secret-prefix:PREFIX:FORM").with(format!("{prefix}:{form}")));
    }
    let first = shape.scheme.algorithm();
    if let Some(algorithm) = event
        .data()
        .scheme()
        .map(|scheme| scheme.algorithm)
        .filter(|matched| *matched != first)
    {
        found.push(named("algorithm:HASH").with(scheme::hash_name(algorithm)));
    }
    if found.is_empty() {
        return;
    }
    let causes = found.iter().map(|found| {
        Cause::new(
            found,
            Some("accepted by this crate, and not by every library"),
        )
    });
    report.causes = causes.collect();
    report.cause = Some(joined(&found));
}

fn joined(found: &[Found]) -> String {
    let names: Vec<String> = found.iter().map(Found::name).collect();
    names.join("|")
}

/// A capture without the token cannot be judged.
pub(super) fn incomplete(report: &mut Report) {
    report.verdict = Verdict::Incomplete;
    report.remedy = Some(
        "have the request judged when it arrives, as the layers and `tower-webhook listen` do, or capture it with its \
         credentials (CapturedRequest::with_credentials)"
            .to_owned(),
    );
}

/// Fills in the proof, and what else refuses the request.
pub(super) fn proven(
    report: &mut Report,
    found: Match,
    refusal: &Refused,
    captured: &CapturedRequest,
    is_dated: bool,
    providers: &Providers,
) {
    let Match {
        found: mut causes,
        mut also,
        label,
        is_outside_window,
        body,
        refusal: late,
        scheme,
    } = found;
    let mut fact = None;
    if is_outside_window {
        let id = label.clone().unwrap_or_default();
        causes.insert(0, named("key-outside-window:ID").with(id));
    }
    let kind = match refusal {
        Refused::Rejection(rejection) => Some(rejection.kind()),
        Refused::Setup(_) => None,
    };
    if let Some(late) = late.filter(|_| is_dated) {
        let skew = late.skew_seconds().unwrap_or_default();
        let tolerance = providers.tolerance.or(scheme.tolerance());
        let (name, other) = of_time(skew);
        let limit = tolerance.and_then(|tolerance| match skew < 0 {
            true => tolerance.past(),
            false => tolerance.future(),
        });
        let window = limit
            .map(|limit| format!(", and at most {} s are accepted", limit.as_secs()))
            .unwrap_or_default();
        fact = Some(format!(
            "{} s {}{window}",
            skew.unsigned_abs(),
            if skew < 0 {
                "in the past"
            } else {
                "in the future"
            }
        ));
        causes.push(named(name).with(""));
        also.extend(other.map(str::to_owned));
    }
    if causes.is_empty() {
        causes.push(match kind {
            Some(RejectionKind::KeyOutsideWindow | RejectionKind::NoValidKey) => {
                named("key-outside-window:ID").with(label.clone().unwrap_or_default())
            }
            // Nothing else was changed than that the keys were tried without their ids.
            Some(RejectionKind::SignatureMismatch) => {
                named("key-id:ID").with(label.clone().unwrap_or_default())
            }
            Some(RejectionKind::BodyTooLarge) => named("body-limit").with(""),
            Some(kind) => named("refused:KIND").with(kind.as_str()),
            None => named("refused:KIND").with("setup"),
        });
    }
    if body != *captured.body() {
        fact.get_or_insert_with(|| {
            format!(
                "{} bytes came, {} were signed",
                captured.body().len(),
                body.len()
            )
        });
    }
    let last = causes.len().saturating_sub(1);
    let described = causes.iter().enumerate();
    let described = described
        .map(|(place, found)| Cause::new(found, fact.as_deref().filter(|_| place == last)));
    report.causes = described.collect();
    report.cause = Some(joined(&causes));
    let remedies: Vec<&str> = report.causes.iter().map(Cause::remedy).collect();
    report.remedy = Some(match refusal {
        Refused::Setup(error) if report.cause.as_deref() == Some("refused:setup") => {
            error.mistakes().collect::<Vec<_>>().join("; ")
        }
        _ => remedies.join("; and "),
    });
    report.also = also;
    report.key = label;
    report.verdict = Verdict::Proven;
}

/// The distances of time zones from UTC that are not whole hours, in minutes.
const ODD_ZONES: [u64; 11] = [150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825];

/// The name for a time that is off by so many seconds, and the other name that fits.
fn of_time(skew: i64) -> (&'static str, Option<&'static str>) {
    const NEAR: u64 = 30;
    const FURTHEST: u64 = 14;
    let plain = if skew < 0 {
        "timestamp-old"
    } else {
        "timestamp-future"
    };
    let off = skew.unsigned_abs();
    let whole = (1..=FURTHEST).map(|hours| hours.saturating_mul(60));
    let mut zones = whole.chain(ODD_ZONES);
    if zones.any(|minutes| minutes.saturating_mul(60).abs_diff(off) <= NEAR) {
        ("timestamp-timezone", Some(plain))
    } else {
        (plain, None)
    }
}

const EXPERIMENT: &str = "capture a second request whose body is plain ASCII: if it verifies, the first body was changed \
    on its way; if not, the secret is another one";

const OTHER_TOKEN: &str = "compare the token of the request with the one that is configured, and set the one that the \
    provider shows for this endpoint: a token does not depend on the body";

pub(super) fn unexplained(
    report: &mut Report,
    shape: &Shape,
    evidence: Evidence,
    refusal: &Refused,
    captured: &CapturedRequest,
    is_spent: bool,
) {
    let unread = captured.left_out() > 0;
    let of_time = match refusal {
        Refused::Rejection(rejection) if unread => match rejection.kind() {
            RejectionKind::TimestampTooOld | RejectionKind::TimestampInFuture => {
                Some(named(of_time(rejection.skew_seconds().unwrap_or_default()).0).with(""))
            }
            _ => None,
        },
        _ => None,
    };
    if let Some(found) = evidence.likely.or(of_time) {
        report.verdict = Verdict::Likely;
        report.cause = Some(found.name());
        report.remedy = Some(named(found.hypothesis).remedy.to_owned());
        report.causes = vec![Cause::new(&found, None)];
        return;
    }
    let known = match refusal {
        Refused::Setup(error) => Some(error.mistakes().collect::<Vec<_>>().join("; ")),
        Refused::Rejection(rejection) => of_place(rejection, evidence.has_signature),
    };
    let experiment = match shape.is_token() {
        true => OTHER_TOKEN,
        false => EXPERIMENT,
    };
    let lost = evidence.lost.filter(|_| !shape.is_token());
    let lost = lost.map(|name| named(name).remedy.to_owned());
    report.remedy = Some(match known.or(lost) {
        Some(remedy) => remedy,
        None if is_spent => format!(
            "raise the budget (--budget), which ended before everything was tried; or {experiment}"
        ),
        None => experiment.to_owned(),
    });
}

/// What to do about a header or a field that is missing or cannot be read.
fn of_place(rejection: &Rejection, has_signature: bool) -> Option<String> {
    let header = rejection.header();
    let of_header = |text: &str| Some(text.replace("NAME", header?));
    match rejection.kind() {
        // Whoever signs sends all headers.
        RejectionKind::MissingHeader if has_signature => of_header(
            "find the proxy, tunnel or gateway that removes the header NAME: the provider sends it with the signature",
        ),
        RejectionKind::MissingHeader => of_header(&format!(
            "{}; if it does, find the proxy, tunnel or gateway that removes the header NAME",
            rejection.remedies().to_sign()
        )),
        RejectionKind::RepeatedHeader => of_header("find the proxy that repeats the header NAME"),
        RejectionKind::MalformedSignature
        | RejectionKind::MalformedTimestamp
        | RejectionKind::MalformedHeader
        | RejectionKind::UnexpectedHeader => of_header(
            "compare the header NAME with the provider's page, and find what cuts or changes it on its way",
        ),
        RejectionKind::MissingField | RejectionKind::RepeatedField => Some(format!(
            "find what removes or repeats {} on its way: the provider sends it once",
            rejection.field()?
        )),
        _ => None,
    }
}
