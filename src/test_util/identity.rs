//! [`IdentityEvent`]: the body of an event of an identity vendor, by its outcome.

use std::{collections::BTreeMap, time::SystemTime};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    clock::{self, unix_seconds},
    error::{SetupError, shown},
    identity::Outcome,
    provider::Provider,
    providers,
    scheme::timestamp::TimeUnit,
};

/// What each vendor's events look like.
const VENDORS: &str = include_str!("identities.json");

/// The body of an event of an identity vendor that says how a verification ended, or how far it is.
///
/// It is as the vendor sends it, as far as its documentation shows, with the few fields that
/// [`Identity`](crate::Identity) is read from. It has the session `session-1`, and, where the
/// vendor sends them, the subject `customer-1`, the level `level-1` and the current time.
///
/// ```
/// use http::Request;
/// use tower_webhook::{Identity, Outcome, verify::Head};
/// use tower_webhook::test_util::{IdentityEvent, TestSender};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // The test is the same for each vendor.
/// for vendor in ["didit", "onfido", "persona", "stripe-identity", "sumsub"] {
///     let body = IdentityEvent::new(vendor, Outcome::Approved)?.with_subject("customer-7").body()?;
///     let sender = TestSender::new(vendor)?;
///     let (head, body) = sender.signed(Request::post("/"), body)?.into_parts();
///     let now = std::time::SystemTime::now();
///     let event = sender.verifier()?.verify(&Head::from(&head), body, now)?;
///     let identity = event.parse::<Identity>()?.into_payload();
///     assert_eq!(identity.outcome(), Outcome::Approved);
///     assert_eq!(identity.subject(), Some("customer-7"));
/// }
///
/// // No event of Plaid says how a verification ended.
/// assert!(IdentityEvent::new("plaid", Outcome::Approved).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct IdentityEvent {
    provider: String,
    vendor: Vendor,
    outcome: Outcome,
    session: Option<String>,
    subject: Option<String>,
    level: Option<String>,
    time: Option<SystemTime>,
    is_test: bool,
}

/// Where a vendor's events have what.
#[derive(Clone, Debug, Deserialize)]
struct Vendor {
    #[serde(default)]
    session: Vec<String>,
    /// What stands in front of the session.
    #[serde(default)]
    session_after: String,
    #[serde(default)]
    subject: Vec<String>,
    #[serde(default)]
    level: Vec<String>,
    #[serde(default)]
    time: Vec<String>,
    #[serde(default)]
    unit: Unit,
    /// The values of a test.
    #[serde(default)]
    test: BTreeMap<String, Value>,
    /// The part of a multipart body that this is.
    multipart: Option<String>,
    outcomes: BTreeMap<String, Value>,
}

/// How a vendor writes times.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
enum Unit {
    #[default]
    #[serde(rename = "rfc3339")]
    Rfc3339,
    #[serde(rename = "s")]
    Seconds,
    /// `2026-11-18 11:06:39.000`, in UTC.
    #[serde(rename = "sumsub")]
    Sumsub,
}

impl Unit {
    fn write(self, time: SystemTime) -> Value {
        let seconds = unix_seconds(time);
        let date = || TimeUnit::Rfc3339.format(seconds).unwrap_or_default();
        match self {
            Self::Rfc3339 => date().into(),
            Self::Seconds => seconds.into(),
            Self::Sumsub => date().replace('T', " ").replace('Z', ".000").into(),
        }
    }
}

fn vendor(name: &str) -> Option<Vendor> {
    let vendors = serde_json::from_str::<BTreeMap<String, Vendor>>(VENDORS);
    debug_assert!(vendors.is_ok(), "{vendors:?}");
    vendors.ok()?.remove(name)
}

impl IdentityEvent {
    /// An event of the vendor of this name, or alias, with this outcome. A rejection or an end is
    /// final, except one of Stripe, whose sessions can always be tried again.
    ///
    /// # Errors
    ///
    /// When no events of the vendor are known, or none of them has this outcome.
    pub fn new(provider: &str, outcome: Outcome) -> Result<Self, SetupError> {
        let known = providers::by_name(provider);
        let name = known.as_ref().map_or(provider, Provider::name);
        let Some(vendor) = vendor(name) else {
            return Err(SetupError::new(format!(
                "{} is not an identity vendor whose events are known",
                shown(provider)
            )));
        };
        if !vendor.outcomes.contains_key(outcome.as_str()) {
            let known: Vec<&str> = vendor.outcomes.keys().map(|name| &**name).collect();
            return Err(SetupError::new(format!(
                "no event of {name} is {outcome}; there are {}",
                known.join(", ")
            )));
        }
        Ok(Self {
            provider: name.to_owned(),
            vendor,
            outcome,
            session: None,
            subject: None,
            level: None,
            time: None,
            is_test: false,
        })
    }

    /// The outcomes that events of the vendor can have. None if it is not known.
    pub fn outcomes(provider: &str) -> impl Iterator<Item = Outcome> {
        let known = Outcome::ALL.iter().copied();
        known.filter(move |outcome| Self::new(provider, *outcome).is_ok())
    }

    /// Sets the vendor's reference for the verification.
    #[must_use]
    pub fn with_session(mut self, session: impl Into<String>) -> Self {
        self.session = Some(session.into());
        self
    }

    /// Sets your reference for the person.
    #[must_use]
    pub fn with_subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Sets what was verified.
    #[must_use]
    pub fn with_level(mut self, level: impl Into<String>) -> Self {
        self.level = Some(level.into());
        self
    }

    /// Sets when it happened, in whole seconds. An event of Didit is refused if that is long ago,
    /// since the signed time in it is also the time of the request.
    #[must_use]
    pub fn with_time(mut self, time: SystemTime) -> Self {
        self.time = Some(time);
        self
    }

    /// Makes it an event of the vendor's test environment.
    #[must_use]
    pub fn as_test(mut self) -> Self {
        self.is_test = true;
        self
    }

    /// The body.
    ///
    /// # Errors
    ///
    /// When an event of the vendor with this outcome has no place for something that was set.
    pub fn body(&self) -> Result<Bytes, SetupError> {
        let vendor = &self.vendor;
        let mut body = vendor.outcomes.get(self.outcome.as_str()).cloned();
        let body = body.get_or_insert_default();
        let session = self.session.as_ref();
        let session = session.map(|session| format!("{}{session}", vendor.session_after));
        let text = |text: Option<&String>| text.cloned().map(Value::from);
        for (what, places, value) in [
            ("session", &vendor.session, session.map(Value::from)),
            ("subject", &vendor.subject, text(self.subject.as_ref())),
            ("level", &vendor.level, text(self.level.as_ref())),
            (
                "time",
                &vendor.time,
                self.time.map(|time| vendor.unit.write(time)),
            ),
        ] {
            if let Some(value) = value
                && !set(body, places, &value)
            {
                return Err(self.without(what));
            }
        }
        if self.time.is_none() {
            set(body, &vendor.time, &vendor.unit.write(clock::now()));
        }
        if self.is_test {
            let mut tests = vendor.test.iter();
            let all = tests.all(|(place, value)| set(body, std::slice::from_ref(place), value));
            if vendor.test.is_empty() || !all {
                return Err(self.without("test environment"));
            }
        }
        let body = body.to_string();
        Ok(match &vendor.multipart {
            None => body.into(),
            Some(name) => format!(
                "--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{body}\r\n--b--\r\n"
            )
            .into(),
        })
    }

    fn without(&self, what: &str) -> SetupError {
        let Self {
            provider, outcome, ..
        } = self;
        SetupError::new(format!(
            "an event of {provider} that is {outcome} has no {what}"
        ))
    }
}

/// Sets the value at those of the places that the body has, and returns whether there was any.
fn set(body: &mut Value, places: &[String], value: &Value) -> bool {
    let mut is_set = false;
    for place in places {
        if let Some(found) = body.pointer_mut(place) {
            *found = value.clone();
            is_set = true;
        }
    }
    is_set
}

/// An event of the provider that is as far along as its events tell, if it is an identity vendor.
pub(super) fn typical(provider: &Provider) -> Option<Bytes> {
    let name = provider.name();
    let mut outcomes = IdentityEvent::outcomes(name);
    let outcome = outcomes.next()?;
    IdentityEvent::new(name, outcome).ok()?.body().ok()
}
