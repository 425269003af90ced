//! Checks that an identification can include: address, questionnaire, risk, e-mail, phone, driving
//! licence.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::providers::idenfy::event::data::RiskLevel;

/// The check of an address.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AddressVerification {
    /// The address.
    pub address: Option<String>,
    /// The two-letter country code.
    pub country: Option<String>,
    /// The result.
    pub status: Option<AddressStatus>,
    /// The accuracy of the match, in percent.
    pub accuracy: Option<i64>,
    /// The quality of the sources.
    pub quality: Option<AddressQuality>,
}

open_enum! {
    /// The result of the check of an address.
    AddressStatus {
        /// The address is correct.
        Verified = "VERIFIED",
        /// Part of the address is correct.
        PartiallyVerified = "PARTIALLY_VERIFIED",
        /// The address could not be verified.
        Unverified = "UNVERIFIED",
    }
}

open_enum! {
    /// The quality of a verified address.
    AddressQuality {
        /// Excellent.
        Excellent = "EXCELLENT",
        /// Good.
        Good = "GOOD",
        /// Average.
        Average = "AVERAGE",
        /// Poor.
        Poor = "POOR",
        /// Bad.
        Bad = "BAD",
    }
}

/// A person's answers to your questionnaire.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Questionnaire {
    /// The title.
    pub title: Option<String>,
    /// The sections.
    pub sections: Option<Vec<QuestionnaireSection>>,
}

/// A section of a questionnaire.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct QuestionnaireSection {
    /// The title.
    pub title: Option<String>,
    /// The questions.
    pub questions: Option<Vec<Question>>,
}

/// A question with its answer.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Question {
    /// The key that you assigned to the question.
    pub key: Option<String>,
    /// The text of the question.
    pub title: Option<String>,
    /// The type of the answer: `CHECKBOX`, `COUNTRY_MULTI`, `TEXT` and others.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The answer, if there is one.
    pub value: Option<Answer>,
}

/// An answer in a questionnaire.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Answer {
    /// A text.
    Text(String),
    /// Several texts.
    List(Vec<String>),
    /// Yes or no.
    Truth(bool),
    /// An undocumented value.
    Other(Value),
}

/// The risk that a person presents.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RiskAssessment {
    /// The risk score, from 0 to 100.
    pub risk_score: Option<f64>,
    /// The risk level.
    pub risk_level: Option<RiskLevel>,
}

/// The check of an e-mail address.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EmailVerification {
    /// The address.
    pub email: Option<String>,
    /// Whether it belongs to the person.
    pub email_verified: Option<bool>,
}

/// The check of a phone number.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PhoneVerification {
    /// The number, in E.164 format.
    pub phone: Option<String>,
    /// Whether it belongs to the person.
    pub phone_verified: Option<bool>,
}

/// A lookup in a driving licence register.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DriverLicenseCheck {
    /// The first name that was looked up.
    pub name: Option<String>,
    /// The last name that was looked up.
    pub surname: Option<String>,
    /// The date of birth that was looked up.
    pub date_of_birth: Option<String>,
    /// The two-letter state code.
    pub state: Option<String>,
    /// The sex, as one letter.
    pub gender: Option<String>,
    /// The date of issue that was looked up.
    pub date_of_issue: Option<String>,
    /// The date of expiry that was looked up.
    pub date_of_expiry: Option<String>,
    /// The number that was looked up.
    pub document_number: Option<String>,
    /// Whether the register has this first name.
    pub name_match: Option<bool>,
    /// Whether the register has this last name.
    pub surname_match: Option<bool>,
    /// Whether the register has this date of birth.
    pub date_of_birth_match: Option<bool>,
    /// Whether the register has this date of issue.
    pub date_of_issue_match: Option<bool>,
    /// Whether the register has this date of expiry.
    pub date_of_expiry_match: Option<bool>,
    /// Whether the register has this number.
    pub document_number_match: Option<bool>,
    /// Whether the register has this sex.
    pub gender_match: Option<bool>,
}

shows!(AddressVerification { status });
shows!(Questionnaire {});
shows!(QuestionnaireSection {});
shows!(Question {});
shows!(Answer: Text, List, Truth, Other);
shows!(RiskAssessment {});
shows!(EmailVerification {});
shows!(PhoneVerification {});
shows!(DriverLicenseCheck {});
