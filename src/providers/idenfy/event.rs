//! Typed events.

use crate::{
    error::PayloadError,
    event::VerifiedEvent,
    identity::{Identity, Outcome},
    json,
    providers::typed,
};

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
    let occurred_at = identification.finish_time.and_then(typed::unix_time);
    let subject = given(&identification.external_ref).or_else(|| given(&identification.client_id));
    Ok(Some(
        Identity::new(outcome, is_final)
            .with_subject(subject.unwrap_or_default())
            .with_session(&*identification.scan_ref)
            .with_reasons(denied.chain(suspected).chain(fraud).chain(mismatch))
            .with_occurred_at(occurred_at),
    ))
}

events! {
    /// An iDenfy event. Its `Debug` shows the type, ids and statuses, and no content of
    /// [`Other`](Self::Other).
    "idenfy" read by choice::read {
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
        /// More information was requested from a company, or such a request expired or was
        /// cancelled.
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
    Other:
    /// An unknown kind of event: the header names an undocumented event type or one whose body is
    /// not published, or the body matches no type. The object has at least one field.
}
