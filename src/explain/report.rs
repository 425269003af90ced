//! [`Report`]: what an explanation says.

use std::{fmt, time::Duration};

use serde::Serialize;

use crate::explain::{found::Found, hypothesis::named};

/// What is known of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Verdict {
    /// It verifies as it is.
    Genuine,
    /// It verifies once what the report names is changed, which cannot happen by chance.
    Proven,
    /// What the report names shows in the request or in the secret, and is not proven.
    Likely,
    /// Nothing that was tried explains it.
    Unexplained,
    /// It cannot be judged, because its token was left out of the capture: see
    /// [`lacks_token`](crate::capture::CapturedRequest::lacks_token).
    Incomplete,
}

impl Verdict {
    /// `genuine`, `proven`, `likely`, `unexplained` or `incomplete`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Genuine => "genuine",
            Self::Proven => "proven",
            Self::Likely => "likely",
            Self::Unexplained => "unexplained",
            Self::Incomplete => "incomplete",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One reason why a request does not verify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Cause {
    name: String,
    sentence: String,
    remedy: &'static str,
}

impl Cause {
    pub(super) fn new(found: &Found, fact: Option<&str>) -> Self {
        let sentence = named(found.hypothesis).sentence;
        Self {
            name: found.name(),
            sentence: match fact {
                Some(fact) => format!("{sentence} ({fact})"),
                None => sentence.to_owned(),
            },
            remedy: named(found.hypothesis).remedy,
        }
    }

    /// The stable name, with a detail behind a colon: `json:compact`. See the
    /// [list](crate::explain#causes).
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What happened, as a sentence without its full stop.
    #[must_use]
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &str {
        self.remedy
    }
}

/// What was tried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Tried {
    /// How many combinations of a secret, a body and a way to sign were verified.
    readings: u64,
    /// How long that took, in milliseconds.
    milliseconds: u64,
    /// The names of the hypotheses that were tried with all their readings, and match alone in
    /// none.
    excluded: Vec<&'static str>,
    /// What was left out.
    left_out: Vec<&'static str>,
}

impl Tried {
    /// How many combinations of a secret, a body and a way to sign were verified.
    #[must_use]
    pub fn readings(&self) -> u64 {
        self.readings
    }

    /// How long that took.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Duration::from_millis(self.milliseconds)
    }

    /// The names of the hypotheses that were tried with all their readings, none of which matches
    /// without a second change.
    pub fn excluded(&self) -> impl Iterator<Item = &'static str> {
        self.excluded.iter().copied()
    }

    /// What was left out, because the budget was used up or there was too much of it, as phrases;
    /// empty if everything was tried that was needed.
    pub fn left_out(&self) -> impl Iterator<Item = &'static str> {
        self.left_out.iter().copied()
    }

    pub(super) fn count(&mut self, readings: usize) {
        let readings = u64::try_from(readings).unwrap_or(u64::MAX);
        self.readings = self.readings.saturating_add(readings);
    }

    pub(super) fn exclude(&mut self, name: &'static str) {
        if !self.excluded.contains(&name) {
            self.excluded.push(name);
        }
    }

    pub(super) fn leave_out(&mut self, what: &'static str) {
        if !self.left_out.contains(&what) {
            self.left_out.push(what);
        }
    }

    pub(super) fn took(&mut self, time: Duration) {
        self.milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    }
}

/// Why a request does not verify, and what to do about it.
///
/// It holds no secret, no variant of one, no signature and no text of the body; of the request, it
/// names headers, form fields, members of JSON and JSON pointers, shortened, and lengths. `Display`
/// is for people, and serde's form for programs: `verdict`, `cause`, `remedy` and `tried`, among
/// others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    pub(super) verdict: Verdict,
    /// The names of all causes, joined by `|`.
    pub(super) cause: Option<String>,
    pub(super) remedy: Option<String>,
    pub(super) causes: Vec<Cause>,
    /// Other names for the same change.
    pub(super) also: Vec<String>,
    pub(super) provider: String,
    pub(super) endpoint: Option<String>,
    /// Why the request is refused as it is.
    pub(super) refusal: Option<String>,
    pub(super) key: Option<String>,
    pub(super) observations: Vec<String>,
    pub(super) tried: Tried,
}

impl Report {
    /// How certain the explanation is.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The stable names of the causes, joined by `|` if there are several:
    /// `secret-whitespace|json:compact`.
    ///
    /// Of a genuine request, the alternative of the scheme that it uses, if it does not use the
    /// first: another library may refuse it.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// What to do. Where nothing explains the request, the experiment that tells more.
    #[must_use]
    pub fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }

    /// The causes one by one.
    #[must_use]
    pub fn causes(&self) -> &[Cause] {
        &self.causes
    }

    /// The names of other causes that explain the request as well, because they change the same.
    pub fn also(&self) -> impl Iterator<Item = &str> {
        self.also.iter().map(|name| &**name)
    }

    /// The id or name of the secret that matches, if it has one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Why the request is refused as it is: a
    /// [kind of rejection](crate::RejectionKind), or `setup` if no verifier can be built.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    /// What the request and the secret show beside that.
    pub fn observations(&self) -> impl Iterator<Item = &str> {
        self.observations.iter().map(|text| &**text)
    }

    /// What was tried.
    #[must_use]
    pub fn tried(&self) -> &Tried {
        &self.tried
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sender = match &self.endpoint {
            Some(endpoint) => format!("{}, endpoint {endpoint}", self.provider),
            None => self.provider.clone(),
        };
        let sentences: Vec<&str> = self.causes.iter().map(Cause::sentence).collect();
        let sentences = sentences.join("; and ");
        let key = self
            .key
            .as_ref()
            .map(|key| format!(" It matches the key {key:?}."));
        let key = key.unwrap_or_default();
        match self.verdict {
            Verdict::Genuine => {
                writeln!(f, "genuine: the request verifies as it is ({sender}).{key}")?;
                if !sentences.is_empty() {
                    writeln!(f, "note:    {sentences}.")?;
                }
            }
            Verdict::Incomplete => writeln!(
                f,
                "incomplete: the token was left out of the capture, so the request cannot be judged ({sender})."
            )?,
            _ => {
                let refusal = self.refusal.as_deref().unwrap_or("refused");
                writeln!(f, "not genuine as it stands: {refusal} ({sender})")?;
                if self.verdict == Verdict::Unexplained {
                    writeln!(
                        f,
                        "unexplained: no cause that was tried makes the signature match."
                    )?;
                } else {
                    let name = self.cause.as_deref().unwrap_or_default();
                    writeln!(f, "{}: {sentences}.{key} [{name}]", self.verdict)?;
                }
            }
        }
        if let Some(remedy) = &self.remedy {
            writeln!(f, "do:      {remedy}.")?;
        }
        if !self.also.is_empty() {
            writeln!(f, "also:    {}", self.also.join(", "))?;
        }
        for observation in &self.observations {
            writeln!(f, "seen:    {observation}")?;
        }
        let Tried {
            readings,
            milliseconds,
            left_out,
            ..
        } = &self.tried;
        let s = if *readings == 1 { "" } else { "s" };
        write!(f, "tried:   {readings} reading{s} in {milliseconds} ms")?;
        if !left_out.is_empty() {
            write!(f, "; left out: {}", left_out.join(", "))?;
        }
        writeln!(f)
    }
}
