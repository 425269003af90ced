//! The search: one change before two, and what is cheap before what is not.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
    ops::ControlFlow,
    rc::Rc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;

use crate::{
    capture::CapturedRequest,
    error::SetupError,
    event::VerifiedEvent,
    explain::{
        Budget, Providers, Secrets, body, evidence,
        found::{Found, Named},
        hypothesis::{HYPOTHESES, Hypothesis, Rewrite, named},
        keys::KeyList,
        report::{Cause, Report, Tried, Verdict},
        scheme,
        shape::{Front, Shape},
        url,
    },
    keys::key_set::KeySet,
    rejection::{Rejection, kind::RejectionKind},
    scheme::{
        algorithm::Keying, definition::Scheme, secret_format::SecretFormat, timestamp::Tolerance,
    },
    verify::verifier::Verifier,
};

/// A change that makes the request genuine.
struct Match {
    found: Vec<Found>,
    also: Vec<String>,
    label: Option<String>,
    body: Bytes,
    /// The refusal for the time, if there is one.
    refusal: Option<Rejection>,
    /// The scheme that matches.
    scheme: Scheme,
}

/// Why a stage ended early.
enum Stop {
    Found(Box<Match>),
    Budget,
}

type Flow = ControlFlow<Stop>;

struct Search<'c> {
    secrets: &'c Secrets,
    mounts: &'c [String],
    others: &'c [crate::provider::Provider],
    at: SystemTime,
    tolerance: Option<Tolerance>,
    body: Bytes,
    declared: Option<usize>,
    lists: Vec<(SecretFormat, bool, Rc<KeyList>)>,
    tried: Tried,
    started: Instant,
    budget: Budget,
}

/// What is tried, in this order.
const STAGES: [&str; 11] = [
    "other secrets and readings of the secret",
    "headers, algorithms, contents and URLs",
    "readings of the body",
    "styles of JSON with two differences",
    "two changes to the secret",
    "the secret and the headers",
    "the body and the secret, or the body and the headers",
    "two changes to headers, algorithms, contents and URLs",
    "two changes to the body",
    "all styles of JSON",
    "all styles of JSON inside of another body",
];

/// The longest body that is read anew, in bytes.
const LONGEST_BODY: usize = 4 << 20;
const LONG_BODIES: &str = "readings of bodies longer than 4 MiB";

/// Headers that say how long a body is, which is not the body that is tried.
const OF_LENGTH: [&str; 2] = ["content-length", "transfer-encoding"];

pub(super) fn run(
    providers: &Providers,
    secrets: &Secrets,
    captured: &CapturedRequest,
    budget: Budget,
) -> Report {
    let started = Instant::now();
    let at = captured.received_at();
    let shape = base(providers, secrets, captured);
    let as_it_is = as_it_is(providers, secrets, captured, &shape);
    let mut report = Report {
        verdict: Verdict::Unexplained,
        cause: None,
        remedy: None,
        causes: Vec::new(),
        also: Vec::new(),
        provider: providers.endpoint.name().to_owned(),
        endpoint: captured
            .endpoint()
            .map(|name| crate::rejection::shown(name).into_string()),
        refusal: None,
        key: None,
        observations: Vec::new(),
        tried: Tried::default(),
    };
    report.tried.count(1);
    let refusal = match as_it_is {
        Ok(event) => {
            report.verdict = Verdict::Genuine;
            report.key = event.key_id().map(str::to_owned);
            genuine(&mut report, &shape, secrets, &event);
            report.tried.took(started.elapsed());
            return report;
        }
        Err(refusal) => refusal,
    };
    report.refusal = Some(match &refusal {
        Refused::Setup(_) => "setup".to_owned(),
        Refused::Rejection(rejection) => rejection.kind().to_string(),
    });
    let mut search = Search {
        secrets,
        mounts: &providers.mounts,
        others: &providers.others,
        at: at.unwrap_or(UNIX_EPOCH),
        tolerance: at.is_some().then_some(providers.tolerance).flatten(),
        body: captured.body().clone(),
        declared: body::declared_length(&captured.head()),
        lists: Vec::new(),
        tried: report.tried.clone(),
        started,
        budget,
    };
    let stop = search.all(&shape);
    search.tried.took(started.elapsed());
    report.tried = search.tried;
    let unusable = matches!(&refusal, Refused::Setup(_)) && is_unusable(&shape, secrets);
    let evidence = evidence::of(&providers.endpoint, secrets, captured, unusable);
    report.observations = evidence.observations;
    if let Refused::Setup(error) = &refusal {
        // It quotes no secret.
        report
            .observations
            .extend(error.mistakes().map(str::to_owned));
    }
    match stop {
        ControlFlow::Break(Stop::Found(found)) => {
            proven(
                &mut report,
                *found,
                &refusal,
                captured,
                at.is_some(),
                providers,
            );
        }
        _ => unexplained(&mut report, evidence.likely, &refusal, captured),
    }
    report
}

/// Why the request is refused as it is.
enum Refused {
    Setup(SetupError),
    Rejection(Rejection),
}

/// Verifies the request as the endpoint does.
fn as_it_is(
    providers: &Providers,
    secrets: &Secrets,
    captured: &CapturedRequest,
    shape: &Shape,
) -> Result<VerifiedEvent, Refused> {
    let mut provider = providers.endpoint.clone().with_any_coverage();
    let needs_url = shape.scheme.param_names().iter().any(|name| name == "url");
    if let Some(url) = shape
        .provider
        .param("url")
        .filter(|_| needs_url && provider.param("url").is_none())
    {
        provider = provider.with_param("url", url.to_owned());
    }
    let verifier = Verifier::new(provider, secrets.configured.clone()).map_err(Refused::Setup)?;
    let verifier = match (providers.tolerance, captured.received_at()) {
        (_, None) => verifier.with_tolerance(Tolerance::off()),
        (Some(tolerance), _) => verifier.with_tolerance(tolerance),
        (None, _) => verifier,
    };
    let verifier = match providers.max_body {
        Some(bytes) => verifier.with_max_body(bytes),
        None => verifier,
    };
    let now = captured.received_at().unwrap_or(UNIX_EPOCH);
    let verified = verifier.verify(&captured.head(), captured.body().clone(), now);
    verified.map_err(Refused::Rejection)
}

/// The request as the first variant of the provider takes it. A parameter that is not set is left out,
/// or is the URL that the request shows.
fn base(providers: &Providers, secrets: &Secrets, captured: &CapturedRequest) -> Shape {
    let provider = providers.endpoint.clone();
    let is_public = secrets.configured.iter().any(|secret| secret.is_public);
    let schemes = provider.all_schemes();
    let fits = |scheme: &&Scheme| (scheme.algorithm().keying() == Keying::Public) == is_public;
    let scheme = schemes.iter().find(fits).or(schemes.first()).cloned();
    let Some(scheme) = scheme else {
        unreachable!("a provider has a scheme");
    };
    let lines = captured.headers().filter(|(name, _)| {
        !OF_LENGTH
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    });
    let headers = lines
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut shape = Shape {
        provider,
        scheme,
        method: captured.method().into(),
        target: captured.target().into(),
        headers: Rc::new(headers),
    };
    let seen = url::seen(&shape);
    if let Some(seen) = seen.filter(|_| shape.provider.param("url").is_none()) {
        shape.provider = shape.provider.with_param("url", seen);
    }
    for name in shape.scheme.param_names() {
        if shape.provider.param(&name).is_some() {
            continue;
        }
        let uses = format!("{{param:{name}}}");
        shape
            .scheme
            .require
            .retain(|(_, value)| !value.contains(&uses));
        if shape.scheme.param_names().contains(&name) {
            shape.provider = shape.provider.with_param(name, "unknown");
        }
    }
    shape
}

fn is_unusable(shape: &Shape, secrets: &Secrets) -> bool {
    let format = &shape.scheme.secret_format;
    let mut secrets = secrets.configured.iter().filter(|secret| !secret.is_public);
    secrets.any(|secret| crate::explain::secret::decoded(secret.text(), format).is_none())
}

/// Names the alternative that a genuine request uses, if it does not use the first.
fn genuine(report: &mut Report, shape: &Shape, secrets: &Secrets, event: &VerifiedEvent) {
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

/// Fills in the proof, and what else refuses the request.
fn proven(
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
        body,
        refusal: late,
        scheme,
    } = found;
    let mut fact = None;
    let kind = match refusal {
        Refused::Rejection(rejection) => Some(rejection.kind()),
        Refused::Setup(_) => None,
    };
    if let Some(late) = late.filter(|_| is_dated) {
        let skew = late.skew_seconds().unwrap_or_default();
        let tolerance = providers.tolerance.or(scheme.tolerance());
        let (name, other) = of_time(skew);
        let window = tolerance
            .and_then(Tolerance::width)
            .map(|width| width.as_secs());
        let window = window
            .map(|seconds| format!(", the window is {seconds} s wide"))
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
    report.remedy = Some(remedies.join("; and "));
    report.also = also;
    report.key = label;
    report.verdict = Verdict::Proven;
}

/// The name for a time that is off by so many seconds, and the other name that fits.
fn of_time(skew: i64) -> (&'static str, Option<&'static str>) {
    const QUARTER: u64 = 900;
    const NEAR: u64 = 30;
    const MOST: u64 = 14 * 3600;
    let plain = if skew < 0 {
        "timestamp-old"
    } else {
        "timestamp-future"
    };
    let off = skew.unsigned_abs();
    let rest = off.checked_rem(QUARTER).unwrap_or(0);
    let near = rest.min(QUARTER.saturating_sub(rest)) <= NEAR;
    if near && (QUARTER.saturating_sub(NEAR)..=MOST.saturating_add(NEAR)).contains(&off) {
        ("timestamp-timezone", Some(plain))
    } else {
        (plain, None)
    }
}

const EXPERIMENT: &str = "capture a second request of this endpoint, best the provider's test event, which has only ASCII: if that \
    verifies, the secret is right and the first body was changed beyond repair on its way; if not, the secret is another one";

fn unexplained(
    report: &mut Report,
    likely: Option<Found>,
    refusal: &Refused,
    captured: &CapturedRequest,
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
    match likely.or(of_time) {
        Some(found) => {
            report.verdict = Verdict::Likely;
            report.cause = Some(found.name());
            report.remedy = Some(named(found.hypothesis).remedy.to_owned());
            report.causes = vec![Cause::new(&found, None)];
        }
        None => report.remedy = Some(EXPERIMENT.to_owned()),
    }
}

impl Search<'_> {
    fn all(&mut self, shape: &Shape) -> Flow {
        let mut first = Front::new(shape.clone(), Vec::new(), self.at);
        let none = self.body.clone();
        if let Some(front) = &mut first {
            let first_stage = "other secrets and readings of the secret";
            self.stage(first_stage, |search| search.prove(front, 0, &none, &[]))?;
            self.stage("other secrets and readings of the secret", |search| {
                search.prove(front, 1, &none, &[])
            })?;
            self.exclude(|rewrite| matches!(rewrite, Rewrite::Secret(_) | Rewrite::OtherSecret));
        }
        // One change to the head or the scheme.
        let shapes = self.changed_shapes(shape);
        let mut fronts = Vec::new();
        for (found, shape) in &shapes {
            self.check_budget("headers, algorithms, contents and URLs")?;
            fronts.extend(Front::new(shape.clone(), found.clone(), self.at));
        }
        for front in &mut fronts {
            self.stage("headers, algorithms, contents and URLs", |search| {
                search.prove(front, 0, &none, &[])
            })?;
        }
        self.exclude(|rewrite| matches!(rewrite, Rewrite::Head(_) | Rewrite::Url));
        // One change to the body.
        if let Some(front) = &mut first {
            self.stage("readings of the body", |search| {
                search.bodies(&none, false, &mut |search, found, body| {
                    search.prove(front, 0, body, &[found])
                })
            })?;
            self.exclude(|rewrite| matches!(rewrite, Rewrite::Body(_)));
            self.stage("styles of JSON with two differences", |search| {
                search.bodies_of(named("json:TWO"), &none, &mut |search, found, body| {
                    search.prove(front, 0, body, &[found])
                })
            })?;
            self.exclude_name("json:TWO");
        }
        self.two(&mut first, &mut fronts, &shapes)
    }

    /// Two changes.
    fn two(
        &mut self,
        first: &mut Option<Front>,
        fronts: &mut [Front],
        shapes: &[(Vec<Found>, Shape)],
    ) -> Flow {
        let none = self.body.clone();
        if let Some(front) = first.as_mut() {
            self.stage("two changes to the secret", |search| {
                search.prove(front, 2, &none, &[])
            })?;
        }
        for front in fronts.iter_mut() {
            self.stage("the secret and the headers", |search| {
                search.prove(front, 1, &none, &[])
            })?;
        }
        self.stage(
            "the body and the secret, or the body and the headers",
            |search| {
                search.bodies(&none, true, &mut |search, found, body| {
                    if let Some(front) = first.as_mut() {
                        search.prove(front, 1, body, std::slice::from_ref(&found))?;
                    }
                    for front in fronts.iter_mut() {
                        search.prove(front, 0, body, std::slice::from_ref(&found))?;
                    }
                    Flow::Continue(())
                })
            },
        )?;
        self.stage(
            "two changes to headers, algorithms, contents and URLs",
            |search| {
                for (found, shape) in shapes.iter().take(120) {
                    search.check_budget("two changes to headers, algorithms, contents and URLs")?;
                    let families: Vec<&str> = found.iter().map(|found| found.hypothesis).collect();
                    for (second, shape) in search.changed_shapes_for_pairs(shape) {
                        if second
                            .iter()
                            .any(|second| families.contains(&second.hypothesis))
                        {
                            continue;
                        }
                        search.check_budget(
                            "two changes to headers, algorithms, contents and URLs",
                        )?;
                        let mut all = found.clone();
                        all.extend(second);
                        if let Some(mut front) = Front::new(shape, all, search.at) {
                            search.prove(&mut front, 0, &none, &[])?;
                        }
                    }
                }
                Flow::Continue(())
            },
        )?;
        let Some(front) = first.as_mut() else {
            return Flow::Continue(());
        };
        self.stage("two changes to the body", |search| {
            search.bodies(&none, false, &mut |search, one, changed| {
                search.bodies(changed, false, &mut |search, other, body| {
                    if other.hypothesis == one.hypothesis {
                        return Flow::Continue(());
                    }
                    search.prove(front, 0, body, &[one.clone(), other])
                })
            })
        })?;
        self.stage("all styles of JSON", |search| {
            search.bodies_of(named("json:SEVERAL"), &none, &mut |search, found, body| {
                search.prove(front, 0, body, &[found])
            })
        })?;
        self.exclude_name("json:SEVERAL");
        self.stage("all styles of JSON inside of another body", |search| {
            search.bodies(&none, false, &mut |search, one, changed| {
                if one.name().starts_with("json:") {
                    return Flow::Continue(());
                }
                search.bodies_of(
                    named("json:SEVERAL"),
                    changed,
                    &mut |search, other, body| search.prove(front, 0, body, &[one.clone(), other]),
                )
            })
        })
    }

    /// Notes what is left out if the budget ends in a stage.
    fn stage(&mut self, what: &'static str, run: impl FnOnce(&mut Self) -> Flow) -> Flow {
        let flow = run(self);
        if matches!(flow, Flow::Break(Stop::Budget)) {
            self.leave_out_from(what);
        }
        flow
    }

    fn is_spent(&self) -> bool {
        self.tried.readings() >= self.budget.readings || self.started.elapsed() >= self.budget.time
    }

    fn check_budget(&mut self, what: &'static str) -> Flow {
        if self.is_spent() {
            self.leave_out_from(what);
            return Flow::Break(Stop::Budget);
        }
        Flow::Continue(())
    }

    /// Notes a stage and all that would have followed it.
    fn leave_out_from(&mut self, what: &'static str) {
        let rest = STAGES.iter().skip_while(|stage| **stage != what);
        for stage in rest {
            self.tried.leave_out(stage);
        }
    }

    fn exclude(&mut self, is_done: impl Fn(&Rewrite) -> bool) {
        for hypothesis in HYPOTHESES
            .iter()
            .filter(|hypothesis| is_done(&hypothesis.rewrite))
        {
            self.tried.exclude(hypothesis.name);
        }
    }

    fn exclude_name(&mut self, name: &str) {
        self.tried.exclude(named(name).name);
    }

    /// The keys for a scheme.
    fn list(&mut self, scheme: &Scheme) -> Rc<KeyList> {
        let is_public = scheme.algorithm().keying() == Keying::Public;
        let format = &scheme.secret_format;
        let known = self
            .lists
            .iter()
            .find(|(known, public, _)| known == format && *public == is_public);
        if let Some((_, _, list)) = known {
            return Rc::clone(list);
        }
        let list = Rc::new(KeyList::new(self.secrets, format, is_public));
        self.lists
            .push((format.clone(), is_public, Rc::clone(&list)));
        list
    }

    /// The prepared keys with as many changes.
    fn sets<'f>(&mut self, front: &'f mut Front, changes: usize) -> &'f [KeySet] {
        let has = front.sets.get(changes).is_some_and(Option::is_some);
        if !has {
            let list = self.list(&front.shape.scheme);
            let is_public = front.shape.scheme.algorithm().keying() == Keying::Public;
            let most = if is_public {
                KeySet::MAX_PUBLIC
            } else {
                KeySet::MAX
            };
            let secrets = list.secrets(changes);
            let mut sets = Vec::new();
            for chunk in secrets.chunks(most) {
                match front.key_set(chunk.to_vec()) {
                    Some(set) => sets.push(set),
                    // One of them cannot be used.
                    None => {
                        let single = chunk
                            .iter()
                            .filter_map(|secret| front.key_set(vec![secret.clone()]));
                        sets.extend(single);
                    }
                }
            }
            if front.sets.len() <= changes {
                front.sets.resize_with(changes.saturating_add(1), || None);
            }
            if let Some(place) = front.sets.get_mut(changes) {
                *place = Some(sets);
            }
        }
        front
            .sets
            .get(changes)
            .and_then(Option::as_deref)
            .unwrap_or_default()
    }

    /// Verifies a body under all keys with as many changes.
    fn prove(
        &mut self,
        front: &mut Front,
        changes: usize,
        body: &Bytes,
        body_found: &[Found],
    ) -> Flow {
        let sets = self.sets(front, changes).len();
        for place in 0..sets {
            if self.is_spent() {
                return Flow::Break(Stop::Budget);
            }
            let Some(Some(set)) = front
                .sets
                .get(changes)
                .map(|sets| sets.as_ref().and_then(|sets| sets.get(place)).cloned())
            else {
                continue;
            };
            self.tried.count(set.keys().len());
            let Some(key) = front.proves(&set, body, self.at) else {
                continue;
            };
            let list = self.list(&front.shape.scheme);
            let Some(reading) = list.by_changes.get(changes).and_then(|list| list.get(key)) else {
                continue;
            };
            let mut found = front.found.clone();
            let of_head = found.len();
            found.extend(reading.found.iter().cloned());
            // The secret comes first in a name, then the body, then the rest.
            found.rotate_left(of_head);
            let of_secret = reading.found.len();
            for (place, one) in body_found.iter().enumerate() {
                found.insert(of_secret.saturating_add(place), one.clone());
            }
            let mut also = reading.also.clone();
            if let ([one], true) = (body_found, of_head == 0 && of_secret == 0) {
                also.extend(self.same_bodies(one, body));
            }
            let mut refusal = front.refusal_at(&set, body, self.at, self.tolerance);
            if refusal.is_some() {
                let unit = self.other_unit(front, changes, body);
                if let Some(unit) = unit {
                    found.push(unit);
                    refusal = None;
                }
            }
            return Flow::Break(Stop::Found(Box::new(Match {
                found,
                also,
                label: reading.label.clone(),
                body: body.clone(),
                refusal,
                scheme: front.shape.scheme.clone(),
            })));
        }
        Flow::Continue(())
    }

    /// The unit in which the time is inside the window.
    fn other_unit(&mut self, front: &Front, changes: usize, body: &Bytes) -> Option<Found> {
        let mut units = Vec::new();
        scheme::time_units(&front.shape, &mut |names, shape| units.push((names, shape)));
        for (names, shape) in units {
            let Some(mut front) = Front::new(shape, Vec::new(), self.at) else {
                continue;
            };
            let sets = self.sets(&mut front, changes).to_vec();
            let is_right = |set: &KeySet| {
                front.proves(set, body, self.at).is_some()
                    && front
                        .refusal_at(set, body, self.at, self.tolerance)
                        .is_none()
            };
            if sets.iter().any(is_right) {
                return names
                    .into_iter()
                    .next()
                    .map(|(name, _)| named(name).with(""));
            }
        }
        None
    }

    /// The names of the other changes that give the same body.
    fn same_bodies(&self, found: &Found, wanted: &Bytes) -> Vec<String> {
        const LONGEST: usize = 1 << 20;
        const MOST: usize = 4;
        let mut names: Vec<String> = Vec::new();
        if wanted.len() > LONGEST || self.body.len() > LONGEST {
            return names;
        }
        let own = found.name();
        for hypothesis in HYPOTHESES {
            let Rewrite::Body(rewrite) = hypothesis.rewrite else {
                continue;
            };
            if names.len() >= MOST {
                break;
            }
            let _ = rewrite(&self.body, self.declared, &mut |detail, body| {
                let name = hypothesis.with(detail).name();
                if body == *wanted && name != own && !names.contains(&name) {
                    names.push(name);
                }
                if names.len() < MOST {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            });
        }
        names
    }

    /// Every reading of a body with one change.
    fn bodies(
        &mut self,
        from: &Bytes,
        with_many: bool,
        visit: &mut dyn FnMut(&mut Self, Found, &Bytes) -> Flow,
    ) -> Flow {
        let mut seen = HashSet::from([digest(from)]);
        let many = HYPOTHESES
            .iter()
            .filter(|_| with_many)
            .filter(|hypothesis| hypothesis.name == "json:TWO");
        let one = HYPOTHESES
            .iter()
            .filter(|hypothesis| matches!(hypothesis.rewrite, Rewrite::Body(_)));
        for hypothesis in one.chain(many) {
            self.readings_of(hypothesis, from, &mut seen, visit)?;
        }
        Flow::Continue(())
    }

    fn bodies_of(
        &mut self,
        hypothesis: &'static Hypothesis,
        from: &Bytes,
        visit: &mut dyn FnMut(&mut Self, Found, &Bytes) -> Flow,
    ) -> Flow {
        let mut seen = HashSet::from([digest(from)]);
        self.readings_of(hypothesis, from, &mut seen, visit)
    }

    fn readings_of(
        &mut self,
        hypothesis: &'static Hypothesis,
        from: &Bytes,
        seen: &mut HashSet<u64>,
        visit: &mut dyn FnMut(&mut Self, Found, &Bytes) -> Flow,
    ) -> Flow {
        let (Rewrite::Body(rewrite) | Rewrite::ManyBodies(rewrite)) = hypothesis.rewrite else {
            return Flow::Continue(());
        };
        // A document takes many times its length while it is read.
        if from.len() > LONGEST_BODY {
            self.tried.leave_out(LONG_BODIES);
            return Flow::Continue(());
        }
        let mut flow = Flow::Continue(());
        let declared = self.declared;
        let _ = rewrite(from, declared, &mut |detail, body| {
            if self.is_spent() {
                flow = Flow::Break(Stop::Budget);
                return ControlFlow::Break(());
            }
            let body = Bytes::from(body);
            if !seen.insert(digest(&body)) {
                return ControlFlow::Continue(());
            }
            flow = visit(self, hypothesis.with(detail), &body);
            if flow.is_break() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        flow
    }

    /// Every shape with one change.
    fn changed_shapes(&self, shape: &Shape) -> Vec<(Vec<Found>, Shape)> {
        let mut all = self.shapes(shape, |_| true);
        for provider in self.others {
            for mut scheme in provider.all_schemes() {
                scheme.require.clear();
                let found = vec![named("provider:NAME").with(provider.name())];
                let other = Shape {
                    provider: provider.clone(),
                    scheme,
                    ..shape.clone()
                };
                all.push((found, other));
            }
        }
        all
    }

    /// Without the readings of which there are many.
    fn changed_shapes_for_pairs(&self, shape: &Shape) -> Vec<(Vec<Found>, Shape)> {
        let is_many = |name: &str| matches!(name, "provider:NAME" | "scheme:CONTENT");
        let mut all = self.shapes(shape, |hypothesis| !is_many(hypothesis.name));
        scheme::common_templates(shape, &mut |names, shape| push(&mut all, names, shape));
        all
    }

    fn shapes(
        &self,
        shape: &Shape,
        is_wanted: impl Fn(&Hypothesis) -> bool,
    ) -> Vec<(Vec<Found>, Shape)> {
        const MOST: usize = 1500;
        let mut all = Vec::new();
        for hypothesis in HYPOTHESES.iter().filter(|hypothesis| is_wanted(hypothesis)) {
            let mut sink = |names: Vec<Named>, shape: Shape| {
                // One rewrite serves several hypotheses.
                let is_own = names
                    .first()
                    .is_some_and(|(name, _)| *name == hypothesis.name);
                if is_own && all.len() < MOST {
                    push(&mut all, names, shape);
                }
            };
            match hypothesis.rewrite {
                Rewrite::Head(rewrite) => rewrite(shape, &mut sink),
                Rewrite::Url => url::rewritten(shape, self.mounts, &mut sink),
                _ => {}
            }
            if hypothesis.name == "header:NAME" {
                // A signature that is elsewhere may be spelled otherwise, too.
                crate::explain::head::respelled(shape, &mut sink);
            }
        }
        all
    }
}

fn push(all: &mut Vec<(Vec<Found>, Shape)>, names: Vec<Named>, shape: Shape) {
    let found = names
        .into_iter()
        .map(|(name, detail)| named(name).with(detail));
    all.push((found.collect(), shape));
}

/// To recognise a body that was tried. A collision would leave one reading out.
fn digest(body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    hasher.finish()
}
