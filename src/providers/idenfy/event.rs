//! Typed events.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::{
    error::PayloadError,
    event::{Payload, VerifiedEvent},
    identity::{Identity, Outcome},
    json,
};

/// Implements a `Debug` that shows only these fields, or only the name of the variant, because the
/// rest is personal data.
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

pub(super) fn identity(event: &VerifiedEvent) -> Result<Option<Identity>, PayloadError> {
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
            .with_subject(subject.unwrap_or_default())
            .with_session(&*identification.scan_ref)
            .with_reasons(denied.chain(suspected).chain(fraud).chain(mismatch)),
    ))
}

/// Defines the event, and for each type of body a conversion into it and a `Payload`
/// implementation.
macro_rules! event {
    ($($(#[$meta:meta])* $body:ident,)*) => {
        /// An iDenfy event. Its `Debug` shows the type, ids and statuses, and no content of
        /// [`Other`](Self::Other).
        #[derive(Clone, PartialEq, Serialize)]
        #[serde(untagged)]
        #[non_exhaustive]
        pub enum Event {
            $($(#[$meta])* $body(Box<$body>),)*
            /// An unknown kind of event: the header names an undocumented event type or one whose
            /// body is not published, or the body matches no type. The object has at least one
            /// field.
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
                            "the body does not match the type ",
                            stringify!($body)
                        ))),
                    }
                }
            }
        )*
    };
}

event! {
    /// The identification of a person has a new result.
    Identification,
    /// The document of an identification is about to expire, or has expired.
    DocumentExpiration,
    /// A facial authentication has a result.
    FacialAuthentication,
    /// The age of a person was estimated, or could not be.
    AgeEstimation,
    /// The social network accounts of a person were checked.
    AccountCheck,
    /// The monitoring of a person has a new result.
    AmlMonitoring,
    /// The monitoring of some persons is about to end.
    AmlMonitoringExpiration,
    /// The bank accounts of a person were retrieved.
    BankVerification,
    /// A bank card was checked.
    BankCard,
    /// A company submitted its form.
    CompanySubmit,
    /// A decision about a company was made.
    CompanyReview,
    /// Somebody changed the result of the screening of a company or of a person related to it.
    CompanyAmlReview,
    /// More information was requested from a company, or such a request expired or was cancelled.
    CompanyInfoRequest,
    /// The verification of a company is about to expire, or has expired.
    CompanyExpiration,
    /// A company was deleted.
    CompanyDelete,
    /// A document ordered from a company register was delivered.
    GovOrderedDocument,
    /// A report from a US Secretary of State was delivered.
    SosReport,
}

impl Payload for Event {
    fn from_event(event: &VerifiedEvent) -> Result<Self, PayloadError> {
        PayloadError::unless_from("idenfy", event)?;
        choice::read(event)
    }
}
