//! The identification of a person: the body of every `IDENTIFICATION…` event.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::json::typed::object;
use crate::providers::idenfy::{
    event::status::Status,
    event::{
        bank::{BankCard, BankVerification},
        checks::{
            AddressVerification, DriverLicenseCheck, EmailVerification, PhoneVerification,
            Questionnaire, RiskAssessment,
        },
        data::Data,
        lookup::{AmlResult, CriminalResult, LidResult},
        registry::RegistryCheck,
        screening::AmlCheck,
    },
};

/// One result of the identification of a person. Several events share the `scan_ref`: the
/// preliminary result, the final result and the results of a resubmission.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Identification {
    /// Whether no further result follows. A preliminary approval can still be withdrawn.
    #[serde(rename = "final")]
    pub is_final: Option<bool>,
    /// The platform that the person used.
    pub platform: Option<Platform>,
    /// The verdict, and what it is based on.
    #[serde(deserialize_with = "object")]
    pub status: Status,
    /// The data read from the document.
    pub data: Option<Data>,
    /// The links to photos and videos, by `FRONT`, `BACK`, `FACE`, `FRONT_VIDEO` and so on, and by
    /// additional step. They need no password until they expire: treat them as secrets. Values that
    /// are not text are left out.
    #[serde(default, deserialize_with = "links")]
    pub file_urls: Option<BTreeMap<String, String>>,
    /// The links to documents from additional steps, by step. They are secrets too.
    #[serde(default, deserialize_with = "links")]
    pub additional_step_pdf_urls: Option<BTreeMap<String, String>>,
    /// Anti-money-laundering lookups, in the older format.
    #[serde(rename = "AML", alias = "aml")]
    pub aml: Option<Vec<AmlResult>>,
    /// The anti-money-laundering screening.
    pub aml_check: Option<AmlCheck>,
    /// Lookups in lists of lost, stolen and invalid documents.
    #[serde(rename = "LID", alias = "lid")]
    pub lid: Option<Vec<LidResult>>,
    /// Lookups in criminal records.
    #[serde(rename = "CRIMINAL_CHECK")]
    pub criminal_check: Option<Vec<CriminalResult>>,
    /// iDenfy's id of the identification.
    pub scan_ref: String,
    /// The arbitrary value that you set when you created the session.
    pub external_ref: Option<String>,
    /// Your own id for the person.
    pub client_id: Option<String>,
    /// The id of the company that the person belongs to; empty or `None` if there is none.
    pub company_id: Option<String>,
    /// The id of the person as a beneficiary; empty or `None` if there is none.
    pub beneficiary_id: Option<String>,
    /// When the person began, in Unix seconds.
    pub start_time: Option<i64>,
    /// When the automatic decision was made, in Unix seconds.
    pub finish_time: Option<i64>,
    /// The IP address of the person.
    pub client_ip: Option<String>,
    /// The two-letter code of the country of the IP address.
    pub client_ip_country: Option<String>,
    /// The location of the IP address.
    pub client_location: Option<String>,
    /// Whether the Global Data Consortium (GDC) has a matching record.
    pub gdc_match: Option<bool>,
    /// The address that the person typed.
    pub manual_address: Option<String>,
    /// Whether the typed address matches the one on the document.
    pub manual_address_match: Option<bool>,
    /// A lookup in a population register.
    pub registry_center_check: Option<RegistryCheck>,
    /// The check of the address.
    pub address_verification: Option<AddressVerification>,
    /// The person's answers to your questionnaire.
    pub questionnaire_answers: Option<Questionnaire>,
    /// The risk that the person presents.
    pub risk_assessment: Option<RiskAssessment>,
    /// The person's bank accounts.
    pub bank_verification: Option<BankVerification>,
    /// The check of the e-mail address.
    pub email_verification: Option<EmailVerification>,
    /// The check of the phone number.
    pub phone_verification: Option<PhoneVerification>,
    /// A lookup in a driving licence register.
    pub driver_license_check: Option<DriverLicenseCheck>,
    /// The check of a bank card.
    pub bank_card_verification: Option<BankCard>,
    /// The additional steps, and the purpose of each.
    #[serde(default, deserialize_with = "steps")]
    pub additional_steps: Option<BTreeMap<String, Option<StepKind>>>,
}

shows!(Identification {
    scan_ref,
    external_ref,
    client_id,
    company_id,
    beneficiary_id,
    is_final,
    status
});

open_enum! {
    /// The platform that a person used for an identification.
    Platform {
        /// A desktop computer.
        Pc = "PC",
        /// A mobile browser.
        Mobile = "MOBILE",
        /// A tablet.
        Tablet = "TABLET",
        /// iDenfy's app.
        MobileApp = "MOBILE_APP",
        /// Your own app, with iDenfy's SDK.
        MobileSdk = "MOBILE_SDK",
        /// Any other platform.
        OtherDevice = "OTHER",
    }
}

open_enum! {
    /// The purpose of an additional step.
    StepKind {
        /// To upload a file.
        Upload = "UPLOAD",
        /// To compare a file with known data.
        Compare = "COMPARE",
        /// To extract data from a file.
        Extract = "EXTRACT",
    }
}

/// Keeps the links that are text, because the vendor does not guarantee that all are.
fn links<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, String>>, D::Error> {
    let links = Option::<BTreeMap<String, Value>>::deserialize(deserializer)?;
    let text = |(name, link)| match link {
        Value::String(link) => Some((name, link)),
        _ => None,
    };
    Ok(links.map(|links| links.into_iter().filter_map(text).collect()))
}

/// Keeps every step, with its purpose if that is text.
fn steps<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, Option<StepKind>>>, D::Error> {
    let steps = Option::<BTreeMap<String, Value>>::deserialize(deserializer)?;
    let kind = |(name, kind)| match kind {
        Value::String(kind) => (name, Some(kind.into())),
        _ => (name, None),
    };
    Ok(steps.map(|steps| steps.into_iter().map(kind).collect()))
}
