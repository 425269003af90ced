//! Verification of companies.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::providers::idenfy::{
    event::screening::AmlStatus,
    event::screening::{AmlCheck, Manager},
};

/// A company submitted its form.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CompanySubmit {
    /// iDenfy's id of the company.
    pub id: String,
    /// When the form was submitted, ISO 8601.
    pub submission_time: Option<String>,
    /// Whether the company is a sole proprietorship.
    pub sole_proprietor: Option<bool>,
    /// Your own id for the company.
    pub client_id: String,
    /// The arbitrary value that you set when you created the form.
    pub external_ref: Option<String>,
}

/// A decision about a company.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CompanyReview {
    /// iDenfy's id of the company.
    pub id: String,
    /// The name of the company.
    pub company_name: String,
    /// The company's registration number.
    pub registration_number: Option<String>,
    /// The decision.
    pub approval_status: Option<ApprovalStatus>,
    /// Why the company was denied.
    pub deny_reason: Option<String>,
    /// Who decided.
    pub status_changed_by: Option<Manager>,
    /// Whether the company is a sole proprietorship.
    pub sole_proprietor: Option<bool>,
    /// A comment on the screening. Deprecated.
    pub aml_comment: Option<String>,
    /// The result of the sanctions check. Deprecated.
    pub sanctions_check_status: Option<AmlStatus>,
    /// Who set the result of the sanctions check. Deprecated.
    pub sanctions_status_set_by: Option<Manager>,
    /// When that result was set, ISO 8601. Deprecated.
    pub sanctions_status_set_at: Option<String>,
    /// The screening of the company.
    pub aml_check: Option<AmlCheck>,
    /// The register's data about the company. The format is not documented.
    pub company_check: Option<Value>,
    /// The beneficiaries.
    pub beneficiaries: Option<Vec<Beneficiary>>,
    /// The results of the shareholder checks. The format is not documented.
    pub shareholder_check: Option<Vec<Value>>,
    /// A comment on the news check. Deprecated.
    pub negative_news_comment: Option<String>,
    /// The result of the news check. Deprecated.
    pub negative_news_status: Option<AmlStatus>,
    /// Who set the result of the news check. Deprecated.
    pub news_status_set_by: Option<Manager>,
    /// When that result was set, ISO 8601. Deprecated.
    pub news_status_set_at: Option<String>,
    /// News reports. The format is not documented.
    pub negative_news_check: Option<Vec<Value>>,
    /// Your own id for the company.
    pub client_id: String,
    /// The arbitrary value that you set when you created the form.
    pub external_ref: Option<String>,
    /// The `scanRef`s of persons related to the company.
    pub related_client_scan_refs: Option<Vec<String>>,
}

open_enum! {
    /// The decision on a company.
    ApprovalStatus {
        /// The company was approved.
        Approved = "APPROVED",
        /// The company was denied.
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
    /// A comment on the screening. Deprecated.
    pub aml_comment: Option<String>,
    /// The result of the check for political exposure. Deprecated.
    pub peps_check_status: Option<AmlStatus>,
    /// Who set the result of the check for political exposure. Deprecated.
    pub peps_status_set_by: Option<Manager>,
    /// When that result was set, ISO 8601. Deprecated.
    pub peps_status_set_at: Option<String>,
    /// The result of the sanctions check. Deprecated.
    pub sanctions_check_status: Option<AmlStatus>,
    /// Who set the result of the sanctions check. Deprecated.
    pub sanctions_status_set_by: Option<Manager>,
    /// When that result was set, ISO 8601. Deprecated.
    pub sanctions_status_set_at: Option<String>,
    /// A comment on the news check. Deprecated.
    pub negative_news_comment: Option<String>,
    /// The result of the news check. Deprecated.
    pub negative_news_status: Option<AmlStatus>,
    /// Who set the result of the news check. Deprecated.
    pub news_status_set_by: Option<Manager>,
    /// When that result was set, ISO 8601. Deprecated.
    pub news_status_set_at: Option<String>,
    /// The results of the beneficiary check. The format is not documented.
    pub beneficiary_check: Option<Value>,
    /// The screening of the beneficiary.
    pub aml_check: Option<AmlCheck>,
    /// News reports. The format is not documented.
    pub negative_news_check: Option<Value>,
    /// The identification of the beneficiary. The format is not documented.
    pub scan_ref: Option<Value>,
}

/// Somebody changed the result of a screening.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CompanyAmlReview {
    /// Who was screened.
    pub aml_review_subject_type: ReviewSubject,
    /// The id of the screened company or person.
    pub id: String,
    /// iDenfy's id of the company.
    pub company_id: String,
    /// Your own id for the company.
    pub client_id: Option<String>,
    /// The arbitrary value that you set when you created the form.
    pub external_ref: Option<String>,
    /// A comment on the news check.
    pub negative_news_comment: Option<String>,
    /// The result of the news check.
    pub negative_news_status: Option<AmlStatus>,
    /// Who set the result of the news check.
    pub news_status_set_by: Option<Manager>,
    /// When that result was set, ISO 8601.
    pub news_status_set_at: Option<String>,
    /// A comment on the screening.
    pub aml_comment: Option<String>,
    /// The result of the check for political exposure.
    pub peps_check_status: Option<AmlStatus>,
    /// Who set the result of the check for political exposure.
    pub peps_status_set_by: Option<Manager>,
    /// When that result was set, ISO 8601.
    pub peps_status_set_at: Option<String>,
    /// The result of the sanctions check.
    pub sanctions_check_status: Option<AmlStatus>,
    /// Who set the result of the sanctions check.
    pub sanctions_status_set_by: Option<Manager>,
    /// When that result was set, ISO 8601.
    pub sanctions_status_set_at: Option<String>,
    /// The overall result.
    pub overall_status: Option<AmlStatus>,
    /// Who set the overall result.
    pub status_set_by: Option<Manager>,
    /// When that result was set, ISO 8601.
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

/// A request to a company for more information, or the expiry or cancellation of one.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CompanyInfoRequest {
    /// iDenfy's id of the company.
    pub company_id: String,
    /// The token that opens the company's form: treat it as a secret.
    pub token: String,
    /// When the event happened, ISO 8601.
    pub date: Option<String>,
    /// The e-mail address that the request was sent to.
    pub email: Option<String>,
    /// Who made the request.
    pub manager: Option<Manager>,
    /// The status of the request.
    pub status: InfoRequestStatus,
}

open_enum! {
    /// The status of a request for more information.
    InfoRequestStatus {
        /// The request was sent.
        Requested = "REQUESTED",
        /// The request was not answered in time.
        Expired = "EXPIRED",
        /// The request was cancelled.
        Canceled = "CANCELED",
    }
}

/// The verification of a company is about to expire, or has expired.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CompanyExpiration {
    /// iDenfy's id of the company.
    pub id: String,
    /// Whether the verification has expired yet.
    pub expiration_status: Option<CompanyExpirationStatus>,
}

open_enum! {
    /// Whether a verification has expired yet.
    CompanyExpirationStatus {
        /// The verification will expire.
        Pending = "PENDING",
        /// The verification has expired.
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
    /// When the company was deleted, ISO 8601.
    pub date: String,
    /// Who deleted the company.
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
