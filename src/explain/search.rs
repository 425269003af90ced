//! The search: one change before two, and what is cheap before what is not.

use std::{
    ops::ControlFlow,
    rc::Rc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;

use crate::{
    capture::CapturedRequest,
    explain::{
        Budget, Providers, Secrets, body, evidence,
        found::Found,
        hypothesis::{HYPOTHESES, Rewrite, named},
        keys::KeyList,
        outcome::{Match, genuine, incomplete, proven, undated, unexplained},
        report::{Report, Tried, Verdict},
        request::{Refused, as_it_is, base, is_unusable},
        secret,
        shape::{Front, Shape},
    },
    keys::secret::Secret,
    provider::Provider,
    rejection::shown,
    scheme::{algorithm::Keying, secret_format::SecretFormat, timestamp::Tolerance},
};

/// Why a stage ended early.
pub(super) enum Stop {
    Found(Box<Match>),
    Budget,
}

pub(super) type Flow = ControlFlow<Stop>;

pub(super) struct Search<'c> {
    pub(super) secrets: &'c Secrets,
    pub(super) mounts: &'c [String],
    pub(super) others: &'c [Provider],
    pub(super) at: SystemTime,
    pub(super) tolerance: Option<Tolerance>,
    pub(super) body: Bytes,
    pub(super) declared: Option<usize>,
    pub(super) lists: Vec<(SecretFormat, bool, Rc<KeyList>)>,
    pub(super) tried: Tried,
    pub(super) started: Instant,
    pub(super) budget: Budget,
}

/// What is tried, in this order.
const STAGES: [&str; 12] = [
    "other secrets and readings of the secret",
    "headers, algorithms, contents and URLs",
    "readings of the body",
    "styles of JSON with two differences",
    "some numbers of JSON",
    "two changes to the secret",
    "the secret and the headers",
    "the body and the secret, or the body and the headers",
    "two changes to headers, algorithms, contents and URLs",
    "two changes to the body",
    "all styles of JSON",
    "all styles of JSON inside of another body",
];

pub(super) fn run(
    providers: &Providers,
    secrets: &Secrets,
    captured: &CapturedRequest,
    budget: Budget,
) -> Report {
    let started = Instant::now();
    let at = captured.received_at();
    let shape = base(providers, secrets, captured);
    let as_it_is = as_it_is(providers, secrets, captured);
    let mut report = Report {
        verdict: Verdict::Unexplained,
        cause: None,
        remedy: None,
        causes: Vec::new(),
        also: Vec::new(),
        provider: providers.endpoint.name().to_owned(),
        endpoint: captured.endpoint().map(|name| shown(name).into_string()),
        refusal: None,
        key: None,
        observations: Vec::new(),
        tried: Tried::default(),
    };
    report.tried.count(1);
    let undated = undated(&shape, secrets).filter(|_| at.is_none());
    report.observations.extend(undated.map(str::to_owned));
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
    if captured.lacks_token(&providers.endpoint) {
        incomplete(&mut report);
        report.tried.took(started.elapsed());
        return report;
    }
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
    let is_careless = stop.is_continue() && search.is_signed_with_a_word(&shape);
    search.tried.took(started.elapsed());
    report.tried = search.tried;
    let unusable = matches!(&refusal, Refused::Setup(_)) && is_unusable(&shape, secrets);
    let mut evidence = evidence::of(&providers.endpoint, secrets, captured, &refusal, unusable);
    report.observations.append(&mut evidence.observations);
    if is_careless {
        evidence.likely = Some(named("sender-without-secret").with(""));
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
        stop => {
            let is_spent = matches!(stop, ControlFlow::Break(Stop::Budget));
            unexplained(&mut report, &shape, evidence, &refusal, captured, is_spent);
        }
    }
    report
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
            self.stage("some numbers of JSON", |search| {
                let hypothesis = named("json:NUMBERS:NAMES");
                search.bodies_of(hypothesis, &none, &mut |search, found, body| {
                    search.prove(front, 0, body, &[found])
                })
            })?;
            self.exclude_name("json:NUMBERS:NAMES");
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
                    // A message may be in an envelope in an envelope.
                    let is_twice = other.hypothesis == one.hypothesis;
                    if is_twice && one.hypothesis != "body-envelope:POINTER" {
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

    /// Whether the key is what a sender has that has no secret. It proves nothing, since anybody
    /// can sign so.
    fn is_signed_with_a_word(&self, shape: &Shape) -> bool {
        const WORDS: [&str; 4] = ["undefined", "null", "None", "nil"];
        let is_mac = shape.scheme.algorithm().keying() == Keying::Mac;
        let front = Front::new(shape.clone(), Vec::new(), self.at).filter(|_| is_mac);
        front.is_some_and(|front| {
            let words = WORDS.iter();
            let words = words.map(|word| Secret::new(secret::raw(word.as_bytes()).as_str()));
            let sets = front.prepared(words.collect());
            sets.iter()
                .any(|keys| front.proves(keys, &self.body).is_some())
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

    pub(super) fn is_spent(&self) -> bool {
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
}
