//! The verification of companies.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::providers::idenfy::{
    event::screening::AmlStatus,
    event::screening::{AmlCheck, Manager},
};

/// A company has sent in its form.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CompanySubmit {
    /// iDenfy's id of the company.
    pub id: String,
    /// When it was sent in, ISO 8601.
    pub submission_time: Option<String>,
    /// Whether the company is one person.
    pub sole_proprietor: Option<bool>,
    /// Your own id of the company.
    pub client_id: String,
    /// Any value that you gave when you made the form.
    pub external_ref: Option<String>,
}

/// The verification of a company was decided on.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CompanyReview {
    /// iDenfy's id of the company.
    pub id: String,
    /// The name of the company.
    pub company_name: String,
    /// The number of the company in its register.
    pub registration_number: Option<String>,
    /// The decision.
    pub approval_status: Option<ApprovalStatus>,
    /// Why the company was denied.
    pub deny_reason: Option<String>,
    /// Who decided.
    pub status_changed_by: Option<Manager>,
    /// Whether the company is one person.
    pub sole_proprietor: Option<bool>,
    /// What was noted about the screening. Deprecated.
    pub aml_comment: Option<String>,
    /// What was found about sanctions. Deprecated.
    pub sanctions_check_status: Option<AmlStatus>,
    /// Who decided about sanctions. Deprecated.
    pub sanctions_status_set_by: Option<Manager>,
    /// When that was decided, ISO 8601. Deprecated.
    pub sanctions_status_set_at: Option<String>,
    /// The screening of the company.
    pub aml_check: Option<AmlCheck>,
    /// What a register says about the company. Its shape is not documented.
    pub company_check: Option<Value>,
    /// The beneficiaries.
    pub beneficiaries: Option<Vec<Beneficiary>>,
    /// What was found about the shareholders. Its shape is not documented.
    pub shareholder_check: Option<Vec<Value>>,
    /// What was noted about the news. Deprecated.
    pub negative_news_comment: Option<String>,
    /// What was found in the news. Deprecated.
    pub negative_news_status: Option<AmlStatus>,
    /// Who decided about the news. Deprecated.
    pub news_status_set_by: Option<Manager>,
    /// When that was decided, ISO 8601. Deprecated.
    pub news_status_set_at: Option<String>,
    /// Reports in the news. Their shape is not documented.
    pub negative_news_check: Option<Vec<Value>>,
    /// Your own id of the company.
    pub client_id: String,
    /// Any value that you gave when you made the form.
    pub external_ref: Option<String>,
    /// The `scanRef`s of persons who belong to the company.
    pub related_client_scan_refs: Option<Vec<String>>,
}

open_enum! {
    /// The decision on a company.
    ApprovalStatus {
        /// It is accepted.
        Approved = "APPROVED",
        /// It is not.
        Denied = "DENIED",
    }
}

/// A beneficiary of a company.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Beneficiary {
    /// The id of the beneficiary.
    pub id: Option<String>,
    /// What was noted about the screening. Deprecated.
    pub aml_comment: Option<String>,
    /// What was found about political exposure. Deprecated.
    pub peps_check_status: Option<AmlStatus>,
    /// Who decided about political exposure. Deprecated.
    pub peps_status_set_by: Option<Manager>,
    /// When that was decided, ISO 8601. Deprecated.
    pub peps_status_set_at: Option<String>,
    /// What was found about sanctions. Deprecated.
    pub sanctions_check_status: Option<AmlStatus>,
    /// Who decided about sanctions. Deprecated.
    pub sanctions_status_set_by: Option<Manager>,
    /// When that was decided, ISO 8601. Deprecated.
    pub sanctions_status_set_at: Option<String>,
    /// What was noted about the news. Deprecated.
    pub negative_news_comment: Option<String>,
    /// What was found in the news. Deprecated.
    pub negative_news_status: Option<AmlStatus>,
    /// Who decided about the news. Deprecated.
    pub news_status_set_by: Option<Manager>,
    /// When that was decided, ISO 8601. Deprecated.
    pub news_status_set_at: Option<String>,
    /// What was found about the beneficiary. Its shape is not documented.
    pub beneficiary_check: Option<Value>,
    /// The screening of the beneficiary.
    pub aml_check: Option<AmlCheck>,
    /// Reports in the news. Their shape is not documented.
    pub negative_news_check: Option<Value>,
    /// The identification of the beneficiary. Its shape is not documented.
    pub scan_ref: Option<Value>,
}

/// Somebody changed the result of a screening.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CompanyAmlReview {
    /// Who was screened.
    pub aml_review_subject_type: ReviewSubject,
    /// The id of who was screened.
    pub id: String,
    /// iDenfy's id of the company.
    pub company_id: String,
    /// Your own id of the company.
    pub client_id: Option<String>,
    /// Any value that you gave when you made the form.
    pub external_ref: Option<String>,
    /// What was noted about the news.
    pub negative_news_comment: Option<String>,
    /// What was found in the news.
    pub negative_news_status: Option<AmlStatus>,
    /// Who decided about the news.
    pub news_status_set_by: Option<Manager>,
    /// When that was decided, ISO 8601.
    pub news_status_set_at: Option<String>,
    /// What was noted about the screening.
    pub aml_comment: Option<String>,
    /// What was found about political exposure.
    pub peps_check_status: Option<AmlStatus>,
    /// Who decided about political exposure.
    pub peps_status_set_by: Option<Manager>,
    /// When that was decided, ISO 8601.
    pub peps_status_set_at: Option<String>,
    /// What was found about sanctions.
    pub sanctions_check_status: Option<AmlStatus>,
    /// Who decided about sanctions.
    pub sanctions_status_set_by: Option<Manager>,
    /// When that was decided, ISO 8601.
    pub sanctions_status_set_at: Option<String>,
    /// The result as a whole.
    pub overall_status: Option<AmlStatus>,
    /// Who decided about the whole.
    pub status_set_by: Option<Manager>,
    /// When that was decided, ISO 8601.
    pub status_set_at: Option<String>,
}

open_enum! {
    /// Who was screened.
    ReviewSubject {
        /// The company.
        Company = "COMPANY",
        /// A beneficiary.
        Beneficiary = "BENEFICIARY",
        /// A shareholder.
        Shareholder = "SHAREHOLDER",
    }
}

/// More was asked of a company, or the time for it has run out.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CompanyInfoRequest {
    /// iDenfy's id of the company.
    pub company_id: String,
    /// What opens the company's form; a secret.
    pub token: String,
    /// When it happened, ISO 8601.
    pub date: Option<String>,
    /// The e-mail address that was asked.
    pub email: Option<String>,
    /// Who asked.
    pub manager: Option<Manager>,
    /// How the request stands.
    pub status: InfoRequestStatus,
}

open_enum! {
    /// How a request for more information stands.
    InfoRequestStatus {
        /// It was sent.
        Requested = "REQUESTED",
        /// Nobody answered in time.
        Expired = "EXPIRED",
        /// It was taken back.
        Canceled = "CANCELED",
    }
}

/// The verification of a company expires.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CompanyExpiration {
    /// iDenfy's id of the company.
    pub id: String,
    /// How far it is.
    pub expiration_status: Option<CompanyExpirationStatus>,
}

open_enum! {
    /// How far the expiry of a verification is.
    CompanyExpirationStatus {
        /// It will expire.
        Pending = "PENDING",
        /// It has expired.
        Expired = "EXPIRED",
    }
}

/// A company was deleted.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CompanyDelete {
    /// iDenfy's id of the company.
    pub company_id: String,
    /// When it was deleted, ISO 8601.
    pub date: String,
    /// Who deleted it.
    pub manager: Option<Manager>,
}

shows!(CompanySubmit {
    id,
    client_id,
    external_ref
});
shows!(CompanyReview {
    id,
    client_id,
    external_ref,
    approval_status
});
shows!(Beneficiary { id });
shows!(CompanyAmlReview {
    id,
    company_id,
    client_id,
    external_ref,
    aml_review_subject_type,
    overall_status
});
shows!(CompanyInfoRequest { company_id, status });
shows!(CompanyExpiration {
    id,
    expiration_status
});
shows!(CompanyDelete { company_id });
