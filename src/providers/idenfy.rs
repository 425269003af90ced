//! iDenfy: identity verification, and what goes with it: screening, bank accounts, companies.
//!
//! | | |
//! | --- | --- |
//! | signs | HMAC-SHA256 over the body, in hex, in `Idenfy-Signature` |
//! | secret | the text of the signing key that is set for this webhook in the dashboard; **without one iDenfy does not sign** |
//! | timestamp | none: a captured request stays valid for ever |
//! | event type | header `Idenfy-Event-Type`, **not signed** |
//! | delivery id | `/scanRef` of those bodies that have one, for people: several results share it, and no id tells deliveries apart |
//! | delivery key | the whole body: results that share a `scanRef` are different deliveries |
//! | success | any 2xx within 10 seconds; retried a configurable number of times with a fixed pause, then an e-mail and a button in the dashboard |
//!
//! # Events
//!
//! | header | type |
//! | --- | --- |
//! | `IDENTIFICATION_AUTO_FINISHED`, `_MANUAL_FINISHED`, `_RESUBMITTED`, `_EXPIRED`, `_CANCELLED`, and `IDENTIFICATION` for all of them | [`Identification`] |
//! | `DOCUMENT_EXPIRATION` | [`DocumentExpiration`] |
//! | `FACIAL_AUTHENTICATION` | [`FacialAuthentication`] |
//! | `AGE_ESTIMATION` | [`AgeEstimation`] |
//! | `ACCOUNT_CHECK` | [`AccountCheck`] |
//! | `AML_MONITORING`, `AML_MONITORING_EXPIRATION` | [`AmlMonitoring`], [`AmlMonitoringExpiration`] |
//! | `BANK_VERIFICATION`, `BANK_CARD_VERIFICATION_COMPLETED` | [`BankVerification`], [`BankCard`] |
//! | `COMPANY_SUBMIT`, `COMPANY_REVIEW`, `COMPANY_AML_REVIEW` | [`CompanySubmit`], [`CompanyReview`], [`CompanyAmlReview`] |
//! | `COMPANY_INFO_REQUEST`, `COMPANY_EXPIRATION`, `COMPANY_DELETE` | [`CompanyInfoRequest`], [`CompanyExpiration`], [`CompanyDelete`] |
//! | `GOV_ORDERED_DOCUMENT`, `SOS_REPORT` | [`GovOrderedDocument`], [`SosReport`] |
//! | `VIDEO_CALL_FINISHED`, whose body is not published, and any name that is not documented | [`Event::Other`] |
//!
//! The header is not signed, so whoever replays a body can put any name on it. The body alone decides whether it is an
//! [`Identification`]: it has a `status` with an `overall` in it, or `scanRef` and `final`. The header can neither hide one nor make one.
//! Which of the other types it is, the body decides too, under a documented header or none: the type that knows most of its fields,
//! if the body has what that type cannot be without. The header is asked only where the body says
//! next to nothing: an `id` alone, which may be a [`SosReport`], [`CompanyExpiration`] or [`BankVerification`]; or an `id` with a
//! `status` that is not documented, which may be a [`SosReport`], [`FacialAuthentication`] or [`BankCard`]. Whether an
//! identification was cancelled, or reviewed by a person, is told by the header alone: decide by [`Status::overall`] and
//! [`Identification::is_final`].
//!
//! A kind of event that is not known here is no error: under a header that names none of the above, and for a body that has the
//! shape of none, [`Event`] is [`Other`](Event::Other) with the JSON, unless the body is an identification. An error is a body that contradicts
//! its own kind (an identification without a verdict, a field of the wrong type), one with nothing in it, and what is no JSON object.
//!
//! Fields that the vendor may leave out or set to null are `Option`s. Values that are not documented become `Other`, and
//! unknown fields are passed over. The types are `Serialize`, with the vendor's names, to be stored on purpose; their `Debug` shows
//! ids and status, and nothing about a person.
//!
//! # As an identity
//!
//! Of [`Identification`] bodies; the others give none, those of a kind that is not known here included. The session is `scanRef`, the subject `externalRef`, or else `clientId`. The
//! reasons are the deny and suspicion reasons, then the fraud and mismatch tags.
//!
//! | `overall` | `final` is true | otherwise |
//! | --- | --- | --- |
//! | `APPROVED` | approved, final | pending |
//! | `DENIED` | rejected, final | pending |
//! | `SUSPECTED` | review, final | review |
//! | `EXPIRED`, `EXPIRED-DELETED`, `DELETED` | expired, final | expired |
//! | `REVIEWING`, `ACTIVE` | pending | pending |
//! | any other | other, final | other |
//!
//! # Pitfalls
//!
//! - An approval with `is_final` false is preliminary: a person still looks at it.
//! - `scan_ref` does not identify a delivery. The preliminary result, the final one and those after a resubmission share it.
//! - The addresses in `file_urls` open without a password while they live.
//! - An event that iDenfy adds later with the fields of an older one is read as the older one where the header does not come through.
//!
//! # How sure this is
//!
//! The scheme is certain: it is documented, and a vector of somebody else's library checks out. The types follow the vendor's
//! specification, its pages, and older examples; where these disagree, all are read. No delivery of the vendor itself was at hand.
//!
//! Documented: <https://documentation.idenfy.com> (KYC webhooks, callback signing, KYB, API reference).
//!
//! ```
//! use tower_webhook::{Secret, Verifier, providers, providers::idenfy, verify::Head};
//! # use tower_webhook::Signer;
//! # use http::Request;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = Secret::new("the-signing-key-of-this-webhook");
//! let verifier = Verifier::new(providers::idenfy(), secret.clone())?;
//!
//! let body = r#"{"final":true,"status":{"overall":"APPROVED"},"scanRef":"9b7c1d2e","clientId":"customer-7"}"#;
//! # let now = std::time::SystemTime::now();
//! # let request = Signer::new(providers::idenfy(), secret)?.sign(Request::post("/"), body)?;
//! # let (head, _) = request.into_parts();
//! let event = verifier.verify(&Head::of(&head), body, now)?;
//! let event = event.parse::<idenfy::Event>()?;
//! let idenfy::Event::Identification(identification) = event.payload() else {
//!     panic!("it has the fields of one")
//! };
//! assert_eq!(identification.status.overall, idenfy::Overall::Approved);
//! assert_eq!(identification.is_final, Some(true));
//! assert_eq!(identification.client_id.as_deref(), Some("customer-7"));
//! # Ok(())
//! # }
//! ```

use std::{fmt, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Identity, Outcome, Payload, PayloadError, Provider, Source, VerifiedEvent,
    delivery::KeyedBy,
    json,
    scheme::{Algorithm, Encoding, Scheme, Signature},
};

/// A `Debug` that shows these fields, or the name of the variant, and nothing else: the rest is about a person.
macro_rules! shows {
    ($name:ident { $($field:ident),* }) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($field), &self.$field))*
                    .finish_non_exhaustive()
            }
        }
    };
    ($name:ident: $($variant:ident),*) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self {
                    $(Self::$variant(_) => concat!(stringify!($variant), "(..)"),)*
                })
            }
        }
    };
}

mod bank;
mod checks;
mod choice;
mod company;
mod data;
mod identification;
mod lookup;
mod person;
mod registry;
mod report;
mod screening;
mod status;
mod tags;

pub use bank::*;
pub use checks::*;
pub use company::*;
pub use data::*;
pub use identification::*;
pub use lookup::*;
pub use person::*;
pub use registry::*;
pub use report::*;
pub use screening::*;
pub use status::*;
pub use tags::*;

pub(super) fn provider() -> Provider {
    let signature = Signature::single("Idenfy-Signature", Encoding::Hex);
    Provider::new(
        "idenfy",
        Scheme::new(Algorithm::HmacSha256, "{body}", signature),
    )
    .with_event_type(Source::header("Idenfy-Event-Type"))
    .with_delivery_id(Source::json("/scanRef"))
    .with_time_limit(Duration::from_secs(10))
    .with_delivery_key(KeyedBy::Body)
    .with_docs("https://documentation.idenfy.com/security/CallbackSigning")
    .with_unsigned_hint(
        "iDenfy signs only once a signing key is set for the webhook in its dashboard",
    )
    .with_identity(identity)
}

fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
    let Some(identification) = choice::identification(event)? else {
        return Ok(None);
    };
    let is_final = identification.is_final == Some(true);
    let status = &identification.status;
    let outcome = match &status.overall {
        Overall::Approved => Outcome::Approved,
        Overall::Denied if is_final => Outcome::Rejected,
        Overall::Denied | Overall::Reviewing | Overall::Active => Outcome::Pending,
        Overall::Suspected => Outcome::Review,
        Overall::Expired | Overall::ExpiredDeleted | Overall::Deleted => Outcome::Expired,
        Overall::Archived | Overall::Other(_) => Outcome::Other,
    };
    let denied = status.deny_reasons.iter().flatten().map(String::as_str);
    let suspected = status
        .suspicion_reasons
        .iter()
        .flatten()
        .map(FraudTag::as_str);
    let fraud = status.fraud_tags.iter().flatten().map(FraudTag::as_str);
    let mismatch = status
        .mismatch_tags
        .iter()
        .flatten()
        .map(MismatchTag::as_str);
    let given = |reference: &Option<String>| reference.clone().filter(|text| !text.is_empty());
    let subject = given(&identification.external_ref).or_else(|| given(&identification.client_id));
    Ok(Some(
        Identity::new(outcome, is_final)
            .with_subject(subject)
            .with_session(Some(&*identification.scan_ref))
            .with_reasons(denied.chain(suspected).chain(fraud).chain(mismatch)),
    ))
}

/// The event, and for each type of body a way in and a `Payload` of its own.
macro_rules! event {
    ($($(#[$meta:meta])* $body:ident,)*) => {
        /// An event of iDenfy. Its `Debug` shows type, ids and status, and nothing of [`Other`](Self::Other).
        #[derive(Clone, PartialEq, Serialize)]
        #[serde(untagged)]
        #[non_exhaustive]
        pub enum Event {
            $($(#[$meta])* $body(Box<$body>),)*
            /// A kind of event that has no type here: the header names one that is not documented or has no published body, or
            /// the body has the shape of none. It has at least one field.
            Other(Value),
        }

        impl fmt::Debug for Event {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$body(body) => f.debug_tuple(stringify!($body)).field(body).finish(),)*
                    Self::Other(_) => f.write_str("Other(..)"),
                }
            }
        }

        $(
            impl From<$body> for Event {
                fn from(body: $body) -> Self {
                    Self::$body(Box::new(body))
                }
            }

            impl Payload for $body {
                fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError> {
                    match Event::from_event(event)? {
                        Event::$body(body) => Ok(*body),
                        _ => Err(PayloadError::new(concat!(
                            "the body does not have the shape of ",
                            stringify!($body)
                        ))),
                    }
                }
            }
        )*
    };
}

event! {
    /// The identification of a person moved on.
    Identification,
    /// The document of an identification expires.
    DocumentExpiration,
    /// A person was recognised by the face, or was not.
    FacialAuthentication,
    /// The age of a person was estimated.
    AgeEstimation,
    /// The accounts of a person in social networks were looked up.
    AccountCheck,
    /// The monitoring of a person found, cleared or dropped something.
    AmlMonitoring,
    /// Monitorings are about to end.
    AmlMonitoringExpiration,
    /// The bank accounts of a person were read.
    BankVerification,
    /// A bank card was checked.
    BankCard,
    /// A company has sent in its form.
    CompanySubmit,
    /// The verification of a company was decided on.
    CompanyReview,
    /// Somebody changed the result of the screening of a company or of somebody in it.
    CompanyAmlReview,
    /// More was asked of a company, or the time for it has run out.
    CompanyInfoRequest,
    /// The verification of a company expires.
    CompanyExpiration,
    /// A company was deleted.
    CompanyDelete,
    /// A document that was ordered from a register of companies has arrived.
    GovOrderedDocument,
    /// A report from a Secretary of State has arrived.
    SosReport,
}

impl Payload for Event {
    fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError> {
        PayloadError::unless_from("idenfy", event)?;
        choice::read(event)
    }
}

/// A value as a type, if it has its shape.
fn read_as<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}
